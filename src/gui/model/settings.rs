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
    pub high_contrast: bool,
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
