//! Announcements and notices of the window, as data. [`crate::gui::text`] finds the words when one is shown or read
//! out.

use std::path::PathBuf;

use super::{
    Focus, FoundPath, InvitationInfo, JoinCard, JoinPhase, JoinedNetwork, Managed, Model,
    PointerInfo, RemovedItem, ServerLabel, ShownName, TestReport, Trouble,
};
use crate::app::kept::history::{DamagedHistory, SessionOnly};
use crate::app::received::content_type::Disagreement;
use crate::app::words::message::{Remedy, UserMessage};
use crate::net::socks::SocksProxy;

/// The announcement that a screen reader should make.
#[derive(Clone, Debug, Default)]
pub struct Announcement {
    /// What there is to say; nothing at the start.
    pub what: Option<Announced>,
    /// Whether it interrupts what the screen reader is saying.
    pub urgent: bool,
    /// How many came before: the same words twice are two announcements.
    pub number: u64,
}

/// Something that happened, for those who hear the window.
#[derive(Clone, Debug)]
pub enum Announced {
    /// The access word of a server was forgotten.
    AccessWordForgotten,
    /// What was entered is no access word.
    AccessWordInvalid,
    /// The access word of a server is kept.
    AccessWordKept,
    /// This is so large, in bytes, that the person is asked first.
    AsksLarge(ShownName, u64),
    /// So many things came together, and the person is asked how to share them.
    AsksTogether(usize),
    /// The transfer of this file was stopped.
    Cancelled(ShownName),
    /// This transfer in parts was given up.
    Discarded(ShownName),
    /// The name of this received file says something else than its content.
    Disagrees(ShownName, Disagreement),
    /// The transfer of this file did not work.
    Failed(ShownName, Trouble),
    /// Files go to this server from now on.
    GoesTo(ServerLabel),
    /// The text in the pointer's field is an invitation.
    Invitation(Box<InvitationInfo>),
    /// An invitation is on the clipboard.
    InvitationCopied,
    /// An invitation was opened while something else stands in the field.
    InvitationOpened,
    /// An invitation is in the file of this name.
    InvitationSaved(String),
    /// This network was joined.
    Joined(JoinedNetwork),
    /// A network is being joined.
    Joining(JoinCard, JoinPhase),
    /// A file came to be shared that this program can use itself.
    KnownFile(FoundPath),
    /// A folder with so many files and empty folders in it was looked into.
    Listed(u32),
    /// What was looked into is a single file.
    ListedFile,
    /// The relay list of this name is used from now on.
    ListUsed(String),
    /// A server did what a sender asked for.
    Managed(Managed),
    /// A file describes the network of this name, which can be joined.
    NodesFile(String),
    /// Something that was asked for in Settings or of a server did not work.
    NotDone(Trouble),
    /// A notice stands above the screen.
    Notice(Notice),
    /// The text in the pointer's field is a pointer.
    Pointer(PointerInfo),
    /// This transfer in parts was stopped, and can go on.
    Paused(ShownName),
    /// The pointer is on the clipboard.
    PointerCopied,
    /// A pointer was opened while another stands in the field.
    PointerOpened,
    /// So many quarters, 1 to 3, of this file's bytes have moved.
    Progress(ShownName, u8),
    /// Requests go through this proxy from now on.
    ProxyUsed(SocksProxy),
    /// A file of this name is on this computer.
    Received(String),
    /// Something was taken away.
    Removed(RemovedItem),
    /// A network has this name from now on.
    Renamed(String),
    /// The server of this name was added.
    ServerAdded(String),
    /// The file is at a server.
    Shared(ShownName),
    /// So many transfers begin again.
    StartsAgain(usize),
    /// The download of this file begins.
    StartsReceiving(ShownName),
    /// Files begin to leave.
    StartsSharing(Vec<ShownName>),
    /// A test of a server passed.
    TestPassed(TestReport),
    /// A test of a server begins.
    Testing,
    /// What was taken away is back.
    Undone,
    /// A use case failed; `app` has found the words.
    Worded(UserMessage),
    /// The zoom changed to this, per cent.
    Zoom(u16),
}

/// Severity of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Good to know.
    Info,
    /// It worked.
    Success,
    /// Needs a decision.
    Warning,
    /// Did not work.
    Danger,
}

/// A message above the screen, or several that are said at the same time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Severity of the whole notice.
    pub tone: Tone,
    /// What is said first.
    pub message: WindowMessage,
    /// What else is said: each message has its own reason and its own advice.
    pub more: Vec<WindowMessage>,
}

/// Something that the window says in three sentences: what happened, why, what to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WindowMessage {
    /// Pasting brought neither text nor files.
    ClipboardEmpty,
    /// The clipboard did not take a text.
    ClipboardRefused,
    /// The default settings apply now; the old file is at this path, if it was put aside.
    DefaultSettingsUsed(Option<PathBuf>),
    /// The diagnostics were copied.
    DiagnosticsCopied,
    /// Files were dropped while a question was open.
    DropWhileModal,
    /// What was dropped is no file on this computer.
    DroppedNoFile,
    /// These were dropped or pasted and are no files of this computer.
    EntriesElsewhere(Vec<String>),
    /// The paths with these names are not there or not readable.
    FilesMissing(Vec<String>),
    /// Files are longer than anything that can be sent; each with its name and its length in bytes.
    FilesTooLarge(Vec<(String, u64)>),
    /// A history file that cannot be read was put aside.
    HistoryAside(DamagedHistory),
    /// So many entries of the history were exported.
    HistoryExported(usize),
    /// The history was not exported.
    HistoryNotExported,
    /// The history was not wiped whole.
    HistoryNotWiped(SessionOnly),
    /// The history was wiped.
    HistoryWiped,
    /// This network was joined.
    Joined(String),
    /// The relay list of the network of this name ends then (unix seconds), and no newer one came.
    ListEndsSoon(String, u64),
    /// The relay list of this name, dropped or chosen on Share, is used from now on.
    ListUsed(String),
    /// A relay list was dropped or chosen while the network inside the program is in use.
    NoNetworkForList,
    /// A picture on the clipboard was not shared.
    PictureNotTaken,
    /// A received file was moved or removed.
    SavedFileGone,
    /// The person's own settings, which could not be read before, apply now.
    SettingsReadAgain,
    /// A use case failed; `app` has found the words.
    Worded(UserMessage),
}

impl WindowMessage {
    /// The one thing that the window offers for it.
    #[must_use]
    pub(crate) fn remedy(&self) -> Remedy {
        match self {
            Self::Worded(message) => message.remedy,
            _ => Remedy::default(),
        }
    }
}

impl From<UserMessage> for WindowMessage {
    fn from(message: UserMessage) -> Self {
        Self::Worded(message)
    }
}

impl Notice {
    /// A notice of one message.
    #[must_use]
    pub(crate) fn new(tone: Tone, message: impl Into<WindowMessage>) -> Self {
        Self {
            tone,
            message: message.into(),
            more: Vec::new(),
        }
    }

    /// All its messages, in the order in which they are said.
    pub(crate) fn messages(&self) -> impl Iterator<Item = &WindowMessage> {
        std::iter::once(&self.message).chain(&self.more)
    }

    /// Something did not work, or the person has to decide.
    #[must_use]
    pub(crate) const fn warns(&self) -> bool {
        matches!(self.tone, Tone::Warning | Tone::Danger)
    }
}

impl Model {
    /// Shows a notice of one message above the screen.
    pub(crate) fn say(&mut self, tone: Tone, message: impl Into<WindowMessage>) {
        self.notify(Notice::new(tone, message));
    }

    /// Shows a notice above the screen.
    pub(super) fn notify(&mut self, notice: Notice) {
        let tone = notice.tone;
        self.announce(tone == Tone::Danger, Announced::Notice(notice.clone()));
        self.notice = Some(notice);
        // Few readers speak announcements; each speaks what the keyboard comes to. Where all went well, it stays with what
        // the person has just used.
        if tone != Tone::Success {
            self.focus = Some(Focus::Notice);
        }
    }

    /// Announces something to screen readers.
    pub(super) fn announce(&mut self, urgent: bool, what: Announced) {
        self.announcement = Announcement {
            what: Some(what),
            urgent,
            number: self.announcement.number + 1,
        };
    }
}
