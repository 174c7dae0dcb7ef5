//! What the operator does at the machine's own command line: no credential, always audited as `local operator`.

use ::store::Reach;
use kernel::{Error, Micros, Result, Role, Secret, TenantId};
use store::{Store, Tx};

use crate::accounts::store::{self as accounts, NewAccount};
use crate::audit::{self, AuditEntry};
use crate::keys::store as key_rows;
use crate::keys::{ApiKey, parse_scopes};
use crate::sessions::store as session_rows;
use crate::token::Opaque;
use crate::{Identity, validate};

/// A key made at the command line.
#[derive(Clone, Debug)]
pub struct MadeKey {
    /// The key itself; print it once.
    pub api_key: Secret,
    /// `key_…`
    pub key_id: String,
    /// Its tenant.
    pub tenant_id: String,
    /// What it may do.
    pub scopes: Vec<String>,
}

/// What a restored database needs before it serves: every session ends, because a restored one may have been ended since,
/// and each tenant's audit log says that it was restored. Returns how many sessions ended.
///
/// # Errors
/// The store's.
pub async fn after_restore(store: &Store, now: Micros, backup: &str) -> Result<u64> {
    let resource = format!("backup:{backup}");
    store
        .write("identity.after_restore", Reach::Everyone, move |tx| {
            Box::pin(async move {
                for tenant in accounts::list_tenants(tx).await? {
                    let entry = AuditEntry::operator(&tenant, now, "backup.restore", resource.clone());
                    audit::record(tx, &entry).await?;
                }
                session_rows::end_every_session(tx, now).await
            })
        })
        .await
}

impl Identity {
    /// Makes a tenant; false when it is there already.
    ///
    /// # Errors
    /// `validation_failed` for a name that breaks the rules.
    pub async fn create_tenant(&self, name: &str) -> Result<bool> {
        let tenant = validate::tenant("tenant", name)?;
        let service = self.clone();
        self.store
            .write("identity.create_tenant", Reach::Everyone, move |tx| {
                Box::pin(async move { service.ensure_tenant(tx, &tenant).await })
            })
            .await
    }

    /// Makes an account, and its tenant when that is missing; answers with the `usr_…`.
    ///
    /// # Errors
    /// `validation_failed`, `username_taken`.
    pub async fn create_user(
        &self,
        tenant: &str,
        username: &str,
        role: Option<Role>,
        password: Secret,
    ) -> Result<String> {
        let tenant = validate::tenant("tenant", tenant)?;
        validate::username(username)?;
        validate::new_password(username, &password)?;
        let password_hash = self.passwords.hash(password).await?;
        let now = self.now();
        let account = NewAccount {
            tenant,
            user_id: kernel::id::new_id("usr", now),
            username: username.to_owned(),
            email: None,
            password_hash,
            role,
        };
        let service = self.clone();
        self.store
            .write("identity.create_user", Reach::Everyone, move |tx| {
                Box::pin(async move {
                    accounts::lock_setup(tx, now).await?;
                    service.ensure_tenant(tx, &account.tenant).await?;
                    accounts::add_account(tx, &account, now).await?;
                    let resource = format!("user:{}", account.user_id);
                    let entry =
                        AuditEntry::operator(account.tenant.as_str(), now, "identity.create_user", resource);
                    audit::record(tx, &entry.fields(&["username", "role"])).await?;
                    Ok(account.user_id)
                })
            })
            .await
    }

    /// Makes a key, and its tenant when that is missing. `user` is a username; without one the key acts for anyone.
    ///
    /// # Errors
    /// `validation_failed`; `not_found` for an unknown user.
    pub async fn create_operator_key(
        &self,
        tenant: &str,
        scopes: &[String],
        user: Option<&str>,
    ) -> Result<MadeKey> {
        let tenant = validate::tenant("tenant", tenant)?;
        let scopes = parse_scopes(scopes)?.names();
        let scopes: Vec<String> = scopes.into_iter().map(str::to_owned).collect();
        if scopes.is_empty() {
            return Err(Error::field("scopes", "names at least one scope"));
        }
        let now = self.now();
        let (secret, hash) = self.mint(Opaque::ApiKey)?;
        let mut key = ApiKey {
            key_id: kernel::id::new_id("key", now),
            name: "command line".to_owned(),
            prefix: secret.expose()[..10].to_owned(),
            scopes: scopes.clone(),
            user_id: None,
            created_at: now,
            expires_at: None,
            last_used_at: None,
            revoked_at: None,
        };
        let made =
            MadeKey { api_key: secret, key_id: key.key_id.clone(), tenant_id: tenant.to_string(), scopes };
        let (service, user) = (self.clone(), user.map(str::to_owned));
        self.store
            .write("identity.create_key", Reach::Everyone, move |tx| {
                Box::pin(async move {
                    service.ensure_tenant(tx, &tenant).await?;
                    if let Some(name) = user {
                        let account = accounts::find_account(tx, &tenant, &name).await?;
                        key.user_id = Some(account.ok_or_else(|| Error::not_found("user"))?.user_id);
                    }
                    key_rows::add_key(tx, &tenant, &key, &hash, "local operator").await?;
                    let resource = format!("api_key:{}", key.key_id);
                    let entry = AuditEntry::operator(tenant.as_str(), now, "identity.create_key", resource);
                    audit::record(tx, &entry.fields(&["scopes", "user_id"])).await
                })
            })
            .await?;
        Ok(made)
    }

    async fn ensure_tenant(&self, tx: &mut Tx, tenant: &TenantId) -> Result<bool> {
        let now = self.now();
        let is_new = accounts::add_tenant(tx, tenant, now).await?;
        if is_new {
            let resource = format!("tenant:{tenant}");
            let entry = AuditEntry::operator(tenant.as_str(), now, "identity.create_tenant", resource);
            audit::record(tx, &entry).await?;
        }
        Ok(is_new)
    }
}
