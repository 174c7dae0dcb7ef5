//! Every path of this room.

use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, SET_COOKIE};
use axum::response::AppendHeaders;
use httpkit::{Meta, SESSION_COOKIE};
use utoipa_axum::router::OpenApiRouter;

use crate::{Identity, Origin, PageSession};

/// The routes, each with its documentation; their state is the service.
pub fn routes() -> OpenApiRouter<Identity> {
    OpenApiRouter::new()
        .merge(crate::accounts::routes::routes())
        .merge(crate::sessions::routes::routes())
        .merge(crate::keys::routes::routes())
        .merge(crate::people::routes::routes())
        .merge(crate::invitations::routes::routes())
        .merge(crate::audit::routes::routes())
}

impl From<Meta> for Origin {
    fn from(meta: Meta) -> Self {
        Self { request_id: meta.request_id, address: meta.address, user_agent: meta.user_agent }
    }
}

/// Answers that carry a secret are kept by no cache.
pub(crate) const NO_STORE: [(axum::http::HeaderName, HeaderValue); 1] =
    [(CACHE_CONTROL, HeaderValue::from_static("no-store"))];

/// Two `Set-Cookie` headers.
pub(crate) type CookiePair = AppendHeaders<[(axum::http::HeaderName, String); 2]>;

/// The page's two cookies: the session itself, which no script can read, and its CSRF token, which the page must.
pub(crate) fn cookies(identity: &Identity, page: &PageSession, is_encrypted: bool) -> CookiePair {
    let seconds = identity.config().refresh_ttl / kernel::Micros::SECOND;
    cookie_pair(page.cookie.expose(), &page.session.csrf_token, seconds, is_encrypted)
}

/// Both cookies with a new life of `seconds`; 0 removes them. What was set over TLS travels over TLS only.
pub(crate) fn cookie_pair(session: &str, csrf: &str, seconds: i64, is_encrypted: bool) -> CookiePair {
    let secure = if is_encrypted { "; Secure" } else { "" };
    let tail = format!("Path=/; Max-Age={seconds}; SameSite=Lax{secure}");
    AppendHeaders([
        (SET_COOKIE, format!("{SESSION_COOKIE}={session}; HttpOnly; {tail}")),
        (SET_COOKIE, format!("hearth_csrf={csrf}; {tail}")),
    ])
}
