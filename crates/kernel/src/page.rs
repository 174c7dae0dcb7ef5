//! Paging by key: a limit and an opaque cursor.

use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// A position in a list, opaque to callers: JSON of the last row's key in base 64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(String);

impl Cursor {
    /// Wraps the key of the last row of a page.
    pub fn of<K: Serialize>(key: &K) -> Self {
        let json = serde_json::to_vec(key).expect("a key is plain data");
        Self(BASE64URL_NOPAD.encode(&json))
    }

    /// Reads the key back.
    ///
    /// # Errors
    /// `validation_failed` for text that we did not make.
    pub fn key<K: DeserializeOwned>(text: &str) -> Result<K> {
        let bad = || Error::field("cursor", "is not one of ours; take next_cursor of the page before");
        let json = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| bad())?;
        serde_json::from_slice(&json).map_err(|_| bad())
    }
}

impl From<Cursor> for String {
    fn from(cursor: Cursor) -> Self {
        cursor.0
    }
}

/// What a caller asks for: `limit` rows (checked by `httpkit`) after `cursor`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// Rows, 1–200.
    pub limit: u32,
    /// Where the page before ended.
    pub cursor: Option<String>,
}

/// Rows and where the next page begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Pass it back as `cursor`; absent on the last page.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Cuts a page from `rows`, which were asked for with one more than `limit` so that the end is known.
    pub fn cut<K: Serialize>(mut rows: Vec<T>, limit: u32, key: impl Fn(&T) -> K) -> Self {
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next_cursor = rows.last().filter(|_| more).map(|row| Cursor::of(&key(row)).into());
        Self { items: rows, next_cursor }
    }

    /// Turns each row into another form.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(f).collect(), next_cursor: self.next_cursor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_knows_whether_more_follows() {
        let page = Page::cut(vec![1, 2, 3], 2, |n| *n);
        assert_eq!(page.items, [1, 2]);
        let cursor = page.next_cursor.unwrap();
        assert_eq!(Cursor::key::<i32>(&cursor).unwrap(), 2);
        assert_eq!(Page::cut(vec![1, 2], 2, |n| *n).next_cursor, None);
        assert_eq!(Cursor::key::<i32>("nonsense!").unwrap_err().code, "validation_failed");
    }
}
