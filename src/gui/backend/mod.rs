//! The window's worker asks, [`App`] answers: it runs the use cases of `app` under the settings that come with a request, and
//! puts what came of them into the window's terms.

mod manage;
mod networks;
mod parts;
mod pointer;
mod relays;
mod settings;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use futures_util::future::BoxFuture;
use parking_lot::Mutex;

use self::parts::resume_kept;
use super::model::{
    Aside, Count, Ended, FetchWanted, JoinWanted, JoinedNetwork, LeftTransfer, LoadedSettings,
    ManageAction, Managed, NetworkSeen, PointerText, RelayWish, RelaysKnown, Saved, SettingsInUse,
    ShareOptions, ShareResult, ShareWanted, ShownRelayList, Terms, TestReport, TextHolds, Trouble,
};
use super::text;
use super::worker::Backend;
use crate::app::client::{Client, Destination};
use crate::app::error::AppError;
use crate::app::kept::history::{History, TellNews};
use crate::app::kept::keystore::KeyStore;
use crate::app::kept::system_keyring::SystemKeyring;
use crate::app::kept::unfinished::UnfinishedId;
use crate::app::operate::check::{self, Asker, Finding};
use crate::app::received::file_name::SafeFileName;
use crate::app::received::save::SaveTo;
use crate::app::relays::RelaySource;
use crate::app::settings::{Change, Home, ServerChoice, Settings, UnreadSettings};
use crate::app::transfer::call::CallContext;
use crate::app::transfer::get::{Fetched, GetRequest};
use crate::app::transfer::join::JoinChoice;
use crate::app::transfer::parts::resume::{self, Resumed, UnfinishedError};
use crate::app::transfer::program::Program;
use crate::app::transfer::share::{Receipts, ShareRequest, Shared};
use crate::app::transfer::stage::Stage;
use crate::app::transfer::{get, share, test_server};
use crate::app::words::harmless::harmless;
use crate::app::words::message::UserMessage;
use crate::protocol::address::ServerAddress;
use crate::protocol::capability::work::WorkAsked;
use crate::protocol::file_api::ServerInfo;
use crate::protocol::folder::Manifest;
use crate::protocol::parts::MAX_WHOLE_LEN;
use crate::protocol::pointer::Pointer;
use crate::protocol::size_class::LARGEST_BLOB_LEN;
use crate::protocol::size_class::SizeClass;

/// The [`Backend`] that runs the use cases of `app`.
pub struct App {
    /// The program; what the window asks for is done under the settings that come with it.
    client: Client,
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
            client: Client::new(home, Settings::default()),
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
        let home =
            Home::find().map_err(|error| UserMessage::from(&AppError::SettingsFile(error)))?;
        Ok(Self::new(home).with_history(Arc::new(SystemKeyring)))
    }

    /// This backend, with a history whose key is in `keys`.
    #[must_use]
    pub(crate) fn with_history(self, keys: Arc<dyn KeyStore>) -> Self {
        Self {
            keys: Some(keys),
            ..self
        }
    }

    fn program(&self) -> &Program {
        self.client.program()
    }

    fn home(&self) -> &Home {
        self.program().home()
    }

    /// The program under these settings.
    fn client(&self, settings: &Settings) -> Client {
        let client = self.client.with_settings(settings.clone());
        match self.unread() {
            None => client,
            Some(unread) => client.sending_nothing(unread),
        }
    }

    async fn share_now(
        &self,
        wanted: ShareWanted,
        settings: &Settings,
        context: &CallContext,
    ) -> Result<ShareResult, AppError> {
        context.progress.stage(Stage::Pad);
        let client = self.client(settings);
        if let Some(kept) = &wanted.kept {
            let transfer = self.open_kept(kept).await?;
            return match resume_kept(&client, transfer, context).await? {
                Resumed::Shared(shared) => Ok(share_result(&shared)),
                // An id of a download is never that of a share.
                Resumed::Fetched(_) => Err(UnfinishedError::Unknown.into()),
            };
        }
        let call = client.call(Destination::Chosen, context).await?;
        let request = share_request(wanted.paths, wanted.options, settings);
        Ok(share_result(&share::share(&call, request).await?))
    }

    async fn fetch_now(
        &self,
        wanted: FetchWanted,
        settings: &Settings,
        context: &CallContext,
    ) -> Result<Saved, AppError> {
        context.progress.stage(Stage::FindPath);
        let pointer = Pointer::find(wanted.pointer.as_str())?;
        if let Some(kept) = &wanted.kept {
            let transfer = self.open_kept(kept).await?;
            let client = self.client(settings);
            return match resume_kept(&client, transfer, context).await? {
                Resumed::Fetched(fetched) => Ok(saved(*fetched)),
                // An id of a share is never that of a download.
                Resumed::Shared(_) => Err(UnfinishedError::Unknown.into()),
            };
        }
        let to = SaveTo::Folder(settings.download_folder());
        let program = self.program().clone();
        let prepare = move || to.prepare(&resume::temporaries(&program));
        let target = tokio::task::spawn_blocking(prepare)
            .await
            .map_err(|_ended| AppError::Cancelled)?
            .map_err(AppError::NoPlace)?;
        let client = self.client(settings);
        let source = Destination::SourceOf(&pointer);
        let call = client.call(source, context).await?;
        let request = GetRequest {
            pointer,
            target,
            tell_sender: wanted.tell_sender,
            choice: wanted.choice,
        };
        Ok(saved(get::get(&call, request).await?))
    }

    async fn list_now(
        &self,
        text: PointerText,
        settings: &Settings,
        context: &CallContext,
    ) -> Result<Option<Arc<Manifest>>, AppError> {
        let pointer = Pointer::find(text.as_str())?;
        let client = self.client(settings);
        let source = Destination::SourceOf(&pointer);
        let call = client.call(source, context).await?;
        let listed = get::list(&call, &pointer).await?;
        Ok(listed.map(Arc::new))
    }

    async fn test_now(
        &self,
        settings: &Settings,
        context: &CallContext,
    ) -> Result<TestReport, AppError> {
        let client = self.client(settings);
        let call = client.call(Destination::Chosen, context).await?;
        let checked = test_server::check(&call).await?;
        Ok(TestReport {
            upload_millis: millis(checked.upload),
            download_millis: millis(checked.download),
            delete_millis: checked.delete.map(millis),
        })
    }
}

impl Backend for App {
    fn load(&self) -> LoadedSettings {
        self.load_settings()
    }

    fn use_default_settings(&self) -> Result<Option<SettingsInUse>, UserMessage> {
        self.go_on()
    }

    fn save(&self, changes: &[Change], settings: &Settings) -> Result<(), UserMessage> {
        self.save_changes(changes, settings)
    }

    fn kept_list(&self, settings: &Settings) -> Option<Result<ShownRelayList, UserMessage>> {
        let source = settings.chosen_entry()?.relays.as_ref()?;
        self.held_list(source)
    }

    fn share<'a>(
        &'a self,
        wanted: ShareWanted,
        settings: &'a Settings,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Ended<ShareResult>> {
        to_its_end(self.share_now(wanted, settings, context), context)
    }

    fn fetch<'a>(
        &'a self,
        wanted: FetchWanted,
        settings: &'a Settings,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Ended<Saved>> {
        to_its_end(self.fetch_now(wanted, settings, context), context)
    }

    fn discard<'a>(
        &'a self,
        id: UnfinishedId,
        settings: &'a Settings,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Ended<bool>> {
        to_its_end(self.discard_now(id, settings, context), context)
    }

    fn list<'a>(
        &'a self,
        pointer: PointerText,
        settings: &'a Settings,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Ended<Option<Arc<Manifest>>>> {
        to_its_end(self.list_now(pointer, settings, context), context)
    }

    fn left(&self) -> Vec<LeftTransfer> {
        self.left_now()
    }

    fn manage<'a>(
        &'a self,
        what: ManageAction,
        pointer: PointerText,
        settings: &'a Settings,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Ended<Managed>> {
        let manage = self.manage_now(what, pointer, settings, context);
        to_its_end(manage, context)
    }

    fn relays<'a>(
        &'a self,
        wish: RelayWish,
        network: Option<&'a ServerAddress>,
        settings: &'a Settings,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Result<RelaysKnown, UserMessage>> {
        Box::pin(self.ask_relays(wish, network, settings, context))
    }

    fn describe(&self, text: &PointerText, settings: &Settings) -> Result<TextHolds, UserMessage> {
        in_words(self.describe_text(text, settings))
    }

    fn join<'a>(
        &'a self,
        wanted: JoinWanted,
        choice: JoinChoice,
        settings: &'a Settings,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Ended<JoinedNetwork>> {
        to_its_end(self.join_now(wanted, choice, settings, context), context)
    }

    fn invite(
        &self,
        server: &ServerAddress,
        with_word: bool,
        settings: &Settings,
    ) -> Result<PointerText, UserMessage> {
        self.invite_now(server, with_word, settings)
    }

    fn networks(&self, settings: &Settings) -> BTreeMap<ServerAddress, NetworkSeen> {
        self.networks_now(settings)
    }

    fn use_new_list(&self, server: &ServerAddress, settings: &Settings) -> Result<(), UserMessage> {
        self.use_new_list_now(server, settings)
    }

    fn read_relay_list(&self, path: PathBuf) -> Result<ShownRelayList, UserMessage> {
        let source = RelaySource::File(path);
        let taken = self.client.relays().choose(self.program(), &source);
        in_words(taken)?;
        let read = self.held_list(&source);
        read.unwrap_or_else(|| Ok(relays::shown_list(&source, None)))
    }

    fn test_server<'a>(
        &'a self,
        settings: &'a Settings,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Ended<TestReport>> {
        to_its_end(self.test_now(settings, context), context)
    }

    fn terms(&self, server: &ServerChoice) -> Option<Terms> {
        let key = match server {
            ServerChoice::BuiltIn => self.program().builtin_key()?,
            ServerChoice::Server(address) => address.key,
        };
        terms_of(&self.program().remembered_info(&key)?)
    }

    fn diagnostics(&self) -> BoxFuture<'_, String> {
        Box::pin(async {
            let report = check::person(self.home(), self.program().now(), Asker::Window).await;
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
        History::start(folder, keys, KEYRING_PATIENCE, self.program().clock(), tell).ok()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.client.close())
    }
}

/// Runs a use case and returns its result together with what each party was shown, also when it failed.
fn to_its_end<'a, T: 'a>(
    work: impl Future<Output = Result<T, AppError>> + Send + 'a,
    context: &'a CallContext,
) -> BoxFuture<'a, Ended<T>> {
    Box::pin(async move {
        let result = work.await.map_err(Trouble::from);
        Ended {
            result,
            shown: context.log.shown(),
        }
    })
}

fn share_result(shared: &Shared) -> ShareResult {
    let secret = shared.pointer.to_text();
    let left_out = &shared.left_out;
    let paths = left_out.first().iter().map(|entry| &entry.path);
    ShareResult {
        pointer: PointerText::new(secret.as_str().to_owned()),
        blob_len: shared.class.blob_len() as u64 * u64::from(shared.parts),
        expires: shared.pointer.expires,
        server: shared.pointer.server.url.authority().to_owned(),
        builtin: shared.builtin,
        manageable: shared.manageable,
        counted: shared.pointer.receipts.is_some(),
        gone: false,
        by_server_clock: shared.by_server_clock,
        other_time: shared.unmet_ttl_secs.is_some(),
        aside: (left_out.count() > 0).then(|| Aside::LeftOut {
            count: left_out.count(),
            first: paths.map(|path| harmless(path).into_owned()).collect(),
        }),
    }
}

fn renamed(fetched: &Fetched) -> Option<Aside> {
    let renamed = &fetched.renamed;
    let names = renamed.first.iter().map(|(was, is)| {
        let [was, is] = [was, is].map(|name| harmless(name).into_owned());
        (was, is)
    });
    (renamed.count > 0).then(|| Aside::Renamed {
        count: renamed.count,
        first: names.collect(),
    })
}

fn saved(fetched: Fetched) -> Saved {
    let name = fetched
        .path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    Saved {
        name: SafeFileName::sanitize(&name).for_display(),
        len: fetched.content_len,
        aside: renamed(&fetched),
        path: fetched.path,
    }
}

/// Builds the request for a share from what is shared and the chosen options.
fn share_request(paths: Vec<PathBuf>, options: ShareOptions, settings: &Settings) -> ShareRequest {
    ShareRequest {
        name_in_pointer: settings.name_in_pointer,
        carry_relay_list: settings.pointer_carries_relay_list,
        ttl_secs: options.keep.secs(),
        receipts: match options.count {
            Count::No => Receipts::Unasked,
            Count::Yes => Receipts::Counted,
            Count::Limit(downloads) => Receipts::Limited(downloads),
        },
        ..ShareRequest::new(paths)
    }
}

/// Limits that a server states in its `/info`; `None` when it accepts no blob at all.
fn terms_of(info: &ServerInfo) -> Option<Terms> {
    let fits = |class: &SizeClass| class.blob_len() as u64 <= info.max_blob;
    let largest = SizeClass::ALL.into_iter().rev().find(fits)?;
    // What needs several parts needs large ones.
    let takes_parts = info.max_blob >= LARGEST_BLOB_LEN as u64;
    Some(Terms {
        max_len: if takes_parts {
            MAX_WHOLE_LEN
        } else {
            largest.capacity() as u64
        },
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

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Time limit of a call to the keyring: long enough for a person to type its password, and nothing in the window waits
/// for it.
const KEYRING_PATIENCE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gui::model::{KeepFor, ShareOptions};
    use crate::protocol::capability::work::WorkBase;

    #[test]
    fn every_option_of_a_share_reaches_the_upload() {
        let chosen = |keep, count| {
            let options = ShareOptions { keep, count };
            let settings = Settings {
                name_in_pointer: false,
                pointer_carries_relay_list: true,
                ..Settings::default()
            };
            share_request(vec![PathBuf::from("a")], options, &settings)
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
