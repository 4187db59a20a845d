//! What a recipient keeps of a download in parts: the pointer, the list, where it goes, and which parts are written.

use core::ops::Range;
use std::sync::Arc;

use super::ReplayError;
use super::log::EncodedRecord;
use crate::protocol::bytes::Reader;
use crate::protocol::cbor::{MapWriter, StrictReader};
use crate::protocol::folder::MAX_ENTRIES;
use crate::protocol::parts::{PartIndex, PartList, PartSet};
use crate::protocol::pointer::Pointer;

/// How a download in parts begins.
pub struct RecipientBegin {
    /// What the person pasted.
    pub pointer: Pointer,
    /// Where the whole goes, in the bytes of this system.
    pub target: Vec<u8>,
    /// The hidden file or folder in which it stands until it is whole, in the bytes of this system. What sweeps leftovers
    /// away must spare it.
    pub temporary: Vec<u8>,
    /// Whether the person agreed that the sender is told.
    pub tell_sender: bool,
}

/// What is appended to the state of a download.
pub enum RecipientRecord {
    /// The first record.
    Begin(Box<RecipientBegin>),
    /// The list was fetched, verified and opened.
    List(Arc<PartList>),
    /// Of a folder only the entries with these numbers are wanted. A person may choose again: less keeps what is written;
    /// anything beyond the choice before makes every part one that is not written.
    Chosen(Vec<Range<u32>>),
    /// The bytes of these parts are written **and synced**: as many of them as are chosen by now, and all of them as long as
    /// nothing was chosen.
    Written {
        /// The first part.
        first: PartIndex,
        /// The last one, which may be the same.
        last: PartIndex,
    },
    /// All that is wanted is written and synced. Written before the whole gets its name: when what it stood in is not there
    /// any more, it was saved.
    Complete,
}

/// The state of a download, from its records.
pub struct RecipientState {
    begin: RecipientBegin,
    list: Option<Arc<PartList>>,
    chosen: Option<Vec<Range<u32>>>,
    written: Option<PartSet>,
    complete: bool,
}

impl RecipientState {
    /// The state of a download that begins.
    #[must_use]
    pub const fn new(begin: RecipientBegin) -> Self {
        Self {
            begin,
            list: None,
            chosen: None,
            written: None,
            complete: false,
        }
    }

    /// Makes the state of the records of a [`Log`](super::Log).
    ///
    /// # Errors
    /// [`ReplayError`].
    pub fn replay(records: &mut impl Iterator<Item: AsRef<[u8]>>) -> Result<Self, ReplayError> {
        let first = records.next().ok_or(ReplayError::NoBeginning)?;
        let RecipientRecord::Begin(begin) = RecipientRecord::decode(first.as_ref())? else {
            return Err(ReplayError::NoBeginning);
        };
        let mut state = Self::new(*begin);
        for record in records {
            state.apply(RecipientRecord::decode(record.as_ref())?)?;
        }
        Ok(state)
    }

    /// Takes a record that was appended.
    ///
    /// # Errors
    /// [`ReplayError::Malformed`] when it does not fit those before it.
    pub fn apply(&mut self, record: RecipientRecord) -> Result<(), ReplayError> {
        match record {
            RecipientRecord::Begin(_) => return Err(ReplayError::Malformed),
            RecipientRecord::List(list) => {
                let expected = self.begin.pointer.content_len;
                if self.list.is_some() || list.plan().whole_len() != expected {
                    return Err(ReplayError::Malformed);
                }
                self.written = Some(PartSet::none_of(list.plan()));
                self.list = Some(list);
            }
            RecipientRecord::Chosen(entries) => {
                // Of a part only what was chosen then is written. Who chooses more needs the rest of it too.
                let before = self.chosen.as_deref();
                let is_less = before.is_none_or(|before| lies_within(&entries, before));
                if let (false, Some(list)) = (is_less, &self.list) {
                    self.written = Some(PartSet::none_of(list.plan()));
                    self.complete = false;
                }
                self.chosen = Some(entries);
            }
            RecipientRecord::Written { first, last } => {
                let list = self.list.as_ref().ok_or(ReplayError::Malformed)?;
                let written = self.written.as_mut().ok_or(ReplayError::Malformed)?;
                for number in first.get()..=last.get() {
                    let index = list.plan().index(number);
                    written.insert(index.ok_or(ReplayError::Malformed)?);
                }
            }
            RecipientRecord::Complete => {
                if self.list.is_none() {
                    return Err(ReplayError::Malformed);
                }
                self.complete = true;
            }
        }
        Ok(())
    }

    /// How the download began.
    #[must_use]
    pub const fn begin(&self) -> &RecipientBegin {
        &self.begin
    }

    /// The list of parts; `None` before it was fetched.
    #[must_use]
    pub const fn list(&self) -> Option<&Arc<PartList>> {
        self.list.as_ref()
    }

    /// The numbers of the entries that are wanted; `None` for all.
    #[must_use]
    pub fn chosen(&self) -> Option<&[Range<u32>]> {
        self.chosen.as_deref()
    }

    /// Whether the bytes of a part are written and synced.
    #[must_use]
    pub fn is_written(&self, index: PartIndex) -> bool {
        let written = self.written.as_ref();
        written.is_some_and(|written| written.contains(index))
    }

    /// Whether all that is wanted is written and synced, so that only its name is missing.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.complete
    }

    /// How many parts are written and synced.
    #[must_use]
    pub fn written(&self) -> u32 {
        self.written.as_ref().map_or(0, PartSet::count)
    }
}

/// Whether all numbers in `entries` are in `outer` too. Of ranges that are not ascending it may deny it.
fn lies_within(entries: &[Range<u32>], outer: &[Range<u32>]) -> bool {
    entries.iter().all(|range| {
        let covered = outer.iter().fold(range.start, |covered, outer| {
            if outer.contains(&covered) {
                outer.end
            } else {
                covered
            }
        });
        covered >= range.end
    })
}

/// The numbers of the kinds of records.
mod number {
    pub(super) const BEGIN: u64 = 16;
    pub(super) const LIST: u64 = 17;
    pub(super) const CHOSEN: u64 = 18;
    pub(super) const WRITTEN: u64 = 19;
    pub(super) const COMPLETE: u64 = 20;
}

/// More than a record has beside its paths, its list and its choice.
const ROOM: usize = 64;

impl RecipientRecord {
    /// The record of a download that begins.
    #[must_use]
    pub fn encode_begin(begin: &RecipientBegin) -> EncodedRecord {
        let text = begin.pointer.to_text();
        let text = text.as_str();
        let room = text.len() + begin.target.len() + begin.temporary.len() + ROOM;
        let mut map = MapWriter::with_room(room);
        map.uint(0, number::BEGIN);
        map.text(1, text);
        map.bytes(2, &begin.target);
        map.bytes(3, &begin.temporary);
        map.uint(4, u64::from(begin.tell_sender));
        EncodedRecord(map.finish())
    }

    /// The record of a list that was read.
    #[must_use]
    pub fn encode_list(list: &PartList) -> EncodedRecord {
        let content = list.encode();
        let mut map = MapWriter::with_room(content.len() + ROOM);
        map.uint(0, number::LIST);
        map.bytes(5, &content);
        map.uint(6, list.plan().whole_len());
        map.uint(7, u64::from(list.is_mirrored()));
        EncodedRecord(map.finish())
    }

    /// The record as it is sealed.
    #[must_use]
    pub fn encode(&self) -> EncodedRecord {
        match self {
            Self::Begin(begin) => Self::encode_begin(begin),
            Self::List(list) => Self::encode_list(list),
            Self::Chosen(entries) => {
                let mut joined = Vec::with_capacity(8 * entries.len());
                for range in entries {
                    joined.extend_from_slice(&range.start.to_le_bytes());
                    joined.extend_from_slice(&range.end.to_le_bytes());
                }
                let mut map = MapWriter::with_room(joined.len() + ROOM);
                map.uint(0, number::CHOSEN);
                map.bytes(8, &joined);
                EncodedRecord(map.finish())
            }
            Self::Written { first, last } => {
                let mut map = MapWriter::with_room(ROOM);
                map.uint(0, number::WRITTEN);
                map.uint(9, first.get().into());
                map.uint(10, last.get().into());
                EncodedRecord(map.finish())
            }
            Self::Complete => {
                let mut map = MapWriter::with_room(ROOM);
                map.uint(0, number::COMPLETE);
                EncodedRecord(map.finish())
            }
        }
    }

    /// Reads a record.
    ///
    /// # Errors
    /// [`ReplayError`] when it is not in its one form.
    pub fn decode(bytes: &[u8]) -> Result<Self, ReplayError> {
        let mut reader = StrictReader::new(bytes);
        let mut keys = reader.map()?;
        let mut fields = RecipientFields::default();
        while let Some(key) = keys.next(&mut reader)? {
            fields.take(key, &mut reader)?;
        }
        let malformed = ReplayError::Malformed;
        if !reader.is_empty() {
            return Err(malformed);
        }
        let record = match fields.kind.ok_or(malformed)? {
            number::BEGIN => fields.into_begin(),
            // Its list may be large, and was read as the one form that it has: it is not written once more to compare.
            number::LIST => return fields.into_list().ok_or(malformed),
            number::CHOSEN => fields.into_chosen(),
            number::WRITTEN => fields.into_written(),
            number::COMPLETE => Some(Self::Complete),
            _ => return Err(ReplayError::Newer),
        };
        let record = record.ok_or(malformed)?;
        if **record.encode().0 == *bytes {
            Ok(record)
        } else {
            Err(malformed)
        }
    }
}

#[derive(Default)]
struct RecipientFields<'a> {
    /// How many there are.
    count: usize,
    kind: Option<u64>,
    pointer: Option<&'a str>,
    target: Option<&'a [u8]>,
    temporary: Option<&'a [u8]>,
    tell_sender: Option<u64>,
    list: Option<&'a [u8]>,
    whole_len: Option<u64>,
    mirrored: Option<u64>,
    chosen: Option<&'a [u8]>,
    first: Option<u64>,
    last: Option<u64>,
}

impl<'a> RecipientFields<'a> {
    fn take(&mut self, key: u64, reader: &mut StrictReader<'a>) -> Result<(), ReplayError> {
        match key {
            0 => self.kind = Some(reader.uint()?),
            1 => self.pointer = Some(reader.text()?),
            2 => self.target = Some(reader.bytes()?),
            3 => self.temporary = Some(reader.bytes()?),
            4 => self.tell_sender = Some(reader.uint()?),
            5 => self.list = Some(reader.bytes()?),
            6 => self.whole_len = Some(reader.uint()?),
            7 => self.mirrored = Some(reader.uint()?),
            8 => self.chosen = Some(reader.bytes()?),
            9 => self.first = Some(reader.uint()?),
            10 => self.last = Some(reader.uint()?),
            _ => return Err(ReplayError::Newer),
        }
        self.count += 1;
        Ok(())
    }

    fn into_begin(self) -> Option<RecipientRecord> {
        Some(RecipientRecord::Begin(Box::new(RecipientBegin {
            pointer: Pointer::find(self.pointer?).ok()?,
            target: self.target?.to_vec(),
            temporary: self.temporary?.to_vec(),
            tell_sender: self.tell_sender? != 0,
        })))
    }

    fn into_list(self) -> Option<RecipientRecord> {
        let mirrored = match self.mirrored? {
            0 => false,
            1 => true,
            _ => return None,
        };
        let list = PartList::decode(self.list?, self.whole_len?, mirrored).ok()?;
        (self.count == 4).then(|| RecipientRecord::List(Arc::new(list)))
    }

    fn into_chosen(self) -> Option<RecipientRecord> {
        let mut reader = Reader::new(self.chosen?);
        let mut entries: Vec<Range<u32>> = Vec::new();
        while !reader.is_empty() {
            let (start, end) = (reader.u32_le().ok()?, reader.u32_le().ok()?);
            let least = entries.last().map_or(0, |before| before.end);
            if start < least || end <= start || end > MAX_ENTRIES {
                return None;
            }
            entries.push(start..end);
        }
        Some(RecipientRecord::Chosen(entries))
    }

    fn into_written(self) -> Option<RecipientRecord> {
        let first = PartIndex::new(self.first?)?;
        let last = PartIndex::new(self.last?)?;
        (first <= last).then_some(RecipientRecord::Written { first, last })
    }
}
