//! Operator settings of the file server: defaults, the table behind file, flags and environment, and validation.
//!
//! [`ServerSettings`] is what was said, [`ServerConfig`] what was decided; between them stand the key files, which are
//! named here and read elsewhere.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use super::ServerConfig;
use super::files::Policy;
use super::keys::PreviousKey;
use super::store::location::{ParseLocationError, StoreLocation};
use crate::{
    protocol::{
        address::ServerUrl,
        capability::{AccessWord, work::WorkBase},
        keys::Identity,
    },
    wire::{
        admission::Rules,
        holder::{IpNetwork, networks},
        settings::{
            Given,
            Sample::{Default as Preset, Example},
            Setting, Settings,
            Shape::{List, Switch, Text},
            log_level,
        },
    },
};

/// What a file server was told.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where blobs lie.
    pub store: StoreLocation,
    /// The file of its identity; without one see [`Self::key_file`].
    pub key: Option<PathBuf>,
    /// The files of identities it had before.
    pub previous_keys: Vec<PathBuf>,
    /// The URL under which last relays reach it.
    pub public_url: Option<ServerUrl>,
    /// Whether the file routes are also served outside onion requests.
    pub plain_http: bool,
    /// What uploads may be.
    pub policy: Policy,
    /// The most the store may hold, in bytes.
    pub max_total: u64,
    /// The most memory that bodies may take at once, in bytes.
    pub max_memory: u64,
    /// The word that uploads must have.
    pub access_word: Option<AccessWord>,
    /// The work that uploads must have done.
    pub work: Option<WorkBase>,
    /// The signed relay list to hand out.
    pub relay_list: Option<PathBuf>,
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
    /// How much is logged.
    pub log: Option<String>,
}

impl Default for ServerSettings {
    fn default() -> Self {
        let rules = Rules::default();
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8787)),
            store: StoreLocation::Folder(PathBuf::from("cloakroom-data")),
            key: None,
            previous_keys: Vec::new(),
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
    pub fn key_file(&self) -> Option<PathBuf> {
        self.key
            .clone()
            .or_else(|| self.store.folder().map(|folder| folder.join("server.key")))
    }

    /// Whether it takes uploads from everybody who reaches it, and more than this computer can.
    #[must_use]
    pub fn is_open_to_all(&self, listens_on: SocketAddr) -> bool {
        let reached = !listens_on.ip().is_loopback()
            || self
                .public_url
                .as_ref()
                .is_some_and(|url| !url.is_loopback());
        reached && self.access_word.is_none() && self.work.is_none()
    }

    /// How a server with this identity runs.
    #[must_use]
    pub fn into_config(self, key: Identity, previous_keys: Vec<PreviousKey>) -> ServerConfig {
        ServerConfig {
            previous_keys,
            public_url: self.public_url,
            plain_http: self.plain_http,
            policy: self.policy,
            access_word: self.access_word,
            work: self.work,
            max_total: self.max_total,
            max_memory: self.max_memory,
            max_connections: self.max_connections,
            trusted_proxies: self.trusted_proxies,
            relay_list: self.relay_list,
            store_timeout: self.store_timeout,
            stop_timeout: self.stop_timeout,
            sweep_every: self.sweep_every,
            ..ServerConfig::new(self.listen, self.store, key)
        }
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

impl Settings for ServerSettings {
    const HEAD: &'static [&'static str] = &[
        "Configuration of a Cloakroom file server: cloak serve --config FILE",
        "",
        "These are the defaults. Each setting is also a flag and an environment variable: the flag",
        "wins over the variable, the variable over this file. Relative paths begin at this file's folder.",
    ];

    fn table() -> &'static [Setting<Self>] {
        TABLE
    }
}

const TABLE: &[Setting<ServerSettings>] = &[
    Setting::new(
        ["listen", "listen", "CLOAKROOM_LISTEN"],
        "ADDR",
        Text,
        Preset("\"127.0.0.1:8787\""),
        "Where to listen; port 0 lets the system pick one",
        |settings, given| {
            settings.listen = given.read("an address with a port, such as 127.0.0.1:8787")?;
            Ok(())
        },
    ),
    Setting::new(
        ["public_url", "public-url", "CLOAKROOM_PUBLIC_URL"],
        "URL",
        Text,
        Example("\"http://files.example.org:8787\""),
        "The URL under which the last relays reach it [default: http:// and where it listens]; http is enough, \
         what travels is sealed to the server's key",
        |settings, given| {
            let url = ServerUrl::normalise(given.text()?).map_err(|error| error.to_string())?;
            settings.public_url = Some(url);
            Ok(())
        },
    ),
    Setting::new(
        ["store", "store", "CLOAKROOM_STORE"],
        "PLACE",
        Text,
        Preset("\"cloakroom-data\""),
        "Where the blobs lie: a folder, made if it is missing, or s3://bucket/prefix (in a program built with the \
         feature s3; endpoint, region and credentials come from the usual AWS_ variables)",
        |settings, given| {
            settings.store = place(given)?;
            Ok(())
        },
    ),
    Setting::new(
        ["key", "key", "CLOAKROOM_KEY"],
        "FILE",
        Text,
        Example("\"server.key\""),
        "The server's identity, made when it is missing [default: server.key in the folder of the store]; back it up, \
         and give the same to every server of a bucket",
        |settings, given| {
            settings.key = Some(given.path()?);
            Ok(())
        },
    ),
    Setting::new(
        ["previous_keys", "previous-keys", "CLOAKROOM_PREVIOUS_KEYS"],
        "FILES",
        List,
        Preset("[]"),
        "Identities that this server had before and still answers for, so that older addresses and pointers go on \
         working; take them out after 60 days",
        |settings, given| {
            settings.previous_keys = given.paths()?;
            Ok(())
        },
    ),
    Setting::new(
        ["access_word", "access-word", "CLOAKROOM_ACCESS_WORD"],
        "WORD",
        Text,
        Example("\"one word for all who may upload\""),
        "Uploads must have this word of up to 64 characters, one for all (different words would tell people apart). \
         As a flag other users of the machine can read it: prefer this file or the variable",
        |settings, given| {
            // Said without the word itself: errors are printed.
            let word = AccessWord::parse(given.text()?).map_err(|error| error.to_string())?;
            settings.access_word = Some(word);
            Ok(())
        },
    ),
    Setting::new(
        ["work_bits", "work-bits", "CLOAKROOM_WORK_BITS"],
        "NUMBER",
        // Read as a list, so that the eight numbers of version 0.1 are told what to write instead.
        List,
        Example("18"),
        "Work that an upload must have done: 14, 16, 18, 20 or 22 bits for the smallest size, up to 7 more for the larger \
         ones; 0 is none. Each bit more doubles it; 20 take a computer about a second. Uploads without an owner, such as \
         those of Session's clients, are refused then",
        |settings, given| {
            settings.work = work(&given.texts()?)?;
            Ok(())
        },
    ),
    Setting::new(
        ["max_total", "max-total", "CLOAKROOM_MAX_TOTAL"],
        "SIZE",
        Text,
        Preset("\"10 GiB\""),
        "The most that the store may hold; beyond it uploads are told that the server is full",
        |settings, given| {
            settings.max_total = given.bytes()?;
            Ok(())
        },
    ),
    Setting::new(
        ["max_blob", "max-blob", "CLOAKROOM_MAX_BLOB"],
        "SIZE",
        Text,
        Preset("10223616"),
        "The largest blob. Cloakroom sends up to 10000000 bytes in one; the default is what Session's clients may send",
        |settings, given| {
            settings.policy.max_blob = given.bytes()?;
            Ok(())
        },
    ),
    Setting::new(
        ["ttl_default", "ttl-default", "CLOAKROOM_TTL_DEFAULT"],
        "TIME",
        Text,
        Preset("\"14d\""),
        "How long a blob is kept when its upload does not say",
        |settings, given| {
            settings.policy.ttl_default = given.seconds()?;
            Ok(())
        },
    ),
    Setting::new(
        ["ttl_max", "ttl-max", "CLOAKROOM_TTL_MAX"],
        "TIME",
        Text,
        Preset("\"30d\""),
        "The longest that an upload or an extension may ask for",
        |settings, given| {
            settings.policy.ttl_max = given.seconds()?;
            Ok(())
        },
    ),
    Setting::new(
        ["max_memory", "max-memory", "CLOAKROOM_MAX_MEMORY"],
        "SIZE",
        Text,
        Preset("\"512 MiB\""),
        "The most memory that requests and answers may take at once; beyond it people are told to try again later",
        |settings, given| {
            settings.max_memory = given.bytes()?;
            Ok(())
        },
    ),
    Setting::new(
        [
            "max_connections",
            "max-connections",
            "CLOAKROOM_MAX_CONNECTIONS",
        ],
        "NUMBER",
        Text,
        Preset("2048"),
        "Connections served at once; beyond it those make room that have not asked for anything yet. Where the system \
         allows fewer open files, there are fewer",
        |settings, given| {
            settings.max_connections = given.read("a number")?;
            Ok(())
        },
    ),
    Setting::new(
        [
            "trusted_proxies",
            "trusted-proxies",
            "CLOAKROOM_TRUSTED_PROXIES",
        ],
        "NETWORKS",
        List,
        Preset("[]"),
        "Addresses or networks of web servers before it, such as 127.0.0.1 or 10.0.0.0/8: the last address that they \
         did not write themselves in X-Forwarded-For is taken for the client's. Each address has its share of \
         connections, requests and memory; without this setting all clients of a web server share one",
        |settings, given| {
            settings.trusted_proxies = networks(&given.texts()?)?;
            Ok(())
        },
    ),
    Setting::new(
        ["store_timeout", "store-timeout", "CLOAKROOM_STORE_TIMEOUT"],
        "TIME",
        Text,
        Preset("\"30s\""),
        "How long one question to the store may take; beyond it people are told that the server failed",
        |settings, given| {
            settings.store_timeout = Duration::from_secs(given.seconds()?);
            Ok(())
        },
    ),
    Setting::new(
        ["stop_timeout", "stop-timeout", "CLOAKROOM_STOP_TIMEOUT"],
        "TIME",
        Text,
        Preset("\"30s\""),
        "How long a stop waits for what runs",
        |settings, given| {
            settings.stop_timeout = Duration::from_secs(given.seconds()?);
            Ok(())
        },
    ),
    Setting::new(
        ["sweep_every", "sweep-every", "CLOAKROOM_SWEEP_EVERY"],
        "TIME",
        Text,
        Preset("\"10min\""),
        "How often expired blobs are removed",
        |settings, given| {
            settings.sweep_every = Duration::from_secs(given.seconds()?);
            Ok(())
        },
    ),
    Setting::new(
        ["plain_http", "plain-http", "CLOAKROOM_PLAIN_HTTP"],
        "",
        Switch,
        Preset("false"),
        "Serve the file routes outside onion requests too: whoever uses them shows their address",
        |settings, given| {
            settings.plain_http = given.switch()?;
            Ok(())
        },
    ),
    Setting::new(
        ["relay_list", "relay-list", "CLOAKROOM_RELAY_LIST"],
        "FILE",
        Text,
        Example("\"relays.json\""),
        "A signed relay list to hand out, its signature beside it in FILE.sig; read again whenever it changes",
        |settings, given| {
            settings.relay_list = Some(given.path()?);
            Ok(())
        },
    ),
    Setting::new(
        ["metrics", "metrics", "CLOAKROOM_METRICS"],
        "ADDR",
        Text,
        Example("\"127.0.0.1:9187\""),
        "Totals for Prometheus at this address, on loopback only; they change once an hour, so that they tell nobody \
         when something happened",
        |settings, given| {
            settings.metrics = Some(given.read("an address with a port, such as 127.0.0.1:9187")?);
            Ok(())
        },
    ),
    Setting::new(
        ["log", "log", "CLOAKROOM_LOG"],
        "LEVEL",
        Text,
        Example("\"debug\""),
        "How much is told on standard error [default: warn]: off, error, warn, info, debug or trace. No level has an access log: no ids, \
         addresses, keys",
        |settings, given| {
            settings.log = Some(log_level(given.text()?)?);
            Ok(())
        },
    ),
];

fn place(given: &Given<'_>) -> Result<StoreLocation, String> {
    let location: StoreLocation = given
        .text()?
        .trim()
        .parse()
        .map_err(|error: ParseLocationError| error.to_string())?;
    Ok(match location {
        StoreLocation::Folder(folder) => StoreLocation::Folder(given.folder().join(folder)),
        elsewhere => elsewhere,
    })
}

fn work(texts: &[&str]) -> Result<Option<WorkBase>, String> {
    let base = |bits: &str| WorkBase::from_bits(bits.parse().ok()?);
    match texts {
        ["0"] => Ok(None),
        [bits] if base(bits).is_some() => Ok(base(bits)),
        _ => Err(format!(
            "{:?} is not the number of bits for all sizes: write one of 0, 14, 16, 18, 20 or 22 (version 0.1 took eight \
             numbers: write the first of them, rounded up to one of these)",
            texts.join(", ")
        )),
    }
}

const MIN_TTL: u64 = 3_600;
const MIN_BLOB: u64 = 65_536;
const MAX_BLOB: u64 = 10_223_616;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::wire::settings::{read_text, sample};

    fn told(text: &str) -> Result<ServerSettings, String> {
        let mut settings = ServerSettings::default();
        read_text(&mut settings, text, Path::new(""), "server.toml")
            .map(|()| settings)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_sample_is_the_defaults() {
        let settings = told(&sample::<ServerSettings>()).unwrap();
        // The access word and everything else in it has a form for tests that shows whether it is there.
        assert_eq!(
            format!("{settings:?}"),
            format!("{:?}", ServerSettings::default())
        );
        assert_eq!(settings.validate(), Ok(()));
    }

    #[test]
    fn what_cannot_be_meant_is_said() {
        for (text, words) in [
            ("listen = \"0.0.0.0:8787\"", "--public-url"),
            ("store = \"s3://bucket\"", "--key"),
            ("ttl_default = \"40d\"", "ttl_max"),
            ("ttl_default = \"1min\"", "one hour"),
            ("max_blob = \"11 MiB\"", "10223616"),
            ("max_memory = \"1 MiB\"", "four times"),
            ("max_total = 70000", "max_total"),
            ("metrics = \"0.0.0.0:9187\"", "loopback"),
            ("max_connections = 0", "max_connections"),
        ] {
            let said = told(text).unwrap().validate().unwrap_err();
            assert!(said.contains(words), "{text}: {said}");
        }
    }

    #[test]
    fn an_access_word_is_never_repeated_in_an_error() {
        let said = told("access_word = \"geheim\\nwort\"").err().unwrap();
        assert!(said.contains("line 1") && said.contains("64") && !said.contains("geheim"));
        assert!(told(&format!("access_word = \"{}\"", "x".repeat(65))).is_err());
        assert!(told(&format!("access_word = \"{}\"", "x".repeat(64))).is_ok());
    }

    #[test]
    fn the_identity_lies_in_the_folder_of_the_store() {
        let file = |text: &str| told(text).unwrap().key_file();
        assert_eq!(file("store = \"/var/x\""), Some("/var/x/server.key".into()));
        let (url, folder) = if cfg!(windows) {
            ("file:///C:/var/x", r"C:\var\x")
        } else {
            ("file:///var/x", "/var/x")
        };
        assert_eq!(
            file(&format!("store = \"{url}\"")),
            Some(Path::new(folder).join("server.key"))
        );
        assert_eq!(file("store = \"s3://bucket/c\""), None);
        assert_eq!(
            file("store = \"s3://bucket/c\"\nkey = \"k\""),
            Some("k".into())
        );
        assert!(told("store = \"ftp://b/c\"").is_err());
    }

    #[test]
    fn only_a_server_that_others_reach_and_that_asks_for_nothing_is_open_to_all() {
        let open = |text: &str| {
            let settings = told(text).unwrap();
            settings.is_open_to_all(settings.listen)
        };
        assert!(!open(""));
        assert!(open("listen = \"192.0.2.1:8787\""));
        assert!(
            open("public_url = \"https://files.example.org\""),
            "a proxy stands before it"
        );
        assert!(!open("listen = \"192.0.2.1:8787\"\naccess_word = \"word\""));
        assert!(!open("listen = \"192.0.2.1:8787\"\nwork_bits = 14"));
        assert!(open("listen = \"192.0.2.1:8787\"\nwork_bits = 0"));
    }

    #[test]
    fn work_is_one_of_few_numbers_and_the_eight_of_version_0_1_are_told_what_to_write() {
        for bits in [14, 16, 18, 20, 22] {
            let settings = told(&format!("work_bits = {bits}")).unwrap();
            assert_eq!(settings.work.map(WorkBase::bits), Some(bits));
        }
        for other in [
            "17",
            "-1",
            "99",
            "\"many\"",
            "[16, 17, 18, 18, 19, 19, 20, 20]",
        ] {
            let said = told(&format!("work_bits = {other}")).unwrap_err();
            assert!(
                said.contains("line 1") && said.contains("0, 14, 16, 18, 20 or 22"),
                "{other}: {said}"
            );
        }
    }
}
