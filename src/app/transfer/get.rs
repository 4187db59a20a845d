//! Get: pointer → downloaded → verified → opened → saved; in parts where it is larger than one blob.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::task::block_in_place;

use super::call::Call;
use super::parts::{self, fetch};
use super::stage::Stage;
use super::supported::{PointerUse, whole_key};
use crate::app::error::{AppError, Mismatch, ServerRefusal};
use crate::app::received::content_type::Findings;
use crate::app::received::file_name::SafeFileName;
use crate::app::received::incoming::{Renamed, SavedItem};
use crate::app::received::save::SaveTarget;
use crate::app::relays::refresh;
use crate::protocol::address::FileId;
use crate::protocol::capability::DownloadReceipt;
use crate::protocol::file_api::{self, FileRequest};
use crate::protocol::folder::{Manifest, ManifestReader};
use crate::protocol::pointer::Pointer;
use crate::protocol::seal::{ContentKind, Opened, UnverifiedBlob};
use crate::protocol::size_class::SizeClass;
use crate::wire::random;

/// A download that was asked for.
pub struct GetRequest {
    /// What it is and where.
    pub pointer: Pointer,
    /// The place to save it, tried before anything is fetched.
    pub target: SaveTarget,
    /// Whether the sender is told of it, if they asked to be.
    pub tell_sender: bool,
    /// What of a folder is wanted.
    pub choice: Choice,
}

/// What of a folder is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// All of it.
    #[default]
    All,
    /// The files at these paths, and everything in the folders at them, as the listing shows them.
    Only(Vec<String>),
}

impl Choice {
    /// The numbers of the wanted entries; `None` for all.
    ///
    /// # Errors
    /// [`AppError::NoSuchEntry`] for a path at which nothing is.
    pub(super) fn among(&self, manifest: &Manifest) -> Result<Option<Vec<Range<u32>>>, AppError> {
        let Self::Only(paths) = self else {
            return Ok(None);
        };
        let paths = paths.iter().map(|path| path.trim_end_matches('/'));
        // Whether something lies at each path. Looked up, as both paths and entries may be hundreds of thousands.
        let mut wanted: BTreeMap<&str, bool> = paths.map(|path| (path, false)).collect();
        let mut ranges: Vec<Range<u32>> = Vec::new();
        for entry in manifest.iter() {
            let mut is_wanted = false;
            for path in with_its_folders(entry.entry.path) {
                if let Some(found) = wanted.get_mut(path) {
                    (*found, is_wanted) = (true, true);
                }
            }
            match ranges.last_mut() {
                _ if !is_wanted => {}
                Some(range) if range.end == entry.number => range.end += 1,
                _ => ranges.push(entry.number..entry.number + 1),
            }
        }
        match wanted.into_iter().find(|(_, found)| !found) {
            Some((path, _)) => Err(AppError::NoSuchEntry(path.to_owned())),
            None => Ok(Some(ranges)),
        }
    }
}

/// The path of an entry, and those of all folders that it lies in.
fn with_its_folders(entry: &str) -> impl Iterator<Item = &str> {
    let folders = entry.match_indices('/');
    let folders = folders.filter_map(|(at, _)| entry.get(..at));
    folders.chain(std::iter::once(entry))
}

/// Whether the sender was told of the download.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// The recipient did not want to.
    Declined,
    /// The file is here, but the server could not be told.
    Failed,
    /// The server was told.
    Sent,
    /// The sender did not ask.
    Unasked,
}

/// A file or folder that was verified, opened and saved.
pub struct Fetched {
    /// Path of the saved file or folder.
    pub path: PathBuf,
    /// Its bytes.
    pub content_len: u64,
    /// What name and content of a file say of each other; nothing of a folder.
    pub findings: Findings,
    /// Names in a folder that this system could not hold.
    pub renamed: Renamed,
    /// Whether the sender was told.
    pub receipt: Receipt,
    /// From the first byte sent to the file on disk, without telling the sender.
    pub took: Duration,
}

/// Fetches what a pointer describes and saves it. Everything is verified before it is written: of what comes in one blob
/// all of it, else part by part. The sender is told, if they asked and the recipient agrees, once all is saved.
///
/// # Errors
/// [`AppError`]; nothing is left on disk then, but what has come of something in parts, with which
/// [`resume`](super::parts::resume) goes on.
pub async fn get(call: &Call, request: GetRequest) -> Result<Fetched, AppError> {
    let started = Instant::now();
    let _remembered = call.program().remember_at_the_end();
    let GetRequest {
        pointer,
        target,
        tell_sender,
        choice,
    } = request;
    PointerUse::Get.check(&pointer)?;
    call.progress().stage(Stage::FindPath);
    let receipt = ReceiptWish::of(&pointer, tell_sender);
    let saved = if pointer.kind == ContentKind::PartList {
        let fetching = fetch::fetch(call, pointer, &target, tell_sender, &choice);
        refresh::beside(call, fetching).await?
    } else {
        refresh::beside(call, get_blob(call, pointer, target, choice)).await?
    };
    finished(call, saved, receipt, started).await
}

/// Says what was saved, once the sender was told.
pub(super) async fn finished(
    call: &Call,
    saved: SavedItem,
    receipt: ReceiptWish,
    started: Instant,
) -> Result<Fetched, AppError> {
    let took = started.elapsed();
    let receipt = receipt.fulfil(call).await;
    Ok(Fetched {
        path: saved.path,
        content_len: saved.content_len,
        findings: saved.findings.unwrap_or_default(),
        renamed: saved.renamed,
        receipt,
        took,
    })
}

/// What a folder holds, before anything of it is saved; `None` for a single file.
///
/// # Errors
/// [`AppError`].
pub async fn list(call: &Call, pointer: &Pointer) -> Result<Option<Manifest>, AppError> {
    let _remembered = call.program().remember_at_the_end();
    PointerUse::Get.check(pointer)?;
    call.progress().stage(Stage::FindPath);
    match pointer.kind {
        ContentKind::Folder => {
            let opened = fetch_blob(call, pointer).await?;
            Ok(Some(read_manifest(&opened)?))
        }
        ContentKind::PartList => {
            let (list, _) = parts::list::fetch(call, pointer).await?;
            if list.kind() != ContentKind::Folder {
                return Ok(None);
            }
            let fetched = fetch::fetch_manifest(call, &list).await?;
            Ok(Some(fetched.manifest))
        }
        ContentKind::File | ContentKind::Part => Ok(None),
    }
}

/// Fetches the blob of something that is in one, verifies and opens it, and compares it with the pointer.
async fn fetch_blob(call: &Call, pointer: &Pointer) -> Result<Opened, AppError> {
    let expected = SizeClass::for_content_len(pointer.content_len).map_or(0, SizeClass::blob_len);
    let request = FileRequest::Download(pointer.id.clone());
    let response = call.run(&request, expected).await?;
    let blob = file_api::read_found(response).map_err(ServerRefusal::of_download)?;
    call.progress().stage(Stage::Verify);
    block_in_place(|| {
        let sealed = UnverifiedBlob::new(blob)
            .verify(&pointer.digest)
            .map_err(|_differs| Mismatch::Digest)?;
        call.progress().stage(Stage::Open);
        let opened = sealed.open(whole_key(pointer)?).map_err(Mismatch::Open)?;
        pointer
            .check(opened.header())
            .map_err(Mismatch::Description)?;
        Ok(opened)
    })
}

fn read_manifest(opened: &Opened) -> Result<Manifest, Mismatch> {
    let mut reader = ManifestReader::new(opened.content().len() as u64);
    reader.push(opened.content())?;
    Ok(reader.finish()?)
}

async fn get_blob(
    call: &Call,
    pointer: Pointer,
    target: SaveTarget,
    choice: Choice,
) -> Result<SavedItem, AppError> {
    let opened = fetch_blob(call, &pointer).await?;
    // The last moment at which a cancel leaves no file.
    if call.cancel().is_cancelled() {
        return Err(AppError::Cancelled);
    }
    call.progress().stage(Stage::Save);
    let name = name_of(&opened, &pointer);
    let cancelled = || call.cancel().is_cancelled();
    block_in_place(|| {
        if pointer.kind != ContentKind::Folder {
            return Ok(target.save(&name, opened.content())?);
        }
        let manifest = read_manifest(&opened)?;
        let chosen = choice.among(&manifest)?;
        let incoming = target.begin_folder(manifest, chosen, &cancelled)?;
        incoming.write_at(0, opened.content())?;
        incoming.sync()?;
        Ok(incoming.finish(&name)?)
    })
}

/// Whether and what the sender is told once all is saved.
pub(super) enum ReceiptWish {
    Unasked,
    Declined,
    Wanted {
        id: FileId,
        receipt: Option<DownloadReceipt>,
    },
}

impl ReceiptWish {
    pub(super) fn of(pointer: &Pointer, tell_sender: bool) -> Self {
        match pointer.receipts {
            None => Self::Unasked,
            Some(_) if !tell_sender => Self::Declined,
            Some(_) => Self::Wanted {
                id: pointer.id.clone(),
                receipt: pointer
                    .key
                    .whole()
                    .map(|key| DownloadReceipt::make(key, &pointer.id, &mut random::system())),
            },
        }
    }

    /// Nothing that goes wrong here concerns the file, which is on disk.
    async fn fulfil(self, call: &Call) -> Receipt {
        let (id, receipt) = match self {
            Self::Unasked => return Receipt::Unasked,
            Self::Declined => return Receipt::Declined,
            Self::Wanted { receipt: None, .. } => return Receipt::Failed,
            Self::Wanted {
                id,
                receipt: Some(receipt),
            } => (id, receipt),
        };
        call.progress().stage(Stage::TellSender);
        let request = FileRequest::Receipt { id, receipt };
        let answer = call.silent().run(&request, 0).await;
        match answer.map(|answer| file_api::read_done(&answer)) {
            Ok(Ok(())) => Receipt::Sent,
            Ok(Err(_)) | Err(_) => Receipt::Failed,
        }
    }
}

fn name_of(opened: &Opened, pointer: &Pointer) -> SafeFileName {
    let name = opened.header().name.as_deref().or(pointer.name.as_deref());
    if pointer.kind == ContentKind::Folder {
        SafeFileName::of_folder(name)
    } else {
        SafeFileName::sanitize(name.unwrap_or_default())
    }
}

#[cfg(test)]
#[expect(
    clippy::single_range_in_vec_init,
    reason = "choices of which one is in one piece"
)]
mod tests {
    use super::*;
    use crate::protocol::folder::{EntryKind, FolderEntry, ManifestWriter};

    fn manifest(paths: &[&str]) -> Manifest {
        let mut writer = ManifestWriter::default();
        for path in paths {
            let kind = EntryKind::File {
                len_bytes: 1,
                executable: false,
            };
            let entry = FolderEntry {
                path,
                kind,
                modified: None,
            };
            writer.push(&entry).expect("it can be in a folder");
        }
        writer.finish().expect("it is not too long")
    }

    #[test]
    fn a_choice_takes_files_and_whole_folders_and_says_what_is_not_there() {
        let manifest = manifest(&["a", "a b/c", "b/c/d", "b/c/e", "b/f", "bc"]);
        let among = |paths: &[&str]| {
            let paths = paths.iter().map(|path| (*path).to_owned()).collect();
            Choice::Only(paths).among(&manifest)
        };
        assert_eq!(Choice::All.among(&manifest).expect("all"), None);
        for (paths, numbers) in [
            (&["a"][..], vec![0..1]),
            (&["b/"][..], vec![2..5]),
            (&["b/c", "b/c/d", "bc"][..], vec![2..4, 5..6]),
            (&["b/f", "b/c"][..], vec![2..5]),
        ] {
            let found = among(paths).expect("it is there");
            assert_eq!(found, Some(numbers), "{paths:?}");
        }
        for missing in ["c", "b/g", ""] {
            assert!(among(&["a", missing]).is_err(), "{missing}");
        }
    }

    /// Each of both is looked up, not compared with each of the other.
    #[test]
    fn hundreds_of_thousands_are_chosen_among_as_many() {
        let paths: Vec<String> = (0..200_000).map(|at| format!("a/{at:06}")).collect();
        let names: Vec<&str> = paths.iter().map(String::as_str).collect();
        let manifest = manifest(&names);
        let choice = Choice::Only(paths[1..].to_vec());
        let chosen = choice.among(&manifest).expect("all are there");
        assert_eq!(chosen, Some(vec![1..200_000]));
    }
}
