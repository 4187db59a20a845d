//! Relays, servers and clients in one thread on virtual time: everything that decides is the real thing (onion
//! layers, relay decisions, transfers, the memory of relays), and what lies between them is a function call.
//!
//! Relays die, stall, lie, corrupt, replay and answer slowly, by a seed. Every transfer must end in success or in the
//! right message, within its bound; guards stay put; no relay sees both ends of one client within ten days; and the
//! choice among good relays is even. The same seed gives the same network, so that a failure can be looked at.
#![cfg(feature = "app")]
#![expect(clippy::unwrap_used, reason = "a step that fails here fails its test")]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cloakroom::app::error::AppError;
use cloakroom::app::message::UserMessage;
use cloakroom::protocol::address::{FileId, ServerAddress};
use cloakroom::protocol::capability::OwnerHash;
use cloakroom::protocol::digest::Digest;
use cloakroom::protocol::file_api::{FileAnswer, FileRequest, Upload};
use cloakroom::protocol::keys::{Ed25519Public, Identity, X25519Secret};
use cloakroom::protocol::onion::{NOT_FOUND, ReplayMemory, ReplyLayer, UNREACHABLE, open_request};
use cloakroom::protocol::path::{
    Allowance, GUARD_SECS, MAX_NEW_GUARDS, Relaxed, RelayMemory, RelayPath, Standing,
};
use cloakroom::protocol::relay_list::{NetworkKind, RelayDescriptor, RelayList, Serves};
use cloakroom::protocol::transfer::{
    Attempt, Failure, IDLE_LIMIT, Outcome, Step, Transfer, TransferError, Way,
};
use cloakroom::relay::node::{Decision, Node, ProxyRule};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

/// How a relay treats one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    Honest,
    /// Breaks the connection once the request is there.
    Breaks,
    /// Says that it has no room.
    Busy,
    /// Changes a byte of the answer.
    CorruptsAnswer,
    /// Changes a byte of what it passes on.
    CorruptsRequest,
    /// Refuses connections.
    Dead,
    /// Answers with a plain status that is not its to give.
    Forges(u16),
    /// Says plainly that the next relay is not there, though it is.
    LiesPlainly,
    /// The same in sealed words.
    LiesSealed,
    /// Says plainly that some other relay is not there.
    LiesWildly,
    /// Sends the answer to an earlier request.
    ReplaysAnswer,
    /// Passes the request on twice, and the second answer back.
    ReplaysRequest,
    /// Takes its time: seconds.
    Slow(u64),
    /// Never answers.
    Stalls,
}

use Manner::{
    Breaks, Busy, CorruptsAnswer, CorruptsRequest, Dead, Forges, Honest, LiesPlainly, LiesSealed,
    LiesWildly, ReplaysAnswer, ReplaysRequest, Slow, Stalls,
};

const BAD_MANNERS: [Manner; 16] = [
    Breaks,
    Busy,
    CorruptsAnswer,
    CorruptsRequest,
    Dead,
    Dead,
    Forges(404),
    Forges(413),
    Forges(200),
    LiesPlainly,
    LiesSealed,
    LiesWildly,
    ReplaysAnswer,
    ReplaysRequest,
    Slow(95),
    Stalls,
];

struct Relay {
    key: Ed25519Public,
    node: Node,
    manner: Manner,
    /// Since when it has been that way; before, it was otherwise.
    earlier_answer: Option<Vec<u8>>,
    /// Whether it was ever anything but honest.
    was_bad: bool,
}

struct Server {
    secret: X25519Secret,
    address: ServerAddress,
    seen: ReplayMemory,
    stored: BTreeSet<String>,
    down: bool,
    /// The status it answers with, whatever it is asked.
    code: Option<u16>,
}

/// What comes back over one link, and after how long.
struct Back {
    took: Duration,
    what: What,
}

enum What {
    Broken,
    Http { status: u16, body: Vec<u8> },
    Refused,
    Silence,
}

struct World {
    relays: Vec<Relay>,
    at: HashMap<Ed25519Public, usize>,
    list: RelayList,
    server: Server,
    /// Instead of each relay's own manner: how whoever stands there behaves.
    by_place: [Manner; 3],
    now: u64,
    rng: ChaCha8Rng,
}

impl World {
    fn new(count: u16, seed: u64) -> Self {
        let identities: Vec<_> = (0..count)
            .map(|number| {
                let mut bytes = [0; 32];
                bytes[..2].copy_from_slice(&number.to_be_bytes());
                bytes[2] = 1;
                Identity::from_seed(bytes)
            })
            .collect();
        let descriptors: Vec<_> = identities
            .iter()
            .zip(0_u16..)
            .map(|(identity, number)| {
                let [high, low] = number.to_be_bytes();
                RelayDescriptor {
                    key: identity.public(),
                    host: IpAddr::from([10, high, low, 1]),
                    port: 22_021,
                    operator: String::new(),
                    serves: Serves::Any,
                }
            })
            .collect();
        let known: HashMap<_, _> = descriptors
            .iter()
            .map(|relay| (relay.key, relay.clone()))
            .collect();
        let relays: Vec<_> = identities
            .iter()
            .map(|identity| {
                let rule = ProxyRule::new(Serves::Any, false, vec![]);
                let node = Node::new(identity.x25519(), Arc::new(rule));
                node.set_relays(known.clone());
                Relay {
                    key: identity.public(),
                    node,
                    manner: Honest,
                    earlier_answer: None,
                    was_bad: false,
                }
            })
            .collect();
        let server = Identity::from_seed([200; 32]);
        Self {
            at: relays.iter().map(|relay| relay.key).zip(0..).collect(),
            relays,
            list: RelayList {
                name: String::new(),
                issued: 0,
                expires: u64::MAX,
                relays: descriptors,
            },
            server: Server {
                secret: server.x25519(),
                address: format!("http://files.example#p={}", server.public().to_hex())
                    .parse()
                    .unwrap(),
                seen: ReplayMemory::new(),
                stored: BTreeSet::new(),
                down: false,
                code: None,
            },
            by_place: [Honest; 3],
            now: 1_800_000_000,
            rng: ChaCha8Rng::seed_from_u64(seed),
        }
    }

    fn below(&mut self, limit: u32) -> u32 {
        self.rng.next_u32() % limit
    }

    fn set_manner(&mut self, at: usize, manner: Manner) {
        self.relays[at].manner = manner;
        self.relays[at].was_bad |= manner != Honest;
    }

    /// One request at one relay.
    fn at_relay(&mut self, at: usize, body: Vec<u8>, hop: usize) -> Back {
        let manner = match self.by_place[hop] {
            Honest => self.relays[at].manner,
            manner => manner,
        };
        let http = |status, body: &[u8]| Back {
            took: LINK,
            what: What::Http {
                status,
                body: body.to_vec(),
            },
        };
        let bare = |what| Back { took: LINK, what };
        match manner {
            Dead => return bare(What::Refused),
            Stalls => return bare(What::Silence),
            Breaks => return bare(What::Broken),
            Busy => return http(503, b"Server busy, try again later"),
            Forges(status) => return http(status, b"Not found"),
            LiesWildly => {
                let other = self.below(u32::try_from(self.relays.len()).unwrap());
                let name = self.relays[other as usize].key.to_hex();
                return http(502, format!("{NOT_FOUND}{name}").as_bytes());
            }
            ReplaysAnswer => {
                if let Some(earlier) = self.relays[at].earlier_answer.clone() {
                    return http(200, &earlier);
                }
            }
            _ => {}
        }
        let decision = self.relays[at].node.handle(body, self.now, &mut self.rng);
        let (mut back, reply) = match decision {
            Decision::Refuse { status, body } => return http(status, &body),
            Decision::Forward {
                to,
                mut body,
                hop_no,
                reply,
            } => {
                let unreachable = format!("{UNREACHABLE}{}", to.key.to_hex());
                match manner {
                    LiesPlainly => return http(502, unreachable.as_bytes()),
                    LiesSealed => return self.failure(&reply, 502, &unreachable),
                    CorruptsRequest => body[1_000] ^= 1,
                    ReplaysRequest => {
                        self.at_relay(self.at[&to.key], body.clone(), hop + 1);
                    }
                    _ => {}
                }
                let back = self.at_relay(self.at[&to.key], body, hop + 1);
                (onward(back, hop_no, &unreachable), reply)
            }
            Decision::Proxy {
                mut body,
                hop_no,
                reply,
                ..
            } => {
                match manner {
                    LiesPlainly => return http(502, b"Server unreachable"),
                    LiesSealed => return self.failure(&reply, 502, "Server unreachable"),
                    CorruptsRequest => body[1_000] ^= 1,
                    ReplaysRequest => {
                        self.at_server(body.clone());
                    }
                    _ => {}
                }
                let back = self.at_server(body);
                (onward(back, hop_no, "Server unreachable"), reply)
            }
        };
        if let Slow(secs) = manner {
            back.took += Duration::from_secs(secs);
        }
        let What::Http { status, body } = back.what else {
            return back;
        };
        let (status, mut body) = if status == 200 {
            (200, reply.answer(body, &mut self.rng))
        } else {
            let text = String::from_utf8_lossy(&body).into_owned();
            reply.failure(status, &text, &mut self.rng)
        };
        self.relays[at].earlier_answer = Some(body.clone());
        if manner == CorruptsAnswer
            && let Some(byte) = body.last_mut()
        {
            *byte ^= 1;
        }
        Back {
            took: back.took + LINK,
            what: What::Http { status, body },
        }
    }

    fn failure(&mut self, reply: &ReplyLayer, status: u16, text: &str) -> Back {
        let (status, body) = reply.failure(status, text, &mut self.rng);
        Back {
            took: LINK,
            what: What::Http { status, body },
        }
    }

    fn at_server(&mut self, body: Vec<u8>) -> Back {
        let what = if self.server.down {
            What::Refused
        } else {
            let (status, body) = self.serve(body);
            What::Http { status, body }
        };
        Back { took: LINK, what }
    }

    fn serve(&mut self, body: Vec<u8>) -> (u16, Vec<u8>) {
        let Ok(opened) = open_request(&self.server.secret, body) else {
            return (400, b"Bad Request".to_vec());
        };
        if !self.server.seen.insert(opened.tag, self.now) {
            return (400, b"Bad Request".to_vec());
        }
        let (head, body) = opened.request.unwrap();
        let code = match FileRequest::parse(&head, body) {
            Ok(FileRequest::Upload(upload)) => {
                let owner = upload.owner.unwrap();
                let id = FileId::for_blob(1, &owner, &Digest::of(&upload.blob));
                self.server.stored.insert(id.as_str().to_owned());
                507
            }
            Ok(_) => 404,
            Err(_) => 400,
        };
        let code = self.server.code.unwrap_or(code);
        let (response, is_blob) = FileAnswer::Refused(code).into_response();
        let answer = opened.reply.seal(response, is_blob, &mut self.rng);
        (200, answer.unwrap())
    }

    /// What the client sees of one try, and after how long.
    fn post(&mut self, attempt: Attempt) -> (Outcome, Duration) {
        let guard = self.at[&attempt.path.unwrap().guard.key];
        let back = self.at_relay(guard, attempt.body, 0);
        if back.took > attempt.answer_wait {
            return (Outcome::TimedOut, attempt.answer_wait);
        }
        match back.what {
            What::Silence => (Outcome::TimedOut, attempt.answer_wait),
            What::Refused => (Outcome::Unreachable, CONNECT),
            What::Broken => (Outcome::Broken, back.took),
            What::Http { status: 200, body } => (Outcome::Answered(body), back.took),
            What::Http { status, body } => {
                let text = String::from_utf8_lossy(&body).into_owned();
                (Outcome::Plain { status, text }, back.took)
            }
        }
    }
}

/// What a relay makes of what the party behind it does.
fn onward(back: Back, hop_no: u8, unreachable: &str) -> Back {
    let failed = |took, status, text: &str| Back {
        took,
        what: What::Http {
            status,
            body: text.as_bytes().to_vec(),
        },
    };
    let patience = Duration::from_secs(245 - 5 * u64::from(hop_no));
    match back.what {
        What::Silence => failed(patience, 504, "Request time out"),
        _ if back.took > patience => failed(patience, 504, "Request time out"),
        What::Refused | What::Broken => failed(back.took, 502, unreachable),
        What::Http { .. } => back,
    }
}

/// One person, with what is checked of them.
struct Client {
    memory: Mutex<RelayMemory>,
    kind: NetworkKind,
    allow: Allowance,
    rng: ChaCha8Rng,
    /// When each relay was last this client's guard, and since when it is.
    guard_at: BTreeMap<Ed25519Public, u64>,
    elsewhere_at: BTreeMap<Ed25519Public, u64>,
    /// Its guards as of the last transfer, and since when.
    guards: BTreeMap<Ed25519Public, u64>,
    /// When each relay first became its guard.
    became_guard: BTreeMap<Ed25519Public, u64>,
}

/// What a whole network came to.
#[derive(Debug, Default)]
struct Tally {
    transfers: u32,
    succeeded: u32,
    tries: u32,
    failures: BTreeMap<String, u32>,
    /// Guards let go before their time though they had never been anything but honest.
    honest_guards_dropped: u32,
    guards_dropped: u32,
    relaxed: BTreeMap<String, u32>,
    lasts: BTreeMap<Ed25519Public, u32>,
    longest: Duration,
}

impl Tally {
    #[expect(
        clippy::print_stdout,
        reason = "the figures of a run, for whoever reads them"
    )]
    fn print(&self) {
        println!(
            "{} transfers in {} tries, {} got through; failed: {:?}; guards dropped: {}, of them honest: {}; rules \
             relaxed: {:?}; the longest took {} s",
            self.transfers,
            self.tries,
            self.succeeded,
            self.failures,
            self.guards_dropped,
            self.honest_guards_dropped,
            self.relaxed,
            self.longest.as_secs()
        );
    }
}

/// Whether counts of equally likely things differ no more than they must: chi-square over its degrees of freedom,
/// with room for the ones that are guards of some clients and so stand for fewer.
fn is_even(counts: &[u32]) -> bool {
    let sum: u32 = counts.iter().sum();
    let mean = f64::from(sum) / counts.len() as f64;
    let chi_square: f64 = counts
        .iter()
        .map(|count| (f64::from(*count) - mean).powi(2) / mean)
        .sum();
    chi_square / (counts.len() - 1) as f64 <= 2.5
}

impl Client {
    fn new(number: u64, kind: NetworkKind, allow: Allowance) -> Self {
        Self {
            memory: Mutex::default(),
            kind,
            allow,
            rng: ChaCha8Rng::seed_from_u64(number),
            guard_at: BTreeMap::new(),
            elsewhere_at: BTreeMap::new(),
            guards: BTreeMap::new(),
            became_guard: BTreeMap::new(),
        }
    }

    /// Runs one request to its end and checks all that must hold of it.
    fn transfer(&mut self, world: &mut World, request: &FileRequest, tally: &mut Tally) -> bool {
        let (list, address) = (world.list.clone(), world.server.address.clone());
        let memory = core::mem::take(&mut self.memory);
        let way = Way::Relays {
            list: &list,
            kind: self.kind,
            memory: &memory,
            allow: self.allow,
        };
        let mut transfer = Transfer::new(request, &address, way, 0);
        let mut took = Duration::ZERO;
        let mut tries = Vec::new();
        let began = world.now;
        let result = loop {
            match transfer.next(world.now, &mut self.rng) {
                Step::Send(attempt) => {
                    let path = attempt.path.clone().unwrap();
                    let (outcome, lasted) = world.post(*attempt);
                    took += lasted;
                    world.now = began + took.as_secs();
                    transfer.on_outcome(outcome, world.now);
                    tries.push(path);
                }
                Step::Wait(pause) => took += pause,
                Step::Done(response) => break Ok(response.code),
                Step::Failed(error) => break Err(error),
            }
        };
        world.now = began + took.as_secs();
        let shown = transfer.into_shown();
        assert_eq!(shown.len(), tries.len());
        self.memory = memory;

        tally.transfers += 1;
        tally.tries += u32::try_from(tries.len()).unwrap();
        tally.longest = tally.longest.max(took);
        assert!(took <= BOUND, "{took:?} for {result:?}");
        for (path, shown) in tries.iter().zip(&shown) {
            self.check_path(path, &shown.relaxed, shown.at, tally);
        }
        self.check_guards(world, tally);
        if tries.len() == 1 {
            *tally.lasts.entry(tries[0].last.key).or_default() += 1;
        }
        match result {
            Ok(code) => {
                let expected = if matches!(request, FileRequest::Upload(_)) {
                    507
                } else {
                    404
                };
                assert_eq!(code, expected, "only the server's own words are believed");
                tally.succeeded += 1;
                true
            }
            Err(error) => {
                check_message(world, self.kind, &error, &tries);
                let name = format!("{:?}", error.failure);
                let name = name.split(['(', ' ']).next().unwrap_or_default();
                *tally.failures.entry(name.to_owned()).or_default() += 1;
                false
            }
        }
    }

    fn check_path(&mut self, path: &RelayPath, relaxed: &[Relaxed], at: u64, tally: &mut Tally) {
        let lately = |book: &BTreeMap<_, u64>, key| {
            book.get(&key).is_some_and(|then| at < then + GUARD_SECS)
        };
        let hops = path.hops();
        let told = |rule| relaxed.contains(&rule);
        assert_eq!(
            lately(&self.elsewhere_at, hops.guard),
            told(Relaxed::GuardStoodElsewhere)
        );
        assert!(!lately(&self.guard_at, hops.middle) || told(Relaxed::GuardIsMiddle));
        assert!(!lately(&self.guard_at, hops.last) || told(Relaxed::GuardIsLast));
        for rule in relaxed {
            *tally.relaxed.entry(format!("{rule:?}")).or_default() += 1;
        }
        self.guard_at.insert(hops.guard, at);
        self.elsewhere_at.insert(hops.middle, at);
        self.elsewhere_at.insert(hops.last, at);
    }

    fn check_guards(&mut self, world: &World, tally: &mut Tally) {
        let memory = self.memory.lock().unwrap();
        let standing = memory.standing(&world.list, world.now);
        let guards: BTreeMap<_, _> = standing
            .iter()
            .filter_map(|relay| match relay.standing {
                Standing::Guard { since, .. } => Some((relay.relay, since)),
                _ => None,
            })
            .collect();
        for (guard, since) in &self.guards {
            let relay = &world.relays[world.at[guard]];
            let early = world.now < since + GUARD_SECS;
            let former = standing.iter().any(|one| {
                one.relay == *guard && matches!(one.standing, Standing::FormerGuard { .. })
            });
            if former && early {
                tally.guards_dropped += 1;
                tally.honest_guards_dropped += u32::from(!relay.was_bad);
            }
        }
        for (guard, since) in &guards {
            self.became_guard.entry(*guard).or_insert(*since);
            let lately = self.became_guard.values();
            let lately = lately.filter(|then| **then <= *since && *since < **then + 86_400);
            assert!(lately.count() <= MAX_NEW_GUARDS, "in a day");
        }
        self.guards = guards;
    }
}

/// A transfer that failed met a misbehaviour in every one of its tries, and says so in the right words.
fn check_message(world: &World, kind: NetworkKind, error: &TransferError, tries: &[RelayPath]) {
    assert_eq!(error.tries as usize, tries.len());
    let manners = |path: &RelayPath| {
        path.relays()
            .map(|relay| world.relays[world.at[&relay.key]].manner)
    };
    if world.server.down {
        return;
    }
    for path in tries {
        assert!(
            manners(path).iter().any(|manner| *manner != Honest),
            "a try over honest relays failed: {error:?}"
        );
    }
    if error.failure == Failure::Blocked {
        assert!(tries.iter().all(|path| manners(path)[0] == Dead));
        return;
    }
    assert_eq!(tries.len(), 5, "retries were left: {error:?}");
    let last = manners(tries.last().unwrap());
    if kind == NetworkKind::Session {
        // Any relay's plain words come through unchanged; they only must not have ended the transfer.
        return;
    }
    let has = |wanted: &[Manner]| last.iter().any(|manner| wanted.contains(manner));
    let right = match &error.failure {
        Failure::FirstUnreachable => last[0] == Dead,
        Failure::Broken => last[0] == Breaks,
        Failure::TimedOut => has(&[Stalls, Slow(95)]),
        Failure::Plain(_) => !matches!(last[0], Honest | Dead | Breaks | Stalls),
        Failure::RelayUnreachable(_) => has(&[Dead, Breaks, LiesPlainly, LiesSealed, LiesWildly]),
        Failure::Tampered(_) => has(&[CorruptsAnswer, ReplaysAnswer, Forges(200)]),
        Failure::Relay { .. } => has(&BAD_MANNERS),
        Failure::ServerUnreachable => matches!(last[2], LiesSealed | LiesPlainly),
        Failure::ServerWrongKey => has(&[
            CorruptsAnswer,
            CorruptsRequest,
            ReplaysAnswer,
            ReplaysRequest,
            Forges(200),
        ]),
        Failure::ServerPlain(_) => has(&BAD_MANNERS),
        _ => false,
    };
    assert!(right, "{error:?} is not what {last:?} did");
}

fn small_request() -> FileRequest {
    FileRequest::Download(FileId::parse("B5lQi2xLvfMLkxTipcUhKw").unwrap())
}

/// Connecting takes at most this long.
const CONNECT: Duration = Duration::from_secs(10);
/// One way over one link.
const LINK: Duration = Duration::from_millis(100);
/// Five tries: connecting, sending a body that stands still as long as it may, waiting; and the pauses between.
const BOUND: Duration = Duration::from_secs(5 * (10 + IDLE_LIMIT.as_secs() + 80) + 3);

/// Who misbehaves, and how: what the person reads, and after how many tries. A transfer meets the same in every try.
#[test]
fn every_misbehaviour_has_its_message_and_its_number_of_tries() {
    let again = 5;
    let no_answer = "No answer of the server came back.";
    let broke = "The connection broke before the transfer was done.";
    let late = "The transfer took too long and was ended.";
    let changed = "An answer was changed on its way and was refused.";
    let failed = "A relay on the path failed.";
    let gone = "A relay on the path could not be reached.";
    let no_server = "The file server could not be reached.";
    let wrong_key = "The file server does not hold the key of its address.";
    let blocked = "The network here blocks the relays.";
    let table = [
        ("guard", Dead, blocked, 3),
        ("guard", Breaks, broke, again),
        ("guard", Stalls, late, again),
        ("guard", Slow(95), late, again),
        ("guard", Busy, no_answer, again),
        ("guard", Forges(404), no_answer, again),
        ("guard", Forges(413), no_answer, again),
        ("guard", Forges(200), changed, again),
        ("guard", LiesPlainly, gone, again),
        ("guard", LiesSealed, gone, again),
        ("guard", CorruptsAnswer, changed, again),
        ("guard", CorruptsRequest, failed, again),
        ("guard", ReplaysRequest, failed, again),
        ("middle", Dead, gone, again),
        ("middle", Breaks, gone, again),
        ("middle", Stalls, late, again),
        ("middle", Slow(95), late, again),
        ("middle", Busy, failed, again),
        ("middle", Forges(404), failed, again),
        ("middle", Forges(413), failed, again),
        ("middle", Forges(200), changed, again),
        ("middle", LiesPlainly, failed, again),
        ("middle", LiesSealed, gone, again),
        ("middle", CorruptsAnswer, changed, again),
        ("middle", CorruptsRequest, failed, again),
        ("middle", ReplaysRequest, failed, again),
        ("last", Dead, gone, again),
        ("last", Breaks, gone, again),
        ("last", Stalls, late, again),
        ("last", Slow(95), late, again),
        ("last", Busy, failed, again),
        ("last", Forges(404), failed, again),
        ("last", Forges(413), failed, again),
        ("last", Forges(200), changed, again),
        ("last", LiesPlainly, failed, again),
        ("last", LiesSealed, no_server, again),
        ("last", CorruptsAnswer, changed, again),
        ("last", CorruptsRequest, wrong_key, again),
        ("last", ReplaysRequest, wrong_key, again),
    ];
    for (place, manner, what, tries) in table {
        let mut world = World::new(12, 9);
        let hop = ["guard", "middle", "last"]
            .iter()
            .position(|name| *name == place);
        world.by_place[hop.unwrap()] = manner;
        let told = told(&mut world);
        assert_eq!(told, (what.to_owned(), tries), "{place}, {manner:?}");
    }

    let mut down = World::new(12, 9);
    down.server.down = true;
    assert_eq!(told(&mut down), (no_server.to_owned(), again));
    let mut other = World::new(12, 9);
    other.server.secret = Identity::from_seed([201; 32]).x25519();
    assert_eq!(told(&mut other), (wrong_key.to_owned(), again));
    // What the server itself says is believed at once, but for the two that ask to come again.
    for (code, tries) in [(404, 1), (413, 1), (507, 1), (500, again), (503, again)] {
        let mut world = World::new(12, 9);
        world.server.code = Some(code);
        assert_eq!(told(&mut world), (format!("answered {code}"), tries));
    }
}

/// What the person reads of a transfer, and how many tries it took.
fn told(world: &mut World) -> (String, u32) {
    let (list, address) = (world.list.clone(), world.server.address.clone());
    let memory = Mutex::default();
    let way = Way::Relays {
        list: &list,
        kind: NetworkKind::Cloakroom,
        memory: &memory,
        allow: Allowance::NONE,
    };
    let request = small_request();
    let mut transfer = Transfer::new(&request, &address, way, 0);
    let rng = &mut ChaCha8Rng::seed_from_u64(3);
    let mut tries = 0;
    loop {
        match transfer.next(world.now, rng) {
            Step::Send(attempt) => {
                tries += 1;
                let (outcome, _) = world.post(*attempt);
                transfer.on_outcome(outcome, world.now);
            }
            Step::Wait(_) => {}
            Step::Done(response) => return (format!("answered {}", response.code), tries),
            Step::Failed(error) => {
                let message = UserMessage::from(&AppError::Transfer(error));
                return (message.what, tries);
            }
        }
    }
}

/// Ordinary weather: of sixty relays a few are always in trouble, each for some hours and in its own way.
#[test]
fn in_ordinary_weather_every_transfer_gets_through() {
    let mut world = World::new(60, 1);
    // Ten relays never have any trouble: on them the spread can be seen.
    let mut clients: Vec<_> = (0..30)
        .map(|number| Client::new(number, NetworkKind::Cloakroom, Allowance::NONE))
        .collect();
    let mut tally = Tally::default();
    let mut uploads = 0;
    for step in 0..12_000 {
        world.now += 60;
        if step % 25 == 0 {
            let at = world.below(50) as usize;
            let manner = BAD_MANNERS[world.below(16) as usize];
            world.set_manner(at, manner);
            let well = world.below(50) as usize;
            let bad = (0..50).cycle().skip(well).take(50);
            let mut bad = bad.filter(|at| world.relays[*at].manner != Honest);
            let (first, count) = (bad.next(), bad.count());
            if let Some(first) = first.filter(|_| count >= 4) {
                world.relays[first].manner = Honest;
            }
        }
        let request = if step % 20 == 0 {
            uploads += 1;
            upload(step)
        } else {
            small_request()
        };
        let client = &mut clients[step % 30];
        client.transfer(&mut world, &request, &mut tally);
    }
    tally.print();
    assert!(tally.succeeded >= 11_980, "{tally:#?}");
    assert!(tally.tries < 15_000);
    let steady: Vec<_> = (50..60)
        .map(|at| tally.lasts.get(&world.relays[at].key).copied().unwrap_or(0))
        .collect();
    assert!(is_even(&steady), "{steady:?}");
    let seen = tally.lasts.len();
    assert_eq!(seen, 60, "everybody has a turn with somebody");
    assert!(
        world.server.stored.len() <= uploads,
        "an upload is stored once"
    );
    assert_eq!(tally.honest_guards_dropped, 0, "guards stay put");
    assert!(tally.relaxed.is_empty(), "no relay saw both ends");
}

fn upload(number: usize) -> FileRequest {
    let mut blob = vec![0; 65_536];
    blob[..8].copy_from_slice(&(number as u64).to_be_bytes());
    FileRequest::Upload(Upload {
        blob,
        ttl_secs: None,
        owner: Some(OwnerHash::from_hex(&"ab".repeat(32)).unwrap()),
        receipts: None,
        access: None,
        work: None,
    })
}

/// A fifth of fifty relays is in one hostile hand: each misbehaves every third time, in any way.
#[test]
fn a_fifth_of_hostile_relays_breaks_no_promise() {
    let mut world = World::new(50, 2);
    let mut clients: Vec<_> = (100..110)
        .map(|number| Client::new(number, NetworkKind::Cloakroom, Allowance::NONE))
        .collect();
    let mut tally = Tally::default();
    for step in 0..4_000 {
        world.now += 300;
        for at in 0..10 {
            let manner = if world.below(3) == 0 {
                BAD_MANNERS[world.below(16) as usize]
            } else {
                Honest
            };
            world.set_manner(at, manner);
        }
        clients[step % 10].transfer(&mut world, &small_request(), &mut tally);
    }
    tally.print();
    assert!(tally.succeeded >= 3_980, "{tally:#?}");
    assert!(tally.relaxed.is_empty(), "no relay saw both ends");
    assert!(tally.honest_guards_dropped <= 1, "guards stay put");
}

/// Session's relays: other cipher, plain errors, no sealed return.
#[test]
fn over_relays_that_do_not_seal_what_they_send_back_too() {
    let mut world = World::new(40, 3);
    let mut clients: Vec<_> = (200..210)
        .map(|number| Client::new(number, NetworkKind::Session, Allowance::NONE))
        .collect();
    let mut tally = Tally::default();
    for step in 0..2_500 {
        world.now += 300;
        if step % 25 == 0 {
            for at in 0..40 {
                world.set_manner(at, Honest);
            }
            for _ in 0..3 {
                let at = world.below(40) as usize;
                let manner = BAD_MANNERS[world.below(16) as usize];
                world.set_manner(at, manner);
            }
        }
        clients[step % 10].transfer(&mut world, &small_request(), &mut tally);
    }
    tally.print();
    assert!(tally.succeeded >= 2_480, "{tally:#?}");
}

/// Lists of four to seven relays, one of them in trouble at any time: nobody is locked out.
#[test]
fn on_short_lists_one_relay_in_trouble_stops_nobody() {
    let mut tally = Tally::default();
    for count in 4..8 {
        let mut world = World::new(count, u64::from(count));
        let mut clients: Vec<_> = (0..5)
            .map(|number| Client::new(number, NetworkKind::Cloakroom, Allowance::ALL))
            .collect();
        for step in 0..450_usize {
            world.now += 900;
            if step.is_multiple_of(20) {
                for at in 0..usize::from(count) {
                    world.set_manner(at, Honest);
                }
                let at = world.below(u32::from(count)) as usize;
                let manner = BAD_MANNERS[world.below(16) as usize];
                world.set_manner(at, manner);
            }
            clients[step % 5].transfer(&mut world, &small_request(), &mut tally);
        }
    }
    tally.print();
    assert!(tally.succeeded * 10 >= tally.transfers * 9, "{tally:#?}");
}

/// A server that is down is said to be, costs no relay its place, and is reached at once when it is back.
#[test]
fn a_dead_server_strikes_nobody() {
    let mut world = World::new(20, 5);
    let mut client = Client::new(1, NetworkKind::Cloakroom, Allowance::NONE);
    let mut tally = Tally::default();
    client.transfer(&mut world, &small_request(), &mut tally);
    let guards = client.guards.clone();
    world.server.down = true;
    for _ in 0..50 {
        assert!(!client.transfer(&mut world, &small_request(), &mut tally));
    }
    assert_eq!(tally.failures.get("ServerUnreachable"), Some(&50));
    assert_eq!(client.guards, guards);
    world.server.down = false;
    let tries = tally.tries;
    assert!(client.transfer(&mut world, &small_request(), &mut tally));
    assert_eq!(tally.tries, tries + 1);
}

/// A network that blocks every relay is named, and forgotten when it is left.
#[test]
fn a_network_that_blocks_the_relays_is_named_and_left_behind() {
    let mut world = World::new(20, 6);
    let mut client = Client::new(1, NetworkKind::Cloakroom, Allowance::NONE);
    let mut tally = Tally::default();
    for at in 0..20 {
        world.set_manner(at, Dead);
    }
    for _ in 0..20 {
        assert!(!client.transfer(&mut world, &small_request(), &mut tally));
        world.now += 600;
    }
    assert_eq!(tally.failures.get("Blocked"), Some(&20));
    for at in 0..20 {
        world.set_manner(at, Honest);
    }
    assert!(client.transfer(&mut world, &small_request(), &mut tally));
}
