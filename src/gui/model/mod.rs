//! What the window knows, without a window: state, and how an action or event changes it.
//!
//! [`Model::update`] is the only way in. It touches no file, clock or network; whatever needs one leaves as an
//! [`Effect`] and comes back as an [`Event`].

mod access_words;
mod action;
mod announcement;
mod arrivals;
mod effect;
mod focus;
mod join_run;
mod joining;
mod keeping;
mod listed;
mod listing;
mod manage;
mod modal;
mod networks;
mod nodes;
mod opening;
mod pace;
mod parts;
mod receive;
mod relays;
mod remedy;
mod rows;
mod servers;
mod settings;
mod settings_screen;
mod share;
mod share_options;
mod terms;
mod together;
mod transfer;
mod trouble;
mod undo;
mod update;
mod window;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use self::action::Action;
pub use self::announcement::{Announced, Announcement, Notice, Tone, WindowMessage};
pub use self::arrivals::Arrival;
pub use self::effect::{
    ClipboardWork, DialogWork, Effect, FetchWanted, FileWork, HistoryWork, LookPurpose,
    RequestWork, SettingsWork, ShareWanted, Timer, WindowEffect, Work,
};
pub use self::focus::{Beside, Focus, FocusAction, Region};
pub use self::join_run::{JoinCard, JoinPhase, JoinState, JoinedNetwork, NetworkState};
pub use self::joining::{InvitationInfo, JoinAction, JoinWanted, KnownNetwork, TextHolds};
pub use self::keeping::{EndNotice, KeptTransfer, TransferEnd, TransferOutcome};
pub use self::listed::{Filter, ListAction};
pub use self::listing::{FolderListing, ListedEntry, Listing};
pub use self::modal::{Modal, ModalAction};
pub use self::networks::{
    InviteFor, InviteSheet, NameField, NetworkAction, NetworkSeen, StillThere,
};
pub use self::nodes::{NodesAction, NodesCard};
pub use self::opening::Examine;
pub use self::pace::{Pace, Speed};
pub use self::parts::{AboutLeft, LeftJob, LeftTransfer};
pub use self::receive::{
    PointerHolds, PointerInfo, PointerNote, PointerText, Reading, Receive, ReceiveAction,
};
pub use self::relays::{
    OtherList, RelayAction, RelaySeen, RelayWish, RelaysKnown, RelaysSeen, ShownRelayList,
};
use self::remedy::ReturnTo;
pub use self::rows::RowAction;
pub use self::servers::ServerAction;
pub use self::settings::SettingsAction;
pub(crate) use self::settings_screen::ServerStanding;
pub use self::settings_screen::{
    ServerLabel, SettingsScreen, SystemLook, Test, TestReport, WordField,
};
pub use self::share::ShareAction;
pub use self::share_options::{Count, KeepFor, ShareOptions, Terms};
pub use self::together::Together;
pub(crate) use self::together::joined_name;
pub(crate) use self::transfer::Milestone;
pub use self::transfer::{
    Aside, Ended, ManageAction, Managed, RunId, Saved, ShareResult, ShownName, Told, Transfer,
    TransferId, TransferJob, TransferState,
};
pub use self::trouble::Trouble;
pub use self::undo::{RemovedItem, Undo};
pub use self::window::WindowAction;
use crate::app::kept::history::{EntryId, HistoryStatus, News};
use crate::app::kept::unfinished::UnfinishedId;
use crate::app::received::content_type::Findings;
pub use crate::app::relays::ManyGone;
use crate::app::relays::ServiceNodeNetwork;
use crate::app::settings::{Change, ServerChoice, Settings};
use crate::app::transfer::known_file::KnownFile;
use crate::app::transfer::stage::Stage;
use crate::app::words::message::UserMessage;
use crate::gui::platform::uri_list::UriList;
use crate::protocol::address::ServerAddress;
use crate::protocol::folder::Manifest;
use crate::protocol::parts::MAX_WHOLE_LEN;

/// Everything the window shows.
pub struct Model {
    /// Which screen is open.
    pub screen: Screen,
    /// Newest first.
    pub transfers: Vec<Transfer>,
    /// The Receive screen.
    pub receive: Receive,
    /// The person's settings, which are kept between starts.
    pub settings: Settings,
    /// What was changed while the person's own settings could not be read; none once it is decided which ones apply.
    made_while_unread: Option<Vec<Change>>,
    /// The Settings screen.
    pub settings_screen: SettingsScreen,
    /// Where received files go unless the settings say otherwise.
    pub usual_downloads: PathBuf,
    /// Options for the next shares.
    pub share_options: ShareOptions,
    /// The card of the first start is open.
    pub first_start: bool,
    /// Files hanging over the window.
    pub hover: Option<Hover>,
    /// Files that came to be shared and that this program can use itself: each waits until the person says which. The
    /// first is asked about.
    pub undecided: Vec<FoundPath>,
    /// Things that came together, which the person is asked about. The first is asked about.
    pub together: Vec<Together>,
    /// The answer to that is kept.
    pub keep_together: bool,
    /// The notice above the screen, until it is dismissed.
    pub notice: Option<Notice>,
    /// The open modal: a question or a sheet.
    pub modal: Option<Modal>,
    /// The row whose menu is open.
    pub menu: Option<TransferId>,
    /// The latest announcement to screen readers.
    pub announcement: Announcement,
    /// What the system wants the window to look like.
    pub system: SystemLook,
    /// The transfer whose pointer was copied a moment ago.
    pub copied: Option<TransferId>,
    /// The transfer whose pointer was copied last: its row goes on saying so to those who hear the window.
    pub last_copied_row: Option<TransferId>,
    /// The widget that the keyboard should go to next; the window takes it.
    pub focus: Option<Focus>,
    /// The options of a share are shown.
    pub options_open: bool,
    /// A system dialog is open; there is never a second one.
    pub dialog_open: bool,
    /// How the history stands.
    pub history: HistoryStatus,
    /// The window is in front of the others.
    pub in_front: bool,
    /// What was removed last and can still be restored.
    pub undo: Option<Undo>,
    /// Which rows are shown.
    pub filter: Filter,
    /// How many of them at most, unless more have not ended.
    page: usize,
    /// What was dropped or pasted beside files and is none; named together with what else is not shared.
    elsewhere: Vec<String>,
    /// What was said of files that were not shared.
    said_of_files: Option<Notice>,
    next_id: u64,
    copies: u64,
    /// Number of removals that could be undone so far.
    removals: u64,
    /// The pointer that was copied last, while it may have to leave the clipboard.
    last_copied: Option<PointerText>,
    /// The widget that gets the focus when the modal is closed.
    beneath: Option<Focus>,
    /// The widget that gets the focus when the menu is closed.
    menu_from: Option<Focus>,
    /// Where to return once Settings have what was missing.
    return_to: Option<ReturnTo>,
}

/// The screens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    /// Sharing files.
    Share,
    /// Receiving files.
    Receive,
    /// Servers, relays, downloads, appearance.
    Settings,
    /// Every widget in every state: for those who work on the window.
    #[cfg(feature = "testing")]
    Gallery,
}

/// A path that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundPath {
    /// The path as it was given.
    pub path: PathBuf,
    /// Its last part, safe to show.
    pub name: String,
    /// File, folder or neither.
    pub kind: FoundKind,
    /// What this program can do with it besides sharing it.
    pub known: Option<KnownFile>,
}

/// File, folder or neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoundKind {
    /// A file of this length.
    File {
        /// Bytes.
        len: u64,
    },
    /// A folder.
    Folder {
        /// Bytes of all files in it, once they were counted.
        len: Option<u64>,
    },
    /// Not there, or not readable.
    Missing,
}

impl FoundKind {
    /// Bytes of all of it, as far as they were counted.
    #[must_use]
    pub(crate) const fn len(self) -> Option<u64> {
        match self {
            Self::File { len } => Some(len),
            Self::Folder { len } => len,
            Self::Missing => None,
        }
    }

    /// A folder.
    #[must_use]
    pub(crate) const fn is_folder(self) -> bool {
        matches!(self, Self::Folder { .. })
    }

    /// Longer than anything that can be sent.
    #[must_use]
    pub(crate) const fn is_too_large(self) -> bool {
        matches!(self.len(), Some(len) if len > MAX_WHOLE_LEN)
    }
}

/// Files hanging over the window; `found` is empty until they were looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hover {
    /// Their paths.
    pub paths: Vec<PathBuf>,
    /// What a look at each path found.
    pub found: Vec<FoundPath>,
}

/// What the worker reports. Never printed: it can hold a pointer.
pub enum Event {
    /// The pointer is on the clipboard, or not.
    Copied(TransferId, Result<(), UserMessage>),
    /// A transfer in parts was given up, or not; whether the server may still have some of it.
    Discarded(TransferId, Ended<bool>),
    /// What the text in the pointer's field is.
    Described(Result<TextHolds, UserMessage>),
    /// The invitation of the open sheet is on the clipboard, or not.
    InvitationCopied(Result<(), UserMessage>),
    /// The invitation of the open sheet is in the file of this name, or not.
    InvitationSaved(Result<String, UserMessage>),
    /// An invitation to the network of this server was made, or not.
    Invited(InviteFor, ServerAddress, Result<PointerText, UserMessage>),
    /// Joining a network ended.
    Joined(RunId, Ended<JoinedNetwork>),
    /// The networks that were joined were looked at: each by the address of its server.
    NetworksSeen(BTreeMap<ServerAddress, NetworkSeen>),
    /// The text of a file with a pointer in it was read.
    PointerFileRead(Result<PointerText, UserMessage>),
    /// The diagnostics, a line for each finding.
    Diagnosed(String),
    /// Whether the clipboard took the diagnostics.
    DiagnosticsCopied(bool),
    /// A time set by [`Work::Later`] has passed.
    Elapsed(Timer),
    /// A received file was looked into; none when it is not there any more.
    Examined(TransferId, Examine, Option<Findings>),
    /// A fetch ended.
    Fetched(RunId, Ended<Saved>),
    /// Settings that could not be read no longer hold things up: these are in use now.
    SettingsInUse(Result<SettingsInUse, UserMessage>),
    /// Files came out of the system's dialog.
    FilesChosen(Vec<PathBuf>),
    /// Files came from the clipboard.
    FilesPasted(UriList),
    /// The system's dialog for received files was closed with a folder, or without.
    FolderChosen(Option<PathBuf>),
    /// A file that is said to describe a network of service nodes was read; `None` when none was chosen.
    NodesFileRead(Option<Result<Box<ServiceNodeNetwork>, UserMessage>>),
    /// There is no dialog for the folder.
    NoFolderDialog(UserMessage),
    /// Paths were looked at.
    Looked(LookPurpose, Vec<FoundPath>),
    /// Something that no transfer waits for did not work.
    Failed(UserMessage),
    /// What the history has to say.
    History(News),
    /// A transfer in parts is kept under this id from now on.
    Kept(RunId, UnfinishedId),
    /// What earlier starts left of transfers in parts.
    Left(Vec<LeftTransfer>),
    /// What the folder holds that a pointer names; `None` where it names a single file.
    Listed(RunId, Ended<Option<Arc<Manifest>>>),
    /// Whether a click on a `cloakroom:` link opens this program.
    Links(bool),
    /// A finished transfer is kept as this entry.
    Remembered(TransferId, EntryId),
    /// The server did what a sender asked for, or not.
    Managed(TransferId, Ended<Managed>),
    /// A transfer got further, and was seen there at this time of the window's clock.
    Progress(RunId, Stage, Duration),
    /// Something that was asked of the relays is done, or not.
    Relays(Option<ServerAddress>, Result<Box<RelaysKnown>, UserMessage>),
    /// The system's dialog was closed without a relay list.
    RelayListDismissed,
    /// The relay list of an earlier start was read.
    KeptListRead(Result<ShownRelayList, UserMessage>),
    /// A relay list was read.
    RelayListRead(Result<ShownRelayList, UserMessage>),
    /// A share ended.
    Shared(RunId, Ended<ShareResult>),
    /// The system says how it wants windows to look.
    SystemLook(SystemLook),
    /// The limits of a server, as far as they are remembered.
    Terms(ServerChoice, Option<Terms>),
    /// A server was tested.
    Tested(ServerChoice, Ended<TestReport>),
}

/// What the window goes on with where the person's own settings could not be read.
#[derive(Clone, Debug)]
pub enum SettingsInUse {
    /// The default ones. The old file is at this path; nothing when it stays where it was.
    Default(Option<PathBuf>),
    /// The person's own, which can be read now.
    Own(Box<Settings>),
}

/// The settings at the start of the program.
#[derive(Clone, Debug)]
pub struct LoadedSettings {
    /// The settings; the default ones where the person's own cannot be read.
    pub settings: Settings,
    /// Where received files go unless the settings say otherwise.
    pub usual_downloads: PathBuf,
    /// Why the person's own settings cannot be read.
    pub trouble: Option<UserMessage>,
}

/// What changes the model.
pub enum Input {
    /// From a view.
    Action(Action),
    /// From the worker.
    Event(Event),
}

impl From<Action> for Input {
    fn from(action: Action) -> Self {
        Self::Action(action)
    }
}

impl From<Event> for Input {
    fn from(event: Event) -> Self {
        Self::Event(event)
    }
}

impl Model {
    /// The state at the start of the program, from what was kept.
    #[must_use]
    pub(crate) fn new(loaded: LoadedSettings) -> Self {
        let LoadedSettings {
            settings,
            usual_downloads,
            trouble,
        } = loaded;
        let first_start = !settings.welcomed;
        let made_while_unread = trouble.is_some().then(Vec::new);
        Self {
            screen: Screen::Share,
            transfers: Vec::new(),
            receive: Receive::default(),
            first_start,
            settings,
            made_while_unread,
            settings_screen: SettingsScreen::default(),
            usual_downloads,
            share_options: ShareOptions::default(),
            hover: None,
            undecided: Vec::new(),
            together: Vec::new(),
            keep_together: false,
            notice: trouble.map(|message| Notice::new(Tone::Warning, message)),
            modal: None,
            menu: None,
            announcement: Announcement::default(),
            system: SystemLook::default(),
            copied: None,
            last_copied_row: None,
            focus: Some(if first_start {
                Focus::Start
            } else {
                Focus::Zone
            }),
            options_open: false,
            dialog_open: false,
            history: HistoryStatus::Off,
            in_front: true,
            undo: None,
            filter: Filter::All,
            page: listed::PAGE,
            elsewhere: Vec::new(),
            said_of_files: None,
            next_id: 1,
            copies: 0,
            removals: 0,
            last_copied: None,
            beneath: None,
            menu_from: None,
            return_to: None,
        }
    }

    /// The transfer of this row.
    #[must_use]
    pub fn transfer(&self, id: TransferId) -> Option<&Transfer> {
        self.transfers.iter().find(|transfer| transfer.id == id)
    }

    /// How many transfers would be stopped by closing.
    #[must_use]
    pub fn unfinished(&self) -> usize {
        self.transfers
            .iter()
            .filter(|transfer| transfer.is_unfinished())
            .count()
    }
}
