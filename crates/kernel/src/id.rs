//! Identifiers: a prefix, `_`, and 26 lower-case base-32 characters that sort by time.

use std::fmt;
use std::sync::LazyLock;

use data_encoding::{Encoding, Specification};
use serde::{Deserialize, Serialize};

use crate::time::Micros;

/// Base 32 in lower case without `i l o u`, so that ids survive being read aloud (Crockford's alphabet).
pub static BASE32: LazyLock<Encoding> = LazyLock::new(|| {
    let mut spec = Specification::new();
    spec.symbols.push_str("0123456789abcdefghjkmnpqrstvwxyz");
    spec.encoding().expect("the alphabet has 32 different symbols")
});

/// Makes an id such as `evt_01k9…`: 48 bits of milliseconds, then 80 random bits.
pub fn new_id(prefix: &str, now: Micros) -> String {
    let millis = (now.0 / 1_000).max(0) as u64;
    let mut raw = [0_u8; 16];
    raw[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    raw[6..].copy_from_slice(&crate::random::bytes::<10>());
    from_bits(prefix, u128::from_be_bytes(raw))
}

/// The characters of an id, the value of each its place.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Writes 128 bits as an id: the same bits, the same id. 128 bits are 25.6 characters; two leading zero bits make 26 that
/// keep the byte order.
pub fn from_bits(prefix: &str, bits: u128) -> String {
    let mut out = String::with_capacity(prefix.len() + 27);
    out.push_str(prefix);
    out.push('_');
    for position in (0..26).rev() {
        out.push(char::from(DIGITS[((bits >> (position * 5)) & 31) as usize]));
    }
    out
}

/// The id of the `n`-th thing that is made from `id`: making it again makes the same. It sorts by the time of `id`.
pub fn derived(prefix: &str, id: &str, n: u64) -> String {
    /// Odd, so that no two of the 2^80 places fall together.
    const STEP: u128 = 0x9e37_79b9_7f4a_7c15_f39d;
    const RANDOM: u128 = (1 << 80) - 1;
    let digits = id.rsplit_once('_').map_or(id, |(_, digits)| digits);
    let value = |digit: u8| DIGITS.iter().position(|known| *known == digit).unwrap_or(0) as u128;
    let bits = digits.bytes().fold(0_u128, |bits, digit| (bits << 5) | value(digit));
    let low = (bits & RANDOM).wrapping_add(STEP.wrapping_mul(u128::from(n) + 1)) & RANDOM;
    from_bits(prefix, (bits & !RANDOM) | low)
}

/// Tells whether `text` has the form of an id with `prefix`: 26 base-32 characters, or the 16 hexadecimal
/// ones that imported rows keep.
pub fn is_id(prefix: &str, text: &str) -> bool {
    let Some(rest) = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_')) else {
        return false;
    };
    let base32 = |b: u8| DIGITS.contains(&b);
    match rest.len() {
        26 => rest.bytes().all(base32),
        16 => rest.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()),
        _ => false,
    }
}

/// The name of a tenant: 1–64 characters of `a-z 0-9 - _`, beginning with a letter or digit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TenantId(String);

impl TenantId {
    /// Checks a name and wraps it.
    ///
    /// # Errors
    /// The rule that the text breaks, as a sentence for people.
    pub fn parse(text: &str) -> Result<Self, String> {
        let first_ok = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let rest_ok =
            text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
        if first_ok && rest_ok && text.len() <= 64 {
            return Ok(Self(text.to_owned()));
        }
        Err("a tenant is named by 1 to 64 characters of a-z, 0-9, - and _, beginning with a letter or digit"
            .to_owned())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for TenantId {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl From<TenantId> for String {
    fn from(id: TenantId) -> Self {
        id.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_have_their_form() {
        let early = new_id("evt", Micros(1_000_000_000_000_000));
        let late = new_id("evt", Micros(1_000_000_000_001_000));
        assert!(early < late, "{early} < {late}");
        assert_eq!(early.len(), 4 + 26);
        assert!(is_id("evt", &early) && !is_id("chk", &early));
        assert!(is_id("evt", "evt_0123456789abcdef"));
        for bad in ["evt_", "evt", "evt_0123", "evt_0123456789ABCDEF", "EVT_0123456789abcdef"] {
            assert!(!is_id("evt", bad), "{bad}");
        }
    }

    #[test]
    fn what_is_derived_is_the_same_each_time_and_sorts_with_its_origin() {
        let now = Micros(1_000_000_000_000_000);
        for id in [new_id("evt", now), "evt_0123456789abcdef".to_owned()] {
            let all: std::collections::BTreeSet<String> = (0..300).map(|n| derived("chk", &id, n)).collect();
            assert_eq!(all.len(), 300);
            assert!(all.iter().all(|one| is_id("chk", one)), "{all:?}");
            assert_eq!(derived("chk", &id, 7), derived("chk", &id, 7));
        }
        let (id, later) = (new_id("evt", now), new_id("chk", now.plus(1_000)));
        assert_eq!(derived("chk", &id, 0)[4..13], id[4..13]);
        assert!(derived("chk", &id, 255) < later);
    }

    #[test]
    fn tenant_names_refuse_what_could_be_mistaken() {
        assert!(TenantId::parse("acme-2").is_ok());
        for bad in ["", "-a", "Acme", "a b", "a/b", "ä", &"x".repeat(65)] {
            assert!(TenantId::parse(bad).is_err(), "{bad}");
        }
    }
}
