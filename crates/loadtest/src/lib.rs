//! A load generator for a running Hearth: requests leave when a schedule says so, whether or not earlier ones were answered.
//!
//! `scenario` says what is asked and when it passes, `schedule` when each request is due, `ground` makes users of its own
//! and removes them, `drive` sends, `tally` counts, `verdict` judges, `report` writes it down.
//!
//! A latency counts from the instant at which a request was due, not from the one at which it left. A server that stalls makes
//! everything due meanwhile late, and all of that is in the figures (no "coordinated omission").

mod drive;
mod ground;
mod machine;
mod operation;
mod report;
mod run;
mod scenario;
mod schedule;
mod tally;
mod verdict;

pub use drive::Progress;
pub use operation::Operation;
pub use report::{Outcome, Report};
pub use run::{CouldNotRun, Target, run};
pub use scenario::{Plan, Scenario, Wishes};
pub use schedule::{Schedule, Stage};
pub use tally::{Sample, Tally};
pub use verdict::{Judged, Measure, Threshold, Where};
