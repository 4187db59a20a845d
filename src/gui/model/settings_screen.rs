//! State of the Settings screen beside the settings themselves: its fields, tests of servers, what is known of relays;
//! and what follows from the settings, such as the server in use and the look of the window.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::{
    InviteSheet, Model, NameField, NetworkSeen, NodesCard, OtherList, RelaysSeen, ShownRelayList,
    Terms, Trouble, UserMessage,
};
use crate::app::settings::{Contrast, ServerChoice, ServerEntry, Settings, ZOOM};
use crate::app::words::who_saw_what::WhoSawWhat;
use crate::protocol::address::ServerAddress;

/// The field for a server's access word, while it is open. Never printed.
pub struct WordField {
    /// The server that this access word is for.
    pub server: ServerAddress,
    /// Text of the field.
    pub text: Zeroizing<String>,
    /// The text was refused: it is no access word.
    pub refused: bool,
}

/// What the server of a transfer is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerLabel {
    /// The built-in network.
    BuiltIn,
    /// A server by its name, or by its host where it has none.
    Named(String),
}

/// What the system wants windows to look like, as far as it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SystemLook {
    /// Dark or light; none: it does not say.
    pub dark: Option<bool>,
    /// Whether high contrast is wanted.
    pub high_contrast: bool,
    /// Whether animations are unwanted.
    pub reduced_motion: bool,
}

/// A test of a server.
#[derive(Clone, Debug)]
pub enum Test {
    /// Under way.
    Running,
    /// Upload, download and delete worked.
    Passed(TestReport),
    /// One of upload, download and delete failed.
    Failed(Trouble),
}

/// How the chosen server stands, as far as is known.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ServerStanding<'a> {
    /// No relays lead there.
    LacksRelays,
    /// Its last test, or the last upload to it, failed by its fault.
    Failed(&'a Trouble),
    /// Its last test passed.
    Passed,
    /// It was not tested since the window opened.
    Untried,
}

/// What a test measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TestReport {
    /// Upload of the smallest size, until confirmed.
    pub upload_millis: u64,
    /// Download of it, until verified.
    pub download_millis: u64,
    /// Until it was gone; none for a server that does not delete on demand.
    pub delete_millis: Option<u64>,
}

/// The Settings screen.
#[derive(Default)]
pub struct SettingsScreen {
    /// The field for a new server.
    pub address: String,
    /// Why the address in the field was refused.
    pub address_trouble: Option<UserMessage>,
    /// The field for the access word of one of the servers.
    pub word: Option<WordField>,
    /// What servers said of what they take.
    pub terms: BTreeMap<ServerChoice, Terms>,
    /// Tests of this session.
    pub tests: BTreeMap<ServerChoice, Test>,
    /// What each party was shown in the last of them.
    pub tests_shown: BTreeMap<ServerChoice, WhoSawWhat>,
    /// How the relay lists of the networks stand, as far as they were looked at.
    pub networks: BTreeMap<ServerAddress, NetworkSeen>,
    /// The networks of which it was said that their list ends soon, by their servers.
    pub told_to_end: BTreeSet<ServerAddress>,
    /// The network whose menu is open, by its server.
    pub network_menu: Option<ServerAddress>,
    /// The field for the name of one of the networks.
    pub name: Option<NameField>,
    /// The sheet with an invitation.
    pub invite: Option<InviteSheet>,
    /// Why the folder of downloads could not be chosen.
    pub folder_trouble: Option<UserMessage>,
    /// The card of Session's network.
    pub session: NodesCard,
    /// The card of a network of service nodes that a file describes; Receive shows it, too.
    pub nodes_file: Option<NodesCard>,
    /// What was wrong with a relay list.
    pub relay_trouble: Option<UserMessage>,
    /// The field for the line of a relay list, or the path of one.
    pub relay_line: String,
    /// Whether a request about relays is running.
    pub relays_busy: bool,
    /// The server whose relays are shown and chosen, where that is not the one in use: one that a pointer names.
    pub relays_of: Option<ServerAddress>,
    /// What was read of a relay list last; see [`Model::shown_list`].
    pub relay_list: Option<ShownRelayList>,
    /// How the relays of a network stand, by its server, as they were looked at last; see [`Model::relays_seen`].
    pub relays_seen: Option<(ServerAddress, RelaysSeen)>,
    /// Whether the list of relays is expanded.
    pub relays_open: bool,
    /// The lists that no network uses, as far as it was looked.
    pub other_lists: Vec<OtherList>,
    /// The field for a proxy.
    pub proxy: String,
    /// Why the proxy in the field was refused.
    pub proxy_trouble: Option<UserMessage>,
    /// Whether a click on a `cloakroom:` link opens this program; none where that is not decided here.
    pub links: Option<bool>,
}

/// Steps of the zoom, per cent.
const ZOOM_STEPS: [u16; 7] = [*ZOOM.start(), 100, 110, 125, 150, 175, *ZOOM.end()];

impl Model {
    /// The settings as they are now, for work that starts now: what is changed later does not reach it.
    #[must_use]
    pub(super) fn settings_now(&self) -> Arc<Settings> {
        Arc::new(self.settings.clone())
    }

    /// What the chosen server said of what it takes.
    #[must_use]
    pub(crate) fn chosen_terms(&self) -> Option<&Terms> {
        self.settings_screen.terms.get(&self.settings.chosen)
    }

    /// What is known of the relay list that is shown; none of the built-in network's relays, and of a list that was not read
    /// yet.
    #[must_use]
    pub fn shown_list(&self) -> Option<&ShownRelayList> {
        let read = self.settings_screen.relay_list.as_ref();
        read.filter(|list| self.relays_shown() == Some(&list.source))
    }

    /// How the relays that are shown stand, as far as it was looked.
    #[must_use]
    pub(crate) fn relays_seen(&self) -> Option<&RelaysSeen> {
        let (server, seen) = self.settings_screen.relays_seen.as_ref()?;
        (self.relays_server() == Some(server)).then_some(seen)
    }

    /// What the chosen server is called.
    #[must_use]
    pub(crate) fn server_label(&self) -> ServerLabel {
        let server = self.settings.chosen_entry();
        server.map_or(ServerLabel::BuiltIn, |server| {
            ServerLabel::Named(self.settings.name_in_list(server).to_owned())
        })
    }

    /// How the chosen server stands, as far as is known.
    #[must_use]
    pub(crate) fn server_standing(&self) -> ServerStanding<'_> {
        if self.lacks_relays() {
            return ServerStanding::LacksRelays;
        }
        match self.settings_screen.tests.get(&self.settings.chosen) {
            Some(Test::Failed(trouble)) => ServerStanding::Failed(trouble),
            Some(Test::Passed(_)) => ServerStanding::Passed,
            Some(Test::Running) | None => ServerStanding::Untried,
        }
    }

    /// Whether no relays lead to the chosen server, which may not be reached without any.
    #[must_use]
    pub(crate) fn lacks_relays(&self) -> bool {
        let server = self.settings.chosen_entry();
        server.is_some_and(ServerEntry::lacks_relays)
    }

    /// The folder that received files are saved in.
    #[must_use]
    pub(crate) fn downloads(&self) -> &Path {
        let chosen = self.settings.download_folder.as_deref();
        chosen.unwrap_or(&self.usual_downloads)
    }

    /// The zoom one step above (1) or below (-1) the present one, or the default (0), per cent.
    #[must_use]
    pub(crate) fn zoomed(&self, step: i8) -> u16 {
        let zoom = self.settings.zoom;
        let mut steps = ZOOM_STEPS.into_iter();
        let next = match step {
            0 => Some(100),
            1.. => steps.find(|other| *other > zoom),
            _ => steps.rev().find(|other| *other < zoom),
        };
        next.unwrap_or(zoom)
    }

    /// Whether the window uses high contrast.
    #[must_use]
    pub(crate) fn high_contrast(&self) -> bool {
        match self.settings.contrast {
            Contrast::System => self.system.high_contrast,
            Contrast::Normal => false,
            Contrast::High => true,
        }
    }

    /// Whether the window avoids animations.
    #[must_use]
    pub(crate) fn reduced_motion(&self) -> bool {
        self.settings.reduced_motion || self.system.reduced_motion
    }
}
