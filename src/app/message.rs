//! What a person reads when something did not work: what happened, why, what to do next.

use std::io;

use super::builtin::BuiltInError;
use super::config::{ConfigProblem, ParseProxyError};
use super::content_type::{Content, Disagreement, Family};
use super::error::{AppError, LocalFileError, Mismatch, ServerRefusal};
use super::relays::RelaySourceError;
use crate::net::socks::{ProxyFailure, ProxyFailureReason};
use crate::protocol::path::{NoPath, Place, Reason};
use crate::protocol::pointer::FindPointerError;
use crate::protocol::seal::OpenError;
use crate::protocol::size_class::MAX_CONTENT_LEN;
use crate::protocol::transfer::Failure;

/// One error in words: three short sentences, free of keys, pointers and addresses of relays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserMessage {
    /// What happened, and what it means for the file.
    pub what: String,
    /// Why it happened, as far as this program knows.
    pub why: String,
    /// What to do next.
    pub next: String,
}

impl UserMessage {
    /// A message of three sentences.
    #[must_use]
    pub fn new(what: impl Into<String>, why: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            why: why.into(),
            next: next.into(),
        }
    }
}

impl From<&AppError> for UserMessage {
    fn from(error: &AppError) -> Self {
        match error {
            AppError::Address(why) => Self::new(
                "This is not a file server's address.",
                sentence(&why.to_string()),
                "Paste it as its operator gave it: http://host:port#p= and 64 letters and digits.",
            ),
            AppError::BuiltIn(why) => builtin(why),
            AppError::Cancelled => Self::new(
                "Cancelled.",
                "You stopped it.",
                "Start it again whenever you like.",
            ),
            AppError::Config(why) => Self::new(
                "The settings could not be kept.",
                sentence(&why.to_string()),
                "Check that the settings folder can be written and has space left.",
            ),
            AppError::ForeignBuiltIn => Self::new(
                "This file cannot be fetched from here.",
                "The pointer was made on another computer's built-in network, which never leaves that computer.",
                "Ask the sender to choose a file server and to share the file again.",
            ),
            AppError::Local(why) => local(*why),
            AppError::Mismatch(why) => mismatch(*why),
            AppError::Newer(why) => Self::new(
                "This version cannot fetch what the pointer describes.",
                sentence(why),
                "Use a newer version of Cloakroom.",
            ),
            AppError::NoRelays => Self::new(
                "No relay of yours serves this server.",
                "Nothing was sent: without relays the server would see your IP address.",
                "Add a relay list, or, if the server may know your address, go there directly.",
            ),
            AppError::NotOwner => Self::new(
                "Only whoever shared this file can do that.",
                "This computer has no record of sharing it: it was shared from elsewhere, by somebody else, or at a server without owners.",
                "Do it on the computer, and in the account, that shared the file.",
            ),
            AppError::OwnRecord(why) => Self::new(
                "The record of your shares cannot be used.",
                sentence(&why.to_string()),
                "Check that the data folder can be read and written and has space left.",
            ),
            AppError::Pointer(why) => pointer(why),
            AppError::Proxy(why) => proxy(why),
            AppError::RelayFile(kind) => Self::new(
                "The relay list could not be read.",
                io_reason(*kind),
                "Choose the file again, or ask for a new one.",
            ),
            AppError::RelayLine(why) => Self::new(
                "This is not the line of a relay list.",
                sentence(&why.to_string()),
                "Paste it as its maker gave it: https://host/relays.json#k= and 64 letters and digits.",
            ),
            AppError::RelayList(why) => Self::new(
                "The relay list was not taken.",
                sentence(&why.to_string()),
                "Ask whoever made it for a new one.",
            ),
            AppError::RelaySource(why) => relay_source(why),
            AppError::RelaysOffered(offer) => Self::new(
                "No relay of yours serves this server, but the pointer names a relay list.",
                format!(
                    "Fetching the list shows {} this computer's address, once; whoever signs it chooses your relays.",
                    offer.list.host()
                ),
                "Accept the list for this server (on the command line: --accept-relay-list), or add relays of your own.",
            ),
            AppError::Save(why) => Self::new(
                "The file arrived whole, but could not be saved.",
                sentence(&why.to_string()),
                "Choose another folder, or make room, and fetch it again.",
            ),
            AppError::Server(why) => server(*why),
            AppError::Transfer(why) => failure(&why.failure, why.tries),
        }
    }
}

impl From<&ParseProxyError> for UserMessage {
    fn from(error: &ParseProxyError) -> Self {
        Self::new(
            "This is not a proxy's address.",
            sentence(&error.to_string()),
            "Write it as socks5://host:port; Tor's is socks5://127.0.0.1:9050.",
        )
    }
}

impl From<&ConfigProblem> for UserMessage {
    fn from(problem: &ConfigProblem) -> Self {
        Self::new(
            "The settings could not be read; the default ones are in use.",
            sentence(&problem.to_string()),
            "Choose your settings again, or mend the file and put it back.",
        )
    }
}

impl From<&Disagreement> for UserMessage {
    fn from(found: &Disagreement) -> Self {
        let says = match found.name_says {
            Family::Archive => "an archive",
            Family::Document => "a document",
            Family::Media => "sound or video",
            Family::Picture => "a picture",
            Family::Program => "a program",
            Family::Script => "a script",
            Family::Text => "text",
            Family::WebPage => "a web page",
        };
        Self::new(
            "This file is not what its name says.",
            format!(
                "By its name it is {says}, by its content {}.",
                content_words(found.content_is)
            ),
            "Open it only if you know why the sender named it so.",
        )
    }
}

/// What a received file is, in words.
const fn content_words(content: Content) -> &'static str {
    match content {
        Content::Archive => "an archive",
        Content::Document => "a document",
        Content::JavaProgram => "a program for Java or Android",
        Content::LinuxProgram => "a program for Linux",
        Content::MacProgram => "a program for macOS",
        Content::Media => "sound or video",
        Content::Picture => "a picture",
        Content::Script => "a script",
        Content::Shortcut => "a shortcut that starts something else",
        Content::WebPage => "a web page",
        Content::WindowsProgram => "a program for Windows",
    }
}

fn builtin(error: &BuiltInError) -> UserMessage {
    let next = match error {
        BuiltInError::Busy => "Close other windows of Cloakroom and try again.",
        _ => {
            "Check that the data folder can be written, then try again; or choose a file server in Settings."
        }
    };
    UserMessage::new(
        "The built-in network did not start.",
        sentence(&error.to_string()),
        next,
    )
}

fn relay_source(error: &RelaySourceError) -> UserMessage {
    let not_taken = "The relay list was not taken.";
    match error {
        RelaySourceError::Ended => UserMessage::new(
            "There are no relays to use.",
            "The relay list has expired, and no server handed on a newer one.",
            "Add its line again, which fetches it from its host, or choose other relays.",
        ),
        RelaySourceError::Fetch { host, why } => UserMessage::new(
            "The relay list could not be fetched.",
            format!("The host {host} was asked: {why}."),
            "Check the network and the line, then try again.",
        ),
        RelaySourceError::NotHere => UserMessage::new(
            "There are no relays to use.",
            "The settings name a relay list that was never fetched on this computer.",
            "Add its line again, which fetches it from its host.",
        ),
        RelaySourceError::Refused(why) => UserMessage::new(
            not_taken,
            sentence(&why.to_string()),
            "Check the line, or ask whoever signs the list for a new one; one that is here goes on serving.",
        ),
        RelaySourceError::Seeds(why) => UserMessage::new(
            "The nodes of Session's network could not be asked for.",
            format!("The last of its three seeds: {why}."),
            "Check the network and try again later, or choose other relays.",
        ),
        RelaySourceError::Store(kind) => UserMessage::new(
            "The relay list could not be kept.",
            io_reason(*kind),
            "Check that the data folder can be written and has space left.",
        ),
    }
}

fn local(error: LocalFileError) -> UserMessage {
    match error {
        LocalFileError::Changed => UserMessage::new(
            "The file was not shared.",
            "It changed while it was being read.",
            "Wait until it is no longer written to, then share it again.",
        ),
        LocalFileError::Folder => UserMessage::new(
            "Folders cannot be shared yet.",
            "This version shares single files.",
            "Pack the folder into one file, such as a zip archive, and share that.",
        ),
        LocalFileError::NotAFile => UserMessage::new(
            "This cannot be shared.",
            "It is not an ordinary file.",
            "Choose a file.",
        ),
        LocalFileError::Read(kind) => UserMessage::new(
            "The file could not be read.",
            io_reason(kind),
            "Check its name and permissions.",
        ),
        LocalFileError::TooLarge(len) => UserMessage::new(
            "The file is too large to share.",
            format!(
                "It has {} bytes; one upload carries up to {}.",
                grouped(len),
                grouped(MAX_CONTENT_LEN)
            ),
            "Make it smaller, or cut it into pieces.",
        ),
    }
}

fn mismatch(error: Mismatch) -> UserMessage {
    let what = "The downloaded file does not match its pointer. Nothing was saved.";
    let again = "Fetch it once more; if it happens again, ask the sender to share it again.";
    match error {
        Mismatch::Digest => UserMessage::new(
            what,
            "Its SHA-256 is another one: the file was changed at the server or on its way.",
            again,
        ),
        Mismatch::Description(_) => UserMessage::new(
            what,
            "The pointer does not describe this file: name, kind or length differ from the sealed ones.",
            "Do not trust this pointer; ask the sender for a new one.",
        ),
        Mismatch::Open(OpenError::WrongKey) => UserMessage::new(
            what,
            "The pointer's key does not belong to this file.",
            "Ask the sender for the pointer again.",
        ),
        Mismatch::Open(OpenError::Newer) => UserMessage::new(
            "This file was sealed by a newer version. Nothing was saved.",
            "Its header has entries this version does not know.",
            "Use a newer version of Cloakroom.",
        ),
        Mismatch::Open(_) => UserMessage::new(
            what,
            "The seal is broken, or what is inside is not a sealed file.",
            again,
        ),
    }
}

fn pointer(error: &FindPointerError) -> UserMessage {
    let ask = "Ask the sender to send it again, as one line of text.";
    match error {
        FindPointerError::Changed => UserMessage::new(
            "This pointer was changed on its way.",
            "Its checksum is wrong: characters were replaced, lost or added.",
            ask,
        ),
        FindPointerError::CutOff { missing } => UserMessage::new(
            "This pointer is cut off.",
            format!(
                "At least {missing} more {} missing at its end.",
                if *missing == 1 {
                    "character is"
                } else {
                    "characters are"
                }
            ),
            "Copy it again, to its very end.",
        ),
        FindPointerError::Newer => UserMessage::new(
            "This pointer was made by a newer version.",
            "It has entries this version does not know.",
            "Use a newer version of Cloakroom.",
        ),
        FindPointerError::NotFound => UserMessage::new(
            "There is no pointer in this text.",
            "A pointer is one word that starts with cloak1.",
            "Copy the whole pointer and paste it here.",
        ),
        FindPointerError::TooLong => UserMessage::new(
            "This text is too long.",
            "Pointers are looked for in up to 64 KiB of text.",
            "Paste the pointer alone.",
        ),
        other @ FindPointerError::Invalid(_) => UserMessage::new(
            "This pointer cannot be used.",
            sentence(&other.to_string()),
            ask,
        ),
    }
}

fn server(error: ServerRefusal) -> UserMessage {
    match error {
        ServerRefusal::AccessWord { given: false } => UserMessage::new(
            "The file was not stored.",
            "The server stores files only for those who know its access word.",
            "Ask its operator for the word, and enter it with the server in Settings or give it with the share.",
        ),
        ServerRefusal::AccessWord { given: true } => UserMessage::new(
            "The file was not stored.",
            "The access word is not the one that the server asks for.",
            "Check the word, and ask the server's operator whether it was changed.",
        ),
        ServerRefusal::Full => UserMessage::new(
            "The file was not stored.",
            "The server is full.",
            "Try again later, or choose another server.",
        ),
        ServerRefusal::NoOwners => UserMessage::new(
            "This server does not let a file be managed.",
            "It does not know who shared a file; it forgets each when its time is over.",
            "Share through a Cloakroom server next time.",
        ),
        ServerRefusal::NoReceipts => UserMessage::new(
            "The file was not shared.",
            "This server cannot count or limit downloads.",
            "Share without a count or limit, or choose another server.",
        ),
        ServerRefusal::NotThere => UserMessage::new(
            "The server does not have this file.",
            "It may have expired, been deleted, or reached its number of downloads.",
            "Ask the sender to share it again.",
        ),
        ServerRefusal::Nonsense => UserMessage::new(
            "The server's answer does not fit the request.",
            "It confirmed other bytes than were sent, or sent something that cannot be read.",
            "Try again; if it stays so, choose another server.",
        ),
        ServerRefusal::Status(code @ (500 | 503)) => UserMessage::new(
            "The server is busy or in trouble.",
            format!("It answered {code} each time it was asked."),
            "Try again later.",
        ),
        ServerRefusal::Status(code) => UserMessage::new(
            "The server refused.",
            format!("It answered {code}."),
            "Choose another server, or ask its operator.",
        ),
        ServerRefusal::StillThere => UserMessage::new(
            "The server does not delete what it says it deletes.",
            "The test file was still given out after the server had confirmed its deletion.",
            "Tell the server's operator, or choose another server.",
        ),
        ServerRefusal::TooLarge { max_blob } => UserMessage::new(
            "The file is too large for this server.",
            match max_blob {
                0 => "It did not say how much it takes.".to_owned(),
                max_blob => format!(
                    "It takes up to {} bytes, counted after padding.",
                    grouped(max_blob)
                ),
            },
            "Choose another server, or a smaller file.",
        ),
        ServerRefusal::Ttl { max_secs } => UserMessage::new(
            "The server does not keep files for that time.",
            format!("It keeps them for 1 to {} hours.", max_secs / 3_600),
            "Ask for a time between those.",
        ),
        ServerRefusal::TooMuchWork => UserMessage::new(
            "The file was not stored.",
            "The server asks for work that would keep this computer busy for hours.",
            "Choose another server, or a smaller file.",
        ),
        ServerRefusal::Work => UserMessage::new(
            "The file was not stored.",
            "The server did not take the work that it had asked for.",
            "Try again; if it stays so, choose another server.",
        ),
    }
}

fn proxy(failure: &ProxyFailure) -> UserMessage {
    let proxy = &failure.proxy;
    let (what, why, next) = match failure.reason {
        ProxyFailureReason::NoSocks => (
            "The proxy could not be used; nothing was sent.",
            format!("What answers at {proxy} does not speak SOCKS5."),
            "Correct the proxy's address, or go without one.",
        ),
        ProxyFailureReason::Refused => (
            "The proxy refused; nothing was sent.",
            format!("{proxy} does not take this user name and password, or asks for one."),
            "Correct them: socks5://user:password@host:port.",
        ),
        ProxyFailureReason::Unreachable => (
            "The proxy could not be reached; nothing was sent.",
            format!("Nothing answers at {proxy}."),
            "Start it, or correct its address, or go without one.",
        ),
    };
    UserMessage::new(what, why, next)
}

fn failure(failure: &Failure, tries: u32) -> UserMessage {
    let times = if tries == 1 {
        "once".to_owned()
    } else {
        format!("{tries} times")
    };
    match failure {
        Failure::Blocked => UserMessage::new(
            "The network here blocks the relays.",
            "None of your first relays answered, nor did the three that may be tried in their place within a day.",
            "Check that this computer is online, or try from another network.",
        ),
        Failure::Broken => UserMessage::new(
            "The connection broke before the transfer was done.",
            format!("It was tried {times}."),
            "Check the network and try again.",
        ),
        Failure::Build(_) => UserMessage::new(
            "The request could not be built.",
            "The server's name or key does not fit an onion request.",
            "Choose another server.",
        ),
        Failure::FirstUnreachable => UserMessage::new(
            "The first relay could not be reached.",
            format!(
                "It was tried {times}: the relay is off, holds another key than its list says, or the network here blocks it."
            ),
            "Check the network and the relay list, then try again.",
        ),
        Failure::Malformed => UserMessage::new(
            "The server's answer cannot be read.",
            "It may not be a file server, or be a newer one.",
            "Check the server's address.",
        ),
        Failure::NoPath(why) => no_path(why),
        Failure::Plain(status) => UserMessage::new(
            "No answer of the server came back.",
            format!(
                "Somebody on the path answered {status}, {times}; nobody vouches for that answer."
            ),
            "Try again later, or use another relay list.",
        ),
        Failure::Relay { status, .. } => UserMessage::new(
            "A relay on the path failed.",
            format!(
                "It answered {status}; it was tried {times} over different relays where there are any."
            ),
            "Try again later, or use another relay list.",
        ),
        Failure::RelayUnreachable(_) => UserMessage::new(
            "A relay on the path could not be reached.",
            format!("The relay before it said so; it was tried {times}."),
            "Try again later, or use another relay list.",
        ),
        Failure::ServerBusy(code) => server(ServerRefusal::Status(*code)),
        Failure::ServerPlain(status) => UserMessage::new(
            "Something else answered in the file server's place.",
            format!("It answered {status} without opening the request; it was tried {times}."),
            "Try again later, or ask the server's operator.",
        ),
        Failure::ServerNotServed => UserMessage::new(
            "The last relay does not serve this server.",
            "Its operator allows other servers, or none.",
            "Use a relay list whose relays serve this server.",
        ),
        Failure::ServerUnreachable => UserMessage::new(
            "The file server could not be reached.",
            format!("The last relay said so; it was tried {times}."),
            "Try again later, or ask the server's operator.",
        ),
        Failure::ServerWrongKey => UserMessage::new(
            "The file server does not hold the key of its address.",
            "Its address is wrong, its key was changed, or something else answers in its place.",
            "Ask its operator for the address.",
        ),
        Failure::Tampered(_) => UserMessage::new(
            "An answer was changed on its way and was refused.",
            format!("A relay on the path is broken or hostile; it was tried {times}."),
            "Try again; if it stays so, use another relay list.",
        ),
        Failure::TimedOut => UserMessage::new(
            "The transfer took too long and was ended.",
            format!("Nothing moved for too long; it was tried {times}."),
            "Check the network and try again.",
        ),
    }
}

fn no_path(error: &NoPath) -> UserMessage {
    let place = match error.place {
        Place::Guard => "first",
        Place::Middle => "middle",
        Place::Last => "last",
    };
    let reasons = [
        (Reason::NotServing, "not serving this server"),
        (Reason::OnThisPath, "on the path already"),
        (Reason::IsGuard, "your guard, now or lately"),
        (Reason::Retired, "a guard that was dropped"),
        (Reason::KeptBack, "kept back as a guard"),
        (Reason::NotAGuard, "no guard"),
        (Reason::SameNetwork, "in the network of another"),
        (Reason::SameOperator, "of the operator of another"),
        (Reason::SetAside, "set aside after failures"),
        (Reason::Failed, "failed just now"),
    ];
    let told: Vec<String> = reasons
        .into_iter()
        .filter_map(|(reason, words)| {
            let count = error
                .rejected
                .iter()
                .filter(|rejection| rejection.reason == reason)
                .count();
            (count > 0).then(|| format!("{count} {words}"))
        })
        .collect();
    UserMessage::new(
        "There is no path to this server.",
        format!(
            "No relay was left for the {place} place: {}.",
            told.join(", ")
        ),
        "Use a relay list with more relays, at least one of which serves this server.",
    )
}

/// The words of the system for a kind of error.
fn io_reason(kind: io::ErrorKind) -> String {
    let words = match kind {
        io::ErrorKind::NotFound => "There is no such file.",
        io::ErrorKind::PermissionDenied => "The system does not permit it.",
        io::ErrorKind::StorageFull => "No space is left.",
        other => return sentence(&other.to_string()),
    };
    words.to_owned()
}

/// First letter in upper case, a full stop at the end.
fn sentence(text: &str) -> String {
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

/// `9,998,912`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::config::ConfigError;
    use crate::app::owned::OwnRecordError;
    use crate::app::relays::RelayOffer;
    use crate::app::save::SaveError;
    use crate::net::relay_source::FetchError;
    use crate::protocol::address::ParseAddressError;
    use crate::protocol::keys::Identity;
    use crate::protocol::onion::BuildError;
    use crate::protocol::path::Rejection;
    use crate::protocol::relay_list::{ListRefused, NodesError, ParseSourceError, RelayListError};
    use crate::protocol::seal::PointerMismatch;
    use crate::protocol::transfer::TransferError;

    /// One of every kind of error, and of every kind inside it that has words of its own.
    fn all() -> Vec<AppError> {
        let relay = Identity::from_seed([1; 32]).public();
        let no_path = |place, reason| NoPath {
            place,
            rejected: vec![Rejection { relay, reason }],
        };
        let io = io::ErrorKind::PermissionDenied;
        let mut errors = vec![
            AppError::Address(ParseAddressError::NoKey),
            AppError::BuiltIn(BuiltInError::Busy),
            AppError::BuiltIn(BuiltInError::Folder(io)),
            AppError::Cancelled,
            AppError::Config(ConfigError::Write(io)),
            AppError::ForeignBuiltIn,
            AppError::Local(LocalFileError::Changed),
            AppError::Local(LocalFileError::Folder),
            AppError::Local(LocalFileError::NotAFile),
            AppError::Local(LocalFileError::Read(io)),
            AppError::Local(LocalFileError::Read(io::ErrorKind::NotFound)),
            AppError::Local(LocalFileError::TooLarge(9_998_913)),
            AppError::Mismatch(Mismatch::Digest),
            AppError::Mismatch(Mismatch::Description(PointerMismatch::Length)),
            AppError::Mismatch(Mismatch::Open(OpenError::Corrupt)),
            AppError::Mismatch(Mismatch::Open(OpenError::Newer)),
            AppError::Mismatch(Mismatch::Open(OpenError::WrongKey)),
            AppError::Newer("it holds a folder"),
            AppError::NoRelays,
            AppError::NotOwner,
            AppError::OwnRecord(OwnRecordError::Newer),
            AppError::OwnRecord(OwnRecordError::Write(io::ErrorKind::StorageFull)),
            AppError::Pointer(FindPointerError::Changed),
            AppError::Pointer(FindPointerError::CutOff { missing: 1 }),
            AppError::Pointer(FindPointerError::Invalid("the key is weak")),
            AppError::Pointer(FindPointerError::Newer),
            AppError::Pointer(FindPointerError::NotFound),
            AppError::Pointer(FindPointerError::TooLong),
            AppError::RelayFile(io::ErrorKind::NotFound),
            AppError::RelayList(RelayListError::Expired),
            AppError::RelayList(RelayListError::TooFew(2)),
            AppError::RelayLine(ParseSourceError::NoKey),
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
            AppError::RelaySource(RelaySourceError::Store(io)),
            AppError::RelaysOffered(Box::new(RelayOffer {
                list: format!("https://example.org/relays.json#k={}", relay.to_hex())
                    .parse()
                    .unwrap(),
                server: relay,
            })),
            AppError::Save(SaveError::Write(io::ErrorKind::StorageFull)),
            AppError::Server(ServerRefusal::AccessWord { given: false }),
            AppError::Server(ServerRefusal::AccessWord { given: true }),
            AppError::Server(ServerRefusal::Full),
            AppError::Server(ServerRefusal::NoOwners),
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
            AppError::Server(ServerRefusal::TooMuchWork),
            AppError::Server(ServerRefusal::Work),
        ];
        let failures = [
            Failure::Blocked,
            Failure::Broken,
            Failure::Build(BuildError::TooLong),
            Failure::FirstUnreachable,
            Failure::Malformed,
            Failure::NoPath(no_path(Place::Last, Reason::NotServing)),
            Failure::NoPath(no_path(Place::Guard, Reason::SetAside)),
            Failure::NoPath(no_path(Place::Middle, Reason::SameNetwork)),
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
        errors.extend(
            failures.map(|failure| AppError::Transfer(TransferError { failure, tries: 4 })),
        );
        errors
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
                assert!(
                    !text.contains(['{', '}', '_']) && !text.contains(".."),
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
    fn numbers_are_grouped_and_sentences_closed() {
        assert_eq!(
            [grouped(0), grouped(999), grouped(1_000), grouped(9_998_912)],
            ["0", "999", "1,000", "9,998,912"]
        );
        assert_eq!(
            [sentence("a b"), sentence("A."), sentence("")],
            ["A b.", "A.", "."]
        );
    }

    #[test]
    fn broken_settings_say_where_they_are_now() {
        let problem = ConfigProblem {
            error: ConfigError::Newer,
            kept: Some("config.toml.broken".into()),
        };
        assert!(
            UserMessage::from(&problem)
                .why
                .contains("config.toml.broken")
        );
    }
}
