//! Measuring recall on public data: readers, metrics and tables for `hearth eval`.
//!
//! The data stay outside of the project. The caller records what a reader gives through whatever is to be
//! measured, asks the questions, and hands the ids it got back to a [`Tally`] or a [`RankTally`].

mod cv;
pub mod locomo;
pub mod madial;
mod metric;
mod ranks;
pub mod sessions;
mod table;

pub use cv::{leave_one_out, variants};
pub use metric::{CUTS, Figures, Tally};
pub use ranks::{AtK, RankTally};
pub use table::{Baseline, LOCOMO_BASELINES, rank_table, table};

/// Why evaluation data cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// Not JSON at all.
    #[error("reading evaluation data as JSON")]
    Json(#[from] serde_json::Error),
    /// JSON of another layout.
    #[error("evaluation data are in no known layout: {0}")]
    Layout(String),
}
