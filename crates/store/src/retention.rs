//! Retention: what has had its time is removed, in small batches, so that nobody waits for it.
//!
//! Each room that keeps rows of passing worth gives [`Rule`]s; the server puts them together and runs them every night.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use kernel::{Clock, Micros};

use crate::{Conn, Reach, Store, Tx, execute, fetch_one, jobs};

/// Rows of one transaction at most.
const BATCH: i64 = 1_000;
/// Writers get their turn between two batches.
const PAUSE: Duration = Duration::from_millis(50);

/// Counts the rows that ended before an instant.
pub type Count = for<'t> fn(&'t mut Conn, Micros) -> BoxFuture<'t, kernel::Result<i64>>;
/// Removes rows that ended before an instant, at most so many; answers with how many. Zero means that none is left.
pub type Batch = for<'t> fn(&'t mut Tx, Micros, i64) -> BoxFuture<'t, kernel::Result<u64>>;
/// Counts, or removes by itself, what is older than so many days at an instant; answers with how many.
pub type Whole =
    Arc<dyn Fn(Store, Micros, i64, Act) -> BoxFuture<'static, kernel::Result<u64>> + Send + Sync>;

/// What a rule is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Count only.
    Count,
    /// Remove.
    Remove,
}

/// How rows go.
#[derive(Clone)]
pub enum Remove {
    /// Batch by batch, at our pace.
    Batches(Count, Batch),
    /// In a way of its own.
    Whole(Whole),
}

/// How long one kind of rows is kept.
#[derive(Clone)]
pub struct Rule {
    /// What it keeps, such as `jobs.done`.
    pub name: &'static str,
    /// For how many days after its end.
    pub days: i64,
    /// Counts and removes what has had its time.
    pub remove: Remove,
}

/// What a rule found, or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The rule.
    pub rule: &'static str,
    /// Its days.
    pub days: i64,
    /// Rows.
    pub rows: u64,
}

/// Counts what [`run`] would remove now.
///
/// # Errors
/// The engine's.
pub async fn preview(store: &Store, clock: &Clock, rules: &[Rule]) -> kernel::Result<Vec<Outcome>> {
    let mut found = Vec::with_capacity(rules.len());
    for rule in rules {
        let now = clock.now();
        let rows = match &rule.remove {
            Remove::Batches(count, _) => {
                let mut conn = store.read(Reach::Everyone).await?;
                count(&mut conn, rule.before(now)).await?.max(0) as u64
            }
            Remove::Whole(whole) => whole(store.clone(), now, rule.days, Act::Count).await?,
        };
        found.push(Outcome { rule: rule.name, days: rule.days, rows });
    }
    Ok(found)
}

/// Removes what has had its time. Safe to repeat and to break off: what is gone is gone.
///
/// # Errors
/// The engine's; rules before the failed one have done their work.
pub async fn run(store: &Store, clock: &Clock, rules: &[Rule]) -> kernel::Result<Vec<Outcome>> {
    let mut done = Vec::with_capacity(rules.len());
    for rule in rules {
        let now = clock.now();
        let rows = match &rule.remove {
            Remove::Batches(_, batch) => in_batches(store, rule.before(now), *batch).await?,
            Remove::Whole(whole) => whole(store.clone(), now, rule.days, Act::Remove).await?,
        };
        if rows > 0 {
            tracing::info!(rule = rule.name, rows, "removed what had its time");
        }
        done.push(Outcome { rule: rule.name, days: rule.days, rows });
    }
    Ok(done)
}

impl Rule {
    fn before(&self, now: Micros) -> Micros {
        now.plus(-self.days * Micros::DAY)
    }
}

async fn in_batches(store: &Store, before: Micros, batch: Batch) -> kernel::Result<u64> {
    let mut all = 0;
    loop {
        let write = store.write("retention.remove", Reach::Everyone, move |tx| batch(tx, before, BATCH));
        match write.await? {
            0 => return Ok(all),
            rows => all += rows,
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Rules of the queue and of kept answers.
pub fn rules() -> Vec<Rule> {
    vec![
        Rule {
            name: "jobs.done",
            days: 1,
            remove: Remove::Batches(
                |conn, before| Box::pin(async move { Ok(jobs::count_ended(conn, &["done"], before).await?) }),
                |tx, before, limit| {
                    Box::pin(async move { Ok(jobs::remove_ended(tx, "done", before, limit).await?) })
                },
            ),
        },
        Rule {
            name: "jobs.dead",
            days: 30,
            remove: Remove::Batches(
                |conn, before| {
                    Box::pin(async move { Ok(jobs::count_ended(conn, &["dead", "failed"], before).await?) })
                },
                |tx, before, limit| {
                    Box::pin(async move {
                        let dead = jobs::remove_ended(tx, "dead", before, limit).await?;
                        Ok(dead + jobs::remove_ended(tx, "failed", before, limit - dead as i64).await?)
                    })
                },
            ),
        },
        Rule {
            name: "idempotency_keys",
            days: 1,
            remove: Remove::Batches(
                |conn, before| {
                    Box::pin(async move {
                        let sql = "SELECT COUNT(*) FROM idempotency_keys WHERE created_at < $1";
                        Ok(fetch_one!(conn, (i64,), sql, before.0)?.0)
                    })
                },
                |tx, before, limit| Box::pin(remove_answers(tx, before, limit)),
            ),
        },
    ]
}

async fn remove_answers(tx: &mut Tx, before: Micros, limit: i64) -> kernel::Result<u64> {
    Ok(execute!(
        tx,
        "DELETE FROM idempotency_keys WHERE (tenant_id, principal_id, route, idempotency_key) IN (
             SELECT tenant_id, principal_id, route, idempotency_key FROM idempotency_keys
             WHERE created_at < $1 ORDER BY created_at LIMIT $2)",
        before.0,
        limit,
    )?)
}
