//! The words of what stands over the window: who saw what, the code for cameras, shortcuts, licences.

use crate::app::who_saw_what::Asked;
use crate::protocol::disclosure::{Fact, Note, Outcome, Role};
use crate::protocol::path::Relaxed;

/// A cross at the corner.
pub const CLOSE: &str = "Close";

/// Who saw what: whose computer this is.
pub const YOU: &str = "You";
/// Who saw what, of a shared file.
pub const RECIPIENT: &str = "Recipient";
/// Who saw what, of a received file.
pub const SENDER: &str = "Sender";
/// Who saw what: under the recipient of a shared file.
pub const RECIPIENT_LEARNS: &str = "opens the file; not your address";
/// Who saw what: under the sender of a received file.
pub const SENDER_LEARNS: &str = "sealed the file; not your address";
/// Who saw what: under this computer.
pub const YOU_KNOW: &str = "the file, the pointer, the path";
/// Who saw what: over the things a party learned.
pub const SAW: &str = "Saw";
/// Who saw what: over the things it did not.
pub const DID_NOT_SEE: &str = "Did not see";
/// Who saw what.
pub const TRIES: &str = "Requests and tries";
/// Who saw what, under everything.
pub const SHOWN_ABOUT: &str =
    "Taken from what this program really sent. Whoever watches both ends can still compare times.";
/// Who saw what: over what a party learned if the try came so far.
pub const PERHAPS_SAW: &str = "Perhaps saw";
/// Who saw what: under a party that the try never reached.
pub const SAW_NOTHING: &str = "Saw nothing";
/// Who saw what: why it saw nothing.
pub const ENDED_BEFORE: &str = "the try ended before it";

/// Who saw what of a transfer that sent nothing.
pub const NOTHING_SENT: &str = "Nothing was sent.";

/// Title of a sheet about a file.
#[must_use]
pub fn about_sheet(what: &str, name: &str) -> String {
    format!("{what}: {name}")
}

/// The name of a party.
#[must_use]
pub const fn role(role: Role) -> &'static str {
    match role {
        Role::Guard => "Guard",
        Role::Middle => "Middle relay",
        Role::Last => "Last relay",
        Role::Server => "File server",
    }
}

/// One try of one request. `number` counts from one.
#[must_use]
pub fn one_try(asked: Asked, number: usize) -> String {
    let what = match asked {
        Asked::Delete => "Deleted the file",
        Asked::Download => "Fetched the file",
        Asked::Extend => "Asked to keep it longer",
        Asked::FileInfo => "Asked about the file",
        Asked::Receipt => "Told the sender",
        Asked::RelayList => "Fetched the relay list",
        Asked::ServerInfo => "Asked what the server takes",
        Asked::Status => "Asked for the downloads",
        Asked::Upload => "Stored the file",
    };
    if number > 1 {
        format!("{what}, try {number}")
    } else {
        what.to_owned()
    }
}

/// What came of a try.
#[must_use]
pub fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Answered(200) => "Answered".to_owned(),
        Outcome::Answered(code) => format!("Answered with {code}"),
        Outcome::Failed(failure) => format!("No answer: {failure}"),
        Outcome::Sent => "Cancelled".to_owned(),
    }
}

/// Something else to know of a try.
#[must_use]
pub const fn note(note: Note) -> &'static str {
    match note {
        Note::Direct => "Without relays: the file server saw your address.",
        Note::SameBytesBack => {
            "The answer looked the same on every link: these relays do not seal what they send back."
        }
        Note::Relaxed(rule) => match rule {
            Relaxed::GuardIsLast => {
                "The last relay was a guard of yours within ten days: the list is too small."
            }
            Relaxed::GuardIsMiddle => {
                "The middle relay was a guard of yours within ten days: the list is too small."
            }
            Relaxed::GuardReturned => "A guard that was dropped is back: the list has nobody else.",
            Relaxed::GuardStoodElsewhere => {
                "The guard stood elsewhere on your paths within ten days: the list is too small."
            }
            Relaxed::SameNetwork => {
                "Relays of this path are in one network: the list is too small."
            }
            Relaxed::SameOperator => {
                "Relays of this path have one operator: the list is too small."
            }
            Relaxed::SetAside => "A relay that failed before was used: the list has nobody else.",
        },
    }
}

/// A thing that a party learned, or did not.
#[must_use]
pub fn fact(fact: &Fact) -> String {
    match fact {
        Fact::ClientAddress => "your IP address".to_owned(),
        Fact::Content => "name, type, exact size, content".to_owned(),
        Fact::FileId => "which file".to_owned(),
        Fact::NextRelay(name) => format!("next: {name}"),
        Fact::PreviousRelay(name) => format!("before: {name}"),
        Fact::Server(name) => format!("server {name}"),
        Fact::Sizes {
            request,
            answer: Some(answer),
        } => format!("{} up\n{} back", bytes(*request), bytes(*answer)),
        Fact::Sizes {
            request,
            answer: None,
        } => format!("{} up", bytes(*request)),
        Fact::Time(at) => format!("when: {}", time(*at)),
    }
}

fn bytes(count: usize) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push('\u{202F}');
        }
        grouped.push(digit);
    }
    format!("{grouped} B")
}

fn time(unix_secs: u64) -> String {
    let of_day = unix_secs % 86_400;
    format!(
        "{}, {:02}:{:02} UTC",
        super::day(unix_secs),
        of_day / 3_600,
        of_day / 60 % 60
    )
}

/// Under the code for cameras.
pub const QR_ABOUT: &str =
    "The whole pointer, in capitals. Whoever photographs it can fetch and open the file.";
/// In place of the code, while another window is in front.
pub const QR_MASKED: &str = "Hidden while another window is in front.";
/// In place of a code, for a pointer that does not fit one.
pub const QR_TOO_LONG: &str = "This pointer is too long for a QR code. Copy it instead.";

/// Name of the sheet of keys.
pub const SHORTCUTS: &str = "Keyboard shortcuts";
/// Heading of keys that work anywhere.
pub const ANYWHERE: &str = "Anywhere";
/// Heading of keys that work on a transfer.
pub const ON_A_TRANSFER: &str = "On a transfer";
/// Keys on a transfer, and what they do; the first of each pair is written as the system writes keys.
pub const ROW_KEYS: [(&[&str], &str); 5] = [
    (&["↑", "↓"], "To the transfer above or below"),
    (&["Enter"], "Copy the pointer, open the file, or try again"),
    (&["Delete"], "Cancel, or remove from the list"),
    (&["Menu", "Shift+F10"], "Everything else that can be done"),
    (&["Tab"], "To the buttons of the transfer"),
];
/// What a command does.
pub const CLOSE_WINDOW: &str = "Close the window";
/// What a command does.
pub const COPY_OF_ROW: &str = "Copy the pointer of a transfer";
/// What a command does.
pub const ESCAPE: &str = "Close what is on top, clear the field";
/// What a command does.
pub const NEXT_REGION: &str = "To the next part of the window";
/// What a command does.
pub const PASTE: &str = "Paste a pointer or files";
/// What a command does.
pub const PASTE_POINTER: &str = "Paste a pointer into Receive";
/// What a command does.
pub const RETRY_FAILED: &str = "Try everything again that failed";
/// What a command does.
pub const RESET_ZOOM: &str = "Usual size";
/// What a command does.
pub const SHOW_KEYS: &str = "Show this sheet";

/// Licences.
pub const LICENCES: &str = "Licences";
/// About.
pub const LICENCE_OF_PROGRAM: &str =
    "Cloakroom is licensed under MIT or Apache-2.0, at your option.";
/// About: heading and file of a licence text.
pub const FONTS: &str = "Fonts and icons";
/// About.
pub const FONTS_ABOUT: &str = "Inter and JetBrains Mono under the SIL Open Font License 1.1, icons by Lucide under the ISC licence.";
/// About.
pub const CRATES: &str = "Libraries";
/// About.
pub const CRATES_ABOUT: &str = "The Rust crates that are compiled in, by licence.";
