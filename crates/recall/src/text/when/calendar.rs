//! Names and lengths of the calendar, and spans of whole days.

use super::super::dates::{DAY_US, MONTHS, civil, micros_of_civil};

/// Days since 1970, half open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Days {
    pub(super) from: i64,
    pub(super) to: i64,
}

impl Days {
    pub(super) fn one(day: i64) -> Self {
        Self::new(day, 1)
    }

    pub(super) fn new(from: i64, length: i64) -> Self {
        Self { from, to: from + length }
    }

    /// `None` for a day the month does not have.
    pub(super) fn of_day(year: i64, month: i64, day: i64) -> Option<Self> {
        let all = Self::of_month(year, month)?;
        (1..=all.to - all.from).contains(&day).then(|| Self::one(all.from + day - 1))
    }

    /// `month` 1–12.
    pub(super) fn of_month(year: i64, month: i64) -> Option<Self> {
        (1..=12).contains(&month).then(|| Self::of_months(year, month, 1))
    }

    pub(super) fn of_year(year: i64) -> Self {
        Self::of_months(year, 1, 12)
    }

    /// Three months from `month` on; a winter is named by the year of its December.
    pub(super) fn of_season(year: i64, month: i64) -> Self {
        Self::of_months(year, month, 3)
    }

    /// `count` months from `month` on, which may lie outside of 1–12.
    pub(super) fn of_months(year: i64, month: i64, count: i64) -> Self {
        Self { from: first_day(year, month), to: first_day(year, month + count) }
    }
}

fn first_day(year: i64, month: i64) -> i64 {
    let zero_based = month - 1;
    let year = year + zero_based.div_euclid(12);
    micros_of_civil(year, zero_based.rem_euclid(12) as usize + 1, 1).div_euclid(DAY_US)
}

/// Year of a day.
pub(super) fn year_of(day: i64) -> i64 {
    civil(day * DAY_US).0
}

/// Month of a day, 1–12.
pub(super) fn month_of(day: i64) -> i64 {
    civil(day * DAY_US).1 as i64
}

/// The Monday at or before a day; 1970 began on a Thursday.
pub(super) fn monday_of(day: i64) -> i64 {
    day - (day + 3).rem_euclid(7)
}

/// Number 1–12 of a month's name, whole or its first three letters.
pub(super) fn month(word: &str) -> Option<i64> {
    let is_short = word.len() == 3;
    let found = MONTHS.iter().position(|name| *name == word || (is_short && name.starts_with(word)));
    found.map(|at| at as i64 + 1)
}

/// Number of a weekday, Monday 0.
pub(super) fn weekday(word: &str) -> Option<i64> {
    const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    DAYS.iter().position(|day| *day == word).map(|at| at as i64)
}

/// First month of a season.
pub(super) fn season(word: &str) -> Option<i64> {
    match word {
        "spring" => Some(3),
        "summer" => Some(6),
        "autumn" | "fall" => Some(9),
        "winter" => Some(12),
        _ => None,
    }
}

/// Days of a unit, a month taken as 30.
pub(super) fn length(unit: &str) -> Option<i64> {
    match unit {
        "day" | "night" => Some(1),
        "weekend" | "week" => Some(7),
        "month" => Some(30),
        "year" => Some(365),
        _ => None,
    }
}

/// A whole number in figures of at most four, or in words up to twelve; "a" is one and "couple" two.
pub(super) fn number(word: &str) -> Option<i64> {
    const WORDS: [&str; 13] = [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
        "twelve",
    ];
    match word {
        "a" | "an" => Some(1),
        "couple" => Some(2),
        "few" => Some(3),
        _ if word.len() <= 4 && word.bytes().all(|b| b.is_ascii_digit()) => word.parse().ok(),
        _ => WORDS.iter().position(|name| *name == word).map(|at| at as i64),
    }
}
