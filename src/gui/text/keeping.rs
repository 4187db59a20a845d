//! What the window says of the history, of files that could run, and what it has the desktop say.

use crate::app::kept::history::{
    AsideReason, DamagedHistory, HistoryFileError, HistoryStatus, SessionOnly,
};
use crate::app::kept::keystore::KeyStoreError;
use crate::app::words::l10n::{say, tell};

use crate::app::words::message::{UserMessage, io_words, message};
use crate::gui::model::{EndNotice, TransferEnd};

plain! {
    /// Settings.
    history_title;
    /// Settings.
    export_history;
}
/// Name of the exported file, at first.
pub const EXPORT_FILE: &str = "cloakroom-history.json";
plain! {
    /// Settings, and the answer of a question.
    wipe_history;
    /// Settings.
    notify;
    /// Settings.
    notify_about;
    /// Settings.
    notify_names;
    /// Settings.
    notify_names_about;
    /// The question before wiping.
    wipe_title;
    /// The question before wiping.
    wipe_body;
    /// The question before wiping.
    keep_history;
    /// The question before opening a program.
    open_program_title;
    /// The question before opening a program.
    open_program_why;
    /// The question before opening a program.
    open_anyway;
    /// The question before opening a program.
    do_not_open;
}

/// The question before opening a program.
#[must_use]
pub fn open_program(name: &str, why: &str) -> String {
    tell(
        "open_program",
        &[("name", name.into()), ("why", why.into())],
    )
}

/// How the history stands.
#[must_use]
pub fn history(status: HistoryStatus) -> String {
    match status {
        HistoryStatus::Off => say("history_off").to_owned(),
        HistoryStatus::Waiting => say("history_waiting").to_owned(),
        HistoryStatus::Kept => say("history_kept").to_owned(),
        HistoryStatus::SessionOnly(why) => {
            tell("history_session", &[("why", session_only(why).into())])
        }
    }
}

/// Below the list of transfers, when it does not outlast the program; nothing when it does, or was not to.
#[must_use]
pub fn list_session(status: HistoryStatus) -> Option<String> {
    match status {
        HistoryStatus::SessionOnly(why) => {
            Some(tell("list_session", &[("why", session_only(why).into())]))
        }
        HistoryStatus::Kept | HistoryStatus::Off | HistoryStatus::Waiting => None,
    }
}

fn session_only(why: SessionOnly) -> String {
    match why {
        SessionOnly::Keyring(KeyStoreError::Missing) => say("keyring_missing").to_owned(),
        SessionOnly::Keyring(KeyStoreError::Refused) => say("keyring_refused").to_owned(),
        SessionOnly::Keyring(KeyStoreError::TimedOut) => say("keyring_silent").to_owned(),
        SessionOnly::Newer => say("history_file_newer").to_owned(),
        SessionOnly::File(kind) => tell("history_file_fails", &[("why", io_words(kind).into())]),
    }
}

/// A history file that cannot be read was put aside.
#[must_use]
pub fn history_aside(aside: &DamagedHistory) -> UserMessage {
    let id = match (aside.why, &aside.kept) {
        (AsideReason::File(_), Some(_)) => "history_damaged",
        (AsideReason::File(_), None) => "history_damaged_left",
        (AsideReason::NoKey, Some(_)) => "history_no_key",
        (AsideReason::NoKey, None) => "history_no_key_left",
    };
    let why = match aside.why {
        AsideReason::File(HistoryFileError::Damaged) => say("file_is_damaged"),
        AsideReason::File(HistoryFileError::Newer) => say("file_is_newer"),
        AsideReason::NoKey => "",
    };
    let path = aside.kept.as_ref().map(|path| path.display().to_string());
    message(
        id,
        &[
            ("why", why.into()),
            ("path", path.unwrap_or_default().into()),
        ],
    )
}

/// The history was wiped.
#[must_use]
pub fn history_wiped() -> UserMessage {
    message("history_wiped", &[])
}

/// The history was not wiped whole.
#[must_use]
pub fn history_not_wiped(why: SessionOnly) -> UserMessage {
    let id = match why {
        SessionOnly::Keyring(_) => "history_key_not_wiped",
        SessionOnly::File(_) | SessionOnly::Newer => "history_file_not_wiped",
    };
    message(id, &[("why", session_only(why).into())])
}

/// The history was exported.
#[must_use]
pub fn history_exported(count: usize) -> UserMessage {
    message("history_exported", &[("count", count.into())])
}

/// The history was not exported.
#[must_use]
pub fn history_not_exported() -> UserMessage {
    message("history_not_exported", &[])
}

/// A received file was moved or removed.
#[must_use]
pub fn saved_file_gone() -> UserMessage {
    message("saved_file_gone", &[])
}

/// What the desktop shows, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// In bold.
    pub title: String,
    /// Below it.
    pub body: String,
}

/// What the desktop says when a transfer has ended.
#[must_use]
pub fn notification(notice: &EndNotice) -> Notification {
    let (named, unnamed, body) = match notice.end {
        TransferEnd::Failed => ("did_not_arrive", "file_did_not_arrive", "notify_failed"),
        TransferEnd::Received => ("has_arrived", "file_has_arrived", "notify_received"),
        TransferEnd::Shared => ("is_shared", "file_is_shared", "notify_shared"),
    };
    Notification {
        title: match &notice.name {
            Some(name) => tell(named, &[("name", super::shown_name(name).into())]),
            None => say(unnamed).to_owned(),
        },
        body: say(body).to_owned(),
    }
}

plain! {
    /// Brings back what went.
    undo;
    /// The sheet of keys.
    undo_removal;
    /// Said when it happened.
    undone;
    /// What went.
    proxy_forgotten;
    /// What went.
    relay_list_forgotten;
}

/// What went: a row or a server.
#[must_use]
pub fn removed_name(name: &str) -> String {
    tell("removed", &[("name", name.into())])
}

/// What went: several rows.
#[must_use]
pub fn removed_rows(count: usize) -> String {
    tell("removed_rows", &[("count", count.into())])
}
