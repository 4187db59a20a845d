//! Progress of one try of a request.

use std::sync::Arc;

use crate::protocol::path::RelayPath;

/// Where the bytes of one try are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Moved {
    /// There is no connection yet.
    #[default]
    Connecting,
    /// The connection has taken so many bytes of the request.
    Sending {
        /// Bytes of the request that the connection has taken.
        sent: u64,
        /// Length of the whole request, in bytes.
        total: u64,
    },
    /// The whole request is on its way and nothing of the answer has come: nothing can be seen now.
    Crossing,
    /// The answer is coming.
    Receiving {
        /// Bytes of the answer that have been read.
        received: u64,
        /// Length of the whole answer, in bytes; 0 when the other side did not say.
        total: u64,
    },
}

/// Receives where the bytes of a try are. It is called often, from any thread, and must not block.
#[derive(Clone)]
pub struct Progress {
    moved: Arc<dyn Fn(Moved) + Send + Sync>,
    path: Arc<dyn Fn(&RelayPath) + Send + Sync>,
}

impl Progress {
    /// A sink that calls `on_moved` whenever bytes have moved.
    #[must_use]
    pub(crate) fn new(on_moved: impl Fn(Moved) + Send + Sync + 'static) -> Self {
        Self {
            moved: Arc::new(on_moved),
            path: Arc::new(|_| ()),
        }
    }

    /// This sink, which also calls `on_path` with the path that a try is about to take.
    #[must_use]
    pub(crate) fn with_paths(self, on_path: impl Fn(&RelayPath) + Send + Sync + 'static) -> Self {
        Self {
            path: Arc::new(on_path),
            ..self
        }
    }

    /// A sink that drops everything.
    #[must_use]
    pub(crate) fn none() -> Self {
        Self::new(|_| ())
    }

    pub(super) fn set(&self, moved: Moved) {
        (self.moved)(moved);
    }

    pub(super) fn path(&self, path: &RelayPath) {
        (self.path)(path);
    }
}
