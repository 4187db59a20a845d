//! A server that is killed at any moment, and a disk that is full: what was acknowledged is there, nothing is half.
//!
//! Real processes (`cloak serve`), sealed requests posted straight to them. The moments come from a seed; the machine's
//! own timing makes each run another one.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use cloakroom::protocol::address::{FileId, ServerAddress};
use cloakroom::protocol::capability::expiry::{expiry_hour, hour_begins};
use cloakroom::protocol::capability::{OwnedId, OwnerToken};
use cloakroom::protocol::digest::Digest;
use cloakroom::protocol::file_api::{self, Expiry, FileRequest, Upload};
use cloakroom::protocol::onion::HopCipher;
use cloakroom::protocol::onion::v4::Response;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};

use crate::server::serving::{self, HOUR, expires, owned, sealed, socket};
use crate::support::{Process, RECORD_LEN, blobs_in, cloak, now};

const KILLS: u64 = 200;
const CLIENTS: u64 = 3;
const SEED: u64 = 4;
const BLOB_LEN: usize = 65_536;

#[test]
fn what_was_acknowledged_survives_two_hundred_kills() {
    let home = tempfile::tempdir().unwrap();
    let store = home.path().join("store");
    let mut rng = ChaCha20Rng::seed_from_u64(SEED);
    let files = Mutex::new(BTreeMap::<u64, File>::new());
    let mut done = [0_u64; 3];
    let window = window();
    for round in 0..KILLS {
        let mut server = start(home.path());
        let address = server.first_line.parse::<ServerAddress>().unwrap();
        wait_for_no_leftovers(&store);
        // All that was touched when it was last killed, and some of the others.
        let due = due(&mut files.lock().unwrap(), &mut rng);
        for (number, file) in due {
            let settled = check(&address, number, file);
            files.lock().unwrap().insert(number, settled);
        }
        let moment = window * u32::try_from(rng.next_u64() % 1000).unwrap() / 1000;
        let before = count(&files.lock().unwrap());
        thread::scope(|scope| {
            for client in 0..CLIENTS {
                let mut rng = ChaCha20Rng::seed_from_u64(SEED + 1000 * (round + 1) + client);
                let (address, files) = (&address, &files);
                scope.spawn(move || {
                    let own = round * CLIENTS + client;
                    work(address, files, own, &mut rng);
                });
            }
            thread::sleep(moment);
            server.kill();
        });
        let after = count(&files.lock().unwrap());
        for (sum, (after, before)) in done.iter_mut().zip(after.into_iter().zip(before)) {
            *sum += after.saturating_sub(before);
        }
    }
    let server = start(home.path());
    let address = server.first_line.parse::<ServerAddress>().unwrap();
    wait_for_no_leftovers(&store);
    let files = files.into_inner().unwrap();
    let [uploads, extensions, deletions] = done;
    assert!(
        uploads > 100 && extensions > 20 && deletions > 20,
        "the kills left too little to check: {uploads} uploads, {extensions} extensions, {deletions} deletions"
    );
    let mut expected = Vec::new();
    for (number, file) in files {
        let file = check(&address, number, file);
        if file.state.is_there() {
            expected.push(file.id);
        }
    }
    let mut stored: Vec<_> = blobs_in(&store)
        .iter()
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    let mut expected: Vec<_> = expected
        .into_iter()
        .map(|id| id.as_str().to_owned())
        .collect();
    stored.sort();
    expected.sort();
    assert_eq!(stored, expected, "nothing is stored that nobody knows of");
    eprintln!(
        "{uploads} uploads, {extensions} extensions, {deletions} deletions acknowledged; killed within {window:?}"
    );
}

/// The time in which clients do a few things on this machine and its disk: the kills fall somewhere in it.
fn window() -> Duration {
    let home = tempfile::tempdir().unwrap();
    let server = start(home.path());
    let address = server.first_line.parse::<ServerAddress>().unwrap();
    let began = Instant::now();
    for number in 0..5 {
        let upload = FileRequest::Upload(owned(blob(number), &OwnerToken::from_bytes([1; 32])));
        assert_eq!(ask(&address, &upload).unwrap().code, 200);
    }
    (began.elapsed() * 2).clamp(Duration::from_millis(40), Duration::from_secs(1))
}

/// What a client knows of a file.
#[derive(Clone)]
struct File {
    id: FileId,
    expires: (u64, u64),
    state: State,
    touched: bool,
    acknowledged: [bool; 3],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Uploaded without an answer: all of it may be there, or nothing.
    Uploading,
    There,
    /// Deleted without an answer.
    Deleting,
    Gone,
}

impl State {
    fn is_there(self) -> bool {
        self == Self::There
    }
}

fn count(files: &BTreeMap<u64, File>) -> [u64; 3] {
    let mut counts = [0; 3];
    for file in files.values() {
        for (count, done) in counts.iter_mut().zip(file.acknowledged) {
            *count += u64::from(done);
        }
    }
    counts
}

/// Changes one file after the other until the server is gone. What is asked is written down before it is sent, and what
/// is answered after.
fn work(
    address: &ServerAddress,
    files: &Mutex<BTreeMap<u64, File>>,
    own: u64,
    rng: &mut ChaCha20Rng,
) {
    for step in 0.. {
        let number = own * 1000 + step;
        let mut token = [0; 32];
        rng.fill_bytes(&mut token);
        let token_of = || OwnerToken::from_bytes(token);
        let hour = expiry_hour(now(), 2 * HOUR);
        let id = OwnedId::new(hour, &token_of().hash(), &Digest::of(&blob(number))).file_id();
        let mut file = File {
            id: id.clone(),
            expires: (hour_begins(hour), hour_begins(hour)),
            state: State::Uploading,
            touched: true,
            acknowledged: [false; 3],
        };
        let keep = |file: &File| {
            files.lock().unwrap().insert(number, file.clone());
        };
        keep(&file);
        let upload = Upload {
            expiry: Some(Expiry::AtHour(hour)),
            ..owned(blob(number), &token_of())
        };
        let Ok(response) = ask(address, &FileRequest::Upload(upload)) else {
            return;
        };
        assert_eq!(response.code, 200);
        let at = file_api::read_uploaded(&response, BLOB_LEN, &Digest::of(&blob(number))).unwrap();
        assert_eq!((&at.id, at.expires), (&id, Some(hour_begins(hour))));
        file.state = State::There;
        file.acknowledged[0] = true;
        keep(&file);

        if !rng.next_u64().is_multiple_of(3) {
            let later = hour + 1 + u32::try_from(rng.next_u64() % 100).unwrap();
            file.expires.1 = hour_begins(later);
            keep(&file);
            let extend = FileRequest::Extend {
                id: id.clone(),
                expiry: Some(Expiry::AtHour(later)),
                token: Some(token_of()),
            };
            let Ok(response) = ask(address, &extend) else {
                return;
            };
            let expires = expires(&response);
            file.expires = (expires, expires);
            file.acknowledged[1] = true;
            keep(&file);
        }
        if rng.next_u64().is_multiple_of(2) {
            file.state = State::Deleting;
            keep(&file);
            let delete = FileRequest::Delete {
                id,
                token: token_of(),
            };
            let Ok(response) = ask(address, &delete) else {
                return;
            };
            assert_eq!(response.code, 200);
            file.state = State::Gone;
            file.acknowledged[2] = true;
            keep(&file);
        }
    }
}

/// What must be looked at now: what was touched, and four of the others.
fn due(files: &mut BTreeMap<u64, File>, rng: &mut ChaCha20Rng) -> Vec<(u64, File)> {
    let mut due: Vec<_> = files
        .iter()
        .filter(|(_, file)| file.touched)
        .map(|(number, file)| (*number, file.clone()))
        .collect();
    let all: Vec<_> = files.keys().copied().collect();
    for _ in 0..4.min(all.len()) {
        let number = all[usize::try_from(rng.next_u64() % all.len() as u64).unwrap()];
        due.push((number, files[&number].clone()));
    }
    due
}

/// Compares a file with what is known of it, and knows more afterwards.
fn check(address: &ServerAddress, number: u64, mut file: File) -> File {
    file.touched = false;
    let response = ask(address, &FileRequest::Download(file.id.clone())).unwrap();
    let found = match response.code {
        200 => {
            assert!(
                *response.body == blob(number),
                "file {number} came back changed"
            );
            true
        }
        404 => false,
        code => panic!("file {number}: {code}"),
    };
    file.state = match (file.state, found) {
        (State::Uploading | State::There | State::Deleting, true) => State::There,
        (State::Uploading | State::Deleting | State::Gone, false) => State::Gone,
        (state, found) => panic!("file {number} is {state:?}, served: {found}"),
    };
    if found {
        let response = ask(address, &FileRequest::FileInfo(file.id.clone())).unwrap();
        let expires = expires(&response);
        let (least, most) = file.expires;
        assert!(
            (least..=most).contains(&expires),
            "file {number} expires at {expires}, not in {least}..={most}"
        );
        file.expires = (expires, expires);
    }
    file
}

/// Nothing stays half: what a server that was killed left is removed in the background by the next one.
fn wait_for_no_leftovers(store: &Path) {
    let began = Instant::now();
    while let Some(half) = leftover(store) {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "{} was left",
            half.display()
        );
        thread::yield_now();
    }
}

/// The name of a write under way, or a blob of which it is said that it is gone. Each blob has its end. Files may go while
/// this looks.
fn leftover(store: &Path) -> Option<PathBuf> {
    let mut files = files_in(store).into_iter();
    files.find(|path| {
        if path.file_name().unwrap().to_str().unwrap().contains('#') {
            return true;
        }
        let (Ok(name), Ok(found)) = (path.strip_prefix(store.join("blob")), fs::metadata(path))
        else {
            return false;
        };
        if name == Path::new("lock") {
            return false;
        }
        let len = found.len();
        assert_eq!(len, RECORD_LEN + BLOB_LEN as u64, "{}", path.display());
        store.join("gone").join(name).exists()
    })
}

/// The files in a folder, of which some may go meanwhile.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(files_in(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found
}

fn blob(number: u64) -> Vec<u8> {
    let mut blob = vec![0; BLOB_LEN];
    ChaCha20Rng::seed_from_u64(number).fill_bytes(&mut blob);
    blob
}

fn start(home: &Path) -> Process {
    let mut serve = cloak(home);
    serve
        .args(["serve", "--listen", "127.0.0.1:0", "--store"])
        .arg(home.join("store"));
    Process::start(serve)
}

/// An error when the server went away before it had answered whole.
fn ask(address: &ServerAddress, request: &FileRequest) -> io::Result<Response> {
    let built = sealed(address, request, HopCipher::XChaCha20);
    let mut stream = TcpStream::connect(socket(address))?;
    let head = format!(
        "POST /oxen/v4/lsrpc HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        socket(address),
        built.body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(&built.body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = serving::parse(answer)?;
    assert_eq!(answer.status, 200);
    Ok(built.reply.open(answer.body).unwrap().response)
}

/// However a server ends and whatever becomes of its noted total, the next one takes no more than the limit, and answers
/// that it is full.
#[test]
fn the_limit_is_kept_over_stops_kills_and_a_damaged_total() {
    let home = tempfile::tempdir().unwrap();
    let store = home.path().join("store");
    let limited = || {
        let mut serve = cloak(home.path());
        serve
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(["--max-blob", "64 KiB", "--max-total", "1 MiB", "--store"])
            .arg(&store);
        let server = Process::start(serve);
        let address = server.first_line.parse::<ServerAddress>().unwrap();
        (server, address)
    };
    let token = || OwnerToken::from_bytes([7; 32]);
    let put = |address: &ServerAddress, number: u64| {
        let upload = FileRequest::Upload(owned(blob(number), &token()));
        ask(address, &upload).unwrap()
    };
    let (mut server, mut address) = limited();
    let mut stored = Vec::new();
    loop {
        let number = stored.len() as u64;
        let response = put(&address, number);
        if response.code == 507 {
            break;
        }
        let at = file_api::read_uploaded(&response, BLOB_LEN, &Digest::of(&blob(number))).unwrap();
        stored.push(at.id);
    }
    assert_eq!(stored.len(), 15, "1 MiB has room for 15 blobs of 64 KiB");
    for (number, end) in ["killed", "stopped", "damaged", "missing", "killed"]
        .into_iter()
        .enumerate()
    {
        match end {
            "stopped" => assert!(server.end().0.success()),
            _ => server.kill(),
        }
        match end {
            "damaged" => fs::write(store.join("total"), "cloakroom total 1 0").unwrap(),
            "missing" => fs::remove_file(store.join("total")).unwrap(),
            _ => {}
        }
        (server, address) = limited();
        let number = 100 * (number as u64 + 1);
        assert_eq!(put(&address, number).code, 507, "{end}");
        assert_eq!(blobs_in(&store).len(), 15, "{end}");
        // What is made room for is there for the next one.
        let delete = FileRequest::Delete {
            id: stored.pop().unwrap(),
            token: token(),
        };
        assert_eq!(ask(&address, &delete).unwrap().code, 200);
        let response = put(&address, number + 1);
        assert_eq!(response.code, 200, "{end}");
        let digest = Digest::of(&blob(number + 1));
        let at = file_api::read_uploaded(&response, BLOB_LEN, &digest).unwrap();
        stored.push(at.id);
    }
}

/// A server whose store is on a disk of two megabytes, and where that store is to be seen from here: its mount may be seen
/// by the server alone. `None` where neither the test nor a name space of its own may mount.
#[expect(clippy::print_stderr, reason = "a skip is to be seen")]
fn start_on_a_small_disk(home: &Path) -> Option<(Process, PathBuf, Option<Unmount>)> {
    let store = home.join("store");
    fs::create_dir(&store).unwrap();
    let mount = ["-t", "tmpfs", "-o", "size=2m,mode=0700", "cloakroom-test"];
    let mounted = Command::new("mount").args(mount).arg(&store).output();
    if mounted.is_ok_and(|output| output.status.success()) {
        let unmount = Unmount(store.clone());
        return Some((start(home), store, Some(unmount)));
    }
    let alone = ["--user", "--map-root-user", "--mount"];
    let may = Command::new("unshare")
        .args(alone)
        .arg("mount")
        .args(mount)
        .arg(&store)
        .output();
    if !may.is_ok_and(|output| output.status.success()) {
        let why = "no small disk can be mounted here";
        assert!(
            std::env::var("CLOAKROOM_TEST_MOUNT").as_deref() != Ok("must"),
            "{why}, and CLOAKROOM_TEST_MOUNT says that it must"
        );
        eprintln!("skipped: {why}; the test with a limit of the system stands for it");
        return None;
    }
    let mut serve = Command::new("unshare");
    serve
        .args(alone)
        .args(["sh", "-c"])
        .arg(format!(
            "mount {} \"$0\" && exec \"$@\" --store \"$0\"",
            mount.join(" ")
        ))
        .arg(&store)
        .arg(env!("CARGO_BIN_EXE_cloak"))
        .args(["serve", "--listen", "127.0.0.1:0"])
        .env("CLOAKROOM_HOME", home);
    let server = Process::start(serve);
    let seen = format!("/proc/{}/root{}", server.id(), store.display());
    Some((server, seen.into(), None))
}

/// A disk of two megabytes fills up, is used on, and is emptied again by its users.
#[test]
fn a_full_disk_refuses_uploads_and_serves_everything() {
    let home = tempfile::tempdir().unwrap();
    let Some((server, store, _mounted)) = start_on_a_small_disk(home.path()) else {
        return;
    };
    let address = server.first_line.parse::<ServerAddress>().unwrap();
    let token = || OwnerToken::from_bytes([7; 32]);
    let upload = |number: u64| FileRequest::Upload(owned(blob(number), &token()));
    let mut stored = Vec::new();
    let refused = loop {
        let number = stored.len() as u64;
        let response = ask(&address, &upload(number)).unwrap();
        if response.code != 200 {
            break response.code;
        }
        let at = file_api::read_uploaded(&response, BLOB_LEN, &Digest::of(&blob(number))).unwrap();
        stored.push((number, at.id));
        assert!(number < 40, "the disk is never full");
    };
    assert_eq!(refused, 507);
    assert!(stored.len() > 20, "{} fitted", stored.len());
    // The rest of the room goes too, to the last byte.
    for number in 1000..1003 {
        let last = Upload::new(vec![1; 30_000 + number]);
        ask(&address, &FileRequest::Upload(last)).unwrap();
    }
    let served = |(number, id): &(u64, FileId)| {
        let response = ask(&address, &FileRequest::Download(id.clone())).unwrap();
        assert_eq!(response.code, 200);
        assert!(*response.body == blob(*number));
    };
    stored.iter().for_each(served);
    no_half(&store);

    // Two of them: what is kept of a deleted file takes room as well.
    for (_, id) in [stored.pop().unwrap(), stored.pop().unwrap()] {
        let delete = FileRequest::Delete {
            id: id.clone(),
            token: token(),
        };
        assert_eq!(
            ask(&address, &delete).unwrap().code,
            200,
            "deleting makes room"
        );
        assert_eq!(ask(&address, &FileRequest::Download(id)).unwrap().code, 404);
    }
    assert_eq!(ask(&address, &upload(500)).unwrap().code, 200);
    stored.iter().for_each(served);
}

/// A file system that takes no file over a size, which needs no rights to arrange.
#[test]
fn a_store_that_cannot_take_a_file_says_that_it_is_full() {
    let home = tempfile::tempdir().unwrap();
    let mut limited = Command::new("bash");
    limited
        .args(["-c", "trap '' XFSZ; ulimit -f 100; exec \"$@\"", "bash"])
        .arg(env!("CARGO_BIN_EXE_cloak"))
        .env("CLOAKROOM_HOME", home.path())
        .args(["serve", "--listen", "127.0.0.1:0", "--store"])
        .arg(home.path().join("store"));
    let server = Process::start(limited);
    let address = server.first_line.parse::<ServerAddress>().unwrap();
    let put = |number| {
        let response = ask(&address, &FileRequest::Upload(Upload::new(blob(number)))).unwrap();
        assert_eq!(response.code, 200);
        file_api::read_uploaded(&response, BLOB_LEN, &Digest::of(&blob(number)))
            .unwrap()
            .id
    };
    let first = put(1);
    for len in [393_216, 1_048_576] {
        let large = FileRequest::Upload(Upload::new(vec![9; len]));
        assert_eq!(ask(&address, &large).unwrap().code, 507);
    }
    no_half(&home.path().join("store"));
    let second = put(2);
    for (number, id) in [(1, first), (2, second)] {
        let response = ask(&address, &FileRequest::Download(id)).unwrap();
        assert!(*response.body == blob(number));
    }
}

fn no_half(store: &Path) {
    for path in files_in(store) {
        assert!(
            !path.to_str().unwrap().contains('#'),
            "{} was left",
            path.display()
        );
    }
}

/// Unmounts when it goes.
struct Unmount(PathBuf);

impl Drop for Unmount {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(&self.0).status().ok();
    }
}
