//! A file server and three relays on loopback, asked by hand: what passes, what is refused, and who says so.
#![cfg(all(feature = "server", feature = "relay"))]
#![expect(clippy::unwrap_used, reason = "a step that fails here fails its test")]

use std::time::Duration;

use cloakroom::{
    protocol::{
        address::{FileId, ServerAddress, ServerUrl},
        digest::Digest,
        file_api::{self, FileRequest, Upload},
        keys::{Ed25519Public, Identity},
        onion::{Built, GUARD_ENDPOINT, HopCipher, ReplyError, Route, build},
        relay_list::{RelayDescriptor, Serves},
        size_class::SizeClass,
    },
    relay::{Relay, RelayConfig, RunningRelay},
    server::{RunningServer, Server, ServerConfig},
    wire::{random, tls},
};
use tempfile::TempDir;
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpListener, TcpSocket},
};

struct Network {
    server: RunningServer,
    relays: Vec<RunningRelay>,
    _folder: TempDir,
}

impl Network {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = ServerConfig::new(
            loopback(),
            folder.path().join("store"),
            Identity::from_seed([9; 32]),
        );
        let server = Server::start(config).await.unwrap();
        let mut relays = Vec::new();
        for seed in 1..=3 {
            let mut config = RelayConfig::new(loopback(), Identity::from_seed([seed; 32]));
            config.allow_private = true;
            relays.push(Relay::start(config).await.unwrap());
        }
        let network = Self {
            server,
            relays,
            _folder: folder,
        };
        network.set_relays(&network.list());
        network
    }

    fn list(&self) -> Vec<RelayDescriptor> {
        self.relays
            .iter()
            .map(|relay| relay.descriptor().clone())
            .collect()
    }

    fn set_relays(&self, list: &[RelayDescriptor]) {
        for relay in &self.relays {
            relay.set_relays(list.to_vec());
        }
    }

    fn keys(&self) -> Vec<Ed25519Public> {
        self.relays
            .iter()
            .map(|relay| relay.descriptor().key)
            .collect()
    }

    fn build(&self, request: &FileRequest) -> Built {
        self.build_for(request, self.server.address(), true, HopCipher::XChaCha20)
    }

    fn build_for(
        &self,
        request: &FileRequest,
        server: &ServerAddress,
        sealed: bool,
        cipher: HopCipher,
    ) -> Built {
        let relays = self.keys();
        let route = Route {
            relays: &relays,
            server,
            cipher,
            sealed_return: sealed,
        };
        build(
            &route,
            &request.head(),
            request.body(),
            &mut random::system(),
        )
        .unwrap()
    }

    async fn post(&self, body: Vec<u8>) -> (u16, Vec<u8>) {
        let response = self
            .client()
            .post(self.guard_url())
            .body(body)
            .send()
            .await
            .unwrap();
        (
            response.status().as_u16(),
            response.bytes().await.unwrap().to_vec(),
        )
    }

    fn client(&self) -> reqwest::Client {
        client(&self.relays[0].descriptor().key)
    }

    fn guard_url(&self) -> String {
        format!("https://{}{GUARD_ENDPOINT}", self.relays[0].addr())
    }

    /// The failure that a relay of the path made, with its place.
    async fn failure(&self, request: &FileRequest, server: &ServerAddress) -> (usize, u16, String) {
        let built = self.build_for(request, server, true, HopCipher::XChaCha20);
        let (status, body) = self.post(built.body).await;
        assert_eq!(status, 200, "a sealed failure looks like an answer");
        match built.reply.open(body).map(|_opened| ()) {
            Err(ReplyError::Relay { hop, status, text }) => (hop, status, text),
            other => panic!("expected a relay's failure, got {other:?}"),
        }
    }
}

fn client(key: &Ed25519Public) -> reqwest::Client {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls::pinned_client_config(key).unwrap())
        .no_proxy()
        .build()
        .unwrap()
}

fn loopback() -> std::net::SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

fn upload(blob: Vec<u8>) -> FileRequest {
    FileRequest::Upload(Upload::new(blob))
}

fn nothing() -> FileRequest {
    FileRequest::Download(FileId::parse("nothing").unwrap())
}

#[tokio::test]
async fn a_blob_of_the_largest_class_crosses_three_relays_both_ways() {
    let network = Network::start().await;
    let blob_len = SizeClass::ALL[7].blob_len();
    let blob: Vec<u8> = (0..=250).cycle().take(blob_len).collect();
    for (cipher, sealed) in [(HopCipher::XChaCha20, true), (HopCipher::AesGcm, false)] {
        let request = upload(blob.clone());
        let built = network.build_for(&request, network.server.address(), sealed, cipher);
        let (status, body) = network.post(built.body).await;
        assert_eq!(status, 200);
        let response = built.reply.open(body).unwrap().response;
        let stored = file_api::read_uploaded(&response, blob.len(), &Digest::of(&blob)).unwrap();

        let request = FileRequest::Download(stored.id);
        let built = network.build_for(&request, network.server.address(), sealed, cipher);
        let (status, body) = network.post(built.body).await;
        assert_eq!(status, 200);
        assert_eq!(
            file_api::read_found(built.reply.open(body).unwrap().response).unwrap(),
            blob
        );
    }
}

#[tokio::test]
async fn failures_and_small_answers_have_one_length() {
    let network = Network::start().await;
    let known = network
        .post(network.build(&FileRequest::ServerInfo).body)
        .await
        .1
        .len();
    let unknown = network.post(network.build(&nothing()).body).await.1.len();
    network.set_relays(&network.list()[..2]);
    let failed = network.post(network.build(&nothing()).body).await.1.len();
    assert_eq!([unknown, failed], [known; 2]);
}

#[tokio::test]
async fn a_relay_that_is_not_on_the_list_is_named_by_the_one_before_it() {
    let network = Network::start().await;
    network.set_relays(&network.list()[..2]);
    let last = network.keys()[2].to_hex();
    let server = network.server.address().clone();
    assert_eq!(
        network.failure(&nothing(), &server).await,
        (1, 502, format!("Next node not found: {last}"))
    );

    let built = network.build_for(&nothing(), &server, false, HopCipher::AesGcm);
    let (status, text) = network.post(built.body).await;
    assert_eq!(
        (status, String::from_utf8(text).unwrap()),
        (502, format!("Next node not found: {last}"))
    );
}

#[tokio::test]
async fn a_dead_relay_and_one_with_another_key_are_unreachable() {
    let mut network = Network::start().await;
    let (server, last) = (network.server.address().clone(), network.keys()[2].to_hex());
    let unreachable = (
        1,
        502,
        format!("Next node is currently unreachable: {last}"),
    );

    let mut list = network.list();
    let stranger = Relay::start(RelayConfig::new(loopback(), Identity::from_seed([8; 32])))
        .await
        .unwrap();
    list[2].port = stranger.addr().port();
    network.set_relays(&list);
    assert_eq!(network.failure(&nothing(), &server).await, unreachable);

    network.set_relays(&network.list());
    let keys = network.keys();
    network.relays.pop().unwrap().stop().await;
    let route = Route {
        relays: &keys,
        server: &server,
        cipher: HopCipher::XChaCha20,
        sealed_return: true,
    };
    let request = nothing();
    let built = build(
        &route,
        &request.head(),
        request.body(),
        &mut random::system(),
    )
    .unwrap();
    let (_status, body) = network.post(built.body).await;
    let error = built.reply.open(body).map(|_opened| ()).unwrap_err();
    assert_eq!(
        error,
        ReplyError::Relay {
            hop: 1,
            status: 502,
            text: unreachable.2
        }
    );
}

#[tokio::test]
async fn a_dead_server_is_said_by_the_last_relay() {
    let network = Network::start().await;
    // Bound, so that nobody else gets the port, but not listening.
    let dead = TcpSocket::new_v4().unwrap();
    dead.bind(loopback()).unwrap();
    let url = ServerUrl::parse(&format!("http://{}", dead.local_addr().unwrap())).unwrap();
    let server = ServerAddress {
        url,
        key: network.server.address().key,
    };
    let (hop, status, _text) = network.failure(&nothing(), &server).await;
    assert_eq!((hop, status), (2, 502));
}

#[tokio::test]
async fn a_server_that_the_last_relay_does_not_serve_is_refused_by_it() {
    let network = Network::start().await;
    for url in [
        "http://files.example.org",
        "http://10.0.0.1:8787",
        "http://127.0.0.2:8787",
        "http://127.0.0.1:81",
    ] {
        let server = ServerAddress {
            url: ServerUrl::parse(url).unwrap(),
            key: network.server.address().key,
        };
        assert_eq!(
            network.failure(&nothing(), &server).await,
            (2, 400, "Invalid url".to_owned()),
            "{url}"
        );
    }
}

#[tokio::test]
async fn localhost_is_served_by_name() {
    let network = Network::start().await;
    let url = ServerUrl::parse(&format!(
        "http://localhost:{}",
        network.server.addr().port()
    ))
    .unwrap();
    let server = ServerAddress {
        url,
        key: network.server.address().key,
    };
    let built = network.build_for(&nothing(), &server, true, HopCipher::XChaCha20);
    let (_status, body) = network.post(built.body).await;
    assert_eq!(built.reply.open(body).unwrap().response.code, 404);
}

#[tokio::test]
async fn a_request_seen_before_or_changed_on_the_way_is_refused() {
    let network = Network::start().await;
    let built = network.build(&nothing());
    assert_eq!(network.post(built.body.clone()).await.0, 200);
    assert_eq!(
        network.post(built.body).await,
        (400, b"Invalid ciphertext".to_vec())
    );
    let mut changed = network.build(&nothing()).body;
    changed[100] ^= 1;
    assert_eq!(
        network.post(changed).await,
        (400, b"Invalid ciphertext".to_vec())
    );
    let (status, text) = network.post(b"junk".to_vec()).await;
    assert_eq!(status, 400);
    assert!(text.starts_with(b"Error parsing onion request"));
}

#[tokio::test]
async fn limits_are_checked_before_a_body_is_read() {
    let network = Network::start().await;
    assert_eq!(network.post(vec![0; 10_485_761]).await.0, 413);
    let chunk = futures_util::stream::iter([Ok::<_, std::io::Error>(vec![0; 100])]);
    let body = reqwest::Body::wrap_stream(chunk);
    let response = network
        .client()
        .post(network.guard_url())
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 411);
}

#[tokio::test]
async fn a_web_page_and_other_paths_get_nothing() {
    let network = Network::start().await;
    for (name, value) in [("origin", "https://evil.example"), ("host", "evil.example")] {
        let request = network
            .client()
            .post(network.guard_url())
            .header(name, value)
            .body("x");
        assert_eq!(request.send().await.unwrap().status(), 403, "{name}");
    }
    let url = format!("https://{}/storage_rpc/v1", network.relays[0].addr());
    assert_eq!(
        network.client().post(url).send().await.unwrap().status(),
        404
    );
}

#[tokio::test]
async fn a_guard_with_another_key_than_the_listed_one_is_not_spoken_to() {
    let network = Network::start().await;
    let error = client(&network.keys()[1])
        .post(network.guard_url())
        .body("x")
        .send()
        .await
        .unwrap_err();
    assert!(error.is_connect());
}

#[tokio::test]
async fn when_the_client_hangs_up_the_last_relay_does_too() {
    let network = Network::start().await;
    let silent = TcpListener::bind(loopback()).await.unwrap();
    let url = ServerUrl::parse(&format!("http://{}", silent.local_addr().unwrap())).unwrap();
    let server = ServerAddress {
        url,
        key: network.server.address().key,
    };
    let built = network.build_for(
        &upload(vec![1; 65_536]),
        &server,
        true,
        HopCipher::XChaCha20,
    );
    let (client, url) = (network.client(), network.guard_url());
    let asking =
        tokio::spawn(async move { client.post(url).body(built.body).send().await.map(drop) });
    let (mut stream, _peer) = silent.accept().await.unwrap();
    let mut first = [0; 4];
    stream.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"POST");
    asking.abort();
    // The end or a reset, but not the relay's own patience of minutes.
    let rest = async { while stream.read(&mut [0; 4096]).await.is_ok_and(|len| len > 0) {} };
    tokio::time::timeout(Duration::from_secs(20), rest)
        .await
        .expect("the relay hangs up");
}

#[tokio::test]
async fn a_relay_says_in_its_entry_what_it_serves() {
    let network = Network::start().await;
    let entry = network.relays[0].descriptor();
    assert_eq!(entry.port, network.relays[0].addr().port());
    assert_eq!(
        entry.serves,
        Serves::Hosts(
            ["127.0.0.1", "::1", "localhost"]
                .map(str::to_owned)
                .to_vec()
        )
    );
}
