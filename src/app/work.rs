//! Solves the work that a server asks for an upload, off the runtime's threads, with progress and cancel.

use tokio_util::sync::CancellationToken;

use super::error::{AppError, ServerRefusal};
use super::network::{Stage, Tell};
use crate::protocol::capability::work::{MAX_WORK_BITS, WorkSearch};
use crate::protocol::digest::Digest;
use crate::protocol::keys::Ed25519Public;

/// Finds a number that is enough work for a blob.
///
/// # Errors
/// [`ServerRefusal::TooMuchWork`] when it would take hours, [`AppError::Cancelled`].
pub(super) async fn solve(
    server: Ed25519Public,
    blob: Digest,
    bits: u8,
    tell: &Tell,
    cancel: &CancellationToken,
) -> Result<u64, AppError> {
    if bits > MAX_WORK_BITS {
        return Err(ServerRefusal::TooMuchWork.into());
    }
    let (tell, cancel) = (tell.clone(), cancel.clone());
    let searching = tokio::task::spawn_blocking(move || {
        let mut search = WorkSearch::new(&server, &blob, bits);
        loop {
            tell.stage(Stage::Work {
                permille: search.likelihood_permille(),
            });
            if cancel.is_cancelled() {
                return Err(AppError::Cancelled);
            }
            if let Some(found) = search.run(STEP) {
                return Ok(found);
            }
        }
    });
    // A worker ends early only when the program does.
    searching.await.unwrap_or(Err(AppError::Cancelled))
}

/// Some milliseconds of work.
const STEP: u64 = 50_000;

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::Mutex;

    use super::*;
    use crate::protocol::capability::work::work_is_enough;
    use crate::protocol::keys::Identity;

    #[tokio::test]
    async fn work_is_found_with_progress_that_never_goes_back() {
        let server = Identity::from_seed([1; 32]).public();
        let blob = Digest::of(b"blob");
        let told = Arc::new(Mutex::new(Vec::new()));
        let tell = {
            let told = Arc::clone(&told);
            Tell::new(move |stage| {
                if let Stage::Work { permille } = stage {
                    told.lock().unwrap().push(permille);
                }
            })
        };
        let cancel = CancellationToken::new();
        let found = solve(server, blob, 16, &tell, &cancel).await.unwrap();
        assert!(work_is_enough(&server, &blob, found, 16));
        let told = told.lock().unwrap();
        assert_eq!(told.first(), Some(&0));
        assert!(told.is_sorted() && told.iter().all(|permille| *permille < 1_000));
    }

    #[tokio::test]
    async fn work_ends_when_it_is_cancelled_and_does_not_begin_when_it_is_absurd() {
        let server = Identity::from_seed([1; 32]).public();
        let cancel = CancellationToken::new();
        let stop = cancel.clone();
        // The first sign of progress cancels, so the search is under way and far from its end.
        let tell = Tell::new(move |_stage| stop.cancel());
        let ended = solve(server, Digest::of(b"blob"), 32, &tell, &cancel).await;
        assert!(matches!(ended, Err(AppError::Cancelled)));
        let refused = solve(
            server,
            Digest::of(b"blob"),
            33,
            &Tell::nobody(),
            &CancellationToken::new(),
        )
        .await;
        assert!(matches!(
            refused,
            Err(AppError::Server(ServerRefusal::TooMuchWork))
        ));
    }
}
