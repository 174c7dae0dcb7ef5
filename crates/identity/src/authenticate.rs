//! The one way in: every kind of credential becomes a context here.

use std::sync::Arc;

use futures::future::BoxFuture;
use httpkit::Credentials;
use kernel::{Ctx, Principal, PrincipalKind, Result, Role, Scopes, Secret, TenantId};

use crate::audit::AuditEntry;
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

    fn record_refusal(&self, ctx: &Ctx, resource: String) -> BoxFuture<'static, ()> {
        let entry = AuditEntry::of(ctx, self.now(), "request", resource);
        let identity = self.clone();
        Box::pin(async move { identity.record_denied(entry).await })
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
        let ctx = Ctx {
            tenant: standing.tenant.clone(),
            principal: standing.principal.clone(),
            scopes: standing.scopes,
            request_id: credentials.request_id,
            address: credentials.address,
        };
        if standing.kind == Kind::Page && !credentials.is_safe_method {
            let checked = async { self.check_csrf(&standing, credentials.csrf.as_deref()) };
            Box::pin(self.audited(&ctx, "identity.check_csrf", "request", checked)).await?;
        }
        self.note_use(&standing, now);
        Ok(ctx)
    }

    /// Whether a credential verifies without a look-up: an access token by signature and expiry, a key or cookie only when
    /// it was seen in the last seconds. A false one counts towards the lock-out of its address, and a locked-out address
    /// is always told no.
    pub fn verify_in_memory(&self, credentials: &Credentials) -> bool {
        let now = self.now();
        let remembered = |prefix: &str, kind: Opaque, text: &str| {
            let hash = self.tokens.stored_hash(kind, text)?;
            let standing = self.standings.get(&format!("{prefix}:{hash}"));
            Some(standing.is_some_and(|standing| standing.is_live(now)))
        };
        // None: false. Some(false): unknown without a look-up.
        let verdict = match shown(credentials) {
            Err(_) | Ok(Shown::Nothing) => return false,
            Ok(Shown::Key(key)) => remembered("key", Opaque::ApiKey, key),
            Ok(Shown::Cookie(cookie)) => remembered("page", Opaque::Session, cookie),
            Ok(Shown::Access(token)) => self.tokens.read_access(token, now).ok().map(|_| true),
        };
        if verdict.is_none() {
            self.throttle.note_shown(credentials.address, now);
        }
        verdict == Some(true) && self.throttle.check_shown(credentials.address, now).is_ok()
    }

    fn check_csrf(&self, standing: &Standing, sent: Option<&str>) -> Result<()> {
        let wanted = self.tokens.csrf(&standing.principal.credential_id);
        match sent {
            Some(sent) if is_same(sent, &wanted) => Ok(()),
            _ => Err(Error::CsrfRequired.into()),
        }
    }
}

/// Finds the one credential; equal copies in several headers count as one.
fn shown(credentials: &Credentials) -> Result<Shown<'_>, Error> {
    let bearer = credentials.bearer.as_ref().map(Secret::expose);
    let headers = credentials.api_keys.iter().map(Secret::expose).chain(bearer);
    let mut headers = headers.filter(|text| !text.is_empty());
    let cookie = credentials.cookie.as_ref().map(Secret::expose).filter(|text| !text.is_empty());
    let Some(first) = headers.next() else {
        return Ok(cookie.map_or(Shown::Nothing, Shown::Cookie));
    };
    if cookie.is_some() || headers.any(|other| other != first) {
        return Err(Error::TwoCredentials);
    }
    let is_access = bearer == Some(first) && !first.starts_with("hk_") && first.matches('.').count() == 2;
    Ok(if is_access && credentials.api_keys.is_empty() { Shown::Access(first) } else { Shown::Key(first) })
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
