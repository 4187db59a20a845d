//! A backend and a desktop for tests of the window: nothing leaves this process.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cloakroom::app::error::AppError;
use cloakroom::app::kept::history::{History, TellNews};
use cloakroom::app::kept::keystore::{HistoryKey, KeyId, KeyStore, KeyStoreError};
use cloakroom::app::received::content_type::Findings;
use cloakroom::app::relays::{NetworkId, RelayOffer, RelaySource};
use cloakroom::app::settings::{Change, ServerChoice, ServerEntry, Settings, SeveralThings, Theme};
use cloakroom::app::transfer::call::CallContext;
use cloakroom::app::transfer::get::Choice;
use cloakroom::app::transfer::join::JoinChoice;
use cloakroom::app::transfer::manage::Downloads;
use cloakroom::app::transfer::parts::resume::UnfinishedId;
use cloakroom::app::transfer::stage::{PartsMoved, Stage};
use cloakroom::app::words::message::UserMessage;
use cloakroom::app::words::who_saw_what::{Asked, RequestShown, WhoSawWhat};
use cloakroom::gui::model::{
    AboutLeft, Aside, Count, Ended, FetchWanted, InvitationInfo, JoinWanted, JoinedNetwork,
    KnownNetwork, LeftJob, LeftTransfer, LoadedSettings, ManageAction, Managed, NetworkSeen,
    NetworkState, OtherList, PointerHolds, PointerInfo, PointerNote, PointerText, RelaySeen,
    RelayWish, RelaysKnown, RelaysSeen, Saved, ServerLabel, SettingsInUse, ShareOptions,
    ShareResult, ShareWanted, ShownName, ShownRelayList, SystemLook, Terms, TestReport, TextHolds,
    Trouble,
};
use cloakroom::gui::platform::uri_list::UriList;
use cloakroom::gui::platform::{Platform, Revealed};
use cloakroom::gui::text::{self, Notification};
use cloakroom::gui::worker::Backend;
use cloakroom::protocol::address::ServerAddress;
use cloakroom::protocol::disclosure::{AttemptShown, End, ShownOutcome};
use cloakroom::protocol::exchange::{ExchangeError, Failure};
use cloakroom::protocol::folder::{EntryKind, FolderEntry, Manifest, ManifestWriter};
use cloakroom::protocol::keys::Identity;
use cloakroom::protocol::path::{Relaxed, RelayPath, SetAsideWhy, Standing};
use cloakroom::protocol::pointer::Pointer;
use cloakroom::protocol::relay_list::{ListSource, RelayDescriptor, Serves};
use cloakroom::protocol::size_class::SizeClass;
use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;

/// What a fake transfer shows before it waits at the gate.
type Stages = Vec<Stage>;

pub(crate) struct FakeBackend {
    settings: Settings,
    /// Every transfer waits here before it ends.
    gate: Semaphore,
    stages: Mutex<Stages>,
    failures: Mutex<VecDeque<Trouble>>,
    saves: Mutex<Vec<Settings>>,
    /// Why the next changes of the settings are not kept.
    refused_saves: Mutex<VecDeque<UserMessage>>,
    shares: Mutex<Vec<ShareWanted>>,
    /// What the next share leaves out, or the next download renames.
    aside: Mutex<Option<Aside>>,
    /// What an earlier start left.
    left: AtomicBool,
    /// What every pointer names.
    holds: Mutex<PointerHolds>,
    /// What of folders was fetched.
    choices: Mutex<Vec<Choice>>,
    /// What the folder holds that a pointer names.
    content: Mutex<Option<Arc<Manifest>>>,
    terms: Mutex<Option<Terms>>,
    history: Mutex<Option<(PathBuf, Arc<dyn KeyStore>)>>,
    /// Between two stages of a transfer.
    pace: Mutex<Duration>,
    /// What every invitation says; none: there are none.
    invitation: Mutex<Option<InvitationInfo>>,
    /// What comes of the next join.
    join_ends: Mutex<Option<NetworkState>>,
    /// What the person decided each time.
    joins: Mutex<Vec<JoinChoice>>,
    /// How the networks stand that were joined.
    network: Mutex<NetworkSeen>,
    /// What the kept relay list turns out to be, once that is known.
    list: Mutex<Option<Receiver<Result<ShownRelayList, UserMessage>>>>,
}

pub(crate) const POINTER: &str = "cloak14qq8g6r5w3cr5te0ve5kcetn9ejhsctdwpkx2q2cyrt44xqps2cs4d74f0ld8jtyquaqactj70d2vge94upp568hqag35qnc93d8zvmkfcu8jjmr2s6hy4mdxpj5safhv9x8ss3jwp9xv3pewdrkj5f5dazkk43kw3vhwnf3qdvzqpjapnm5jzaeang55d3jsjfwnjktw9kwdeu0w5nwj2ekds3x0dwrq3vzp73v3nz09qtkh0hdfdekmatf5dx8nnfhy057csheva95634vdw9cq5dqqszfpqrx5un9wphhyapwwpjxvzq6dv22tqqsvtsks";

/// One of another computer's built-in network.
pub(crate) const FOREIGN: &str = "cloak14qq826r5w3cr5te0xyerwt3s9cczuvf6xscrqvqptqsdwk5cqxptzz4h649la57fvsrn5rhpwtea4f3rykhsyxng7ur4zxsz0qk95ufnwe8rs72tvd2r2ujhd5cx2jr4xas5c7zzxfcy5ejy89e5w623x3h5266kxe69ja6dxyp4sgqxt5x0wjgth8kdzj3kx2zf96w2edckeeh83a6jd6ftxekzyea4cvz9sg869jxvfu5pw6a7a49hxm04dx35c7wdxu37nmzzl9n5kn2x434chqz35qzqfyyqv6njv4cx7un59ecxgesgrf43ffvqq0qluy";
/// One whose server no relay serves, and which names a relay list.
pub(crate) const RELAYLESS: &str = "cloak14yq8g6r5w3cr5te0ve5kcetn9ejhsctdwpkx2q2cyrt44xqps2cs4d74f0ld8jtyquaqactj70d2vge94upp568hqag35qnc93d8zvmkfcu8jjmr2s6hy4mdxpj5safhv9x8ss3jwp9xv3pewdrkj5f5dazkk43kw3vhwnf3qdvzqpjapnm5jzaeang55d3jsjfwnjktw9kwdeu0w5nwj2ekds3x0dwrq3vzp73v3nz09qtkh0hdfdekmatf5dx8nnfhy057csheva95634vdw9cq5dqqszfpqrx5un9wphhyapwwpjxvzq6dv22tqqt0pjxsar5wpen5te0d35hxarn9ejhsctdwpkx2tmjv4kxz7tn9e48xmmwyd4n6vmyxscrzdmrxdjnsdpn8qun2cfexf3rwvrpvymngep3vgmk2cnr893njwpjvd3kvvn9vv6rjd3cvd3nqcmyx56kvvfjv9nrgd3kxp3swjvffu";
/// One whose sender asks to be told.
pub(crate) const COUNTED: &str = "cloak14yq8g6r5w3cr5te0ve5kcetn9ejhsctdwpkx2q2cyrt44xqps2cs4d74f0ld8jtyquaqactj70d2vge94upp568hqag35qnc93d8zvmkfcu8jjmr2s6hy4mdxpj5safhv9x8ss3jwp9xv3pewdrkj5f5dazkk43kw3vhwnf3qdvzqpjapnm5jzaeang55d3jsjfwnjktw9kwdeu0w5nwj2ekds3x0dwrq3vzp73v3nz09qtkh0hdfdekmatf5dx8nnfhy057csheva95634vdw9cq5dqqszfpqrx5un9wphhyapwwpjxvzq6dv22tqq2qql2r63t";

/// The key of `files.example`.
const SERVER_KEY: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

/// How long every file is.
pub(crate) const LEN: u64 = 4_213_000;

/// How long what is sent for it is.
fn blob_len() -> u64 {
    let class = SizeClass::for_content_len(LEN).expect("it can be sent");
    class.blob_len() as u64
}

/// A pointer that lost its end on the way.
pub(crate) fn cut_pointer() -> &'static str {
    &POINTER[..190]
}

/// Why an upload fails when the server does not answer.
pub(crate) fn no_answer() -> AppError {
    AppError::from(ExchangeError {
        failure: Failure::ServerUnreachable,
        tries: 4,
        direct: false,
    })
}

pub(crate) fn settings() -> Settings {
    Settings {
        download_folder: Some(PathBuf::from("/home/ada/Downloads")),
        theme: Theme::Light,
        welcomed: true,
        // Who is asked each time cannot drop several files at once in passing.
        several_things: SeveralThings::OneEach,
        ..Settings::default()
    }
}

/// The network of one server, through Session's relays, is in use.
pub(crate) fn with_a_server() -> Settings {
    let known = server("files.example").through(RelaySource::Session);
    Settings {
        chosen: ServerChoice::Server(known.address.clone()),
        servers: vec![known],
        ..settings()
    }
}

/// A server whose key follows from its name.
pub(crate) fn server(host: &str) -> ServerEntry {
    let key = match host {
        // The server of the pointers above.
        "files.example" => SERVER_KEY.to_owned(),
        other => {
            let mut seed = [0; 32];
            seed[..other.len()].copy_from_slice(other.as_bytes());
            Identity::from_seed(seed).public().to_hex()
        }
    };
    let address = format!("http://{host}#p={key}");
    ServerEntry::new("", address.parse().expect("an address"))
}

/// The network of friends, as it is once it was joined.
pub(crate) fn joined_network(name: &str) -> ServerEntry {
    let server = server("files.example");
    let id = NetworkId {
        server: server.address.key,
        list: Identity::from_seed([9; 32]).public(),
    };
    ServerEntry {
        name: name.to_owned(),
        ..server.through(RelaySource::Network(id))
    }
}

/// What the invitation to it says.
pub(crate) fn invitation_info() -> InvitationInfo {
    InvitationInfo {
        name: "Ann's friends".to_owned(),
        host: "files.example".to_owned(),
        relays: 5,
        operators: ["Ann", "Ben", "Cem"].map(str::to_owned).into(),
        words: ["acid", "lunar", "velvet", "otter", "bridge"],
        own_network: false,
        for_relays: false,
        known: KnownNetwork::No,
        no_path: None,
        list_host: None,
        with_pointer: false,
    }
}

/// Stands for an invitation.
pub(crate) const INVITATION: &str = "cloakin1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0jq";

impl FakeBackend {
    pub(crate) fn new(settings: Settings) -> Arc<Self> {
        Arc::new(Self {
            settings,
            gate: Semaphore::new(0),
            stages: Mutex::new(vec![
                Stage::Pad,
                Stage::Seal,
                Stage::FindPath,
                Stage::Upload {
                    sent: 61,
                    total: 100,
                },
            ]),
            failures: Mutex::default(),
            saves: Mutex::default(),
            refused_saves: Mutex::default(),
            shares: Mutex::default(),
            aside: Mutex::default(),
            left: AtomicBool::new(false),
            holds: Mutex::new(PointerHolds::File),
            choices: Mutex::default(),
            content: Mutex::default(),
            terms: Mutex::default(),
            history: Mutex::default(),
            pace: Mutex::default(),
            invitation: Mutex::default(),
            join_ends: Mutex::default(),
            joins: Mutex::default(),
            network: Mutex::new(NetworkSeen {
                relays: 5,
                expires: Some(NOW + 12 * 86_400),
                ends_soon: false,
                waiting: None,
                trouble: None,
            }),
            list: Mutex::default(),
        })
    }

    /// Lets so many transfers end.
    pub(crate) fn let_go(&self, transfers: usize) {
        self.gate.add_permits(transfers);
    }

    /// The next transfer fails so.
    pub(crate) fn fail_next(&self, why: AppError) {
        let why = Trouble::from(why);
        self.failures.lock().expect("no panic").push_back(why);
    }

    /// The next change of the settings is not kept, for this reason.
    pub(crate) fn refuse_save(&self, why: UserMessage) {
        self.refused_saves.lock().expect("no panic").push_back(why);
    }

    /// What the next transfers show before they wait.
    pub(crate) fn show(&self, stages: Stages) {
        *self.stages.lock().expect("no panic") = stages;
    }

    /// Lets so much time pass between two stages.
    pub(crate) fn pace(&self, time: Duration) {
        *self.pace.lock().expect("no panic") = time;
    }

    /// Reads the kept relay list for as long as nothing comes from here.
    pub(crate) fn read_list_from(&self, list: Receiver<Result<ShownRelayList, UserMessage>>) {
        *self.list.lock().expect("no panic") = Some(list);
    }

    /// Keeps a history in this folder, under keys of this store.
    pub(crate) fn keep_history(&self, folder: PathBuf, keys: Arc<dyn KeyStore>) {
        *self.history.lock().expect("no panic") = Some((folder, keys));
    }

    /// With which options files were shared.
    pub(crate) fn shares(&self) -> Vec<ShareOptions> {
        let shares = self.shares.lock().expect("no panic");
        shares.iter().map(|wanted| wanted.options).collect()
    }

    /// What was shared as one, by name.
    pub(crate) fn parcels(&self) -> Vec<Vec<String>> {
        let name = |path: &PathBuf| {
            let name = path.file_name().expect("a name");
            name.to_string_lossy().into_owned()
        };
        let shares = self.shares.lock().expect("no panic");
        let parcels = shares.iter().map(|wanted| wanted.paths.iter());
        parcels.map(|paths| paths.map(name).collect()).collect()
    }

    /// The next transfer is told of so.
    pub(crate) fn tell_aside(&self, aside: Aside) {
        *self.aside.lock().expect("no panic") = Some(aside);
    }

    /// Every invitation says so.
    pub(crate) fn invite_with(&self, info: InvitationInfo) {
        *self.invitation.lock().expect("no panic") = Some(info);
    }

    /// The next join comes to this.
    pub(crate) fn join_with(&self, state: NetworkState) {
        *self.join_ends.lock().expect("no panic") = Some(state);
    }

    /// What was decided each time that a network was to be joined.
    pub(crate) fn joins(&self) -> Vec<JoinChoice> {
        self.joins.lock().expect("no panic").clone()
    }

    /// Every network that was joined stands so.
    pub(crate) fn network_stands(&self, seen: NetworkSeen) {
        *self.network.lock().expect("no panic") = seen;
    }

    /// Every pointer names a folder with so many photos in it.
    pub(crate) fn hold_photos(&self, count: u32) {
        let mut writer = ManifestWriter::default();
        let names = (0..count).map(|number| format!("2026/photo-{number:06}.jpg"));
        for path in names {
            let kind = EntryKind::File {
                len_bytes: 2_500_000,
                executable: false,
            };
            let entry = FolderEntry {
                path: &path,
                kind,
                modified: None,
            };
            writer.push(&entry).expect("it can be in a folder");
        }
        *self.holds.lock().expect("no panic") = PointerHolds::Folder;
        let manifest = Arc::new(writer.finish().expect("it is no too long"));
        *self.content.lock().expect("no panic") = Some(manifest);
    }

    /// What was fetched, in the order it was asked for.
    pub(crate) fn choices(&self) -> Vec<Choice> {
        self.choices.lock().expect("no panic").clone()
    }

    /// An earlier start left a share and a download in parts.
    pub(crate) fn leave_some(&self) {
        self.left.store(true, Ordering::SeqCst);
    }

    /// What every server says of what it takes.
    pub(crate) fn say_terms(&self, terms: Terms) {
        *self.terms.lock().expect("no panic") = Some(terms);
    }

    /// Everything that was kept.
    pub(crate) fn saves(&self) -> Vec<Settings> {
        self.saves.lock().expect("no panic").clone()
    }

    /// What a transfer shows before it ends in its way.
    async fn wait(&self, context: &CallContext) -> Result<(), Trouble> {
        let stages = self.stages.lock().expect("no panic").clone();
        let pace = *self.pace.lock().expect("no panic");
        for stage in stages {
            if let Stage::Parts(_) = stage {
                let id = UnfinishedId::parse("7766554433221100").expect("an id");
                context.progress.kept(&id);
            }
            context.progress.stage(stage);
            if !pace.is_zero() {
                tokio::time::sleep(pace).await;
            }
        }
        tokio::select! {
            biased;
            () = context.cancel.cancelled() => return Err(AppError::Cancelled.into()),
            turn = self.gate.acquire() => turn.expect("never closed").forget(),
        }
        self.failures
            .lock()
            .expect("no panic")
            .pop_front()
            .map_or(Ok(()), Err)
    }
}

/// How a fake transfer ends: with all that it shows, or with its first try.
fn end<T>(result: Result<T, Trouble>, up: bool, settings: &Settings) -> Ended<T> {
    let mut shown = shown(up);
    for request in &mut shown {
        for attempt in &mut request.attempts {
            if settings.chosen == ServerChoice::BuiltIn {
                at_home(attempt);
            }
            let proxy = settings.proxy.as_ref().map(ToString::to_string);
            attempt.proxy = proxy.map(|url| url.replace("socks5://", ""));
        }
    }
    if result.is_err() {
        shown.truncate(1);
        shown[0].attempts[0].outcome = ShownOutcome::Failed(Failure::ServerUnreachable);
        shown[0].attempts[0].answered.clear();
    }
    Ended {
        result,
        shown: shown.into_iter().collect(),
    }
}

/// As on the built-in network, where rules about networks cannot be kept.
fn at_home(attempt: &mut AttemptShown) {
    if let Some(path) = &mut attempt.path {
        for relay in [&mut path.guard, &mut path.middle, &mut path.last] {
            relay.host = IpAddr::from([127, 0, 0, 1]);
        }
    }
    attempt.server = "http://127.0.0.1:4000".parse().expect("an address");
    attempt.relaxed = vec![Relaxed::SameNetwork];
}

impl Backend for FakeBackend {
    fn load(&self) -> LoadedSettings {
        LoadedSettings {
            settings: self.settings.clone(),
            usual_downloads: PathBuf::from("/home/ada/Downloads"),
            trouble: None,
        }
    }

    fn kept_list(&self, settings: &Settings) -> Option<Result<ShownRelayList, UserMessage>> {
        let list = self.list.lock().expect("no panic").take();
        match list {
            Some(list) => list.recv().ok(),
            None => {
                let source = settings.chosen_server();
                let source = source.and_then(|server| settings.relays_of(server))?;
                Some(Ok(shown_list(source.clone())))
            }
        }
    }

    fn use_default_settings(&self) -> Result<Option<SettingsInUse>, UserMessage> {
        Ok(Some(SettingsInUse::Default(None)))
    }

    fn save(&self, _: &[Change], settings: &Settings) -> Result<(), UserMessage> {
        if let Some(why) = self.refused_saves.lock().expect("no panic").pop_front() {
            return Err(why);
        }
        self.saves.lock().expect("no panic").push(settings.clone());
        Ok(())
    }

    fn share<'a>(
        &'a self,
        wanted: ShareWanted,
        settings: &'a Settings,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Ended<ShareResult>> {
        let options = wanted.options;
        self.shares.lock().expect("no panic").push(wanted);
        Box::pin(async move {
            let shared = self.wait(context).await.map(|()| ShareResult {
                pointer: POINTER.into(),
                blob_len: blob_len(),
                expires: Some(1_796_515_200),
                server: "files.example".to_owned(),
                builtin: settings.chosen == ServerChoice::BuiltIn,
                manageable: true,
                counted: options.count != Count::No,
                gone: false,
                by_server_clock: false,
                other_time: false,
                aside: self.aside.lock().expect("no panic").take(),
            });
            end(shared, true, settings)
        })
    }

    fn fetch<'a>(
        &'a self,
        wanted: FetchWanted,
        settings: &'a Settings,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Ended<Saved>> {
        self.choices.lock().expect("no panic").push(wanted.choice);
        Box::pin(async move {
            let path = settings.download_folder().join("report (1).pdf");
            let saved = self.wait(context).await.map(|()| Saved {
                path,
                name: "report (1).pdf".to_owned(),
                len: LEN,
                aside: self.aside.lock().expect("no panic").take(),
            });
            end(saved, false, settings)
        })
    }

    fn discard<'a>(
        &'a self,
        _id: UnfinishedId,
        settings: &'a Settings,
        _context: &'a CallContext,
    ) -> BoxFuture<'a, Ended<bool>> {
        Box::pin(async move { end(Ok(false), true, settings) })
    }

    fn list<'a>(
        &'a self,
        _pointer: PointerText,
        settings: &'a Settings,
        _context: &'a CallContext,
    ) -> BoxFuture<'a, Ended<Option<Arc<Manifest>>>> {
        let content = self.content.lock().expect("no panic").clone();
        Box::pin(async move { end(Ok(content), false, settings) })
    }

    fn left(&self) -> Vec<LeftTransfer> {
        if !self.left.load(Ordering::SeqCst) {
            return Vec::new();
        }
        let left = |id: &str, name: &str, job, done, total| LeftTransfer {
            id: UnfinishedId::parse(id).expect("an id"),
            about: Ok(AboutLeft {
                job,
                name: ShownName::Given(name.to_owned()),
                moved: PartsMoved {
                    done,
                    moving: 0,
                    total,
                },
                server: ServerLabel::Named("files.example".to_owned()),
            }),
        };
        vec![
            left(
                "0011223344556677",
                "holiday-film.mkv",
                LeftJob::Share(vec![PathBuf::from("/home/ada/holiday-film.mkv")]),
                1_260_000_000,
                3_400_000_000,
            ),
            left(
                "ffeeddccbbaa9988",
                "concert.flac",
                LeftJob::Receive(POINTER.into()),
                412_000_000,
                530_000_000,
            ),
        ]
    }

    fn manage<'a>(
        &'a self,
        what: ManageAction,
        _pointer: PointerText,
        settings: &'a Settings,
        _context: &'a CallContext,
    ) -> BoxFuture<'a, Ended<Managed>> {
        let failure = self.failures.lock().expect("no panic").pop_front();
        Box::pin(async move {
            let done = failure.map_or(Ok(()), Err).map(|()| match what {
                ManageAction::Delete => Managed::Deleted,
                ManageAction::Extend | ManageAction::ExtendFor(_) => Managed::Extended {
                    expires: 1_797_724_800,
                    later: true,
                    by_server_clock: false,
                },
                ManageAction::Status => Managed::Status(Downloads::Counted {
                    told: 3,
                    invented: 0,
                    allowed: None,
                }),
            });
            let mut ended = end(done, false, settings);
            let asked = match what {
                ManageAction::Delete => Asked::Delete,
                ManageAction::Extend | ManageAction::ExtendFor(_) => Asked::Extend,
                ManageAction::Status => Asked::Status,
            };
            let requests = ended.shown.requests().iter().cloned();
            let requests = requests.map(|request| RequestShown { asked, ..request });
            ended.shown = WhoSawWhat::from_iter(requests);
            ended
        })
    }

    fn relays<'a>(
        &'a self,
        wish: RelayWish,
        network: Option<&'a ServerAddress>,
        settings: &'a Settings,
        _context: &'a CallContext,
    ) -> BoxFuture<'a, Result<RelaysKnown, UserMessage>> {
        let forgotten = match &wish {
            RelayWish::Forget(source) => Some(source.clone()),
            _ => None,
        };
        let failure = match wish {
            RelayWish::Look => None,
            _ => self.failures.lock().expect("no panic").pop_front(),
        };
        let list = match wish {
            RelayWish::Add(line) => line
                .parse()
                .ok()
                .map(|line| shown_list(RelaySource::Url(line))),
            RelayWish::Session => Some(shown_list(RelaySource::Session)),
            RelayWish::Accept(_) | RelayWish::Forget(_) | RelayWish::Look | RelayWish::NewGuard => {
                None
            }
        };
        let source = network.and_then(|server| settings.relays_of(server));
        let has = list.is_some() || source.is_some();
        Box::pin(async move {
            failure.map_or(Ok(()), |why| Err(text::trouble(&why)))?;
            Ok(RelaysKnown {
                list,
                seen: has.then(relays_seen),
                others: if has {
                    other_lists(forgotten.as_ref())
                } else {
                    Vec::new()
                },
            })
        })
    }

    fn join<'a>(
        &'a self,
        wanted: JoinWanted,
        choice: JoinChoice,
        settings: &'a Settings,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Ended<JoinedNetwork>> {
        self.joins.lock().expect("no panic").push(choice);
        Box::pin(async move {
            let joined = self.wait(context).await.map(|()| {
                let state = self.join_ends.lock().expect("no panic").take();
                let network = match wanted {
                    JoinWanted::Invitation(_) => joined_network("Ann's friends"),
                    JoinWanted::ServiceNodes(network) => {
                        ServerEntry::new(network.name, network.server).through(network.source)
                    }
                };
                let mut changes = vec![Change::JoinNetwork(network.clone(), None)];
                if settings.chosen == ServerChoice::BuiltIn {
                    let chosen = ServerChoice::Server(network.address);
                    changes.push(Change::ChosenServer(chosen));
                }
                JoinedNetwork {
                    changes,
                    name: network.name,
                    relays: 5,
                    state: state.unwrap_or(NetworkState::Works),
                }
            });
            end(joined, true, settings)
        })
    }

    fn invite(
        &self,
        _server: &ServerAddress,
        with_word: bool,
        _settings: &Settings,
    ) -> Result<PointerText, UserMessage> {
        let failure = self.failures.lock().expect("no panic").pop_front();
        failure.map_or(Ok(()), |why| Err(text::trouble(&why)))?;
        let word = if with_word { "word" } else { "" };
        Ok(PointerText::from(&*format!("{INVITATION}{word}")))
    }

    fn networks(&self, settings: &Settings) -> BTreeMap<ServerAddress, NetworkSeen> {
        let seen = self.network.lock().expect("no panic").clone();
        let joined = settings.servers.iter();
        let joined = joined.filter(|server| server.network().is_some());
        joined
            .map(|server| (server.address.clone(), seen.clone()))
            .collect()
    }

    fn use_new_list(&self, _server: &ServerAddress, _: &Settings) -> Result<(), UserMessage> {
        let mut seen = self.network.lock().expect("no panic");
        if let Some(waiting) = seen.waiting.take() {
            seen.relays = waiting.before - waiting.gone;
        }
        Ok(())
    }

    fn describe(&self, text: &PointerText, _: &Settings) -> Result<TextHolds, UserMessage> {
        let invitation = self.invitation.lock().expect("no panic").clone();
        if let Some(info) = invitation.filter(|_| text.as_str().contains(INVITATION)) {
            return Ok(TextHolds::Invitation(Box::new(info)));
        }
        let pointer = Pointer::find(text.as_str())
            .map_err(|error| UserMessage::from(&AppError::Pointer(error)))?;
        let url = pointer.server.url.to_string();
        let trouble = if let Some(offer) = RelayOffer::of(&pointer) {
            Some(AppError::RelaysOffered(Box::new(offer)))
        } else {
            url.contains("127.0.0.1")
                .then_some(AppError::ForeignBuiltIn)
        };
        Ok(TextHolds::Pointer(PointerInfo {
            offer: match &trouble {
                Some(AppError::RelaysOffered(offer)) => Some(offer.list.host().to_owned()),
                _ => None,
            },
            lacks_relays: matches!(trouble, Some(AppError::RelaysOffered(_))),
            name: pointer.name,
            holds: *self.holds.lock().expect("no panic"),
            len: pointer.content_len,
            server: url.replace("http://", ""),
            expires: pointer.expires,
            asks_receipt: pointer.receipts.is_some(),
            note: trouble.map(|error| PointerNote {
                message: UserMessage::from(&error),
                blocks: true,
            }),
        }))
    }

    fn read_relay_list(&self, path: PathBuf) -> Result<ShownRelayList, UserMessage> {
        Ok(shown_list(RelaySource::File(path)))
    }

    fn test_server<'a>(
        &'a self,
        settings: &'a Settings,
        _context: &'a CallContext,
    ) -> BoxFuture<'a, Ended<TestReport>> {
        Box::pin(async move {
            self.gate.acquire().await.expect("never closed").forget();
            let failure = self.failures.lock().expect("no panic").pop_front();
            let report = failure.map_or(Ok(()), Err).map(|()| TestReport {
                upload_millis: 84,
                download_millis: 57,
                delete_millis: Some(31),
            });
            end(report, true, settings)
        })
    }

    fn terms(&self, _server: &ServerChoice) -> Option<Terms> {
        *self.terms.lock().expect("no panic")
    }

    fn diagnostics(&self) -> BoxFuture<'_, String> {
        Box::pin(async { String::new() })
    }

    fn window_folder(&self) -> Option<PathBuf> {
        None
    }

    fn history(&self, tell: TellNews) -> Option<History> {
        let (folder, keys) = self.history.lock().expect("no panic").clone()?;
        let patience = Duration::from_secs(20);
        History::start(folder, keys, patience, Arc::new(|| 1_795_000_000), tell).ok()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

/// A keyring in memory.
#[derive(Default)]
pub(crate) struct Keyring(pub(crate) Mutex<BTreeMap<String, Vec<u8>>>);

impl KeyStore for Keyring {
    fn load(&self, id: &KeyId) -> Result<Option<HistoryKey>, KeyStoreError> {
        let kept = self.0.lock().expect("no panic").get(&id.name()).cloned();
        Ok(kept.and_then(HistoryKey::from_bytes))
    }

    fn keep(&self, id: &KeyId, key: &HistoryKey) -> Result<(), KeyStoreError> {
        let mut keys = self.0.lock().expect("no panic");
        keys.insert(id.name(), key.as_bytes().to_vec());
        Ok(())
    }

    fn forget(&self, id: &KeyId) -> Result<(), KeyStoreError> {
        self.0.lock().expect("no panic").remove(&id.name());
        Ok(())
    }
}

#[derive(Default)]
pub(crate) struct FakeDesktop {
    /// What the dialogs and the clipboard hold.
    pub(crate) files: Mutex<Vec<PathBuf>>,
    /// The system has no dialogs for files.
    pub(crate) no_dialogs: AtomicBool,
    /// What was copied, opened and shown.
    pub(crate) copied: Mutex<Vec<String>>,
    pub(crate) opened: Mutex<Vec<PathBuf>>,
    pub(crate) revealed: Mutex<Vec<PathBuf>>,
    /// No program takes a file.
    pub(crate) no_programs: AtomicBool,
    /// Files that were saved are not there any more.
    pub(crate) gone: AtomicBool,
    pub(crate) notified: Mutex<Vec<Notification>>,
    /// Where the dialog for a folder was opened.
    pub(crate) folder_asked_at: Mutex<Option<PathBuf>>,
    /// What a look into a received file finds.
    pub(crate) findings: Mutex<Findings>,
    /// Whether `cloakroom:` links open this program, on a system where that is decided in the window.
    pub(crate) links: Mutex<Option<bool>>,
    /// The system takes no other decision.
    pub(crate) links_stay: AtomicBool,
    /// Whom to tell what the system looks like.
    pub(crate) tell_look: Mutex<Option<LookTeller>>,
}

type LookTeller = Box<dyn Fn(SystemLook) + Send>;

/// 22 November 2026, noon.
pub(crate) const NOW: u64 = 1_795_348_800;

/// Five relays, each in another state.
fn relays_seen() -> RelaysSeen {
    let relay = |last: u8, operator: &str, standing| RelaySeen {
        name: format!("198.51.100.{last}:22021"),
        operator: operator.to_owned(),
        standing,
    };
    RelaysSeen {
        issued: Some(NOW - 5 * 86_400),
        asked: Some(NOW - 7_200),
        expires: Some(NOW + 20 * 86_400),
        fetched: Some(NOW - 2 * 86_400),
        trouble: None,
        rehearsal: false,
        relays: vec![
            relay(
                7,
                "Ada",
                Standing::Guard {
                    since: NOW - 3 * 86_400,
                    in_use: true,
                },
            ),
            relay(
                23,
                "Ben",
                Standing::Usable {
                    worked_at: Some(NOW - 60),
                },
            ),
            relay(41, "Cleo", Standing::KeptBack),
            relay(
                59,
                "",
                Standing::SetAside {
                    until: NOW + 7_200,
                    why: SetAsideWhy::Strikes,
                },
            ),
            relay(77, "Dan", Standing::Usable { worked_at: None }),
        ],
    }
}

/// The line of the list at this host.
fn line_of(host: &str) -> ListSource {
    let line = format!("https://{host}/relays.json#k={SERVER_KEY}");
    line.parse().expect("the line of a list")
}

/// What is read of a list.
fn shown_list(source: RelaySource) -> ShownRelayList {
    let (name, relays) = match source {
        RelaySource::Session => ("Session's service nodes", 0),
        _ => ("Relays of three friends", 5),
    };
    ShownRelayList {
        source,
        name: name.to_owned(),
        relays,
    }
}

/// One list of a pointer and one that was chosen before, without the one that was forgotten.
fn other_lists(forgotten: Option<&RelaySource>) -> Vec<OtherList> {
    let list = |host: &str, name: &str, servers: &[&str], expires| OtherList {
        list: ShownRelayList {
            source: RelaySource::Url(line_of(host)),
            name: name.to_owned(),
            relays: 12,
        },
        servers: servers.iter().map(ToString::to_string).collect(),
        seen: RelaysSeen {
            expires: Some(expires),
            trouble: (expires < NOW).then(|| "The list has expired.".to_owned()),
            relays: Vec::new(),
            ..relays_seen()
        },
    };
    let mut lists = vec![
        list(
            "lists.example",
            "Relays of a choir",
            &["files.example", "5a5a5a5a…"],
            NOW + 9 * 86_400,
        ),
        list("old.example", "Relays of last year", &[], NOW - 86_400),
    ];
    lists.retain(|other| Some(&other.list.source) != forgotten);
    lists
}

/// What each party was shown of a file of 5 MB, with a first try that found nobody.
pub(crate) fn shown(up: bool) -> Vec<RequestShown> {
    let relay = |seed: u8| RelayDescriptor {
        key: Identity::from_seed([seed; 32]).public(),
        host: IpAddr::from([198, 51, 100, seed]),
        port: 22_021,
        operator: String::new(),
        serves: Serves::Any,
    };
    let attempt = |names_file, sent: [usize; 4], answered: Vec<usize>| AttemptShown {
        at: NOW - 60,
        path: Some(RelayPath {
            guard: relay(7),
            middle: relay(23),
            last: relay(41),
        }),
        proxy: None,
        end: End::Server,
        server: "http://files.example".parse().expect("an address"),
        relaxed: Vec::new(),
        same_bytes_back: false,
        names_file,
        sent: sent.into(),
        outcome: if answered.is_empty() {
            ShownOutcome::Failed(Failure::RelayUnreachable(relay(23).key))
        } else {
            ShownOutcome::Answered(200)
        },
        answered,
    };
    let small = [2_560, 2_314, 2_068, 1_906];
    let blob_len = usize::try_from(blob_len()).expect("small");
    let large = [2_560, 2_314, 2_068, 1_906].map(|around| blob_len + around);
    if up {
        vec![
            RequestShown {
                asked: Asked::ServerInfo,
                attempts: vec![attempt(false, small, vec![1_699, 1_671, 1_643, 1_615])],
            },
            RequestShown {
                asked: Asked::Upload,
                attempts: vec![
                    attempt(true, large, Vec::new()),
                    attempt(true, large, vec![1_699, 1_671, 1_643, 1_615]),
                ],
            },
        ]
    } else {
        vec![RequestShown {
            asked: Asked::Download,
            attempts: vec![attempt(true, small, large.into())],
        }]
    }
}

impl Platform for FakeDesktop {
    fn pick_files(&self) -> BoxFuture<'static, Option<Vec<PathBuf>>> {
        let files = self.files.lock().expect("no panic").clone();
        let dialog = self.has_dialogs();
        Box::pin(async move { dialog.then_some(files) })
    }

    fn pick_folder_to_share(&self) -> BoxFuture<'static, Option<PathBuf>> {
        self.pick_file()
    }

    fn pick_file(&self) -> BoxFuture<'static, Option<PathBuf>> {
        let file = self.files.lock().expect("no panic").first().cloned();
        Box::pin(async move { file })
    }

    fn pick_folder(&self, at: Option<PathBuf>) -> BoxFuture<'static, Option<PathBuf>> {
        *self.folder_asked_at.lock().expect("no panic") = at;
        self.pick_file()
    }

    fn has_dialogs(&self) -> bool {
        !self.no_dialogs.load(Ordering::SeqCst)
    }

    fn opens_links(&self) -> Option<bool> {
        *self.links.lock().expect("no panic")
    }

    fn open_links(&self, on: bool) -> bool {
        let takes = !self.links_stay.load(Ordering::SeqCst);
        if takes {
            *self.links.lock().expect("no panic") = Some(on);
        }
        takes
    }

    fn examine(&self, _: &Path) -> Option<Findings> {
        Some(*self.findings.lock().expect("no panic"))
    }

    fn pick_new_file(&self, _: &str) -> BoxFuture<'static, Option<PathBuf>> {
        self.pick_file()
    }

    fn notify(&self, notification: &Notification) {
        let mut notified = self.notified.lock().expect("no panic");
        notified.push(notification.clone());
    }

    fn copy_secret(&self, text: &PointerText) -> bool {
        self.copied
            .lock()
            .expect("no panic")
            .push(text.as_str().to_owned());
        true
    }

    fn clear_secret(&self, text: &PointerText) {
        let mut copied = self.copied.lock().expect("no panic");
        copied.retain(|copied| copied != text.as_str());
    }

    fn now(&self) -> u64 {
        NOW
    }

    fn watch_look(&self, tell: Box<dyn Fn(SystemLook) + Send>) {
        *self.tell_look.lock().expect("no panic") = Some(tell);
    }

    fn clipboard_files(&self) -> UriList {
        self.files.lock().expect("no panic").clone().into()
    }

    fn open(&self, path: &Path) -> bool {
        self.opened.lock().expect("no panic").push(path.to_owned());
        !self.no_programs.load(Ordering::SeqCst)
    }

    fn reveal(&self, path: &Path) -> Revealed {
        self.revealed
            .lock()
            .expect("no panic")
            .push(path.to_owned());
        if self.gone.load(Ordering::SeqCst) {
            Revealed::Gone
        } else if self.no_programs.load(Ordering::SeqCst) {
            Revealed::NoProgram
        } else {
            Revealed::Shown
        }
    }
}
