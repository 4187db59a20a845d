//! Loads and saves the settings for the window's worker, and falls back to the default settings when the file cannot
//! be read.

use std::sync::atomic::Ordering;

use super::App;
use crate::app::error::AppError;
use crate::app::settings::{Change, Settings, SettingsError, UnreadSettings, usual_downloads};
use crate::app::words::message::UserMessage;
use crate::gui::model::{LoadedSettings, SettingsInUse};

impl App {
    /// Reads the settings. Where they cannot be read, the default ones are shown and nothing is sent.
    pub(super) fn load_settings(&self) -> LoadedSettings {
        let (settings, trouble) = match Settings::load(self.home()) {
            Ok(settings) => (settings, None),
            Err(unread) => {
                *self.unread.lock() = Some(unread.clone());
                let settings = Settings {
                    // Whoever has settings is not here for the first time.
                    welcomed: true,
                    ..Settings::default()
                };
                (settings, Some(UserMessage::from(&AppError::from(unread))))
            }
        };
        LoadedSettings {
            settings,
            usual_downloads: usual_downloads(),
            trouble,
        }
    }

    /// Replaces settings that cannot be read by the default ones, and puts their file aside; a file written by a newer
    /// version stays in place. Where the file was mended meanwhile, its settings apply instead. Nothing is done, and none
    /// returned, when this was decided before.
    ///
    /// # Errors
    /// The file cannot be moved; everything is as before then.
    pub(super) fn go_on(&self) -> Result<Option<SettingsInUse>, UserMessage> {
        let mut unread = self.unread.lock();
        if unread.is_none() {
            return Ok(None);
        }
        let in_use = match Settings::read_or_put_aside(self.home()) {
            Ok((_, aside @ Some(_))) => SettingsInUse::Default(aside),
            Ok((read, None)) => SettingsInUse::Own(Box::new(read)),
            Err(SettingsError::Newer) => {
                self.read_only.store(true, Ordering::SeqCst);
                SettingsInUse::Default(None)
            }
            Err(error) => return Err(UserMessage::from(&AppError::SettingsFile(error))),
        };
        *unread = None;
        Ok(Some(in_use))
    }

    /// Makes changes in the file of the settings.
    ///
    /// # Errors
    /// The file cannot be read or written; it is untouched then.
    pub(super) fn save_changes(
        &self,
        changes: &[Change],
        settings: &Settings,
    ) -> Result<(), UserMessage> {
        // What was not read is not written over.
        if let Some(unread) = self.unread() {
            return Err(UserMessage::from(&AppError::from(unread)));
        }
        if self.read_only.load(Ordering::SeqCst) {
            return Ok(());
        }
        let saved = settings.save_changes(changes, self.home());
        saved.map_err(|error| UserMessage::from(&AppError::SettingsFile(error)))
    }

    /// Why the settings could not be read, until the person says how to go on.
    pub(super) fn unread(&self) -> Option<UnreadSettings> {
        self.unread.lock().clone()
    }
}
