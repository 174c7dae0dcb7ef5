//! Which backups stay: some days, some weeks, some months; or a number of days.

use std::collections::BTreeSet;

use kernel::Micros;

use super::folder::Entry;

/// How long backups stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// The newest verified one of each of the last days, weeks (from Monday) and months that have one, in UTC.
    Generations {
        /// Days.
        daily: usize,
        /// Weeks.
        weekly: usize,
        /// Months.
        monthly: usize,
    },
    /// All of the last days.
    Days(i64),
}

impl Keep {
    /// Days after which a backup of today is gone for certain, once newer ones are made and found good.
    pub fn longest_days(&self) -> i64 {
        match *self {
            Self::Days(days) => days + 1,
            Self::Generations { daily, weekly, monthly } => {
                let days = [daily, weekly * 7, monthly * 31].into_iter().max().unwrap_or_default();
                days as i64 + 31
            }
        }
    }

    /// What may go. `newest_first` is what [`super::list`] returns.
    ///
    /// The newest verified backup never goes, nor anything made after it; a backup that was not found good takes no
    /// place of one that was.
    pub fn superfluous<'a>(&self, newest_first: &'a [Entry], now: Micros) -> Vec<&'a Entry> {
        let Some(last) = newest_first.iter().position(Entry::is_verified) else {
            return Vec::new();
        };
        let older = &newest_first[last + 1..];
        match *self {
            Self::Days(days) => {
                let oldest = now.plus(-days * Micros::DAY);
                older.iter().filter(|entry| entry.created_at < oldest).collect()
            }
            Self::Generations { daily, weekly, monthly } => {
                let good: Vec<&Entry> =
                    newest_first[last..].iter().filter(|entry| entry.is_verified()).collect();
                let mut kept = BTreeSet::new();
                kept.extend(newest_of_each(&good, daily, day));
                // 1970-01-01 was a Thursday.
                kept.extend(newest_of_each(&good, weekly, |entry| (day(entry) + 3).div_euclid(7)));
                kept.extend(newest_of_each(&good, monthly, month));
                older.iter().filter(|entry| !kept.contains(entry.name.as_str())).collect()
            }
        }
    }
}

/// The names of the newest backup in each of the newest `count` periods.
fn newest_of_each<'a>(
    newest_first: &[&'a Entry],
    count: usize,
    period: impl Fn(&Entry) -> i64,
) -> Vec<&'a str> {
    let mut seen = BTreeSet::new();
    let is_first = |entry: &&&Entry| seen.insert(period(entry));
    newest_first.iter().filter(is_first).take(count).map(|entry| entry.name.as_str()).collect()
}

fn day(entry: &Entry) -> i64 {
    entry.created_at.0.div_euclid(Micros::DAY)
}

/// The year and month in the name: `backup_YYYYMM…`.
fn month(entry: &Entry) -> i64 {
    entry.name[7..13].parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::folder::{Verdict, stem};
    use super::*;

    const POLICY: Keep = Keep::Generations { daily: 7, weekly: 4, monthly: 12 };

    fn made(at: Micros, is_good: bool) -> Entry {
        let name = format!("{}.hearth", stem(at));
        let problem = (!is_good).then(|| "broken".to_owned());
        let verdict = Some(Verdict { verified_at: at, is_deep: true, problem, size_bytes: 1 });
        Entry { path: name.clone().into(), name, created_at: at, size_bytes: 1, verdict }
    }

    fn prune(all: &mut Vec<Entry>, policy: Keep, now: Micros) {
        let gone: Vec<String> =
            policy.superfluous(all, now).into_iter().map(|entry| entry.name.clone()).collect();
        all.retain(|entry| !gone.contains(&entry.name));
    }

    /// Three years of nights, each with its backup; every seventeenth is broken.
    fn three_years(policy: Keep, mut each: impl FnMut(&[Entry], Micros, usize)) -> Vec<Entry> {
        let (mut now, mut all) = (Micros::parse("2024-01-01T02:00:00Z").unwrap(), Vec::new());
        for night in 0..3 * 366 {
            all.insert(0, made(now, night % 17 != 16));
            prune(&mut all, policy, now);
            each(&all, now, night);
            now = now.plus(Micros::DAY);
        }
        all
    }

    #[test]
    fn over_three_years_seven_days_four_weeks_and_twelve_months_can_be_gone_back_to() {
        let all = three_years(POLICY, |all, now, night| {
            assert!(all.len() <= 24, "{} on {now}", all.len());
            assert!(all.iter().any(Entry::is_verified));
            // A broken night is a day without; so seven good days reach back eight nights at most.
            let good: Vec<&Entry> = all.iter().filter(|entry| entry.is_verified()).collect();
            for back in 0..6.min(night) as i64 {
                let wanted = now.plus(-(back + 2) * Micros::DAY);
                let is_near = |entry: &&Entry| (entry.created_at.0 - wanted.0).abs() <= 2 * Micros::DAY;
                assert!(good.iter().any(is_near), "{back} days before {now}");
            }
            for months in 1..=11 {
                let wanted = now.plus(-months * 30 * Micros::DAY);
                let started = Micros::parse("2024-01-20T00:00:00Z").unwrap();
                let is_near = |entry: &&Entry| (entry.created_at.0 - wanted.0).abs() <= 33 * Micros::DAY;
                assert!(wanted < started || good.iter().any(is_near), "{months} months before {now}");
            }
        });
        let good = all.iter().filter(|entry| entry.is_verified()).count();
        assert!((18..=23).contains(&good), "{good} of 7 + 4 + 12, less those that are two at once");
    }

    #[test]
    fn the_last_verified_one_and_all_after_it_stay() {
        let night = |n: i64| Micros::parse("2026-01-01T02:00:00Z").unwrap().plus(n * Micros::DAY);
        let now = night(900);
        for policy in [POLICY, Keep::Days(1), Keep::Generations { daily: 0, weekly: 0, monthly: 0 }] {
            let mut all: Vec<Entry> = (0..10).rev().map(|n| made(night(n), n == 4)).collect();
            prune(&mut all, policy, now);
            assert_eq!(all.last().map(|entry| entry.created_at), Some(night(4)), "{policy:?}");
            assert_eq!(all.len(), 6, "{policy:?}: nothing newer than the last good one goes");
        }
    }

    #[test]
    fn without_a_verified_one_nothing_goes() {
        let all: Vec<Entry> = (0..50).map(|n| made(Micros(-n * 90 * Micros::DAY), false)).collect();
        assert!(POLICY.superfluous(&all, Micros(0)).is_empty());
        assert!(Keep::Days(1).superfluous(&all, Micros(0)).is_empty());
    }

    #[test]
    fn days_take_the_place_of_generations() {
        let all = three_years(Keep::Days(30), |_, _, _| {});
        assert_eq!(all.len(), 31);
    }
}
