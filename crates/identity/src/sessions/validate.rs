//! Telling what an access token opens.

use kernel::{Micros, Result};

use super::Validation;
use crate::Identity;
use crate::model::{Person, role_names};

impl Identity {
    /// Tells whether an access token opens anything, and whose it is. Never fails for a bad token.
    ///
    /// # Errors
    /// The store's.
    pub async fn validate(&self, token: &str) -> Result<Validation> {
        let now = self.now();
        let standing = match self.token_standing(token, now).await {
            Ok(standing) => standing.filter(|standing| standing.is_live(now)),
            Err(error) if error.kind == kernel::ErrorKind::Unauthenticated => None,
            Err(error) => return Err(error),
        };
        let claims = self.tokens.read_access(token, now).ok();
        let Some((standing, claims)) = standing.zip(claims) else {
            return Ok(Validation {
                valid: false,
                user: None,
                user_id: None,
                expires_at: None,
                error: Some(crate::Error::TokenRefused.to_string()),
            });
        };
        Ok(Validation {
            valid: true,
            user: Some(Person {
                user_id: claims.sub.clone(),
                tenant_id: claims.tid,
                username: standing.username.clone(),
                roles: role_names(standing.principal.role),
            }),
            user_id: Some(claims.sub),
            expires_at: Some(Micros(claims.exp * Micros::SECOND)),
            error: None,
        })
    }
}
