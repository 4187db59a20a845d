//! Small files of this person, readable by nobody else, in folders that nobody else can change.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use tempfile::NamedTempFile;
use thiserror::Error;

/// Replaces `path` with `bytes`, making its folder if it is missing.
///
/// # Errors
/// What the system says; the old file is then untouched.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    make_folder(folder)?;
    part(folder, bytes)?
        .persist(path)
        .map_err(|error| error.error)?;
    Ok(())
}

/// Why a folder of this program's files cannot be trusted: another user may have put there what it finds.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum NotPrivate {
    /// It belongs to another user.
    #[error("the folder belongs to another user")]
    ForeignOwner,
    /// Its mode lets others write.
    #[error("other users can change what is in the folder")]
    Writable,
}

/// Checks that nobody but this person (and root) can change what is in `folder`. A missing one passes: it is made
/// privately.
///
/// # Errors
/// [`NotPrivate`] where the system has users and modes (unix).
pub(crate) fn check(folder: &Path) -> Result<(), NotPrivate> {
    #[cfg(unix)]
    if let Ok(found) = fs::metadata(folder) {
        use std::os::unix::fs::MetadataExt as _;

        if found.uid() != rustix::process::geteuid().as_raw() {
            return Err(NotPrivate::ForeignOwner);
        }
        if found.mode() & 0o022 != 0 {
            return Err(NotPrivate::Writable);
        }
    }
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

/// Makes `folder`, and those above it, for this person only. One that is there stays as it is.
///
/// # Errors
/// An error of the system; [`io::ErrorKind::PermissionDenied`] with [`NotPrivate`] for a folder that does not pass
/// [`check`].
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    check(folder).map_err(|why| io::Error::new(io::ErrorKind::PermissionDenied, why))
}

/// A synced temporary file in `folder`, of mode 0600 as `tempfile` makes them.
pub(crate) fn part(folder: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let mut part = NamedTempFile::new_in(folder)?;
    part.write_all(bytes)?;
    part.as_file().sync_all()?;
    Ok(part)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use rustix::fs::{Uid, chown};
    use rustix::process::geteuid;
    use tempfile::tempdir;

    use super::*;

    #[test]
    fn a_folder_that_others_can_change_is_no_folder_of_ours() {
        let home = tempdir().unwrap();
        let folder = home.path().join("new/folder");
        make_folder(&folder).unwrap();
        for (mode, expected) in [
            (0o700, Ok(())),
            (0o755, Ok(())),
            (0o770, Err(NotPrivate::Writable)),
            (0o702, Err(NotPrivate::Writable)),
            // Sticky, so that nothing of ours can be replaced, but things can be put there before we come.
            (0o1777, Err(NotPrivate::Writable)),
        ] {
            fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(check(&folder), expected, "{mode:o}");
            assert_eq!(make_folder(&folder).is_ok(), expected.is_ok(), "{mode:o}");
            let written = write(&folder.join("file"), b"x");
            assert_eq!(written.is_ok(), expected.is_ok(), "{mode:o}");
        }
    }

    #[test]
    fn a_folder_of_another_user_is_no_folder_of_ours() {
        let home = tempdir().unwrap();
        let foreign = home.path().to_owned();
        if geteuid().is_root() {
            chown(&foreign, Some(Uid::from_raw(65_534)), None).unwrap();
            assert_eq!(check(&foreign), Err(NotPrivate::ForeignOwner));
            assert!(make_folder(&foreign).is_err());
        } else {
            // Everybody else's root folder is root's.
            assert_eq!(check(Path::new("/")), Err(NotPrivate::ForeignOwner));
        }
    }
}
