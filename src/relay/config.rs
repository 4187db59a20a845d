//! Operator settings of the relay: defaults, the table behind file, flags and environment, and validation.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use super::RelayConfig;
use crate::{
    protocol::{keys::Identity, relay_list::Serves},
    wire::{
        admission::Rules,
        holder::{IpNetwork, networks},
        settings::{
            Sample::{Default as Preset, Example},
            Setting, Settings,
            Shape::{List, Switch, Text},
            log_level,
        },
    },
};

/// What a relay was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelaySettings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The file of its identity.
    pub key: PathBuf,
    /// The file with the relays it forwards to.
    pub relays: Option<PathBuf>,
    /// For which hosts it is the last relay.
    pub serves: Serves,
    /// Whether it is also the last relay for servers on its own machine.
    pub allow_private: bool,
    /// The address that others reach it at, when that is not where it listens.
    pub public_host: Option<IpAddr>,
    /// Name of the operator; empty means unnamed.
    pub operator: String,
    /// The most memory that bodies may take at once, in bytes.
    pub max_memory: u64,
    /// Connections served at once.
    pub max_connections: usize,
    /// Proxies before it, whose `X-Forwarded-For` names the client.
    pub trusted_proxies: Vec<IpNetwork>,
    /// How much is logged.
    pub log: Option<String>,
}

impl Default for RelaySettings {
    fn default() -> Self {
        let rules = Rules::default();
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8790)),
            key: PathBuf::from("relay.key"),
            relays: None,
            serves: Serves::None,
            allow_private: false,
            public_host: None,
            operator: String::new(),
            max_memory: rules.max_memory,
            max_connections: rules.max_connections,
            trusted_proxies: rules.trusted_proxies,
            log: None,
        }
    }
}

impl RelaySettings {
    /// How a relay with this identity runs; its list is read later.
    #[must_use]
    pub fn into_config(self, key: Identity) -> RelayConfig {
        RelayConfig {
            serves: self.serves,
            allow_private: self.allow_private,
            public_host: self.public_host,
            operator: self.operator,
            max_memory: self.max_memory,
            max_connections: self.max_connections,
            trusted_proxies: self.trusted_proxies,
            ..RelayConfig::new(self.listen, key)
        }
    }

    /// Rejects combinations of settings that contradict each other; the error is a sentence that names them.
    ///
    /// # Errors
    /// The first of them.
    pub fn validate(&self) -> Result<(), &'static str> {
        if self.listen.ip().is_unspecified() && self.public_host.is_none() {
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

impl Settings for RelaySettings {
    const HEAD: &'static [&'static str] = &[
        "Configuration of a Cloakroom relay: cloak relay --config FILE",
        "",
        "These are the defaults. Each setting is also a flag and an environment variable: the flag",
        "wins over the variable, the variable over this file. Relative paths begin at this file's folder.",
    ];

    fn table() -> &'static [Setting<Self>] {
        TABLE
    }
}

const TABLE: &[Setting<RelaySettings>] = &[
    Setting::new(
        ["listen", "listen", "CLOAKROOM_LISTEN"],
        "ADDR",
        Text,
        Preset("\"127.0.0.1:8790\""),
        "Where to listen; port 0 lets the system pick one",
        |settings, given| {
            settings.listen = given.read("an address with a port, such as 127.0.0.1:8790")?;
            Ok(())
        },
    ),
    Setting::new(
        ["public_host", "public-host", "CLOAKROOM_PUBLIC_HOST"],
        "IP",
        Text,
        Example("\"203.0.113.7\""),
        "The IP address that others reach it at, when that is not where it listens",
        |settings, given| {
            settings.public_host = Some(given.read("an IP address, such as 203.0.113.7")?);
            Ok(())
        },
    ),
    Setting::new(
        ["key", "key", "CLOAKROOM_KEY"],
        "FILE",
        Text,
        Preset("\"relay.key\""),
        "The relay's identity; made when it is missing",
        |settings, given| {
            settings.key = given.path()?;
            Ok(())
        },
    ),
    Setting::new(
        ["relays", "relays", "CLOAKROOM_RELAYS"],
        "FILE",
        Text,
        Example("\"relays.json\""),
        "The list of relays to forward to; read again whenever it changes",
        |settings, given| {
            settings.relays = Some(given.path()?);
            Ok(())
        },
    ),
    Setting::new(
        ["serves", "serves", "CLOAKROOM_SERVES"],
        "HOSTS",
        List,
        Preset("\"none\""),
        "For which hosts it is the last relay: none, any, or the names of the file servers. With any, strangers can post to every \
         public host at port 80, 443 or above 1023 through this relay, unseen, and read what it answers",
        |settings, given| {
            settings.serves = serves(&given.texts()?)?;
            Ok(())
        },
    ),
    Setting::new(
        ["allow_private", "allow-private", "CLOAKROOM_ALLOW_PRIVATE"],
        "",
        Switch,
        Preset("false"),
        "Be the last relay for servers on this computer too (127.0.0.1, ::1 and localhost)",
        |settings, given| {
            settings.allow_private = given.switch()?;
            Ok(())
        },
    ),
    Setting::new(
        ["operator", "operator", "CLOAKROOM_OPERATOR"],
        "NAME",
        Text,
        Preset("\"\""),
        "Whose it is: no path has two relays of one name",
        |settings, given| {
            settings.operator = given.text()?.trim().to_owned();
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
        "Addresses or networks of proxies before it that speak TLS with this relay's key, such as 127.0.0.1 or 10.0.0.0/8: \
         the last address that they did not write themselves in X-Forwarded-For is taken for the client's. Each address \
         has its share of connections, requests and memory; without this setting all clients of a proxy share one",
        |settings, given| {
            settings.trusted_proxies = networks(&given.texts()?)?;
            Ok(())
        },
    ),
    Setting::new(
        ["log", "log", "CLOAKROOM_LOG"],
        "LEVEL",
        Text,
        Example("\"debug\""),
        "How much is told on standard error [default: warn]: off, error, warn, info, debug or trace. No level has an access log: no \
         hosts, addresses, keys",
        |settings, given| {
            settings.log = Some(log_level(given.text()?)?);
            Ok(())
        },
    ),
];

fn serves(texts: &[&str]) -> Result<Serves, String> {
    match texts {
        ["any"] => Ok(Serves::Any),
        ["none"] | [] => Ok(Serves::None),
        hosts => {
            let named = |host: &&str| !["any", "none"].contains(host) && !host.contains(['/', ' ']);
            if !hosts.iter().all(named) {
                return Err("give any, none, or names of hosts".to_owned());
            }
            let hosts = hosts.iter().map(|host| host.to_ascii_lowercase());
            Ok(Serves::Hosts(hosts.collect()))
        }
    }
}

/// Two messages of the largest size, and 8 MiB for small ones.
const MIN_MEMORY: u64 = 32 << 20;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::wire::settings::{read_text, sample};

    fn told(text: &str) -> Result<RelaySettings, String> {
        let mut settings = RelaySettings::default();
        read_text(&mut settings, text, Path::new(""), "relay.toml")
            .map(|()| settings)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_sample_is_the_defaults() {
        let sample = sample::<RelaySettings>();
        assert_eq!(told(&sample), Ok(RelaySettings::default()), "{sample}");
    }

    #[test]
    fn served_hosts_are_names_and_never_urls() {
        let serves = |value: &str| told(&format!("serves = {value}")).map(|told| told.serves);
        assert_eq!(serves("\"any\""), Ok(Serves::Any));
        assert_eq!(serves("\"none\""), Ok(Serves::None));
        assert_eq!(
            serves("[\"A.example\", \"b.example\"]"),
            Ok(Serves::Hosts(vec![
                "a.example".to_owned(),
                "b.example".to_owned()
            ]))
        );
        for wrong in ["\"http://a.example\"", "[\"a\", \"\"]", "[\"any\", \"a\"]"] {
            assert!(serves(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_said() {
        assert_eq!(RelaySettings::default().validate(), Ok(()));
        for (text, words) in [
            ("listen = \"0.0.0.0:8790\"", "--public-host"),
            ("public_host = \"::\"", "one address"),
            ("max_memory = \"1 MiB\"", "32 MiB"),
            ("max_connections = 0", "max_connections"),
        ] {
            let said = told(text).unwrap().validate().unwrap_err();
            assert!(said.contains(words), "{said}");
        }
    }
}
