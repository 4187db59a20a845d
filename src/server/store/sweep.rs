//! Sweeps the store: removes expired files, finishes interrupted removals, removes leftovers, and counts the rest.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
    time::{Duration, SystemTime},
};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::{BlobStore, FileSlot, ObjectKind, StoreFault, names};
use crate::protocol::capability::expiry::HOUR_SECS;
use crate::server::files::record::BlobRecord;

/// Outcome of a sweep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Blobs removed because they expired.
    pub blobs: u64,
}

/// Files found while scanning the store.
#[derive(Default)]
struct Met {
    /// Files whose first expiry is an hour past, of which something is there.
    due: BTreeSet<FileSlot>,
    /// Files that were removed, but whose blob is still there.
    half_removed: Vec<FileSlot>,
}

impl BlobStore {
    /// Counts what the store holds, finishes removals that were interrupted, and removes leftovers of interrupted writes
    /// and checks; with a `now` to trust, also what expired more than an hour before it.
    ///
    /// # Errors
    /// [`StoreFault`]; what is left is met again by the next sweep.
    pub async fn sweep(&self, now: Option<u64>) -> Result<Swept, StoreFault> {
        let met = self.meet(now).await?;
        self.finish_removals(met.half_removed).await?;
        let blobs = stream::iter(met.due)
            .map(|file| async move {
                match now {
                    Some(now) => self.expire(&file, now).await,
                    None => Ok(0),
                }
            })
            .buffer_unordered(AT_ONCE)
            .try_fold(0, |sum, blobs| std::future::ready(Ok(sum + blobs)))
            .await?;
        self.sweep_strays().await?;
        self.tidy().await?;
        Ok(Swept { blobs })
    }

    /// Counts what the store holds, and changes nothing in it but the noted total.
    ///
    /// # Errors
    /// [`StoreFault`]; what was known before stays.
    pub async fn count(&self) -> Result<(), StoreFault> {
        self.meet(None).await.map(drop)
    }

    async fn meet(&self, now: Option<u64>) -> Result<Met, StoreFault> {
        let _alone = self.counting.lock().await;
        let mut met = Met::default();
        let mut gone = HashSet::new();
        let recount = self.quota.recount();
        for kind in ObjectKind::COUNTED {
            self.objects
                .each(kind.all(), |object| {
                    let Some((file, _tail)) = names::parse(&object.location) else {
                        return;
                    };
                    recount.list(&object.location, object.size);
                    let due = now.is_some_and(|now| is_due(file.hour(), now));
                    match kind {
                        _ if due => {
                            met.due.insert(file);
                        }
                        ObjectKind::Gone => {
                            gone.insert(file);
                        }
                        ObjectKind::Blob if gone.contains(&file) => met.half_removed.push(file),
                        ObjectKind::Blob
                        | ObjectKind::Clock
                        | ObjectKind::More
                        | ObjectKind::Network
                        | ObjectKind::Probe
                        | ObjectKind::Seen => {}
                    }
                })
                .await?;
        }
        recount.finish();
        // A disk that is full must not keep the sweep from making room.
        if self.note_total(None).await.is_err() {
            tracing::warn!("what the store holds could not be noted; the next sweep tries again");
        }
        Ok(met)
    }

    async fn finish_removals(&self, files: Vec<FileSlot>) -> Result<(), StoreFault> {
        stream::iter(files.into_iter().map(Ok))
            .try_for_each_concurrent(AT_ONCE, |file| async move {
                let _lock = self.locks.lock(&file).await;
                if !self.objects.exists(ObjectKind::Gone.of(&file)).await? {
                    return Ok(());
                }
                let len = self.blob_len(&file).await?;
                self.delete_blob(&file, len).await
            })
            .await
    }

    /// Removes all of a file whose extensions, read again, are past too: the blob first, so that nothing is served of
    /// which a part is missing. Says how many blobs went.
    async fn expire(&self, file: &FileSlot, now: u64) -> Result<u64, StoreFault> {
        let _lock = self.locks.lock(file).await;
        let first = file.hour().max(self.latest(file).await?);
        if !is_due(first, now) || !is_due(self.expiry_again(file, first).await?, now) {
            return Ok(0);
        }
        self.erase_locked(file).await
    }

    /// Removes all that is stored of a file, as if it had never been there; says whether there was a blob.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub(crate) async fn erase(&self, file: &FileSlot) -> Result<bool, StoreFault> {
        let _lock = self.locks.lock(file).await;
        Ok(self.erase_locked(file).await? > 0)
    }

    /// Removes a file and keeps its id from ever being used: it answers like an unknown one, and uploads to it store
    /// nothing. Says whether there was a blob.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub(crate) async fn block(&self, file: &FileSlot) -> Result<bool, StoreFault> {
        let _lock = self.locks.lock(file).await;
        let nobodys = BlobRecord {
            expiry_hour: file.hour(),
            upload_hour: 0,
            downloads: 0,
            owner: [0; 32],
            receipt_key: [0; 32],
        };
        self.put_gone(file, &nobodys, 0).await?;
        let len = self.blob_len(file).await?;
        self.delete_blob(file, len).await?;
        Ok(len > 0)
    }

    async fn erase_locked(&self, file: &FileSlot) -> Result<u64, StoreFault> {
        let len = self.blob_len(file).await?;
        self.delete_blob(file, len).await?;
        for kind in [ObjectKind::More, ObjectKind::Seen] {
            for object in self.objects.list(kind.of(file)).await? {
                self.delete(object.location, object.size).await?;
            }
        }
        if self.objects.exists(ObjectKind::Gone.of(file)).await? {
            self.delete(ObjectKind::Gone.of(file), 0).await?;
        }
        Ok(u64::from(len > 0))
    }

    /// Bytes of the object that holds the blob; 0 when there is none.
    async fn blob_len(&self, file: &FileSlot) -> Result<u64, StoreFault> {
        let start = self.objects.start(ObjectKind::Blob.of(file), 1).await?;
        Ok(start.map_or(0, |(len, _start)| len))
    }

    /// Removes leftovers of interrupted writes, however long that takes.
    async fn tidy(&self) -> Result<(), StoreFault> {
        let Some(folder) = self.objects.folder() else {
            return Ok(());
        };
        let folder = Arc::clone(folder);
        tokio::task::spawn_blocking(move || folder.tidy(Duration::from_secs(HOUR_SECS)))
            .await
            .map_err(|_panicked| StoreFault::Failed)?
            .map_err(|_fault| StoreFault::Failed)
    }

    /// Objects of checks that were interrupted.
    ///
    /// Their age is told by the clock that stamps them, or one that is near it, and never by the clock that files expire
    /// by: a check may be under way.
    async fn sweep_strays(&self) -> Result<(), StoreFault> {
        let now = SystemTime::now();
        for object in self.objects.list(ObjectKind::Probe.all()).await? {
            if is_stray(object.last_modified.into(), now) {
                self.objects.delete(object.location, None).await?;
            }
        }
        Ok(())
    }
}

/// Whether a check that wrote its object at `written` cannot be under way any more.
fn is_stray(written: SystemTime, now: SystemTime) -> bool {
    now.duration_since(written)
        .is_ok_and(|age| age > STRAY_AFTER)
}

/// Whether what expires at the beginning of `hour` expired at least an hour before `now`.
fn is_due(hour: u32, now: u64) -> bool {
    now >= (u64::from(hour) + 1) * HOUR_SECS
}

/// Age from which the object of a check is a leftover: more than any check takes and any two clocks differ.
const STRAY_AFTER: Duration = Duration::from_secs(24 * HOUR_SECS);
/// Number of files that are removed concurrently.
const AT_ONCE: usize = 8;

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use super::*;
    use crate::server::store::location::StoreLocation;

    #[test]
    fn only_what_is_older_than_a_day_is_a_stray() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let second = Duration::from_secs(1);
        assert!(is_stray(now - STRAY_AFTER - second, now));
        for written in [now - STRAY_AFTER, now, now + second, now + STRAY_AFTER * 2] {
            assert!(!is_stray(written, now));
        }
    }

    #[tokio::test]
    async fn the_object_of_a_check_that_was_interrupted_is_swept_and_a_fresh_one_stays() {
        let home = tempfile::tempdir().unwrap();
        let location = StoreLocation::Folder(home.path().to_owned());
        let store = BlobStore::open(&location, 1 << 20, Duration::from_secs(20))
            .await
            .unwrap();
        let probes = home.path().join("probe");
        for name in ["1", "2"] {
            fs::write(probes.join(name), b"12345678").unwrap();
        }
        let old = SystemTime::now() - STRAY_AFTER - Duration::from_secs(60);
        let first = File::options().write(true).open(probes.join("1")).unwrap();
        first.set_modified(old).unwrap();
        drop(first);
        store.sweep(Some(u64::MAX / 2)).await.unwrap();
        let left: Vec<_> = fs::read_dir(&probes)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left, ["2"]);
    }
}
