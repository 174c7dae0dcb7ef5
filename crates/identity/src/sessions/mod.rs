//! Sessions: opening, refreshing, listing and ending them.

mod model;
pub(crate) mod routes;
mod service;
pub(crate) mod store;
mod validate;

pub use model::{SignIn, SignIns, Validation};
pub(crate) use service::Opening;
