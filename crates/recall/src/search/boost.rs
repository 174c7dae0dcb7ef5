//! What the dates, names and quotes of a question multiply onto the score of a document.

use super::analysis::{Analysis, Name};
use super::view::View;
use crate::params::Boosts;

/// Shares of a document's score that it gains, or loses below 0.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Gains {
    /// For lying in the window of time the question names.
    pub(crate) time: f32,
    /// For being new, where the question asks for that.
    pub(crate) recency: f32,
    /// For the entities it names.
    pub(crate) entity: f32,
    /// For the quoted phrases it holds.
    pub(crate) phrase: f32,
}

impl Gains {
    /// What the score of the other steps is multiplied by.
    pub(crate) fn factor(&self) -> f64 {
        1.0 + f64::from(self.time) + f64::from(self.recency) + f64::from(self.entity) + f64::from(self.phrase)
    }

    /// Gains of a document, but for its age, which only compares with that of others.
    pub(crate) fn of(view: &View<'_>, doc: u32, analysis: &Analysis, boosts: &Boosts) -> Self {
        let held = |names: &[Name]| names.iter().filter(|name| holds(view, doc, name)).count() as f32;
        let time = match analysis.window {
            None => 0.0,
            Some(window) if window.contains(view.meta(doc).occurred_at_us) => boosts.window,
            Some(_) => -boosts.window,
        };
        let entity = (boosts.entity * held(&analysis.entity_names)).min(boosts.names_cap);
        let phrase = (boosts.phrase * held(&analysis.phrase_names)).min(boosts.names_cap - entity);
        Self { time, recency: 0.0, entity, phrase }
    }
}

/// The gain of an instant between the oldest and the newest: from −`most` to `most`.
pub(crate) fn recency(at_us: i64, (oldest, newest): (i64, i64), most: f32) -> f32 {
    let span = newest.saturating_sub(oldest);
    if span <= 0 {
        return 0.0;
    }
    most * (at_us.saturating_sub(oldest) as f32 / span as f32 * 2.0 - 1.0)
}

/// Whether a document holds all terms of a name. Order is not known here: two words of a phrase apart count, too.
fn holds(view: &View<'_>, doc: u32, name: &Name) -> bool {
    let (index, id) = view.locate(doc);
    name.iter().all(|term| index.postings(term).binary_search_by_key(&id, |posting| posting.doc()).is_ok())
}
