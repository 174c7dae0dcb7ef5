//! The table `sessions`.

use kernel::{Micros, Result, TenantId};
use sqlx::FromRow;
use store::{Conn, Tx, execute, fetch_all, fetch_one, fetch_optional};

/// A session to add.
#[derive(Clone, Debug)]
pub(crate) struct NewSession<'s> {
    pub(crate) tenant: &'s TenantId,
    pub(crate) session_id: &'s str,
    pub(crate) user_id: &'s str,
    /// `page`, `token` or `key`.
    pub(crate) kind: &'static str,
    pub(crate) secret_hash: Option<&'s str>,
    pub(crate) expires_at: Micros,
    pub(crate) address: Option<String>,
    pub(crate) user_agent: Option<&'s str>,
    /// The key that made it, and the most it may do.
    pub(crate) key: Option<(&'s str, &'s str)>,
}

/// A session that has not been ended, with its person.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct OpenSession {
    pub(crate) tenant_id: String,
    pub(crate) session_id: String,
    pub(crate) user_id: String,
    pub(crate) username: String,
    pub(crate) role: Option<String>,
    pub(crate) kind: String,
    pub(crate) scopes: Option<String>,
    pub(crate) expires_at: i64,
    pub(crate) last_used_at: i64,
}

/// A session as a list shows it.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct ListedSession {
    pub(crate) session_id: String,
    pub(crate) kind: String,
    pub(crate) created_at: i64,
    pub(crate) last_used_at: i64,
    pub(crate) expires_at: i64,
    pub(crate) address: Option<String>,
    pub(crate) user_agent: Option<String>,
}

/// A session that was ended just now, and whose.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct EndedSession {
    pub(crate) session_id: String,
    pub(crate) user_id: String,
    pub(crate) secret_hash: Option<String>,
}

pub(crate) async fn add_session(tx: &mut Tx, session: &NewSession<'_>, now: Micros) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO sessions (tenant_id, session_id, user_id, kind, secret_hash, created_at, last_used_at, expires_at,
             address, user_agent, key_id, scopes)
         VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8, $9, $10, $11)",
        session.tenant.as_str(),
        session.session_id,
        session.user_id,
        session.kind,
        session.secret_hash,
        now.0,
        session.expires_at.0,
        session.address.as_deref(),
        session.user_agent,
        session.key.map(|key| key.0),
        session.key.map(|key| key.1),
    )?;
    Ok(())
}

pub(crate) async fn find_open_by_id(
    conn: &mut Conn,
    tenant: &str,
    session_id: &str,
) -> Result<Option<OpenSession>> {
    Ok(fetch_optional!(
        conn,
        OpenSession,
        "SELECT s.tenant_id, s.session_id, s.user_id, u.username, u.role, s.kind, s.scopes, s.expires_at, s.last_used_at
         FROM sessions AS s JOIN users AS u ON u.user_id = s.user_id AND u.tenant_id = s.tenant_id
         WHERE s.tenant_id = $1 AND s.session_id = $2 AND s.ended_at IS NULL AND u.disabled_at IS NULL",
        tenant,
        session_id,
    )?)
}

/// By the hash of its cookie: only who was given it can name it, so the tenant comes out, not in.
pub(crate) async fn find_open_by_secret(conn: &mut Conn, secret_hash: &str) -> Result<Option<OpenSession>> {
    Ok(fetch_optional!(
        conn,
        OpenSession,
        "SELECT s.tenant_id, s.session_id, s.user_id, u.username, u.role, s.kind, s.scopes, s.expires_at, s.last_used_at
         FROM sessions AS s JOIN users AS u ON u.user_id = s.user_id AND u.tenant_id = s.tenant_id
         WHERE s.secret_hash = $1 AND s.ended_at IS NULL AND u.disabled_at IS NULL",
        secret_hash,
    )?)
}

/// Whose session it is, ended or not.
pub(crate) async fn find_session_owner(
    conn: &mut Conn,
    tenant: &TenantId,
    session_id: &str,
) -> Result<Option<String>> {
    let found = fetch_optional!(
        conn,
        (String,),
        "SELECT user_id FROM sessions WHERE tenant_id = $1 AND session_id = $2",
        tenant.as_str(),
        session_id,
    )?;
    Ok(found.map(|row| row.0))
}

/// Open sessions of a person, newest first.
pub(crate) async fn list_sessions(
    conn: &mut Conn,
    tenant: &TenantId,
    user_id: &str,
    now: Micros,
) -> Result<Vec<ListedSession>> {
    Ok(fetch_all!(
        conn,
        ListedSession,
        "SELECT session_id, kind, created_at, last_used_at, expires_at, address, user_agent
         FROM sessions
         WHERE tenant_id = $1 AND user_id = $2 AND ended_at IS NULL AND expires_at > $3
         ORDER BY created_at DESC, session_id DESC
         LIMIT 200",
        tenant.as_str(),
        user_id,
        now.0,
    )?)
}

/// Ends a session; `None` when it was ended already or is not there.
pub(crate) async fn end_session(
    tx: &mut Tx,
    tenant: &str,
    session_id: &str,
    now: Micros,
) -> Result<Option<EndedSession>> {
    Ok(fetch_optional!(
        tx,
        EndedSession,
        "UPDATE sessions SET ended_at = $1
         WHERE tenant_id = $2 AND session_id = $3 AND ended_at IS NULL
         RETURNING session_id, user_id, secret_hash",
        now.0,
        tenant,
        session_id,
    )?)
}

/// Ends every session that a key made.
pub(crate) async fn end_sessions_of_key(
    tx: &mut Tx,
    tenant: &TenantId,
    key_id: &str,
    now: Micros,
) -> Result<u64> {
    Ok(execute!(
        tx,
        "UPDATE sessions SET ended_at = $1 WHERE tenant_id = $2 AND key_id = $3 AND ended_at IS NULL",
        now.0,
        tenant.as_str(),
        key_id,
    )?)
}

/// Ends every session of a person.
pub(crate) async fn end_sessions_of_user(
    tx: &mut Tx,
    tenant: &TenantId,
    user_id: &str,
    now: Micros,
) -> Result<u64> {
    Ok(execute!(
        tx,
        "UPDATE sessions SET ended_at = $1 WHERE tenant_id = $2 AND user_id = $3 AND ended_at IS NULL",
        now.0,
        tenant.as_str(),
        user_id,
    )?)
}

/// Ends every session there is, of all tenants.
pub(crate) async fn end_every_session(tx: &mut Tx, now: Micros) -> Result<u64> {
    Ok(execute!(tx, "UPDATE sessions SET ended_at = $1 WHERE ended_at IS NULL", now.0)?)
}

/// Notes a use; `until` moves the end, never backwards.
pub(crate) async fn update_last_used(
    tx: &mut Tx,
    tenant: &TenantId,
    session_id: &str,
    now: Micros,
    until: Option<i64>,
) -> Result<()> {
    execute!(
        tx,
        "UPDATE sessions
         SET last_used_at = CASE WHEN last_used_at < $1 THEN $1 ELSE last_used_at END,
             expires_at = CASE WHEN expires_at < $2 THEN $2 ELSE expires_at END
         WHERE tenant_id = $3 AND session_id = $4 AND ended_at IS NULL",
        now.0,
        until.unwrap_or(0),
        tenant.as_str(),
        session_id,
    )?;
    Ok(())
}

/// Ended sessions from before `$1` that no legal hold keeps.
macro_rules! ended_sessions {
    () => {
        " FROM sessions AS s WHERE COALESCE(s.ended_at, s.expires_at) < $1 AND NOT EXISTS ( \
             SELECT 1 FROM legal_holds AS h WHERE h.tenant_id = s.tenant_id \
             AND (h.user_id IS NULL OR h.user_id = s.user_id))"
    };
}

/// Counts the sessions that ended, or were not used any more, before `before`.
pub(crate) async fn count_ended(conn: &mut Conn, before: Micros) -> Result<i64> {
    let sql = concat!("SELECT COUNT(*)", ended_sessions!());
    Ok(fetch_one!(conn, (i64,), sql, before.0)?.0)
}

/// Removes at most `limit` of them, with their refresh tokens.
pub(crate) async fn remove_ended(tx: &mut Tx, before: Micros, limit: i64) -> Result<u64> {
    execute!(
        tx,
        concat!(
            "DELETE FROM refresh_tokens WHERE session_id IN (SELECT s.session_id",
            ended_sessions!(),
            " ORDER BY s.session_id LIMIT $2)"
        ),
        before.0,
        limit,
    )?;
    Ok(execute!(
        tx,
        concat!(
            "DELETE FROM sessions WHERE session_id IN (SELECT s.session_id",
            ended_sessions!(),
            " ORDER BY s.session_id LIMIT $2)"
        ),
        before.0,
        limit,
    )?)
}
