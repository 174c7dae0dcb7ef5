//! The runner: claims jobs of the kinds it knows and hands them to their handlers.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use kernel::Clock;
use tokio::sync::Notify;

use super::{Job, lease};
use crate::Store;

/// What handlers are made of: one function per kind.
pub type Handler = Arc<dyn Fn(Job) -> BoxFuture<'static, kernel::Result<()>> + Send + Sync>;

/// Runs jobs of the kinds it was given.
#[derive(Clone)]
pub struct Runner {
    store: Store,
    clock: Clock,
    handlers: Arc<HashMap<&'static str, Handler>>,
    wake: Arc<Notify>,
}

impl Runner {
    /// A runner over `handlers`; it does nothing until [`Runner::run`] or [`Runner::drain`].
    pub fn new(
        store: Store,
        clock: Clock,
        handlers: Vec<(&'static str, Handler)>,
        wake: Arc<Notify>,
    ) -> Self {
        Self { store, clock, handlers: Arc::new(handlers.into_iter().collect()), wake }
    }

    /// Works until `stop` is notified; sleeps until woken, at most a second.
    pub async fn run(self, stop: Arc<Notify>) {
        loop {
            let worked = match self.pass().await {
                Ok(worked) => worked,
                Err(error) => {
                    tracing::warn!(code = error.code, source = ?error.source, "jobs cannot be claimed");
                    false
                }
            };
            let pause = async {
                if !worked {
                    let _ = tokio::time::timeout(Duration::from_secs(1), self.wake.notified()).await;
                }
            };
            tokio::select! {
                () = stop.notified() => return,
                () = pause => {}
            }
        }
    }

    /// Works until nothing is due; for tests and one-shot commands.
    ///
    /// # Errors
    /// The store's; a failing job is not an error here.
    pub async fn drain(&self) -> kernel::Result<()> {
        while self.pass().await? {}
        Ok(())
    }

    /// Claims and runs one round; tells whether there was anything to do.
    async fn pass(&self) -> kernel::Result<bool> {
        let mut worked = false;
        for (kind, handler) in self.handlers.iter() {
            if let Some(job) = lease::claim(&self.store, &self.clock, kind).await? {
                worked = true;
                self.run_one(job, handler).await?;
            }
        }
        Ok(worked)
    }

    async fn run_one(&self, job: Job, handler: &Handler) -> kernel::Result<()> {
        let (held, handler) = (job.clone(), handler.clone());
        // The handler is called inside the task: a panic of its own must not end the runner.
        let work = tokio::spawn(async move { handler(job).await });
        let abort = work.abort_handle();
        let outcome = tokio::select! {
            outcome = work => outcome.unwrap_or_else(|error| Err(kernel::Error::internal(error))),
            lost = self.keep_lease(&held) => { abort.abort(); return lost; }
        };
        if let Err(error) = &outcome {
            let Job { job_id, kind, tries, .. } = &held;
            tracing::warn!(job_id, kind, tries, code = error.code, source = ?error.source, "job failed");
        }
        lease::finish(&self.store, &self.clock, &held, outcome.err().map(|error| error.to_string())).await
    }

    /// Renews the lease until dropped; returns only when the lease is no longer ours.
    async fn keep_lease(&self, job: &Job) -> kernel::Result<()> {
        loop {
            tokio::time::sleep(Duration::from_micros(lease::LEASE_MICROS as u64 / 3)).await;
            if !lease::renew(&self.store, &self.clock, job).await? {
                return Ok(());
            }
        }
    }
}
