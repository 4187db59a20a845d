//! The look at what a person named: what is shared of it, under which paths, how long it is and what it looks like.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use super::{FolderContent, LeftOut, LookSeals, Parcel, ParcelContent, Root, Roots, WhyLeftOut};
use crate::app::error::LocalFileError;
use crate::app::received::file_name::number_before_extension;
use crate::disk::open_folder::{self, EntryType, Found, OpenFolder};
use crate::disk::path_bytes;
use crate::protocol::folder::{
    EntryKind, FolderEntry, FolderError, MAX_STEP_LEN, ManifestWriter, check_path,
};
use crate::protocol::parts::MAX_WHOLE_LEN;
use crate::protocol::pointer::shorten_name;
use crate::protocol::resume::{FileStamp, FolderStamp, Source};

/// Longest name that a sealed header holds, in bytes.
const MAX_NAME_LEN: usize = 255;
/// The name of a file whose path has none.
const NAMELESS: &str = "file";

impl Parcel {
    /// Looks at what a person named. One file is shared as a file, one folder as a folder with its name, several things
    /// as a folder without a name. Reads no content. Blocking; `cancelled` is asked before each entry of a folder.
    ///
    /// # Errors
    /// [`LocalFileError`]; with the path in front, where several things were named.
    pub(crate) fn look(
        paths: &[PathBuf],
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Self, LocalFileError> {
        let named = paths.iter().map(std::path::absolute);
        let named = named.collect::<io::Result<Vec<_>>>()?;
        let [path] = named.as_slice() else {
            return look_at_several(named, cancelled);
        };
        match open_folder::look_at_path(path)?.kind {
            EntryType::File => look_at_file(path),
            EntryType::Folder => look_at_folder(path, cancelled),
            EntryType::Link | EntryType::Other => Err(LocalFileError::NotAFile),
        }
    }

    /// Looks again at what a share began with, before that goes on. Blocking, as [`Parcel::look`] is.
    ///
    /// # Errors
    /// [`LocalFileError::Changed`] when anything that is shared differs: an entry more or less, a length, a time, another
    /// file of the same name. Otherwise as [`Parcel::look`].
    pub(crate) fn look_again(
        source: &Source,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Self, LocalFileError> {
        let bytes = match source {
            Source::File { path, .. } => std::slice::from_ref(path),
            Source::Folder { roots, .. } => roots,
        };
        let paths = bytes.iter().map(|bytes| path_bytes::decode(bytes));
        let paths = paths.collect::<Option<Vec<_>>>();
        let parcel = Self::look(&paths.ok_or(LocalFileError::Changed)?, cancelled)?;
        if parcel.source() == *source {
            Ok(parcel)
        } else {
            Err(LocalFileError::Changed)
        }
    }
}

fn look_at_file(path: &Path) -> Result<Parcel, LocalFileError> {
    // Opened, so that one that cannot be read is known before anything is sent.
    let found = open_folder::look_at_file(&open_folder::open_file(path)?)?;
    let name = name_of(path).unwrap_or_else(|| NAMELESS.to_owned());
    Ok(Parcel {
        name: Some(shorten_name(&name, MAX_NAME_LEN)),
        content: ParcelContent::File {
            path: path.to_owned(),
            stamp: found.stamp,
        },
        left_out: LeftOut::default(),
    })
}

fn look_at_folder(path: &Path, cancelled: &dyn Fn() -> bool) -> Result<Parcel, LocalFileError> {
    let mut walk = Walk::new(cancelled);
    walk.folder(&OpenFolder::open(path)?)?;
    let name = name_of(path).map(|name| shorten_name(&name, MAX_NAME_LEN));
    walk.finish(vec![path.to_owned()], name, Roots::Folder(path.to_owned()))
}

fn look_at_several(
    named: Vec<PathBuf>,
    cancelled: &dyn Fn() -> bool,
) -> Result<Parcel, LocalFileError> {
    let roots = roots(&named);
    let mut walk = Walk::new(cancelled);
    for root in &roots {
        walk.check_cancelled()?;
        walk.path.clone_from(&root.step);
        walk.root(&root.path).map_err(|error| match error {
            LocalFileError::Read(_) => error.of(&root.path.to_string_lossy()),
            _ => error,
        })?;
    }
    walk.finish(named, None, Roots::Several(roots))
}

/// The first step of the path of each thing, in the order of the manifest. Of two that have one name the second gets a
/// number, as a saved file does.
fn roots(named: &[PathBuf]) -> Vec<Root> {
    let mut roots: Vec<Root> = Vec::with_capacity(named.len());
    let mut taken = std::collections::HashSet::with_capacity(named.len());
    for path in named {
        let name = first_step(path);
        let numbered = (1..).map(|number| number_before_extension(&name, number));
        let free = std::iter::once(name.clone())
            .chain(numbered)
            .find(|step| !taken.contains(step));
        let step = free.unwrap_or(name);
        taken.insert(step.clone());
        roots.push(Root {
            step,
            path: path.clone(),
        });
    }
    roots.sort_by(|one, other| one.step.cmp(&other.step));
    roots
}

/// The name of what is at `path`, with what no step may have replaced.
pub(super) fn first_step(path: &Path) -> String {
    let name = name_of(path).unwrap_or_else(|| NAMELESS.to_owned());
    let allowed: String = name
        .chars()
        .map(|c| match c {
            '/' | '\\' | '\0'..='\u{1f}' | '\u{7f}' => '_',
            _ => c,
        })
        .collect();
    shorten_name(&allowed, MAX_STEP_LEN)
}

/// The name of what is at `path`, also of `.` and of `a/..`; none for the root of a file system. Other encodings than UTF-8
/// are replaced.
fn name_of(path: &Path) -> Option<String> {
    let name = |path: &Path| {
        let name = path.file_name()?.to_string_lossy().into_owned();
        (!name.is_empty()).then_some(name)
    };
    name(path).or_else(|| name(&path.canonicalize().ok()?))
}

/// Makes the manifest of what it goes through, in its order.
struct Walk<'a> {
    cancelled: &'a dyn Fn() -> bool,
    writer: ManifestWriter,
    seals: LookSeals,
    stamp: FolderStamp,
    left_out: LeftOut,
    /// Where it is: the path that the next entry has in the manifest.
    path: String,
}

impl<'a> Walk<'a> {
    fn new(cancelled: &'a dyn Fn() -> bool) -> Self {
        Self {
            cancelled,
            writer: ManifestWriter::default(),
            seals: LookSeals::default(),
            stamp: FolderStamp::default(),
            left_out: LeftOut::default(),
            path: String::new(),
        }
    }

    /// One of several things that the person named, also through a link. It stands at the path where the walk is.
    fn root(&mut self, path: &Path) -> Result<(), LocalFileError> {
        let found = match open_folder::look_at_path(path) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                self.leave_out(WhyLeftOut::Unreadable(error.into()));
                return Ok(());
            }
            found => found?,
        };
        match found.kind {
            EntryType::File => match open_folder::open_file(path) {
                Ok(_readable) => self.add_file(&found),
                Err(error) => {
                    self.leave_out(WhyLeftOut::Unreadable(error.into()));
                    Ok(())
                }
            },
            EntryType::Folder => self.inner_folder(OpenFolder::open(path), &found),
            EntryType::Link | EntryType::Other => {
                self.leave_out(WhyLeftOut::NotAFile);
                Ok(())
            }
        }
    }

    /// Everything in a folder that is open, which is at the path where the walk is.
    fn folder(&mut self, folder: &OpenFolder) -> Result<(), LocalFileError> {
        let mut names = folder.names()?;
        names.sort_unstable();
        // A folder that is changed while it is listed may give a name twice.
        names.dedup();
        let outer = self.path.len();
        for name in names {
            self.check_cancelled()?;
            if outer > 0 {
                self.path.push('/');
            }
            match name.to_str() {
                Some(step) => {
                    self.path.push_str(step);
                    self.entry(folder, &name)?;
                }
                None => {
                    self.path.push_str(&name.to_string_lossy());
                    self.leave_out(WhyLeftOut::Name);
                }
            }
            self.path.truncate(outer);
        }
        Ok(())
    }

    fn entry(&mut self, folder: &OpenFolder, name: &OsStr) -> Result<(), LocalFileError> {
        let found = match folder.look(name) {
            Ok(found) => found,
            Err(error) => {
                self.leave_out_unreadable(error);
                return Ok(());
            }
        };
        match found.kind {
            EntryType::File => match folder.check_readable(name) {
                Ok(()) => self.add_file(&found),
                Err(error) => {
                    self.leave_out_unreadable(error);
                    Ok(())
                }
            },
            // Nothing in it could have a path that is allowed.
            EntryType::Folder if check_path(&self.path).is_err() => {
                self.leave_out(WhyLeftOut::Name);
                Ok(())
            }
            EntryType::Folder => self.inner_folder(folder.folder(name), &found),
            EntryType::Link => {
                self.leave_out(WhyLeftOut::Link);
                Ok(())
            }
            EntryType::Other => {
                self.leave_out(WhyLeftOut::NotAFile);
                Ok(())
            }
        }
    }

    /// A folder in another: everything in it, or, when that is nothing, the folder itself.
    fn inner_folder(
        &mut self,
        opened: io::Result<OpenFolder>,
        found: &Found,
    ) -> Result<(), LocalFileError> {
        let before = self.seals.hashes.len();
        let walked = match opened {
            Ok(folder) => self.folder(&folder),
            Err(error) => Err(error.into()),
        };
        match walked {
            Err(LocalFileError::Read(reason)) if reason.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(LocalFileError::Read(reason)) => {
                self.leave_out(WhyLeftOut::Unreadable(reason));
                Ok(())
            }
            Ok(()) if self.seals.hashes.len() == before => {
                // What the system says is the length of a folder depends on the names that are left out.
                let stamp = FileStamp {
                    len_bytes: 0,
                    ..found.stamp
                };
                self.add(EntryKind::EmptyFolder, &stamp)
            }
            walked => walked,
        }
    }

    fn add_file(&mut self, found: &Found) -> Result<(), LocalFileError> {
        let kind = EntryKind::File {
            len_bytes: found.stamp.len_bytes,
            executable: found.executable,
        };
        self.add(kind, &found.stamp)
    }

    fn add(&mut self, kind: EntryKind, stamp: &FileStamp) -> Result<(), LocalFileError> {
        let entry = FolderEntry {
            path: &self.path,
            kind,
            modified: None,
        };
        match self.writer.push(&entry) {
            Ok(()) => {
                self.stamp.add(&self.path, stamp);
                self.seals.push(stamp);
                Ok(())
            }
            Err(FolderError::Path(_)) => {
                self.leave_out(WhyLeftOut::Name);
                Ok(())
            }
            Err(error) => Err(not_shared(error)),
        }
    }

    /// Leaves out what is at the path where the walk is. What is not there any more was removed meanwhile, and is nothing
    /// that is left out.
    fn leave_out_unreadable(&mut self, error: io::Error) {
        if error.kind() != io::ErrorKind::NotFound {
            self.leave_out(WhyLeftOut::Unreadable(error.into()));
        }
    }

    fn leave_out(&mut self, why: WhyLeftOut) {
        self.left_out.add(self.path.clone(), why);
    }

    fn check_cancelled(&self) -> Result<(), LocalFileError> {
        if (self.cancelled)() {
            Err(LocalFileError::Cancelled)
        } else {
            Ok(())
        }
    }

    fn finish(
        self,
        named: Vec<PathBuf>,
        name: Option<String>,
        roots: Roots,
    ) -> Result<Parcel, LocalFileError> {
        let manifest = self.writer.finish().map_err(not_shared)?;
        if manifest.entries() == 0 {
            return Err(LocalFileError::Nothing);
        }
        Ok(Parcel {
            name,
            content: ParcelContent::Folder(FolderContent {
                named,
                manifest,
                roots,
                seals: self.seals,
                stamp: self.stamp.finish(),
            }),
            left_out: self.left_out,
        })
    }
}

/// Why a folder cannot be shared, from why its manifest cannot be made.
fn not_shared(error: FolderError) -> LocalFileError {
    match error {
        FolderError::Lengths => LocalFileError::TooLarge {
            len: u64::MAX,
            max: MAX_WHOLE_LEN,
        },
        FolderError::ManifestTooLong => LocalFileError::NamesTooLong,
        FolderError::TooManyEntries => LocalFileError::TooManyEntries,
        // The walk goes in order and has each name once, but for what others do to the folder meanwhile.
        _ => LocalFileError::Changed,
    }
}
