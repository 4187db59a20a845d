//! What a folder needs that other stores do themselves: privacy, a lock, leftovers swept, deletions that last.

use std::{
    fs::{self, File},
    io,
    path::{Path as FilePath, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, SystemTime},
};

use object_store::{local::LocalFileSystem, path::Path};
use tracing::{error, warn};

use super::{OpenStoreError, names::ObjectKind, quota::Held, total};
use crate::disk::lock_file::{self, Tried};
use crate::disk::private;

/// A folder that objects lie in.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
    // The system frees the lock with the file at the latest. None for a visitor.
    lock: Option<File>,
    /// When it was opened, by the clock that stamps its files; the beginning of time for a visitor.
    opened: SystemTime,
    /// Whether the folder was not there at the last look.
    lost: AtomicBool,
}

impl Folder {
    /// Releases the lock of the folder.
    pub(super) fn release(&self) {
        if let Some(lock) = &self.lock {
            // Where it fails, the lock goes with the file.
            lock.unlock().ok();
        }
    }

    /// Makes what is missing of the folder and takes its lock, unless it is only visited.
    ///
    /// Folders of objects stay when they become empty, so that they stay private.
    pub(super) fn open(root: &FilePath, visit: bool) -> Result<Self, OpenStoreError> {
        let failed = |cause| OpenStoreError::Folder {
            folder: root.to_owned(),
            cause,
        };
        if visit && !root.is_dir() {
            return Err(failed(io::ErrorKind::NotFound.into()));
        }
        if !root.is_dir() {
            private::make_missing_folder(root).map_err(failed)?;
        }
        for kind in ObjectKind::IN_FOLDER {
            let folder = root.join(kind.prefix());
            if !folder.is_dir() {
                private::make_missing_folder(&folder).map_err(failed)?;
            }
            make_private(&folder).map_err(failed)?;
        }
        let folder = |lock: Option<File>| Self {
            root: root.to_owned(),
            opened: lock
                .as_ref()
                .map_or(SystemTime::UNIX_EPOCH, |_lock| file_system_time(root)),
            lock,
            lost: AtomicBool::new(false),
        };
        if visit {
            return Ok(folder(None));
        }
        let tried = lock_file::try_hold(&lock_path(root)).map_err(failed)?;
        Ok(folder(Some(alone(root, tried)?)))
    }

    /// Proves that the folder at its path is still the one that was opened: the lock file there is the one that is held.
    /// A disk that was unmounted leaves an empty folder, in which nothing is found and whose new files nobody will see
    /// again. Blocking.
    ///
    /// # Errors
    /// An [`io::Error`] when it is another folder or none. It is told in the log when that begins and when it ends.
    pub(super) fn prove(&self) -> io::Result<()> {
        let proven = match &self.lock {
            Some(held) => prove_same(held, &lock_path(&self.root)),
            None => Ok(()),
        };
        let lost = proven.is_err();
        if self.lost.swap(lost, Ordering::SeqCst) != lost {
            if lost {
                error!("the folder of the store is not there any more; is its disk connected?");
            } else {
                warn!("the folder of the store is there again");
            }
        }
        proven
    }

    /// The objects in it; what is written is on the disk when the write returns.
    pub(super) fn objects(&self) -> Result<LocalFileSystem, OpenStoreError> {
        LocalFileSystem::new_with_prefix(&self.root)
            .map(|objects| objects.with_fsync(true))
            .map_err(|error| OpenStoreError::Folder {
                folder: self.root.clone(),
                cause: io::Error::other(error),
            })
    }

    /// What the folder holds, as far as that is known without counting. Blocking.
    pub(super) fn held(&self) -> io::Result<Held> {
        for kind in ObjectKind::COUNTED {
            for entry in fs::read_dir(self.root.join(kind.prefix()))? {
                if entry?.path() != lock_path(&self.root) {
                    return Ok(total::read(&self.root));
                }
            }
        }
        Ok(Held::Counted(0))
    }

    /// Notes that the folder holds at most `bytes`; that is on the disk when this returns. Blocking.
    pub(super) fn note_total(&self, bytes: u64) -> io::Result<()> {
        total::write(&self.root, bytes)?;
        sync_nearest(&self.root, &self.root)
    }

    /// Removes leftovers of interrupted writes, and empty folders: those from before this folder was opened, since nobody
    /// writes to them any more, and those older than `age`. Blocking.
    ///
    /// The folder store writes beside its target, to a name that ends in `#` and digits, which its listings hide. File
    /// systems stamp in steps: a write that began in the step in which the folder was opened may be taken for a leftover. It
    /// finds its file missing and is begun again.
    pub(super) fn tidy(&self, age: Duration) -> io::Result<()> {
        let old = SystemTime::now().checked_sub(age);
        let before = old.map_or(self.opened, |old| old.max(self.opened));
        for kind in ObjectKind::IN_FOLDER {
            tidy_folder(&self.root.join(kind.prefix()), before)?;
        }
        Ok(())
    }

    /// Removes the folders that `object` leaves empty; its removal is on the disk when this returns.
    pub(super) fn removed(&self, object: &Path) -> io::Result<()> {
        let mut parts: Vec<_> = object.parts().collect();
        parts.pop();
        while parts.len() > 1 {
            match fs::remove_dir(self.path(&parts)) {
                Ok(()) => parts.pop(),
                Err(_not_empty_or_gone) => break,
            };
        }
        sync_nearest(&self.path(&parts), &self.root)
    }

    fn path<T: AsRef<str>>(&self, parts: &[T]) -> PathBuf {
        let mut path = self.root.clone();
        path.extend(parts.iter().map(AsRef::as_ref));
        path
    }
}

/// Two servers in one folder would delete what the other just wrote: without a lock there is none.
fn alone(root: &FilePath, tried: Tried) -> Result<File, OpenStoreError> {
    let folder = root.to_owned();
    match tried {
        Tried::Held(lock) => Ok(lock),
        Tried::NoLocks => Err(OpenStoreError::NoLocks { folder }),
        Tried::Taken => Err(OpenStoreError::InUse { folder }),
    }
}

/// The time that a file gets which is written now; that of a system can be some milliseconds ahead. The beginning of time
/// when no file can be written. Blocking.
fn file_system_time(root: &FilePath) -> SystemTime {
    // Called like the leftovers of writes, since it may become one.
    let path = root.join(ObjectKind::Probe.prefix()).join("time#0");
    let written = File::create(&path).and_then(|file| file.metadata()?.modified());
    fs::remove_file(&path).ok();
    written.unwrap_or(SystemTime::UNIX_EPOCH)
}

/// Whether a process has the store in the folder `root`.
pub(super) fn is_held(root: &FilePath) -> bool {
    lock_file::is_held(&lock_path(root))
}

fn lock_path(root: &FilePath) -> PathBuf {
    root.join(ObjectKind::Blob.prefix()).join("lock")
}

/// Windows lets nobody take away a folder with an open file in it.
#[cfg(not(unix))]
fn prove_same(_held: &File, path: &FilePath) -> io::Result<()> {
    fs::symlink_metadata(path).map(drop)
}

#[cfg(unix)]
fn prove_same(held: &File, path: &FilePath) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;

    let (held, there) = (held.metadata()?, fs::symlink_metadata(path)?);
    if (held.dev(), held.ino()) == (there.dev(), there.ino()) {
        Ok(())
    } else {
        Err(io::ErrorKind::StaleNetworkFileHandle.into())
    }
}

/// True when nothing is left in it.
fn tidy_folder(folder: &FilePath, before: SystemTime) -> io::Result<bool> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(error),
    };
    let mut empty = true;
    for entry in entries {
        let entry = entry?;
        match tidy_entry(&entry, before) {
            Ok(removed) => empty &= removed,
            // Renamed into place, or swept, in between.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(empty)
}

/// True when the entry is not there any more.
fn tidy_entry(entry: &fs::DirEntry, before: SystemTime) -> io::Result<bool> {
    let path = entry.path();
    if entry.file_type()?.is_dir() {
        // One that was made just now is about to be written to; and should a write come in between, it stays.
        let is_old = entry.metadata()?.modified()? <= before;
        return Ok(tidy_folder(&path, before)? && is_old && fs::remove_dir(&path).is_ok());
    }
    let is_leftover = entry
        .file_name()
        .to_str()
        .and_then(|name| name.rsplit_once('#'))
        .is_some_and(|(_, suffix)| {
            !suffix.is_empty() && suffix.bytes().all(|byte| byte.is_ascii_digit())
        });
    if is_leftover && entry.metadata()?.modified()? <= before {
        fs::remove_file(path)?;
        return Ok(true);
    }
    Ok(false)
}

#[cfg(unix)]
fn sync_nearest(folder: &FilePath, root: &FilePath) -> io::Result<()> {
    let mut folder = folder;
    loop {
        match File::open(folder).and_then(|opened| opened.sync_all()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && folder != root => {
                folder = folder.parent().unwrap_or(root);
            }
            done => return done,
        }
    }
}

/// Only unix can sync a folder.
#[cfg(not(unix))]
fn sync_nearest(_folder: &FilePath, _root: &FilePath) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn make_private(folder: &FilePath) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    if fs::metadata(folder)?.permissions().mode() & 0o777 == 0o700 {
        return Ok(());
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

/// Only unix has modes.
#[cfg(not(unix))]
fn make_private(_folder: &FilePath) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(folder: &FilePath) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// A file system stamps in steps of milliseconds, and some of seconds.
    fn wait_for_a_later_stamp(folder: &Folder) {
        while file_system_time(&folder.root) <= folder.opened {
            std::thread::yield_now();
        }
    }

    #[test]
    fn leftovers_go_when_they_are_old_enough_and_empty_folders_with_them() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("store");
        let folder = Folder::open(&root, false).unwrap();
        wait_for_a_later_stamp(&folder);
        fs::create_dir_all(root.join("blob/5")).unwrap();
        fs::create_dir_all(root.join("more/5/id")).unwrap();
        fs::write(root.join("blob/5/a#1"), b"half").unwrap();
        fs::write(root.join("blob/5/a"), b"whole").unwrap();
        fs::write(root.join("more/5/id/9#12"), b"").unwrap();
        folder.tidy(Duration::from_secs(3600)).unwrap();
        assert_eq!(files(&root.join("blob/5")), ["a", "a#1"]);
        folder.tidy(Duration::ZERO).unwrap();
        assert_eq!(files(&root.join("blob/5")), ["a"]);
        assert!(files(&root.join("more")).is_empty());
        assert_eq!(files(&root.join("blob")), ["5", "lock"]);
    }

    #[test]
    fn leftovers_from_before_it_was_opened_go_however_young_they_are() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("store");
        drop(Folder::open(&root, false).unwrap());
        fs::create_dir_all(root.join("blob/5")).unwrap();
        fs::write(root.join("blob/5/a#1"), b"half").unwrap();
        let folder = Folder::open(&root, false).unwrap();
        wait_for_a_later_stamp(&folder);
        fs::write(root.join("blob/5/b#2"), b"under way").unwrap();
        folder.tidy(Duration::from_secs(3600)).unwrap();
        assert_eq!(files(&root.join("blob/5")), ["b#2"]);
    }

    #[test]
    fn a_removal_takes_the_folders_that_it_empties_but_not_the_first() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("store");
        let folder = Folder::open(&root, false).unwrap();
        fs::create_dir_all(root.join("seen/5/id")).unwrap();
        folder.removed(&Path::from("seen/5/id/nonce")).unwrap();
        assert!(files(&root.join("seen")).is_empty());
        folder.removed(&Path::from("seen/5/id/nonce")).unwrap();
        fs::create_dir_all(root.join("seen/5/id")).unwrap();
        fs::write(root.join("seen/5/other"), b"").unwrap();
        folder.removed(&Path::from("seen/5/id/nonce")).unwrap();
        assert_eq!(files(&root.join("seen/5")), ["other"]);
    }

    #[test]
    fn one_process_holds_the_folder_and_others_may_visit() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("store");
        assert!(
            Folder::open(&root, true).is_err(),
            "a visitor makes no folder"
        );
        let folder = Folder::open(&root, false).unwrap();
        let error = Folder::open(&root, false).unwrap_err();
        assert!(matches!(error, OpenStoreError::InUse { .. }));
        Folder::open(&root, true).unwrap();
        folder.release();
        let next = Folder::open(&root, false).unwrap();
        drop(folder);
        Folder::open(&root, false).unwrap_err();
        drop(next);
        Folder::open(&root, false).unwrap();
    }

    #[test]
    fn a_folder_without_locks_is_refused_for_that_reason() {
        let root = FilePath::new("/mnt/store");
        let error = alone(root, Tried::NoLocks).unwrap_err();
        let said = error.to_string();
        assert!(
            said.contains("no locks") && said.contains("/mnt/store"),
            "{said}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_enters_the_folder() {
        use std::os::unix::fs::PermissionsExt as _;

        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("store");
        fs::create_dir_all(root.join("blob")).unwrap();
        fs::set_permissions(root.join("blob"), fs::Permissions::from_mode(0o755)).unwrap();
        let _folder = Folder::open(&root, false).unwrap();
        for kind in ObjectKind::IN_FOLDER {
            let mode = fs::metadata(root.join(kind.prefix()))
                .unwrap()
                .permissions();
            assert_eq!(mode.mode() & 0o777, 0o700, "{}", kind.prefix());
        }
    }
}
