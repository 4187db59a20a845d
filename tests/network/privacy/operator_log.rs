//! That servers and relays write down nothing about those who use them: processes at the most verbose level, through
//! whole transfers and through everything that goes wrong, and then every line they said and every file they left is
//! searched.
#![cfg(unix)]

use std::fs;
use std::io::Read as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use cloakroom::protocol::address::ServerAddress;
use cloakroom::protocol::pointer::Pointer;
use cloakroom::protocol::relay_list::RelayDescriptor;
use cloakroom::wire::tls;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::support::{Network, Process, RECORD_LEN, cloak, pointer_id, said, with_input};

/// The command line in a folder of its own, saying all it would ever say; a server has a relay list that it must warn of.
fn talkative(home: &Path) -> Command {
    let temporary = home.join("tmp");
    fs::create_dir_all(&temporary).unwrap();
    let list = home.join("broken.json");
    fs::write(&list, "{}").unwrap();
    fs::write(home.join("broken.json.sig"), "no signature").unwrap();
    let mut command = cloak(home);
    command
        .current_dir(home)
        .env("TMPDIR", temporary)
        .env("RUST_LOG", "trace")
        .env("CLOAKROOM_LOG", "trace")
        .env("CLOAKROOM_PLAIN_HTTP", "true")
        .env("CLOAKROOM_RELAY_LIST", list)
        .env("CLOAKROOM_METRICS", "127.0.0.1:0");
    command
}

/// The same, asked to let the store's crate speak.
fn talkative_about_the_store(home: &Path) -> Command {
    let mut command = talkative(home);
    command
        .env("RUST_LOG", "object_store=trace")
        .env_remove("CLOAKROOM_LOG");
    command
}

#[test]
fn servers_and_relays_write_down_nothing_about_those_who_use_them() {
    nothing_is_written_down_by(talkative);
}

#[test]
fn nor_does_what_they_are_built_from() {
    nothing_is_written_down_by(talkative_about_the_store);
}

fn nothing_is_written_down_by(talkative: fn(&Path) -> Command) {
    let mut network = Network::start_with(talkative, &["--listen", "127.0.0.1:0"], str::to_owned);
    let mut secrets = Secrets::default();
    let server: ServerAddress = network.server.first_line.parse().unwrap();

    // What goes well.
    let content = b"the words that nobody is to read".repeat(40);
    let file = network.file("very private name.txt", &content);
    let pointers: Vec<_> = (0..3).map(|_| network.pointer_to(&file)).collect();
    for pointer in &pointers {
        assert!(network.get(pointer).status.success());
        secrets.add_pointer(pointer);
    }
    let stored = fs::metadata(&network.stored()[0]).unwrap().len();
    secrets.add_number(stored);
    secrets.add_number(stored - RECORD_LEN);
    secrets.words.push("the words that nobody".to_owned());
    secrets.words.push("very private name".to_owned());

    // What the operator does about a report.
    for (deed, pointer) in [("remove", &pointers[0]), ("block", &pointers[1])] {
        let mut store = talkative(network.home());
        store.args(["store", deed, "-", "--store", "store"]);
        let output = with_input(store, pointer);
        assert!(output.status.success(), "{}", said(&output));
    }
    assert_eq!(network.get(&pointers[0]).status.code(), Some(5));
    assert_eq!(network.get(&pointers[1]).status.code(), Some(5));

    // Strangers from an address of their own.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server_at: SocketAddr = format!("{}:{}", server.url.host(), server.url.port())
        .parse()
        .unwrap();
    let id = pointer_id(&pointers[2]);
    for head in [
        format!("GET /file/{id}"),
        format!("GET /file/{id}/info"),
        "GET /file/AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        "GET /info".to_owned(),
        "GET /relays".to_owned(),
        "GET /health".to_owned(),
        "POST /oxen/v4/lsrpc".to_owned(),
        "DELETE /file/secretpath".to_owned(),
        "NONSENSE".to_owned(),
    ] {
        runtime.block_on(strange(server_at, &head, &mut secrets));
    }
    for relay in &network.relays {
        let relay = RelayDescriptor::parse(&relay.first_line).unwrap();
        for head in ["POST /onion_req/v2", "GET /secretpath", "NONSENSE"] {
            runtime.block_on(strange_to_relay(&relay, head, &mut secrets));
        }
    }

    // What goes wrong: a store that cannot be read, then relays and the server gone.
    let blob = network
        .stored()
        .into_iter()
        .find(|path| path.ends_with(&id))
        .unwrap();
    fs::remove_file(&blob).unwrap();
    fs::create_dir(&blob).unwrap();
    let output = network.get(&pointers[2]);
    assert!(!output.status.success(), "{}", said(&output));
    let (_, server_said) = end_whole(&mut network.server);
    assert_eq!(network.get(&pointers[2]).status.code(), Some(4));
    assert!(
        server_said.contains(" WARN cloakroom::server"),
        "a log that is dead proves nothing: {server_said}"
    );
    let mut all = vec![("the server", server_said)];
    network.relays[2].kill();
    network.get(&pointers[2]);
    for relay in &mut network.relays[..2] {
        all.push(("a relay", end_whole(relay).1));
    }

    // The keys and addresses of others; the first line of each, which hands out its own, is not among what they said.
    secrets.words.push(server.key.to_hex());
    secrets.words.push(format!(":{}", server.url.port()));
    for relay in &network.relays {
        let relay = RelayDescriptor::parse(&relay.first_line).unwrap();
        secrets.words.push(relay.key.to_hex());
        secrets.words.push(format!(":{}", relay.port));
    }
    for (who, said) in &all {
        assert!(said.contains(" is up;"), "the capture is dead: {said:?}");
        secrets.are_not_in(who, said.as_bytes());
    }
    files(&network, &secrets);
}

/// Every file there is: in the store none that is not known, and nowhere who came and what they said.
fn files(network: &Network, secrets: &Secrets) {
    let store = network.home().join("store");
    let mut names = Vec::new();
    for path in walk(network.home()) {
        secrets.strangers_are_not_in(&path, &fs::read(&path).unwrap());
        if let Ok(name) = path.strip_prefix(&store) {
            names.push(name.to_str().unwrap().to_owned());
        }
    }
    assert!(names.iter().any(|name| name == "server.key"), "{names:?}");
    for name in names {
        // Names of objects are ids, as they must be.
        let known = ["server.key", "total"].contains(&name.as_str())
            || ["blob/", "gone/", "clock/", "more/", "seen/", "probe/"]
                .iter()
                .any(|folder| name.starts_with(folder));
        assert!(known, "a file that nobody expects: {name}");
    }
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(walk(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found
}

/// Ends a process; all that it said after its first line, on whichever stream.
fn end_whole(process: &mut Process) -> (ExitStatus, String) {
    let (status, mut said) = process.end();
    process.stdout.read_to_string(&mut said).unwrap();
    (status, said)
}

/// What must be nowhere.
#[derive(Default)]
struct Secrets {
    words: Vec<String>,
    /// Of those who came by themselves.
    strangers: Vec<String>,
}

impl Secrets {
    fn add_pointer(&mut self, text: &str) {
        let pointer = Pointer::find(text).unwrap();
        self.words.push(text.to_owned());
        self.words.push(pointer.id.as_str().to_owned());
        self.words.push(pointer.digest.to_hex());
    }

    /// A size, as it may be written.
    fn add_number(&mut self, number: u64) {
        let plain = number.to_string();
        let grouped: Vec<_> = plain
            .as_bytes()
            .rchunks(3)
            .rev()
            .map(|digits| str::from_utf8(digits).unwrap())
            .collect();
        self.words.push(grouped.join(","));
        self.words.push(grouped.join("_"));
        self.words.push(plain);
    }

    fn are_not_in(&self, who: &str, said: &[u8]) {
        for word in self.words.iter().chain(&self.strangers) {
            assert!(
                !contains(said, word),
                "{who} told {word:?}: {}",
                String::from_utf8_lossy(said)
            );
        }
    }

    fn strangers_are_not_in(&self, file: &Path, content: &[u8]) {
        for word in &self.strangers {
            assert!(
                !contains(content, word),
                "{} holds {word:?}",
                file.display()
            );
        }
    }
}

fn contains(text: &[u8], word: &str) -> bool {
    text.windows(word.len()).any(|part| part == word.as_bytes())
}

/// A request from 127.0.0.77 that says of itself all that a client can.
async fn strange(to: SocketAddr, head: &str, secrets: &mut Secrets) {
    let stream = connect(to, secrets).await;
    ask(stream, to, head).await;
}

async fn strange_to_relay(relay: &RelayDescriptor, head: &str, secrets: &mut Secrets) {
    let to = SocketAddr::new(relay.host, relay.port);
    let config = tls::pinned_client_config(&relay.key).unwrap();
    let name = ServerName::IpAddress(relay.host.into());
    let stream = connect(to, secrets).await;
    let stream = TlsConnector::from(std::sync::Arc::new(config))
        .connect(name, stream)
        .await
        .unwrap();
    ask(stream, to, head).await;
}

async fn connect(to: SocketAddr, secrets: &mut Secrets) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    // Only Linux has all of 127.0.0.0/8 on loopback.
    let from = if cfg!(target_os = "linux") {
        "127.0.0.77:0"
    } else {
        "127.0.0.1:0"
    };
    socket.bind(from.parse().unwrap()).unwrap();
    let stream = socket.connect(to).await.unwrap();
    if cfg!(target_os = "linux") {
        secrets.strangers.push("127.0.0.77".to_owned());
    }
    let port = stream.local_addr().unwrap().port();
    secrets.words.push(format!(":{port}"));
    for word in [
        "SecretBrowser",
        "198.51.100.77",
        "secret-cookie",
        "secretpath",
    ] {
        secrets.strangers.push(word.to_owned());
    }
    stream
}

async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin, to: SocketAddr, head: &str) {
    let request = format!(
        "{head} HTTP/1.1\r\nHost: {to}\r\nUser-Agent: SecretBrowser/7\r\nX-Forwarded-For: 198.51.100.77\r\n\
         Cookie: secret-cookie\r\nConnection: close\r\nContent-Length: 20\r\n\r\n{}",
        "x".repeat(20)
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok();
    assert!(answer.starts_with(b"HTTP/1.1 "), "{head}");
}
