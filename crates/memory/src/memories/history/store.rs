//! SQL of what hangs on memories: versions, sources, and facts that must stay gone.

use kernel::{Micros, TenantId};
use sqlx::FromRow;
use store::{Conn, Result, Tx, Value, execute, fetch_all, fetch_by_ids, fetch_optional, insert_many};

use crate::memories::model::{MemorySource, MemoryVersion};
use crate::memories::store::{By, Head};

/// Retires the version before and adds the head's own.
pub(in crate::memories) async fn add_version(
    tx: &mut Tx,
    tenant: &TenantId,
    head: &Head,
    op: &str,
    by: &By,
    now: Micros,
) -> Result<u64> {
    execute!(
        tx,
        "UPDATE memory_versions SET retired_at = $3 WHERE tenant_id = $1 AND memory_id = $2 AND retired_at IS NULL",
        tenant.as_str(),
        &head.memory_id,
        now.0,
    )?;
    execute!(
        tx,
        "INSERT INTO memory_versions (tenant_id, memory_id, version, op, text, fields, recorded_at, actor, edit_id, reason)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        tenant.as_str(),
        &head.memory_id,
        head.version,
        op,
        &head.text,
        head.fields(),
        now.0,
        &by.actor,
        by.edit_id.as_deref(),
        by.reason.as_deref(),
    )
}

/// Adds sources; those it rests on already stay as they are.
pub(in crate::memories) async fn add_sources(
    tx: &mut Tx,
    tenant: &TenantId,
    memory_id: &str,
    sources: &[MemorySource],
) -> Result<u64> {
    let row = |source: &MemorySource| {
        vec![
            tenant.as_str().into(),
            memory_id.into(),
            source.event_id.as_str().into(),
            source.start_byte.into(),
            source.end_byte.into(),
        ]
    };
    insert_many(
        tx,
        "INSERT INTO memory_sources (tenant_id, memory_id, event_id, start_byte, end_byte)",
        "ON CONFLICT (memory_id, event_id) DO NOTHING",
        sources.iter().map(row).collect(),
    )
    .await
}

#[derive(FromRow)]
struct VersionRow {
    version: i64,
    op: String,
    text: String,
    fields: String,
    recorded_at: i64,
    retired_at: Option<i64>,
    actor: String,
    edit_id: Option<String>,
    reason: Option<String>,
}

/// Lists the versions of a memory, first to last.
pub(crate) async fn list_versions(
    conn: &mut Conn,
    tenant: &TenantId,
    memory_id: &str,
) -> Result<Vec<MemoryVersion>> {
    let rows = fetch_all!(
        conn,
        VersionRow,
        "SELECT version, op, text, fields, recorded_at, retired_at, actor, edit_id, reason FROM memory_versions
         WHERE tenant_id = $1 AND memory_id = $2 ORDER BY version",
        tenant.as_str(),
        memory_id,
    )?;
    let mut previous = None;
    let version = |row: VersionRow| MemoryVersion {
        version: row.version,
        op: row.op,
        previous_text: previous.replace(row.text.clone()),
        text: row.text,
        fields: serde_json::from_str(&row.fields).unwrap_or_default(),
        recorded_at: Micros(row.recorded_at),
        retired_at: row.retired_at.map(Micros),
        actor: row.actor,
        edit_id: row.edit_id,
        reason: row.reason,
    };
    Ok(rows.into_iter().map(version).collect())
}

/// Notes that a memory was opened.
pub(in crate::memories) async fn count_use(
    tx: &mut Tx,
    tenant: &TenantId,
    memory_id: &str,
    now: Micros,
) -> Result<u64> {
    execute!(
        tx,
        "UPDATE memories SET use_count = use_count + 1, last_used_at = $3 WHERE tenant_id = $1 AND memory_id = $2",
        tenant.as_str(),
        memory_id,
        now.0,
    )
}

/// Whether a memory of these words, whatever its state, rests on an event.
pub(in crate::memories) async fn rests_on(
    conn: &mut Conn,
    tenant: &TenantId,
    text_hash: &str,
    event_id: &str,
) -> Result<bool> {
    let found = fetch_optional!(
        conn,
        (String,),
        "SELECT m.memory_id FROM memory_sources AS s JOIN memories AS m ON m.memory_id = s.memory_id
         WHERE s.tenant_id = $1 AND s.event_id = $2 AND m.text_hash = $3 LIMIT 1",
        tenant.as_str(),
        event_id,
        text_hash,
    )?;
    Ok(found.is_some())
}

/// Whether an actor has made a version of a memory for this reason.
pub(crate) async fn has_version_for(
    conn: &mut Conn,
    tenant: &TenantId,
    memory_id: &str,
    actor: &str,
    reason: &str,
) -> Result<bool> {
    let found = fetch_optional!(
        conn,
        (i64,),
        "SELECT version FROM memory_versions
         WHERE tenant_id = $1 AND memory_id = $2 AND actor = $3 AND reason = $4 LIMIT 1",
        tenant.as_str(),
        memory_id,
        actor,
        reason,
    )?;
    Ok(found.is_some())
}

/// Lists the events that a memory rests on.
pub(crate) async fn list_sources(
    conn: &mut Conn,
    tenant: &TenantId,
    memory_id: &str,
) -> Result<Vec<MemorySource>> {
    let rows = fetch_all!(
        conn,
        (String, Option<i64>, Option<i64>),
        "SELECT event_id, start_byte, end_byte FROM memory_sources WHERE tenant_id = $1 AND memory_id = $2
         ORDER BY event_id",
        tenant.as_str(),
        memory_id,
    )?;
    let source = |(event_id, start_byte, end_byte)| MemorySource { event_id, start_byte, end_byte };
    Ok(rows.into_iter().map(source).collect())
}

/// Lists the source events of several memories, as memory and event.
pub(crate) async fn list_sources_of(
    conn: &mut Conn,
    tenant: &TenantId,
    memory_ids: &[&str],
) -> Result<Vec<(String, String)>> {
    let head = "SELECT memory_id, event_id FROM memory_sources WHERE tenant_id || '' = $1 AND memory_id IN";
    fetch_by_ids(conn, head, &[Value::from(tenant.as_str())], memory_ids).await
}

/// Keeps a fact from being derived again.
pub(in crate::memories) async fn add_blocked_fact(
    tx: &mut Tx,
    tenant: &TenantId,
    owner: &str,
    fingerprint: &str,
    by: &By,
    now: Micros,
) -> Result<u64> {
    execute!(
        tx,
        "INSERT INTO blocked_facts (tenant_id, user_id, fingerprint, edit_id, recorded_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (tenant_id, user_id, fingerprint) DO NOTHING",
        tenant.as_str(),
        owner,
        fingerprint,
        by.edit_id.as_deref(),
        now.0,
    )
}

/// Lets a fact be derived again.
pub(in crate::memories) async fn remove_blocked_fact(
    tx: &mut Tx,
    tenant: &TenantId,
    owner: &str,
    fingerprint: &str,
) -> Result<u64> {
    execute!(
        tx,
        "DELETE FROM blocked_facts WHERE tenant_id = $1 AND user_id = $2 AND fingerprint = $3",
        tenant.as_str(),
        owner,
        fingerprint,
    )
}

/// Whether a fact must not be derived.
pub(crate) async fn is_blocked(
    conn: &mut Conn,
    tenant: &TenantId,
    owner: &str,
    fingerprint: &str,
) -> Result<bool> {
    let found = fetch_optional!(
        conn,
        (i64,),
        "SELECT recorded_at FROM blocked_facts WHERE tenant_id = $1 AND user_id = $2 AND fingerprint = $3",
        tenant.as_str(),
        owner,
        fingerprint,
    )?;
    Ok(found.is_some())
}
