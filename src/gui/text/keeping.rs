//! What the window says of the history, of files that could run, and what it has the desktop say.

use super::messages::sentence;
use crate::app::history::{Aside, AsideReason, SessionOnly, Status};
use crate::app::keystore::KeyStoreError;
use crate::app::message::UserMessage;
use crate::gui::model::{Notification, State};

/// Settings.
pub const HISTORY: &str = "Keep a history";
/// Settings.
pub const EXPORT_HISTORY: &str = "Export, with keys";
/// Name of the exported file, at first.
pub const EXPORT_FILE: &str = "cloakroom-history.json";
/// Settings, and the answer of a question.
pub const WIPE_HISTORY: &str = "Wipe history";
/// Settings.
pub const NOTIFY: &str = "Say when a transfer ends";
/// Settings.
pub const NOTIFY_ABOUT: &str = "By the desktop, while this window is behind others.";
/// Settings.
pub const NOTIFY_NAMES: &str = "Name the file in it";
/// Settings.
pub const NOTIFY_NAMES_ABOUT: &str =
    "Others may see the screen, and the desktop may keep what it said.";
/// The question before wiping.
pub const WIPE_TITLE: &str = "Wipe the history?";
/// The question before wiping.
pub const WIPE_BODY: &str = "The file and its key are removed, and the kept transfers leave the list. Pointers that you have nowhere else are lost; the files stay where they are.";
/// The question before wiping.
pub const KEEP_HISTORY: &str = "Keep it";
/// The question before opening a program.
pub const OPEN_PROGRAM_TITLE: &str = "This file could run a program";
/// The question before opening a program.
pub const OPEN_PROGRAM_WHY: &str = "Files of this kind can run what is in them.";
/// The question before opening a program.
pub const OPEN_ANYWAY: &str = "Open anyway";
/// The question before opening a program.
pub const DO_NOT_OPEN: &str = "Do not open";

/// The question before opening a program.
#[must_use]
pub fn open_program(name: &str, why: &str) -> String {
    format!("{name}: {why} Open it only if you know the sender and expected it.")
}

/// How the history stands.
#[must_use]
pub fn history(status: Status) -> String {
    match status {
        Status::Off => "Off. What was kept before stays until you wipe it.".to_owned(),
        Status::Waiting => "Waiting for this system's keyring.".to_owned(),
        Status::Kept => {
            "On this computer only, sealed under a key in this system's keyring.".to_owned()
        }
        Status::SessionOnly(why) => {
            format!("Only until you quit: {}.", session_only(why))
        }
    }
}

fn session_only(why: SessionOnly) -> String {
    match why {
        SessionOnly::Keyring(KeyStoreError::Missing) => "this system has no keyring".to_owned(),
        SessionOnly::Keyring(KeyStoreError::Refused) => {
            "this system's keyring is locked or refused".to_owned()
        }
        SessionOnly::Keyring(KeyStoreError::TimedOut) => {
            "this system's keyring did not answer".to_owned()
        }
        SessionOnly::File(kind) => format!("its file cannot be read or written ({kind})"),
    }
}

/// A history file that cannot be read was put aside.
#[must_use]
pub fn history_aside(aside: &Aside) -> UserMessage {
    let why = match aside.why {
        AsideReason::File(error) => format!("The file cannot be used: {error}."),
        AsideReason::NoKey => "This system's keyring does not have its key any more.".to_owned(),
    };
    let next = match &aside.kept {
        Some(path) => format!("A new one was begun; the old file is {}.", path.display()),
        None => "It was left as it is, and nothing is kept until you wipe it.".to_owned(),
    };
    sentence(
        "The history of earlier transfers could not be read.",
        why,
        next,
    )
}

/// The history was wiped.
#[must_use]
pub fn history_wiped() -> UserMessage {
    sentence(
        "The history was wiped.",
        "Its file and its key are gone.",
        "Received files and what servers keep are as they were.",
    )
}

/// The history was not wiped whole.
#[must_use]
pub fn history_not_wiped(why: SessionOnly) -> UserMessage {
    let gone = match why {
        SessionOnly::Keyring(_) => "Its file is gone, but its key may still be in the keyring",
        SessionOnly::File(_) => "Its file may still be there",
    };
    sentence(
        "The history was not wiped whole.",
        format!("{gone}: {}.", session_only(why)),
        "Try again; or remove history.sealed from the data folder yourself.",
    )
}

/// The history was exported.
#[must_use]
pub fn history_exported(count: usize) -> UserMessage {
    let count = match count {
        1 => "1 transfer was".to_owned(),
        more => format!("{more} transfers were"),
    };
    sentence(
        format!("{count} written to the file."),
        "It holds keys: whoever reads it can fetch and read your shared files.",
        "Keep it as you would keep the files, and remove it when you are done.",
    )
}

/// The history was not exported.
#[must_use]
pub fn history_not_exported() -> UserMessage {
    sentence(
        "The history was not exported.",
        "The file could not be written, or nothing is kept.",
        "Choose another place.",
    )
}

/// A received file was moved or removed.
#[must_use]
pub fn saved_file_gone() -> UserMessage {
    sentence(
        "The file could not be opened.",
        "It is not where it was saved any more, or cannot be read.",
        "Look where it was moved to, or ask for it again.",
    )
}

/// What the desktop says when a transfer has ended; nothing for one that has not.
#[must_use]
pub fn notification(state: &State, name: Option<&str>) -> Option<Notification> {
    let (verb, body) = match state {
        State::Shared(_) => ("is ready to share", "Its pointer is waiting in Cloakroom."),
        State::Received(_) => ("has arrived", "It was verified and saved."),
        State::Failed(_) => ("did not get through", "Cloakroom says why."),
        State::Waiting | State::Running(_) | State::Cancelled => return None,
    };
    Some(Notification {
        title: format!("{} {verb}", name.unwrap_or("A file")),
        body: body.to_owned(),
    })
}
