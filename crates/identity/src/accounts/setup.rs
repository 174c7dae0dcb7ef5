//! The first owner: who may become it, and the link that lets them.

use ::store::Reach;
use ::store::{Conn, Tx};
use kernel::{Micros, Result, Role, Secret, TenantId};

use super::sign_up::known;
use super::store::{self, NewAccount};
use super::{SettingUp, SetupState};
use crate::audit::{self, AuditEntry};
use crate::model::{Known, Origin, PageSession, stored_tenant};
use crate::token::Opaque;
use crate::{Error, Identity, validate};

/// Life of a set-up token, microseconds.
const SETUP_TTL: i64 = 30 * 60 * Micros::SECOND;

impl Identity {
    /// Makes the token of the set-up link: good once, for 30 minutes. Tokens made before are void.
    ///
    /// # Errors
    /// `already_set_up` when an owner exists.
    pub async fn create_setup_token(&self) -> Result<Secret> {
        let token = self.tokens.mint(Opaque::Setup);
        let hash = self.tokens.stored_hash(Opaque::Setup, token.expose());
        let hash = hash.ok_or_else(|| kernel::Error::internal("a fresh token is ours"))?;
        let now = self.now();
        self.store
            .write("identity.create_setup_token", Reach::Everyone, move |tx| {
                Box::pin(async move {
                    store::lock_setup(tx, now).await?;
                    if store::has_owner(tx).await? {
                        return Err(Error::AlreadySetUp.into());
                    }
                    store::add_setup_token(tx, &hash, now, now.plus(SETUP_TTL)).await?;
                    let entry = AuditEntry::operator("-", now, "identity.create_setup_token", "server");
                    audit::record(tx, &entry).await
                })
            })
            .await?;
        Ok(token)
    }

    /// The tenant whose administrators look after the whole server: the one that is `named`, else the one that was made
    /// first, else `default`.
    ///
    /// # Errors
    /// The store's.
    pub async fn operator_tenant(&self, named: Option<&TenantId>) -> Result<TenantId> {
        if let Some(named) = named {
            return Ok(named.clone());
        }
        let first = store::find_first_tenant(&mut self.store.read(Reach::Everyone).await?).await?;
        stored_tenant(first.as_deref().unwrap_or("default"))
    }

    /// Whether any tenant has an owner.
    ///
    /// # Errors
    /// The store's.
    pub async fn owner_exists(&self) -> Result<bool> {
        store::has_owner(&mut self.store.read(Reach::Everyone).await?).await
    }

    /// Whether the page must ask for the first set-up.
    ///
    /// # Errors
    /// The store's.
    pub async fn setup_state(&self) -> Result<SetupState> {
        let needed = self.config().require_authentication && !self.owner_exists().await?;
        Ok(SetupState { needed, token_required: needed && self.config().production })
    }

    /// Makes the first tenant and its owner, and signs the owner in.
    ///
    /// # Errors
    /// `already_set_up`, `setup_token_refused`, `validation_failed`.
    pub async fn set_up(&self, request: SettingUp, origin: Origin) -> Result<PageSession> {
        let tenant = validate::tenant("tenant_name", &request.tenant_name)?;
        validate::username(&request.username)?;
        validate::new_password(&request.username, &request.password)?;
        self.audited_stranger(
            &tenant,
            &origin,
            "identity.set_up",
            self.set_up_checked(request, tenant.clone(), origin.clone()),
        )
        .await
    }

    async fn set_up_checked(
        &self,
        request: SettingUp,
        tenant: TenantId,
        origin: Origin,
    ) -> Result<PageSession> {
        let token_hash = {
            let mut conn = self.store.read(Reach::Everyone).await?;
            if store::has_owner(&mut conn).await? {
                return Err(Error::AlreadySetUp.into());
            }
            self.check_setup_token(&mut conn, request.setup_token.as_ref()).await?
        };
        let password_hash = self.passwords.hash(request.password).await?;
        let account = NewAccount {
            tenant,
            user_id: kernel::id::new_id("usr", self.now()),
            username: request.username,
            email: None,
            password_hash,
            role: None,
        };
        let service = self.clone();
        self.store
            .write("identity.set_up", Reach::Everyone, move |tx| {
                Box::pin(async move {
                    let known = service.add_first_owner(tx, token_hash.as_deref(), account, &origin).await?;
                    service.open_page_session(tx, &known, &origin, "identity.sign_in").await
                })
            })
            .await
    }

    /// Looks at a set-up token before anything expensive is done; answers with its hash. Development needs none, but a
    /// token that is shown must be right.
    pub(super) async fn check_setup_token(
        &self,
        conn: &mut Conn,
        token: Option<&Secret>,
    ) -> Result<Option<String>> {
        let Some(token) = token else {
            return if self.config().production { Err(Error::SetupTokenRefused.into()) } else { Ok(None) };
        };
        let hash = self.tokens.stored_hash(Opaque::Setup, token.expose());
        let hash = hash.ok_or(Error::SetupTokenRefused)?;
        if store::has_setup_token(conn, &hash, self.now()).await? {
            return Ok(Some(hash));
        }
        Err(Error::SetupTokenRefused.into())
    }

    /// Makes the tenant if need be, and the account its owner. One at a time: the second of two finds an owner.
    pub(super) async fn add_first_owner(
        &self,
        tx: &mut Tx,
        token_hash: Option<&str>,
        mut account: NewAccount,
        origin: &Origin,
    ) -> Result<Known> {
        let now = self.now();
        store::lock_setup(tx, now).await?;
        if store::has_owner(tx).await? {
            return Err(Error::AlreadySetUp.into());
        }
        if let Some(hash) = token_hash
            && !store::use_setup_token(tx, hash, now).await?
        {
            return Err(Error::SetupTokenRefused.into());
        }
        store::add_tenant(tx, &account.tenant, now).await?;
        account.role = Some(Role::Owner);
        store::add_account(tx, &account, now).await?;
        let known = known(account);
        let resource = format!("user:{}", known.user_id);
        let entry = AuditEntry::anonymous(known.tenant.as_str(), origin, now, "identity.set_up", resource)
            .fields(&["tenant", "role"]);
        audit::record(tx, &entry).await?;
        Ok(known)
    }
}
