//! `hearth backup create|list|verify|restore|prune`.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::{Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use kernel::{Clock, Secret};
use serde_json::json;
use store::backup::{self, Archive, BackupError, Bucket, Place, Progress};
use store::lock::FileLock;
use store::rights::{Eraser, ErasureList};
use store::{Store, StoreConfig};

use super::backup_keys::{new_key, private_key};
use super::{Failure, configuration, pretty, say, take_lock};
use crate::backups::{Backups, Format, Made, Shelf, is_dump, need_room};
use crate::config::{Config, Flags};
use crate::offsite::Offsite;
use crate::open::{open_blobs, open_store};

/// Another place than BACKUP_DIR
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Elsewhere {
    /// The bucket of S3_ENDPOINT
    S3,
}

#[derive(Debug, Subcommand)]
pub(super) enum Backup {
    /// Make a backup and read it back; works beside a running server
    Create {
        /// How it is written
        #[arg(long, value_enum, default_value = "portable")]
        format: Format,
        /// Send it there, too, and read it back
        #[arg(long, value_enum)]
        to: Option<Elsewhere>,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// List the backups, newest first
    List {
        /// Where they lie when not in BACKUP_DIR
        #[arg(long, value_enum)]
        from: Option<Elsewhere>,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Read every byte of a backup and compare it with what it says of itself
    Verify {
        /// A file, or the name of a backup in BACKUP_DIR
        file: PathBuf,
        /// Where it lies when not in BACKUP_DIR
        #[arg(long, value_enum)]
        from: Option<Elsewhere>,
        /// File of the private key, for one that is sealed
        #[arg(long, value_name = "FILE", requires = "from")]
        key: Option<PathBuf>,
        /// Restore it into a scratch database, too, and compare every row
        #[arg(long)]
        deep: bool,
    },
    /// Put a backup in the place of the database; the server must be stopped
    Restore {
        /// A file, or the name of a backup in BACKUP_DIR
        file: PathBuf,
        /// Where it lies when not in BACKUP_DIR
        #[arg(long, value_enum)]
        from: Option<Elsewhere>,
        /// File of the private key, for one that is sealed
        #[arg(long, value_name = "FILE", requires = "from")]
        key: Option<PathBuf>,
        /// Another database, such as postgres://… or sqlite:<file>
        #[arg(long, value_name = "URL")]
        into: Option<String>,
        /// Replace a database that holds rows; it is put aside, not removed
        #[arg(long)]
        force: bool,
    },
    /// Make the pair of keys that backups on S3 are sealed to and opened with
    NewKey {
        /// New file for the private key; keep it away from the server
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Remove the backups that BACKUP_KEEP or BACKUP_RETENTION_DAYS does not want
    Prune {
        /// Where they lie when not in BACKUP_DIR
        #[arg(long, value_enum)]
        from: Option<Elsewhere>,
        /// Only name them
        #[arg(long)]
        dry_run: bool,
    },
}

pub(super) async fn run(flags: &Flags, command: Backup) -> Result<(), Failure> {
    let config = configuration(flags, false)?;
    let work = async {
        match command {
            Backup::Create { format, to, json } => create(&config, format, to, json).await,
            Backup::List { from, json } => list(&config, from, json).await,
            Backup::Verify { file, from, key, deep } => verify(&config, &file, from, key, deep).await,
            Backup::Restore { file, from: None, into, force, .. } => {
                let file = shelf(&config).find(&file);
                restore(&config, &file, &file.display().to_string(), into, force).await
            }
            Backup::NewKey { out } => new_key(&out),
            Backup::Restore { file, from: Some(Elsewhere::S3), key, into, force } => {
                let _folder = backup::take_folder(&config.backup.folder)?;
                let (offsite, name) = (offsite(&config)?, file.to_string_lossy());
                let fetched = offsite.fetch(&name, private_key(key)?).await?;
                restore(&config, fetched.path(), &offsite.address(&name), into, force).await
            }
            Backup::Prune { from, dry_run } => prune(&config, from, dry_run).await,
        }
    };
    tokio::select! {
        result = work => result,
        // What is half done is removed by the next command that takes the folder, or builds in the same place.
        _ = tokio::signal::ctrl_c() => Err(Failure { code: 130, text: "hearth: stopped; nothing was changed".to_owned() }),
    }
}

async fn open(config: &Config) -> Result<Backups, Failure> {
    let is_there = config.database.store.sqlite_path().is_none_or(|path| path.exists());
    if !is_there {
        let text = "no database is there; name the directory of the server, or start it once";
        return Err(Failure::setting("DATA_DIR", text));
    }
    Ok(Backups::new(config, open_store(config).await?, open_blobs(config)?, Clock::system()))
}

/// The folder alone: backups are listed, verified and restored where their database is gone.
fn shelf(config: &Config) -> Shelf {
    Shelf { config: config.backup.clone(), clock: Clock::system() }
}

/// The backups in the bucket.
fn offsite(config: &Config) -> Result<Offsite, Failure> {
    let text = "is not set, so there is no bucket; set it or leave out s3";
    let s3 = config.s3.as_ref().ok_or_else(|| Failure::setting("S3_ENDPOINT", text))?;
    Ok(Offsite::new(Bucket::open(s3)?, shelf(config)))
}

async fn create(
    config: &Config,
    format: Format,
    to: Option<Elsewhere>,
    as_json: bool,
) -> Result<(), Failure> {
    let offsite = to.map(|Elsewhere::S3| offsite(config)).transpose()?;
    let backups = open(config).await?;
    let made = failing_loudly(async {
        let (progress, bar) = shown("rows packed");
        let made = backups.create(format, progress).await;
        bar.finish_and_clear();
        made
    })
    .await?;
    let mut place = made.path.display().to_string();
    if let Some(offsite) = offsite {
        place = failing_loudly(async {
            let (progress, bar) = shown("bytes read back");
            let sent = offsite.send(&made.path, &progress).await;
            bar.finish_and_clear();
            sent
        })
        .await?;
    }
    if as_json {
        return say(&pretty(&described(&made, &place)));
    }
    if let Some(manifest) = &made.manifest {
        eprintln!("{}", counted(manifest.rows(), manifest.bytes(), made.took));
        for key in &manifest.missing_objects {
            eprintln!("hearth: object {key} is named by a row and not there");
        }
    }
    say(&format!("Backup successful: {place}"))
}

async fn failing_loudly<T>(work: impl Future<Output = Result<T, BackupError>>) -> Result<T, Failure> {
    work.await.map_err(|error| {
        let mut failure = Failure::from(error);
        failure.text = format!("Backup failed!\n{}", failure.text);
        failure
    })
}

fn described(made: &Made, place: &str) -> serde_json::Value {
    json!({
        "file": place,
        "size_bytes": made.size_bytes,
        "rows": made.manifest.as_ref().map(backup::Manifest::rows),
        "seconds": made.took.as_secs_f64(),
        "missing_objects": made.manifest.as_ref().map(|manifest| &manifest.missing_objects),
    })
}

async fn list(config: &Config, from: Option<Elsewhere>, as_json: bool) -> Result<(), Failure> {
    let all = match from {
        Some(Elsewhere::S3) => offsite(config)?.list().await?,
        None => backup::list(&config.backup.folder)?,
    };
    if as_json {
        let row = |entry: &backup::Entry| {
            json!({
                "name": entry.name,
                "created_at": entry.created_at,
                "size_bytes": entry.size_bytes,
                "verdict": entry.verdict,
            })
        };
        return say(&pretty(&all.iter().map(row).collect::<Vec<_>>()));
    }
    if all.is_empty() {
        let folder = config.backup.folder.display().to_string();
        eprintln!("no backups in {}", if from.is_some() { "the bucket" } else { &folder });
    }
    all.iter().try_for_each(|entry| {
        let state = match &entry.verdict {
            None => "not verified".to_owned(),
            Some(verdict) => match &verdict.problem {
                Some(problem) => format!("DAMAGED: {problem}"),
                None if verdict.is_deep => format!("restored and compared {}", verdict.verified_at),
                None => format!("verified {}", verdict.verified_at),
            },
        };
        say(&format!("{:36} {:>9.1} MB  {state}", entry.name, entry.size_bytes as f64 / 1e6))
    })
}

async fn verify(
    config: &Config,
    file: &Path,
    from: Option<Elsewhere>,
    key: Option<PathBuf>,
    deep: bool,
) -> Result<(), Failure> {
    let shelf = shelf(config);
    let place = if let Some(Elsewhere::S3) = from {
        let _folder = backup::take_folder(&config.backup.folder)?;
        offsite(config)?.verify(&file.to_string_lossy(), private_key(key)?, deep).await?
    } else {
        let file = shelf.find(file);
        shelf.verify(&file, deep).await?;
        file.display().to_string()
    };
    let how = if deep { "restored and compared" } else { "verified" };
    say(&format!("{how}: {place}"))
}

async fn prune(config: &Config, from: Option<Elsewhere>, dry_run: bool) -> Result<(), Failure> {
    let (gone, all) = if let Some(Elsewhere::S3) = from {
        offsite(config)?.prune(dry_run).await?
    } else {
        let shelf = shelf(config);
        let _lock = backup::take_folder(&config.backup.folder)?;
        let all = shelf.list()?.len();
        (shelf.prune(dry_run)?, all)
    };
    let done = if dry_run { "would remove" } else { "removed" };
    gone.iter().try_for_each(|entry| say(&format!("{done} {}", entry.name)))?;
    say(&format!("{done} {} of {all}", gone.len()))
}

/// Restores from a file that people call `said`.
async fn restore(
    config: &Config,
    file: &Path,
    said: &str,
    into: Option<String>,
    force: bool,
) -> Result<(), Failure> {
    if is_dump(Path::new(said)) {
        let text = format!(
            "hearth: a dump goes into an empty database with: gunzip -c {said} | psql -v ON_ERROR_STOP=1 --single-transaction <url>"
        );
        return Err(Failure { code: 2, text });
    }
    let archive = Archive::open(file)?;
    let manifest = archive.manifest().clone();
    let mut target = config.database.store.clone();
    if let Some(url) = into {
        target.url = Secret::new(url);
    }
    let _lock = take_target(&target, manifest.bytes()).await?;
    if !force && Place::beside(&target, "restoring").is_occupied().await? {
        return Err(Failure::work(
            "hearth: the database is not empty; restore into another with --into, or replace it with --force (it is put aside)",
        ));
    }
    let (clock, blobs) = (Clock::system(), open_blobs(config)?);
    let name = said.rsplit('/').next().unwrap_or_default().to_owned();
    let (progress, bar) = shown("rows restored");
    let (started, mut ended) = (Instant::now(), 0);
    let mut repeated = 0;
    let finish = async |store: &Store| {
        let eraser = Eraser { store, blobs: &blobs, domains: crate::rights::DOMAINS };
        let list = ErasureList::beside(&config.backup.folder);
        repeated = list.repeat(&eraser, manifest.created_at, clock.now()).await?;
        ended = identity::after_restore(store, clock.now(), &name).await?;
        store.empty_log().await?;
        Ok::<(), BackupError>(())
    };
    let restored = backup::restore(archive, &target, &blobs, &clock, &progress, finish).await;
    bar.finish_and_clear();
    let restored = restored?;
    for part in manifest.tables.iter().chain([&manifest.objects]).filter(|part| part.rows > 0) {
        say(&format!("{:24} {:>12}", part.name, part.rows))?;
    }
    eprintln!("{}", counted(manifest.rows(), manifest.bytes(), started.elapsed()));
    if let Some(aside) = restored.aside {
        say(&format!("the database that was there is now {aside}"))?;
    }
    if repeated > 0 {
        say(&format!("{repeated} erasures repeated"))?;
    }
    say(&format!("{ended} sessions ended; people sign in again"))?;
    say(&format!("Restore successful: {said}"))
}

/// Makes sure that no server uses the target and that `bytes` have room there; holds the lock of an embedded one.
pub(super) async fn take_target(target: &StoreConfig, bytes: u64) -> Result<Option<FileLock>, Failure> {
    if backup::is_served(target).await? {
        return Err(Failure::work("hearth: a server uses this database; stop it first"));
    }
    let Some(path) = target.sqlite_path() else {
        return Ok(None);
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)
        .map_err(|error| Failure::work(format!("hearth: {}: {error}", folder.display())))?;
    need_room(folder, bytes)?;
    take_lock(target)
}

fn counted(rows: u64, bytes: u64, took: Duration) -> String {
    let (seconds, mb) = (took.as_secs_f64().max(0.001), bytes as f64 / 1e6);
    format!(
        "{rows} rows, {mb:.1} MB in {seconds:.1} s ({:.0} rows/s, {:.1} MB/s)",
        rows as f64 / seconds,
        mb / seconds
    )
}

/// A count on the terminal that moves while work goes on; nothing where there is no terminal.
pub(super) fn shown(what: &'static str) -> (Progress, ProgressBar) {
    let (progress, bar) = (Progress::default(), ProgressBar::no_length());
    if !std::io::stderr().is_terminal() {
        return (progress, ProgressBar::hidden());
    }
    let style = ProgressStyle::with_template("{spinner} {pos} {msg}, {per_sec}, {elapsed}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.set_message(what);
    let (rows, moving) = (progress.clone(), bar.clone());
    tokio::spawn(async move {
        while !moving.is_finished() {
            moving.set_position(rows.rows());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    (progress, bar)
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        let code = match &error {
            BackupError::Damaged(_) => 3,
            BackupError::NoRoom { .. } => 4,
            BackupError::Busy(_) => 5,
            _ => 1,
        };
        let cause = std::error::Error::source(&error).map(|cause| format!(" ({cause})")).unwrap_or_default();
        let said = error.to_string();
        let cause = if said.contains(cause.trim_matches([' ', '(', ')'])) { String::new() } else { cause };
        Self { code, text: format!("hearth: {said}{cause}") }
    }
}
