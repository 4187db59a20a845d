//! State that a running program keeps between transfers: its guards, the `/info` of servers, the built-in network; and
//! the settings that a use case goes by.

use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::routed_server::{Route, RoutedServer};
use crate::app::error::AppError;
pub(crate) use crate::app::kept::remembered::NewGuardsError;
use crate::app::kept::remembered::{self, Batch, Remembered};
use crate::app::operate::builtin::BuiltIn;
use crate::app::relays::set::RelaySource;
use crate::app::settings::{Home, Settings, UnreadSettings};
use crate::disk::kept::UnreadFile;
use crate::net::SocksProxy;
use crate::protocol::address::ServerAddress;
use crate::protocol::file_api::ServerInfo;
use crate::protocol::keys::Ed25519Public;
use crate::protocol::path::{Allowance, MemoryKeeper, RelayStanding};
use crate::protocol::relay_list::RelayList;
use crate::wire::clock::{self, Clock};

/// One running program under certain settings. They never change, so a use case goes by those that it began with;
/// [`Program::with_settings`] gives the same program under others. Cloning is cheap.
#[derive(Clone)]
pub struct Program {
    shared: Arc<SharedState>,
    settings: Arc<Settings>,
    /// Why nothing may be sent, if so: the settings could not be read.
    unread: Option<UnreadSettings>,
}

/// The state of a program that does not depend on its settings.
struct SharedState {
    home: Home,
    clock: Clock,
    builtin: tokio::sync::Mutex<Weak<BuiltIn>>,
    /// Holds the built-in network up for as long as the program runs, when it should.
    held: Mutex<Option<Arc<BuiltIn>>>,
    remembered: Remembered,
}

impl Program {
    /// A program under `settings`, whose data are in `home`.
    #[must_use]
    pub fn new(home: Home, settings: Settings) -> Self {
        Self::with_clock(home, settings, clock::system())
    }

    /// As [`Program::new`], by another clock than that of this computer.
    #[must_use]
    pub fn with_clock(home: Home, settings: Settings, clock: Clock) -> Self {
        Self {
            shared: Arc::new(SharedState {
                remembered: Remembered::new(home.data_dir.join(remembered::FILE_NAME)),
                home,
                clock,
                builtin: tokio::sync::Mutex::new(Weak::new()),
                held: Mutex::new(None),
            }),
            settings: Arc::new(settings),
            unread: None,
        }
    }

    /// The same program under other settings. One that sends nothing goes on sending nothing.
    #[must_use]
    pub(crate) fn with_settings(&self, settings: Settings) -> Self {
        Self {
            settings: Arc::new(settings),
            ..self.clone()
        }
    }

    /// This program, which sends nothing, not even to the built-in network: the person's settings could not be read, so
    /// it is not known through which proxy and to which server they want to send.
    #[must_use]
    pub(crate) fn sending_nothing(self, unread: UnreadSettings) -> Self {
        Self {
            unread: Some(unread),
            ..self
        }
    }

    /// The settings that it goes by.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The proxy that connections to other computers go through. The built-in network is on this computer and is never
    /// reached through it.
    ///
    /// # Errors
    /// [`UnreadSettings`] after [`Program::sending_nothing`].
    pub(crate) fn proxy(&self) -> Result<Option<&SocksProxy>, UnreadSettings> {
        match &self.unread {
            None => Ok(self.settings.proxy.as_ref()),
            Some(unread) => Err(unread.clone()),
        }
    }

    /// Which rules of paths may yield on a list from there: all of them in the built-in network and among relays of this
    /// computer alone, where it is a rehearsal, and where the person said so; else none.
    #[must_use]
    pub(crate) fn allowance(&self, source: &RelaySource, list: &RelayList) -> Allowance {
        if self.settings.short_lists.contains(source) || is_rehearsal(source, list) {
            Allowance::ALL
        } else {
            Allowance::NONE
        }
    }

    /// Where settings and data are.
    #[must_use]
    pub fn home(&self) -> &Home {
        &self.shared.home
    }

    /// The clock that it goes by.
    #[must_use]
    pub(crate) fn clock(&self) -> Clock {
        Arc::clone(&self.shared.clock)
    }

    /// The present time, in unix seconds.
    #[must_use]
    pub fn now(&self) -> u64 {
        (self.shared.clock)()
    }

    /// The server of the built-in network, with the route over its relays. The network is started when no process of this
    /// person runs it.
    ///
    /// # Errors
    /// [`AppError::BuiltIn`].
    pub async fn builtin_server(&self) -> Result<RoutedServer, AppError> {
        let mut known = self.shared.builtin.lock().await;
        let running = match known.upgrade().filter(|running| running.is_alive()) {
            Some(running) => running,
            None => {
                let running =
                    Arc::new(BuiltIn::start_or_join(&self.shared.home.builtin_dir()).await?);
                *known = Arc::downgrade(&running);
                running
            }
        };
        drop(known);
        Ok(RoutedServer::built_in(
            running.server().clone(),
            running.relays().clone(),
            running,
        ))
    }

    /// Keeps the built-in network running until [`Program::close`], once a transfer needed it.
    pub fn hold_builtin(&self, routed: &RoutedServer) {
        if let Some(running) = routed.running() {
            *self.shared.held.lock() = Some(running);
        }
    }

    /// Ends the built-in network, if this process runs it: what runs is finished first.
    pub async fn close(&self) {
        let held = self.shared.held.lock().take();
        if let Some(running) = held.and_then(Arc::into_inner) {
            running.stop().await;
        }
    }

    /// `server` with the `route` that was chosen for it; the built-in network's own server has a route of its own.
    ///
    /// # Errors
    /// [`AppError::ForeignBuiltIn`] and [`AppError::NoRelays`] without a route ([`no_route`]); [`AppError::BuiltIn`].
    pub async fn routed_server(
        &self,
        server: &ServerAddress,
        route: Option<Route>,
    ) -> Result<RoutedServer, AppError> {
        if self.is_builtin(server) {
            let routed = self.builtin_server().await?;
            return Ok(match route {
                Some(Route::Direct) => routed.without_relays(),
                Some(Route::Relays(_)) | None => routed,
            });
        }
        let route = route.ok_or_else(|| no_route(server))?;
        Ok(RoutedServer::new(server.clone(), route))
    }

    /// Whether this is the server of this person's built-in network.
    #[must_use]
    pub(crate) fn is_builtin(&self, server: &ServerAddress) -> bool {
        self.builtin_key().is_some_and(|key| key == server.key)
    }

    pub(super) fn remembered(&self) -> &Remembered {
        &self.shared.remembered
    }

    /// What the server with this key said of itself, if that is remembered, however old it is; asks nobody.
    #[must_use]
    pub(crate) fn remembered_info(&self, server: &Ed25519Public) -> Option<ServerInfo> {
        self.shared.remembered.server(&server.to_hex())?.info
    }

    /// The key of the built-in network's server, once there is one.
    #[must_use]
    pub(crate) fn builtin_key(&self) -> Option<Ed25519Public> {
        BuiltIn::key_in(&self.shared.home.builtin_dir())
    }

    /// How the relays of a list stand with this person's programs, in the list's order. `source` names where the list
    /// is from.
    ///
    /// # Errors
    /// [`UnreadFile`].
    pub(crate) fn relay_standing(
        &self,
        source: &str,
        list: &RelayList,
    ) -> Result<Vec<RelayStanding>, UnreadFile> {
        let memory = self.shared.remembered.look(source)?;
        Ok(memory.standing(list, self.now()))
    }

    /// The memory of the relays of one list, as the disk has it. `source` names where the list is from.
    ///
    /// # Errors
    /// [`UnreadFile`]: nothing may be sent over these relays then, since others would become first relays.
    pub fn relay_memory(&self, source: &str) -> Result<impl MemoryKeeper + use<'_>, UnreadFile> {
        self.shared.remembered.keeper(source)
    }

    /// Holds back what the requests of one transfer teach about relays and servers, so that it is kept once, when the
    /// returned value is dropped. Guards are kept before they are used all the same.
    pub(in crate::app) fn remember_at_the_end(&self) -> Batch<'_> {
        self.shared.remembered.batch()
    }

    /// Lets the guards in use go; new ones are drawn with the next request.
    ///
    /// # Errors
    /// [`NewGuardsError`].
    pub(crate) fn new_guards(
        &self,
        source: &RelaySource,
        list: &RelayList,
    ) -> Result<(), NewGuardsError> {
        let allow = self.allowance(source, list);
        self.shared
            .remembered
            .forget_guards(&source.id(), list, allow, self.now())
    }
}

/// Whether a list is of this computer's relays alone, so that there is nobody to hide from.
#[must_use]
pub(crate) fn is_rehearsal(source: &RelaySource, list: &RelayList) -> bool {
    *source == RelaySource::BuiltIn || list.relays.iter().all(|relay| relay.host.is_loopback())
}

/// Why a request to `server` cannot be sent when neither relays nor going there directly was chosen. A server on loopback
/// is then taken for the built-in network of another computer.
#[must_use]
pub(crate) fn no_route(server: &ServerAddress) -> AppError {
    if server.url.is_loopback() {
        AppError::ForeignBuiltIn
    } else {
        AppError::NoRelays
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::keys::Identity;
    use crate::protocol::relay_list::{RelayDescriptor, Serves};

    #[test]
    fn rules_yield_on_this_computer_and_where_the_person_said_so() {
        let program = Program::new(Home::in_folder("/nowhere"), Settings::default());
        let list = |host: [u8; 4]| RelayList {
            name: String::new(),
            issued: 0,
            expires: 1,
            relays: vec![RelayDescriptor {
                key: Identity::from_seed([1; 32]).public(),
                host: host.into(),
                port: 22_021,
                operator: String::new(),
                serves: Serves::Any,
            }],
        };
        let (here, there) = (list([127, 0, 0, 1]), list([192, 0, 2, 1]));
        let [mine, other] =
            ["/lists/a.json", "/lists/b.json"].map(|path| RelaySource::File(path.into()));
        assert_eq!(program.allowance(&mine, &here), Allowance::ALL);
        assert_eq!(program.allowance(&mine, &there), Allowance::NONE);
        assert_eq!(
            program.allowance(&RelaySource::BuiltIn, &there),
            Allowance::ALL
        );
        let mut settings = Settings::default();
        settings.short_lists.push(mine.clone());
        let yielding = program.with_settings(settings);
        assert_eq!(yielding.allowance(&mine, &there), Allowance::ALL);
        for source in [other, RelaySource::Session] {
            assert_eq!(yielding.allowance(&source, &there), Allowance::NONE);
        }
        assert_eq!(program.allowance(&mine, &there), Allowance::NONE);
    }
}
