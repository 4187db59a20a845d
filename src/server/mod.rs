//! The file server: stores blobs it cannot read for people it cannot see.
//!
//! * [`config`]: an operator's settings.
//! * [`store`]: where blobs lie, in a folder or a bucket.
//! * [`files`]: what clients ask of stored files, and what the operator allows.
//! * [`relay_mirror`]: the relay list that it hands on.
//! * [`clock_rule`]: whether the clock can be right.
//! * [`keys`]: the keys that requests are opened with.
//! * `routes`: onion requests, and plain ones where the operator wants them, over HTTP.
//! * [`operate`]: commands of the operator, metrics, counts.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    protocol::{
        address::{ParseAddressError, ServerAddress, ServerUrl},
        capability::{AccessWord, work::WorkBase},
        keys::Identity,
        onion::ReplayMemory,
    },
    wire::{
        admission::{Admission, Rules},
        clock::{self, Clock},
        holder::IpNetwork,
        listener::{self, ListenConfig, ListenError, Listening},
        web_guard::WebGuard,
    },
};

pub mod clock_rule;
pub mod config;
pub mod files;
pub mod keys;
pub mod operate;
pub mod relay_mirror;
mod routes;
pub mod store;
#[cfg(test)]
mod tests;

use clock_rule::{ClockRule, ClockStanding, ClockTrust};
use files::{Files, Policy};
use keys::{Keys, PreviousKey};
use operate::operator::Operator;
use operate::stats::Stats;
use relay_mirror::RelayMirror;
use store::location::StoreLocation;
use store::{BlobStore, Held, OpenStoreError, StoreFault};

/// How a server runs.
pub struct ServerConfig {
    /// Where it listens; port 0 lets the system pick one.
    pub listen: SocketAddr,
    /// Where it stores; a folder is made if missing.
    pub store: StoreLocation,
    /// Who it is.
    pub key: Identity,
    /// Who it was: requests to these keys are still answered, for 60 days.
    pub previous_keys: Vec<PreviousKey>,
    /// Under which URL others reach it, when that is not where it listens.
    pub public_url: Option<ServerUrl>,
    /// Whether the file routes are also served outside onion requests.
    pub plain_http: bool,
    /// What uploads may be.
    pub policy: Policy,
    /// What uploads must say, when they must.
    pub access_word: Option<AccessWord>,
    /// The work that uploads must have done, when they must; such uploads must name an owner.
    pub work: Option<WorkBase>,
    /// A signed relay list to hand on, its `.sig` beside it; read again when it changes.
    pub relay_list: Option<PathBuf>,
    /// The most the store may hold, in bytes.
    pub max_total: u64,
    /// The most memory that bodies may take at once, in bytes.
    pub max_memory: u64,
    /// Connections served at once.
    pub max_connections: usize,
    /// Proxies before it, whose `X-Forwarded-For` names the client.
    pub trusted_proxies: Vec<IpNetwork>,
    /// Whether each address has its share of the server and no more: all but the network that is built in.
    pub limit_addresses: bool,
    /// How long a stop waits for what runs.
    pub stop_timeout: Duration,
    /// How long one question to the store may take.
    pub store_timeout: Duration,
    /// How often expired blobs are removed.
    pub sweep_every: Duration,
    /// How far the clock is trusted.
    pub clock_trust: ClockTrust,
    /// The time.
    pub clock: Clock,
}

impl ServerConfig {
    /// The usual limits.
    #[must_use]
    pub fn new(listen: SocketAddr, store: impl Into<StoreLocation>, key: Identity) -> Self {
        let rules = Rules::default();
        Self {
            listen,
            store: store.into(),
            key,
            previous_keys: Vec::new(),
            public_url: None,
            plain_http: false,
            policy: Policy::default(),
            access_word: None,
            work: None,
            relay_list: None,
            max_total: 10 << 30,
            max_memory: rules.max_memory,
            max_connections: rules.max_connections,
            trusted_proxies: rules.trusted_proxies,
            limit_addresses: rules.limit_addresses,
            stop_timeout: Duration::from_secs(30),
            store_timeout: Duration::from_secs(30),
            sweep_every: Duration::from_secs(10 * 60),
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
        let bound = listener::bind(config.listen).await?;
        let addr = bound.addr();
        let url = match config.public_url {
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

        let store = BlobStore::open(&config.store, config.max_total, config.store_timeout).await?;
        let clock_rule =
            ClockRule::resume(Arc::clone(&config.clock), config.clock_trust, &store).await?;
        if let Some(warning) = clock_rule.now().standing.warning() {
            tracing::warn!("{warning}");
        }
        let admission = Admission::new(Rules {
            max_connections: config.max_connections,
            max_memory: config.max_memory,
            trusted_proxies: config.trusted_proxies,
            limit_addresses: config.limit_addresses,
            ..Rules::default()
        });
        let stats = Arc::new(Stats::default());
        let files = Arc::new(Files {
            store: Arc::new(store),
            policy: config.policy,
            access_word: config.access_word,
            work: config.work,
            relay_mirror: config.relay_list.map(RelayMirror::new).map(Arc::new),
            clock: clock_rule,
            stats: Arc::clone(&stats),
            probed: tokio::sync::Mutex::default(),
        });

        let stop = CancellationToken::new();
        if let Some(mirror) = &files.relay_mirror {
            tokio::spawn(follow_relays(
                Arc::clone(mirror),
                Arc::clone(&config.clock),
                admission.clone(),
                stop.clone(),
            ));
        }
        let sweeping = tokio::spawn(sweep_regularly(
            Arc::clone(&files),
            config.sweep_every,
            stop.clone(),
        ));
        let routes = Arc::new(routes::Routes {
            files: Arc::clone(&files),
            keys: Arc::new(Keys::new(&config.key, &config.previous_keys)),
            seen: Mutex::new(ReplayMemory::new()),
            guard,
            plain_http: config.plain_http,
            clock: config.clock,
            stats,
        });
        let listen = ListenConfig {
            admission: admission.clone(),
            stop_timeout: config.stop_timeout,
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

    /// What it did since its start, for as long as somebody looks.
    #[must_use]
    pub fn stats(&self) -> Arc<Stats> {
        Arc::clone(&self.files.stats)
    }

    /// How it stands, to be asked again and again.
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
        Operator::of(Arc::clone(&self.files.store))
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

/// How a server stands.
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

    /// The bytes of memory that bodies have reserved.
    #[must_use]
    pub fn reserved_bytes(&self) -> u64 {
        self.admission.reserved_bytes()
    }
}

/// Gives the relays of the mirrored list their share, also when the list is replaced.
async fn follow_relays(
    mirror: Arc<RelayMirror>,
    clock: Clock,
    admission: Admission,
    stop: CancellationToken,
) {
    let mut looks = tokio::time::interval(LIST_LOOK_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _at = looks.tick() => {
                admission.set_listed(RelayMirror::hosts(Arc::clone(&mirror), clock()).await);
            }
        }
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
const LIST_LOOK_EVERY: Duration = Duration::from_secs(30);

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartServerError {
    /// Where it listens makes no URL.
    #[error("the listening address makes no server address ({0}); give a public URL")]
    Address(ParseAddressError),
    /// The port cannot be bound.
    #[error(transparent)]
    Listen(#[from] ListenError),
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
