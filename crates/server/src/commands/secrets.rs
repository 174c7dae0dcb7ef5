//! `hearth secrets status|reseal`: secrets at rest, and their move to a new key; works beside running servers.

use std::sync::Arc;

use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use store::seal::Keyring;
use store::{Store, sealed};

use super::{Failure, admin, say};
use crate::config::Flags;

#[derive(Debug, Subcommand)]
pub(super) enum SecretsCommand {
    /// Count stored secrets by the key that sealed them; exit code 3 when a key is missing
    Status,
    /// Seal everything under ENCRYPTION_KEY; ENCRYPTION_KEY_PREVIOUS may go afterwards
    Reseal,
}

/// Exit code when secrets are sealed under a key that this server does not have.
const KEY_MISSING: u8 = 3;

pub(super) async fn run(flags: &Flags, command: SecretsCommand) -> Result<(), Failure> {
    let app = admin::open(flags).await?;
    match command {
        SecretsCommand::Status => status(&app.store, &app.keyring).await,
        SecretsCommand::Reseal => reseal(&app.store, &app.keyring, &app.clock).await,
    }
}

async fn status(store: &Store, keyring: &Keyring) -> Result<(), Failure> {
    let mut lost = 0;
    say(&format!("ENCRYPTION_KEY is {}", keyring.current_id()))?;
    for (key_id, count) in sealed::count_by_key(store).await? {
        let standing = match () {
            () if key_id == keyring.current_id() => "current",
            () if keyring.knows(&key_id) => "previous; run hearth secrets reseal",
            () => "missing; set ENCRYPTION_KEY_PREVIOUS to it",
        };
        lost += if keyring.knows(&key_id) { 0 } else { count };
        say(&format!("{key_id} {count} ({standing})"))?;
    }
    if lost > 0 {
        let text = format!("hearth: {lost} secrets cannot be opened with the keys of this server");
        return Err(Failure { code: KEY_MISSING, text });
    }
    Ok(())
}

async fn reseal(store: &Store, keyring: &Arc<Keyring>, clock: &kernel::Clock) -> Result<(), Failure> {
    let counts = sealed::count_by_key(store).await?;
    let other = counts.iter().filter(|(key_id, _)| key_id != keyring.current_id());
    let bar = ProgressBar::new(other.map(|(_, count)| *count as u64).sum());
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} secrets, {eta} left") {
        bar.set_style(style);
    }
    let mut done = 0;
    loop {
        let count = sealed::reseal_batch(store, keyring.clone(), clock).await?;
        if count == 0 {
            break;
        }
        done += count;
        bar.inc(count as u64);
    }
    bar.finish_and_clear();
    say(&format!("sealed {done} secrets under key {}", keyring.current_id()))
}
