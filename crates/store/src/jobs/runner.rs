//! The runner: claims jobs of the kinds it knows and hands them to their handlers.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use kernel::Clock;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::Job;
use super::kind::JobKind;
use super::lease::{self, End};
use crate::Store;

/// A lease lasts this long when it is not renewed.
const LEASE: Duration = Duration::from_micros(lease::LEASE_MICROS as u64);

/// Runs jobs of the kinds it was given.
#[derive(Clone)]
pub struct Runner {
    store: Store,
    clock: Clock,
    kinds: Arc<Vec<JobKind>>,
    wake: Arc<Notify>,
}

/// What a runner has in hand.
#[derive(Default)]
struct Hands {
    /// The running jobs; each ends with the place of its kind.
    tasks: JoinSet<(usize, kernel::Result<()>)>,
    /// How many of each kind.
    busy: HashMap<usize, usize>,
    /// The tenant that had the last turn, by kind.
    turns: HashMap<usize, String>,
}

impl Runner {
    /// A runner of `kinds`; it does nothing until [`Runner::run`] or [`Runner::drain`].
    pub fn new<K: Into<JobKind>>(store: Store, clock: Clock, kinds: Vec<K>, wake: Arc<Notify>) -> Self {
        let kinds = kinds.into_iter().map(Into::into).collect();
        Self { store, clock, kinds: Arc::new(kinds), wake }
    }

    /// Works until `stop` is notified; sleeps until woken, at most a second. Running jobs are then ended and handed back:
    /// they are due again at once, for another server.
    pub async fn run(self, stop: Arc<Notify>) {
        let (stopping, told) = watch::channel(false);
        let mut hands = Hands::default();
        loop {
            if let Err(error) = self.fill(&mut hands, &told).await {
                tracing::warn!(code = error.code, source = ?error.source, "jobs cannot be claimed");
            }
            tokio::select! {
                () = stop.notified() => break,
                Some(ended) = hands.tasks.join_next() => log(hands.put_down(ended)),
                () = self.wake.notified() => {}
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
            }
        }
        let _ = stopping.send(true);
        while let Some(ended) = hands.tasks.join_next().await {
            log(hands.put_down(ended));
        }
    }

    /// Works until nothing is due; for tests and one-shot commands.
    ///
    /// # Errors
    /// The store's; a failing job is not an error here.
    pub async fn drain(&self) -> kernel::Result<()> {
        let (_stopping, told) = watch::channel(false);
        let mut hands = Hands::default();
        self.fill(&mut hands, &told).await?;
        while let Some(ended) = hands.tasks.join_next().await {
            hands.put_down(ended)?;
            self.fill(&mut hands, &told).await?;
        }
        Ok(())
    }

    /// Claims until every kind has its hands full or nothing waits.
    async fn fill(&self, hands: &mut Hands, told: &watch::Receiver<bool>) -> kernel::Result<()> {
        for (at, kind) in self.kinds.iter().enumerate() {
            while hands.busy.get(&at).copied().unwrap_or(0) < kind.at_once {
                let turn = hands.turns.get(&at).map_or("", String::as_str);
                let Some(job) = lease::claim(&self.store, &self.clock, kind, turn).await? else { break };
                hands.turns.insert(at, job.tenant_id.clone());
                *hands.busy.entry(at).or_default() += 1;
                let (runner, told) = (self.clone(), told.clone());
                hands.tasks.spawn(async move { (at, runner.run_one(at, job, told).await) });
            }
        }
        Ok(())
    }

    async fn run_one(&self, kind: usize, job: Job, mut told: watch::Receiver<bool>) -> kernel::Result<()> {
        let kind = &self.kinds[kind];
        let (held, handler) = (job.clone(), kind.handler.clone());
        // The handler is called inside the task: a panic of its own must not end the runner.
        let mut work = tokio::spawn(async move { handler(job).await });
        let end = tokio::select! {
            outcome = &mut work => outcome.unwrap_or_else(|error| Err(kernel::Error::internal(error))).into(),
            () = self.keep_lease(&held) => {
                work.abort();
                tracing::warn!(job = held.job_id, kind = kind.name, "the lease of a job was lost");
                return Ok(());
            }
            () = async { let _ = told.wait_for(|told| *told).await; } => {
                work.abort();
                // Another server may begin the job when it is back: not before it has ended here.
                let _ = work.await;
                End::HandedBack
            }
        };
        if let End::Failed(error) = &end {
            tracing::warn!(job = held.job_id, kind = kind.name, tries = held.tries, error, "job failed");
        }
        lease::finish(&self.store, &self.clock, kind, &held, end).await
    }

    /// Renews the lease until dropped; returns only when the lease is no longer ours. A database that is away for a moment
    /// costs nothing while the lease lasts.
    async fn keep_lease(&self, job: &Job) {
        let mut renewed = Instant::now();
        loop {
            tokio::time::sleep(LEASE / 3).await;
            match lease::renew(&self.store, &self.clock, job).await {
                Ok(true) => renewed = Instant::now(),
                Err(_) if renewed.elapsed() < LEASE => {}
                Ok(false) | Err(_) => return,
            }
        }
    }
}

impl From<kernel::Result<()>> for End {
    fn from(outcome: kernel::Result<()>) -> Self {
        match outcome {
            Ok(()) => Self::Done,
            Err(error) => {
                let cause = error.source.as_ref().map(|cause| format!(" ({cause})")).unwrap_or_default();
                Self::Failed(format!("{error}{cause}"))
            }
        }
    }
}

impl Hands {
    /// Notes that a job has ended, and tells whether its outcome could be written down.
    fn put_down(
        &mut self,
        ended: Result<(usize, kernel::Result<()>), tokio::task::JoinError>,
    ) -> kernel::Result<()> {
        let (kind, written) = ended.map_err(kernel::Error::internal)?;
        *self.busy.entry(kind).or_insert(1) -= 1;
        written
    }
}

/// A job whose outcome was not written down is taken up again when its lease ends.
fn log(written: kernel::Result<()>) {
    if let Err(error) = written {
        tracing::warn!(code = error.code, source = ?error.source, "the outcome of a job could not be written down");
    }
}
