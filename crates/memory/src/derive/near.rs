//! The same in other words: vectors nearly alike say so, where a model is there.

use std::collections::HashSet;

use kernel::{Result, TenantId};
use llm::{Input, Purpose};
use recall::Vector;

use super::Item;
use super::reading::{Statement, Wish};
use super::repeats::content_words;
use super::store::{self as sql, Neighbour};
use crate::Memory;

/// Cosine from which two memories are one.
const SAME: f64 = 0.95;
/// Memories of a scope that a new one is compared with, newest first.
const NEIGHBOURS: i64 = 2_000;

/// What says the same as an item.
#[derive(Clone, Debug)]
pub(super) enum Twin {
    /// A memory.
    Known(String),
    /// What becomes of an earlier item of the batch.
    Earlier(usize),
}

/// Names the twin of each new memory without a subject; those with one have their own rule. Without a model, or when it is
/// away, equal words alone count.
pub(super) async fn find_twins(
    memory: &Memory,
    tenant: &TenantId,
    scope_id: &str,
    items: &mut [Item],
) -> Result<()> {
    let Some(model) = memory.0.embedder.model_id() else { return Ok(()) };
    let is_open = |item: &Item| statement(item).is_some_and(|said| said.subject.is_none());
    let open: Vec<usize> = (0..items.len()).filter(|at| is_open(&items[*at])).collect();
    if open.is_empty() {
        return Ok(());
    }
    let texts = open.iter().filter_map(|at| Some(Input::new(&statement(&items[*at])?.text))).collect();
    let vectors = match memory.0.embedder.embed(Purpose::Document, texts).await {
        Ok(vectors) => vectors,
        Err(error) => {
            tracing::warn!(why = %error, "near-duplicates are not looked for");
            return Ok(());
        }
    };
    let mut conn = memory.0.store.read(tenant).await?;
    let known = sql::list_neighbours(&mut conn, tenant, scope_id, model, NEIGHBOURS).await?;
    for (n, at) in open.iter().enumerate() {
        let Some(said) = statement(&items[*at]) else { continue };
        let twin = closest(&known, said, &vectors[n].vector).map(Twin::Known).or_else(|| {
            let same = |m: &usize| {
                let other = statement(&items[open[*m]]);
                other.is_some_and(|other| other.kind == said.kind && agree(&other.text, &said.text))
                    && cosine(&vectors[*m].vector, &vectors[n].vector) >= SAME
            };
            (0..n).find(same).map(|m| Twin::Earlier(open[m]))
        });
        items[*at].twin = twin;
    }
    Ok(())
}

fn statement(item: &Item) -> Option<&Statement> {
    match &item.wish {
        Wish::Keep(statement) => Some(statement),
        Wish::Forget(_) | Wish::Correct(..) => None,
    }
}

fn closest(known: &[Neighbour], said: &Statement, vector: &[f32]) -> Option<String> {
    let alike =
        known.iter().filter(|other| other.r#type == said.kind.as_str() && agree(&other.text, &said.text));
    let scored = alike.map(|other| {
        let stored = Vector::from_bytes(other.scale as f32, &other.bytes);
        let other_vector: Vec<f32> = stored.codes().iter().map(|code| f32::from(*code)).collect();
        (cosine(&other_vector, vector), other)
    });
    let (score, best) = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (score >= SAME).then(|| best.memory_id.clone())
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    if a.len() != b.len() {
        return 0.0;
    }
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let length = (dot(a, a) * dot(b, b)).sqrt();
    if length > 0.0 { dot(a, b) / length } else { 0.0 }
}

/// Vectors hardly see figures and "not": two texts that differ in them are two memories.
fn agree(a: &str, b: &str) -> bool {
    let figures = |text: &str| {
        let words = text.split(|c: char| !c.is_alphanumeric() && c != '.' && c != '-');
        words
            .filter(|word| word.bytes().any(|b| b.is_ascii_digit()))
            .map(str::to_owned)
            .collect::<HashSet<_>>()
    };
    let denies = |text: &str| {
        let words = content_words(text);
        let denied = ["not", "no", "never", "nobody", "nothing", "without", "cannot", "longer"];
        denied.iter().filter(|word| words.contains(**word)).count()
    };
    figures(a) == figures(b) && denies(a) == denies(b)
}
