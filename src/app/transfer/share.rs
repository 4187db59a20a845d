//! Share: file → padded, sealed → uploaded → pointer.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::call::Call;
use super::local_file;
use super::stage::{ProgressSink, Stage};
use super::upload::{BlobUpload, UploadTerms};
use crate::app::error::{AppError, LocalFileError};
use crate::app::relays::refresh;
use crate::protocol::capability::receipt_key;
use crate::protocol::file_api::ReceiptTerms;
use crate::protocol::pointer::{Pointer, PointerKey, short_name};
use crate::protocol::seal::{ContentKind, FileKey, Sealed, seal};
use crate::protocol::size_class::{MAX_CONTENT_LEN, SizeClass};
use crate::wire::random;

/// A share that was asked for.
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
    /// The number in the pointer: downloads allowed, 0 when they are only counted.
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

/// Shares a file.
///
/// # Errors
/// [`AppError`]; nothing is left at the server that it did not confirm, unless the answer was lost and the server cannot
/// be asked.
pub async fn share(call: &Call, request: ShareRequest) -> Result<Shared, AppError> {
    let started = Instant::now();
    let _remembered = call.program().remember_at_the_end();
    // Sealing and the server's answer take their time each, so they go side by side; where the file cannot be sealed, the
    // server need not answer.
    let (file, info) = {
        let asking = call.silent().with_cancel(call.cancel().child_token());
        let sealing = async {
            let sealed = prepare(request.file, call.progress()).await;
            match &sealed {
                Ok(_) => call.progress().stage(Stage::FindPath),
                Err(_) => asking.cancel().cancel(),
            }
            sealed
        };
        tokio::join!(sealing, asking.info_for_upload())
    };
    let SealedFile {
        sealed: Sealed { blob, key, digest },
        name,
        content_len,
    } = file?;
    // Second: where the file is at fault, the question was only cancelled.
    let info = info?;
    let class = blob.class();

    let terms = UploadTerms {
        ttl_secs: request.ttl_secs,
        receipts: request.receipts.terms(&key),
        on_record: true,
    };
    let upload = BlobUpload::new(call, blob, digest, terms);
    let stored = refresh::beside(call, upload.send(info)).await?;

    let routed = call.routed();
    let pointer = Pointer {
        server: routed.server().clone(),
        id: stored.at.id,
        key: PointerKey::Whole(key),
        digest,
        content_len,
        name: request.name_in_pointer.then(|| short_name(&name)),
        kind: ContentKind::File,
        expires: stored.at.expires,
        receipts: request.receipts.in_pointer(),
        relay_list: routed.relay_line().filter(|_| request.carry_relay_list),
    };
    Ok(Shared {
        pointer,
        class,
        builtin: routed.is_builtin(),
        manageable: stored.recorded,
        by_server_clock: stored.by_server_clock,
        unmet_ttl_secs: request.ttl_secs.filter(|_| !stored.ttl_met),
        took: started.elapsed(),
    })
}

/// A file that was read and sealed.
struct SealedFile {
    sealed: Sealed,
    /// The file's name in its folder.
    name: String,
    /// Bytes of the file.
    content_len: u64,
}

/// Reads, pads and seals, off the runtime's threads.
async fn prepare(path: PathBuf, progress: &ProgressSink) -> Result<SealedFile, AppError> {
    let progress = progress.clone();
    let work = move || {
        progress.stage(Stage::Pad);
        let file = local_file::read(&path)?;
        progress.stage(Stage::Seal);
        let content_len = file.content.len() as u64;
        let sealed = seal(
            ContentKind::File,
            Some(&file.name),
            None,
            &file.content,
            &mut random::system(),
        )
        .map_err(|_too_large| LocalFileError::TooLarge(content_len.max(MAX_CONTENT_LEN + 1)))?;
        Ok::<_, LocalFileError>(SealedFile {
            sealed,
            name: file.name,
            content_len,
        })
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        // A worker ends early only when the program does.
        Err(_ended) => Err(AppError::Cancelled),
    }
}
