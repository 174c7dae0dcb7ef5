//! The steps every leg takes: neighbours inside the session, the speaker named, the session prior.

use super::view::{NONE, View};
use crate::params::Leg;

/// Documents whose speaker is the only one named.
pub(crate) struct Named<'a> {
    name: Option<&'a str>,
}

impl<'a> Named<'a> {
    pub(crate) fn new(speakers: &'a [String]) -> Self {
        Self { name: if let [one] = speakers { Some(one) } else { None } }
    }

    /// Per index, the number of the name.
    fn numbers(&self, view: &View<'_>) -> Vec<(u32, u32)> {
        let number = |index: &crate::Index| self.name.and_then(|n| index.find_name(n)).unwrap_or(NONE);
        view.parts().map(|(offset, index)| (offset, number(index))).collect()
    }

    pub(crate) fn spoke(&self, view: &View<'_>, doc: u32) -> bool {
        self.name.is_some_and(|name| view.speaker(doc) == name)
    }
}

/// Scores of one leg for all documents.
pub(crate) struct Spread {
    /// Each document by itself.
    pub(crate) own: Vec<f32>,
    /// With neighbours, speaker and session.
    pub(crate) total: Vec<f32>,
    /// What the session adds, by session; already weighted.
    pub(crate) prior: Vec<f32>,
}

impl Spread {
    /// Spreads `own` over the sessions marked in `is_touched`; elsewhere totals stay `rest`.
    pub(crate) fn new(
        view: &View<'_>,
        leg: &Leg,
        named: &Named<'_>,
        own: Vec<f32>,
        prior: Vec<f32>,
        is_touched: impl Fn(u32) -> bool,
        rest: f32,
    ) -> Self {
        let mut total = vec![rest; own.len()];
        let mut docs = Vec::new();
        for session in (0..view.sessions() as u32).filter(|&s| is_touched(s)) {
            view.session_docs(session, &mut docs);
            smooth(&docs, &own, &leg.neighbours, prior[session as usize], &mut total);
        }
        if leg.speaker != 1.0 && named.name.is_some() {
            boost(view, leg, named, &prior, &mut total);
        }
        Self { own, total, prior }
    }
}

fn smooth(docs: &[u32], own: &[f32], shares: &[f32; 4], prior: f32, total: &mut [f32]) {
    let [previous, next, two_back, two_ahead] = *shares;
    let at = |i: usize| docs.get(i).map_or(0.0, |&d| own[d as usize]);
    let (mut back2, mut back1, mut here, mut ahead1) = (0.0, 0.0, at(0), at(1));
    for (i, &doc) in docs.iter().enumerate() {
        let ahead2 = at(i + 2);
        let sum = here + previous * back1 + next * ahead1 + two_back * back2 + two_ahead * ahead2;
        total[doc as usize] = sum + prior;
        (back2, back1, here, ahead1) = (back1, here, ahead1, ahead2);
    }
}

fn boost(view: &View<'_>, leg: &Leg, named: &Named<'_>, prior: &[f32], total: &mut [f32]) {
    let mut parts = named.numbers(view).into_iter().zip(view.indexes).peekable();
    while let Some(((offset, name), index)) = parts.next() {
        let end = parts.peek().map_or(total.len(), |((o, _), _)| *o as usize);
        if name == NONE {
            continue;
        }
        for (slot, score) in total[offset as usize..end].iter_mut().enumerate() {
            if *score > 0.0 && index.meta(slot as u32).speaker == name {
                let before = prior[view.session_of[offset as usize + slot] as usize];
                *score = (*score - before) * leg.speaker + before;
            }
        }
    }
}

/// The readable neighbours of each document asked for: previous, next, two back, two ahead; [`NONE`] where none is.
pub(crate) fn neighbours_of(view: &View<'_>, docs: &[u32]) -> Vec<[u32; 4]> {
    let mut by_session: Vec<(u32, u32, usize)> =
        docs.iter().enumerate().map(|(i, &d)| (view.session_of[d as usize], d, i)).collect();
    by_session.sort_unstable();
    let mut out = vec![[NONE; 4]; docs.len()];
    let mut place = vec![0_u32; view.slots()];
    let mut order = Vec::new();
    for group in by_session.chunk_by(|a, b| a.0 == b.0) {
        view.session_docs(group[0].0, &mut order);
        for (i, &doc) in order.iter().enumerate() {
            place[doc as usize] = i as u32;
        }
        for &(_, doc, i) in group {
            let at = place[doc as usize] as usize;
            let near =
                |step: isize| at.checked_add_signed(step).and_then(|i| order.get(i)).copied().unwrap_or(NONE);
            out[i] = [near(-1), near(1), near(-2), near(2)];
        }
    }
    out
}
