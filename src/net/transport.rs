//! Posts one sealed request over HTTP and reads its answer.
//!
//! A relay is reached over TLS 1.3 with a certificate of exactly the key its list entry names; a server (only when
//! the person chose to go there without relays) by its base address, since what travels is sealed to its key.
//! The connection to either goes through the person's SOCKS5 proxy, when they chose one.

use core::pin::Pin;
use core::task::{Context, Poll};
use std::convert::Infallible;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use reqwest::{Client, Response};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::client;
use super::progress::{Moved, Progress};
use super::session_tls;
use super::socks::{ProxyFailure, SocksProxy};
use crate::protocol::address::ServerUrl;
use crate::protocol::onion::{GUARD_ENDPOINT, SERVER_ENDPOINT};
use crate::protocol::relay_list::RelayDescriptor;
use crate::protocol::transfer::{Attempt, IDLE_LIMIT, Outcome};
use crate::wire::tls;

/// Where a request is posted.
#[derive(Clone, Copy)]
pub enum Target<'a> {
    /// A guard.
    Relay(&'a RelayDescriptor),
    /// A file server, without relays.
    Server(&'a ServerUrl),
    /// A guard of Session's network, whose certificate says nothing.
    SessionRelay(&'a RelayDescriptor),
}

/// Why a request was not posted, through nobody's fault on the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotPosted {
    /// The person cancelled.
    Cancelled,
    /// Their proxy cannot be used.
    Proxy(ProxyFailure),
}

/// Posts over HTTP/1.1.
#[derive(Clone, Debug, Default)]
pub struct HttpTransport {
    proxy: Option<SocksProxy>,
}

impl HttpTransport {
    /// A transport that goes out through `proxy`, or straight.
    #[must_use]
    pub const fn through(proxy: Option<SocksProxy>) -> Self {
        Self { proxy }
    }

    /// Posts `attempt` and reads the answer.
    ///
    /// # Errors
    /// [`NotPosted::Cancelled`] as soon as `cancel` fires; the connection is then dropped. [`NotPosted::Proxy`] when no
    /// connection came about and the proxy is why.
    pub async fn post(
        &self,
        target: Target<'_>,
        attempt: Attempt,
        progress: &Progress,
        cancel: &CancellationToken,
    ) -> Result<Outcome, NotPosted> {
        progress.set(Moved::Connecting);
        let Some(client) = client_for(target, self.proxy.as_ref()) else {
            return Ok(Outcome::Unreachable);
        };
        tokio::select! {
            () = cancel.cancelled() => Err(NotPosted::Cancelled),
            outcome = self.exchange(&client, target, attempt, progress) => outcome,
        }
    }

    async fn exchange(
        &self,
        client: &Client,
        target: Target<'_>,
        attempt: Attempt,
        progress: &Progress,
    ) -> Result<Outcome, NotPosted> {
        let outcome = exchange(client, target, attempt, progress).await;
        if let (Outcome::Unreachable, Some(proxy)) = (&outcome, &self.proxy)
            && let Some(failure) = proxy.diagnose().await
        {
            return Err(NotPosted::Proxy(failure));
        }
        Ok(outcome)
    }
}

async fn exchange(
    client: &Client,
    target: Target<'_>,
    attempt: Attempt,
    progress: &Progress,
) -> Outcome {
    let url = match target {
        Target::Relay(relay) | Target::SessionRelay(relay) => format!(
            "https://{}{GUARD_ENDPOINT}",
            std::net::SocketAddr::new(relay.host, relay.port)
        ),
        Target::Server(server) => format!("{}{SERVER_ENDPOINT}", server.as_str()),
    };
    let total = attempt.body.len() as u64;
    let (taken, mut taken_seen) = watch::channel(0);
    let body = reqwest::Body::wrap(CountedBody {
        left: attempt.body.into(),
        taken,
    });
    let sending = client.post(url).body(body).send();
    tokio::pin!(sending);
    let response = loop {
        let sent = *taken_seen.borrow_and_update();
        let limit = if sent < total {
            IDLE_LIMIT
        } else {
            attempt.answer_wait
        };
        progress.set(match sent {
            0 => Moved::Connecting,
            sent if sent < total => Moved::Sending { sent, total },
            _ => Moved::Crossing,
        });
        tokio::select! {
            response = &mut sending => break response,
            // A closed channel means that the body is gone: the answer, or an error, is next.
            changed = taken_seen.changed() => if changed.is_err() {
                match timeout(limit, &mut sending).await {
                    Ok(response) => break response,
                    Err(_elapsed) => return Outcome::TimedOut,
                }
            },
            () = sleep(limit) => return Outcome::TimedOut,
        }
    };
    match response {
        Ok(response) if response.status() == reqwest::StatusCode::OK => {
            read(response, attempt.max_answer_len, progress).await
        }
        Ok(response) => {
            let status = response.status().as_u16();
            let text = match read(response, PLAIN_TEXT_LEN, &Progress::unseen()).await {
                Outcome::Answered(text) => String::from_utf8_lossy(&text).into_owned(),
                _ => String::new(),
            };
            Outcome::Plain { status, text }
        }
        Err(error) if error.is_connect() => {
            debug!("the first party of the path could not be reached");
            Outcome::Unreachable
        }
        Err(error) if error.is_timeout() => Outcome::TimedOut,
        Err(_broken) => Outcome::Broken,
    }
}

async fn read(mut response: Response, max_len: usize, progress: &Progress) -> Outcome {
    let declared = response.content_length();
    if declared.is_some_and(|len| len > max_len as u64) {
        return Outcome::Broken;
    }
    let mut body = Vec::with_capacity(
        declared
            .and_then(|len| usize::try_from(len).ok())
            .unwrap_or(0),
    );
    loop {
        match timeout(IDLE_LIMIT, response.chunk()).await {
            Err(_elapsed) => return Outcome::TimedOut,
            Ok(Err(_broken)) => return Outcome::Broken,
            Ok(Ok(None)) => return Outcome::Answered(body),
            Ok(Ok(Some(chunk))) if body.len() + chunk.len() > max_len => return Outcome::Broken,
            Ok(Ok(Some(chunk))) => body.extend_from_slice(&chunk),
        }
        progress.set(Moved::Receiving {
            received: body.len() as u64,
            total: declared.unwrap_or(0),
        });
    }
}

fn client_for(target: Target<'_>, proxy: Option<&SocksProxy>) -> Option<Client> {
    let builder = client::builder(proxy).ok()?;
    let builder = match target {
        Target::Relay(relay) => {
            builder.tls_backend_preconfigured(tls::pinned_client_config(&relay.key).ok()?)
        }
        Target::SessionRelay(_) => {
            builder.tls_backend_preconfigured(session_tls::node_client_config().ok()?)
        }
        Target::Server(_) => {
            tls::provider();
            builder
        }
    };
    builder.build().ok()
}

/// A body of known length that says how much of it the connection has taken.
struct CountedBody {
    left: Bytes,
    taken: watch::Sender<u64>,
}

impl Body for CountedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        // A frame is asked for when the connection has room: what was handed out before is then taken.
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        let len = self.left.len().min(FRAME_LEN);
        let frame = self.left.split_to(len);
        self.taken.send_modify(|taken| *taken += len as u64);
        Poll::Ready(Some(Ok(Frame::data(frame))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.len() as u64)
    }
}

const FRAME_LEN: usize = 16 * 1_024;
const PLAIN_TEXT_LEN: usize = 1_024;
