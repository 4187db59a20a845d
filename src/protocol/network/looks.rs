//! The hourly look at each listed relay, and which relays stand in the list.
//!
//! What counts is looks that were missed, not hours that passed: a server that was off for a hundred days, or whose clock
//! jumped, has not looked, and drops nobody.

use std::collections::BTreeSet;

use rand_core::CryptoRng;

use super::register::{JoinStanding, MAX_LISTED, MAX_MISSED, RegisteredRelay, RelayRegister};
use crate::protocol::keys::Ed25519Public;
use crate::protocol::relay_list::RelayDescriptor;

/// One look at a relay: whether it answers at its address with its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// The relay.
    pub relay: RelayDescriptor,
    /// The relay to look through, so that a relay cannot answer the server alone; `None` to look straight, while the list has
    /// fewer than three that answer.
    pub through: Option<RelayDescriptor>,
}

/// The looks of one hour, to be made in any order; then [`RelayRegister::finish_round`].
#[derive(Debug)]
pub struct LookRound(Vec<Look>);

impl LookRound {
    /// The looks, one for each relay of the list.
    #[must_use]
    pub fn looks(&self) -> &[Look] {
        &self.0
    }
}

/// The outcome of a round of hourly looks at all relays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoundOutcome {
    /// Each relay was judged by its own look.
    Counted,
    /// Not one of three or more relays answered: the server itself is cut off, and the round says nothing of the relays.
    ServerCutOff,
}

impl RelayRegister {
    /// Begins the hourly look, if it is due at `now` (unix seconds). A clock that was set back makes it due.
    pub fn begin_round(&mut self, now: u64, rng: &mut impl CryptoRng) -> Option<LookRound> {
        let elapsed = self.last_round.and_then(|last| now.checked_sub(last));
        if elapsed.is_some_and(|elapsed| elapsed < LOOK_EVERY_SECS) {
            return None;
        }
        self.last_round = Some(now);
        self.forget(now);
        let answering: Vec<_> = self
            .relays
            .iter()
            .filter(|(_, relay)| relay.is_present() && relay.missed == 0)
            .map(|(key, relay)| self.describe(key, &relay.details))
            .collect();
        let look = |(key, relay): (&Ed25519Public, &RegisteredRelay)| {
            let others = answering.iter().filter(|other| other.key != *key);
            let drawn = others
                .map(|other| (rng.next_u64(), other))
                .min_by_key(|it| it.0);
            let through = drawn
                .map(|(_, other)| other)
                .filter(|_| answering.len() >= MIN_LISTED);
            Look {
                relay: self.describe(key, &relay.details),
                through: through.cloned(),
            }
        };
        Some(LookRound(self.listed().into_iter().map(look).collect()))
    }

    /// Takes the keys of the relays that answered in a round, at `now` (unix seconds).
    pub fn finish_round(
        &mut self,
        round: &LookRound,
        answered: &BTreeSet<Ed25519Public>,
        now: u64,
    ) -> RoundOutcome {
        let looked = || round.looks().iter().map(|look| look.relay.key);
        if looked().count() >= MIN_LISTED && !looked().any(|key| answered.contains(&key)) {
            return RoundOutcome::ServerCutOff;
        }
        for look in round.looks() {
            let Some(held) = self.relays.get_mut(&look.relay.key) else {
                continue;
            };
            // A relay that moved while the round ran was proved at its new address.
            if (held.details.host, held.details.port) != (look.relay.host, look.relay.port) {
                continue;
            }
            if answered.contains(&look.relay.key) {
                held.missed = 0;
                held.answered = now;
            } else {
                held.missed = held.missed.saturating_add(1).min(MAX_MISSED);
            }
        }
        RoundOutcome::Counted
    }

    /// Number of relays in the list that answered when they were last looked at.
    #[must_use]
    pub fn answering(&self) -> usize {
        let listed = self.listed().into_iter();
        listed.filter(|(_, relay)| relay.missed == 0).count()
    }

    /// The relays that stand in the list: those that belong to the network and answer. While these are fewer than three, those
    /// that answered last stay with them: without three relays nobody could use the network at all.
    pub(super) fn listed(&self) -> Vec<(&Ed25519Public, &RegisteredRelay)> {
        let (mut listed, mut silent): (Vec<_>, Vec<_>) = self
            .relays
            .iter()
            .filter(|(_, relay)| relay.standing == JoinStanding::Joined)
            .partition(|(_, relay)| !relay.is_silent());
        silent.sort_by_key(|(key, relay)| (core::cmp::Reverse(relay.answered), **key));
        for found in silent {
            // One whose place another has taken over cannot answer there.
            let is_taken =
                |(_, other): &(_, &RegisteredRelay)| other.details.host == found.1.details.host;
            if listed.len() < MIN_LISTED && !listed.iter().any(is_taken) {
                listed.push(found);
            }
        }
        listed.sort_by_key(|(key, _)| **key);
        listed
    }

    /// Forgets relays that nobody has seen for long, so that the register stays small.
    fn forget(&mut self, now: u64) {
        let kept: BTreeSet<_> = self.listed().into_iter().map(|(key, _)| *key).collect();
        self.relays.retain(|key, relay| {
            let unseen = now.saturating_sub(relay.answered);
            match relay.standing {
                JoinStanding::Joined if relay.is_silent() => {
                    kept.contains(key) || unseen < SILENT_KEPT_SECS
                }
                JoinStanding::Waiting => unseen < WAITING_KEPT_SECS,
                JoinStanding::Joined | JoinStanding::Removed => true,
            }
        });
        let mut silent: Vec<_> = self
            .relays
            .iter()
            .filter(|(key, relay)| {
                relay.standing == JoinStanding::Joined && relay.is_silent() && !kept.contains(key)
            })
            .map(|(key, relay)| (relay.answered, *key))
            .collect();
        silent.sort_unstable();
        let excess = silent.len().saturating_sub(MAX_LISTED);
        for (_, key) in silent.into_iter().take(excess) {
            self.relays.remove(&key);
        }
    }
}

/// The fewest relays of a list: a path needs three.
pub(super) const MIN_LISTED: usize = 3;
const LOOK_EVERY_SECS: u64 = 3_600;
/// How long a relay that left the list may come back without a join word.
const SILENT_KEPT_SECS: u64 = 180 * 24 * 3_600;
/// How long a proved relay waits for approval; it waits anew when it announces itself with a join word again.
const WAITING_KEPT_SECS: u64 = 30 * 24 * 3_600;
