//! The tables of a database as it stands, parents before children; nobody keeps a list by hand.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{BackupError, Result};
use crate::{Conn, fetch_all};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// TEXT.
    Text,
    /// BIGINT.
    Int,
    /// DOUBLE PRECISION.
    Real,
    /// BOOLEAN.
    Bool,
    /// BYTEA.
    Bytes,
}

impl Kind {
    fn of(declared: &str) -> Option<Self> {
        match declared {
            "TEXT" => Some(Self::Text),
            "BIGINT" => Some(Self::Int),
            "DOUBLE PRECISION" => Some(Self::Real),
            "BOOLEAN" => Some(Self::Bool),
            "BYTEA" => Some(Self::Bytes),
            _ => None,
        }
    }
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
}

/// A table and its columns in the order of the schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns.
    pub columns: Vec<Column>,
}

impl Table {
    /// The objects of the blob store, carried as if they were rows of a table.
    pub(crate) fn of_objects() -> Self {
        let column = |name: &str, kind| Column { name: name.to_owned(), kind };
        Self {
            name: "objects".to_owned(),
            columns: vec![column("key", Kind::Text), column("bytes", Kind::Bytes)],
        }
    }

    /// The columns that name objects of the blob store.
    pub(crate) fn object_columns(&self) -> impl Iterator<Item = usize> {
        let named = |column: &Column| column.name == "blob_key" || column.name.ends_with("_blob_key");
        self.columns.iter().enumerate().filter(move |(_, column)| named(column)).map(|(index, _)| index)
    }

    /// The column names between commas, quoted.
    pub(crate) fn column_list(&self) -> String {
        let names: Vec<String> = self.columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
        names.join(", ")
    }
}

/// The record of migrations is made by migrating, not by copying.
const MIGRATIONS: &str = "schema_migrations";

const SQLITE_COLUMNS: &str = "SELECT m.name, p.name, upper(p.type)
     FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS p
     WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'
     ORDER BY m.name, p.cid";
const SQLITE_REFERENCES: &str = "SELECT m.name, f.\"table\"
     FROM sqlite_master AS m JOIN pragma_foreign_key_list(m.name) AS f
     WHERE m.type = 'table'";
const POSTGRES_COLUMNS: &str = "SELECT c.table_name::TEXT, c.column_name::TEXT, upper(c.data_type)::TEXT
     FROM information_schema.columns AS c JOIN information_schema.tables AS t USING (table_schema, table_name)
     WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE'
     ORDER BY c.table_name, c.ordinal_position";
const POSTGRES_REFERENCES: &str = "SELECT t.relname::TEXT, f.relname::TEXT
     FROM pg_catalog.pg_constraint AS c JOIN pg_catalog.pg_class AS t ON t.oid = c.conrelid
     JOIN pg_catalog.pg_class AS f ON f.oid = c.confrelid
     JOIN pg_catalog.pg_namespace AS s ON s.oid = t.relnamespace
     WHERE c.contype = 'f' AND s.nspname = current_schema()";

/// Reads every table of the schema, a table after those it refers to.
///
/// # Errors
/// A column of a kind that a backup cannot carry, tables that refer to each other in a circle, or the engine's.
pub async fn tables(conn: &mut Conn) -> Result<Vec<Table>> {
    let (columns, references) = match conn {
        Conn::Sqlite(_) => (SQLITE_COLUMNS, SQLITE_REFERENCES),
        Conn::Postgres(_) => (POSTGRES_COLUMNS, POSTGRES_REFERENCES),
    };
    let rows = fetch_all!(conn, (String, String, String), columns)?;
    let references: Vec<(String, String)> = fetch_all!(conn, (String, String), references)?;
    let mut found: BTreeMap<String, Table> = BTreeMap::new();
    for (table, name, declared) in rows.into_iter().filter(|row| row.0 != MIGRATIONS) {
        let kind = Kind::of(&declared).ok_or_else(|| {
            BackupError::Refused(format!("{table}.{name} is {declared}, which a backup cannot carry"))
        })?;
        let entry = found.entry(table.clone());
        entry
            .or_insert_with(|| Table { name: table, columns: Vec::new() })
            .columns
            .push(Column { name, kind });
    }
    in_order(found, &references)
}

/// Parents first, otherwise by name.
fn in_order(mut left: BTreeMap<String, Table>, references: &[(String, String)]) -> Result<Vec<Table>> {
    let mut ordered = Vec::with_capacity(left.len());
    let mut done = BTreeSet::new();
    while !left.is_empty() {
        let waits = |name: &str| {
            references.iter().any(|(child, parent)| child == name && parent != name && !done.contains(parent))
        };
        let Some(name) = left.keys().find(|name| !waits(name)).cloned() else {
            let names: Vec<&str> = left.keys().map(String::as_str).collect();
            let text = format!("these tables refer to each other in a circle: {}", names.join(", "));
            return Err(BackupError::Refused(text));
        };
        ordered.extend(left.remove(&name));
        done.insert(name);
    }
    Ok(ordered)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ordered(names: &[&str], references: &[(&str, &str)]) -> Result<Vec<String>> {
        let table = |name: &&str| ((*name).to_owned(), Table { name: (*name).to_owned(), columns: vec![] });
        let references: Vec<_> = references.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let tables = in_order(names.iter().map(table).collect(), &references)?;
        Ok(tables.into_iter().map(|table| table.name).collect())
    }

    #[test]
    fn parents_come_first_and_a_circle_is_refused() {
        let names = ["a", "b", "c"];
        assert_eq!(ordered(&names, &[("a", "c"), ("b", "b")]).unwrap(), ["b", "c", "a"]);
        assert!(ordered(&names, &[("a", "b"), ("b", "a")]).unwrap_err().to_string().contains("a, b"));
    }
}
