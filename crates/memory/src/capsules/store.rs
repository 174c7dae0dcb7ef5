//! SQL of capsules.

use kernel::{Micros, TenantId};
use sqlx::FromRow;
use store::{Conn, Result, Tx, Value, execute, fetch_all, fetch_by_ids, fetch_optional};

use super::model::{CapsuleItems, Packet};
use crate::rights::owner_not_erased;

/// A capsule as it lies in its row.
#[derive(Clone, Debug, FromRow)]
pub(super) struct CapsuleRow {
    pub(super) capsule_id: String,
    pub(super) user_id: String,
    pub(super) author_agent_id: String,
    pub(super) audience_agent_ids: String,
    pub(super) subject_type: String,
    pub(super) subject_id: String,
    pub(super) packet: String,
    pub(super) items: String,
    pub(super) risks: String,
    pub(super) recorded_at: i64,
    pub(super) expires_at: i64,
}

impl CapsuleRow {
    pub(super) fn audience(&self) -> Vec<String> {
        serde_json::from_str(&self.audience_agent_ids).unwrap_or_default()
    }

    pub(super) fn items(&self) -> CapsuleItems {
        serde_json::from_str(&self.items).unwrap_or_default()
    }

    pub(super) fn packet(&self) -> Packet {
        serde_json::from_str(&self.packet).unwrap_or_default()
    }
}

macro_rules! capsule_columns {
    () => {
        "e.capsule_id, e.user_id, e.author_agent_id, e.audience_agent_ids, e.subject_type, e.subject_id, e.packet, \
         e.items, e.risks, e.recorded_at, e.expires_at"
    };
}

pub(super) async fn add(tx: &mut Tx, tenant: &TenantId, row: &CapsuleRow) -> Result<u64> {
    execute!(
        tx,
        "INSERT INTO capsules (tenant_id, capsule_id, user_id, author_agent_id, audience_agent_ids, subject_type, subject_id,
             packet, items, risks, recorded_at, expires_at, status)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'active')",
        tenant.as_str(),
        &row.capsule_id,
        &row.user_id,
        &row.author_agent_id,
        &row.audience_agent_ids,
        &row.subject_type,
        &row.subject_id,
        &row.packet,
        &row.items,
        &row.risks,
        row.recorded_at,
        row.expires_at,
    )
}

/// Finds a capsule that is neither revoked nor expired.
pub(super) async fn find_active(
    conn: &mut Conn,
    tenant: &TenantId,
    capsule_id: &str,
    now: Micros,
) -> Result<Option<CapsuleRow>> {
    fetch_optional!(
        conn,
        CapsuleRow,
        concat!(
            "SELECT ",
            capsule_columns!(),
            " FROM capsules AS e
              WHERE e.tenant_id = $1 AND e.capsule_id = $2 AND e.status = 'active' AND e.expires_at > $3 AND ",
            owner_not_erased!()
        ),
        tenant.as_str(),
        capsule_id,
        now.0,
    )
}

/// Lists an owner's active capsules before `from`, latest first; with `agent` those that it wrote or that are for it.
///
/// A list of agents is JSON without blanks, in which a quote inside a name follows a backslash: a name in quotes after a
/// bracket or a comma is one of the list.
pub(super) async fn list_active(
    conn: &mut Conn,
    tenant: &TenantId,
    owner: &str,
    agent: Option<&str>,
    from: &str,
    limit: i64,
    now: Micros,
) -> Result<Vec<CapsuleRow>> {
    let quoted = agent.map(|agent| serde_json::Value::from(agent).to_string());
    fetch_all!(
        conn,
        CapsuleRow,
        concat!(
            "SELECT ",
            capsule_columns!(),
            " FROM capsules AS e
              WHERE e.tenant_id = $1 AND e.user_id = $2 AND e.status = 'active' AND e.expires_at > $3
              AND (e.author_agent_id = $4 OR $4 IS NULL
                  OR REPLACE(e.audience_agent_ids, '[' || CAST($5 AS TEXT), '') <> e.audience_agent_ids
                  OR REPLACE(e.audience_agent_ids, ',' || CAST($5 AS TEXT), '') <> e.audience_agent_ids)
              AND e.capsule_id < $6 AND ",
            owner_not_erased!(),
            " ORDER BY e.capsule_id DESC LIMIT $7"
        ),
        tenant.as_str(),
        owner,
        now.0,
        agent,
        quoted.as_deref(),
        from,
        limit,
    )
}

/// Ends a capsule; 0 when it was over before.
pub(super) async fn revoke(tx: &mut Tx, tenant: &TenantId, capsule_id: &str) -> Result<u64> {
    execute!(
        tx,
        "UPDATE capsules SET status = 'revoked' WHERE tenant_id = $1 AND capsule_id = $2 AND status = 'active'",
        tenant.as_str(),
        capsule_id,
    )
}

/// The events of artifacts, as artifact and event.
pub(super) async fn list_artifact_events(
    conn: &mut Conn,
    tenant: &TenantId,
    artifact_ids: &[&str],
) -> Result<Vec<(String, String)>> {
    let head = "SELECT artifact_id, event_id FROM artifacts WHERE tenant_id || '' = $1 AND artifact_id IN";
    fetch_by_ids(conn, head, &[Value::from(tenant.as_str())], artifact_ids).await
}
