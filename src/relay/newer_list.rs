//! How a request asks for a newer list: one that names a relay beyond the list that is held waits until the list was asked for.
//! So relays know each other as soon as anybody goes over them, and not when the next hour comes.

use std::time::Duration;

use parking_lot::RwLock;
use tokio::sync::{mpsc, oneshot};

/// Where requests wait for a newer list.
#[derive(Default)]
pub(super) struct NewerList {
    /// `None` while nobody could ask for one.
    waiting: RwLock<Option<mpsc::Sender<WaitingRequest>>>,
}

/// A request that waits; it goes on when this is dropped.
pub(super) type WaitingRequest = oneshot::Sender<()>;

/// The requests that wait for a newer list.
pub(super) type WaitingRequests = mpsc::Receiver<WaitingRequest>;

impl NewerList {
    /// The requests that wait from now on, for whoever asks for the list.
    pub(super) fn follow(&self) -> WaitingRequests {
        let (sender, requests) = mpsc::channel(MAX_WAITING);
        *self.waiting.write() = Some(sender);
        requests
    }

    /// Returns when the list was asked for, or at once when nobody asks or too many wait already.
    pub(super) async fn wait(&self) {
        let (request, answered) = oneshot::channel();
        let waiting = self.waiting.read().clone();
        if waiting.is_some_and(|waiting| waiting.try_send(request).is_ok()) {
            drop(tokio::time::timeout(PATIENCE, answered).await);
        }
    }
}

/// The most requests that wait; the others are told at once that the next relay is not known.
const MAX_WAITING: usize = 64;
/// Less than whoever sent the request waits for its answer.
const PATIENCE: Duration = Duration::from_secs(10);
