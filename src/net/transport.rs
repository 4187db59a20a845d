//! Posts one sealed request over HTTP and reads its answer.
//!
//! A relay is reached over TLS 1.3 with a certificate of exactly the key its list entry names; a server (only when
//! the person chose to go there without relays) by its base address, since what travels is sealed to its key.
//! Every wait has a limit ([`TimeLimits`]). A party that moves bytes slower than [`PaceLimits`] counts as silent: a guard must
//! not hold a transfer by a byte now and then. Connections go through the person's SOCKS5 proxy, when they chose one.

use core::time::Duration;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use reqwest::{Client, Response};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::client;
use super::progress::{Moved, Progress};
use super::session_tls;
use super::socks::{ProxyFailure, SocksProxy};
use super::spare_buffers::SpareBuffers;
use crate::protocol::address::ServerUrl;
use crate::protocol::exchange::{Attempt, AttemptOutcome, IDLE_LIMIT};
use crate::protocol::onion::{GUARD_ENDPOINT, SERVER_ENDPOINT};
use crate::protocol::relay_list::RelayDescriptor;
use crate::wire::pace::{PaceLimits, PaceMeter, TooSlow};
use crate::wire::post::{PostError, Waits, post};
use crate::wire::tls;

/// Where a request is posted.
#[derive(Clone, Copy)]
pub(crate) enum PostTarget<'a> {
    /// A guard.
    Relay(&'a RelayDescriptor),
    /// A file server, without relays.
    Server(&'a ServerUrl),
    /// A guard of Session's network, whose certificate says nothing.
    SessionRelay(&'a RelayDescriptor),
}

/// Why a request was not posted, though nobody on the path is to blame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotPosted {
    /// The person cancelled.
    Cancelled,
    /// The person's proxy cannot be used.
    Proxy(ProxyFailure),
}

/// Time limits of a try. The wait for the first byte of the answer is part of each [`Attempt`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeLimits {
    /// For making the connection, TLS and proxy included.
    pub connect: Duration,
    /// How slowly bytes may move on a connection that stands, while the request is sent and while the answer is read.
    pub pace: PaceLimits,
    /// A person who cancels a try on whose connection nothing has moved for so long gave up on a party that is silent.
    pub patience: Duration,
}

impl TimeLimits {
    /// Straight, or through a proxy, which may take longer to connect.
    #[must_use]
    pub(crate) const fn of(proxy: Option<&SocksProxy>) -> Self {
        Self {
            connect: client::connect_limit(proxy),
            pace: PaceLimits {
                first: IDLE_LIMIT,
                window: IDLE_LIMIT,
                ..PaceLimits::USUAL
            },
            patience: PATIENCE,
        }
    }
}

/// Posts over HTTP/1.1.
#[derive(Clone, Debug)]
pub(crate) struct HttpTransport {
    proxy: Option<SocksProxy>,
    limits: TimeLimits,
    buffers: SpareBuffers,
}

impl HttpTransport {
    /// A transport that goes out through `proxy`, or straight.
    #[must_use]
    pub(crate) fn through(proxy: Option<SocksProxy>) -> Self {
        let limits = TimeLimits::of(proxy.as_ref());
        Self {
            proxy,
            limits,
            buffers: SpareBuffers::default(),
        }
    }

    /// A transport that reads answers into `buffers`, and gives the memory of requests that were sent back to them.
    #[must_use]
    pub(crate) fn with_buffers(self, buffers: SpareBuffers) -> Self {
        Self { buffers, ..self }
    }

    /// A transport with these time limits instead of the usual ones.
    #[cfg(test)]
    #[must_use]
    pub(crate) fn with_limits(self, limits: TimeLimits) -> Self {
        Self { limits, ..self }
    }

    /// Posts `attempt` and reads the answer.
    ///
    /// # Errors
    /// [`NotPosted::Cancelled`] as soon as `cancel` fires; the connection is then dropped. If nothing had moved on it for
    /// [`TimeLimits::patience`], the outcome is [`AttemptOutcome::TimedOut`] instead, from which something is learned.
    /// [`NotPosted::Proxy`] when no connection came about and the proxy is why.
    pub(crate) async fn post(
        &self,
        target: PostTarget<'_>,
        attempt: Attempt,
        progress: &Progress,
        cancel: &CancellationToken,
    ) -> Result<AttemptOutcome, NotPosted> {
        progress.set(Moved::Connecting);
        let last = LastMove::default();
        let progress = last.watching(progress);
        tokio::select! {
            () = cancel.cancelled() => if last.is_older_than(self.limits.patience) {
                Ok(AttemptOutcome::TimedOut)
            } else {
                Err(NotPosted::Cancelled)
            },
            outcome = self.exchange(target, attempt, &progress) => outcome,
        }
    }

    /// A client for one try: through a proxy, each has a login of its own, a retry too, which may so leave a circuit that
    /// does not work.
    async fn client_for(&self, target: PostTarget<'_>) -> Option<Client> {
        let proxy = match &self.proxy {
            Some(proxy) => Some(proxy.isolated().await),
            None => None,
        };
        let proxy = proxy.as_ref();
        let builder = match target {
            PostTarget::Relay(relay) => client::builder(proxy)
                .ok()?
                .tls_backend_preconfigured(tls::pinned_client_config(&relay.key).ok()?),
            PostTarget::SessionRelay(_) => client::builder(proxy)
                .ok()?
                .tls_backend_preconfigured(session_tls::node_client_config().ok()?),
            PostTarget::Server(_) => client::web_builder(proxy)?,
        };
        builder.connect_timeout(self.limits.connect).build().ok()
    }

    async fn exchange(
        &self,
        target: PostTarget<'_>,
        attempt: Attempt,
        progress: &Progress,
    ) -> Result<AttemptOutcome, NotPosted> {
        let Some(client) = self.client_for(target).await else {
            return Ok(AttemptOutcome::Unreachable);
        };
        let outcome = self.exchange_by(&client, target, attempt, progress).await;
        if let (AttemptOutcome::Unreachable, Some(proxy)) = (&outcome, &self.proxy)
            && let Some(failure) = proxy.diagnose().await
        {
            return Err(NotPosted::Proxy(failure));
        }
        Ok(outcome)
    }

    async fn exchange_by(
        &self,
        client: &Client,
        target: PostTarget<'_>,
        attempt: Attempt,
        progress: &Progress,
    ) -> AttemptOutcome {
        let (limits, buffers) = (&self.limits, &self.buffers);
        let url = match target {
            PostTarget::Relay(relay) | PostTarget::SessionRelay(relay) => format!(
                "https://{}{GUARD_ENDPOINT}",
                std::net::SocketAddr::new(relay.host, relay.port)
            ),
            PostTarget::Server(server) => format!("{}{SERVER_ENDPOINT}", server.as_str()),
        };
        let total = attempt.body.len() as u64;
        let waits = Waits {
            pace: limits.pace,
            answer: attempt.answer_wait,
        };
        let told = |sent| {
            progress.set(match sent {
                0 => Moved::Connecting,
                sent if sent < total => Moved::Sending { sent, total },
                _ => Moved::Crossing,
            });
        };
        let body = buffers.lend(attempt.body);
        match post(client.post(url), body, waits, told).await {
            Ok(response) if response.status() == reqwest::StatusCode::OK => {
                read(
                    response,
                    attempt.max_answer_len,
                    progress,
                    &limits.pace,
                    buffers,
                )
                .await
            }
            Ok(response) => {
                let status = response.status().as_u16();
                let (silent, pace) = (Progress::none(), &limits.pace);
                let text = match read(response, PLAIN_TEXT_LEN, &silent, pace, buffers).await {
                    AttemptOutcome::Answered(text) => String::from_utf8_lossy(&text).into_owned(),
                    _ => String::new(),
                };
                AttemptOutcome::Plain { status, text }
            }
            // Nothing is taken before the connection stands.
            Err(PostError::NotTaken { taken: 0 }) => AttemptOutcome::Unreachable,
            Err(PostError::Http(error)) if error.is_connect() => {
                debug!("the first party of the path could not be reached");
                AttemptOutcome::Unreachable
            }
            Err(PostError::NoAnswer | PostError::NotTaken { .. }) => AttemptOutcome::TimedOut,
            Err(PostError::Http(error)) if error.is_timeout() => AttemptOutcome::TimedOut,
            Err(PostError::Http(_broken)) => AttemptOutcome::Broken,
        }
    }
}

async fn read(
    mut response: Response,
    max_len: usize,
    progress: &Progress,
    limits: &PaceLimits,
    buffers: &SpareBuffers,
) -> AttemptOutcome {
    let declared = response.content_length();
    if declared.is_some_and(|len| len > max_len as u64) {
        return AttemptOutcome::Broken;
    }
    let mut body = buffers.take(
        declared
            .and_then(|len| usize::try_from(len).ok())
            .unwrap_or(0),
    );
    let len = declared.unwrap_or(max_len as u64);
    let mut pace = PaceMeter::new(limits, len, Instant::now());
    let failed = loop {
        match pace.watch(response.chunk()).await {
            Err(TooSlow) => break AttemptOutcome::TimedOut,
            Ok(Err(_broken)) => break AttemptOutcome::Broken,
            Ok(Ok(None)) => return AttemptOutcome::Answered(body),
            Ok(Ok(Some(chunk))) if body.len() + chunk.len() > max_len => {
                break AttemptOutcome::Broken;
            }
            Ok(Ok(Some(chunk))) => body.extend_from_slice(&chunk),
        }
        pace.moved(body.len() as u64);
        progress.set(Moved::Receiving {
            received: body.len() as u64,
            total: declared.unwrap_or(0),
        });
    };
    buffers.put(body);
    failed
}

/// The time at which bytes last moved on the connection of a try; `None` before it is made.
#[derive(Default)]
struct LastMove(Arc<Mutex<Option<Instant>>>);

impl LastMove {
    /// Tells `progress`, and notes the time.
    fn watching(&self, progress: &Progress) -> Progress {
        let (at, told) = (Arc::clone(&self.0), progress.clone());
        Progress::new(move |moved| {
            if moved != Moved::Connecting {
                *at.lock() = Some(Instant::now());
            }
            told.set(moved);
        })
    }

    fn is_older_than(&self, limit: Duration) -> bool {
        let at = *self.0.lock();
        at.is_some_and(|at| at.elapsed() >= limit)
    }
}

/// Longer than a small request takes through three relays.
const PATIENCE: Duration = Duration::from_secs(60);
const PLAIN_TEXT_LEN: usize = 1_024;

#[cfg(test)]
mod tests {
    use core::future::pending;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::server::TlsStream;

    use super::*;
    use crate::protocol::keys::Identity;
    use crate::protocol::relay_list::Serves;

    const SHORT: Duration = Duration::from_millis(400);
    const LONG: Duration = Duration::from_secs(60);
    /// No buffers of the system take a body of this length.
    const BIG: usize = 40_000_000;

    /// A guard that treats its one connection like that.
    async fn guard<F>(
        treat: impl FnOnce(TcpStream, TlsAcceptor) -> F + Send + 'static,
    ) -> RelayDescriptor
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let identity = Identity::from_seed([1; 32]);
        let acceptor = TlsAcceptor::from(Arc::new(tls::relay_server_config(&identity).unwrap()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            treat(stream, acceptor).await;
        });
        RelayDescriptor {
            key: identity.public(),
            host: addr.ip(),
            port: addr.port(),
            operator: String::new(),
            serves: Serves::Any,
        }
    }

    /// Reads a request of `len` bytes to its end.
    async fn take(stream: TcpStream, acceptor: &TlsAcceptor, len: usize) -> TlsStream<TcpStream> {
        let mut stream = acceptor.accept(stream).await.unwrap();
        let mut read = Vec::new();
        loop {
            assert_ne!(stream.read_buf(&mut read).await.unwrap(), 0);
            let end = read.windows(4).position(|four| four == b"\r\n\r\n");
            if end.is_some_and(|end| read.len() == end + 4 + len) {
                return stream;
            }
        }
    }

    /// What comes of posting `len` bytes, where the progress stood, and whether a long limit was waited for.
    async fn post(
        guard: &RelayDescriptor,
        len: usize,
        wait: Duration,
        limits: TimeLimits,
    ) -> (AttemptOutcome, Moved) {
        run(guard, attempt(len, wait), limits).await
    }

    fn attempt(len: usize, wait: Duration) -> Attempt {
        Attempt {
            path: None,
            body: vec![7; len],
            answer_wait: wait,
            max_answer_len: 1_000,
        }
    }

    async fn run(
        guard: &RelayDescriptor,
        attempt: Attempt,
        limits: TimeLimits,
    ) -> (AttemptOutcome, Moved) {
        let stood = Arc::new(Mutex::new(Moved::Connecting));
        let told = Arc::clone(&stood);
        let progress = Progress::new(move |moved| *told.lock() = moved);
        let began = Instant::now();
        let outcome = HttpTransport::through(None)
            .with_limits(limits)
            .post(
                PostTarget::Relay(guard),
                attempt,
                &progress,
                &CancellationToken::new(),
            )
            .await;
        assert!(began.elapsed() < LONG / 2, "only the short limit ran out");
        let stood = *stood.lock();
        (outcome.unwrap(), stood)
    }

    /// A body of any length may take so long, however slowly it moves.
    const fn silence(window: Duration) -> PaceLimits {
        PaceLimits {
            first: window,
            window,
            window_bytes: 1,
            whole: LONG,
            ..PaceLimits::USUAL
        }
    }

    const NEITHER: TimeLimits = TimeLimits {
        connect: LONG,
        pace: silence(LONG),
        patience: LONG,
    };
    const CONNECT: TimeLimits = TimeLimits {
        connect: SHORT,
        ..NEITHER
    };
    const IDLE: TimeLimits = TimeLimits {
        pace: silence(SHORT),
        ..NEITHER
    };
    const PACE: TimeLimits = TimeLimits {
        pace: PaceLimits {
            window_bytes: 1 << 30,
            ..silence(SHORT)
        },
        ..NEITHER
    };
    const IMPATIENT: TimeLimits = TimeLimits {
        patience: Duration::ZERO,
        ..NEITHER
    };

    #[tokio::test(flavor = "multi_thread")]
    async fn a_guard_that_shows_no_key_is_not_reached() {
        let silent = guard(|stream, _| async move {
            pending::<()>().await;
            drop(stream);
        })
        .await;
        let (outcome, stood) = post(&silent, 2_560, LONG, CONNECT).await;
        assert_eq!(
            (outcome, stood),
            (AttemptOutcome::Unreachable, Moved::Connecting)
        );
        let closes = guard(|stream, _| async move { drop(stream) }).await;
        assert_eq!(
            post(&closes, 2_560, LONG, NEITHER).await.0,
            AttemptOutcome::Unreachable
        );
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_guard_that_takes_no_more_of_the_request_ends_the_try() {
        let stalling = guard(|stream, acceptor| async move {
            let stream = acceptor.accept(stream).await.unwrap();
            pending::<()>().await;
            drop(stream);
        })
        .await;
        let (outcome, stood) = post(&stalling, BIG, LONG, IDLE).await;
        assert_eq!(outcome, AttemptOutcome::TimedOut);
        assert!(matches!(stood, Moved::Sending { sent, total } if 0 < sent && sent < total));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_answer_that_does_not_begin_is_waited_for_as_long_as_the_attempt_says() {
        let stalling = guard(|stream, acceptor| async move {
            let stream = take(stream, &acceptor, 2_560).await;
            pending::<()>().await;
            drop(stream);
        })
        .await;
        let (outcome, stood) = post(&stalling, 2_560, SHORT, NEITHER).await;
        assert_eq!(
            (outcome, stood),
            (AttemptOutcome::TimedOut, Moved::Crossing)
        );
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_answer_that_stands_still_ends_the_try() {
        let stalling = guard(|stream, acceptor| async move {
            let mut stream = take(stream, &acceptor, 2_560).await;
            let part = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhalf";
            stream.write_all(part).await.unwrap();
            stream.flush().await.unwrap();
            pending::<()>().await;
        })
        .await;
        let (outcome, stood) = post(&stalling, 2_560, LONG, IDLE).await;
        let half = Moved::Receiving {
            received: 4,
            total: 500,
        };
        assert_eq!((outcome, stood), (AttemptOutcome::TimedOut, half));
    }

    /// Reads, or writes, a little all the time, for ever.
    async fn crawl(mut stream: TlsStream<TcpStream>, writes: bool) {
        let mut one = [b'x'];
        loop {
            let moved = if writes {
                stream.write_all(&one).await
            } else {
                stream.read_exact(&mut one).await.map(drop)
            };
            if moved.is_err() || (writes && stream.flush().await.is_err()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_answer_that_drips_is_silence() {
        let dripping = guard(|stream, acceptor| async move {
            let mut stream = take(stream, &acceptor, 2_560).await;
            // Longer than all that drips within the test.
            let head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n";
            stream.write_all(head).await.unwrap();
            crawl(stream, true).await;
        })
        .await;
        let attempt = |max| Attempt {
            max_answer_len: max,
            ..attempt(2_560, LONG)
        };
        let (outcome, stood) = run(&dripping, attempt(100_000_000), PACE).await;
        assert_eq!(outcome, AttemptOutcome::TimedOut);
        assert!(matches!(stood, Moved::Receiving { received, .. } if received > 1));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_guard_that_sips_at_the_request_is_silence() {
        let sipping = guard(|stream, acceptor| async move {
            crawl(acceptor.accept(stream).await.unwrap(), false).await;
        })
        .await;
        let (outcome, stood) = post(&sipping, BIG, LONG, PACE).await;
        assert_eq!(outcome, AttemptOutcome::TimedOut);
        assert!(matches!(stood, Moved::Sending { sent, total } if 0 < sent && sent < total));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn heads_before_the_answer_do_not_prolong_the_wait_for_it() {
        let chatting = guard(|stream, acceptor| async move {
            let mut stream = take(stream, &acceptor, 2_560).await;
            let head = b"HTTP/1.1 102 Processing\r\n\r\n";
            while stream.write_all(head).await.is_ok() {}
        })
        .await;
        let (outcome, stood) = post(&chatting, 2_560, SHORT, NEITHER).await;
        assert_eq!(
            (outcome, stood),
            (AttemptOutcome::TimedOut, Moved::Crossing)
        );
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn whoever_cancels_after_a_long_silence_gave_up_on_the_guard() {
        // Nothing teaches when bytes moved lately, or no connection stood.
        for (limits, connects, expected) in [
            (NEITHER, true, Err(NotPosted::Cancelled)),
            (IMPATIENT, true, Ok(AttemptOutcome::TimedOut)),
            (IMPATIENT, false, Err(NotPosted::Cancelled)),
        ] {
            let cancel = CancellationToken::new();
            let called = cancel.clone();
            let hanging = guard(move |stream, acceptor| async move {
                if connects {
                    let stream = take(stream, &acceptor, 2_560).await;
                    pending::<()>().await;
                    drop(stream);
                } else {
                    called.cancel();
                    pending::<()>().await;
                    drop(stream);
                }
            })
            .await;
            let cancelling = cancel.clone();
            let progress = Progress::new(move |moved| {
                if moved == Moved::Crossing {
                    cancelling.cancel();
                }
            });
            let outcome = HttpTransport::through(None)
                .with_limits(limits)
                .post(
                    PostTarget::Relay(&hanging),
                    attempt(2_560, LONG),
                    &progress,
                    &cancel,
                )
                .await;
            assert_eq!(outcome, expected);
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_connection_that_breaks_after_it_stood_is_told_from_one_that_never_did() {
        for answer in ["", "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhalf"] {
            let breaking = guard(move |stream, acceptor| async move {
                let mut stream = take(stream, &acceptor, 2_560).await;
                stream.write_all(answer.as_bytes()).await.unwrap();
                stream.flush().await.unwrap();
            })
            .await;
            assert_eq!(
                post(&breaking, 2_560, LONG, NEITHER).await.0,
                AttemptOutcome::Broken
            );
        }
        // Longer than anything that was asked for.
        let endless = guard(|stream, acceptor| async move {
            let mut stream = take(stream, &acceptor, 2_560).await;
            let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n";
            stream.write_all(head).await.unwrap();
            stream.flush().await.unwrap();
            pending::<()>().await;
        })
        .await;
        assert_eq!(
            post(&endless, 2_560, LONG, NEITHER).await.0,
            AttemptOutcome::Broken
        );
    }
}
