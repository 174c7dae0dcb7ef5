//! SQL of reading back what was recorded.

use kernel::{Ctx, Micros, PageRequest, TenantId};
use sqlx::FromRow;
use store::{Conn, Result, fetch_all, fetch_one, fetch_optional};

use crate::events::{Event, SessionSummary};
use crate::rights::not_erased;

/// An event as it lies in its row.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct StoredEvent {
    pub(crate) tenant_id: String,
    pub(crate) event_id: String,
    pub(crate) user_id: String,
    pub(crate) agent_id: Option<String>,
    pub(crate) session_id: String,
    pub(crate) seq: i64,
    pub(crate) kind: String,
    pub(crate) channel: String,
    pub(crate) sensitivity: String,
    pub(crate) actor_type: String,
    pub(crate) actor_id: String,
    pub(crate) actor_name: Option<String>,
    pub(crate) occurred_at: i64,
    pub(crate) recorded_at: i64,
    pub(crate) tags: String,
    pub(crate) content: String,
    pub(crate) refs: String,
    pub(crate) token_est: i64,
    pub(crate) trust: String,
    pub(crate) artifact_id: Option<String>,
    pub(crate) client_event_id: Option<String>,
}

impl From<StoredEvent> for Event {
    fn from(row: StoredEvent) -> Self {
        let content: serde_json::Value = serde_json::from_str(&row.content).unwrap_or_default();
        Self {
            event_id: row.event_id,
            ts: Micros(row.occurred_at),
            recorded_at: Micros(row.recorded_at),
            tenant_id: row.tenant_id,
            user_id: row.user_id,
            agent_id: row.agent_id,
            session_id: row.session_id,
            seq: row.seq,
            channel: row.channel,
            sensitivity: row.sensitivity,
            kind: row.kind,
            actor_type: row.actor_type,
            actor_id: row.actor_id,
            actor_name: row.actor_name,
            tags: serde_json::from_str(&row.tags).unwrap_or_default(),
            refs: serde_json::from_str(&row.refs).unwrap_or_default(),
            token_est: row.token_est,
            truncated: content.get("truncated") == Some(&true.into()),
            content,
            artifact_id: row.artifact_id,
            client_event_id: row.client_event_id,
            trust: row.trust,
        }
    }
}

/// The columns of [`StoredEvent`] from `events AS e`.
macro_rules! event_columns {
    () => {
        "e.tenant_id, e.event_id, e.user_id, e.agent_id, e.session_id, e.seq, e.kind, e.channel, e.sensitivity, \
         e.actor_type, e.actor_id, e.actor_name, e.occurred_at, e.recorded_at, e.tags, e.content, e.refs, \
         e.token_est, e.trust, e.artifact_id, e.client_event_id"
    };
}
pub(crate) use event_columns;

/// Finds one event. What expired or is being erased is gone at once, whether or not it was removed yet.
pub(crate) async fn find_event(
    conn: &mut Conn,
    tenant: &TenantId,
    event_id: &str,
    now: Micros,
) -> Result<Option<StoredEvent>> {
    fetch_optional!(
        conn,
        StoredEvent,
        concat!(
            "SELECT ",
            event_columns!(),
            " FROM events AS e WHERE e.tenant_id = $1 AND e.event_id = $2
              AND (e.expires_at IS NULL OR e.expires_at > $3) AND ",
            not_erased!()
        ),
        tenant.as_str(),
        event_id,
        now.0,
    )
}

/// Which events a list holds; empty means any.
#[derive(Clone, Debug, Default)]
pub(crate) struct EventFilter {
    pub(crate) session: Option<String>,
    pub(crate) agent: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) after: Option<Micros>,
    pub(crate) before: Option<Micros>,
}

/// Lists an owner's events, latest first; `from` is the last row of the page before.
pub(crate) async fn list_events(
    conn: &mut Conn,
    ctx: &Ctx,
    owner: &str,
    filter: &EventFilter,
    limit: u32,
    from: Option<(i64, String)>,
    now: Micros,
) -> Result<Vec<StoredEvent>> {
    let (at, id) = from.unwrap_or((i64::MAX, String::new()));
    fetch_all!(
        conn,
        StoredEvent,
        concat!(
            "SELECT ",
            event_columns!(),
            " FROM events AS e
              WHERE e.tenant_id = $1 AND e.user_id = $2
              AND (e.occurred_at < $3 OR (e.occurred_at = $3 AND e.event_id < $4))
              AND ($5 IS NULL OR e.session_id = $5) AND ($6 IS NULL OR e.agent_id = $6) AND ($7 IS NULL OR e.kind = $7)
              AND e.occurred_at >= $8 AND e.occurred_at < $9
              AND (e.expires_at IS NULL OR e.expires_at > $10) AND ",
            not_erased!(),
            " ORDER BY e.occurred_at DESC, e.event_id DESC LIMIT $11"
        ),
        ctx.tenant.as_str(),
        owner,
        at,
        id,
        filter.session.clone(),
        filter.agent.clone(),
        filter.kind.clone(),
        filter.after.map_or(i64::MIN, |at| at.0),
        filter.before.map_or(i64::MAX, |at| at.0),
        now.0,
        i64::from(limit),
    )
}

/// Lists the latest events of one session, latest first, from before sequence number `before`.
pub(crate) async fn list_session_events(
    conn: &mut Conn,
    ctx: &Ctx,
    owner: &str,
    session: &str,
    before: i64,
    limit: i64,
    now: Micros,
) -> Result<Vec<StoredEvent>> {
    fetch_all!(
        conn,
        StoredEvent,
        concat!(
            "SELECT ",
            event_columns!(),
            " FROM events AS e
              WHERE e.tenant_id = $1 AND e.user_id = $2 AND e.session_id = $3 AND e.seq < $4
              AND (e.expires_at IS NULL OR e.expires_at > $5) AND ",
            not_erased!(),
            " ORDER BY e.seq DESC LIMIT $6"
        ),
        ctx.tenant.as_str(),
        owner,
        session,
        before,
        now.0,
        limit,
    )
}

#[derive(FromRow)]
struct SessionListRow {
    session_id: String,
    user_id: String,
    event_count: i64,
    first_at: i64,
    last_at: i64,
}

/// Lists an owner's conversations, latest first.
pub(crate) async fn list_sessions(
    conn: &mut Conn,
    tenant: &TenantId,
    owner: &str,
    page: &PageRequest,
    from: Option<(i64, String)>,
) -> Result<Vec<SessionSummary>> {
    let (at, id) = from.unwrap_or((i64::MAX, String::new()));
    let rows = fetch_all!(
        conn,
        SessionListRow,
        concat!(
            "SELECT e.session_id, e.user_id, e.event_count, e.first_at, e.last_at FROM memory_sessions AS e
             WHERE e.tenant_id = $1 AND e.user_id = $2
             AND (e.last_at < $3 OR (e.last_at = $3 AND e.session_id < $4)) AND ",
            not_erased!(),
            " ORDER BY e.last_at DESC, e.session_id DESC LIMIT $5"
        ),
        tenant.as_str(),
        owner,
        at,
        id,
        i64::from(page.limit) + 1,
    )?;
    let summary = |r: SessionListRow| SessionSummary {
        session_id: r.session_id,
        user_id: r.user_id,
        event_count: r.event_count,
        first_at: Micros(r.first_at),
        last_at: Micros(r.last_at),
    };
    Ok(rows.into_iter().map(summary).collect())
}

/// What an owner's memory holds.
#[derive(Clone, Copy, Debug, FromRow)]
pub(crate) struct Counts {
    pub(crate) events: i64,
    pub(crate) sessions: i64,
}

/// Counts an owner's events and sessions.
pub(crate) async fn count_memory(conn: &mut Conn, tenant: &TenantId, owner: &str) -> Result<Counts> {
    fetch_one!(
        conn,
        Counts,
        concat!(
            "SELECT CAST(COALESCE(SUM(e.event_count), 0) AS BIGINT) AS events, COUNT(*) AS sessions
             FROM memory_sessions AS e WHERE e.tenant_id = $1 AND e.user_id = $2 AND ",
            not_erased!()
        ),
        tenant.as_str(),
        owner,
    )
}
