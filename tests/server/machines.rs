//! A network of machines with addresses of the internet, each a network namespace, and the programs as their operators and
//! users start them. Their clock is one file, so that days pass at once. Needs root, `ip` and libfaketime.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tempfile::TempDir;

use crate::server::three_lines::{Machines, ThreeLines};
use crate::support::Process;

/// Where Debian has it.
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";
/// How long anything may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Machines that are connected to each other and to nothing else.
struct Internet {
    files: TempDir,
    /// Begins the name of every namespace of this test.
    prefix: String,
    namespaces: Vec<String>,
    hours: u32,
}

impl Internet {
    /// `None` where no such machines can be made.
    #[expect(clippy::print_stderr, reason = "a test that was skipped says so")]
    fn new() -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::SeqCst);
        let prefix = format!("cloakroom-{}-{number}", std::process::id());
        let mut internet = Self {
            files: tempfile::tempdir().unwrap(),
            prefix,
            namespaces: Vec::new(),
            hours: 0,
        };
        internet.set_clock();
        let can = Path::new(FAKETIME).exists()
            && internet.namespace("switch")
            && internet.ip("switch", "link add switch type bridge")
            && internet.ip("switch", "link set switch up");
        if can {
            return Some(internet);
        }
        let why = "no machines can be made here: that needs root, ip and libfaketime";
        assert!(
            std::env::var("CLOAKROOM_TEST_MOUNT").as_deref() != Ok("must"),
            "{why}, and CLOAKROOM_TEST_MOUNT says that it must"
        );
        eprintln!("skipped: {why}; tests with a clock of their own stand for it");
        None
    }

    fn full_name(&self, name: &str) -> String {
        format!("{}-{name}", self.prefix)
    }

    fn namespace(&mut self, name: &str) -> bool {
        let full = self.full_name(name);
        let made = Command::new("ip").args(["netns", "add", &full]).output();
        let is_made = made.is_ok_and(|output| output.status.success());
        if is_made {
            self.namespaces.push(full);
        }
        is_made
    }

    fn ip(&self, name: &str, arguments: &str) -> bool {
        let full = self.full_name(name);
        let mut ip = Command::new("ip");
        ip.args(["-n", &full]).args(arguments.split(' '));
        ip.output().is_ok_and(|output| output.status.success())
    }

    /// A machine at 45.`place`.1.1. All of them know files.example.org, which is at 45.1.1.1.
    fn add(&mut self, name: &str, place: u8) {
        assert!(self.namespace(name));
        let full = self.full_name(name);
        let hosts = Path::new("/etc/netns").join(&full);
        fs::create_dir_all(&hosts).unwrap();
        let known = "127.0.0.1 localhost\n45.1.1.1 files.example.org\n";
        fs::write(hosts.join("hosts"), known).unwrap();
        let switch = self.full_name("switch");
        let plug = format!("link add eth0 type veth peer name port{place} netns {switch}");
        assert!(self.ip(name, &plug));
        assert!(self.ip("switch", &format!("link set port{place} master switch up")));
        self.move_to(name, &format!("45.{place}.1.1"));
        fs::create_dir_all(self.folder(name)).unwrap();
    }

    /// Gives a machine this address in place of those that it had.
    fn move_to(&self, name: &str, address: &str) {
        assert!(self.ip(name, "addr flush dev eth0"));
        assert!(self.ip(name, &format!("addr add {address}/8 dev eth0")));
        assert!(self.ip(name, "link set eth0 up") && self.ip(name, "link set lo up"));
    }

    fn set_clock(&self) {
        let file = self.files.path().join("clock");
        let next = self.files.path().join("clock.next");
        fs::write(&next, format!("+{}h\n", self.hours)).unwrap();
        fs::rename(next, file).unwrap();
    }

    /// An hour passes, and the server looks whether its relays answer.
    fn next_hour(&mut self) {
        self.hours += 1;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let now = now.as_secs() + u64::from(self.hours) * 3_600;
        self.set_clock();
        self.wait_until("the hourly look", |relays| {
            let mut seen = relays.iter().filter_map(|relay| relay["at"].as_u64());
            seen.any(|at| at >= now)
        });
    }

    /// The relays as the operator's command shows them.
    fn relays(&self) -> Vec<Value> {
        let report = self.done("server", "cloak host relays --json");
        let report: Value = serde_json::from_str(&report).unwrap();
        report["relays"].as_array().unwrap().clone()
    }

    fn wait_until(&self, what: &str, holds: impl Fn(&[Value]) -> bool) {
        let began = Instant::now();
        loop {
            let relays = self.relays();
            if holds(&relays) {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{what}: {relays:#?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The addresses that a machine has sent anything to.
    fn neighbours(&self, name: &str) -> Vec<String> {
        let full = self.full_name(name);
        let shown = Command::new("ip").args(["-n", &full, "neigh"]).output();
        let shown = String::from_utf8(shown.unwrap().stdout).unwrap();
        let addresses = shown.lines().filter_map(|line| line.split(' ').next());
        let mut addresses: Vec<_> = addresses.map(str::to_owned).collect();
        addresses.sort();
        addresses
    }
}

impl Machines for Internet {
    fn folder(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    fn run(&self, on: &str, line: &str) -> Command {
        let cloak = Path::new(env!("CARGO_BIN_EXE_cloak"));
        let line = line.replacen("cloak ", &format!("{} ", cloak.display()), 1);
        let clock = self.files.path().join("clock");
        // What makes the clock leaves semaphores behind in /dev/shm where a program is killed: this one is gone with it.
        let line = format!(
            "mount -t tmpfs shm /dev/shm && exec env LD_PRELOAD={FAKETIME} FAKETIME_TIMESTAMP_FILE={} FAKETIME_NO_CACHE=1 \
             NO_FAKE_STAT=1 FAKETIME_DONT_FAKE_MONOTONIC=1 CLOAKROOM_HOME={} {line}",
            clock.display(),
            self.folder(on).display()
        );
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &self.full_name(on), "sh", "-c", &line])
            .env_remove("RUST_LOG")
            .env_remove("JOURNAL_STREAM")
            .current_dir(self.folder(on));
        command
    }
}

impl Drop for Internet {
    fn drop(&mut self) {
        for name in &self.namespaces {
            Command::new("ip")
                .args(["netns", "del", name])
                .output()
                .ok();
            fs::remove_dir_all(Path::new("/etc/netns").join(name)).ok();
        }
    }
}

fn state(relay: &Value) -> &str {
    relay["state"].as_str().unwrap()
}

#[test]
fn a_network_of_machines_lives_by_the_three_lines() {
    let Some(mut internet) = Internet::new() else {
        return;
    };
    let ThreeLines { serve, relay, join } = ThreeLines::of_the_page();
    let names = ["ann", "ben", "cem", "dora", "emil"];
    for (name, place) in ["server", "eve", "fred"].iter().chain(&names).zip(1..) {
        internet.add(name, place);
    }
    let mut server = Process::start(internet.run("server", &serve));
    let invitation = server.next_line();
    assert!(invitation.starts_with("relays: cloakin1"), "{invitation}");
    let start = |internet: &Internet, name: &str, line: &str| {
        let line = line.replace("Ben", name);
        let mut relay = Process::start(internet.run(name, &line));
        relay.wait_for("is in the network");
        relay
    };
    let mut relays = Vec::new();
    let mut add = |internet: &Internet, name: &str| {
        fs::write(internet.folder(name).join("relays.txt"), &invitation).unwrap();
        relays.push(start(internet, name, &relay));
    };
    for name in &names[..3] {
        add(&internet, name);
    }
    let friends = server.next_line();
    assert!(friends.starts_with("friends: cloakin1"), "{friends}");

    // A friend joins at once, and is seen by a first relay of the invitation, and by nobody else.
    fs::write(internet.folder("eve").join("friends.txt"), &friends).unwrap();
    assert_eq!(internet.neighbours("eve"), [""; 0]);
    let look: Value =
        serde_json::from_str(&internet.done("eve", "cloak join friends.txt --look --json"))
            .unwrap();
    assert_eq!(look["relays"], 3);
    assert_eq!(internet.neighbours("eve"), [""; 0]);
    internet.done("eve", &join);
    let first = internet.neighbours("eve");
    assert!((1..=2).contains(&first.len()), "{first:?}");
    let invited = ["45.4.1.1", "45.5.1.1", "45.6.1.1"];
    assert!(
        first.iter().all(|it| invited.contains(&it.as_str())),
        "{first:?}"
    );

    // Two more come. The list of the next hour has all five, the relays have it an hour later, and then each answers through
    // another one.
    for name in &names[3..] {
        add(&internet, name);
    }
    (0..3).for_each(|_| internet.next_hour());
    internet.wait_until("five relays answer", |relays| {
        relays.len() == 5 && relays.iter().all(|relay| state(relay) == "answering")
    });
    fs::write(internet.folder("eve").join("photo.jpg"), b"a photo").unwrap();
    let pointer = internet.done("eve", "cloak share photo.jpg");
    fs::write(internet.folder("eve").join("pointer.txt"), pointer).unwrap();

    // One relay dies, and leaves the list after two days.
    relays.pop().unwrap().kill();
    for hour in 1..=48 {
        internet.next_hour();
        let expected = if hour == 48 { "silent" } else { "missing" };
        // The others can be missing for an hour, when the dead one was to lead to them.
        internet.wait_until(&format!("{hour} hours of silence"), |relays| {
            let silent = relays.iter().find(|relay| relay["operator"] == "emil");
            let mut others = relays.iter().filter(|relay| relay["operator"] != "emil");
            let is_counted =
                |relay: &Value| hour == 48 || relay["detail"].as_str() == Some(&hour.to_string());
            silent.is_some_and(|relay| state(relay) == expected && is_counted(relay))
                && others.all(|relay| state(relay) != "silent")
        });
    }
    // Another one has a new address.
    relays.pop().unwrap().kill();
    internet.move_to("dora", "45.77.1.1");
    let again = relay.replace(" --join - < relays.txt", "");
    relays.push(start(&internet, "dora", &again));
    (0..3).for_each(|_| internet.next_hour());
    internet.wait_until("the new address is listed", |relays| {
        let moved = relays.iter().find(|relay| relay["operator"] == "dora");
        moved.is_some_and(|relay| {
            relay["address"] == "45.77.1.1:8790" && state(relay) == "answering"
        })
    });

    // A second friend has nothing but one text of the first one.
    let both = internet.done("eve", "cloak share photo.jpg --with-invitation");
    fs::write(internet.folder("fred").join("both.txt"), both).unwrap();
    internet.done("fred", "cloak get --join - --out copy.jpg < both.txt");
    let copy = fs::read(internet.folder("fred").join("copy.jpg")).unwrap();
    assert_eq!(copy, b"a photo");
    assert!(!internet.neighbours("fred").contains(&"45.1.1.1".to_owned()));
    internet.done("eve", "cloak delete - < pointer.txt");
    let (ended, said) = server.end();
    assert!(ended.success(), "{said}");
}
