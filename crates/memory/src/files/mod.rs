//! Files of the memory tool: blocks whose names are paths under `/memories`.

mod model;
mod path;
pub(crate) mod routes;
mod service;
mod text;

pub use model::{FileAnswer, FileCall, FileCommand};
pub(crate) use path::check_label;
