//! Who speaks in an index, found by any word of the name.

use std::collections::HashMap;

use unicode_segmentation::UnicodeSegmentation;

/// Speakers by the words of their names.
#[derive(Default)]
pub(crate) struct Speakers {
    /// Documents by name number.
    counts: HashMap<u32, u32>,
    by_word: HashMap<Box<str>, Vec<u32>>,
}

impl Speakers {
    /// Counts one more document of a speaker.
    pub(crate) fn add(&mut self, name: u32, text: &str) {
        let count = self.counts.entry(name).or_insert_with(|| {
            for word in words(text) {
                let names = self.by_word.entry(word.into_boxed_str()).or_default();
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            0
        });
        *count += 1;
    }

    /// Counts one document of a speaker less. The name stays known; it is ignored while it counts none.
    pub(crate) fn remove(&mut self, name: u32) {
        if let Some(count) = self.counts.get_mut(&name) {
            *count = count.saturating_sub(1);
        }
    }

    /// Numbers of the names that hold a lower-cased word and have documents.
    pub(crate) fn with_word(&self, word: &str) -> impl Iterator<Item = u32> {
        let names = self.by_word.get(word).map_or(&[][..], Vec::as_slice);
        names.iter().copied().filter(|name| self.counts.get(name).is_some_and(|&n| n > 0))
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        let words: usize = self.by_word.iter().map(|(w, names)| w.len() + names.capacity() * 4).sum();
        self.counts.capacity() * 16 + self.by_word.capacity() * 48 + words
    }
}

/// Lower-cased words of a name.
pub(crate) fn words(name: &str) -> impl Iterator<Item = String> {
    name.unicode_words().map(str::to_lowercase)
}
