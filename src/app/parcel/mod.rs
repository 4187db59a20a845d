//! What a person shares: a file, a folder, or several of both. It is looked at once, and then read in pieces.
//!
//! A look reads no content. It says how long the content will be, makes the manifest of a folder, and keeps of every file
//! what tells later whether it has changed. Every piece that is read is compared with that, before and after: a file that
//! has changed ends the share, and nothing is padded or cut to fit.
//!
//! Links that a person names are followed. Links inside a folder are left out, and none is followed that appears there
//! later.

mod left_out;
mod look;
mod read;
#[cfg(test)]
mod tests;

use std::hash::{BuildHasher as _, RandomState};
use std::path::{Path, PathBuf};

pub use self::left_out::{LeftOut, LeftOutEntry, WhyLeftOut};
use crate::disk::path_bytes;
use crate::protocol::digest::Digest;
use crate::protocol::folder::Manifest;
use crate::protocol::resume::{FileStamp, Source};
use crate::protocol::seal::ContentKind;

/// What a person shares, as it was when it was looked at.
pub struct Parcel {
    /// Of the file or folder; none when several things were named.
    name: Option<String>,
    content: ParcelContent,
    left_out: LeftOut,
}

enum ParcelContent {
    File { path: PathBuf, stamp: FileStamp },
    Folder(FolderContent),
}

/// The content of a folder, or of several things together. Of each entry it keeps the bytes in the manifest and eight more.
struct FolderContent {
    /// What the person named, in their order, as absolute paths.
    named: Vec<PathBuf>,
    manifest: Manifest,
    roots: Roots,
    seals: LookSeals,
    stamp: Digest,
}

/// Where the files of the manifest are.
enum Roots {
    /// Below this folder: the paths of the manifest are relative to it.
    Folder(PathBuf),
    /// The first step of each path in the manifest, in order, and what that stands for.
    Several(Vec<Root>),
}

/// One of several things that a person named.
struct Root {
    /// The first step of its paths in the manifest: its name, or one like it.
    step: String,
    path: PathBuf,
}

impl Roots {
    /// Where an entry of the manifest is: below which folder, and the rest of its path there. The rest is empty for a file
    /// that a person named.
    fn place<'a>(&self, path: &'a str) -> Option<(&Path, &'a str)> {
        match self {
            Self::Folder(folder) => Some((folder, path)),
            Self::Several(roots) => {
                let (step, rest) = path.split_once('/').unwrap_or((path, ""));
                let at = roots.binary_search_by(|root| root.step.as_str().cmp(step));
                Some((&roots.get(at.ok()?)?.path, rest))
            }
        }
    }
}

/// What every file looked like, in eight bytes each: a hash of its [`FileStamp`] under a key that nobody else knows. A
/// million files need no more than 8 MB so.
#[derive(Default)]
struct LookSeals {
    key: RandomState,
    hashes: Vec<u64>,
}

impl LookSeals {
    fn push(&mut self, stamp: &FileStamp) {
        self.hashes.push(self.key.hash_one(stamp));
    }

    fn is_same(&self, number: u32, stamp: &FileStamp) -> bool {
        self.hashes.get(number as usize) == Some(&self.key.hash_one(stamp))
    }
}

impl Parcel {
    /// Whether it is a file or a folder. Several things together are a folder.
    #[must_use]
    pub(crate) const fn kind(&self) -> ContentKind {
        match self.content {
            ParcelContent::File { .. } => ContentKind::File,
            ParcelContent::Folder(_) => ContentKind::Folder,
        }
    }

    /// The name of the file or folder; none when several things were named.
    #[must_use]
    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The length of the content in bytes. Of a folder it is that of its manifest and of all files.
    #[must_use]
    pub(crate) const fn content_len(&self) -> u64 {
        match &self.content {
            ParcelContent::File { stamp, .. } => stamp.len_bytes,
            ParcelContent::Folder(folder) => folder.manifest.content_len(),
        }
    }

    /// Where it comes from, and what it looked like: by this a share that goes on later finds it again.
    #[must_use]
    pub(crate) fn source(&self) -> Source {
        match &self.content {
            ParcelContent::File { path, stamp } => Source::File {
                path: path_bytes::encode(path),
                stamp: *stamp,
            },
            ParcelContent::Folder(folder) => Source::Folder {
                roots: folder
                    .named
                    .iter()
                    .map(|path| path_bytes::encode(path))
                    .collect(),
                stamp: folder.stamp,
            },
        }
    }

    /// What is not shared of what the person named.
    #[must_use]
    pub(crate) const fn left_out(&self) -> &LeftOut {
        &self.left_out
    }
}
