//! A file server and three relays on loopback, asked by hand: what passes, what is refused, and who says so.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use cloakroom::{
    protocol::{
        address::{FileId, ServerAddress, ServerUrl},
        digest::Digest,
        file_api::{self, FileRequest, Upload},
        keys::{Ed25519Public, Identity, X25519Secret},
        onion::{Built, GUARD_ENDPOINT, HopCipher, ReplyError, hop_cipher::HopKey},
        relay_list::{RelayDescriptor, Serves},
        size_class::SizeClass,
    },
    relay::{Relay, RelayConfig, RunningRelay},
    server::{RunningServer, Server, ServerConfig},
    wire::{random, tls},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket, TcpStream},
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        self, ClientConfig, DigitallySignedStruct, SignatureScheme,
        client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        pki_types::{CertificateDer, ServerName, UnixTime},
    },
};

use crate::support::relays::{entries, introduce, loopback, sealed_through, three_relays};

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
        Self {
            server,
            relays: three_relays(|_| ()).await,
            _folder: folder,
        }
    }

    fn list(&self) -> Vec<RelayDescriptor> {
        entries(&self.relays)
    }

    fn set_relays(&self, list: &[RelayDescriptor]) {
        introduce(&self.relays, list);
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
        sealed_through(&self.keys(), server, request, cipher, sealed)
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
            *file_api::read_found(built.reply.open(body).unwrap().response).unwrap(),
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
    let built = sealed_through(&keys, &server, &nothing(), HopCipher::XChaCha20, true);
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

/// Session Desktop gives up at a 502 of a server that is not Session's, and tries other paths at a 504.
#[tokio::test]
async fn who_asked_for_no_sealed_return_is_told_of_a_dead_relay_as_of_a_slow_one() {
    let mut network = Network::start().await;
    let server = network.server.address().clone();
    let keys = network.keys();
    network.relays.pop().unwrap().stop().await;
    let built = sealed_through(&keys, &server, &nothing(), HopCipher::AesGcm, false);
    let (status, body) = network.post(built.body).await;
    assert_eq!((status, &*body), (504, &b"Request time out"[..]));
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
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("referer", "https://evil.example/page"),
        ("sec-fetch-site", "cross-site"),
        ("host", "evil.example"),
    ] {
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

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_without_memory_says_so_and_serves_again_when_it_has_some() {
    let mut config = RelayConfig::new(loopback(), Identity::from_seed([1; 32]));
    // Three quarters of it are for requests above 64 KiB.
    config.settings.max_memory = 400_000;
    let relay = Relay::start(config).await.unwrap();
    let url = format!("https://{}{GUARD_ENDPOINT}", relay.addr());
    let client = client(&relay.descriptor().key);
    let post = |len: usize| client.post(&url).body(vec![0; len]).send();

    let mut slow = promised(&relay, 300_000).await;
    slow.write_all(&[0; 280_000]).await.unwrap();
    slow.flush().await.unwrap();
    let waiting = tokio::spawn(post(100_000));
    assert_eq!(
        post(9_000).await.unwrap().status(),
        400,
        "there is room for a small one"
    );
    assert!(!waiting.is_finished());
    drop(slow);
    assert_eq!(waiting.await.unwrap().unwrap().status(), 400);
    let busy = post(300_001).await.unwrap();
    assert_eq!(busy.status(), 503, "more than all the memory there is");
    assert_eq!(busy.text().await.unwrap(), "Server busy, try again later");
}

/// A request whose head has been taken, and whose body of `len` bytes is yet to come.
async fn promised(relay: &RunningRelay, len: usize) -> TlsStream<TcpStream> {
    let stream = TcpStream::connect(relay.addr()).await.unwrap();
    let tls = tls::pinned_client_config(&relay.descriptor().key).unwrap();
    let name = ServerName::IpAddress(relay.addr().ip().into());
    let connecting = TlsConnector::from(Arc::new(tls)).connect(name, stream);
    let mut stream = connecting.await.unwrap();
    let head = format!(
        "POST {GUARD_ENDPOINT} HTTP/1.1\r\nhost: {}\r\nexpect: 100-continue\r\ncontent-length: {len}\r\n\r\n",
        relay.addr()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut go_on = [0; 12];
    stream.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100");
    // The rest of "100 Continue", and the empty line.
    stream.read_exact(&mut [0; 13]).await.unwrap();
    stream
}

#[tokio::test]
async fn a_body_that_stands_still_or_comes_too_slowly_is_cut_at_a_running_relay() {
    let mut config = RelayConfig::new(loopback(), Identity::from_seed([1; 32]));
    config.limits.pace.window = Duration::from_millis(200);
    let relay = Relay::start(config).await.unwrap();
    let mut silent = promised(&relay, 5_000).await;
    silent.write_all(&[0; 10]).await.unwrap();
    let mut status = [0; 12];
    silent.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 408");

    let mut config = RelayConfig::new(loopback(), Identity::from_seed([2; 32]));
    config.limits.pace.window = Duration::from_millis(300);
    config.limits.pace.window_bytes = 1 << 20;
    let relay = Relay::start(config).await.unwrap();
    let (mut answers, mut sends) = tokio::io::split(promised(&relay, 10_000_000).await);
    // Something comes all the time, but not enough.
    let dripping = tokio::spawn(async move {
        let mut drops = tokio::time::interval(Duration::from_millis(10));
        while sends.write_all(&[0; 100]).await.is_ok() {
            sends.flush().await.ok();
            drops.tick().await;
        }
    });
    answers.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 408");
    dripping.abort();
}

#[tokio::test]
async fn a_path_has_an_end_and_its_number_is_raised_at_each_step() {
    let network = Network::start().await;
    let server = network.server.address().clone();
    let too_long = "onion request max path length exceeded";
    // Session's clients may have longer paths than those that ask for a sealed return.
    for (sealed, highest) in [(true, 7), (false, 15)] {
        let mut came = Vec::new();
        for start in highest - 3..=highest + 1 {
            let built = network.build_for(&nothing(), &server, sealed, HopCipher::XChaCha20);
            let (status, body) = network.post(with_hop_no(built.body, start)).await;
            came.push(match status {
                200 => match built.reply.open(body) {
                    Ok(opened) => format!("answer {}", opened.response.code),
                    Err(ReplyError::Relay { hop, status, text }) => {
                        format!("relay {hop}: {status} {text}")
                    }
                    Err(other) => panic!("{other}"),
                },
                status => format!("{status} {}", String::from_utf8(body).unwrap()),
            });
        }
        let from_middle = if sealed { "relay 0: 400" } else { "400" };
        let expected = [
            "answer 404".to_owned(),
            // The last relay stands at the highest number.
            "answer 404".to_owned(),
            // It would stand above it; the middle one refuses.
            format!("{from_middle} {too_long}"),
            format!("400 {too_long}"),
            format!("400 {too_long}"),
        ];
        assert_eq!(came, expected, "{highest}");
    }
}

/// The same request with another start of its path.
fn with_hop_no(mut body: Vec<u8>, hop_no: u8) -> Vec<u8> {
    let at = body.iter().rposition(|byte| *byte == b'{').unwrap();
    let json = String::from_utf8(body.split_off(at)).unwrap();
    let (before, _old) = json.split_once("\"hop_no\":").unwrap();
    body.extend_from_slice(format!("{before}\"hop_no\":{hop_no}}}").as_bytes());
    body
}

#[tokio::test]
async fn what_cannot_be_followed_is_said_in_the_words_of_the_network() {
    let network = Network::start().await;
    let relay = &network.relays[0];
    for cipher in [HopCipher::AesGcm, HopCipher::XChaCha20] {
        for (inside, words) in [
            (r#"{"headers":""}"#, "Invalid json"),
            ("no json", "Invalid json"),
            (
                r#"{"host":"10.0.0.1","target":"/oxen/v4/lsrpc"}"#,
                "Invalid url",
            ),
            (
                r#"{"host":"127.0.0.1","port":8787,"protocol":"http","target":"/admin"}"#,
                "Invalid url",
            ),
        ] {
            let (key, body) = layer(relay.descriptor().key, cipher, inside);
            let (status, body) = network.post(body).await;
            assert_eq!(status, 200);
            let mut sealed = data_encoding::BASE64.decode(&body).unwrap();
            let whole = 0..sealed.len();
            let opened = key.open_in_place(&mut sealed, whole).unwrap();
            let said: serde_json::Value = serde_json::from_slice(&sealed[opened]).unwrap();
            assert_eq!(
                said,
                serde_json::json!({ "status": 400, "body": words }),
                "{inside}"
            );
        }
        let unknown = Identity::from_seed([42; 32]).public().to_hex();
        let inside = format!(r#"{{"destination":"{unknown}","ephemeral_key":"{unknown}"}}"#);
        let (_key, body) = layer(relay.descriptor().key, cipher, &inside);
        assert_eq!(
            network.post(body).await,
            (502, format!("Next node not found: {unknown}").into_bytes())
        );
    }
    let json = format!(
        r#"{{"ephemeral_key":"{}","enc_type":"rot13"}}"#,
        "2b".repeat(32)
    );
    let refused: [(&[u8], &str); 4] = [
        (b"\xff\xff\xff\xff", "truncated"),
        (b"\0\0\0\0{", "invalid json"),
        (
            b"\0\0\0\0{\"ephemeral_key\":\"00\"}",
            "invalid ephemeral_key",
        ),
        (&[&[0; 4][..], json.as_bytes()].concat(), "unknown enc_type"),
    ];
    for (body, words) in refused {
        let (status, text) = network.post(body.to_vec()).await;
        assert_eq!(status, 400);
        assert_eq!(
            String::from_utf8(text).unwrap(),
            format!("Error parsing onion request: {words}")
        );
    }
}

/// A layer for `relay` alone with `json` inside, as Session's clients send it, and the key of its answer.
fn layer(relay: Ed25519Public, cipher: HopCipher, json: &str) -> (HopKey, Vec<u8>) {
    let (key, body) = wrap(relay, cipher, &[b"abc", json.as_bytes()].concat(), 3);
    (key, [&body[..], b"}"].concat())
}

/// A layer for `relay` around `inside`, which begins with `inner_len` bytes of the layer within it: without the last
/// brace, so that members can follow.
fn wrap(
    relay: Ed25519Public,
    cipher: HopCipher,
    inside: &[u8],
    inner_len: usize,
) -> (HopKey, Vec<u8>) {
    let rng = &mut random::system();
    let secret = X25519Secret::generate(rng);
    let to = relay.to_x25519();
    let key = HopKey::derive(cipher, &secret.agree(&to).unwrap(), &secret.public(), &to);
    let inner_len = u32::try_from(inner_len).unwrap();
    let inside = [&inner_len.to_le_bytes()[..], inside].concat();
    let mut region = vec![0; cipher.nonce_len()];
    region.extend_from_slice(&inside);
    region.resize(inside.len() + cipher.overhead(), 0);
    key.seal_in_place(&mut region, rng);
    let name = cipher
        .wire_name()
        .map_or_else(String::new, |name| format!(r#","enc_type":"{name}""#));
    let outer = format!(r#"{{"ephemeral_key":"{}"{name}"#, secret.public().to_hex());
    let len = u32::try_from(region.len()).unwrap();
    (
        key,
        [&len.to_le_bytes()[..], &region, outer.as_bytes()].concat(),
    )
}

#[tokio::test]
async fn a_request_that_names_one_relay_fifteen_times_ends_at_its_first_step() {
    let network = Network::start().await;
    let own = network.relays[0].descriptor().key;
    let end = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = end.local_addr().unwrap().port();
    let json = format!(
        r#"{{"host":"127.0.0.1","port":{port},"protocol":"http","target":"/oxen/v4/lsrpc"}}"#
    );
    let cipher = HopCipher::XChaCha20;
    let (_key, mut body) = wrap(own, cipher, &[b"abc", json.as_bytes()].concat(), 3);
    for _ in 1..15 {
        let inner_len = u32::from_le_bytes(*body.first_chunk().unwrap());
        let inside = format!(r#","destination":"{}"}}"#, own.to_hex());
        let inside = [&body[4..], inside.as_bytes()].concat();
        body = wrap(own, cipher, &inside, usize::try_from(inner_len).unwrap()).1;
    }
    body.push(b'}');
    let answered = network.post(body).await;
    let not_found = format!("Next node not found: {}", own.to_hex());
    assert_eq!(answered, (502, not_found.into_bytes()));
    let came = tokio::time::timeout(Duration::ZERO, end.accept()).await;
    assert!(came.is_err(), "nothing reached the end");
}

#[tokio::test]
async fn a_client_without_ed25519_is_served_under_another_certificate() {
    let network = Network::start().await;
    for (scheme, own_key) in [
        (SignatureScheme::ED25519, true),
        (SignatureScheme::ECDSA_NISTP256_SHA256, false),
    ] {
        let verifier = Arc::new(TakesAny {
            scheme,
            shown: Mutex::default(),
        });
        let config = ClientConfig::builder_with_provider(tls::provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&verifier) as Arc<dyn ServerCertVerifier>)
            .with_no_client_auth();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(config)
            .no_proxy()
            .build()
            .unwrap();
        // As Session's clients ask: their cipher, no sealed return.
        let server = network.server.address();
        let built = network.build_for(&nothing(), server, false, HopCipher::AesGcm);
        let asked = client.post(network.guard_url()).body(built.body);
        let body = asked.send().await.unwrap().bytes().await.unwrap();
        assert_eq!(built.reply.open(body.to_vec()).unwrap().response.code, 404);
        let shown = verifier.shown.lock().unwrap().clone();
        let has_own_key = shown
            .windows(32)
            .any(|bytes| bytes == network.keys()[0].as_bytes());
        assert_eq!(has_own_key, own_key, "{scheme:?}");
    }
}

/// Takes any certificate whose key signs the handshake by this scheme, and keeps what was shown.
#[derive(Debug)]
struct TakesAny {
    scheme: SignatureScheme,
    shown: Mutex<Vec<u8>>,
}

impl ServerCertVerifier for TakesAny {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.shown.lock().unwrap() = shown.to_vec();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        panic!("relays speak TLS 1.3 only")
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = tls::provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, signed, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![self.scheme]
    }
}
