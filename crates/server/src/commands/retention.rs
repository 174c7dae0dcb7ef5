//! `hearth retention run`: removes what has had its time now instead of at night; works beside a running server.

use clap::Subcommand;
use identity::audit::{self, AuditEntry};
use store::{Reach, retention};

use super::{Failure, say};
use crate::background;
use crate::config::Flags;

#[derive(Debug, Subcommand)]
pub(super) enum Retention {
    /// Remove what has had its time, in batches
    Run {
        /// Count it only
        #[arg(long)]
        dry_run: bool,
    },
}

pub(super) async fn run(flags: &Flags, command: Retention) -> Result<(), Failure> {
    let Retention::Run { dry_run } = command;
    let app = super::admin::open(flags).await?;
    let rules = background::retention_rules(&app.rights.blobs);
    let outcomes = if dry_run {
        retention::preview(&app.store, &app.clock, &rules).await?
    } else {
        let done = retention::run(&app.store, &app.clock, &rules).await?;
        let (tenant, now) = (app.operator_tenant().await?, app.clock.now());
        let entry = AuditEntry::operator(tenant.as_str(), now, "admin.retention.run", "server");
        let record = app.store.write("admin.retention.run", Reach::Everyone, move |tx| {
            Box::pin(async move { audit::record(tx, &entry).await })
        });
        record.await?;
        done
    };
    let verb = if dry_run { "would remove" } else { "removed" };
    outcomes.iter().try_for_each(|found| {
        say(&format!("{:20} after {:>3} days: {verb} {}", found.rule, found.days, found.rows))
    })
}
