//! One small sealed request to a server and its answer, over relays or straight, as a relay or a server sends it: one try,
//! nothing kept.

use std::{net::SocketAddr, time::Duration};

use reqwest::{
    Client,
    header::{CONTENT_TYPE, HeaderValue},
};

use super::random;
use crate::protocol::{
    address::ServerAddress,
    file_api::LONG_ANSWER_LEN,
    keys::Ed25519Public,
    onion::{
        BuildError, GUARD_ENDPOINT, HopCipher, OnionRoute, REQUEST_OVERHEAD, ReplyError,
        SERVER_ENDPOINT, build,
        v4::{RequestHead, Response},
    },
    relay_list::RelayDescriptor,
};

/// Which way a request goes.
#[derive(Clone, Copy)]
pub(crate) enum SealedRoute<'a> {
    /// Straight to the server.
    Straight,
    /// Over a relay, and then those with these keys.
    Over {
        /// The first relay.
        first: &'a RelayDescriptor,
        /// The relays behind it.
        then: &'a [Ed25519Public],
    },
}

impl SealedRoute<'_> {
    fn keys(&self) -> Vec<Ed25519Public> {
        match self {
            Self::Straight => Vec::new(),
            Self::Over { first, then } => [&[first.key][..], *then].concat(),
        }
    }

    fn url(&self, server: &ServerAddress) -> String {
        match self {
            Self::Straight => format!("{}{SERVER_ENDPOINT}", server.url.as_str()),
            Self::Over { first, .. } => {
                let addr = SocketAddr::new(first.host, first.port);
                format!("https://{addr}{GUARD_ENDPOINT}")
            }
        }
    }
}

/// Sends a request whose answer is at most as long as a relay list's, and returns what the server answered within `limit`.
///
/// # Errors
/// [`AskError`].
pub(crate) async fn ask(
    client: &Client,
    route: SealedRoute<'_>,
    server: &ServerAddress,
    head: &RequestHead,
    body: &[u8],
    limit: Duration,
) -> Result<Response, AskError> {
    let relays = route.keys();
    let onion = OnionRoute {
        relays: &relays,
        server,
        cipher: HopCipher::XChaCha20,
        sealed_return: true,
    };
    // What is posted has one length for all small requests.
    let built = build(&onion, head, body, &mut random::system())?;
    let url = route.url(server);
    let exchange = async {
        let request = client.post(url).header(CONTENT_TYPE, OCTETS);
        let mut response = request.body(built.body).send().await?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(AskError::Status(response.status().as_u16()));
        }
        let mut answer = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if answer.len() + chunk.len() > MAX_ANSWER_LEN {
                return Err(AskError::TooLong);
            }
            answer.extend_from_slice(&chunk);
        }
        Ok(built.reply.open(answer)?.response)
    };
    tokio::time::timeout(limit, exchange)
        .await
        .unwrap_or(Err(AskError::TimedOut))
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    /// The request cannot be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// No connection came about, or it broke.
    #[error("it cannot be reached, or the connection broke")]
    Connection(#[from] reqwest::Error),
    /// No client can be made: TLS cannot be set up.
    #[error("TLS cannot be set up")]
    NoClient,
    /// What came back is not the server's answer.
    #[error(transparent)]
    Reply(#[from] ReplyError),
    /// Another HTTP status than 200, which nobody authenticates.
    #[error("the HTTP status was {0}")]
    Status(u16),
    /// No whole answer came in time.
    #[error("no answer came in time")]
    TimedOut,
    /// The answer is longer than any that was asked for.
    #[error("the answer is too long")]
    TooLong,
}

/// A relay list is answered like a blob of the smallest class.
const MAX_ANSWER_LEN: usize = LONG_ANSWER_LEN + REQUEST_OVERHEAD;
const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");
