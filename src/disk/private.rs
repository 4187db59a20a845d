//! Files that only their owner reads, and the folders for them. Everything that this program writes for itself is written
//! here: whole or not at all, and on the disk when the call returns.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::NamedTempFile;
use thiserror::Error;

/// Replaces the file at `path` with `bytes` in a folder of this person, which is made if it is missing.
///
/// # Errors
/// Those of [`make_folder`] and [`replace`]; the old file is untouched then.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    make_folder(folder_of(path))?;
    replace(path, bytes)
}

/// Replaces the file at `path` with `bytes`, or makes it, in a folder that is there. Whoever reads it sees the old file or
/// the new one; once this returns, the new one outlives a crash of the machine. Blocking.
///
/// # Errors
/// An [`io::Error`] of the system; the old file is untouched then.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let part = part(path, bytes)?;
    part.persist(path).map_err(|error| error.error)?;
    sync_folder_of(path)
}

/// Makes the file at `path` with `bytes`, in a folder that is there, and never over another file. It appears whole, except
/// on a file system without links, when the machine stops meanwhile. Blocking.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] when something is there already, and other errors of the system.
pub fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let part = part(path, bytes)?;
    match part.persist_noclobber(path) {
        Ok(_file) => sync_folder_of(path),
        Err(refused) if has_no_links(&refused.error) => {
            let mut file = open(path, OpenMode::New)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            sync_folder_of(path)
        }
        Err(refused) => Err(refused.error),
    }
}

/// Which file [`open`] opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OpenMode {
    /// One that this call makes.
    New,
    /// One that is there.
    There,
    /// One that is there, or one that this call makes.
    ThereOrNew,
}

/// Opens the regular file at `path` to be read and written, and leaves what is in it. Another user may have put something else at
/// such a path: no symbolic link is followed, and no pipe waits for its other end.
///
/// # Errors
/// An [`io::Error`] of the system, also for a symbolic link; [`io::ErrorKind::InvalidInput`] when it is no file.
pub(super) fn open(path: &Path, opening: OpenMode) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .truncate(false)
        .create(opening == OpenMode::ThereOrNew)
        .create_new(opening == OpenMode::New);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;

        use rustix::fs::OFlags;

        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        options.mode(0o600).custom_flags(flags.bits().cast_signed());
    }
    let file = options.open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok(file)
}

/// Gives the file at `path` a free name beside it: the first of `names` that nothing has yet. Returns its new path.
///
/// # Errors
/// An [`io::Error`] of the system; [`io::ErrorKind::AlreadyExists`] when no name is free. The file is where it was then.
pub(super) fn move_beside(
    path: &Path,
    names: impl IntoIterator<Item = OsString>,
) -> io::Result<PathBuf> {
    for name in names {
        let beside = path.with_file_name(name);
        match fs::hard_link(path, &beside) {
            Ok(()) => {
                fs::remove_file(path)?;
                return Ok(beside);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            // A folder has no second name, and some file systems have no links.
            Err(_) if fs::symlink_metadata(&beside).is_err() => {
                fs::rename(path, &beside)?;
                return Ok(beside);
            }
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Removes the file at `path`, if there is one.
///
/// # Errors
/// An [`io::Error`] of the system.
pub(crate) fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
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
pub fn check(folder: &Path) -> Result<(), NotPrivate> {
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
    make_missing_folder(folder)?;
    check(folder).map_err(|why| io::Error::new(io::ErrorKind::PermissionDenied, why))
}

/// Makes what is missing of `folder`, for its owner only. What is there stays as it is, whoever can change it: the folders
/// of operators are theirs to share.
///
/// # Errors
/// An [`io::Error`] of the system.
pub(crate) fn make_missing_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// The folder that `path` is in; the current one for a bare name.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."))
}

/// A synced temporary file beside `path`, of mode 0600 as `tempfile` makes them. Those that earlier calls for `path` left
/// behind, because they were killed, are removed.
fn part(path: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let folder = folder_of(path);
    let mut prefix = OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push(".");
    remove_leftovers(folder, &prefix);
    let mut part = tempfile::Builder::new()
        .prefix(&prefix)
        .suffix(PART)
        .tempfile_in(folder)?;
    part.write_all(bytes)?;
    part.as_file().sync_all()?;
    Ok(part)
}

/// Ending of temporary files.
const PART: &str = ".part";

/// Whether `name` is that of a temporary file of the one called `file`, in the same folder.
#[must_use]
pub(super) fn is_temporary_of(file: &str, name: &str) -> bool {
    let rest = name
        .strip_prefix('.')
        .and_then(|rest| rest.strip_prefix(file));
    rest.is_some_and(|rest| rest.starts_with('.') && rest.ends_with(PART))
}

/// Removes the temporary files of `prefix` in `folder` that no call still writes. What cannot be removed stays.
fn remove_leftovers(folder: &Path, prefix: &OsString) {
    /// Age from which a temporary file is a leftover: longer than any call takes.
    const OLD: Duration = Duration::from_secs(3_600);
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        let is_part =
            name.starts_with(prefix.as_encoded_bytes()) && name.ends_with(PART.as_bytes());
        let is_old = || {
            let age = entry.metadata().and_then(|found| found.modified());
            age.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > OLD))
        };
        if is_part && is_old() {
            fs::remove_file(entry.path()).ok();
        }
    }
}

/// Syncs the folder of `path`, so that the file's name there outlives a crash of the machine. Only unix can.
///
/// # Errors
/// An [`io::Error`] of the system.
pub(super) fn sync_folder_of(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    match File::open(folder_of(path)).and_then(|folder| folder.sync_all()) {
        // Some file systems cannot.
        Err(error) if error.kind() != io::ErrorKind::InvalidInput => Err(error),
        _ => Ok(()),
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        Ok(())
    }
}

/// Whether a file system refused a second name for a file because it has none for any.
fn has_no_links(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied
    )
}

#[cfg(test)]
mod tests {
    #[cfg(unix)]
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::time::SystemTime;

    #[cfg(unix)]
    use rustix::fs::{Uid, chown};
    #[cfg(unix)]
    use rustix::process::geteuid;
    use tempfile::tempdir;

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_made_only_where_nothing_is() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("file");
        create(&path, b"first").unwrap();
        let again = create(&path, b"second").unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"first");
        replace(&path, b"third").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"third");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        remove_if_there(&path).unwrap();
        remove_if_there(&path).unwrap();
        assert!(replace(&folder.path().join("no/file"), b"x").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_reads_a_file_and_no_link_leads_elsewhere() {
        let folder = tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        fs::write(at("precious"), "precious").unwrap();
        for name in ["created", "replaced", "opened"] {
            symlink(at("precious"), at(name)).unwrap();
        }
        assert!(create(&at("created"), b"x").is_err());
        assert!(open(&at("opened"), OpenMode::ThereOrNew).is_err());
        replace(&at("replaced"), b"x").unwrap();
        assert!(!fs::symlink_metadata(at("replaced")).unwrap().is_symlink());
        assert_eq!(fs::read(at("precious")).unwrap(), b"precious");
        create(&at("new"), b"x").unwrap();
        drop(open(&at("lock"), OpenMode::ThereOrNew).unwrap());
        for name in ["replaced", "new", "lock"] {
            assert_eq!(mode(&at(name)), 0o600, "{name}");
        }
    }

    #[test]
    fn what_is_moved_takes_the_first_free_name_and_nothing_is_written_over() {
        let folder = tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let names = || ["a", "b"].map(OsString::from);
        fs::write(at("a"), "taken").unwrap();
        fs::write(at("file"), "moved").unwrap();
        assert_eq!(move_beside(&at("file"), names()).unwrap(), at("b"));
        assert_eq!(fs::read(at("b")).unwrap(), b"moved");
        fs::write(at("file"), "stays").unwrap();
        let full = move_beside(&at("file"), names()).unwrap_err();
        assert_eq!(full.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(at("file")).unwrap(), b"stays");
        assert_eq!(fs::read(at("a")).unwrap(), b"taken");
    }

    #[test]
    fn what_a_killed_write_left_behind_is_removed_by_a_later_one() {
        let folder = tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let old = SystemTime::now() - Duration::from_secs(7_200);
        for (name, is_old) in [
            (".file.abc.part", true),
            (".file.def.part", false),
            (".other.abc.part", true),
            ("file.abc.part", true),
        ] {
            let file = File::create(at(name)).unwrap();
            if is_old {
                file.set_modified(old).unwrap();
            }
        }
        replace(&at("file"), b"x").unwrap();
        assert!(!at(".file.abc.part").exists());
        for stays in [".file.def.part", ".other.abc.part", "file.abc.part"] {
            assert!(at(stays).exists(), "{stays}");
        }
    }

    #[cfg(unix)]
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

    #[cfg(unix)]
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
