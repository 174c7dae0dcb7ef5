//! Making accounts and signing in: sign-up, invitations, the first owner, login.

mod model;
pub(crate) mod routes;
mod service;
mod setup;
pub(crate) mod store;

pub use model::{Registering, SettingUp, SetupState, SigningIn};
