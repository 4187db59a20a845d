//! One transfer against relays and a server that are pure functions.

use core::net::IpAddr;
use std::sync::{Arc, Mutex};

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

use super::*;
use crate::protocol::address::FileId;
use crate::protocol::file_api::FileAnswer;
use crate::protocol::keys::Identity;
use crate::protocol::onion::{NOT_FOUND, UNREACHABLE};
use crate::protocol::onion::{Next, ReplyLayer, open_request, peel};
use crate::protocol::path::{RelayMemory, Standing};
use crate::protocol::relay_list::{RelayDescriptor, Serves};

const NOW: u64 = 1_000;

/// Relays and a server as pure functions; each field makes one of them misbehave.
struct Network {
    relays: Vec<Identity>,
    server: Identity,
    list: RelayList,
    address: ServerAddress,
    rng: ChaCha20Rng,
    dead: Vec<Ed25519Public>,
    server_code: u16,
    server_dead: bool,
    tampers: bool,
    memory: Arc<Mutex<RelayMemory>>,
}

impl Network {
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
            tampers: false,
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

    fn find(&self, key: &Ed25519Public) -> &Identity {
        self.relays
            .iter()
            .find(|relay| relay.public() == *key)
            .unwrap()
    }

    /// What the client sees after posting `attempt` to its guard.
    fn post(&mut self, attempt: Attempt) -> Outcome {
        let guard = attempt.path.unwrap().guard.key;
        if self.dead.contains(&guard) {
            return Outcome::Unreachable;
        }
        let (status, body) = self.relay(guard, attempt.body);
        match status {
            200 => Outcome::Answered(body),
            _ => Outcome::Plain {
                status,
                text: String::from_utf8_lossy(&body).into_owned(),
            },
        }
    }

    fn relay(&mut self, key: Ed25519Public, body: Vec<u8>) -> (u16, Vec<u8>) {
        let peeled = peel(&self.find(&key).x25519(), body).unwrap();
        let answer = match peeled.next {
            Next::Forward { to, .. } if self.dead.contains(&to) => {
                let text = format!("{UNREACHABLE}{}", to.to_hex());
                return peeled.reply.failure(502, &text, &mut self.rng);
            }
            Next::Forward { to, body } => self.relay(to, body).1,
            Next::Proxy(_) if self.server_dead => {
                return peeled.reply.failure(502, "no", &mut self.rng);
            }
            Next::Proxy(proxy) => match self.answer(proxy.body, &peeled.reply) {
                Ok(answer) => answer,
                Err(failure) => return failure,
            },
            Next::Destination | Next::InvalidJson => panic!("the client forwards and proxies"),
        };
        (200, peeled.reply.answer(answer, &mut self.rng))
    }

    fn answer(&mut self, body: Vec<u8>, layer: &ReplyLayer) -> Result<Vec<u8>, (u16, Vec<u8>)> {
        let Ok(opened) = open_request(&self.server.x25519(), body) else {
            return Err(layer.failure(400, "Bad Request", &mut self.rng));
        };
        let (response, is_blob) = FileAnswer::Refused(self.server_code).into_response();
        let mut answer = opened.reply.seal(response, is_blob, &mut self.rng).unwrap();
        if self.tampers {
            answer[100] ^= 1;
        }
        Ok(answer)
    }

    /// Runs a download to its end; the path of each try and the result come back.
    fn run(&mut self) -> (Vec<RelayPath>, Result<u16, TransferError>) {
        let request = FileRequest::Download(FileId::parse("id").unwrap());
        let (list, address) = (self.list.clone(), self.address.clone());
        let memory = Arc::clone(&self.memory);
        let way = Way::Relays {
            list: &list,
            kind: NetworkKind::Cloakroom,
            memory: &*memory,
            allow: Allowance::NONE,
        };
        let mut transfer = Transfer::new(&request, &address, way, 65_536);
        let mut rng = ChaCha20Rng::seed_from_u64(5);
        let mut paths = vec![];
        loop {
            match transfer.next(NOW, &mut rng) {
                Step::Send(attempt) => {
                    assert_eq!(attempt.body.len(), REQUEST_OVERHEAD);
                    paths.push(attempt.path.clone().unwrap());
                    let outcome = self.post(*attempt);
                    transfer.on_outcome(outcome, NOW);
                }
                Step::Wait(pause) => assert!(pause <= Duration::from_secs(2)),
                Step::Done(response) => {
                    let shown = transfer.into_shown();
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
        let mut network = Network::new(5);
        network.server_code = code;
        let (paths, result) = network.run();
        assert_eq!((paths.len(), result), (1, Ok(code)));
    }
}

#[test]
fn a_server_in_trouble_is_asked_again_and_believed_in_the_end() {
    let mut network = Network::new(5);
    network.server_code = 503;
    let (paths, result) = network.run();
    assert_eq!((paths.len(), result), (5, Ok(503)));
    assert!(network.set_aside().is_empty());
}

#[test]
fn a_dead_guard_yields_to_the_other_one() {
    let mut network = Network::new(6);
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
        let mut network = Network::new(8);
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
    let mut server_dead = Network::new(5);
    server_dead.server_dead = true;
    let mut wrong_key = Network::new(5);
    wrong_key.server = Identity::from_seed([201; 32]);
    let mut tampers = Network::new(5);
    tampers.tampers = true;
    for (mut network, failure) in [
        (server_dead, Failure::ServerUnreachable),
        (wrong_key, Failure::ServerWrongKey),
        (tampers, Failure::ServerWrongKey),
    ] {
        assert_eq!(network.run().1, Err(TransferError { failure, tries: 5 }));
        assert!(
            network.set_aside().is_empty(),
            "the server's faults strike nobody"
        );
    }
}

#[test]
fn where_no_guard_answers_the_network_is_said_to_block_them() {
    let mut network = Network::new(9);
    network.dead = network.relays.iter().map(Identity::public).collect();
    for _ in 0..3 {
        let (paths, result) = network.run();
        let failure = Failure::Blocked;
        assert_eq!(result, Err(TransferError { failure, tries: 3 }));
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
    let mut network = Network::new(3);
    network.run().1.unwrap();
    network.dead = network.guards();
    let failure = Failure::FirstUnreachable;
    assert_eq!(network.run().1, Err(TransferError { failure, tries: 5 }));
    network.dead.clear();
    assert_eq!(network.run().1, Ok(200));
}

#[test]
fn without_enough_relays_nothing_is_sent() {
    let (paths, result) = Network::new(2).run();
    assert!(paths.is_empty());
    assert!(matches!(
        result,
        Err(TransferError {
            failure: Failure::NoPath(_),
            tries: 0
        })
    ));
}

/// A request whose every try ends like that: what failed, and whom this client sets aside then.
fn always(
    kind: NetworkKind,
    outcome: impl Fn(&RelayPath) -> Outcome,
) -> (Failure, Vec<Ed25519Public>) {
    let network = Network::new(9);
    let request = FileRequest::ServerInfo;
    let way = Way::Relays {
        list: &network.list,
        kind,
        memory: &*network.memory,
        allow: Allowance::NONE,
    };
    let mut transfer = Transfer::new(&request, &network.address, way, 0);
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    loop {
        match transfer.next(NOW, &mut rng) {
            Step::Send(attempt) => {
                let outcome = outcome(&attempt.path.unwrap());
                transfer.on_outcome(outcome, NOW);
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

fn plain(status: u16, text: impl Into<String>) -> Outcome {
    Outcome::Plain {
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
        assert_eq!(always(kind, |_| Outcome::Broken), (Failure::Broken, vec![]));
        assert_eq!(
            always(kind, |_| Outcome::TimedOut),
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

#[test]
fn bytes_that_do_not_open_are_no_answer() {
    for body in [vec![7; 1_699], vec![], vec![7; 64]] {
        let (failure, aside) = always(NetworkKind::Cloakroom, |_| Outcome::Answered(body.clone()));
        assert_eq!(failure, Failure::Tampered(0));
        assert!(!aside.is_empty(), "the guard did it");
        let (failure, aside) = always(NetworkKind::Session, |_| Outcome::Answered(body.clone()));
        assert_eq!(failure, Failure::Tampered(3));
        assert!(aside.is_empty(), "anybody may have done it");
    }
}

#[test]
fn the_wait_grows_with_what_must_cross() {
    assert_eq!(answer_wait(2_560), Duration::from_secs(80));
    assert_eq!(answer_wait(10_002_560), Duration::from_secs(260));
}
