//! A search in two phases: [`search`] ranks by words and sentence vectors, [`Ranking::rerank`] adds token codes.

mod analysis;
mod boost;
mod dense;
mod explain;
mod late;
mod lexical;
mod pick;
mod ranking;
mod scale;
mod spread;
mod view;

use crate::index::Index;
use crate::params::Params;
use crate::query::{Mode, Query};

pub use analysis::{Analysis, QueryTerm};
pub use explain::{Group, Hit, Part};
use late::LateQuery;
pub use ranking::Ranking;
use scale::Legs;
use spread::{Named, Spread, neighbours_of};
use view::{NONE, View};

/// Ranks the documents of one or several indexes for a query.
///
/// Several indexes rank as one corpus: statistics are summed and sessions of the same name are one session. The
/// answer holds at most `params.candidates` documents and borrows nothing.
pub fn search(indexes: &[&Index], query: &Query<'_>, params: &Params) -> Ranking {
    let view = View::new(indexes, &query.filter);
    let analysis = Analysis::new(query, &view, params);
    let params = &params.fitted(analysis.wants_several);
    let named = Named::new(&analysis.speakers);
    let words = lexical::score(&view, &analysis.terms, &named, params);
    let vector = query.vector.filter(|v| query.mode != Mode::Lexical && has_vectors(indexes, v.len()));
    let mut meaning = vector.map(|v| dense::score(&view, v, &named, params));

    let docs = pick::pick(&view, &words, meaning.as_ref(), query.mode, params);
    let near = neighbours_of(&view, &docs);
    let picked: Vec<_> = docs.into_iter().zip(near).collect();
    if let (Some(vector), Some(meaning)) = (vector, meaning.as_mut())
        && view.live() > params.exact_below
    {
        refine(&view, vector, meaning, &picked, &named, params);
    }
    let late = query.tokens.filter(|_| vector.is_some()).map(|t| LateQuery::new(t, &analysis.terms));
    let legs = Legs { words, meaning, late: late.filter(|l| !l.is_empty()) };
    let named_in = analysis.speakers.clone();
    Ranking::new(&view, legs, &picked, analysis, &Named::new(&named_in), query, params)
}

fn has_vectors(indexes: &[&Index], dim: usize) -> bool {
    dim > 0 && indexes.iter().any(|i| i.vectors().dim() == dim && i.vectors().count() > 0)
}

/// Scores the documents picked, and their neighbours, again from their 8-bit vectors.
fn refine(
    view: &View<'_>,
    vector: &[f32],
    meaning: &mut Spread,
    picked: &[(u32, [u32; 4])],
    named: &Named<'_>,
    params: &Params,
) {
    let mut exact: Vec<u32> = picked.iter().flat_map(|&(doc, near)| [doc].into_iter().chain(near)).collect();
    exact.sort_unstable();
    exact.dedup();
    exact.retain(|&doc| doc != NONE);
    dense::rescore(view, vector, exact.iter().copied(), &mut meaning.own);
    meaning.prior.fill(0.0);
    for &doc in &exact {
        let best = &mut meaning.prior[view.session_of[doc as usize] as usize];
        *best = best.max(meaning.own[doc as usize] * params.dense.session);
    }
    let leg = &params.dense;
    for &(doc, near) in picked {
        let own = |d: u32| if d == NONE { 0.0 } else { meaning.own[d as usize] };
        let spread: f32 = near.iter().zip(&leg.neighbours).map(|(&d, share)| own(d) * share).sum();
        let factor = if named.spoke(view, doc) { leg.speaker } else { 1.0 };
        let prior = meaning.prior[view.session_of[doc as usize] as usize];
        meaning.total[doc as usize] = (own(doc) + spread) * factor + prior;
    }
}
