//! Who may read what, as a choice of partitions: text outside them is never read, scored or counted.

use kernel::{Ctx, TenantId};

use crate::events::{Channel, Sensitivity};

/// Where text lives: a home and, within it, a tier of sensitivity. One index each.
///
/// There is one tier for each of none, low and high: the public may read `none` alone, so `low` needs a place of its
/// own if policy is to be a choice of partitions and not a filter afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Partition {
    /// `private`, `agent`, `team` or `public`.
    pub home: Channel,
    /// The person whose home it is; empty for `team` and `public`.
    pub owner: String,
    /// Sensitivity of everything in it.
    pub tier: Sensitivity,
}

/// The partition of an event; `None` for what is never indexed.
pub fn partition_of(channel: Channel, sensitivity: Sensitivity, owner: &str) -> Option<Partition> {
    if sensitivity == Sensitivity::Secret {
        return None;
    }
    let owner = match channel {
        Channel::Private | Channel::Agent => owner.to_owned(),
        Channel::Team | Channel::Public => String::new(),
    };
    Some(Partition { home: channel, owner, tier: sensitivity })
}

/// What a request that will answer in `channel` may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readable {
    /// The tenant.
    pub tenant: TenantId,
    /// The owner whose private and agent homes are meant.
    pub owner: String,
    homes: Vec<Channel>,
    tiers: &'static [Sensitivity],
}

impl Readable {
    /// The table of the specification; `narrowed_to` can only take homes away.
    pub fn new(tenant: TenantId, owner: String, channel: Channel, narrowed_to: Option<&[Channel]>) -> Self {
        use Channel::{Agent, Private, Public, Team};
        use Sensitivity::{High, Low, None as Nothing};
        let (homes, tiers): (&[Channel], &'static [Sensitivity]) = match channel {
            Private => (&[Private, Agent, Team, Public], &[Nothing, Low, High]),
            Team => (&[Team, Public], &[Nothing, Low, High]),
            Agent => (&[Agent, Team, Public], &[Nothing, Low]),
            Public => (&[Public], &[Nothing]),
        };
        let homes =
            homes.iter().copied().filter(|home| narrowed_to.is_none_or(|only| only.contains(home))).collect();
        Self { tenant, owner, homes, tiers }
    }

    /// The channels whose homes are read.
    pub(crate) fn homes(&self) -> &[Channel] {
        &self.homes
    }

    /// The sensitivities that are read.
    pub(crate) fn tiers(&self) -> &'static [Sensitivity] {
        self.tiers
    }

    /// Whether text of a partition may be read.
    pub fn allows(&self, partition: &Partition) -> bool {
        let own = match partition.home {
            Channel::Private | Channel::Agent => partition.owner == self.owner,
            Channel::Team | Channel::Public => true,
        };
        own && self.homes.contains(&partition.home) && self.tiers.contains(&partition.tier)
    }
}

/// Own rows, also secret ones; others' only where the tenant or the public may read.
pub(crate) fn may_read_row(ctx: &Ctx, owner: &str, channel: &str, sensitivity: &str) -> bool {
    if ctx.owner(Some(owner)).is_ok() {
        return true;
    }
    let words = Channel::parse(channel).zip(Sensitivity::parse(sensitivity));
    let partition = words.and_then(|(home, tier)| partition_of(home, tier, owner));
    let reader = ctx.principal.user_id.clone().unwrap_or_default();
    let readable = Readable::new(ctx.tenant.clone(), reader, Channel::Private, None);
    partition.is_some_and(|partition| readable.allows(&partition))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The specification's table, written out: rows are what is asked for, columns what an event is.
    #[test]
    fn policy_is_the_published_table() {
        let tenant = TenantId::parse("t").unwrap();
        for asked in Channel::ALL {
            let readable = Readable::new(tenant.clone(), "ana".into(), *asked, None);
            for home in Channel::ALL {
                for tier in Sensitivity::ALL {
                    for owner in ["ana", "ben"] {
                        let seen = partition_of(*home, *tier, owner).is_some_and(|p| readable.allows(&p));
                        let shared = matches!(home, Channel::Team | Channel::Public);
                        let homes = match asked {
                            Channel::Private => true,
                            Channel::Team => shared,
                            Channel::Agent => *home != Channel::Private,
                            Channel::Public => *home == Channel::Public,
                        };
                        let tiers = match asked {
                            Channel::Private | Channel::Team => *tier != Sensitivity::Secret,
                            Channel::Agent => *tier <= Sensitivity::Low,
                            Channel::Public => *tier == Sensitivity::None,
                        };
                        let expected = homes && tiers && (shared || owner == "ana");
                        assert_eq!(seen, expected, "{asked:?} asks, {home:?} {tier:?} of {owner}");
                    }
                }
            }
        }
    }

    #[test]
    fn channels_can_only_narrow() {
        let tenant = TenantId::parse("t").unwrap();
        let narrowed =
            Readable::new(tenant, "ana".into(), Channel::Team, Some(&[Channel::Private, Channel::Public]));
        let of = |home| partition_of(home, Sensitivity::None, "ana").unwrap();
        assert!(narrowed.allows(&of(Channel::Public)));
        assert!(!narrowed.allows(&of(Channel::Team)) && !narrowed.allows(&of(Channel::Private)));
    }
}
