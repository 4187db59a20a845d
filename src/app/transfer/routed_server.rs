//! The server of a call and the route to it, as a value; `app::client` chooses it.

use std::sync::Arc;

use super::stage::FirstStop;
use crate::app::operate::builtin::BuiltIn;
use crate::app::relays::set::RelaySet;
use crate::protocol::address::ServerAddress;
use crate::protocol::relay_list::RelayList;

/// A server and the route to it.
#[derive(Clone)]
pub struct RoutedServer {
    server: ServerAddress,
    route: Route,
    /// Kept running while it is used.
    builtin: Option<Arc<BuiltIn>>,
}

/// The route to a server.
#[derive(Clone)]
pub enum Route {
    /// Straight there: the server sees this computer's address.
    Direct,
    /// Through three relays of a list.
    Relays(RelaySet),
}

impl RoutedServer {
    /// A server that somebody runs.
    #[must_use]
    pub const fn new(server: ServerAddress, route: Route) -> Self {
        Self {
            server,
            route,
            builtin: None,
        }
    }

    /// The server and relays inside this program, or inside another process of the same person.
    #[must_use]
    pub(crate) const fn built_in(
        server: ServerAddress,
        relays: RelayList,
        running: Arc<BuiltIn>,
    ) -> Self {
        Self {
            server,
            route: Route::Relays(RelaySet::built_in(relays)),
            builtin: Some(running),
        }
    }

    /// The same server without relays.
    #[must_use]
    pub(crate) fn without_relays(self) -> Self {
        Self {
            route: Route::Direct,
            ..self
        }
    }

    /// The server.
    #[must_use]
    pub const fn server(&self) -> &ServerAddress {
        &self.server
    }

    /// The route to the server.
    #[must_use]
    pub const fn route(&self) -> &Route {
        &self.route
    }

    /// Whether requests go straight to the server, which then sees this computer's address.
    #[must_use]
    pub(crate) const fn is_direct(&self) -> bool {
        matches!(self.route, Route::Direct)
    }

    /// The party that a request goes to first.
    #[must_use]
    pub(crate) const fn first_stop(&self) -> FirstStop {
        match self.route {
            Route::Direct => FirstStop::Server,
            Route::Relays(_) => FirstStop::Relay,
        }
    }

    /// What a pointer carries for a recipient without relays, when there is something.
    #[must_use]
    pub(crate) fn relay_line(&self) -> Option<String> {
        match &self.route {
            Route::Direct => None,
            Route::Relays(set) => set.line(),
        }
    }

    /// The built-in network that the server belongs to.
    #[must_use]
    pub(crate) fn running(&self) -> Option<Arc<BuiltIn>> {
        self.builtin.clone()
    }

    /// Whether everything stays on this computer.
    #[must_use]
    pub(crate) const fn is_builtin(&self) -> bool {
        self.builtin.is_some()
    }
}
