//! The memory of the last hour: a request seen twice is refused.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    net::IpAddr,
};

use sha2::{Digest as _, Sha256};

use crate::protocol::keys::X25519Public;

/// What a request is remembered by: a cut hash of its ephemeral key, which is fresh for every layer of every try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReplayTag([u8; 16]);

impl ReplayTag {
    /// The tag of a layer's ephemeral key.
    #[must_use]
    pub(crate) fn of(ephemeral: &X25519Public) -> Self {
        let hash = Sha256::digest(ephemeral.as_bytes());
        let mut tag = [0; 16];
        tag.iter_mut()
            .zip(hash.iter())
            .for_each(|(to, from)| *to = *from);
        Self(tag)
    }
}

/// Remembers tags for an hour, at most 200,000 of them, in memory only. None is forgotten early.
///
/// A quarter of the places is kept for those who have few: in it, nobody may have as many as are free. So whoever floods
/// the memory is refused, and everybody else finds room.
#[derive(Default)]
pub struct ReplayMemory {
    known: HashSet<ReplayTag>,
    order: VecDeque<(u64, ReplayTag, IpAddr)>,
    held: HashMap<IpAddr, usize>,
}

/// The answer to a request's tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "only a fresh request may be carried out"]
pub enum ReplayCheck {
    /// The tag was not seen within the hour, and is remembered now.
    Fresh,
    /// The sender has too many tags here already: this one is not remembered, so its request must not be carried out.
    NoRoom,
    /// The tag was seen within the hour.
    Seen,
}

impl ReplayMemory {
    /// An empty memory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Remembers `tag` at `now` (unix seconds). `from` is who sent it: an IPv4 address, or the first of an IPv6 /64.
    pub fn insert(&mut self, tag: ReplayTag, from: IpAddr, now: u64) -> ReplayCheck {
        while let Some(&(at, oldest, from)) = self.order.front() {
            if now < at.saturating_add(MEMORY_SECS) {
                break;
            }
            self.order.pop_front();
            self.known.remove(&oldest);
            if let Some(held) = self.held.get_mut(&from) {
                *held -= 1;
                if *held == 0 {
                    self.held.remove(&from);
                }
            }
        }
        if self.known.contains(&tag) {
            return ReplayCheck::Seen;
        }
        let held = self.held.get(&from).copied().unwrap_or(0);
        let free = CAPACITY.saturating_sub(self.order.len());
        if free <= KEPT_FREE && held >= free {
            return ReplayCheck::NoRoom;
        }
        self.known.insert(tag);
        self.order.push_back((now, tag, from));
        *self.held.entry(from).or_default() += 1;
        ReplayCheck::Fresh
    }
}

const MEMORY_SECS: u64 = 3_600;
const CAPACITY: usize = 200_000;
const KEPT_FREE: usize = CAPACITY / 4;
