//! Reads the JSON files of the data folder that must not be mistaken for missing ones: what they hold decides who sees
//! what of this person.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use zeroize::Zeroizing;

use super::io_reason::IoReason;

/// A file that is there and cannot be used. It is left as it is.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{} cannot be used: {why}", file.display())]
pub struct UnreadFile {
    /// Path of the file.
    pub file: PathBuf,
    /// Why it cannot be used.
    pub why: UnreadReason,
}

/// Why a file that is there cannot be used.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum UnreadReason {
    /// The file is not what this program writes.
    #[error("it is damaged")]
    Damaged,
    /// A newer version wrote it.
    #[error("it was written by a newer version")]
    Newer,
    /// The system would not let it be read.
    #[error("it cannot be read: {0}")]
    Read(IoReason),
}

/// Returns what the file at `path` holds, in the form of `version`; `None` when there is no file. One without a version
/// is of the first.
///
/// # Errors
/// [`UnreadFile`].
pub(crate) fn read<T: DeserializeOwned>(
    path: &Path,
    version: u32,
) -> Result<Option<T>, UnreadFile> {
    read_with(path, version, |bytes| serde_json::from_slice(bytes).ok())
}

/// Like [`read`], for a file with a parser of its own, which returns `None` for what it does not understand.
///
/// # Errors
/// [`UnreadFile`].
pub(crate) fn read_with<T>(
    path: &Path,
    version: u32,
    parse: impl FnOnce(&[u8]) -> Option<T>,
) -> Result<Option<T>, UnreadFile> {
    let unread = |why| UnreadFile {
        file: path.to_owned(),
        why,
    };
    let bytes = match fs::read(path) {
        // Some hold secrets.
        Ok(bytes) => Zeroizing::new(bytes),
        Err(error) if is_missing(path, &error) => return Ok(None),
        Err(error) => return Err(unread(UnreadReason::Read(error.into()))),
    };
    match serde_json::from_slice::<VersionOnly>(&bytes) {
        Ok(written) if written.version > version => Err(unread(UnreadReason::Newer)),
        Ok(_) => parse(&bytes)
            .map(Some)
            .ok_or_else(|| unread(UnreadReason::Damaged)),
        Err(_) => Err(unread(UnreadReason::Damaged)),
    }
}

#[derive(Deserialize)]
struct VersionOnly {
    #[serde(default = "first")]
    version: u32,
}

const fn first() -> u32 {
    1
}

/// Whether there is no file at `path`; a link that leads nowhere is one that cannot be read.
pub(crate) fn is_missing(path: &Path, error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(path).is_err()
}
