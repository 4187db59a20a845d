//! How an action or an event changes the model, and what it sets off.

use super::{Action, ClipboardWork, Effect, Event, Input, LookPurpose, Model, Timer, Tone};

impl Model {
    /// Takes one input in and says what is to be done.
    pub(crate) fn update(&mut self, input: impl Into<Input>) -> Vec<Effect> {
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

    pub(super) fn on_action(&mut self, action: impl Into<Action>) -> Vec<Effect> {
        // What was said has been heard, or is no longer so.
        self.announcement.what = None;
        match action.into() {
            Action::Arrived(arrival) => self.on_arrival(arrival),
            Action::Focus(action) => {
                self.on_focus(action);
                Vec::new()
            }
            Action::Join(action) => self.on_join(action),
            Action::List(action) => self.on_list(action),
            Action::Modal(action) => self.on_modal(action),
            Action::Network(action) => self.on_network(action),
            Action::Nodes(action) => self.on_nodes(action),
            Action::Receive(action) => self.on_receive(action),
            Action::Relays(action) => self.on_relays(action),
            Action::Row(id, action) => self.on_row(id, action),
            Action::Server(action) => self.on_server(action),
            Action::Settings(action) => self.on_settings(action),
            Action::Share(action) => self.on_share(action),
            Action::Window(action) => self.on_window(action),
        }
    }

    fn on_event(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Copied(id, Ok(())) => return self.pointer_copied(id),
            Event::Copied(_, Err(message)) | Event::Failed(message) => {
                self.say(Tone::Danger, message);
            }
            Event::SettingsInUse(in_use) => return self.on_settings_in_use(in_use),
            Event::Discarded(id, result) => self.discarded(id, result),
            Event::Described(described) => self.on_described(described),
            Event::Diagnosed(found) => {
                return vec![Effect::from(ClipboardWork::CopyDiagnostics(found))];
            }
            Event::DiagnosticsCopied(taken) => self.on_diagnostics_copied(taken),
            Event::Elapsed(timer) => return self.on_elapsed(timer),
            Event::Examined(id, why, found) => return self.on_examined(id, why, found),
            Event::Fetched(run, result) => return self.fetched(run, result),
            Event::FilesChosen(paths) => return self.files_chosen(paths),
            Event::FilesPasted(list) => return self.files_pasted(list),
            Event::FolderChosen(folder) => return self.on_folder(folder),
            Event::History(news) => self.on_history(news),
            Event::InvitationCopied(taken) => return self.invitation_copied(taken),
            Event::InvitationSaved(saved) => self.invitation_saved(saved),
            Event::Invited(what, server, made) => return self.on_invited(what, &server, made),
            Event::Joined(run, ended) => return self.on_joined(run, ended),
            Event::NodesFileRead(read) => return self.on_nodes_file(read),
            Event::NetworksSeen(seen) => return self.on_networks_seen(seen),
            Event::KeptListRead(read) => self.on_kept_list(read),
            Event::Kept(run, id) => self.on_kept(run, id),
            Event::Left(left) => self.on_left(left),
            Event::Listed(run, result) => self.on_listed(run, result),
            Event::Links(ours) => self.settings_screen.links = Some(ours),
            Event::Looked(LookPurpose::Hover, found) => self.hover_looked(found),
            Event::Looked(LookPurpose::Share, found) => return self.enqueue(found),
            Event::Managed(id, result) => return self.managed(id, result),
            Event::NoFolderDialog(message) => self.on_no_folder_dialog(message),
            Event::PointerFileRead(read) => return self.on_pointer_file(read),
            Event::Progress(run, stage, at) => {
                if !self.join_progress(run, stage) {
                    return self.progress(run, stage, at);
                }
            }
            Event::RelayListDismissed => self.dialog_open = false,
            Event::RelayListRead(read) => return self.on_relay_list(read),
            Event::Relays(network, result) => {
                return self.relays_answered(network.as_ref(), result);
            }
            Event::Remembered(id, entry) => return self.on_remembered(id, entry),
            Event::Shared(run, result) => return self.shared(run, result),
            Event::SystemLook(look) => self.system = look,
            Event::Terms(choice, terms) => self.on_terms(choice, terms),
            Event::Tested(choice, result) => return self.on_tested(choice, result),
        }
        Vec::new()
    }

    fn on_elapsed(&mut self, timer: Timer) -> Vec<Effect> {
        match timer {
            Timer::Clipboard(copy) => {
                let last = self.last_copied.take_if(|_| copy == self.copies);
                last.map(|text| Effect::from(ClipboardWork::Clear(text)))
                    .into_iter()
                    .collect()
            }
            Timer::Copied(copy) => {
                if copy == self.copies {
                    self.copied = None;
                    if let Some(sheet) = &mut self.settings_screen.invite {
                        sheet.copied = false;
                    }
                }
                Vec::new()
            }
            Timer::Slow(run, moves) => {
                let again =
                    (self.of_run(run)).and_then(|transfer| transfer.look_whether_it_moved(moves));
                again.map(Effect::from).into_iter().collect()
            }
            Timer::Undo(removal) => self.undo_elapsed(removal),
        }
    }
}
