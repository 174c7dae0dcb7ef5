//! Removing what belongs to a subject: table by table, in small transactions, counted.

use std::collections::{BTreeMap, BTreeSet};

use kernel::{Error, Micros, Result};
use serde::{Deserialize, Serialize};

use super::area::{Domain, PartOf};
use super::{Subject, erasures};
use crate::rows::{change, fetch, fetch_by_ids};
use crate::{Blobs, Conn, Reach, Store, Tx, Value};

/// Rows of one transaction at most.
const BATCH: usize = 1_000;
/// Objects of one transaction at most.
const OBJECTS: usize = 200;
/// Writers get their turn between two batches.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(5);
/// Rounds over all tables before rows that come back are a failure.
const ROUNDS: usize = 3;

/// What one table held of a subject.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Rows when the erasure began.
    pub before: i64,
    /// Rows removed so far.
    pub removed: i64,
    /// Rows left when all was done.
    pub after: i64,
}

/// What an erasure found and removed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// By table; only tables that hold data of such a subject.
    pub tables: BTreeMap<String, Counts>,
    /// SHA-256 of the objects removed, in order.
    pub objects: BTreeSet<String>,
}

/// Removes subjects from one database and its objects.
pub struct Eraser<'a> {
    /// The database.
    pub store: &'a Store,
    /// Its objects.
    pub blobs: &'a Blobs,
    /// Everything that may hold data.
    pub domains: &'static [&'static Domain],
}

impl Eraser<'_> {
    /// Counts a subject's rows in each table that may hold some.
    ///
    /// # Errors
    /// The engine's.
    pub async fn count(&self, subject: &Subject) -> Result<BTreeMap<&'static str, i64>> {
        let mut conn = self.store.read(&subject.tenant).await?;
        let mut counts = BTreeMap::new();
        for part in self.parts(subject) {
            let rows: Vec<(i64,)> = fetch(&mut conn, part.count_sql(), part.values.clone()).await?;
            counts.insert(part.area.table, rows.first().map_or(0, |row| row.0));
        }
        Ok(counts)
    }

    /// Removes everything of a subject. Safe to repeat: `report` is what an earlier run has done, and each batch is counted in
    /// the transaction that removes it, in the row of `erasure_id` if there is one.
    ///
    /// # Errors
    /// `erasure_incomplete` when rows come back as fast as they go; the engine's, or the blob store's. What is gone is gone.
    pub async fn erase(
        &self,
        subject: &Subject,
        mut report: Report,
        erasure_id: Option<&str>,
        now: Micros,
    ) -> Result<Report> {
        if report.tables.is_empty() {
            for (table, before) in self.count(subject).await? {
                report.tables.insert(table.to_owned(), Counts { before, ..Counts::default() });
            }
        }
        for _ in 0..ROUNDS {
            for part in self.parts(subject) {
                self.remove(subject, &part, &mut report, erasure_id).await?;
            }
            let left = self.count(subject).await?;
            for (table, after) in &left {
                report.tables.entry((*table).to_owned()).or_default().after = *after;
            }
            if left.values().all(|rows| *rows == 0) {
                self.end(subject, now).await?;
                return Ok(report);
            }
        }
        let text = "rows of the subject are written while they are removed; it is tried again";
        Err(Error::unavailable("erasure_incomplete", text))
    }

    fn parts(&self, subject: &Subject) -> impl Iterator<Item = PartOf> {
        let areas = self.domains.iter().flat_map(|domain| domain.areas);
        areas.filter_map(|area| area.part_of(subject))
    }

    /// Empties the subject's part of one table.
    async fn remove(
        &self,
        subject: &Subject,
        part: &PartOf,
        report: &mut Report,
        erasure_id: Option<&str>,
    ) -> Result<()> {
        loop {
            let objects = if part.area.has_objects {
                let mut conn = self.store.read(&subject.tenant).await?;
                let found: Vec<(String,)> =
                    fetch(&mut conn, part.objects_sql(OBJECTS), part.values.clone()).await?;
                let keys: Vec<String> = found.into_iter().map(|row| row.0).collect();
                let shared = self.shared(&mut conn, part, &keys).await?;
                drop(conn);
                // The objects first: a row without its object is found again when this is broken off between the two.
                // Danger: the same bytes, stored by somebody else of the tenant in this very moment, go too.
                for key in keys.iter().filter(|key| !shared.contains(*key)) {
                    self.blobs.remove(key).await?;
                    report.objects.insert(key.rsplit('/').next().unwrap_or_default().to_owned());
                }
                Some(keys)
            } else {
                None
            };
            if self.remove_batch(subject, part, objects, report, erasure_id).await? == 0 {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The objects among `keys` that rows of others name, too.
    async fn shared(&self, conn: &mut Conn, part: &PartOf, keys: &[String]) -> Result<BTreeSet<String>> {
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let mut shared = BTreeSet::new();
        for area in self.domains.iter().flat_map(|domain| domain.areas).filter(|area| area.has_objects) {
            let (sql, values) = if area.table == part.area.table {
                (part.shared_sql(), part.values.clone())
            } else {
                (area.named_sql(), part.values[..1].to_vec())
            };
            let found: Vec<(String,)> = fetch_by_ids(conn, sql, &values, &keys).await?;
            shared.extend(found.into_iter().map(|row| row.0));
        }
        Ok(shared)
    }

    /// Removes some rows and counts them, both or neither.
    async fn remove_batch(
        &self,
        subject: &Subject,
        part: &PartOf,
        objects: Option<Vec<String>>,
        report: &mut Report,
        erasure_id: Option<&str>,
    ) -> Result<u64> {
        let statements: Vec<(&'static str, Vec<Value>)> = match objects {
            Some(keys) => {
                let with = |key: String| [part.values.clone(), vec![Value::from(key)]].concat();
                keys.into_iter().map(|key| (part.remove_object_sql(), with(key))).collect()
            }
            None => vec![(part.remove_sql(BATCH), part.values.clone())],
        };
        let (table, erasure_id) = (part.area.table, erasure_id.map(str::to_owned));
        let (mut counted, tenant) = (report.clone(), subject.tenant.clone());
        let write = self.store.write("rights.erase", &subject.tenant, move |tx: &mut Tx| {
            Box::pin(async move {
                let mut removed = 0;
                for (sql, values) in statements {
                    removed += change(tx, sql, values).await?;
                }
                counted.tables.entry(table.to_owned()).or_default().removed += removed as i64;
                if let Some(erasure_id) = erasure_id.filter(|_| removed > 0) {
                    erasures::save_report(tx, &tenant, &erasure_id, &counted).await?;
                }
                Ok((removed, counted))
            })
        });
        let (removed, counted) = write.await?;
        *report = counted;
        Ok(removed)
    }

    /// Lets each domain do what must follow the removal.
    async fn end(&self, subject: &Subject, now: Micros) -> Result<()> {
        let (domains, subject) = (self.domains, subject.clone());
        self.store
            .write("rights.finish", Reach::Everyone, move |tx| {
                Box::pin(async move {
                    for domain in domains {
                        (domain.finish)(tx, &subject, now).await?;
                    }
                    Ok(())
                })
            })
            .await
    }
}
