//! What an outcome means: who is to blame, what the memory learns from it, and what the person is told.
//!
//! Final is only what the server's own key vouches for. Who failed is only taken from whom must hold a layer's key; a
//! plain text counts no further than it can be true of this very path, and for this guard only.

use super::{MAX_RETRIES, Outcome, Pending, Transfer};
use crate::protocol::keys::Ed25519Public;
use crate::protocol::onion::v4::Response;
use crate::protocol::onion::{NOT_FOUND, ReplyError, UNREACHABLE};
use crate::protocol::path::{Fault, Hops, Learned, RelayPath};
use crate::protocol::transfer::Failure;

impl Transfer<'_> {
    pub(super) fn judge(
        &mut self,
        outcome: Outcome,
        pending: &Pending,
        now: u64,
    ) -> Result<Response, Failure> {
        let path = pending.path.as_ref();
        match outcome {
            Outcome::Answered(body) => self.answered(body, pending, now),
            Outcome::Plain { status, text } => Err(match path {
                Some(path) => self.plain(path, status, &text, now),
                None if status == 400 => Failure::ServerWrongKey,
                None => Failure::Plain(status),
            }),
            Outcome::Broken => {
                self.failed(path, Fault::Broken, now);
                Err(Failure::Broken)
            }
            Outcome::TimedOut => {
                self.failed(path, Fault::Silent, now);
                Err(Failure::TimedOut)
            }
            Outcome::Unreachable => {
                self.failed.extend(path.map(|path| path.guard.key));
                self.failed(path, Fault::GuardUnreachable, now);
                Err(Failure::FirstUnreachable)
            }
        }
    }

    fn answered(
        &mut self,
        body: Vec<u8>,
        pending: &Pending,
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

    /// What nobody vouches for.
    fn plain(&mut self, path: &RelayPath, status: u16, text: &str, now: u64) -> Failure {
        let gone = [NOT_FOUND, UNREACHABLE, NOT_READY]
            .iter()
            .find_map(|prefix| text.strip_prefix(prefix));
        let later = [path.middle.key, path.last.key];
        if let Some(relay) = gone.and_then(|name| later.into_iter().find(|key| is_named(name, key)))
        {
            self.failed.push(relay);
            self.failed(Some(path), Fault::Gone { relay, by: None }, now);
            return Failure::RelayUnreachable(relay);
        }
        self.failed(Some(path), Fault::Answered, now);
        match status {
            504 => Failure::TimedOut,
            _ => Failure::Plain(status),
        }
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
                self.suspects.push(Learned::Failed {
                    hops,
                    at: now,
                    fault: Fault::Relay(hops.last),
                });
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
        let failure = Failure::Relay { hop, status };
        let gone = [NOT_FOUND, UNREACHABLE]
            .iter()
            .find_map(|prefix| text.strip_prefix(prefix));
        let (fault, failure) = match (gone, status, text) {
            (Some(name), ..) if is_named(name, &next) => {
                self.failed.push(next);
                let fault = Fault::Gone {
                    relay: next,
                    by: Some(by),
                };
                (fault, Failure::RelayUnreachable(next))
            }
            // Without a seal an error that opens is this relay's own: the next one's would open with another key.
            (None, 400, _) if self.is_sessions() => (Fault::Relay(by), failure),
            // Nobody was asked for any other relay, but this one may only pass on what the next one said; or the next
            // one could not open what this one passed on.
            (Some(_), ..) | (None, 400, _) => (Fault::Link(by, next), failure),
            (None, 504, _) => (Fault::Answered, Failure::TimedOut),
            _ => (Fault::Answered, failure),
        };
        self.failed(Some(path), fault, now);
        failure
    }

    /// The last relay speaks of the server, or refuses. The server's faults are nobody's strikes, but it may lie.
    fn last_says(&mut self, path: &RelayPath, status: u16, text: &str, now: u64) -> Failure {
        let hops = path.hops();
        self.learn(Learned::Reached { hops, at: now });
        self.suspects.push(Learned::Belied {
            relay: hops.last,
            at: now,
        });
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

/// Whether `name` is this relay's key, as the relays of either network write it.
fn is_named(name: &str, key: &Ed25519Public) -> bool {
    name.trim_end().eq_ignore_ascii_case(&key.to_hex())
}

/// How a Session relay begins to say that the next one is not ready.
const NOT_READY: &str = "Snode not ready: ";
/// What a relay says that has no room for a request.
const BUSY: &str = "Server busy, try again later";
