//! Memories that have drifted away from what was said: their numbers, dates or status disagree with an event about the same.

use std::collections::BTreeSet;

use kernel::Micros;
use recall::text::{Language, Tokeniser, is_calendar_word};

use super::model::BundleConflict;
use crate::memories::change::rank;

/// Share of a memory's words that an event must hold to be about the same.
const SAME_SUBJECT: f64 = 0.6;
/// Words that the two must share at least.
const LEAST_SHARED: usize = 2;

/// Words of status, and what they come down to.
const STATUS: [(&str, &str); 14] = [
    ("open", "open"),
    ("pending", "open"),
    ("unfinished", "open"),
    ("done", "done"),
    ("finished", "done"),
    ("completed", "done"),
    ("complete", "done"),
    ("shipped", "done"),
    ("released", "done"),
    ("cancelled", "cancelled"),
    ("canceled", "cancelled"),
    ("abandoned", "cancelled"),
    ("enabled", "enabled"),
    ("disabled", "disabled"),
];

/// Something said, by a memory or in an event.
pub(super) struct Statement<'a> {
    pub(super) id: &'a str,
    pub(super) text: &'a str,
    pub(super) trust: &'a str,
    pub(super) at: Micros,
    /// Events that it rests on.
    pub(super) sources: &'a [String],
}

/// Reads statements and compares them.
pub(super) struct Guard {
    tokeniser: Tokeniser,
}

/// What a statement is about, and what it says of it.
struct Claims {
    subject: BTreeSet<String>,
    /// Numbers, dates and status, in the order of [`KINDS`].
    said: [BTreeSet<String>; 3],
}

const KINDS: [&str; 3] = ["number", "date", "status"];

impl Guard {
    pub(super) fn new() -> Self {
        Self { tokeniser: Tokeniser::new(Language::English) }
    }

    /// The memories that an event contradicts which is newer, trusted more, or their own source; the first such event of each.
    pub(super) fn conflicts(
        &self,
        memories: &[Statement<'_>],
        events: &[Statement<'_>],
    ) -> Vec<BundleConflict> {
        if memories.is_empty() {
            return Vec::new();
        }
        let known: Vec<Claims> = events.iter().map(|event| self.claims(event.text)).collect();
        let mut found = Vec::new();
        for memory in memories {
            let claims = self.claims(memory.text);
            let mut pairs = events.iter().zip(&known).filter(|(event, _)| outweighs(event, memory));
            found.extend(pairs.find_map(|(event, said)| conflict(memory, &claims, event, said)));
        }
        found
    }

    fn claims(&self, text: &str) -> Claims {
        let mut said: [BTreeSet<String>; 3] = Default::default();
        let mut previous = String::new();
        for word in text.split(|c: char| c.is_whitespace() || "()[]\"'“”‘’;:!?".contains(c)) {
            let word = word.trim_matches(|c: char| ".,".contains(c)).to_lowercase();
            let is_negated = matches!(previous.as_str(), "not" | "never" | "isn't" | "no");
            if is_date(&word) || is_calendar_word(&word) {
                said[1].insert(word.clone());
            } else if let Some(number) = number(&word) {
                said[0].insert(number);
            } else if let Some((_, status)) = STATUS.iter().find(|(known, _)| *known == word)
                && !is_negated
            {
                said[2].insert((*status).to_owned());
            }
            if !word.is_empty() {
                previous = word;
            }
        }
        let mut subject = BTreeSet::new();
        self.tokeniser.for_each(text, &mut |term, start, end| {
            let form = text[start..end].to_lowercase();
            let is_said = number(&form).is_some()
                || is_calendar_word(&form)
                || STATUS.iter().any(|(known, _)| *known == form);
            if !is_said && !term.starts_with(|c: char| c.is_ascii_digit()) {
                subject.insert(term.to_owned());
            }
        });
        Claims { subject, said }
    }
}

/// Whether an event counts more than a memory. A question says nothing.
fn outweighs(event: &Statement<'_>, memory: &Statement<'_>) -> bool {
    let is_source = memory.sources.iter().any(|source| source == event.id);
    let is_question = event.text.trim_end().ends_with('?');
    !is_question && (is_source || event.at > memory.at || rank(event.trust) > rank(memory.trust))
}

fn conflict(
    memory: &Statement<'_>,
    claims: &Claims,
    event: &Statement<'_>,
    said: &Claims,
) -> Option<BundleConflict> {
    let shared = claims.subject.intersection(&said.subject).count();
    if shared < LEAST_SHARED || (shared as f64) < SAME_SUBJECT * claims.subject.len() as f64 {
        return None;
    }
    let mut of_kind = KINDS.iter().zip(claims.said.iter().zip(&said.said));
    // Each says something that the other does not.
    let (kind, (a, b)) = of_kind.find(|(_, (a, b))| !a.is_subset(b) && !b.is_subset(a))?;
    Some(BundleConflict {
        kind,
        memory_id: memory.id.to_owned(),
        event_id: event.id.to_owned(),
        memory_says: a.iter().cloned().collect(),
        event_says: b.iter().cloned().collect(),
    })
}

/// A number in one way of writing: `65K`, `65,000` and `65000` are the same.
fn number(word: &str) -> Option<String> {
    let bare = word.trim_start_matches(['$', '€', '£', '~']).replace(',', "");
    let digits = bare.trim_end_matches(|c: char| c.is_alphabetic() || c == '%');
    let factor = match &bare[digits.len()..] {
        "" | "%" | "x" | "ms" | "s" | "h" | "kb" | "mb" | "gb" | "px" => 1.0,
        "k" => 1e3,
        "m" => 1e6,
        "bn" | "b" => 1e9,
        _ => return None,
    };
    let begins = digits.starts_with(|c: char| c.is_ascii_digit());
    digits.parse::<f64>().ok().filter(|_| begins).map(|value| (value * factor).to_string())
}

/// `2026-03-05`.
fn is_date(word: &str) -> bool {
    let shape = |(at, c): (usize, char)| if at == 4 || at == 7 { c == '-' } else { c.is_ascii_digit() };
    word.len() == 10 && word.chars().enumerate().all(shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said<'a>(id: &'a str, text: &'a str, trust: &'a str, at: i64) -> Statement<'a> {
        Statement { id, text, trust, at: Micros(at), sources: &[] }
    }

    #[test]
    fn numbers_dates_and_status_that_disagree_are_found() {
        for (memory, event, kind) in [
            (
                "The context budget is 32K tokens",
                "We set the context budget to 65,000 tokens",
                Some("number"),
            ),
            ("The context budget is 65K tokens", "We set the context budget to 65,000 tokens", None),
            ("The launch party is in March", "The launch party moved to April", Some("date")),
            ("The launch party is on 2026-03-05", "launch party: 2026-03-06", Some("date")),
            ("The billing migration is pending", "The billing migration is done.", Some("status")),
            ("The billing migration is pending", "The billing migration is not done.", None),
            ("The context budget is 32K tokens", "Lunch costs 12 euros today", None),
            ("The context budget is 32K tokens", "Is the context budget 65K tokens?", None),
        ] {
            let found = Guard::new()
                .conflicts(&[said("mem_a", memory, "agent", 1)], &[said("evt_b", event, "user", 2)]);
            assert_eq!(found.first().map(|one| one.kind), kind, "{memory} / {event}");
        }
    }

    #[test]
    fn only_what_counts_more_contradicts() {
        let text = ("The context budget is 32K tokens", "The context budget is 65K tokens");
        let found = |trust, at| {
            let memory = [said("mem_a", text.0, "agent", 10)];
            !Guard::new().conflicts(&memory, &[said("evt_b", text.1, trust, at)]).is_empty()
        };
        assert!(found("tool", 11) && found("user", 9));
        assert!(!found("agent", 9) && !found("tool", 9));
        let sources = ["evt_b".to_owned()];
        let memory = [Statement { sources: &sources, ..said("mem_a", text.0, "agent", 10) }];
        assert_eq!(Guard::new().conflicts(&memory, &[said("evt_b", text.1, "tool", 9)]).len(), 1);
    }
}
