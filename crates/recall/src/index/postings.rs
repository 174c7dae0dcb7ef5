//! Which documents hold a term, and how often: one sorted list a term, four bytes a posting.

/// Bits of a posting that hold the count; the rest is the document number (up to 67 million).
const COUNT_BITS: u32 = 6;
const COUNT_MAX: u32 = (1 << COUNT_BITS) - 1;

/// One document of a term with its count, saturated at 63.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Posting(u32);

impl Posting {
    fn new(doc: u32, count: u32) -> Self {
        Self(doc << COUNT_BITS | count.min(COUNT_MAX))
    }

    #[inline]
    pub(crate) fn doc(self) -> u32 {
        self.0 >> COUNT_BITS
    }

    #[inline]
    pub(crate) fn count(self) -> u32 {
        self.0 & COUNT_MAX
    }
}

/// Posting lists by term number.
#[derive(Default)]
pub(crate) struct Postings {
    lists: Vec<Vec<Posting>>,
}

impl Postings {
    /// Adds a document to a term; new documents usually come last, so this is an append.
    pub(crate) fn add(&mut self, term: u32, doc: u32, count: u32) {
        let term = term as usize;
        if term >= self.lists.len() {
            let missing = term + 1 - self.lists.len();
            super::grow(&mut self.lists, missing);
            self.lists.resize_with(term + 1, Vec::new);
        }
        let list = &mut self.lists[term];
        if list.len() == list.capacity() {
            list.reserve_exact((list.len() / 4).max(2));
        }
        let posting = Posting::new(doc, count);
        match list.last() {
            Some(last) if *last > posting => {
                let at = list.partition_point(|p| p.doc() < doc);
                list.insert(at, posting);
            }
            _ => list.push(posting),
        }
    }

    /// Takes a document out of a term.
    pub(crate) fn remove(&mut self, term: u32, doc: u32) {
        let Some(list) = self.lists.get_mut(term as usize) else {
            return;
        };
        if let Ok(at) = list.binary_search_by_key(&doc, |p| p.doc()) {
            list.remove(at);
        }
    }

    pub(crate) fn of(&self, term: u32) -> &[Posting] {
        self.lists.get(term as usize).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.lists.capacity() * size_of::<Vec<Posting>>()
            + self.lists.iter().map(|list| super::heap_bytes(list.capacity() * 4)).sum::<usize>()
    }
}

/// Packs ascending term numbers (counts are in the postings) as variable-length differences.
///
/// Labels follow the words and start over, so a difference is taken modulo 2³².
pub(crate) fn pack_terms(terms: impl Iterator<Item = (u32, u32)>) -> Box<[u8]> {
    let mut out = Vec::with_capacity(64);
    let mut previous = 0_u32;
    for (term, _) in terms {
        let mut rest = term.wrapping_sub(previous);
        previous = term;
        while rest >= 0x80 {
            out.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        out.push(rest as u8);
    }
    out.into_boxed_slice()
}

/// Lists the term numbers packed by [`pack_terms`].
pub(crate) fn unpack_terms(bytes: &[u8]) -> impl Iterator<Item = u32> {
    let (mut term, mut rest, mut shift) = (0_u32, 0_u32, 0);
    bytes.iter().filter_map(move |&byte| {
        rest |= u32::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 != 0 {
            return None;
        }
        term = term.wrapping_add(rest);
        (rest, shift) = (0, 0);
        Some(term)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_stay_sorted_under_any_order() {
        let mut postings = Postings::default();
        for doc in [5, 9, 2, 7] {
            postings.add(3, doc, 100);
        }
        postings.remove(3, 7);
        postings.remove(3, 8);
        let docs: Vec<_> = postings.of(3).iter().map(|p| (p.doc(), p.count())).collect();
        assert_eq!(docs, [(2, 63), (5, 63), (9, 63)]);
        assert!(postings.of(0).is_empty() && postings.of(4).is_empty());
    }

    #[test]
    fn packed_terms_come_back() {
        let terms = [0, 1, 127, 128, 300, 70_000, u32::MAX, 12];
        let packed = pack_terms(terms.iter().map(|&t| (t, 1)));
        assert_eq!(unpack_terms(&packed).collect::<Vec<_>>(), terms);
    }
}
