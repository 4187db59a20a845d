//! The remedy of a transfer that failed, and the way back from Settings to what sent the person there.

use super::{
    Effect, Focus, Model, ReceiveAction, Screen, ServerAction, SettingsAction, TransferId,
    TransferJob, TransferState, WindowAction,
};
use crate::app::settings::ServerChoice;
use crate::app::words::message::Remedy;
use crate::protocol::address::ServerAddress;

/// Where the person returns once Settings have what was missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReturnTo {
    /// To the pointer in Receive.
    Pointer,
    /// To the row that failed.
    Row(TransferId),
}

impl Model {
    /// Does what helps a row that failed; a row that was stopped is tried again.
    pub(super) fn remedy(&mut self, id: TransferId) -> Vec<Effect> {
        let remedy = match self.transfer(id).map(|row| &row.state) {
            Some(TransferState::Failed(trouble)) => trouble.remedy(),
            Some(TransferState::Cancelled | TransferState::Interrupted | TransferState::Paused) => {
                Remedy::Retry
            }
            _ => return Vec::new(),
        };
        let effects = match remedy {
            Remedy::AccessWord => {
                let row = self.transfer(id);
                let went_to = row.and_then(|row| row.goes_to.as_ref());
                match went_to.unwrap_or(&self.settings.chosen).clone() {
                    ServerChoice::Server(address) => {
                        let effects = self.on_action(WindowAction::Go(Screen::Settings));
                        self.open_word(address);
                        effects
                    }
                    ServerChoice::BuiltIn => self.on_action(ServerAction::Choose),
                }
            }
            // The row failed before the person decided that.
            Remedy::DefaultSettings if self.made_while_unread.is_none() => {
                self.retry(|row| row.id == id)
            }
            Remedy::DefaultSettings => self.on_action(SettingsAction::UseDefaults),
            Remedy::Folder => self.on_action(SettingsAction::ChooseDownloads),
            Remedy::NewerList => match self.server_of(id) {
                Some(server) => self.see_newer_list(&server),
                None => self.on_action(WindowAction::Go(Screen::Settings)),
            },
            Remedy::Nothing => Vec::new(),
            Remedy::Options => {
                self.screen = Screen::Share;
                self.options_open = true;
                self.focus = Some(Focus::Zone);
                Vec::new()
            }
            Remedy::Paste => {
                self.focus = Some(Focus::Pointer);
                self.on_action(ReceiveAction::Paste)
            }
            Remedy::Relays => {
                let server = self.server_of(id);
                match server
                    .as_ref()
                    .and_then(|server| self.place_of_joined(server))
                {
                    // Its relays are its own: what helps stands in its row.
                    Some(at) => {
                        let effects = self.on_action(WindowAction::Go(Screen::Settings));
                        self.focus = Some(Focus::NetworkMenu(at));
                        effects
                    }
                    None => self.choose_relays_for(server),
                }
            }
            Remedy::Retry => self.retry(|row| row.id == id),
            Remedy::Server => self.on_action(ServerAction::Choose),
        };
        // The dialog for a folder opens wherever the row is.
        if remedy == Remedy::Folder || self.screen == Screen::Settings && remedy.then_retry() {
            self.return_to = Some(ReturnTo::Row(id));
        }
        effects
    }

    /// The dialog for a folder was closed without one: nothing waits for a folder any more, unless the person went to
    /// Settings for it.
    pub(super) fn forget_return_for_folder(&mut self) {
        if self.screen != Screen::Settings {
            self.return_to = None;
        }
    }

    /// Returns to what sent the person to Settings, which now have what was missing. A row is tried again by itself,
    /// unless its file would go to another server than the one that it was shared to.
    pub(super) fn return_from_settings(&mut self) -> Vec<Effect> {
        // Where relays are still missing the person is not done.
        if self.lacks_relays() {
            return Vec::new();
        }
        self.settings_screen.relays_of = None;
        match self.return_to.take() {
            None => Vec::new(),
            Some(ReturnTo::Pointer) => {
                self.screen = Screen::Receive;
                self.focus = Some(Focus::Download);
                Vec::new()
            }
            Some(ReturnTo::Row(id)) => {
                let Some(row) = self.transfer(id) else {
                    return Vec::new();
                };
                let (screen, sends_elsewhere) = match row.job {
                    // A file goes by itself only where it was meant to go.
                    TransferJob::Share(_) => {
                        let chosen = &self.settings.chosen;
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

    /// Returns to the row that failed while a newer relay list of one of these servers waited, now that none waits there.
    pub(super) fn return_where_newer_list_helps(
        &mut self,
        accepted: &[ServerAddress],
    ) -> Vec<Effect> {
        let Some(ReturnTo::Row(id)) = self.return_to else {
            return Vec::new();
        };
        let row = self.transfer(id).map(|row| &row.state);
        let failed_for_it =
            matches!(row, Some(TransferState::Failed(why)) if why.remedy() == Remedy::NewerList);
        let server = self.server_of(id);
        if failed_for_it && server.is_some_and(|server| accepted.contains(&server)) {
            self.return_from_settings()
        } else {
            Vec::new()
        }
    }

    /// Like [`Self::return_from_settings`], after a change of the route to servers: a row that failed for another
    /// reason goes on waiting.
    pub(super) fn return_where_relays_help(&mut self) -> Vec<Effect> {
        if let Some(ReturnTo::Row(id)) = self.return_to {
            let row = self.transfer(id).map(|row| &row.state);
            let wants_relays =
                matches!(row, Some(TransferState::Failed(why)) if why.remedy() == Remedy::Relays);
            if !wants_relays {
                return Vec::new();
            }
        }
        self.return_from_settings()
    }
}
