//! Who asks, for which tenant, with which rights: travels with every call.

use std::net::IpAddr;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::id::TenantId;
use crate::scope::{Role, Scope, Scopes};

/// What kind of credential stands behind a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PrincipalKind {
    /// A person signed in.
    User,
    /// An API key.
    ApiKey,
    /// The operator at the machine's own command line.
    Operator,
}

impl PrincipalKind {
    /// The word in audit rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::ApiKey => "api_key",
            Self::Operator => "local operator",
        }
    }
}

/// The caller behind a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Kind of credential.
    pub kind: PrincipalKind,
    /// `usr_…` for a person, `key_…` for a key.
    pub id: String,
    /// The person that the credential is bound to; a key may have none.
    pub user_id: Option<String>,
    /// Role of the person; keys have none.
    pub role: Option<Role>,
    /// The session (`ses_…`) or key (`key_…`) that was shown.
    pub credential_id: String,
}

/// Context of one call. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Ctx {
    /// The tenant that every statement of this call names.
    pub tenant: TenantId,
    /// The caller.
    pub principal: Arc<Principal>,
    /// What the caller may do.
    pub scopes: Scopes,
    /// Appears in the answer, in logs and in audit rows.
    pub request_id: Arc<str>,
    /// The caller's address, if the call came over the network.
    pub address: Option<IpAddr>,
}

impl Ctx {
    /// Checks that the caller holds `scope`.
    ///
    /// # Errors
    /// `forbidden`, naming the scope.
    pub fn require(&self, scope: Scope) -> Result<()> {
        if self.scopes.has(scope) {
            return Ok(());
        }
        Err(Error::forbidden(format!("this needs the scope {}", scope.as_str())))
    }

    /// Checks a tenant that a body or query names: it may only repeat the credential's.
    ///
    /// # Errors
    /// `tenant_mismatch`.
    pub fn check_tenant(&self, named: Option<&str>) -> Result<()> {
        if named.is_none_or(|named| named == self.tenant.as_str()) {
            return Ok(());
        }
        let text = "the tenant comes from the credential; leave tenant_id out or name that tenant";
        Err(Error::new(ErrorKind::Forbidden, "tenant_mismatch", text))
    }

    /// The owner of memories for this call: a bound credential always owns as its person.
    ///
    /// # Errors
    /// `not_found` when a bound credential names somebody else: foreign people look like absent ones.
    pub fn owner(&self, named: Option<&str>) -> Result<String> {
        match (&self.principal.user_id, named) {
            (Some(bound), Some(named)) if bound != named => Err(Error::foreign("person")),
            (Some(bound), _) => Ok(bound.clone()),
            (None, Some(named)) => Ok(named.to_owned()),
            (None, None) => Ok(self.principal.id.clone()),
        }
    }
}
