//! How long what has ended is kept: sessions with their refresh tokens, invitations, and the audit log.

use store::retention::{Remove, Rule};

use crate::{audit, invitations, sessions};

/// The rules of this room.
pub fn retention() -> Vec<Rule> {
    vec![
        Rule {
            name: "sessions",
            days: 30,
            count: |conn, before| Box::pin(sessions::store::count_ended(conn, before)),
            remove: Remove::Batches(|tx, before, limit| {
                Box::pin(sessions::store::remove_ended(tx, before, limit))
            }),
        },
        Rule {
            name: "audit",
            days: 365,
            count: |conn, before| Box::pin(audit::count_before(conn, before)),
            // Its way of its own keeps what is left provable.
            remove: Remove::Whole(|store, now, days| {
                Box::pin(async move { audit::remove_expired(&store, now, days).await })
            }),
        },
        Rule {
            name: "invitations",
            days: 30,
            count: |conn, before| Box::pin(invitations::store::count_ended(conn, before)),
            remove: Remove::Batches(|tx, before, limit| {
                Box::pin(invitations::store::remove_ended(tx, before, limit))
            }),
        },
    ]
}
