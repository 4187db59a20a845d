//! What tries teach, and how it changes the memory: the table of the module above.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Place;
use super::memory::{DOUBT_SECS, Doubt, DoubtWhy, KeptGuard, RelayMemory, SetAside, is_recent};
use super::strikes::{Strike, Try};
use crate::protocol::keys::Ed25519Public;
use crate::protocol::relay_list::RelayList;

/// The relays of one path, by their keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
        /// When the last relay answered, in unix seconds.
        at: u64,
    },
    /// A request is about to be sent: its guard sees the client's address from now on.
    Used {
        /// Over which relays.
        hops: Hops,
        /// When the request is sent, in unix seconds.
        at: u64,
    },
    /// The path carried a request to the server and an answer back.
    Worked {
        /// Over which relays.
        hops: Hops,
        /// When the server answered, in unix seconds.
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
/// What opens with the key of the middle or the last relay is a success of the guard: that seal proves that the guard
/// carried the request there and the answer back. Every other kind counts against the guard.
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
    /// One of these two neighbours, the one nearer to the client first, failed, and which cannot be told: an answer was
    /// changed between them, or the nearer one put its key to an error that may be the other's plain words.
    Link(Ed25519Public, Ed25519Public),
    /// One relay is at fault: the error opens with its key, or it is the only party left.
    Relay(Ed25519Public),
    /// Nothing came back over a connection that stood.
    Silent,
}

impl Hops {
    /// The place of a relay on this path.
    pub(super) fn place(&self, relay: &Ed25519Public) -> Place {
        match relay {
            key if *key == self.guard => Place::Guard,
            key if *key == self.middle => Place::Middle,
            _ => Place::Last,
        }
    }
}

impl RelayMemory {
    /// Takes in what a try on a path of `list` taught.
    pub fn learn(&mut self, learned: &Learned, list: &RelayList) {
        self.shorten_gap(learned.at());
        match *learned {
            Learned::Belied { relay, at } => self.strike(relay, Strike::seen(Place::Last, at)),
            Learned::Used { hops, at } => self.used(&hops, at),
            Learned::Reached { hops, at } => self.reached(&hops, list, at),
            Learned::Worked { hops, at } => self.worked(&hops, list, at),
            Learned::Failed { hops, at, fault } => self.failed(&hops, fault, list, at),
        }
    }

    fn used(&mut self, hops: &Hops, at: u64) {
        if self.is_new_guard(&hops.guard, at) {
            self.new_guards.push(at);
        }
        let asked = &mut self.record_mut(hops.guard).asked;
        *asked = (*asked).max(Some(at));
        for key in [hops.middle, hops.last] {
            let stood = &mut self.record_mut(key).stood;
            *stood = (*stood).max(Some(at));
            self.guards.retain(|guard| guard.relay != key);
        }
    }

    fn reached(&mut self, hops: &Hops, list: &RelayList, at: u64) {
        self.guard_worked(hops.guard, list, at);
        for key in [hops.guard, hops.middle] {
            self.record_mut(key).worked = Some(at);
        }
    }

    fn worked(&mut self, hops: &Hops, list: &RelayList, at: u64) {
        let Hops {
            guard,
            middle,
            last,
        } = *hops;
        self.guard_worked(guard, list, at);
        // What its last tries came to says more of a guard.
        self.record_mut(guard).strikes.clear();
        self.mend(middle, Place::Middle, guard);
        self.mend(middle, Place::Middle, last);
        self.mend(last, Place::Last, middle);
        for key in [guard, middle, last] {
            self.record_mut(key).worked = Some(at);
        }
    }

    fn failed(&mut self, hops: &Hops, fault: Fault, list: &RelayList, at: u64) {
        let guard = hops.guard;
        match fault {
            Fault::GuardUnreachable => {
                self.record_mut(guard).yields = Some(at);
                self.doubt(hops, DoubtWhy::Unreachable, at);
            }
            Fault::Silent => self.doubt(hops, DoubtWhy::Silent, at),
            Fault::Broken => self.doubt(hops, DoubtWhy::Broken, at),
            Fault::Answered => self.guard_failed(guard, &[], list, at),
            Fault::Gone { relay, by } => self.gone(hops, relay, by, list, at),
            Fault::Link(nearer, other) => {
                self.strike_both(hops, nearer, other, None, at);
                if nearer == guard {
                    self.guard_failed(guard, &[other], list, at);
                } else {
                    self.guard_worked(guard, list, at);
                }
            }
            Fault::Relay(relay) => {
                self.strike(relay, Strike::seen(hops.place(&relay), at));
                if relay == guard {
                    self.guard_failed(guard, &[], list, at);
                } else {
                    self.guard_worked(guard, list, at);
                }
            }
        }
    }

    /// A later relay is said not to be there: it is aside on this guard, and if somebody vouches for that, one of the two
    /// at the hop lies or is not there.
    fn gone(
        &mut self,
        hops: &Hops,
        relay: Ed25519Public,
        by: Option<Ed25519Public>,
        list: &RelayList,
        at: u64,
    ) {
        let guard = hops.guard;
        let by_guard = by.is_none_or(|by| by == guard);
        let is_known = self.is_aside_on(&guard, &relay, at);
        let asides = &mut self.record_mut(guard).asides;
        asides.retain(|aside| aside.relay != relay);
        asides.push(SetAside {
            relay,
            at,
            by_guard,
        });
        if let Some(by) = by {
            // One relay's word counts once.
            let strikes = &mut self.record_mut(relay).strikes;
            strikes.retain(|strike| strike.with != Some(by));
            self.strike_both(hops, by, relay, None, at);
        }
        if !by_guard {
            self.guard_worked(guard, list, at);
        } else if is_known {
            // Where the list has nobody else, who is aside is asked again: the guard says the same, and cannot help it.
            self.answer_came(guard, list, at);
        } else {
            self.guard_failed(guard, &[relay], list, at);
        }
    }

    /// Something came back from behind this guard, which keeps it.
    fn guard_worked(&mut self, guard: Ed25519Public, list: &RelayList, at: u64) {
        self.answer_came(guard, list, at);
        let record = self.record_mut(guard);
        record.yields = None;
        // It was asked although it had been dropped, because nobody else was left.
        if record.asked > record.dropped {
            record.dropped = None;
        }
        let may_be = self.was_asked(&guard, at) && !self.is_dropped(&guard, at);
        if may_be && !self.is_kept(&guard) {
            let (relay, since) = (guard, at);
            self.guards.push(KeptGuard { relay, since });
        }
        self.count(guard, Try::Worked, list, at);
    }

    /// Something came back that counts against this guard, or against one of those `behind` it.
    fn guard_failed(
        &mut self,
        guard: Ed25519Public,
        behind: &[Ed25519Public],
        list: &RelayList,
        at: u64,
    ) {
        self.answer_came(guard, list, at);
        self.count(guard, Try::Failed(behind.to_vec()), list, at);
    }

    /// An answer of any kind came over this guard, and tells whose fault it was that tries brought nothing since the answer
    /// before it.
    fn answer_came(&mut self, over: Ed25519Public, list: &RelayList, at: u64) {
        let mut doubts = core::mem::take(&mut self.doubts);
        doubts.retain(|doubt| is_recent(Some(doubt.at), DOUBT_SECS, at));
        let was_cut_off = was_cut_off(&doubts, over);
        let mut absent = BTreeSet::new();
        for Doubt { hops, at, why } in doubts {
            match why {
                DoubtWhy::Silent => {
                    self.strike_both(&hops, hops.middle, hops.last, Some(hops.guard), at);
                    let behind = vec![hops.middle, hops.last];
                    self.count(hops.guard, Try::Failed(behind), list, at);
                }
                DoubtWhy::Broken | DoubtWhy::Unreachable if was_cut_off => {}
                DoubtWhy::Broken => self.count(hops.guard, Try::Failed(Vec::new()), list, at),
                DoubtWhy::Unreachable => {
                    if hops.guard != over && absent.insert(hops.guard) {
                        self.strike(hops.guard, Strike::seen(Place::Guard, at));
                    }
                }
            }
        }
    }

    /// A try brought nothing; at the second over a connection that stood, the next guard is asked.
    fn doubt(&mut self, hops: &Hops, why: DoubtWhy, at: u64) {
        let hops = *hops;
        self.doubts.push(Doubt { hops, at, why });
        let hung = |doubt: &&Doubt| {
            doubt.hops.guard == hops.guard
                && doubt.why != DoubtWhy::Unreachable
                && is_recent(Some(doubt.at), DOUBT_SECS, at)
        };
        if self.doubts.iter().filter(hung).count() >= HUNG_YIELDS {
            self.record_mut(hops.guard).yields = Some(at);
        }
    }
}

/// Whether connections failed over two guards one of which answers now: this computer could reach nobody.
fn was_cut_off(doubts: &[Doubt], over: Ed25519Public) -> bool {
    let failed = doubts.iter().filter(|doubt| doubt.why != DoubtWhy::Silent);
    let guards: BTreeSet<_> = failed.map(|doubt| doubt.hops.guard).collect();
    guards.len() > 1 && guards.contains(&over)
}

/// Number of tries over one guard that must hang, with no answer between, before another guard is asked.
const HUNG_YIELDS: usize = 2;
