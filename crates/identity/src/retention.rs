//! How long what has ended is kept: sessions with their refresh tokens, invitations, and the audit log. What a legal hold
//! keeps stays.

use std::sync::Arc;

use store::retention::{Act, Remove, Rule};

use crate::{audit, invitations, sessions};

/// The rules of this room.
pub fn retention() -> Vec<Rule> {
    vec![
        Rule {
            name: "sessions",
            days: 30,
            remove: Remove::Batches(
                |conn, before| Box::pin(sessions::store::count_ended(conn, before)),
                |tx, before, limit| Box::pin(sessions::store::remove_ended(tx, before, limit)),
            ),
        },
        Rule {
            name: "audit",
            days: 365,
            // Its way of its own keeps what is left provable.
            remove: Remove::Whole(Arc::new(|store, now, days, act| {
                Box::pin(async move {
                    match act {
                        Act::Count => audit::count_expired(&store, now, days).await,
                        Act::Remove => audit::remove_expired(&store, now, days).await,
                    }
                })
            })),
        },
        Rule {
            name: "invitations",
            days: 30,
            remove: Remove::Batches(
                |conn, before| Box::pin(invitations::store::count_ended(conn, before)),
                |tx, before, limit| Box::pin(invitations::store::remove_ended(tx, before, limit)),
            ),
        },
    ]
}
