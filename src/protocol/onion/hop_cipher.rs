//! The two ciphers of an onion layer, and the key each derives from an X25519 agreement.
//!
//! | name | key | layout |
//! |---|---|---|
//! | `aes-gcm` | HMAC-SHA256(key = "LOKI", S) | nonce(12) ‖ ciphertext ‖ tag(16) |
//! | `xchacha20` | BLAKE2b-256(S ‖ client public ‖ server public) | nonce(24) ‖ ciphertext ‖ tag(16) |
//!
//! S is the raw X25519 result. "Client" is the sender of the request in both directions: an answer uses the same key
//! with a fresh nonce.

use core::ops::Range;

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{AeadInOut, KeyInit as _, Nonce, Tag, inout::InOutBuf};
use blake2::digest::consts::U32;
use blake2::{Blake2b, Digest as _};
use chacha20poly1305::XChaCha20Poly1305;
use hmac::{Hmac, Mac as _};
use rand_core::CryptoRng;
use sha2::Sha256;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::protocol::keys::{SharedSecret, X25519Public};

/// A cipher of one onion layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HopCipher {
    /// AES-256-GCM; what an absent `enc_type` means.
    AesGcm,
    /// XChaCha20-Poly1305.
    XChaCha20,
}

impl HopCipher {
    /// Bytes a ciphertext has more than its plaintext.
    #[must_use]
    pub const fn overhead(self) -> usize {
        self.nonce_len() + TAG_LEN
    }

    /// Bytes of the nonce in front of the ciphertext.
    #[must_use]
    pub const fn nonce_len(self) -> usize {
        match self {
            Self::AesGcm => 12,
            Self::XChaCha20 => MAX_NONCE_LEN,
        }
    }

    /// The value of `enc_type` this cipher is sent with; `aes-gcm` is sent without the key, as most clients do.
    #[must_use]
    pub const fn wire_name(self) -> Option<&'static str> {
        match self {
            Self::AesGcm => None,
            Self::XChaCha20 => Some("xchacha20"),
        }
    }

    /// The cipher an `enc_type` names; absent means `aes-gcm`.
    #[must_use]
    pub(crate) fn from_wire_name(name: Option<&str>) -> Option<Self> {
        match name {
            None | Some("aes-gcm" | "gcm") => Some(Self::AesGcm),
            Some("xchacha20" | "xchacha20-poly1305") => Some(Self::XChaCha20),
            Some(_) => None,
        }
    }
}

/// A ciphertext did not open: wrong key, or changed on the way. There is no more to know.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("a layer could not be opened")]
pub struct HopOpenError;

/// The key of one layer, used for the request on its way out and the answer on its way back. The sender of a request
/// turns it into an [`AnswerKey`] by sealing.
pub struct HopKey {
    cipher: HopCipher,
    key: Zeroizing<[u8; 32]>,
}

impl HopKey {
    /// Derives the key of a layer between `client` (whoever sent the request) and `server` (whoever opens it).
    #[must_use]
    pub fn derive(
        cipher: HopCipher,
        shared: &SharedSecret,
        client: &X25519Public,
        server: &X25519Public,
    ) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        match cipher {
            HopCipher::AesGcm => {
                let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(b"LOKI")
                    .expect("HMAC takes a key of any length");
                mac.update(shared.as_bytes());
                key.copy_from_slice(&mac.finalize().into_bytes());
            }
            HopCipher::XChaCha20 => {
                let mut hash = Blake2b::<U32>::new();
                hash.update(shared.as_bytes());
                hash.update(client.as_bytes());
                hash.update(server.as_bytes());
                key.copy_from_slice(&hash.finalize());
            }
        }
        Self { cipher, key }
    }

    /// The cipher this key is for.
    #[must_use]
    pub const fn cipher(&self) -> HopCipher {
        self.cipher
    }

    /// Seals where the bytes lie: `region` is nonce space ‖ plaintext ‖ tag space.
    ///
    /// # Panics
    /// When `region` is shorter than [`HopCipher::overhead`]: the caller lays it out.
    pub fn seal_in_place(&self, region: &mut [u8], rng: &mut impl CryptoRng) {
        let overhead = self.cipher.overhead();
        assert!(
            region.len() >= overhead,
            "a region has room for nonce and tag"
        );
        let text_end = region.len() - TAG_LEN;
        let (nonce, rest) = region.split_at_mut(self.cipher.nonce_len());
        let (text, tag) = rest.split_at_mut(text_end - nonce.len());
        rng.fill_bytes(nonce);
        match self.cipher {
            HopCipher::AesGcm => seal_with(&Aes256Gcm::new((&*self.key).into()), nonce, text, tag),
            HopCipher::XChaCha20 => seal_with(
                &XChaCha20Poly1305::new((&*self.key).into()),
                nonce,
                text,
                tag,
            ),
        }
    }

    /// Seals a request as [`Self::seal_in_place`] does, and becomes the key that opens its answer.
    ///
    /// # Panics
    /// When `region` is shorter than [`HopCipher::overhead`]: the caller lays it out.
    #[expect(
        clippy::indexing_slicing,
        reason = "sealing has just written a nonce of this length at the beginning of the region"
    )]
    pub(crate) fn seal_request(self, region: &mut [u8], rng: &mut impl CryptoRng) -> AnswerKey {
        self.seal_in_place(region, rng);
        let mut sent = [0; MAX_NONCE_LEN];
        let len = self.cipher.nonce_len();
        sent[..len].copy_from_slice(&region[..len]);
        AnswerKey { key: self, sent }
    }

    /// Opens nonce ‖ ciphertext ‖ tag where it lies, at `range` of `buffer`; the plaintext's range comes back.
    ///
    /// # Errors
    /// [`HopOpenError`] when the range is too short or does not authenticate; the bytes stay as they were then.
    pub fn open_in_place(
        &self,
        buffer: &mut [u8],
        range: Range<usize>,
    ) -> Result<Range<usize>, HopOpenError> {
        let start = range.start;
        let region = buffer.get_mut(range).ok_or(HopOpenError)?;
        let text_len = region
            .len()
            .checked_sub(self.cipher.overhead())
            .ok_or(HopOpenError)?;
        let (nonce, rest) = region.split_at_mut(self.cipher.nonce_len());
        let (text, tag) = rest.split_at_mut(text_len);
        match self.cipher {
            HopCipher::AesGcm => open_with(&Aes256Gcm::new((&*self.key).into()), nonce, text, tag)?,
            HopCipher::XChaCha20 => open_with(
                &XChaCha20Poly1305::new((&*self.key).into()),
                nonce,
                text,
                tag,
            )?,
        }
        let first = start + self.cipher.nonce_len();
        Ok(first..first + text_len)
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.key
    }

    #[cfg(test)]
    pub(super) fn from_bytes(cipher: HopCipher, key: [u8; 32]) -> Self {
        Self {
            cipher,
            key: Zeroizing::new(key),
        }
    }
}

/// The key of one layer at the sender of its request: opens what the other side made, and nothing else.
///
/// A layer has one key for both directions, so the request itself opens with it too, and whoever carries it could send it
/// back for an answer. It is known by its nonce.
pub(crate) struct AnswerKey {
    key: HopKey,
    /// The nonce of the request, with zeros behind it.
    sent: [u8; MAX_NONCE_LEN],
}

impl AnswerKey {
    /// Opens nonce ‖ ciphertext ‖ tag as [`HopKey::open_in_place`] does, unless it has the nonce of the request.
    ///
    /// # Errors
    /// [`HopOpenError`]; the bytes stay as they were then.
    pub(crate) fn open_in_place(
        &self,
        buffer: &mut [u8],
        range: Range<usize>,
    ) -> Result<Range<usize>, HopOpenError> {
        let len = self.key.cipher.nonce_len();
        let nonce = buffer
            .get(range.clone())
            .and_then(|region| region.get(..len));
        if nonce == self.sent.get(..len) {
            return Err(HopOpenError);
        }
        self.key.open_in_place(buffer, range)
    }

    #[cfg(test)]
    pub(super) fn with_sent(key: HopKey, nonce: &[u8]) -> Self {
        let mut sent = [0; MAX_NONCE_LEN];
        sent[..nonce.len()].copy_from_slice(nonce);
        Self { key, sent }
    }
}

fn seal_with<A: AeadInOut>(aead: &A, nonce: &[u8], text: &mut [u8], tag: &mut [u8]) {
    let nonce = <&Nonce<A>>::try_from(nonce).expect("the nonce was cut to the cipher's length");
    let made = aead
        .encrypt_inout_detached(nonce, b"", InOutBuf::from(text))
        .expect("a layer is far under the ciphers' limit");
    tag.copy_from_slice(&made);
}

fn open_with<A: AeadInOut>(
    aead: &A,
    nonce: &[u8],
    text: &mut [u8],
    tag: &[u8],
) -> Result<(), HopOpenError> {
    let nonce = <&Nonce<A>>::try_from(nonce).expect("the nonce was cut to the cipher's length");
    let tag = <&Tag<A>>::try_from(tag).expect("the tag was cut to the cipher's length");
    aead.decrypt_inout_detached(nonce, b"", InOutBuf::from(text), tag)
        .map_err(|_opaque| HopOpenError)
}

const TAG_LEN: usize = 16;
const MAX_NONCE_LEN: usize = 24;
