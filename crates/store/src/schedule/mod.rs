//! Schedules: jobs that come due by the clock, once in the whole cluster.
//!
//! One server leads: it holds the lease `scheduler`. It looks for what is due, then fires each in one transaction that checks
//! its fencing number, moves the schedule on and enqueues the job. A leader that was paused between the two is refused.
//! A time that was passed is never fired again, also when the clock goes back.

mod cron;
mod rows;

use std::sync::Arc;
use std::time::Duration;

use kernel::{Clock, ErrorKind, Micros, TenantId};
use tokio::sync::{Notify, watch};

pub use self::cron::Cron;
pub use self::rows::{ScheduleRow, list_schedules};
use crate::jobs::NewJob;
use crate::{Reach, Store, jobs, lease};

/// The lease that the leader holds.
pub const LEASE: &str = "scheduler";
/// A leader looks this often for what is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// An occurrence that is later than this was missed, µs: a change of leaders takes less.
const LATE_MICROS: i64 = 300 * Micros::SECOND;
/// Missed occurrences that are made up for at a time.
const MADE_UP_AT_ONCE: usize = 100;

/// What happens to occurrences that passed while no server looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CatchUp {
    /// Nothing: the next one counts.
    Skip,
    /// One job for all of them.
    Once,
    /// A job for each, oldest first.
    All,
}

impl CatchUp {
    /// The word in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Once => "once",
            Self::All => "all",
        }
    }
}

/// A job that comes due by the clock.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// Its name, for ever: the row is found by it.
    pub name: String,
    /// Kind of the job. Its key is the name; its payload the occurrence, RFC 3339.
    pub kind: &'static str,
    /// Five fields, as in [`Cron::parse`].
    pub cron: String,
    /// Name of a zone.
    pub time_zone: String,
    /// What happens to missed occurrences.
    pub catch_up: CatchUp,
}

/// A schedule whose time has come, as the leader saw it.
#[derive(Clone, Debug)]
pub struct Due {
    schedule: usize,
    next_at: Micros,
}

impl Due {
    /// Its place among the schedules that the scheduler was made with.
    pub fn place(&self) -> usize {
        self.schedule
    }
}

struct Known {
    schedule: Schedule,
    cron: Cron,
}

/// Fires schedules while this server leads. Clones share it.
#[derive(Clone)]
pub struct Scheduler(Arc<Inner>);

struct Inner {
    store: Store,
    clock: Clock,
    lease: String,
    holder: String,
    tenant: TenantId,
    known: Vec<Known>,
    wake_jobs: Arc<Notify>,
}

impl Scheduler {
    /// A scheduler under the name `holder`, which no other server has; its jobs belong to `tenant`.
    ///
    /// # Errors
    /// The name of a schedule and what is wrong with its cron text or zone.
    pub fn new(
        store: Store,
        clock: Clock,
        holder: String,
        tenant: TenantId,
        schedules: Vec<Schedule>,
        wake_jobs: Arc<Notify>,
    ) -> Result<Self, (String, String)> {
        let known = schedules.into_iter().map(|schedule| {
            let cron = Cron::parse(&schedule.cron, &schedule.time_zone);
            let cron = cron.map_err(|why| (schedule.name.clone(), why))?;
            Ok(Known { schedule, cron })
        });
        let known = known.collect::<Result<_, (String, String)>>()?;
        Ok(Self(Arc::new(Inner { store, clock, lease: LEASE.to_owned(), holder, tenant, known, wake_jobs })))
    }

    /// The same under a lease of its own, beside others in the same database.
    ///
    /// # Panics
    /// After it was cloned.
    #[must_use]
    pub fn with_lease(mut self, lease: impl Into<String>) -> Self {
        Arc::get_mut(&mut self.0).expect("a scheduler that nobody shares yet").lease = lease.into();
        self
    }

    /// Writes the schedules down; one whose text, zone or kind changed begins anew from now.
    ///
    /// # Errors
    /// The store's.
    pub async fn register(&self) -> kernel::Result<()> {
        let (this, now) = (self.clone(), self.0.clock.now());
        self.0
            .store
            .write("schedule.register", Reach::Everyone, move |tx| {
                Box::pin(async move {
                    let before = rows::list_schedules(tx).await?;
                    for Known { schedule, cron } in &this.0.known {
                        let row = before.iter().find(|row| row.name == schedule.name);
                        // What was fired stays fired, also for another text and under a clock that went back.
                        let fired = row.and_then(|row| row.last_fired_at).map_or(now, Micros);
                        let next_at = cron.next_after(now.max(fired)).unwrap_or(Micros(i64::MAX));
                        rows::put(tx, schedule, next_at).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// Takes or keeps the lead; answers with the fencing number while this server leads.
    ///
    /// # Errors
    /// The store's.
    pub async fn lead(&self) -> kernel::Result<Option<i64>> {
        let Inner { store, lease, holder, clock, .. } = &*self.0;
        lease::take(store, lease, holder, clock.now()).await
    }

    /// The schedules of this server whose time has come.
    ///
    /// # Errors
    /// The engine's.
    pub async fn list_due(&self) -> kernel::Result<Vec<Due>> {
        let now = self.0.clock.now();
        let rows = rows::list_due(&mut self.0.store.read(Reach::Everyone).await?, now).await?;
        let due = rows.into_iter().filter_map(|(name, next_at)| {
            let schedule = self.0.known.iter().position(|known| known.schedule.name == name)?;
            Some(Due { schedule, next_at: Micros(next_at) })
        });
        Ok(due.collect())
    }

    /// Fires one schedule as the leader with the number `fence`; answers with the occurrences that got a job.
    ///
    /// # Errors
    /// `lease_lost` when another server leads by now: then nothing happened. The store's.
    pub async fn fire(&self, fence: i64, due: &Due) -> kernel::Result<Vec<Micros>> {
        let now = self.0.clock.now();
        let known = &self.0.known[due.schedule];
        let (occurrences, next_at) = occurrences(&known.cron, known.schedule.catch_up, due.next_at, now);
        let (this, at, fired) = (self.clone(), due.schedule, occurrences.clone());
        self.0
            .store
            .write("schedule.fire", Reach::Everyone, move |tx| {
                Box::pin(async move {
                    let Inner { lease, tenant, known, .. } = &*this.0;
                    lease::check(tx, lease, fence).await?;
                    let schedule = &known[at].schedule;
                    for occurrence in &occurrences {
                        jobs::enqueue(tx, tenant, now, job(schedule, *occurrence, now)).await?;
                    }
                    rows::move_on(tx, &schedule.name, next_at, occurrences.last().copied(), fence).await
                })
            })
            .await?;
        self.0.wake_jobs.notify_one();
        Ok(fired)
    }

    /// One turn of a leader: fires all that is due. A lead that was lost meanwhile is no error.
    ///
    /// # Errors
    /// The store's.
    pub async fn turn(&self, fence: i64) -> kernel::Result<()> {
        for due in self.list_due().await? {
            match self.fire(fence, &due).await {
                Ok(fired) => {
                    let name = &self.0.known[due.schedule].schedule.name;
                    tracing::info!(schedule = name, occurrences = fired.len(), "schedule fired");
                }
                Err(error) if error.kind == ErrorKind::Conflict => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Registers and leads in turn with other servers until `stop` turns true; then lets them lead at once.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut registered = false;
        let (mut fence, mut asked) = (None, None::<tokio::time::Instant>);
        let renew_every = Duration::from_micros(lease::LEASE_MICROS as u64 / 3);
        let mut every = tokio::time::interval(LOOK_EVERY);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = stop.wait_for(|stopped| *stopped) => break,
                _ = every.tick() => {}
            }
            let step = async {
                if !registered {
                    self.register().await?;
                    registered = true;
                }
                if asked.is_none_or(|at| at.elapsed() >= renew_every) {
                    asked = Some(tokio::time::Instant::now());
                    let leads = self.lead().await?;
                    if leads != fence {
                        tracing::info!(leads = leads.is_some(), fence = leads, "scheduler");
                    }
                    fence = leads;
                }
                match fence {
                    Some(fence) => self.turn(fence).await,
                    None => Ok(()),
                }
            };
            if let Err(error) = step.await {
                tracing::warn!(code = error.code, source = ?error.source, "schedules could not be looked after");
            }
        }
        if fence.is_some()
            && let Err(error) = lease::give_up(&self.0.store, &self.0.lease, &self.0.holder).await
        {
            tracing::warn!(code = error.code, "the lead could not be given up; it ends by itself in 15 s");
        }
    }
}

/// What is to be fired at `now` by a schedule that was due at `next_at`, and when it is due again.
fn occurrences(cron: &Cron, catch_up: CatchUp, next_at: Micros, now: Micros) -> (Vec<Micros>, Micros) {
    let never = Micros(i64::MAX);
    if catch_up == CatchUp::All {
        let mut all = Vec::new();
        let mut next = next_at;
        while next <= now && all.len() < MADE_UP_AT_ONCE {
            all.push(next);
            next = cron.next_after(next).unwrap_or(never);
        }
        return (all, next);
    }
    let last = cron.last_until(next_at, now);
    let is_missed = now.0 - last.0 > LATE_MICROS;
    let fired = if is_missed && catch_up == CatchUp::Skip { Vec::new() } else { vec![last] };
    (fired, cron.next_after(now).unwrap_or(never))
}

fn job(schedule: &Schedule, occurrence: Micros, now: Micros) -> NewJob {
    let key = match schedule.catch_up {
        CatchUp::All => format!("{}@{occurrence}", schedule.name),
        // One run that waits makes up for all.
        CatchUp::Skip | CatchUp::Once => schedule.name.clone(),
    };
    NewJob { kind: schedule.kind, key, payload: occurrence.to_string(), run_at: now }
}
