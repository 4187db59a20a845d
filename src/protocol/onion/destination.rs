//! The server at the end of a path: opens the innermost layer and seals the answer.

use rand_core::CryptoRng;
use thiserror::Error;

use super::envelope::{self, LayerJson};
use super::hop_cipher::HopKey;
use super::replay::ReplayTag;
use super::v4::{self, FillError, Headers, RequestHead, Response};
use crate::protocol::keys::X25519Secret;

/// A request as the server reads it.
pub struct OpenedRequest {
    /// What the replay memory knows this request by.
    pub tag: ReplayTag,
    /// Which of the server's keys it was sealed to.
    pub key: usize,
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
    body: Vec<u8>,
) -> Result<OpenedRequest, OpenRequestError> {
    open_request_by(&[secret], body)
}

/// Opens `body` with the first of `secrets` that it opens with.
///
/// # Errors
/// [`OpenRequestError`] when it is no envelope or was sealed to none of them.
pub fn open_request_by(
    secrets: &[&X25519Secret],
    mut body: Vec<u8>,
) -> Result<OpenedRequest, OpenRequestError> {
    let parts = envelope::split(&body, 0..body.len()).map_err(|_why| OpenRequestError)?;
    let layer = LayerJson::parse(body.get(parts.json).unwrap_or_default())
        .map_err(|_why| OpenRequestError)?;
    for (index, secret) in secrets.iter().enumerate() {
        let shared = secret
            .agree(&layer.ephemeral)
            .map_err(|_weak| OpenRequestError)?;
        let key = HopKey::derive(layer.cipher, &shared, &layer.ephemeral, &secret.public());
        // A key that does not fit leaves the bytes as they are: both ciphers authenticate before they decrypt.
        let Ok(text) = key.open_in_place(&mut body, parts.ciphertext.clone()) else {
            continue;
        };
        return Ok(OpenedRequest {
            tag: ReplayTag::of(&layer.ephemeral),
            key: index,
            request: v4::decode_request(body, text).ok(),
            reply: ServerReply { key },
        });
    }
    Err(OpenRequestError)
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

    /// Begins the answer that carries a blob of `blob_len` bytes, in one buffer of its final length: the caller appends
    /// the blob and gives the buffer to [`Self::seal_blob`].
    ///
    /// # Errors
    /// [`FillError`] when the headers are too long.
    pub(crate) fn begin_blob(
        &self,
        headers: &Headers,
        blob_len: usize,
    ) -> Result<Vec<u8>, FillError> {
        let cipher = self.key.cipher();
        v4::begin_blob_answer(headers, blob_len, cipher.nonce_len(), cipher.overhead())
    }

    /// Ends and seals what [`Self::begin_blob`] began.
    #[must_use]
    pub(crate) fn seal_blob(&self, mut begun: Vec<u8>, rng: &mut impl CryptoRng) -> Vec<u8> {
        let cipher = self.key.cipher();
        begun.extend_from_slice(v4::END);
        begun.resize(begun.len() + cipher.overhead() - cipher.nonce_len(), 0);
        self.key.seal_in_place(&mut begun, rng);
        begun
    }
}
