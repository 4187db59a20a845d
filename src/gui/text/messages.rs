//! What the window says in three sentences: what happened, why, what to do next.

use crate::app::l10n::message;
use crate::app::message::UserMessage;
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
    /// Files were dropped while a question was open.
    drop_while_modal;
    /// Pasting brought neither text nor files.
    clipboard_empty;
    /// The clipboard did not take a pointer.
    clipboard_refused;
    /// No program could be opened.
    opener_failed;
    /// The system has no dialog for files.
    no_dialogs;
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

/// A file is longer than anything that can be sent.
#[must_use]
pub fn files_too_large(names: &[String]) -> UserMessage {
    let limit = ("limit", super::size(MAX_CONTENT_LEN).into());
    match names {
        [name] => message(
            "file_too_large_here",
            &[("name", name.as_str().into()), limit],
        ),
        more => message(
            "files_too_large_here",
            &[("count", more.len().into()), limit],
        ),
    }
}

/// Several things to say at once.
#[must_use]
pub fn together(messages: Vec<UserMessage>) -> Option<UserMessage> {
    let mut messages = messages.into_iter();
    let first = messages.next()?;
    Some(messages.fold(first, |mut all, more| {
        for (sentence, another) in [
            (&mut all.what, &more.what),
            (&mut all.why, &more.why),
            (&mut all.next, &more.next),
        ] {
            if sentence != another {
                sentence.push(' ');
                sentence.push_str(another);
            }
        }
        all
    }))
}

/// A path is not there or not readable.
#[must_use]
pub fn files_missing(names: &[String]) -> UserMessage {
    named("file_missing", "files_missing", names)
}

fn named(one: &str, many: &str, names: &[String]) -> UserMessage {
    match names {
        [name] => message(one, &[("name", name.as_str().into())]),
        more => message(many, &[("count", more.len().into())]),
    }
}
