//! What a recipient needs to fetch and open a file, and the one word of text it travels as.
//!
//! [`super::bech32m`] looks for such a word in pasted text; this file holds the value and its encoding.
//!
//! A pointer carries the whole key of its blob, or half of it, which five words that travel another way complete. Half a
//! key opens nothing, and has a type of its own:
//!
//! ```compile_fail,E0308
//! use cloakroom::protocol::pointer::HalfKey;
//! use cloakroom::protocol::seal::SealedBlob;
//!
//! fn without_words(blob: SealedBlob, half: &HalfKey) {
//!     drop(blob.open(half)); // `open` takes a whole `FileKey`
//! }
//! ```
//!
//! ```
//! use cloakroom::protocol::pointer::Pointer;
//! use cloakroom::protocol::seal::SealedBlob;
//!
//! fn with_whole_key(blob: SealedBlob, pointer: &Pointer) {
//!     if let Some(key) = pointer.key.whole() {
//!         drop(blob.open(key));
//!     }
//! }
//! ```
#![warn(clippy::string_slice, clippy::arithmetic_side_effects)]

use zeroize::{Zeroize as _, ZeroizeOnDrop, Zeroizing};

use super::address::{FileId, ServerAddress, ServerUrl};
use super::bech32m::{
    self, Bech32mWord, DecodeError, FindError, Malformed, SecretText, URI_START, after,
    max_payload_len,
};
use super::cbor::{CborValue, MapWriter, read_map};
use super::digest::Digest;
use super::invitation::Invitation;
use super::keys::Ed25519Public;
use super::seal::{ContentKind, FileKey, Header};
use super::size_class::MAX_CONTENT_LEN;

/// The longest name that a pointer holds.
const MAX_NAME_LEN: usize = 64;
/// The longest ending, with its dot, that [`short_name`] keeps.
const MAX_EXTENSION_LEN: usize = 16;

/// Where a file is and what opens it. A secret: it cannot be printed, cloned or compared.
pub struct Pointer {
    /// The file server.
    pub server: ServerAddress,
    /// The file there.
    pub id: FileId,
    /// The key of the blob, or half of it.
    pub key: PointerKey,
    /// The digest of the blob.
    pub digest: Digest,
    /// The exact length of the content, in bytes; for a list of parts, that of the whole.
    pub content_len: u64,
    /// The name in the form of [`short_name`], unless the sender left it out. Text of a pointer with half a key never holds
    /// it.
    pub name: Option<String>,
    /// What the blob holds.
    pub kind: ContentKind,
    /// When the server forgets the file, in unix seconds.
    pub expires: Option<u64>,
    /// The sender wants download receipts; how many downloads are allowed, 0 for any number.
    pub receipts: Option<u64>,
    /// The sender's relay list, for recipients who have none. Never used without asking.
    pub relay_list: Option<String>,
}

impl Pointer {
    /// The pointer as one word, `cloak1…`.
    ///
    /// The name is shortened, and left out beside half a key: whoever has the pointer but not the words learns no name.
    /// A relay list that does not fit is left out too; all the rest always fits.
    #[must_use]
    pub fn to_text(&self) -> SecretText {
        let mut payload = self.encode(true);
        if payload.len() > max_payload_len(Self::PREFIX) {
            payload = self.encode(false);
        }
        bech32m::word(Self::PREFIX, &payload)
            .expect("without a relay list every field has a limit, and all limits together fit")
    }

    /// The pointer as a URI, `cloakroom:cloak1…`.
    #[must_use]
    pub fn to_uri(&self) -> SecretText {
        bech32m::uri(&self.to_text())
    }

    /// Finds a pointer in text that a person pasted: inside prose, quoted, broken over lines, in capitals, as a URI.
    ///
    /// # Errors
    /// [`FindPointerError`] says that there is none, or what has happened to the one that there is.
    pub fn find(text: &str) -> Result<Self, FindPointerError> {
        Ok(bech32m::find(text)?)
    }

    /// Compares kind, length and (when the pointer has one) name with the header of the file that was opened. Save
    /// nothing before this. The length of something in parts stands in their list, and is compared there
    /// ([`PartList::read`](super::parts::PartList::read)).
    ///
    /// # Errors
    /// [`PointerMismatch`]: the pointer describes another file.
    pub(crate) fn check(&self, header: &Header) -> Result<(), PointerMismatch> {
        if header.kind != self.kind {
            return Err(PointerMismatch::Kind);
        }
        if self.kind != ContentKind::PartList && header.content_len != self.content_len {
            return Err(PointerMismatch::Length);
        }
        let name = header.name.as_deref().map(short_name);
        if self.name.is_some() && self.name != name {
            return Err(PointerMismatch::Name);
        }
        Ok(())
    }

    fn encode(&self, with_relay_list: bool) -> Zeroizing<Vec<u8>> {
        let mut map = MapWriter::new();
        map.text(0, self.server.url.as_str());
        map.bytes(1, self.server.key.as_bytes());
        map.text(2, self.id.as_str());
        map.bytes(3, self.key.as_bytes());
        map.bytes(4, self.digest.as_bytes());
        map.uint(5, self.content_len);
        if let (Some(name), PointerKey::Whole(_)) = (&self.name, &self.key) {
            map.text(6, &short_name(name));
        }
        if self.kind != ContentKind::File {
            map.uint(7, self.kind.number());
        }
        if let Some(expires) = self.expires {
            map.uint(8, expires);
        }
        if let PointerKey::Half(_, words) = &self.key {
            map.map(9, words.to_map());
        }
        if let Some(receipts) = self.receipts {
            map.uint(10, receipts);
        }
        if let (Some(relay_list), true) = (&self.relay_list, with_relay_list) {
            map.text(11, relay_list);
        }
        map.finish()
    }
}

impl Bech32mWord for Pointer {
    type Invalid = &'static str;

    const PREFIX: &'static str = "cloak1";
    const MIN_ENTRY_LENS: &'static [usize] = &[10, 35, 3, 35, 35, 2];

    fn may_stand(key: u64, major: u8, argument: u64) -> bool {
        match key {
            0 => major == 3 && (8..=280).contains(&argument),
            1 | 3 | 4 => (major, argument) == (2, 32),
            2 | 6 => major == 3 && (1..=64).contains(&argument),
            5 | 7 | 8 | 10 => major == 0,
            9 => major == 5,
            11 => major == 3,
            _ => true,
        }
    }

    fn decode(payload: &[u8]) -> Result<Self, DecodeError<&'static str>> {
        let entries = read_map(payload).or(Err(DecodeError::Malformed(Malformed::NotAMap)))?;
        let mut fields = Fields::default();
        let mut newer = false;
        for (key, value) in entries {
            newer |= !fields.take(key, value)?;
        }
        if newer {
            return Err(DecodeError::Newer);
        }
        let pointer = fields.into_pointer()?;
        // A value that is no valid field, such as a kind of 0 or a name beside words, is not written again either.
        if *pointer.encode(true) != *payload {
            return Err(DecodeError::Malformed(Malformed::NotCanonical));
        }
        Ok(pointer)
    }
}

/// The key that a pointer carries. A secret: it cannot be printed, cloned or compared.
pub enum PointerKey {
    /// The whole key of the blob.
    Whole(FileKey),
    /// Half of the key, and how words that travel another way become the other half.
    Half(HalfKey, WordsParams),
}

impl PointerKey {
    /// The whole key; `None` when words must complete it first.
    #[must_use]
    pub fn whole(&self) -> Option<&FileKey> {
        match self {
            Self::Whole(key) => Some(key),
            Self::Half(..) => None,
        }
    }

    /// Whether words must complete the key.
    #[must_use]
    pub(crate) fn needs_words(&self) -> bool {
        matches!(self, Self::Half(..))
    }

    /// The 32 bytes of the key or of its half, as they stand in a pointer.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        match self {
            Self::Whole(key) => key.as_bytes(),
            Self::Half(half, _) => half.as_bytes(),
        }
    }
}

/// Half of the key of a blob. It opens nothing by itself; words are the other half.
#[derive(ZeroizeOnDrop)]
pub struct HalfKey([u8; 32]);

impl HalfKey {
    /// Takes the 32 bytes of half a key.
    #[must_use]
    pub fn from_bytes(mut bytes: [u8; 32]) -> Self {
        let half = Self(bytes);
        bytes.zeroize();
        half
    }

    /// The 32 bytes of half a key.
    #[must_use]
    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The parameters by which words become half of a key (Argon2id). Only values that cannot stall a machine exist.
#[derive(Clone, PartialEq, Eq)]
pub struct WordsParams {
    salt: [u8; 16],
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl WordsParams {
    /// Accepts 19,456 to 262,144 KiB of memory, 1 to 10 passes, 1 to 4 lanes, memory × passes up to 1 GiB; `None` for
    /// all other parameters.
    #[must_use]
    pub fn new(salt: [u8; 16], memory_kib: u32, passes: u32, lanes: u32) -> Option<Self> {
        let each = (19_456..=262_144).contains(&memory_kib)
            && (1..=10).contains(&passes)
            && (1..=4).contains(&lanes);
        let product = memory_kib.checked_mul(passes)?;
        (each && product <= 1_048_576).then_some(Self {
            salt,
            memory_kib,
            passes,
            lanes,
        })
    }

    /// The salt.
    #[must_use]
    pub fn salt(&self) -> &[u8; 16] {
        &self.salt
    }

    /// The memory, in KiB.
    #[must_use]
    pub fn memory_kib(&self) -> u32 {
        self.memory_kib
    }

    /// How often the memory is passed over.
    #[must_use]
    pub fn passes(&self) -> u32 {
        self.passes
    }

    /// Number of lanes.
    #[must_use]
    pub fn lanes(&self) -> u32 {
        self.lanes
    }

    fn to_map(&self) -> MapWriter {
        let mut map = MapWriter::new();
        map.bytes(0, &self.salt);
        map.uint(1, self.memory_kib.into());
        map.uint(2, self.passes.into());
        map.uint(3, self.lanes.into());
        map
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError<&'static str>> {
        let bad = DecodeError::Invalid("its words parameters are out of bounds");
        let entries = read_map(bytes).or(Err(bad))?;
        let [
            (0, CborValue::Bytes(salt)),
            (1, CborValue::Uint(memory)),
            (2, CborValue::Uint(passes)),
            (3, CborValue::Uint(lanes)),
            more @ ..,
        ] = &entries[..]
        else {
            return Err(bad);
        };
        if !more.is_empty() {
            return Err(DecodeError::Newer);
        }
        let small = |value: &u64| u32::try_from(*value).or(Err(bad));
        let salt = <[u8; 16]>::try_from(*salt).or(Err(bad))?;
        Self::new(salt, small(memory)?, small(passes)?, small(lanes)?).ok_or(bad)
    }
}

/// Why no pointer came out of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FindPointerError {
    /// A character was changed, left out or added.
    #[error("the pointer was changed on its way")]
    Changed,
    /// The end is not there.
    #[error("the pointer is cut off: at least {missing} characters are missing")]
    CutOff {
        /// At least so many characters are missing at the end.
        missing: usize,
    },
    /// The word is whole, but what it says is not a pointer.
    #[error("the pointer is not valid: {0}")]
    Invalid(&'static str),
    /// The word is whole and says something that this version does not know.
    #[error("the pointer was made by a newer version")]
    Newer,
    /// Nothing in the text looks like a pointer.
    #[error("there is no pointer in the text")]
    NotFound,
    /// The text is longer than 64 KiB and was not looked at.
    #[error("the text is longer than 64 KiB")]
    TooLong,
}

/// In what the pointer does not describe the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PointerMismatch {
    /// The pointer names another kind.
    #[error("the pointer does not describe this file: another kind")]
    Kind,
    /// The pointer names another length.
    #[error("the pointer does not describe this file: another length")]
    Length,
    /// The pointer has another name.
    #[error("the pointer does not describe this file: another name")]
    Name,
}

/// Whether `text` begins as a pointer or its URI does, in either case and behind white space. Whether it is one,
/// [`Pointer::find`] says.
#[must_use]
pub fn begins(text: &str) -> bool {
    begins_here(text.trim_start().as_bytes())
}

/// Whether something in `text` begins as a pointer or its URI does: a pointer may stand in it, whole or damaged.
#[must_use]
pub(crate) fn may_be_in(text: &str) -> bool {
    let bytes = text.as_bytes();
    (0..bytes.len()).any(|at| bytes.get(at..).is_some_and(begins_here))
}

/// Whether `bytes` begin as a pointer or its URI does. The URI of an invitation begins with the same scheme.
fn begins_here(bytes: &[u8]) -> bool {
    let is_uri_of_a_pointer = || {
        let word = after(bytes, URI_START);
        word.is_some_and(|word| after(word, Invitation::PREFIX).is_none())
    };
    after(bytes, Pointer::PREFIX).is_some() || is_uri_of_a_pointer()
}

/// The short form of a name that a pointer holds, at most 64 bytes: the beginning and, if it is short, the ending.
#[must_use]
pub(crate) fn short_name(name: &str) -> String {
    shorten_name(name, MAX_NAME_LEN)
}

/// The beginning of `name` and, if it is at most 16 bytes with its dot, the ending, together at most `max_len` bytes
/// of whole characters. A name that is short enough stays as it is.
#[must_use]
pub(crate) fn shorten_name(name: &str, max_len: usize) -> String {
    let (stem, extension) = match name.rfind('.') {
        Some(at) if at > 0 && name.len().saturating_sub(at) <= MAX_EXTENSION_LEN.min(max_len) => {
            name.split_at(at)
        }
        _ => (name, ""),
    };
    let run = stem.floor_char_boundary(max_len.saturating_sub(extension.len()));
    let mut short = stem.get(..run).unwrap_or_default().to_owned();
    short.push_str(extension);
    short
}

impl From<FindError<&'static str>> for FindPointerError {
    fn from(error: FindError<&'static str>) -> Self {
        match error {
            FindError::Changed => Self::Changed,
            FindError::CutOff { missing } => Self::CutOff { missing },
            FindError::Decode(DecodeError::Invalid(why)) => Self::Invalid(why),
            FindError::Decode(DecodeError::Malformed(Malformed::NotAMap)) => {
                Self::Invalid("it is not a map of known form")
            }
            FindError::Decode(DecodeError::Malformed(Malformed::NotCanonical)) => {
                Self::Invalid("it is not in its one canonical form")
            }
            FindError::Decode(DecodeError::Newer) => Self::Newer,
            FindError::NotFound => Self::NotFound,
            FindError::TooLong => Self::TooLong,
        }
    }
}

fn invalid<T>(reason: &'static str) -> Result<T, DecodeError<&'static str>> {
    Err(DecodeError::Invalid(reason))
}

#[derive(Default)]
struct Fields {
    url: Option<ServerUrl>,
    server_key: Option<Ed25519Public>,
    id: Option<FileId>,
    key: Option<Zeroizing<[u8; 32]>>,
    digest: Option<Digest>,
    content_len: Option<u64>,
    name: Option<String>,
    kind: Option<ContentKind>,
    expires: Option<u64>,
    words: Option<WordsParams>,
    receipts: Option<u64>,
    relay_list: Option<String>,
}

impl Fields {
    /// Takes one entry of the map; `false` when only a newer version knows it.
    fn take(&mut self, key: u64, value: CborValue<'_>) -> Result<bool, DecodeError<&'static str>> {
        match (key, value) {
            (0, CborValue::Text(url)) => {
                self.url = Some(
                    ServerUrl::parse(url)
                        .or(Err(DecodeError::Invalid("its server is no base URL")))?,
                );
            }
            (1, CborValue::Bytes(bytes)) => {
                let key = bytes
                    .try_into()
                    .ok()
                    .and_then(|bytes| Ed25519Public::from_bytes(bytes).ok());
                self.server_key =
                    Some(key.ok_or(DecodeError::Invalid("the key of its server is weak"))?);
            }
            (2, CborValue::Text(id)) => {
                self.id =
                    Some(FileId::parse(id).or(Err(DecodeError::Invalid("its file id is none")))?);
            }
            (3, CborValue::Bytes(bytes)) => {
                let key = <[u8; 32]>::try_from(bytes)
                    .or(Err(DecodeError::Invalid("its key has another length")))?;
                self.key = Some(Zeroizing::new(key));
            }
            (4, CborValue::Bytes(bytes)) => {
                self.digest =
                    Some(Digest::from_bytes(bytes.try_into().or(Err(
                        DecodeError::Invalid("its digest has another length"),
                    ))?));
            }
            (5, CborValue::Uint(len)) => self.content_len = Some(len),
            (6, CborValue::Text(name)) if (1..=MAX_NAME_LEN).contains(&name.len()) => {
                self.name = Some(name.to_owned());
            }
            (7, CborValue::Uint(number)) => match ContentKind::from_number(number) {
                Some(ContentKind::Part) => return invalid("a part has no pointer of its own"),
                Some(kind) => self.kind = Some(kind),
                None => return Ok(false),
            },
            (8, CborValue::Uint(expires)) => self.expires = Some(expires),
            (9, CborValue::Map(bytes)) => self.words = Some(WordsParams::decode(bytes)?),
            (10, CborValue::Uint(receipts)) => self.receipts = Some(receipts),
            (11, CborValue::Text(list)) => self.relay_list = Some(list.to_owned()),
            (0..=11, _) => return invalid("a field has another type or length"),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn into_pointer(self) -> Result<Pointer, DecodeError<&'static str>> {
        let missing = DecodeError::Invalid("a field is missing");
        let key = self.key.ok_or(missing)?;
        let pointer = Pointer {
            server: ServerAddress {
                url: self.url.ok_or(missing)?,
                key: self.server_key.ok_or(missing)?,
            },
            id: self.id.ok_or(missing)?,
            key: match self.words {
                None => PointerKey::Whole(FileKey::from_bytes(*key)),
                Some(words) => PointerKey::Half(HalfKey::from_bytes(*key), words),
            },
            digest: self.digest.ok_or(missing)?,
            content_len: self.content_len.ok_or(missing)?,
            name: self.name,
            kind: self.kind.unwrap_or(ContentKind::File),
            expires: self.expires,
            receipts: self.receipts,
            relay_list: self.relay_list,
        };
        if pointer.kind != ContentKind::PartList && pointer.content_len > MAX_CONTENT_LEN {
            return Err(DecodeError::Invalid(
                "it claims more than one blob can hold",
            ));
        }
        Ok(pointer)
    }
}

#[cfg(test)]
mod tests;
