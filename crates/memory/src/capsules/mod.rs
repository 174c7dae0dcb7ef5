//! Capsules: what one agent hands to others of the same owner, for a while.

mod model;
pub(crate) mod routes;
mod service;
mod store;

pub use model::{Capsule, CapsuleChunk, CapsuleContents, CapsuleItems, NewCapsule, Packet};
pub use service::{CapsuleReader, addressed_to};
