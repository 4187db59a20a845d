//! A download in parts: each is fetched, verified, opened and written to its place; what is written and synced is written
//! down, so that it is never fetched again.

use std::mem;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::task::block_in_place;

use super::super::call::{Call, TryPace};
use super::super::get::Choice;
use super::super::stage::{ProgressSink, Stage};
use super::progress::PartsProgress;
use super::{list, run_all, until_reached};
use crate::app::error::{AppError, Mismatch, ServerRefusal};
use crate::app::kept::unfinished::{DownloadLog, UnfinishedError, UnfinishedTransfers};
use crate::app::received::file_name::SafeFileName;
use crate::app::received::incoming::{self, Incoming, SavedItem};
use crate::app::received::save::SaveTarget;
use crate::disk::path_bytes;
use crate::protocol::file_api::{self, FileRequest};
use crate::protocol::folder::{Manifest, ManifestReader};
use crate::protocol::parts::{
    OpenedPart, PartIndex, PartList, PartQueue, PartSet, PartStart, PartsDirection, Store,
};
use crate::protocol::path::Hops;
use crate::protocol::pointer::Pointer;
use crate::protocol::resume::{RecipientBegin, RecipientRecord};
use crate::protocol::seal::{ContentKind, UnverifiedBlob};

/// After so many bytes, or so long, what is written is synced and written down.
const SYNC_BYTES: usize = 64 << 20;
const SYNC_AFTER: Duration = Duration::from_secs(10);

/// One download on its way.
struct Fetching {
    list: Arc<PartList>,
    incoming: Incoming,
    log: Mutex<DownloadLog>,
    unsynced: Mutex<Unsynced>,
}

/// Parts that are written and may not outlive a crash of the machine.
struct Unsynced {
    parts: Vec<PartIndex>,
    len: usize,
    since: Instant,
}

/// A manifest, and the part that holds its end: the beginning of the first files stands in it.
pub(in crate::app::transfer) struct FetchedManifest {
    pub(in crate::app::transfer) manifest: Manifest,
    last: Option<(PartIndex, OpenedPart)>,
}

/// Fetches the whole that `pointer` means in parts and saves it at `target`.
///
/// # Errors
/// [`AppError`]. What has come stays for [`resume`], unless the sender is at fault.
pub(in crate::app::transfer) async fn fetch(
    call: &Call,
    pointer: Pointer,
    target: &SaveTarget,
    tell_sender: bool,
    choice: &Choice,
) -> Result<SavedItem, AppError> {
    let (list, name) = list::fetch(call, &pointer).await?;
    let name = name.or_else(|| pointer.name.clone());
    let name = match list.kind() {
        ContentKind::Folder => SafeFileName::of_folder(name.as_deref()),
        _ => SafeFileName::sanitize(&name.unwrap_or_default()),
    };
    let (mut incoming, chosen, last) = match list.kind() {
        ContentKind::Folder => {
            let FetchedManifest { manifest, last } = fetch_manifest(call, &list).await?;
            let chosen = choice.among(&manifest)?;
            let needed = parts_of(&list, &manifest, chosen.as_deref());
            target.check_room(bytes_of(&list, &needed))?;
            let cancelled = || call.cancel().is_cancelled();
            let begin = || target.begin_folder(manifest, chosen.clone(), &cancelled);
            let incoming = block_in_place(begin)?;
            (incoming, chosen, last)
        }
        _ => {
            let len = list.plan().whole_len();
            target.check_room(len)?;
            (block_in_place(|| target.begin_file(len))?, None, None)
        }
    };
    let begin = RecipientBegin {
        pointer,
        target: path_bytes::encode(&target.path_for(&name)),
        temporary: path_bytes::encode(incoming.temporary()),
        tell_sender,
    };
    let kept = UnfinishedTransfers::of(call.program().home());
    let log = block_in_place(|| {
        let mut log = kept.begin_download(begin, Arc::clone(&list))?;
        if let Some(chosen) = chosen {
            log.record(RecipientRecord::Chosen(chosen))?;
        }
        Ok::<_, AppError>(log)
    })?;
    incoming.keep();
    go_on(call, list, incoming, log, last, &name).await
}

/// Goes on with a download that was interrupted.
///
/// # Errors
/// As [`fetch`].
pub(in crate::app::transfer) async fn resume(
    call: &Call,
    log: DownloadLog,
    target: &SaveTarget,
    name: &SafeFileName,
) -> Result<SavedItem, AppError> {
    let state = log.state();
    // It ended before the list was written down.
    let list = Arc::clone(state.list().ok_or(UnfinishedError::Damaged)?);
    let temporary = path_bytes::decode(&state.begin().temporary).unwrap_or_default();
    let (plan, len) = (list.plan(), list.plan().whole_len());
    let written = plan.indices().filter(|index| state.is_written(*index));
    let written: Vec<_> = written.map(|index| plan.range(index)).collect();
    let resumed = block_in_place(|| match list.kind() {
        ContentKind::Folder => target.resume_folder(&temporary, len, state.chosen(), &written),
        _ => target.resume_file(&temporary, len, &written),
    });
    let mut incoming = resumed?;
    incoming.keep();
    go_on(call, list, incoming, log, None, name).await
}

/// Fetches the manifest of a folder in parts.
///
/// # Errors
/// [`AppError`].
pub(in crate::app::transfer) async fn fetch_manifest(
    call: &Call,
    list: &Arc<PartList>,
) -> Result<FetchedManifest, AppError> {
    let mut reader = ManifestReader::new(list.plan().whole_len());
    let mut last = None;
    for index in list.plan().indices() {
        if reader.wanted().is_empty() {
            break;
        }
        let (part, _) = until_reached(call, || fetch_part(call, list, index, None)).await?;
        reader.push(part.content()).map_err(Mismatch::Folder)?;
        last = Some((index, part));
    }
    let manifest = reader.finish().map_err(Mismatch::Folder)?;
    Ok(FetchedManifest { manifest, last })
}

/// Fetches, verifies and opens one part.
async fn fetch_part(
    call: &Call,
    list: &PartList,
    index: PartIndex,
    unlike: Option<Hops>,
) -> Result<(OpenedPart, TryPace), AppError> {
    let id = list.id(Store::Server, index);
    let request = FileRequest::Download(id.ok_or(ServerRefusal::NotThere)?);
    let blob_len = list.plan().class().blob_len();
    let answer = call.run_unlike(unlike, &request, blob_len).await?;
    let blob = file_api::read_found(answer.response).map_err(ServerRefusal::of_download)?;
    let opened = block_in_place(|| list.open_part(index, UnverifiedBlob::new(blob)));
    Ok((opened.map_err(Mismatch::Part)?, answer.pace))
}

/// The parts that hold some of the chosen entries; of a file all.
fn parts_of(list: &PartList, manifest: &Manifest, chosen: Option<&[Range<u32>]>) -> PartSet {
    let plan = list.plan();
    let mut needed = PartSet::none_of(plan);
    let Some(chosen) = chosen else {
        for index in plan.indices() {
            needed.insert(index);
        }
        return needed;
    };
    for range in chosen.iter().filter(|range| !range.is_empty()) {
        let first = manifest.get(range.start);
        let last = manifest.get(range.end - 1);
        // The bytes of entries that follow each other follow each other too.
        if let (Some(first), Some(last)) = (first, last) {
            for index in plan.holding(&(first.bytes.start..last.bytes.end)) {
                needed.insert(index);
            }
        }
    }
    needed
}

fn bytes_of(list: &PartList, parts: &PartSet) -> u64 {
    let plan = list.plan();
    let parts = plan.indices().filter(|index| parts.contains(*index));
    parts.map(|index| plan.content_len(index) as u64).sum()
}

/// Fetches what is not there yet, and gives the whole its name.
async fn go_on(
    call: &Call,
    list: Arc<PartList>,
    incoming: Incoming,
    log: DownloadLog,
    last: Option<(PartIndex, OpenedPart)>,
    name: &SafeFileName,
) -> Result<SavedItem, AppError> {
    call.progress().kept(log.id());
    let plan = *list.plan();
    let needed = match incoming.manifest() {
        Some(manifest) => parts_of(&list, manifest, log.state().chosen()),
        None => {
            let mut all = PartSet::none_of(&plan);
            for index in plan.indices() {
                all.insert(index);
            }
            all
        }
    };
    let mut missing: Vec<_> = plan
        .indices()
        .filter(|index| needed.contains(*index) && !log.state().is_written(*index))
        .collect();
    let total = bytes_of(&list, &needed);
    let missing_len: usize = missing.iter().map(|index| plan.content_len(*index)).sum();
    let done = total.saturating_sub(missing_len as u64);
    let progress = PartsProgress::new(call.progress(), plan, done, total);
    let fetching = Arc::new(Fetching {
        list,
        incoming,
        log: Mutex::new(log),
        unsynced: Mutex::new(Unsynced {
            parts: Vec::new(),
            len: 0,
            since: Instant::now(),
        }),
    });
    // The beginning of the first files came with the manifest.
    if let Some((index, part)) = last
        && missing.contains(&index)
        && block_in_place(|| fetching.write(index, &part)).is_ok()
    {
        progress.done(index);
        missing.retain(|other| *other != index);
    }
    let direction = PartsDirection::Download { mirrored: false };
    let queue = PartQueue::new(direction, missing);
    let fetched = run_all(queue, call, |start, call| {
        let (fetching, progress) = (Arc::clone(&fetching), progress.clone());
        async move {
            let fetched = fetching.fetch_part(start, &call, &progress).await;
            match &fetched {
                Ok(_) => progress.done(start.index),
                Err(_) => progress.lost(start.index),
            }
            Ok(fetched?)
        }
    })
    .await;
    let Some(Fetching {
        incoming,
        log,
        unsynced,
        ..
    }) = Arc::into_inner(fetching)
    else {
        // Every part has ended, so nobody else has it.
        return Err(AppError::Cancelled);
    };
    let (mut log, unsynced) = (log.into_inner(), unsynced.into_inner());
    match fetched {
        Ok(_) => {
            call.progress().stage(Stage::Save);
            block_in_place(|| {
                incoming.sync()?;
                record_written(&mut log, unsynced.parts)?;
                log.record(RecipientRecord::Complete)?;
                let saved = incoming.finish(name)?;
                // Left behind, it says that the whole was saved.
                log.remove().ok();
                Ok(saved)
            })
        }
        Err(AppError::Mismatch(Mismatch::Part(error))) if error.is_senders() => {
            block_in_place(|| {
                incoming::remove_temporary(incoming.temporary());
                log.remove().ok();
            });
            Err(Mismatch::Part(error).into())
        }
        Err(error) => {
            block_in_place(|| {
                // What has come is not fetched again.
                if incoming.sync().is_ok() {
                    record_written(&mut log, unsynced.parts).ok();
                }
            });
            Err(error)
        }
    }
}

impl Fetching {
    async fn fetch_part(
        &self,
        start: PartStart,
        call: &Call,
        progress: &PartsProgress,
    ) -> Result<TryPace, AppError> {
        let moving =
            ProgressSink::new(progress.of_part(start.index)).with_paths_of(call.progress());
        let call = call.clone().with_progress(moving);
        let (part, pace) = fetch_part(&call, &self.list, start.index, start.unlike).await?;
        let written = block_in_place(|| self.write(start.index, &part));
        call.buffers().put(part.into_buffer());
        written?;
        Ok(pace)
    }

    /// Writes a part to its place. Blocking.
    fn write(&self, index: PartIndex, part: &OpenedPart) -> Result<(), AppError> {
        let offset = self.list.plan().range(index).start;
        self.incoming.write_at(offset, part.content())?;
        let parts = {
            let mut unsynced = self.unsynced.lock();
            unsynced.parts.push(index);
            unsynced.len += part.content().len();
            if unsynced.len < SYNC_BYTES && unsynced.since.elapsed() < SYNC_AFTER {
                return Ok(());
            }
            unsynced.len = 0;
            unsynced.since = Instant::now();
            mem::take(&mut unsynced.parts)
        };
        self.incoming.sync()?;
        record_written(&mut self.log.lock(), parts)
    }
}

/// Writes down which parts are synced, neighbours as one.
fn record_written(log: &mut DownloadLog, mut parts: Vec<PartIndex>) -> Result<(), AppError> {
    parts.sort_unstable();
    for run in parts.chunk_by(|one, next| one.get() + 1 == next.get()) {
        if let (Some(first), Some(last)) = (run.first(), run.last()) {
            log.record(RecipientRecord::Written {
                first: *first,
                last: *last,
            })?;
        }
    }
    Ok(())
}
