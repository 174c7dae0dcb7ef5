//! How much may run at once: found out by watching how long it takes.
//!
//! Source: the limit "Gradient2" of Netflix' concurrency-limits. Latency now is compared with its own long-term mean, here
//! for each endpoint by itself, because a search and a sign-in have nothing in common but the machine. While the two agree
//! the limit grows by the square root of itself; when latency rises it shrinks in proportion. Unlike there the mean is that
//! of quiet moments: a mean that follows an overload takes it for normal after a few seconds, and the limit grows with it.

use std::collections::HashMap;

/// Samples over which the long-term mean of an endpoint runs.
const LONG: f64 = 600.0;
/// The same for samples that are slower because of others: work that has become slower is believed in the end.
const LONG_WHILE_BUSY: f64 = 500.0 * LONG;
/// Samples over which the ratio runs.
const SHORT: f64 = 20.0;
/// Latency may be this many times its mean before the limit shrinks. A write that just missed a group commit waits for two;
/// work that shares a core with more than two others is no faster for being let in.
const TOLERANCE: f64 = 3.0;
/// Share of a new estimate that is taken over at a time.
const SMOOTHING: f64 = 0.2;

/// Between what the limit moves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Requests at once that are always let in, 1 or more.
    pub floor: u32,
    /// Requests at once that are never exceeded.
    pub ceiling: u32,
}

impl Range {
    /// Eight to sixty-four for each core: fewer leave the database's group commit nothing to group, more only wait for each
    /// other.
    pub fn of_this_machine() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from) as u32;
        Self { floor: 8 * cores, ceiling: 64 * cores }
    }
}

/// The limit, and what it was found from.
pub(super) struct Pace {
    range: Range,
    limit: f64,
    /// Latency over its long-term mean, of the last requests.
    ratio: f64,
    /// Long-term mean latency of an endpoint in quiet moments, seconds.
    means: HashMap<Box<str>, f64>,
}

impl Pace {
    pub(super) fn new(range: Range) -> Self {
        // Half-way up, so that the first burst after a start is not refused for nothing.
        let limit = f64::from(range.floor.midpoint(range.ceiling));
        Self { range, limit, ratio: 1.0, means: HashMap::new() }
    }

    /// Requests that may run at once.
    pub(super) fn limit(&self) -> u32 {
        self.limit as u32
    }

    /// Learns from a finished request that ran among `running`.
    pub(super) fn learn(&mut self, endpoint: &str, seconds: f64, running: u32) {
        let Some(mean) = self.means.get_mut(endpoint) else {
            self.means.insert(endpoint.into(), seconds);
            return;
        };
        let ratio = seconds / mean.max(1e-6);
        let is_quiet = running * 4 <= self.range.floor;
        let samples = if is_quiet || seconds < *mean { LONG } else { LONG_WHILE_BUSY };
        *mean += (seconds - *mean) * 2.0 / (samples + 1.0);
        self.ratio += (ratio - self.ratio) * 2.0 / (SHORT + 1.0);
        if self.ratio < 0.5 {
            // The mean is of a bad time that is over.
            *mean *= 0.95;
        }
        // A server with little to do says nothing about how much it could.
        if f64::from(running) * 2.0 < self.limit {
            return;
        }
        let gradient = (TOLERANCE / self.ratio).clamp(0.5, 1.0);
        let target = self.limit * gradient + self.limit.sqrt();
        let limit = self.limit + (target - self.limit) * SMOOTHING;
        self.limit = limit.clamp(f64::from(self.range.floor), f64::from(self.range.ceiling));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_grows_while_latency_stands_and_shrinks_when_it_rises() {
        let mut pace = Pace::new(Range { floor: 10, ceiling: 100 });
        let mut run = |seconds: f64, times: u32| {
            for _ in 0..times {
                pace.learn("/a", seconds, pace.limit());
            }
            pace.limit()
        };
        assert_eq!(run(0.01, 200), 100);
        assert!(run(0.1, 50) < 30, "ten times as slow: {}", run(0.1, 0));
        assert!(run(0.01, 1_000) > 90, "and back");
    }

    #[test]
    fn an_overload_that_lasts_is_not_taken_for_normal() {
        let mut pace = Pace::new(Range { floor: 16, ceiling: 128 });
        for _ in 0..600 {
            pace.learn("/a", 0.01, 2);
        }
        // Two cores: each is as slow as there are others beside it.
        for _ in 0..50_000 {
            pace.learn("/a", 0.005 * f64::from(pace.limit()), pace.limit());
        }
        assert!(pace.limit() < 32, "{}", pace.limit());
    }

    #[test]
    fn waiting_for_a_group_commit_is_no_overload() {
        let mut pace = Pace::new(Range { floor: 16, ceiling: 128 });
        for _ in 0..600 {
            pace.learn("/a", 0.01, 1);
        }
        for _ in 0..600 {
            pace.learn("/a", 0.02, pace.limit());
        }
        assert_eq!(pace.limit(), 128);
    }

    #[test]
    fn endpoints_are_compared_with_themselves_and_an_idle_server_learns_nothing() {
        let mut pace = Pace::new(Range { floor: 10, ceiling: 100 });
        for _ in 0..100 {
            pace.learn("/quick", 0.001, pace.limit());
            pace.learn("/slow", 0.1, pace.limit());
        }
        assert_eq!(pace.limit(), 100);
        for _ in 0..100 {
            pace.learn("/quick", 1.0, 1);
        }
        assert_eq!(pace.limit(), 100);
    }
}
