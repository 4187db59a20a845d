//! The HTTP clients of relays and servers: straight, one try, nothing remembered. They decide nothing.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::{Client, ClientBuilder};

use super::tls;
use crate::protocol::address::ServerAddress;
use crate::protocol::keys::Ed25519Public;

/// One try, straight to the address; connections are kept for less long than listeners keep them.
pub(crate) fn builder() -> ClientBuilder {
    Client::builder()
        .http1_only()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(Duration::from_secs(10))
        .pool_idle_timeout(Duration::from_secs(3))
}

/// The client that speaks to the relay with this key and no other; `None` when TLS cannot be set up.
pub(crate) fn to_relay(key: &Ed25519Public) -> Option<Client> {
    let tls = tls::pinned_client_config(key).ok()?;
    builder()
        .tls_backend_preconfigured(tls)
        .https_only(true)
        .build()
        .ok()
}

/// The client that speaks to a file server, from the address `local` of this machine if one is given; `None` when TLS cannot
/// be set up. It reads the system's certificates for https alone.
pub(crate) fn to_server(address: &ServerAddress, local: Option<IpAddr>) -> Option<Client> {
    let builder = builder().local_address(local);
    if address.url.is_https() {
        tls::provider();
        return builder.https_only(true).build().ok();
    }
    // Never used: naming a configuration keeps the system's certificates from being read.
    let tls = tls::pinned_client_config(&address.key).ok()?;
    builder.tls_backend_preconfigured(tls).build().ok()
}
