//! Strings kept once, named by small numbers.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

/// A growing set of strings; each gets the next number, starting at 0. Numbers are never reused.
#[derive(Default)]
pub(crate) struct Interner {
    bytes: Vec<u8>,
    ends: Vec<u32>,
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Interner {
    /// The string behind a number; empty for a number never given.
    pub(crate) fn get(&self, id: u32) -> &str {
        std::str::from_utf8(slice(&self.bytes, &self.ends, id)).unwrap_or_default()
    }

    /// The number of a string, if it was added.
    pub(crate) fn find(&self, text: &str) -> Option<u32> {
        let hash = self.hasher.hash_one(text.as_bytes());
        self.table.find(hash, |&id| slice(&self.bytes, &self.ends, id) == text.as_bytes()).copied()
    }

    /// The number of a string, added now if it is new.
    pub(crate) fn add(&mut self, text: &str) -> u32 {
        if let Some(id) = self.find(text) {
            return id;
        }
        let id = self.ends.len() as u32;
        super::grow(&mut self.bytes, text.len());
        self.bytes.extend_from_slice(text.as_bytes());
        super::grow(&mut self.ends, 1);
        self.ends.push(self.bytes.len() as u32);
        let Self { bytes, ends, table, hasher } = self;
        let hash = hasher.hash_one(text.as_bytes());
        table.insert_unique(hash, id, |&other| hasher.hash_one(slice(bytes, ends, other)));
        id
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * 4 + self.table.allocation_size()
    }
}

fn slice<'a>(bytes: &'a [u8], ends: &[u32], id: u32) -> &'a [u8] {
    let id = id as usize;
    let from = if id == 0 { 0 } else { ends.get(id - 1).copied().unwrap_or(0) };
    let to = ends.get(id).copied().unwrap_or(from);
    bytes.get(from as usize..to as usize).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_kept_once() {
        let mut names = Interner::default();
        assert_eq!((names.add("ann"), names.add(""), names.add("ann")), (0, 1, 0));
        assert_eq!((names.get(0), names.get(1), names.get(9)), ("ann", "", ""));
        assert_eq!((names.find("ann"), names.find("bob")), (Some(0), None));
    }
}
