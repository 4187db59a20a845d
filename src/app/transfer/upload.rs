//! Stores one sealed blob at a server as the server wants it: its limits, access word and work; an owner whose token is
//! kept before anything is sent; a look for the file when every answer was lost.

use tokio::task::block_in_place;

use super::call::{Call, TryPace};
use super::program::Program;
use super::work;
use crate::app::error::{AppError, ServerRefusal};
use crate::app::kept::owned::{OwnRecordError, OwnShare, OwnShares};
use crate::protocol::address::FileId;
use crate::protocol::capability::expiry::{HOUR_SECS, expiry_hour, hour_begins, hour_of};
use crate::protocol::capability::work::WorkAsked;
use crate::protocol::capability::{OwnedId, OwnerToken};
use crate::protocol::digest::Digest;
use crate::protocol::exchange::Failure;
use crate::protocol::file_api::{
    self, AnswerError, EXPIRY_HOUR_FEATURE, Expiry, FileRequest, OWNER_FEATURE, RECEIPTS_FEATURE,
    ReceiptTerms, ServerInfo, StoredAt, Upload, WORK_FEATURE,
};
use crate::protocol::keys::Ed25519Public;
use crate::protocol::path::Hops;
use crate::protocol::resume::SealedAt;
use crate::protocol::seal::SealedBlob;
use crate::wire::random;

/// Terms of an upload: how long it is kept, receipts, and which path it avoids.
#[derive(Clone, Copy, Default)]
pub(super) struct UploadTerms {
    /// How long the server should keep the blob, in seconds; its usual time when absent.
    pub(super) ttl_secs: Option<u64>,
    /// The terms of download receipts, when recipients are asked for them.
    pub(super) receipts: Option<ReceiptTerms>,
    /// It leaves over another last relay than that of this path, where there is one.
    pub(super) unlike: Option<Hops>,
}

/// Where it is kept what a blob is owned by. It is asked before anything is sent, since the answer can be lost.
pub(super) trait OwnerRecord: Send + Sync {
    /// The token of the blob's owner, for a server that knows owners: the same each time.
    fn token(&self) -> OwnerToken;

    /// Keeps what finds the blob again, of which `id` follows where it is known before. Called again when it is to expire
    /// at another hour.
    fn before_sending(&self, blob: SealedAt, id: Option<&FileId>) -> Result<(), AppError>;

    /// Takes the server's confirmation of the blob that was sent last. Returns whether what owns it is kept.
    fn confirmed(
        &self,
        blob: SealedAt,
        tried: Option<&FileId>,
        at: &StoredAt,
    ) -> Result<bool, AppError>;

    /// The server has not got it, and it is not sent again.
    fn given_up(&self, tried: &FileId);
}

/// The record of a blob that nobody is going to ask for.
pub(super) struct NoRecord(OwnerToken);

impl NoRecord {
    pub(super) fn new() -> Self {
        Self(OwnerToken::generate(&mut random::system()))
    }
}

impl OwnerRecord for NoRecord {
    fn token(&self) -> OwnerToken {
        OwnerToken::from_bytes(*self.0.as_bytes())
    }

    fn before_sending(&self, _: SealedAt, _: Option<&FileId>) -> Result<(), AppError> {
        Ok(())
    }

    fn confirmed(&self, _: SealedAt, _: Option<&FileId>, _: &StoredAt) -> Result<bool, AppError> {
        Ok(false)
    }

    fn given_up(&self, _: &FileId) {}
}

/// The record of this person's shares, as it keeps one file in one blob.
pub(super) struct OnRecord {
    program: Program,
    server: Ed25519Public,
    token: OwnerToken,
    receipts: bool,
}

impl OnRecord {
    /// For a file at the server of `call`. `receipts` says whether recipients are asked for download receipts.
    pub(super) fn new(call: &Call, receipts: bool) -> Self {
        Self {
            program: call.program().clone(),
            server: call.routed().server().key,
            token: OwnerToken::generate(&mut random::system()),
            receipts,
        }
    }

    fn share(&self, expires: u64) -> OwnShare {
        OwnShare {
            token: self.token(),
            parts: None,
            expires,
            receipts: self.receipts,
        }
    }

    fn change(
        &self,
        change: impl FnOnce(&OwnShares, &Ed25519Public) -> Result<(), OwnRecordError>,
    ) -> Result<(), AppError> {
        let record = OwnShares::of(self.program.home());
        Ok(block_in_place(|| change(&record, &self.server))?)
    }
}

impl OwnerRecord for OnRecord {
    fn token(&self) -> OwnerToken {
        OwnerToken::from_bytes(*self.token.as_bytes())
    }

    fn before_sending(&self, blob: SealedAt, id: Option<&FileId>) -> Result<(), AppError> {
        // Without an id that is known before, the server knows no owners.
        let Some(id) = id else { return Ok(()) };
        let share = self.share(hour_begins(blob.hour));
        self.change(|record, server| record.keep(server, id, &share))
    }

    fn confirmed(
        &self,
        blob: SealedAt,
        tried: Option<&FileId>,
        at: &StoredAt,
    ) -> Result<bool, AppError> {
        let Some(tried) = tried else {
            return Ok(false);
        };
        let share = self.share(at.expires.unwrap_or_else(|| hour_begins(blob.hour)));
        let settled = self.change(|record, server| record.settle(server, tried, &at.id, &share));
        // What was kept before it was sent serves as well.
        Ok(settled.is_ok() || *tried == at.id)
    }

    fn given_up(&self, tried: &FileId) {
        // An entry without a pointer is of no use.
        self.change(|record, server| record.forget(server, tried))
            .ok();
    }
}

/// A blob that the server confirmed.
pub(super) struct ConfirmedBlob {
    pub(super) at: StoredAt,
    /// Whether the server keeps the blob for about as long as was asked for; `true` where nothing was asked for.
    pub(super) ttl_met: bool,
    /// Absent at a server that knows no owners.
    pub(super) token: Option<OwnerToken>,
    /// Whether the token is on record.
    pub(super) recorded: bool,
    /// Whether the server's clock was gone by, because it differs from this computer's.
    pub(super) by_server_clock: bool,
    /// How quick the last try was; `None` when its answer was lost.
    pub(super) pace: Option<TryPace>,
}

/// The hour by the server's clock, when it may have refused because that differs from ours.
pub(super) fn differing_hour(
    refusal: ServerRefusal,
    info: Option<&ServerInfo>,
    now: u64,
) -> Option<u32> {
    let refused = refusal == ServerRefusal::Status(400);
    info.and_then(|info| info.hour)
        .filter(|hour| refused && *hour != hour_of(now))
}

/// Until when a file is to be kept that is wished for `ttl_secs`, or for the server's usual time. `server_hour` is the
/// hour by the server's clock, where that is gone by.
pub(super) fn expiry(
    info: Option<&ServerInfo>,
    ttl_secs: Option<u64>,
    server_hour: Option<u32>,
    now: u64,
) -> Option<Expiry> {
    match info.filter(|info| info.has(EXPIRY_HOUR_FEATURE)) {
        Some(info) => {
            let now = server_hour.map_or(now, |hour| hour_begins(hour) + now % HOUR_SECS);
            let ttl = ttl_secs.unwrap_or(info.ttl_default);
            Some(Expiry::AtHour(expiry_hour(now, ttl)))
        }
        None => ttl_secs.map(Expiry::InSecs),
    }
}

/// Whether a server that changed its mind since it was asked would explain it.
const fn may_be_outdated(refusal: ServerRefusal) -> bool {
    matches!(
        refusal,
        ServerRefusal::AccessWord { .. }
            | ServerRefusal::NoReceipts
            | ServerRefusal::Status(400)
            | ServerRefusal::TooLarge { .. }
            | ServerRefusal::Ttl { .. }
            | ServerRefusal::UnknownWork
            | ServerRefusal::Work
    )
}

/// One blob on its way to the server of a call.
pub(super) struct BlobUpload<'a> {
    call: &'a Call,
    record: &'a dyn OwnerRecord,
    digest: Digest,
    blob_len: usize,
    ttl_secs: Option<u64>,
    unlike: Option<Hops>,
    /// The hour by the server's clock, where that is gone by.
    server_hour: Option<u32>,
    /// Whether recipients are asked for download receipts.
    counts: bool,
    request: FileRequest,
    /// When the blob is to expire, in unix seconds, if the person asked for a time.
    asked_expiry: Option<u64>,
}

/// What is known of a stored blob before it is sent.
struct Expected {
    /// Its id, which an owner and an expiry hour make.
    id: Option<OwnedId>,
    /// The hour with which it expires, since 1970; of a server that is told none, the likely one.
    hour: u32,
}

impl<'a> BlobUpload<'a> {
    /// An upload of `blob`, whose SHA-256 is `digest`, and whose owner `record` keeps.
    pub(super) fn new(
        call: &'a Call,
        record: &'a dyn OwnerRecord,
        blob: SealedBlob,
        digest: Digest,
        terms: UploadTerms,
    ) -> Self {
        let UploadTerms {
            ttl_secs,
            receipts,
            unlike,
        } = terms;
        Self {
            call,
            record,
            digest,
            blob_len: blob.as_bytes().len(),
            ttl_secs,
            unlike,
            server_hour: None,
            counts: receipts.is_some(),
            request: FileRequest::Upload(Upload {
                receipts,
                ..Upload::new(blob.into_bytes())
            }),
            asked_expiry: None,
        }
    }

    /// Stores the blob at a server that said `info` of itself ([`Call::info_for_upload`]).
    ///
    /// # Errors
    /// [`AppError`]; nothing is left at the server that it did not confirm, unless an answer was lost and the server
    /// cannot be asked.
    pub(super) async fn send(
        mut self,
        info: Option<ServerInfo>,
    ) -> Result<ConfirmedBlob, AppError> {
        let refused = match self.send_once(info.as_ref()).await {
            Err(AppError::Server(refusal)) if may_be_outdated(refusal) => refusal,
            other => return other,
        };
        // What the server said of itself may be a day old, and one of the clocks wrong.
        let anew = self.call.ask_info_anew().await?;
        let now = self.call.program().now();
        self.server_hour = differing_hour(refused, anew.info.as_ref(), now);
        let info = match (anew.agrees, self.server_hour) {
            (true, None) => {
                return Err(refused.explained(anew.info.as_ref(), self.ttl_secs).into());
            }
            (true, Some(_)) => anew.info,
            (false, _) => self.call.info_for_upload().await?,
        };
        self.send_once(info.as_ref()).await
    }

    /// Sends it as `info` wants it; a server without `GET /info` gets no header of ours.
    async fn send_once(&mut self, info: Option<&ServerInfo>) -> Result<ConfirmedBlob, AppError> {
        let Expected { id, hour } = self.prepare(info).await?;
        let by_server_clock = self.server_hour.is_some();
        let tried = id.map(|id| id.file_id());
        let blob = SealedAt {
            digest: self.digest,
            hour,
        };
        self.record.before_sending(blob, tried.as_ref())?;
        let stored = match (self.store(info).await, &tried) {
            (Err(AppError::Transfer(error)), Some(id))
                if may_have_arrived(&error.exchange.failure) =>
            {
                let found = self.look_for(id).await;
                found.map(|at| (at, None)).ok_or_else(|| error.into())
            }
            (stored, _) => stored.map(|(at, pace)| (at, Some(pace))),
        };
        let (mut at, pace) = match (stored, &tried) {
            (Err(error), Some(id)) => {
                self.record.given_up(id);
                return Err(error);
            }
            (stored, _) => stored?,
        };
        if tried.is_none() && at.expires.is_none() {
            at.expires = self.ask_expiry(&at.id).await;
        }
        let recorded = self.record.confirmed(blob, tried.as_ref(), &at)?;
        Ok(ConfirmedBlob {
            ttl_met: self.ttl_met(&at),
            at,
            token: tried.map(|_id| self.record.token()),
            recorded,
            by_server_clock,
            pace,
        })
    }

    /// Checks what the server said of itself, and brings what it asks for. Tells which file this makes, as far as that is
    /// known before.
    async fn prepare(&mut self, info: Option<&ServerInfo>) -> Result<Expected, AppError> {
        check(info, self.blob_len, self.ttl_secs, self.counts)?;
        // Said before the work, which takes seconds.
        let asks_word = info.is_some_and(|info| info.access);
        if asks_word && self.call.access_word().is_none() {
            return Err(ServerRefusal::AccessWord { given: false }.into());
        }
        let now = self.call.program().now();
        let expiry = expiry(info, self.ttl_secs, self.server_hour, now);
        self.asked_expiry = match expiry {
            _ if self.ttl_secs.is_none() => None,
            Some(Expiry::AtHour(hour)) => Some(hour_begins(hour)),
            Some(Expiry::InSecs(secs)) => Some(now.saturating_add(secs)),
            None => None,
        };
        // Hour, owner and digest make the id: with it a lost answer can be asked after, and the work is bound to this file.
        let owner = match expiry {
            Some(Expiry::AtHour(hour)) if info.is_some_and(|info| info.has(OWNER_FEATURE)) => {
                Some((hour, self.record.token().hash()))
            }
            _ => None,
        };
        let id = owner
            .as_ref()
            .map(|(hour, hash)| OwnedId::new(*hour, hash, &self.digest));
        let asked = info.map_or(WorkAsked::None, |info| info.work);
        let work = match (asked, id) {
            (WorkAsked::None, _) => None,
            (WorkAsked::Base(base), Some(id))
                if info.is_some_and(|info| info.has(WORK_FEATURE)) =>
            {
                let server = self.call.routed().server().key;
                let bits = base.bits_for(self.blob_len as u64);
                let (progress, cancel) = (self.call.progress(), self.call.cancel());
                Some(work::solve(server, id, bits, progress, cancel).await?)
            }
            (WorkAsked::Base(_) | WorkAsked::Unknown, _) => {
                return Err(ServerRefusal::UnknownWork.into());
            }
        };
        let hour = match expiry {
            Some(Expiry::AtHour(hour)) => hour,
            Some(Expiry::InSecs(secs)) => expiry_hour(now, secs),
            None => expiry_hour(now, USUAL_TTL_SECS),
        };
        if let FileRequest::Upload(upload) = &mut self.request {
            upload.expiry = expiry;
            upload.owner = owner.map(|(_, hash)| hash);
            upload.access = self.call.access_word().filter(|_| asks_word).cloned();
            upload.work = work;
        }
        Ok(Expected { id, hour })
    }

    async fn store(&self, info: Option<&ServerInfo>) -> Result<(StoredAt, TryPace), AppError> {
        let answer = self.call.run_unlike(self.unlike, &self.request, 0).await?;
        let stored = file_api::read_uploaded(&answer.response, self.blob_len, &self.digest);
        let stored = stored.map_err(|error| match error {
            AnswerError::Status(401) => ServerRefusal::AccessWord {
                given: info.is_some_and(|info| info.access),
            },
            AnswerError::Status(413) => ServerRefusal::TooLarge {
                max_blob: info.map_or(0, |info| info.max_blob),
            },
            other => ServerRefusal::of_upload(other),
        })?;
        Ok((stored, answer.pace))
    }

    /// What the server has under `id`, if that is of the right size. After a lost answer such a file is ours, because
    /// the id follows from owner and blob.
    async fn look_for(&self, id: &FileId) -> Option<StoredAt> {
        let request = FileRequest::FileInfo(id.clone());
        let answer = self.call.silent().run(&request, 0).await.ok()?;
        let info = file_api::read_file_info(&answer).ok()?;
        (usize::try_from(info.size) == Ok(self.blob_len)).then(|| StoredAt {
            id: id.clone(),
            expires: Some(info.expires_secs()),
        })
    }

    /// Asks when a stored blob expires, at a server that does not say so with the upload. The blob is stored whether
    /// an answer comes or not.
    async fn ask_expiry(&self, id: &FileId) -> Option<u64> {
        self.look_for(id).await?.expires
    }

    /// Whether the server keeps the blob for about as long as was asked for. Servers count in hours.
    fn ttl_met(&self, at: &StoredAt) -> bool {
        match (self.asked_expiry, at.expires) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(asked), Some(expires)) => asked.abs_diff(expires) <= HOUR_SECS,
        }
    }
}

impl Drop for BlobUpload<'_> {
    /// The blob is not sent again: the next one has its memory.
    fn drop(&mut self) {
        if let FileRequest::Upload(upload) = &mut self.request {
            let blob = core::mem::take(&mut upload.blob);
            self.call.buffers().put(blob);
        }
    }
}

/// Whether the server takes such a blob.
pub(super) fn check(
    info: Option<&ServerInfo>,
    blob_len: usize,
    ttl_secs: Option<u64>,
    receipts: bool,
) -> Result<(), ServerRefusal> {
    if receipts && !info.is_some_and(|info| info.has(RECEIPTS_FEATURE)) {
        return Err(ServerRefusal::NoReceipts);
    }
    let Some(info) = info else {
        return Ok(());
    };
    if blob_len as u64 > info.max_blob {
        return Err(ServerRefusal::TooLarge {
            max_blob: info.max_blob,
        });
    }
    check_ttl(info, ttl_secs)
}

/// Whether the server keeps files for that time.
pub(super) fn check_ttl(info: &ServerInfo, ttl_secs: Option<u64>) -> Result<(), ServerRefusal> {
    if ttl_secs.is_some_and(|ttl| !(MIN_TTL_SECS..=info.ttl_max).contains(&ttl)) {
        return Err(ServerRefusal::Ttl {
            max_secs: info.ttl_max,
        });
    }
    Ok(())
}

/// Whether the server may have stored what was sent, though no answer told so.
const fn may_have_arrived(failure: &Failure) -> bool {
    !matches!(
        failure,
        Failure::Blocked
            | Failure::Build(_)
            | Failure::FirstUnreachable
            | Failure::NoPath(_)
            | Failure::ServerNotServed
            | Failure::ServerWrongKey
    )
}

/// The shortest time that can be asked for, in seconds: servers count in hours.
const MIN_TTL_SECS: u64 = HOUR_SECS;
/// How long Session's file server keeps a file that it is told no time for, in seconds.
pub(super) const USUAL_TTL_SECS: u64 = 14 * 24 * HOUR_SECS;

#[cfg(test)]
mod tests {
    use super::*;

    fn info() -> ServerInfo {
        ServerInfo {
            name: "x".to_owned(),
            version: "1".to_owned(),
            max_blob: 100_000,
            ttl_default: 7_200,
            ttl_max: 86_400,
            features: vec![],
            access: false,
            work: WorkAsked::None,
            hour: None,
            free: None,
        }
    }

    #[test]
    fn limits_are_those_the_server_told() {
        let info = info();
        assert_eq!(check(None, 10_000_000, Some(1), false), Ok(()));
        assert_eq!(check(Some(&info), 65_536, Some(86_400), false), Ok(()));
        assert_eq!(
            check(Some(&info), 393_216, None, false),
            Err(ServerRefusal::TooLarge { max_blob: 100_000 })
        );
        for ttl in [3_599, 86_401] {
            assert_eq!(
                check(Some(&info), 65_536, Some(ttl), false),
                Err(ServerRefusal::Ttl { max_secs: 86_400 })
            );
        }
    }

    #[test]
    fn receipts_are_asked_only_of_a_server_that_lists_them() {
        let mut info = info();
        for silent in [None, Some(&info)] {
            assert_eq!(
                check(silent, 65_536, None, true),
                Err(ServerRefusal::NoReceipts)
            );
        }
        info.features = vec![RECEIPTS_FEATURE.to_owned()];
        assert_eq!(check(Some(&info), 65_536, None, true), Ok(()));
    }

    #[test]
    fn an_hour_goes_only_to_a_server_that_knows_hours() {
        let now = 1_800_000_000 + 60;
        assert_eq!(expiry(None, None, None, now), None);
        let mut info = info();
        for (info, ttl) in [(None, 7_200), (Some(&info), 86_400)] {
            assert_eq!(
                expiry(info, Some(ttl), None, now),
                Some(Expiry::InSecs(ttl))
            );
        }
        info.features = vec![EXPIRY_HOUR_FEATURE.to_owned()];
        let hour = |ttl, server_hour| expiry(Some(&info), ttl, server_hour, now);
        assert_eq!(
            hour(None, None),
            Some(Expiry::AtHour(500_003)),
            "its usual time"
        );
        assert_eq!(hour(Some(86_400), None), Some(Expiry::AtHour(500_025)));
        assert_eq!(
            hour(Some(86_400), Some(500_100)),
            Some(Expiry::AtHour(500_125)),
            "by the server's clock"
        );
    }

    #[test]
    fn a_clock_that_differs_may_be_why_an_hour_was_refused() {
        let now = 1_800_000_000;
        let mut info = info();
        let hour = |info: &ServerInfo, refusal| differing_hour(refusal, Some(info), now);
        assert_eq!(
            hour(&info, ServerRefusal::Status(400)),
            None,
            "it does not say"
        );
        info.hour = Some(500_000);
        assert_eq!(hour(&info, ServerRefusal::Status(400)), None);
        info.hour = Some(499_998);
        assert_eq!(hour(&info, ServerRefusal::Status(400)), Some(499_998));
        assert_eq!(hour(&info, ServerRefusal::Full), None);
    }
}
