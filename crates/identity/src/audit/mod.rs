//! The append-only record of who did what: written in the transaction of the act.

mod model;
pub(crate) mod routes;
mod service;
mod store;

pub use model::{AuditEntry, AuditRow, Outcome};
pub use store::record;
