//! The tables `tenants`, `users`, `invitations` and `setup_tokens`, as sign-up and sign-in use them.

use kernel::{Error, Micros, Result, Role, TenantId};
use sqlx::FromRow;
use store::{Conn, Tx, execute, fetch_all, fetch_optional};

/// An account at sign-in.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Account {
    pub(crate) user_id: String,
    pub(crate) username: String,
    pub(crate) password_hash: String,
    pub(crate) role: Option<String>,
}

/// An account to add.
#[derive(Clone, Debug)]
pub(crate) struct NewAccount {
    pub(crate) tenant: TenantId,
    pub(crate) user_id: String,
    pub(crate) username: String,
    pub(crate) email: Option<String>,
    pub(crate) password_hash: String,
    pub(crate) role: Option<Role>,
}

/// An invitation that may still be used.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct OpenInvitation {
    pub(crate) tenant_id: String,
    pub(crate) invitation_id: String,
    pub(crate) role: String,
}

pub(crate) async fn find_account(
    conn: &mut Conn,
    tenant: &TenantId,
    username: &str,
) -> Result<Option<Account>> {
    Ok(fetch_optional!(
        conn,
        Account,
        "SELECT user_id, username, password_hash, role FROM users
         WHERE tenant_id = $1 AND username = $2 AND disabled_at IS NULL",
        tenant.as_str(),
        username,
    )?)
}

/// The name of the tenant that was made first.
pub(crate) async fn find_first_tenant(conn: &mut Conn) -> Result<Option<String>> {
    let sql = "SELECT tenant_id FROM tenants ORDER BY created_at, tenant_id LIMIT 1";
    Ok(fetch_optional!(conn, (String,), sql)?.map(|row| row.0))
}

/// The names of all tenants.
pub(crate) async fn list_tenants(conn: &mut Conn) -> Result<Vec<String>> {
    let rows = fetch_all!(conn, (String,), "SELECT tenant_id FROM tenants ORDER BY tenant_id")?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

/// Adds an account; the unique index on the name decides between two at once.
///
/// # Errors
/// `username_taken`.
pub(crate) async fn add_account(tx: &mut Tx, account: &NewAccount, now: Micros) -> Result<()> {
    let added = execute!(
        tx,
        "INSERT INTO users (tenant_id, user_id, username, email, password_hash, role, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (tenant_id, username) DO NOTHING",
        account.tenant.as_str(),
        &account.user_id,
        &account.username,
        account.email.as_deref(),
        &account.password_hash,
        account.role.map(Role::as_str),
        now.0,
    )?;
    if added == 0 {
        return Err(crate::Error::UsernameTaken.into());
    }
    Ok(())
}

pub(crate) async fn has_tenant(conn: &mut Conn, tenant: &TenantId) -> Result<bool> {
    let found = fetch_optional!(
        conn,
        (String,),
        "SELECT tenant_id FROM tenants WHERE tenant_id = $1",
        tenant.as_str()
    )?;
    Ok(found.is_some())
}

/// Adds a tenant; true when it is new.
pub(crate) async fn add_tenant(tx: &mut Tx, tenant: &TenantId, now: Micros) -> Result<bool> {
    let added = execute!(
        tx,
        "INSERT INTO tenants (tenant_id, created_at) VALUES ($1, $2) ON CONFLICT (tenant_id) DO NOTHING",
        tenant.as_str(),
        now.0,
    )?;
    Ok(added == 1)
}

/// Whether any tenant has an owner.
pub(crate) async fn has_owner(conn: &mut Conn) -> Result<bool> {
    let found = fetch_optional!(
        conn,
        (String,),
        "SELECT user_id FROM users WHERE role = 'owner' AND disabled_at IS NULL LIMIT 1"
    )?;
    Ok(found.is_some())
}

/// Makes every other set-up wait until this transaction ends: on PostgreSQL two could otherwise both see no owner. The
/// row with the empty hash opens nothing, for no token hashes to it.
pub(crate) async fn lock_setup(tx: &mut Tx, now: Micros) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO setup_tokens (token_hash, created_at, expires_at, used_at) VALUES ('', $1, 0, $1)
         ON CONFLICT (token_hash) DO UPDATE SET used_at = excluded.used_at",
        now.0,
    )?;
    Ok(())
}

/// Adds a set-up token and voids those before it.
pub(crate) async fn add_setup_token(tx: &mut Tx, hash: &str, now: Micros, expires_at: Micros) -> Result<()> {
    execute!(tx, "UPDATE setup_tokens SET used_at = $1 WHERE used_at IS NULL", now.0)?;
    execute!(
        tx,
        "INSERT INTO setup_tokens (token_hash, created_at, expires_at) VALUES ($1, $2, $3)",
        hash,
        now.0,
        expires_at.0,
    )?;
    Ok(())
}

/// Uses a set-up token up; false when it is unknown, used or expired.
pub(crate) async fn use_setup_token(tx: &mut Tx, hash: &str, now: Micros) -> Result<bool> {
    let used = execute!(
        tx,
        "UPDATE setup_tokens SET used_at = $1 WHERE token_hash = $2 AND used_at IS NULL AND expires_at > $1",
        now.0,
        hash,
    )?;
    Ok(used == 1)
}

/// Whether a set-up token could be used now.
pub(crate) async fn has_setup_token(conn: &mut Conn, hash: &str, now: Micros) -> Result<bool> {
    let found = fetch_optional!(
        conn,
        (String,),
        "SELECT token_hash FROM setup_tokens WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2",
        hash,
        now.0,
    )?;
    Ok(found.is_some())
}

pub(crate) async fn find_invitation(
    conn: &mut Conn,
    hash: &str,
    now: Micros,
) -> Result<Option<OpenInvitation>> {
    Ok(fetch_optional!(
        conn,
        OpenInvitation,
        "SELECT tenant_id, invitation_id, role FROM invitations
         WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2",
        hash,
        now.0,
    )?)
}

/// Uses an invitation up; `None` when it is unknown, used or expired.
pub(crate) async fn use_invitation(tx: &mut Tx, hash: &str, now: Micros) -> Result<Option<OpenInvitation>> {
    Ok(fetch_optional!(
        tx,
        OpenInvitation,
        "UPDATE invitations SET used_at = $1
         WHERE token_hash = $2 AND used_at IS NULL AND expires_at > $1
         RETURNING tenant_id, invitation_id, role",
        now.0,
        hash,
    )?)
}

/// A role from our own rows.
///
/// # Errors
/// A defect: the row was not written by us.
pub(crate) fn stored_role(name: &str) -> Result<Role> {
    Role::parse(name).ok_or_else(|| Error::internal(format!("unknown role {name}")))
}
