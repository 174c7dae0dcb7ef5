//! Many rows in one statement, on either engine.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use sqlx::{AssertSqlSafe, Encode, Type};

use crate::{Conn, Result, Tx};

/// One column of one row. `None` is NULL of that type.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// TEXT.
    Text(Option<String>),
    /// BIGINT.
    Int(Option<i64>),
    /// DOUBLE PRECISION.
    Real(Option<f64>),
    /// BOOLEAN.
    Bool(bool),
    /// BYTEA.
    Bytes(Option<Vec<u8>>),
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.to_owned()))
    }
}
impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(Some(value))
    }
}
impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Self {
        Self::Text(value)
    }
}
impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}
impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}
impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Real(Some(value))
    }
}
impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}
impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(Some(value))
    }
}

/// Rows a statement carries: a few fixed sizes, so that only a few texts are ever prepared.
const SIZES: [usize; 4] = [256, 64, 8, 1];
/// SQLite's and PostgreSQL's limits on parameters are 32,766 and 65,535.
const MAX_PARAMETERS: usize = 30_000;

/// Inserts `rows` with as few statements as it can.
///
/// `head` is `INSERT INTO t (a, b)`, `tail` may hold `ON CONFLICT …`; every row has as many values as `head` has
/// columns. Returns how many rows were inserted.
///
/// # Errors
/// As the engine says; rows of earlier statements stay in the transaction.
pub async fn insert_many(
    tx: &mut Tx,
    head: &'static str,
    tail: &'static str,
    mut rows: Vec<Vec<Value>>,
) -> Result<u64> {
    let columns = rows.first().map_or(0, Vec::len);
    let mut inserted = 0;
    while !rows.is_empty() {
        let size = SIZES
            .into_iter()
            .find(|size| *size <= rows.len() && size * columns <= MAX_PARAMETERS)
            .expect("one row always fits");
        let rest = rows.split_off(size);
        let values = std::mem::replace(&mut rows, rest).into_iter().flatten();
        let sql = statement(head, tail, columns, size);
        inserted += match &mut **tx {
            Conn::Sqlite(conn) => values
                .fold(sqlx::query(AssertSqlSafe(sql)), bind)
                .execute(&mut **conn)
                .await?
                .rows_affected(),
            Conn::Postgres(conn) => values
                .fold(sqlx::query(AssertSqlSafe(sql)), bind)
                .execute(&mut **conn)
                .await?
                .rows_affected(),
        };
    }
    Ok(inserted)
}

type Query<'q, DB> = sqlx::query::Query<'q, DB, <DB as sqlx::Database>::Arguments>;

fn bind<'q, DB>(query: Query<'q, DB>, value: Value) -> Query<'q, DB>
where
    DB: sqlx::Database,
    Option<String>: Encode<'q, DB> + Type<DB>,
    Option<i64>: Encode<'q, DB> + Type<DB>,
    Option<f64>: Encode<'q, DB> + Type<DB>,
    bool: Encode<'q, DB> + Type<DB>,
    Option<Vec<u8>>: Encode<'q, DB> + Type<DB>,
{
    match value {
        Value::Text(value) => query.bind(value),
        Value::Int(value) => query.bind(value),
        Value::Real(value) => query.bind(value),
        Value::Bool(value) => query.bind(value),
        Value::Bytes(value) => query.bind(value),
    }
}

/// The text for `size` rows; made once per head and size. Holds only our own static text and parameter numbers.
fn statement(head: &'static str, tail: &'static str, columns: usize, size: usize) -> &'static str {
    type Key = (&'static str, &'static str, usize, usize);
    static TEXTS: LazyLock<Mutex<HashMap<Key, &'static str>>> = LazyLock::new(Mutex::default);
    let mut texts = TEXTS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    texts.entry((head, tail, columns, size)).or_insert_with(|| {
        let row = |r: usize| {
            let names: Vec<String> = (1..=columns).map(|c| format!("${}", r * columns + c)).collect();
            format!("({})", names.join(", "))
        };
        let rows: Vec<String> = (0..size).map(row).collect();
        // A handful of texts for the life of the process.
        String::leak(format!("{head} VALUES {} {tail}", rows.join(", ")))
    })
}
