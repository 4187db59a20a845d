//! What two relays may not have in common, and one of several drawn with the right odds.

use core::net::IpAddr;
use std::collections::BTreeSet;

use rand_core::CryptoRng;

use super::RejectReason;
use crate::protocol::relay_list::{RelayDescriptor, RelayList, Serves};

/// Why these two may not stand on one path: one network, or one named operator.
pub(super) fn shared(one: &RelayDescriptor, other: &RelayDescriptor) -> Option<RejectReason> {
    if network(one.host) == network(other.host) {
        return Some(RejectReason::SameNetwork);
    }
    let named = !one.operator.is_empty();
    (named && one.operator == other.operator).then_some(RejectReason::SameOperator)
}

/// The /24 (IPv4) or /48 (IPv6) of an address.
fn network(addr: IpAddr) -> (bool, u128) {
    match addr.to_canonical() {
        IpAddr::V4(addr) => (false, u128::from(addr.to_bits() >> 8)),
        IpAddr::V6(addr) => (true, addr.to_bits() >> 80),
    }
}

/// Whether any three relays of the list, whoever they are to this client, make a path to `host` that shares nothing.
pub(super) fn makes_a_path(list: &RelayList, host: &str) -> bool {
    // Relays that are alike in all that the rules look at stand for each other.
    let mut seen = BTreeSet::new();
    let mut kinds = Vec::new();
    for relay in &list.relays {
        let serves = relay.serves.includes(host);
        let nobodys = relay.operator.is_empty().then_some(relay.key);
        if seen.insert((network(relay.host), &relay.operator, nobodys, serves)) {
            kinds.push((relay, serves));
        }
    }
    let fits = |one: &RelayDescriptor, other: &RelayDescriptor| shared(one, other).is_none();
    let lasts = kinds.iter().filter(|(_, serves)| *serves);
    lasts.into_iter().any(|(last, _)| {
        kinds.iter().any(|(middle, _)| {
            fits(last, middle)
                && kinds
                    .iter()
                    .any(|(guard, _)| fits(last, guard) && fits(middle, guard))
        })
    })
}

/// Whether some host is served by this relay and by no other of the list.
pub(super) fn is_the_only_one_serving(list: &RelayList, relay: &RelayDescriptor) -> bool {
    let alone = |host: &str| {
        !list
            .relays
            .iter()
            .any(|other| other.key != relay.key && other.serves.includes(host))
    };
    match &relay.serves {
        Serves::None => false,
        Serves::Hosts(hosts) => hosts.iter().any(|host| alone(host)),
        Serves::Any => !list
            .relays
            .iter()
            .any(|other| other.key != relay.key && other.serves == Serves::Any),
    }
}

/// An index below `count`, each equally likely; `None` when there is none.
pub(super) fn index_below(count: usize, rng: &mut impl CryptoRng) -> Option<usize> {
    let count = u32::try_from(count).ok().filter(|count| *count > 0)?;
    // Draws above the largest multiple of `count` are drawn again, so that none is likelier.
    let limit = u32::MAX - u32::MAX % count;
    loop {
        let drawn = rng.next_u32();
        if drawn < limit {
            return usize::try_from(drawn % count).ok();
        }
    }
}

/// Removes one of `items`, each equally likely.
pub(super) fn take_one<T>(items: &mut Vec<T>, rng: &mut impl CryptoRng) -> Option<T> {
    index_below(items.len(), rng).map(|at| items.swap_remove(at))
}

/// Removes one of `items`, those for which `likely` holds being twice as likely as the others.
pub(super) fn take_weighted<T>(
    items: &mut Vec<T>,
    likely: impl Fn(&T) -> bool,
    rng: &mut impl CryptoRng,
) -> Option<T> {
    let weights = items.iter().map(|item| 1 + usize::from(likely(item)));
    let mut drawn = index_below(weights.clone().sum(), rng)?;
    let mut found = None;
    for (at, weight) in weights.enumerate() {
        if drawn < weight {
            found = Some(at);
            break;
        }
        drawn -= weight;
    }
    found.map(|at| items.swap_remove(at))
}
