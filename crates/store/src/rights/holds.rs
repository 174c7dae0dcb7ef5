//! The table `legal_holds`: what must be kept, whoever asks for it to go.

use std::collections::BTreeSet;

use kernel::{Error, Micros, Result, TenantId};
use sqlx::FromRow;

use super::{Subject, list_masks};
use crate::{Conn, Tx, execute, fetch_all, fetch_optional};

/// A hold.
#[derive(Clone, Debug, FromRow)]
pub struct Hold {
    /// Its tenant.
    pub tenant_id: String,
    /// `hld_…`
    pub hold_id: String,
    /// The owner or person whose data is kept; `None` keeps all of the tenant.
    pub user_id: Option<String>,
    /// Why, in the words of who placed it.
    pub reason: String,
    /// Id of who placed it.
    pub placed_by: String,
    /// When.
    pub placed_at: i64,
}

/// Lets requests and holds of one tenant pass one after the other, so that neither overlooks the other.
pub(super) async fn lock(tx: &mut Tx, tenant: &TenantId) -> Result<()> {
    execute!(tx, "UPDATE tenants SET created_at = created_at WHERE tenant_id = $1", tenant.as_str())?;
    Ok(())
}

/// Refuses an erasure of anything that is held: a hold on the tenant keeps everybody in it, and a hold on a person keeps the
/// tenant.
///
/// # Errors
/// `legal_hold` with the hold; the engine's.
pub async fn refuse_held(conn: &mut Conn, subject: &Subject) -> Result<()> {
    let held = fetch_optional!(
        conn,
        (String,),
        "SELECT hold_id FROM legal_holds
         WHERE tenant_id = $1 AND ($2 IS NULL OR user_id IS NULL OR user_id = $2) LIMIT 1",
        subject.tenant.as_str(),
        subject.user_id(),
    )?;
    match held {
        Some((hold_id,)) => Err(Error::conflict(
            "legal_hold",
            format!("legal hold {hold_id} keeps this data; an administrator releases the hold first"),
        )),
        None => Ok(()),
    }
}

/// Places a hold on a person or owner of the tenant, or on all of it; answers with its id.
///
/// # Errors
/// `erasure_in_progress` when what is to be kept is going already; the engine's.
pub async fn place_hold(
    tx: &mut Tx,
    tenant: &TenantId,
    user_id: Option<&str>,
    reason: &str,
    placed_by: &str,
    now: Micros,
) -> Result<String> {
    lock(tx, tenant).await?;
    let is_going = |mask: &super::Mask| {
        mask.tenant_id == tenant.as_str()
            && (user_id.is_none() || mask.user_id.is_none() || mask.user_id.as_deref() == user_id)
    };
    if list_masks(tx).await?.iter().any(is_going) {
        let text = "an erasure of this data is running and cannot be stopped; nothing was held";
        return Err(Error::conflict("erasure_in_progress", text));
    }
    let hold_id = kernel::id::new_id("hld", now);
    execute!(
        tx,
        "INSERT INTO legal_holds (tenant_id, hold_id, user_id, reason, placed_by, placed_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        tenant.as_str(),
        &hold_id,
        user_id,
        reason,
        placed_by,
        now.0,
    )?;
    Ok(hold_id)
}

/// The tenants in which anything is held.
///
/// # Errors
/// The engine's.
pub async fn list_held_tenants(conn: &mut Conn) -> Result<BTreeSet<String>> {
    let rows = fetch_all!(conn, (String,), "SELECT DISTINCT tenant_id FROM legal_holds")?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

/// Ends a hold; the audit log keeps that there was one.
///
/// # Errors
/// `not_found`, or the engine's.
pub async fn release_hold(tx: &mut Tx, tenant: &TenantId, hold_id: &str) -> Result<()> {
    let sql = "DELETE FROM legal_holds WHERE tenant_id = $1 AND hold_id = $2";
    match execute!(tx, sql, tenant.as_str(), hold_id)? {
        0 => Err(Error::not_found("legal hold")),
        _ => Ok(()),
    }
}

/// Lists a tenant's holds, newest first.
///
/// # Errors
/// The engine's.
pub async fn list_holds(conn: &mut Conn, tenant: &TenantId) -> Result<Vec<Hold>> {
    Ok(fetch_all!(
        conn,
        Hold,
        "SELECT tenant_id, hold_id, user_id, reason, placed_by, placed_at FROM legal_holds
         WHERE tenant_id = $1 ORDER BY hold_id DESC",
        tenant.as_str(),
    )?)
}
