//! One request through its tries: what to send, how long to wait, what an outcome means.
//!
//! The machine decides and never acts: `next` says send, wait, done or failed; whoever drives it moves the bytes and
//! reports what came of it. A retry sends the same sealed blob under fresh onion keys over a new middle and last.

use core::time::Duration;

use rand_core::CryptoRng;
use thiserror::Error;

use super::address::ServerAddress;
use super::disclosure::{AttemptShown, Outcome as ShownOutcome};
use super::file_api::FileRequest;
use super::keys::Ed25519Public;
use super::onion::v4::Response;
use super::onion::{
    self, BuildError, HopCipher, MAX_MESSAGE_LEN, NOT_FOUND, REQUEST_OVERHEAD, ReplyError,
    ReplyKeys, Route, UNREACHABLE,
};
use super::path::{Drawing, NoPath, RelayPath};
use super::relay_list::RelayList;

/// Which way a transfer goes.
pub enum Way<'a> {
    /// Straight to the server, which then sees the client's address.
    Direct,
    /// Through three relays of a list.
    Relays {
        /// The relays there are.
        list: &'a RelayList,
        /// The guard in use.
        guard: Option<Ed25519Public>,
        /// Whether two relays may share a network or an operator.
        may_share: bool,
    },
}

/// What to do next.
pub enum Step {
    /// Post this and report the outcome.
    Send(Box<Attempt>),
    /// Do nothing for so long, then ask again.
    Wait(Duration),
    /// The server answered.
    Done(Response),
    /// No more tries.
    Failed(TransferError),
}

/// One try.
pub struct Attempt {
    /// The relays; `None` when it goes straight to the server.
    pub path: Option<RelayPath>,
    /// What is posted.
    pub body: Vec<u8>,
    /// How long nothing may be seen between the last byte sent and the first of the answer.
    pub answer_wait: Duration,
    /// Bytes an answer may have.
    pub max_answer_len: usize,
}

/// While bytes move on a link, this long without one ends the try.
pub const IDLE_LIMIT: Duration = Duration::from_secs(30);

/// What came of a try.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// HTTP status 200 with this body.
    Answered(Vec<u8>),
    /// Any other HTTP status, with the start of its body: not authenticated.
    Plain {
        /// The status.
        status: u16,
        /// Its words: never shown as truth.
        text: String,
    },
    /// The connection broke after it stood, before the whole answer was there.
    Broken,
    /// Nothing moved for too long.
    TimedOut,
    /// No connection to the guard (or the server) came about.
    Unreachable,
}

/// Why a try failed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Failure {
    /// The request does not fit its constant length, or a key on the path is weak.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The connection broke.
    #[error("the connection broke")]
    Broken,
    /// The guard, or without relays the server, cannot be reached.
    #[error("the first party of the path cannot be reached")]
    FirstUnreachable,
    /// The server's own answer cannot be read.
    #[error("the server's answer cannot be read")]
    Malformed,
    /// No path can be drawn.
    #[error(transparent)]
    NoPath(#[from] NoPath),
    /// A plain answer that nobody vouches for.
    #[error("an unauthenticated answer with status {0}")]
    Plain(u16),
    /// A relay refused or failed, authenticated by its own key.
    #[error("relay {hop} of the path failed with status {status}")]
    Relay {
        /// Its place; 0 is the guard.
        hop: usize,
        /// The status it gave.
        status: u16,
    },
    /// A relay of the path cannot reach the next one.
    #[error("a relay of the path cannot be reached by the one before it")]
    RelayUnreachable(Ed25519Public),
    /// The last relay does not serve the server's host.
    #[error("the last relay does not serve the server's host")]
    ServerNotServed,
    /// The last relay cannot reach the server.
    #[error("the last relay cannot reach the server")]
    ServerUnreachable,
    /// The server cannot open the request: another key than the address names.
    #[error("the server does not hold the key of its address")]
    ServerWrongKey,
    /// An answer was changed on its way.
    #[error("the answer was changed at layer {0}")]
    Tampered(usize),
    /// Nothing moved for too long.
    #[error("nothing moved for too long")]
    TimedOut,
}

/// A transfer ended without an answer of the server.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{failure} (after {tries} tries)")]
pub struct TransferError {
    /// Of the last try.
    pub failure: Failure,
    /// How many there were.
    pub tries: u32,
}

/// The machine of one request.
pub struct Transfer<'a> {
    request: &'a FileRequest,
    server: &'a ServerAddress,
    way: Way<'a>,
    cipher: HopCipher,
    expected_answer_len: usize,
    tries: u32,
    set_aside: Vec<Ed25519Public>,
    waited: bool,
    pending: Option<Pending>,
    ended: Option<Result<Response, Failure>>,
    shown: Vec<AttemptShown>,
}

struct Pending {
    reply: ReplyKeys,
    path: Option<RelayPath>,
}

impl<'a> Transfer<'a> {
    /// A transfer that has not begun. `expected_answer_len` is the blob a download waits for, else 0.
    #[must_use]
    pub fn new(
        request: &'a FileRequest,
        server: &'a ServerAddress,
        way: Way<'a>,
        expected_answer_len: usize,
    ) -> Self {
        Self {
            request,
            server,
            way,
            cipher: HopCipher::XChaCha20,
            expected_answer_len,
            tries: 0,
            set_aside: Vec::new(),
            waited: true,
            pending: None,
            ended: None,
            shown: Vec::new(),
        }
    }

    /// What to do at `now` (unix seconds).
    pub fn next(&mut self, now: u64, rng: &mut impl CryptoRng) -> Step {
        match self.ended.take() {
            Some(Ok(response)) => return Step::Done(response),
            Some(Err(failure)) if !is_worth_a_retry(&failure) || self.tries >= MAX_TRIES => {
                return Step::Failed(TransferError {
                    failure,
                    tries: self.tries,
                });
            }
            Some(Err(_)) if !self.waited => {
                self.waited = true;
                self.ended = None;
                return Step::Wait(BACK_OFF * 2_u32.pow(self.tries.saturating_sub(1)));
            }
            Some(Err(_)) | None => {}
        }
        match self.attempt(now, rng) {
            Ok(attempt) => Step::Send(Box::new(attempt)),
            Err(failure) => Step::Failed(TransferError {
                failure,
                tries: self.tries,
            }),
        }
    }

    fn attempt(&mut self, now: u64, rng: &mut impl CryptoRng) -> Result<Attempt, Failure> {
        let path = self.draw(rng)?;
        let relays: Vec<_> = path
            .iter()
            .flat_map(RelayPath::relays)
            .map(|relay| relay.key)
            .collect();
        let route = Route {
            relays: &relays,
            server: self.server,
            cipher: self.cipher,
            sealed_return: true,
        };
        let built = onion::build(&route, &self.request.head(), self.request.body(), rng)?;
        self.tries += 1;
        self.shown.push(AttemptShown {
            at: now,
            path: path.clone(),
            server: self.server.url.clone(),
            names_file: self.request.names_file(),
            sent: built.link_lengths,
            answered: Vec::new(),
            outcome: ShownOutcome::NoAnswer,
        });
        self.pending = Some(Pending {
            reply: built.reply,
            path: path.clone(),
        });
        let larger = built.body.len().max(self.expected_answer_len);
        Ok(Attempt {
            path,
            body: built.body,
            answer_wait: answer_wait(larger),
            max_answer_len: (self.expected_answer_len + REQUEST_OVERHEAD)
                .clamp(SMALL_ANSWER, MAX_MESSAGE_LEN),
        })
    }

    fn draw(&mut self, rng: &mut impl CryptoRng) -> Result<Option<RelayPath>, NoPath> {
        let Way::Relays {
            list,
            guard,
            may_share,
        } = &self.way
        else {
            return Ok(None);
        };
        let drawing = Drawing {
            list,
            host: self.server.url.host(),
            guard: *guard,
            set_aside: &self.set_aside,
            may_share: *may_share,
        };
        match drawing.draw(rng) {
            // A relay that failed once is better than no path.
            Err(_) if !self.set_aside.is_empty() => {
                let all = Drawing {
                    set_aside: &[],
                    ..drawing
                };
                all.draw(rng).map(Some)
            }
            drawn => drawn.map(Some),
        }
    }

    /// Takes the outcome of the try that [`Transfer::next`] asked for.
    pub fn on_outcome(&mut self, outcome: Outcome) {
        let Some(pending) = self.pending.take() else {
            return;
        };
        let result = self.judge(outcome, &pending);
        if let Some(shown) = self.shown.last_mut() {
            shown.outcome = match &result {
                Ok(response) => ShownOutcome::Answered(response.code),
                Err(_) => ShownOutcome::NoAnswer,
            };
        }
        self.waited = false;
        self.ended = Some(result);
    }

    fn judge(&mut self, outcome: Outcome, pending: &Pending) -> Result<Response, Failure> {
        let guard = pending.path.as_ref().map(|path| path.guard.key);
        match outcome {
            Outcome::Answered(body) => {
                if let Some(shown) = self.shown.last_mut() {
                    shown.answered = vec![body.len()];
                }
                match pending.reply.open(body) {
                    Ok(opened) => {
                        if let Some(shown) = self.shown.last_mut() {
                            shown.answered = opened.link_lengths;
                        }
                        // The server itself asks to come again later.
                        if matches!(opened.response.code, 500 | 503) && self.tries < MAX_TRIES {
                            return Err(Failure::Plain(opened.response.code));
                        }
                        Ok(opened.response)
                    }
                    Err(why) => Err(self.blame(why, pending)),
                }
            }
            Outcome::Plain { status: 400, .. } if pending.path.is_none() => {
                Err(Failure::ServerWrongKey)
            }
            Outcome::Plain { status, .. } => Err(Failure::Plain(status)),
            Outcome::Broken => Err(Failure::Broken),
            Outcome::TimedOut => Err(Failure::TimedOut),
            Outcome::Unreachable => {
                self.set_aside.extend(guard);
                Err(Failure::FirstUnreachable)
            }
        }
    }

    fn blame(&mut self, error: ReplyError, pending: &Pending) -> Failure {
        let (hop, status, text) = match error {
            ReplyError::Malformed => return Failure::Malformed,
            ReplyError::Unauthentic { layer } => {
                let relays = pending.path.as_ref().map_or(0, |path| path.relays().len());
                // The last relay passes on what a server says that could not open the request.
                return if layer == relays && relays > 0 {
                    Failure::ServerWrongKey
                } else {
                    Failure::Tampered(layer)
                };
            }
            ReplyError::Relay { hop, status, text } => (hop, status, text),
        };
        let Some(path) = &pending.path else {
            return Failure::Relay { hop, status };
        };
        let relays = path.relays();
        let named = relays.get(hop + 1).map(|relay| relay.key);
        if let Some(next) = named {
            let says_gone = [NOT_FOUND, UNREACHABLE]
                .iter()
                .any(|prefix| text.strip_prefix(prefix) == Some(next.to_hex().as_str()));
            if says_gone {
                self.set_aside.push(next);
                return Failure::RelayUnreachable(next);
            }
            return Failure::Relay { hop, status };
        }
        // The last relay speaks of the server.
        match (status, text.as_str()) {
            (400, "Invalid url") => {
                self.set_aside.push(path.last.key);
                Failure::ServerNotServed
            }
            (400, _) => Failure::ServerWrongKey,
            (502, _) => Failure::ServerUnreachable,
            (504, _) => Failure::TimedOut,
            _ => Failure::Relay { hop, status },
        }
    }

    /// Relays that failed in this transfer.
    #[must_use]
    pub fn set_aside(&self) -> &[Ed25519Public] {
        &self.set_aside
    }

    /// What every party was shown, try by try.
    #[must_use]
    pub fn into_shown(self) -> Vec<AttemptShown> {
        self.shown
    }
}

/// 60 s and 20 s for each MiB begun of the larger of request and answer.
fn answer_wait(larger_len: usize) -> Duration {
    let mebibytes = u32::try_from(larger_len.div_ceil(1 << 20)).unwrap_or(10);
    Duration::from_secs(60) + Duration::from_secs(20) * mebibytes
}

const fn is_worth_a_retry(failure: &Failure) -> bool {
    !matches!(
        failure,
        Failure::Build(_) | Failure::NoPath(_) | Failure::Malformed
    )
}

/// Four tries in all.
const MAX_TRIES: u32 = 4;
const BACK_OFF: Duration = Duration::from_millis(200);
/// Relay list and status are answered like a class-0 blob.
const SMALL_ANSWER: usize = 65_536 + REQUEST_OVERHEAD;

#[cfg(test)]
mod tests {
    use core::net::IpAddr;

    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;
    use crate::protocol::address::FileId;
    use crate::protocol::file_api::FileAnswer;
    use crate::protocol::keys::Identity;
    use crate::protocol::onion::{Next, ReplyLayer, open_request, peel};
    use crate::protocol::relay_list::{RelayDescriptor, Serves};

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
            }
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

        /// Runs a download to its end; the guard of each try and the result come back.
        fn run(
            &mut self,
            guard: Option<Ed25519Public>,
        ) -> (Vec<RelayPath>, Result<u16, TransferError>) {
            let request = FileRequest::Download(FileId::parse("id").unwrap());
            let (list, address) = (self.list.clone(), self.address.clone());
            let way = Way::Relays {
                list: &list,
                guard,
                may_share: false,
            };
            let mut transfer = Transfer::new(&request, &address, way, 65_536);
            let mut rng = ChaCha20Rng::seed_from_u64(5);
            let mut paths = vec![];
            loop {
                match transfer.next(1_000, &mut rng) {
                    Step::Send(attempt) => {
                        assert_eq!(attempt.body.len(), REQUEST_OVERHEAD);
                        paths.push(attempt.path.clone().unwrap());
                        let outcome = self.post(*attempt);
                        transfer.on_outcome(outcome);
                    }
                    Step::Wait(pause) => assert!(pause <= Duration::from_secs(1)),
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
            let (paths, result) = network.run(None);
            assert_eq!((paths.len(), result), (1, Ok(code)));
        }
    }

    #[test]
    fn a_server_in_trouble_is_asked_again_and_believed_in_the_end() {
        let mut network = Network::new(5);
        network.server_code = 503;
        let (paths, result) = network.run(None);
        assert_eq!((paths.len(), result), (4, Ok(503)));
    }

    #[test]
    fn a_dead_guard_is_replaced_by_another() {
        let mut network = Network::new(5);
        let guard = network.relays[0].public();
        network.dead = vec![guard];
        let (paths, result) = network.run(Some(guard));
        assert_eq!(result, Ok(200));
        assert_eq!(paths[0].guard.key, guard);
        assert!(
            paths[1..]
                .iter()
                .flat_map(RelayPath::relays)
                .all(|relay| relay.key != guard)
        );
    }

    #[test]
    fn a_relay_that_its_neighbour_cannot_reach_is_avoided_and_the_guard_stays() {
        for dead in 1..6 {
            let mut network = Network::new(6);
            let guard = network.relays[0].public();
            network.dead = vec![network.relays[dead].public()];
            let (paths, result) = network.run(Some(guard));
            assert_eq!(result, Ok(200));
            assert!(paths.iter().all(|path| path.guard.key == guard));
            assert!(paths.len() <= 2, "it is met once at most");
        }
    }

    #[test]
    fn every_way_to_fail_has_its_own_name_and_ends_after_four_tries() {
        let mut server_dead = Network::new(5);
        server_dead.server_dead = true;
        let mut wrong_key = Network::new(5);
        wrong_key.server = Identity::from_seed([201; 32]);
        let mut tampers = Network::new(5);
        tampers.tampers = true;
        let mut all_dead = Network::new(5);
        all_dead.dead = all_dead.relays.iter().map(Identity::public).collect();
        for (mut network, failure) in [
            (server_dead, Failure::ServerUnreachable),
            (wrong_key, Failure::ServerWrongKey),
            (tampers, Failure::ServerWrongKey),
            (all_dead, Failure::FirstUnreachable),
        ] {
            assert_eq!(
                network.run(None).1,
                Err(TransferError { failure, tries: 4 })
            );
        }
    }

    #[test]
    fn without_enough_relays_nothing_is_sent() {
        let (paths, result) = Network::new(2).run(None);
        assert!(paths.is_empty());
        assert!(matches!(
            result,
            Err(TransferError {
                failure: Failure::NoPath(_),
                tries: 0
            })
        ));
    }

    fn one_try(outcome: impl Fn(&RelayPath) -> Outcome) -> (Failure, Vec<Ed25519Public>) {
        let network = Network::new(6);
        let request = FileRequest::ServerInfo;
        let way = Way::Relays {
            list: &network.list,
            guard: None,
            may_share: false,
        };
        let mut transfer = Transfer::new(&request, &network.address, way, 0);
        let mut rng = ChaCha20Rng::seed_from_u64(5);
        loop {
            match transfer.next(0, &mut rng) {
                Step::Send(attempt) => {
                    let outcome = outcome(&attempt.path.unwrap());
                    transfer.on_outcome(outcome);
                }
                Step::Wait(_) => {}
                Step::Done(_) => panic!("nothing here is an answer"),
                Step::Failed(error) => return (error.failure, transfer.set_aside().to_vec()),
            }
        }
    }

    #[test]
    fn a_forged_plain_no_ends_nothing_and_blames_nobody() {
        for status in [404, 413, 400, 502] {
            let forged = one_try(|path| Outcome::Plain {
                status,
                text: format!("{NOT_FOUND}{}", path.last.key.to_hex()),
            });
            assert_eq!(forged, (Failure::Plain(status), vec![]));
        }
        assert_eq!(
            one_try(|_| Outcome::Answered(vec![7; 1_699])),
            (Failure::Tampered(0), vec![])
        );
        assert_eq!(
            one_try(|_| Outcome::Answered(vec![])),
            (Failure::Tampered(0), vec![])
        );
        assert_eq!(one_try(|_| Outcome::Broken), (Failure::Broken, vec![]));
        assert_eq!(one_try(|_| Outcome::TimedOut), (Failure::TimedOut, vec![]));
    }

    #[test]
    fn the_wait_grows_with_what_must_cross() {
        assert_eq!(answer_wait(2_560), Duration::from_secs(80));
        assert_eq!(answer_wait(10_002_560), Duration::from_secs(260));
    }
}
