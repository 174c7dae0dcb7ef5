//! The folder of the backups: names, what is there, what is known of each, and one backup at a time.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use kernel::Micros;
use serde::{Deserialize, Serialize};

use super::{BackupError, Result};
use crate::lock::{self, FileLock, LockError};

/// A backup in the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// `backup_YYYYMMDD_HHMMSS.hearth` or `.sql.gz`.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// The instant in its name.
    pub created_at: Micros,
    /// Its length.
    pub size_bytes: u64,
    /// What the last verification found; `None` when there was none, or the file changed since.
    pub verdict: Option<Verdict>,
}

/// What a verification found; kept beside the backup as `<name>.verdict`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// When.
    pub verified_at: Micros,
    /// Whether it was restored into a scratch database, too.
    pub is_deep: bool,
    /// What is wrong; `None` when nothing is.
    pub problem: Option<String>,
    /// Length of the file that was looked at.
    pub size_bytes: u64,
}

impl Entry {
    /// Whether it was found good.
    pub fn is_verified(&self) -> bool {
        self.verdict.as_ref().is_some_and(|verdict| verdict.problem.is_none())
    }

    /// Whether it was made by [`super::create`] and not by `pg_dump`.
    pub fn is_portable(&self) -> bool {
        self.name.ends_with(PORTABLE)
    }
}

const PORTABLE: &str = ".hearth";
const SQL: &str = ".sql.gz";
/// What is added to the name of a backup that is sealed to a public key.
pub const SEALED: &str = ".sealed";
pub(super) const VERDICT: &str = ".verdict";

/// Takes the folder for one backup or restore; made if missing.
///
/// # Errors
/// `Busy` with the process that has it.
pub fn take_folder(folder: &Path) -> Result<FileLock> {
    super::create::make_folder(folder)?;
    let path = folder.join("backup.lock");
    let lock = lock::take(&path).map_err(|error| match error {
        LockError::Held(pid) => BackupError::Busy(pid),
        LockError::Io(why) => BackupError::at(&path)(std::io::Error::other(why)),
    })?;
    // Nobody else writes now: what a killed backup left is nobody's.
    for path in files(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') && name.ends_with(".part") {
            std::fs::remove_file(&path).map_err(BackupError::at(&path))?;
        }
    }
    Ok(lock)
}

/// The backups in a folder, newest first; none when there is no folder.
///
/// # Errors
/// `File` when the folder cannot be read.
pub fn list(folder: &Path) -> Result<Vec<Entry>> {
    let mut found: Vec<Entry> = files(folder)?.iter().filter_map(|path| entry(path)).collect();
    found.sort_by(|one, other| other.name.cmp(&one.name));
    Ok(found)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(BackupError::at(folder)(error)),
    };
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    paths.collect::<std::io::Result<_>>().map_err(BackupError::at(folder))
}

fn entry(path: &Path) -> Option<Entry> {
    let name = path.file_name()?.to_str()?;
    let size_bytes = path.metadata().ok().filter(std::fs::Metadata::is_file)?.len();
    let mut entry = entry_of(name, path.to_owned(), size_bytes)?;
    let verdict = std::fs::read(beside(path)).ok().and_then(|text| serde_json::from_slice(&text).ok());
    entry.verdict = verdict.filter(|verdict: &Verdict| verdict.size_bytes == size_bytes);
    Some(entry)
}

/// A backup by its name; `None` when that is not one of ours.
pub(super) fn entry_of(name: &str, path: PathBuf, size_bytes: u64) -> Option<Entry> {
    let plain = name.strip_suffix(SEALED).unwrap_or(name);
    let stem = plain.strip_suffix(PORTABLE).or_else(|| plain.strip_suffix(SQL))?;
    let created_at = instant_of(stem)?;
    Some(Entry { name: name.to_owned(), path, created_at, size_bytes, verdict: None })
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(VERDICT);
    PathBuf::from(name)
}

/// Remembers what a verification found.
///
/// # Errors
/// `File`.
pub fn remember(path: &Path, verdict: &Verdict) -> Result<()> {
    let (to, part) = (beside(path), beside(&beside(path)));
    let write = || {
        let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
        file.write_all(&serde_json::to_vec(verdict)?)?;
        file.sync_all()?;
        std::fs::rename(&part, &to)
    };
    write().map_err(BackupError::at(&to))
}

/// Removes a backup and what is known of it. Safe to repeat.
///
/// # Errors
/// `File` when it may still be there.
pub fn remove(entry: &Entry) -> Result<()> {
    for path in [&entry.path, &beside(&entry.path)] {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(BackupError::at(path)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// `backup_YYYYMMDD_HHMMSS`, in UTC.
pub(crate) fn stem(at: Micros) -> String {
    let digits: String = at.to_millis_text().chars().filter(char::is_ascii_digit).collect();
    format!("backup_{}_{}", &digits[..8], &digits[8..14])
}

fn instant_of(stem: &str) -> Option<Micros> {
    let (day, time) = stem.strip_prefix("backup_")?.split_once('_')?;
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if (day.len(), time.len()) != (8, 6) || !is_digits(day) || !is_digits(time) {
        return None;
    }
    let (year, month, date) = (&day[..4], &day[4..6], &day[6..]);
    let (hour, minute, second) = (&time[..2], &time[2..4], &time[4..]);
    Micros::parse(&format!("{year}-{month}-{date}T{hour}:{minute}:{second}Z")).ok()
}

/// Gives a finished file its name and makes that durable. A name that is taken is never replaced: the next free second
/// is used.
pub(crate) fn keep(folder: &Path, beside: &Path, at: Micros, extension: &str) -> Result<PathBuf> {
    for later in 0..3_600 {
        let path = folder.join(format!("{}.{extension}", stem(at.plus(later * Micros::SECOND))));
        match std::fs::hard_link(beside, &path) {
            Ok(()) => {
                std::fs::remove_file(beside).map_err(BackupError::at(beside))?;
                sync(folder)?;
                return Ok(path);
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(BackupError::at(&path)(error)),
        }
    }
    Err(BackupError::Refused(format!("{} has a backup for every second", folder.display())))
}

/// Makes names in a folder durable.
pub(crate) fn sync(folder: &Path) -> Result<()> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(BackupError::at(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_the_instant_and_nothing_else_is_a_backup() {
        let at = Micros::parse("2026-11-20T02:00:07Z").unwrap();
        assert_eq!(stem(at), "backup_20261120_020007");
        assert_eq!(instant_of(&stem(at)), Some(at));
        for name in
            ["backup_20261120", "backup_20261320_020007", "backup_2026112_0020007", "x_20261120_020007"]
        {
            assert_eq!(instant_of(name), None, "{name}");
        }
    }

    #[test]
    fn one_backup_at_a_time_and_a_killed_one_leaves_nothing() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join(".killed.part"), "half").unwrap();
        let held = take_folder(home.path()).unwrap();
        assert!(!home.path().join(".killed.part").exists());
        let second = take_folder(home.path());
        assert!(matches!(second, Err(BackupError::Busy(Some(pid))) if pid == std::process::id()));
        drop(held);
        take_folder(home.path()).unwrap();
    }

    #[test]
    fn what_is_known_of_a_file_is_forgotten_when_it_changes() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("backup_20261120_020007.hearth");
        std::fs::write(&path, "whole").unwrap();
        let verdict = Verdict { verified_at: Micros(0), is_deep: true, problem: None, size_bytes: 5 };
        remember(&path, &verdict).unwrap();
        let found = list(home.path()).unwrap();
        assert_eq!((found.len(), found[0].verdict.as_ref()), (1, Some(&verdict)));
        assert!(found[0].is_verified());
        std::fs::write(&path, "whol").unwrap();
        assert!(!list(home.path()).unwrap()[0].is_verified());
        remove(&list(home.path()).unwrap()[0]).unwrap();
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
    }
}
