//! What goes in parts: stopping it so that it goes on later, going on, giving it up, and what earlier starts left.

use std::path::PathBuf;

use super::{
    Announced, Effect, Ended, Focus, HistoryWork, Modal, Model, PointerText, RequestWork, RunId,
    ServerLabel, ShownName, Told, Transfer, TransferId, TransferJob, TransferState, Trouble,
};
use crate::app::error::AppError;
use crate::app::transfer::get::Choice;
use crate::app::transfer::parts::resume::{UnfinishedError, UnfinishedId};
use crate::app::transfer::stage::{PartsMoved, Stage};

/// A transfer in parts that an earlier start left. Never printed: it can hold a pointer.
pub struct LeftTransfer {
    /// What tells it from others.
    pub id: UnfinishedId,
    /// What is known of it, or why it cannot go on.
    pub about: Result<AboutLeft, Trouble>,
}

/// What is known of a transfer in parts that an earlier start left. Never printed: it can hold a pointer.
pub struct AboutLeft {
    /// What it does.
    pub job: LeftJob,
    /// The name of the file or folder, safe to show.
    pub name: ShownName,
    /// Bytes of its content, and how much of it has moved.
    pub moved: PartsMoved,
    /// The server.
    pub server: ServerLabel,
}

/// What a transfer that an earlier start left does.
pub enum LeftJob {
    /// It shares what is at these paths.
    Share(Vec<PathBuf>),
    /// It fetches what this pointer names.
    Receive(PointerText),
}

impl Model {
    /// Stops a transfer in parts, which can go on later.
    pub(super) fn pause(&mut self, id: TransferId) -> Vec<Effect> {
        self.menu = None;
        let Some(row) = self.transfers.iter_mut().find(|row| row.id == id) else {
            return Vec::new();
        };
        if !row.can_pause() {
            return Vec::new();
        }
        row.stopping = Some(row.run);
        row.finish(TransferState::Paused);
        let stop = Effect::from(RequestWork::Cancel(row.run));
        let what = Announced::Paused(row.name.clone());
        self.announce(false, what);
        self.focus = Some(Focus::Row(id));
        let mut effects = vec![stop];
        effects.extend(self.start_waiting());
        effects
    }

    /// Whether giving this row up loses what has moved already: the person is asked first.
    pub(super) fn asks_before_stopping(&mut self, id: TransferId) -> bool {
        let Some(row) = self.transfer(id).filter(|row| row.kept.is_some()) else {
            return false;
        };
        if !matches!(row.state, TransferState::Discarding) {
            self.open(Modal::Discard(id));
        }
        true
    }

    /// Gives up a transfer in parts: what the server has of a share is deleted, what has come of a download is removed.
    pub(super) fn discard(&mut self, id: TransferId) -> Vec<Effect> {
        self.back();
        let Some(row) = self.transfers.iter_mut().find(|row| row.id == id) else {
            return Vec::new();
        };
        if row.kept.is_none() || matches!(row.state, TransferState::Discarding) {
            return Vec::new();
        }
        let mut effects = Vec::new();
        if matches!(row.state, TransferState::Running(_)) {
            row.stopping = Some(row.run);
            effects.push(Effect::from(RequestWork::Cancel(row.run)));
        }
        row.finish(TransferState::Discarding);
        let entry = row.entry.take();
        effects.extend(entry.map(|entry| Effect::from(HistoryWork::Forget(entry))));
        self.focus = Some(Focus::Row(id));
        effects.extend(self.discard_stopped(id));
        effects.extend(self.start_waiting());
        effects
    }

    /// Has what is kept of a row deleted, once nothing goes on with it.
    fn discard_stopped(&self, id: TransferId) -> Option<Effect> {
        let row = self.transfer(id)?;
        if row.stopping.is_some() || !matches!(row.state, TransferState::Discarding) {
            return None;
        }
        let kept = row.kept.clone()?;
        let settings = self.settings_now();
        Some(Effect::from(RequestWork::Discard(id, kept, settings)))
    }

    /// What is sent or fetched in parts is written down from now on, under this id.
    pub(super) fn on_kept(&mut self, run: RunId, kept: UnfinishedId) {
        let mut rows = self.transfers.iter_mut();
        if let Some(row) = rows.find(|row| row.is_attempt(run) || row.stopping == Some(run)) {
            row.kept = Some(kept);
        }
    }

    /// A transfer was given up, or not; the server may still have some of a share.
    pub(super) fn discarded(&mut self, id: TransferId, ended: Ended<bool>) {
        let Some(row) = self.row_mut(id) else {
            return;
        };
        row.shown.append(ended.shown);
        match ended.result {
            Ok(some_left) => {
                row.kept = None;
                row.moved = None;
                row.bar = 0.0;
                row.told = Some(Told::Discarded { some_left });
                row.finish(TransferState::Cancelled);
                let what = Announced::Discarded(row.name.clone());
                self.announce(false, what);
            }
            Err(trouble) => {
                let what = Announced::Failed(row.name.clone(), trouble.clone());
                row.finish(TransferState::Failed(trouble));
                self.announce(true, what);
            }
        }
    }

    /// An attempt that was told to stop has ended. What waited for that goes on.
    pub(super) fn stopped(&mut self, run: RunId) -> Vec<Effect> {
        let mut rows = self.transfers.iter_mut();
        let Some(row) = rows.find(|row| row.stopping == Some(run)) else {
            return Vec::new();
        };
        row.stopping = None;
        let id = row.id;
        let mut effects = Vec::from_iter(self.discard_stopped(id));
        effects.extend(self.start_waiting());
        effects
    }

    /// An attempt that was told to stop got through all the same: its row is that of any other that did.
    pub(super) fn take_back_stop(&mut self, run: RunId) {
        let mut rows = self.transfers.iter_mut();
        if let Some(row) = rows.find(|row| row.stopping == Some(run)) {
            // A later attempt waits for this one to end, and has nothing left to do.
            row.run = run;
            row.stopping = None;
            row.finish(TransferState::Running(Stage::Crossing));
        }
    }

    /// Takes in what earlier starts left: each is a row, which only the person has go on. Where the history has it too, it
    /// is the same row.
    pub(super) fn on_left(&mut self, left: Vec<LeftTransfer>) {
        for LeftTransfer { id, about } in left {
            let kept = Some(id);
            if self.transfers.iter().any(|row| row.kept == kept) {
                continue;
            }
            match about {
                Ok(about) => self.add_left(about, kept),
                Err(why) => {
                    let job = TransferJob::Share(Vec::new());
                    let row = self.left_row(ShownName::Unnamed, None, job);
                    row.kept = kept;
                    row.finish(TransferState::Failed(why));
                }
            }
        }
    }

    fn add_left(&mut self, about: AboutLeft, kept: Option<UnfinishedId>) {
        let job = match about.job {
            LeftJob::Share(paths) => TransferJob::Share(paths),
            LeftJob::Receive(pointer) => TransferJob::Receive {
                pointer,
                tell_sender: true,
                choice: Choice::All,
            },
        };
        let of_history = self.transfers.iter_mut().find(|row| {
            let is_free = matches!(row.state, TransferState::Interrupted) && row.kept.is_none();
            is_free && row.job.is_same(&job)
        });
        let row = match of_history {
            Some(row) => row,
            None => self.left_row(about.name, Some(about.moved.total), job),
        };
        row.kept = kept;
        row.server = about.server;
        row.came_to(about.moved);
    }

    /// A new row of an earlier start: below the rows of this one.
    fn left_row(&mut self, name: ShownName, len: Option<u64>, job: TransferJob) -> &mut Transfer {
        let (id, run) = (self.draw_id(), self.draw_id());
        let mut row = Transfer::new(id, run, name, len, job);
        row.finish(TransferState::Interrupted);
        let mut rows = self.transfers.iter();
        let at = rows.position(|row| row.ended.is_some());
        let at = at.unwrap_or(self.transfers.len());
        self.transfers.insert(at, row);
        &mut self.transfers[at]
    }
}

impl TransferJob {
    /// Whether both share the same things, or receive by the same pointer.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Share(these), Self::Share(those)) => !these.is_empty() && these == those,
            (Self::Receive { pointer: this, .. }, Self::Receive { pointer: that, .. }) => {
                this.names_the_same(that)
            }
            _ => false,
        }
    }
}

/// Whether what was kept of a transfer is gone, so that it can only begin anew.
pub(super) fn is_gone(trouble: &Trouble) -> bool {
    matches!(trouble, Trouble::Error(error) if matches!(**error, AppError::Unfinished(UnfinishedError::Unknown)))
}
