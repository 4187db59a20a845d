//! A network that keeps itself, with real sockets on loopback and a clock that the test sets: a file server that signs the list,
//! relays that join, die, move and come back, and strangers that lie, flood and try to fill the list.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
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
    Admitted, InviteRefused, JoinAnswer, JoinRefused, JoinRule, Membership, RelayDetails,
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

const HOUR: u64 = 3_600;
/// The beginning of an hour.
const START: u64 = 1_800_000_000;

/// A file server with a network, and the clock of all.
struct World {
    folder: TempDir,
    now: Arc<AtomicU64>,
    server: RunningServer,
}

/// A relay that belongs to the network, for as long as it lives.
struct Member {
    running: Arc<RunningRelay>,
    events: Arc<Mutex<Vec<JoinEvent>>>,
    joining: JoinSet<()>,
    key: String,
}

fn identity(seed: u8) -> Identity {
    Identity::from_seed([seed; 32])
}

fn key(seed: u8) -> String {
    identity(seed).public().to_hex()
}

impl World {
    async fn start(joining: JoinRule) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let now = Arc::new(AtomicU64::new(START));
        let server = Self::serve(folder.path(), &now, joining).await;
        Self {
            folder,
            now,
            server,
        }
    }

    async fn serve(folder: &Path, now: &Arc<AtomicU64>, joining: JoinRule) -> RunningServer {
        let listen = "127.0.0.1:0".parse().unwrap();
        let mut config = ServerConfig::new(listen, folder.join("store"), identity(200));
        let clock = Arc::clone(now);
        config.clock = Arc::new(move || clock.load(Ordering::SeqCst));
        config.network = Some(NetworkConfig {
            name: "Ann's friends".to_owned(),
            joining,
            allow_private: true,
            list_key: identity(201),
        });
        Server::start(config).await.unwrap()
    }

    fn pass(&self, secs: u64) {
        self.now.fetch_add(secs, Ordering::SeqCst);
    }

    fn address(&self) -> &ServerAddress {
        self.server.address()
    }

    async fn command(&self, command: NetworkCommand) -> NetworkAnswer {
        self.server.network().unwrap().handle(&command).await
    }

    async fn report(&self) -> NetworkReport {
        match self.command(NetworkCommand::Relays).await {
            NetworkAnswer::Relays(report) => report,
            other => panic!("{other:?}"),
        }
    }

    /// How the relays stand, by their keys.
    async fn states(&self) -> BTreeMap<String, RelayReport> {
        let relays = self.report().await.relays.into_iter();
        relays.map(|relay| (relay.key.clone(), relay)).collect()
    }

    async fn state(&self, seed: u8) -> Option<String> {
        let states = self.states().await;
        states.get(&key(seed)).map(|relay| relay.state.clone())
    }

    fn invitation(&self) -> Invitation {
        let network = self.server.network().unwrap();
        let word = network.invite(Invited::Relays, None).unwrap();
        Invitation::find(&word, START).unwrap()
    }

    fn join_word(&self) -> JoinWord {
        match &self.invitation().parts().purpose {
            Purpose::AddRelay { join_word } => join_word.clone(),
            Purpose::Use { .. } => panic!("an invitation for people"),
        }
    }

    fn friends(&self) -> Result<Invitation, InviteRefused> {
        let network = self.server.network().unwrap();
        let word = network.invite(Invited::Friends, None)?;
        Ok(Invitation::find(&word, START).unwrap())
    }

    /// Starts the relay with the key of `seed` at 127.0.`place`.1, as a part of the internet of its own, which joins by the
    /// newest invitation or goes on with what it kept.
    async fn relay(&self, seed: u8, place: u8, change: impl FnOnce(&mut RelayConfig)) -> Member {
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

    async fn join(&self, seed: u8) -> Member {
        self.join_with(seed, |_config| ()).await
    }

    /// Starts a relay and waits until it is in the network. Newcomers from one address are proved once a minute.
    async fn join_with(&self, seed: u8, change: impl FnOnce(&mut RelayConfig)) -> Member {
        self.pass(60);
        let relay = self.relay(seed, seed, change).await;
        relay.answered(JoinAnswer::Admitted(Admitted::Listed)).await;
        relay
    }

    async fn ask(&self, head: &RequestHead, body: &[u8]) -> Response {
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
    async fn announce(&self, word: Option<JoinWord>, body: &str) -> Response {
        let request = RelayRequest::Join {
            word,
            body: body.as_bytes().to_vec(),
        };
        self.ask(&request.head(), request.body()).await
    }

    async fn announce_as(&self, seed: u8, details: &RelayDetails, more_ms: u64) -> JoinAnswer {
        let at_ms = self.now.load(Ordering::SeqCst) * 1_000 + more_ms;
        let signed = SignedAnnouncement::sign(details, at_ms, &self.address().key, &identity(seed));
        let response = self
            .announce(Some(self.join_word()), &signed.to_json())
            .await;
        JoinAnswer::read(&response).unwrap()
    }

    /// Lets an hour pass until the list of so many relays is signed, one more until the relays have fetched it, and one more
    /// until each has answered through another one.
    async fn hand_out_list_of(&self, count: usize, relays: &[Member]) {
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
    async fn list(&self) -> Option<(RelayList, SignedList)> {
        let response = self.ask(&FileRequest::RelayList.head(), &[]).await;
        if response.code == 404 {
            return None;
        }
        let signed = read_signed_list(&response).unwrap();
        let list = RelayList::read(signed.list.as_bytes()).unwrap();
        Some((list, signed))
    }

    async fn listed(&self) -> usize {
        self.list().await.map_or(0, |(list, _)| list.relays.len())
    }
}

impl Member {
    /// Ends the relay; nobody answers at its address any more.
    async fn die(mut self) {
        self.joining.shutdown().await;
        Arc::into_inner(self.running).unwrap().stop().await;
    }

    async fn until(&self, what: &str, seen: impl Fn(&[JoinEvent]) -> bool) {
        let waiting = async {
            while !seen(&self.events.lock().unwrap()) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        assert!(waited.is_ok(), "{what}: {:?}", self.events.lock().unwrap());
    }

    async fn answered(&self, answer: JoinAnswer) {
        let is_answer =
            |event: &JoinEvent| matches!(event, JoinEvent::Answered(found) if *found == answer);
        self.until("the answer", |events| events.iter().any(is_answer))
            .await;
    }

    async fn has_list_of(&self, count: usize) {
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
async fn wait_for<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, waiting).await;
    assert!(waited.is_ok(), "{what} does not come");
}

/// Posts to a server, and returns the body of its answer with status 200.
async fn post(addr: SocketAddr, path: &str, body: &[u8]) -> Vec<u8> {
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

fn details_of(relay: &Member) -> RelayDetails {
    let relay = relay.running.descriptor();
    RelayDetails {
        host: relay.host,
        port: relay.port,
        operator: relay.operator.clone(),
        serves: Serves::Hosts(vec!["127.0.0.1".to_owned()]),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn relays_join_one_after_the_other_and_the_server_signs_their_list() {
    let world = World::start(JoinRule::Open).await;
    assert_eq!(
        world.friends().err(),
        Some(InviteRefused::TooFew { relays: 0 })
    );
    assert!(world.list().await.is_none());

    let first = world.join(1).await;
    // It serves nobody: the request that proves it goes on to the first one.
    let second = world
        .join_with(2, |config| {
            config.settings.serves = Some(Serves::None);
            config.settings.allow_private = false;
        })
        .await;
    assert_eq!(
        world.friends().err(),
        Some(InviteRefused::TooFew { relays: 2 })
    );
    assert!(world.list().await.is_none());
    let third = world.join(3).await;
    // Relays that have no list yet ask for it every minute.
    world.pass(60);
    let mut relays = vec![first, second, third];
    for relay in &relays {
        relay.has_list_of(3).await;
    }
    let (list, _) = world.list().await.unwrap();
    assert_eq!(list.name, "Ann's friends");
    let friends = world.friends().unwrap();
    assert_eq!(friends.parts().relays.len(), 3);
    assert_eq!(friends.parts().list_key, identity(201).public());

    // Further relays stand in the list of the next hour.
    for seed in 4..=5 {
        relays.push(world.join(seed).await);
    }
    assert_eq!(world.listed().await, 3);
    world.hand_out_list_of(5, &relays).await;
    let counts = world.server.gauges().relays().unwrap();
    assert_eq!((counts.listed, counts.answering), (5, 5));
    let (list, _) = world.list().await.unwrap();
    let second = list.find(&identity(2).public()).unwrap();
    assert_eq!(second.serves, Serves::None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_died_leaves_after_48_hours_and_comes_back_by_itself() {
    let world = World::start(JoinRule::Open).await;
    let mut relays = Vec::new();
    for seed in 1..=5 {
        relays.push(world.join(seed).await);
    }
    world.hand_out_list_of(5, &relays).await;
    let dead = relays.pop().unwrap();
    let dead_key = dead.key.clone();
    dead.die().await;
    let mut hours = 0;
    while hours < 48 {
        world.pass(HOUR);
        hours += 1;
        let expected = if hours == 48 {
            ("silent".to_owned(), None)
        } else {
            ("missing".to_owned(), Some(hours.to_string()))
        };
        wait_for("the hourly look", || async {
            let states = world.states().await;
            let found = &states[&dead_key];
            (found.state.clone(), found.detail.clone()) == expected
        })
        .await;
        assert!(hours == 48 || world.listed().await == 5, "{hours}");
    }
    wait_for("the list without it", || async {
        world.listed().await == 4
    })
    .await;
    for seed in 1..=4 {
        assert_eq!(world.state(seed).await.as_deref(), Some("answering"));
    }
    // It needs no invitation.
    let back = world.relay(5, 5, |_config| ()).await;
    back.answered(JoinAnswer::Admitted(Admitted::Listed)).await;
    world.pass(HOUR);
    wait_for("the list with it", || async { world.listed().await == 5 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_moves_is_listed_where_it_is_now_also_after_the_server_was_away() {
    let mut world = World::start(JoinRule::Open).await;
    let mut relays = Vec::new();
    for seed in 1..=4 {
        relays.push(world.join(seed).await);
    }
    world.hand_out_list_of(4, &relays).await;
    relays.pop().unwrap().die().await;
    world.pass(60);
    let moved = world.relay(4, 44, |_config| ()).await;
    moved.answered(JoinAnswer::Admitted(Admitted::Listed)).await;
    world.pass(HOUR);
    let here = IpAddr::from([127, 0, 44, 1]);
    wait_for("the list with the new address", || async {
        let (list, _) = world.list().await.unwrap();
        list.find(&identity(4).public()).unwrap().host == here
    })
    .await;

    // The server was off for twenty days: the same relays, and a newer list at once.
    let (before, signed) = world.list().await.unwrap();
    world.server.stop().await;
    world.now.fetch_add(20 * 24 * HOUR, Ordering::SeqCst);
    world.server = World::serve(world.folder.path(), &world.now, JoinRule::Open).await;
    wait_for("a newer list", || async { world.list().await.is_some() }).await;
    let (after, newer) = world.list().await.unwrap();
    assert_eq!(after.relays, before.relays);
    assert!(after.issued > before.issued && newer != signed);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_lists_a_relay_that_is_not_where_it_says_or_not_who_it_says() {
    let world = World::start(JoinRule::Open).await;
    let honest = world.join(1).await;
    let word = world.join_word();
    let before = world.states().await;

    // Its own key at the address of another relay.
    world.pass(60);
    let lie = world.announce_as(90, &details_of(&honest), 0).await;
    assert_eq!(lie, JoinAnswer::Refused(JoinRefused::ProofFailed));
    // The key of another relay at its own address: that relay has not signed it.
    let mine = RelayDetails {
        host: [127, 0, 90, 1].into(),
        ..details_of(&honest)
    };
    let at_ms = (START + 2 * HOUR) * 1_000;
    let signed = SignedAnnouncement::sign(&mine, at_ms, &world.address().key, &identity(90));
    let stolen = signed.to_json().replace(&key(90), &key(1));
    assert_eq!(world.announce(Some(word.clone()), &stolen).await.code, 400);
    // A relay of the network that says it is at an address where nobody is, or another relay.
    world.pass(60);
    let elsewhere = world.announce_as(1, &mine, 0).await;
    assert_eq!(elsewhere, JoinAnswer::Refused(JoinRefused::ProofFailed));
    assert_eq!(world.states().await, before);
    // Its operator can see whom the server has refused and why.
    let report = world.report().await;
    assert_eq!(report.failed.len(), 2);
    assert!(report.failed.iter().all(|relay| relay.detail.is_some()));

    // Without the word nothing is tried.
    let signed = SignedAnnouncement::sign(&mine, at_ms, &world.address().key, &identity(91));
    for word in [None, Some(JoinWord::from_bytes([0; 16]))] {
        let response = world.announce(word, &signed.to_json()).await;
        let refused = JoinAnswer::Refused(JoinRefused::WrongWord);
        assert_eq!(JoinAnswer::read(&response), Some(refused));
    }
    for body in ["", "{}", "nonsense"] {
        assert_eq!(world.announce(Some(word.clone()), body).await.code, 400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_joins_twice_stands_once_and_a_flood_keeps_nobody_out() {
    let world = World::start(JoinRule::Open).await;
    let known = world.join(1).await;
    world.pass(60);
    let listen = SocketAddr::from(([127, 0, 2, 1], 0));
    let mut config = RelayConfig::new(listen, identity(2));
    config.settings.allow_private = true;
    config.network_host = Some("127.0.0.1".to_owned());
    let relay = Relay::start(config).await.unwrap();
    let twice = RelayDetails {
        host: relay.descriptor().host,
        port: relay.descriptor().port,
        operator: String::new(),
        serves: Serves::Hosts(vec!["127.0.0.1".to_owned()]),
    };
    let (one, other) = tokio::join!(
        world.announce_as(2, &twice, 0),
        world.announce_as(2, &twice, 1)
    );
    let listed = JoinAnswer::Admitted(Admitted::Listed);
    assert!(one == listed || other == listed, "{one:?} {other:?}");
    assert_eq!(world.states().await.len(), 2);

    // All that strangers announce from this address within a minute comes to ten announcements and one proof.
    world.pass(60);
    let nowhere = |last: u8| RelayDetails {
        host: [127, 0, 100 + last, 1].into(),
        ..twice.clone()
    };
    let mut looked_at = 0;
    for last in 0..30 {
        let answer = world.announce_as(100 + last, &nowhere(last), 0).await;
        if answer != JoinAnswer::Refused(JoinRefused::TooSoon) {
            assert_eq!(answer, JoinAnswer::Refused(JoinRefused::ProofFailed));
            looked_at += 1;
        }
    }
    assert_eq!(looked_at, 1);
    // A relay of the network is heard from the same address.
    let answer = world.announce_as(1, &details_of(&known), 5).await;
    assert_eq!(answer, listed);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_member_who_fills_the_list_gets_eight_relays_a_day() {
    let world = World::start(JoinRule::Open).await;
    let mut relays = Vec::new();
    for seed in 1..=8 {
        relays.push(world.join(seed).await);
    }
    world.pass(60);
    let ninth = world.relay(9, 9, |_config| ()).await;
    ninth
        .answered(JoinAnswer::Admitted(Admitted::Waiting))
        .await;
    assert_eq!(world.state(9).await.as_deref(), Some("waiting"));
    // Four of one part of the internet.
    world.pass(24 * HOUR);
    for last in 2..=4 {
        world.pass(60);
        let near = world
            .relay(20 + last, 1, |config| {
                config.settings.listen = SocketAddr::from(([127, 0, 1, last], 0));
            })
            .await;
        near.answered(JoinAnswer::Admitted(Admitted::Listed)).await;
        relays.push(near);
    }
    world.pass(60);
    let fifth = world
        .relay(30, 1, |config| {
            config.settings.listen = SocketAddr::from(([127, 0, 1, 5], 0));
        })
        .await;
    fifth
        .answered(JoinAnswer::Refused(JoinRefused::SubnetFull))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_decides_and_the_relay_is_told() {
    let world = World::start(JoinRule::Ask).await;
    let mut relays = Vec::new();
    for seed in 1..=4 {
        world.pass(60);
        let relay = world.relay(seed, seed, |_config| ()).await;
        relay
            .answered(JoinAnswer::Admitted(Admitted::Waiting))
            .await;
        let key = relay.key.clone();
        let approved = world.command(NetworkCommand::Approve { key }).await;
        assert_eq!(
            approved,
            NetworkAnswer::Done {
                listed: seed.into()
            }
        );
        relays.push(relay);
    }
    world.hand_out_list_of(4, &relays).await;
    let key = relays[3].key.clone();
    let removed = world
        .command(NetworkCommand::Remove { key: key.clone() })
        .await;
    assert_eq!(removed, NetworkAnswer::Done { listed: 3 });
    world.pass(6 * HOUR);
    relays[3]
        .answered(JoinAnswer::Refused(JoinRefused::Removed))
        .await;
    wait_for("the list without it", || async {
        world.listed().await == 3
    })
    .await;
    // It goes on trying, and is told when it is in again.
    let approved = world
        .command(NetworkCommand::Approve { key: key.clone() })
        .await;
    assert_eq!(approved, NetworkAnswer::Done { listed: 4 });
    relays[3].events.lock().unwrap().clear();
    world.pass(HOUR);
    relays[3]
        .answered(JoinAnswer::Admitted(Admitted::Listed))
        .await;
    let blocked = world
        .command(NetworkCommand::Block { key: key.clone() })
        .await;
    assert_eq!(blocked, NetworkAnswer::Done { listed: 3 });
    world.pass(6 * HOUR);
    relays[3]
        .answered(JoinAnswer::Refused(JoinRefused::Blocked))
        .await;
    let unknown = NetworkCommand::Remove {
        key: "00".to_owned(),
    };
    assert_eq!(world.command(unknown).await, NetworkAnswer::Unknown);

    // The word of an old invitation is good for seven days more.
    let old = world.join_word();
    let drawn = world.command(NetworkCommand::NewJoinWord).await;
    assert_eq!(drawn, NetworkAnswer::Done { listed: 3 });
    assert_ne!(world.join_word(), old);
    world.pass(7 * 24 * HOUR);
    let signed = SignedAnnouncement::sign(
        &details_of(&relays[0]),
        (world.now.load(Ordering::SeqCst)) * 1_000,
        &world.address().key,
        &identity(99),
    );
    let response = world.announce(Some(old), &signed.to_json()).await;
    let refused = JoinAnswer::Refused(JoinRefused::WrongWord);
    assert_eq!(JoinAnswer::read(&response), Some(refused));
}

const PATIENCE: Duration = Duration::from_secs(60);
