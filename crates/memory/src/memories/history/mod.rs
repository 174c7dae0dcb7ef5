//! What hangs on memories: versions, sources, and facts that must stay gone.

pub(crate) mod store;
