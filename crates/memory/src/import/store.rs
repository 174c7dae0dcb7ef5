//! SQL of imports: what is there already, and what is written beside the rows themselves.

use kernel::TenantId;
use store::{Conn, Result, Tx, Value, execute, fetch_by_ids, insert_many};

/// Of these ids, those that are the tenant's; of another table for each kind.
pub(super) async fn list_known(
    conn: &mut Conn,
    tenant: &TenantId,
    kind: &str,
    ids: &[&str],
) -> Result<Vec<String>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let head = match kind {
        "event" => "SELECT event_id FROM events WHERE tenant_id = $1 AND event_id IN",
        "memory" => "SELECT memory_id FROM memories WHERE tenant_id = $1 AND memory_id IN",
        "block" => "SELECT block_id FROM blocks WHERE tenant_id = $1 AND block_id IN",
        "decision" => "SELECT decision_id FROM decisions WHERE tenant_id = $1 AND decision_id IN",
        "task" => "SELECT task_id FROM tasks WHERE tenant_id = $1 AND task_id IN",
        "edit" => "SELECT edit_id FROM edits WHERE tenant_id = $1 AND edit_id IN",
        "rule" => "SELECT rule_id FROM rules WHERE tenant_id = $1 AND rule_id IN",
        "capsule" => "SELECT capsule_id FROM capsules WHERE tenant_id = $1 AND capsule_id IN",
        "artifact" => "SELECT artifact_id FROM artifacts WHERE tenant_id = $1 AND artifact_id IN",
        _ => return Ok(Vec::new()),
    };
    let rows: Vec<(String,)> = fetch_by_ids(conn, head, &[tenant.as_str().into()], ids).await?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

/// Owners of events and memories, by id: who rests on one must be its owner.
pub(super) async fn list_owners(
    conn: &mut Conn,
    tenant: &TenantId,
    ids: &[&str],
) -> Result<Vec<(String, String)>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let fixed = [Value::from(tenant.as_str())];
    let events = "SELECT event_id, user_id FROM events WHERE tenant_id = $1 AND event_id IN";
    let memories = "SELECT memory_id, user_id FROM memories WHERE tenant_id = $1 AND memory_id IN";
    let blocks = "SELECT block_id, user_id FROM blocks WHERE tenant_id = $1 AND block_id IN";
    let mut owners: Vec<(String, String)> = fetch_by_ids(conn, events, &fixed, ids).await?;
    owners.extend(fetch_by_ids::<(String, String)>(conn, memories, &fixed, ids).await?);
    owners.extend(fetch_by_ids::<(String, String)>(conn, blocks, &fixed, ids).await?);
    Ok(owners)
}

/// Adds rows of one kind; those that are there stay as they are. A conversation that is there grows to hold
/// what came; [`recount`] counts its events.
pub(super) async fn add_rows(
    tx: &mut Tx,
    kind: &str,
    insert: &'static str,
    rows: Vec<Vec<Value>>,
) -> Result<u64> {
    let tail = match kind {
        "conversation" => {
            "ON CONFLICT (tenant_id, user_id, session_id) DO UPDATE SET
                 last_seq = CASE WHEN excluded.last_seq > memory_sessions.last_seq
                     THEN excluded.last_seq ELSE memory_sessions.last_seq END,
                 first_at = CASE WHEN excluded.first_at < memory_sessions.first_at
                     THEN excluded.first_at ELSE memory_sessions.first_at END,
                 last_at = CASE WHEN excluded.last_at > memory_sessions.last_at
                     THEN excluded.last_at ELSE memory_sessions.last_at END"
        }
        _ => "ON CONFLICT DO NOTHING",
    };
    insert_many(tx, insert, tail, rows).await
}

/// Counts a conversation's events where there are more than it says.
pub(super) async fn recount(tx: &mut Tx, tenant: &TenantId, owner: &str, session: &str) -> Result<u64> {
    execute!(
        tx,
        "UPDATE memory_sessions SET event_count = (
             SELECT COUNT(*) FROM events AS e
             WHERE e.tenant_id = $1 AND e.user_id = $2 AND e.session_id = $3)
         WHERE tenant_id = $1 AND user_id = $2 AND session_id = $3 AND event_count < (
             SELECT COUNT(*) FROM events AS e
             WHERE e.tenant_id = $1 AND e.user_id = $2 AND e.session_id = $3)",
        tenant.as_str(),
        owner,
        session,
    )
}

/// An event whose long text has come: what its chunks need.
#[derive(sqlx::FromRow)]
pub(super) struct LongEvent {
    pub(super) event_id: String,
    pub(super) user_id: String,
    pub(super) kind: String,
    pub(super) channel: String,
    pub(super) sensitivity: String,
    pub(super) content: String,
    pub(super) recalled: bool,
}

/// Reads events by their ids.
pub(super) async fn list_events(conn: &mut Conn, tenant: &TenantId, ids: &[&str]) -> Result<Vec<LongEvent>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let head = "SELECT event_id, user_id, kind, channel, sensitivity, content, recalled FROM events
         WHERE tenant_id = $1 AND event_id IN";
    fetch_by_ids(conn, head, &[tenant.as_str().into()], ids).await
}

/// Adds the chunks of one event under the version that its partition has now.
pub(super) async fn add_chunks(
    tx: &mut Tx,
    tenant: &TenantId,
    event_id: &str,
    (scope_id, version): &(String, i64),
    tier: &str,
    chunks: &[crate::events::PreparedChunk],
) -> Result<u64> {
    let row = |(ordinal, chunk): (usize, &crate::events::PreparedChunk)| {
        vec![
            tenant.as_str().into(),
            chunk.chunk_id.as_str().into(),
            event_id.into(),
            scope_id.as_str().into(),
            (*version).into(),
            (ordinal as i64).into(),
            (chunk.start as i64).into(),
            (chunk.end as i64).into(),
            (chunk.token_est as i64).into(),
            0.5_f64.into(),
            tier.into(),
            false.into(),
            "".into(),
            chunk.text.clone().into(),
        ]
    };
    insert_many(
        tx,
        "INSERT INTO chunks (tenant_id, chunk_id, event_id, scope_id, scope_version, ordinal, start_byte, end_byte,
             token_est, importance, sensitivity, excluded, key_text, text)",
        "",
        chunks.iter().enumerate().map(row).collect(),
    )
    .await
}
