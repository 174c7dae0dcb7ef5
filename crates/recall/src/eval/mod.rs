//! Measuring recall on public data: readers, metrics and tables for `hearth eval`.
//!
//! The data stay outside of the project. The caller records a [`locomo::Conversation`]'s turns through whatever is
//! to be measured, asks its questions, and hands the ids it got back to a [`Tally`].

pub mod locomo;
mod metric;
mod table;

pub use metric::{CUTS, Figures, Tally};
pub use table::{Baseline, LOCOMO_BASELINES, table};

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
