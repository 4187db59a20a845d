//! Get: pointer → downloaded → verified → opened → saved.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::content_type::{self, Findings, System};
use super::error::{AppError, Mismatch, ServerRefusal};
use super::file_name::SafeFileName;
use super::network::{Network, Stage, Tell};
use super::save::{self, SaveTo};
use super::session::Session;
use super::who_saw_what::RequestShown;
use crate::protocol::file_api::{self, FileRequest};
use crate::protocol::pointer::Pointer;
use crate::protocol::seal::{Kind, Opened, UnverifiedBlob};
use crate::protocol::size_class::SizeClass;

/// A file that was verified, opened and saved.
pub struct Fetched {
    /// Where it is.
    pub path: PathBuf,
    /// Its bytes.
    pub content_len: u64,
    /// What name and content say of each other.
    pub findings: Findings,
    /// What each party was shown.
    pub shown: Vec<RequestShown>,
    /// From the first byte sent to the file on disk.
    pub took: Duration,
}

/// Whether this version can fetch what `pointer` describes.
///
/// # Errors
/// [`AppError::Newer`] for folders, parts and words, which this version does not have yet.
pub fn check_supported(pointer: &Pointer) -> Result<(), AppError> {
    if pointer.words.is_some() {
        return Err(AppError::Newer("it is protected by words"));
    }
    match pointer.kind {
        Kind::File => {}
        Kind::Folder => return Err(AppError::Newer("it holds a folder")),
        Kind::PartList | Kind::Part => return Err(AppError::Newer("it is cut into parts")),
    }
    if SizeClass::for_content_len(pointer.content_len).is_none() {
        return Err(AppError::Newer("it is larger than one part"));
    }
    Ok(())
}

/// Fetches what `pointer` describes over `network` and saves it. Everything is verified and opened in memory before
/// anything is written.
///
/// # Errors
/// [`AppError`]; nothing is left on disk then.
pub async fn get(
    session: &Session,
    network: &Network,
    pointer: Pointer,
    to: SaveTo,
    tell: &Tell,
    cancel: &CancellationToken,
) -> Result<Fetched, AppError> {
    let started = Instant::now();
    check_supported(&pointer)?;
    let expected = SizeClass::for_content_len(pointer.content_len).map_or(0, SizeClass::blob_len);

    tell.stage(Stage::FindPath);
    let mut shown = Vec::new();
    let request = FileRequest::Download(pointer.id.clone());
    let response = session
        .run(network, &request, expected, tell, &mut shown, cancel)
        .await?;
    let blob = file_api::read_found(response).map_err(ServerRefusal::of_download)?;

    let tell = tell.clone();
    let cancel = cancel.clone();
    let work = move || {
        tell.stage(Stage::Verify);
        let sealed = UnverifiedBlob::new(blob)
            .verify(&pointer.digest)
            .map_err(|_differs| Mismatch::Digest)?;
        tell.stage(Stage::Open);
        let opened = sealed.open(&pointer.key).map_err(Mismatch::Open)?;
        opened.check(&pointer).map_err(Mismatch::Description)?;
        if cancel.is_cancelled() {
            return Err(AppError::Cancelled);
        }
        tell.stage(Stage::Save);
        let path = save::save(&to, &name_of(&opened, &pointer), opened.content())?;
        let saved_as = path.file_name().unwrap_or_default().to_string_lossy();
        let findings = content_type::find(&saved_as, opened.content(), System::here());
        Ok((path, opened.content().len() as u64, findings))
    };
    let (path, content_len, findings) = match tokio::task::spawn_blocking(work).await {
        Ok(done) => done?,
        // A worker ends early only when the program does.
        Err(_ended) => return Err(AppError::Cancelled),
    };
    Ok(Fetched {
        path,
        content_len,
        findings,
        shown,
        took: started.elapsed(),
    })
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
