//! How much the store holds and may hold, and one upload of an id at a time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use super::names::FileSlot;

/// The bytes that the store holds, counted while it runs and counted anew from listings.
#[derive(Debug)]
pub(super) struct Quota {
    counts: Mutex<Counts>,
    max_bytes: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    /// Of what is stored.
    used_bytes: u64,
    /// Of what is being stored: no listing can be asked whether it has that.
    under_way_bytes: u64,
}

/// A count from listings that is under way.
pub(super) struct Recount {
    used_before: u64,
    pub(super) listed: u64,
}

/// What an object will cost, taken before it is stored. Dropped, it is counted as stored: what did not answer in time may
/// still be written.
pub(super) struct Taken<'a> {
    quota: &'a Quota,
    bytes: u64,
    stored: bool,
}

impl Taken<'_> {
    /// The object was not stored.
    pub(super) fn give_back(mut self) {
        self.stored = false;
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let mut counts = self.quota.counts();
        counts.under_way_bytes = counts.under_way_bytes.saturating_sub(self.bytes);
        if self.stored {
            counts.used_bytes = counts.used_bytes.saturating_add(self.bytes);
        }
    }
}

impl Quota {
    pub(super) fn new(max_bytes: u64) -> Self {
        Self {
            counts: Mutex::default(),
            max_bytes,
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn used_bytes(&self) -> u64 {
        let counts = self.counts();
        counts.used_bytes.saturating_add(counts.under_way_bytes)
    }

    pub(super) fn free_bytes(&self) -> u64 {
        self.max_bytes.saturating_sub(self.used_bytes())
    }

    /// Takes what an object of `len_bytes` costs; nothing when that is more than is left.
    pub(super) fn take(&self, len_bytes: u64) -> Option<Taken<'_>> {
        let bytes = cost(len_bytes);
        let mut counts = self.counts();
        counts
            .used_bytes
            .checked_add(counts.under_way_bytes)?
            .checked_add(bytes)
            .filter(|&sum| sum <= self.max_bytes)?;
        counts.under_way_bytes += bytes;
        drop(counts);
        Some(Taken {
            quota: self,
            bytes,
            stored: true,
        })
    }

    /// Counts an object that is stored whatever is left: the small ones about a blob that is there.
    pub(super) fn add(&self, len_bytes: u64) {
        let mut counts = self.counts();
        counts.used_bytes = counts.used_bytes.saturating_add(cost(len_bytes));
    }

    pub(super) fn give_back(&self, len_bytes: u64) {
        let mut counts = self.counts();
        counts.used_bytes = counts.used_bytes.saturating_sub(cost(len_bytes));
    }

    pub(super) fn recount(&self) -> Recount {
        Recount {
            used_before: self.counts().used_bytes,
            listed: 0,
        }
    }

    /// What was listed, and what changed meanwhile, is what is used. What was listed and counted as well counts twice
    /// until the next listing; nothing that is stored is ever left out.
    pub(super) fn recounted(&self, recount: &Recount) {
        let mut counts = self.counts();
        let used = counts.used_bytes;
        counts.used_bytes = (recount.listed + used.saturating_sub(recount.used_before))
            .saturating_sub(recount.used_before.saturating_sub(used));
    }
}

impl Recount {
    pub(super) fn list(&mut self, len_bytes: u64) {
        self.listed = self.listed.saturating_add(cost(len_bytes));
    }
}

/// An object counts at least as much as disks give it: otherwise tiny blobs would fill a disk under a large quota.
fn cost(len_bytes: u64) -> u64 {
    len_bytes.max(4096)
}

/// One task at a time for each file, so that two uploads of one id are counted once and no removal runs into an upload.
#[derive(Debug, Default)]
pub(super) struct FileLocks {
    held: Arc<Mutex<HashMap<FileSlot, Arc<AsyncMutex<()>>>>>,
}

impl FileLocks {
    pub(super) async fn lock(&self, file: &FileSlot) -> FileLock {
        let own = {
            let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(held.entry(file.clone()).or_default())
        };
        FileLock {
            guard: Some(own.lock_owned().await),
            file: file.clone(),
            held: Arc::clone(&self.held),
        }
    }
}

/// Held for as long as a file is worked on.
pub(super) struct FileLock {
    guard: Option<OwnedMutexGuard<()>>,
    file: FileSlot,
    held: Arc<Mutex<HashMap<FileSlot, Arc<AsyncMutex<()>>>>>,
}

impl Drop for FileLock {
    fn drop(&mut self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        self.guard = None;
        // The map's own, and nobody waits: nobody can come to wait while the map is locked.
        if held
            .get(&self.file)
            .is_some_and(|own| Arc::strong_count(own) == 1)
        {
            held.remove(&self.file);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::address::FileId;

    #[test]
    fn what_changes_during_a_count_is_not_lost() {
        let quota = Quota::new(100_000);
        drop(quota.take(50_000).unwrap());
        let mut recount = quota.recount();
        recount.list(60_000);
        drop(quota.take(10_000).unwrap());
        quota.recounted(&recount);
        assert_eq!(quota.used_bytes(), 70_000);
        let mut recount = quota.recount();
        recount.list(70_000);
        quota.give_back(20_000);
        quota.recounted(&recount);
        assert_eq!(quota.used_bytes(), 50_000);
    }

    #[test]
    fn what_is_being_stored_while_a_count_begins_and_ends_is_not_lost() {
        let quota = Quota::new(10_000);
        let before = quota.take(6_000).unwrap();
        let recount = quota.recount();
        quota.recounted(&recount);
        assert_eq!(quota.used_bytes(), 6_000);
        let recount = quota.recount();
        drop(before);
        quota.recounted(&recount);
        assert_eq!(quota.used_bytes(), 6_000);
        assert!(quota.take(6_000).is_none());
    }

    #[test]
    fn what_was_not_stored_is_given_back() {
        let quota = Quota::new(10_000);
        quota.take(6_000).unwrap().give_back();
        assert_eq!(quota.used_bytes(), 0);
    }

    #[test]
    fn tiny_objects_cost_what_a_disk_gives_them() {
        let quota = Quota::new(10_000);
        drop(quota.take(1).unwrap());
        drop(quota.take(1).unwrap());
        assert!(quota.take(1).is_none());
        quota.give_back(1);
        assert_eq!(quota.used_bytes(), 4096);
    }

    #[tokio::test]
    async fn a_file_is_locked_once_and_forgotten_afterwards() {
        let locks = FileLocks::default();
        let file = FileSlot::of(&FileId::random(1, [1; 30])).unwrap();
        let other = FileSlot::of(&FileId::random(1, [2; 30])).unwrap();
        let first = locks.lock(&file).await;
        drop(locks.lock(&other).await);
        let mut second = std::pin::pin!(locks.lock(&file));
        assert!(futures_util::poll!(second.as_mut()).is_pending());
        drop(first);
        drop(second.await);
        assert!(locks.held.lock().unwrap().is_empty());
    }
}
