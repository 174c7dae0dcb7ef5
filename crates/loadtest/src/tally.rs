//! What happened: latencies and failures, in all, by stage, by operation and along the time.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::Operation;

/// Longest latency told apart.
const LONGEST: Duration = Duration::from_mins(10);
/// Parts that a run is cut into for the course of its latency.
const WINDOWS: usize = 120;
/// Reasons of failures kept apart; the rest are one.
const MOST_REASONS: usize = 100;

/// One request and its end.
#[derive(Clone, Debug)]
pub struct Sample {
    /// What was asked.
    pub operation: Operation,
    /// Index of its stage.
    pub stage: usize,
    /// When it was due, from the beginning of the run.
    pub due: Duration,
    /// From the instant it was due until its answer was read.
    pub latency: Duration,
    /// From the instant it left until its answer was read: what a closed loop would have measured.
    pub service: Duration,
    /// What was wrong with it.
    pub failure: Option<String>,
}

/// Requests that are counted together.
#[derive(Clone, Debug)]
pub struct Counted {
    /// Latencies in µs, failed requests too: failing fast or giving up late flatters nobody.
    pub latency: Histogram<u64>,
    /// Requests.
    pub requests: u64,
    /// Those that failed.
    pub failed: u64,
}

impl Counted {
    /// Nothing yet; `digits` are kept of each latency.
    fn new(digits: u8) -> Self {
        Self { latency: histogram(digits), requests: 0, failed: 0 }
    }

    fn add(&mut self, sample: &Sample) {
        record(&mut self.latency, sample.latency);
        self.requests += 1;
        self.failed += u64::from(sample.failure.is_some());
    }

    /// A percentile of the latency in ms, 0–100; 0 when nothing was counted.
    pub fn percentile_ms(&self, percentile: f64) -> f64 {
        if self.requests == 0 { 0.0 } else { self.latency.value_at_percentile(percentile) as f64 / 1e3 }
    }

    /// Share of failed requests, 0–100; 0 when nothing was counted.
    pub fn failed_percent(&self) -> f64 {
        self.failed as f64 / self.requests.max(1) as f64 * 100.0
    }
}

/// Everything that happened.
#[derive(Clone, Debug)]
pub struct Tally {
    /// All requests.
    pub all: Counted,
    /// From leaving to answer, in µs: beside the latency it shows how much of it was waiting to leave.
    pub service: Histogram<u64>,
    /// From being due to leaving, in µs: how late the generator itself was.
    pub lateness: Histogram<u64>,
    /// By stage.
    pub stages: Vec<Counted>,
    /// By operation.
    pub operations: BTreeMap<Operation, Counted>,
    /// Equal parts of the run, by when a request was due.
    pub windows: Vec<Counted>,
    /// Length of a part.
    pub window: Duration,
    /// Requests by what was asked and what was wrong.
    pub failures: BTreeMap<(Operation, String), u64>,
}

impl Tally {
    /// Nothing yet, of a run of this length and number of stages.
    pub fn new(length: Duration, stages: usize) -> Self {
        let window = Duration::from_secs(1).max(length / WINDOWS as u32);
        let windows = length.as_nanos().div_ceil(window.as_nanos()).max(1) as usize;
        Self {
            all: Counted::new(3),
            service: histogram(3),
            lateness: histogram(3),
            stages: vec![Counted::new(3); stages],
            operations: BTreeMap::new(),
            windows: vec![Counted::new(2); windows],
            window,
            failures: BTreeMap::new(),
        }
    }

    /// Counts one request.
    pub fn add(&mut self, sample: Sample) {
        self.all.add(&sample);
        record(&mut self.service, sample.service);
        record(&mut self.lateness, sample.latency.saturating_sub(sample.service));
        self.stages[sample.stage].add(&sample);
        self.operations.entry(sample.operation).or_insert_with(|| Counted::new(3)).add(&sample);
        let window = (sample.due.as_nanos() / self.window.as_nanos()) as usize;
        let last = self.windows.len() - 1;
        self.windows[window.min(last)].add(&sample);
        if let Some(reason) = sample.failure {
            let is_known = self.failures.contains_key(&(sample.operation, reason.clone()));
            let reason =
                if is_known || self.failures.len() < MOST_REASONS { reason } else { "other".to_owned() };
            *self.failures.entry((sample.operation, reason)).or_default() += 1;
        }
    }

    /// 95th percentiles in ms of the second and of the last quarter of the run; the first warms up.
    pub fn drift_ms(&self) -> (f64, f64) {
        let quarter = self.windows.len() / 4;
        let p95 = |windows: &[Counted]| {
            let mut sum = Counted::new(2);
            for window in windows {
                // Same bounds and digits: nothing can be out of range.
                let _ = sum.latency.add(&window.latency);
                sum.requests += window.requests;
            }
            sum.percentile_ms(95.0)
        };
        (p95(&self.windows[quarter..quarter * 2]), p95(&self.windows[self.windows.len() - quarter..]))
    }
}

fn histogram(digits: u8) -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST.as_micros() as u64, digits)
        .expect("bounds and digits are constants")
}

/// Longer than the longest counts as the longest.
fn record(histogram: &mut Histogram<u64>, latency: Duration) {
    histogram.saturating_record(latency.as_micros().max(1) as u64);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(due_ms: u64, latency_ms: u64, failure: Option<&str>) -> Sample {
        Sample {
            operation: Operation::Event,
            stage: 0,
            due: Duration::from_millis(due_ms),
            latency: Duration::from_millis(latency_ms),
            service: Duration::from_millis(1),
            failure: failure.map(str::to_owned),
        }
    }

    #[test]
    fn percentiles_are_within_a_thousandth_of_the_exact_ones() {
        let mut tally = Tally::new(Duration::from_secs(10), 1);
        (1..=1_000).for_each(|ms| tally.add(sample(ms * 10 - 1, ms, None)));
        for (percentile, exact) in [(50.0, 500.0), (95.0, 950.0), (99.0, 990.0), (100.0, 1_000.0)] {
            let measured = tally.all.percentile_ms(percentile);
            assert!((measured - exact).abs() <= exact / 1_000.0, "p{percentile}: {measured} for {exact}");
        }
        assert_eq!(tally.windows.len(), 10);
        assert!(tally.windows.iter().all(|window| window.requests == 100));
        assert!((tally.service.value_at_percentile(100.0) as i64 - 1_000).abs() <= 1);
        let (early, late) = tally.drift_ms();
        assert!(early < 405.0 && late > 980.0, "{early} {late}");
    }

    #[test]
    fn failures_are_counted_by_reason_and_reasons_are_bounded() {
        let mut tally = Tally::new(Duration::from_secs(1), 1);
        tally.add(sample(0, 1, None));
        (0..300).for_each(|n| tally.add(sample(0, 1, Some(&format!("reason {n}")))));
        tally.add(sample(5_000, 700_000, Some("reason 0")));
        assert_eq!((tally.all.requests, tally.all.failed), (302, 301));
        assert_eq!(tally.failures.len(), MOST_REASONS + 1);
        assert_eq!(tally.failures[&(Operation::Event, "reason 0".to_owned())], 2);
        assert_eq!(tally.failures[&(Operation::Event, "other".to_owned())], 200);
        assert!(
            tally.all.percentile_ms(100.0) >= 599_000.0,
            "a latency past the longest counts as the longest"
        );
        assert!((tally.all.failed_percent() - 99.67).abs() < 0.01);
    }
}
