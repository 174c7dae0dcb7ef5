//! Events that have expired are seen by nobody; here they go.

use ::store::retention::{Remove, Rule};
use ::store::{Tx, execute, fetch_all};
use kernel::{Micros, Result};

/// Events of one transaction at most: each takes its chunks, vectors and artifact along.
const EVENTS: i64 = 100;

/// Events that expired before `$1` and that no legal hold keeps.
macro_rules! expired_events {
    () => {
        " FROM events AS e WHERE e.expires_at < $1 AND NOT EXISTS ( \
             SELECT 1 FROM legal_holds AS h WHERE h.tenant_id = e.tenant_id \
             AND (h.user_id IS NULL OR h.user_id = e.user_id))"
    };
}

/// The rules of memory.
pub fn retention() -> Vec<Rule> {
    vec![Rule {
        name: "events.expired",
        days: 0,
        remove: Remove::Batches(
            |conn, before| {
                Box::pin(async move {
                    let sql = concat!("SELECT COUNT(*)", expired_events!());
                    Ok(::store::fetch_one!(conn, (i64,), sql, before.0)?.0)
                })
            },
            |tx, before, limit| Box::pin(remove_expired(tx, before, limit)),
        ),
    }]
}

/// Removes at most `limit` expired events with their chunks and vectors; their objects go when nothing names them. Servers
/// have left the chunks out of their indexes when their time came.
async fn remove_expired(tx: &mut Tx, before: Micros, limit: i64) -> Result<u64> {
    let sql = concat!(
        "SELECT e.tenant_id, e.user_id, e.session_id, e.event_id",
        expired_events!(),
        " ORDER BY e.expires_at, e.event_id LIMIT $2"
    );
    let rows = fetch_all!(tx, (String, String, String, String), sql, before.0, limit.min(EVENTS))?;
    let (mut sessions, count) = (std::collections::BTreeSet::new(), rows.len() as u64);
    for (tenant, user, session, event) in rows {
        remove_event(tx, &tenant, &event).await?;
        sessions.insert((tenant, user, session));
    }
    for (tenant, user, session) in sessions {
        execute!(
            tx,
            "UPDATE memory_sessions SET event_count = (SELECT COUNT(*) FROM events AS e
                 WHERE e.tenant_id = $1 AND e.user_id = $2 AND e.session_id = $3)
             WHERE tenant_id = $1 AND user_id = $2 AND session_id = $3",
            tenant,
            user,
            session,
        )?;
    }
    Ok(count)
}

async fn remove_event(tx: &mut Tx, tenant: &str, event_id: &str) -> Result<()> {
    // Whoever adds vectors holds this lock, and looks again for the chunks under it.
    execute!(
        tx,
        "UPDATE memory_scopes SET version = version
         WHERE scope_id IN (SELECT scope_id FROM chunks WHERE tenant_id = $1 AND event_id = $2)",
        tenant,
        event_id,
    )?;
    execute!(
        tx,
        "DELETE FROM vectors
         WHERE owner_id IN (SELECT chunk_id FROM chunks WHERE tenant_id = $1 AND event_id = $2)",
        tenant,
        event_id,
    )?;
    execute!(tx, "DELETE FROM chunks WHERE tenant_id = $1 AND event_id = $2", tenant, event_id)?;
    execute!(tx, "DELETE FROM artifacts WHERE tenant_id = $1 AND event_id = $2", tenant, event_id)?;
    execute!(tx, "DELETE FROM events WHERE tenant_id = $1 AND event_id = $2", tenant, event_id)?;
    Ok(())
}
