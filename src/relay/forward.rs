//! Carries out what the node decided: posts to the next relay or to a server, waits, and seals what comes back.

use std::{
    collections::HashMap,
    error::Error as _,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use hyper::StatusCode;
use reqwest::{
    Client, ClientBuilder,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{CONTENT_TYPE, HeaderValue},
};

use super::{
    LIMITS, StartError,
    node::{Decision, INVALID_URL, ProxyRule},
};
use crate::{
    protocol::{
        keys::Ed25519Public,
        onion::{GUARD_ENDPOINT, ReplyLayer, UNREACHABLE},
        relay_list::RelayDescriptor,
    },
    wire::{
        body::{self, Held, ReadBodyError},
        listener::{Answer, answer},
        random,
        reserve::{Reservation, Reservations},
        tls,
    },
};

/// The relay's way out.
pub(super) struct Forwarder {
    memory: Reservations,
    rule: Arc<ProxyRule>,
    relays: Mutex<HashMap<Ed25519Public, Client>>,
    http: Client,
    https: OnceLock<Client>,
}

/// What the next party said.
enum Outcome {
    Answered(Held),
    Failed { status: u16, text: String },
    InvalidUrl,
}

impl Forwarder {
    pub(super) fn new(
        rule: Arc<ProxyRule>,
        own: &Ed25519Public,
        memory: Reservations,
    ) -> Result<Self, StartError> {
        // Servers by http never see TLS; naming a configuration keeps the system's certificates from being read.
        let http = to_servers(&rule)
            .tls_backend_preconfigured(tls::pinned_client_config(own)?)
            .build()?;
        Ok(Self {
            memory,
            rule,
            relays: Mutex::default(),
            http,
            https: OnceLock::new(),
        })
    }

    /// Drops the connections to relays that are not on the list.
    pub(super) fn forget_others(&self, known: &HashMap<Ed25519Public, RelayDescriptor>) {
        self.relays
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|key, _client| known.contains_key(key));
    }

    /// Answers the party before. `reservation` stands for the request's bytes and goes with them.
    pub(super) async fn carry_out(&self, decision: Decision, reservation: Reservation) -> Answer {
        match decision {
            Decision::Refuse { status, body } => answer(status_code(status), body),
            Decision::Forward {
                to,
                body,
                hop_no,
                reply,
            } => {
                let body = Held::new(body, reservation).into_bytes();
                let outcome = self.to_relay(&to, body, patience(hop_no)).await;
                send_back(outcome, reply).await
            }
            Decision::Proxy {
                target,
                body,
                hop_no,
                reply,
            } => {
                let body = Held::new(body, reservation).into_bytes();
                let client = if target.https {
                    self.https()
                } else {
                    Some(self.http.clone())
                };
                let outcome = match client {
                    Some(client) => {
                        self.post(
                            &client,
                            &target.url,
                            body,
                            patience(hop_no),
                            "Server unreachable",
                        )
                        .await
                    }
                    None => Outcome::Failed {
                        status: 502,
                        text: "Server unreachable".to_owned(),
                    },
                };
                send_back(outcome, reply).await
            }
        }
    }

    async fn to_relay(&self, to: &RelayDescriptor, body: Bytes, patience: Duration) -> Outcome {
        let unreachable = format!("{UNREACHABLE}{}", to.key.to_hex());
        let Some(client) = self.client_of(&to.key) else {
            return Outcome::Failed {
                status: 502,
                text: unreachable,
            };
        };
        let url = format!(
            "https://{}{GUARD_ENDPOINT}",
            SocketAddr::new(to.host, to.port)
        );
        self.post(&client, &url, body, patience, &unreachable).await
    }

    /// One request, once, within `patience` until its answer begins; the answer's body has the body reader's rules.
    async fn post(
        &self,
        client: &Client,
        url: &str,
        body: Bytes,
        patience: Duration,
        unreachable: &str,
    ) -> Outcome {
        let sending = client
            .post(url)
            .header(CONTENT_TYPE, OCTETS)
            .body(body)
            .send();
        let response = match tokio::time::timeout(patience, sending).await {
            Err(_elapsed) => {
                return Outcome::Failed {
                    status: 504,
                    text: TIMED_OUT.to_owned(),
                };
            }
            Ok(Err(error)) if is_refused(&error) => return Outcome::InvalidUrl,
            Ok(Err(_unreachable)) => {
                return Outcome::Failed {
                    status: 502,
                    text: unreachable.to_owned(),
                };
            }
            Ok(Ok(response)) => response,
        };
        let (head, body) = hyper::Response::from(response).into_parts();
        match body::read_response(&head.headers, body, &LIMITS, &self.memory).await {
            Ok(held) if head.status == StatusCode::OK => Outcome::Answered(held),
            Ok(held) => Outcome::Failed {
                status: head.status.as_u16(),
                text: words(held.as_ref()),
            },
            Err(ReadBodyError::Busy) => Outcome::Failed {
                status: 503,
                text: ReadBodyError::Busy.to_string(),
            },
            Err(ReadBodyError::Slow) => Outcome::Failed {
                status: 504,
                text: TIMED_OUT.to_owned(),
            },
            Err(_broken_or_too_large) => Outcome::Failed {
                status: 502,
                text: unreachable.to_owned(),
            },
        }
    }

    /// The client that speaks to the relay with this key and no other.
    fn client_of(&self, key: &Ed25519Public) -> Option<Client> {
        let mut relays = self.relays.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = relays.get(key) {
            return Some(client.clone());
        }
        let tls = tls::pinned_client_config(key).ok()?;
        let client = builder()
            .tls_backend_preconfigured(tls)
            .https_only(true)
            .build()
            .ok()?;
        relays.insert(*key, client.clone());
        Some(client)
    }

    /// The client for servers by https, which reads the system's certificates when it is first needed.
    fn https(&self) -> Option<Client> {
        if self.https.get().is_none() {
            tls::provider();
            let client = to_servers(&self.rule).https_only(true).build().ok()?;
            drop(self.https.set(client));
        }
        self.https.get().cloned()
    }
}

/// Seals what goes back, and sends it.
async fn send_back(outcome: Outcome, reply: ReplyLayer) -> Answer {
    let sealing = tokio::task::spawn_blocking(move || {
        let rng = &mut random::system();
        match outcome {
            Outcome::Answered(held) => {
                let (bytes, reservation) = held.into_parts();
                (
                    200,
                    Held::new(reply.answer(bytes, rng), reservation).into_bytes(),
                )
            }
            Outcome::Failed { status, text } => plain_bytes(reply.failure(status, &text, rng)),
            Outcome::InvalidUrl => plain_bytes(reply.invalid(INVALID_URL, rng)),
        }
    });
    match sealing.await {
        Ok((status, bytes)) => answer(status_code(status), bytes),
        Err(_panicked) => answer(StatusCode::INTERNAL_SERVER_ERROR, "Internal error"),
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

/// The beginning of a failure's body.
fn words(body: &[u8]) -> String {
    let end = body.len().min(MAX_WORDS_LEN);
    String::from_utf8_lossy(body.get(..end).unwrap_or_default()).into_owned()
}

/// Each relay gives up before the one before it does.
fn patience(hop_no: u8) -> Duration {
    Duration::from_secs(245 - 5 * u64::from(hop_no.min(15)))
}

/// One try, straight to the address, nothing remembered; connections are kept for less long than listeners keep them.
fn builder() -> ClientBuilder {
    Client::builder()
        .http1_only()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(Duration::from_secs(10))
        .pool_idle_timeout(Duration::from_secs(5))
}

fn to_servers(rule: &Arc<ProxyRule>) -> ClientBuilder {
    builder().dns_resolver(CheckedResolver {
        rule: Arc::clone(rule),
    })
}

/// Resolves a name once, and connects to nothing that the rule refuses: not even to the good ones among its addresses.
struct CheckedResolver {
    rule: Arc<ProxyRule>,
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let rule = Arc::clone(&self.rule);
        Box::pin(async move {
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if !found
                .iter()
                .all(|addr| rule.allows(name.as_str(), addr.ip()))
            {
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, Refused).into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// A name stands for an address that this relay does not connect to.
#[derive(Debug, thiserror::Error)]
#[error("the address is not public")]
struct Refused;

fn is_refused(error: &reqwest::Error) -> bool {
    let mut source = error.source();
    while let Some(error) = source {
        let inner = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        if inner.is_some_and(|inner| inner.is::<Refused>()) {
            return true;
        }
        source = error.source();
    }
    false
}

const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");
const TIMED_OUT: &str = "Request time out";
const MAX_WORDS_LEN: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::relay_list::Serves;

    #[test]
    fn each_relay_gives_up_before_the_one_before_it() {
        assert_eq!(patience(0), Duration::from_secs(245));
        assert_eq!(patience(15), Duration::from_secs(170));
        assert!((0..15).all(|hop_no| patience(hop_no) > patience(hop_no + 1)));
    }

    #[tokio::test]
    async fn a_name_on_loopback_is_refused_after_it_was_resolved() {
        tls::provider();
        let rule = Arc::new(ProxyRule::new(Serves::Any, false, Vec::new()));
        let own = crate::protocol::keys::Identity::from_seed([1; 32]).public();
        let forwarder = Forwarder::new(rule, &own, Reservations::new(1 << 20)).unwrap();
        let url = "http://localhost:1024/oxen/v4/lsrpc";
        let outcome = forwarder
            .post(
                &forwarder.http,
                url,
                Bytes::new(),
                patience(0),
                "unreachable",
            )
            .await;
        assert!(matches!(outcome, Outcome::InvalidUrl));
    }
}
