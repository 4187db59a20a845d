//! Share: file or folder → padded, sealed → uploaded → pointer; in parts where it is larger than one blob.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::task::block_in_place;
use tokio_util::sync::CancellationToken;

use super::call::Call;
use super::parts;
use super::stage::Stage;
use super::upload::{self, BlobUpload, ConfirmedBlob, OnRecord, UploadTerms};
use crate::app::error::{AppError, LocalFileError, ServerRefusal};
use crate::app::kept::unfinished::UnfinishedTransfers;
use crate::app::parcel::{LeftOut, Parcel};
use crate::app::relays::refresh;
use crate::protocol::address::MAX_ID_LEN;
use crate::protocol::capability::receipt_key;
use crate::protocol::file_api::{EXPIRY_HOUR_FEATURE, OWNER_FEATURE, ReceiptTerms, ServerInfo};
use crate::protocol::parts::{IdForm, Layout, TooLong};
use crate::protocol::pointer::{Pointer, PointerKey, short_name};
use crate::protocol::resume::{SenderBegin, Wishes};
use crate::protocol::seal::{FileKey, Sealed, seal};
use crate::protocol::size_class::{MAX_CONTENT_LEN, SizeClass};
use crate::wire::random;

/// A share that was asked for.
#[derive(Clone, Debug)]
pub struct ShareRequest {
    /// A file, a folder, or several of both, which make one folder.
    pub paths: Vec<PathBuf>,
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
    pub const fn new(paths: Vec<PathBuf>) -> Self {
        Self {
            paths,
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

/// What is longer than this, in bytes, is asked about once before it is sent or fetched: it may take hours.
pub(crate) const ASKED_FROM: u64 = 1_000_000_000;

/// What is to be shared, as it was when it was looked at.
pub struct Looked(Parcel);

impl Looked {
    /// Bytes of its content.
    #[must_use]
    pub const fn content_len(&self) -> u64 {
        self.0.content_len()
    }
}

/// A file or folder that a server confirmed.
pub struct Shared {
    /// What the recipient needs.
    pub pointer: Pointer,
    /// The size of each blob that everybody on the way saw.
    pub class: SizeClass,
    /// Number of parts; 1 for what is in one blob.
    pub parts: u32,
    /// What was not shared, because it is neither file nor folder, or cannot be read or named.
    pub left_out: LeftOut,
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

/// Shares a file or folder.
///
/// # Errors
/// [`AppError`]; nothing is left at the server that it did not confirm, unless the answer was lost and the server cannot
/// be asked. Of something in parts what is confirmed stays, and [`resume`](super::parts::resume) goes on with it.
pub async fn share(call: &Call, request: ShareRequest) -> Result<Shared, AppError> {
    share_what(call, request, None).await
}

/// Looks at what is to be shared, without its content: for whoever decides by its length whether it is.
///
/// # Errors
/// [`AppError::Local`] and [`AppError::Cancelled`].
pub async fn look(paths: &[PathBuf], cancel: &CancellationToken) -> Result<Looked, AppError> {
    let (paths, cancel) = (paths.to_vec(), cancel.clone());
    let look = move || Parcel::look(&paths, &|| cancel.is_cancelled());
    match tokio::task::spawn_blocking(look).await {
        Ok(looked) => Ok(Looked(looked?)),
        // A worker ends early only when the program does.
        Err(_ended) => Err(AppError::Cancelled),
    }
}

/// As [`share`], of the paths of `request` as they were when they were looked at.
///
/// # Errors
/// As [`share`].
pub async fn share_looked(
    call: &Call,
    request: ShareRequest,
    looked: Looked,
) -> Result<Shared, AppError> {
    share_what(call, request, Some(looked)).await
}

async fn share_what(
    call: &Call,
    request: ShareRequest,
    looked: Option<Looked>,
) -> Result<Shared, AppError> {
    let started = Instant::now();
    let _remembered = call.program().remember_at_the_end();
    // Reading, sealing and the server's answer take their time each, so they go side by side; where nothing can be shared,
    // the server need not answer.
    let (ready, info) = {
        let asking = call.silent().with_cancel(call.cancel().child_token());
        let preparing = async {
            let ready = prepare(&request.paths, looked, call).await;
            match &ready {
                Ok(_) => call.progress().stage(Stage::FindPath),
                Err(_) => asking.cancel().cancel(),
            }
            ready
        };
        tokio::join!(preparing, asking.info_for_upload())
    };
    let ready = ready?;
    // Second: where the file is at fault, the question was only cancelled.
    let info = info?;
    let left_out = ready.parcel.left_out().clone();
    let sending = async {
        match ready.sealed {
            Some(sealed) => share_blob(call, &request, info, &ready.parcel, sealed).await,
            None => share_parts(call, &request, info, ready.parcel).await,
        }
    };
    let sent = refresh::beside(call, sending).await?;
    Ok(sent.into_shared(call, request.ttl_secs, left_out, started))
}

/// What a server confirmed.
pub(super) struct SentShare {
    pub(super) pointer: Pointer,
    pub(super) class: SizeClass,
    pub(super) parts: u32,
    /// Of the blob, or of the list.
    pub(super) confirmed: ConfirmedBlob,
}

impl SentShare {
    pub(super) fn into_shared(
        self,
        call: &Call,
        ttl_secs: Option<u64>,
        left_out: LeftOut,
        started: Instant,
    ) -> Shared {
        Shared {
            pointer: self.pointer,
            class: self.class,
            parts: self.parts,
            left_out,
            builtin: call.routed().is_builtin(),
            manageable: self.confirmed.recorded,
            by_server_clock: self.confirmed.by_server_clock,
            unmet_ttl_secs: ttl_secs.filter(|_| !self.confirmed.ttl_met),
            took: started.elapsed(),
        }
    }
}

async fn share_blob(
    call: &Call,
    request: &ShareRequest,
    info: Option<ServerInfo>,
    parcel: &Parcel,
    sealed: Sealed,
) -> Result<SentShare, AppError> {
    let Sealed { blob, key, digest } = sealed;
    let class = blob.class();
    let terms = UploadTerms {
        ttl_secs: request.ttl_secs,
        receipts: request.receipts.terms(&key),
        unlike: None,
    };
    let record = OnRecord::new(call, terms.receipts.is_some());
    let upload = BlobUpload::new(call, &record, blob, digest, terms);
    let confirmed = upload.send(info).await?;
    let routed = call.routed();
    let name = parcel.name().filter(|_| request.name_in_pointer);
    let pointer = Pointer {
        server: routed.server().clone(),
        id: confirmed.at.id.clone(),
        key: PointerKey::Whole(key),
        digest,
        content_len: parcel.content_len(),
        name: name.map(short_name),
        kind: parcel.kind(),
        expires: confirmed.at.expires,
        receipts: request.receipts.in_pointer(),
        relay_list: routed.relay_line().filter(|_| request.carry_relay_list),
    };
    Ok(SentShare {
        pointer,
        class,
        parts: 1,
        confirmed,
    })
}

async fn share_parts(
    call: &Call,
    request: &ShareRequest,
    info: Option<ServerInfo>,
    parcel: Parcel,
) -> Result<SentShare, AppError> {
    let owners = info
        .as_ref()
        .is_some_and(|info| info.has(EXPIRY_HOUR_FEATURE) && info.has(OWNER_FEATURE));
    let ids = if owners {
        IdForm::Packed
    } else {
        IdForm::Text {
            max_len: MAX_ID_LEN,
        }
    };
    let len = parcel.content_len();
    let layout = Layout::for_sending(len, ids, None);
    let plan = match layout {
        Ok(Layout::Parts(plan)) => plan,
        // It fits into no blob, else it had been sealed.
        Ok(Layout::OneBlob(_)) => return Err(LocalFileError::Changed.into()),
        Err(TooLong { max_len_bytes }) => {
            return Err(LocalFileError::TooLarge {
                len,
                max: max_len_bytes,
            }
            .into());
        }
    };
    // Asked anew: how much is free changes, and nothing should be sent in vain.
    let free = match &info {
        Some(_) => call.ask_info_anew().await?.info.and_then(|anew| anew.free),
        None => None,
    };
    let needed = u64::from(plan.parts()) * plan.class().blob_len() as u64;
    if let Some(free) = free
        && free < needed
    {
        return Err(ServerRefusal::TooFull { needed, free }.into());
    }
    upload::check(
        info.as_ref(),
        plan.class().blob_len(),
        request.ttl_secs,
        request.receipts != Receipts::Unasked,
    )?;
    let usual = info
        .as_ref()
        .map_or(upload::USUAL_TTL_SECS, |info| info.ttl_default);
    let routed = call.routed();
    let wishes = Wishes {
        keep_secs: request.ttl_secs.unwrap_or(usual),
        receipts: request.receipts.in_pointer(),
        name: parcel.name().map(ToOwned::to_owned),
        name_in_pointer: request.name_in_pointer,
        modified: None,
        relay_list: routed.relay_line().filter(|_| request.carry_relay_list),
    };
    let begin = SenderBegin::generate(
        parcel.source(),
        parcel.kind(),
        plan,
        routed.server().clone(),
        wishes,
        &mut random::system(),
    );
    let unfinished = UnfinishedTransfers::of(call.program().home());
    let log = block_in_place(|| unfinished.begin_share(begin))?;
    parts::send::send(call, info, parcel, log).await
}

/// What was looked at, and sealed where it fits into one blob.
struct Ready {
    parcel: Parcel,
    sealed: Option<Sealed>,
}

/// Looks at what is to be shared, if nobody has yet, and reads, pads and seals what fits into one blob; off the runtime's
/// threads.
async fn prepare(
    paths: &[PathBuf],
    looked: Option<Looked>,
    call: &Call,
) -> Result<Ready, AppError> {
    let (paths, progress) = (paths.to_vec(), call.progress().clone());
    let cancel = call.cancel().clone();
    let work = move || {
        progress.stage(Stage::Pad);
        let parcel = match looked {
            Some(Looked(parcel)) => parcel,
            None => Parcel::look(&paths, &|| cancel.is_cancelled())?,
        };
        let len = parcel.content_len();
        if len > MAX_CONTENT_LEN {
            let sealed = None;
            return Ok(Ready { parcel, sealed });
        }
        let content = parcel.read(0..len)?;
        progress.stage(Stage::Seal);
        let (kind, rng) = (parcel.kind(), &mut random::system());
        let sealed = Some(seal(kind, parcel.name(), None, &content, rng)?);
        Ok::<_, LocalFileError>(Ready { parcel, sealed })
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        // A worker ends early only when the program does.
        Err(_ended) => Err(AppError::Cancelled),
    }
}
