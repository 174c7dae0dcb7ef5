//! The tables `audit_log` and `audit_heads`. Rows are added, read, and removed at the end of their life; there is no update.

use kernel::{Micros, Result};
use sqlx::FromRow;
use store::{Conn, Tx, execute, fetch_all, fetch_one, fetch_optional};

use super::{AuditEntry, AuditFilter};

/// A row as it lies in the table.
#[derive(Clone, Debug, FromRow)]
pub(super) struct StoredRow {
    pub(super) tenant_id: String,
    pub(super) audit_id: String,
    pub(super) at: i64,
    pub(super) principal_kind: String,
    pub(super) principal_id: String,
    pub(super) credential_id: String,
    pub(super) action: String,
    pub(super) resource: String,
    pub(super) outcome: String,
    pub(super) address: Option<String>,
    pub(super) request_id: String,
    /// A JSON list.
    pub(super) fields: String,
    /// Its place in its tenant's chain, from 1; `None` for a row from before there was one.
    pub(super) seq: Option<i64>,
    pub(super) previous_hash: Option<String>,
    pub(super) hash: Option<String>,
}

/// The end of a tenant's chain, and where it begins since older rows were removed.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub(super) struct Head {
    pub(super) seq: i64,
    pub(super) hash: String,
    pub(super) first_seq: i64,
    pub(super) first_previous_hash: String,
    pub(super) unchained: i64,
}

/// The columns of [`StoredRow`].
macro_rules! row_columns {
    () => {
        "tenant_id, audit_id, at, principal_kind, principal_id, credential_id, action, resource, outcome, address, \
         request_id, fields, seq, previous_hash, hash"
    };
}

/// The conditions of [`AuditFilter`]; words match whole, or up to a dot or colon.
macro_rules! filtered {
    () => {
        " FROM audit_log WHERE tenant_id = $1 \
          AND ($2 IS NULL OR action = $2 OR SUBSTR(action, 1, LENGTH($2) + 1) = $2 || '.') \
          AND ($3 IS NULL OR principal_id = $3) AND ($4 IS NULL OR outcome = $4) \
          AND ($5 IS NULL OR resource = $5 OR SUBSTR(resource, 1, LENGTH($5) + 1) = $5 || ':') \
          AND at >= $6 AND at < $7 "
    };
}

/// Writes a row in the transaction of the act, so that neither exists without the other, at the end of its tenant's chain.
///
/// The chain's head stays locked until the transaction ends. Record last: what is locked after it is locked in another order
/// than elsewhere, and two transactions could wait for each other.
///
/// # Errors
/// The store's.
pub async fn record(tx: &mut Tx, entry: &AuditEntry) -> Result<()> {
    let (seq, previous_hash): (i64, String) = fetch_one!(
        tx,
        (i64, String),
        "INSERT INTO audit_heads (tenant_id, seq, hash, first_seq, first_previous_hash, unchained)
         VALUES ($1, 1, '', 1, '', 0)
         ON CONFLICT (tenant_id) DO UPDATE SET seq = audit_heads.seq + 1
         RETURNING seq, hash",
        &entry.tenant,
    )?;
    let mut row = StoredRow {
        tenant_id: entry.tenant.clone(),
        audit_id: kernel::id::new_id("aud", entry.at),
        at: entry.at.0,
        principal_kind: entry.principal_kind.to_owned(),
        principal_id: entry.principal_id.clone(),
        credential_id: entry.credential_id.clone(),
        action: entry.action.to_owned(),
        resource: entry.resource.clone(),
        outcome: entry.outcome.as_str().to_owned(),
        address: entry.address.clone(),
        request_id: entry.request_id.clone(),
        fields: serde_json::json!(entry.fields).to_string(),
        seq: Some(seq),
        previous_hash: Some(previous_hash),
        hash: None,
    };
    row.hash = Some(row.computed_hash());
    add_row(tx, &row).await?;
    execute!(
        tx,
        "UPDATE audit_heads SET hash = $1 WHERE tenant_id = $2",
        row.hash.as_deref(),
        &entry.tenant
    )?;
    Ok(())
}

async fn add_row(tx: &mut Tx, row: &StoredRow) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO audit_log (tenant_id, audit_id, at, principal_kind, principal_id, credential_id, action,
             resource, outcome, address, request_id, fields, seq, previous_hash, hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        &row.tenant_id,
        &row.audit_id,
        row.at,
        &row.principal_kind,
        &row.principal_id,
        &row.credential_id,
        &row.action,
        &row.resource,
        &row.outcome,
        row.address.as_deref(),
        &row.request_id,
        &row.fields,
        row.seq,
        row.previous_hash.as_deref(),
        row.hash.as_deref(),
    )?;
    Ok(())
}

/// Rows of a tenant, newest first, beginning after the row `after`.
pub(super) async fn list_rows(
    conn: &mut Conn,
    tenant: &str,
    filter: &AuditFilter,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<StoredRow>> {
    Ok(fetch_all!(
        conn,
        StoredRow,
        concat!(
            "SELECT ",
            row_columns!(),
            filtered!(),
            "AND ($8 IS NULL OR audit_id < $8) ORDER BY audit_id DESC LIMIT $9"
        ),
        tenant,
        filter.action.as_deref(),
        filter.principal.as_deref(),
        filter.outcome.map(super::Outcome::as_str),
        filter.resource.as_deref(),
        filter.since.map_or(i64::MIN, |at| at.0),
        filter.until.map_or(i64::MAX, |at| at.0),
        after,
        limit,
    )?)
}

/// The same, oldest first.
pub(super) async fn list_rows_forward(
    conn: &mut Conn,
    tenant: &str,
    filter: &AuditFilter,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<StoredRow>> {
    Ok(fetch_all!(
        conn,
        StoredRow,
        concat!(
            "SELECT ",
            row_columns!(),
            filtered!(),
            "AND ($8 IS NULL OR audit_id > $8) ORDER BY audit_id LIMIT $9"
        ),
        tenant,
        filter.action.as_deref(),
        filter.principal.as_deref(),
        filter.outcome.map(super::Outcome::as_str),
        filter.resource.as_deref(),
        filter.since.map_or(i64::MIN, |at| at.0),
        filter.until.map_or(i64::MAX, |at| at.0),
        after,
        limit,
    )?)
}

/// Every tenant that has rows or a chain, and `-` for acts that belong to none.
pub(super) async fn list_tenants(conn: &mut Conn) -> Result<Vec<String>> {
    let rows = fetch_all!(
        conn,
        (String,),
        "SELECT tenant_id FROM audit_heads UNION SELECT tenant_id FROM audit_log ORDER BY tenant_id"
    )?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

pub(super) async fn find_head(conn: &mut Conn, tenant: &str) -> Result<Option<Head>> {
    Ok(fetch_optional!(
        conn,
        Head,
        "SELECT seq, hash, first_seq, first_previous_hash, unchained FROM audit_heads WHERE tenant_id = $1",
        tenant,
    )?)
}

/// Rows of a chain in its order, from after `seq`.
pub(super) async fn list_chain(
    conn: &mut Conn,
    tenant: &str,
    after_seq: i64,
    limit: i64,
) -> Result<Vec<StoredRow>> {
    Ok(fetch_all!(
        conn,
        StoredRow,
        concat!(
            "SELECT ",
            row_columns!(),
            " FROM audit_log WHERE tenant_id = $1 AND seq > $2 ORDER BY seq LIMIT $3"
        ),
        tenant,
        after_seq,
        limit,
    )?)
}

/// A row before the beginning or after the end of its tenant's chain.
pub(super) async fn find_row_outside(conn: &mut Conn, tenant: &str) -> Result<Option<(String, i64)>> {
    Ok(fetch_optional!(
        conn,
        (String, i64),
        "SELECT audit_id, seq FROM audit_log
         WHERE tenant_id = $1 AND (seq > COALESCE((SELECT seq FROM audit_heads WHERE tenant_id = $1), 0)
             OR seq < COALESCE((SELECT first_seq FROM audit_heads WHERE tenant_id = $1), 1))
         ORDER BY seq LIMIT 1",
        tenant,
    )?)
}

/// The newest row without a place, when there are more of them than there were before the chain.
pub(super) async fn find_row_too_many(conn: &mut Conn, tenant: &str) -> Result<Option<String>> {
    let found = fetch_optional!(
        conn,
        (String,),
        "SELECT MAX(audit_id) FROM audit_log WHERE tenant_id = $1 AND seq IS NULL
         HAVING COUNT(*) > COALESCE((SELECT unchained FROM audit_heads WHERE tenant_id = $1), 0)",
        tenant,
    )?;
    Ok(found.map(|row| row.0))
}

/// The place of a tenant's oldest row that is kept when rows before `cutoff` go; `None` when none is.
pub(super) async fn find_first_kept(conn: &mut Conn, tenant: &str, cutoff: Micros) -> Result<Option<i64>> {
    let (seq,): (Option<i64>,) = fetch_one!(
        conn,
        (Option<i64>,),
        "SELECT MIN(seq) FROM audit_log WHERE tenant_id = $1 AND at >= $2",
        tenant,
        cutoff.0,
    )?;
    Ok(seq)
}

/// Makes other writers of the chain wait until this transaction ends.
pub(super) async fn lock_head(tx: &mut Tx, tenant: &str) -> Result<Option<Head>> {
    execute!(tx, "UPDATE audit_heads SET seq = seq WHERE tenant_id = $1", tenant)?;
    find_head(tx, tenant).await
}

/// Removes the rows before the place `first_seq` and keeps the hash of the last of them, so that the rest still verifies.
/// The head must be locked.
pub(super) async fn remove_before(tx: &mut Tx, tenant: &str, first_seq: i64) -> Result<u64> {
    execute!(
        tx,
        "UPDATE audit_heads SET first_seq = CAST($2 AS BIGINT), first_previous_hash =
             (SELECT hash FROM audit_log WHERE tenant_id = $1 AND seq = CAST($2 AS BIGINT) - 1)
         WHERE tenant_id = $1",
        tenant,
        first_seq,
    )?;
    Ok(execute!(tx, "DELETE FROM audit_log WHERE tenant_id = $1 AND seq < $2", tenant, first_seq)?)
}

/// Removes up to `limit` rows without a place from before `cutoff`. The head must be locked.
pub(super) async fn remove_unchained(tx: &mut Tx, tenant: &str, cutoff: Micros, limit: i64) -> Result<u64> {
    let removed = execute!(
        tx,
        "DELETE FROM audit_log WHERE tenant_id = $1 AND audit_id IN (SELECT audit_id FROM audit_log
             WHERE tenant_id = $1 AND seq IS NULL AND at < $2 LIMIT $3)",
        tenant,
        cutoff.0,
        limit,
    )?;
    if removed > 0 {
        execute!(
            tx,
            "UPDATE audit_heads SET unchained = unchained - $1 WHERE tenant_id = $2",
            removed as i64,
            tenant
        )?;
    }
    Ok(removed)
}

/// Counts the rows from before `before` of all tenants in which nothing is held.
pub(super) async fn count_before(conn: &mut Conn, before: Micros) -> Result<i64> {
    let sql = "SELECT COUNT(*) FROM audit_log AS a WHERE a.at < $1
         AND NOT EXISTS (SELECT 1 FROM legal_holds AS h WHERE h.tenant_id = a.tenant_id)";
    Ok(fetch_one!(conn, (i64,), sql, before.0)?.0)
}
