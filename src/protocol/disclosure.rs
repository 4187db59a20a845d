//! What each party was shown in one transfer, taken from what was really sent.

use super::address::ServerUrl;
use super::path::RelayPath;

/// What one try put on its links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptShown {
    /// When it was sent, unix seconds.
    pub at: u64,
    /// The relays; `None` when it went straight to the server.
    pub path: Option<RelayPath>,
    /// The server it ended at.
    pub server: ServerUrl,
    /// Whether the request names a file: one about the server itself does not.
    pub names_file: bool,
    /// Bytes of the request on each link, the client's first.
    pub sent: Vec<usize>,
    /// Bytes of the answer on each link that could be seen, the client's first.
    pub answered: Vec<usize>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The server answered with this status.
    Answered(u16),
    /// It did not.
    NoAnswer,
}

/// A party of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The first relay.
    Guard,
    /// The relay between the others.
    Middle,
    /// The last relay.
    Last,
    /// The file server.
    Server,
}

/// One thing a party learned, or did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The IP address of whoever uses it.
    ClientAddress,
    /// What the file holds, its name, type and exact size.
    Content,
    /// Which file: its id at the server.
    FileId,
    /// The relay after it.
    NextRelay(String),
    /// The relay before it.
    PreviousRelay(String),
    /// Which server the file is at.
    Server(String),
    /// Bytes of request and answer; the answer's are absent when none came.
    Sizes {
        /// Bytes towards the server.
        request: usize,
        /// Bytes back.
        answer: Option<usize>,
    },
    /// When.
    Time(u64),
}

/// What one party learned from one try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartyShown {
    /// Which party.
    pub role: Role,
    /// Where it listens.
    pub name: String,
    /// What it was shown.
    pub shown: Vec<Fact>,
    /// What it was not shown.
    pub hidden: Vec<Fact>,
}

impl AttemptShown {
    /// Every party in the order of the path. A try that got no answer may have ended before the later ones.
    #[must_use]
    pub fn parties(&self) -> Vec<PartyShown> {
        let mut parties = self.all_facts();
        if !self.names_file {
            for party in &mut parties {
                party.shown.retain(|fact| *fact != Fact::FileId);
                party.hidden.retain(|fact| *fact != Fact::FileId);
            }
        }
        parties
    }

    /// As if the request named a file.
    fn all_facts(&self) -> Vec<PartyShown> {
        let server = server_name(&self.server);
        let Some(path) = &self.path else {
            return vec![PartyShown {
                role: Role::Server,
                name: server,
                shown: vec![
                    Fact::ClientAddress,
                    Fact::FileId,
                    self.sizes(0),
                    Fact::Time(self.at),
                ],
                hidden: vec![Fact::Content],
            }];
        };
        let [guard, middle, last] = path
            .relays()
            .map(|relay| format!("{}:{}", bracketed(relay.host), relay.port));
        vec![
            PartyShown {
                role: Role::Guard,
                name: guard.clone(),
                shown: vec![
                    Fact::ClientAddress,
                    Fact::NextRelay(middle.clone()),
                    self.sizes(0),
                    Fact::Time(self.at),
                ],
                hidden: vec![Fact::Server(server.clone()), Fact::FileId, Fact::Content],
            },
            PartyShown {
                role: Role::Middle,
                name: middle.clone(),
                shown: vec![
                    Fact::PreviousRelay(guard),
                    Fact::NextRelay(last.clone()),
                    self.sizes(1),
                    Fact::Time(self.at),
                ],
                hidden: vec![
                    Fact::ClientAddress,
                    Fact::Server(server.clone()),
                    Fact::FileId,
                    Fact::Content,
                ],
            },
            PartyShown {
                role: Role::Last,
                name: last.clone(),
                shown: vec![
                    Fact::PreviousRelay(middle),
                    Fact::Server(server.clone()),
                    self.sizes(2),
                    Fact::Time(self.at),
                ],
                hidden: vec![Fact::ClientAddress, Fact::FileId, Fact::Content],
            },
            PartyShown {
                role: Role::Server,
                name: server,
                shown: vec![
                    Fact::PreviousRelay(last),
                    Fact::FileId,
                    self.sizes(3),
                    Fact::Time(self.at),
                ],
                hidden: vec![Fact::ClientAddress, Fact::Content],
            },
        ]
    }

    fn sizes(&self, link: usize) -> Fact {
        Fact::Sizes {
            request: self.sent.get(link).copied().unwrap_or(0),
            answer: self.answered.get(link).copied(),
        }
    }
}

fn server_name(url: &ServerUrl) -> String {
    format!("{}:{}", url.host(), url.port())
}

fn bracketed(host: core::net::IpAddr) -> String {
    if host.is_ipv6() {
        format!("[{host}]")
    } else {
        host.to_string()
    }
}

#[cfg(test)]
mod tests {
    use core::net::IpAddr;

    use super::*;
    use crate::protocol::keys::Identity;
    use crate::protocol::relay_list::{RelayDescriptor, Serves};

    fn attempt(relays: bool, names_file: bool) -> AttemptShown {
        let relay = |seed: u8| RelayDescriptor {
            key: Identity::from_seed([seed; 32]).public(),
            host: IpAddr::from([10, 0, seed, 1]),
            port: 22_021,
            operator: String::new(),
            serves: Serves::Any,
        };
        AttemptShown {
            at: 7,
            path: relays.then(|| RelayPath {
                guard: relay(1),
                middle: relay(2),
                last: relay(3),
            }),
            server: "http://files.example".parse().unwrap(),
            names_file,
            sent: vec![2_560, 2_314, 2_068, 1_906],
            answered: vec![1_699],
            outcome: Outcome::NoAnswer,
        }
    }

    fn who(parties: &[PartyShown], fact: &Fact) -> Vec<Role> {
        let saw = parties.iter().filter(|party| party.shown.contains(fact));
        saw.map(|party| party.role).collect()
    }

    #[test]
    fn each_fact_is_shown_to_whom_it_must_be_and_to_nobody_else() {
        let parties = attempt(true, true).parties();
        let server = Fact::Server("files.example:80".to_owned());
        assert_eq!(who(&parties, &Fact::ClientAddress), [Role::Guard]);
        assert_eq!(who(&parties, &server), [Role::Last]);
        assert_eq!(who(&parties, &Fact::FileId), [Role::Server]);
        assert_eq!(who(&parties, &Fact::Content), []);
        assert!(
            parties
                .iter()
                .all(|party| party.hidden.contains(&Fact::Content))
        );
        let middle = Fact::Sizes {
            request: 2_314,
            answer: None,
        };
        assert_eq!(who(&parties, &middle), [Role::Middle]);
    }

    #[test]
    fn a_request_that_names_no_file_shows_none_and_hides_none() {
        for relays in [true, false] {
            for party in attempt(relays, false).parties() {
                assert!(!party.shown.contains(&Fact::FileId), "{party:?}");
                assert!(!party.hidden.contains(&Fact::FileId), "{party:?}");
            }
        }
    }

    #[test]
    fn without_relays_the_server_sees_the_client() {
        let parties = attempt(false, true).parties();
        assert_eq!(who(&parties, &Fact::ClientAddress), [Role::Server]);
    }
}
