//! Which keys requests are opened with: the server's own, and those before it for as long as people hold its old address.

use crate::protocol::keys::{Ed25519Public, Identity, X25519Secret};

/// A key that the server had before.
pub struct PreviousKey {
    /// The key.
    pub key: Identity,
    /// When it was replaced, in unix seconds: requests to it are answered for 60 days.
    pub replaced_at: u64,
}

/// The keys of a server.
pub(super) struct Keys {
    own: (Ed25519Public, X25519Secret),
    previous: Vec<(Ed25519Public, X25519Secret, u64)>,
}

impl Keys {
    pub(super) fn new(own: &Identity, previous: &[PreviousKey]) -> Self {
        Self {
            own: (own.public(), own.x25519()),
            previous: previous
                .iter()
                .map(|old| (old.key.public(), old.key.x25519(), old.replaced_at))
                .collect(),
        }
    }

    /// The server's own key.
    pub(super) fn own(&self) -> Ed25519Public {
        self.own.0
    }

    /// The keys that open requests at `now`, the server's own first.
    pub(super) fn good(&self, now: u64) -> Vec<(Ed25519Public, &X25519Secret)> {
        let previous = self
            .previous
            .iter()
            .filter(|(.., replaced_at)| now < replaced_at.saturating_add(PREVIOUS_SECS))
            .map(|(public, secret, _)| (*public, secret));
        std::iter::once((self.own.0, &self.own.1))
            .chain(previous)
            .collect()
    }
}

/// How long a replaced key still opens requests, in seconds.
const PREVIOUS_SECS: u64 = 60 * 24 * 3600;
