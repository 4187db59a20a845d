//! Where blobs lie: distinct objects named by expiry hour and id, in a folder that one process holds or in a bucket that
//! several servers share.
//!
//! Every write is a distinct, idempotent object and nothing is updated in place, so no store needs conditional writes:
//!
//! * `blob/{hour}/{id}`: record and blob;
//! * `more/{hour}/{id}/{later hour}`: a later expiry, empty; it replaces the earlier ones, which are then removed;
//! * `seen/{hour}/{id}/{nonce}`: a download receipt, its signature in it;
//! * `gone/{hour}/{id}`: the record and the blob's length, for a blob that was removed before it expired. While it is
//!   there, nothing is stored or served under its id;
//! * `network/{name}`: what a server of a bucket knows of the relays of its network (`registers.rs`).
//!
//! Beside them, a folder has the file `total`: how much it holds, at most (`total.rs`). It is no object and can be missing.
//!
//! What a blob is, who may have it and for how long are questions of the file routes.

use std::{path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use object_store::{PutPayload, path::Path as ObjectPath};
use tokio::sync::Mutex as AsyncMutex;

use self::location::StoreLocation;
use self::{
    file_locks::FileLocks,
    folder::Folder,
    names::ObjectKind,
    objects::Objects,
    quota::{Quota, Room, Taken},
};
use crate::server::files::record::{BlobRecord, RECORD_LEN};

mod file_locks;
mod folder;
mod found;
mod hours;
pub mod location;
mod names;
mod objects;
mod probe;
mod quota;
mod registers;
#[cfg(feature = "s3")]
mod s3;
mod sweep;
mod tally;
mod total;

pub use found::LiveBlob;
pub(crate) use found::PIECE_LEN;
pub use names::FileSlot;
pub use objects::StoreFault;
pub use probe::Probed;
pub use quota::Held;
pub use sweep::Swept;

/// The store of a file server.
#[derive(Debug)]
pub struct BlobStore {
    objects: Objects,
    quota: Arc<Quota>,
    locks: FileLocks,
    /// Held during a count.
    counting: AsyncMutex<()>,
    /// Held while the total is written to the disk.
    noting: AsyncMutex<()>,
}

/// What the store knows about a file.
#[derive(Clone, Debug)]
pub struct FileRecord {
    /// What was kept with it.
    pub record: BlobRecord,
    /// Bytes of the blob.
    pub size: u64,
    /// The file expires when this hour (since 1970, UTC) begins; extensions are counted in.
    pub expiry_hour: u32,
    /// Whether it was removed before it expired.
    pub gone: bool,
}

/// Whether a server runs on the store in `folder`. On a file system without locks nobody can tell, and it is none.
#[must_use]
pub(crate) fn is_held(folder: &std::path::Path) -> bool {
    folder::is_held(folder)
}

impl BlobStore {
    /// Opens a store, which takes no longer for a large one: what it holds is counted by the first [`Self::sweep`], which
    /// also finishes what was interrupted.
    ///
    /// `patience` is how long one question to the store may take.
    ///
    /// # Errors
    /// [`OpenStoreError`].
    pub async fn open(
        location: &StoreLocation,
        max_total_bytes: u64,
        patience: Duration,
    ) -> Result<Self, OpenStoreError> {
        let store = Self::reach(location, max_total_bytes, patience, false).await?;
        // Where it is, and whether it can be read, is found out now.
        match store.last_hour().await {
            Ok(_hour) => Ok(store),
            Err(fault) => Err(OpenStoreError::Unreachable {
                location: location.to_string(),
                fault,
            }),
        }
    }

    /// Opens a store that a server may be using, for an operator's own look or deed; it must be there.
    ///
    /// # Errors
    /// [`OpenStoreError`].
    pub async fn visit(
        location: &StoreLocation,
        patience: Duration,
    ) -> Result<Self, OpenStoreError> {
        Self::reach(location, u64::MAX, patience, true).await
    }

    async fn reach(
        location: &StoreLocation,
        max_total_bytes: u64,
        patience: Duration,
        visit: bool,
    ) -> Result<Self, OpenStoreError> {
        let mut quota = Quota::new(max_total_bytes);
        let objects = match location {
            StoreLocation::Folder(folder) => {
                let root = folder.clone();
                let opened = tokio::task::spawn_blocking(move || {
                    let folder = Folder::open(&root, visit)?;
                    let held = folder.held().map_err(|cause| OpenStoreError::Folder {
                        folder: root,
                        cause,
                    })?;
                    Ok((folder.objects()?, folder, held))
                });
                let (objects, folder, held) =
                    opened
                        .await
                        .map_err(|_panicked| OpenStoreError::Unreachable {
                            location: location.to_string(),
                            fault: StoreFault::Failed,
                        })??;
                // A visitor does not see what the server changes.
                if !visit {
                    quota = Quota::noted(max_total_bytes, held);
                }
                Objects::new(Arc::new(objects), Some(folder), patience)
            }
            StoreLocation::Objects(objects) => Objects::new(Arc::clone(objects), None, patience),
            #[cfg(feature = "s3")]
            StoreLocation::S3 { bucket, prefix } => {
                Objects::new(s3::open(bucket, prefix)?, None, patience)
            }
            #[cfg(not(feature = "s3"))]
            StoreLocation::S3 { .. } => return Err(OpenStoreError::NoS3),
        };
        Ok(Self {
            objects,
            quota: Arc::new(quota),
            locks: FileLocks::default(),
            counting: AsyncMutex::default(),
            noting: AsyncMutex::default(),
        })
    }

    /// Writes a blob; writing the same again changes nothing. `drawn` says that the id was drawn at random just now, so
    /// that nothing can be there yet.
    ///
    /// When only a count can tell whether there is room, this waits for the count, as long as one question to the store may
    /// take.
    ///
    /// # Errors
    /// [`PutError`]; nothing is stored then, unless the store only did not say so in time.
    pub async fn put(
        &self,
        file: &FileSlot,
        record: &BlobRecord,
        blob: Bytes,
        drawn: bool,
    ) -> Result<(), PutError> {
        let _lock = self.locks.lock(file).await;
        if !drawn {
            let (gone, known) = tokio::join!(
                self.objects.exists(ObjectKind::Gone.of(file)),
                self.objects.exists(ObjectKind::Blob.of(file))
            );
            if gone? {
                return Err(PutError::Gone);
            }
            // What is there has the same blob and the same owner, and was written whole.
            if known? {
                return Ok(());
            }
        }
        let len_bytes = (RECORD_LEN + blob.len()) as u64;
        let name = ObjectKind::Blob.of(file);
        let taken = self.take(&name, len_bytes).await?;
        let payload = PutPayload::from_iter([Bytes::from(record.encode()), blob]);
        self.objects.put(name, payload, Some(taken)).await?;
        // Another server of the same bucket may have removed the file meanwhile.
        if !drawn && self.objects.exists(ObjectKind::Gone.of(file)).await? {
            self.delete_blob(file, len_bytes).await?;
            return Err(PutError::Gone);
        }
        Ok(())
    }

    /// Looks up the record of a file, expired or not; `None` when there is none.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub async fn look(&self, file: &FileSlot) -> Result<Option<FileRecord>, StoreFault> {
        let (start, gone, more) = tokio::join!(
            self.objects
                .start(ObjectKind::Blob.of(file), RECORD_LEN as u64),
            self.gone(file),
            self.latest(file)
        );
        let (record, size, gone) = match (gone?, start?) {
            (Some((record, size)), _) => (record, size, true),
            (None, Some((len, start))) => {
                let record = decode(&start)?;
                (record, len.saturating_sub(RECORD_LEN as u64), false)
            }
            (None, None) => return Ok(None),
        };
        Ok(Some(FileRecord {
            record,
            size,
            expiry_hour: record.expiry_hour.max(more?),
            gone,
        }))
    }

    /// Like [`Self::look`], for a file that is not gone; its bytes have not been read.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub async fn find(
        &self,
        file: &FileSlot,
    ) -> Result<Option<(FileRecord, LiveBlob)>, StoreFault> {
        let (found, gone, more) = tokio::join!(
            self.objects.get(ObjectKind::Blob.of(file)),
            self.objects.exists(ObjectKind::Gone.of(file)),
            self.latest(file)
        );
        let (Some(found), false) = (found?, gone?) else {
            return Ok(None);
        };
        let (record, found) = LiveBlob::open(found, self.objects.patience()).await?;
        let stored = FileRecord {
            record,
            size: found.len(),
            expiry_hour: record.expiry_hour.max(more?),
            gone: false,
        };
        Ok(Some((stored, found)))
    }

    /// Lets a file expire at the beginning of `later`, and removes the extensions that this replaces; false when the file
    /// is not there any more.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub async fn extend(&self, file: &FileSlot, later: u32) -> Result<bool, StoreFault> {
        let _lock = self.locks.lock(file).await;
        let name = ObjectKind::More.one(file, &later.to_string());
        let taken = self.take(&name, 0).await?;
        self.objects
            .put(name.clone(), PutPayload::new(), Some(taken))
            .await?;
        let (gone, there) = tokio::join!(
            self.objects.exists(ObjectKind::Gone.of(file)),
            self.objects.exists(ObjectKind::Blob.of(file))
        );
        if gone? || !there? {
            self.delete(name, 0).await?;
            return Ok(false);
        }
        // Only what is earlier goes, and only after this was written: the latest one is always there, also when several
        // servers do this at once.
        for (hour, name) in self.extensions(file).await? {
            if hour < later {
                self.delete(name, 0).await?;
            }
        }
        Ok(true)
    }

    /// The expiry hour of a file that seemed to have expired, from a second listing of its extensions. The first one may
    /// have shown neither an extension that was just being replaced nor the later one; that was written before the
    /// earlier one went, so a listing that begins now shows it.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub(crate) async fn expiry_again(
        &self,
        file: &FileSlot,
        first: u32,
    ) -> Result<u32, StoreFault> {
        Ok(first.max(self.latest(file).await?))
    }

    /// Removes a file before it expires; what is known about it stays until then.
    ///
    /// # Errors
    /// [`StoreFault`]; the file is there, or is gone, and nothing between.
    pub async fn remove(&self, file: &FileSlot, stored: &FileRecord) -> Result<(), StoreFault> {
        let _lock = self.locks.lock(file).await;
        let len_bytes = stored.size + RECORD_LEN as u64;
        match self.put_gone(file, &stored.record, stored.size).await {
            // A full disk must not keep anybody from making room: the blob goes first, then there is room to say so.
            Err(StoreFault::Full) => {
                self.delete_blob(file, len_bytes).await?;
                match self.put_gone(file, &stored.record, stored.size).await {
                    Err(StoreFault::Full) => Ok(()),
                    done => done,
                }
            }
            done => {
                done?;
                self.delete_blob(file, len_bytes).await
            }
        }
    }

    /// Keeps a download receipt; the same again changes nothing.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub async fn put_receipt(
        &self,
        file: &FileSlot,
        nonce: &str,
        receipt: Bytes,
    ) -> Result<(), StoreFault> {
        let _lock = self.locks.lock(file).await;
        let name = ObjectKind::Seen.one(file, nonce);
        self.put_always(name, PutPayload::from(receipt)).await
    }

    /// The nonces of the download receipts of a file.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub async fn nonces(&self, file: &FileSlot) -> Result<Vec<String>, StoreFault> {
        let seen = self.objects.list(ObjectKind::Seen.of(file)).await?;
        Ok(seen
            .iter()
            .filter_map(|object| names::parse(&object.location)?.1)
            .collect())
    }

    /// What was kept as the receipt with `nonce`.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub async fn receipt(&self, file: &FileSlot, nonce: &str) -> Result<Option<Bytes>, StoreFault> {
        let name = ObjectKind::Seen.one(file, nonce);
        let kept = self.objects.start(name, MAX_RECEIPT_LEN).await?;
        Ok(kept.map(|(_len, receipt)| receipt))
    }

    /// Returns when nothing is under way any more, notes what the store holds, and lets go of the folder: whoever still
    /// holds this store, such as a connection that is being taken down, keeps it from nobody.
    pub async fn rest(&self) {
        if !self.objects.rest().await {
            return;
        }
        // The total that is there was noted ahead: it is too large, and good enough.
        if self.note_last_total().await.is_err() {
            tracing::debug!("what the store holds could not be noted");
        }
        if let Some(folder) = self.objects.folder() {
            folder.release();
        }
    }

    /// What the store holds, as far as this process knows.
    #[must_use]
    pub fn held(&self) -> Held {
        self.quota.held()
    }

    /// The bytes that can still be stored, as far as this process knows; `None` before the first count of a store whose
    /// total is not known.
    #[must_use]
    pub(crate) fn free_bytes(&self) -> Option<u64> {
        self.quota.free_bytes()
    }

    /// Takes what writing `object`, of `len_bytes`, costs.
    async fn take(&self, object: &ObjectPath, len_bytes: u64) -> Result<Taken, StoreFault> {
        loop {
            match self.quota.take(object, len_bytes) {
                Room::Full => return Err(StoreFault::Full),
                Room::Taken(taken) => return Ok(taken),
                Room::Unnoted => self.note_total(Some(len_bytes)).await?,
                Room::Uncounted => {
                    tokio::time::timeout(self.objects.patience(), self.quota.counted())
                        .await
                        .map_err(|_elapsed| StoreFault::Hangs)?;
                }
            }
        }
    }

    /// Notes on the disk what the store holds, with the object of `next_len_bytes` that is to be written, if one is. Nothing
    /// when the total there is right, or a little too large, and in a store that keeps no total on a disk.
    pub(crate) async fn note_total(&self, next_len_bytes: Option<u64>) -> Result<(), StoreFault> {
        let _alone = self.noting.lock().await;
        match self.quota.to_note(next_len_bytes) {
            Some(bytes) => self.note(bytes).await,
            None => Ok(()),
        }
    }

    /// Notes on the disk what the store holds, exactly: nothing is written to it any more.
    pub(crate) async fn note_last_total(&self) -> Result<(), StoreFault> {
        let _alone = self.noting.lock().await;
        match self.quota.last_to_note() {
            Some(bytes) => self.note(bytes).await,
            None => Ok(()),
        }
    }

    async fn note(&self, bytes: u64) -> Result<(), StoreFault> {
        let noting = move |folder: &Folder| folder.note_total(bytes);
        self.objects.in_folder(noting).await?;
        self.quota.set_noted(bytes);
        Ok(())
    }

    /// Writes a small object about a blob that is there, whatever room is left.
    async fn put_always(&self, name: ObjectPath, payload: PutPayload) -> Result<(), StoreFault> {
        let taken = self.quota.take_always(&name, 0);
        self.objects.put(name, payload, Some(taken)).await?;
        Ok(())
    }

    /// Deletes an object of `len_bytes`.
    async fn delete(&self, name: ObjectPath, len_bytes: u64) -> Result<(), StoreFault> {
        let deleting = self.quota.delete(&name, len_bytes);
        self.objects.delete(name, Some(deleting)).await
    }

    /// The latest hour of all extensions; 0 without any.
    async fn latest(&self, file: &FileSlot) -> Result<u32, StoreFault> {
        let extensions = self.extensions(file).await?;
        let hours = extensions.into_iter().map(|(hour, _name)| hour);
        Ok(hours.max().unwrap_or(0))
    }

    /// The extensions of a file: the hour of each, and its object.
    async fn extensions(&self, file: &FileSlot) -> Result<Vec<(u32, ObjectPath)>, StoreFault> {
        let more = self.objects.list(ObjectKind::More.of(file)).await?;
        Ok(more
            .into_iter()
            .filter_map(|object| {
                let hour = names::parse(&object.location)?.1?.parse().ok()?;
                Some((hour, object.location))
            })
            .collect())
    }

    async fn gone(&self, file: &FileSlot) -> Result<Option<(BlobRecord, u64)>, StoreFault> {
        let name = ObjectKind::Gone.of(file);
        let Some((_len, bytes)) = self.objects.start(name, GONE_LEN).await? else {
            return Ok(None);
        };
        let size = bytes
            .get(RECORD_LEN..)
            .and_then(|size| size.try_into().ok());
        let size = size.map_or(0, u64::from_le_bytes);
        Ok(Some((decode(&bytes)?, size)))
    }

    async fn put_gone(
        &self,
        file: &FileSlot,
        record: &BlobRecord,
        size: u64,
    ) -> Result<(), StoreFault> {
        let mut gone = record.encode();
        gone.extend_from_slice(&size.to_le_bytes());
        self.put_always(ObjectKind::Gone.of(file), PutPayload::from(gone))
            .await
    }

    async fn delete_blob(&self, file: &FileSlot, len_bytes: u64) -> Result<(), StoreFault> {
        if len_bytes > 0 {
            self.delete(ObjectKind::Blob.of(file), len_bytes).await?;
        }
        Ok(())
    }
}

fn decode(bytes: &[u8]) -> Result<BlobRecord, StoreFault> {
    bytes
        .first_chunk::<RECORD_LEN>()
        .and_then(BlobRecord::decode)
        .ok_or(StoreFault::Failed)
}

/// Why a blob was not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PutError {
    /// The store holds as much as it may.
    #[error("the store is full")]
    Full,
    /// It was stored before and removed, or must not be stored.
    #[error("the file was removed")]
    Gone,
    /// The store could not write.
    #[error(transparent)]
    Store(StoreFault),
}

impl From<StoreFault> for PutError {
    fn from(fault: StoreFault) -> Self {
        match fault {
            StoreFault::Full => Self::Full,
            StoreFault::Failed | StoreFault::Hangs => Self::Store(fault),
        }
    }
}

/// Why a store was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenStoreError {
    /// The bucket's client cannot be made.
    #[error(
        "the bucket {bucket} cannot be used ({cause}); check AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    )]
    Bucket {
        /// Its name.
        bucket: String,
        /// What is wrong.
        cause: String,
    },
    /// The folder cannot be used.
    #[error("the store {} cannot be used ({cause}); check that it is a folder, that you own it and that the disk is not full", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Error of the system.
        cause: std::io::Error,
    },
    /// Another process holds the store.
    #[error("the store {} is used by another running server; stop it, or choose another folder", folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
    /// Nothing keeps another server out of it.
    #[error("the file system of the store {} has no locks, so that two servers could use it at once; choose a folder on another disk", folder.display())]
    NoLocks {
        /// The folder.
        folder: PathBuf,
    },
    /// The store is a bucket, and this program was built without buckets.
    #[error("this program was built without S3; build it with --features s3, or give a folder")]
    NoS3,
    /// The store did not answer as a store.
    #[error(
        "the store {location} cannot be read ({fault}); check that it is there and that its credentials are right"
    )]
    Unreachable {
        /// The store's folder or bucket, as in the settings.
        location: String,
        /// What happened.
        fault: StoreFault,
    },
}

/// A record and the length of the blob that it stood before.
const GONE_LEN: u64 = RECORD_LEN as u64 + 8;
/// Limit for the length of a stored receipt: more than any has.
const MAX_RECEIPT_LEN: u64 = 256;
