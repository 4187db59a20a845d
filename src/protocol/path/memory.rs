//! What is remembered of the relays of one list, and the plain questions that the rules ask of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::strikes::{STRIKE_SECS, Strike, Try};
use super::{DAY_SECS, GUARD_SECS, HOUR_SECS, Hops, Learned, MAX_NEW_GUARDS};
use crate::protocol::keys::Ed25519Public;
use crate::protocol::relay_list::RelayList;

/// What one client remembers of the relays of one list. Every change is one of [`super::Learned`], of
/// [`super::Drawing::draw`] or of [`RelayMemory::forget_guards`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RelayMemory {
    /// Decides who is in the sample; `None` until the first path is drawn.
    pub(super) secret: Option<[u8; 32]>,
    /// In the order of their first answer.
    pub(super) guards: Vec<KeptGuard>,
    pub(super) records: BTreeMap<Ed25519Public, RelayRecord>,
    /// When relays were asked as new guards.
    pub(super) new_guards: Vec<u64>,
    /// Tries that brought nothing, until an answer shows whose fault it was.
    pub(super) doubts: Vec<Doubt>,
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

/// A relay that answered as a guard. Times here and below are unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptGuard {
    pub(super) relay: Ed25519Public,
    /// When it first answered.
    pub(super) since: u64,
}

/// What is remembered of one relay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RelayRecord {
    /// When it came into the sample; 0 for those of the first sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) in_sample: Option<u64>,
    /// Since when it is not on the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) unlisted: Option<u64>,
    /// When it was last asked as a guard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) asked: Option<u64>,
    /// When it was last at the middle or last place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stood: Option<u64>,
    /// When a path with it last worked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) worked: Option<u64>,
    /// When it was dropped as a guard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) dropped: Option<u64>,
    /// Since when it yields to other guards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) yields: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) strikes: Vec<Strike>,
    /// The last ten tries over it as a guard, the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) tries: Vec<Try>,
    /// Relays that are said not to be reachable from it as a guard.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) asides: Vec<SetAside>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SetAside {
    pub(super) relay: Ed25519Public,
    pub(super) at: u64,
    /// Whether the guard itself said so, or nobody knows who.
    pub(super) by_guard: bool,
}

/// A try that brought nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Doubt {
    pub(super) hops: Hops,
    pub(super) at: u64,
    pub(super) why: DoubtWhy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum DoubtWhy {
    /// The connection stood and broke.
    Broken,
    /// The connection stood and nothing came back.
    Silent,
    /// The guard was not there at all.
    Unreachable,
}

/// Whether something that happened `at` some time, if ever, is less than `secs` ago.
pub(super) fn is_recent(at: Option<u64>, secs: u64, now: u64) -> bool {
    at.is_some_and(|at| now < at.saturating_add(secs))
}

impl RelayMemory {
    /// Nothing is known yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What is remembered of a relay; an empty record when nothing is.
    pub(super) fn record(&self, key: &Ed25519Public) -> &RelayRecord {
        self.records.get(key).unwrap_or(&NOTHING)
    }

    pub(super) fn record_mut(&mut self, key: Ed25519Public) -> &mut RelayRecord {
        self.records.entry(key).or_default()
    }

    pub(super) fn is_kept(&self, key: &Ed25519Public) -> bool {
        self.guards.iter().any(|guard| guard.relay == *key)
    }

    pub(super) fn was_asked(&self, key: &Ed25519Public, now: u64) -> bool {
        is_recent(self.record(key).asked, GUARD_SECS, now)
    }

    pub(super) fn has_stood_lately(&self, key: &Ed25519Public, now: u64) -> bool {
        is_recent(self.record(key).stood, GUARD_SECS, now)
    }

    pub(super) fn worked_lately(&self, key: &Ed25519Public, now: u64) -> bool {
        is_recent(self.record(key).worked, HOUR_SECS, now)
    }

    pub(super) fn is_dropped(&self, key: &Ed25519Public, now: u64) -> bool {
        is_recent(self.record(key).dropped, GUARD_SECS, now)
    }

    pub(super) fn yields(&self, key: &Ed25519Public, now: u64) -> bool {
        is_recent(self.record(key).yields, DOUBT_SECS, now)
    }

    /// Whether somebody on a path of `guard` said within the hour that the relay is not there.
    pub(super) fn is_aside_on(&self, guard: &Ed25519Public, key: &Ed25519Public, now: u64) -> bool {
        let mut asides = self.record(guard).asides.iter();
        asides.any(|aside| aside.relay == *key && is_recent(Some(aside.at), HOUR_SECS, now))
    }

    /// Number of relays of the list that are neither set aside nor dropped.
    pub(super) fn usable(&self, list: &RelayList, now: u64) -> usize {
        let keys = list.relays.iter().map(|relay| &relay.key);
        keys.filter(|key| !self.is_dropped(key, now) && self.struck_until(key, now).is_none())
            .count()
    }

    /// Number of relays that may still be asked as new guards.
    pub(super) fn new_guards_left(&self, now: u64) -> usize {
        let asked = self.new_guards.iter();
        let asked = asked.filter(|at| is_recent(Some(**at), DAY_SECS, now));
        MAX_NEW_GUARDS.saturating_sub(asked.count())
    }

    /// Whether all three relays are known at `now` to have seen of this client lately what they see at these places.
    #[must_use]
    pub(crate) fn has_stood(&self, hops: &Hops, now: u64) -> bool {
        self.was_asked(&hops.guard, now)
            && self.has_stood_lately(&hops.middle, now)
            && self.has_stood_lately(&hops.last, now)
    }

    /// Whether the same relays are guards, may become ones, were asked as such and stood elsewhere as in `other`: what a
    /// relay saw of this client, without the times.
    #[must_use]
    pub(crate) fn has_the_exposure_of(&self, other: &Self) -> bool {
        let seen = |memory: &Self| -> Vec<_> {
            let records = memory.records.iter();
            records
                .map(|(key, of)| {
                    let RelayRecord { asked, stood, .. } = of;
                    (*key, asked.is_some(), stood.is_some(), of.dropped)
                })
                .filter(|(_, asked, stood, dropped)| *asked || *stood || dropped.is_some())
                .collect()
        };
        self.secret == other.secret
            && self.guards == other.guards
            && self.new_guards == other.new_guards
            && seen(self) == seen(other)
    }

    /// Moves every time so that it fits a clock that says `now`, if that clock was set since something was last
    /// remembered. Ages stay as they were: a wrong clock costs no guard, and when it is right again, nothing lasts for
    /// longer than it should.
    pub(super) fn follow_clock(&mut self, now: u64) {
        self.shorten_gap(now);
        let last = self.times_mut().map(|at| *at).max().unwrap_or(0);
        if last > now.saturating_add(SLACK_SECS) {
            let back = last - now;
            self.times_mut()
                .for_each(|at| *at = at.saturating_sub(back));
        }
    }

    /// The part of [`RelayMemory::follow_clock`] for a clock that was set forward. Who was away for so long cannot be
    /// told from that, and loses nothing either when it counts as a day.
    pub(super) fn shorten_gap(&mut self, now: u64) {
        let Some(last) = self.times_mut().map(|at| *at).max() else {
            return;
        };
        if now > last.saturating_add(GUARD_SECS) {
            let forward = now - last - DAY_SECS;
            self.times_mut()
                .for_each(|at| *at = at.saturating_add(forward));
        }
    }

    /// Every time that is remembered; all of them are past.
    fn times_mut(&mut self) -> impl Iterator<Item = &mut u64> {
        let guards = self.guards.iter_mut().map(|guard| &mut guard.since);
        let doubts = self.doubts.iter_mut().map(|doubt| &mut doubt.at);
        let records = self.records.values_mut().flat_map(RelayRecord::times_mut);
        guards
            .chain(records)
            .chain(&mut self.new_guards)
            .chain(doubts)
    }

    /// Forgets what no rule asks for any more.
    pub(super) fn tidy(&mut self, list: &RelayList, now: u64) {
        self.follow_clock(now);
        let listed: BTreeSet<_> = list.relays.iter().map(|relay| relay.key).collect();
        self.records.retain(|key, record| {
            record.tidy(listed.contains(key), now);
            *record != NOTHING
        });
        // One that left the list comes back as it was if it does so soon.
        let records = &self.records;
        self.guards
            .retain(|guard| listed.contains(&guard.relay) || records.contains_key(&guard.relay));
        self.new_guards
            .retain(|at| is_recent(Some(*at), DAY_SECS, now));
        self.doubts
            .retain(|doubt| is_recent(Some(doubt.at), DOUBT_SECS, now));
    }
}

impl RelayRecord {
    fn times_mut(&mut self) -> impl Iterator<Item = &mut u64> {
        let in_sample = self.in_sample.iter_mut().filter(|at| **at > 0);
        in_sample
            .chain(&mut self.unlisted)
            .chain(&mut self.asked)
            .chain(&mut self.stood)
            .chain(&mut self.worked)
            .chain(&mut self.dropped)
            .chain(&mut self.yields)
            .chain(self.strikes.iter_mut().map(|strike| &mut strike.at))
            .chain(self.asides.iter_mut().map(|aside| &mut aside.at))
    }

    fn tidy(&mut self, is_listed: bool, now: u64) {
        self.unlisted = match self.unlisted {
            _ if is_listed => None,
            None => Some(now),
            since => since,
        };
        let recent = |at: &mut Option<u64>, secs| {
            *at = at.filter(|at| is_recent(Some(*at), secs, now));
        };
        recent(&mut self.asked, GUARD_SECS);
        recent(&mut self.stood, GUARD_SECS);
        recent(&mut self.dropped, GUARD_SECS);
        recent(&mut self.worked, HOUR_SECS);
        recent(&mut self.yields, DOUBT_SECS);
        self.strikes
            .retain(|strike| is_recent(Some(strike.at), STRIKE_SECS, now));
        self.asides
            .retain(|aside| is_recent(Some(aside.at), HOUR_SECS, now));
        let is_gone = self.unlisted.is_some() && !is_recent(self.unlisted, GUARD_SECS, now);
        if is_gone {
            *self = Self::default();
        }
    }
}

static NOTHING: RelayRecord = RelayRecord {
    in_sample: None,
    unlisted: None,
    asked: None,
    stood: None,
    worked: None,
    dropped: None,
    yields: None,
    strikes: Vec::new(),
    tries: Vec::new(),
    asides: Vec::new(),
};

/// How long a try that brought nothing waits for an answer that shows whose fault it was, in seconds.
pub(super) const DOUBT_SECS: u64 = 600;
/// By so much the times of requests that run at once may differ, in seconds.
const SLACK_SECS: u64 = 60;
