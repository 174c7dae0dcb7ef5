//! Who asks: credentials are read here once and turned into a context by one function.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use futures::future::BoxFuture;
use http::request::Parts;
use http::{HeaderMap, header};
use kernel::{Ctx, Error, ErrorKind, Secret};

use crate::Problem;
use crate::edge::RequestState;
use crate::limits::Who;

/// Name of the page's session cookie.
pub const SESSION_COOKIE: &str = "hearth_session";

/// Everything in a request that may prove who asks.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// `Authorization: Bearer`.
    pub bearer: Option<Secret>,
    /// `X-API-Key`, `api-key` and `Authorization: Token`, each if sent.
    pub api_keys: Vec<Secret>,
    /// The page's session cookie.
    pub cookie: Option<Secret>,
    /// `X-CSRF-Token`.
    pub csrf: Option<String>,
    /// `GET`, `HEAD` and `OPTIONS` need no CSRF token.
    pub is_safe_method: bool,
    /// Names the request in logs and audit rows.
    pub request_id: Arc<str>,
    /// The caller's address.
    pub address: Option<IpAddr>,
}

/// Turns credentials into a context; `identity` implements it.
pub trait Authenticate: Send + Sync + 'static {
    /// Checks the credentials.
    ///
    /// The future fails with `Unauthenticated` when there are none or they are not valid, `Invalid` when two differ,
    /// `Forbidden` when a cookie comes without its CSRF token.
    fn authenticate(&self, credentials: Credentials) -> BoxFuture<'_, kernel::Result<Ctx>>;

    /// Whether the credentials verify without asking the database.
    fn verify_in_memory(&self, credentials: &Credentials) -> bool;

    /// Writes down that a caller was refused `resource`, a method and path without its query. What cannot be written down
    /// is logged.
    fn record_refusal(&self, ctx: &Ctx, resource: String) -> BoxFuture<'static, ()>;
}

/// The authenticator of a router, put on it as an extension.
pub type Authenticator = Arc<dyn Authenticate>;

/// The caller of a route that needs one.
pub struct Caller(pub Ctx);

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let missing = |what: &str| Error::internal(format!("the router has no {what}"));
        let state = parts.extensions.get::<RequestState>().cloned().ok_or_else(|| missing("edge"))?;
        let authenticator =
            parts.extensions.get::<Authenticator>().cloned().ok_or_else(|| missing("authenticator"))?;
        match authenticator.authenticate(credentials(parts, &state)).await {
            Ok(ctx) => {
                state.know(&ctx, authenticator);
                state.admit(Who::Caller(&ctx), parts).await?;
                Ok(Self(ctx))
            }
            Err(error) => {
                // Whoever shows nothing, or something false, is told so until the address has asked too often.
                state.count_request(Who::Visitor(state.address), parts).await?;
                Err(error.into())
            }
        }
    }
}

/// What is known of a request whether or not it has a caller.
#[derive(Clone, Debug)]
pub struct Meta {
    /// Names the request in logs and audit rows.
    pub request_id: Arc<str>,
    /// The caller's address.
    pub address: Option<IpAddr>,
    /// The caller came over TLS, ours or a trusted proxy's.
    pub is_encrypted: bool,
    /// What the client says it is, cut to 200 characters.
    pub user_agent: Option<String>,
    /// The credentials as sent, unchecked.
    pub credentials: Credentials,
}

impl<S: Send + Sync> FromRequestParts<S> for Meta {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let state = parts.extensions.get::<RequestState>().cloned();
        let state = state.ok_or_else(|| Error::internal("the router has no edge"))?;
        let credentials = credentials(parts, &state);
        let agent = parts.headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok());
        Ok(Self {
            request_id: state.request_id.clone(),
            address: state.address,
            is_encrypted: state.is_encrypted,
            user_agent: agent.map(|text| text.chars().take(200).collect()),
            credentials,
        })
    }
}

/// Whoever calls a route that needs no credential; counted by address.
pub struct Visitor(pub Meta);

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, router: &S) -> Result<Self, Problem> {
        let meta = Meta::from_request_parts(parts, router).await?;
        let state = parts.extensions.get::<RequestState>().cloned();
        let state = state.ok_or_else(|| Error::internal("the router has no edge"))?;
        state.admit(Who::Visitor(meta.address), parts).await?;
        Ok(Self(meta))
    }
}

/// Refuses what a page of an unknown site sends: a browser on this machine may be led to a server that others cannot reach,
/// and not every such server asks for credentials.
pub struct KnownOrigin;

impl<S: Send + Sync> FromRequestParts<S> for KnownOrigin {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let state = parts.extensions.get::<RequestState>();
        let state = state.ok_or_else(|| Error::internal("the router has no edge"))?;
        match parts.headers.get(header::ORIGIN) {
            Some(origin) if !state.knows_origin(origin) => {
                let text = "pages of this origin may not call; CORS_ORIGINS names those that may";
                Err(Error::new(ErrorKind::Forbidden, "origin_refused", text).into())
            }
            _ => Ok(Self),
        }
    }
}

fn credentials(parts: &Parts, state: &RequestState) -> Credentials {
    let secret = |name: &str| parts.headers.get(name).and_then(|v| v.to_str().ok()).map(Secret::new);
    Credentials {
        bearer: authorization(&parts.headers, "bearer"),
        api_keys: ["x-api-key", "api-key"]
            .into_iter()
            .filter_map(secret)
            .chain(authorization(&parts.headers, "token"))
            .collect(),
        cookie: cookie(&parts.headers, SESSION_COOKIE).map(Secret::new),
        csrf: parts.headers.get("x-csrf-token").and_then(|v| v.to_str().ok()).map(str::to_owned),
        is_safe_method: parts.method.is_safe(),
        request_id: state.request_id.clone(),
        address: state.address,
    }
}

fn authorization(headers: &HeaderMap, wanted: &str) -> Option<Secret> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case(wanted).then(|| Secret::new(token.trim()))
}

fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}
