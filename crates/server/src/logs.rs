//! Logs: one line per event on stderr, text or JSON.

use tracing_subscriber::EnvFilter;

use crate::config::LogConfig;

/// Starts logging; a second call does nothing.
pub fn start(config: &LogConfig) {
    // The engine's own statement log is ours to write, with the operation's name and without its text.
    let filter = EnvFilter::try_new(format!("{},sqlx=warn,hyper=warn,h2=warn,rustls=warn", config.level))
        .unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if config.is_json {
        builder.json().flatten_event(true).with_current_span(false).try_init()
    } else {
        builder.with_target(false).try_init()
    };
    if let Err(error) = started {
        tracing::debug!(%error, "logging runs already");
    }
}
