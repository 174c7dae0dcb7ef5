//! Opening what a power cut left and comparing it with what was acknowledged.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use sqlx::{Connection, Row, SqliteConnection};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::disk::Image;
use super::{Recording, lay_out};

pub(super) const DATABASE: &str = "hearth.db";
const SECRETS: [&str; 3] = ["encryption_key", "jwt_secret", "api_key_secret"];

/// Looks at images one after another.
pub(super) struct Checker<'r> {
    recording: &'r Recording,
    runtime: Runtime,
}

impl<'r> Checker<'r> {
    pub(super) fn new(recording: &'r Recording) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { recording, runtime })
    }

    /// What is wrong with an image; `acknowledged` holds the ids of events that must be there.
    pub(super) fn check(&self, image: &Image, acknowledged: &BTreeSet<&str>) -> Result<Vec<String>> {
        let place = place()?;
        lay_out(image, &self.recording.root, place.path())?;
        let mut faults = Vec::new();
        if !acknowledged.is_empty() {
            faults.extend(missing_secrets(place.path()));
        }
        let database = place.path().join(DATABASE);
        if !database.exists() {
            faults.extend((!acknowledged.is_empty()).then(|| "the database is gone".to_owned()));
            return Ok(faults);
        }
        let looked = self.runtime.block_on(look(&database, place.path(), acknowledged));
        match looked {
            Ok(found) => faults.extend(found),
            Err(error) => faults.push(format!("the database cannot be read: {error:#}")),
        }
        Ok(faults)
    }
}

/// A folder in memory where there is one: thousands of images are written.
fn place() -> Result<TempDir> {
    let shared = Path::new("/dev/shm");
    let folder = if shared.is_dir() { shared.to_owned() } else { std::env::temp_dir() };
    tempfile::Builder::new().prefix("hearth-image").tempdir_in(folder).context("making room for an image")
}

/// A key that was used is worth nothing without the secret under which it was stored.
fn missing_secrets(place: &Path) -> Vec<String> {
    SECRETS
        .iter()
        .filter(|name| std::fs::read(place.join("secrets").join(name)).map_or(true, |text| text.len() < 32))
        .map(|name| format!("secret {name} is gone"))
        .collect()
}

async fn look(database: &Path, place: &Path, acknowledged: &BTreeSet<&str>) -> Result<Vec<String>> {
    let mut conn = SqliteConnection::connect(&format!("sqlite:{}", database.display())).await?;
    let mut faults = Vec::new();
    for row in sqlx::query("PRAGMA integrity_check").fetch_all(&mut conn).await? {
        let said: String = row.get(0);
        if said != "ok" {
            faults.push(format!("integrity: {said}"));
        }
    }
    let tables = "SELECT COUNT(*) FROM sqlite_master WHERE name = 'artifacts'";
    if sqlx::query_scalar::<_, i64>(tables).fetch_one(&mut conn).await? == 0 {
        faults.extend((!acknowledged.is_empty()).then(|| "the tables are gone".to_owned()));
        return Ok(faults);
    }
    faults.extend(books(&mut conn, acknowledged).await?);
    faults.extend(halves(&mut conn).await?);
    faults.extend(blobs(&mut conn, place).await?);
    conn.close().await?;
    Ok(faults)
}

/// Acknowledged events are there once; a request is there whole or not at all.
async fn books(conn: &mut SqliteConnection, acknowledged: &BTreeSet<&str>) -> Result<Vec<String>> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT event_id, client_event_id FROM events").fetch_all(conn).await?;
    let stored: BTreeSet<&str> = rows.iter().map(|(id, _)| id.as_str()).collect();
    let mut requests: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut names = BTreeSet::new();
    let mut faults = Vec::new();
    for (_, name) in &rows {
        let (request, rest) = name.split_once('-').context("names are the recording's")?;
        let (_, size) = rest.split_once('-').context("names are the recording's")?;
        *requests.entry((request, size)).or_default() += 1;
        if !names.insert(name) {
            faults.push("an event is there twice".to_owned());
        }
    }
    if acknowledged.iter().any(|id| !stored.contains(id)) {
        faults.push("an acknowledged event is lost".to_owned());
    }
    if requests.iter().any(|((_, size), count)| size.parse() != Ok(*count)) {
        faults.push("a request is half stored".to_owned());
    }
    Ok(faults)
}

/// Rows that belong together.
async fn halves(conn: &mut SqliteConnection) -> Result<Vec<String>> {
    const RULES: [(&str, &str); 4] = [
        (
            "an event has no chunk",
            "SELECT COUNT(*) FROM events WHERE event_id NOT IN (SELECT event_id FROM chunks)",
        ),
        ("a reference hangs", "SELECT COUNT(*) FROM pragma_foreign_key_check"),
        (
            "a session miscounts its events",
            "SELECT COUNT(*) FROM memory_sessions s WHERE event_count <>
                (SELECT COUNT(*) FROM events e WHERE e.session_id = s.session_id)",
        ),
        (
            "an event lacks its artifact",
            "SELECT COUNT(*) FROM events WHERE artifact_id IS NOT NULL
                AND artifact_id NOT IN (SELECT artifact_id FROM artifacts)",
        ),
    ];
    let mut faults = Vec::new();
    for (fault, sql) in RULES {
        if sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut *conn).await? > 0 {
            faults.push(fault.to_owned());
        }
    }
    Ok(faults)
}

/// Every object that a row names is whole.
async fn blobs(conn: &mut SqliteConnection, place: &Path) -> Result<Vec<String>> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT blob_key, sha256 FROM artifacts").fetch_all(conn).await?;
    let bad = rows.iter().filter(|(key, hash)| {
        let path: PathBuf = place.join("blobs").join(key);
        std::fs::read(path).map_or(true, |bytes| hex(&Sha256::digest(bytes)) != *hash)
    });
    Ok(bad.take(1).map(|_| "a stored object is gone or torn".to_owned()).collect())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}
