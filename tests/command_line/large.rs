//! Files in parts and folders by real processes: killed on their way, gone on with, listed, fetched in part, given up.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::support::{Network, cloak, content, said, with_input};

/// Five parts of 8,000,000 bytes.
const LEN: usize = 40_000_000;
const PART: u64 = 8_000_000;

fn run(network: &Network, args: &[&str]) -> Output {
    command(network, args).output().unwrap()
}

fn command(network: &Network, args: &[&str]) -> Command {
    let mut command = cloak(network.home());
    command.args(args).arg("--relays").arg(network.list());
    command
}

fn get_into_received(network: &Network, args: &[&str]) -> Command {
    fs::create_dir_all(network.received()).unwrap();
    let mut get = command(network, &["get"]);
    get.args(args).arg("--out").arg(network.received());
    get
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", said(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The unfinished transfers, as programs are told of them.
fn unfinished(network: &Network) -> Vec<Value> {
    let output = cloak(network.home())
        .args(["resume", "--json"])
        .output()
        .unwrap();
    let lines = printed(&output);
    let objects = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    objects.collect()
}

/// The hidden file in which a download stands.
fn hidden(network: &Network) -> Option<PathBuf> {
    let mut files = network.received_files().into_iter();
    files.find(|path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.starts_with('.')
    })
}

fn same(one: &Path, other: &Path) -> bool {
    fs::read(one).unwrap() == fs::read(other).unwrap()
}

/// Runs `command`, which prints nothing before it is done, and kills it once `reached` holds.
fn kill_when(mut command: Command, reached: impl Fn() -> bool) {
    let mut running = command.stdout(Stdio::null()).spawn().unwrap();
    while !reached() {
        let ended = running.try_wait().unwrap();
        assert_eq!(ended, None, "it ended before it could be killed");
        std::thread::yield_now();
    }
    running.kill().unwrap();
    running.wait().unwrap();
}

#[test]
fn a_share_that_is_killed_goes_on_and_a_download_too() {
    let network = Network::start();
    let file = network.file("film.mkv", &content(LEN));
    let server = network.server.first_line.clone();
    for parts in 1..=4 {
        let share = command(
            &network,
            &["share", file.to_str().unwrap(), "--server", &server],
        );
        kill_when(share, || network.stored().len() >= parts);
        let [begun] = unfinished(&network).try_into().unwrap();
        assert_eq!(
            (begun["what"].as_str(), &begun["size"]),
            (Some("share"), &LEN.into())
        );
        let stored = network.stored().len();
        let id = begun["id"].as_str().unwrap();
        let pointer = printed(&run(&network, &["resume", id]));
        // Four may have been on their way and not confirmed, and are asked after: none is there twice.
        assert_eq!(network.stored().len(), 6, "{stored} were there");
        assert!(unfinished(&network).is_empty());

        let get = get_into_received(&network, &[pointer.trim()]);
        // Later it could end before it is killed.
        let least = if parts % 2 == 0 { PART + 1 } else { 1 };
        kill_when(get, || {
            let len = hidden(&network).and_then(|path| fs::metadata(path).ok());
            len.is_some_and(|metadata| metadata.len() >= least)
        });
        let [begun] = unfinished(&network).try_into().unwrap();
        assert_eq!(begun["what"], "get");
        let saved = printed(&run(&network, &["resume", "all"]));
        assert!(same(Path::new(saved.trim_end()), &file));
        assert_eq!(network.received_files().len(), 1, "nothing hidden is left");

        fs::remove_file(saved.trim_end()).unwrap();
        let deleted = run(&network, &["delete", pointer.trim()]);
        assert!(deleted.status.success(), "{}", said(&deleted));
        assert!(network.stored().is_empty());
    }
}

#[test]
fn what_is_given_up_leaves_nothing_here_and_nothing_at_the_server() {
    let network = Network::start();
    let file = network.file("film.mkv", &content(LEN));
    let server = network.server.first_line.clone();
    let share = command(
        &network,
        &["share", file.to_str().unwrap(), "--server", &server],
    );
    kill_when(share, || !network.stored().is_empty());
    let before = network.stored();
    let discarded = run(&network, &["resume", "all", "--discard"]);
    assert!(discarded.status.success(), "{}", said(&discarded));
    // What was on its way between relays when it was killed can still arrive.
    let after = network.stored();
    assert!(before.iter().all(|blob| !after.contains(blob)));
    assert!(unfinished(&network).is_empty());

    let pointer = network.pointer_to(&file);
    let get = get_into_received(&network, &[&pointer]);
    kill_when(get, || {
        hidden(&network).is_some_and(|_| !unfinished_files(&network).is_empty())
    });
    let discarded = run(&network, &["resume", "all", "--discard"]);
    assert!(discarded.status.success(), "{}", said(&discarded));
    assert!(network.received_files().is_empty() && unfinished(&network).is_empty());
}

/// The files of unfinished transfers, without asking the program.
fn unfinished_files(network: &Network) -> Vec<PathBuf> {
    let Ok(files) = fs::read_dir(network.home().join("resume")) else {
        return Vec::new();
    };
    let files = files.map(|file| file.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|ending| ending == "transfer"))
        .collect()
}

#[test]
fn a_folder_is_listed_and_fetched_whole_or_in_part() {
    let network = Network::start();
    let folder = network.home().join("Holidays");
    fs::create_dir_all(folder.join("day 1")).unwrap();
    fs::write(folder.join("day 1/beach.jpg"), content(100_000)).unwrap();
    fs::write(folder.join("notes.txt"), b"sunny").unwrap();
    let pointer = network.pointer_to(&folder);

    let listed = printed(&run(&network, &["get", &pointer, "--list"]));
    let lines: Vec<_> = listed.lines().map(str::trim).collect();
    assert_eq!(lines, ["100,000  day 1/beach.jpg", "5  notes.txt"]);
    let output = run(&network, &["get", &pointer, "--list", "--json"]);
    let object: Value = serde_json::from_str(&printed(&output)).unwrap();
    assert_eq!(object["entries"][1]["path"], "notes.txt");
    assert_eq!(object["entries"][1]["size"], 5);

    let saved = printed(&network.get(&pointer));
    let saved = Path::new(saved.trim_end());
    assert!(saved.ends_with("Holidays"));
    assert!(same(
        &saved.join("day 1/beach.jpg"),
        &folder.join("day 1/beach.jpg")
    ));
    assert_eq!(fs::read(saved.join("notes.txt")).unwrap(), b"sunny");

    let get = get_into_received(&network, &["-", "--only", "notes.txt"]);
    let some = printed(&with_input(get, &pointer));
    let some = Path::new(some.trim_end());
    assert_eq!(some, network.received().join("Holidays (1)"));
    assert_eq!(fs::read_dir(some).unwrap().count(), 1);

    let output = run(&network, &["get", &pointer, "--only", "none"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(
        said(&output).contains("there is nothing at none"),
        "{}",
        said(&output)
    );
}

#[test]
fn several_files_are_one_folder_or_one_pointer_each() {
    let network = Network::start();
    let server = network.server.first_line.clone();
    let (one, two) = (network.file("a.txt", b"a"), network.file("b.txt", b"b"));
    let paths = [one.to_str().unwrap(), two.to_str().unwrap()];
    let args = ["share", paths[0], paths[1], "--server", &server];
    let together = printed(&run(&network, &args));
    assert_eq!(together.lines().count(), 1);
    let saved = printed(&network.get(together.trim()));
    let saved = Path::new(saved.trim_end());
    assert!(saved.ends_with("Files"));
    assert_eq!(fs::read(saved.join("b.txt")).unwrap(), b"b");

    let args = ["share", paths[0], paths[1], "--each", "--server", &server];
    let each = printed(&run(&network, &args));
    let pointers: Vec<_> = each.lines().collect();
    assert_eq!(pointers.len(), 2);
    let saved = printed(&network.get(pointers[1]));
    assert_eq!(fs::read(saved.trim_end()).unwrap(), b"b");
}

#[cfg(unix)]
#[test]
fn what_cannot_be_shared_of_a_folder_is_left_out_and_named() {
    let network = Network::start();
    let folder = network.home().join("Holidays");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("notes.txt"), b"sunny").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", folder.join("link")).unwrap();
    let output = network.share(&folder);
    let pointer = printed(&output);
    assert!(
        said(&output).contains("not shared: link: it is a link"),
        "{}",
        said(&output)
    );
    let saved = printed(&network.get(pointer.trim()));
    assert_eq!(fs::read_dir(saved.trim_end()).unwrap().count(), 1);
}
