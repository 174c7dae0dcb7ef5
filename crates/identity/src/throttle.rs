//! Failed sign-ins per account and address, in this process.

use std::net::{IpAddr, Ipv6Addr};

use kernel::{Micros, Result};
use moka::sync::Cache;

use crate::Error;

/// Failures of one account from one address before it is locked out there.
const PER_ACCOUNT: usize = 5;
/// Failures of one address before it is locked out.
const PER_ADDRESS: usize = 20;
/// How long a failure counts, microseconds.
const WINDOW: i64 = 15 * 60 * Micros::SECOND;
/// Accounts and addresses remembered, at most each: about 10 MB together.
const REMEMBERED: u64 = 50_000;

/// Instants of recent failures by what failed. An account is locked out only towards the address that failed.
pub(crate) struct Throttle {
    accounts: Cache<(String, String, Option<IpAddr>), Vec<i64>>,
    addresses: Cache<Option<IpAddr>, Vec<i64>>,
}

impl Throttle {
    pub(crate) fn new() -> Self {
        Self { accounts: Cache::new(REMEMBERED), addresses: Cache::new(REMEMBERED) }
    }

    /// Lets a try pass, or says how long to wait.
    ///
    /// # Errors
    /// `Throttled`.
    pub(crate) fn check(
        &self,
        tenant: &str,
        account: &str,
        address: Option<IpAddr>,
        now: Micros,
    ) -> Result<()> {
        let network = network(address);
        let account = self.accounts.get(&(tenant.to_owned(), account.to_owned(), network));
        let account = wait(account.as_deref(), PER_ACCOUNT, now);
        let wait = account.max(wait(self.addresses.get(&network).as_deref(), PER_ADDRESS, now));
        match wait {
            0 => Ok(()),
            retry_after_seconds => Err(Error::Throttled { retry_after_seconds }.into()),
        }
    }

    /// Counts a failed sign-in.
    pub(crate) fn fail(&self, tenant: &str, account: &str, address: Option<IpAddr>, now: Micros) {
        let key = (tenant.to_owned(), account.to_owned(), network(address));
        self.accounts
            .entry(key)
            .and_upsert_with(|entry| later(entry.map(moka::Entry::into_value), PER_ACCOUNT, now));
        self.fail_address(address, now);
    }

    /// Counts a false credential against the address alone.
    pub(crate) fn fail_address(&self, address: Option<IpAddr>, now: Micros) {
        self.addresses
            .entry(network(address))
            .and_upsert_with(|entry| later(entry.map(moka::Entry::into_value), PER_ADDRESS, now));
    }

    /// Whether the address is locked out.
    pub(crate) fn is_locked(&self, address: Option<IpAddr>, now: Micros) -> bool {
        wait(self.addresses.get(&network(address)).as_deref(), PER_ADDRESS, now) > 0
    }

    /// Forgets an account's failures after a success; the address keeps its own.
    pub(crate) fn succeed(&self, tenant: &str, account: &str, address: Option<IpAddr>) {
        let key = (tenant.to_owned(), account.to_owned(), network(address));
        self.accounts.invalidate(&key);
    }
}

/// IPv6 counts by /64: one subscriber holds all of it.
fn network(address: Option<IpAddr>) -> Option<IpAddr> {
    address.map(|address| match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 @ IpAddr::V4(_) => v4,
    })
}

/// Seconds until fewer than `limit` failures count; 0 when that is so now.
fn wait(failures: Option<&[i64]>, limit: usize, now: Micros) -> u32 {
    let counting: Vec<i64> =
        failures.unwrap_or_default().iter().copied().filter(|at| now.0 - at < WINDOW).collect();
    if counting.len() < limit {
        return 0;
    }
    let free_at = counting[counting.len() - limit] + WINDOW;
    ((free_at - now.0 + Micros::SECOND - 1) / Micros::SECOND).max(1) as u32
}

/// The newest `limit` failures, with one at `now`.
fn later(failures: Option<Vec<i64>>, limit: usize, now: Micros) -> Vec<i64> {
    let mut failures = failures.unwrap_or_default();
    failures.push(now.0);
    let excess = failures.len().saturating_sub(limit);
    failures.drain(..excess);
    failures
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = Micros(1_000_000_000_000_000);

    fn at(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn five_failures_lock_the_account_for_that_address_only() {
        let throttle = Throttle::new();
        for _ in 0..5 {
            throttle.check("t", "ada", Some(at("192.0.2.1")), NOW).unwrap();
            throttle.fail("t", "ada", Some(at("192.0.2.1")), NOW);
        }
        let error = throttle.check("t", "ada", Some(at("192.0.2.1")), NOW).unwrap_err();
        assert_eq!(error.retry_after_seconds, Some(900));
        throttle.check("t", "ada", Some(at("192.0.2.2")), NOW).unwrap();
        throttle.check("t", "bob", Some(at("192.0.2.1")), NOW).unwrap();
        throttle.check("t", "ada", Some(at("192.0.2.1")), NOW.plus(WINDOW)).unwrap();
    }

    #[test]
    fn twenty_failures_lock_the_address_and_a_slash_64_is_one() {
        let throttle = Throttle::new();
        for n in 0..20 {
            let address = Some(at(&format!("2001:db8::{n:x}")));
            throttle.check("t", &format!("user{n}"), address, NOW).unwrap();
            throttle.fail("t", &format!("user{n}"), address, NOW);
        }
        assert!(throttle.check("t", "new", Some(at("2001:db8::ffff")), NOW).is_err());
        assert!(throttle.is_locked(Some(at("2001:db8::1")), NOW));
        throttle.check("t", "new", Some(at("2001:db8:0:1::1")), NOW).unwrap();
    }
}
