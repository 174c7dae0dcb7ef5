//! The caller's address: the peer, or what a trusted proxy says of it.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use arc_swap::ArcSwap;
use http::HeaderMap;
use ipnet::IpNet;

/// Which peers may speak for others: the operator's own proxies. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct AddressRules(Arc<ArcSwap<Vec<IpNet>>>);

/// Headers that only a proxy sets: a request with one of them has come from further away than its peer.
const FORWARDING: [&str; 5] =
    ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];

impl AddressRules {
    /// Trusts these networks.
    pub fn new(trusted_proxies: Vec<IpNet>) -> Self {
        let rules = Self::default();
        rules.set(trusted_proxies);
        rules
    }

    /// Trusts these networks from now on, and no others.
    pub fn set(&self, trusted_proxies: Vec<IpNet>) {
        self.0.store(Arc::new(trusted_proxies));
    }

    /// The right-most address that is not a trusted proxy's. Headers of untrusted peers are not read.
    pub fn caller(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut caller = peer.to_canonical();
        for hop in forwarded_for(headers).into_iter().rev() {
            if !self.is_trusted(caller) {
                break;
            }
            match hop {
                Some(address) => caller = address,
                None => break,
            }
        }
        caller
    }

    /// Whether a trusted proxy says that the caller reached it over TLS.
    pub fn is_encrypted(&self, peer: IpAddr, headers: &HeaderMap) -> bool {
        self.is_trusted(peer.to_canonical())
            && outer_scheme(headers).is_some_and(|s| s.eq_ignore_ascii_case("https"))
    }

    pub(crate) fn is_trusted(&self, address: IpAddr) -> bool {
        self.0.load().iter().any(|net| net.contains(&address))
    }

    /// Whether a request carries forwarding headers that its peer had no right to set.
    pub fn is_forged(&self, peer: IpAddr, headers: &HeaderMap) -> bool {
        FORWARDING.iter().any(|name| headers.contains_key(*name)) && !self.is_trusted(peer.to_canonical())
    }
}

/// What limits count for one: an IPv4 address, or the /64 that one subscriber of IPv6 holds whole.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Hops in the order of travel; `Forwarded` wins over `X-Forwarded-For`. A hop that is no address ends the trust.
fn forwarded_for(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let texts = |name: &str| -> Vec<String> {
        let values = headers.get_all(name).iter().filter_map(|v| v.to_str().ok());
        values.flat_map(|v| v.split(',')).map(|hop| hop.trim().to_owned()).collect()
    };
    let forwarded = texts("forwarded");
    if forwarded.is_empty() {
        return texts("x-forwarded-for").iter().map(|hop| parse_hop(hop)).collect();
    }
    let for_pair = |hop: &String| {
        let pairs = hop.split(';').filter_map(|pair| pair.trim().split_once('='));
        pairs
            .filter(|(name, _)| name.eq_ignore_ascii_case("for"))
            .map(|(_, value)| parse_hop(value))
            .next()
            .flatten()
    };
    forwarded.iter().map(for_pair).collect()
}

/// The scheme that the first hop saw; `Forwarded` wins over `X-Forwarded-Proto`.
fn outer_scheme(headers: &HeaderMap) -> Option<&str> {
    let first = |name: &str| headers.get(name)?.to_str().ok()?.split(',').next();
    if let Some(hop) = first("forwarded") {
        let mut pairs = hop.split(';').filter_map(|pair| pair.trim().split_once('='));
        return pairs
            .find(|(name, _)| name.eq_ignore_ascii_case("proto"))
            .map(|(_, scheme)| scheme.trim_matches('"'));
    }
    first("x-forwarded-proto").map(str::trim)
}

/// Reads `192.0.2.1`, `192.0.2.1:80`, `[2001:db8::1]:80`, quoted or not.
fn parse_hop(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    let bare = text.strip_prefix('[').and_then(|rest| rest.split(']').next());
    let address = bare.unwrap_or(text).parse::<IpAddr>().ok();
    let with_port = || text.parse::<std::net::SocketAddr>().ok().map(|a| a.ip());
    address.or_else(with_port).map(|a| a.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(trusted: &str, peer: &str, name: &'static str, value: &str) -> String {
        let rules = AddressRules::new(vec![trusted.parse().unwrap()]);
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        rules.caller(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_trusted_proxies_say_that_a_caller_is_encrypted() {
        let rules = AddressRules::new(vec!["10.0.0.0/8".parse().unwrap()]);
        let says = |peer: &str, name: &'static str, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            rules.is_encrypted(peer.parse().unwrap(), &headers)
        };
        assert!(says("10.0.0.1", "x-forwarded-proto", "HTTPS"));
        assert!(says("10.0.0.1", "x-forwarded-proto", "https, http"));
        assert!(says("10.0.0.1", "forwarded", "for=1.2.3.4; Proto=\"https\", for=10.0.0.2;proto=http"));
        assert!(!says("10.0.0.1", "x-forwarded-proto", "http"));
        assert!(!says("10.0.0.1", "forwarded", "for=1.2.3.4"));
        assert!(!says("192.0.2.1", "x-forwarded-proto", "https"));
    }

    #[test]
    fn only_trusted_proxies_speak_for_others() {
        let xff = "x-forwarded-for";
        assert_eq!(caller("10.0.0.0/8", "192.0.2.9", xff, "1.2.3.4"), "192.0.2.9");
        assert_eq!(caller("10.0.0.0/8", "10.0.0.1", xff, "6.6.6.6, 1.2.3.4"), "1.2.3.4");
        assert_eq!(caller("10.0.0.0/8", "10.0.0.1", xff, "1.2.3.4, 10.0.0.2"), "1.2.3.4");
        assert_eq!(caller("10.0.0.0/8", "10.0.0.1", xff, "1.2.3.4, unknown"), "10.0.0.1");
        assert_eq!(
            caller("10.0.0.0/8", "::ffff:10.0.0.1", "forwarded", "for=\"[2001:db8::7]:80\";proto=https"),
            "2001:db8::7"
        );
    }
}
