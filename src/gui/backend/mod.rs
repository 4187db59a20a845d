//! The use cases of `app`, as the window needs them.

mod relay_requests;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use super::model::{
    Advanced, Contrast, Count, Ended, FirstStop, ManageAction, Managed, Motion, PointerInfo,
    PointerNote, PointerText, Preferences, Privacy, RelayList, RelayOrigin, RelayWish, RelaysKnown,
    Saved, Server, ServerChoice, ShareOptions, ShareResult, Stage, Terms, TestReport, Theme,
    Trouble, ZOOMS,
};
use super::text;
use super::worker::{Backend, Progress};
use crate::app::error::AppError;
use crate::app::kept::history::{History, TellNews};
use crate::app::kept::keystore::KeyStore;
use crate::app::operate::check::{self, Asker, Finding};
use crate::app::received::file_name::SafeFileName;
use crate::app::received::save::SaveTo;
use crate::app::relays::list_file;
use crate::app::relays::{self, RelaySet, RelaySource, Relays};
use crate::app::settings::config::{self, Config, ConfigError, Home, ServerEntry};
use crate::app::transfer::get::GetRequest;
use crate::app::transfer::network::{self, Moved, Network, Route, Tell};
use crate::app::transfer::session::{ServerKind, Session};
use crate::app::transfer::share::{Receipts, ShareRequest};
use crate::app::transfer::{get, share, test_server};
use crate::app::words::message::UserMessage;
use crate::app::words::who_saw_what::RequestShown;
use crate::gui::platform::keyring::SystemKeyring;
use crate::protocol::address::ServerAddress;
use crate::protocol::capability::AccessWord;
use crate::protocol::capability::work::WorkAsked;
use crate::protocol::file_api::ServerInfo;
use crate::protocol::pointer::Pointer;
use crate::protocol::size_class::SizeClass;

/// The real backend.
pub struct App {
    session: Session,
    relays: Relays,
    /// What the window last read or wrote, with what it does not show: what differs from it the person has changed.
    config: Mutex<Config>,
    /// Whether the file of the settings is a newer version's, which stays as it is.
    read_only: AtomicBool,
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
            read_only: AtomicBool::new(false),
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

    /// This backend, with a history whose key is in `keys`.
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
        shown: &mut Vec<RequestShown>,
        cancel: &CancellationToken,
    ) -> Result<Network, AppError> {
        let network = match choice {
            ServerChoice::BuiltIn => self.session.builtin_network().await?,
            ServerChoice::Address(address) => {
                let server = address.parse()?;
                let direct = Self::is_direct(preferences, &server);
                let relays = if direct {
                    None
                } else {
                    let relays = self.relays_for(&server, preferences, shown, cancel);
                    relays.await?
                };
                self.session
                    .network_to_known(&server, relays, direct)
                    .await?
            }
        };
        self.session.hold_builtin(&network);
        Ok(network)
    }

    /// The network that a pointer's file comes from.
    pub(crate) async fn source(
        &self,
        preferences: &Preferences,
        pointer: &Pointer,
        shown: &mut Vec<RequestShown>,
        cancel: &CancellationToken,
    ) -> Result<Network, AppError> {
        let server = &pointer.server;
        let direct = Self::is_direct(preferences, server);
        let relays = if direct {
            None
        } else {
            let relays = self.relays_for(server, preferences, shown, cancel).await;
            relays::or_offer(relays, pointer)?
        };
        let network = if Self::is_known(preferences, server) {
            self.session.network_to_known(server, relays, direct).await
        } else {
            self.session.network_to(server, relays, direct).await
        };
        let network = network.map_err(|error| relays::with_offer(error, pointer))?;
        self.session.hold_builtin(&network);
        Ok(network)
    }

    /// Whether it is one of the person's own servers.
    fn is_known(preferences: &Preferences, server: &ServerAddress) -> bool {
        let text = server.to_string();
        let mut servers = preferences.servers.iter();
        servers.any(|known| known.address == text)
    }

    async fn relays_for(
        &self,
        server: &ServerAddress,
        preferences: &Preferences,
        shown: &mut Vec<RequestShown>,
        cancel: &CancellationToken,
    ) -> Result<Option<RelaySet>, AppError> {
        let (session, chosen) = (&self.session, Self::relay_source(preferences));
        let relays = &self.relays;
        relays
            .for_server(session, &chosen, server, shown, cancel)
            .await
    }

    /// Where the relays are from that the window shows.
    pub(crate) fn relay_source(preferences: &Preferences) -> RelaySource {
        let list = preferences.relay_list.as_ref();
        list.map_or(RelaySource::BuiltIn, |list| Self::source_of(&list.origin))
    }

    /// What the window calls it; nothing for the built-in network's relays.
    pub(crate) fn origin_of(source: &RelaySource) -> Option<RelayOrigin> {
        match source {
            RelaySource::BuiltIn => None,
            RelaySource::File(path) => Some(RelayOrigin::File(path.clone())),
            RelaySource::Session => Some(RelayOrigin::Session),
            RelaySource::Url(line) => Some(RelayOrigin::Line(line.to_string())),
        }
    }

    /// What the window calls so.
    pub(crate) fn source_of(origin: &RelayOrigin) -> RelaySource {
        match origin {
            RelayOrigin::File(path) => RelaySource::File(path.clone()),
            RelayOrigin::Session => RelaySource::Session,
            // The window holds only lines that were understood.
            RelayOrigin::Line(line) => line.parse().map_or(RelaySource::BuiltIn, RelaySource::Url),
        }
    }

    /// Whether the person's settings say that this server may see their address.
    fn is_direct(preferences: &Preferences, server: &ServerAddress) -> bool {
        let text = server.to_string();
        let mut servers = preferences.servers.iter();
        servers.any(|known| known.direct && known.address == text)
    }

    /// The word that the person keeps with a server.
    fn access_word(preferences: &Preferences, network: &Network) -> Option<AccessWord> {
        let text = network.server().to_string();
        let mut servers = preferences.servers.iter();
        let known = servers.find(|known| known.address == text)?;
        known.access_word.clone()
    }

    fn last_config(&self) -> MutexGuard<'_, Config> {
        self.config.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn to_config(&self, preferences: &Preferences) -> Config {
        let mut config = self.last_config().clone();
        let known = std::mem::take(&mut config.servers);
        for server in &preferences.servers {
            // The window holds only addresses that were understood.
            let Ok(address) = server.address.parse::<ServerAddress>() else {
                continue;
            };
            // What a newer version keeps with it stays.
            let known = known.iter().find(|entry| entry.address == address);
            let mut entry = known
                .cloned()
                .unwrap_or_else(|| ServerEntry::new("", address));
            entry.name.clone_from(&server.name);
            entry.direct = server.direct;
            entry.access_word.clone_from(&server.access_word);
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
        config.short_lists = preferences
            .short_lists
            .iter()
            .map(Self::source_of)
            .collect();
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
        config.display = preferences.advanced.display;
        config.renderer = preferences.advanced.renderer;
        config.parallel_shares = preferences.advanced.parallel_shares;
        config
    }

    pub(crate) const fn session(&self) -> &Session {
        &self.session
    }

    pub(crate) const fn known_relays(&self) -> &Relays {
        &self.relays
    }

    async fn share_now(
        &self,
        path: PathBuf,
        preferences: &Preferences,
        progress: &Progress,
        shown: &mut Vec<RequestShown>,
        cancel: &CancellationToken,
    ) -> Result<ShareResult, AppError> {
        progress.set(Stage::Pad);
        let network = (self.chosen(preferences, &preferences.chosen, shown, cancel)).await?;
        let access = Self::access_word(preferences, &network);
        let request = share_request(path, preferences, access);
        let shared = share::share(
            &self.session,
            &network,
            request,
            &tell(progress, Direction::Up, &network),
            shown,
            cancel,
        )
        .await?;
        let secret = shared.pointer.to_text();
        Ok(ShareResult {
            pointer: PointerText::new(secret.as_str().to_owned()),
            blob_len: shared.class.blob_len() as u64,
            expires: shared.pointer.expires,
            server: shared.pointer.server.url.authority().to_owned(),
            builtin: shared.builtin,
            manageable: shared.manageable,
            counted: preferences.options.count != Count::No,
            gone: false,
            by_server_clock: shared.by_server_clock,
            other_time: shared.unmet_ttl_secs.is_some(),
        })
    }

    async fn fetch_now(
        &self,
        (text, tell_sender): (PointerText, bool),
        preferences: &Preferences,
        progress: &Progress,
        shown: &mut Vec<RequestShown>,
        cancel: &CancellationToken,
    ) -> Result<Saved, AppError> {
        progress.set(Stage::FindPath);
        let pointer = Pointer::find(text.as_str())?;
        let to = SaveTo::Folder(preferences.downloads.clone());
        let target = tokio::task::spawn_blocking(|| to.prepare())
            .await
            .map_err(|_ended| AppError::Cancelled)?
            .map_err(AppError::NoPlace)?;
        let network = self.source(preferences, &pointer, shown, cancel).await?;
        let fetched = get::get(
            &self.session,
            &network,
            GetRequest {
                pointer,
                target,
                tell_sender,
            },
            &tell(progress, Direction::Down, &network),
            shown,
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
        })
    }

    async fn test_now(
        &self,
        server: &ServerChoice,
        preferences: &Preferences,
        shown: &mut Vec<RequestShown>,
        cancel: &CancellationToken,
    ) -> Result<TestReport, AppError> {
        let network = self.chosen(preferences, server, shown, cancel).await?;
        let (session, word) = (&self.session, Self::access_word(preferences, &network));
        let nobody = Tell::nobody();
        let checked = test_server::check(session, &network, word, &nobody, shown, cancel).await?;
        Ok(TestReport {
            upload_millis: millis(checked.upload),
            download_millis: millis(checked.download),
            delete_millis: checked.delete.map(millis),
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
        let direct = Self::is_direct(preferences, &pointer.server);
        let has_way = direct || self.relays.has_relays(&source, &pointer.server);
        let (server, trouble) = match self.session.kind_of(&pointer.server, has_way) {
            ServerKind::Own => (text::built_in().to_owned(), None),
            ServerKind::ForeignBuiltIn => {
                let error = if Self::is_known(preferences, &pointer.server) {
                    AppError::NoRelays
                } else {
                    AppError::ForeignBuiltIn
                };
                let trouble = relays::with_offer(error, &pointer);
                (pointer.server.url.authority().to_owned(), Some(trouble))
            }
            ServerKind::Other if direct => (pointer.server.url.authority().to_owned(), None),
            ServerKind::Other if has_way => {
                let at_hand = self.relays.at_hand(&self.session, &source, &pointer.server);
                let trouble = relays::or_offer(at_hand, &pointer).err();
                (pointer.server.url.authority().to_owned(), trouble)
            }
            ServerKind::Other => {
                let trouble = relays::with_offer(AppError::NoRelays, &pointer);
                (pointer.server.url.authority().to_owned(), Some(trouble))
            }
        };
        let lacks_relays = matches!(
            &trouble,
            Some(AppError::NoRelays | AppError::RelaySource(_) | AppError::RelaysOffered(_))
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
            note: match trouble {
                Some(error) => Some(PointerNote {
                    message: UserMessage::from(&error),
                    blocks: true,
                }),
                None => doubt(
                    pointer.expires,
                    self.session.now(),
                    &pointer.server,
                    preferences,
                )
                .map(|message| PointerNote {
                    message,
                    blocks: false,
                }),
            },
        })
    }
}

impl Backend for App {
    fn load(&self) -> (Preferences, Option<UserMessage>) {
        let (config, trouble) = match Config::load(self.session.home()) {
            Ok(config) => {
                self.session.set_proxy(config.proxy.clone());
                (config, None)
            }
            Err(unread) => {
                self.session.forbid_sending(unread.clone());
                let mut config = Config::default();
                // Whoever has settings is not here for the first time.
                config.welcomed = true;
                (config, Some(UserMessage::from(&AppError::from(unread))))
            }
        };
        let list = Self::named_list(&config.relays);
        let preferences = Preferences {
            servers: config.servers.iter().map(known_server).collect(),
            chosen: match config.chosen_entry() {
                Some(entry) => ServerChoice::Address(entry.address.to_string()),
                None => ServerChoice::BuiltIn,
            },
            relay_list: list,
            short_lists: config
                .short_lists
                .iter()
                .filter_map(Self::origin_of)
                .collect(),
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
            advanced: Advanced {
                display: config.display,
                renderer: config.renderer,
                parallel_shares: config.parallel_shares,
            },
        };
        self.session.allow_short(config.short_lists.clone());
        *self.last_config() = config;
        // As the window says it: what it cannot say exactly, as a size between two steps, nobody has changed by that.
        let said = self.to_config(&preferences);
        *self.last_config() = said;
        (preferences, trouble)
    }

    fn kept_list(&self, preferences: &Preferences) -> Option<Result<RelayList, UserMessage>> {
        match Self::relay_source(preferences) {
            RelaySource::File(path) => Some(self.read_relay_list(path)),
            source => self.held_list(&source).map(Ok),
        }
    }

    fn use_default_settings(&self) -> Result<Option<PathBuf>, UserMessage> {
        let aside = match Config::put_aside(self.session.home()) {
            Ok(aside) => aside,
            Err(ConfigError::Newer) => {
                self.read_only.store(true, Ordering::SeqCst);
                None
            }
            Err(error) => return Err(UserMessage::from(&AppError::Config(error))),
        };
        self.session.set_proxy(None);
        Ok(aside)
    }

    fn save(&self, preferences: &Preferences) -> Result<(), UserMessage> {
        // What was not read is not written over.
        if let Err(unread) = self.session.proxy() {
            return Err(UserMessage::from(&AppError::from(unread)));
        }
        let config = self.to_config(preferences);
        if !self.read_only.load(Ordering::SeqCst) {
            let before = self.last_config().clone();
            config
                .save_changes(&before, self.session.home())
                .map_err(|error| UserMessage::from(&AppError::Config(error)))?;
        }
        self.session.set_proxy(config.proxy.clone());
        self.session.allow_short(config.short_lists.clone());
        *self.last_config() = config;
        Ok(())
    }

    fn share<'a>(
        &'a self,
        path: PathBuf,
        preferences: &'a Preferences,
        progress: &'a Progress,
        cancel: &'a CancellationToken,
    ) -> BoxFuture<'a, Ended<ShareResult>> {
        Box::pin(async move {
            let mut shown = Vec::new();
            let share = self.share_now(path, preferences, progress, &mut shown, cancel);
            let result = share.await.map_err(Trouble::from);
            Ended { result, shown }
        })
    }

    fn fetch<'a>(
        &'a self,
        pointer: PointerText,
        tell_sender: bool,
        preferences: &'a Preferences,
        progress: &'a Progress,
        cancel: &'a CancellationToken,
    ) -> BoxFuture<'a, Ended<Saved>> {
        Box::pin(async move {
            let mut shown = Vec::new();
            let asked = (pointer, tell_sender);
            let fetch = self.fetch_now(asked, preferences, progress, &mut shown, cancel);
            let result = fetch.await.map_err(Trouble::from);
            Ended { result, shown }
        })
    }

    fn manage<'a>(
        &'a self,
        what: ManageAction,
        pointer: PointerText,
        preferences: &'a Preferences,
        cancel: &'a CancellationToken,
    ) -> BoxFuture<'a, Ended<Managed>> {
        Box::pin(async move {
            let mut shown = Vec::new();
            let manage = self.manage_now(what, pointer, preferences, &mut shown, cancel);
            let result = manage.await.map_err(Trouble::from);
            Ended { result, shown }
        })
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
        let list = in_words(list_file::read(&path, self.session.now()))?;
        Ok(RelayList {
            origin: RelayOrigin::File(path),
            name: text::list_name(&list.name),
            relays: list.relays.len(),
        })
    }

    fn test_server<'a>(
        &'a self,
        server: ServerChoice,
        preferences: &'a Preferences,
        cancel: &'a CancellationToken,
    ) -> BoxFuture<'a, Ended<TestReport>> {
        Box::pin(async move {
            let mut shown = Vec::new();
            let test = self.test_now(&server, preferences, &mut shown, cancel);
            let result = test.await.map_err(Trouble::from);
            Ended { result, shown }
        })
    }

    fn terms(&self, server: &ServerChoice) -> Option<Terms> {
        let key = match server {
            ServerChoice::BuiltIn => self.session.builtin_key()?,
            ServerChoice::Address(address) => address.parse::<ServerAddress>().ok()?.key,
        };
        terms_of(&self.session.remembered_info(&key)?)
    }

    fn diagnostics(&self) -> BoxFuture<'_, String> {
        Box::pin(async {
            let report =
                check::person(self.session.home(), self.session.now(), Asker::Window).await;
            let mut lines = vec![format!(
                "{} on {} {}",
                text::version(),
                std::env::consts::OS,
                std::env::consts::ARCH
            )];
            for found in report.findings {
                let Finding {
                    part,
                    state,
                    what,
                    next,
                } = found;
                let state = state.name();
                lines.push(format!("{part}: {state}: {what}"));
                if !next.is_empty() {
                    lines.push(format!("  {next}"));
                }
            }
            lines.push(String::new());
            lines.join("\n")
        })
    }

    fn window_folder(&self) -> Option<PathBuf> {
        Some(self.session.home().data_dir.clone())
    }

    fn history(&self, tell: TellNews) -> Option<History> {
        let folder = self.session.home().data_dir.clone();
        let keys = Arc::clone(self.keys.as_ref()?);
        History::start(folder, keys, KEYRING_PATIENCE, self.session.clock(), tell).ok()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.session.close())
    }
}

/// What to know before a download that can work.
fn doubt(
    expires: Option<u64>,
    now: u64,
    server: &ServerAddress,
    preferences: &Preferences,
) -> Option<UserMessage> {
    if let Some(expires) = expires.filter(|expires| *expires <= now) {
        return Some(text::pointer_expired(expires));
    }
    let ServerChoice::Address(chosen) = &preferences.chosen else {
        return None;
    };
    let theirs = server.to_string();
    let servers = &preferences.servers;
    if servers.iter().any(|known| known.address == theirs) {
        return None;
    }
    let chosen = servers.iter().find(|known| known.address == *chosen)?;
    Some(text::other_server(server.url.authority(), &chosen.name))
}

/// A share as it was chosen.
fn share_request(
    path: PathBuf,
    preferences: &Preferences,
    access: Option<AccessWord>,
) -> ShareRequest {
    ShareRequest {
        name_in_pointer: preferences.name_in_pointer,
        carry_relay_list: preferences.list_in_pointer,
        ttl_secs: preferences.options.keep.secs(),
        receipts: match preferences.options.count {
            Count::No => Receipts::Unasked,
            Count::Yes => Receipts::Counted,
            Count::Limit(downloads) => Receipts::Limited(downloads),
        },
        access,
        ..ShareRequest::new(path)
    }
}

/// What a server takes; none where it takes no blob at all.
fn terms_of(info: &ServerInfo) -> Option<Terms> {
    let fits = |class: &SizeClass| class.blob_len() as u64 <= info.max_blob;
    let largest = SizeClass::ALL.into_iter().rev().find(fits)?;
    Some(Terms {
        max_len: largest.capacity() as u64,
        usual_secs: info.ttl_default,
        max_secs: info.ttl_max,
        work_bits: match info.work {
            WorkAsked::Base(base) => Some(base.bits()),
            WorkAsked::None | WorkAsked::Unknown => None,
        },
    })
}

/// Which way the file goes, for the words of a stage.
#[derive(Clone, Copy)]
enum Direction {
    Up,
    Down,
}

fn tell(progress: &Progress, direction: Direction, network: &Network) -> Tell {
    let progress = progress.clone();
    let first_stop = match network.way() {
        Route::Direct => FirstStop::Server,
        Route::Relays(_) => FirstStop::Relay,
    };
    Tell::new(move |stage| {
        let shown = match (stage, direction) {
            (network::Stage::Pad, _) => Stage::Pad,
            (network::Stage::Seal, _) => Stage::Seal,
            (network::Stage::FindPath, _) => Stage::FindPath,
            (network::Stage::Moved(Moved::Connecting), _) => Stage::Connect(first_stop),
            (network::Stage::Work { permille }, _) => Stage::Work {
                fraction: fraction(permille.into(), 1_000),
            },
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

pub(crate) fn in_words<T>(result: Result<T, AppError>) -> Result<T, UserMessage> {
    result.map_err(|error| UserMessage::from(&error))
}

fn server(address: &ServerAddress) -> Server {
    Server {
        address: address.to_string(),
        name: address.url.authority().to_owned(),
        direct: false,
        access_word: None,
    }
}

/// A server as it stands in the settings.
fn known_server(entry: &ServerEntry) -> Server {
    Server {
        name: entry.shown_name().to_owned(),
        direct: entry.direct,
        access_word: entry.access_word.clone(),
        ..server(&entry.address)
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gui::model::KeepFor;
    use crate::protocol::capability::work::WorkBase;

    #[test]
    fn every_option_of_a_share_reaches_the_upload() {
        let chosen = |keep, count| {
            let options = ShareOptions { keep, count };
            let preferences = Preferences {
                options,
                name_in_pointer: false,
                list_in_pointer: true,
                ..Preferences::default()
            };
            share_request(
                PathBuf::from("a"),
                &preferences,
                AccessWord::parse("x").ok(),
            )
        };
        for (keep, secs) in [
            (KeepFor::Usual, None),
            (KeepFor::Days(1), Some(86_400)),
            (KeepFor::Days(7), Some(604_800)),
            (KeepFor::Days(14), Some(1_209_600)),
            (KeepFor::Days(30), Some(2_592_000)),
        ] {
            assert_eq!(chosen(keep, Count::No).ttl_secs, secs);
        }
        for (count, receipts) in [
            (Count::No, Receipts::Unasked),
            (Count::Yes, Receipts::Counted),
            (Count::Limit(300), Receipts::Limited(300)),
        ] {
            assert_eq!(chosen(KeepFor::Usual, count).receipts, receipts);
        }
        let request = chosen(KeepFor::Usual, Count::No);
        assert!(!request.name_in_pointer && request.carry_relay_list);
        assert!(request.access.is_some());
    }

    #[test]
    fn a_passed_expiry_and_an_unknown_server_are_told_before_a_download() {
        let address = |host: &str| -> ServerAddress {
            let key = crate::protocol::keys::Identity::from_seed([7; 32]).public();
            let text = format!("http://{host}#p={}", key.to_hex());
            text.parse().expect("an address")
        };
        let ours = server(&address("files.example"));
        let mut preferences = Preferences {
            servers: vec![ours.clone()],
            chosen: ServerChoice::Address(ours.address),
            ..Preferences::default()
        };
        let known = address("files.example");
        let other = address("other.example");
        assert_eq!(doubt(Some(11), 10, &known, &preferences), None);
        assert!(doubt(Some(10), 10, &known, &preferences).is_some());
        let message = doubt(None, 10, &other, &preferences).expect("a doubt");
        assert!(message.why.contains("other.example") && message.why.contains("files.example"));
        preferences.chosen = ServerChoice::BuiltIn;
        assert_eq!(doubt(None, 10, &other, &preferences), None);
    }

    #[test]
    fn a_server_takes_the_largest_size_whose_blobs_it_stores() {
        let info = |max_blob| ServerInfo {
            name: String::new(),
            version: String::new(),
            max_blob,
            ttl_default: 86_400,
            ttl_max: 604_800,
            features: Vec::new(),
            access: false,
            work: WorkAsked::Base(WorkBase::ALL[2]),
            hour: None,
            free: None,
        };
        assert_eq!(terms_of(&info(65_535)), None);
        let terms = terms_of(&info(1_048_577)).expect("it takes something");
        assert_eq!(terms.max_len, 1_048_576 - 1_088);
        assert_eq!((terms.usual_secs, terms.max_secs), (86_400, 604_800));
        assert_eq!(terms.work_bits, Some(18));
    }
}
