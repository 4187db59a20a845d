//! Carries out what the node decided: posts to the next relay or to a server, waits, and seals what comes back.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;
use hyper::StatusCode;
use parking_lot::Mutex;
use reqwest::{
    Client, ClientBuilder,
    header::{CONTENT_TYPE, HeaderValue},
};

use super::{
    StartRelayError,
    node::{Decision, ProxyRule},
    resolve::CheckedResolver,
};
use crate::{
    protocol::{
        keys::Ed25519Public,
        onion::{GUARD_ENDPOINT, ReplyLayer, UNREACHABLE},
        relay_list::RelayDescriptor,
    },
    wire::{
        admission::{Admission, Caller},
        body::{self, BodyLimits, BufferedBody, ReadBodyError},
        http_client,
        post::{PostError, Waits, post},
        random,
        reserve::Reservation,
        resolve::Resolver,
        tls,
    },
};

/// Sends requests onwards: to other relays and to servers.
pub(super) struct Forwarder {
    admission: Admission,
    limits: BodyLimits,
    rule: Arc<ProxyRule>,
    resolver: Resolver,
    relays: Mutex<HashMap<Ed25519Public, Client>>,
    http: Client,
    https: OnceLock<Client>,
}

/// Answer of the next party, or why there is none.
enum ForwardOutcome {
    Answered(BufferedBody),
    Failed { status: u16, text: String },
}

impl Forwarder {
    pub(super) fn new(
        rule: Arc<ProxyRule>,
        resolver: Resolver,
        own: &Ed25519Public,
        admission: Admission,
        limits: BodyLimits,
    ) -> Result<Self, StartRelayError> {
        // Servers by http never see TLS; naming a configuration keeps the system's certificates from being read.
        let http = to_servers(&rule, &resolver)
            .tls_backend_preconfigured(tls::pinned_client_config(own)?)
            .build()?;
        Ok(Self {
            admission,
            limits,
            rule,
            resolver,
            relays: Mutex::default(),
            http,
            https: OnceLock::new(),
        })
    }

    /// Drops the connections to relays that are not on the list.
    pub(super) fn forget_others(&self, known: &HashMap<Ed25519Public, RelayDescriptor>) {
        self.relays
            .lock()
            .retain(|key, _client| known.contains_key(key));
    }

    /// Answers the party before, the `caller`. `reservation` stands for the request's bytes and goes with them.
    pub(super) async fn carry_out(
        &self,
        decision: Decision,
        reservation: Reservation,
        caller: &Caller,
    ) -> (StatusCode, Bytes) {
        match decision {
            Decision::Refuse { status, body } => (status_code(status), body.into()),
            Decision::Forward {
                to,
                body,
                hop_no,
                reply,
            } => {
                let body = BufferedBody::new(body, reservation).into_bytes();
                let words = FailureTexts::of_a_relay(&to.key, reply.is_sealed());
                let outcome = self
                    .to_relay(&to, body, patience(hop_no), &words, caller)
                    .await;
                send_back(outcome, reply).await
            }
            Decision::Proxy {
                target,
                body,
                hop_no,
                reply,
            } => {
                let body = BufferedBody::new(body, reservation).into_bytes();
                let client = if target.https {
                    self.https()
                } else {
                    Some(self.http.clone())
                };
                let outcome = match client {
                    Some(client) => {
                        let request = Onwards {
                            client: &client,
                            url: &target.url,
                            party: host_of(&target.url),
                            patience: patience(hop_no),
                            words: &FailureTexts::of_a_server(),
                        };
                        self.post(request, body, caller).await
                    }
                    None => FailureTexts::of_a_server().unreachable(),
                };
                send_back(outcome, reply).await
            }
        }
    }

    async fn to_relay(
        &self,
        to: &RelayDescriptor,
        body: Bytes,
        patience: Duration,
        words: &FailureTexts,
        caller: &Caller,
    ) -> ForwardOutcome {
        let Some(client) = self.client_of(&to.key) else {
            return words.unreachable();
        };
        let url = format!(
            "https://{}{GUARD_ENDPOINT}",
            SocketAddr::new(to.host, to.port)
        );
        let request = Onwards {
            client: &client,
            url: &url,
            party: &to.key.to_hex(),
            patience,
            words,
        };
        self.post(request, body, caller).await
    }

    /// One request, once, within `patience` until its answer begins, and no longer without a byte taken than any body
    /// here may be silent; the answer's body has the body reader's rules.
    async fn post(&self, onwards: Onwards<'_>, body: Bytes, caller: &Caller) -> ForwardOutcome {
        let Onwards {
            client,
            url,
            party,
            patience,
            words,
        } = onwards;
        let Some(_slot) = self.admission.onward(party) else {
            return busy();
        };
        let request = client.post(url).header(CONTENT_TYPE, OCTETS);
        let waits = Waits {
            pace: self.limits.pace,
            answer: patience,
        };
        let sending = post(request, body, waits, |_taken| ());
        let response = match tokio::time::timeout(patience, sending).await {
            Err(_elapsed) => return words.timed_out(),
            Ok(Ok(response)) => response,
            Ok(Err(PostError::Http(_) | PostError::NotTaken { taken: 0 })) => {
                return words.unreachable();
            }
            Ok(Err(PostError::NoAnswer | PostError::NotTaken { .. })) => return words.timed_out(),
        };
        let (head, body) = hyper::Response::from(response).into_parts();
        match body::read_response(&head.headers, body, &self.limits, caller).await {
            Ok(held) if head.status == StatusCode::OK => ForwardOutcome::Answered(held),
            Ok(held) => ForwardOutcome::Failed {
                status: head.status.as_u16(),
                text: beginning(held.as_ref()),
            },
            Err(ReadBodyError::Busy) => busy(),
            Err(ReadBodyError::Slow) => words.timed_out(),
            Err(ReadBodyError::TooLarge) => words.too_large(),
            Err(_broken) => words.unreachable(),
        }
    }

    /// The client that speaks to the relay with this key and no other.
    fn client_of(&self, key: &Ed25519Public) -> Option<Client> {
        let mut relays = self.relays.lock();
        if let Some(client) = relays.get(key) {
            return Some(client.clone());
        }
        let client = http_client::to_relay(key)?;
        relays.insert(*key, client.clone());
        Some(client)
    }

    /// The client for servers by https, which reads the system's certificates when it is first needed.
    fn https(&self) -> Option<Client> {
        if self.https.get().is_none() {
            tls::provider();
            let client = to_servers(&self.rule, &self.resolver)
                .https_only(true)
                .build()
                .ok()?;
            drop(self.https.set(client));
        }
        self.https.get().cloned()
    }
}

/// A request to another party.
struct Onwards<'a> {
    client: &'a Client,
    url: &'a str,
    /// The name of that party: a relay's key, or a server's host.
    party: &'a str,
    /// Until the answer begins.
    patience: Duration,
    words: &'a FailureTexts,
}

/// The answer when too many requests wait for a party already, or there is no memory for its answer.
fn busy() -> ForwardOutcome {
    ForwardOutcome::Failed {
        status: 503,
        text: ReadBodyError::Busy.to_string(),
    }
}

/// The host in a URL that this relay has put together.
fn host_of(url: &str) -> &str {
    let authority = url.split('/').nth(2).unwrap_or(url);
    authority
        .rsplit_once(':')
        .map_or(authority, |(host, _port)| host)
}

/// Seals what goes back, and sends it.
async fn send_back(outcome: ForwardOutcome, reply: ReplyLayer) -> (StatusCode, Bytes) {
    let sealing = tokio::task::spawn_blocking(move || {
        let rng = &mut random::system();
        match outcome {
            ForwardOutcome::Answered(held) => {
                let (bytes, reservation) = held.into_parts();
                (
                    200,
                    BufferedBody::new(reply.answer(bytes, rng), reservation).into_bytes(),
                )
            }
            ForwardOutcome::Failed { status, text } => {
                plain_bytes(reply.failure(status, &text, rng))
            }
        }
    });
    match sealing.await {
        Ok((status, bytes)) => (status_code(status), bytes),
        Err(_panicked) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            Bytes::from_static(b"Internal error"),
        ),
    }
}

fn plain_bytes((status, bytes): (u16, Vec<u8>)) -> (u16, Bytes) {
    (status, bytes.into())
}

/// A status that this relay was given by somebody else.
fn status_code(status: u16) -> StatusCode {
    StatusCode::from_u16(status)
        .ok()
        .filter(|status| !status.is_informational())
        .unwrap_or(StatusCode::BAD_GATEWAY)
}

/// What the next party's failures are called: clients tell a relay's from a server's by these texts.
struct FailureTexts {
    unreachable: (u16, String),
    timed_out: &'static str,
    too_large: (u16, &'static str),
}

impl FailureTexts {
    /// Only who asked for a sealed return is told which relay cannot be reached. Session's nodes say of that what they
    /// say of one that is too slow, and Session Desktop gives up for good at a 502, where it tries other paths at a 504.
    fn of_a_relay(key: &Ed25519Public, sealed: bool) -> Self {
        const TIMED_OUT: &str = "Request time out";
        Self {
            unreachable: if sealed {
                (502, format!("{UNREACHABLE}{}", key.to_hex()))
            } else {
                (504, TIMED_OUT.to_owned())
            },
            timed_out: TIMED_OUT,
            too_large: (500, "Invalid response from snode"),
        }
    }

    fn of_a_server() -> Self {
        Self {
            unreachable: (502, "Server unreachable".to_owned()),
            timed_out: "Server timed out",
            too_large: (502, "Server answered too much"),
        }
    }

    fn unreachable(&self) -> ForwardOutcome {
        let (status, text) = self.unreachable.clone();
        ForwardOutcome::Failed { status, text }
    }

    fn timed_out(&self) -> ForwardOutcome {
        ForwardOutcome::Failed {
            status: 504,
            text: self.timed_out.to_owned(),
        }
    }

    fn too_large(&self) -> ForwardOutcome {
        let (status, text) = self.too_large;
        ForwardOutcome::Failed {
            status,
            text: text.to_owned(),
        }
    }
}

/// Returns the start of an error's body as text.
fn beginning(body: &[u8]) -> String {
    let end = body.len().min(MAX_WORDS_LEN);
    String::from_utf8_lossy(body.get(..end).unwrap_or_default()).into_owned()
}

/// Time to wait for an answer, by the relay's place on the path: each relay gives up before the one before it does.
fn patience(hop_no: u8) -> Duration {
    Duration::from_secs(245 - 5 * u64::from(hop_no.min(15)))
}

fn to_servers(rule: &Arc<ProxyRule>, resolver: &Resolver) -> ClientBuilder {
    http_client::builder().dns_resolver(CheckedResolver {
        rule: Arc::clone(rule),
        resolver: Arc::clone(resolver),
    })
}

const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");
const MAX_WORDS_LEN: usize = 512;

#[cfg(test)]
mod tests {
    use std::{
        net::IpAddr,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;
    use crate::relay::LIMITS;
    use crate::wire::admission::Rules;
    use crate::{
        protocol::{keys::Identity, relay_list::Serves},
        wire::resolve,
    };

    fn caller(forwarder: &Forwarder) -> Caller {
        let here = IpAddr::from([127, 0, 0, 1]);
        forwarder.admission.caller(here, &hyper::HeaderMap::new())
    }

    fn forwarder(serves: Serves, resolver: Resolver) -> Forwarder {
        tls::provider();
        let rule = Arc::new(ProxyRule::new(serves, false, Vec::new()));
        let own = Identity::from_seed([1; 32]).public();
        let admission = Admission::new(Rules::default());
        Forwarder::new(rule, resolver, &own, admission, LIMITS).unwrap()
    }

    async fn ask(forwarder: &Forwarder, url: &str, patience: Duration) -> ForwardOutcome {
        let request = Onwards {
            client: &forwarder.http,
            url,
            party: host_of(url),
            patience,
            words: &FailureTexts::of_a_server(),
        };
        forwarder
            .post(request, Bytes::new(), &caller(forwarder))
            .await
    }

    fn failed(outcome: ForwardOutcome) -> (u16, String) {
        match outcome {
            ForwardOutcome::Failed { status, text } => (status, text),
            ForwardOutcome::Answered(_) => panic!("it answered"),
        }
    }

    /// A server that takes one request and answers it with these bytes, or not at all.
    async fn server(answer: &'static [u8]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _peer) = listener.accept().await.unwrap();
            let mut asked = [0; 4096];
            while stream.read(&mut asked).await.is_ok_and(|len| len > 0) {
                stream.write_all(answer).await.ok();
            }
        });
        format!("http://127.0.0.1:{}/oxen/v4/lsrpc", addr.port())
    }

    fn loopback() -> Forwarder {
        forwarder(
            Serves::Hosts(vec!["127.0.0.1".to_owned()]),
            resolve::system(),
        )
    }

    #[test]
    fn each_relay_gives_up_before_the_one_before_it() {
        assert_eq!(patience(0), Duration::from_secs(245));
        assert_eq!(patience(15), Duration::from_secs(170));
        assert!((0..15).all(|hop_no| patience(hop_no) > patience(hop_no + 1)));
    }

    #[tokio::test]
    async fn a_server_that_says_nothing_is_given_up_after_the_patience() {
        let url = server(b"").await;
        let outcome = ask(&loopback(), &url, Duration::from_millis(50)).await;
        assert_eq!(failed(outcome), (504, "Server timed out".to_owned()));
        assert_eq!(
            failed(
                FailureTexts::of_a_relay(&Identity::from_seed([2; 32]).public(), true).timed_out()
            ),
            (504, "Request time out".to_owned())
        );
    }

    #[tokio::test]
    async fn a_party_that_takes_no_more_of_a_request_is_given_up_long_before_the_patience_ends() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!(
            "http://127.0.0.1:{}/oxen/v4/lsrpc",
            listener.local_addr().unwrap().port()
        );
        tokio::spawn(async move {
            let (stream, _peer) = listener.accept().await.unwrap();
            core::future::pending::<()>().await;
            drop(stream);
        });
        let mut forwarder = loopback();
        forwarder.limits.pace.window = Duration::from_millis(100);
        // No buffers of the system take that much.
        let body = Bytes::from(vec![7; 40_000_000]);
        let request = Onwards {
            client: &forwarder.http,
            url: &url,
            party: host_of(&url),
            patience: patience(0),
            words: &FailureTexts::of_a_server(),
        };
        let began = std::time::Instant::now();
        let outcome = forwarder.post(request, body, &caller(&forwarder)).await;
        assert_eq!(failed(outcome), (504, "Server timed out".to_owned()));
        assert!(began.elapsed() < patience(0) / 2);
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_not_followed() {
        let url = server(
            b"HTTP/1.1 307 x\r\nlocation: http://127.0.0.1:1/oxen/v4/lsrpc\r\ncontent-length: 4\r\n\r\nelse",
        );
        let outcome = ask(&loopback(), &url.await, patience(0)).await;
        assert_eq!(failed(outcome), (307, "else".to_owned()));
    }

    #[tokio::test]
    async fn an_answer_over_ten_mebibytes_is_not_taken() {
        let declared = b"HTTP/1.1 200 OK\r\ncontent-length: 10485761\r\n\r\n";
        let outcome = ask(&loopback(), &server(declared).await, patience(0)).await;
        assert_eq!(
            failed(outcome),
            (502, "Server answered too much".to_owned())
        );

        static UNDECLARED: OnceLock<Vec<u8>> = OnceLock::new();
        let endless = UNDECLARED.get_or_init(|| {
            let chunk = [b"100000\r\n".as_slice(), &vec![b'x'; 0x10_0000], b"\r\n"].concat();
            [
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".as_slice(),
                &chunk.repeat(11),
            ]
            .concat()
        });
        let forwarder = loopback();
        let outcome = ask(&forwarder, &server(endless).await, patience(0)).await;
        assert_eq!(
            failed(outcome),
            (502, "Server answered too much".to_owned())
        );
        assert_eq!(forwarder.admission.reserved_bytes(), 0);
    }

    #[tokio::test]
    async fn a_name_on_loopback_is_refused_after_it_was_resolved() {
        let forwarder = forwarder(Serves::Any, resolve::system());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = format!("http://localhost:{port}/oxen/v4/lsrpc");
        let outcome = ask(&forwarder, &url, patience(0)).await;
        assert_eq!(failed(outcome), unreachable());
        let came = tokio::time::timeout(Duration::ZERO, listener.accept()).await;
        assert!(came.is_err(), "nobody connected");
    }

    fn unreachable() -> (u16, String) {
        failed(FailureTexts::of_a_server().unreachable())
    }

    #[tokio::test]
    async fn whether_a_name_leads_inside_or_nowhere_is_not_told() {
        let inside: Resolver = Arc::new(|_name| Box::pin(async { Ok(vec![[10, 0, 0, 1].into()]) }));
        let nowhere: Resolver =
            Arc::new(|_name| Box::pin(async { Err(std::io::ErrorKind::NotFound.into()) }));
        let nothing: Resolver = Arc::new(|_name| Box::pin(async { Ok(vec![]) }));
        for resolver in [inside, nowhere, nothing] {
            let forwarder = forwarder(Serves::Any, resolver);
            let url = "http://files.example.org/oxen/v4/lsrpc";
            assert_eq!(
                failed(ask(&forwarder, url, patience(0)).await),
                unreachable()
            );
        }
    }

    #[tokio::test]
    async fn a_name_is_resolved_once_and_a_private_address_among_its_own_refuses_all() {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        // Public when it is looked at, loopback when it is connected to: what a rebinding name server does.
        let rebinding: Resolver = Arc::new(move |_name| {
            let addr: IpAddr = match counted.fetch_add(1, Ordering::SeqCst) {
                0 => [127, 0, 0, 1].into(),
                _ => [127, 0, 0, 2].into(),
            };
            Box::pin(async move { Ok(vec![addr]) })
        });
        let port = server(b"HTTP/1.1 418 x\r\ncontent-length: 0\r\n\r\n").await;
        let port = port.rsplit(':').next().unwrap().to_owned();
        let url = format!("http://files.example.org:{port}");
        let listed = forwarder(
            Serves::Hosts(vec!["files.example.org".to_owned()]),
            Arc::clone(&rebinding),
        );
        assert_eq!(
            failed(ask(&listed, &url, patience(0)).await).0,
            418,
            "the first address was connected to"
        );
        assert_eq!(asked.load(Ordering::SeqCst), 1);

        for mixed in [
            ["1.1.1.1", "10.0.0.1"],
            ["::ffff:127.0.0.1", "2606:4700::1111"],
            ["64:ff9b::a00:1", "1.1.1.1"],
        ] {
            let found: Vec<IpAddr> = mixed.map(|text| text.parse().unwrap()).to_vec();
            let resolver: Resolver = Arc::new(move |_name| {
                let found = found.clone();
                Box::pin(async move { Ok(found) })
            });
            let outcome = ask(
                &forwarder(Serves::Any, resolver),
                "http://files.example.org/oxen/v4/lsrpc",
                patience(0),
            )
            .await;
            assert_eq!(failed(outcome), unreachable(), "{mixed:?}");
        }
    }
}
