//! Session's service node network as a source of relays, against stand-ins that speak exactly what the network speaks:
//! a seed with a certificate of its own, three nodes with self-signed ones, and a file server that knows nothing of
//! Cloakroom. The network itself is never contacted.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use base64ct::{Base64, Encoding as _};
use cloakroom::app::error::AppError;
use cloakroom::app::received::save::SaveTo;
use cloakroom::app::relays::{ListState, RelaySet, RelaySource, RelaySourceError, Relays};
use cloakroom::app::settings::{Home, Settings};
use cloakroom::app::transfer::call::{Call, CallContext};
use cloakroom::app::transfer::get::{self, GetRequest};
use cloakroom::app::transfer::program::Program;
use cloakroom::app::transfer::routed_server::Route;
use cloakroom::app::transfer::share::{ShareRequest, share};
use cloakroom::app::words::who_saw_what::Asked;
use cloakroom::net::seed::Seed;
use cloakroom::protocol::address::ServerAddress;
use cloakroom::protocol::disclosure::{Fact, Role, Saw, ShownOutcome};
use cloakroom::protocol::exchange::Failure;
use cloakroom::protocol::keys::{Ed25519Public, Identity, X25519Public};
use cloakroom::protocol::onion::hop_cipher::{HopCipher, HopKey};
use cloakroom::protocol::onion::v4::{RequestHead, decode_request};
use cloakroom::protocol::pointer::Pointer;
use cloakroom::protocol::relay_list::NetworkKind;
use cloakroom::wire::{random, tls};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::network::relay_sources::CommandLine;
use crate::support::{printed_pointer, said};

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_shared_and_fetched_over_session_nodes_and_a_session_file_server() {
    let network = StandIns::start().await;
    let person = network.person();
    let content = b"over other people's computers".to_vec();
    let file = person.folder.path().join("a.txt");
    std::fs::write(&file, &content).unwrap();

    let relays = person.relays_for(&network.server.address).await.unwrap();
    assert_eq!(relays.kind, NetworkKind::Session);
    assert_eq!(
        relays.list.relays.len(),
        3,
        "the incomplete entry is dropped"
    );
    let call = person.call(&network.server.address, relays).await;
    let shared = share(&call, ShareRequest::new(vec![file])).await.unwrap();
    assert_eq!(shared.pointer.relay_list, None);

    let text = shared.pointer.to_text();
    let recipient = network.person();
    let pointer = Pointer::find(text.as_str()).unwrap();
    let relays = recipient.relays_for(&pointer.server).await.unwrap();
    let call = recipient.call(&pointer.server, relays).await;
    let request = GetRequest {
        pointer,
        target: SaveTo::Folder(recipient.folder.path().to_owned())
            .prepare(&[])
            .unwrap(),
        tell_sender: true,
        choice: get::Choice::All,
    };
    let fetched = get::get(&call, request).await.unwrap();
    assert_eq!(std::fs::read(fetched.path).unwrap(), content);

    let uploads = network.server.state.headers.lock().unwrap().clone();
    assert_eq!(uploads.len(), 1);
    assert_eq!(
        uploads[0],
        Vec::<(String, String)>::new(),
        "a server of Session is sent no headers of ours"
    );
    assert!(network.nodes.posted.load(Ordering::SeqCst) >= 2);
    assert!(
        network.nodes.hops.load(Ordering::SeqCst) >= 6,
        "each request crosses three nodes"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seed_is_asked_once_a_day_and_what_it_said_serves_for_two_weeks() {
    let network = StandIns::start().await;
    let person = network.person();
    let server = &network.server.address;
    for _ in 0..3 {
        person.relays_for(server).await.unwrap();
    }
    assert_eq!(network.asked(), 1);

    person.days_pass(1);
    person.relays_for(server).await.unwrap();
    assert_eq!(network.asked(), 2);

    // No seed answers any more; and one that was asked in vain is not asked at every transfer.
    *network.seed.state.lock().unwrap() = Vec::new();
    person.days_pass(1);
    for _ in 0..2 {
        person.relays_for(server).await.unwrap();
    }
    assert_eq!(network.asked(), 3);
    let view = person
        .relays
        .view(&RelaySource::Session, person.program.now())
        .unwrap();
    assert_eq!(view.state, ListState::Good);
    assert!(
        view.problem
            .as_ref()
            .is_some_and(|problem| problem.detail.contains("named 0 nodes"))
    );

    person.days_pass(13);
    assert!(matches!(
        person.relays_for(server).await,
        Err(AppError::RelaySource(RelaySourceError::Seeds(_)))
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seed_with_another_certificate_is_no_seed() {
    let network = StandIns::start().await;
    let mut seed = network.seed();
    seed.fingerprint[31] ^= 1;
    let person = Person::with(vec![seed.clone()]);
    assert!(matches!(
        person.relays_for(&network.server.address).await,
        Err(AppError::RelaySource(RelaySourceError::Seeds(_)))
    ));
    assert_eq!(network.asked(), 0, "it was asked nothing");

    // Another one of the three may still be right. Whichever was asked saw this computer's address.
    let person = Person::with(vec![seed, network.seed()]);
    let context = CallContext::default();
    let relays = person.relays_showing(&network.server.address, &context);
    relays.await.unwrap();
    let shown = context.log.requests();
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0].asked, Asked::SessionNodes);
    let (last, before) = shown[0].attempts.split_last().unwrap();
    for attempt in before {
        assert_eq!(attempt.outcome, ShownOutcome::NoList);
        assert_eq!(attempt.parties()[0].saw, Saw::Perhaps);
    }
    assert_eq!(last.outcome, ShownOutcome::Answered(200));
    let seed = last.parties().remove(0);
    assert_eq!((seed.role, seed.saw), (Role::Seed, Saw::Certainly));
    assert!(seed.shown.contains(&Fact::ClientAddress));
    assert!(seed.hidden.contains(&Fact::Transfer));
    let relays = person.relays_showing(&network.server.address, &context);
    relays.await.unwrap();
    assert_eq!(
        context.log.requests().len(),
        1,
        "nobody was asked again the same day"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_cannot_follow_its_layer_is_understood_and_another_path_is_taken() {
    let network = StandIns::start().await;
    for (hop, text, failure) in [
        (
            0,
            "Invalid json",
            Failure::Relay {
                hop: 0,
                status: 400,
            },
        ),
        (
            1,
            "Invalid json",
            Failure::Relay {
                hop: 1,
                status: 400,
            },
        ),
        (
            2,
            "Invalid json",
            Failure::Relay {
                hop: 2,
                status: 400,
            },
        ),
        (2, "Invalid url", Failure::ServerNotServed),
    ] {
        let person = network.person();
        let relays = person.relays_for(&network.server.address).await.unwrap();
        let call = person.call(&network.server.address, relays).await;
        *network.nodes.refusal.lock().unwrap() = Some((hop, text));
        let info = call.server_info().await;
        assert_eq!(info.unwrap(), None, "a server of Session has no such path");
        let shown = call.log().requests();
        let outcomes: Vec<_> = shown[0].attempts.iter().map(|one| &one.outcome).collect();
        assert_eq!(
            outcomes,
            [&ShownOutcome::Failed(failure), &ShownOutcome::Answered(404)],
            "{hop}: {text}"
        );
    }
}

/// The commands as a person types them: a network of Session's kind is joined by the file that describes it.
#[tokio::test(flavor = "multi_thread")]
async fn a_network_of_service_nodes_is_joined_by_its_file_and_used_without_it() {
    let network = StandIns::start().await;
    let person = CommandLine::new();
    let file = person.file("other.toml", network.described().as_bytes());

    let looked = person.run(&["join", &file, "--look"]);
    assert!(looked.status.success(), "{}", said(&looked));
    for words in ["Other people", "127.0.0.1", "tried with stand-ins"] {
        assert!(said(&looked).contains(words), "{words}: {}", said(&looked));
    }
    assert_eq!(network.asked(), 0);

    let joined = person.run(&["join", &file, "--who-saw-what"]);
    assert!(joined.status.success(), "{}", said(&joined));
    assert_eq!(String::from_utf8_lossy(&joined.stdout), "Stand-ins\n");
    assert!(
        said(&joined).contains("joined: 3 relays"),
        "{}",
        said(&joined)
    );
    assert!(said(&joined).contains("stays until the server deletes it"));
    // Who was contacted for it, and what each was shown.
    for words in [
        "Asked a seed",
        "Seed ",
        "First relay",
        "File server",
        "Saw: ",
    ] {
        assert!(said(&joined).contains(words), "{words}: {}", said(&joined));
    }
    std::fs::remove_file(&file).unwrap();

    let photo = person.file("photo.jpg", b"a photo");
    let pointer = printed_pointer(&person.run(&["share", &photo]));
    let got = person.get(&pointer, &[]);
    assert_eq!(person.received(&got), b"a photo");
    assert_eq!(network.asked(), 1, "once a day");
    let networks = person.run(&["networks", "--json"]);
    let networks: Value = serde_json::from_slice(&networks.stdout).unwrap();
    let entry = &networks["networks"][1];
    assert_eq!(
        (&entry["name"], &entry["in_use"], &entry["relays"]),
        (&json!("Stand-ins"), &json!(true), &json!(3))
    );
    // Whoever is a member already loses nothing by joining again.
    let file = person.file("other.toml", network.described().as_bytes());
    let again = person.run(&["join", &file, "--who-saw-what", "--json"]);
    assert!(again.status.success(), "{}", said(&again));
    let again: Value = serde_json::from_slice(&again.stdout).unwrap();
    let asked = again["who_saw_what"].as_array().unwrap().iter();
    let asked: Vec<_> = asked.map(|one| one["asked"].as_str().unwrap()).collect();
    assert!(
        asked.contains(&"upload") && asked.contains(&"download"),
        "{asked:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_of_service_nodes_that_does_not_answer_is_saved_and_asked_again() {
    let network = StandIns::start().await;
    let states = std::mem::take(&mut *network.seed.state.lock().unwrap());
    let person = CommandLine::new();
    let file = person.file("other.toml", network.described().as_bytes());
    let saved = person.run(&["join", &file]);
    assert!(saved.status.success(), "{}", said(&saved));
    assert!(
        said(&saved).contains("the network is saved; it does not answer now"),
        "{}",
        said(&saved)
    );
    *network.seed.state.lock().unwrap() = states;
    let photo = person.file("photo.jpg", b"a photo");
    printed_pointer(&person.run(&["share", &photo]));
}

#[tokio::test(flavor = "multi_thread")]
async fn service_nodes_never_take_the_place_of_relays_that_were_chosen_unasked() {
    let network = StandIns::start().await;
    let person = CommandLine::new();
    let file = person.file("other.toml", network.described().as_bytes());
    let server = network.server.address.to_string();
    let added = person.run(&[
        "networks", "add", &server, "--name", "Mine", "--relays", "session",
    ]);
    assert!(added.status.success(), "{}", said(&added));
    let refused = person.run(&["join", &file]);
    assert!(!refused.status.success());
    assert!(
        said(&refused).contains("“Mine”, through other relays"),
        "{}",
        said(&refused)
    );
    assert_eq!(network.asked(), 0);
    let replaced = person.run(&["join", &file, "--replace"]);
    assert!(replaced.status.success(), "{}", said(&replaced));
    assert_eq!(String::from_utf8_lossy(&replaced.stdout), "Mine\n");

    let broken = person.file("broken.toml", b"name = \"x\"");
    let refused = person.run(&["join", &broken]);
    assert!(!refused.status.success());
    assert!(
        said(&refused).contains("describes no network of service nodes"),
        "{}",
        said(&refused)
    );
}

/// One person with a home of their own, who chose Session's network.
struct Person {
    folder: tempfile::TempDir,
    program: Program,
    relays: Relays,
}

impl Person {
    fn with(seeds: Vec<Seed>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::in_folder(folder.path().join("home"));
        Self {
            relays: Relays::with_seeds(&home, seeds),
            program: Program::new(home, Settings::default()),
            folder,
        }
    }

    async fn relays_for(&self, server: &ServerAddress) -> Result<RelaySet, AppError> {
        self.relays_showing(server, &CallContext::default()).await
    }

    async fn relays_showing(
        &self,
        server: &ServerAddress,
        context: &CallContext,
    ) -> Result<RelaySet, AppError> {
        self.relays
            .for_server(&self.program, Some(&RelaySource::Session), server, context)
            .await
            .map(Option::unwrap)
    }

    async fn call(&self, server: &ServerAddress, relays: RelaySet) -> Call {
        let network = self
            .program
            .routed_server(server, Some(Route::Relays(relays)));
        Call::new(
            &self.program,
            network.await.unwrap(),
            &CallContext::default(),
        )
    }

    /// Makes what is kept as old as if so many days had passed.
    fn days_pass(&self, days: u64) {
        for (name, key) in [
            ("relays.json", "/seeds/session/asked"),
            ("session-nodes.json", "/fetched"),
        ] {
            let path = self.program.home().data_dir.join(name);
            let mut kept: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            let then = kept.pointer_mut(key).unwrap();
            *then = json!(then.as_u64().unwrap() - days * 24 * 3_600);
            std::fs::write(&path, kept.to_string()).unwrap();
        }
    }
}

/// A seed, three nodes and a file server.
struct StandIns {
    seed: StandInSeed,
    nodes: Arc<Nodes>,
    server: StandInServer,
}

struct StandInSeed {
    addr: SocketAddr,
    fingerprint: [u8; 32],
    asked: Arc<AtomicUsize>,
    state: Arc<Mutex<Vec<Value>>>,
}

/// The nodes: one task a listener; among themselves they pass calls instead of what real ones speak.
struct Nodes {
    secrets: HashMap<Ed25519Public, Identity>,
    posted: AtomicUsize,
    hops: AtomicUsize,
    /// The place on a path whose node says once that it cannot follow its layer, and in which words.
    refusal: Mutex<Option<(usize, &'static str)>>,
}

struct StandInServer {
    address: ServerAddress,
    state: Arc<ServerState>,
}

struct ServerState {
    key: Identity,
    blobs: Mutex<HashMap<String, Vec<u8>>>,
    headers: Mutex<Vec<Vec<(String, String)>>>,
}

impl StandIns {
    async fn start() -> Self {
        let secrets: HashMap<_, _> = (1..=3)
            .map(|seed| Identity::from_seed([seed; 32]))
            .map(|identity| (identity.public(), identity))
            .collect();
        let nodes = Arc::new(Nodes {
            secrets,
            posted: AtomicUsize::new(0),
            hops: AtomicUsize::new(0),
            refusal: Mutex::default(),
        });
        let mut states = Vec::new();
        for key in nodes.secrets.keys().copied() {
            let nodes = Arc::clone(&nodes);
            let (addr, _) = serve_tls(move |path, body| {
                let nodes = Arc::clone(&nodes);
                async move {
                    assert_eq!(path, "/onion_req/v2");
                    nodes.posted.fetch_add(1, Ordering::SeqCst);
                    nodes.answer(key, 0, body).await
                }
            })
            .await;
            states.push(json!({
                "public_ip": addr.ip().to_string(),
                "storage_port": addr.port(),
                "pubkey_x25519": key.to_x25519().to_hex(),
                "pubkey_ed25519": key.to_hex(),
                "requested_unlock_height": 0,
            }));
        }
        states.push(json!({ "public_ip": "0.0.0.0", "storage_port": 0 }));
        Self {
            seed: StandInSeed::start(states).await,
            nodes,
            server: StandInServer::start().await,
        }
    }

    fn seed(&self) -> Seed {
        Seed {
            url: format!("https://{}", self.seed.addr),
            fingerprint: self.seed.fingerprint,
        }
    }

    /// The file that describes this network.
    fn described(&self) -> String {
        let fingerprint = self.seed.fingerprint.map(|byte| format!("{byte:02x}"));
        format!(
            "name = \"Stand-ins\"\nserver = \"{}\"\n[[seed]]\nurl = \"https://{}\"\nfingerprint = \"{}\"\n",
            self.server.address,
            self.seed.addr,
            fingerprint.concat()
        )
    }

    fn person(&self) -> Person {
        Person::with(vec![self.seed()])
    }

    fn asked(&self) -> usize {
        self.seed.asked.load(Ordering::SeqCst)
    }
}

impl StandInSeed {
    async fn start(states: Vec<Value>) -> Self {
        let asked = Arc::new(AtomicUsize::new(0));
        let state = Arc::new(Mutex::new(states));
        let (counter, states) = (Arc::clone(&asked), Arc::clone(&state));
        let (addr, fingerprint) = serve_tls(move |path, body| {
            assert_eq!(path, "/json_rpc");
            let request: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(request["jsonrpc"], "2.0");
            assert_eq!(request["method"], "get_n_service_nodes");
            assert_eq!(request["params"]["active_only"], true);
            assert_eq!(request["params"]["fields"]["pubkey_x25519"], true);
            counter.fetch_add(1, Ordering::SeqCst);
            let states = states.lock().unwrap().clone();
            let answer = json!({
                "id": "0",
                "jsonrpc": "2.0",
                "result": { "service_node_states": states, "height": 1_234_567, "status": "OK" },
            });
            async move { (200, answer.to_string().into_bytes()) }
        })
        .await;
        Self {
            addr,
            fingerprint,
            asked,
            state,
        }
    }
}

impl Nodes {
    /// Peels one layer and passes on what is inside, as the fact sheet says that nodes do.
    async fn answer(&self, me: Ed25519Public, hop: usize, body: Vec<u8>) -> (u16, Vec<u8>) {
        self.hops.fetch_add(1, Ordering::SeqCst);
        let Some((cipher, control)) = envelope(&body) else {
            return (400, b"Error parsing onion request: ".to_vec());
        };
        assert!(
            !control.contains_key("enc_type"),
            "most clients of that network send none"
        );
        let Some(text) = open(&self.secrets[&me], &control, cipher) else {
            return (400, b"Invalid ciphertext".to_vec());
        };
        let refusal = self.refusal.lock().unwrap().take_if(|(at, _)| *at == hop);
        if let Some((_, words)) = refusal {
            return (
                200,
                refused(&layer_key(&self.secrets[&me], &control), words),
            );
        }
        let (inner, next) = envelope(&text).unwrap();
        assert!(
            !next.contains_key("sealed") && !next.contains_key("enc_type"),
            "nothing of ours is in a layer: {next:?}"
        );
        if let Some(host) = next.get("host") {
            let (host, port) = (host.as_str().unwrap(), next["port"].as_u64().unwrap());
            assert_eq!(next["protocol"], "http");
            let target = next["target"].as_str().unwrap();
            return post(&format!("{host}:{port}"), target, &text).await;
        }
        let to = Ed25519Public::from_hex(next["destination"].as_str().unwrap()).unwrap();
        if !self.secrets.contains_key(&to) {
            return (
                502,
                format!("Next node not found: {}", to.to_hex()).into_bytes(),
            );
        }
        let forwarded = json!({ "ephemeral_key": next["ephemeral_key"] }).to_string();
        let mut body = u32::try_from(inner.len()).unwrap().to_le_bytes().to_vec();
        body.extend_from_slice(inner);
        body.extend_from_slice(forwarded.as_bytes());
        Box::pin(self.answer(to, hop + 1, body)).await
    }
}

impl StandInServer {
    async fn start() -> Self {
        let state = Arc::new(ServerState {
            key: Identity::from_seed([50; 32]),
            blobs: Mutex::default(),
            headers: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let served = Arc::clone(&state);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let state = Arc::clone(&served);
                tokio::spawn(exchange(stream, move |path, body| {
                    assert_eq!(path, "/oxen/v4/lsrpc");
                    let answer = state.answer(&body);
                    async move { answer }
                }));
            }
        });
        let key = state.key.public().to_hex();
        Self {
            address: format!("http://{addr}#p={key}").parse().unwrap(),
            state,
        }
    }
}

impl ServerState {
    fn answer(&self, body: &[u8]) -> (u16, Vec<u8>) {
        let (cipher, control) = envelope(body).unwrap();
        let Some(text) = open(&self.key, &control, cipher) else {
            return (400, b"<html>".to_vec());
        };
        let len = text.len();
        let (head, blob) = decode_request(text, 0..len).unwrap();
        let (code, kind, body) = self.file_api(&head, blob);
        let meta = json!({ "code": code, "headers": { "content-type": kind } }).to_string();
        let mut answer = format!("l{}:{meta}{}:", meta.len(), body.len()).into_bytes();
        answer.extend_from_slice(&body);
        answer.push(b'e');
        let key = layer_key(&self.key, &control);
        let mut sealed = vec![0; answer.len() + HopCipher::AesGcm.overhead()];
        sealed[12..12 + answer.len()].copy_from_slice(&answer);
        key.seal_in_place(&mut sealed, &mut random::system());
        (200, sealed)
    }

    /// What Session's file server has, and nothing more.
    fn file_api(&self, head: &RequestHead, body: Vec<u8>) -> (u16, &'static str, Vec<u8>) {
        let json =
            |code: u16, value: Value| (code, "application/json", value.to_string().into_bytes());
        match (head.method.as_str(), head.endpoint.as_str()) {
            ("POST", "/file") => {
                self.headers.lock().unwrap().push(head.headers.clone());
                let mut blobs = self.blobs.lock().unwrap();
                let id = (9_007_199_254_740_000 + blobs.len()).to_string();
                blobs.insert(id.clone(), body);
                json(200, json!({ "id": id, "expires": 1_900_000_000.5 }))
            }
            ("GET", path) if path.starts_with("/file/") => {
                match self.blobs.lock().unwrap().get(&path[6..]) {
                    Some(blob) => (200, "application/octet-stream", blob.clone()),
                    None => json(404, json!({ "status_code": 404 })),
                }
            }
            _ => json(404, json!({ "status_code": 404 })),
        }
    }
}

/// `[N: u32 LE][N bytes][JSON]`.
fn envelope(body: &[u8]) -> Option<(&[u8], Map<String, Value>)> {
    let (len, rest) = body.split_first_chunk::<4>()?;
    let (cipher, json) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
    Some((cipher, serde_json::from_slice(json).ok()?))
}

fn layer_key(identity: &Identity, control: &Map<String, Value>) -> HopKey {
    let client = X25519Public::from_hex(control["ephemeral_key"].as_str().unwrap()).unwrap();
    let shared = identity.x25519().agree(&client).unwrap();
    HopKey::derive(
        HopCipher::AesGcm,
        &shared,
        &client,
        &identity.x25519().public(),
    )
}

/// What a node sends, with HTTP status 200, when a layer opened that it cannot follow: base64 of JSON under its key.
fn refused(key: &HopKey, words: &str) -> Vec<u8> {
    let text = json!({ "status": 400, "body": words }).to_string();
    let mut sealed = vec![0; text.len() + HopCipher::AesGcm.overhead()];
    sealed[12..12 + text.len()].copy_from_slice(text.as_bytes());
    key.seal_in_place(&mut sealed, &mut random::system());
    Base64::encode_string(&sealed).into_bytes()
}

fn open(identity: &Identity, control: &Map<String, Value>, cipher: &[u8]) -> Option<Vec<u8>> {
    let mut text = cipher.to_vec();
    let len = text.len();
    let range = layer_key(identity, control)
        .open_in_place(&mut text, 0..len)
        .ok()?;
    Some(text[range].to_vec())
}

async fn post(addr: &str, target: &str, body: &[u8]) -> (u16, Vec<u8>) {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let head = format!(
        "POST {target} HTTP/1.1\r\nHost: {addr}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap();
    let status = std::str::from_utf8(&answer[9..12])
        .unwrap()
        .parse()
        .unwrap();
    (status, answer.split_off(end + 4))
}

/// Serves one answer a connection, over TLS with a certificate made for it; the certificate's SHA-256 comes back.
async fn serve_tls<F, A>(answer: F) -> (SocketAddr, [u8; 32])
where
    F: Fn(String, Vec<u8>) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = (u16, Vec<u8>)> + Send + 'static,
{
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let fingerprint = Sha256::digest(&certificate).into();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(tls::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (acceptor, answer) = (acceptor.clone(), answer.clone());
            tokio::spawn(async move {
                // A client that does not like the certificate goes away.
                if let Ok(stream) = acceptor.accept(stream).await {
                    exchange(stream, answer).await;
                }
            });
        }
    });
    (addr, fingerprint)
}

async fn exchange<S, F, A>(mut stream: S, answer: F)
where
    S: AsyncRead + AsyncWrite + Unpin,
    F: Fn(String, Vec<u8>) -> A,
    A: Future<Output = (u16, Vec<u8>)>,
{
    let mut read = Vec::new();
    let end = loop {
        if let Some(at) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut read).await.unwrap_or(0) == 0 {
            return;
        }
    };
    let head = String::from_utf8(read[..end].to_vec()).unwrap();
    let len = head
        .lines()
        .find_map(|line| {
            line.to_ascii_lowercase()
                .strip_prefix("content-length: ")
                .map(str::to_owned)
        })
        .map_or(0, |len| len.trim().parse::<usize>().unwrap());
    while read.len() < end + len {
        if stream.read_buf(&mut read).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let path = head.split(' ').nth(1).unwrap().to_owned();
    let (status, body) = answer(path, read.split_off(end)).await;
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.ok();
    stream.write_all(&body).await.ok();
    stream.shutdown().await.ok();
}
