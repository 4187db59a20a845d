//! How a received file gets onto the disk: whole, under a free name, or not at all.
//!
//! The folder is tried before anything is fetched ([`SaveTo::prepare`]). The bytes go to a hidden temporary file beside the
//! target ([`incoming`](super::incoming)) and are synced before a rename that never overwrites. Where the file system
//! refuses the name, the file gets one like it that every file system takes. A program that is killed in between leaves
//! that file behind; it is removed a day later, when something is saved into the same folder, unless it is kept for a
//! transfer that goes on.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tempfile::{Builder, NamedTempFile, PersistError};

use super::file_name::{LeadingDots, SafeFileName, portable_names};
use super::free_name::{FreeNumbers, NoName, take_name};
use super::incoming::SavedItem;
use crate::disk::io_reason::IoReason;

/// How the names of temporary files and folders begin.
pub(super) const PREFIX: &str = ".cloakroom-";
/// How they end.
pub(super) const SUFFIX: &str = ".part";
/// Age from which temporary files are removed; younger ones may belong to a transfer that still runs.
const LEFTOVER_AGE: Duration = Duration::from_secs(24 * 3_600);

/// Where a person wants a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SaveTo {
    /// In this folder, under the name that came with the file.
    Folder(PathBuf),
    /// At this path: a folder if it is one or ends in a separator, else the file itself.
    Path(PathBuf),
}

impl SaveTo {
    /// What was chosen; without a choice the current folder.
    #[must_use]
    pub(crate) fn from_choice(path: Option<PathBuf>) -> Self {
        path.map_or_else(|| Self::Folder(PathBuf::new()), Self::Path)
    }

    /// Makes sure that a file can be saved there, by making one and removing it; leftovers of programs that were killed
    /// are removed, too, but for those `held`: the temporary files and folders of transfers that go on later. Blocking,
    /// small.
    ///
    /// # Errors
    /// [`SaveError`] names the step.
    pub fn prepare(self, held: &[PathBuf]) -> Result<SaveTarget, SaveError> {
        let target = self.target()?;
        target.check_name()?;
        check_folder(target.here())?;
        new_part(target.here()).map_err(|error| SaveError::Create(error.into()))?;
        sweep_leftovers(target.here(), LEFTOVER_AGE, held).ok();
        Ok(target)
    }

    fn target(self) -> Result<SaveTarget, SaveError> {
        let path = match self {
            Self::Folder(folder) => return Ok(SaveTarget::new(folder, None)),
            Self::Path(path) => path,
        };
        let ends_in_separator = path
            .as_os_str()
            .as_encoded_bytes()
            .last()
            .is_some_and(|last| std::path::is_separator(char::from(*last)));
        if ends_in_separator || path.is_dir() {
            return Ok(SaveTarget::new(path, None));
        }
        let chosen = path
            .file_name()
            .ok_or_else(|| SaveError::Folder(io::ErrorKind::NotFound.into()))?;
        let folder = path.parent().unwrap_or_else(|| Path::new("")).to_owned();
        Ok(SaveTarget::new(folder, Some(chosen.to_owned())))
    }
}

/// A place where a file can be saved, or could a moment ago.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaveTarget {
    folder: PathBuf,
    /// The folder as the person named it, which is how they are told where something is.
    named: PathBuf,
    /// The name that the person chose, in place of the one that came with the file.
    name: Option<OsString>,
}

impl SaveTarget {
    fn new(folder: PathBuf, name: Option<OsString>) -> Self {
        Self {
            named: folder.clone(),
            folder,
            name,
        }
    }

    /// Saves `content`. A taken name gets a number, "report (1).pdf"; nothing is overwritten. A name that the file system
    /// refuses is replaced by one like it, "what_.pdf".
    ///
    /// # Errors
    /// [`SaveError`] names the step; nothing is left on the disk then.
    pub(crate) fn save(&self, name: &SafeFileName, content: &[u8]) -> Result<SavedItem, SaveError> {
        let file = self.begin_file(content.len() as u64)?;
        file.write_at(0, content)?;
        file.finish(name)
    }

    /// The place at this path, whatever is there: what is saved gets this name, or one like it.
    #[must_use]
    pub(crate) fn exactly(path: &Path) -> Self {
        let folder = path.parent().unwrap_or_else(|| Path::new("")).to_owned();
        Self::new(folder, path.file_name().map(ToOwned::to_owned))
    }

    /// Where something called `name` would be saved, if that name is free.
    #[must_use]
    pub(crate) fn path_for(&self, name: &SafeFileName) -> PathBuf {
        let name = self
            .name
            .as_deref()
            .unwrap_or_else(|| name.as_str().as_ref());
        std::path::absolute(self.here().join(name)).unwrap_or_else(|_error| self.here().join(name))
    }

    /// Makes sure that the disk has room for so many bytes, before they are fetched. Where the system does not say how much
    /// is free, nothing is refused.
    ///
    /// # Errors
    /// [`SaveError::NoRoom`].
    pub(crate) fn check_room(&self, needed: u64) -> Result<(), SaveError> {
        match fs4::available_space(self.here()) {
            Ok(free) if free < needed => Err(SaveError::NoRoom { needed, free }),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// The same place, if it can still be used, by a path that holds whatever folder this process is in.
    pub(super) fn absolute(&self) -> Result<Self, SaveError> {
        check_folder(self.here())?;
        let folder = std::path::absolute(self.here());
        Ok(Self {
            folder: folder.map_err(|error| SaveError::Folder(error.into()))?,
            named: self.named.clone(),
            name: self.name.clone(),
        })
    }

    /// The folder that things are saved in.
    pub(super) fn here(&self) -> &Path {
        if self.folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            &self.folder
        }
    }

    /// Moves something to the name that the person chose, else to `name`, or to one like it. `give` moves it to a path, and
    /// fails with [`io::ErrorKind::AlreadyExists`] when anything is there. Returns where it is.
    pub(super) fn take_name(
        &self,
        name: &SafeFileName,
        mut give: impl FnMut(&Path) -> io::Result<()>,
    ) -> Result<PathBuf, SaveError> {
        let name = self
            .name
            .as_deref()
            .unwrap_or_else(|| name.as_str().as_ref());
        let others = || portable_names(&name.to_string_lossy(), LeadingDots::Drop);
        let mut numbers = FreeNumbers::default();
        let taken = take_name(name, others, &mut numbers, |name| {
            give(&self.folder.join(name))
        });
        match taken {
            Ok((name, ())) => Ok(self.named.join(name)),
            Err(why) => Err(no_name(why, SaveError::Rename)),
        }
    }

    /// Waits until the names in the folder are on the disk. That they may not be is no reason to call unsaved what is there
    /// and whole.
    pub(super) fn sync_folder(&self) {
        File::open(self.here())
            .and_then(|folder| folder.sync_all())
            .ok();
    }

    /// A file that is there gets a new one beside it; next to a pipe or a device that would surprise.
    fn check_name(&self) -> Result<(), SaveError> {
        let Some(name) = &self.name else {
            return Ok(());
        };
        match fs::metadata(self.folder.join(name)) {
            Ok(there) if !there.is_file() => Err(SaveError::NoRegularFile),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

/// Why something got no name, as an error of saving.
pub(super) fn no_name(why: NoName, refused: fn(IoReason) -> SaveError) -> SaveError {
    match why {
        NoName::NoneFree => SaveError::NoFreeName,
        NoName::Refused(reason) => refused(reason),
    }
}

/// Removes temporary files and folders in `folder` that were last written more than `age` ago and are not `held`, and says
/// how many. What cannot be removed stays for the next time.
fn sweep_leftovers(folder: &Path, age: Duration, held: &[PathBuf]) -> io::Result<usize> {
    let now = SystemTime::now();
    let mut swept = 0;
    for entry in fs::read_dir(folder)? {
        let Ok(entry) = entry else { continue };
        let name = entry.file_name();
        let ours = name
            .to_str()
            .is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX));
        // One folder has many paths; the names are random, and none is made twice.
        let is_held = || held.iter().any(|held| held.file_name() == Some(&name));
        if !ours || is_held() {
            continue;
        }
        // The metadata of a directory entry does not follow links.
        let Ok(metadata) = entry.metadata() else {
            continue;
        };
        let written = metadata.modified().ok();
        let past = written.and_then(|at| now.duration_since(at).ok());
        if past.is_none_or(|past| past <= age) {
            continue;
        }
        let removed = if metadata.is_dir() {
            fs::remove_dir_all(entry.path())
        } else if metadata.is_file() {
            fs::remove_file(entry.path())
        } else {
            continue;
        };
        swept += usize::from(removed.is_ok());
    }
    Ok(swept)
}

/// Why a file could not be saved. Nothing is left of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SaveError {
    /// What had come of it is not there any more, or is not as it was left.
    #[error("what had arrived was changed or removed")]
    Altered,
    /// The person cancelled before anything had come.
    #[error("cancelled")]
    Cancelled,
    /// Nothing can be written into the folder.
    #[error("no file can be made in the folder: {0}")]
    Create(IoReason),
    /// The folder is not there, or is no folder.
    #[error("the folder cannot be used: {0}")]
    Folder(IoReason),
    /// The name and the 999 numbered ones are taken.
    #[error("all names like this one are taken")]
    NoFreeName,
    /// The disk has not enough room.
    #[error("{needed} bytes are needed, and {free} are free")]
    NoRoom {
        /// Bytes that are to be saved.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// The chosen name is that of a pipe, a device or a socket.
    #[error("there is something of that name that is no regular file")]
    NoRegularFile,
    /// The written file could not get its name.
    #[error("the file cannot be given its name: {0}")]
    Rename(IoReason),
    /// The file system of the disk holds no file so long, as that of many memory sticks (FAT32) none of 4 GiB.
    #[error("the disk holds no file of {0} bytes")]
    TooLong(u64),
    /// The bytes could not be written, as on a full disk.
    #[error("the file cannot be written: {0}")]
    Write(IoReason),
}

fn check_folder(folder: &Path) -> Result<(), SaveError> {
    match fs::metadata(folder) {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => Err(SaveError::Folder(io::ErrorKind::NotADirectory.into())),
        Err(error) => Err(SaveError::Folder(error.into())),
    }
}

/// A new temporary file in `folder`.
pub(super) fn new_part(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    // What is saved is an ordinary file of this person, with the permissions that their settings give to new files.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

/// Moves `part` to `path`, where nothing may be yet.
pub(super) fn give_name(part: NamedTempFile, path: &Path) -> Result<(), PersistError> {
    let Err(PersistError { file, error }) = part.persist_noclobber(path) else {
        return Ok(());
    };
    if error.kind() == io::ErrorKind::AlreadyExists {
        return Err(PersistError { error, file });
    }
    // Some file systems have neither a rename that never overwrites nor hard links, as that of many memory sticks
    // and shared folders: there the name is claimed by an empty file, which is then replaced.
    if let Err(error) = File::create_new(path) {
        return Err(PersistError { error, file });
    }
    match file.persist(path) {
        Ok(_) => Ok(()),
        Err(failed) => {
            fs::remove_file(path).ok();
            Err(failed)
        }
    }
}

#[cfg(test)]
mod tests {
    use tempfile::{TempDir, tempdir};

    use super::super::content_type::Content;
    use super::super::file_name::number_before_extension;
    use super::super::free_name::MAX_NUMBER;
    use super::*;

    fn save(to: &SaveTo, name: &SafeFileName, content: &[u8]) -> Result<PathBuf, SaveError> {
        Ok(to.clone().prepare(&[])?.save(name, content)?.path)
    }

    fn names(folder: &TempDir) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            // Wine has no streams beside a file, and writes such a mark into a file of its own.
            .filter(|name| cfg!(unix) || !name.ends_with(":Zone.Identifier"))
            .collect();
        names.sort();
        names
    }

    fn name(text: &str) -> SafeFileName {
        SafeFileName::sanitize(text)
    }

    #[test]
    fn taken_names_are_numbered_and_nothing_is_overwritten() {
        let folder = tempdir().unwrap();
        let to = SaveTo::Folder(folder.path().to_owned());
        for (content, expected) in [
            (b"1", "report.pdf"),
            (b"2", "report (1).pdf"),
            (b"3", "report (2).pdf"),
        ] {
            let path = save(&to, &name("report.pdf"), content).unwrap();
            assert_eq!(path, folder.path().join(expected));
            assert_eq!(fs::read(path).unwrap(), content);
        }
        assert_eq!(fs::read(folder.path().join("report.pdf")).unwrap(), b"1");
        assert_eq!(
            names(&folder),
            ["report (1).pdf", "report (2).pdf", "report.pdf"]
        );
    }

    #[test]
    fn an_empty_file_is_a_file() {
        let folder = tempdir().unwrap();
        let path = save(&SaveTo::Folder(folder.path().to_owned()), &name("x"), b"").unwrap();
        assert_eq!(fs::read(path).unwrap(), b"");
    }

    #[test]
    fn a_path_is_a_folder_or_a_file() {
        let folder = tempdir().unwrap();
        let out = |path: &str| SaveTo::Path(folder.path().join(path));
        fs::create_dir(folder.path().join("sub")).unwrap();
        assert_eq!(
            save(&out("sub"), &name("a.txt"), b"x").unwrap(),
            folder.path().join("sub/a.txt")
        );
        assert_eq!(
            save(&out("sub/"), &name("b.txt"), b"x").unwrap(),
            folder.path().join("sub/b.txt")
        );
        assert_eq!(
            save(&out("mine.bin"), &name("a.txt"), b"x").unwrap(),
            folder.path().join("mine.bin")
        );
        assert_eq!(
            save(&out("mine.bin"), &name("a.txt"), b"y").unwrap(),
            folder.path().join("mine (1).bin")
        );
        assert_eq!(fs::read(folder.path().join("mine.bin")).unwrap(), b"x");
    }

    #[test]
    fn a_folder_of_the_same_name_is_a_taken_name() {
        let folder = tempdir().unwrap();
        fs::create_dir(folder.path().join("a.txt")).unwrap();
        let path = save(
            &SaveTo::Folder(folder.path().to_owned()),
            &name("a.txt"),
            b"x",
        )
        .unwrap();
        assert_eq!(path, folder.path().join("a (1).txt"));
    }

    #[test]
    fn folders_that_cannot_be_used_are_named() {
        let folder = tempdir().unwrap();
        fs::write(folder.path().join("file"), b"").unwrap();
        let missing = io::ErrorKind::NotFound;
        for (to, error) in [
            (SaveTo::Folder(folder.path().join("none")), missing),
            (SaveTo::Path(folder.path().join("none/")), missing),
            (SaveTo::Path(folder.path().join("none/x.txt")), missing),
            (SaveTo::Path(PathBuf::new()), missing),
            (
                SaveTo::Folder(folder.path().join("file")),
                io::ErrorKind::NotADirectory,
            ),
        ] {
            let saved = save(&to, &name("a.txt"), b"x");
            assert!(
                matches!(saved, Err(SaveError::Folder(reason)) if reason.kind() == error),
                "{to:?}: {saved:?}"
            );
        }
        assert_eq!(names(&folder), ["file"]);
    }

    #[test]
    fn a_name_that_is_too_long_for_the_folder_is_shortened() {
        let folder = tempdir().unwrap();
        let to = SaveTo::Path(folder.path().join(format!("{}.pdf", "x".repeat(300))));
        let short = format!("{}.pdf", "x".repeat(133));
        for expected in [short.clone(), number_before_extension(&short, 1)] {
            let path = save(&to, &name("a.txt"), b"x").unwrap();
            assert_eq!(path, folder.path().join(expected));
            assert_eq!(fs::read(path).unwrap(), b"x");
        }
        assert_eq!(names(&folder).len(), 2);
    }

    #[test]
    fn a_name_that_is_refused_leaves_nothing() {
        let folder = tempdir().unwrap();
        let target = SaveTo::Folder(folder.path().to_owned())
            .prepare(&[])
            .unwrap();
        let invalid: fn() -> io::Error = || io::ErrorKind::InvalidInput.into();
        let denied: fn() -> io::Error = || io::ErrorKind::PermissionDenied.into();
        for error in [invalid, denied] {
            let mut part = Some(new_part(folder.path()).unwrap());
            let taken = target.take_name(&name("a.txt"), |_path| Err(error()));
            assert_eq!(taken, Err(SaveError::Rename(error().into())));
            drop(part.take());
            assert!(names(&folder).is_empty());
        }
    }

    #[test]
    fn what_name_and_content_say_of_each_other_is_found() {
        let folder = tempdir().unwrap();
        let target = SaveTo::Folder(folder.path().to_owned())
            .prepare(&[])
            .unwrap();
        let saved = target
            .save(&name("photo.jpg"), b"\x7fELF and more")
            .unwrap();
        let disagreement = saved.findings.unwrap().disagreement.unwrap();
        assert_eq!(disagreement.content_is, Content::LinuxProgram);
    }

    #[test]
    fn what_does_not_fit_on_the_disk_is_refused_before_it_is_fetched() {
        let folder = tempdir().unwrap();
        let target = SaveTo::Folder(folder.path().to_owned())
            .prepare(&[])
            .unwrap();
        assert_eq!(target.check_room(1), Ok(()));
        let refused = target.check_room(u64::MAX);
        assert!(
            matches!(refused, Err(SaveError::NoRoom { needed: u64::MAX, free }) if free > 1),
            "{refused:?}"
        );
    }

    #[test]
    fn when_all_names_are_taken_nothing_is_left() {
        let folder = tempdir().unwrap();
        fs::write(folder.path().join("a"), b"").unwrap();
        for number in 1..=MAX_NUMBER {
            fs::write(folder.path().join(format!("a ({number})")), b"").unwrap();
        }
        let to = SaveTo::Folder(folder.path().to_owned());
        assert_eq!(save(&to, &name("a"), b"x"), Err(SaveError::NoFreeName));
        assert_eq!(names(&folder).len(), 1000);
    }

    #[test]
    fn only_old_leftovers_that_nobody_holds_are_swept() {
        let folder = tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let old = SystemTime::now() - Duration::from_secs(7200);
        for name in [
            ".cloakroom-a.part",
            ".cloakroom-b.part",
            ".cloakroom-held.part",
            "mine.part",
            ".cloakroom-notes",
        ] {
            let file = File::create(at(name)).unwrap();
            if name != ".cloakroom-b.part" {
                file.set_modified(old).unwrap();
            }
        }
        fs::create_dir_all(at(".cloakroom-folder.part/content/sub")).unwrap();
        fs::create_dir_all(at(".cloakroom-held-folder.part/content")).unwrap();
        for name in [".cloakroom-folder.part", ".cloakroom-held-folder.part"] {
            #[cfg(unix)]
            File::open(at(name)).unwrap().set_modified(old).unwrap();
        }
        let held = [
            PathBuf::from("elsewhere/.cloakroom-held.part"),
            at(".cloakroom-held-folder.part"),
        ];
        let swept = sweep_leftovers(folder.path(), Duration::from_secs(3600), &held).unwrap();
        let mut stay = vec![
            ".cloakroom-b.part",
            ".cloakroom-held-folder.part",
            ".cloakroom-held.part",
            ".cloakroom-notes",
            "mine.part",
        ];
        if cfg!(unix) {
            assert_eq!(swept, 2);
        } else {
            stay.insert(1, ".cloakroom-folder.part");
        }
        assert_eq!(names(&folder), stay);
        assert!(sweep_leftovers(&at("none"), Duration::ZERO, &[]).is_err());
    }

    #[test]
    fn a_folder_is_swept_before_something_is_saved_into_it() {
        let folder = tempdir().unwrap();
        let old = SystemTime::now() - 3 * LEFTOVER_AGE;
        let leftover = File::create(folder.path().join(".cloakroom-a.part")).unwrap();
        leftover.set_modified(old).unwrap();
        SaveTo::Folder(folder.path().to_owned())
            .prepare(&[])
            .unwrap();
        assert!(names(&folder).is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_regular_file_is_neither_replaced_nor_numbered() {
        let folder = tempdir().unwrap();
        let socket = folder.path().join("socket");
        std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let to = SaveTo::Path(socket);
        assert_eq!(to.prepare(&[]), Err(SaveError::NoRegularFile));
        assert_eq!(names(&folder), ["socket"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_dangling_link_is_not_followed() {
        let folder = tempdir().unwrap();
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), folder.path().join("a.txt"))
            .unwrap();
        let path = save(
            &SaveTo::Folder(folder.path().to_owned()),
            &name("a.txt"),
            b"x",
        )
        .unwrap();
        assert_eq!(path, folder.path().join("a (1).txt"));
        assert!(!folder.path().join("elsewhere").exists());
    }
}
