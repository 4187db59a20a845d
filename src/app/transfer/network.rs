//! Which server a use case talks to, and which way.

use std::sync::Arc;

use crate::app::operate::builtin::BuiltIn;
use crate::app::relays::set::RelaySet;
pub use crate::net::Moved;
use crate::protocol::address::ServerAddress;
use crate::protocol::path::RelayPath;
use crate::protocol::relay_list::RelayList;

/// A server and the way to it.
pub struct Network {
    server: ServerAddress,
    way: Route,
    /// Kept running while it is used.
    builtin: Option<Arc<BuiltIn>>,
}

/// The way to a server.
pub enum Route {
    /// Straight there: it sees this computer's address.
    Direct,
    /// Through three relays of a list.
    Relays(RelaySet),
}

impl Network {
    /// A server that somebody runs.
    #[must_use]
    pub const fn new(server: ServerAddress, way: Route) -> Self {
        Self {
            server,
            way,
            builtin: None,
        }
    }

    /// The server and relays inside this program, or inside another process of the same person.
    #[must_use]
    pub const fn built_in(server: ServerAddress, relays: RelayList, running: Arc<BuiltIn>) -> Self {
        Self {
            server,
            way: Route::Relays(RelaySet::built_in(relays)),
            builtin: Some(running),
        }
    }

    /// The same server without relays.
    #[must_use]
    pub fn without_relays(self) -> Self {
        Self {
            way: Route::Direct,
            ..self
        }
    }

    /// The server.
    #[must_use]
    pub const fn server(&self) -> &ServerAddress {
        &self.server
    }

    /// The way to it.
    #[must_use]
    pub const fn way(&self) -> &Route {
        &self.way
    }

    /// What a pointer carries for a recipient without relays, when there is something.
    #[must_use]
    pub fn relay_line(&self) -> Option<String> {
        match &self.way {
            Route::Direct => None,
            Route::Relays(set) => set.line(),
        }
    }

    /// The built-in network it belongs to.
    #[must_use]
    pub fn running(&self) -> Option<Arc<BuiltIn>> {
        self.builtin.clone()
    }

    /// Whether everything stays on this computer.
    #[must_use]
    pub const fn is_builtin(&self) -> bool {
        self.builtin.is_some()
    }
}

/// How far a share or get is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Reading and padding.
    Pad,
    /// Sealing.
    Seal,
    /// Drawing a path and connecting.
    FindPath,
    /// Solving the work that the server asks for.
    Work {
        /// How likely it was to be done by now, in thousandths: an estimate that never reaches 1,000.
        permille: u16,
    },
    /// Bytes move between here and the first relay.
    Moved(Moved),
    /// Comparing the digest.
    Verify,
    /// Opening the seal.
    Open,
    /// Writing the file.
    Save,
    /// Telling the sender, who asked for it, that the file is here.
    TellSender,
}

/// Whom to tell over which relays a try goes.
type TellPath = Arc<dyn Fn(&RelayPath) + Send + Sync>;

/// Whom to tell how far it is. Called often and from any thread: it keeps the newest value and returns at once.
#[derive(Clone)]
pub struct Tell {
    stage: Arc<dyn Fn(Stage) + Send + Sync>,
    path: Option<TellPath>,
}

impl Tell {
    /// Tells `tell`.
    #[must_use]
    pub fn new(tell: impl Fn(Stage) + Send + Sync + 'static) -> Self {
        Self {
            stage: Arc::new(tell),
            path: None,
        }
    }

    /// Also tells `path` over which relays a try is about to go.
    #[must_use]
    pub fn with_paths(self, path: impl Fn(&RelayPath) + Send + Sync + 'static) -> Self {
        Self {
            path: Some(Arc::new(path)),
            ..self
        }
    }

    /// Tells nobody.
    #[must_use]
    pub fn nobody() -> Self {
        Self::new(|_| ())
    }

    pub(crate) fn stage(&self, stage: Stage) {
        (self.stage)(stage);
    }

    pub(crate) fn path(&self, path: &RelayPath) {
        if let Some(tell) = &self.path {
            tell(path);
        }
    }
}
