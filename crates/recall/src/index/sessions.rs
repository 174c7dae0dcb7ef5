//! The order of documents inside their sessions.

use std::cmp::Ordering;

use super::doc::Meta;
use super::keys::Keys;

/// One session of an index.
pub(crate) struct Session {
    /// Number of its name.
    pub(crate) name: u32,
    /// Its documents by (`seq`, key).
    pub(crate) docs: Vec<u32>,
    /// Total length of its documents in terms.
    pub(crate) length: u64,
}

/// Sessions by number; a session that loses its last document keeps its place.
#[derive(Default)]
pub(crate) struct Sessions {
    all: Vec<Session>,
    /// Session number + 1 by name number; 0 where the name is not a session's.
    by_name: Vec<u32>,
}

impl Sessions {
    pub(crate) fn all(&self) -> &[Session] {
        &self.all
    }

    pub(crate) fn find(&self, name: u32) -> Option<u32> {
        self.by_name.get(name as usize).copied().unwrap_or(0).checked_sub(1)
    }

    /// Puts a document in its place and returns the session's number.
    pub(crate) fn add(&mut self, name: u32, doc: u32, length: u16, metas: &[Meta], keys: &Keys) -> u32 {
        let session = self.find(name).unwrap_or_else(|| self.open(name));
        self.all[session as usize].length += u64::from(length);
        let docs = &mut self.all[session as usize].docs;
        super::grow(docs, 1);
        let is_last = docs.last().is_none_or(|&last| order(last, doc, metas, keys) == Ordering::Less);
        if is_last {
            docs.push(doc);
        } else {
            let at = docs.partition_point(|&other| order(other, doc, metas, keys) == Ordering::Less);
            docs.insert(at, doc);
        }
        session
    }

    /// Takes a document out of its session.
    pub(crate) fn remove(&mut self, session: u32, doc: u32, length: u16, metas: &[Meta], keys: &Keys) {
        let Session { docs, length: total, .. } = &mut self.all[session as usize];
        *total -= u64::from(length);
        let at = docs.partition_point(|&other| order(other, doc, metas, keys) == Ordering::Less);
        if docs.get(at) == Some(&doc) {
            docs.remove(at);
        }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.all.capacity() * size_of::<Session>()
            + self.all.iter().map(|s| super::heap_bytes(s.docs.capacity() * 4)).sum::<usize>()
            + self.by_name.capacity() * 4
    }

    fn open(&mut self, name: u32) -> u32 {
        let at = name as usize;
        if at >= self.by_name.len() {
            let missing = at + 1 - self.by_name.len();
            super::grow(&mut self.by_name, missing);
            self.by_name.resize(at + 1, 0);
        }
        super::grow(&mut self.all, 1);
        self.all.push(Session { name, docs: Vec::new(), length: 0 });
        self.by_name[at] = self.all.len() as u32;
        self.all.len() as u32 - 1
    }
}

fn order(a: u32, b: u32, metas: &[Meta], keys: &Keys) -> Ordering {
    let seq = |doc: u32| metas[doc as usize].seq;
    seq(a).cmp(&seq(b)).then_with(|| keys.compare(a, b))
}
