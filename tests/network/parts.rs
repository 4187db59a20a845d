//! Files and folders that are larger than one blob: through relays to a server and back, also when either side stops on the
//! way, when answers are lost, and when the file has changed meanwhile.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cloakroom::app::error::{AppError, LocalFileError};
use cloakroom::app::received::save::SaveTo;
use cloakroom::app::relays::{RelaySet, RelaySource};
use cloakroom::app::settings::{Home, Settings};
use cloakroom::app::transfer::call::{Call, CallContext};
use cloakroom::app::transfer::get::{self, Choice, Fetched, GetRequest};
use cloakroom::app::transfer::manage::{self, Deletion};
use cloakroom::app::transfer::parts::resume::{self, OpenTransfer, Resumed};
use cloakroom::app::transfer::program::Program;
use cloakroom::app::transfer::routed_server::{Route, RoutedServer};
use cloakroom::app::transfer::share::{self, ShareRequest, Shared};
use cloakroom::app::transfer::stage::{ProgressSink, Stage};
use cloakroom::app::words::who_saw_what::Asked;
use cloakroom::protocol::address::ServerAddress;
use cloakroom::protocol::keys::Identity;
use cloakroom::protocol::pointer::Pointer;
use cloakroom::protocol::relay_list::{NetworkKind, RelayList};
use cloakroom::protocol::seal::ContentKind;
use cloakroom::relay::{Relay, RelayConfig, RunningRelay};
use cloakroom::server::{RunningServer, Server, ServerConfig};
use parking_lot::Mutex;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::network::between::{Between, Crossing, Hook};
use crate::support::relays::{entries, introduce, loopback};
use crate::support::{blobs_in, content};

/// Three parts of 9,000,000 bytes.
const LEN: usize = 27_000_000;
/// Larger than any small request.
const PART: usize = 1_000_000;

/// What to do when a part has crossed all relays, or when its confirmation is to go back.
type OnPart = Arc<dyn Fn(bool, &mut u16) + Send + Sync>;

struct World {
    folder: TempDir,
    program: Program,
    network: RoutedServer,
    on_part: Arc<Mutex<Option<OnPart>>>,
    _between: Between,
    _relays: Vec<RunningRelay>,
    _server: RunningServer,
}

impl World {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = Identity::from_seed([200; 32]);
        let store = folder.path().join("store");
        let config = ServerConfig::new(loopback(), store, key);
        let server = Server::start(config).await.unwrap();
        let on_part: Arc<Mutex<Option<OnPart>>> = Arc::default();
        let hook: Hook = {
            let on_part = Arc::clone(&on_part);
            // Which connection an answer belongs to is not known here, so parts are counted by their length.
            Arc::new(move |crossing| match crossing {
                Crossing::There(body) if body.len() > PART => {
                    if let Some(on_part) = on_part.lock().clone() {
                        on_part(true, &mut 200);
                    }
                }
                Crossing::Back(status, body) if body.len() > PART => {
                    if let Some(on_part) = on_part.lock().clone() {
                        on_part(false, status);
                    }
                }
                Crossing::There(_) | Crossing::Back(..) => {}
            })
        };
        let between = Between::server(server.addr(), hook).await;
        let address: ServerAddress = format!(
            "http://{}#p={}",
            between.addr(),
            server.address().key.to_hex()
        )
        .parse()
        .unwrap();
        let mut relays = Vec::new();
        for seed in 1..=5 {
            let mut config = RelayConfig::new(loopback(), Identity::from_seed([seed; 32]));
            config.settings.allow_private = true;
            relays.push(Relay::start(config).await.unwrap());
        }
        let entries = entries(&relays);
        introduce(&relays, &entries);
        let set = RelaySet {
            list: RelayList::join("", 0, u64::MAX, entries).unwrap(),
            kind: NetworkKind::Cloakroom,
            source: RelaySource::File(folder.path().join("relays.json")),
        };
        Self {
            program: Program::new(
                Home::in_folder(folder.path().join("home")),
                Settings::default(),
            ),
            network: RoutedServer::new(address, Route::Relays(set)),
            folder,
            on_part,
            _between: between,
            _relays: relays,
            _server: server,
        }
    }

    fn call(&self, cancel: &CancellationToken, progress: ProgressSink) -> Call {
        let context = CallContext::new(cancel).with_progress(progress);
        Call::new(&self.program, self.network.clone(), &context)
    }

    fn calm(&self) -> Call {
        self.call(&CancellationToken::new(), ProgressSink::none())
    }

    fn file(&self, name: &str, len: usize) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, content(len)).unwrap();
        path
    }

    async fn share(&self, path: &Path) -> Result<Shared, AppError> {
        share::share(&self.calm(), ShareRequest::new(vec![path.to_owned()])).await
    }

    fn get_request(&self, pointer: Pointer, choice: Choice) -> GetRequest {
        let received = self.folder.path().join("received");
        fs::create_dir_all(&received).unwrap();
        GetRequest {
            pointer,
            target: SaveTo::Folder(received).prepare(&[]).unwrap(),
            tell_sender: true,
            choice,
        }
    }

    async fn get(&self, pointer: Pointer) -> Fetched {
        let request = self.get_request(pointer, Choice::All);
        get::get(&self.calm(), request).await.unwrap()
    }

    /// Goes on with the one unfinished transfer.
    async fn resume(&self, call: &Call) -> Result<Resumed, AppError> {
        let listed = resume::list(&self.program).unwrap();
        let [one] = listed.as_slice() else {
            panic!("{listed:?}");
        };
        let transfer = OpenTransfer::open(&self.program, &one.id).unwrap();
        transfer.resume(call).await
    }

    fn unfinished(&self) -> usize {
        resume::list(&self.program).unwrap().len()
    }

    fn stored(&self) -> usize {
        blobs_in(&self.folder.path().join("store")).len()
    }

    fn received(&self) -> Vec<PathBuf> {
        fs::read_dir(self.folder.path().join("received"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect()
    }

    fn on_part(&self, on_part: impl Fn(bool, &mut u16) + Send + Sync + 'static) {
        *self.on_part.lock() = Some(Arc::new(on_part));
    }

    fn calm_down(&self) {
        *self.on_part.lock() = None;
    }
}

/// How many requests of that kind a call made.
fn asked(call: &Call, what: Asked) -> usize {
    let requests = call.log().requests();
    let those = requests.iter().filter(|request| request.asked == what);
    those.count()
}

/// Ends a transfer when so many of its parts have crossed.
fn cancel_after(
    parts: usize,
    there: bool,
    cancel: &CancellationToken,
) -> impl Fn(bool, &mut u16) + Send + Sync + use<> {
    let (seen, cancel) = (AtomicUsize::new(0), cancel.clone());
    move |to_server, _status| {
        if to_server == there && seen.fetch_add(1, Ordering::SeqCst) + 1 == parts {
            cancel.cancel();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_file_comes_back_and_its_owner_deletes_all_of_it() {
    let world = World::start().await;
    let file = world.file("film.mkv", LEN);
    let seen: Arc<Mutex<Vec<Stage>>> = Arc::default();
    let told = Arc::clone(&seen);
    let progress = ProgressSink::new(move |stage| told.lock().push(stage));
    let call = world.call(&CancellationToken::new(), progress);
    let shared = share::share(&call, ShareRequest::new(vec![file.clone()]))
        .await
        .unwrap();
    assert_eq!(
        (shared.parts, world.stored()),
        (3, 4),
        "three parts and the list"
    );
    assert_eq!(shared.pointer.kind, ContentKind::PartList);
    assert_eq!(shared.pointer.name.as_deref(), Some("film.mkv"));
    assert_eq!(world.unfinished(), 0);
    let uploads = call.log().requests();
    let uploads = uploads
        .iter()
        .filter(|request| request.asked == Asked::Upload);
    let attempts: Vec<_> = uploads.flat_map(|request| &request.attempts).collect();
    let lasts: BTreeSet<_> = attempts
        .iter()
        .filter_map(|attempt| attempt.path.as_ref())
        .map(|path| path.last.key.to_hex())
        .collect();
    assert!(lasts.len() >= 2, "no last relay sees all of it: {lasts:?}");
    let done: Vec<_> = seen
        .lock()
        .iter()
        .filter_map(|stage| match stage {
            Stage::Parts(moved) => Some((moved.done, moved.total)),
            _ => None,
        })
        .collect();
    assert!(done.is_sorted(), "what is confirmed stays so: {done:?}");
    assert_eq!(done.first(), Some(&(0, LEN as u64)));
    assert_eq!(done.last(), Some(&(LEN as u64, LEN as u64)));

    let text = shared.pointer.to_text();
    let pointer = Pointer::find(text.as_str()).unwrap();
    let fetched = world.get(pointer).await;
    assert_eq!(fetched.path.file_name().unwrap(), "film.mkv");
    assert!(fs::read(&fetched.path).unwrap() == fs::read(&file).unwrap());
    assert_eq!(world.received().len(), 1, "nothing hidden is left");

    let kept = manage::extend(&world.calm(), &shared.pointer, Some(20 * 86_400))
        .await
        .unwrap();
    assert!(kept.later, "every part is kept for longer");
    let deleted = manage::delete(&world.calm(), &shared.pointer)
        .await
        .unwrap();
    assert_eq!((deleted, world.stored()), (Deletion::Deleted, 0));
    let again = manage::delete(&world.calm(), &shared.pointer)
        .await
        .unwrap();
    assert_eq!(again, Deletion::GoneAlready);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_share_goes_on_without_sending_what_is_there() {
    let world = World::start().await;
    let file = world.file("film.mkv", LEN);
    let cancel = CancellationToken::new();
    world.on_part(cancel_after(2, true, &cancel));
    let call = world.call(&cancel, ProgressSink::none());
    let ended = share::share(&call, ShareRequest::new(vec![file.clone()])).await;
    assert!(matches!(ended, Err(AppError::Cancelled)));
    world.calm_down();
    let listed = resume::list(&world.program).unwrap();
    let about = listed[0].about.clone().unwrap();
    assert!(about.is_share && about.done < about.len);
    let before = world.stored();

    let call = world.calm();
    let Ok(Resumed::Shared(shared)) = world.resume(&call).await else {
        panic!("a share");
    };
    // Three parts and the list. One more may have been on its last way when the share was stopped.
    let sent = asked(&call, Asked::Upload);
    assert!(sent + before <= 4, "{before} were there, {sent} were sent");
    assert_eq!((world.stored(), world.unfinished()), (4, 0));
    let fetched = world.get(shared.pointer).await;
    assert!(fs::read(&fetched.path).unwrap() == fs::read(&file).unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_download_goes_on_with_what_is_missing() {
    let world = World::start().await;
    let file = world.file("film.mkv", LEN);
    let shared = world.share(&file).await.unwrap();
    let cancel = CancellationToken::new();
    world.on_part(cancel_after(2, false, &cancel));
    let call = world.call(&cancel, ProgressSink::none());
    let request = world.get_request(shared.pointer, Choice::All);
    let ended = get::get(&call, request).await;
    assert!(matches!(ended, Err(AppError::Cancelled)));
    let hidden = world.received();
    assert_eq!(hidden.len(), 1, "what has come waits: {hidden:?}");
    let name = hidden[0].file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with('.'), "{name}");

    // Somebody else's download into the folder sweeps leftovers, and spares this one.
    let temporaries = resume::temporaries(&world.program);
    assert_eq!(temporaries, hidden);

    world.calm_down();
    let about = resume::list(&world.program).unwrap()[0].about.clone();
    let done = usize::try_from(about.unwrap().done).unwrap() / (LEN / 3);
    let call = world.calm();
    let Ok(Resumed::Fetched(got)) = world.resume(&call).await else {
        panic!("a download");
    };
    assert_eq!(asked(&call, Asked::Download), 3 - done);
    assert!(fs::read(&got.path).unwrap() == fs::read(&file).unwrap());
    assert_eq!(world.received(), [got.path]);
    assert_eq!(world.unfinished(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_share_that_is_given_up_leaves_nothing_at_the_server() {
    let world = World::start().await;
    let file = world.file("film.mkv", LEN);
    let cancel = CancellationToken::new();
    world.on_part(cancel_after(3, true, &cancel));
    let call = world.call(&cancel, ProgressSink::none());
    let ended = share::share(&call, ShareRequest::new(vec![file])).await;
    assert!(matches!(ended, Err(AppError::Cancelled)));
    world.calm_down();
    let id = resume::list(&world.program).unwrap()[0].id.clone();
    let transfer = OpenTransfer::open(&world.program, &id).unwrap();
    let store = world.folder.path().join("store");
    let before = blobs_in(&store);
    let discarded = transfer.discard_share(&world.calm()).await.unwrap();
    assert_eq!((discarded.left, world.unfinished()), (0, 0));
    // What was on its way between relays when it was stopped can still arrive.
    let after = blobs_in(&store);
    assert!(before.iter().all(|blob| !after.contains(blob)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_changed_meanwhile_does_not_go_on() {
    let world = World::start().await;
    let file = world.file("film.mkv", LEN);
    let cancel = CancellationToken::new();
    world.on_part(cancel_after(1, true, &cancel));
    let call = world.call(&cancel, ProgressSink::none());
    let ended = share::share(&call, ShareRequest::new(vec![file.clone()])).await;
    assert!(matches!(ended, Err(AppError::Cancelled)));
    world.calm_down();
    let mut bytes = fs::read(&file).unwrap();
    bytes[LEN - 1] ^= 1;
    fs::write(&file, bytes).unwrap();
    let ended = world.resume(&world.calm()).await.err();
    assert!(
        matches!(ended, Some(AppError::Local(LocalFileError::Changed))),
        "{ended:?}"
    );
    assert_eq!(world.unfinished(), 1, "it can still be given up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_in_parts_is_listed_and_fetched_whole_or_in_part() {
    let world = World::start().await;
    let folder = world.folder.path().join("Holidays");
    fs::create_dir_all(folder.join("day 1/nothing")).unwrap();
    fs::create_dir_all(folder.join("day 2")).unwrap();
    fs::write(folder.join("day 1/beach.jpg"), content(9_000_000)).unwrap();
    fs::write(folder.join("day 2/.notes"), b"sunny").unwrap();
    fs::write(folder.join("day 2/film.mkv"), content(12_000_000)).unwrap();
    let shared = world.share(&folder).await.unwrap();
    assert_eq!((shared.parts, shared.left_out.count()), (3, 0));

    let listed = get::list(&world.calm(), &shared.pointer)
        .await
        .unwrap()
        .expect("a folder");
    let paths: Vec<_> = listed.iter().map(|placed| placed.entry.path).collect();
    assert_eq!(
        paths,
        [
            "day 1/beach.jpg",
            "day 1/nothing",
            "day 2/.notes",
            "day 2/film.mkv"
        ]
    );
    let text = shared.pointer.to_text();
    let fetched = world.get(Pointer::find(text.as_str()).unwrap()).await;
    assert_eq!(fetched.path.file_name().unwrap(), "Holidays");
    for path in ["day 1/beach.jpg", "day 2/.notes", "day 2/film.mkv"] {
        let (sent, came) = (folder.join(path), fetched.path.join(path));
        assert!(fs::read(sent).unwrap() == fs::read(came).unwrap(), "{path}");
    }
    assert!(fetched.path.join("day 1/nothing").is_dir());

    let parts = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&parts);
    world.on_part(move |there, _| {
        count.fetch_add(usize::from(!there), Ordering::SeqCst);
    });
    let choice = Choice::Only(vec!["day 1".to_owned()]);
    let request = world.get_request(Pointer::find(text.as_str()).unwrap(), choice);
    let some = get::get(&world.calm(), request).await.unwrap();
    assert!(some.path.join("day 1/beach.jpg").is_file());
    assert!(!some.path.join("day 2").exists());
    assert_eq!(
        parts.load(Ordering::SeqCst),
        2,
        "only the parts that hold it"
    );

    let choice = Choice::Only(vec!["day 3".to_owned()]);
    let request = world.get_request(Pointer::find(text.as_str()).unwrap(), choice);
    let ended = get::get(&world.calm(), request).await.err();
    assert!(matches!(ended, Some(AppError::NoSuchEntry(path)) if path == "day 3"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_folder_goes_in_one_blob() {
    let world = World::start().await;
    let (one, two) = (world.file("a.txt", 10), world.folder.path().join("b"));
    fs::create_dir(&two).unwrap();
    fs::write(two.join("c.txt"), b"c").unwrap();
    let request = ShareRequest::new(vec![one, two]);
    let shared = share::share(&world.calm(), request).await.unwrap();
    assert_eq!((shared.parts, world.stored()), (1, 1));
    assert_eq!(shared.pointer.kind, ContentKind::Folder);
    assert_eq!(shared.pointer.name, None, "several things have no name");
    let fetched = world.get(shared.pointer).await;
    assert_eq!(fetched.path.file_name().unwrap(), "Files");
    assert_eq!(fs::read(fetched.path.join("b/c.txt")).unwrap(), b"c");
    assert_eq!(fs::read(fetched.path.join("a.txt")).unwrap(), content(10));
}
