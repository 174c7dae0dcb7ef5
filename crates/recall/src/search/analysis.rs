//! What a query says, as far as rules can tell.

use std::collections::BTreeSet;

use serde::Serialize;

use super::view::View;
use crate::params::Params;
use crate::text::Token;

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
    /// Capitalised words inside the query that are no speaker.
    pub entities: Vec<String>,
    /// Texts in quotation marks.
    pub phrases: Vec<String>,
}

impl Analysis {
    pub(crate) fn new(text: &str, view: &View<'_>, params: &Params) -> Self {
        let Some(first) = view.indexes.first() else {
            return Self::default();
        };
        let tokens = first.tokeniser().tokens(text);
        let mut speakers = BTreeSet::new();
        let mut entities = Vec::new();
        let mut kept: Vec<&Token> = Vec::new();
        let mut dropped: Vec<&Token> = Vec::new();
        for token in &tokens {
            let form = &text[token.start..token.end];
            let named = speakers_named(form, view);
            if named.is_empty() {
                if token.start > 0 && form.starts_with(char::is_uppercase) {
                    entities.push(form.to_owned());
                }
                kept.push(token);
            } else {
                speakers.extend(named);
                dropped.push(token);
            }
        }
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
        entities.dedup();
        Self { terms, speakers: speakers.into_iter().collect(), entities, phrases: phrases(text) }
    }
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
