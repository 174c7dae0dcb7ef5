//! What the server leans on: a prober per dependency writes what it sees into memory, and everything else reads that.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use kernel::{Clock, Micros};
use serde::Serialize;

/// Names in the order of the report. Those without a probe are reported as not configured.
const NAMES: &[&str] = &["database", "replica", "redis", "s3", "embeddings"];
/// The database and its replica are asked this often, and have this long to answer.
const DATABASE_EVERY: Duration = Duration::from_secs(1);
/// The others are asked this often.
const OTHERS_EVERY: Duration = Duration::from_secs(5);
/// Longest wait for the others.
const OTHERS_LIMIT: Duration = Duration::from_secs(2);
/// Misses before a dependency counts as down; one answer brings it up again.
const MISSES: u32 = 2;

/// What a probe brings: a few words on what answered, or why nothing did. Neither may hold a secret.
pub(crate) type Asked = Result<String, String>;

/// How to ask one configured dependency for a sign of life, at no cost that grows.
pub(crate) struct Probe {
    name: &'static str,
    ask: Box<dyn Fn() -> BoxFuture<'static, Asked> + Send + Sync>,
}

impl Probe {
    /// A probe of one of the dependencies in the report.
    pub(crate) fn new<F>(name: &'static str, ask: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Asked> + Send + 'static,
    {
        debug_assert!(NAMES.contains(&name), "{name} is in the report");
        Self { name, ask: Box::new(move || Box::pin(ask())) }
    }

    fn times(&self) -> (Duration, Duration) {
        let is_database = ["database", "replica"].contains(&self.name);
        if is_database { (DATABASE_EVERY, DATABASE_EVERY) } else { (OTHERS_EVERY, OTHERS_LIMIT) }
    }
}

/// What is known of one dependency.
#[derive(Clone, Debug, Default)]
struct Seen {
    is_up: Option<bool>,
    since: Option<Micros>,
    latency_ms: Option<f64>,
    last_error: Option<String>,
    detail: String,
}

/// One row of the report.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Dependency {
    /// `database`, `replica`, `redis`, `s3` or `embeddings`.
    pub name: &'static str,
    /// Whether the settings name one.
    pub configured: bool,
    /// Whether it answers; absent when not configured or not asked yet.
    pub up: Option<bool>,
    /// When it last came up or went down.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<Micros>,
    /// How long the last answer took, in ms.
    pub latency_ms: Option<f64>,
    /// The last failure, also after it came back.
    pub last_error: Option<String>,
    /// What answered.
    pub detail: String,
}

/// All dependencies of a server. Clones share them.
#[derive(Clone)]
pub(crate) struct Dependencies(Arc<Inner>);

struct Inner {
    clock: Clock,
    configured: Vec<(Probe, Mutex<Seen>)>,
}

impl Dependencies {
    /// Knows what may be asked; asks nothing yet.
    pub(crate) fn new(clock: Clock, probes: Vec<Probe>) -> Self {
        let configured = probes.into_iter().map(|probe| (probe, Mutex::default())).collect();
        Self(Arc::new(Inner { clock, configured }))
    }

    /// Asks each dependency again and again until the process ends.
    pub(crate) fn watch(&self) {
        for at in 0..self.0.configured.len() {
            tokio::spawn(self.clone().watch_one(at));
        }
    }

    async fn watch_one(self, at: usize) {
        let (probe, _) = &self.0.configured[at];
        let (every, limit) = probe.times();
        let mut missed = 0;
        loop {
            let started = Instant::now();
            let asked = tokio::time::timeout(limit, (probe.ask)()).await;
            let asked = asked.unwrap_or_else(|_| Err(format!("no answer within {} ms", limit.as_millis())));
            missed = if asked.is_ok() { 0 } else { missed + 1 };
            self.note(at, asked, started.elapsed(), missed >= MISSES);
            // The first miss is looked into at once, so that a dependency which is down is soon known to be.
            let is_doubtful = (1..MISSES).contains(&missed);
            tokio::time::sleep(if is_doubtful { DATABASE_EVERY } else { every }).await;
        }
    }

    /// Writes down what a probe brought. A single miss changes nothing but the last error.
    fn note(&self, at: usize, asked: Asked, elapsed: Duration, is_down: bool) {
        let (probe, seen) = &self.0.configured[at];
        let name = probe.name;
        let mut seen = lock(seen);
        let is_up = match asked {
            Ok(detail) => {
                (seen.detail, seen.latency_ms) = (detail, Some(elapsed.as_secs_f64() * 1e3));
                true
            }
            Err(error) => {
                seen.last_error = Some(error);
                if !is_down {
                    return;
                }
                false
            }
        };
        if seen.is_up != Some(is_up) {
            (seen.is_up, seen.since) = (Some(is_up), Some(self.0.clock.now()));
            if is_up {
                tracing::info!(dependency = name, "dependency is up");
            } else {
                tracing::warn!(dependency = name, error = seen.last_error, "dependency is down");
            }
        }
        metrics::gauge!("hearth_dependency_up", "dependency" => name).set(f64::from(u8::from(is_up)));
    }

    /// Remembers that the database answered, before its prober came round.
    pub(crate) fn note_database(&self) {
        if let Some(at) = self.0.configured.iter().position(|(probe, _)| probe.name == "database") {
            let detail = lock(&self.0.configured[at].1).detail.clone();
            self.note(at, Ok(detail), Duration::ZERO, false);
        }
    }

    /// Whether a dependency is configured and answers.
    pub(crate) fn is_up(&self, name: &str) -> bool {
        self.0.configured.iter().any(|(probe, seen)| probe.name == name && lock(seen).is_up == Some(true))
    }

    /// Whether a configured dependency does not answer.
    pub(crate) fn any_down(&self) -> bool {
        self.0.configured.iter().any(|(_, seen)| lock(seen).is_up == Some(false))
    }

    /// Every dependency that this server could have, with what is known of it.
    pub(crate) fn report(&self) -> Vec<Dependency> {
        let row = |name: &'static str| {
            let known = self.0.configured.iter().find(|(probe, _)| probe.name == name);
            let Seen { is_up: up, since, latency_ms, last_error, detail } =
                known.map(|(_, seen)| lock(seen).clone()).unwrap_or_default();
            Dependency { name, configured: known.is_some(), up, since, latency_ms, last_error, detail }
        };
        NAMES.iter().copied().map(row).collect()
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}
