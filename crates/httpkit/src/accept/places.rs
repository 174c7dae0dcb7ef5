//! Who gets a connection: a total, a share per address, and a reserve that serves health alone.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;

use crate::AddressRules;

/// How many connections are taken.
#[derive(Clone, Copy, Debug)]
pub struct PlaceLimits {
    /// At once.
    pub total: usize,
    /// Of one address (IPv6: of one /64) that is no trusted proxy.
    pub per_address: usize,
    /// Beyond the total, for health and metrics alone.
    pub reserve: usize,
}

impl Default for PlaceLimits {
    fn default() -> Self {
        Self { total: 10_000, per_address: 256, reserve: 16 }
    }
}

/// All places of one server.
pub(crate) struct Places {
    limits: PlaceLimits,
    addresses: AddressRules,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    total: usize,
    by_network: HashMap<IpNet, usize>,
}

/// The right to one connection; given back when dropped.
pub(crate) struct Place {
    places: Arc<Places>,
    /// What it counts for; `None` for a trusted proxy.
    network: Option<IpNet>,
    /// Serves health and metrics alone.
    pub(crate) is_reserve: bool,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// All are taken.
    Full,
    /// The address has its share.
    Address,
}

impl Refusal {
    /// Label of `hearth_connections_refused_total`.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Full => "total",
            Self::Address => "address",
        }
    }
}

impl Places {
    /// None taken yet.
    pub(crate) fn new(limits: PlaceLimits, addresses: AddressRules) -> Arc<Self> {
        Arc::new(Self { limits, addresses, taken: Mutex::default() })
    }

    /// Takes a place for a peer.
    pub(crate) fn take(self: &Arc<Self>, peer: IpAddr) -> Result<Place, Refusal> {
        let peer = peer.to_canonical();
        let network = (!self.addresses.is_trusted(peer)).then(|| network_of(peer));
        let mut taken = self.lock();
        if taken.total >= self.limits.total + self.limits.reserve {
            return Err(Refusal::Full);
        }
        if let Some(network) = network {
            let of_network = taken.by_network.entry(network).or_default();
            if *of_network >= self.limits.per_address {
                return Err(Refusal::Address);
            }
            *of_network += 1;
        }
        let is_reserve = taken.total >= self.limits.total;
        taken.total += 1;
        Ok(Place { places: self.clone(), network, is_reserve })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The address itself, or the /64 that one IPv6 customer is given.
fn network_of(peer: IpAddr) -> IpNet {
    let whole = IpNet::from(peer);
    if peer.is_ipv6() { IpNet::new(peer, 64).map_or(whole, |net| net.trunc()) } else { whole }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.total -= 1;
        if let Some(network) = self.network
            && let Some(count) = taken.by_network.get_mut(&network)
        {
            *count -= 1;
            if *count == 0 {
                taken.by_network.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(total: usize, per_address: usize) -> Arc<Places> {
        let addresses = AddressRules::new(vec!["10.0.0.0/8".parse().unwrap()]);
        Places::new(PlaceLimits { total, per_address, reserve: 1 }, addresses)
    }

    fn take(places: &Arc<Places>, peer: &str) -> Result<Place, Refusal> {
        places.take(peer.parse().unwrap())
    }

    #[test]
    fn an_address_gets_its_share_and_a_proxy_as_much_as_there_is() {
        let places = places(100, 2);
        let mut held: Vec<_> = (0..2).map(|_| take(&places, "192.0.2.1").ok().unwrap()).collect();
        assert_eq!(take(&places, "192.0.2.1").err(), Some(Refusal::Address));
        assert_eq!(take(&places, "::ffff:192.0.2.1").err(), Some(Refusal::Address), "the same, mapped");
        assert!(take(&places, "192.0.2.2").is_ok());
        held.extend((0..50).map(|_| take(&places, "10.1.2.3").ok().unwrap()));
        held.clear();
        assert!(take(&places, "192.0.2.1").is_ok(), "places come back");
        assert!(places.lock().by_network.is_empty(), "and addresses are forgotten");
    }

    #[test]
    fn a_customers_ipv6_network_is_one_address() {
        let places = places(100, 2);
        let _held: Vec<_> = (1..3).map(|n| take(&places, &format!("2001:db8::{n}")).ok().unwrap()).collect();
        assert_eq!(take(&places, "2001:db8::ffff").err(), Some(Refusal::Address));
        assert!(take(&places, "2001:db8:0:1::1").is_ok());
    }

    #[test]
    fn beyond_the_total_there_is_a_reserve_and_then_nothing() {
        let places = places(2, 10);
        let held: Vec<_> = (0..3).map(|_| take(&places, "192.0.2.1").ok().unwrap()).collect();
        assert_eq!(held.iter().map(|place| place.is_reserve).collect::<Vec<_>>(), [false, false, true]);
        assert_eq!(take(&places, "192.0.2.9").err(), Some(Refusal::Full));
    }
}
