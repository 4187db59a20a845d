//! Fetching the list of the parts, and what its owner does with all of them.

use std::sync::Arc;

use tokio::task::block_in_place;

use super::super::call::Call;
use super::super::supported::whole_key;
use super::discard::{self, Deletions, OwnedBlob};
use crate::app::error::{AppError, Mismatch, ServerRefusal};
use crate::protocol::file_api::{self, AnswerError, Expiry, FileRequest};
use crate::protocol::parts::{PartList, PartsOwner, Store};
use crate::protocol::pointer::Pointer;
use crate::protocol::seal::UnverifiedBlob;
use crate::protocol::size_class::LARGEST_BLOB_LEN;

/// Fetches the list that `pointer` means, verifies and opens it. The name of the whole comes with it.
///
/// # Errors
/// [`AppError`]; of the parts nothing was asked yet.
pub(in crate::app::transfer) async fn fetch(
    call: &Call,
    pointer: &Pointer,
) -> Result<(Arc<PartList>, Option<String>), AppError> {
    // How long the list is, is not known before.
    let request = FileRequest::Download(pointer.id.clone());
    let response = call.run(&request, LARGEST_BLOB_LEN).await?;
    let blob = file_api::read_found(response).map_err(ServerRefusal::of_download)?;
    block_in_place(|| {
        let sealed = UnverifiedBlob::new(blob)
            .verify(&pointer.digest)
            .map_err(|_differs| Mismatch::Digest)?;
        let opened = sealed.open(whole_key(pointer)?).map_err(Mismatch::Open)?;
        let list = PartList::read(&opened, pointer, false).map_err(Mismatch::List)?;
        Ok((Arc::new(list), opened.header().name.clone()))
    })
}

/// Deletes all parts that `pointer`'s list names. The list itself stays, so that it can be tried again.
///
/// # Errors
/// [`AppError`] when not even the list can be had.
pub(in crate::app::transfer) async fn delete_parts(
    call: &Call,
    pointer: &Pointer,
    owner: &PartsOwner,
) -> Result<Deletions, AppError> {
    let (list, _) = fetch(call, pointer).await?;
    let parts = list.plan().indices().filter_map(|index| {
        Some(OwnedBlob {
            id: list.id(Store::Server, index)?,
            token: owner.part_token(Store::Server, index),
        })
    });
    Ok(discard::delete_all(&call.silent(), parts.collect()).await)
}

/// Has the server keep all parts that `pointer`'s list names until `expiry`. Returns when the first of them expires, in unix
/// seconds.
///
/// # Errors
/// [`AppError`] of the first part that cannot be kept.
pub(in crate::app::transfer) async fn extend_parts(
    call: &Call,
    pointer: &Pointer,
    owner: &PartsOwner,
    expiry: Option<Expiry>,
) -> Result<u64, AppError> {
    let (list, _) = fetch(call, pointer).await?;
    let requests = list.plan().indices().filter_map(|index| {
        Some(FileRequest::Extend {
            id: list.id(Store::Server, index)?,
            expiry,
            token: Some(owner.part_token(Store::Server, index)),
        })
    });
    let mut first = Ok(u64::MAX);
    discard::send_each(&call.silent(), requests, |answer| {
        let kept = answer.and_then(|answer| match file_api::read_file_info(&answer) {
            Ok(info) => Ok(info.expires_secs()),
            Err(AnswerError::Status(405)) => Err(ServerRefusal::NoOwners.into()),
            Err(error) => Err(ServerRefusal::of_download(error).into()),
        });
        first = match (&first, kept) {
            (Ok(first), Ok(kept)) => Ok(kept.min(*first)),
            (Ok(_), Err(error)) => Err(error),
            (Err(_), _) => return,
        };
    })
    .await;
    first
}
