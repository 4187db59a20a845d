//! Folders, and several files at once, as one content: a manifest, then the bytes of the files in its order.
//!
//! It is no archive format of the world: there are no links, owners, permissions or compression, and the listing that is
//! checked is the one by which files are made. Everything here checks and computes; it reads and writes no file.
//!
//! # To send
//!
//! 1. Walk the folder and hand each entry to [`ManifestWriter::push`] in order. What is refused as a
//!    [`PathError`], and what is neither file nor folder or cannot be read, is left out, counted, and said first.
//! 2. [`ManifestWriter::finish`] gives the [`Manifest`]; [`Manifest::content_len`] is the length of the content, of kind
//!    [`Folder`](super::seal::ContentKind::Folder), for one blob or for [`parts`](super::parts).
//! 3. [`Manifest::pieces`] says which bytes of which file a part is made of. The lengths are those of the start: a file that
//!    has another one when it is read ends the share.
//!
//! # To receive
//!
//! 1. Hand the beginning of the content to [`ManifestReader`], part by part in order, until nothing is
//!    [`wanted`](ManifestReader::wanted); [`ManifestReader::finish`] checks **all** of it. Only then show the listing, and only
//!    then make a name on the disk.
//! 2. The bytes of what the person chose are [`PlacedEntry::bytes`]; [`PartPlan::holding`](super::parts::PartPlan::holding)
//!    says which parts hold them.
//! 3. [`Manifest::files_in`] says which bytes of a part go into which file.
//!
//! # What is left to whoever saves
//!
//! A path that is allowed here may still not be one on this system, may lead out of the folder there (`C:/x` and `b:c` on
//! Windows), or may be the same name as another (case, normalisation). So a whole path is never joined to a folder: each of
//! [`FolderEntry::steps`] is made safe first (drive letters, `:`, names of devices). Which names are one is what the file system says, not a table: files are made with "must
//! not exist" and never through a link, in a new folder under a hidden name, and the second of two names gets a number.

mod manifest;
mod path;
#[cfg(test)]
mod tests;

pub use manifest::{
    EntryKind, FolderEntry, FolderError, FolderPiece, MAX_ENTRIES, MAX_MANIFEST_LEN, Manifest,
    ManifestReader, ManifestWriter, PlacedEntry,
};
pub use path::{MAX_PATH_LEN, MAX_STEP_LEN, MAX_STEPS, PathError, check_path, compare_paths};
