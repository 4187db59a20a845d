//! Keeping guards: who is one, who becomes one, who has served its time.

use rand_core::CryptoRng;
use thiserror::Error;

use super::memory::RelayMemory;
use super::{GUARD_SECS, rules};
use crate::protocol::keys::Ed25519Public;
use crate::protocol::relay_list::RelayList;

/// No new guard may be drawn yet.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("three new guards were drawn within 24 hours")]
pub struct NewGuardRefused {
    /// From when on one may be, unix seconds.
    pub again_at: u64,
}

impl RelayMemory {
    /// The person asks for new guards: those in use are none for ten days.
    ///
    /// # Errors
    /// [`NewGuardRefused`] when three relays became guards within 24 hours.
    pub fn forget_guards(&mut self, list: &RelayList, now: u64) -> Result<(), NewGuardRefused> {
        self.tidy(list, now);
        if self.new_guards_left(now) == 0 {
            let oldest = self.new_guards.iter().min().copied().unwrap_or(now);
            return Err(NewGuardRefused {
                again_at: oldest.saturating_add(super::DAY_SECS),
            });
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
    pub(super) fn rotate(&mut self, list: &RelayList, now: u64) {
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
            if free < LEFT_TO_STAND + successor {
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

    /// Who can become a guard, in the order in which they should be asked: those kept back, then those that were
    /// neither middle nor last lately, then the others; relays that alone serve some host come at the very end.
    pub(super) fn fresh_guards(
        &self,
        list: &RelayList,
        now: u64,
        rng: &mut impl CryptoRng,
    ) -> Vec<Ed25519Public> {
        let eligible = |key: &Ed25519Public| {
            self.guard(key).is_none()
                && self.against_guard(key, now).is_none()
                && !self.former.iter().any(|former| former.relay == *key)
        };
        let reserve = self.reserve.iter().copied().filter(eligible);
        let mut order: Vec<_> = reserve.collect();
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

    /// Keeps relays back for a guard's place, as far as the list can spare them.
    pub(super) fn keep_back(&mut self, list: &RelayList, now: u64, rng: &mut impl CryptoRng) {
        let spare = self.usable(list, now).saturating_sub(TOO_FEW_TO_SPARE) / 3;
        let wanted = spare.min(MAX_RESERVE);
        self.reserve.truncate(wanted);
        if self.reserve.len() == wanted {
            return;
        }
        for key in self.fresh_guards(list, now, rng) {
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

/// So many relays must be left that are no guards when one that has served its time goes.
const LEFT_TO_STAND: usize = 4;
/// Of lists this short no relay is kept back.
const TOO_FEW_TO_SPARE: usize = 6;
const MAX_RESERVE: usize = 6;
