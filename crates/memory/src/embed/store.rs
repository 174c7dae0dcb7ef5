//! SQL of vectors: what lacks one, how far a scope has come, and what there is.

use std::collections::HashSet;

use kernel::TenantId;
use serde_json::{Map, Value as Json};
use sqlx::FromRow;
use store::{
    Conn, Result, Tx, Value, execute, fetch_all, fetch_by_ids, fetch_one, fetch_optional, insert_many,
};

use crate::events::EventKind;
use crate::rights::{memory_not_erased, not_erased};
use crate::text::{extra_text, indexed_text};

/// The last chunk of a scope that has its vector.
#[derive(Clone, Debug, Default, FromRow)]
pub(super) struct Progress {
    pub(super) scope_version: i64,
    pub(super) chunk_id: String,
}

pub(super) async fn find_progress(conn: &mut Conn, scope_id: &str, model: &str) -> Result<Progress> {
    let found = fetch_optional!(
        conn,
        Progress,
        "SELECT scope_version, chunk_id FROM vector_progress WHERE scope_id = $1 AND model = $2",
        scope_id,
        model,
    )?;
    Ok(found.unwrap_or_default())
}

/// A chunk without a vector, and the turn before it in the same partition.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Unembedded {
    pub(super) chunk_id: String,
    pub(super) scope_version: i64,
    start_byte: i64,
    end_byte: i64,
    text: Option<String>,
    kind: String,
    content: String,
    actor_id: String,
    actor_name: Option<String>,
    previous_kind: Option<String>,
    previous_content: Option<String>,
}

impl Unembedded {
    /// The chunk and, on one line with it, what an image shows and was searched by.
    pub(super) fn embedded_text(&self) -> String {
        let content: Map<String, Json> = serde_json::from_str(&self.content).unwrap_or_default();
        let whole = || text_of(&self.kind, &content);
        let text = self.text.clone().unwrap_or_else(|| {
            whole().get(self.start_byte as usize..self.end_byte as usize).unwrap_or_default().to_owned()
        });
        std::iter::once(text.as_str()).chain(extra_text(&content)).collect::<Vec<_>>().join(" ")
    }

    pub(super) fn speaker(&self) -> &str {
        self.actor_name.as_deref().unwrap_or(&self.actor_id)
    }

    /// The words of the turn before.
    pub(super) fn previous_text(&self) -> Option<String> {
        let content = serde_json::from_str(self.previous_content.as_deref()?).unwrap_or_default();
        Some(text_of(self.previous_kind.as_deref()?, &content))
    }
}

fn text_of(kind: &str, content: &Map<String, Json>) -> String {
    EventKind::parse(kind).map(|kind| indexed_text(kind, content)).unwrap_or_default()
}

/// Lists chunks after `progress`. The turn before a chunk counts only if it lies in the same partition: a vector must
/// not carry what its readers may not read.
pub(super) async fn list_unembedded(
    conn: &mut Conn,
    tenant: &TenantId,
    scope_id: &str,
    progress: &Progress,
    limit: i64,
) -> Result<Vec<Unembedded>> {
    fetch_all!(
        conn,
        Unembedded,
        "SELECT c.chunk_id, c.scope_version, c.start_byte, c.end_byte, c.text, e.kind, e.content, e.actor_id, e.actor_name,
             p.kind AS previous_kind, p.content AS previous_content
         FROM chunks AS c
         JOIN events AS e ON e.event_id = c.event_id
         LEFT JOIN events AS p ON p.tenant_id = e.tenant_id AND p.user_id = e.user_id AND p.session_id = e.session_id
             AND p.seq = e.seq - 1 AND p.channel = e.channel AND p.sensitivity = e.sensitivity AND NOT p.recalled
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

/// A memory without a vector of its present words.
#[derive(Clone, Debug, FromRow)]
pub(super) struct UnembeddedMemory {
    pub(super) memory_id: String,
    pub(super) text: String,
    pub(super) text_hash: String,
}

/// Lists memories of a scope that take part in recall and lack a vector.
pub(super) async fn list_unembedded_memories(
    conn: &mut Conn,
    tenant: &TenantId,
    scope_id: &str,
    model: &str,
    limit: i64,
) -> Result<Vec<UnembeddedMemory>> {
    fetch_all!(
        conn,
        UnembeddedMemory,
        "SELECT m.memory_id, m.text, m.text_hash FROM memories AS m
         LEFT JOIN vectors AS v ON v.owner_id = m.memory_id AND v.model = $3
         WHERE m.tenant_id = $1 AND m.scope_id = $2 AND m.state IN ('active', 'quarantined')
         AND (v.owner_id IS NULL OR v.text_hash <> m.text_hash)
         ORDER BY m.memory_id LIMIT $4",
        tenant.as_str(),
        scope_id,
        model,
        limit,
    )
}

/// A vector to keep.
pub(super) struct NewVector {
    /// Chunk or memory.
    pub(super) owner_id: String,
    pub(super) dim: i64,
    pub(super) scale: f64,
    pub(super) bytes: Vec<u8>,
    pub(super) token_codes: Vec<u8>,
    pub(super) text_hash: String,
}

/// Adds vectors under a new version of their scope, and remembers how far the scope has come.
pub(super) async fn add_vectors(
    tx: &mut Tx,
    tenant: &TenantId,
    scope_id: &str,
    model: &str,
    vectors: Vec<NewVector>,
    progress: &Progress,
) -> Result<()> {
    let (version,) = fetch_one!(
        tx,
        (i64,),
        "UPDATE memory_scopes SET version = version + 1 WHERE tenant_id = $1 AND scope_id = $2 RETURNING version",
        tenant.as_str(),
        scope_id,
    )?;
    // The scope is locked now: what an erasure has taken since these chunks were read is seen here.
    let ids: Vec<&str> = vectors.iter().map(|vector| vector.owner_id.as_str()).collect();
    let standing = list_standing(tx, tenant, &ids).await?;
    let vectors = vectors.into_iter().filter(|vector| standing.contains(&vector.owner_id));
    let values = vectors.map(|vector| {
        vec![
            tenant.as_str().into(),
            vector.owner_id.into(),
            model.into(),
            scope_id.into(),
            version.into(),
            vector.dim.into(),
            vector.scale.into(),
            vector.text_hash.into(),
            vector.bytes.into(),
            vector.token_codes.into(),
        ]
    });
    insert_many(
        tx,
        "INSERT INTO vectors (tenant_id, owner_id, model, scope_id, scope_version, dim, scale, text_hash, bytes,
             token_codes)",
        "ON CONFLICT (owner_id, model) DO UPDATE SET scope_version = excluded.scope_version, dim = excluded.dim,
             scale = excluded.scale, text_hash = excluded.text_hash, bytes = excluded.bytes,
             token_codes = excluded.token_codes",
        values.collect(),
    )
    .await?;
    execute!(
        tx,
        "INSERT INTO vector_progress (tenant_id, scope_id, model, scope_version, chunk_id) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (scope_id, model) DO UPDATE SET scope_version = excluded.scope_version, chunk_id = excluded.chunk_id",
        tenant.as_str(),
        scope_id,
        model,
        progress.scope_version,
        progress.chunk_id.as_str(),
    )?;
    Ok(())
}

/// Which of these chunks and memories are still there and not being erased.
async fn list_standing(conn: &mut Conn, tenant: &TenantId, ids: &[&str]) -> Result<HashSet<String>> {
    let chunks = concat!(
        "SELECT c.chunk_id FROM chunks AS c JOIN events AS e ON e.event_id = c.event_id
         WHERE c.tenant_id || '' = $1 AND ",
        not_erased!(),
        " AND c.chunk_id IN"
    );
    let memories = concat!(
        "SELECT m.memory_id FROM memories AS m WHERE m.tenant_id || '' = $1 AND ",
        memory_not_erased!(),
        " AND m.memory_id IN"
    );
    let fixed = [Value::from(tenant.as_str())];
    let mut rows: Vec<(String,)> = fetch_by_ids(conn, chunks, &fixed, ids).await?;
    rows.extend::<Vec<(String,)>>(fetch_by_ids(conn, memories, &fixed, ids).await?);
    Ok(rows.into_iter().map(|row| row.0).collect())
}

/// Lists scopes with chunks after their progress or memories without a vector, as tenant and scope.
pub(super) async fn list_lagging_scopes(conn: &mut Conn, model: &str) -> Result<Vec<(String, String)>> {
    fetch_all!(
        conn,
        (String, String),
        "SELECT s.tenant_id, s.scope_id FROM memory_scopes AS s
         LEFT JOIN vector_progress AS p ON p.scope_id = s.scope_id AND p.model = $1
         WHERE EXISTS (SELECT 1 FROM chunks AS c WHERE c.scope_id = s.scope_id
             AND (p.scope_id IS NULL OR c.scope_version > p.scope_version
                 OR (c.scope_version = p.scope_version AND c.chunk_id > p.chunk_id)))
         OR EXISTS (SELECT 1 FROM memories AS m LEFT JOIN vectors AS v ON v.owner_id = m.memory_id AND v.model = $1
             WHERE m.scope_id = s.scope_id AND m.state IN ('active', 'quarantined')
             AND (v.owner_id IS NULL OR v.text_hash <> m.text_hash))",
        model,
    )
}

/// Counts vectors of all tenants and models.
pub(crate) async fn count_vectors(conn: &mut Conn) -> Result<i64> {
    Ok(fetch_one!(conn, (i64,), "SELECT COUNT(*) FROM vectors")?.0)
}
