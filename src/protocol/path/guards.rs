//! Keeping guards: who is one, who becomes one, who has served its time.

use rand_core::CryptoRng;
use thiserror::Error;

use super::memory::RelayMemory;
use super::{Allowance, GUARD_SECS, rules};
use crate::protocol::keys::Ed25519Public;
use crate::protocol::relay_list::RelayList;

/// The guards stay.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum NewGuardRefused {
    /// Every other relay was middle or last of this client in the last ten days, is set aside, or was a guard.
    #[error("no relay is left that was neither middle nor last in the last ten days")]
    NobodyLeft,
    /// Three relays became guards within 24 hours.
    #[error("three new guards were drawn within 24 hours")]
    TooSoon {
        /// From when on another may, unix seconds.
        again_at: u64,
    },
}

impl RelayMemory {
    /// The person asks for new guards: those in use are none for ten days.
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
            return Err(NewGuardRefused::TooSoon {
                again_at: oldest.saturating_add(super::DAY_SECS),
            });
        }
        if !self.has_successor(list, allow.former_guards, now) {
            return Err(NewGuardRefused::NobodyLeft);
        }
        for key in self.guards_in_use(list, now) {
            if let Some(at) = self.guards.iter().position(|guard| guard.relay == key) {
                let guard = self.guards.remove(at);
                self.retire(&guard, now, now.saturating_add(GUARD_SECS));
            }
        }
        Ok(())
    }

    /// Guards whose ten days are over go, the oldest first, while enough relays are left to stand elsewhere.
    pub(super) fn rotate(&mut self, list: &RelayList, may_have_stood: bool, now: u64) {
        while let Some(at) = self
            .guards
            .iter()
            .position(|guard| now >= guard.since.saturating_add(GUARD_SECS))
        {
            let free = list
                .relays
                .iter()
                .filter(|relay| {
                    !self.is_or_was_guard(&relay.key, now)
                        && !self.reserve.contains(&relay.key)
                        && self.against_guard(&relay.key, now).is_none()
                })
                .count();
            let successor = usize::from(self.reserve.is_empty());
            if free < LEFT_TO_STAND + successor || !self.has_successor(list, may_have_stood, now) {
                return;
            }
            let guard = self.guards.remove(at);
            self.retire(&guard, now, now.saturating_add(GUARD_SECS));
            // One at a time: the successor is drawn before the next may go.
            if self.guards.len() < self.wanted(list, now) {
                return;
            }
        }
    }

    /// Whether it can become a guard, when relays that were middle or last lately may, or may not.
    fn can_be_guard(&self, key: &Ed25519Public, may_have_stood: bool, now: u64) -> bool {
        self.guard(key).is_none()
            && self.against_guard(key, now).is_none()
            && !self.former.iter().any(|former| former.relay == *key)
            && (may_have_stood || !self.stood_lately(key, now))
    }

    /// Whether a relay can become a guard.
    fn has_successor(&self, list: &RelayList, may_have_stood: bool, now: u64) -> bool {
        let mut relays = list.relays.iter();
        relays.any(|relay| self.can_be_guard(&relay.key, may_have_stood, now))
    }

    /// Who can become a guard, in the order in which they should be asked: those kept back, then those that were
    /// neither middle nor last lately, then, only if they `may_have_stood` there, the others; relays that alone serve
    /// some host come at the very end.
    pub(super) fn fresh_guards(
        &self,
        list: &RelayList,
        may_have_stood: bool,
        now: u64,
        rng: &mut impl CryptoRng,
    ) -> Vec<Ed25519Public> {
        let eligible = |key: &Ed25519Public| self.can_be_guard(key, may_have_stood, now);
        let mut order = self.reserve.clone();
        order.retain(eligible);
        order.sort_by_key(|key| self.stood_lately(key, now));
        let mut ranks: [Vec<Ed25519Public>; 3] = Default::default();
        for relay in &list.relays {
            if !eligible(&relay.key) || order.contains(&relay.key) {
                continue;
            }
            let rank = if rules::is_the_only_one_serving(list, relay) {
                2
            } else {
                usize::from(self.stood_lately(&relay.key, now))
            };
            if let Some(rank) = ranks.get_mut(rank) {
                rank.push(relay.key);
            }
        }
        for mut rank in ranks {
            while let Some(key) = rules::take_one(&mut rank, rng) {
                order.push(key);
            }
        }
        order
    }

    /// Keeps relays back for a guard's place, as far as the list can spare them. One that was middle or last before can
    /// be a guard once it has been kept back for ten days.
    pub(super) fn keep_back(&mut self, list: &RelayList, now: u64, rng: &mut impl CryptoRng) {
        let wanted = match self.usable(list, now) {
            // With one guard, that one's death must leave another.
            4 => 1,
            usable => (usable.saturating_sub(TOO_FEW_TO_SPARE) / 3).min(MAX_RESERVE),
        };
        self.reserve.truncate(wanted);
        if self.reserve.len() == wanted {
            return;
        }
        for key in self.fresh_guards(list, true, now, rng) {
            if self.reserve.len() == wanted {
                return;
            }
            let alone = list
                .find(&key)
                .is_some_and(|relay| rules::is_the_only_one_serving(list, relay));
            if !alone && !self.reserve.contains(&key) {
                self.reserve.push(key);
            }
        }
    }
}

/// Number of relays that must be left for the other places when a guard that has served its time goes.
const LEFT_TO_STAND: usize = 4;
/// Of lists this short no relay is kept back, but of those with a single guard.
const TOO_FEW_TO_SPARE: usize = 3;
const MAX_RESERVE: usize = 12;
