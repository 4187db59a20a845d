//! Share: file → padded, sealed → uploaded → pointer.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::local_file;
use super::network::{Network, Stage, Tell};
use super::session::Session;
use super::upload::{self, Parcel};
use crate::app::error::{AppError, LocalFileError};
use crate::app::relays::Refreshing;
use crate::app::words::who_saw_what::RequestShown;
use crate::protocol::capability::{AccessWord, receipt_key};
use crate::protocol::digest::Digest;
use crate::protocol::file_api::ReceiptTerms;
use crate::protocol::pointer::{Pointer, PointerKey, short_name};
use crate::protocol::seal::{ContentKind, FileKey, Sealed, seal};
use crate::protocol::size_class::{MAX_CONTENT_LEN, SizeClass};
use crate::wire::random;

/// What to share, and how.
#[derive(Clone, Debug)]
pub struct ShareRequest {
    /// The file.
    pub file: PathBuf,
    /// How long the server should keep it, in seconds; its default when absent.
    pub ttl_secs: Option<u64>,
    /// Whether the pointer shows the name; the sealed header keeps it either way.
    pub name_in_pointer: bool,
    /// Whether recipients are asked to tell of their download.
    pub receipts: Receipts,
    /// The operator's word; given only to a server that asks for one.
    pub access: Option<AccessWord>,
    /// Whether the pointer names the relay list, when that is one by URL, for a recipient who has none.
    pub carry_relay_list: bool,
}

impl ShareRequest {
    /// A share with nothing special.
    #[must_use]
    pub const fn new(file: PathBuf) -> Self {
        Self {
            file,
            ttl_secs: None,
            name_in_pointer: true,
            receipts: Receipts::Unasked,
            access: None,
            carry_relay_list: false,
        }
    }
}

/// Whether recipients are asked to tell of their download.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Receipts {
    /// Downloads are not counted.
    #[default]
    Unasked,
    /// Downloads are counted, and the sender can ask how many there were.
    Counted,
    /// Downloads are counted, and the server removes the file after so many: 1 to
    /// [`MAX_RECEIPTS`](crate::protocol::file_api::MAX_RECEIPTS).
    Limited(u32),
}

impl Receipts {
    /// What a count or limit is worth, to be said where one is chosen.
    pub const COURTESY: &'static str = "Count and limit are a courtesy between people who trust each other: a recipient may fetch without telling.";

    /// What the pointer says: downloads allowed, 0 when they are only counted.
    const fn in_pointer(self) -> Option<u64> {
        match self {
            Self::Unasked => None,
            Self::Counted => Some(0),
            Self::Limited(max) => Some(max as u64),
        }
    }

    fn terms(self, key: &FileKey) -> Option<ReceiptTerms> {
        let max_downloads = match self {
            Self::Unasked => return None,
            Self::Counted => None,
            Self::Limited(max) => Some(max),
        };
        Some(ReceiptTerms {
            key: receipt_key(key).public(),
            max_downloads,
        })
    }
}

/// A file that a server confirmed.
pub struct Shared {
    /// What the recipient needs.
    pub pointer: Pointer,
    /// The size everybody on the way saw.
    pub class: SizeClass,
    /// Whether the pointer works on this computer only.
    pub builtin: bool,
    /// Whether it can be deleted and asked about from here.
    pub manageable: bool,
    /// Whether the file expires by the server's clock, because that differs from this computer's by an hour or more.
    pub by_server_clock: bool,
    /// The time that was asked for in seconds, if the server keeps the file for another one, or does not say for how long.
    pub unmet_ttl_secs: Option<u64>,
    /// From the first byte read to the server's confirmation.
    pub took: Duration,
}

/// Shares a file over `network`. What each party was shown is added to `shown`, however it ends.
///
/// # Errors
/// [`AppError`]; nothing is left at the server that it did not confirm, unless the answer was lost and the server cannot
/// be asked.
pub async fn share(
    session: &Session,
    network: &Network,
    request: ShareRequest,
    tell: &Tell,
    shown: &mut Vec<RequestShown>,
    cancel: &CancellationToken,
) -> Result<Shared, AppError> {
    let started = Instant::now();
    let _remembered = session.remember_at_the_end();
    let (sealed, info) = {
        let stop = cancel.child_token();
        let sealing = async {
            let sealed = prepare(request.file, tell).await;
            match &sealed {
                Ok(_) => tell.stage(Stage::FindPath),
                Err(_) => stop.cancel(),
            }
            sealed
        };
        let asking = session.info_for_upload(network, shown, &stop);
        tokio::join!(sealing, asking)
    };
    let (blob, key, digest, name, content_len) = sealed?;
    let info = info?;
    let class = blob.class();

    let parcel = Parcel {
        blob,
        digest,
        ttl_secs: request.ttl_secs,
        receipts: request.receipts.terms(&key),
        access: request.access,
        on_record: true,
    };
    let refreshing = Refreshing::begin(session, network, shown, cancel).await;
    let uploading = upload::upload(session, network, info, parcel, tell, shown, cancel);
    let (stored, also_shown) = refreshing.beside(uploading, cancel).await;
    shown.extend(also_shown);
    let stored = stored?;

    let pointer = Pointer {
        server: network.server().clone(),
        id: stored.at.id,
        key: PointerKey::Whole(key),
        digest,
        content_len,
        name: request.name_in_pointer.then(|| short_name(&name)),
        kind: ContentKind::File,
        expires: stored.at.expires,
        receipts: request.receipts.in_pointer(),
        relay_list: network.relay_line().filter(|_| request.carry_relay_list),
    };
    Ok(Shared {
        pointer,
        class,
        builtin: network.is_builtin(),
        manageable: stored.recorded,
        by_server_clock: stored.by_server_clock,
        unmet_ttl_secs: request.ttl_secs.filter(|_| !stored.ttl_met),
        took: started.elapsed(),
    })
}

/// Reads, pads and seals, off the runtime's threads.
async fn prepare(
    file: PathBuf,
    tell: &Tell,
) -> Result<
    (
        crate::protocol::seal::SealedBlob,
        FileKey,
        Digest,
        String,
        u64,
    ),
    AppError,
> {
    let tell = tell.clone();
    let work = move || {
        tell.stage(Stage::Pad);
        let file = local_file::read(&file)?;
        tell.stage(Stage::Seal);
        let len = file.content.len() as u64;
        let Sealed { blob, key, digest } = seal(
            ContentKind::File,
            Some(&file.name),
            None,
            &file.content,
            &mut random::system(),
        )
        .map_err(|_too_large| LocalFileError::TooLarge(len.max(MAX_CONTENT_LEN + 1)))?;
        Ok::<_, LocalFileError>((blob, key, digest, file.name, len))
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        // A worker ends early only when the program does.
        Err(_ended) => Err(AppError::Cancelled),
    }
}
