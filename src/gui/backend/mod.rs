//! The use cases of `app`, as the window needs them.

mod relay_requests;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::model::{
    Advanced, ChosenServer, Count, Ended, KnownServer, ManageAction, Managed, Motion, PointerInfo,
    PointerNote, PointerText, Preferences, Privacy, RelayOrigin, RelayWish, RelaysKnown, Saved,
    ShareOptions, ShareResult, ShownRelayList, Terms, TestReport, Trouble, ZOOMS,
};
use super::text;
use super::worker::Backend;
use crate::app::client::{Client, Destination};
use crate::app::error::AppError;
use crate::app::kept::history::{History, TellNews};
use crate::app::kept::keystore::KeyStore;
use crate::app::operate::check::{self, Asker, Finding};
use crate::app::received::file_name::SafeFileName;
use crate::app::received::save::SaveTo;
use crate::app::relays::RelaySource;
use crate::app::relays::list_file;
use crate::app::settings::config::{self, Config, ConfigError, Home, ServerEntry, UnreadSettings};
use crate::app::transfer::call::CallContext;
use crate::app::transfer::get::GetRequest;
use crate::app::transfer::session::Session;
use crate::app::transfer::share::{Receipts, ShareRequest};
use crate::app::transfer::stage::Stage;
use crate::app::transfer::supported::PointerUse;
use crate::app::transfer::{get, share, test_server};
use crate::app::words::message::UserMessage;
use crate::gui::platform::keyring::SystemKeyring;
use crate::protocol::address::ServerAddress;
use crate::protocol::capability::work::WorkAsked;
use crate::protocol::file_api::ServerInfo;
use crate::protocol::pointer::Pointer;
use crate::protocol::size_class::SizeClass;

/// The real backend.
pub struct App {
    /// The program; what the window asks for is done under the preferences that come with it.
    program: Client,
    /// What the window last read or wrote, with what it does not show: what differs from it the person has changed.
    config: Mutex<Config>,
    /// Why the settings could not be read; nothing is sent until the person says how to go on.
    unread: Mutex<Option<UnreadSettings>>,
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
            program: Client::new(home, Config::default()),
            config: Mutex::default(),
            unread: Mutex::default(),
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

    fn session(&self) -> &Session {
        self.program.session()
    }

    fn home(&self) -> &Home {
        self.session().home()
    }

    /// The program under these preferences.
    fn client(&self, preferences: &Preferences) -> Client {
        let client = self.program.with_settings(self.to_config(preferences));
        match self.unread() {
            None => client,
            Some(unread) => client.sending_nothing(unread),
        }
    }

    fn unread(&self) -> Option<UnreadSettings> {
        lock(&self.unread).clone()
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

    fn to_config(&self, preferences: &Preferences) -> Config {
        let mut config = lock(&self.config).clone();
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
            ChosenServer::BuiltIn => config::ServerChoice::BuiltIn,
            ChosenServer::Address(address) => address
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
        config.theme = preferences.theme;
        config.contrast = preferences.contrast;
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

    async fn share_now(
        &self,
        path: PathBuf,
        preferences: &Preferences,
        context: &CallContext,
    ) -> Result<ShareResult, AppError> {
        context.progress.stage(Stage::Pad);
        let client = self.client(preferences);
        let address = chosen(&preferences.chosen)?;
        let call = client.call(destination(address.as_ref()), context).await?;
        let shared = share::share(&call, share_request(path, preferences)).await?;
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
        text: PointerText,
        tell_sender: bool,
        preferences: &Preferences,
        context: &CallContext,
    ) -> Result<Saved, AppError> {
        context.progress.stage(Stage::FindPath);
        let pointer = Pointer::find(text.as_str())?;
        let to = SaveTo::Folder(preferences.downloads.clone());
        let target = tokio::task::spawn_blocking(|| to.prepare())
            .await
            .map_err(|_ended| AppError::Cancelled)?
            .map_err(AppError::NoPlace)?;
        let client = self.client(preferences);
        let source = Destination::SourceOf(&pointer);
        let call = client.call(source, context).await?;
        let request = GetRequest {
            pointer,
            target,
            tell_sender,
        };
        let fetched = get::get(&call, request).await?;
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
        server: ChosenServer,
        preferences: &Preferences,
        context: &CallContext,
    ) -> Result<TestReport, AppError> {
        let client = self.client(preferences);
        let address = chosen(&server)?;
        let call = client.call(destination(address.as_ref()), context).await?;
        let checked = test_server::check(&call).await?;
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
        PointerUse::Get.check(&pointer)?;
        let client = self.client(preferences);
        let trouble = client.check_route(&pointer).err();
        let server = &pointer.server;
        let is_built_in = client.session().builtin_key() == Some(server.key);
        let note = match &trouble {
            Some(error) => Some(PointerNote {
                message: UserMessage::from(error),
                blocks: true,
            }),
            None => doubt(&pointer, client.session().now(), client.settings()).map(|message| {
                PointerNote {
                    message,
                    blocks: false,
                }
            }),
        };
        Ok(PointerInfo {
            asks_receipt: pointer.receipts.is_some(),
            offer: match &trouble {
                Some(AppError::RelaysOffered(offer)) => Some(offer.list.host().to_owned()),
                _ => None,
            },
            lacks_relays: matches!(
                &trouble,
                Some(AppError::NoRelays | AppError::RelaySource(_) | AppError::RelaysOffered(_))
            ),
            name: pointer
                .name
                .as_deref()
                .map(|name| SafeFileName::sanitize(name).for_display()),
            len: pointer.content_len,
            server: if is_built_in {
                text::built_in().to_owned()
            } else {
                server.url.authority().to_owned()
            },
            expires: pointer.expires,
            note,
        })
    }
}

impl Backend for App {
    fn load(&self) -> (Preferences, Option<UserMessage>) {
        let (config, trouble) = match Config::load(self.home()) {
            Ok(config) => (config, None),
            Err(unread) => {
                *lock(&self.unread) = Some(unread.clone());
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
                Some(entry) => ChosenServer::Address(entry.address.to_string()),
                None => ChosenServer::BuiltIn,
            },
            relay_list: list,
            short_lists: config
                .short_lists
                .iter()
                .filter_map(Self::origin_of)
                .collect(),
            downloads: config.download_folder(),
            theme: config.theme,
            contrast: config.contrast,
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
        *lock(&self.config) = config;
        // As the window says it: what it cannot say exactly, as a size between two steps, nobody has changed by that.
        let said = self.to_config(&preferences);
        *lock(&self.config) = said;
        (preferences, trouble)
    }

    fn kept_list(&self, preferences: &Preferences) -> Option<Result<ShownRelayList, UserMessage>> {
        match Self::relay_source(preferences) {
            RelaySource::File(path) => Some(self.read_relay_list(path)),
            source => self.held_list(&source).map(Ok),
        }
    }

    fn use_default_settings(&self) -> Result<Option<PathBuf>, UserMessage> {
        let aside = match Config::put_aside(self.home()) {
            Ok(aside) => aside,
            Err(ConfigError::Newer) => {
                self.read_only.store(true, Ordering::SeqCst);
                None
            }
            Err(error) => return Err(UserMessage::from(&AppError::Config(error))),
        };
        *lock(&self.unread) = None;
        Ok(aside)
    }

    fn save(&self, preferences: &Preferences) -> Result<(), UserMessage> {
        // What was not read is not written over.
        if let Some(unread) = self.unread() {
            return Err(UserMessage::from(&AppError::from(unread)));
        }
        let config = self.to_config(preferences);
        if !self.read_only.load(Ordering::SeqCst) {
            let before = lock(&self.config).clone();
            config
                .save_changes(&before, self.home())
                .map_err(|error| UserMessage::from(&AppError::Config(error)))?;
        }
        *lock(&self.config) = config;
        Ok(())
    }

    fn share<'a>(
        &'a self,
        path: PathBuf,
        preferences: &'a Preferences,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Ended<ShareResult>> {
        to_its_end(self.share_now(path, preferences, context), context)
    }

    fn fetch<'a>(
        &'a self,
        pointer: PointerText,
        tell_sender: bool,
        preferences: &'a Preferences,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Ended<Saved>> {
        let fetch = self.fetch_now(pointer, tell_sender, preferences, context);
        to_its_end(fetch, context)
    }

    fn manage<'a>(
        &'a self,
        what: ManageAction,
        pointer: PointerText,
        preferences: &'a Preferences,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Ended<Managed>> {
        let manage = self.manage_now(what, pointer, preferences, context);
        to_its_end(manage, context)
    }

    fn relays<'a>(
        &'a self,
        wish: RelayWish,
        preferences: &'a Preferences,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Result<RelaysKnown, UserMessage>> {
        Box::pin(self.ask_relays(wish, preferences, context))
    }

    fn describe(
        &self,
        text: &PointerText,
        preferences: &Preferences,
    ) -> Result<PointerInfo, UserMessage> {
        in_words(self.describe_now(text, preferences))
    }

    fn read_server(&self, address: &str) -> Result<KnownServer, UserMessage> {
        in_words(
            address
                .trim()
                .parse::<ServerAddress>()
                .map_err(AppError::from),
        )
        .map(|address| server(&address))
    }

    fn read_relay_list(&self, path: PathBuf) -> Result<ShownRelayList, UserMessage> {
        let list = in_words(list_file::read(&path, self.session().now()))?;
        Ok(ShownRelayList {
            origin: RelayOrigin::File(path),
            name: text::list_name(&list.name),
            relays: list.relays.len(),
        })
    }

    fn test_server<'a>(
        &'a self,
        server: ChosenServer,
        preferences: &'a Preferences,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Ended<TestReport>> {
        to_its_end(self.test_now(server, preferences, context), context)
    }

    fn terms(&self, server: &ChosenServer) -> Option<Terms> {
        let key = match server {
            ChosenServer::BuiltIn => self.session().builtin_key()?,
            ChosenServer::Address(address) => address.parse::<ServerAddress>().ok()?.key,
        };
        terms_of(&self.session().remembered_info(&key)?)
    }

    fn diagnostics(&self) -> BoxFuture<'_, String> {
        Box::pin(async {
            let report = check::person(self.home(), self.session().now(), Asker::Window).await;
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
        Some(self.home().data_dir.clone())
    }

    fn history(&self, tell: TellNews) -> Option<History> {
        let folder = self.home().data_dir.clone();
        let keys = Arc::clone(self.keys.as_ref()?);
        History::start(folder, keys, KEYRING_PATIENCE, self.session().clock(), tell).ok()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.program.close())
    }
}

/// Ends a use case in the window's terms: with what each party was shown, however it ended.
fn to_its_end<'a, T: 'a>(
    work: impl Future<Output = Result<T, AppError>> + Send + 'a,
    context: &'a CallContext,
) -> BoxFuture<'a, Ended<T>> {
    Box::pin(async move {
        let result = work.await.map_err(Trouble::from);
        Ended {
            result,
            shown: context.log.requests(),
        }
    })
}

/// The address of a server that the window names; `None` for the built-in network's.
fn chosen(choice: &ChosenServer) -> Result<Option<ServerAddress>, AppError> {
    match choice {
        ChosenServer::BuiltIn => Ok(None),
        ChosenServer::Address(address) => Ok(Some(address.parse()?)),
    }
}

fn destination(address: Option<&ServerAddress>) -> Destination<'_> {
    address.map_or(Destination::BuiltIn, Destination::Server)
}

/// What to know before a download that can work.
fn doubt(pointer: &Pointer, now: u64, settings: &Config) -> Option<UserMessage> {
    if let Some(expires) = pointer.expires.filter(|expires| *expires <= now) {
        return Some(text::pointer_expired(expires));
    }
    let chosen = settings.chosen_entry()?;
    if settings.entry(&pointer.server).is_some() {
        return None;
    }
    let theirs = pointer.server.url.authority();
    Some(text::other_server(theirs, chosen.shown_name()))
}

/// A share as it was chosen.
fn share_request(path: PathBuf, preferences: &Preferences) -> ShareRequest {
    ShareRequest {
        name_in_pointer: preferences.name_in_pointer,
        carry_relay_list: preferences.list_in_pointer,
        ttl_secs: preferences.options.keep.secs(),
        receipts: match preferences.options.count {
            Count::No => Receipts::Unasked,
            Count::Yes => Receipts::Counted,
            Count::Limit(downloads) => Receipts::Limited(downloads),
        },
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

pub(crate) fn in_words<T>(result: Result<T, AppError>) -> Result<T, UserMessage> {
    result.map_err(|error| UserMessage::from(&error))
}

fn server(address: &ServerAddress) -> KnownServer {
    KnownServer {
        address: address.to_string(),
        name: address.url.authority().to_owned(),
        direct: false,
        access_word: None,
    }
}

/// A server as it stands in the settings.
fn known_server(entry: &ServerEntry) -> KnownServer {
    KnownServer {
        name: entry.shown_name().to_owned(),
        direct: entry.direct,
        access_word: entry.access_word.clone(),
        ..server(&entry.address)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
    use crate::protocol::address::FileId;
    use crate::protocol::capability::work::WorkBase;
    use crate::protocol::digest::Digest;
    use crate::protocol::pointer::PointerKey;
    use crate::protocol::seal::{ContentKind, FileKey};

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
            share_request(PathBuf::from("a"), &preferences)
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
    }

    #[test]
    fn a_passed_expiry_and_an_unknown_server_are_told_before_a_download() {
        let address = |host: &str| -> ServerAddress {
            let key = crate::protocol::keys::Identity::from_seed([7; 32]).public();
            let text = format!("http://{host}#p={}", key.to_hex());
            text.parse().expect("an address")
        };
        let pointer = |host: &str, expires| Pointer {
            server: address(host),
            id: FileId::parse("5").expect("an id"),
            key: PointerKey::Whole(FileKey::from_bytes([0; 32])),
            digest: Digest::of(b""),
            content_len: 0,
            name: None,
            kind: ContentKind::File,
            expires,
            receipts: None,
            relay_list: None,
        };
        let ours = ServerEntry::new("", address("files.example"));
        let mut settings = Config::default();
        settings.chosen = config::ServerChoice::Server(ours.address.key);
        settings.servers.push(ours);
        let known = |expires| pointer("files.example", expires);
        let other = pointer("other.example", None);
        assert_eq!(doubt(&known(Some(11)), 10, &settings), None);
        assert!(doubt(&known(Some(10)), 10, &settings).is_some());
        let message = doubt(&other, 10, &settings).expect("a doubt");
        assert!(message.why.contains("other.example") && message.why.contains("files.example"));
        settings.chosen = config::ServerChoice::BuiltIn;
        assert_eq!(doubt(&other, 10, &settings), None);
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
