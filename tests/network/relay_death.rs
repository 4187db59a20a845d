//! The largest file survives the death of any relay at any moment, and nobody has to do anything for it.
//!
//! Every relay has a runtime of its own. When it dies, its runtime goes, and its sockets close with whatever was in
//! them, as with a process that is killed. Somebody stands before the server, so that a relay can die just when the
//! request has crossed all of them, or just when the answer is to go back: these moments do not depend on how fast the
//! machine is. A relay that stands still instead of dying is noticed after the wait, which for a file of this size is
//! minutes: `protocol/virtual_network.rs` has those, on virtual time.

use std::collections::HashMap;
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

use cloakroom::app::received::save::SaveTo;
use cloakroom::app::relays::{RelaySet, RelaySource};
use cloakroom::app::settings::{Home, Settings};
use cloakroom::app::transfer::call::{Call, CallContext};
use cloakroom::app::transfer::get::{self, GetRequest};
use cloakroom::app::transfer::program::Program;
use cloakroom::app::transfer::routed_server::{Route, RoutedServer};
use cloakroom::app::transfer::share::{self, ShareRequest};
use cloakroom::app::transfer::stage::{ProgressSink, Stage};
use cloakroom::app::words::who_saw_what::{Asked, RequestShown};
use cloakroom::protocol::address::ServerAddress;
use cloakroom::protocol::disclosure::ShownOutcome;
use cloakroom::protocol::keys::{Ed25519Public, Identity};
use cloakroom::protocol::path::RelayPath;
use cloakroom::protocol::pointer::Pointer;
use cloakroom::protocol::relay_list::{NetworkKind, RelayList};
use cloakroom::protocol::size_class::MAX_CONTENT_LEN;
use cloakroom::relay::{Relay, RelayConfig, RunningRelay};
use cloakroom::server::{RunningServer, Server, ServerConfig};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::network::between::{Between, Crossing, Hook};
use crate::support::relays::{entries, introduce};
use crate::support::{blobs_in, content};

#[derive(Clone, Copy, Debug)]
enum Place {
    Guard,
    Middle,
    Last,
}

/// When the relay dies.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// The path is drawn, nothing is sent.
    Drawn,
    /// Half of the request is with the connection.
    Sending,
    /// The last relay has passed the whole request on.
    Crossed,
    /// The server has answered, and nothing of that is on its way.
    Answered,
    /// Half of the answer is here.
    Receiving,
}

impl Moment {
    /// Whether the transfer cannot end over the path that has lost this relay. When half of the answer is here, the
    /// relays behind the guard have passed on all of it.
    const fn needs_another_path(self, place: Place) -> bool {
        !matches!(
            (self, place),
            (Self::Receiving, Place::Middle | Place::Last)
        )
    }
}

/// A relay's runtime, and where it listens.
type Alive = Arc<Mutex<HashMap<Ed25519Public, (Runtime, SocketAddr)>>>;

/// What is done when a moment has come.
type Kill = Arc<dyn Fn(Moment) + Send + Sync>;

struct World {
    folder: TempDir,
    program: Program,
    network: RoutedServer,
    alive: Alive,
    /// Asked by whoever stands before the server.
    kill: Arc<Mutex<Option<Kill>>>,
    _between: Between,
    _relays: Vec<RunningRelay>,
    _server: RunningServer,
}

impl World {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let loopback = "127.0.0.1:0".parse().unwrap();
        let key = Identity::from_seed([200; 32]);
        let server = Server::start(ServerConfig::new(
            loopback,
            folder.path().join("store"),
            key,
        ))
        .await
        .unwrap();
        let kill: Arc<Mutex<Option<Kill>>> = Arc::default();
        let asked = Arc::clone(&kill);
        let hook: Hook = Arc::new(move |crossing: Crossing<'_>| {
            let kill = asked.lock().unwrap().clone();
            if let Some(kill) = kill {
                kill(match crossing {
                    Crossing::There(_) => Moment::Crossed,
                    Crossing::Back(..) => Moment::Answered,
                });
            }
        });
        let between = Between::server(server.addr(), hook).await;
        let address: ServerAddress = format!(
            "http://{}#p={}",
            between.addr(),
            server.address().key.to_hex()
        )
        .parse()
        .unwrap();
        let (mut relays, mut alive) = (Vec::new(), HashMap::new());
        for seed in 1..=6 {
            let runtime = Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .unwrap();
            let mut config = RelayConfig::new(loopback, Identity::from_seed([seed; 32]));
            config.settings.allow_private = true;
            let relay = runtime.spawn(Relay::start(config)).await.unwrap().unwrap();
            alive.insert(relay.descriptor().key, (runtime, relay.addr()));
            relays.push(relay);
        }
        let entries = entries(&relays);
        introduce(&relays, &entries);
        let set = RelaySet {
            list: RelayList::join("", 0, u64::MAX, entries).unwrap(),
            kind: NetworkKind::Cloakroom,
            source: RelaySource::File(folder.path().join("relays.json")),
        };
        Self {
            program: Program::new(Home::in_folder(folder.path()), Settings::default()),
            network: RoutedServer::new(address, Route::Relays(set)),
            folder,
            alive: Arc::new(Mutex::new(alive)),
            kill,
            _between: between,
            _relays: relays,
            _server: server,
        }
    }

    /// Kills that relay of the path that carries the file, at that moment, once.
    fn killing(
        &self,
        place: Place,
        moment: Moment,
    ) -> (ProgressSink, Arc<Mutex<Option<Ed25519Public>>>) {
        let path: Arc<Mutex<Option<RelayPath>>> = Arc::default();
        let killed: Arc<Mutex<Option<Ed25519Public>>> = Arc::default();
        let kill: Kill = {
            let (alive, path, killed) = (
                Arc::clone(&self.alive),
                Arc::clone(&path),
                Arc::clone(&killed),
            );
            Arc::new(move |come| {
                if std::mem::discriminant(&come) != std::mem::discriminant(&moment) {
                    return;
                }
                let mut killed = killed.lock().unwrap();
                let path = path.lock().unwrap();
                if let (None, Some(path)) = (*killed, &*path) {
                    let key = match place {
                        Place::Guard => path.guard.key,
                        Place::Middle => path.middle.key,
                        Place::Last => path.last.key,
                    };
                    if let Some((runtime, addr)) = alive.lock().unwrap().remove(&key) {
                        runtime.shutdown_background();
                        while TcpStream::connect(addr).is_ok() {
                            std::thread::yield_now();
                        }
                    }
                    *killed = Some(key);
                }
            })
        };
        *self.kill.lock().unwrap() = Some(Arc::clone(&kill));
        let on_path = {
            let kill = Arc::clone(&kill);
            move |next: &RelayPath| {
                *path.lock().unwrap() = Some(next.clone());
                kill(Moment::Drawn);
            }
        };
        let progress = ProgressSink::new(move |stage| match stage {
            Stage::Upload { sent, total } if sent * 2 >= total => {
                kill(Moment::Sending);
            }
            Stage::Download { received, total } if received * 2 >= total => {
                kill(Moment::Receiving);
            }
            _ => {}
        })
        .with_paths(on_path);
        (progress, killed)
    }

    async fn share(&self, content: &[u8], progress: &ProgressSink) -> (Pointer, Vec<RequestShown>) {
        let file = self.folder.path().join("large.bin");
        fs::write(&file, content).unwrap();
        let request = ShareRequest::new(vec![file]);
        let call = self.call(progress);
        let shared = share::share(&call, request).await.unwrap();
        (shared.pointer, call.log().requests())
    }

    async fn get(&self, pointer: Pointer, progress: &ProgressSink) -> (Vec<u8>, Vec<RequestShown>) {
        let request = GetRequest {
            pointer,
            target: SaveTo::Folder(self.folder.path().to_owned())
                .prepare(&[])
                .unwrap(),
            tell_sender: false,
            choice: get::Choice::All,
        };
        let call = self.call(progress);
        let fetched = get::get(&call, request).await.unwrap();
        (fs::read(fetched.path).unwrap(), call.log().requests())
    }

    fn call(&self, progress: &ProgressSink) -> Call {
        let context = CallContext::default().with_progress(progress.clone());
        Call::new(&self.program, self.network.clone(), &context)
    }

    fn stored(&self) -> usize {
        blobs_in(&self.folder.path().join("store")).len()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let alive = std::mem::take(&mut *self.alive.lock().unwrap());
        for (runtime, _addr) in alive.into_values() {
            runtime.shutdown_background();
        }
    }
}

/// How many tries the file's last request took.
fn tries(shown: &[RequestShown]) -> usize {
    let mut files = shown
        .iter()
        .filter(|request| matches!(request.asked, Asked::Upload | Asked::Download));
    files.next_back().unwrap().attempts.len()
}

/// So often a moment may go by before the relay dies.
const MOST_TURNS: usize = 20;

/// The tries of the last request went on over other relays than the dead one, and the last of them was answered.
fn check(shown: &[RequestShown], dead: Ed25519Public, another: bool, what: &str) {
    let mut files = shown
        .iter()
        .filter(|request| matches!(request.asked, Asked::Upload | Asked::Download));
    let attempts = &files.next_back().unwrap().attempts;
    let last = attempts.last().unwrap();
    assert!(
        matches!(last.outcome, ShownOutcome::Answered(200)),
        "{what}"
    );
    assert_eq!(attempts.len() > 1, another, "{what}");
    if another {
        let relays = last.path.as_ref().unwrap().relays();
        assert!(relays.iter().all(|relay| relay.key != dead), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_survives_the_death_of_any_relay_at_any_moment() {
    let content = content(usize::try_from(MAX_CONTENT_LEN).unwrap());
    for place in [Place::Guard, Place::Middle, Place::Last] {
        for moment in [
            Moment::Drawn,
            Moment::Sending,
            Moment::Crossed,
            Moment::Answered,
        ] {
            let what = format!("{place:?} dies at {moment:?}");
            let mut died = false;
            // Progress is told by its latest step: on a busy machine the whole request may be gone before half of it was
            // told. Then nobody dies, and the next one has its turn.
            for _ in 0..MOST_TURNS {
                let world = World::start().await;
                let (tell, killed) = world.killing(place, moment);
                let (pointer, shown) = world.share(&content, &tell).await;
                let Some(dead) = *killed.lock().unwrap() else {
                    assert!(matches!(moment, Moment::Sending), "{what}");
                    continue;
                };
                check(&shown, dead, moment.needs_another_path(place), &what);
                assert_eq!(
                    world.stored(),
                    1,
                    "stored once, whatever was sent twice: {what}"
                );
                let (back, _) = world.get(pointer, &ProgressSink::none()).await;
                assert!(back == content, "{what}");
                died = true;
                break;
            }
            assert!(died, "{what}: it was never in time");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_survives_the_death_of_any_relay_at_any_moment() {
    let content = content(usize::try_from(MAX_CONTENT_LEN).unwrap());
    for place in [Place::Guard, Place::Middle, Place::Last] {
        for moment in [
            Moment::Drawn,
            Moment::Crossed,
            Moment::Answered,
            Moment::Receiving,
        ] {
            let what = format!("{place:?} dies at {moment:?}");
            let mut cut = false;
            // What the guard has sent of the answer by then may be all of it, in the system's buffers: then it dies too
            // late to be missed, and the next one has its turn.
            for _ in 0..MOST_TURNS {
                let world = World::start().await;
                let (pointer, _) = world.share(&content, &ProgressSink::none()).await;
                let (tell, killed) = world.killing(place, moment);
                let (back, shown) = world.get(pointer, &tell).await;
                assert!(back == content, "{what}");
                let Some(dead) = *killed.lock().unwrap() else {
                    assert!(matches!(moment, Moment::Receiving), "{what}");
                    continue;
                };
                let sent_before = matches!((place, moment), (Place::Guard, Moment::Receiving))
                    && tries(&shown) == 1;
                if !sent_before {
                    check(&shown, dead, moment.needs_another_path(place), &what);
                    cut = true;
                    break;
                }
            }
            assert!(cut, "{what}: it was never in time");
        }
    }
}
