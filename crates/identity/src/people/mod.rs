//! The people of a tenant: listing them, their roles, closing and opening their accounts, their sessions.

mod model;
pub(crate) mod routes;
mod service;
mod sessions;
mod store;

pub use model::User;
pub(crate) use routes::role;
pub(crate) use service::require_owner_for;
