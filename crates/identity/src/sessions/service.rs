//! Opening, listing and ending sessions.

use ::store::{Conn, Tx};
use kernel::{Ctx, Error, Micros, Result, Role, Secret};

use super::store::{self, EndedSession, ListedSession, NewSession};
use super::{SignIn, SignIns};
use crate::Identity;
use crate::audit::{self, AuditEntry};
use crate::authenticate::NOBODY;
use crate::model::{Known, Origin, PageSession, Session, SessionUser, SignedIn, role_names};
use crate::refresh::store as refresh_rows;
use crate::token::Opaque;

/// Who opens a session, and from where.
pub(crate) struct Opening<'o> {
    pub(crate) known: &'o Known,
    pub(crate) origin: &'o Origin,
}

impl Identity {
    /// Makes a token and its stored hash.
    pub(crate) fn mint(&self, kind: Opaque) -> Result<(Secret, String)> {
        let token = self.tokens.mint(kind);
        let hash = self.tokens.stored_hash(kind, token.expose());
        let hash = hash.ok_or_else(|| Error::internal("a fresh token is ours"))?;
        Ok((token, hash))
    }

    /// Adds a session with its first pair of tokens.
    pub(crate) async fn add_token_session(
        &self,
        tx: &mut Tx,
        opening: &Opening<'_>,
    ) -> Result<(String, SignedIn)> {
        let now = self.now();
        let session_id = kernel::id::new_id("ses", now);
        let expires_at = now.plus(self.config().refresh_ttl);
        let session = new_session(opening, &session_id, "token", None, expires_at);
        store::add_session(tx, &session, now).await?;
        let tokens = self.add_tokens(tx, opening.known, &session_id, now).await?;
        Ok((session_id, tokens))
    }

    /// Makes the next pair of tokens of a session.
    pub(crate) async fn add_tokens(
        &self,
        tx: &mut Tx,
        known: &Known,
        session_id: &str,
        now: Micros,
    ) -> Result<SignedIn> {
        let (refresh, hash) = self.mint(Opaque::Refresh)?;
        let (access_ttl, refresh_ttl) = (self.config().access_ttl, self.config().refresh_ttl);
        let names = (known.tenant.as_str(), known.user_id.as_str(), session_id);
        let access_token = self.tokens.sign_access(names, now, now.plus(access_ttl))?;
        refresh_rows::add_refresh_token(tx, &known.tenant, &hash, session_id, now, now.plus(refresh_ttl))
            .await?;
        Ok(SignedIn {
            access_token,
            refresh_token: refresh.expose().to_owned(),
            token_type: "Bearer",
            expires_in: access_ttl / Micros::SECOND,
            refresh_expires_in: refresh_ttl / Micros::SECOND,
            user: known.person(),
        })
    }

    /// Adds a session that a cookie opens.
    pub(crate) async fn add_page_session(
        &self,
        tx: &mut Tx,
        opening: &Opening<'_>,
    ) -> Result<(String, PageSession)> {
        let now = self.now();
        let session_id = kernel::id::new_id("ses", now);
        let expires_at = now.plus(self.config().refresh_ttl);
        let (cookie, hash) = self.mint(Opaque::Session)?;
        let session = new_session(opening, &session_id, "page", Some(&hash), expires_at);
        store::add_session(tx, &session, now).await?;
        let known = opening.known;
        let session = Session {
            user: session_user(known.tenant.as_str(), &known.user_id, &known.username, known.role),
            scopes: known.role.map(|role| role.scopes().names()).unwrap_or_default(),
            csrf_token: self.tokens.csrf(&session_id),
            expires_at,
        };
        Ok((session_id, PageSession { session, cookie }))
    }

    /// The session behind a call, as the page needs it. A key without a person answers under its own id.
    ///
    /// # Errors
    /// The store's.
    pub async fn page_session(&self, ctx: &Ctx) -> Result<Session> {
        let principal = &ctx.principal;
        let row = {
            let mut conn = self.store.read(&ctx.tenant).await?;
            store::find_open_by_id(&mut conn, ctx.tenant.as_str(), &principal.credential_id).await?
        };
        let (username, expires_at) = match row {
            Some(row) => (row.username, Micros(row.expires_at)),
            None => (principal.id.clone(), self.now().plus(self.config().refresh_ttl)),
        };
        let user_id = principal.user_id.as_deref().unwrap_or(&principal.id);
        Ok(Session {
            user: session_user(ctx.tenant.as_str(), user_id, &username, principal.role),
            scopes: ctx.scopes.names(),
            csrf_token: self.tokens.csrf(&principal.credential_id),
            expires_at,
        })
    }

    /// The caller's own open sessions. A key without a person has none.
    ///
    /// # Errors
    /// The store's.
    pub async fn list_sessions(&self, ctx: &Ctx) -> Result<SignIns> {
        let Some(user_id) = &ctx.principal.user_id else {
            return Ok(SignIns { sessions: Vec::new(), count: 0 });
        };
        let mut conn = self.store.read(&ctx.tenant).await?;
        self.open_sessions(&mut conn, ctx, user_id).await
    }

    /// Open sessions of a person of the caller's tenant.
    pub(crate) async fn open_sessions(&self, conn: &mut Conn, ctx: &Ctx, user_id: &str) -> Result<SignIns> {
        let rows = store::list_sessions(conn, &ctx.tenant, user_id, self.now()).await?;
        let sessions: Vec<SignIn> =
            rows.into_iter().map(|row| sign_in(row, &ctx.principal.credential_id)).collect();
        Ok(SignIns { count: sessions.len(), sessions })
    }

    /// Ends one of the caller's own sessions; its tokens and cookie open nothing any more.
    ///
    /// # Errors
    /// `not_found` when it is absent, ended or somebody else's (which is audited).
    pub async fn end_session(&self, ctx: &Ctx, session_id: &str) -> Result<()> {
        let owner = {
            let mut conn = self.store.read(&ctx.tenant).await?;
            store::find_session_owner(&mut conn, &ctx.tenant, session_id).await?
        };
        Error::unless_foreign("session", owner, |owner| Some(owner) == ctx.principal.user_id.as_ref())?;
        self.close_session(ctx, session_id, "identity.end_session").await
    }

    /// Ends a session that the caller may end.
    ///
    /// # Errors
    /// `not_found` when it has ended already.
    pub(crate) async fn close_session(
        &self,
        ctx: &Ctx,
        session_id: &str,
        action: &'static str,
    ) -> Result<()> {
        let now = self.now();
        let entry = AuditEntry::of(ctx, now, action, format!("session:{session_id}"));
        let (tenant, id) = (ctx.tenant.clone(), session_id.to_owned());
        let ended = self
            .store
            .write(action, &ctx.tenant, move |tx| {
                Box::pin(async move {
                    let ended = store::end_session(tx, tenant.as_str(), &id, now).await?;
                    if ended.is_some() {
                        audit::record(tx, &entry).await?;
                    }
                    Ok(ended)
                })
            })
            .await?;
        let ended = ended.ok_or_else(|| Error::not_found("session"))?;
        self.forget_session(&ended);
        Ok(())
    }

    /// Ends the session behind the call; does nothing for a key.
    ///
    /// # Errors
    /// The store's.
    pub async fn sign_out(&self, ctx: &Ctx) -> Result<()> {
        let id = ctx.principal.credential_id.clone();
        if !kernel::id::is_id("ses", &id) || id == NOBODY {
            return Ok(());
        }
        match self.end_session(ctx, &id).await {
            Err(error) if error.kind == kernel::ErrorKind::NotFound => Ok(()),
            ended => ended,
        }
    }

    /// Forgets an ended session on this server.
    pub(crate) fn forget_session(&self, ended: &EndedSession) {
        self.standings.forget(&format!("token:{}", ended.session_id));
        if let Some(hash) = &ended.secret_hash {
            self.standings.forget(&format!("page:{hash}"));
        }
    }
}

fn new_session<'s>(
    opening: &'s Opening<'_>,
    session_id: &'s str,
    kind: &'static str,
    secret_hash: Option<&'s str>,
    expires_at: Micros,
) -> NewSession<'s> {
    NewSession {
        tenant: &opening.known.tenant,
        session_id,
        user_id: &opening.known.user_id,
        kind,
        secret_hash,
        expires_at,
        address: opening.origin.address.map(|address| address.to_string()),
        user_agent: opening.origin.user_agent.as_deref(),
        key: None,
    }
}

fn session_user(tenant: &str, user_id: &str, username: &str, role: Option<Role>) -> SessionUser {
    SessionUser {
        user_id: user_id.to_owned(),
        tenant_id: tenant.to_owned(),
        tenant_name: tenant.to_owned(),
        username: username.to_owned(),
        roles: role_names(role),
    }
}

fn sign_in(row: ListedSession, current: &str) -> SignIn {
    SignIn {
        current: row.session_id == current,
        session_id: row.session_id,
        kind: row.kind,
        created_at: Micros(row.created_at),
        last_used_at: Micros(row.last_used_at),
        expires_at: Micros(row.expires_at),
        address: row.address,
        user_agent: row.user_agent,
    }
}
