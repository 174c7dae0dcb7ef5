//! Failed sign-ins per account and address: counted in the database, so that every server knows them and none is open
//! because something else is down.
//!
//! A try is counted as a failure *before* the password is looked at, and taken back when it was right. So of any number of
//! guesses at once, on any number of servers, exactly the limit is looked at.

mod store;

use std::net::IpAddr;
use std::sync::Arc;

use ::store::{Reach, Store};
use kernel::{Micros, Result};
use moka::sync::Cache;

use self::store::Failures;
use crate::token::Tokens;
use crate::{Error, Identity};

/// Failures of one account from one address before it has to wait there.
const PER_ACCOUNT: i64 = 5;
/// Failures of one address before it has to wait.
const PER_ADDRESS: i64 = 20;
/// Quiet time after which earlier failures count no more, microseconds.
const WINDOW: i64 = 15 * 60 * Micros::SECOND;
/// The wait after the last free try; each further failure doubles it, microseconds.
const FIRST_DELAY: i64 = 60 * Micros::SECOND;
/// The longest wait, microseconds.
const LONGEST_DELAY: i64 = 15 * 60 * Micros::SECOND;
/// Quiet time after which nothing is kept, microseconds.
const KEPT: i64 = 2 * LONGEST_DELAY;
/// Addresses remembered in this process, at most: about 5 MB.
const REMEMBERED: u64 = 50_000;

/// The account that a try is for, and where it comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Try<'t> {
    pub(crate) tenant: &'t str,
    pub(crate) account: &'t str,
    pub(crate) address: Option<IpAddr>,
}

/// Rows that a try counts in: the account at that address, and the address. In this order everywhere, so that two
/// transactions never wait for each other.
#[derive(Clone)]
struct Subjects([String; 2]);

const LIMITS: [i64; 2] = [PER_ACCOUNT, PER_ADDRESS];

/// Counts failed sign-ins.
pub(crate) struct Throttle {
    store: Store,
    tokens: Arc<Tokens>,
    /// Instants of false credentials shown to health, which never waits for the database.
    shown: Cache<Option<IpAddr>, Vec<i64>>,
}

impl Throttle {
    pub(crate) fn new(store: Store, tokens: Arc<Tokens>) -> Self {
        Self { store, tokens, shown: Cache::new(REMEMBERED) }
    }

    /// Says how long to wait, if there is any use in trying now; counts nothing.
    ///
    /// # Errors
    /// `Throttled`, or the store's.
    pub(crate) async fn check(&self, this: Try<'_>, now: Micros) -> Result<()> {
        self.check_shown(this.address, now)?;
        let mut conn = self.store.read(Reach::Everyone).await?;
        let mut known = [None; 2];
        for (known, subject) in known.iter_mut().zip(self.subjects(this).0) {
            *known = store::find_failures(&mut conn, &subject).await?;
        }
        refuse(wait(known, now))
    }

    /// Counts a try as failed, unless it has to wait. [`Throttle::succeed`] takes that back.
    ///
    /// # Errors
    /// `Throttled`, or the store's; then nothing was counted and nothing may be tried.
    pub(crate) async fn begin(&self, this: Try<'_>, now: Micros) -> Result<()> {
        self.check_shown(this.address, now)?;
        let Subjects(subjects) = self.subjects(this);
        self.store
            .write("identity.begin_sign_in", Reach::Everyone, move |tx| {
                Box::pin(async move {
                    let mut known = [None; 2];
                    for (known, subject) in known.iter_mut().zip(&subjects) {
                        *known = Some(store::lock_failures(tx, subject, now).await?);
                    }
                    refuse(wait(known, now))?;
                    for ((known, limit), subject) in known.iter().zip(LIMITS).zip(&subjects) {
                        let failures = counting(*known, limit, now).map_or(0, |known| known.failures) + 1;
                        let known = Failures { failures, last_failed_at: now.0 };
                        store::update_failures(tx, subject, known).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// Forgets an account's failures after a success; the address keeps its earlier ones.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn succeed(&self, this: Try<'_>) -> Result<()> {
        let Subjects([account, address]) = self.subjects(this);
        self.store
            .write("identity.end_sign_in", Reach::Everyone, move |tx| {
                Box::pin(async move {
                    store::remove_failures(tx, &account).await?;
                    store::forgive_failure(tx, &address).await
                })
            })
            .await
    }

    /// Notes a false credential that health was shown.
    pub(crate) fn note_shown(&self, address: Option<IpAddr>, now: Micros) {
        self.shown
            .entry(address.map(httpkit::network))
            .and_upsert_with(|entry| later(entry.map(moka::Entry::into_value), now));
    }

    /// Refuses an address that has shown health too many false credentials.
    ///
    /// # Errors
    /// `Throttled`.
    pub(crate) fn check_shown(&self, address: Option<IpAddr>, now: Micros) -> Result<()> {
        let shown = self.shown.get(&address.map(httpkit::network)).unwrap_or_default();
        let counting = shown.iter().filter(|at| now.0 - **at < WINDOW).count() as i64;
        let first = shown.first().copied().unwrap_or_default();
        refuse(if counting < PER_ADDRESS { 0 } else { first + WINDOW - now.0 })
    }

    fn subjects(&self, this: Try<'_>) -> Subjects {
        let address = this.address.map_or_else(|| "-".to_owned(), |a| httpkit::network(a).to_string());
        Subjects([
            self.tokens.failures_of(&["account", this.tenant, this.account, &address]),
            self.tokens.failures_of(&["address", &address]),
        ])
    }
}

impl Identity {
    /// Removes failed sign-ins that count no longer; call it now and then.
    ///
    /// # Errors
    /// The store's.
    pub async fn forget_old_failures(&self) -> Result<()> {
        let before = self.now().plus(-KEPT);
        self.store
            .write("identity.forget_failures", Reach::Everyone, move |tx| {
                Box::pin(async move { store::remove_quiet(tx, before).await })
            })
            .await
    }
}

fn refuse(wait_us: i64) -> Result<()> {
    match (wait_us + Micros::SECOND - 1) / Micros::SECOND {
        ..=0 => Ok(()),
        seconds => Err(Error::Throttled { retry_after_seconds: seconds as u32 }.into()),
    }
}

/// Microseconds until both rows allow a try.
fn wait(known: [Option<Failures>; 2], now: Micros) -> i64 {
    let each = known.into_iter().zip(LIMITS).map(|(known, limit)| {
        let Some(known) = counting(known, limit, now).filter(|known| known.failures >= limit) else {
            return 0;
        };
        known.last_failed_at + delay(known.failures - limit) - now.0
    });
    each.max().unwrap_or(0)
}

/// What still counts of a row: free tries come back after a quiet `WINDOW`. Past the limit that takes twice the longest wait,
/// or waiting would win free tries.
fn counting(known: Option<Failures>, limit: i64, now: Micros) -> Option<Failures> {
    let kept_for = |failures| if failures < limit { WINDOW } else { KEPT };
    known.filter(|known| now.0 - known.last_failed_at < kept_for(known.failures))
}

/// Wait after the last free try and `further` failures: doubled each time.
fn delay(further: i64) -> i64 {
    (FIRST_DELAY << further.clamp(0, 10)).min(LONGEST_DELAY)
}

/// The newest failures that matter, with one at `now`.
fn later(failures: Option<Vec<i64>>, now: Micros) -> Vec<i64> {
    let mut failures = failures.unwrap_or_default();
    failures.push(now.0);
    let excess = failures.len().saturating_sub(PER_ADDRESS as usize);
    failures.drain(..excess);
    failures
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = Micros(1_000_000_000_000_000);

    fn row(failures: i64, seconds_ago: i64) -> Failures {
        Failures { failures, last_failed_at: NOW.0 - seconds_ago * Micros::SECOND }
    }

    #[test]
    fn the_delay_grows_to_a_quarter_of_an_hour_and_waiting_wins_no_free_tries() {
        let waits = |account, address| wait([account, address], NOW) / Micros::SECOND;
        assert_eq!(waits(None, None), 0);
        assert_eq!(waits(Some(row(4, 0)), Some(row(19, 0))), 0);
        let delays = [5, 6, 7, 8, 9, 90].map(|failures| waits(Some(row(failures, 0)), None));
        assert_eq!(delays, [60, 120, 240, 480, 900, 900]);
        assert_eq!(waits(Some(row(5, 0)), Some(row(22, 0))), 240, "the longer wait holds");
        assert_eq!(waits(Some(row(90, 900)), None), 0, "then there is one try");
        let left = |failures, seconds_ago| counting(Some(row(failures, seconds_ago)), PER_ACCOUNT, NOW);
        assert_eq!(left(90, 900), Some(row(90, 900)), "and its failure makes the wait as long again");
        assert_eq!((left(4, 900), left(90, 1_800)), (None, None));
    }
}
