//! Many rows in one statement, and many ids in one list, on either engine.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, Database, Encode, FromRow, Postgres, Sqlite, Type};

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
    Bool(Option<bool>),
    /// BYTEA.
    Bytes(Option<Vec<u8>>),
}

macro_rules! value_from {
    ($($from:ty => |$value:ident| $make:expr;)+) => {
        $(impl From<$from> for Value {
            fn from($value: $from) -> Self {
                $make
            }
        })+
    };
}

value_from! {
    &str => |v| Self::Text(Some(v.to_owned()));
    String => |v| Self::Text(Some(v));
    Option<String> => |v| Self::Text(v);
    i64 => |v| Self::Int(Some(v));
    Option<i64> => |v| Self::Int(v);
    f64 => |v| Self::Real(Some(v));
    bool => |v| Self::Bool(Some(v));
    Vec<u8> => |v| Self::Bytes(Some(v));
}

/// A row type that both engines can fill.
pub trait Row: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}
impl<R: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin> Row for R {}

/// Rows a statement carries, or ids a list holds: a few fixed sizes, so that only a few texts are ever prepared.
const SIZES: [usize; 18] = [256, 64, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1];
/// SQLite's and PostgreSQL's limits on parameters are 32,766 and 65,535.
const MAX_PARAMETERS: usize = 30_000;

/// Inserts `rows` with as few statements as it can; returns how many were inserted.
///
/// `head` is `INSERT INTO t (a, b)`, `tail` may hold `ON CONFLICT …`; every row has as many values as `head` has
/// columns.
///
/// # Errors
/// As the engine says; rows of earlier statements stay in the transaction.
pub async fn insert_many(
    tx: &mut Tx,
    head: &'static str,
    tail: &'static str,
    rows: Vec<Vec<Value>>,
) -> Result<u64> {
    let mut inserted = 0;
    for (sql, values) in batches(marker_of(tx), head, tail, rows) {
        inserted += change(tx, sql, values).await?;
    }
    Ok(inserted)
}

/// Changes rows by a text that was made at run time, with its parameters in order; returns how many.
pub(crate) async fn change(tx: &mut Tx, sql: &'static str, values: Vec<Value>) -> Result<u64> {
    let done = match &mut **tx {
        Conn::Sqlite(conn) => {
            let arguments: SqliteArguments = arguments::<Sqlite>(values)?;
            sqlx::query_with(sql, arguments).execute(&mut **conn).await?.rows_affected()
        }
        Conn::Postgres(conn) => {
            let arguments: PgArguments = arguments::<Postgres>(values)?;
            sqlx::query_with(sql, arguments).execute(&mut **conn).await?.rows_affected()
        }
    };
    Ok(done)
}

/// As [`insert_many`], with a `tail` that ends in `RETURNING …`; the rows come in no promised order.
///
/// # Errors
/// As [`insert_many`].
pub async fn insert_returning<R: Row>(
    tx: &mut Tx,
    head: &'static str,
    tail: &'static str,
    rows: Vec<Vec<Value>>,
) -> Result<Vec<R>> {
    let mut returned = Vec::with_capacity(rows.len());
    for (sql, values) in batches(marker_of(tx), head, tail, rows) {
        returned.extend(fetch(tx, sql, values).await?);
    }
    Ok(returned)
}

/// Reads rows that are joined with a list of given ones: `head` ends in `FROM (`, `tail` begins with `) AS w JOIN …` and
/// knows the values of a given row as `w.column1`, `w.column2` …
///
/// # Errors
/// As the engine says.
pub async fn fetch_joined<R: Row>(
    conn: &mut Conn,
    head: &'static str,
    tail: &'static str,
    rows: Vec<Vec<Value>>,
) -> Result<Vec<R>> {
    let mut found = Vec::with_capacity(rows.len());
    for (sql, values) in batches(marker_of(conn), head, tail, rows) {
        found.extend(fetch(conn, sql, values).await?);
    }
    Ok(found)
}

/// Reads rows by a list of ids of any length: `head` ends in `… IN`, and `fixed` fills `$1…` before the list.
///
/// # Errors
/// As the engine says.
pub async fn fetch_by_ids<R: Row>(
    conn: &mut Conn,
    head: &'static str,
    fixed: &[Value],
    ids: &[&str],
) -> Result<Vec<R>> {
    let mut found = Vec::with_capacity(ids.len());
    for part in ids.chunks(SIZES[0]) {
        // The list is filled up by repeating an id.
        let size =
            SIZES.into_iter().rev().find(|size| *size >= part.len()).expect("a part is no longer than that");
        let filled = part.iter().chain(std::iter::repeat(&part[0])).take(size).map(|id| Value::from(*id));
        let values = fixed.iter().cloned().chain(filled).collect();
        let sql = text(Shape {
            marker: Marker::Number,
            head,
            tail: "",
            first: fixed.len(),
            columns: size,
            rows: 1,
        });
        found.extend(fetch(conn, sql, values).await?);
    }
    Ok(found)
}

/// Runs a text that was made at run time, with its parameters in order.
pub(crate) async fn fetch<R: Row>(conn: &mut Conn, sql: &'static str, values: Vec<Value>) -> Result<Vec<R>> {
    crate::tally::count();
    match conn {
        Conn::Sqlite(conn) => {
            let arguments: SqliteArguments = arguments::<Sqlite>(values)?;
            sqlx::query_as_with(sql, arguments).fetch_all(&mut **conn).await
        }
        Conn::Postgres(conn) => {
            let arguments: PgArguments = arguments::<Postgres>(values)?;
            sqlx::query_as_with(sql, arguments).fetch_all(&mut **conn).await
        }
    }
    .map_err(crate::Error::from)
}

/// Cuts rows into statements of the fixed sizes.
fn batches(
    marker: Marker,
    head: &'static str,
    tail: &'static str,
    rows: Vec<Vec<Value>>,
) -> Vec<(&'static str, Vec<Value>)> {
    let columns = rows.first().map_or(0, Vec::len);
    let mut left = rows.len();
    let mut rows = rows.into_iter();
    let mut cut = Vec::new();
    while left > 0 {
        let fits = |size: &usize| *size <= left && size * columns <= MAX_PARAMETERS;
        let size = SIZES.into_iter().find(fits).expect("one row always fits");
        let values = rows.by_ref().take(size).flatten().collect();
        cut.push((text(Shape { marker, head, tail, first: 0, columns, rows: size }), values));
        left -= size;
    }
    cut
}

pub(crate) fn arguments<'q, DB: Database>(values: Vec<Value>) -> Result<DB::Arguments>
where
    Option<String>: Encode<'q, DB> + Type<DB>,
    Option<i64>: Encode<'q, DB> + Type<DB>,
    Option<f64>: Encode<'q, DB> + Type<DB>,
    Option<bool>: Encode<'q, DB> + Type<DB>,
    Option<Vec<u8>>: Encode<'q, DB> + Type<DB>,
    DB::Arguments: Arguments<Database = DB>,
{
    let mut out = DB::Arguments::default();
    for value in values {
        match value {
            Value::Text(value) => out.add(value),
            Value::Int(value) => out.add(value),
            Value::Real(value) => out.add(value),
            Value::Bool(value) => out.add(value),
            Value::Bytes(value) => out.add(value),
        }
        .map_err(|error| crate::Error::Statement(sqlx::Error::Encode(error)))?;
    }
    Ok(out)
}

/// How a parameter is written. SQLite looks a numbered parameter's name up in a list of all of them, each time it is bound:
/// thousands in one statement cost more than the rows. Bare ones have no name.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Marker {
    /// `$1`.
    Number,
    /// `?`, in order.
    Bare,
}

fn marker_of(conn: &Conn) -> Marker {
    match conn {
        Conn::Sqlite(_) => Marker::Bare,
        Conn::Postgres(_) => Marker::Number,
    }
}

/// What tells one generated text from another.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Shape {
    marker: Marker,
    head: &'static str,
    tail: &'static str,
    /// Parameters before the first of ours.
    first: usize,
    columns: usize,
    rows: usize,
}

/// The text of a shape, made once. Holds only our own static words and parameter numbers.
fn text(shape: Shape) -> &'static str {
    static TEXTS: LazyLock<Mutex<HashMap<Shape, &'static str>>> = LazyLock::new(Mutex::default);
    let mut texts = TEXTS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    texts.entry(shape).or_insert_with(|| {
        let Shape { marker, head, tail, first, columns, rows } = shape;
        let row = |r: usize| {
            let name = |c: usize| match marker {
                Marker::Number => format!("${}", first + r * columns + c),
                Marker::Bare => "?".to_owned(),
            };
            let names: Vec<String> = (1..=columns).map(name).collect();
            format!("({})", names.join(", "))
        };
        let values = (0..rows).map(row).collect::<Vec<_>>().join(", ");
        let word = if head.trim_end().ends_with("IN") { "" } else { "VALUES " };
        // A handful of texts for the life of the process.
        String::leak(format!("{head} {word}{values} {tail}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_cut_into_a_few_fixed_statements() {
        let rows = vec![vec![Value::from(1_i64), Value::from("a")]; 74];
        let cut = batches(Marker::Number, "INSERT INTO t (a, b)", "", rows);
        let sizes: Vec<usize> = cut.iter().map(|(_, values)| values.len() / 2).collect();
        assert_eq!(sizes, [64, 10]);
        let one = |marker| {
            batches(marker, "INSERT INTO t (a, b)", "", vec![vec![Value::from(1_i64); 2]])[0].0.trim_end()
        };
        assert_eq!(one(Marker::Number), "INSERT INTO t (a, b) VALUES ($1, $2)");
        assert_eq!(one(Marker::Bare), "INSERT INTO t (a, b) VALUES (?, ?)");
        let head = "SELECT a FROM t WHERE b = $1 AND a IN";
        let list = Shape { marker: Marker::Number, head, tail: "", first: 1, columns: 3, rows: 1 };
        assert_eq!(text(list).trim_end(), "SELECT a FROM t WHERE b = $1 AND a IN ($2, $3, $4)");
    }
}
