//! Where rows go: a hash, or another database. (An archive is the third sink, see [`super::create`].)

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::row::{Row, TableHash, object, object_tenant, write_line};
use super::schema::Table;
use super::source::{Batch, Snapshot, channel};
use super::{BackupError, Progress, Result, text};
use crate::{Blobs, Reach, Store, insert_many};

/// What a database holds, the same on both engines for the same rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseHash(pub BTreeMap<String, TableHash>);

impl DatabaseHash {
    /// Rows of all tables.
    pub fn rows(&self) -> u64 {
        self.0.values().map(|table| table.rows).sum()
    }

    /// One SHA-256 for everything, in hexadecimal.
    pub fn content(&self) -> String {
        let mut all = Sha256::new();
        for (name, table) in &self.0 {
            all.update(format!("{name}: {table}\n"));
        }
        data_encoding::HEXLOWER.encode(&all.finalize())
    }

    /// The tables that differ from `other`, with what each side has.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let none = TableHash::default();
        let names = self.0.keys().chain(other.0.keys().filter(|name| !self.0.contains_key(*name)));
        let sides =
            names.map(|name| (name, self.0.get(name).unwrap_or(&none), other.0.get(name).unwrap_or(&none)));
        sides
            .filter(|(_, one, other)| one != other)
            .map(|(name, one, other)| format!("{name}: {} rows and {} rows", one.rows, other.rows))
            .collect()
    }
}

/// Hashes every row of every table at one instant; reads only.
///
/// # Errors
/// As [`super::tables`], or the engine's.
pub async fn content_hash(store: &Store, progress: &Progress) -> Result<DatabaseHash> {
    let mut snapshot = Snapshot::take(store).await?;
    let names: Vec<String> = snapshot.tables.iter().map(|table| table.name.clone()).collect();
    let (to, from) = channel();
    let tables = names.len();
    let hashing = spawn_blocking(move || hash(from, tables));
    snapshot.send(None, to, progress).await?;
    let hashes = hashing.await.expect("hashing does not panic");
    Ok(DatabaseHash(names.into_iter().zip(hashes).collect()))
}

fn hash(mut from: mpsc::Receiver<Batch>, tables: usize) -> Vec<TableHash> {
    let mut hashes = vec![TableHash::default(); tables];
    let mut line = Vec::new();
    while let Some(batch) = from.blocking_recv() {
        for row in &batch.rows {
            line.clear();
            write_line(row, &mut line);
            hashes[batch.table].add(&line);
        }
    }
    hashes
}

/// Inserts every row into `store`, a transaction per batch; `tail` is empty, or says what happens to a row that is there.
/// Objects go to `blobs`, if there are any to go to.
pub(crate) async fn load(
    mut from: mpsc::Receiver<Batch>,
    store: &Store,
    tables: &[Table],
    tail: &'static str,
    blobs: Option<&Blobs>,
) -> Result<()> {
    while let Some(Batch { table, rows }) = from.recv().await {
        let Some(table) = tables.get(table) else {
            for row in rows {
                if let Some(blobs) = blobs {
                    keep_object(blobs, row).await?;
                }
            }
            continue;
        };
        let head = text::insert(table);
        let insert = store.write("backup.load", Reach::Everyone, move |tx| {
            Box::pin(async move { Ok(insert_many(tx, head, tail, rows).await?) })
        });
        insert.await?;
    }
    Ok(())
}

async fn keep_object(blobs: &Blobs, row: Row) -> Result<()> {
    let (key, bytes) = object(row)?;
    if blobs.put(&object_tenant(&key)?, bytes.into()).await? != key {
        return Err(BackupError::damaged(format!("object {key} is not what its key says")));
    }
    Ok(())
}
