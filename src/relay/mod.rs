//! The relay: takes its layer off a request, passes the rest to the party that the layer names, and seals the answer.
//!
//! * [`node`]: the decision, synchronous: peel, replay, relay list, the rule for servers.
//! * [`addresses`]: which addresses are of this machine.
//! * [`config`]: the settings of its operator.
//! * `forward`: moves bytes and time; `resolve`: names of servers.
//! * [`join`]: keeps it in a network; `newer_list`: how a request asks for the list of that network.
//!
//! It keeps nothing but its place in its network, and its logs have no address, host, size or key.

use std::{collections::HashMap, net::SocketAddr, num::NonZeroU16, sync::Arc};

use bytes::Bytes;
use hyper::{Method, Request, StatusCode, body::Incoming};

use crate::{
    protocol::{
        keys::{Ed25519Public, Identity},
        onion::{GUARD_ENDPOINT, MAX_MESSAGE_LEN},
        relay_list::{RelayDescriptor, Serves},
    },
    wire::{
        admission::{Admission, Caller, Rules},
        body::{self, BodyLimits},
        clock::{self, Clock},
        listener::{self, HttpResponse, ListenConfig, ListenError, Listening, answer},
        random,
        resolve::{self as resolve_name, Resolver},
        tls::{self, TlsSetupError},
        web_guard::WebGuard,
    },
};

pub mod addresses;
pub mod config;
mod forward;
pub mod join;
mod newer_list;
pub mod node;
mod resolve;

use config::RelaySettings;
use forward::Forwarder;
use newer_list::{NewerList, WaitingRequests};
use node::{FirstLook, ProxyRule, RelayNode};

/// How a relay runs.
pub struct RelayConfig {
    /// What its operator decides.
    pub settings: RelaySettings,
    /// Identity of the relay.
    pub key: Identity,
    /// Relays to which this one forwards; [`RunningRelay::set_relays`] replaces them.
    pub relays: Vec<RelayDescriptor>,
    /// Host of the server of the network that it joins, for which it is the last relay unless its operator says otherwise.
    pub network_host: Option<String>,
    /// How long and how slow one body may be, of a request and of an answer.
    pub limits: BodyLimits,
    /// Whether each address has its share of the relay and no more: all but the network that is built in.
    pub limit_addresses: bool,
    /// Source of the time.
    pub clock: Clock,
    /// How the names of servers become addresses.
    pub resolver: Resolver,
}

impl RelayConfig {
    /// A relay with the default settings but for where it listens: it knows no others yet and is last for no host.
    #[must_use]
    pub fn new(listen: SocketAddr, key: Identity) -> Self {
        let settings = RelaySettings {
            listen,
            ..RelaySettings::default()
        };
        Self::with_settings(settings, key)
    }

    /// A relay with these settings that knows no others yet.
    #[must_use]
    pub(crate) fn with_settings(settings: RelaySettings, key: Identity) -> Self {
        Self {
            settings,
            key,
            relays: Vec::new(),
            network_host: None,
            limits: LIMITS,
            limit_addresses: true,
            clock: clock::system(),
            resolver: resolve_name::system(),
        }
    }

    /// The list entry of a relay with this configuration that listens on `port`, and is reached there unless the settings say
    /// otherwise.
    ///
    /// # Errors
    /// [`StartRelayError::NoHost`] when it listens on every address and nobody said which one others should use.
    pub(crate) fn descriptor(&self, port: u16) -> Result<RelayDescriptor, StartRelayError> {
        let host = match self.settings.public_host {
            Some(host) => host,
            None if self.settings.listen.ip().is_unspecified() => {
                return Err(StartRelayError::NoHost);
            }
            None => self.settings.listen.ip(),
        };
        Ok(RelayDescriptor {
            key: self.key.public(),
            host,
            port: self.settings.public_port.map_or(port, NonZeroU16::get),
            operator: self.settings.operator.clone(),
            serves: self.rule().serves(),
        })
    }

    fn rule(&self) -> ProxyRule {
        let own = [Some(self.settings.listen.ip()), self.settings.public_host]
            .into_iter()
            .flatten()
            .collect();
        let allow_private = self.settings.allow_private;
        match (&self.settings.serves, &self.network_host) {
            (Some(serves), _) => ProxyRule::new(serves.clone(), allow_private, own),
            (None, Some(host)) => ProxyRule::of_network(host, allow_private, own),
            (None, None) => ProxyRule::new(Serves::None, allow_private, own),
        }
    }
}

/// A relay.
#[derive(Debug)]
pub struct Relay;

impl Relay {
    /// Binds the port and serves it over TLS.
    ///
    /// # Errors
    /// [`StartRelayError`].
    pub async fn start(config: RelayConfig) -> Result<RunningRelay, StartRelayError> {
        let bound = listener::bind(config.settings.listen).await?;
        let addr = bound.addr();
        let descriptor = config.descriptor(addr.port())?;
        let rule = Arc::new(config.rule());
        let tls = tls::relay_server_config(&config.key)?;
        let named = SocketAddr::new(descriptor.host, descriptor.port).to_string();
        // Clients leave the usual port out.
        let named = named.strip_suffix(":443").unwrap_or(&named);
        let admission = Admission::new(Rules {
            max_connections: config.settings.max_connections,
            max_memory: config.settings.max_memory,
            trusted_proxies: config.settings.trusted_proxies,
            limit_addresses: config.limit_addresses,
            ..Rules::default()
        });
        let forwarder = Forwarder::new(
            Arc::clone(&rule),
            config.resolver,
            &config.key.public(),
            admission.clone(),
            config.limits,
        )?;
        let shared = Arc::new(RelayService {
            node: RelayNode::new(&config.key, rule),
            newer_list: NewerList::default(),
            forwarder,
            guard: WebGuard::new(addr, Some(named)),
            admission: admission.clone(),
            limits: config.limits,
            clock: config.clock,
        });
        shared.set_relays(config.relays);
        let serving = Arc::clone(&shared);
        let listen = ListenConfig {
            admission,
            ..ListenConfig::new(addr).with_tls(tls)
        };
        let listening = bound.serve(listen, move |caller, request| {
            let shared = Arc::clone(&serving);
            async move { shared.answer(&caller, request).await }
        });
        Ok(RunningRelay {
            descriptor,
            shared,
            listening,
        })
    }
}

/// Lets these relays forward to each other, and returns their entries for a list. A relay knows its port only when it
/// listens, so all of them must run before they learn of each other.
#[must_use]
pub fn introduce(relays: &[RunningRelay]) -> Vec<RelayDescriptor> {
    let entries: Vec<_> = relays
        .iter()
        .map(|relay| relay.descriptor().clone())
        .collect();
    for relay in relays {
        relay.set_relays(entries.clone());
    }
    entries
}

/// A relay that runs until [`Self::stop`] or drop.
pub struct RunningRelay {
    descriptor: RelayDescriptor,
    shared: Arc<RelayService>,
    listening: Listening,
}

impl RunningRelay {
    /// Entry of this relay for a relay list.
    #[must_use]
    pub fn descriptor(&self) -> &RelayDescriptor {
        &self.descriptor
    }

    /// Address at which the relay listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.listening.addr()
    }

    /// Replaces the relays to which this one forwards; requests under way are not touched.
    pub fn set_relays(&self, relays: Vec<RelayDescriptor>) {
        self.shared.set_relays(relays);
    }

    /// The requests that from now on wait for a newer list than the one that is held.
    fn waiting_requests(&self) -> WaitingRequests {
        self.shared.newer_list.follow()
    }

    /// Finishes what runs, for a bounded time, and refuses what is new.
    pub async fn stop(self) {
        self.listening.stop().await;
    }
}

/// Why a relay did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartRelayError {
    /// The HTTP client cannot be set up.
    #[error("the relay's HTTP client cannot be set up")]
    Client(#[from] reqwest::Error),
    /// The port cannot be bound.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// It listens on every address and nobody said which one others should use.
    #[error("a relay that listens on every address needs a public host to hand out")]
    NoHost,
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsSetupError),
}

struct RelayService {
    node: RelayNode,
    newer_list: NewerList,
    forwarder: Forwarder,
    guard: WebGuard,
    admission: Admission,
    limits: BodyLimits,
    clock: Clock,
}

impl RelayService {
    fn set_relays(&self, relays: Vec<RelayDescriptor>) {
        let known: HashMap<Ed25519Public, RelayDescriptor> =
            relays.into_iter().map(|relay| (relay.key, relay)).collect();
        self.admission
            .set_listed(known.values().map(|relay| relay.host));
        self.forwarder.forget_others(&known);
        self.node.set_relays(known);
    }

    /// Answers one request. When the party before hangs up, this future is dropped, and the onward request with it.
    async fn answer(self: Arc<Self>, caller: &Caller, request: Request<Incoming>) -> HttpResponse {
        if let Err(refused) = self.guard.check(request.headers()) {
            return answer(StatusCode::FORBIDDEN, refused.to_string());
        }
        if request.method() != Method::POST || request.uri().path() != GUARD_ENDPOINT {
            return answer(StatusCode::NOT_FOUND, "Not found");
        }
        let (head, body) = request.into_parts();
        let held = match body::read_request(&head.headers, body, &self.limits, caller).await {
            Ok(held) => held,
            Err(error) => return answer(error.status(), error.to_string()),
        };
        let (bytes, reservation) = held.into_parts();
        let now = (self.clock)();
        let deciding = Arc::clone(&self);
        let from = caller.ip();
        let look = tokio::task::spawn_blocking(move || {
            let rng = &mut random::system();
            deciding.node.first_look(bytes, from, now, rng)
        })
        .await;
        let decision = match look {
            Ok(FirstLook::Decided(decision)) => decision,
            Ok(FirstLook::Unlisted(request)) => {
                self.newer_list.wait().await;
                self.node.look_again(request, from, &mut random::system())
            }
            Err(_panicked) => {
                let said = Bytes::from_static(b"Internal error");
                return answer(StatusCode::INTERNAL_SERVER_ERROR, said);
            }
        };
        let (status, body) = self
            .forwarder
            .carry_out(decision, reservation, caller)
            .await;
        answer(status, body)
    }
}

const LIMITS: BodyLimits = BodyLimits::of(MAX_MESSAGE_LEN as u64);
