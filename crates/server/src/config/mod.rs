//! Configuration: one table of settings, one place that reads them, one typed structure.

mod backup;
mod checks;
mod env_file;
mod example;
mod limits;
mod load;
mod models;
mod place;
mod reference;
mod secrets;
mod setting;
mod table;
mod tls;
mod typed;
mod values;

pub use backup::BackupConfig;
pub use checks::{Finding, Severity};
pub use example::example;
pub use load::{Flags, Loaded, load, load_beside};
pub use models::{ChatSettings, DeriveConfig, EmbeddingConfig};
pub use reference::{Shown, reference, schema, show};
pub(crate) use reference::{shown, without_password};
pub use setting::Setting;
pub use table::SETTINGS;
pub(crate) use tls::open_tls;
pub use typed::{Config, DatabaseConfig, Environment, LogConfig, MetricsAccess, RunMode, TlsFiles};
pub use values::{Source, Values};

/// The process's own variables; those that are no text are passed over.
pub fn process_environment() -> std::collections::BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}
