//! Dates that count from a day of reference.

use super::Words;
use super::calendar::{Days, monday_of, month, month_of, number, season, weekday, year_of};

impl Words {
    /// `yesterday`, `last …`, `this …`, `next …`, `N … ago`, `on Friday`.
    pub(super) fn relative(&self, at: usize) -> Option<(Days, usize)> {
        let today = self.today?;
        let one = |day| Some((Days::one(day), at + 1));
        match self.word(at) {
            "today" | "tonight" => one(today),
            "yesterday" => one(today - 1),
            "tomorrow" => one(today + 1),
            "last" | "past" | "previous" => {
                self.counted(at + 1, today).or_else(|| self.named(at + 1, today, -1))
            }
            "this" => self.named(at + 1, today, 0),
            "next" => self.named(at + 1, today, 1),
            word => match weekday(word) {
                Some(day) if self.before(at, 1) == "on" => one(today - (today + 3 - day).rem_euclid(7)),
                _ => self.ago(at, today),
            },
        }
    }

    /// The unit, month, season or weekday at `at`, one before (`step` −1), around (0) or after (1) the reference.
    fn named(&self, at: usize, today: i64, step: i64) -> Option<(Days, usize)> {
        let word = self.word(at);
        let (year, monday) = (year_of(today), monday_of(today));
        let days = match word {
            "day" | "night" => Days::one(today + step),
            "week" => Days::new(monday + 7 * step, 7),
            "weekend" => Days::new(monday + 5 + 7 * step, 2),
            "month" => Days::of_months(year, month_of(today) + step, 1),
            "year" => Days::of_year(year + step),
            _ => {
                let of_year = |year| match (month(word), season(word)) {
                    (Some(month), _) => Days::of_month(year, month),
                    (_, Some(month)) => Some(Days::of_season(year, month)),
                    _ => None,
                };
                if let Some(day) = weekday(word) {
                    Days::one(nearest(step, today, |week| monday + day + 7 * week))
                } else {
                    // Last: over before the reference. This: the one of this year. Next: begins after it.
                    let fits = |days: &Days| match step {
                        -1 => days.to <= today,
                        0 => true,
                        _ => days.from > today,
                    };
                    let years = if step == 0 { [0, 0] } else { [0, step] };
                    let before = if step < 0 { [step, 2 * step] } else { years };
                    years.into_iter().chain(before).find_map(|away| of_year(year + away).filter(fits))?
                }
            }
        };
        Some((days, at + 1))
    }

    /// `10 days` after "last": up to the reference.
    fn counted(&self, at: usize, today: i64) -> Option<(Days, usize)> {
        let (count, unit) = (number(self.word(at))?, unit_days(self.word(at + 1))?);
        Some((Days { from: today - count * unit, to: today + 1 }, at + 2))
    }

    /// `two weeks ago`: the day, the week around it, the month or the year.
    fn ago(&self, at: usize, today: i64) -> Option<(Days, usize)> {
        let count = number(self.word(at))?;
        let of = at + 1 + usize::from(self.word(at + 1) == "of");
        (self.word(of + 1) == "ago").then_some(())?;
        let days = match self.word(of) {
            "day" | "days" => Days::one(today - count),
            "week" | "weeks" => Days::new(today - 7 * count - 3, 7),
            "month" | "months" => Days::of_months(year_of(today), month_of(today) - count, 1),
            "year" | "years" => Days::of_year(year_of(today) - count),
            _ => return None,
        };
        Some((days, of + 2))
    }
}

/// The weekday before, of, or after the week of the reference that `day` gives by week.
fn nearest(step: i64, today: i64, day: impl Fn(i64) -> i64) -> i64 {
    match step {
        -1 if day(0) < today => day(0),
        1 if day(0) > today => day(0),
        _ => day(step),
    }
}

fn unit_days(unit: &str) -> Option<i64> {
    super::calendar::length(unit.strip_suffix('s').unwrap_or(unit))
}
