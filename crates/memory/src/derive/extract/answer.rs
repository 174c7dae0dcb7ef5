//! What of a model's answer is believed: memories that name turns they were shown and share words with them.

use serde::Deserialize;

use crate::derive::Item;
use crate::derive::reading::{Statement, Wish};
use crate::derive::repeats::content_words;
use crate::derive::store::Unread;
use crate::memories::MemoryType;
use crate::redact::{Redactions, Redactor};
use crate::text::sanitise_text;

/// What a model may make; rules and procedures are for people.
pub(super) const TYPES: [MemoryType; 5] =
    [MemoryType::Fact, MemoryType::Preference, MemoryType::Episode, MemoryType::Decision, MemoryType::Task];
/// Memories for one turn.
const MOST_PER_TURN: usize = 5;
/// Longest text, in characters: one sentence.
const LONGEST: usize = 500;
/// What matters less is not kept.
const LEAST_IMPORTANCE: f64 = 0.3;
/// How sure a model's word is.
const CONFIDENCE: f64 = 0.6;

#[derive(Deserialize)]
struct Answer {
    memories: Vec<Noted>,
}

#[derive(Deserialize)]
struct Noted {
    text: String,
    r#type: String,
    importance: f64,
    events: Vec<String>,
}

/// The memories of an answer that hold up; `None` when it has not the form asked for.
pub(super) fn items(
    text: &str,
    window: &[(Unread, String)],
    by: &str,
    redactor: &Redactor,
) -> Option<Vec<Item>> {
    let answer: Answer = serde_json::from_str(text.trim()).ok()?;
    let given = answer.memories.len();
    let most = MOST_PER_TURN * window.len();
    let items: Vec<Item> = answer
        .memories
        .into_iter()
        .take(most)
        .filter_map(|noted| item(noted, window, by, redactor))
        .collect();
    let dropped = (given - items.len()) as u64;
    metrics::counter!("memory_derivations_total", "outcome" => "unfounded").increment(dropped);
    Some(items)
}

fn item(noted: Noted, window: &[(Unread, String)], by: &str, redactor: &Redactor) -> Option<Item> {
    let kind = MemoryType::parse(&noted.r#type).filter(|kind| TYPES.contains(kind))?;
    let (mut text, mut secrets) = (noted.text.trim().to_owned(), Redactions::default());
    sanitise_text(&mut text);
    redactor.clean_text(&mut text, &mut secrets);
    let is_fit = !text.is_empty() && text.chars().count() <= LONGEST && secrets.is_empty();
    let matters = (LEAST_IMPORTANCE..=1.0).contains(&noted.importance);
    if !is_fit || !matters || noted.events.is_empty() {
        return None;
    }
    let words = content_words(&text);
    let mut cited = Vec::new();
    for id in &noted.events {
        let says = |(chunk, said): &&(Unread, String)| {
            chunk.event_id == *id && !content_words(said).is_disjoint(&words)
        };
        cited.push(window.iter().find(says)?);
    }
    let mut chunks = cited.into_iter().map(|(chunk, _)| chunk.clone());
    let chunk = chunks.next()?;
    let (subject, days, has_happened) = (None, None, false);
    let (importance, confidence) = (noted.importance, CONFIDENCE);
    Some(Item {
        span: (0, chunk.length()),
        also: chunks.collect(),
        chunk,
        by: by.to_owned(),
        wish: Wish::Keep(Statement { kind, text, subject, importance, confidence, days, has_happened }),
        twin: None,
    })
}
