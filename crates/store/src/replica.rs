//! A read-only copy of the database, which takes lists, history, reports and exports off the primary's hands.
//!
//! Nobody may miss there what they just wrote. The prober notes how far the primary's log reaches, with the instant before
//! it asked, and then how far the replica has replayed it: whatever was acknowledged before the newest note that was passed
//! is on the replica. So a caller's last write is remembered as an instant of this process's clock and compared with that
//! note's: nothing is asked for a read, and no two machines' clocks are compared. Servers tell each other through Redis.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use kernel::Ctx;
use metrics::Counter;
use sqlx::{AssertSqlSafe, PgPool};

use crate::redis::Script;
use crate::{Conn, Error, Reach, Redis, Result, Store};

/// A replica further behind is not read.
pub const LAG_LIMIT: Duration = Duration::from_secs(5);
/// Longest wait for a connection to it; the primary is there.
pub(crate) const CONNECT_LIMIT: Duration = Duration::from_millis(500);
/// Longest wait for its answer: what is left of a request's time must be enough for the primary.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// A write is remembered this long: a replica that is read has replayed all that is older.
const REMEMBERED: Duration = Duration::from_secs(LAG_LIMIT.as_secs() + 1);
/// Notes kept while a replica falls behind; they are a second apart.
const NOTES: usize = 600;

const NOTE_WRITE: &str = "return redis.call('SET', KEYS[1], '', 'PX', ARGV[1])";
const FIND_WRITE: &str = "return redis.call('EXISTS', KEYS[1])";

/// Where a read went; places in `Replica::counters`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// To the replica.
    Replica,
    /// To the primary: the replica is away, too far behind, or other servers cannot be asked.
    Behind,
    /// To the primary: the caller wrote something that may not be there yet.
    Wrote,
    /// To the replica in vain, then to the primary.
    Failed,
}

pub(crate) struct Replica {
    pool: PgPool,
    progress: Mutex<Progress>,
    writes: Writes,
    counters: [Counter; 4],
}

impl Replica {
    pub(crate) fn new(pool: PgPool) -> Self {
        let counter =
            |outcome: &'static str| metrics::counter!("hearth_replica_reads_total", "outcome" => outcome);
        Self {
            pool,
            progress: Mutex::new(Progress::new(Instant::now())),
            writes: Writes::default(),
            counters: ["replica", "behind", "wrote", "failed"].map(counter),
        }
    }

    /// Reads from the replica; `None` when that may not be or did not work.
    async fn look<T, F, Fut>(&self, ctx: &Ctx, look: &F) -> Option<T>
    where
        F: Fn(Conn) -> Fut,
        Fut: Future<Output = kernel::Result<T>>,
    {
        let (mut outcome, mut found) = (self.outcome(ctx).await, None);
        if outcome == Outcome::Replica {
            let asked = async { look(self.conn(&Reach::of(&ctx.tenant)).await?).await };
            match tokio::time::timeout(ANSWER_LIMIT, asked).await {
                Ok(Ok(value)) => found = Some(value),
                // Also what it lacks: another server's fresh row is no "not found".
                Ok(Err(error)) => {
                    tracing::debug!(code = error.code, source = ?error.source, "the replica failed");
                    outcome = Outcome::Failed;
                }
                Err(_) => outcome = Outcome::Failed,
            }
        }
        if outcome == Outcome::Failed {
            self.progress().is_trusted = false;
        }
        self.counters[outcome as usize].increment(1);
        found
    }

    async fn outcome(&self, ctx: &Ctx) -> Outcome {
        let Some(reached) = self.progress().readable(Instant::now()) else {
            return Outcome::Behind;
        };
        match self.writes.find(ctx, reached).await {
            None => Outcome::Behind,
            Some(true) => Outcome::Wrote,
            Some(false) => Outcome::Replica,
        }
    }

    async fn conn(&self, reach: &Reach) -> Result<Conn> {
        let mut conn = self.pool.acquire().await.map_err(Error::from).inspect_err(|error| {
            if matches!(error, Error::PoolExhausted) {
                metrics::counter!("db_pool_exhausted_total", "pool" => "replica").increment(1);
            }
        })?;
        sqlx::raw_sql(AssertSqlSafe(reach.set("SET"))).execute(&mut *conn).await?;
        Ok(Conn::Postgres(conn))
    }

    /// Which cluster the replica copies, and how far it has replayed; no position when it is none.
    async fn ask(&self) -> Result<(i64, Option<i64>)> {
        let sql = "SELECT (SELECT system_identifier FROM pg_control_system()),
                CAST(pg_last_wal_replay_lsn() - CAST('0/0' AS PG_LSN) AS BIGINT)";
        crate::fetch_one!(&mut self.conn(&Reach::Everyone).await?, (i64, Option<i64>), sql)
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}

impl Store {
    /// Reads lists, history, reports or exports in the caller's tenant: from the replica when there is one, it is up, at
    /// most [`LAG_LIMIT`] behind and has all that the caller wrote; else, or when it fails on the way, from the primary.
    /// Then `look` runs a second time.
    ///
    /// Never for rights, limits, jobs or recall: those read what is true now, with [`Store::read`].
    ///
    /// # Errors
    /// The closure's own, or the primary's.
    pub async fn browse<T, F, Fut>(&self, ctx: &Ctx, look: F) -> kernel::Result<T>
    where
        F: Fn(Conn) -> Fut,
        Fut: Future<Output = kernel::Result<T>>,
    {
        if let Some(replica) = self.replica()
            && let Some(found) = replica.look(ctx, &look).await
        {
            return Ok(found);
        }
        look(self.read(&ctx.tenant).await?).await
    }

    /// Remembers that the caller wrote; call it after the commit and before the answer. Does nothing without a replica.
    pub async fn note_write(&self, ctx: &Ctx) {
        if let Some(replica) = self.replica() {
            replica.writes.note(ctx, Instant::now()).await;
        }
    }

    /// Lets servers tell each other of their callers' writes. Until it is called this server counts as the only one.
    pub fn tell_writes_through(&self, redis: Redis) {
        if let Some(replica) = self.replica() {
            let _ = replica.writes.shared.set(Shared::new(redis));
        }
    }

    /// Asks primary and replica how far they are, and answers with how far the replica is behind. Nothing is read from
    /// it before; call it each second.
    ///
    /// # Errors
    /// Why the replica cannot be used.
    pub async fn probe_replica(&self) -> Result<Duration, String> {
        let replica = self.replica().ok_or("is not configured")?;
        let began = Instant::now();
        // Flushed, not written or inserted: a commit is acknowledged after its flush, and no standby gets more than that.
        let sql = "SELECT (SELECT system_identifier FROM pg_control_system()),
                CAST(pg_current_wal_flush_lsn() - CAST('0/0' AS PG_LSN) AS BIGINT)";
        let primary = async { crate::fetch_one!(&mut self.read(Reach::Everyone).await?, (i64, i64), sql) };
        let (cluster, flushed) = primary.await.map_err(|error| format!("primary: {error}"))?;
        let (its_cluster, replayed) = replica.ask().await.map_err(|error| whole(&error))?;
        if its_cluster != cluster {
            return Err("is a copy of another database server; see DATABASE_URL_REPLICA".to_owned());
        }
        let replayed = replayed.ok_or("is no standby; see DATABASE_URL_REPLICA")?;
        let mut progress = replica.progress();
        progress.note(began, flushed);
        progress.advance(replayed);
        replica.writes.forget();
        Ok(progress.lag(Instant::now()))
    }

    /// How far the replica is behind as far as is known, growing while nothing is heard of it; absent without one.
    pub fn replica_lag(&self) -> Option<Duration> {
        self.replica().map(|replica| replica.progress().lag(Instant::now()))
    }
}

fn whole(error: &Error) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
    format!("{error}{}", cause.unwrap_or_default())
}

/// How far the log reached when, and which of these notes the replica has passed.
struct Progress {
    /// Oldest first; positions are bytes since the log began.
    notes: VecDeque<(Instant, i64)>,
    /// All that was acknowledged before this is on the replica. At first nothing is known.
    reached: Instant,
    /// It was asked, and no read has failed since.
    is_trusted: bool,
}

impl Progress {
    fn new(began: Instant) -> Self {
        Self { notes: VecDeque::new(), reached: began, is_trusted: false }
    }

    fn note(&mut self, at: Instant, position: i64) {
        // Past the limit the oldest go: the lag of a replica that comes back looks longer than it is.
        if self.notes.len() == NOTES {
            self.notes.pop_front();
        }
        self.notes.push_back((at, position));
    }

    fn advance(&mut self, replayed: i64) {
        while let Some((at, _)) = self.notes.pop_front_if(|(_, position)| *position <= replayed) {
            (self.reached, self.is_trusted) = (at, true);
        }
    }

    /// What the replica has, if it may be read.
    fn readable(&self, now: Instant) -> Option<Instant> {
        (self.is_trusted && self.lag(now) <= LAG_LIMIT).then_some(self.reached)
    }

    fn lag(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.reached)
    }
}

/// Who wrote in the last seconds.
#[derive(Default)]
struct Writes {
    here: Mutex<HashMap<String, Instant>>,
    shared: OnceLock<Shared>,
}

struct Shared {
    redis: Redis,
    note: Script,
    find: Script,
}

impl Shared {
    fn new(redis: Redis) -> Self {
        Self { redis, note: Script::new(NOTE_WRITE), find: Script::new(FIND_WRITE) }
    }
}

impl Writes {
    async fn note(&self, ctx: &Ctx, at: Instant) {
        let who = who(ctx);
        self.here().insert(who.clone(), at);
        if let Some(Shared { redis, note, .. }) = self.shared.get() {
            let life = REMEMBERED.as_millis() as u64;
            let _: Option<String> = redis.call(note, &[who], &[life]).await;
        }
    }

    /// Whether the caller wrote at `reached` or later; `None` when other servers cannot be asked.
    async fn find(&self, ctx: &Ctx, reached: Instant) -> Option<bool> {
        let who = who(ctx);
        if self.here().get(&who).is_some_and(|at| *at >= reached) {
            return Some(true);
        }
        let Some(Shared { redis, find, .. }) = self.shared.get() else {
            return Some(false);
        };
        // A Redis that was away missed the writes of that time.
        if redis.up_for() < REMEMBERED {
            return None;
        }
        redis.call::<bool>(find, &[who], &[""; 0]).await
    }

    fn forget(&self) {
        self.here().retain(|_, at| at.elapsed() < REMEMBERED);
    }

    fn here(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.here.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The session or key behind a call; ids of these are no secrets.
fn who(ctx: &Ctx) -> String {
    format!("hearth:wrote:{}:{}", ctx.tenant, ctx.principal.credential_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_has_what_was_written_before_the_newest_note_that_it_passed() {
        let began = Instant::now();
        let at = |seconds: u64| began + Duration::from_secs(seconds);
        let mut progress = Progress::new(began);
        assert_eq!(progress.readable(began), None, "nothing is known yet");
        for (seconds, position) in [(1, 100), (2, 200), (3, 200), (4, 300)] {
            progress.note(at(seconds), position);
        }
        progress.advance(99);
        assert_eq!(progress.readable(at(4)), None, "it passed no note");
        progress.advance(299);
        assert_eq!(progress.readable(at(4)), Some(at(3)));
        assert_eq!(progress.readable(at(8)), Some(at(3)), "five seconds behind");
        assert_eq!(progress.readable(at(8) + Duration::from_millis(1)), None, "too far behind");
        assert_eq!(progress.lag(at(9)), Duration::from_secs(6));
        progress.advance(300);
        assert_eq!(progress.readable(at(9)), Some(at(4)));
        progress.is_trusted = false;
        assert_eq!(progress.readable(at(9)), None, "a read failed");
        progress.note(at(9), 300);
        progress.advance(300);
        assert_eq!(progress.readable(at(9)), Some(at(9)), "asked again, it is trusted again");
    }

    #[test]
    fn notes_are_bounded_and_a_lost_one_makes_the_lag_longer_never_shorter() {
        let began = Instant::now();
        let mut progress = Progress::new(began);
        for number in 0..NOTES as u64 + 10 {
            progress.note(began + Duration::from_secs(number), number as i64);
        }
        assert_eq!(progress.notes.len(), NOTES);
        progress.advance(5);
        assert_eq!(progress.reached, began, "the notes up to 5 are lost, and nothing is claimed");
        progress.advance(10);
        assert_eq!(progress.reached, began + Duration::from_secs(10));
    }
}
