//! What people send to make an account or to sign in.

use kernel::Secret;
use serde::Serialize;
use utoipa::ToSchema;

/// A sign-up.
#[derive(Clone, Debug)]
pub struct Registering {
    /// 1–64 characters.
    pub username: String,
    /// 12–256 bytes.
    pub password: Secret,
    /// The wished tenant; an invitation overrules it.
    pub tenant: String,
    /// For messages; not verified.
    pub email: Option<String>,
    /// Sets tenant and role.
    pub invitation: Option<Secret>,
    /// Makes the first owner.
    pub setup_token: Option<Secret>,
}

/// A sign-in.
#[derive(Clone, Debug)]
pub struct SigningIn {
    /// The account's name.
    pub username: String,
    /// Its password.
    pub password: Secret,
    /// The account's tenant.
    pub tenant: String,
}

/// The first set-up from the page.
#[derive(Clone, Debug)]
pub struct SettingUp {
    /// Needed in production.
    pub setup_token: Option<Secret>,
    /// The tenant to make.
    pub tenant_name: String,
    /// The owner's name.
    pub username: String,
    /// The owner's password.
    pub password: Secret,
}

/// Whether the first set-up waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SetupState {
    /// No owner exists yet.
    pub needed: bool,
    /// The first owner must show the set-up token.
    pub token_required: bool,
}
