//! Refresh tokens: each is good once.

mod service;
pub(crate) mod store;
