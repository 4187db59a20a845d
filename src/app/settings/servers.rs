//! The networks of a person, each a file server with the relays that lead there, and the one that new files go to.

use std::fmt::Display;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::text::{self, FromText};
use crate::app::relays::set::{NetworkId, RelaySource};
use crate::protocol::address::ServerAddress;
use crate::protocol::capability::AccessWord;
use crate::protocol::keys::Ed25519Public;
use crate::protocol::relay_list::ListSource;

/// A network that was joined by an invitation or put together by hand: a file server, and the relays that lead there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "EntryForm", into = "EntryForm")]
pub struct ServerEntry {
    /// What the person calls it.
    pub name: String,
    /// Where and who its server is.
    pub address: ServerAddress,
    /// Whether to talk to the server without relays.
    pub direct: bool,
    /// Its operator's word, if uploads need one and the person keeps it here.
    pub access_word: Option<AccessWord>,
    /// Where its relays are from, which are used for this server alone; without one, none lead there yet. Never those of
    /// the built-in network, nor of another network that was joined.
    pub relays: Option<RelaySource>,
    /// Keys that only newer versions know, with their values.
    pub unknown: toml::Table,
}

/// An entry as the file has it. One of four keys says where the relays are from.
#[derive(Serialize, Deserialize)]
struct EntryForm {
    name: String,
    #[serde(with = "text")]
    address: ServerAddress,
    #[serde(default)]
    direct: bool,
    #[serde(
        default,
        with = "text::optional",
        skip_serializing_if = "Option::is_none"
    )]
    access_word: Option<AccessWord>,
    /// `session`, or the line of a list by URL.
    #[serde(
        default,
        with = "text::optional",
        skip_serializing_if = "Option::is_none"
    )]
    relays: Option<FetchedRelays>,
    /// A list in a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    relay_list_file: Option<PathBuf>,
    /// A file that describes service nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    service_nodes_file: Option<PathBuf>,
    /// Of a network that was joined: the key that signs its relay list, which the server hands on.
    #[serde(
        default,
        with = "text::optional",
        skip_serializing_if = "Option::is_none"
    )]
    list_key: Option<Ed25519Public>,
    #[serde(flatten)]
    unknown: toml::Table,
}

/// Relays that are fetched from elsewhere than the network's own server.
pub(super) enum FetchedRelays {
    Session,
    Url(ListSource),
}

impl From<FetchedRelays> for RelaySource {
    fn from(relays: FetchedRelays) -> Self {
        match relays {
            FetchedRelays::Session => Self::Session,
            FetchedRelays::Url(source) => Self::Url(source),
        }
    }
}

impl FromText for FetchedRelays {
    const NAME: &'static str = "the relays";

    fn from_text(text: &str) -> Result<Self, impl Display> {
        match text.parse() {
            Ok(RelaySource::Session) => Ok(Self::Session),
            Ok(RelaySource::Url(source)) => Ok(Self::Url(source)),
            Ok(
                RelaySource::BuiltIn
                | RelaySource::File(_)
                | RelaySource::Network(_)
                | RelaySource::ServiceNodes(_),
            ) => Err("neither \"session\" nor the line of a list by URL".to_owned()),
            Err(why) => Err(why.to_string()),
        }
    }

    fn to_text(&self) -> String {
        match self {
            Self::Session => RelaySource::Session.to_line(),
            Self::Url(source) => source.to_string(),
        }
    }
}

impl TryFrom<EntryForm> for ServerEntry {
    type Error = &'static str;

    fn try_from(form: EntryForm) -> Result<Self, Self::Error> {
        let server = form.address.key;
        let mut sources = [
            form.relays.map(RelaySource::from),
            form.relay_list_file.map(RelaySource::File),
            form.service_nodes_file.map(RelaySource::ServiceNodes),
            form.list_key
                .map(|list| RelaySource::Network(NetworkId { server, list })),
        ]
        .into_iter()
        .flatten();
        let relays = sources.next();
        if sources.next().is_some() {
            return Err(
                "a network has only one of the keys relays, relay_list_file, service_nodes_file and list_key",
            );
        }
        Ok(Self {
            name: form.name,
            address: form.address,
            direct: form.direct,
            access_word: form.access_word,
            relays,
            unknown: form.unknown,
        })
    }
}

impl From<ServerEntry> for EntryForm {
    fn from(entry: ServerEntry) -> Self {
        let mut form = Self {
            name: entry.name,
            address: entry.address,
            direct: entry.direct,
            access_word: entry.access_word,
            relays: None,
            relay_list_file: None,
            service_nodes_file: None,
            list_key: None,
            unknown: entry.unknown,
        };
        match entry.relays {
            None | Some(RelaySource::BuiltIn) => {}
            Some(RelaySource::File(file)) => form.relay_list_file = Some(file),
            Some(RelaySource::Network(network)) => form.list_key = Some(network.list),
            Some(RelaySource::ServiceNodes(file)) => form.service_nodes_file = Some(file),
            Some(RelaySource::Session) => form.relays = Some(FetchedRelays::Session),
            Some(RelaySource::Url(source)) => form.relays = Some(FetchedRelays::Url(source)),
        }
        form
    }
}

impl ServerEntry {
    /// A server that is reached through relays, which are not known yet, and needs no access word.
    #[must_use]
    pub fn new(name: impl Into<String>, address: ServerAddress) -> Self {
        Self {
            name: name.into(),
            address,
            direct: false,
            access_word: None,
            relays: None,
            unknown: toml::Table::new(),
        }
    }

    /// This entry with relays from there.
    #[must_use]
    pub fn through(self, relays: RelaySource) -> Self {
        Self {
            relays: Some(relays),
            ..self
        }
    }

    /// The network that was joined by an invitation; `None` of one that was put together by hand.
    #[must_use]
    pub const fn network(&self) -> Option<NetworkId> {
        match &self.relays {
            Some(RelaySource::Network(network)) => Some(*network),
            _ => None,
        }
    }

    /// Whether no relays lead to the server, and it may not be reached without any.
    #[must_use]
    pub(crate) const fn lacks_relays(&self) -> bool {
        self.relays.is_none() && !self.direct
    }

    /// The name that the person gave the server, or its host without one: `files.example`.
    #[must_use]
    pub(crate) fn shown_name(&self) -> &str {
        match self.name.trim() {
            "" => self.address.url.authority(),
            name => name,
        }
    }
}

/// Where new files go.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServerChoice {
    /// To the network inside the program.
    #[default]
    BuiltIn,
    /// To the added server with this address.
    Server(ServerAddress),
}

impl FromText for ServerChoice {
    const NAME: &'static str = "the chosen server";

    fn from_text(text: &str) -> Result<Self, impl Display> {
        match text {
            BUILT_IN => Ok(Self::BuiltIn),
            address => address.parse().map(Self::Server),
        }
    }

    fn to_text(&self) -> String {
        match self {
            Self::BuiltIn => BUILT_IN.to_owned(),
            Self::Server(address) => address.to_string(),
        }
    }
}

const BUILT_IN: &str = "built-in";
