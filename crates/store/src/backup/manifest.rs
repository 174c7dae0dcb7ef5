//! What a backup says of itself: who made it, of what, and what each part holds.

use std::collections::BTreeMap;

use kernel::Micros;
use serde::{Deserialize, Serialize};

use super::schema::{Column, Table};
use super::sink::DatabaseHash;
use super::{BackupError, Result};
use crate::Engine;
use crate::migrate;

/// The form of the archive; another number is another form.
pub(crate) const FORMAT: u32 = 1;

/// `manifest.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Form of the archive.
    pub format: u32,
    /// Version of the program that made it.
    pub hearth: String,
    /// `sqlite` or `postgres`.
    pub engine: String,
    /// When the snapshot was taken.
    pub created_at: Micros,
    /// Migrations applied, in order.
    pub schema: Vec<String>,
    /// The tables, parents before children.
    pub tables: Vec<Part>,
    /// The objects of the blob store.
    pub objects: Part,
    /// Keys that rows name although the blob store had no such object.
    pub missing_objects: Vec<String>,
    /// Per tenant, the hash of the newest entry of its audit log.
    pub audit_heads: BTreeMap<String, String>,
}

/// One part of an archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Table.
    pub name: String,
    /// Its columns, in the order of the values of a row.
    pub columns: Vec<Column>,
    /// Rows.
    pub rows: u64,
    /// Sum of the rows' hashes, see [`super::TableHash`].
    pub content: String,
    /// Length of the lines, bytes.
    pub bytes: u64,
    /// Length as stored, bytes.
    pub stored_bytes: u64,
    /// SHA-256 of the part as stored.
    pub sha256: String,
}

impl Part {
    /// The table that the rows belong to.
    pub(crate) fn table(&self) -> Table {
        Table { name: self.name.clone(), columns: self.columns.clone() }
    }
}

impl Manifest {
    /// All parts in the order of the archive.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &Part> {
        self.tables.iter().chain([&self.objects])
    }

    /// Rows and objects.
    pub fn rows(&self) -> u64 {
        self.parts().map(|part| part.rows).sum()
    }

    /// Length of everything unpacked, bytes.
    pub fn bytes(&self) -> u64 {
        self.parts().map(|part| part.bytes).sum()
    }

    /// Refuses what this version cannot restore.
    pub(crate) fn check_version(&self) -> Result<()> {
        let major = |version: &str| version.split('.').next().map(str::to_owned);
        if self.format != FORMAT || major(&self.hearth) != major(env!("CARGO_PKG_VERSION")) {
            return Err(BackupError::Refused(format!(
                "the backup was made by hearth {} (format {}); restore it with that version and upgrade afterwards",
                self.hearth, self.format
            )));
        }
        let ours = migrate::all(Engine::Sqlite);
        let unknown =
            self.schema.iter().enumerate().find(|(index, name)| {
                ours.get(*index).is_none_or(|migration| migration.name != name.as_str())
            });
        match unknown {
            Some((_, name)) => Err(BackupError::Refused(format!(
                "the backup has migration {name}, which this version does not know; use the matching or a newer hearth"
            ))),
            None if self.schema.is_empty() => Err(BackupError::damaged("the backup names no migration")),
            None => Ok(()),
        }
    }

    /// Compares what the parts say with what a database holds.
    pub(crate) fn compare(&self, database: &DatabaseHash) -> Result<()> {
        let same = |part: &Part| {
            let found = database.0.get(&part.name).copied().unwrap_or_default();
            found.rows == part.rows && found.content() == part.content
        };
        let wrong: Vec<&str> =
            self.tables.iter().filter(|part| !same(part)).map(|part| part.name.as_str()).collect();
        if wrong.is_empty() && database.0.len() == self.tables.len() {
            return Ok(());
        }
        Err(BackupError::damaged(format!("restored rows are not those of the backup: {}", wrong.join(", "))))
    }
}
