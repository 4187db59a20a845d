//! What a person chooses in Settings apart from servers and relays, and how it is kept.

use std::path::PathBuf;

use super::{
    Advanced, Announced, Contrast, DialogWork, Effect, Errand, Model, Motion, Preferences, Privacy,
    Reading, RelayOrigin, Screen, SettingsWork, Theme, Tone, WindowMessage, ZOOMS,
};
use crate::app::words::l10n::Language;
use crate::app::words::message::UserMessage;

/// What a person did in Settings.
pub enum SettingsAction {
    /// Open the system's dialog for the download folder.
    ChooseDownloads,
    /// Put what this program finds of itself on the clipboard.
    CopyDiagnostics,
    /// Write the history in the clear to a file of the person's choice.
    ExportHistory,
    /// Have clicks on `cloakroom:` links open this program, or no longer.
    OpenLinks(bool),
    /// Choose something that is kept between starts.
    Set(PreferenceChange),
    /// Go on with the default settings, where the person's own could not be read.
    UseDefaults,
    /// Larger (1) or smaller (-1) by one step, or as it was (0).
    Zoom(i8),
}

/// One preference and its new value; each is kept at once.
pub enum PreferenceChange {
    /// What few people change.
    Advanced(Advanced),
    /// Whether a copied pointer leaves the clipboard after a minute.
    ClearClipboard(bool),
    /// How strong colours are.
    Contrast(Contrast),
    /// Whether the pointer goes on the clipboard as soon as it is there.
    CopyWhenDone(bool),
    /// Whether the server with this address is reached without relays.
    Direct(String, bool),
    /// What the window speaks; without one the system's language.
    Language(Option<Language>),
    /// Whether a pointer names the relay list.
    ListInPointer(bool),
    /// Whether pointers are dots while another window is in front.
    MaskPointers(bool),
    /// Whether changes move.
    Motion(Motion),
    /// Whether a pointer shows the file's name.
    NameInPointer(bool),
    /// What is kept and said of transfers.
    Privacy(Privacy),
    /// Whether the rules of paths may yield where this list is too short for them.
    ShortList(RelayOrigin, bool),
    /// Light, dark or as the system.
    Theme(Theme),
}

impl Model {
    pub(super) fn on_settings(&mut self, action: SettingsAction) -> Vec<Effect> {
        match action {
            SettingsAction::ChooseDownloads => self.choose_downloads(),
            SettingsAction::CopyDiagnostics => vec![Effect::from(SettingsWork::Diagnose)],
            SettingsAction::ExportHistory => vec![Effect::from(DialogWork::ExportHistory)],
            SettingsAction::OpenLinks(on) => vec![Effect::from(SettingsWork::OpenLinks(on))],
            SettingsAction::Set(change) => self.set(change),
            SettingsAction::UseDefaults => vec![Effect::from(SettingsWork::UseDefaults)],
            SettingsAction::Zoom(step) => self.zoom_to(self.settings.preferences.zoomed(step)),
        }
    }

    fn set(&mut self, change: PreferenceChange) -> Vec<Effect> {
        match change {
            PreferenceChange::Advanced(advanced) => {
                let mut effects = self.prefer(|kept| kept.advanced = advanced);
                effects.extend(self.start_waiting());
                effects
            }
            PreferenceChange::ClearClipboard(on) => self.prefer(|kept| kept.clear_clipboard = on),
            PreferenceChange::Contrast(contrast) => self.prefer(|kept| kept.contrast = contrast),
            PreferenceChange::CopyWhenDone(on) => self.prefer(|kept| kept.copy_when_done = on),
            PreferenceChange::Direct(address, direct) => self.set_direct(&address, direct),
            PreferenceChange::Language(language) => self.prefer(|kept| kept.language = language),
            PreferenceChange::ListInPointer(on) => self.prefer(|kept| kept.list_in_pointer = on),
            PreferenceChange::MaskPointers(on) => self.prefer(|kept| kept.mask_pointers = on),
            PreferenceChange::Motion(motion) => self.prefer(|kept| kept.motion = motion),
            PreferenceChange::NameInPointer(on) => self.prefer(|kept| kept.name_in_pointer = on),
            PreferenceChange::Privacy(privacy) => self.set_privacy(privacy),
            PreferenceChange::ShortList(list, on) => self.prefer(|kept| {
                kept.short_lists.retain(|origin| *origin != list);
                if on {
                    kept.short_lists.push(list);
                }
            }),
            PreferenceChange::Theme(theme) => self.prefer(|kept| kept.theme = theme),
        }
    }

    fn set_direct(&mut self, address: &str, direct: bool) -> Vec<Effect> {
        let mut effects = self.prefer(|kept| {
            let servers = kept.servers.iter_mut();
            for server in servers.filter(|server| server.address == address) {
                server.direct = direct;
            }
        });
        // Whoever goes back to the relays has not helped what failed.
        if direct {
            effects.extend(self.go_on_where_relays_help());
        }
        effects
    }

    fn choose_downloads(&mut self) -> Vec<Effect> {
        self.settings.folder_trouble = None;
        let has_card = matches!(self.receive.reading, Reading::Known(_));
        if self.screen == Screen::Receive && has_card {
            self.errand = Some(Errand::Card);
        }
        let folder = self.settings.preferences.downloads.clone();
        self.dialog(Effect::from(DialogWork::PickFolder(folder)))
    }

    /// Takes in the folder that the system's dialog was closed with.
    pub(super) fn on_folder(&mut self, folder: Option<PathBuf>) -> Vec<Effect> {
        self.dialog_open = false;
        let Some(folder) = folder else {
            self.forget_folder_errand();
            return Vec::new();
        };
        let mut effects = self.prefer(|kept| kept.downloads = folder);
        // In Settings it is no help for what sent the person there.
        if self.screen != Screen::Settings {
            effects.extend(self.go_on());
        }
        effects
    }

    /// There is no dialog for the folder.
    pub(super) fn on_no_folder_dialog(&mut self, message: UserMessage) {
        self.dialog_open = false;
        self.forget_folder_errand();
        self.announce(true, Announced::Worded(message.clone()));
        if self.screen == Screen::Settings {
            self.settings.folder_trouble = Some(message);
        } else {
            self.say(Tone::Danger, message);
        }
    }

    /// The default settings apply now, or not; says where the old file is.
    pub(super) fn on_defaults(
        &mut self,
        used: Result<Option<PathBuf>, UserMessage>,
    ) -> Vec<Effect> {
        match used {
            Ok(aside) => {
                self.say(Tone::Warning, WindowMessage::DefaultSettingsUsed(aside));
                self.keep()
            }
            Err(message) => {
                self.say(Tone::Danger, message);
                Vec::new()
            }
        }
    }

    /// What was found of this program is on the clipboard, or not.
    pub(super) fn on_diagnostics_copied(&mut self, taken: bool) {
        if taken {
            self.say(Tone::Success, WindowMessage::DiagnosticsCopied);
        } else {
            self.say(Tone::Danger, WindowMessage::ClipboardRefused);
        }
    }

    pub(super) fn keep(&self) -> Vec<Effect> {
        let mut effects = vec![Effect::from(SettingsWork::Save(self.settings.snapshot()))];
        // Whether a pointer works from here depends on server and relays.
        effects.extend(self.describe_again());
        effects
    }

    /// Changes what is kept, and keeps it.
    pub(super) fn prefer(&mut self, change: impl FnOnce(&mut Preferences)) -> Vec<Effect> {
        change(&mut self.settings.preferences);
        self.keep()
    }

    fn zoom_to(&mut self, zoom: u16) -> Vec<Effect> {
        if self.settings.preferences.zoom == zoom || !ZOOMS.contains(&zoom) {
            return Vec::new();
        }
        self.announce(false, Announced::Zoom(zoom));
        self.prefer(|kept| kept.zoom = zoom)
    }
}
