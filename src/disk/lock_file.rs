//! Files that stand for a lock: made if they are missing, never read, never written.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

use super::private::{self, OpenMode};

/// Whether somebody holds the lock file at `path`; nobody holds one that is missing or on a file system without locks.
#[must_use]
pub(crate) fn is_held(path: &Path) -> bool {
    // Dropping the file gives a lock it got back at once.
    let file = private::open(path, OpenMode::There);
    file.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

/// Opens the lock file at `path` and waits until nobody else holds it. Who holds the returned file is alone, until it is
/// closed. Returns none on a file system that has no locks (Lustre without `-o flock`, NFS without its lock service):
/// then whoever writes last wins, and whoever must be alone has to say so.
///
/// # Errors
/// An [`io::Error`] of the system, also for a symbolic link; [`io::ErrorKind::InvalidInput`] when it is no file.
pub(crate) fn hold(path: &Path) -> io::Result<Option<File>> {
    let file = private::open(path, OpenMode::ThereOrNew)?;
    match wait_for_lock(&file) {
        Ok(()) => Ok(Some(file)),
        Err(error) if has_no_locks(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Outcome of [`try_hold`].
#[derive(Debug)]
pub(crate) enum Tried {
    /// Nobody else holds it until this file is closed.
    Held(File),
    /// The file system has no locks.
    NoLocks,
    /// Somebody else holds it.
    Taken,
}

/// Like [`hold`], for a lock that is held for long: does not wait for whoever holds it.
///
/// # Errors
/// As [`hold`].
pub(crate) fn try_hold(path: &Path) -> io::Result<Tried> {
    let file = private::open(path, OpenMode::ThereOrNew)?;
    match file.try_lock() {
        Ok(()) => Ok(Tried::Held(file)),
        Err(TryLockError::WouldBlock) => Ok(Tried::Taken),
        Err(TryLockError::Error(error)) if has_no_locks(&error) => Ok(Tried::NoLocks),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Whether a lock was refused because the file system has none.
pub(super) fn has_no_locks(error: &io::Error) -> bool {
    #[cfg(unix)]
    if rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::NOLCK) {
        return true;
    }
    error.kind() == io::ErrorKind::Unsupported
}

#[cfg(not(test))]
fn wait_for_lock(file: &File) -> io::Result<()> {
    file.lock()
}

/// Waits for the lock of the file, or refuses it as a file system without locks does, inside [`without_locks`].
#[cfg(test)]
fn wait_for_lock(file: &File) -> io::Result<()> {
    if NO_LOCKS.get() {
        return Err(io::ErrorKind::Unsupported.into());
    }
    file.lock()
}

#[cfg(test)]
thread_local! {
    static NO_LOCKS: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Does `work` as if every file of this thread were on a file system without locks, as far as [`hold`] can tell.
#[cfg(test)]
pub(crate) fn without_locks<T>(work: impl FnOnce() -> T) -> T {
    NO_LOCKS.set(true);
    let done = work();
    NO_LOCKS.set(false);
    done
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::tempdir;

    use super::*;

    fn open(path: &Path) -> io::Result<File> {
        private::open(path, OpenMode::ThereOrNew)
    }

    #[test]
    fn a_lock_file_is_made_once_and_keeps_its_content() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("lock");
        assert!(
            !is_held(&path) && !path.exists(),
            "it is not made by a look"
        );
        drop(open(&path).unwrap());
        fs::write(&path, "precious").unwrap();
        drop(open(&path).unwrap());
        assert!(!is_held(&path));
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
        assert!(open(folder.path()).is_err(), "a folder is no lock");
    }

    #[test]
    fn whoever_holds_it_is_alone() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = hold(&path).unwrap().unwrap();
        assert!(is_held(&path) && matches!(try_hold(&path).unwrap(), Tried::Taken));
        drop(held);
        let Tried::Held(held) = try_hold(&path).unwrap() else {
            panic!("nobody held it");
        };
        assert!(is_held(&path));
        drop(held);
        assert!(!is_held(&path));
    }

    #[test]
    fn where_there_are_no_locks_nobody_waits_and_nobody_is_alone() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = hold(&path).unwrap();
        assert!(held.is_some());
        without_locks(|| assert!(hold(&path).unwrap().is_none()));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_system_without_locks_is_told_from_one_in_trouble() {
        use rustix::io::Errno;

        for (errno, without) in [
            (Errno::NOSYS, true),
            (Errno::NOLCK, true),
            (Errno::OPNOTSUPP, true),
            (Errno::IO, false),
            (Errno::INTR, false),
        ] {
            assert_eq!(has_no_locks(&errno.into()), without, "{errno}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_not_followed_and_a_pipe_does_not_hold() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};

        let folder = tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("precious"), "precious").unwrap();
        symlink(at("precious"), at("there")).unwrap();
        symlink(at("nothing"), at("nowhere")).unwrap();
        for link in ["there", "nowhere"] {
            assert!(open(&at(link)).is_err());
            assert!(try_hold(&at(link)).is_err());
        }
        assert_eq!(fs::read_to_string(at("precious")).unwrap(), "precious");
        assert!(!at("nothing").exists(), "nothing is made through a link");
        let made = std::process::Command::new("mkfifo")
            .arg(at("pipe"))
            .status();
        assert!(made.unwrap().success());
        assert!(open(&at("pipe")).is_err());
        drop(open(&at("lock")).unwrap());
        let mode = fs::metadata(at("lock")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
