//! Real processes on loopback: file servers, relays and the commands that use them. Everything picks its own port and
//! keeps its files in one temporary folder; dropping ends it.
#![allow(dead_code, reason = "each test file uses its own part of it")]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};

/// The command line, with a home of its own.
pub(crate) fn cloak(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cloak"));
    command
        .env("CLOAKROOM_HOME", home)
        .env_remove("RUST_LOG")
        .stdin(Stdio::null());
    command
}

/// A process that runs until it is dropped or killed, and the first line it printed.
pub(crate) struct Process {
    child: Child,
    stderr: BufReader<ChildStderr>,
    pub(crate) first_line: String,
}

impl Process {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first_line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut first_line)
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Self {
            child,
            stderr,
            first_line: first_line.trim_end().to_owned(),
        }
    }

    /// Reads what it says until a line contains `words`.
    pub(crate) fn wait_for(&mut self, words: &str) {
        let mut said = String::new();
        loop {
            let before = said.len();
            assert_ne!(
                self.stderr.read_line(&mut said).unwrap(),
                0,
                "{words:?} was never said, only: {said}"
            );
            if said[before..].contains(words) {
                return;
            }
        }
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().ok();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// One file server and three relays, each a process.
pub(crate) struct Network {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) server: Process,
    pub(crate) relays: Vec<Process>,
}

impl Network {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path();
        let mut serve = cloak(home);
        serve
            .args(["serve", "--listen", "127.0.0.1:0", "--store"])
            .arg(home.join("store"));
        let server = Process::start(serve);
        let list = home.join("relays.json");
        let mut relays: Vec<_> = (1..=3)
            .map(|number| {
                let mut relay = cloak(home);
                relay
                    .args([
                        "relay",
                        "--listen",
                        "127.0.0.1:0",
                        "--allow-private",
                        "--relays",
                    ])
                    .arg(&list);
                relay
                    .arg("--key")
                    .arg(home.join(format!("relay-{number}.key")));
                Process::start(relay)
            })
            .collect();
        let entries: Vec<_> = relays
            .iter()
            .map(|relay| relay.first_line.clone())
            .collect();
        write_list(home, &entries);
        for relay in &mut relays {
            relay.wait_for("relay list read: 3 relays");
        }
        Self {
            folder,
            server,
            relays,
        }
    }

    pub(crate) fn home(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn list(&self) -> PathBuf {
        self.home().join("relays.json")
    }

    pub(crate) fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.home().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn share(&self, file: &Path) -> Output {
        let mut share = cloak(self.home());
        share
            .arg("share")
            .arg(file)
            .args(["--server", &self.server.first_line, "--relays"])
            .arg(self.list());
        share.output().unwrap()
    }

    /// Shares and insists on success; the pointer comes back.
    pub(crate) fn pointer_to(&self, file: &Path) -> String {
        let output = self.share(file);
        assert!(output.status.success(), "{}", said(&output));
        let text = String::from_utf8(output.stdout).unwrap();
        let pointer = text.strip_suffix('\n').unwrap();
        assert!(
            pointer.starts_with("cloak1")
                && pointer.chars().all(|letter| letter.is_ascii_alphanumeric())
        );
        pointer.to_owned()
    }

    /// Gets into the folder `received`, the pointer given on standard input.
    pub(crate) fn get(&self, pointer: &str) -> Output {
        self.get_with(pointer, &self.list())
    }

    pub(crate) fn get_with(&self, pointer: &str, list: &Path) -> Output {
        fs::create_dir_all(self.received()).unwrap();
        let mut get = cloak(self.home());
        get.args(["get", "-", "--out"])
            .arg(self.received())
            .arg("--relays")
            .arg(list);
        with_input(get, pointer)
    }

    pub(crate) fn received(&self) -> PathBuf {
        self.home().join("received")
    }

    /// Every file the server stores.
    pub(crate) fn stored(&self) -> Vec<PathBuf> {
        let blobs = self.home().join("store").join("blob");
        let Ok(hours) = fs::read_dir(blobs) else {
            return Vec::new();
        };
        hours
            .flat_map(|hour| fs::read_dir(hour.unwrap().path()).unwrap())
            .map(|file| file.unwrap().path())
            .collect()
    }

    pub(crate) fn received_files(&self) -> Vec<PathBuf> {
        let Ok(files) = fs::read_dir(self.received()) else {
            return Vec::new();
        };
        files.map(|file| file.unwrap().path()).collect()
    }
}

/// Joins entries by the command made for it, into `relays.json`.
pub(crate) fn write_list(home: &Path, entries: &[String]) {
    let file = home.join("entries.txt");
    fs::write(&file, entries.join("\n")).unwrap();
    let output = cloak(home)
        .args(["relay-list", "new"])
        .arg(&file)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let whole = home.join("relays.json.new");
    fs::write(&whole, output.stdout).unwrap();
    fs::rename(whole, home.join("relays.json")).unwrap();
}

pub(crate) fn with_input(mut command: Command, input: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

pub(crate) fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Bytes that repeat with no period that anything here has.
pub(crate) fn content(len: usize) -> Vec<u8> {
    (0..len)
        .map(|at| u8::try_from(at * 7 % 251).unwrap())
        .collect()
}
