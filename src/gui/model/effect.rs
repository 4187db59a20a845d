//! What follows from a change of the model: for the window to do at once, or for the worker to carry out.

use std::path::PathBuf;
use std::sync::Arc;

use super::{
    EndNotice, Examine, InviteFor, JoinWanted, KeptTransfer, ManageAction, PointerText, RelayWish,
    RunId, ShareOptions, TransferId,
};
use crate::app::kept::history::EntryId;
use crate::app::kept::unfinished::UnfinishedId;
use crate::app::settings::{Change, ServerChoice, Settings};
use crate::app::transfer::get::Choice;
use crate::app::transfer::join::JoinChoice;
use crate::protocol::address::ServerAddress;

/// What follows from a change of the model. Never printed: it can hold a pointer.
#[derive(Clone)]
pub enum Effect {
    /// The window does it, on its own thread.
    Window(WindowEffect),
    /// The worker carries it out, away from the window.
    Work(Work),
}

/// What only the window can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowEffect {
    /// Have the desktop point the window out, where it is behind others.
    Attention,
    /// Close the window now.
    Quit,
    /// Ask the clipboard for its text, which arrives as a paste event.
    RequestPaste,
    /// Do not close the window after all.
    StayOpen,
}

/// What the worker carries out, sorted by what it touches.
///
/// Work that depends on the settings takes them with it as they are when it starts: a later change does not reach a
/// transfer that is under way. A file that waits for its turn takes the settings of the moment when its turn comes.
#[derive(Clone)]
pub enum Work {
    /// With the clipboard, one after the other.
    Clipboard(ClipboardWork),
    /// With a dialog of the system.
    Dialog(DialogWork),
    /// With files on this computer.
    File(FileWork),
    /// With the history.
    History(HistoryWork),
    /// Say when a time has passed.
    Later(Timer),
    /// Have the desktop say that a transfer ended.
    Notify(EndNotice),
    /// Over the network.
    Request(RequestWork),
    /// With the settings of this person or of the system; offline.
    Settings(SettingsWork),
}

/// Work with the clipboard.
#[derive(Clone)]
pub enum ClipboardWork {
    /// Empty it, if this is still on it.
    Clear(PointerText),
    /// Put a pointer on it, marked confidential.
    Copy(TransferId, PointerText),
    /// Put an invitation on it, marked confidential.
    CopyInvitation(PointerText),
    /// Put the diagnostics on it.
    CopyDiagnostics(String),
    /// Take files from it.
    PasteFiles,
}

/// Work with a dialog of the system.
#[derive(Clone)]
pub enum DialogWork {
    /// Ask where to, and write the history there.
    ExportHistory,
    /// Ask for files to share.
    PickFiles,
    /// Ask for the folder of received files, beginning at this one.
    PickFolder(PathBuf),
    /// Ask for a folder to share.
    PickFolderToShare,
    /// Ask for a relay list, and read it.
    PickRelayList,
    /// Ask for a file that describes a network of service nodes, and read it.
    PickServiceNodes,
    /// Ask where to, and write an invitation to the network of this name there.
    SaveInvitation(String, PointerText),
}

/// Work with files on this computer.
#[derive(Clone)]
pub enum FileWork {
    /// Look into a received file.
    Examine(TransferId, PathBuf, Examine),
    /// Say what these paths are.
    Look(LookPurpose, Vec<PathBuf>),
    /// Open a file with its program.
    Open(PathBuf),
    /// Read the text of this file with a pointer in it.
    ReadPointer(PathBuf),
    /// Read the relay list in this file.
    ReadRelayList(PathBuf),
    /// Read this file, which is said to describe a network of service nodes.
    ReadServiceNodes(PathBuf),
    /// Show a file in its folder.
    Reveal(PathBuf),
}

/// Work with the history.
#[derive(Clone)]
pub enum HistoryWork {
    /// Keep until when the server keeps the file of this entry, unix seconds.
    Expires(EntryId, u64),
    /// Take an entry out.
    Forget(EntryId),
    /// Keep a transfer for the next start.
    Remember(TransferId, KeptTransfer),
    /// Keep a history, or none.
    Set(bool),
    /// Remove the history and its key.
    Wipe,
}

/// Work that crosses the network, or stops doing so.
#[derive(Clone)]
pub enum RequestWork {
    /// Stop a run.
    Cancel(RunId),
    /// Give up a transfer in parts.
    Discard(TransferId, UnfinishedId, Arc<Settings>),
    /// Fetch a file or folder.
    Fetch(RunId, FetchWanted, Arc<Settings>),
    /// Look for transfers in parts that earlier starts left; offline.
    FindLeft,
    /// Join a network.
    Join(RunId, JoinWanted, JoinChoice, Arc<Settings>),
    /// Look what the folder holds that a pointer names.
    List(RunId, PointerText, Arc<Settings>),
    /// Ask the server to do something with a shared file.
    Manage(TransferId, ManageAction, PointerText, Arc<Settings>),
    /// Ask something of the relays.
    /// Of the network of this server, where a wish is about one.
    Relays(RelayWish, Option<ServerAddress>, Arc<Settings>),
    /// Share a file or folder.
    Share(RunId, ShareWanted, Arc<Settings>),
    /// Upload to and download from the server that these settings choose.
    Test(Arc<Settings>),
}

/// A fetch that is asked for. Never printed: it holds a pointer.
#[derive(Clone)]
pub struct FetchWanted {
    /// What names it.
    pub pointer: PointerText,
    /// The sender is told, if they asked to be.
    pub tell_sender: bool,
    /// What of a folder is wanted.
    pub choice: Choice,
    /// In parts: what it goes on with.
    pub kept: Option<UnfinishedId>,
}

/// A share that is asked for.
#[derive(Clone)]
pub struct ShareWanted {
    /// What is shared as one.
    pub paths: Vec<PathBuf>,
    /// How long, and how often.
    pub options: ShareOptions,
    /// In parts: what it goes on with.
    pub kept: Option<UnfinishedId>,
}

/// Work with the settings of this person or of the system.
#[derive(Clone)]
pub enum SettingsWork {
    /// Say what a text in the pointer's field is, where these settings hold.
    Describe(PointerText, Arc<Settings>),
    /// Look over settings, folders, relay list and servers.
    Diagnose,
    /// Make an invitation to the network of this server.
    Invite(InviteFor, ServerAddress, Arc<Settings>),
    /// Look at the networks that were joined.
    LookAtNetworks(Arc<Settings>),
    /// Have `cloakroom:` links open this program, or no longer.
    OpenLinks(bool),
    /// Read the relay list that these settings choose.
    ReadKeptList(Arc<Settings>),
    /// Make these changes in the file of the settings; the settings have them already.
    Save(Vec<Change>, Arc<Settings>),
    /// Say what a server said of what it takes, as far as is remembered.
    Terms(ServerChoice),
    /// Go on with the default settings, where the person's own could not be read.
    UseDefaults,
    /// Use the newest list of the network of this server, which waits for the person, and look at the networks again.
    UseNewList(ServerAddress, Arc<Settings>),
}

/// Why paths are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookPurpose {
    /// To share them.
    Share,
    /// To name them while they hang over the window.
    Hover,
}

/// A time that passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// A copied pointer has been on the clipboard long enough; counts the copies.
    Clipboard(u64),
    /// "Copied" has been shown long enough; counts the copies.
    Copied(u64),
    /// A transfer that has not moved since may be stuck; counts its moves.
    Slow(RunId, u64),
    /// What went could come back long enough; counts what went.
    Undo(u64),
}

impl Timer {
    /// How long it takes.
    #[must_use]
    pub(crate) fn millis(self) -> u64 {
        match self {
            Self::Clipboard(_) => 60_000,
            Self::Copied(_) => 1_800,
            Self::Slow(..) => 5_000,
            Self::Undo(_) => 6_000,
        }
    }
}

/// Implements `From` for the nested types of effects, so that one can be returned without naming what carries it out.
macro_rules! carried_out_by {
    ($($part:ident => $whole:ident;)+) => {$(
        impl From<$part> for Effect {
            fn from(work: $part) -> Self {
                Self::Work(Work::$whole(work))
            }
        }
    )+};
}

carried_out_by! {
    ClipboardWork => Clipboard;
    DialogWork => Dialog;
    EndNotice => Notify;
    FileWork => File;
    HistoryWork => History;
    RequestWork => Request;
    SettingsWork => Settings;
    Timer => Later;
}

impl From<WindowEffect> for Effect {
    fn from(effect: WindowEffect) -> Self {
        Self::Window(effect)
    }
}
