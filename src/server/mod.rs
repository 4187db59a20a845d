//! The file server: stores blobs it cannot read for people it cannot see.
//!
//! * [`config`]: the settings of its operator.
//! * [`store`]: where blobs lie, in a folder or a bucket.
//! * [`files`]: what clients ask of stored files, and what the operator allows.
//! * [`network`]: the network that it keeps, where its operator wants one.
//! * [`relay_lists`]: where the relay list is from that it hands out; [`relay_mirror`]: a file of its operator.
//! * [`clock_rule`]: whether the clock can be right.
//! * [`keys`]: the keys that requests are opened with.
//! * `routes`: onion requests, and plain ones where the operator wants them, over HTTP.
//! * [`operate`]: commands of the operator, metrics, counts.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    protocol::{
        address::{ParseAddressError, ServerAddress, ServerUrl},
        keys::Identity,
        onion::ReplayMemory,
    },
    wire::{
        admission::{Admission, Rules},
        clock::{self, Clock},
        listener::{self, ListenConfig, ListenError, Listening},
        web_guard::WebGuard,
    },
};

pub mod clock_rule;
pub mod config;
pub mod files;
pub mod keys;
pub mod network;
pub mod operate;
pub(crate) mod relay_lists;
pub(crate) mod relay_mirror;
mod routes;
pub mod store;
#[cfg(test)]
mod tests;

use clock_rule::{ClockRule, ClockStanding, ClockTrust};
use config::ServerSettings;
use files::Files;
use keys::{Keys, PreviousKey};
use network::command::NetworkOperator;
use network::{NetworkConfig, NetworkServer, OpenNetworkError, RelayCounts};
use operate::by_hand::Operator;
use operate::stats::Stats;
use relay_lists::RelayLists;
use store::location::StoreLocation;
use store::{BlobStore, Held, OpenStoreError, StoreFault};

/// How a server runs.
pub struct ServerConfig {
    /// What its operator decides.
    pub settings: ServerSettings,
    /// Identity of the server.
    pub key: Identity,
    /// Earlier identities; requests to these keys are answered for 60 days after they were replaced.
    pub previous_keys: Vec<PreviousKey>,
    /// The network that it keeps; none when it keeps none.
    pub network: Option<NetworkConfig>,
    /// Whether each address has its share of the server and no more: all but the network that is built in.
    pub limit_addresses: bool,
    /// How far the clock is trusted.
    pub clock_trust: ClockTrust,
    /// Source of the time.
    pub clock: Clock,
}

impl ServerConfig {
    /// A server with the default settings but for where it listens and stores.
    #[must_use]
    pub fn new(listen: SocketAddr, store: impl Into<StoreLocation>, key: Identity) -> Self {
        let settings = ServerSettings {
            listen,
            store: store.into(),
            ..ServerSettings::default()
        };
        Self::with_settings(settings, key)
    }

    /// A server with these settings, that had no other key before.
    #[must_use]
    pub(crate) fn with_settings(settings: ServerSettings, key: Identity) -> Self {
        Self {
            settings,
            key,
            previous_keys: Vec::new(),
            network: None,
            limit_addresses: true,
            clock_trust: ClockTrust::Checked,
            clock: clock::system(),
        }
    }
}

/// A file server.
#[derive(Debug)]
pub struct Server;

impl Server {
    /// Opens the store, binds the port and serves it.
    ///
    /// # Errors
    /// [`StartServerError`].
    pub async fn start(config: ServerConfig) -> Result<RunningServer, StartServerError> {
        let moved_register = config.settings.moved_register();
        let bound = listener::bind(config.settings.listen).await?;
        let addr = bound.addr();
        let url = match config.settings.public_url {
            Some(url) => url,
            None if addr.ip().is_unspecified() => return Err(StartServerError::NoUrl),
            None => ServerUrl::normalise(&format!("http://{addr}"))
                .map_err(StartServerError::Address)?,
        };
        let guard = WebGuard::new(
            addr,
            url.as_str()
                .split_once("://")
                .map(|(_scheme, authority)| authority),
        );
        let address = ServerAddress {
            url,
            key: config.key.public(),
        };

        let store = BlobStore::open(
            &config.settings.store,
            config.settings.max_total,
            config.settings.store_timeout,
        );
        let store = Arc::new(store.await?);
        let clock_rule =
            ClockRule::resume(Arc::clone(&config.clock), config.clock_trust, &store).await?;
        if let Some(warning) = clock_rule.now().standing.warning() {
            tracing::warn!("{warning}");
        }
        let admission = Admission::new(Rules {
            max_connections: config.settings.max_connections,
            max_memory: config.settings.max_memory,
            trusted_proxies: config.settings.trusted_proxies,
            limit_addresses: config.limit_addresses,
            ..Rules::default()
        });
        let network_server = NetworkServer {
            address: &address,
            access_word: config.settings.access_word.as_ref(),
            identity: &config.key,
            location: &config.settings.store,
            store: &store,
            store_timeout: config.settings.store_timeout,
            moved_register,
            clock: &config.clock,
            admission: &admission,
            accept_clock: config.clock_trust == ClockTrust::AcceptNow,
            relay_list: config.settings.relay_list.clone(),
        };
        let relay_lists = RelayLists::open(config.network, network_server).await?;
        let stats = Arc::new(Stats::default());
        let files = Arc::new(Files {
            store,
            policy: config.settings.policy,
            access_word: config.settings.access_word,
            work: config.settings.work,
            relay_lists,
            clock: clock_rule,
            stats: Arc::clone(&stats),
            probed: tokio::sync::Mutex::default(),
        });

        let stop = CancellationToken::new();
        files.relay_lists.follow(&config.clock, &admission, &stop);
        let sweeping = tokio::spawn(sweep_regularly(
            Arc::clone(&files),
            config.settings.sweep_every,
            stop.clone(),
        ));
        let routes = Arc::new(routes::Routes {
            files: Arc::clone(&files),
            keys: Arc::new(Keys::new(&config.key, &config.previous_keys)),
            seen: Mutex::new(ReplayMemory::new()),
            guard,
            plain_http: config.settings.plain_http,
            clock: config.clock,
            stats,
        });
        let listen = ListenConfig {
            admission: admission.clone(),
            stop_timeout: config.settings.stop_timeout,
            ..ListenConfig::new(addr)
        };
        let listening = bound.serve(listen, move |caller, request| {
            let routes = Arc::clone(&routes);
            async move { routes.answer(&caller, request).await }
        });
        Ok(RunningServer {
            address,
            listening,
            files,
            admission,
            sweeping: Some(sweeping),
            stop: stop.drop_guard(),
        })
    }
}

/// A server that runs until [`Self::stop`] or drop.
pub struct RunningServer {
    address: ServerAddress,
    listening: Listening,
    files: Arc<Files>,
    admission: Admission,
    sweeping: Option<JoinHandle<()>>,
    stop: DropGuard,
}

impl RunningServer {
    /// The address to hand out.
    #[must_use]
    pub fn address(&self) -> &ServerAddress {
        &self.address
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.listening.addr()
    }

    /// Its running totals, which stay readable after it has stopped.
    #[must_use]
    pub fn stats(&self) -> Arc<Stats> {
        Arc::clone(&self.files.stats)
    }

    /// A handle that reads its present state: bytes stored, memory reserved.
    #[must_use]
    pub fn gauges(&self) -> Gauges {
        Gauges {
            files: Arc::clone(&self.files),
            admission: self.admission.clone(),
        }
    }

    /// What an operator does to its store, done by this process.
    #[must_use]
    pub fn operator(&self) -> Operator {
        Operator::of(Arc::clone(&self.files.store), self.network())
    }

    /// The network that it keeps.
    #[must_use]
    pub fn network(&self) -> Option<NetworkOperator> {
        let network = self.files.relay_lists.network();
        network.map(|network| NetworkOperator::of(Arc::clone(network)))
    }

    /// How the clock stands to the last hour seen.
    #[must_use]
    pub fn clock(&self) -> ClockStanding {
        self.files.clock.now().standing
    }

    /// Finishes what runs, for a bounded time, and refuses what is new; a store in a folder is free afterwards.
    pub async fn stop(mut self) {
        self.listening.stop().await;
        drop(self.stop);
        if let Some(sweeping) = self.sweeping.take() {
            drop(sweeping.await);
        }
        self.files.store.rest().await;
    }
}

/// Reads the present state of a running server.
#[derive(Clone)]
pub struct Gauges {
    files: Arc<Files>,
    admission: Admission,
}

impl Gauges {
    /// What the store holds.
    #[must_use]
    pub fn held(&self) -> Held {
        self.files.store.held()
    }

    /// The relays of the network that it keeps.
    #[must_use]
    pub fn relays(&self) -> Option<RelayCounts> {
        let network = self.files.relay_lists.network();
        network.map(|network| network.counts())
    }

    /// The bytes of memory that bodies have reserved.
    #[must_use]
    pub fn reserved_bytes(&self) -> u64 {
        self.admission.reserved_bytes()
    }
}

async fn sweep_regularly(files: Arc<Files>, every: Duration, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut standing = ClockStanding::Right;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = files.clock.moved() => {
                if files.clock.keep(&files.store).await.is_err() {
                    tracing::warn!("the hour could not be noted; it is noted by the next sweep");
                }
                continue;
            }
            _at = ticks.tick() => {}
        }
        let now = files.clock.now().standing;
        if now != standing
            && let Some(warning) = now.warning()
        {
            tracing::warn!("{warning}");
        }
        standing = now;
        tokio::select! {
            () = stop.cancelled() => return,
            swept = files.sweep() => {
                if swept.is_err() {
                    tracing::warn!(
                        "expired blobs could not be removed; they are met again by the next sweep"
                    );
                    if !files.store.held().is_counted() {
                        ticks.reset_after(every.min(COUNT_AGAIN_AFTER));
                    }
                }
            }
        }
    }
}

/// How soon a first count of the store that failed is tried again: uploads may be waiting for it.
const COUNT_AGAIN_AFTER: Duration = Duration::from_secs(10);

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartServerError {
    /// Where it listens makes no URL.
    #[error("the listening address makes no server address ({0}); give a public URL")]
    Address(ParseAddressError),
    /// The port cannot be bound.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The network that it should keep cannot be opened.
    #[error(transparent)]
    Network(#[from] OpenNetworkError),
    /// It listens on every address and nobody said which one others should use.
    #[error("a server that listens on every address needs a public URL to hand out")]
    NoUrl,
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] OpenStoreError),
    /// The store was opened and then did not work.
    #[error("{0}; check the store and its credentials")]
    StoreFault(#[from] StoreFault),
}
