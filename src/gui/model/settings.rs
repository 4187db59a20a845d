//! The Settings screen, and what is kept between starts.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::UserMessage;

/// What is kept between starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preferences {
    /// Added by the person, in order; the built-in one is not among them.
    pub servers: Vec<Server>,
    /// Where files go.
    pub chosen: ServerChoice,
    /// Whom requests go through; none: the relays of the built-in network.
    pub relay_list: Option<RelayList>,
    /// Where received files go.
    pub downloads: PathBuf,
    /// Light, dark or as the system.
    pub theme: Theme,
    /// Stronger colours.
    pub contrast: Contrast,
    /// Changes that move.
    pub motion: Motion,
    /// Size of everything, per cent: one of [`ZOOMS`].
    pub zoom: u16,
    /// A pointer shows the file's name.
    pub name_in_pointer: bool,
    /// The pointer goes on the clipboard as soon as it is there.
    pub copy_when_done: bool,
    /// A copied pointer leaves the clipboard after a minute.
    pub clear_clipboard: bool,
    /// Pointers are dots while another window is in front.
    pub mask_pointers: bool,
    /// The card of the first start was closed.
    pub welcomed: bool,
}

/// A file server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The whole address, as pasted and understood.
    pub address: String,
    /// Host (and port), to show.
    pub host: String,
}

/// Where files go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ServerChoice {
    /// The network inside this program.
    BuiltIn,
    /// A server with this address.
    Address(String),
}

/// A relay list that was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayList {
    /// The file.
    pub path: PathBuf,
    /// The list's own name.
    pub name: String,
    /// How many relays can be used.
    pub relays: usize,
}

/// Light, dark or as the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// As the system.
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// How strong colours are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Contrast {
    /// As the system.
    #[default]
    System,
    /// As designed.
    Normal,
    /// No tints; borders as strong as text.
    High,
}

/// Whether changes move.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Motion {
    /// As the system.
    #[default]
    System,
    /// Everything is where it belongs at once.
    Reduced,
}

/// The sizes that the window can have, per cent.
pub const ZOOMS: [u16; 7] = [90, 100, 110, 125, 150, 175, 200];

/// What the system wants windows to look like, as far as it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SystemLook {
    /// Dark or light; none: it does not say.
    pub dark: Option<bool>,
    /// Strong colours.
    pub high_contrast: bool,
    /// Nothing should move.
    pub reduced_motion: bool,
}

/// A test of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// Under way.
    Running,
    /// Upload and download worked.
    Passed(TestReport),
    /// They did not.
    Failed(UserMessage),
}

/// What a test measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TestReport {
    /// Upload of the smallest size, until confirmed.
    pub upload_millis: u64,
    /// Download of it, until verified.
    pub download_millis: u64,
}

/// The Settings screen.
pub struct Settings {
    /// What is kept.
    pub preferences: Preferences,
    /// The field for a new server.
    pub address: String,
    /// What is wrong with it.
    pub address_trouble: Option<UserMessage>,
    /// Tests of this session.
    pub tests: BTreeMap<ServerChoice, Test>,
    /// What was wrong with a relay list.
    pub relay_trouble: Option<UserMessage>,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            chosen: ServerChoice::BuiltIn,
            relay_list: None,
            downloads: PathBuf::from("."),
            theme: Theme::System,
            contrast: Contrast::System,
            motion: Motion::System,
            zoom: 100,
            name_in_pointer: true,
            copy_when_done: false,
            clear_clipboard: false,
            mask_pointers: false,
            welcomed: false,
        }
    }
}

impl Preferences {
    /// The size one step above (1) or below (-1), or the usual one (0).
    #[must_use]
    pub fn zoomed(&self, step: i8) -> u16 {
        let next = match step {
            0 => Some(100),
            1.. => ZOOMS.into_iter().find(|zoom| *zoom > self.zoom),
            _ => ZOOMS.into_iter().rev().find(|zoom| *zoom < self.zoom),
        };
        next.unwrap_or(self.zoom)
    }

    /// Whether colours are strong.
    #[must_use]
    pub fn high_contrast(&self, system: SystemLook) -> bool {
        match self.contrast {
            Contrast::System => system.high_contrast,
            Contrast::Normal => false,
            Contrast::High => true,
        }
    }

    /// Whether nothing should move.
    #[must_use]
    pub fn reduced_motion(&self, system: SystemLook) -> bool {
        match self.motion {
            Motion::System => system.reduced_motion,
            Motion::Reduced => true,
        }
    }
}

impl Settings {
    pub(super) fn new(preferences: Preferences) -> Self {
        Self {
            preferences,
            address: String::new(),
            address_trouble: None,
            tests: BTreeMap::new(),
            relay_trouble: None,
        }
    }

    /// The chosen server, or none for the built-in network.
    #[must_use]
    pub fn server(&self) -> Option<&Server> {
        match &self.preferences.chosen {
            ServerChoice::BuiltIn => None,
            ServerChoice::Address(address) => self
                .preferences
                .servers
                .iter()
                .find(|server| server.address == *address),
        }
    }

    /// A server was chosen that the built-in relays cannot reach.
    #[must_use]
    pub fn lacks_relays(&self) -> bool {
        self.server().is_some() && self.preferences.relay_list.is_none()
    }
}
