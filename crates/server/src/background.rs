//! What this server does without being asked: kinds of jobs, schedules that enqueue them, and how long rows are kept.

use std::sync::Arc;
use std::time::Duration;

use kernel::{Micros, TenantId};
use memory::Memory;
use store::Blobs;
use store::jobs::{JobKind, Runner};
use store::retention::{self, Remove, Rule};
use store::schedule::{CatchUp, Schedule, Scheduler};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::App;
use crate::app::StartError;
use crate::backups::Backups;
use crate::config::Config;
use crate::rights::{DOMAINS, ERASE, EXPORT, Rights};

/// Kind of the job that removes what has had its time.
const RETENTION: &str = "retention.run";
/// Kind of the job that reads a backup back and restores it on trial; its key names the file.
pub(crate) const VERIFY_BACKUP: &str = "backup.verify";
/// Kind of the job that makes a backup, restores it on trial, and prunes.
pub(crate) const BACKUP: &str = "backup.create";

impl App {
    /// Every kind of job that this server can run.
    pub fn job_kinds(&self) -> Vec<JobKind> {
        kinds(&self.memory, &self.backups, &self.rights)
    }

    /// The runner of background jobs.
    pub fn jobs(&self) -> Runner {
        Runner::new(self.store.clone(), self.clock.clone(), self.job_kinds(), self.wake_jobs.clone())
    }

    /// What fires schedules while this server leads; their jobs belong to `tenant`.
    ///
    /// # Errors
    /// A schedule that cannot be kept, by its name.
    pub fn scheduler(&self, tenant: TenantId) -> Result<Scheduler, StartError> {
        let (store, clock, wake) = (self.store.clone(), self.clock.clone(), self.wake_jobs.clone());
        let schedules = schedules(&self.config);
        Scheduler::new(store, clock, holder(), tenant, schedules, wake)
            .map_err(|(name, why)| StartError::new("schedule", format!("{name}: {why}")))
    }

    /// Keeps the schedules until `stop` turns true, if this server works.
    pub(crate) fn keep_schedules(&self, mut stop: watch::Receiver<bool>) -> Option<JoinHandle<()>> {
        let app = self.clone();
        let keep = async move {
            let tenant = tokio::select! {
                tenant = app.await_operators() => tenant,
                _ = stop.wait_for(|stopped| *stopped) => return,
            };
            match app.scheduler(tenant) {
                Ok(scheduler) => scheduler.run(stop).await,
                Err(error) => tracing::error!(why = error.text, "no schedule is kept"),
            }
        };
        self.config.run_mode.works.then(|| tokio::spawn(keep))
    }

    /// The operators' tenant, as soon as the database can tell.
    async fn await_operators(&self) -> TenantId {
        loop {
            match self.operator_tenant().await {
                Ok(tenant) => return tenant,
                Err(_) => tokio::time::sleep(Duration::from_secs(1)).await,
            }
        }
    }

    /// The tenant whose administrators are operators.
    pub(crate) async fn operator_tenant(&self) -> kernel::Result<TenantId> {
        self.identity.operator_tenant(self.config.operator_tenant.as_ref()).await
    }
}

/// Every kind of job that a server can run.
pub(crate) fn kinds(memory: &Memory, backups: &Backups, rights: &Rights) -> Vec<JobKind> {
    let mut kinds: Vec<JobKind> = memory.jobs().into_iter().map(JobKind::from).collect();
    let retaining = rights.clone();
    kinds.push(JobKind::new(
        RETENTION,
        Arc::new(move |_| {
            let Rights { store, clock, blobs, .. } = retaining.clone();
            Box::pin(
                async move { retention::run(&store, &clock, &retention_rules(&blobs)).await.map(|_| ()) },
            )
        }),
    ));
    let erasing = rights.clone();
    kinds.push(JobKind::new(
        ERASE,
        Arc::new(move |job| {
            let rights = erasing.clone();
            Box::pin(async move { rights.run_erasure(&job).await })
        }),
    ));
    let exporting = rights.clone();
    kinds.push(JobKind::new(
        EXPORT,
        Arc::new(move |job| {
            let rights = exporting.clone();
            Box::pin(async move { rights.run_export(&job).await })
        }),
    ));
    let (backups, verifying) = (backups.clone(), backups.clone());
    kinds.push(JobKind::new(
        VERIFY_BACKUP,
        Arc::new(move |job| {
            let backups = verifying.clone();
            Box::pin(async move { backups.prove(&job.job_key).await.map_err(kernel::Error::internal) })
        }),
    ));
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

/// How long each kind of rows and objects is kept.
pub(crate) fn retention_rules(blobs: &Blobs) -> Vec<Rule> {
    let mut rules = retention::rules();
    rules.extend(identity::retention());
    rules.extend(memory::rights::retention());
    rules.push(store::rights::retention());
    // Last: what the rules before have left without a name is old enough by its own age alone.
    let blobs = blobs.clone();
    rules.push(Rule {
        name: "objects.orphaned",
        days: 7,
        remove: Remove::Whole(Arc::new(move |store, now, days, act| {
            let (blobs, before) = (blobs.clone(), now.plus(-days * Micros::DAY));
            Box::pin(async move { store::rights::sweep(&store, &blobs, DOMAINS, before, act).await })
        })),
    });
    rules
}

/// The name under which this process leads: host, process, and chance, because a restart may get the same number.
fn holder() -> String {
    let host = sysinfo::System::host_name().unwrap_or_else(|| "server".to_owned());
    format!("{host}:{}:{}", std::process::id(), &kernel::random::token()[..8])
}
