//! A network that keeps itself, with real sockets on loopback and a clock that the test sets: a file server that signs the list,
//! and relays that join it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cloakroom::protocol::address::ServerAddress;
use cloakroom::protocol::capability::JoinWord;
use cloakroom::protocol::file_api::{FileRequest, SignedList, read_signed_list};
use cloakroom::protocol::invitation::{Invitation, Purpose};
use cloakroom::protocol::keys::Identity;
use cloakroom::protocol::network::{
    Admitted, JoinAnswer, JoinRule, ListSigner, Membership, NoInvitation, RelayDetails,
    RelayRequest, SignedAnnouncement,
};
use cloakroom::protocol::onion::v4::{RequestHead, Response};
use cloakroom::protocol::onion::{HopCipher, OnionRoute, build};
use cloakroom::protocol::relay_list::{RelayList, Serves};
use cloakroom::relay::join::{JoinEvent, JoinedRelay};
use cloakroom::relay::{Relay, RelayConfig, RunningRelay};
use cloakroom::server::network::NetworkConfig;
use cloakroom::server::network::command::{
    Invited, NetworkAnswer, NetworkCommand, NetworkReport, RelayReport,
};
use cloakroom::server::{RunningServer, Server, ServerConfig};
use cloakroom::wire::random;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

pub(crate) const HOUR: u64 = 3_600;
/// The beginning of an hour.
pub(crate) const START: u64 = 1_800_000_000;

/// A file server with a network, and the clock of all.
pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) now: Arc<AtomicU64>,
    pub(crate) server: RunningServer,
}

/// A relay that belongs to the network, for as long as it lives.
pub(crate) struct Member {
    pub(crate) running: Arc<RunningRelay>,
    pub(crate) events: Arc<Mutex<Vec<JoinEvent>>>,
    pub(crate) joining: JoinSet<()>,
    pub(crate) key: String,
}

pub(crate) fn identity(seed: u8) -> Identity {
    Identity::from_seed([seed; 32])
}

pub(crate) fn key(seed: u8) -> String {
    identity(seed).public().to_hex()
}

impl World {
    pub(crate) async fn start(joining: JoinRule) -> Self {
        Self::start_with(joining, |_config| ()).await
    }

    pub(crate) async fn start_with(
        joining: JoinRule,
        change: impl FnOnce(&mut ServerConfig),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let now = Arc::new(AtomicU64::new(START));
        let server = Self::serve(folder.path(), &now, joining, change).await;
        Self {
            folder,
            now,
            server,
        }
    }

    pub(crate) async fn serve(
        folder: &Path,
        now: &Arc<AtomicU64>,
        joining: JoinRule,
        change: impl FnOnce(&mut ServerConfig),
    ) -> RunningServer {
        let listen = "127.0.0.1:0".parse().unwrap();
        let mut config = ServerConfig::new(listen, folder.join("store"), identity(200));
        let clock = Arc::clone(now);
        config.clock = Arc::new(move || clock.load(Ordering::SeqCst));
        config.network = Some(NetworkConfig {
            name: "Ann's friends".to_owned(),
            joining,
            allow_private: true,
            signer: ListSigner::Here(identity(201)),
        });
        change(&mut config);
        Server::start(config).await.unwrap()
    }

    /// Another server over the same bucket, with the same keys, and the same clock.
    pub(crate) async fn second(&self, change: impl FnOnce(&mut ServerConfig)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let now = Arc::clone(&self.now);
        let server = Self::serve(folder.path(), &now, JoinRule::Open, change).await;
        Self {
            folder,
            now,
            server,
        }
    }

    pub(crate) fn pass(&self, secs: u64) {
        self.now.fetch_add(secs, Ordering::SeqCst);
    }

    pub(crate) fn address(&self) -> &ServerAddress {
        self.server.address()
    }

    pub(crate) async fn command(&self, command: NetworkCommand) -> NetworkAnswer {
        self.server.network().unwrap().handle(&command).await
    }

    pub(crate) async fn report(&self) -> NetworkReport {
        match self.command(NetworkCommand::Relays).await {
            NetworkAnswer::Relays(report) => report,
            other => panic!("{other:?}"),
        }
    }

    /// How the relays stand, by their keys.
    pub(crate) async fn states(&self) -> BTreeMap<String, RelayReport> {
        let relays = self.report().await.relays.into_iter();
        relays.map(|relay| (relay.key.clone(), relay)).collect()
    }

    pub(crate) async fn state(&self, seed: u8) -> Option<String> {
        let states = self.states().await;
        states.get(&key(seed)).map(|relay| relay.state.clone())
    }

    pub(crate) fn invitation(&self) -> Invitation {
        let network = self.server.network().unwrap();
        let word = network.invite_relay(None).unwrap();
        Invitation::find(&word, START).unwrap()
    }

    pub(crate) fn join_word(&self) -> JoinWord {
        match &self.invitation().parts().purpose {
            Purpose::AddRelay { join_word } => join_word.clone(),
            Purpose::Use { .. } => panic!("an invitation for people"),
        }
    }

    pub(crate) async fn friends(&self) -> Result<Invitation, NoInvitation> {
        let network = self.server.network().unwrap();
        let word = network.invite(Invited::Friends, None).await?;
        Ok(Invitation::find(&word, START).unwrap())
    }

    /// Waits until people can be invited.
    pub(crate) async fn friends_when_ready(&self) -> Invitation {
        let network = self.server.network().unwrap();
        let word = network.first_invitation().await.unwrap();
        Invitation::find(&word, START).unwrap()
    }

    /// Ends the server, and starts a changed one at its address.
    pub(crate) async fn replace_server(self, change: impl FnOnce(&mut ServerConfig)) -> Self {
        let Self {
            folder,
            now,
            server,
        } = self;
        let listen = server.addr();
        server.stop().await;
        let change = |config: &mut ServerConfig| {
            config.settings.listen = listen;
            change(config);
        };
        let server = Self::serve(folder.path(), &now, JoinRule::Open, change).await;
        Self {
            folder,
            now,
            server,
        }
    }

    /// Starts the relay with the key of `seed` at 127.0.`place`.1, as a part of the internet of its own, which joins by the
    /// newest invitation or goes on with what it kept.
    pub(crate) async fn relay(
        &self,
        seed: u8,
        place: u8,
        change: impl FnOnce(&mut RelayConfig),
    ) -> Member {
        let listen = SocketAddr::from(([127, 0, place, 1], 0));
        let mut config = RelayConfig::new(listen, identity(seed));
        let clock = Arc::clone(&self.now);
        let clock: Arc<dyn Fn() -> u64 + Send + Sync> =
            Arc::new(move || clock.load(Ordering::SeqCst));
        config.clock = Arc::clone(&clock);
        config.settings.allow_private = true;
        config.settings.operator = format!("operator {seed}");
        config.network_host = Some("127.0.0.1".to_owned());
        config.settings.key_path = self.folder.path().join(format!("{seed}.key"));
        change(&mut config);
        let settings = config.settings.clone();
        let running = Arc::new(Relay::start(config).await.unwrap());

        let file = self.folder.path().join(format!("{seed}.join"));
        let membership = match std::fs::read(&file) {
            Ok(kept) => Membership::from_bytes(&kept).unwrap(),
            Err(_none) => Membership::join(self.invitation()).unwrap(),
        };
        let joining = JoinedRelay::begin(membership, &settings, clock)
            .await
            .unwrap();
        let events = Arc::new(Mutex::new(Vec::new()));
        let (told, relay) = (Arc::clone(&events), Arc::clone(&running));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let identity = identity(seed);
            let tell = |event| told.lock().unwrap().push(event);
            joining.run(&relay, &identity, tell).await;
        });
        Member {
            running,
            events,
            joining: tasks,
            key: key(seed),
        }
    }

    pub(crate) async fn join(&self, seed: u8) -> Member {
        self.join_with(seed, |_config| ()).await
    }

    /// Starts a relay and waits until it is in the network. Newcomers from one address are proved once a minute.
    pub(crate) async fn join_with(
        &self,
        seed: u8,
        change: impl FnOnce(&mut RelayConfig),
    ) -> Member {
        self.pass(60);
        let relay = self.relay(seed, seed, change).await;
        relay.answered(JoinAnswer::Admitted(Admitted::Listed)).await;
        relay
    }

    pub(crate) async fn ask(&self, head: &RequestHead, body: &[u8]) -> Response {
        let route = OnionRoute {
            relays: &[],
            server: self.address(),
            cipher: HopCipher::XChaCha20,
            sealed_return: true,
        };
        let built = build(&route, head, body, &mut random::system()).unwrap();
        let answer = post(self.server.addr(), "/oxen/v4/lsrpc", &built.body).await;
        built.reply.open(answer).unwrap().response
    }

    /// Sends an announcement as a stranger would.
    pub(crate) async fn announce(&self, word: Option<JoinWord>, body: &str) -> Response {
        let request = RelayRequest::Join {
            word,
            body: body.as_bytes().to_vec(),
        };
        self.ask(&request.head(), request.body()).await
    }

    pub(crate) async fn announce_as(
        &self,
        seed: u8,
        details: &RelayDetails,
        more_ms: u64,
    ) -> JoinAnswer {
        let at_ms = self.now.load(Ordering::SeqCst) * 1_000 + more_ms;
        let signed = SignedAnnouncement::sign(details, at_ms, &self.address().key, &identity(seed));
        let response = self
            .announce(Some(self.join_word()), &signed.to_json())
            .await;
        JoinAnswer::read(&response).unwrap()
    }

    /// Lets an hour pass until the list of so many relays is signed, one more until the relays have fetched it, and one more
    /// until each has answered through another one.
    pub(crate) async fn hand_out_list_of(&self, count: usize, relays: &[Member]) {
        self.pass(HOUR);
        wait_for("the new list", || async { self.listed().await == count }).await;
        self.pass(HOUR);
        for relay in relays {
            relay.has_list_of(count).await;
        }
        self.pass(HOUR);
        wait_for("the hourly look", || async {
            let now = self.now.load(Ordering::SeqCst);
            let relays = self.report().await.relays;
            relays.iter().all(|relay| relay.at == Some(now))
        })
        .await;
    }

    /// The list that the server hands out.
    pub(crate) async fn list(&self) -> Option<(RelayList, SignedList)> {
        let response = self.ask(&FileRequest::RelayList.head(), &[]).await;
        if response.code == 404 {
            return None;
        }
        let signed = read_signed_list(&response).unwrap();
        let list = RelayList::read(signed.list.as_bytes()).unwrap();
        Some((list, signed))
    }

    pub(crate) async fn listed(&self) -> usize {
        self.list().await.map_or(0, |(list, _)| list.relays.len())
    }
}

impl Member {
    /// Ends the relay; nobody answers at its address any more.
    pub(crate) async fn die(mut self) {
        self.joining.shutdown().await;
        Arc::into_inner(self.running).unwrap().stop().await;
    }

    pub(crate) async fn until(&self, what: &str, seen: impl Fn(&[JoinEvent]) -> bool) {
        let waiting = async {
            while !seen(&self.events.lock().unwrap()) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        assert!(waited.is_ok(), "{what}: {:?}", self.events.lock().unwrap());
    }

    pub(crate) async fn answered(&self, answer: JoinAnswer) {
        let is_answer =
            |event: &JoinEvent| matches!(event, JoinEvent::Answered(found) if *found == answer);
        self.until("the answer", |events| events.iter().any(is_answer))
            .await;
    }

    pub(crate) async fn has_list_of(&self, count: usize) {
        let is_last = |events: &[JoinEvent]| {
            let mut lists = events.iter().rev().filter_map(|event| match event {
                JoinEvent::List(count) => Some(*count),
                _ => None,
            });
            lists.next() == Some(count)
        };
        self.until("the list", is_last).await;
    }
}

/// Waits until `holds` returns `true`; what it waits for is named when it does not come.
pub(crate) async fn wait_for<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, waiting).await;
    assert!(waited.is_ok(), "{what} does not come");
}

/// Posts to a server, and returns the body of its answer with status 200.
pub(crate) async fn post(addr: SocketAddr, path: &str, body: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"), "another status");
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    answer.split_off(end.unwrap() + 4)
}

pub(crate) fn details_of(relay: &Member) -> RelayDetails {
    let relay = relay.running.descriptor();
    RelayDetails {
        host: relay.host,
        port: relay.port,
        operator: relay.operator.clone(),
        serves: Serves::Hosts(vec!["127.0.0.1".to_owned()]),
    }
}

const PATIENCE: Duration = Duration::from_secs(60);
