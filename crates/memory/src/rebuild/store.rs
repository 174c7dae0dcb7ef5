//! SQL of making again what is derived from events.

use kernel::{Micros, TenantId};
use sqlx::FromRow;
use store::{Conn, Result, Tx, execute, fetch_all, fetch_one};

use crate::rights::not_erased;
use crate::timeline::store::{StoredEvent, event_columns};

/// Holds for an event `e` of tenant `$1` and owner `$2` that has words which are indexed.
macro_rules! indexed {
    () => {
        "e.tenant_id = $1 AND e.user_id = $2 AND NOT e.recalled AND e.sensitivity <> 'secret' AND e.token_est > 0"
    };
}

/// Holds for an event `e` without a chunk.
macro_rules! chunkless {
    () => {
        "NOT EXISTS (SELECT 1 FROM chunks AS c WHERE c.tenant_id = e.tenant_id AND c.event_id = e.event_id)"
    };
}

/// Whether what is derived from an owner's events is there: what the three latest and the three first of them have. Rows are
/// made again from the latest to the first, so that the first come last.
#[derive(Clone, Copy, Debug, Default, FromRow)]
pub(crate) struct Standing {
    /// When the last bundle of the conversation was put together.
    pub(crate) last_bundle_at: Option<i64>,
    /// Events with words, 0–3.
    pub(crate) events: i64,
    /// Chunks of the latest events.
    pub(crate) latest_chunks: i64,
    /// Chunks of the first events.
    pub(crate) first_chunks: i64,
}

impl Standing {
    /// Whether something is missing.
    pub(crate) fn is_cold(&self) -> bool {
        self.events > 0 && (self.latest_chunks == 0 || self.first_chunks == 0)
    }
}

/// Reads where an owner stands, and when the conversation had its last bundle.
pub(crate) async fn find_standing(
    conn: &mut Conn,
    tenant: &TenantId,
    owner: &str,
    session: &str,
) -> Result<Standing> {
    fetch_one!(
        conn,
        Standing,
        concat!(
            "SELECT
             (SELECT MAX(b.recorded_at) FROM bundles AS b
                  WHERE b.tenant_id = $1 AND b.user_id = $2 AND b.session_id = $3) AS last_bundle_at,
             (SELECT COUNT(*) FROM (SELECT e.event_id FROM events AS e WHERE ",
            indexed!(),
            " ORDER BY e.occurred_at DESC, e.event_id DESC LIMIT 3) AS latest) AS events,
             (SELECT COUNT(*) FROM chunks AS c WHERE c.tenant_id = $1
                  AND c.event_id IN (SELECT e.event_id FROM events AS e WHERE ",
            indexed!(),
            " ORDER BY e.occurred_at DESC, e.event_id DESC LIMIT 3)) AS latest_chunks,
             (SELECT COUNT(*) FROM chunks AS c WHERE c.tenant_id = $1
                  AND c.event_id IN (SELECT e.event_id FROM events AS e WHERE ",
            indexed!(),
            " ORDER BY e.occurred_at, e.event_id LIMIT 3)) AS first_chunks"
        ),
        tenant.as_str(),
        owner,
        session,
    )
}

/// Lists an owner's events without chunks, the latest first, since an instant and from before a place.
pub(super) async fn list_chunkless(
    conn: &mut Conn,
    tenant: &TenantId,
    owner: &str,
    since: Micros,
    before: &(i64, String),
    limit: i64,
) -> Result<Vec<StoredEvent>> {
    fetch_all!(
        conn,
        StoredEvent,
        concat!(
            "SELECT ",
            event_columns!(),
            " FROM events AS e WHERE ",
            indexed!(),
            " AND e.occurred_at >= $3 AND (e.occurred_at < $4 OR (e.occurred_at = $4 AND e.event_id < $5)) AND ",
            chunkless!(),
            " AND ",
            not_erased!(),
            " ORDER BY e.occurred_at DESC, e.event_id DESC LIMIT $6"
        ),
        tenant.as_str(),
        owner,
        since.0,
        before.0,
        before.1.as_str(),
        limit,
    )
}

/// Lists an owner's events of decisions and tasks in the order in which they were recorded.
pub(super) async fn list_work(conn: &mut Conn, tenant: &TenantId, owner: &str) -> Result<Vec<StoredEvent>> {
    fetch_all!(
        conn,
        StoredEvent,
        concat!(
            "SELECT ",
            event_columns!(),
            " FROM events AS e
             WHERE e.tenant_id = $1 AND e.user_id = $2 AND e.kind IN ('decision', 'task_update') AND NOT e.recalled AND ",
            not_erased!(),
            " ORDER BY e.recorded_at, e.session_id, e.seq"
        ),
        tenant.as_str(),
        owner,
    )
}

/// How many decisions and tasks an owner has.
pub(super) async fn count_work(conn: &mut Conn, tenant: &TenantId, owner: &str) -> Result<i64> {
    let sql = "SELECT (SELECT COUNT(*) FROM decisions WHERE tenant_id = $1 AND user_id = $2)
         + (SELECT COUNT(*) FROM tasks WHERE tenant_id = $1 AND user_id = $2)";
    Ok(fetch_one!(conn, (i64,), sql, tenant.as_str(), owner)?.0)
}

/// Keeps everybody else from writing to an owner's partitions until the commit.
pub(super) async fn lock_scopes(tx: &mut Tx, tenant: &TenantId, owner: &str) -> Result<u64> {
    execute!(
        tx,
        "UPDATE memory_scopes SET version = version WHERE tenant_id = $1 AND owner IN ($2, '')",
        tenant.as_str(),
        owner,
    )
}

/// Removes an owner's decisions and tasks.
pub(super) async fn remove_work(tx: &mut Tx, tenant: &TenantId, owner: &str) -> Result<()> {
    execute!(tx, "DELETE FROM decisions WHERE tenant_id = $1 AND user_id = $2", tenant.as_str(), owner)?;
    execute!(tx, "DELETE FROM tasks WHERE tenant_id = $1 AND user_id = $2", tenant.as_str(), owner)?;
    Ok(())
}
