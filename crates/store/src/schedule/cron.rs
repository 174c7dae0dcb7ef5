//! When a cron text is due in a time zone, with a rule for the days on which clocks are changed.
//!
//! A text with a fixed hour names times on a wall clock, and each of them comes once: one that the change skips comes at the
//! moment of the change, one that the change repeats comes the first time. A text whose hour begins with `*` names a
//! rhythm, and follows the minutes that really pass. (The rules of Vixie's cron.)

use cronexpr::jiff::civil::DateTime;
use cronexpr::jiff::tz::{AmbiguousOffset, TimeZone};
use cronexpr::jiff::{SignedDuration, Timestamp};
use cronexpr::{Crontab, MakeTimestamp};
use kernel::Micros;

/// No change of clocks moves them further; the days that islands skipped with the date line are the longest.
const LONGEST_CHANGE: SignedDuration = SignedDuration::from_hours(25);

/// A cron text in a time zone.
#[derive(Clone, Debug)]
pub struct Cron {
    /// The text as if the wall clock were UTC, for wall times; in the zone itself, for a rhythm.
    crontab: Crontab,
    zone: TimeZone,
    is_rhythm: bool,
}

impl Cron {
    /// Reads five fields (minute, hour, day of month, month, day of week) and the name of a zone such as `Europe/Berlin`.
    ///
    /// # Errors
    /// What is wrong and the cure, as one sentence: form, an unknown zone, or a text that never comes due.
    pub fn parse(text: &str, zone: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        if fields.len() != 5 {
            return Err(format!(
                "`{text}` has {} fields and needs 5: minute, hour, day of month, month, day of week, such as `0 2 * * *`",
                fields.len()
            ));
        }
        let unknown = || format!("`{zone}` is no time zone; name one such as Europe/Berlin or UTC");
        let known = TimeZone::get(zone).map_err(|_| unknown())?;
        let is_rhythm = fields[1].starts_with('*');
        let place = if is_rhythm { zone } else { "UTC" };
        let crontab = cronexpr::parse_crontab(&format!("{} {place}", fields.join(" ")))
            .map_err(|error| format!("`{text}` is no cron text: {}", first_line(&error.to_string())))?;
        let cron = Self { crontab, zone: known, is_rhythm };
        // A date such as 30 February never comes; the search gives up after four years.
        match cron.next_after(Micros(0)) {
            Some(_) => Ok(cron),
            None => Err(format!("`{text}` never comes due; name a day that exists")),
        }
    }

    /// The first time after `after`; `None` when there is none within four years.
    pub fn next_after(&self, after: Micros) -> Option<Micros> {
        let after = Timestamp::from_microsecond(after.0).ok()?;
        if self.is_rhythm {
            let next = self.crontab.find_next(MakeTimestamp(after)).ok()?;
            return Some(Micros(next.timestamp().as_microsecond()));
        }
        let wall = after.to_zoned(self.zone.clone()).datetime().checked_sub(LONGEST_CHANGE).ok()?;
        let mut from = TimeZone::UTC.to_timestamp(wall).ok()?;
        loop {
            from = self.crontab.find_next(MakeTimestamp(from)).ok()?.timestamp();
            let at = self.instant(from.to_zoned(TimeZone::UTC).datetime())?;
            if at > after {
                return Some(Micros(at.as_microsecond()));
            }
        }
    }

    /// The last time at or before `now` and not before `since`, a time of this text itself.
    pub(super) fn last_until(&self, since: Micros, now: Micros) -> Micros {
        let mut last = since;
        // Nearer starts first: after a long pause only the end of it is walked through.
        for days in [1, 32, 366] {
            let from = now.plus(-days * Micros::DAY).max(since);
            if let Some(found) = self.next_after(from).filter(|at| *at <= now) {
                last = found.max(last);
                break;
            }
        }
        while let Some(next) = self.next_after(last).filter(|at| *at <= now) {
            last = next;
        }
        last
    }

    /// When the wall clock of the zone shows `wall`, by the rule above.
    fn instant(&self, wall: DateTime) -> Option<Timestamp> {
        let shown = self.zone.to_ambiguous_timestamp(wall);
        match shown.offset() {
            AmbiguousOffset::Gap { .. } => {
                let before = shown.earlier().ok()?;
                self.zone.following(before).next().map(|change| change.timestamp())
            }
            AmbiguousOffset::Fold { .. } | AmbiguousOffset::Unambiguous { .. } => shown.earlier().ok(),
        }
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(text: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
        let cron = Cron::parse(text, zone).unwrap();
        let mut at = Micros::parse(after).unwrap();
        let mut found = Vec::new();
        while found.len() < count {
            at = cron.next_after(at).unwrap();
            found.push(at.to_string());
        }
        found
    }

    #[test]
    fn a_wall_time_that_is_skipped_comes_once_at_the_change() {
        // 29 March 2026: 02:00 becomes 03:00 in Berlin, at 01:00 UTC.
        let berlin = times("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", 3);
        assert_eq!(berlin, ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]);
        let both = times("0,30 2,3 * * *", "Europe/Berlin", "2026-03-28T23:00:00Z", 3);
        assert_eq!(both, ["2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:00:00Z"]);
        // 6 September 2026: 00:00 becomes 01:00 in Santiago, at 04:00 UTC.
        let santiago = times("0 0 * * *", "America/Santiago", "2026-09-05T12:00:00Z", 2);
        assert_eq!(santiago, ["2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z"]);
    }

    #[test]
    fn a_wall_time_that_is_repeated_comes_the_first_time_alone() {
        // 25 October 2026: 03:00 becomes 02:00 again in Berlin, at 01:00 UTC.
        let berlin = times("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2);
        assert_eq!(berlin, ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
        // 4 April 2026: 24:00 becomes 23:00 again in Santiago, at 03:00 UTC on the 5th.
        let santiago = times("30 23 * * *", "America/Santiago", "2026-04-04T12:00:00Z", 2);
        assert_eq!(santiago, ["2026-04-05T02:30:00Z", "2026-04-06T03:30:00Z"]);
    }

    #[test]
    fn a_rhythm_follows_the_minutes_that_pass() {
        let autumn = times("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", 4);
        assert_eq!(
            autumn,
            ["2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:00:00Z"]
        );
    }

    #[test]
    fn the_last_time_is_found_after_a_long_pause() {
        let cron = Cron::parse("* * * * *", "UTC").unwrap();
        let since = Micros::parse("2016-01-01T00:00:00Z").unwrap();
        let now = Micros::parse("2026-01-01T00:00:30Z").unwrap();
        assert_eq!(cron.last_until(since, now).to_string(), "2026-01-01T00:00:00Z");
        let leap = Cron::parse("0 0 29 2 *", "UTC").unwrap();
        let since = Micros::parse("2016-02-29T00:00:00Z").unwrap();
        assert_eq!(leap.last_until(since, now).to_string(), "2024-02-29T00:00:00Z");
        assert_eq!(leap.last_until(since, since), since);
    }

    #[test]
    fn texts_that_cannot_be_kept_are_refused_with_the_reason() {
        let refused = |text: &str, zone: &str| Cron::parse(text, zone).unwrap_err();
        assert!(refused("0 2 * *", "UTC").contains("has 4 fields and needs 5"));
        assert!(refused("0 2 * * * *", "UTC").contains("has 6 fields"));
        assert!(refused("0 25 * * *", "UTC").contains("no cron text"));
        assert!(refused("0 0 30 2 *", "UTC").contains("never comes due"));
        assert!(refused("0 2 * * *", "Europe/Atlantis").contains("no time zone"));
    }
}
