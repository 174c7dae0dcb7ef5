//! Choosing the best documents of a scope without sorting it.

use std::cmp::Ordering;

use super::spread::Spread;
use super::view::View;
use crate::params::Params;
use crate::query::Mode;

/// Weights of words and sentence vectors in a mode; they sum to 1.
pub(crate) fn two_weights(mode: Mode, has_vectors: bool, params: &Params) -> [f32; 2] {
    match mode {
        _ if !has_vectors => [1.0, 0.0],
        Mode::Dense => [0.0, 1.0],
        _ => params.two,
    }
}

/// The most promising documents by both legs, each scaled to its range over the scope; best first.
pub(crate) fn pick(
    view: &View<'_>,
    words: &Spread,
    meaning: Option<&Spread>,
    mode: Mode,
    params: &Params,
) -> Vec<u32> {
    let [word_weight, meaning_weight] = two_weights(mode, meaning.is_some(), params);
    let word_unit = unit(word_weight, 0.0, top(&words.total));
    let room = params.seeds.max(params.candidates).max(1);
    let Some(meaning) = meaning else {
        return best_of(view, words.total.iter().map(|w| w * word_unit), room);
    };
    // 0 marks a place without document, or one without anything near.
    let low = meaning.total.iter().copied().filter(|&m| m != 0.0).fold(f32::INFINITY, f32::min);
    let meaning_unit = unit(meaning_weight, low, top(&meaning.total));
    let fused = words.total.iter().zip(&meaning.total).map(|(w, &m)| {
        let near = if m == 0.0 { 0.0 } else { (m - low) * meaning_unit };
        w * word_unit + near
    });
    best_of(view, fused, room)
}

/// What one step of a score is worth when `low..high` spans `weight`.
pub(crate) fn unit(weight: f32, low: f32, high: f32) -> f32 {
    if high > low { weight / (high - low) } else { 0.0 }
}

pub(crate) fn top(scores: &[f32]) -> f32 {
    scores.iter().copied().fold(0.0, f32::max)
}

/// The `room` best documents with a score above 0; equal scores: the newer, then the smaller key.
fn best_of(view: &View<'_>, scores: impl Iterator<Item = f32>, room: usize) -> Vec<u32> {
    let order = |a: &(f32, u32), b: &(f32, u32)| {
        b.0.total_cmp(&a.0)
            .then_with(|| if a.1 == b.1 { Ordering::Equal } else { newer_first(view, a.1, b.1) })
    };
    let mut best: Vec<(f32, u32)> = Vec::with_capacity(4 * room);
    let mut bar = 0.0;
    for (score, doc) in scores.zip(0..) {
        // Equal to the bar still counts: the tie is broken by age, which only `order` knows.
        if score > 0.0 && score >= bar {
            best.push((score, doc));
            if best.len() == 4 * room {
                best.select_nth_unstable_by(room - 1, order);
                best.truncate(room);
                bar = best[room - 1].0;
            }
        }
    }
    best.sort_unstable_by(order);
    best.truncate(room);
    best.into_iter().map(|(_, doc)| doc).collect()
}

fn newer_first(view: &View<'_>, a: u32, b: u32) -> Ordering {
    let at = |doc: u32| view.meta(doc).occurred_at_us;
    at(b).cmp(&at(a)).then_with(|| view.compare_keys(a, b))
}
