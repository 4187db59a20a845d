//! The routes of a whole server, asked over loopback.

use std::{
    io,
    sync::atomic::{AtomicU64, Ordering},
};

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::*;
use crate::protocol::{
    address::FileId,
    capability::OwnerHash,
    digest::Digest,
    file_api::{self, Expiry, FileRequest, Upload},
    onion::{Built, HopCipher, OnionRoute, build, v4::Response},
};

const START: u64 = 1_800_000_000;

/// A server whose clock the test sets.
struct Fixture {
    server: RunningServer,
    folder: TempDir,
    now: Arc<AtomicU64>,
}

impl Fixture {
    async fn start(change: impl FnOnce(&mut ServerConfig)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let now = Arc::new(AtomicU64::new(START));
        let clock = Arc::clone(&now);
        let mut config = ServerConfig::new(
            "127.0.0.1:0".parse().unwrap(),
            folder.path().join("store"),
            Identity::from_seed([5; 32]),
        );
        config.clock = Arc::new(move || clock.load(Ordering::SeqCst));
        change(&mut config);
        Self {
            server: Server::start(config).await.unwrap(),
            folder,
            now,
        }
    }

    fn build(&self, request: &FileRequest, seed: u64) -> Built {
        let route = OnionRoute {
            relays: &[],
            server: self.server.address(),
            cipher: HopCipher::XChaCha20,
            sealed_return: false,
        };
        build(
            &route,
            &request.head(),
            request.body(),
            &mut ChaCha20Rng::seed_from_u64(seed),
        )
        .unwrap()
    }

    async fn ask(&self, request: &FileRequest, seed: u64) -> Response {
        let built = self.build(request, seed);
        let (status, body) = self.post("/oxen/v4/lsrpc", &built.body).await;
        assert_eq!(status, 200);
        built.reply.open(body).unwrap().response
    }

    async fn post(&self, path: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let length = format!("Content-Length: {}\r\n", body.len());
        self.send("POST", path, &length, body).await.unwrap()
    }

    async fn get(&self, path: &str) -> (u16, Vec<u8>) {
        self.send("GET", path, "", b"").await.unwrap()
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &str,
        body: &[u8],
    ) -> io::Result<(u16, Vec<u8>)> {
        let addr = self.server.addr();
        let mut stream = TcpStream::connect(addr).await?;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n{headers}\r\n"
        );
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(body).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        let end = answer
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap();
        let status = std::str::from_utf8(&answer[9..12])
            .unwrap()
            .parse()
            .unwrap();
        Ok((status, answer.split_off(end + 4)))
    }

    fn stored(&self) -> usize {
        let entries = std::fs::read_dir(self.folder.path().join("store/blob")).unwrap();
        let folders = entries
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_dir());
        // An hour may be swept between the two looks.
        folders
            .map(|hour| std::fs::read_dir(hour).map_or(0, Iterator::count))
            .sum()
    }
}

fn upload(blob: &[u8], ttl_secs: Option<u64>) -> FileRequest {
    FileRequest::Upload(Upload {
        expiry: ttl_secs.map(Expiry::InSecs),
        ..Upload::new(blob.to_vec())
    })
}

async fn share(
    fixture: &Fixture,
    blob: &[u8],
    ttl_secs: Option<u64>,
    seed: u64,
) -> file_api::StoredAt {
    let response = fixture.ask(&upload(blob, ttl_secs), seed).await;
    file_api::read_uploaded(&response, blob.len(), &Digest::of(blob)).unwrap()
}

#[tokio::test]
async fn an_uploaded_blob_comes_back_until_it_expires() {
    let fixture = Fixture::start(|_config| {}).await;
    let blob = vec![7; 65_536];
    let stored = share(&fixture, &blob, Some(3600), 1).await;
    assert!((START + 3600..=START + 7200).contains(&stored.expires.unwrap()));
    let download = FileRequest::Download(stored.id.clone());
    let found = fixture.ask(&download, 2).await;
    assert_eq!(*file_api::read_found(found).unwrap(), blob);
    let info = fixture
        .ask(&FileRequest::FileInfo(stored.id.clone()), 3)
        .await;
    let info: file_api::FileInfo = serde_json::from_slice(&info.body).unwrap();
    assert_eq!(info.size, 65_536);

    fixture
        .now
        .store(stored.expires.unwrap() - 1, Ordering::SeqCst);
    assert_eq!(fixture.ask(&download, 4).await.code, 200);
    fixture.now.store(stored.expires.unwrap(), Ordering::SeqCst);
    let expired = fixture.ask(&download, 5).await;
    let unknown = fixture
        .ask(&FileRequest::Download(FileId::parse("unknown").unwrap()), 6)
        .await;
    assert_eq!((expired.code, unknown.code), (404, 404));
    assert_eq!(expired.body, unknown.body, "expired and unknown look alike");
}

#[tokio::test]
async fn small_answers_have_one_length_and_blobs_theirs() {
    let fixture = Fixture::start(|_config| {}).await;
    let stored = share(&fixture, &vec![7; 65_536], None, 1).await;
    let mut lengths = Vec::new();
    for (seed, request) in [
        FileRequest::ServerInfo,
        FileRequest::FileInfo(stored.id.clone()),
        FileRequest::Download(FileId::parse("unknown").unwrap()),
        upload(b"x", Some(1)),
    ]
    .iter()
    .enumerate()
    {
        let built = fixture.build(request, 100 + seed as u64);
        lengths.push(fixture.post("/oxen/v4/lsrpc", &built.body).await.1.len());
    }
    assert_eq!(lengths, [1536 + 40; 4]);
    let built = fixture.build(&FileRequest::Download(stored.id), 7);
    assert_eq!(
        fixture.post("/oxen/v4/lsrpc", &built.body).await.1.len(),
        65_536 + 320 + 40
    );
}

#[tokio::test]
async fn with_an_owner_the_same_upload_is_the_same_file() {
    let fixture = Fixture::start(|_config| {}).await;
    let mut ids = Vec::new();
    for (seed, owner) in [(1, "ab"), (2, "ab"), (3, "cd")] {
        let owner = OwnerHash::from_hex(&owner.repeat(32));
        let request = FileRequest::Upload(Upload {
            owner,
            ..Upload::new(vec![1; 65_536])
        });
        let response = fixture.ask(&request, seed).await;
        ids.push(
            file_api::read_uploaded(&response, 65_536, &Digest::of(&[1; 65_536]))
                .unwrap()
                .id,
        );
    }
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[0], ids[2]);
    assert_eq!(fixture.stored(), 2);
}

#[tokio::test]
async fn limits_are_kept() {
    let fixture = Fixture::start(|config| {
        config.settings.policy.max_blob = 1000;
        config.settings.max_total = 5000;
    })
    .await;
    for (seed, (blob, ttl, code)) in [
        (vec![1; 0], None, 413),
        (vec![1; 1001], None, 413),
        (vec![1; 10], Some(3599), 400),
        (vec![1; 10], Some(30 * 86_400 + 1), 400),
        (vec![1; 1000], Some(3600), 200),
        (vec![2; 1000], Some(30 * 86_400), 507),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(
            fixture.ask(&upload(&blob, ttl), seed as u64).await.code,
            code,
            "{} {ttl:?}",
            blob.len()
        );
    }
    assert_eq!(fixture.stored(), 1);
}

#[tokio::test]
async fn a_packet_seen_before_is_refused_and_so_is_one_for_somebody_else() {
    let fixture = Fixture::start(|_config| {}).await;
    let built = fixture.build(&upload(&[1; 100], None), 1);
    assert_eq!(fixture.post("/oxen/v4/lsrpc", &built.body).await.0, 200);
    assert_eq!(fixture.post("/oxen/v4/lsrpc", &built.body).await.0, 400);
    let mut changed = fixture.build(&upload(&[1; 100], None), 2).body;
    changed[100] ^= 1;
    assert_eq!(fixture.post("/oxen/v4/lsrpc", &changed).await.0, 400);
    assert_eq!(fixture.post("/oxen/v4/lsrpc", b"").await.0, 400);
    assert_eq!(fixture.stored(), 1);
}

#[tokio::test]
async fn a_broken_upload_leaves_nothing() {
    let fixture = Fixture::start(|_config| {}).await;
    let built = fixture.build(&upload(&[1; 100_000], None), 1);
    let addr = fixture.server.addr();
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let head = format!(
        "POST /oxen/v4/lsrpc HTTP/1.1\r\nHost: {addr}\r\nContent-Length: {}\r\n\r\n",
        built.body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&built.body[..50_000]).await.unwrap();
    drop(stream);
    assert_eq!(fixture.get("/health").await.0, 200);
    assert_eq!(fixture.stored(), 0);
    fixture.server.stop().await;
    let left = std::fs::read_dir(fixture.folder.path().join("store/blob")).unwrap();
    assert_eq!(left.count(), 1, "only the lock");
}

#[tokio::test]
async fn outside_the_onion_there_is_only_health() {
    let fixture = Fixture::start(|_config| {}).await;
    assert_eq!(fixture.get("/health").await.0, 200);
    for path in [
        "/",
        "/info",
        "/file/abc",
        "/file/abc/info",
        "/oxen/v4/lsrpc",
    ] {
        assert_eq!(fixture.get(path).await.0, 404, "{path}");
    }
    assert_eq!(fixture.post("/file", b"blob").await.0, 404);
    let (status, _body) = fixture
        .send("GET", "/health", "Origin: http://evil.example\r\n", b"")
        .await
        .unwrap();
    assert_eq!(status, 403);
}

#[tokio::test]
async fn with_plain_http_the_same_paths_answer() {
    let fixture = Fixture::start(|config| config.settings.plain_http = true).await;
    let (status, body) = fixture.post("/file", b"blob").await;
    assert_eq!(status, 200);
    let uploaded: file_api::Uploaded = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        fixture.get(&format!("/file/{}", uploaded.id)).await,
        (200, b"blob".to_vec())
    );
    assert_eq!(
        fixture.get(&format!("/file/{}/info", uploaded.id)).await.0,
        200
    );
    assert_eq!(fixture.get("/info").await.0, 200);
    assert_eq!(fixture.get("/file/unknown").await.0, 404);
    assert_eq!(fixture.get("/nothing").await.0, 404);
    assert_eq!(fixture.send("POST", "/file", "", b"").await.unwrap().0, 411);
}

#[tokio::test]
async fn memory_beyond_the_limit_is_refused() {
    let fixture = Fixture::start(|config| config.settings.max_memory = 1000).await;
    let built = fixture.build(&FileRequest::ServerInfo, 1);
    assert_eq!(
        fixture.post("/oxen/v4/lsrpc", &built.body).await,
        (503, b"Server busy, try again later".to_vec())
    );
}

#[tokio::test]
async fn expired_files_are_swept_by_the_running_server() {
    let fixture =
        Fixture::start(|config| config.settings.sweep_every = Duration::from_millis(5)).await;
    let stored = share(&fixture, &[7; 100], Some(3600), 1).await;
    fixture
        .now
        .store(stored.expires.unwrap() + 3600, Ordering::SeqCst);
    let swept = async {
        while fixture.stored() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), swept)
        .await
        .expect("what expired is swept");
}

#[tokio::test]
async fn the_address_is_where_others_reach_it() {
    let fixture = Fixture::start(|config| {
        config.settings.public_url = Some(ServerUrl::parse("https://files.example.org").unwrap());
    })
    .await;
    assert!(
        fixture
            .server
            .address()
            .to_string()
            .starts_with("https://files.example.org#p=")
    );
    let fixture = Fixture::start(|_config| {}).await;
    let expected = format!("http://{}#p=", fixture.server.addr());
    assert!(fixture.server.address().to_string().starts_with(&expected));
    let folder = tempfile::tempdir().unwrap();
    let config = ServerConfig::new(
        "0.0.0.0:0".parse().unwrap(),
        folder.path().to_owned(),
        Identity::from_seed([5; 32]),
    );
    assert!(matches!(
        Server::start(config).await,
        Err(StartServerError::NoUrl)
    ));
}
