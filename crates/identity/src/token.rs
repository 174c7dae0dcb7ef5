//! Making and checking tokens: signed ones that carry claims, and opaque ones of which only a hash is stored.

use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use kernel::id::BASE32;
use kernel::{Micros, Result, Secret};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::{Config, Error};

/// What an opaque token is for; one kind is never taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opaque {
    /// `hk_…`
    ApiKey,
    /// `hs_…`, the value of the session cookie.
    Session,
    /// `hr_…`
    Refresh,
    /// `hi_…`
    Invitation,
    /// `hf_…`, the first owner's.
    Setup,
}

impl Opaque {
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::ApiKey => "hk_",
            Self::Session => "hs_",
            Self::Refresh => "hr_",
            Self::Invitation => "hi_",
            Self::Setup => "hf_",
        }
    }
}

/// Claims of an access token; instants are seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    /// The person, `usr_…`.
    pub(crate) sub: String,
    /// The tenant.
    pub(crate) tid: String,
    /// The session, `ses_…`.
    pub(crate) sid: String,
    pub(crate) iat: i64,
    pub(crate) exp: i64,
    /// Never ours: a token that is for later, or for somebody else, is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) nbf: Option<i64>,
    /// As `nbf`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) aud: Option<serde_json::Value>,
}

impl Claims {
    /// Whether instants, audience and ids are such as we sign.
    fn is_sound(&self, now: i64) -> bool {
        let is_now = now < self.exp && self.iat <= now + 60 && self.nbf.is_none();
        let lives = self.exp.saturating_sub(self.iat);
        let is_named = kernel::id::is_id("ses", &self.sid) && kernel::TenantId::parse(&self.tid).is_ok();
        is_now && lives <= MAX_LIFE_SECONDS && self.aud.is_none() && is_named
    }
}

/// The longest life that JWT_EXPIRES_IN allows.
const MAX_LIFE_SECONDS: i64 = 7 * 86_400;

/// Keys of every token.
pub(crate) struct Tokens {
    signing: EncodingKey,
    verifying: Vec<DecodingKey>,
    rules: Validation,
    issuer: String,
    /// Keyed with the pepper.
    pepper: Hmac<Sha256>,
}

impl Tokens {
    pub(crate) fn new(config: &Config) -> Self {
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_issuer(&[&config.jwt_issuer]);
        rules.set_required_spec_claims(&["iss", "sub", "exp"]);
        // Expiry is compared with our own clock in `read_access`; the library would read the system's.
        rules.validate_exp = false;
        rules.validate_aud = false;
        let secrets = std::iter::once(&config.jwt_secret).chain(&config.jwt_secret_previous);
        Self {
            signing: EncodingKey::from_secret(config.jwt_secret.expose().as_bytes()),
            verifying: secrets.map(|secret| DecodingKey::from_secret(secret.expose().as_bytes())).collect(),
            rules,
            issuer: config.jwt_issuer.clone(),
            pepper: Hmac::new_from_slice(config.api_key_pepper.expose().as_bytes())
                .expect("HMAC takes a key of any length"),
        }
    }

    /// Signs an access token for a session; it lives from `now` to `until`, cut to whole seconds.
    pub(crate) fn sign_access(
        &self,
        (tenant, user, session): (&str, &str, &str),
        now: Micros,
        until: Micros,
    ) -> Result<String> {
        let claims = Claims {
            iss: self.issuer.clone(),
            sub: user.to_owned(),
            tid: tenant.to_owned(),
            sid: session.to_owned(),
            iat: now.0.div_euclid(Micros::SECOND),
            exp: until.0.div_euclid(Micros::SECOND),
            nbf: None,
            aud: None,
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.signing)
            .map_err(kernel::Error::internal)
    }

    /// Checks algorithm, signature, issuer and expiry. Says nothing about the session: that is a look-up.
    pub(crate) fn read_access(&self, token: &str, now: Micros) -> Result<Claims, Error> {
        let claims = self
            .verifying
            .iter()
            .find_map(|key| jsonwebtoken::decode::<Claims>(token, key, &self.rules).ok())
            .ok_or(Error::TokenRefused)?
            .claims;
        let seconds = now.0.div_euclid(Micros::SECOND);
        if !claims.is_sound(seconds) || claims.iss != self.issuer {
            return Err(Error::TokenRefused);
        }
        Ok(claims)
    }

    /// Makes an opaque token: the prefix and 52 characters holding 160 random bits and a 96-bit seal of ours.
    pub(crate) fn mint(&self, kind: Opaque) -> Secret {
        let random = kernel::random::bytes::<20>();
        let mut raw = [0_u8; 32];
        raw[..20].copy_from_slice(&random);
        raw[20..].copy_from_slice(&self.seal(kind, &random));
        Secret::new(format!("{}{}", kind.prefix(), BASE32.encode(&raw)))
    }

    /// The stored hash of a token; `None` when we never made it, which costs no look-up.
    pub(crate) fn stored_hash(&self, kind: Opaque, token: &str) -> Option<String> {
        let body = token.strip_prefix(kind.prefix())?;
        let raw = BASE32.decode(body.as_bytes()).ok().filter(|raw| raw.len() == 32)?;
        let sealed = self.seal(kind, &raw[..20]).ct_eq(&raw[20..]);
        bool::from(sealed).then(|| BASE32.encode(&self.hmac(&["stored", token])))
    }

    /// Names whose failed sign-ins are counted, without telling whose they are.
    pub(crate) fn failures_of(&self, parts: &[&str]) -> String {
        BASE32.encode(&self.hmac(&[&["failures"], parts].concat()))
    }

    /// What the header `X-CSRF-Token` must say for a session.
    pub(crate) fn csrf(&self, session_id: &str) -> String {
        BASE32.encode(&self.hmac(&["csrf", session_id]))
    }

    fn seal(&self, kind: Opaque, random: &[u8]) -> [u8; 12] {
        let full = self.hmac(&["seal", kind.prefix(), &BASE32.encode(random)]);
        let mut seal = [0_u8; 12];
        seal.copy_from_slice(&full[..12]);
        seal
    }

    /// HMAC-SHA256 with the pepper over the parts, a zero byte after each so that they cannot run together.
    fn hmac(&self, parts: &[&str]) -> [u8; 32] {
        let mut mac = self.pepper.clone();
        for part in parts {
            mac.update(part.as_bytes());
            mac.update(&[0]);
        }
        mac.finalize().into_bytes().into()
    }
}

/// Compares without telling by time where two texts differ.
pub(crate) fn is_same(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(pepper: &str) -> Tokens {
        Tokens::new(&Config::development(
            Secret::new("a secret of thirty-two characters"),
            Secret::new(pepper),
        ))
    }

    #[test]
    fn opaque_tokens_have_their_form_and_only_ours_hash() {
        let ours = tokens("pepper");
        let key = ours.mint(Opaque::ApiKey);
        assert!(key.expose().starts_with("hk_") && key.expose().len() == 55);
        let hash = ours.stored_hash(Opaque::ApiKey, key.expose()).unwrap();
        assert!(!hash.contains(&key.expose()[3..]));
        assert_eq!(ours.stored_hash(Opaque::Session, key.expose()), None);
        let renamed = key.expose().replacen("hk_", "hs_", 1);
        assert_eq!(ours.stored_hash(Opaque::Session, &renamed), None);
        assert_eq!(tokens("other").stored_hash(Opaque::ApiKey, key.expose()), None);
        let guess = format!("hk_{}", kernel::random::token());
        assert_eq!(ours.stored_hash(Opaque::ApiKey, &guess), None);
    }
}
