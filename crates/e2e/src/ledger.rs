//! What was acknowledged against what is stored.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The ids of all events that a server said it has stored.
#[derive(Debug, Default)]
pub struct Ledger {
    acknowledged: BTreeSet<String>,
}

/// The differences between a ledger and a table.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Acknowledged and not stored.
    pub lost: Vec<String>,
    /// Stored more than once, acknowledged or not.
    pub doubled: Vec<String>,
}

impl Ledger {
    /// Notes ids that an answer acknowledged.
    pub fn acknowledge(&mut self, ids: impl IntoIterator<Item = String>) {
        self.acknowledged.extend(ids);
    }

    /// How many events were acknowledged.
    pub fn count(&self) -> usize {
        self.acknowledged.len()
    }

    /// Compares with `stored`: how often each id stands in the table.
    /// An event that is stored without acknowledgement is no fault: the answer was lost on the way.
    pub fn check(&self, stored: &BTreeMap<String, u64>) -> Findings {
        let lost = self.acknowledged.iter().filter(|id| !stored.contains_key(*id)).cloned().collect();
        let doubled = stored.iter().filter(|(_, count)| **count > 1).map(|(id, _)| id.clone()).collect();
        Findings { lost, doubled }
    }
}

/// The value below which `share` (0–1) of the values lie, by nearest rank; zero when there are none.
pub fn percentile(values: &[Duration], share: f64) -> Duration {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(rows: &[(&str, u64)]) -> BTreeMap<String, u64> {
        rows.iter().map(|(id, count)| ((*id).to_owned(), *count)).collect()
    }

    fn ledger(ids: &[&str]) -> Ledger {
        let mut ledger = Ledger::default();
        ledger.acknowledge(ids.iter().map(|id| (*id).to_owned()));
        ledger
    }

    #[test]
    fn equal_books_have_no_findings() {
        let findings = ledger(&["a", "b"]).check(&stored(&[("a", 1), ("b", 1), ("unanswered", 1)]));
        assert_eq!(findings, Findings::default());
    }

    #[test]
    fn a_planted_loss_is_found() {
        let findings = ledger(&["a", "b"]).check(&stored(&[("a", 1)]));
        assert_eq!(findings.lost, ["b"]);
    }

    #[test]
    fn a_planted_double_is_found_even_unacknowledged() {
        let findings = ledger(&["a"]).check(&stored(&[("a", 2), ("unanswered", 3)]));
        assert_eq!(findings.doubled, ["a", "unanswered"]);
    }

    #[test]
    fn percentiles_are_nearest_rank() {
        let values: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(percentile(&values, 0.50), Duration::from_millis(50));
        assert_eq!(percentile(&values, 0.99), Duration::from_millis(99));
        assert_eq!(percentile(&[], 0.5), Duration::ZERO);
    }
}
