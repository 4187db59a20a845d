//! What the operator of a network decides by hand, and sees of its relays.

use rand_core::CryptoRng;

use super::looks::MIN_LISTED;
use super::register::{
    DrawnAccess, JoinRefused, JoinStanding, RegisteredRelay, RelayRegister, is_same_place,
};
use super::renewed::RenewedWord;
use crate::protocol::capability::{AccessWord, JoinWord};
use crate::protocol::keys::Ed25519Public;
use crate::protocol::relay_list::RelayDescriptor;

/// How a relay stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelayState {
    /// In the list; it answered when it was last looked at.
    Answering,
    /// Out of the list for good, by the operator.
    Blocked,
    /// In the list although it has not answered for 48 hours: fewer than three relays do.
    KeptSilent,
    /// In the list; it has not answered for so many hours.
    Missing {
        /// Hourly looks without an answer, below 48.
        hours: u32,
    },
    /// Out of the list until the operator approves it.
    Removed,
    /// Out of the list because it did not answer for 48 hours; it comes back by itself.
    Silent,
    /// Out of the list until the operator approves it, for the first time.
    Waiting,
}

/// A relay as the operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayView {
    /// Identity of the relay.
    pub key: Ed25519Public,
    /// The relay as it described itself; `None` for one that was blocked before it joined.
    pub relay: Option<RelayDescriptor>,
    /// How it stands.
    pub state: RelayState,
    /// When it last answered, in unix seconds; `None` for one that is blocked.
    pub answered: Option<u64>,
}

impl RelayRegister {
    /// All relays that the network knows, in the order of their keys; the blocked ones at the end.
    #[must_use]
    pub fn relays(&self) -> Vec<RelayView> {
        let listed = self.listed();
        let state = |key: &Ed25519Public, relay: &RegisteredRelay| match relay.standing {
            JoinStanding::Removed => RelayState::Removed,
            JoinStanding::Waiting => RelayState::Waiting,
            JoinStanding::Joined if relay.missed.count == 0 => RelayState::Answering,
            JoinStanding::Joined if !relay.is_silent() => RelayState::Missing {
                hours: relay.missed.count,
            },
            JoinStanding::Joined if listed.iter().any(|(listed, _)| *listed == key) => {
                RelayState::KeptSilent
            }
            JoinStanding::Joined => RelayState::Silent,
        };
        let known = self.relays.iter().map(|(key, relay)| RelayView {
            key: *key,
            relay: Some(relay.details.describe(*key)),
            state: state(key, relay),
            answered: Some(relay.answered),
        });
        let blocked = self.blocked.iter().map(|(key, details)| RelayView {
            key: *key,
            relay: details.as_ref().map(|details| details.describe(*key)),
            state: RelayState::Blocked,
            answered: None,
        });
        known.chain(blocked).collect()
    }

    /// Lists a relay that waits or was removed, at `now` (unix seconds). Whether it still answers, the next look shows.
    ///
    /// # Errors
    /// [`ApproveError`].
    pub fn approve(&mut self, key: &Ed25519Public, now: u64) -> Result<(), ApproveError> {
        if self.blocked.contains_key(key) {
            return Err(ApproveError::Blocked);
        }
        let held = self.relays.get(key).ok_or(ApproveError::Unknown)?;
        if held.standing == JoinStanding::Joined {
            return Ok(());
        }
        let details = held.details.clone();
        self.check_place(key, &details)?;
        let mut present = self.relays.values().filter(|relay| relay.is_present());
        if present.any(|relay| is_same_place(&relay.details, &details)) {
            return Err(JoinRefused::AddressTaken.into());
        }
        self.displace(key, &details, JoinStanding::Joined);
        if let Some(held) = self.relays.get_mut(key) {
            held.decide(JoinStanding::Joined, now);
            held.missed.restart(now);
        }
        Ok(())
    }

    /// Takes a relay out at `now` (unix seconds) until it is approved. Whoever comes to its address with a new key waits for approval too. Returns whether
    /// the network knew it.
    pub fn remove(&mut self, key: &Ed25519Public, now: u64) -> bool {
        let held = self.relays.get_mut(key);
        let known = held.map(|held| held.decide(JoinStanding::Removed, now));
        known.is_some()
    }

    /// Takes a relay out for good, also one that has not joined yet. Whoever comes to its address with a new key waits for
    /// approval.
    pub fn block(&mut self, key: &Ed25519Public) {
        let known = self.relays.remove(key).map(|held| held.details);
        let details = self.blocked.entry(*key).or_default();
        if known.is_some() {
            *details = known;
        }
    }

    /// Whether the list would end if this relay were taken out: three are needed.
    #[must_use]
    pub fn is_needed(&self, key: &Ed25519Public) -> bool {
        let listed = self.listed();
        let joined = self.relays.values();
        let joined = joined.filter(|relay| relay.standing == JoinStanding::Joined);
        joined.count() <= MIN_LISTED && listed.iter().any(|(listed, _)| *listed == key)
    }

    /// Draws a new join word at `now` (unix seconds). Those before it end after seven days at the latest.
    pub fn new_join_word(&mut self, now: u64, rng: &mut impl CryptoRng) -> &JoinWord {
        self.join_words.renew(JoinWord::generate(rng), now);
        &self.join_words.current
    }

    /// Draws a new word for uploads at `now` (unix seconds), in place of the one of the settings for as long as that stays what it
    /// is. Those before it end after seven days at the latest.
    ///
    /// # Errors
    /// [`NoAccessWord`]; nothing has changed then.
    pub fn new_access_word(
        &mut self,
        now: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<&AccessWord, NoAccessWord> {
        let asked = self.rules.access_word.as_ref().ok_or(NoAccessWord)?;
        let drawn = self.drawn_access.get_or_insert_with(|| DrawnAccess {
            in_place_of: asked.clone(),
            words: RenewedWord::new(asked.clone(), 0),
        });
        drawn.words.renew(AccessWord::generate(rng), now);
        Ok(&drawn.words.current)
    }
}

impl RegisteredRelay {
    /// Notes what the operator decides about it at `now` (unix seconds).
    fn decide(&mut self, standing: JoinStanding, now: u64) {
        self.standing = standing;
        self.decided = now.max(self.decided.saturating_add(1));
    }
}

/// Uploads need no access word, so there is none to replace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this server asks for no access word: set one as access_word in its settings, and start it again"
)]
pub struct NoAccessWord;

/// Why a relay cannot be approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApproveError {
    /// It is blocked for good.
    #[error("this relay is blocked")]
    Blocked,
    /// The list has no place for it.
    #[error("the list has no place for this relay: {0}")]
    NoPlace(#[from] JoinRefused),
    /// No relay with this key has announced itself.
    #[error("no relay with this key has announced itself")]
    Unknown,
}
