//! What is remembered of the relays of one list: the state, and the questions that the rules ask of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use super::{DAY_SECS, GUARD_SECS, HOUR_SECS, Hops, Learned, MAX_NEW_GUARDS, RejectReason};
use crate::protocol::keys::Ed25519Public;
use crate::protocol::relay_list::RelayList;

/// What one client remembers of the relays of one list. Every change is one of [`super::Learned`], of
/// [`super::Drawing::draw`] or of [`RelayMemory::forget_guards`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RelayMemory {
    /// In the order in which they came; the first usable ones are in use.
    pub(super) guards: Vec<Guard>,
    /// No guards any more, and neither middle nor last yet.
    pub(super) former: Vec<Former>,
    /// Kept back for a guard's place.
    pub(super) reserve: Vec<Ed25519Public>,
    pub(super) records: BTreeMap<Ed25519Public, RelayRecord>,
    /// When relays became guards, within 24 hours.
    pub(super) new_guards: Vec<u64>,
    /// Failures that no answer has followed yet: of which guard, when.
    pub(super) doubts: Vec<(Ed25519Public, u64, Doubt)>,
}

/// Keeper of the memory of one relay list, which several transfers change at once.
pub trait MemoryKeeper: Sync {
    /// Changes the memory. When this returns, the guards are kept as they are then: what a relay is about to see of this
    /// client must outlive whatever ends the program next.
    fn change(&self, change: &mut dyn FnMut(&mut RelayMemory));

    /// Learns what came of a request, or that one is about to be sent. It counts at once. What tells of a relay that has not
    /// seen this client before is kept like the guards; the rest may be kept together with what the requests after it teach,
    /// as long as that happens before this program does something else.
    fn learn(&self, learned: &Learned, list: &RelayList) {
        self.change(&mut |memory| memory.learn(learned, list));
    }
}

/// Keeps it as long as the program runs.
impl MemoryKeeper for Mutex<RelayMemory> {
    fn change(&self, change: &mut dyn FnMut(&mut RelayMemory)) {
        change(&mut self.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Guard {
    pub(super) relay: Ed25519Public,
    /// When the relay became a guard, in unix seconds.
    pub(super) since: u64,
    /// When the guard last carried a request, in unix seconds.
    pub(super) used: u64,
    /// Whether the guard's last ten tries worked, the newest last.
    pub(super) outcomes: Vec<bool>,
    /// Relays that are said not to be reachable from the guard.
    pub(super) asides: Vec<SetAside>,
    /// Until when another guard is preferred, in unix seconds, because this one could not be reached or hung.
    pub(super) yields_until: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SetAside {
    pub(super) relay: Ed25519Public,
    pub(super) until: u64,
    /// Whether the guard itself said so, or nobody knows who.
    pub(super) by_guard: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Former {
    pub(super) relay: Ed25519Public,
    pub(super) served_until: u64,
    /// Until when the relay cannot become a guard again, in unix seconds.
    pub(super) barred_until: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RelayRecord {
    pub(super) strikes: Vec<Strike>,
    /// When a path with the relay last worked, in unix seconds.
    pub(super) worked: Option<u64>,
    /// When the relay was last at the middle or last place, in unix seconds.
    pub(super) stood: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Strike {
    pub(super) at: u64,
    /// Which relay says so; absent when this client saw it itself.
    pub(super) by: Option<Ed25519Public>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// The connection stood and broke: counted already.
    Broken,
    /// The connection stood and nothing came back.
    Silent,
    /// The guard was not there at all.
    Unreachable,
}

impl RelayMemory {
    /// Nothing is known yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn guard(&self, key: &Ed25519Public) -> Option<&Guard> {
        self.guards.iter().find(|guard| guard.relay == *key)
    }

    pub(super) fn guard_mut(&mut self, key: &Ed25519Public) -> Option<&mut Guard> {
        self.guards.iter_mut().find(|guard| guard.relay == *key)
    }

    /// Whether it serves as guard, or did in the last ten days.
    pub(super) fn is_or_was_guard(&self, key: &Ed25519Public, now: u64) -> bool {
        self.guard(key).is_some()
            || self.former.iter().any(|former| {
                former.relay == *key && now < former.served_until.saturating_add(GUARD_SECS)
            })
    }

    /// Whether it was a guard and is not one again yet.
    pub(super) fn is_barred(&self, key: &Ed25519Public, now: u64) -> bool {
        self.former
            .iter()
            .any(|former| former.relay == *key && now < former.barred_until)
    }

    /// Until when three strikes keep it aside.
    pub(super) fn struck_until(&self, key: &Ed25519Public, now: u64) -> Option<u64> {
        let strikes = &self.records.get(key)?.strikes;
        let mut fading: Vec<_> = strikes
            .iter()
            .map(|strike| strike.at.saturating_add(STRIKE_SECS))
            .filter(|fades| now < *fades)
            .collect();
        fading.sort_unstable();
        fading
            .len()
            .checked_sub(STRIKES)
            .and_then(|over| fading.get(over).copied())
    }

    pub(super) fn worked_lately(&self, key: &Ed25519Public, now: u64) -> bool {
        self.records
            .get(key)
            .and_then(|record| record.worked)
            .is_some_and(|at| now < at.saturating_add(HOUR_SECS))
    }

    pub(super) fn stood_lately(&self, key: &Ed25519Public, now: u64) -> bool {
        self.records
            .get(key)
            .and_then(|record| record.stood)
            .is_some_and(|at| now < at.saturating_add(GUARD_SECS))
    }

    /// Whether somebody on a path of `guard` said that it cannot be reached.
    pub(super) fn is_aside_on(&self, guard: &Ed25519Public, key: &Ed25519Public, now: u64) -> bool {
        self.guard(guard).is_some_and(|guard| {
            guard
                .asides
                .iter()
                .any(|aside| aside.relay == *key && now < aside.until)
        })
    }

    /// Why a relay cannot be kept as a guard: set aside or barred.
    pub(super) fn against_guard(&self, key: &Ed25519Public, now: u64) -> Option<RejectReason> {
        if self.is_barred(key, now) {
            Some(RejectReason::Retired)
        } else if self.struck_until(key, now).is_some() {
            Some(RejectReason::SetAside)
        } else {
            None
        }
    }

    /// Number of relays of the list that are neither set aside nor barred.
    pub(super) fn usable(&self, list: &RelayList, now: u64) -> usize {
        list.relays
            .iter()
            .filter(|relay| self.against_guard(&relay.key, now).is_none())
            .count()
    }

    /// Number of guards to keep in use, 1 or 2.
    pub(super) fn wanted(&self, list: &RelayList, now: u64) -> usize {
        if self.usable(list, now) < ENOUGH_FOR_TWO {
            1
        } else {
            2
        }
    }

    /// The guards in use at `now`, in the order in which they came.
    #[must_use]
    pub(crate) fn guards_in_use(&self, list: &RelayList, now: u64) -> Vec<Ed25519Public> {
        self.guards
            .iter()
            .map(|guard| guard.relay)
            .filter(|key| list.find(key).is_some() && self.against_guard(key, now).is_none())
            .take(self.wanted(list, now))
            .collect()
    }

    /// Whether both relays behind the guard of `hops` are known at `now` to have stood on a path lately.
    #[must_use]
    pub(crate) fn has_stood(&self, hops: &Hops, now: u64) -> bool {
        [hops.middle, hops.last]
            .iter()
            .all(|key| self.stood_lately(key, now))
    }

    /// Whether the same relays are guards, were ones, may become ones and stood on a path as in `other`: what a relay saw of
    /// this client, without the times.
    #[must_use]
    pub(crate) fn has_the_exposure_of(&self, other: &Self) -> bool {
        let guards = |memory: &Self| -> Vec<_> {
            let guards = memory.guards.iter();
            guards.map(|guard| (guard.relay, guard.since)).collect()
        };
        let stood = |memory: &Self| -> BTreeSet<_> {
            let records = memory.records.iter();
            records
                .filter(|(_, record)| record.stood.is_some())
                .map(|(key, _)| *key.as_bytes())
                .collect()
        };
        guards(self) == guards(other)
            && self.former == other.former
            && self.reserve == other.reserve
            && self.new_guards == other.new_guards
            && stood(self) == stood(other)
    }

    /// Number of relays that may still become guards.
    pub(super) fn new_guards_left(&self, now: u64) -> usize {
        let drawn = self
            .new_guards
            .iter()
            .filter(|at| now < at.saturating_add(NEW_GUARD_SECS))
            .count();
        MAX_NEW_GUARDS.saturating_sub(drawn)
    }

    /// Moves every time so that it fits a clock that says `now`, if that clock was set since something was last
    /// remembered. Ages stay as they were: a wrong clock costs no guard, and when it is right again, none stays for
    /// longer than it should.
    pub(super) fn follow_clock(&mut self, now: u64) {
        self.shorten_gap(now);
        if let Some(last) = self.last_event()
            && last > now.saturating_add(SLACK_SECS)
        {
            let back = last - now;
            self.move_times(|at| at.saturating_sub(back));
        }
    }

    /// The part of [`RelayMemory::follow_clock`] for a clock that was set forward. Who was away for so long cannot be
    /// told from that, and loses nothing either when it counts as a day.
    pub(super) fn shorten_gap(&mut self, now: u64) {
        if let Some(last) = self.last_event()
            && now > last.saturating_add(GUARD_SECS)
        {
            let forward = now - last - DAY_SECS;
            self.move_times(|at| at.saturating_add(forward));
        }
    }

    /// When something of this memory last happened.
    fn last_event(&self) -> Option<u64> {
        let guards = self.guards.iter().map(|guard| guard.used.max(guard.since));
        let former = self.former.iter().map(|former| former.served_until);
        let records = self.records.values().flat_map(|record| {
            let strikes = record.strikes.iter().map(|strike| strike.at);
            strikes.chain(record.worked).chain(record.stood)
        });
        let doubts = self.doubts.iter().map(|(_, at, _)| *at);
        guards
            .chain(former)
            .chain(records)
            .chain(self.new_guards.iter().copied())
            .chain(doubts)
            .max()
    }

    fn move_times(&mut self, to: impl Fn(u64) -> u64) {
        let Self {
            guards,
            former,
            reserve: _,
            records,
            new_guards,
            doubts,
        } = self;
        let mut times: Vec<&mut u64> = Vec::new();
        for guard in guards {
            times.extend([&mut guard.since, &mut guard.used, &mut guard.yields_until]);
            times.extend(guard.asides.iter_mut().map(|aside| &mut aside.until));
        }
        for former in former {
            times.extend([&mut former.served_until, &mut former.barred_until]);
        }
        for record in records.values_mut() {
            times.extend(record.strikes.iter_mut().map(|strike| &mut strike.at));
            times.extend(record.worked.iter_mut().chain(&mut record.stood));
        }
        times.extend(new_guards);
        times.extend(doubts.iter_mut().map(|(_, at, _)| at));
        for time in times {
            *time = to(*time);
        }
    }

    /// Forgets what no rule asks for any more.
    pub(super) fn tidy(&mut self, list: &RelayList, now: u64) {
        self.follow_clock(now);
        let (kept, gone): (Vec<_>, Vec<_>) = core::mem::take(&mut self.guards)
            .into_iter()
            .partition(|guard| list.find(&guard.relay).is_some());
        self.guards = kept;
        for guard in gone {
            self.retire(&guard, now, now);
        }
        self.former.retain(|former| {
            now < former.barred_until || now < former.served_until.saturating_add(GUARD_SECS)
        });
        for guard in &mut self.guards {
            guard.asides.retain(|aside| now < aside.until);
        }
        self.reserve.retain(|key| list.find(key).is_some());
        self.new_guards
            .retain(|at| now < at.saturating_add(NEW_GUARD_SECS));
        self.doubts
            .retain(|(_, at, _)| now < at.saturating_add(DOUBT_SECS));
        let listed: BTreeSet<_> = list.relays.iter().map(|relay| relay.key).collect();
        self.records.retain(|key, record| {
            record
                .strikes
                .retain(|strike| now < strike.at.saturating_add(STRIKE_SECS));
            record.worked = record
                .worked
                .filter(|at| now < at.saturating_add(HOUR_SECS));
            record.stood = record
                .stood
                .filter(|at| now < at.saturating_add(GUARD_SECS));
            *record != RelayRecord::default() && (listed.contains(key) || record.stood.is_some())
        });
    }

    /// A guard no more from `now` on, but neither middle nor last for ten days. Until `barred_until` it is no guard
    /// again.
    pub(super) fn retire(&mut self, guard: &Guard, now: u64, barred_until: u64) {
        self.former.retain(|former| former.relay != guard.relay);
        self.former.push(Former {
            relay: guard.relay,
            served_until: guard.used.max(now),
            barred_until,
        });
    }
}

/// Number of relays that must be usable for two guards.
const ENOUGH_FOR_TWO: usize = 5;
/// Number of strikes that set a relay aside.
pub(super) const STRIKES: usize = 3;
/// How long a strike counts, in seconds.
pub(super) const STRIKE_SECS: u64 = 48 * HOUR_SECS;
/// How long a failure waits for an answer that shows it was not the network here, in seconds.
pub(super) const DOUBT_SECS: u64 = 600;
const NEW_GUARD_SECS: u64 = 24 * HOUR_SECS;
/// By so much the times of requests that run at once may differ, in seconds.
const SLACK_SECS: u64 = 60;
