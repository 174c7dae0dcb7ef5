//! What the rules read in a text: memories to add, things to forget, mistakes to put right.

use std::sync::LazyLock;

use kernel::Micros;
use regex::{Captures, Regex, RegexSet, RegexSetBuilder};

use super::clauses::{Clause, clauses};
use super::days::{self, Days};
use super::grammar::{is_no_habit, of_them, points_elsewhere, third_phrase, tidy};
use super::importance::{Signals, emotion, importance, specificity};
use super::rules::{LISTS, Makes, RULES, Rule, When};
use crate::memories::MemoryType;

/// Bytes that all patterns together may take.
const SET_BYTES: usize = 64 << 20;
/// Longest phrase that is kept, in words.
const LONGEST_PHRASE: usize = 24;
/// Longest subject, in characters, as everywhere.
const LONGEST_SUBJECT: usize = 256;

/// Who speaks, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Speaker<'a> {
    /// The caller's own id of them.
    pub(super) id: &'a str,
    /// What they are called.
    pub(super) name: &'a str,
    pub(super) is_person: bool,
    pub(super) at: Micros,
}

/// Something that was said and is worth keeping.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Statement {
    pub(super) kind: MemoryType,
    pub(super) text: String,
    pub(super) subject: Option<String>,
    pub(super) importance: f64,
    pub(super) confidence: f64,
    /// The days it speaks of.
    pub(super) days: Option<Days>,
    /// Whether those days have been.
    pub(super) has_happened: bool,
}

/// What a clause asks for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Wish {
    Keep(Statement),
    /// Take back what is known of this.
    Forget(String),
    /// Put the first in the place of the second.
    Correct(String, String),
}

/// A wish, the rule that found it, and where it stands in the text, bytes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reading {
    pub(super) rule: &'static str,
    pub(super) version: u32,
    pub(super) wish: Wish,
    pub(super) start: usize,
    pub(super) end: usize,
}

struct Compiled {
    any: RegexSet,
    each: Vec<Regex>,
}

static COMPILED: LazyLock<Compiled> = LazyLock::new(|| {
    let whole = |rule: &Rule| {
        let pattern =
            LISTS.iter().fold(rule.pattern.to_owned(), |text, (name, list)| text.replace(name, list));
        format!("(?i)^(?:{pattern})$")
    };
    let patterns: Vec<String> = RULES.iter().map(whole).collect();
    let each = patterns.iter().map(|pattern| Regex::new(pattern).expect("a pattern of ours is one"));
    let any = RegexSetBuilder::new(&patterns).size_limit(SET_BYTES).build();
    Compiled { each: each.collect(), any: any.expect("each of them is one") }
});

/// Reads a text by all rules: at most one reading a clause.
pub(super) fn read(text: &str, speaker: Speaker<'_>) -> Vec<Reading> {
    clauses(text).iter().filter_map(|clause| read_clause(clause, speaker, false)).collect()
}

fn read_clause(clause: &Clause, speaker: Speaker<'_>, is_explicit: bool) -> Option<Reading> {
    let hits = COMPILED.any.matches(&clause.text);
    hits.iter().filter(|at| speaker.is_person || RULES[*at].agents).find_map(|at| {
        let rule = &RULES[at];
        let found = COMPILED.each[at].captures(&clause.text)?;
        let made = Made { rule, found, clause, speaker, is_explicit };
        let (rule, wish) = match rule.makes {
            Makes::Memory(kind) => (rule, Wish::Keep(made.statement(kind)?)),
            Makes::Remember if !is_explicit => made.remembered()?,
            Makes::Forget => (rule, Wish::Forget(made.phrase("x").filter(|x| !points_elsewhere(x))?)),
            Makes::Correct if clause.corrects => (rule, Wish::Correct(made.phrase("x")?, made.phrase("y")?)),
            Makes::Remember | Makes::Correct => return None,
        };
        let Clause { start, end, .. } = *clause;
        Some(Reading { rule: rule.name, version: rule.version, wish, start, end })
    })
}

/// A rule that holds for a clause.
struct Made<'a> {
    rule: &'static Rule,
    found: Captures<'a>,
    clause: &'a Clause,
    speaker: Speaker<'a>,
    is_explicit: bool,
}

impl Made<'_> {
    fn group(&self, name: &str) -> Option<&str> {
        Some(self.found.name(name)?.as_str())
    }

    fn phrase(&self, name: &str) -> Option<String> {
        let phrase = tidy(self.group(name)?);
        let words = phrase.split(' ').count();
        (!phrase.is_empty() && words <= LONGEST_PHRASE).then_some(phrase)
    }

    fn statement(&self, kind: MemoryType) -> Option<Statement> {
        let at = self.speaker.at;
        let days = match self.rule.when {
            When::No => None,
            When::Maybe => days::ahead(&self.clause.text, at),
            When::Ahead => Some(days::ahead(&self.clause.text, at)?),
            When::Behind => Some(days::behind(&self.clause.text, at)?),
        };
        self.check()?;
        let said = self.fill(self.rule.says)?;
        let text = match days {
            Some(days) => format!("{said} ({})", days.label()),
            None => said,
        };
        let signals = Signals {
            emotion: emotion(&self.clause.text, self.clause.is_exclaimed),
            explicit: if self.is_explicit { 1.0 } else { 0.5 },
            times: 1,
            age_days: 0.0,
            specificity: specificity(&text, days.is_some()),
            personal: self.rule.personal,
        };
        let subject = match self.rule.attribute {
            "" => None,
            attribute => Some(self.subject(&self.fill(attribute)?)),
        };
        let sure = if self.is_explicit || self.clause.corrects { 0.95 } else { self.rule.confidence };
        Some(Statement {
            kind,
            text,
            subject,
            importance: importance(kind, signals),
            confidence: self.rule.confidence.max(sure),
            days,
            has_happened: self.rule.when == When::Behind,
        })
    }

    /// The words after "remember", by the rule that knows them or as they are.
    fn remembered(&self) -> Option<(&'static Rule, Wish)> {
        let (rule, phrase) = (self.rule, self.phrase("x")?);
        let inner = Clause { text: phrase.clone(), ..self.clause.clone() };
        if let Some(Reading { rule: name, wish: wish @ Wish::Keep(_), .. }) =
            read_clause(&inner, self.speaker, true)
        {
            let rule = RULES.iter().find(|rule| rule.name == name).unwrap_or(rule);
            return Some((rule, wish));
        }
        let first = phrase.split(' ').next().unwrap_or_default().to_lowercase();
        let is_talk = [
            "when", "how", "to", "what", "who", "why", "where", "us", "him", "her", "last", "you", "it",
            "that", "this",
        ];
        if phrase.split(' ').count() < 3 || is_talk.contains(&first.as_str()) || first == "me" {
            return None;
        }
        let days = days::ahead(&phrase, self.speaker.at);
        let text = match (first.as_str(), phrase.split_once(' ')) {
            ("i" | "we", Some((_, rest))) => format!("{} {}", self.speaker.name, third_phrase(rest)),
            ("my" | "our", Some((_, rest))) => format!("{}'s {}", self.speaker.name, of_them(rest)),
            _ => of_them(&phrase),
        };
        let text = days.map_or(text.clone(), |days| format!("{text} ({})", days.label()));
        let signals = Signals {
            emotion: emotion(&phrase, self.clause.is_exclaimed),
            explicit: 1.0,
            times: 1,
            age_days: 0.0,
            specificity: specificity(&text, days.is_some()),
            personal: 0.5,
        };
        let kind = MemoryType::Fact;
        let importance = importance(kind, signals);
        let confidence = rule.confidence;
        let kept = Statement { kind, text, subject: None, importance, confidence, days, has_happened: false };
        Some((rule, Wish::Keep(kept)))
    }

    /// What patterns alone cannot tell.
    fn check(&self) -> Option<()> {
        let x = self.phrase("x").or_else(|| self.phrase("x2"));
        let first = x.as_deref().and_then(|x| x.split([' ', ',']).next()).unwrap_or_default().to_lowercase();
        let is_fine = match self.rule.name {
            "taste" | "favourite" | "allergy" | "diet" | "skill" => {
                !x.as_deref().is_some_and(points_elsewhere) && !first.starts_with("to ")
            }
            "habit" => !x.as_deref().is_some_and(is_no_habit),
            "task" => !is_talk(&first) && x.as_deref().is_some_and(|x| x.contains(' ')),
            "work" => {
                !["a living", "a while", "a bit", "a change"].iter().any(|idle| x.as_deref() == Some(*idle))
            }
            "plan" => !["be", "see", "let", "not", "say", "think"].contains(&first.as_str()),
            "quantity" => !self.group("a").is_some_and(is_no_quantity),
            "age" => first.parse::<u32>().is_ok_and(|age| (3..=120).contains(&age)),
            _ => true,
        };
        is_fine.then_some(())
    }

    /// Puts what was said into a template; `None` when a phrase is empty or too long.
    fn fill(&self, template: &str) -> Option<String> {
        let mut out = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}')?;
            out.push_str(before);
            out.push_str(&self.value(name)?);
            rest = after;
        }
        out.push_str(rest);
        Some(out)
    }

    fn value(&self, name: &str) -> Option<String> {
        let who = self.speaker.name;
        Some(match name {
            "who" => who.to_owned(),
            "own" if self.group("o").is_some_and(|own| own.eq_ignore_ascii_case("the")) => "The".to_owned(),
            "own" => format!("{who}'s"),
            "w" if self.group("w").is_some_and(|w| w.eq_ignore_ascii_case("i")) => who.to_owned(),
            "w" => format!("{who}'s team"),
            _ => match name.strip_suffix(":s") {
                Some(name) => third_phrase(&self.phrase(name)?),
                // One of two groups took part.
                None if self.group(name).is_none() => String::new(),
                None => of_them(&self.phrase(name)?),
            },
        })
    }

    /// `<speaker>: <attribute>`: what is true of one is not contradicted by what is true of another.
    fn subject(&self, attribute: &str) -> String {
        let words = crate::memories::change::normalised(attribute);
        format!("{}: {words}", self.speaker.id).chars().take(LONGEST_SUBJECT).collect()
    }
}

/// "I have to say" is no task.
fn is_talk(verb: &str) -> bool {
    const VERBS: [&str; 20] = [
        "say",
        "admit",
        "agree",
        "ask",
        "know",
        "be",
        "confess",
        "wonder",
        "think",
        "tell",
        "disagree",
        "laugh",
        "believe",
        "stop",
        "mention",
        "understand",
        "warn",
        "see",
        "hear",
        "apologize",
    ];
    VERBS.contains(&verb)
}

/// Attributes of talk and of things that are not the speaker's.
fn is_no_quantity(attribute: &str) -> bool {
    const WORDS: [&str; 14] = [
        "answer", "result", "question", "number", "other", "first", "second", "last", "next", "same", "only",
        "reason", "point", "one",
    ];
    attribute.split(' ').any(|word| WORDS.contains(&word.to_lowercase().as_str()))
}
