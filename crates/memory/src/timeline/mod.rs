//! Reading back: events by id, by conversation and in time, their chunks and artifacts.

mod model;
pub(crate) mod routes;
mod service;
pub(crate) mod store;

pub use model::{Chunk, EmbeddingStats, MemoryStats};
