//! How each relay of a list stands with this client, for people.

use super::memory::{RelayMemory, is_recent};
use super::{GUARD_SECS, HOUR_SECS};
use crate::protocol::keys::Ed25519Public;
use crate::protocol::relay_list::RelayList;

/// How one relay stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RelayStanding {
    /// Key of the relay.
    pub relay: Ed25519Public,
    /// What this client does with it.
    pub standing: Standing,
}

/// What this client does with a relay. Times are unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Was asked as a guard and is none: neither middle nor last until then.
    FormerGuard {
        /// Until when it stands nowhere, in unix seconds.
        until: u64,
    },
    /// A guard.
    Guard {
        /// When it first answered, in unix seconds.
        since: u64,
        /// Whether requests begin at it now; else it waits for another to fail.
        in_use: bool,
    },
    /// Neither middle nor last, so that it can be a guard later.
    KeptBack,
    /// Not drawn.
    SetAside {
        /// Until when the relay is set aside, in unix seconds.
        until: u64,
        /// Why the relay is set aside.
        why: SetAsideWhy,
    },
    /// Drawn as middle or last.
    Usable {
        /// When a path with it worked, in unix seconds, if that was within the hour.
        worked_at: Option<u64>,
    },
}

/// Why a relay is set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetAsideWhy {
    /// A relay of a path over this guard said that it cannot be reached.
    NotReachedFrom(Ed25519Public),
    /// It failed three times within 48 hours.
    Strikes,
}

impl RelayMemory {
    /// How every relay of the list stands, in its order.
    #[must_use]
    pub fn standing(&self, list: &RelayList, now: u64) -> Vec<RelayStanding> {
        let mut memory = self.clone();
        memory.follow_clock(now);
        let sample = memory.sample(list, now);
        let in_use = memory.in_use(&sample, list, now);
        // Nobody is kept back before the first path is drawn.
        let is_member =
            |key: &Ed25519Public| memory.secret.is_some() && sample.members.contains(key);
        let standing = |key: &Ed25519Public| {
            let by_record = memory.standing_by_record(key, in_use.contains(key), now);
            let kept_back = || is_member(key).then_some(Standing::KeptBack);
            by_record
                .or_else(kept_back)
                .or_else(|| memory.aside_on_a_guard(key, now))
                .unwrap_or_else(|| Standing::Usable {
                    worked_at: memory
                        .record(key)
                        .worked
                        .filter(|at| is_recent(Some(*at), HOUR_SECS, now)),
                })
        };
        let relays = list.relays.iter().map(|relay| relay.key);
        relays
            .map(|relay| RelayStanding {
                relay,
                standing: standing(&relay),
            })
            .collect()
    }

    fn standing_by_record(&self, key: &Ed25519Public, in_use: bool, now: u64) -> Option<Standing> {
        if let Some(until) = self.struck_until(key, now) {
            let why = SetAsideWhy::Strikes;
            return Some(Standing::SetAside { until, why });
        }
        if let Some(guard) = self.guards.iter().find(|guard| guard.relay == *key) {
            let since = guard.since;
            return Some(Standing::Guard { since, in_use });
        }
        let record = self.record(key);
        let asked = record.asked.max(record.dropped)?;
        let until = asked.saturating_add(GUARD_SECS);
        (now < until && !in_use).then_some(Standing::FormerGuard { until })
    }

    fn aside_on_a_guard(&self, key: &Ed25519Public, now: u64) -> Option<Standing> {
        self.records.iter().find_map(|(guard, record)| {
            let mut asides = record.asides.iter();
            let aside = asides
                .find(|aside| aside.relay == *key && is_recent(Some(aside.at), HOUR_SECS, now))?;
            let until = aside.at.saturating_add(HOUR_SECS);
            let why = SetAsideWhy::NotReachedFrom(*guard);
            Some(Standing::SetAside { until, why })
        })
    }
}
