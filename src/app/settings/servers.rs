//! File servers that the person added, and the one that new files go to.

use std::fmt::Display;

use serde::{Deserialize, Serialize};

use super::text::{self, FromText};
use crate::app::relays::set::NetworkId;
use crate::protocol::address::ServerAddress;
use crate::protocol::capability::AccessWord;
use crate::protocol::keys::Ed25519Public;

/// A file server that was added.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServerEntry {
    /// What the person calls it.
    pub name: String,
    /// Where and who it is.
    #[serde(with = "text")]
    pub address: ServerAddress,
    /// Whether to talk to it without relays.
    #[serde(default)]
    pub direct: bool,
    /// Its operator's word, if uploads need one and the person keeps it here.
    #[serde(
        default,
        with = "text::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub access_word: Option<AccessWord>,
    /// Of a server that was joined by an invitation: the key that signs its network's relay list. The server hands that list
    /// on, and its relays are used for this server alone. Without one its relays are those that the person chose.
    #[serde(
        default,
        with = "text::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub list_key: Option<Ed25519Public>,
    /// Keys that only newer versions know, with their values.
    #[serde(flatten)]
    pub unknown: toml::Table,
}

impl ServerEntry {
    /// A server that is reached through relays and needs no access word.
    #[must_use]
    pub fn new(name: impl Into<String>, address: ServerAddress) -> Self {
        Self {
            name: name.into(),
            address,
            direct: false,
            access_word: None,
            list_key: None,
            unknown: toml::Table::new(),
        }
    }

    /// The network that the server was joined by.
    #[must_use]
    pub(crate) fn network(&self) -> Option<NetworkId> {
        Some(NetworkId {
            server: self.address.key,
            list: self.list_key?,
        })
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
