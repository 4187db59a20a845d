//! What senders and recipients may do beside share and get, by the command line: delete, extend, status, download
//! receipts, access word, work; and what a server is not told that does not ask for it.

use std::fs;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
#[cfg(unix)]
use std::thread;

use cloakroom::app::relays::{RelaySet, RelaySource};
use cloakroom::app::settings::{Home, ServerChoice, ServerEntry, Settings};
use cloakroom::app::transfer::call::{Call, CallContext};
use cloakroom::app::transfer::program::Program;
use cloakroom::app::transfer::routed_server::{Route, RoutedServer};
use cloakroom::app::transfer::test_server;
use cloakroom::protocol::address::{FileId, ServerAddress, ServerUrl};
use cloakroom::protocol::capability::expiry::hour_of;
use cloakroom::protocol::capability::work::{WorkAsked, WorkBase};
use cloakroom::protocol::capability::{AccessWord, DownloadReceipt};
use cloakroom::protocol::digest::Digest;
use cloakroom::protocol::file_api::{FileAnswer, FileStatus, ServerInfo, Uploaded};
use cloakroom::protocol::keys::Identity;
use cloakroom::protocol::onion::v4::RequestHead;
use cloakroom::protocol::pointer::{Pointer, PointerKey};
use cloakroom::protocol::relay_list::{NetworkKind, RelayList};
use cloakroom::protocol::seal::FileKey;
use cloakroom::relay::RunningRelay;
use cloakroom::server::{RunningServer, Server, ServerConfig};
use cloakroom::wire::random;
use serde_json::Value;
use tempfile::{TempDir, tempdir};
use tokio::runtime::Runtime;

use crate::command_line::person::expect;
use crate::command_line::stand_in::{SessionServer, StandIn, read_message, serve};
use crate::support::relays::{entries, loopback, three_relays};
use crate::support::{
    blobs_in, cloak, content, now, printed_pointer, said, with_input, write_list,
};

/// A file server and three relays in this process, and the people who use them in processes of their own.
struct Town {
    folder: TempDir,
    runtime: Runtime,
    server: Option<RunningServer>,
    address: ServerAddress,
    /// Where people find the server while it is stopped and started, and where that leads.
    door: Option<(ServerUrl, Arc<Mutex<SocketAddr>>)>,
    relays: Vec<RunningRelay>,
}

impl Town {
    fn new() -> Self {
        Self::with(|_config| {})
    }

    fn with(set: impl FnOnce(&mut ServerConfig)) -> Self {
        let folder = tempdir().unwrap();
        let runtime = Runtime::new().unwrap();
        let server = start_server(&runtime, folder.path(), set);
        let relays = runtime.block_on(three_relays(|_| ()));
        let list = entries(&relays);
        let lines: Vec<_> = list.iter().map(|relay| relay.to_json()).collect();
        write_list(folder.path(), &lines);
        Self {
            address: server.address().clone(),
            door: None,
            server: Some(server),
            relays,
            runtime,
            folder,
        }
    }

    /// Stops the server and starts it again behind its door, changed.
    fn change_server(&mut self, set: impl FnOnce(&mut ServerConfig)) {
        let server = self.server.take().unwrap();
        self.runtime.block_on(server.stop());
        let (url, leads_to) = self.door.as_ref().unwrap();
        let server = start_server(&self.runtime, self.folder.path(), |config| {
            config.settings.public_url = Some(url.clone());
            set(config);
        });
        *leads_to.lock().unwrap() = server.addr();
        self.address = server.address().clone();
        self.server = Some(server);
    }

    fn person(&self) -> Person<'_> {
        Person {
            home: tempdir().unwrap(),
            town: self,
        }
    }

    fn stored(&self) -> Vec<PathBuf> {
        blobs_in(&self.folder.path().join("store"))
    }
}

fn start_server(
    runtime: &Runtime,
    folder: &Path,
    set: impl FnOnce(&mut ServerConfig),
) -> RunningServer {
    let store = folder.join("store");
    let mut config = ServerConfig::new(loopback(), store, Identity::from_seed([9; 32]));
    set(&mut config);
    runtime.block_on(Server::start(config)).unwrap()
}

/// One person with settings and a record of their own.
struct Person<'a> {
    home: TempDir,
    town: &'a Town,
}

impl Person<'_> {
    fn file(&self) -> String {
        let path = self.home.path().join("report.pdf");
        fs::write(&path, content(5_000)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn list(&self) -> String {
        let list = self.town.folder.path().join("relays.json");
        list.to_str().unwrap().to_owned()
    }

    /// Shares through the relays.
    fn share(&self, more: &[&str]) -> Output {
        let (file, list, server) = (self.file(), self.list(), self.town.address.to_string());
        let mut share = cloak(self.home.path());
        share
            .args(["share", &file, "--relays", &list, "--server", &server])
            .args(more);
        share.output().unwrap()
    }

    fn pointer(&self, more: &[&str]) -> String {
        printed_pointer(&self.share(more))
    }

    /// Does something with a pointer through the relays.
    fn run(&self, command: &str, pointer: &str, more: &[&str]) -> Output {
        let mut run = cloak(self.home.path());
        run.args([command, "-", "--relays", &self.list()])
            .args(more);
        with_input(run, pointer)
    }

    fn json(&self, command: &str, pointer: &str, more: &[&str]) -> Value {
        let more = [more, &["--json"]].concat();
        let output = self.run(command, pointer, &more);
        assert!(output.status.success(), "{}", said(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn get(&self, pointer: &str, more: &[&str]) -> Output {
        let folder = self.home.path().join("received");
        fs::create_dir_all(&folder).unwrap();
        let more = [&["--out", folder.to_str().unwrap()], more].concat();
        self.run("get", pointer, &more)
    }
}

#[test]
fn the_sender_and_nobody_else_deletes_a_file() {
    let town = Town::new();
    let (sender, other) = (town.person(), town.person());
    let pointer = sender.pointer(&[]);
    assert_eq!(town.stored().len(), 1);

    expect(
        &other.run("delete", &pointer, &[]),
        1,
        "no record of sharing",
    );
    expect(&other.get(&pointer, &[]), 0, "report.pdf");

    let deleted = sender.run("delete", &pointer, &[]);
    expect(&deleted, 0, "that were fetched before stay");
    assert!(deleted.stdout.is_empty() && town.stored().is_empty());
    expect(
        &other.get(&pointer, &[]),
        5,
        "may have expired, been deleted",
    );
    expect(&sender.run("status", &pointer, &[]), 5, "");
    expect(&sender.run("extend", &pointer, &[]), 5, "");
    // Again, as after a lost answer.
    let again = sender.json("delete", &pointer, &[]);
    assert_eq!(again["gone"], true);
}

#[test]
fn the_record_of_shares_names_neither_server_nor_file() {
    let town = Town::new();
    let sender = town.person();
    let pointer = Pointer::find(&sender.pointer(&[])).unwrap();
    let record = fs::read_to_string(sender.home.path().join("owned.json")).unwrap();
    let entries = serde_json::from_str::<Value>(&record).unwrap();
    assert_eq!(entries["shares"].as_object().unwrap().len(), 1, "{record}");
    for named in [
        pointer.id.as_str(),
        pointer.server.url.host(),
        &pointer.server.key.to_hex(),
        &pointer.digest.to_hex(),
        "report",
    ] {
        assert!(!record.contains(named), "{named}: {record}");
    }
}

#[test]
fn a_file_is_kept_longer_when_its_sender_asks() {
    let town = Town::new();
    let (sender, other) = (town.person(), town.person());
    let pointer = sender.pointer(&["--ttl", "2h"]);
    let first = Pointer::find(&pointer).unwrap().expires.unwrap();

    let longer = sender.json("extend", &pointer, &["--ttl", "10h"]);
    let expires = longer["expires"].as_u64().unwrap();
    assert!((first + 7 * 3_600..=first + 9 * 3_600).contains(&expires));
    assert_eq!(longer["later"], true);
    let shorter = sender.run("extend", &pointer, &["--ttl", "2h"]);
    expect(&shorter, 0, "kept that long already");
    let line = String::from_utf8(shorter.stdout).unwrap();
    assert!(line.ends_with(":00:00Z\n"), "{line}");
    assert_eq!(
        sender.json("status", &pointer, &[])["expires"].as_u64(),
        Some(expires)
    );

    let forever = sender.run("extend", &pointer, &["--ttl", "60d"]);
    expect(&forever, 8, "1 to 720 hours");
    expect(
        &other.run("extend", &pointer, &[]),
        1,
        "no record of sharing",
    );
    assert_eq!(
        sender.json("status", &pointer, &[])["expires"].as_u64(),
        Some(expires)
    );
}

#[test]
fn the_sender_is_told_of_downloads_by_recipients_who_agree() {
    let town = Town::new();
    let (sender, one, two) = (town.person(), town.person(), town.person());
    let shared = sender.share(&["--count"]);
    expect(&shared, 0, "a count is a courtesy");
    let pointer = printed_pointer(&shared);
    let status = sender.run("status", &pointer, &[]);
    expect(&status, 0, "downloads  Recipients reported 0 downloads.");

    let fetched = one.get(&pointer, &[]);
    expect(&fetched, 0, "the sender is told when you have the file");
    expect(&fetched, 0, "the sender was told");
    let declined = two.get(&pointer, &["--no-receipt"]);
    expect(&declined, 0, "");
    assert!(!said(&declined).contains("sender"), "{}", said(&declined));
    let out = two.home.path().join("again");
    let told = two.json("get", &pointer, &["--out", out.to_str().unwrap()]);
    assert_eq!(told["receipt"], "sent");
    expect(
        &sender.run("status", &pointer, &[]),
        0,
        "downloads  Recipients reported 2 downloads.",
    );
}

#[test]
fn a_limited_file_goes_with_its_last_download() {
    let town = Town::new();
    let (sender, recipient) = (town.person(), town.person());
    let pointer = sender.pointer(&["--max-downloads", "2"]);
    for told in 1..=2 {
        expect(&recipient.get(&pointer, &[]), 0, "the sender was told");
        let status = sender.json("status", &pointer, &[]);
        assert_eq!(status["downloads"].as_u64(), Some(told));
        assert_eq!(status["max_downloads"].as_u64(), Some(2));
    }
    assert!(town.stored().is_empty());
    expect(&recipient.get(&pointer, &[]), 5, "reached its number");
    let status = sender.run("status", &pointer, &[]);
    expect(
        &status,
        0,
        "Recipients reported 2 of 2 downloads. The server's copy is gone.",
    );
    for bad in ["0", "301", "many"] {
        expect(&sender.share(&["--max-downloads", bad]), 2, "");
    }
    expect(&sender.share(&["--count", "--max-downloads", "1"]), 2, "");
}

#[test]
fn a_file_that_is_not_counted_says_so_and_asks_no_recipient() {
    let town = Town::new();
    let (sender, recipient) = (town.person(), town.person());
    let pointer = sender.pointer(&[]);
    let fetched = recipient.get(&pointer, &[]);
    expect(&fetched, 0, "");
    assert!(!said(&fetched).contains("sender"), "{}", said(&fetched));
    let status = sender.json("status", &pointer, &[]);
    assert!(status["downloads"].is_null() && status["max_downloads"].is_null());
    assert_eq!(status["stored_as"].as_u64(), Some(65_536));
    expect(&sender.run("status", &pointer, &[]), 0, "not counted");
}

const WORD: &str = "open \"sesame\"";

fn ask_for_word(config: &mut ServerConfig) {
    config.settings.access_word = Some(AccessWord::parse(WORD).unwrap());
}

#[test]
fn an_access_word_is_asked_for_and_taken_from_everywhere() {
    let town = Town::with(ask_for_word);
    let person = town.person();
    let without = person.share(&[]);
    expect(&without, 8, "ask its operator for the word");
    expect(&person.share(&["--access-word", "wrong"]), 8, "not the one");
    assert!(town.stored().is_empty());

    person.pointer(&["--access-word", WORD]);
    let file = person.home.path().join("word.txt");
    fs::write(&file, format!("{WORD}\nanother line\n")).unwrap();
    person.pointer(&["--access-word-file", file.to_str().unwrap()]);
    let mut share = cloak(person.home.path());
    share
        .env("CLOAKROOM_ACCESS_WORD", WORD)
        .args(["share", &person.file(), "--relays", &person.list()])
        .args(["--server", &town.address.to_string()]);
    printed_pointer(&share.output().unwrap());

    let home = Home::in_folder(person.home.path());
    let mut config = Settings::default();
    let mut entry = ServerEntry::new("ours", town.address.clone());
    entry.access_word = Some(AccessWord::parse(WORD).unwrap());
    config.servers.push(entry);
    config.chosen = ServerChoice::Server(town.address.clone());
    config.save(&home).unwrap();
    let mut share = cloak(person.home.path());
    share.args(["share", &person.file(), "--relays", &person.list()]);
    printed_pointer(&share.output().unwrap());
    assert_eq!(town.stored().len(), 4);

    let empty = person.home.path().join("empty.txt");
    fs::write(&empty, "\n").unwrap();
    let empty = empty.to_str().unwrap();
    expect(
        &person.share(&["--access-word-file", empty]),
        2,
        "does not begin with",
    );
    expect(
        &person.share(&["--access-word-file", "/no/such"]),
        2,
        "cannot be read",
    );
    expect(&person.share(&["--access-word", ""]), 2, "");
}

#[test]
fn work_is_done_before_the_upload() {
    let town = Town::with(|config| config.settings.work = WorkBase::from_bits(14));
    let (sender, recipient) = (town.person(), town.person());
    let pointer = sender.pointer(&[]);
    expect(&recipient.get(&pointer, &[]), 0, "");
}

#[test]
fn what_a_server_said_a_while_ago_is_asked_again_when_it_refuses() {
    let mut town = Town::new();
    Lossy::before(&mut town, |_request_len| false);
    let home = tempdir().unwrap();
    let share = |town: &Town, more: &[&str]| {
        let person = town.person();
        let mut share = cloak(home.path());
        share
            .args(["share", &person.file(), "--relays", &person.list()])
            .args(["--server", &town.address.to_string()])
            .args(more);
        share.output().unwrap()
    };
    printed_pointer(&share(&town, &[]));
    town.change_server(|config| config.settings.work = WorkBase::from_bits(14));
    printed_pointer(&share(&town, &[]));
    town.change_server(ask_for_word);
    expect(&share(&town, &[]), 8, "ask its operator for the word");
    printed_pointer(&share(&town, &["--access-word", WORD]));
    town.change_server(|config| config.settings.policy.max_blob = 65_535);
    expect(&share(&town, &[]), 8, "65,535");
    town.change_server(|config| config.settings.policy.ttl_max = 7_200);
    expect(&share(&town, &["--ttl", "3h"]), 8, "1 to 2 hours");
    town.change_server(|_config| {});
    printed_pointer(&share(&town, &["--ttl", "3h"]));
}

#[test]
fn a_full_server_says_so() {
    let town = Town::with(|config| config.settings.max_total = 100_000);
    let person = town.person();
    person.pointer(&[]);
    expect(&person.share(&[]), 8, "the server is full");
}

/// Here the folder is moved away and back; a disk that is unmounted leaves such a place.
#[cfg(unix)]
#[test]
fn a_store_that_went_away_confirms_nothing_and_loses_nothing() {
    let town = Town::new();
    let person = town.person();
    let pointer = person.pointer(&[]);
    let (store, away) = (
        town.folder.path().join("store"),
        town.folder.path().join("away"),
    );
    for stands_in in [false, true] {
        fs::rename(&store, &away).unwrap();
        if stands_in {
            fs::create_dir(&store).unwrap();
        }
        // In trouble, which is neither "expired or deleted" nor done.
        // Each is tried again for a while, so all at once.
        thread::scope(|threads| {
            threads.spawn(|| expect(&person.get(&pointer, &[]), 8, "500"));
            threads.spawn(|| expect(&person.share(&[]), 8, "500"));
            for command in ["delete", "extend", "status"] {
                let (person, pointer) = (&person, &pointer);
                threads.spawn(move || expect(&person.run(command, pointer, &[]), 8, "500"));
            }
        });
        let left = fs::read_dir(&store).map_or(0, Iterator::count);
        assert_eq!(left, 0, "nothing is stored beside the lost disk");
        fs::remove_dir(&store).ok();
        fs::rename(&away, &store).unwrap();
    }
    expect(&person.run("status", &pointer, &[]), 0, "stored");
    expect(&person.run("delete", &pointer, &[]), 0, "copy is gone");
    assert!(town.stored().is_empty());
}

fn run_direct(home: &Path, args: &[&str], input: &str) -> Output {
    let mut run = cloak(home);
    run.args(args).arg("--direct");
    with_input(run, input)
}

#[test]
fn a_server_that_lists_nothing_gets_no_header_of_ours() {
    let server = StandIn::of_session(SessionServer::NumberIds);
    let home = tempdir().unwrap();
    let file = home.path().join("a.txt");
    fs::write(&file, b"content").unwrap();
    let (file, address) = (file.to_str().unwrap(), server.address.to_string());
    let share = ["share", file, "--server", &address];

    let counted = run_direct(home.path(), &[&share[..], &["--count"]].concat(), "");
    expect(&counted, 8, "cannot count or limit downloads");
    assert!(
        server
            .requests()
            .iter()
            .all(|(asked, _)| asked == "GET /info"),
        "nothing was uploaded"
    );
    server.seen.lock().unwrap().clear();

    let with_ttl = [&share[..], &["--ttl", "7d"]].concat();
    printed_pointer(&run_direct(home.path(), &with_ttl, ""));
    let with_word = [&share[..], &["--access-word", WORD]].concat();
    let pointer = printed_pointer(&run_direct(home.path(), &with_word, ""));
    assert_eq!(
        server.requests(),
        [
            ("POST /file".to_owned(), vec!["X-FS-TTL".to_owned()]),
            ("POST /file".to_owned(), vec![]),
        ],
        "what it said of itself is known for a day"
    );
    assert!(
        !home.path().join("owned.json").exists(),
        "there is no token to keep"
    );

    let out = home.path().join("out");
    let out = out.to_str().unwrap();
    let fetched = run_direct(home.path(), &["get", "-", "--out", out], &pointer);
    expect(&fetched, 0, "");
    assert_eq!(fs::read(out).unwrap(), b"content");
    expect(
        &run_direct(home.path(), &["delete", "-"], &pointer),
        8,
        "does not let a file be managed",
    );
    expect(
        &run_direct(home.path(), &["extend", "-"], &pointer),
        8,
        "does not keep this file for longer",
    );
    let names: Vec<_> = server
        .requests()
        .into_iter()
        .flat_map(|(_, names)| names)
        .collect();
    assert!(
        names.iter().all(|name| name == "X-FS-TTL"),
        "no header of ours: {names:?}"
    );
}

/// A server that takes every upload that `take` takes, and says of itself what `info` makes of its usual words; that is
/// given how often it was asked before.
fn telling(
    info: impl Fn(usize, &mut ServerInfo) + Send + Sync + 'static,
    take: impl Fn(&RequestHead) -> bool + Send + Sync + 'static,
) -> StandIn {
    let asked = AtomicUsize::new(0);
    StandIn::start(move |head, body| {
        let answer = match (head.method.as_str(), head.endpoint.as_str()) {
            ("GET", "/info") => {
                let mut said = ServerInfo {
                    name: "stand-in".to_owned(),
                    version: "1".to_owned(),
                    max_blob: 1 << 20,
                    ttl_default: 86_400,
                    ttl_max: 86_400,
                    features: ["expiry-hour", "owner", "work-2"]
                        .map(str::to_owned)
                        .to_vec(),
                    access: false,
                    work: WorkAsked::Base(WorkBase::from_bits(14).unwrap()),
                    hour: Some(hour_now()),
                    free: Some(0),
                };
                info(asked.fetch_add(1, Ordering::SeqCst), &mut said);
                FileAnswer::ServerInfo(said)
            }
            ("POST", "/file") if take(head) => FileAnswer::Uploaded(Uploaded {
                id: "somewhere".to_owned(),
                expires: Some(4e9),
                size: Some(body.len() as u64),
                digest: Some(Digest::of(&body).to_hex()),
            }),
            ("POST", "/file") => FileAnswer::Refused(400),
            _ => FileAnswer::Refused(404),
        };
        answer.into_response()
    })
}

fn hour_now() -> u32 {
    hour_of(now())
}

fn expires_hour(head: &RequestHead) -> u32 {
    let headers = head.headers.iter();
    let mut hours = headers.filter(|(name, _)| name == "X-Expires-Hour");
    hours.next().unwrap().1.parse().unwrap()
}

/// Shares a small file straight to `server`, for `home`'s person.
fn share_with(server: &StandIn, home: &Path, more: &[&str]) -> Output {
    let file = home.join("a.txt");
    fs::write(&file, b"content").unwrap();
    let address = server.address.to_string();
    let share = ["share", file.to_str().unwrap(), "--server", &address];
    run_direct(home, &[&share[..], more].concat(), "")
}

fn count(server: &StandIn, asked: &str) -> usize {
    let requests = server.requests();
    requests.iter().filter(|(what, _)| what == asked).count()
}

#[test]
fn a_server_that_asks_for_one_thing_and_then_for_another_is_sent_nothing() {
    let changes: [fn(usize, &mut ServerInfo); 7] = [
        |asked, info| info.work = WorkAsked::Base(WorkBase::ALL[asked % 2]),
        |asked, info| info.access = asked % 2 == 1,
        |asked, info| info.max_blob += asked as u64,
        |asked, info| info.ttl_max += asked as u64,
        |asked, info| info.features.truncate(3 - asked % 2),
        |asked, info| info.name.push_str(["", "!"][asked % 2]),
        |asked, info| info.hour = Some(hour_now() + 2 * u32::try_from(asked).unwrap()),
    ];
    for change in changes {
        let server = telling(change, |_head| true);
        let home = tempdir().unwrap();
        let shared = share_with(&server, home.path(), &["--access-word", WORD]);
        expect(&shared, 8, "could tell people apart");
        assert_eq!(count(&server, "GET /info"), 2);
        assert_eq!(count(&server, "POST /file"), 0);
    }
}

#[test]
fn a_server_that_asks_for_something_is_asked_twice_and_then_for_ten_minutes_not_again() {
    let vary = |asked, info: &mut ServerInfo| {
        info.free = Some((asked as u64) << 30);
        info.version.push_str(["", "0"][asked % 2]);
        info.hour = info.hour.map(|hour| hour + u32::try_from(asked).unwrap());
    };
    let server = telling(vary, |_head| true);
    let home = tempdir().unwrap();
    for _ in 0..2 {
        printed_pointer(&share_with(&server, home.path(), &[]));
    }
    assert_eq!(count(&server, "GET /info"), 2);
    assert_eq!(count(&server, "POST /file"), 2);
    let kept = home.path().join("network.json");
    let old = fs::read_to_string(&kept).unwrap();
    let mut json: Value = serde_json::from_str(&old).unwrap();
    let servers = json["servers"].as_object_mut().unwrap();
    for kept in servers.values_mut() {
        let confirmed = kept["confirmed"].as_u64().unwrap();
        kept["confirmed"] = (confirmed - 600).into();
    }
    fs::write(&kept, json.to_string()).unwrap();
    printed_pointer(&share_with(&server, home.path(), &[]));
    assert_eq!(count(&server, "GET /info"), 3, "eleven minutes later");

    let home = tempdir().unwrap();
    let nothing = telling(|_asked, info| info.work = WorkAsked::None, |_head| true);
    for _ in 0..2 {
        printed_pointer(&share_with(&nothing, home.path(), &[]));
    }
    assert_eq!(count(&nothing, "GET /info"), 1, "it asks for nothing");
}

#[test]
fn the_second_asking_goes_over_another_last_relay() {
    let town = Town::with(|config| config.settings.work = WorkBase::from_bits(14));
    let program = Program::new(
        Home::in_folder(tempdir().unwrap().path()),
        Settings::default(),
    );
    let descriptors = town.relays.iter().map(|relay| relay.descriptor().clone());
    let relays = RelaySet {
        list: RelayList::join("town", 0, u64::MAX, descriptors.collect()).unwrap(),
        kind: NetworkKind::Cloakroom,
        source: RelaySource::File(town.folder.path().join("relays.json")),
    };
    let network = RoutedServer::new(town.address.clone(), Route::Relays(relays));
    let call = Call::new(&program, network, &CallContext::default());
    let info = town.runtime.block_on(call.info_for_upload());
    let info = info.unwrap().unwrap();
    assert!(info.asks_something());
    let lasts: Vec<_> = call
        .log()
        .requests()
        .iter()
        .map(|asked| {
            asked
                .attempts
                .last()
                .unwrap()
                .path
                .as_ref()
                .unwrap()
                .last
                .key
        })
        .collect();
    assert!(lasts.len() == 2 && lasts[0] != lasts[1]);
}

#[test]
fn a_server_that_asks_for_another_kind_of_work_is_sent_nothing() {
    let changes: [fn(usize, &mut ServerInfo); 3] = [
        |_asked, info| info.work = WorkAsked::Unknown,
        |_asked, info| info.features.truncate(2),
        |_asked, info| info.features = vec!["owner".to_owned(), "work-2".to_owned()],
    ];
    for change in changes {
        let server = telling(change, |_head| true);
        let home = tempdir().unwrap();
        let shared = share_with(&server, home.path(), &[]);
        expect(&shared, 8, "in a way that this version does not know");
        assert_eq!(count(&server, "POST /file"), 0);
    }
}

#[test]
fn an_hour_that_the_servers_clock_refuses_is_tried_once_by_that_clock() {
    const AHEAD: u32 = 100;
    for (ahead, ttl, uploads) in [(AHEAD, "10h", 2), (0, "10h", 1)] {
        let by_clock = move |head: &RequestHead| expires_hour(head) > hour_now() + AHEAD;
        let say = move |_asked, info: &mut ServerInfo| {
            info.hour = Some(hour_now() + ahead);
            info.work = WorkAsked::None;
        };
        let server = telling(say, by_clock);
        let home = tempdir().unwrap();
        let shared = share_with(&server, home.path(), &["--ttl", ttl]);
        if ahead > 0 {
            printed_pointer(&shared);
            expect(&shared, 0, "this computer's clock and the server's differ");
        } else {
            expect(&shared, 8, "it answered 400");
        }
        assert_eq!(count(&server, "POST /file"), uploads);
        assert_eq!(count(&server, "GET /info"), 2);
    }
}

#[test]
fn receipts_that_nobody_with_the_pointer_made_are_not_counted() {
    let key: Arc<Mutex<Option<(FileKey, FileId)>>> = Arc::default();
    let known = Arc::clone(&key);
    let server = StandIn::start(move |head, body| {
        let rng = &mut random::system();
        let answer = match (head.method.as_str(), head.endpoint.as_str()) {
            ("GET", "/info") => FileAnswer::ServerInfo(ServerInfo {
                name: "liar".to_owned(),
                version: "1".to_owned(),
                max_blob: 1 << 20,
                ttl_default: 86_400,
                ttl_max: 86_400,
                features: ["expiry-hour", "owner", "receipts"]
                    .map(str::to_owned)
                    .to_vec(),
                access: false,
                work: WorkAsked::None,
                hour: None,
                free: None,
            }),
            ("POST", "/file") => FileAnswer::Uploaded(Uploaded {
                id: "elsewhere".to_owned(),
                expires: Some(4e9),
                size: Some(body.len() as u64),
                digest: Some(Digest::of(&body).to_hex()),
            }),
            _ => {
                let known = known.lock().unwrap();
                let (key, id) = known.as_ref().unwrap();
                let honest = DownloadReceipt::make(key, id, rng);
                let invented = DownloadReceipt::make(&FileKey::from_bytes([3; 32]), id, rng);
                let other_file = FileId::parse("another").unwrap();
                let moved = DownloadReceipt::make(key, &other_file, rng);
                FileAnswer::Status(FileStatus {
                    size: 65_536,
                    uploaded: 3_600.0,
                    expires: 4e9,
                    allowed: 0,
                    receipts: vec![honest.clone(), invented, honest, moved],
                })
            }
        };
        answer.into_response()
    });
    let home = tempdir().unwrap();
    let file = home.path().join("a.txt");
    fs::write(&file, b"content").unwrap();
    let (file, address) = (file.to_str().unwrap(), server.address.to_string());
    let share = ["share", file, "--server", &address, "--max-downloads", "5"];
    let text = printed_pointer(&run_direct(home.path(), &share, ""));
    let pointer = Pointer::find(&text).unwrap();
    let PointerKey::Whole(whole) = pointer.key else {
        panic!("no words were asked for");
    };
    *key.lock().unwrap() = Some((whole, pointer.id));
    let status = run_direct(home.path(), &["status", "-"], &text);
    expect(
        &status,
        0,
        "downloads  Recipients reported 1 of 5 downloads.",
    );
    expect(&status, 0, "they are not counted");
}

/// A connection to the town's server that loses answers.
struct Lossy {
    address: ServerAddress,
    loses: Arc<AtomicBool>,
    uploads: Arc<AtomicUsize>,
}

impl Lossy {
    /// Passes requests on; while `loses`, answers to those for which `lost` says so never come back.
    fn before(town: &mut Town, lost: impl Fn(usize) -> bool + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let leads_to = Arc::new(Mutex::new(town.server.as_ref().unwrap().addr()));
        town.door = Some((url.parse().unwrap(), Arc::clone(&leads_to)));
        town.change_server(|_config| {});
        let loses = Arc::new(AtomicBool::new(true));
        let uploads = Arc::new(AtomicUsize::new(0));
        let (losing, counted) = (Arc::clone(&loses), Arc::clone(&uploads));
        serve(listener, move |mut stream| {
            while let Some((head, body)) = read_message(&mut stream) {
                if body.len() > 60_000 {
                    counted.fetch_add(1, Ordering::SeqCst);
                }
                let target = *leads_to.lock().unwrap();
                let mut onward = TcpStream::connect(target).unwrap();
                onward
                    .write_all(&[head.as_bytes(), &body].concat())
                    .unwrap();
                let Some((head, answer)) = read_message(&mut onward) else {
                    return;
                };
                if losing.load(Ordering::SeqCst) && lost(body.len()) {
                    return;
                }
                if stream
                    .write_all(&[head.as_bytes(), &answer].concat())
                    .is_err()
                {
                    return;
                }
            }
        });
        Self {
            address: town.address.clone(),
            loses,
            uploads,
        }
    }
}

#[test]
fn an_upload_whose_every_answer_was_lost_is_found_again() {
    let mut town = Town::new();
    let lossy = Lossy::before(&mut town, |request_len| request_len > 60_000);
    let person = town.person();
    let address = lossy.address.to_string();
    let share = ["share", &person.file(), "--server", &address];
    let pointer = printed_pointer(&run_direct(person.home.path(), &share, ""));
    assert!(
        lossy.uploads.load(Ordering::SeqCst) > 1,
        "it was tried again"
    );
    assert_eq!(town.stored().len(), 1, "every try wrote the same file");

    let out = person.home.path().join("back");
    let get = ["get", "-", "--out", out.to_str().unwrap()];
    expect(&run_direct(person.home.path(), &get, &pointer), 0, "");
    assert_eq!(fs::read(out).unwrap(), content(5_000));
    let deleted = run_direct(person.home.path(), &["delete", "-"], &pointer);
    expect(&deleted, 0, "copy is gone");
    assert!(town.stored().is_empty());
}

#[test]
fn a_receipt_that_gets_lost_does_not_fail_the_download() {
    let mut town = Town::new();
    let downloaded = AtomicBool::new(false);
    let lossy = Lossy::before(&mut town, move |request_len| {
        // The download is the first small request that is lost nothing; all after it are.
        request_len < 60_000 && downloaded.swap(true, Ordering::SeqCst)
    });
    lossy.loses.store(false, Ordering::SeqCst);
    let person = town.person();
    let address = lossy.address.to_string();
    let share = ["share", &person.file(), "--server", &address, "--count"];
    let pointer = printed_pointer(&run_direct(person.home.path(), &share, ""));
    lossy.loses.store(true, Ordering::SeqCst);
    let out = person.home.path().join("back");
    let get = ["get", "-", "--out", out.to_str().unwrap()];
    let fetched = run_direct(person.home.path(), &get, &pointer);
    expect(&fetched, 0, "the sender could not be told");
    assert_eq!(fs::read(out).unwrap(), content(5_000));
    // It was stored all the same: only the answer was lost, and every try was the same receipt.
    lossy.loses.store(false, Ordering::SeqCst);
    let status = run_direct(person.home.path(), &["status", "-"], &pointer);
    expect(&status, 0, "downloads  Recipients reported 1 download.");
}

#[test]
fn a_servers_test_stores_fetches_and_deletes() {
    let town = Town::with(ask_for_word);
    let program = Program::new(
        Home::in_folder(tempdir().unwrap().path()),
        Settings::default(),
    );
    let network = RoutedServer::new(town.address.clone(), Route::Direct);
    let call = Call::new(&program, network, &CallContext::default());
    let check = |call: &Call| town.runtime.block_on(test_server::check(call));
    assert!(check(&call).is_err());
    let word = AccessWord::parse(WORD).unwrap();
    let checked = check(&call.with_access_word(word)).unwrap();
    assert!(checked.delete.is_some() && town.stored().is_empty());
    let lines = checked.lines();
    assert!(
        lines.len() == 3
            && lines[0].starts_with("Upload: ")
            && lines[2].starts_with("Delete: gone"),
        "{lines:?}"
    );

    let sessions = StandIn::of_session(SessionServer::NumberIds);
    let network = RoutedServer::new(sessions.address, Route::Direct);
    let checked = check(&Call::new(&program, network, &CallContext::default())).unwrap();
    assert!(checked.delete.is_none());
    assert!(checked.lines()[2].contains("does not delete on demand"));
}
