//! What counts against relays and against guards: the rules 8 to 10 of the module above.

use serde::{Deserialize, Serialize};

use super::memory::{RelayMemory, SetAside, is_recent};
use super::{HOUR_SECS, Hops, Place};
use crate::protocol::keys::Ed25519Public;
use crate::protocol::relay_list::RelayList;

/// A failure that may be a relay's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Strike {
    pub(super) at: u64,
    /// Where the relay stood.
    pub(super) place: Place,
    /// The neighbour that may be at fault as well; `None` where this client saw for itself that the relay is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) with: Option<Ed25519Public>,
    /// The guard, where it may be at fault as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) over: Option<Ed25519Public>,
}

/// What a try over a guard came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Try {
    Worked,
    /// It failed, by the guard's fault or that of one of these relays behind it.
    Failed(Vec<Ed25519Public>),
}

impl Strike {
    /// One that this client saw for itself, without anybody's word.
    pub(super) const fn seen(place: Place, at: u64) -> Self {
        Self {
            at,
            place,
            with: None,
            over: None,
        }
    }
}

impl Try {
    /// The relays behind the guard that may be at fault.
    fn behind(&self) -> &[Ed25519Public] {
        match self {
            Self::Worked => &[],
            Self::Failed(behind) => behind,
        }
    }
}

impl RelayMemory {
    /// Until when three strikes set it aside.
    pub(super) fn struck_until(&self, key: &Ed25519Public, now: u64) -> Option<u64> {
        let strikes = self.record(key).strikes.iter();
        let mut fading: Vec<_> = strikes
            .map(|strike| strike.at.saturating_add(STRIKE_SECS))
            .filter(|fades| now < *fades)
            .collect();
        fading.sort_unstable();
        let decisive = fading.len().checked_sub(STRIKES)?;
        fading.get(decisive).copied()
    }

    /// Something failed between two neighbours, and which of them failed cannot be told: each is struck on account of the
    /// other, unless that one is set aside and explains it. A guard is not struck, for its tries tell more; `over` names it
    /// where the fault may be its own.
    pub(super) fn strike_both(
        &mut self,
        hops: &Hops,
        nearer: Ed25519Public,
        other: Ed25519Public,
        over: Option<Ed25519Public>,
        at: u64,
    ) {
        let one = |relay: &Ed25519Public, with| Strike {
            at,
            place: hops.place(relay),
            with: Some(with),
            over,
        };
        if self.struck_until(&nearer, at).is_none() {
            self.strike(other, one(&other, nearer));
        }
        if nearer != hops.guard && self.struck_until(&other, at).is_none() {
            self.strike(nearer, one(&nearer, other));
        }
    }

    /// Two strikes on account of one neighbour are kept, so that it takes two neighbours to have a relay set aside.
    pub(super) fn strike(&mut self, relay: Ed25519Public, strike: Strike) {
        let strikes = &mut self.record_mut(relay).strikes;
        let is_same = |other: &Strike| other.with.is_some() && other.with == strike.with;
        if strikes.iter().filter(|other| is_same(other)).count() >= STRIKES_WITH_ONE {
            let oldest = strikes.iter().position(is_same);
            strikes.remove(oldest.unwrap_or_default());
        }
        strikes.push(strike);
        let over = strikes.len().saturating_sub(MAX_STRIKES);
        strikes.drain(..over);
        if self.struck_until(&relay, strike.at).is_some() {
            self.excuse_neighbours_of(relay);
        }
    }

    /// A relay was set aside, which explains what went wrong beside it: strikes on its account end, and guards get back what
    /// it cost them.
    fn excuse_neighbours_of(&mut self, relay: Ed25519Public) {
        let guards: Vec<_> = self.guards.iter().map(|guard| guard.relay).collect();
        for guard in guards {
            if self.is_excused(&guard, &relay) {
                let record = self.record_mut(guard);
                record.tries.retain(|one| !one.behind().contains(&relay));
                for aside in &mut record.asides {
                    aside.by_guard &= aside.relay != relay;
                }
            }
        }
        for record in self.records.values_mut() {
            record.strikes.retain(|strike| strike.with != Some(relay));
        }
    }

    /// Whether something else than what this guard may have done itself speaks against the relay.
    fn is_excused(&self, guard: &Ed25519Public, relay: &Ed25519Public) -> bool {
        let mut strikes = self.record(relay).strikes.iter();
        let guard = Some(*guard);
        strikes.any(|strike| strike.over != guard && strike.with != guard)
    }

    /// An answer crossed the hop between these two, where the first stood at this place.
    pub(super) fn mend(&mut self, relay: Ed25519Public, place: Place, with: Ed25519Public) {
        let strikes = &mut self.record_mut(relay).strikes;
        strikes.retain(|strike| strike.place != place || strike.with != Some(with));
    }

    /// One more try over this guard, which drops it if that was one failure, or one word of its own, too many.
    pub(super) fn count(&mut self, guard: Ed25519Public, one: Try, list: &RelayList, at: u64) {
        let explains = |relay: &Ed25519Public| {
            self.struck_until(relay, at).is_some() && self.is_excused(&guard, relay)
        };
        if one.behind().iter().any(explains) {
            return;
        }
        let too_many = TOO_MANY_ASIDE.max(list.relays.len() / 10);
        let record = self.record_mut(guard);
        record.tries.push(one);
        let over = record.tries.len().saturating_sub(TRIES);
        record.tries.drain(..over);
        let failed = record.tries.iter().filter(|one| **one != Try::Worked);
        let is_said =
            |aside: &&SetAside| aside.by_guard && is_recent(Some(aside.at), HOUR_SECS, at);
        let said = record.asides.iter().filter(is_said);
        if failed.count() > TRIES / 2 || said.count() > too_many {
            self.drop_guard(guard, at);
        }
    }
}

/// Number of strikes that set a relay aside.
const STRIKES: usize = 3;
/// How long a strike counts, in seconds.
pub(super) const STRIKE_SECS: u64 = 48 * HOUR_SECS;
/// Number of strikes of a relay that are kept on account of one neighbour.
const STRIKES_WITH_ONE: usize = 2;
/// More strikes than that say nothing new.
const MAX_STRIKES: usize = 8;
/// Number of a guard's latest tries that are looked at.
const TRIES: usize = 10;
/// On a short list a tenth is less than one relay: two that are down must not make their guard suspect.
const TOO_MANY_ASIDE: usize = 2;
