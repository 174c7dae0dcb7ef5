//! The candidates of a search: scaled, fused, and ranked again once token codes are known.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::analysis::Analysis;
use super::boost::{self, Gains};
use super::explain::{self, Hit};
use super::late::LateQuery;
use super::lexical::TurnNorm;
use super::pick::two_weights;
use super::scale::{LegScore, Legs, Scores, fused, range, scaled};
use super::spread::Named;
use super::view::{NONE, View};
use crate::params::{Leg, Params};
use crate::query::{Mode, Query};

/// A candidate, or a neighbour of one.
pub(crate) struct Row {
    pub(crate) key: String,
    pub(crate) occurred_at_us: i64,
    pub(crate) session: u32,
    /// Whether the one speaker named spoke it.
    pub(crate) is_named: bool,
    /// Rows of the previous turn, the next, two back, two ahead; [`NONE`] where there is none.
    pub(crate) near: [u32; 4],
    pub(crate) words: LegScore,
    pub(crate) meaning: LegScore,
    pub(crate) late: LegScore,
    /// Score of each query term, when asked to explain.
    pub(crate) terms: Vec<f32>,
    pub(crate) gains: Gains,
    pub(crate) score: f64,
}

/// The best documents of a search, able to take token codes and to name the hits. Borrows nothing.
pub struct Ranking {
    pub(crate) analysis: Analysis,
    pub(crate) params: Params,
    /// Candidates first, then neighbours.
    pub(crate) rows: Vec<Row>,
    candidates: usize,
    by_key: HashMap<String, u32>,
    late: Option<LateQuery>,
    is_explained: bool,
    /// Weights of words, sentence vectors, late interaction.
    pub(crate) weights: [f32; 3],
    /// Brings boosted scores back to 0–1.
    pub(crate) unit: f64,
    mode: Mode,
}

impl Ranking {
    pub(crate) fn new(
        view: &View<'_>,
        legs: Legs,
        picked: &[(u32, [u32; 4])],
        analysis: Analysis,
        named: &Named<'_>,
        query: &Query<'_>,
        params: &Params,
    ) -> Self {
        let [words, meaning] = two_weights(query.mode, legs.meaning.is_some(), params);
        let mut out = Self {
            analysis,
            params: *params,
            rows: Vec::with_capacity(picked.len()),
            candidates: 0,
            by_key: HashMap::new(),
            late: None,
            is_explained: query.explain,
            weights: [words, meaning, 0.0],
            unit: 1.0,
            mode: query.mode,
        };
        let scores = Scores::new(view, &legs, picked);
        let chosen = out.choose(view, &scores, picked);
        out.add_rows(view, &scores, &chosen, named);
        out.add_recency();
        out.explain_terms(view, &chosen, params);
        out.late = legs.late;
        out.fuse();
        out
    }

    /// The query taken apart.
    pub fn analysis(&self) -> &Analysis {
        &self.analysis
    }

    /// What words, sentence vectors and late interaction weigh in the scores; they sum to 1.
    pub fn weights(&self) -> [f32; 3] {
        self.weights
    }

    /// Keys whose token codes [`Ranking::rerank`] wants; empty when the query brought no token vectors.
    pub fn candidates(&self) -> impl Iterator<Item = &str> {
        let wanted = if self.late.is_some() { self.candidates } else { 0 };
        self.rows[..wanted].iter().map(|row| row.key.as_str())
    }

    /// Number of candidates.
    pub fn len(&self) -> usize {
        self.candidates
    }

    /// Tells whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.candidates == 0
    }

    /// Takes the token codes (see [`crate::sign_codes`]) of candidates by key and ranks them again.
    ///
    /// Keys not asked for, and codes that are not whole tokens of the query's dimension, are passed over; a
    /// candidate without codes keeps its place by its words.
    pub fn rerank<'a>(&mut self, codes: impl IntoIterator<Item = (&'a str, &'a [u8])>) {
        let Some(late) = self.late.take() else { return };
        let mut any = false;
        for (key, bytes) in codes {
            if let Some(&row) = self.by_key.get(key)
                && let Some(own) = late.score(bytes)
            {
                let row = &mut self.rows[row as usize].late;
                (row.own, row.scaled) = (own, Some(0.0));
                any = true;
            }
        }
        self.late = Some(late);
        if any {
            self.spread_late();
            self.weights = if self.mode == Mode::Dense {
                let [_, meaning, late] = self.params.three;
                [0.0, meaning / (meaning + late), late / (meaning + late)]
            } else {
                self.params.three
            };
            self.fuse();
        }
    }

    /// The best hits, at most `limit`: score rounded to 1e-6, then newer, then key.
    pub fn top(&self, limit: usize) -> Vec<Hit> {
        let mut order: Vec<&Row> = self.rows[..self.candidates].iter().collect();
        order.sort_by(|a, b| compare(a, b));
        order.truncate(limit);
        let parts = |row| {
            if self.is_explained { explain::parts(self, row) } else { Vec::new() }
        };
        order
            .into_iter()
            .map(|row| Hit {
                key: row.key.clone(),
                score: row.score,
                occurred_at_us: row.occurred_at_us,
                explain: parts(row),
            })
            .collect()
    }

    /// The picked documents with the best fused scores, as places in `picked`.
    fn choose(
        &self,
        view: &View<'_>,
        scores: &Scores<'_>,
        picked: &[(u32, [u32; 4])],
    ) -> Vec<(u32, [u32; 4])> {
        let mut order: Vec<(f64, (u32, [u32; 4]))> = picked
            .iter()
            .map(|&(doc, near)| {
                let fused = fused(
                    &self.weights,
                    scores.words(view, doc),
                    scores.meaning(view, doc),
                    LegScore::default(),
                );
                let gains = Gains::of(view, doc, &self.analysis, &self.params.boosts);
                (fused * gains.factor(), (doc, near))
            })
            .collect();
        // Stable, and `picked` is already ordered by age and key among equals.
        order.sort_by(|a, b| b.0.total_cmp(&a.0));
        order.truncate(self.params.candidates);
        order.into_iter().map(|(_, doc)| doc).collect()
    }

    fn add_rows(
        &mut self,
        view: &View<'_>,
        scores: &Scores<'_>,
        chosen: &[(u32, [u32; 4])],
        named: &Named<'_>,
    ) {
        let mut place: HashMap<u32, u32> = HashMap::with_capacity(chosen.len() * 2);
        let mut docs: Vec<u32> = chosen.iter().map(|c| c.0).collect();
        place.extend(docs.iter().copied().zip(0..));
        self.candidates = docs.len();
        if self.is_explained {
            for &doc in chosen.iter().flat_map(|(_, near)| near).filter(|&&d| d != NONE) {
                place.entry(doc).or_insert_with(|| {
                    docs.push(doc);
                    docs.len() as u32 - 1
                });
            }
        }
        let row_of = |doc: u32| place.get(&doc).copied().unwrap_or(NONE);
        for (i, &doc) in docs.iter().enumerate() {
            let near = chosen.get(i).map_or([NONE; 4], |(_, near)| near.map(row_of));
            self.rows.push(Row {
                key: view.key(doc),
                occurred_at_us: view.meta(doc).occurred_at_us,
                session: view.session_of[doc as usize],
                is_named: named.spoke(view, doc),
                near,
                words: scores.words(view, doc),
                meaning: scores.meaning(view, doc),
                late: LegScore::default(),
                terms: Vec::new(),
                gains: Gains::of(view, doc, &self.analysis, &self.params.boosts),
                score: 0.0,
            });
        }
        self.by_key = self.rows[..self.candidates].iter().map(|row| row.key.clone()).zip(0..).collect();
    }

    fn explain_terms(&mut self, view: &View<'_>, chosen: &[(u32, [u32; 4])], params: &Params) {
        if !self.is_explained {
            return;
        }
        let norm = TurnNorm::new(view, params);
        for (row, &(doc, _)) in self.rows.iter_mut().zip(chosen) {
            let (index, id) = view.locate(doc);
            let gain = |term: &super::QueryTerm| {
                let list = index.postings(&term.term);
                let found = list.binary_search_by_key(&id, |p| p.doc());
                found.map_or(0.0, |at| norm.gain(view, doc, list[at].count(), term.weight))
            };
            row.terms = self.analysis.terms.iter().map(gain).collect();
        }
    }

    fn spread_late(&mut self) {
        let Leg { neighbours, speaker, session } = self.params.late;
        let mut best: HashMap<u32, f32> = HashMap::new();
        for row in &self.rows {
            let prior = best.entry(row.session).or_default();
            *prior = prior.max(row.late.own * session);
        }
        for i in 0..self.candidates {
            let own = |at: u32| self.rows.get(at as usize).map_or(0.0, |row| row.late.own);
            let row = &self.rows[i];
            let spread: f32 = row.near.iter().zip(&neighbours).map(|(&at, share)| own(at) * share).sum();
            let factor = if row.is_named { speaker } else { 1.0 };
            let prior = best.get(&row.session).copied().unwrap_or(0.0);
            let late = &mut self.rows[i].late;
            late.prior = prior;
            late.total = (late.own + spread) * factor + prior;
        }
        let known = self.rows[..self.candidates].iter().filter(|r| r.late.scaled.is_some());
        let (low, high) = range(known.map(|row| row.late.total));
        for row in &mut self.rows[..self.candidates] {
            row.late.scaled = row.late.scaled.map(|_| scaled(row.late.total, low, high));
        }
    }

    /// Where the question asks for what is recent, age counts among the candidates.
    fn add_recency(&mut self) {
        let rows = &mut self.rows[..self.candidates];
        let instants = || rows.iter().map(|row| row.occurred_at_us);
        if let (true, Some(oldest), Some(newest)) =
            (self.analysis.wants_recent, instants().min(), instants().max())
        {
            let most = self.params.boosts.recency;
            for row in rows {
                row.gains.recency = boost::recency(row.occurred_at_us, (oldest, newest), most);
            }
        }
    }

    fn fuse(&mut self) {
        let mut top = 1.0_f64;
        for row in &mut self.rows[..self.candidates] {
            row.score = fused(&self.weights, row.words, row.meaning, row.late) * row.gains.factor();
            top = top.max(row.score);
        }
        self.unit = 1.0 / top;
        for row in &mut self.rows[..self.candidates] {
            row.score *= self.unit;
        }
    }
}

fn compare(a: &Row, b: &Row) -> Ordering {
    let rounded = |row: &Row| (row.score * 1e6).round() as i64;
    let newer = || b.occurred_at_us.cmp(&a.occurred_at_us);
    rounded(b).cmp(&rounded(a)).then_with(newer).then_with(|| a.key.cmp(&b.key))
}
