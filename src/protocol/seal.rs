//! How content becomes a sealed blob of a constant size, and how it comes back out.
//!
//! The steps are types, so that the key touches nothing that the digest has not confirmed:
//! [`UnverifiedBlob`] → [`verify`](UnverifiedBlob::verify) → [`SealedBlob`] → [`open`](SealedBlob::open) → [`Opened`].
//!
//! ```compile_fail,E0599
//! use cloakroom::protocol::seal::{FileKey, UnverifiedBlob};
//!
//! fn too_early(downloaded: Vec<u8>, key: &FileKey) {
//!     UnverifiedBlob::new(downloaded).open(key); // not verified: there is no `open` yet
//! }
//! ```
//!
//! ```
//! use cloakroom::protocol::digest::Digest;
//! use cloakroom::protocol::seal::{FileKey, UnverifiedBlob};
//!
//! fn in_order(downloaded: Vec<u8>, digest: &Digest, key: &FileKey) {
//!     if let Ok(blob) = UnverifiedBlob::new(downloaded).verify(digest) {
//!         drop(blob.open(key));
//!     }
//! }
//! ```

use core::ops::Range;

use aes_gcm::aead::{AeadInOut as _, KeyInit as _};
use aes_gcm::{Aes256Gcm, Key, Nonce, Tag};
use hkdf::Hkdf;
use rand_core::CryptoRng;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, ZeroizeOnDrop, Zeroizing};

use super::bytes::Reader;
use super::cbor::{CborValue, MapWriter, read_map};
use super::digest::Digest;
use super::size_class::{FRAME_LEN, MAX_CONTENT_LEN, SizeClass};

const AAD: &[u8] = b"cloakroom blob v1";
const COMMITMENT_INFO: &[u8] = b"cloakroom key commitment v1";
const COMMITMENT_LEN: usize = 32;
/// Length of a blob's nonce, in bytes.
pub(super) const NONCE_LEN: usize = 12;
const TAG_LEN: usize = 16;
/// `header_len ‖ header ‖ zeros`, whatever the header.
const HEADER_FRAME_LEN: usize = 1028;
/// Where the content begins in a blob.
const CONTENT_START: usize = COMMITMENT_LEN + NONCE_LEN + HEADER_FRAME_LEN;
/// The longest name that a header holds.
const MAX_NAME_LEN: usize = 255;

const _: () = assert!(
    CONTENT_START + TAG_LEN == FRAME_LEN,
    "the frame is what surrounds the content"
);

/// What a blob holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContentKind {
    /// One file.
    File = 0,
    /// A folder or several files: a manifest, then their bytes.
    Folder = 1,
    /// The list of the parts of something larger.
    PartList = 2,
    /// One part of something larger.
    Part = 3,
}

impl ContentKind {
    /// The kind with this number; `None` for the number of a newer version.
    #[must_use]
    pub fn from_number(number: u64) -> Option<Self> {
        [Self::File, Self::Folder, Self::PartList, Self::Part]
            .into_iter()
            .find(|kind| kind.number() == number)
    }

    /// The number that stands in headers and pointers.
    #[must_use]
    pub(crate) fn number(self) -> u64 {
        self as u64
    }
}

/// The key of one blob, made by [`seal`] and used for nothing else.
#[derive(ZeroizeOnDrop)]
pub struct FileKey([u8; 32]);

impl FileKey {
    /// Takes the 32 bytes of a key.
    #[must_use]
    pub fn from_bytes(mut bytes: [u8; 32]) -> Self {
        let key = Self(bytes);
        bytes.zeroize();
        key
    }

    /// The 32 bytes of the key.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut key = Self([0; 32]);
        rng.fill_bytes(&mut key.0);
        key
    }

    /// What binds a blob to this key alone; GCM by itself does not.
    fn commitment(&self) -> [u8; COMMITMENT_LEN] {
        let mut commitment = [0; COMMITMENT_LEN];
        Hkdf::<Sha256>::new(None, &self.0)
            .expand(COMMITMENT_INFO, &mut commitment)
            .expect("32 bytes are within the limit of HKDF-SHA256");
        commitment
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(<&Key<Aes256Gcm>>::from(&self.0))
    }
}

/// Header inside a blob, before its content.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    /// What the content is.
    pub kind: ContentKind,
    /// Length of the content, in bytes.
    pub content_len: u64,
    /// Name that the sender gave the file: hostile text. A part has none.
    pub name: Option<String>,
    /// When the file was last changed, in unix seconds, if the sender told. A part has none.
    pub modified: Option<u64>,
}

/// What [`seal`] makes.
pub struct Sealed {
    /// What to upload. A retry sends the same bytes.
    pub blob: SealedBlob,
    /// What opens it.
    pub key: FileKey,
    /// What confirms it.
    pub digest: Digest,
}

/// Seals `content` into the smallest size class that holds it, under a key and a nonce of its own.
///
/// Costs one allocation of the blob's length; `content` is copied into it and sealed in place.
///
/// # Errors
/// [`SealError`] when the content fits no class or the name no header.
pub fn seal(
    kind: ContentKind,
    name: Option<&str>,
    modified: Option<u64>,
    content: &[u8],
    rng: &mut impl CryptoRng,
) -> Result<Sealed, SealError> {
    let key = FileKey::generate(rng);
    let class = SizeClass::for_content_len(content.len() as u64).ok_or(SealError::TooLong)?;
    seal_with(key, draw_nonce(rng), class, kind, name, modified, content)
}

/// Draws the nonce of a blob.
pub(super) fn draw_nonce(rng: &mut impl CryptoRng) -> [u8; NONCE_LEN] {
    let mut nonce = [0; NONCE_LEN];
    rng.fill_bytes(&mut nonce);
    nonce
}

/// Seals into a blob of `class` under a key that was used for no other message. For [`seal`], and for the parts of
/// something larger, whose keys are derived and whose class is that of all of them.
pub(super) fn seal_with(
    key: FileKey,
    nonce: [u8; NONCE_LEN],
    class: SizeClass,
    kind: ContentKind,
    name: Option<&str>,
    modified: Option<u64>,
    content: &[u8],
) -> Result<Sealed, SealError> {
    let header = HeaderParts {
        kind,
        content_len: content.len(),
        name,
        modified,
    };
    let copy = |place: &mut [u8]| {
        place.copy_from_slice(content);
        Ok(())
    };
    seal_in(Vec::new(), key, nonce, class, header, copy)
}

/// What [`seal_in`] says before the content.
#[derive(Clone, Copy)]
pub(super) struct HeaderParts<'a> {
    pub(super) kind: ContentKind,
    /// In bytes.
    pub(super) content_len: usize,
    pub(super) name: Option<&'a str>,
    pub(super) modified: Option<u64>,
}

/// Seals as [`seal_with`] does, in the memory of `buffer`, whose content is replaced. `write_content` writes the content to
/// the place where it is sealed, so that it is nowhere else.
pub(super) fn seal_in<E: From<SealError>>(
    buffer: Vec<u8>,
    key: FileKey,
    nonce: [u8; NONCE_LEN],
    class: SizeClass,
    header: HeaderParts<'_>,
    write_content: impl FnOnce(&mut [u8]) -> Result<(), E>,
) -> Result<Sealed, E> {
    let HeaderParts {
        kind,
        content_len,
        name,
        modified,
    } = header;
    if content_len > class.capacity() {
        return Err(SealError::TooLong.into());
    }
    let name_fits = name
        .is_none_or(|name| (1..=MAX_NAME_LEN).contains(&name.len()) && kind != ContentKind::Part);
    if !name_fits {
        return Err(SealError::Name.into());
    }
    // Of a part nothing is told: what it belongs to stands in the list.
    let modified = modified.filter(|_| kind != ContentKind::Part);
    let header = Header {
        kind,
        content_len: content_len as u64,
        name: name.map(str::to_owned),
        modified,
    }
    .encode();
    let header_len =
        u32::try_from(header.len()).expect("a header is shorter than its frame of 1028 bytes");

    // The whole length at once: a buffer that grew would leave copies of the content behind. The commitment comes first and
    // outside of what is sealed, since it is compared before anything is opened: GCM alone does not bind the key.
    let mut bytes = Zeroizing::new(buffer);
    bytes.clear();
    bytes.reserve_exact(class.blob_len());
    bytes.extend_from_slice(&key.commitment());
    bytes.extend_from_slice(&nonce);
    bytes.extend_from_slice(&header_len.to_le_bytes());
    bytes.extend_from_slice(&header);
    bytes.resize(class.blob_len() - TAG_LEN, 0);
    let place = bytes.get_mut(CONTENT_START..CONTENT_START + content_len);
    write_content(place.ok_or(SealError::TooLong)?)?;
    let tag = key
        .cipher()
        .encrypt_inout_detached(
            &Nonce::from(nonce),
            AAD,
            bytes.split_at_mut(COMMITMENT_LEN + NONCE_LEN).1.into(),
        )
        .expect("a blob is far below the 64 GiB that one GCM message holds");
    bytes.extend_from_slice(&tag);

    let digest = Digest::of(&bytes);
    Ok(Sealed {
        blob: SealedBlob { bytes, class },
        key,
        digest,
    })
}

/// Bytes that a server sent. All one can do with them is verify them.
pub struct UnverifiedBlob(Zeroizing<Vec<u8>>);

impl UnverifiedBlob {
    /// Takes what came.
    #[must_use]
    pub fn new(bytes: impl Into<Zeroizing<Vec<u8>>>) -> Self {
        Self(bytes.into())
    }

    /// Compares the bytes with the digest from the pointer.
    ///
    /// # Errors
    /// [`VerifyError`] when they are not the blob that the pointer means; the key must not touch them.
    pub fn verify(self, digest: &Digest) -> Result<SealedBlob, VerifyError> {
        let class =
            SizeClass::from_blob_len(self.0.len() as u64).ok_or(VerifyError::WrongLength)?;
        if Digest::of(&self.0) != *digest {
            return Err(VerifyError::DigestMismatch);
        }
        Ok(SealedBlob {
            bytes: self.0,
            class,
        })
    }
}

/// A blob whose bytes are the right ones: just sealed, or verified. It is opened where it lies, so its memory is
/// overwritten in the end.
pub struct SealedBlob {
    bytes: Zeroizing<Vec<u8>>,
    class: SizeClass,
}

impl SealedBlob {
    /// The bytes as they travel.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes as they travel, without a copy.
    #[must_use]
    pub fn into_bytes(mut self) -> Vec<u8> {
        core::mem::take(&mut *self.bytes)
    }

    /// Size class of the blob.
    #[must_use]
    pub(crate) fn class(&self) -> SizeClass {
        self.class
    }

    /// The nonce, from which the key of a part is derived.
    pub(super) fn nonce(&self) -> Option<&[u8; NONCE_LEN]> {
        self.bytes.get(COMMITMENT_LEN..)?.first_chunk()
    }

    /// Opens the blob in place and checks all that is inside. Before saving, compare with the pointer by
    /// [`Pointer::check`](super::pointer::Pointer::check).
    ///
    /// # Errors
    /// [`OpenError`] when the key is another one or the inside is not what this version writes.
    pub fn open(self, key: &FileKey) -> Result<Opened, OpenError> {
        let Self { mut bytes, class } = self;
        let (head, sealed) = bytes.split_at_mut(COMMITMENT_LEN + NONCE_LEN);
        let (commitment, nonce) = head.split_at(COMMITMENT_LEN);
        if !bool::from(commitment.ct_eq(&key.commitment())) {
            return Err(OpenError::WrongKey);
        }
        let (plain, tag) = sealed
            .split_last_chunk_mut::<TAG_LEN>()
            .ok_or(OpenError::Corrupt)?;
        let nonce: [u8; NONCE_LEN] = nonce.try_into().or(Err(OpenError::Corrupt))?;
        key.cipher()
            .decrypt_inout_detached(
                &Nonce::from(nonce),
                AAD,
                (&mut *plain).into(),
                &Tag::from(*tag),
            )
            .or(Err(OpenError::Corrupt))?;

        let mut reader = Reader::new(plain);
        let mut frame = reader.sub(HEADER_FRAME_LEN).or(Err(OpenError::Malformed))?;
        let header = read_header(&mut frame)?;
        let len = usize::try_from(header.content_len)
            .ok()
            .filter(|len| *len <= class.capacity());
        let len = len.ok_or(OpenError::Malformed)?;
        reader.take(len).or(Err(OpenError::Malformed))?;
        if !reader.rest().iter().all(|byte| *byte == 0) {
            return Err(OpenError::Malformed);
        }
        Ok(Opened {
            header,
            content: CONTENT_START..CONTENT_START + len,
            bytes,
        })
    }
}

/// A blob that was verified and opened. Its memory is overwritten in the end.
pub struct Opened {
    header: Header,
    content: Range<usize>,
    bytes: Zeroizing<Vec<u8>>,
}

impl Opened {
    /// What stands before the content.
    #[must_use]
    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// The content, without header and padding.
    #[must_use]
    #[expect(
        clippy::indexing_slicing,
        reason = "the range was taken from these bytes when they were opened"
    )]
    pub fn content(&self) -> &[u8] {
        &self.bytes[self.content.clone()]
    }

    /// The memory that all of it stood in, empty and overwritten.
    #[must_use]
    pub(crate) fn into_buffer(mut self) -> Vec<u8> {
        self.bytes.zeroize();
        core::mem::take(&mut *self.bytes)
    }
}

/// Why content cannot be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The name is empty or longer than 255 bytes, or a part has one.
    #[error("the name does not fit into the header")]
    Name,
    /// The content is longer than the largest blob carries.
    #[error("the content is longer than {MAX_CONTENT_LEN} bytes")]
    TooLong,
}

/// Why bytes are not the blob that a pointer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The SHA-256 is another one.
    #[error("the blob is not the one that the pointer means")]
    DigestMismatch,
    /// No blob has this length: the bytes are cut off, or they never were one.
    #[error("no blob has this length")]
    WrongLength,
}

/// Why a verified blob does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The seal is broken although the key is right.
    #[error("the seal is broken")]
    Corrupt,
    /// Header or padding are not what any version writes.
    #[error("the inside of the blob is malformed")]
    Malformed,
    /// The header has keys or a kind that this version does not know.
    #[error("the blob was made by a newer version")]
    Newer,
    /// The blob was sealed with another key.
    #[error("the key does not belong to this blob")]
    WrongKey,
}

impl Header {
    fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut map = MapWriter::new();
        map.uint(0, self.kind.number());
        map.uint(1, self.content_len);
        if let Some(name) = &self.name {
            map.text(2, name);
        }
        if let Some(modified) = self.modified {
            map.uint(4, modified);
        }
        map.finish()
    }
}

fn read_header(frame: &mut Reader<'_>) -> Result<Header, OpenError> {
    let len = frame.u32_le().or(Err(OpenError::Malformed))?;
    let len = usize::try_from(len).or(Err(OpenError::Malformed))?;
    let bytes = frame.take(len).or(Err(OpenError::Malformed))?;
    if !frame.rest().iter().all(|byte| *byte == 0) {
        return Err(OpenError::Malformed);
    }

    let (mut kind, mut content_len, mut name, mut modified, mut newer) =
        (None, None, None, None, false);
    for (key, value) in read_map(bytes).or(Err(OpenError::Malformed))? {
        match (key, value) {
            (0, CborValue::Uint(number)) => kind = Some(number),
            (1, CborValue::Uint(len)) => content_len = Some(len),
            (2, CborValue::Text(text)) if (1..=MAX_NAME_LEN).contains(&text.len()) => {
                name = Some(text.to_owned());
            }
            (4, CborValue::Uint(seconds)) => modified = Some(seconds),
            (0 | 1 | 2 | 4, _) => return Err(OpenError::Malformed),
            _ => newer = true,
        }
    }
    if newer {
        return Err(OpenError::Newer);
    }
    let kind =
        ContentKind::from_number(kind.ok_or(OpenError::Malformed)?).ok_or(OpenError::Newer)?;
    let header = Header {
        kind,
        content_len: content_len.ok_or(OpenError::Malformed)?,
        name,
        modified,
    };
    let tells_too_much =
        kind == ContentKind::Part && (header.name.is_some() || header.modified.is_some());
    if tells_too_much || **header.encode() != *bytes {
        return Err(OpenError::Malformed);
    }
    Ok(header)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;
    use serde_json::Value as Json;

    use super::*;

    fn rng() -> ChaCha20Rng {
        ChaCha20Rng::seed_from_u64(7)
    }

    fn hex(value: &Json) -> Vec<u8> {
        data_encoding::HEXLOWER
            .decode(value.as_str().unwrap().as_bytes())
            .unwrap()
    }

    fn vectors() -> Json {
        serde_json::from_str(include_str!("../../tests/vectors/cloakroom.json")).unwrap()
    }

    fn seal_vector(vector: &Json, name: &str, content: &[u8]) -> Sealed {
        let key = FileKey::from_bytes(hex(&vector["key"]).try_into().unwrap());
        let nonce = hex(&vector["nonce"]).try_into().unwrap();
        let class = SizeClass::for_content_len(content.len() as u64).unwrap();
        seal_with(
            key,
            nonce,
            class,
            ContentKind::File,
            Some(name),
            None,
            content,
        )
        .unwrap()
    }

    /// A blob around any plaintext, as a sender with bad intentions would make it.
    fn forge(header: &[u8], content: &[u8]) -> Sealed {
        let key = FileKey::from_bytes([5; 32]);
        let mut bytes = [&key.commitment()[..], &[9; 12]].concat();
        bytes.extend_from_slice(&u32::try_from(header.len()).unwrap().to_le_bytes());
        bytes.extend_from_slice(header);
        bytes.resize(CONTENT_START, 0);
        bytes.extend_from_slice(content);
        bytes.resize(65_536 - TAG_LEN, 0);
        let tag = key
            .cipher()
            .encrypt_inout_detached(&Nonce::from([9; 12]), AAD, bytes[44..].as_mut().into())
            .unwrap();
        bytes.extend_from_slice(&tag);
        let digest = Digest::of(&bytes);
        Sealed {
            blob: SealedBlob {
                bytes: bytes.into(),
                class: SizeClass::ALL[0],
            },
            key,
            digest,
        }
    }

    #[test]
    fn published_blob() {
        let vector = &vectors()["blob"];
        let content = hex(&vector["content"]);
        let sealed = seal_vector(vector, vector["name"].as_str().unwrap(), &content);
        let bytes = sealed.blob.as_bytes();
        assert_eq!(bytes.len() as u64, vector["class"].as_u64().unwrap());
        assert_eq!(sealed.key.commitment().to_vec(), hex(&vector["commitment"]));
        assert_eq!(bytes[..64], hex(&vector["first_64"]));
        assert_eq!(bytes[bytes.len() - 16..], hex(&vector["last_16"]));
        assert_eq!(sealed.digest.to_hex(), vector["digest"].as_str().unwrap());

        let empty = seal_vector(vector, vector["empty_name"].as_str().unwrap(), &[]);
        assert_eq!(
            empty.digest.to_hex(),
            vector["empty_digest"].as_str().unwrap()
        );
        let opened = empty
            .blob
            .open(&empty.key)
            .unwrap_or_else(|error| panic!("{error}"));
        assert!(opened.content().is_empty());
    }

    #[test]
    fn published_largest_blob() {
        let vector = &vectors()["blob_largest"];
        let content: Vec<u8> = (0..MAX_CONTENT_LEN)
            .map(|i| u8::try_from(7 * i % 251).unwrap())
            .collect();
        let sealed = seal_vector(vector, vector["name"].as_str().unwrap(), &content);
        assert_eq!(
            sealed.blob.as_bytes().len() as u64,
            vector["class"].as_u64().unwrap()
        );
        assert_eq!(sealed.digest.to_hex(), vector["digest"].as_str().unwrap());
        let blob = UnverifiedBlob::new(sealed.blob.into_bytes())
            .verify(&sealed.digest)
            .ok()
            .unwrap();
        let opened = blob.open(&sealed.key).ok().unwrap();
        assert!(opened.content() == content);
        assert_eq!(opened.header().name.as_deref(), Some("big.bin"));
    }

    #[test]
    fn contents_around_each_capacity_take_their_class() {
        for class in &SizeClass::ALL[..2] {
            for len in [class.capacity() - 1, class.capacity(), class.capacity() + 1] {
                let content = vec![0xa5; len];
                let sealed = seal(ContentKind::File, None, None, &content, &mut rng())
                    .ok()
                    .unwrap();
                assert_eq!(sealed.blob.class() > *class, len > class.capacity());
                assert!(sealed.blob.open(&sealed.key).ok().unwrap().content() == content);
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let too_long = vec![0; usize::try_from(MAX_CONTENT_LEN).unwrap() + 1];
        assert_eq!(
            seal(ContentKind::File, None, None, &too_long, &mut rng()).err(),
            Some(SealError::TooLong)
        );
        for name in ["", &"x".repeat(256)] {
            assert_eq!(
                seal(ContentKind::File, Some(name), None, b"", &mut rng()).err(),
                Some(SealError::Name)
            );
        }
        assert_eq!(
            seal(ContentKind::Part, Some("x"), None, b"", &mut rng()).err(),
            Some(SealError::Name)
        );
    }

    #[test]
    fn sealing_again_gives_another_blob() {
        let mut rng = rng();
        let one = seal(ContentKind::File, Some("x"), None, b"x", &mut rng)
            .ok()
            .unwrap();
        let two = seal(ContentKind::File, Some("x"), None, b"x", &mut rng)
            .ok()
            .unwrap();
        assert_ne!(one.key.as_bytes(), two.key.as_bytes());
        assert_ne!(one.blob.as_bytes()[..44], two.blob.as_bytes()[..44]);
    }

    #[test]
    fn changed_and_cut_bytes_are_not_verified() {
        let sealed = seal(ContentKind::File, None, None, b"x", &mut rng())
            .ok()
            .unwrap();
        let bytes = sealed.blob.into_bytes();
        for at in [0, 31, 32, 43, 44, 1071, 1072, 1073, 40_000, bytes.len() - 1] {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1;
            let verified = UnverifiedBlob::new(bytes).verify(&sealed.digest);
            assert_eq!(verified.err(), Some(VerifyError::DigestMismatch));
        }
        for len in [0, 1, bytes.len() - 1] {
            let verified = UnverifiedBlob::new(bytes[..len].to_vec()).verify(&sealed.digest);
            assert_eq!(verified.err(), Some(VerifyError::WrongLength));
        }
    }

    #[test]
    fn wrong_key_and_broken_seal_are_told_apart() {
        let sealed = seal(ContentKind::File, None, None, b"x", &mut rng())
            .ok()
            .unwrap();
        let bytes = sealed.blob.into_bytes();
        let open = |bytes: Vec<u8>, key: &FileKey| {
            let digest = Digest::of(&bytes);
            UnverifiedBlob::new(bytes)
                .verify(&digest)
                .ok()
                .unwrap()
                .open(key)
                .err()
        };
        assert_eq!(
            open(bytes.clone(), &FileKey::from_bytes([1; 32])),
            Some(OpenError::WrongKey)
        );
        for (at, error) in [
            (0, OpenError::WrongKey),
            (32, OpenError::Corrupt),
            (65_535, OpenError::Corrupt),
        ] {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1;
            assert_eq!(open(bytes, &sealed.key), Some(error));
        }
        assert_eq!(open(bytes, &sealed.key), None);
    }

    #[test]
    fn every_deviation_inside_is_refused() {
        let long_name = [&[0xa3, 0, 0, 1, 0, 2, 0x79, 1, 0][..], &[b'x'; 256]].concat();
        for (header, content, error) in [
            (&[0xa2, 0, 0, 1, 1][..], &b"xx"[..], OpenError::Malformed), // padding
            (&[0xa2, 0, 0, 1, 0x18, 1], b"x", OpenError::Malformed), // longer integer than needed
            (&[0xa2, 1, 1, 0, 0], b"x", OpenError::Malformed),       // order
            (&[0xbf, 0, 0, 1, 1, 0xff], b"x", OpenError::Malformed), // indefinite length
            (&[0xa2, 0, 0, 1, 1, 0], b"x", OpenError::Malformed),    // trailing
            (&[0xa1, 0, 0], b"", OpenError::Malformed),              // no length
            (&[0xa1, 1, 0], b"", OpenError::Malformed),              // no kind
            (&[0xa3, 0, 0, 1, 0, 2, 0x60], b"", OpenError::Malformed), // empty name
            (&long_name, b"", OpenError::Malformed),
            (
                &[0xa3, 0, 3, 1, 0, 2, 0x61, b'x'],
                b"",
                OpenError::Malformed,
            ), // a part with a name
            (&[0xa3, 0, 3, 1, 0, 4, 0], b"", OpenError::Malformed), // a part with a date
            (
                &[0xa2, 0, 0, 1, 0x19, 0xfb, 0xc1],
                b"",
                OpenError::Malformed,
            ), // longer than the blob
            (&[0xa2, 0, 0x60, 1, 0], b"", OpenError::Malformed),    // kind as text
            (&[0xa2, 0, 4, 1, 0], b"", OpenError::Newer),
            (&[0xa3, 0, 0, 1, 0, 3, 0], b"", OpenError::Newer),
            (&[], b"", OpenError::Malformed),
        ] {
            let forged = forge(header, content);
            assert_eq!(
                forged.blob.open(&forged.key).err(),
                Some(error),
                "{header:?}"
            );
        }
        let fine = forge(&[0xa2, 0, 0, 1, 1], b"x");
        assert!(fine.blob.open(&fine.key).is_ok());

        let mut overlong = forge(&[0xa2, 0, 0, 1, 0], b"").blob.into_bytes();
        let key = FileKey::from_bytes([5; 32]);
        overlong.truncate(65_520);
        let mut plain = vec![0; 65_520 - 44];
        plain[..4].copy_from_slice(&1025_u32.to_le_bytes());
        let tag = key
            .cipher()
            .encrypt_inout_detached(&Nonce::from([9; 12]), AAD, plain.as_mut_slice().into())
            .unwrap();
        let bytes = [&overlong[..44], &plain, &tag].concat();
        let blob = SealedBlob {
            bytes: bytes.into(),
            class: SizeClass::ALL[0],
        };
        assert_eq!(blob.open(&key).err(), Some(OpenError::Malformed));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn what_goes_in_comes_out(
            content in proptest::collection::vec(any::<u8>(), 0..4096),
            name in proptest::option::of("\\PC{1,60}"),
            modified in any::<Option<u64>>(),
            seed in any::<u64>(),
        ) {
            let mut rng = ChaCha20Rng::seed_from_u64(seed);
            let sealed = seal(ContentKind::Folder, name.as_deref(), modified, &content, &mut rng).ok().unwrap();
            let blob = UnverifiedBlob::new(sealed.blob.into_bytes()).verify(&sealed.digest).ok().unwrap();
            let opened = blob.open(&sealed.key).ok().unwrap();
            prop_assert_eq!(opened.content(), &content[..]);
            let content_len = content.len() as u64;
            let header = Header { kind: ContentKind::Folder, content_len, name, modified };
            prop_assert!(*opened.header() == header);
        }

        #[test]
        fn no_header_panics(mut header in proptest::collection::vec(any::<u8>(), 0..64), map in any::<bool>()) {
            if map && let Some(first) = header.first_mut() {
                *first = 0xa0 | (*first & 7);
            }
            let forged = forge(&header, b"content");
            drop(forged.blob.open(&forged.key));
        }
    }
}
