//! The window's preferences and the file of the settings: reading, keeping, going on where the file cannot be read.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::App;
use crate::app::error::AppError;
use crate::app::relays::RelaySource;
use crate::app::settings::config::{self, Config, ConfigError, ServerEntry, UnreadSettings};
use crate::app::words::message::UserMessage;
use crate::gui::model::{
    Advanced, ChosenServer, KnownServer, Motion, Preferences, Privacy, RelayOrigin, ShareOptions,
    ZOOMS,
};
use crate::protocol::address::ServerAddress;

impl App {
    /// Reads the settings. Where they cannot be read, the default ones are shown and nothing is sent; why is returned too.
    pub(super) fn load_settings(&self) -> (Preferences, Option<UserMessage>) {
        let (config, trouble) = match Config::load(self.home()) {
            Ok(config) => (config, None),
            Err(unread) => {
                *lock(&self.unread) = Some(unread.clone());
                let mut config = Config::default();
                // Whoever has settings is not here for the first time.
                config.welcomed = true;
                (config, Some(UserMessage::from(&AppError::from(unread))))
            }
        };
        let list = Self::named_list(&config.relays);
        let preferences = Preferences {
            servers: config.servers.iter().map(known_server).collect(),
            chosen: match config.chosen_entry() {
                Some(entry) => ChosenServer::Address(entry.address.to_string()),
                None => ChosenServer::BuiltIn,
            },
            relay_list: list,
            short_lists: config
                .short_lists
                .iter()
                .filter_map(Self::origin_of)
                .collect(),
            downloads: config.download_folder(),
            theme: config.theme,
            contrast: config.contrast,
            motion: if config.reduced_motion {
                Motion::Reduced
            } else {
                Motion::System
            },
            language: config.language,
            zoom: nearest_zoom(config.zoom),
            options: ShareOptions::default(),
            name_in_pointer: config.name_in_pointer,
            list_in_pointer: config.pointer_carries_relay_list,
            copy_when_done: config.copy_when_done,
            clear_clipboard: config.clear_clipboard,
            mask_pointers: config.mask_pointers,
            proxy: config.proxy.clone(),
            welcomed: config.welcomed,
            privacy: Privacy {
                history: config.history,
                notify: config.notify,
                notify_names: config.notify_names,
            },
            advanced: Advanced {
                display: config.display,
                renderer: config.renderer,
                parallel_shares: config.parallel_shares,
            },
        };
        *lock(&self.config) = config;
        // As the window says it: what it cannot say exactly, as a size between two steps, nobody has changed by that.
        let said = self.to_config(&preferences);
        *lock(&self.config) = said;
        (preferences, trouble)
    }

    /// Goes on with the default settings in place of some that cannot be read. Returns where their file is now, if it was put
    /// aside; a newer version's stays.
    ///
    /// # Errors
    /// The file cannot be moved; everything is as before then.
    pub(super) fn go_on_with_defaults(&self) -> Result<Option<PathBuf>, UserMessage> {
        let aside = match Config::put_aside(self.home()) {
            Ok(aside) => aside,
            Err(ConfigError::Newer) => {
                self.read_only.store(true, Ordering::SeqCst);
                None
            }
            Err(error) => return Err(UserMessage::from(&AppError::Config(error))),
        };
        *lock(&self.unread) = None;
        Ok(aside)
    }

    /// Writes what the person changed since the settings were read or written.
    ///
    /// # Errors
    /// The file cannot be read or written; it is untouched then.
    pub(super) fn save_settings(&self, preferences: &Preferences) -> Result<(), UserMessage> {
        // What was not read is not written over.
        if let Some(unread) = self.unread() {
            return Err(UserMessage::from(&AppError::from(unread)));
        }
        let config = self.to_config(preferences);
        if !self.read_only.load(Ordering::SeqCst) {
            let before = lock(&self.config).clone();
            config
                .save_changes(&before, self.home())
                .map_err(|error| UserMessage::from(&AppError::Config(error)))?;
        }
        *lock(&self.config) = config;
        Ok(())
    }

    /// Why the settings could not be read, until the person says how to go on.
    pub(super) fn unread(&self) -> Option<UnreadSettings> {
        lock(&self.unread).clone()
    }

    /// Where the relays are from that the window shows.
    pub(crate) fn relay_source(preferences: &Preferences) -> RelaySource {
        let list = preferences.relay_list.as_ref();
        list.map_or(RelaySource::BuiltIn, |list| Self::source_of(&list.origin))
    }

    /// What the window calls it; nothing for the built-in network's relays.
    pub(crate) fn origin_of(source: &RelaySource) -> Option<RelayOrigin> {
        match source {
            RelaySource::BuiltIn => None,
            RelaySource::File(path) => Some(RelayOrigin::File(path.clone())),
            RelaySource::Session => Some(RelayOrigin::Session),
            RelaySource::Url(line) => Some(RelayOrigin::Line(line.to_string())),
        }
    }

    /// What the window calls so.
    pub(crate) fn source_of(origin: &RelayOrigin) -> RelaySource {
        match origin {
            RelayOrigin::File(path) => RelaySource::File(path.clone()),
            RelayOrigin::Session => RelaySource::Session,
            // The window holds only lines that were understood.
            RelayOrigin::Line(line) => line.parse().map_or(RelaySource::BuiltIn, RelaySource::Url),
        }
    }

    /// The settings as the window shows them, with what it does not show.
    pub(super) fn to_config(&self, preferences: &Preferences) -> Config {
        let mut config = lock(&self.config).clone();
        let known = std::mem::take(&mut config.servers);
        for server in &preferences.servers {
            // The window holds only addresses that were understood.
            let Ok(address) = server.address.parse::<ServerAddress>() else {
                continue;
            };
            // What a newer version keeps with it stays.
            let known = known.iter().find(|entry| entry.address == address);
            let mut entry = known
                .cloned()
                .unwrap_or_else(|| ServerEntry::new("", address));
            entry.name.clone_from(&server.name);
            entry.direct = server.direct;
            entry.access_word.clone_from(&server.access_word);
            config.servers.push(entry);
        }
        config.chosen = match &preferences.chosen {
            ChosenServer::BuiltIn => config::ServerChoice::BuiltIn,
            ChosenServer::Address(address) => address
                .parse::<ServerAddress>()
                .map_or(config::ServerChoice::BuiltIn, |address| {
                    config::ServerChoice::Server(address.key)
                }),
        };
        config.relays = Self::relay_source(preferences);
        config.short_lists = preferences
            .short_lists
            .iter()
            .map(Self::source_of)
            .collect();
        config.pointer_carries_relay_list = preferences.list_in_pointer;
        let usual = Config::default().download_folder();
        config.download_folder =
            (preferences.downloads != usual).then(|| preferences.downloads.clone());
        config.proxy = preferences.proxy.clone();
        config.theme = preferences.theme;
        config.contrast = preferences.contrast;
        config.reduced_motion = preferences.motion == Motion::Reduced;
        config.language = preferences.language;
        config.zoom = preferences.zoom;
        config.name_in_pointer = preferences.name_in_pointer;
        config.copy_when_done = preferences.copy_when_done;
        config.clear_clipboard = preferences.clear_clipboard;
        config.mask_pointers = preferences.mask_pointers;
        config.welcomed = preferences.welcomed;
        config.history = preferences.privacy.history;
        config.notify = preferences.privacy.notify;
        config.notify_names = preferences.privacy.notify_names;
        config.display = preferences.advanced.display;
        config.renderer = preferences.advanced.renderer;
        config.parallel_shares = preferences.advanced.parallel_shares;
        config
    }
}

/// A server that the settings do not have yet.
pub(super) fn server(address: &ServerAddress) -> KnownServer {
    KnownServer {
        address: address.to_string(),
        name: address.url.authority().to_owned(),
        direct: false,
        access_word: None,
    }
}

/// A server as it stands in the settings.
fn known_server(entry: &ServerEntry) -> KnownServer {
    KnownServer {
        name: entry.shown_name().to_owned(),
        direct: entry.direct,
        access_word: entry.access_word.clone(),
        ..server(&entry.address)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file that a person edited can say anything.
fn nearest_zoom(zoom: u16) -> u16 {
    let nearest = ZOOMS.into_iter().min_by_key(|step| step.abs_diff(zoom));
    nearest.unwrap_or(100)
}
