//! What an outcome means: who is to blame, what the memory learns from it, and what the person is told.
//!
//! Final is only what the server's own key vouches for. An error is taken for the word of the relay whose key it opens
//! with: the guard's counts against the guard, one of a later relay proves that the guard did its work. A relay that is
//! said not to be there counts only if it stands on this very path behind the relay that says so, and next to it if that
//! one puts its key to it.

use super::{AttemptOutcome, Exchange, MAX_RETRIES, PendingAttempt};
use crate::protocol::exchange::Failure;
use crate::protocol::keys::Ed25519Public;
use crate::protocol::onion::v4::Response;
use crate::protocol::onion::{NOT_FOUND, ReplyError, UNREACHABLE};
use crate::protocol::path::{Fault, Hops, Learned, RelayPath};

impl Exchange<'_> {
    pub(super) fn interpret(
        &mut self,
        outcome: AttemptOutcome,
        pending: &PendingAttempt,
        now: u64,
    ) -> Result<Response, Failure> {
        let path = pending.path.as_ref();
        match outcome {
            AttemptOutcome::Answered(body) => self.answered(body, pending, now),
            AttemptOutcome::Plain { status, text } => Err(match path {
                Some(path) => self.plain(path, status, &text, now),
                None if status == 400 => Failure::ServerWrongKey,
                None => Failure::Plain(status),
            }),
            AttemptOutcome::Broken => {
                self.failed(path, Fault::Broken, now);
                Err(Failure::Broken)
            }
            AttemptOutcome::TimedOut => {
                self.failed(path, Fault::Silent, now);
                Err(Failure::TimedOut)
            }
            AttemptOutcome::Unreachable => {
                self.failed.extend(path.map(|path| path.guard.key));
                self.failed(path, Fault::GuardUnreachable, now);
                Err(Failure::FirstUnreachable)
            }
        }
    }

    fn answered(
        &mut self,
        body: Vec<u8>,
        pending: &PendingAttempt,
        now: u64,
    ) -> Result<Response, Failure> {
        if let Some(shown) = self.shown.last_mut() {
            shown.answered = vec![body.len()];
        }
        match pending.reply.open(body) {
            Ok(opened) => {
                if let Some(shown) = self.shown.last_mut() {
                    shown.answered = opened.link_lengths;
                }
                self.worked(pending.path.as_ref(), now);
                for learned in core::mem::take(&mut self.suspects) {
                    self.learn(learned);
                }
                match opened.response.code {
                    code @ (500 | 503) if self.tries <= MAX_RETRIES => {
                        Err(Failure::ServerBusy(code))
                    }
                    _ => Ok(opened.response),
                }
            }
            Err(ReplyError::Malformed) => {
                self.worked(pending.path.as_ref(), now);
                Err(Failure::Malformed)
            }
            Err(ReplyError::Unauthentic { layer }) => {
                Err(self.changed(pending.path.as_ref(), layer, now))
            }
            Err(ReplyError::Relay { hop, status, text }) => Err(match &pending.path {
                Some(path) => self.relay_says(path, hop, status, &text, now),
                None => Failure::Relay { hop, status },
            }),
        }
    }

    /// A plain answer. On a Cloakroom list the guard vouches for it with its certificate; on Session's network nobody.
    fn plain(&mut self, path: &RelayPath, status: u16, text: &str, now: u64) -> Failure {
        let guard = path.guard.key;
        let by = (!self.is_sessions()).then_some(guard);
        let later = [path.middle.key, path.last.key];
        if let Some(relay) = named(text, &later) {
            return self.gone(path, relay, by, now);
        }
        self.failed(Some(path), Fault::Answered, now);
        match status {
            504 => Failure::TimedOut,
            _ => Failure::Plain(status),
        }
    }

    /// A later relay of the path is said not to be there.
    fn gone(
        &mut self,
        path: &RelayPath,
        relay: Ed25519Public,
        by: Option<Ed25519Public>,
        now: u64,
    ) -> Failure {
        self.failed.push(relay);
        self.failed(Some(path), Fault::Gone { relay, by }, now);
        Failure::RelayUnreachable(relay)
    }

    /// The layer of this party did not open.
    fn changed(&mut self, path: Option<&RelayPath>, layer: usize, now: u64) -> Failure {
        let Some(path) = path else {
            return Failure::Tampered(layer);
        };
        let hops = path.hops();
        if self.is_sessions() {
            // Any of the four may have sent it, the server too: it counts once a later try shows that it answers.
            self.suspects.push(Learned::Failed {
                hops,
                at: now,
                fault: Fault::Answered,
            });
            return Failure::Tampered(layer);
        }
        let fault = match layer {
            // What the guard sends is authenticated by its certificate.
            0 => Fault::Relay(hops.guard),
            1 => Fault::Link(hops.guard, hops.middle),
            2 => Fault::Link(hops.middle, hops.last),
            _ => {
                // The last relay passes on what a server says that could not open the request.
                self.reached(hops, now);
                return Failure::ServerWrongKey;
            }
        };
        self.failed(Some(path), fault, now);
        Failure::Tampered(layer)
    }

    /// A relay of the path says, authenticated by its layer's key, that it or the party behind it failed.
    fn relay_says(
        &mut self,
        path: &RelayPath,
        hop: usize,
        status: u16,
        text: &str,
        now: u64,
    ) -> Failure {
        let hops = path.hops();
        let (by, next) = match hop {
            0 => (hops.guard, hops.middle),
            1 => (hops.middle, hops.last),
            _ => return self.last_says(path, status, text, now),
        };
        if let Some(relay) = named(text, &[next]) {
            return self.gone(path, relay, Some(by), now);
        }
        let fault = if self.is_sessions() {
            // Without a seal an error that opens is this relay's own: the next one's would open with another key.
            Fault::Relay(by)
        } else {
            // With one it may be what the next relay said in plain words.
            Fault::Link(by, next)
        };
        self.failed(Some(path), fault, now);
        match status {
            504 => Failure::TimedOut,
            _ => Failure::Relay { hop, status },
        }
    }

    /// The last relay refuses, or passes on in its own name any words of the server, whose faults are nobody's strikes.
    /// It lied if another last relay brings the server's own answer.
    fn last_says(&mut self, path: &RelayPath, status: u16, text: &str, now: u64) -> Failure {
        self.reached(path.hops(), now);
        match (status, text) {
            (400, "Invalid url") => {
                self.failed.push(path.last.key);
                Failure::ServerNotServed
            }
            (400, "Invalid json") => Failure::Relay { hop: 2, status },
            (400, _) => Failure::ServerWrongKey,
            (502, _) => Failure::ServerUnreachable,
            (504, _) => Failure::TimedOut,
            (503, BUSY) => Failure::Relay { hop: 2, status },
            _ => Failure::ServerPlain(status),
        }
    }

    /// The last relay answered instead of the server.
    fn reached(&mut self, hops: Hops, at: u64) {
        self.learn(Learned::Reached { hops, at });
        self.suspects.push(Learned::Belied {
            relay: hops.last,
            at,
        });
    }

    fn worked(&mut self, path: Option<&RelayPath>, at: u64) {
        if let Some(path) = path {
            let hops = path.hops();
            self.learn(Learned::Worked { hops, at });
        }
    }

    fn failed(&mut self, path: Option<&RelayPath>, fault: Fault, at: u64) {
        if let Some(path) = path {
            let hops: Hops = path.hops();
            self.learn(Learned::Failed { hops, at, fault });
        }
    }
}

/// The one of these relays that `text` says is not there, with its key as the relays of either network write it.
fn named(text: &str, relays: &[Ed25519Public]) -> Option<Ed25519Public> {
    let name = GONE.iter().find_map(|prefix| text.strip_prefix(prefix))?;
    let is_named = |key: &Ed25519Public| name.trim_end().eq_ignore_ascii_case(&key.to_hex());
    relays.iter().copied().find(is_named)
}

/// How a relay begins to say that the next one is not there.
const GONE: [&str; 3] = [NOT_FOUND, UNREACHABLE, NOT_READY];
/// How a Session relay begins to say that the next one is not ready.
const NOT_READY: &str = "Snode not ready: ";
/// What a relay says that has no room for a request.
const BUSY: &str = "Server busy, try again later";
