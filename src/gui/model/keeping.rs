//! What the history keeps of transfers, and the desktop's notice of a transfer that ends while the window is behind others.

use std::path::PathBuf;

use super::{
    Effect, Examine, FileWork, HistoryWork, Model, PointerText, RequestWork, Saved, ServerLabel,
    SettingsWork, ShareResult, ShownName, Tone, Transfer, TransferId, TransferJob, TransferState,
    Undo, WindowEffect, WindowMessage,
};
use crate::app::kept::history::{EntryId, HistoryEntry, News, What};
use crate::app::settings::Change;
use crate::app::transfer::get::Choice;

/// The longest choice that the history keeps, in paths. Of a longer one a row is not there after a restart, unless the folder
/// goes in parts.
const MOST_CHOSEN: usize = 1_000;

/// What is kept of a transfer. Never printed: it holds a pointer.
#[derive(Clone)]
pub struct KeptTransfer {
    /// The entry whose place it takes, if there is one.
    pub entry: Option<EntryId>,
    /// The file's name.
    pub name: ShownName,
    /// Length of its content.
    pub len: u64,
    /// What came of it, or is still to come.
    pub outcome: TransferOutcome,
}

/// How far a transfer came.
#[derive(Clone)]
pub enum TransferOutcome {
    /// What is at these paths is not at a server yet.
    Sharing(Vec<PathBuf>),
    /// The file is not on this computer yet.
    Receiving {
        /// What names it.
        pointer: PointerText,
        /// The sender is told, if they asked to be.
        tell_sender: bool,
        /// What of a folder is wanted.
        choice: Choice,
        /// The server that it comes from.
        server: ServerLabel,
    },
    /// The file is at a server.
    Shared(ShareResult),
    /// The file is on this computer.
    Received(Saved),
}

impl KeptTransfer {
    /// What is kept of `transfer` as it stands, if anything is.
    fn of(transfer: &Transfer) -> Option<Self> {
        let is_long = matches!(
            &transfer.job,
            TransferJob::Receive { choice: Choice::Only(paths), .. } if paths.len() > MOST_CHOSEN
        );
        if !transfer.is_kept() || is_long && !matches!(transfer.state, TransferState::Received(_)) {
            return None;
        }
        let outcome = match (&transfer.state, &transfer.job) {
            (TransferState::Shared(shared), _) => TransferOutcome::Shared(shared.clone()),
            (TransferState::Received(saved), _) => TransferOutcome::Received(saved.clone()),
            (_, TransferJob::Share(paths)) => TransferOutcome::Sharing(paths.clone()),
            (
                _,
                TransferJob::Receive {
                    pointer,
                    tell_sender,
                    choice,
                },
            ) => TransferOutcome::Receiving {
                pointer: pointer.clone(),
                tell_sender: *tell_sender,
                choice: choice.clone(),
                server: transfer.server.clone(),
            },
        };
        Some(Self {
            entry: transfer.entry,
            name: transfer.name.clone(),
            len: transfer.len.unwrap_or_default(),
            outcome,
        })
    }
}

/// What the desktop says when a transfer ends while nobody looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndNotice {
    /// How the transfer ended.
    pub end: TransferEnd,
    /// The file's name, where the person lets the desktop show it.
    pub name: Option<ShownName>,
}

/// How a transfer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferEnd {
    /// It did not work.
    Failed,
    /// The file is on this computer.
    Received,
    /// The file is at a server.
    Shared,
}

impl TransferEnd {
    /// How a transfer in this state ended by itself, if it did.
    const fn of(state: &TransferState) -> Option<Self> {
        match state {
            TransferState::Failed(_) => Some(Self::Failed),
            TransferState::Received(_) => Some(Self::Received),
            TransferState::Shared(_) => Some(Self::Shared),
            TransferState::Asked
            | TransferState::Waiting
            | TransferState::Running(_)
            | TransferState::Cancelled
            | TransferState::Discarding
            | TransferState::Interrupted
            | TransferState::Paused => None,
        }
    }
}

impl Model {
    /// What to do before anything else, once the worker runs.
    #[must_use]
    pub(crate) fn begin(&self) -> Vec<Effect> {
        let mut effects = vec![
            Effect::from(HistoryWork::Set(self.settings.history)),
            Effect::from(RequestWork::FindLeft),
        ];
        if self.relays_shown().is_some() {
            effects.push(Effect::from(SettingsWork::ReadKeptList(
                self.settings_now(),
            )));
        }
        effects.extend(self.ask_terms());
        effects.extend(self.look_at_networks());
        effects
    }

    pub(super) fn set_history(&mut self, on: bool) -> Vec<Effect> {
        let was_on = self.settings.history;
        let mut effects = self.change(Change::History(on));
        if was_on == on {
            return effects;
        }
        if !on {
            // How these end is not kept any more; they must not look interrupted at the next start.
            let unfinished = self.transfers.iter_mut().filter(|row| row.is_unfinished());
            let entries = unfinished.filter_map(|row| row.entry.take());
            effects.extend(entries.map(|entry| Effect::from(HistoryWork::Forget(entry))));
        }
        effects.push(Effect::from(HistoryWork::Set(on)));
        if on {
            let unfinished = self
                .transfers
                .iter()
                .rev()
                .filter(|row| row.is_unfinished());
            effects.extend(unfinished.filter_map(|row| self.remember(row)));
        }
        effects
    }

    pub(super) fn wipe_history(&mut self) -> Vec<Effect> {
        self.back();
        // What is kept on disk of something in parts is no part of the history.
        (self.transfers).retain(|transfer| {
            transfer.entry.is_none() || transfer.is_unfinished() || transfer.kept.is_some()
        });
        for running in &mut self.transfers {
            running.entry = None;
        }
        // The entries of what could come back go with all others.
        self.undo.take_if(|undo| matches!(undo, Undo::Rows(_)));
        vec![Effect::from(HistoryWork::Wipe)]
    }

    pub(super) fn on_history(&mut self, news: News) {
        match news {
            News::Status(status) => self.history = status,
            News::Entries(entries) => {
                for entry in entries {
                    self.recall(entry);
                }
            }
            News::Aside(aside) => self.say(Tone::Warning, WindowMessage::HistoryAside(aside)),
            News::Wiped(Ok(())) => self.say(Tone::Success, WindowMessage::HistoryWiped),
            News::Wiped(Err(why)) => self.say(Tone::Danger, WindowMessage::HistoryNotWiped(why)),
            News::Exported(Ok(count)) => {
                self.say(Tone::Success, WindowMessage::HistoryExported(count));
            }
            News::Exported(Err(_)) => self.say(Tone::Danger, WindowMessage::HistoryNotExported),
        }
    }

    /// A row of an earlier start, below those of this one.
    fn recall(&mut self, entry: HistoryEntry) {
        let gone = match &self.undo {
            Some(Undo::Rows(rows)) => rows.as_slice(),
            _ => &[],
        };
        let gone = gone.iter().map(|(_, row)| row);
        let mut rows = self.transfers.iter().chain(gone);
        if rows.any(|transfer| transfer.entry == Some(entry.id)) {
            return;
        }
        let mut from = ServerLabel::BuiltIn;
        let (job, state) = match entry.what {
            // Whatever the server is now: only the person starts it again.
            What::Sharing { paths } => (TransferJob::Share(paths), TransferState::Interrupted),
            What::Receiving {
                pointer,
                tell_sender,
                only,
                server,
            } => {
                from = ServerLabel::Named(server);
                let pointer = PointerText::of(pointer);
                let job = TransferJob::Receive {
                    pointer,
                    tell_sender,
                    choice: if only.is_empty() {
                        Choice::All
                    } else {
                        Choice::Only(only)
                    },
                };
                (job, TransferState::Interrupted)
            }
            What::Shared {
                pointer,
                blob_len,
                server,
                expires,
                builtin,
            } => {
                let shared = ShareResult {
                    pointer: PointerText::of(pointer),
                    blob_len,
                    expires,
                    server,
                    builtin,
                    // The record of shares says, when it is asked.
                    manageable: true,
                    counted: true,
                    gone: false,
                    by_server_clock: false,
                    other_time: false,
                    aside: None,
                };
                (
                    TransferJob::Share(Vec::new()),
                    TransferState::Shared(shared),
                )
            }
            What::Received { path } => {
                let saved = Saved {
                    path,
                    name: entry.name.clone(),
                    len: entry.len,
                    aside: None,
                };
                let job = TransferJob::Receive {
                    pointer: PointerText::default(),
                    tell_sender: false,
                    choice: Choice::All,
                };
                (job, TransferState::Received(saved))
            }
        };
        // What is kept on disk of it was found first: it is the same row.
        let left = self.transfers.iter_mut().find(|row| {
            let is_left = matches!(row.state, TransferState::Interrupted);
            is_left && row.entry.is_none() && row.kept.is_some() && row.job.is_same(&job)
        });
        if let Some(row) = left.filter(|_| matches!(state, TransferState::Interrupted)) {
            row.job = job;
            row.name = ShownName::Given(entry.name);
            row.entry = Some(entry.id);
            row.ended = Some(entry.hour);
            return;
        }
        let (id, run) = (self.draw_id(), self.draw_id());
        let mut transfer =
            Transfer::new(id, run, ShownName::Given(entry.name), Some(entry.len), job);
        transfer.finish(state);
        transfer.server = from;
        transfer.entry = Some(entry.id);
        transfer.ended = Some(entry.hour);
        self.transfers.push(transfer);
    }

    pub(super) fn on_remembered(&mut self, id: TransferId, entry: EntryId) -> Vec<Effect> {
        match self.row_mut(id) {
            // Taken off the list, stopped, or deleted from the server meanwhile.
            Some(transfer) if transfer.is_kept() => {
                let before = transfer
                    .entry
                    .replace(entry)
                    .filter(|before| *before != entry);
                before
                    .map(|entry| Effect::from(HistoryWork::Forget(entry)))
                    .into_iter()
                    .collect()
            }
            Some(_) | None => vec![Effect::from(HistoryWork::Forget(entry))],
        }
    }

    /// Keeps a transfer as it stands for the next start, if the person wants that.
    pub(super) fn remember(&self, transfer: &Transfer) -> Option<Effect> {
        let wanted = self.settings.history;
        let kept = KeptTransfer::of(transfer).filter(|_| wanted)?;
        Some(Effect::from(HistoryWork::Remember(transfer.id, kept)))
    }

    /// What follows when a transfer has ended: it is kept, looked into, and told of.
    pub(super) fn ended(&mut self, id: TransferId) -> Vec<Effect> {
        let mut effects = Vec::new();
        if let Some(transfer) = self.row_mut(id).filter(|row| !row.is_kept()) {
            effects.extend(
                transfer
                    .entry
                    .take()
                    .map(|entry| Effect::from(HistoryWork::Forget(entry))),
            );
        }
        let Some(transfer) = self.transfer(id) else {
            return effects;
        };
        if let TransferState::Received(saved) = &transfer.state {
            effects.push(Effect::from(FileWork::Examine(
                id,
                saved.path.clone(),
                Examine::Arrived,
            )));
        }
        // One that failed is kept as what it was before it ended.
        if !matches!(transfer.state, TransferState::Failed(_)) {
            effects.extend(self.remember(transfer));
        }
        if self.settings.notify && !self.in_front {
            effects.push(Effect::from(WindowEffect::Attention));
            let names = self.settings.notify_names;
            let name = names.then(|| transfer.name.clone());
            if let Some(end) = TransferEnd::of(&transfer.state) {
                effects.push(Effect::from(EndNotice { end, name }));
            }
        }
        effects
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use zeroize::Zeroizing;

    use super::*;
    use crate::app::kept::history::HistoryStatus;
    use crate::gui::model::tests::{ended, file, model, model_with, one_each};
    use crate::gui::model::{
        Action, ClipboardWork, Event, FoundKind, LookPurpose, Modal, ModalAction, RequestWork,
        RowAction, RunId, Timer, WindowAction, Work,
    };
    use crate::gui::text;

    fn entry(id: u64, what: What) -> HistoryEntry {
        HistoryEntry {
            id: EntryId(id),
            name: format!("file {id}"),
            len: 5,
            hour: 0,
            what,
        }
    }

    fn shared(id: u64) -> HistoryEntry {
        let what = What::Shared {
            pointer: Arc::new(Zeroizing::new("cloak1kept".to_owned())),
            blob_len: 65_536,
            server: "files.example".to_owned(),
            expires: None,
            builtin: false,
        };
        entry(id, what)
    }

    fn received(id: u64) -> HistoryEntry {
        let what = What::Received {
            path: PathBuf::from("/downloads/photo.jpg"),
        };
        entry(id, what)
    }

    /// A model whose only row is a received file of an earlier start.
    pub(in crate::gui::model) fn with_received() -> (Model, TransferId) {
        let mut model = model();
        model.update(Event::History(News::Entries(vec![received(1)])));
        let id = model.transfers[0].id;
        (model, id)
    }

    fn share_result() -> ShareResult {
        ShareResult {
            pointer: "cloak1new".into(),
            blob_len: 65_536,
            expires: None,
            server: "files.example".to_owned(),
            builtin: false,
            manageable: true,
            counted: false,
            gone: false,
            by_server_clock: false,
            other_time: false,
            aside: None,
        }
    }

    /// Shares one file to its end and returns what followed.
    fn share(model: &mut Model) -> Vec<Effect> {
        let found = file("name-of-it.pdf");
        assert!(matches!(found.kind, FoundKind::File { .. }));
        let effects = model.update(Event::Looked(LookPurpose::Share, vec![found]));
        let run: Vec<RunId> = effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Work(Work::Request(RequestWork::Share(run, ..))) => Some(*run),
                _ => None,
            })
            .collect();
        model.update(Event::Shared(run[0], ended(Ok(share_result()))))
    }

    #[test]
    fn rows_of_an_earlier_start_come_below_and_once() {
        let mut model = model();
        share(&mut model);
        let news = || Event::History(News::Entries(vec![shared(2), received(1)]));
        model.update(news());
        model.update(news());
        let names: Vec<&str> = model
            .transfers
            .iter()
            .map(|row| text::shown_name(&row.name))
            .collect();
        assert_eq!(names[1..], ["file 2", "file 1"]);
        let id = model.transfers[1].id;
        let effects = model.update(Action::Row(id, RowAction::CopyPointer));
        assert!(matches!(
            &effects[..],
            [Effect::Work(Work::Clipboard(ClipboardWork::Copy(_, text)))]
                if text.as_str() == "cloak1kept"
        ));
    }

    #[test]
    fn what_ends_well_is_kept_unless_the_history_is_off() {
        let mut model = model();
        let effects = share(&mut model);
        let kept = effects.iter().find_map(|effect| match effect {
            Effect::Work(Work::History(HistoryWork::Remember(id, kept))) => {
                Some((*id, kept.name.clone()))
            }
            _ => None,
        });
        let (id, name) = kept.expect("it is kept");
        assert_eq!(name, model.transfers[0].name);
        model.update(Event::Remembered(id, EntryId(7)));
        let effects = model.update(Action::Row(id, RowAction::Remove));
        assert!(matches!(
            effects[..],
            [Effect::Work(Work::Later(Timer::Undo(_)))]
        ));
        assert!(model.update(WindowAction::Undo).is_empty());
        assert_eq!(model.transfers[0].entry, Some(EntryId(7)));
        model.update(Action::Row(id, RowAction::Remove));
        let effects = model.update(Event::Elapsed(Timer::Undo(1)));
        assert!(effects.is_empty(), "that was the first time");
        let effects = model.update(Event::Elapsed(Timer::Undo(2)));
        assert!(matches!(
            effects[..],
            [Effect::Work(Work::History(HistoryWork::Forget(EntryId(7))))]
        ));
        let effects = model.update(Event::Remembered(id, EntryId(8)));
        assert!(matches!(
            effects[..],
            [Effect::Work(Work::History(HistoryWork::Forget(EntryId(8))))]
        ));

        let effects = model.update(Change::History(false));
        assert!(matches!(
            effects[..],
            [
                Effect::Work(Work::Settings(SettingsWork::Save(..))),
                Effect::Work(Work::History(HistoryWork::Set(false)))
            ]
        ));
        let effects = share(&mut model);
        assert!(!effects.iter().any(|effect| matches!(
            effect,
            Effect::Work(Work::History(HistoryWork::Remember(..)))
        )));
    }

    fn sharing(id: u64, path: &str) -> HistoryEntry {
        entry(
            id,
            What::Sharing {
                paths: vec![path.into()],
            },
        )
    }

    fn kept(effects: &[Effect]) -> Vec<(TransferId, &KeptTransfer)> {
        let kept = effects.iter().filter_map(|effect| match effect {
            Effect::Work(Work::History(HistoryWork::Remember(id, kept))) => Some((*id, kept)),
            _ => None,
        });
        kept.collect()
    }

    fn forgotten(effects: &[Effect]) -> Vec<u64> {
        let forgotten = effects.iter().filter_map(|effect| match effect {
            Effect::Work(Work::History(HistoryWork::Forget(entry))) => Some(entry.0),
            _ => None,
        });
        forgotten.collect()
    }

    /// Drops these files and has the history keep each; returns their rows and runs.
    fn drop_files(model: &mut Model, names: &[&str]) -> Vec<(TransferId, RunId)> {
        let found = names.iter().map(|name| file(name)).collect();
        let effects = model.update(Event::Looked(LookPurpose::Share, found));
        for (id, kept) in kept(&effects) {
            assert!(matches!(
                &kept.outcome,
                TransferOutcome::Sharing(paths)
                    if paths[0].ends_with(text::shown_name(&kept.name))
            ));
            model.update(Event::Remembered(id, EntryId(id.0)));
        }
        let rows = model.transfers[..names.len()].iter();
        rows.map(|row| (row.id, row.run)).collect()
    }

    #[test]
    fn a_transfer_that_was_interrupted_is_a_row_that_only_the_person_starts_again() {
        let mut model = model();
        let receiving = What::Receiving {
            pointer: Arc::new(Zeroizing::new("cloak1kept".to_owned())),
            tell_sender: false,
            only: vec!["b/c".to_owned()],
            server: "files.example".to_owned(),
        };
        let entries = vec![sharing(2, "/home/ada/a.pdf"), entry(1, receiving)];
        let effects = model.update(Event::History(News::Entries(entries)));
        assert!(effects.is_empty(), "nothing starts by itself");
        assert_eq!(model.unfinished(), 0);
        assert!(
            (model.transfers.iter()).all(|row| matches!(row.state, TransferState::Interrupted))
        );

        let id = model.transfers[0].id;
        let effects = model.update(Action::Row(id, RowAction::Retry));
        assert!(
            matches!(&effects[..], [Effect::Work(Work::History(HistoryWork::Remember(..))), Effect::Work(Work::Request(RequestWork::Share(_, wanted, _)))]
                if wanted.paths == [PathBuf::from("/home/ada/a.pdf")])
        );
        assert_eq!(kept(&effects)[0].1.entry, Some(EntryId(2)), "not twice");
        let id = model.transfers[1].id;
        let effects = model.update(Action::Row(id, RowAction::Retry));
        let fetches = effects.iter().any(|effect| {
            let Effect::Work(Work::Request(RequestWork::Fetch(_, wanted, _))) = effect else {
                return false;
            };
            let only = Choice::Only(vec!["b/c".to_owned()]);
            wanted.pointer.as_str() == "cloak1kept" && !wanted.tell_sender && wanted.choice == only
        });
        assert!(fetches);
    }

    #[test]
    fn what_is_on_its_way_is_kept_until_it_ends() {
        let mut model = model_with(one_each());
        let rows = drop_files(&mut model, &["a", "b", "c", "d"]);
        let [(a, run_a), (b, run_b), (c, _), (d, _)] = rows[..] else {
            panic!("four rows")
        };
        // Its pointer takes the place of its path.
        let effects = model.update(Event::Shared(run_a, ended(Ok(share_result()))));
        let [(of, what)] = kept(&effects)[..] else {
            panic!("it is kept")
        };
        assert_eq!((of, what.entry), (a, Some(EntryId(a.0))));
        assert!(matches!(what.outcome, TransferOutcome::Shared(_)));
        // Tried again later, also after a restart.
        let trouble = crate::gui::model::tests::trouble();
        let effects = model.update(Event::Shared(run_b, ended(Err(trouble))));
        assert_eq!((kept(&effects).len(), forgotten(&effects).len()), (0, 0));
        assert_eq!(model.transfer(b).unwrap().entry, Some(EntryId(b.0)));
        // The person wants no more of it.
        assert_eq!(
            forgotten(&model.update(Action::Row(c, RowAction::Cancel))),
            [c.0]
        );
        let effects = model.update(Event::Remembered(c, EntryId(99)));
        assert_eq!(forgotten(&effects), [99], "said too late");
        assert_eq!(
            kept(&model.update(Action::Row(c, RowAction::Retry))).len(),
            1
        );
        // The program ends.
        let effects = model.update(ModalAction::StopAndQuit);
        assert!(forgotten(&effects).is_empty());
        assert!(matches!(
            model.transfer(d).unwrap().state,
            TransferState::Interrupted
        ));
    }

    #[test]
    fn the_rows_of_a_drop_stand_in_the_same_order_at_the_next_start() {
        let mut model = model_with(one_each());
        let found = ["a", "b", "c"].map(file).into();
        let effects = model.update(Event::Looked(LookPurpose::Share, found));
        let names = |names: Vec<&ShownName>| names.into_iter().cloned().collect::<Vec<_>>();
        let mut order = names(kept(&effects).iter().map(|(_, kept)| &kept.name).collect());
        order.reverse();
        let shown = names(model.transfers.iter().map(|row| &row.name).collect());
        assert_eq!(order, shown, "the newest entry comes first");
    }

    #[test]
    fn a_history_that_is_turned_off_or_wiped_meanwhile_knows_nothing_of_what_runs() {
        let mut model = model();
        let [(id, _)] = drop_files(&mut model, &["a"])[..] else {
            panic!("one row")
        };
        let effects = model.update(Change::History(false));
        assert!(matches!(
            effects[..],
            [
                Effect::Work(Work::Settings(SettingsWork::Save(..))),
                Effect::Work(Work::History(HistoryWork::Forget(_))),
                Effect::Work(Work::History(HistoryWork::Set(false)))
            ]
        ));
        let effects = model.update(Change::History(true));
        assert!(matches!(
            effects[..],
            [
                Effect::Work(Work::Settings(SettingsWork::Save(..))),
                Effect::Work(Work::History(HistoryWork::Set(true))),
                Effect::Work(Work::History(HistoryWork::Remember(..)))
            ]
        ));
        model.update(Event::Remembered(id, EntryId(7)));
        model.update(ModalAction::Open(Modal::WipeHistory));
        model.update(ModalAction::WipeHistory);
        assert_eq!(model.transfers.len(), 1, "what runs stays");
        assert_eq!(model.transfers[0].entry, None);
    }

    #[test]
    fn wiping_asks_first_and_takes_the_kept_rows_away() {
        let (mut model, _) = with_received();
        share(&mut model);
        let ask = || ModalAction::Open(Modal::WipeHistory);
        assert!(model.update(ask()).is_empty());
        assert_eq!(model.modal, Some(Modal::WipeHistory));
        assert!(model.update(ModalAction::Back).is_empty());
        assert_eq!(model.modal, None);
        assert_eq!(model.transfers.len(), 2);
        model.update(ask());
        let effects = model.update(ModalAction::WipeHistory);
        assert!(matches!(
            effects[..],
            [Effect::Work(Work::History(HistoryWork::Wipe))]
        ));
        assert_eq!(model.transfers.len(), 1, "what was not kept stays");
        model.update(Event::History(News::Wiped(Ok(()))));
        assert_eq!(model.notice.map(|notice| notice.tone), Some(Tone::Success));
    }

    #[test]
    fn how_the_history_stands_is_shown() {
        let mut model = model();
        assert!(matches!(
            model.begin()[..],
            [
                Effect::Work(Work::History(HistoryWork::Set(true))),
                Effect::Work(Work::Request(RequestWork::FindLeft)),
                Effect::Work(Work::Settings(SettingsWork::Terms(_)))
            ]
        ));
        for status in [
            HistoryStatus::Waiting,
            HistoryStatus::Kept,
            HistoryStatus::Off,
        ] {
            model.update(Event::History(News::Status(status)));
            assert_eq!(model.history, status);
        }
    }

    #[test]
    fn the_desktop_is_told_only_when_nobody_looks_and_names_only_when_chosen() {
        let mut model = model();
        let told = |effects: &[Effect]| {
            effects.iter().find_map(|effect| match effect {
                Effect::Work(Work::Notify(notification)) => Some(notification.clone()),
                _ => None,
            })
        };
        model.update(WindowAction::InFront(true));
        assert_eq!(told(&share(&mut model)), None);
        model.update(WindowAction::InFront(false));
        let without = told(&share(&mut model)).expect("said");
        assert!(
            !format!("{:?}", text::notification(&without)).contains("name-of-it"),
            "{without:?}"
        );
        model.update(Change::NotifyNames(true));
        let with = told(&share(&mut model)).expect("said");
        assert!(
            text::notification(&with).title.contains("name-of-it.pdf"),
            "{with:?}"
        );
        model.update(Change::Notify(false));
        assert_eq!(told(&share(&mut model)), None);
    }
}
