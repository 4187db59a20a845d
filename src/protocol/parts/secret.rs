//! The secrets of a whole in parts: what the key of each part follows from, and what lets its sender manage each part.

use hkdf::Hkdf;
use rand_core::CryptoRng;
use sha2::Sha256;
use zeroize::{Zeroize as _, ZeroizeOnDrop, Zeroizing};

use super::PartIndex;
use crate::protocol::capability::OwnerToken;
use crate::protocol::seal::{FileKey, NONCE_LEN};

/// What the keys of all parts follow from; stands in their list. It is no key itself: only [`seal_part`](super::seal_part)
/// and [`PartList::open_part`](super::PartList::open_part) use it.
#[derive(ZeroizeOnDrop)]
pub struct PartsSecret([u8; 32]);

impl PartsSecret {
    /// Draws the secret of a new share.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut secret = Self([0; 32]);
        rng.fill_bytes(&mut secret.0);
        secret
    }

    /// Takes the 32 bytes of a secret.
    #[must_use]
    pub fn from_bytes(mut bytes: [u8; 32]) -> Self {
        let secret = Self(bytes);
        bytes.zeroize();
        secret
    }

    /// The 32 bytes of the secret.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key of one part: it depends on the place, so that a part opens nowhere else, and on the nonce, so that sealing
    /// again is sealing under a new key.
    pub(super) fn part_key(&self, index: PartIndex, nonce: &[u8; NONCE_LEN]) -> FileKey {
        let place = u64::from(index.get()).to_le_bytes();
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(Some(nonce), &self.0)
            .expand_multi_info(&[b"cloakroom part v1", &place], &mut *key)
            .expect("32 bytes are within the limit of HKDF-SHA256");
        FileKey::from_bytes(*key)
    }
}

/// Which of the servers of a share is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Store {
    /// The server that the pointer names first.
    Server,
    /// The second server, with the same blobs.
    Mirror,
}

/// What the owner tokens of all blobs of a share follow from. Kept by the sender alone.
#[derive(ZeroizeOnDrop)]
pub struct PartsOwner([u8; 32]);

impl PartsOwner {
    /// Draws what the owner tokens of a new share follow from.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut owner = Self([0; 32]);
        rng.fill_bytes(&mut owner.0);
        owner
    }

    /// Takes the 32 bytes.
    #[must_use]
    pub fn from_bytes(mut bytes: [u8; 32]) -> Self {
        let owner = Self(bytes);
        bytes.zeroize();
        owner
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The owner token of a part. Each server has tokens of its own: neither learns what may delete at the other.
    #[must_use]
    pub fn part_token(&self, store: Store, index: PartIndex) -> OwnerToken {
        let info: &[u8] = match store {
            Store::Server => b"cloakroom part owner v1",
            Store::Mirror => b"cloakroom mirror part owner v1",
        };
        self.token(&[info, &u64::from(index.get()).to_le_bytes()])
    }

    /// The owner token of the list.
    #[must_use]
    pub fn list_token(&self, store: Store) -> OwnerToken {
        self.token(&[match store {
            Store::Server => b"cloakroom list owner v1",
            Store::Mirror => b"cloakroom mirror list owner v1",
        }])
    }

    fn token(&self, info: &[&[u8]]) -> OwnerToken {
        let mut token = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(None, &self.0)
            .expand_multi_info(info, &mut *token)
            .expect("32 bytes are within the limit of HKDF-SHA256");
        OwnerToken::from_bytes(*token)
    }
}
