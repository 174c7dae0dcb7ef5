//! `hearth transfer`: the whole database from one engine to the other.

use clap::Args;
use kernel::{Clock, Secret};
use store::StoreConfig;
use store::backup::{self, Place};

use super::backup::{shown, take_target};
use super::{Failure, configuration, say};
use crate::config::Flags;

#[derive(Debug, Args)]
pub(super) struct Transfer {
    /// The database to copy, such as sqlite:data/hearth.db; it is only read
    #[arg(long, value_name = "URL")]
    from: String,
    /// The database to fill, such as postgres://…; it must be empty
    #[arg(long, value_name = "URL")]
    to: String,
}

/// Copies, compares and prints the counts of every table. Both databases must be free of servers.
pub(super) async fn run(flags: &Flags, command: Transfer) -> Result<(), Failure> {
    let config = configuration(flags, false)?;
    let named = |url: String| StoreConfig { url: Secret::new(url), ..config.database.store.clone() };
    let (from, to) = (named(command.from), named(command.to));
    if from.sqlite_path().is_some_and(|path| !path.exists()) {
        return Err(Failure { code: 2, text: "hearth: --from: no database is there".to_owned() });
    }
    let needed = from.sqlite_path().and_then(|path| path.metadata().ok()).map_or(0, |file| file.len());
    let _from = take_target(&from, 0).await?;
    let _to = take_target(&to, needed).await?;
    if Place::beside(&to, "transferring").is_occupied().await? {
        return Err(Failure::work("hearth: --to is not empty; name an empty database"));
    }
    let (progress, bar) = shown("rows copied");
    let done = backup::transfer(&from, &to, &Clock::system(), &progress).await;
    bar.finish_and_clear();
    let done = done?;
    for (table, hash) in &done.content.0 {
        say(&format!("{table:24} {:>12}  {}", hash.rows, hash.content()))?;
    }
    say(&format!("Transfer successful: {} rows, {}", done.content.rows(), done.content.content()))?;
    say("set DATABASE_URL to the new database; secrets and objects stay where they are")
}
