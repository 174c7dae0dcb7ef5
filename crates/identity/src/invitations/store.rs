//! The table `invitations`, as administration uses it; sign-up uses one up in `accounts`.

use kernel::{Micros, Result, Role, TenantId};
use sqlx::FromRow;
use store::{Conn, Tx, execute, fetch_all, fetch_one};

use super::ListedInvitation;

#[derive(FromRow)]
struct Row {
    invitation_id: String,
    role: String,
    created_by: String,
    created_at: i64,
    expires_at: i64,
    used_at: Option<i64>,
}

impl From<Row> for ListedInvitation {
    fn from(row: Row) -> Self {
        Self {
            invitation_id: row.invitation_id,
            role: row.role,
            created_by: row.created_by,
            created_at: Micros(row.created_at),
            expires_at: Micros(row.expires_at),
            used_at: row.used_at.map(Micros),
        }
    }
}

/// An invitation to add.
pub(super) struct NewInvitation<'i> {
    pub(super) invitation_id: &'i str,
    pub(super) token_hash: &'i str,
    pub(super) role: Role,
    pub(super) created_by: &'i str,
    pub(super) expires_at: Micros,
}

pub(super) async fn add_invitation(
    tx: &mut Tx,
    tenant: &TenantId,
    invitation: &NewInvitation<'_>,
    now: Micros,
) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO invitations (tenant_id, invitation_id, token_hash, role, created_by, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        tenant.as_str(),
        invitation.invitation_id,
        invitation.token_hash,
        invitation.role.as_str(),
        invitation.created_by,
        now.0,
        invitation.expires_at.0,
    )?;
    Ok(())
}

/// Invitations of a tenant, newest first, beginning after `after`.
pub(super) async fn list_invitations(
    conn: &mut Conn,
    tenant: &TenantId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<ListedInvitation>> {
    let rows = fetch_all!(
        conn,
        Row,
        "SELECT invitation_id, role, created_by, created_at, expires_at, used_at FROM invitations
         WHERE tenant_id = $1 AND ($2 IS NULL OR invitation_id < $2)
         ORDER BY invitation_id DESC
         LIMIT $3",
        tenant.as_str(),
        after,
        limit,
    )?;
    Ok(rows.into_iter().map(ListedInvitation::from).collect())
}

/// Removes an invitation that nobody has used; false when there is none.
pub(super) async fn remove_unused(tx: &mut Tx, tenant: &TenantId, invitation_id: &str) -> Result<bool> {
    let removed = execute!(
        tx,
        "DELETE FROM invitations WHERE tenant_id = $1 AND invitation_id = $2 AND used_at IS NULL",
        tenant.as_str(),
        invitation_id,
    )?;
    Ok(removed == 1)
}

/// Invitations that ended before `$1`, in tenants that no legal hold keeps.
macro_rules! ended_invitations {
    () => {
        " FROM invitations AS i WHERE COALESCE(i.used_at, i.expires_at) < $1 AND NOT EXISTS ( \
             SELECT 1 FROM legal_holds AS h WHERE h.tenant_id = i.tenant_id AND h.user_id IS NULL)"
    };
}

/// Counts the invitations that were used, or ran out, before `before`.
pub(crate) async fn count_ended(conn: &mut Conn, before: Micros) -> Result<i64> {
    let sql = concat!("SELECT COUNT(*)", ended_invitations!());
    Ok(fetch_one!(conn, (i64,), sql, before.0)?.0)
}

/// Removes at most `limit` of them.
pub(crate) async fn remove_ended(tx: &mut Tx, before: Micros, limit: i64) -> Result<u64> {
    Ok(execute!(
        tx,
        concat!(
            "DELETE FROM invitations WHERE invitation_id IN (SELECT i.invitation_id",
            ended_invitations!(),
            " ORDER BY i.invitation_id LIMIT $2)"
        ),
        before.0,
        limit,
    )?)
}
