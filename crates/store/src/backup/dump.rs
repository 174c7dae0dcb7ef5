//! PostgreSQL's own dump: text that `psql` restores without hearth.

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use kernel::Micros;
use tokio::task::spawn_blocking;

use super::create::make_folder;
use super::{BackupError, Result, folder};
use crate::{Engine, StoreConfig};

/// The last line that `pg_dump` writes.
const COMPLETE: &[u8] = b"-- PostgreSQL database dump complete";

/// Dumps with `pg_dump`, packs, reads back, and names the file.
///
/// # Errors
/// `Refused` for SQLite and without `pg_dump`; `Damaged` when the dump failed, with what it said.
pub async fn dump(target: &StoreConfig, into: &Path, now: Micros) -> Result<PathBuf> {
    if target.engine() == Engine::Sqlite {
        let text = "the format sql is PostgreSQL's own; use --format portable, which either engine restores";
        return Err(BackupError::Refused(text.to_owned()));
    }
    make_folder(into)?;
    let beside = into.join(format!(".{}.part", kernel::random::token()));
    let (command, into, path) = (pg_dump(target), into.to_owned(), beside.clone());
    let dumping = spawn_blocking(move || {
        run(command, &path)?;
        verify_dump(&path)?;
        folder::keep(&into, &path, now, "sql.gz")
    });
    let result = dumping.await.expect("dumping does not panic");
    if result.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    result
}

/// The command; the password goes by its environment, never by its arguments, which all users of the machine can read.
fn pg_dump(target: &StoreConfig) -> Command {
    let (address, password) = without_password(target.url.expose());
    let mut command = Command::new("pg_dump");
    command.args(["--format=plain", "--no-owner", "--no-privileges", "--enable-row-security", "--dbname"]);
    // Row security is forced on the owner too: without a reach the dump would be refused, or be of nobody's rows.
    command.arg(address).env("PGOPTIONS", "-c hearth.tenant=*");
    if let Some(password) = password {
        command.env("PGPASSWORD", password);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Takes the password out of an address; it comes back decoded.
fn without_password(url: &str) -> (String, Option<String>) {
    let found = url.split_once("://").and_then(|(scheme, rest)| {
        let authority = rest.find('/').unwrap_or(rest.len());
        let (user, host) = rest[..authority].rsplit_once('@')?;
        let (name, password) = user.split_once(':')?;
        Some((format!("{scheme}://{name}@{host}{}", &rest[authority..]), decode(password)))
    });
    found.map_or_else(|| (url.to_owned(), None), |(address, password)| (address, Some(password)))
}

/// Undoes percent-encoding.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let hex = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        if let Some(byte) = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            out.push(byte);
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn run(mut command: Command, path: &Path) -> Result<()> {
    let mut child = command.spawn().map_err(|error| {
        BackupError::Refused(format!(
            "pg_dump cannot be run: {error}; install PostgreSQL's client programs, or use --format portable"
        ))
    })?;
    let packed = pack(&mut child, path);
    // A full disk ends the dump as well: it must not wait for a reader.
    if packed.is_err() {
        let _ = child.kill();
    }
    let said = child.wait_with_output().map_err(BackupError::at(path))?;
    packed.map_err(BackupError::at(path))?;
    if said.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&said.stderr);
    Err(BackupError::damaged(format!("pg_dump ended with {}: {}", said.status, text.trim())))
}

fn pack(child: &mut Child, path: &Path) -> std::io::Result<()> {
    let mut rows = child.stdout.take().ok_or_else(|| std::io::Error::other("pg_dump has no output"))?;
    let file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
    let mut out = GzEncoder::new(file, Compression::default());
    std::io::copy(&mut rows, &mut out)?;
    let mut file = out.finish()?;
    file.flush()?;
    file.sync_all()
}

/// Reads a dump to its end: the checksum of the packing, and the line that `pg_dump` writes last.
///
/// # Errors
/// `Damaged`.
pub fn verify_dump(path: &Path) -> Result<()> {
    let file = File::open(path).map_err(BackupError::at(path))?;
    let mut text = GzDecoder::new(BufReader::new(file));
    let (mut tail, mut buffer) = (Vec::new(), vec![0; 1 << 16]);
    loop {
        let read = text.read(&mut buffer).map_err(|error| {
            BackupError::damaged(format!("{} cannot be unpacked: {error}", path.display()))
        })?;
        if read == 0 {
            break;
        }
        tail.extend_from_slice(&buffer[..read]);
        let spare = tail.len().saturating_sub(512);
        tail.drain(..spare);
    }
    if tail.windows(COMPLETE.len()).any(|part| part == COMPLETE) {
        return Ok(());
    }
    Err(BackupError::damaged(format!("{} is no dump of PostgreSQL's, or was cut short", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_leaves_the_address_and_is_decoded() {
        let of = |url: &str| {
            let (address, password) = without_password(url);
            format!("{address} {password:?}")
        };
        assert_eq!(
            of("postgres://me:a%40b%2Fc@db:5432/x?sslmode=require"),
            "postgres://me@db:5432/x?sslmode=require Some(\"a@b/c\")"
        );
        assert_eq!(of("postgres://me@db/x"), "postgres://me@db/x None");
        assert_eq!(of("postgres://db/x@y:z"), "postgres://db/x@y:z None");
        assert_eq!(of("postgres://me:p@ss:w@db"), "postgres://me@db Some(\"p@ss:w\")");
        assert_eq!(decode("100%"), "100%");
    }
}
