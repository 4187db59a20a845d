//! A folder that arrives in pieces.
//!
//! The hidden folder, which is its owner's alone, holds three things until the end: the folder itself (`content`), the
//! beginning of its content as it came (`manifest`), and what was decided of its names (`layout`). Everything in `content`
//! is made at the beginning, with "must not exist", so that the file system itself says when two names are one there. All
//! files are reached step by step from the open folder and never through a link: whatever another program puts there
//! meanwhile, nothing is written elsewhere.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::ops::Range;
use std::path::{Path, PathBuf};

use tempfile::Builder;
use tracing::debug;

use super::layout::FolderLayout;
use super::{SafeFileName, SaveError, SaveTarget, SavedItem};
use crate::app::received::file_name::{LeadingDots, portable_names};
use crate::app::received::free_name::{FreeNumbers, take_name};
use crate::app::received::marks;
use crate::app::received::save::{PREFIX, SUFFIX, no_name};
use crate::disk::open_folder::{self, EntryType, FileAccess, OpenFolder};
use crate::disk::private;
use crate::protocol::folder::{EntryKind, MAX_MANIFEST_LEN, Manifest, ManifestReader, PlacedEntry};

/// The folder itself, in the hidden one.
pub(super) const CONTENT: &str = "content";
/// The beginning of its content, in the hidden folder.
const MANIFEST: &str = "manifest";
/// The [`FolderLayout`], in the hidden folder.
const LAYOUT: &str = "layout";
/// The longest layout that is read, in bytes: a million names of the greatest length.
const MAX_LAYOUT_LEN: u64 = 400_000_000;

/// A folder that arrives.
pub(crate) struct IncomingFolder {
    hidden: HiddenFolder,
    /// Open from the beginning on, so that an error in writing anything below it is not missed.
    content: OpenFolder,
    target: SaveTarget,
    manifest: Manifest,
    layout: FolderLayout,
    /// The numbers of the files that were written since the last sync.
    #[cfg(not(target_os = "linux"))]
    unsynced: parking_lot::Mutex<std::collections::BTreeSet<u32>>,
}

/// The hidden folder, which is removed when this is dropped.
struct HiddenFolder {
    path: PathBuf,
    kept: bool,
}

impl HiddenFolder {
    fn make(beside: &Path) -> io::Result<Self> {
        let mut builder = Builder::new();
        builder.prefix(PREFIX).suffix(SUFFIX);
        // What comes is nobody else's to read before it is there.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        Ok(Self {
            path: builder.tempdir_in(beside)?.keep(),
            kept: false,
        })
    }
}

impl Drop for HiddenFolder {
    fn drop(&mut self) {
        if !self.kept {
            fs::remove_dir_all(&self.path).ok();
        }
    }
}

impl IncomingFolder {
    pub(super) fn begin(
        target: SaveTarget,
        manifest: Manifest,
        chosen: Option<Vec<Range<u32>>>,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Self, SaveError> {
        let created = |error: io::Error| SaveError::Create(error.into());
        let hidden = HiddenFolder::make(target.here()).map_err(created)?;
        let outer = OpenFolder::open(&hidden.path).map_err(created)?;
        outer.create_folder(CONTENT.as_ref()).map_err(created)?;
        let content = outer.folder(CONTENT.as_ref()).map_err(created)?;
        let mut maker = Maker::new(
            &content,
            hidden.path.join(CONTENT),
            FolderLayout::new(chosen),
        );
        for placed in manifest.iter() {
            if cancelled() {
                return Err(SaveError::Cancelled);
            }
            if maker.layout.is_chosen(placed.number) {
                maker.make(&placed)?;
            }
        }
        let layout = maker.finish()?;
        let written = |error: io::Error| SaveError::Write(error.into());
        private::replace(&hidden.path.join(MANIFEST), manifest.as_bytes()).map_err(written)?;
        let encoded = serde_json::to_vec(&layout).map_err(|error| written(error.into()))?;
        private::replace(&hidden.path.join(LAYOUT), &encoded).map_err(written)?;
        let folder = Self {
            hidden,
            content,
            target,
            manifest,
            layout,
            #[cfg(not(target_os = "linux"))]
            unsynced: parking_lot::Mutex::default(),
        };
        // Elsewhere the names were synced folder by folder, and no file has bytes yet.
        #[cfg(target_os = "linux")]
        folder.sync()?;
        folder.target.sync_folder();
        Ok(folder)
    }

    pub(super) fn resume(
        target: SaveTarget,
        temporary: &Path,
        content_len: u64,
        chosen: Option<&[Range<u32>]>,
        written: &[Range<u64>],
    ) -> Result<Self, SaveError> {
        let altered = |_error: io::Error| SaveError::Altered;
        let name = temporary.file_name().ok_or(SaveError::Altered)?;
        let beside = temporary.parent().ok_or(SaveError::Altered)?;
        let outer = OpenFolder::open(beside).and_then(|beside| beside.folder(name));
        let outer = outer.map_err(altered)?;
        let manifest = read_all(&outer, MANIFEST, u64::from(MAX_MANIFEST_LEN) + 4);
        let manifest = read_manifest(&manifest.map_err(altered)?, content_len)?;
        let layout = read_all(&outer, LAYOUT, MAX_LAYOUT_LEN).map_err(altered)?;
        let layout: FolderLayout =
            serde_json::from_slice(&layout).map_err(|_damaged| SaveError::Altered)?;
        if !layout.is_sound() || layout.chosen.as_deref() != chosen {
            return Err(SaveError::Altered);
        }
        let content = outer.folder(CONTENT.as_ref()).map_err(altered)?;
        let folder = Self {
            hidden: HiddenFolder {
                path: temporary.to_owned(),
                kept: true,
            },
            content,
            target,
            manifest,
            layout,
            #[cfg(not(target_os = "linux"))]
            unsynced: parking_lot::Mutex::default(),
        };
        folder.check_written(written)?;
        Ok(folder)
    }

    /// Checks that the files are there of which some bytes were written, and long enough for them.
    fn check_written(&self, written: &[Range<u64>]) -> Result<(), SaveError> {
        let mut places = Places::new(self);
        for range in joined(written) {
            for (placed, bytes) in self.files_in(&range) {
                let found = places.look(&placed).map_err(|_error| SaveError::Altered)?;
                let lengths = bytes.end..=placed.entry.len_bytes();
                if found.kind != EntryType::File || !lengths.contains(&found.stamp.len_bytes) {
                    return Err(SaveError::Altered);
                }
            }
        }
        Ok(())
    }

    pub(super) fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), SaveError> {
        let written = |error: io::Error| SaveError::Write(error.into());
        let end = offset.saturating_add(bytes.len() as u64);
        let mut places = Places::new(self);
        for (placed, in_file) in self.files_in(&(offset..end)) {
            let start = placed.bytes.start + in_file.start - offset;
            let end = placed.bytes.start + in_file.end - offset;
            // Both are at most the number of bytes.
            let to_usize = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
            let piece = bytes.get(to_usize(start)..to_usize(end));
            let file = places.open(&placed).map_err(written)?;
            let piece = piece.unwrap_or_default();
            open_folder::write_at(&file, in_file.start, piece).map_err(written)?;
            #[cfg(not(target_os = "linux"))]
            self.unsynced.lock().insert(placed.number);
        }
        Ok(())
    }

    /// Every chosen file of which some bytes lie in `range`, with these bytes as a place in the file.
    fn files_in(&self, range: &Range<u64>) -> impl Iterator<Item = (PlacedEntry<'_>, Range<u64>)> {
        self.manifest
            .files_in(range)
            .filter(|(placed, _)| self.layout.is_chosen(placed.number))
    }

    #[cfg(target_os = "linux")]
    pub(super) fn sync(&self) -> Result<(), SaveError> {
        let synced = self.content.sync_file_system();
        synced.map_err(|error| SaveError::Write(error.into()))
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn sync(&self) -> Result<(), SaveError> {
        let unsynced = core::mem::take(&mut *self.unsynced.lock());
        let mut places = Places::new(self);
        let mut sync = |number: u32| {
            let placed = self.manifest.get(number).ok_or(io::ErrorKind::NotFound)?;
            places.open(&placed)?.sync_all()
        };
        let synced = unsynced.iter().try_for_each(|number| sync(*number));
        synced.map_err(|error: io::Error| {
            self.unsynced.lock().extend(unsynced);
            SaveError::Write(error.into())
        })
    }

    pub(super) fn temporary(&self) -> &Path {
        &self.hidden.path
    }

    pub(super) const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    pub(super) fn finish(mut self, name: &SafeFileName) -> Result<SavedItem, SaveError> {
        self.sync()?;
        let mut places = Places::new(&self);
        for placed in self.manifest.iter() {
            if !self.layout.is_chosen(placed.number) {
                continue;
            }
            let found = places.look(&placed).map_err(|_error| SaveError::Altered)?;
            let is_whole = match placed.entry.kind {
                EntryKind::EmptyFolder => found.kind == EntryType::Folder,
                EntryKind::File { len_bytes, .. } => {
                    found.kind == EntryType::File && found.stamp.len_bytes == len_bytes
                }
            };
            if !is_whole {
                return Err(SaveError::Altered);
            }
        }
        let content = self.hidden.path.join(CONTENT);
        let path = self
            .target
            .take_name(name, |path| open_folder::move_folder(&content, path))?;
        self.target.sync_folder();
        let path_of = |number| Some(self.manifest.get(number)?.entry.path);
        let content_len = self.manifest.content_len();
        let renamed = self.layout.renamed(path_of);
        // Nothing is in it any more that could go on.
        self.hidden.kept = false;
        Ok(SavedItem {
            path,
            content_len,
            findings: None,
            renamed,
        })
    }

    pub(super) fn keep(&mut self) {
        self.hidden.kept = true;
    }
}

/// The ranges, with those in one that follow each other: so each file is looked at once, in however many parts it came.
fn joined(ranges: &[Range<u64>]) -> Vec<Range<u64>> {
    let mut joined: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => joined.push(range.clone()),
        }
    }
    joined
}

/// Where entries are on the disk. Those beside each other are reached from one open folder.
struct Places<'a> {
    folder: &'a IncomingFolder,
    /// The folder that was opened last, and its path in the manifest.
    last: Option<(String, OpenFolder)>,
}

impl<'a> Places<'a> {
    const fn new(folder: &'a IncomingFolder) -> Self {
        Self { folder, last: None }
    }

    /// The folder in which an entry is.
    fn folder(&mut self, placed: &PlacedEntry<'_>) -> io::Result<&OpenFolder> {
        let path = folder_of(placed.entry.path);
        let here = match self.last.take() {
            Some((last, here)) if last == path => here,
            _ => {
                let steps = path.split('/').filter(|step| !step.is_empty());
                let names = steps.enumerate().map(|(depth, step)| {
                    OsStr::new(self.folder.layout.name(placed.number, depth, step))
                });
                self.folder.content.descend(names)?
            }
        };
        let (_, here) = self.last.insert((path.to_owned(), here));
        Ok(here)
    }

    fn name(&self, placed: &PlacedEntry<'_>) -> String {
        let path = placed.entry.path;
        let depth = path.matches('/').count();
        let step = path.rsplit('/').next().unwrap_or(path);
        self.folder
            .layout
            .name(placed.number, depth, step)
            .to_owned()
    }

    fn look(&mut self, placed: &PlacedEntry<'_>) -> io::Result<open_folder::Found> {
        let name = self.name(placed);
        self.folder(placed)?.look(name.as_ref())
    }

    fn open(&mut self, placed: &PlacedEntry<'_>) -> io::Result<File> {
        let name = self.name(placed);
        self.folder(placed)?.file(name.as_ref(), FileAccess::Write)
    }
}

/// The path of the folder in which an entry is; empty for the outermost.
fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _name)| folder)
}

/// Makes files and folders in the order of the manifest, and notes which names they have.
struct Maker<'a> {
    content: &'a OpenFolder,
    /// The path of the folder that is made in.
    path: PathBuf,
    /// The folders that the last entry is in, from the outermost.
    open: Vec<MadeFolder>,
    numbers: FreeNumbers,
    layout: FolderLayout,
    last: u32,
}

/// A folder that was made.
struct MadeFolder {
    step: String,
    folder: OpenFolder,
    numbers: FreeNumbers,
    /// The first entry in it.
    first: u32,
    /// Its name, if that is not its step.
    renamed: Option<String>,
}

impl<'a> Maker<'a> {
    fn new(content: &'a OpenFolder, path: PathBuf, layout: FolderLayout) -> Self {
        Self {
            content,
            path,
            open: Vec::new(),
            numbers: FreeNumbers::default(),
            layout,
            last: 0,
        }
    }

    fn make(&mut self, placed: &PlacedEntry<'_>) -> Result<(), SaveError> {
        let path = placed.entry.path;
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let steps = || folder.split('/').filter(|step| !step.is_empty());
        let shared = self.open.iter().zip(steps());
        let shared = shared.take_while(|(made, step)| made.step == *step).count();
        while self.open.len() > shared {
            self.leave()?;
        }
        for step in steps().skip(shared) {
            let (taken, folder) = self.take(step, |here, name| {
                here.create_folder(name)?;
                here.folder(name)
            })?;
            self.path.push(&taken);
            self.open.push(MadeFolder {
                step: step.to_owned(),
                folder,
                numbers: FreeNumbers::default(),
                first: placed.number,
                renamed: (taken != step).then_some(taken),
            });
        }
        let (taken, ()) = match placed.entry.kind {
            EntryKind::EmptyFolder => self.take(name, OpenFolder::create_folder)?,
            EntryKind::File {
                len_bytes,
                executable,
            } => {
                let (taken, file) =
                    self.take(name, |here, name| here.create_file(name, executable))?;
                open_folder::check_len_allowed(&file, len_bytes)
                    .map_err(|_too_large| SaveError::TooLong(len_bytes))?;
                let made = (taken, ());
                if marks::from_the_internet(&self.path.join(&made.0)).is_err() {
                    debug!("a received file could not be marked as from the internet");
                }
                made
            }
        };
        self.last = placed.number;
        if taken != name {
            let depth = self.open.len();
            self.layout
                .rename(depth, placed.number, placed.number, &taken);
        }
        Ok(())
    }

    /// Takes a name like `step` in the folder where the next entry is made.
    fn take<T>(
        &mut self,
        step: &str,
        make: impl Fn(&OpenFolder, &OsStr) -> io::Result<T>,
    ) -> Result<(String, T), SaveError> {
        let (here, numbers) = match self.open.last_mut() {
            Some(made) => (&made.folder, &mut made.numbers),
            None => (self.content, &mut self.numbers),
        };
        let safe = SafeFileName::sanitize_step(step);
        let others = || portable_names(step, LeadingDots::Keep);
        let name = safe.as_str().as_ref();
        let taken = take_name(name, others, numbers, |name| make(here, name));
        let (name, made) = taken.map_err(|why| no_name(why, SaveError::Create))?;
        Ok((name.to_string_lossy().into_owned(), made))
    }

    /// Leaves the innermost folder: no further entry is in it.
    fn leave(&mut self) -> Result<(), SaveError> {
        let Some(made) = self.open.pop() else {
            return Ok(());
        };
        sync_names(&made.folder)?;
        self.path.pop();
        if let Some(name) = made.renamed {
            let depth = self.open.len();
            self.layout.rename(depth, made.first, self.last, &name);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<FolderLayout, SaveError> {
        while !self.open.is_empty() {
            self.leave()?;
        }
        sync_names(self.content)?;
        self.layout.sort();
        Ok(self.layout)
    }
}

/// Waits until the names in a folder are on the disk, where that cannot be had for all folders at once.
fn sync_names(folder: &OpenFolder) -> Result<(), SaveError> {
    if cfg!(target_os = "linux") {
        return Ok(());
    }
    folder
        .sync()
        .map_err(|error| SaveError::Create(error.into()))
}

/// All bytes of a file in the hidden folder, at most `max` of them.
fn read_all(folder: &OpenFolder, name: &str, max: u64) -> io::Result<Vec<u8>> {
    let file = folder.file(name.as_ref(), FileAccess::Read)?;
    let mut bytes = Vec::new();
    file.take(max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok(bytes)
}

fn read_manifest(bytes: &[u8], content_len: u64) -> Result<Manifest, SaveError> {
    let mut reader = ManifestReader::new(content_len);
    let read = reader.push(bytes).and_then(|()| reader.finish());
    read.map_err(|_damaged| SaveError::Altered)
}
