//! Sessions: opening, refreshing, listing and ending them.

mod model;
mod refresh;
pub(crate) mod routes;
mod service;
pub(crate) mod store;

pub use model::{SignIn, SignIns, Validation};
pub(crate) use service::Opening;
