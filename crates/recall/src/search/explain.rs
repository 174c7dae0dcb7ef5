//! Why a hit stands where it stands: parts that add up to its score.

use serde::Serialize;

use super::ranking::{Ranking, Row};
use super::scale::LegScore;
use crate::params::Leg;

/// One document found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hit {
    /// The key it was indexed by.
    pub key: String,
    /// 0–1, comparable within one answer.
    pub score: f64,
    /// When it happened, µs UTC.
    pub occurred_at_us: i64,
    /// Parts of the score; they sum to it within 1e-6. Empty unless asked for.
    pub explain: Vec<Part>,
}

/// The bar of a chart a part belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// The words of the turn itself.
    Words,
    /// What the turns around it add.
    Neighbours,
    /// Nearness in meaning of the turn itself.
    Meaning,
    /// Its session, its speaker, its time.
    Context,
}

/// One addend of a score.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Part {
    /// `lexical`, `neighbours`, `speaker`, `session`, `semantic`, `late_interaction`, `fusion`, `time`, `recency`,
    /// `entity` or `phrase`.
    pub kind: &'static str,
    /// The bar it belongs to.
    pub group: Group,
    /// For people: the word matched, or what was done.
    pub label: String,
    /// Its share of the score; sums with the others to it.
    pub value: f64,
    /// Raw measure behind it, where one exists: a cosine for the vector legs, BM25 for words.
    pub raw: Option<f64>,
    /// The turn that contributed, for neighbours.
    pub from: Option<String>,
}

/// Reads the score of one leg from a row.
type Read = fn(&Row) -> LegScore;

/// How one leg names its own part.
struct Voice {
    kind: &'static str,
    label: &'static str,
    adjective: &'static str,
}

const WORDS: Voice = Voice { kind: "lexical", label: "words", adjective: "words" };
const MEANING: Voice = Voice { kind: "semantic", label: "similar meaning", adjective: "meaning" };
const LATE: Voice =
    Voice { kind: "late_interaction", label: "matching expressions", adjective: "expressions" };

pub(crate) fn parts(ranking: &Ranking, row: &Row) -> Vec<Part> {
    let [words, meaning, late] = ranking.weights;
    let params = &ranking.params;
    let mut out = Vec::new();
    let stand_in = row.words.scaled;
    let legs: [(&Voice, &Leg, f32, LegScore, Read); 3] = [
        (&WORDS, &params.lexical, words, row.words, |r| r.words),
        (&MEANING, &params.dense, meaning, row.meaning, |r| r.meaning),
        (&LATE, &params.late, late, row.late, |r| r.late),
    ];
    for (voice, leg, weight, score, of) in legs {
        let weight = f64::from(weight);
        match score.scaled {
            _ if weight == 0.0 => {}
            Some(scaled) => {
                let raw = raw_parts(ranking, row, voice, leg, score, of);
                settle(raw, weight * f64::from(scaled), voice, &mut out);
            }
            None => {
                let value = weight * f64::from(stand_in.unwrap_or(0.0));
                let label = format!("words, standing in for {}", voice.adjective);
                out.push(Part { kind: "fusion", group: Group::Words, label, value, raw: None, from: None });
            }
        }
    }
    boost(ranking, row, &mut out);
    out.retain(|part| part.value != 0.0);
    out
}

/// Adds what dates, names and quotes multiplied, as the increments they caused.
fn boost(ranking: &Ranking, row: &Row, out: &mut Vec<Part>) {
    let base: f64 = out.iter().map(|part| part.value).sum();
    let asked = &ranking.analysis;
    let time =
        if row.gains.time > 0.0 { "within the time asked for" } else { "outside of the time asked for" };
    for (kind, group, label, gain) in [
        ("time", Group::Context, time.to_owned(), row.gains.time),
        ("recency", Group::Context, "how recent it is".to_owned(), row.gains.recency),
        ("entity", Group::Words, format!("names {}", asked.entities.join(", ")), row.gains.entity),
        (
            "phrase",
            Group::Words,
            format!("holds \u{201c}{}\u{201d}", asked.phrases.join(", ")),
            row.gains.phrase,
        ),
    ] {
        out.push(Part { kind, group, label, value: base * f64::from(gain), raw: None, from: None });
    }
    for part in out {
        part.value *= ranking.unit;
    }
}

/// The addends of a leg's total, before it is scaled.
fn raw_parts(ranking: &Ranking, row: &Row, voice: &Voice, leg: &Leg, score: LegScore, of: Read) -> Vec<Part> {
    let part = |kind, group, label: String, value: f32, from: Option<String>| {
        let value = f64::from(value);
        Part { kind, group, label, value, raw: None, from }
    };
    let mut out = own_parts(ranking, row, voice, score.own);
    let mut near_sum = 0.0;
    for ((&at, &share), which) in row.near.iter().zip(&leg.neighbours).zip([
        "turn before",
        "next turn",
        "turn two back",
        "turn two ahead",
    ]) {
        let Some(near) = ranking.rows.get(at as usize) else {
            continue;
        };
        let value = of(near).own * share;
        near_sum += value;
        let label = format!("{} in the {which}", voice.adjective);
        out.push(part("neighbours", Group::Neighbours, label, value, Some(near.key.clone())));
    }
    if row.is_named {
        let gain = (score.own + near_sum) * (leg.speaker - 1.0);
        out.push(part("speaker", Group::Context, "spoken by who is named".to_owned(), gain, None));
    }
    out.push(part("session", Group::Context, format!("session: {}", voice.adjective), score.prior, None));
    out
}

fn own_parts(ranking: &Ranking, row: &Row, voice: &Voice, own: f32) -> Vec<Part> {
    let (kind, raw) = (voice.kind, |v: f32| Some(f64::from(v)));
    if kind != WORDS.kind {
        let (label, value) = (voice.label.to_owned(), f64::from(own));
        return vec![Part { kind, group: Group::Meaning, label, value, raw: raw(own), from: None }];
    }
    let terms = ranking.analysis.terms.iter().zip(&row.terms).filter(|(_, gain)| **gain > 0.0);
    terms
        .map(|(term, &gain)| {
            let label = term.form.clone();
            Part { kind, group: Group::Words, label, value: f64::from(gain), raw: raw(gain), from: None }
        })
        .collect()
}

/// Scales addends so that they sum to `value`; where they nearly cancel out, one part stands for all.
fn settle(mut raw: Vec<Part>, value: f64, voice: &Voice, out: &mut Vec<Part>) {
    let sum: f64 = raw.iter().map(|p| p.value).sum();
    let size: f64 = raw.iter().map(|p| p.value.abs()).sum();
    if sum > 0.25 * size {
        for part in &mut raw {
            part.value *= value / sum;
        }
        out.append(&mut raw);
        return;
    }
    let group = if voice.kind == WORDS.kind { Group::Words } else { Group::Meaning };
    out.push(Part { kind: voice.kind, group, label: voice.label.to_owned(), value, raw: None, from: None });
}
