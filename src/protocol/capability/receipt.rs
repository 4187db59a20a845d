//! Download receipts: how a recipient tells the sender, and nobody else convincingly, that the file arrived.

use data_encoding::HEXLOWER;
use hkdf::Hkdf;
use rand_core::CryptoRng;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::protocol::address::FileId;
use crate::protocol::keys::{Ed25519Public, Identity};
use crate::protocol::seal::FileKey;

/// One download, said by somebody who holds the file's key. A copy of it says nothing new.
#[derive(Clone, PartialEq, Eq)]
pub struct DownloadReceipt {
    /// What tells one download from another.
    pub nonce: [u8; NONCE_LEN],
    /// Over the file's id and the nonce.
    pub signature: [u8; SIGNATURE_LEN],
}

impl DownloadReceipt {
    /// Says that the file with this key and id was downloaded.
    pub fn make(key: &FileKey, id: &FileId, rng: &mut impl CryptoRng) -> Self {
        let mut nonce = [0; NONCE_LEN];
        rng.fill_bytes(&mut nonce);
        let signature = receipt_key(key).sign(&message(id, &nonce));
        Self { nonce, signature }
    }

    /// Whether the holder of `key` said it of the file with this id.
    #[must_use]
    pub fn verify(&self, key: &Ed25519Public, id: &FileId) -> bool {
        key.verify(&message(id, &self.nonce), &self.signature)
    }

    /// Nonce and signature as 160 lower-case hexadecimal digits.
    #[must_use]
    pub(crate) fn to_hex(&self) -> String {
        let mut text = HEXLOWER.encode(&self.nonce);
        text.push_str(&HEXLOWER.encode(&self.signature));
        text
    }

    /// Reads 160 lower-case hexadecimal digits; `None` for any other text.
    #[must_use]
    pub(crate) fn from_hex(text: &str) -> Option<Self> {
        let bytes = HEXLOWER.decode(text.as_bytes()).ok()?;
        let (nonce, signature) = bytes.split_first_chunk()?;
        Some(Self {
            nonce: *nonce,
            signature: signature.try_into().ok()?,
        })
    }
}

/// The key that signs the receipts of a file: whoever can open the file can make them. Its public half is given to the
/// server at the upload.
#[must_use]
pub fn receipt_key(key: &FileKey) -> Identity {
    let mut seed = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(None, key.as_bytes())
        .expand(CONTEXT, &mut *seed)
        .expect("32 bytes are within the limit of HKDF-SHA256");
    Identity::from_seed(*seed)
}

fn message(id: &FileId, nonce: &[u8; NONCE_LEN]) -> Vec<u8> {
    [CONTEXT, id.as_str().as_bytes(), nonce].concat()
}

const CONTEXT: &[u8] = b"cloakroom receipt v1";
const NONCE_LEN: usize = 16;
const SIGNATURE_LEN: usize = 64;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;

    #[test]
    fn published_receipt() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/vectors/cloakroom.json")).unwrap();
        let text = |key: &str| vectors["download_receipt"][key].as_str().unwrap();
        let key = HEXLOWER.decode(text("blob_key").as_bytes()).unwrap();
        let key = receipt_key(&FileKey::from_bytes(key.try_into().unwrap()));
        assert_eq!(key.public().to_hex(), text("public"));
        let id = FileId::parse(text("id")).unwrap();
        let hex = format!("{}{}", text("nonce"), text("signature"));
        let receipt = DownloadReceipt::from_hex(&hex).unwrap();
        assert!(receipt.verify(&key.public(), &id));
        assert_eq!(key.sign(&message(&id, &receipt.nonce)), receipt.signature);
        assert_eq!(receipt.to_hex(), hex);
    }

    #[test]
    fn a_receipt_is_about_one_file_and_one_key() {
        let rng = &mut ChaCha20Rng::seed_from_u64(1);
        let (key, other) = (FileKey::from_bytes([1; 32]), FileKey::from_bytes([2; 32]));
        let (id, another) = (FileId::random(9, [3; 30]), FileId::random(9, [4; 30]));
        let receipt = DownloadReceipt::make(&key, &id, rng);
        let public = receipt_key(&key).public();
        assert!(receipt.verify(&public, &id));
        assert!(!receipt.verify(&public, &another));
        assert!(!receipt.verify(&receipt_key(&other).public(), &id));
        let mut changed = receipt.clone();
        changed.nonce[0] ^= 1;
        assert!(!changed.verify(&public, &id));
        assert!(
            DownloadReceipt::make(&key, &id, rng).nonce != receipt.nonce,
            "every download has a nonce of its own"
        );
    }

    proptest! {
        #[test]
        fn hex_round_trips(nonce in any::<[u8; 16]>(), half in any::<[u8; 32]>()) {
            let mut signature = [0; SIGNATURE_LEN];
            signature[32..].copy_from_slice(&half);
            let receipt = DownloadReceipt { nonce, signature };
            prop_assert!(DownloadReceipt::from_hex(&receipt.to_hex()).is_some_and(|again| again == receipt));
        }

        #[test]
        fn other_texts_are_none(text in "[0-9a-fA-F]{0,159}|.{0,200}|[0-9a-f]{161,170}") {
            prop_assert!(DownloadReceipt::from_hex(&text).is_none());
        }
    }
}
