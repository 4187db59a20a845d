//! What a person reads when something did not work: what happened, why, what to do next.
//!
//! The words stand in `assets/l10n`; here every error finds its own.

mod reasons;
mod remedy;

use std::path::Path;

pub(crate) use self::reasons::io_words;
use self::reasons::{Reason as _, io_remedy};
pub use self::remedy::Remedy;
use super::harmless::harmless_start;
use super::l10n::{Fill, tell_part};
use super::texts;
use super::units::{duration, size};
use crate::app::error::{
    AppError, CannotInvite, FailedExchange, LocalFileError, Mismatch, ServerRefusal,
};
use crate::app::kept::owned::OwnRecordError;
use crate::app::kept::unfinished::UnfinishedError;
use crate::app::operate::builtin::BuiltInError;
use crate::app::received::content_type::{Content, Disagreement, Family};
use crate::app::relays::set::RelaySourceError;
use crate::app::settings::{SettingsError, UnreadSettings};
use crate::app::transfer::join::JoinError;
use crate::disk::kept::UnreadFile;
use crate::disk::private::NotPrivate;
use crate::net::socks::ParseProxyError;
use crate::net::socks::{ProxyFailure, ProxyFailureReason};
use crate::protocol::exchange::Failure;
use crate::protocol::folder::MAX_ENTRIES;
use crate::protocol::invitation::FindInvitationError;
use crate::protocol::network::InviteRefused;
use crate::protocol::parts::{OpenPartError, ReadListError};
use crate::protocol::path::{NoPath, Place, RejectReason};
use crate::protocol::pointer::FindPointerError;
use crate::protocol::seal::OpenError;

/// One error in words: three short sentences, free of keys, pointers and addresses of relays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserMessage {
    /// What happened, and what it means for the file.
    pub what: String,
    /// Why it happened, as far as this program knows.
    pub why: String,
    /// What to do next.
    pub next: String,
    /// The one thing that a window offers for it.
    pub remedy: Remedy,
}

impl UserMessage {
    /// What is said of it aloud: what happened and what to do next; why can be read.
    #[must_use]
    pub(crate) fn aloud(&self) -> String {
        format!("{} {}", self.what, self.next).trim().to_owned()
    }

    /// All of it in one line, for standard error.
    #[must_use]
    pub(crate) fn in_one_line(&self) -> String {
        let sentences = [&self.what, &self.why, &self.next];
        let said = sentences.map(|sentence| sentence.trim());
        let said: Vec<&str> = said.into_iter().filter(|said| !said.is_empty()).collect();
        said.join(" ")
    }
}

/// The three sentences of a message: attributes `.what`, `.why` and `.next` of one id.
#[must_use]
pub(crate) fn message(id: &str, fill: &[Fill<'_>]) -> UserMessage {
    UserMessage {
        what: tell_part(id, "what", fill),
        why: tell_part(id, "why", fill),
        next: tell_part(id, "next", fill),
        remedy: Remedy::default(),
    }
}

fn own_record(error: OwnRecordError) -> UserMessage {
    let next = match error {
        OwnRecordError::Damaged => texts::next_record_damaged(),
        OwnRecordError::Newer => texts::next_newer(),
        OwnRecordError::Read(reason) | OwnRecordError::Write(reason) => io_remedy(reason),
    };
    texts::own_record_fails(&error.sentence(), next)
}

/// The message of a record that cannot be read, from why it cannot and where it is.
fn unread_file(message: fn(&str, &str) -> UserMessage, unread: &UnreadFile) -> UserMessage {
    message(&unread.why.sentence(), &unread.file.display().to_string())
}

fn unread_settings(unread: &UnreadSettings) -> UserMessage {
    let file = unread.file.display().to_string();
    let next = match &unread.error {
        SettingsError::Newer => texts::next_newer(),
        SettingsError::Read(reason) => io_remedy(*reason),
        _ => texts::next_settings_invalid(),
    };
    texts::settings_not_read(&unread.error.sentence(), &file, next)
}

impl From<&AppError> for UserMessage {
    fn from(error: &AppError) -> Self {
        Self {
            remedy: Remedy::from(error),
            ..words(error)
        }
    }
}

fn words(error: &AppError) -> UserMessage {
    match error {
        AppError::Address(why) => texts::no_server_address(&why.sentence()),
        AppError::BuiltIn(why @ BuiltInError::Busy) => texts::built_in_busy(&why.sentence()),
        AppError::BuiltIn(why @ BuiltInError::Folder(reason)) => UserMessage {
            next: io_remedy(*reason).to_owned(),
            ..texts::built_in_fails(&why.sentence())
        },
        // The reason says what to do with the key.
        AppError::BuiltIn(why @ BuiltInError::Key(_)) => texts::built_in_key_fails(&why.sentence()),
        AppError::BuiltIn(why @ BuiltInError::NoLocks) => texts::built_in_no_locks(&why.sentence()),
        AppError::BuiltIn(why) => texts::built_in_fails(&why.sentence()),
        AppError::Cancelled => texts::was_cancelled(),
        AppError::SettingsFile(SettingsError::NotPrivate { folder, why }) => {
            not_private(folder, *why)
        }
        AppError::SettingsFile(SettingsError::NoHome) => texts::no_home(),
        AppError::SettingsFile(why @ SettingsError::Write(reason)) => {
            texts::settings_not_kept(&why.sentence(), io_remedy(*reason))
        }
        AppError::SettingsFile(why) => {
            texts::settings_not_kept(&why.sentence(), texts::next_newer())
        }
        AppError::Invitation(why) => invitation(why),
        AppError::Invite(why) => invite(*why),
        AppError::Join(why) => join(why),
        AppError::ForeignBuiltIn => texts::foreign_built_in(),
        AppError::Local(why) => local(why),
        AppError::Mismatch(why) => mismatch(*why),
        AppError::NoSuchEntry(path) => texts::no_such_entry(path),
        AppError::Unfinished(why) => unfinished(why),
        AppError::NeedsNewer(why) => texts::needs_newer(&why.sentence()),
        AppError::NoPlace(why) => texts::no_place(&why.sentence()),
        AppError::NoInvitation(CannotInvite::ListEnded) => texts::invite_list_ended(),
        AppError::NoInvitation(CannotInvite::Unsigned) => texts::no_invitation(),
        AppError::NoRelays => texts::no_relays(),
        AppError::NotOwner => texts::not_owner(),
        AppError::OwnRecord(why) => own_record(*why),
        AppError::Pointer(why) => pointer(why),
        AppError::Proxy(why) => proxy(why),
        AppError::RelayFile(reason) => {
            texts::relay_file_fails(&io_words(*reason), io_remedy(*reason))
        }
        AppError::RelayLine(why) => texts::no_relay_line(&why.sentence()),
        AppError::RelayList(why) => texts::relay_list_refused(&why.sentence()),
        AppError::RelayMemory(unread) => unread_file(texts::relay_memory_not_read, unread),
        AppError::RelaySource(why) => relay_source(why),
        AppError::RelaysOffered(offer) => texts::relays_offered(offer.list.host()),
        AppError::Save(why) => texts::not_saved(&why.sentence()),
        AppError::Settings(why) => unread_settings(why),
        AppError::Server(why) => server(*why),
        AppError::Transfer(why) => transfer(why),
    }
}

/// Says that another user can change what is in this folder.
fn not_private(folder: &Path, why: NotPrivate) -> UserMessage {
    let folder = folder.display().to_string();
    match why {
        NotPrivate::ForeignOwner => texts::folder_of_another(&folder),
        NotPrivate::Writable => texts::folder_open_to_others(&folder),
    }
}

impl From<&Failure> for UserMessage {
    fn from(error: &Failure) -> Self {
        failure(error, 1)
    }
}

impl From<&ParseProxyError> for UserMessage {
    fn from(error: &ParseProxyError) -> Self {
        texts::no_proxy_address(&error.sentence())
    }
}

impl From<&Disagreement> for UserMessage {
    fn from(found: &Disagreement) -> Self {
        let name = match found.name_says {
            Family::Archive => texts::an_archive(),
            Family::Document => texts::a_document(),
            Family::Media => texts::a_medium(),
            Family::Picture => texts::a_picture(),
            Family::Program => texts::a_program(),
            Family::Script => texts::a_script(),
            Family::Text => texts::a_text(),
            Family::WebPage => texts::a_web_page(),
        };
        let content = match found.content_is {
            Content::Archive => texts::an_archive(),
            Content::Document => texts::a_document(),
            Content::JavaProgram => texts::a_java_program(),
            Content::LinuxProgram => texts::a_linux_program(),
            Content::MacProgram => texts::a_mac_program(),
            Content::Media => texts::a_medium(),
            Content::Picture => texts::a_picture(),
            Content::Script => texts::a_script(),
            Content::Shortcut => texts::a_shortcut(),
            Content::WebPage => texts::a_web_page(),
            Content::WindowsProgram => texts::a_windows_program(),
        };
        texts::misleading_name(name, content)
    }
}

fn relay_source(error: &RelaySourceError) -> UserMessage {
    match error {
        RelaySourceError::Ended => texts::relay_list_ended(),
        RelaySourceError::Fetch { host, why } => {
            texts::relay_list_not_fetched(host, &why.sentence())
        }
        RelaySourceError::ManyGone { before, gone } => texts::many_relays_gone(*gone, *before),
        RelaySourceError::NotHere => texts::relay_list_not_here(),
        RelaySourceError::Refused(why) => texts::newer_relay_list_refused(&why.sentence()),
        RelaySourceError::Seeds(why) => texts::seeds_fail(&why.sentence()),
        RelaySourceError::ServiceNodeFile(why) => texts::service_node_file_wrong(&why.sentence()),
        RelaySourceError::Store(reason) => {
            texts::relay_list_not_stored(&io_words(*reason), io_remedy(*reason))
        }
        RelaySourceError::Unread(unread) => unread_file(texts::relay_lists_not_read, unread),
    }
}

fn local(error: &LocalFileError) -> UserMessage {
    match error {
        LocalFileError::Cancelled => texts::was_cancelled(),
        LocalFileError::Changed => texts::file_changed(),
        LocalFileError::NamesTooLong => texts::names_too_long(),
        LocalFileError::NotAFile => texts::file_is_none(),
        LocalFileError::Nothing => texts::nothing_to_share(),
        LocalFileError::OneOfSeveral { path, reason } => {
            let UserMessage { why, next, .. } = local(reason);
            texts::one_of_several(&harmless_start(path, MAX_PATH_CHARS), &why, &next)
        }
        LocalFileError::Read(reason) => {
            texts::file_not_read(&io_words(*reason), io_remedy(*reason))
        }
        LocalFileError::TooManyEntries => texts::too_many_entries(MAX_ENTRIES.into()),
        LocalFileError::TooLarge { len, max } => texts::file_too_large(*len, *max),
        LocalFileError::WrongSize { said, read } => texts::file_of_wrong_size(*said, *read),
    }
}

fn unfinished(error: &UnfinishedError) -> UserMessage {
    match error {
        UnfinishedError::Damaged => texts::unfinished_damaged(),
        UnfinishedError::Newer => texts::unfinished_newer(),
        UnfinishedError::OtherKey => texts::unfinished_other_key(),
        UnfinishedError::Unknown => texts::unfinished_unknown(),
        UnfinishedError::UnderWay => texts::unfinished_under_way(),
        UnfinishedError::Read(reason) => {
            texts::unfinished_not_read(&io_words(*reason), io_remedy(*reason))
        }
        UnfinishedError::Write(reason) => {
            texts::unfinished_not_written(&io_words(*reason), io_remedy(*reason))
        }
    }
}

/// The most characters of the path of a file that stand in a message.
const MAX_PATH_CHARS: usize = 60;

fn mismatch(error: Mismatch) -> UserMessage {
    match error {
        Mismatch::Digest => texts::other_digest(),
        Mismatch::Folder(_) => texts::other_folder(),
        Mismatch::List(ReadListError::Newer) | Mismatch::Part(OpenPartError::Newer) => {
            texts::newer_seal()
        }
        Mismatch::List(_) => texts::other_parts(),
        Mismatch::Part(why) if why.is_senders() => texts::other_parts(),
        Mismatch::Part(_) => texts::broken_part(),
        Mismatch::Description(_) => texts::other_description(),
        Mismatch::Open(OpenError::WrongKey) => texts::other_key(),
        Mismatch::Open(OpenError::Newer) => texts::newer_seal(),
        Mismatch::Open(_) => texts::broken_seal(),
    }
}

fn pointer(error: &FindPointerError) -> UserMessage {
    match error {
        FindPointerError::Changed => texts::pointer_changed(),
        FindPointerError::CutOff { missing } => texts::pointer_cut_off(*missing),
        FindPointerError::Newer => texts::pointer_newer(),
        FindPointerError::NotFound => texts::pointer_not_found(),
        FindPointerError::TooLong => texts::pointer_text_too_long(),
        FindPointerError::Invalid(_) => texts::pointer_invalid(),
    }
}

fn invitation(error: &FindInvitationError) -> UserMessage {
    match error {
        FindInvitationError::Changed => texts::invitation_changed(),
        FindInvitationError::CutOff { missing } => texts::invitation_cut_off(*missing),
        FindInvitationError::Expired => texts::invitation_expired(),
        FindInvitationError::Invalid(_) => texts::invitation_invalid(),
        FindInvitationError::Malformed => texts::invitation_malformed(),
        FindInvitationError::Newer => texts::invitation_newer(),
        FindInvitationError::NotFound => texts::invitation_not_found(),
        FindInvitationError::TooLong => texts::invitation_text_too_long(),
    }
}

fn invite(error: InviteRefused) -> UserMessage {
    match error {
        InviteRefused::Invalid(_) => texts::invite_not_made(),
        InviteRefused::NoPath => texts::invite_without_path(),
        InviteRefused::NoneServes => texts::invite_none_serves(),
        InviteRefused::TooFew { relays } => texts::invite_too_few(relays),
    }
}

fn join(error: &JoinError) -> UserMessage {
    match error {
        JoinError::ForRelays => texts::join_for_relays(),
        JoinError::NoPath(why) => texts::join_without_path(&no_path(why).why),
        JoinError::OtherRelays(name) => texts::join_other_relays(name),
        JoinError::PrivateRelays => texts::join_private_relays(),
        JoinError::WrongAccessWord => texts::join_wrong_access_word(),
    }
}

fn server(error: ServerRefusal) -> UserMessage {
    match error {
        ServerRefusal::AccessWord { given: false } => texts::access_word_wanted(),
        ServerRefusal::AccessWord { given: true } => texts::access_word_wrong(),
        ServerRefusal::AsksDifferently => texts::server_asks_differently(),
        ServerRefusal::Full => texts::server_full(),
        ServerRefusal::NoOwners => texts::server_without_owners(),
        ServerRefusal::NoReceipts => texts::server_without_receipts(),
        ServerRefusal::NotExtendable => texts::file_not_extendable(),
        ServerRefusal::NotThere => texts::file_not_there(),
        ServerRefusal::Nonsense => texts::server_nonsense(),
        ServerRefusal::Status(code @ (500 | 503)) => texts::server_busy(code),
        ServerRefusal::Status(code) => texts::server_refused(code),
        ServerRefusal::StillThere => texts::file_still_there(),
        ServerRefusal::TooFull { needed, free } => {
            texts::server_too_full(&size(needed), &size(free))
        }
        ServerRefusal::TooLarge { max_blob: 0 } => texts::too_large_for_server(),
        ServerRefusal::TooLarge { max_blob } => texts::too_large_for_server_of(max_blob),
        ServerRefusal::Ttl { max_secs } => texts::time_refused(max_secs / 3_600),
        ServerRefusal::TtlMaybe { asked_secs } => texts::time_maybe_refused(&duration(asked_secs)),
        ServerRefusal::UnknownWork => texts::unknown_work(),
        ServerRefusal::Work => texts::work_refused(),
    }
}

fn proxy(failure: &ProxyFailure) -> UserMessage {
    let proxy = failure.proxy.as_str();
    match failure.reason {
        ProxyFailureReason::NoSocks => texts::proxy_no_socks(proxy),
        ProxyFailureReason::Refused => texts::proxy_refused(proxy),
        ProxyFailureReason::Unreachable => texts::proxy_unreachable(proxy),
    }
}

/// Why no answer of the server came; where a newer relay list waits, that goes before every other reason.
fn transfer(failed: &FailedExchange) -> UserMessage {
    let why = &failed.exchange;
    let said = if why.direct {
        direct_failure(&why.failure, why.tries)
    } else {
        failure(&why.failure, why.tries)
    };
    match &failed.waits {
        None => said,
        Some(waits) => UserMessage {
            why: texts::newer_list_waits(&waits.network, waits.lacks.gone, waits.lacks.before),
            next: texts::see_newer_list().to_owned(),
            ..said
        },
    }
}

/// Why a request failed that went straight to the server: there was no relay to blame.
fn direct_failure(why: &Failure, tries: u32) -> UserMessage {
    let tried = texts::tried(tries);
    match why {
        Failure::FirstUnreachable | Failure::ServerUnreachable => texts::direct_unreachable(&tried),
        // A login page of the network, or a program that is no file server.
        Failure::Plain(status) => failure(&Failure::ServerPlain(*status), tries),
        Failure::Tampered(_) => texts::direct_foreign_answer(&tried),
        other => failure(other, tries),
    }
}

fn failure(failure: &Failure, tries: u32) -> UserMessage {
    let tried = texts::tried(tries);
    match failure {
        Failure::Blocked => texts::network_blocks(),
        Failure::Broken => texts::connection_broke(&tried),
        Failure::Build(_) => texts::request_not_built(),
        Failure::FirstUnreachable => texts::first_unreachable(&tried),
        Failure::Malformed => texts::answer_malformed(),
        Failure::NoPath(why) => no_path(why),
        Failure::Plain(status) => texts::answer_plain(*status, &tried),
        Failure::Relay { status, .. } => texts::relay_failed(*status, &tried),
        Failure::RelayUnreachable(_) => texts::relay_unreachable(&tried),
        Failure::ServerBusy(code) => server(ServerRefusal::Status(*code)),
        Failure::ServerPlain(status) => texts::server_plain(*status, &tried),
        Failure::ServerNotServed => texts::server_not_served(),
        Failure::ServerUnreachable => texts::server_unreachable(&tried),
        Failure::ServerWrongKey => texts::server_wrong_key(),
        Failure::Tampered(_) => texts::answer_tampered(&tried),
        Failure::TimedOut => texts::timed_out(&tried),
    }
}

fn no_path(error: &NoPath) -> UserMessage {
    type TextOfCount = fn(usize) -> String;
    let reasons: [(RejectReason, TextOfCount); 13] = [
        (RejectReason::NotServing, texts::rejected_not_serving),
        (RejectReason::OnThisPath, texts::rejected_on_this_path),
        (RejectReason::IsGuard, texts::rejected_is_guard),
        (RejectReason::Dropped, texts::rejected_dropped),
        (RejectReason::KeptBack, texts::rejected_kept_back),
        (RejectReason::NotAGuard, texts::rejected_not_a_guard),
        (RejectReason::SameNetwork, texts::rejected_same_network),
        (RejectReason::SameOperator, texts::rejected_same_operator),
        (RejectReason::SetAside, texts::rejected_set_aside),
        (
            RejectReason::StoodElsewhere,
            texts::rejected_stood_elsewhere,
        ),
        (RejectReason::TooManyNew, texts::rejected_too_many_new),
        (RejectReason::TooNew, texts::rejected_too_new),
        (RejectReason::Failed, texts::rejected_failed),
    ];
    let told: Vec<String> = reasons
        .into_iter()
        .filter_map(|(reason, text)| {
            let count = error
                .rejected
                .iter()
                .filter(|rejection| rejection.reasons.contains(&reason))
                .count();
            (count > 0).then(|| text(count))
        })
        .collect();
    let told = told.join(texts::list_comma());
    match error.place {
        Place::Guard => texts::no_path_guard(&told),
        Place::Middle => texts::no_path_middle(&told),
        Place::Last => texts::no_path_last(&told),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::app::error::NeedsNewer;
    use crate::app::kept::owned::OwnRecordError;
    use crate::app::received::save::SaveError;
    use crate::app::relays::set::RelayOffer;
    use crate::app::relays::{ManyGone, NewerListWaits, ServiceNodeFileError};
    use crate::disk::io_reason::IoReason;
    use crate::disk::kept::UnreadReason;
    use crate::net::relay_source::FetchError;
    use crate::protocol::address::ParseAddressError;
    use crate::protocol::exchange::ExchangeError;
    use crate::protocol::folder::FolderError;
    use crate::protocol::invitation::InvalidInvitation;
    use crate::protocol::keys::Identity;
    use crate::protocol::onion::BuildError;
    use crate::protocol::path::Rejection;
    use crate::protocol::pointer::PointerMismatch;
    use crate::protocol::relay_list::{ListRefused, NodesError, ParseSourceError, RelayListError};

    /// One of every kind of error, and of every kind inside it that has words of its own.
    #[expect(clippy::too_many_lines, reason = "a list of every kind of error")]
    fn all() -> Vec<AppError> {
        let relay = Identity::from_seed([1; 32]).public();
        let no_path = |place, reason| NoPath {
            place,
            rejected: vec![Rejection {
                relay,
                reasons: vec![reason, RejectReason::Failed],
            }],
        };
        let io = IoReason::from(io::ErrorKind::PermissionDenied);
        let mut errors = vec![
            AppError::Address(ParseAddressError::NoKey),
            AppError::BuiltIn(BuiltInError::Busy),
            AppError::BuiltIn(BuiltInError::NoLocks),
            AppError::BuiltIn(BuiltInError::Folder(io)),
            AppError::Cancelled,
            AppError::SettingsFile(SettingsError::NotPrivate {
                folder: "/home/ann/cloakroom".into(),
                why: NotPrivate::ForeignOwner,
            }),
            AppError::SettingsFile(SettingsError::NotPrivate {
                folder: "/home/ann/cloakroom".into(),
                why: NotPrivate::Writable,
            }),
            AppError::SettingsFile(SettingsError::Write(io)),
            AppError::ForeignBuiltIn,
            AppError::Local(LocalFileError::Changed),
            AppError::Local(LocalFileError::NamesTooLong),
            AppError::Local(LocalFileError::NotAFile),
            AppError::Local(LocalFileError::Nothing),
            AppError::Local(LocalFileError::Changed.of("photos/of a very long day/IMG 1234.jpg")),
            AppError::Local(LocalFileError::Read(io)),
            AppError::Local(LocalFileError::Read(io::ErrorKind::NotFound.into())),
            AppError::Local(LocalFileError::TooManyEntries),
            AppError::Local(LocalFileError::TooLarge {
                len: 9_998_913,
                max: 9_998_912,
            }),
            AppError::Mismatch(Mismatch::Digest),
            AppError::Mismatch(Mismatch::Description(PointerMismatch::Length)),
            AppError::Mismatch(Mismatch::Open(OpenError::Corrupt)),
            AppError::Mismatch(Mismatch::Open(OpenError::Newer)),
            AppError::Mismatch(Mismatch::Open(OpenError::WrongKey)),
            AppError::Mismatch(Mismatch::Folder(FolderError::Malformed)),
            AppError::Mismatch(Mismatch::List(ReadListError::Nested)),
            AppError::Mismatch(Mismatch::Part(OpenPartError::DigestMismatch)),
            AppError::NoSuchEntry("photos/IMG 1234.jpg".to_owned()),
            AppError::Unfinished(UnfinishedError::Damaged),
            AppError::Unfinished(UnfinishedError::Newer),
            AppError::Unfinished(UnfinishedError::OtherKey),
            AppError::Unfinished(UnfinishedError::Unknown),
            AppError::Unfinished(UnfinishedError::UnderWay),
            AppError::Unfinished(UnfinishedError::Read(io)),
            AppError::Unfinished(UnfinishedError::Write(io)),
            AppError::NeedsNewer(NeedsNewer::Words),
            AppError::NoPlace(SaveError::NoRegularFile),
            AppError::NoPlace(SaveError::TooLong(5_000_000_000)),
            AppError::NoPlace(SaveError::NoRoom {
                needed: 2_500_000_000,
                free: 1_000_000,
            }),
            AppError::NoPlace(SaveError::NoRoom {
                needed: 1_000_000_001,
                free: 1_000_000_000,
            }),
            AppError::Save(SaveError::Altered),
            AppError::Invitation(FindInvitationError::Changed),
            AppError::Invitation(FindInvitationError::CutOff { missing: 12 }),
            AppError::Invitation(FindInvitationError::Expired),
            AppError::Invitation(FindInvitationError::Invalid(InvalidInvitation::WeakKey)),
            AppError::Invitation(FindInvitationError::Malformed),
            AppError::Invitation(FindInvitationError::Newer),
            AppError::Invitation(FindInvitationError::NotFound),
            AppError::Invitation(FindInvitationError::TooLong),
            AppError::Invite(InviteRefused::Invalid(InvalidInvitation::TooLong)),
            AppError::Invite(InviteRefused::NoPath),
            AppError::Invite(InviteRefused::NoneServes),
            AppError::Invite(InviteRefused::TooFew { relays: 2 }),
            AppError::Join(JoinError::ForRelays),
            AppError::Join(JoinError::NoPath(no_path(
                Place::Middle,
                RejectReason::SameOperator,
            ))),
            AppError::Join(JoinError::OtherRelays("Ann's friends".to_owned())),
            AppError::Join(JoinError::PrivateRelays),
            AppError::Join(JoinError::WrongAccessWord),
            AppError::NoInvitation(CannotInvite::ListEnded),
            AppError::NoInvitation(CannotInvite::Unsigned),
            AppError::RelaySource(RelaySourceError::ManyGone { before: 5, gone: 3 }),
            AppError::NoRelays,
            AppError::NotOwner,
            AppError::OwnRecord(OwnRecordError::Newer),
            AppError::OwnRecord(OwnRecordError::Write(io::ErrorKind::StorageFull.into())),
            AppError::OwnRecord(OwnRecordError::Damaged),
            AppError::Local(LocalFileError::WrongSize { said: 0, read: 124 }),
            AppError::Settings(UnreadSettings {
                error: SettingsError::Newer,
                file: "config.toml".into(),
            }),
            AppError::SettingsFile(SettingsError::NoHome),
            AppError::Pointer(FindPointerError::Changed),
            AppError::Pointer(FindPointerError::CutOff { missing: 1 }),
            AppError::Pointer(FindPointerError::Invalid("the key is weak")),
            AppError::Pointer(FindPointerError::Newer),
            AppError::Pointer(FindPointerError::NotFound),
            AppError::Pointer(FindPointerError::TooLong),
            AppError::RelayFile(io::ErrorKind::NotFound.into()),
            AppError::RelayList(RelayListError::Expired),
            AppError::RelayList(RelayListError::TooFew(2)),
            AppError::RelayLine(ParseSourceError::NoKey),
            AppError::RelayMemory(UnreadFile {
                file: "network.json".into(),
                why: UnreadReason::Damaged,
            }),
            AppError::RelaySource(RelaySourceError::Ended),
            AppError::RelaySource(RelaySourceError::Fetch {
                host: "example.org".to_owned(),
                why: FetchError::Status(404),
            }),
            AppError::RelaySource(RelaySourceError::NotHere),
            AppError::RelaySource(RelaySourceError::Refused(ListRefused::Older)),
            AppError::RelaySource(RelaySourceError::Refused(ListRefused::TooLarge)),
            AppError::RelaySource(RelaySourceError::Refused(ListRefused::Unsigned)),
            AppError::RelaySource(RelaySourceError::Refused(ListRefused::WronglySigned)),
            AppError::RelaySource(RelaySourceError::Refused(ListRefused::NotYet)),
            AppError::RelaySource(RelaySourceError::Seeds(FetchError::Nodes(
                NodesError::TooFew(2),
            ))),
            AppError::RelaySource(RelaySourceError::ServiceNodeFile(
                ServiceNodeFileError::Seeds,
            )),
            AppError::RelaySource(RelaySourceError::Store(io)),
            AppError::RelaySource(RelaySourceError::Unread(UnreadFile {
                file: "relays.json".into(),
                why: UnreadReason::Newer,
            })),
            AppError::RelaysOffered(Box::new(RelayOffer {
                list: format!("https://example.org/relays.json#k={}", relay.to_hex())
                    .parse()
                    .unwrap(),
                server: format!("http://files.example#p={}", relay.to_hex())
                    .parse()
                    .unwrap(),
            })),
            AppError::Save(SaveError::Write(io::ErrorKind::StorageFull.into())),
            AppError::Server(ServerRefusal::AccessWord { given: false }),
            AppError::Server(ServerRefusal::AccessWord { given: true }),
            AppError::Server(ServerRefusal::Full),
            AppError::Server(ServerRefusal::NoOwners),
            AppError::Server(ServerRefusal::NotExtendable),
            AppError::Server(ServerRefusal::TtlMaybe {
                asked_secs: 7_776_000,
            }),
            AppError::Server(ServerRefusal::NoReceipts),
            AppError::Server(ServerRefusal::NotThere),
            AppError::Server(ServerRefusal::Nonsense),
            AppError::Server(ServerRefusal::Status(418)),
            AppError::Server(ServerRefusal::StillThere),
            AppError::Server(ServerRefusal::TooLarge { max_blob: 0 }),
            AppError::Server(ServerRefusal::TooLarge { max_blob: 65_536 }),
            AppError::Server(ServerRefusal::Ttl {
                max_secs: 2_592_000,
            }),
            AppError::Server(ServerRefusal::AsksDifferently),
            AppError::Server(ServerRefusal::UnknownWork),
            AppError::Server(ServerRefusal::Work),
        ];
        let failures = [
            Failure::Blocked,
            Failure::Broken,
            Failure::Build(BuildError::TooLong),
            Failure::FirstUnreachable,
            Failure::Malformed,
            Failure::NoPath(no_path(Place::Last, RejectReason::NotServing)),
            Failure::NoPath(no_path(Place::Guard, RejectReason::SetAside)),
            Failure::NoPath(no_path(Place::Middle, RejectReason::SameNetwork)),
            Failure::Plain(502),
            Failure::Relay {
                hop: 1,
                status: 503,
            },
            Failure::RelayUnreachable(relay),
            Failure::ServerBusy(503),
            Failure::ServerNotServed,
            Failure::ServerPlain(404),
            Failure::ServerUnreachable,
            Failure::ServerWrongKey,
            Failure::Tampered(1),
            Failure::TimedOut,
        ];
        errors.extend(failures.map(|failure| {
            AppError::from(ExchangeError {
                failure,
                tries: 4,
                direct: false,
            })
        }));
        errors.push(newer_list_waits());
        errors
    }

    /// Error of a transfer that fails while a newer relay list waits.
    fn newer_list_waits() -> AppError {
        let relay = Identity::from_seed([1; 32]).public();
        let exchange = ExchangeError {
            failure: Failure::RelayUnreachable(relay),
            tries: 4,
            direct: false,
        };
        AppError::Transfer(FailedExchange {
            exchange,
            waits: Some(Box::new(NewerListWaits {
                network: "Ann's friends".to_owned(),
                lacks: ManyGone { gone: 3, before: 5 },
            })),
        })
    }

    #[test]
    fn what_failed_while_a_newer_list_waits_says_so_and_leads_to_the_list() {
        let message = UserMessage::from(&newer_list_waits());
        assert_eq!(message.what, "A relay on the path could not be reached.");
        for words in ["Ann's friends", "3 of the 5"] {
            assert!(message.why.contains(words), "{message:?}");
        }
        assert!(message.next.contains("newer list"), "{message:?}");
        assert_eq!(message.remedy, Remedy::NewerList);
        assert!(message.remedy.then_retry());
    }

    #[test]
    fn every_error_says_what_why_and_next_in_whole_sentences() {
        let mut seen = std::collections::BTreeSet::new();
        for error in all() {
            let message = UserMessage::from(&error);
            for text in [&message.what, &message.why, &message.next] {
                assert!(
                    text.starts_with(|first: char| first.is_uppercase()),
                    "{error:?}: {text}"
                );
                assert!(text.ends_with('.'), "{error:?}: {text}");
                // The one variable that is named.
                let words = text.replace("CLOAKROOM_HOME", "");
                assert!(
                    !words.contains(['{', '}', '_']) && !words.contains(".."),
                    "{error:?}: {text}"
                );
                assert!(text.len() < 180, "{error:?}: {text}");
            }
            assert!(
                seen.insert(format!("{} {}", message.what, message.why)),
                "{error:?} has the words of another"
            );
        }
    }

    #[test]
    fn no_message_names_a_relay_or_its_key() {
        let relay = Identity::from_seed([1; 32]).public().to_hex();
        for error in all() {
            let message = format!("{:?}", UserMessage::from(&error));
            assert!(!message.contains(relay.get(..8).unwrap()), "{message}");
        }
    }

    #[test]
    fn trying_again_is_offered_only_where_it_can_help() {
        let remedy = |error: AppError| UserMessage::from(&error).remedy;
        assert_eq!(
            remedy(AppError::Local(LocalFileError::TooLarge {
                len: 9_998_913,
                max: 9_998_912,
            })),
            Remedy::Nothing
        );
        assert_eq!(
            remedy(AppError::Server(ServerRefusal::NotThere)),
            Remedy::Paste
        );
        assert_eq!(
            remedy(AppError::Server(ServerRefusal::AccessWord { given: true })),
            Remedy::AccessWord
        );
        assert_eq!(
            remedy(AppError::NeedsNewer(NeedsNewer::Words)),
            Remedy::Nothing
        );
        assert_eq!(
            remedy(AppError::Save(SaveError::Write(
                io::ErrorKind::StorageFull.into()
            ))),
            Remedy::Folder
        );
        let failure = Failure::TimedOut;
        assert_eq!(
            remedy(AppError::from(ExchangeError {
                failure,
                tries: 4,
                direct: false
            })),
            Remedy::Retry
        );
    }

    #[test]
    fn a_misleading_name_is_told_with_what_it_says_and_what_is_inside() {
        let message = UserMessage::from(&Disagreement {
            name_says: Family::Picture,
            content_is: Content::WindowsProgram,
        });
        assert_eq!(
            message.why,
            "By its name it is a picture, by its content a program for Windows."
        );
    }

    #[test]
    fn settings_that_cannot_be_read_name_their_file_and_one_remedy_a_reason() {
        let said = |error| {
            let file = "here/config.toml".into();
            let message = UserMessage::from(&AppError::Settings(UnreadSettings { error, file }));
            assert!(message.why.contains("here/config.toml"), "{message:?}");
            assert_eq!(message.remedy, Remedy::DefaultSettings);
            message
        };
        let invalid = said(SettingsError::Invalid {
            line: Some(7),
            reason: "a typo".to_owned(),
        });
        assert!(invalid.why.contains("Line 7") && invalid.next.contains("default settings"));
        let misspelled = said(SettingsError::Misspelled {
            line: 3,
            key: "proxi".to_owned(),
            meant: "proxy",
        });
        for words in ["Line 3", "proxi", "proxy", "default settings"] {
            let said = format!("{} {}", misspelled.why, misspelled.next);
            assert!(said.contains(words), "{said}");
        }
        assert!(said(SettingsError::Newer).next.contains("newer version"));
        let denied = SettingsError::Read(io::ErrorKind::PermissionDenied.into());
        assert!(said(denied).next.contains("permission"));
    }

    #[test]
    fn a_request_that_went_straight_blames_no_relay() {
        for failure in [
            Failure::Broken,
            Failure::FirstUnreachable,
            Failure::Malformed,
            Failure::Plain(200),
            Failure::Plain(502),
            Failure::ServerBusy(503),
            Failure::ServerPlain(404),
            Failure::ServerUnreachable,
            Failure::ServerWrongKey,
            Failure::Tampered(0),
            Failure::TimedOut,
        ] {
            let error = AppError::from(ExchangeError {
                failure,
                tries: 5,
                direct: true,
            });
            let UserMessage {
                what, why, next, ..
            } = UserMessage::from(&error);
            let said = format!("{what} {why} {next}");
            assert!(!said.contains("relay") && !said.contains("path"), "{said}");
            assert!(Remedy::from(&error) != Remedy::Relays, "{error:?}");
        }
    }

    #[test]
    fn advice_fits_the_reason() {
        let next = |error: AppError| UserMessage::from(&error).next;
        let newer = next(OwnRecordError::Newer.into());
        assert!(
            newer.contains("newer version") && !newer.contains("space"),
            "{newer}"
        );
        let full = OwnRecordError::Write(io::ErrorKind::StorageFull.into());
        assert!(next(full.into()).contains("room"));
        let damaged = crate::disk::key_file::KeyFileError::Damaged {
            path: "relay-1.key".into(),
        };
        let damaged = next(BuiltInError::Key(damaged).into());
        assert!(!damaged.contains("can be written"), "{damaged}");
    }
}
