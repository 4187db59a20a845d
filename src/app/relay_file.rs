//! A relay list given as a local file: it needs no signature, because whoever can write the file is trusted anyway.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::error::AppError;
use crate::protocol::relay_list::{MAX_LIST_LEN, RelayList};

/// Reads the list at `path`, which must be good at `now` (unix seconds). Blocking, small.
///
/// # Errors
/// [`AppError::RelayFile`] and [`AppError::RelayList`].
pub fn read(path: &Path, now: u64) -> Result<RelayList, AppError> {
    let failed = |error: std::io::Error| AppError::RelayFile(error.kind());
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(MAX_LIST_LEN as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    Ok(RelayList::parse(&bytes, now)?)
}
