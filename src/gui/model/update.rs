//! How an action or an event changes the model, and what it sets off.

use std::path::{Path, PathBuf};

use super::{
    Action, Effect, Event, Focus, Found, FoundKind, Hover, Input, Job, Look, Modal, Model, Notice,
    PARALLEL_SHARES, PointerText, Reading, RunId, Screen, ServerChoice, Stage, State, Test, Timer,
    Tone, Transfer, TransferId,
};
use crate::app::message::UserMessage;
use crate::gui::text;

impl Model {
    /// Takes one input in and says what is to be done.
    pub fn update(&mut self, input: impl Into<Input>) -> Vec<Effect> {
        match input.into() {
            Input::Action(action) => self.act(action),
            Input::Event(event) => self.hear(event),
        }
    }

    fn act(&mut self, action: Action) -> Vec<Effect> {
        match action {
            Action::AddressEdited(address) => {
                self.settings.address = address;
                self.settings.address_trouble = None;
                Vec::new()
            }
            Action::Arguments { files, pointer } => {
                let mut effects =
                    pointer.map_or_else(Vec::new, |pointer| self.fill_receive(pointer));
                if !files.is_empty() {
                    effects.push(Effect::Look(Look::Share, files));
                }
                effects
            }
            Action::AddServer => {
                if self.settings.address.trim().is_empty() {
                    return Vec::new();
                }
                vec![Effect::ReadServer(self.settings.address.trim().to_owned())]
            }
            Action::Cancel(id) => self.cancel(id),
            Action::ChooseDownloads => self.dialog(Effect::PickFolder),
            Action::ChooseFiles => self.dialog(Effect::PickFiles),
            Action::ChooseRelayList => self.dialog(Effect::PickRelayList),
            Action::ChooseServer => {
                self.screen = Screen::Settings;
                self.focus = Some(Focus::ServerAddress);
                Vec::new()
            }
            Action::UseServer(choice) => {
                self.settings.preferences.chosen = choice;
                self.keep()
            }
            Action::ClearPointer => {
                self.receive.text = PointerText::default();
                self.receive.reading = Reading::Empty;
                self.focus = Some(Focus::Pointer);
                Vec::new()
            }
            Action::CloseRequested => match self.unfinished() {
                0 => Vec::new(),
                running => {
                    self.modal = Some(Modal::Closing { running });
                    vec![Effect::StayOpen]
                }
            },
            Action::CopyPointer(id) => match self.transfer(id).map(|transfer| &transfer.state) {
                Some(State::Shared(shared)) => vec![Effect::Copy(id, shared.pointer.clone())],
                _ => Vec::new(),
            },
            Action::DismissNotice => {
                self.notice = None;
                Vec::new()
            }
            Action::Download => self.download(),
            Action::Dropped(paths) => {
                self.hover = None;
                if self.modal.is_some() {
                    self.notice = Some(Notice {
                        tone: Tone::Info,
                        message: text::drop_while_modal(),
                    });
                    return Vec::new();
                }
                vec![Effect::Look(Look::Share, paths)]
            }
            Action::ForgetRelayList => {
                self.settings.preferences.relay_list = None;
                self.keep()
            }
            Action::Go(screen) => {
                self.screen = screen;
                if screen == Screen::Receive {
                    self.focus = Some(Focus::Pointer);
                }
                Vec::new()
            }
            Action::Hovering(paths) => {
                if paths.is_empty() {
                    self.hover = None;
                    return Vec::new();
                }
                self.hover = Some(Hover {
                    paths: paths.clone(),
                    found: Vec::new(),
                });
                vec![Effect::Look(Look::Hover, paths)]
            }
            Action::KeepRunning => {
                self.modal = None;
                Vec::new()
            }
            Action::OpenSaved(id) => self.saved_path(id).map(Effect::Open).into_iter().collect(),
            Action::Pasted(text) => self.paste(text),
            Action::PastedNoText => vec![Effect::PasteFiles],
            Action::PointerEdited(text) => self.read_pointer(text),
            Action::Remove(id) => {
                let effects = self.cancel(id);
                self.transfers.retain(|transfer| transfer.id != id);
                effects
            }
            Action::RemoveServer(address) => {
                self.settings
                    .preferences
                    .servers
                    .retain(|server| server.address != address);
                self.settings
                    .tests
                    .remove(&ServerChoice::Address(address.clone()));
                if self.settings.preferences.chosen == ServerChoice::Address(address) {
                    self.settings.preferences.chosen = ServerChoice::BuiltIn;
                }
                self.keep()
            }
            Action::Retry(id) => {
                let run = self.draw_id();
                if let Some(transfer) = self.transfers.iter_mut().find(|transfer| transfer.id == id)
                    && matches!(transfer.state, State::Failed(_) | State::Cancelled)
                {
                    transfer.restart(run);
                }
                self.start_waiting()
            }
            Action::RevealSaved(id) => self
                .saved_path(id)
                .map(Effect::Reveal)
                .into_iter()
                .collect(),
            Action::SetHighContrast(on) => {
                self.settings.preferences.high_contrast = on;
                self.keep()
            }
            Action::SetTheme(theme) => {
                self.settings.preferences.theme = theme;
                self.keep()
            }
            Action::Start => {
                self.first_start = false;
                self.settings.preferences.welcomed = true;
                self.keep()
            }
            Action::StopAndQuit => {
                self.modal = None;
                let ids: Vec<TransferId> =
                    self.transfers.iter().map(|transfer| transfer.id).collect();
                let mut effects: Vec<Effect> =
                    ids.into_iter().flat_map(|id| self.cancel(id)).collect();
                effects.retain(|effect| matches!(effect, Effect::Cancel(_)));
                effects.push(Effect::Quit);
                effects
            }
            Action::TestServer(choice) => {
                if self.settings.tests.get(&choice) == Some(&Test::Running) {
                    return Vec::new();
                }
                self.settings.tests.insert(choice.clone(), Test::Running);
                vec![Effect::Test(choice, self.settings.preferences.clone())]
            }
        }
    }

    fn hear(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Copied(id, Ok(())) => {
                self.copies += 1;
                self.copied = Some(id);
                return vec![Effect::Later(Timer::Copied(self.copies))];
            }
            Event::Copied(_, Err(message)) | Event::Failed(message) => {
                self.notice = Some(Notice {
                    tone: Tone::Danger,
                    message,
                });
            }
            Event::Described(Ok(info)) => self.receive.reading = Reading::Known(info),
            Event::Described(Err(message)) => {
                if self.focus == Some(Focus::Download) {
                    self.focus = Some(Focus::Pointer);
                }
                self.receive.reading = Reading::Wrong(message);
            }
            Event::Elapsed(Timer::Copied(copy)) => {
                if copy == self.copies {
                    self.copied = None;
                }
            }
            Event::Elapsed(Timer::Slow(run)) => {
                if let Some(transfer) = self.of_run(run)
                    && matches!(transfer.state, State::Running(Stage::FindPath))
                {
                    transfer.slow = true;
                }
            }
            Event::Fetched(run, result) => {
                if let Some(transfer) = self.of_run(run) {
                    match result {
                        Ok(saved) => {
                            transfer.name.clone_from(&saved.name);
                            transfer.len = Some(saved.len);
                            transfer.finish(State::Received(saved));
                        }
                        Err(message) => transfer.finish(State::Failed(message)),
                    }
                }
            }
            Event::FilesChosen(paths) => {
                self.dialog_open = false;
                if !paths.is_empty() {
                    return vec![Effect::Look(Look::Share, paths)];
                }
            }
            Event::FolderChosen(folder) => {
                self.dialog_open = false;
                if let Some(folder) = folder {
                    self.settings.preferences.downloads = folder;
                    return self.keep();
                }
            }
            Event::Looked(Look::Hover, found) => {
                if let Some(hover) = &mut self.hover
                    && hover.paths.iter().eq(found.iter().map(|found| &found.path))
                {
                    hover.found = found;
                }
            }
            Event::Looked(Look::Share, found) => return self.enqueue(found),
            Event::Progress(run, stage) => return self.progress(run, stage),
            Event::RelayListDismissed => self.dialog_open = false,
            Event::RelayListRead(result) => {
                self.dialog_open = false;
                match result {
                    Ok(list) => {
                        self.settings.relay_trouble = None;
                        self.settings.preferences.relay_list = Some(list);
                        return self.keep();
                    }
                    Err(message) => self.settings.relay_trouble = Some(message),
                }
            }
            Event::ServerRead(Ok(server)) => {
                self.settings.address.clear();
                self.settings.address_trouble = None;
                self.settings.preferences.chosen = ServerChoice::Address(server.address.clone());
                if !self
                    .settings
                    .preferences
                    .servers
                    .iter()
                    .any(|known| known.address == server.address)
                {
                    self.settings.preferences.servers.push(server);
                }
                return self.keep();
            }
            Event::ServerRead(Err(message)) => self.settings.address_trouble = Some(message),
            Event::Shared(run, result) => {
                if let Some(transfer) = self.of_run(run) {
                    transfer.finish(match result {
                        Ok(shared) => State::Shared(shared),
                        Err(message) => State::Failed(message),
                    });
                }
                return self.start_waiting();
            }
            Event::Tested(choice, result) => {
                let outcome = match result {
                    Ok(report) => Test::Passed(report),
                    Err(message) => Test::Failed(message),
                };
                // A server that was removed meanwhile stays forgotten.
                if let Some(test) = self.settings.tests.get_mut(&choice) {
                    *test = outcome;
                }
            }
        }
        Vec::new()
    }

    fn draw_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    /// The unfinished transfer of this run; a cancelled or newer one does not listen.
    fn of_run(&mut self, run: RunId) -> Option<&mut Transfer> {
        self.transfers
            .iter_mut()
            .find(|transfer| transfer.run == run && transfer.is_unfinished())
    }

    fn keep(&self) -> Vec<Effect> {
        let mut effects = vec![Effect::Save(self.settings.preferences.clone())];
        // Whether a pointer works from here depends on server and relays.
        if !self.receive.text.as_str().is_empty() {
            effects.push(Effect::Describe(
                self.receive.text.clone(),
                self.settings.preferences.clone(),
            ));
        }
        effects
    }

    fn dialog(&mut self, effect: Effect) -> Vec<Effect> {
        if self.dialog_open {
            return Vec::new();
        }
        self.dialog_open = true;
        vec![effect]
    }

    fn saved_path(&self, id: TransferId) -> Option<PathBuf> {
        match &self.transfer(id)?.state {
            State::Received(saved) => Some(saved.path.clone()),
            _ => None,
        }
    }

    fn read_pointer(&mut self, text: PointerText) -> Vec<Effect> {
        self.receive.text = text;
        if self.receive.text.as_str().trim().is_empty() {
            self.receive.reading = Reading::Empty;
            return Vec::new();
        }
        vec![Effect::Describe(
            self.receive.text.clone(),
            self.settings.preferences.clone(),
        )]
    }

    fn fill_receive(&mut self, pointer: PointerText) -> Vec<Effect> {
        self.screen = Screen::Receive;
        self.focus = Some(Focus::Download);
        self.read_pointer(pointer)
    }

    fn paste(&mut self, text: PointerText) -> Vec<Effect> {
        if self.modal.is_some() || text.as_str().trim().is_empty() {
            return Vec::new();
        }
        match pasted_paths(text.as_str()) {
            Some(paths) => {
                self.screen = Screen::Share;
                vec![Effect::Look(Look::Share, paths)]
            }
            None => self.fill_receive(text),
        }
    }

    fn enqueue(&mut self, found: Vec<Found>) -> Vec<Effect> {
        let mut folders = Vec::new();
        let mut missing = Vec::new();
        let mut rows = Vec::new();
        for Found { path, name, kind } in found {
            match kind {
                FoundKind::File { len } => {
                    let (id, run) = (self.draw_id(), self.draw_id());
                    rows.push(Transfer::new(id, run, name, Some(len), Job::Share(path)));
                }
                FoundKind::Folder => folders.push(name),
                FoundKind::Missing => missing.push(name),
            }
        }
        if !folders.is_empty() {
            self.notice = Some(Notice {
                tone: Tone::Warning,
                message: text::folders_refused(&folders),
            });
        } else if !missing.is_empty() {
            self.notice = Some(Notice {
                tone: Tone::Danger,
                message: text::files_missing(&missing),
            });
        }
        if !rows.is_empty() && self.screen == Screen::Settings {
            self.screen = Screen::Share;
        }
        self.transfers.splice(0..0, rows);
        self.start_waiting()
    }

    fn download(&mut self) -> Vec<Effect> {
        if !self.receive.can_download() {
            return Vec::new();
        }
        let Reading::Known(info) = std::mem::take(&mut self.receive.reading) else {
            return Vec::new();
        };
        let pointer = std::mem::take(&mut self.receive.text);
        let name = info.name.unwrap_or_else(|| text::UNNAMED_FILE.to_owned());
        let (id, run) = (self.draw_id(), self.draw_id());
        self.transfers.insert(
            0,
            Transfer::new(id, run, name, Some(info.len), Job::Receive(pointer)),
        );
        self.start_waiting()
    }

    /// Starts what may start: every fetch at once, shares in the order they came, a few at a time.
    fn start_waiting(&mut self) -> Vec<Effect> {
        let preferences = &self.settings.preferences;
        let mut effects = Vec::new();
        for transfer in &mut self.transfers {
            if let (State::Waiting, Job::Receive(pointer)) = (&transfer.state, &transfer.job) {
                effects.push(Effect::Fetch(
                    transfer.run,
                    pointer.clone(),
                    preferences.clone(),
                ));
                effects.push(Effect::Later(Timer::Slow(transfer.run)));
                transfer.reach(Stage::FindPath);
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
            .filter(|transfer| transfer.is_waiting_share())
            .collect();
        waiting.sort_by_key(|transfer| transfer.run);
        for transfer in waiting
            .into_iter()
            .take(PARALLEL_SHARES.saturating_sub(running))
        {
            if let Job::Share(path) = &transfer.job {
                effects.push(Effect::Share(
                    transfer.run,
                    path.clone(),
                    preferences.clone(),
                ));
            }
            transfer.reach(Stage::Pad);
        }
        effects
    }

    fn progress(&mut self, run: RunId, stage: Stage) -> Vec<Effect> {
        let Some(transfer) = self.of_run(run) else {
            return Vec::new();
        };
        let was_finding = matches!(transfer.state, State::Running(Stage::FindPath));
        if was_finding && stage == Stage::FindPath {
            return Vec::new();
        }
        transfer.reach(stage);
        if stage == Stage::FindPath {
            vec![Effect::Later(Timer::Slow(run))]
        } else {
            Vec::new()
        }
    }

    fn cancel(&mut self, id: TransferId) -> Vec<Effect> {
        let Some(transfer) = self.transfers.iter_mut().find(|transfer| transfer.id == id) else {
            return Vec::new();
        };
        let mut effects = match transfer.state {
            State::Running(_) => vec![Effect::Cancel(transfer.run)],
            State::Waiting => Vec::new(),
            State::Shared(_) | State::Received(_) | State::Failed(_) | State::Cancelled => {
                return Vec::new();
            }
        };
        transfer.finish(State::Cancelled);
        effects.extend(self.start_waiting());
        effects
    }

    /// Says something above the screen.
    pub fn say(&mut self, tone: Tone, message: UserMessage) {
        self.notice = Some(Notice { tone, message });
    }
}

/// The paths in a pasted list of files, as file managers put it on the clipboard; none if any line is something else.
fn pasted_paths(text: &str) -> Option<Vec<PathBuf>> {
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let paths: Option<Vec<PathBuf>> = lines.map(pasted_path).collect();
    paths.filter(|paths| !paths.is_empty())
}

fn pasted_path(line: &str) -> Option<PathBuf> {
    if line.starts_with("file://") {
        return url::Url::parse(line).ok()?.to_file_path().ok();
    }
    let path = Path::new(line);
    path.is_absolute().then(|| path.to_owned())
}
