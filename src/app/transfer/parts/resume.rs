//! Going on with a transfer in parts that was interrupted, or giving it up.

use std::path::{Path, PathBuf};
use std::time::Instant;

use tokio::task::block_in_place;

use super::super::call::Call;
use super::super::get::{self, Fetched, ReceiptWish};
use super::super::program::Program;
use super::super::share::Shared;
use super::super::stage::Stage;
use super::{discard, fetch, send};
use crate::app::error::AppError;
pub use crate::app::kept::unfinished::{UnfinishedError, UnfinishedId};
use crate::app::kept::unfinished::{UnfinishedTransfer, UnfinishedTransfers};
use crate::app::parcel::Parcel;
use crate::app::received::file_name::SafeFileName;
use crate::app::received::incoming;
use crate::app::received::save::SaveTarget;
use crate::app::relays::refresh;
use crate::disk::path_bytes;
use crate::protocol::address::ServerAddress;
use crate::protocol::parts::Store;
use crate::protocol::pointer::Pointer;
use crate::protocol::resume::Source;

/// An unfinished transfer, as a person is told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// What tells it from others.
    pub id: UnfinishedId,
    /// What is known of it, or why it cannot be used.
    pub about: Result<AboutTransfer, UnfinishedError>,
}

/// What is known of an unfinished transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AboutTransfer {
    /// Whether it is sent from here, or fetched.
    pub is_share: bool,
    /// Name of the file or folder; of a share of several things none.
    pub name: Option<String>,
    /// Bytes of its content.
    pub len: u64,
    /// Bytes that are confirmed by the server, or fetched and written.
    pub done: u64,
    /// The server.
    pub server: ServerAddress,
}

/// Lists the unfinished transfers of this person. Blocking.
///
/// # Errors
/// [`UnfinishedError::Read`] when not even their folder can be read.
pub fn list(program: &Program) -> Result<Vec<Listed>, UnfinishedError> {
    let kept = UnfinishedTransfers::of(program.home());
    let ids = kept.ids()?;
    let listed = ids.into_iter().map(|id| Listed {
        about: kept.open(&id).map(|transfer| about(&transfer)),
        id,
    });
    // One that ended meanwhile, or just before the program was killed, is none.
    let is_there = |listed: &Listed| listed.about != Err(UnfinishedError::Unknown);
    Ok(listed.filter(is_there).collect())
}

fn about(transfer: &UnfinishedTransfer) -> AboutTransfer {
    match transfer {
        UnfinishedTransfer::Share(log) => {
            let (state, begin) = (log.state(), log.state().begin());
            let missing = state.unconfirmed(Store::Server);
            let missing: u64 = missing
                .map(|index| begin.plan.content_len(index) as u64)
                .sum();
            AboutTransfer {
                is_share: true,
                name: begin.wishes.name.clone(),
                len: begin.plan.whole_len(),
                done: begin.plan.whole_len().saturating_sub(missing),
                server: begin.server.clone(),
            }
        }
        UnfinishedTransfer::Download(log) => {
            let (state, begin) = (log.state(), log.state().begin());
            let done = state.list().map_or(0, |list| {
                let plan = list.plan();
                let written = plan.indices().filter(|index| state.is_written(*index));
                written.map(|index| plan.content_len(index) as u64).sum()
            });
            AboutTransfer {
                is_share: false,
                name: begin.pointer.name.clone(),
                len: begin.pointer.content_len,
                done,
                server: begin.pointer.server.clone(),
            }
        }
    }
}

/// An unfinished transfer that nobody else goes on with.
pub struct OpenTransfer(UnfinishedTransfer);

/// What a transfer that went on came to.
pub enum Resumed {
    /// All of it is shared.
    Shared(Box<Shared>),
    /// All of it is saved.
    Fetched(Box<Fetched>),
}

/// What came of giving up a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Discarded {
    /// Blobs of a share that the server may still have, because it could not be reached: they are gone when they expire.
    pub left: u32,
}

impl OpenTransfer {
    /// Opens one. Blocking.
    ///
    /// # Errors
    /// [`UnfinishedError`].
    pub fn open(program: &Program, id: &UnfinishedId) -> Result<Self, UnfinishedError> {
        UnfinishedTransfers::of(program.home()).open(id).map(Self)
    }

    /// The unfinished share of just these paths, if there is one that nobody else goes on with. Blocking.
    #[must_use]
    pub(crate) fn find_share(program: &Program, paths: &[PathBuf]) -> Option<Self> {
        let wanted: Vec<_> = paths.iter().filter_map(|path| absolute(path)).collect();
        Self::find(program, |transfer| match transfer {
            UnfinishedTransfer::Share(log) => {
                let begun = match &log.state().begin().source {
                    Source::File { path, .. } => vec![path.clone()],
                    Source::Folder { roots, .. } => roots.clone(),
                };
                begun == wanted
            }
            UnfinishedTransfer::Download(_) => false,
        })
    }

    /// The unfinished download of this pointer, if there is one that nobody else goes on with. Blocking.
    #[must_use]
    pub(crate) fn find_download(program: &Program, pointer: &Pointer) -> Option<Self> {
        let wanted = pointer.to_text();
        Self::find(program, |transfer| match transfer {
            UnfinishedTransfer::Share(_) => false,
            UnfinishedTransfer::Download(log) => {
                let begun = log.state().begin().pointer.to_text();
                begun.as_str() == wanted.as_str()
            }
        })
    }

    fn find(program: &Program, is_it: impl Fn(&UnfinishedTransfer) -> bool) -> Option<Self> {
        let kept = UnfinishedTransfers::of(program.home());
        let ids = kept.ids().unwrap_or_default();
        let mut transfers = ids.iter().filter_map(|id| kept.open(id).ok());
        transfers.find(is_it).map(Self)
    }

    /// What tells it from others.
    #[must_use]
    pub fn id(&self) -> &UnfinishedId {
        match &self.0 {
            UnfinishedTransfer::Share(log) => log.id(),
            UnfinishedTransfer::Download(log) => log.id(),
        }
    }

    /// What is known of it.
    #[must_use]
    pub fn about(&self) -> AboutTransfer {
        about(&self.0)
    }

    /// The server that a share goes to; `None` for a download.
    #[must_use]
    pub(crate) fn share_server(&self) -> Option<&ServerAddress> {
        match &self.0 {
            UnfinishedTransfer::Share(log) => Some(&log.state().begin().server),
            UnfinishedTransfer::Download(_) => None,
        }
    }

    /// What a share shares, as absolute paths; nothing for a download.
    #[must_use]
    pub(crate) fn share_paths(&self) -> Vec<PathBuf> {
        let UnfinishedTransfer::Share(log) = &self.0 else {
            return Vec::new();
        };
        let paths = match &log.state().begin().source {
            Source::File { path, .. } => std::slice::from_ref(path),
            Source::Folder { roots, .. } => roots,
        };
        let paths = paths.iter();
        paths.filter_map(|path| path_bytes::decode(path)).collect()
    }

    /// The pointer of a download; `None` for a share.
    #[must_use]
    pub(crate) fn pointer(&self) -> Option<&Pointer> {
        match &self.0 {
            UnfinishedTransfer::Share(_) => None,
            UnfinishedTransfer::Download(log) => Some(&log.state().begin().pointer),
        }
    }

    /// Goes on with it, over a route to its server.
    ///
    /// # Errors
    /// [`AppError`]; a source that changed since is [`LocalFileError::Changed`](crate::app::error::LocalFileError::Changed).
    /// The state stays as it is then.
    pub async fn resume(self, call: &Call) -> Result<Resumed, AppError> {
        let started = Instant::now();
        let _remembered = call.program().remember_at_the_end();
        match self.0 {
            UnfinishedTransfer::Share(log) => {
                call.progress().stage(Stage::Pad);
                let begin = log.state().begin();
                let (source, asked) = (&begin.source, begin.wishes.keep_secs);
                let cancelled = || call.cancel().is_cancelled();
                let parcel = block_in_place(|| Parcel::look_again(source, &cancelled))?;
                call.progress().stage(Stage::FindPath);
                let left_out = parcel.left_out().clone();
                let sending = async {
                    let info = call.info_for_upload().await?;
                    send::send(call, info, parcel, *log).await
                };
                let sent = refresh::beside(call, sending).await?;
                let shared = sent.into_shared(call, Some(asked), left_out, started);
                Ok(Resumed::Shared(Box::new(shared)))
            }
            UnfinishedTransfer::Download(log) => {
                call.progress().stage(Stage::FindPath);
                let begin = log.state().begin();
                let receipt = ReceiptWish::of(&begin.pointer, begin.tell_sender);
                let path = path_bytes::decode(&begin.target).unwrap_or_default();
                let target = SaveTarget::exactly(&path);
                // The name was made safe when the download began.
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let name = SafeFileName::sanitize(&name);
                let fetching = fetch::resume(call, *log, &target, &name);
                let saved = refresh::beside(call, fetching).await?;
                let fetched = get::finished(call, saved, receipt, started).await?;
                Ok(Resumed::Fetched(Box::new(fetched)))
            }
        }
    }

    /// Gives up a share: deletes what the server has of it, then the state.
    ///
    /// # Errors
    /// [`AppError::Unfinished`] when the state cannot be removed.
    pub async fn discard_share(self, call: &Call) -> Result<Discarded, AppError> {
        let _remembered = call.program().remember_at_the_end();
        let mut left = 0;
        if let UnfinishedTransfer::Share(log) = &self.0 {
            let blobs = discard::all(log.state());
            left = discard::delete_all(&call.silent(), blobs).await.left;
        }
        self.forget()?;
        Ok(Discarded { left })
    }

    /// Gives it up without asking the server: what it has of a share is gone when it expires. What came of a download is
    /// removed. Blocking.
    ///
    /// # Errors
    /// [`UnfinishedError::Write`] when the state cannot be removed.
    pub fn forget(self) -> Result<(), UnfinishedError> {
        match self.0 {
            UnfinishedTransfer::Share(log) => log.remove(),
            UnfinishedTransfer::Download(log) => {
                if let Some(temporary) = path_bytes::decode(&log.state().begin().temporary) {
                    incoming::remove_temporary(&temporary);
                }
                log.remove()
            }
        }
    }
}

/// The path of a thing that a person names, as a share keeps it.
fn absolute(path: &Path) -> Option<Vec<u8>> {
    std::path::absolute(path)
        .ok()
        .map(|path| path_bytes::encode(&path))
}

/// The hidden files and folders in which unfinished downloads stand: what removes leftovers spares them. Blocking.
#[must_use]
pub fn temporaries(program: &Program) -> Vec<PathBuf> {
    UnfinishedTransfers::of(program.home()).temporaries()
}

/// Forgets a transfer whose state cannot be read. Blocking.
///
/// # Errors
/// [`UnfinishedError::UnderWay`] and [`UnfinishedError::Write`].
pub fn forget_unread(program: &Program, id: &UnfinishedId) -> Result<(), UnfinishedError> {
    UnfinishedTransfers::of(program.home()).forget(id)
}
