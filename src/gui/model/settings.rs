//! The Settings screen, and what is kept between starts.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::{PointerText, Privacy, Trouble, UserMessage};
pub use crate::app::settings::config::{Contrast, Theme};
use crate::app::settings::config::{Display, Renderer, SocksProxy};
use crate::app::words::l10n::Language;
use crate::app::words::who_saw_what::RequestShown;
use crate::protocol::capability::AccessWord;
use crate::protocol::file_api::MAX_RECEIPTS;
use crate::protocol::path::Standing;

/// What is kept between starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preferences {
    /// Added by the person, in order; the built-in one is not among them.
    pub servers: Vec<KnownServer>,
    /// Where files go.
    pub chosen: ChosenServer,
    /// Whom requests go through; none: the relays of the built-in network.
    pub relay_list: Option<ShownRelayList>,
    /// Lists on which the rules of paths may yield where the list is too short for them.
    pub short_lists: Vec<RelayOrigin>,
    /// The proxy that connections go through; direct without one.
    pub proxy: Option<SocksProxy>,
    /// Where received files go.
    pub downloads: PathBuf,
    /// Light, dark or as the system.
    pub theme: Theme,
    /// Stronger colours.
    pub contrast: Contrast,
    /// Changes that move.
    pub motion: Motion,
    /// What the window speaks; without one the system's language.
    pub language: Option<Language>,
    /// Size of everything, per cent: one of [`ZOOMS`].
    pub zoom: u16,
    /// For the next shares.
    pub options: ShareOptions,
    /// A pointer shows the file's name.
    pub name_in_pointer: bool,
    /// A pointer names the relay list, for recipients without relays.
    pub list_in_pointer: bool,
    /// The pointer goes on the clipboard as soon as it is there.
    pub copy_when_done: bool,
    /// A copied pointer leaves the clipboard after a minute.
    pub clear_clipboard: bool,
    /// Pointers are dots while another window is in front.
    pub mask_pointers: bool,
    /// The card of the first start was closed.
    pub welcomed: bool,
    /// What is kept and said.
    pub privacy: Privacy,
    /// For those who need it.
    pub advanced: Advanced,
}

/// What few people change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advanced {
    /// Which display system the next window opens on.
    pub display: Display,
    /// What draws the next window.
    pub renderer: Renderer,
    /// Files that are shared at the same time; the others wait.
    pub parallel_shares: u8,
}

impl Default for Advanced {
    fn default() -> Self {
        Self {
            display: Display::Auto,
            renderer: Renderer::Auto,
            parallel_shares: 2,
        }
    }
}

/// A file server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownServer {
    /// The whole address, as pasted and understood.
    pub address: String,
    /// What it is called: by the person, else its host (and port).
    pub name: String,
    /// Whether requests go straight to the server, so that it sees this computer's address.
    pub direct: bool,
    /// Its operator's word, for uploads; shows nothing of itself.
    pub access_word: Option<AccessWord>,
}

/// The field for a server's access word, while it is open. Never printed.
pub struct WordField {
    /// Address of the server that this access word is for.
    pub address: String,
    /// Text of the field.
    pub text: Zeroizing<String>,
    /// The text was refused: it is no access word.
    pub refused: bool,
}

/// What the server of a transfer is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerLabel {
    /// It is the network inside this program.
    BuiltIn,
    /// It has this name, or this host.
    Named(String),
}

/// Where files go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChosenServer {
    /// The network inside this program.
    BuiltIn,
    /// A server with this address.
    Address(String),
}

/// A relay list that was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownRelayList {
    /// Where it is from.
    pub origin: RelayOrigin,
    /// The list's own name.
    pub name: String,
    /// How many relays can be used.
    pub relays: usize,
}

/// Where a relay list is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RelayOrigin {
    /// A file on this computer.
    File(PathBuf),
    /// A signed list by URL, as its one line says.
    Line(String),
    /// Session's service nodes.
    Session,
}

/// What is known of the chosen relays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelaysSeen {
    /// When its maker issued the list, unix seconds.
    pub issued: Option<u64>,
    /// When a newer one was asked for, unix seconds.
    pub asked: Option<u64>,
    /// Until when the list is good, unix seconds.
    pub expires: Option<u64>,
    /// When it was fetched, unix seconds; a file never was.
    pub fetched: Option<u64>,
    /// What is wrong with it, if anything.
    pub trouble: Option<String>,
    /// All its relays are on this computer: rules of paths yield there anyway.
    pub rehearsal: bool,
    /// Each of its relays.
    pub relays: Vec<RelaySeen>,
}

/// A list that is kept beside the chosen one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherList {
    /// What it is.
    pub list: ShownRelayList,
    /// The servers that it was accepted for, by host or by the beginning of their key; none: it was chosen once.
    pub servers: Vec<String>,
    /// Its age and state, without each of its relays.
    pub seen: RelaysSeen,
}

/// One relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelaySeen {
    /// Where it listens.
    pub name: String,
    /// Who runs it, as the list says; perhaps empty.
    pub operator: String,
    /// How it stands with this person's programs.
    pub standing: Standing,
}

/// What is asked of the relays.
#[derive(Clone, PartialEq, Eq)]
pub enum RelayWish {
    /// Take the list that this pointer names, for its server.
    Accept(PointerText),
    /// Fetch the list of this line, and use it.
    Add(String),
    /// Forget what was fetched of a list.
    Forget(RelayOrigin),
    /// Say how they stand.
    Look,
    /// Begin paths at other relays.
    NewGuard,
    /// Use Session's service nodes.
    Session,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelaysKnown {
    /// The list to use from now on, if it is another.
    pub list: Option<ShownRelayList>,
    /// How they stand.
    pub seen: Option<RelaysSeen>,
    /// The lists beside the chosen one.
    pub others: Vec<OtherList>,
}

/// How long a server should keep a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeepFor {
    /// As long as it keeps files that do not say.
    #[default]
    Usual,
    /// So many days.
    Days(u16),
}

impl KeepFor {
    /// The days that can be asked for, where the server allows them.
    pub const DAYS: [u16; 4] = [1, 7, 14, 30];

    /// Seconds to ask for.
    #[must_use]
    pub fn secs(self) -> Option<u64> {
        match self {
            Self::Usual => None,
            Self::Days(days) => Some(u64::from(days) * 24 * 3_600),
        }
    }

    /// The server keeps files so long without being asked, as far as is known.
    #[must_use]
    pub fn is_usual(self, terms: Option<&Terms>) -> bool {
        match (self.secs(), terms) {
            (None, _) => true,
            (Some(secs), Some(terms)) => secs == terms.usual_secs,
            (Some(_), None) => false,
        }
    }

    /// The server may keep files so long, as far as is known.
    #[must_use]
    pub fn is_within(self, terms: Option<&Terms>) -> bool {
        match (self.secs(), terms) {
            (Some(secs), Some(terms)) => secs <= terms.max_secs,
            _ => true,
        }
    }
}

/// What a server said of what it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The longest content that it stores.
    pub max_len: u64,
    /// How long it keeps files that do not say.
    pub usual_secs: u64,
    /// How long it keeps files at most.
    pub max_secs: u64,
    /// The bits of work that it asks for the smallest size, if it asks for any.
    pub work_bits: Option<u8>,
}

/// Whether downloads are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Count {
    /// Downloads are not counted.
    #[default]
    No,
    /// Downloads are counted.
    Yes,
    /// Downloads are counted, and after so many the server removes the file.
    Limit(u32),
}

impl Count {
    /// The limits that can be chosen.
    pub const LIMITS: [u32; 22] = [
        1,
        2,
        3,
        4,
        5,
        6,
        7,
        8,
        9,
        10,
        12,
        15,
        20,
        25,
        30,
        40,
        50,
        75,
        100,
        150,
        200,
        MAX_RECEIPTS,
    ];

    /// The limit one step above (1) or below (-1).
    #[must_use]
    pub fn stepped(limit: u32, step: i8) -> u32 {
        let mut limits = Self::LIMITS.into_iter();
        let next = if step > 0 {
            limits.find(|other| *other > limit)
        } else {
            limits.rev().find(|other| *other < limit)
        };
        next.unwrap_or(limit)
    }
}

/// What is chosen for the next shares; not kept between starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShareOptions {
    /// How long.
    pub keep: KeepFor,
    /// How often.
    pub count: Count,
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
pub enum ServerStanding<'a> {
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
pub struct SettingsScreen {
    /// What is kept.
    pub preferences: Preferences,
    /// The field for a new server.
    pub address: String,
    /// Why the address in the field was refused.
    pub address_trouble: Option<UserMessage>,
    /// The field for the access word of one of the servers.
    pub word: Option<WordField>,
    /// What servers said of what they take.
    pub terms: BTreeMap<ChosenServer, Terms>,
    /// Tests of this session.
    pub tests: BTreeMap<ChosenServer, Test>,
    /// What each party was shown in the last of them.
    pub tests_shown: BTreeMap<ChosenServer, Vec<RequestShown>>,
    /// Why the folder of downloads could not be chosen.
    pub folder_trouble: Option<UserMessage>,
    /// What was wrong with a relay list.
    pub relay_trouble: Option<UserMessage>,
    /// The field for the line of a relay list, or the path of one.
    pub relay_line: String,
    /// Something is asked of the relays.
    pub relays_busy: bool,
    /// How the chosen relays stand, as far as it was looked.
    pub relays_seen: Option<RelaysSeen>,
    /// Each of them is shown.
    pub relays_open: bool,
    /// The lists beside the chosen one, as far as it was looked.
    pub other_lists: Vec<OtherList>,
    /// The field for a proxy.
    pub proxy: String,
    /// Why the proxy in the field was refused.
    pub proxy_trouble: Option<UserMessage>,
    /// Whether a click on a `cloakroom:` link opens this program; none where that is not decided here.
    pub links: Option<bool>,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            chosen: ChosenServer::BuiltIn,
            relay_list: None,
            short_lists: Vec::new(),
            proxy: None,
            downloads: PathBuf::from("."),
            theme: Theme::System,
            contrast: Contrast::System,
            motion: Motion::System,
            language: None,
            zoom: 100,
            options: ShareOptions::default(),
            name_in_pointer: true,
            list_in_pointer: false,
            copy_when_done: false,
            clear_clipboard: false,
            mask_pointers: false,
            welcomed: false,
            privacy: Privacy::default(),
            advanced: Advanced::default(),
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

impl SettingsScreen {
    pub(super) fn new(preferences: Preferences) -> Self {
        Self {
            preferences,
            address: String::new(),
            address_trouble: None,
            word: None,
            terms: BTreeMap::new(),
            tests: BTreeMap::new(),
            tests_shown: BTreeMap::new(),
            folder_trouble: None,
            relay_trouble: None,
            relay_line: String::new(),
            relays_busy: false,
            relays_seen: None,
            other_lists: Vec::new(),
            relays_open: false,
            proxy: String::new(),
            proxy_trouble: None,
            links: None,
        }
    }

    /// The preferences as they are now, for work that starts now: what is changed later does not reach it.
    #[must_use]
    pub(super) fn snapshot(&self) -> Arc<Preferences> {
        Arc::new(self.preferences.clone())
    }

    /// What the chosen server said of what it takes.
    #[must_use]
    pub fn chosen_terms(&self) -> Option<&Terms> {
        self.terms.get(&self.preferences.chosen)
    }

    /// The chosen server, or none for the built-in network.
    #[must_use]
    pub fn server(&self) -> Option<&KnownServer> {
        match &self.preferences.chosen {
            ChosenServer::BuiltIn => None,
            ChosenServer::Address(address) => self
                .preferences
                .servers
                .iter()
                .find(|server| server.address == *address),
        }
    }

    /// What the chosen server is called.
    #[must_use]
    pub fn server_label(&self) -> ServerLabel {
        let server = self.server();
        server.map_or(ServerLabel::BuiltIn, |server| {
            ServerLabel::Named(server.name.clone())
        })
    }

    /// The server at this place, the built-in one being 0.
    #[must_use]
    pub fn server_at(&self, place: usize) -> Option<ChosenServer> {
        let Some(added) = place.checked_sub(1) else {
            return Some(ChosenServer::BuiltIn);
        };
        let server = self.preferences.servers.get(added)?;
        Some(ChosenServer::Address(server.address.clone()))
    }

    /// How the chosen server stands, as far as is known.
    #[must_use]
    pub fn standing(&self) -> ServerStanding<'_> {
        if self.lacks_relays() {
            return ServerStanding::LacksRelays;
        }
        match self.tests.get(&self.preferences.chosen) {
            Some(Test::Failed(trouble)) => ServerStanding::Failed(trouble),
            Some(Test::Passed(_)) => ServerStanding::Passed,
            Some(Test::Running) | None => ServerStanding::Untried,
        }
    }

    /// A server was chosen that the built-in relays cannot reach.
    #[must_use]
    pub fn lacks_relays(&self) -> bool {
        self.server().is_some_and(|server| !server.direct) && self.preferences.relay_list.is_none()
    }
}
