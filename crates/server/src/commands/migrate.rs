//! `hearth migrate up|down|status|verify`.

use clap::Subcommand;
use kernel::Clock;

use super::{Failure, configuration, say};
use crate::config::Flags;
use crate::lock;

#[derive(Debug, Subcommand)]
pub(super) enum Migrate {
    /// Apply what is missing
    Up,
    /// Roll back everything after a migration
    Down {
        /// The last migration to keep, such as 001_engine_room
        #[arg(long)]
        to: String,
    },
    /// List migrations and when they were applied
    Status,
    /// Check that everything applied has the text of this version, and that nothing is missing
    Verify,
}

pub(super) async fn run(flags: &Flags, command: Migrate) -> Result<(), Failure> {
    let config = configuration(flags, false)?;
    let changes = matches!(command, Migrate::Up | Migrate::Down { .. });
    let _lock = if changes && config.database.is_embedded {
        let held = |_| Failure::setting("DATA_DIR", "a server holds this embedded database; stop it first");
        Some(lock::take(&config).map_err(held)?)
    } else {
        None
    };
    let store = crate::app::open_store(&config).await?;
    match command {
        Migrate::Up => list("applied", &store::migrate::up(&store, &Clock::system()).await?),
        Migrate::Down { to } => list("rolled back", &store::migrate::down(&store, &to).await?),
        Migrate::Status => {
            for standing in store::migrate::status(&store).await? {
                say(&format!("{:32} {}", standing.name, standing.applied_at.as_deref().unwrap_or("waits")))?;
            }
            Ok(())
        }
        Migrate::Verify => {
            let waiting: Vec<_> = store::migrate::status(&store)
                .await?
                .into_iter()
                .filter(|standing| standing.applied_at.is_none())
                .map(|standing| standing.name)
                .collect();
            if waiting.is_empty() {
                return say("the schema is this version's");
            }
            Err(Failure::work(format!(
                "hearth: not applied: {}; run `hearth migrate up`",
                waiting.join(", ")
            )))
        }
    }
}

fn list(done: &str, names: &[&str]) -> Result<(), Failure> {
    if names.is_empty() {
        return say("nothing to do");
    }
    names.iter().try_for_each(|name| say(&format!("{done} {name}")))
}
