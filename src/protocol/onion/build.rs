//! The client's way out: a request in its layers, built in place in one buffer.
//!
//! What is posted to a guard is exactly `B + 2,560` bytes, `B` the blob of an upload and 0 for everything else.
//! The spaces that make it so stand inside the innermost layer, computed for the path at hand, so that neither the
//! length of a host name nor optional headers show outside.

use rand_core::CryptoRng;
use serde::Serialize;
use thiserror::Error;

use super::envelope::{LEN_LEN, LayerJson};
use super::hop_cipher::{HopCipher, HopKey};
use super::reply::{Hop, ReplyKeys};
use super::v4::{self, ANSWER_LEN, RequestHead};
use super::{MAX_HOP_NO, REQUEST_OVERHEAD, SERVER_ENDPOINT};
use crate::protocol::address::ServerAddress;
use crate::protocol::keys::{Ed25519Public, WeakKey, X25519Public, X25519Secret};

/// Which way a request goes.
#[derive(Clone, Copy)]
pub struct OnionRoute<'a> {
    /// The relays from guard to last; none means straight to the server, which then sees the client's address.
    pub relays: &'a [Ed25519Public],
    /// Server at which the request ends.
    pub server: &'a ServerAddress,
    /// The cipher of every layer.
    pub cipher: HopCipher,
    /// Whether the relays are asked to seal what they send back.
    pub sealed_return: bool,
}

/// A request ready to be posted, and the keys that open its answer.
pub struct Built {
    /// What is posted: to the guard's `/onion_req/v2`, or without relays to the server's `/oxen/v4/lsrpc`.
    pub body: Vec<u8>,
    /// Opens the answer.
    pub reply: ReplyKeys,
    /// Bytes of the request on each link, first the one that is posted, last the one the server gets.
    pub link_lengths: Vec<usize>,
}

/// Why a request could not be built.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum BuildError {
    /// Host name and headers leave no room under the constant length.
    #[error("the request's headers do not fit its constant length")]
    TooLong,
    /// A relay's or the server's key is of small order.
    #[error("a key on the path is weak")]
    WeakKey,
}

impl From<WeakKey> for BuildError {
    fn from(_: WeakKey) -> Self {
        Self::WeakKey
    }
}

#[derive(Serialize)]
struct ForwardJson<'a> {
    destination: String,
    ephemeral_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    enc_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sealed: Option<usize>,
}

#[derive(Serialize)]
struct ProxyJson<'a> {
    host: &'a str,
    port: u16,
    protocol: &'a str,
    target: &'a str,
    method: &'a str,
    ephemeral_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    enc_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sealed: Option<usize>,
}

/// Builds a request: a fresh X25519 key for every layer, one buffer, each layer sealed where it lies.
///
/// # Errors
/// [`BuildError`] when the headers do not fit or a key is weak.
pub fn build(
    route: &OnionRoute<'_>,
    head: &RequestHead,
    body: &[u8],
    rng: &mut impl CryptoRng,
) -> Result<Built, BuildError> {
    build_in(Vec::new(), route, head, body, rng)
}

/// Builds a request as [`build`] does, in the memory of `buffer`, whose content is replaced.
///
/// # Errors
/// As [`build`].
pub(crate) fn build_in(
    mut buffer: Vec<u8>,
    route: &OnionRoute<'_>,
    head: &RequestHead,
    body: &[u8],
    rng: &mut impl CryptoRng,
) -> Result<Built, BuildError> {
    let cipher = route.cipher;
    let mut parties: Vec<X25519Public> =
        route.relays.iter().map(Ed25519Public::to_x25519).collect();
    parties.push(route.server.key.to_x25519());

    let mut ephemerals = Vec::with_capacity(parties.len());
    let mut keys = Vec::with_capacity(parties.len());
    for party in &parties {
        let secret = X25519Secret::generate(rng);
        let public = secret.public();
        keys.push(HopKey::derive(
            cipher,
            &secret.agree(party)?,
            &public,
            party,
        ));
        ephemerals.push(public);
    }

    let hop_no = first_hop_no(rng);
    let jsons = layer_jsons(route, &ephemerals, hop_no);
    // What stands in the innermost layer makes up for longer or shorter layers around it: the guard gets the same length
    // whatever the path (see the module), and only the server can see by how much.
    let front = LEN_LEN + cipher.nonce_len();
    let around: usize = jsons
        .iter()
        .map(|json| json.len() + LEN_LEN + cipher.overhead())
        .sum();
    let total = body.len() + REQUEST_OVERHEAD;
    let inner = total.checked_sub(around).ok_or(BuildError::TooLong)?;
    let framed = v4::frame_request(head, body.len(), inner).map_err(|_full| BuildError::TooLong)?;

    // Length and nonce of every layer stand at the front, outermost first: with room for them, each layer is sealed where
    // it lies, and a body of 10 MB is copied once.
    buffer.clear();
    buffer.reserve_exact(total);
    buffer.resize(front * parties.len(), 0);
    buffer.extend_from_slice(&framed.before);
    buffer.extend_from_slice(body);
    buffer.extend_from_slice(framed.after);

    let mut link_lengths = Vec::with_capacity(parties.len());
    // From the innermost layer to the outermost.
    let mut answer_keys = Vec::with_capacity(parties.len());
    // The innermost first: a layer covers all that is inside it.
    for (layer, (key, json)) in keys.into_iter().zip(&jsons).enumerate().rev() {
        let start = front * layer;
        buffer.resize(buffer.len() + cipher.overhead() - cipher.nonce_len(), 0);
        let ciphertext_len = buffer.len() - start - LEN_LEN;
        let region = buffer.get_mut(start + LEN_LEN..).unwrap_or_default();
        answer_keys.push(key.seal_request(region, rng));
        let len = u32::try_from(ciphertext_len).map_err(|_big| BuildError::TooLong)?;
        if let Some(field) = buffer.get_mut(start..start + LEN_LEN) {
            field.copy_from_slice(&len.to_le_bytes());
        }
        link_lengths.push(
            LEN_LEN + ciphertext_len + onward_json_len(route, &ephemerals, layer, hop_no, json),
        );
        buffer.extend_from_slice(json);
    }
    link_lengths.reverse();
    debug_assert_eq!(buffer.len(), total);

    let mut answer_keys = answer_keys.into_iter();
    // The first that was sealed is the server's; then come the relays from the last to the guard.
    let server_key = answer_keys.next().ok_or(BuildError::WeakKey)?;
    let hops = route
        .relays
        .iter()
        .zip(answer_keys.rev())
        .map(|(relay, key)| Hop { relay: *relay, key })
        .collect();
    Ok(Built {
        body: buffer,
        reply: ReplyKeys::new(hops, server_key, route.sealed_return),
        link_lengths,
    })
}

/// The JSON behind each layer's ciphertext, from the outside in.
fn layer_jsons(route: &OnionRoute<'_>, ephemerals: &[X25519Public], hop_no: u8) -> Vec<Vec<u8>> {
    let cipher = route.cipher;
    let count = route.relays.len();
    let mut jsons = Vec::with_capacity(ephemerals.len());
    for (layer, ephemeral) in ephemerals.iter().enumerate() {
        // The JSON behind layer `layer` is what the party of layer `layer - 1` reads.
        let reader_is_relay = layer > 0;
        let sealed =
            (reader_is_relay && route.sealed_return).then(|| failure_len(cipher, count - layer));
        let json = match route.relays.get(layer) {
            Some(_) if !reader_is_relay => {
                LayerJson::new(ephemeral, cipher, Some(hop_no)).to_bytes()
            }
            Some(next) => to_json(&ForwardJson {
                destination: next.to_hex(),
                ephemeral_key: ephemeral.to_hex(),
                enc_type: cipher.wire_name(),
                sealed,
            }),
            None => to_json(&ProxyJson {
                host: route.server.url.host(),
                port: route.server.url.port(),
                protocol: if route.server.url.is_https() {
                    "https"
                } else {
                    "http"
                },
                target: SERVER_ENDPOINT,
                method: "POST",
                ephemeral_key: ephemeral.to_hex(),
                enc_type: cipher.wire_name(),
                sealed,
            }),
        };
        jsons.push(json);
    }
    jsons
}

/// A relay that forwards writes the outer JSON of the next link itself; the last one passes the server's through.
fn onward_json_len(
    route: &OnionRoute<'_>,
    ephemerals: &[X25519Public],
    layer: usize,
    hop_no: u8,
    written: &[u8],
) -> usize {
    match (ephemerals.get(layer), u8::try_from(layer)) {
        (Some(ephemeral), Ok(step)) if layer > 0 && layer < route.relays.len() => {
            LayerJson::new(ephemeral, route.cipher, Some(hop_no + step))
                .to_bytes()
                .len()
        }
        _ => written.len(),
    }
}

/// Bytes, before sealing, of a failure made `behind` relays before the last one: as long as a small answer there.
const fn failure_len(cipher: HopCipher, behind: usize) -> usize {
    ANSWER_LEN + cipher.overhead() + 1 + behind * (cipher.overhead() + 1)
}

/// A start between 0 and 5 hides a relay's place on the path.
fn first_hop_no(rng: &mut impl CryptoRng) -> u8 {
    const STARTS: u32 = 6;
    const { assert!(STARTS <= MAX_HOP_NO as u32) };
    // The bias of a remainder over 2^32 values is of no use to anybody.
    u8::try_from(rng.next_u32() % STARTS).unwrap_or(0)
}

fn to_json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("plain fields serialise")
}
