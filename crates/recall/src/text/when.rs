//! When a question is about: dates in words, turned into a window of time by rules.
//!
//! English words, UTC days, weeks from Monday, seasons of the northern hemisphere. The first date found wins.

mod calendar;
mod relative;

use serde::Serialize;

use super::dates::{DAY_US, day_words};
use calendar::{Days, number, season};

/// A span of time, half open; both ends lie on midnight UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Window {
    /// First instant inside, µs since 1970 UTC; `None` is open.
    #[serde(rename = "from", serialize_with = "as_day")]
    pub from_us: Option<i64>,
    /// First instant past it; `None` is open.
    #[serde(rename = "to", serialize_with = "as_day")]
    pub to_us: Option<i64>,
}

impl Window {
    /// Whether an instant, µs since 1970 UTC, lies inside.
    pub fn contains(&self, at_us: i64) -> bool {
        self.from_us.is_none_or(|from| at_us >= from) && self.to_us.is_none_or(|to| at_us < to)
    }

    /// Finds the first date in a text. Relative words ("last March", "two weeks ago") count from `reference_us` and mean
    /// nothing without it.
    ///
    /// Knows ISO dates, days, months, years and seasons with and without a year, weekdays, "yesterday", "last", "this",
    /// "next" and "N … ago", and the words around them: between … and, from … to, since, after, before, until, and
    /// "the week before".
    pub fn in_text(text: &str, reference_us: Option<i64>) -> Option<Self> {
        let words = Words::new(text, reference_us);
        (0..words.list.len()).find_map(|at| {
            let (days, next) = words.date(at)?;
            let (from, to) = words.around(at, days, next);
            let instant = |day: i64| day.saturating_mul(DAY_US);
            Some(Self { from_us: from.map(instant), to_us: to.map(instant) })
        })
    }
}

/// Whether a lower-case word belongs to dates alone: a month or a weekday.
pub fn is_calendar_word(word: &str) -> bool {
    calendar::month(word).is_some() || calendar::weekday(word).is_some()
}

#[allow(clippy::ref_option, reason = "serde hands over a reference to the field")]
fn as_day<S: serde::Serializer>(at_us: &Option<i64>, to: S) -> Result<S::Ok, S::Error> {
    at_us.map(|at| format!("{}T00:00:00Z", day_words(at))).serialize(to)
}

/// The words of a text in lower case; figures keep their hyphens.
struct Words {
    list: Vec<String>,
    /// Day of the reference, since 1970.
    today: Option<i64>,
}

impl Words {
    fn new(text: &str, reference_us: Option<i64>) -> Self {
        let split = text.split(|c: char| !c.is_alphanumeric() && c != '-');
        let list = split.map(|word| word.trim_matches('-').to_lowercase()).filter(|word| !word.is_empty());
        Self { list: list.collect(), today: reference_us.map(|at| at.div_euclid(DAY_US)) }
    }

    fn word(&self, at: usize) -> &str {
        self.list.get(at).map_or("", String::as_str)
    }

    /// The word `back` places before `at`.
    fn before(&self, at: usize, back: usize) -> &str {
        at.checked_sub(back).map_or("", |at| self.word(at))
    }

    /// The date that begins at a word, and the word after it.
    fn date(&self, at: usize) -> Option<(Days, usize)> {
        self.iso(at)
            .or_else(|| self.relative(at))
            .or_else(|| self.day_month(at))
            .or_else(|| self.month_day(at))
            .or_else(|| self.in_season(at))
            .or_else(|| self.in_year(at))
    }

    /// `2023-05-08` or `2023-05`.
    fn iso(&self, at: usize) -> Option<(Days, usize)> {
        let mut parts = self.word(at).split('-').map(number);
        let year = parts.next()?.filter(|year| is_year(*year))?;
        let month = parts.next()??;
        let days = match parts.next() {
            None => Days::of_month(year, month)?,
            Some(day) => Days::of_day(year, month, day?)?,
        };
        Some((days, at + 1))
    }

    /// `8 May 2023`, `8th of May`.
    fn day_month(&self, at: usize) -> Option<(Days, usize)> {
        let day = ordinal(self.word(at))?;
        let name = at + 1 + usize::from(self.word(at + 1) == "of");
        let month = calendar::month(self.word(name))?;
        self.with_year(name + 1, |year| Days::of_day(year, month, day))
    }

    /// `May 8, 2023`, `May 2023`, `in May`. A month that is also another word needs a preposition or figures.
    fn month_day(&self, at: usize) -> Option<(Days, usize)> {
        let month = calendar::month(self.word(at))?;
        if let Some(day) = ordinal(self.word(at + 1)) {
            return self.with_year(at + 2, |year| Days::of_day(year, month, day));
        }
        let is_plain = !["may", "march", "mar", "sun", "sat", "dec", "jan"].contains(&self.word(at));
        let has_year = self.year(at + 1).is_some();
        let is_led = is_lead(self.before(at, 1));
        (is_plain || has_year || is_led)
            .then(|| self.with_year(at + 1, |year| Days::of_month(year, month)))?
    }

    /// `summer 2023`, `the summer of 2023`; without a year the latest that has begun.
    fn in_season(&self, at: usize) -> Option<(Days, usize)> {
        let month = season(self.word(at))?;
        let is_bare = self.year(at + 1).is_none() && !["of", "in"].contains(&self.word(at + 1));
        // "fall" and "spring" are verbs as well.
        if is_bare && !is_lead(self.before(at, 1)) && self.before(at, 1) != "the" {
            return None;
        }
        self.with_year(at + 1, |year| Some(Days::of_season(year, month)))
    }

    /// `in 2023`.
    fn in_year(&self, at: usize) -> Option<(Days, usize)> {
        let year = self.year(at).filter(|_| is_lead(self.before(at, 1)))?;
        Some((Days::of_year(year), at + 1))
    }

    /// Takes a year from the words at `at`, or the latest year in which `make` has begun by the reference.
    fn with_year(&self, at: usize, make: impl Fn(i64) -> Option<Days>) -> Option<(Days, usize)> {
        let skip = usize::from(["of", "in"].contains(&self.word(at)));
        if let Some(year) = self.year(at + skip) {
            return Some((make(year)?, at + skip + 1));
        }
        let today = self.today?;
        let this = calendar::year_of(today);
        // Four years reach the last 29 February of most readers.
        let latest = (0..=4).find_map(|back| make(this - back).filter(|days| days.from <= today))?;
        Some((latest, at))
    }

    fn year(&self, at: usize) -> Option<i64> {
        number(self.word(at)).filter(|year| is_year(*year) && self.word(at).len() == 4)
    }

    /// Opens or widens the date at `at..next` by the words around it.
    fn around(&self, at: usize, days: Days, next: usize) -> (Option<i64>, Option<i64>) {
        let at = at - usize::from(self.before(at, 1) == "the" || self.before(at, 1) == "of");
        let (lead, unit) = (self.before(at, 1), self.before(at, 2));
        let second = || {
            let joined = ["and", "to", "until", "till", "through"].contains(&self.word(next));
            let start = next + 1 + usize::from(self.word(next + 1) == "the");
            joined.then(|| self.date(start)).flatten().map(|(days, _)| days.to)
        };
        match lead {
            "between" | "from" => (Some(days.from), second().or(Some(days.to).filter(|_| lead == "between"))),
            "before" | "after" if calendar::length(unit).is_some() => {
                let length = calendar::length(unit).unwrap_or(1);
                let near = |from, to| (Some(from), Some(to));
                if lead == "before" {
                    near(days.from - length, days.from)
                } else {
                    near(days.to, days.to + length)
                }
            }
            "before" | "until" | "till" | "by" => {
                (None, Some(if lead == "by" { days.to } else { days.from }))
            }
            "after" => (Some(days.to), None),
            "since" => (Some(days.from), None),
            _ => (Some(days.from), Some(days.to)),
        }
    }
}

fn is_year(year: i64) -> bool {
    (1_900..=2_100).contains(&year)
}

/// Words before which a bare month, year or season is meant as a date.
fn is_lead(word: &str) -> bool {
    const LEADS: [&str; 17] = [
        "in", "of", "during", "since", "until", "till", "by", "before", "after", "between", "and", "from",
        "to", "early", "late", "mid", "around",
    ];
    LEADS.contains(&word)
}

/// `8`, `8th`, `21st`: 1–31.
fn ordinal(word: &str) -> Option<i64> {
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let is_ending = ["", "st", "nd", "rd", "th"].contains(&&word[digits.len()..]);
    number(digits).filter(|day| is_ending && digits.len() <= 2 && (1..=31).contains(day))
}

#[cfg(test)]
mod tests {
    use super::super::dates::micros_of_civil;
    use super::*;

    /// Friday, 10 November 2023, noon.
    fn friday() -> i64 {
        micros_of_civil(2023, 11, 10) + DAY_US / 2
    }

    /// The window as `from..to` in days, the open end left out.
    fn window(text: &str) -> String {
        let found = Window::in_text(text, Some(friday()));
        let day = |at: Option<i64>| at.map(day_words).unwrap_or_default();
        found.map_or_else(|| "none".to_owned(), |w| format!("{}..{}", day(w.from_us), day(w.to_us)))
    }

    #[test]
    fn dates_are_read_with_and_without_a_year() {
        for (text, expected) in [
            ("What happened on 2023-05-08?", "2023-05-08..2023-05-09"),
            ("in 2024-02", "2024-02-01..2024-03-01"),
            ("Who came on 8 May, 2023?", "2023-05-08..2023-05-09"),
            ("on May 8th 2022", "2022-05-08..2022-05-09"),
            ("the 3rd of June", "2023-06-03..2023-06-04"),
            ("on December 24", "2022-12-24..2022-12-25"),
            ("as of December 2023", "2023-12-01..2024-01-01"),
            ("in May", "2023-05-01..2023-06-01"),
            ("the trip in 2022", "2022-01-01..2023-01-01"),
            ("in summer 2021", "2021-06-01..2021-09-01"),
            ("during the winter of 2022", "2022-12-01..2023-03-01"),
            ("plans for the summer?", "2023-06-01..2023-09-01"),
            ("29 February", "2020-02-29..2020-03-01"),
        ] {
            assert_eq!(window(text), expected, "{text}");
        }
    }

    #[test]
    fn relative_words_count_from_the_reference() {
        for (text, expected) in [
            ("yesterday", "2023-11-09..2023-11-10"),
            ("the day before yesterday", "2023-11-08..2023-11-09"),
            ("today", "2023-11-10..2023-11-11"),
            ("last week", "2023-10-30..2023-11-06"),
            ("this week", "2023-11-06..2023-11-13"),
            ("next week", "2023-11-13..2023-11-20"),
            ("last weekend", "2023-11-04..2023-11-06"),
            ("last month", "2023-10-01..2023-11-01"),
            ("last year", "2022-01-01..2023-01-01"),
            ("last March", "2023-03-01..2023-04-01"),
            ("last November", "2022-11-01..2022-12-01"),
            ("last summer", "2023-06-01..2023-09-01"),
            ("last Friday", "2023-11-03..2023-11-04"),
            ("on Friday", "2023-11-10..2023-11-11"),
            ("two weeks ago", "2023-10-24..2023-10-31"),
            ("3 days ago", "2023-11-07..2023-11-08"),
            ("a year ago", "2022-01-01..2023-01-01"),
            ("five months ago", "2023-06-01..2023-07-01"),
            ("in the past 10 days", "2023-10-31..2023-11-11"),
        ] {
            assert_eq!(window(text), expected, "{text}");
        }
        assert_eq!(Window::in_text("what did she say last March?", None), None);
        assert!(Window::in_text("in March 2023", None).is_some());
    }

    #[test]
    fn words_around_a_date_open_or_widen_it() {
        for (text, expected) in [
            ("between May and July 2023", "2023-05-01..2023-08-01"),
            ("from 3 May 2023 to 5 June 2023", "2023-05-03..2023-06-06"),
            ("since June", "2023-06-01.."),
            ("after 8 May 2023", "2023-05-09.."),
            ("before the summer of 2022", "..2022-06-01"),
            ("by May 2023", "..2023-06-01"),
            ("the week before 16 November 2023", "2023-11-09..2023-11-16"),
            ("the month after May 2023", "2023-06-01..2023-07-01"),
        ] {
            assert_eq!(window(text), expected, "{text}");
        }
    }

    #[test]
    fn other_words_are_no_dates() {
        for text in ["She may march on", "2023 apples", "they fall", "", "13-45", "2023-13-01", "-"] {
            assert_eq!(window(text), "none", "{text}");
        }
        assert!(is_calendar_word("march") && is_calendar_word("friday") && !is_calendar_word("kite"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_safe(text in "\\PC{0,60}|((last|next|9{1,19}|ago|years|weeks|may|between|and|2023|-|31) ){0,8}", at: i64) {
            if let Some(Window { from_us: Some(from), to_us: Some(to) }) = Window::in_text(&text, Some(at)) {
                proptest::prop_assert!(from <= to || text.contains("and") || text.contains("to"));
            }
        }
    }
}
