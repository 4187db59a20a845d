//! What the window says in three sentences: what happened, why, what to do next.

use std::path::Path;

use crate::app::words::l10n::{say, tell};
use crate::app::words::message::{Remedy, UserMessage, grouped, message};
use crate::protocol::size_class::MAX_CONTENT_LEN;

/// Messages that have nothing to fill in; each is a function of its id.
macro_rules! messages {
    ($($(#[$doc:meta])+ $id:ident;)+) => {$(
        $(#[$doc])+
        #[must_use]
        pub fn $id() -> UserMessage {
            message(stringify!($id), &[])
        }
    )+};
}

messages! {
    /// Settings: what was entered is no access word.
    access_word_invalid;
    /// Files were dropped while a question was open.
    drop_while_modal;
    /// Pasting brought neither text nor files.
    clipboard_empty;
    /// A picture on the clipboard was not shared.
    picture_not_taken;
    /// A pointer was opened while another stands in Receive.
    pointer_opened;
    /// The clipboard did not take a pointer.
    clipboard_refused;
    /// What this program found of itself was copied.
    diagnostics_copied;
    /// No program could be opened.
    opener_failed;
    /// The system has no dialog for files.
    no_dialogs;
    /// The system did not take which program opens links.
    links_refused;
    /// A transfer ended by a defect of this program.
    defect;
    /// A real server and only built-in relays.
    relays_missing;
}

/// A folder was dropped, chosen or named.
#[must_use]
pub fn folders_refused(names: &[String]) -> UserMessage {
    named("folder_refused", "folders_refused", names)
}

/// Files are longer than anything that can be sent; each with its name and its length in bytes.
///
/// Lengths are exact: rounded, a file could look as long as what is allowed.
#[must_use]
pub fn files_too_large(files: &[(String, u64)]) -> UserMessage {
    let limit = ("limit", grouped(MAX_CONTENT_LEN).into());
    match files {
        [(name, len)] => message(
            "file_too_large_here",
            &[
                ("name", name.as_str().into()),
                ("length", grouped(*len).into()),
                limit,
            ],
        ),
        more => message(
            "files_too_large_here",
            &[("count", more.len().into()), limit],
        ),
    }
}

/// A path is not there or not readable.
#[must_use]
pub fn files_missing(names: &[String]) -> UserMessage {
    named("file_missing", "files_missing", names)
}

/// What was dropped or pasted is no file of this computer.
#[must_use]
pub fn entries_elsewhere(names: &[String]) -> UserMessage {
    named("entry_elsewhere", "entries_elsewhere", names)
}

fn named(one: &str, many: &str, names: &[String]) -> UserMessage {
    match names {
        [name] => message(one, &[("name", name.as_str().into())]),
        more => message(many, &[("count", more.len().into())]),
    }
}

plain! {
    /// What helps: entering the server's access word.
    remedy_access_word;
    /// What helps where the settings cannot be read.
    remedy_default_settings;
}

/// The default settings apply now. Where the old file is, if it was put aside; a newer version's stays where it is.
#[must_use]
pub fn default_settings_used(aside: Option<&Path>) -> UserMessage {
    let why = match aside {
        Some(aside) => tell(
            "settings_put_aside",
            &[("path", aside.display().to_string().into())],
        ),
        None => say("settings_not_saved").to_owned(),
    };
    message("default_settings_used", &[("why", why.into())])
}

/// The one thing that helps where something did not work, on its button.
#[must_use]
pub fn remedy(remedy: Remedy) -> Option<&'static str> {
    match remedy {
        Remedy::AccessWord => Some(remedy_access_word()),
        Remedy::DefaultSettings => Some(remedy_default_settings()),
        Remedy::Folder => Some(say("remedy_folder")),
        Remedy::Nothing => None,
        Remedy::Options => Some(say("remedy_options")),
        Remedy::Paste => Some(say("remedy_paste")),
        Remedy::Relays => Some(say("remedy_relays")),
        Remedy::Retry => Some(say("retry")),
        Remedy::Server => Some(say("choose_server")),
    }
}

/// Receive: the server has dropped the file, if its clock and this one are right.
#[must_use]
pub fn pointer_expired(unix_secs: u64) -> UserMessage {
    message("pointer_expired", &[("day", super::day(unix_secs).into())])
}

/// Receive: the file is at a server that the person has not chosen.
#[must_use]
pub fn other_server(theirs: &str, chosen: &str) -> UserMessage {
    message(
        "other_server",
        &[("theirs", theirs.into()), ("chosen", chosen.into())],
    )
}
