//! Finding what a credential stands for: in memory if it was seen just now, else with one statement.

use ::store::Reach;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use futures::future::BoxFuture;
use kernel::{Micros, Principal, PrincipalKind, Result, Role, Scopes};

use crate::Identity;
use crate::keys::store as key_rows;
use crate::model::{stored_scopes, stored_tenant};
use crate::sessions::store as session_rows;
use crate::standing::{Kind, Standing};
use crate::token::Opaque;

impl Identity {
    /// What a key stands for; `None` when it is unknown or revoked.
    pub(crate) async fn key_standing(&self, key: &str) -> Result<Option<Arc<Standing>>> {
        let Some(hash) = self.tokens.stored_hash(Opaque::ApiKey, key) else {
            return Ok(None);
        };
        let look = async || {
            let mut conn = self.store.read(Reach::Everyone).await?;
            let row = key_rows::find_key_by_hash(&mut conn, &hash).await?;
            row.map(key_standing).transpose()
        };
        self.remembered(format!("key:{hash}"), || Box::pin(look())).await
    }

    /// What a cookie stands for; `None` when its session is unknown or ended.
    pub(crate) async fn page_standing(&self, cookie: &str) -> Result<Option<Arc<Standing>>> {
        let Some(hash) = self.tokens.stored_hash(Opaque::Session, cookie) else {
            return Ok(None);
        };
        let look = async || {
            let mut conn = self.store.read(Reach::Everyone).await?;
            let row = session_rows::find_open_by_secret(&mut conn, &hash).await?;
            row.map(session_standing).transpose()
        };
        self.remembered(format!("page:{hash}"), || Box::pin(look())).await
    }

    /// What an access token stands for; `None` when its session ended or was never this person's.
    ///
    /// # Errors
    /// `invalid_access_token` for a forged or expired one, before any look-up.
    pub(crate) async fn token_standing(&self, token: &str, now: Micros) -> Result<Option<Arc<Standing>>> {
        let claims = self.tokens.read_access(token, now)?;
        let look = async || {
            let mut conn = self.store.read(Reach::Everyone).await?;
            let row = session_rows::find_open_by_id(&mut conn, &claims.tid, &claims.sid).await?;
            row.map(session_standing).transpose()
        };
        let standing = self.remembered(format!("token:{}", claims.sid), || Box::pin(look())).await?;
        let is_same_person = |standing: &Arc<Standing>| {
            standing.kind == Kind::Token
                && standing.tenant.as_str() == claims.tid
                && standing.principal.user_id.as_deref() == Some(&claims.sub)
        };
        Ok(standing.filter(is_same_person))
    }

    /// `look` is made only when it is wanted: a look-up is large, and would be moved with every request.
    async fn remembered<'l>(
        &self,
        shown: String,
        look: impl FnOnce() -> BoxFuture<'l, Result<Option<Standing>>>,
    ) -> Result<Option<Arc<Standing>>> {
        if let Some(standing) = self.standings.get(&shown) {
            return Ok(Some(standing));
        }
        let generation = self.standings.generation();
        let Some(standing) = look().await?.map(Arc::new) else {
            return Ok(None);
        };
        self.standings.remember(shown, standing.clone(), generation);
        Ok(Some(standing))
    }

    /// Writes a use down in the background, at most once a minute for a credential.
    pub(crate) fn note_use(&self, standing: &Standing, now: Micros) {
        if !standing.note_use(now) {
            return;
        }
        let until = (standing.kind == Kind::Page).then(|| now.plus(self.config().refresh_ttl).0);
        if let Some(until) = until {
            standing.expires_at.fetch_max(until, Ordering::Relaxed);
        }
        let (store, kind) = (self.store.clone(), standing.kind);
        let tenant = standing.tenant.clone();
        let reach = Reach::of(&tenant);
        let id = standing.principal.credential_id.clone();
        tokio::spawn(async move {
            let written = store
                .write("identity.note_use", reach, move |tx| {
                    Box::pin(async move {
                        match kind {
                            Kind::ApiKey => key_rows::update_last_used(tx, &tenant, &id, now).await,
                            _ => session_rows::update_last_used(tx, &tenant, &id, now, until).await,
                        }
                    })
                })
                .await;
            if let Err(error) = written {
                tracing::warn!(code = error.code, source = ?error.source, "a credential's use could not be noted");
            }
        });
    }
}

/// A key holds its own scopes, never more than its person and its maker hold now.
fn key_standing(row: key_rows::ShownKey) -> Result<Standing> {
    let held = |id: Option<String>, role: Option<String>| match id {
        Some(_) => role.as_deref().and_then(Role::parse).map_or(Scopes::NONE, Role::scopes),
        None => Scopes::all(),
    };
    let scopes = stored_scopes(&row.scopes)
        .intersect(held(row.user_id.clone(), row.user_role))
        .intersect(held(row.maker_id, row.maker_role));
    Ok(Standing {
        kind: Kind::ApiKey,
        tenant: stored_tenant(&row.tenant_id)?,
        username: row.username.unwrap_or(row.name),
        principal: Arc::new(Principal {
            kind: PrincipalKind::ApiKey,
            id: row.key_id.clone(),
            user_id: row.user_id,
            role: None,
            credential_id: row.key_id,
        }),
        scopes,
        expires_at: AtomicI64::new(row.expires_at.unwrap_or(i64::MAX)),
        last_used_at: AtomicI64::new(row.last_used_at.unwrap_or(0)),
    })
}

/// A session holds what its person's role holds now; one made with a key no more than the key, and no role.
fn session_standing(row: session_rows::OpenSession) -> Result<Standing> {
    let role = row.role.as_deref().and_then(Role::parse);
    let held = role.map_or(Scopes::NONE, Role::scopes);
    let limit = row.scopes.as_deref().map_or(Scopes::all(), stored_scopes);
    Ok(Standing {
        kind: if row.kind == "page" { Kind::Page } else { Kind::Token },
        tenant: stored_tenant(&row.tenant_id)?,
        username: row.username,
        principal: Arc::new(Principal {
            kind: PrincipalKind::User,
            id: row.user_id.clone(),
            user_id: Some(row.user_id),
            role: role.filter(|_| row.scopes.is_none()),
            credential_id: row.session_id,
        }),
        scopes: held.intersect(limit),
        expires_at: AtomicI64::new(row.expires_at),
        last_used_at: AtomicI64::new(row.last_used_at),
    })
}
