//! Making accounts and signing in: sign-up, invitations, the first owner, login.

mod model;
pub(crate) mod routes;
mod service;
mod setup;
mod sign_up;
pub(crate) mod store;

pub use model::{Registering, SettingUp, SetupState, SigningIn};
