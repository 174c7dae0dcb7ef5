//! The table `refresh_tokens`.

use kernel::{Micros, Result, TenantId};
use sqlx::FromRow;
use store::{Conn, Tx, execute, fetch_optional};

/// The session of a refresh token.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct TokenSession {
    pub(crate) tenant_id: String,
    pub(crate) session_id: String,
}

pub(crate) async fn add_refresh_token(
    tx: &mut Tx,
    tenant: &TenantId,
    hash: &str,
    session_id: &str,
    now: Micros,
    expires_at: Micros,
) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO refresh_tokens (tenant_id, token_hash, session_id, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5)",
        tenant.as_str(),
        hash,
        session_id,
        now.0,
        expires_at.0,
    )?;
    Ok(())
}

/// Uses a refresh token up. Of any number at once exactly one gets the row: SQLite has one writer, and PostgreSQL makes
/// the others wait for the row and then look at the condition again.
pub(crate) async fn use_refresh_token(tx: &mut Tx, hash: &str, now: Micros) -> Result<Option<TokenSession>> {
    Ok(fetch_optional!(
        tx,
        TokenSession,
        "UPDATE refresh_tokens SET used_at = $1
         WHERE token_hash = $2 AND used_at IS NULL AND expires_at > $1
         RETURNING tenant_id, session_id",
        now.0,
        hash,
    )?)
}

/// The session of a refresh token that was used before.
pub(crate) async fn find_used_refresh_token(conn: &mut Conn, hash: &str) -> Result<Option<TokenSession>> {
    Ok(fetch_optional!(
        conn,
        TokenSession,
        "SELECT tenant_id, session_id FROM refresh_tokens WHERE token_hash = $1 AND used_at IS NOT NULL",
        hash,
    )?)
}

/// The session of a refresh token, used or not.
pub(crate) async fn find_refresh_token(conn: &mut Conn, hash: &str) -> Result<Option<TokenSession>> {
    Ok(fetch_optional!(
        conn,
        TokenSession,
        "SELECT tenant_id, session_id FROM refresh_tokens WHERE token_hash = $1",
        hash,
    )?)
}
