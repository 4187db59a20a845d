//! Attacks on running programs, as strangers make them: each has a server, a relay or a client as a process of its own,
//! and shows that it neither takes the memory nor believes the answer it is meant to.
#![cfg(target_os = "linux")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use cloakroom::protocol::address::{FileId, ServerAddress, ServerUrl};
use cloakroom::protocol::digest::Digest;
use cloakroom::protocol::keys::{Identity, X25519Public, X25519Secret};
use cloakroom::protocol::onion::hop_cipher::HopKey;
use cloakroom::protocol::onion::{GUARD_ENDPOINT, HopCipher, SERVER_ENDPOINT};
use cloakroom::protocol::pointer::{Pointer, PointerKey};
use cloakroom::protocol::relay_list::RelayDescriptor;
use cloakroom::protocol::seal::{ContentKind, FileKey};
use cloakroom::wire::{random, tls};

use crate::support::{Network, Process, cloak, peak_kib, with_input};

/// What a program may have taken in all after one request or answer of 10 MB that is made to grow.
const MAX_PEAK_KIB: u64 = 60 * 1_024;
const BOMB_LEN: usize = 9_900_000;

#[test]
fn nested_json_in_a_request_does_not_grow_in_a_servers_memory() {
    let home = tempfile::tempdir().unwrap();
    let mut serve = cloak(home.path());
    serve
        .args(["serve", "--listen", "127.0.0.1:0", "--store"])
        .arg(home.path().join("store"));
    let server = Process::start(serve);
    let address: ServerAddress = server.first_line.parse().unwrap();

    let mut head = br#"{"method":"GET","endpoint":"/info","headers":{"a":"#.to_vec();
    head.extend_from_slice(&nested(BOMB_LEN));
    head.extend_from_slice(b"}}");
    let layer = Layer::to(&address.key.to_x25519());
    let body = envelope(&layer.seal(&message(&head, None)), &layer.json());
    let answer = post(&authority(&address.url), SERVER_ENDPOINT, &body);
    assert!(
        answer.starts_with("HTTP/1.1 200 "),
        "it is answered, sealed: {answer}"
    );
    assert_under(MAX_PEAK_KIB, peak_kib(server.id()).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn nested_json_in_a_layer_does_not_grow_in_a_relays_memory() {
    let home = tempfile::tempdir().unwrap();
    let mut relay = cloak(home.path());
    relay
        .args(["relay", "--listen", "127.0.0.1:0", "--key"])
        .arg(home.path().join("relay.key"));
    let relay = Process::start(relay);
    let entry = RelayDescriptor::parse(&relay.first_line).unwrap();

    let mut json = br#"{"a":"#.to_vec();
    json.extend_from_slice(&nested(BOMB_LEN));
    json.push(b'}');
    let layer = Layer::to(&entry.key.to_x25519());
    let body = envelope(&layer.seal(&envelope(b"", &json)), &layer.json());
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls::pinned_client_config(&entry.key).unwrap())
        .no_proxy()
        .build()
        .unwrap();
    let url = format!(
        "https://{}{GUARD_ENDPOINT}",
        SocketAddr::new(entry.host, entry.port)
    );
    let status = client.post(url).body(body).send().await.unwrap().status();
    assert_eq!(status, 200, "it is answered, sealed");
    assert_under(MAX_PEAK_KIB, peak_kib(relay.id()).unwrap());
}

#[test]
fn nested_json_in_an_answer_does_not_grow_in_a_clients_memory() {
    let home = tempfile::tempdir().unwrap();
    let identity = Identity::from_seed([7; 32]);
    let secret = identity.x25519();
    let mut head = br#"{"code":200,"headers":{"a":"#.to_vec();
    head.extend_from_slice(&nested(BOMB_LEN));
    head.extend_from_slice(b"}}");
    let bomb = message(&head, Some(b"{}"));
    let server = Hostile::start(move |body| {
        let (_, ephemeral) = parts(body);
        let shared = secret.agree(&ephemeral).unwrap();
        let key = HopKey::derive(HopCipher::XChaCha20, &shared, &ephemeral, &secret.public());
        seal(&key, &bomb)
    });
    let pointer = pointer_to(&server, &identity, 9_998_912);

    let mut get = cloak(home.path());
    get.args(["get", "-", "--direct", "--out"])
        .arg(home.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut client = get.spawn().unwrap();
    client
        .stdin
        .take()
        .unwrap()
        .write_all(pointer.as_bytes())
        .unwrap();
    let mut peak = 0;
    let status = loop {
        peak = peak_kib(client.id()).unwrap_or(0).max(peak);
        if let Some(status) = client.try_wait().unwrap() {
            break status;
        }
        thread::yield_now();
    };
    assert_eq!(server.requests(), 1, "the server's own word is final");
    assert!(!status.success() && peak > 0);
    assert_under(MAX_PEAK_KIB, peak);
}

/// Whoever stands before the server has no key, but has the request; its ciphertext opens with the server's key.
#[test]
fn a_request_sent_back_as_its_own_answer_is_taken_for_garbage() {
    let network = Network::start();
    let identity = Identity::from_seed([7; 32]);
    let tries = |answer: fn(&[u8]) -> Vec<u8>| {
        let server = Hostile::start(answer);
        let home = tempfile::tempdir().unwrap();
        let mut get = cloak(home.path());
        get.args(["get", "-", "--out"])
            .arg(home.path())
            .arg("--relays")
            .arg(network.list());
        let output = with_input(get, &pointer_to(&server, &identity, 100));
        (output.status.code(), server.requests())
    };
    let garbage = tries(|body| vec![7; parts(body).0.len()]);
    let reflected = tries(|body| parts(body).0);
    assert!(garbage.1 > 1, "garbage is no answer: it is asked again");
    assert_eq!(reflected, garbage);
}

/// One party between which and the sender a layer is sealed.
struct Layer {
    ephemeral: X25519Public,
    key: HopKey,
}

impl Layer {
    fn to(party: &X25519Public) -> Self {
        let secret = X25519Secret::generate(&mut random::system());
        let ephemeral = secret.public();
        let shared = secret.agree(party).unwrap();
        let key = HopKey::derive(HopCipher::AesGcm, &shared, &ephemeral, party);
        Self { ephemeral, key }
    }

    fn seal(&self, plain: &[u8]) -> Vec<u8> {
        seal(&self.key, plain)
    }

    fn json(&self) -> Vec<u8> {
        format!(r#"{{"ephemeral_key":"{}"}}"#, self.ephemeral.to_hex()).into_bytes()
    }
}

fn seal(key: &HopKey, plain: &[u8]) -> Vec<u8> {
    let cipher = key.cipher();
    let mut sealed = vec![0; cipher.nonce_len()];
    sealed.extend_from_slice(plain);
    sealed.resize(plain.len() + cipher.overhead(), 0);
    key.seal_in_place(&mut sealed, &mut random::system());
    sealed
}

fn envelope(ciphertext: &[u8], json: &[u8]) -> Vec<u8> {
    let len = u32::try_from(ciphertext.len()).unwrap();
    [&len.to_le_bytes(), ciphertext, json].concat()
}

/// The ciphertext of an envelope and the ephemeral key of its layer.
fn parts(envelope: &[u8]) -> (Vec<u8>, X25519Public) {
    let (len, rest) = envelope.split_at(4);
    let len = u32::from_le_bytes(len.try_into().unwrap());
    let (ciphertext, json) = rest.split_at(usize::try_from(len).unwrap());
    let json: serde_json::Value = serde_json::from_slice(json).unwrap();
    let ephemeral = json["ephemeral_key"].as_str().unwrap();
    (
        ciphertext.to_vec(),
        X25519Public::from_hex(ephemeral).unwrap(),
    )
}

/// A v4 message.
fn message(head: &[u8], body: Option<&[u8]>) -> Vec<u8> {
    let mut message = format!("l{}:", head.len()).into_bytes();
    message.extend_from_slice(head);
    if let Some(body) = body {
        message.extend_from_slice(format!("{}:", body.len()).as_bytes());
        message.extend_from_slice(body);
    }
    message.push(b'e');
    message
}

/// About `len` bytes of JSON arrays in arrays, which cost a tree of values most.
fn nested(len: usize) -> Vec<u8> {
    const DEPTH: usize = 120;
    let one = ["[".repeat(DEPTH), "]".repeat(DEPTH)].concat();
    let count = len / (one.len() + 1);
    format!("[{}]", vec![one; count].join(",")).into_bytes()
}

fn pointer_to(server: &Hostile, identity: &Identity, content_len: u64) -> String {
    let pointer = Pointer {
        server: ServerAddress {
            url: ServerUrl::parse(&format!("http://{}", server.addr)).unwrap(),
            key: identity.public(),
        },
        id: FileId::parse("B5lQi2xLvfMLkxTipcUhKw").unwrap(),
        key: PointerKey::Whole(FileKey::from_bytes([1; 32])),
        digest: Digest::of(b"nothing that comes back"),
        content_len,
        name: None,
        kind: ContentKind::File,
        expires: None,
        receipts: None,
        relay_list: None,
    };
    pointer.to_text().as_str().to_owned()
}

/// A server that answers every request by what it is given.
struct Hostile {
    addr: SocketAddr,
    requests: Arc<AtomicUsize>,
}

impl Hostile {
    fn start(answer: impl Fn(&[u8]) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let body = read_body(&mut stream);
                counted.fetch_add(1, Ordering::SeqCst);
                let answer = answer(&body);
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    answer.len()
                );
                stream.write_all(head.as_bytes()).unwrap();
                stream.write_all(&answer).unwrap();
            }
        });
        Self { addr, requests }
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

fn read_body(stream: &mut TcpStream) -> Vec<u8> {
    let mut read = Vec::new();
    let mut piece = [0; 65_536];
    loop {
        let len = stream.read(&mut piece).unwrap();
        read.extend_from_slice(&piece[..len]);
        let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8(read[..end].to_vec())
            .unwrap()
            .to_lowercase();
        let wanted: usize = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .unwrap()
            .parse()
            .unwrap();
        let mut body = read.split_off(end + 4);
        let had = body.len();
        body.resize(wanted, 0);
        stream.read_exact(&mut body[had..]).unwrap();
        return body;
    }
}

/// Posts over plain HTTP; the answer's head and body as lossy text.
fn post(authority: &str, path: &str, body: &[u8]) -> String {
    let mut stream = TcpStream::connect(authority).unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

fn authority(url: &ServerUrl) -> String {
    url.as_str().split_once("://").unwrap().1.to_owned()
}

fn assert_under(limit_kib: u64, peak_kib: u64) {
    assert!(peak_kib <= limit_kib, "{peak_kib} KiB, over {limit_kib}");
}
