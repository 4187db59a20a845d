//! Where the relay list is from that the server hands out: a file that its operator signs, or the network that it keeps.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::network::{NetworkConfig, NetworkServer, OpenNetworkError, RelayNetwork};
use super::relay_mirror::RelayMirror;
use crate::protocol::file_api::SignedList;
use crate::wire::admission::Admission;
use crate::wire::clock::Clock;

/// Where the relay list is from.
pub(crate) enum RelayLists {
    /// The network that the server keeps.
    Kept(Arc<RelayNetwork>),
    /// A file that the operator signs.
    Mirrored(Arc<RelayMirror>),
    /// There is none.
    None,
}

impl RelayLists {
    /// Opens the network, if the server keeps one.
    ///
    /// # Errors
    /// [`OpenNetworkError`].
    pub(crate) async fn open(
        network: Option<NetworkConfig>,
        server: NetworkServer<'_>,
    ) -> Result<Self, OpenNetworkError> {
        let file = server.relay_list.clone();
        Ok(match (network, file) {
            (Some(network), _) => Self::Kept(RelayNetwork::open(network, server).await?),
            (None, Some(file)) => Self::Mirrored(Arc::new(RelayMirror::new(file))),
            (None, None) => Self::None,
        })
    }

    /// The network that the server keeps.
    pub(crate) const fn network(&self) -> Option<&Arc<RelayNetwork>> {
        match self {
            Self::Kept(network) => Some(network),
            Self::Mirrored(_) | Self::None => None,
        }
    }

    /// The answer to `GET /relays` at `now` (unix seconds); `None` while there is no list that anybody could use.
    pub(crate) async fn current(&self, now: u64) -> Option<SignedList> {
        match self {
            Self::Kept(network) => network.list(now),
            Self::Mirrored(mirror) => RelayMirror::current(Arc::clone(mirror), now).await,
            Self::None => None,
        }
    }

    /// Keeps the network up, and gives the listed relays their share, until `stop`.
    pub(crate) fn follow(&self, clock: &Clock, admission: &Admission, stop: &CancellationToken) {
        match self {
            Self::Kept(network) => {
                tokio::spawn(Arc::clone(network).run(stop.clone()));
            }
            Self::Mirrored(mirror) => {
                tokio::spawn(follow_relays(
                    Arc::clone(mirror),
                    Arc::clone(clock),
                    admission.clone(),
                    stop.clone(),
                ));
            }
            Self::None => {}
        }
    }
}

/// Gives the relays of the mirrored list their share, also when the list is replaced.
async fn follow_relays(
    mirror: Arc<RelayMirror>,
    clock: Clock,
    admission: Admission,
    stop: CancellationToken,
) {
    let mut looks = tokio::time::interval(LIST_LOOK_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _at = looks.tick() => {
                admission.set_listed(RelayMirror::hosts(Arc::clone(&mirror), clock()).await);
            }
        }
    }
}

const LIST_LOOK_EVERY: Duration = Duration::from_secs(30);
