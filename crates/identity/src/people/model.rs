//! People and invitations as administrators see them.

use kernel::{Micros, Role, Secret};
use serde::Serialize;
use utoipa::ToSchema;

/// A person of the tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct User {
    /// `usr_…`
    pub user_id: String,
    /// The name that signs in.
    pub username: String,
    /// For messages; not verified.
    pub email: Option<String>,
    /// `owner`, `admin`, `member`, `viewer`, or none yet.
    pub role: Option<String>,
    /// When the account was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Micros,
}

/// An invitation that was made just now: the only time its token can be read.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// `inv_…`
    pub invitation_id: String,
    /// Good for one sign-up.
    pub token: Secret,
    /// What the invited person will be.
    pub role: Role,
    /// When it ends.
    pub expires_at: Micros,
}
