//! The table `audit_log`. There is no update and no delete.

use kernel::{Micros, Result, TenantId};
use sqlx::FromRow;
use store::{Conn, Tx, execute, fetch_all};

use super::{AuditEntry, AuditRow};

#[derive(FromRow)]
struct Row {
    audit_id: String,
    at: i64,
    principal_kind: String,
    principal_id: String,
    credential_id: String,
    action: String,
    resource: String,
    outcome: String,
    address: Option<String>,
    request_id: String,
    fields: String,
}

impl From<Row> for AuditRow {
    fn from(row: Row) -> Self {
        Self {
            audit_id: row.audit_id,
            at: Micros(row.at),
            principal_kind: row.principal_kind,
            principal_id: row.principal_id,
            credential_id: row.credential_id,
            action: row.action,
            resource: row.resource,
            outcome: row.outcome,
            address: row.address,
            request_id: row.request_id,
            fields: serde_json::from_str(&row.fields).unwrap_or_default(),
        }
    }
}

/// Writes a row in the transaction of the act, so that neither exists without the other.
///
/// # Errors
/// The store's.
pub async fn record(tx: &mut Tx, entry: &AuditEntry) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO audit_log (tenant_id, audit_id, at, principal_kind, principal_id, credential_id, action,
             resource, outcome, address, request_id, fields)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        &entry.tenant,
        kernel::id::new_id("aud", entry.at),
        entry.at.0,
        entry.principal_kind,
        &entry.principal_id,
        &entry.credential_id,
        entry.action,
        &entry.resource,
        entry.outcome.as_str(),
        entry.address.as_deref(),
        &entry.request_id,
        serde_json::json!(entry.fields).to_string(),
    )?;
    Ok(())
}

/// Rows of a tenant, newest first, beginning after the row `after`.
pub(super) async fn list_rows(
    conn: &mut Conn,
    tenant: &TenantId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<AuditRow>> {
    let rows = fetch_all!(
        conn,
        Row,
        "SELECT audit_id, at, principal_kind, principal_id, credential_id, action, resource, outcome, address,
             request_id, fields
         FROM audit_log
         WHERE tenant_id = $1 AND ($2 IS NULL OR audit_id < $2)
         ORDER BY audit_id DESC
         LIMIT $3",
        tenant.as_str(),
        after,
        limit,
    )?;
    Ok(rows.into_iter().map(AuditRow::from).collect())
}
