//! What a log could tell: a whole transfer at the finest level, searched for everything that is nobody's business.

use std::cell::RefCell;
use std::fs;
use std::io;
use std::net::TcpListener;
#[cfg(unix)]
use std::path::Path;
#[cfg(unix)]
use std::process::Command;
use std::sync::{Arc, Mutex};

use cloakroom::app::error::AppError;
use cloakroom::app::process::logging;
use cloakroom::app::received::save::SaveTo;
use cloakroom::app::relays::RelaySet;
use cloakroom::app::settings::{Home, Settings};
use cloakroom::app::transfer::call::{Call, CallContext};
use cloakroom::app::transfer::get;
use cloakroom::app::transfer::program::Program;
use cloakroom::app::transfer::routed_server::{Route, RoutedServer};
use cloakroom::app::transfer::share::{ShareRequest, share};
use cloakroom::protocol::digest::Digest;
use cloakroom::protocol::pointer::Pointer;
use cloakroom::protocol::relay_list::{RelayDescriptor, RelayList};
use tracing::Dispatch;
use tracing::dispatcher::{self, DefaultGuard};

#[cfg(unix)]
use crate::support::{self, cloak, printed_pointer, said};

#[test]
fn a_whole_transfer_logs_nothing_that_is_private() {
    let log = Log::default();
    log.runtime().block_on(whole_transfer(&log));
}

async fn whole_transfer(log: &Log) {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::new(Home::in_folder(folder.path()), Settings::default());
    let context = CallContext::default();
    let network = program.builtin_server().await.unwrap();
    program.hold_builtin(&network);
    let file = folder.path().join(NAME);
    fs::write(&file, private_content()).unwrap();
    let request = ShareRequest {
        ttl_secs: Some(7_200),
        ..ShareRequest::new(vec![file])
    };
    let call = Call::new(&program, network.clone(), &context);
    let shared = share(&call, request).await.unwrap();
    drop(call);
    let text = shared.pointer.to_text();
    let pointer = || Pointer::find(text.as_str()).unwrap();
    let received = folder.path().join("received");
    fs::create_dir(&received).unwrap();
    let to = SaveTo::Folder(received.clone());
    let fetch = async |network: &RoutedServer, pointer| {
        let request = get::GetRequest {
            pointer,
            target: to.clone().prepare(&[]).unwrap(),
            tell_sender: true,
            choice: get::Choice::All,
        };
        get::get(&Call::new(&program, network.clone(), &context), request).await
    };
    let fetched = fetch(&network, pointer()).await.unwrap();
    assert_eq!(fs::read(fetched.path).unwrap(), private_content());

    // What goes wrong is logged sooner than what goes well.
    let changed = Pointer {
        digest: Digest::of(b"other"),
        ..pointer()
    };
    assert!(matches!(
        fetch(&network, changed).await,
        Err(AppError::Mismatch(_))
    ));
    let Route::Relays(relays) = network.route() else {
        panic!("the built-in network has relays");
    };
    let mut secrets = Secrets::of(&pointer(), &relays.list.relays);
    let dead = RoutedServer::new(
        network.server().clone(),
        Route::Relays(RelaySet::built_in(unreachable(&relays.list))),
    );
    secrets.add_relays(match dead.route() {
        Route::Relays(set) => &set.list.relays,
        Route::Direct => &[],
    });
    // Where another test's thread came by a line first, nobody listened: the lines are asked again who does.
    tracing::callsite::rebuild_interest_cache();
    assert!(matches!(
        fetch(&dead, pointer()).await,
        Err(AppError::Transfer(_))
    ));

    // The next start finds a port taken.
    let port = network.server().url.port();
    drop((network, dead));
    program.close().await;
    let taken = TcpListener::bind(("127.0.0.1", port)).unwrap();
    // As above.
    tracing::callsite::rebuild_interest_cache();
    let network = program.builtin_server().await.unwrap();
    fetch(&network, pointer()).await.unwrap();
    secrets.words.push(network.server().url.port().to_string());
    drop(taken);

    let log = log.text();
    secrets.are_not_in(&log);
    assert!(!log.contains(folder.path().to_str().unwrap()), "{log}");
    for line in ["ended without an answer", "port of the built-in network"] {
        assert!(
            log.lines()
                .any(|text| text.contains(" cloakroom::") && text.contains(line)),
            "the capture is dead: {line:?} is not in {log:?}"
        );
    }
    assert!(
        log.lines().all(|line| line.contains(" cloakroom::")),
        "{log}"
    );
}

#[test]
fn other_crates_are_silent_whatever_is_asked_for() {
    for wanted in [
        "",
        "trace",
        "TRACE",
        "hyper=trace",
        "cloakroom=off,hyper=trace,reqwest=trace",
        "rustls=trace,object_store=debug,cloakroom=trace",
        "[{secret}]=trace",
    ] {
        let log = Log::default();
        tracing::subscriber::with_default(logging::subscriber(wanted, log.writer()), || {
            tracing::error!(target: "hyper::proto::h1", "secret");
            tracing::error!(target: "reqwest::connect", "secret");
            tracing::error!(target: "rustls::client::hs", "secret");
            tracing::error!(target: "object_store::local", "secret");
            tracing::error!(target: "cloakroom_of_somebody_else", "secret");
            tracing::error!(target: "cloakroom2::app", "secret");
            let span =
                tracing::error_span!(target: "hyper_util::client", "secret", secret = "secret");
            span.in_scope(|| tracing::error!(target: "cloakroom::app", "one of ours"));
        });
        let log = log.text();
        assert!(log.contains("one of ours"), "{wanted:?}: {log:?}");
        assert!(!log.contains("secret"), "{wanted:?}: {log}");
    }
}

#[cfg(unix)]
#[test]
fn real_programs_say_nothing_private_either() {
    let mut network =
        support::Network::start_with(traced, &["--listen", "127.0.0.1:0"], str::to_owned);
    let file = network.file(NAME, &private_content());
    let shared = network.share(&file);
    let text = printed_pointer(&shared);
    let fetched = network.get(&text);
    assert!(fetched.status.success(), "{}", said(&fetched));
    network.relays[1].kill();
    let failed = network.get(&text);
    assert_eq!(failed.status.code(), Some(4), "{}", said(&failed));

    let relays: Vec<_> = network
        .relays
        .iter()
        .map(|relay| RelayDescriptor::parse(&relay.first_line).unwrap())
        .collect();
    let secrets = Secrets::of(&Pointer::find(&text).unwrap(), &relays);
    let mut all = String::new();
    for output in [&shared, &fetched, &failed] {
        all.push_str(std::str::from_utf8(&output.stderr).unwrap());
    }
    assert!(all.contains(" cloakroom::"), "the capture is dead: {all:?}");
    network.relays.remove(1);
    for process in network.relays.iter_mut().chain([&mut network.server]) {
        let (status, said) = process.end();
        assert!(status.success() && said.contains("is up"), "{said:?}");
        all.push_str(&said);
    }
    secrets.are_not_in(&all);
}

#[cfg(unix)]
/// The command line, saying all it would ever log.
fn traced(home: &Path) -> Command {
    let mut command = cloak(home);
    command.env("RUST_LOG", "trace");
    command
}

/// What must be in no log.
struct Secrets {
    words: Vec<String>,
}

impl Secrets {
    fn of(pointer: &Pointer, relays: &[RelayDescriptor]) -> Self {
        let text = pointer.to_text();
        let mut secrets = Self {
            words: vec![
                NAME.to_owned(),
                "holiday".to_owned(),
                PHRASE.to_owned(),
                private_content().len().to_string(),
                text.as_str().to_owned(),
                "cloak1".to_owned(),
                pointer.id.as_str().to_owned(),
                pointer.server.to_string(),
                pointer.server.url.host().to_owned(),
                pointer.server.url.port().to_string(),
            ],
        };
        secrets.add_bytes(pointer.key.as_bytes());
        secrets.add_bytes(pointer.digest.as_bytes());
        secrets.add_bytes(pointer.server.key.as_bytes());
        secrets.add_relays(relays);
        secrets
    }

    fn add_relays(&mut self, relays: &[RelayDescriptor]) {
        for relay in relays {
            self.words.push(relay.host.to_string());
            self.words.push(relay.port.to_string());
            self.add_bytes(relay.key.as_bytes());
        }
    }

    /// As hex and as Rust prints an array; the beginning is enough to recognise it.
    fn add_bytes(&mut self, bytes: &[u8; 32]) {
        let start = &bytes[..4];
        self.words
            .push(start.iter().map(|byte| format!("{byte:02x}")).collect());
        let list = format!("{start:?}");
        self.words.push(list.trim_end_matches(']').to_owned());
    }

    fn are_not_in(&self, log: &str) {
        // A time has digits of its own.
        let log: String = log
            .lines()
            .map(|line| {
                let said = line.split_once("Z ").map_or(line, |(_at, said)| said);
                said.to_lowercase() + "\n"
            })
            .collect();
        for word in &self.words {
            assert!(
                !log.contains(&word.to_lowercase()),
                "{word:?} is in:\n{log}"
            );
        }
    }
}

/// Where lines are caught.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn writer(&self) -> impl Fn() -> Self + Send + Sync + 'static {
        let log = self.clone();
        move || log.clone()
    }

    /// Catches what is said on its own threads and on the calling one, and nothing of other tests.
    fn runtime(&self) -> tokio::runtime::Runtime {
        thread_local! {
            static CATCHING: RefCell<Option<DefaultGuard>> = const { RefCell::new(None) };
        }
        let dispatch = Dispatch::new(logging::subscriber("trace", self.writer()));
        let catch = move || CATCHING.set(Some(dispatcher::set_default(&dispatch)));
        catch();
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .on_thread_start(catch)
            .build()
            .unwrap()
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The same relays, at ports where nobody listens.
fn unreachable(relays: &RelayList) -> RelayList {
    let entries = relays.relays.iter().map(|relay| {
        let closed = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = closed.local_addr().unwrap().port();
        RelayDescriptor {
            port,
            ..relay.clone()
        }
    });
    RelayList::join("dead", relays.issued, relays.expires, entries.collect()).unwrap()
}

fn private_content() -> Vec<u8> {
    PHRASE.repeat(2_021).into_bytes()
}

const NAME: &str = "Holiday in Rügen (geheim).txt";
const PHRASE: &str = "nobody is to read this ";
