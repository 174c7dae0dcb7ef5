//! Invitations as administrators see them.

use kernel::{Micros, Role, Secret};
use serde::Serialize;
use utoipa::ToSchema;

/// An invitation as administrators see it. Its token cannot be read again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ListedInvitation {
    /// `inv_…`
    pub invitation_id: String,
    /// What the invited person will be.
    pub role: String,
    /// Who invited: `usr_…`, `key_…`.
    pub created_by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Micros,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Micros,
    /// When somebody signed up with it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub used_at: Option<Micros>,
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
