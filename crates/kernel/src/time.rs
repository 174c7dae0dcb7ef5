//! Instants as integer microseconds and the clock they come from.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An instant: microseconds since 1970-01-01T00:00:00Z. RFC 3339 text in JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Micros(pub i64);

impl Micros {
    /// One second in microseconds.
    pub const SECOND: i64 = 1_000_000;
    /// One day in microseconds.
    pub const DAY: i64 = 86_400 * Self::SECOND;

    /// The instant `micros` later (earlier when negative), held at the ends of the range.
    pub fn plus(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    /// Reads RFC 3339 text with an offset.
    ///
    /// # Errors
    /// A sentence for people when the text is no instant.
    pub fn parse(text: &str) -> Result<Self, String> {
        text.parse::<Timestamp>()
            .map(|t| Self(t.as_microsecond()))
            .map_err(|_| "an instant is RFC 3339 text such as 2026-01-31T12:00:00Z".to_owned())
    }

    fn timestamp(self) -> Timestamp {
        Timestamp::from_microsecond(self.0).unwrap_or(if self.0 < 0 {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        })
    }

    /// RFC 3339 text with exactly three decimals, as health answers carry it.
    pub fn to_millis_text(self) -> String {
        format!("{:.3}", self.timestamp())
    }
}

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.timestamp())
    }
}

impl Serialize for Micros {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Micros {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// Where "now" comes from: the system, or a hand-set instant in tests.
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<AtomicI64>>);

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self(None)
    }

    /// A clock that stands still until [`Clock::advance`]; clones share it.
    pub fn fixed(at: Micros) -> Self {
        Self(Some(Arc::new(AtomicI64::new(at.0))))
    }

    /// The present instant.
    #[allow(clippy::disallowed_methods, reason = "this is the one place that reads the wall clock")]
    pub fn now(&self) -> Micros {
        match &self.0 {
            Some(fixed) => Micros(fixed.load(Ordering::SeqCst)),
            None => Micros(Timestamp::now().as_microsecond()),
        }
    }

    /// Moves a fixed clock; does nothing to the system's.
    pub fn advance(&self, micros: i64) {
        if let Some(fixed) = &self.0 {
            fixed.fetch_add(micros, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_travel_as_rfc_3339() {
        let at = Micros::parse("2026-01-31T13:00:00+01:00").unwrap();
        assert_eq!(at.to_string(), "2026-01-31T12:00:00Z");
        assert_eq!(at.to_millis_text(), "2026-01-31T12:00:00.000Z");
        assert!(Micros::parse("yesterday").is_err());
        assert!(Micros::parse("2026-01-31T12:00:00").is_err(), "an offset is required");
    }
}
