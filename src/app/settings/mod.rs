//! What a person has decided: networks, folders, look. One type, [`Settings`], is what the file holds, what every use
//! case goes by and what the window shows; one type, [`Change`], changes it in the window and in the file alike.
//!
//! A new setting is a field here with its default, a change in `change`, a row in `gui/view/settings.rs`, and its words in
//! `gui/text/texts.rs` and `assets/l10n`. A setting that exposes something when its key is misspelled goes into `misspelled` too.

mod change;
mod error;
mod file;
mod home;
mod look;
mod misspelled;
mod older;
mod servers;
mod text;

use std::ops::RangeInclusive;
use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize};

pub use self::change::Change;
pub use self::error::{SettingsError, UnreadSettings};
pub(crate) use self::file::older_settings_names;
pub use self::home::{Home, usual_downloads};
pub use self::look::{Contrast, Display, Renderer, SeveralThings, Theme};
pub use self::servers::{ServerChoice, ServerEntry};
use super::relays::set::{NetworkId, RelaySource};
use super::words::l10n::Language;
use crate::net::socks::SocksProxy;
use crate::protocol::address::ServerAddress;
use crate::protocol::capability::AccessWord;
use crate::protocol::keys::Ed25519Public;

/// Version 1 named the chosen server by its key alone; versions 1 and 2 had one source of relays for all servers.
const VERSION: i64 = 3;

/// The settings of a person, in the form of their file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Version of the file's form: 3.
    pub version: i64,
    /// The network that new files go to.
    #[serde(rename = "network", with = "text")]
    pub chosen: ServerChoice,
    /// Lists on which the rules of paths may yield where the list is too short for them.
    #[serde(
        rename = "short_lists_allowed",
        with = "text::list",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub short_lists: Vec<RelaySource>,
    /// Whether a pointer names the relay list, when that is one by URL, for recipients who have none.
    pub pointer_carries_relay_list: bool,
    /// The proxy to the first relay, and to servers without relays; without one connections are direct.
    #[serde(with = "text::optional", skip_serializing_if = "Option::is_none")]
    pub proxy: Option<SocksProxy>,
    /// Where received files go; without one see [`Settings::download_folder`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub download_folder: Option<PathBuf>,
    /// How the window looks.
    pub theme: Theme,
    /// How strong the window's colours are.
    pub contrast: Contrast,
    /// Whether nothing in the window moves, whatever the system says.
    pub reduced_motion: bool,
    /// What the window speaks; without one the system's language, where it can.
    #[serde(with = "text::language", skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// Size of everything in the window, per cent, within [`ZOOM`].
    #[serde(deserialize_with = "possible_zoom")]
    pub zoom: u16,
    /// Whether the window puts a pointer on the clipboard as soon as it is there.
    pub copy_when_done: bool,
    /// Whether the window takes a copied pointer off the clipboard after a minute.
    pub clear_clipboard: bool,
    /// Whether the window hides pointers while another one is in front.
    pub mask_pointers: bool,
    /// Whether the first start's card was read.
    pub welcomed: bool,
    /// Whether a pointer holds the file's name.
    pub name_in_pointer: bool,
    /// Whether finished transfers are kept for the next start.
    pub history: bool,
    /// Whether the desktop says when a transfer ends while the window is not in front.
    pub notify: bool,
    /// Whether it then names the file.
    pub notify_names: bool,
    /// Which display system the window opens on.
    pub display: Display,
    /// What draws the window.
    pub renderer: Renderer,
    /// How many files the window shares at the same time: 1 to [`MAX_PARALLEL`].
    #[serde(deserialize_with = "possible_parallel")]
    pub parallel_shares: u8,
    /// How the window shares several files or folders that came together.
    pub several_things: SeveralThings,
    /// The networks that were joined or put together, in the person's order. Each server's address stands there once; several
    /// can have the same key, and what is decided about one of them holds for no other.
    // Tables come last in TOML.
    #[serde(rename = "networks", skip_serializing_if = "Vec::is_empty")]
    pub servers: Vec<ServerEntry>,
    /// Keys that only newer versions know, with their values.
    #[serde(flatten)]
    pub unknown: toml::Table,
}

/// How many files can be shared at the same time.
pub(crate) const MAX_PARALLEL: u8 = 4;

/// The sizes that the window can have, per cent.
pub(crate) const ZOOM: RangeInclusive<u16> = 90..=200;

impl Default for Settings {
    fn default() -> Self {
        Self {
            version: VERSION,
            servers: Vec::new(),
            chosen: ServerChoice::BuiltIn,
            short_lists: Vec::new(),
            pointer_carries_relay_list: false,
            proxy: None,
            download_folder: None,
            theme: Theme::System,
            contrast: Contrast::System,
            reduced_motion: false,
            language: None,
            zoom: 100,
            copy_when_done: false,
            clear_clipboard: false,
            mask_pointers: false,
            welcomed: false,
            name_in_pointer: true,
            history: true,
            notify: true,
            notify_names: false,
            display: Display::Auto,
            renderer: Renderer::Auto,
            parallel_shares: 2,
            several_things: SeveralThings::Ask,
            unknown: toml::Table::new(),
        }
    }
}

impl Settings {
    /// The server that new files go to, with what the person decided about it; `None` for the built-in network.
    #[must_use]
    pub(crate) fn chosen_entry(&self) -> Option<&ServerEntry> {
        match &self.chosen {
            ServerChoice::BuiltIn => None,
            ServerChoice::Server(address) => self.entry(address),
        }
    }

    /// The entry of the server with this address in the person's list of servers; `None` when it is not there.
    #[must_use]
    pub(crate) fn entry(&self, server: &ServerAddress) -> Option<&ServerEntry> {
        self.servers.iter().find(|entry| entry.address == *server)
    }

    /// Whether the chosen network is in the list, or inside the program.
    #[must_use]
    fn has_its_choice(&self) -> bool {
        self.chosen == ServerChoice::BuiltIn || self.chosen_entry().is_some()
    }

    /// What a server of the list is called: by its name, or by its URL where another one is called alike, as the same host
    /// under `http` and `https` is.
    #[must_use]
    pub(crate) fn name_in_list<'a>(&self, server: &'a ServerEntry) -> &'a str {
        let name = server.shown_name();
        let mut servers = self.servers.iter();
        if servers.any(|other| other.address != server.address && other.shown_name() == name) {
            server.address.url.as_str()
        } else {
            name
        }
    }

    /// The first server of the list that has this key, which is all that older versions wrote down of a server.
    #[must_use]
    pub(crate) fn first_with(&self, key: &Ed25519Public) -> Option<&ServerEntry> {
        self.servers.iter().find(|entry| entry.address.key == *key)
    }

    /// The server that the person joined as this network.
    #[must_use]
    pub(crate) fn member_of(&self, network: &NetworkId) -> Option<&ServerEntry> {
        let mut servers = self.servers.iter();
        servers.find(|entry| entry.network().as_ref() == Some(network))
    }

    /// `name`, or with a number behind it where another server than the one at `address` is called so.
    #[must_use]
    pub(crate) fn free_name(&self, name: &str, address: &ServerAddress) -> String {
        let is_taken = |name: &str| {
            let mut others = self.servers.iter();
            others.any(|other| other.address != *address && other.shown_name() == name)
        };
        let numbered = (2..).map(|number: u32| format!("{name} {number}"));
        let mut names = std::iter::once(name.to_owned()).chain(numbered);
        names.find(|name| !is_taken(name)).unwrap_or_default()
    }

    /// Where the relays are from that lead to this server.
    #[must_use]
    pub fn relays_of(&self, server: &ServerAddress) -> Option<&RelaySource> {
        self.entry(server)?.relays.as_ref()
    }

    /// Whether a network that is not `other` has relays from there.
    #[must_use]
    pub(crate) fn uses_elsewhere(
        &self,
        relays: &RelaySource,
        other: Option<&ServerAddress>,
    ) -> bool {
        let mut servers = self.servers.iter();
        servers.any(|entry| entry.relays.as_ref() == Some(relays) && Some(&entry.address) != other)
    }

    /// The access word that the person keeps with a server.
    #[must_use]
    pub(crate) fn access_word(&self, server: &ServerAddress) -> Option<&AccessWord> {
        self.entry(server)?.access_word.as_ref()
    }

    /// The address of the server that new files go to; `None` for the built-in network.
    #[must_use]
    pub fn chosen_server(&self) -> Option<&ServerAddress> {
        self.chosen_entry().map(|server| &server.address)
    }

    /// The folder that received files are saved in: the chosen one, else the system's for downloads, else `Downloads` in
    /// the home folder if it exists, else the home folder, else the current folder.
    #[must_use]
    pub fn download_folder(&self) -> PathBuf {
        self.download_folder.clone().unwrap_or_else(usual_downloads)
    }
}

/// A number that a person wrote into the file can be any; the nearest that is possible is meant.
fn possible_parallel<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    u8::deserialize(deserializer).map(|number| number.clamp(1, MAX_PARALLEL))
}

/// As with [`possible_parallel`].
fn possible_zoom<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    u16::deserialize(deserializer).map(|zoom| zoom.clamp(*ZOOM.start(), *ZOOM.end()))
}
