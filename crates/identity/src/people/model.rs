//! People as administrators see them.

use kernel::Micros;
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
    /// Since when the person cannot sign in; null for a person who can.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub disabled_at: Option<Micros>,
}
