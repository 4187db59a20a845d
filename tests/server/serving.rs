//! A file server inside the test, whose clock and store the test has in its hand, and requests to it: sealed ones as
//! clients send them, and plain ones.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cloakroom::protocol::address::{FileId, ServerAddress};
use cloakroom::protocol::capability::OwnerToken;
use cloakroom::protocol::digest::Digest;
use cloakroom::protocol::file_api::{self, Expiry, FileInfo, FileRequest, StoredAt, Upload};
use cloakroom::protocol::keys::Identity;
use cloakroom::protocol::onion::v4::Response;
use cloakroom::protocol::onion::{Built, HopCipher};
use cloakroom::server::store::location::StoreLocation;
use cloakroom::server::{RunningServer, Server, ServerConfig, StartServerError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::RwLock;

use crate::support::relays::sealed_through;

/// The beginning of an hour.
pub(crate) const START: u64 = 1_800_000_000;
pub(crate) const HOUR: u64 = 3600;

/// Held while hundreds of people keep the machine busy: for reading by who makes such a crowd, for writing by who talks to a
/// program of its own that cannot be told to be more patient than servers are with the first byte of a body.
pub(crate) static CROWDS: RwLock<()> = RwLock::const_new(());

/// A server and its clock.
pub(crate) struct Serving {
    pub(crate) server: RunningServer,
    pub(crate) now: Arc<AtomicU64>,
}

/// A plain answer.
pub(crate) struct Plain {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Plain {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

impl Serving {
    pub(crate) async fn start(
        store: impl Into<StoreLocation>,
        change: impl FnOnce(&mut ServerConfig),
    ) -> Self {
        Self::try_start(store, Arc::new(AtomicU64::new(START)), change)
            .await
            .unwrap()
    }

    pub(crate) async fn try_start(
        store: impl Into<StoreLocation>,
        now: Arc<AtomicU64>,
        change: impl FnOnce(&mut ServerConfig),
    ) -> Result<Self, StartServerError> {
        let mut config = ServerConfig::new(
            "127.0.0.1:0".parse().unwrap(),
            store,
            Identity::from_seed([5; 32]),
        );
        let clock = Arc::clone(&now);
        config.clock = Arc::new(move || clock.load(Ordering::SeqCst));
        change(&mut config);
        Ok(Self {
            server: Server::start(config).await?,
            now,
        })
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    pub(crate) fn set(&self, now: u64) {
        self.now.store(now, Ordering::SeqCst);
    }

    pub(crate) async fn ask(&self, request: &FileRequest) -> Response {
        ask(self.server.address(), request).await
    }

    /// The status that is sealed in the answer.
    pub(crate) async fn code(&self, request: &FileRequest) -> u16 {
        self.ask(request).await.code
    }

    pub(crate) async fn share(&self, upload: Upload) -> StoredAt {
        let (len, digest) = (upload.blob.len(), Digest::of(&upload.blob));
        let response = self.ask(&FileRequest::Upload(upload)).await;
        assert_eq!(response.code, 200);
        file_api::read_uploaded(&response, len, &digest).unwrap()
    }

    pub(crate) async fn plain(
        &self,
        method: &str,
        path: &str,
        headers: &str,
        body: &[u8],
    ) -> Plain {
        plain(self.addr(), method, path, headers, body)
            .await
            .unwrap()
    }

    /// What the server holds of memory is given back a moment after the answer was sent.
    pub(crate) async fn wait_for_memory(&self) {
        let gauges = self.server.gauges();
        let free = async {
            while gauges.reserved_bytes() > 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(20), free)
            .await
            .expect("the memory is given back");
    }
}

pub(crate) fn sealed(to: &ServerAddress, request: &FileRequest, cipher: HopCipher) -> Built {
    sealed_through(&[], to, request, cipher, false)
}

pub(crate) fn download(id: &FileId) -> FileRequest {
    FileRequest::Download(id.clone())
}

/// Asks that a file be kept for so many hours from now, as its owner of this number or as nobody.
pub(crate) fn extend(id: &FileId, hours: u64, owner: Option<u8>) -> FileRequest {
    FileRequest::Extend {
        id: id.clone(),
        expiry: Some(Expiry::InSecs(hours * HOUR)),
        token: owner.map(token),
    }
}

/// When a file expires, in seconds since 1970, by an answer about it.
pub(crate) fn expires(response: &Response) -> u64 {
    assert_eq!(response.code, 200);
    let info: FileInfo = serde_json::from_slice(&response.body).unwrap();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole seconds of this century"
    )]
    let expires = info.expires as u64;
    expires
}

pub(crate) async fn ask(to: &ServerAddress, request: &FileRequest) -> Response {
    try_ask(to, request).await.unwrap()
}

pub(crate) async fn try_ask(to: &ServerAddress, request: &FileRequest) -> io::Result<Response> {
    ask_over(TcpStream::connect(socket(to)).await?, to, request).await
}

/// Asks over a connection that stands.
pub(crate) async fn ask_over(
    stream: TcpStream,
    to: &ServerAddress,
    request: &FileRequest,
) -> io::Result<Response> {
    let built = sealed(to, request, HopCipher::XChaCha20);
    let length = length(&built.body);
    let answer = over(stream, "POST", "/oxen/v4/lsrpc", &length, &built.body).await?;
    if answer.status != 200 {
        return Err(io::Error::other(format!("outer {}", answer.status)));
    }
    Ok(built.reply.open(answer.body).unwrap().response)
}

pub(crate) async fn post_sealed(to: &ServerAddress, body: &[u8]) -> io::Result<Plain> {
    plain(socket(to), "POST", "/oxen/v4/lsrpc", &length(body), body).await
}

fn length(body: &[u8]) -> String {
    format!("Content-Length: {}\r\n", body.len())
}

/// Where a server listens whose address is a literal.
pub(crate) fn socket(to: &ServerAddress) -> SocketAddr {
    let authority = to.url.as_str().split_once("://").unwrap().1;
    authority.parse().unwrap()
}

pub(crate) async fn plain(
    addr: SocketAddr,
    method: &str,
    path: &str,
    headers: &str,
    body: &[u8],
) -> io::Result<Plain> {
    over(TcpStream::connect(addr).await?, method, path, headers, body).await
}

async fn over(
    mut stream: TcpStream,
    method: &str,
    path: &str,
    headers: &str,
    body: &[u8],
) -> io::Result<Plain> {
    let addr = stream.peer_addr()?;
    let head =
        format!("{method} {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).await?;
    // A server that refuses early may close before it has read all.
    stream.write_all(body).await.ok();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    parse(answer)
}

pub(crate) fn parse(mut answer: Vec<u8>) -> io::Result<Plain> {
    let end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .ok_or(io::ErrorKind::UnexpectedEof)?;
    let body = answer.split_off(end + 4);
    let head = String::from_utf8(answer).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap()[9..12].parse().unwrap();
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let promised = headers.iter().find(|(name, _)| name == "content-length");
    if promised.is_some_and(|(_, len)| len.parse() != Ok(body.len())) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Plain {
        status,
        headers,
        body,
    })
}

pub(crate) fn token(number: u8) -> OwnerToken {
    OwnerToken::from_bytes([number; 32])
}

/// An upload that the holder of `token` owns.
pub(crate) fn owned(blob: Vec<u8>, token: &OwnerToken) -> Upload {
    Upload {
        owner: Some(token.hash()),
        ..Upload::new(blob)
    }
}

pub(crate) fn unknown() -> FileId {
    FileId::random(510_000, [9; 30])
}
