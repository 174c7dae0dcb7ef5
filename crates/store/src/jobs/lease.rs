//! Leases of single jobs: claimed, renewed, and ended by the one runner that holds the token.

use kernel::{Clock, Micros};

use super::Job;
use crate::{Engine, Reach, Result, Store, execute, fetch_all, fetch_optional};

/// A lease lasts this long and is renewed at a third of it.
pub(super) const LEASE_MICROS: i64 = 60 * Micros::SECOND;
/// Tries before a job is dead; with the back-off below they span about six hours.
const MAX_TRIES: i64 = 10;

/// Leases the due job of one kind that has waited longest: one at a time, because a lease is renewed only while its job
/// runs. The two engines differ in how they keep two claimers apart: PostgreSQL skips locked rows, SQLite has one writer.
pub(super) async fn claim(store: &Store, clock: &Clock, kind: &'static str) -> kernel::Result<Option<Job>> {
    const SQLITE: &str = "UPDATE jobs SET state = 'running', tries = tries + 1, lease_token = $1, lease_until = $2
         WHERE job_id IN (SELECT job_id FROM jobs
             WHERE kind = $3 AND ((state = 'due' AND run_at <= $4) OR (state = 'running' AND lease_until <= $4))
             ORDER BY run_at LIMIT 1)
         RETURNING tenant_id, job_id, kind, job_key, payload, tries, lease_token";
    const POSTGRES: &str = "UPDATE jobs SET state = 'running', tries = tries + 1, lease_token = $1, lease_until = $2
         WHERE job_id IN (SELECT job_id FROM jobs
             WHERE kind = $3 AND ((state = 'due' AND run_at <= $4) OR (state = 'running' AND lease_until <= $4))
             ORDER BY run_at LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING tenant_id, job_id, kind, job_key, payload, tries, lease_token";
    let sql = match store.engine() {
        Engine::Sqlite => SQLITE,
        Engine::Postgres => POSTGRES,
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

/// Makes a lease last longer; false when it is no longer ours.
pub(super) async fn renew(store: &Store, clock: &Clock, job: &Job) -> kernel::Result<bool> {
    let (id, token) = (job.job_id.clone(), job.lease_token.clone());
    let until = clock.now().plus(LEASE_MICROS).0;
    let sql = "UPDATE jobs SET lease_until = $1 WHERE job_id = $2 AND lease_token = $3 AND state = 'running'";
    let write = store.write("jobs.renew", Reach::Everyone, move |tx| {
        Box::pin(async move { Ok(execute!(tx, sql, until, id, token)?) })
    });
    Ok(write.await? > 0)
}

/// Records the outcome of a try; does nothing when the lease was taken over.
pub(super) async fn finish(
    store: &Store,
    clock: &Clock,
    job: &Job,
    error: Option<String>,
) -> kernel::Result<()> {
    let now = clock.now();
    let (state, run_at) = match &error {
        None => ("done", now),
        Some(_) if job.tries >= MAX_TRIES => ("dead", now),
        Some(_) => ("due", now.plus(back_off(job.tries))),
    };
    let finished = (state != "due").then_some(now.0);
    let (id, token) = (job.job_id.clone(), job.lease_token.clone());
    store
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
                     WHERE job_id = $5 AND lease_token = $6 AND state = 'running'",
                    state,
                    run_at.0,
                    error,
                    finished,
                    id,
                    token,
                )?;
                Ok(())
            })
        })
        .await
}

/// 5 s, 10 s, 20 s … up to two hours, ± 20 % so that failures do not march in step.
fn back_off(tries: i64) -> i64 {
    let seconds = (5_i64 << (tries - 1).clamp(0, 20)).min(7_200);
    let jitter = i64::from(kernel::random::bytes::<1>()[0]) - 128;
    seconds * Micros::SECOND / 640 * (640 + jitter)
}
