//! One connection type over two engines, and the macros that run one SQL text on either.

use std::ops::{Deref, DerefMut};

use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, Postgres, Sqlite};

use crate::Reach;

/// A connection to either engine, for reading.
pub enum Conn {
    /// SQLite.
    Sqlite(PoolConnection<Sqlite>),
    /// PostgreSQL.
    Postgres(PoolConnection<Postgres>),
}

impl Conn {
    /// Runs statements without parameters, several at once if need be.
    ///
    /// # Errors
    /// The first statement that failed.
    pub async fn batch(&mut self, sql: &'static str) -> crate::Result<()> {
        match self {
            Self::Sqlite(conn) => sqlx::raw_sql(sql).execute(&mut **conn).await.map(|_| ()),
            Self::Postgres(conn) => sqlx::raw_sql(sql).execute(&mut **conn).await.map(|_| ()),
        }
        .map_err(crate::Error::from)
    }

    /// Ends the connection instead of handing it back: its state is not known.
    pub(crate) fn discard(&mut self) {
        match self {
            Self::Sqlite(conn) => conn.close_on_drop(),
            Self::Postgres(conn) => conn.close_on_drop(),
        }
    }
}

/// An open transaction: all that a [`Conn`] can, and the right to change rows.
///
/// Only [`crate::Store::write`] makes one, so every change is committed by the one path that groups and acknowledges.
pub struct Tx {
    conn: Conn,
}

impl Tx {
    pub(crate) fn new(conn: Conn) -> Self {
        Self { conn }
    }

    /// Begins a transaction that touches the rows in `reach`, in one round trip.
    pub(crate) async fn begin_within(&mut self, reach: &Reach) -> crate::Result<()> {
        match &mut self.conn {
            Conn::Sqlite(conn) => sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut **conn).await.map(|_| ()),
            Conn::Postgres(conn) => {
                let sql = AssertSqlSafe(format!("BEGIN; {}", reach.set("SET LOCAL")));
                sqlx::raw_sql(sql).execute(&mut **conn).await.map(|_| ())
            }
        }
        .map_err(crate::Error::from)
    }
}

impl Deref for Tx {
    type Target = Conn;
    fn deref(&self) -> &Conn {
        &self.conn
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.conn
    }
}

/// Runs one SQL text on the engine behind `$conn` and maps the error; the other macros are words for this one.
#[doc(hidden)]
#[macro_export]
macro_rules! __run {
    ($conn:expr, $query:expr, $method:ident) => {{
        $crate::tally::count();
        match &mut *$conn {
            $crate::Conn::Sqlite(c) => $query.$method(&mut **c).await,
            $crate::Conn::Postgres(c) => $query.$method(&mut **c).await,
        }
        .map_err($crate::Error::from)
    }};
}

/// `fetch_all!(conn, Row, SQL, binds…)` → `Result<Vec<Row>>`.
#[macro_export]
macro_rules! fetch_all {
    ($conn:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {{
        let conn: &mut $crate::Conn = $conn;
        $crate::__run!(conn, $crate::sqlx::query_as::<_, $row>($sql)$(.bind($bind))*, fetch_all)
    }};
}

/// `fetch_optional!(conn, Row, SQL, binds…)` → `Result<Option<Row>>`.
#[macro_export]
macro_rules! fetch_optional {
    ($conn:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {{
        let conn: &mut $crate::Conn = $conn;
        $crate::__run!(conn, $crate::sqlx::query_as::<_, $row>($sql)$(.bind($bind))*, fetch_optional)
    }};
}

/// `fetch_one!(conn, Row, SQL, binds…)` → `Result<Row>`; a missing row is a defect.
#[macro_export]
macro_rules! fetch_one {
    ($conn:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {{
        let conn: &mut $crate::Conn = $conn;
        $crate::__run!(conn, $crate::sqlx::query_as::<_, $row>($sql)$(.bind($bind))*, fetch_one)
    }};
}

/// `execute!(tx, SQL, binds…)` → `Result<u64>`: how many rows changed. Takes a [`Tx`], never a bare [`Conn`].
#[macro_export]
macro_rules! execute {
    ($tx:expr, $sql:expr $(, $bind:expr)* $(,)?) => {{
        let tx: &mut $crate::Tx = $tx;
        match &mut **tx {
            $crate::Conn::Sqlite(c) => {
                $crate::sqlx::query($sql)$(.bind($bind))*.execute(&mut **c).await.map(|done| done.rows_affected())
            }
            $crate::Conn::Postgres(c) => {
                $crate::sqlx::query($sql)$(.bind($bind))*.execute(&mut **c).await.map(|done| done.rows_affected())
            }
        }
        .map_err($crate::Error::from)
    }};
}
