//! What tries teach, and how it changes the memory.

use super::memory::{DOUBT_SECS, Doubt, Guard, RelayMemory, SetAside, Strike};
use super::{GUARD_SECS, HOUR_SECS};
use crate::protocol::keys::Ed25519Public;
use crate::protocol::relay_list::RelayList;

/// The relays of one path, by their keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hops {
    /// Next to the client.
    pub guard: Ed25519Public,
    /// Between the others.
    pub middle: Ed25519Public,
    /// Next to the server.
    pub last: Ed25519Public,
}

/// One thing that a try taught. Taken in by [`RelayMemory::learn`], in order and once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learned {
    /// A last relay said something of the server, and another one brought the server's own answer soon after.
    Belied {
        /// Key of the relay.
        relay: Ed25519Public,
        /// When the relay said so, in unix seconds.
        at: u64,
    },
    /// A path did not bring an answer of the server.
    Failed {
        /// Over which relays.
        hops: Hops,
        /// When the path failed, in unix seconds.
        at: u64,
        /// Party at fault, as far as it is known.
        fault: Fault,
    },
    /// The path carried a request as far as its last relay, which answered instead of the server.
    Reached {
        /// Over which relays.
        hops: Hops,
        /// When the path failed, in unix seconds.
        at: u64,
    },
    /// A request is about to be sent: its guard sees the client's address from now on.
    Used {
        /// Over which relays.
        hops: Hops,
        /// When the path failed, in unix seconds.
        at: u64,
    },
    /// The path carried a request to the server and an answer back.
    Worked {
        /// Over which relays.
        hops: Hops,
        /// When the path failed, in unix seconds.
        at: u64,
    },
}

impl Learned {
    /// When this was learned, in unix seconds.
    const fn at(&self) -> u64 {
        match self {
            Self::Belied { at, .. }
            | Self::Failed { at, .. }
            | Self::Reached { at, .. }
            | Self::Used { at, .. }
            | Self::Worked { at, .. } => *at,
        }
    }
}

/// Names the relay, if any, that a failed path is blamed on.
///
/// An error that opens with the key of the middle or the last relay is a success of the guard: that seal proves that
/// the guard carried the request there and the answer back. Every other kind counts against the guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An answer came that no relay behind the guard vouches for, and it names nobody who can be blamed.
    Answered,
    /// The guard broke a connection that stood.
    Broken,
    /// A later relay of this path is said not to be there.
    Gone {
        /// The relay that is said not to be there.
        relay: Ed25519Public,
        /// The relay that says so, authenticated; absent when nobody vouches for it.
        by: Option<Ed25519Public>,
    },
    /// The guard could not be reached.
    GuardUnreachable,
    /// One of these two neighbours, the one nearer to the client first, changed an answer.
    Link(Ed25519Public, Ed25519Public),
    /// One relay is at fault: the error opens with its key, or it is the only party left.
    Relay(Ed25519Public),
    /// Nothing came back over a connection that stood.
    Silent,
}

impl Fault {
    /// Whether an answer shows that the guard carried the request on and the answer back: a relay behind it sealed one.
    fn is_past(&self, guard: &Ed25519Public) -> bool {
        match self {
            Self::Gone { by: Some(by), .. } => by != guard,
            Self::Link(nearer, _) => nearer != guard,
            Self::Relay(relay) => relay != guard,
            Self::Answered
            | Self::Broken
            | Self::Gone { by: None, .. }
            | Self::GuardUnreachable
            | Self::Silent => false,
        }
    }
}

impl RelayMemory {
    /// Takes in what a try on a path of `list` taught.
    pub fn learn(&mut self, learned: &Learned, list: &RelayList) {
        self.shorten_gap(learned.at());
        match *learned {
            Learned::Belied { relay, at } => self.strike(relay, at, None),
            Learned::Reached { hops, at } => {
                self.worked(&[hops.guard, hops.middle], &hops.guard, at, list);
            }
            Learned::Used { hops, at } => {
                self.make_guard(hops.guard, at);
                self.stand(&hops, at);
                if let Some(guard) = self.guard_mut(&hops.guard) {
                    guard.used = at;
                }
            }
            Learned::Worked { hops, at } => {
                let relays = [hops.guard, hops.middle, hops.last];
                self.worked(&relays, &hops.guard, at, list);
            }
            Learned::Failed { hops, at, fault } => self.failed(hops, at, fault, list),
        }
    }

    fn worked(
        &mut self,
        relays: &[Ed25519Public],
        guard: &Ed25519Public,
        at: u64,
        list: &RelayList,
    ) {
        self.book_doubts(at, list);
        for key in relays {
            self.records.entry(*key).or_default().worked = Some(at);
        }
        self.count(guard, true, at, list);
    }

    fn failed(&mut self, hops: Hops, at: u64, fault: Fault, list: &RelayList) {
        match fault {
            Fault::GuardUnreachable => {
                if let Some(guard) = self.guard_mut(&hops.guard) {
                    guard.yields_until = at.saturating_add(DOUBT_SECS);
                }
                self.doubts.push((hops.guard, at, Doubt::Unreachable));
                return;
            }
            Fault::Broken => {
                self.hung(hops.guard, at, Doubt::Broken);
                self.count(&hops.guard, false, at, list);
                return;
            }
            Fault::Silent => {
                self.hung(hops.guard, at, Doubt::Silent);
                return;
            }
            Fault::Answered => {}
            Fault::Gone { relay, by } => {
                let by_guard = by.is_none_or(|by| by == hops.guard);
                if let Some(guard) = self.guard_mut(&hops.guard) {
                    guard.asides.retain(|aside| aside.relay != relay);
                    guard.asides.push(SetAside {
                        relay,
                        until: at.saturating_add(HOUR_SECS),
                        by_guard,
                    });
                }
                if by.is_some() {
                    self.strike(relay, at, by);
                }
                // One of the two at this link lies or is not there: which, only other relays' words can tell.
                if let Some(by) = by.filter(|by| *by != hops.guard) {
                    self.strike(by, at, None);
                }
            }
            Fault::Link(one, other) => {
                self.strike(one, at, None);
                self.strike(other, at, None);
            }
            Fault::Relay(relay) => self.strike(relay, at, None),
        }
        if fault.is_past(&hops.guard) {
            self.worked(&[hops.guard], &hops.guard, at, list);
            return;
        }
        // Something came back, so the network here works.
        self.book_doubts(at, list);
        self.count(&hops.guard, false, at, list);
    }

    /// A connection to this guard stood and came to nothing; at the second time the next guard is asked.
    fn hung(&mut self, key: Ed25519Public, at: u64, doubt: Doubt) {
        self.doubts.push((key, at, doubt));
        let times = self
            .doubts
            .iter()
            .filter(|(guard, doubted, doubt)| {
                *guard == key
                    && *doubt != Doubt::Unreachable
                    && at < doubted.saturating_add(DOUBT_SECS)
            })
            .count();
        if let Some(guard) = self.guard_mut(&key).filter(|_| times >= HUNG_YIELDS) {
            guard.yields_until = at.saturating_add(DOUBT_SECS);
        }
    }

    /// Failures of the last minutes were not the network's here: an answer came.
    fn book_doubts(&mut self, at: u64, list: &RelayList) {
        for (guard, doubted, doubt) in core::mem::take(&mut self.doubts) {
            if at >= doubted.saturating_add(DOUBT_SECS) {
                continue;
            }
            match doubt {
                Doubt::Broken => {}
                Doubt::Silent => self.count(&guard, false, doubted, list),
                Doubt::Unreachable => {
                    self.strike(guard, doubted, None);
                    self.count(&guard, false, doubted, list);
                }
            }
        }
    }

    /// One relay's word counts once: three must say so, or this client see it itself three times.
    fn strike(&mut self, relay: Ed25519Public, at: u64, by: Option<Ed25519Public>) {
        let strikes = &mut self.records.entry(relay).or_default().strikes;
        if by.is_some() {
            strikes.retain(|strike| strike.by != by);
        }
        strikes.push(Strike { at, by });
        let over = strikes.len().saturating_sub(MAX_STRIKES);
        strikes.drain(..over);
    }

    /// One more try over this guard; it goes when more than half of the last ten failed, or it set too many aside.
    fn count(&mut self, key: &Ed25519Public, worked: bool, at: u64, list: &RelayList) {
        let too_many = TOO_MANY_ASIDE.max(list.relays.len() / 10);
        let Some(guard) = self.guard_mut(key) else {
            return;
        };
        guard.outcomes.push(worked);
        let over = guard.outcomes.len().saturating_sub(OUTCOMES);
        guard.outcomes.drain(..over);
        if worked {
            guard.yields_until = 0;
        }
        let failed = guard.outcomes.iter().filter(|worked| !**worked).count();
        let asides = guard.asides.iter();
        let set_aside = asides
            .filter(|aside| aside.by_guard && at < aside.until)
            .count();
        if failed > OUTCOMES / 2 || set_aside > too_many {
            self.drop_guard(key, at);
        }
    }

    /// Learns once more what this program learned before it saw what another program made of the memory. A guard that the
    /// other one let go stays gone.
    pub(crate) fn learn_again(&mut self, learned: &Learned, list: &RelayList) {
        match *learned {
            Learned::Used { hops, at } if self.guard(&hops.guard).is_none() => {
                self.stand(&hops, at);
            }
            _ => self.learn(learned, list),
        }
    }

    /// Notes that the relays behind the guard of `hops` stand on a path at `at`.
    fn stand(&mut self, hops: &Hops, at: u64) {
        for key in [hops.middle, hops.last] {
            self.reserve.retain(|kept| *kept != key);
            self.records.entry(key).or_default().stood = Some(at);
        }
    }

    /// A guard that is not trusted any more: what it said is forgotten with it.
    fn drop_guard(&mut self, key: &Ed25519Public, at: u64) {
        let Some(position) = self.guards.iter().position(|guard| guard.relay == *key) else {
            return;
        };
        let guard = self.guards.remove(position);
        for record in self.records.values_mut() {
            record.strikes.retain(|strike| strike.by != Some(*key));
        }
        self.retire(&guard, at, at.saturating_add(GUARD_SECS));
    }

    /// Makes sure that `key` is a guard at `at`.
    pub(super) fn make_guard(&mut self, key: Ed25519Public, at: u64) {
        if self.guard(&key).is_some() {
            return;
        }
        self.reserve.retain(|kept| *kept != key);
        let returned = self.former.iter().any(|former| former.relay == key);
        self.former.retain(|former| former.relay != key);
        if !returned {
            self.new_guards.push(at);
        }
        self.guards.push(Guard {
            relay: key,
            since: at,
            used: at,
            outcomes: Vec::new(),
            asides: Vec::new(),
            yields_until: 0,
        });
    }
}

/// Number of a guard's latest tries that are looked at.
const OUTCOMES: usize = 10;
/// On a short list a tenth is less than one relay: two that are down must not make their guard suspect.
const TOO_MANY_ASIDE: usize = 2;
/// Number of tries over one guard that must hang, with no answer between, before another guard is asked.
const HUNG_YIELDS: usize = 2;
/// More strikes than that say nothing new.
const MAX_STRIKES: usize = 8;
