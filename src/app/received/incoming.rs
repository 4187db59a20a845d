//! What arrives in pieces, in any order: under a hidden name beside where it will be, until it is whole.
//!
//! Whoever fetches writes pieces down ([`Incoming::write_at`]), makes sure that they are on the disk before it records that
//! they are there ([`Incoming::sync`]), and gives the whole its name at the end ([`Incoming::finish`]). What is dropped
//! before is removed, unless its state is written down, so that it can go on ([`Incoming::keep`]).

mod file;
mod folder;
mod layout;
#[cfg(test)]
#[expect(
    clippy::single_range_in_vec_init,
    reason = "several places of which one is told"
)]
mod tests;

use std::fs;
use std::io::ErrorKind::NotFound;
use std::ops::Range;
use std::path::{Path, PathBuf};

use tracing::debug;

pub use self::layout::Renamed;
use super::content_type::Findings;
use super::file_name::SafeFileName;
use super::save::{PREFIX, SUFFIX, SaveError, SaveTarget};
use crate::protocol::folder::Manifest;

use self::file::IncomingFile;
use self::folder::IncomingFolder;

/// A file or folder that arrives. Several threads may write at once.
pub(crate) enum Incoming {
    /// A file.
    File(IncomingFile),
    /// A folder, or several files together.
    Folder(IncomingFolder),
}

/// What was saved.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SavedItem {
    /// Where it is.
    pub path: PathBuf,
    /// Bytes of its content.
    pub content_len: u64,
    /// What the name of a file and its content say of each other; none for a folder.
    pub findings: Option<Findings>,
    /// What in a folder has another name than it had at the sender.
    pub renamed: Renamed,
}

impl SaveTarget {
    /// Begins a file of `len` bytes. Takes no room on the disk yet.
    ///
    /// # Errors
    /// [`SaveError`] names the step, also where the disk holds no file so long; nothing is left on the disk then.
    pub(crate) fn begin_file(&self, len: u64) -> Result<Incoming, SaveError> {
        IncomingFile::begin(self.absolute()?, len).map(Incoming::File)
    }

    /// Begins a folder: makes each file, empty, and each folder, so that all have their names before anything is fetched.
    /// `chosen` are the numbers of the wanted entries, in ascending order; none for all of them. Blocking: takes some 20 µs
    /// an entry; `cancelled` is asked before each.
    ///
    /// # Errors
    /// [`SaveError`] names the step, also where the disk holds no file as long as one of these; nothing is left on the disk
    /// then.
    pub(crate) fn begin_folder(
        &self,
        manifest: Manifest,
        chosen: Option<Vec<Range<u32>>>,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Incoming, SaveError> {
        IncomingFolder::begin(self.absolute()?, manifest, chosen, cancelled).map(Incoming::Folder)
    }

    /// Goes on with a file of `len` bytes that was begun under the name `temporary`. `written` are the places in it that are
    /// recorded as written and synced; they are not read. It stays kept.
    ///
    /// # Errors
    /// [`SaveError::Altered`] when the file is not there any more, or is not as it was left; what is there stays then.
    pub(crate) fn resume_file(
        &self,
        temporary: &Path,
        len: u64,
        written: &[Range<u64>],
    ) -> Result<Incoming, SaveError> {
        IncomingFile::resume(self.absolute()?, temporary, len, written).map(Incoming::File)
    }

    /// Goes on with a folder whose content has `content_len` bytes, and that was begun under the name `temporary` with the
    /// same choice. Its manifest is there. `written` are the places in the content that are recorded as written and synced;
    /// of files there only the lengths are looked at. It stays kept.
    ///
    /// # Errors
    /// [`SaveError::Altered`] when the folder or a file in it is not there any more, or is not as it was left; what is there
    /// stays then.
    pub(crate) fn resume_folder(
        &self,
        temporary: &Path,
        content_len: u64,
        chosen: Option<&[Range<u32>]>,
        written: &[Range<u64>],
    ) -> Result<Incoming, SaveError> {
        IncomingFolder::resume(self.absolute()?, temporary, content_len, chosen, written)
            .map(Incoming::Folder)
    }
}

impl Incoming {
    /// Writes some bytes of the whole, which begin at `offset` in it. The manifest at the beginning of a folder, and what
    /// lies in entries that were not chosen, is skipped. Blocking.
    ///
    /// # Errors
    /// [`SaveError::Write`]; what was written before stays.
    pub(crate) fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), SaveError> {
        match self {
            Self::File(file) => file.write_at(offset, bytes),
            Self::Folder(folder) => folder.write_at(offset, bytes),
        }
    }

    /// Waits until everything that was written is on the disk. Blocking.
    ///
    /// # Errors
    /// [`SaveError::Write`]: nothing is known of what was written since the last time.
    pub(crate) fn sync(&self) -> Result<(), SaveError> {
        match self {
            Self::File(file) => file.sync(),
            Self::Folder(folder) => folder.sync(),
        }
    }

    /// The hidden file or folder, as an absolute path. What sweeps leftovers away must spare it as long as it is kept.
    #[must_use]
    pub(crate) fn temporary(&self) -> &Path {
        match self {
            Self::File(file) => file.temporary(),
            Self::Folder(folder) => folder.temporary(),
        }
    }

    /// The entries of a folder; none for a file.
    #[must_use]
    pub(crate) const fn manifest(&self) -> Option<&Manifest> {
        match self {
            Self::File(_) => None,
            Self::Folder(folder) => Some(folder.manifest()),
        }
    }

    /// Makes sure that all of it is on the disk, and gives it its name: that of the target, if the person chose one, else
    /// `name`. A taken name gets a number, "report (1).pdf"; nothing is overwritten. Blocking.
    ///
    /// # Errors
    /// [`SaveError::Altered`] when a file has not the length that it must have; otherwise [`SaveError`] names the step.
    /// Nothing is left on the disk then, unless it is kept.
    pub(crate) fn finish(self, name: &SafeFileName) -> Result<SavedItem, SaveError> {
        match self {
            Self::File(file) => file.finish(name),
            Self::Folder(folder) => folder.finish(name),
        }
    }

    /// From now on what has come stays where it is, whatever ends this, for [`SaveTarget::resume_file`] or
    /// [`SaveTarget::resume_folder`]: its state is written down.
    pub(crate) fn keep(&mut self) {
        match self {
            Self::File(file) => file.keep(),
            Self::Folder(folder) => folder.keep(),
        }
    }
}

/// Whether what stood in the hidden file or folder of a download has got its name: it is not there, though the folder beside
/// is. On a disk that is not connected now it may still be. Blocking.
#[must_use]
pub(crate) fn has_moved_on(temporary: &Path, is_folder: bool) -> bool {
    let Some(beside) = temporary.parent() else {
        return false;
    };
    let stood_at = if is_folder {
        temporary.join(folder::CONTENT)
    } else {
        temporary.to_owned()
    };
    let gone = fs::symlink_metadata(stood_at).is_err_and(|error| error.kind() == NotFound);
    gone && beside.is_dir()
}

/// Removes the hidden file or folder of a download that is given up. Any other one is left where it is. Blocking.
pub(crate) fn remove_temporary(temporary: &Path) {
    let name = temporary.file_name().and_then(|name| name.to_str());
    if !name.is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX)) {
        return;
    }
    let removed = match fs::symlink_metadata(temporary) {
        Ok(there) if there.is_dir() => fs::remove_dir_all(temporary),
        Ok(_) => fs::remove_file(temporary),
        Err(_) => Ok(()),
    };
    if removed.is_err() {
        // The sweep of leftovers comes by later.
        debug!("what had come of a download could not be removed");
    }
}
