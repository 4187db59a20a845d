//! The exchange of one request for its answer, try by try: over which relays it goes, what to send, how long to wait, what
//! an outcome means.
//!
//! The machine decides and never acts: `next` says send, wait, done or failed; whoever drives it moves the bytes and
//! reports what came of it. A retry sends the same sealed blob under fresh onion keys over a new middle and last, so
//! that an upload whose answer was lost is stored once: same bytes, same owner, same id. What a try teaches about its
//! relays goes into their memory at once ([`super::path::Learned`]), and that a guard will see this client before it
//! does: whoever drives the machine may drop it at any moment and loses nothing but the answer.

use core::time::Duration;

use rand_core::CryptoRng;
use thiserror::Error;

use super::address::ServerAddress;
use super::disclosure::{AttemptShown, End, ShownOutcome};
use super::file_api::FileRequest;
use super::keys::Ed25519Public;
use super::onion::v4::Response;
use super::onion::{self, HopCipher, MAX_MESSAGE_LEN, OnionRoute, REQUEST_OVERHEAD, ReplyKeys};
use super::path::{
    Allowance, DrawError, Drawing, DrawnPath, Hops, Learned, MemoryKeeper, RelayPath,
};
use super::relay_list::{NetworkKind, RelayList};

pub(super) mod failure;
mod interpret;
#[cfg(test)]
mod tests;

pub use failure::Failure;

/// The route of a request to the server.
#[derive(Clone, Copy)]
pub enum ExchangeRoute<'a> {
    /// Straight to the server, which then sees the client's address.
    Direct,
    /// Through three relays of a list.
    Relays {
        /// The relays there are.
        list: &'a RelayList,
        /// Network that the relays belong to.
        kind: NetworkKind,
        /// Memory of these relays, which other exchanges may use at the same time.
        memory: &'a dyn MemoryKeeper,
        /// Which rules may yield where the list is too small for them.
        allow: Allowance,
    },
}

/// Memory for requests, which may be used again once they were sent.
pub trait RequestMemory: Sync {
    /// An empty buffer with room for `len` bytes.
    fn take(&self, len: usize) -> Vec<u8>;
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
    Failed(ExchangeError),
}

/// One try.
pub struct Attempt {
    /// The relays of the path; `None` when the request goes straight to the server.
    pub path: Option<RelayPath>,
    /// Body of the HTTP request.
    pub body: Vec<u8>,
    /// How long nothing may be seen between the last byte sent and the first of the answer.
    pub answer_wait: Duration,
    /// The longest answer that is read, in bytes.
    pub max_answer_len: usize,
}

/// While bytes move on a link, this long without one ends the try.
pub const IDLE_LIMIT: Duration = Duration::from_secs(30);

/// What came of a try.
#[derive(Debug, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// HTTP status 200 with this body.
    Answered(Vec<u8>),
    /// Any other HTTP status, with the start of its body: not authenticated.
    Plain {
        /// The status.
        status: u16,
        /// Text that came with it: never shown as truth.
        text: String,
    },
    /// The connection broke after it stood, before the whole answer was there.
    Broken,
    /// The connection stood, and nothing moved on it for too long.
    TimedOut,
    /// No connection to the guard (or the server) came about, or none that its key authenticates.
    Unreachable,
}

/// An exchange ended without an answer of the server.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{failure} (after {tries} tries)")]
pub struct ExchangeError {
    /// Why the last try failed.
    pub failure: Failure,
    /// Number of tries.
    pub tries: u32,
    /// Whether the tries went straight to the server, so that no relay is to blame.
    pub direct: bool,
}

/// One request to a server and its answer, as a state machine.
pub struct Exchange<'a> {
    request: &'a FileRequest,
    server: &'a ServerAddress,
    route: ExchangeRoute<'a>,
    expected_answer_len: usize,
    unlike: Option<Hops>,
    turn: Option<usize>,
    request_memory: Option<&'a dyn RequestMemory>,
    tries: u32,
    /// Relays to which a failure of this exchange was traced.
    failed: Vec<Ed25519Public>,
    guards_tried: Vec<Ed25519Public>,
    /// Middles and lasts of the tries so far.
    tried: Vec<Ed25519Public>,
    /// What holds if the server does answer: last relays that said that it does not, and paths over which came what
    /// does not open.
    suspects: Vec<Learned>,
    waited: bool,
    /// A connection to a guard came about.
    reached: bool,
    pending: Option<PendingAttempt>,
    ended: Option<Result<Response, Failure>>,
    shown: Vec<AttemptShown>,
}

struct PendingAttempt {
    reply: ReplyKeys,
    path: Option<RelayPath>,
}

impl<'a> Exchange<'a> {
    /// An exchange that has not begun. `expected_answer_len` is the blob a download waits for, else 0.
    #[must_use]
    pub const fn new(
        request: &'a FileRequest,
        server: &'a ServerAddress,
        route: ExchangeRoute<'a>,
        expected_answer_len: usize,
    ) -> Self {
        Self {
            request,
            server,
            route,
            expected_answer_len,
            unlike: None,
            turn: None,
            request_memory: None,
            tries: 0,
            failed: Vec::new(),
            guards_tried: Vec::new(),
            tried: Vec::new(),
            suspects: Vec::new(),
            waited: true,
            reached: false,
            pending: None,
            ended: None,
            shown: Vec::new(),
        }
    }

    /// Lets this request go over another last relay than that of `path` where there is one, else over another middle.
    #[must_use]
    pub(crate) fn unlike(self, path: Option<Hops>) -> Self {
        Self {
            unlike: path,
            ..self
        }
    }

    /// Lets the guard at this place among those in use have the first try: requests that run side by side take turns.
    #[must_use]
    pub(crate) fn with_turn(self, turn: Option<usize>) -> Self {
        Self { turn, ..self }
    }

    /// Builds each try's request in a buffer of `memory`.
    #[must_use]
    pub(crate) fn with_memory(self, memory: &'a dyn RequestMemory) -> Self {
        Self {
            request_memory: Some(memory),
            ..self
        }
    }

    /// What to do at `now` (unix seconds).
    pub fn next(&mut self, now: u64, rng: &mut impl CryptoRng) -> Step {
        match self.ended.take() {
            Some(Ok(response)) => return Step::Done(response),
            Some(Err(failure)) if !failure.is_worth_a_retry() || self.tries > MAX_RETRIES => {
                return Step::Failed(self.error(failure));
            }
            Some(Err(_)) if !self.waited => {
                self.waited = true;
                return Step::Wait(BACK_OFF * 2_u32.pow(self.tries.saturating_sub(1)));
            }
            Some(Err(_)) | None => {}
        }
        match self.attempt(now, rng) {
            Ok(attempt) => Step::Send(Box::new(attempt)),
            Err(failure) => Step::Failed(self.error(failure)),
        }
    }

    fn error(&self, failure: Failure) -> ExchangeError {
        ExchangeError {
            failure,
            tries: self.tries,
            direct: matches!(self.route, ExchangeRoute::Direct),
        }
    }

    fn attempt(&mut self, now: u64, rng: &mut impl CryptoRng) -> Result<Attempt, Failure> {
        let drawn = self.draw(now, rng)?;
        let (path, relaxed) = match drawn {
            Some(drawn) => (Some(drawn.path), drawn.relaxed),
            None => (None, Vec::new()),
        };
        let relays: Vec<_> = path
            .iter()
            .flat_map(RelayPath::relays)
            .map(|relay| relay.key)
            .collect();
        let sessions = self.is_sessions();
        let route = OnionRoute {
            relays: &relays,
            server: self.server,
            cipher: if sessions {
                HopCipher::AesGcm
            } else {
                HopCipher::XChaCha20
            },
            sealed_return: !sessions,
        };
        let (head, body) = (self.request.head(), self.request.body());
        let buffer = self.request_memory.map_or_else(Vec::new, |memory| {
            memory.take(body.len() + REQUEST_OVERHEAD)
        });
        let built = onion::build_in(buffer, &route, &head, body, rng)?;
        self.tries += 1;
        if let Some(path) = &path {
            self.learn(Learned::Used {
                hops: path.hops(),
                at: now,
            });
        }
        self.shown.push(AttemptShown {
            at: now,
            path: path.clone(),
            proxy: None,
            end: End::Server,
            relaxed,
            same_bytes_back: sessions && path.is_some(),
            server: self.server.url.clone(),
            names_file: self.request.names_file(),
            sent: built.link_lengths,
            answered: Vec::new(),
            outcome: ShownOutcome::Sent,
        });
        self.pending = Some(PendingAttempt {
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

    fn draw(&self, now: u64, rng: &mut impl CryptoRng) -> Result<Option<DrawnPath>, DrawError> {
        let ExchangeRoute::Relays {
            list,
            memory,
            allow,
            ..
        } = self.route
        else {
            return Ok(None);
        };
        let drawing = Drawing {
            reached: self.reached,
            failed: &self.failed,
            guards_tried: &self.guards_tried,
            tried: &self.tried,
            unlike: self.unlike,
            turn: self.turn,
            ..Drawing::first(list, self.server.url.host(), allow)
        };
        let mut drawn = None;
        memory.change(&mut |memory| drawn = Some(drawing.draw(memory, now, rng)));
        drawn.transpose()
    }

    /// Whether the relays are Session's.
    #[must_use]
    pub(crate) const fn is_sessions(&self) -> bool {
        matches!(
            self.route,
            ExchangeRoute::Relays {
                kind: NetworkKind::Session,
                ..
            }
        )
    }

    fn learn(&self, learned: Learned) {
        if let ExchangeRoute::Relays { list, memory, .. } = self.route {
            memory.learn(&learned, list);
        }
    }

    /// Takes the outcome, known at `now` (unix seconds), of the try that [`Exchange::next`] asked for.
    pub fn on_outcome(&mut self, outcome: AttemptOutcome, now: u64) {
        let Some(pending) = self.pending.take() else {
            return;
        };
        self.reached |= !matches!(outcome, AttemptOutcome::Unreachable);
        let result = self.interpret(outcome, &pending, now);
        if let Some(shown) = self.shown.last_mut() {
            shown.outcome = match &result {
                Ok(response) => ShownOutcome::Answered(response.code),
                Err(Failure::ServerBusy(code)) => ShownOutcome::Answered(*code),
                Err(failure) => ShownOutcome::Failed(failure.clone()),
            };
        }
        if let Some(path) = &pending.path {
            self.guards_tried.push(path.guard.key);
            self.tried.extend([path.middle.key, path.last.key]);
        }
        self.waited = false;
        self.ended = Some(result);
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

/// After the first try.
const MAX_RETRIES: u32 = 4;
const BACK_OFF: Duration = Duration::from_millis(200);
/// Relay list and status are answered like a class-0 blob.
const SMALL_ANSWER: usize = 65_536 + REQUEST_OVERHEAD;
