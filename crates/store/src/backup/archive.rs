//! Reading an archive that may be damaged or somebody else's: nothing of it is believed before it was checked.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use tokio::sync::mpsc;

use super::hashing::{Hashing, hash_of};
use super::manifest::{Manifest, Part};
use super::row::{Row, TableHash, object, object_tenant, read_line};
use super::schema::Table;
use super::source::{Batch, Outlet};
use super::{BackupError, Progress, Result};
use crate::blob::data_hash;

pub(crate) const MANIFEST: &str = "manifest.json";
const SEAL: &str = "seal";
/// The seal's header, its block, and the two empty blocks that end an archive.
const SEAL_BYTES: u64 = 4 * 512;
/// A manifest is some hundred bytes per table.
const MAX_MANIFEST: u64 = 64 << 20;
/// Entries that an archive may have.
const MAX_ENTRIES: usize = 10_000;
/// The longest line: the largest object in base 64, with room to spare.
const MAX_LINE: u64 = 512 << 20;

/// The name of a part's entry.
pub(crate) fn entry_name(table: &Table, is_objects: bool) -> String {
    if is_objects { "objects.jsonl.zst".to_owned() } else { format!("tables/{}.jsonl.zst", table.name) }
}

/// The header of an entry, without name and size.
pub(crate) fn header(seconds: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o600);
    header.set_mtime(seconds);
    header
}

/// The last bytes of an archive whose other bytes have this hash. Always the same, so a reader compares all of them.
pub(crate) fn seal_tail(hash: &str) -> std::io::Result<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut entry = header(0);
    entry.set_size(hash.len() as u64);
    builder.append_data(&mut entry, SEAL, hash.as_bytes())?;
    builder.into_inner()
}

/// A backup file.
#[derive(Clone, Debug)]
pub struct Archive {
    path: PathBuf,
    manifest: Manifest,
    /// Where each part's bytes begin.
    offsets: Vec<u64>,
}

impl Archive {
    /// Opens a file and reads its manifest. Says nothing yet about the rest: see [`Archive::verify`].
    ///
    /// # Errors
    /// `File` when it cannot be read; `Damaged` when it is no backup, or has entries that a backup does not.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(BackupError::at(path))?;
        let entries = Self::entries(&file).map_err(|error| {
            BackupError::damaged(format!("{} is no backup, or damaged: {error}", path.display()))
        })?;
        let (manifest, offsets) = Self::read_manifest(&file, &entries)
            .map_err(|what| BackupError::damaged(format!("{}: {what}", path.display())))?;
        Ok(Self { path: path.to_owned(), manifest, offsets })
    }

    /// Name, first byte and length of every entry. Only plain files are entries of ours.
    fn entries(file: &File) -> std::io::Result<Vec<(String, u64, u64)>> {
        let mut tar = tar::Archive::new(file);
        let mut found = Vec::new();
        for entry in tar.entries_with_seek()? {
            let entry = entry?;
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let refuse = |what: &str| Err(std::io::Error::other(format!("`{name}` {what}")));
            if entry.header().entry_type() != tar::EntryType::Regular {
                return refuse("is a link, a device or a folder");
            }
            if name.starts_with('/') || name.split('/').any(|step| step == "..") {
                return refuse("leads out of the archive");
            }
            if found.len() >= MAX_ENTRIES {
                return refuse("is one entry too many");
            }
            found.push((name, entry.raw_file_position(), entry.size()));
        }
        Ok(found)
    }

    fn read_manifest(file: &File, entries: &[(String, u64, u64)]) -> Result<(Manifest, Vec<u64>), String> {
        let [parts @ .., (manifest, at, size), (seal, ..)] = entries else {
            return Err("is no backup of hearth".to_owned());
        };
        if manifest != MANIFEST || seal != SEAL || *size > MAX_MANIFEST {
            return Err("is no backup of hearth, or was cut short".to_owned());
        }
        let mut text = Vec::new();
        let mut reader = file;
        reader
            .seek(SeekFrom::Start(*at))
            .and_then(|_| reader.take(*size).read_to_end(&mut text))
            .map_err(|error| error.to_string())?;
        let manifest: Manifest =
            serde_json::from_slice(&text).map_err(|error| format!("its manifest cannot be read: {error}"))?;
        let tables = manifest.tables.len();
        let said = manifest
            .parts()
            .enumerate()
            .map(|(index, part)| (entry_name(&part.table(), index == tables), part.stored_bytes));
        let stored = parts.iter().map(|(name, _, size)| (name.clone(), *size));
        if !said.eq(stored) {
            return Err("its parts are not those that its manifest names".to_owned());
        }
        Ok((manifest, parts.iter().map(|(_, at, _)| *at).collect()))
    }

    /// What it says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Reads every byte: the seal, each part's hash, each row and its table's sum, each object's own hash.
    ///
    /// # Errors
    /// `Damaged` with the first thing that is wrong. Blocks; call it from a thread that may wait.
    pub fn verify(&self, progress: &Progress) -> Result<()> {
        self.check_seal()?;
        let tables = self.manifest.tables.len();
        for index in 0..=tables {
            self.read_part(index, |row| {
                progress.add(1);
                if index == tables { check_object(row) } else { Ok(true) }
            })?;
        }
        Ok(())
    }

    fn check_seal(&self) -> Result<()> {
        let at = || BackupError::at(&self.path);
        let mut file = File::open(&self.path).map_err(at())?;
        let length = file.metadata().map_err(at())?.len().saturating_sub(SEAL_BYTES);
        let hash = hash_of((&file).take(length)).map_err(at())?;
        let mut tail = Vec::new();
        file.read_to_end(&mut tail).map_err(at())?;
        if tail != seal_tail(&hash).map_err(at())? {
            return Err(self.damaged("its seal is broken: the file changed after it was written"));
        }
        Ok(())
    }

    fn damaged(&self, what: &str) -> BackupError {
        BackupError::damaged(format!("{}: {what}", self.path.display()))
    }

    /// Reads the rows of a part until `each` says false, and checks what the manifest says of them at the end.
    fn read_part(&self, index: usize, mut each: impl FnMut(Row) -> Result<bool>) -> Result<()> {
        let part = self.manifest.parts().nth(index).expect("the index counts the parts");
        let wrong = |what: &str| self.damaged(&format!("{}: {what}", part.name));
        let mut file = File::open(&self.path).map_err(BackupError::at(&self.path))?;
        file.seek(SeekFrom::Start(self.offsets[index])).map_err(BackupError::at(&self.path))?;
        let mut stored = Hashing::new(file.take(part.stored_bytes));
        let table = part.table();
        let (mut content, mut bytes) = (TableHash::default(), 0);
        let mut lines = Lines::new(&mut stored, part).map_err(|error| wrong(&error.to_string()))?;
        while let Some(line) = lines.next().map_err(|error| wrong(&error.to_string()))? {
            bytes += line.len() as u64 + 1;
            content.add(line);
            if !each(read_line(line, &table)?)? {
                return Ok(());
            }
        }
        drop(lines);
        std::io::copy(&mut stored, &mut std::io::sink()).map_err(BackupError::at(&self.path))?;
        if stored.finish().0 != part.sha256 {
            return Err(wrong("its hash is not the one in the manifest"));
        }
        if (content.rows, bytes, content.content()) != (part.rows, part.bytes, part.content.clone()) {
            return Err(wrong("its rows are not those that the manifest counts"));
        }
        Ok(())
    }

    /// Sends every row. Blocks; call it from a thread that may wait. A sink that went away ends it without an error.
    pub(crate) fn send(&self, to: &mpsc::Sender<Batch>, progress: &Progress) -> Result<()> {
        for index in 0..=self.manifest.tables.len() {
            let mut out = Outlet::new(index, to, progress);
            self.read_part(index, |row| Ok(out.push_blocking(row)))?;
            if !out.flush_blocking() {
                return Ok(());
            }
        }
        Ok(())
    }
}

fn check_object(row: Row) -> Result<bool> {
    let (key, bytes) = object(row)?;
    object_tenant(&key)?;
    if key.rsplit('/').next() != Some(data_hash(&bytes).as_str()) {
        return Err(BackupError::damaged(format!("object {key} is not what its key says")));
    }
    Ok(true)
}

/// The lines of a packed part, with an end to how much comes out of it.
struct Lines<R: Read> {
    reader: BufReader<std::io::Take<R>>,
    line: Vec<u8>,
}

impl<R: Read> Lines<zstd::Decoder<'_, BufReader<R>>> {
    fn new(stored: R, part: &Part) -> std::io::Result<Self> {
        let mut decoder = zstd::Decoder::new(stored)?;
        // 8 MiB, four times what our level uses: a window of its own choice must not take our memory.
        decoder.window_log_max(23)?;
        // One byte more than said is enough to see that there is more.
        Ok(Self { reader: BufReader::with_capacity(1 << 17, decoder.take(part.bytes + 1)), line: Vec::new() })
    }

    fn next(&mut self) -> std::io::Result<Option<&[u8]>> {
        self.line.clear();
        let mut limited = (&mut self.reader).take(MAX_LINE);
        limited.read_until(b'\n', &mut self.line)?;
        match self.line.pop() {
            None => Ok(None),
            Some(b'\n') => Ok(Some(&self.line)),
            Some(_) => Err(std::io::Error::other("a row is cut short or too long")),
        }
    }
}
