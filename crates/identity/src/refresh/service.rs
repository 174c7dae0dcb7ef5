//! Rotation of refresh tokens: each is good once, and a second use ends the whole family.

use ::store::Reach;
use ::store::Tx;
use kernel::{Micros, Result, Role};

use super::store::{self, TokenSession};
use crate::audit::{self, AuditEntry, Outcome};
use crate::model::{Known, Origin, SignedIn, stored_tenant};
use crate::sessions::store::{self as session_rows, EndedSession};
use crate::token::Opaque;
use crate::{Error, Identity};

/// How a refresh ended. Ending a family is a success of the transaction: the end must be committed.
enum Refreshed {
    Rotated(String, Box<SignedIn>),
    Reused(Option<EndedSession>),
    Refused,
}

impl Identity {
    /// Exchanges a refresh token for a new pair. Of any number of uses, also at once, exactly one succeeds; every other
    /// one ends the session, so that a stolen token is worth nothing to either side.
    ///
    /// # Errors
    /// 401 `invalid_refresh_token`, 403 `refresh_token_reused`.
    pub async fn refresh(&self, token: &str, origin: Origin) -> Result<SignedIn> {
        let hash = self.tokens.stored_hash(Opaque::Refresh, token).ok_or(Error::RefreshRefused)?;
        let service = self.clone();
        let refreshed = self
            .store
            .write("identity.refresh", Reach::Everyone, move |tx| {
                Box::pin(async move { service.rotate(tx, &hash, &origin).await })
            })
            .await?;
        match refreshed {
            Refreshed::Rotated(session_id, tokens) => {
                // What is remembered of the session has its old end.
                self.standings.forget(&format!("token:{session_id}"));
                Ok(*tokens)
            }
            Refreshed::Refused => Err(Error::RefreshRefused.into()),
            Refreshed::Reused(ended) => {
                if let Some(ended) = ended {
                    self.forget_session(&ended);
                }
                Err(Error::RefreshReused.into())
            }
        }
    }

    async fn rotate(&self, tx: &mut Tx, hash: &str, origin: &Origin) -> Result<Refreshed> {
        let now = self.now();
        let Some(token) = store::use_refresh_token(tx, hash, now).await? else {
            return match store::find_used_refresh_token(tx, hash).await? {
                Some(token) => self.end_family(tx, &token, origin, now).await,
                None => Ok(Refreshed::Refused),
            };
        };
        let open = session_rows::find_open_by_id(tx, &token.tenant_id, &token.session_id).await?;
        let Some(open) = open else {
            return Ok(Refreshed::Refused);
        };
        let known = Known {
            tenant: stored_tenant(&open.tenant_id)?,
            user_id: open.user_id,
            username: open.username,
            role: open.role.as_deref().and_then(Role::parse),
        };
        let until = now.plus(self.config().refresh_ttl).0;
        session_rows::update_last_used(tx, &known.tenant, &open.session_id, now, Some(until)).await?;
        let tokens = self.add_tokens(tx, &known, &open.session_id, now).await?;
        let resource = format!("session:{}", open.session_id);
        let entry = AuditEntry::anonymous(known.tenant.as_str(), origin, now, "identity.refresh", resource)
            .by_user(&known.user_id, &open.session_id);
        audit::record(tx, &entry).await?;
        Ok(Refreshed::Rotated(open.session_id, Box::new(tokens)))
    }

    async fn end_family(
        &self,
        tx: &mut Tx,
        token: &TokenSession,
        origin: &Origin,
        now: Micros,
    ) -> Result<Refreshed> {
        let ended = session_rows::end_session(tx, &token.tenant_id, &token.session_id, now).await?;
        let resource = format!("session:{}", token.session_id);
        let entry = AuditEntry::anonymous(&token.tenant_id, origin, now, "identity.refresh_reuse", resource);
        audit::record(tx, &entry.outcome(Outcome::Denied)).await?;
        Ok(Refreshed::Reused(ended))
    }

    /// Ends the session of a refresh token, used or not. An unknown token is no error: it opens nothing already.
    ///
    /// # Errors
    /// The store's.
    pub async fn revoke(&self, token: &str, origin: Origin) -> Result<()> {
        let Some(hash) = self.tokens.stored_hash(Opaque::Refresh, token) else {
            return Ok(());
        };
        let now = self.now();
        let ended = self
            .store
            .write("identity.revoke", Reach::Everyone, move |tx| {
                Box::pin(async move { revoke(tx, &hash, &origin, now).await })
            })
            .await?;
        if let Some(ended) = ended {
            self.forget_session(&ended);
        }
        Ok(())
    }
}

async fn revoke(tx: &mut Tx, hash: &str, origin: &Origin, now: Micros) -> Result<Option<EndedSession>> {
    let Some(token) = store::find_refresh_token(tx, hash).await? else {
        return Ok(None);
    };
    let ended = session_rows::end_session(tx, &token.tenant_id, &token.session_id, now).await?;
    if let Some(ended) = &ended {
        let resource = format!("session:{}", ended.session_id);
        let entry = AuditEntry::anonymous(&token.tenant_id, origin, now, "identity.end_session", resource)
            .by_user(&ended.user_id, &ended.session_id);
        audit::record(tx, &entry).await?;
    }
    Ok(ended)
}
