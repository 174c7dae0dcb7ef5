//! SQL of derivation: what was not read yet, how far a reader has come, and what is known already.

use kernel::{Micros, TenantId};
use serde_json::{Map, Value as Json};
use sqlx::FromRow;
use store::{Conn, Result, Tx, Value, execute, fetch_all, fetch_by_ids, fetch_optional};

use crate::events::EventKind;
use crate::rights::not_erased;
use crate::text::indexed_text;

/// The last chunk of a scope that a reader has read.
#[derive(Clone, Debug, Default, PartialEq, Eq, FromRow)]
pub(in crate::derive) struct Progress {
    pub(in crate::derive) scope_version: i64,
    pub(in crate::derive) chunk_id: String,
}

pub(in crate::derive) async fn find_progress(
    conn: &mut Conn,
    scope_id: &str,
    reader: &str,
) -> Result<Progress> {
    let found = fetch_optional!(
        conn,
        Progress,
        "SELECT scope_version, chunk_id FROM derive_progress WHERE scope_id = $1 AND reader = $2",
        scope_id,
        reader,
    )?;
    Ok(found.unwrap_or_default())
}

/// Locks a scope and moves its reader on; false when another has moved it meanwhile.
pub(in crate::derive) async fn advance(
    tx: &mut Tx,
    tenant: &TenantId,
    scope_id: &str,
    reader: &str,
    from: &Progress,
    to: &Progress,
) -> Result<bool> {
    let locked = execute!(
        tx,
        "UPDATE memory_scopes SET version = version WHERE tenant_id = $1 AND scope_id = $2",
        tenant.as_str(),
        scope_id,
    )?;
    if locked == 0 || find_progress(tx, scope_id, reader).await? != *from {
        return Ok(false);
    }
    execute!(
        tx,
        "INSERT INTO derive_progress (tenant_id, scope_id, reader, scope_version, chunk_id) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (scope_id, reader) DO UPDATE SET scope_version = excluded.scope_version, chunk_id = excluded.chunk_id",
        tenant.as_str(),
        scope_id,
        reader,
        to.scope_version,
        to.chunk_id.as_str(),
    )?;
    Ok(true)
}

/// A chunk to read, with the event it belongs to. Withheld parts of a secret event have no chunk, and neither has what came
/// out of memory.
#[derive(Clone, Debug, FromRow)]
pub(in crate::derive) struct Unread {
    pub(in crate::derive) chunk_id: String,
    pub(in crate::derive) scope_version: i64,
    pub(in crate::derive) event_id: String,
    pub(in crate::derive) start_byte: i64,
    end_byte: i64,
    text: Option<String>,
    /// Of the chunk, which may lie lower than that of its event.
    pub(in crate::derive) sensitivity: String,
    kind: String,
    content: String,
    pub(in crate::derive) user_id: String,
    pub(in crate::derive) agent_id: Option<String>,
    pub(in crate::derive) session_id: String,
    pub(in crate::derive) channel: String,
    pub(in crate::derive) actor_type: String,
    pub(in crate::derive) actor_id: String,
    pub(in crate::derive) actor_name: Option<String>,
    pub(in crate::derive) occurred_at: i64,
    pub(in crate::derive) expires_at: Option<i64>,
    pub(in crate::derive) trust: String,
    excluded: bool,
}

impl Unread {
    /// The words of the chunk, if it is something said.
    pub(in crate::derive) fn words(&self) -> Option<String> {
        let kind = EventKind::parse(&self.kind)
            .filter(|kind| matches!(kind, EventKind::Message | EventKind::Note) && !self.excluded)?;
        let content: Map<String, Json> = serde_json::from_str(&self.content).unwrap_or_default();
        let of_event = || {
            let whole = indexed_text(kind, &content);
            whole.get(self.start_byte as usize..self.end_byte as usize).map(str::to_owned)
        };
        self.text.clone().or_else(of_event)
    }

    /// Bytes of the words.
    pub(in crate::derive) fn length(&self) -> usize {
        usize::try_from(self.end_byte - self.start_byte).unwrap_or_default()
    }

    pub(in crate::derive) fn speaker(&self) -> &str {
        self.actor_name.as_deref().unwrap_or(&self.actor_id)
    }
}

/// Lists chunks after `progress`.
pub(in crate::derive) async fn list_unread(
    conn: &mut Conn,
    tenant: &TenantId,
    scope_id: &str,
    progress: &Progress,
    limit: i64,
) -> Result<Vec<Unread>> {
    fetch_all!(
        conn,
        Unread,
        "SELECT c.chunk_id, c.scope_version, c.event_id, c.start_byte, c.end_byte, c.text, c.sensitivity, c.excluded,
             e.kind, e.content, e.user_id, e.agent_id, e.session_id, e.channel, e.actor_type, e.actor_id, e.actor_name,
             e.occurred_at, e.expires_at, e.trust
         FROM chunks AS c JOIN events AS e ON e.event_id = c.event_id
         WHERE c.tenant_id = $1 AND c.scope_id = $2
         AND (c.scope_version > $3 OR (c.scope_version = $3 AND c.chunk_id > $4))
         ORDER BY c.scope_version, c.chunk_id LIMIT $5",
        tenant.as_str(),
        scope_id,
        progress.scope_version,
        progress.chunk_id.as_str(),
        limit,
    )
}

/// Which of these events are there, have not expired and are not being erased.
pub(in crate::derive) async fn list_standing(
    conn: &mut Conn,
    tenant: &TenantId,
    ids: &[&str],
    now: Micros,
) -> Result<Vec<String>> {
    let head = concat!(
        "SELECT e.event_id FROM events AS e
         WHERE e.tenant_id || '' = $1 AND (e.expires_at IS NULL OR e.expires_at > $2) AND NOT e.recalled AND ",
        not_erased!(),
        " AND e.event_id IN"
    );
    let rows: Vec<(String,)> =
        fetch_by_ids(conn, head, &[Value::from(tenant.as_str()), Value::from(now.0)], ids).await?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

/// Words of the owner's newest live memories, to tell when an assistant only repeats one.
pub(in crate::derive) async fn list_known_words(
    conn: &mut Conn,
    tenant: &TenantId,
    owner: &str,
    limit: i64,
) -> Result<Vec<String>> {
    let rows = fetch_all!(
        conn,
        (String,),
        "SELECT text FROM memories WHERE tenant_id = $1 AND user_id = $2 AND state IN ('active', 'quarantined')
         ORDER BY recorded_at DESC, memory_id DESC LIMIT $3",
        tenant.as_str(),
        owner,
        limit,
    )?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

/// Words of what was recalled into a conversation, newest first.
pub(in crate::derive) async fn list_recalled(
    conn: &mut Conn,
    tenant: &TenantId,
    owner: &str,
    session_id: &str,
    limit: i64,
) -> Result<Vec<String>> {
    let rows = fetch_all!(
        conn,
        (String, String),
        "SELECT kind, content FROM events WHERE tenant_id = $1 AND user_id = $2 AND session_id = $3 AND recalled
         ORDER BY seq DESC LIMIT $4",
        tenant.as_str(),
        owner,
        session_id,
        limit,
    )?;
    let words = |(kind, content): (String, String)| {
        Some(indexed_text(EventKind::parse(&kind)?, &serde_json::from_str(&content).ok()?))
    };
    Ok(rows.into_iter().filter_map(words).collect())
}

/// A live memory that may say the same as a new one in other words.
#[derive(Clone, Debug, FromRow)]
pub(in crate::derive) struct Neighbour {
    pub(in crate::derive) memory_id: String,
    pub(in crate::derive) r#type: String,
    pub(in crate::derive) text: String,
    pub(in crate::derive) scale: f64,
    pub(in crate::derive) bytes: Vec<u8>,
}

/// Lists the newest live memories of a scope that have a vector and no subject.
pub(in crate::derive) async fn list_neighbours(
    conn: &mut Conn,
    tenant: &TenantId,
    scope_id: &str,
    model: &str,
    limit: i64,
) -> Result<Vec<Neighbour>> {
    fetch_all!(
        conn,
        Neighbour,
        "SELECT m.memory_id, m.type, m.text, v.scale, v.bytes FROM memories AS m
         JOIN vectors AS v ON v.owner_id = m.memory_id AND v.model = $3 AND v.text_hash = m.text_hash
         WHERE m.tenant_id = $1 AND m.scope_id = $2 AND m.state = 'active' AND m.valid_to IS NULL AND m.subject IS NULL
         ORDER BY m.recorded_at DESC, m.memory_id DESC LIMIT $4",
        tenant.as_str(),
        scope_id,
        model,
        limit,
    )
}

/// Tokens that a tenant's conversations have cost on a day.
pub(in crate::derive) async fn find_usage(conn: &mut Conn, tenant: &TenantId, day: &str) -> Result<i64> {
    let found = fetch_optional!(
        conn,
        (i64,),
        "SELECT tokens FROM model_usage WHERE tenant_id = $1 AND day = $2",
        tenant.as_str(),
        day,
    )?;
    Ok(found.map_or(0, |row| row.0))
}

/// Adds to them.
pub(in crate::derive) async fn add_usage(
    tx: &mut Tx,
    tenant: &TenantId,
    day: &str,
    tokens: i64,
) -> Result<u64> {
    execute!(
        tx,
        "INSERT INTO model_usage (tenant_id, day, tokens) VALUES ($1, $2, $3)
         ON CONFLICT (tenant_id, day) DO UPDATE SET tokens = model_usage.tokens + excluded.tokens",
        tenant.as_str(),
        day,
        tokens,
    )
}

/// Lists scopes with chunks after their reader's progress, as tenant and scope.
pub(in crate::derive) async fn list_lagging_scopes(
    conn: &mut Conn,
    reader: &str,
) -> Result<Vec<(String, String)>> {
    fetch_all!(
        conn,
        (String, String),
        "SELECT s.tenant_id, s.scope_id FROM memory_scopes AS s
         LEFT JOIN derive_progress AS p ON p.scope_id = s.scope_id AND p.reader = $1
         WHERE EXISTS (SELECT 1 FROM chunks AS c WHERE c.scope_id = s.scope_id
             AND (p.scope_id IS NULL OR c.scope_version > p.scope_version
                 OR (c.scope_version = p.scope_version AND c.chunk_id > p.chunk_id)))",
        reader,
    )
}
