//! The queue as an operator sees it, and what they may do to a job.

use kernel::{Error, Micros};
use sqlx::FromRow;

use crate::{Conn, Result, Tx, execute, fetch_all, fetch_one, fetch_optional};

/// Every state a job can be in.
pub const STATES: [&str; 5] = ["due", "running", "done", "failed", "dead"];

/// Which jobs to list.
#[derive(Clone, Debug, Default)]
pub struct JobFilter {
    /// Only this state.
    pub state: Option<String>,
    /// Only this kind.
    pub kind: Option<String>,
    /// Only jobs made before this one.
    pub before: Option<String>,
}

/// A whole row of the queue.
#[derive(Clone, Debug, FromRow)]
pub struct JobRow {
    /// `job_…`.
    pub job_id: String,
    /// Its tenant.
    pub tenant_id: String,
    /// Kind.
    pub kind: String,
    /// Key.
    pub job_key: String,
    /// What the enqueuer wrote; may hold words of people.
    pub payload: String,
    /// One of [`STATES`].
    pub state: String,
    /// Tries begun.
    pub tries: i64,
    /// Earliest start, µs.
    pub run_at: i64,
    /// When it was enqueued, µs.
    pub created_at: i64,
    /// When it ended, µs.
    pub finished_at: Option<i64>,
    /// How long its runner holds it, µs.
    pub lease_until: Option<i64>,
    /// Why its last try failed.
    pub last_error: Option<String>,
}

/// Jobs of all tenants, newest first, `limit` at most.
///
/// # Errors
/// The engine's.
pub async fn list_jobs(conn: &mut Conn, filter: &JobFilter, limit: i64) -> Result<Vec<JobRow>> {
    fetch_all!(
        conn,
        JobRow,
        "SELECT job_id, tenant_id, kind, job_key, payload, state, tries, run_at, created_at, finished_at,
             lease_until, last_error
         FROM jobs
         WHERE ($1 IS NULL OR state = $1) AND ($2 IS NULL OR kind = $2) AND ($3 IS NULL OR job_id < $3)
         ORDER BY job_id DESC
         LIMIT $4",
        filter.state.as_deref(),
        filter.kind.as_deref(),
        filter.before.as_deref(),
        limit,
    )
}

/// What of one kind is not done.
#[derive(Clone, Debug, Default, PartialEq, Eq, FromRow)]
pub struct KindSummary {
    /// The kind.
    pub kind: String,
    /// Waiting, also for a later time.
    pub due: i64,
    /// In the hands of a runner.
    pub running: i64,
    /// Given up: cancelled, or gave way to a newer job of the same key.
    pub failed: i64,
    /// Out of tries.
    pub dead: i64,
    /// Since when the first waiting job could have run, µs; none when nothing waits.
    pub oldest_due_at: Option<i64>,
}

/// What is not done, by kind.
///
/// # Errors
/// The engine's.
pub async fn summarise_kinds(conn: &mut Conn) -> Result<Vec<KindSummary>> {
    fetch_all!(
        conn,
        KindSummary,
        "SELECT kind,
             COUNT(CASE WHEN state = 'due' THEN 1 END) AS due,
             COUNT(CASE WHEN state = 'running' THEN 1 END) AS running,
             COUNT(CASE WHEN state = 'failed' THEN 1 END) AS failed,
             COUNT(CASE WHEN state = 'dead' THEN 1 END) AS dead,
             MIN(CASE WHEN state = 'due' THEN run_at END) AS oldest_due_at
         FROM jobs
         WHERE state <> 'done'
         GROUP BY kind
         ORDER BY kind",
    )
}

/// Makes a dead, failed or waiting job due at once, with all its tries before it.
///
/// # Errors
/// `not_found`; `job_not_waiting` when it runs or is done; `job_waits_already` when a newer one of its key waits.
pub async fn retry(tx: &mut Tx, job_id: &str, now: Micros) -> kernel::Result<()> {
    let changed = execute!(
        tx,
        "UPDATE jobs SET state = 'due', tries = 0, run_at = $1, finished_at = NULL
         WHERE job_id = $2 AND state IN ('due', 'failed', 'dead') AND NOT EXISTS (
             SELECT 1 FROM jobs AS other WHERE other.tenant_id = jobs.tenant_id AND other.kind = jobs.kind
             AND other.job_key = jobs.job_key AND other.state = 'due' AND other.job_id <> jobs.job_id)",
        now.0,
        job_id,
    )?;
    if changed > 0 {
        return Ok(());
    }
    Err(match get_state(tx, job_id).await?.as_str() {
        state @ ("running" | "done") => refused(state),
        _ => Error::conflict(
            "job_waits_already",
            "a newer job of the same kind and key waits; this one is not needed",
        ),
    })
}

/// Takes a waiting job off the queue, or stops a running one: its runner notices when it next renews the lease, within
/// twenty seconds. The row stays as `failed`.
///
/// # Errors
/// `not_found`; `job_not_waiting` when it has ended.
pub async fn cancel(tx: &mut Tx, job_id: &str, now: Micros) -> kernel::Result<()> {
    let changed = execute!(
        tx,
        "UPDATE jobs SET state = 'failed', finished_at = $1, last_error = 'cancelled', lease_token = NULL,
             lease_until = NULL
         WHERE job_id = $2 AND state IN ('due', 'running')",
        now.0,
        job_id,
    )?;
    if changed > 0 {
        return Ok(());
    }
    Err(refused(&get_state(tx, job_id).await?))
}

/// Keeps the jobs of a kind waiting on all servers; running ones go on. Safe to repeat.
///
/// # Errors
/// The engine's.
pub async fn pause(tx: &mut Tx, kind: &str, now: Micros) -> kernel::Result<()> {
    let sql = "INSERT INTO paused_job_kinds (kind, paused_at) VALUES ($1, $2) ON CONFLICT (kind) DO NOTHING";
    execute!(tx, sql, kind, now.0)?;
    Ok(())
}

/// Lets the jobs of a kind run again. Safe to repeat.
///
/// # Errors
/// The engine's.
pub async fn resume(tx: &mut Tx, kind: &str) -> kernel::Result<()> {
    execute!(tx, "DELETE FROM paused_job_kinds WHERE kind = $1", kind)?;
    Ok(())
}

/// Kinds that are paused.
///
/// # Errors
/// The engine's.
pub async fn list_paused(conn: &mut Conn) -> Result<Vec<String>> {
    let kinds = fetch_all!(conn, (String,), "SELECT kind FROM paused_job_kinds ORDER BY kind")?;
    Ok(kinds.into_iter().map(|(kind,)| kind).collect())
}

/// Removes at most `limit` jobs in `state` that ended before `before`; answers with how many.
///
/// # Errors
/// The engine's.
pub async fn remove_ended(tx: &mut Tx, state: &str, before: Micros, limit: i64) -> Result<u64> {
    execute!(
        tx,
        "DELETE FROM jobs WHERE job_id IN (
             SELECT job_id FROM jobs WHERE state = $1 AND finished_at < $2 ORDER BY finished_at LIMIT $3)",
        state,
        before.0,
        limit,
    )
}

/// Counts the jobs in `states` that ended before `before`.
///
/// # Errors
/// The engine's.
pub async fn count_ended(conn: &mut Conn, states: &[&str], before: Micros) -> Result<i64> {
    let mut all = 0;
    for state in states {
        let sql = "SELECT COUNT(*) FROM jobs WHERE state = $1 AND finished_at < $2";
        all += fetch_one!(conn, (i64,), sql, *state, before.0)?.0;
    }
    Ok(all)
}

fn refused(state: &str) -> Error {
    Error::conflict("job_not_waiting", format!("the job is {state}"))
}

async fn get_state(conn: &mut Conn, job_id: &str) -> kernel::Result<String> {
    let found = fetch_optional!(conn, (String,), "SELECT state FROM jobs WHERE job_id = $1", job_id)?;
    Ok(found.ok_or_else(|| Error::not_found("job"))?.0)
}
