//! Making an archive: rows are packed beside the reading, and the file counts only after it was read back.

use std::fs::{File, Permissions};
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use kernel::Micros;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::archive::{Archive, MANIFEST, entry_name, header, seal_tail};
use super::hashing::{Hashing, hash_of};
use super::manifest::{FORMAT, Manifest, Part};
use super::row::{TableHash, write_line};
use super::schema::Table;
use super::source::{Batch, Snapshot, channel};
use super::{BackupError, Progress, Result, folder};
use crate::{Blobs, Engine, Reach, Store};

/// Packs about three times smaller than the database; higher levels cost more time than they save room.
const LEVEL: i32 = 3;

/// What to back up, and where to.
pub struct Create<'a> {
    /// The database; it may be in use.
    pub store: &'a Store,
    /// Its objects.
    pub blobs: &'a Blobs,
    /// Folder of the backups; made if missing.
    pub folder: &'a Path,
    /// The present.
    pub now: Micros,
    /// Rows packed so far.
    pub progress: Progress,
}

/// How much room a database takes, bytes; a backup of it is smaller. Objects are not counted.
///
/// # Errors
/// The engine's.
pub async fn database_bytes(store: &Store) -> Result<u64> {
    const SQLITE: &str = "SELECT CAST(p.page_count * s.page_size AS BIGINT)
         FROM pragma_page_count() AS p, pragma_page_size() AS s";
    const POSTGRES: &str = "SELECT pg_database_size(current_database())";
    let mut conn = store.read(Reach::Everyone).await?;
    let sql = if store.engine() == Engine::Sqlite { SQLITE } else { POSTGRES };
    let (bytes,): (i64,) = crate::fetch_one!(&mut conn, (i64,), sql)?;
    Ok(bytes.max(0) as u64)
}

/// Writes one backup, reads it back, and gives it its name; anything less leaves no file.
///
/// # Errors
/// The engine's and the file system's; `Damaged` when what was read back is not what was written.
pub async fn create(what: Create<'_>) -> Result<(PathBuf, Manifest)> {
    make_folder(what.folder)?;
    let beside = what.folder.join(format!(".{}.part", kernel::random::token()));
    let result = write_and_verify(&what, &beside).await;
    if result.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    result
}

pub(crate) fn make_folder(folder: &Path) -> Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    std::fs::create_dir_all(folder).map_err(BackupError::at(folder))?;
    std::fs::set_permissions(folder, Permissions::from_mode(0o700)).map_err(BackupError::at(folder))
}

async fn write_and_verify(what: &Create<'_>, beside: &Path) -> Result<(PathBuf, Manifest)> {
    let mut snapshot = Snapshot::take(what.store).await?;
    let (to, from) = channel();
    let (tables, at) = (snapshot.tables.clone(), what.now);
    let path = beside.to_owned();
    let packing = spawn_blocking(move || Packer::open(&path, at)?.pack(from, &tables));
    let sent = snapshot.send(Some(what.blobs), to, &what.progress).await;
    let packed = packing.await.expect("packing does not panic");
    // A source that failed leaves an archive that looks whole: its error comes first.
    let missing_objects = sent?;
    let (packer, mut parts) = packed?;
    let objects = parts.pop().expect("the objects are the last part");
    let manifest = Manifest {
        format: FORMAT,
        hearth: env!("CARGO_PKG_VERSION").to_owned(),
        engine: if what.store.engine() == Engine::Sqlite { "sqlite" } else { "postgres" }.to_owned(),
        created_at: what.now,
        schema: std::mem::take(&mut snapshot.schema),
        tables: parts,
        objects,
        missing_objects,
        audit_heads: std::mem::take(&mut snapshot.audit_heads),
    };
    drop(snapshot);
    let (folder, path, said) = (what.folder.to_owned(), beside.to_owned(), manifest.clone());
    let finishing = spawn_blocking(move || {
        packer.finish(&said)?;
        let archive = Archive::open(&path)?;
        archive.verify(&Progress::default())?;
        if *archive.manifest() != said {
            return Err(BackupError::damaged("the manifest read back is another one"));
        }
        folder::keep(&folder, &path, at, "hearth")
    });
    Ok((finishing.await.expect("finishing does not panic")?, manifest))
}

/// Writes the parts of an archive, one after the other.
struct Packer {
    path: PathBuf,
    builder: tar::Builder<BufWriter<File>>,
    seconds: u64,
}

impl Packer {
    fn open(path: &Path, at: Micros) -> Result<Self> {
        let file = File::options().read(true).write(true).create_new(true).mode(0o600).open(path);
        let file = BufWriter::with_capacity(1 << 18, file.map_err(BackupError::at(path))?);
        let seconds = (at.0 / Micros::SECOND).max(0) as u64;
        Ok(Self { path: path.to_owned(), builder: tar::Builder::new(file), seconds })
    }

    /// Packs batches until the source ends; a part for every table, also an empty one.
    fn pack(mut self, mut from: mpsc::Receiver<Batch>, tables: &[Table]) -> Result<(Self, Vec<Part>)> {
        let objects = Table::of_objects();
        let mut waiting = from.blocking_recv();
        let mut parts = Vec::with_capacity(tables.len() + 1);
        for (index, table) in tables.iter().chain([&objects]).enumerate() {
            let name = entry_name(table, index == tables.len());
            let next = || match waiting.take_if(|batch| batch.table == index) {
                Some(batch) => {
                    waiting = from.blocking_recv();
                    Some(batch)
                }
                None => None,
            };
            let part = write_part(&mut self.builder, &name, self.seconds, table, next);
            parts.push(part.map_err(BackupError::at(&self.path))?);
        }
        Ok((self, parts))
    }

    /// Adds the manifest and the seal, and syncs the file.
    fn finish(mut self, manifest: &Manifest) -> Result<()> {
        let path = self.path.clone();
        self.write_end(manifest).map_err(BackupError::at(&path))
    }

    fn write_end(&mut self, manifest: &Manifest) -> std::io::Result<()> {
        let text = serde_json::to_vec_pretty(manifest)?;
        let mut entry = header(self.seconds);
        entry.set_size(text.len() as u64);
        self.builder.append_data(&mut entry, MANIFEST, text.as_slice())?;
        let out = self.builder.get_mut();
        out.flush()?;
        let mut file = out.get_ref().try_clone()?;
        let end = file.stream_position()?;
        file.rewind()?;
        let seal = seal_tail(&hash_of((&file).take(end))?)?;
        file.seek(SeekFrom::Start(end))?;
        file.write_all(&seal)?;
        file.sync_all()?;
        // The builder writes two empty blocks when it goes; the seal has them already.
        file.seek(SeekFrom::Start(end + seal.len() as u64 - 1024))?;
        Ok(())
    }
}

fn write_part(
    builder: &mut tar::Builder<BufWriter<File>>,
    name: &str,
    seconds: u64,
    table: &Table,
    mut next: impl FnMut() -> Option<Batch>,
) -> std::io::Result<Part> {
    let mut entry_header = header(seconds);
    let entry = builder.append_writer(&mut entry_header, name)?;
    let mut out = zstd::Encoder::new(Hashing::new(entry), LEVEL)?;
    let (mut content, mut bytes, mut line) = (TableHash::default(), 0, Vec::new());
    while let Some(batch) = next() {
        for row in &batch.rows {
            line.clear();
            write_line(row, &mut line);
            content.add(&line);
            line.push(b'\n');
            bytes += line.len() as u64;
            out.write_all(&line)?;
        }
    }
    let stored = out.finish()?;
    let stored_bytes = stored.bytes;
    let (sha256, entry) = stored.finish();
    entry.finish()?;
    Ok(Part {
        name: table.name.clone(),
        columns: table.columns.clone(),
        rows: content.rows,
        content: content.content(),
        bytes,
        stored_bytes,
        sha256,
    })
}
