//! Writes a small file of this person whole or not at all, readable by nobody else.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use tempfile::NamedTempFile;

/// Replaces `path` with `bytes`, making its folder if it is missing.
///
/// # Errors
/// What the system says; the old file is then untouched.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    make_folder(folder)?;
    part(folder, bytes)?
        .persist(path)
        .map_err(|error| error.error)?;
    Ok(())
}

/// Makes `folder`, and those above it, for this person only. One that is there stays as it is.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// A synced temporary file in `folder`, of mode 0600 as `tempfile` makes them.
pub(super) fn part(folder: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let mut part = NamedTempFile::new_in(folder)?;
    part.write_all(bytes)?;
    part.as_file().sync_all()?;
    Ok(part)
}
