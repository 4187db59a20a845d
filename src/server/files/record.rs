//! The record that the store keeps with each blob.

use crate::protocol::{bytes::Reader, capability::OwnerHash, file_api::ReceiptTerms};

/// The bytes of a [`BlobRecord`].
pub const RECORD_LEN: usize = 77;

/// Record that precedes the blob in its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobRecord {
    /// The blob expires when this hour (since 1970, UTC) begins.
    pub expiry_hour: u32,
    /// The hour in which it was uploaded.
    pub upload_hour: u32,
    /// How many downloads are allowed; 0 when they are not limited.
    pub downloads: u32,
    /// The hash of the owner's token; zeros when there is none.
    pub owner: [u8; 32],
    /// The key of download receipts; zeros when there is none.
    pub receipt_key: [u8; 32],
}

impl BlobRecord {
    /// The record of an upload.
    #[must_use]
    pub fn new(
        expiry_hour: u32,
        upload_hour: u32,
        owner: Option<&OwnerHash>,
        receipts: Option<&ReceiptTerms>,
    ) -> Self {
        Self {
            expiry_hour,
            upload_hour,
            downloads: receipts.and_then(|terms| terms.max_downloads).unwrap_or(0),
            owner: owner.map_or([0; 32], |owner| *owner.as_bytes()),
            receipt_key: receipts.map_or([0; 32], |terms| *terms.key.as_bytes()),
        }
    }

    /// The record as it is stored: version 1, then the fields, numbers little-endian.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(RECORD_LEN);
        bytes.push(VERSION);
        for number in [self.expiry_hour, self.upload_hour, self.downloads] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&self.owner);
        bytes.extend_from_slice(&self.receipt_key);
        bytes
    }

    /// Whether as many downloads as were allowed have been told of, when `told` have been.
    #[must_use]
    pub(crate) fn is_used_up(&self, told: usize) -> bool {
        let allowed = usize::try_from(self.downloads).unwrap_or(usize::MAX);
        allowed > 0 && told >= allowed
    }

    /// Reads a stored record; `None` when it was written by a newer version, or is none.
    #[must_use]
    pub fn decode(bytes: &[u8; RECORD_LEN]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        if reader.u8().ok()? != VERSION {
            return None;
        }
        Some(Self {
            expiry_hour: reader.u32_le().ok()?,
            upload_hour: reader.u32_le().ok()?,
            downloads: reader.u32_le().ok()?,
            owner: reader.array().ok()?,
            receipt_key: reader.array().ok()?,
        })
    }
}

const VERSION: u8 = 1;

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;
    use serde_json::Value;

    use super::*;

    fn vectors() -> Value {
        serde_json::from_str(include_str!("../../../tests/vectors/cloakroom.json")).unwrap()
    }

    fn hex<const N: usize>(value: &Value) -> [u8; N] {
        let bytes = HEXLOWER.decode(value.as_str().unwrap().as_bytes());
        bytes.unwrap().try_into().unwrap()
    }

    fn number(value: &Value) -> u32 {
        value.as_u64().unwrap().try_into().unwrap()
    }

    #[test]
    fn only_limited_downloads_are_used_up() {
        let mut record = BlobRecord::new(1, 1, None, None);
        assert!(!record.is_used_up(300));
        record.downloads = 2;
        assert!(!record.is_used_up(1));
        assert!(record.is_used_up(2) && record.is_used_up(3));
    }

    #[test]
    fn a_record_is_the_independent_one() {
        let vector = &vectors()["record"];
        let record = BlobRecord {
            expiry_hour: number(&vector["expiry_hour"]),
            upload_hour: number(&vector["upload_hour"]),
            downloads: number(&vector["downloads"]),
            owner: hex(&vector["owner"]),
            receipt_key: hex(&vector["receipt_key"]),
        };
        let bytes: [u8; RECORD_LEN] = hex(&vector["bytes"]);
        assert_eq!(record.encode(), bytes);
        assert_eq!(BlobRecord::decode(&bytes), Some(record));
        let mut newer = bytes;
        newer[0] = 2;
        assert_eq!(BlobRecord::decode(&newer), None);
    }
}
