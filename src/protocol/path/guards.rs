//! Who may be a guard: the sample, those in use, and dropping them.

use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::memory::{RelayMemory, is_recent};
use super::{Allowance, DAY_SECS, GUARD_SECS, SHORT_LIST};
use crate::protocol::keys::Ed25519Public;
use crate::protocol::relay_list::{RelayDescriptor, RelayList, Serves};

/// The guards stay.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum NewGuardRefused {
    /// Every other relay was middle or last of this client in the last ten days, is set aside, or was dropped.
    #[error("no relay is left that was neither middle nor last in the last ten days")]
    NobodyLeft,
    /// Three relays were asked as new guards within 24 hours.
    #[error("three new guards were asked within 24 hours")]
    TooSoon {
        /// From when on another may be, in unix seconds.
        again_at: u64,
    },
}

/// Who of a list may be a guard at one moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Sample {
    /// The relays kept back to be guards: kept ones first, then those asked lately, then by their hash.
    pub(super) members: Vec<Ed25519Public>,
    /// The relays outside, in the same order.
    pub(super) outside: Vec<Ed25519Public>,
}

impl RelayMemory {
    /// The person asks for new guards: those in use are dropped.
    ///
    /// # Errors
    /// [`NewGuardRefused`].
    pub(crate) fn forget_guards(
        &mut self,
        list: &RelayList,
        allow: Allowance,
        now: u64,
    ) -> Result<(), NewGuardRefused> {
        self.tidy(list, now);
        if self.new_guards_left(now) == 0 {
            let oldest = self.new_guards.iter().min().copied().unwrap_or(now);
            let again_at = oldest.saturating_add(DAY_SECS);
            return Err(NewGuardRefused::TooSoon { again_at });
        }
        let in_use = self.guards_in_use(list, now);
        let may_follow = |key: &Ed25519Public| {
            !in_use.contains(key)
                && self.is_usable_guard(key, now)
                && (allow.former_guards || self.is_kept(key) || !self.has_stood_lately(key, now))
        };
        if !list.relays.iter().any(|relay| may_follow(&relay.key)) {
            return Err(NewGuardRefused::NobodyLeft);
        }
        for key in in_use {
            self.drop_guard(key, now);
        }
        Ok(())
    }

    /// The guards in use at `now`, in their order: those that answered, and those that will be asked.
    #[must_use]
    pub fn guards_in_use(&self, list: &RelayList, now: u64) -> Vec<Ed25519Public> {
        self.in_use(&self.sample(list, now), list, now)
    }

    /// Whether it is neither dropped nor set aside.
    fn is_usable_guard(&self, key: &Ed25519Public, now: u64) -> bool {
        !self.is_dropped(key, now) && self.struck_until(key, now).is_none()
    }

    /// Whether it has been in the sample for ten days.
    pub(super) fn is_old(&self, key: &Ed25519Public, now: u64) -> bool {
        self.is_kept(key)
            || (self.record(key).in_sample)
                .is_some_and(|at| at == FROM_THE_FIRST || !is_recent(Some(at), GUARD_SECS, now))
    }

    /// Whether asking it would show this client to a relay that has not seen it as a guard lately.
    pub(super) fn is_new_guard(&self, key: &Ed25519Public, now: u64) -> bool {
        !self.is_kept(key) && !self.was_asked(key, now)
    }

    /// Whether it may be a guard, or become one.
    fn may_be_guard(&self, key: &Ed25519Public, now: u64) -> bool {
        self.is_usable_guard(key, now)
            && (self.is_kept(key) || !self.has_stood_lately(key, now))
            && self.is_old(key, now)
            && (!self.is_new_guard(key, now) || self.new_guards_left(now) > 0)
    }

    /// Who may be a guard.
    pub(super) fn sample(&self, list: &RelayList, now: u64) -> Sample {
        let (size, serving) = sample_size(list.relays.len());
        let is_short = list.relays.len() <= SHORT_LIST;
        let place = |relay: &&RelayDescriptor| {
            let key = &relay.key;
            let kept = self.guards.iter().position(|guard| guard.relay == *key);
            let comes_late = is_short && self.has_stood_lately(key, now);
            (
                kept.unwrap_or(usize::MAX),
                !self.was_asked(key, now),
                comes_late,
                self.hash(key),
            )
        };
        let mut order: Vec<_> = list.relays.iter().collect();
        order.sort_by_cached_key(place);
        let mut sample = Sample::default();
        for relay in order {
            let may = |members: &[Ed25519Public]| {
                self.is_kept(&relay.key) || leaves_servers(relay, members, list, serving)
            };
            if sample.members.len() < size && may(&sample.members) {
                sample.members.push(relay.key);
            } else {
                sample.outside.push(relay.key);
            }
        }
        sample
    }

    /// The first members that may be guards, one or two.
    pub(super) fn in_use(&self, sample: &Sample, list: &RelayList, now: u64) -> Vec<Ed25519Public> {
        let wanted = if self.usable(list, now) < ENOUGH_FOR_TWO {
            1
        } else {
            2
        };
        let members = sample.members.iter().copied();
        let able = members.filter(|key| self.may_be_guard(key, now));
        able.take(wanted).collect()
    }

    /// Notes who is in the sample for the first time. The first sample counts as old.
    pub(super) fn note_sample(&mut self, sample: &Sample, is_first: bool, now: u64) {
        let at = if is_first { FROM_THE_FIRST } else { now };
        for key in &sample.members {
            self.record_mut(*key).in_sample.get_or_insert(at);
        }
    }

    /// The keyed hash of a relay, which only this client knows.
    fn hash(&self, key: &Ed25519Public) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.secret.unwrap_or_default());
        hash.update(key.as_bytes());
        hash.finalize().into()
    }

    /// A guard that is not trusted any more. The strikes on its paths stay, else three that refuse it would be rid of them
    /// with it.
    pub(super) fn drop_guard(&mut self, key: Ed25519Public, at: u64) {
        self.guards.retain(|guard| guard.relay != key);
        for record in self.records.values_mut() {
            record.strikes.retain(|strike| strike.over != Some(key));
        }
        let record = self.record_mut(key);
        record.dropped = Some(at);
        record.tries.clear();
        record.asides.clear();
    }
}

/// Whether each host that this relay serves is served by `serving` others that are not among these members of the sample.
fn leaves_servers(
    relay: &RelayDescriptor,
    members: &[Ed25519Public],
    list: &RelayList,
    serving: usize,
) -> bool {
    let is_left = |serves: &dyn Fn(&RelayDescriptor) -> bool| {
        let others = list.relays.iter().filter(|other| {
            other.key != relay.key && !members.contains(&other.key) && serves(other)
        });
        others.take(serving).count() == serving
    };
    match &relay.serves {
        Serves::None => true,
        Serves::Any => is_left(&|other| other.serves == Serves::Any),
        Serves::Hosts(hosts) => hosts
            .iter()
            .all(|host| is_left(&|other| other.serves.includes(host))),
    }
}

/// The number of relays in the sample of a list of `len`, and of those that serve a host and must be left outside.
fn sample_size(len: usize) -> (usize, usize) {
    match len {
        0..=3 => (1, 1),
        4 => (2, 1),
        5 => (2, 2),
        _ => (len.div_ceil(3).clamp(3, 20), 2),
    }
}

/// The time at which the relays of the first sample came into it: a clock near 1970 has no ten days before.
const FROM_THE_FIRST: u64 = 0;
/// Number of relays that must be usable for two guards.
const ENOUGH_FOR_TWO: usize = 5;
