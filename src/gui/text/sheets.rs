//! The words of what stands over the window: who saw what, the code for cameras, shortcuts, licences.

use super::texts::{row_key_arrows, row_key_delete, row_key_enter, row_key_menu, row_key_tab};
use crate::app::words::message::UserMessage;
use crate::app::words::texts;
use crate::app::words::who_saw_what::Asked;
use crate::protocol::disclosure::{Fact, Links, Note, PartyTotal, Role, ShownOutcome};
use crate::protocol::path::Relaxed;

/// The name of a party.
#[must_use]
pub fn role(role: Role) -> &'static str {
    match role {
        Role::Proxy => texts::role_proxy(),
        Role::Guard => texts::role_guard(),
        Role::Middle => texts::role_middle(),
        Role::Last => texts::role_last(),
        Role::Server => texts::role_server(),
        Role::ListHost => texts::role_list_host(),
        Role::Seed => texts::role_seed(),
    }
}

/// One try of one request. `number` counts from one.
#[must_use]
pub fn one_try(asked: Asked, number: usize) -> String {
    let what = match asked {
        Asked::Delete => texts::asked_delete(),
        Asked::Download => texts::asked_download(),
        Asked::Extend => texts::asked_extend(),
        Asked::FileInfo => texts::asked_file_info(),
        Asked::Receipt => texts::asked_receipt(),
        Asked::ListHost => texts::asked_list_host(),
        Asked::RelayList => texts::asked_relay_list(),
        Asked::ServerInfo => texts::asked_server_info(),
        Asked::SessionNodes => texts::asked_session_nodes(),
        Asked::Status => texts::asked_status(),
        Asked::Upload => texts::asked_upload(),
    };
    if number > 1 {
        texts::asked_again(what, number)
    } else {
        what.to_owned()
    }
}

/// A party and where it stood, in all tries.
#[must_use]
pub fn total(party: &PartyTotal) -> String {
    let roles: Vec<_> = party.roles.iter().copied().map(role).collect();
    format!("{}  ·  {}", party.name, roles.join(texts::list_comma()))
}

/// What a party could bring together.
#[must_use]
pub fn links(links: Links) -> &'static str {
    match links {
        Links::Both => texts::links_both(),
        Links::Address => texts::links_address(),
        Links::AddressAndList => texts::links_address_and_list(),
        Links::List => texts::links_list(),
        Links::Neither => texts::links_neither(),
        Links::Server => texts::links_server(),
    }
}

/// What came of a try.
#[must_use]
pub fn outcome(outcome: &ShownOutcome) -> String {
    match outcome {
        ShownOutcome::Answered(200) => texts::answered().to_owned(),
        ShownOutcome::Answered(code) => texts::answered_with(*code),
        ShownOutcome::Failed(failure) => texts::no_answer(&UserMessage::from(failure).what),
        ShownOutcome::NoList => texts::no_list_came().to_owned(),
        ShownOutcome::NoProxy => texts::proxy_not_usable().to_owned(),
        ShownOutcome::Sent => texts::cancelled().to_owned(),
    }
}

/// What came of a try, and where what is shown of it is from.
#[must_use]
pub fn shown_outcome(came: &ShownOutcome) -> String {
    super::texts::shown_outcome(&outcome(came), super::shown_about())
}

/// Something else to know of a try.
#[must_use]
pub fn note(note: Note) -> &'static str {
    match note {
        Note::Direct => texts::note_direct(),
        Note::DirectByProxy => texts::note_direct_by_proxy(),
        Note::Straight => texts::note_straight(),
        Note::SameBytesBack => texts::note_same_bytes_back(),
        Note::Relaxed(rule) => match rule {
            Relaxed::GuardIsLast => texts::relaxed_guard_is_last(),
            Relaxed::GuardIsMiddle => texts::relaxed_guard_is_middle(),
            Relaxed::GuardReturned => texts::relaxed_guard_returned(),
            Relaxed::GuardStoodElsewhere => texts::relaxed_guard_stood_elsewhere(),
            Relaxed::SameNetwork => texts::relaxed_same_network(),
            Relaxed::SameOperator => texts::relaxed_same_operator(),
            Relaxed::SetAside => texts::relaxed_set_aside(),
        },
    }
}

/// A thing that a party learned, or did not.
#[must_use]
pub fn fact(fact: &Fact) -> String {
    match fact {
        Fact::ClientAddress => texts::fact_client_address().to_owned(),
        Fact::Content => texts::fact_content().to_owned(),
        Fact::FileId => texts::fact_file_id().to_owned(),
        Fact::Host(host) => texts::fact_host(host),
        Fact::NextRelay(relay) => texts::fact_next(relay),
        Fact::PreviousRelay(relay) => texts::fact_before(relay),
        Fact::ProxyAddress => texts::fact_proxy_address().to_owned(),
        Fact::RelayList => texts::fact_relay_list().to_owned(),
        Fact::Server(server) => texts::fact_server(server),
        Fact::Sizes {
            request,
            answer: Some(answer),
        } => {
            let back = texts::fact_back(&bytes(*answer));
            format!("{}\n{back}", up(*request))
        }
        Fact::Sizes {
            request,
            answer: None,
        } => up(*request),
        Fact::Time(at) => texts::fact_when(&time(*at)),
        Fact::Transfer => texts::fact_transfer().to_owned(),
    }
}

fn up(count: usize) -> String {
    texts::fact_up(&bytes(count))
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
    texts::day_and_time(
        &super::day(unix_secs),
        &format!("{:02}", of_day / 3_600),
        &format!("{:02}", of_day / 60 % 60),
    )
}

/// Keys on a transfer, and what they do; the first of each pair is written as the system writes keys.
#[must_use]
pub fn row_keys() -> [(&'static [&'static str], &'static str); 5] {
    [
        (&["↑", "↓"], row_key_arrows()),
        (&["Enter"], row_key_enter()),
        (&["Delete"], row_key_delete()),
        (&["Menu", "Shift+F10"], row_key_menu()),
        (&["Tab"], row_key_tab()),
    ]
}
