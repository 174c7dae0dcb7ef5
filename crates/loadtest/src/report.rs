//! What a run found, as JSON, as lines and as a page.

mod page;

use kernel::Micros;
use serde::Serialize;

use crate::machine::{SATURATED_PERCENT, cores};
use crate::run::Target;
use crate::scenario::Plan;
use crate::tally::{Counted, Tally};
use crate::verdict::Judged;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Every threshold held.
    Pass,
    /// A threshold was missed.
    Missed,
    /// It says nothing about the server; see `void`.
    Void,
    /// Somebody stopped it.
    Stopped,
}

/// Requests that were counted together.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Of what.
    pub name: String,
    /// How many.
    pub requests: u64,
    /// How many of them failed.
    pub failed: u64,
    /// Percentiles of the latency, in ms.
    pub p50_ms: f64,
    /// 95th.
    pub p95_ms: f64,
    /// 99th.
    pub p99_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

impl Row {
    fn of(name: impl Into<String>, counted: &Counted) -> Self {
        let at = |percentile| rounded(counted.percentile_ms(percentile));
        Self {
            name: name.into(),
            requests: counted.requests,
            failed: counted.failed,
            p50_ms: at(50.0),
            p95_ms: at(95.0),
            p99_ms: at(99.0),
            max_ms: at(100.0),
        }
    }
}

/// What went wrong and how often.
#[derive(Clone, Debug, Serialize)]
pub struct Failures {
    /// Of what.
    pub operation: &'static str,
    /// What.
    pub reason: String,
    /// How often.
    pub count: u64,
}

/// What the generator used.
#[derive(Clone, Debug, Serialize)]
pub struct Generator {
    /// Share of the whole machine that it used, 0–100.
    pub cpu_percent: f64,
    /// Cores of the machine.
    pub cores: usize,
    /// How late requests left, 99th percentile in ms; it is part of every latency.
    pub late_p99_ms: f64,
}

/// Everything about a run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The scenario.
    pub scenario: &'static str,
    /// The server.
    pub host: String,
    /// When it began.
    pub started_at: Micros,
    /// How long requests were sent, in seconds.
    pub seconds: f64,
    /// The most users.
    pub users: usize,
    /// Requests a second of each user.
    pub rate: f64,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it is void.
    pub void: Option<String>,
    /// What was promised, what was measured.
    pub thresholds: Vec<Judged>,
    /// All requests.
    pub all: Row,
    /// 95th percentile from leaving to answer, in ms: what a closed loop would have shown.
    pub service_p95_ms: f64,
    /// By stage.
    pub stages: Vec<Row>,
    /// By operation.
    pub operations: Vec<Row>,
    /// What went wrong.
    pub failures: Vec<Failures>,
    /// The course: equal parts of the run, each named by its beginning in seconds.
    pub windows: Vec<Row>,
    /// The generator.
    pub generator: Generator,
    /// What of the run's users could not be removed.
    pub left_behind: Vec<String>,
}

impl Report {
    pub(crate) fn new(
        plan: &Plan,
        target: &Target,
        started_at: Micros,
        tally: &Tally,
        cpu_percent: f64,
        cache_hits_percent: Option<f64>,
    ) -> Self {
        let names: Vec<&str> = plan.schedule.stages.iter().map(|stage| stage.name).collect();
        let judge = |threshold: &crate::Threshold| threshold.judge(tally, &names, cache_hits_percent);
        let thresholds: Vec<Judged> = plan.thresholds.iter().map(judge).collect();
        let is_kept = thresholds.iter().all(|judged| judged.is_met);
        let ms = |us: u64| rounded(us as f64 / 1e3);
        let window =
            |(at, counted)| Row::of(format!("{:.0}", at as f64 * tally.window.as_secs_f64()), counted);
        let mut report = Self {
            scenario: plan.name,
            host: target.host.clone(),
            started_at,
            seconds: rounded(plan.schedule.length().as_secs_f64()),
            users: plan.schedule.most_users(),
            rate: plan.schedule.rate,
            outcome: if is_kept { Outcome::Pass } else { Outcome::Missed },
            void: None,
            thresholds,
            all: Row::of("all", &tally.all),
            service_p95_ms: ms(tally.service.value_at_percentile(95.0)),
            stages: names.iter().zip(&tally.stages).map(|(name, counted)| Row::of(*name, counted)).collect(),
            operations: tally
                .operations
                .iter()
                .map(|(what, counted)| Row::of(what.word(), counted))
                .collect(),
            failures: tally
                .failures
                .iter()
                .map(|((what, why), count)| Failures {
                    operation: what.word(),
                    reason: why.clone(),
                    count: *count,
                })
                .collect(),
            windows: tally.windows.iter().enumerate().map(window).collect(),
            generator: Generator {
                cpu_percent: rounded(cpu_percent),
                cores: cores(),
                late_p99_ms: ms(tally.lateness.value_at_percentile(99.0)),
            },
            left_behind: Vec::new(),
        };
        if cpu_percent > SATURATED_PERCENT {
            report.void(&format!(
                "the generator itself used {cpu_percent:.0} % of this machine and measured its own limits; \
                 use another machine, or less load"
            ));
        }
        report
    }

    /// Declares that the run says nothing about the server.
    pub(crate) fn void(&mut self, why: &str) {
        self.outcome = Outcome::Void;
        self.void = Some(why.to_owned());
    }

    /// The report as lines for a terminal; the form is stable.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "{} of {}: {} users, {} s, {} requests, {} failed",
            self.scenario, self.host, self.users, self.seconds, self.all.requests, self.all.failed
        )];
        let heads = ["p50 ms", "p95 ms", "p99 ms", "max ms"];
        let [p50, p95, p99, max] = heads;
        lines
            .push(format!("{:12} {:>8} {:>7} {p50:>9} {p95:>9} {p99:>9} {max:>9}", "", "requests", "failed"));
        for row in self.operations.iter().chain(&self.stages).chain([&self.all]) {
            let Row { name, requests, failed, p50_ms, p95_ms, p99_ms, max_ms } = row;
            lines.push(format!(
                "{name:12} {requests:>8} {failed:>7} {p50_ms:>9.1} {p95_ms:>9.1} {p99_ms:>9.1} {max_ms:>9.1}"
            ));
        }
        let failure = |f: &Failures| format!("failed: {} × {}: {}", f.count, f.operation, f.reason);
        lines.extend(self.failures.iter().map(failure));
        let Generator { cpu_percent, cores, late_p99_ms } = self.generator;
        lines.push(format!("generator: {cpu_percent} % of {cores} cores, p99 {late_p99_ms} ms late"));
        for Judged { claim, measured, is_met } in &self.thresholds {
            lines.push(format!("{} {claim}: {measured}", if *is_met { "kept  " } else { "MISSED" }));
        }
        lines.extend(self.left_behind.iter().map(|what| format!("left behind: {what}")));
        lines.extend(self.void.iter().map(|why| format!("void: {why}")));
        lines
    }

    /// The report as a page in one file that loads nothing.
    pub fn page(&self) -> String {
        page::page(self)
    }
}

/// Three digits after the point are more than was measured.
fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}
