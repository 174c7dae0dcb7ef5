//! Decisions and tasks: read out of events, superseded and changed by events.

mod apply;
mod model;
pub(crate) mod routes;
mod service;
pub(crate) mod store;

pub(crate) use apply::{apply, concerns, id_of};
pub use model::{Decision, DecisionScope, NewDecision, Task, TaskPatch, TaskStatus};
