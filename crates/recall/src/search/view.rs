//! Several indexes seen as one corpus: one numbering of documents and sessions, one set of statistics.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;

use crate::index::{Index, Meta, Posting};
use crate::query::Filter;

/// Marks the absence of a document.
pub(crate) const NONE: u32 = u32::MAX;

/// Indexes laid end to end; document `d` of index `i` is `offsets[i] + d`.
pub(crate) struct View<'a> {
    pub(crate) indexes: &'a [&'a Index],
    offsets: Vec<u32>,
    slots: usize,
    /// Session of each document in the common numbering.
    pub(crate) session_of: Cow<'a, [u32]>,
    /// Length of each document in terms.
    pub(crate) length_of: Cow<'a, [u16]>,
    /// Where each common session lies: (index, its number there).
    homes: Vec<Vec<(u32, u32)>>,
    sessions: usize,
    /// Documents that may be returned; `None` when all may.
    readable: Option<Vec<bool>>,
}

impl<'a> View<'a> {
    pub(crate) fn new(indexes: &'a [&'a Index], filter: &Filter<'_>) -> Self {
        let mut offsets = Vec::with_capacity(indexes.len());
        let mut slots = 0;
        for index in indexes {
            offsets.push(slots as u32);
            slots += index.slots();
        }
        let mut view = Self {
            indexes,
            offsets,
            slots,
            session_of: Cow::Borrowed(&[]),
            length_of: Cow::Borrowed(&[]),
            homes: Vec::new(),
            sessions: 0,
            readable: None,
        };
        if let [index] = indexes {
            view.session_of = Cow::Borrowed(index.session_of());
            view.length_of = Cow::Borrowed(index.length_of());
            view.sessions = index.sessions().len();
        } else {
            view.join();
        }
        view.readable = view.filter(filter);
        view
    }

    /// Sessions of the same name in several indexes are one session.
    fn join(&mut self) {
        let mut by_name: HashMap<&str, u32> = HashMap::new();
        let mut session_of = Vec::with_capacity(self.slots);
        for (i, index) in self.indexes.iter().enumerate() {
            let mut common = Vec::with_capacity(index.sessions().len());
            for (local, session) in index.sessions().iter().enumerate() {
                let number = *by_name.entry(index.name(session.name)).or_insert_with(|| {
                    self.homes.push(Vec::new());
                    self.homes.len() as u32 - 1
                });
                self.homes[number as usize].push((i as u32, local as u32));
                common.push(number);
            }
            session_of
                .extend(index.session_of().iter().map(|&s| common.get(s as usize).copied().unwrap_or(0)));
        }
        self.sessions = self.homes.len();
        self.session_of = Cow::Owned(session_of);
        self.length_of = Cow::Owned(self.indexes.iter().flat_map(|i| i.length_of()).copied().collect());
    }

    fn filter(&self, filter: &Filter<'_>) -> Option<Vec<bool>> {
        if *filter == Filter::default() {
            return None;
        }
        let mut readable = Vec::with_capacity(self.slots);
        for index in self.indexes {
            // A name no document bears matches none.
            let agents: Vec<u32> = filter.agents.iter().filter_map(|name| index.find_name(name)).collect();
            let session = filter.session.map(|name| index.session_named(name).unwrap_or(NONE));
            let mut mask: Vec<bool> = (0..index.slots() as u32)
                .map(|id| {
                    let meta = index.meta(id);
                    (filter.agents.is_empty() || agents.contains(&meta.agent))
                        && session.is_none_or(|s| s == index.session_of()[id as usize])
                        && filter.kinds.is_none_or(|kinds| kinds >> (meta.kind & 63) & 1 == 1)
                        && filter.after_us.is_none_or(|t| meta.occurred_at_us >= t)
                        && filter.before_us.is_none_or(|t| meta.occurred_at_us < t)
                })
                .collect();
            if !filter.any_label.is_empty() {
                keep_labelled(index, filter.any_label, &mut mask);
            }
            for label in filter.all_labels {
                keep_labelled(index, &[label], &mut mask);
            }
            for posting in filter.no_label.iter().flat_map(|label| index.label_postings(label)) {
                mask[posting.doc() as usize] = false;
            }
            readable.append(&mut mask);
        }
        Some(readable)
    }

    /// Number of document places, free ones included.
    pub(crate) fn slots(&self) -> usize {
        self.slots
    }

    /// Number of sessions, emptied ones included.
    pub(crate) fn sessions(&self) -> usize {
        self.sessions
    }

    /// Number of sessions that hold a document.
    pub(crate) fn live_sessions(&self) -> usize {
        let has_docs = |i: u32, s: u32| !self.indexes[i as usize].sessions()[s as usize].docs.is_empty();
        match self.indexes {
            [index] => index.sessions().iter().filter(|s| !s.docs.is_empty()).count(),
            _ => self.homes.iter().filter(|home| home.iter().any(|&(i, s)| has_docs(i, s))).count(),
        }
    }

    pub(crate) fn live(&self) -> usize {
        self.indexes.iter().map(|i| i.len()).sum()
    }

    pub(crate) fn total_length(&self) -> u64 {
        self.indexes.iter().map(|i| i.total_length()).sum()
    }

    #[inline]
    pub(crate) fn is_readable(&self, doc: u32) -> bool {
        self.readable.as_ref().is_none_or(|mask| mask[doc as usize])
    }

    /// Which documents may be returned; `None` when all may.
    pub(crate) fn mask(&self) -> Option<&[bool]> {
        self.readable.as_deref()
    }

    /// Posting lists of a term with the offset of their documents.
    pub(crate) fn postings<'b>(&'b self, term: &'b str) -> impl Iterator<Item = (u32, &'b [Posting])> + 'b {
        self.indexes.iter().zip(&self.offsets).map(move |(index, &offset)| (offset, index.postings(term)))
    }

    /// Indexes with the offset of their documents.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (u32, &Index)> {
        self.offsets.iter().copied().zip(self.indexes.iter().copied())
    }

    /// Fills `out` with the readable documents of a session in order.
    pub(crate) fn session_docs(&self, session: u32, out: &mut Vec<u32>) {
        out.clear();
        if let [index] = self.indexes {
            out.extend_from_slice(&index.sessions()[session as usize].docs);
        } else {
            let homes = &self.homes[session as usize];
            for &(i, local) in homes {
                let offset = self.offsets[i as usize];
                let docs = &self.indexes[i as usize].sessions()[local as usize].docs;
                out.extend(docs.iter().map(|&d| d + offset));
            }
            if homes.len() > 1 {
                out.sort_by_cached_key(|&d| (self.meta(d).seq, self.key(d)));
            }
        }
        if self.readable.is_some() {
            out.retain(|&d| self.is_readable(d));
        }
    }

    /// Total length in terms of all documents of a session.
    pub(crate) fn session_length(&self, session: u32) -> u64 {
        let length = |i: usize, s: u32| self.indexes[i].sessions()[s as usize].length;
        match self.indexes {
            [_] => length(0, session),
            _ => self.homes[session as usize].iter().map(|&(i, s)| length(i as usize, s)).sum(),
        }
    }

    pub(crate) fn meta(&self, doc: u32) -> &'a Meta {
        let (index, id) = self.locate(doc);
        index.meta(id)
    }

    pub(crate) fn key(&self, doc: u32) -> String {
        let (index, id) = self.locate(doc);
        index.key(id)
    }

    /// The order of two documents' keys as text.
    pub(crate) fn compare_keys(&self, a: u32, b: u32) -> Ordering {
        let ((home, left), (other, right)) = (self.locate(a), self.locate(b));
        if std::ptr::eq(home, other) {
            home.compare_keys(left, right)
        } else {
            home.key(left).cmp(&other.key(right))
        }
    }

    pub(crate) fn speaker(&self, doc: u32) -> &'a str {
        let (index, id) = self.locate(doc);
        index.name(index.meta(id).speaker)
    }

    pub(crate) fn locate(&self, doc: u32) -> (&'a Index, u32) {
        let i = self.offsets.partition_point(|&o| o <= doc) - 1;
        (self.indexes[i], doc - self.offsets[i])
    }
}

fn keep_labelled(index: &Index, labels: &[&str], mask: &mut [bool]) {
    let mut has = vec![false; mask.len()];
    for posting in labels.iter().flat_map(|label| index.label_postings(label)) {
        has[posting.doc() as usize] = true;
    }
    mask.iter_mut().zip(has).for_each(|(m, h)| *m &= h);
}
