//! One network, kept by several servers: what each of them knows and decided becomes one register.
//!
//! Merging asks nobody. Whoever merges the same registers, in whatever order and however often, comes to the same register: of
//! two statements about one thing the later counts, of two that are equally late the stricter. Two relays that were proved at one
//! place by two servers are both kept; the list has the one that answered last.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::announcement::RelayDetails;
use super::issue::MAX_EARLIER;
use super::register::{DrawnAccess, IssuedList, JoinStanding, RegisteredRelay, RelayRegister};
use crate::protocol::capability::{AccessWord, JoinWord};
use crate::protocol::digest::Digest;
use crate::protocol::keys::Ed25519Public;

impl RelayRegister {
    /// Takes over what another server of this network knows and decided. The rules stay those of this server; the next
    /// [`Self::issue`] signs what follows.
    pub fn merge(&mut self, mut other: Self) {
        let clock_accepted = self.clock_accepted.max(other.clock_accepted);
        if self.clock_accepted < clock_accepted {
            self.accept_clock(clock_accepted);
        } else if other.clock_accepted < clock_accepted {
            other.accept_clock(clock_accepted);
        }
        self.clock_accepted = clock_accepted;

        let join_word = |word: &JoinWord| word.to_hex().to_string();
        self.join_words.merge(&other.join_words, join_word);
        self.merge_access_words(&other);
        self.newcomers = union(&self.newcomers, &other.newcomers);
        for (key, details) in core::mem::take(&mut other.blocked) {
            let known = self.blocked.entry(key).or_default();
            // Relays describe themselves; any rule will do that is the same everywhere.
            let rank = |details: &Option<RelayDetails>| {
                let described = details.as_ref().map(|details| details.describe(key));
                described.map(|relay| relay.to_json())
            };
            if rank(known) < rank(&details) {
                *known = details;
            }
        }
        for (key, relay) in core::mem::take(&mut other.relays) {
            match self.relays.entry(key) {
                Entry::Occupied(mut held) => {
                    held.get_mut().merge(&key, relay);
                }
                Entry::Vacant(free) => {
                    free.insert(relay);
                }
            }
        }
        let blocked = &self.blocked;
        self.relays.retain(|key, _| !blocked.contains_key(key));
        self.merge_lists(other);
    }

    fn merge_access_words(&mut self, other: &Self) {
        let Some(theirs) = &other.drawn_access else {
            return;
        };
        let word = |word: &AccessWord| word.as_str().to_owned();
        let rank = |drawn: &DrawnAccess| (drawn.words.drawn, word(&drawn.in_place_of));
        match &mut self.drawn_access {
            Some(ours) if ours.in_place_of == theirs.in_place_of => {
                ours.words.merge(&theirs.words, word);
            }
            // One of the two was told another word by its settings.
            Some(ours) if rank(ours) >= rank(theirs) => {}
            ours => *ours = Some(theirs.clone()),
        }
    }

    /// Of two lists of one date the one with the smaller SHA-256 counts.
    fn merge_lists(&mut self, other: Self) {
        let ours = self.list.take().into_iter().chain(self.earlier.drain(..));
        let theirs = other.list.into_iter().chain(other.earlier);
        let mut by_date = BTreeMap::<u64, IssuedList>::new();
        for list in ours.chain(theirs) {
            let digest = |list: &IssuedList| *Digest::of(list.signed.list.as_bytes()).as_bytes();
            let held = by_date
                .entry(list.list.issued)
                .or_insert_with(|| list.clone());
            if digest(&list) < digest(held) {
                *held = list;
            }
        }
        self.list = by_date.pop_last().map(|(_, list)| list);
        self.earlier = by_date.into_values().collect();
        let excess = self.earlier.len().saturating_sub(MAX_EARLIER);
        self.earlier.drain(..excess);
        self.last_issued = self.last_issued.max(other.last_issued);
    }
}

impl RegisteredRelay {
    fn merge(&mut self, key: &Ed25519Public, other: Self) {
        self.joined = self.joined.min(other.joined);
        self.answered = self.answered.max(other.answered);
        self.missed = self.missed.max(other.missed);
        if (self.decided, strictness(self.standing)) < (other.decided, strictness(other.standing)) {
            (self.decided, self.standing) = (other.decided, other.standing);
        }
        let rank = |relay: &Self| (relay.at_ms, relay.details.describe(*key).to_json());
        if rank(self) < rank(&other) {
            (self.at_ms, self.details) = (other.at_ms, other.details);
        }
    }
}

const fn strictness(standing: JoinStanding) -> u8 {
    match standing {
        JoinStanding::Joined => 0,
        JoinStanding::Waiting => 1,
        JoinStanding::Removed => 2,
    }
}

/// The times of both, in their order: one that either has twice is there twice.
fn union(ours: &[u64], theirs: &[u64]) -> Vec<u64> {
    let count = |times: &[u64]| {
        let mut counts = BTreeMap::<u64, usize>::new();
        for time in times {
            *counts.entry(*time).or_default() += 1;
        }
        counts
    };
    let mut counts = count(ours);
    for (time, times) in count(theirs) {
        let known = counts.entry(time).or_default();
        *known = times.max(*known);
    }
    let times = counts.into_iter();
    times
        .flat_map(|(time, times)| core::iter::repeat_n(time, times))
        .collect()
}
