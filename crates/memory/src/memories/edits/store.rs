//! SQL of edits.

use kernel::TenantId;
use sqlx::FromRow;
use store::{Conn, Result, Tx, execute, fetch_all, fetch_optional};

/// An edit as it lies in its row.
#[derive(Clone, Debug, FromRow)]
pub(super) struct EditRow {
    pub(super) edit_id: String,
    pub(super) user_id: String,
    pub(super) target_type: String,
    pub(super) target_id: String,
    pub(super) target_version: i64,
    pub(super) op: String,
    pub(super) patch: String,
    pub(super) reason: Option<String>,
    pub(super) proposed_by: String,
    pub(super) recorded_at: i64,
    pub(super) status: String,
    pub(super) decided_by: Option<String>,
    pub(super) decided_at: Option<i64>,
}

macro_rules! edit_columns {
    () => {
        "edit_id, user_id, target_type, target_id, target_version, op, patch, reason, proposed_by, recorded_at, status, \
         decided_by, decided_at"
    };
}
/// Adds an edit.
pub(super) async fn add(tx: &mut Tx, tenant: &TenantId, row: &EditRow) -> Result<u64> {
    execute!(
        tx,
        "INSERT INTO edits (tenant_id, edit_id, user_id, target_type, target_id, target_version, op, patch, reason,
             proposed_by, recorded_at, status, decided_by, decided_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        tenant.as_str(),
        &row.edit_id,
        &row.user_id,
        &row.target_type,
        &row.target_id,
        row.target_version,
        &row.op,
        &row.patch,
        row.reason.as_deref(),
        &row.proposed_by,
        row.recorded_at,
        &row.status,
        row.decided_by.as_deref(),
        row.decided_at,
    )
}

/// Finds an edit.
pub(super) async fn find(conn: &mut Conn, tenant: &TenantId, edit_id: &str) -> Result<Option<EditRow>> {
    fetch_optional!(
        conn,
        EditRow,
        concat!("SELECT ", edit_columns!(), " FROM edits WHERE tenant_id = $1 AND edit_id = $2"),
        tenant.as_str(),
        edit_id,
    )
}

/// Lists an owner's edits of a status, newest first, with one more than `limit`.
pub(super) async fn list(
    conn: &mut Conn,
    tenant: &TenantId,
    owner: &str,
    status: &str,
    from: Option<String>,
    limit: u32,
) -> Result<Vec<EditRow>> {
    fetch_all!(
        conn,
        EditRow,
        concat!(
            "SELECT ",
            edit_columns!(),
            " FROM edits WHERE tenant_id = $1 AND user_id = $2 AND status = $3 AND edit_id < $4
              ORDER BY edit_id DESC LIMIT $5"
        ),
        tenant.as_str(),
        owner,
        status,
        from.unwrap_or_else(|| "~".to_owned()),
        i64::from(limit) + 1,
    )
}

/// Writes a decision down; 0 when somebody else was faster.
pub(super) async fn decide(tx: &mut Tx, tenant: &TenantId, row: &EditRow) -> Result<u64> {
    execute!(
        tx,
        "UPDATE edits SET status = $3, decided_by = $4, decided_at = $5, reason = $6
         WHERE tenant_id = $1 AND edit_id = $2 AND status = 'pending'",
        tenant.as_str(),
        &row.edit_id,
        &row.status,
        row.decided_by.as_deref(),
        row.decided_at,
        row.reason.as_deref(),
    )
}
