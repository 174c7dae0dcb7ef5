//! Configuration: one table of settings, one place that reads them, one typed structure.

mod checks;
mod load;
mod reference;
mod table;
mod typed;
mod values;

pub use checks::{Finding, Severity, check_place};
pub use load::{Flags, Loaded, load};
pub(crate) use reference::without_password;
pub use reference::{reference, schema, show};
pub use table::{SETTINGS, Setting};
pub use typed::{Config, DatabaseConfig, EmbeddingConfig, Environment, LogConfig, MetricsAccess, RunMode};
pub use values::{Source, Values};

/// The process's own variables; those that are no text are passed over.
pub fn process_environment() -> std::collections::BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}
