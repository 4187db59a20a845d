//! Where blobs lie: distinct objects named by expiry hour and id, in a folder that one process holds or in a bucket that
//! several servers share.
//!
//! Every write is a distinct, idempotent object and nothing is updated in place, so no store needs conditional writes:
//!
//! * `blob/{hour}/{id}`: record and blob;
//! * `more/{hour}/{id}/{later hour}`: a later expiry, empty; it replaces the earlier ones, which are then removed;
//! * `seen/{hour}/{id}/{nonce}`: a download receipt, its signature in it;
//! * `gone/{hour}/{id}`: the record and the blob's length, for a blob that was removed before it expired. While it is
//!   there, nothing is stored or served under its id.
//!
//! What a blob is, who may have it and for how long are questions of the file routes.

use std::{path::Path as FilePath, path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use object_store::{PutPayload, path::Path as ObjectPath};

use self::{
    folder::Folder,
    names::Kind,
    objects::Objects,
    quota::{FileLocks, Quota},
};
use super::{
    location::StoreLocation,
    record::{RECORD_LEN, Record},
};

mod folder;
mod found;
mod hours;
mod names;
mod objects;
mod probe;
mod quota;
#[cfg(feature = "s3")]
mod s3;
mod sweep;

pub use found::{Found, PIECE_LEN};
pub use names::FileSlot;
pub use objects::StoreFault;
pub use probe::Probed;
pub use sweep::Swept;

/// The store of a file server.
#[derive(Debug)]
pub struct BlobStore {
    objects: Objects,
    quota: Quota,
    locks: FileLocks,
}

/// What the store knows about a file.
#[derive(Clone, Debug)]
pub struct Stored {
    /// What was kept with it.
    pub record: Record,
    /// Bytes of the blob.
    pub size: u64,
    /// The hour at whose beginning it expires, extensions included.
    pub expiry_hour: u32,
    /// Whether it was removed before it expired.
    pub gone: bool,
}

impl BlobStore {
    /// Opens a store; leftovers of interrupted writes and half done removals are finished, and all objects are counted.
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
        store.settle(location).await?;
        Ok(store)
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
        let objects = match location {
            StoreLocation::Folder(folder) => {
                let folder = folder.clone();
                tokio::task::spawn_blocking(move || {
                    let folder = Folder::open(&folder, visit)?;
                    let objects = folder.objects()?;
                    Ok(Objects::new(Arc::new(objects), Some(folder), patience))
                })
                .await
                .map_err(|_panicked| OpenStoreError::Unreachable {
                    location: location.to_string(),
                    fault: StoreFault::Failed,
                })??
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
            quota: Quota::new(max_total_bytes),
            locks: FileLocks::default(),
        })
    }

    async fn settle(&self, location: &StoreLocation) -> Result<(), OpenStoreError> {
        if let Some(folder) = self.objects.folder() {
            let folder = Arc::clone(folder);
            let tidied = tokio::task::spawn_blocking(move || folder.tidy(Duration::ZERO)).await;
            if let Ok(Err(cause)) = tidied {
                return Err(OpenStoreError::Folder {
                    folder: location
                        .folder()
                        .map(FilePath::to_owned)
                        .unwrap_or_default(),
                    cause,
                });
            }
        }
        self.count()
            .await
            .map_err(|fault| OpenStoreError::Unreachable {
                location: location.to_string(),
                fault,
            })
    }

    /// Writes a blob; writing the same again changes nothing. `drawn` says that the id was drawn at random just now, so
    /// that nothing can be there yet.
    ///
    /// # Errors
    /// [`PutError`]; nothing is stored then, unless the store only did not say so in time.
    pub async fn put(
        &self,
        file: &FileSlot,
        record: &Record,
        blob: Bytes,
        drawn: bool,
    ) -> Result<(), PutError> {
        let _lock = self.locks.lock(file).await;
        if !drawn {
            let (gone, known) = tokio::join!(
                self.objects.exists(Kind::Gone.of(file)),
                self.objects.exists(Kind::Blob.of(file))
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
        let taken = self.quota.take(len_bytes).ok_or(PutError::Full)?;
        let payload = PutPayload::from_iter([Bytes::from(record.encode()), blob]);
        if let Err(fault) = self.objects.put(Kind::Blob.of(file), payload).await {
            // What did not answer in time may still be written: it stays counted until the next count.
            if fault != StoreFault::Hangs {
                taken.give_back();
            }
            return Err(fault.into());
        }
        drop(taken);
        // Another server of the same bucket may have removed the file meanwhile.
        if !drawn && self.objects.exists(Kind::Gone.of(file)).await? {
            self.delete_blob(file, len_bytes).await?;
            return Err(PutError::Gone);
        }
        Ok(())
    }

    /// What there is to know about a file, expired or not; `None` when nothing is.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub async fn look(&self, file: &FileSlot) -> Result<Option<Stored>, StoreFault> {
        let (start, gone, more) = tokio::join!(
            self.objects.start(Kind::Blob.of(file), RECORD_LEN as u64),
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
        Ok(Some(Stored {
            record,
            size,
            expiry_hour: record.expiry_hour.max(more?),
            gone,
        }))
    }

    /// The same of a file that is not gone, and its bytes, not read yet.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub async fn find(&self, file: &FileSlot) -> Result<Option<(Stored, Found)>, StoreFault> {
        let (found, gone, more) = tokio::join!(
            self.objects.get(Kind::Blob.of(file)),
            self.objects.exists(Kind::Gone.of(file)),
            self.latest(file)
        );
        let (Some(found), false) = (found?, gone?) else {
            return Ok(None);
        };
        let (record, found) = Found::open(found, self.objects.patience()).await?;
        let stored = Stored {
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
        let name = Kind::More.one(file, &later.to_string());
        let taken = self.quota.take(0).ok_or(StoreFault::Full)?;
        if let Err(fault) = self.objects.put(name.clone(), PutPayload::new()).await {
            if fault != StoreFault::Hangs {
                taken.give_back();
            }
            return Err(fault);
        }
        drop(taken);
        let (gone, there) = tokio::join!(
            self.objects.exists(Kind::Gone.of(file)),
            self.objects.exists(Kind::Blob.of(file))
        );
        if gone? || !there? {
            self.delete_small(name).await?;
            return Ok(false);
        }
        // Only what is earlier goes, and only after this was written: the latest one is always there, also when several
        // servers do this at once.
        for (hour, name) in self.extensions(file).await? {
            if hour < later {
                self.delete_small(name).await?;
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
    pub async fn expiry_again(&self, file: &FileSlot, first: u32) -> Result<u32, StoreFault> {
        Ok(first.max(self.latest(file).await?))
    }

    /// Removes a file before it expires; what is known about it stays until then.
    ///
    /// # Errors
    /// [`StoreFault`]; the file is there, or is gone, and nothing between.
    pub async fn remove(&self, file: &FileSlot, stored: &Stored) -> Result<(), StoreFault> {
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
        let name = Kind::Seen.one(file, nonce);
        self.objects.put(name, PutPayload::from(receipt)).await?;
        self.quota.add(0);
        Ok(())
    }

    /// The nonces of the download receipts of a file.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub async fn nonces(&self, file: &FileSlot) -> Result<Vec<String>, StoreFault> {
        let seen = self.objects.list(Kind::Seen.of(file)).await?;
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
        let name = Kind::Seen.one(file, nonce);
        let kept = self.objects.start(name, MAX_RECEIPT_LEN).await?;
        Ok(kept.map(|(_len, receipt)| receipt))
    }

    /// Returns when nothing is under way any more, and lets go of the folder: whoever still holds this store, such as a
    /// connection that is being taken down, keeps it from nobody.
    pub async fn rest(&self) {
        if self.objects.rest().await
            && let Some(folder) = self.objects.folder()
        {
            folder.release();
        }
    }

    /// The bytes that the store holds, as far as this process knows.
    #[must_use]
    pub fn used_bytes(&self) -> u64 {
        self.quota.used_bytes()
    }

    /// The bytes that can still be stored, as far as this process knows.
    #[must_use]
    pub fn free_bytes(&self) -> u64 {
        self.quota.free_bytes()
    }

    /// The latest hour of all extensions; 0 without any.
    async fn latest(&self, file: &FileSlot) -> Result<u32, StoreFault> {
        let extensions = self.extensions(file).await?;
        let hours = extensions.into_iter().map(|(hour, _name)| hour);
        Ok(hours.max().unwrap_or(0))
    }

    /// The extensions of a file: the hour of each, and its object.
    async fn extensions(&self, file: &FileSlot) -> Result<Vec<(u32, ObjectPath)>, StoreFault> {
        let more = self.objects.list(Kind::More.of(file)).await?;
        Ok(more
            .into_iter()
            .filter_map(|object| {
                let hour = names::parse(&object.location)?.1?.parse().ok()?;
                Some((hour, object.location))
            })
            .collect())
    }

    /// Deletes an object that is counted as the least there is.
    async fn delete_small(&self, name: ObjectPath) -> Result<(), StoreFault> {
        if self.objects.delete(name).await? {
            self.quota.give_back(0);
        }
        Ok(())
    }

    async fn gone(&self, file: &FileSlot) -> Result<Option<(Record, u64)>, StoreFault> {
        let name = Kind::Gone.of(file);
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
        record: &Record,
        size: u64,
    ) -> Result<(), StoreFault> {
        let mut gone = record.encode();
        gone.extend_from_slice(&size.to_le_bytes());
        let name = Kind::Gone.of(file);
        self.objects.put(name, PutPayload::from(gone)).await?;
        self.quota.add(0);
        Ok(())
    }

    async fn delete_blob(&self, file: &FileSlot, len_bytes: u64) -> Result<(), StoreFault> {
        if len_bytes > 0 && self.objects.delete(Kind::Blob.of(file)).await? {
            self.quota.give_back(len_bytes);
        }
        Ok(())
    }
}

fn decode(bytes: &[u8]) -> Result<Record, StoreFault> {
    bytes
        .first_chunk::<RECORD_LEN>()
        .and_then(Record::decode)
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
        /// The system's word.
        cause: std::io::Error,
    },
    /// Another process holds it.
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
    /// This program was built without buckets.
    #[error("this program was built without S3; build it with --features s3, or give a folder")]
    NoS3,
    /// The store did not answer as a store.
    #[error(
        "the store {location} cannot be read ({fault}); check that it is there and that its credentials are right"
    )]
    Unreachable {
        /// Where it is.
        location: String,
        /// What happened.
        fault: StoreFault,
    },
}

/// A record and the length of the blob that it stood before.
const GONE_LEN: u64 = RECORD_LEN as u64 + 8;
/// More than any receipt.
const MAX_RECEIPT_LEN: u64 = 256;
