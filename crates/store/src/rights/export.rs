//! Copies of what is held about somebody: a line of JSON for each row, a header before and a footer after.
//!
//! A line is an object whose `type` is the [`Area`]'s word; the others are the row's columns in the order of the schema,
//! texts as they lie there; a column `type` comes as `<kind>_type`. The tenant is in the header alone and nothing derived is
//! in it, so the same data under another tenant gives the same lines. Objects follow the rows, if wanted. The footer counts the lines by type and has the SHA-256
//! of everything between it and the header.

use std::collections::{BTreeMap, VecDeque};

use data_encoding::{BASE64, HEXLOWER};
use kernel::{Error, Micros, Result};
use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};

use super::area::PartOf;
use super::{Domain, Subject};
use crate::backup::{self, Column, Table, row_value};
use crate::rows::arguments;
use crate::{Blobs, Conn, Store, Value};

/// The form of an export; a later one reads earlier ones.
const VERSION: u32 = 1;
/// Columns that say where a row is indexed here.
const DERIVED: [&str; 2] = ["scope_id", "scope_version"];
/// Rows read at a time.
const PAGE: usize = 500;

/// An export on its way out.
pub struct Export<'a> {
    store: &'a Store,
    blobs: Option<&'a Blobs>,
    subject: Subject,
    header: Option<Vec<u8>>,
    parts: VecDeque<Reading>,
    /// Keys of objects that the rows name.
    objects: VecDeque<String>,
    counts: BTreeMap<String, u64>,
    hash: Sha256,
    is_done: bool,
}

/// A table on its way out.
struct Reading {
    part: PartOf,
    kind: &'static str,
    columns: Vec<Column>,
    /// The key of the last row that went out.
    after: Option<Vec<Value>>,
}

impl<'a> Export<'a> {
    /// An export of `subject`; with its objects if `blobs` are given.
    ///
    /// # Errors
    /// The engine's.
    pub async fn begin(
        store: &'a Store,
        blobs: Option<&'a Blobs>,
        domains: &[&Domain],
        subject: Subject,
        now: Micros,
    ) -> Result<Self> {
        let mut conn = store.read(&subject.tenant).await?;
        let tables = backup::tables(&mut conn).await.map_err(Error::internal)?;
        drop(conn);
        // Parents first: whoever reads it back needs them first.
        let areas = domains.iter().flat_map(|domain| domain.areas.iter().rev());
        let parts = areas.filter_map(|area| {
            let kind = area.exported_as?;
            let table: &Table = tables.iter().find(|table| table.name == area.table)?;
            let part = area.part_of(&subject)?;
            Some(Reading { part, kind, columns: table.columns.clone(), after: None })
        });
        let header = json!({
            "type": "header", "format": "hearth-export", "version": VERSION, "hearth": env!("CARGO_PKG_VERSION"),
            "tenant_id": subject.tenant, "kind": subject.kind(), "user_id": subject.user_id(),
            "created_at": now, "objects": blobs.is_some(),
        });
        Ok(Self {
            store,
            blobs,
            header: Some(line(&header)),
            parts: parts.collect(),
            subject,
            objects: VecDeque::new(),
            counts: BTreeMap::new(),
            hash: Sha256::new(),
            is_done: false,
        })
    }

    /// The next lines; `None` after the footer.
    ///
    /// # Errors
    /// The engine's, or the blob store's. An object that is gone is passed over.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        if let Some(header) = self.header.take() {
            return Ok(Some(header));
        }
        let mut out = Vec::new();
        while out.is_empty() {
            if let Some(mut reading) = self.parts.pop_front() {
                if self.read_page(&mut reading, &mut out).await? {
                    self.parts.push_front(reading);
                }
            } else if let (Some(blobs), Some(key)) = (self.blobs, self.objects.pop_front()) {
                if let Some(bytes) = blobs.get(&key).await? {
                    let sha256 = key.rsplit('/').next().unwrap_or_default();
                    let object = json!({"type": "object", "sha256": sha256, "bytes": BASE64.encode(&bytes)});
                    out.extend(line(&object));
                    self.count("object");
                }
            } else if self.is_done {
                return Ok(None);
            } else {
                self.is_done = true;
                let sha256 = HEXLOWER.encode(&self.hash.clone().finalize());
                return Ok(Some(line(&json!({"type": "footer", "counts": self.counts, "sha256": sha256}))));
            }
        }
        self.hash.update(&out);
        Ok(Some(out))
    }

    fn count(&mut self, kind: &str) {
        *self.counts.entry(kind.to_owned()).or_default() += 1;
    }

    /// Writes a page of rows; false when there are no more.
    async fn read_page(&mut self, reading: &mut Reading, out: &mut Vec<u8>) -> Result<bool> {
        let mut conn = self.store.read(&self.subject.tenant).await?;
        let rows = reading.page(&mut conn).await?;
        drop(conn);
        let Some(last) = rows.last() else { return Ok(false) };
        reading.after = Some(reading.key_of(last));
        for row in &rows {
            let mut fields = Map::new();
            fields.insert("type".to_owned(), reading.kind.into());
            for (column, value) in reading.columns.iter().zip(row) {
                match (column.name.as_str(), value) {
                    ("tenant_id", _) => {}
                    ("blob_key", Value::Text(Some(key))) => self.objects.push_back(key.clone()),
                    (name, _) if is_secret(name) || DERIVED.contains(&name) => {}
                    // The line's own `type` says what the row is.
                    ("type", value) => {
                        fields.insert(format!("{}_type", reading.kind), json_of(value));
                    }
                    (name, value) => {
                        fields.insert(name.to_owned(), json_of(value));
                    }
                }
            }
            out.extend(line(&Json::Object(fields)));
            self.count(reading.kind);
        }
        Ok(true)
    }
}

/// Columns that would let somebody in, or tell what does.
fn is_secret(column: &str) -> bool {
    column.ends_with("_hash") && column != "content_hash"
}

impl Reading {
    async fn page(&self, conn: &mut Conn) -> Result<Vec<Vec<Value>>> {
        let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        let sql = self.part.page_sql(&names.join(", "), self.after.as_ref().map_or(0, Vec::len), PAGE);
        let after = self.after.iter().flatten().cloned();
        let values: Vec<Value> = self.part.values.iter().cloned().chain(after).collect();
        macro_rules! read {
            ($conn:expr, $engine:ty) => {{
                let arguments = arguments::<$engine>(values)?;
                let found = sqlx::query_with(sql, arguments).fetch_all(&mut **$conn).await;
                let found = found.map_err(crate::Error::from)?;
                let cells = |row| {
                    let cell = |(at, column): (usize, &Column)| row_value(row, at, column.kind);
                    self.columns.iter().enumerate().map(cell).collect::<Result<Vec<_>, _>>()
                };
                found.iter().map(cells).collect::<Result<Vec<_>, _>>()
            }};
        }
        let rows = match conn {
            Conn::Sqlite(conn) => read!(conn, sqlx::Sqlite),
            Conn::Postgres(conn) => read!(conn, sqlx::Postgres),
        };
        Ok(rows.map_err(crate::Error::from)?)
    }

    fn key_of(&self, row: &[Value]) -> Vec<Value> {
        let place = |name: &str| self.columns.iter().position(|column| column.name == name);
        self.part.area.key.split(", ").filter_map(|name| Some(row[place(name)?].clone())).collect()
    }
}

fn json_of(value: &Value) -> Json {
    match value {
        Value::Text(text) => json!(text),
        Value::Int(number) => json!(number),
        Value::Real(number) => json!(number),
        Value::Bool(flag) => json!(flag),
        Value::Bytes(bytes) => json!(bytes.as_ref().map(|bytes| BASE64.encode(bytes))),
    }
}

fn line(value: &Json) -> Vec<u8> {
    let mut line = serde_json::to_vec(value).expect("a value is JSON");
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_stay_inside() {
        for name in ["password_hash", "secret_hash", "token_hash", "key_hash"] {
            assert!(is_secret(name), "{name}");
        }
        assert!(!is_secret("content_hash") && !is_secret("sha256") && !is_secret("prefix"));
        assert_eq!(json_of(&Value::Bytes(Some(vec![1]))), json!("AQ=="));
    }
}
