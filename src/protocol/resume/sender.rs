//! What a sender keeps of a share in parts: the source, the secrets, and for each part what was sealed and is confirmed.

use rand_core::CryptoRng;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::ReplayError;
use super::log::EncodedRecord;
use crate::protocol::address::{FileId, ServerAddress};
use crate::protocol::bytes::Reader;
use crate::protocol::capability::{OwnedId, OwnerToken};
use crate::protocol::cbor::{MapWriter, StrictReader};
use crate::protocol::digest::Digest;
use crate::protocol::parts::{
    BuildListError, PartIndex, PartList, PartListBuilder, PartPlan, PartsOwner, PartsSecret, Store,
};
use crate::protocol::seal::{ContentKind, FileKey};

/// What is shared, and what tells whether it has changed since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// One file.
    File {
        /// Its path, in the bytes of this system.
        path: Vec<u8>,
        /// What it looked like at the start.
        stamp: FileStamp,
    },
    /// A folder, or several files and folders.
    Folder {
        /// The path of each thing that was dropped, in the bytes of this system.
        roots: Vec<Vec<u8>>,
        /// The [`FolderStamp`] of the start.
        stamp: Digest,
    },
}

/// What a file looked like when a transfer began. A later look that differs means that the file has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileStamp {
    /// Its length, in bytes.
    pub len_bytes: u64,
    /// When its bytes were changed, in nanoseconds since 1970.
    pub modified_nanos: i64,
    /// When anything of it was changed, in nanoseconds since 1970, where the system keeps that.
    pub changed_nanos: Option<i64>,
    /// Its number in the file system, where there is one.
    pub inode: Option<u64>,
}

/// The stamps of all files of a folder in one digest, so that a folder of a million files needs no more room in the state
/// than a file does.
#[derive(Clone, Default)]
pub struct FolderStamp(Sha256);

impl FolderStamp {
    /// Adds the next file or empty folder, in the order of the manifest.
    pub fn add(&mut self, path: &str, stamp: &FileStamp) {
        self.0.update((path.len() as u64).to_le_bytes());
        self.0.update(path);
        let encoded = stamp.encode();
        self.0.update((encoded.len() as u64).to_le_bytes());
        self.0.update(&**encoded);
    }

    /// The digest of all stamps.
    #[must_use]
    pub fn finish(self) -> Digest {
        Digest::from_bytes(self.0.finalize().into())
    }
}

/// What the sender wants, beside the content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wishes {
    /// How long the server is to keep it, in seconds.
    pub keep_secs: u64,
    /// Download receipts: how many downloads are allowed, 0 for any number.
    pub receipts: Option<u64>,
    /// The name of the whole; several files together have none.
    pub name: Option<String>,
    /// Whether the pointer holds the name.
    pub name_in_pointer: bool,
    /// When the whole was last changed, in unix seconds, if recipients are to learn it.
    pub modified: Option<u64>,
    /// The relay list that the pointer names.
    pub relay_list: Option<String>,
}

/// How a share in parts begins.
pub struct SenderBegin {
    /// What is shared.
    pub source: Source,
    /// Whether it is a file or a folder.
    pub kind: ContentKind,
    /// How it is cut.
    pub plan: PartPlan,
    /// What the keys of the parts follow from.
    pub secret: PartsSecret,
    /// What the owner tokens follow from.
    pub owner: PartsOwner,
    /// The server.
    pub server: ServerAddress,
    /// The mirror, if there is one.
    pub mirror: Option<ServerAddress>,
    /// What the sender wants.
    pub wishes: Wishes,
}

impl SenderBegin {
    /// A share with fresh secrets.
    pub fn generate(
        source: Source,
        kind: ContentKind,
        plan: PartPlan,
        server: ServerAddress,
        wishes: Wishes,
        rng: &mut impl CryptoRng,
    ) -> Self {
        Self {
            source,
            kind,
            plan,
            secret: PartsSecret::generate(rng),
            owner: PartsOwner::generate(rng),
            server,
            mirror: None,
            wishes,
        }
    }
}

/// A blob that was sealed to be sent: enough to find it again at a server, whatever became of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealedAt {
    /// The digest of the blob.
    pub digest: Digest,
    /// The hour with which it expires, since 1970.
    pub hour: u32,
}

/// One part at one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartAt {
    /// The part.
    pub index: PartIndex,
    /// The server.
    pub store: Store,
}

/// A blob that another one took the place of. It may still be at the server, until it expires or is deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Superseded {
    /// The part; `None` for the list.
    pub index: Option<PartIndex>,
    /// The server that it may be at.
    pub store: Store,
    /// The blob, with the hour that this server was told.
    pub sealed: SealedAt,
    /// Its id there.
    pub id: FileId,
}

/// What is appended to the state of a share.
pub enum SenderRecord {
    /// The first record.
    Begin(Box<SenderBegin>),
    /// A part was sealed, also anew: then a list that was sealed before is worth nothing more. Written before it is sent.
    Sealed {
        /// The part.
        index: PartIndex,
        /// The blob.
        sealed: SealedAt,
    },
    /// A server confirmed that it has a part.
    Confirmed {
        /// Which part, where.
        part: PartAt,
        /// The id that it gave, if that does not follow from hour, owner and digest.
        id: Option<FileId>,
    },
    /// A server keeps a part until another hour.
    Extended {
        /// Which part, where.
        part: PartAt,
        /// The hour with which it expires, since 1970.
        hour: u32,
    },
    /// The list was sealed. Written before it is sent.
    ListSealed {
        /// The blob.
        sealed: SealedAt,
        /// Its key, which goes into the pointer.
        key: FileKey,
    },
    /// A server confirmed that it has the list.
    ListConfirmed {
        /// The server.
        store: Store,
        /// The id that it gave, if that does not follow from hour, owner and digest.
        id: Option<FileId>,
    },
}

/// The state of a share, from its records.
pub struct SenderState {
    begin: SenderBegin,
    parts: Vec<Blob>,
    list: Blob,
    list_key: Option<FileKey>,
    /// Blobs that were sealed before those, with the id that the server gave.
    superseded: Vec<(Option<PartIndex>, Store, SealedAt, Option<FileId>)>,
}

/// What is known of one blob.
#[derive(Clone, Default)]
struct Blob {
    sealed: Option<SealedAt>,
    server: Stored,
    mirror: Stored,
}

/// What is known of one blob at one server.
#[derive(Clone, Default)]
struct Stored {
    confirmed: bool,
    id: Option<FileId>,
    /// The hour that was confirmed, which the id follows from.
    hour: Option<u32>,
    extended: Option<u32>,
}

impl SenderState {
    /// The state of a share that begins.
    #[must_use]
    pub fn new(begin: SenderBegin) -> Self {
        Self {
            parts: vec![Blob::default(); begin.plan.parts() as usize],
            begin,
            list: Blob::default(),
            list_key: None,
            superseded: Vec::new(),
        }
    }

    /// Makes the state of the records of a [`Log`](super::Log).
    ///
    /// # Errors
    /// [`ReplayError`].
    pub fn replay(records: &mut impl Iterator<Item: AsRef<[u8]>>) -> Result<Self, ReplayError> {
        let first = records.next().ok_or(ReplayError::NoBeginning)?;
        let SenderRecord::Begin(begin) = SenderRecord::decode(first.as_ref())? else {
            return Err(ReplayError::NoBeginning);
        };
        let mut state = Self::new(*begin);
        for record in records {
            state.apply(SenderRecord::decode(record.as_ref())?)?;
        }
        Ok(state)
    }

    /// Takes a record that was appended.
    ///
    /// # Errors
    /// [`ReplayError::Malformed`] when it does not fit those before it.
    pub fn apply(&mut self, record: SenderRecord) -> Result<(), ReplayError> {
        match record {
            SenderRecord::Begin(_) => return Err(ReplayError::Malformed),
            SenderRecord::Sealed { index, sealed } => {
                // Sealed anew: what was confirmed was another blob, and a list that was sealed names that one.
                let stores = self.stores();
                let replaced = self.part_mut(index)?.replace(sealed);
                self.supersede(Some(index), stores, &replaced);
                let list = core::mem::take(&mut self.list);
                self.supersede(None, stores, &list);
                self.list_key = None;
            }
            SenderRecord::Confirmed { part, id } => {
                let blob = self.part_mut(part.index)?;
                blob.confirm(part.store, id)?;
            }
            SenderRecord::Extended { part, hour } => {
                let blob = self.part_mut(part.index)?;
                let stored = blob.stored_mut(part.store);
                if !stored.confirmed {
                    return Err(ReplayError::Malformed);
                }
                stored.extended = Some(hour);
            }
            SenderRecord::ListSealed { sealed, key } => {
                let replaced = self.list.replace(sealed);
                self.supersede(None, self.stores(), &replaced);
                self.list_key = Some(key);
            }
            SenderRecord::ListConfirmed { store, id } => self.list.confirm(store, id)?,
        }
        Ok(())
    }

    /// How the share began.
    #[must_use]
    pub const fn begin(&self) -> &SenderBegin {
        &self.begin
    }

    /// The blob of a part that was sealed last; `None` when none was.
    #[must_use]
    pub fn sealed(&self, index: PartIndex) -> Option<SealedAt> {
        self.part(index)?.sealed
    }

    /// Whether a server confirmed a part.
    #[must_use]
    pub fn is_confirmed(&self, part: PartAt) -> bool {
        let blob = self.part(part.index);
        blob.is_some_and(|blob| blob.stored(part.store).confirmed)
    }

    /// The hour since 1970 until which a server keeps a part that it confirmed; `None` for one that it did not.
    #[must_use]
    pub fn kept_until(&self, part: PartAt) -> Option<u32> {
        let blob = self.part(part.index)?;
        let stored = blob.stored(part.store);
        let confirmed = stored.extended.or(stored.hour);
        confirmed.filter(|_hour| stored.confirmed)
    }

    /// The parts that are still to be sent to a server, or about which it must be asked.
    pub fn unconfirmed(&self, store: Store) -> impl Iterator<Item = PartIndex> {
        let indices = self.begin.plan.indices();
        indices.filter(move |index| {
            !self.is_confirmed(PartAt {
                index: *index,
                store,
            })
        })
    }

    /// The id of a part at a server, if it was sealed: whether it is there is another question. Of a server that takes no
    /// owner it is known only once it is confirmed; until then this is an id that the server does not have.
    #[must_use]
    pub fn id(&self, part: PartAt) -> Option<FileId> {
        let token = || self.begin.owner.part_token(part.store, part.index);
        self.part(part.index)?.id(part.store, token)
    }

    /// The list: its blob, and the key that goes into the pointer; `None` before it was sealed, and again after a part was
    /// sealed anew.
    #[must_use]
    pub fn list(&self) -> Option<(SealedAt, &FileKey)> {
        Some((self.list.sealed?, self.list_key.as_ref()?))
    }

    /// Whether a server confirmed the list.
    #[must_use]
    pub const fn is_list_confirmed(&self, store: Store) -> bool {
        self.list.stored(store).confirmed
    }

    /// The id of the list at a server, if it was sealed.
    #[must_use]
    pub fn list_id(&self, store: Store) -> Option<FileId> {
        let token = || self.begin.owner.list_token(store);
        self.list.id(store, token)
    }

    /// The blobs that others took the place of, first the oldest: to be deleted with the share, or once the others are
    /// confirmed. A server may have none of them.
    pub fn superseded(&self) -> impl Iterator<Item = Superseded> {
        let owner = &self.begin.owner;
        self.superseded
            .iter()
            .map(move |(index, store, sealed, given)| {
                let token = || match index {
                    Some(index) => owner.part_token(*store, *index),
                    None => owner.list_token(*store),
                };
                let owned = || OwnedId::new(sealed.hour, &token().hash(), &sealed.digest).file_id();
                Superseded {
                    index: *index,
                    store: *store,
                    sealed: *sealed,
                    id: given.clone().unwrap_or_else(owned),
                }
            })
    }

    /// The hour since 1970 with which the first of all sealed blobs and copies expires: what the pointer says.
    #[must_use]
    pub fn earliest_hour(&self) -> Option<u32> {
        let mirrored = self.begin.mirror.is_some();
        let blobs = self.parts.iter().chain([&self.list]);
        blobs.filter_map(|blob| blob.earliest_hour(mirrored)).min()
    }

    /// The list of all parts, once they are confirmed.
    ///
    /// # Errors
    /// [`BuildListError`] when one is not.
    pub fn part_list(&self) -> Result<PartList, BuildListError> {
        let begin = &self.begin;
        let secret = PartsSecret::from_bytes(*begin.secret.as_bytes());
        let mirrored = begin.mirror.is_some();
        let mut list = PartListBuilder::new(begin.kind, begin.plan, secret, mirrored)?;
        for index in begin.plan.indices() {
            let stored_id = |store| {
                let part = PartAt { index, store };
                self.id(part).filter(|_| self.is_confirmed(part))
            };
            let sealed = self.sealed(index).ok_or(BuildListError::Count)?;
            let id = stored_id(Store::Server).ok_or(BuildListError::Count)?;
            let mirror_id = mirrored.then(|| stored_id(Store::Mirror)).flatten();
            list.push(&sealed.digest, &id, mirror_id.as_ref())?;
        }
        list.finish()
    }

    const fn stores(&self) -> &'static [Store] {
        match self.begin.mirror {
            Some(_) => &[Store::Server, Store::Mirror],
            None => &[Store::Server],
        }
    }

    fn supersede(&mut self, index: Option<PartIndex>, stores: &[Store], blob: &Blob) {
        let Some(sealed) = blob.sealed else {
            return;
        };
        // The same bytes that are kept until another hour are still that blob where they were confirmed.
        let now = match index {
            Some(index) => self.part(index),
            None => Some(&self.list),
        };
        let is_kept = |store: Store| {
            now.is_some_and(|now| now.stored(store).confirmed && blob.stored(store).confirmed)
        };
        let gone: Vec<_> = stores
            .iter()
            .filter(|store| !is_kept(**store))
            .map(|store| {
                let stored = blob.stored(*store);
                let hour = stored.hour.unwrap_or(sealed.hour);
                (
                    index,
                    *store,
                    SealedAt { hour, ..sealed },
                    stored.id.clone(),
                )
            })
            .collect();
        self.superseded.extend(gone);
    }

    fn part(&self, index: PartIndex) -> Option<&Blob> {
        self.parts.get(index.get() as usize)
    }

    fn part_mut(&mut self, index: PartIndex) -> Result<&mut Blob, ReplayError> {
        let blob = self.parts.get_mut(index.get() as usize);
        blob.ok_or(ReplayError::Malformed)
    }
}

impl Blob {
    /// Takes what was sealed anew, and gives back what was known before. What a server confirmed of the same bytes stays:
    /// only for the other one they have another hour.
    fn replace(&mut self, sealed: SealedAt) -> Self {
        let before = core::mem::take(self);
        self.sealed = Some(sealed);
        let is_same = before.sealed.is_some_and(|was| was.digest == sealed.digest);
        for store in [Store::Server, Store::Mirror] {
            let stored = before.stored(store);
            if is_same && stored.confirmed {
                *self.stored_mut(store) = stored.clone();
            }
        }
        before
    }

    const fn stored(&self, store: Store) -> &Stored {
        match store {
            Store::Server => &self.server,
            Store::Mirror => &self.mirror,
        }
    }

    const fn stored_mut(&mut self, store: Store) -> &mut Stored {
        match store {
            Store::Server => &mut self.server,
            Store::Mirror => &mut self.mirror,
        }
    }

    fn confirm(&mut self, store: Store, id: Option<FileId>) -> Result<(), ReplayError> {
        let sealed = self.sealed.ok_or(ReplayError::Malformed)?;
        let stored = self.stored_mut(store);
        stored.confirmed = true;
        stored.hour.get_or_insert(sealed.hour);
        stored.id = id;
        Ok(())
    }

    fn id(&self, store: Store, token: impl FnOnce() -> OwnerToken) -> Option<FileId> {
        let sealed = self.sealed?;
        let stored = self.stored(store);
        let given = stored.id.clone();
        let hour = stored.hour.unwrap_or(sealed.hour);
        let owned = || OwnedId::new(hour, &token().hash(), &sealed.digest).file_id();
        Some(given.unwrap_or_else(owned))
    }

    fn earliest_hour(&self, mirrored: bool) -> Option<u32> {
        let sealed = self.sealed?;
        let hour = |stored: &Stored| stored.extended.or(stored.hour).unwrap_or(sealed.hour);
        let server = hour(&self.server);
        Some(if mirrored {
            server.min(hour(&self.mirror))
        } else {
            server
        })
    }
}

/// The numbers of the kinds of records.
mod number {
    pub(super) const BEGIN: u64 = 0;
    pub(super) const SEALED: u64 = 1;
    pub(super) const CONFIRMED: u64 = 2;
    pub(super) const EXTENDED: u64 = 3;
    pub(super) const LIST_SEALED: u64 = 4;
    pub(super) const LIST_CONFIRMED: u64 = 5;
}

/// More than a beginning has beside its paths, its name and its relay list: two addresses, three times 32 bytes, a stamp.
const ROOM: usize = 2048;
/// More than the stamp of a file has.
const ROOM_FOR_STAMP: usize = 48;

impl SenderRecord {
    /// The record of a share that begins.
    #[must_use]
    pub fn encode_begin(begin: &SenderBegin) -> EncodedRecord {
        EncodedRecord(begin.encode())
    }

    /// The record as it is sealed.
    #[must_use]
    pub fn encode(&self) -> EncodedRecord {
        let mut map = MapWriter::new();
        match self {
            Self::Begin(begin) => return Self::encode_begin(begin),
            Self::Sealed { index, sealed } => {
                map.uint(0, number::SEALED);
                map.uint(1, index.get().into());
                sealed.write(&mut map);
            }
            Self::Confirmed { part, id } => {
                map.uint(0, number::CONFIRMED);
                map.uint(1, part.index.get().into());
                write_store_and_id(&mut map, part.store, id.as_ref());
            }
            Self::Extended { part, hour } => {
                map.uint(0, number::EXTENDED);
                map.uint(1, part.index.get().into());
                map.uint(3, (*hour).into());
                write_store_and_id(&mut map, part.store, None);
            }
            Self::ListSealed { sealed, key } => {
                map.uint(0, number::LIST_SEALED);
                sealed.write(&mut map);
                map.bytes(6, key.as_bytes());
            }
            Self::ListConfirmed { store, id } => {
                map.uint(0, number::LIST_CONFIRMED);
                write_store_and_id(&mut map, *store, id.as_ref());
            }
        }
        EncodedRecord(map.finish())
    }

    /// Reads a record.
    ///
    /// # Errors
    /// [`ReplayError`] when it is not in its one form.
    pub fn decode(bytes: &[u8]) -> Result<Self, ReplayError> {
        let mut reader = StrictReader::new(bytes);
        let mut keys = reader.map()?;
        if keys.next(&mut reader)? != Some(0) {
            return Err(ReplayError::Malformed);
        }
        let kind = reader.uint()?;
        if kind == number::BEGIN {
            let begin = SenderBegin::decode(bytes)?;
            return Ok(Self::Begin(Box::new(begin)));
        }
        let mut fields = SenderFields::default();
        while let Some(key) = keys.next(&mut reader)? {
            fields.take(key, &mut reader)?;
        }
        let record = fields.into_record(kind)?;
        if **record.encode().0 == *bytes {
            Ok(record)
        } else {
            Err(ReplayError::Malformed)
        }
    }
}

fn write_store_and_id(map: &mut MapWriter, store: Store, id: Option<&FileId>) {
    map.uint(4, u64::from(store == Store::Mirror));
    if let Some(id) = id {
        map.text(5, id.as_str());
    }
}

/// The fields of the small records.
#[derive(Default)]
struct SenderFields {
    index: Option<PartIndex>,
    digest: Option<Digest>,
    hour: Option<u32>,
    store: Option<Store>,
    id: Option<FileId>,
    key: Option<FileKey>,
}

impl SenderFields {
    fn take(&mut self, key: u64, reader: &mut StrictReader<'_>) -> Result<(), ReplayError> {
        let malformed = ReplayError::Malformed;
        match key {
            1 => self.index = Some(PartIndex::new(reader.uint()?).ok_or(malformed)?),
            2 => self.digest = Some(Digest::from_bytes(reader.array()?)),
            3 => self.hour = Some(u32::try_from(reader.uint()?).or(Err(malformed))?),
            4 => {
                self.store = Some(match reader.uint()? {
                    0 => Store::Server,
                    1 => Store::Mirror,
                    _ => return Err(malformed),
                });
            }
            5 => self.id = Some(FileId::parse(reader.text()?).or(Err(malformed))?),
            6 => {
                let key = Zeroizing::new(reader.array()?);
                self.key = Some(FileKey::from_bytes(*key));
            }
            _ => return Err(ReplayError::Newer),
        }
        Ok(())
    }

    fn sealed(&self) -> Option<SealedAt> {
        Some(SealedAt {
            digest: self.digest?,
            hour: self.hour?,
        })
    }

    fn part(&self) -> Option<PartAt> {
        Some(PartAt {
            index: self.index?,
            store: self.store?,
        })
    }

    fn into_record(self, kind: u64) -> Result<SenderRecord, ReplayError> {
        let (index, sealed, part) = (self.index, self.sealed(), self.part());
        let record = match kind {
            number::SEALED => index
                .zip(sealed)
                .map(|(index, sealed)| SenderRecord::Sealed { index, sealed }),
            number::CONFIRMED => part.map(|part| SenderRecord::Confirmed { part, id: self.id }),
            number::EXTENDED => part
                .zip(self.hour)
                .map(|(part, hour)| SenderRecord::Extended { part, hour }),
            number::LIST_SEALED => sealed
                .zip(self.key)
                .map(|(sealed, key)| SenderRecord::ListSealed { sealed, key }),
            number::LIST_CONFIRMED => self
                .store
                .map(|store| SenderRecord::ListConfirmed { store, id: self.id }),
            _ => return Err(ReplayError::Newer),
        };
        record.ok_or(ReplayError::Malformed)
    }
}

impl SealedAt {
    fn write(&self, map: &mut MapWriter) {
        map.bytes(2, self.digest.as_bytes());
        map.uint(3, self.hour.into());
    }
}

impl FileStamp {
    fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut map = MapWriter::with_room(ROOM_FOR_STAMP);
        map.uint(0, self.len_bytes);
        map.uint(1, self.modified_nanos.cast_unsigned());
        if let Some(changed) = self.changed_nanos {
            map.uint(2, changed.cast_unsigned());
        }
        if let Some(inode) = self.inode {
            map.uint(3, inode);
        }
        map.finish()
    }

    fn decode(bytes: &[u8]) -> Result<Self, ReplayError> {
        let (mut len, mut modified, mut changed, mut inode) = (None, None, None, None);
        let mut reader = StrictReader::new(bytes);
        let mut keys = reader.map()?;
        while let Some(key) = keys.next(&mut reader)? {
            let value = Some(reader.uint()?);
            match key {
                0 => len = value,
                1 => modified = value,
                2 => changed = value,
                3 => inode = value,
                _ => return Err(ReplayError::Newer),
            }
        }
        Ok(Self {
            len_bytes: len.ok_or(ReplayError::Malformed)?,
            modified_nanos: modified.ok_or(ReplayError::Malformed)?.cast_signed(),
            changed_nanos: changed.map(u64::cast_signed),
            inode,
        })
    }
}

impl SenderBegin {
    fn encode(&self) -> Zeroizing<Vec<u8>> {
        let wishes = &self.wishes;
        let (paths, stamp, is_file) = match &self.source {
            Source::File { path, stamp } => (core::slice::from_ref(path), stamp.encode(), true),
            Source::Folder { roots, stamp } => {
                let stamp = Zeroizing::new(stamp.as_bytes().to_vec());
                (roots.as_slice(), stamp, false)
            }
        };
        let paths = join_paths(paths);
        let texts = [&wishes.name, &wishes.relay_list];
        let texts_len: usize = texts.into_iter().flatten().map(String::len).sum();
        let mut map = MapWriter::with_room(paths.len() + texts_len + ROOM);
        map.uint(0, number::BEGIN);
        map.uint(1, u64::from(!is_file));
        map.bytes(2, &paths);
        map.bytes(3, &stamp);
        map.uint(4, self.kind.number());
        map.uint(5, self.plan.whole_len());
        map.uint(6, self.plan.parts().into());
        map.bytes(7, self.secret.as_bytes());
        map.bytes(8, self.owner.as_bytes());
        map.text(9, &self.server.to_string());
        if let Some(mirror) = &self.mirror {
            map.text(10, &mirror.to_string());
        }
        map.uint(11, wishes.keep_secs);
        if let Some(receipts) = wishes.receipts {
            map.uint(12, receipts);
        }
        if let Some(name) = &wishes.name {
            map.text(13, name);
        }
        map.uint(14, u64::from(wishes.name_in_pointer));
        if let Some(modified) = wishes.modified {
            map.uint(15, modified);
        }
        if let Some(relay_list) = &wishes.relay_list {
            map.text(16, relay_list);
        }
        map.finish()
    }

    fn decode(bytes: &[u8]) -> Result<Self, ReplayError> {
        let mut reader = StrictReader::new(bytes);
        let mut keys = reader.map()?;
        let mut fields = BeginFields::default();
        while let Some(key) = keys.next(&mut reader)? {
            fields.take(key, &mut reader)?;
        }
        let begin = fields.into_begin().ok_or(ReplayError::Malformed)??;
        if **begin.encode() == *bytes {
            Ok(begin)
        } else {
            Err(ReplayError::Malformed)
        }
    }
}

/// The fields of a beginning.
#[derive(Default)]
struct BeginFields<'a> {
    is_folder: Option<u64>,
    paths: Option<&'a [u8]>,
    stamp: Option<&'a [u8]>,
    kind: Option<u64>,
    whole_len: Option<u64>,
    parts: Option<u64>,
    secret: Option<PartsSecret>,
    owner: Option<PartsOwner>,
    server: Option<&'a str>,
    mirror: Option<&'a str>,
    keep_secs: Option<u64>,
    receipts: Option<u64>,
    name: Option<&'a str>,
    name_in_pointer: Option<u64>,
    modified: Option<u64>,
    relay_list: Option<&'a str>,
}

impl<'a> BeginFields<'a> {
    fn take(&mut self, key: u64, reader: &mut StrictReader<'a>) -> Result<(), ReplayError> {
        match key {
            // The kind of the record.
            0 => {
                reader.uint()?;
            }
            1 => self.is_folder = Some(reader.uint()?),
            2 => self.paths = Some(reader.bytes()?),
            3 => self.stamp = Some(reader.bytes()?),
            4 => self.kind = Some(reader.uint()?),
            5 => self.whole_len = Some(reader.uint()?),
            6 => self.parts = Some(reader.uint()?),
            7 => self.secret = Some(PartsSecret::from_bytes(*Zeroizing::new(reader.array()?))),
            8 => self.owner = Some(PartsOwner::from_bytes(*Zeroizing::new(reader.array()?))),
            9 => self.server = Some(reader.text()?),
            10 => self.mirror = Some(reader.text()?),
            11 => self.keep_secs = Some(reader.uint()?),
            12 => self.receipts = Some(reader.uint()?),
            13 => self.name = Some(reader.text()?),
            14 => self.name_in_pointer = Some(reader.uint()?),
            15 => self.modified = Some(reader.uint()?),
            16 => self.relay_list = Some(reader.text()?),
            _ => return Err(ReplayError::Newer),
        }
        Ok(())
    }

    /// `None` when a field is missing or is no value of its kind.
    fn into_begin(self) -> Option<Result<SenderBegin, ReplayError>> {
        let mut paths = split_paths(self.paths?)?;
        let source = if self.is_folder? == 0 {
            let stamp = match FileStamp::decode(self.stamp?) {
                Ok(stamp) => stamp,
                Err(error) => return Some(Err(error)),
            };
            Source::File {
                path: paths.pop()?,
                stamp,
            }
        } else {
            Source::Folder {
                roots: paths,
                stamp: Digest::from_bytes(self.stamp?.try_into().ok()?),
            }
        };
        let parts = u32::try_from(self.parts?).ok()?;
        let mirror = match self.mirror {
            Some(mirror) => Some(mirror.parse().ok()?),
            None => None,
        };
        Some(Ok(SenderBegin {
            source,
            kind: ContentKind::from_number(self.kind?)?,
            plan: PartPlan::new(self.whole_len?, parts).ok()?,
            secret: self.secret?,
            owner: self.owner?,
            server: self.server?.parse().ok()?,
            mirror,
            wishes: Wishes {
                keep_secs: self.keep_secs?,
                receipts: self.receipts,
                name: self.name.map(str::to_owned),
                name_in_pointer: self.name_in_pointer? != 0,
                modified: self.modified,
                relay_list: self.relay_list.map(str::to_owned),
            },
        }))
    }
}

/// Paths one after the other, each behind its length.
fn join_paths(paths: &[Vec<u8>]) -> Vec<u8> {
    let mut joined = Vec::new();
    for path in paths {
        let len = u32::try_from(path.len()).unwrap_or(u32::MAX);
        joined.extend_from_slice(&len.to_le_bytes());
        joined.extend_from_slice(path);
    }
    joined
}

fn split_paths(joined: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut reader = Reader::new(joined);
    let mut paths = Vec::new();
    while !reader.is_empty() {
        let len = usize::try_from(reader.u32_le().ok()?).ok()?;
        paths.push(reader.take(len).ok()?.to_vec());
    }
    Some(paths)
}
