//! SQL of recall: versions of scopes, what changed in them, token codes of candidates, and the winners' events.

use kernel::{Micros, TenantId};
use sqlx::FromRow;
use store::{Conn, Result, Value, fetch_all, fetch_by_ids, fetch_joined, fetch_optional};

use super::policy::Partition;
use crate::events::{Channel, Sensitivity};
use crate::rights::{memory_not_erased, not_erased};
use crate::timeline::store::{StoredEvent, event_columns};

/// Puts a partition's columns together; `None` for words of a newer version.
pub(crate) fn partition(home: &str, owner: String, tier: &str) -> Option<Partition> {
    Some(Partition { home: Channel::parse(home)?, owner, tier: Sensitivity::parse(tier)? })
}

/// A scope and how far it has come.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct ScopeRow {
    pub(crate) scope_id: String,
    pub(crate) home: String,
    pub(crate) owner: String,
    pub(crate) tier: String,
    pub(crate) version: i64,
    pub(crate) rebuild_version: i64,
}

/// Lists the scopes of an owner and those shared by the tenant.
pub(crate) async fn list_scopes(conn: &mut Conn, tenant: &TenantId, owner: &str) -> Result<Vec<ScopeRow>> {
    fetch_all!(
        conn,
        ScopeRow,
        "SELECT scope_id, home, owner, tier, version, rebuild_version FROM memory_scopes
         WHERE tenant_id = $1 AND owner IN ($2, '')
         ORDER BY scope_id",
        tenant.as_str(),
        owner,
    )
}

/// A chunk as the index wants it.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct IndexRow {
    pub(crate) chunk_id: String,
    pub(crate) scope_version: i64,
    pub(crate) start_byte: i64,
    pub(crate) end_byte: i64,
    pub(crate) text: Option<String>,
    pub(crate) excluded: bool,
    pub(crate) expires_at: Option<i64>,
    pub(crate) session_id: String,
    pub(crate) seq: i64,
    pub(crate) agent_id: Option<String>,
    pub(crate) kind: String,
    pub(crate) actor_id: String,
    pub(crate) actor_name: Option<String>,
    pub(crate) occurred_at: i64,
    pub(crate) tags: String,
    pub(crate) content: String,
}

/// Where a page of changes begins and ends.
#[derive(Clone, Debug)]
pub(crate) struct Changes<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) scope_id: &'a str,
    /// After this version and, within it, this chunk.
    pub(crate) after: (i64, String),
    /// Up to this version.
    pub(crate) up_to: i64,
    pub(crate) limit: i64,
}

/// Lists chunks that changed, in the order of their versions.
pub(crate) async fn list_changed_chunks(conn: &mut Conn, changes: &Changes<'_>) -> Result<Vec<IndexRow>> {
    fetch_all!(
        conn,
        IndexRow,
        concat!(
            "SELECT c.chunk_id, c.scope_version, c.start_byte, c.end_byte, c.text, c.excluded, e.expires_at,
                 e.session_id, e.seq, e.agent_id, e.kind, e.actor_id, e.actor_name, e.occurred_at, e.tags, e.content
             FROM chunks AS c JOIN events AS e ON e.event_id = c.event_id
             WHERE c.tenant_id = $1 AND c.scope_id = $2 AND c.scope_version <= $3
             AND (c.scope_version > $4 OR (c.scope_version = $4 AND c.chunk_id > $5)) AND ",
            not_erased!(),
            " ORDER BY c.scope_version, c.chunk_id LIMIT $6"
        ),
        changes.tenant.as_str(),
        changes.scope_id,
        changes.up_to,
        changes.after.0,
        changes.after.1.as_str(),
        changes.limit,
    )
}

/// A memory as the index wants it.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct MemoryIndexRow {
    pub(crate) memory_id: String,
    pub(crate) scope_version: i64,
    pub(crate) text: String,
    pub(crate) subject: Option<String>,
    pub(crate) agent_id: Option<String>,
    pub(crate) valid_from: i64,
    pub(crate) expires_at: Option<i64>,
    pub(crate) is_closed: bool,
    pub(crate) state: String,
    pub(crate) tags: String,
}

/// Lists memories that changed, in the order of their versions.
pub(crate) async fn list_changed_memories(
    conn: &mut Conn,
    changes: &Changes<'_>,
) -> Result<Vec<MemoryIndexRow>> {
    fetch_all!(
        conn,
        MemoryIndexRow,
        concat!(
            "SELECT m.memory_id, m.scope_version, m.text, m.subject, m.agent_id, m.valid_from, m.expires_at, m.state,
                 m.tags, m.valid_to IS NOT NULL OR m.superseded_by IS NOT NULL AS is_closed
             FROM memories AS m
             WHERE m.tenant_id = $1 AND m.scope_id = $2 AND m.scope_version <= $3
             AND (m.scope_version > $4 OR (m.scope_version = $4 AND m.memory_id > $5)) AND ",
            memory_not_erased!(),
            " ORDER BY m.scope_version, m.memory_id LIMIT $6"
        ),
        changes.tenant.as_str(),
        changes.scope_id,
        changes.up_to,
        changes.after.0,
        changes.after.1.as_str(),
        changes.limit,
    )
}

/// A sentence vector as stored.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct VectorRow {
    pub(crate) owner_id: String,
    pub(crate) scope_version: i64,
    pub(crate) scale: f64,
    pub(crate) bytes: Vec<u8>,
}

/// Lists sentence vectors of one model that were added.
pub(crate) async fn list_changed_vectors(
    conn: &mut Conn,
    changes: &Changes<'_>,
    model: &str,
) -> Result<Vec<VectorRow>> {
    fetch_all!(
        conn,
        VectorRow,
        "SELECT owner_id, scope_version, scale, bytes FROM vectors
         WHERE tenant_id = $1 AND scope_id = $2 AND model = $3 AND scope_version <= $4
         AND (scope_version > $5 OR (scope_version = $5 AND owner_id > $6))
         ORDER BY scope_version, owner_id LIMIT $7",
        changes.tenant.as_str(),
        changes.scope_id,
        model,
        changes.up_to,
        changes.after.0,
        changes.after.1.as_str(),
        changes.limit,
    )
}

/// Reads the sentence vectors of chunks, see [`list_token_codes`].
pub(crate) async fn list_sentence_vectors(
    conn: &mut Conn,
    tenant: &TenantId,
    model: &str,
    chunk_ids: &[&str],
) -> Result<Vec<VectorRow>> {
    let fixed = [Value::from(tenant.as_str()), Value::from(model)];
    let head = "SELECT owner_id, scope_version, scale, bytes FROM vectors
         WHERE tenant_id || '' = $1 AND model = $2 AND owner_id IN";
    fetch_by_ids(conn, head, &fixed, chunk_ids).await
}

/// Reads the token codes of chunks. As in all reads by a list of ids the tenant is compared as an expression: SQLite would
/// otherwise walk an index that begins with the tenant, which is every row, instead of looking the ids up.
pub(crate) async fn list_token_codes(
    conn: &mut Conn,
    tenant: &TenantId,
    model: &str,
    chunk_ids: &[&str],
) -> Result<Vec<(String, Vec<u8>)>> {
    let fixed = [Value::from(tenant.as_str()), Value::from(model)];
    let head =
        "SELECT owner_id, token_codes FROM vectors WHERE tenant_id || '' = $1 AND model = $2 AND owner_id IN";
    fetch_by_ids(conn, head, &fixed, chunk_ids).await
}

/// A chunk and where its event is.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct ChunkRow {
    pub(crate) chunk_id: String,
    pub(crate) event_id: String,
    pub(crate) start_byte: i64,
    pub(crate) end_byte: i64,
    pub(crate) token_est: i64,
    pub(crate) importance: f64,
    pub(crate) text: Option<String>,
}

/// Reads chunks by id.
pub(crate) async fn list_chunks(
    conn: &mut Conn,
    tenant: &TenantId,
    chunk_ids: &[&str],
) -> Result<Vec<ChunkRow>> {
    let head = "SELECT chunk_id, event_id, start_byte, end_byte, token_est, importance, text FROM chunks
         WHERE tenant_id || '' = $1 AND chunk_id IN";
    fetch_by_ids(conn, head, &[Value::from(tenant.as_str())], chunk_ids).await
}

/// Reads events by id that are neither expired nor being erased.
pub(crate) async fn list_events_by_id(
    conn: &mut Conn,
    tenant: &TenantId,
    event_ids: &[&str],
    now: Micros,
) -> Result<Vec<StoredEvent>> {
    let head = concat!(
        "SELECT ",
        event_columns!(),
        " FROM events AS e WHERE e.tenant_id || '' = $1 AND (e.expires_at IS NULL OR e.expires_at > $2) AND ",
        not_erased!(),
        " AND e.event_id IN"
    );
    fetch_by_ids(conn, head, &[Value::from(tenant.as_str()), Value::from(now.0)], event_ids).await
}

/// Lists the turns at most `reach` before and after each of `places` (owner, session, sequence number), those among them.
pub(crate) async fn list_turns_near(
    conn: &mut Conn,
    tenant: &TenantId,
    places: &[(&str, &str, i64)],
    reach: i64,
    now: Micros,
) -> Result<Vec<StoredEvent>> {
    let head = concat!("SELECT ", event_columns!(), " FROM (");
    let tail = concat!(
        ") AS w JOIN events AS e
         ON e.tenant_id = w.column1 AND e.user_id = w.column2 AND e.session_id = w.column3
         AND e.seq BETWEEN w.column4 AND w.column5
         WHERE NOT e.recalled AND (e.expires_at IS NULL OR e.expires_at > w.column6) AND ",
        not_erased!()
    );
    let near = |(user, session, seq): &(&str, &str, i64)| {
        vec![
            Value::from(tenant.as_str()),
            Value::from(*user),
            Value::from(*session),
            Value::from(seq - reach),
            Value::from(seq + reach),
            Value::from(now.0),
        ]
    };
    fetch_joined(conn, head, tail, places.iter().map(near).collect()).await
}

/// An artifact's bytes and whose they are.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct ArtifactRow {
    pub(crate) event_id: String,
    pub(crate) blob_key: String,
}

/// Finds an artifact.
pub(crate) async fn find_artifact(
    conn: &mut Conn,
    tenant: &TenantId,
    artifact_id: &str,
) -> Result<Option<ArtifactRow>> {
    fetch_optional!(
        conn,
        ArtifactRow,
        "SELECT event_id, blob_key FROM artifacts WHERE tenant_id = $1 AND artifact_id = $2",
        tenant.as_str(),
        artifact_id,
    )
}
