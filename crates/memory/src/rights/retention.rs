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
    let events = Rule {
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
    };
    let memories = Rule {
        name: "memories.expired",
        days: 0,
        remove: Remove::Batches(
            |conn, before| {
                Box::pin(async move {
                    let sql = concat!("SELECT COUNT(*)", expired_memories!());
                    Ok(::store::fetch_one!(conn, (i64,), sql, before.0)?.0)
                })
            },
            |tx, before, limit| {
                Box::pin(async move {
                    let sql = concat!(
                        "SELECT m.tenant_id, m.memory_id",
                        expired_memories!(),
                        " ORDER BY m.memory_id LIMIT $2"
                    );
                    let rows = fetch_all!(tx, (String, String), sql, before.0, limit.min(EVENTS))?;
                    remove_memories(tx, rows).await
                })
            },
        ),
    };
    let retracted = Rule {
        name: "memories.retracted",
        days: 30,
        remove: Remove::Batches(
            |conn, before| {
                Box::pin(async move {
                    let sql = concat!("SELECT COUNT(*)", retracted_memories!());
                    Ok(::store::fetch_one!(conn, (i64,), sql, before.0)?.0)
                })
            },
            |tx, before, limit| {
                Box::pin(async move {
                    let sql = concat!(
                        "SELECT m.tenant_id, m.memory_id",
                        retracted_memories!(),
                        " ORDER BY m.memory_id LIMIT $2"
                    );
                    let rows = fetch_all!(tx, (String, String), sql, before.0, limit.min(EVENTS))?;
                    remove_memories(tx, rows).await
                })
            },
        ),
    };
    vec![events, memories, retracted, deleted_blocks(), bundles(), expired_capsules()]
}

/// Blocks that were deleted before `$1` and that no legal hold keeps.
macro_rules! deleted_blocks {
    () => {
        " FROM blocks AS b WHERE b.deleted AND b.recorded_at < $1 AND NOT EXISTS ( \
             SELECT 1 FROM legal_holds AS h WHERE h.tenant_id = b.tenant_id \
             AND (h.user_id IS NULL OR h.user_id = b.user_id))"
    };
}

fn deleted_blocks() -> Rule {
    Rule {
        name: "blocks.deleted",
        days: 30,
        remove: Remove::Batches(
            |conn, before| {
                Box::pin(async move {
                    let sql = concat!("SELECT COUNT(*)", deleted_blocks!());
                    Ok(::store::fetch_one!(conn, (i64,), sql, before.0)?.0)
                })
            },
            |tx, before, limit| {
                Box::pin(async move {
                    let sql = concat!(
                        "SELECT b.tenant_id, b.block_id",
                        deleted_blocks!(),
                        " ORDER BY b.block_id LIMIT $2"
                    );
                    let rows = fetch_all!(tx, (String, String), sql, before.0, limit.min(EVENTS))?;
                    for (tenant, id) in &rows {
                        execute!(
                            tx,
                            "DELETE FROM block_versions WHERE tenant_id = $1 AND block_id = $2",
                            tenant,
                            id
                        )?;
                        execute!(
                            tx,
                            "DELETE FROM blocks WHERE tenant_id = $1 AND block_id = $2",
                            tenant,
                            id
                        )?;
                    }
                    Ok(rows.len() as u64)
                })
            },
        ),
    }
}

/// Capsules that expired before `$1` and that no legal hold keeps.
macro_rules! expired_capsules {
    () => {
        " FROM capsules AS c WHERE c.expires_at < $1 AND NOT EXISTS ( \
             SELECT 1 FROM legal_holds AS h WHERE h.tenant_id = c.tenant_id \
             AND (h.user_id IS NULL OR h.user_id = c.user_id))"
    };
}

fn expired_capsules() -> Rule {
    Rule {
        name: "capsules.expired",
        days: 0,
        remove: Remove::Batches(
            |conn, before| {
                Box::pin(async move {
                    let sql = concat!("SELECT COUNT(*)", expired_capsules!());
                    Ok(::store::fetch_one!(conn, (i64,), sql, before.0)?.0)
                })
            },
            |tx, before, limit| {
                Box::pin(async move {
                    let sql = concat!(
                        "DELETE FROM capsules WHERE capsule_id IN (SELECT c.capsule_id",
                        expired_capsules!(),
                        " LIMIT $2)"
                    );
                    Ok(execute!(tx, sql, before.0, limit)?)
                })
            },
        ),
    }
}

/// Bundles that were put together before `$1` and that no legal hold keeps.
macro_rules! old_bundles {
    () => {
        " FROM bundles AS b WHERE b.recorded_at < $1 AND NOT EXISTS ( \
             SELECT 1 FROM legal_holds AS h WHERE h.tenant_id = b.tenant_id \
             AND (h.user_id IS NULL OR h.user_id = b.user_id))"
    };
}

fn bundles() -> Rule {
    Rule {
        name: "bundles",
        days: 7,
        remove: Remove::Batches(
            |conn, before| {
                Box::pin(async move {
                    let sql = concat!("SELECT COUNT(*)", old_bundles!());
                    Ok(::store::fetch_one!(conn, (i64,), sql, before.0)?.0)
                })
            },
            |tx, before, limit| {
                Box::pin(async move {
                    let sql = concat!(
                        "DELETE FROM bundles WHERE acb_id IN (SELECT b.acb_id",
                        old_bundles!(),
                        " ORDER BY b.recorded_at, b.acb_id LIMIT $2)"
                    );
                    Ok(execute!(tx, sql, before.0, limit)?)
                })
            },
        ),
    }
}

/// Memories that expired before `$1` and that no legal hold keeps.
macro_rules! expired_memories {
    () => {
        " FROM memories AS m WHERE m.expires_at < $1 AND NOT EXISTS ( \
             SELECT 1 FROM legal_holds AS h WHERE h.tenant_id = m.tenant_id \
             AND (h.user_id IS NULL OR h.user_id = m.user_id))"
    };
}
use expired_memories;

/// Memories that were taken back before `$1` and that no legal hold keeps.
macro_rules! retracted_memories {
    () => {
        " FROM memories AS m JOIN memory_versions AS v ON v.memory_id = m.memory_id AND v.version = m.version \
          WHERE m.state = 'retracted' AND v.recorded_at < $1 AND NOT EXISTS ( \
             SELECT 1 FROM legal_holds AS h WHERE h.tenant_id = m.tenant_id \
             AND (h.user_id IS NULL OR h.user_id = m.user_id))"
    };
}
use retracted_memories;

/// Removes memories with all that hangs on them; servers have left them out of their indexes when their time came.
async fn remove_memories(tx: &mut Tx, rows: Vec<(String, String)>) -> Result<u64> {
    let count = rows.len() as u64;
    for (tenant, id) in rows {
        crate::memories::store::remove(tx, &tenant, &id).await?;
    }
    Ok(count)
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
    execute!(tx, "DELETE FROM decisions WHERE tenant_id = $1 AND event_id = $2", tenant, event_id)?;
    execute!(tx, "DELETE FROM tasks WHERE tenant_id = $1 AND event_id = $2", tenant, event_id)?;
    execute!(tx, "DELETE FROM memory_sources WHERE tenant_id = $1 AND event_id = $2", tenant, event_id)?;
    execute!(tx, "DELETE FROM events WHERE tenant_id = $1 AND event_id = $2", tenant, event_id)?;
    Ok(())
}
