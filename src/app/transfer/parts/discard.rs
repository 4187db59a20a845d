//! Small requests for all blobs of a share in parts, several at once: deleting them is one.

use tokio::task::JoinSet;

use super::super::call::Call;
use crate::app::error::AppError;
use crate::protocol::address::FileId;
use crate::protocol::capability::OwnerToken;
use crate::protocol::file_api::{self, AnswerError, FileRequest};
use crate::protocol::onion::v4::Response;
use crate::protocol::parts::{MAX_ON_WAY, PartsOwner, Store};
use crate::protocol::resume::{PartAt, SenderState};

/// A blob that may be at the server, and what deletes it there.
pub(super) struct OwnedBlob {
    pub(super) id: FileId,
    pub(super) token: OwnerToken,
}

/// What came of deleting blobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::app::transfer) struct Deletions {
    /// The server removed so many.
    pub(in crate::app::transfer) deleted: u32,
    /// The server could not be reached for so many, or refused: they are gone when they expire.
    pub(in crate::app::transfer) left: u32,
}

/// The blobs of a share that others took the place of.
pub(super) fn superseded(state: &SenderState, owner: &PartsOwner) -> Vec<OwnedBlob> {
    let blobs = state.superseded().map(|blob| OwnedBlob {
        id: blob.id,
        token: match blob.index {
            Some(index) => owner.part_token(blob.store, index),
            None => owner.list_token(blob.store),
        },
    });
    blobs.collect()
}

/// All blobs of a share that were sealed to be sent; the list is the last one.
pub(super) fn all(state: &SenderState) -> Vec<OwnedBlob> {
    let begin = state.begin();
    let (owner, store) = (&begin.owner, Store::Server);
    let mut blobs = superseded(state, owner);
    blobs.extend(begin.plan.indices().filter_map(|index| {
        Some(OwnedBlob {
            id: state.id(PartAt { index, store })?,
            token: owner.part_token(store, index),
        })
    }));
    blobs.extend(state.list_id(store).map(|id| OwnedBlob {
        id,
        token: owner.list_token(store),
    }));
    blobs
}

/// Deletes blobs, in this order. One that the server has not got is deleted.
pub(super) async fn delete_all(call: &Call, blobs: Vec<OwnedBlob>) -> Deletions {
    let mut deletions = Deletions::default();
    let requests = blobs
        .into_iter()
        .map(|OwnedBlob { id, token }| FileRequest::Delete { id, token });
    send_each(call, requests, |answer| {
        match answer.map(|answer| file_api::read_done(&answer)) {
            Ok(Ok(())) => deletions.deleted += 1,
            Ok(Err(AnswerError::Status(404))) => {}
            Ok(Err(_)) | Err(_) => deletions.left += 1,
        }
    })
    .await;
    deletions
}

/// Sends small requests, four at a time and in this order. `take` gets what came of each, in any order.
pub(super) async fn send_each(
    call: &Call,
    requests: impl IntoIterator<Item = FileRequest>,
    mut take: impl FnMut(Result<Response, AppError>),
) {
    let mut running = JoinSet::new();
    let mut requests = requests.into_iter();
    loop {
        while running.len() < MAX_ON_WAY
            && let Some(request) = requests.next()
        {
            let call = call.clone();
            running.spawn(async move { call.run(&request, 0).await });
        }
        match running.join_next().await {
            None => return,
            Some(Ok(ended)) => take(ended),
            // A task ends early only when the program does.
            Some(Err(_ended)) => take(Err(AppError::Cancelled)),
        }
    }
}
