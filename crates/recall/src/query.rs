//! What is asked: the text, its vectors, who may answer, and how.

use serde::{Deserialize, Serialize};

/// Which legs take part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Words only.
    Lexical,
    /// Vectors only; documents without one fall back on their words.
    Dense,
    /// Both, as far as the query brings vectors.
    #[default]
    Hybrid,
}

/// A search over one or several indexes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Query<'a> {
    /// The question.
    pub text: &'a str,
    /// Its sentence vector `[dim]`, unit length; an index of another dimension is searched by words only.
    pub vector: Option<&'a [f32]>,
    /// Its token vectors, for [`crate::Ranking::rerank`].
    pub tokens: Option<&'a QueryTokens>,
    /// What may be returned.
    pub filter: Filter<'a>,
    /// Which legs take part.
    pub mode: Mode,
    /// What "last March" counts from, µs since 1970 UTC; without it only dates that name their year count.
    pub reference_us: Option<i64>,
    /// Whether hits explain their scores; costs about a tenth more.
    pub explain: bool,
}

/// Token vectors of a query, by the same model as the documents' token codes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct QueryTokens {
    /// Bytes of the query text each token covers, `[n]`; tells which tokens carry content.
    pub spans: Vec<(usize, usize)>,
    /// Unit vectors `[n, dim]`, row after row.
    pub vectors: Vec<f32>,
    /// Components of one vector.
    pub dim: usize,
}

/// Limits what is returned and which turns count as neighbours. Statistics stay those of the whole scope.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filter<'a> {
    /// Only documents of one of these agents, the empty name for those of none; an empty list takes all.
    pub agents: &'a [&'a str],
    /// Only documents of this session.
    pub session: Option<&'a str>,
    /// Only these kinds: bit k stands for kind k. `None` takes all.
    pub kinds: Option<u64>,
    /// Only documents at or after this instant, µs UTC.
    pub after_us: Option<i64>,
    /// Only documents before this instant, µs UTC.
    pub before_us: Option<i64>,
    /// Only documents with at least one of these labels; empty asks nothing.
    pub any_label: &'a [&'a str],
    /// Only documents with all of these labels.
    pub all_labels: &'a [&'a str],
    /// Only documents with none of these labels.
    pub no_label: &'a [&'a str],
}
