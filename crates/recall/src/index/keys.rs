//! Document keys, packed: `prefix_` + 26 base-32 characters take 20 bytes, anything else is kept as text.

use std::cmp::Ordering;
use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::interner::Interner;

const ALPHABETS: [&[u8; 32]; 2] = [b"0123456789abcdefghjkmnpqrstvwxyz", b"abcdefghijklmnopqrstuvwxyz234567"];
const BODY_CHARS: usize = 26;
const AS_TEXT: u8 = u8::MAX;

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Packed {
    /// Number of the alphabet, or [`AS_TEXT`].
    alphabet: u8,
    /// 26 × 5 bits, or the number of the text in its first four bytes.
    body: [u8; 17],
    prefix: u16,
}

/// Keys by document number, and document numbers by key.
#[derive(Default)]
pub(crate) struct Keys {
    packed: Vec<Packed>,
    table: HashTable<u32>,
    prefixes: Interner,
    texts: Interner,
    hasher: DefaultHashBuilder,
}

impl Keys {
    /// The document a key names, if any.
    pub(crate) fn find(&self, key: &str) -> Option<u32> {
        let packed = self.lookup(key)?;
        let hash = self.hasher.hash_one(packed);
        self.table.find(hash, |&doc| self.packed[doc as usize] == packed).copied()
    }

    /// Gives `doc` a key no other document holds; `doc` is at most one past the last.
    pub(crate) fn set(&mut self, doc: u32, key: &str) {
        let packed = self.pack(key);
        if doc as usize == self.packed.len() {
            super::grow(&mut self.packed, 1);
            self.packed.push(packed);
        } else {
            self.packed[doc as usize] = packed;
        }
        let Self { packed: all, table, hasher, .. } = self;
        table.insert_unique(hasher.hash_one(packed), doc, |&d| hasher.hash_one(all[d as usize]));
    }

    /// Takes the key of `doc` out of the lookup; the place may be set again.
    pub(crate) fn unset(&mut self, doc: u32) {
        let hash = self.hasher.hash_one(self.packed[doc as usize]);
        if let Ok(entry) = self.table.find_entry(hash, |&d| d == doc) {
            entry.remove();
        }
    }

    /// The key of a document.
    pub(crate) fn key(&self, doc: u32) -> String {
        let packed = self.packed[doc as usize];
        if packed.alphabet == AS_TEXT {
            let [a, b, c, d, ..] = packed.body;
            return self.texts.get(u32::from_le_bytes([a, b, c, d])).to_owned();
        }
        let alphabet = ALPHABETS[packed.alphabet as usize];
        let prefix = self.prefixes.get(u32::from(packed.prefix));
        let mut out = String::with_capacity(prefix.len() + BODY_CHARS);
        out.push_str(prefix);
        out.extend((0..BODY_CHARS).map(|i| alphabet[five_bits(&packed.body, i)] as char));
        out
    }

    /// The order of two documents' keys as text. Our own ids are told apart as they are packed: among thousands of equal
    /// scores, unpacking each key once a comparison would cost more than the search.
    pub(crate) fn compare(&self, a: u32, b: u32) -> Ordering {
        let [left, right] = [a, b].map(|doc| self.packed[doc as usize]);
        // The first alphabet is in the order of its characters.
        if left.alphabet == 0 && (right.alphabet, right.prefix) == (0, left.prefix) {
            let [left, right] = [left, right].map(|key| key.body.map(u8::reverse_bits));
            return left.cmp(&right);
        }
        self.key(a).cmp(&self.key(b))
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.packed.capacity() * size_of::<Packed>()
            + self.table.allocation_size()
            + self.prefixes.memory_bytes()
            + self.texts.memory_bytes()
    }

    fn lookup(&self, key: &str) -> Option<Packed> {
        match split(key) {
            Some((prefix, alphabet, body)) => {
                let prefix = self.prefixes.find(prefix)? as u16;
                Some(Packed { alphabet, body, prefix })
            }
            None => Some(as_text(self.texts.find(key)?)),
        }
    }

    fn pack(&mut self, key: &str) -> Packed {
        match split(key) {
            Some((prefix, alphabet, body)) => {
                let prefix = self.prefixes.add(prefix) as u16;
                Packed { alphabet, body, prefix }
            }
            None => as_text(self.texts.add(key)),
        }
    }
}

fn as_text(id: u32) -> Packed {
    let mut body = [0; 17];
    body[..4].copy_from_slice(&id.to_le_bytes());
    Packed { alphabet: AS_TEXT, body, prefix: 0 }
}

/// Splits a key into a prefix of at most eight letters with `_`, an alphabet and 130 bits.
fn split(key: &str) -> Option<(&str, u8, [u8; 17])> {
    let at = key.len().checked_sub(BODY_CHARS)?;
    let (prefix, tail) = (key.get(..at)?, key.get(at..)?);
    // Few prefixes exist; the bound keeps a hostile caller from filling their 16-bit number space.
    let is_prefix =
        prefix.len() == 4 && prefix.ends_with('_') && prefix[..3].bytes().all(|b| b.is_ascii_lowercase());
    if !is_prefix {
        return None;
    }
    ALPHABETS.iter().zip(0..).find_map(|(alphabet, number)| {
        let mut body = [0; 17];
        for (i, byte) in tail.bytes().enumerate() {
            let value = alphabet.iter().position(|&b| b == byte)?;
            set_five_bits(&mut body, i, value);
        }
        Some((prefix, number, body))
    })
}

fn five_bits(body: &[u8; 17], i: usize) -> usize {
    let at = i * 5;
    let bytes = [body[at / 8], body.get(at / 8 + 1).copied().unwrap_or(0)];
    let bits = (u16::from_le_bytes(bytes) >> (at % 8)) as u8;
    usize::from(bits.reverse_bits() >> 3)
}

fn set_five_bits(body: &mut [u8; 17], i: usize, value: usize) {
    for bit in 0..5 {
        let at = i * 5 + bit;
        body[at / 8] |= ((value >> (4 - bit) & 1) as u8) << (at % 8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_key_comes_back() {
        let mut keys = Keys::default();
        let all =
            ["chk_01hzy3v7k8m9n0p1q2r3s4t5v6", "mem_abcdefghijklmnopqrstuvw234", "D1:3", "", "chk_x", "日本"];
        for (doc, key) in all.iter().enumerate() {
            keys.set(doc as u32, key);
        }
        for (doc, key) in all.iter().enumerate() {
            assert_eq!((keys.key(doc as u32).as_str(), keys.find(key)), (*key, Some(doc as u32)));
        }
        keys.unset(2);
        assert_eq!((keys.find("D1:3"), keys.find("nothing")), (None, None));
        assert_eq!(size_of::<Packed>(), 20);
    }

    proptest::proptest! {
        #[test]
        fn keys_compare_as_their_texts(texts in proptest::collection::vec("(chk_|mem_|)([0-9a-z]{26}|[0-3a-d]{26}|[a-z2-7]{26}|[0-9a-z]{1,3})", 2..6)) {
            let mut keys = Keys::default();
            let texts: std::collections::BTreeSet<String> = texts.into_iter().collect();
            for (doc, text) in (0..).zip(&texts) {
                keys.set(doc, text);
            }
            for (a, left) in (0..).zip(&texts) {
                for (b, right) in (0..).zip(&texts) {
                    proptest::prop_assert_eq!(keys.compare(a, b), left.cmp(right));
                }
            }
        }
    }
}
