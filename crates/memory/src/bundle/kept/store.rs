//! SQL of what is kept of bundles.

use kernel::TenantId;
use sqlx::FromRow;
use store::{Conn, Result, Tx, execute, fetch_optional};

use crate::rights::not_erased;

/// What is kept of a bundle.
#[derive(Clone, Debug, FromRow)]
pub(super) struct BundleRow {
    pub(super) acb_id: String,
    pub(super) user_id: String,
    pub(super) session_id: String,
    pub(super) request_hash: String,
    pub(super) digest: String,
    pub(super) refs: String,
    pub(super) token_used_est: i64,
    pub(super) budget_tokens: i64,
    pub(super) recorded_at: i64,
}

/// Keeps a bundle, or notes that the same was put together again.
pub(super) async fn save_bundle(tx: &mut Tx, tenant: &TenantId, row: &BundleRow) -> Result<u64> {
    execute!(
        tx,
        "INSERT INTO bundles (tenant_id, acb_id, user_id, session_id, request_hash, digest, refs, token_used_est,
             budget_tokens, recorded_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (acb_id) DO UPDATE SET recorded_at = excluded.recorded_at, refs = excluded.refs",
        tenant.as_str(),
        &row.acb_id,
        &row.user_id,
        &row.session_id,
        &row.request_hash,
        &row.digest,
        &row.refs,
        row.token_used_est,
        row.budget_tokens,
        row.recorded_at,
    )
}

/// Finds what is kept of a bundle.
pub(super) async fn find_bundle(conn: &mut Conn, tenant: &TenantId, id: &str) -> Result<Option<BundleRow>> {
    fetch_optional!(
        conn,
        BundleRow,
        concat!(
            "SELECT e.acb_id, e.user_id, e.session_id, e.request_hash, e.digest, e.refs, e.token_used_est,
                 e.budget_tokens, e.recorded_at FROM bundles AS e WHERE e.tenant_id = $1 AND e.acb_id = $2 AND ",
            not_erased!()
        ),
        tenant.as_str(),
        id,
    )
}
