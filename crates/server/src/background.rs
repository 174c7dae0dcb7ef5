//! What this server does without being asked: kinds of jobs, schedules that enqueue them, and how long rows are kept.

use std::sync::Arc;

use kernel::Clock;
use memory::Memory;
use store::Store;
use store::jobs::{JobKind, Runner};
use store::retention::{self, Rule};
use store::schedule::{CatchUp, Schedule, Scheduler};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::App;
use crate::app::StartError;
use crate::backups::Backups;
use crate::config::Config;

/// Kind of the job that removes what has had its time.
const RETENTION: &str = "retention.run";
/// Kind of the job that makes a backup, restores it on trial, and prunes.
const BACKUP: &str = "backup.create";

impl App {
    /// Every kind of job that this server can run.
    pub fn job_kinds(&self) -> Vec<JobKind> {
        kinds(&self.store, &self.clock, &self.memory, &self.backups)
    }

    /// The runner of background jobs.
    pub fn jobs(&self) -> Runner {
        Runner::new(self.store.clone(), self.clock.clone(), self.job_kinds(), self.wake_jobs.clone())
    }

    /// What fires schedules while this server leads; their jobs belong to the operators' tenant.
    ///
    /// # Errors
    /// A schedule that cannot be kept, by its name.
    pub fn scheduler(&self) -> Result<Scheduler, StartError> {
        let (store, clock, wake) = (self.store.clone(), self.clock.clone(), self.wake_jobs.clone());
        let tenant = self.config.operator_tenant.clone();
        let schedules = schedules(&self.config);
        Scheduler::new(store, clock, holder(), tenant, schedules, wake)
            .map_err(|(name, why)| StartError::new("schedule", format!("{name}: {why}")))
    }

    /// Keeps the schedules until `stop` turns true, if this server works.
    pub(crate) fn keep_schedules(&self, stop: watch::Receiver<bool>) -> Option<JoinHandle<()>> {
        match self.scheduler() {
            Ok(scheduler) => self.config.run_mode.works.then(|| tokio::spawn(scheduler.run(stop))),
            Err(error) => {
                tracing::error!(why = error.text, "no schedule is kept");
                None
            }
        }
    }
}

/// Every kind of job that a server can run.
pub(crate) fn kinds(store: &Store, clock: &Clock, memory: &Memory, backups: &Backups) -> Vec<JobKind> {
    let mut kinds: Vec<JobKind> = memory.jobs().into_iter().map(JobKind::from).collect();
    let (store, clock) = (store.clone(), clock.clone());
    kinds.push(JobKind::new(
        RETENTION,
        Arc::new(move |_| {
            let (store, clock) = (store.clone(), clock.clone());
            Box::pin(async move { retention::run(&store, &clock, &retention_rules()).await.map(|_| ()) })
        }),
    ));
    let backups = backups.clone();
    kinds.push(JobKind::new(
        BACKUP,
        Arc::new(move |_| {
            let backups = backups.clone();
            Box::pin(async move { backups.nightly().await.map_err(kernel::Error::internal) })
        }),
    ));
    kinds
}

/// Every schedule.
fn schedules(config: &Config) -> Vec<Schedule> {
    let daily = |name: &str, kind, cron: &str| Schedule {
        name: name.to_owned(),
        kind,
        cron: cron.to_owned(),
        time_zone: "UTC".to_owned(),
        catch_up: CatchUp::Once,
    };
    let mut schedules = vec![daily("retention", RETENTION, "30 3 * * *")];
    schedules.extend(config.backup.schedule.iter().map(|cron| daily("backup", BACKUP, cron)));
    schedules
}

/// How long each kind of rows is kept.
pub(crate) fn retention_rules() -> Vec<Rule> {
    let mut rules = retention::rules();
    rules.extend(identity::retention());
    rules
}

/// The name under which this process leads: host, process, and chance, because a restart may get the same number.
fn holder() -> String {
    let host = sysinfo::System::host_name().unwrap_or_else(|| "server".to_owned());
    format!("{host}:{}:{}", std::process::id(), &kernel::random::token()[..8])
}
