//! Stores one sealed blob at a server as the server wants it: its limits, access word and work; an owner whose token is
//! kept before anything is sent; a look for the file when every answer was lost.

use std::ops::RangeInclusive;

use tokio::task::block_in_place;
use tokio_util::sync::CancellationToken;

use super::error::{AppError, ServerRefusal};
use super::network::{Network, Tell};
use super::owned::{OwnShare, OwnShares};
use super::session::Session;
use super::who_saw_what::RequestShown;
use super::work;
use crate::protocol::address::FileId;
use crate::protocol::capability::work::bits_for;
use crate::protocol::capability::{AccessWord, OwnerToken};
use crate::protocol::digest::Digest;
use crate::protocol::file_api::{
    self, AnswerError, FileRequest, OWNER_FEATURE, RECEIPTS_FEATURE, ReceiptTerms, ServerInfo,
    StoredAt, Upload,
};
use crate::protocol::seal::SealedBlob;
use crate::protocol::transfer::Failure;
use crate::wire::random;

/// A blob to be stored, and what is wished for it.
pub(super) struct Parcel {
    pub(super) blob: SealedBlob,
    pub(super) digest: Digest,
    pub(super) ttl_secs: Option<u64>,
    pub(super) receipts: Option<ReceiptTerms>,
    pub(super) access: Option<AccessWord>,
    /// Whether the owner's token is kept in the record of this person's shares.
    pub(super) on_record: bool,
}

/// A blob that the server confirmed.
pub(super) struct Stored {
    pub(super) at: StoredAt,
    /// Absent at a server that knows no owners.
    pub(super) token: Option<OwnerToken>,
    /// Whether the token is on record.
    pub(super) recorded: bool,
}

/// Stores a parcel.
///
/// # Errors
/// [`AppError`]; nothing is left at the server that it did not confirm, unless an answer was lost and the server cannot
/// be asked.
pub(super) async fn upload(
    session: &Session,
    network: &Network,
    parcel: Parcel,
    tell: &Tell,
    shown: &mut Vec<RequestShown>,
    cancel: &CancellationToken,
) -> Result<Stored, AppError> {
    let Parcel {
        blob,
        digest,
        ttl_secs,
        receipts,
        access,
        on_record,
    } = parcel;
    let blob_len = blob.as_bytes().len();
    let mut sending = Sending {
        session,
        network,
        tell,
        cancel,
        shown,
        digest,
        blob_len,
        owner: None,
        access,
        on_record,
        request: FileRequest::Upload(Upload {
            ttl_secs,
            receipts,
            ..Upload::new(blob.into_bytes())
        }),
    };
    let mut info = session.server_info(network, sending.shown, cancel).await?;
    let refused = match sending.send(info.as_ref()).await {
        Err(AppError::Server(refusal)) if may_be_outdated(refusal) => refusal,
        other => return other,
    };
    // What the server said of itself may be a day old.
    session.forget_server_info(network.server());
    let newer = session.server_info(network, sending.shown, cancel).await?;
    if newer == info {
        return Err(refused.into());
    }
    info = newer;
    sending.send(info.as_ref()).await
}

/// Whether a server that changed its mind since it was asked would explain it.
const fn may_be_outdated(refusal: ServerRefusal) -> bool {
    matches!(
        refusal,
        ServerRefusal::AccessWord { .. }
            | ServerRefusal::NoReceipts
            | ServerRefusal::Status(400)
            | ServerRefusal::TooLarge { .. }
            | ServerRefusal::TooMuchWork
            | ServerRefusal::Ttl { .. }
            | ServerRefusal::Work
    )
}

/// One upload on its way.
struct Sending<'a> {
    session: &'a Session,
    network: &'a Network,
    tell: &'a Tell,
    cancel: &'a CancellationToken,
    shown: &'a mut Vec<RequestShown>,
    digest: Digest,
    blob_len: usize,
    owner: Option<OwnerToken>,
    access: Option<AccessWord>,
    on_record: bool,
    request: FileRequest,
}

impl Sending<'_> {
    /// Sends it as `info` wants it; a server without `GET /info` gets no header of ours.
    async fn send(&mut self, info: Option<&ServerInfo>) -> Result<Stored, AppError> {
        self.prepare(info).await?;
        let Some(token) = self.owner.as_ref().filter(|_| owners(info)) else {
            let at = self.store(info).await?;
            return Ok(Stored {
                at,
                token: None,
                recorded: false,
            });
        };
        let ttl = self.ttl_secs(info);
        let started = self.session.now();
        let candidates = self.ids(token, hours(started, started + LONGEST_SECS, ttl));
        let share = OwnShare {
            token: OwnerToken::from_bytes(*token.as_bytes()),
            expires: started.saturating_add(ttl).saturating_add(LONGEST_SECS),
            receipts: self.receipts(),
        };
        if self.on_record {
            self.record(|record, server, now| record.keep(server, &candidates, &share, now))?;
        }
        let stored = match self.store(info).await {
            Err(AppError::Transfer(error)) if may_have_arrived(&error.failure) => {
                let tried = self.ids(&share.token, hours(started, self.session.now(), ttl));
                match self.look_for(&tried).await {
                    Some(found) => Ok(found),
                    None => Err(error.into()),
                }
            }
            other => other,
        };
        let at = match stored {
            Ok(at) => at,
            Err(error) => {
                if self.on_record {
                    // An entry without a pointer is of no use; it goes when it expires, if not now.
                    self.record(|record, server, now| record.forget(server, &candidates, now))
                        .ok();
                }
                return Err(error);
            }
        };
        let share = OwnShare {
            expires: at.expires,
            ..share
        };
        let recorded = self.on_record
            && (self
                .record(|record, server, now| {
                    record.settle(server, &candidates, &at.id, &share, now)
                })
                .is_ok()
                // What was kept before it was sent serves as well.
                || candidates.contains(&at.id));
        Ok(Stored {
            at,
            token: Some(share.token),
            recorded,
        })
    }

    /// Checks what the server said of itself, and brings what it asks for.
    async fn prepare(&mut self, info: Option<&ServerInfo>) -> Result<(), AppError> {
        check(info, self.blob_len, self.wished_ttl(), self.receipts())?;
        let asked = info.is_some_and(|info| info.access);
        if asked && self.access.is_none() {
            return Err(ServerRefusal::AccessWord { given: false }.into());
        }
        let bits = info
            .and_then(|info| info.work_bits.as_ref())
            .map_or(0, |bits| bits_for(bits, self.blob_len as u64));
        let work = if bits == 0 {
            None
        } else {
            let server = self.network.server().key;
            Some(work::solve(server, self.digest, bits, self.tell, self.cancel).await?)
        };
        if owners(info) && self.owner.is_none() {
            self.owner = Some(OwnerToken::generate(&mut random::system()));
        }
        let owner = self.owner.as_ref().filter(|_| owners(info));
        if let FileRequest::Upload(upload) = &mut self.request {
            upload.owner = owner.map(OwnerToken::hash);
            upload.access = self.access.clone().filter(|_| asked);
            upload.work = work;
        }
        Ok(())
    }

    async fn store(&mut self, info: Option<&ServerInfo>) -> Result<StoredAt, AppError> {
        let response = self
            .session
            .run(
                self.network,
                &self.request,
                0,
                self.tell,
                self.shown,
                self.cancel,
            )
            .await?;
        let stored = file_api::read_uploaded(&response, self.blob_len, &self.digest);
        Ok(stored.map_err(|error| match error {
            AnswerError::Status(401) => ServerRefusal::AccessWord {
                given: info.is_some_and(|info| info.access),
            },
            AnswerError::Status(413) => ServerRefusal::TooLarge {
                max_blob: info.map_or(0, |info| info.max_blob),
            },
            other => ServerRefusal::of_upload(other),
        })?)
    }

    /// After a lost answer: the file, if one of the tries was stored. The id follows from owner and blob, so a file of
    /// the right size under it is ours.
    async fn look_for(&mut self, ids: &[FileId]) -> Option<StoredAt> {
        for id in ids {
            let request = FileRequest::FileInfo(id.clone());
            let answer = self
                .session
                .run(
                    self.network,
                    &request,
                    0,
                    &Tell::nobody(),
                    self.shown,
                    self.cancel,
                )
                .await
                .ok()?;
            if let Ok(info) = file_api::read_file_info(&answer)
                && usize::try_from(info.size) == Ok(self.blob_len)
            {
                return Some(StoredAt {
                    id: id.clone(),
                    expires: info.expires_secs(),
                });
            }
        }
        None
    }

    fn ids(&self, token: &OwnerToken, hours: RangeInclusive<u32>) -> Vec<FileId> {
        hours
            .map(|hour| FileId::for_blob(hour, &token.hash(), &self.digest))
            .collect()
    }

    fn record(
        &self,
        change: impl FnOnce(
            &OwnShares,
            &crate::protocol::keys::Ed25519Public,
            u64,
        ) -> Result<(), super::owned::OwnRecordError>,
    ) -> Result<(), AppError> {
        let record = OwnShares::of(self.session.home());
        let (server, now) = (&self.network.server().key, self.session.now());
        Ok(block_in_place(|| change(&record, server, now))?)
    }

    fn wished_ttl(&self) -> Option<u64> {
        match &self.request {
            FileRequest::Upload(upload) => upload.ttl_secs,
            _ => None,
        }
    }

    fn ttl_secs(&self, info: Option<&ServerInfo>) -> u64 {
        let usual = info.map_or(0, |info| info.ttl_default);
        self.wished_ttl().unwrap_or(usual)
    }

    fn receipts(&self) -> bool {
        matches!(&self.request, FileRequest::Upload(upload) if upload.receipts.is_some())
    }
}

fn owners(info: Option<&ServerInfo>) -> bool {
    info.is_some_and(|info| info.has(OWNER_FEATURE))
}

fn check(
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

/// The expiry hours that the tries of an upload between `started` and `ended` can have been given by a server whose
/// clock is not quite ours.
fn hours(started: u64, ended: u64, ttl_secs: u64) -> RangeInclusive<u32> {
    let hour =
        |now: u64| u32::try_from(now.saturating_add(ttl_secs).div_ceil(3_600)).unwrap_or(u32::MAX);
    hour(started.saturating_sub(SKEW_SECS))..=hour(ended.saturating_add(SKEW_SECS))
}

/// Servers count in hours.
const MIN_TTL_SECS: u64 = 3_600;
/// How far the server's clock may be from ours.
const SKEW_SECS: u64 = 30 * 60;
/// No upload takes longer, all tries together.
const LONGEST_SECS: u64 = 3_600;

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
            work_bits: None,
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
    fn the_hours_of_a_transfer_hold_every_clock_within_half_an_hour() {
        let (started, ended, ttl) = (1_800_000_000, 1_800_000_600, 7_200);
        let hours = hours(started, ended, ttl);
        for server_now in (started - 1_800..=ended + 1_800).step_by(60) {
            let given = u32::try_from((server_now + ttl).div_ceil(3_600)).unwrap();
            assert!(hours.contains(&given));
        }
        assert!(hours.count() <= 3);
    }
}
