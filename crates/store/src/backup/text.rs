//! The statements that are made from the schema; all others are fixed texts.

use std::collections::HashSet;
use std::sync::{LazyLock, Mutex, PoisonError};

use super::schema::Table;

/// Every row of a table, in whatever order the engine likes best.
pub(crate) fn select(table: &Table) -> String {
    format!("SELECT {} FROM \"{}\"", table.column_list(), table.name)
}

/// Whether a table has a row.
pub(crate) fn probe(table: &Table) -> String {
    format!("SELECT CAST(1 AS BIGINT) FROM \"{}\" LIMIT 1", table.name)
}

/// The head of an insert for `insert_many`.
pub(crate) fn insert(table: &Table) -> &'static str {
    kept(format!("INSERT INTO \"{}\" ({})", table.name, table.column_list()))
}

/// Keeps a text for the life of the process: there are a few for each table.
pub(crate) fn kept(text: String) -> &'static str {
    static TEXTS: LazyLock<Mutex<HashSet<&'static str>>> = LazyLock::new(Mutex::default);
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = texts.get(text.as_str()) {
        return known;
    }
    let text: &'static str = String::leak(text);
    texts.insert(text);
    text
}
