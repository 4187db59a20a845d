//! One file that arrives in pieces.

use std::io;
use std::ops::Range;
use std::path::Path;

use tempfile::{NamedTempFile, PersistError, TempPath};
use tracing::debug;

use super::layout::Renamed;
use super::{SafeFileName, SaveError, SaveTarget, SavedItem};
use crate::app::received::content_type;
use crate::app::received::marks;
use crate::app::received::save::{give_name, new_part};
use crate::disk::open_folder::{self, FileAccess, OpenFolder};

/// A file that arrives: its bytes stand where they belong, with holes where none have come yet.
pub(crate) struct IncomingFile {
    /// Removed when it is dropped.
    part: NamedTempFile,
    target: SaveTarget,
    len: u64,
}

impl IncomingFile {
    pub(super) fn begin(target: SaveTarget, len: u64) -> Result<Self, SaveError> {
        let part = new_part(target.here()).map_err(|error| SaveError::Create(error.into()))?;
        open_folder::check_len_allowed(part.as_file(), len)
            .map_err(|_too_large| SaveError::TooLong(len))?;
        let file = Self { part, target, len };
        file.target.sync_folder();
        Ok(file)
    }

    pub(super) fn resume(
        target: SaveTarget,
        temporary: &Path,
        len: u64,
        written: &[Range<u64>],
    ) -> Result<Self, SaveError> {
        let altered = |_error: io::Error| SaveError::Altered;
        let name = temporary.file_name().ok_or(SaveError::Altered)?;
        let folder = OpenFolder::open(temporary.parent().ok_or(SaveError::Altered)?);
        let file = folder
            .and_then(|folder| folder.file(name, FileAccess::Write))
            .map_err(altered)?;
        let there = file.metadata().map_err(altered)?.len();
        let least = written.iter().map(|range| range.end).max().unwrap_or(0);
        if !(least..=len).contains(&there) {
            return Err(SaveError::Altered);
        }
        let path = TempPath::try_from_path(temporary).map_err(altered)?;
        let mut part = NamedTempFile::from_parts(file, path);
        part.disable_cleanup(true);
        Ok(Self { part, target, len })
    }

    pub(super) fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), SaveError> {
        open_folder::write_at(self.part.as_file(), offset, bytes)
            .map_err(|error| SaveError::Write(error.into()))
    }

    pub(super) fn sync(&self) -> Result<(), SaveError> {
        let synced = self.part.as_file().sync_all();
        synced.map_err(|error| SaveError::Write(error.into()))
    }

    pub(super) fn temporary(&self) -> &Path {
        self.part.path()
    }

    pub(super) fn finish(self, name: &SafeFileName) -> Result<SavedItem, SaveError> {
        self.sync()?;
        let there = self.part.as_file().metadata();
        if there.map_err(|error| SaveError::Write(error.into()))?.len() != self.len {
            return Err(SaveError::Altered);
        }
        if marks::from_the_internet(self.part.path()).is_err() {
            // Some file systems hold no marks, as that of many memory sticks; the file is worth more than its mark.
            debug!("a received file could not be marked as from the internet");
        }
        let mut part = Some(self.part);
        let path = self.target.take_name(name, |path| {
            let file = part.take().ok_or(io::ErrorKind::NotFound)?;
            give_name(file, path).map_err(|PersistError { error, file }| {
                part = Some(file);
                error
            })
        })?;
        self.target.sync_folder();
        // What cannot be examined gives no reason to warn of it.
        let findings = content_type::examine(&path).unwrap_or_default();
        Ok(SavedItem {
            path,
            content_len: self.len,
            findings: Some(findings),
            renamed: Renamed::default(),
        })
    }

    pub(super) fn keep(&mut self) {
        self.part.disable_cleanup(true);
    }
}
