//! Proves that a server takes, returns and deletes files over the route that transfers use: one small file up, down, gone.

use std::time::{Duration, Instant};

use rand_core::Rng as _;

use super::call::Call;
use super::upload::{BlobUpload, NoRecord, UploadTerms};
use crate::app::error::{AppError, Mismatch, ServerRefusal};
use crate::protocol::file_api::{self, FileRequest};
use crate::protocol::seal::{ContentKind, Sealed, UnverifiedBlob, seal};
use crate::wire::random;

/// How long each step took.
#[derive(Clone, Debug)]
pub struct Checked {
    /// Until the server confirmed, with the question what it takes, and its work if it asks for some.
    pub upload: Duration,
    /// Until the bytes were here, verified and the same.
    pub download: Duration,
    /// Until the server had deleted it and no longer gave it out; `None` for a server that does not delete.
    pub delete: Option<Duration>,
}

impl Checked {
    /// A line for each step, for a terminal.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let millis = |time: Duration| format!("{} ms", time.as_millis());
        vec![
            format!("Upload: stored and confirmed in {}.", millis(self.upload)),
            format!(
                "Download: came back with the same bytes in {}.",
                millis(self.download)
            ),
            self.delete.map_or_else(
                || {
                    "Delete: this server does not delete on demand; the test file goes when its time is over."
                        .to_owned()
                },
                |time| format!("Delete: gone from the server in {}.", millis(time)),
            ),
        ]
    }
}

/// Uploads a small file of random bytes that the server may forget after an hour, downloads it, deletes it, and makes
/// sure that it is gone.
///
/// # Errors
/// [`AppError`], as a share or a get would end; [`ServerRefusal::StillThere`] when a deleted file is still given out.
pub async fn check(call: &Call) -> Result<Checked, AppError> {
    let _remembered = call.program().remember_at_the_end();
    let mut content = [0; 1_024];
    random::system().fill_bytes(&mut content);
    let Sealed { blob, key, digest } = seal(
        ContentKind::File,
        Some("test"),
        None,
        &content,
        &mut random::system(),
    )
    .map_err(|_never| ServerRefusal::Nonsense)?;
    let blob_len = blob.as_bytes().len();

    let started = Instant::now();
    let terms = UploadTerms {
        ttl_secs: Some(TTL_SECS),
        ..UploadTerms::default()
    };
    // It is gone at the end, or after an hour: nobody is going to ask for it.
    let record = NoRecord::new();
    let info = call.info_for_upload().await?;
    let stored = BlobUpload::new(call, &record, blob, digest, terms)
        .send(info)
        .await?;
    let upload = started.elapsed();

    let started = Instant::now();
    let download = FileRequest::Download(stored.at.id.clone());
    let answer = call.run(&download, blob_len).await?;
    let blob = file_api::read_found(answer).map_err(ServerRefusal::of_download)?;
    let opened = UnverifiedBlob::new(blob)
        .verify(&digest)
        .map_err(|_differs| Mismatch::Digest)?
        .open(&key)
        .map_err(Mismatch::Open)?;
    if opened.content() != content {
        return Err(Mismatch::Digest.into());
    }
    let downloaded = started.elapsed();

    let mut deleted = None;
    if let Some(token) = stored.token {
        let started = Instant::now();
        let delete = FileRequest::Delete {
            id: stored.at.id,
            token,
        };
        let silent = call.silent();
        let answer = silent.run(&delete, 0).await?;
        file_api::read_done(&answer).map_err(ServerRefusal::of_download)?;
        // That it is deleted is only the server's word so far.
        let answer = silent.run(&download, blob_len).await?;
        if answer.code != 404 {
            return Err(ServerRefusal::StillThere.into());
        }
        deleted = Some(started.elapsed());
    }
    Ok(Checked {
        upload,
        download: downloaded,
        delete: deleted,
    })
}

/// The shortest time servers keep a file.
const TTL_SECS: u64 = 3_600;
