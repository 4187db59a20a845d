//! The words of announcements, notices, names and errors that the model holds as data.

use std::borrow::Cow;

use super::parts::asks_large;
use super::texts;
use super::{
    default_settings_used, entries_elsewhere, files_missing, files_too_large, history_aside,
    history_not_wiped, is_invitation, is_joined, is_pointer, is_so_far, join_phase, known_file,
    managed, starts_sharing, test_passed, zoom,
};
use crate::app::words::message::UserMessage;
use crate::gui::model::{
    Announced, Announcement, Notice, RemovedItem, ServerLabel, ShownName, Trouble, WindowMessage,
};

/// What a screen reader should say by itself; nothing where there is nothing to say.
#[must_use]
pub fn announcement(announcement: &Announcement) -> Option<String> {
    announcement.what.as_ref().map(announced)
}

fn announced(what: &Announced) -> String {
    match what {
        Announced::AccessWordForgotten => texts::access_word_forgotten().to_owned(),
        Announced::AccessWordInvalid => texts::access_word_invalid().aloud(),
        Announced::AccessWordKept => texts::access_word_kept().to_owned(),
        Announced::AsksLarge(name, len) => asks_large(name, *len),
        Announced::AsksTogether(count) => texts::several_came(*count).aloud(),
        Announced::Cancelled(name) => texts::is_cancelled(shown_name(name)),
        Announced::Discarded(name) => texts::is_discarded(shown_name(name)),
        Announced::Disagrees(name, found) => {
            texts::has_failed(shown_name(name), &UserMessage::from(found).aloud())
        }
        Announced::Failed(name, why) => texts::has_failed(shown_name(name), &trouble(why).aloud()),
        Announced::GoesTo(server) => texts::goes_now(server_label(server)),
        Announced::Invitation(info) => is_invitation(info),
        Announced::InvitationCopied => texts::invitation_copied().to_owned(),
        Announced::InvitationOpened => texts::invitation_opened().aloud(),
        Announced::InvitationSaved(name) => texts::invitation_saved(name),
        Announced::Joined(joined) => is_joined(joined),
        Announced::Joining(card, phase) => join_phase(*card, *phase).to_owned(),
        Announced::KnownFile(found) => known_file(found).aloud(),
        Announced::Listed(count) => texts::entries(*count),
        Announced::ListedFile => texts::single_file().to_owned(),
        Announced::ListUsed(name) => texts::list_is_used(name),
        Announced::Managed(done) => managed(*done),
        Announced::NodesFile(name) => texts::join_title(name),
        Announced::NotDone(why) => trouble(why).aloud(),
        Announced::Notice(notice) if notice.warns() => notice_aloud(notice),
        Announced::Notice(notice) => window_message(&notice.message).what.clone(),
        Announced::Pointer(info) => is_pointer(info),
        Announced::Paused(name) => texts::is_paused(shown_name(name)),
        Announced::PointerCopied => texts::pointer_copied().to_owned(),
        Announced::PointerOpened => texts::pointer_opened().aloud(),
        Announced::Progress(name, quarter) => is_so_far(shown_name(name), *quarter),
        Announced::ProxyUsed(proxy) => texts::proxy_is_used(&proxy.to_string()),
        Announced::Received(name) => texts::is_received(name),
        Announced::Removed(what) => removed(what),
        Announced::Renamed(name) => texts::is_renamed(name),
        Announced::ServerAdded(name) => texts::server_is_added(name),
        Announced::Shared(name) => texts::is_shared(shown_name(name)),
        Announced::StartsAgain(count) => texts::starts_again(*count),
        Announced::StartsReceiving(name) => texts::starts_receiving(shown_name(name)),
        Announced::StartsSharing(names) => {
            let names: Vec<&str> = names.iter().map(shown_name).collect();
            starts_sharing(&names)
        }
        Announced::TestPassed(report) => test_passed(report),
        Announced::Testing => texts::testing().to_owned(),
        Announced::Undone => texts::undone().to_owned(),
        Announced::Worded(message) => message.aloud(),
        Announced::Zoom(per_cent) => zoom(*per_cent),
    }
}

/// A message that the window shows above the screen.
#[must_use]
pub fn window_message(message: &WindowMessage) -> Cow<'_, UserMessage> {
    Cow::Owned(match message {
        WindowMessage::ClipboardEmpty => texts::clipboard_empty(),
        WindowMessage::ClipboardRefused => texts::clipboard_refused(),
        WindowMessage::DefaultSettingsUsed(aside) => default_settings_used(aside.as_deref()),
        WindowMessage::DiagnosticsCopied => texts::diagnostics_copied(),
        WindowMessage::DropWhileModal => texts::drop_while_modal(),
        WindowMessage::DroppedNoFile => texts::dropped_no_file(),
        WindowMessage::EntriesElsewhere(names) => entries_elsewhere(names),
        WindowMessage::FilesMissing(names) => files_missing(names),
        WindowMessage::FilesTooLarge(files) => files_too_large(files),
        WindowMessage::HistoryAside(aside) => history_aside(aside),
        WindowMessage::HistoryExported(count) => texts::history_exported(*count),
        WindowMessage::HistoryNotExported => texts::history_not_exported(),
        WindowMessage::HistoryNotWiped(why) => history_not_wiped(*why),
        WindowMessage::HistoryWiped => texts::history_wiped(),
        WindowMessage::Joined(name) => texts::network_joined(name),
        WindowMessage::ListEndsSoon(name, expires) => {
            texts::list_ends_soon(name, &super::day(*expires))
        }
        WindowMessage::ListUsed(name) => texts::list_now_used(name),
        WindowMessage::NoNetworkForList => texts::no_network_for_list(),
        WindowMessage::PictureNotTaken => texts::picture_not_taken(),
        WindowMessage::SavedFileGone => texts::saved_file_gone(),
        WindowMessage::SettingsReadAgain => texts::settings_read_again(),
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
pub(crate) fn notice_aloud(notice: &Notice) -> String {
    let messages = notice.messages().map(window_message);
    let said: Vec<String> = messages.map(|message| message.aloud()).collect();
    said.join(" ")
}

/// Why something did not work, in the language that is spoken now.
#[must_use]
pub fn trouble(trouble: &Trouble) -> UserMessage {
    match trouble {
        Trouble::Defect => texts::defect(),
        Trouble::Error(error) => UserMessage::from(&**error),
        Trouble::Said(message) => (**message).clone(),
    }
}

/// The name of a transfer's file.
#[must_use]
pub fn shown_name(name: &ShownName) -> &str {
    match name {
        ShownName::Given(name) => name,
        ShownName::Unnamed => texts::unnamed_file(),
    }
}

/// The name of a transfer's server.
#[must_use]
pub(crate) fn server_label(server: &ServerLabel) -> &str {
    match server {
        ServerLabel::BuiltIn => texts::built_in(),
        ServerLabel::Named(name) => name,
    }
}

/// Names what was removed and can be restored.
#[must_use]
pub fn removed(what: &RemovedItem) -> String {
    match what {
        RemovedItem::Network(name) => texts::network_left(name),
        RemovedItem::Proxy => texts::proxy_forgotten().to_owned(),
        RemovedItem::RelayList => texts::relay_list_forgotten().to_owned(),
        RemovedItem::Row(name) => texts::removed(shown_name(name)),
        RemovedItem::Rows(count) => texts::removed_rows(*count),
        RemovedItem::Server(name) => texts::removed(name),
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
