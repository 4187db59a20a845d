//! What the window says in three sentences: what happened, why, what to do next.

use std::path::Path;

use super::texts;
use crate::app::words::message::{Remedy, UserMessage};
use crate::protocol::parts::MAX_WHOLE_LEN;

/// Files are longer than anything that can be sent; each with its name and its length in bytes.
///
/// Lengths are exact: rounded, a file could look as long as what is allowed.
#[must_use]
pub(crate) fn files_too_large(files: &[(String, u64)]) -> UserMessage {
    match files {
        [(name, len)] => texts::file_too_large_here(name, *len, MAX_WHOLE_LEN),
        more => texts::files_too_large_here(more.len(), MAX_WHOLE_LEN),
    }
}

/// A path is not there or not readable.
#[must_use]
pub(crate) fn files_missing(names: &[String]) -> UserMessage {
    match names {
        [name] => texts::file_missing(name),
        more => texts::files_missing(more.len()),
    }
}

/// What was dropped or pasted is no file of this computer.
#[must_use]
pub(crate) fn entries_elsewhere(names: &[String]) -> UserMessage {
    match names {
        [name] => texts::entry_elsewhere(name),
        more => texts::entries_elsewhere(more.len()),
    }
}

/// The default settings apply now. Where the old file is, if it was put aside; a newer version's stays where it is.
#[must_use]
pub(crate) fn default_settings_used(aside: Option<&Path>) -> UserMessage {
    let why = match aside {
        Some(aside) => texts::settings_put_aside(&aside.display().to_string()),
        None => texts::settings_not_saved().to_owned(),
    };
    texts::default_settings_used(&why)
}

/// The one thing that helps where something did not work, on its button.
#[must_use]
pub(crate) fn remedy(remedy: Remedy) -> Option<&'static str> {
    match remedy {
        Remedy::AccessWord => Some(texts::remedy_access_word()),
        Remedy::DefaultSettings => Some(texts::remedy_default_settings()),
        Remedy::Folder => Some(texts::remedy_folder()),
        Remedy::NewerList => Some(texts::remedy_newer_list()),
        Remedy::Nothing => None,
        Remedy::Options => Some(texts::remedy_options()),
        Remedy::Paste => Some(texts::remedy_paste()),
        Remedy::Relays => Some(texts::remedy_relays()),
        Remedy::Retry => Some(texts::retry()),
        Remedy::Server => Some(texts::choose_server()),
    }
}

/// Receive: the server has dropped the file, if its clock and this one are right.
#[must_use]
pub(crate) fn pointer_expired(unix_secs: u64) -> UserMessage {
    texts::pointer_expired(&super::day(unix_secs))
}
