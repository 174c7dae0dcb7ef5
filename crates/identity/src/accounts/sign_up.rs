//! Sign-up.

use ::store::Reach;
use ::store::Tx;
use kernel::{Result, TenantId};

use super::Registering;
use super::store::{self, NewAccount};
use crate::audit::{self, AuditEntry};
use crate::model::{Known, Origin, SignedIn, stored_tenant};
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
        self.audited_stranger(
            &tenant,
            &origin,
            "identity.register",
            self.register_checked(request, tenant.clone(), origin.clone()),
        )
        .await
    }

    async fn register_checked(
        &self,
        request: Registering,
        tenant: TenantId,
        origin: Origin,
    ) -> Result<SignedIn> {
        let right = self.right_to_register(&request, &tenant).await?;
        let password_hash = self.passwords.hash(request.password).await?;
        let now = self.now();
        let account = NewAccount {
            tenant,
            user_id: kernel::id::new_id("usr", now),
            username: request.username,
            email: request.email,
            password_hash,
            role: None,
        };
        let service = self.clone();
        self.store
            .write("identity.register", Reach::Everyone, move |tx| {
                Box::pin(async move {
                    let known = service.add_by_right(tx, right, account, &origin).await?;
                    service.open_token_session(tx, &known, &origin, "identity.register").await
                })
            })
            .await
    }

    /// Looks before the expensive hash; the transaction asks again.
    async fn right_to_register(&self, request: &Registering, tenant: &TenantId) -> Result<Right> {
        let mut conn = self.store.read(Reach::Everyone).await?;
        if let Some(invitation) = &request.invitation {
            let hash = self.tokens.stored_hash(Opaque::Invitation, invitation.expose());
            let hash = hash.ok_or(Error::SignUpClosed)?;
            let open = store::find_invitation(&mut conn, &hash, self.now()).await?;
            return open.map(|_| Right::Invitation(hash)).ok_or(Error::SignUpClosed.into());
        }
        let has_owner = store::has_owner(&mut conn).await?;
        if !has_owner || request.setup_token.is_some() {
            let token_hash = self.check_setup_token(&mut conn, request.setup_token.as_ref()).await?;
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
                return self.add_first_owner(tx, token_hash.as_deref(), account, origin).await;
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
}

pub(super) fn known(account: NewAccount) -> Known {
    Known { tenant: account.tenant, user_id: account.user_id, username: account.username, role: account.role }
}
