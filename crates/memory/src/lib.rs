//! Memory: agents record what they saw and did, and ask for what matters now.
//!
//! [`events`] records verbatim, [`timeline`] reads back, [`search`] answers, [`bundle`] puts together what an agent needs,
//! [`embed`] adds vectors and [`derive`](mod@derive) memories in the background.

pub mod blocks;
pub mod bundle;
pub mod capsules;
pub mod derive;
mod doors;
pub mod embed;
pub mod events;
pub mod files;
pub mod graph;
pub mod import;
pub mod memories;
mod rebuild;
mod redact;
mod refs;
pub mod rights;
mod routes;
pub mod rules;
pub mod search;
mod service;
mod text;
pub mod timeline;
mod wire;
mod words;
pub mod work;

pub use doors::{Incoming, ToolSets};
pub use routes::routes;
pub use service::{Memory, MemoryConfig};
pub use text::estimate_tokens;
