//! What lets someone manage a stored file without telling who they are: the owner token, and ids that follow from it;
//! download receipts; the operator's access and join words; expiry in whole hours; work.

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use rand_core::CryptoRng;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, ZeroizeOnDrop, Zeroizing};

use super::address::FileId;
use super::digest::Digest;

mod access;
pub mod expiry;
mod join_word;
mod receipt;
pub mod work;

pub use access::{AccessWord, InvalidAccessWord};
pub use join_word::JoinWord;
pub use receipt::{DownloadReceipt, receipt_key};

/// Whoever shows it may delete, extend and ask about a file. Kept by the sender.
#[derive(ZeroizeOnDrop)]
pub struct OwnerToken([u8; 32]);

impl OwnerToken {
    /// Draws a new token.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut token = Self([0; 32]);
        rng.fill_bytes(&mut token.0);
        token
    }

    /// Takes the 32 bytes of a token.
    #[must_use]
    pub fn from_bytes(mut bytes: [u8; 32]) -> Self {
        let token = Self(bytes);
        bytes.zeroize();
        token
    }

    /// Reads 64 lower-case hexadecimal digits; `None` for any other text.
    #[must_use]
    pub(crate) fn from_hex(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(HEXLOWER.decode(text.as_bytes()).ok()?);
        <[u8; 32]>::try_from(bytes.as_slice())
            .ok()
            .map(Self::from_bytes)
    }

    /// The 32 bytes of the token.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The token as 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(HEXLOWER.encode(&self.0))
    }

    /// What the server is given at the upload: it recognises the token and cannot make it.
    #[must_use]
    pub fn hash(&self) -> OwnerHash {
        OwnerHash(Sha256::digest(self.0).into())
    }
}

/// The SHA-256 of an [`OwnerToken`], which the server keeps. Compared in constant time.
#[derive(Clone, Copy)]
pub struct OwnerHash([u8; 32]);

impl OwnerHash {
    /// Takes the 32 bytes of a hash.
    #[must_use]
    pub(crate) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads 64 lower-case hexadecimal digits; `None` for any other text.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        HEXLOWER
            .decode(text.as_bytes())
            .ok()?
            .try_into()
            .ok()
            .map(Self)
    }

    /// The 32 bytes.
    #[must_use]
    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The hash as 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        HEXLOWER.encode(&self.0)
    }
}

impl PartialEq for OwnerHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for OwnerHash {}

impl core::fmt::Debug for OwnerHash {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let short: String = self.to_hex().chars().take(8).collect();
        write!(f, "OwnerHash({short}…)")
    }
}

/// The highest hour that the three bytes in an id hold, in the year 3883.
const MAX_HOUR: u32 = 0xff_ffff;

/// The id of a blob that has an owner: 16 bytes that follow from expiry hour, owner and blob.
///
/// Equal hour, owner and blob give the same id, so that an upload that is sent again, however late, writes the same
/// object.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct OwnedId([u8; 16]);

impl OwnedId {
    /// The id of a blob. `hour` counts UTC hours since 1970; one beyond three bytes counts as the last.
    #[must_use]
    pub fn new(hour: u32, owner: &OwnerHash, blob: &Digest) -> Self {
        let hash = Sha256::new()
            .chain_update(b"cloakroom id v1")
            .chain_update(owner.as_bytes())
            .chain_update(blob.as_bytes())
            .finalize();
        let mut bytes = [0; 16];
        bytes
            .iter_mut()
            .zip(hour_bytes(hour).into_iter().chain(hash))
            .for_each(|(to, from)| *to = from);
        Self(bytes)
    }

    /// The 16 bytes.
    #[must_use]
    pub(crate) const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The id as it stands in paths: 22 characters.
    #[must_use]
    pub fn file_id(&self) -> FileId {
        encoded_id(&self.0)
    }

    /// Whether `id` has the length of an owned blob's id. Blobs without an owner have ids of 44 characters, or of up to
    /// 16 digits at Session's file server.
    #[must_use]
    pub(crate) fn could_be(id: &FileId) -> bool {
        id.as_str().len() == 22
    }
}

impl core::fmt::Debug for OwnedId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.file_id().fmt(f)
    }
}

impl FileId {
    /// The id of a blob without an owner, from 30 random bytes: 44 characters, as Session's clients expect. `hour` is as
    /// in [`OwnedId::new`].
    #[must_use]
    pub fn random(hour: u32, random: [u8; 30]) -> Self {
        let mut bytes = [0; 33];
        bytes
            .iter_mut()
            .zip(hour_bytes(hour).into_iter().chain(random))
            .for_each(|(to, from)| *to = from);
        encoded_id(&bytes)
    }

    /// The expiry hour given at the upload; `None` when the id is not one that a Cloakroom server gives. Version 0.1 gave
    /// 22 characters with and without an owner.
    #[must_use]
    pub(crate) fn hour(&self) -> Option<u32> {
        let bytes = BASE64URL_NOPAD.decode(self.as_str().as_bytes()).ok()?;
        match bytes.as_slice() {
            [a, b, c, rest @ ..] if matches!(rest.len(), 13 | 30) => {
                Some(u32::from_be_bytes([0, *a, *b, *c]))
            }
            _ => None,
        }
    }
}

fn hour_bytes(hour: u32) -> [u8; 3] {
    let [_, a, b, c] = hour.min(MAX_HOUR).to_be_bytes();
    [a, b, c]
}

fn encoded_id(bytes: &[u8]) -> FileId {
    let text = BASE64URL_NOPAD.encode(bytes);
    FileId::parse(&text).expect("base64url of at most 33 bytes is a text that an id may have")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn published_id() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/vectors/cloakroom.json")).unwrap();
        let text = |key: &str| vectors["id"][key].as_str().unwrap();
        let hour = u32::try_from(vectors["id"]["hour"].as_u64().unwrap()).unwrap();
        let token = OwnerToken::from_hex(text("owner_token")).unwrap();
        assert_eq!(token.hash().to_hex(), text("x_owner"));
        let blob = Digest::from_hex(text("blob_digest")).unwrap();
        let id = OwnedId::new(hour, &token.hash(), &blob);
        assert_eq!(id.file_id().as_str(), text("id"));
        assert_eq!(id.file_id().hour(), Some(hour));
        assert_ne!(OwnedId::new(hour + 1, &token.hash(), &blob), id);
    }

    #[test]
    fn an_id_without_an_owner_has_44_characters_and_one_of_version_0_1_is_still_read() {
        let id = FileId::random(498_000, [7; 30]);
        assert_eq!((id.as_str().len(), id.hour()), (44, Some(498_000)));
        let older = FileId::parse("B5lQi2xLvfMLkxTipcUhKw").unwrap();
        assert_eq!(older.hour(), Some(0x07_9950));
    }

    #[test]
    fn foreign_ids_have_no_hour() {
        for id in [
            "1234567",
            "B5lQi2xLvfMLkxTipcUhKx",
            "B5lQi2xLvfMLkxTipcUhKwAA",
            "B5lQi2xLvfMLkxTipcUhKwB5lQi2xLvfMLkxTipcUhK",
        ] {
            assert_eq!(FileId::parse(id).unwrap().hour(), None, "{id}");
        }
    }

    proptest! {
        #[test]
        fn hours_and_hex_round_trip(hour in 0..=MAX_HOUR, random in any::<[u8; 30]>(), token in any::<[u8; 32]>()) {
            prop_assert_eq!(FileId::random(hour, random).hour(), Some(hour));
            let token = OwnerToken::from_bytes(token);
            let again = OwnerToken::from_hex(&token.to_hex()).unwrap();
            prop_assert_eq!(again.as_bytes(), token.as_bytes());
            prop_assert_eq!(OwnerHash::from_hex(&token.hash().to_hex()), Some(token.hash()));
        }

        #[test]
        fn no_text_panics(text in ".*", id in "[A-Za-z0-9_-]{1,64}") {
            prop_assert!(OwnerToken::from_hex(&text).is_none());
            prop_assert!(OwnerHash::from_hex(&text).is_none());
            prop_assert!(FileId::parse(&id).unwrap().hour().is_none_or(|hour| hour <= MAX_HOUR));
        }
    }
}
