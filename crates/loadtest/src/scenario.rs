//! The scenarios: how many users, how long, and what must hold.

use std::time::Duration;

use crate::Operation;
use crate::schedule::{Schedule, Stage};
use crate::verdict::{Measure, Threshold, Where};

/// Requests a second of a user that thinks between them.
const RATE: f64 = 1.0;

/// A scenario of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// One user, 30 s: does everything work at all?
    Smoke,
    /// 5 to 10 users.
    Basic,
    /// 5, 10, then 20 agents.
    Concurrent,
    /// 50 users, 5 min.
    Stress,
    /// 100 users, 10 min.
    Steady,
    /// 200 users at once, 5 min.
    Spike,
    /// 50 users, 60 min.
    Endurance,
}

/// What of a scenario is to be otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wishes {
    /// How long it takes; all stages shrink or grow alike.
    pub duration: Option<Duration>,
    /// Requests a second of each user.
    pub rate: Option<f64>,
    /// Users at its height.
    pub users: Option<u32>,
    /// Replaces the limit of the overall 95th percentile, in ms.
    pub p95_ms: Option<f64>,
    /// Replaces the limit of the overall share of failures, in percent; 0 allows none.
    pub failed_percent: Option<f64>,
}

/// A scenario ready to run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Its word.
    pub name: &'static str,
    /// When requests are due.
    pub schedule: Schedule,
    /// What must hold.
    pub thresholds: Vec<Threshold>,
}

impl Scenario {
    /// Every scenario.
    pub const ALL: [Self; 7] = [
        Self::Smoke,
        Self::Basic,
        Self::Concurrent,
        Self::Stress,
        Self::Steady,
        Self::Spike,
        Self::Endurance,
    ];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Smoke => "smoke",
            Self::Basic => "basic",
            Self::Concurrent => "concurrent",
            Self::Stress => "stress",
            Self::Steady => "steady",
            Self::Spike => "spike",
            Self::Endurance => "endurance",
        }
    }

    /// The scenario with these wishes.
    pub fn plan(self, wishes: &Wishes) -> Plan {
        let mut schedule = Schedule { stages: self.stages(), rate: wishes.rate.unwrap_or(RATE) };
        if let Some(length) = wishes.duration {
            schedule = schedule.lasting(length);
        }
        if let Some(users) = wishes.users {
            schedule = schedule.with_users(users);
        }
        let mut thresholds = self.thresholds();
        let is_overall = |threshold: &Threshold, wished: &Threshold| {
            threshold.of == Where::All
                && std::mem::discriminant(&threshold.measure) == std::mem::discriminant(&wished.measure)
                && !matches!(threshold.measure, Measure::Latency { percentile, .. } if percentile != 95.0)
        };
        let wished = [wishes.p95_ms.map(p95), wishes.failed_percent.map(failed)];
        for wished in wished.into_iter().flatten() {
            thresholds.retain(|threshold| !is_overall(threshold, &wished));
            thresholds.insert(0, wished);
        }
        Plan { name: self.word(), schedule, thresholds }
    }

    fn stages(self) -> Vec<Stage> {
        match self {
            Self::Smoke => vec![Stage::new("main", 30, 1, 1)],
            Self::Basic => {
                vec![
                    Stage::new("level", 30, 5, 5),
                    Stage::new("ramp", 60, 5, 10),
                    Stage::new("main", 30, 10, 10),
                ]
            }
            Self::Concurrent => vec![
                Stage::new("warm-up", 60, 5, 5),
                Stage::new("main", 120, 10, 10),
                Stage::new("peak", 60, 20, 20),
            ],
            Self::Stress => vec![Stage::new("ramp", 30, 10, 50), Stage::new("main", 270, 50, 50)],
            Self::Steady => vec![Stage::new("warm-up", 60, 20, 100), Stage::new("main", 540, 100, 100)],
            Self::Spike => vec![
                Stage::new("before", 60, 20, 20),
                Stage::new("rise", 10, 20, 200),
                Stage::new("spike", 170, 200, 200),
                Stage::new("after", 60, 20, 20),
            ],
            Self::Endurance => vec![Stage::new("warm-up", 120, 10, 50), Stage::new("main", 3_480, 50, 50)],
        }
    }

    /// As the contract has them; the limit of a single operation is one of its 95th percentile.
    fn thresholds(self) -> Vec<Threshold> {
        let in_stage = |index, threshold: Threshold| Threshold { of: Where::Stage(index), ..threshold };
        match self {
            Self::Smoke => vec![failed(0.0)],
            Self::Basic => vec![
                p95(500.0),
                percentile(99.0, 1_000.0),
                failed(1.0),
                of(Operation::Event, 200.0),
                of(Operation::Context, 500.0),
                of(Operation::List, 100.0),
                of(Operation::Health, 50.0),
            ],
            Self::Concurrent => vec![
                in_stage(0, p95(300.0)),
                in_stage(0, failed(1.0)),
                in_stage(1, p95(500.0)),
                in_stage(1, failed(2.0)),
                in_stage(2, p95(500.0)),
                in_stage(2, failed(5.0)),
            ],
            Self::Stress => vec![p95(1_000.0), failed(10.0)],
            Self::Steady => {
                let hits = Measure::CacheHits { above_percent: 60.0 };
                vec![p95(3_000.0), failed(1.0), Threshold { of: Where::All, measure: hits }]
            }
            Self::Spike => vec![p95(5_000.0), failed(5.0)],
            Self::Endurance => {
                let drift = Measure::Drift { at_most: 1.5 };
                vec![p95(3_000.0), failed(1.0), Threshold { of: Where::All, measure: drift }]
            }
        }
    }
}

fn percentile(percentile: f64, below_ms: f64) -> Threshold {
    Threshold { of: Where::All, measure: Measure::Latency { percentile, below_ms } }
}

fn p95(below_ms: f64) -> Threshold {
    percentile(95.0, below_ms)
}

fn failed(below_percent: f64) -> Threshold {
    Threshold { of: Where::All, measure: Measure::Failed { below_percent } }
}

fn of(operation: Operation, below_ms: f64) -> Threshold {
    Threshold { of: Where::Operation(operation), ..p95(below_ms) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenarios_are_as_long_and_as_large_as_promised() {
        let shape = |scenario: Scenario| {
            let plan = scenario.plan(&Wishes::default());
            (plan.schedule.length().as_secs(), plan.schedule.most_users())
        };
        let shapes = Scenario::ALL.map(shape);
        assert_eq!(shapes, [(30, 1), (120, 10), (240, 20), (300, 50), (600, 100), (300, 200), (3_600, 50)]);
    }

    #[test]
    fn a_wish_replaces_one_limit_and_leaves_the_others() {
        let wishes = Wishes { p95_ms: Some(50.0), failed_percent: Some(0.0), ..Wishes::default() };
        assert_eq!(Scenario::Stress.plan(&wishes).thresholds, vec![failed(0.0), p95(50.0)]);
        let basic = Scenario::Basic.plan(&wishes).thresholds;
        assert_eq!(basic.len(), Scenario::Basic.thresholds().len());
        assert!(basic.contains(&percentile(99.0, 1_000.0)) && basic.contains(&of(Operation::List, 100.0)));
        assert!(!basic.contains(&p95(500.0)));
    }
}
