//! A sentence for each error that is the cause of an application error.
//!
//! What only whoever mends this program can use (a line of a parser, an error of the system that is seldom met) stays as
//! the library says it.

use std::io;

use super::super::texts;
use super::super::units::{exact_size, size};
use super::{UserMessage, proxy};
use crate::app::error::NeedsNewer;
use crate::app::kept::owned::OwnRecordError;
use crate::app::operate::builtin::BuiltInError;
use crate::app::received::save::SaveError;
use crate::app::relays::ServiceNodeFileError;
use crate::app::settings::SettingsError;
use crate::disk::io_reason::IoReason;
use crate::disk::kept::UnreadReason;
use crate::net::relay_source::FetchError;
use crate::net::socks::ParseProxyError;
use crate::protocol::address::ParseAddressError;
use crate::protocol::relay_list::{ListRefused, NodesError, ParseSourceError, RelayListError};

/// An error that has a sentence.
pub(super) trait Reason {
    /// The sentence, in the language that is spoken.
    fn sentence(&self) -> String;
}

impl Reason for BuiltInError {
    fn sentence(&self) -> String {
        match self {
            Self::Busy => texts::why_built_in_busy().to_owned(),
            Self::Folder(kind) => after(texts::why_built_in_folder(), *kind),
            Self::List(why) => why.sentence(),
            Self::NoLocks => texts::why_built_in_no_locks().to_owned(),
            Self::Key(_) | Self::Relay(_) | Self::Server(_) => closed(&self.to_string()),
        }
    }
}

impl Reason for SettingsError {
    fn sentence(&self) -> String {
        match self {
            Self::Invalid { line: None, reason } => texts::why_settings_invalid(reason),
            Self::Invalid {
                line: Some(line),
                reason,
            } => texts::why_settings_line_invalid(*line, reason),
            Self::Misspelled { line, key, meant } if key == meant => {
                texts::why_settings_misplaced(*line, key)
            }
            Self::Misspelled { line, key, meant } => {
                texts::why_settings_misspelled(*line, key, meant)
            }
            Self::Newer => texts::why_settings_newer().to_owned(),
            Self::NoHome => texts::why_no_home().to_owned(),
            Self::NotPrivate { .. } => closed(&self.to_string()),
            Self::Read(kind) => after(texts::why_settings_unreadable(), *kind),
            Self::Write(kind) => after(texts::why_settings_unwritable(), *kind),
        }
    }
}

impl Reason for FetchError {
    fn sentence(&self) -> String {
        let sentence = match self {
            Self::Broken => texts::why_fetch_broken(),
            Self::Cancelled => texts::why_fetch_cancelled(),
            Self::Nodes(why) => return why.sentence(),
            Self::Proxy(why) => {
                let UserMessage { what, why, .. } = proxy(why);
                return texts::two_sentences(&what, &why);
            }
            Self::Redirected => texts::why_fetch_redirected(),
            Self::Status(status) => {
                return texts::why_fetch_status(*status);
            }
            Self::TimedOut => texts::why_fetch_timed_out(),
            Self::TooLarge => texts::why_fetch_too_large(),
            Self::Unreachable => texts::why_fetch_unreachable(),
        };
        sentence.to_owned()
    }
}

impl Reason for ListRefused {
    fn sentence(&self) -> String {
        let sentence = match self {
            Self::List(why) => return why.sentence(),
            Self::NotYet => texts::why_list_not_yet(),
            Self::Older => texts::why_list_older(),
            Self::SameDate => texts::why_list_same_date(),
            Self::TooLarge => texts::why_list_too_large(),
            Self::Unsigned => texts::why_list_unsigned(),
            Self::WronglySigned => texts::why_list_wrongly_signed(),
        };
        sentence.to_owned()
    }
}

impl Reason for NeedsNewer {
    fn sentence(&self) -> String {
        match self {
            Self::Words => texts::why_newer_words(),
        }
        .to_owned()
    }
}

impl Reason for NodesError {
    fn sentence(&self) -> String {
        match self {
            Self::Malformed => texts::why_nodes_malformed().to_owned(),
            Self::TooFew(count) => texts::why_nodes_too_few(*count),
        }
    }
}

impl Reason for OwnRecordError {
    fn sentence(&self) -> String {
        match self {
            Self::Damaged => texts::why_record_damaged().to_owned(),
            Self::Newer => texts::why_record_newer().to_owned(),
            Self::Read(kind) => after(texts::why_record_unreadable(), *kind),
            Self::Write(kind) => after(texts::why_record_unwritable(), *kind),
        }
    }
}

impl Reason for ParseAddressError {
    fn sentence(&self) -> String {
        match self {
            Self::Host => texts::why_url_host(),
            Self::Id(_) => texts::why_url_id(),
            Self::Key(_) => texts::why_url_key(),
            Self::NoKey => texts::why_url_no_server_key(),
            Self::NotCanonical => texts::why_url_not_canonical(),
            Self::NotUrl => texts::why_url_none(),
            Self::Path => texts::why_url_path(),
            Self::Scheme => texts::why_url_scheme(),
            Self::User => texts::why_url_user(),
        }
        .to_owned()
    }
}

impl Reason for ParseProxyError {
    fn sentence(&self) -> String {
        match self {
            Self::Behind => texts::why_proxy_behind(),
            Self::Host => texts::why_proxy_host(),
            Self::Login => texts::why_proxy_login(),
            Self::Port => texts::why_proxy_port(),
            Self::Scheme => texts::why_proxy_scheme(),
        }
        .to_owned()
    }
}

impl Reason for ParseSourceError {
    fn sentence(&self) -> String {
        match self {
            Self::Host => texts::why_url_host(),
            Self::Key(_) => texts::why_url_key(),
            Self::NoKey => texts::why_url_no_list_key(),
            Self::NotUrl => texts::why_url_none(),
            Self::Path => texts::why_url_no_file(),
            Self::Scheme => texts::why_url_scheme(),
            Self::TooLong => texts::why_line_too_long(),
            Self::User => texts::why_url_user(),
        }
        .to_owned()
    }
}

impl Reason for ServiceNodeFileError {
    fn sentence(&self) -> String {
        closed(&self.to_string())
    }
}

impl Reason for RelayListError {
    fn sentence(&self) -> String {
        match self {
            Self::Backwards => texts::why_list_backwards().to_owned(),
            Self::DuplicateRelay => texts::why_list_duplicate().to_owned(),
            Self::Expired => texts::why_list_expired().to_owned(),
            Self::Entry { index, what } => texts::why_list_entry(*index, what),
            Self::Malformed(what) => texts::why_list_malformed(what),
            Self::Newer => texts::why_list_newer().to_owned(),
            Self::TooFew(count) => texts::why_list_too_few(*count),
            Self::TooLong => texts::why_list_too_long().to_owned(),
        }
    }
}

impl Reason for UnreadReason {
    fn sentence(&self) -> String {
        match self {
            Self::Damaged => texts::why_relays_damaged().to_owned(),
            Self::Newer => texts::why_relays_newer().to_owned(),
            Self::Read(reason) => after(texts::why_relays_unreadable(), *reason),
        }
    }
}

impl Reason for SaveError {
    fn sentence(&self) -> String {
        match self {
            Self::Altered => texts::why_save_altered().to_owned(),
            Self::Cancelled => texts::cancelled().to_owned(),
            Self::Create(kind) => after(texts::why_save_create(), *kind),
            Self::Folder(kind) => after(texts::why_save_folder(), *kind),
            Self::NoFreeName => texts::why_save_names().to_owned(),
            Self::NoRoom { needed, free } => {
                // Rounded, two lengths can look equal.
                let form = if size(*needed) == size(*free) {
                    exact_size
                } else {
                    size
                };
                texts::why_save_no_room(&form(*needed), &form(*free))
            }
            Self::NoRegularFile => texts::why_save_no_regular_file().to_owned(),
            Self::Rename(kind) => after(texts::why_save_rename(), *kind),
            Self::TooLong(len) => texts::why_save_too_long(&size(*len)),
            Self::Write(kind) => after(texts::why_save_write(), *kind),
        }
    }
}

/// What the system said, as a sentence.
#[must_use]
pub(crate) fn io_words(reason: IoReason) -> String {
    match reason.kind() {
        io::ErrorKind::AlreadyExists => texts::io_already_exists(),
        io::ErrorKind::NotADirectory => texts::io_not_a_folder(),
        io::ErrorKind::NotFound => texts::io_not_found(),
        io::ErrorKind::PermissionDenied => texts::io_permission_denied(),
        io::ErrorKind::ReadOnlyFilesystem => texts::io_read_only(),
        io::ErrorKind::StorageFull => texts::io_storage_full(),
        _ => {
            return texts::io_other(&reason.to_string());
        }
    }
    .to_owned()
}

/// What helps against the system's reason. Each reason has one remedy, whatever it kept from being done.
#[must_use]
pub(super) fn io_remedy(reason: IoReason) -> &'static str {
    match reason.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => texts::next_not_found(),
        io::ErrorKind::PermissionDenied => texts::next_permission_denied(),
        io::ErrorKind::QuotaExceeded | io::ErrorKind::StorageFull => texts::next_storage_full(),
        io::ErrorKind::ReadOnlyFilesystem => texts::next_read_only(),
        _ if reason.is_too_many_files() => texts::next_too_many_files(),
        _ => texts::next_other(),
    }
}

/// A sentence, and after it what the system said.
fn after(sentence: &str, reason: IoReason) -> String {
    texts::two_sentences(sentence, &io_words(reason))
}

/// First letter in upper case, a full stop at the end.
pub(super) fn closed(text: &str) -> String {
    let mut letters = text.chars();
    let mut sentence: String = letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default();
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_closed() {
        assert_eq!(
            [closed("a b"), closed("A."), closed("")],
            ["A b.", "A.", "."]
        );
    }
}
