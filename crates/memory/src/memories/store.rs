//! SQL of memories: heads, versions, sources and blocked facts.

use kernel::{Micros, TenantId};
use serde_json::json;
use sqlx::FromRow;
use store::{Conn, Result, Tx, Value, execute, fetch_all, fetch_by_ids, fetch_optional, insert_many};

use super::model::MemoryItem;
use crate::rights::memory_not_erased;
use crate::search::policy::{Partition, partition_of};

/// A memory as it lies in its row.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Head {
    pub(crate) memory_id: String,
    pub(crate) version: i64,
    pub(crate) r#type: String,
    pub(crate) text: String,
    pub(crate) text_hash: String,
    pub(crate) subject: Option<String>,
    pub(crate) user_id: String,
    pub(crate) agent_id: Option<String>,
    pub(crate) conversation_id: Option<String>,
    pub(crate) scope_id: Option<String>,
    pub(crate) scope_version: i64,
    pub(crate) channel: String,
    pub(crate) sensitivity: String,
    pub(crate) valid_from: i64,
    pub(crate) valid_to: Option<i64>,
    pub(crate) recorded_at: i64,
    pub(crate) superseded_by: Option<String>,
    pub(crate) importance: f64,
    pub(crate) pinned: bool,
    pub(crate) expires_at: Option<i64>,
    pub(crate) last_used_at: Option<i64>,
    pub(crate) use_count: i64,
    pub(crate) trust: String,
    pub(crate) state: String,
    pub(crate) derived_by: String,
    pub(crate) confidence: f64,
    pub(crate) tags: String,
    pub(crate) metadata: String,
    pub(crate) merged_count: i64,
}

/// The columns of [`Head`] from `memories AS m`.
macro_rules! memory_columns {
    () => {
        "m.memory_id, m.version, m.type, m.text, m.text_hash, m.subject, m.user_id, m.agent_id, m.conversation_id, \
         m.scope_id, m.scope_version, m.channel, m.sensitivity, m.valid_from, m.valid_to, m.recorded_at, m.superseded_by, \
         m.importance, m.pinned, m.expires_at, m.last_used_at, m.use_count, m.trust, m.state, m.derived_by, m.confidence, \
         m.tags, m.metadata, m.merged_count"
    };
}
pub(crate) use memory_columns;

/// Days without use before a memory begins to fade, and in which its strength then halves.
const FADE_DAYS: f64 = 90.0;

impl Head {
    /// Importance × max(0.5, 2^(−days beyond 90 unused ÷ 90)); pinned memories do not fade.
    pub(crate) fn strength(&self, now: Micros) -> f64 {
        let used = self.last_used_at.unwrap_or(self.recorded_at);
        let days = (now.0 - used) as f64 / Micros::DAY as f64 - FADE_DAYS;
        let kept = if self.pinned || days <= 0.0 { 1.0 } else { (-days / FADE_DAYS).exp2().max(0.5) };
        self.importance * kept
    }

    /// Where it may be read; `None` for what is never indexed.
    pub(crate) fn partition(&self) -> Option<Partition> {
        let home = crate::search::store::partition(&self.channel, String::new(), &self.sensitivity)?;
        partition_of(home.home, home.tier, &self.user_id)
    }

    /// As callers read it.
    pub(crate) fn item(self, now: Micros) -> MemoryItem {
        MemoryItem {
            strength: self.strength(now),
            memory_id: self.memory_id,
            version: self.version,
            r#type: self.r#type,
            text: self.text,
            subject: self.subject,
            user_id: self.user_id,
            agent_id: self.agent_id,
            conversation_id: self.conversation_id,
            channel: self.channel,
            sensitivity: self.sensitivity,
            valid_from: Micros(self.valid_from),
            valid_to: self.valid_to.map(Micros),
            recorded_at: Micros(self.recorded_at),
            superseded_by: self.superseded_by,
            importance: self.importance,
            pinned: self.pinned,
            expires_at: self.expires_at.map(Micros),
            last_used_at: self.last_used_at.map(Micros),
            use_count: self.use_count,
            trust: self.trust,
            state: self.state,
            derived_by: self.derived_by,
            confidence: self.confidence,
            tags: serde_json::from_str(&self.tags).unwrap_or_default(),
            metadata: serde_json::from_str(&self.metadata).unwrap_or_default(),
            merged_count: self.merged_count,
        }
    }

    /// What a version keeps beside the words.
    pub(super) fn fields(&self) -> String {
        let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap_or_default();
        json!({
            "type": self.r#type, "subject": self.subject, "importance": self.importance, "pinned": self.pinned,
            "state": self.state, "valid_from": Micros(self.valid_from), "valid_to": self.valid_to.map(Micros),
            "expires_at": self.expires_at.map(Micros), "superseded_by": self.superseded_by,
            "tags": parsed(&self.tags), "metadata": parsed(&self.metadata),
        })
        .to_string()
    }
}

/// Who made a version, and why.
#[derive(Clone, Debug, Default)]
pub(crate) struct By {
    /// `usr_…`, `key_…`, or the rule or model that derived it.
    pub(crate) actor: String,
    pub(crate) edit_id: Option<String>,
    pub(crate) reason: Option<String>,
}

/// Adds a head.
pub(super) async fn add_head(tx: &mut Tx, tenant: &TenantId, head: &Head) -> Result<u64> {
    let row: Vec<Value> = vec![
        tenant.as_str().into(),
        head.memory_id.as_str().into(),
        head.version.into(),
        head.r#type.as_str().into(),
        head.text.as_str().into(),
        head.text_hash.as_str().into(),
        head.subject.clone().into(),
        head.user_id.as_str().into(),
        head.agent_id.clone().into(),
        head.conversation_id.clone().into(),
        head.scope_id.clone().into(),
        head.scope_version.into(),
        head.channel.as_str().into(),
        head.sensitivity.as_str().into(),
        head.valid_from.into(),
        head.valid_to.into(),
        head.recorded_at.into(),
        head.superseded_by.clone().into(),
        head.importance.into(),
        head.pinned.into(),
        head.expires_at.into(),
        head.last_used_at.into(),
        head.use_count.into(),
        head.trust.as_str().into(),
        head.state.as_str().into(),
        head.derived_by.as_str().into(),
        head.confidence.into(),
        head.tags.as_str().into(),
        head.metadata.as_str().into(),
        head.merged_count.into(),
    ];
    insert_many(
        tx,
        "INSERT INTO memories (tenant_id, memory_id, version, type, text, text_hash, subject, user_id, agent_id,
             conversation_id, scope_id, scope_version, channel, sensitivity, valid_from, valid_to, recorded_at,
             superseded_by, importance, pinned, expires_at, last_used_at, use_count, trust, state, derived_by, confidence,
             tags, metadata, merged_count)",
        "",
        vec![row],
    )
    .await
}

/// Writes a head over the version before; 0 when somebody else was faster.
pub(super) async fn update_head(tx: &mut Tx, tenant: &TenantId, head: &Head) -> Result<u64> {
    execute!(
        tx,
        "UPDATE memories SET version = $3, type = $4, text = $5, text_hash = $6, subject = $7, scope_version = $8,
             valid_to = $9, superseded_by = $10, importance = $11, pinned = $12, expires_at = $13, state = $14,
             tags = $15, metadata = $16 WHERE tenant_id = $1 AND memory_id = $2 AND version = $3 - 1",
        tenant.as_str(),
        &head.memory_id,
        head.version,
        &head.r#type,
        &head.text,
        &head.text_hash,
        head.subject.as_deref(),
        head.scope_version,
        head.valid_to,
        head.superseded_by.as_deref(),
        head.importance,
        head.pinned,
        head.expires_at,
        &head.state,
        &head.tags,
        &head.metadata,
    )
}

/// Notes that the same was said again.
pub(super) async fn count_merge(tx: &mut Tx, tenant: &TenantId, memory_id: &str) -> Result<u64> {
    execute!(
        tx,
        "UPDATE memories SET merged_count = merged_count + 1 WHERE tenant_id = $1 AND memory_id = $2",
        tenant.as_str(),
        memory_id,
    )
}

/// Lists an owner's live memories, newest first.
pub(crate) async fn list_live(
    conn: &mut Conn,
    tenant: &TenantId,
    owner: &str,
    limit: i64,
) -> Result<Vec<Head>> {
    fetch_all!(
        conn,
        Head,
        concat!(
            "SELECT ",
            memory_columns!(),
            " FROM memories AS m WHERE m.tenant_id = $1 AND m.user_id = $2 AND m.state = 'active' AND m.valid_to IS NULL
              ORDER BY m.recorded_at DESC, m.memory_id DESC LIMIT $3"
        ),
        tenant.as_str(),
        owner,
        limit,
    )
}

/// Finds a memory, whatever its state.
pub(crate) async fn find(conn: &mut Conn, tenant: &TenantId, memory_id: &str) -> Result<Option<Head>> {
    fetch_optional!(
        conn,
        Head,
        concat!(
            "SELECT ",
            memory_columns!(),
            " FROM memories AS m WHERE m.tenant_id = $1 AND m.memory_id = $2"
        ),
        tenant.as_str(),
        memory_id,
    )
}

/// Reads memories by id.
pub(crate) async fn list_by_id(conn: &mut Conn, tenant: &TenantId, ids: &[&str]) -> Result<Vec<Head>> {
    let head = concat!(
        "SELECT ",
        memory_columns!(),
        " FROM memories AS m WHERE m.tenant_id || '' = $1 AND ",
        memory_not_erased!(),
        " AND m.memory_id IN"
    );
    fetch_by_ids(conn, head, &[Value::from(tenant.as_str())], ids).await
}

/// Finds a live memory in the same place with the same words about the same subject.
pub(super) async fn find_equal(conn: &mut Conn, tenant: &TenantId, like: &Head) -> Result<Option<Head>> {
    fetch_optional!(
        conn,
        Head,
        concat!(
            "SELECT ",
            memory_columns!(),
            " FROM memories AS m
              WHERE m.tenant_id = $1 AND m.user_id = $2 AND m.text_hash = $3 AND m.channel = $4 AND m.sensitivity = $5
              AND COALESCE(m.agent_id, '') = $6 AND m.type = $7 AND COALESCE(m.subject, '') = $8
              AND m.state IN ('active', 'quarantined') AND m.valid_to IS NULL ORDER BY m.memory_id LIMIT 1"
        ),
        tenant.as_str(),
        &like.user_id,
        &like.text_hash,
        &like.channel,
        &like.sensitivity,
        like.agent_id.as_deref().unwrap_or_default(),
        &like.r#type,
        like.subject.as_deref().unwrap_or_default(),
    )
}

/// Lists the live memories in the same place about the same subject.
pub(super) async fn list_of_subject(conn: &mut Conn, tenant: &TenantId, like: &Head) -> Result<Vec<Head>> {
    fetch_all!(
        conn,
        Head,
        concat!(
            "SELECT ",
            memory_columns!(),
            " FROM memories AS m
              WHERE m.tenant_id = $1 AND m.user_id = $2 AND m.subject = $3 AND m.channel = $4
              AND COALESCE(m.agent_id, '') = $5 AND m.state = 'active' AND m.valid_to IS NULL
              ORDER BY m.memory_id"
        ),
        tenant.as_str(),
        &like.user_id,
        like.subject.as_deref(),
        &like.channel,
        like.agent_id.as_deref().unwrap_or_default(),
    )
}

/// Which memories a list holds; `None` means any.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemoryFilter {
    pub(crate) agent: Option<String>,
    pub(crate) session: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) state: Option<String>,
    pub(crate) pinned: Option<bool>,
    pub(crate) channel: Option<String>,
    /// One of its labels, each between quotes of its own in the row.
    pub(crate) tag: Option<String>,
}

/// Lists an owner's memories, newest first; `from` is the last row of the page before.
pub(crate) async fn list(
    conn: &mut Conn,
    tenant: &TenantId,
    owner: &str,
    filter: &MemoryFilter,
    limit: u32,
    from: Option<(i64, String)>,
    now: Micros,
) -> Result<Vec<Head>> {
    let (at, id) = from.unwrap_or((i64::MAX, String::new()));
    fetch_all!(
        conn,
        Head,
        concat!(
            "SELECT ",
            memory_columns!(),
            " FROM memories AS m
              WHERE m.tenant_id = $1 AND m.user_id = $2
              AND (m.recorded_at < $3 OR (m.recorded_at = $3 AND m.memory_id < $4))
              AND ($5 IS NULL OR m.agent_id = $5) AND ($6 IS NULL OR m.conversation_id = $6)
              AND ($7 IS NULL OR m.type = $7) AND ($8 IS NULL OR m.subject = $8)
              AND m.state = $9 AND (m.pinned = $10 OR $10 IS NULL) AND (m.channel = $12 OR $12 IS NULL)
              AND (m.expires_at IS NULL OR m.expires_at > $11) AND (REPLACE(m.tags, $13, '') <> m.tags OR $13 IS NULL) AND ",
            memory_not_erased!(),
            " ORDER BY m.recorded_at DESC, m.memory_id DESC LIMIT $14"
        ),
        tenant.as_str(),
        owner,
        at,
        id,
        filter.agent.as_deref(),
        filter.session.as_deref(),
        filter.kind.as_deref(),
        filter.subject.as_deref(),
        filter.state.as_deref().unwrap_or("active"),
        filter.pinned,
        now.0,
        filter.channel.as_deref(),
        filter.tag.as_ref().map(|tag| json!(tag).to_string()), // as each lies in the row's list of JSON
        i64::from(limit),
    )
}

/// Lets a memory's vectors travel with it: an index that takes the new version in has dropped them.
pub(super) async fn carry_vectors(tx: &mut Tx, tenant: &TenantId, head: &Head) -> Result<u64> {
    execute!(
        tx,
        "UPDATE vectors SET scope_version = $3 WHERE tenant_id = $1 AND owner_id = $2",
        tenant.as_str(),
        &head.memory_id,
        head.scope_version,
    )
}

/// Removes the vectors of words that are no longer said.
pub(super) async fn remove_vectors(tx: &mut Tx, tenant: &str, memory_id: &str) -> Result<u64> {
    execute!(tx, "DELETE FROM vectors WHERE tenant_id = $1 AND owner_id = $2", tenant, memory_id)
}

/// Removes one memory for good: its versions, sources, edits and vectors with it.
pub(crate) async fn remove(tx: &mut Tx, tenant: &str, id: &str) -> Result<()> {
    remove_vectors(tx, tenant, id).await?;
    execute!(tx, "DELETE FROM memory_sources WHERE tenant_id = $1 AND memory_id = $2", tenant, id)?;
    execute!(tx, "DELETE FROM memory_versions WHERE tenant_id = $1 AND memory_id = $2", tenant, id)?;
    execute!(tx, "DELETE FROM edits WHERE tenant_id = $1 AND target_id = $2", tenant, id)?;
    execute!(tx, "DELETE FROM memories WHERE tenant_id = $1 AND memory_id = $2", tenant, id)?;
    Ok(())
}

/// Makes every server load the partition of a memory anew, without it.
pub(super) async fn rebuild_scope(tx: &mut Tx, tenant: &TenantId, head: &Head) -> Result<u64> {
    execute!(
        tx,
        "UPDATE memory_scopes SET version = version + 1, rebuild_version = rebuild_version + 1
         WHERE tenant_id = $1 AND scope_id = $2",
        tenant.as_str(),
        head.scope_id.as_deref(),
    )
}
