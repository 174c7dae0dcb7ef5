//! The tables `exports` and `export_parts`: copies that were asked for, and where their bytes lie.

use kernel::{Error, Micros, Result, TenantId};
use sqlx::FromRow;

use crate::{Conn, Tx, execute, fetch_all, fetch_optional};

/// An export.
#[derive(Clone, Debug, FromRow)]
pub struct ExportRow {
    /// Its tenant.
    pub tenant_id: String,
    /// `exp_…`
    pub export_id: String,
    /// The owner or person; `None` for all of the tenant.
    pub user_id: Option<String>,
    /// Whether objects are in it.
    pub with_objects: bool,
    /// Id of who asked.
    pub requested_by: String,
    /// When.
    pub requested_at: i64,
    /// When it was done.
    pub finished_at: Option<i64>,
    /// Bytes so far.
    pub size_bytes: i64,
    /// SHA-256 of all bytes, when done.
    pub sha256: Option<String>,
}

/// The columns of [`ExportRow`].
macro_rules! export_columns {
    () => {
        "tenant_id, export_id, user_id, with_objects, requested_by, requested_at, finished_at, size_bytes, sha256"
    };
}

/// Some bytes of an export.
#[derive(Clone, Debug, FromRow)]
pub struct ExportPart {
    /// Where they begin.
    pub start_byte: i64,
    /// How many.
    pub size_bytes: i64,
    /// Their object.
    pub blob_key: String,
}

/// Writes a request down; answers with its id.
///
/// # Errors
/// The engine's.
pub async fn add_export(
    tx: &mut Tx,
    tenant: &TenantId,
    user_id: Option<&str>,
    with_objects: bool,
    requested_by: &str,
    now: Micros,
) -> Result<String> {
    let export_id = kernel::id::new_id("exp", now);
    execute!(
        tx,
        "INSERT INTO exports (tenant_id, export_id, user_id, with_objects, requested_by, requested_at, size_bytes)
         VALUES ($1, $2, $3, $4, $5, $6, 0)",
        tenant.as_str(),
        &export_id,
        user_id,
        with_objects,
        requested_by,
        now.0,
    )?;
    Ok(export_id)
}

/// Finds an export of a tenant.
///
/// # Errors
/// The engine's.
pub async fn find_export(conn: &mut Conn, tenant: &TenantId, export_id: &str) -> Result<Option<ExportRow>> {
    Ok(fetch_optional!(
        conn,
        ExportRow,
        concat!("SELECT ", export_columns!(), " FROM exports WHERE tenant_id = $1 AND export_id = $2"),
        tenant.as_str(),
        export_id,
    )?)
}

/// Lists a tenant's exports, newest first; only those that `requested_by` asked for, if given.
///
/// # Errors
/// The engine's.
pub async fn list_exports(
    conn: &mut Conn,
    tenant: &TenantId,
    requested_by: Option<&str>,
    before: Option<&str>,
    limit: i64,
) -> Result<Vec<ExportRow>> {
    Ok(fetch_all!(
        conn,
        ExportRow,
        concat!(
            "SELECT ",
            export_columns!(),
            " FROM exports WHERE tenant_id = $1 AND ($2 IS NULL OR requested_by = $2)
              AND ($3 IS NULL OR export_id < $3) ORDER BY export_id DESC LIMIT $4"
        ),
        tenant.as_str(),
        requested_by,
        before,
        limit,
    )?)
}

/// Takes back the parts of a try that was broken off.
///
/// # Errors
/// The engine's.
pub async fn clear_parts(tx: &mut Tx, tenant: &TenantId, export_id: &str) -> Result<()> {
    let (tenant, id) = (tenant.as_str(), export_id);
    execute!(tx, "DELETE FROM export_parts WHERE tenant_id = $1 AND export_id = $2", tenant, id)?;
    execute!(tx, "UPDATE exports SET size_bytes = 0 WHERE tenant_id = $1 AND export_id = $2", tenant, id)?;
    Ok(())
}

/// Adds the next bytes.
///
/// # Errors
/// `not_found` when the export was removed meanwhile, such as by an erasure; the engine's.
pub async fn add_part(
    tx: &mut Tx,
    tenant: &TenantId,
    export_id: &str,
    size_bytes: i64,
    blob_key: &str,
) -> Result<()> {
    // The lock on the row keeps an erasure and this part apart.
    let start: Option<(i64,)> = fetch_optional!(
        tx,
        (i64,),
        "UPDATE exports SET size_bytes = size_bytes + $3 WHERE tenant_id = $1 AND export_id = $2
         RETURNING size_bytes - $3",
        tenant.as_str(),
        export_id,
        size_bytes,
    )?;
    let (start,) = start.ok_or_else(|| Error::not_found("export"))?;
    execute!(
        tx,
        "INSERT INTO export_parts (tenant_id, export_id, start_byte, size_bytes, blob_key)
         VALUES ($1, $2, $3, $4, $5)",
        tenant.as_str(),
        export_id,
        start,
        size_bytes,
        blob_key,
    )?;
    Ok(())
}

/// Ends an export.
///
/// # Errors
/// The engine's.
pub async fn finish_export(
    tx: &mut Tx,
    tenant: &TenantId,
    export_id: &str,
    sha256: &str,
    now: Micros,
) -> Result<()> {
    execute!(
        tx,
        "UPDATE exports SET sha256 = $1, finished_at = $2 WHERE tenant_id = $3 AND export_id = $4",
        sha256,
        now.0,
        tenant.as_str(),
        export_id,
    )?;
    Ok(())
}

/// The parts of an export in their order.
///
/// # Errors
/// The engine's.
pub async fn list_parts(conn: &mut Conn, tenant: &TenantId, export_id: &str) -> Result<Vec<ExportPart>> {
    Ok(fetch_all!(
        conn,
        ExportPart,
        "SELECT start_byte, size_bytes, blob_key FROM export_parts WHERE tenant_id = $1 AND export_id = $2
         ORDER BY start_byte",
        tenant.as_str(),
        export_id,
    )?)
}

/// Counts the exports from before `before`.
pub(super) async fn count_exports_before(conn: &mut Conn, before: Micros) -> Result<i64> {
    let sql = "SELECT COUNT(*) FROM exports WHERE requested_at < $1";
    Ok(crate::fetch_one!(conn, (i64,), sql, before.0)?.0)
}

/// Removes at most `limit` of them; their objects go when nothing names them.
pub(super) async fn remove_exports_before(tx: &mut Tx, before: Micros, limit: i64) -> Result<u64> {
    execute!(
        tx,
        "DELETE FROM export_parts WHERE export_id IN (
             SELECT export_id FROM exports WHERE requested_at < $1 ORDER BY export_id LIMIT $2)",
        before.0,
        limit,
    )?;
    Ok(execute!(
        tx,
        "DELETE FROM exports WHERE export_id IN (
             SELECT export_id FROM exports WHERE requested_at < $1 ORDER BY export_id LIMIT $2)",
        before.0,
        limit,
    )?)
}
