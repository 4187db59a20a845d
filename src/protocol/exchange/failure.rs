//! Why one try of a request failed.

use thiserror::Error;

use crate::protocol::keys::Ed25519Public;
use crate::protocol::onion::BuildError;
use crate::protocol::path::{DrawError, NoPath};

/// Why a try failed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Failure {
    /// No guard answers, and no new one may be drawn yet.
    #[error("the network here blocks the relays")]
    Blocked,
    /// The request does not fit its constant length, or a key on the path is weak.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The connection broke.
    #[error("the connection broke")]
    Broken,
    /// The guard, or without relays the server, cannot be reached.
    #[error("the first party of the path cannot be reached")]
    FirstUnreachable,
    /// The server's own answer cannot be read.
    #[error("the server's answer cannot be read")]
    Malformed,
    /// No path can be drawn.
    #[error(transparent)]
    NoPath(#[from] NoPath),
    /// A plain answer that nobody vouches for.
    #[error("an unauthenticated answer with status {0}")]
    Plain(u16),
    /// A relay refused or failed, authenticated by its own key.
    #[error("relay {hop} of the path failed with status {status}")]
    Relay {
        /// Place of the relay on the path; 0 is the guard.
        hop: usize,
        /// HTTP status that the relay gave.
        status: u16,
    },
    /// A relay of the path cannot reach the next one.
    #[error("a relay of the path cannot be reached by the one before it")]
    RelayUnreachable(Ed25519Public),
    /// The server itself asks to come again later. Ends no exchange: the last answer of that kind is believed.
    #[error("the server is in trouble: {0}")]
    ServerBusy(u16),
    /// The last relay does not serve the server's host.
    #[error("the last relay does not serve the server's host")]
    ServerNotServed,
    /// What stands at the server's address answered without opening the request.
    #[error("the server's address answered {0} without opening the request")]
    ServerPlain(u16),
    /// The last relay cannot reach the server.
    #[error("the last relay cannot reach the server")]
    ServerUnreachable,
    /// The server cannot open the request: another key than the address names.
    #[error("the server does not hold the key of its address")]
    ServerWrongKey,
    /// An answer was changed on its way.
    #[error("the answer was changed at layer {0}")]
    Tampered(usize),
    /// Nothing moved for too long.
    #[error("nothing moved for too long")]
    TimedOut,
}

impl From<DrawError> for Failure {
    fn from(error: DrawError) -> Self {
        match error {
            DrawError::Blocked => Self::Blocked,
            DrawError::NoPath(why) => Self::NoPath(why),
        }
    }
}

impl Failure {
    /// Whether another try can end differently.
    #[must_use]
    pub(crate) const fn is_worth_a_retry(&self) -> bool {
        !matches!(
            self,
            Self::Blocked | Self::Build(_) | Self::Malformed | Self::NoPath(_)
        )
    }
}
