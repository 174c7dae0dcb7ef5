//! What a query says, as far as rules can tell.

use std::collections::BTreeSet;

use serde::Serialize;

use super::view::View;
use crate::params::Params;
use crate::query::Query;
use crate::text::{Token, Tokeniser, Window, is_calendar_word};

/// Terms of an entity or a phrase.
pub(crate) type Name = Vec<String>;

/// One term a query searches for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QueryTerm {
    /// The stem looked up.
    pub term: String,
    /// The word as typed.
    pub form: String,
    /// Rarity in the scopes searched, natural logarithm, above 0.
    pub weight: f32,
    /// Documents that hold the term.
    pub documents: usize,
    /// First byte of the word in the query.
    #[serde(skip)]
    pub(crate) start: usize,
    /// One past its last byte.
    #[serde(skip)]
    pub(crate) end: usize,
}

/// A query taken apart; served beside the hits.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Analysis {
    /// Terms searched for, in order, each once.
    pub terms: Vec<QueryTerm>,
    /// Speakers of the scopes whom the query names.
    pub speakers: Vec<String>,
    /// Proper nouns of the query that are no speaker: runs of capitalised words, the first of a sentence left out.
    pub entities: Vec<String>,
    /// Texts in quotation marks.
    pub phrases: Vec<String>,
    /// The time the query is about, if it names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// Whether it asks for what is recent.
    #[serde(skip)]
    pub(crate) wants_recent: bool,
    /// Whether it asks for several things.
    #[serde(skip)]
    pub(crate) wants_several: bool,
    #[serde(skip)]
    pub(crate) entity_names: Vec<Name>,
    #[serde(skip)]
    pub(crate) phrase_names: Vec<Name>,
}

impl Analysis {
    pub(crate) fn new(query: &Query<'_>, view: &View<'_>, params: &Params) -> Self {
        let Some(first) = view.indexes.first() else {
            return Self::default();
        };
        let (text, tokeniser) = (query.text, first.tokeniser());
        let tokens = tokeniser.tokens(text);
        let mut speakers = BTreeSet::new();
        let mut kept: Vec<&Token> = Vec::new();
        let mut dropped: Vec<&Token> = Vec::new();
        for token in &tokens {
            let named = speakers_named(&text[token.start..token.end], view);
            if named.is_empty() {
                kept.push(token);
            } else {
                dropped.push(token);
            }
            speakers.extend(named);
        }
        let entities = entities(text, &kept);
        // A query of nothing but names still searches for them.
        if kept.is_empty() || !params.drop_speakers {
            kept.append(&mut dropped);
        }
        let mut terms: Vec<QueryTerm> = Vec::with_capacity(kept.len());
        for token in kept {
            if !terms.iter().any(|t| t.term == token.term) {
                terms.push(query_term(token, text, view));
            }
        }
        let phrases = phrases(text);
        Self {
            terms,
            speakers: speakers.into_iter().collect(),
            entity_names: names(&entities, tokeniser),
            phrase_names: names(&phrases, tokeniser),
            entities,
            phrases,
            window: Window::in_text(text, query.reference_us),
            wants_recent: wants_recent(text),
            wants_several: wants_several(text),
        }
    }
}

/// Runs of capitalised words, each once, but for dates and the beginnings of sentences.
fn entities(text: &str, tokens: &[&Token]) -> Vec<String> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for token in tokens {
        let form = &text[token.start..token.end];
        let before =
            text[..token.start].trim_end_matches(|c: char| !c.is_alphanumeric() && !".!?:".contains(c));
        let is_first = before.is_empty() || before.ends_with(['.', '!', '?', ':']);
        if is_first || !form.starts_with(char::is_uppercase) || is_calendar_word(&form.to_lowercase()) {
            continue;
        }
        match runs.last_mut() {
            // A part of the identifier before.
            Some(run) if token.start < run.1 => {}
            Some(run) if text[run.1..token.start] == *" " => run.1 = token.end,
            _ => runs.push((token.start, token.end)),
        }
    }
    let mut out: Vec<String> = Vec::new();
    for (start, end) in runs {
        let form = text[start..end].trim_end_matches("'s").trim_end_matches("\u{2019}s");
        if !out.iter().any(|known| known == form) {
            out.push(form.to_owned());
        }
    }
    out
}

fn names(texts: &[String], tokeniser: &Tokeniser) -> Vec<Name> {
    let terms = |text: &String| tokeniser.tokens(text).into_iter().map(|token| token.term).collect::<Name>();
    texts.iter().map(terms).filter(|terms| !terms.is_empty()).collect()
}

/// "How many …", "what has she …", a plural soon after "what" or "which", "both" or "all".
fn wants_several(text: &str) -> bool {
    let lower = text.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let is_plural = |word: &&str| word.len() > 3 && word.ends_with('s') && !word.ends_with("ss");
    match words.as_slice() {
        ["how", "many", ..] | ["what", "has" | "have", ..] => true,
        ["what" | "which", rest @ ..] if rest.iter().take(4).any(is_plural) => true,
        all => all.iter().any(|word| ["both", "all"].contains(word)),
    }
}

fn wants_recent(text: &str) -> bool {
    const WORDS: [&str; 7] = ["recent", "recently", "lately", "latest", "newest", "current", "currently"];
    text.split(|c: char| !c.is_alphanumeric()).any(|word| WORDS.iter().any(|w| w.eq_ignore_ascii_case(word)))
}

fn query_term(token: &Token, text: &str, view: &View<'_>) -> QueryTerm {
    let documents: usize = view.postings(&token.term).map(|(_, list)| list.len()).sum();
    QueryTerm {
        term: token.term.clone(),
        form: text[token.start..token.end].to_owned(),
        weight: rarity(documents, view.live()),
        documents,
        start: token.start,
        end: token.end,
    }
}

/// Inverse document frequency as in BM25 (Robertson & Zaragoza 2009), kept above 0 by adding 1 inside.
pub(crate) fn rarity(documents: usize, of: usize) -> f32 {
    let (n, df) = (of as f64, documents as f64);
    (1.0 + (n - df + 0.5) / (df + 0.5)).ln() as f32
}

/// Speakers a word names: written with a capital, or the whole of a name that is.
///
/// So `caroline` names Caroline, but a question about the operating system does not name the role `system`.
fn speakers_named(form: &str, view: &View<'_>) -> BTreeSet<String> {
    let word = form.to_lowercase().replace('\u{2019}', "'");
    let word = word.strip_suffix("'s").or(word.strip_suffix('\'')).unwrap_or(&word);
    let is_capital = form.starts_with(char::is_uppercase);
    let of_index = |(_, index): (u32, &crate::Index)| {
        let names = index.speakers_with(word).filter(|&n| is_capital || is_first_name(index, n));
        names.map(|n| index.name(n).to_owned()).collect::<Vec<_>>()
    };
    view.parts().flat_map(of_index).collect()
}

fn is_first_name(index: &crate::Index, name: u32) -> bool {
    index.name_words(name) == 1 && index.name(name).starts_with(char::is_uppercase)
}

fn phrases(text: &str) -> Vec<String> {
    let mut pieces = text.split(['"', '\u{201c}', '\u{201d}']);
    let mut out = Vec::new();
    pieces.next();
    while let (Some(inside), Some(_)) = (pieces.next(), pieces.next()) {
        if !inside.trim().is_empty() {
            out.push(inside.trim().to_owned());
        }
    }
    out
}
