//! A share in parts: each is read, sealed, written down, sent and confirmed; the list goes last.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::task::block_in_place;

use super::super::call::{Call, TryPace};
use super::super::share::SentShare;
use super::super::stage::ProgressSink;
use super::super::upload::{BlobUpload, OwnerRecord, UploadTerms};
use super::progress::PartsProgress;
use super::{run_all, until_reached};
use crate::app::error::{AppError, LocalFileError, ServerRefusal};
use crate::app::kept::owned::{OwnShare, OwnShares};
use crate::app::kept::unfinished::ShareLog;
use crate::app::parcel::Parcel;
use crate::net::SpareBuffers;
use crate::protocol::address::FileId;
use crate::protocol::capability::expiry::{expiry_hour, hour_begins, hour_of};
use crate::protocol::capability::{OwnerToken, receipt_key};
use crate::protocol::file_api::{
    self, AnswerError, EXPIRY_HOUR_FEATURE, Expiry, FileRequest, ReceiptTerms, ServerInfo, StoredAt,
};
use crate::protocol::parts::{
    PartIndex, PartQueue, PartStart, PartsDirection, PartsOwner, PartsSecret, SealedPart, Store,
    seal_part_in,
};
use crate::protocol::path::Hops;
use crate::protocol::pointer::{Pointer, PointerKey, short_name};
use crate::protocol::resume::{PartAt, SealedAt, SenderRecord, SenderState};
use crate::protocol::seal::{ContentKind, FileKey, Sealed};
use crate::wire::random;

/// One share on its way.
struct Sending {
    parcel: Parcel,
    log: Mutex<ShareLog>,
    info: Option<ServerInfo>,
    /// The hour with which parts of this run expire, at a server that goes by hours.
    hour: u32,
}

/// What is known of a part from before.
enum Earlier {
    /// It was never sealed.
    Nothing,
    /// It may be at the server under this id.
    Perhaps(FileId),
    /// The server confirmed it under this id, and forgets it much sooner than the rest.
    Stored(FileId),
}

/// Sends what `log` says is still to be sent of `parcel`, to a server that said `info` of itself; the state is forgotten
/// when all is confirmed.
///
/// # Errors
/// [`AppError`]. The state stays, so that the share can go on or be discarded.
pub(in crate::app::transfer) async fn send(
    call: &Call,
    info: Option<ServerInfo>,
    parcel: Parcel,
    log: ShareLog,
) -> Result<SentShare, AppError> {
    call.progress().kept(log.id());
    let state = log.state();
    let (plan, keep_secs) = (state.begin().plan, state.begin().wishes.keep_secs);
    let hour = expiry_hour(call.program().now(), keep_secs);
    let missing: Vec<_> = plan
        .indices()
        .filter(|index| !is_settled(state, *index, hour, keep_secs))
        .collect();
    let missing_len: usize = missing.iter().map(|index| plan.content_len(*index)).sum();
    let done = plan.whole_len().saturating_sub(missing_len as u64);
    let progress = PartsProgress::new(call.progress(), plan, done, plan.whole_len());
    let sending = Arc::new(Sending {
        parcel,
        log: Mutex::new(log),
        info,
        hour,
    });
    let queue = PartQueue::new(PartsDirection::Upload(Store::Server), missing);
    let last_path = run_all(queue, call, |start, call| {
        let (sending, progress) = (Arc::clone(&sending), progress.clone());
        async move {
            let sent = sending.send_part(start, &call, &progress).await;
            match &sent {
                Ok(_) => progress.done(start.index),
                Err(_) => progress.lost(start.index),
            }
            Ok(sent?)
        }
    })
    .await?;
    let sent = until_reached(call, || sending.send_list(call, last_path)).await?;
    sending.delete_superseded(call).await;
    if let Some(sending) = Arc::into_inner(sending) {
        // Left behind it would be asked about once more: no harm.
        block_in_place(|| sending.log.into_inner().remove()).ok();
    }
    Ok(sent)
}

/// Whether a part is confirmed, and kept for about as long as those of this run: a day's difference of a month does not
/// matter.
fn is_settled(state: &SenderState, index: PartIndex, hour: u32, keep_secs: u64) -> bool {
    let part = PartAt {
        index,
        store: Store::Server,
    };
    let tolerated = u32::try_from(keep_secs / 3_600 / 24).unwrap_or(u32::MAX);
    let kept_until = state.kept_until(part);
    kept_until.is_some_and(|kept| kept.saturating_add(tolerated.max(1)) >= hour)
}

impl Sending {
    fn part_at(index: PartIndex) -> PartAt {
        PartAt {
            index,
            store: Store::Server,
        }
    }

    fn record(&self, record: SenderRecord) -> Result<(), AppError> {
        Ok(block_in_place(|| self.log.lock().record(record))?)
    }

    fn token(&self, index: PartIndex) -> OwnerToken {
        let log = self.log.lock();
        log.state().begin().owner.part_token(Store::Server, index)
    }

    fn earlier(&self, index: PartIndex) -> Earlier {
        let log = self.log.lock();
        let part = Self::part_at(index);
        match log.state().id(part) {
            None => Earlier::Nothing,
            Some(id) if log.state().is_confirmed(part) => Earlier::Stored(id),
            Some(id) => Earlier::Perhaps(id),
        }
    }

    async fn send_part(
        &self,
        start: PartStart,
        call: &Call,
        progress: &PartsProgress,
    ) -> Result<TryPace, AppError> {
        let index = start.index;
        let kept = match self.earlier(index) {
            Earlier::Nothing => false,
            Earlier::Perhaps(id) => self.ask_for(call, index, &id).await?,
            Earlier::Stored(id) => self.extend(call, index, &id).await?,
        };
        if kept {
            return Ok(TryPace::default());
        }
        let buffers = call.buffers();
        let SealedPart { blob, digest } = block_in_place(|| self.seal(index, buffers))?;
        let moving = ProgressSink::new(progress.of_part(index)).with_paths_of(call.progress());
        let call = call.clone().with_progress(moving);
        let terms = UploadTerms {
            ttl_secs: Some(self.keep_secs()),
            receipts: None,
            unlike: start.unlike,
        };
        let record = PartRecord {
            sending: self,
            index,
        };
        let upload = BlobUpload::new(&call, &record, blob, digest, terms);
        let confirmed = upload.send(self.info.clone()).await?;
        Ok(confirmed.pace.unwrap_or_default())
    }

    fn keep_secs(&self) -> u64 {
        self.log.lock().state().begin().wishes.keep_secs
    }

    /// Reads and seals a part. Blocking.
    fn seal(&self, index: PartIndex, buffers: &SpareBuffers) -> Result<SealedPart, LocalFileError> {
        let (plan, secret) = {
            let log = self.log.lock();
            let begin = log.state().begin();
            let secret = PartsSecret::from_bytes(*begin.secret.as_bytes());
            (begin.plan, secret)
        };
        let buffer = buffers.take(plan.class().blob_len());
        let read = |place: &mut [u8]| self.parcel.read_into(plan.range(index).start, place);
        seal_part_in(buffer, &secret, &plan, index, read, &mut random::system())
    }

    /// Whether the server has a part of which no confirmation came.
    async fn ask_for(&self, call: &Call, index: PartIndex, id: &FileId) -> Result<bool, AppError> {
        let answer = call.run(&FileRequest::FileInfo(id.clone()), 0).await?;
        let plan = self.log.lock().state().begin().plan;
        let blob_len = plan.class().blob_len() as u64;
        match file_api::read_file_info(&answer) {
            Ok(info) if info.size == blob_len => {
                let part = Self::part_at(index);
                self.record(SenderRecord::Confirmed { part, id: None })?;
                Ok(true)
            }
            // Something else, or nothing that it tells of.
            Ok(_) | Err(AnswerError::Status(400 | 404 | 405)) => Ok(false),
            Err(error) => Err(ServerRefusal::of_download(error).into()),
        }
    }

    /// Has the server keep a part of an earlier run as long as those of this one. Whether it still has it.
    async fn extend(&self, call: &Call, index: PartIndex, id: &FileId) -> Result<bool, AppError> {
        let by_hour = self
            .info
            .as_ref()
            .is_some_and(|info| info.has(EXPIRY_HOUR_FEATURE));
        let expiry = if by_hour {
            Expiry::AtHour(self.hour)
        } else {
            Expiry::InSecs(self.keep_secs())
        };
        let request = FileRequest::Extend {
            id: id.clone(),
            expiry: Some(expiry),
            token: Some(self.token(index)),
        };
        match file_api::read_file_info(&call.run(&request, 0).await?) {
            Ok(info) => {
                self.record(SenderRecord::Extended {
                    part: Self::part_at(index),
                    hour: hour_of(info.expires_secs()),
                })?;
                Ok(true)
            }
            Err(AnswerError::Status(404)) => Ok(false),
            // It keeps nothing for longer: then the whole is gone with its first part, as the pointer says.
            Err(AnswerError::Status(400 | 401 | 403 | 405)) => Ok(true),
            Err(error) => Err(ServerRefusal::of_download(error).into()),
        }
    }

    /// Seals the list and sends it. Each time anew: the sealed list is not kept.
    async fn send_list(&self, call: &Call, unlike: Option<Hops>) -> Result<SentShare, AppError> {
        let Sealed { blob, key, digest } = block_in_place(|| self.seal_list())?;
        let (ttl_secs, allowed) = {
            let log = self.log.lock();
            let wishes = &log.state().begin().wishes;
            (wishes.keep_secs, wishes.receipts)
        };
        let terms = UploadTerms {
            ttl_secs: Some(ttl_secs),
            receipts: allowed.map(|allowed| ReceiptTerms {
                key: receipt_key(&key).public(),
                max_downloads: u32::try_from(allowed).ok().filter(|allowed| *allowed > 0),
            }),
            unlike,
        };
        let record = ListRecord {
            sending: self,
            call,
            key: &key,
            receipts: allowed.is_some(),
        };
        // Small beside the parts: what moves of it is not told.
        let silent = call.silent();
        let upload = BlobUpload::new(&silent, &record, blob, digest, terms);
        let confirmed = upload.send(self.info.clone()).await?;
        let log = self.log.lock();
        let begin = log.state().begin();
        let wishes = &begin.wishes;
        let name = wishes.name.as_deref().filter(|_| wishes.name_in_pointer);
        // Of a server that does not say when it forgets, nothing is claimed.
        let expires = confirmed.at.expires.map(|list| {
            let parts = log.state().earliest_hour().map(hour_begins);
            parts.map_or(list, |parts| parts.min(list))
        });
        let pointer = Pointer {
            server: begin.server.clone(),
            id: confirmed.at.id.clone(),
            key: PointerKey::Whole(key),
            digest,
            content_len: begin.plan.whole_len(),
            name: name.map(short_name),
            kind: ContentKind::PartList,
            expires,
            receipts: wishes.receipts,
            relay_list: wishes.relay_list.clone(),
        };
        let (class, parts) = (begin.plan.class(), begin.plan.parts());
        drop(log);
        Ok(SentShare {
            pointer,
            class,
            parts,
            confirmed,
        })
    }

    fn seal_list(&self) -> Result<Sealed, AppError> {
        let log = self.log.lock();
        // A server that gives one id to two blobs would make a whole that nobody can fetch.
        let list = log
            .state()
            .part_list()
            .map_err(|_twice| ServerRefusal::Nonsense)?;
        let wishes = &log.state().begin().wishes;
        let sealed = list.seal(
            wishes.name.as_deref(),
            wishes.modified,
            &mut random::system(),
        );
        // Whoever made the plan has looked that its list fits.
        sealed.map_err(|_too_long| ServerRefusal::Nonsense.into())
    }

    /// Deletes blobs that others took the place of. What cannot be deleted expires.
    async fn delete_superseded(&self, call: &Call) {
        let blobs = {
            let log = self.log.lock();
            let owner = &log.state().begin().owner;
            super::discard::superseded(log.state(), owner)
        };
        super::discard::delete_all(&call.silent(), blobs).await;
    }
}

/// Writes down what finds one part again.
struct PartRecord<'a> {
    sending: &'a Sending,
    index: PartIndex,
}

impl OwnerRecord for PartRecord<'_> {
    fn token(&self) -> OwnerToken {
        self.sending.token(self.index)
    }

    fn before_sending(&self, sealed: SealedAt, _: Option<&FileId>) -> Result<(), AppError> {
        let index = self.index;
        self.sending.record(SenderRecord::Sealed { index, sealed })
    }

    fn confirmed(
        &self,
        sealed: SealedAt,
        tried: Option<&FileId>,
        at: &StoredAt,
    ) -> Result<bool, AppError> {
        let part = Sending::part_at(self.index);
        let id = (tried != Some(&at.id)).then(|| at.id.clone());
        self.sending.record(SenderRecord::Confirmed { part, id })?;
        let until = at.expires.map(hour_of);
        if let Some(hour) = until.filter(|hour| *hour != sealed.hour) {
            self.sending.record(SenderRecord::Extended { part, hour })?;
        }
        Ok(true)
    }

    fn given_up(&self, _: &FileId) {}
}

/// Writes down what finds the list again: in the state, and among this person's shares.
struct ListRecord<'a> {
    sending: &'a Sending,
    call: &'a Call,
    key: &'a FileKey,
    receipts: bool,
}

impl ListRecord<'_> {
    fn own_share(&self, expires: u64) -> OwnShare {
        let log = self.sending.log.lock();
        let owner = &log.state().begin().owner;
        OwnShare {
            token: owner.list_token(Store::Server),
            parts: Some(PartsOwner::from_bytes(*owner.as_bytes())),
            expires,
            receipts: self.receipts,
        }
    }

    fn shares(&self) -> OwnShares {
        OwnShares::of(self.call.program().home())
    }
}

impl OwnerRecord for ListRecord<'_> {
    fn token(&self) -> OwnerToken {
        let log = self.sending.log.lock();
        log.state().begin().owner.list_token(Store::Server)
    }

    fn before_sending(&self, sealed: SealedAt, id: Option<&FileId>) -> Result<(), AppError> {
        let key = FileKey::from_bytes(*self.key.as_bytes());
        self.sending
            .record(SenderRecord::ListSealed { sealed, key })?;
        if let Some(id) = id {
            let server = &self.call.routed().server().key;
            let share = self.own_share(hour_begins(sealed.hour));
            block_in_place(|| self.shares().keep(server, id, &share))?;
        }
        Ok(())
    }

    fn confirmed(
        &self,
        sealed: SealedAt,
        tried: Option<&FileId>,
        at: &StoredAt,
    ) -> Result<bool, AppError> {
        let Some(tried) = tried else {
            return Ok(false);
        };
        let server = &self.call.routed().server().key;
        let share = self.own_share(at.expires.unwrap_or_else(|| hour_begins(sealed.hour)));
        let settled = block_in_place(|| self.shares().settle(server, tried, &at.id, &share));
        Ok(settled.is_ok() || *tried == at.id)
    }

    fn given_up(&self, tried: &FileId) {
        let server = &self.call.routed().server().key;
        block_in_place(|| self.shares().forget(server, tried)).ok();
    }
}
