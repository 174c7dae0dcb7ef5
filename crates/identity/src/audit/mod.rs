//! The append-only record of who did what: written in the transaction of the act, each row chained to the one before.

mod chain;
mod export;
mod model;
mod retention;
pub(crate) mod routes;
mod service;
mod store;
mod verify;

pub use export::{Format, export};
pub use model::{AuditEntry, AuditFilter, AuditRow, Outcome};
pub use retention::{MIN_RETENTION_DAYS, count_expired, remove_expired};
pub use store::record;
pub use verify::{Broken, Verdict, list_audited_tenants, verify};
