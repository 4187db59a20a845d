//! Who saw what, in words: what each party was shown in one transfer, from what was really sent.

use serde_json::{Value, json};

use crate::net::SocksProxy;
use crate::protocol::address::ServerUrl;
use crate::protocol::disclosure::{
    AttemptShown, End, Fact, Links, Note, Role, Saw, ShownOutcome, totals,
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
    /// Session's nodes, straight from a seed.
    SessionNodes,
    /// What the owner may know of a file.
    Status,
    /// To store a blob.
    Upload,
}

impl Asked {
    /// What `request` asks for.
    #[must_use]
    pub const fn of(request: &FileRequest) -> Self {
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

    const fn words(self) -> &'static str {
        match self {
            Self::Delete => "deleted a file",
            Self::Download => "fetched a file",
            Self::Extend => "asked to keep a file longer",
            Self::FileInfo => "asked about a file",
            Self::Receipt => "told the sender that the file arrived",
            Self::ListHost => "fetched a relay list from its host",
            Self::RelayList => "fetched the server's relay list",
            Self::ServerInfo => "asked what the server takes",
            Self::SessionNodes => "asked a seed for Session's nodes",
            Self::Status => "asked how often a file was downloaded",
            Self::Upload => "stored a file",
        }
    }
}

/// The lines that tell it: every try, then what each party learned in all of them together.
#[must_use]
pub fn lines(shown: &[RequestShown]) -> Vec<String> {
    let mut lines = Vec::new();
    for request in shown {
        for (at, attempt) in request.attempts.iter().enumerate() {
            let try_number = if at == 0 {
                String::new()
            } else {
                format!(", try {}", at + 1)
            };
            lines.push(format!(
                "{}{try_number} ({}):",
                request.asked.words(),
                outcome(&attempt.outcome)
            ));
            for note in attempt.notes() {
                lines.push(format!("  note: {}", self::note(note)));
            }
            for party in attempt.parties() {
                lines.push(format!("  {} {}", role(party.role), party.name));
                match party.saw {
                    Saw::Certainly => {
                        lines.push(format!("    saw      {}", facts(&party.shown)));
                    }
                    Saw::Perhaps => {
                        lines.push(format!("    perhaps  {}", facts(&party.shown)));
                    }
                    Saw::Nothing => {
                        lines.push("    saw      nothing: the try ended before it".to_owned());
                        continue;
                    }
                }
                lines.push(format!("    not      {}", facts(&party.hidden)));
            }
        }
    }
    lines.extend(together(shown));
    lines
}

/// Who saw what as JSON, for programs: every try with its parties.
#[must_use]
pub fn to_json(shown: &[RequestShown]) -> Value {
    let tries = shown.iter().flat_map(|request| {
        let attempts = request.attempts.iter().enumerate();
        attempts.map(move |(at, attempt)| (request.asked, at + 1, attempt))
    });
    tries
        .map(|(asked, number, attempt)| {
            let parties = attempt.parties().into_iter().map(|party| {
                json!({
                    "role": role(party.role),
                    "name": party.name,
                    "saw": match party.saw {
                        Saw::Certainly => "certainly",
                        Saw::Perhaps => "perhaps",
                        Saw::Nothing => "nothing",
                    },
                    "shown": party.shown.iter().map(fact).collect::<Vec<_>>(),
                    "hidden": party.hidden.iter().map(fact).collect::<Vec<_>>(),
                })
            });
            json!({
                "asked": asked.words(),
                "try": number,
                "at": attempt.at,
                "outcome": outcome(&attempt.outcome),
                "notes": attempt.notes().into_iter().map(note).collect::<Vec<_>>(),
                "parties": parties.collect::<Vec<_>>(),
            })
        })
        .collect()
}

/// What adds up over several tries; nothing when there was one.
fn together(shown: &[RequestShown]) -> Vec<String> {
    let attempts: Vec<_> = shown.iter().flat_map(|request| &request.attempts).collect();
    if attempts.len() < 2 {
        return Vec::new();
    }
    let mut lines = vec![format!("all {} tries together:", attempts.len())];
    for party in totals(attempts) {
        let roles: Vec<_> = party.roles.iter().copied().map(role).collect();
        let tries = if party.tries == 1 {
            "once".to_owned()
        } else {
            format!("{} times", party.tries)
        };
        let links = match party.links() {
            Links::Both => "both your IP address and the server",
            Links::Address => "your IP address, not the server",
            Links::AddressAndList => "your IP address and which relay list you use, no transfer",
            Links::List => "which relay list you use, no transfer",
            Links::Neither => "neither your IP address nor the server",
            Links::Server => "the server, not your IP address",
        };
        lines.push(format!(
            "  {} ({}, {tries}): {links}",
            party.name,
            roles.join(" and ")
        ));
    }
    lines
}

/// What came of a try, in a few words.
fn outcome(outcome: &ShownOutcome) -> String {
    match outcome {
        ShownOutcome::Answered(code) => format!("answered {code}"),
        ShownOutcome::Failed(failure) => format!("no answer: {failure}"),
        ShownOutcome::NoList => "no list came".to_owned(),
        ShownOutcome::NoProxy => "the proxy could not be used".to_owned(),
        ShownOutcome::Sent => "cancelled".to_owned(),
    }
}

/// A note, in words.
#[must_use]
pub const fn note(note: Note) -> &'static str {
    match note {
        Note::Direct => "straight to the server, which saw your IP address",
        Note::DirectByProxy => {
            "through the proxy to the server, without relays: the proxy saw both your IP address and the server"
        }
        Note::Straight => "on no path: whoever gives the list is asked straight",
        Note::SameBytesBack => {
            "the answer looked the same on every link, as these relays do not seal what they send back"
        }
        Note::Relaxed(rule) => match rule {
            Relaxed::GuardIsLast => {
                "the last relay was a guard of yours within ten days: the list is too small"
            }
            Relaxed::GuardIsMiddle => {
                "the middle relay was a guard of yours within ten days: the list is too small"
            }
            Relaxed::GuardReturned => "a guard that was dropped is back: the list has nobody else",
            Relaxed::GuardStoodElsewhere => {
                "the guard was a middle or last relay of yours within ten days: the list is too small to keep one back"
            }
            Relaxed::SameNetwork => "relays of this path are in one network: the list is too small",
            Relaxed::SameOperator => "relays of this path have one operator: the list is too small",
            Relaxed::SetAside => "a relay that failed before was used: the list has nobody else",
        },
    }
}

/// The path of the last try, in one line.
#[must_use]
pub fn path_line(shown: &[RequestShown]) -> Option<String> {
    Some(route(shown.last()?.attempts.last()?))
}

/// One try in one line: its path and what came of it.
#[must_use]
pub fn attempt_line(attempt: &AttemptShown) -> String {
    format!("{}: {}", route(attempt), outcome(&attempt.outcome))
}

fn route(attempt: &AttemptShown) -> String {
    let parties = attempt.parties();
    let names: Vec<_> = parties
        .iter()
        .map(|party| format!("{} {}", role(party.role), party.name))
        .collect();
    format!("you → {}", names.join(" → "))
}

const fn role(role: Role) -> &'static str {
    match role {
        Role::Proxy => "proxy",
        Role::Guard => "guard",
        Role::Middle => "middle relay",
        Role::Last => "last relay",
        Role::Server => "file server",
        Role::ListHost => "host of the list",
        Role::Seed => "seed",
    }
}

fn facts(facts: &[Fact]) -> String {
    facts.iter().map(fact).collect::<Vec<_>>().join(", ")
}

fn fact(fact: &Fact) -> String {
    match fact {
        Fact::ClientAddress => "your IP address".to_owned(),
        Fact::Content => "name, type, exact size or content".to_owned(),
        Fact::FileId => "which file (its id)".to_owned(),
        Fact::Host(name) => format!("whom it connects to {name}"),
        Fact::NextRelay(name) => format!("the next relay {name}"),
        Fact::PreviousRelay(name) => format!("the relay before it {name}"),
        Fact::ProxyAddress => "the address that the proxy goes out with".to_owned(),
        Fact::RelayList => "which relay list you use".to_owned(),
        Fact::Server(name) => format!("the server {name}"),
        Fact::Sizes {
            request,
            answer: Some(answer),
        } => format!("{request} bytes in, {answer} bytes back"),
        Fact::Sizes {
            request,
            answer: None,
        } => format!("{request} bytes in"),
        Fact::Time(_) => "when".to_owned(),
        Fact::Transfer => "what you transfer, and with which server".to_owned(),
    }
}
