//! The words of what the model has to say by itself: announcements, notices, names and troubles.

use std::borrow::Cow;

use super::{
    access_word_forgotten, access_word_invalid, access_word_kept, built_in, clipboard_empty,
    clipboard_refused, default_settings_used, defect, diagnostics_copied, drop_while_modal,
    dropped_no_file, entries_elsewhere, files_missing, files_too_large, folders_refused, goes_now,
    has_failed, history_aside, history_exported, history_not_exported, history_not_wiped,
    history_wiped, is_cancelled, is_pointer, is_received, is_shared, is_so_far, known_file,
    list_is_used, list_now_used, managed, picture_not_taken, pointer_copied, pointer_opened,
    proxy_forgotten, proxy_is_used, relay_list_forgotten, removed_name, removed_rows,
    saved_file_gone, server_is_added, starts_again, starts_receiving, starts_sharing, test_passed,
    testing, undone, unnamed_file, zoom,
};
use crate::app::words::message::UserMessage;
use crate::gui::model::{
    Announced, Announcement, Notice, Removed, ServerLabel, ShownName, Trouble, WindowMessage,
};

/// What a screen reader should say by itself; nothing where there is nothing to say.
#[must_use]
pub fn announcement(announcement: &Announcement) -> Option<String> {
    announcement.what.as_ref().map(announced)
}

fn announced(what: &Announced) -> String {
    match what {
        Announced::AccessWordForgotten => access_word_forgotten().to_owned(),
        Announced::AccessWordInvalid => access_word_invalid().aloud(),
        Announced::AccessWordKept => access_word_kept().to_owned(),
        Announced::Cancelled(name) => is_cancelled(shown_name(name)),
        Announced::Disagrees(name, found) => {
            has_failed(shown_name(name), &UserMessage::from(found).aloud())
        }
        Announced::Failed(name, why) => has_failed(shown_name(name), &trouble(why).aloud()),
        Announced::GoesTo(server) => goes_now(server_label(server)),
        Announced::KnownFile(found) => known_file(found).aloud(),
        Announced::ListUsed(name) => list_is_used(name),
        Announced::Managed(done) => managed(*done),
        Announced::NotDone(why) => trouble(why).aloud(),
        Announced::Notice(notice) if notice.warns() => notice_aloud(notice),
        Announced::Notice(notice) => window_message(&notice.message).what.clone(),
        Announced::Pointer(info) => is_pointer(info),
        Announced::PointerCopied => pointer_copied().to_owned(),
        Announced::PointerOpened => pointer_opened().aloud(),
        Announced::Progress(name, quarter) => is_so_far(shown_name(name), *quarter),
        Announced::ProxyUsed(proxy) => proxy_is_used(&proxy.to_string()),
        Announced::Received(name) => is_received(name),
        Announced::Removed(what) => removed(what),
        Announced::ServerAdded(name) => server_is_added(name),
        Announced::Shared(name) => is_shared(shown_name(name)),
        Announced::StartsAgain(count) => starts_again(*count),
        Announced::StartsReceiving(name) => starts_receiving(shown_name(name)),
        Announced::StartsSharing(names) => {
            let names: Vec<&str> = names.iter().map(shown_name).collect();
            starts_sharing(&names)
        }
        Announced::TestPassed(report) => test_passed(report),
        Announced::Testing => testing().to_owned(),
        Announced::Undone => undone().to_owned(),
        Announced::Worded(message) => message.aloud(),
        Announced::Zoom(per_cent) => zoom(*per_cent),
    }
}

/// A message that the window shows above the screen.
#[must_use]
pub fn window_message(message: &WindowMessage) -> Cow<'_, UserMessage> {
    Cow::Owned(match message {
        WindowMessage::ClipboardEmpty => clipboard_empty(),
        WindowMessage::ClipboardRefused => clipboard_refused(),
        WindowMessage::DefaultSettingsUsed(aside) => default_settings_used(aside.as_deref()),
        WindowMessage::DiagnosticsCopied => diagnostics_copied(),
        WindowMessage::DropWhileModal => drop_while_modal(),
        WindowMessage::DroppedNoFile => dropped_no_file(),
        WindowMessage::EntriesElsewhere(names) => entries_elsewhere(names),
        WindowMessage::FilesMissing(names) => files_missing(names),
        WindowMessage::FilesTooLarge(files) => files_too_large(files),
        WindowMessage::FoldersRefused(names) => folders_refused(names),
        WindowMessage::HistoryAside(aside) => history_aside(aside),
        WindowMessage::HistoryExported(count) => history_exported(*count),
        WindowMessage::HistoryNotExported => history_not_exported(),
        WindowMessage::HistoryNotWiped(why) => history_not_wiped(*why),
        WindowMessage::HistoryWiped => history_wiped(),
        WindowMessage::ListUsed(name) => list_now_used(name),
        WindowMessage::PictureNotTaken => picture_not_taken(),
        WindowMessage::SavedFileGone => saved_file_gone(),
        WindowMessage::Worded(message) => return Cow::Borrowed(message),
    })
}

/// All messages of a notice, in the order in which they are said.
#[must_use]
pub fn notice(notice: &Notice) -> Vec<UserMessage> {
    let messages = notice.messages().map(window_message);
    messages.map(Cow::into_owned).collect()
}

/// What is said of a notice aloud, message by message.
#[must_use]
pub fn notice_aloud(notice: &Notice) -> String {
    let messages = notice.messages().map(window_message);
    let said: Vec<String> = messages.map(|message| message.aloud()).collect();
    said.join(" ")
}

/// Why something did not work, in the language that is spoken now.
#[must_use]
pub fn trouble(trouble: &Trouble) -> UserMessage {
    match trouble {
        Trouble::Defect => defect(),
        Trouble::Error(error) => UserMessage::from(&**error),
        Trouble::Said(message) => (**message).clone(),
    }
}

/// The name of a transfer's file.
#[must_use]
pub fn shown_name(name: &ShownName) -> &str {
    match name {
        ShownName::Given(name) => name,
        ShownName::Unnamed => unnamed_file(),
    }
}

/// The name of a transfer's server.
#[must_use]
pub fn server_label(server: &ServerLabel) -> &str {
    match server {
        ServerLabel::BuiltIn => built_in(),
        ServerLabel::Named(name) => name,
    }
}

/// What was taken away and can come back.
#[must_use]
pub fn removed(what: &Removed) -> String {
    match what {
        Removed::Proxy => proxy_forgotten().to_owned(),
        Removed::RelayList => relay_list_forgotten().to_owned(),
        Removed::Row(name) => removed_name(shown_name(name)),
        Removed::Rows(count) => removed_rows(*count),
        Removed::Server(name) => removed_name(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::error::{AppError, ServerRefusal};
    use crate::app::words::l10n::{Language, speak_here};

    #[test]
    fn a_trouble_has_the_words_of_the_language_that_is_spoken_when_it_is_shown() {
        for why in [
            Trouble::from(AppError::Server(ServerRefusal::Full)),
            Trouble::Defect,
        ] {
            speak_here(Language::English);
            let english = trouble(&why);
            speak_here(Language::German);
            let german = trouble(&why);
            speak_here(Language::English);
            assert_ne!(english.what, german.what);
            assert_eq!(trouble(&why), english);
            assert_eq!(why.remedy(), english.remedy);
        }
    }
}
