//! Small files of a server in the folder of its store, replaced whole.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::Path,
};

/// Replaces the file at `path` with `bytes`. Whoever reads it sees the old file or the new one, and after a crash of the
/// machine one of them is there. Only its owner can read it, from the first byte on. Blocking.
///
/// Two writers of one path must not run at once: both write to the name that ends in `.new` first.
///
/// # Errors
/// An [`io::Error`] of the system; the old file is untouched then.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    fs::remove_file(&new).ok();
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&new, path)
}
