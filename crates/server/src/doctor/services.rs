//! What stands around the database: disk, running server, objects, model, backups.

use std::path::Path;
use std::time::Duration;

use kernel::{Clock, TenantId};
use llm::Embedder;
use store::Blobs;

use super::Line;
use crate::config::{Config, EmbeddingConfig};
use crate::disk::Disk;
use crate::open::open_embedder;

/// Longest wait for another service.
const PATIENCE: Duration = Duration::from_secs(10);
/// A disk this full wants attention.
const DISK_PERCENT: f64 = 85.0;
/// Backups run daily; after this one was missed.
const BACKUP_HOURS: i64 = 26;

pub(super) fn disk(config: &Config) -> Line {
    let Some(disk) = Disk::of(&config.data_dir) else {
        return Line::warn("disk", "its room cannot be told", "look with df");
    };
    let (used, free) = (disk.used_percent(), disk.free_bytes / 1_000_000);
    let text = format!("{used:.0} % of {} used, {free} MB free", config.data_dir.display());
    if used > DISK_PERCENT {
        return Line::warn("disk", text, "make room, or move DATA_DIR to a larger disk");
    }
    Line::ok("disk", text)
}

/// Asks the configured address whether a server is ready there; none is fine.
pub(super) async fn running(config: &Config) -> Line {
    let Some(url) = crate::own::url(config, "/health/ready") else {
        return Line::ok("server", "does not listen");
    };
    match crate::own::status(&url).await {
        Err(_) => Line::ok("server", format!("nothing answers at {url}")),
        Ok(200) => Line::ok("server", format!("is ready at {url}")),
        Ok(status) => {
            let text = format!("answers {status} at {url}");
            Line::warn("server", text, "read its log; `GET /health/ready` tells what is missing")
        }
    }
}

/// Writes, reads and removes one small object of a tenant that nobody can be.
pub(super) async fn objects(config: &Config) -> Option<Line> {
    let s3 = config.s3.as_ref()?;
    let tried = tokio::time::timeout(PATIENCE, async {
        let blobs = Blobs::s3(s3)?;
        let tenant = TenantId::parse("hearth-doctor").expect("a name by the rules");
        let bytes = kernel::random::token().into_bytes();
        let key = blobs.put(&tenant, bytes.clone().into()).await?;
        let read = blobs.get(&key).await?;
        blobs.remove(&key).await?;
        Ok::<_, store::Error>(read.is_some_and(|read| read[..] == bytes))
    });
    let place = format!("bucket {}", s3.bucket);
    let cure = "see S3_ENDPOINT, S3_BUCKET and the keys' rights to write, read and delete";
    Some(match tried.await {
        Ok(Ok(true)) => Line::ok("objects", format!("written, read and removed in {place}")),
        Ok(Ok(false)) => Line::fail("objects", format!("{place} gives back other bytes"), cure),
        Ok(Err(error)) => Line::fail("objects", crate::probes::whole(&error), cure),
        Err(_) => Line::fail("objects", format!("{place} does not answer"), cure),
    })
}

pub(super) async fn model(config: &Config) -> Line {
    let cure = "fetch the model again, mend EMBEDDING_BASE_URL, or set it to none";
    let embedder = match open_embedder(config) {
        Ok(embedder) => embedder,
        Err(error) => return Line::fail("model", error.text, cure),
    };
    let asked = tokio::time::timeout(PATIENCE, embedder.ping()).await;
    match (&embedder, &config.embedding, asked) {
        (Embedder::None, EmbeddingConfig::Local(directory), _) => {
            let text = format!("none in {}; recall goes by words", directory.display());
            Line::warn("model", text, "put one there, or set EMBEDDING_BASE_URL")
        }
        (Embedder::None, ..) => Line::ok("model", "none is configured; recall goes by words"),
        (_, _, Ok(Ok(()))) => {
            Line::ok("model", format!("{} can be used", embedder.model_id().unwrap_or_default()))
        }
        (_, _, Ok(Err(error))) => Line::fail("model", crate::probes::whole(&error), cure),
        (_, _, Err(_)) => Line::fail("model", "the server does not answer", cure),
    }
}

pub(super) fn backup(config: &Config, clock: &Clock) -> Line {
    let folder = config.data_dir.join("backups");
    backup_age(newest(&folder), clock.now().0, &folder)
}

/// When the newest backup was written, µs since 1970.
fn newest(folder: &Path) -> Option<i64> {
    let is_backup =
        |name: &str| name.starts_with("backup_") && (name.ends_with(".hearth") || name.ends_with(".sql.gz"));
    let files = std::fs::read_dir(folder).ok()?.flatten();
    let written = files.filter(|file| file.file_name().to_str().is_some_and(is_backup)).filter_map(|file| {
        let modified = file.metadata().ok()?.modified().ok()?;
        Some(modified.duration_since(std::time::UNIX_EPOCH).ok()?.as_micros() as i64)
    });
    written.max()
}

fn backup_age(newest: Option<i64>, now: i64, folder: &Path) -> Line {
    let Some(at) = newest else {
        let text = format!("there is none in {}", folder.display());
        return Line::warn("backup", text, "make one: hearth backup create");
    };
    let hours = (now - at) / 3_600_000_000;
    if hours > BACKUP_HOURS {
        let text = format!("the newest is {hours} h old");
        return Line::warn(
            "backup",
            text,
            "make one: hearth backup create; then see why the schedule did not",
        );
    }
    Line::ok("backup", format!("the newest is {hours} h old"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    #[test]
    fn a_backup_is_late_after_26_hours_and_other_files_are_none() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(newest(dir.path()), None);
        std::fs::write(dir.path().join("notes.txt"), "").unwrap();
        assert_eq!(newest(dir.path()), None);
        std::fs::write(dir.path().join("backup_20260131_020000.hearth"), "").unwrap();
        let at = newest(dir.path()).unwrap();
        let status = |hours: i64| backup_age(Some(at), at + hours * 3_600_000_000, dir.path()).status;
        assert_eq!((status(1), status(26), status(27)), (Status::Ok, Status::Ok, Status::Warn));
        assert_eq!(backup_age(None, at, dir.path()).status, Status::Warn);
    }
}
