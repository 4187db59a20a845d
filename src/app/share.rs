//! Share: file → padded, sealed → uploaded → pointer.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::error::{AppError, LocalFileError, ServerRefusal};
use super::local_file;
use super::network::{Network, Stage, Tell};
use super::session::Session;
use super::who_saw_what::RequestShown;
use crate::protocol::file_api::{self, FileRequest, OWNER_FEATURE, ServerInfo, Upload};
use crate::protocol::pointer::{Pointer, short_name};
use crate::protocol::seal::{FileKey, Kind, Sealed, seal};
use crate::protocol::size_class::{MAX_CONTENT_LEN, SizeClass};
use crate::protocol::{capability::OwnerToken, digest::Digest};
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
}

/// A file that a server confirmed.
pub struct Shared {
    /// What the recipient needs.
    pub pointer: Pointer,
    /// The size everybody on the way saw.
    pub class: SizeClass,
    /// Whether the pointer works on this computer only.
    pub builtin: bool,
    /// What each party was shown.
    pub shown: Vec<RequestShown>,
    /// From the first byte read to the server's confirmation.
    pub took: Duration,
}

/// Shares a file over `network`.
///
/// # Errors
/// [`AppError`]; nothing is left at the server that it did not confirm.
pub async fn share(
    session: &Session,
    network: &Network,
    request: ShareRequest,
    tell: &Tell,
    cancel: &CancellationToken,
) -> Result<Shared, AppError> {
    let started = Instant::now();
    let (blob, key, digest, name, content_len) = prepare(request.file.clone(), tell).await?;
    let class = blob.class();

    tell.stage(Stage::FindPath);
    let mut shown = Vec::new();
    let info = session.server_info(network, &mut shown, cancel).await?;
    check_limits(info.as_ref(), class, request.ttl_secs)?;

    let owner = info
        .as_ref()
        .is_some_and(|info| info.has(OWNER_FEATURE))
        .then(|| OwnerToken::generate(&mut random::system()));
    let upload = FileRequest::Upload(Upload {
        ttl_secs: request.ttl_secs,
        owner: owner.map(|token| token.hash()),
        ..Upload::new(blob.into_bytes())
    });
    let response = session
        .run(network, &upload, 0, tell, &mut shown, cancel)
        .await?;
    let stored = file_api::read_uploaded(&response, class.blob_len(), &digest)
        .map_err(ServerRefusal::of_upload)?;

    let pointer = Pointer {
        server: network.server().clone(),
        id: stored.id,
        key,
        digest,
        content_len,
        name: request.name_in_pointer.then(|| short_name(&name)),
        kind: Kind::File,
        expires: Some(stored.expires),
        words: None,
        receipts: None,
        relay_list: None,
    };
    Ok(Shared {
        pointer,
        class,
        builtin: network.is_builtin(),
        shown,
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
            Kind::File,
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

fn check_limits(
    info: Option<&ServerInfo>,
    class: SizeClass,
    ttl_secs: Option<u64>,
) -> Result<(), ServerRefusal> {
    let Some(info) = info else {
        return Ok(());
    };
    if class.blob_len() as u64 > info.max_blob {
        return Err(ServerRefusal::TooLarge {
            max_blob: info.max_blob,
        });
    }
    if ttl_secs.is_some_and(|ttl| !(MIN_TTL_SECS..=info.ttl_max).contains(&ttl)) {
        return Err(ServerRefusal::Ttl {
            max_secs: info.ttl_max,
        });
    }
    Ok(())
}

/// Servers count in hours.
const MIN_TTL_SECS: u64 = 3_600;
