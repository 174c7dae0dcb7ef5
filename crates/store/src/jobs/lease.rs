//! Leases of single jobs: claimed, renewed, and ended by the one runner that holds the token.

use kernel::{Clock, Micros};

use super::Job;
use super::kind::{JobKind, back_off};
use crate::{Engine, Reach, Result, Store, Tx, execute, fetch_all, fetch_one, fetch_optional};

/// A lease lasts this long and is renewed at a third of it.
pub(super) const LEASE_MICROS: i64 = 60 * Micros::SECOND;

/// What waits for a claim: leases that ran out, and due jobs. Nothing of a paused kind.
struct Waiting {
    is_lost: bool,
    is_due: bool,
}

/// Leases one job of a kind: one whose runner was lost, else the oldest of the tenant that comes after `turn`. One at a time,
/// because a lease is renewed only while its job runs.
pub(super) async fn claim(
    store: &Store,
    clock: &Clock,
    kind: &JobKind,
    turn: &str,
) -> kernel::Result<Option<Job>> {
    let now = clock.now();
    // A look before the claim, so that an idle queue costs no write.
    let waiting = look(store, kind.name, now).await?;
    if !waiting.is_lost && !waiting.is_due {
        return Ok(None);
    }
    let claim = Claim { engine: store.engine(), kind: kind.name, tries: kind.tries, now };
    let turn = turn.to_owned();
    store
        .write("jobs.claim", Reach::Everyone, move |tx| {
            Box::pin(async move {
                if waiting.is_lost
                    && let Some(job) = claim.take_over(tx).await?
                {
                    return Ok(Some(job));
                }
                match claim.first(tx, "due", &turn).await? {
                    None if !turn.is_empty() => Ok(claim.first(tx, "due", "").await?),
                    found => Ok(found),
                }
            })
        })
        .await
}

async fn look(store: &Store, kind: &str, now: Micros) -> Result<Waiting> {
    let mut conn = store.read(Reach::Everyone).await?;
    let (lost, due, paused) = fetch_one!(
        &mut conn,
        (i64, i64, i64),
        "SELECT
             CAST(COALESCE((SELECT 1 FROM jobs WHERE kind = $1 AND state = 'running' AND lease_until <= $2
                 LIMIT 1), 0) AS BIGINT),
             CAST(COALESCE((SELECT 1 FROM jobs WHERE kind = $1 AND state = 'due' AND run_at <= $2
                 LIMIT 1), 0) AS BIGINT),
             CAST(COALESCE((SELECT 1 FROM paused_job_kinds WHERE kind = $1), 0) AS BIGINT)",
        kind,
        now.0,
    )?;
    Ok(Waiting { is_lost: lost == 1 && paused == 0, is_due: due == 1 && paused == 0 })
}

#[derive(Clone, Copy)]
struct Claim {
    engine: Engine,
    kind: &'static str,
    tries: i64,
    now: Micros,
}

impl Claim {
    /// A job whose lease ran out. The lost try counts: after the last one the job is dead, so that a job which kills its
    /// server does not do so for ever.
    async fn take_over(self, tx: &mut Tx) -> Result<Option<Job>> {
        let dead = execute!(
            tx,
            "UPDATE jobs SET state = 'dead', finished_at = $1, lease_token = NULL, lease_until = NULL,
                 last_error = 'its server ended, or lost it, during the last try'
             WHERE kind = $2 AND state = 'running' AND lease_until <= $1 AND tries >= $3",
            self.now.0,
            self.kind,
            self.tries,
        )?;
        if dead > 0 {
            tracing::warn!(kind = self.kind, dead, "jobs are dead: their servers ended during the last try");
        }
        self.first(tx, "running", "").await
    }

    /// Leases the oldest job in `state` of the first tenant after `turn` that has one. The engines differ in how they keep
    /// two claimers apart: PostgreSQL skips locked rows, SQLite has one writer.
    async fn first(self, tx: &mut Tx, state: &'static str, turn: &str) -> Result<Option<Job>> {
        const SQLITE: &str =
            "UPDATE jobs SET state = 'running', tries = tries + 1, lease_token = $1, lease_until = $2
             WHERE job_id IN (SELECT job_id FROM jobs
                 WHERE kind = $3 AND state = $4 AND tenant_id > $5
                 AND ((state = 'due' AND run_at <= $6) OR (state = 'running' AND lease_until <= $6))
                 ORDER BY tenant_id, run_at LIMIT 1)
             RETURNING tenant_id, job_id, kind, job_key, payload, tries, lease_token";
        const POSTGRES: &str =
            "UPDATE jobs SET state = 'running', tries = tries + 1, lease_token = $1, lease_until = $2
             WHERE job_id IN (SELECT job_id FROM jobs
                 WHERE kind = $3 AND state = $4 AND tenant_id > $5
                 AND ((state = 'due' AND run_at <= $6) OR (state = 'running' AND lease_until <= $6))
                 ORDER BY tenant_id, run_at LIMIT 1 FOR UPDATE SKIP LOCKED)
             RETURNING tenant_id, job_id, kind, job_key, payload, tries, lease_token";
        let sql = match self.engine {
            Engine::Sqlite => SQLITE,
            Engine::Postgres => POSTGRES,
        };
        let (token, until) = (kernel::random::token(), self.now.plus(LEASE_MICROS).0);
        let mut leased = fetch_all!(tx, Job, sql, token, until, self.kind, state, turn, self.now.0)?;
        Ok(leased.pop())
    }
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

/// How a lease ends.
pub(super) enum End {
    /// The job is done.
    Done,
    /// The try failed, for this reason.
    Failed(String),
    /// The server stops: the try does not count, and the job is due at once.
    HandedBack,
}

/// Ends a lease; does nothing when it was taken over.
pub(super) async fn finish(
    store: &Store,
    clock: &Clock,
    kind: &JobKind,
    job: &Job,
    end: End,
) -> kernel::Result<()> {
    let now = clock.now();
    let (state, run_at, tries) = match &end {
        End::Done => ("done", now, job.tries),
        End::Failed(_) if job.tries >= kind.tries => ("dead", now, job.tries),
        End::Failed(_) => ("due", now.plus(back_off(job.tries)), job.tries),
        End::HandedBack => ("due", now, job.tries - 1),
    };
    let error = if let End::Failed(error) = end { Some(error) } else { None };
    let job = job.clone();
    store
        .write("jobs.finish", Reach::Everyone, move |tx| {
            Box::pin(async move {
                // A newer job of the same key may wait already; then this one gives way to it.
                let state = if state == "due" && newer_waits(tx, &job).await? { "failed" } else { state };
                execute!(
                    tx,
                    "UPDATE jobs SET state = $1, finished_at = $2, run_at = $3, tries = $4, last_error = $5,
                         lease_token = NULL, lease_until = NULL
                     WHERE job_id = $6 AND lease_token = $7 AND state = 'running'",
                    state,
                    (state != "due").then_some(now.0),
                    run_at.0,
                    tries,
                    error,
                    job.job_id,
                    job.lease_token,
                )?;
                Ok(())
            })
        })
        .await
}

async fn newer_waits(tx: &mut Tx, job: &Job) -> Result<bool> {
    let found: Option<(String,)> = fetch_optional!(
        tx,
        (String,),
        "SELECT job_id FROM jobs WHERE tenant_id = $1 AND kind = $2 AND job_key = $3 AND state = 'due'",
        &job.tenant_id,
        &job.kind,
        &job.job_key,
    )?;
    Ok(found.is_some())
}
