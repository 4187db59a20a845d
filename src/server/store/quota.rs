//! How much the store holds and may hold.
//!
//! A server answers before it has counted what its store holds, so there are three degrees of knowing ([`Held`]):
//!
//! * Counted: the total is exact, and every change is added to it or subtracted. An upload that passes the limit is
//!   refused as too much.
//! * At most: the total that the last run left on the disk (`total.rs`). It is never too small, but may be too large,
//!   since it is noted in steps ahead of the uploads. What fits is taken. What does not fit waits for the count.
//! * Unknown: a store without a total on the disk, such as a bucket or a folder of an older version. Until it is counted,
//!   uploads may add one step (a 64th of the limit, 64 MiB at most), so the limit is passed by that at most. Others wait
//!   for the count.
//!
//! So "full" is only ever said of a store that was counted, and the limit holds over restarts and crashes.

use std::{
    collections::{BTreeMap, hash_map::RandomState},
    hash::BuildHasher as _,
    sync::Arc,
};

use object_store::path::Path as ObjectPath;
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::watch;

use super::tally::{ObjectHash, Tally};

/// How much the store holds, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// At most this; the count is under way.
    AtMost(u64),
    /// Exactly this; it was counted.
    Counted(u64),
    /// Nobody knows yet; the count is under way.
    Unknown,
}

impl Held {
    /// The bytes; none when they are unknown.
    #[must_use]
    pub const fn bytes(self) -> Option<u64> {
        match self {
            Self::AtMost(bytes) | Self::Counted(bytes) => Some(bytes),
            Self::Unknown => None,
        }
    }

    /// Whether the store was counted.
    #[must_use]
    pub const fn is_counted(self) -> bool {
        matches!(self, Self::Counted(_))
    }
}

/// The bytes that the store holds, and the most that it may hold.
#[derive(Debug)]
pub(super) struct Quota {
    counts: Mutex<Counts>,
    max_bytes: u64,
    counted: watch::Sender<bool>,
    hasher: RandomState,
}

#[derive(Debug)]
struct Counts {
    /// How far `used_bytes` can be trusted.
    known: KnownTotal,
    /// What is stored. While that is unknown: what this process added.
    used_bytes: u64,
    /// The writes and deletions that have begun and not ended, by number.
    under_way: BTreeMap<u64, ObjectChange>,
    next_number: u64,
    /// Bytes that are being written.
    under_way_bytes: u64,
    /// The total on the disk: uploads may not pass it before a higher one is noted.
    noted_bytes: u64,
    tally: Option<Tally>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KnownTotal {
    AtMost,
    Exactly,
    Not,
}

/// A write or a deletion of an object.
#[derive(Clone, Copy, Debug)]
struct ObjectChange {
    object: ObjectHash,
    cost: u64,
    is_deletion: bool,
}

/// Whether there is room for a write.
#[derive(Debug)]
pub(super) enum Room {
    /// The store holds as much as it may.
    Full,
    /// There is room, which is taken.
    Taken(Taken),
    /// A total that includes it must be noted first.
    Unnoted,
    /// What the store holds must be counted first.
    Uncounted,
}

/// What a write costs, taken before it begins. Dropped, it was not stored.
#[derive(Debug)]
pub(super) struct Taken(Pending);

/// A deletion that has begun. Dropped, the object is still there.
#[derive(Debug)]
pub(super) struct Deleting(Pending);

#[derive(Debug)]
struct Pending {
    quota: Arc<Quota>,
    number: u64,
}

/// A count that is under way. Dropped before its end, it changes nothing.
pub(super) struct Recount<'a> {
    quota: &'a Quota,
}

impl Taken {
    /// The object was stored.
    pub(super) fn stored(self) {
        let mut counts = self.0.quota.counts();
        if let Some(change) = counts.end(self.0.number) {
            counts.used_bytes = counts.used_bytes.saturating_add(change.cost);
            if let Some(tally) = &mut counts.tally {
                tally.written(change.cost);
            }
        }
    }
}

impl Deleting {
    /// The object was deleted.
    pub(super) fn deleted(self) {
        let mut counts = self.0.quota.counts();
        if let Some(change) = counts.end(self.0.number) {
            counts.used_bytes = counts.used_bytes.saturating_sub(change.cost);
            if let Some(tally) = &mut counts.tally {
                tally.deleted(change.cost);
            }
        }
    }

    /// The object was not there.
    pub(super) fn was_missing(self) {
        let mut counts = self.0.quota.counts();
        if let (Some(change), Some(tally)) = (counts.end(self.0.number), &mut counts.tally) {
            tally.was_missing(change.object);
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.quota.counts().end(self.number);
    }
}

impl Counts {
    /// What is stored and what is being written.
    fn sum(&self) -> u64 {
        self.used_bytes.saturating_add(self.under_way_bytes)
    }

    fn begin(&mut self, change: ObjectChange) -> u64 {
        if !change.is_deletion {
            self.under_way_bytes = self.under_way_bytes.saturating_add(change.cost);
        }
        if let Some(tally) = &mut self.tally {
            tally.begin(change.object, change.cost, change.is_deletion);
        }
        let number = self.next_number;
        self.next_number += 1;
        self.under_way.insert(number, change);
        number
    }

    /// Ends a change, once.
    fn end(&mut self, number: u64) -> Option<ObjectChange> {
        let change = self.under_way.remove(&number)?;
        if !change.is_deletion {
            self.under_way_bytes = self.under_way_bytes.saturating_sub(change.cost);
        }
        Some(change)
    }
}

impl Quota {
    /// The quota of a store without a total on the disk.
    pub(super) fn new(max_bytes: u64) -> Self {
        Self::with(max_bytes, KnownTotal::Not, 0, u64::MAX)
    }

    /// The quota of a store that keeps its total on the disk; `held` is what it says.
    pub(super) fn noted(max_bytes: u64, held: Held) -> Self {
        let (known, bytes) = match held {
            Held::AtMost(bytes) => (KnownTotal::AtMost, bytes),
            Held::Counted(bytes) => (KnownTotal::Exactly, bytes),
            Held::Unknown => (KnownTotal::Not, 0),
        };
        Self::with(max_bytes, known, bytes, bytes)
    }

    fn with(max_bytes: u64, known: KnownTotal, used_bytes: u64, noted_bytes: u64) -> Self {
        Self {
            counts: Mutex::new(Counts {
                known,
                used_bytes,
                under_way: BTreeMap::new(),
                next_number: 0,
                under_way_bytes: 0,
                noted_bytes,
                tally: None,
            }),
            max_bytes,
            counted: watch::Sender::new(known == KnownTotal::Exactly),
            hasher: RandomState::new(),
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock()
    }

    pub(super) fn held(&self) -> Held {
        let counts = self.counts();
        match counts.known {
            KnownTotal::AtMost => Held::AtMost(counts.sum()),
            KnownTotal::Exactly => Held::Counted(counts.sum()),
            KnownTotal::Not => Held::Unknown,
        }
    }

    pub(super) fn free_bytes(&self) -> Option<u64> {
        let held = self.held().bytes()?;
        Some(self.max_bytes.saturating_sub(held))
    }

    /// Takes what writing `object`, of `len_bytes`, costs.
    pub(super) fn take(self: &Arc<Self>, object: &ObjectPath, len_bytes: u64) -> Room {
        let cost = cost(len_bytes);
        let mut counts = self.counts();
        let sum = counts.sum().saturating_add(cost);
        let limit = match counts.known {
            KnownTotal::Not => self.step(),
            KnownTotal::AtMost | KnownTotal::Exactly => self.max_bytes,
        };
        if sum > limit {
            return if counts.known == KnownTotal::Exactly || cost > self.max_bytes {
                Room::Full
            } else {
                Room::Uncounted
            };
        }
        if counts.known != KnownTotal::Not && sum > counts.noted_bytes {
            return Room::Unnoted;
        }
        let number = counts.begin(self.writing(object, cost));
        drop(counts);
        Room::Taken(Taken(self.pending(number)))
    }

    /// Takes what writing `object` costs, whatever is left: for the small ones about a blob that is there.
    pub(super) fn take_always(self: &Arc<Self>, object: &ObjectPath, len_bytes: u64) -> Taken {
        let number = self.counts().begin(self.writing(object, cost(len_bytes)));
        Taken(self.pending(number))
    }

    /// Begins to delete `object`, of `len_bytes`.
    pub(super) fn delete(self: &Arc<Self>, object: &ObjectPath, len_bytes: u64) -> Deleting {
        let number = self.counts().begin(ObjectChange {
            object: self.hash(object),
            cost: cost(len_bytes),
            is_deletion: true,
        });
        Deleting(self.pending(number))
    }

    /// Begins a count of everything; at most one is under way.
    pub(super) fn recount(&self) -> Recount<'_> {
        let mut counts = self.counts();
        let mut tally = Tally::default();
        for change in counts.under_way.values() {
            tally.begin(change.object, change.cost, change.is_deletion);
        }
        counts.tally = Some(tally);
        Recount { quota: self }
    }

    /// Returns once the store was counted.
    pub(super) async fn counted(&self) {
        // The sender lives as long as `self`.
        drop(self.counted.subscribe().wait_for(|counted| *counted).await);
    }

    /// The total to note on the disk, with the object of `next_len_bytes` that is to be written, if one is: a step ahead, so
    /// that it need not be noted again with each upload. `None` while the store is unknown, and when the total on the disk
    /// is near enough.
    pub(super) fn to_note(&self, next_len_bytes: Option<u64>) -> Option<u64> {
        let counts = self.counts();
        let sum = counts.sum().saturating_add(next_len_bytes.map_or(0, cost));
        let ahead = sum.saturating_add(self.step());
        let is_near = (sum..=ahead.saturating_add(self.step())).contains(&counts.noted_bytes);
        let notes = counts.known != KnownTotal::Not && counts.noted_bytes < u64::MAX;
        (notes && !is_near).then(|| ahead.min(self.max_bytes).max(sum))
    }

    /// The total to note on the disk when nothing is written any more; `None` as in [`Self::to_note`].
    pub(super) fn last_to_note(&self) -> Option<u64> {
        let counts = self.counts();
        let notes = counts.known != KnownTotal::Not && counts.noted_bytes < u64::MAX;
        (notes && counts.noted_bytes != counts.sum()).then(|| counts.sum())
    }

    /// Records that a total of `bytes` is noted on the disk.
    pub(super) fn set_noted(&self, bytes: u64) {
        self.counts().noted_bytes = bytes;
    }

    fn step(&self) -> u64 {
        (self.max_bytes / 64).min(MAX_STEP)
    }

    fn hash(&self, object: &ObjectPath) -> ObjectHash {
        self.hasher.hash_one(object.as_ref())
    }

    fn writing(&self, object: &ObjectPath, cost: u64) -> ObjectChange {
        ObjectChange {
            object: self.hash(object),
            cost,
            is_deletion: false,
        }
    }

    fn pending(self: &Arc<Self>, number: u64) -> Pending {
        Pending {
            quota: Arc::clone(self),
            number,
        }
    }
}

impl Recount<'_> {
    /// An object is shown by the listing.
    pub(super) fn list(&self, object: &ObjectPath, len_bytes: u64) {
        let hash = self.quota.hash(object);
        if let Some(tally) = &mut self.quota.counts().tally {
            tally.list(hash, cost(len_bytes));
        }
    }

    /// Everything was listed: the store holds what was counted.
    pub(super) fn finish(self) {
        let mut counts = self.quota.counts();
        if let Some(tally) = counts.tally.take() {
            counts.used_bytes = tally.total_bytes();
            counts.known = KnownTotal::Exactly;
            self.quota.counted.send_replace(true);
        }
    }
}

impl Drop for Recount<'_> {
    fn drop(&mut self) {
        self.quota.counts().tally = None;
    }
}

/// An object counts at least as much as disks give it: otherwise tiny blobs would fill a disk under a large quota.
fn cost(len_bytes: u64) -> u64 {
    len_bytes.max(4096)
}

const MAX_STEP: u64 = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn object(name: &str) -> ObjectPath {
        ObjectPath::from(name)
    }

    fn counted(max_bytes: u64) -> Arc<Quota> {
        let quota = Arc::new(Quota::new(max_bytes));
        quota.recount().finish();
        quota
    }

    fn take(quota: &Arc<Quota>, name: &str, len_bytes: u64) -> Taken {
        match quota.take(&object(name), len_bytes) {
            Room::Taken(taken) => taken,
            room => panic!("{room:?}"),
        }
    }

    fn used(quota: &Quota) -> u64 {
        quota.held().bytes().unwrap()
    }

    #[test]
    fn what_changes_during_a_count_is_counted_once() {
        let quota = counted(100_000);
        take(&quota, "before", 50_000).stored();
        let recount = quota.recount();
        recount.list(&object("before"), 50_000);
        take(&quota, "new", 10_000).stored();
        recount.list(&object("new"), 10_000);
        recount.list(&object("unknown to this process"), 7_000);
        recount.finish();
        assert_eq!(quota.held(), Held::Counted(67_000));
        let recount = quota.recount();
        recount.list(&object("before"), 50_000);
        quota.delete(&object("before"), 50_000).deleted();
        quota.delete(&object("new"), 10_000).deleted();
        recount.list(&object("new"), 10_000);
        recount.finish();
        assert_eq!(quota.held(), Held::Counted(0));
    }

    #[test]
    fn what_is_under_way_when_a_count_begins_and_ends_is_not_lost_and_not_counted_twice() {
        let quota = counted(20_000);
        take(&quota, "old", 5_000).stored();
        let writing = take(&quota, "new", 6_000);
        let deleting = quota.delete(&object("old"), 5_000);
        for _count in 0..2 {
            let recount = quota.recount();
            recount.list(&object("old"), 5_000);
            recount.list(&object("new"), 6_000);
            recount.finish();
            assert_eq!(used(&quota), 11_000);
        }
        let recount = quota.recount();
        writing.stored();
        deleting.deleted();
        recount.list(&object("new"), 6_000);
        recount.finish();
        assert_eq!(used(&quota), 6_000);
    }

    #[test]
    fn what_was_not_stored_costs_nothing_and_what_was_not_deleted_stays() {
        let quota = counted(10_000);
        drop(take(&quota, "a", 6_000));
        assert_eq!(used(&quota), 0);
        take(&quota, "a", 6_000).stored();
        drop(quota.delete(&object("a"), 6_000));
        quota.delete(&object("b"), 6_000).was_missing();
        assert_eq!(used(&quota), 6_000);
    }

    #[test]
    fn a_count_that_breaks_off_changes_nothing() {
        let quota = counted(10_000);
        take(&quota, "a", 6_000).stored();
        drop(quota.recount());
        assert_eq!(quota.held(), Held::Counted(6_000));
        let quota = Arc::new(Quota::noted(10_000, Held::AtMost(6_000)));
        drop(quota.recount());
        assert_eq!(quota.held(), Held::AtMost(6_000));
    }

    #[test]
    fn tiny_objects_cost_what_a_disk_gives_them() {
        let quota = counted(10_000);
        take(&quota, "a", 1).stored();
        take(&quota, "b", 1).stored();
        assert!(matches!(quota.take(&object("c"), 1), Room::Full));
        quota.delete(&object("a"), 1).deleted();
        assert_eq!(used(&quota), 4096);
    }

    #[test]
    fn before_the_count_nothing_is_full_but_what_could_never_fit() {
        let quota = Arc::new(Quota::noted(64_000, Held::AtMost(59_000)));
        quota.set_noted(64_000);
        drop(take(&quota, "a", 5_000));
        assert!(matches!(quota.take(&object("a"), 5_001), Room::Uncounted));
        assert!(matches!(quota.take(&object("a"), 64_001), Room::Full));
        let unknown = Arc::new(Quota::new(640_000));
        take(&unknown, "a", 6_000).stored();
        assert!(matches!(unknown.take(&object("b"), 6_000), Room::Uncounted));
        assert_eq!(unknown.held(), Held::Unknown);
        assert_eq!(unknown.free_bytes(), None);
    }

    #[test]
    fn an_upload_that_passes_the_noted_total_waits_for_a_higher_one() {
        let quota = Arc::new(Quota::noted(640_000, Held::Counted(0)));
        assert!(matches!(quota.take(&object("a"), 5_000), Room::Unnoted));
        assert_eq!(quota.to_note(Some(5_000)), Some(15_000));
        quota.set_noted(15_000);
        take(&quota, "a", 5_000).stored();
        take(&quota, "b", 10_000).stored();
        assert!(matches!(quota.take(&object("c"), 5_000), Room::Unnoted));
        // Noted never beyond the limit, but never less than is there.
        quota.set_noted(700_000);
        take(&quota, "c", 620_000).stored();
        quota.set_noted(0);
        assert_eq!(quota.to_note(Some(5_000)), Some(640_000));
        quota.take_always(&object("d"), 9_000).stored();
        assert_eq!(quota.to_note(None), Some(644_000));
        assert_eq!(Quota::new(640_000).to_note(Some(5_000)), None);
        let empty = Quota::noted(640_000, Held::Counted(0));
        assert_eq!(empty.to_note(None), None, "a new store says so by itself");
    }
}
