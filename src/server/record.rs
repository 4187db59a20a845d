//! What the store keeps with a blob, and how an id says when its file expires.

use sha2::{Digest as _, Sha256};

use crate::protocol::{address::FileId, bytes::Reader, capability::OwnerHash, digest::Digest};

/// The bytes of a [`Record`].
pub const RECORD_LEN: usize = 77;

/// What stands before a blob in its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// The hour (since 1970, UTC) at whose beginning the blob expires.
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

impl Record {
    /// The record of an upload.
    #[must_use]
    pub fn new(expiry_hour: u32, upload_hour: u32, owner: Option<&OwnerHash>) -> Self {
        Self {
            expiry_hour,
            upload_hour,
            downloads: 0,
            owner: owner.map_or([0; 32], |owner| *owner.as_bytes()),
            receipt_key: [0; 32],
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

/// The id of a blob that expires at `hour`: with an owner the same upload gets the same id again.
///
/// `None` when the hour does not fit into an id, which is in the year 3883.
#[must_use]
pub fn id_of_owned(hour: u32, owner: &OwnerHash, blob: &Digest) -> Option<FileId> {
    let hash = Sha256::new()
        .chain_update(ID_LABEL)
        .chain_update(owner.as_bytes())
        .chain_update(blob.as_bytes())
        .finalize();
    id_from(hour, hash.first_chunk()?)
}

/// The id of a blob that expires at `hour` and that nobody owns, from drawn bytes.
#[must_use]
pub fn id_from(hour: u32, tail: &[u8; ID_TAIL_LEN]) -> Option<FileId> {
    let [0, hour @ ..] = hour.to_be_bytes() else {
        return None;
    };
    let bytes: Vec<u8> = hour.iter().chain(tail).copied().collect();
    FileId::parse(&data_encoding::BASE64URL_NOPAD.encode(&bytes)).ok()
}

/// The hour at whose beginning the file with this id expires; `None` for ids that no Cloakroom server gives.
#[must_use]
pub fn expiry_hour(id: &FileId) -> Option<u32> {
    let bytes = data_encoding::BASE64URL_NOPAD
        .decode(id.as_str().as_bytes())
        .ok()?;
    let [a, b, c, ..] = <[u8; 3 + ID_TAIL_LEN]>::try_from(bytes).ok()?;
    Some(u32::from_be_bytes([0, a, b, c]))
}

/// The bytes of an id behind the hour.
pub const ID_TAIL_LEN: usize = 13;

const VERSION: u8 = 1;
const ID_LABEL: &[u8] = b"cloakroom id v1";

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;
    use serde_json::Value;

    use super::*;

    fn vectors() -> Value {
        serde_json::from_str(include_str!("../../tests/vectors/cloakroom.json")).unwrap()
    }

    fn hex<const N: usize>(value: &Value) -> [u8; N] {
        let bytes = HEXLOWER.decode(value.as_str().unwrap().as_bytes());
        bytes.unwrap().try_into().unwrap()
    }

    fn number(value: &Value) -> u32 {
        value.as_u64().unwrap().try_into().unwrap()
    }

    #[test]
    fn a_record_is_the_independent_one() {
        let vector = &vectors()["record"];
        let record = Record {
            expiry_hour: number(&vector["expiry_hour"]),
            upload_hour: number(&vector["upload_hour"]),
            downloads: number(&vector["downloads"]),
            owner: hex(&vector["owner"]),
            receipt_key: hex(&vector["receipt_key"]),
        };
        let bytes: [u8; RECORD_LEN] = hex(&vector["bytes"]);
        assert_eq!(record.encode(), bytes);
        assert_eq!(Record::decode(&bytes), Some(record));
        let mut newer = bytes;
        newer[0] = 2;
        assert_eq!(Record::decode(&newer), None);
    }

    #[test]
    fn an_id_is_the_independent_one_and_says_its_hour() {
        let vector = &vectors()["id"];
        let owner = OwnerHash::from_hex(vector["x_owner"].as_str().unwrap()).unwrap();
        let digest = Digest::from_bytes(hex(&vector["blob_digest"]));
        let hour = number(&vector["hour"]);
        let id = id_of_owned(hour, &owner, &digest).unwrap();
        assert_eq!(id.as_str(), vector["id"].as_str().unwrap());
        assert_eq!(expiry_hour(&id), Some(hour));
    }

    #[test]
    fn other_ids_have_no_hour() {
        for text in [
            "a",
            "123456",
            &"A".repeat(21),
            &"A".repeat(23),
            &"A".repeat(44),
        ] {
            assert_eq!(expiry_hour(&FileId::parse(text).unwrap()), None, "{text}");
        }
        // The last digit carries two bits only; another one would be a second name of the same bytes.
        let second_name = format!("{}B", "A".repeat(21));
        assert_eq!(expiry_hour(&FileId::parse(&second_name).unwrap()), None);
        assert_eq!(id_from(1 << 24, &[0; ID_TAIL_LEN]), None);
    }
}
