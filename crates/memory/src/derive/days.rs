//! Days that are meant by words: what lies ahead of an event for plans, what lies behind it for what happened.

use std::sync::LazyLock;

use kernel::Micros;
use recall::text::Window;
use regex::Regex;

/// Longest span that still is a date, in days.
const LONGEST_DAYS: i64 = 366;

static IN_SOME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\bin (an?|one|two|three|four|five|six|seven|eight|nine|ten|a couple of|\d{1,3}) (day|week|month|year)s?\b")
        .expect("a pattern of ours is one")
});
static PAST: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:last|ago|yesterday|previous|past)\b").expect("a pattern of ours is one")
});
static NAMED_DAY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b").expect("a pattern of ours is one")
});

/// Days in UTC, half open, at midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Days {
    pub(super) from: Micros,
    pub(super) to: Micros,
}

impl Days {
    /// `2026-02-06`, or `2026-02-09 to 2026-02-15`.
    pub(super) fn label(self) -> String {
        let day = |at: Micros| at.to_string().chars().take(10).collect::<String>();
        let last = self.to.plus(-Micros::DAY);
        if last <= self.from { day(self.from) } else { format!("{} to {}", day(self.from), day(last)) }
    }

    fn in_text(text: &str, at: Micros) -> Option<Self> {
        let window = Window::in_text(text, Some(at.0))?;
        let days = Self { from: Micros(window.from_us?), to: Micros(window.to_us?) };
        (days.to.0 - days.from.0 <= LONGEST_DAYS * Micros::DAY).then_some(days)
    }
}

/// The days a plan speaks of, said at `at`. "On Friday" and "in May" mean the next ones.
pub(super) fn ahead(text: &str, at: Micros) -> Option<Days> {
    if PAST.is_match(text) {
        return None;
    }
    if let Some(days) = in_some(text, at) {
        return Some(days);
    }
    let today = Micros(at.0 - at.0.rem_euclid(Micros::DAY));
    let is_ahead = |days: &Days| days.to > today;
    let later = |days: i64| Days::in_text(text, at.plus(days * Micros::DAY)).filter(is_ahead);
    let said = Days::in_text(text, at)?;
    if is_ahead(&said) {
        return Some(said);
    }
    // The parser reads a bare name as the last one before its reference: asked from later on, it names the next one.
    if NAMED_DAY.is_match(text) { later(7) } else { later(365).filter(|days| days.from > today) }
}

/// The days on which something happened, told at `at`.
pub(super) fn behind(text: &str, at: Micros) -> Option<Days> {
    Days::in_text(text, at).filter(|days| days.from <= at)
}

fn in_some(text: &str, at: Micros) -> Option<Days> {
    let found = IN_SOME.captures(text)?;
    let count = match found[1].to_lowercase().as_str() {
        "a" | "an" | "one" => 1,
        "two" | "a couple of" => 2,
        word => {
            const WORDS: [&str; 8] = ["three", "four", "five", "six", "seven", "eight", "nine", "ten"];
            let named = WORDS.iter().position(|name| *name == word).map(|at| at as i64 + 3);
            named.or_else(|| word.parse().ok())?
        }
    };
    let (away, length) = match found[2].to_lowercase().as_str() {
        "day" => (count, 1),
        "week" => (7 * count, 7),
        "month" => (30 * count, 30),
        _ => (365 * count, 365),
    };
    let day = at.0.div_euclid(Micros::DAY) + away;
    let half = (length - 1) / 2;
    let instant = |day: i64| Micros(day.saturating_mul(Micros::DAY));
    Some(Days { from: instant(day - half), to: instant(day - half + length) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Thursday.
    fn thursday() -> Micros {
        Micros::parse("2026-02-05T12:00:00Z").unwrap()
    }

    #[test]
    fn plans_lie_ahead_and_stories_behind() {
        let label = |days: Option<Days>| days.map_or_else(|| "none".to_owned(), Days::label);
        for (text, expected) in [
            ("tomorrow", "2026-02-06"),
            ("on Friday", "2026-02-06"),
            ("on Monday at nine", "2026-02-09"),
            ("next week", "2026-02-09 to 2026-02-15"),
            ("in two weeks", "2026-02-16 to 2026-02-22"),
            ("in 3 days", "2026-02-08"),
            ("on May 8", "2026-05-08"),
            ("on 2026-12-24", "2026-12-24"),
            ("in January", "2027-01-01 to 2027-01-31"),
            ("today", "2026-02-05"),
            ("last week", "none"),
            ("some day", "none"),
        ] {
            assert_eq!(label(ahead(text, thursday())), expected, "{text}");
        }
        for (text, expected) in [
            ("yesterday", "2026-02-04"),
            ("on Monday", "2026-02-02"),
            ("last summer", "2025-06-01 to 2025-08-31"),
            ("in 2019", "2019-01-01 to 2019-12-31"),
            ("tomorrow", "none"),
        ] {
            assert_eq!(label(behind(text, thursday())), expected, "{text}");
        }
    }
}
