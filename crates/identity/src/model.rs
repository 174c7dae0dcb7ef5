//! Words that several slices share.

use std::net::IpAddr;
use std::sync::Arc;

use kernel::{Micros, Secret, TenantId};
use serde::Serialize;
use utoipa::ToSchema;

/// Where a request came from, for sessions and audit rows.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Names the request.
    pub request_id: Arc<str>,
    /// The caller's address.
    pub address: Option<IpAddr>,
    /// What the client says it is.
    pub user_agent: Option<String>,
}

/// A person in the answers of the contract routes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Person {
    /// `usr_…`
    pub user_id: String,
    /// The tenant.
    pub tenant_id: String,
    /// The name that signs in.
    pub username: String,
    /// `owner`, `admin`, `member`, `viewer`, or none.
    pub roles: Vec<String>,
}

/// The session body of the contract routes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SignedIn {
    /// JWT for `Authorization: Bearer`.
    pub access_token: String,
    /// Opaque; good for one refresh.
    pub refresh_token: String,
    /// `Bearer`
    pub token_type: &'static str,
    /// Life of the access token, seconds.
    pub expires_in: i64,
    /// Life of the refresh token, seconds.
    pub refresh_expires_in: i64,
    /// Who signed in.
    pub user: Person,
}

/// The person behind a page's session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SessionUser {
    /// `usr_…`
    pub user_id: String,
    /// The tenant.
    pub tenant_id: String,
    /// The tenant as people read it.
    pub tenant_name: String,
    /// The name that signs in.
    pub username: String,
    /// `owner`, `admin`, `member`, `viewer`, or none.
    pub roles: Vec<String>,
}

/// What the page knows of its session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Session {
    /// Who is signed in.
    pub user: SessionUser,
    /// What they may do.
    pub scopes: Vec<&'static str>,
    /// Repeat it as `X-CSRF-Token` on every unsafe method.
    pub csrf_token: String,
    /// When the session ends if it is not used.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Micros,
}

/// A page's session with the cookie that opens it.
#[derive(Clone, Debug)]
pub struct PageSession {
    /// The body.
    pub session: Session,
    /// Value of the cookie `hearth_session`.
    pub cookie: Secret,
}

/// A person as rules need them.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) tenant: TenantId,
    pub(crate) user_id: String,
    pub(crate) username: String,
    pub(crate) role: Option<kernel::Role>,
}

impl Known {
    pub(crate) fn person(&self) -> Person {
        Person {
            user_id: self.user_id.clone(),
            tenant_id: self.tenant.to_string(),
            username: self.username.clone(),
            roles: role_names(self.role),
        }
    }
}

/// A role as the list that clients expect.
pub(crate) fn role_names(role: Option<kernel::Role>) -> Vec<String> {
    role.into_iter().map(|role| role.as_str().to_owned()).collect()
}

/// A tenant name from our own rows.
///
/// # Errors
/// A defect: the row was not written by us.
pub(crate) fn stored_tenant(name: &str) -> kernel::Result<TenantId> {
    TenantId::parse(name).map_err(kernel::Error::internal)
}

/// Names of scopes as a column holds them: JSON. An unreadable column holds no right.
pub(crate) fn stored_scopes(json: &str) -> kernel::Scopes {
    let names: Vec<String> = serde_json::from_str(json).unwrap_or_default();
    kernel::Scopes::parse(&names).unwrap_or(kernel::Scopes::NONE)
}

/// The column for a set of scopes.
pub(crate) fn scopes_column(scopes: kernel::Scopes) -> String {
    serde_json::json!(scopes.names()).to_string()
}
