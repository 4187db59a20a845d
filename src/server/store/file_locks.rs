//! A lock for each stored file.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use super::names::FileSlot;

/// One task at a time for each file, so that two uploads of one id are counted once and no removal runs into an upload.
#[derive(Debug, Default)]
pub(super) struct FileLocks {
    held: Arc<Mutex<HashMap<FileSlot, Arc<AsyncMutex<()>>>>>,
}

impl FileLocks {
    pub(super) async fn lock(&self, file: &FileSlot) -> FileLock {
        let own = {
            let mut held = self.held.lock();
            Arc::clone(held.entry(file.clone()).or_default())
        };
        FileLock {
            guard: Some(own.lock_owned().await),
            file: file.clone(),
            held: Arc::clone(&self.held),
        }
    }
}

/// The lock of one file, released on drop.
pub(super) struct FileLock {
    guard: Option<OwnedMutexGuard<()>>,
    file: FileSlot,
    held: Arc<Mutex<HashMap<FileSlot, Arc<AsyncMutex<()>>>>>,
}

impl Drop for FileLock {
    fn drop(&mut self) {
        let mut held = self.held.lock();
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
        assert!(locks.held.lock().is_empty());
    }
}
