//! What a folder holds, looked at before it is downloaded, and what of it is wanted.

use std::ops::Range;
use std::sync::Arc;

use super::{Announced, Effect, Ended, Model, Reading, ReceiveAction, RequestWork, RunId, Trouble};
use crate::app::transfer::get::Choice;
use crate::app::words::who_saw_what::WhoSawWhat;
use crate::protocol::folder::{EntryKind, Manifest};

/// What came of looking into what a pointer names.
pub enum Listing {
    /// It is being asked for, by this run.
    Asking(RunId),
    /// It could not be had.
    Failed(Trouble),
    /// A folder, and what of it is wanted.
    Folder(FolderListing),
    /// A single file.
    SingleFile,
}

/// What a folder holds, and what of it is wanted. An entry costs its bytes in the manifest and one more.
pub struct FolderListing {
    manifest: Arc<Manifest>,
    wanted: Vec<bool>,
    count: u32,
    len: u64,
}

/// One entry of a folder, as a list shows it. The path is hostile text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListedEntry<'a> {
    /// Its number, from 0.
    pub number: u32,
    /// Its path in the folder.
    pub path: &'a str,
    /// Bytes of a file; `None` for an empty folder.
    pub len: Option<u64>,
    /// It is wanted.
    pub wanted: bool,
}

impl FolderListing {
    /// All of it is wanted at first.
    #[must_use]
    pub(crate) fn new(manifest: Arc<Manifest>) -> Self {
        let mut listing = Self {
            wanted: vec![false; manifest.entries() as usize],
            manifest,
            count: 0,
            len: 0,
        };
        listing.want_all(true);
        listing
    }

    /// Number of files and empty folders.
    #[must_use]
    pub fn entries(&self) -> u32 {
        self.manifest.entries()
    }

    /// How many of them are wanted.
    #[must_use]
    pub(crate) const fn wanted(&self) -> u32 {
        self.count
    }

    /// Bytes of the files that are wanted.
    #[must_use]
    pub(crate) const fn len(&self) -> u64 {
        self.len
    }

    /// The entries with these numbers. It costs the same wherever they stand.
    pub(crate) fn rows(&self, numbers: Range<usize>) -> impl Iterator<Item = ListedEntry<'_>> {
        let from = u32::try_from(numbers.start).unwrap_or(u32::MAX);
        let entries = self.manifest.iter_from(from).take(numbers.len());
        entries.map(|placed| ListedEntry {
            number: placed.number,
            path: placed.entry.path,
            len: match placed.entry.kind {
                EntryKind::EmptyFolder => None,
                EntryKind::File { len_bytes, .. } => Some(len_bytes),
            },
            wanted: self.is_wanted(placed.number),
        })
    }

    fn is_wanted(&self, number: u32) -> bool {
        self.wanted.get(number as usize).copied().unwrap_or(false)
    }

    fn want(&mut self, number: u32, on: bool) {
        let Some(entry) = self.manifest.get(number) else {
            return;
        };
        let len = entry.entry.len_bytes();
        let Some(wanted) = self.wanted.get_mut(number as usize) else {
            return;
        };
        if std::mem::replace(wanted, on) == on {
            return;
        }
        if on {
            self.count += 1;
            self.len = self.len.saturating_add(len);
        } else {
            self.count -= 1;
            self.len = self.len.saturating_sub(len);
        }
    }

    fn want_all(&mut self, on: bool) {
        self.wanted.fill(on);
        if on {
            let lens = self.manifest.iter().map(|placed| placed.entry.len_bytes());
            self.len = lens.fold(0, u64::saturating_add);
            self.count = self.manifest.entries();
        } else {
            (self.count, self.len) = (0, 0);
        }
    }

    /// What is wanted, as a download asks for it.
    fn choice(&self) -> Choice {
        if self.count == self.manifest.entries() {
            return Choice::All;
        }
        let wanted = self.manifest.iter();
        let wanted = wanted.filter(|placed| self.is_wanted(placed.number));
        Choice::Only(wanted.map(|placed| placed.entry.path.to_owned()).collect())
    }
}

impl Model {
    /// Asks what is in the folder that the pointer in the field names.
    pub(super) fn show_content(&mut self) -> Vec<Effect> {
        let is_asked = matches!(
            self.receive.listing,
            Some(Listing::Asking(_) | Listing::Folder(_) | Listing::SingleFile)
        );
        if self.receive.unread || is_asked || !matches!(self.receive.reading, Reading::Known(_)) {
            return Vec::new();
        }
        let run = RunId(self.draw_id());
        self.receive.listing = Some(Listing::Asking(run));
        let pointer = self.receive.text.clone();
        let settings = self.settings_now();
        vec![Effect::from(RequestWork::List(run, pointer, settings))]
    }

    pub(super) fn on_listed(&mut self, run: RunId, ended: Ended<Option<Arc<Manifest>>>) {
        // Another pointer stands in the field now.
        if !matches!(self.receive.listing, Some(Listing::Asking(asked)) if asked == run) {
            return;
        }
        self.receive.shown.append(ended.shown);
        let failed = ended.result.is_err();
        let (listing, what) = match ended.result {
            Ok(Some(manifest)) => {
                let listing = FolderListing::new(manifest);
                let what = Announced::Listed(listing.entries());
                (Listing::Folder(listing), what)
            }
            Ok(None) => (Listing::SingleFile, Announced::ListedFile),
            Err(trouble) => {
                let what = Announced::NotDone(trouble.clone());
                (Listing::Failed(trouble), what)
            }
        };
        self.receive.listing = Some(listing);
        self.announce(failed, what);
    }

    pub(super) fn want(&mut self, action: &ReceiveAction) {
        let Some(Listing::Folder(listing)) = &mut self.receive.listing else {
            return;
        };
        match action {
            ReceiveAction::Want(number, on) => listing.want(*number, *on),
            ReceiveAction::WantAll(on) => listing.want_all(*on),
            _ => {}
        }
    }

    /// What of it is wanted, and how long that is; all of it where nobody has looked into it.
    pub(super) fn take_choice(&mut self) -> (Choice, Option<u64>) {
        match self.receive.listing.take() {
            Some(Listing::Folder(listing)) => (listing.choice(), Some(listing.len())),
            _ => (Choice::All, None),
        }
    }

    /// Nobody wants to know any more what is in it.
    pub(super) fn forget_listing(&mut self) -> Option<Effect> {
        self.receive.shown = WhoSawWhat::default();
        match self.receive.listing.take()? {
            Listing::Asking(run) => Some(Effect::from(RequestWork::Cancel(run))),
            Listing::Failed(_) | Listing::Folder(_) | Listing::SingleFile => None,
        }
    }
}
