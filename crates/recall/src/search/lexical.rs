//! The lexical leg: BM25 over turns, spread over their sessions, with BM25 over whole sessions as prior.

use super::analysis::{QueryTerm, rarity};
use super::spread::{Named, Spread};
use super::view::View;
use crate::params::Params;

/// BM25 of turns and sessions for one query.
///
/// Robertson & Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), without the query-side
/// saturation: queries hold a word once.
pub(crate) fn score(view: &View<'_>, terms: &[QueryTerm], named: &Named<'_>, params: &Params) -> Spread {
    let mut own = vec![0.0_f32; view.slots()];
    let mut sessions = SessionScores::new(view);
    let turns = TurnNorm::new(view, params);
    for term in terms {
        for (offset, list) in view.postings(&term.term) {
            for posting in list {
                let doc = posting.doc() + offset;
                if view.is_readable(doc) {
                    own[doc as usize] += turns.gain(view, doc, posting.count(), term.weight);
                    sessions.count(view.session_of[doc as usize], posting.count());
                }
            }
        }
        sessions.close_term(view, params);
    }
    let best = own.iter().copied().fold(0.0, f32::max);
    let (prior, is_touched) = sessions.finish(params.lexical.session * best);
    Spread::new(view, &params.lexical, named, own, prior, |s| is_touched[s as usize], 0.0)
}

/// Length normalisation of turns, tabulated by length.
pub(crate) struct TurnNorm {
    by_length: Vec<f32>,
    k1: f32,
}

impl TurnNorm {
    pub(crate) fn new(view: &View<'_>, params: &Params) -> Self {
        let mean = (view.total_length() as f32 / view.live().max(1) as f32).max(1.0);
        let longest = view.length_of.iter().copied().max().unwrap_or(0);
        let norm = |length: u16| params.k1 * (1.0 - params.b + params.b * f32::from(length) / mean);
        Self { by_length: (0..=longest).map(norm).collect(), k1: params.k1 }
    }

    /// What a term found `count` times in a turn adds to its score.
    #[inline]
    pub(crate) fn gain(&self, view: &View<'_>, doc: u32, count: u32, weight: f32) -> f32 {
        let count = count as f32;
        let norm = self.by_length[view.length_of[doc as usize] as usize];
        weight * count * (self.k1 + 1.0) / (count + norm)
    }
}

/// BM25 of sessions, each taken as one long document.
struct SessionScores {
    scores: Vec<f32>,
    counts: Vec<u32>,
    touched: Vec<u32>,
    is_touched: Vec<bool>,
    live: usize,
    mean: f32,
}

impl SessionScores {
    fn new(view: &View<'_>) -> Self {
        let live = view.live_sessions();
        Self {
            scores: vec![0.0; view.sessions()],
            counts: vec![0; view.sessions()],
            touched: Vec::new(),
            is_touched: vec![false; view.sessions()],
            live,
            mean: (view.total_length() as f32 / live.max(1) as f32).max(1.0),
        }
    }

    #[inline]
    fn count(&mut self, session: u32, count: u32) {
        let sum = &mut self.counts[session as usize];
        if *sum == 0 {
            self.touched.push(session);
        }
        *sum += count;
    }

    fn close_term(&mut self, view: &View<'_>, params: &Params) {
        let weight = rarity(self.touched.len(), self.live);
        for session in self.touched.drain(..) {
            let slot = session as usize;
            let count = std::mem::take(&mut self.counts[slot]) as f32;
            let length = view.session_length(session) as f32;
            let norm = params.k1 * (1.0 - params.b + params.b * length / self.mean);
            self.scores[slot] += weight * count * (params.k1 + 1.0) / (count + norm);
            self.is_touched[slot] = true;
        }
    }

    /// Session scores scaled so that the best is `top`, and which sessions hold a term at all.
    fn finish(mut self, top: f32) -> (Vec<f32>, Vec<bool>) {
        let best = self.scores.iter().copied().fold(0.0, f32::max);
        let factor = if best > 0.0 { top / best } else { 0.0 };
        self.scores.iter_mut().for_each(|s| *s *= factor);
        (self.scores, self.is_touched)
    }
}
