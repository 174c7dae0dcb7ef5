//! The settings of backups.

use std::path::{Path, PathBuf};

use store::backup::{Keep, PublicKey};
use store::blob::S3Config;
use store::schedule::Cron;

use super::checks::Finding;
use super::values::Values;

/// Backups.
#[derive(Clone, Debug)]
pub struct BackupConfig {
    /// Where they lie.
    pub folder: PathBuf,
    /// Which stay.
    pub keep: Keep,
    /// Cron text, UTC; `None` makes none by itself.
    pub schedule: Option<String>,
    /// What leaves this machine is sealed to it.
    pub public_key: Option<PublicKey>,
    /// Where what the schedule makes goes, too.
    pub bucket: Option<S3Config>,
}

impl BackupConfig {
    /// Reads the settings; what cannot be read is a finding.
    pub(super) fn read(
        values: &Values,
        data_dir: &Path,
        s3: Option<&S3Config>,
        findings: &mut Vec<Finding>,
    ) -> Self {
        let counts: Vec<Option<usize>> =
            values.list("BACKUP_KEEP").iter().map(|text| text.trim().parse().ok()).collect();
        let keep = match counts.as_slice() {
            _ if values.is_set("BACKUP_RETENTION_DAYS") => Keep::Days(values.number("BACKUP_RETENTION_DAYS")),
            &[Some(daily), Some(weekly), Some(monthly)] => Keep::Generations { daily, weekly, monthly },
            _ => {
                findings.push(Finding::refusal(
                    "BACKUP_KEEP",
                    "must be three counts, of days, weeks and months; write it like 7,4,12",
                ));
                Keep::Generations { daily: 7, weekly: 4, monthly: 12 }
            }
        };
        let schedule = values.text("BACKUP_SCHEDULE").filter(|text| !text.eq_ignore_ascii_case("none"));
        if let Some(Err(why)) = schedule.map(|text| Cron::parse(text, "UTC")) {
            findings.push(Finding::refusal("BACKUP_SCHEDULE", why));
        }
        let public_key = values.text("BACKUP_PUBLIC_KEY").map(PublicKey::parse);
        if public_key == Some(None) {
            let text = "is no public key of hearth's; make a pair with: hearth backup new-key --out <file>";
            findings.push(Finding::refusal("BACKUP_PUBLIC_KEY", text));
        }
        let goes_to_s3 = values.flag("BACKUP_TO_S3");
        if goes_to_s3 && s3.is_none() {
            let text = "needs a bucket; set S3_ENDPOINT, or leave this out";
            findings.push(Finding::refusal("BACKUP_TO_S3", text));
        }
        Self {
            bucket: s3.filter(|_| goes_to_s3).cloned(),
            public_key: public_key.flatten(),
            schedule: schedule.map(str::to_owned),
            folder: values.text("BACKUP_DIR").map_or_else(|| data_dir.join("backups"), PathBuf::from),
            keep,
        }
    }
}
