//! The words of what stands over the window: who saw what, the code for cameras, shortcuts, licences.

use crate::app::words::l10n::{say, tell};
use crate::app::words::message::UserMessage;
use crate::app::words::who_saw_what::Asked;
use crate::protocol::disclosure::{Fact, Links, Note, PartyTotal, Role, ShownOutcome};
use crate::protocol::path::Relaxed;

plain! {
    /// A cross at the corner.
    close;
}

plain! {
    /// Who saw what: whose computer this is.
    you;
    /// Who saw what, of a shared file.
    recipient;
    /// Who saw what, of a received file.
    sender;
    /// Who saw what: under the recipient of a shared file.
    recipient_learns;
    /// Who saw what: under the sender of a received file.
    sender_learns;
    /// Who saw what: under this computer.
    you_know;
    /// Who saw what: over the things a party learned.
    saw;
    /// Who saw what: over the things it did not.
    did_not_see;
    /// Who saw what.
    tries;
    /// Who saw what, under everything.
    shown_about;
    /// Who saw what: over what a party learned if the try came so far.
    perhaps_saw;
    /// Who saw what: under a party that the try never reached.
    saw_nothing;
    /// Who saw what: why it saw nothing.
    ended_before;
}

plain! {
    /// Who saw what of a transfer that sent nothing.
    nothing_sent;
}

/// Title of a sheet about a file.
#[must_use]
pub fn about_sheet(what: &str, name: &str) -> String {
    tell(
        "about_sheet",
        &[("what", what.into()), ("name", name.into())],
    )
}

/// The name of a party.
#[must_use]
pub fn role(role: Role) -> &'static str {
    say(match role {
        Role::Proxy => "role_proxy",
        Role::Guard => "role_guard",
        Role::Middle => "role_middle",
        Role::Last => "role_last",
        Role::Server => "role_server",
        Role::ListHost => "role_list_host",
        Role::Seed => "role_seed",
    })
}

/// One try of one request. `number` counts from one.
#[must_use]
pub fn one_try(asked: Asked, number: usize) -> String {
    let what = say(match asked {
        Asked::Delete => "asked_delete",
        Asked::Download => "asked_download",
        Asked::Extend => "asked_extend",
        Asked::FileInfo => "asked_file_info",
        Asked::Receipt => "asked_receipt",
        Asked::ListHost => "asked_list_host",
        Asked::RelayList => "asked_relay_list",
        Asked::ServerInfo => "asked_server_info",
        Asked::SessionNodes => "asked_session_nodes",
        Asked::Status => "asked_status",
        Asked::Upload => "asked_upload",
    });
    if number > 1 {
        tell(
            "asked_again",
            &[("what", what.into()), ("number", number.into())],
        )
    } else {
        what.to_owned()
    }
}

/// Over what each party learned in all tries.
#[must_use]
pub fn all_tries(count: usize) -> String {
    tell("all_tries", &[("count", count.into())])
}

/// A party and where it stood, in all tries.
#[must_use]
pub fn total(party: &PartyTotal) -> String {
    let roles: Vec<_> = party.roles.iter().copied().map(role).collect();
    format!("{}  ·  {}", party.name, roles.join(say("list_comma")))
}

/// What a party could bring together.
#[must_use]
pub fn links(links: Links) -> &'static str {
    say(match links {
        Links::Both => "links_both",
        Links::Address => "links_address",
        Links::AddressAndList => "links_address_and_list",
        Links::List => "links_list",
        Links::Neither => "links_neither",
        Links::Server => "links_server",
    })
}

/// What came of a try.
#[must_use]
pub fn outcome(outcome: &ShownOutcome) -> String {
    match outcome {
        ShownOutcome::Answered(200) => say("answered").to_owned(),
        ShownOutcome::Answered(code) => tell("answered_with", &[("code", code.to_string().into())]),
        ShownOutcome::Failed(failure) => {
            let what = UserMessage::from(failure).what;
            tell("no_answer", &[("why", what.into())])
        }
        ShownOutcome::NoList => say("no_list_came").to_owned(),
        ShownOutcome::NoProxy => say("proxy_not_usable").to_owned(),
        ShownOutcome::Sent => say("cancelled").to_owned(),
    }
}

/// What came of a try, and where what is shown of it is from.
#[must_use]
pub fn shown_outcome(came: &ShownOutcome) -> String {
    tell(
        "shown_outcome",
        &[
            ("outcome", outcome(came).into()),
            ("about", shown_about().into()),
        ],
    )
}

/// Something else to know of a try.
#[must_use]
pub fn note(note: Note) -> &'static str {
    say(match note {
        Note::Direct => "note_direct",
        Note::DirectByProxy => "note_direct_by_proxy",
        Note::Straight => "note_straight",
        Note::SameBytesBack => "note_same_bytes_back",
        Note::Relaxed(rule) => match rule {
            Relaxed::GuardIsLast => "relaxed_guard_is_last",
            Relaxed::GuardIsMiddle => "relaxed_guard_is_middle",
            Relaxed::GuardReturned => "relaxed_guard_returned",
            Relaxed::GuardStoodElsewhere => "relaxed_guard_stood_elsewhere",
            Relaxed::SameNetwork => "relaxed_same_network",
            Relaxed::SameOperator => "relaxed_same_operator",
            Relaxed::SetAside => "relaxed_set_aside",
        },
    })
}

/// A thing that a party learned, or did not.
#[must_use]
pub fn fact(fact: &Fact) -> String {
    let name = |id, name: &str| tell(id, &[("name", name.into())]);
    match fact {
        Fact::ClientAddress => say("fact_client_address").to_owned(),
        Fact::Content => say("fact_content").to_owned(),
        Fact::FileId => say("fact_file_id").to_owned(),
        Fact::Host(host) => name("fact_host", host),
        Fact::NextRelay(relay) => name("fact_next", relay),
        Fact::PreviousRelay(relay) => name("fact_before", relay),
        Fact::ProxyAddress => say("fact_proxy_address").to_owned(),
        Fact::RelayList => say("fact_relay_list").to_owned(),
        Fact::Server(server) => name("fact_server", server),
        Fact::Sizes {
            request,
            answer: Some(answer),
        } => {
            let back = tell("fact_back", &[("bytes", bytes(*answer).into())]);
            format!("{}\n{back}", up(*request))
        }
        Fact::Sizes {
            request,
            answer: None,
        } => up(*request),
        Fact::Time(at) => tell("fact_when", &[("time", time(*at).into())]),
        Fact::Transfer => say("fact_transfer").to_owned(),
    }
}

fn up(count: usize) -> String {
    tell("fact_up", &[("bytes", bytes(count).into())])
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
    tell(
        "day_and_time",
        &[
            ("day", super::day(unix_secs).into()),
            ("hour", format!("{:02}", of_day / 3_600).into()),
            ("minute", format!("{:02}", of_day / 60 % 60).into()),
        ],
    )
}

plain! {
    /// Under the code for cameras.
    qr_about;
    /// In place of the code, while another window is in front.
    qr_masked;
    /// In place of a code, for a pointer that does not fit one.
    qr_too_long;
}

plain! {
    /// Name of the sheet of keys.
    shortcuts;
    /// Heading of keys that work anywhere.
    anywhere;
    /// Heading of keys that work on a transfer.
    on_a_transfer;
}
/// Keys on a transfer, and what they do; the first of each pair is written as the system writes keys.
#[must_use]
pub fn row_keys() -> [(&'static [&'static str], &'static str); 5] {
    [
        (&["↑", "↓"], say("row_key_arrows")),
        (&["Enter"], say("row_key_enter")),
        (&["Delete"], say("row_key_delete")),
        (&["Menu", "Shift+F10"], say("row_key_menu")),
        (&["Tab"], say("row_key_tab")),
    ]
}
plain! {
    /// What a command does.
    close_window;
    /// What a command does.
    copy_of_row;
    /// What a command does.
    escape;
    /// What a command does.
    next_region;
    /// What a command does.
    paste;
    /// What a command does.
    paste_pointer;
    /// What a command does.
    retry_failed;
    /// What a command does.
    reset_zoom;
    /// What a command does.
    show_keys;
}

plain! {
    /// Licences.
    licences;
    /// About.
    licence_of_program;
    /// About: heading and file of a licence text.
    fonts;
    /// About.
    fonts_about;
    /// About.
    crates;
    /// About.
    crates_about;
}
