//! Access to an object store: every operation has a time limit, and a bounded number run at once.

use std::{error::Error as _, io, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::{
    Error, GetOptions, GetRange, GetResult, ObjectMeta, ObjectStore, ObjectStoreExt as _,
    PutPayload, path::Path,
};
use tokio::sync::Semaphore;

use super::{
    folder::Folder,
    quota::{Deleting, Taken},
};

/// An object store with a time limit for each operation.
#[derive(Clone, Debug)]
pub(super) struct Objects {
    objects: Arc<dyn ObjectStore>,
    folder: Option<Arc<Folder>>,
    patience: Duration,
    // What hangs keeps its permit, so that a store that hangs cannot take every thread.
    permits: Arc<Semaphore>,
}

/// The store could not do what was asked; what it said stays with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreFault {
    /// It failed.
    #[error("the store cannot be read or written")]
    Failed,
    /// It has no room.
    #[error("the store has no room")]
    Full,
    /// It did not answer in time; the operation may still happen.
    #[error("the store does not answer")]
    Hangs,
}

impl Objects {
    pub(super) fn new(
        objects: Arc<dyn ObjectStore>,
        folder: Option<Folder>,
        patience: Duration,
    ) -> Self {
        Self {
            objects,
            folder: folder.map(Arc::new),
            patience,
            permits: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    pub(super) fn folder(&self) -> Option<&Arc<Folder>> {
        self.folder.as_ref()
    }

    /// Writes an object whole or not at all. What it costs was `taken`, if it is counted; also when the store answers
    /// after the patience with it has ended.
    pub(super) async fn put(
        &self,
        path: Path,
        payload: PutPayload,
        taken: Option<Taken>,
    ) -> Result<PutSaid, StoreFault> {
        let objects = Arc::clone(&self.objects);
        let is_folder = self.folder.is_some();
        self.run(async move {
            let mut tries = 0;
            let put = loop {
                match objects.put(&path, payload.clone()).await {
                    // The folder was made, and removed by a deletion that emptied it, before the file was in it.
                    Err(error) if is_folder && tries < 10 && is_missing(&error) => tries += 1,
                    done => break done?,
                }
            };
            if let Some(taken) = taken {
                taken.stored();
            }
            Ok(PutSaid {
                versioned: put.version.is_some(),
            })
        })
        .await
    }

    /// Looks an object up; its bytes are not read yet.
    pub(super) async fn get(&self, path: Path) -> Result<Option<GetResult>, StoreFault> {
        let objects = Arc::clone(&self.objects);
        self.run(async move { found(objects.get(&path).await) })
            .await
    }

    /// The object's length and its first bytes, at most `len`.
    pub(super) async fn start(
        &self,
        path: Path,
        len: u64,
    ) -> Result<Option<(u64, Bytes)>, StoreFault> {
        let objects = Arc::clone(&self.objects);
        self.run(async move {
            let options = GetOptions {
                range: Some(GetRange::Bounded(0..len)),
                ..GetOptions::default()
            };
            let Some(result) = found(objects.get_opts(&path, options).await)? else {
                return Ok(None);
            };
            let whole = result.meta.size;
            Ok(Some((whole, result.bytes().await?)))
        })
        .await
    }

    pub(super) async fn exists(&self, path: Path) -> Result<bool, StoreFault> {
        let objects = Arc::clone(&self.objects);
        self.run(async move { Ok(found(objects.head(&path).await)?.is_some()) })
            .await
    }

    /// Deletes an object; one that is not there is as good as deleted. `deleting` is told how it ended, if the object is
    /// counted; also when the store answers after the patience with it has ended.
    pub(super) async fn delete(
        &self,
        path: Path,
        deleting: Option<Deleting>,
    ) -> Result<(), StoreFault> {
        let objects = Arc::clone(&self.objects);
        let folder = self.folder.clone();
        self.run(async move {
            let was_there = found(objects.delete(&path).await)?.is_some();
            match deleting {
                Some(deleting) if was_there => deleting.deleted(),
                Some(deleting) => deleting.was_missing(),
                None => {}
            }
            if !was_there {
                return Ok(());
            }
            if let Some(folder) = folder {
                tokio::task::spawn_blocking(move || folder.removed(&path))
                    .await?
                    .map_err(in_folder)?;
            }
            Ok(())
        })
        .await
    }

    /// The objects under `prefix`: for prefixes that hold few.
    pub(super) async fn list(&self, prefix: Path) -> Result<Vec<ObjectMeta>, StoreFault> {
        let objects = Arc::clone(&self.objects);
        self.run(async move { objects.list(Some(&prefix)).try_collect().await })
            .await
    }

    /// Shows every object under `prefix` to `see`, however many there are; each step has its time.
    pub(super) async fn each(
        &self,
        prefix: Path,
        mut see: impl FnMut(ObjectMeta),
    ) -> Result<(), StoreFault> {
        let mut all = self.objects.list(Some(&prefix));
        loop {
            match tokio::time::timeout(self.patience, all.next()).await {
                Ok(Some(Ok(meta))) => see(meta),
                Ok(Some(Err(error))) => return Err(fault(&error)),
                // A folder that went away lists nothing.
                Ok(None) => return self.run(async { Ok(()) }).await,
                Err(_elapsed) => return Err(StoreFault::Hangs),
            }
        }
    }

    /// Does `deed` in the folder, which may block. Nothing in a store that is no folder.
    pub(super) async fn in_folder(
        &self,
        deed: impl FnOnce(&Folder) -> io::Result<()> + Send + 'static,
    ) -> Result<(), StoreFault> {
        let Some(folder) = self.folder.clone() else {
            return Ok(());
        };
        self.run(async move {
            tokio::task::spawn_blocking(move || deed(&folder))
                .await?
                .map_err(in_folder)
        })
        .await
    }

    /// Time limit of an operation.
    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    /// Returns when nothing is under way, or after the patience with it: whether nothing is.
    pub(super) async fn rest(&self) -> bool {
        let all = u32::try_from(AT_ONCE).unwrap_or(u32::MAX);
        let rest = tokio::time::timeout(self.patience, self.permits.acquire_many(all)).await;
        rest.is_ok()
    }

    /// Runs a question as a task of its own, which goes on when nobody waits for it any more. The folder is proven before,
    /// so that nothing is written beside a lost disk, and after, so that nothing is answered about another one.
    async fn run<T: Send + 'static>(
        &self,
        question: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, StoreFault> {
        let asked = async {
            let permit = Arc::clone(&self.permits)
                .acquire_owned()
                .await
                .map_err(|_closed| StoreFault::Failed)?;
            let folder = self.folder.clone();
            let task = tokio::spawn(async move {
                prove(folder.clone()).await?;
                let answer = question.await.map_err(|error| fault(&error));
                prove(folder).await?;
                drop(permit);
                answer
            });
            task.await.unwrap_or(Err(StoreFault::Failed))
        };
        tokio::time::timeout(self.patience, asked)
            .await
            .unwrap_or(Err(StoreFault::Hangs))
    }
}

async fn prove(folder: Option<Arc<Folder>>) -> Result<(), StoreFault> {
    let Some(folder) = folder else {
        return Ok(());
    };
    let proof = tokio::task::spawn_blocking(move || folder.prove());
    match proof.await {
        Ok(Ok(())) => Ok(()),
        _lost => Err(StoreFault::Failed),
    }
}

/// Outcome of a write.
pub(super) struct PutSaid {
    /// Whether it keeps the versions before this one.
    pub(super) versioned: bool,
}

fn found<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn in_folder(error: io::Error) -> Error {
    Error::Generic {
        store: "folder",
        source: Box::new(error),
    }
}

fn fault(error: &Error) -> StoreFault {
    let full_disk = io_cause(error, |kind| {
        matches!(
            kind,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
        )
    });
    if full_disk || is_full_bucket(error) {
        StoreFault::Full
    } else {
        StoreFault::Failed
    }
}

/// The codes by which S3-compatible servers say that they are full; only their text tells.
fn is_full_bucket(error: &Error) -> bool {
    let text = error.to_string();
    [
        "507 Insufficient Storage",
        "XMinioStorageFull",
        "QuotaExceeded",
    ]
    .iter()
    .any(|code| text.contains(code))
}

fn is_missing(error: &Error) -> bool {
    io_cause(error, |kind| kind == io::ErrorKind::NotFound)
}

fn io_cause(error: &Error, is: impl Fn(io::ErrorKind) -> bool) -> bool {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if inner
            .downcast_ref::<io::Error>()
            .is_some_and(|io| is(io.kind()))
        {
            return true;
        }
        cause = inner.source();
    }
    false
}

/// Greatest number of concurrent operations; each may occupy a thread.
const AT_ONCE: usize = 256;
