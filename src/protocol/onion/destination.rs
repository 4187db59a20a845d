//! The server at the end of a path: opens the innermost layer and seals the answer.

use rand_core::CryptoRng;
use thiserror::Error;

use super::envelope::{self, LayerJson};
use super::hop_cipher::HopKey;
use super::replay::ReplayTag;
use super::v4::{self, FillError, RequestHead, Response};
use crate::protocol::keys::X25519Secret;

/// A request as the server reads it.
pub struct OpenedRequest {
    /// What the replay memory knows this request by.
    pub tag: ReplayTag,
    /// Head and body; `None` when what was sealed to this server is no v4 request (answered, sealed, with 400).
    pub request: Option<(RequestHead, Vec<u8>)>,
    /// Seals the answer.
    pub reply: ServerReply,
}

/// Nothing in the body opens with this server's key: answered with a plain 400.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("not sealed to this server")]
pub struct OpenRequestError;

/// The key of one answer.
pub struct ServerReply {
    key: HopKey,
}

/// Opens `body`, the whole plaintext of the last relay's layer: `[N][ciphertext]{…"ephemeral_key", "enc_type"…}`.
///
/// # Errors
/// [`OpenRequestError`] when it is no envelope or was sealed to another key.
pub fn open_request(
    secret: &X25519Secret,
    mut body: Vec<u8>,
) -> Result<OpenedRequest, OpenRequestError> {
    let parts = envelope::split(&body, 0..body.len()).map_err(|_why| OpenRequestError)?;
    let layer = LayerJson::parse(body.get(parts.json).unwrap_or_default())
        .map_err(|_why| OpenRequestError)?;
    let shared = secret
        .agree(&layer.ephemeral)
        .map_err(|_weak| OpenRequestError)?;
    let key = HopKey::derive(layer.cipher, &shared, &layer.ephemeral, &secret.public());
    let text = key
        .open_in_place(&mut body, parts.ciphertext)
        .map_err(|_opaque| OpenRequestError)?;
    Ok(OpenedRequest {
        tag: ReplayTag::of(&layer.ephemeral),
        request: v4::decode_request(body, text).ok(),
        reply: ServerReply { key },
    })
}

impl ServerReply {
    #[cfg(test)]
    pub(super) fn key_bytes(&self) -> &[u8; 32] {
        self.key.bytes()
    }

    /// Brings an answer to its constant length and seals it: what the server sends with HTTP status 200.
    ///
    /// # Errors
    /// [`FillError`] when the answer is JSON of more than a class-0 blob.
    pub fn seal(
        &self,
        response: Response,
        is_blob: bool,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<u8>, FillError> {
        let cipher = self.key.cipher();
        let tag_len = cipher.overhead() - cipher.nonce_len();
        let mut out = v4::encode_answer(response, is_blob, cipher.nonce_len(), tag_len)?;
        self.key.seal_in_place(&mut out, rng);
        Ok(out)
    }
}
