//! Latencies of the last five minutes, in slots of ten seconds: bounded memory, however many requests.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Length of a slot.
const SLOT: Duration = Duration::from_secs(10);
/// Slots kept: five minutes.
const SLOTS: usize = 30;
/// Buckets between 0.1 ms and 100 s; each is 8 % wider than the one before, which bounds the error of a percentile.
const BUCKETS: usize = 180;
const GROWTH: f64 = 1.08;
const FIRST_MS: f64 = 0.1;

struct Slot {
    began: Instant,
    counts: [u32; BUCKETS],
    count: u64,
    sum_ms: f64,
}

/// A sliding window of latencies.
#[derive(Default)]
pub(crate) struct Window(VecDeque<Slot>);

/// What a window holds, in ms; all 0 when it holds nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Summary {
    /// Requests.
    pub(crate) count: u64,
    /// Mean.
    pub(crate) avg: f64,
    /// Percentiles.
    pub(crate) p50: f64,
    /// See `p50`.
    pub(crate) p95: f64,
    /// See `p50`.
    pub(crate) p99: f64,
}

impl Window {
    /// Adds one latency.
    pub(crate) fn add(&mut self, now: Instant, ms: f64) {
        self.forget(now);
        if self.0.back().is_none_or(|slot| now.duration_since(slot.began) >= SLOT) {
            self.0.push_back(Slot { began: now, counts: [0; BUCKETS], count: 0, sum_ms: 0.0 });
        }
        if let Some(slot) = self.0.back_mut() {
            let bucket = ((ms / FIRST_MS).max(1.0).ln() / GROWTH.ln()) as usize;
            slot.counts[bucket.min(BUCKETS - 1)] += 1;
            slot.count += 1;
            slot.sum_ms += ms;
        }
    }

    /// Sums the window up.
    pub(crate) fn summary(&mut self, now: Instant) -> Summary {
        self.forget(now);
        let count: u64 = self.0.iter().map(|slot| slot.count).sum();
        if count == 0 {
            return Summary::default();
        }
        let percentile = |share: f64| {
            let rank = (count as f64 * share).ceil().max(1.0) as u64;
            let mut seen = 0;
            let reached = (0..BUCKETS).find(|bucket| {
                seen += self.0.iter().map(|slot| u64::from(slot.counts[*bucket])).sum::<u64>();
                seen >= rank
            });
            FIRST_MS * GROWTH.powf(reached.unwrap_or(BUCKETS - 1) as f64 + 0.5)
        };
        let avg = self.0.iter().map(|slot| slot.sum_ms).sum::<f64>() / count as f64;
        Summary { count, avg, p50: percentile(0.5), p95: percentile(0.95), p99: percentile(0.99) }
    }

    fn forget(&mut self, now: Instant) {
        while self.0.front().is_some_and(|slot| now.duration_since(slot.began) >= SLOT * SLOTS as u32) {
            self.0.pop_front();
        }
    }
}

/// Two totals as they stood when they were last looked at, over five minutes.
#[derive(Default)]
pub(crate) struct Share(VecDeque<(Instant, u64, u64)>);

/// Fewer than these say nothing about a share.
const FEWEST: u64 = 100;

impl Share {
    /// Percent that `part` grew of what `whole` grew since the oldest look within five minutes, or since the start when
    /// nobody looked before; `None` when `whole` grew by less than a hundred.
    pub(crate) fn share_since(&mut self, now: Instant, part: u64, whole: u64) -> Option<f64> {
        while self.0.front().is_some_and(|(at, ..)| now.duration_since(*at) > SLOT * SLOTS as u32) {
            self.0.pop_front();
        }
        let (_, part_then, whole_then) = self.0.front().copied().unwrap_or((now, 0, 0));
        if self.0.back().is_none_or(|(at, ..)| now.duration_since(*at) >= SLOT) {
            self.0.push_back((now, part, whole));
        }
        let grown = whole - whole_then;
        (grown >= FEWEST).then(|| (part - part_then) as f64 / grown as f64 * 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_near_and_old_latencies_leave() {
        let (mut window, start) = (Window::default(), Instant::now());
        (1..=1_000).for_each(|ms| window.add(start, f64::from(ms)));
        let summary = window.summary(start);
        assert_eq!((summary.count, summary.avg), (1_000, 500.5));
        for (got, wanted) in [(summary.p50, 500.0), (summary.p95, 950.0), (summary.p99, 990.0)] {
            assert!((got / wanted - 1.0_f64).abs() < 0.05, "{got} for {wanted}");
        }
        assert_eq!(window.summary(start + Duration::from_secs(301)), Summary::default());
    }

    #[test]
    fn a_share_counts_the_last_five_minutes() {
        let (mut share, start) = (Share::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(share.share_since(at(0), 50, 99), None, "too few to say");
        assert_eq!(share.share_since(at(60), 150, 299), Some(50.0));
        assert_eq!(share.share_since(at(340), 150, 499), Some(0.0), "the first look is too old");
    }
}
