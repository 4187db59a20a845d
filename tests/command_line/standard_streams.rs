//! Standard output and standard error that are full, closed or read by nobody: no command panics, what is only said is
//! dropped, and a result that cannot be printed is an error. Variables that are set to nothing.
#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::FileTypeExt as _;
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;

use crate::command_line::person::Person;
use crate::command_line::stand_in::{read_message, serve as serve_each};
use crate::support::{Process, blobs_in, free_port, printed_pointer, said, signal};

/// A person with the file `a.txt`, on the built-in network.
fn with_file() -> Person {
    let person = Person::new();
    person.file("a.txt", b"content");
    person
}

impl Person {
    fn pointer(&self, more: &[&str]) -> String {
        let args = [&["share", "a.txt"][..], more].concat();
        printed_pointer(&self.command_with(&args).output().unwrap())
    }

    /// Runs with the pointer on standard input and standard output or standard error on a full disk.
    fn run_full(&self, full: Stream, args: &[&str], input: &str) -> Output {
        let file = self.path("input");
        fs::write(&file, input).unwrap();
        let mut command = self.command_with(args);
        command.stdin(File::open(file).unwrap());
        match full {
            Stream::Error => command.stdout(Stdio::piped()).stderr(full_disk()),
            Stream::Output => command.stdout(full_disk()).stderr(Stdio::piped()),
        };
        command.spawn().unwrap().wait_with_output().unwrap()
    }
}

#[derive(Clone, Copy)]
enum Stream {
    Error,
    Output,
}

fn full_disk() -> File {
    let full = File::options().write(true).open("/dev/full").unwrap();
    assert!(full.metadata().unwrap().file_type().is_char_device());
    full
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

#[test]
fn a_message_that_nobody_can_read_changes_nothing() {
    let person = with_file();
    let counted = person.pointer(&["--count"]);
    let shared = person.run_full(Stream::Error, &["share", "a.txt"], "");
    assert_eq!(code(&shared), 0);
    let pointer = printed_pointer(&shared);
    fs::create_dir(person.path("out")).unwrap();
    let runs: [(&[&str], &str, i32); 9] = [
        (&["get", "-", "--out", "out"], &counted, 0),
        (&["get", "-", "--out", "out", "--who-saw-what"], &pointer, 0),
        (&["status", "-"], &counted, 0),
        (&["extend", "-"], &pointer, 0),
        (&["delete", "-"], &pointer, 0),
        (&["get", "-", "--out", "out"], &pointer, 5),
        (&["info", "-"], "nothing", 3),
        (&["share", "missing.txt"], "", 7),
        (&["nonsense"], "", 2),
    ];
    for (args, input, expected) in runs {
        let output = person.run_full(Stream::Error, args, input);
        assert_eq!(code(&output), expected, "{args:?}: {}", said(&output));
    }
}

/// Logs go to standard error, too, and tracing writes of its own about lines that it could not write.
#[test]
fn a_log_on_a_full_disk_ends_nobody() {
    let person = with_file();
    for args in SERVING {
        let mut command = person.command_with(args);
        command.env("RUST_LOG", "trace").stderr(full_disk());
        let mut process = Process::start(command);
        assert!(!process.first_line.is_empty());
        signal("TERM", process.id());
        assert!(process.wait().0.success(), "{args:?}");
    }
    let mut demo = person.command_with(&["demo", "a.txt"]);
    demo.env("RUST_LOG", "trace").stderr(full_disk());
    assert!(demo.output().unwrap().status.success());
}

/// Their first line is for people and scripts; the work goes on without it.
#[test]
fn whoever_serves_goes_on_when_its_first_line_cannot_be_printed() {
    let person = with_file();
    for args in SERVING {
        let mut command = person.command_with(args);
        command.stdout(full_disk()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let warned = lines.find(|line| line.as_ref().unwrap().contains("runs all the same"));
        assert!(
            warned.unwrap().unwrap().contains("standard output"),
            "{args:?}"
        );
        // It is up with the next line, and takes a request to end.
        assert!(lines.next().unwrap().unwrap().contains("up"), "{args:?}");
        signal("TERM", child.id());
        assert!(child.wait().unwrap().success(), "{args:?}");
    }
}

#[test]
fn a_share_whose_pointer_nobody_can_read_uploads_nothing() {
    let person = with_file();
    let full = person.run_full(Stream::Output, &["share", "a.txt"], "");
    assert_eq!(code(&full), 1);
    assert!(
        said(&full).contains("standard output could not be written"),
        "{}",
        said(&full)
    );

    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut closed_pipe = person.command_with(&["share", "a.txt"]);
    closed_pipe.stdout(writer);
    assert!(!closed_pipe.status().unwrap().success());

    let cloak = env!("CARGO_BIN_EXE_cloak");
    let closed = Command::new("sh")
        .args(["-c", "exec \"$0\" share a.txt >&-", cloak])
        .env("CLOAKROOM_HOME", person.home())
        .current_dir(person.home())
        .output()
        .unwrap();
    assert_eq!(code(&closed), 1, "{}", said(&closed));
    assert!(
        said(&closed).contains("standard output"),
        "{}",
        said(&closed)
    );
    assert!(!person.path("builtin/store").exists() && !person.path("owned.json").exists());
}

/// Whoever reads the pointer goes away while the file is on its way.
#[test]
fn a_file_whose_pointer_could_not_be_printed_is_taken_back() {
    let person = with_file();
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = door.local_addr().unwrap();
    let leads_to = free_port();
    let mut serve = person.command_with(&["serve", "--listen", &leads_to, "--store", "store"]);
    serve.args(["--public-url", &format!("http://{at}")]);
    serve.stderr(Stdio::null());
    let server = Process::start(serve);
    let address = server.first_line.clone();
    let (reader, writer) = std::io::pipe().unwrap();
    let reader = Mutex::new(Some(reader));
    serve_each(door, move |mut stream| {
        while let Some((head, body)) = read_message(&mut stream) {
            if body.len() > 60_000 {
                reader.lock().unwrap().take();
            }
            let mut onward = TcpStream::connect(&leads_to).unwrap();
            onward
                .write_all(&[head.as_bytes(), &body].concat())
                .unwrap();
            let Some((head, answer)) = read_message(&mut onward) else {
                return;
            };
            stream
                .write_all(&[head.as_bytes(), &answer].concat())
                .unwrap();
        }
    });

    let mut share = person.command_with(&["share", "a.txt", "--direct", "--server", &address]);
    share.stdout(writer).stderr(Stdio::piped());
    let output = share.spawn().unwrap().wait_with_output().unwrap();
    drop(share);
    let words = said(&output);
    assert_eq!(code(&output), 1, "{words}");
    assert!(
        words.contains("no pointer") && words.contains("deleted from the server again"),
        "{words}"
    );
    assert!(blobs_in(&person.path("store")).is_empty());
    let record = fs::read_to_string(person.path("owned.json")).unwrap();
    assert!(!record.contains("expires"), "{record}");
}

#[test]
fn a_result_that_cannot_be_printed_is_an_error() {
    let person = with_file();
    let pointer = person.pointer(&["--count"]);
    fs::create_dir(person.path("out")).unwrap();
    for (args, input) in [
        (&["get", "-", "--out", "out"][..], pointer.as_str()),
        (&["get", "-", "--out", "out", "--json"], &pointer),
        (&["status", "-"], &pointer),
        (&["extend", "-"], &pointer),
        (&["info", "-"], &pointer),
        (&["relays"], ""),
        (&["serve", "--print-config"], ""),
        (&["demo", "a.txt"], ""),
        (&["--help"], ""),
        (&["--version"], ""),
    ] {
        let output = person.run_full(Stream::Output, args, input);
        let words = said(&output);
        assert_eq!(code(&output), 1, "{args:?}: {words}");
        assert!(
            words.contains("standard output could not be written"),
            "{args:?}: {words}"
        );
        if args[0] == "get" {
            assert!(words.contains("the file is saved: "), "{words}");
        }
    }
    assert_eq!(fs::read_dir(person.path("out")).unwrap().count(), 2);
}

/// `cloak relays | head -0`: whoever reads has seen enough.
#[test]
fn a_pipe_that_was_closed_ends_quietly() {
    let person = with_file();
    for args in [&["relays"][..], &["--help"], &["serve", "--print-config"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = person.command_with(args);
        command.stdout(writer).stderr(Stdio::piped());
        let output = command.spawn().unwrap().wait_with_output().unwrap();
        assert_eq!((code(&output), said(&output).as_str()), (1, ""), "{args:?}");
    }
}

/// That is what `VARIABLE=` means in an environment file.
#[test]
fn a_variable_that_is_set_to_nothing_is_not_set() {
    let person = with_file();
    let mut share = person.command_with(&["share", "a.txt"]);
    for variable in ["CLOAKROOM_PROXY", "CLOAKROOM_ACCESS_WORD", "RUST_LOG"] {
        share.env(variable, "");
    }
    printed_pointer(&share.output().unwrap());

    let mut config = person.command_with(&["serve", "--print-config"]);
    for variable in [
        "CLOAKROOM_CONFIG",
        "CLOAKROOM_LISTEN",
        "CLOAKROOM_MAX_TOTAL",
    ] {
        config.env(variable, "");
    }
    assert!(config.output().unwrap().status.success());

    // An option that says nothing is a mistake: `--proxy "$PROXY"` without a PROXY must not go out without one.
    let said_empty = person
        .command_with(&["share", "a.txt", "--proxy", ""])
        .output();
    assert_eq!(code(&said_empty.unwrap()), 2);
}

#[test]
fn whoever_wants_the_pointer_lost_may_lose_it() {
    let person = with_file();
    let null = File::options().write(true).open("/dev/null").unwrap();
    let mut share = person.command_with(&["share", "a.txt"]);
    share.stdout(null).stderr(Stdio::null());
    assert!(share.status().unwrap().success());
}

/// What serves until it is ended.
const SERVING: [&[&str]; 3] = [
    &["serve", "--listen", "127.0.0.1:0", "--store", "store"],
    &[
        "relay",
        "--key",
        "r.key",
        "--listen",
        "127.0.0.1:0",
        "--allow-private",
    ],
    &["up", "--dir", "net"],
];
