//! What the servers of a bucket tell each other about the relays of their network: `network/{name}`, sealed objects that are
//! written once, and removed by whoever has written an object that says as much.

use bytes::Bytes;
use object_store::PutPayload;

use super::{BlobStore, ObjectKind, StoreFault};

impl BlobStore {
    /// The names of all registers.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub(crate) async fn register_names(&self) -> Result<Vec<String>, StoreFault> {
        let found = self.objects.list(ObjectKind::Network.all()).await?;
        let names = found.iter().filter_map(|object| object.location.filename());
        Ok(names.map(str::to_owned).collect())
    }

    /// The register with this name; `None` when it was removed, or is longer than any register.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub(crate) async fn register(&self, name: &str) -> Result<Option<Bytes>, StoreFault> {
        let path = ObjectKind::Network.all().join(name);
        let found = self.objects.start(path, MAX_REGISTER_LEN).await?;
        Ok(found
            .filter(|(len, _)| *len <= MAX_REGISTER_LEN)
            .map(|(_, bytes)| bytes))
    }

    /// Writes a register; writing the same again changes nothing.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub(crate) async fn put_register(&self, name: &str, bytes: Vec<u8>) -> Result<(), StoreFault> {
        let path = ObjectKind::Network.all().join(name);
        self.objects
            .put(path, PutPayload::from(bytes), None)
            .await?;
        Ok(())
    }

    /// Removes a register; one that is not there is as good as removed.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub(crate) async fn remove_register(&self, name: &str) -> Result<(), StoreFault> {
        let path = ObjectKind::Network.all().join(name);
        self.objects.delete(path, None).await
    }
}

/// The longest register, in bytes: ten times what 400 relays and nine lists take.
const MAX_REGISTER_LEN: u64 = 8 << 20;
