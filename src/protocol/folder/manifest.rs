//! The manifest of a folder: its entries in order, kept as the bytes that travel, and where the bytes of each file lie.

use core::ops::Range;

use thiserror::Error;
use zeroize::Zeroizing;

use super::path::{PathError, check_path, compare_paths, lies_in};
use crate::protocol::cbor::{MapWriter, NotStrict, StrictReader};

/// The most entries of a folder.
pub const MAX_ENTRIES: u32 = 1_000_000;
/// The longest manifest, in bytes.
pub const MAX_MANIFEST_LEN: u32 = 67_108_864;
/// Length of the number before the manifest, in bytes.
const LEN_LEN: usize = 4;
/// Where every so many entries begin is kept, so that one is found without reading all before it.
const MARK_EVERY: u32 = 64;
/// More than everything of an entry but its path.
const ROOM_BESIDE_PATH: usize = 40;

/// One entry of a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FolderEntry<'a> {
    /// Steps with single slashes between, as [`check_path`] allows them: still hostile text. Never join it to a folder as a
    /// whole: `C:/x` and `b:c` are paths here, and lead elsewhere on Windows. Whoever saves makes each of
    /// [`steps`](Self::steps) safe first, and joins those.
    pub path: &'a str,
    /// Whether it is a file or an empty folder.
    pub kind: EntryKind,
    /// When it was last changed, in unix seconds, if the sender told.
    pub modified: Option<u64>,
}

/// What an entry of a folder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A folder with nothing in it. All others follow from the paths.
    EmptyFolder,
    /// A file.
    File {
        /// Its length, in bytes.
        len_bytes: u64,
        /// Whether it may be run.
        executable: bool,
    },
}

impl FolderEntry<'_> {
    /// The number of bytes in the content: none for an empty folder.
    #[must_use]
    pub const fn len_bytes(&self) -> u64 {
        match self.kind {
            EntryKind::EmptyFolder => 0,
            EntryKind::File { len_bytes, .. } => len_bytes,
        }
    }

    fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut map = MapWriter::with_room(self.path.len() + ROOM_BESIDE_PATH);
        map.text(0, self.path);
        if let EntryKind::File {
            len_bytes,
            executable,
        } = self.kind
        {
            map.uint(1, len_bytes);
            if executable {
                map.uint(2, 1);
            }
        }
        if let Some(modified) = self.modified {
            map.uint(3, modified);
        }
        map.finish()
    }
}

impl<'a> FolderEntry<'a> {
    /// The steps of the path, from the outermost folder to the name of the entry. None is empty, `.` or `..` or has a slash,
    /// once the path was checked; each may still be a drive letter, the name of a device, or have a `:`.
    pub fn steps(&self) -> impl Iterator<Item = &'a str> {
        self.path.split('/')
    }

    fn read(reader: &mut StrictReader<'a>) -> Result<Self, FolderError> {
        let (mut path, mut len, mut executable, mut modified) = (None, None, false, None);
        let mut keys = reader.map()?;
        while let Some(key) = keys.next(reader)? {
            match key {
                0 => path = Some(reader.text()?),
                1 => len = Some(reader.uint()?),
                2 if reader.uint()? == 1 => executable = true,
                2 => return Err(FolderError::Malformed),
                3 => modified = Some(reader.uint()?),
                _ => return Err(FolderError::Newer),
            }
        }
        let kind = match len {
            Some(len_bytes) => EntryKind::File {
                len_bytes,
                executable,
            },
            None if executable => return Err(FolderError::Malformed),
            None => EntryKind::EmptyFolder,
        };
        Ok(Self {
            path: path.ok_or(FolderError::Malformed)?,
            kind,
            modified,
        })
    }
}

/// An entry and where it lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedEntry<'a> {
    /// The number of the entry, from 0.
    pub number: u32,
    /// The entry.
    pub entry: FolderEntry<'a>,
    /// Its bytes in the content of the folder; empty for an empty folder and an empty file.
    pub bytes: Range<u64>,
}

/// A piece of the content of a folder: where some bytes of it come from, or go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FolderPiece {
    /// These bytes of [`Manifest::as_bytes`].
    Manifest(Range<usize>),
    /// These bytes of the file with this number.
    File {
        /// The number of the entry, from 0.
        number: u32,
        /// The bytes in the file.
        bytes: Range<u64>,
    },
}

/// The entries of a folder, all of them valid. Takes its bytes and little more in memory.
pub struct Manifest {
    /// The length of the manifest and the manifest: the beginning of the content.
    bytes: Vec<u8>,
    marks: Vec<Mark>,
    entries: u32,
    /// The bytes of all files together.
    data_len: u64,
}

/// Where an entry begins.
#[derive(Clone, Copy)]
struct Mark {
    /// In `Manifest::bytes`. The longest manifest is 64 MiB.
    at: u32,
    /// Its bytes, counted from the end of the manifest.
    data: u64,
}

impl Manifest {
    /// The number of entries.
    #[must_use]
    pub const fn entries(&self) -> u32 {
        self.entries
    }

    /// The beginning of the folder's content: the length of the manifest and the manifest.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The length of the folder's content: the manifest and the bytes of all files.
    #[must_use]
    pub const fn content_len(&self) -> u64 {
        // Was added without overflow when the manifest was read or made.
        self.bytes.len() as u64 + self.data_len
    }

    /// All entries, in order.
    pub fn iter(&self) -> impl Iterator<Item = PlacedEntry<'_>> {
        self.iter_from(0)
    }

    /// The entries from this number on, in order. Costs reading at most 63 entries before the first one.
    pub fn iter_from(&self, number: u32) -> impl Iterator<Item = PlacedEntry<'_>> {
        let skipped = number % MARK_EVERY;
        let mark = self.marks.get((number / MARK_EVERY) as usize);
        self.iter_from_mark(mark.map(|mark| (number - skipped, *mark)))
            .skip(skipped as usize)
    }

    /// The entry with this number; `None` when there is none. Costs reading at most 64 entries.
    #[must_use]
    pub fn get(&self, number: u32) -> Option<PlacedEntry<'_>> {
        self.iter_from(number).next()
    }

    /// The pieces of which some bytes of the content are made, in order: for a sender who reads a part, and a recipient
    /// who writes one. Together they are as long as `bytes` is, as far as that lies within the content.
    pub fn pieces(&self, bytes: &Range<u64>) -> impl Iterator<Item = FolderPiece> {
        let prefix_len = self.bytes.len() as u64;
        let (start, end) = (bytes.start, bytes.end.min(self.content_len()));
        let manifest = (start < end && start < prefix_len).then(|| {
            // Both are at most the length of `self.bytes`.
            let to_usize = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
            FolderPiece::Manifest(to_usize(start)..to_usize(end.min(prefix_len)))
        });
        let files = self
            .files_in(bytes)
            .map(|(placed, bytes)| FolderPiece::File {
                number: placed.number,
                bytes,
            });
        manifest.into_iter().chain(files)
    }

    /// The files of which some bytes lie in `bytes` of the content, in order, each with these bytes as a place in the file.
    pub fn files_in(
        &self,
        bytes: &Range<u64>,
    ) -> impl Iterator<Item = (PlacedEntry<'_>, Range<u64>)> {
        let (start, end) = (bytes.start, bytes.end.min(self.content_len()));
        let data_start = start.saturating_sub(self.bytes.len() as u64);
        // The last mark at or before the first byte; entries without bytes may stand before it.
        let mark = self
            .marks
            .partition_point(|mark| mark.data <= data_start)
            .saturating_sub(1);
        let number = u32::try_from(mark)
            .unwrap_or(u32::MAX)
            .saturating_mul(MARK_EVERY);
        self.iter_from_mark(self.marks.get(mark).map(|mark| (number, *mark)))
            .take_while(move |placed| placed.bytes.start < end)
            .filter_map(move |placed| {
                let from = placed.bytes.start.max(start);
                let to = placed.bytes.end.min(end);
                let in_file =
                    from.checked_sub(placed.bytes.start)?..to.checked_sub(placed.bytes.start)?;
                (from < to).then_some((placed, in_file))
            })
    }

    fn iter_from_mark(&self, from: Option<(u32, Mark)>) -> impl Iterator<Item = PlacedEntry<'_>> {
        let (mut number, mark) = from.unwrap_or((self.entries, Mark { at: 0, data: 0 }));
        let rest = from.and_then(|_| self.bytes.get(mark.at as usize..));
        let mut reader = StrictReader::new(rest.unwrap_or_default());
        let mut next = self.bytes.len() as u64 + mark.data;
        core::iter::from_fn(move || {
            // Every entry was read once before, so that this ends where the manifest does and nowhere else.
            let entry = FolderEntry::read(&mut reader).ok()?;
            let bytes = next..next + entry.len_bytes();
            next = bytes.end;
            number += 1;
            Some(PlacedEntry {
                number: number - 1,
                entry,
                bytes,
            })
        })
    }
}

/// Checks entries one after the other, for whoever reads a manifest and whoever makes one.
#[derive(Default)]
struct Checker {
    marks: Vec<Mark>,
    entries: u32,
    data_len: u64,
}

impl Checker {
    /// Takes the next entry, which begins at `at` in the bytes of the manifest. On failure nothing has changed.
    fn take(
        &mut self,
        entry: &FolderEntry<'_>,
        before: Option<&str>,
        at: usize,
    ) -> Result<(), FolderError> {
        check_path(entry.path)?;
        if let Some(before) = before {
            // What lies in an entry stands directly behind it.
            if lies_in(entry.path, before) {
                return Err(FolderError::InsideEntry);
            }
            match compare_paths(before, entry.path) {
                core::cmp::Ordering::Less => {}
                core::cmp::Ordering::Equal => return Err(FolderError::Twice),
                core::cmp::Ordering::Greater => return Err(FolderError::Order),
            }
        }
        if self.entries == MAX_ENTRIES {
            return Err(FolderError::TooManyEntries);
        }
        let at = u32::try_from(at).or(Err(FolderError::ManifestTooLong))?;
        let data_len = self.data_len.checked_add(entry.len_bytes());
        let data_len = data_len.ok_or(FolderError::Lengths)?;
        if self.entries.is_multiple_of(MARK_EVERY) {
            self.marks.push(Mark {
                at,
                data: self.data_len,
            });
        }
        self.entries += 1;
        self.data_len = data_len;
        Ok(())
    }

    fn finish(self, bytes: Vec<u8>) -> Result<Manifest, FolderError> {
        let whole = (bytes.len() as u64).checked_add(self.data_len);
        whole.ok_or(FolderError::Lengths)?;
        Ok(Manifest {
            bytes,
            marks: self.marks,
            entries: self.entries,
            data_len: self.data_len,
        })
    }
}

/// Collects the manifest from the beginning of a folder's content, as it comes in, and reads it.
///
/// [`ManifestReader::wanted`] says how much of the content is needed; [`ManifestReader::push`] takes it piece by piece, in
/// order; [`ManifestReader::finish`] checks all of it. Nothing is to be made on the disk before that.
pub struct ManifestReader {
    content_len: u64,
    bytes: Vec<u8>,
    wanted: Option<usize>,
}

impl ManifestReader {
    /// For a folder whose content has `content_len` bytes, as its pointer says.
    #[must_use]
    pub const fn new(content_len: u64) -> Self {
        Self {
            content_len,
            bytes: Vec::new(),
            wanted: None,
        }
    }

    /// The bytes of the content that are still needed; empty when all are there. Before the first four have come it is
    /// those, or as many as the content has.
    #[must_use]
    pub fn wanted(&self) -> Range<u64> {
        let end = self.wanted.unwrap_or(LEN_LEN) as u64;
        let start = self.bytes.len() as u64;
        start..end.min(self.content_len).max(start)
    }

    /// Takes the next bytes of the content. What follows behind the manifest is not kept.
    ///
    /// # Errors
    /// [`FolderError`] when the manifest would be longer than the content or the limit.
    pub fn push(&mut self, mut content: &[u8]) -> Result<(), FolderError> {
        if self.wanted.is_none() {
            self.keep(&mut content, LEN_LEN);
            let Ok(len) = <[u8; LEN_LEN]>::try_from(self.bytes.as_slice()) else {
                return Ok(());
            };
            let len = u32::from_le_bytes(len);
            if len > MAX_MANIFEST_LEN {
                return Err(FolderError::ManifestTooLong);
            }
            let wanted = len as usize + LEN_LEN;
            if wanted as u64 > self.content_len {
                return Err(FolderError::LongerThanContent);
            }
            self.wanted = Some(wanted);
        }
        self.keep(&mut content, self.wanted.unwrap_or(LEN_LEN));
        Ok(())
    }

    /// Keeps bytes of `content` until `wanted` are there. Takes at most twice the memory that has come, and no more than is
    /// wanted.
    fn keep(&mut self, content: &mut &[u8], wanted: usize) {
        let missing = wanted.saturating_sub(self.bytes.len());
        let (kept, rest) = content.split_at(missing.min(content.len()));
        let len = self.bytes.len();
        if self.bytes.capacity() - len < kept.len() {
            let doubled = self.bytes.capacity().saturating_mul(2).min(wanted);
            self.bytes.reserve_exact(kept.len().max(doubled - len));
        }
        self.bytes.extend_from_slice(kept);
        *content = rest;
    }

    /// Checks the whole manifest.
    ///
    /// # Errors
    /// [`FolderError`]: nothing of the folder may be saved.
    pub fn finish(self) -> Result<Manifest, FolderError> {
        if self.wanted != Some(self.bytes.len()) {
            return Err(FolderError::Malformed);
        }
        let bytes = self.bytes;
        let mut reader = StrictReader::new(bytes.get(LEN_LEN..).unwrap_or_default());
        let mut checker = Checker::default();
        let mut before = None;
        while !reader.is_empty() {
            let at = bytes.len() - reader.len();
            let entry = FolderEntry::read(&mut reader)?;
            checker.take(&entry, before, at)?;
            before = Some(entry.path);
        }
        let manifest = checker.finish(bytes)?;
        if manifest.content_len() == self.content_len {
            Ok(manifest)
        } else {
            Err(FolderError::Lengths)
        }
    }
}

/// Makes the manifest of a folder that is sent, entry by entry in order.
///
/// Walk each folder with its names sorted by their bytes, files and folders together, and go into a folder where it stands
/// among them: that is the order. An empty folder is an entry, others are not.
pub struct ManifestWriter {
    bytes: Vec<u8>,
    checker: Checker,
    last: String,
}

impl Default for ManifestWriter {
    fn default() -> Self {
        Self {
            bytes: vec![0; LEN_LEN],
            checker: Checker::default(),
            last: String::new(),
        }
    }
}

impl ManifestWriter {
    /// Adds the next entry.
    ///
    /// # Errors
    /// [`FolderError`]: the entry cannot be in the folder and was not added; the others can be sent without it.
    pub fn push(&mut self, entry: &FolderEntry<'_>) -> Result<(), FolderError> {
        let at = self.bytes.len();
        let before = (self.checker.entries > 0).then_some(self.last.as_str());
        let encoded = entry.encode();
        if at - LEN_LEN + encoded.len() > MAX_MANIFEST_LEN as usize {
            return Err(FolderError::ManifestTooLong);
        }
        self.checker.take(entry, before, at)?;
        self.bytes.extend_from_slice(&encoded);
        entry.path.clone_into(&mut self.last);
        Ok(())
    }

    /// The manifest of all entries.
    ///
    /// # Errors
    /// [`FolderError`] when the folder is too long.
    pub fn finish(mut self) -> Result<Manifest, FolderError> {
        let len = u32::try_from(self.bytes.len() - LEN_LEN).ok();
        let len = len.filter(|len| *len <= MAX_MANIFEST_LEN);
        let len = len.ok_or(FolderError::ManifestTooLong)?.to_le_bytes();
        self.bytes
            .iter_mut()
            .zip(len)
            .for_each(|(to, from)| *to = from);
        self.bytes.shrink_to_fit();
        self.checker.finish(self.bytes)
    }
}

/// Why a folder is refused, or cannot be sent.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum FolderError {
    /// Something lies in a file, or in a folder that is named as empty.
    #[error("something lies in a file or in an empty folder")]
    InsideEntry,
    /// The lengths of the entries do not add up to that of the content.
    #[error("the lengths in the folder do not add up")]
    Lengths,
    /// The manifest claims to be longer than the content is.
    #[error("the list of the folder is longer than the folder")]
    LongerThanContent,
    /// The manifest is not in its one form, or not all of it is there.
    #[error("the list of the folder is malformed")]
    Malformed,
    /// The manifest is longer than 64 MiB.
    #[error("the list of the folder is longer than {MAX_MANIFEST_LEN} bytes")]
    ManifestTooLong,
    /// An entry has something that this version does not know.
    #[error("the folder was made by a newer version")]
    Newer,
    /// The entries are not in order.
    #[error("the folder's paths are not in order")]
    Order,
    /// A path is not allowed.
    #[error(transparent)]
    Path(#[from] PathError),
    /// There are more than 1,000,000 entries.
    #[error("the folder has more than {MAX_ENTRIES} entries")]
    TooManyEntries,
    /// Two entries have the same path.
    #[error("a path is in the folder twice")]
    Twice,
}

impl From<NotStrict> for FolderError {
    fn from(_: NotStrict) -> Self {
        Self::Malformed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_in_small_pieces_takes_memory_by_doubling() {
        let mut reader = ManifestReader::new(1 << 20);
        reader.push(&100_000_u32.to_le_bytes()).unwrap();
        let mut grown = 0;
        for _ in 0..100_000 {
            let before = reader.bytes.capacity();
            reader.push(&[0]).unwrap();
            grown += usize::from(reader.bytes.capacity() != before);
        }
        assert!(grown < 20, "{grown}");
        assert!(reader.bytes.capacity() <= 100_004);
    }
}
