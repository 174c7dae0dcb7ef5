//! Late interaction: the best match of each content token of the query among a turn's token codes.

use super::analysis::QueryTerm;
use crate::kernels;
use crate::quant::Planes;
use crate::query::QueryTokens;

/// Content tokens of a query, ready to meet 1-bit token codes.
///
/// MaxSim after Khattab & Zaharia, "ColBERT" (2020), with the rarity of the words as weights.
#[derive(Default)]
pub(crate) struct LateQuery {
    tokens: Vec<Planes>,
    /// Sum to 1.
    weights: Vec<f32>,
    dim: usize,
}

impl LateQuery {
    /// Keeps the tokens that lie in a term searched for; a word's weight is shared by its tokens.
    pub(crate) fn new(query: &QueryTokens, terms: &[QueryTerm]) -> Self {
        if query.dim == 0 || query.vectors.len() != query.spans.len() * query.dim {
            return Self::default();
        }
        let covering = |span: &(usize, usize)| terms.iter().find(|t| span.0 < t.end && t.start < span.1);
        let mut out = Self { dim: query.dim, ..Self::default() };
        for (span, row) in query.spans.iter().zip(query.vectors.chunks_exact(query.dim)) {
            if let Some(term) = covering(span) {
                let pieces = query.spans.iter().filter(|s| s.0 < term.end && term.start < s.1).count();
                out.tokens.push(Planes::new(row));
                out.weights.push(term.weight / (pieces as f32).sqrt());
            }
        }
        let sum: f32 = out.weights.iter().sum();
        out.weights.iter_mut().for_each(|w| *w /= sum);
        out
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Bytes of one document token.
    pub(crate) fn token_bytes(&self) -> usize {
        self.dim.div_ceil(8)
    }

    /// Weighted mean over the query's tokens of the best cosine; `None` without a whole token of this dimension.
    pub(crate) fn score(&self, codes: &[u8]) -> Option<f32> {
        let width = self.token_bytes();
        if self.is_empty() || codes.is_empty() || !codes.len().is_multiple_of(width) {
            return None;
        }
        let words = width.div_ceil(8);
        let mut rows = vec![0_u64; codes.len() / width * words];
        for (row, bytes) in rows.chunks_exact_mut(words).zip(codes.chunks_exact(width)) {
            for (word, eight) in row.iter_mut().zip(bytes.chunks(8)) {
                let mut padded = [0; 8];
                padded[..eight.len()].copy_from_slice(eight);
                *word = u64::from_le_bytes(padded);
            }
        }
        let best = |(token, weight): (&Planes, &f32)| kernels::best_cosine(token, &rows) * weight;
        Some(self.tokens.iter().zip(&self.weights).map(best).sum())
    }
}
