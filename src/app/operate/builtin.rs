//! The built-in network: a file server and three relays inside this program, on loopback.
//!
//! One process of a person runs it; others of the same person find it by its lock and its notice and use it. Ports,
//! keys and stored blobs stay the same from start to start, so that pointers made with it survive a restart.

use std::fs::{self, File};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use tracing::warn;

use crate::disk::io_reason::IoReason;
use crate::disk::key_file::{self, KeyFileError};
use crate::disk::lock_file::{self, Tried};
use crate::disk::private;
use crate::protocol::address::ServerAddress;
use crate::protocol::keys::Ed25519Public;
use crate::protocol::relay_list::{RelayList, RelayListError, Serves};
use crate::relay::{self, Relay, RelayConfig, RunningRelay};
use crate::server::clock_rule::ClockTrust;
use crate::server::{self, RunningServer, Server, ServerConfig};
use crate::wire::{clock, random};

/// The built-in network, run here or by another process.
pub struct BuiltIn {
    folder: PathBuf,
    server: ServerAddress,
    relays: RelayList,
    own: Option<Own>,
}

/// The parts that run in this process, in the order in which they end; the lock is last.
struct Own {
    server: RunningServer,
    relays: Vec<RunningRelay>,
    lock: Lock,
}

/// Why the built-in network is not there.
#[derive(Debug, Error)]
pub enum BuiltInError {
    /// Another process of this person runs the network and did not become ready.
    #[error("another process holds the built-in network and does not answer")]
    Busy,
    /// Its folder cannot be used.
    #[error("the folder of the built-in network cannot be used: {0}")]
    Folder(IoReason),
    /// A key of it cannot be used.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// Its relays make no list.
    #[error(transparent)]
    List(#[from] RelayListError),
    /// The file system of its folder has no locks, so that two processes could run it at once.
    #[error("the file system of the built-in network's folder has no locks")]
    NoLocks,
    /// A relay did not start.
    #[error(transparent)]
    Relay(#[from] relay::StartRelayError),
    /// The file server did not start.
    #[error(transparent)]
    Server(#[from] server::StartServerError),
}

impl From<io::Error> for BuiltInError {
    fn from(error: io::Error) -> Self {
        Self::Folder(error.into())
    }
}

/// What a running network leaves in its folder for other processes.
#[derive(Serialize, Deserialize)]
struct NetworkNotice {
    server: String,
}

/// Ports of the last run, the server's first.
#[derive(Default, Serialize, Deserialize)]
struct Ports {
    server: u16,
    relays: [u16; RELAYS],
}

impl BuiltIn {
    /// Starts the network kept in `folder`, or finds the process that runs it.
    ///
    /// # Errors
    /// [`BuiltInError`].
    pub(crate) async fn start_or_join(folder: &Path) -> Result<Self, BuiltInError> {
        private::make_folder(folder)?;
        // The other process may be starting or ending just now.
        for _ in 0..JOIN_LOOKS {
            if let Some(lock) = Lock::take(folder)? {
                return Self::start(folder, lock).await;
            }
            if let Some(joined) = Self::join(folder) {
                return Ok(joined);
            }
            tokio::time::sleep(JOIN_PAUSE).await;
        }
        Err(BuiltInError::Busy)
    }

    /// The key of the server kept in `folder`, when there is one.
    #[must_use]
    pub(crate) fn key_in(folder: &Path) -> Option<Ed25519Public> {
        key_file::load(&folder.join(SERVER_KEY))
            .ok()
            .map(|identity| identity.public())
    }

    /// Whether a process runs the network kept in `folder`.
    #[must_use]
    pub(crate) fn is_running_in(folder: &Path) -> bool {
        Lock::is_held(folder)
    }

    fn join(folder: &Path) -> Option<Self> {
        let notice: NetworkNotice =
            serde_json::from_slice(&fs::read(folder.join(NOTICE)).ok()?).ok()?;
        let relays = RelayList::parse(
            &fs::read(folder.join(RELAY_LIST)).ok()?,
            (clock::system())(),
        )
        .ok()?;
        Some(Self {
            folder: folder.to_owned(),
            server: notice.server.parse().ok()?,
            relays,
            own: None,
        })
    }

    async fn start(folder: &Path, lock: Lock) -> Result<Self, BuiltInError> {
        // A notice found under a free lock is of a process that was killed.
        private::remove_if_there(&folder.join(NOTICE))?;
        let kept: Ports = fs::read(folder.join(PORTS))
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default();
        let rng = &mut random::system();

        let mut relays = Vec::with_capacity(RELAYS);
        for (at, port) in kept.relays.into_iter().enumerate() {
            let path = folder.join(format!("relay-{}.key", at + 1));
            key_file::load_or_create(&path, rng)?;
            relays.push(start_relay(port, &path).await?);
        }
        let key = folder.join(SERVER_KEY);
        key_file::load_or_create(&key, rng)?;
        let server = start_server(kept.server, &folder.join("store"), &key).await?;

        let entries = relay::introduce(&relays);
        let now = (clock::system())();
        let list = RelayList::join(
            "built-in network",
            now,
            now.saturating_add(LIST_SECS),
            entries,
        )?;
        let mut ports = Ports {
            server: server.addr().port(),
            relays: [0; RELAYS],
        };
        ports
            .relays
            .iter_mut()
            .zip(&relays)
            .for_each(|(port, relay)| *port = relay.addr().port());
        write_json(&folder.join(PORTS), &ports)?;
        private::write(&folder.join(RELAY_LIST), list.to_json().as_bytes())?;
        // Last: whoever finds the notice finds all that belongs to it.
        write_json(
            &folder.join(NOTICE),
            &NetworkNotice {
                server: server.address().to_string(),
            },
        )?;

        let own = Own {
            relays,
            lock,
            server,
        };
        Ok(Self {
            folder: folder.to_owned(),
            server: own.server.address().clone(),
            relays: list,
            own: Some(own),
        })
    }

    /// The file server.
    #[must_use]
    pub(crate) const fn server(&self) -> &ServerAddress {
        &self.server
    }

    /// The three relays.
    #[must_use]
    pub(crate) const fn relays(&self) -> &RelayList {
        &self.relays
    }

    /// Whether this process runs it.
    #[must_use]
    pub(crate) const fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// Whether a process runs it: this one, or the one that holds its lock.
    #[must_use]
    pub(crate) fn is_alive(&self) -> bool {
        self.own.is_some()
            || (Lock::is_held(&self.folder)
                && Self::join(&self.folder).is_some_and(|there| there.server == self.server))
    }

    /// Where the list of its relays is kept in `folder`.
    #[must_use]
    pub(crate) fn relay_list_path(folder: &Path) -> PathBuf {
        folder.join(RELAY_LIST)
    }

    /// Ends it: what runs is finished first. Does nothing to a network that another process runs.
    pub(crate) async fn stop(self) {
        let Some(own) = self.own else {
            return;
        };
        own.lock.withdraw();
        for relay in own.relays {
            relay.stop().await;
        }
        own.server.stop().await;
    }
}

/// The lock of the folder; whoever holds it runs the network.
struct Lock {
    file: File,
    notice: PathBuf,
}

impl Lock {
    fn take(folder: &Path) -> Result<Option<Self>, BuiltInError> {
        Self::of(lock_file::try_hold(&folder.join(LOCK))?, folder)
    }

    fn of(tried: Tried, folder: &Path) -> Result<Option<Self>, BuiltInError> {
        match tried {
            Tried::Held(file) => Ok(Some(Self {
                file,
                notice: folder.join(NOTICE),
            })),
            Tried::NoLocks => Err(BuiltInError::NoLocks),
            Tried::Taken => Ok(None),
        }
    }

    /// Whether a process holds the lock. A killed process does not, though its notice file stays.
    fn is_held(folder: &Path) -> bool {
        lock_file::is_held(&folder.join(LOCK))
    }

    fn withdraw(&self) {
        if private::remove_if_there(&self.notice).is_err() {
            warn!(
                "the notice of the built-in network could not be removed; the next start does it"
            );
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.withdraw();
        // The system would release it with the file; asking makes it certain before the next start.
        if self.file.unlock().is_err() {
            warn!("the lock of the built-in network could not be released");
        }
    }
}

fn relay_config(port: u16, key: &Path) -> Result<RelayConfig, BuiltInError> {
    let mut config = RelayConfig::new(loopback(port), key_file::load(key)?);
    config.settings.serves = Some(Serves::None);
    config.settings.allow_private = true;
    config.settings.operator = "built-in".to_owned();
    // All of its clients are on this computer.
    config.limit_addresses = false;
    Ok(config)
}

/// Starts on the kept port, or on any when another program has it.
async fn start_relay(kept: u16, key: &Path) -> Result<RunningRelay, BuiltInError> {
    match Relay::start(relay_config(kept, key)?).await {
        Err(relay::StartRelayError::Listen(_)) if kept != 0 => {
            warn!("a port of the built-in network is taken; another is used");
            Ok(Relay::start(relay_config(0, key)?).await?)
        }
        started => Ok(started?),
    }
}

/// As [`start_relay`].
async fn start_server(kept: u16, store: &Path, key: &Path) -> Result<RunningServer, BuiltInError> {
    let config = |port| {
        let mut config = ServerConfig::new(loopback(port), store.to_owned(), key_file::load(key)?);
        // Nobody attends to it, and a computer may sleep for days.
        config.clock_trust = ClockTrust::Always;
        config.limit_addresses = false;
        Ok::<_, KeyFileError>(config)
    };
    match Server::start(config(kept)?).await {
        Err(server::StartServerError::Listen(_)) if kept != 0 => {
            warn!("a port of the built-in network is taken; another is used");
            Ok(Server::start(config(0)?).await?)
        }
        started => Ok(started?),
    }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

fn write_json(path: &Path, value: &impl Serialize) -> io::Result<()> {
    private::write(path, &serde_json::to_vec_pretty(value)?)
}

const RELAYS: usize = 3;
const SERVER_KEY: &str = "server.key";
const LOCK: &str = "lock";
const NOTICE: &str = "running.json";
const PORTS: &str = "ports.json";
const RELAY_LIST: &str = "relays.json";
/// How long the list of its relays is valid, in seconds: ten years, since it never leaves this computer.
const LIST_SECS: u64 = 10 * 365 * 24 * 3_600;
const JOIN_LOOKS: u32 = 100;
const JOIN_PAUSE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_locks_is_refused_for_that_reason() {
        let refused = Lock::of(Tried::NoLocks, Path::new("/nowhere"));
        assert!(matches!(refused, Err(BuiltInError::NoLocks)));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn another_start_joins_and_notices_the_end_even_of_a_killed_process() {
        let folder = tempfile::tempdir().unwrap();
        let first = BuiltIn::start_or_join(folder.path()).await.unwrap();
        let joined = BuiltIn::start_or_join(folder.path()).await.unwrap();
        assert!(first.is_own() && !joined.is_own() && joined.is_alive());
        assert_eq!(
            (joined.server(), joined.relays()),
            (first.server(), first.relays())
        );

        let notice = fs::read(folder.path().join(NOTICE)).unwrap();
        first.stop().await;
        assert!(!joined.is_alive());
        // A process that was killed leaves its notice, but no lock.
        fs::write(folder.path().join(NOTICE), notice).unwrap();
        assert!(!joined.is_alive());

        let again = BuiltIn::start_or_join(folder.path()).await.unwrap();
        assert!(again.is_own());
        assert_eq!(again.server(), joined.server(), "port and key were kept");
    }
}
