//! The list of transfers: how rows come, start, end and go.

use std::sync::Arc;
use std::time::Duration;

use super::{
    Announced, ClipboardWork, Effect, Ended, FetchWanted, FileWork, Focus, FoundKind, FoundPath,
    HistoryWork, ManageAction, Model, Notice, RequestWork, RunId, Saved, Screen, ShareResult,
    ShareWanted, ShownName, Test, Timer, Tone, Transfer, TransferId, TransferJob, TransferState,
    Trouble, WindowMessage, joined_name, parts,
};
use crate::app::settings::{ServerChoice, SeveralThings};
use crate::app::transfer::stage::Stage;

/// What a person did with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowAction {
    /// Stop the transfer, at once; what has moved in parts is lost, so that is asked about first.
    Cancel,
    /// Go on with something large, which was asked about.
    Confirm,
    /// Put the pointer on the clipboard.
    CopyPointer,
    /// Put the pointer on the clipboard, and before it an invitation to the network that its file went to.
    CopyWithInvitation,
    /// Give up a transfer in parts.
    Discard,
    /// Do the main thing that can be done: copy, open or try again.
    Main,
    /// Ask the server to do something with the shared file.
    Manage(ManageAction),
    /// Open the menu by its button.
    OpenMenu,
    /// Open the menu by the row itself.
    OpenRowMenu,
    /// Open the received file.
    OpenSaved,
    /// Stop a transfer in parts so that it can go on later.
    Pause,
    /// Do the one thing that helps a transfer that failed.
    Remedy,
    /// Take the row off the list.
    Remove,
    /// Try again, or go on where it stopped.
    Retry,
    /// Show the file in its folder: what was received, or what was shared.
    RevealSaved,
}

impl Model {
    pub(super) fn on_row(&mut self, id: TransferId, action: RowAction) -> Vec<Effect> {
        match action {
            RowAction::Cancel | RowAction::Remove if self.asks_before_stopping(id) => {}
            RowAction::Cancel => {
                let effects = self.cancel(id);
                self.focus = Some(Focus::Row(id));
                return effects;
            }
            RowAction::Confirm => return self.confirm(id),
            RowAction::CopyPointer => return self.copy(id),
            RowAction::CopyWithInvitation => return self.copy_with_invitation(id),
            RowAction::Discard => return self.discard(id),
            RowAction::Main => return self.main(id),
            RowAction::Manage(what) => return self.manage(id, what),
            RowAction::OpenMenu => self.open_menu(id, Focus::Menu(id)),
            RowAction::OpenRowMenu => self.open_menu(id, Focus::Row(id)),
            RowAction::OpenSaved => return self.open_saved(id),
            RowAction::Pause => return self.pause(id),
            RowAction::Remedy => return self.remedy(id),
            RowAction::Remove => return self.remove(id),
            RowAction::Retry => return self.retry(|transfer| transfer.id == id),
            RowAction::RevealSaved => {
                self.close_menu();
                let file = self.transfer(id).and_then(Transfer::local_file);
                return file
                    .cloned()
                    .map(|path| Effect::from(FileWork::Reveal(path)))
                    .into_iter()
                    .collect();
            }
        }
        Vec::new()
    }

    /// The unfinished transfer of this run; `None` when it was cancelled or tried again since.
    pub(super) fn of_run(&mut self, run: RunId) -> Option<&mut Transfer> {
        self.transfers
            .iter_mut()
            .find(|transfer| transfer.run == run && transfer.is_unfinished())
    }

    /// Keeps what an attempt showed to whom, whatever became of it and of its row since.
    fn take_shown<T>(&mut self, run: RunId, ended: Ended<T>) -> Result<T, Trouble> {
        let mut rows = self.transfers.iter_mut();
        if let Some(row) = rows.find(|row| row.is_attempt(run)) {
            row.shown.append(ended.shown);
        }
        ended.result
    }

    /// Shares what was found, and says of the rest why not.
    pub(super) fn enqueue(&mut self, found: Vec<FoundPath>) -> Vec<Effect> {
        self.enqueue_as(found, self.settings.several_things)
    }

    /// Shares what was found, several things as `how` says.
    pub(super) fn enqueue_as(&mut self, found: Vec<FoundPath>, how: SeveralThings) -> Vec<Effect> {
        let mut missing = Vec::new();
        let mut too_large = Vec::new();
        let mut things = Vec::new();
        for found in found {
            if found.known.is_some() {
                self.undecided.push(found);
                continue;
            }
            match found.kind {
                kind if kind.is_too_large() => {
                    too_large.push((found.name, kind.len().unwrap_or_default()));
                }
                FoundKind::File { .. } | FoundKind::Folder { .. } => things.push(found),
                FoundKind::Missing => missing.push(found.name),
            }
        }
        let asked = self.together.len();
        let rows: Vec<Transfer> = self
            .as_parcels(things, how)
            .into_iter()
            .map(|parcel| self.row_of(parcel))
            .collect();
        let tone = if missing.is_empty() && too_large.is_empty() {
            Tone::Warning
        } else {
            Tone::Danger
        };
        let elsewhere = std::mem::take(&mut self.elsewhere);
        let refused = [
            (!too_large.is_empty()).then_some(WindowMessage::FilesTooLarge(too_large)),
            (!missing.is_empty()).then_some(WindowMessage::FilesMissing(missing)),
            (!elsewhere.is_empty()).then_some(WindowMessage::EntriesElsewhere(elsewhere)),
        ];
        let mut refused = refused.into_iter().flatten();
        let begins = rows.iter().filter(|row| row.is_unfinished());
        let names: Vec<ShownName> = begins.map(|row| row.name.clone()).collect();
        match refused.next() {
            Some(message) => {
                self.notify(Notice {
                    tone,
                    message,
                    more: refused.collect(),
                });
                self.said_of_files.clone_from(&self.notice);
            }
            None if names.is_empty() => {}
            None => self.announce(false, Announced::StartsSharing(names)),
        }
        if !rows.is_empty() || !self.undecided.is_empty() || !self.together.is_empty() {
            self.screen = Screen::Share;
        }
        let large = rows.iter().find(|row| !row.is_unfinished());
        let large = large.map(|row| (row.name.clone(), row.len.unwrap_or_default()));
        let first = rows.first().map(|row| row.id);
        // The newest entry comes first at the next start: the rows stand in the same order then.
        let mut effects: Vec<Effect> = rows
            .iter()
            .rev()
            .filter_map(|row| self.remember(row))
            .collect();
        self.transfers.splice(0..0, rows);
        if let Some(first) = first {
            self.show_new();
            // A reader speaks what the keyboard comes to, and what becomes of it.
            self.focus = Some(Focus::Row(first));
        }
        if let Some((name, len)) = large {
            self.announce(false, Announced::AsksLarge(name, len));
        }
        if let Some(known) = self.undecided.first() {
            let known = known.clone();
            self.announce(false, Announced::KnownFile(known));
            self.focus = Some(Focus::KnownFile);
        } else if self.together.len() > asked {
            self.ask_together();
        }
        effects.extend(self.start_waiting());
        effects
    }

    /// What was said of the other files of the drop that this row came with, while that stands.
    #[must_use]
    pub(crate) fn said_beside(&self, id: TransferId) -> Option<&Notice> {
        let newest = self.transfers.first().is_some_and(|row| row.id == id);
        let said = self.notice.as_ref();
        said.filter(|_| newest && self.notice == self.said_of_files)
    }

    /// Starts what may start: every fetch at once, shares in the order they came, a few at a time.
    pub(super) fn start_waiting(&mut self) -> Vec<Effect> {
        let settings = self.settings_now();
        let options = self.share_options;
        let server = self.server_label();
        let mut effects = Vec::new();
        for transfer in &mut self.transfers {
            if let (
                TransferState::Waiting,
                TransferJob::Receive {
                    pointer,
                    tell_sender,
                    choice,
                },
                None,
            ) = (&transfer.state, &transfer.job, transfer.stopping)
            {
                let wanted = FetchWanted {
                    pointer: pointer.clone(),
                    tell_sender: *tell_sender,
                    choice: choice.clone(),
                    kept: transfer.kept.clone(),
                };
                let settings = Arc::clone(&settings);
                effects.push(Effect::from(RequestWork::Fetch(
                    transfer.run,
                    wanted,
                    settings,
                )));
                transfer.reach(Stage::FindPath);
                effects.extend(transfer.watch().map(Effect::from));
            }
        }
        let running = self
            .transfers
            .iter()
            .filter(|transfer| transfer.is_running_share())
            .count();
        let mut waiting: Vec<&mut Transfer> = self
            .transfers
            .iter_mut()
            .filter(|transfer| transfer.is_waiting_share() && transfer.stopping.is_none())
            .collect();
        // Rows stand newest first; runs are numbered as they came.
        waiting.sort_by_key(|transfer| transfer.run);
        for transfer in waiting
            .into_iter()
            .take(usize::from(settings.parallel_shares).saturating_sub(running))
        {
            if let TransferJob::Share(paths) = &transfer.job {
                let wanted = ShareWanted {
                    paths: paths.clone(),
                    options,
                    kept: transfer.kept.clone(),
                };
                let settings = Arc::clone(&settings);
                effects.push(Effect::from(RequestWork::Share(
                    transfer.run,
                    wanted,
                    settings,
                )));
            }
            // What goes on goes on where it was.
            if transfer.kept.is_none() {
                transfer.goes_to = Some(settings.chosen.clone());
                transfer.server.clone_from(&server);
            }
            transfer.reach(Stage::Pad);
        }
        effects
    }

    pub(super) fn progress(&mut self, run: RunId, stage: Stage, at: Duration) -> Vec<Effect> {
        let Some(transfer) = self.of_run(run) else {
            return Vec::new();
        };
        let was_finding = matches!(transfer.state, TransferState::Running(Stage::FindPath));
        if was_finding && stage == Stage::FindPath {
            return Vec::new();
        }
        transfer.reach(stage);
        transfer.see(stage, at);
        let quarter = transfer.quarter_to_say(stage, at);
        let what = quarter.map(|quarter| Announced::Progress(transfer.name.clone(), quarter));
        let effects = transfer.watch().map(Effect::from).into_iter().collect();
        if let Some(what) = what {
            self.announce(false, what);
        }
        effects
    }

    pub(super) fn cancel(&mut self, id: TransferId) -> Vec<Effect> {
        let Some(transfer) = self.transfers.iter_mut().find(|transfer| transfer.id == id) else {
            return Vec::new();
        };
        let mut effects = match transfer.state {
            TransferState::Running(_) => vec![Effect::from(RequestWork::Cancel(transfer.run))],
            TransferState::Asked | TransferState::Waiting => Vec::new(),
            TransferState::Shared(_)
            | TransferState::Received(_)
            | TransferState::Failed(_)
            | TransferState::Cancelled
            | TransferState::Discarding
            | TransferState::Interrupted
            | TransferState::Paused => return Vec::new(),
        };
        transfer.finish(TransferState::Cancelled);
        effects.extend(
            transfer
                .entry
                .take()
                .map(|entry| Effect::from(HistoryWork::Forget(entry))),
        );
        let what = Announced::Cancelled(transfer.name.clone());
        self.announce(false, what);
        effects.extend(self.start_waiting());
        effects
    }

    /// Stops everything because the program ends: at the next start these rows say so.
    pub(super) fn interrupt(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        for transfer in self.transfers.iter_mut().filter(|row| row.is_unfinished()) {
            if matches!(transfer.state, TransferState::Running(_)) {
                effects.push(Effect::from(RequestWork::Cancel(transfer.run)));
            }
            transfer.finish(TransferState::Interrupted);
        }
        effects
    }

    pub(super) fn retry(&mut self, these: impl Fn(&Transfer) -> bool) -> Vec<Effect> {
        let mut begun = Vec::new();
        let mut again = Vec::new();
        for at in 0..self.transfers.len() {
            let run = self.draw_id();
            let Some(transfer) = self.transfers.get_mut(at) else {
                continue;
            };
            let stopped = matches!(
                transfer.state,
                TransferState::Failed(_)
                    | TransferState::Cancelled
                    | TransferState::Interrupted
                    | TransferState::Paused
            );
            if stopped && these(transfer) {
                transfer.restart(run);
                again.push(transfer.id);
                let name = transfer.name.clone();
                begun.push(match transfer.job {
                    TransferJob::Share(_) => Announced::StartsSharing(vec![name]),
                    TransferJob::Receive { .. } => Announced::StartsReceiving(name),
                });
                self.focus = Some(Focus::Row(transfer.id));
            }
        }
        match (begun.len(), begun.pop()) {
            (1, Some(one)) => self.announce(false, one),
            (count, Some(_)) => self.announce(false, Announced::StartsAgain(count)),
            (_, None) => {}
        }
        let rows = again.iter().rev().filter_map(|id| self.transfer(*id));
        let mut effects: Vec<Effect> = rows.filter_map(|row| self.remember(row)).collect();
        effects.extend(self.start_waiting());
        effects
    }

    /// Does the main action of a row: copy, open or try again.
    fn main(&mut self, id: TransferId) -> Vec<Effect> {
        match self.transfer(id).map(|transfer| &transfer.state) {
            Some(TransferState::Shared(_)) => self.copy(id),
            Some(TransferState::Received(_)) => self.open_saved(id),
            Some(
                TransferState::Failed(_)
                | TransferState::Cancelled
                | TransferState::Interrupted
                | TransferState::Paused,
            ) => self.remedy(id),
            Some(TransferState::Asked) => self.confirm(id),
            Some(
                TransferState::Discarding | TransferState::Waiting | TransferState::Running(_),
            )
            | None => Vec::new(),
        }
    }

    pub(super) fn copy(&mut self, id: TransferId) -> Vec<Effect> {
        self.close_menu();
        let pointer = self.transfer(id).and_then(Transfer::pointer).cloned();
        let Some(pointer) = pointer else {
            return Vec::new();
        };
        self.last_copied = Some(pointer.clone());
        vec![Effect::from(ClipboardWork::Copy(id, pointer))]
    }

    /// A pointer is on the clipboard.
    pub(super) fn pointer_copied(&mut self, id: TransferId) -> Vec<Effect> {
        self.copies += 1;
        self.copied = Some(id);
        self.last_copied_row = Some(id);
        self.announce(false, Announced::PointerCopied);
        let mut effects = vec![Effect::from(Timer::Copied(self.copies))];
        if self.settings.clear_clipboard {
            effects.push(Effect::from(Timer::Clipboard(self.copies)));
        }
        effects
    }

    pub(super) fn shared(&mut self, run: RunId, ended: Ended<ShareResult>) -> Vec<Effect> {
        let result = self.take_shown(run, ended);
        if result.is_ok() {
            self.take_back_stop(run);
        }
        let mut effects = self.stopped(run);
        let copy = result.is_ok() && self.settings.copy_when_done;
        let row = self.transfers.iter().find(|row| row.run == run);
        if let Some(server) = row.and_then(|row| row.goes_to.clone()) {
            self.record_server_result(server, result.as_ref().err());
        }
        let Some(transfer) = self.of_run(run) else {
            effects.extend(self.start_waiting());
            return effects;
        };
        let id = transfer.id;
        let failed = result.is_err();
        let name = transfer.name.clone();
        let what = match &result {
            Ok(_) => Announced::Shared(name),
            Err(trouble) => {
                transfer.kept.take_if(|_| parts::is_gone(trouble));
                Announced::Failed(name, trouble.clone())
            }
        };
        transfer.finish(result.map_or_else(TransferState::Failed, TransferState::Shared));
        self.announce(failed, what);
        effects.extend(self.ended(id));
        // The server was asked what it takes.
        effects.extend(self.ask_terms());
        effects.extend(self.start_waiting());
        if copy {
            effects.extend(self.copy(id));
        }
        effects
    }

    /// What an upload says of its server: the sign in the bar follows it as it follows a test.
    fn record_server_result(&mut self, server: ServerChoice, trouble: Option<&Trouble>) {
        let tests = &mut self.settings_screen.tests;
        match trouble {
            // It works again.
            None => {
                if matches!(tests.get(&server), Some(Test::Failed(_))) {
                    tests.remove(&server);
                }
            }
            // A test that runs has a word of its own soon.
            Some(trouble) if trouble.blames_server() => {
                if !matches!(tests.get(&server), Some(Test::Running)) {
                    self.settings_screen.tests_shown.remove(&server);
                    tests.insert(server, Test::Failed(trouble.clone()));
                }
            }
            Some(_) => {}
        }
    }

    pub(super) fn fetched(&mut self, run: RunId, ended: Ended<Saved>) -> Vec<Effect> {
        let result = self.take_shown(run, ended);
        if result.is_ok() {
            self.take_back_stop(run);
        }
        let mut effects = self.stopped(run);
        let Some(transfer) = self.of_run(run) else {
            return effects;
        };
        let id = transfer.id;
        let failed = result.is_err();
        let what = match &result {
            Ok(saved) => Announced::Received(saved.name.clone()),
            Err(trouble) => {
                transfer.kept.take_if(|_| parts::is_gone(trouble));
                Announced::Failed(transfer.name.clone(), trouble.clone())
            }
        };
        if let Ok(saved) = &result {
            transfer.name = ShownName::Given(saved.name.clone());
            transfer.len = Some(saved.len);
        }
        transfer.finish(result.map_or_else(TransferState::Failed, TransferState::Received));
        self.announce(failed, what);
        effects.extend(self.ended(id));
        effects
    }

    /// The row of what is shared as one.
    fn row_of(&mut self, parcel: Vec<FoundPath>) -> Transfer {
        let (id, run) = (self.draw_id(), self.draw_id());
        let name = joined_name(parcel.iter().map(|found| found.name.as_str()));
        let lens = parcel.iter().filter_map(|found| found.kind.len());
        let len = lens.fold(0_u64, u64::saturating_add);
        let is_single_file = matches!(&parcel[..], [found] if !found.kind.is_folder());
        let paths = parcel.into_iter().map(|found| found.path).collect();
        let job = TransferJob::Share(paths);
        let mut row = Transfer::new(id, run, ShownName::Given(name), Some(len), job);
        row.is_single_file = is_single_file;
        row.server = self.server_label();
        row.ask_if_large();
        row
    }

    /// The person wants to have something large sent or fetched.
    fn confirm(&mut self, id: TransferId) -> Vec<Effect> {
        let Some(row) = self.transfers.iter_mut().find(|row| row.id == id) else {
            return Vec::new();
        };
        if !matches!(row.state, TransferState::Asked) {
            return Vec::new();
        }
        row.finish(TransferState::Waiting);
        let name = row.name.clone();
        let what = match row.job {
            TransferJob::Share(_) => Announced::StartsSharing(vec![name]),
            TransferJob::Receive { .. } => Announced::StartsReceiving(name),
        };
        self.announce(false, what);
        self.focus = Some(Focus::Row(id));
        let mut effects = Vec::from_iter(self.transfer(id).and_then(|row| self.remember(row)));
        effects.extend(self.start_waiting());
        effects
    }

    pub(super) fn draw_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }
}
