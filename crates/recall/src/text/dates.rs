//! Calendar arithmetic on µs since 1970 UTC, and a date written out in the words people use.

pub(super) const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
pub(super) const DAY_US: i64 = 86_400_000_000;

/// Year, month (1–12) and day (1–31) in UTC of an instant in µs since 1970.
///
/// Proleptic Gregorian calendar; the day count is turned into a date by H. Hinnant's
/// `civil_from_days` (<https://howardhinnant.github.io/date_algorithms.html>).
pub fn civil(at_us: i64) -> (i64, usize, i64) {
    let days = at_us.div_euclid(DAY_US) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month as usize, day)
}

/// µs since 1970 of the start of a day in UTC: the inverse of [`civil`] (`days_from_civil`, same source).
///
/// `month` 1–12; years up to ±290,000.
pub fn micros_of_civil(year: i64, month: usize, day: i64) -> i64 {
    let month = month as i64;
    let shifted_year = year - i64::from(month <= 2);
    let era = shifted_year.div_euclid(400);
    let year_of_era = shifted_year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (era * 146_097 + day_of_era - 719_468).saturating_mul(DAY_US)
}

/// The UTC date of `at_us` in words, for indexing: `"8 may 2023"`.
pub fn date_words(at_us: i64) -> String {
    let (year, month, day) = civil(at_us);
    format!("{day} {} {year}", MONTHS[month - 1])
}

/// The UTC date of `at_us` as in ISO 8601: `"2023-05-08"`.
pub(super) fn day_words(at_us: i64) -> String {
    let (year, month, day) = civil(at_us);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_become_dates_in_words() {
        assert_eq!(date_words(0), "1 january 1970");
        assert_eq!(date_words(-1), "31 december 1969");
        assert_eq!(date_words(1_683_554_160_000_000), "8 may 2023");
        assert_eq!(date_words(1_709_164_800_000_000), "29 february 2024");
    }

    #[test]
    fn dates_and_instants_are_inverse() {
        for day in (-800_000..800_000).step_by(97) {
            let (year, month, day_of_month) = civil(day * DAY_US);
            assert_eq!(micros_of_civil(year, month, day_of_month), day * DAY_US);
        }
    }

    #[test]
    fn the_ends_of_time_are_dates_too() {
        assert!(civil(i64::MIN).0 < 0);
        assert!(civil(i64::MAX).0 > 290_000);
    }
}
