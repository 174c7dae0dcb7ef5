//! From an archive back to a database, and the proof that nothing was lost on the way.

use std::path::Path;

use kernel::Clock;
use tokio::task::spawn_blocking;

use super::sink::load;
use super::source::channel;
use super::{Archive, BackupError, Place, Progress, Result, Table, content_hash, tables};
use crate::{Blobs, Reach, Store, StoreConfig, migrate};

/// What a restore did.
#[derive(Clone, Debug)]
pub struct Restored {
    /// Rows, tables and objects together.
    pub rows: u64,
    /// Where the database that was there before is now.
    pub aside: Option<String>,
}

/// Builds the backup's database beside `target`, proves it equal, lets `finish` change what a restore must change
/// (sessions end, erasures are repeated), and only then puts it in the target's place.
///
/// # Errors
/// `Damaged` and `Refused` before anything is written; any failure leaves the target as it was.
pub async fn restore<F, E>(
    archive: Archive,
    target: &StoreConfig,
    blobs: &Blobs,
    clock: &Clock,
    progress: &Progress,
    finish: F,
) -> Result<Restored>
where
    F: AsyncFnOnce(&Store) -> Result<(), E>,
    BackupError: From<E>,
{
    let archive = spawn_blocking(move || archive.verify(&Progress::default()).map(|()| archive));
    let archive = archive.await.expect("verifying does not panic")?;
    archive.manifest().check_version()?;
    let place = Place::beside(target, "restoring");
    let store = place.open_fresh().await?;
    let built = async {
        fill(&archive, &store, Some(blobs), clock, progress).await?;
        migrate::up(&store, clock).await?;
        finish(&store).await.map_err(BackupError::from)
    };
    if let Err(error) = built.await {
        store.close().await;
        drop(store);
        let _ = place.discard().await;
        return Err(error);
    }
    let aside = place.swap(store, clock.now()).await?;
    Ok(Restored { rows: archive.manifest().rows(), aside })
}

/// Restores into a scratch database that is thrown away, to see that it can be done and that every row comes out equal.
/// `scratch` is where that database may lie; its folder must have room.
///
/// # Errors
/// `Damaged` when it cannot be restored as it was made.
pub async fn verify_deep(archive: Archive, scratch: &Path, clock: &Clock) -> Result<()> {
    let archive = spawn_blocking(move || archive.verify(&Progress::default()).map(|()| archive));
    let archive = archive.await.expect("verifying does not panic")?;
    archive.manifest().check_version()?;
    let config = StoreConfig::new(format!("sqlite:{}", scratch.display()));
    let place = Place::beside(&config, "verifying");
    let store = place.open_fresh().await?;
    let result = fill(&archive, &store, None, clock, &Progress::default()).await;
    store.close().await;
    drop(store);
    place.discard().await?;
    result
}

/// The tables of `store` that are not as this version's migrations make them; those are made in a scratch database.
///
/// # Errors
/// The engine's, and the file system's.
pub async fn schema_differences(store: &Store, scratch: &Path, clock: &Clock) -> Result<Vec<String>> {
    let config = StoreConfig::new(format!("sqlite:{}", scratch.display()));
    let place = Place::beside(&config, "verifying");
    let fresh = place.open_fresh().await?;
    migrate::up(&fresh, clock).await?;
    let expected = tables(&mut fresh.read(Reach::Everyone).await?).await?;
    fresh.close().await;
    drop(fresh);
    place.discard().await?;
    let found = tables(&mut store.read(Reach::Everyone).await?).await?;
    let only = |one: &[Table], other: &[Table]| -> Vec<String> {
        one.iter().filter(|table| !other.contains(table)).map(|table| table.name.clone()).collect()
    };
    let mut names = only(&expected, &found);
    names.extend(only(&found, &expected));
    names.sort();
    names.dedup();
    Ok(names)
}

/// Makes the schema of the backup, loads its rows, and compares what the database then holds.
async fn fill(
    archive: &Archive,
    store: &Store,
    blobs: Option<&Blobs>,
    clock: &Clock,
    progress: &Progress,
) -> Result<()> {
    let manifest = archive.manifest();
    let last = manifest.schema.last().map(String::as_str).unwrap_or_default();
    migrate::up_to(store, clock, last).await?;
    let expected: Vec<Table> = manifest.tables.iter().map(super::Part::table).collect();
    let mut conn = store.read(Reach::Everyone).await?;
    if tables(&mut conn).await? != expected {
        return Err(BackupError::damaged("its tables are not those of the migrations that it names"));
    }
    drop(conn);
    let (to, from) = channel();
    let (reading, passed) = (archive.clone(), progress.clone());
    let reading = spawn_blocking(move || reading.send(&to, &passed));
    let loaded = load(from, store, &expected, "", blobs).await;
    let read = reading.await.expect("reading does not panic");
    read.and(loaded)?;
    manifest.compare(&content_hash(store, &Progress::default()).await?)
}
