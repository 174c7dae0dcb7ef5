//! What is checked of files and disks: who may read them, and whether there is room.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use super::checks::{Finding, is_production};
use super::values::{Source, Values};
use crate::disk::{Disk, nearest_folder};

/// Least room on the data disk: bytes, and share of the disk.
const LEAST_FREE_BYTES: u64 = 200 * 1024 * 1024;
const LEAST_FREE_SHARE: f64 = 0.05;

/// Checks the data directory and the embedded database's folder. Nothing is written or made.
pub(crate) fn check_place(values: &Values) -> Vec<Finding> {
    let production = is_production(values);
    let data_dir = PathBuf::from(values.text("DATA_DIR").unwrap_or("./data"));
    let variable = values.used_name("DATA_DIR");
    let mut findings: Vec<Finding> = check_folder(&variable, &data_dir).into_iter().collect();
    let url = values.text("DATABASE_URL").unwrap_or("sqlite:");
    let Some(file) = url.strip_prefix("sqlite:") else {
        findings.extend(check_room(&variable, &data_dir, production));
        findings.extend(check_rights(&variable, &data_dir, production));
        return findings;
    };
    let file = Path::new(file.strip_prefix("//").unwrap_or(file));
    let beside = file.parent().filter(|folder| *folder != Path::new("") && !folder.starts_with(&data_dir));
    if let Some(folder) = beside {
        let used = values.used_name("DATABASE_URL");
        findings.extend(check_folder(&used, folder));
        findings.extend(check_local(&used, folder, production));
        findings.extend(check_room(&used, folder, production));
    } else {
        findings.extend(check_local(&variable, &data_dir, production));
    }
    findings.extend(check_room(&variable, &data_dir, production));
    findings.extend(check_rights(&variable, &data_dir, production));
    findings
}

/// A folder must be one, and ours to write; one that is not there yet must be ours to make.
fn check_folder(variable: &str, folder: &Path) -> Option<Finding> {
    let shown = folder.display();
    let refuse = |what: String| Some(Finding::refusal(variable, what));
    let Some(nearest) = nearest_folder(folder) else {
        return refuse(format!("cannot find {shown}; name a directory of your own"));
    };
    if !nearest.is_dir() {
        return refuse(format!("names {}, which is no directory; name another", nearest.display()));
    }
    let error = access(&nearest, Access::WRITE_OK | Access::EXEC_OK).err()?;
    let why = std::io::Error::from(error);
    refuse(format!("cannot write to {}: {why}; name a directory of your own", nearest.display()))
}

fn check_local(variable: &str, folder: &Path, production: bool) -> Option<Finding> {
    let disk = Disk::of(folder).filter(Disk::is_remote)?;
    let what = format!(
        "names {} on a network file system ({}), where SQLite cannot lock; use a local disk or PostgreSQL",
        folder.display(),
        disk.kind
    );
    Some(Finding::by_environment(variable, what, production))
}

fn check_room(variable: &str, folder: &Path, production: bool) -> Option<Finding> {
    let disk = Disk::of(folder)?;
    let what = too_full(&disk, folder)?;
    Some(Finding::by_environment(variable, what, production))
}

/// Why a disk is too full to start on, if it is.
fn too_full(disk: &Disk, folder: &Path) -> Option<String> {
    let is_full = disk.free_bytes < LEAST_FREE_BYTES
        || (disk.free_bytes as f64) < disk.total_bytes as f64 * LEAST_FREE_SHARE;
    is_full.then(|| {
        format!(
            "has {} MB free on {}, less than 200 MB or 5 %; make room or name another disk",
            disk.free_bytes / 1_000_000,
            folder.display()
        )
    })
}

/// The data directory is for its owner alone, and so is each made secret.
fn check_rights(variable: &str, data_dir: &Path, production: bool) -> Vec<Finding> {
    let mode = |path: &Path| std::fs::metadata(path).map_or(0, |meta| meta.permissions().mode());
    let is_open = |path: &Path| mode(path) & 0o077 != 0;
    let mut findings = Vec::new();
    if is_open(data_dir) {
        let what = format!("{} is open to others; chmod 700 it", data_dir.display());
        findings.push(Finding::by_environment(variable, what, production));
    }
    let secrets = std::fs::read_dir(data_dir.join("secrets")).into_iter().flatten().flatten();
    for file in secrets.map(|entry| entry.path()).filter(|path| is_open(path)) {
        let what = format!("holds {}, which others may read; chmod 600 it", file.display());
        findings.push(Finding::by_environment(variable, what, production));
    }
    findings
}

/// Refuses or warns of a secret's file that others may read. Its group may: that is how a service is given its secrets.
pub(super) fn loose_file(variable: &str, path: &Path, production: bool) -> Option<Finding> {
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    let what = || format!("names {}, which others may read; chmod 600 it", path.display());
    (mode & 0o007 != 0).then(|| Finding::by_environment(variable, what(), production))
}

/// Finds secrets that stand in a configuration or env file which others may read.
pub(super) fn check_files(values: &Values, findings: &mut Vec<Finding>) {
    for setting in super::SETTINGS.iter().filter(|setting| setting.is_secret) {
        let (Source::File(path) | Source::EnvFile(_, path)) = values.source(setting.name) else {
            continue;
        };
        let used = values.used_name(setting.name);
        let loose = loose_file(&used, Path::new(&path), is_production(values));
        findings.extend(
            loose.map(|finding| Finding { text: finding.text.replacen("names", "stands in", 1), ..finding }),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_too_full_below_200_mb_or_five_percent() {
        let disk = |free_bytes, total_bytes| Disk { free_bytes, total_bytes, kind: String::new() };
        const GB: u64 = 1_000_000_000;
        for (disk, is_full) in [
            (disk(199 * 1_048_576, GB), true),
            (disk(201 * 1_048_576, GB), false),
            (disk(4 * GB, 100 * GB), true),
            (disk(6 * GB, 100 * GB), false),
        ] {
            let found = too_full(&disk, Path::new("/data"));
            assert_eq!(found.is_some(), is_full, "{disk:?}");
            assert!(
                found.is_none_or(|text| text.contains("MB free on /data") && text.contains("; make room"))
            );
        }
    }
}
