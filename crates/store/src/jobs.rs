//! A durable queue: a job is written with the row that causes it, leased, retried and finally kept as a dead letter.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use kernel::{Clock, Micros, TenantId};
use sqlx::FromRow;
use tokio::sync::Notify;

use crate::{Reach, Result, Store, Tx, execute, fetch_all, fetch_optional};

/// A lease lasts this long and is renewed at a third of it.
const LEASE_MICROS: i64 = 60 * Micros::SECOND;
/// Tries before a job is dead; with the back-off below they span about six hours.
const MAX_TRIES: i64 = 10;

/// Work to enqueue.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// Kind, which chooses the handler.
    pub kind: &'static str,
    /// What it is about: a second job of the same kind and key is not added while one waits.
    pub key: String,
    /// JSON for the handler.
    pub payload: String,
    /// Earliest start.
    pub run_at: Micros,
}

/// A leased job in the hands of a handler.
#[derive(Clone, Debug, FromRow)]
pub struct Job {
    /// Its tenant.
    pub tenant_id: String,
    /// `job_…`.
    pub job_id: String,
    /// Kind.
    pub kind: String,
    /// Key.
    pub job_key: String,
    /// JSON of the enqueuer.
    pub payload: String,
    /// Tries begun, this one included.
    pub tries: i64,
}

/// Adds a job in the caller's transaction, unless one of the same kind and key waits.
///
/// A job that waits is locked until the caller commits: run before that, it would miss the rows that count on it.
///
/// # Errors
/// The engine's.
pub async fn enqueue(tx: &mut Tx, tenant: &TenantId, now: Micros, job: NewJob) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO jobs (tenant_id, job_id, kind, job_key, payload, state, tries, run_at, created_at)
         VALUES ($1, $2, $3, $4, $5, 'due', 0, $6, $7)
         ON CONFLICT (tenant_id, kind, job_key) WHERE state = 'due' DO UPDATE SET run_at = jobs.run_at",
        tenant.as_str(),
        kernel::id::new_id("job", now),
        job.kind,
        job.key,
        job.payload,
        job.run_at.0,
        now.0,
    )?;
    Ok(())
}

/// Leases the due job of one kind that has waited longest: one at a time, because a lease is renewed only while its job
/// runs. The two engines differ in how they keep two claimers apart: PostgreSQL skips locked rows, SQLite has one writer.
async fn claim(store: &Store, clock: &Clock, kind: &'static str) -> kernel::Result<Option<Job>> {
    const SQLITE: &str = "UPDATE jobs SET state = 'running', tries = tries + 1, lease_token = $1, lease_until = $2
         WHERE job_id IN (SELECT job_id FROM jobs
             WHERE kind = $3 AND ((state = 'due' AND run_at <= $4) OR (state = 'running' AND lease_until <= $4))
             ORDER BY run_at LIMIT 1)
         RETURNING tenant_id, job_id, kind, job_key, payload, tries";
    const POSTGRES: &str = "UPDATE jobs SET state = 'running', tries = tries + 1, lease_token = $1, lease_until = $2
         WHERE job_id IN (SELECT job_id FROM jobs
             WHERE kind = $3 AND ((state = 'due' AND run_at <= $4) OR (state = 'running' AND lease_until <= $4))
             ORDER BY run_at LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING tenant_id, job_id, kind, job_key, payload, tries";
    let sql = match store.engine() {
        crate::Engine::Sqlite => SQLITE,
        crate::Engine::Postgres => POSTGRES,
    };
    let now = clock.now();
    let token = kernel::random::token();
    let due = is_due(store, kind, now).await?;
    if !due {
        return Ok(None);
    }
    store
        .write("jobs.claim", Reach::Everyone, move |tx| {
            Box::pin(async move {
                let mut claimed = fetch_all!(tx, Job, sql, token, now.plus(LEASE_MICROS).0, kind, now.0)?;
                Ok(claimed.pop())
            })
        })
        .await
}

/// A look before the claim, so that an idle queue costs no write.
async fn is_due(store: &Store, kind: &str, now: Micros) -> Result<bool> {
    let mut conn = store.read(Reach::Everyone).await?;
    let found: Option<(i64,)> = fetch_optional!(
        &mut conn,
        (i64,),
        "SELECT CAST(1 AS BIGINT) FROM jobs
         WHERE kind = $1 AND ((state = 'due' AND run_at <= $2) OR (state = 'running' AND lease_until <= $2))
         LIMIT 1",
        kind,
        now.0,
    )?;
    Ok(found.is_some())
}

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
            if let Some(job) = claim(&self.store, &self.clock, kind).await? {
                worked = true;
                self.run_one(job, handler).await?;
            }
        }
        Ok(worked)
    }

    async fn run_one(&self, job: Job, handler: &Handler) -> kernel::Result<()> {
        let id = job.job_id.clone();
        let (kind, tries) = (job.kind.clone(), job.tries);
        let handler = handler.clone();
        // The handler is called inside the task: a panic of its own must not end the runner.
        let work = tokio::spawn(async move { handler(job).await });
        let abort = work.abort_handle();
        let outcome = tokio::select! {
            outcome = work => outcome.unwrap_or_else(|error| Err(kernel::Error::internal(error))),
            lost = self.keep_lease(&id, tries) => { abort.abort(); return lost; }
        };
        if let Err(error) = &outcome {
            tracing::warn!(job = id, kind, tries, code = error.code, source = ?error.source, "job failed");
        }
        self.finish(id, tries, outcome.err()).await
    }

    /// Renews the lease until dropped; returns only when the lease is no longer ours.
    async fn keep_lease(&self, id: &str, tries: i64) -> kernel::Result<()> {
        loop {
            tokio::time::sleep(Duration::from_micros(LEASE_MICROS as u64 / 3)).await;
            let (id, until) = (id.to_owned(), self.clock.now().plus(LEASE_MICROS).0);
            let renewed = self
                .store
                .write("jobs.renew", Reach::Everyone, move |tx| {
                    Box::pin(async move {
                        Ok(execute!(
                            tx,
                            "UPDATE jobs SET lease_until = $1 WHERE job_id = $2 AND tries = $3 AND state = 'running'",
                            until,
                            id,
                            tries,
                        )?)
                    })
                })
                .await?;
            if renewed == 0 {
                return Ok(());
            }
        }
    }

    /// Records the outcome; `tries` fences off a runner whose lease was taken over.
    async fn finish(&self, id: String, tries: i64, error: Option<kernel::Error>) -> kernel::Result<()> {
        let now = self.clock.now();
        let (state, run_at) = match &error {
            None => ("done", now),
            Some(_) if tries >= MAX_TRIES => ("dead", now),
            Some(_) => ("due", now.plus(back_off(tries))),
        };
        let finished = (state != "due").then_some(now.0);
        let text = error.map(|error| error.to_string());
        self.store
            .write("jobs.finish", Reach::Everyone, move |tx| {
                Box::pin(async move {
                    // A newer job of the same key may wait already; then this failed one gives way to it.
                    execute!(
                        tx,
                        "UPDATE jobs SET state = CASE WHEN $1 = 'due' AND EXISTS (
                                 SELECT 1 FROM jobs AS other WHERE other.tenant_id = jobs.tenant_id
                                 AND other.kind = jobs.kind AND other.job_key = jobs.job_key AND other.state = 'due')
                             THEN 'failed' ELSE $1 END,
                             run_at = $2, last_error = $3, finished_at = $4, lease_token = NULL, lease_until = NULL
                         WHERE job_id = $5 AND tries = $6 AND state = 'running'",
                        state,
                        run_at.0,
                        text,
                        finished,
                        id,
                        tries,
                    )?;
                    Ok(())
                })
            })
            .await
    }
}

/// 5 s, 10 s, 20 s … up to two hours, ± 20 % so that failures do not march in step.
fn back_off(tries: i64) -> i64 {
    let seconds = (5_i64 << (tries - 1).clamp(0, 20)).min(7_200);
    let jitter = i64::from(kernel::random::bytes::<1>()[0]) - 128;
    seconds * Micros::SECOND / 640 * (640 + jitter)
}

/// How many jobs wait in each state, and how long the oldest due one has waited, in seconds.
///
/// # Errors
/// The engine's.
pub async fn depth(store: &Store, now: Micros) -> Result<(Vec<(String, i64)>, f64)> {
    let mut conn = store.read(Reach::Everyone).await?;
    let states = fetch_all!(
        &mut conn,
        (String, i64),
        "SELECT state, COUNT(*) FROM jobs WHERE state <> 'done' GROUP BY state"
    )?;
    let oldest: Option<(Option<i64>,)> =
        fetch_optional!(&mut conn, (Option<i64>,), "SELECT MIN(run_at) FROM jobs WHERE state = 'due'")?;
    let oldest = oldest.and_then(|row| row.0).map_or(0.0, |at| (now.0 - at).max(0) as f64 / 1e6);
    Ok((states, oldest))
}
