//! One exchange against relays and a server that are pure functions.

use core::net::IpAddr;
use std::sync::{Arc, Mutex};

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

use super::*;
use crate::protocol::address::FileId;
use crate::protocol::file_api::FileAnswer;
use crate::protocol::keys::Identity;
use crate::protocol::onion::{NOT_FOUND, UNREACHABLE};
use crate::protocol::onion::{RelayInstruction, ReplyLayer, open_request, peel};
use crate::protocol::path::{RelayMemory, SetAsideWhy, Standing};
use crate::protocol::relay_list::{RelayDescriptor, Serves};

const NOW: u64 = 1_000;

/// Relays and a server as pure functions; each field makes one of them misbehave.
struct FakeNetwork {
    relays: Vec<Identity>,
    server: Identity,
    list: RelayList,
    address: ServerAddress,
    rng: ChaCha20Rng,
    dead: Vec<Ed25519Public>,
    server_code: u16,
    server_dead: bool,
    /// Relays whose connections stand and come to this.
    hangs: Vec<(Ed25519Public, fn() -> AttemptOutcome)>,
    /// Why the tries of the last exchange failed.
    failures: Vec<Failure>,
    tampers: bool,
    kind: NetworkKind,
    /// What whoever stands there does once, 3 being the server, to what it sends back.
    mischief: Option<(usize, Mischief)>,
    /// Seed of the random source of the next exchange.
    seed: u64,
    /// A relay that says this under its own key whenever it stands in the middle.
    liar: Option<(Ed25519Public, u16, &'static str)>,
    memory: Arc<Mutex<RelayMemory>>,
}

/// In texts, `GUARD`, `MIDDLE` and `LAST` stand for the names of those relays of the path.
#[derive(Clone, Copy, Debug)]
enum Mischief {
    /// A byte of the answer.
    Changes,
    /// An answer of its own, which nobody vouches for.
    Forges(u16, &'static str),
    /// As a relay that cannot follow what its layer asks.
    Refuses(&'static str),
    /// An error under the key of its layer.
    Says(u16, &'static str),
}

impl FakeNetwork {
    fn new(count: u8) -> Self {
        let relays: Vec<_> = (1..=count)
            .map(|seed| Identity::from_seed([seed; 32]))
            .collect();
        let descriptor = |(at, identity): (u8, &Identity)| RelayDescriptor {
            key: identity.public(),
            host: IpAddr::from([10, 0, at, 1]),
            port: 22_021,
            operator: String::new(),
            serves: Serves::Any,
        };
        let relays_listed = (1..).zip(&relays).map(descriptor).collect();
        let server = Identity::from_seed([200; 32]);
        Self {
            list: RelayList {
                name: String::new(),
                issued: 0,
                expires: 1,
                relays: relays_listed,
            },
            address: format!("http://files.example#p={}", server.public().to_hex())
                .parse()
                .unwrap(),
            relays,
            server,
            rng: ChaCha20Rng::seed_from_u64(11),
            dead: vec![],
            server_code: 200,
            server_dead: false,
            hangs: vec![],
            failures: vec![],
            tampers: false,
            kind: NetworkKind::Cloakroom,
            mischief: None,
            seed: 5,
            liar: None,
            memory: Arc::default(),
        }
    }

    fn guards(&self) -> Vec<Ed25519Public> {
        self.memory.lock().unwrap().guards_in_use(&self.list, NOW)
    }

    fn set_aside(&self) -> Vec<Ed25519Public> {
        let standing = self.memory.lock().unwrap().standing(&self.list, NOW);
        standing
            .iter()
            .filter(|relay| matches!(relay.standing, Standing::SetAside { .. }))
            .map(|relay| relay.relay)
            .collect()
    }

    /// Whom this client holds strikes against, and how many.
    fn struck(&self) -> Vec<(String, usize)> {
        let kept = self.memory.lock().unwrap().to_json();
        let relays = kept["relays"].as_object().unwrap().iter();
        relays
            .filter_map(|(key, relay)| Some((key.clone(), relay["strikes"].as_array()?.len())))
            .collect()
    }

    /// The record of a guard: one sign for each try, `+` or `-`.
    fn tries(&self, guard: &Ed25519Public) -> String {
        let kept = self.memory.lock().unwrap().to_json();
        let tries = &kept["relays"][guard.to_hex()]["tries"];
        let sign = |one: &serde_json::Value| if one == "worked" { '+' } else { '-' };
        tries
            .as_array()
            .map_or_else(String::new, |tries| tries.iter().map(sign).collect())
    }

    fn find(&self, key: &Ed25519Public) -> &Identity {
        self.relays
            .iter()
            .find(|relay| relay.public() == *key)
            .unwrap()
    }

    /// What the client sees after posting `attempt` to its guard.
    fn post(&mut self, attempt: Attempt) -> AttemptOutcome {
        let path = attempt.path.unwrap();
        if self.dead.contains(&path.guard.key) {
            return AttemptOutcome::Unreachable;
        }
        if let Some((_, outcome)) = self.hangs.iter().find(|(key, _)| *key == path.guard.key) {
            return outcome();
        }
        let (status, body) = self.relay(&path, 0, attempt.body);
        match status {
            200 => AttemptOutcome::Answered(body),
            _ => AttemptOutcome::Plain {
                status,
                text: String::from_utf8_lossy(&body).into_owned(),
            },
        }
    }

    fn relay(&mut self, path: &RelayPath, hop: usize, body: Vec<u8>) -> (u16, Vec<u8>) {
        let key = path.relays()[hop].key;
        let peeled = peel(&self.find(&key).x25519(), body).unwrap();
        let mischief = self.mischief.take_if(|(place, _)| *place == hop);
        let named = |text: &str| {
            text.replace("GUARD", &path.guard.key.to_hex())
                .replace("MIDDLE", &path.middle.key.to_hex())
                .replace("LAST", &path.last.key.to_hex())
        };
        match mischief {
            Some((_, Mischief::Forges(status, text))) => return (status, named(text).into_bytes()),
            Some((_, Mischief::Refuses(text))) => {
                return peeled.reply.invalid(text, &mut self.rng);
            }
            Some((_, Mischief::Says(status, text))) => {
                return peeled.reply.failure(status, &named(text), &mut self.rng);
            }
            Some((_, Mischief::Changes)) | None => {}
        }
        if let Some((_, status, text)) = self.liar.filter(|(liar, ..)| hop == 1 && *liar == key) {
            return peeled.reply.failure(status, &named(text), &mut self.rng);
        }
        let answer = match peeled.next {
            RelayInstruction::Forward { to, .. } if self.dead.contains(&to) => {
                let text = format!("{UNREACHABLE}{}", to.to_hex());
                return peeled.reply.failure(502, &text, &mut self.rng);
            }
            RelayInstruction::Forward { body, .. } => match self.relay(path, hop + 1, body) {
                (200, answer) => answer,
                (status, text) => {
                    let text = String::from_utf8_lossy(&text);
                    return peeled.reply.failure(status, &text, &mut self.rng);
                }
            },
            RelayInstruction::Proxy(_) if self.server_dead => {
                return peeled.reply.failure(502, "no", &mut self.rng);
            }
            RelayInstruction::Proxy(proxy) => match self.answer(proxy.body, &peeled.reply) {
                Ok(answer) => answer,
                Err(failure) => return failure,
            },
            RelayInstruction::Destination | RelayInstruction::InvalidJson => {
                panic!("the client forwards and proxies")
            }
        };
        let mut answer = peeled.reply.answer(answer, &mut self.rng);
        if mischief.is_some() {
            answer[100] ^= 1;
        }
        (200, answer)
    }

    fn answer(&mut self, body: Vec<u8>, layer: &ReplyLayer) -> Result<Vec<u8>, (u16, Vec<u8>)> {
        let Ok(opened) = open_request(&self.server.x25519(), body) else {
            return Err(layer.failure(400, "Bad Request", &mut self.rng));
        };
        let (response, is_blob) = FileAnswer::Refused(self.server_code).into_response();
        let mut answer = opened.reply.seal(response, is_blob, &mut self.rng).unwrap();
        let changed = self.mischief.take_if(|(place, _)| *place == 3);
        if self.tampers || changed.is_some() {
            answer[100] ^= 1;
        }
        Ok(answer)
    }

    /// Runs a download to its end; the path of each try and the result come back.
    fn run(&mut self) -> (Vec<RelayPath>, Result<u16, ExchangeError>) {
        let request = FileRequest::Download(FileId::parse("id").unwrap());
        let (list, address) = (self.list.clone(), self.address.clone());
        let memory = Arc::clone(&self.memory);
        let route = ExchangeRoute::Relays {
            list: &list,
            kind: self.kind,
            memory: &*memory,
            allow: Allowance::NONE,
        };
        let mut exchange = Exchange::new(&request, &address, route, 65_536);
        let mut rng = ChaCha20Rng::seed_from_u64(self.seed);
        let mut paths = vec![];
        loop {
            match exchange.next(NOW, &mut rng) {
                Step::Send(attempt) => {
                    assert_eq!(attempt.body.len(), REQUEST_OVERHEAD);
                    paths.push(attempt.path.clone().unwrap());
                    let outcome = self.post(*attempt);
                    exchange.on_outcome(outcome, NOW);
                }
                Step::Wait(pause) => assert!(pause <= Duration::from_secs(2)),
                Step::Done(response) => {
                    let shown = exchange.into_shown();
                    self.failures = shown
                        .iter()
                        .filter_map(|shown| match &shown.outcome {
                            ShownOutcome::Failed(failure) => Some(failure.clone()),
                            _ => None,
                        })
                        .collect();
                    assert_eq!(shown.len(), paths.len());
                    let last = shown.last().unwrap();
                    assert_eq!(last.outcome, ShownOutcome::Answered(response.code));
                    assert_eq!((last.sent.len(), last.answered.len()), (4, 4));
                    return (paths, Ok(response.code));
                }
                Step::Failed(error) => return (paths, Err(error)),
            }
        }
    }
}

#[test]
fn the_servers_own_no_is_final_at_the_first_try() {
    for code in [200, 404, 413, 507] {
        let mut network = FakeNetwork::new(5);
        network.server_code = code;
        let (paths, result) = network.run();
        assert_eq!((paths.len(), result), (1, Ok(code)));
    }
}

#[test]
fn a_server_in_trouble_is_asked_again_and_believed_in_the_end() {
    let mut network = FakeNetwork::new(5);
    network.server_code = 503;
    let (paths, result) = network.run();
    assert_eq!((paths.len(), result), (5, Ok(503)));
    assert!(network.set_aside().is_empty());
}

#[test]
fn a_dead_guard_yields_to_the_other_one() {
    let mut network = FakeNetwork::new(6);
    network.run().1.unwrap();
    let guards = network.guards();
    assert_eq!(guards.len(), 2);
    network.dead = vec![guards[0]];
    for _ in 0..20 {
        let (paths, result) = network.run();
        assert_eq!(result, Ok(200));
        assert!(paths.len() <= 2);
        assert_eq!(paths.last().unwrap().guard.key, guards[1]);
    }
    assert_eq!(network.guards()[..], guards[..], "nobody new was drawn");
}

#[test]
fn a_relay_that_its_neighbour_cannot_reach_is_avoided_and_the_guard_stays() {
    let mut met = 0;
    for dead in 0..8 {
        let mut network = FakeNetwork::new(8);
        let dead = network.relays[dead].public();
        network.run().1.unwrap();
        let guards = network.guards();
        if guards.contains(&dead) {
            continue;
        }
        network.dead = vec![dead];
        for _ in 0..10 {
            let (paths, result) = network.run();
            assert_eq!(result, Ok(200));
            assert!(paths.len() <= 2, "it is met once at most");
            assert!(paths.iter().all(|path| path.guard == paths[0].guard));
            met += paths.len() - 1;
        }
        assert_eq!(network.guards(), guards);
    }
    assert!(met > 0);
}

#[test]
fn every_way_to_fail_has_its_own_name_and_ends_after_four_retries() {
    let mut server_dead = FakeNetwork::new(5);
    server_dead.server_dead = true;
    let mut wrong_key = FakeNetwork::new(5);
    wrong_key.server = Identity::from_seed([201; 32]);
    let mut tampers = FakeNetwork::new(5);
    tampers.tampers = true;
    for (mut network, failure) in [
        (server_dead, Failure::ServerUnreachable),
        (wrong_key, Failure::ServerWrongKey),
        (tampers, Failure::ServerWrongKey),
    ] {
        assert_eq!(
            network.run().1,
            Err(ExchangeError {
                failure,
                tries: 5,
                direct: false
            })
        );
        assert!(
            network.set_aside().is_empty(),
            "the server's faults strike nobody"
        );
    }
}

#[test]
fn where_no_guard_answers_the_network_is_said_to_block_them() {
    let mut network = FakeNetwork::new(9);
    network.dead = network.relays.iter().map(Identity::public).collect();
    for _ in 0..3 {
        let (paths, result) = network.run();
        let failure = Failure::Blocked;
        assert_eq!(
            result,
            Err(ExchangeError {
                failure,
                tries: 3,
                direct: false
            })
        );
        let mut guards: Vec<_> = paths.iter().map(|path| path.guard.key).collect();
        guards.sort_unstable();
        guards.dedup();
        assert_eq!(guards.len(), 3, "every one is tried, and no fourth");
    }
    network.dead.clear();
    assert_eq!(network.run().1, Ok(200), "back again, nobody is locked out");
    assert!(network.set_aside().len() <= 3);
}

#[test]
fn on_three_relays_a_dead_guard_is_tried_to_the_end() {
    let mut network = FakeNetwork::new(3);
    network.run().1.unwrap();
    network.dead = network.guards();
    let failure = Failure::FirstUnreachable;
    assert_eq!(
        network.run().1,
        Err(ExchangeError {
            failure,
            tries: 5,
            direct: false
        })
    );
    network.dead.clear();
    assert_eq!(network.run().1, Ok(200));
}

#[test]
fn without_enough_relays_nothing_is_sent() {
    let (paths, result) = FakeNetwork::new(2).run();
    assert!(paths.is_empty());
    assert!(matches!(
        result,
        Err(ExchangeError {
            failure: Failure::NoPath(_),
            tries: 0,
            direct: false,
        })
    ));
}

/// A request whose every try ends like that: what failed, and whom this client sets aside then.
fn always(
    kind: NetworkKind,
    outcome: impl Fn(&RelayPath) -> AttemptOutcome,
) -> (Failure, Vec<Ed25519Public>) {
    let network = FakeNetwork::new(9);
    let request = FileRequest::ServerInfo;
    let route = ExchangeRoute::Relays {
        list: &network.list,
        kind,
        memory: &*network.memory,
        allow: Allowance::NONE,
    };
    let mut exchange = Exchange::new(&request, &network.address, route, 0);
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    loop {
        match exchange.next(NOW, &mut rng) {
            Step::Send(attempt) => {
                let outcome = outcome(&attempt.path.unwrap());
                exchange.on_outcome(outcome, NOW);
            }
            Step::Wait(_) => {}
            Step::Done(_) => panic!("nothing here is an answer"),
            Step::Failed(error) => {
                assert_eq!(error.tries, 5);
                return (error.failure, network.set_aside());
            }
        }
    }
}

fn plain(status: u16, text: impl Into<String>) -> AttemptOutcome {
    AttemptOutcome::Plain {
        status,
        text: text.into(),
    }
}

const BOTH: [NetworkKind; 2] = [NetworkKind::Cloakroom, NetworkKind::Session];

/// The texts of the relays (their number and words), unauthenticated, as anybody can forge them.
#[test]
fn a_plain_error_ends_nothing_and_strikes_nobody() {
    for kind in BOTH {
        for (status, text) in [
            (400, "Error parsing onion request: x"),
            (400, "Invalid ciphertext"),
            (400, "onion request max path length exceeded"),
            (400, "Invalid internal onion request: x"),
            (401, ""),
            (404, "Not found"),
            (406, "clock"),
            (413, "Request body too large"),
            (421, "swarm"),
            (429, ""),
            (500, "Invalid response from snode"),
            (502, "connection refused"),
            (502, "oxend returned unparsable data"),
            (503, "Server busy, try again later"),
            (503, "Next hop congested"),
            (503, "Service node is not ready: syncing"),
        ] {
            let ended = always(kind, |_| plain(status, text));
            assert_eq!(ended, (Failure::Plain(status), vec![]), "{text}");
        }
        let late = always(kind, |_| plain(504, "Request time out"));
        assert_eq!(late, (Failure::TimedOut, vec![]));
        assert_eq!(
            always(kind, |_| AttemptOutcome::Broken),
            (Failure::Broken, vec![])
        );
        assert_eq!(
            always(kind, |_| AttemptOutcome::TimedOut),
            (Failure::TimedOut, vec![])
        );
    }
}

#[test]
fn next_node_not_found_counts_for_a_later_relay_of_this_path_only() {
    for kind in BOTH {
        for prefix in [NOT_FOUND, UNREACHABLE, "Snode not ready: "] {
            let (failure, aside) = always(kind, |path| {
                plain(502, format!("{prefix}{}", path.last.key.to_hex()))
            });
            assert!(matches!(failure, Failure::RelayUnreachable(_)));
            assert!(!aside.is_empty(), "on this guard, for an hour");
            // The guard itself, somebody else, nobody at all.
            let stranger = Identity::from_seed([99; 32]).public().to_hex();
            for name in [String::new(), stranger, "00".repeat(32)] {
                let ended = always(kind, |_| plain(502, format!("{prefix}{name}")));
                assert_eq!(ended, (Failure::Plain(502), vec![]));
            }
            let ended = always(kind, |path| {
                plain(502, format!("{prefix}{}", path.guard.key.to_hex()))
            });
            assert_eq!(ended, (Failure::Plain(502), vec![]));
        }
    }
}

/// One relay does something once and the next try succeeds: who of that path has a strike then, whether it counts for
/// or against the guard, and what the try is said to have failed of.
#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn who_is_struck_for_what() {
    use Mischief::{Changes, Forges, Refuses, Says};
    use NetworkKind::{Cloakroom, Session};

    let (guard, middle, last) = (0, 1, 2);
    let relay = |hop, status| Some(Failure::Relay { hop, status });
    // `None` where it names the next relay.
    let table: &[(_, _, _, &[usize], char, _)] = &[
        // A layer that does not open: both ends of its link.
        (
            Cloakroom,
            guard,
            Changes,
            &[guard],
            '-',
            Some(Failure::Tampered(0)),
        ),
        (
            Cloakroom,
            middle,
            Changes,
            &[middle],
            '-',
            Some(Failure::Tampered(1)),
        ),
        (
            Cloakroom,
            last,
            Changes,
            &[middle, last],
            '+',
            Some(Failure::Tampered(2)),
        ),
        (
            Cloakroom,
            3,
            Changes,
            &[last],
            '+',
            Some(Failure::ServerWrongKey),
        ),
        // Without seals anybody may have done it.
        (
            Session,
            guard,
            Changes,
            &[],
            '-',
            Some(Failure::Tampered(3)),
        ),
        (
            Session,
            middle,
            Changes,
            &[],
            '-',
            Some(Failure::Tampered(3)),
        ),
        (Session, last, Changes, &[], '-', Some(Failure::Tampered(3))),
        (Session, 3, Changes, &[], '-', Some(Failure::Tampered(3))),
        // What the guard makes up counts against it. It strikes a relay of the path that it names, and the middle relay where
        // it may be that one's plain words.
        (
            Cloakroom,
            guard,
            Forges(404, "Not found"),
            &[],
            '-',
            Some(Failure::Plain(404)),
        ),
        (
            Cloakroom,
            guard,
            Forges(413, ""),
            &[],
            '-',
            Some(Failure::Plain(413)),
        ),
        (
            Cloakroom,
            guard,
            Forges(200, "nonsense"),
            &[guard],
            '-',
            Some(Failure::Tampered(0)),
        ),
        (
            Cloakroom,
            guard,
            Forges(502, "Next node not found: LAST"),
            &[last],
            '-',
            None,
        ),
        (
            Cloakroom,
            guard,
            Says(404, "Not found"),
            &[middle],
            '-',
            relay(0, 404),
        ),
        (
            Cloakroom,
            guard,
            Says(503, "Server busy, try again later"),
            &[middle],
            '-',
            relay(0, 503),
        ),
        (
            Cloakroom,
            guard,
            Says(504, "Request time out"),
            &[middle],
            '-',
            Some(Failure::TimedOut),
        ),
        (
            Cloakroom,
            guard,
            Says(502, "Next node is currently unreachable: MIDDLE"),
            &[middle],
            '-',
            None,
        ),
        (
            Cloakroom,
            guard,
            Says(502, "Next node not found: LAST"),
            &[middle],
            '-',
            relay(0, 502),
        ),
        (
            Cloakroom,
            guard,
            Says(502, "Next node not found: GUARD"),
            &[middle],
            '-',
            relay(0, 502),
        ),
        (
            Cloakroom,
            guard,
            Says(400, "Invalid ciphertext"),
            &[middle],
            '-',
            relay(0, 400),
        ),
        (
            Session,
            guard,
            Forges(404, "Not found"),
            &[],
            '-',
            Some(Failure::Plain(404)),
        ),
        (
            Session,
            guard,
            Forges(502, "Next node not found: LAST"),
            &[],
            '-',
            None,
        ),
        // What opens with the middle relay's key counts for the guard; which of the two at the next hop failed cannot be
        // told, nor who did of those before and behind it where the guard puts its key to plain words.
        (
            Cloakroom,
            middle,
            Forges(404, "Not found"),
            &[middle],
            '-',
            relay(0, 404),
        ),
        (
            Cloakroom,
            middle,
            Forges(200, "nonsense"),
            &[middle],
            '-',
            Some(Failure::Tampered(1)),
        ),
        (
            Cloakroom,
            middle,
            Says(404, "Not found"),
            &[middle, last],
            '+',
            relay(1, 404),
        ),
        (
            Cloakroom,
            middle,
            Says(504, "Request time out"),
            &[middle, last],
            '+',
            Some(Failure::TimedOut),
        ),
        (
            Cloakroom,
            middle,
            Says(502, "Next node is currently unreachable: LAST"),
            &[middle, last],
            '+',
            None,
        ),
        (
            Cloakroom,
            middle,
            Says(502, "Next node not found: LAST"),
            &[middle, last],
            '+',
            None,
        ),
        // Nobody behind it is named, so it is an error like any other.
        (
            Cloakroom,
            middle,
            Says(502, "Next node not found: GUARD"),
            &[middle, last],
            '+',
            relay(1, 502),
        ),
        (
            Cloakroom,
            middle,
            Says(502, "Next node not found: MIDDLE"),
            &[middle, last],
            '+',
            relay(1, 502),
        ),
        (
            Cloakroom,
            middle,
            Says(502, "Next node not found: 00"),
            &[middle, last],
            '+',
            relay(1, 502),
        ),
        (
            Cloakroom,
            middle,
            Says(400, "Invalid ciphertext"),
            &[middle, last],
            '+',
            relay(1, 400),
        ),
        (
            Session,
            middle,
            Forges(413, ""),
            &[],
            '-',
            Some(Failure::Plain(413)),
        ),
        // The last one may speak of the server, so it is struck because the next try belies it.
        (
            Cloakroom,
            last,
            Forges(404, "Not found"),
            &[middle, last],
            '+',
            relay(1, 404),
        ),
        (
            Cloakroom,
            last,
            Says(502, "Server unreachable"),
            &[last],
            '+',
            Some(Failure::ServerUnreachable),
        ),
        (
            Cloakroom,
            last,
            Says(503, "Server busy, try again later"),
            &[last],
            '+',
            relay(2, 503),
        ),
        (
            Cloakroom,
            last,
            Says(504, "Request time out"),
            &[last],
            '+',
            Some(Failure::TimedOut),
        ),
        (
            Cloakroom,
            last,
            Says(404, "Not found"),
            &[last],
            '+',
            Some(Failure::ServerPlain(404)),
        ),
        (
            Cloakroom,
            last,
            Says(400, "Bad Request"),
            &[last],
            '+',
            Some(Failure::ServerWrongKey),
        ),
        (
            Cloakroom,
            last,
            Refuses("Invalid url"),
            &[last],
            '+',
            Some(Failure::ServerNotServed),
        ),
        (
            Cloakroom,
            last,
            Refuses("Invalid json"),
            &[last],
            '+',
            relay(2, 400),
        ),
        (
            Session,
            last,
            Forges(502, "Server unreachable"),
            &[],
            '-',
            Some(Failure::Plain(502)),
        ),
        // A refusal that opens with its maker's key is its maker's, sealed or not; what is sealed may be passed on.
        (
            Cloakroom,
            guard,
            Refuses("Invalid json"),
            &[middle],
            '-',
            relay(0, 400),
        ),
        (
            Session,
            guard,
            Refuses("Invalid json"),
            &[guard],
            '-',
            relay(0, 400),
        ),
        (
            Session,
            middle,
            Refuses("Invalid json"),
            &[middle],
            '+',
            relay(1, 400),
        ),
        (
            Session,
            last,
            Refuses("Invalid json"),
            &[last],
            '+',
            relay(2, 400),
        ),
        (
            Session,
            last,
            Refuses("Invalid url"),
            &[last],
            '+',
            Some(Failure::ServerNotServed),
        ),
    ];
    for (kind, place, mischief, struck, counts, failure) in table {
        let mut network = FakeNetwork::new(12);
        network.kind = *kind;
        network.mischief = Some((*place, *mischief));
        let (paths, result) = network.run();
        assert_eq!(
            (paths.len(), result),
            (2, Ok(200)),
            "{kind:?} {place} {mischief:?}"
        );
        let names = paths[0].relays().map(|relay| relay.key.to_hex());
        // Those of a guard end with the server's answer over it.
        let ended = (paths[0].guard == paths[1].guard).then_some(guard);
        let struck = struck.iter().filter(|at| Some(**at) != ended);
        let mut expected: Vec<_> = struck.map(|at| (names[*at].clone(), 1)).collect();
        expected.sort_unstable();
        let mut found = network.struck();
        found.sort_unstable();
        assert_eq!(found, expected, "{kind:?} {place} {mischief:?}");
        let tries = network.tries(&paths[0].guard.key);
        let again = usize::from(paths[0].guard == paths[1].guard);
        let of = |sign| tries.matches(sign).count();
        let expected = match counts {
            '+' => (1 + again, 0),
            _ => (again, 1),
        };
        assert_eq!(
            (of('+'), of('-')),
            expected,
            "{kind:?} {place} {mischief:?}"
        );
        let failed = network.failures.remove(0);
        match failure {
            Some(failure) => assert_eq!(failed, *failure, "{kind:?} {place} {mischief:?}"),
            None => {
                let Failure::RelayUnreachable(named) = failed else {
                    panic!("{kind:?} {place} {mischief:?}: {failed:?}");
                };
                let memory = network.memory.lock().unwrap();
                let why = SetAsideWhy::NotReachedFrom(paths[0].guard.key);
                let until = NOW + 3_600;
                assert!(memory.standing(&network.list, NOW).iter().any(|one| {
                    one.relay == named && one.standing == Standing::SetAside { until, why }
                }));
            }
        }
    }
}

#[test]
fn a_lying_middle_moves_no_guard_and_is_set_aside() {
    for (status, text) in [
        (400, "Invalid ciphertext"),
        (404, "Not found"),
        (500, "Invalid response from snode"),
        (502, "Next node not found: LAST"),
        (502, "Next node is currently unreachable: LAST"),
        (502, "Next node not found: GUARD"),
        (503, "Server busy, try again later"),
        (504, "Request time out"),
    ] {
        let mut network = FakeNetwork::new(12);
        network.run().1.unwrap();
        let guards = network.guards();
        // Somebody who stands behind these guards.
        let liar = network.run().0[0].middle.key;
        network.liar = Some((liar, status, text));
        let mut lies = 0;
        for seed in 0..100 {
            network.seed = seed;
            let (paths, result) = network.run();
            assert_eq!(result, Ok(200), "{text}");
            assert!(paths.iter().all(|path| guards.contains(&path.guard.key)));
            lies += paths.iter().filter(|path| path.middle.key == liar).count();
        }
        assert_eq!(lies, 3, "{text}: it is set aside at the third");
        assert!(network.set_aside().contains(&liar), "{text}");
        assert_eq!(network.guards(), guards, "{text}");
        for guard in &guards {
            assert_eq!(network.tries(guard), "+".repeat(10), "{text}");
        }
    }
}

#[test]
fn a_last_relay_that_lies_is_not_preferred_for_it() {
    let mut network = FakeNetwork::new(12);
    network.mischief = Some((2, Mischief::Says(502, "Server unreachable")));
    let (paths, _) = network.run();
    let standing = network.memory.lock().unwrap().standing(&network.list, NOW);
    let worked = |key| {
        standing.iter().any(|one| {
            one.relay == key
                && one.standing
                    == Standing::Usable {
                        worked_at: Some(NOW),
                    }
        })
    };
    assert!(worked(paths[0].middle.key), "it carried what it was given");
    let lied = paths[0].last.key;
    assert!(!worked(lied) && !paths[1].relays().iter().any(|relay| relay.key == lied));
}

/// Connections to both guards stand, and nothing more comes of them.
#[test]
fn two_guards_that_hang_yield_to_a_third() {
    for outcome in [|| AttemptOutcome::TimedOut, || AttemptOutcome::Broken] {
        let mut network = FakeNetwork::new(12);
        network.run().1.unwrap();
        let guards = network.guards();
        network.hangs = guards
            .iter()
            .map(|guard| (*guard, outcome as fn() -> AttemptOutcome))
            .collect();
        let (paths, result) = network.run();
        assert_eq!(result, Ok(200));
        let asked: Vec<_> = paths.iter().map(|path| path.guard.key).collect();
        assert_eq!(asked.len(), 5);
        assert!(asked[0] == asked[1] && asked[2] == asked[3] && asked[0] != asked[2]);
        assert!(!guards.contains(&asked[4]));
        for _ in 0..5 {
            let (paths, result) = network.run();
            assert_eq!(
                (paths.len(), result),
                (1, Ok(200)),
                "they are not asked again soon"
            );
            assert_eq!(paths[0].guard.key, asked[4]);
        }
    }
}

/// The server hangs, so every guard seems to: no more than one other is asked, and none is lost.
#[test]
fn a_server_that_hangs_costs_no_guard() {
    let mut network = FakeNetwork::new(12);
    for seed in 0..10 {
        network.seed = seed;
        network.run().1.unwrap();
    }
    let guards = network.guards();
    let everybody: Vec<_> = network.list.relays.iter().map(|relay| relay.key).collect();
    network.hangs = everybody
        .iter()
        .map(|relay| {
            (
                *relay,
                (|| AttemptOutcome::TimedOut) as fn() -> AttemptOutcome,
            )
        })
        .collect();
    let (paths, result) = network.run();
    let failure = Failure::TimedOut;
    assert_eq!(
        result,
        Err(ExchangeError {
            failure,
            tries: 5,
            direct: false
        })
    );
    let mut asked: Vec<_> = paths.iter().map(|path| path.guard.key).collect();
    asked.sort_unstable();
    asked.dedup();
    assert_eq!(asked.len(), 3);
    network.hangs.clear();
    assert_eq!(network.run().1, Ok(200));
    assert_eq!(network.guards(), guards);
}

#[test]
fn bytes_that_do_not_open_are_no_answer() {
    for body in [vec![7; 1_699], vec![], vec![7; 64]] {
        let (failure, aside) = always(NetworkKind::Cloakroom, |_| {
            AttemptOutcome::Answered(body.clone())
        });
        assert_eq!(failure, Failure::Tampered(0));
        assert!(!aside.is_empty(), "the guard did it");
        let (failure, aside) = always(NetworkKind::Session, |_| {
            AttemptOutcome::Answered(body.clone())
        });
        assert_eq!(failure, Failure::Tampered(3));
        assert!(aside.is_empty(), "anybody may have done it");
    }
}

#[test]
fn the_wait_grows_with_what_must_cross() {
    assert_eq!(answer_wait(2_560), Duration::from_secs(80));
    assert_eq!(answer_wait(10_002_560), Duration::from_secs(260));
}
