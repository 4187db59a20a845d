//! What a person chooses in Settings apart from servers and relays; and how every change of the settings is made and kept.

use std::path::PathBuf;

use super::{
    Announced, DialogWork, Effect, Model, Reading, ReturnTo, Screen, SettingsInUse, SettingsWork,
    Tone, WindowMessage,
};
use crate::app::settings::Change;
use crate::app::words::message::UserMessage;

/// What a person did in Settings.
pub enum SettingsAction {
    /// Change a setting.
    Change(Box<Change>),
    /// Open the system's dialog for the download folder.
    ChooseDownloads,
    /// Copy the diagnostics.
    CopyDiagnostics,
    /// Write the history in the clear to a file of the person's choice.
    ExportHistory,
    /// Have clicks on `cloakroom:` links open this program, or no longer.
    OpenLinks(bool),
    /// Go on with the default settings, where the person's own could not be read.
    UseDefaults,
    /// Larger (1) or smaller (-1) by one step, or as it was (0).
    Zoom(i8),
}

impl Model {
    pub(super) fn on_settings(&mut self, action: SettingsAction) -> Vec<Effect> {
        match action {
            SettingsAction::Change(change) => self.on_change(*change),
            SettingsAction::ChooseDownloads => self.choose_downloads(),
            SettingsAction::CopyDiagnostics => vec![Effect::from(SettingsWork::Diagnose)],
            SettingsAction::ExportHistory => vec![Effect::from(DialogWork::ExportHistory)],
            SettingsAction::OpenLinks(on) => vec![Effect::from(SettingsWork::OpenLinks(on))],
            SettingsAction::UseDefaults => vec![Effect::from(SettingsWork::UseDefaults)],
            SettingsAction::Zoom(step) => self.zoom_to(self.zoomed(step)),
        }
    }

    /// Makes a change, and what follows from it.
    fn on_change(&mut self, change: Change) -> Vec<Effect> {
        match change {
            Change::History(on) => self.set_history(on),
            Change::ParallelShares(_) => {
                let mut effects = self.change(change);
                effects.extend(self.start_waiting());
                effects
            }
            // Whoever goes back to the relays has not helped what failed.
            Change::Direct(_, true) => {
                let mut effects = self.change(change);
                effects.extend(self.return_where_relays_help());
                effects
            }
            change => self.change(change),
        }
    }

    fn choose_downloads(&mut self) -> Vec<Effect> {
        self.settings_screen.folder_trouble = None;
        let has_card = matches!(self.receive.reading, Reading::Known(_));
        if self.screen == Screen::Receive && has_card {
            self.return_to = Some(ReturnTo::Pointer);
        }
        let folder = self.downloads().to_owned();
        self.dialog(Effect::from(DialogWork::PickFolder(folder)))
    }

    /// Takes in the folder that the system's dialog was closed with.
    pub(super) fn on_folder(&mut self, folder: Option<PathBuf>) -> Vec<Effect> {
        self.dialog_open = false;
        let Some(folder) = folder else {
            self.forget_return_for_folder();
            return Vec::new();
        };
        // Whoever chooses the usual folder has no choice to keep.
        let chosen = (folder != self.usual_downloads).then_some(folder);
        let mut effects = self.change(Change::DownloadFolder(chosen));
        // In Settings it is no help for what sent the person there.
        if self.screen != Screen::Settings {
            effects.extend(self.return_from_settings());
        }
        effects
    }

    /// Reports that the system has no dialog for folders.
    pub(super) fn on_no_folder_dialog(&mut self, message: UserMessage) {
        self.dialog_open = false;
        self.forget_return_for_folder();
        self.announce(true, Announced::Worded(message.clone()));
        if self.screen == Screen::Settings {
            self.settings_screen.folder_trouble = Some(message);
        } else {
            self.say(Tone::Danger, message);
        }
    }

    /// Settings that could not be read hold nothing up any more, or still do. Says which apply, and where the old file is.
    pub(super) fn on_settings_in_use(
        &mut self,
        in_use: Result<SettingsInUse, UserMessage>,
    ) -> Vec<Effect> {
        let in_use = match in_use {
            Ok(in_use) => in_use,
            Err(message) => {
                self.say(Tone::Danger, message);
                return Vec::new();
            }
        };
        // The second of two clicks changes nothing.
        let Some(made) = self.made_while_unread.take() else {
            return Vec::new();
        };
        let mut effects = Vec::new();
        match in_use {
            SettingsInUse::Default(aside) => {
                self.say(Tone::Warning, WindowMessage::DefaultSettingsUsed(aside));
            }
            SettingsInUse::Own(read) => {
                self.settings = *read;
                made.iter().for_each(|change| self.settings.apply(change));
                self.say(Tone::Success, WindowMessage::SettingsReadAgain);
                effects = self.begin();
            }
        }
        // Whoever had settings is not here for the first time. What could not be written before is written with it.
        effects.extend(self.change(Change::Welcomed));
        effects
    }

    /// Reports whether the clipboard took the diagnostics.
    pub(super) fn on_diagnostics_copied(&mut self, taken: bool) {
        if taken {
            self.say(Tone::Success, WindowMessage::DiagnosticsCopied);
        } else {
            self.say(Tone::Danger, WindowMessage::ClipboardRefused);
        }
    }

    /// Makes a change of the settings, here and in their file.
    pub(super) fn change(&mut self, change: Change) -> Vec<Effect> {
        self.change_all(vec![change])
    }

    /// Makes changes of the settings, here and in their file, where they are written as one.
    pub(super) fn change_all(&mut self, changes: Vec<Change>) -> Vec<Effect> {
        for change in &changes {
            self.settings.apply(change);
        }
        if let Some(made) = &mut self.made_while_unread {
            made.extend_from_slice(&changes);
        }
        let save = SettingsWork::Save(changes, self.settings_now());
        let mut effects = vec![Effect::from(save)];
        // Whether a pointer works from here depends on server and relays.
        effects.extend(self.describe_again());
        effects
    }

    fn zoom_to(&mut self, zoom: u16) -> Vec<Effect> {
        if self.settings.zoom == zoom {
            return Vec::new();
        }
        self.announce(false, Announced::Zoom(zoom));
        self.change(Change::Zoom(zoom))
    }
}
