//! Who saw what, in words for people: what each party was shown in one transfer, from what was really sent. The window and
//! the command line say it with the same functions. Programs get it in words of their own, by [`to_json`].

mod json;
mod shown;

pub use self::json::{to_json, totals_to_json};
pub use self::shown::WhoSawWhat;
use super::message::UserMessage;
use super::texts;
use super::units::{day_and_time, exact_size};
use crate::net::SocksProxy;
use crate::protocol::address::ServerUrl;
use crate::protocol::disclosure::{
    AttemptShown, End, Fact, Links, Note, PartyShown, PartyTotal, Role, Saw, ShownOutcome,
};
use crate::protocol::file_api::FileRequest;
use crate::protocol::path::Relaxed;

/// One request and its tries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestShown {
    /// What was asked.
    pub asked: Asked,
    /// Try by try.
    pub attempts: Vec<AttemptShown>,
}

impl RequestShown {
    /// Lists asked for straight from where they are, one after the other, at these URLs. Nothing when none was asked.
    pub(crate) fn straight(
        asked: Asked,
        tries: impl IntoIterator<Item = (String, ShownOutcome)>,
        proxy: Option<&SocksProxy>,
        at: u64,
    ) -> Option<Self> {
        let attempts: Vec<_> = tries
            .into_iter()
            .filter_map(|(url, outcome)| {
                Some(AttemptShown {
                    at,
                    path: None,
                    proxy: proxy.map(proxy_name),
                    end: match asked {
                        Asked::SessionNodes => End::Seed,
                        _ => End::ListHost,
                    },
                    relaxed: Vec::new(),
                    same_bytes_back: false,
                    // A host that is too long for a server's is too long to be found.
                    server: host_of(&url)?,
                    names_file: false,
                    sent: Vec::new(),
                    answered: Vec::new(),
                    outcome,
                })
            })
            .collect();
        (!attempts.is_empty()).then_some(Self { asked, attempts })
    }
}

/// Where a proxy is, as the other parties are named.
pub(crate) fn proxy_name(proxy: &SocksProxy) -> String {
    let url = proxy.to_string();
    url.trim_start_matches("socks5://").to_owned()
}

fn host_of(url: &str) -> Option<ServerUrl> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split('/').next()?;
    ServerUrl::normalise(&format!("{scheme}://{host}")).ok()
}

/// What a request asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// To delete a file.
    Delete,
    /// The blob.
    Download,
    /// To keep a file longer.
    Extend,
    /// What the server knows of a file.
    FileInfo,
    /// To tell the sender of a download.
    Receipt,
    /// A relay list, straight from its host.
    ListHost,
    /// The relay list that the server mirrors.
    RelayList,
    /// What the server says of itself.
    ServerInfo,
    /// Service nodes of Session's network or another of its kind, straight from a seed.
    SessionNodes,
    /// What the owner may know of a file.
    Status,
    /// To store a blob.
    Upload,
}

impl Asked {
    /// What `request` asks for.
    #[must_use]
    pub(crate) const fn of(request: &FileRequest) -> Self {
        match request {
            FileRequest::Delete { .. } => Self::Delete,
            FileRequest::Download(_) => Self::Download,
            FileRequest::Extend { .. } => Self::Extend,
            FileRequest::FileInfo(_) => Self::FileInfo,
            FileRequest::Receipt { .. } => Self::Receipt,
            FileRequest::RelayList => Self::RelayList,
            FileRequest::ServerInfo => Self::ServerInfo,
            FileRequest::Status { .. } => Self::Status,
            FileRequest::Upload(_) => Self::Upload,
        }
    }
}

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

/// One try of one request: `Stored the file, try 2`. `number` counts from one.
#[must_use]
pub(crate) fn one_try(asked: Asked, number: usize) -> String {
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
            Relaxed::GuardIsNew => texts::relaxed_guard_is_new(),
            Relaxed::GuardReturned => texts::relaxed_guard_returned(),
            Relaxed::GuardStoodElsewhere => texts::relaxed_guard_stood_elsewhere(),
            Relaxed::KeptBack => texts::relaxed_kept_back(),
            Relaxed::SameNetwork => texts::relaxed_same_network(),
            Relaxed::SameOperator => texts::relaxed_same_operator(),
            Relaxed::SetAside => texts::relaxed_set_aside(),
        },
    }
}

/// A thing that a party learned, or did not: one line, or two of them for the bytes up and back.
#[must_use]
pub fn fact(fact: &Fact) -> Vec<String> {
    let one = match fact {
        Fact::ClientAddress => texts::fact_client_address().to_owned(),
        Fact::Content => texts::fact_content().to_owned(),
        Fact::FileId => texts::fact_file_id().to_owned(),
        Fact::Host(host) => texts::fact_host(host),
        Fact::NextRelay(relay) => texts::fact_next(relay),
        Fact::PreviousRelay(relay) => texts::fact_before(relay),
        Fact::ProxyAddress => texts::fact_proxy_address().to_owned(),
        Fact::RelayList => texts::fact_relay_list().to_owned(),
        Fact::Server(server) => texts::fact_server(server),
        Fact::Sizes { request, answer } => {
            let up = texts::fact_up(&exact_size(bytes(*request)));
            let back = answer.map(|answer| texts::fact_back(&exact_size(bytes(answer))));
            return std::iter::once(up).chain(back).collect();
        }
        Fact::Time(at) => texts::fact_when(&day_and_time(*at)),
        Fact::Transfer => texts::fact_transfer().to_owned(),
    };
    vec![one]
}

fn bytes(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

/// What a party saw and what it did not, a line each.
#[must_use]
pub fn saw(party: &PartyShown) -> Vec<String> {
    let seen = match party.saw {
        Saw::Certainly => texts::saw(),
        Saw::Perhaps => texts::perhaps_saw(),
        Saw::Nothing => return vec![texts::titled(texts::saw_nothing(), texts::ended_before())],
    };
    let lists = [(seen, &party.shown), (texts::did_not_see(), &party.hidden)];
    let lists = lists.into_iter().filter(|(_, facts)| !facts.is_empty());
    lists
        .map(|(title, facts)| {
            let facts: Vec<String> = facts.iter().flat_map(fact).collect();
            texts::titled(title, &facts.join(texts::list_comma()))
        })
        .collect()
}

/// A party and where it stood, in all tries.
#[must_use]
pub fn total(party: &PartyTotal) -> String {
    let roles: Vec<_> = party.roles.iter().copied().map(role).collect();
    format!("{}  ·  {}", party.name, roles.join(texts::list_comma()))
}

/// How much a party was shown in all tries: `in 30 tries, 3,145,728 B up, 9,000 B back`.
#[must_use]
pub fn amount(party: &PartyTotal) -> String {
    let mut parts = vec![texts::in_tries(party.tries)];
    if party.sent_bytes > 0 {
        parts.push(texts::fact_up(&exact_size(party.sent_bytes)));
    }
    if party.answered_bytes > 0 {
        parts.push(texts::fact_back(&exact_size(party.answered_bytes)));
    }
    parts.join(texts::list_comma())
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

/// The path of the last try, in one line.
#[must_use]
pub(crate) fn path_line(shown: &[RequestShown]) -> Option<String> {
    Some(path(shown.last()?.attempts.last()?))
}

/// One try in one line: its path and what came of it.
#[must_use]
pub(crate) fn attempt_line(attempt: &AttemptShown) -> String {
    texts::titled(&path(attempt), &outcome(&attempt.outcome))
}

fn path(attempt: &AttemptShown) -> String {
    let parties = attempt.parties().into_iter();
    let parties = parties.map(|party| format!("{} {}", role(party.role), party.name));
    let stops: Vec<String> = std::iter::once(texts::you().to_owned())
        .chain(parties)
        .collect();
    stops.join(" → ")
}

/// The most tries that are shown one by one. A transfer in parts has hundreds, of which the sums say more.
pub(crate) const MOST_ONE_BY_ONE: usize = 24;

/// Who saw what as lines of a terminal: every try unless they are many, then what each party learned in all of them
/// together.
#[must_use]
pub fn lines(shown: &WhoSawWhat) -> Vec<String> {
    if shown.tries() > MOST_ONE_BY_ONE {
        return together(shown);
    }
    let mut lines = Vec::new();
    for request in shown.requests() {
        for (attempt, number) in request.attempts.iter().zip(1..) {
            lines.push(one_try(request.asked, number));
            lines.push(format!("  {}", outcome(&attempt.outcome)));
            for about in attempt.notes() {
                lines.push(format!("  {}", note(about)));
            }
            for party in attempt.parties() {
                lines.push(format!("  {} {}", role(party.role), party.name));
                lines.extend(saw(&party).iter().map(|line| format!("    {line}")));
            }
        }
    }
    lines.extend(together(shown));
    lines
}

/// What adds up over several tries; nothing when there was one.
fn together(shown: &WhoSawWhat) -> Vec<String> {
    if shown.tries() < 2 {
        return Vec::new();
    }
    let title = texts::all_tries(shown.tries());
    let parties = shown.totals().parties().iter().map(|party| {
        format!(
            "  {}  ·  {}: {}",
            total(party),
            amount(party),
            links(party.links())
        )
    });
    std::iter::once(title).chain(parties).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::words::l10n::{Language, in_language};

    pub(super) fn request(tries: usize) -> RequestShown {
        let attempt = |at| AttemptShown {
            at,
            path: None,
            proxy: None,
            end: End::Server,
            relaxed: Vec::new(),
            same_bytes_back: false,
            server: ServerUrl::parse("http://files.example").unwrap(),
            names_file: true,
            sent: vec![1_000],
            answered: vec![10],
            outcome: ShownOutcome::Answered(200),
        };
        RequestShown {
            asked: Asked::Upload,
            attempts: (0..tries).map(|at| attempt(at as u64)).collect(),
        }
    }

    #[test]
    fn few_tries_are_told_one_by_one_and_many_in_sums() {
        let told = |tries| {
            let shown = [request(tries)].into_iter().collect();
            in_language(Language::English, || lines(&shown))
        };
        assert!(told(1).len() > 3 && told(MOST_ONE_BY_ONE).len() > 3 * MOST_ONE_BY_ONE);
        let sums = told(200);
        assert_eq!(sums.len(), 2, "{sums:?}");
        assert!(sums[0].contains("200 tries"));
        let amount = "in 200 tries, 200,000 B up, 2,000 B back";
        assert!(sums[1].contains(amount), "{sums:?}");
    }
}
