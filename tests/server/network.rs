//! A network in three lines, as the operators' page has them, with real processes: a file server that keeps a network, relays
//! that join it, and the commands of its operator.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::server::three_lines::{Machines, ThreeLines};
use crate::support::{Process, cloak, free_port};

/// Machines that are folders of this one.
struct Folders(TempDir);

impl Machines for Folders {
    fn folder(&self, name: &str) -> PathBuf {
        let folder = self.0.path().join(name);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// A line of the page, with loopback in place of the internet.
    fn run(&self, on: &str, line: &str) -> Command {
        let program = cloak(&self.folder(on));
        let folder = Path::new(program.get_program()).parent().unwrap();
        let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("sh");
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        shell
            .args(["-c", &format!("exec {line}")])
            .env("PATH", path)
            .env_remove("JOURNAL_STREAM")
            .current_dir(self.folder(on));
        shell
    }
}

#[test]
fn the_three_lines_make_a_network() {
    let machines = Folders(tempdir().unwrap());
    let ThreeLines { serve, relay, join } = ThreeLines::of_the_page();
    let serve = serve.replace("0.0.0.0:8787", &free_port()).replace(
        "--public-url http://files.example.org:8787",
        "--allow-private",
    );
    let mut server = Process::start(machines.run("server", &serve));
    let address = server.first_line.clone();
    let invitation = server.next_line();
    assert!(invitation.starts_with("relays: cloakin1"), "{invitation}");

    let early = machines.output("server", "cloak host invite");
    let said = String::from_utf8_lossy(&early.stderr).into_owned();
    assert!(said.contains("0 of 3 relays have joined"), "{said}");
    let again = machines.done("server", "cloak host invite --relay");
    assert!(again.starts_with("cloakin1"), "{again}");

    let mut relays = Vec::new();
    let start = |name: &str, line: &str, words: &[&str]| {
        let mut relay = Process::start(machines.run(name, line));
        for words in words {
            relay.wait_for(words);
        }
        relay
    };
    let port = free_port();
    let port = port.rsplit_once(':').unwrap().1;
    let operators = ["Ben", "Cem", "Dora"];
    let line_of = |at: usize| {
        relay
            .replace("0.0.0.0:8790", &format!("127.0.{}.1:{port}", at + 1))
            .replace(
                "--operator Ben",
                &format!("--allow-private --operator {}", operators[at]),
            )
    };
    for (at, name) in operators.iter().enumerate() {
        fs::write(machines.folder(name).join("relays.txt"), &invitation).unwrap();
        relays.push(start(name, &line_of(at), &[JOINED]));
    }
    let friends = server.next_line();
    assert!(friends.starts_with("friends: cloakin1"), "{friends}");
    friends_join(&machines, &join, &friends);

    // They need no invitation again, and have the list at once.
    drop(relays);
    let mut relays = Vec::new();
    for (at, name) in operators.iter().enumerate() {
        let line = line_of(at).replace(" --join - < relays.txt", "");
        relays.push(start(name, &line, &["relay list read: 3 relays", JOINED]));
    }
    let kept = fs::read(machines.folder("Ben").join("relay.join")).unwrap();
    let kept: Value = serde_json::from_slice(&kept).unwrap();
    let list = kept["list"]["list"].as_str().unwrap();
    let friend = machines.folder("friend");
    fs::write(friend.join("relays.json"), list).unwrap();
    fs::write(friend.join("photo.jpg"), b"a photo").unwrap();
    let share = format!("cloak share photo.jpg --server '{address}' --relays relays.json");
    let pointer = machines.done("friend", &share);
    fs::write(friend.join("pointer.txt"), pointer).unwrap();
    let get = "cloak get - --relays relays.json --out copy.jpg < pointer.txt";
    machines.done("friend", get);
    assert_eq!(fs::read(friend.join("copy.jpg")).unwrap(), b"a photo");

    operator_commands(&machines, &kept_key(&machines, "Dora"));
}

/// A friend joins by the operator's invitation and shares; another one has nothing but what the first one sends, and receives.
fn friends_join(machines: &Folders, join: &str, friends: &str) {
    let eve = machines.folder("eve");
    fs::write(eve.join("friends.txt"), format!("Join us: {friends}")).unwrap();
    let look = machines.done("eve", "cloak join friends.txt --look");
    assert!(
        look.contains("the network \"Ann's friends\" of 127.0.0.1"),
        "{look}"
    );
    assert!(!eve.join("config.toml").exists());
    assert_eq!(machines.done("eve", join), "Ann's friends\n");
    let networks = machines.done("eve", "cloak networks");
    let line = networks.lines().last().unwrap();
    assert!(
        line.starts_with("* Ann's friends: http://127.0.0.1:"),
        "{networks}"
    );
    assert!(line.contains(", 3 relays until "), "{networks}");
    let check = machines.done("eve", "cloak check");
    assert!(check.contains("3 relays of the network"), "{check}");

    fs::write(eve.join("photo.jpg"), b"a photo").unwrap();
    let both = machines.done("eve", "cloak share photo.jpg --with-invitation");
    let fred = machines.folder("fred");
    fs::write(fred.join("both.txt"), &both).unwrap();
    let early = machines.output("fred", "cloak get - < both.txt");
    let said = String::from_utf8_lossy(&early.stderr).into_owned();
    assert!(
        !early.status.success() && said.contains("get --join joins it first"),
        "{said}"
    );
    machines.done("fred", "cloak get --join - --out copy.jpg < both.txt");
    assert_eq!(fs::read(fred.join("copy.jpg")).unwrap(), b"a photo");

    // The file's owner manages it after they left, and whoever never joined a network names none.
    let pointer = both.lines().last().unwrap();
    fs::write(eve.join("pointer.txt"), pointer).unwrap();
    machines.done("eve", "cloak networks rename \"Ann's friends\" pals");
    machines.done("eve", "cloak networks leave pals");
    machines.done("eve", "cloak delete - < pointer.txt");
    let named = machines.output("fred", "cloak share both.txt --network pals");
    let said = String::from_utf8_lossy(&named.stderr).into_owned();
    assert!(said.contains("there is no network \"pals\""), "{said}");
    let invited = machines.done("fred", "cloak networks invite");
    assert!(invited.starts_with("cloakin1"), "{invited}");
}

fn kept_key(machines: &Folders, operator: &str) -> String {
    let report = machines.done("server", "cloak host relays --json");
    let report: Value = serde_json::from_str(&report).unwrap();
    let relays = report["relays"].as_array().unwrap();
    assert_eq!(relays.len(), 3);
    let found = relays.iter().find(|relay| relay["operator"] == operator);
    found.unwrap()["key"].as_str().unwrap().to_owned()
}

fn operator_commands(machines: &Folders, key: &str) {
    let check = machines.output("server", "cloak check server --network friends");
    let said = String::from_utf8_lossy(&check.stdout).into_owned();
    assert!(said.contains("3 of 3 relays in the list answer"), "{said}");
    let shown = machines.done("server", "cloak host relays");
    let line = shown.lines().find(|line| line.starts_with(key)).unwrap();
    assert!(line.contains("\"Dora\" answers"), "{line}");
    let friends = machines.done("server", "cloak host invite --expires 1d");
    assert!(friends.starts_with("cloakin1"), "{friends}");
    let removed = machines.done("server", &format!("cloak host remove {key} --json"));
    let removed: Value = serde_json::from_str(&removed).unwrap();
    assert_eq!(
        (&removed["key"], &removed["listed"]),
        (&key.into(), &2.into())
    );
    let shown = machines.done("server", "cloak host relays");
    assert!(shown.contains("removed by you"), "{shown}");
    machines.done("server", &format!("cloak host approve {key}"));
    machines.done("server", "cloak host new-words --join");
    let none = machines.output("server", "cloak host new-words");
    assert_eq!(none.status.code(), Some(2));
    // This server takes uploads without a word.
    let open = machines.output("server", "cloak host new-words --access");
    let said = String::from_utf8_lossy(&open.stderr).into_owned();
    assert!(said.contains("asks for no access word"), "{said}");
    machines.done("server", &format!("cloak host block {key}"));
    let nobody = machines.output("server", &format!("cloak host remove {}", "0".repeat(64)));
    assert_ne!(nobody.status.code(), Some(0));
    let elsewhere = machines.output("server", "cloak host relays --store elsewhere");
    let said = String::from_utf8_lossy(&elsewhere.stderr).into_owned();
    assert!(said.contains("elsewhere"), "{said}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;

        let store = machines.folder("server").join("cloakroom-data");
        for name in ["list.key", "network.json"] {
            let mode = fs::metadata(store.join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }
}

const JOINED: &str = "this relay is in the network";

#[test]
fn an_invitation_that_lets_no_relay_join_is_named() {
    let machines = Folders(tempdir().unwrap());
    fs::write(machines.folder("relay").join("empty.txt"), "nothing").unwrap();
    for (line, words) in [
        ("cloak relay --join empty.txt", "invitation"),
        ("cloak relay --join missing.txt", "cannot be read"),
        ("cloak relay --join cloakin1xyz", "invitation"),
        (
            "cloak relay --join - --relays relays.json < empty.txt",
            "not both",
        ),
    ] {
        let refused = machines.output("relay", line);
        assert_eq!(refused.status.code(), Some(2), "{line}");
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(said.contains(words), "{line}: {said}");
    }
}
