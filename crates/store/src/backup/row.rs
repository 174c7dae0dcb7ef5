//! One row as one line of JSON, the same on both engines, and the hash of a table that no order of rows changes.

use std::fmt;

use data_encoding::{BASE64, HEXLOWER};
use kernel::TenantId;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::schema::{Kind, Table};
use super::{BackupError, Result};
use crate::Value;

/// A row: a value per column.
pub(crate) type Row = Vec<Value>;

/// Appends the line of a row, without its end.
///
/// Real numbers are texts of the shortest decimals that read back the same, because JSON readers round; bytes are base 64.
pub(crate) fn write_line(row: &Row, out: &mut Vec<u8>) {
    out.push(b'[');
    for (index, value) in row.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_value(value, out);
    }
    out.push(b']');
}

fn write_value(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Text(Some(text)) => serde_json::to_writer(&mut *out, text).expect("a vector takes every byte"),
        Value::Int(Some(number)) => out.extend_from_slice(number.to_string().as_bytes()),
        // SQLite keeps no sign of a zero; adding one takes it off for both engines.
        Value::Real(Some(number)) => out.extend_from_slice(format!("\"{:?}\"", number + 0.0).as_bytes()),
        Value::Bool(Some(flag)) => out.extend_from_slice(if *flag { b"true" } else { b"false" }),
        Value::Bytes(Some(bytes)) => {
            out.push(b'"');
            let start = out.len();
            out.resize(start + BASE64.encode_len(bytes.len()), 0);
            BASE64.encode_mut(bytes, &mut out[start..]);
            out.push(b'"');
        }
        _ => out.extend_from_slice(b"null"),
    }
}

/// Reads a line back.
///
/// # Errors
/// `Damaged` for anything that [`write_line`] does not write for this table.
pub(crate) fn read_line(line: &[u8], table: &Table) -> Result<Row> {
    let unreadable = || BackupError::damaged(format!("a row of {} cannot be read", table.name));
    let values: Vec<Json> = serde_json::from_slice(line).map_err(|_| unreadable())?;
    if values.len() != table.columns.len() {
        return Err(unreadable());
    }
    let columns = values.into_iter().zip(&table.columns);
    columns.map(|(value, column)| read_value(value, column.kind).ok_or_else(unreadable)).collect()
}

fn read_value(value: Json, kind: Kind) -> Option<Value> {
    Some(match (kind, value) {
        (Kind::Text, Json::Null) => Value::Text(None),
        (Kind::Int, Json::Null) => Value::Int(None),
        (Kind::Real, Json::Null) => Value::Real(None),
        (Kind::Bool, Json::Null) => Value::Bool(None),
        (Kind::Bytes, Json::Null) => Value::Bytes(None),
        (Kind::Text, Json::String(text)) => Value::Text(Some(text)),
        (Kind::Int, Json::Number(number)) => Value::Int(Some(number.as_i64()?)),
        (Kind::Real, Json::String(text)) => Value::Real(Some(text.parse().ok()?)),
        (Kind::Bool, Json::Bool(flag)) => Value::Bool(Some(flag)),
        (Kind::Bytes, Json::String(text)) => Value::Bytes(Some(BASE64.decode(text.as_bytes()).ok()?)),
        _ => return None,
    })
}

/// Key and bytes of an object that travels as a row.
pub(crate) fn object(row: Row) -> Result<(String, Vec<u8>)> {
    match <[Value; 2]>::try_from(row) {
        Ok([Value::Text(Some(key)), Value::Bytes(Some(bytes))]) => Ok((key, bytes)),
        _ => Err(BackupError::damaged("an object has no key or no bytes")),
    }
}

/// The tenant in an object's key.
pub(crate) fn object_tenant(key: &str) -> Result<TenantId> {
    let name = key.split('/').next().unwrap_or_default();
    TenantId::parse(name).map_err(|_| BackupError::damaged(format!("`{key}` is no key of an object")))
}

/// How many rows a table has, and the sum of their SHA-256 values modulo 2²⁵⁶: equal for equal rows in any order.
///
/// The sum tells accidents apart, not forgeries; an archive's seal and part hashes are plain SHA-256.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableHash {
    /// Rows.
    pub rows: u64,
    sum: [u64; 4],
}

impl TableHash {
    /// Counts one line in.
    pub(crate) fn add(&mut self, line: &[u8]) {
        let digest = Sha256::digest(line);
        let mut carry = false;
        for (limb, bytes) in self.sum.iter_mut().zip(digest.chunks_exact(8)) {
            let word = u64::from_le_bytes(bytes.try_into().expect("chunks of eight"));
            let (added, over) = limb.overflowing_add(word);
            let (added, over_again) = added.overflowing_add(u64::from(carry));
            (*limb, carry) = (added, over || over_again);
        }
        self.rows += 1;
    }

    /// The sum in hexadecimal.
    pub fn content(&self) -> String {
        HEXLOWER.encode(&self.sum.map(u64::to_be_bytes).concat())
    }
}

impl fmt::Display for TableHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rows, {}", self.rows, self.content())
    }
}

#[cfg(test)]
mod tests {
    use super::super::schema::Column;
    use super::*;

    fn table() -> Table {
        let kinds = [Kind::Text, Kind::Int, Kind::Real, Kind::Bool, Kind::Bytes];
        let columns = kinds.map(|kind| Column { name: format!("{kind:?}"), kind });
        Table { name: "all".to_owned(), columns: columns.to_vec() }
    }

    fn row(text: &str, number: i64, real: f64, flag: bool, bytes: &[u8]) -> Row {
        vec![text.into(), number.into(), real.into(), flag.into(), bytes.to_vec().into()]
    }

    #[test]
    fn every_kind_of_value_reads_back_exactly() {
        let nothing = vec![
            Value::Text(None),
            Value::Int(None),
            Value::Real(None),
            Value::Bool(None),
            Value::Bytes(None),
        ];
        let rows = [
            row("", i64::MIN, f64::MIN_POSITIVE, false, b""),
            row("tab\t quote\" newline\n \u{0} é 漢 🦀 \u{2028}", i64::MAX, -1.5e300, true, &[0, 255, 10]),
            row("x", 9_007_199_254_740_993, 0.1 + 0.2, true, &[7; 100]),
            row("x", 0, f64::INFINITY, true, &[]),
            row("x", 0, 5e-324, true, &[]),
            nothing,
        ];
        for row in rows {
            let mut line = Vec::new();
            write_line(&row, &mut line);
            assert!(!line.contains(&b'\n'), "a row is one line");
            let back = read_line(&line, &table()).unwrap();
            assert_eq!(back, row);
        }
    }

    #[test]
    fn a_zero_has_no_sign() {
        let (mut plus, mut minus) = (Vec::new(), Vec::new());
        write_line(&vec![Value::from(0.0)], &mut plus);
        write_line(&vec![Value::from(-0.0)], &mut minus);
        assert_eq!(plus, minus);
    }

    #[test]
    fn what_does_not_fit_the_table_is_refused() {
        let good = r#"["a",1,"0.5",true,"AA=="]"#;
        assert!(read_line(good.as_bytes(), &table()).is_ok());
        let bad = [
            "",
            "[]",
            "{}",
            r#"["a",1,"0.5",true]"#,
            r#"["a",1,"0.5",true,"AA==",1]"#,
            r#"[1,1,"0.5",true,"AA=="]"#,
            r#"["a",1.5,"0.5",true,"AA=="]"#,
            r#"["a",9223372036854775808,"0.5",true,"AA=="]"#,
            r#"["a",1,0.5,true,"AA=="]"#,
            r#"["a",1,"0.5",1,"AA=="]"#,
            r#"["a",1,"0.5",true,"A"]"#,
        ];
        for line in bad {
            assert!(read_line(line.as_bytes(), &table()).is_err(), "{line}");
        }
    }

    #[test]
    fn the_hash_knows_rows_and_not_their_order() {
        let of = |lines: &[&str]| {
            let mut hash = TableHash::default();
            for line in lines {
                hash.add(line.as_bytes());
            }
            hash
        };
        assert_eq!(of(&["a", "b", "b"]), of(&["b", "a", "b"]));
        assert_ne!(of(&["a", "b"]), of(&["a", "b", "b"]));
        assert_ne!(of(&["a", "b"]).content(), of(&["a", "c"]).content());
        assert_eq!(of(&[]).content(), "0".repeat(64));
    }
}
