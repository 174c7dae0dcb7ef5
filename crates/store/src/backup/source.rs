//! Where rows come from: the snapshot of a database. (An archive is the other source, see [`super::Archive`].)

use std::collections::{BTreeMap, BTreeSet};

use futures::TryStreamExt;
use sqlx::{AssertSqlSafe, ColumnIndex, Decode, Type};
use tokio::sync::mpsc;

use super::row::Row;
use super::schema::{Kind, Table, tables};
use super::{BackupError, Progress, Result, text};
use crate::{Blobs, Conn, Error, Reach, Store, Value};

/// Rows of one table on their way; `table` counts the tables in order, and the objects come after the last of them.
pub(crate) struct Batch {
    pub(crate) table: usize,
    pub(crate) rows: Vec<Row>,
}

/// A batch is sent on when it has this many rows or bytes.
const BATCH_ROWS: usize = 1_000;
const BATCH_BYTES: usize = 1 << 20;
/// Batches between a source and a sink: enough that neither waits, little memory.
const BATCHES: usize = 4;

/// A channel between a source and a sink.
pub(crate) fn channel() -> (mpsc::Sender<Batch>, mpsc::Receiver<Batch>) {
    mpsc::channel(BATCHES)
}

/// Streams a table from either engine into an outlet; false when the sink went away.
macro_rules! pump {
    ($conn:expr, $table:expr, $out:expr, $keys:expr) => {{
        let sql = AssertSqlSafe(text::select($table));
        let objects: Vec<usize> = $table.object_columns().collect();
        let mut rows = sqlx::query(sql).persistent(false).fetch(&mut **$conn);
        loop {
            let Some(found) = rows.try_next().await.map_err(Error::from)? else { break true };
            let read = |(index, column): (usize, &super::Column)| value(&found, index, column.kind);
            let row: Row =
                $table.columns.iter().enumerate().map(read).collect::<Result<_, _>>().map_err(Error::from)?;
            for column in &objects {
                if let Value::Text(Some(key)) = &row[*column] {
                    $keys.insert(key.clone());
                }
            }
            if !$out.push(row).await {
                break false;
            }
        }
    }};
}

/// All rows of a database at one instant, while others go on writing.
pub(crate) struct Snapshot {
    conn: Conn,
    pub(crate) tables: Vec<Table>,
    /// Names of the migrations applied, in order.
    pub(crate) schema: Vec<String>,
    /// Tenant and hash of the newest row of its audit log.
    pub(crate) audit_heads: BTreeMap<String, String>,
}

impl Snapshot {
    /// Takes the snapshot: a read transaction that lasts until this value is dropped.
    pub(crate) async fn take(store: &Store) -> Result<Self> {
        let mut conn = store.read(Reach::Everyone).await?;
        // The connection ends with the snapshot: neither its transaction nor its patience may travel back to the pool.
        conn.discard();
        conn.batch(match conn {
            Conn::Sqlite(_) => "BEGIN",
            Conn::Postgres(_) => {
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0"
            }
        })
        .await?;
        let tables = tables(&mut conn).await?;
        if tables.is_empty() {
            return Err(BackupError::Refused("the database is empty; start the server once".to_owned()));
        }
        let schema =
            crate::fetch_all!(&mut conn, (String,), "SELECT name FROM schema_migrations ORDER BY name")?;
        let heads = if tables.iter().any(|table| table.name == "audit_heads") {
            crate::fetch_all!(&mut conn, (String, String), "SELECT tenant_id, hash FROM audit_heads")?
        } else {
            Vec::new()
        };
        let schema = schema.into_iter().map(|row| row.0).collect();
        Ok(Self { conn, tables, schema, audit_heads: heads.into_iter().collect() })
    }

    /// Sends every row, then, if `blobs` are given, every object that a row names. Returns the keys that had no object.
    ///
    /// A sink that went away ends this without an error: it is the one who knows why.
    pub(crate) async fn send(
        &mut self,
        blobs: Option<&Blobs>,
        to: mpsc::Sender<Batch>,
        progress: &Progress,
    ) -> Result<Vec<String>> {
        let mut keys = BTreeSet::new();
        for (index, table) in self.tables.iter().enumerate() {
            let mut out = Outlet::new(index, &to, progress);
            let is_done = match &mut self.conn {
                Conn::Sqlite(conn) => pump!(conn, table, out, keys),
                Conn::Postgres(conn) => pump!(conn, table, out, keys),
            };
            if !is_done || !out.flush().await {
                return Ok(Vec::new());
            }
        }
        match blobs {
            Some(blobs) => send_objects(blobs, keys, Outlet::new(self.tables.len(), &to, progress)).await,
            None => Ok(Vec::new()),
        }
    }
}

/// A column of a row, by its kind.
pub(crate) fn value<'r, R: sqlx::Row>(row: &'r R, index: usize, kind: Kind) -> Result<Value, sqlx::Error>
where
    usize: ColumnIndex<R>,
    Option<String>: Decode<'r, R::Database> + Type<R::Database>,
    Option<i64>: Decode<'r, R::Database> + Type<R::Database>,
    Option<f64>: Decode<'r, R::Database> + Type<R::Database>,
    Option<bool>: Decode<'r, R::Database> + Type<R::Database>,
    Option<Vec<u8>>: Decode<'r, R::Database> + Type<R::Database>,
{
    Ok(match kind {
        Kind::Text => Value::Text(row.try_get(index)?),
        Kind::Int => Value::Int(row.try_get(index)?),
        Kind::Real => Value::Real(row.try_get(index)?),
        Kind::Bool => Value::Bool(row.try_get(index)?),
        Kind::Bytes => Value::Bytes(row.try_get(index)?),
    })
}

async fn send_objects(blobs: &Blobs, keys: BTreeSet<String>, mut out: Outlet<'_>) -> Result<Vec<String>> {
    let mut missing = Vec::new();
    for key in keys {
        match blobs.get(&key).await? {
            Some(bytes) => {
                if !out.push(vec![key.into(), bytes.to_vec().into()]).await {
                    return Ok(missing);
                }
            }
            None => missing.push(key),
        }
    }
    out.flush().await;
    Ok(missing)
}

/// Gathers the rows of one table into batches.
pub(crate) struct Outlet<'a> {
    table: usize,
    rows: Vec<Row>,
    bytes: usize,
    to: &'a mpsc::Sender<Batch>,
    progress: &'a Progress,
}

impl<'a> Outlet<'a> {
    pub(crate) fn new(table: usize, to: &'a mpsc::Sender<Batch>, progress: &'a Progress) -> Self {
        Self { table, rows: Vec::new(), bytes: 0, to, progress }
    }

    /// False when the sink went away.
    async fn push(&mut self, row: Row) -> bool {
        if self.take_in(row) { self.flush().await } else { true }
    }

    async fn flush(&mut self) -> bool {
        match self.cut() {
            Some(batch) => self.to.send(batch).await.is_ok(),
            None => true,
        }
    }

    /// As `push`, from a thread that may wait.
    pub(crate) fn push_blocking(&mut self, row: Row) -> bool {
        if self.take_in(row) { self.flush_blocking() } else { true }
    }

    /// As `flush`, from a thread that may wait.
    pub(crate) fn flush_blocking(&mut self) -> bool {
        self.cut().is_none_or(|batch| self.to.blocking_send(batch).is_ok())
    }

    /// Tells whether the batch is full.
    fn take_in(&mut self, row: Row) -> bool {
        self.bytes += row.iter().map(size).sum::<usize>();
        self.rows.push(row);
        self.rows.len() >= BATCH_ROWS || self.bytes >= BATCH_BYTES
    }

    fn cut(&mut self) -> Option<Batch> {
        self.bytes = 0;
        self.progress.add(self.rows.len());
        let rows = std::mem::take(&mut self.rows);
        (!rows.is_empty()).then_some(Batch { table: self.table, rows })
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::Text(Some(text)) => text.len(),
        Value::Bytes(Some(bytes)) => bytes.len(),
        _ => 8,
    }
}
