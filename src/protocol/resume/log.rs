//! The file of a transfer's state: records sealed one after the other, and the longest good beginning of a damaged file.

use aes_gcm::aead::{AeadInOut as _, KeyInit as _};
use aes_gcm::{Aes256Gcm, Key, Nonce, Tag};
use hkdf::Hkdf;
use rand_core::CryptoRng;
use sha2::Sha256;
use thiserror::Error;
use zeroize::{Zeroize as _, ZeroizeOnDrop, Zeroizing};

use crate::protocol::bytes::Reader;

/// What a file begins with.
const MAGIC: &[u8; 16] = b"cloakroom resume";
const VERSION: u8 = 1;
const KEY_ID_LEN: usize = 16;
const HEADER_LEN: usize = MAGIC.len() + 1 + KEY_ID_LEN;
const LEN_LEN: usize = 4;
const NONCE_LEN: usize = 12;
const TAG_LEN: usize = 16;
/// The longest record, in bytes: that of a recipient's list of parts, which fits into a blob.
const MAX_RECORD_LEN: usize = 10_000_000;

/// The key under which the states of this person's transfers are sealed.
#[derive(ZeroizeOnDrop)]
pub struct ResumeKey([u8; 32]);

impl ResumeKey {
    /// Draws a new key.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut key = Self([0; 32]);
        rng.fill_bytes(&mut key.0);
        key
    }

    /// Takes the 32 bytes of a key.
    #[must_use]
    pub fn from_bytes(mut bytes: [u8; 32]) -> Self {
        let key = Self(bytes);
        bytes.zeroize();
        key
    }

    /// The 32 bytes of the key.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What tells in a file under which key it was sealed.
    fn id(&self) -> [u8; KEY_ID_LEN] {
        let mut id = [0; KEY_ID_LEN];
        Hkdf::<Sha256>::new(None, &self.0)
            .expand(b"cloakroom resume key id v1", &mut id)
            .expect("16 bytes are within the limit of HKDF-SHA256");
        id
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(<&Key<Aes256Gcm>>::from(&self.0))
    }
}

/// Seals the records that are appended to one file.
pub struct LogWriter {
    cipher: Aes256Gcm,
    header: [u8; HEADER_LEN],
    /// The number of the next record.
    number: u64,
}

impl LogWriter {
    /// For a new file.
    #[must_use]
    pub fn new(key: &ResumeKey) -> Self {
        let mut header = [0; HEADER_LEN];
        let bytes = MAGIC.iter().copied().chain([VERSION]).chain(key.id());
        header
            .iter_mut()
            .zip(bytes)
            .for_each(|(to, from)| *to = from);
        Self {
            cipher: key.cipher(),
            header,
            number: 0,
        }
    }

    /// What a new file begins with.
    #[must_use]
    pub const fn header(&self) -> &[u8] {
        &self.header
    }

    /// The bytes to append for one record: [`SenderRecord::encode`](super::SenderRecord::encode) or
    /// [`RecipientRecord::encode`](super::RecipientRecord::encode).
    ///
    /// # Errors
    /// [`RecordTooLong`]: nothing is to be appended. Only the paths of very many things that were dropped at once can be so
    /// long.
    pub fn seal(
        &mut self,
        record: &EncodedRecord,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<u8>, RecordTooLong> {
        let record = &record.0;
        let len = u32::try_from(record.len()).or(Err(RecordTooLong))?;
        if record.len() > MAX_RECORD_LEN {
            return Err(RecordTooLong);
        }
        let mut nonce = [0; NONCE_LEN];
        rng.fill_bytes(&mut nonce);
        let mut bytes = Vec::with_capacity(LEN_LEN + NONCE_LEN + record.len() + TAG_LEN);
        bytes.extend_from_slice(&len.to_le_bytes());
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(record);
        let tag = self
            .cipher
            .encrypt_inout_detached(
                &Nonce::from(nonce),
                &aad(&self.header, self.number),
                bytes.split_at_mut(LEN_LEN + NONCE_LEN).1.into(),
            )
            .expect("a record is far below the 64 GiB that one GCM message holds");
        bytes.extend_from_slice(&tag);
        self.number += 1;
        Ok(bytes)
    }

    /// Takes the last record back, which could not be appended: the next one gets its number, as it gets its place in the file.
    pub const fn take_back(&mut self) {
        self.number = self.number.saturating_sub(1);
    }
}

/// A record is longer than 10,000,000 bytes, which nobody would read again.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the record is longer than {MAX_RECORD_LEN} bytes")]
pub struct RecordTooLong;

/// A record in the form in which it is sealed. Some of it is secret.
pub struct EncodedRecord(pub(super) Zeroizing<Vec<u8>>);

/// The file of a transfer's state, being read.
pub struct Log<'a> {
    reader: Reader<'a>,
    cipher: Aes256Gcm,
    header: [u8; HEADER_LEN],
    number: u64,
    good_len: usize,
    end: Option<LogEnd>,
}

impl<'a> Log<'a> {
    /// Begins to read the bytes of a file. Its records come from the iterator; when that has ended,
    /// [`Log::recovered`] says where the good bytes end.
    ///
    /// # Errors
    /// [`ReadLogError`] when not even the beginning can be used.
    pub fn read(bytes: &'a [u8], key: &ResumeKey) -> Result<Self, ReadLogError> {
        let mut reader = Reader::new(bytes);
        let header: [u8; HEADER_LEN] = reader.array().map_err(|_truncated| {
            let magic = bytes.get(..MAGIC.len()).unwrap_or(bytes);
            if MAGIC.starts_with(magic) {
                ReadLogError::CutOff
            } else {
                ReadLogError::Foreign
            }
        })?;
        let mut parts = Reader::new(&header);
        if parts.array().as_ref() != Ok(MAGIC) {
            return Err(ReadLogError::Foreign);
        }
        if parts.u8() != Ok(VERSION) {
            return Err(ReadLogError::Newer);
        }
        if parts.rest() != key.id() {
            return Err(ReadLogError::OtherKey);
        }
        Ok(Self {
            reader,
            cipher: key.cipher(),
            header,
            number: 0,
            good_len: HEADER_LEN,
            end: None,
        })
    }

    /// Reads what is left, and says what the file is good for.
    #[must_use]
    pub fn recovered(mut self) -> Recovered {
        while self.next().is_some() {}
        Recovered {
            good_len: self.good_len,
            end: self.end.unwrap_or(LogEnd::Whole),
            writer: LogWriter {
                cipher: self.cipher,
                header: self.header,
                number: self.number,
            },
        }
    }

    /// The next record, or why there is none.
    fn record(&mut self) -> Result<Zeroizing<Vec<u8>>, LogEnd> {
        if self.reader.is_empty() {
            return Err(LogEnd::Whole);
        }
        let mut reader = self.reader.clone();
        let len = reader.u32_le().or(Err(LogEnd::Torn))?;
        let len = usize::try_from(len)
            .ok()
            .filter(|len| *len <= MAX_RECORD_LEN);
        let nonce: [u8; NONCE_LEN] = reader.array().or(Err(LogEnd::Torn))?;
        let sealed = reader
            .take(len.ok_or(LogEnd::Damaged)?)
            .or(Err(LogEnd::Torn))?;
        let tag: [u8; TAG_LEN] = reader.array().or(Err(LogEnd::Torn))?;
        let mut record = Zeroizing::new(sealed.to_vec());
        self.cipher
            .decrypt_inout_detached(
                &Nonce::from(nonce),
                &aad(&self.header, self.number),
                record.as_mut_slice().into(),
                &Tag::from(tag),
            )
            .map_err(|_forged| {
                // A crash may also leave the last record in its length, but without its bytes, or zeros at the end.
                if reader.rest().iter().all(|byte| *byte == 0) {
                    LogEnd::Torn
                } else {
                    LogEnd::Damaged
                }
            })?;
        self.good_len += self.reader.len() - reader.len();
        self.number += 1;
        self.reader = reader;
        Ok(record)
    }
}

impl Iterator for Log<'_> {
    type Item = Zeroizing<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.end.is_some() {
            return None;
        }
        match self.record() {
            Ok(record) => Some(record),
            Err(end) => {
                self.end = Some(end);
                None
            }
        }
    }
}

/// What a file is good for, once it is read.
pub struct Recovered {
    /// The length to which the file must be cut before anything is appended, in bytes.
    pub good_len: usize,
    /// How it ended.
    pub end: LogEnd,
    /// Seals the records that follow.
    pub writer: LogWriter,
}

/// How a file ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogEnd {
    /// A record cannot be opened although others may follow it: it was changed. What follows is not used, and more than the
    /// last record may be lost: ask the person before going on.
    Damaged,
    /// The last record was not written whole: nothing but zeros follows.
    Torn,
    /// With its last record.
    Whole,
}

/// Why a file cannot be used at all.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ReadLogError {
    /// Not even its beginning was written.
    #[error("the state of the transfer was not written")]
    CutOff,
    /// It is something else.
    #[error("the file is no state of a transfer")]
    Foreign,
    /// A newer version wrote it.
    #[error("the state of the transfer was written by a newer version")]
    Newer,
    /// It was sealed under another key.
    #[error("the state of the transfer was sealed with another key")]
    OtherKey,
}

/// What is authenticated beside a record: the file's beginning, and which record it is.
fn aad(header: &[u8; HEADER_LEN], number: u64) -> [u8; HEADER_LEN + 8] {
    let mut aad = [0; HEADER_LEN + 8];
    let bytes = header.iter().copied().chain(number.to_le_bytes());
    aad.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    aad
}
