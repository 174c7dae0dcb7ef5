//! `hearth jobs …`: the queue at the machine's own command line, beside a running server.

use clap::Subcommand;
use identity::audit::{self, AuditEntry};
use kernel::Micros;
use serde_json::json;
use store::Reach;
use store::jobs::{self, JobFilter, STATES};

use super::{Failure, pretty, say};
use crate::App;
use crate::admin::JobBody;
use crate::config::Flags;

#[derive(Debug, Subcommand)]
pub(super) enum Jobs {
    /// List jobs, newest first
    List {
        /// Only this state: due, running, done, failed or dead
        #[arg(long)]
        state: Option<String>,
        /// Only this kind
        #[arg(long)]
        kind: Option<String>,
        /// Rows at most
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a dead, failed or waiting job due at once, with all its tries before it
    Retry {
        /// The job
        id: String,
    },
    /// Take a waiting job off the queue, or stop a running one within twenty seconds
    Cancel {
        /// The job
        id: String,
    },
    /// Keep the jobs of a kind waiting on all servers
    Pause {
        /// The kind
        kind: String,
    },
    /// Let the jobs of a kind run again
    Resume {
        /// The kind
        kind: String,
    },
}

pub(super) async fn run(flags: &Flags, command: Jobs) -> Result<(), Failure> {
    let app = super::admin::open(flags).await?;
    match command {
        Jobs::List { state, kind, limit, json } => {
            if state.as_deref().is_some_and(|state| !STATES.contains(&state)) {
                let text = format!("hearth: --state is one of {}", STATES.join(", "));
                return Err(Failure { code: 2, text });
            }
            list(&app, JobFilter { state, kind, before: None }, limit, json).await
        }
        Jobs::Retry { id } => change(&app, Act::Retry, id).await,
        Jobs::Cancel { id } => change(&app, Act::Cancel, id).await,
        Jobs::Pause { kind } => change(&app, Act::Pause, known(&app, kind)?).await,
        Jobs::Resume { kind } => change(&app, Act::Resume, kind).await,
    }
}

/// A kind that a server can run; a misspelt one would be paused in vain.
fn known(app: &App, kind: String) -> Result<String, Failure> {
    let kinds: Vec<&str> = app.job_kinds().iter().map(|kind| kind.name).collect();
    if kinds.contains(&kind.as_str()) {
        return Ok(kind);
    }
    let text = format!("hearth: no such kind of job: {kind}; there are {}", kinds.join(", "));
    Err(Failure { code: 2, text })
}

async fn list(app: &App, filter: JobFilter, limit: u32, is_json: bool) -> Result<(), Failure> {
    let mut conn = app.store.read(Reach::Everyone).await?;
    let rows = jobs::list_jobs(&mut conn, &filter, i64::from(limit)).await?;
    if is_json {
        let items: Vec<JobBody> = rows.into_iter().map(JobBody::from).collect();
        return say(&pretty(&json!({ "items": items })));
    }
    say(&format!(
        "{:30} {:7} {:>5} {:28} {:20} {:27} LAST ERROR",
        "JOB", "STATE", "TRIES", "KIND", "TENANT", "RUN AT"
    ))?;
    rows.iter().try_for_each(|row| {
        let error = row.last_error.as_deref().unwrap_or("-").replace(['\n', '\r'], " ");
        let at = Micros(row.run_at).to_string();
        let (kind, tenant) = (&row.kind, &row.tenant_id);
        say(&format!(
            "{:30} {:7} {:>5} {kind:28} {tenant:20} {at:27} {error}",
            row.job_id, row.state, row.tries
        ))
    })
}

#[derive(Clone, Copy)]
enum Act {
    Retry,
    Cancel,
    Pause,
    Resume,
}

/// Does one thing to a job or a kind, with its audit row in the operators' tenant.
async fn change(app: &App, act: Act, what: String) -> Result<(), Failure> {
    let now = app.clock.now();
    let (action, said, resource) = match act {
        Act::Retry => ("admin.jobs.retry", "due at once", "job"),
        Act::Cancel => ("admin.jobs.cancel", "cancelled", "job"),
        Act::Pause => ("admin.jobs.pause", "paused", "job_kind"),
        Act::Resume => ("admin.jobs.resume", "resumed", "job_kind"),
    };
    let tenant = app.operator_tenant().await?;
    let entry = AuditEntry::operator(tenant.as_str(), now, action, format!("{resource}:{what}"));
    let line = format!("{what}: {said}");
    let write = app.store.write(action, Reach::Everyone, move |tx| {
        Box::pin(async move {
            match act {
                Act::Retry => jobs::retry(tx, &what, now).await?,
                Act::Cancel => jobs::cancel(tx, &what, now).await?,
                Act::Pause => jobs::pause(tx, &what, now).await?,
                Act::Resume => jobs::resume(tx, &what).await?,
            }
            audit::record(tx, &entry).await
        })
    });
    write.await?;
    say(&line)
}
