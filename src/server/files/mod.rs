//! What clients ask of stored files, what the operator allows (ids, times, limits), and what the server says of itself
//! (`GET /info`). How requests travel is not known here.

mod manage;
pub mod record;
mod upload;

use std::{sync::Arc, time::Duration};

use tokio::{sync::Mutex, time::Instant};

use super::clock_rule::ClockRule;
use super::relay_lists::RelayLists;
use crate::server::operate::stats::{Counter, Stats};
use crate::server::store::{BlobStore, FileRecord, FileSlot, LiveBlob, StoreFault, Swept};
use crate::{
    protocol::{
        address::FileId,
        capability::{
            AccessWord,
            expiry::{hour_begins, hour_of},
            work::{WorkAsked, WorkBase},
        },
        file_api::{
            self, EXPIRY_HOUR_FEATURE, FileAnswer, FileInfo, FileRequest, OWNER_FEATURE,
            RECEIPTS_FEATURE, RELAYS_FEATURE, ServerInfo, WORK_FEATURE,
        },
        keys::Ed25519Public,
        onion::v4::Headers,
    },
    wire::reserve::Reservation,
};

/// Limits for uploads.
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
    pub(crate) store: Arc<BlobStore>,
    pub(crate) policy: Policy,
    pub(crate) access_word: Option<AccessWord>,
    pub(crate) work: Option<WorkBase>,
    pub(crate) relay_lists: RelayLists,
    pub(crate) clock: ClockRule,
    pub(crate) stats: Arc<Stats>,
    /// The time of the last try of the store, and whether it worked.
    pub(crate) probed: Mutex<Option<(Instant, bool)>>,
}

/// A request that came in.
pub struct IncomingRequest {
    /// What is asked.
    pub request: FileRequest,
    /// The key of ours that it was addressed to.
    pub key: Ed25519Public,
    /// The memory that stands for its body.
    pub reservation: Option<Reservation>,
}

/// Answer to a request.
pub enum Answered {
    /// A blob, not read yet.
    Blob(Download),
    /// Anything else.
    Said(FileAnswer),
}

/// A blob on its way out.
pub struct Download {
    /// Its bytes.
    pub found: LiveBlob,
    /// Until when it is kept, in unix seconds.
    pub expires: u64,
}

impl Download {
    /// The headers of the answer.
    #[must_use]
    pub(crate) fn headers(&self) -> Headers {
        let empty = FileAnswer::Found(file_api::BlobAnswer {
            blob: Vec::new(),
            expires: self.expires,
        });
        empty.into_response().0.headers
    }
}

impl Files {
    /// Answers a request.
    pub(crate) async fn answer(&self, asked: IncomingRequest) -> Answered {
        let answered = match asked.request {
            FileRequest::Download(id) => match self.download(&id).await {
                Ok(download) => return Answered::Blob(download),
                Err(refusal) => Err(refusal),
            },
            FileRequest::Delete { id, token } => self.delete(&id, &token).await,
            FileRequest::Extend { id, expiry, token } => {
                self.extend(&id, expiry, token.as_ref()).await
            }
            FileRequest::FileInfo(id) => self.info(&id).await,
            FileRequest::Receipt { id, receipt } => self.receipt(&id, &receipt).await,
            FileRequest::RelayList => self.relay_list().await,
            FileRequest::ServerInfo => Ok(FileAnswer::ServerInfo(self.server_info().await)),
            FileRequest::Status { id, token } => self.status(&id, &token).await,
            FileRequest::Upload(upload) => self.upload(upload, &asked.key, asked.reservation).await,
        };
        Answered::Said(answered.unwrap_or_else(|Refusal(code)| {
            match code {
                500 => self.stats.add(Counter::StoreFaults, 1),
                401 | 428 | 503 | 507 => self.stats.add(Counter::Refusals, 1),
                _ => {}
            }
            FileAnswer::Refused(code)
        }))
    }

    /// Removes what expired more than an hour ago, unless the clock may be wrong; notes the hour.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub(crate) async fn sweep(&self) -> Result<Swept, StoreFault> {
        self.clock.keep(&self.store).await?;
        let swept = self.store.sweep(self.clock.now().to_sweep_by()).await?;
        self.stats.add(Counter::Swept, swept.blobs);
        Ok(swept)
    }

    /// Whether the store can be written and read. It is tried at most once a second: whoever asks meanwhile is told the
    /// same.
    pub(crate) async fn works(&self) -> bool {
        let mut last = self.probed.lock().await;
        match *last {
            Some((at, works)) if at.elapsed() < PROBE_EVERY => works,
            _ => {
                let works = self.store.probe().await.is_ok_and(|probed| probed.works());
                *last = Some((Instant::now(), works));
                works
            }
        }
    }

    /// The largest body that an upload may have.
    #[must_use]
    pub(crate) fn max_blob(&self) -> u64 {
        self.policy.max_blob
    }

    async fn download(&self, id: &FileId) -> Result<Download, Refusal> {
        let file = FileSlot::of(id).ok_or(UNKNOWN)?;
        let (mut stored, found) = self.store.find(&file).await?.ok_or(UNKNOWN)?;
        self.expect_live(&file, &mut stored).await?;
        Ok(Download {
            found,
            expires: hour_begins(stored.expiry_hour),
        })
    }

    async fn info(&self, id: &FileId) -> Result<FileAnswer, Refusal> {
        let file = FileSlot::of(id).ok_or(UNKNOWN)?;
        let stored = self.live(&file).await?;
        Ok(FileAnswer::FileInfo(describe(&stored)))
    }

    async fn relay_list(&self) -> Result<FileAnswer, Refusal> {
        let list = self.relay_lists.current(self.clock.now().secs).await;
        list.map(FileAnswer::RelayList).ok_or(UNKNOWN)
    }

    async fn server_info(&self) -> ServerInfo {
        let mut features = [
            EXPIRY_HOUR_FEATURE,
            OWNER_FEATURE,
            RECEIPTS_FEATURE,
            WORK_FEATURE,
        ]
        .map(str::to_owned)
        .to_vec();
        if self.relay_list().await.is_ok() {
            features.push(RELAYS_FEATURE.to_owned());
        }
        ServerInfo {
            name: "cloakroom".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            max_blob: self.policy.max_blob,
            ttl_default: self.policy.ttl_default,
            ttl_max: self.policy.ttl_max,
            features,
            access: self.access_word.is_some(),
            work: self.work.map_or(WorkAsked::None, WorkAsked::Base),
            hour: Some(hour_of(self.clock.now().clock_secs)),
            free: self.store.free_bytes().map(|free| free >> 30 << 30),
        }
    }

    /// A file that is there, not expired and not used up; everything else is refused as unknown.
    pub(crate) async fn live(&self, file: &FileSlot) -> Result<FileRecord, Refusal> {
        let mut stored = self.store.look(file).await?.ok_or(UNKNOWN)?;
        self.expect_live(file, &mut stored).await?;
        Ok(stored)
    }

    async fn expect_live(&self, file: &FileSlot, stored: &mut FileRecord) -> Result<(), Refusal> {
        if stored.gone || self.is_expired(file, stored).await? {
            return Err(UNKNOWN);
        }
        if stored.record.downloads > 0
            && stored
                .record
                .is_used_up(self.store.nonces(file).await?.len())
        {
            // A server that was stopped between its last receipt and the removal left the rest to whoever asks next.
            self.store.remove(file, stored).await?;
            return Err(UNKNOWN);
        }
        Ok(())
    }

    /// Whether a file has expired. One that seems so is looked at again.
    pub(crate) async fn is_expired(
        &self,
        file: &FileSlot,
        stored: &mut FileRecord,
    ) -> Result<bool, StoreFault> {
        let now = self.clock.now().secs;
        if now < hour_begins(stored.expiry_hour) {
            return Ok(false);
        }
        stored.expiry_hour = self.store.expiry_again(file, stored.expiry_hour).await?;
        Ok(now >= hour_begins(stored.expiry_hour))
    }
}

/// The status of an answer that is no success.
pub(crate) struct Refusal(pub(crate) u16);

/// The one answer for what is unknown, expired, deleted or used up, and for who may not know the difference.
pub(crate) const UNKNOWN: Refusal = Refusal(404);

impl From<StoreFault> for Refusal {
    fn from(fault: StoreFault) -> Self {
        Self(match fault {
            StoreFault::Failed => 500,
            StoreFault::Full => 507,
            StoreFault::Hangs => 503,
        })
    }
}

pub(crate) fn describe(stored: &FileRecord) -> FileInfo {
    FileInfo {
        size: stored.size,
        uploaded: f64::from(stored.record.upload_hour) * 3600.0,
        expires: f64::from(stored.expiry_hour) * 3600.0,
    }
}

const PROBE_EVERY: Duration = Duration::from_secs(1);
