//! Recording: one event or a thousand, verbatim, idempotent, acknowledged when durable.

mod append;
mod model;
mod prepare;
pub mod routes;
pub(crate) mod store;

pub use append::AppendGroup;
pub(crate) use append::{Appender, Wanted};
pub use model::{
    Actor, ActorType, Channel, Event, EventKind, NewEvent, Recorded, RecordedBatch, Sensitivity,
    SessionSummary,
};
pub use prepare::Prepared;
pub(crate) use prepare::{PreparedChunk, check_list, check_name, chunks_of, prepare};
