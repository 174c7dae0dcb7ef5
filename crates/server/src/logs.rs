//! Logs: one line per event on stderr, text or JSON.

use std::sync::{LazyLock, OnceLock};

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, reload};

use crate::config::LogConfig;
use crate::folding::Folding;

type SetLevel = Box<dyn Fn(&str) + Send + Sync>;

/// Changes the level of the running log.
static SET_LEVEL: OnceLock<SetLevel> = OnceLock::new();
/// What was left out of the running log.
static FOLDING: LazyLock<Folding> = LazyLock::new(Folding::default);

/// Starts logging; a second call does nothing.
pub fn start(config: &LogConfig) {
    let (level, handle) = reload::Layer::new(filter(&config.level));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = if config.is_json {
        lines.json().flatten_event(true).with_current_span(false).boxed()
    } else {
        lines.with_target(false).boxed()
    };
    match tracing_subscriber::registry().with(level).with(FOLDING.clone()).with(lines).try_init() {
        Ok(()) => {
            let _ = SET_LEVEL.set(Box::new(move |level| {
                if handle.reload(filter(level)).is_err() {
                    tracing::warn!("the log level could not be changed");
                }
            }));
        }
        Err(error) => tracing::debug!(%error, "logging runs already"),
    }
}

/// Logs from another level on, while running.
pub(crate) fn set_level(level: &str) {
    if let Some(set) = SET_LEVEL.get() {
        set(level);
    }
}

/// Says what was left out of the log since the last time.
pub(crate) fn tell_folded() {
    FOLDING.tell();
}

/// The engine's own statement log is ours to write, with the operation's name and without its text.
fn filter(level: &str) -> EnvFilter {
    EnvFilter::try_new(format!("{level},sqlx=warn,hyper=warn,h2=warn,rustls=warn"))
        .unwrap_or_else(|_| EnvFilter::new("info"))
}
