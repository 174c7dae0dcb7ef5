//! The table `api_keys`.

use kernel::{Micros, Result, TenantId};
use sqlx::FromRow;
use store::{Conn, Tx, execute, fetch_all, fetch_optional};

use super::ApiKey;

/// A key that was shown, with what its person and its maker may do now.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct ShownKey {
    pub(crate) tenant_id: String,
    pub(crate) key_id: String,
    pub(crate) name: String,
    pub(crate) scopes: String,
    pub(crate) user_id: Option<String>,
    pub(crate) username: Option<String>,
    pub(crate) user_role: Option<String>,
    /// Present when the maker is a person.
    pub(crate) maker_id: Option<String>,
    pub(crate) maker_role: Option<String>,
    pub(crate) expires_at: Option<i64>,
    pub(crate) last_used_at: Option<i64>,
}

#[derive(FromRow)]
struct Row {
    key_id: String,
    name: String,
    prefix: String,
    scopes: String,
    user_id: Option<String>,
    created_at: i64,
    expires_at: Option<i64>,
    last_used_at: Option<i64>,
    revoked_at: Option<i64>,
}

impl From<Row> for ApiKey {
    fn from(row: Row) -> Self {
        Self {
            key_id: row.key_id,
            name: row.name,
            prefix: row.prefix,
            scopes: serde_json::from_str(&row.scopes).unwrap_or_default(),
            user_id: row.user_id,
            created_at: Micros(row.created_at),
            expires_at: row.expires_at.map(Micros),
            last_used_at: row.last_used_at.map(Micros),
            revoked_at: row.revoked_at.map(Micros),
        }
    }
}

/// By the hash of the key: only who was given it can name it, so the tenant comes out, not in.
pub(crate) async fn find_key_by_hash(conn: &mut Conn, hash: &str) -> Result<Option<ShownKey>> {
    Ok(fetch_optional!(
        conn,
        ShownKey,
        "SELECT k.tenant_id, k.key_id, k.name, k.scopes, k.user_id, u.username, u.role AS user_role,
             m.user_id AS maker_id, m.role AS maker_role, k.expires_at, k.last_used_at
         FROM api_keys AS k
         LEFT JOIN users AS u ON u.user_id = k.user_id AND u.tenant_id = k.tenant_id
         LEFT JOIN users AS m ON m.user_id = k.created_by AND m.tenant_id = k.tenant_id
         WHERE k.key_hash = $1 AND k.revoked_at IS NULL AND u.disabled_at IS NULL AND m.disabled_at IS NULL",
        hash,
    )?)
}

pub(crate) async fn add_key(
    tx: &mut Tx,
    tenant: &TenantId,
    key: &ApiKey,
    hash: &str,
    created_by: &str,
) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO api_keys (tenant_id, key_id, name, prefix, key_hash, scopes, user_id, created_by, created_at,
             expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        tenant.as_str(),
        &key.key_id,
        &key.name,
        &key.prefix,
        hash,
        serde_json::json!(key.scopes).to_string(),
        key.user_id.as_deref(),
        created_by,
        key.created_at.0,
        key.expires_at.map(|at| at.0),
    )?;
    Ok(())
}

/// A key by its id, revoked or not.
pub(crate) async fn find_key(conn: &mut Conn, tenant: &TenantId, key_id: &str) -> Result<Option<ApiKey>> {
    let row = fetch_optional!(
        conn,
        Row,
        "SELECT key_id, name, prefix, scopes, user_id, created_at, expires_at, last_used_at, revoked_at
         FROM api_keys
         WHERE tenant_id = $1 AND key_id = $2",
        tenant.as_str(),
        key_id,
    )?;
    Ok(row.map(ApiKey::from))
}

/// Keys of a tenant, or of one person in it, newest first, beginning after the key `after`.
pub(crate) async fn list_keys(
    conn: &mut Conn,
    tenant: &TenantId,
    user_id: Option<&str>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<ApiKey>> {
    let rows = fetch_all!(
        conn,
        Row,
        "SELECT key_id, name, prefix, scopes, user_id, created_at, expires_at, last_used_at, revoked_at
         FROM api_keys
         WHERE tenant_id = $1 AND ($2 IS NULL OR user_id = $2) AND ($3 IS NULL OR key_id < $3)
         ORDER BY key_id DESC
         LIMIT $4",
        tenant.as_str(),
        user_id,
        after,
        limit,
    )?;
    Ok(rows.into_iter().map(ApiKey::from).collect())
}

/// Revokes a key and answers with its hash; `None` when it was revoked already.
pub(crate) async fn revoke_key(
    tx: &mut Tx,
    tenant: &TenantId,
    key_id: &str,
    now: Micros,
) -> Result<Option<String>> {
    let found = fetch_optional!(
        tx,
        (String,),
        "UPDATE api_keys SET revoked_at = $1
         WHERE tenant_id = $2 AND key_id = $3 AND revoked_at IS NULL
         RETURNING key_hash",
        now.0,
        tenant.as_str(),
        key_id,
    )?;
    Ok(found.map(|row| row.0))
}

/// Notes a use.
pub(crate) async fn update_last_used(
    tx: &mut Tx,
    tenant: &TenantId,
    key_id: &str,
    now: Micros,
) -> Result<()> {
    execute!(
        tx,
        "UPDATE api_keys SET last_used_at = $1
         WHERE tenant_id = $2 AND key_id = $3 AND (last_used_at IS NULL OR last_used_at < $1)",
        now.0,
        tenant.as_str(),
        key_id,
    )?;
    Ok(())
}
