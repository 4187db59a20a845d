//! Folders that are open, and what is in them: reached name by name, and never through a link.
//!
//! Whoever can write into a folder can put a link in the place of something that was looked at before. On Unix every name
//! here is looked up in a folder that is open already, and a link in its place is an error of the system. Elsewhere names
//! are joined to paths, and a link is refused when it is found there just before.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use crate::protocol::resume::FileStamp;

/// A folder that is open.
pub(crate) struct OpenFolder(system::Folder);

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryType {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link, or what Windows has for it.
    Link,
    /// A pipe, a device, a socket.
    Other,
}

/// What the system says of a file or folder, without its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// What it is.
    pub kind: EntryType,
    /// Length, times and number, by which a later look tells whether it has changed.
    pub stamp: FileStamp,
    /// Whether its owner may run it.
    pub executable: bool,
}

/// What a file is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileAccess {
    /// Its bytes are read.
    Read,
    /// Bytes are written into it; those that are there stay.
    Write,
}

impl OpenFolder {
    /// Opens the folder at `path`, also through links: for a path that a person gave.
    ///
    /// # Errors
    /// An [`io::Error`] of the system.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        system::Folder::open(path).map(Self)
    }

    /// Opens a folder in this one.
    ///
    /// # Errors
    /// An [`io::Error`] of the system; [`io::ErrorKind::NotADirectory`] or [`io::ErrorKind::InvalidInput`] when there is a
    /// link of that name.
    pub(crate) fn folder(&self, name: &OsStr) -> io::Result<Self> {
        self.0.folder(name).map(Self)
    }

    /// Opens the folder that these names lead to, one in the other; this one when there are none.
    ///
    /// # Errors
    /// An [`io::Error`] of the system, also when one of the names is that of a link.
    pub(crate) fn descend<'a>(&self, names: impl Iterator<Item = &'a OsStr>) -> io::Result<Self> {
        let mut here = None;
        for name in names {
            here = Some(here.as_ref().unwrap_or(self).folder(name)?);
        }
        here.map_or_else(|| self.0.try_clone().map(Self), Ok)
    }

    /// The names in this folder, in no order. Names that are no text are among them.
    ///
    /// # Errors
    /// An [`io::Error`] of the system.
    pub(crate) fn names(&self) -> io::Result<Vec<OsString>> {
        self.0.names()
    }

    /// What the system says of a name in this folder; of a link, not of what it leads to.
    ///
    /// # Errors
    /// An [`io::Error`] of the system.
    pub(crate) fn look(&self, name: &OsStr) -> io::Result<Found> {
        self.0.look(name)
    }

    /// Whether the system would let this person read the file of that name.
    ///
    /// # Errors
    /// An [`io::Error`] of the system.
    pub(crate) fn check_readable(&self, name: &OsStr) -> io::Result<()> {
        self.0.check_readable(name)
    }

    /// Opens a regular file in this folder.
    ///
    /// # Errors
    /// An [`io::Error`] of the system; [`io::ErrorKind::InvalidInput`] when it is a link, or no regular file.
    pub(crate) fn file(&self, name: &OsStr, access: FileAccess) -> io::Result<File> {
        regular(self.0.file(name, access)?)
    }

    /// Makes an empty file, which is open for writing, with the permissions that this person's settings give to new files.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] when there is anything of that name, and other errors of the system.
    pub(crate) fn create_file(&self, name: &OsStr, executable: bool) -> io::Result<File> {
        self.0.create_file(name, executable)
    }

    /// Makes a folder, with the permissions that this person's settings give to new folders.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] when there is anything of that name, and other errors of the system.
    pub(crate) fn create_folder(&self, name: &OsStr) -> io::Result<()> {
        self.0.create_folder(name)
    }

    /// Waits until the names in this folder are on the disk. Only Unix can.
    ///
    /// # Errors
    /// An [`io::Error`] of the system.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.0.sync()
    }

    /// Waits until everything in the file system of this folder is on the disk. An error in writing anything since the
    /// folder was opened is reported.
    ///
    /// # Errors
    /// An [`io::Error`] of the system.
    #[cfg(target_os = "linux")]
    pub(crate) fn sync_file_system(&self) -> io::Result<()> {
        self.0.sync_file_system()
    }
}

/// Opens a regular file to read it, also through links: for a path that a person gave. No pipe holds the open up.
///
/// # Errors
/// An [`io::Error`] of the system; [`io::ErrorKind::InvalidInput`] when it is no regular file.
pub(crate) fn open_file(path: &Path) -> io::Result<File> {
    regular(system::open_file(path)?)
}

/// What the system says of the file or folder at `path`; of a link, what it leads to.
///
/// # Errors
/// An [`io::Error`] of the system.
pub(crate) fn look_at_path(path: &Path) -> io::Result<Found> {
    system::look_at_path(path)
}

/// What the system says of a file that is open.
///
/// # Errors
/// An [`io::Error`] of the system.
pub(crate) fn look_at_file(file: &File) -> io::Result<Found> {
    system::look_at_file(file)
}

/// Reads into all of `buffer` from a place in the file on, and says how many bytes there were: fewer when the file ends
/// before.
///
/// # Errors
/// An [`io::Error`] of the system.
pub(crate) fn read_at(file: &File, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let mut file = file;
    file.seek(SeekFrom::Start(offset))?;
    let mut read = 0;
    while let Some(rest) = buffer.get_mut(read..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(count) => read += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

/// Writes all of `bytes` at a place in the file. Several threads may do so at once with one file.
///
/// # Errors
/// An [`io::Error`] of the system.
pub(crate) fn write_at(file: &File, offset: u64, bytes: &[u8]) -> io::Result<()> {
    system::write_at(file, offset, bytes)
}

/// Makes sure that a new, empty file can become `len` bytes long where it is: file systems have a limit of their own, as that
/// of many memory sticks (FAT32) of 4 GiB less one byte. Takes no room and no time. Where the system does not say, nothing is
/// refused.
///
/// # Errors
/// [`io::ErrorKind::FileTooLarge`].
pub(crate) fn check_len_allowed(file: &File, len: u64) -> io::Result<()> {
    // Every file system that is in use holds files of this length.
    const HELD_EVERYWHERE: u64 = u32::MAX as u64;
    if len <= HELD_EVERYWHERE || system::may_grow_to(file, len) {
        Ok(())
    } else {
        Err(io::ErrorKind::FileTooLarge.into())
    }
}

/// Moves a folder to a path where nothing is yet, in the same file system.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] when there is anything, and other errors of the system. The folder is where it was
/// then.
pub(crate) fn move_folder(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_vendor = "apple"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        use rustix::io::Errno;

        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            // Some file systems have no such rename, as that of shared folders.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            moved => return Ok(moved?),
        }
    }
    // The name is claimed by an empty folder, which is then replaced.
    std::fs::create_dir(to)?;
    let moved = if cfg!(windows) {
        std::fs::remove_dir(to).and_then(|()| std::fs::rename(from, to))
    } else {
        std::fs::rename(from, to)
    };
    moved.inspect_err(|_error| {
        // A folder that somebody put something into stays: only an empty one is removed so.
        std::fs::remove_dir(to).ok();
    })
}

fn regular(file: File) -> io::Result<File> {
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::ErrorKind::InvalidInput.into())
    }
}

#[cfg(unix)]
mod system {
    use std::ffi::{OsStr, OsString};
    use std::fs::File;
    use std::io;
    use std::os::fd::OwnedFd;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::FileExt as _;
    use std::path::Path;

    use rustix::fs::{Access, AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat};
    use rustix::io::Errno;

    use super::{EntryType, FileAccess, Found};
    use crate::protocol::resume::FileStamp;

    pub(super) struct Folder(OwnedFd);

    const FOLDER: OFlags = OFlags::RDONLY
        .union(OFlags::DIRECTORY)
        .union(OFlags::CLOEXEC);
    /// A pipe must not hold the open up, nor a terminal become this process's.
    const FILE: OFlags = OFlags::NONBLOCK
        .union(OFlags::NOCTTY)
        .union(OFlags::CLOEXEC);

    impl Folder {
        pub(super) fn open(path: &Path) -> io::Result<Self> {
            Ok(Self(rustix::fs::open(path, FOLDER, Mode::empty())?))
        }

        pub(super) fn folder(&self, name: &OsStr) -> io::Result<Self> {
            let flags = FOLDER | OFlags::NOFOLLOW;
            self.open_at(name, flags, Mode::empty()).map(Self)
        }

        pub(super) fn try_clone(&self) -> io::Result<Self> {
            self.0.try_clone().map(Self)
        }

        pub(super) fn names(&self) -> io::Result<Vec<OsString>> {
            let mut names = Vec::new();
            for entry in Dir::read_from(&self.0)? {
                let entry = entry?;
                let name = entry.file_name().to_bytes();
                if !matches!(name, b"." | b"..") {
                    names.push(OsStr::from_bytes(name).to_owned());
                }
            }
            Ok(names)
        }

        pub(super) fn look(&self, name: &OsStr) -> io::Result<Found> {
            let stat = rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?;
            Ok(found(&stat))
        }

        pub(super) fn check_readable(&self, name: &OsStr) -> io::Result<()> {
            Ok(rustix::fs::accessat(
                &self.0,
                name,
                Access::READ_OK,
                AtFlags::empty(),
            )?)
        }

        pub(super) fn file(&self, name: &OsStr, access: FileAccess) -> io::Result<File> {
            let access = match access {
                FileAccess::Read => OFlags::RDONLY,
                FileAccess::Write => OFlags::WRONLY,
            };
            let flags = access | FILE | OFlags::NOFOLLOW;
            self.open_at(name, flags, Mode::empty()).map(File::from)
        }

        pub(super) fn create_file(&self, name: &OsStr, executable: bool) -> io::Result<File> {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | FILE | OFlags::NOFOLLOW;
            let mode = if executable { 0o777 } else { 0o666 };
            self.open_at(name, flags, Mode::from_raw_mode(mode))
                .map(File::from)
        }

        fn open_at(&self, name: &OsStr, flags: OFlags, mode: Mode) -> io::Result<OwnedFd> {
            match rustix::fs::openat(&self.0, name, flags, mode) {
                // There is a link of that name. The systems differ in what they say then.
                Err(Errno::LOOP | Errno::MLINK) => Err(io::ErrorKind::InvalidInput.into()),
                opened => Ok(opened?),
            }
        }

        pub(super) fn create_folder(&self, name: &OsStr) -> io::Result<()> {
            Ok(rustix::fs::mkdirat(
                &self.0,
                name,
                Mode::from_raw_mode(0o777),
            )?)
        }

        pub(super) fn sync(&self) -> io::Result<()> {
            match rustix::fs::fsync(&self.0) {
                // Some file systems cannot.
                Err(Errno::INVAL) => Ok(()),
                synced => Ok(synced?),
            }
        }

        #[cfg(target_os = "linux")]
        pub(super) fn sync_file_system(&self) -> io::Result<()> {
            Ok(rustix::fs::syncfs(&self.0)?)
        }
    }

    pub(super) fn open_file(path: &Path) -> io::Result<File> {
        let flags = OFlags::RDONLY | FILE;
        Ok(rustix::fs::openat(CWD, path, flags, Mode::empty())?.into())
    }

    pub(super) fn look_at_path(path: &Path) -> io::Result<Found> {
        Ok(found(&rustix::fs::stat(path)?))
    }

    pub(super) fn look_at_file(file: &File) -> io::Result<Found> {
        Ok(found(&rustix::fs::fstat(file)?))
    }

    pub(super) fn write_at(file: &File, offset: u64, bytes: &[u8]) -> io::Result<()> {
        file.write_all_at(bytes, offset)
    }

    /// Linux lets no place be sought that the file system has no room for.
    #[cfg(not(target_vendor = "apple"))]
    pub(super) fn may_grow_to(mut file: &File, len: u64) -> bool {
        use std::io::{Seek as _, SeekFrom};

        let sought = file.seek(SeekFrom::Start(len));
        !sought.is_err_and(|error| error.kind() == io::ErrorKind::InvalidInput)
    }

    /// macOS says only which file system it is.
    #[cfg(target_vendor = "apple")]
    pub(super) fn may_grow_to(file: &File, _len: u64) -> bool {
        let Ok(about) = rustix::fs::fstatfs(file) else {
            return true;
        };
        let name = about.f_fstypename.iter();
        let name: Vec<u8> = name
            .map(|c| c.to_ne_bytes()[0])
            .take_while(|c| *c != 0)
            .collect();
        name != b"msdos"
    }

    fn found(stat: &Stat) -> Found {
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => EntryType::File,
            FileType::Directory => EntryType::Folder,
            FileType::Symlink => EntryType::Link,
            _ => EntryType::Other,
        };
        Found {
            kind,
            stamp: FileStamp {
                len_bytes: u64::try_from(stat.st_size).unwrap_or(0),
                modified_nanos: nanos(stat.st_mtime, stat.st_mtime_nsec),
                changed_nanos: Some(nanos(stat.st_ctime, stat.st_ctime_nsec)),
                inode: Some(stat.st_ino),
            },
            executable: Mode::from_raw_mode(stat.st_mode).contains(Mode::XUSR),
        }
    }

    /// Nanoseconds since 1970. The types of the system's numbers differ from one system to the next.
    fn nanos(secs: impl TryInto<i64>, nanos: impl TryInto<i64>) -> i64 {
        let secs = secs.try_into().unwrap_or(i64::MAX);
        let nanos = nanos.try_into().unwrap_or(0);
        secs.saturating_mul(1_000_000_000).saturating_add(nanos)
    }
}

#[cfg(windows)]
mod system {
    use std::ffi::{OsStr, OsString};
    use std::fs::{self, File, Metadata, OpenOptions};
    use std::io;
    use std::os::windows::fs::{FileExt as _, MetadataExt as _};
    use std::path::{Path, PathBuf};

    use super::{EntryType, FileAccess, Found};
    use crate::protocol::resume::FileStamp;

    pub(super) struct Folder(PathBuf);

    impl Folder {
        pub(super) fn open(path: &Path) -> io::Result<Self> {
            if fs::metadata(path)?.is_dir() {
                Ok(Self(path.to_owned()))
            } else {
                Err(io::ErrorKind::NotADirectory.into())
            }
        }

        pub(super) fn folder(&self, name: &OsStr) -> io::Result<Self> {
            let path = self.0.join(name);
            if fs::symlink_metadata(&path)?.is_dir() {
                Ok(Self(path))
            } else {
                Err(io::ErrorKind::NotADirectory.into())
            }
        }

        #[expect(
            clippy::unnecessary_wraps,
            reason = "the other systems have something that can fail"
        )]
        pub(super) fn try_clone(&self) -> io::Result<Self> {
            Ok(Self(self.0.clone()))
        }

        pub(super) fn names(&self) -> io::Result<Vec<OsString>> {
            fs::read_dir(&self.0)?
                .map(|entry| Ok(entry?.file_name()))
                .collect()
        }

        pub(super) fn look(&self, name: &OsStr) -> io::Result<Found> {
            Ok(found(&fs::symlink_metadata(self.0.join(name))?))
        }

        pub(super) fn check_readable(&self, name: &OsStr) -> io::Result<()> {
            File::open(self.0.join(name)).map(drop)
        }

        pub(super) fn file(&self, name: &OsStr, access: FileAccess) -> io::Result<File> {
            let path = self.0.join(name);
            // A file in a cloud's folder is no link, and has its bytes fetched when it is opened in the ordinary way.
            if fs::symlink_metadata(&path)?.is_symlink() {
                return Err(io::ErrorKind::InvalidInput.into());
            }
            OpenOptions::new()
                .read(access == FileAccess::Read)
                .write(access == FileAccess::Write)
                .open(path)
        }

        pub(super) fn create_file(&self, name: &OsStr, _executable: bool) -> io::Result<File> {
            File::create_new(self.0.join(name))
        }

        pub(super) fn create_folder(&self, name: &OsStr) -> io::Result<()> {
            fs::create_dir(self.0.join(name))
        }

        #[expect(
            clippy::unnecessary_wraps,
            clippy::unused_self,
            reason = "the other systems have something that can fail"
        )]
        pub(super) const fn sync(&self) -> io::Result<()> {
            Ok(())
        }
    }

    pub(super) fn open_file(path: &Path) -> io::Result<File> {
        File::open(path)
    }

    pub(super) fn look_at_path(path: &Path) -> io::Result<Found> {
        Ok(found(&fs::metadata(path)?))
    }

    pub(super) fn look_at_file(file: &File) -> io::Result<Found> {
        Ok(found(&file.metadata()?))
    }

    pub(super) fn write_at(file: &File, mut offset: u64, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match file.seek_write(bytes, offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    offset += written as u64;
                    bytes = bytes.get(written..).unwrap_or_default();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Windows refuses at once to make a file longer than its file system holds, and writes nothing to make it so long. FAT
    /// says then that the disk is full.
    pub(super) fn may_grow_to(file: &File, len: u64) -> bool {
        use io::ErrorKind::{FileTooLarge, InvalidInput, StorageFull};

        let grown = file.set_len(len).map_err(|error| error.kind());
        file.set_len(0).ok();
        !matches!(grown, Err(FileTooLarge | InvalidInput | StorageFull))
    }

    fn found(metadata: &Metadata) -> Found {
        let kind = if metadata.is_symlink() {
            EntryType::Link
        } else if metadata.is_dir() {
            EntryType::Folder
        } else if metadata.is_file() {
            EntryType::File
        } else {
            EntryType::Other
        };
        Found {
            kind,
            stamp: FileStamp {
                len_bytes: metadata.len(),
                modified_nanos: since_1970(metadata.last_write_time()),
                changed_nanos: None,
                inode: None,
            },
            executable: false,
        }
    }

    /// Nanoseconds since 1970 of a time that Windows counts in units of 100 ns since 1601.
    fn since_1970(file_time: u64) -> i64 {
        /// Units between the two.
        const FROM_1601: i64 = 116_444_736_000_000_000;
        i64::try_from(file_time)
            .unwrap_or(i64::MAX)
            .saturating_sub(FROM_1601)
            .saturating_mul(100)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::tempdir;

    use super::*;

    fn open(path: &Path) -> OpenFolder {
        OpenFolder::open(path).unwrap()
    }

    #[test]
    fn what_is_made_is_found_and_nothing_is_made_twice() {
        let home = tempdir().unwrap();
        let folder = open(home.path());
        folder.create_folder("sub".as_ref()).unwrap();
        let sub = folder.folder("sub".as_ref()).unwrap();
        let file = sub.create_file("file".as_ref(), false).unwrap();
        write_at(&file, 2, b"cd").unwrap();
        write_at(&file, 0, b"ab").unwrap();
        assert_eq!(fs::read(home.path().join("sub/file")).unwrap(), b"abcd");
        for taken in ["sub", "file"] {
            let again = [
                sub.create_file("file".as_ref(), true).map(drop),
                folder.create_folder("sub".as_ref()),
            ];
            for error in again.map(Result::unwrap_err) {
                assert_eq!(error.kind(), io::ErrorKind::AlreadyExists, "{taken}");
            }
        }
        let found = sub.look("file".as_ref()).unwrap();
        assert_eq!((found.kind, found.stamp.len_bytes), (EntryType::File, 4));
        let kind = folder.look("sub".as_ref()).unwrap().kind;
        assert_eq!(kind, EntryType::Folder);
        assert_eq!(sub.names().unwrap(), ["file"]);
        let same = folder.descend(["sub"].into_iter().map(OsStr::new));
        assert_eq!(same.unwrap().names().unwrap(), ["file"]);
        let itself = folder.descend(std::iter::empty()).unwrap();
        assert_eq!(itself.names().unwrap(), ["sub"]);
    }

    #[test]
    fn a_look_by_name_by_path_and_by_handle_agree() {
        let home = tempdir().unwrap();
        let path = home.path().join("file");
        fs::write(&path, "content").unwrap();
        let by_name = open(home.path()).look("file".as_ref()).unwrap();
        assert_eq!(look_at_path(&path).unwrap(), by_name);
        assert_eq!(look_at_file(&open_file(&path).unwrap()).unwrap(), by_name);
    }

    #[test]
    fn a_file_is_read_from_any_place_as_far_as_it_goes() {
        let home = tempdir().unwrap();
        let path = home.path().join("file");
        fs::write(&path, "content").unwrap();
        let file = open(home.path())
            .file("file".as_ref(), FileAccess::Read)
            .unwrap();
        let mut buffer = [0; 4];
        assert_eq!(read_at(&file, 1, &mut buffer).unwrap(), 4);
        assert_eq!(&buffer, b"onte");
        assert_eq!(read_at(&file, 5, &mut buffer).unwrap(), 2);
        assert_eq!(&buffer[..2], b"nt");
        assert_eq!(read_at(&file, 9, &mut buffer).unwrap(), 0);
    }

    #[test]
    fn a_length_that_no_file_system_holds_is_known_before_a_byte_is_written() {
        let home = tempdir().unwrap();
        let folder = open(home.path());
        let file = folder.create_file("file".as_ref(), false).unwrap();
        assert!(check_len_allowed(&file, 0).is_ok());
        assert!(check_len_allowed(&file, 5_000_000_000).is_ok());
        if cfg!(target_os = "linux") {
            let error = check_len_allowed(&file, u64::MAX).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        }
        assert_eq!(file.metadata().unwrap().len(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn no_link_is_followed() {
        use std::os::unix::fs::symlink;

        let home = tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        fs::write(at("precious"), "precious").unwrap();
        fs::create_dir(at("there")).unwrap();
        symlink(at("precious"), at("to_file")).unwrap();
        symlink(at("there"), at("to_folder")).unwrap();
        symlink(at("nowhere"), at("to_nothing")).unwrap();
        let folder = open(home.path());
        assert!(folder.folder("to_folder".as_ref()).is_err());
        for access in [FileAccess::Read, FileAccess::Write] {
            assert!(folder.file("to_file".as_ref(), access).is_err());
        }
        for name in ["to_file", "to_folder", "to_nothing"] {
            assert!(folder.create_file(name.as_ref(), false).is_err());
            assert!(folder.create_folder(name.as_ref()).is_err());
            assert_eq!(folder.look(name.as_ref()).unwrap().kind, EntryType::Link);
        }
        assert!(!at("nowhere").exists());
        // A person may name a link.
        assert_eq!(look_at_path(&at("to_file")).unwrap().kind, EntryType::File);
        assert!(OpenFolder::open(&at("to_folder")).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_holds_nothing_up() {
        let home = tempdir().unwrap();
        let pipe = home.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RWXU).unwrap();
        let folder = open(home.path());
        assert!(folder.file("pipe".as_ref(), FileAccess::Read).is_err());
        assert!(open_file(&pipe).is_err());
        assert_eq!(folder.look("pipe".as_ref()).unwrap().kind, EntryType::Other);
    }
}
