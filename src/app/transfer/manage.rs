//! Delete, extend, status: what the person who shared a file may do with it afterwards, by the token on their record.

use tokio::task::block_in_place;

use super::call::Call;
use super::parts::list;
use super::program::Program;
use super::supported::{PointerUse, whole_key};
use super::upload::{check_ttl, differing_hour, expiry};
use crate::app::error::{AppError, ServerRefusal};
use crate::app::kept::owned::{OwnRecordError, OwnShare, OwnShares};
use crate::protocol::capability::{OwnedId, receipt_key};
use crate::protocol::file_api::{self, AnswerError, FileRequest, LONG_ANSWER_LEN, ServerInfo};
use crate::protocol::pointer::Pointer;
use crate::protocol::seal::ContentKind;

/// Outcome of a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// The server removed its copy.
    Deleted,
    /// The server removed the list of parts, without which nobody finds the parts, but not so many of those: it was not
    /// reached for them. They are gone when they expire.
    DeletedBut {
        /// Number of parts that the server may still have.
        parts_left: u32,
    },
    /// It had none any more.
    GoneAlready,
}

/// Outcome of an extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extended {
    /// Until when the server keeps the file now, in unix seconds.
    pub expires: u64,
    /// Whether that is later than before, as far as is known.
    pub later: bool,
    /// Whether the file expires by the server's clock, because that differs from this computer's by an hour or more.
    pub by_server_clock: bool,
}

/// What the server told of a file, checked as far as it can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckedStatus {
    /// Bytes of the blob; of what is in parts, those of the list.
    pub blob_len: u64,
    /// Whether it is the list of something in parts.
    pub is_list: bool,
    /// When it was uploaded, in unix seconds, to the hour.
    pub uploaded: u64,
    /// When the server forgets it, in unix seconds.
    pub expires: u64,
    /// How downloads are told of.
    pub downloads: Downloads,
}

/// How downloads of a file are told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Downloads {
    /// Downloads are counted.
    Counted {
        /// Receipts whose signature only somebody with the pointer can have made.
        told: u32,
        /// Receipts that nobody with the pointer made: the server's invention, and not counted.
        invented: u32,
        /// How many are allowed, if that is limited.
        allowed: Option<u32>,
    },
    /// Recipients were not asked to tell.
    NotCounted,
}

/// Removes the server's copy of the file.
///
/// # Errors
/// [`AppError::NotOwner`] for a file that is not on this person's record, [`ServerRefusal::NoOwners`] for one that nobody
/// owns; any other [`AppError`].
pub async fn delete(call: &Call, pointer: &Pointer) -> Result<Deletion, AppError> {
    let _remembered = call.program().remember_at_the_end();
    PointerUse::Manage.check(pointer)?;
    let own = find(call.program(), pointer)?.ok_or_else(|| not_on_record(pointer))?;
    // The list last: without it nobody can tell which parts there are.
    let parts_left = match &own.parts {
        None => 0,
        Some(owner) => match list::delete_parts(call, pointer, owner).await {
            Ok(deletions) => deletions.left,
            Err(AppError::Server(ServerRefusal::NotThere)) => return Ok(Deletion::GoneAlready),
            Err(error) => return Err(error),
        },
    };
    let request = FileRequest::Delete {
        id: pointer.id.clone(),
        token: own.token,
    };
    let outcome = match file_api::read_done(&call.run(&request, 0).await?) {
        // The token stays on record until the file would have expired: asking again is answered alike.
        Ok(()) if parts_left > 0 => Deletion::DeletedBut { parts_left },
        Ok(()) => Deletion::Deleted,
        // It expired, was used up or deleted, or the answer to a first try was lost.
        Err(AnswerError::Status(404)) => Deletion::GoneAlready,
        Err(error) => return Err(refused(error)),
    };
    Ok(outcome)
}

/// Deletes a file that was just stored and whose pointer nobody has, and forgets that it was shared.
///
/// # Errors
/// As [`delete`]; the file stays on record then.
pub(crate) async fn take_back(call: &Call, pointer: &Pointer) -> Result<(), AppError> {
    delete(call, pointer).await?;
    change(call.program(), |record| {
        record.forget(&pointer.server.key, &pointer.id)
    })
}

/// Has the server keep the file for `ttl_secs` from now, or for its usual time; never shorter than before.
///
/// # Errors
/// [`AppError::NotOwner`] for a file that somebody else owns, [`ServerRefusal::NotExtendable`] for one that nobody can
/// extend; any other [`AppError`].
pub async fn extend(
    call: &Call,
    pointer: &Pointer,
    ttl_secs: Option<u64>,
) -> Result<Extended, AppError> {
    let _remembered = call.program().remember_at_the_end();
    PointerUse::Manage.check(pointer)?;
    // A file without an owner may be extended by whoever knows it.
    let own = find(call.program(), pointer)?;
    let before = own.as_ref().map(|own| own.expires).or(pointer.expires);
    let is_own = own.is_some();
    let mut info = call.server_info().await?;
    let check = |info: Option<&ServerInfo>| info.map_or(Ok(()), |info| check_ttl(info, ttl_secs));
    if let Err(refusal) = check(info.as_ref()) {
        // What the server said of itself may be a day old.
        info = call.ask_info_anew().await?.info;
        if info.is_none() {
            return Err(refusal.into());
        }
        check(info.as_ref())?;
    }
    let (token, parts) = match own {
        Some(own) => (Some(own.token), own.parts),
        None => (None, None),
    };
    let mut request = FileRequest::Extend {
        id: pointer.id.clone(),
        expiry: expiry(info.as_ref(), ttl_secs, None, call.program().now()),
        token,
    };
    let mut answer = file_api::read_file_info(&call.run(&request, 0).await?);
    let mut server_hour = None;
    if answer == Err(AnswerError::Status(400)) {
        info = call.ask_info_anew().await?.info;
        let refusal = match &info {
            Some(info) => ServerRefusal::Ttl {
                max_secs: info.ttl_max,
            },
            None => ServerRefusal::Status(400).explained(None, ttl_secs),
        };
        // One of the clocks may be wrong.
        server_hour = differing_hour(
            ServerRefusal::Status(400),
            info.as_ref(),
            call.program().now(),
        );
        if server_hour.is_none() {
            return Err(refusal.into());
        }
        if let FileRequest::Extend { expiry: until, .. } = &mut request {
            *until = expiry(info.as_ref(), ttl_secs, server_hour, call.program().now());
        }
        answer = file_api::read_file_info(&call.run(&request, 0).await?);
    }
    let mut expires = match answer {
        Ok(info) => info.expires_secs(),
        Err(AnswerError::Status(404 | 405)) if !is_own && is_there(call, pointer).await? => {
            return Err(if OwnedId::could_be(&pointer.id) {
                AppError::NotOwner
            } else {
                ServerRefusal::NotExtendable.into()
            });
        }
        Err(error) => return Err(refused(error)),
    };
    if let Some(owner) = &parts {
        let now = call.program().now();
        let until = expiry(info.as_ref(), ttl_secs, server_hour, now);
        let first = list::extend_parts(call, pointer, owner, until).await?;
        expires = expires.min(first);
    }
    change(call.program(), |record| {
        record.extend(&pointer.server.key, &pointer.id, expires)
    })
    // The token is then forgotten a little early, and the file is kept all the same.
    .ok();
    Ok(Extended {
        expires,
        later: before.is_none_or(|before| expires > before),
        by_server_clock: server_hour.is_some(),
    })
}

/// Asks how the file fares, and checks every download receipt again.
///
/// # Errors
/// [`AppError::NotOwner`] for a file that is not on this person's record, [`ServerRefusal::NoOwners`] for one that nobody
/// owns; any other [`AppError`].
pub async fn status(call: &Call, pointer: &Pointer) -> Result<CheckedStatus, AppError> {
    let _remembered = call.program().remember_at_the_end();
    PointerUse::Status.check(pointer)?;
    let key = whole_key(pointer)?;
    let own = find(call.program(), pointer)?.ok_or_else(|| not_on_record(pointer))?;
    let request = FileRequest::Status {
        id: pointer.id.clone(),
        token: own.token,
    };
    let answer = call.run(&request, LONG_ANSWER_LEN).await?;
    let status = match file_api::read_status(&answer) {
        Ok(status) => status,
        Err(error) => return Err(refused(error)),
    };
    let downloads = if own.receipts || pointer.receipts.is_some() {
        let key = receipt_key(key).public();
        let (told, invented): (Vec<_>, Vec<_>) = status
            .receipts
            .iter()
            .partition(|receipt| receipt.verify(&key, &pointer.id));
        let count = |receipts: Vec<_>| u32::try_from(receipts.len()).unwrap_or(u32::MAX);
        Downloads::Counted {
            told: count(told),
            invented: count(invented),
            // What the pointer says cannot be changed by the server.
            allowed: pointer
                .receipts
                .and_then(|allowed| u32::try_from(allowed).ok())
                .filter(|allowed| *allowed > 0),
        }
    } else {
        Downloads::NotCounted
    };
    Ok(CheckedStatus {
        blob_len: status.size,
        is_list: pointer.kind == ContentKind::PartList,
        uploaded: status.uploaded_secs(),
        expires: status.expires_secs(),
        downloads,
    })
}

/// Why a file that is not on this person's record cannot be managed.
fn not_on_record(pointer: &Pointer) -> AppError {
    if OwnedId::could_be(&pointer.id) {
        AppError::NotOwner
    } else {
        ServerRefusal::NoOwners.into()
    }
}

fn find(program: &Program, pointer: &Pointer) -> Result<Option<OwnShare>, AppError> {
    let record = OwnShares::of(program.home());
    Ok(block_in_place(|| {
        record.find(&pointer.server.key, &pointer.id)
    })?)
}

fn change(
    program: &Program,
    change: impl FnOnce(&OwnShares) -> Result<(), OwnRecordError>,
) -> Result<(), AppError> {
    let record = OwnShares::of(program.home());
    Ok(block_in_place(|| change(&record))?)
}

/// Whether the server has the file for whoever asks.
async fn is_there(call: &Call, pointer: &Pointer) -> Result<bool, AppError> {
    let request = FileRequest::FileInfo(pointer.id.clone());
    Ok(file_api::read_file_info(&call.run(&request, 0).await?).is_ok())
}

fn refused(error: AnswerError) -> AppError {
    match error {
        AnswerError::Status(405) => ServerRefusal::NoOwners.into(),
        other => ServerRefusal::of_download(other).into(),
    }
}
