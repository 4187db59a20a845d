//! How a received file gets onto the disk: whole, under a free name, or not at all.
//!
//! The folder is tried before anything is fetched ([`SaveTo::prepare`]). The bytes go to a hidden temporary file beside the
//! target and are synced before a rename that never overwrites. Where the file system refuses the name, the file gets one
//! like it that every file system takes. A program that is killed in between leaves that file
//! behind; it is removed a day later, when something is saved into the same folder.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::iter;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tempfile::{Builder, NamedTempFile, PersistError};
use tracing::debug;

use super::file_name::{SafeFileName, number_before_extension, portable_names};
use super::marks;
use crate::disk::io_reason::IoReason;

const PREFIX: &str = ".cloakroom-";
const SUFFIX: &str = ".part";
/// Age from which temporary files are removed; younger ones may belong to a transfer that still runs.
const LEFTOVER_AGE: Duration = Duration::from_secs(24 * 3_600);
/// The highest number that is tried beside a name that is taken.
const MAX_NUMBER: u32 = 999;

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
    /// are removed, too. Blocking, small.
    ///
    /// # Errors
    /// [`SaveError`] names the step.
    pub fn prepare(self) -> Result<SaveTarget, SaveError> {
        let target = self.target()?;
        target.check_name()?;
        check_folder(target.here())?;
        new_part(target.here()).map_err(|error| SaveError::Create(error.into()))?;
        sweep_leftovers(target.here(), LEFTOVER_AGE).ok();
        Ok(target)
    }

    fn target(self) -> Result<SaveTarget, SaveError> {
        let path = match self {
            Self::Folder(folder) => return Ok(SaveTarget { folder, name: None }),
            Self::Path(path) => path,
        };
        let ends_in_separator = path
            .as_os_str()
            .as_encoded_bytes()
            .last()
            .is_some_and(|last| std::path::is_separator(char::from(*last)));
        if ends_in_separator || path.is_dir() {
            return Ok(SaveTarget {
                folder: path,
                name: None,
            });
        }
        let chosen = path
            .file_name()
            .ok_or_else(|| SaveError::Folder(io::ErrorKind::NotFound.into()))?;
        Ok(SaveTarget {
            folder: path.parent().unwrap_or_else(|| Path::new("")).to_owned(),
            name: Some(chosen.to_owned()),
        })
    }
}

/// A place where a file can be saved, or could a moment ago.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaveTarget {
    folder: PathBuf,
    /// The name that the person chose, in place of the one that came with the file.
    name: Option<OsString>,
}

impl SaveTarget {
    /// Saves `content` and returns where it is. A taken name gets a number, "report (1).pdf"; nothing is overwritten. A
    /// name that the file system refuses is replaced by one like it, "what_.pdf".
    ///
    /// # Errors
    /// [`SaveError`] names the step; nothing is left on the disk then.
    pub(crate) fn save(&self, name: &SafeFileName, content: &[u8]) -> Result<PathBuf, SaveError> {
        check_folder(self.here())?;
        let mut part = new_part(self.here()).map_err(|error| SaveError::Create(error.into()))?;
        part.write_all(content)
            .map_err(|error| SaveError::Write(error.into()))?;
        part.as_file()
            .sync_all()
            .map_err(|error| SaveError::Write(error.into()))?;
        if marks::from_the_internet(part.path()).is_err() {
            // Some file systems hold no marks, as that of many memory sticks; the file is worth more than its mark.
            debug!("a received file could not be marked as from the internet");
        }
        let name = self
            .name
            .as_deref()
            .unwrap_or_else(|| name.as_str().as_ref());
        let path = rename(part, &self.folder, name, give_name)?;
        // The file is there and whole; that its folder could not be synced is no reason to call it unsaved.
        File::open(self.here())
            .and_then(|folder| folder.sync_all())
            .ok();
        Ok(path)
    }

    fn here(&self) -> &Path {
        if self.folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            &self.folder
        }
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

/// Removes temporary files in `folder` that were last written more than `age` ago, and says how many. A file that cannot
/// be removed stays for the next time.
fn sweep_leftovers(folder: &Path, age: Duration) -> io::Result<usize> {
    let now = SystemTime::now();
    let mut swept = 0;
    for entry in fs::read_dir(folder)? {
        let Ok(entry) = entry else { continue };
        let name = entry.file_name();
        let ours = name
            .to_str()
            .is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX));
        let old = |metadata: &fs::Metadata| {
            let written = metadata.modified().ok();
            metadata.is_file()
                && written
                    .and_then(|at| now.duration_since(at).ok())
                    .is_some_and(|past| past > age)
        };
        // The metadata of a directory entry does not follow links.
        if ours
            && entry.metadata().is_ok_and(|metadata| old(&metadata))
            && fs::remove_file(entry.path()).is_ok()
        {
            swept += 1;
        }
    }
    Ok(swept)
}

/// Why a file could not be saved. Nothing is left of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SaveError {
    /// Nothing can be written into the folder.
    #[error("no file can be made in the folder: {0}")]
    Create(IoReason),
    /// The folder is not there, or is no folder.
    #[error("the folder cannot be used: {0}")]
    Folder(IoReason),
    /// The name and the 999 numbered ones are taken.
    #[error("all names like this one are taken")]
    NoFreeName,
    /// The chosen name is that of a pipe, a device or a socket.
    #[error("there is something of that name that is no regular file")]
    NoRegularFile,
    /// The written file could not get its name.
    #[error("the file cannot be given its name: {0}")]
    Rename(IoReason),
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

fn new_part(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    // What is saved is an ordinary file of this person, with the permissions that their settings give to new files.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

/// Gives `part` the name, or one like it, and returns where it is. `give` is [`give_name`], but for tests.
fn rename(
    mut part: NamedTempFile,
    folder: &Path,
    name: &OsStr,
    mut give: impl FnMut(NamedTempFile, &Path) -> Result<(), PersistError>,
) -> Result<PathBuf, SaveError> {
    let portable = portable_names(&name.to_string_lossy());
    let others = portable.iter().map(|other| other.as_str().as_ref());
    let mut why_refused = None;
    for name in iter::once(name).chain(others) {
        let PersistError { file, error } = match give_free_name(part, folder, name, &mut give) {
            Ok(path) => return Ok(path),
            Err(failed) => failed,
        };
        if error.kind() == io::ErrorKind::AlreadyExists {
            return Err(SaveError::NoFreeName);
        }
        let reason = IoReason::from(error);
        let first = *why_refused.get_or_insert(reason);
        if !reason.may_be_about_the_name() {
            return Err(SaveError::Rename(first));
        }
        part = file;
    }
    Err(SaveError::Rename(
        why_refused.unwrap_or_else(|| io::ErrorKind::InvalidFilename.into()),
    ))
}

/// Gives `part` the name, numbered where it is taken.
fn give_free_name(
    mut part: NamedTempFile,
    folder: &Path,
    name: &OsStr,
    give: &mut impl FnMut(NamedTempFile, &Path) -> Result<(), PersistError>,
) -> Result<PathBuf, PersistError> {
    let mut number = 0;
    loop {
        let path = folder.join(if number == 0 {
            name.to_owned()
        } else {
            numbered(name, number)
        });
        match give(part, &path) {
            Ok(()) => return Ok(path),
            Err(failed)
                if failed.error.kind() == io::ErrorKind::AlreadyExists && number < MAX_NUMBER =>
            {
                part = failed.file;
                number += 1;
            }
            Err(failed) => return Err(failed),
        }
    }
}

/// Moves `part` to `path`, where nothing may be yet.
fn give_name(part: NamedTempFile, path: &Path) -> Result<(), PersistError> {
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

/// A path that a person typed may be no Unicode; it is numbered at its end then.
fn numbered(name: &OsStr, number: u32) -> OsString {
    match name.to_str() {
        Some(name) => number_before_extension(name, number).into(),
        None => {
            let mut name = name.to_owned();
            name.push(format!(" ({number})"));
            name
        }
    }
}

#[cfg(test)]
mod tests {
    use tempfile::{TempDir, tempdir};

    use super::*;

    fn save(to: &SaveTo, name: &SafeFileName, content: &[u8]) -> Result<PathBuf, SaveError> {
        to.clone().prepare()?.save(name, content)
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
        for expected in [
            short.clone(),
            numbered(short.as_ref(), 1).into_string().unwrap(),
        ] {
            let path = save(&to, &name("a.txt"), b"x").unwrap();
            assert_eq!(path, folder.path().join(expected));
            assert_eq!(fs::read(path).unwrap(), b"x");
        }
        assert_eq!(names(&folder).len(), 2);
    }

    /// Saves `name` where every name that `refused` picks is refused with `error`.
    fn rename_where(
        folder: &TempDir,
        name: &str,
        error: fn() -> io::Error,
        refused: fn(&str) -> bool,
    ) -> Result<PathBuf, SaveError> {
        let part = new_part(folder.path()).unwrap();
        rename(part, folder.path(), name.as_ref(), |part, path| {
            if refused(path.file_name().unwrap().to_str().unwrap()) {
                let error = error();
                return Err(PersistError { error, file: part });
            }
            give_name(part, path)
        })
    }

    #[test]
    fn a_name_that_the_file_system_refuses_becomes_one_that_it_takes() {
        let invalid: fn() -> io::Error = || io::ErrorKind::InvalidInput.into();
        let too_long: fn() -> io::Error = || io::ErrorKind::InvalidFilename.into();
        let missing: fn() -> io::Error = || io::ErrorKind::NotFound.into();
        let long = format!("{}.pdf", "漢".repeat(60));
        let short = format!("{}.pdf", "漢".repeat(44));
        let reserved: fn(&str) -> bool = |name| name.contains(['?', '*', '|', '"']);
        for (name, error, refused, expected) in [
            ("what? \"a*b\".pdf", invalid, reserved, "what_ _a_b_.pdf"),
            ("a|b.pdf", missing, reserved, "a_b.pdf"),
            (&*long, too_long, |name| name.len() > 143, &*short),
            ("é?.pdf", invalid, |name| !name.is_ascii(), "__.pdf"),
        ] {
            let folder = tempdir().unwrap();
            assert_eq!(
                rename_where(&folder, name, error, refused),
                Ok(folder.path().join(expected))
            );
            assert_eq!(names(&folder), [expected]);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn characters_that_the_file_system_cannot_write_are_replaced() {
        let folder = tempdir().unwrap();
        let not_representable = || io::Error::from_raw_os_error(84);
        let path = rename_where(&folder, "漢.pdf", not_representable, |name| {
            !name.is_ascii()
        });
        assert_eq!(path, Ok(folder.path().join("_.pdf")));
    }

    #[test]
    fn a_failed_rename_leaves_nothing() {
        let folder = tempdir().unwrap();
        let invalid: fn() -> io::Error = || io::ErrorKind::InvalidInput.into();
        let denied: fn() -> io::Error = || io::ErrorKind::PermissionDenied.into();
        for error in [invalid, denied] {
            assert_eq!(
                rename_where(&folder, "a.txt", error, |_any| true),
                Err(SaveError::Rename(error().into()))
            );
            assert!(names(&folder).is_empty());
        }
    }

    #[test]
    fn what_is_not_about_the_name_is_not_tried_under_another() {
        let folder = tempdir().unwrap();
        let denied = || io::ErrorKind::PermissionDenied.into();
        let saved = rename_where(&folder, "a?.txt", denied, |name| name.contains('?'));
        assert!(matches!(saved, Err(SaveError::Rename(_))), "{saved:?}");
        assert!(names(&folder).is_empty());
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
    fn only_old_leftovers_are_swept() {
        let folder = tempdir().unwrap();
        let old = SystemTime::now() - Duration::from_secs(7200);
        for name in [
            ".cloakroom-a.part",
            ".cloakroom-b.part",
            "mine.part",
            ".cloakroom-notes",
        ] {
            let file = File::create(folder.path().join(name)).unwrap();
            if name != ".cloakroom-b.part" {
                file.set_modified(old).unwrap();
            }
        }
        assert_eq!(
            sweep_leftovers(folder.path(), Duration::from_secs(3600)).unwrap(),
            1
        );
        assert_eq!(
            names(&folder),
            [".cloakroom-b.part", ".cloakroom-notes", "mine.part"]
        );
        assert!(sweep_leftovers(&folder.path().join("none"), Duration::ZERO).is_err());
    }

    #[test]
    fn a_folder_is_swept_before_something_is_saved_into_it() {
        let folder = tempdir().unwrap();
        let old = SystemTime::now() - 3 * LEFTOVER_AGE;
        let leftover = File::create(folder.path().join(".cloakroom-a.part")).unwrap();
        leftover.set_modified(old).unwrap();
        SaveTo::Folder(folder.path().to_owned()).prepare().unwrap();
        assert!(names(&folder).is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_regular_file_is_neither_replaced_nor_numbered() {
        let folder = tempdir().unwrap();
        let socket = folder.path().join("socket");
        std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let to = SaveTo::Path(socket);
        assert_eq!(to.prepare(), Err(SaveError::NoRegularFile));
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
