//! One relay: takes its layer off a request, and puts it back on the answer.

use rand_core::CryptoRng;
use thiserror::Error;

use super::envelope::{self, EnvelopeError, LayerJson, Members};
use super::hop_cipher::{HopCipher, HopKey};
use super::replay::ReplayTag;
use super::{MAX_HOP_NO, MAX_SEALED_HOP_NO, v4};
use crate::protocol::json::Scalar;
use crate::protocol::keys::{Ed25519Public, X25519Public, X25519Secret};

/// A request without its outer layer.
pub struct Peeled {
    /// What the replay memory knows this request by.
    pub tag: ReplayTag,
    /// Where on a path the sender says this relay stands.
    pub hop_no: u8,
    /// What the layer asked for.
    pub next: RelayInstruction,
    /// The way back.
    pub reply: ReplyLayer,
}

/// What a layer asks its relay to do, in the order in which the JSON's keys decide.
pub enum RelayInstruction {
    /// It has `headers`: this relay would be the destination, which a Cloakroom relay never is.
    Destination,
    /// It has `host`: post to a server.
    Proxy(ServerTarget),
    /// It has `destination`: pass on to another relay.
    Forward {
        /// The relay it names.
        to: Ed25519Public,
        /// The body for that relay's guard endpoint, `hop_no` raised.
        body: Vec<u8>,
    },
    /// The layer opened, but its JSON is not one of the above.
    InvalidJson,
}

/// A server to post to. Nothing of it is checked yet but its form: whether this relay serves it is its operator's rule.
pub struct ServerTarget {
    /// Name or literal as written.
    pub host: String,
    /// 443 when absent.
    pub port: u16,
    /// `https` when absent.
    pub protocol: String,
    /// The path at the server.
    pub target: String,
    /// `POST` when absent.
    pub method: String,
    /// The whole decrypted layer: what the server gets.
    pub body: Vec<u8>,
}

/// Why no layer came off; the text is the body of the plain answer.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum PeelError {
    /// The ciphertext does not open with this relay's key.
    #[error("Invalid ciphertext")]
    Ciphertext,
    /// The body is no envelope.
    #[error("Error parsing onion request: {0}")]
    Envelope(EnvelopeError),
    /// `hop_no` is above 15, or above 7 where a sealed return is asked for, here or at the next relay.
    #[error("onion request max path length exceeded")]
    PathTooLong,
}

/// Takes this relay's layer off `body`, in place.
///
/// # Errors
/// [`PeelError`], to be answered as plain 400.
pub fn peel(secret: &X25519Secret, mut body: Vec<u8>) -> Result<Peeled, PeelError> {
    let parts = envelope::split(&body, 0..body.len()).map_err(PeelError::Envelope)?;
    let layer =
        LayerJson::parse(body.get(parts.json).unwrap_or_default()).map_err(PeelError::Envelope)?;
    let hop_no = u8::try_from(layer.hop_no)
        .ok()
        .filter(|number| *number <= MAX_HOP_NO)
        .ok_or(PeelError::PathTooLong)?;
    let shared = secret
        .agree(&layer.ephemeral)
        .map_err(|_weak| PeelError::Ciphertext)?;
    let key = HopKey::derive(layer.cipher, &shared, &layer.ephemeral, &secret.public());
    let tag = ReplayTag::of(&layer.ephemeral);
    let text = key
        .open_in_place(&mut body, parts.ciphertext)
        .map_err(|_opaque| PeelError::Ciphertext)?;
    v4::keep(&mut body, text);

    let mut reply = ReplyLayer { key, sealed: None };
    let next = parse_inner(body, hop_no, &mut reply.sealed)?;
    Ok(Peeled {
        tag,
        hop_no,
        next,
        reply,
    })
}

fn parse_inner(
    mut body: Vec<u8>,
    hop_no: u8,
    sealed: &mut Option<usize>,
) -> Result<RelayInstruction, PeelError> {
    let Ok(parts) = envelope::split(&body, 0..body.len()) else {
        return Ok(RelayInstruction::InvalidJson);
    };
    let json = body.get(parts.json.clone()).unwrap_or_default();
    let Ok(members) = Members::read(json) else {
        return Ok(RelayInstruction::InvalidJson);
    };
    // First: it decides how an instruction that is refused below is answered, and which number is the highest.
    if let Some(len) = &members.sealed {
        match len
            .as_u64()
            .and_then(|len| usize::try_from(len).ok())
            .filter(|len| (MIN_SEALED..=MAX_SEALED).contains(len))
        {
            Some(len) => *sealed = Some(len),
            None => return Ok(RelayInstruction::InvalidJson),
        }
    }
    let highest = match sealed {
        Some(_) => MAX_SEALED_HOP_NO,
        None => MAX_HOP_NO,
    };
    if hop_no > highest {
        return Err(PeelError::PathTooLong);
    }
    if members.headers.is_some() {
        return Ok(RelayInstruction::Destination);
    }
    if let Some(host) = &members.host {
        return Ok(match proxy(host, &members) {
            Some(proxy) => RelayInstruction::Proxy(ServerTarget { body, ..proxy }),
            None => RelayInstruction::InvalidJson,
        });
    }
    let Some((to, ephemeral, cipher)) = forward(&members) else {
        return Ok(RelayInstruction::InvalidJson);
    };
    let raised = hop_no
        .checked_add(1)
        .filter(|number| *number <= highest)
        .ok_or(PeelError::PathTooLong)?;
    // In place: what the next relay reads follows the same ciphertext, of up to 10 MB.
    body.truncate(parts.json.start);
    body.extend_from_slice(&LayerJson::new(&ephemeral, cipher, Some(raised)).to_bytes());
    Ok(RelayInstruction::Forward { to, body })
}

fn forward(members: &Members<'_>) -> Option<(Ed25519Public, X25519Public, HopCipher)> {
    let to = Ed25519Public::from_any_hex(members.destination.as_ref()?.as_str()?).ok()?;
    let ephemeral = X25519Public::from_any_hex(members.ephemeral_key.as_ref()?.as_str()?).ok()?;
    let cipher = match &members.enc_type {
        None => HopCipher::AesGcm,
        Some(name) => HopCipher::from_wire_name(Some(name.as_str()?))?,
    };
    Some((to, ephemeral, cipher))
}

/// The server that the members name, without the body for it.
fn proxy(host: &Scalar<'_>, members: &Members<'_>) -> Option<ServerTarget> {
    let text = |member: &Option<Scalar<'_>>, default: &str| match member {
        None => Some(default.to_owned()),
        Some(value) => value.as_str().map(str::to_owned),
    };
    let port = match &members.port {
        None => 443,
        Some(port) => u16::try_from(port.as_u64()?).ok()?,
    };
    Some(ServerTarget {
        host: host.as_str()?.to_owned(),
        port,
        protocol: text(&members.protocol, "https")?,
        target: members.target.as_ref()?.as_str()?.to_owned(),
        method: text(&members.method, "POST")?,
        body: Vec::new(),
    })
}

/// The way back through one relay.
pub struct ReplyLayer {
    key: HopKey,
    /// Bytes of a failure, when the sender asked for a sealed return.
    sealed: Option<usize>,
}

impl ReplyLayer {
    /// What goes back for the next party's answer: sealed when the sender asked for it, else untouched.
    #[must_use]
    pub fn answer(&self, mut answer: Vec<u8>, rng: &mut impl CryptoRng) -> Vec<u8> {
        if self.sealed.is_none() {
            return answer;
        }
        // Moved up where it lies: 10 MB must not be held twice.
        let (len, front) = (answer.len(), self.key.cipher().nonce_len() + 1);
        let total = len + 1 + self.key.cipher().overhead();
        answer.reserve_exact(total - len);
        answer.resize(total, 0);
        answer.copy_within(..len, front);
        if let Some(front) = answer.get_mut(..front) {
            front.fill(0);
        }
        self.key.seal_in_place(&mut answer, rng);
        answer
    }

    /// HTTP status and body that say this relay, or the one behind it, failed.
    #[must_use]
    pub fn failure(&self, status: u16, text: &str, rng: &mut impl CryptoRng) -> (u16, Vec<u8>) {
        let Some(len) = self.sealed else {
            return (status, text.as_bytes().to_vec());
        };
        let nonce_len = self.key.cipher().nonce_len();
        let mut out = vec![0; nonce_len];
        out.push(1);
        out.extend_from_slice(&status.to_le_bytes());
        out.extend(text.bytes().take(len.saturating_sub(3)));
        out.resize(len + self.key.cipher().overhead(), 0);
        self.key.seal_in_place(&mut out, rng);
        (200, out)
    }

    /// HTTP status and body for a layer that opened but cannot be followed: `Invalid json` or `Invalid url`.
    ///
    /// A sender who did not ask for a sealed return gets what Session's relays send: base64 of an encrypted
    /// `{"status":400,"body":…}`.
    #[must_use]
    pub(crate) fn invalid(&self, text: &str, rng: &mut impl CryptoRng) -> (u16, Vec<u8>) {
        use base64ct::{Base64, Encoding as _};

        if self.sealed.is_some() {
            return self.failure(400, text, rng);
        }
        let json = serde_json::json!({ "status": 400, "body": text }).to_string();
        let nonce_len = self.key.cipher().nonce_len();
        let mut out = vec![0; nonce_len];
        out.extend_from_slice(json.as_bytes());
        out.resize(json.len() + self.key.cipher().overhead(), 0);
        self.key.seal_in_place(&mut out, rng);
        (200, Base64::encode_string(&out).into_bytes())
    }

    #[cfg(test)]
    pub(super) const fn with_key(key: HopKey, sealed: Option<usize>) -> Self {
        Self { key, sealed }
    }

    #[cfg(test)]
    pub(super) fn key_bytes(&self) -> &[u8; 32] {
        self.key.bytes()
    }

    /// Whether the sender asked for a sealed return.
    #[must_use]
    pub const fn is_sealed(&self) -> bool {
        self.sealed.is_some()
    }
}

/// A failure holds at least kind, status and the longest text that clients act on.
const MIN_SEALED: usize = 128;
/// A layer must not make a relay send much more than a small answer.
const MAX_SEALED: usize = 4_096;
