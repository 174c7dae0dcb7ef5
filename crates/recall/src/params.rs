//! The constants of the recipe, each a field so that evaluation can switch it.

use serde::{Deserialize, Serialize};

/// How the score of one leg spreads over a session.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Leg {
    /// Shares taken from the previous turn, the next, two back and two ahead.
    pub neighbours: [f32; 4],
    /// Factor where exactly one speaker is named and spoke the turn; 1 switches it off.
    pub speaker: f32,
    /// Weight of the session prior relative to the best own score; 0 switches it off.
    pub session: f32,
}

/// What the dates, names and quotes of a question multiply onto a document's score: 0.1 is a tenth more. 0 switches a
/// step off.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Boosts {
    /// Gained inside the window of time the question names, and lost outside of it.
    pub window: f32,
    /// Gained by the newest candidate and lost by the oldest, where the question asks for what is recent.
    pub recency: f32,
    /// Gained for each entity of the question that the document names.
    pub entity: f32,
    /// Gained for each quoted phrase whose words the document holds.
    pub phrase: f32,
    /// Most that entities and phrases gain together.
    pub names_cap: f32,
}

/// All constants of a search. The defaults are the shipped recipe.
///
/// Source of the defaults: BM25, neighbours and speaker of the lexical leg are the recipe of the memory
/// specification; those of the vector legs and the fusion weights were chosen on LoCoMo dialogues with
/// all-MiniLM-L6-v2 by leaving one dialogue out, and rounded. Late interaction takes little from neighbours because
/// its token vectors have seen the previous turn already. Age, entities and phrases are off: they gained nothing there.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Params {
    /// BM25 saturation of repeated terms.
    pub k1: f32,
    /// BM25 share of length normalisation, 0–1.
    pub b: f32,
    /// Whether words of speakers' names leave the query.
    pub drop_speakers: bool,
    /// The lexical leg.
    pub lexical: Leg,
    /// The sentence-vector leg.
    pub dense: Leg,
    /// The late-interaction leg.
    pub late: Leg,
    /// Weights of words and sentence vectors before token codes are known; they sum to 1.
    pub two: [f32; 2],
    /// Weights of words, sentence vectors and late interaction; they sum to 1.
    pub three: [f32; 3],
    /// Dates, names and quotes.
    pub boosts: Boosts,
    /// What is left of the session priors where the question asks for several things: those lie in several sessions.
    pub several_sessions: f32,
    /// Candidates a ranking holds: what is asked for token codes, and the most that can be returned.
    pub candidates: usize,
    /// Best documents by 1-bit estimate that are scored again in 8 bits, neighbours included.
    pub seeds: usize,
    /// Below this number of documents every vector is scored in 8 bits.
    pub exact_below: usize,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            k1: 0.9,
            b: 0.4,
            drop_speakers: true,
            lexical: Leg { neighbours: [0.5, 0.4, 0.3, 0.2], speaker: 1.4, session: 0.5 },
            dense: Leg { neighbours: [0.4, 0.4, 0.2, 0.2], speaker: 1.2, session: 0.5 },
            late: Leg { neighbours: [0.1, 0.1, 0.05, 0.05], speaker: 1.2, session: 1.0 },
            two: [0.6, 0.4],
            three: [0.35, 0.2, 0.45],
            boosts: Boosts { window: 0.1, recency: 0.0, entity: 0.0, phrase: 0.0, names_cap: 0.4 },
            several_sessions: 0.5,
            candidates: 200,
            seeds: 512,
            exact_below: 4_096,
        }
    }
}

impl Params {
    /// The recipe for one question.
    pub(crate) fn fitted(&self, wants_several: bool) -> Self {
        let mut out = *self;
        if wants_several {
            for leg in [&mut out.lexical, &mut out.dense, &mut out.late] {
                leg.session *= self.several_sessions;
            }
        }
        out
    }
}
