//! The list of parts: which blobs make up a whole, in which order, and the secret that opens them.

use data_encoding::BASE64URL_NOPAD;
use rand_core::CryptoRng;
use thiserror::Error;
use zeroize::Zeroizing;

use super::plan::{DIGEST_LEN, PACKED_ID_LEN, PlanError, ROOM_FOR_THE_REST};
use super::{PartIndex, PartPlan, PartsSecret, Store};
use crate::protocol::address::FileId;
use crate::protocol::cbor::{MapWriter, NotStrict, StrictReader};
use crate::protocol::digest::Digest;
use crate::protocol::pointer::{Pointer, PointerMismatch};
use crate::protocol::seal::{ContentKind, Opened, SealError, Sealed, seal};

/// The list of a whole in parts: made by its sender ([`PartListBuilder`]), or read from the opened blob that a pointer
/// means ([`PartList::read`]), or taken back from the state of a transfer
/// ([`RecipientRecord`](crate::protocol::resume::RecipientRecord)), to which it was written after it was read so.
pub struct PartList {
    kind: ContentKind,
    plan: PartPlan,
    secret: PartsSecret,
    ids: Ids,
    digests: Vec<u8>,
    mirror_ids: Option<Ids>,
}

impl PartList {
    /// Reads the list in an opened blob, and checks that it is the one that `pointer` describes.
    ///
    /// `mirrored` says whether the pointer names a mirror (key 12 of the format). [`Pointer`] does not hold one yet and
    /// refuses those that do as of a newer version, so it is `false` for every pointer of this version.
    ///
    /// # Errors
    /// [`ReadListError`]: no part may be fetched.
    pub fn read(opened: &Opened, pointer: &Pointer, mirrored: bool) -> Result<Self, ReadListError> {
        pointer.check(opened.header())?;
        if pointer.kind != ContentKind::PartList {
            return Err(PointerMismatch::Kind.into());
        }
        Self::decode(opened.content(), pointer.content_len, mirrored)
    }

    /// Reads the content of a list of which it is known that it was verified: for [`PartList::read`] and for the state of a
    /// transfer, which is sealed.
    pub(in crate::protocol) fn decode(
        content: &[u8],
        whole_len: u64,
        mirrored: bool,
    ) -> Result<Self, ReadListError> {
        let fields = ListFields::read(content)?;
        let kind = match ContentKind::from_number(fields.kind.ok_or(MALFORMED)?) {
            Some(kind @ (ContentKind::File | ContentKind::Folder)) => kind,
            Some(ContentKind::PartList | ContentKind::Part) => return Err(ReadListError::Nested),
            None => return Err(ReadListError::Newer),
        };
        let secret = PartsSecret::from_bytes(*fields.secret.ok_or(MALFORMED)?);
        let digests = fields.digests.ok_or(MALFORMED)?;
        let ids = fields.ids.ok_or(MALFORMED)?;
        if fields.mirror_ids.is_some() != mirrored {
            return Err(ReadListError::Mirror);
        }
        let len = fields.len.ok_or(MALFORMED)?;
        if len != whole_len {
            return Err(PointerMismatch::Length.into());
        }
        if !digests.len().is_multiple_of(DIGEST_LEN) {
            return Err(ReadListError::Malformed);
        }
        // Whatever does not fit into 32 bits is too many as well.
        let parts = u32::try_from(digests.len() / DIGEST_LEN).unwrap_or(u32::MAX);
        let plan = PartPlan::new(len, parts)?;
        let ids = ids.take(parts)?;
        let mirror_ids = fields.mirror_ids.map(|ids| ids.take(parts)).transpose()?;
        if has_twice(digests.chunks_exact(DIGEST_LEN).collect()) {
            return Err(ReadListError::DigestTwice);
        }
        Ok(Self {
            kind,
            plan,
            secret,
            ids,
            digests: digests.to_vec(),
            mirror_ids,
        })
    }

    /// The kind of the whole: a file or a folder.
    #[must_use]
    pub const fn kind(&self) -> ContentKind {
        self.kind
    }

    /// How the whole is cut.
    #[must_use]
    pub const fn plan(&self) -> &PartPlan {
        &self.plan
    }

    /// The id of a part at the server or its mirror; `None` without a mirror, and for an index of a longer plan.
    #[must_use]
    pub fn id(&self, store: Store, index: PartIndex) -> Option<FileId> {
        match store {
            Store::Server => self.ids.get(index),
            Store::Mirror => self.mirror_ids.as_ref()?.get(index),
        }
    }

    /// Whether the parts are at a mirror too.
    #[must_use]
    pub const fn is_mirrored(&self) -> bool {
        self.mirror_ids.is_some()
    }

    /// Seals the list, which is done last, when every part is stored. `name` is that of the whole.
    ///
    /// # Errors
    /// [`SealError`] when the list fits no blob, which [`Layout::for_sending`](super::Layout::for_sending) tells before
    /// anything is sent, or the name no header.
    pub fn seal(
        &self,
        name: Option<&str>,
        modified: Option<u64>,
        rng: &mut impl CryptoRng,
    ) -> Result<Sealed, SealError> {
        seal(ContentKind::PartList, name, modified, &self.encode(), rng)
    }

    /// The content of the list's blob.
    pub(in crate::protocol) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mirror_len = self.mirror_ids.as_ref().map_or(0, Ids::len_bytes);
        let room = self.ids.len_bytes() + self.digests.len() + mirror_len;
        let mut map = MapWriter::with_room(room + ROOM_FOR_THE_REST);
        map.uint(0, self.kind.number());
        map.uint(1, self.plan.whole_len());
        map.bytes(2, self.secret.as_bytes());
        self.ids.write(&mut map, 3);
        map.bytes(4, &self.digests);
        if let Some(ids) = &self.mirror_ids {
            ids.write(&mut map, 5);
        }
        map.finish()
    }

    pub(super) const fn secret(&self) -> &PartsSecret {
        &self.secret
    }

    pub(super) fn digest(&self, index: PartIndex) -> Option<Digest> {
        let digest = *chunk::<DIGEST_LEN>(&self.digests, index)?;
        Some(Digest::from_bytes(digest))
    }
}

/// Collects what the sender knows of each stored part, in order, into a [`PartList`].
pub struct PartListBuilder {
    kind: ContentKind,
    plan: PartPlan,
    secret: PartsSecret,
    ids: IdsBuilder,
    digests: Vec<u8>,
    mirror_ids: Option<IdsBuilder>,
}

impl PartListBuilder {
    /// Begins the list of a file or a folder.
    ///
    /// # Errors
    /// [`BuildListError::Kind`] when `kind` is neither.
    pub fn new(
        kind: ContentKind,
        plan: PartPlan,
        secret: PartsSecret,
        mirrored: bool,
    ) -> Result<Self, BuildListError> {
        match kind {
            ContentKind::File | ContentKind::Folder => Ok(Self {
                kind,
                plan,
                secret,
                ids: IdsBuilder::default(),
                digests: Vec::with_capacity(DIGEST_LEN * plan.parts() as usize),
                mirror_ids: mirrored.then(IdsBuilder::default),
            }),
            ContentKind::PartList | ContentKind::Part => Err(BuildListError::Kind),
        }
    }

    /// Adds the next part: its digest, its id at the server and, when there is one, at the mirror.
    ///
    /// # Errors
    /// [`BuildListError`] when it is one too many, or the id at the mirror is missing or superfluous.
    pub fn push(
        &mut self,
        digest: &Digest,
        id: &FileId,
        mirror_id: Option<&FileId>,
    ) -> Result<(), BuildListError> {
        if self.digests.len() == DIGEST_LEN * self.plan.parts() as usize {
            return Err(BuildListError::Count);
        }
        match (&mut self.mirror_ids, mirror_id) {
            (Some(ids), Some(id)) => ids.push(id),
            (None, None) => {}
            (Some(_), None) | (None, Some(_)) => return Err(BuildListError::Mirror),
        }
        self.ids.push(id);
        self.digests.extend_from_slice(digest.as_bytes());
        Ok(())
    }

    /// The list of all parts.
    ///
    /// # Errors
    /// [`BuildListError`] when parts are missing, or a digest or an id is there twice, which a recipient refuses.
    pub fn finish(self) -> Result<PartList, BuildListError> {
        let parts = self.plan.parts();
        if self.digests.len() != DIGEST_LEN * parts as usize {
            return Err(BuildListError::Count);
        }
        if has_twice(self.digests.chunks_exact(DIGEST_LEN).collect()) {
            return Err(BuildListError::Twice);
        }
        let finish = |ids: IdsBuilder| ids.finish().take(parts).or(Err(BuildListError::Twice));
        Ok(PartList {
            kind: self.kind,
            plan: self.plan,
            secret: self.secret,
            ids: finish(self.ids)?,
            digests: self.digests,
            mirror_ids: self.mirror_ids.map(finish).transpose()?,
        })
    }
}

/// Why a sender's list cannot be made.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum BuildListError {
    /// There are fewer or more parts than the plan has.
    #[error("the list does not have as many parts as the plan")]
    Count,
    /// The whole is neither a file nor a folder.
    #[error("only a file or a folder has parts")]
    Kind,
    /// An id at the mirror is missing, or there although there is no mirror.
    #[error("a part has an id at the mirror exactly when there is one")]
    Mirror,
    /// A digest or an id is there twice.
    #[error("two parts have the same digest or id")]
    Twice,
}

/// Why a list is refused before any part is fetched.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ReadListError {
    /// Two parts have the same digest.
    #[error("a digest is in the list of parts twice")]
    DigestTwice,
    /// There are not as many ids as digests.
    #[error("the list of parts does not have as many ids as digests")]
    IdCount,
    /// Two parts have the same id.
    #[error("an id is in the list of parts twice")]
    IdTwice,
    /// An id is not one that any server gives.
    #[error("the list of parts has an id that is none")]
    InvalidId,
    /// The list is not in its one form, or a field has another type or length or is missing.
    #[error("the list of parts is malformed")]
    Malformed,
    /// The list has ids at a mirror and the pointer no mirror, or the other way round.
    #[error("a mirror in the pointer and ids there must come together")]
    Mirror,
    /// The pointer describes something else.
    #[error(transparent)]
    Mismatch(#[from] PointerMismatch),
    /// The whole is itself a list or a part.
    #[error("a list of parts inside a list of parts")]
    Nested,
    /// The list has something that this version does not know.
    #[error("the list of parts was made by a newer version")]
    Newer,
    /// The whole cannot be cut into so many parts.
    #[error(transparent)]
    Plan(#[from] PlanError),
}

impl From<NotStrict> for ReadListError {
    fn from(_: NotStrict) -> Self {
        Self::Malformed
    }
}

const MALFORMED: ReadListError = ReadListError::Malformed;

#[derive(Default)]
struct ListFields<'a> {
    kind: Option<u64>,
    len: Option<u64>,
    secret: Option<Zeroizing<[u8; 32]>>,
    ids: Option<RawIds<'a>>,
    digests: Option<&'a [u8]>,
    mirror_ids: Option<RawIds<'a>>,
}

impl<'a> ListFields<'a> {
    fn read(content: &'a [u8]) -> Result<Self, ReadListError> {
        let mut reader = StrictReader::new(content);
        let mut keys = reader.map()?;
        let mut fields = Self::default();
        while let Some(key) = keys.next(&mut reader)? {
            match key {
                0 => fields.kind = Some(reader.uint()?),
                1 => fields.len = Some(reader.uint()?),
                2 => fields.secret = Some(Zeroizing::new(reader.array()?)),
                3 => fields.ids = Some(RawIds::read(&mut reader)?),
                4 => fields.digests = Some(reader.bytes()?),
                5 => fields.mirror_ids = Some(RawIds::read(&mut reader)?),
                _ => return Err(ReadListError::Newer),
            }
        }
        if reader.is_empty() {
            Ok(fields)
        } else {
            Err(MALFORMED)
        }
    }
}

/// Ids as they stand in a list.
#[derive(Clone, Copy)]
enum RawIds<'a> {
    Packed(&'a [u8]),
    Text(&'a str),
}

impl<'a> RawIds<'a> {
    fn read(reader: &mut StrictReader<'a>) -> Result<Self, NotStrict> {
        if reader.is_text_next() {
            reader.text().map(Self::Text)
        } else {
            reader.bytes().map(Self::Packed)
        }
    }

    /// Keeps them if they are `parts` different ids in their one form.
    fn take(self, parts: u32) -> Result<Ids, ReadListError> {
        let parts = parts as usize;
        match self {
            Self::Packed(bytes) => {
                if bytes.len() != PACKED_ID_LEN * parts {
                    return Err(ReadListError::IdCount);
                }
                if has_twice(bytes.chunks_exact(PACKED_ID_LEN).collect()) {
                    return Err(ReadListError::IdTwice);
                }
                Ok(Ids::Packed(bytes.to_vec()))
            }
            Self::Text(text) => {
                // Counted before any memory is taken for them.
                if text.split(' ').count() != parts {
                    return Err(ReadListError::IdCount);
                }
                let mut ids = Vec::with_capacity(parts);
                let mut all_packed = true;
                for id in text.split(' ') {
                    let id_of_server = FileId::parse(id).or(Err(ReadListError::InvalidId))?;
                    all_packed &= packed(&id_of_server).is_some();
                    ids.push(id);
                }
                if all_packed {
                    return Err(MALFORMED);
                }
                let starts = starts_of(&ids);
                if has_twice(ids) {
                    return Err(ReadListError::IdTwice);
                }
                Ok(Ids::Text {
                    text: text.to_owned(),
                    starts,
                })
            }
        }
    }
}

/// The ids of all parts at one server.
enum Ids {
    /// 16 bytes each.
    Packed(Vec<u8>),
    /// With single spaces between, and where each begins.
    Text { text: String, starts: Vec<u32> },
}

impl Ids {
    fn get(&self, index: PartIndex) -> Option<FileId> {
        match self {
            Self::Packed(bytes) => {
                let id = chunk::<PACKED_ID_LEN>(bytes, index)?;
                FileId::parse(&BASE64URL_NOPAD.encode(id)).ok()
            }
            Self::Text { text, starts } => {
                let start = *starts.get(index.get() as usize)?;
                let id = text.get(start as usize..)?.split(' ').next()?;
                FileId::parse(id).ok()
            }
        }
    }

    fn len_bytes(&self) -> usize {
        match self {
            Self::Packed(bytes) => bytes.len(),
            Self::Text { text, .. } => text.len(),
        }
    }

    fn write(&self, map: &mut MapWriter, key: u64) {
        match self {
            Self::Packed(bytes) => map.bytes(key, bytes),
            Self::Text { text, .. } => map.text(key, text),
        }
    }
}

/// Ids as they come in, packed as long as all of them can be.
enum IdsBuilder {
    Packed(Vec<u8>),
    Text(String),
}

impl Default for IdsBuilder {
    fn default() -> Self {
        Self::Packed(Vec::new())
    }
}

impl IdsBuilder {
    fn push(&mut self, id: &FileId) {
        let packed = packed(id);
        match (&mut *self, packed) {
            (Self::Packed(bytes), Some(packed)) => bytes.extend_from_slice(&packed),
            (Self::Packed(bytes), None) => {
                let so_far = bytes.chunks_exact(PACKED_ID_LEN);
                let mut text = String::new();
                for packed in so_far {
                    BASE64URL_NOPAD.encode_append(packed, &mut text);
                    text.push(' ');
                }
                text.push_str(id.as_str());
                *self = Self::Text(text);
            }
            (Self::Text(text), _) => {
                text.push(' ');
                text.push_str(id.as_str());
            }
        }
    }

    fn finish(&self) -> RawIds<'_> {
        match self {
            Self::Packed(bytes) => RawIds::Packed(bytes),
            Self::Text(text) => RawIds::Text(text),
        }
    }
}

/// The 16 bytes of an id of 22 characters; `None` for an id that is not those bytes written as text.
fn packed(id: &FileId) -> Option<[u8; PACKED_ID_LEN]> {
    let mut bytes = [0; PACKED_ID_LEN];
    let text = id.as_str().as_bytes();
    if text.len() != BASE64URL_NOPAD.encode_len(PACKED_ID_LEN) {
        return None;
    }
    BASE64URL_NOPAD.decode_mut(text, &mut bytes).ok()?;
    Some(bytes)
}

/// Where each id begins in their text.
fn starts_of(ids: &[&str]) -> Vec<u32> {
    let mut next = 0;
    ids.iter()
        .map(|id| {
            let start = next;
            // A list is at most 10 MB, so this is exact.
            next += u32::try_from(id.len() + 1).unwrap_or(u32::MAX);
            start
        })
        .collect()
}

fn chunk<const N: usize>(bytes: &[u8], index: PartIndex) -> Option<&[u8; N]> {
    bytes
        .get(N * index.get() as usize..)
        .and_then(<[u8]>::first_chunk)
}

/// Whether something is there twice.
fn has_twice<T: Ord>(mut all: Vec<T>) -> bool {
    all.sort_unstable();
    all.windows(2)
        .any(|pair| matches!(pair, [one, next] if one == next))
}
