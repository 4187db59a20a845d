//! The use cases of `app`, as the window needs them.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use super::keyring::SystemKeyring;
use super::model::{
    Contrast, Count, Manage, Managed, Motion, Note, PointerInfo, PointerText, Preferences, Privacy,
    RelayList, RelayOrigin, RelayWish, RelaysKnown, Saved, Server, ServerChoice, ShareOptions,
    Shared, Stage, TestReport, Theme, ZOOMS,
};
use super::text;
use super::worker::{Backend, Progress};
use crate::app::config::{self, Config, Home, ServerEntry};
use crate::app::error::AppError;
use crate::app::file_name::SafeFileName;
use crate::app::get::GetRequest;
use crate::app::history::{History, TellNews};
use crate::app::keystore::KeyStore;
use crate::app::message::UserMessage;
use crate::app::network::{self, Moved, Network, Tell};
use crate::app::relays::{self, RelaySet, RelaySource, Relays};
use crate::app::save::{self, SaveTo};
use crate::app::session::{ServerKind, Session};
use crate::app::share::{Receipts, ShareRequest};
use crate::app::{get, relay_file, server_check, share};
use crate::protocol::address::{ServerAddress, ServerUrl};
use crate::protocol::capability::AccessWord;
use crate::protocol::pointer::Pointer;

/// The real backend.
pub struct App {
    session: Session,
    relays: Relays,
    /// What was read at the start, with what the window does not show.
    config: Mutex<Config>,
    /// Where the key of the history is; without one nothing is kept.
    keys: Option<Arc<dyn KeyStore>>,
}

impl App {
    /// A backend whose settings and data are in `home`, without a history.
    #[must_use]
    pub fn new(home: Home) -> Self {
        Self {
            relays: Relays::of(&home),
            session: Session::new(home),
            config: Mutex::default(),
            keys: None,
        }
    }

    /// A backend of the usual folders, or of `CLOAKROOM_HOME`.
    ///
    /// # Errors
    /// When the system names no home folder.
    pub fn of_this_person() -> Result<Self, UserMessage> {
        let home = Home::find().map_err(|error| UserMessage::from(&AppError::Config(error)))?;
        Ok(Self::new(home).with_history(Arc::new(SystemKeyring)))
    }

    /// The same with a history whose key is in `keys`.
    #[must_use]
    pub fn with_history(self, keys: Arc<dyn KeyStore>) -> Self {
        Self {
            keys: Some(keys),
            ..self
        }
    }

    /// The network that files go to.
    async fn chosen(
        &self,
        preferences: &Preferences,
        choice: &ServerChoice,
    ) -> Result<Network, AppError> {
        let network = match choice {
            ServerChoice::BuiltIn => self.session.builtin_network().await?,
            ServerChoice::Address(address) => {
                let server = address.parse()?;
                let (relays, direct) = self.way_to(&server, preferences).await?;
                self.session
                    .network_for_sharing(&server, relays, direct)
                    .await?
            }
        };
        self.session.hold_builtin(&network);
        Ok(network)
    }

    /// The network that a pointer's file comes from.
    pub(super) async fn source(
        &self,
        preferences: &Preferences,
        server: &ServerAddress,
    ) -> Result<Network, AppError> {
        let (relays, direct) = self.way_to(server, preferences).await?;
        let network = self.session.network_to(server, relays, direct).await?;
        self.session.hold_builtin(&network);
        Ok(network)
    }

    async fn way_to(
        &self,
        server: &ServerAddress,
        preferences: &Preferences,
    ) -> Result<(Option<RelaySet>, bool), AppError> {
        let direct = Self::is_direct(preferences, server);
        let relays = if direct {
            None
        } else {
            let chosen = Self::relay_source(preferences);
            let cancel = CancellationToken::new();
            self.relays
                .for_server(&self.session, &chosen, server, &cancel)
                .await?
        };
        Ok((relays, direct))
    }

    /// Where the relays are from that the window shows.
    pub(super) fn relay_source(preferences: &Preferences) -> RelaySource {
        match preferences.relay_list.as_ref().map(|list| &list.origin) {
            None => RelaySource::BuiltIn,
            Some(RelayOrigin::File(path)) => RelaySource::File(path.clone()),
            Some(RelayOrigin::Session) => RelaySource::Session,
            // The window holds only lines that were understood.
            Some(RelayOrigin::Line(line)) => {
                line.parse().map_or(RelaySource::BuiltIn, RelaySource::Url)
            }
        }
    }

    /// Whether the person's settings say that this server may see their address.
    fn is_direct(preferences: &Preferences, server: &ServerAddress) -> bool {
        let text = server.to_string();
        let mut servers = preferences.servers.iter();
        servers.any(|known| known.direct && known.address == text)
    }

    /// The word that the person keeps with a server.
    fn access_word(&self, network: &Network) -> Option<AccessWord> {
        let config = self.config.lock().unwrap_or_else(PoisonError::into_inner);
        config.access_word(network.server()).cloned()
    }

    fn to_config(&self, preferences: &Preferences) -> Config {
        let mut config = self
            .config
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let known = std::mem::take(&mut config.servers);
        for server in &preferences.servers {
            // The window holds only addresses that were understood.
            let Ok(address) = server.address.parse::<ServerAddress>() else {
                continue;
            };
            let entry = known.iter().find(|entry| entry.address == address).cloned();
            let mut entry = entry.unwrap_or_else(|| ServerEntry {
                name: server.host.clone(),
                address,
                direct: false,
                access_word: None,
            });
            entry.direct = server.direct;
            config.servers.push(entry);
        }
        config.chosen = match &preferences.chosen {
            ServerChoice::BuiltIn => config::ServerChoice::BuiltIn,
            ServerChoice::Address(address) => address
                .parse::<ServerAddress>()
                .map_or(config::ServerChoice::BuiltIn, |address| {
                    config::ServerChoice::Server(address.key)
                }),
        };
        config.relays = Self::relay_source(preferences);
        config.pointer_carries_relay_list = preferences.list_in_pointer;
        let usual = Config::default().download_folder();
        config.download_folder =
            (preferences.downloads != usual).then(|| preferences.downloads.clone());
        config.proxy = preferences.proxy.clone();
        config.theme = match preferences.theme {
            Theme::System => config::Theme::System,
            Theme::Light => config::Theme::Light,
            Theme::Dark => config::Theme::Dark,
        };
        config.contrast = match preferences.contrast {
            Contrast::System => config::Contrast::System,
            Contrast::Normal => config::Contrast::Normal,
            Contrast::High => config::Contrast::High,
        };
        config.reduced_motion = preferences.motion == Motion::Reduced;
        config.language = preferences.language;
        config.zoom = preferences.zoom;
        config.name_in_pointer = preferences.name_in_pointer;
        config.copy_when_done = preferences.copy_when_done;
        config.clear_clipboard = preferences.clear_clipboard;
        config.mask_pointers = preferences.mask_pointers;
        config.welcomed = preferences.welcomed;
        config.history = preferences.privacy.history;
        config.notify = preferences.privacy.notify;
        config.notify_names = preferences.privacy.notify_names;
        config
    }

    pub(super) const fn session(&self) -> &Session {
        &self.session
    }

    pub(super) const fn known_relays(&self) -> &Relays {
        &self.relays
    }

    async fn share_now(
        &self,
        path: PathBuf,
        preferences: &Preferences,
        progress: &Progress,
        cancel: &CancellationToken,
    ) -> Result<Shared, AppError> {
        progress.set(Stage::Pad);
        let network = self.chosen(preferences, &preferences.chosen).await?;
        let request = ShareRequest {
            name_in_pointer: preferences.name_in_pointer,
            carry_relay_list: preferences.list_in_pointer,
            ttl_secs: preferences.options.keep.secs(),
            receipts: match preferences.options.count {
                Count::No => Receipts::Unasked,
                Count::Yes => Receipts::Counted,
                Count::Limit(downloads) => Receipts::Limited(downloads),
            },
            access: self.access_word(&network),
            ..ShareRequest::new(path)
        };
        let shared = share::share(
            &self.session,
            &network,
            request,
            &tell(progress, Direction::Up),
            cancel,
        )
        .await?;
        let secret = shared.pointer.to_text();
        Ok(Shared {
            pointer: PointerText::new(secret.as_str().to_owned()),
            blob_len: shared.class.blob_len() as u64,
            expires: shared.pointer.expires,
            server: host_of(&shared.pointer.server.url),
            builtin: shared.builtin,
            shown: shared.shown,
            manageable: shared.manageable,
            counted: preferences.options.count != Count::No,
            gone: false,
        })
    }

    async fn fetch_now(
        &self,
        text: PointerText,
        tell_sender: bool,
        preferences: &Preferences,
        progress: &Progress,
        cancel: &CancellationToken,
    ) -> Result<Saved, AppError> {
        progress.set(Stage::FindPath);
        let pointer = Pointer::find(text.as_str())?;
        let network = self.source(preferences, &pointer.server).await?;
        let folder = preferences.downloads.clone();
        let swept = folder.clone();
        // What an interrupted program left behind; a folder that cannot be listed is told by the save itself.
        tokio::task::spawn_blocking(move || save::sweep_leftovers(&swept, LEFTOVER_AGE).ok())
            .await
            .ok();
        let to = SaveTo::Folder(folder);
        let fetched = get::get(
            &self.session,
            &network,
            GetRequest {
                pointer,
                to,
                tell_sender,
            },
            &tell(progress, Direction::Down),
            cancel,
        )
        .await?;
        let name = fetched
            .path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        Ok(Saved {
            name: SafeFileName::sanitize(&name).for_display(),
            path: fetched.path,
            len: fetched.content_len,
            shown: fetched.shown,
        })
    }

    fn describe_now(
        &self,
        text: &PointerText,
        preferences: &Preferences,
    ) -> Result<PointerInfo, AppError> {
        let pointer = Pointer::find(text.as_str())?;
        get::check_supported(&pointer)?;
        let source = Self::relay_source(preferences);
        let has_way = self.relays.has_relays(&source, &pointer.server)
            || Self::is_direct(preferences, &pointer.server);
        let (server, trouble) = match self.session.kind_of(&pointer.server, has_way) {
            ServerKind::Own => (text::built_in().to_owned(), None),
            ServerKind::ForeignBuiltIn => {
                let trouble = relays::with_offer(AppError::ForeignBuiltIn, &pointer);
                (host_of(&pointer.server.url), Some(trouble))
            }
            ServerKind::Other if has_way => (host_of(&pointer.server.url), None),
            ServerKind::Other => {
                let trouble = relays::with_offer(AppError::NoRelays, &pointer);
                (host_of(&pointer.server.url), Some(trouble))
            }
        };
        let lacks_relays = matches!(
            &trouble,
            Some(AppError::NoRelays | AppError::RelaysOffered(_))
        );
        let offer = match &trouble {
            Some(AppError::RelaysOffered(offer)) => Some(offer.list.host().to_owned()),
            _ => None,
        };
        Ok(PointerInfo {
            asks_receipt: pointer.receipts.is_some(),
            offer,
            lacks_relays,
            name: pointer
                .name
                .as_deref()
                .map(|name| SafeFileName::sanitize(name).for_display()),
            len: pointer.content_len,
            server,
            expires: pointer.expires,
            note: trouble.map(|error| Note {
                message: UserMessage::from(&error),
                blocks: true,
            }),
        })
    }
}

impl Backend for App {
    fn load(&self) -> (Preferences, Option<UserMessage>) {
        let (config, problem) = Config::load(self.session.home());
        let trouble = problem.as_ref().map(UserMessage::from);
        let list = Self::named_list(&config.relays);
        let preferences = Preferences {
            servers: config
                .servers
                .iter()
                .map(|entry| Server {
                    direct: entry.direct,
                    ..server(&entry.address)
                })
                .collect(),
            chosen: match config.chosen_entry() {
                Some(entry) => ServerChoice::Address(entry.address.to_string()),
                None => ServerChoice::BuiltIn,
            },
            relay_list: list,
            downloads: config.download_folder(),
            theme: match config.theme {
                config::Theme::System => Theme::System,
                config::Theme::Light => Theme::Light,
                config::Theme::Dark => Theme::Dark,
            },
            contrast: match config.contrast {
                config::Contrast::System => Contrast::System,
                config::Contrast::Normal => Contrast::Normal,
                config::Contrast::High => Contrast::High,
            },
            motion: if config.reduced_motion {
                Motion::Reduced
            } else {
                Motion::System
            },
            language: config.language,
            zoom: nearest_zoom(config.zoom),
            options: ShareOptions::default(),
            name_in_pointer: config.name_in_pointer,
            list_in_pointer: config.pointer_carries_relay_list,
            copy_when_done: config.copy_when_done,
            clear_clipboard: config.clear_clipboard,
            mask_pointers: config.mask_pointers,
            proxy: config.proxy.clone(),
            welcomed: config.welcomed,
            privacy: Privacy {
                history: config.history,
                notify: config.notify,
                notify_names: config.notify_names,
            },
        };
        self.session.set_proxy(config.proxy.clone());
        *self.config.lock().unwrap_or_else(PoisonError::into_inner) = config;
        (preferences, trouble)
    }

    fn kept_list(&self, preferences: &Preferences) -> Option<Result<RelayList, UserMessage>> {
        match Self::relay_source(preferences) {
            RelaySource::File(path) => Some(self.read_relay_list(path)),
            source => self.held_list(&source).map(Ok),
        }
    }

    fn save(&self, preferences: &Preferences) -> Result<(), UserMessage> {
        let config = self.to_config(preferences);
        config
            .save(self.session.home())
            .map_err(|error| UserMessage::from(&AppError::Config(error)))?;
        self.session.set_proxy(config.proxy.clone());
        *self.config.lock().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    fn share<'a>(
        &'a self,
        path: PathBuf,
        preferences: &'a Preferences,
        progress: &'a Progress,
        cancel: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<Shared, UserMessage>> {
        Box::pin(async move { in_words(self.share_now(path, preferences, progress, cancel).await) })
    }

    fn fetch<'a>(
        &'a self,
        pointer: PointerText,
        tell_sender: bool,
        preferences: &'a Preferences,
        progress: &'a Progress,
        cancel: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<Saved, UserMessage>> {
        Box::pin(async move {
            let fetched = self.fetch_now(pointer, tell_sender, preferences, progress, cancel);
            in_words(fetched.await)
        })
    }

    fn manage<'a>(
        &'a self,
        what: Manage,
        pointer: PointerText,
        preferences: &'a Preferences,
        cancel: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<Managed, UserMessage>> {
        Box::pin(async move { in_words(self.manage_now(what, pointer, preferences, cancel).await) })
    }

    fn relays<'a>(
        &'a self,
        wish: RelayWish,
        preferences: &'a Preferences,
        cancel: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<RelaysKnown, UserMessage>> {
        Box::pin(self.ask_relays(wish, preferences, cancel))
    }

    fn describe(
        &self,
        text: &PointerText,
        preferences: &Preferences,
    ) -> Result<PointerInfo, UserMessage> {
        in_words(self.describe_now(text, preferences))
    }

    fn read_server(&self, address: &str) -> Result<Server, UserMessage> {
        in_words(
            address
                .trim()
                .parse::<ServerAddress>()
                .map_err(AppError::from),
        )
        .map(|address| server(&address))
    }

    fn read_relay_list(&self, path: PathBuf) -> Result<RelayList, UserMessage> {
        let list = in_words(relay_file::read(&path, self.session.now()))?;
        Ok(RelayList {
            origin: RelayOrigin::File(path),
            name: list.name,
            relays: list.relays.len(),
        })
    }

    fn test_server<'a>(
        &'a self,
        server: ServerChoice,
        preferences: &'a Preferences,
        cancel: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<TestReport, UserMessage>> {
        Box::pin(async move {
            let network = in_words(self.chosen(preferences, &server).await)?;
            let checked = in_words(
                server_check::check(
                    &self.session,
                    &network,
                    self.access_word(&network),
                    &Tell::nobody(),
                    cancel,
                )
                .await,
            )?;
            Ok(TestReport {
                upload_millis: millis(checked.upload),
                download_millis: millis(checked.download),
            })
        })
    }

    fn window_folder(&self) -> Option<PathBuf> {
        Some(self.session.home().data_dir.clone())
    }

    fn history(&self, tell: TellNews) -> Option<History> {
        let folder = self.session.home().data_dir.clone();
        let keys = Arc::clone(self.keys.as_ref()?);
        History::start(folder, keys, KEYRING_PATIENCE, self.session.now(), tell).ok()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.session.close())
    }
}

/// Which way the file goes, for the words of a stage.
#[derive(Clone, Copy)]
enum Direction {
    Up,
    Down,
}

fn tell(progress: &Progress, direction: Direction) -> Tell {
    let progress = progress.clone();
    Tell::new(move |stage| {
        let shown = match (stage, direction) {
            (network::Stage::Pad, _) => Stage::Pad,
            (network::Stage::Seal, _) => Stage::Seal,
            (
                network::Stage::FindPath
                | network::Stage::Moved(Moved::Connecting)
                | network::Stage::Work { .. },
                _,
            ) => Stage::FindPath,
            (network::Stage::Moved(Moved::Sending { sent, total }), Direction::Up) => {
                Stage::Upload {
                    fraction: fraction(sent, total),
                }
            }
            (network::Stage::Moved(Moved::Receiving { received, total }), Direction::Down) => {
                Stage::Download {
                    fraction: fraction(received, total),
                }
            }
            // The small half of a transfer: nothing that a bar could show moves.
            (
                network::Stage::Moved(
                    Moved::Crossing | Moved::Sending { .. } | Moved::Receiving { .. },
                ),
                _,
            ) => Stage::Crossing,
            (network::Stage::Verify, _) => Stage::Verify,
            (network::Stage::Open, _) => Stage::Open,
            (network::Stage::Save | network::Stage::TellSender, _) => Stage::Save,
        };
        progress.set(shown);
    })
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a bar has fewer pixels than an f32 has steps"
)]
fn fraction(done: u64, total: u64) -> f32 {
    if total == 0 {
        0.0
    } else {
        done as f32 / total as f32
    }
}

pub(super) fn in_words<T>(result: Result<T, AppError>) -> Result<T, UserMessage> {
    result.map_err(|error| UserMessage::from(&error))
}

fn server(address: &ServerAddress) -> Server {
    Server {
        address: address.to_string(),
        host: host_of(&address.url),
        direct: false,
    }
}

/// Host, and port when it is not the scheme's.
fn host_of(url: &ServerUrl) -> String {
    url.as_str()
        .split_once("://")
        .map_or_else(|| url.as_str().to_owned(), |(_, rest)| rest.to_owned())
}

/// A file that a person edited can say anything.
fn nearest_zoom(zoom: u16) -> u16 {
    let nearest = ZOOMS.into_iter().min_by_key(|step| step.abs_diff(zoom));
    nearest.unwrap_or(100)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Long enough for a person to type the keyring's password; nothing waits for it.
const KEYRING_PATIENCE: Duration = Duration::from_secs(60);
/// Younger ones may belong to a transfer that runs in another window.
const LEFTOVER_AGE: Duration = Duration::from_secs(24 * 3_600);
