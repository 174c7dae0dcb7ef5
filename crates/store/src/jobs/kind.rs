//! What a runner knows of a kind of job: its handler, how many run at once, and how often one is tried.

use std::sync::Arc;

use futures::future::BoxFuture;
use kernel::Micros;

use super::Job;

/// What handlers are made of: one function per kind. Safe to repeat for the same job.
pub type Handler = Arc<dyn Fn(Job) -> BoxFuture<'static, kernel::Result<()>> + Send + Sync>;

/// The first pause after a failed try, µs. Each further one is three times as long: with ten tries they span five and a half
/// hours.
const FIRST_PAUSE_MICROS: i64 = 2 * Micros::SECOND;

/// A kind of job.
#[derive(Clone)]
pub struct JobKind {
    /// Its name, such as `memory.embed`.
    pub name: &'static str,
    pub(super) handler: Handler,
    pub(super) at_once: usize,
    pub(super) tries: i64,
}

impl JobKind {
    /// A kind of which a server runs one at a time, and tries each ten times.
    pub fn new(name: &'static str, handler: Handler) -> Self {
        Self { name, handler, at_once: 1, tries: 10 }
    }

    /// The same, `at_once` jobs at a time on each server.
    #[must_use]
    pub fn at_once(mut self, at_once: usize) -> Self {
        self.at_once = at_once;
        self
    }

    /// The same, dead after `tries` tries. One that ended with its server counts, too: a job that kills it ends.
    #[must_use]
    pub fn tries(mut self, tries: i64) -> Self {
        self.tries = tries;
        self
    }
}

impl From<(&'static str, Handler)> for JobKind {
    fn from((name, handler): (&'static str, Handler)) -> Self {
        Self::new(name, handler)
    }
}

/// The pause after the n-th try, µs: 2 s, 6 s, 18 s …, ± 20 % so that failures do not march in step.
pub(super) fn back_off(tries: i64) -> i64 {
    let pause = FIRST_PAUSE_MICROS * 3_i64.pow((tries - 1).clamp(0, 12) as u32);
    let jitter = i64::from(kernel::random::bytes::<1>()[0]) - 128;
    pause / 640 * (640 + jitter)
}
