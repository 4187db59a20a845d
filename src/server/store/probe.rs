//! Tests whether a store works, by an object of its own.

use object_store::PutPayload;
use rand_core::Rng as _;

use super::{BlobStore, ObjectKind, StoreFault};
use crate::wire::random;

/// Result of testing a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probed {
    /// A written object could be read at once.
    pub read_after_write: bool,
    /// A written object was listed at once.
    pub list_after_write: bool,
    /// A deleted object was gone at once.
    pub gone_after_delete: bool,
    /// The store keeps old versions, so that deleted files stay in it.
    pub keeps_versions: bool,
}

impl Probed {
    /// Whether a server can work on it.
    #[must_use]
    pub const fn works(self) -> bool {
        self.read_after_write && self.list_after_write && self.gone_after_delete
    }
}

impl BlobStore {
    /// Writes, reads, lists and deletes an object of its own.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub async fn probe(&self) -> Result<Probed, StoreFault> {
        let number = random::system().next_u64();
        let name = ObjectKind::Probe.all().join(number.to_string());
        let content = number.to_le_bytes();
        let said = self
            .objects
            .put(name.clone(), PutPayload::from(content.to_vec()), None)
            .await?;
        let read = self.objects.start(name.clone(), 8).await?;
        let listed = self.objects.list(ObjectKind::Probe.all()).await?;
        self.objects.delete(name.clone(), None).await?;
        Ok(Probed {
            read_after_write: read.is_some_and(|(_len, bytes)| bytes == content.as_slice()),
            list_after_write: listed.iter().any(|object| object.location == name),
            gone_after_delete: !self.objects.exists(name).await?,
            keeps_versions: said.versioned,
        })
    }
}
