//! A file server and six relays on loopback, of which one can be killed: each relay has a runtime of its own, and when
//! that goes, its sockets close with whatever was in them.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::runtime::{Builder, Runtime};

use crate::app::relays::{RelaySet, RelaySource};
use crate::app::transfer::routed_server::{Route, RoutedServer};
use crate::app::transfer::stage::{ProgressSink, Stage};
use crate::cli::CliError;
use crate::cli::args::KillTarget;
use crate::protocol::keys::{Ed25519Public, Identity};
use crate::protocol::path::RelayPath;
use crate::protocol::relay_list::{NetworkKind, RelayList};
use crate::relay::{self, Relay, RelayConfig, RunningRelay};
use crate::server::{RunningServer, Server, ServerConfig};
use crate::wire::{clock, random};

/// What that relay is called in a sentence.
pub(super) const fn word(target: KillTarget) -> &'static str {
    match target {
        KillTarget::Guard => "guard",
        KillTarget::Middle => "middle relay",
        KillTarget::Last => "last relay",
    }
}

const fn key_of(target: KillTarget, path: &RelayPath) -> Ed25519Public {
    match target {
        KillTarget::Guard => path.guard.key,
        KillTarget::Middle => path.middle.key,
        KillTarget::Last => path.last.key,
    }
}

/// The server and what is left of the relays.
pub(super) struct DemoNetwork {
    server: RunningServer,
    relays: Vec<RunningRelay>,
    alive: Arc<Mutex<HashMap<Ed25519Public, RelayRuntime>>>,
    list: RelayList,
}

/// What a relay runs on. Dropping it ends everything at once and waits for nothing.
struct RelayRuntime(Option<Runtime>);

impl Drop for RelayRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// When a relay was killed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Killed {
    /// The connection had taken the whole request, and nothing of the answer had come.
    Crossing,
    /// In the middle of the request.
    Sending {
        /// Bytes that the connection had taken.
        sent: u64,
        /// Of so many.
        total: u64,
    },
}

impl DemoNetwork {
    pub(super) async fn start(folder: &Path) -> Result<Self, CliError> {
        let failed = |error: &dyn core::fmt::Display| CliError::Other(error.to_string());
        let rng = &mut random::system();
        let key = Identity::generate(rng);
        let server = Server::start(ServerConfig::new(loopback(), folder.join("store"), key))
            .await
            .map_err(|error| failed(&error))?;
        let mut relays = Vec::new();
        let mut alive = HashMap::new();
        for _ in 0..RELAYS {
            let runtime = Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .map_err(|error| failed(&error))?;
            let handle = runtime.handle().clone();
            let runtime = RelayRuntime(Some(runtime));
            let mut config = RelayConfig::new(loopback(), Identity::generate(rng));
            config.settings.allow_private = true;
            let started = match handle.spawn(Relay::start(config)).await {
                Ok(started) => started.map_err(|error| failed(&error))?,
                Err(ended) => return Err(failed(&ended)),
            };
            alive.insert(started.descriptor().key, runtime);
            relays.push(started);
        }
        let entries = relay::introduce(&relays);
        let now = (clock::system())();
        let list = RelayList::join("demo", now, now.saturating_add(LIST_SECS), entries)
            .map_err(|error| failed(&error))?;
        Ok(Self {
            server,
            relays,
            alive: Arc::new(Mutex::new(alive)),
            list,
        })
    }

    /// The server with the route over these relays. `folder` names where the list is from.
    pub(super) fn routed(&self, folder: &Path) -> RoutedServer {
        let set = RelaySet {
            list: self.list.clone(),
            kind: NetworkKind::Cloakroom,
            source: RelaySource::File(folder.join("relays.json")),
        };
        RoutedServer::new(self.server.address().clone(), Route::Relays(set))
    }

    /// Kills that relay of the first path of an upload, once: as soon as half of the request is on its way, or all of it
    /// where that went in one go.
    pub(super) fn kill(&self, target: KillTarget) -> (ProgressSink, Arc<Mutex<Option<Killed>>>) {
        let killed = Arc::new(Mutex::new(None));
        let (note, alive) = (Arc::clone(&killed), Arc::clone(&self.alive));
        let path = Arc::new(Mutex::new(None));
        let drawn = Arc::clone(&path);
        let progress = ProgressSink::new(move |stage| {
            let moment = match stage {
                Stage::Upload { sent, total } if sent * 2 >= total => {
                    Killed::Sending { sent, total }
                }
                Stage::Crossing => Killed::Crossing,
                _ => return,
            };
            let mut note = note.lock();
            if note.is_some() {
                return;
            }
            let path = drawn.lock();
            let key = path.as_ref().map(|path| key_of(target, path));
            let mut alive = alive.lock();
            if let Some(runtime) = key.and_then(|key| alive.remove(&key)) {
                drop(runtime);
                *note = Some(moment);
            }
        })
        .with_paths(move |next| {
            *path.lock() = Some(next.clone());
        });
        (progress, killed)
    }

    /// Ends what is left.
    pub(super) async fn stop(self) {
        self.alive.lock().clear();
        drop(self.relays);
        self.server.stop().await;
    }
}

fn loopback() -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0)
}

/// Two guards, and enough others for a path that avoids a dead one.
const RELAYS: usize = 6;
const LIST_SECS: u64 = 3_600;
