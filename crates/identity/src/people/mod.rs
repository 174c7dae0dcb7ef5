//! The people of a tenant: listing them, their roles, and inviting more.

mod model;
pub(crate) mod routes;
mod service;
mod store;

pub use model::{Invitation, User};
