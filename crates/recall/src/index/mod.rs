//! One partition in RAM: postings, lengths, session order, vectors. Texts stay with the caller.

mod doc;
mod interner;
mod keys;
mod postings;
mod read;
mod sessions;
mod speakers;
mod vectors;

use crate::quant::Vector;
use crate::text::{Language, Tokeniser, date_words};

pub use doc::Doc;
pub(crate) use doc::Meta;
use interner::Interner;
use keys::Keys;
pub(crate) use postings::Posting;
use postings::Postings;
pub(crate) use sessions::Session;
use sessions::Sessions;
use speakers::Speakers;
use vectors::Matrix;

/// Why a vector was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VectorError {
    /// No document has the key.
    #[error("attaching a vector to a document that is not indexed")]
    UnknownKey,
    /// The vectors of an index have one dimension; the first one sets it.
    #[error("attaching a vector of dimension {got} to an index of dimension {expected}")]
    Dimension {
        /// Dimension of the vectors already there.
        expected: usize,
        /// Dimension of the one refused.
        got: usize,
    },
}

/// Documents of one partition, ready to be searched. See the crate page for an example.
///
/// All changes are exact: after any sequence of them the index ranks like one built afresh from what is left.
pub struct Index {
    tokeniser: Tokeniser,
    keys: Keys,
    terms: Interner,
    names: Interner,
    postings: Postings,
    sessions: Sessions,
    speakers: Speakers,
    metas: Vec<Meta>,
    /// Session and length of each document, apart from [`Meta`] because every query reads them all.
    session_of: Vec<u32>,
    length_of: Vec<u16>,
    vectors: Matrix,
    free: Vec<u32>,
    total_length: u64,
    live: usize,
}

impl Default for Index {
    fn default() -> Self {
        Self::new(Language::English)
    }
}

impl Index {
    /// Creates an empty index; all indexes searched together should share the language.
    pub fn new(language: Language) -> Self {
        Self {
            tokeniser: Tokeniser::new(language),
            keys: Keys::default(),
            terms: Interner::default(),
            names: Interner::default(),
            postings: Postings::default(),
            sessions: Sessions::default(),
            speakers: Speakers::default(),
            metas: Vec::new(),
            session_of: Vec::new(),
            length_of: Vec::new(),
            vectors: Matrix::default(),
            free: Vec::new(),
            total_length: 0,
            live: 0,
        }
    }

    /// Adds a document, or replaces the one with the same key. A replaced document loses its vector.
    ///
    /// Costs time linear in the text; a replacement also shifts the postings of its terms.
    pub fn upsert(&mut self, doc: &Doc<'_>) {
        self.remove(doc.key);
        let id = self.free.pop().unwrap_or(self.metas.len() as u32);
        let (counts, length) = self.count_terms(doc);
        for &(term, count) in &counts {
            self.postings.add(term, id, count);
        }
        let mut labels: Vec<_> = doc.labels.iter().map(|l| (self.terms.add(&label_term(l)), 0)).collect();
        labels.sort_unstable();
        labels.dedup();
        for &(term, count) in &labels {
            self.postings.add(term, id, count);
        }
        let session = self.names.add(doc.session);
        let speaker = self.names.add(doc.speaker);
        self.speakers.add(speaker, doc.speaker);
        self.keys.set(id, doc.key);
        let meta = Meta {
            terms: postings::pack_terms(counts.into_iter().chain(labels)),
            occurred_at_us: doc.occurred_at_us,
            seq: doc.seq,
            speaker,
            agent: self.names.add(doc.agent),
            kind: doc.kind,
            is_live: true,
        };
        self.place(id, meta, length);
        let session = self.sessions.add(session, id, length, &self.metas, &self.keys);
        self.session_of[id as usize] = session;
        self.total_length += u64::from(length);
        self.live += 1;
    }

    /// Removes a document and its vector; tells whether it was there.
    pub fn remove(&mut self, key: &str) -> bool {
        let Some(id) = self.keys.find(key) else {
            return false;
        };
        let slot = id as usize;
        for term in postings::unpack_terms(&self.metas[slot].terms) {
            self.postings.remove(term, id);
        }
        self.sessions.remove(self.session_of[slot], id, self.length_of[slot], &self.metas, &self.keys);
        self.speakers.remove(self.metas[slot].speaker);
        self.keys.unset(id);
        self.vectors.clear(id);
        self.total_length -= u64::from(self.length_of[slot]);
        self.metas[slot].is_live = false;
        self.metas[slot].terms = Box::default();
        self.length_of[slot] = 0;
        self.free.push(id);
        self.live -= 1;
        true
    }

    /// Attaches the sentence vector of a document, replacing an earlier one.
    ///
    /// # Errors
    /// [`VectorError`] when no document has the key, or the dimension is not that of the vectors already there.
    pub fn set_vector(&mut self, key: &str, vector: &Vector) -> Result<(), VectorError> {
        let id = self.keys.find(key).ok_or(VectorError::UnknownKey)?;
        self.vectors.set(id, vector)
    }

    /// Tells whether a document has the key.
    pub fn contains(&self, key: &str) -> bool {
        self.keys.find(key).is_some()
    }

    /// Number of documents.
    pub fn len(&self) -> usize {
        self.live
    }

    /// Tells whether there is no document.
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// Number of documents without a vector; they take part by their words.
    pub fn missing_vectors(&self) -> usize {
        self.live - self.vectors.count()
    }

    /// Bytes of RAM this index holds on the heap, spare room included.
    pub fn memory_bytes(&self) -> usize {
        self.keys.memory_bytes()
            + self.terms.memory_bytes()
            + self.names.memory_bytes()
            + self.postings.memory_bytes()
            + self.sessions.memory_bytes()
            + self.speakers.memory_bytes()
            + self.vectors.memory_bytes()
            + self.metas.capacity() * size_of::<Meta>()
            + self.metas.iter().map(|m| heap_bytes(m.terms.len())).sum::<usize>()
            + self.session_of.capacity() * 4
            + self.length_of.capacity() * 2
            + self.free.capacity() * 4
    }

    /// Term numbers with their counts, ascending, and the length of the document in terms.
    fn count_terms(&mut self, doc: &Doc<'_>) -> (Vec<(u32, u32)>, u16) {
        let Self { tokeniser, terms, .. } = self;
        let mut found: Vec<u32> = Vec::with_capacity(48);
        let date = date_words(doc.occurred_at_us);
        let fields = [doc.speaker, doc.text].into_iter().chain(doc.extra.iter().copied());
        for field in fields.chain(doc.with_date.then_some(date.as_str())) {
            tokeniser.for_each(field, &mut |term, _, _| found.push(terms.add(term)));
        }
        let length = found.len().min(usize::from(u16::MAX)) as u16;
        found.sort_unstable();
        let counts = found.chunk_by(|a, b| a == b).map(|run| (run[0], run.len() as u32)).collect();
        (counts, length)
    }

    fn place(&mut self, id: u32, meta: Meta, length: u16) {
        let slot = id as usize;
        if slot == self.metas.len() {
            grow(&mut self.metas, 1);
            grow(&mut self.session_of, 1);
            grow(&mut self.length_of, 1);
            self.metas.push(meta);
            self.session_of.push(0);
            self.length_of.push(length);
        } else {
            self.metas[slot] = meta;
            self.length_of[slot] = length;
        }
    }
}

/// A label shares the term table but can never meet a word: no word starts with this control character.
fn label_term(label: &str) -> String {
    format!("\u{1}{label}")
}

/// Makes room for `extra` more items with an eighth to spare: amortised like doubling, a quarter of the waste.
fn grow<T>(items: &mut Vec<T>, extra: usize) {
    if items.capacity() - items.len() < extra {
        items.reserve_exact(extra.max(items.len() / 8).max(4));
    }
}

/// Heap bytes of an allocation of `len` bytes: allocators round up and keep a word of their own.
fn heap_bytes(len: usize) -> usize {
    if len == 0 { 0 } else { (len + 8).next_multiple_of(16) }
}
