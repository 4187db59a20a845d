//! The stores that the same cases run on, and a look at the objects in them past the server.

use std::sync::Arc;
use std::time::Duration;

use cloakroom::server::store::BlobStore;
use cloakroom::server::store::location::StoreLocation;
use futures_util::TryStreamExt as _;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _, PutPayload};
use tempfile::TempDir;

/// A place to store in; what is in it goes with it, but in a bucket.
pub(crate) struct Place {
    pub(crate) location: StoreLocation,
    pub(crate) objects: Arc<dyn ObjectStore>,
    _folder: Option<TempDir>,
}

impl Place {
    pub(crate) fn memory() -> Self {
        let objects: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        Self {
            location: StoreLocation::Objects(Arc::clone(&objects)),
            objects,
            _folder: None,
        }
    }

    pub(crate) fn folder() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let objects = LocalFileSystem::new_with_prefix(folder.path()).unwrap();
        Self {
            location: StoreLocation::Folder(folder.path().to_owned()),
            objects: Arc::new(objects),
            _folder: Some(folder),
        }
    }

    /// A prefix of its own in the bucket that `packaging/server/test-s3.sh` gives.
    #[cfg(feature = "s3")]
    pub(crate) fn bucket() -> Self {
        use cloakroom::wire::random;
        use object_store::aws::AmazonS3Builder;
        use object_store::prefix::PrefixStore;
        use rand_core::Rng as _;

        // As the program does before it makes a client.
        drop(cloakroom::wire::tls::provider());
        let bucket = std::env::var("CLOAKROOM_TEST_BUCKET")
            .expect("a bucket to test with: run packaging/server/test-s3.sh");
        let prefix = format!("test/{:016x}", random::system().next_u64());
        let objects = AmazonS3Builder::from_env()
            .with_bucket_name(&bucket)
            .with_allow_http(true)
            .build()
            .unwrap();
        Self {
            location: format!("s3://{bucket}/{prefix}").parse().unwrap(),
            objects: Arc::new(PrefixStore::new(objects, prefix)),
            _folder: None,
        }
    }

    /// The store of a server that has counted it and finished what was interrupted.
    pub(crate) async fn open(&self, max_total_bytes: u64) -> BlobStore {
        let store = self.open_uncounted(max_total_bytes).await;
        store.sweep(None).await.unwrap();
        store
    }

    pub(crate) async fn open_uncounted(&self, max_total_bytes: u64) -> BlobStore {
        BlobStore::open(&self.location, max_total_bytes, Duration::from_secs(20))
            .await
            .unwrap()
    }

    pub(crate) async fn put(&self, name: &str, content: &[u8]) {
        let payload = PutPayload::from(content.to_vec());
        self.objects.put(&Path::from(name), payload).await.unwrap();
    }

    /// The names of all objects that are about files, sorted.
    pub(crate) async fn names(&self) -> Vec<String> {
        let all: Vec<_> = self.objects.list(None).try_collect().await.unwrap();
        let mut names: Vec<_> = all
            .into_iter()
            .map(|object| object.location.to_string())
            .filter(|name| !name.starts_with("clock/"))
            .filter(|name| !["blob/lock", "total"].contains(&name.as_str()))
            .collect();
        names.sort();
        names
    }

    pub(crate) async fn names_of(&self, kind: &str) -> Vec<String> {
        let mut names = self.names().await;
        names.retain(|name| name.starts_with(&format!("{kind}/")));
        names
    }

    pub(crate) async fn has(&self, prefix: &str) -> bool {
        let prefix = Path::from(prefix);
        let found: Vec<_> = self
            .objects
            .list(Some(&prefix))
            .try_collect()
            .await
            .unwrap();
        !found.is_empty()
    }
}
