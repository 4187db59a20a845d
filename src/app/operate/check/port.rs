//! Who is at a port: nobody, a relay with a certain key, or another program.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::net::SocksProxy;
use crate::net::socks::{ConnectError, ProxyFailure};
use crate::protocol::keys::Ed25519Public;
use crate::wire::tls;

/// What is at a port of this machine.
pub(super) enum Port {
    /// The port is free.
    Free,
    /// A program listens on the port.
    Taken,
    /// The address is not this machine's, or needs a right that this user does not have.
    Unusable(std::io::Error),
}

/// Tries to listen, and lets go again.
pub(super) async fn look(addr: SocketAddr) -> Port {
    match TcpListener::bind(addr).await {
        Ok(_listener) => Port::Free,
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => Port::Taken,
        Err(error) => Port::Unusable(error),
    }
}

/// Where to find, from this machine, what listens on `addr`.
pub(super) fn here(addr: SocketAddr) -> SocketAddr {
    let ip = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, addr.port())
}

/// Whether a relay that holds `key` answers at `addr`, straight or through `proxy`: the handshake of TLS proves it, and
/// nothing more is sent.
pub(super) async fn is_relay(
    addr: SocketAddr,
    key: &Ed25519Public,
    proxy: Option<&SocksProxy>,
) -> Answers {
    let Ok(config) = tls::pinned_client_config(key) else {
        return Answers::Nobody;
    };
    let stream = match proxy {
        None => match timeout(PATIENCE, TcpStream::connect(addr)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(_)) | Err(_) => return Answers::Nobody,
        },
        Some(proxy) => match proxy.isolated().await.connect_to(addr).await {
            Ok(stream) => stream,
            Err(ConnectError::Host) => return Answers::Nobody,
            Err(ConnectError::Proxy(failure)) => return Answers::NoProxy(failure),
        },
    };
    let name = ServerName::IpAddress(addr.ip().into());
    let shaken = TlsConnector::from(Arc::new(config)).connect(name, stream);
    match timeout(PATIENCE, shaken).await {
        Ok(Ok(_stream)) => Answers::Itself,
        Ok(Err(_other)) => Answers::Another,
        Err(_silent) => Answers::Nobody,
    }
}

/// Who answers at an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answers {
    /// The relay with the expected key.
    Itself,
    /// Another program answers there, or one with another key.
    Another,
    /// Nobody answers at the address.
    Nobody,
    /// Nobody was asked, since the proxy cannot be used.
    NoProxy(ProxyFailure),
}

const PATIENCE: Duration = Duration::from_secs(10);
