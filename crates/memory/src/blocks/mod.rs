//! Blocks: short texts that an owner's agents always have before them, changed piece by piece, with every version.

pub(crate) mod change;
mod model;
pub(crate) mod routes;
mod service;
pub(crate) mod store;

pub(crate) use model::insert_after;
pub use model::{Block, BlockChange, BlockPlace, BlockVersion, InsertText, NewBlock, ReplaceText};
pub use service::{BlockFilter, in_view};
