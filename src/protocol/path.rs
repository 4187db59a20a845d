//! Who may stand on a path, and why not.
//!
//! A path is three names: guard, middle and last. The guard is kept from request to request, because frequent new
//! guards are what lets a hostile relay meet everybody; middle and last are drawn anew for every request, so that no
//! last relay can link one person's transfers. The last one must serve the server's host.

use core::net::IpAddr;

use rand_core::CryptoRng;
use thiserror::Error;

use super::keys::Ed25519Public;
use super::relay_list::{RelayDescriptor, RelayList};

/// Three different relays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayPath {
    /// The only one that sees the client's address.
    pub guard: RelayDescriptor,
    /// Sees its two neighbours.
    pub middle: RelayDescriptor,
    /// The only one that sees the server's host.
    pub last: RelayDescriptor,
}

impl RelayPath {
    /// From guard to last.
    #[must_use]
    pub const fn relays(&self) -> [&RelayDescriptor; 3] {
        [&self.guard, &self.middle, &self.last]
    }
}

/// A place on a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Next to the client.
    Guard,
    /// Between the two others.
    Middle,
    /// Next to the server.
    Last,
}

/// Why a relay was not taken for a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It stands on this path already.
    OnThisPath,
    /// It is this client's guard, which is never its middle or last.
    IsGuard,
    /// It does not serve the server's host.
    NotServing,
    /// It has the same named operator as another relay of this path.
    SameOperator,
    /// It lies in the same /24 or /48 as another relay of this path.
    SameNetwork,
    /// It failed a moment ago.
    SetAside,
}

/// One relay that was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Which.
    pub relay: Ed25519Public,
    /// Why.
    pub reason: Reason,
}

/// There is no path: for one place nobody was left.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("no relay is left for the {place:?} place of a path; {} were rejected", rejected.len())]
pub struct NoPath {
    /// The place that stayed empty.
    pub place: Place,
    /// Every relay of the list, with its reason.
    pub rejected: Vec<Rejection>,
}

/// What a path is drawn from.
#[derive(Clone, Copy)]
pub struct Drawing<'a> {
    /// The relays there are.
    pub list: &'a RelayList,
    /// The server's host, which the last relay must serve.
    pub host: &'a str,
    /// The guard in use; another is drawn when it is set aside or not on the list any more.
    pub guard: Option<Ed25519Public>,
    /// Relays that failed a moment ago.
    pub set_aside: &'a [Ed25519Public],
    /// Whether two relays may share a network or an operator, as the person allowed for this list.
    pub may_share: bool,
}

impl Drawing<'_> {
    /// Draws a path, every permitted relay being equally likely for its place.
    ///
    /// # Errors
    /// [`NoPath`] with the reason of every relay that was not taken.
    pub fn draw(&self, rng: &mut impl CryptoRng) -> Result<RelayPath, NoPath> {
        let kept = self
            .guard
            .and_then(|key| self.list.find(&key))
            .filter(|relay| !self.set_aside.contains(&relay.key));
        // Without a guard the last is drawn first: it has a condition of its own, and the guard must not take its place.
        let last = match kept {
            Some(_) => None,
            None => Some(self.pick(Place::Last, &[], rng)?),
        };
        let guard = match kept {
            Some(guard) => guard,
            None => self.pick(Place::Guard, last.as_slice(), rng)?,
        };
        let last = match last {
            Some(last) => last,
            None => self.pick(Place::Last, &[guard], rng)?,
        };
        let middle = self.pick(Place::Middle, &[guard, last], rng)?;
        Ok(RelayPath {
            guard: guard.clone(),
            middle: middle.clone(),
            last: last.clone(),
        })
    }

    fn pick<'b>(
        &'b self,
        place: Place,
        taken: &[&RelayDescriptor],
        rng: &mut impl CryptoRng,
    ) -> Result<&'b RelayDescriptor, NoPath> {
        let mut candidates = Vec::new();
        let mut rejected = Vec::new();
        for relay in &self.list.relays {
            match self.reason_against(relay, place, taken) {
                None => candidates.push(relay),
                Some(reason) => rejected.push(Rejection {
                    relay: relay.key,
                    reason,
                }),
            }
        }
        choose(&candidates, rng)
            .copied()
            .ok_or(NoPath { place, rejected })
    }

    fn reason_against(
        &self,
        relay: &RelayDescriptor,
        place: Place,
        taken: &[&RelayDescriptor],
    ) -> Option<Reason> {
        if self.set_aside.contains(&relay.key) {
            return Some(Reason::SetAside);
        }
        if taken.iter().any(|other| other.key == relay.key) {
            return Some(if self.guard == Some(relay.key) {
                Reason::IsGuard
            } else {
                Reason::OnThisPath
            });
        }
        if place == Place::Last && !relay.serves.includes(self.host) {
            return Some(Reason::NotServing);
        }
        if self.may_share {
            return None;
        }
        if taken
            .iter()
            .any(|other| same_network(other.host, relay.host))
        {
            return Some(Reason::SameNetwork);
        }
        let named = !relay.operator.is_empty();
        (named && taken.iter().any(|other| other.operator == relay.operator))
            .then_some(Reason::SameOperator)
    }
}

/// Whether two addresses lie in one /24 (IPv4) or /48 (IPv6).
fn same_network(one: IpAddr, other: IpAddr) -> bool {
    match (one.to_canonical(), other.to_canonical()) {
        (IpAddr::V4(one), IpAddr::V4(other)) => one.to_bits() >> 8 == other.to_bits() >> 8,
        (IpAddr::V6(one), IpAddr::V6(other)) => one.to_bits() >> 80 == other.to_bits() >> 80,
        _ => false,
    }
}

/// One of `items`, each equally likely; `None` when there are none.
fn choose<'a, T>(items: &'a [T], rng: &mut impl CryptoRng) -> Option<&'a T> {
    let count = u32::try_from(items.len()).ok().filter(|count| *count > 0)?;
    // Draws above the largest multiple of `count` are drawn again, so that none is likelier.
    let limit = u32::MAX - u32::MAX % count;
    let drawn = loop {
        let drawn = rng.next_u32();
        if drawn < limit {
            break drawn % count;
        }
    };
    items.get(usize::try_from(drawn).ok()?)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;
    use crate::protocol::keys::Identity;
    use crate::protocol::relay_list::Serves;

    fn relay(seed: u8, serves: Serves) -> RelayDescriptor {
        RelayDescriptor {
            key: Identity::from_seed([seed; 32]).public(),
            host: IpAddr::from([10, 0, seed, 1]),
            port: 22_021,
            operator: String::new(),
            serves,
        }
    }

    fn list(relays: Vec<RelayDescriptor>) -> RelayList {
        RelayList {
            name: String::new(),
            issued: 0,
            expires: 1,
            relays,
        }
    }

    fn drawing(list: &RelayList) -> Drawing<'_> {
        Drawing {
            list,
            host: "files.example",
            guard: None,
            set_aside: &[],
            may_share: false,
        }
    }

    #[test]
    fn three_different_relays_are_drawn_and_all_are_as_likely() {
        let list = list((1..=5).map(|seed| relay(seed, Serves::Any)).collect());
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let mut lasts: HashMap<Ed25519Public, u32> = HashMap::new();
        for _ in 0..5_000 {
            let path = drawing(&list).draw(&mut rng).unwrap();
            assert!(
                path.guard != path.middle && path.middle != path.last && path.guard != path.last
            );
            *lasts.entry(path.last.key).or_default() += 1;
        }
        assert!(
            lasts.len() == 5 && lasts.values().all(|count| (850..1_150).contains(count)),
            "{:?}",
            lasts.values()
        );
    }

    #[test]
    fn the_guard_stays_and_is_never_last() {
        let list = list((1..=4).map(|seed| relay(seed, Serves::Any)).collect());
        let guard = list.relays[2].key;
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        for _ in 0..200 {
            let path = Drawing {
                guard: Some(guard),
                ..drawing(&list)
            }
            .draw(&mut rng)
            .unwrap();
            assert_eq!(path.guard.key, guard);
            assert!(path.middle.key != guard && path.last.key != guard);
        }
    }

    #[test]
    fn only_a_relay_that_serves_the_host_is_last() {
        let mut relays: Vec<_> = (1..=4).map(|seed| relay(seed, Serves::None)).collect();
        relays[3].serves = Serves::Hosts(vec!["files.example".to_owned()]);
        let list = list(relays);
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        for _ in 0..50 {
            assert_eq!(drawing(&list).draw(&mut rng).unwrap().last, list.relays[3]);
        }
        let none = Drawing {
            host: "other.example",
            ..drawing(&list)
        }
        .draw(&mut rng)
        .unwrap_err();
        assert_eq!(none.place, Place::Last);
        assert_eq!(none.rejected.len(), 4);
        assert!(
            none.rejected
                .iter()
                .all(|rejection| rejection.reason == Reason::NotServing)
        );
    }

    #[test]
    fn one_network_or_operator_stands_once_unless_allowed() {
        let mut near: Vec<_> = (1..=3).map(|seed| relay(seed, Serves::Any)).collect();
        for relay in &mut near {
            relay.host = IpAddr::from([127, 0, 0, 1]);
        }
        let near = list(near);
        let mut rng = ChaCha20Rng::seed_from_u64(4);
        let none = drawing(&near).draw(&mut rng).unwrap_err();
        assert!(
            none.rejected
                .iter()
                .any(|rejection| rejection.reason == Reason::SameNetwork)
        );
        assert!(
            Drawing {
                may_share: true,
                ..drawing(&near)
            }
            .draw(&mut rng)
            .is_ok()
        );

        let mut owned: Vec<_> = (1..=3).map(|seed| relay(seed, Serves::Any)).collect();
        for relay in &mut owned {
            relay.operator = "one".to_owned();
        }
        let owned = list(owned);
        let none = drawing(&owned).draw(&mut rng).unwrap_err();
        assert!(
            none.rejected
                .iter()
                .any(|rejection| rejection.reason == Reason::SameOperator)
        );
    }

    #[test]
    fn a_guard_that_failed_is_replaced() {
        let list = list((1..=4).map(|seed| relay(seed, Serves::Any)).collect());
        let guard = list.relays[0].key;
        let mut rng = ChaCha20Rng::seed_from_u64(5);
        let path = Drawing {
            guard: Some(guard),
            set_aside: &[guard],
            ..drawing(&list)
        }
        .draw(&mut rng)
        .unwrap();
        assert!(path.relays().iter().all(|relay| relay.key != guard));
    }

    proptest! {
        #[test]
        fn a_short_list_is_an_error_and_never_a_panic(count in 0..3_u8, aside in 0..4_usize, seed: u64) {
            let list = list((1..=count).map(|seed| relay(seed, Serves::Any)).collect());
            let aside: Vec<_> = list.relays.iter().take(aside).map(|relay| relay.key).collect();
            let drawn = Drawing { set_aside: &aside, ..drawing(&list) }.draw(&mut ChaCha20Rng::seed_from_u64(seed));
            prop_assert_eq!(drawn.unwrap_err().rejected.len(), usize::from(count));
        }
    }
}
