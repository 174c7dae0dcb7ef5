//! What a search reads of an index; document numbers run from 0 to `slots()`, some of them free.

use std::cmp::Ordering;

use super::vectors::Matrix;
use super::{Index, Meta, Posting, Session, label_term, speakers};
use crate::text::Tokeniser;

impl Index {
    pub(crate) fn slots(&self) -> usize {
        self.metas.len()
    }

    pub(crate) fn total_length(&self) -> u64 {
        self.total_length
    }

    pub(crate) fn tokeniser(&self) -> &Tokeniser {
        &self.tokeniser
    }

    pub(crate) fn meta(&self, id: u32) -> &Meta {
        &self.metas[id as usize]
    }

    pub(crate) fn key(&self, id: u32) -> String {
        self.keys.key(id)
    }

    pub(crate) fn compare_keys(&self, a: u32, b: u32) -> Ordering {
        self.keys.compare(a, b)
    }

    pub(crate) fn name(&self, id: u32) -> &str {
        self.names.get(id)
    }

    pub(crate) fn find_name(&self, name: &str) -> Option<u32> {
        self.names.find(name)
    }

    pub(crate) fn postings(&self, term: &str) -> &[Posting] {
        self.terms.find(term).map_or(&[], |id| self.postings.of(id))
    }

    /// Whether any document has a label.
    pub fn has_label(&self, label: &str) -> bool {
        !self.label_postings(label).is_empty()
    }

    pub(crate) fn label_postings(&self, label: &str) -> &[Posting] {
        self.postings(&label_term(label))
    }

    pub(crate) fn session_of(&self) -> &[u32] {
        &self.session_of
    }

    pub(crate) fn length_of(&self) -> &[u16] {
        &self.length_of
    }

    pub(crate) fn sessions(&self) -> &[Session] {
        self.sessions.all()
    }

    pub(crate) fn session_named(&self, name: &str) -> Option<u32> {
        self.sessions.find(self.names.find(name)?)
    }

    pub(crate) fn vectors(&self) -> &Matrix {
        &self.vectors
    }

    /// Names, by number, of which `word` (lower case) is a word and whose bearers speak here.
    pub(crate) fn speakers_with(&self, word: &str) -> impl Iterator<Item = u32> {
        self.speakers.with_word(word)
    }

    /// Number of words in a speaker's name.
    pub(crate) fn name_words(&self, name: u32) -> usize {
        speakers::words(self.names.get(name)).count()
    }
}
