//! Access tokens for a person, made with a key that is bound to them.

use ::store::Reach;
use kernel::{Ctx, Error, Micros, PrincipalKind, Result};
use serde::Serialize;
use utoipa::ToSchema;

use super::store;
use crate::Identity;
use crate::audit::{self, AuditEntry};
use crate::model::scopes_column;
use crate::sessions::store::{self as session_rows, NewSession};

/// The longest life that may be had, hours; more is cut to it.
const MAX_HOURS: i64 = 24;
const HOUR: i64 = 3_600 * Micros::SECOND;

/// A token made with a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Minted {
    /// JWT for `Authorization: Bearer`.
    pub access_token: String,
    /// `Bearer`
    pub token_type: &'static str,
    /// Life, seconds.
    pub expires_in: i64,
    /// Whose it is.
    pub user_id: String,
}

impl Identity {
    /// Makes an access token for the person that the caller's key is bound to. It may do what the key may, ends with the
    /// key, and is listed among the person's sessions.
    ///
    /// `hours`: 1–24, more is cut to 24, absent is 24.
    ///
    /// # Errors
    /// `mint_refused` (audited) for any other person and any other credential; `validation_failed` below one hour.
    pub async fn mint_access(&self, ctx: &Ctx, user_id: &str, hours: Option<i64>) -> Result<Minted> {
        let hours = hours.unwrap_or(MAX_HOURS).min(MAX_HOURS);
        if hours < 1 {
            return Err(Error::field("expires_in_hours", "is 1 to 24"));
        }
        self.audited(ctx, "identity.mint_token", "access_token", async {
            let is_key = ctx.principal.kind == PrincipalKind::ApiKey;
            if !is_key || ctx.principal.user_id.as_deref() != Some(user_id) {
                return Err(crate::Error::MintRefused.into());
            }
            self.add_minted(ctx, user_id.to_owned(), hours * HOUR).await
        })
        .await
    }

    async fn add_minted(&self, ctx: &Ctx, user_id: String, life: i64) -> Result<Minted> {
        let now = self.now();
        let (ctx, service, reach) = (ctx.clone(), self.clone(), Reach::of(&ctx.tenant));
        self.store
            .write("identity.mint_token", reach, move |tx| {
                Box::pin(async move {
                    let key_id = &ctx.principal.id;
                    let key = store::find_key(tx, &ctx.tenant, key_id).await?;
                    let key = key.filter(|key| key.revoked_at.is_none());
                    let end = key.ok_or(crate::Error::KeyRefused)?.expires_at;
                    let until = end.map_or(now.plus(life), |end| end.min(now.plus(life)));
                    let session_id = kernel::id::new_id("ses", now);
                    let scopes = scopes_column(ctx.scopes);
                    let session = NewSession {
                        tenant: &ctx.tenant,
                        session_id: &session_id,
                        user_id: &user_id,
                        kind: "key",
                        secret_hash: None,
                        expires_at: until,
                        address: ctx.address.map(|address| address.to_string()),
                        user_agent: None,
                        key: Some((key_id, &scopes)),
                    };
                    session_rows::add_session(tx, &session, now).await?;
                    let entry =
                        AuditEntry::of(&ctx, now, "identity.mint_token", format!("session:{session_id}"));
                    audit::record(tx, &entry).await?;
                    let names = (ctx.tenant.as_str(), user_id.as_str(), session_id.as_str());
                    Ok(Minted {
                        access_token: service.tokens.sign_access(names, now, until)?,
                        token_type: "Bearer",
                        expires_in: (until.0 - now.0) / Micros::SECOND,
                        user_id,
                    })
                })
            })
            .await
    }
}
