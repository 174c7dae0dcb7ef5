//! Memories: what was derived or said to be remembered, with every version, source and edit.

pub(crate) mod change;
mod edits;
pub(crate) mod history;
mod instructions;
mod model;
pub(crate) mod routes;
mod service;
pub(crate) mod store;

pub use edits::{Edit, EditOp, EditResult, NewEdit};
pub(crate) use instructions::instructs;
pub use model::{
    Added, MemoryItem, MemoryPatch, MemorySource, MemoryState, MemoryType, MemoryVersion, NewMemory,
    VersionOp,
};
pub(crate) use service::{check_id, unknown_ref};
