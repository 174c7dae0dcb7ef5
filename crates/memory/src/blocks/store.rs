//! SQL of blocks. The agent of a block that all agents share is the empty text.

use kernel::{Micros, TenantId};
use sqlx::FromRow;
use store::{Conn, Result, Tx, execute, fetch_all, fetch_optional};

use super::model::{Block, BlockVersion};
use crate::rights::owner_not_erased;

/// A block as it lies in its row.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct BlockRow {
    pub(crate) block_id: String,
    pub(crate) user_id: String,
    pub(crate) agent_id: String,
    pub(crate) label: String,
    pub(crate) text: String,
    pub(crate) limit_chars: i64,
    pub(crate) read_only: bool,
    pub(crate) description: String,
    pub(crate) version: i64,
    pub(crate) recorded_at: i64,
    pub(crate) deleted: bool,
}

impl From<BlockRow> for Block {
    fn from(row: BlockRow) -> Self {
        Self {
            block_id: row.block_id,
            label: row.label,
            text: row.text,
            limit_chars: row.limit_chars,
            read_only: row.read_only,
            description: row.description,
            user_id: row.user_id,
            agent_id: Some(row.agent_id).filter(|agent| !agent.is_empty()),
            version: row.version,
            recorded_at: Micros(row.recorded_at),
        }
    }
}

macro_rules! block_columns {
    () => {
        "e.block_id, e.user_id, e.agent_id, e.label, e.text, e.limit_chars, e.read_only, e.description, e.version, \
         e.recorded_at, e.deleted"
    };
}

/// Finds the block of a name that one of two agents has; a live one first, then the one with an agent.
pub(crate) async fn find(
    conn: &mut Conn,
    tenant: &TenantId,
    owner: &str,
    agents: [&str; 2],
    label: &str,
) -> Result<Option<BlockRow>> {
    fetch_optional!(
        conn,
        BlockRow,
        concat!(
            "SELECT ",
            block_columns!(),
            " FROM blocks AS e
              WHERE e.tenant_id = $1 AND e.user_id = $2 AND e.agent_id IN ($3, $4) AND e.label = $5 AND ",
            owner_not_erased!(),
            " ORDER BY e.deleted, e.agent_id DESC LIMIT 1"
        ),
        tenant.as_str(),
        owner,
        agents[0],
        agents[1],
        label,
    )
}

/// Lists an owner's blocks whose names begin with `prefix`, by name, then agent; with `agent` those that it sees.
pub(crate) async fn list(
    conn: &mut Conn,
    tenant: &TenantId,
    owner: &str,
    agent: Option<&str>,
    prefix: &str,
    from: (String, String),
    limit: i64,
) -> Result<Vec<BlockRow>> {
    fetch_all!(
        conn,
        BlockRow,
        concat!(
            "SELECT ",
            block_columns!(),
            " FROM blocks AS e
              WHERE e.tenant_id = $1 AND e.user_id = $2 AND (e.agent_id = $3 OR e.agent_id = '' OR $3 IS NULL)
              AND SUBSTR(e.label, 1, LENGTH($4)) = $4 AND (e.label, e.agent_id) > ($5, $6) AND NOT e.deleted AND ",
            owner_not_erased!(),
            " ORDER BY e.label, e.agent_id LIMIT $7"
        ),
        tenant.as_str(),
        owner,
        agent,
        prefix,
        from.0,
        from.1,
        limit,
    )
}

/// Lists names and sizes in bytes of the blocks that an agent sees whose names begin with `prefix`.
pub(crate) async fn list_sizes(
    conn: &mut Conn,
    tenant: &TenantId,
    owner: &str,
    agent: &str,
    prefix: &str,
    limit: i64,
) -> Result<Vec<(String, i64)>> {
    fetch_all!(
        conn,
        (String, i64),
        concat!(
            "SELECT e.label, CAST(MAX(OCTET_LENGTH(e.text)) AS BIGINT) FROM blocks AS e
             WHERE e.tenant_id = $1 AND e.user_id = $2 AND e.agent_id IN ($3, '') AND NOT e.deleted
             AND SUBSTR(e.label, 1, LENGTH($4)) = $4 AND ",
            owner_not_erased!(),
            " GROUP BY e.label ORDER BY e.label LIMIT $5"
        ),
        tenant.as_str(),
        owner,
        agent,
        prefix,
        limit,
    )
}

/// Lists the blocks that an agent has before it, its own before shared ones of the same name; files are not among them.
pub(super) async fn list_in_view(
    conn: &mut Conn,
    tenant: &TenantId,
    owner: &str,
    agent: &str,
    limit: i64,
) -> Result<Vec<BlockRow>> {
    fetch_all!(
        conn,
        BlockRow,
        concat!(
            "SELECT ",
            block_columns!(),
            " FROM blocks AS e
              WHERE e.tenant_id = $1 AND e.user_id = $2 AND e.agent_id IN ($3, '') AND SUBSTR(e.label, 1, 1) <> '/'
              AND NOT e.deleted AND ",
            owner_not_erased!(),
            " ORDER BY e.label, e.agent_id DESC LIMIT $4"
        ),
        tenant.as_str(),
        owner,
        agent,
        limit,
    )
}

/// Writes a block over the version before, or as new, and keeps the version; 0 when somebody else was faster.
pub(super) async fn save(tx: &mut Tx, tenant: &TenantId, row: &BlockRow, actor: &str) -> Result<u64> {
    let written = execute!(
        tx,
        "INSERT INTO blocks (tenant_id, block_id, user_id, agent_id, label, text, limit_chars, read_only, description,
             version, recorded_at, deleted)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         ON CONFLICT (tenant_id, user_id, agent_id, label) DO UPDATE SET text = excluded.text,
             limit_chars = excluded.limit_chars, read_only = excluded.read_only, description = excluded.description,
             version = excluded.version, recorded_at = excluded.recorded_at, deleted = excluded.deleted
         WHERE blocks.version = excluded.version - 1 AND blocks.block_id = excluded.block_id",
        tenant.as_str(),
        &row.block_id,
        &row.user_id,
        &row.agent_id,
        &row.label,
        &row.text,
        row.limit_chars,
        row.read_only,
        &row.description,
        row.version,
        row.recorded_at,
        row.deleted,
    )?;
    if written == 0 {
        return Ok(0);
    }
    execute!(
        tx,
        "INSERT INTO block_versions (tenant_id, block_id, version, text, recorded_at, actor)
         VALUES ($1, $2, $3, $4, $5, $6)",
        tenant.as_str(),
        &row.block_id,
        row.version,
        &row.text,
        row.recorded_at,
        actor,
    )
}

#[derive(FromRow)]
struct VersionRow {
    version: i64,
    text: String,
    recorded_at: i64,
    actor: String,
}

/// Lists the latest versions of a block, last first.
pub(super) async fn list_versions(
    conn: &mut Conn,
    tenant: &TenantId,
    block_id: &str,
    before: i64,
    limit: i64,
) -> Result<Vec<BlockVersion>> {
    let rows = fetch_all!(
        conn,
        VersionRow,
        "SELECT version, text, recorded_at, actor FROM block_versions
         WHERE tenant_id = $1 AND block_id = $2 AND version < $3 ORDER BY version DESC LIMIT $4",
        tenant.as_str(),
        block_id,
        before,
        limit,
    )?;
    let version = |row: VersionRow| BlockVersion {
        version: row.version,
        text: row.text,
        recorded_at: Micros(row.recorded_at),
        actor: row.actor,
    };
    Ok(rows.into_iter().map(version).collect())
}
