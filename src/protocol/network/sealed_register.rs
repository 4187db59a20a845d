//! How the servers of one network hand their registers to each other through a bucket: sealed, so that whoever keeps the bucket
//! learns no join word and can add no relay, and under a name that follows from the content.
//!
//! ```text
//! hash  = HMAC-SHA256(key of the seal, register)            the name of the object: 64 hexadecimal digits
//! bytes = XChaCha20-Poly1305(key of the seal, first 24 bytes of hash, register; "cloakroom register v1")
//! ```
//!
//! The nonce follows from key and content (a synthetic initialisation vector), so that two servers that say the same write the
//! same object, and different content never has the same nonce. The key of the seal follows from the server's identity, which
//! all servers of a bucket share.

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use data_encoding::HEXLOWER;
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use super::register::{NetworkRules, RelayRegister};
use super::stored::StoredRegisterError;
use crate::protocol::keys::Identity;

/// Seals the registers of one server's network, and opens them.
#[derive(ZeroizeOnDrop)]
pub struct RegisterSeal([u8; 32]);

/// A register as it lies in a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedRegister {
    /// Name of the object, 64 hexadecimal digits: registers that say the same have the same.
    pub name: String,
    /// Content of the object.
    pub bytes: Vec<u8>,
}

impl RegisterSeal {
    /// The seal of all servers with this identity.
    #[must_use]
    pub fn of(server: &Identity) -> Self {
        let mut key = [0; 32];
        Hkdf::<Sha256>::new(None, &*server.seed())
            .expand(b"cloakroom register seal v1", &mut key)
            .expect("32 bytes are within the limit of HKDF-SHA256");
        Self(key)
    }

    /// Seals what concerns all servers of the network.
    ///
    /// # Panics
    /// Never: a register is shorter than what the cipher takes.
    #[must_use]
    pub fn seal(&self, register: &RelayRegister) -> SealedRegister {
        let content = register.to_shared_bytes();
        let hash = self.hash(&content);
        let payload = Payload {
            msg: &content,
            aad: AAD,
        };
        let sealed = self.cipher().encrypt(&nonce(&hash), payload);
        SealedRegister {
            name: HEXLOWER.encode(&hash),
            bytes: sealed.expect("a register is shorter than 256 GiB"),
        }
    }

    /// Opens an object that a server of this network wrote under `name`.
    ///
    /// # Errors
    /// [`OpenRegisterError`].
    pub fn open(
        &self,
        rules: &NetworkRules,
        name: &str,
        bytes: &[u8],
    ) -> Result<RelayRegister, OpenRegisterError> {
        let hash = HEXLOWER.decode(name.as_bytes()).ok();
        let hash: Option<[u8; 32]> = hash.and_then(|hash| hash.try_into().ok());
        let hash = hash.ok_or(OpenRegisterError::NotOurs)?;
        let payload = Payload {
            msg: bytes,
            aad: AAD,
        };
        let content = self.cipher().decrypt(&nonce(&hash), payload);
        let content = Zeroizing::new(content.map_err(|_why| OpenRegisterError::NotOurs)?);
        if self.hash(&content) != hash {
            return Err(OpenRegisterError::NotOurs);
        }
        Ok(RelayRegister::from_shared_bytes(
            rules.for_reading(),
            &content,
        )?)
    }

    fn hash(&self, content: &[u8]) -> [u8; 32] {
        let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&self.0)
            .expect("HMAC takes a key of any length");
        mac.update(content);
        mac.finalize().into_bytes().into()
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&self.0).into())
    }
}

fn nonce(hash: &[u8; 32]) -> XNonce {
    let [nonce @ .., _, _, _, _, _, _, _, _] = *hash;
    nonce.into()
}

/// Why an object is no register that this server can take over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenRegisterError {
    /// A server with another key wrote it, or it is damaged.
    #[error("it is damaged, or a server with another key wrote it")]
    NotOurs,
    /// It was sealed by a server with this key, and cannot be read all the same.
    #[error(transparent)]
    Stored(#[from] StoredRegisterError),
}

const AAD: &[u8] = b"cloakroom register v1";
