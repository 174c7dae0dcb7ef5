//! Files of the memory tool: blocks whose names are paths under `/memories`.

mod path;

pub(crate) use path::check_label;
