//! Rules of keys: never more than their maker, shown once, gone when revoked.

use ::store::Reach;
use kernel::{Ctx, Cursor, Error, Micros, Page, PageRequest, PrincipalKind, Result, Scope, Scopes};

use super::store;
use super::{ActsFor, ApiKey, NewApiKey, NewKey};
use crate::audit::{self, AuditEntry};
use crate::token::Opaque;
use crate::{Identity, validate};

impl Identity {
    /// Makes a key. The answer is the only place where it can be read.
    ///
    /// # Errors
    /// `validation_failed`; `beyond_maker` for a scope that the caller lacks; `forbidden` for a key that acts for anyone
    /// without the scope `admin`. Both refusals are audited.
    pub async fn create_key(&self, ctx: &Ctx, request: NewApiKey) -> Result<NewKey> {
        self.audited(ctx, "identity.create_key", "api_keys", async {
            validate::key_name(&request.name)?;
            let scopes = given_scopes(ctx, &request.scopes)?;
            let user_id = acts_for(ctx, request.acts_for)?;
            if request.expires_at.is_some_and(|at| at <= self.now()) {
                return Err(Error::field("expires_at", "is in the future"));
            }
            self.add_key(ctx, request, scopes, user_id).await
        })
        .await
    }

    async fn add_key(
        &self,
        ctx: &Ctx,
        request: NewApiKey,
        scopes: Scopes,
        user_id: Option<String>,
    ) -> Result<NewKey> {
        let now = self.now();
        let (secret, hash) = self.mint(Opaque::ApiKey)?;
        let mut key = ApiKey {
            key_id: kernel::id::new_id("key", now),
            name: request.name,
            prefix: secret.expose()[..10].to_owned(),
            scopes: scopes.names().into_iter().map(str::to_owned).collect(),
            user_id,
            created_at: now,
            expires_at: request.expires_at,
            last_used_at: None,
            revoked_at: None,
        };
        let (ctx, reach) = (ctx.clone(), Reach::of(&ctx.tenant));
        let tenant_id = ctx.tenant.to_string();
        let key = self
            .store
            .write("identity.create_key", reach, move |tx| {
                Box::pin(async move {
                    if ctx.principal.kind == PrincipalKind::ApiKey {
                        let maker = store::find_key(tx, &ctx.tenant, &ctx.principal.id).await?;
                        let maker = maker.filter(|maker| maker.revoked_at.is_none());
                        let end = maker.ok_or(crate::Error::KeyRefused)?.expires_at;
                        key.expires_at = earlier(key.expires_at, end);
                    }
                    store::add_key(tx, &ctx.tenant, &key, &hash, &ctx.principal.id).await?;
                    let resource = format!("api_key:{}", key.key_id);
                    let entry = AuditEntry::of(&ctx, now, "identity.create_key", resource);
                    audit::record(tx, &entry.fields(&["name", "scopes", "user_id", "expires_at"])).await?;
                    Ok(key)
                })
            })
            .await?;
        Ok(NewKey { secret, key, tenant_id })
    }

    /// Keys, newest first: all of the tenant for an administrator, else the caller's own.
    ///
    /// # Errors
    /// `forbidden` for a credential without a person and without the scope `admin`.
    pub async fn list_keys(&self, ctx: &Ctx, page: PageRequest) -> Result<Page<ApiKey>> {
        self.audited(ctx, "identity.list_keys", "api_keys", async {
            let user_id = visible_for(ctx)?;
            let after: Option<String> = page.cursor.as_deref().map(Cursor::key).transpose()?;
            let mut conn = self.store.read(&ctx.tenant).await?;
            let wanted = i64::from(page.limit) + 1;
            let rows = store::list_keys(&mut conn, &ctx.tenant, user_id, after.as_deref(), wanted).await?;
            Ok(Page::cut(rows, page.limit, |key| key.key_id.clone()))
        })
        .await
    }

    /// Revokes a key and ends the sessions made with it. Safe to repeat.
    ///
    /// # Errors
    /// `not_found` when it is absent or not the caller's to see (the latter is audited).
    pub async fn revoke_key(&self, ctx: &Ctx, key_id: &str) -> Result<()> {
        let resource = format!("api_key:{key_id}");
        let user_id = self.audited(ctx, "identity.revoke_key", &resource, async { visible_for(ctx) }).await?;
        let key = {
            let mut conn = self.store.read(&ctx.tenant).await?;
            store::find_key(&mut conn, &ctx.tenant, key_id).await?
        };
        let key = Error::unless_foreign("API key", key, |key| {
            user_id.is_none() || key.user_id.as_deref() == user_id
        })?;
        let (now, tenant) = (self.now(), ctx.tenant.clone());
        let entry = AuditEntry::of(ctx, now, "identity.revoke_key", resource);
        let revoked = self
            .store
            .write("identity.revoke_key", &ctx.tenant, move |tx| {
                Box::pin(async move {
                    let revoked = store::revoke_key(tx, &tenant, &key.key_id, now).await?;
                    if revoked.is_some() {
                        crate::sessions::store::end_sessions_of_key(tx, &tenant, &key.key_id, now).await?;
                        audit::record(tx, &entry).await?;
                    }
                    Ok(revoked)
                })
            })
            .await?;
        if revoked.is_some() {
            self.standings.forget_all();
        }
        Ok(())
    }
}

/// Whose keys a caller sees: `None` is everybody's.
fn visible_for(ctx: &Ctx) -> Result<Option<&str>> {
    if ctx.scopes.has(Scope::Admin) {
        return Ok(None);
    }
    match ctx.principal.user_id.as_deref() {
        Some(user_id) => Ok(Some(user_id)),
        None => Err(ctx.require(Scope::Admin).err().unwrap_or_else(|| Error::not_found("API key"))),
    }
}

/// Reads the wished scopes; each must be the maker's own.
pub(super) fn given_scopes(ctx: &Ctx, names: &[String]) -> Result<Scopes> {
    if names.is_empty() {
        return Err(Error::field("scopes", "names at least one scope"));
    }
    let scopes = parse_scopes(names)?;
    if ctx.scopes.covers(scopes) {
        return Ok(scopes);
    }
    let beyond = scopes.names().into_iter().filter(|name| !ctx.scopes.names().contains(name));
    Err(crate::Error::BeyondMaker(beyond.collect::<Vec<_>>().join(", ")).into())
}

/// Reads names of scopes.
pub(crate) fn parse_scopes(names: &[String]) -> Result<Scopes> {
    Scopes::parse(names).map_err(|name| {
        let shown: String = name.chars().take(50).collect();
        let known = Scopes::all().names().join(", ");
        Error::field("scopes", format!("{shown} is no scope; take from {known}"))
    })
}

/// The person that a new key is bound to.
fn acts_for(ctx: &Ctx, wish: Option<ActsFor>) -> Result<Option<String>> {
    let is_admin = ctx.scopes.has(Scope::Admin);
    match (wish, &ctx.principal.user_id) {
        (Some(ActsFor::Myself), Some(user_id)) => Ok(Some(user_id.clone())),
        (None, Some(user_id)) if !is_admin => Ok(Some(user_id.clone())),
        // An unbound key: from here on the maker must be an administrator.
        (_, bound) => {
            ctx.require(Scope::Admin)?;
            match bound {
                // A key bound to a person is never the way to one that acts for everybody.
                Some(user_id) if ctx.principal.kind == PrincipalKind::ApiKey => Ok(Some(user_id.clone())),
                _ => Ok(None),
            }
        }
    }
}

fn earlier(a: Option<Micros>, b: Option<Micros>) -> Option<Micros> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
