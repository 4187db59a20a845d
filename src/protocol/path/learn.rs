//! What tries teach, and how it changes the memory: the table of the module above.

use super::memory::{DOUBT_SECS, Doubt, DoubtWhy, KeptGuard, RelayMemory, SetAside, Strike};
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

impl RelayMemory {
    /// Takes in what a try on a path of `list` taught.
    pub fn learn(&mut self, learned: &Learned, list: &RelayList) {
        self.shorten_gap(learned.at());
        match *learned {
            Learned::Belied { relay, at } => self.strike(relay, None, at),
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
        self.guard_did(hops.guard, true, list, at);
        for key in [hops.guard, hops.middle] {
            self.record_mut(key).worked = Some(at);
        }
    }

    fn worked(&mut self, hops: &Hops, list: &RelayList, at: u64) {
        self.guard_did(hops.guard, true, list, at);
        // What its last ten tries came to says more of a guard.
        self.record_mut(hops.guard).strikes.clear();
        for key in [hops.guard, hops.middle, hops.last] {
            self.record_mut(key).worked = Some(at);
        }
    }

    fn failed(&mut self, hops: &Hops, fault: Fault, list: &RelayList, at: u64) {
        let guard = hops.guard;
        match fault {
            Fault::GuardUnreachable => {
                self.record_mut(guard).yields = Some(at);
                self.doubt(guard, DoubtWhy::Unreachable, at);
            }
            Fault::Silent => self.doubt(guard, DoubtWhy::Silent, at),
            Fault::Broken => {
                self.doubt(guard, DoubtWhy::Broken, at);
                self.count(guard, false, list, at);
            }
            Fault::Answered => self.guard_did(guard, false, list, at),
            Fault::Gone { relay, by } => {
                let by_guard = by.is_none_or(|by| by == guard);
                let is_known = self.is_aside_on(&guard, &relay, at);
                let asides = &mut self.record_mut(guard).asides;
                asides.retain(|aside| aside.relay != relay);
                asides.push(SetAside {
                    relay,
                    at,
                    by_guard,
                });
                if by.is_some() {
                    self.strike(relay, by, at);
                }
                // One of the two at this link lies or is not there: which, only other relays' words can tell.
                if let Some(by) = by.filter(|by| *by != guard) {
                    self.strike(by, None, at);
                }
                // Where the list has nobody else, who is aside is asked again: the guard says the same, and cannot help it.
                if by_guard && is_known {
                    self.answer_came(guard, list, at);
                } else {
                    self.guard_did(guard, !by_guard, list, at);
                }
            }
            Fault::Link(nearer, other) => {
                self.strike(nearer, None, at);
                self.strike(other, None, at);
                self.guard_did(guard, nearer != guard, list, at);
            }
            Fault::Relay(relay) => {
                self.strike(relay, None, at);
                self.guard_did(guard, relay != guard, list, at);
            }
        }
    }

    /// Something came back over this guard, from behind it (which keeps it) or not.
    fn guard_did(&mut self, guard: Ed25519Public, well: bool, list: &RelayList, at: u64) {
        self.answer_came(guard, list, at);
        if well {
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
        }
        self.count(guard, well, list, at);
    }

    /// An answer of any kind came over this guard. So the network here works, and what brought nothing within the last
    /// minutes was no fault of it.
    fn answer_came(&mut self, over: Ed25519Public, list: &RelayList, at: u64) {
        for doubt in core::mem::take(&mut self.doubts) {
            if at >= doubt.at.saturating_add(DOUBT_SECS) {
                continue;
            }
            match doubt.why {
                DoubtWhy::Unreachable => self.strike(doubt.guard, None, doubt.at),
                // Over the same guard it was somebody behind it.
                DoubtWhy::Silent if doubt.guard != over => {
                    self.count(doubt.guard, false, list, doubt.at);
                }
                DoubtWhy::Broken | DoubtWhy::Silent => {}
            }
        }
    }

    /// A try brought nothing; at the second over a connection that stood, the next guard is asked.
    fn doubt(&mut self, guard: Ed25519Public, why: DoubtWhy, at: u64) {
        self.doubts.push(Doubt { guard, at, why });
        let hung = |doubt: &&Doubt| {
            doubt.guard == guard
                && doubt.why != DoubtWhy::Unreachable
                && at < doubt.at.saturating_add(DOUBT_SECS)
        };
        if self.doubts.iter().filter(hung).count() >= HUNG_YIELDS {
            self.record_mut(guard).yields = Some(at);
        }
    }

    /// One relay's word counts once: three must say so, or this client see it itself three times.
    fn strike(&mut self, relay: Ed25519Public, by: Option<Ed25519Public>, at: u64) {
        let strikes = &mut self.record_mut(relay).strikes;
        if by.is_some() {
            strikes.retain(|strike| strike.by != by);
        }
        strikes.push(Strike { at, by });
        let over = strikes.len().saturating_sub(MAX_STRIKES);
        strikes.drain(..over);
    }

    /// One more try over this guard, which drops it if that was one failure, or one word of others, too many.
    fn count(&mut self, guard: Ed25519Public, worked: bool, list: &RelayList, at: u64) {
        let too_many = TOO_MANY_ASIDE.max(list.relays.len() / 10);
        let record = self.record_mut(guard);
        record.tries.push(worked);
        let over = record.tries.len().saturating_sub(TRIES);
        record.tries.drain(..over);
        let failed = record.tries.iter().filter(|worked| !**worked).count();
        let key = guard;
        let said = record.asides.iter().filter(|aside| aside.by_guard);
        let said: Vec<_> = said.map(|aside| aside.relay).collect();
        let set_aside = said
            .iter()
            .filter(|relay| self.is_aside_on(&key, relay, at));
        if failed > TRIES / 2 || set_aside.count() > too_many {
            self.drop_guard(guard, at);
        }
    }
}

/// Number of a guard's latest tries that are looked at.
const TRIES: usize = 10;
/// On a short list a tenth is less than one relay: two that are down must not make their guard suspect.
const TOO_MANY_ASIDE: usize = 2;
/// Number of tries over one guard that must hang, with no answer between, before another guard is asked.
const HUNG_YIELDS: usize = 2;
/// More strikes than that say nothing new.
const MAX_STRIKES: usize = 8;
