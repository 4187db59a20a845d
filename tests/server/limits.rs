//! Hostile strangers at a file server and at a relay: promises that are not kept, connections that say nothing, too much
//! of everything from one address and from many. Honest people beside them are served, also behind the same address.
//!
//! All of 127.0.0.0/8 is this machine on Linux, so that every stranger has an address of its own.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cloakroom::protocol::address::{ServerAddress, ServerUrl};
use cloakroom::protocol::capability::AccessWord;
use cloakroom::protocol::file_api::FileRequest;
use cloakroom::protocol::keys::Identity;
use cloakroom::protocol::onion::{GUARD_ENDPOINT, HopCipher, SERVER_ENDPOINT};
use cloakroom::protocol::relay_list::{RelayDescriptor, Serves};
use cloakroom::relay::{Relay, RelayConfig, RunningRelay};
use cloakroom::server::{RunningServer, Server, ServerConfig};
use cloakroom::wire::{open_files, tls};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::support::relays::{loopback, sealed_through};

/// A server in plain HTTP, or a relay in TLS.
struct Listener {
    addr: SocketAddr,
    path: &'static str,
    tls: Option<Arc<ClientConfig>>,
    running: Running,
}

enum Running {
    Relay(RunningRelay),
    #[expect(dead_code, reason = "held for their drop")]
    Server(RunningServer, tempfile::TempDir),
}

/// The bounds of a listener.
#[derive(Clone, Copy)]
struct Bounds {
    max_connections: usize,
    max_memory: u64,
}

const USUAL: Bounds = Bounds {
    max_connections: 2_048,
    max_memory: 512 << 20,
};

async fn server(change: impl FnOnce(&mut ServerConfig)) -> Listener {
    open_files::raise_limit();
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let mut config = ServerConfig::new(loopback(), store, Identity::from_seed([9; 32]));
    change(&mut config);
    let server = Server::start(config).await.unwrap();
    Listener {
        addr: server.addr(),
        path: SERVER_ENDPOINT,
        tls: None,
        running: Running::Server(server, folder),
    }
}

async fn relay(change: impl FnOnce(&mut RelayConfig)) -> Listener {
    open_files::raise_limit();
    let mut config = RelayConfig::new(loopback(), Identity::from_seed([1; 32]));
    change(&mut config);
    let relay = Relay::start(config).await.unwrap();
    let tls = tls::pinned_client_config(&relay.descriptor().key).unwrap();
    Listener {
        addr: relay.addr(),
        path: GUARD_ENDPOINT,
        tls: Some(Arc::new(tls)),
        running: Running::Relay(relay),
    }
}

/// One of each.
async fn both(bounds: Bounds) -> [Arc<Listener>; 2] {
    let server = server(|config| {
        config.settings.max_connections = bounds.max_connections;
        config.settings.max_memory = bounds.max_memory;
    });
    let relay = relay(|config| {
        config.settings.max_connections = bounds.max_connections;
        config.settings.max_memory = bounds.max_memory;
    });
    [Arc::new(server.await), Arc::new(relay.await)]
}

fn address(number: usize) -> IpAddr {
    let [high, low] = u16::try_from(number).unwrap().to_be_bytes();
    [127, 1, high, low].into()
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Listener {
    async fn connect(&self, from: IpAddr) -> std::io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(from, 0))?;
        socket.connect(self.addr).await
    }

    async fn open(&self, from: IpAddr) -> std::io::Result<Box<dyn Stream>> {
        let stream = self.connect(from).await?;
        let Some(tls) = &self.tls else {
            return Ok(Box::new(stream));
        };
        let name = ServerName::IpAddress(self.addr.ip().into());
        let connecting = TlsConnector::from(Arc::clone(tls)).connect(name, stream);
        Ok(Box::new(connecting.await?))
    }

    fn head(&self, len: usize, headers: &str) -> String {
        let (path, addr) = (self.path, self.addr);
        format!(
            "POST {path} HTTP/1.1\r\nhost: {addr}\r\nconnection: close\r\ncontent-length: {len}\r\n{headers}\r\n"
        )
    }

    /// A request of which the head and one byte were sent.
    async fn promise(&self, from: IpAddr, len: usize) -> std::io::Result<Box<dyn Stream>> {
        let mut stream = self.open(from).await?;
        let head = self.head(len, "");
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(b"x").await?;
        stream.flush().await?;
        Ok(stream)
    }

    /// A request whose turn it is: the listener wants its body.
    async fn admitted(&self, from: IpAddr, headers: &str) -> Option<Box<dyn Stream>> {
        let mut stream = self.open(from).await.ok()?;
        let headers = format!("expect: 100-continue\r\n{headers}");
        let head = self.head(100, &headers);
        stream.write_all(head.as_bytes()).await.ok()?;
        let mut go_on = [0; 25];
        let reading = stream.read_exact(&mut go_on);
        let read = tokio::time::timeout(Duration::from_secs(2), reading).await;
        read.ok()?.ok()?;
        go_on.starts_with(b"HTTP/1.1 100").then_some(stream)
    }

    /// The status of the answer to a body of `len` bytes that nobody could open.
    async fn post(&self, from: IpAddr, len: usize) -> std::io::Result<u16> {
        self.post_with(from, &vec![7; len], "").await
    }

    async fn post_with(&self, from: IpAddr, body: &[u8], headers: &str) -> std::io::Result<u16> {
        let mut stream = self.open(from).await?;
        stream
            .write_all(self.head(body.len(), headers).as_bytes())
            .await?;
        // Whoever refuses early may close before all was sent.
        stream.write_all(body).await.ok();
        stream.flush().await.ok();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.ok();
        let status = answer.get(9..12).ok_or(std::io::ErrorKind::UnexpectedEof)?;
        Ok(String::from_utf8_lossy(status).parse().unwrap())
    }

    /// The number of a hundred small requests, one after the other, that were read and judged.
    async fn honest(&self, from: impl Fn(usize) -> IpAddr) -> usize {
        let mut served = 0;
        for number in 0..100 {
            let asked = self.post(from(number), 2_560).await;
            served += usize::from(asked.is_ok_and(|status| status == NOT_OPENED));
        }
        served
    }
}

/// The answer to a body that was read whole and could not be opened.
const NOT_OPENED: u16 = 400;
/// As the design promises.
const MOST: usize = 95;

/// Holds `count` connections that `open` makes, and opens each again when it is closed, for as long as `during` runs.
async fn besieged<F>(
    count: usize,
    open: impl Fn(usize) -> F + Clone + Send + Sync + 'static,
    during: impl Future<Output = usize>,
) -> usize
where
    F: Future<Output = std::io::Result<Box<dyn Stream>>> + Send,
{
    let opened = Arc::new(AtomicUsize::new(0));
    let mut hostile = JoinSet::new();
    for number in 0..count {
        let (open, opened) = (open.clone(), Arc::clone(&opened));
        hostile.spawn(async move {
            loop {
                if let Ok(mut stream) = open(number).await {
                    opened.fetch_add(1, Ordering::SeqCst);
                    // Until it is closed.
                    while stream.read(&mut [0; 512]).await.is_ok_and(|len| len > 0) {}
                } else {
                    opened.fetch_add(1, Ordering::SeqCst);
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        });
    }
    while opened.load(Ordering::SeqCst) < count {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    during.await
}

#[tokio::test(flavor = "multi_thread")]
async fn promises_that_are_not_kept_keep_nobody_out() {
    for listener in both(USUAL).await {
        for (addresses, promises) in [(1, 52), (40, 400)] {
            let hostile = Arc::clone(&listener);
            let open = move |number: usize| {
                let hostile = Arc::clone(&hostile);
                async move { hostile.promise(address(number % addresses), 10 << 20).await }
            };
            // From an address of its own, and from one that a stranger has too.
            let honest = listener.honest(|_| address(1_000));
            let beside = besieged(promises, open.clone(), honest).await;
            let within = besieged(promises, open, listener.honest(|_| address(0))).await;
            assert!(
                beside >= MOST && within >= MOST,
                "{} {addresses}: {beside} beside, {within} within",
                listener.path
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_say_nothing_keep_nobody_out() {
    let bounds = Bounds {
        max_connections: 200,
        ..USUAL
    };
    for listener in both(bounds).await {
        for addresses in [1, 40] {
            let hostile = Arc::clone(&listener);
            let open = move |number: usize| {
                let hostile = Arc::clone(&hostile);
                async move {
                    let stream = hostile.connect(address(number % addresses)).await?;
                    Ok(Box::new(stream) as Box<dyn Stream>)
                }
            };
            let beside = besieged(400, open.clone(), listener.honest(|_| address(1_000))).await;
            let within = besieged(400, open, listener.honest(|_| address(0))).await;
            assert!(
                beside >= MOST && within >= MOST,
                "{} {addresses}: {beside} beside, {within} within",
                listener.path
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_people_behind_one_address_are_all_served() {
    for listener in both(USUAL).await {
        let mut people = JoinSet::new();
        for number in 0..60 {
            let listener = Arc::clone(&listener);
            let len = if number % 2 == 0 { 2_560 } else { 1_048_576 };
            people.spawn(async move { listener.post(address(0), len).await.unwrap() });
        }
        let statuses = people.join_all().await;
        assert_eq!(statuses, [NOT_OPENED; 60], "{}", listener.path);
    }
}

/// One hundred uploads of 10 MB at once from ten addresses, with the tries and pauses of our client. What comes of each.
async fn hundred_uploads(listener: Arc<Listener>, arrived: u16) -> BTreeMap<u16, usize> {
    let body: Arc<[u8]> = vec![7; 10_002_560].into();
    let mut uploads = JoinSet::new();
    for number in 0..100 {
        let (listener, body) = (Arc::clone(&listener), Arc::clone(&body));
        uploads.spawn(async move {
            let mut last = 0;
            for retry in 0..5 {
                let asked = listener.post_with(address(number % 10), &body, "").await;
                last = asked.unwrap_or(0);
                if last == arrived {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(200) * 2_u32.pow(retry)).await;
            }
            last
        });
    }
    let mut ended = BTreeMap::new();
    for status in uploads.join_all().await {
        *ended.entry(status).or_default() += 1;
    }
    ended
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_large_uploads_arrive_where_memory_is_for_five() {
    let little = Bounds {
        max_memory: 64 << 20,
        ..USUAL
    };
    for listener in both(little).await {
        let path = listener.path;
        let ended = hundred_uploads(Arc::clone(&listener), NOT_OPENED).await;
        assert_eq!(ended, BTreeMap::from([(NOT_OPENED, 100)]), "{path}");
    }
    // In plain HTTP they are refused for their access word, once all of it is there.
    let mut plain = server(|config| {
        config.settings.max_memory = 64 << 20;
        config.settings.plain_http = true;
        config.settings.access_word = Some(AccessWord::parse("word").unwrap());
    })
    .await;
    plain.path = "/file";
    let ended = hundred_uploads(Arc::new(plain), 401).await;
    assert_eq!(ended, BTreeMap::from([(401, 100)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_seventeenth_request_of_an_address_waits_its_turn() {
    for listener in both(USUAL).await {
        let mut held = Vec::new();
        for _ in 0..16 {
            held.push(listener.admitted(address(0), "").await.unwrap());
        }
        let waiting = tokio::spawn({
            let listener = Arc::clone(&listener);
            async move { listener.post(address(0), 100).await.unwrap() }
        });
        assert_eq!(listener.post(address(1), 100).await.unwrap(), NOT_OPENED);
        assert!(!waiting.is_finished(), "{}", listener.path);
        held.pop();
        assert_eq!(waiting.await.unwrap(), NOT_OPENED, "{}", listener.path);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn listed_relays_have_a_share_of_their_own() {
    let listener = relay(|_| {}).await;
    let Running::Relay(running) = &listener.running else {
        panic!("it is a relay");
    };
    running.set_relays(vec![RelayDescriptor {
        key: Identity::from_seed([2; 32]).public(),
        host: address(0),
        port: 443,
        operator: String::new(),
        serves: Serves::None,
    }]);
    let mut held = Vec::new();
    for _ in 0..20 {
        held.push(listener.admitted(address(0), "").await.unwrap());
    }
    for _ in 0..16 {
        held.push(listener.admitted(address(1), "").await.unwrap());
    }
    assert!(listener.admitted(address(1), "").await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_trusted_proxy_each_client_has_its_own_share() {
    let listener = server(|config| {
        config.settings.trusted_proxies = vec!["127.1.0.0/30".parse().unwrap()];
    })
    .await;
    let (proxy, stranger) = (address(1), address(9));
    let mut held = Vec::new();
    for _ in 0..16 {
        let client = "x-forwarded-for: 198.51.100.7, 203.0.113.1\r\n";
        held.push(listener.admitted(proxy, client).await.unwrap());
    }
    let client = "x-forwarded-for: 203.0.113.1\r\n";
    assert!(listener.admitted(proxy, client).await.is_none());
    let other = "x-forwarded-for: 203.0.113.2\r\n";
    assert!(listener.admitted(proxy, other).await.is_some());
    // Anybody else's word is not believed.
    for number in 0..16 {
        let header = format!("x-forwarded-for: 192.0.2.{number}\r\n");
        held.push(listener.admitted(stranger, &header).await.unwrap());
    }
    assert!(listener.admitted(stranger, "").await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_never_answers_takes_a_quarter_of_a_relay_at_most() {
    let tarpit = TcpListener::bind("127.0.0.2:0").await.unwrap();
    let reached = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&reached);
    let at = tarpit.local_addr().unwrap();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _peer)) = tarpit.accept().await {
            counting.fetch_add(1, Ordering::SeqCst);
            held.push(stream);
        }
    });
    let listener = relay(|config| {
        config.settings.max_connections = 40;
        config.settings.allow_private = true;
        config.settings.serves = Some(Serves::Hosts(vec!["127.0.0.2".to_owned()]));
    })
    .await;
    let listener = Arc::new(listener);
    let request = |to: SocketAddr| {
        let Running::Relay(running) = &listener.running else {
            panic!("it is a relay");
        };
        let server = ServerAddress {
            url: ServerUrl::parse(&format!("http://{to}")).unwrap(),
            key: Identity::from_seed([9; 32]).public(),
        };
        let (key, cipher) = (running.descriptor().key, HopCipher::XChaCha20);
        sealed_through(&[key], &server, &FileRequest::ServerInfo, cipher, false).body
    };
    let mut waiting = JoinSet::new();
    for number in 0..16 {
        let (listener, body) = (Arc::clone(&listener), request(at));
        waiting.spawn(async move { listener.post_with(address(number), &body, "").await });
    }
    // All but a quarter of forty are told to come again.
    for _ in 0..6 {
        let refused = waiting.join_next().await.unwrap().unwrap();
        assert_eq!(refused.unwrap(), 503);
    }
    let server = server(|_| {}).await;
    let body = request(server.addr);
    let answered = listener.post_with(address(100), &body, "").await;
    assert_eq!(answered.unwrap(), 200);
    assert_eq!(reached.load(Ordering::SeqCst), 10);
    waiting.abort_all();
}
