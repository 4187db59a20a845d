//! What the window says in three sentences: what happened, why, what to do next.

use crate::app::message::UserMessage;

pub(super) fn sentence(
    what: impl Into<String>,
    why: impl Into<String>,
    next: impl Into<String>,
) -> UserMessage {
    UserMessage {
        what: what.into(),
        why: why.into(),
        next: next.into(),
    }
}

fn named(names: &[String], one: &str, many: &str) -> String {
    match names {
        [name] => format!("{name} {one}"),
        more => format!("{} {many}", more.len()),
    }
}

/// A folder was dropped, chosen or named.
#[must_use]
pub fn folders_refused(names: &[String]) -> UserMessage {
    sentence(
        named(
            names,
            "is a folder and was not shared.",
            "folders were not shared.",
        ),
        "Only single files can be shared so far.",
        "Pack it into one archive and share that.",
    )
}

/// A path is not there or not readable.
#[must_use]
pub fn files_missing(names: &[String]) -> UserMessage {
    sentence(
        named(
            names,
            "could not be found, so it was not shared.",
            "files could not be found and were not shared.",
        ),
        "It may have been moved, or this program may not read it.",
        "Choose it again from where it is now.",
    )
}

/// Files were dropped while a question was open.
#[must_use]
pub fn drop_while_modal() -> UserMessage {
    sentence(
        "The dropped files were not shared.",
        "A question was open.",
        "Answer it, then drop them again.",
    )
}

/// Pasting brought neither text nor files.
#[must_use]
pub fn clipboard_empty() -> UserMessage {
    sentence(
        "Nothing was pasted.",
        "The clipboard holds no pointer and no file.",
        "Copy a pointer or a file first.",
    )
}

/// The clipboard did not take a pointer.
#[must_use]
pub fn clipboard_refused() -> UserMessage {
    sentence(
        "The pointer was not copied.",
        "The system's clipboard did not take it.",
        "Try again; if another program holds the clipboard, close it.",
    )
}

/// No system dialog could be opened.
#[must_use]
pub fn opener_failed() -> UserMessage {
    sentence(
        "The file could not be shown.",
        "No program of this system took it.",
        "Find it in your download folder.",
    )
}

/// A transfer ended by a defect of this program.
#[must_use]
pub fn defect() -> UserMessage {
    sentence(
        "The transfer stopped.",
        "This program has made a mistake.",
        "Try again; if it stops again, report it.",
    )
}

/// A real server and only built-in relays.
#[must_use]
pub fn relays_missing() -> UserMessage {
    sentence(
        "This server cannot be reached yet.",
        "The built-in relays serve the built-in network only.",
        "Choose a relay list that you trust.",
    )
}
