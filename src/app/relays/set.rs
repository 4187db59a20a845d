//! Sources of relays, the relays that one gives, and why it gives none.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;

use thiserror::Error;

use super::service_nodes::ServiceNodeFileError;
use crate::disk::io_reason::IoReason;
use crate::disk::kept::UnreadFile;
use crate::net::relay_source::FetchError;
use crate::protocol::address::ServerAddress;
use crate::protocol::digest::Digest;
use crate::protocol::invitation::Invitation;
use crate::protocol::keys::Ed25519Public;
use crate::protocol::pointer::Pointer;
use crate::protocol::relay_list::{
    ListRefused, ListSource, NetworkKind, ParseSourceError, RelayList,
};

/// Source of a relay list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RelaySource {
    /// The built-in network's, for its own server; none for any other.
    #[default]
    BuiltIn,
    /// A list in a local file, which needs no signature.
    File(PathBuf),
    /// The list of a network that was joined, which its server keeps.
    Network(NetworkId),
    /// The service nodes of another network of Session's kind, which a file describes.
    ServiceNodes(PathBuf),
    /// Session's service nodes.
    Session,
    /// A signed list by URL.
    Url(ListSource),
}

/// A network, by the two keys that make it one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NetworkId {
    /// The key of its file server.
    pub server: Ed25519Public,
    /// The key that signs its relay list.
    pub list: Ed25519Public,
}

impl NetworkId {
    /// The network that an invitation is to.
    #[must_use]
    pub(crate) fn of(invitation: &Invitation) -> Self {
        let parts = invitation.parts();
        Self {
            server: parts.server.key,
            list: parts.list_key,
        }
    }
}

/// How the line of a network begins; behind it stand its two keys, with a colon between them.
const NETWORK_LINE: &str = "network:";

impl FromStr for NetworkId {
    type Err = ParseSourceError;

    /// Reads what its `Display` writes, behind `network:`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (server, list) = text.split_once(':').ok_or(ParseSourceError::NoKey)?;
        Ok(Self {
            server: Ed25519Public::from_hex(server)?,
            list: Ed25519Public::from_hex(list)?,
        })
    }
}

impl fmt::Display for NetworkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.server.to_hex(), self.list.to_hex())
    }
}

impl FromStr for RelaySource {
    type Err = ParseSourceError;

    /// Reads `built-in`, `session`, the line of a list by URL or of a network, or else the path of a file: of one whose name
    /// ends in `.toml` it describes service nodes, of any other it is a list.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.trim() {
            "built-in" => Self::BuiltIn,
            "session" => Self::Session,
            line if line.contains("://") => Self::Url(line.parse()?),
            text if text.starts_with(NETWORK_LINE) => {
                Self::Network(text.trim_start_matches(NETWORK_LINE).parse()?)
            }
            path => {
                let absolute = std::path::absolute(path).unwrap_or_else(|_| path.into());
                let ending = absolute.extension();
                if ending.is_some_and(|ending| ending.eq_ignore_ascii_case("toml")) {
                    Self::ServiceNodes(absolute)
                } else {
                    Self::File(absolute)
                }
            }
        })
    }
}

impl RelaySource {
    /// What [`FromStr`] reads.
    #[must_use]
    pub(crate) fn to_line(&self) -> String {
        match self {
            Self::BuiltIn => "built-in".to_owned(),
            Self::File(path) | Self::ServiceNodes(path) => path.to_string_lossy().into_owned(),
            Self::Network(network) => format!("{NETWORK_LINE}{network}"),
            Self::Session => "session".to_owned(),
            Self::Url(source) => source.to_string(),
        }
    }

    /// What is remembered about relays is remembered under this name, so that sources do not mix.
    #[must_use]
    pub(crate) fn id(&self) -> String {
        let short = |text: &str| {
            Digest::of(text.as_bytes())
                .to_hex()
                .chars()
                .take(16)
                .collect()
        };
        let (kind, name): (_, String) = match self {
            Self::BuiltIn => return "built-in".to_owned(),
            Self::Session => return "session".to_owned(),
            Self::File(path) => ("file", short(&path.to_string_lossy())),
            Self::ServiceNodes(path) => ("nodes", short(&path.to_string_lossy())),
            Self::Network(network) => ("network", short(&network.to_string())),
            Self::Url(source) => ("list", short(&source.to_string())),
        };
        format!("{kind}-{name}")
    }
}

/// Relays that a transfer may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelaySet {
    /// The relays.
    pub list: RelayList,
    /// Network that the relays belong to.
    pub kind: NetworkKind,
    /// Where they are from.
    pub source: RelaySource,
}

impl RelaySet {
    /// The relays of a built-in network.
    #[must_use]
    pub const fn built_in(list: RelayList) -> Self {
        Self {
            list,
            kind: NetworkKind::Cloakroom,
            source: RelaySource::BuiltIn,
        }
    }

    /// The relays of a network that was joined.
    #[must_use]
    pub(super) const fn of_network(id: NetworkId, list: RelayList) -> Self {
        Self {
            list,
            kind: NetworkKind::Cloakroom,
            source: RelaySource::Network(id),
        }
    }

    /// Whether one of them will be the last relay for `host`.
    #[must_use]
    pub(crate) fn serves(&self, host: &str) -> bool {
        self.list
            .relays
            .iter()
            .any(|relay| relay.serves.includes(host))
    }

    /// What a pointer carries for a recipient without relays: the line of a list by URL, nothing of any other source.
    #[must_use]
    pub(crate) fn line(&self) -> Option<String> {
        match &self.source {
            RelaySource::Url(source) => Some(source.to_string()),
            RelaySource::BuiltIn
            | RelaySource::File(_)
            | RelaySource::Network(_)
            | RelaySource::ServiceNodes(_)
            | RelaySource::Session => None,
        }
    }
}

/// A list that a pointer names, for a recipient whose own relays do not reach its server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayOffer {
    /// The list. Fetching it shows this computer's address to [`ListSource::host`], once.
    pub list: ListSource,
    /// The server that it would be used for.
    pub server: ServerAddress,
}

impl RelayOffer {
    /// What a pointer offers.
    #[must_use]
    pub fn of(pointer: &Pointer) -> Option<Self> {
        Some(Self {
            list: pointer.relay_list.as_deref()?.parse().ok()?,
            server: pointer.server.clone(),
        })
    }
}

/// What a list is used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UseFor {
    /// For every server; the caller keeps that in the settings.
    All,
    /// For the server with this address, unless the person's own relays serve it.
    Server(ServerAddress),
}

/// Why a source gives no relays.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RelaySourceError {
    /// The time of the last good list has passed.
    #[error("the relay list has expired, and no newer one came")]
    Ended,
    /// It could not be fetched.
    #[error("{host}: {why}")]
    Fetch {
        /// The host that was asked.
        host: String,
        /// Why its answer is no list.
        why: FetchError,
    },
    /// The newest list of a network lacks more than half of the relays of the one before, so the person looks at it first.
    #[error("the newest list of the network lacks {gone} of {before} relays")]
    ManyGone {
        /// Number of relays of the list before.
        before: usize,
        /// Number of them that the newest list lacks.
        gone: usize,
    },
    /// The settings name a list that is not here.
    #[error("the relay list was never fetched on this computer")]
    NotHere,
    /// What was fetched is refused.
    #[error(transparent)]
    Refused(#[from] ListRefused),
    /// No seed gave any nodes.
    #[error("none of the seeds gave a list: {0}")]
    Seeds(FetchError),
    /// The file that describes service nodes does not.
    #[error("the file describes no network of service nodes: {0}")]
    ServiceNodeFile(#[from] ServiceNodeFileError),
    /// It could not be kept.
    #[error("the relay list could not be kept: {0}")]
    Store(IoReason),
    /// What is kept of relay lists is there and cannot be used, so that it is not known which lists there are.
    #[error(transparent)]
    Unread(#[from] UnreadFile),
}

impl From<io::Error> for RelaySourceError {
    fn from(error: io::Error) -> Self {
        Self::Store(error.into())
    }
}
