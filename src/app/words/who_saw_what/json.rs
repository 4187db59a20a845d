//! Who saw what as JSON, for programs. Its words are the same in every language and every version; the README lists them.

use serde_json::{Map, Value, json};

use super::{Asked, WhoSawWhat};
use crate::protocol::disclosure::{
    AttemptShown, Fact, Note, PartyShown, PartyTotal, Role, Saw, ShownOutcome,
};
use crate::protocol::exchange::Failure;
use crate::protocol::path::Relaxed;

/// Every try of every request, with its parties: of more than [`WhoSawWhat::MOST_KEPT`] the first ones.
#[must_use]
pub fn to_json(shown: &WhoSawWhat) -> Value {
    let tries = shown.requests().iter().flat_map(|request| {
        let attempts = request.attempts.iter().zip(1..);
        attempts.map(|(attempt, number)| try_to_json(request.asked, number, attempt))
    });
    tries.collect()
}

/// What each party was shown in all tries together.
#[must_use]
pub fn totals_to_json(shown: &WhoSawWhat) -> Value {
    json!({
        "tries": shown.tries(),
        "parties": shown.totals().parties().iter().map(party_total).collect::<Value>(),
    })
}

fn party_total(party: &PartyTotal) -> Value {
    json!({
        "roles": party.roles.iter().map(role_word).collect::<Value>(),
        "name": party.name,
        "tries": party.tries,
        "saw": saw_word(&party.saw),
        "request_bytes": party.sent_bytes,
        "answer_bytes": party.answered_bytes,
        "shown": party.shown.iter().map(fact).collect::<Value>(),
    })
}

fn try_to_json(asked: Asked, number: usize, attempt: &AttemptShown) -> Value {
    json!({
        "asked": asked_word(&asked),
        "try": number,
        "at": attempt.at,
        "outcome": outcome(&attempt.outcome),
        "notes": attempt.notes().iter().map(note).collect::<Value>(),
        "parties": attempt.parties().iter().map(party).collect::<Value>(),
    })
}

fn party(party: &PartyShown) -> Value {
    json!({
        "role": role_word(&party.role),
        "name": party.name,
        "saw": saw_word(&party.saw),
        "shown": party.shown.iter().map(fact).collect::<Value>(),
        "hidden": party.hidden.iter().map(fact).collect::<Value>(),
    })
}

/// An object whose member `kind` is this word, with the members of `details` after it.
fn of_kind(word: &str, details: Value) -> Value {
    let mut object = Map::new();
    object.insert("kind".to_owned(), word.into());
    if let Value::Object(details) = details {
        object.extend(details);
    }
    object.into()
}

fn outcome(outcome: &ShownOutcome) -> Value {
    let details = match outcome {
        ShownOutcome::Answered(status) => json!({ "status": status }),
        ShownOutcome::Failed(failure) => json!({ "failure": self::failure(failure) }),
        ShownOutcome::NoList | ShownOutcome::NoProxy | ShownOutcome::Sent => Value::Null,
    };
    of_kind(outcome_word(outcome), details)
}

fn failure(failure: &Failure) -> Value {
    let details = match failure {
        Failure::Plain(status) | Failure::ServerBusy(status) | Failure::ServerPlain(status) => {
            json!({ "status": status })
        }
        Failure::Relay { hop, status } => json!({ "hop": hop, "status": status }),
        Failure::RelayUnreachable(relay) => json!({ "relay": relay.to_hex() }),
        Failure::Tampered(layer) => json!({ "layer": layer }),
        Failure::Blocked
        | Failure::Broken
        | Failure::Build(_)
        | Failure::FirstUnreachable
        | Failure::Malformed
        | Failure::NoPath(_)
        | Failure::ServerNotServed
        | Failure::ServerUnreachable
        | Failure::ServerWrongKey
        | Failure::TimedOut => Value::Null,
    };
    of_kind(failure_word(failure), details)
}

fn note(note: &Note) -> Value {
    let details = match note {
        Note::Relaxed(rule) => json!({ "rule": rule_word(rule) }),
        Note::Direct | Note::DirectByProxy | Note::SameBytesBack | Note::Straight => Value::Null,
    };
    of_kind(note_word(note), details)
}

fn fact(fact: &Fact) -> Value {
    let details = match fact {
        Fact::Host(address)
        | Fact::NextRelay(address)
        | Fact::PreviousRelay(address)
        | Fact::Server(address) => json!({ "address": address }),
        Fact::Sizes { request, answer } => {
            json!({ "request_bytes": request, "answer_bytes": answer })
        }
        Fact::Time(at) => json!({ "at": at }),
        Fact::ClientAddress
        | Fact::Content
        | Fact::FileId
        | Fact::ProxyAddress
        | Fact::RelayList
        | Fact::Transfer => Value::Null,
    };
    of_kind(fact_word(fact), details)
}

/// Makes a function that gives each variant of an enum its word, and for tests the list of these words. A variant that
/// is missing here does not compile.
macro_rules! words {
    ($word_of:ident, $all:ident: $enum:ident { $($variant:ident => $word:literal,)+ }) => {
        const fn $word_of(value: &$enum) -> &'static str {
            match value {
                $($enum::$variant { .. } => $word,)+
            }
        }

        #[cfg(test)]
        const $all: &[&str] = &[$($word),+];
    };
}

words! {
    asked_word, ASKED_WORDS: Asked {
        Delete => "delete",
        Download => "download",
        Extend => "extend",
        FileInfo => "file-info",
        ListHost => "relay-list-from-host",
        Receipt => "receipt",
        RelayList => "relay-list",
        ServerInfo => "server-info",
        SessionNodes => "session-nodes",
        Status => "status",
        Upload => "upload",
    }
}

words! {
    outcome_word, OUTCOME_WORDS: ShownOutcome {
        Answered => "answered",
        Failed => "failed",
        NoList => "no-list",
        NoProxy => "no-proxy",
        Sent => "cancelled",
    }
}

words! {
    failure_word, FAILURE_WORDS: Failure {
        Blocked => "blocked",
        Broken => "broken",
        Build => "not-built",
        FirstUnreachable => "first-unreachable",
        Malformed => "malformed-answer",
        NoPath => "no-path",
        Plain => "plain-answer",
        Relay => "relay-failed",
        RelayUnreachable => "relay-unreachable",
        ServerBusy => "server-busy",
        ServerNotServed => "server-not-served",
        ServerPlain => "server-plain-answer",
        ServerUnreachable => "server-unreachable",
        ServerWrongKey => "server-wrong-key",
        Tampered => "tampered-answer",
        TimedOut => "timed-out",
    }
}

words! {
    note_word, NOTE_WORDS: Note {
        Direct => "direct",
        DirectByProxy => "direct-by-proxy",
        Relaxed => "relaxed",
        SameBytesBack => "same-bytes-back",
        Straight => "outside-any-path",
    }
}

words! {
    rule_word, RULE_WORDS: Relaxed {
        GuardIsLast => "guard-is-last",
        GuardIsMiddle => "guard-is-middle",
        GuardIsNew => "guard-is-new",
        GuardReturned => "guard-returned",
        GuardStoodElsewhere => "guard-stood-elsewhere",
        KeptBack => "kept-back",
        SameNetwork => "same-network",
        SameOperator => "same-operator",
        SetAside => "set-aside",
    }
}

words! {
    role_word, ROLE_WORDS: Role {
        Guard => "guard",
        Last => "last",
        ListHost => "list-host",
        Middle => "middle",
        Proxy => "proxy",
        Seed => "seed",
        Server => "server",
    }
}

words! {
    saw_word, SAW_WORDS: Saw {
        Certainly => "certainly",
        Nothing => "nothing",
        Perhaps => "perhaps",
    }
}

words! {
    fact_word, FACT_WORDS: Fact {
        ClientAddress => "client-address",
        Content => "content",
        FileId => "file-id",
        Host => "host",
        NextRelay => "next-relay",
        PreviousRelay => "previous-relay",
        ProxyAddress => "proxy-address",
        RelayList => "relay-list",
        Server => "server",
        Sizes => "sizes",
        Time => "time",
        Transfer => "transfer",
    }
}

#[cfg(test)]
mod tests {
    use super::super::RequestShown;
    use super::*;
    use crate::app::words::l10n::{Language, in_language};
    use crate::protocol::disclosure::End;

    /// The words of each row of the README's table, by its first column.
    fn readme_words(row: &str) -> Vec<&'static str> {
        let readme = include_str!("../../../../README.md");
        let line = readme
            .lines()
            .find(|line| line.starts_with(&format!("| {row} |")))
            .unwrap_or_else(|| panic!("the README has no row {row}"));
        let words = line.rsplit('|').nth(1).unwrap_or_default();
        // What stands in brackets behind a word are the members beside it.
        words
            .split(", ")
            .filter_map(|word| word.split('`').nth(1))
            .collect()
    }

    #[test]
    fn the_readme_lists_every_word() {
        for (row, words) in [
            ("`asked`", ASKED_WORDS),
            ("`outcome`", OUTCOME_WORDS),
            ("`failure` of an outcome", FAILURE_WORDS),
            ("`notes`", NOTE_WORDS),
            ("`rule` of a note", RULE_WORDS),
            ("`role` of a party", ROLE_WORDS),
            ("`saw` of a party", SAW_WORDS),
            ("`shown`, `hidden` of a party", FACT_WORDS),
        ] {
            assert_eq!(readme_words(row), words, "{row}");
        }
    }

    fn attempt(outcome: ShownOutcome) -> AttemptShown {
        AttemptShown {
            at: 1_800_000_000,
            path: None,
            proxy: Some("127.0.0.1:9050".to_owned()),
            end: End::Server,
            relaxed: vec![Relaxed::SameNetwork],
            same_bytes_back: false,
            server: "http://files.example".parse().unwrap(),
            names_file: true,
            sent: vec![2_560],
            answered: vec![700],
            outcome,
        }
    }

    #[test]
    fn a_request_is_the_same_object_in_every_language() {
        let shown = WhoSawWhat::from_iter([RequestShown {
            asked: Asked::Status,
            attempts: vec![
                attempt(ShownOutcome::Failed(Failure::Relay {
                    hop: 1,
                    status: 502,
                })),
                attempt(ShownOutcome::Answered(200)),
            ],
        }]);
        let expected = json!({
            "asked": "status",
            "try": 2,
            "at": 1_800_000_000,
            "outcome": { "kind": "answered", "status": 200 },
            "notes": [
                { "kind": "relaxed", "rule": "same-network" },
                { "kind": "direct-by-proxy" },
            ],
            "parties": [
                {
                    "role": "proxy",
                    "name": "127.0.0.1:9050",
                    "saw": "certainly",
                    "shown": [
                        { "kind": "client-address" },
                        { "kind": "server", "address": "files.example" },
                        { "kind": "sizes", "request_bytes": 2_560, "answer_bytes": 700 },
                        { "kind": "time", "at": 1_800_000_000 },
                    ],
                    "hidden": [{ "kind": "file-id" }, { "kind": "content" }],
                },
                {
                    "role": "server",
                    "name": "files.example",
                    "saw": "certainly",
                    "shown": [
                        { "kind": "proxy-address" },
                        { "kind": "file-id" },
                        { "kind": "sizes", "request_bytes": 2_560, "answer_bytes": 700 },
                        { "kind": "time", "at": 1_800_000_000 },
                    ],
                    "hidden": [{ "kind": "client-address" }, { "kind": "content" }],
                },
            ],
        });
        let failed = json!({
            "kind": "failed",
            "failure": { "kind": "relay-failed", "hop": 1, "status": 502 },
        });
        for language in Language::OFFERED {
            let tries = in_language(language, || to_json(&shown));
            assert_eq!(tries[0]["outcome"], failed);
            assert_eq!(tries[1], expected);
        }
        let together = json!({
            "tries": 2,
            "parties": [
                {
                    "roles": ["proxy"],
                    "name": "127.0.0.1:9050",
                    "tries": 2,
                    "saw": "certainly",
                    "request_bytes": 5_120,
                    "answer_bytes": 1_400,
                    "shown": [
                        { "kind": "client-address" },
                        { "kind": "server", "address": "files.example" },
                    ],
                },
                {
                    "roles": ["server"],
                    "name": "files.example",
                    "tries": 2,
                    "saw": "certainly",
                    "request_bytes": 5_120,
                    "answer_bytes": 1_400,
                    "shown": [{ "kind": "proxy-address" }, { "kind": "file-id" }],
                },
            ],
        });
        assert_eq!(totals_to_json(&shown), together);
    }
}
