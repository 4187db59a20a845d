//! What one running program remembers between transfers: its guard, what servers said of themselves, the built-in
//! network.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::builtin::BuiltIn;
use super::config::Home;
use super::error::{AppError, ServerRefusal};
use super::network::{Network, Route, Stage, Tell};
use super::private_file;
use super::who_saw_what::{Asked, RequestShown};
use crate::net::{self, Progress};
use crate::protocol::address::ServerAddress;
use crate::protocol::file_api::{self, AnswerError, FileRequest, ServerInfo};
use crate::protocol::keys::Ed25519Public;
use crate::protocol::onion::v4::Response;
use crate::protocol::relay_list::RelayList;
use crate::protocol::transfer::{Transfer, Way};
use crate::wire::clock::{self, Clock};
use crate::wire::random;

/// One running program.
pub struct Session {
    home: Home,
    clock: Clock,
    builtin: tokio::sync::Mutex<Weak<BuiltIn>>,
    /// Holds the built-in network up for as long as the program runs, when it should.
    held: Mutex<Option<Arc<BuiltIn>>>,
    memory: Mutex<Memory>,
}

/// What is kept in `network.json` of the data folder.
#[derive(Default, Serialize, Deserialize)]
struct Memory {
    /// The guard in use and since when, unix seconds.
    #[serde(default)]
    guard: Option<KeptGuard>,
    /// By the server's key.
    #[serde(default)]
    servers: BTreeMap<String, KeptInfo>,
}

#[derive(Clone, Serialize, Deserialize)]
struct KeptGuard {
    relay: String,
    since: u64,
}

#[derive(Clone, Serialize, Deserialize)]
struct KeptInfo {
    asked: u64,
    /// Absent for a server that has no `GET /info`.
    info: Option<ServerInfo>,
}

impl Session {
    /// A session whose settings and data are in `home`.
    #[must_use]
    pub fn new(home: Home) -> Self {
        let memory = fs::read(memory_file(&home))
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Self {
            home,
            clock: clock::system(),
            builtin: tokio::sync::Mutex::new(Weak::new()),
            held: Mutex::new(None),
            memory: Mutex::new(memory.unwrap_or_default()),
        }
    }

    /// Where settings and data are.
    #[must_use]
    pub const fn home(&self) -> &Home {
        &self.home
    }

    /// Unix seconds.
    #[must_use]
    pub fn now(&self) -> u64 {
        (self.clock)()
    }

    /// The built-in network, started when no process of this person runs it.
    ///
    /// # Errors
    /// [`AppError::BuiltIn`].
    pub async fn builtin_network(&self) -> Result<Network, AppError> {
        let mut known = self.builtin.lock().await;
        let running = match known.upgrade().filter(|running| running.is_alive()) {
            Some(running) => running,
            None => {
                let running = Arc::new(BuiltIn::start_or_join(&self.home.builtin_dir()).await?);
                *known = Arc::downgrade(&running);
                running
            }
        };
        drop(known);
        Ok(Network::built_in(
            running.server().clone(),
            running.relays().clone(),
            running,
        ))
    }

    /// Keeps the built-in network running until [`Session::close`], once a transfer needed it.
    pub fn hold_builtin(&self, network: &Network) {
        if let Some(running) = network.running() {
            *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(running);
        }
    }

    /// Ends the built-in network, if this process runs it: what runs is finished first.
    pub async fn close(&self) {
        let held = self
            .held
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(running) = held.and_then(Arc::into_inner) {
            running.stop().await;
        }
    }

    /// The way to `server`. `relays` is the person's own list, `direct` their word that this server may see their
    /// address.
    ///
    /// # Errors
    /// [`AppError::ForeignBuiltIn`], [`AppError::NoRelays`], [`AppError::BuiltIn`].
    pub async fn network_to(
        &self,
        server: &ServerAddress,
        relays: Option<RelayList>,
        direct: bool,
    ) -> Result<Network, AppError> {
        match self.kind_of(server, relays.is_some() || direct) {
            ServerKind::Own => {
                let network = self.builtin_network().await?;
                Ok(if direct {
                    network.without_relays()
                } else {
                    network
                })
            }
            ServerKind::ForeignBuiltIn => Err(AppError::ForeignBuiltIn),
            ServerKind::Other if direct => Ok(Network::new(server.clone(), Route::Direct)),
            ServerKind::Other => {
                let relays = relays.ok_or(AppError::NoRelays)?;
                Ok(Network::new(server.clone(), Route::Relays(relays)))
            }
        }
    }

    /// The way to a server that a file is to be stored at: on loopback or not, it is the person's choice and no
    /// stranger's built-in network.
    ///
    /// # Errors
    /// [`AppError::NoRelays`], [`AppError::BuiltIn`].
    pub async fn network_for_sharing(
        &self,
        server: &ServerAddress,
        relays: Option<RelayList>,
        direct: bool,
    ) -> Result<Network, AppError> {
        match self.network_to(server, relays, direct).await {
            Err(AppError::ForeignBuiltIn) => Err(AppError::NoRelays),
            other => other,
        }
    }

    /// What a server is to this person; `has_way` when they chose relays or going straight there.
    #[must_use]
    pub fn kind_of(&self, server: &ServerAddress, has_way: bool) -> ServerKind {
        if BuiltIn::key_in(&self.home.builtin_dir()).is_some_and(|key| key == server.key) {
            ServerKind::Own
        } else if server.url.is_loopback() && !has_way {
            ServerKind::ForeignBuiltIn
        } else {
            ServerKind::Other
        }
    }

    /// What the server says of itself: asked at most once a day. `None` for a server that has no `GET /info`.
    ///
    /// # Errors
    /// [`AppError::Transfer`] and [`AppError::Cancelled`].
    pub async fn server_info(
        &self,
        network: &Network,
        shown: &mut Vec<RequestShown>,
        cancel: &CancellationToken,
    ) -> Result<Option<ServerInfo>, AppError> {
        let server = network.server().key.to_hex();
        let now = self.now();
        let kept = self.memory(|memory| memory.servers.get(&server).cloned());
        if let Some(kept) = kept.filter(|kept| {
            now.checked_sub(kept.asked)
                .is_some_and(|age| age < INFO_SECS)
        }) {
            return Ok(kept.info);
        }
        let response = self
            .run(
                network,
                &FileRequest::ServerInfo,
                0,
                &Tell::nobody(),
                shown,
                cancel,
            )
            .await?;
        let info = match file_api::read_server_info(&response) {
            Ok(info) => Some(info),
            // Session's file server does not have the path.
            Err(AnswerError::Status(404)) => None,
            Err(AnswerError::Status(code)) => return Err(ServerRefusal::Status(code).into()),
            Err(AnswerError::OtherBytes | AnswerError::Unreadable) => {
                return Err(ServerRefusal::Nonsense.into());
            }
        };
        self.change_memory(|memory| {
            memory
                .servers
                .retain(|_, kept| now.saturating_sub(kept.asked) < INFO_SECS);
            memory.servers.insert(
                server,
                KeptInfo {
                    asked: now,
                    info: info.clone(),
                },
            );
        });
        Ok(info)
    }

    /// Runs one request to its end. When the process that ran the built-in network ended meanwhile, this one takes
    /// over: ports and keys are the same.
    ///
    /// # Errors
    /// [`AppError::Transfer`] and [`AppError::Cancelled`].
    pub async fn run(
        &self,
        network: &Network,
        request: &FileRequest,
        expected_answer_len: usize,
        tell: &Tell,
        shown: &mut Vec<RequestShown>,
        cancel: &CancellationToken,
    ) -> Result<Response, AppError> {
        let first = self
            .run_once(network, request, expected_answer_len, tell, shown, cancel)
            .await;
        if network.running().is_none_or(|running| running.is_alive())
            || !matches!(first, Err(AppError::Transfer(_)))
        {
            return first;
        }
        let taken_over = self.builtin_network().await?;
        self.run_once(
            &taken_over,
            request,
            expected_answer_len,
            tell,
            shown,
            cancel,
        )
        .await
    }

    async fn run_once(
        &self,
        network: &Network,
        request: &FileRequest,
        expected_answer_len: usize,
        tell: &Tell,
        shown: &mut Vec<RequestShown>,
        cancel: &CancellationToken,
    ) -> Result<Response, AppError> {
        let way = match network.way() {
            Route::Direct => Way::Direct,
            Route::Relays(list) => Way::Relays {
                list,
                guard: self.guard(list, network.is_builtin()),
                may_share: true,
            },
        };
        let transfer = Transfer::new(request, network.server(), way, expected_answer_len);
        let tell = tell.clone();
        let progress = Progress::new(move |moved| tell.stage(Stage::Moved(moved)));
        let rng = &mut random::system();
        let driven = net::drive(
            transfer,
            &network.server().url,
            &progress,
            cancel,
            &self.clock,
            rng,
        )
        .await;
        if driven.result.is_ok() && !network.is_builtin() {
            let guard = driven
                .shown
                .last()
                .and_then(|last| last.path.as_ref())
                .map(|path| path.guard.key);
            self.keep_guard(guard);
        }
        shown.push(RequestShown {
            asked: Asked::of(request),
            attempts: driven.shown,
        });
        driven.result.map_err(|error| {
            debug!("a request ended without an answer");
            error.into()
        })
    }

    /// The guard in use, while it is on the list and not older than ten days.
    fn guard(&self, list: &RelayList, builtin: bool) -> Option<Ed25519Public> {
        if builtin {
            return None;
        }
        let kept = self.memory(|memory| memory.guard.clone())?;
        let age = self.now().checked_sub(kept.since)?;
        let key = Ed25519Public::from_hex(&kept.relay).ok()?;
        (age < GUARD_SECS && list.find(&key).is_some()).then_some(key)
    }

    fn keep_guard(&self, guard: Option<Ed25519Public>) {
        let Some(relay) = guard.map(|key| key.to_hex()) else {
            return;
        };
        let now = self.now();
        let same = self.memory(|memory| {
            memory.guard.as_ref().is_some_and(|kept| {
                kept.relay == relay && now.saturating_sub(kept.since) < GUARD_SECS
            })
        });
        if !same {
            self.change_memory(|memory| memory.guard = Some(KeptGuard { relay, since: now }));
        }
    }

    fn memory<T>(&self, read: impl FnOnce(&Memory) -> T) -> T {
        read(&self.memory.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is remembered only saves questions, so a disk that does not take it stops nothing.
    fn change_memory(&self, change: impl FnOnce(&mut Memory)) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut memory);
        let kept = serde_json::to_vec_pretty(&*memory).map_err(std::io::Error::from);
        if kept
            .and_then(|bytes| private_file::write(&memory_file(&self.home), &bytes))
            .is_err()
        {
            debug!("what was learned about relays and servers could not be kept");
        }
    }
}

/// What a server is to this person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerKind {
    /// The one of their built-in network.
    Own,
    /// One on loopback that is not theirs, and no way to it was chosen.
    ForeignBuiltIn,
    /// Any other.
    Other,
}

fn memory_file(home: &Home) -> PathBuf {
    home.data_dir.join("network.json")
}

const INFO_SECS: u64 = 24 * 3_600;
const GUARD_SECS: u64 = 10 * 24 * 3_600;
