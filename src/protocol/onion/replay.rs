//! The memory of the last hour: a request seen twice is refused.

use std::collections::{HashSet, VecDeque};

use sha2::{Digest as _, Sha256};

use crate::protocol::keys::X25519Public;

/// What a request is remembered by: a cut hash of its ephemeral key, which is fresh for every layer of every try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReplayTag([u8; 16]);

impl ReplayTag {
    /// The tag of a layer's ephemeral key.
    #[must_use]
    pub fn of(ephemeral: &X25519Public) -> Self {
        let hash = Sha256::digest(ephemeral.as_bytes());
        let mut tag = [0; 16];
        tag.iter_mut()
            .zip(hash.iter())
            .for_each(|(to, from)| *to = *from);
        Self(tag)
    }
}

/// Remembers tags for an hour, at most 200,000 of them, in memory only; when full, the oldest go first.
#[derive(Default)]
pub struct ReplayMemory {
    known: HashSet<ReplayTag>,
    order: VecDeque<(u64, ReplayTag)>,
}

impl ReplayMemory {
    /// An empty memory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Remembers `tag` at `now` (unix seconds); false when it was seen within the hour.
    #[must_use = "a tag seen before must be refused"]
    pub fn insert(&mut self, tag: ReplayTag, now: u64) -> bool {
        while let Some(&(at, oldest)) = self.order.front() {
            if self.order.len() < CAPACITY && now < at.saturating_add(MEMORY_SECS) {
                break;
            }
            self.order.pop_front();
            self.known.remove(&oldest);
        }
        if !self.known.insert(tag) {
            return false;
        }
        self.order.push_back((now, tag));
        true
    }
}

const MEMORY_SECS: u64 = 3_600;
const CAPACITY: usize = 200_000;
