//! How an action or an event changes the model, and what it sets off.

use std::path::{Path, PathBuf};

use super::{
    Action, Announcement, Effect, Ended, Errand, Event, Focus, FoundPath, Hover, Input,
    LookPurpose, Modal, Model, Notice, PointerText, Preferences, Reading, RelayWish, Screen,
    ServerChoice, Test, Timer, Tone, Transfer, TransferJob, TransferState, ZOOMS,
};
use crate::app::settings::config::SocksProxy;
use crate::app::transfer::known_file::KnownFile;
use crate::app::words::message::{Remedy, UserMessage};
use crate::gui::platform::uri_list::UriList;
use crate::gui::text;

impl Model {
    /// Takes one input in and says what is to be done.
    pub fn update(&mut self, input: impl Into<Input>) -> Vec<Effect> {
        let mut effects = match input.into() {
            Input::Action(action) => self.on_action(action),
            Input::Event(event) => self.on_event(event),
        };
        // The row itself says what there is to say.
        if self.first_start && !self.transfers.is_empty() {
            effects.extend(self.welcomed());
        }
        effects
    }

    pub(super) fn on_action(&mut self, action: Action) -> Vec<Effect> {
        // What was said has been heard, or is no longer so.
        self.announcement.words.clear();
        match action {
            Action::AddressEdited(address) => {
                self.settings.address = address;
                self.settings.address_trouble = None;
                Vec::new()
            }
            Action::Arguments { files, pointer } => {
                let mut effects =
                    pointer.map_or_else(Vec::new, |pointer| self.open_pointer(pointer));
                if !files.is_empty() {
                    effects.extend(self.share_list(files.into()));
                }
                effects
            }
            Action::AddRelays => self.add_relays(),
            Action::AddServer => {
                if self.settings.address.trim().is_empty() {
                    return Vec::new();
                }
                vec![Effect::ReadServer(self.settings.address.trim().to_owned())]
            }
            Action::Back => {
                self.back();
                Vec::new()
            }
            Action::Cancel(id) => {
                let effects = self.cancel(id);
                self.focus = Some(Focus::Row(id));
                effects
            }
            Action::ChooseDownloads => {
                self.settings.folder_trouble = None;
                let has_card = matches!(self.receive.reading, Reading::Known(_));
                if self.screen == Screen::Receive && has_card {
                    self.errand = Some(Errand::Card);
                }
                let folder = self.settings.preferences.downloads.clone();
                self.dialog(Effect::PickFolder(folder))
            }
            Action::UseDefaultSettings => vec![Effect::UseDefaultSettings],
            Action::ChooseFiles => self.dialog(Effect::PickFiles),
            Action::ChooseRelayList => self.dialog(Effect::PickRelayList),
            Action::ChooseTry(try_at) => {
                if let Some(Modal::WhoSawWhat { at, .. } | Modal::WhoSawTest { at, .. }) =
                    &mut self.modal
                {
                    *at = try_at;
                }
                Vec::new()
            }
            Action::ChooseRelays => {
                self.errand = (self.screen == Screen::Receive).then_some(Errand::Card);
                self.screen = Screen::Settings;
                self.focus = Some(Focus::RelayLine);
                self.ask_relays(RelayWish::Look)
            }
            Action::ChooseServer => {
                self.errand = None;
                self.screen = Screen::Settings;
                self.focus = Some(Focus::ServerAddress);
                Vec::new()
            }
            Action::UseServer(choice) => {
                self.settings.preferences.chosen = choice;
                self.keep_within_terms();
                let words = text::goes_now(match self.settings.server() {
                    Some(server) => &server.name,
                    None => text::built_in(),
                });
                self.announce(false, &words);
                let mut effects = self.keep();
                effects.extend(self.ask_terms());
                effects.extend(self.go_on());
                effects
            }
            Action::CloseWord => {
                self.close_word();
                Vec::new()
            }
            Action::ForgetWord(address) => self.forget_word(&address),
            Action::KeepWord => self.keep_word(),
            Action::OpenWord(address) => {
                self.open_word(address);
                Vec::new()
            }
            Action::WordEdited(text) => {
                self.word_edited(text);
                Vec::new()
            }
            Action::ClearPointer => {
                self.receive.text = PointerText::default();
                self.receive.reading = Reading::Empty;
                self.focus = Some(Focus::Pointer);
                Vec::new()
            }
            Action::KeepPointer => {
                self.receive.opened = None;
                self.focus = Some(Focus::Pointer);
                Vec::new()
            }
            Action::LeaveKnownFile => {
                self.next_undecided();
                self.after_undecided();
                Vec::new()
            }
            Action::ShareKnownFile => {
                let Some(found) = self.next_undecided() else {
                    return Vec::new();
                };
                let effects = self.enqueue(vec![FoundPath {
                    known: None,
                    ..found
                }]);
                if !self.undecided.is_empty() {
                    self.focus = Some(Focus::KnownFile);
                }
                effects
            }
            Action::UseKnownFile => {
                let Some(found) = self.next_undecided() else {
                    return Vec::new();
                };
                self.after_undecided();
                match found.known {
                    Some(known) => self.use_file(known, found.path),
                    None => Vec::new(),
                }
            }
            Action::UseOpenedPointer => {
                let opened = self.receive.opened.take();
                // Not on Download: that is a step of its own.
                self.focus = Some(Focus::Switch);
                opened.map_or_else(Vec::new, |pointer| self.read_pointer(pointer))
            }
            Action::CloseRequested => match self.unfinished() {
                0 => self.leave_nothing(),
                running => {
                    self.open(Modal::Closing { running });
                    vec![Effect::StayOpen]
                }
            },
            Action::CloseWindow => match self.unfinished() {
                0 => {
                    let mut effects = self.leave_nothing();
                    effects.push(Effect::Quit);
                    effects
                }
                running => {
                    self.open(Modal::Closing { running });
                    Vec::new()
                }
            },
            Action::CopyDiagnostics => vec![Effect::Diagnose],
            Action::CopyPointer(id) => self.copy(id),
            Action::DismissNotice => {
                self.notice = None;
                self.focus = Some(self.home());
                Vec::new()
            }
            Action::Download => self.download(),
            Action::Dropped(list) => {
                self.hover = None;
                if self.modal.is_some_and(Modal::asks) {
                    self.say(Tone::Info, text::drop_while_modal());
                    return Vec::new();
                }
                self.menu = None;
                self.back();
                match self.used_when_dropped(&list.files) {
                    Some((known, path)) if list.elsewhere.is_empty() => {
                        let path = path.to_owned();
                        self.use_file(known, path)
                    }
                    _ => self.share_list(list),
                }
            }
            Action::DroppedNoFile => {
                self.hover = None;
                self.say(Tone::Info, text::dropped_no_file());
                Vec::new()
            }
            Action::ExportHistory => vec![Effect::ExportHistory],
            Action::ForgetOtherList(origin) => self.ask_relays(RelayWish::Forget(origin)),
            Action::ForgetRelayList => self.forget_relay_list(),
            Action::FocusBeside(id, beside) => {
                self.focus_beside(id, beside);
                Vec::new()
            }
            Action::FocusLost => {
                self.focus = Some(self.home());
                Vec::new()
            }
            Action::FocusRegion(region) => {
                self.focus_region(region);
                Vec::new()
            }
            Action::Go(screen) => {
                if self.screen != screen {
                    // It was said of what was done there.
                    self.notice = None;
                }
                self.screen = screen;
                self.menu = None;
                self.errand = None;
                match screen {
                    Screen::Receive => {
                        self.focus = Some(Focus::Pointer);
                        Vec::new()
                    }
                    Screen::Settings => self.ask_relays(RelayWish::Look),
                    Screen::Share => {
                        self.focus = Some(self.home());
                        Vec::new()
                    }
                    Screen::Gallery => Vec::new(),
                }
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
                vec![Effect::Look(LookPurpose::Hover, paths)]
            }
            Action::InFront(in_front) => {
                self.in_front = in_front;
                Vec::new()
            }
            Action::KeepRunning => {
                self.back();
                Vec::new()
            }
            Action::Main(id) => self.main(id),
            Action::Manage(id, what) => self.manage(id, what),
            Action::NewGuard => self.ask_relays(RelayWish::NewGuard),
            Action::ForgetProxy => self.forget_proxy(),
            Action::ProxyEdited(text) => {
                self.settings.proxy = text;
                self.settings.proxy_trouble = None;
                Vec::new()
            }
            Action::UseProxy => match self.settings.proxy.parse::<SocksProxy>() {
                Ok(proxy) => {
                    self.announce(false, &text::proxy_is_used(&proxy.to_string()));
                    self.settings.proxy.clear();
                    self.settings.proxy_trouble = None;
                    let mut effects = self.prefer(|kept| kept.proxy = Some(proxy));
                    effects.extend(self.go_on_where_relays_help());
                    effects
                }
                Err(why) => {
                    let message = UserMessage::from(&why);
                    self.announce(true, &message.aloud());
                    self.settings.proxy_trouble = Some(message);
                    Vec::new()
                }
            },
            Action::RelayLineEdited(line) => {
                self.settings.relay_line = line;
                self.settings.relay_trouble = None;
                Vec::new()
            }
            Action::Filter(filter) => {
                self.filter_by(filter);
                Vec::new()
            }
            Action::ShowEarlier => {
                self.show_earlier();
                Vec::new()
            }
            Action::ShowOptions(open) => {
                self.options_open = open;
                Vec::new()
            }
            Action::ShowRelays(open) => {
                self.settings.relays_open = open;
                Vec::new()
            }
            Action::SetDirect(address, direct) => {
                let servers = &mut self.settings.preferences.servers;
                for server in servers
                    .iter_mut()
                    .filter(|server| server.address == address)
                {
                    server.direct = direct;
                }
                let mut effects = self.keep();
                // Whoever goes back to the relays has not helped what failed.
                if direct {
                    effects.extend(self.go_on_where_relays_help());
                }
                effects
            }
            Action::SetListInPointer(on) => self.prefer(|kept| kept.list_in_pointer = on),
            Action::SetAdvanced(advanced) => {
                let mut effects = self.prefer(|kept| kept.advanced = advanced);
                effects.extend(self.start_waiting());
                effects
            }
            Action::SetOptions(options) => {
                self.settings.preferences.options = options;
                Vec::new()
            }
            Action::SetTellSender(on) => {
                self.receive.tell_sender = on;
                Vec::new()
            }
            Action::UseSendersList => self.use_senders_list(),
            Action::UseSession => self.ask_relays(RelayWish::Session),
            Action::Open(modal) => {
                self.open(modal);
                Vec::new()
            }
            Action::OpenMenu(id) => {
                self.open_menu(id, Focus::Menu(id));
                Vec::new()
            }
            Action::OpenRowMenu(id) => {
                self.open_menu(id, Focus::Row(id));
                Vec::new()
            }
            Action::OpenAnyway => self.open_anyway(),
            Action::OpenSaved(id) => self.open_saved(id),
            Action::Pasted(text) => self.paste(text),
            Action::PasteIntoReceive => {
                self.screen = Screen::Receive;
                vec![Effect::RequestPaste]
            }
            Action::PastedPicture => {
                self.say(Tone::Info, text::picture_not_taken());
                Vec::new()
            }
            Action::PastedNoText => vec![Effect::PasteFiles],
            Action::PointerEdited(text) => self.read_pointer(text),
            Action::Remedy(id) => self.remedy(id),
            Action::Remove(id) => self.remove(id),
            Action::RemoveServer(address) => self.remove_server(&address),
            Action::Undo => self.undo(),
            Action::Retry(id) => self.retry(|transfer| transfer.id == id),
            Action::RetryFailed => {
                self.retry(|transfer| matches!(transfer.state, TransferState::Failed(_)))
            }
            Action::RevealSaved(id) => {
                self.close_menu();
                let file = self.transfer(id).and_then(Transfer::local_file);
                file.cloned().map(Effect::Reveal).into_iter().collect()
            }
            Action::SetClearClipboard(on) => self.prefer(|kept| kept.clear_clipboard = on),
            Action::SetContrast(contrast) => self.prefer(|kept| kept.contrast = contrast),
            Action::SetLanguage(language) => self.prefer(|kept| kept.language = language),
            Action::SetCopyWhenDone(on) => self.prefer(|kept| kept.copy_when_done = on),
            Action::SetShortList(list, on) => {
                let kept = &mut self.settings.preferences;
                kept.short_lists.retain(|origin| *origin != list);
                if on {
                    kept.short_lists.push(list);
                }
                self.keep()
            }
            Action::SetMaskPointers(on) => self.prefer(|kept| kept.mask_pointers = on),
            Action::OpenLinks(on) => vec![Effect::OpenLinks(on)],
            Action::SetMotion(motion) => self.prefer(|kept| kept.motion = motion),
            Action::SetNameInPointer(on) => self.prefer(|kept| kept.name_in_pointer = on),
            Action::SetPrivacy(privacy) => self.set_privacy(privacy),
            Action::SetTheme(theme) => self.prefer(|kept| kept.theme = theme),
            Action::SetZoom(zoom) => self.zoom_to(zoom),
            Action::Start => self.welcomed(),
            Action::StopAndQuit => {
                self.modal = None;
                let mut effects = self.interrupt();
                effects.extend(self.leave_nothing());
                effects.push(Effect::Quit);
                effects
            }
            Action::TestServer(choice) => {
                if self.settings.tests.get(&choice) == Some(&Test::Running) {
                    return Vec::new();
                }
                self.settings.tests.insert(choice.clone(), Test::Running);
                self.announce(false, text::testing());
                vec![Effect::Test(choice, self.settings.preferences.clone())]
            }
            Action::WipeHistory => self.wipe_history(),
            Action::Zoom(step) => self.zoom_to(self.settings.preferences.zoomed(step)),
        }
    }

    fn on_event(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Copied(id, Ok(())) => {
                self.copies += 1;
                self.copied = Some(id);
                self.last_copied_row = Some(id);
                self.announce(false, text::pointer_copied());
                let mut effects = vec![Effect::Later(Timer::Copied(self.copies))];
                if self.settings.preferences.clear_clipboard {
                    effects.push(Effect::Later(Timer::Clipboard(self.copies)));
                }
                return effects;
            }
            Event::Copied(_, Err(message)) | Event::Failed(message) => {
                self.say(Tone::Danger, message);
            }
            // The field was emptied meanwhile.
            Event::Described(_) if self.receive.reads_nothing() => {}
            Event::Described(Ok(info)) => {
                let is_same_text = !std::mem::replace(&mut self.receive.unread, false);
                let lacked = !self.receive.can_download();
                let reading = Reading::Known(info);
                if let Reading::Known(info) = &reading
                    && reading != self.receive.reading
                {
                    let words = text::is_pointer(info);
                    self.announce(false, &words);
                }
                self.receive.reading = reading;
                // What was missing for this pointer is here now, and its button has gone.
                let helped = is_same_text && lacked && self.receive.can_download();
                if helped && self.screen == Screen::Receive {
                    self.focus = Some(Focus::Download);
                }
            }
            Event::Described(Err(message)) => {
                self.receive.unread = false;
                if self.focus == Some(Focus::Download) {
                    self.focus = Some(Focus::Pointer);
                }
                let said = message.aloud();
                let reading = Reading::Wrong(message);
                if reading != self.receive.reading {
                    self.announce(false, &said);
                    self.receive.reading = reading;
                }
            }
            Event::PointerFileRead(Ok(text)) => return self.fill_receive(text),
            Event::PointerFileRead(Err(message)) => self.say(Tone::Danger, message),
            Event::Diagnosed(found) => return vec![Effect::CopyDiagnostics(found)],
            Event::DiagnosticsCopied(true) => self.say(Tone::Success, text::diagnostics_copied()),
            Event::DiagnosticsCopied(false) => self.say(Tone::Danger, text::clipboard_refused()),
            Event::Elapsed(Timer::Clipboard(copy)) => {
                let last = self.last_copied.take_if(|_| copy == self.copies);
                return last.map(Effect::ClearClipboard).into_iter().collect();
            }
            Event::Elapsed(Timer::Copied(copy)) => {
                if copy == self.copies {
                    self.copied = None;
                }
            }
            Event::Elapsed(Timer::Undo(removal)) => return self.undo_elapsed(removal),
            Event::Elapsed(Timer::Slow(run, moves)) => {
                let again =
                    (self.of_run(run)).and_then(|transfer| transfer.look_whether_it_moved(moves));
                return again.map(Effect::Later).into_iter().collect();
            }
            Event::Fetched(run, result) => return self.fetched(run, result),
            Event::Examined(id, why, found) => return self.on_examined(id, why, found),
            Event::History(news) => self.on_history(news),
            Event::Remembered(id, entry) => return self.on_remembered(id, entry),
            Event::DefaultSettingsUsed(Ok(aside)) => {
                let message = text::default_settings_used(aside.as_deref());
                self.say(Tone::Warning, message);
                return self.keep();
            }
            Event::DefaultSettingsUsed(Err(message)) => self.say(Tone::Danger, message),
            Event::FilesChosen(paths) => {
                self.dialog_open = false;
                if !paths.is_empty() {
                    return self.share_list(paths.into());
                }
            }
            Event::FilesPasted(list) if list.is_empty() => {
                self.say(Tone::Info, text::clipboard_empty());
            }
            Event::FilesPasted(list) => return self.on_action(Action::Dropped(list)),
            Event::NoFolderDialog(message) => {
                self.dialog_open = false;
                self.forget_folder_errand();
                self.announce(true, &message.aloud());
                if self.screen == Screen::Settings {
                    self.settings.folder_trouble = Some(message);
                } else {
                    self.say(Tone::Danger, message);
                }
            }
            Event::FolderChosen(folder) => {
                self.dialog_open = false;
                let Some(folder) = folder else {
                    self.forget_folder_errand();
                    return Vec::new();
                };
                self.settings.preferences.downloads = folder;
                let mut effects = self.keep();
                // In Settings it is no help for what sent the person there.
                if self.screen != Screen::Settings {
                    effects.extend(self.go_on());
                }
                return effects;
            }
            Event::Looked(LookPurpose::Hover, found) => {
                if let Some(hover) = &mut self.hover
                    && hover.paths.iter().eq(found.iter().map(|found| &found.path))
                {
                    hover.found = found;
                }
            }
            Event::Looked(LookPurpose::Share, found) => return self.enqueue(found),
            Event::Managed(id, result) => return self.managed(id, result),
            Event::Relays(result) => return self.relays_answered(result),
            Event::Progress(run, stage, at) => return self.progress(run, stage, at),
            Event::KeptListRead(Ok(list)) => {
                // Unless another one was chosen meanwhile.
                let kept = self.settings.preferences.relay_list.as_mut();
                if let Some(kept) = kept.filter(|kept| kept.origin == list.origin) {
                    *kept = list;
                }
            }
            Event::KeptListRead(Err(message)) => self.say(Tone::Warning, message),
            Event::RelayListDismissed => self.dialog_open = false,
            Event::RelayListRead(result) => {
                self.dialog_open = false;
                match result {
                    Ok(list) => {
                        self.settings.relay_trouble = None;
                        self.settings.relay_line.clear();
                        if self.screen == Screen::Share {
                            // Nothing else on this screen says that something has changed.
                            self.say(Tone::Success, text::list_now_used(&list.name));
                        } else {
                            self.announce(false, &text::list_is_used(&list.name));
                        }
                        self.settings.preferences.relay_list = Some(list);
                        let mut effects = self.keep();
                        effects.extend(self.ask_relays(RelayWish::Look));
                        effects.extend(self.go_on());
                        return effects;
                    }
                    Err(message) => {
                        self.announce(true, &message.aloud());
                        self.settings.relay_trouble = Some(message);
                        // The card of a pointer that lacks relays says it too.
                        if !self.receive.lacks_relays() || self.screen != Screen::Receive {
                            // Where it is said, and where another list can be named.
                            self.screen = Screen::Settings;
                            self.focus = Some(Focus::RelayLine);
                        }
                    }
                }
            }
            Event::ServerRead(Ok(server)) => {
                self.announce(false, &text::server_is_added(&server.name));
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
                self.keep_within_terms();
                let mut effects = self.keep();
                effects.extend(self.ask_terms());
                effects.extend(self.go_on());
                return effects;
            }
            Event::ServerRead(Err(message)) => {
                self.announce(true, &message.aloud());
                self.settings.address_trouble = Some(message);
            }
            Event::Shared(run, result) => return self.shared(run, result),
            Event::Links(ours) => self.settings.links = Some(ours),
            Event::SystemLook(look) => self.system = look,
            Event::Terms(choice, terms) => self.on_terms(choice, terms),
            Event::Tested(choice, Ended { result, shown }) => {
                let outcome = match result {
                    Ok(report) => Test::Passed(report),
                    Err(trouble) => Test::Failed(trouble.words()),
                };
                // A server that was removed meanwhile stays forgotten.
                if let Some(test) = self.settings.tests.get_mut(&choice) {
                    let words = match &outcome {
                        Test::Passed(report) => text::test_passed(report),
                        Test::Failed(message) => message.aloud(),
                        Test::Running => String::new(),
                    };
                    let failed = matches!(outcome, Test::Failed(_));
                    *test = outcome;
                    self.settings.tests_shown.insert(choice.clone(), shown);
                    self.announce(failed, &words);
                }
                return vec![Effect::Terms(choice)];
            }
        }
        Vec::new()
    }

    /// Does what helps a row that failed; a row that was stopped is tried again.
    pub(super) fn remedy(&mut self, id: super::TransferId) -> Vec<Effect> {
        let remedy = match self.transfer(id).map(|row| &row.state) {
            Some(TransferState::Failed(trouble)) => trouble.remedy(),
            Some(TransferState::Cancelled | TransferState::Interrupted) => Remedy::Retry,
            _ => return Vec::new(),
        };
        let effects = match remedy {
            Remedy::AccessWord => match self
                .transfer(id)
                .and_then(|row| row.goes_to.clone())
                .unwrap_or_else(|| self.settings.preferences.chosen.clone())
            {
                ServerChoice::Address(address) => {
                    let effects = self.on_action(Action::Go(Screen::Settings));
                    self.open_word(address);
                    effects
                }
                ServerChoice::BuiltIn => self.on_action(Action::ChooseServer),
            },
            Remedy::DefaultSettings => self.on_action(Action::UseDefaultSettings),
            Remedy::Folder => self.on_action(Action::ChooseDownloads),
            Remedy::Nothing => Vec::new(),
            Remedy::Options => {
                self.screen = Screen::Share;
                self.options_open = true;
                self.focus = Some(Focus::Zone);
                Vec::new()
            }
            Remedy::Paste => {
                self.focus = Some(Focus::Pointer);
                self.on_action(Action::PasteIntoReceive)
            }
            Remedy::Relays => self.on_action(Action::ChooseRelays),
            Remedy::Retry => self.retry(|row| row.id == id),
            Remedy::Server => self.on_action(Action::ChooseServer),
        };
        // The dialog for a folder opens wherever the row is.
        if remedy == Remedy::Folder || self.screen == Screen::Settings && remedy.then_retry() {
            self.errand = Some(Errand::Row(id));
        }
        effects
    }

    /// The dialog for a folder was closed without one: what it was opened for waits no longer, unless the person went to
    /// Settings for it.
    fn forget_folder_errand(&mut self) {
        if self.screen != Screen::Settings {
            self.errand = None;
        }
    }

    /// What helps was done in Settings: back to what sent the person there. A row is tried again by itself, unless its file
    /// would go to another server than the one that it was shared to.
    pub(super) fn go_on(&mut self) -> Vec<Effect> {
        // Where relays are still missing the person is not done.
        if self.settings.lacks_relays() {
            return Vec::new();
        }
        match self.errand.take() {
            None => Vec::new(),
            Some(Errand::Card) => {
                self.screen = Screen::Receive;
                self.focus = Some(Focus::Download);
                Vec::new()
            }
            Some(Errand::Row(id)) => {
                let Some(row) = self.transfer(id) else {
                    return Vec::new();
                };
                let (screen, sends_elsewhere) = match row.job {
                    // A file goes by itself only where it was meant to go.
                    TransferJob::Share(_) => {
                        let chosen = &self.settings.preferences.chosen;
                        (Screen::Share, row.goes_to.as_ref() != Some(chosen))
                    }
                    TransferJob::Receive { .. } => (Screen::Receive, false),
                };
                self.screen = screen;
                self.focus = Some(Focus::Row(id));
                if sends_elsewhere {
                    return Vec::new();
                }
                self.retry(|row| row.id == id)
            }
        }
    }

    /// Like [`Self::go_on`], after a change of the way to servers: a row that failed for another reason goes on waiting.
    fn go_on_where_relays_help(&mut self) -> Vec<Effect> {
        if let Some(Errand::Row(id)) = self.errand {
            let row = self.transfer(id).map(|row| &row.state);
            let wants_relays =
                matches!(row, Some(TransferState::Failed(why)) if why.remedy() == Remedy::Relays);
            if !wants_relays {
                return Vec::new();
            }
        }
        self.go_on()
    }

    pub(super) fn draw_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    pub(super) fn keep(&self) -> Vec<Effect> {
        let mut effects = vec![Effect::Save(self.settings.preferences.clone())];
        // Whether a pointer works from here depends on server and relays.
        effects.extend(self.describe_again());
        effects
    }

    pub(super) fn describe_again(&self) -> Option<Effect> {
        let text = &self.receive.text;
        (!text.as_str().is_empty())
            .then(|| Effect::Describe(text.clone(), self.settings.preferences.clone()))
    }

    /// What went stays away, and a copied pointer does not outlive the window when it would not have stayed anyway.
    fn leave_nothing(&mut self) -> Vec<Effect> {
        let mut effects = self.settle();
        if self.settings.preferences.clear_clipboard {
            effects.extend(self.last_copied.take().map(Effect::ClearClipboard));
        }
        effects
    }

    /// Changes what is kept, and keeps it.
    fn prefer(&mut self, change: impl FnOnce(&mut Preferences)) -> Vec<Effect> {
        change(&mut self.settings.preferences);
        self.keep()
    }

    fn zoom_to(&mut self, zoom: u16) -> Vec<Effect> {
        if self.settings.preferences.zoom == zoom || !ZOOMS.contains(&zoom) {
            return Vec::new();
        }
        self.announce(false, &text::zoom(zoom));
        self.prefer(|kept| kept.zoom = zoom)
    }

    /// Opens something over everything else; the keyboard comes back from it.
    pub(super) fn open(&mut self, modal: Modal) {
        let menu = self.menu.take().and_then(|_| self.menu_from.take());
        if self.modal.is_none() {
            self.beneath = menu.or(match modal {
                Modal::Delete(id)
                | Modal::KeepLonger(id)
                | Modal::Qr(id)
                | Modal::WhoSawWhat { id, .. } => Some(Focus::Menu(id)),
                Modal::OpenProgram(id) => Some(Focus::Row(id)),
                Modal::About
                | Modal::Closing { .. }
                | Modal::Shortcuts
                | Modal::WhoSawTest { .. }
                | Modal::WipeHistory => None,
            });
        }
        self.modal = Some(modal);
    }

    fn open_menu(&mut self, id: super::TransferId, from: Focus) {
        self.menu = Some(id);
        self.menu_from = Some(from);
    }

    /// Closes the menu of a row; the keyboard goes back to where it was opened.
    pub(super) fn close_menu(&mut self) {
        if let Some(id) = self.menu.take() {
            self.focus = Some(self.menu_from.take().unwrap_or(Focus::Menu(id)));
        }
    }

    /// Closes what is open on top.
    pub(super) fn back(&mut self) {
        if self.menu.is_some() {
            self.close_menu();
        } else if self.modal.take().is_some() {
            self.focus = Some(self.beneath.take().unwrap_or(Focus::Before));
        }
    }

    /// The card of the first start has gone.
    fn welcomed(&mut self) -> Vec<Effect> {
        self.first_start = false;
        self.prefer(|kept| kept.welcomed = true)
    }

    /// The list whose line, or whose file, was typed.
    fn add_relays(&mut self) -> Vec<Effect> {
        let typed = self.settings.relay_line.trim().to_owned();
        match list_path(&typed) {
            _ if typed.is_empty() => Vec::new(),
            Some(path) => self.read_list(path),
            None => self.ask_relays(RelayWish::Add(typed)),
        }
    }

    fn read_list(&mut self, path: PathBuf) -> Vec<Effect> {
        self.settings.relay_trouble = None;
        vec![Effect::ReadRelayList(path)]
    }

    /// Shares the files of a list; what else it names is named together with what cannot be shared of them.
    pub(super) fn share_list(&mut self, list: UriList) -> Vec<Effect> {
        // The same words said again of other files could not be told from the old ones.
        if self.notice == self.said_of_files.take() {
            self.notice = None;
        }
        self.elsewhere.extend(list.elsewhere);
        if list.files.is_empty() {
            return self.enqueue(Vec::new());
        }
        vec![Effect::Look(LookPurpose::Share, list.files)]
    }

    /// The file that hangs over the window or was dropped, where it is used without a question: a relay list in Settings
    /// and where a pointer lacks relays, a file with a pointer on Receive. Anywhere else it came to be shared.
    #[must_use]
    pub fn used_when_dropped<'a>(&self, paths: &'a [PathBuf]) -> Option<(KnownFile, &'a Path)> {
        let [path] = paths else {
            return None;
        };
        let known = KnownFile::by_name(path)?;
        let is_wanted = match (known, self.screen) {
            (KnownFile::RelayList, Screen::Settings) | (KnownFile::Pointer, Screen::Receive) => {
                true
            }
            (KnownFile::RelayList, Screen::Receive) => self.receive.lacks_relays(),
            _ => false,
        };
        is_wanted.then_some((known, path))
    }

    fn use_file(&mut self, known: KnownFile, path: PathBuf) -> Vec<Effect> {
        match known {
            KnownFile::Pointer => vec![Effect::ReadPointerFile(path)],
            KnownFile::RelayList => self.read_list(path),
        }
    }

    /// Takes the file that is asked about.
    fn next_undecided(&mut self) -> Option<FoundPath> {
        (!self.undecided.is_empty()).then(|| self.undecided.remove(0))
    }

    /// Gives the keyboard to the next question, or to the screen.
    fn after_undecided(&mut self) {
        self.focus = Some(if self.undecided.is_empty() {
            self.home()
        } else {
            Focus::KnownFile
        });
    }

    fn dialog(&mut self, effect: Effect) -> Vec<Effect> {
        if self.dialog_open {
            return Vec::new();
        }
        self.dialog_open = true;
        vec![effect]
    }

    pub(super) fn saved_path(&self, id: super::TransferId) -> Option<PathBuf> {
        match &self.transfer(id)?.state {
            TransferState::Received(saved) => Some(saved.path.clone()),
            _ => None,
        }
    }

    fn read_pointer(&mut self, text: PointerText) -> Vec<Effect> {
        self.receive.text = text;
        self.receive.unread = true;
        if self.receive.reads_nothing() {
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

    /// A pointer of a link or a second start, at whatever moment: it takes nobody's place, and Download is not one key
    /// away.
    fn open_pointer(&mut self, pointer: PointerText) -> Vec<Effect> {
        self.screen = Screen::Receive;
        if self.receive.reads_nothing() {
            return self.read_pointer(pointer);
        }
        if self.receive.text.as_str().trim() != pointer.as_str().trim() {
            self.receive.opened = Some(pointer);
            self.announce(false, &text::pointer_opened().aloud());
        }
        Vec::new()
    }

    fn paste(&mut self, text: PointerText) -> Vec<Effect> {
        if self.modal.is_some() || text.as_str().trim().is_empty() {
            return Vec::new();
        }
        match UriList::from_text(text.as_str()) {
            Some(list) => {
                let effects = self.on_action(Action::Dropped(list));
                if matches!(effects[..], [Effect::Look(LookPurpose::Share, _)]) {
                    self.screen = Screen::Share;
                }
                effects
            }
            // On Receive it was meant, whatever it is; elsewhere only what could be a pointer.
            None if self.screen == Screen::Receive || looks_like_pointer(text.as_str()) => {
                self.fill_receive(text)
            }
            None => {
                self.say(Tone::Info, text::clipboard_empty());
                Vec::new()
            }
        }
    }

    /// Says something above the screen.
    pub fn say(&mut self, tone: Tone, message: UserMessage) {
        self.notify(Notice::new(tone, message));
    }

    /// Shows a notice above the screen.
    pub(super) fn notify(&mut self, notice: Notice) {
        let tone = notice.tone;
        let fails = matches!(tone, Tone::Warning | Tone::Danger);
        let words = if fails {
            notice.aloud()
        } else {
            notice.message.what.clone()
        };
        self.announce(tone == Tone::Danger, &words);
        self.notice = Some(notice);
        // Few readers speak announcements; each speaks what the keyboard comes to. Where all went well, it stays with what
        // the person has just used.
        if tone != Tone::Success {
            self.focus = Some(Focus::Notice);
        }
    }

    /// Says something to those who hear the window.
    pub(super) fn announce(&mut self, urgent: bool, words: &str) {
        self.announcement = Announcement {
            words: words.to_owned(),
            urgent,
            number: self.announcement.number + 1,
        };
    }
}

/// The file that was named in place of the line of a list, as file managers and people write it.
fn list_path(typed: &str) -> Option<PathBuf> {
    let typed = typed.trim_matches(['"', '\'']);
    if typed.starts_with("~/") {
        return Some(PathBuf::from(typed));
    }
    match UriList::from_text(typed)?.files.as_slice() {
        [path] => Some(path.clone()),
        _ => None,
    }
}

/// Begins as a pointer does: a text that is pasted takes the place of what is in the field, instead of going into it.
#[must_use]
pub fn is_pointer_text(text: &str) -> bool {
    let text = text.trim_start().to_ascii_lowercase();
    text.starts_with("cloak1") || text.starts_with("cloakroom:")
}

/// Could be a pointer, whole or damaged.
fn looks_like_pointer(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.contains("cloak1") || text.contains("cloakroom:")
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_named_by_its_path_as_people_and_file_managers_write_it() {
        for (typed, path) in [
            ("/home/ada/relays.json", Some("/home/ada/relays.json")),
            (
                "\"/home/ada/our relays.json\"",
                Some("/home/ada/our relays.json"),
            ),
            (
                "file:///home/ada/our%20relays.json",
                Some("/home/ada/our relays.json"),
            ),
            ("~/relays.json", Some("~/relays.json")),
            ("https://host/relays.json#k=5a", None),
            ("nonsense", None),
        ] {
            assert_eq!(list_path(typed), path.map(PathBuf::from), "{typed}");
        }
    }
}
