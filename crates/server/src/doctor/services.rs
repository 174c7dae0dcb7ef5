//! What stands around the database: disk, running server, objects, model, backups.

use std::path::Path;
use std::time::Duration;

use kernel::{Clock, Micros, TenantId};
use llm::Embedder;
use store::backup::{self, Entry};
use store::{Blobs, Redis};

use super::Line;
use crate::config::{Config, EmbeddingConfig, open_tls};
use crate::disk::Disk;
use crate::open::open_embedder;

/// Longest wait for another service.
const PATIENCE: Duration = Duration::from_secs(10);
/// A disk this full wants attention.
const DISK_PERCENT: f64 = 85.0;
/// Backups run daily; after this one was missed.
const BACKUP_HOURS: i64 = 26;
/// A certificate that should have been renewed by now: it usually is 30 days before its end.
const CERTIFICATE_DAYS: i64 = 14;

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

/// How Redis is set to forget: what servers count in it must not go because something else came.
pub(super) async fn redis(config: &Config) -> Option<Line> {
    let url = config.redis_url.as_ref()?;
    let asked = async {
        let redis = Redis::open(url).ok()?;
        redis.watch();
        redis.standing().wait_for(|is_up| *is_up).await.ok()?;
        Some(redis.eviction_policy().await.unwrap_or_default())
    };
    let answer = tokio::time::timeout(PATIENCE, asked).await.ok().flatten();
    Some(eviction(answer.as_deref()))
}

/// `None` when Redis is away; empty when it does not tell.
fn eviction(policy: Option<&str>) -> Line {
    match policy {
        None => Line::fail("redis", "does not answer", "start it, or mend REDIS_URL and the way to it"),
        Some("") => Line::warn("redis", "does not tell its policy", "let our user run INFO, then see again"),
        Some(kind) if kind == "noeviction" || kind.starts_with("volatile-") => {
            Line::ok("redis", format!("answers, and forgets nothing early ({kind})"))
        }
        Some(kind) => {
            let text = format!("may forget counts of limits: maxmemory-policy is {kind}");
            Line::warn("redis", text, "set maxmemory-policy to noeviction")
        }
    }
}

/// How long the certificate is good. One that cannot be used is told of by the configuration's lines.
pub(super) fn certificate(config: &Config, clock: &Clock) -> Option<Line> {
    let tls = open_tls(config, clock.now()).ok().flatten()?;
    Some(certificate_days((tls.expires_at().0 - clock.now().0) / Micros::DAY))
}

fn certificate_days(days: i64) -> Line {
    if days < CERTIFICATE_DAYS {
        let text = format!("expires in {days} days");
        return Line::warn(
            "certificate",
            text,
            "renew it; a running server takes up the new files by itself",
        );
    }
    Line::ok("certificate", format!("is good for {days} days"))
}

pub(super) fn backup(config: &Config, clock: &Clock) -> Line {
    let folder = config.backup.folder.as_path();
    match backup::list(folder) {
        Ok(all) => backup_age(&all, clock.now(), folder),
        Err(error) => Line::fail("backup", error.to_string(), "see BACKUP_DIR and its rights"),
    }
}

/// `all` is newest first.
fn backup_age(all: &[Entry], now: Micros, folder: &Path) -> Line {
    let cure = "make one: hearth backup create; then see why the schedule did not";
    let Some(newest) = all.first() else {
        let text = format!("there is none in {}", folder.display());
        return Line::warn("backup", text, "make one: hearth backup create");
    };
    if let Some(problem) = newest.verdict.as_ref().and_then(|verdict| verdict.problem.as_ref()) {
        return Line::fail("backup", format!("the newest is damaged: {problem}"), cure);
    }
    let Some(good) = all.iter().find(|entry| entry.is_verified()) else {
        let text = format!("none in {} was verified", folder.display());
        return Line::warn("backup", text, format!("hearth backup verify --deep {}", newest.name));
    };
    let hours = (now.0 - good.created_at.0) / (3_600 * Micros::SECOND);
    let text = format!("the newest verified one is {hours} h old");
    if hours > BACKUP_HOURS { Line::warn("backup", text, cure) } else { Line::ok("backup", text) }
}

#[cfg(test)]
mod tests {
    use store::backup::Verdict;

    use super::*;
    use crate::doctor::Status;

    fn found(problem: Option<&str>) -> Verdict {
        let problem = problem.map(str::to_owned);
        Verdict { verified_at: Micros(0), is_deep: true, problem, size_bytes: 1 }
    }

    fn entry(at: Micros, verdict: Option<Verdict>) -> Entry {
        let name = "backup_20260131_020000.hearth".to_owned();
        Entry { path: name.clone().into(), name, created_at: at, size_bytes: 1, verdict }
    }

    #[test]
    fn a_backup_must_be_there_verified_and_of_the_last_26_hours() {
        let now = Micros::parse("2026-01-31T12:00:00Z").unwrap();
        let ago = |hours: i64| now.plus(-hours * 3_600 * Micros::SECOND);
        let good = |hours| entry(ago(hours), Some(found(None)));
        let status = |all: &[Entry]| backup_age(all, now, Path::new("backups")).status;
        assert_eq!(status(&[]), Status::Warn);
        assert_eq!(
            (status(&[good(1)]), status(&[good(26)]), status(&[good(27)])),
            (Status::Ok, Status::Ok, Status::Warn)
        );
        assert_eq!(status(&[entry(ago(1), None)]), Status::Warn, "never verified");
        assert_eq!(status(&[entry(ago(1), None), good(9)]), Status::Ok);
        assert_eq!(status(&[entry(ago(1), Some(found(Some("broken")))), good(9)]), Status::Fail);
    }

    #[test]
    fn redis_must_not_forget_and_a_certificate_must_last() {
        for (policy, status) in [
            (None, Status::Fail),
            (Some(""), Status::Warn),
            (Some("noeviction"), Status::Ok),
            (Some("volatile-lru"), Status::Ok),
            (Some("allkeys-lru"), Status::Warn),
        ] {
            let line = eviction(policy);
            assert_eq!((line.status, line.cure.is_empty()), (status, status == Status::Ok), "{line:?}");
        }
        assert_eq!((certificate_days(13).status, certificate_days(14).status), (Status::Warn, Status::Ok));
    }
}
