//! Why, in one whole sentence, for the errors that lie under those of the application.
//!
//! What only whoever mends this program can use (a line of a parser, an error of the system that is seldom met) stays as
//! the library says it.

use std::io;

use super::super::l10n::{say, tell};
use super::{UserMessage, proxy};
use crate::app::error::NeedsNewer;
use crate::app::kept::owned::OwnRecordError;
use crate::app::operate::builtin::BuiltInError;
use crate::app::received::save::SaveError;
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
            Self::Busy => say("why_built_in_busy").to_owned(),
            Self::Folder(kind) => after("why_built_in_folder", *kind),
            Self::List(why) => why.sentence(),
            Self::NoLocks => say("why_built_in_no_locks").to_owned(),
            Self::Key(_) | Self::Relay(_) | Self::Server(_) => closed(&self.to_string()),
        }
    }
}

impl Reason for SettingsError {
    fn sentence(&self) -> String {
        match self {
            Self::Invalid { line: None, reason } => tell(
                "why_settings_invalid",
                &[("reason", reason.as_str().into())],
            ),
            Self::Invalid {
                line: Some(line),
                reason,
            } => tell(
                "why_settings_line_invalid",
                &[
                    ("line", line.to_string().into()),
                    ("reason", reason.as_str().into()),
                ],
            ),
            Self::Misspelled { line, key, meant } if key == meant => tell(
                "why_settings_misplaced",
                &[
                    ("line", line.to_string().into()),
                    ("key", key.as_str().into()),
                ],
            ),
            Self::Misspelled { line, key, meant } => tell(
                "why_settings_misspelled",
                &[
                    ("line", line.to_string().into()),
                    ("key", key.as_str().into()),
                    ("meant", (*meant).into()),
                ],
            ),
            Self::Newer => say("why_settings_newer").to_owned(),
            Self::NoHome => say("why_no_home").to_owned(),
            Self::NotPrivate { .. } => closed(&self.to_string()),
            Self::Read(kind) => after("why_settings_unreadable", *kind),
            Self::Write(kind) => after("why_settings_unwritable", *kind),
        }
    }
}

impl Reason for FetchError {
    fn sentence(&self) -> String {
        let id = match self {
            Self::Broken => "why_fetch_broken",
            Self::Cancelled => "why_fetch_cancelled",
            Self::Nodes(why) => return why.sentence(),
            Self::Proxy(why) => {
                let UserMessage { what, why, .. } = proxy(why);
                return joined(&what, &why);
            }
            Self::Redirected => "why_fetch_redirected",
            Self::Status(status) => {
                return tell("why_fetch_status", &[("status", status.to_string().into())]);
            }
            Self::TimedOut => "why_fetch_timed_out",
            Self::TooLarge => "why_fetch_too_large",
            Self::Unreachable => "why_fetch_unreachable",
        };
        say(id).to_owned()
    }
}

impl Reason for ListRefused {
    fn sentence(&self) -> String {
        let id = match self {
            Self::List(why) => return why.sentence(),
            Self::NotYet => "why_list_not_yet",
            Self::Older => "why_list_older",
            Self::SameDate => "why_list_same_date",
            Self::TooLarge => "why_list_too_large",
            Self::Unsigned => "why_list_unsigned",
            Self::WronglySigned => "why_list_wrongly_signed",
        };
        say(id).to_owned()
    }
}

impl Reason for NeedsNewer {
    fn sentence(&self) -> String {
        say(match self {
            Self::Folder => "why_newer_folder",
            Self::Large => "why_newer_large",
            Self::Parts => "why_newer_parts",
            Self::Words => "why_newer_words",
        })
        .to_owned()
    }
}

impl Reason for NodesError {
    fn sentence(&self) -> String {
        match self {
            Self::Malformed => say("why_nodes_malformed").to_owned(),
            Self::TooFew(count) => tell("why_nodes_too_few", &[("count", (*count).into())]),
        }
    }
}

impl Reason for OwnRecordError {
    fn sentence(&self) -> String {
        match self {
            Self::Damaged => say("why_record_damaged").to_owned(),
            Self::Newer => say("why_record_newer").to_owned(),
            Self::Read(kind) => after("why_record_unreadable", *kind),
            Self::Write(kind) => after("why_record_unwritable", *kind),
        }
    }
}

impl Reason for ParseAddressError {
    fn sentence(&self) -> String {
        say(match self {
            Self::Host => "why_url_host",
            Self::Id(_) => "why_url_id",
            Self::Key(_) => "why_url_key",
            Self::NoKey => "why_url_no_server_key",
            Self::NotCanonical => "why_url_not_canonical",
            Self::NotUrl => "why_url_none",
            Self::Path => "why_url_path",
            Self::Scheme => "why_url_scheme",
            Self::User => "why_url_user",
        })
        .to_owned()
    }
}

impl Reason for ParseProxyError {
    fn sentence(&self) -> String {
        say(match self {
            Self::Behind => "why_proxy_behind",
            Self::Host => "why_proxy_host",
            Self::Login => "why_proxy_login",
            Self::Port => "why_proxy_port",
            Self::Scheme => "why_proxy_scheme",
        })
        .to_owned()
    }
}

impl Reason for ParseSourceError {
    fn sentence(&self) -> String {
        say(match self {
            Self::Host => "why_url_host",
            Self::Key(_) => "why_url_key",
            Self::NoKey => "why_url_no_list_key",
            Self::NotUrl => "why_url_none",
            Self::Path => "why_url_no_file",
            Self::Scheme => "why_url_scheme",
            Self::TooLong => "why_line_too_long",
            Self::User => "why_url_user",
        })
        .to_owned()
    }
}

impl Reason for RelayListError {
    fn sentence(&self) -> String {
        match self {
            Self::Backwards => say("why_list_backwards").to_owned(),
            Self::DuplicateRelay => say("why_list_duplicate").to_owned(),
            Self::Expired => say("why_list_expired").to_owned(),
            Self::Entry { index, what } => tell(
                "why_list_entry",
                &[
                    ("index", index.to_string().into()),
                    ("what", (*what).into()),
                ],
            ),
            Self::Malformed(what) => tell("why_list_malformed", &[("what", what.as_str().into())]),
            Self::Newer => say("why_list_newer").to_owned(),
            Self::TooFew(count) => tell("why_list_too_few", &[("count", (*count).into())]),
            Self::TooLong => say("why_list_too_long").to_owned(),
        }
    }
}

impl Reason for UnreadReason {
    fn sentence(&self) -> String {
        match self {
            Self::Damaged => say("why_relays_damaged").to_owned(),
            Self::Newer => say("why_relays_newer").to_owned(),
            Self::Read(reason) => after("why_relays_unreadable", *reason),
        }
    }
}

impl Reason for SaveError {
    fn sentence(&self) -> String {
        match self {
            Self::Create(kind) => after("why_save_create", *kind),
            Self::Folder(kind) => after("why_save_folder", *kind),
            Self::NoFreeName => say("why_save_names").to_owned(),
            Self::NoRegularFile => say("why_save_no_regular_file").to_owned(),
            Self::Rename(kind) => after("why_save_rename", *kind),
            Self::Write(kind) => after("why_save_write", *kind),
        }
    }
}

/// What the system said, as a sentence.
#[must_use]
pub fn io_words(reason: IoReason) -> String {
    say(match reason.kind() {
        io::ErrorKind::AlreadyExists => "io_already_exists",
        io::ErrorKind::NotADirectory => "io_not_a_folder",
        io::ErrorKind::NotFound => "io_not_found",
        io::ErrorKind::PermissionDenied => "io_permission_denied",
        io::ErrorKind::ReadOnlyFilesystem => "io_read_only",
        io::ErrorKind::StorageFull => "io_storage_full",
        _ => {
            return tell("io_other", &[("detail", reason.to_string().into())]);
        }
    })
    .to_owned()
}

/// What helps against the system's reason. Each reason has one remedy, whatever it kept from being done.
#[must_use]
pub(super) fn io_remedy(reason: IoReason) -> &'static str {
    say(match reason.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => "next_not_found",
        io::ErrorKind::PermissionDenied => "next_permission_denied",
        io::ErrorKind::QuotaExceeded | io::ErrorKind::StorageFull => "next_storage_full",
        io::ErrorKind::ReadOnlyFilesystem => "next_read_only",
        _ if reason.is_too_many_files() => "next_too_many_files",
        _ => "next_other",
    })
}

fn after(id: &str, reason: IoReason) -> String {
    joined(say(id), &io_words(reason))
}

/// Two sentences, with what stands between sentences.
fn joined(first: &str, second: &str) -> String {
    tell(
        "two_sentences",
        &[("first", first.into()), ("second", second.into())],
    )
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

/// Groups of three digits, as the spoken language writes them.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push_str(say("thousands"));
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_sentences_closed() {
        assert_eq!(
            [grouped(0), grouped(999), grouped(1_000), grouped(9_998_912)],
            ["0", "999", "1,000", "9,998,912"]
        );
        assert_eq!(
            [closed("a b"), closed("A."), closed("")],
            ["A b.", "A.", "."]
        );
    }
}
