//! Decides which route a request takes: straight, through the built-in network, or through relays. The window and the
//! command line both hold a [`Client`]: the program, the relays and the settings. `relays` then says whose list serves
//! the server, and `protocol::exchange` draws three relays of it for each try.

use std::sync::Arc;

use super::error::AppError;
use super::relays::{self, RelaySource, Relays};
use super::settings::{Home, Settings, UnreadSettings};
use super::transfer::call::{Call, CallContext};
use super::transfer::program::{self, Program};
use super::transfer::routed_server::{Route, RoutedServer};
use crate::net::SocksProxy;
use crate::protocol::address::ServerAddress;
use crate::protocol::capability::AccessWord;
use crate::protocol::pointer::Pointer;

/// Everything that a use case needs of this person's program. Its settings never change, so that a use case goes by those
/// that it began with; [`Client::with_settings`] gives another client of the same program. Cloning is cheap.
#[derive(Clone)]
pub struct Client {
    program: Program,
    relays: Arc<Relays>,
    /// Whether every server may see this computer's address, or none; else the settings say which may.
    direct: Option<bool>,
    /// Relays that are used for every server instead of those of its network.
    instead: Option<RelaySource>,
    /// Access word that is used instead of the one in the settings.
    access_word: Option<AccessWord>,
}

/// Choices of one command that take precedence over the settings.
#[derive(Clone, Default)]
pub(crate) struct Override {
    /// Use these relays, also for a server that the settings allow to see this computer's address.
    pub relays: Option<RelaySource>,
    /// Go straight to the server, which then sees this computer's address; no relays are used.
    pub direct: bool,
    /// Go through this proxy, or through none.
    pub proxy: Option<ProxyOverride>,
    /// Give this access word to a server that asks for one.
    pub access_word: Option<AccessWord>,
}

/// The proxy that one command goes through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProxyOverride {
    /// Go through this one.
    Through(SocksProxy),
    /// Go through none, whatever the settings say.
    None,
}

impl ProxyOverride {
    /// Puts the command's proxy in place of the one in `settings`.
    pub(crate) fn apply_to(self, settings: &mut Settings) {
        settings.proxy = match self {
            Self::Through(proxy) => Some(proxy),
            Self::None => None,
        };
    }
}

/// The server that a call goes to.
#[derive(Clone, Copy)]
pub enum Destination<'a> {
    /// The built-in network's server.
    BuiltIn,
    /// The server that the settings send new files to.
    Chosen,
    /// A server that the person named.
    Server(&'a ServerAddress),
    /// The server that a pointer names.
    SourceOf(&'a Pointer),
}

impl Client {
    /// A client under `settings` of the program whose data are in `home`.
    #[must_use]
    pub(crate) fn new(home: Home, settings: Settings) -> Self {
        Self::of(Program::new(home, settings))
    }

    /// A client of `program`, under its settings.
    #[must_use]
    pub fn of(program: Program) -> Self {
        Self {
            relays: Arc::new(Relays::of(program.home())),
            program,
            direct: None,
            instead: None,
            access_word: None,
        }
    }

    /// A client under the settings that are kept in `home`.
    ///
    /// # Errors
    /// [`UnreadSettings`] for settings that are there and cannot be read.
    pub(crate) fn open(home: Home) -> Result<Self, UnreadSettings> {
        let settings = Settings::load(&home)?;
        Ok(Self::new(home, settings))
    }

    /// A client of the same program under other settings.
    #[must_use]
    pub fn with_settings(&self, settings: Settings) -> Self {
        Self {
            program: self.program.with_settings(settings),
            ..self.clone()
        }
    }

    /// A client of the same program that decides some things otherwise than the settings.
    #[must_use]
    pub(crate) fn with_override(&self, over: Override) -> Self {
        let mut settings = self.settings().clone();
        let direct = match (over.direct, &over.relays) {
            (true, _) => Some(true),
            (false, Some(_)) => Some(false),
            (false, None) => None,
        };
        if let Some(proxy) = over.proxy {
            proxy.apply_to(&mut settings);
        }
        Self {
            direct,
            instead: over.relays,
            access_word: over.access_word,
            ..self.with_settings(settings)
        }
    }

    /// Makes this client send nothing, because the person's settings could not be read.
    #[must_use]
    pub(crate) fn sending_nothing(self, unread: UnreadSettings) -> Self {
        Self {
            program: self.program.sending_nothing(unread),
            ..self
        }
    }

    /// The running program: its guards, what servers said of themselves, the built-in network.
    #[must_use]
    pub const fn program(&self) -> &Program {
        &self.program
    }

    /// The relay lists that are kept on this computer.
    #[must_use]
    pub(crate) fn relays(&self) -> &Relays {
        &self.relays
    }

    /// The settings that calls go by.
    #[must_use]
    pub(crate) fn settings(&self) -> &Settings {
        self.program.settings()
    }

    /// Ends the built-in network if this process runs it, once the calls that use it are dropped.
    pub(crate) async fn close(&self) {
        self.program.close().await;
    }

    /// Decides the route to a destination and begins a call there. A relay list may have to be fetched first.
    ///
    /// # Errors
    /// [`AppError::NoRelays`], [`AppError::ForeignBuiltIn`] and [`AppError::RelaysOffered`] when there is no route;
    /// [`AppError::Settings`]; [`AppError`] when the built-in network does not start or the relays cannot be had.
    pub async fn call(
        &self,
        destination: Destination<'_>,
        context: &CallContext,
    ) -> Result<Call, AppError> {
        // Nothing is started or fetched for what must not be sent.
        self.program.proxy()?;
        let routed = match destination {
            Destination::BuiltIn => self.built_in().await?,
            Destination::Chosen => match self.settings().chosen_server() {
                None => self.built_in().await?,
                Some(server) => self.choose_route(server, None, context).await?,
            },
            Destination::Server(server) => self.choose_route(server, None, context).await?,
            Destination::SourceOf(pointer) => {
                let server = &pointer.server;
                self.choose_route(server, Some(pointer), context).await?
            }
        };
        self.program.hold_builtin(&routed);
        let call = Call::new(&self.program, routed, context);
        Ok(match &self.access_word {
            None => call,
            Some(word) => call.with_access_word(word.clone()),
        })
    }

    /// Checks that there is a route to the server that a pointer names, as far as this computer knows. Nobody is asked.
    ///
    /// # Errors
    /// Those that [`Client::call`] would end with before it asks anybody.
    pub(crate) fn check_route(&self, pointer: &Pointer) -> Result<(), AppError> {
        self.program.proxy()?;
        let server = &pointer.server;
        if self.program.is_builtin(server) || self.goes_direct(server) {
            return Ok(());
        }
        let (relays, instead) = (self.relays(), self.instead.as_ref());
        if relays.has_relays(self.settings(), instead, server) {
            let at_hand = relays.at_hand(&self.program, instead, server);
            return relays::or_offer(at_hand, pointer).map(|_relays| ());
        }
        Err(self.explained(program::no_route(server), server, Some(pointer)))
    }

    async fn built_in(&self) -> Result<RoutedServer, AppError> {
        let routed = self.program.builtin_server().await?;
        Ok(if self.direct == Some(true) {
            routed.without_relays()
        } else {
            routed
        })
    }

    /// Chooses the route to a server that the person named, or that `pointer` names.
    async fn choose_route(
        &self,
        server: &ServerAddress,
        pointer: Option<&Pointer>,
        context: &CallContext,
    ) -> Result<RoutedServer, AppError> {
        let (program, instead) = (&self.program, self.instead.as_ref());
        let route = if self.goes_direct(server) {
            Some(Route::Direct)
        } else {
            let relays = self.relays.for_server(program, instead, server, context);
            let relays = match pointer {
                None => relays.await?,
                Some(pointer) => relays::or_offer(relays.await, pointer)?,
            };
            relays.map(Route::Relays)
        };
        let routed = program.routed_server(server, route).await;
        routed.map_err(|error| self.explained(error, server, pointer))
    }

    /// Whether the person said, for this command or in the settings, that this server may see their address.
    fn goes_direct(&self, server: &ServerAddress) -> bool {
        self.direct.unwrap_or_else(|| {
            let entry = self.settings().entry(server);
            entry.is_some_and(|entry| entry.direct)
        })
    }

    /// Why there is no route to a server that the person named, or that `pointer` names.
    fn explained(
        &self,
        error: AppError,
        server: &ServerAddress,
        pointer: Option<&Pointer>,
    ) -> AppError {
        let is_known = pointer.is_none() || self.settings().entry(server).is_some();
        let error = match error {
            // One of the person's own servers is no stranger's built-in network.
            AppError::ForeignBuiltIn if is_known => AppError::NoRelays,
            other => other,
        };
        match pointer {
            None => error,
            Some(pointer) => relays::with_offer(error, pointer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::settings::{ServerChoice, ServerEntry, SettingsError};
    use crate::protocol::address::FileId;
    use crate::protocol::digest::Digest;
    use crate::protocol::keys::Identity;
    use crate::protocol::pointer::PointerKey;
    use crate::protocol::seal::{ContentKind, FileKey};

    fn address(host: &str) -> ServerAddress {
        let key = Identity::from_seed([7; 32]).public().to_hex();
        format!("http://{host}#p={key}").parse().unwrap()
    }

    fn pointer(host: &str) -> Pointer {
        Pointer {
            server: address(host),
            id: FileId::parse("5").unwrap(),
            key: PointerKey::Whole(FileKey::from_bytes([0; 32])),
            digest: Digest::of(b""),
            content_len: 0,
            name: None,
            kind: ContentKind::File,
            expires: None,
            receipts: None,
            relay_list: None,
        }
    }

    /// Settings with one server.
    fn settings(host: &str, direct: bool) -> Settings {
        let mut entry = ServerEntry::new("", address(host));
        entry.direct = direct;
        entry.access_word = AccessWord::parse("of the settings").ok();
        let mut settings = Settings::default();
        settings.servers.push(entry);
        settings
    }

    fn client(settings: Settings) -> (tempfile::TempDir, Client) {
        let folder = tempfile::tempdir().unwrap();
        let client = Client::new(Home::in_folder(folder.path()), settings);
        (folder, client)
    }

    async fn call(client: &Client, to: Destination<'_>) -> Result<Call, AppError> {
        client.call(to, &CallContext::default()).await
    }

    #[tokio::test]
    async fn a_pointers_route_is_decided_alike_with_and_without_asking_anybody() {
        let here = "127.0.0.1:22023";
        let there = "files.example";
        let (_folder, stranger) = client(Settings::default());
        let (_folder, owner) = client(settings(here, false));
        let (_folder, direct) = client(settings(there, true));
        type IsRight = fn(&Result<(), AppError>) -> bool;
        let cases: [(&Client, &str, IsRight); 5] = [
            (&stranger, here, |ended| {
                matches!(ended, Err(AppError::ForeignBuiltIn))
            }),
            (&owner, here, |ended| {
                matches!(ended, Err(AppError::NoRelays))
            }),
            (&stranger, there, |ended| {
                matches!(ended, Err(AppError::NoRelays))
            }),
            (&direct, there, |ended| ended.is_ok()),
            (&direct, here, |ended| {
                matches!(ended, Err(AppError::ForeignBuiltIn))
            }),
        ];
        for (client, host, is_right) in cases {
            let pointer = pointer(host);
            let offline = client.check_route(&pointer);
            assert!(is_right(&offline), "{host}: {offline:?}");
            let source = Destination::SourceOf(&pointer);
            let online = call(client, source).await.map(|_call| ());
            assert!(is_right(&online), "{host}: {online:?}");
        }
    }

    #[tokio::test]
    async fn a_server_that_may_see_the_address_is_reached_directly_however_it_is_named() {
        let host = "files.example";
        let mut settings = settings(host, true);
        settings.chosen = ServerChoice::Server(settings.servers[0].address.clone());
        let (_folder, client) = client(settings);
        let (server, pointer) = (address(host), pointer(host));
        for to in [
            Destination::Chosen,
            Destination::Server(&server),
            Destination::SourceOf(&pointer),
        ] {
            let call = call(&client, to).await.unwrap();
            assert!(call.routed().is_direct());
            let word = call.access_word().map(AccessWord::as_str);
            assert_eq!(word, Some("of the settings"));
        }
        let other = address("other.example");
        let ended = call(&client, Destination::Server(&other)).await;
        assert!(matches!(ended.err(), Some(AppError::NoRelays)));
    }

    #[tokio::test]
    async fn what_a_command_says_goes_before_the_settings() {
        let proxy: SocksProxy = "socks5://127.0.0.1:9050".parse().unwrap();
        let mut settings = settings("files.example", false);
        settings.proxy = Some(proxy.clone());
        let (_folder, client) = client(settings);
        let over = Override {
            relays: Some(RelaySource::Session),
            direct: true,
            proxy: Some(ProxyOverride::None),
            access_word: AccessWord::parse("of the command").ok(),
        };
        let decided = client.with_override(over);
        assert_eq!(decided.instead, Some(RelaySource::Session));
        let server = address("other.example");
        let call = call(&decided, Destination::Server(&server)).await.unwrap();
        assert!(call.routed().is_direct());
        assert_eq!(call.program().proxy(), Ok(None));
        let word = call.access_word().map(AccessWord::as_str);
        assert_eq!(word, Some("of the command"));
        assert_eq!(client.program().proxy(), Ok(Some(&proxy)));
    }

    #[tokio::test]
    async fn relays_that_a_command_names_are_used_for_a_server_that_may_see_the_address() {
        let (folder, client) = client(settings("files.example", true));
        let list = folder.path().join("missing.json");
        let decided = client.with_override(Override {
            relays: Some(RelaySource::File(list)),
            ..Override::default()
        });
        let server = address("files.example");
        let ended = call(&decided, Destination::Server(&server)).await;
        assert!(matches!(ended.err(), Some(AppError::RelayFile(_))));
    }

    #[tokio::test]
    async fn a_call_goes_by_the_settings_that_it_began_with() {
        let (_folder, before) = client(settings("files.example", true));
        let server = address("files.example");
        let call = call(&before, Destination::Server(&server)).await.unwrap();
        let mut settings = before.settings().clone();
        settings.proxy = "socks5://127.0.0.1:9050".parse().ok();
        settings.servers.clear();
        let after = before.with_settings(settings);
        assert!(after.program().proxy().unwrap().is_some());
        assert_eq!(call.program().proxy(), Ok(None));
        assert!(call.routed().is_direct() && call.access_word().is_some());
    }

    #[tokio::test]
    async fn nothing_is_started_while_the_settings_are_not_known() {
        let (folder, client) = client(Settings::default());
        let client = client.sending_nothing(UnreadSettings {
            error: SettingsError::Newer,
            file: folder.path().join("config.toml"),
        });
        let ended = call(&client, Destination::BuiltIn).await;
        assert!(matches!(ended.err(), Some(AppError::Settings(_))));
        let over = client.with_override(Override::default());
        let ended = call(&over, Destination::BuiltIn).await;
        assert!(matches!(ended.err(), Some(AppError::Settings(_))));
        assert!(!client.program().home().builtin_dir().exists());
    }
}
