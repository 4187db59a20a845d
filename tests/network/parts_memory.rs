//! The memory that a client takes for something in parts: no more than a few parts need, however many there are.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::support::{Network, cloak, content, peak_kib};

/// 14 parts.
const LEN: usize = 120_000_000;
/// What a client may take above one that shares or fetches a small file: of each of the four parts on their way the sealed
/// part and the request around it, and a little for connections.
const SHARE_KIB: u64 = 92 * 1_024;
/// As [`SHARE_KIB`], of each part the answer that it is opened in.
const GET_KIB: u64 = 56 * 1_024;

#[test]
fn parts_that_follow_each_other_use_the_same_memory() {
    let network = Network::start();
    let small = network.file("small", b"small");
    let idle = ended(sharing(&network, &small)).peak_kib;
    let large = network.file("large", &content(LEN));

    let whole = ended(sharing(&network, &large));
    assert_above("share", idle, whole.peak_kib, SHARE_KIB);
    let fetched = ended(getting(&network, &whole.printed));
    assert_above("get", idle, fetched.peak_kib, GET_KIB);
    let got = PathBuf::from(fetched.printed.trim_end());
    assert!(fs::read(&got).unwrap() == fs::read(&large).unwrap());
    fs::remove_file(got).unwrap();

    // The same after each was killed on the way.
    let before = network.stored().len();
    let mut killed = sharing(&network, &large).spawn().unwrap();
    until(&mut killed, || network.stored().len() > before + 3);
    let share = ended(resuming(&network));
    assert_above("resumed share", idle, share.peak_kib, SHARE_KIB);
    let mut killed = getting(&network, &share.printed).spawn().unwrap();
    until(&mut killed, || {
        is_kept(network.home()) && written_in(&network.received()) > 0
    });
    let get = ended(resuming(&network));
    assert_above("resumed get", idle, get.peak_kib, GET_KIB);
    let got = PathBuf::from(get.printed.trim_end());
    assert!(fs::read(got).unwrap() == fs::read(large).unwrap());
}

/// Waits until something is the case, then kills a client that must not have ended.
fn until(client: &mut Child, is_so: impl Fn() -> bool) {
    while !is_so() {
        assert!(client.try_wait().unwrap().is_none(), "it ended before");
        thread::sleep(Duration::from_millis(1));
    }
    client.kill().unwrap();
    client.wait().unwrap();
}

/// Whether a transfer is written down that can go on.
fn is_kept(home: &Path) -> bool {
    let entries = fs::read_dir(home.join("resume")).into_iter().flatten();
    let mut names = entries.flatten().map(|entry| entry.path());
    names.any(|path| path.extension().is_some_and(|end| end == "transfer"))
}

/// Blocks of the disk that hold what is in a folder.
fn written_in(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| Some(entry.metadata().ok()?.blocks()))
        .sum()
}

struct Ended {
    peak_kib: u64,
    printed: String,
}

/// Runs a client to its end, which must be a good one.
fn ended(mut client: Command) -> Ended {
    let mut client = client.spawn().unwrap();
    let mut peak = 0;
    while client.try_wait().unwrap().is_none() {
        peak = peak_kib(client.id()).unwrap_or(0).max(peak);
        thread::sleep(Duration::from_millis(1));
    }
    let output = client.wait_with_output().unwrap();
    assert!(output.status.success());
    Ended {
        peak_kib: peak,
        printed: String::from_utf8(output.stdout).unwrap(),
    }
}

fn assert_above(what: &str, idle: u64, peak: u64, limit: u64) {
    let above = peak.saturating_sub(idle);
    assert!(above <= limit, "{what}: {above} KiB, over {limit}");
}

fn sharing(network: &Network, file: &Path) -> Command {
    let mut share = with_relays(network, "share");
    share
        .arg(file)
        .args(["--server", &network.server.first_line]);
    share
}

fn getting(network: &Network, pointer: &str) -> Command {
    fs::create_dir_all(network.received()).unwrap();
    let mut get = with_relays(network, "get");
    get.arg(pointer.trim_end())
        .arg("--out")
        .arg(network.received());
    get
}

fn resuming(network: &Network) -> Command {
    let mut resume = with_relays(network, "resume");
    resume.arg("all");
    resume
}

fn with_relays(network: &Network, what: &str) -> Command {
    let mut command = cloak(network.home());
    command
        .args([what, "--relays"])
        .arg(network.list())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}
