//! What each party was shown in one transfer, taken from what was really sent.

#[cfg(test)]
mod tests;

use super::address::ServerUrl;
use super::exchange::failure::Failure;
use super::path::{Relaxed, RelayPath};

/// Facts that one try put on its links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptShown {
    /// When the request was sent, in unix seconds.
    pub at: u64,
    /// The relays of the path; `None` when the request went straight to its end.
    pub path: Option<RelayPath>,
    /// The person's proxy, `host:port`, when the request went out through one.
    pub proxy: Option<String>,
    /// The party at which the request ended.
    pub end: End,
    /// Rules that the path does not follow, because the list was too small for them.
    pub relaxed: Vec<Relaxed>,
    /// Whether the answer had the same bytes on every link, as with relays that do not seal what they send back.
    pub same_bytes_back: bool,
    /// URL of the party at which the request ended.
    pub server: ServerUrl,
    /// Whether the request names a file: one about the server itself does not.
    pub names_file: bool,
    /// Bytes of the request on each link, the client's first.
    pub sent: Vec<usize>,
    /// Bytes of the answer on each link that could be seen, the client's first.
    pub answered: Vec<usize>,
    /// What came of it.
    pub outcome: ShownOutcome,
}

/// What a try ended at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum End {
    /// The host of a relay list.
    ListHost,
    /// A seed of Session's network.
    Seed,
    /// A file server.
    #[default]
    Server,
}

/// What came of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShownOutcome {
    /// The server answered with this status.
    Answered(u16),
    /// It did not.
    Failed(Failure),
    /// No relay list came of it.
    NoList,
    /// The person's proxy could not be used: it went nowhere else.
    NoProxy,
    /// The person cancelled before anything came of it.
    Sent,
}

/// Something about a try that the person should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// It went straight to the server.
    Direct,
    /// It went to the server through the person's proxy, and no relay.
    DirectByProxy,
    /// It went to a list's host or a seed, which is no part of any path.
    Straight,
    /// The path does not follow this rule.
    Relaxed(Relaxed),
    /// The answer looked the same on every link.
    SameBytesBack,
}

/// Whether a party saw what it would be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Saw {
    /// The try ended before it.
    Nothing,
    /// The try may have ended before it.
    Perhaps,
    /// It did.
    Certainly,
}

/// A party of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The person's proxy, before everything.
    Proxy,
    /// The first relay.
    Guard,
    /// The relay between the others.
    Middle,
    /// The last relay.
    Last,
    /// The file server.
    Server,
    /// The host of a relay list.
    ListHost,
    /// A seed of Session's network.
    Seed,
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
    /// Whom the proxy connects to, when that is no relay and no file server.
    Host(String),
    /// The relay after it.
    NextRelay(String),
    /// The relay before it.
    PreviousRelay(String),
    /// The address that the person's proxy goes out with.
    ProxyAddress,
    /// Which relay list this person uses.
    RelayList,
    /// Which server the file is at.
    Server(String),
    /// Bytes of request and answer; the answer's are absent when none came.
    Sizes {
        /// Bytes towards the server.
        request: usize,
        /// Bytes back.
        answer: Option<usize>,
    },
    /// A moment, in unix seconds.
    Time(u64),
    /// What is transferred, and with which server.
    Transfer,
}

/// What one party learned from one try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartyShown {
    /// Which party.
    pub role: Role,
    /// Address at which the party listens.
    pub name: String,
    /// Whether the try came as far as this party.
    pub saw: Saw,
    /// Facts that the party was shown, if the try reached it.
    pub shown: Vec<Fact>,
    /// Facts that the party was not shown.
    pub hidden: Vec<Fact>,
}

impl AttemptShown {
    /// Every party in the order of the path.
    #[must_use]
    pub fn parties(&self) -> Vec<PartyShown> {
        let mut parties = self.all_facts();
        for (at, party) in parties.iter_mut().enumerate() {
            party.saw = self.saw(at);
        }
        if let Some(proxy) = &self.proxy {
            self.put_before(&mut parties, proxy);
        }
        if !self.names_file {
            for party in &mut parties {
                party.shown.retain(|fact| *fact != Fact::FileId);
                party.hidden.retain(|fact| *fact != Fact::FileId);
            }
        }
        parties
    }

    /// What the person should know of this try besides.
    #[must_use]
    pub(crate) fn notes(&self) -> Vec<Note> {
        let mut notes: Vec<_> = self.relaxed.iter().copied().map(Note::Relaxed).collect();
        if self.same_bytes_back {
            notes.push(Note::SameBytesBack);
        }
        match (&self.path, self.end, &self.proxy) {
            (Some(_), ..) => {}
            (None, End::ListHost | End::Seed, _) => notes.push(Note::Straight),
            (None, End::Server, None) => notes.push(Note::Direct),
            (None, End::Server, Some(_)) => notes.push(Note::DirectByProxy),
        }
        notes
    }

    /// Puts the person's proxy before the others: it sees the address that the first of them would have seen, and
    /// whom it connects to.
    fn put_before(&self, parties: &mut Vec<PartyShown>, proxy: &str) {
        let Some(first) = parties.first_mut() else {
            return;
        };
        // Whoever comes first on the path is met by the proxy in place of the client.
        for fact in &mut first.shown {
            if *fact == Fact::ClientAddress {
                *fact = Fact::ProxyAddress;
            }
        }
        first.hidden.insert(0, Fact::ClientAddress);
        let mut shown = vec![Fact::ClientAddress];
        let mut hidden = Vec::new();
        // A guard hides from the proxy where the request ends; without relays the proxy itself connects there.
        match (first.role, self.end) {
            (Role::Guard, _) => {
                shown.push(Fact::NextRelay(first.name.clone()));
                hidden.push(Fact::Server(self.server.authority().to_owned()));
                hidden.push(Fact::FileId);
            }
            (_, End::Server) => {
                shown.push(Fact::Server(first.name.clone()));
                hidden.push(Fact::FileId);
            }
            (_, End::ListHost | End::Seed) => {
                shown.push(Fact::Host(first.name.clone()));
                hidden.push(Fact::Transfer);
            }
        }
        shown.extend(
            first
                .shown
                .iter()
                .filter(|fact| matches!(fact, Fact::Sizes { .. }))
                .cloned(),
        );
        shown.push(Fact::Time(self.at));
        hidden.push(Fact::Content);
        let saw = match self.outcome {
            ShownOutcome::NoList | ShownOutcome::NoProxy | ShownOutcome::Sent => Saw::Perhaps,
            ShownOutcome::Answered(_) | ShownOutcome::Failed(_) => Saw::Certainly,
        };
        parties.insert(
            0,
            PartyShown {
                role: Role::Proxy,
                name: proxy.to_owned(),
                saw,
                shown,
                hidden,
            },
        );
    }

    /// Whether the party at this place of the path, the first one after any proxy being 0, saw the try.
    fn saw(&self, at: usize) -> Saw {
        // So many parties certainly saw it, and the later ones perhaps.
        let certain = match &self.outcome {
            ShownOutcome::Answered(_) => return Saw::Certainly,
            ShownOutcome::NoList | ShownOutcome::Sent => 0,
            ShownOutcome::NoProxy => return Saw::Nothing,
            ShownOutcome::Failed(failure) => match failure {
                Failure::FirstUnreachable if at == 0 => return Saw::Perhaps,
                Failure::FirstUnreachable => return Saw::Nothing,
                Failure::Malformed => return Saw::Certainly,
                Failure::Relay { hop, .. } => hop + 1,
                Failure::RelayUnreachable(key) => self
                    .path
                    .iter()
                    .flat_map(RelayPath::relays)
                    .position(|relay| relay.key == *key)
                    .unwrap_or(1),
                Failure::ServerNotServed | Failure::ServerUnreachable => 3,
                _ => 1,
            },
        };
        if at < certain {
            Saw::Certainly
        } else {
            Saw::Perhaps
        }
    }

    /// Facts of every party, as if the request named a file and reached all of them.
    fn all_facts(&self) -> Vec<PartyShown> {
        let server = self.server.authority().to_owned();
        // A list comes from one party, and the request for it says nothing of a transfer.
        if let role @ (Role::ListHost | Role::Seed) = self.end.role() {
            return vec![PartyShown {
                role,
                name: server,
                saw: Saw::Certainly,
                shown: vec![Fact::ClientAddress, Fact::RelayList, Fact::Time(self.at)],
                hidden: vec![Fact::Transfer, Fact::Content],
            }];
        }
        let Some(path) = &self.path else {
            return vec![PartyShown {
                role: Role::Server,
                name: server,
                saw: Saw::Certainly,
                shown: vec![
                    Fact::ClientAddress,
                    Fact::FileId,
                    self.sizes(0),
                    Fact::Time(self.at),
                ],
                hidden: vec![Fact::Content],
            }];
        };
        // Only the guard meets the client, and only the last relay and the server know where the request ends: nobody
        // knows both ends.
        let [guard, middle, last] = path
            .relays()
            .map(|relay| format!("{}:{}", bracketed(relay.host), relay.port));
        vec![
            PartyShown {
                role: Role::Guard,
                name: guard.clone(),
                saw: Saw::Certainly,
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
                saw: Saw::Certainly,
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
                saw: Saw::Certainly,
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
                saw: Saw::Certainly,
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

impl End {
    const fn role(self) -> Role {
        match self {
            Self::ListHost => Role::ListHost,
            Self::Seed => Role::Seed,
            Self::Server => Role::Server,
        }
    }
}

/// What one party learned in several tries together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartyTotal {
    /// Address at which the party listens.
    pub name: String,
    /// Places where the party stood, each once.
    pub roles: Vec<Role>,
    /// Number of tries in which the party stood on the path.
    pub tries: usize,
    /// The surest sign, over all tries, that the request reached the party.
    pub saw: Saw,
    /// Bytes towards the server that the party was shown.
    pub sent_bytes: u64,
    /// Bytes back that the party was shown.
    pub answered_bytes: u64,
    /// Facts that the party was shown, each once, without sizes and times, and without the relays beside it: over
    /// hundreds of paths these are most of the network.
    pub shown: Vec<Fact>,
}

/// What every party learned in some tries together, in the order in which the parties appear. Takes as much memory as there
/// are parties, however many tries there were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShownTotals {
    parties: Vec<PartyTotal>,
    tries: usize,
}

/// What a party could bring together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// The client's address with the server.
    Both,
    /// The client's address, and no server.
    Address,
    /// The client's address with a relay list, and no transfer.
    AddressAndList,
    /// A relay list, and nothing else.
    List,
    /// Neither address nor server.
    Neither,
    /// The server, and no address.
    Server,
}

impl PartyTotal {
    /// Returns which facts the party could bring together.
    #[must_use]
    pub(crate) fn links(&self) -> Links {
        let address = self.shown.contains(&Fact::ClientAddress);
        let server = self.roles.contains(&Role::Server)
            || self
                .shown
                .iter()
                .any(|fact| matches!(fact, Fact::Server(_)));
        let list = self.shown.contains(&Fact::RelayList);
        match (address, server, list) {
            (true, true, _) => Links::Both,
            (true, false, true) => Links::AddressAndList,
            (true, false, false) => Links::Address,
            (false, true, _) => Links::Server,
            (false, false, true) => Links::List,
            (false, false, false) => Links::Neither,
        }
    }

    /// Whether it was shown both who and where: the client's address and the server.
    #[must_use]
    pub(crate) fn links_both_ends(&self) -> bool {
        self.links() == Links::Both
    }

    /// Adds what one more try showed.
    fn add(&mut self, party: PartyShown) {
        let (mut sent_bytes, mut answered_bytes) = (0, 0);
        let mut shown = Vec::with_capacity(party.shown.len());
        for fact in party.shown {
            match fact {
                Fact::Sizes { request, answer } => {
                    sent_bytes = request as u64;
                    answered_bytes = answer.unwrap_or(0) as u64;
                }
                Fact::NextRelay(_) | Fact::PreviousRelay(_) | Fact::Time(_) => {}
                fact => shown.push(fact),
            }
        }
        self.append(Self {
            name: party.name,
            roles: vec![party.role],
            tries: 1,
            saw: party.saw,
            sent_bytes,
            answered_bytes,
            shown,
        });
    }

    /// Adds what the same party was shown in other tries.
    fn append(&mut self, other: Self) {
        self.tries += other.tries;
        self.saw = self.saw.max(other.saw);
        self.sent_bytes = self.sent_bytes.saturating_add(other.sent_bytes);
        self.answered_bytes = self.answered_bytes.saturating_add(other.answered_bytes);
        for role in other.roles {
            if !self.roles.contains(&role) {
                self.roles.push(role);
            }
        }
        for fact in other.shown {
            if !self.shown.contains(&fact) {
                self.shown.push(fact);
            }
        }
    }
}

impl ShownTotals {
    /// Number of tries.
    #[must_use]
    pub const fn tries(&self) -> usize {
        self.tries
    }

    /// Every party that a try may have reached.
    #[must_use]
    pub fn parties(&self) -> &[PartyTotal] {
        &self.parties
    }

    /// Adds what one more try showed.
    pub(crate) fn add(&mut self, attempt: &AttemptShown) {
        self.tries += 1;
        for party in attempt.parties() {
            if party.saw != Saw::Nothing {
                let name = party.name.clone();
                self.change(&name, |total| total.add(party));
            }
        }
    }

    /// Adds all tries of `other`, as if they came after these.
    pub(crate) fn append(&mut self, other: Self) {
        self.tries += other.tries;
        for party in other.parties {
            let name = party.name.clone();
            self.change(&name, |total| total.append(party));
        }
    }

    /// Changes the sums of the party of this name, which are empty where it was shown nothing before.
    fn change(&mut self, name: &str, change: impl FnOnce(&mut PartyTotal)) {
        if let Some(known) = self.parties.iter_mut().find(|party| party.name == name) {
            return change(known);
        }
        let mut new = PartyTotal {
            name: name.to_owned(),
            roles: Vec::new(),
            tries: 0,
            saw: Saw::Nothing,
            sent_bytes: 0,
            answered_bytes: 0,
            shown: Vec::new(),
        };
        change(&mut new);
        self.parties.push(new);
    }
}

impl<'a> FromIterator<&'a AttemptShown> for ShownTotals {
    fn from_iter<I: IntoIterator<Item = &'a AttemptShown>>(attempts: I) -> Self {
        let mut totals = Self::default();
        for attempt in attempts {
            totals.add(attempt);
        }
        totals
    }
}

fn bracketed(host: core::net::IpAddr) -> String {
    if host.is_ipv6() {
        format!("[{host}]")
    } else {
        host.to_string()
    }
}
