//! Where blobs lie: one object a blob, named by its expiry hour and id, in a folder that one process holds.
//!
//! Every write is a distinct, idempotent object and nothing is updated in place, so no store needs conditional writes.
//! What a blob is, who may have it and for how long are questions of the file routes.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path as FilePath, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use object_store::{
    GetResult, GetResultPayload, ObjectStore, ObjectStoreExt as _, PutPayload,
    local::LocalFileSystem, path::Path,
};

use super::record::{RECORD_LEN, Record};
use crate::protocol::address::FileId;

/// The store of a file server.
#[derive(Debug)]
pub struct BlobStore {
    objects: Arc<dyn ObjectStore>,
    folder: PathBuf,
    used_bytes: AtomicU64,
    max_total_bytes: u64,
    // Held, not read: the system frees the lock with the file.
    _lock: File,
}

impl BlobStore {
    /// Opens the store in `folder`, which is made if it is missing; leftovers of interrupted writes are removed.
    ///
    /// Blocks and reads the names of all objects: call it where that may be done.
    ///
    /// # Errors
    /// [`OpenStoreError`].
    pub fn open(folder: &FilePath, max_total_bytes: u64) -> Result<Self, OpenStoreError> {
        let failed = |cause| OpenStoreError::Folder {
            folder: folder.to_owned(),
            cause,
        };
        let objects_folder = folder.join(PREFIX);
        if !folder.is_dir() {
            create_private(folder).map_err(failed)?;
        }
        if !objects_folder.is_dir() {
            create_private(&objects_folder).map_err(failed)?;
        }
        make_private(&objects_folder).map_err(failed)?;
        // In the objects' own folder: the store removes folders that become empty, and this one is to stay private.
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(objects_folder.join("lock"))
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                return Err(OpenStoreError::InUse {
                    folder: folder.to_owned(),
                });
            }
            Err(fs::TryLockError::Error(cause)) => return Err(failed(cause)),
        }
        let used_bytes = tidy(&objects_folder, Duration::ZERO).map_err(failed)?;
        let objects = LocalFileSystem::new_with_prefix(folder)
            .map_err(|error| failed(io::Error::other(error)))?
            .with_fsync(true)
            .with_automatic_cleanup(true);
        Ok(Self {
            objects: Arc::new(objects),
            folder: objects_folder,
            used_bytes: AtomicU64::new(used_bytes),
            max_total_bytes,
            _lock: lock,
        })
    }

    /// Writes a blob; writing the same again changes nothing.
    ///
    /// # Errors
    /// [`PutError::Full`] when the store would hold more than it may, [`PutError::Store`] when it could not write;
    /// nothing is stored then.
    pub async fn put(
        &self,
        id: &FileId,
        hour: u32,
        record: &Record,
        blob: Bytes,
    ) -> Result<(), PutError> {
        let path = object_path(id, hour);
        let len_bytes = (RECORD_LEN + blob.len()) as u64;
        let known = match self.objects.head(&path).await {
            Ok(_meta) => true,
            Err(object_store::Error::NotFound { .. }) => false,
            Err(_fault) => return Err(PutError::Store),
        };
        if !known && !self.take(len_bytes) {
            return Err(PutError::Full);
        }
        let payload = PutPayload::from_iter([Bytes::from(record.encode()), blob]);
        self.objects
            .put(&path, payload)
            .await
            .map(drop)
            .map_err(|_fault| {
                if !known {
                    self.give_back(len_bytes);
                }
                PutError::Store
            })
    }

    /// Looks a blob up; its bytes are not read yet.
    ///
    /// # Errors
    /// [`StoreFault`] when the store could not be read.
    pub async fn find(&self, id: &FileId, hour: u32) -> Result<Option<Found>, StoreFault> {
        match self.objects.get(&object_path(id, hour)).await {
            Ok(result) if result.meta.size < RECORD_LEN as u64 => Err(StoreFault),
            Ok(result) => Ok(Some(Found { result })),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(_fault) => Err(StoreFault),
        }
    }

    /// Removes what expired more than an hour before `now`, and leftovers of writes that were interrupted as long ago.
    ///
    /// # Errors
    /// [`StoreFault`] when the store could not be read or written; what is left is met again by the next sweep.
    pub async fn sweep(&self, now: u64) -> Result<Swept, StoreFault> {
        let mut swept = Swept::default();
        let hours = self
            .objects
            .list_with_delimiter(Some(&Path::from(PREFIX)))
            .await
            .map_err(|_fault| StoreFault)?;
        for prefix in hours.common_prefixes {
            let Some(hour) = prefix.filename().and_then(|name| name.parse::<u64>().ok()) else {
                continue;
            };
            if now < hour.saturating_add(1).saturating_mul(3600) {
                continue;
            }
            let expired: Vec<_> = self
                .objects
                .list(Some(&prefix))
                .try_collect()
                .await
                .map_err(|_fault| StoreFault)?;
            for object in expired {
                match self.objects.delete(&object.location).await {
                    Ok(()) => {
                        self.give_back(object.size);
                        swept.blobs += 1;
                    }
                    Err(object_store::Error::NotFound { .. }) => {}
                    Err(_fault) => return Err(StoreFault),
                }
            }
        }
        let folder = self.folder.clone();
        tokio::task::spawn_blocking(move || tidy(&folder, Duration::from_secs(3600)))
            .await
            .map_err(|_panicked| StoreFault)?
            .map_err(|_fault| StoreFault)?;
        Ok(swept)
    }

    /// Whether the store can be written and read right now.
    pub async fn works(&self) -> bool {
        let path = Path::from("health");
        let written = self
            .objects
            .put(&path, PutPayload::from_static(b"well"))
            .await;
        let read = match self.objects.get(&path).await {
            Ok(result) => result
                .bytes()
                .await
                .is_ok_and(|bytes| bytes == b"well".as_slice()),
            Err(_fault) => false,
        };
        written.is_ok() && read
    }

    /// The bytes that the store holds.
    #[must_use]
    pub fn used_bytes(&self) -> u64 {
        self.used_bytes.load(Ordering::Acquire)
    }

    fn take(&self, len_bytes: u64) -> bool {
        self.used_bytes
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |used| {
                used.checked_add(len_bytes)
                    .filter(|&sum| sum <= self.max_total_bytes)
            })
            .is_ok()
    }

    fn give_back(&self, len_bytes: u64) {
        // Two uploads of one id at once are counted twice and given back once: never below zero.
        self.used_bytes
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |used| {
                Some(used.saturating_sub(len_bytes))
            })
            .ok();
    }
}

/// A blob that is there.
#[derive(Debug)]
pub struct Found {
    result: GetResult,
}

impl Found {
    /// The blob's length.
    #[must_use]
    pub fn blob_len(&self) -> u64 {
        self.result.meta.size.saturating_sub(RECORD_LEN as u64)
    }

    /// The record alone.
    ///
    /// # Errors
    /// [`StoreFault`] when it could not be read.
    pub async fn record(self) -> Result<Record, StoreFault> {
        self.read_up_to(0).await.map(|(record, _none)| record)
    }

    /// The record and the whole blob, in one buffer of its length.
    ///
    /// # Errors
    /// [`StoreFault`] when it could not be read whole.
    pub async fn read(self) -> Result<(Record, Vec<u8>), StoreFault> {
        let len = self.blob_len();
        self.read_up_to(len).await
    }

    async fn read_up_to(self, blob_len: u64) -> Result<(Record, Vec<u8>), StoreFault> {
        let len = usize::try_from(blob_len).map_err(|_too_long| StoreFault)?;
        let (record, blob) = match self.result.payload {
            GetResultPayload::File(mut file, _path) => tokio::task::spawn_blocking(move || {
                let mut record = [0; RECORD_LEN];
                file.read_exact(&mut record)?;
                let mut blob = Vec::with_capacity(len);
                file.take(blob_len).read_to_end(&mut blob)?;
                Ok::<_, io::Error>((record, blob))
            })
            .await
            .map_err(|_panicked| StoreFault)?
            .map_err(|_fault| StoreFault)?,
            GetResultPayload::Stream(_) => {
                let bytes = self.result.bytes().await.map_err(|_fault| StoreFault)?;
                let (record, blob) = bytes.split_first_chunk::<RECORD_LEN>().ok_or(StoreFault)?;
                (*record, blob.get(..len).ok_or(StoreFault)?.to_vec())
            }
        };
        if blob.len() != len {
            return Err(StoreFault);
        }
        Ok((Record::decode(&record).ok_or(StoreFault)?, blob))
    }
}

/// What a sweep removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Blobs removed.
    pub blobs: u64,
}

/// The store could not do what was asked; what it said stays with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store cannot be read or written")]
pub struct StoreFault;

/// Why a blob was not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PutError {
    /// The store holds as much as it may.
    #[error("the store is full")]
    Full,
    /// The store could not write.
    #[error("the store cannot be written")]
    Store,
}

/// Why a store was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenStoreError {
    /// The folder cannot be used.
    #[error("the store {} cannot be used ({cause}); check that it is a folder, that you own it and that the disk is not full", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// The system's word.
        cause: io::Error,
    },
    /// Another process holds it.
    #[error("the store {} is used by another running server; stop it, or choose another folder", folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
}

/// Where blobs lie in the store.
const PREFIX: &str = "blob";

fn object_path(id: &FileId, hour: u32) -> Path {
    Path::from_iter([PREFIX, &hour.to_string(), id.as_str()])
}

/// Removes leftovers of interrupted writes older than `age`, and counts the bytes of everything else.
///
/// The folder store writes beside its target, to a name that ends in `#` and digits, which its listings hide.
fn tidy(folder: &FilePath, age: Duration) -> io::Result<u64> {
    let now = SystemTime::now();
    let mut kept_bytes = 0;
    for hour in fs::read_dir(folder)? {
        let hour = hour?;
        if !hour.file_type()?.is_dir() {
            continue;
        }
        for entry in fs::read_dir(hour.path())? {
            let entry = entry?;
            let metadata = match entry.metadata() {
                Ok(metadata) => metadata,
                // Renamed into place, or swept, in between.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            let is_leftover = entry
                .file_name()
                .to_str()
                .and_then(|name| name.rsplit_once('#'))
                .is_some_and(|(_, suffix)| {
                    !suffix.is_empty() && suffix.bytes().all(|byte| byte.is_ascii_digit())
                });
            if !is_leftover {
                kept_bytes += metadata.len();
            } else if now.duration_since(metadata.modified()?).unwrap_or_default() >= age {
                fs::remove_file(entry.path())?;
            }
        }
    }
    Ok(kept_bytes)
}

fn create_private(folder: &FilePath) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(unix)]
fn make_private(folder: &FilePath) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn make_private(_folder: &FilePath) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    const HOUR: u32 = 500_000;

    fn id(byte: u8) -> FileId {
        FileId::random(HOUR, [byte; 13])
    }

    fn record() -> Record {
        Record::new(HOUR, HOUR - 10, None)
    }

    fn open(folder: &TempDir) -> BlobStore {
        BlobStore::open(&folder.path().join("store"), 10_000).unwrap()
    }

    async fn read(store: &BlobStore, byte: u8) -> Option<Vec<u8>> {
        match store.find(&id(byte), HOUR).await.unwrap() {
            Some(found) => Some(found.read().await.unwrap().1),
            None => None,
        }
    }

    fn blob_files(folder: &TempDir) -> usize {
        let entries = fs::read_dir(folder.path().join("store/blob"))
            .unwrap()
            .map(|entry| entry.unwrap().path());
        entries
            .filter(|path| path.is_dir())
            .map(|hour| fs::read_dir(hour).unwrap().count())
            .sum()
    }

    #[tokio::test]
    async fn what_was_put_is_found_and_survives_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder);
        store
            .put(&id(1), HOUR, &record(), Bytes::from_static(b"blob"))
            .await
            .unwrap();
        store
            .put(&id(1), HOUR, &record(), Bytes::from_static(b"blob"))
            .await
            .unwrap();
        let used = store.used_bytes();
        assert_eq!(used, RECORD_LEN as u64 + 4, "the same again is stored once");
        drop(store);
        let store = open(&folder);
        assert_eq!(read(&store, 1).await.as_deref(), Some(b"blob".as_slice()));
        assert_eq!(read(&store, 2).await, None);
        assert_eq!(store.used_bytes(), used);
        let found = store.find(&id(1), HOUR).await.unwrap().unwrap();
        assert_eq!(found.blob_len(), 4);
        assert_eq!(found.record().await.unwrap().upload_hour, HOUR - 10);
        assert!(store.works().await);
    }

    #[tokio::test]
    async fn a_full_store_takes_nothing_more_until_something_expired() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder);
        store
            .put(&id(1), HOUR, &record(), Bytes::from(vec![0; 9000]))
            .await
            .unwrap();
        let error = store
            .put(&id(2), HOUR, &record(), Bytes::from(vec![0; 1000]))
            .await
            .unwrap_err();
        assert_eq!(error, PutError::Full);
        assert_eq!(read(&store, 2).await, None);
        let end = u64::from(HOUR) * 3600;
        assert_eq!(
            store.sweep(end + 3599).await.unwrap(),
            Swept { blobs: 0 },
            "not within the hour after"
        );
        assert_eq!(store.sweep(end + 3600).await.unwrap(), Swept { blobs: 1 });
        assert_eq!(store.used_bytes(), 0);
        assert_eq!(read(&store, 1).await, None);
        assert_eq!(blob_files(&folder), 0);
        store
            .put(&id(2), HOUR, &record(), Bytes::from(vec![0; 1000]))
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn leftovers_of_interrupted_writes_are_removed_at_start() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder);
        store
            .put(&id(1), HOUR, &record(), Bytes::from_static(b"blob"))
            .await
            .unwrap();
        let hour = folder.path().join(format!("store/blob/{HOUR}"));
        fs::write(hour.join(format!("{}#1", id(2).as_str())), b"half").unwrap();
        store.sweep(0).await.unwrap();
        assert_eq!(
            blob_files(&folder),
            2,
            "a write may be under way while the server runs"
        );
        drop(store);
        let store = open(&folder);
        assert_eq!(blob_files(&folder), 1);
        assert_eq!(read(&store, 1).await.as_deref(), Some(b"blob".as_slice()));
    }

    #[test]
    fn one_process_has_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder);
        let error = BlobStore::open(&folder.path().join("store"), 1).unwrap_err();
        assert!(matches!(error, OpenStoreError::InUse { .. }));
        drop(store);
        open(&folder);
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_enters_the_folder() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let _store = open(&folder);
        for path in ["store", "store/blob"] {
            let mode = fs::metadata(folder.path().join(path))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o700, "{path}");
        }
    }

    #[tokio::test]
    async fn a_file_that_is_no_record_is_a_fault_and_not_a_blob() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder);
        store
            .put(&id(1), HOUR, &record(), Bytes::from_static(b"blob"))
            .await
            .unwrap();
        let path = folder
            .path()
            .join(format!("store/blob/{HOUR}/{}", id(1).as_str()));
        fs::write(&path, b"short").unwrap();
        assert_eq!(store.find(&id(1), HOUR).await.unwrap_err(), StoreFault);
        fs::write(&path, vec![9; 200]).unwrap();
        let found = store.find(&id(1), HOUR).await.unwrap().unwrap();
        assert_eq!(found.read().await.err(), Some(StoreFault));
    }
}
