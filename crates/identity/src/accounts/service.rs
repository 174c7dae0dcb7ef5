//! Sign-in.

use ::store::Reach;
use ::store::Tx;
use kernel::{Result, Role, Secret, TenantId};

use super::SigningIn;
use super::store::{self, Account};
use crate::audit::{self, AuditEntry, Outcome};
use crate::model::{Known, Origin, PageSession, SignedIn};
use crate::sessions::Opening;
use crate::throttle::Try;
use crate::{Error, Identity, validate};

impl Identity {
    /// Signs in for tokens.
    ///
    /// # Errors
    /// `sign_in_failed`, one text for every cause; `sign_in_throttled`; `sign_in_busy`.
    pub async fn sign_in(&self, request: SigningIn, origin: Origin) -> Result<SignedIn> {
        let known = self.check_password(request, &origin).await?;
        let service = self.clone();
        self.store
            .write("identity.sign_in", Reach::Everyone, move |tx| {
                Box::pin(
                    async move { service.open_token_session(tx, &known, &origin, "identity.sign_in").await },
                )
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
            .write("identity.sign_in", Reach::Everyone, move |tx| {
                Box::pin(
                    async move { service.open_page_session(tx, &known, &origin, "identity.sign_in").await },
                )
            })
            .await
    }

    /// Every cause of failure costs the same hash and answers the same.
    async fn check_password(&self, request: SigningIn, origin: &Origin) -> Result<Known> {
        let (tenant, username) = (request.tenant.as_str(), request.username.as_str());
        let this = Try { tenant, account: username, address: origin.address };
        self.throttle.check(this, self.now()).await?;
        let named = TenantId::parse(tenant).ok();
        let account = self.find_account(named.as_ref(), username).await?;
        let turn = self.passwords.turn().await?;
        // Counted with a core in hand, so that few right ones are ever held for failures at a time.
        self.throttle.begin(this, self.now()).await?;
        let phc = account.as_ref().map(|account| account.password_hash.clone());
        let password = Secret::new(clipped(request.password.expose()));
        let (is_right, _turn) = self.passwords.verify(turn, phc, password).await?;
        match (is_right, account, named) {
            (true, Some(account), Some(tenant)) => {
                self.throttle.succeed(this).await?;
                Ok(Known {
                    tenant,
                    role: account.role.as_deref().and_then(Role::parse),
                    user_id: account.user_id,
                    username: account.username,
                })
            }
            (_, account, named) => {
                self.record_failed_sign_in(named.as_ref(), account.as_ref(), origin).await?;
                Err(Error::SignInFailed.into())
            }
        }
    }

    async fn find_account(&self, tenant: Option<&TenantId>, username: &str) -> Result<Option<Account>> {
        let mut conn = self.store.read(Reach::Everyone).await?;
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
    pub(super) async fn open_token_session(
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
        let entry =
            AuditEntry::anonymous(known.tenant.as_str(), opening.origin, self.now(), action, resource)
                .by_user(&known.user_id, session_id);
        audit::record(tx, &entry).await
    }
}

/// No stored password is longer than 256 bytes; the hash need not read a megabyte to find that out.
fn clipped(password: &str) -> &str {
    let end = (0..=257.min(password.len())).rev().find(|at| password.is_char_boundary(*at));
    &password[..end.unwrap_or(0)]
}
