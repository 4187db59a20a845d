//! What an operator decides about the file server: the settings, their defaults, and which of them contradict each other.
//!
//! Where settings come from (flags, variables, a file) is for the command line to say. Files of keys are named here and
//! read elsewhere.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use tracing::level_filters::LevelFilter;

use super::files::Policy;
use super::store::location::StoreLocation;
use crate::{
    protocol::{
        address::ServerUrl,
        capability::{AccessWord, work::WorkBase},
        keys::Ed25519Public,
        network::JoinRule,
    },
    wire::{admission::Rules, holder::IpNetwork},
};
/// The settings of a file server.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// Where it listens; port 0 lets the system pick one.
    pub listen: SocketAddr,
    /// Where it stores; a folder is made if missing.
    pub store: StoreLocation,
    /// The file of its identity; without one see [`Self::key_file`].
    pub key_path: Option<PathBuf>,
    /// The files of identities that it had before.
    pub previous_key_paths: Vec<PathBuf>,
    /// The URL under which last relays reach it, when that is not where it listens.
    pub public_url: Option<ServerUrl>,
    /// Whether the file routes are also served outside onion requests.
    pub plain_http: bool,
    /// What uploads may be.
    pub policy: Policy,
    /// The most the store may hold, in bytes.
    pub max_total: u64,
    /// The most memory that bodies may take at once, in bytes.
    pub max_memory: u64,
    /// The word that uploads must have, when they must.
    pub access_word: Option<AccessWord>,
    /// The work that uploads must have done, when they must; such uploads must name an owner.
    pub work: Option<WorkBase>,
    /// A signed relay list to hand on, its `.sig` beside it; read again when it changes.
    pub relay_list: Option<PathBuf>,
    /// Who signs that list, when it is the one of the network.
    pub list_key: Option<Ed25519Public>,
    /// The name of the network that the server keeps: it lets relays join and signs their list.
    pub network: Option<String>,
    /// Whether a relay that joins the network is listed at once.
    pub joining: JoinRule,
    /// Whether relays with addresses that are not on the public internet may join the network.
    pub allow_private: bool,
    /// Connections served at once.
    pub max_connections: usize,
    /// Proxies before it, whose `X-Forwarded-For` names the client.
    pub trusted_proxies: Vec<IpNetwork>,
    /// How long one question to the store may take.
    pub store_timeout: Duration,
    /// How long a stop waits for what runs.
    pub stop_timeout: Duration,
    /// How often expired blobs are removed.
    pub sweep_every: Duration,
    /// Where Prometheus finds the hourly totals; on loopback.
    pub metrics: Option<SocketAddr>,
    /// How much is logged; warnings when it is not set.
    pub log: Option<LevelFilter>,
}

impl Default for ServerSettings {
    fn default() -> Self {
        let rules = Rules::default();
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8787)),
            store: StoreLocation::Folder(PathBuf::from("cloakroom-data")),
            key_path: None,
            previous_key_paths: Vec::new(),
            public_url: None,
            plain_http: false,
            policy: Policy::default(),
            max_total: 10 << 30,
            max_memory: rules.max_memory,
            max_connections: rules.max_connections,
            trusted_proxies: rules.trusted_proxies,
            access_word: None,
            work: None,
            relay_list: None,
            list_key: None,
            network: None,
            joining: JoinRule::default(),
            allow_private: false,
            store_timeout: Duration::from_secs(30),
            stop_timeout: Duration::from_secs(30),
            sweep_every: Duration::from_secs(10 * 60),
            metrics: None,
            log: None,
        }
    }
}

impl ServerSettings {
    /// The file of the identity: the one that was named, else `server.key` in the folder of the store.
    #[must_use]
    pub(crate) fn key_file(&self) -> Option<PathBuf> {
        self.key_path
            .clone()
            .or_else(|| self.store.folder().map(|folder| folder.join("server.key")))
    }

    /// The file of the key that signs the network's list: `list.key` beside the identity.
    #[must_use]
    pub(crate) fn list_key_file(&self) -> Option<PathBuf> {
        self.key_file()
            .map(|identity| identity.with_file_name("list.key"))
    }

    /// Where the relays of a network are that was kept in a folder before it moved to a bucket: `network.json` beside the
    /// identity.
    #[must_use]
    pub(crate) fn moved_register(&self) -> PathBuf {
        let identity = self.key_file().unwrap_or_default();
        identity.with_file_name("network.json")
    }

    /// The folder of the control socket, by which the operator's commands reach the running server: the one of the store. A
    /// server that keeps a network in a bucket has it in the folder of its identity.
    #[must_use]
    pub(crate) fn control_folder(&self) -> Option<PathBuf> {
        if let Some(folder) = self.store.folder() {
            return Some(folder.to_owned());
        }
        self.network.as_ref()?;
        let key = self.key_file()?;
        let folder = key.parent().filter(|folder| !folder.as_os_str().is_empty());
        Some(folder.unwrap_or_else(|| Path::new(".")).to_owned())
    }

    /// Whether it takes uploads from everybody who reaches it, and more than this computer can.
    #[must_use]
    pub(crate) fn is_open_to_all(&self, listens_on: SocketAddr) -> bool {
        let reached = !listens_on.ip().is_loopback()
            || self
                .public_url
                .as_ref()
                .is_some_and(|url| !url.is_loopback());
        reached && self.access_word.is_none() && self.work.is_none()
    }

    /// Rejects combinations of settings that contradict each other; the error is a sentence that names them.
    ///
    /// # Errors
    /// The first of them.
    pub fn validate(&self) -> Result<(), &'static str> {
        if self.listen.ip().is_unspecified() && self.public_url.is_none() {
            return Err(
                "a server that listens on every address needs public_url (--public-url), the one that last relays reach it at",
            );
        }
        if self.key_file().is_none() {
            return Err(
                "a bucket has no place for the identity: name a file for it with key (--key)",
            );
        }
        if let Some(name) = &self.network {
            if !(1..=MAX_NETWORK_NAME_LEN).contains(&name.len()) {
                return Err("the name of a network has 1 to 40 bytes");
            }
            if self.relay_list.is_some() && self.list_key.is_none() {
                return Err(
                    "a network (--network) whose list you sign yourself (relay_list, --relay-list) needs list_key (--list-key), the public key that cloak relay-list key prints; without relay_list the server signs the list",
                );
            }
        }
        if self.list_key.is_some() && (self.network.is_none() || self.relay_list.is_none()) {
            return Err(
                "list_key (--list-key) says who signs the list of a network: give network (--network) and relay_list (--relay-list) too",
            );
        }
        if self.policy.ttl_max < MIN_TTL || self.policy.ttl_default < MIN_TTL {
            return Err("ttl_default and ttl_max must be one hour or longer");
        }
        if self.policy.ttl_default > self.policy.ttl_max {
            return Err("ttl_default must not be longer than ttl_max");
        }
        if self.policy.max_blob > MAX_BLOB || self.policy.max_blob < MIN_BLOB {
            return Err(
                "max_blob must be between 65536 (the smallest size that Cloakroom sends) and 10223616 bytes",
            );
        }
        if self.max_memory < 4 * self.policy.max_blob {
            return Err(
                "max_memory must be four times max_blob or more, or no large file could pass",
            );
        }
        if self.max_total < self.policy.max_blob {
            return Err("max_total must not be smaller than max_blob");
        }
        if self.max_connections == 0 {
            return Err("max_connections must be 1 or more");
        }
        if self.metrics.is_some_and(|addr| !addr.ip().is_loopback()) {
            return Err(
                "metrics must be on loopback, such as 127.0.0.1:9187: the totals are the operator's own business",
            );
        }
        Ok(())
    }
}

/// What an invitation has room for.
const MAX_NETWORK_NAME_LEN: usize = 40;
const MIN_TTL: u64 = 3_600;
const MIN_BLOB: u64 = 65_536;
const MAX_BLOB: u64 = 10_223_616;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::keys::Identity;

    type Change = fn(&mut ServerSettings);

    fn with(change: impl FnOnce(&mut ServerSettings)) -> ServerSettings {
        let mut settings = ServerSettings::default();
        change(&mut settings);
        settings
    }

    #[test]
    fn settings_that_contradict_each_other_are_named() {
        assert_eq!(ServerSettings::default().validate(), Ok(()));
        let changes: [(Change, &str); 12] = [
            (|it| it.network = Some("n".repeat(41)), "40 bytes"),
            (
                |it| {
                    it.network = Some("friends".to_owned());
                    it.relay_list = Some("relays.json".into());
                },
                "--list-key",
            ),
            (
                |it| {
                    it.network = Some("friends".to_owned());
                    it.list_key = Some(Identity::from_seed([1; 32]).public());
                },
                "--relay-list",
            ),
            (|it| it.listen = ([0, 0, 0, 0], 8787).into(), "--public-url"),
            (|it| it.store = "s3://bucket".parse().unwrap(), "--key"),
            (|it| it.policy.ttl_default = 40 * 86_400, "ttl_max"),
            (|it| it.policy.ttl_default = 60, "one hour"),
            (|it| it.policy.max_blob = 11 << 20, "10223616"),
            (|it| it.max_memory = 1 << 20, "four times"),
            (|it| it.max_total = 70_000, "max_total"),
            (
                |it| it.metrics = Some(([0, 0, 0, 0], 9187).into()),
                "loopback",
            ),
            (|it| it.max_connections = 0, "max_connections"),
        ];
        for (change, words) in changes {
            let reason = with(change).validate().unwrap_err();
            assert!(reason.contains(words), "{reason}");
        }
    }

    #[test]
    fn a_network_in_a_bucket_has_its_control_socket_beside_the_identity() {
        let bucket = |key: &str| {
            with(|it| {
                it.store = "s3://bucket".parse().unwrap();
                it.key_path = Some(key.into());
            })
        };
        assert_eq!(bucket("server.key").control_folder(), None);
        for (key, folder) in [("server.key", "."), ("/srv/keys/server.key", "/srv/keys")] {
            let mut settings = bucket(key);
            settings.network = Some("friends".to_owned());
            assert_eq!(settings.validate(), Ok(()));
            assert_eq!(settings.control_folder(), Some(PathBuf::from(folder)));
        }
    }

    #[test]
    fn only_a_server_that_others_reach_and_that_asks_for_nothing_is_open_to_all() {
        let is_open = |change: fn(&mut ServerSettings)| {
            let settings = with(change);
            settings.is_open_to_all(settings.listen)
        };
        assert!(!is_open(|_| ()));
        assert!(is_open(|it| it.listen = ([192, 0, 2, 1], 8787).into()));
        assert!(
            is_open(|it| {
                it.public_url = ServerUrl::normalise("https://files.example.org").ok();
            }),
            "a proxy stands before it"
        );
        assert!(!is_open(|it| {
            it.listen = ([192, 0, 2, 1], 8787).into();
            it.access_word = AccessWord::parse("word").ok();
        }));
        assert!(!is_open(|it| {
            it.listen = ([192, 0, 2, 1], 8787).into();
            it.work = WorkBase::from_bits(14);
        }));
    }
}
