//! Proves that a server takes and returns files over the way that transfers use: one small file up, and down again.

use std::time::{Duration, Instant};

use rand_core::Rng as _;
use tokio_util::sync::CancellationToken;

use super::error::{AppError, Mismatch, ServerRefusal};
use super::network::{Network, Tell};
use super::session::Session;
use crate::protocol::file_api::{self, FileRequest, Upload};
use crate::protocol::seal::{Kind, Sealed, UnverifiedBlob, seal};
use crate::wire::random;

/// How long each half took.
#[derive(Clone, Copy, Debug)]
pub struct Checked {
    /// Until the server confirmed.
    pub upload: Duration,
    /// Until the bytes were here, verified and the same.
    pub download: Duration,
}

/// Uploads a small file of random bytes that the server may forget after an hour, and downloads it again.
///
/// # Errors
/// [`AppError`], as a share or a get would end.
pub async fn check(
    session: &Session,
    network: &Network,
    cancel: &CancellationToken,
) -> Result<Checked, AppError> {
    let mut content = [0; 1_024];
    random::system().fill_bytes(&mut content);
    let Sealed { blob, key, digest } = seal(
        Kind::File,
        Some("test"),
        None,
        &content,
        &mut random::system(),
    )
    .map_err(|_never| ServerRefusal::Nonsense)?;
    let blob_len = blob.as_bytes().len();

    let mut shown = Vec::new();
    let started = Instant::now();
    let upload = FileRequest::Upload(Upload {
        ttl_secs: Some(TTL_SECS),
        ..Upload::new(blob.into_bytes())
    });
    let answer = session
        .run(network, &upload, 0, &Tell::nobody(), &mut shown, cancel)
        .await?;
    let stored =
        file_api::read_uploaded(&answer, blob_len, &digest).map_err(ServerRefusal::of_upload)?;
    let upload = started.elapsed();

    let started = Instant::now();
    let download = FileRequest::Download(stored.id);
    let answer = session
        .run(
            network,
            &download,
            blob_len,
            &Tell::nobody(),
            &mut shown,
            cancel,
        )
        .await?;
    let blob = file_api::read_found(answer).map_err(ServerRefusal::of_download)?;
    let opened = UnverifiedBlob::new(blob)
        .verify(&digest)
        .map_err(|_differs| Mismatch::Digest)?
        .open(&key)
        .map_err(Mismatch::Open)?;
    if opened.content() != content {
        return Err(Mismatch::Digest.into());
    }
    Ok(Checked {
        upload,
        download: started.elapsed(),
    })
}

/// The shortest time servers keep a file.
const TTL_SECS: u64 = 3_600;
