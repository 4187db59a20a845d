//! What an operator decides about the relay: the settings, their defaults, and which of them contradict each other.
//!
//! Where settings come from (flags, variables, a file) is for the command line to say. The file of the key is named here
//! and read elsewhere.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    num::NonZeroU16,
    path::PathBuf,
};

use tracing::level_filters::LevelFilter;
use zeroize::Zeroizing;

use crate::{
    protocol::relay_list::Serves,
    wire::{admission::Rules, holder::IpNetwork},
};
/// The settings of a relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelaySettings {
    /// Where it listens; port 0 lets the system pick one.
    pub listen: SocketAddr,
    /// The file of its identity.
    pub key_path: PathBuf,
    /// The file with the list of relays that it forwards to.
    pub relay_list: Option<PathBuf>,
    /// The invitation by which it joins a network, which then gives it its list.
    pub join: Option<JoinSource>,
    /// For which hosts it is the last relay; when the operator does not say it, for the server of its network, or none.
    pub serves: Option<Serves>,
    /// Whether it is also the last relay for servers on its own machine, and for the server of its network at a private
    /// address.
    pub allow_private: bool,
    /// The address that others reach it at, when that is not where it listens.
    pub public_host: Option<IpAddr>,
    /// The port that others reach it at, when that is not where it listens.
    pub public_port: Option<NonZeroU16>,
    /// Name of the operator; empty means unnamed. No path has two relays of one name.
    pub operator: String,
    /// The most memory that bodies may take at once, in bytes.
    pub max_memory: u64,
    /// Connections served at once.
    pub max_connections: usize,
    /// Proxies before it, whose `X-Forwarded-For` names the client.
    pub trusted_proxies: Vec<IpNetwork>,
    /// How much is logged; warnings when it is not set.
    pub log: Option<LevelFilter>,
}

impl Default for RelaySettings {
    fn default() -> Self {
        let rules = Rules::default();
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8790)),
            key_path: PathBuf::from("relay.key"),
            relay_list: None,
            join: None,
            serves: None,
            allow_private: false,
            public_host: None,
            public_port: None,
            operator: String::new(),
            max_memory: rules.max_memory,
            max_connections: rules.max_connections,
            trusted_proxies: rules.trusted_proxies,
            log: None,
        }
    }
}

/// Where a relay has the invitation from by which it joins a network.
#[derive(Clone, PartialEq, Eq)]
pub enum JoinSource {
    /// A file that holds it.
    File(PathBuf),
    /// What an earlier start kept beside the key.
    Kept,
    /// Standard input.
    Stdin,
    /// The invitation itself, a secret.
    Word(Zeroizing<String>),
}

impl fmt::Debug for JoinSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Kept => f.write_str("Kept"),
            Self::Stdin => f.write_str("Stdin"),
            Self::Word(_) => f.write_str("Word(…)"),
        }
    }
}

impl RelaySettings {
    /// The file that keeps the relay's place in its network: `relay.join` beside a key `relay.key`.
    #[must_use]
    pub(crate) fn join_file(&self) -> PathBuf {
        self.key_path.with_extension("join")
    }

    /// The same settings, that go on with the network that an earlier start joined, unless they name an invitation or a list.
    #[must_use]
    pub(crate) fn with_kept_network(mut self) -> Self {
        if self.join.is_none() && self.relay_list.is_none() && self.join_file().exists() {
            self.join = Some(JoinSource::Kept);
        }
        self
    }

    /// Rejects combinations of settings that contradict each other; the error is a sentence that names them.
    ///
    /// # Errors
    /// The first of them.
    pub fn validate(&self) -> Result<(), &'static str> {
        if self.join.is_some() && self.relay_list.is_some() {
            return Err(
                "give join (--join), and the network gives the relay its list, or relays (--relays), not both",
            );
        }
        // A network says to its relays from where it sees them.
        if self.listen.ip().is_unspecified() && self.public_host.is_none() && self.join.is_none() {
            return Err(
                "a relay that listens on every address needs public_host (--public-host), the one that others reach it at",
            );
        }
        if self.public_host.is_some_and(|host| host.is_unspecified()) {
            return Err("public_host must be one address, not all of them");
        }
        if self.max_memory < MIN_MEMORY {
            return Err("max_memory must be 32 MiB or more, or no large file could pass");
        }
        if self.max_connections == 0 {
            return Err("max_connections must be 1 or more");
        }
        Ok(())
    }
}

/// Two messages of the largest size, and 8 MiB for small ones.
const MIN_MEMORY: u64 = 32 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    type Change = fn(&mut RelaySettings);

    #[test]
    fn settings_that_contradict_each_other_are_named() {
        assert_eq!(RelaySettings::default().validate(), Ok(()));
        let changes: [(Change, &str); 5] = [
            (
                |it| {
                    it.join = Some(JoinSource::Stdin);
                    it.relay_list = Some(PathBuf::from("relays.json"));
                },
                "not both",
            ),
            (
                |it| it.listen = ([0, 0, 0, 0], 8790).into(),
                "--public-host",
            ),
            (
                |it| it.public_host = Some(IpAddr::from([0; 16])),
                "one address",
            ),
            (|it| it.max_memory = 1 << 20, "32 MiB"),
            (|it| it.max_connections = 0, "max_connections"),
        ];
        for (change, words) in changes {
            let mut settings = RelaySettings::default();
            change(&mut settings);
            let reason = settings.validate().unwrap_err();
            assert!(reason.contains(words), "{reason}");
        }
    }
}
