//! A durable queue: a job is written with the row that causes it, leased, retried and finally kept as a dead letter.

mod admin;
mod kind;
mod lease;
mod runner;

use kernel::{Micros, TenantId};
use sqlx::FromRow;

pub use self::admin::{
    JobFilter, JobRow, KindSummary, STATES, cancel, count_ended, list_jobs, list_paused, pause, remove_ended,
    resume, retry, summarise_kinds,
};
pub use self::kind::{Handler, JobKind};
pub use self::runner::Runner;
use crate::{Reach, Result, Store, Tx, fetch_all, fetch_one, fetch_optional, insert_many};

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
    /// Names this lease: whoever holds another has lost the job.
    lease_token: String,
}

/// Adds a job in the caller's transaction, unless one of the same kind and key waits; returns the id of the one that waits.
///
/// A job that waits is locked until the caller commits: run before that, it would miss the rows that count on it.
///
/// # Errors
/// The engine's.
pub async fn enqueue(tx: &mut Tx, tenant: &TenantId, now: Micros, job: NewJob) -> Result<String> {
    let (job_id,) = fetch_one!(
        tx,
        (String,),
        "INSERT INTO jobs (tenant_id, job_id, kind, job_key, payload, state, tries, run_at, created_at)
         VALUES ($1, $2, $3, $4, $5, 'due', 0, $6, $7)
         ON CONFLICT (tenant_id, kind, job_key) WHERE state = 'due' DO UPDATE SET run_at = jobs.run_at
         RETURNING job_id",
        tenant.as_str(),
        kernel::id::new_id("job", now),
        job.kind,
        job.key,
        job.payload,
        job.run_at.0,
        now.0,
    )?;
    Ok(job_id)
}

/// As [`enqueue`], for several jobs in one statement. Their order does not matter: they are locked by key, so that two who
/// enqueue the same never wait for each other in a circle.
///
/// # Errors
/// The engine's.
pub async fn enqueue_all(tx: &mut Tx, now: Micros, mut jobs: Vec<(TenantId, NewJob)>) -> Result<u64> {
    jobs.sort_by(|(a, x), (b, y)| (a.as_str(), x.kind, &x.key).cmp(&(b.as_str(), y.kind, &y.key)));
    let row = |(tenant, job): (TenantId, NewJob)| {
        vec![
            tenant.as_str().into(),
            kernel::id::new_id("job", now).into(),
            job.kind.into(),
            job.key.into(),
            job.payload.into(),
            "due".into(),
            0_i64.into(),
            job.run_at.0.into(),
            now.0.into(),
        ]
    };
    insert_many(
        tx,
        "INSERT INTO jobs (tenant_id, job_id, kind, job_key, payload, state, tries, run_at, created_at)",
        "ON CONFLICT (tenant_id, kind, job_key) WHERE state = 'due' DO UPDATE SET run_at = jobs.run_at",
        jobs.into_iter().map(row).collect(),
    )
    .await
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
