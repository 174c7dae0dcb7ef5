//! What the room is told at start-up.

use kernel::{Micros, Secret};

/// Who may make an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registration {
    /// Nobody; only the operator's commands and the first set-up.
    Closed,
    /// Whoever shows an invitation.
    Invite,
    /// Everybody, into an existing tenant and without any right there.
    Open,
}

/// Settings of sign-in and credentials.
#[derive(Clone, Debug)]
pub struct Config {
    /// Key that signs access tokens, ≥ 32 characters.
    pub jwt_secret: Secret,
    /// Key of the time before a rotation: it verifies and never signs.
    pub jwt_secret_previous: Option<Secret>,
    /// The `iss` claim that is written and demanded.
    pub jwt_issuer: String,
    /// Life of an access token, microseconds.
    pub access_ttl: i64,
    /// Life of a refresh token, and of a browser session after its last use, microseconds.
    pub refresh_ttl: i64,
    /// Key of every stored hash of a key or token (`API_KEY_SECRET`); another value makes them all void.
    pub api_key_pepper: Secret,
    /// Who may make an account.
    pub registration: Registration,
    /// When false everybody without a credential is owner of the tenant `default`; for development on loopback.
    pub require_authentication: bool,
    /// Production rules: the first owner needs the set-up token.
    pub production: bool,
}

impl Config {
    /// The defaults of development around the two secrets: 24 h, 7 d, open sign-up.
    pub fn development(jwt_secret: Secret, api_key_pepper: Secret) -> Self {
        Self {
            jwt_secret,
            jwt_secret_previous: None,
            jwt_issuer: "hearth".to_owned(),
            access_ttl: Micros::DAY,
            refresh_ttl: 7 * Micros::DAY,
            api_key_pepper,
            registration: Registration::Open,
            require_authentication: true,
            production: false,
        }
    }
}
