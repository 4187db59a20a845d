//! Reads pieces of what a person shares, and compares every file with what was looked at.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::ops::Range;

use zeroize::Zeroizing;

use super::{FolderContent, Parcel, ParcelContent};
use crate::app::error::LocalFileError;
use crate::disk::open_folder::{self, FileAccess, OpenFolder};
use crate::protocol::folder::EntryKind;
use crate::protocol::resume::FileStamp;

/// How far a file is read that has more bytes than it should, to say how many.
const MAX_READ_BEYOND: u64 = 10_000_000;

impl Parcel {
    /// Reads some bytes of the content, as far as it goes. Every file that it touches is opened, compared with what was
    /// looked at, read, and compared again. Takes as much memory as the bytes. Blocking; several threads may read at once.
    ///
    /// # Errors
    /// [`LocalFileError::Changed`] for a file that is not what was looked at; [`LocalFileError::Read`] for one that the
    /// system does not give; [`LocalFileError::WrongSize`] for one whose length is not what the system says; with the
    /// path of the file in front, when it is in a folder.
    pub(crate) fn read(&self, bytes: Range<u64>) -> Result<Zeroizing<Vec<u8>>, LocalFileError> {
        let end = bytes.end.min(self.content_len());
        let bytes = bytes.start.min(end)..end;
        // No content is longer than memory, or its reader asks for less.
        let len = usize::try_from(end - bytes.start).unwrap_or(usize::MAX);
        let mut content = Zeroizing::new(Vec::new());
        content
            .try_reserve_exact(len)
            .map_err(|_full| LocalFileError::Read(io::ErrorKind::OutOfMemory.into()))?;
        content.resize(len, 0);
        self.read_into(bytes.start, &mut content)?;
        Ok(content)
    }

    /// Reads as many bytes of the content as `place` holds, from `start` on, as [`Parcel::read`] does.
    ///
    /// # Errors
    /// As [`Parcel::read`]; [`LocalFileError::Changed`] where the content ends before. Then `place` may hold some of it.
    pub(crate) fn read_into(&self, start: u64, place: &mut [u8]) -> Result<(), LocalFileError> {
        let end = start.saturating_add(place.len() as u64);
        if end > self.content_len() {
            return Err(LocalFileError::Changed);
        }
        match &self.content {
            ParcelContent::File { path, stamp } => {
                let file = open_folder::open_file(path).map_err(not_opened)?;
                read_same(&file, start, stamp.len_bytes, place, |found| found == stamp)
            }
            ParcelContent::Folder(folder) => folder.read(&(start..end), place),
        }
    }
}

impl FolderContent {
    /// Reads `bytes` of the content; `place` is as long.
    fn read(&self, bytes: &Range<u64>, mut place: &mut [u8]) -> Result<(), LocalFileError> {
        let manifest = self.manifest.as_bytes();
        let manifest_len = manifest.len() as u64;
        if bytes.start < manifest_len {
            // Both are at most the length of the manifest.
            let to_usize = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
            let piece = to_usize(bytes.start)..to_usize(bytes.end.min(manifest_len));
            let piece = manifest.get(piece).unwrap_or_default();
            take_first(&mut place, piece.len()).copy_from_slice(piece);
        }
        let first = if bytes.start < manifest_len {
            0
        } else {
            let first = self.manifest.files_in(bytes).next();
            first.map_or_else(|| self.manifest.entries(), |(placed, _)| placed.number)
        };
        let mut open = Opener {
            folder: self,
            last: None,
        };
        for placed in self.manifest.iter_from(first) {
            // Empty files have no bytes, and must be as empty as they were: they are looked at with what is before them.
            if placed.bytes.start > bytes.end {
                break;
            }
            let EntryKind::File { len_bytes, .. } = placed.entry.kind else {
                continue;
            };
            let from = bytes.start.max(placed.bytes.start);
            let to = bytes.end.min(placed.bytes.end);
            let is_touched = from < to || (len_bytes == 0 && from == to);
            if !is_touched {
                continue;
            }
            // Within `bytes`, which are as many as `place` holds.
            let len = usize::try_from(to.saturating_sub(from)).unwrap_or(usize::MAX);
            let piece = take_first(&mut place, len);
            let path = placed.entry.path;
            open.open(path)
                .map_err(not_opened)
                .and_then(|file| {
                    read_same(
                        &file,
                        from - placed.bytes.start,
                        len_bytes,
                        piece,
                        |found| self.seals.is_same(placed.number, found),
                    )
                })
                .map_err(|error| error.of(path))?;
        }
        Ok(())
    }
}

/// Why a file that was looked at could not be opened. What is no file any more, or is behind a link now, has changed.
fn not_opened(error: io::Error) -> LocalFileError {
    match error.kind() {
        io::ErrorKind::InvalidInput | io::ErrorKind::NotADirectory => LocalFileError::Changed,
        _ => error.into(),
    }
}

/// Opens the files of a folder. Files beside each other are opened in one folder.
struct Opener<'a> {
    folder: &'a FolderContent,
    /// The folder that was opened last, and its path in the manifest.
    last: Option<(&'a str, OpenFolder)>,
}

impl<'a> Opener<'a> {
    fn open(&mut self, path: &'a str) -> io::Result<File> {
        let place = self.folder.roots.place(path);
        let (root, rest) = place.ok_or(io::ErrorKind::NotFound)?;
        if rest.is_empty() {
            return open_folder::open_file(root);
        }
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let here = match self.last.take() {
            Some((last, here)) if last == folder => here,
            _ => {
                let steps = rest.rsplit_once('/').map_or("", |(steps, _name)| steps);
                let steps = steps.split('/').filter(|step| !step.is_empty());
                OpenFolder::open(root)?.descend(steps.map(OsStr::new))?
            }
        };
        let (_, here) = self.last.insert((folder, here));
        here.file(name.as_ref(), FileAccess::Read)
    }
}

/// Cuts the first `len` bytes off `place`, or all where there are fewer.
fn take_first<'a>(place: &mut &'a mut [u8], len: usize) -> &'a mut [u8] {
    let whole = std::mem::take(place);
    let (first, rest) = whole.split_at_mut(len.min(whole.len()));
    *place = rest;
    first
}

/// Reads a piece of a file that has `len` bytes, from `start` on, if it is the same file before and after.
fn read_same(
    file: &File,
    start: u64,
    len: u64,
    place: &mut [u8],
    is_same: impl Fn(&FileStamp) -> bool,
) -> Result<(), LocalFileError> {
    let check = || {
        if is_same(&open_folder::look_at_file(file)?.stamp) {
            Ok(())
        } else {
            Err(LocalFileError::Changed)
        }
    };
    check()?;
    let wanted = place.len();
    let read = open_folder::read_at(file, start, place)?;
    check()?;
    // Files of /proc and /sys say 0 or 4096 whatever they hold. On a disk or network mount in trouble it can be a part
    // that was read, and nobody could tell.
    let there = if read < wanted {
        start + read as u64
    } else if start + wanted as u64 == len {
        len + count_beyond(file, len)?
    } else {
        return Ok(());
    };
    if there == len {
        Ok(())
    } else {
        Err(LocalFileError::WrongSize {
            said: len,
            read: there,
        })
    }
}

/// The number of bytes in a file from `len` on, as far as they are worth counting.
fn count_beyond(file: &File, len: u64) -> io::Result<u64> {
    let mut buffer = Zeroizing::new([0; 4_096]);
    let mut beyond = 0;
    loop {
        let read = open_folder::read_at(file, len + beyond, &mut buffer[..])? as u64;
        beyond += read;
        if read < buffer.len() as u64 || beyond >= MAX_READ_BEYOND {
            return Ok(beyond);
        }
    }
}
