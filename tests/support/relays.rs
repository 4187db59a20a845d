//! Relays inside the test, on loopback, and requests that go through relays.

use std::net::SocketAddr;

use cloakroom::protocol::address::ServerAddress;
use cloakroom::protocol::file_api::FileRequest;
use cloakroom::protocol::keys::{Ed25519Public, Identity};
use cloakroom::protocol::onion::{Built, HopCipher, OnionRoute, build};
use cloakroom::protocol::relay_list::RelayDescriptor;
use cloakroom::relay::{Relay, RelayConfig, RunningRelay};
use cloakroom::wire::random;

/// The loopback address, with a port that the system picks.
pub(crate) fn loopback() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

/// Three relays that know each other and pass on to loopback, with the keys of the seeds 1, 2 and 3. `change` changes
/// their configuration.
pub(crate) async fn three_relays(change: impl Fn(&mut RelayConfig)) -> Vec<RunningRelay> {
    let mut relays = Vec::new();
    for seed in 1..=3 {
        let mut config = RelayConfig::new(loopback(), Identity::from_seed([seed; 32]));
        config.settings.allow_private = true;
        change(&mut config);
        relays.push(Relay::start(config).await.unwrap());
    }
    introduce(&relays, &entries(&relays));
    relays
}

/// The relays as a list names them.
pub(crate) fn entries(relays: &[RunningRelay]) -> Vec<RelayDescriptor> {
    let relays = relays.iter();
    relays.map(|relay| relay.descriptor().clone()).collect()
}

/// Gives each relay this list.
pub(crate) fn introduce(relays: &[RunningRelay], list: &[RelayDescriptor]) {
    for relay in relays {
        relay.set_relays(list.to_vec());
    }
}

/// The request as a client posts it to the first of these relays, which pass it on to the server; to the server itself
/// where there are none.
pub(crate) fn sealed_through(
    relays: &[Ed25519Public],
    server: &ServerAddress,
    request: &FileRequest,
    cipher: HopCipher,
    sealed_return: bool,
) -> Built {
    let route = OnionRoute {
        relays,
        server,
        cipher,
        sealed_return,
    };
    let (head, body) = (request.head(), request.body());
    build(&route, &head, body, &mut random::system()).unwrap()
}
