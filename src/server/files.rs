//! What is asked of stored files and what the operator allows: ids, times, limits. How it travels is not known here.

use std::sync::Arc;

use bytes::Bytes;
use rand_core::Rng as _;

use super::{
    blob_store::{BlobStore, PutError, StoreFault, Swept},
    record::Record,
};
use crate::{
    protocol::{
        address::FileId,
        digest::Digest,
        file_api::{
            FileAnswer, FileInfo, FileRequest, Found, OWNER_FEATURE, ServerInfo, Upload, Uploaded,
        },
    },
    wire::{
        clock::Clock,
        random,
        reserve::{Reservation, Reservations},
    },
};

/// What uploads may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The largest blob, in bytes.
    pub max_blob: u64,
    /// How long a blob is kept when the upload does not say, in seconds.
    pub ttl_default: u64,
    /// The longest that an upload may ask for, in seconds.
    pub ttl_max: u64,
}

impl Default for Policy {
    fn default() -> Self {
        const DAY: u64 = 24 * 3600;
        Self {
            max_blob: 10_223_616,
            ttl_default: 14 * DAY,
            ttl_max: 30 * DAY,
        }
    }
}

/// The files of a server.
pub struct Files {
    store: Arc<BlobStore>,
    policy: Policy,
    clock: Clock,
    memory: Reservations,
}

/// An answer and the memory that stands for its blob.
pub struct Answered {
    /// The answer.
    pub answer: FileAnswer,
    /// To be held until the answer is sent.
    pub reservation: Option<Reservation>,
}

impl From<FileAnswer> for Answered {
    fn from(answer: FileAnswer) -> Self {
        Self {
            answer,
            reservation: None,
        }
    }
}

impl Files {
    /// The files in `store`.
    #[must_use]
    pub fn new(store: BlobStore, policy: Policy, clock: Clock, memory: Reservations) -> Self {
        Self {
            store: Arc::new(store),
            policy,
            clock,
            memory,
        }
    }

    /// Answers a request.
    pub async fn answer(&self, request: FileRequest) -> Answered {
        match request {
            FileRequest::Download(id) => self.download(&id).await,
            FileRequest::FileInfo(id) => self.info(&id).await.into(),
            FileRequest::ServerInfo => FileAnswer::ServerInfo(self.server_info()).into(),
            FileRequest::Delete { .. }
            | FileRequest::Extend { .. }
            | FileRequest::Receipt { .. }
            | FileRequest::RelayList
            | FileRequest::Status { .. } => FileAnswer::Refused(404).into(),
            FileRequest::Upload(upload) => self.upload(upload).await.into(),
        }
    }

    /// Removes what expired more than an hour ago.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub async fn sweep(&self) -> Result<Swept, StoreFault> {
        self.store.sweep((self.clock)()).await
    }

    /// Whether the store can be written and read.
    pub async fn works(&self) -> bool {
        self.store.works().await
    }

    /// The largest body that an upload may have.
    #[must_use]
    pub fn max_blob(&self) -> u64 {
        self.policy.max_blob
    }

    async fn upload(&self, upload: Upload) -> FileAnswer {
        let size = upload.blob.len() as u64;
        if size == 0 || size > self.policy.max_blob {
            return FileAnswer::Refused(413);
        }
        let ttl = upload.ttl_secs.unwrap_or(self.policy.ttl_default);
        if !(MIN_TTL..=self.policy.ttl_max).contains(&ttl) {
            return FileAnswer::Refused(400);
        }
        let now = (self.clock)();
        let (Ok(expires), Ok(uploaded)) = (
            u32::try_from(now.saturating_add(ttl).div_ceil(HOUR)),
            u32::try_from(now / HOUR),
        ) else {
            return FileAnswer::Refused(500);
        };
        let store = Arc::clone(&self.store);
        // A task of its own: when the client hangs up, what is begun is finished and counted.
        let stored = tokio::spawn(async move {
            let hashing =
                tokio::task::spawn_blocking(move || (Digest::of(&upload.blob), upload.blob));
            let (digest, blob) = hashing.await.map_err(|_panicked| PutError::Store)?;
            let id = match &upload.owner {
                Some(owner) => FileId::for_blob(expires, owner, &digest),
                None => {
                    let mut drawn = [0; 13];
                    random::system().fill_bytes(&mut drawn);
                    FileId::random(expires, drawn)
                }
            };
            let record = Record::new(expires, uploaded, upload.owner.as_ref());
            store.put(&id, expires, &record, Bytes::from(blob)).await?;
            Ok((id, digest))
        });
        match stored.await {
            Ok(Ok((id, digest))) => FileAnswer::Uploaded(Uploaded {
                id: id.as_str().to_owned(),
                expires: seconds(expires),
                size: Some(size),
                digest: Some(digest.to_hex()),
            }),
            Ok(Err(PutError::Full)) => FileAnswer::Refused(507),
            Ok(Err(PutError::Store)) | Err(_) => FileAnswer::Refused(500),
        }
    }

    async fn download(&self, id: &FileId) -> Answered {
        let Some(hour) = self.live_hour(id) else {
            return FileAnswer::Refused(404).into();
        };
        let found = match self.store.find(id, hour).await {
            Ok(Some(found)) => found,
            Ok(None) => return FileAnswer::Refused(404).into(),
            Err(StoreFault) => return FileAnswer::Refused(500).into(),
        };
        // The blob as read, and once more as the sealed answer.
        let Ok(reservation) = self.memory.reserve(found.blob_len().saturating_mul(2)) else {
            return FileAnswer::Refused(503).into();
        };
        match found.read().await {
            Ok((_record, blob)) => Answered {
                answer: FileAnswer::Found(Found {
                    blob,
                    expires: u64::from(hour) * HOUR,
                }),
                reservation: Some(reservation),
            },
            Err(StoreFault) => FileAnswer::Refused(500).into(),
        }
    }

    async fn info(&self, id: &FileId) -> FileAnswer {
        let Some(hour) = self.live_hour(id) else {
            return FileAnswer::Refused(404);
        };
        let found = match self.store.find(id, hour).await {
            Ok(Some(found)) => found,
            Ok(None) => return FileAnswer::Refused(404),
            Err(StoreFault) => return FileAnswer::Refused(500),
        };
        let size = found.blob_len();
        match found.record().await {
            Ok(record) => FileAnswer::FileInfo(FileInfo {
                size,
                uploaded: seconds(record.upload_hour),
                expires: seconds(hour),
            }),
            Err(StoreFault) => FileAnswer::Refused(500),
        }
    }

    fn server_info(&self) -> ServerInfo {
        ServerInfo {
            name: "cloakroom".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            max_blob: self.policy.max_blob,
            ttl_default: self.policy.ttl_default,
            ttl_max: self.policy.ttl_max,
            features: vec![OWNER_FEATURE.to_owned()],
            access: false,
            work_bits: None,
        }
    }

    /// The expiry hour in an id of ours, unless it has come: expired files look like unknown ones.
    fn live_hour(&self, id: &FileId) -> Option<u32> {
        id.hour()
            .filter(|&hour| (self.clock)() < u64::from(hour) * HOUR)
    }
}

fn seconds(hour: u32) -> f64 {
    f64::from(hour) * 3600.0
}

const HOUR: u64 = 3600;
const MIN_TTL: u64 = HOUR;
