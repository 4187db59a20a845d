//! Get: pointer → downloaded → verified → opened → saved.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::call::Call;
use super::stage::Stage;
use super::supported::{PointerUse, whole_key};
use crate::app::error::{AppError, Mismatch, ServerRefusal};
use crate::app::received::content_type::Findings;
use crate::app::received::file_name::SafeFileName;
use crate::app::received::save::SaveTarget;
use crate::app::relays::refresh;
use crate::protocol::capability::DownloadReceipt;
use crate::protocol::file_api::{self, FileRequest};
use crate::protocol::pointer::Pointer;
use crate::protocol::seal::{Opened, UnverifiedBlob};
use crate::protocol::size_class::SizeClass;
use crate::wire::random;

/// A download that was asked for.
pub struct GetRequest {
    /// What it is and where.
    pub pointer: Pointer,
    /// The place to save it, tried before anything is fetched.
    pub target: SaveTarget,
    /// Whether the sender is told of it, if they asked to be.
    pub tell_sender: bool,
}

/// Whether the sender was told of the download.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// The recipient did not want to.
    Declined,
    /// The file is here, but the server could not be told.
    Failed,
    /// The server was told.
    Sent,
    /// The sender did not ask.
    Unasked,
}

/// A file that was verified, opened and saved.
pub struct Fetched {
    /// Path of the saved file.
    pub path: PathBuf,
    /// Its bytes.
    pub content_len: u64,
    /// What name and content say of each other.
    pub findings: Findings,
    /// Whether the sender was told.
    pub receipt: Receipt,
    /// From the first byte sent to the file on disk, without telling the sender.
    pub took: Duration,
}

/// Fetches what a pointer describes and saves it. Everything is verified and opened in memory before anything is
/// written; the sender is told, if they asked and the recipient agrees, once it is.
///
/// # Errors
/// [`AppError`]; nothing is left on disk then.
pub async fn get(call: &Call, request: GetRequest) -> Result<Fetched, AppError> {
    let started = Instant::now();
    let _remembered = call.program().remember_at_the_end();
    let GetRequest {
        pointer,
        target,
        tell_sender,
    } = request;
    PointerUse::Get.check(&pointer)?;
    let expected = SizeClass::for_content_len(pointer.content_len).map_or(0, SizeClass::blob_len);

    call.progress().stage(Stage::FindPath);
    let request = FileRequest::Download(pointer.id.clone());
    let response = refresh::beside(call, call.run(&request, expected)).await?;
    let blob = file_api::read_found(response).map_err(ServerRefusal::of_download)?;

    let (progress, cancel) = (call.progress().clone(), call.cancel().clone());
    let work = move || {
        progress.stage(Stage::Verify);
        let sealed = UnverifiedBlob::new(blob)
            .verify(&pointer.digest)
            .map_err(|_differs| Mismatch::Digest)?;
        progress.stage(Stage::Open);
        let opened = sealed.open(whole_key(&pointer)?).map_err(Mismatch::Open)?;
        pointer
            .check(opened.header())
            .map_err(Mismatch::Description)?;
        // The last moment at which a cancel leaves no file.
        if cancel.is_cancelled() {
            return Err(AppError::Cancelled);
        }
        progress.stage(Stage::Save);
        let saved = target.save(&name_of(&opened, &pointer), opened.content())?;
        let len = opened.content().len() as u64;
        Ok((saved.path, len, saved.findings.unwrap_or_default(), pointer))
    };
    let (path, content_len, findings, pointer) = match tokio::task::spawn_blocking(work).await {
        Ok(done) => done?,
        // A worker ends early only when the program does.
        Err(_ended) => return Err(AppError::Cancelled),
    };
    let took = started.elapsed();
    let receipt = match pointer.receipts {
        None => Receipt::Unasked,
        Some(_) if !tell_sender => Receipt::Declined,
        Some(_) => {
            call.progress().stage(Stage::TellSender);
            tell_the_sender(call, &pointer).await
        }
    };
    Ok(Fetched {
        path,
        content_len,
        findings,
        receipt,
        took,
    })
}

/// Nothing that goes wrong here concerns the file, which is on disk.
async fn tell_the_sender(call: &Call, pointer: &Pointer) -> Receipt {
    let Some(key) = pointer.key.whole() else {
        return Receipt::Failed;
    };
    let request = FileRequest::Receipt {
        id: pointer.id.clone(),
        receipt: DownloadReceipt::make(key, &pointer.id, &mut random::system()),
    };
    let answer = call.silent().run(&request, 0).await;
    match answer.map(|answer| file_api::read_done(&answer)) {
        Ok(Ok(())) => Receipt::Sent,
        Ok(Err(_)) | Err(_) => Receipt::Failed,
    }
}

fn name_of(opened: &Opened, pointer: &Pointer) -> SafeFileName {
    let name = opened
        .header()
        .name
        .as_deref()
        .or(pointer.name.as_deref())
        .unwrap_or_default();
    SafeFileName::sanitize(name)
}
