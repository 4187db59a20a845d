//! `[N: u32 LE][N bytes][UTF-8 JSON to the end]`: the shape of every layer.

use core::ops::Range;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::hop_cipher::HopCipher;
use crate::protocol::bytes::Reader;
use crate::protocol::keys::X25519Public;

/// Bytes of the length in front.
pub(super) const LEN_LEN: usize = 4;

/// Why bytes are not an envelope. The text is what relays have always answered behind "Error parsing onion request: ".
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum EnvelopeError {
    /// The JSON is not an object of the expected keys.
    #[error("invalid json")]
    Json,
    /// The key of the layer is not 64 hex digits.
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

/// What the outermost JSON of a body says: how its ciphertext opens.
#[derive(Serialize, Deserialize)]
pub(super) struct LayerJson {
    ephemeral_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    enc_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hop_no: Option<i64>,
}

impl LayerJson {
    pub(super) fn new(ephemeral: &X25519Public, cipher: HopCipher, hop_no: Option<u8>) -> Self {
        Self {
            ephemeral_key: ephemeral.to_hex(),
            enc_type: cipher.wire_name().map(str::to_owned),
            hop_no: hop_no.map(i64::from),
        }
    }

    pub(super) fn parse(json: &[u8]) -> Result<Layer, EnvelopeError> {
        let raw: Self = serde_json::from_slice(json).map_err(|_why| EnvelopeError::Json)?;
        Ok(Layer {
            ephemeral: X25519Public::from_hex(&raw.ephemeral_key)
                .map_err(|_why| EnvelopeError::Key)?,
            cipher: HopCipher::from_wire_name(raw.enc_type.as_deref())
                .ok_or(EnvelopeError::UnknownCipher)?,
            hop_no: raw.hop_no.unwrap_or(0).max(0),
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
