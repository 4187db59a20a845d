//! Real processes on loopback: file servers, relays and the commands that use them. Everything picks its own port and
//! keeps its files in one temporary folder; dropping ends it.

pub(crate) mod relays;

use std::fs;
#[cfg(unix)]
use std::io::Read as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
#[cfg(unix)]
use std::process::ExitStatus;
use std::process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use cloakroom::protocol::pointer::Pointer;

/// The command line, with a home of its own.
pub(crate) fn cloak(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cloak"));
    command
        .env("CLOAKROOM_HOME", home)
        .env_remove("RUST_LOG")
        .stdin(Stdio::null());
    command
}

/// An address that is free, and that nobody beside gets meanwhile: each is given once in this process, and systems pick
/// the ports that they choose themselves from 32768 on.
#[allow(dead_code, reason = "not every binary chooses ports")]
pub(crate) fn free_port() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let start = std::process::id() % 200 * 100;
    loop {
        let next = NEXT.fetch_add(1, Ordering::SeqCst);
        assert!(next < 20_000, "no port is free");
        let addr = format!("127.0.0.1:{}", 12_000 + (start + next) % 20_000);
        if std::net::TcpListener::bind(&addr).is_ok() {
            return addr;
        }
    }
}

/// A process that runs until it is dropped or killed, and the first line it printed.
pub(crate) struct Process {
    child: Child,
    pub(crate) stdout: BufReader<ChildStdout>,
    stderr: BufReader<ChildStderr>,
    said: String,
    pub(crate) first_line: String,
}

impl Process {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let mut process = Self {
            child,
            stdout,
            stderr,
            said: String::new(),
            first_line: String::new(),
        };
        process.first_line = process.next_line();
        process
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line that it prints, without its end.
    pub(crate) fn next_line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Asks it to end, as the system does, and waits; all that it said on standard error comes with it.
    #[cfg(unix)]
    pub(crate) fn end(&mut self) -> (ExitStatus, String) {
        signal("TERM", self.id());
        self.wait()
    }

    /// Waits for its end.
    #[cfg(unix)]
    pub(crate) fn wait(&mut self) -> (ExitStatus, String) {
        self.stderr.read_to_string(&mut self.said).unwrap();
        (self.child.wait().unwrap(), self.said.clone())
    }

    /// Reads what it says until a line contains `words`.
    pub(crate) fn wait_for(&mut self, words: &str) {
        loop {
            let before = self.said.len();
            assert_ne!(
                self.stderr.read_line(&mut self.said).unwrap(),
                0,
                "{words:?} was never said, only: {}",
                self.said
            );
            if self.said[before..].contains(words) {
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
    cloak: fn(&Path) -> Command,
    pub(crate) server: Process,
    pub(crate) relays: Vec<Process>,
}

impl Network {
    pub(crate) fn start() -> Self {
        Self::start_with(cloak, &["--listen", "127.0.0.1:0"], str::to_owned)
    }

    /// The same, with programs that `cloak` prepares and relays that have further arguments and know each other by entries that `to_each_other` makes of
    /// what they print.
    pub(crate) fn start_with(
        cloak: fn(&Path) -> Command,
        relay_args: &[&str],
        to_each_other: fn(&str) -> String,
    ) -> Self {
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
                    .arg("relay")
                    .args(relay_args)
                    .args(["--allow-private", "--relays"])
                    .arg(&list)
                    .arg("--key")
                    .arg(home.join(format!("relay-{number}.key")));
                Process::start(relay)
            })
            .collect();
        let entries: Vec<_> = relays
            .iter()
            .map(|relay| to_each_other(&relay.first_line))
            .collect();
        write_list(home, &entries);
        for relay in &mut relays {
            relay.wait_for("relay list read: 3 relays");
        }
        Self {
            folder,
            cloak,
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
        self.share_with(file, &self.list())
    }

    pub(crate) fn share_with(&self, file: &Path, list: &Path) -> Output {
        let mut share = (self.cloak)(self.home());
        share
            .arg("share")
            .arg(file)
            .args(["--server", &self.server.first_line, "--relays"])
            .arg(list);
        share.output().unwrap()
    }

    /// Shares and insists on success; the pointer comes back.
    pub(crate) fn pointer_to(&self, file: &Path) -> String {
        printed_pointer(&self.share(file))
    }

    /// Gets into the folder `received`, the pointer given on standard input.
    pub(crate) fn get(&self, pointer: &str) -> Output {
        self.get_with(pointer, &self.list())
    }

    pub(crate) fn get_with(&self, pointer: &str, list: &Path) -> Output {
        fs::create_dir_all(self.received()).unwrap();
        let mut get = (self.cloak)(self.home());
        get.args(["get", "-", "--out"])
            .arg(self.received())
            .arg("--relays")
            .arg(list);
        with_input(get, pointer)
    }

    pub(crate) fn received(&self) -> PathBuf {
        self.home().join("received")
    }

    /// Every blob the server stores.
    pub(crate) fn stored(&self) -> Vec<PathBuf> {
        blobs_in(&self.home().join("store"))
    }

    #[allow(dead_code, reason = "not every binary looks at what arrived")]
    pub(crate) fn received_files(&self) -> Vec<PathBuf> {
        let Ok(files) = fs::read_dir(self.received()) else {
            return Vec::new();
        };
        files.map(|file| file.unwrap().path()).collect()
    }
}

/// Every blob in a server's folder.
pub(crate) fn blobs_in(store: &Path) -> Vec<PathBuf> {
    let Ok(hours) = fs::read_dir(store.join("blob")) else {
        return Vec::new();
    };
    // Beside the hours lies the lock.
    hours
        .map(|hour| hour.unwrap().path())
        .filter(|hour| hour.is_dir())
        .flat_map(|hour| fs::read_dir(hour).unwrap())
        .map(|file| file.unwrap().path())
        .collect()
}

/// The most memory that a process has ever had, in KiB, where the system tells it and while the process runs (Linux).
#[allow(dead_code, reason = "not every binary measures memory")]
pub(crate) fn peak_kib(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let mut lines = status.lines();
    let line = lines.find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Sends a signal by the system's own command.
#[cfg(unix)]
pub(crate) fn signal(name: &str, process: u32) {
    let sent = Command::new("kill")
        .args([format!("-{name}"), process.to_string()])
        .status()
        .unwrap();
    assert!(sent.success(), "kill -{name} failed");
}

/// The system's time, in seconds since 1970.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap().as_secs()
}

/// The pointer that a successful share printed: one line, one word, nothing else.
pub(crate) fn printed_pointer(output: &Output) -> String {
    assert!(output.status.success(), "{}", said(output));
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let pointer = text.strip_suffix('\n').unwrap();
    assert!(
        pointer.starts_with("cloak1")
            && pointer.chars().all(|letter| letter.is_ascii_alphanumeric()),
        "more than a pointer: {text:?}"
    );
    pointer.to_owned()
}

pub(crate) fn pointer_id(text: &str) -> String {
    Pointer::find(text).unwrap().id.as_str().to_owned()
}

/// What stands before a blob in its object.
pub(crate) const RECORD_LEN: u64 = 77;

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
