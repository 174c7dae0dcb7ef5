//! API keys: making, listing and revoking them, and access tokens made with them.

mod mint;
mod model;
pub(crate) mod routes;
mod service;
pub(crate) mod store;

pub use mint::Minted;
pub use model::{ActsFor, ApiKey, NewApiKey, NewKey};
pub(crate) use service::parse_scopes;
