//! The words of the history, of the question before a program is opened, and of desktop notifications.

use super::texts;
use crate::app::kept::history::{
    AsideReason, DamagedHistory, HistoryFileError, HistoryStatus, SessionOnly,
};
use crate::app::kept::keystore::KeyStoreError;
use crate::app::words::message::{UserMessage, io_words};
use crate::gui::model::{EndNotice, TransferEnd};

/// Name of the exported file, at first.
pub(crate) const EXPORT_FILE: &str = "cloakroom-history.json";

/// How the history stands.
#[must_use]
pub fn history(status: HistoryStatus) -> String {
    match status {
        HistoryStatus::Off => texts::history_off().to_owned(),
        HistoryStatus::Waiting => texts::history_waiting().to_owned(),
        HistoryStatus::Kept => texts::history_kept().to_owned(),
        HistoryStatus::SessionOnly(why) => texts::history_session(&session_only(why)),
    }
}

/// Below the list of transfers, when it does not outlast the program; nothing when it does, or was not to.
#[must_use]
pub(crate) fn list_session(status: HistoryStatus) -> Option<String> {
    match status {
        HistoryStatus::SessionOnly(why) => Some(texts::list_session(&session_only(why))),
        HistoryStatus::Kept | HistoryStatus::Off | HistoryStatus::Waiting => None,
    }
}

fn session_only(why: SessionOnly) -> String {
    match why {
        SessionOnly::Keyring(KeyStoreError::Missing) => texts::keyring_missing().to_owned(),
        SessionOnly::Keyring(KeyStoreError::Refused) => texts::keyring_refused().to_owned(),
        SessionOnly::Keyring(KeyStoreError::TimedOut) => texts::keyring_silent().to_owned(),
        SessionOnly::Newer => texts::history_file_newer().to_owned(),
        SessionOnly::File(kind) => texts::history_file_fails(&io_words(kind)),
    }
}

/// A history file that cannot be read was put aside.
#[must_use]
pub(crate) fn history_aside(aside: &DamagedHistory) -> UserMessage {
    let why = |error| match error {
        HistoryFileError::Damaged => texts::file_is_damaged(),
        HistoryFileError::Newer => texts::file_is_newer(),
    };
    let kept = aside.kept.as_ref().map(|path| path.display().to_string());
    match (aside.why, kept) {
        (AsideReason::File(error), Some(path)) => texts::history_damaged(why(error), &path),
        (AsideReason::File(error), None) => texts::history_damaged_left(why(error)),
        (AsideReason::NoKey, Some(path)) => texts::history_no_key(&path),
        (AsideReason::NoKey, None) => texts::history_no_key_left(),
    }
}

/// The history was not wiped whole.
#[must_use]
pub(crate) fn history_not_wiped(why: SessionOnly) -> UserMessage {
    let reason = session_only(why);
    match why {
        SessionOnly::Keyring(_) => texts::history_key_not_wiped(&reason),
        SessionOnly::File(_) | SessionOnly::Newer => texts::history_file_not_wiped(&reason),
    }
}

/// What the desktop shows, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// First line, shown in bold.
    pub title: String,
    /// Below it.
    pub body: String,
}

/// What the desktop says when a transfer has ended.
#[must_use]
pub fn notification(notice: &EndNotice) -> Notification {
    let name = notice.name.as_ref().map(super::shown_name);
    let (title, body) = match (notice.end, name) {
        (TransferEnd::Failed, Some(name)) => (texts::did_not_arrive(name), texts::notify_failed()),
        (TransferEnd::Failed, None) => (
            texts::file_did_not_arrive().to_owned(),
            texts::notify_failed(),
        ),
        (TransferEnd::Received, Some(name)) => (texts::has_arrived(name), texts::notify_received()),
        (TransferEnd::Received, None) => (
            texts::file_has_arrived().to_owned(),
            texts::notify_received(),
        ),
        (TransferEnd::Shared, Some(name)) => (texts::is_shared(name), texts::notify_shared()),
        (TransferEnd::Shared, None) => (texts::file_is_shared().to_owned(), texts::notify_shared()),
    };
    Notification {
        title,
        body: body.to_owned(),
    }
}
