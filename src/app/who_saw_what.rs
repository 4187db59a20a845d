//! Who saw what, in words: what each party was shown in one transfer, from what was really sent.

use crate::protocol::disclosure::{AttemptShown, Fact, Outcome, PartyShown, Role};
use crate::protocol::file_api::FileRequest;

/// One request and its tries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestShown {
    /// What was asked.
    pub asked: Asked,
    /// Try by try.
    pub attempts: Vec<AttemptShown>,
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
    /// The relay list that the server mirrors.
    RelayList,
    /// What the server says of itself.
    ServerInfo,
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
            Self::RelayList => "fetched the server's relay list",
            Self::ServerInfo => "asked what the server takes",
            Self::Status => "asked how often a file was downloaded",
            Self::Upload => "stored a file",
        }
    }
}

/// The lines that tell it.
#[must_use]
pub fn lines(shown: &[RequestShown]) -> Vec<String> {
    let mut lines = Vec::new();
    for request in shown {
        for (at, attempt) in request.attempts.iter().enumerate() {
            let outcome = match attempt.outcome {
                Outcome::Answered(code) => format!("answered {code}"),
                Outcome::NoAnswer => {
                    "no answer; the later parties may have seen nothing of it".to_owned()
                }
            };
            let try_number = if at == 0 {
                String::new()
            } else {
                format!(", try {}", at + 1)
            };
            lines.push(format!(
                "{}{try_number} ({outcome}):",
                request.asked.words()
            ));
            for party in attempt.parties() {
                lines.push(format!("  {} {}", role(party.role), party.name));
                lines.push(format!("    saw      {}", facts(&party.shown)));
                lines.push(format!("    not      {}", facts(&party.hidden)));
            }
        }
    }
    lines
}

/// The path of the last try, in one line.
#[must_use]
pub fn path_line(shown: &[RequestShown]) -> Option<String> {
    let attempt = shown.last()?.attempts.last()?;
    let names: Vec<_> = attempt
        .parties()
        .iter()
        .map(
            |PartyShown {
                 role: who, name, ..
             }| format!("{} {name}", role(*who)),
        )
        .collect();
    Some(format!("you → {}", names.join(" → ")))
}

const fn role(role: Role) -> &'static str {
    match role {
        Role::Guard => "guard",
        Role::Middle => "middle relay",
        Role::Last => "last relay",
        Role::Server => "file server",
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
        Fact::NextRelay(name) => format!("the next relay {name}"),
        Fact::PreviousRelay(name) => format!("the relay before it {name}"),
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
    }
}
