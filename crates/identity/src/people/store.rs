//! The table `users`, as administration uses it.

use kernel::{Micros, Result, Role, TenantId};
use sqlx::FromRow;
use store::{Conn, Tx, execute, fetch_all, fetch_one, fetch_optional};

use super::User;

#[derive(FromRow)]
struct Row {
    user_id: String,
    username: String,
    email: Option<String>,
    role: Option<String>,
    created_at: i64,
    disabled_at: Option<i64>,
}

impl From<Row> for User {
    fn from(row: Row) -> Self {
        Self {
            user_id: row.user_id,
            username: row.username,
            email: row.email,
            role: row.role,
            created_at: Micros(row.created_at),
            disabled_at: row.disabled_at.map(Micros),
        }
    }
}

/// People of a tenant in the order they came, beginning after `after`.
pub(super) async fn list_users(
    conn: &mut Conn,
    tenant: &TenantId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<User>> {
    let rows = fetch_all!(
        conn,
        Row,
        "SELECT user_id, username, email, role, created_at, disabled_at FROM users
         WHERE tenant_id = $1 AND ($2 IS NULL OR user_id > $2)
         ORDER BY user_id
         LIMIT $3",
        tenant.as_str(),
        after,
        limit,
    )?;
    Ok(rows.into_iter().map(User::from).collect())
}

pub(super) async fn find_user(conn: &mut Conn, tenant: &TenantId, user_id: &str) -> Result<Option<User>> {
    let row = fetch_optional!(
        conn,
        Row,
        "SELECT user_id, username, email, role, created_at, disabled_at FROM users
         WHERE tenant_id = $1 AND user_id = $2",
        tenant.as_str(),
        user_id,
    )?;
    Ok(row.map(User::from))
}

/// Makes other changes of roles in the tenant wait until this transaction ends: on PostgreSQL two owners could otherwise
/// demote each other at once.
pub(super) async fn lock_roles(tx: &mut Tx, tenant: &TenantId) -> Result<()> {
    execute!(tx, "UPDATE tenants SET created_at = created_at WHERE tenant_id = $1", tenant.as_str())?;
    Ok(())
}

pub(super) async fn count_owners(conn: &mut Conn, tenant: &TenantId) -> Result<i64> {
    let (count,) = fetch_one!(
        conn,
        (i64,),
        "SELECT COUNT(*) FROM users WHERE tenant_id = $1 AND role = 'owner' AND disabled_at IS NULL",
        tenant.as_str()
    )?;
    Ok(count)
}

pub(super) async fn update_role(
    tx: &mut Tx,
    tenant: &TenantId,
    user_id: &str,
    role: Option<Role>,
) -> Result<()> {
    execute!(
        tx,
        "UPDATE users SET role = $1 WHERE tenant_id = $2 AND user_id = $3",
        role.map(Role::as_str),
        tenant.as_str(),
        user_id,
    )?;
    Ok(())
}

/// Closes an account from an instant on, or opens it again.
pub(super) async fn update_disabled(
    tx: &mut Tx,
    tenant: &TenantId,
    user_id: &str,
    since: Option<Micros>,
) -> Result<()> {
    execute!(
        tx,
        "UPDATE users SET disabled_at = $1 WHERE tenant_id = $2 AND user_id = $3",
        since.map(|at| at.0),
        tenant.as_str(),
        user_id,
    )?;
    Ok(())
}
