//! Requests through relays: one proves a relay that wants to join, one looks whether a listed relay still answers, one
//! whether a path of the network leads to the server and back.

use std::time::Duration;

use crate::protocol::address::ServerAddress;
use crate::protocol::file_api::FileRequest;
use crate::protocol::keys::Ed25519Public;
use crate::protocol::network::{Look, PendingProof, ProofRoute};
use crate::protocol::onion::ReplyError;
use crate::protocol::relay_list::RelayDescriptor;
use crate::wire::http_client;
use crate::wire::sealed_request::{AskError, SealedRoute, ask};

/// Sends requests through relays back to the server of the network.
pub(super) struct Prober {
    server: ServerAddress,
}

impl Prober {
    pub(super) const fn new(server: ServerAddress) -> Self {
        Self { server }
    }

    /// Sends a request through a relay that wants to join, to this server and back.
    ///
    /// # Errors
    /// [`NotProved`], for the operator alone.
    pub(super) async fn prove(&self, proof: &PendingProof) -> Result<(), NotProved> {
        let relay = proof.relay();
        let then = match proof.route() {
            ProofRoute::Alone => Vec::new(),
            ProofRoute::Before(last) => vec![last.key],
        };
        match self.ask(&relay, &then, LIMIT).await {
            Ok(()) => Ok(()),
            Err(AskError::Connection(_)) => Err(NotProved::NotReached),
            Err(AskError::Status(status)) => Err(NotProved::Status(status)),
            Err(AskError::TimedOut) => Err(NotProved::TimedOut),
            Err(AskError::Reply(ReplyError::Relay { hop: 0, text, .. })) => {
                Err(NotProved::NotForwarded(shown(&text)))
            }
            Err(AskError::Reply(ReplyError::Relay { text, .. })) => {
                Err(NotProved::NotServed(shown(&text)))
            }
            Err(
                AskError::Build(_) | AskError::NoClient | AskError::Reply(_) | AskError::TooLong,
            ) => Err(NotProved::NotOurAnswer),
        }
    }

    /// Whether a relay of the list answers at its address with its key. What it answers does not matter.
    pub(super) async fn answers(&self, look: &Look) -> bool {
        let (first, then, place) = match &look.through {
            None => (&look.relay, Vec::new(), 0),
            Some(through) => (through, vec![look.relay.key], 1),
        };
        match self.ask(first, &then, LIMIT).await {
            Ok(()) => true,
            // Its words are authentic: they open with its key, or came over TLS with its certificate.
            Err(AskError::Reply(ReplyError::Relay { hop, .. })) => hop == place,
            Err(AskError::Status(_)) => place == 0,
            Err(_) => false,
        }
    }

    /// Whether a request goes over the relays of a path to this server and comes back.
    pub(super) async fn comes_back(&self, path: &[RelayDescriptor]) -> bool {
        let Some((first, then)) = path.split_first() else {
            return false;
        };
        let then: Vec<_> = then.iter().map(|relay| relay.key).collect();
        self.ask(first, &then, PATH_LIMIT).await.is_ok()
    }

    /// Sends a request over these relays to this server and back. Only this server can have sealed the answer: what it
    /// says does not matter.
    async fn ask(
        &self,
        first: &RelayDescriptor,
        then: &[Ed25519Public],
        limit: Duration,
    ) -> Result<(), AskError> {
        let client = http_client::to_relay(&first.key).ok_or(AskError::NoClient)?;
        let route = SealedRoute::Over { first, then };
        let head = FileRequest::ServerInfo.head();
        ask(&client, route, &self.server, &head, &[], limit)
            .await
            .map(drop)
    }
}

/// The beginning of a relay's text, without what could fool a terminal.
fn shown(text: &str) -> String {
    let text = text.chars().filter(|letter| matches!(letter, ' '..='~'));
    text.take(MAX_SHOWN).collect()
}

/// Why a relay was not proved.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotProved {
    /// The relay answers, and does not pass the request on.
    #[error("it does not pass requests on: {0}")]
    NotForwarded(String),
    /// What came back is not the answer of this server.
    #[error("what came back through it is not this server's answer")]
    NotOurAnswer,
    /// No connection came about to a relay with this key.
    #[error("no relay with its key answers at its address")]
    NotReached,
    /// The relay behind it does not reach this server.
    #[error("the relay behind it does not reach this server: {0}")]
    NotServed(String),
    /// An answer without a seal.
    #[error("it answers with the HTTP status {0}")]
    Status(u16),
    /// No answer came in time.
    #[error("no answer came back in time")]
    TimedOut,
}

/// How long a request may take, there and back.
const LIMIT: Duration = Duration::from_secs(30);
/// How long a request over a whole path may take: an operator waits for it.
const PATH_LIMIT: Duration = Duration::from_secs(15);
const MAX_SHOWN: usize = 120;
