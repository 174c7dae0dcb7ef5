//! `hearth migrate up|down|status|verify` and `hearth upgrade check`.

use clap::Subcommand;
use kernel::{Clock, Micros};
use store::Store;
use store::migrate::{Migration, all};

use super::{Failure, configuration, say, take_lock};
use crate::config::{Config, Flags};

#[derive(Debug, Subcommand)]
pub(super) enum Migrate {
    /// Apply what is missing
    Up {
        /// Print the SQL and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Roll back everything after a migration
    Down {
        /// The last migration to keep, such as 001_engine_room
        #[arg(long)]
        to: String,
        /// Print the SQL and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// List migrations and when they were applied
    Status,
    /// Check that everything applied has the text of this version, that nothing is missing, and that the tables are as made
    Verify,
}

#[derive(Debug, Subcommand)]
pub(super) enum Upgrade {
    /// Say what starting this version would change, and whether there is a fresh backup to go back to
    Check,
}

/// A backup older than this is no way back, hours: the nightly one and some patience.
const FRESH_HOURS: i64 = 26;

pub(super) async fn run(flags: &Flags, command: Migrate) -> Result<(), Failure> {
    let config = configuration(flags, false)?;
    let changes = matches!(command, Migrate::Up { dry_run: false } | Migrate::Down { dry_run: false, .. });
    let _lock = if changes { take_lock(&config.database.store)? } else { None };
    let store = crate::open::open_store(&config).await?;
    match command {
        Migrate::Up { dry_run: true } => print_sql(&standing(&store, false).await?, |migration| migration.up),
        Migrate::Up { .. } => list("applied", &store::migrate::up(&store, &Clock::system()).await?),
        Migrate::Down { to, dry_run: true } => {
            let mut undone: Vec<_> = standing(&store, true).await?;
            if !undone.iter().any(|migration| migration.name == to) {
                return Err(store::migrate::MigrateError::Unknown(to).into());
            }
            undone.retain(|migration| migration.name > to.as_str());
            undone.reverse();
            print_sql(&undone, |migration| migration.down)
        }
        Migrate::Down { to, .. } => list("rolled back", &store::migrate::down(&store, &to).await?),
        Migrate::Status => {
            for standing in store::migrate::status(&store).await? {
                say(&format!("{:32} {}", standing.name, standing.applied_at.as_deref().unwrap_or("waits")))?;
            }
            Ok(())
        }
        Migrate::Verify => verify(&config, &store).await,
    }
}

/// The migrations that are applied, or those that wait, in order.
async fn standing(store: &Store, is_applied: bool) -> Result<Vec<Migration>, Failure> {
    let standing = store::migrate::status(store).await?;
    let found = all(store.engine()).iter().zip(standing);
    Ok(found
        .filter(|(_, row)| row.applied_at.is_some() == is_applied)
        .map(|(migration, _)| *migration)
        .collect())
}

fn print_sql(migrations: &[Migration], text: impl Fn(&Migration) -> &'static str) -> Result<(), Failure> {
    if migrations.is_empty() {
        return say("-- nothing to do");
    }
    migrations.iter().try_for_each(|migration| say(&format!("-- {}\n{}", migration.name, text(migration))))
}

async fn verify(config: &Config, store: &Store) -> Result<(), Failure> {
    let waiting: Vec<&str> = standing(store, false).await?.iter().map(|migration| migration.name).collect();
    if !waiting.is_empty() {
        let text = format!("hearth: not applied: {}; run `hearth migrate up`", waiting.join(", "));
        return Err(Failure::work(text));
    }
    let scratch = config.data_dir.join("schema.db");
    let differences = store::backup::schema_differences(store, &scratch, &Clock::system()).await?;
    if differences.is_empty() {
        return say("the schema is this version's");
    }
    Err(Failure::work(format!(
        "hearth: tables are not as the migrations make them: {}; restore a backup or undo what was changed by hand",
        differences.join(", ")
    )))
}

/// `hearth upgrade check`: 0 when the upgrade can be undone, 3 when there is no fresh backup.
pub(super) async fn upgrade(flags: &Flags, Upgrade::Check: Upgrade) -> Result<(), Failure> {
    let config = configuration(flags, false)?;
    let store = crate::open::open_store(&config).await?;
    let waiting = standing(&store, false).await?;
    say(&format!("hearth {}", env!("CARGO_PKG_VERSION")))?;
    if waiting.is_empty() {
        say("the schema stays as it is; the version before this one runs on it")?;
    }
    for migration in &waiting {
        say(&format!(
            "applies {} ({} bytes of SQL; see `hearth migrate up --dry-run`)",
            migration.name,
            migration.up.len()
        ))?;
    }
    let bytes = store::backup::database_bytes(&store).await?;
    say(&format!("the database takes {:.1} MB", bytes as f64 / 1e6))?;
    let newest =
        store::backup::list(&config.backup.folder)?.into_iter().find(store::backup::Entry::is_verified);
    let hours = newest
        .as_ref()
        .map(|entry| (Clock::system().now().0 - entry.created_at.0) / (3_600 * Micros::SECOND));
    match (newest, hours) {
        (Some(entry), Some(hours)) if hours <= FRESH_HOURS => {
            say(&format!("a good backup is {hours} hours old: {}", entry.name))
        }
        _ => Err(Failure {
            code: 3,
            text: format!(
                "hearth: no good backup of the last {FRESH_HOURS} hours; run `hearth backup create` first"
            ),
        }),
    }
}

fn list(done: &str, names: &[&str]) -> Result<(), Failure> {
    if names.is_empty() {
        return say("nothing to do");
    }
    names.iter().try_for_each(|name| say(&format!("{done} {name}")))
}
