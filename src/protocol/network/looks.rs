//! The hourly look at each listed relay, and which relays stand in the list.
//!
//! What counts is rounds of looks, not hours that passed: a server that was off for a hundred days, or whose clock jumped, or
//! that reached nobody, has not looked. It drops nobody and forgets nobody. Where several servers keep one network, each makes
//! its rounds: a relay that one of them reaches is there, and what none of them reaches in an hour counts once.

use core::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use rand_core::CryptoRng;

use super::register::{HOUR_SECS, JoinStanding, MAX_LISTED, RegisteredRelay, RelayRegister};
use crate::protocol::keys::Ed25519Public;
use crate::protocol::relay_list::RelayDescriptor;

/// One look at a relay: whether it answers at its address with its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// The relay.
    pub relay: RelayDescriptor,
    /// The relay to look through, so that a relay cannot answer the server alone; `None` to look straight, while the list has
    /// fewer than three that answer, or the others cannot know the relay yet.
    pub through: Option<RelayDescriptor>,
}

/// The looks of one hour, to be made in any order; then [`RelayRegister::finish_round`].
#[derive(Debug)]
pub struct LookRound {
    looks: Vec<Look>,
    /// The relays that are not looked at, with the time of their newest announcement.
    others: Vec<(Ed25519Public, u64)>,
}

impl LookRound {
    /// The looks, one for each relay of the list.
    #[must_use]
    pub fn looks(&self) -> &[Look] {
        &self.looks
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
        let answering: Vec<_> = self
            .relays
            .iter()
            .filter(|(_, relay)| relay.is_present() && relay.missed.count == 0)
            .map(|(key, relay)| self.describe(key, &relay.details))
            .collect();
        let look = |(key, relay): (&Ed25519Public, &RegisteredRelay)| {
            let others = answering.iter().filter(|other| other.key != *key);
            let drawn = others
                .map(|other| (rng.next_u64(), other))
                .min_by_key(|it| it.0);
            let is_known = self.is_signed(key, &relay.details, now);
            let through = drawn
                .map(|(_, other)| other)
                .filter(|_| is_known && answering.len() >= MIN_LISTED);
            Look {
                relay: self.describe(key, &relay.details),
                through: through.cloned(),
            }
        };
        let looks: Vec<_> = self.listed().into_iter().map(look).collect();
        let is_looked_at = |key: &Ed25519Public| looks.iter().any(|look| look.relay.key == *key);
        let others = self.relays.iter().filter(|(key, _)| !is_looked_at(key));
        Some(LookRound {
            others: others.map(|(key, relay)| (*key, relay.at_ms)).collect(),
            looks,
        })
    }

    /// Takes the keys of the relays that answered in a round, at `now` (unix seconds).
    pub fn finish_round(
        &mut self,
        round: &LookRound,
        answered: &BTreeSet<Ed25519Public>,
        now: u64,
    ) -> RoundOutcome {
        let looked = || round.looks.iter().map(|look| look.relay.key);
        let nobody_answered = !looked().any(|key| answered.contains(&key));
        if nobody_answered && looked().count() >= MIN_LISTED {
            return RoundOutcome::ServerCutOff;
        }
        for look in &round.looks {
            let key = &look.relay.key;
            let Some(held) = self.relays.get(key) else {
                continue;
            };
            // A relay that moved while the round ran was proved at its new address.
            if (held.details.host, held.details.port) != (look.relay.host, look.relay.port) {
                continue;
            }
            let answers = answered.contains(key);
            // One that comes back does not take the place of one that came meanwhile.
            if answers && held.is_silent() && self.check_place(key, &held.details).is_err() {
                continue;
            }
            if let Some(held) = self.relays.get_mut(key) {
                if answers {
                    held.missed.restart(now);
                    held.answered = now;
                } else {
                    held.missed.add(now);
                }
            }
        }
        // With one or two that do not answer, the server itself may be cut off.
        if !nobody_answered || round.looks.is_empty() {
            for (key, at_ms) in &round.others {
                let held = self.relays.get_mut(key);
                if let Some(held) = held.filter(|held| held.at_ms == *at_ms) {
                    held.missed.add(now);
                }
            }
            self.forget();
        }
        RoundOutcome::Counted
    }

    /// Number of relays in the list that answered when they were last looked at.
    #[must_use]
    pub fn answering(&self) -> usize {
        let listed = self.listed().into_iter();
        listed.filter(|(_, relay)| relay.missed.count == 0).count()
    }

    /// Number of relays in the list.
    #[must_use]
    pub fn listed_count(&self) -> usize {
        self.listed().len()
    }

    /// The relays that stand in the list: those that belong to the network and answer. While these are fewer than three, those
    /// that answered last stay with them: without three relays nobody could use the network at all.
    pub(super) fn listed(&self) -> Vec<(&Ed25519Public, &RegisteredRelay)> {
        let joined = self.relays.iter();
        let mut joined: Vec<_> = joined
            .filter(|(_, relay)| relay.standing == JoinStanding::Joined)
            .collect();
        joined.sort_by_key(|(key, relay)| (relay.is_silent(), Reverse(relay.answered), **key));
        // One whose address another has taken over cannot answer there.
        let mut by_host = BTreeMap::new();
        for found in joined {
            if !found.1.is_silent() || by_host.len() < MIN_LISTED {
                by_host.entry(found.1.details.host).or_insert(found);
            }
        }
        let mut listed: Vec<_> = by_host.into_values().collect();
        listed.sort_by_key(|(key, _)| **key);
        listed
    }

    /// Forgets relays that nobody has seen for long, so that the register stays small.
    fn forget(&mut self) {
        let kept: BTreeSet<_> = self.listed().into_iter().map(|(key, _)| *key).collect();
        self.relays.retain(|key, relay| match relay.standing {
            JoinStanding::Joined => kept.contains(key) || relay.missed.count < SILENT_KEPT_ROUNDS,
            JoinStanding::Removed => true,
            JoinStanding::Waiting => relay.missed.count < WAITING_KEPT_ROUNDS,
        });
        let mut silent: Vec<_> = self
            .relays
            .iter()
            .filter(|(key, relay)| relay.is_silent() && !kept.contains(key))
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
const LOOK_EVERY_SECS: u64 = HOUR_SECS;
/// How long a relay that left the list may come back without a join word: 180 days of hourly rounds.
const SILENT_KEPT_ROUNDS: u32 = 180 * 24;
/// How long a proved relay waits for approval, 30 days of hourly rounds; it waits anew when it announces itself with a join
/// word again.
const WAITING_KEPT_ROUNDS: u32 = 30 * 24;
