//! The backups of one server: made, judged and pruned in one folder, by its operator or by its own schedule.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kernel::Clock;
use store::backup::{
    self, Archive, BackupError, Create, Entry, Manifest, Progress, Verdict, database_bytes, take_folder,
};
use store::{Blobs, Store, StoreConfig};
use tokio::task::spawn_blocking;

use crate::config::{BackupConfig, Config};
use crate::disk::Disk;
use crate::offsite::Offsite;

/// The folder of the backups, and what stays in it.
#[derive(Clone)]
pub(crate) struct Shelf {
    pub(crate) config: BackupConfig,
    pub(crate) clock: Clock,
}

/// What goes onto the shelf. Clones share everything.
#[derive(Clone)]
pub(crate) struct Backups {
    pub(crate) shelf: Shelf,
    store: Store,
    blobs: Blobs,
    database: StoreConfig,
}

/// How a backup is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// A .hearth file, which either engine restores
    Portable,
    /// PostgreSQL's own dump, which psql restores
    Sql,
}

/// A backup that was made.
pub(crate) struct Made {
    pub(crate) path: PathBuf,
    /// `None` for a dump.
    pub(crate) manifest: Option<Manifest>,
    pub(crate) size_bytes: u64,
    pub(crate) took: Duration,
}

impl Backups {
    /// The backups that the configuration speaks of.
    pub(crate) fn new(config: &Config, store: Store, blobs: Blobs, clock: Clock) -> Self {
        let shelf = Shelf { config: config.backup.clone(), clock };
        Self { shelf, store, blobs, database: config.database.store.clone() }
    }

    /// Makes a backup, reads it back, and notes that it is good.
    ///
    /// # Errors
    /// `Busy`, `NoRoom`; see [`backup::create`] and [`backup::dump`].
    pub(crate) async fn create(&self, format: Format, progress: Progress) -> Result<Made, BackupError> {
        let _lock = take_folder(&self.shelf.config.folder)?;
        let started = Instant::now();
        self.check_room().await?;
        let (folder, now) = (self.shelf.config.folder.as_path(), self.shelf.clock.now());
        let (path, manifest) = match format {
            Format::Portable => {
                let what = Create { store: &self.store, blobs: &self.blobs, folder, now, progress };
                let (path, manifest) = backup::create(what).await?;
                (path, Some(manifest))
            }
            Format::Sql => (backup::dump(&self.database, folder, now).await?, None),
        };
        let size_bytes = length(&path);
        self.shelf.judge(&path, false, &Ok(()))?;
        Ok(Made { path, manifest, size_bytes, took: started.elapsed() })
    }

    /// What a server does every night: a backup, its proof by a restore, a copy in the bucket where one is wanted, and
    /// pruning, which a failure of any of these prevents.
    ///
    /// # Errors
    /// As [`Backups::create`] and [`Shelf::verify`].
    pub(crate) async fn nightly(&self) -> Result<(), BackupError> {
        let made = self.create(Format::Portable, Progress::default()).await?;
        let _lock = take_folder(&self.shelf.config.folder)?;
        self.shelf.verify(&made.path, true).await?;
        if let Some(offsite) = Offsite::of(&self.shelf)? {
            let address = offsite.send(&made.path, &Progress::default()).await?;
            let gone = offsite.prune(false).await?.0;
            tracing::info!(address, pruned = gone.len(), "backup sent");
        }
        let gone = self.shelf.prune(false)?;
        note_newest(&self.shelf.config.folder);
        let (file, seconds) = (made.path.display(), made.took.as_secs_f64());
        tracing::info!(%file, size_bytes = made.size_bytes, seconds, pruned = gone.len(), "backup made and proven");
        Ok(())
    }

    /// Reads a backup of the folder back and restores it on trial; a name that is not there has nothing to prove.
    ///
    /// # Errors
    /// As [`Shelf::verify`].
    pub(crate) async fn prove(&self, name: &str) -> Result<(), BackupError> {
        let _lock = take_folder(&self.shelf.config.folder)?;
        match self.shelf.list()?.into_iter().find(|entry| entry.name == name) {
            Some(entry) => self.shelf.verify(&entry.path, true).await,
            None => Ok(()),
        }
    }

    /// What the last one took and a fifth, or all that the database takes now.
    async fn check_room(&self) -> Result<(), BackupError> {
        let last = self.shelf.list()?.first().map(|entry| entry.size_bytes / 5 * 6);
        let needed = match last {
            Some(bytes) => bytes,
            None => database_bytes(&self.store).await?,
        };
        need_room(&self.shelf.config.folder, needed)
    }
}

impl Shelf {
    /// What is there, newest first.
    ///
    /// # Errors
    /// The file system's.
    pub(crate) fn list(&self) -> Result<Vec<Entry>, BackupError> {
        backup::list(&self.config.folder)
    }

    /// Reads every byte of a backup; `deep` restores it into a scratch database beside it, too. The verdict is kept.
    ///
    /// # Errors
    /// `Damaged` when it is not good.
    pub(crate) async fn verify(&self, path: &Path, deep: bool) -> Result<(), BackupError> {
        let result = self.look(path, is_dump(path), deep).await;
        // Only what was found out about the file is remembered, not that the disk was full.
        if matches!(result, Ok(()) | Err(BackupError::Damaged(_))) {
            self.judge(path, deep && !is_dump(path), &result)?;
        }
        result
    }

    pub(crate) async fn look(&self, path: &Path, is_dump: bool, deep: bool) -> Result<(), BackupError> {
        let at = path.to_owned();
        if is_dump {
            return spawn_blocking(move || backup::verify_dump(&at)).await.expect("reading does not panic");
        }
        let archive = Archive::open(path)?;
        if !deep {
            let reading = spawn_blocking(move || archive.verify(&Progress::default()));
            return reading.await.expect("reading does not panic");
        }
        let scratch = self.config.folder.join("scratch.db");
        need_room(&self.config.folder, archive.manifest().bytes())?;
        backup::verify_deep(archive, &scratch, &self.clock).await
    }

    fn judge(&self, path: &Path, is_deep: bool, result: &Result<(), BackupError>) -> Result<(), BackupError> {
        backup::remember(path, &self.verdict(length(path), is_deep, result))
    }

    pub(crate) fn verdict(
        &self,
        size_bytes: u64,
        is_deep: bool,
        result: &Result<(), BackupError>,
    ) -> Verdict {
        let problem = result.as_ref().err().map(ToString::to_string);
        Verdict { verified_at: self.clock.now(), is_deep, problem, size_bytes }
    }

    /// Removes what need not stay, or only names it.
    ///
    /// # Errors
    /// The file system's.
    pub(crate) fn prune(&self, is_dry: bool) -> Result<Vec<Entry>, BackupError> {
        let superfluous = self.superfluous(&self.list()?);
        if !is_dry {
            superfluous.iter().try_for_each(backup::remove)?;
        }
        Ok(superfluous)
    }

    /// Those of `newest_first` that need not stay.
    pub(crate) fn superfluous(&self, newest_first: &[Entry]) -> Vec<Entry> {
        self.config.keep.superfluous(newest_first, self.clock.now()).into_iter().cloned().collect()
    }

    /// A path, or the name of a backup in the folder.
    pub(crate) fn find(&self, file: &Path) -> PathBuf {
        let inside = self.config.folder.join(file);
        if !file.exists() && inside.exists() { inside } else { file.to_owned() }
    }
}

pub(crate) fn is_dump(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "gz")
}

fn length(path: &Path) -> u64 {
    path.metadata().map_or(0, |file| file.len())
}

/// Refuses to begin what cannot end: `needed` bytes and a little more must be free where `place` lies.
pub(crate) fn need_room(place: &Path, needed: u64) -> Result<(), BackupError> {
    const SPARE: u64 = 16_000_000;
    match Disk::of(place).map(|disk| disk.free_bytes) {
        Some(free) if free < needed + SPARE => Err(BackupError::NoRoom {
            place: place.display().to_string(),
            needed: (needed + SPARE) / 1_000_000,
            free: free / 1_000_000,
        }),
        _ => Ok(()),
    }
}

/// Sets the gauge of the newest good backup; absent while there is none.
pub(crate) fn note_newest(folder: &Path) {
    let newest = backup::list(folder).ok().and_then(|all| all.into_iter().find(Entry::is_verified));
    if let Some(entry) = newest {
        let seconds = entry.created_at.0 as f64 / 1e6;
        metrics::gauge!("hearth_backup_last_success_timestamp_seconds").set(seconds);
    }
}
