//! Sign-up and sign-in.

use ::store::Tx;
use kernel::{Result, Role, Secret, TenantId};

use super::store::{self, Account, NewAccount};
use super::{Registering, SigningIn};
use crate::audit::{self, AuditEntry, Outcome};
use crate::model::{Known, Origin, PageSession, SignedIn, stored_tenant};
use crate::sessions::Opening;
use crate::token::Opaque;
use crate::{Error, Identity, Registration, validate};

/// By what right an account may be made.
#[derive(Clone, Debug)]
enum Right {
    /// Nobody owns this server yet; production shows the hash of the set-up token.
    FirstOwner { token_hash: Option<String> },
    /// An invitation, by its hash.
    Invitation(String),
    /// Open sign-up into an existing tenant.
    Open,
}

impl Identity {
    /// Makes an account and signs it in. The tenant that the request names grants nothing: an invitation sets tenant and
    /// role, an open sign-up has no role, and only the very first person makes a tenant and owns it.
    ///
    /// # Errors
    /// `validation_failed`; `sign_up_closed` also for a tenant that does not exist; `setup_token_refused`;
    /// `username_taken`.
    pub async fn register(&self, request: Registering, origin: Origin) -> Result<SignedIn> {
        validate::username(&request.username)?;
        validate::new_password(&request.username, &request.password)?;
        request.email.as_deref().map_or(Ok(()), validate::email)?;
        let tenant = validate::tenant("tenant_id", &request.tenant)?;
        let right = match self.right_to_register(&request, &tenant).await {
            Ok(right) => right,
            Err(error) => return Err(self.refuse_sign_up(&tenant, &origin, error).await?),
        };
        let password_hash = self.passwords.hash(request.password).await?;
        let now = self.now();
        let account = NewAccount {
            tenant: tenant.clone(),
            user_id: kernel::id::new_id("usr", now),
            username: request.username,
            email: request.email,
            password_hash,
            role: None,
        };
        let (service, from) = (self.clone(), origin.clone());
        let made = self
            .store
            .write("identity.register", move |tx| {
                Box::pin(async move {
                    let known = service.add_by_right(tx, right, account, &from).await?;
                    service
                        .open_token_session(tx, &known, &from, "identity.register")
                        .await
                })
            })
            .await;
        match made {
            Err(error) if error.kind == kernel::ErrorKind::Forbidden => {
                Err(self.refuse_sign_up(&tenant, &origin, error).await?)
            }
            made => made,
        }
    }

    /// Looks before the expensive hash; the transaction asks again.
    async fn right_to_register(&self, request: &Registering, tenant: &TenantId) -> Result<Right> {
        let mut conn = self.store.read().await?;
        if let Some(invitation) = &request.invitation {
            let hash = self.tokens.stored_hash(Opaque::Invitation, invitation.expose());
            let hash = hash.ok_or(Error::SignUpClosed)?;
            let open = store::find_invitation(&mut conn, &hash, self.now()).await?;
            return open
                .map(|_| Right::Invitation(hash))
                .ok_or(Error::SignUpClosed.into());
        }
        let has_owner = store::has_owner(&mut conn).await?;
        if !has_owner || request.setup_token.is_some() {
            let token_hash = self
                .check_setup_token(&mut conn, request.setup_token.as_ref())
                .await?;
            return if has_owner {
                Err(Error::SetupTokenRefused.into())
            } else {
                Ok(Right::FirstOwner { token_hash })
            };
        }
        if self.config().registration == Registration::Open && store::has_tenant(&mut conn, tenant).await? {
            return Ok(Right::Open);
        }
        Err(Error::SignUpClosed.into())
    }

    async fn add_by_right(
        &self,
        tx: &mut Tx,
        right: Right,
        mut account: NewAccount,
        origin: &Origin,
    ) -> Result<Known> {
        let now = self.now();
        match right {
            Right::FirstOwner { token_hash } => {
                return self
                    .add_first_owner(tx, token_hash.as_deref(), account, origin)
                    .await;
            }
            Right::Invitation(hash) => {
                let invitation = store::use_invitation(tx, &hash, now).await?;
                let invitation = invitation.ok_or(Error::SignUpClosed)?;
                account.tenant = stored_tenant(&invitation.tenant_id)?;
                account.role = Some(store::stored_role(&invitation.role)?);
                // With sign-in off the tenant `default` invites without having a row.
                store::add_tenant(tx, &account.tenant, now).await?;
                let resource = format!("invitation:{}", invitation.invitation_id);
                let tenant = account.tenant.as_str();
                let entry = AuditEntry::anonymous(tenant, origin, now, "identity.use_invitation", resource);
                audit::record(tx, &entry.fields(&["role"])).await?;
            }
            Right::Open => {}
        }
        store::add_account(tx, &account, now).await?;
        Ok(known(account))
    }

    /// Records a refused sign-up and hands the error back.
    async fn refuse_sign_up(
        &self,
        tenant: &TenantId,
        origin: &Origin,
        error: kernel::Error,
    ) -> Result<kernel::Error> {
        if error.kind == kernel::ErrorKind::Forbidden {
            let entry = AuditEntry::anonymous(
                tenant.as_str(),
                origin,
                self.now(),
                "identity.register",
                "account",
            );
            self.record_alone(entry.outcome(Outcome::Denied)).await?;
        }
        Ok(error)
    }

    /// Signs in for tokens.
    ///
    /// # Errors
    /// `sign_in_failed`, one text for every cause; `sign_in_throttled`; `sign_in_busy`.
    pub async fn sign_in(&self, request: SigningIn, origin: Origin) -> Result<SignedIn> {
        let known = self.check_password(request, &origin).await?;
        let service = self.clone();
        self.store
            .write("identity.sign_in", move |tx| {
                Box::pin(async move {
                    service
                        .open_token_session(tx, &known, &origin, "identity.sign_in")
                        .await
                })
            })
            .await
    }

    /// Signs the page in: a cookie in place of tokens.
    ///
    /// # Errors
    /// As [`Identity::sign_in`].
    pub async fn sign_in_page(&self, request: SigningIn, origin: Origin) -> Result<PageSession> {
        let known = self.check_password(request, &origin).await?;
        let service = self.clone();
        self.store
            .write("identity.sign_in", move |tx| {
                Box::pin(async move {
                    service
                        .open_page_session(tx, &known, &origin, "identity.sign_in")
                        .await
                })
            })
            .await
    }

    /// Every cause of failure costs the same hash and answers the same.
    async fn check_password(&self, request: SigningIn, origin: &Origin) -> Result<Known> {
        let (tenant, username) = (request.tenant.as_str(), request.username.as_str());
        self.throttle
            .check(tenant, username, origin.address, self.now())?;
        let named = TenantId::parse(tenant).ok();
        let account = self.find_account(named.as_ref(), username).await?;
        let turn = self.passwords.turn().await?;
        // Asked again with a core in hand, so that a burst in the queue cannot try more than the limit.
        self.throttle
            .check(tenant, username, origin.address, self.now())?;
        let phc = account.as_ref().map(|account| account.password_hash.clone());
        let password = Secret::new(clipped(request.password.expose()));
        let (is_right, turn) = self.passwords.verify(turn, phc, password).await?;
        match (is_right, account, named) {
            (true, Some(account), Some(tenant)) => {
                self.throttle
                    .succeed(&request.tenant, &request.username, origin.address);
                Ok(Known {
                    tenant,
                    role: account.role.as_deref().and_then(Role::parse),
                    user_id: account.user_id,
                    username: account.username,
                })
            }
            (_, account, named) => {
                self.throttle.fail(tenant, username, origin.address, self.now());
                // Only now may the next guess have the core.
                drop(turn);
                self.record_failed_sign_in(named.as_ref(), account.as_ref(), origin)
                    .await?;
                Err(Error::SignInFailed.into())
            }
        }
    }

    async fn find_account(&self, tenant: Option<&TenantId>, username: &str) -> Result<Option<Account>> {
        let mut conn = self.store.read().await?;
        match tenant {
            Some(tenant) if validate::username(username).is_ok() => {
                store::find_account(&mut conn, tenant, username).await
            }
            _ => Ok(None),
        }
    }

    /// An unknown name is not written down: it may be a password typed into the wrong field.
    async fn record_failed_sign_in(
        &self,
        tenant: Option<&TenantId>,
        account: Option<&Account>,
        origin: &Origin,
    ) -> Result<()> {
        let tenant = tenant.map_or("-", TenantId::as_str);
        let resource = account.map_or("unknown account".to_owned(), |a| format!("user:{}", a.user_id));
        let entry = AuditEntry::anonymous(tenant, origin, self.now(), "identity.sign_in", resource);
        self.record_alone(entry.outcome(Outcome::Failure)).await
    }

    /// Records the act and opens a session with its first tokens.
    async fn open_token_session(
        &self,
        tx: &mut Tx,
        known: &Known,
        origin: &Origin,
        action: &'static str,
    ) -> Result<SignedIn> {
        let opening = Opening { known, origin };
        let (session_id, tokens) = self.add_token_session(tx, &opening).await?;
        self.record_opening(tx, &opening, &session_id, action).await?;
        Ok(tokens)
    }

    /// Records the act and opens a session for the page.
    pub(super) async fn open_page_session(
        &self,
        tx: &mut Tx,
        known: &Known,
        origin: &Origin,
        action: &'static str,
    ) -> Result<PageSession> {
        let opening = Opening { known, origin };
        let (session_id, page) = self.add_page_session(tx, &opening).await?;
        self.record_opening(tx, &opening, &session_id, action).await?;
        Ok(page)
    }

    async fn record_opening(
        &self,
        tx: &mut Tx,
        opening: &Opening<'_>,
        session_id: &str,
        action: &'static str,
    ) -> Result<()> {
        let known = opening.known;
        let resource = format!("user:{}", known.user_id);
        let entry = AuditEntry::anonymous(
            known.tenant.as_str(),
            opening.origin,
            self.now(),
            action,
            resource,
        )
        .by_user(&known.user_id, session_id);
        audit::record(tx, &entry).await
    }
}

pub(super) fn known(account: NewAccount) -> Known {
    Known {
        tenant: account.tenant,
        user_id: account.user_id,
        username: account.username,
        role: account.role,
    }
}

/// No stored password is longer than 256 bytes; the hash need not read a megabyte to find that out.
fn clipped(password: &str) -> &str {
    let end = (0..=257.min(password.len()))
        .rev()
        .find(|at| password.is_char_boundary(*at));
    &password[..end.unwrap_or(0)]
}
