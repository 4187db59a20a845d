//! The client's way back: an answer opened layer by layer, and who is to blame when it does not open.

use core::ops::Range;

use base64ct::{Base64, Encoding as _};
use serde::Deserialize;
use thiserror::Error;
use zeroize::Zeroizing;

use super::hop_cipher::AnswerKey;
use super::v4::{self, Response};
use crate::protocol::bytes::Reader;
use crate::protocol::json::{self, TextLimits};
use crate::protocol::keys::Ed25519Public;

/// One relay of a path and the key of its layer.
pub struct Hop {
    /// The relay's identity.
    pub relay: Ed25519Public,
    pub(super) key: AnswerKey,
}

/// The keys that open the answer to one request.
pub struct ReplyKeys {
    hops: Vec<Hop>,
    server: AnswerKey,
    sealed: bool,
}

/// An answer and the bytes it had on each link, first the one the client read.
pub struct OpenedReply {
    /// What the server said.
    pub response: Response,
    /// Bytes on each link, first the one that the client read, last the one the server sent.
    pub link_lengths: Vec<usize>,
}

/// What an answer that is not the server's says.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ReplyError {
    /// The server's own bytes, opened with its key, are no v4 answer.
    #[error("the server's answer is not a v4 answer")]
    Malformed,
    /// A relay says, authenticated by its layer's key, that it or the one behind it failed.
    #[error("relay {hop} of the path answered {status}")]
    Relay {
        /// Place of the relay on the path; 0 is the guard.
        hop: usize,
        /// HTTP status that the relay gave.
        status: u16,
        /// Text that the relay gave: never shown as truth.
        text: String,
    },
    /// The layer of this party did not open, or holds what the client itself sent: this party, or the one before it on
    /// the way back, changed the bytes.
    #[error("the answer was changed at layer {layer}")]
    Unauthentic {
        /// Number of the layer: 0 is the guard's, the number of relays is the server's.
        layer: usize,
    },
}

impl ReplyKeys {
    pub(super) const fn new(hops: Vec<Hop>, server: AnswerKey, sealed: bool) -> Self {
        Self {
            hops,
            server,
            sealed,
        }
    }

    /// Opens what the guard (or, without relays, the server) answered with HTTP status 200.
    ///
    /// # Errors
    /// [`ReplyError`]; only [`ReplyError::Relay`] and [`ReplyError::Malformed`] are authenticated.
    pub fn open(&self, body: Vec<u8>) -> Result<OpenedReply, ReplyError> {
        // Nothing that was opened stays behind in memory, whatever is wrong with it.
        let mut body = Zeroizing::new(body);
        let mut range = 0..body.len();
        let mut link_lengths = vec![range.len()];
        if self.sealed {
            for (hop, Hop { key, .. }) in self.hops.iter().enumerate() {
                range = key
                    .open_in_place(&mut body, range)
                    .map_err(|_opaque| ReplyError::Unauthentic { layer: hop })?;
                match body.get(range.clone()).and_then(<[u8]>::first) {
                    Some(0) => range.start += 1,
                    Some(1) => return Err(failure(&body, range, hop)),
                    _ => return Err(ReplyError::Unauthentic { layer: hop }),
                }
                link_lengths.push(range.len());
            }
        } else {
            link_lengths.resize(self.hops.len() + 1, range.len());
        }
        let opened = self
            .server
            .open_in_place(&mut body, range)
            .map_err(|_opaque| {
                self.refusal(&body).unwrap_or(ReplyError::Unauthentic {
                    layer: self.hops.len(),
                })
            })?;
        let response = v4::decode_answer(body, opened).map_err(|_why| ReplyError::Malformed)?;
        Ok(OpenedReply {
            response,
            link_lengths,
        })
    }

    /// What a relay that does not seal what it passes back sends when its layer opened but cannot be followed: base64 of
    /// `{"status":400,"body":…}` under the key of its layer. Those before it pass that on untouched.
    fn refusal(&self, body: &[u8]) -> Option<ReplyError> {
        if self.sealed || body.len() > MAX_REFUSAL_LEN {
            return None;
        }
        let refused = Base64::decode_vec(core::str::from_utf8(body).ok()?).ok()?;
        self.hops
            .iter()
            .enumerate()
            .find_map(|(hop, Hop { key, .. })| {
                let mut text = refused.clone();
                let whole = 0..text.len();
                let opened = key.open_in_place(&mut text, whole).ok()?;
                let limits = TextLimits::of(MAX_REFUSAL_LEN);
                let RefusalJson { status, body } = json::parse(text.get(opened)?, limits).ok()?;
                Some(ReplyError::Relay {
                    hop,
                    status,
                    text: body,
                })
            })
    }

    /// The relays of the path, guard first.
    pub fn relays(&self) -> impl Iterator<Item = &Ed25519Public> {
        self.hops.iter().map(|hop| &hop.relay)
    }
}

fn failure(body: &[u8], range: Range<usize>, hop: usize) -> ReplyError {
    let mut reader = Reader::new(body.get(range).unwrap_or_default());
    let parsed = reader.u8().and_then(|_kind| reader.u16_le());
    let Ok(status) = parsed else {
        return ReplyError::Unauthentic { layer: hop };
    };
    let text = reader.rest();
    let end = text
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(text.len());
    let text = String::from_utf8_lossy(text.get(..end).unwrap_or_default()).into_owned();
    ReplyError::Relay { hop, status, text }
}

#[derive(Deserialize)]
struct RefusalJson {
    status: u16,
    body: String,
}

/// Refusals are two words; so much is looked at.
const MAX_REFUSAL_LEN: usize = 4_096;
