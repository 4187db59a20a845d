//! `[N: u32 LE][N bytes][UTF-8 JSON to the end]`: the shape of every layer.

use core::ops::Range;

use serde::Serialize;
use thiserror::Error;

use super::hop_cipher::HopCipher;
use crate::protocol::bytes::Reader;
use crate::protocol::json::{self, JsonError, Scalar, TextLimits};
use crate::protocol::keys::X25519Public;

/// The most bytes of JSON that a layer may have; the longest that is of use has less than 1,024.
pub const MAX_LAYER_JSON_LEN: usize = 4_096;

/// Bytes of the length in front.
pub(super) const LEN_LEN: usize = 4;

/// Why bytes are not an envelope. The text is what relays have always answered behind "Error parsing onion request: ".
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum EnvelopeError {
    /// The JSON is not an object of the expected keys.
    #[error("invalid json")]
    Json,
    /// The key of the layer is not 64 hex digits, or not in its canonical encoding.
    #[error("invalid ephemeral_key")]
    Key,
    /// Shorter than its own length says.
    #[error("truncated")]
    Truncated,
    /// `enc_type` names a cipher this program does not have.
    #[error("unknown enc_type")]
    UnknownCipher,
}

/// Where the parts of an envelope lie in its buffer.
pub(super) struct Parts {
    pub(super) ciphertext: Range<usize>,
    pub(super) json: Range<usize>,
}

/// Finds the parts of the envelope at `range` of `buffer`.
pub(super) fn split(buffer: &[u8], range: Range<usize>) -> Result<Parts, EnvelopeError> {
    let bytes = buffer.get(range.clone()).ok_or(EnvelopeError::Truncated)?;
    let mut reader = Reader::new(bytes);
    let len = reader.u32_le().map_err(|_short| EnvelopeError::Truncated)?;
    let len = usize::try_from(len).map_err(|_big| EnvelopeError::Truncated)?;
    reader
        .take(len)
        .map_err(|_short| EnvelopeError::Truncated)?;
    let start = range.start + LEN_LEN;
    Ok(Parts {
        ciphertext: start..start + len,
        json: start + len..range.end,
    })
}

/// The members of a layer's JSON that relays and servers know, as they stand there. Of a repeated one the last counts.
#[derive(Default)]
pub(super) struct Members<'a> {
    pub(super) destination: Option<Scalar<'a>>,
    pub(super) enc_type: Option<Scalar<'a>>,
    pub(super) ephemeral_key: Option<Scalar<'a>>,
    pub(super) headers: Option<Scalar<'a>>,
    pub(super) hop_no: Option<Scalar<'a>>,
    pub(super) host: Option<Scalar<'a>>,
    pub(super) method: Option<Scalar<'a>>,
    pub(super) port: Option<Scalar<'a>>,
    pub(super) protocol: Option<Scalar<'a>>,
    pub(super) sealed: Option<Scalar<'a>>,
    pub(super) target: Option<Scalar<'a>>,
}

impl<'a> Members<'a> {
    pub(super) fn read(json: &'a [u8]) -> Result<Self, JsonError> {
        let mut read = Self::default();
        let limits = TextLimits::of(MAX_LAYER_JSON_LEN);
        json::members(json, limits, |name, value| {
            let member = match name {
                "destination" => &mut read.destination,
                "enc_type" => &mut read.enc_type,
                "ephemeral_key" => &mut read.ephemeral_key,
                "headers" => &mut read.headers,
                "hop_no" => &mut read.hop_no,
                "host" => &mut read.host,
                "method" => &mut read.method,
                "port" => &mut read.port,
                "protocol" => &mut read.protocol,
                "sealed" => &mut read.sealed,
                "target" => &mut read.target,
                _ => return,
            };
            *member = Some(value);
        })?;
        Ok(read)
    }
}

/// The outermost JSON of a body: how its ciphertext opens.
#[derive(Serialize)]
pub(super) struct LayerJson {
    ephemeral_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    enc_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hop_no: Option<u8>,
}

impl LayerJson {
    pub(super) fn new(ephemeral: &X25519Public, cipher: HopCipher, hop_no: Option<u8>) -> Self {
        Self {
            ephemeral_key: ephemeral.to_hex(),
            enc_type: cipher.wire_name(),
            hop_no,
        }
    }

    pub(super) fn parse(json: &[u8]) -> Result<Layer, EnvelopeError> {
        let members = Members::read(json).map_err(|_why| EnvelopeError::Json)?;
        let ephemeral = members.ephemeral_key.as_ref().and_then(Scalar::as_str);
        let cipher = match &members.enc_type {
            None | Some(Scalar::Null) => None,
            Some(name) => Some(name.as_str().ok_or(EnvelopeError::Json)?),
        };
        let hop_no = match &members.hop_no {
            None | Some(Scalar::Null) => 0,
            Some(number) => number.as_i64().ok_or(EnvelopeError::Json)?,
        };
        Ok(Layer {
            ephemeral: X25519Public::from_any_hex(ephemeral.ok_or(EnvelopeError::Json)?)
                .map_err(|_why| EnvelopeError::Key)?,
            cipher: HopCipher::from_wire_name(cipher).ok_or(EnvelopeError::UnknownCipher)?,
            hop_no: hop_no.max(0),
        })
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("three plain fields serialise")
    }
}

/// How a layer opens, parsed.
pub(super) struct Layer {
    pub(super) ephemeral: X25519Public,
    pub(super) cipher: HopCipher,
    /// At least 0; not yet checked against the limit.
    pub(super) hop_no: i64,
}
