//! The one way in: every kind of credential becomes a context here.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use futures::future::BoxFuture;
use httpkit::Credentials;
use kernel::{Ctx, Micros, Principal, PrincipalKind, Result, Role, Scopes, Secret, TenantId};

use crate::keys::store as key_rows;
use crate::model::{stored_scopes, stored_tenant};
use crate::sessions::store as session_rows;
use crate::standing::{Kind, Standing};
use crate::token::{Opaque, is_same};
use crate::{Error, Identity};

/// Who everybody is when sign-in is off.
pub(crate) const NOBODY: &str = "local";

/// The one credential of a request.
enum Shown<'c> {
    Nothing,
    Key(&'c str),
    Access(&'c str),
    Cookie(&'c str),
}

impl httpkit::Authenticate for Identity {
    fn authenticate(&self, credentials: Credentials) -> BoxFuture<'_, Result<Ctx>> {
        Box::pin(Identity::authenticate(self, credentials))
    }

    fn verify_in_memory(&self, credentials: &Credentials) -> bool {
        Identity::verify_in_memory(self, credentials)
    }
}

impl Identity {
    /// Turns the credentials of a request into a context. Asks the database at most once, and for a credential seen in
    /// the last five seconds not at all; notes the use in the background.
    ///
    /// # Errors
    /// 401 `credential_missing`, `invalid_api_key`, `invalid_access_token` or `session_ended`; 400 `two_credentials`;
    /// 403 `csrf_required` for a cookie on an unsafe method. Routes that answer a wrong key with 403 map the code
    /// `invalid_api_key` themselves.
    pub async fn authenticate(&self, credentials: Credentials) -> Result<Ctx> {
        let now = self.now();
        let (standing, refusal) = match shown(&credentials)? {
            // A cookie of the time before sign-in was switched off must not lock its browser out.
            Shown::Nothing | Shown::Cookie(_) if !self.config().require_authentication => {
                return Ok(local_owner(&credentials));
            }
            Shown::Nothing => return Err(Error::CredentialMissing.into()),
            Shown::Key(key) => (self.key_standing(key).await?, Error::KeyRefused),
            Shown::Access(token) => (self.token_standing(token, now).await?, Error::TokenRefused),
            Shown::Cookie(cookie) => (self.page_standing(cookie).await?, Error::SessionRefused),
        };
        let standing = standing.filter(|standing| standing.is_live(now)).ok_or(refusal)?;
        if standing.kind == Kind::Page && !credentials.is_safe_method {
            self.check_csrf(&standing, credentials.csrf.as_deref())?;
        }
        self.note_use(&standing, now);
        Ok(Ctx {
            tenant: standing.tenant.clone(),
            principal: standing.principal.clone(),
            scopes: standing.scopes,
            request_id: credentials.request_id,
            address: credentials.address,
        })
    }

    /// Whether a credential verifies without a look-up: an access token by signature and expiry, a key or cookie only when
    /// it was seen in the last seconds. A false one counts towards the lock-out of its address, and a locked-out address
    /// is always told no.
    pub fn verify_in_memory(&self, credentials: &Credentials) -> bool {
        let now = self.now();
        let remembered = |prefix: &str, kind: Opaque, text: &str| match self.tokens.stored_hash(kind, text) {
            Some(hash) => Some(
                self.standings
                    .get(&format!("{prefix}:{hash}"))
                    .is_some_and(|standing| standing.is_live(now)),
            ),
            None => None,
        };
        // None: false. Some(false): unknown without a look-up.
        let verdict = match shown(credentials) {
            Err(_) | Ok(Shown::Nothing) => return false,
            Ok(Shown::Key(key)) => remembered("key", Opaque::ApiKey, key),
            Ok(Shown::Cookie(cookie)) => remembered("page", Opaque::Session, cookie),
            Ok(Shown::Access(token)) => self.tokens.read_access(token, now).ok().map(|_| true),
        };
        if verdict.is_none() {
            self.throttle.fail_address(credentials.address, now);
        }
        verdict == Some(true) && !self.throttle.is_locked(credentials.address, now)
    }

    fn check_csrf(&self, standing: &Standing, sent: Option<&str>) -> Result<()> {
        let wanted = self.tokens.csrf(&standing.principal.credential_id);
        match sent {
            Some(sent) if is_same(sent, &wanted) => Ok(()),
            _ => Err(Error::CsrfRequired.into()),
        }
    }

    async fn key_standing(&self, key: &str) -> Result<Option<Arc<Standing>>> {
        let Some(hash) = self.tokens.stored_hash(Opaque::ApiKey, key) else {
            return Ok(None);
        };
        let shown = format!("key:{hash}");
        if let Some(standing) = self.standings.get(&shown) {
            return Ok(Some(standing));
        }
        let generation = self.standings.generation();
        let mut conn = self.store.read().await?;
        let Some(row) = key_rows::find_key_by_hash(&mut conn, &hash).await? else {
            return Ok(None);
        };
        let standing = Arc::new(key_standing(row)?);
        self.standings.remember(shown, standing.clone(), generation);
        Ok(Some(standing))
    }

    pub(crate) async fn token_standing(&self, token: &str, now: Micros) -> Result<Option<Arc<Standing>>> {
        let claims = self.tokens.read_access(token, now)?;
        let shown = format!("token:{}", claims.sid);
        let standing = match self.standings.get(&shown) {
            Some(standing) => Some(standing),
            None => {
                let generation = self.standings.generation();
                let mut conn = self.store.read().await?;
                match session_rows::find_open_by_id(&mut conn, &claims.tid, &claims.sid).await? {
                    Some(row) => {
                        let standing = Arc::new(session_standing(row)?);
                        self.standings.remember(shown, standing.clone(), generation);
                        Some(standing)
                    }
                    None => None,
                }
            }
        };
        let is_same_person = |standing: &Arc<Standing>| {
            standing.kind == Kind::Token
                && standing.tenant.as_str() == claims.tid
                && standing.principal.user_id.as_deref() == Some(&claims.sub)
        };
        Ok(standing.filter(is_same_person))
    }

    async fn page_standing(&self, cookie: &str) -> Result<Option<Arc<Standing>>> {
        let Some(hash) = self.tokens.stored_hash(Opaque::Session, cookie) else {
            return Ok(None);
        };
        let shown = format!("page:{hash}");
        if let Some(standing) = self.standings.get(&shown) {
            return Ok(Some(standing));
        }
        let generation = self.standings.generation();
        let mut conn = self.store.read().await?;
        let Some(row) = session_rows::find_open_by_secret(&mut conn, &hash).await? else {
            return Ok(None);
        };
        let standing = Arc::new(session_standing(row)?);
        self.standings.remember(shown, standing.clone(), generation);
        Ok(Some(standing))
    }

    /// Writes a use down in the background, at most once a minute for a credential.
    fn note_use(&self, standing: &Standing, now: Micros) {
        if !standing.note_use(now) {
            return;
        }
        let until = (standing.kind == Kind::Page).then(|| now.plus(self.config().refresh_ttl).0);
        if let Some(until) = until {
            standing.expires_at.fetch_max(until, Ordering::Relaxed);
        }
        let (store, kind) = (self.store.clone(), standing.kind);
        let tenant = standing.tenant.clone();
        let id = standing.principal.credential_id.clone();
        tokio::spawn(async move {
            let written = store
                .write("identity.note_use", move |tx| {
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

/// Finds the one credential; equal copies in several headers count as one.
fn shown(credentials: &Credentials) -> Result<Shown<'_>, Error> {
    let bearer = credentials.bearer.as_ref().map(Secret::expose);
    let headers = credentials.api_keys.iter().map(Secret::expose).chain(bearer);
    let mut headers = headers.filter(|text| !text.is_empty());
    let cookie = credentials
        .cookie
        .as_ref()
        .map(Secret::expose)
        .filter(|text| !text.is_empty());
    let Some(first) = headers.next() else {
        return Ok(cookie.map_or(Shown::Nothing, Shown::Cookie));
    };
    if cookie.is_some() || headers.any(|other| other != first) {
        return Err(Error::TwoCredentials);
    }
    let is_access = bearer == Some(first) && !first.starts_with("hk_") && first.matches('.').count() == 2;
    Ok(if is_access && credentials.api_keys.is_empty() {
        Shown::Access(first)
    } else {
        Shown::Key(first)
    })
}

fn local_owner(credentials: &Credentials) -> Ctx {
    Ctx {
        tenant: TenantId::parse("default").expect("the name keeps the rules"),
        principal: Arc::new(Principal {
            kind: PrincipalKind::User,
            id: NOBODY.to_owned(),
            user_id: None,
            role: Some(Role::Owner),
            credential_id: NOBODY.to_owned(),
        }),
        scopes: Scopes::all(),
        request_id: credentials.request_id.clone(),
        address: credentials.address,
    }
}

/// A key holds its own scopes, never more than its person and its maker hold now.
fn key_standing(row: key_rows::ShownKey) -> Result<Standing> {
    let held = |id: Option<String>, role: Option<String>| match id {
        Some(_) => role
            .as_deref()
            .and_then(Role::parse)
            .map_or(Scopes::NONE, Role::scopes),
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
        kind: if row.kind == "page" {
            Kind::Page
        } else {
            Kind::Token
        },
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
