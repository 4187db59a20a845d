//! How far one try is.

use std::sync::Arc;

use crate::protocol::path::RelayPath;

/// Where the bytes of one try are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Moved {
    /// No connection stands yet.
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

/// Whom to tell. Called often and from any thread: it keeps the newest value and returns at once.
#[derive(Clone)]
pub struct Progress {
    moved: Arc<dyn Fn(Moved) + Send + Sync>,
    path: Arc<dyn Fn(&RelayPath) + Send + Sync>,
}

impl Progress {
    /// Tells `tell`.
    #[must_use]
    pub fn new(tell: impl Fn(Moved) + Send + Sync + 'static) -> Self {
        Self {
            moved: Arc::new(tell),
            path: Arc::new(|_| ()),
        }
    }

    /// Also tells `path` over which relays a try is about to go.
    #[must_use]
    pub fn with_paths(self, path: impl Fn(&RelayPath) + Send + Sync + 'static) -> Self {
        Self {
            path: Arc::new(path),
            ..self
        }
    }

    /// Tells nobody.
    #[must_use]
    pub fn unseen() -> Self {
        Self::new(|_| ())
    }

    pub(super) fn set(&self, moved: Moved) {
        (self.moved)(moved);
    }

    pub(super) fn path(&self, path: &RelayPath) {
        (self.path)(path);
    }
}
