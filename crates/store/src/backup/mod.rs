//! Backups that either engine can read: one snapshot of every table and object in one file, proven before it counts.
//!
//! Everything here is rows on their way from a `source` (a database, an archive) to a `sink` (an archive, a
//! database, a hash). Creating, verifying, restoring and moving are four ways to join them, so a row is read, written and
//! compared by one piece of code each.
//!
//! A `.hearth` file is a tar archive that any tool can open: `tables/<table>.jsonl.zst` and `objects.jsonl.zst` with a
//! JSON array per row, `manifest.json`, and as its last entry `seal`, the SHA-256 of every byte before it.

mod archive;
mod bucket;
mod create;
mod dump;
mod envelope;
mod folder;
mod hashing;
mod keep;
mod manifest;
mod place;
mod restore;
mod row;
mod schema;
mod sink;
mod source;
mod text;
mod transfer;

pub use archive::Archive;
pub use bucket::Bucket;
pub use create::{Create, create, database_bytes};
pub use dump::{dump, verify_dump};
pub use envelope::{PrivateKey, PublicKey, new_pair, seal, unseal};
pub use folder::{Entry, SEALED, Verdict, list, remember, remove, take_folder};
pub use keep::Keep;
pub use manifest::{Manifest, Part};
pub use place::{Place, is_served};
pub use restore::{Restored, restore, schema_differences, verify_deep};
pub use row::TableHash;
pub use schema::{Column, Kind, Table, tables};
pub use sink::{DatabaseHash, content_hash};
pub use transfer::{Transferred, transfer};

pub(crate) use create::make_folder;
pub(crate) use folder::sync;
pub(crate) use source::value as row_value;
pub(crate) use text::kept as kept_text;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Why a backup, a restore or a move did not happen.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file is not what was written: damaged, cut short, or made by something else.
    #[error("{0}")]
    Damaged(String),
    /// It would do harm, or this version cannot.
    #[error("{0}")]
    Refused(String),
    /// There is less room than it takes.
    #[error(
        "not enough room in {place}: {needed} MB are needed, {free} MB are free; make room or set BACKUP_DIR"
    )]
    NoRoom {
        /// Where.
        place: String,
        /// MB.
        needed: u64,
        /// MB.
        free: u64,
    },
    /// Another backup runs; its process id if it could be read.
    #[error("another backup runs{}; wait for it", .0.map(|pid| format!(" (pid {pid})")).unwrap_or_default())]
    Busy(Option<u32>),
    /// A file cannot be read or written.
    #[error("{0}: {1}")]
    File(String, #[source] std::io::Error),
    /// The database said no.
    #[error(transparent)]
    Store(#[from] crate::Error),
    /// A transaction said no.
    #[error("{0}")]
    Write(kernel::Error),
    /// The schema said no.
    #[error(transparent)]
    Migrate(#[from] crate::migrate::MigrateError),
}

impl From<kernel::Error> for BackupError {
    fn from(error: kernel::Error) -> Self {
        Self::Write(error)
    }
}

impl BackupError {
    fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged(what.into())
    }

    /// Wraps an error of the file system with the path it speaks of.
    pub(crate) fn at(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let path = path.display().to_string();
        move |error| Self::File(path, error)
    }
}

/// A result with [`BackupError`].
pub type Result<T, E = BackupError> = std::result::Result<T, E>;

/// Rows that have passed, for a progress bar; clones share the count.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<AtomicU64>);

impl Progress {
    /// Rows so far.
    pub fn rows(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, rows: usize) {
        self.0.fetch_add(rows as u64, Ordering::Relaxed);
    }
}
