//! Thresholds: what a run promised, what it kept.

use serde::Serialize;

use crate::Operation;
use crate::tally::{Counted, Tally};

/// Which requests a threshold is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Where {
    /// All.
    All,
    /// Those of the stage with this index.
    Stage(usize),
    /// Those of one operation.
    Operation(Operation),
}

/// What must hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Measure {
    /// A percentile of the latency, below so many ms.
    Latency {
        /// 0–100.
        percentile: f64,
        /// Limit in ms.
        below_ms: f64,
    },
    /// The share of failed requests, below so many percent; 0 allows none.
    Failed {
        /// Limit, 0–100.
        below_percent: f64,
    },
    /// Reads of the server's cache that found something, above so many percent since the first stage ended.
    CacheHits {
        /// Limit, 0–100.
        above_percent: f64,
    },
    /// The 95th percentile of the last quarter, at most this many times that of the second and 10 ms.
    Drift {
        /// Limit as a factor.
        at_most: f64,
    },
}

/// Something that must hold for a run to pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// Of which requests.
    pub of: Where,
    /// What.
    pub measure: Measure,
}

/// A threshold and what was measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judged {
    /// What was promised, in words.
    pub claim: String,
    /// What was measured.
    pub measured: String,
    /// Whether it held. What could not be measured did not hold.
    pub is_met: bool,
}

/// Slowness that is no drift: differences below the resolution of a busy machine.
const DRIFT_GRACE_MS: f64 = 10.0;

impl Threshold {
    /// Judges a run. `cache_hits_percent` is the server's own, if it could be read.
    pub fn judge(&self, tally: &Tally, stages: &[&str], cache_hits_percent: Option<f64>) -> Judged {
        let nothing =
            || Judged { claim: String::new(), measured: "no such request".to_owned(), is_met: false };
        let counted = match self.of {
            Where::All => Some(&tally.all),
            Where::Stage(index) => tally.stages.get(index),
            Where::Operation(operation) => tally.operations.get(&operation),
        };
        let judged = match (self.measure, counted.filter(|counted| counted.requests > 0)) {
            (Measure::CacheHits { above_percent }, _) => cache_hits(cache_hits_percent, above_percent),
            (Measure::Drift { at_most }, Some(_)) => drift(tally, at_most),
            (Measure::Latency { percentile, below_ms }, Some(counted)) => {
                latency(counted, percentile, below_ms)
            }
            (Measure::Failed { below_percent }, Some(counted)) => failed(counted, below_percent),
            (_, None) => nothing(),
        };
        let of = match self.of {
            Where::All => String::new(),
            Where::Stage(index) => format!("{}: ", stages.get(index).unwrap_or(&"?")),
            Where::Operation(operation) => format!("{}: ", operation.word()),
        };
        let claim = if judged.claim.is_empty() { format!("{:?}", self.measure) } else { judged.claim };
        Judged { claim: format!("{of}{claim}"), ..judged }
    }
}

fn latency(counted: &Counted, percentile: f64, below_ms: f64) -> Judged {
    let measured = counted.percentile_ms(percentile);
    Judged {
        claim: format!("p{percentile} < {below_ms} ms"),
        measured: format!("{measured:.1} ms"),
        is_met: measured < below_ms,
    }
}

fn failed(counted: &Counted, below_percent: f64) -> Judged {
    let measured = counted.failed_percent();
    let claim =
        if below_percent == 0.0 { "no failures".to_owned() } else { format!("failed < {below_percent} %") };
    let is_met = if below_percent == 0.0 { counted.failed == 0 } else { measured < below_percent };
    Judged {
        claim,
        measured: format!("{} of {} ({measured:.2} %)", counted.failed, counted.requests),
        is_met,
    }
}

fn cache_hits(percent: Option<f64>, above_percent: f64) -> Judged {
    Judged {
        claim: format!("cache hits > {above_percent} % after the first stage"),
        measured: percent
            .map_or("not known: set METRICS_TOKEN".to_owned(), |percent| format!("{percent:.1} %")),
        is_met: percent.is_some_and(|percent| percent > above_percent),
    }
}

fn drift(tally: &Tally, at_most: f64) -> Judged {
    let (early, late) = tally.drift_ms();
    Judged {
        claim: format!("p95 of the last quarter ≤ {at_most} × that of the second + {DRIFT_GRACE_MS} ms"),
        measured: format!("{early:.1} ms, then {late:.1} ms"),
        is_met: late <= early * at_most + DRIFT_GRACE_MS,
    }
}
