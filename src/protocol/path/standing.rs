//! How each relay of a list stands with this client, for people.

use super::memory::RelayMemory;
use super::{GUARD_SECS, HOUR_SECS};
use crate::protocol::keys::Ed25519Public;
use crate::protocol::relay_list::RelayList;

/// How one relay stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RelayStanding {
    /// Key of the relay.
    pub relay: Ed25519Public,
    /// How.
    pub standing: Standing,
}

/// What this client does with a relay. Times are unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Was a guard: neither middle nor last until then.
    FormerGuard {
        /// Until when the relay is set aside, in unix seconds.
        until: u64,
    },
    /// A guard.
    Guard {
        /// Since when.
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
        /// When a path with it worked, if that was within the hour.
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
        memory.standing_by_its_times(list, now)
    }

    fn standing_by_its_times(&self, list: &RelayList, now: u64) -> Vec<RelayStanding> {
        let in_use = self.guards_in_use(list, now);
        let standing = |key: &Ed25519Public| {
            if let Some(until) = self.struck_until(key, now) {
                let why = SetAsideWhy::Strikes;
                return Standing::SetAside { until, why };
            }
            if let Some(guard) = self.guard(key) {
                return Standing::Guard {
                    since: guard.since,
                    in_use: in_use.contains(key),
                };
            }
            let former = self.former.iter().find(|former| former.relay == *key);
            if let Some(former) = former {
                let until = former
                    .barred_until
                    .max(former.served_until.saturating_add(GUARD_SECS));
                if now < until {
                    return Standing::FormerGuard { until };
                }
            }
            if self.reserve.contains(key) {
                return Standing::KeptBack;
            }
            let aside = self.guards.iter().find_map(|guard| {
                let aside = guard
                    .asides
                    .iter()
                    .find(|aside| aside.relay == *key && now < aside.until)?;
                let why = SetAsideWhy::NotReachedFrom(guard.relay);
                Some(Standing::SetAside {
                    until: aside.until,
                    why,
                })
            });
            aside.unwrap_or_else(|| Standing::Usable {
                worked_at: self
                    .records
                    .get(key)
                    .and_then(|record| record.worked)
                    .filter(|at| now < at.saturating_add(HOUR_SECS)),
            })
        };
        list.relays
            .iter()
            .map(|relay| RelayStanding {
                relay: relay.key,
                standing: standing(&relay.key),
            })
            .collect()
    }
}
