//! Legs brought to one scale and summed.

use super::late::LateQuery;
use super::pick::top;
use super::spread::Spread;
use super::view::View;

/// Scores of the legs over all documents.
pub(crate) struct Legs {
    pub(crate) words: Spread,
    pub(crate) meaning: Option<Spread>,
    pub(crate) late: Option<LateQuery>,
}

/// What one leg knows of one document.
#[derive(Clone, Copy, Default)]
pub(crate) struct LegScore {
    pub(crate) own: f32,
    pub(crate) prior: f32,
    pub(crate) total: f32,
    /// `total` on the leg's scale of 0–1; `None` when the document lacks what the leg reads.
    pub(crate) scaled: Option<f32>,
}

/// Convex sum of the legs; words stand in for a leg the document has nothing for.
pub(crate) fn fused(weights: &[f32; 3], words: LegScore, meaning: LegScore, late: LegScore) -> f64 {
    let base = words.scaled.unwrap_or(0.0);
    let values = [base, meaning.scaled.unwrap_or(base), late.scaled.unwrap_or(base)];
    weights.iter().zip(values).map(|(&w, v)| f64::from(w) * f64::from(v)).sum()
}

pub(crate) fn range(values: impl Iterator<Item = f32>) -> (f32, f32) {
    values.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
}

/// Places a value in its range; a range of one value is all top.
pub(crate) fn scaled(value: f32, low: f32, high: f32) -> f32 {
    if high > low { ((value - low) / (high - low)).clamp(0.0, 1.0) } else { 1.0 }
}

/// Legs with the ranges they are scaled by.
pub(crate) struct Scores<'a> {
    legs: &'a Legs,
    word_top: f32,
    meaning_range: (f32, f32),
}

impl<'a> Scores<'a> {
    pub(crate) fn new(view: &View<'_>, legs: &'a Legs, picked: &[(u32, [u32; 4])]) -> Self {
        let meaning_range = legs.meaning.as_ref().map_or((0.0, 0.0), |meaning| {
            let known = picked.iter().filter(|(doc, _)| has_vector(view, *doc));
            range(known.map(|(doc, _)| meaning.total[*doc as usize]))
        });
        Self { legs, word_top: top(&legs.words.total), meaning_range }
    }

    pub(crate) fn words(&self, view: &View<'_>, doc: u32) -> LegScore {
        let total = self.legs.words.total[doc as usize];
        let scaled = if self.word_top > 0.0 { total / self.word_top } else { 0.0 };
        leg_score(&self.legs.words, view.session_of[doc as usize], doc, Some(scaled))
    }

    pub(crate) fn meaning(&self, view: &View<'_>, doc: u32) -> LegScore {
        let Some(meaning) = &self.legs.meaning else {
            return LegScore::default();
        };
        let (low, high) = self.meaning_range;
        let value = has_vector(view, doc).then(|| scaled(meaning.total[doc as usize], low, high));
        leg_score(meaning, view.session_of[doc as usize], doc, value)
    }
}

fn leg_score(leg: &Spread, session: u32, doc: u32, scaled: Option<f32>) -> LegScore {
    let prior = leg.prior.get(session as usize).copied().unwrap_or(0.0);
    LegScore { own: leg.own[doc as usize], prior, total: leg.total[doc as usize], scaled }
}

fn has_vector(view: &View<'_>, doc: u32) -> bool {
    let (index, id) = view.locate(doc);
    index.vectors().row(id).is_some()
}
