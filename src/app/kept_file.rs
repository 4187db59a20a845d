//! Reads the JSON files of the data folder that must not be mistaken for missing ones: what they hold decides who sees
//! what of this person.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use super::config::is_missing;
use super::io_reason::IoReason;

/// A file that is there and cannot be used. It is left as it is.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{} cannot be used: {why}", file.display())]
pub struct UnreadFile {
    /// Which.
    pub file: PathBuf,
    /// Why.
    pub why: UnreadReason,
}

/// Why a file that is there cannot be used.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum UnreadReason {
    /// It is not what this program writes.
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
/// [`UnreadReason`].
pub(super) fn read<T: DeserializeOwned>(
    path: &Path,
    version: u32,
) -> Result<Option<T>, UnreadReason> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if is_missing(path, &error) => return Ok(None),
        Err(error) => return Err(UnreadReason::Read(error.into())),
    };
    let damaged = |_not_ours| UnreadReason::Damaged;
    let written: VersionOnly = serde_json::from_slice(&bytes).map_err(damaged)?;
    if written.version > version {
        return Err(UnreadReason::Newer);
    }
    serde_json::from_slice(&bytes).map(Some).map_err(damaged)
}

#[derive(Deserialize)]
struct VersionOnly {
    #[serde(default = "first")]
    version: u32,
}

const fn first() -> u32 {
    1
}
