//! Solves the work that a server asks for an upload, off the runtime's threads, with progress and cancel.

use rand_core::Rng as _;
use tokio_util::sync::CancellationToken;

use super::stage::{ProgressSink, Stage};
use crate::app::error::AppError;
use crate::protocol::capability::OwnedId;
use crate::protocol::capability::work::WorkSearch;
use crate::protocol::keys::Ed25519Public;
use crate::wire::random;

/// Finds a number that is enough work for storing the file with this id.
///
/// # Errors
/// [`AppError::Cancelled`].
pub(crate) async fn solve(
    server: Ed25519Public,
    id: OwnedId,
    bits: u8,
    progress: &ProgressSink,
    cancel: &CancellationToken,
) -> Result<u64, AppError> {
    let (progress, cancel) = (progress.clone(), cancel.clone());
    let first = random::system().next_u64();
    let searching = tokio::task::spawn_blocking(move || {
        let mut search = WorkSearch::new(&server, &id, bits, first);
        loop {
            progress.stage(Stage::Work {
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

/// Number of attempts between two looks at the cancel token: some milliseconds.
const STEP: u64 = 50_000;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parking_lot::Mutex;

    use super::*;
    use crate::protocol::capability::OwnerHash;
    use crate::protocol::capability::work::work_is_enough;
    use crate::protocol::digest::Digest;
    use crate::protocol::keys::Identity;

    fn id() -> OwnedId {
        OwnedId::new(
            500_000,
            &OwnerHash::from_bytes([1; 32]),
            &Digest::of(b"blob"),
        )
    }

    #[tokio::test]
    async fn work_is_found_with_progress_that_never_goes_back() {
        let server = Identity::from_seed([1; 32]).public();
        let told = Arc::new(Mutex::new(Vec::new()));
        let tell = {
            let told = Arc::clone(&told);
            ProgressSink::new(move |stage| {
                if let Stage::Work { permille } = stage {
                    told.lock().push(permille);
                }
            })
        };
        let cancel = CancellationToken::new();
        let found = solve(server, id(), 14, &tell, &cancel).await.unwrap();
        assert!(work_is_enough(&server, &id(), found, 14));
        let told = told.lock();
        assert_eq!(told.first(), Some(&0));
        assert!(told.is_sorted() && told.iter().all(|permille| *permille < 1_000));
    }

    #[tokio::test]
    async fn a_proof_does_not_tell_how_many_bits_were_asked_for() {
        let server = Identity::from_seed([1; 32]).public();
        let nobody = ProgressSink::none();
        let cancel = CancellationToken::new();
        let mut found = Vec::new();
        for _ in 0..8 {
            found.push(solve(server, id(), 4, &nobody, &cancel).await.unwrap());
        }
        found.sort_unstable();
        found.dedup();
        assert!(
            found.len() > 4,
            "each search begins somewhere else: {found:?}"
        );
    }

    #[tokio::test]
    async fn work_ends_when_it_is_cancelled() {
        let server = Identity::from_seed([1; 32]).public();
        let cancel = CancellationToken::new();
        let stop = cancel.clone();
        // The first sign of progress cancels, so the search is under way and far from its end.
        let tell = ProgressSink::new(move |_stage| stop.cancel());
        let ended = solve(server, id(), 29, &tell, &cancel).await;
        assert!(matches!(ended, Err(AppError::Cancelled)));
    }
}
