//! What the command line promises to people and scripts: exit codes, what goes to which stream, and the built-in network
//! behind commands that name no server. Failures of transfers themselves are in `end_to_end.rs`.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
#[cfg(unix)]
use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
#[cfg(unix)]
use std::sync::mpsc;
#[cfg(unix)]
use std::time::Duration;
#[cfg(target_os = "linux")]
use std::time::Instant;

use cloakroom::app::relays::RelaySource;
use cloakroom::app::settings::{Home, ServerChoice, ServerEntry, Settings};
use cloakroom::protocol::address::FileId;
use cloakroom::protocol::digest::Digest;
use cloakroom::protocol::keys::Identity;
use cloakroom::protocol::pointer::{Pointer, PointerKey};
use cloakroom::protocol::relay_list::{RelayDescriptor, RelayList, Serves};
use cloakroom::protocol::seal::{ContentKind, FileKey, Sealed, seal};
use cloakroom::wire::random;
use serde_json::Value;
use tempfile::tempdir;

use crate::command_line::person::Person;
use crate::support::{
    Network, Process, RECORD_LEN, blobs_in, content, now, printed_pointer, said, with_input,
};
#[cfg(unix)]
use crate::support::{signal, write_list};

/// Whoever can change the folder decides which servers, relays and windows are trusted.
#[cfg(unix)]
#[test]
fn a_folder_that_another_user_owns_or_can_change_is_refused_in_words() {
    use std::os::unix::fs::PermissionsExt as _;

    let person = Person::new();
    let up = ["up", "--dir", person.home().to_str().unwrap()];
    let refused = |words: &str| {
        for args in [&["relays"][..], &up] {
            let run = person.run(args);
            let said = said(&run);
            assert!(!run.status.success(), "{said}");
            for words in [words, person.home().to_str().unwrap(), "CLOAKROOM_HOME"] {
                assert!(said.contains(words), "{words} is missing: {said}");
            }
        }
        assert_eq!(fs::read_dir(person.home()).unwrap().count(), 0);
    };
    fs::set_permissions(person.home(), fs::Permissions::from_mode(0o775)).unwrap();
    refused("chmod go-w");
    if rustix::process::geteuid().is_root() {
        fs::set_permissions(person.home(), fs::Permissions::from_mode(0o755)).unwrap();
        let nobody = rustix::fs::Uid::from_raw(65_534);
        rustix::fs::chown(person.home(), Some(nobody), None).unwrap();
        refused("without sudo");
    }
}

/// The command, allowed to leave core dumps as far as the system lets it.
#[cfg(target_os = "linux")]
fn with_core_dumps(program: &str, args: &[&str]) -> Command {
    let allow = r#"ulimit -S -c "$(ulimit -H -c)"; exec "$0" "$@""#;
    let mut command = Command::new("sh");
    command.args(["-c", allow, program]).args(args);
    command
}

/// How large a core dump of this process may be, as the system says it.
#[cfg(target_os = "linux")]
fn core_limit(process: u32) -> String {
    let limits = fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
    let core = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max core file size"));
    let soft = core.unwrap().split_whitespace().next();
    soft.unwrap().to_owned()
}

#[cfg(target_os = "linux")]
#[test]
fn a_crash_leaves_no_copy_of_memory_on_disk() {
    let person = Person::new();
    let mut command = with_core_dumps(env!("CARGO_BIN_EXE_cloak"), &["up"]);
    let up = Process::start({
        command.env("CLOAKROOM_HOME", person.home());
        command
    });
    assert_eq!(core_limit(up.id()), "0");
}

/// The part of the window that needs no display: it waits for a pointer to keep on the clipboard.
#[cfg(all(target_os = "linux", feature = "gui"))]
#[test]
fn a_crash_of_the_window_leaves_no_copy_of_memory_on_disk() {
    let program = env!("CARGO_BIN_EXE_cloakroom");
    let mut held = with_core_dumps(program, &["--hold-clipboard"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let began = Instant::now();
    while core_limit(held.id()) != "0" {
        assert!(began.elapsed() < Duration::from_secs(20), "it never is");
        std::thread::yield_now();
    }
    drop(held.stdin.take());
    held.wait().unwrap();
}

#[test]
fn the_help_has_the_exit_codes_and_goes_to_standard_output() {
    let person = Person::new();
    let help = person.run(&["--help"]);
    assert!(help.status.success() && help.stderr.is_empty());
    let text = String::from_utf8(help.stdout).unwrap();
    for code in ["0", "1", "2", "3", "4", "5", "6", "7", "8", "130"] {
        assert!(
            text.lines()
                .any(|line| line.split_whitespace().next() == Some(code)),
            "{code} is missing:\n{text}"
        );
    }
    for command in [
        "check",
        "delete",
        "demo",
        "extend",
        "get",
        "info",
        "relay",
        "relay-list",
        "serve",
        "share",
        "status",
        "store",
        "up",
    ] {
        assert!(person.run(&[command, "--help"]).status.success());
        assert!(text.contains(command));
    }
}

#[test]
fn wrong_usage_is_2_and_says_so_on_standard_error() {
    let person = Person::new();
    let file = person.file("a.txt", b"content");
    let file = file.to_str().unwrap();
    for args in [
        &[][..],
        &["fetch"],
        &["share"],
        &["get"],
        &["share", file, "--nonsense"],
        &["share", file, "--server", "http://127.0.0.1:1"],
        &["share", file, "--ttl", "soon"],
        &["share", file, "--direct", "--relays", "list.json"],
        &["relay", "--listen", "nowhere"],
        &["relay", "--listen", "0.0.0.0:0"],
        &["relay", "--listen", "[::]:0"],
        &["relay", "--listen", "0.0.0.0:8790", "--print-descriptor"],
        &["relay", "--listen", "127.0.0.1:0", "--print-descriptor"],
        &["relay", "--serves", "http://a.example"],
        &["serve", "--listen", "0.0.0.0:0"],
        &["relay-list", "new"],
    ] {
        let output = person.run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", said(&output));
        assert!(
            output.stdout.is_empty() && !output.stderr.is_empty(),
            "{args:?}"
        );
    }
    let words = |args| said(&person.run(args));
    assert!(words(&["relay", "--listen", "0.0.0.0:0"]).contains("--public-host"));
    assert!(words(&["serve", "--listen", "0.0.0.0:0"]).contains("--public-url"));
}

#[test]
fn what_has_no_code_of_its_own_is_1() {
    let person = Person::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for command in ["serve", "relay"] {
        let output = person.run(&[command, "--listen", &taken]);
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        assert!(
            output.stdout.is_empty(),
            "an address is printed only once it listens"
        );
    }
    let _up = person.start(&["up"]);
    let output = person.run(&["up"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("already runs"));
}

#[cfg(unix)]
#[test]
fn a_key_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;

    let person = Person::new();
    drop(person.start(&["serve", "--listen", "127.0.0.1:0"]));
    let key = person.home().join("cloakroom-data").join("server.key");
    assert_eq!(
        fs::metadata(&key).unwrap().permissions().mode() & 0o777,
        0o600
    );
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let output = person.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("chmod 600"), "{}", said(&output));
}

#[test]
fn each_damage_of_a_pointer_is_3_and_has_its_words() {
    let person = Person::new();
    let whole = offline_pointer("127.0.0.1:1").to_text();
    let whole = whole.as_str();
    let middle = whole.len() / 2;
    let other = if whole[middle..].starts_with('q') {
        "p"
    } else {
        "q"
    };
    let changed = format!("{}{other}{}", &whole[..middle], &whole[middle + 1..]);
    for (text, words) in [
        ("hello", "there is no pointer"),
        ("", "there is no pointer"),
        (&whole[..whole.len() - 9], "cut off"),
        (&changed, "was changed on its way"),
        (&" ".repeat(70_000), "too long"),
    ] {
        for command in ["get", "info"] {
            let output = person.run_with(&[command, "-"], text);
            assert_eq!(output.status.code(), Some(3), "{}", said(&output));
            assert!(said(&output).contains(words), "{}", said(&output));
            assert!(output.stdout.is_empty());
        }
    }
    assert!(person.is_untouched());
}

#[test]
fn no_way_to_the_server_is_4() {
    let person = Person::new();
    let file = person.file("a.txt", b"content");
    let address = format!("http://127.0.0.1:1#p={SOME_KEY}");
    let output = person.run(&["share", file.to_str().unwrap(), "--server", &address]);
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    assert!(
        said(&output).contains("no relay of yours serves this server"),
        "sharing is not fetching: {}",
        said(&output)
    );
    let output = person.run(&[
        "share",
        file.to_str().unwrap(),
        "--server",
        &address,
        "--direct",
    ]);
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
}

#[test]
fn a_pointer_of_another_computers_built_in_network_is_said_to_be_one() {
    let (sender, recipient) = (Person::new(), Person::new());
    let pointer = sender.share(&sender.file("a.txt", b"content"), &[]);
    let output = recipient.run_with(&["get", "-"], &pointer);
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    assert!(
        said(&output).contains("another computer's built-in network"),
        "{}",
        said(&output)
    );
    // It is no different for somebody who has a built-in network of their own.
    recipient.share(&recipient.file("b.txt", b"other"), &[]);
    let output = recipient.run_with(&["get", "-"], &pointer);
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    assert!(said(&output).contains("another computer's built-in network"));
}

#[test]
fn a_server_of_ones_own_on_loopback_is_nobody_elses_built_in_network() {
    let (sender, recipient) = (Person::new(), Person::new());
    let pointer = sender.share(&sender.file("a.txt", b"content"), &[]);
    let mut config = Settings::default();
    let server = Pointer::find(&pointer).unwrap().server;
    config.servers.push(ServerEntry::new("mine", server));
    config.save(&Home::in_folder(recipient.home())).unwrap();
    let output = recipient.run_with(&["get", "-"], &pointer);
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    let said = said(&output);
    assert!(
        said.contains("no relay of yours serves this server"),
        "{said}"
    );
    assert!(
        said.contains("--relays FILE") && said.contains("--direct"),
        "{said}"
    );
}

#[test]
fn missing_at_the_server_is_5_and_changed_is_6() {
    let person = Person::new();
    let pointer = person.share(&person.file("a.txt", b"content"), &[]);
    let blob = person.blobs().pop().unwrap();
    let mut bytes = fs::read(&blob).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&blob, bytes).unwrap();
    let output = person.run_with(&["get", "-", "--out", "got"], &pointer);
    assert_eq!(output.status.code(), Some(6), "{}", said(&output));
    fs::remove_file(&blob).unwrap();
    let output = person.run_with(&["get", "-", "--out", "got"], &pointer);
    assert_eq!(output.status.code(), Some(5), "{}", said(&output));
    assert!(!person.home().join("got").exists());
}

#[test]
fn files_and_folders_of_this_computer_are_7() {
    let person = Person::new();
    fs::create_dir(person.home().join("folder")).unwrap();
    let file = person.file("a.txt", b"content");
    let file = file.to_str().unwrap();
    for (args, words) in [
        (&["share", "missing.txt"][..], "there is no such file"),
        (&["share", "folder"], "there is nothing to share"),
        (&["share", "a.txt", "missing.txt"], "There is no such file"),
        (&["demo", "missing.txt"], "there is no such file"),
        (&["demo", "folder"], "there is nothing to share"),
        (
            &[
                "share",
                file,
                "--server",
                &format!("http://127.0.0.1:1#p={SOME_KEY}"),
                "--relays",
                "none.json",
            ],
            "the relay list could not be read",
        ),
        (
            &["relay-list", "new", "none.json"],
            "the relay list could not be read",
        ),
        (
            &["relay-list", "new", "a.txt"],
            "the relay list was not taken",
        ),
    ] {
        let output = person.run(args);
        assert_eq!(output.status.code(), Some(7), "{args:?}: {}", said(&output));
        assert!(said(&output).contains(words), "{args:?}: {}", said(&output));
        assert!(output.stdout.is_empty());
    }

    let pointer = person.share(Path::new(file), &[]);
    let output = person.run_with(&["get", "-", "--out", "nowhere/b.txt"], &pointer);
    assert_eq!(output.status.code(), Some(7), "{}", said(&output));
    assert!(!person.home().join("nowhere").exists());
}

#[test]
fn a_time_that_the_server_does_not_keep_is_8_and_nothing_is_stored() {
    let person = Person::new();
    let file = person.file("a.txt", b"content");
    for ttl in ["31d", "5m"] {
        let output = person.run(&["share", file.to_str().unwrap(), "--ttl", ttl]);
        assert_eq!(output.status.code(), Some(8), "{}", said(&output));
        assert!(output.stdout.is_empty() && person.blobs().is_empty());
    }
    let output = person.run(&["share", file.to_str().unwrap(), "--ttl", "31d"]);
    assert!(said(&output).contains("720 hours"), "{}", said(&output));

    let now = now();
    let pointer = Pointer::find(&person.share(&file, &["--ttl", "3h"])).unwrap();
    let expires = pointer.expires.unwrap();
    assert!(
        (now + 3 * 3_600..=now + 4 * 3_600 + 60).contains(&expires),
        "the hour is rounded up"
    );
}

#[cfg(unix)]
#[test]
fn an_interrupted_share_is_130() {
    let person = Person::new();
    let (list, met) = person.silent_relays();
    let file = person.file("a.txt", b"content");
    for name in ["INT", "TERM"] {
        let mut share = person.command();
        share
            .arg("share")
            .arg(&file)
            .args(["--server", &format!("http://127.0.0.1:1#p={SOME_KEY}")])
            .arg("--relays")
            .arg(&list)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let share = share.spawn().unwrap();
        let _held = met.recv_timeout(PATIENCE).unwrap();
        signal(name, share.id());
        let output = share.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{}", said(&output));
        assert!(output.stdout.is_empty());
        assert!(
            String::from_utf8_lossy(&output.stderr).starts_with("error: cancelled."),
            "{}",
            said(&output)
        );
    }
}

/// The signal was once taken by a handler that nobody listened to while the pointer was awaited.
#[cfg(target_os = "linux")]
#[test]
fn a_command_that_waits_for_a_pointer_can_be_interrupted() {
    let person = Person::new();
    for command in ["get", "info"] {
        let mut waiting = person.command();
        waiting
            .args([command, "-"])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped());
        let mut waiting = waiting.spawn().unwrap();
        let until = Instant::now() + PATIENCE;
        while !catches_interrupts(waiting.id()) {
            assert!(Instant::now() < until, "it never took care of interrupts");
            std::thread::yield_now();
        }
        signal("INT", waiting.id());
        let ended = loop {
            if let Some(status) = waiting.try_wait().unwrap() {
                break Some(status);
            }
            if Instant::now() > until {
                break None;
            }
            std::thread::yield_now();
        };
        waiting.kill().ok();
        assert_eq!(
            ended.and_then(|status| status.code()),
            Some(130),
            "{command}"
        );
    }
}

#[cfg(unix)]
#[test]
fn servers_and_relays_end_well_when_asked_to() {
    let person = Person::new();
    for args in [
        &["serve", "--listen", "127.0.0.1:0"][..],
        &["relay", "--listen", "127.0.0.1:0"],
        &["up"],
    ] {
        let mut running = person.start(args);
        // What it says last before it waits.
        running.wait_for(if args[0] == "relay" {
            "warning"
        } else {
            "is up"
        });
        let (status, _said) = running.end();
        assert_eq!(status.code(), Some(0), "{args:?}");
    }
}

#[test]
fn a_pointer_is_alone_on_standard_output() {
    let person = Person::new();
    let file = person.file("a name (1).txt", b"content");
    let output = person.run(&["share", file.to_str().unwrap()]);
    let pointer = printed_pointer(&output);
    let noted = String::from_utf8(output.stderr).unwrap();
    assert!(noted.contains("nothing left this computer"), "{noted}");
    assert!(
        !noted.contains(&pointer) && !noted.contains(['\u{1b}', '\r']),
        "{noted:?}"
    );

    let output = person.run_with(&["get", "-", "--out", "got.txt"], &pointer);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "got.txt\n");
    assert!(output.stderr.is_empty(), "{}", said(&output));
}

#[test]
fn a_pointer_is_found_in_what_people_paste() {
    let person = Person::new();
    let pointer = person.share(&person.file("a.txt", b"content"), &[]);
    for (number, text) in [
        format!("Here it is: {pointer}. Have fun!\r\n"),
        format!("> cloakroom:{pointer}\n\n--\nsent from my phone"),
        format!("\u{feff}“{pointer}”"),
        pointer.to_uppercase(),
    ]
    .into_iter()
    .enumerate()
    {
        let out = format!("{number}.txt");
        let output = person.run_with(&["get", "-", "--out", &out], &text);
        assert!(output.status.success(), "{text}: {}", said(&output));
        assert_eq!(fs::read(person.home().join(out)).unwrap(), b"content");
    }
    let output = person.run(&["get", &pointer, "--out", "argument.txt"]);
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn json_is_one_object_a_line() {
    let person = Person::new();
    let file = person.file("a.txt", b"content");
    let one_object = |output: Output| -> Value {
        assert!(output.status.success(), "{}", said(&output));
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(text.lines().count(), 1);
        serde_json::from_str(&text).unwrap()
    };
    let shared = one_object(person.run(&["share", file.to_str().unwrap(), "--json"]));
    let text = shared["pointer"].as_str().unwrap();
    let pointer = Pointer::find(text).unwrap();
    assert_eq!(shared["size"], 7);
    assert_eq!(shared["sent_as"], 65_536);
    assert_eq!(shared["expires"], pointer.expires.unwrap());
    assert_eq!(shared["server"], pointer.server.to_string());
    assert_eq!(shared["this_computer_only"], true);
    assert!(shared["seconds"].as_f64().unwrap() > 0.0);

    let info = one_object(person.run_with(&["info", "-", "--json"], text));
    assert_eq!(info["kind"], "file");
    assert_eq!(info["name"], "a.txt");
    assert_eq!(info["size"], 7);
    assert_eq!(info["id"], pointer.id.as_str());
    assert_eq!(info["sha256"], pointer.digest.to_hex());
    assert!(
        !info.to_string().contains(&hex(pointer.key.as_bytes())),
        "the key stays in the pointer"
    );

    let got = one_object(person.run_with(&["get", "-", "--json", "--out", "b.txt"], text));
    assert_eq!(got["path"], "b.txt");
    assert_eq!(got["size"], 7);
}

/// Paths need not be Unicode, JSON must be.
#[cfg(target_os = "linux")]
#[test]
fn json_survives_a_folder_whose_name_is_no_unicode() {
    use std::os::unix::ffi::OsStrExt as _;

    let person = Person::new();
    let pointer = person.share(&person.file("a.txt", b"content"), &[]);
    let folder = person
        .home()
        .join(std::ffi::OsStr::from_bytes(b"folder-\xff"));
    fs::create_dir(&folder).unwrap();
    for json in [true, false] {
        let mut get = person.command();
        get.args(["get", "-", "--out"]).arg(&folder);
        if json {
            get.arg("--json");
        }
        let output = with_input(get, &pointer);
        assert!(output.status.success(), "{}", said(&output));
        if json {
            serde_json::from_slice::<Value>(&output.stdout).unwrap();
        } else {
            assert_eq!(
                output.stdout,
                [folder.as_os_str().as_bytes(), b"/a (1).txt\n"].concat(),
                "scripts can use the path"
            );
        }
    }
}

#[test]
fn info_contacts_nobody_and_leaves_no_trace() {
    let person = Person::new();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let pointer = offline_pointer(&server.local_addr().unwrap().to_string());
    let mut info = person.command();
    info.args(["info", "-"]);
    for proxy in ["http_proxy", "https_proxy", "all_proxy"] {
        info.env(proxy, format!("http://{}", server.local_addr().unwrap()));
    }
    let output = with_input(info, pointer.to_text().as_str());
    assert!(output.status.success(), "{}", said(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    for known in [
        "a name.pdf",
        "1,234 bytes",
        "65,536",
        &pointer.server.to_string(),
        pointer.id.as_str(),
        &pointer.digest.to_hex(),
        "2033-05-18T03:33:20Z",
    ] {
        assert!(text.contains(known), "{known} is missing:\n{text}");
    }
    assert!(!text.contains(&hex(pointer.key.as_bytes())));
    assert_eq!(server.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    assert!(person.is_untouched());
}

#[test]
fn a_name_in_a_pointer_cannot_drive_the_terminal() {
    let person = Person::new();
    for name in [
        "a\u{1b}[2Jb.txt",
        "a\nserver   http://evil",
        "a\u{202e}fdp.exe",
    ] {
        let pointer = Pointer {
            name: Some(name.to_owned()),
            ..offline_pointer("127.0.0.1:1")
        };
        for json in [&["info", "-"][..], &["info", "-", "--json"]] {
            let output = person.run_with(json, pointer.to_text().as_str());
            // A pointer with such a name may be refused as a whole.
            let text = said(&output);
            assert!(
                !text.contains(['\u{1b}', '\u{202e}']) && !text.contains("\nserver   http://evil"),
                "{text:?}"
            );
        }
    }
}

#[test]
fn a_list_or_an_entry_cannot_drive_the_terminal() {
    let person = Person::new();
    // An unknown key, which the parser repeats: title of the terminal, red, a line of its own, turned around, endless.
    let key = format!(
        r"\u001b]0;PWNED\u0007\u001b[31m\r\nerror: \u202e\u200b\u009b{}",
        "x".repeat(500)
    );
    let file = |name: &str, json: String| {
        person.file(name, json.as_bytes());
        name.to_owned()
    };
    let list = file("evil.json", format!(r#"{{"version":1,"{key}":1}}"#));
    let entry = file("evil.entry", format!(r#"{{"{key}":1}}"#));
    let value = file(
        "evil.value",
        format!(r#"{{"ed25519":"","x25519":"","host":"","port":"{key}"}}"#),
    );
    let server = format!("http://127.0.0.1:1#p={SOME_KEY}");
    for command in [
        &["relays", "use", &list][..],
        &["relays", "use", &entry],
        &["relay-list", "new", "--name", "n", &entry],
        &["relay-list", "new", "--name", "n", &value],
        &["relay-list", "verify", &list],
        &["share", &list, "--server", &server, "--relays", &list],
    ] {
        let output = person.run(command);
        assert!(!output.status.success(), "{command:?}");
        let text = said(&output);
        let hostile = |c: char| {
            c != '\n' && c.is_control() || matches!(c, '\u{200b}' | '\u{202e}' | '\u{9b}')
        };
        assert!(!text.contains(hostile), "{command:?}: {text:?}");
        assert!(!text.contains("\nerror: \u{fffd}"), "{command:?}: {text:?}");
        let longest = text.lines().map(|line| line.chars().count()).max();
        assert!(longest < Some(300), "{command:?}: {text:?}");
    }
}

#[test]
fn what_is_printed_for_programs_keeps_every_character_of_a_strangers_entry() {
    let person = Person::new();
    let operator = "Eve\u{1b}[31m\u{202e}\u{9b}";
    let entries: String = (1..=3)
        .map(|seed| {
            let relay = RelayDescriptor {
                key: Identity::from_seed([seed; 32]).public(),
                host: [192, 0, 2, seed].into(),
                port: 443,
                operator: operator.to_owned(),
                serves: Serves::Any,
            };
            relay.to_json() + "\n"
        })
        .collect();
    person.file("entries", entries.as_bytes());
    let output = person.run(&["relay-list", "new", "--name", "n\u{202e}", "entries"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.chars().all(|c| matches!(c, ' '..='~' | '\n')),
        "{text:?}"
    );
    let list = RelayList::read(text.as_bytes()).unwrap();
    assert_eq!(list.name, "n\u{202e}");
    assert!(list.relays.iter().all(|relay| relay.operator == operator));
}

#[test]
fn a_relay_prints_the_entry_that_it_serves() {
    let person = Person::new();
    let port = {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap().port()
    };
    let listen = format!("127.0.0.1:{port}");
    let flags = [
        "relay",
        "--listen",
        &listen,
        "--key",
        "my.key",
        "--operator",
        "Ada \"L\"",
        "--serves",
        "files.example",
        "--allow-private",
    ];
    let printed = person.run(&[&flags[..], &["--print-descriptor"]].concat());
    assert!(printed.status.success() && printed.stderr.is_empty());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let key = fs::metadata(person.home().join("my.key")).unwrap();
        assert_eq!(key.permissions().mode() & 0o777, 0o600);
    }
    let printed = String::from_utf8(printed.stdout).unwrap();
    let running = person.start(&flags);
    assert_eq!(printed, format!("{}\n", running.first_line));
    let entry = RelayDescriptor::parse(&printed).unwrap();
    assert_eq!((entry.port, entry.operator.as_str()), (port, "Ada \"L\""));
    for host in ["files.example", "127.0.0.1", "::1", "localhost"] {
        assert!(entry.serves.includes(host), "{host}");
    }
    assert!(!entry.serves.includes("other.example"));
    TcpStream::connect(&listen).expect("what is printed listens");
}

#[test]
fn a_relay_on_every_address_hands_out_its_public_one() {
    let person = Person::new();
    let relay = person.start(&[
        "relay",
        "--listen",
        "0.0.0.0:0",
        "--public-host",
        "192.0.2.7",
    ]);
    let entry = RelayDescriptor::parse(&relay.first_line).unwrap();
    assert_eq!(entry.host.to_string(), "192.0.2.7");
    TcpStream::connect(("127.0.0.1", entry.port)).expect("the port is the one that was picked");
}

#[test]
fn a_server_prints_its_address_first_and_keeps_it() {
    let person = Person::new();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--store", "files"];
    let server = person.start(&serve);
    let address = server.first_line.clone();
    let (url, key) = address.split_once("#p=").unwrap();
    assert!(key.len() == 64 && key.chars().all(|digit| digit.is_ascii_hexdigit()));
    TcpStream::connect(url.strip_prefix("http://").unwrap()).expect("it listens already");
    let second = person.run(&serve);
    assert_eq!(second.status.code(), Some(1), "one server a folder");
    drop(server);
    assert!(person.start(&serve).first_line.ends_with(key));

    let behind = person.start(&[&serve[..], &["--public-url", "https://files.example/"]].concat());
    assert_eq!(behind.first_line, format!("https://files.example#p={key}"));
}

#[test]
fn a_pointer_of_the_built_in_network_survives_it() {
    let person = Person::new();
    let pointer = person.share(&person.file("a.txt", b"content"), &[]);
    let kept = person.kept_by_builtin();
    assert_eq!(kept.len(), 5, "four keys and the ports: {:?}", kept.keys());
    for out in ["1.txt", "2.txt"] {
        person.get(&pointer, out);
        assert_eq!(fs::read(person.home().join(out)).unwrap(), b"content");
        assert!(
            person.kept_by_builtin() == kept,
            "its keys or ports changed"
        );
    }
}

#[test]
fn commands_use_the_built_in_network_that_runs() {
    let person = Person::new();
    let before = person.share(&person.file("before.txt", b"before"), &[]);
    let mut up = person.start(&["up"]);
    let list = up.next_line();
    assert_eq!(
        up.first_line,
        Pointer::find(&before).unwrap().server.to_string()
    );
    assert!(fs::read_to_string(&list).unwrap().contains("built-in"));

    person.get(&before, "1.txt");
    let during = person.share(&person.file("during.txt", b"during"), &[]);
    assert_eq!(person.blobs().len(), 2);
    let other = Person::new();
    let mut from_elsewhere = other.command();
    from_elsewhere.args(["get", "-", "--out", "2.txt", "--relays", &list]);
    let output = with_input(from_elsewhere, &during);
    assert!(
        output.status.success(),
        "it can be used by its printed lines: {}",
        said(&output)
    );
    up.kill();
    // It was killed and could not withdraw its notice.
    person.get(&during, "3.txt");
    assert_eq!(fs::read(person.home().join("3.txt")).unwrap(), b"during");
}

#[test]
fn a_folder_can_be_given_for_the_built_in_network() {
    let (person, other) = (Person::new(), Person::new());
    let folder = other.home().to_str().unwrap().to_owned();
    let up = person.start(&["up", "--dir", &folder]);
    let pointer = other.share(&other.file("a.txt", b"content"), &[]);
    assert_eq!(
        Pointer::find(&pointer).unwrap().server.to_string(),
        up.first_line
    );
    assert!(person.is_untouched());
}

#[test]
fn commands_at_the_same_time_share_one_built_in_network() {
    let person = Person::new();
    let files: Vec<_> = (0..4)
        .map(|number| {
            let content = content(50_000 + number);
            person.file(&format!("{number}.bin"), &content)
        })
        .collect();
    let running: Vec<_> = files
        .iter()
        .map(|file| {
            let mut share = person.command();
            share.arg("share").arg(file);
            share.stdout(Stdio::piped()).stderr(Stdio::piped());
            share.spawn().unwrap()
        })
        .collect();
    let pointers: Vec<_> = running
        .into_iter()
        .map(|share| printed_pointer(&share.wait_with_output().unwrap()))
        .collect();
    assert_eq!(person.blobs().len(), 4);
    for (number, (file, pointer)) in files.iter().zip(&pointers).enumerate() {
        let out = format!("got-{number}");
        person.get(pointer, &out);
        assert!(fs::read(file).unwrap() == fs::read(person.home().join(out)).unwrap());
    }
}

#[test]
fn a_taken_port_costs_no_file_and_is_not_told() {
    let person = Person::new();
    let pointer = person.share(&person.file("a.txt", b"content"), &[]);
    let port = Pointer::find(&pointer).unwrap().server.url.port();
    let _taken = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let output = person.run_with(&["get", "-", "--out", "b.txt"], &pointer);
    assert!(output.status.success(), "{}", said(&output));
    assert!(
        !said(&output).contains(&port.to_string()),
        "{}",
        said(&output)
    );
}

#[test]
fn the_settings_choose_server_and_relays() {
    let network = Network::start();
    let person = Person::new();
    let server = network.server.first_line.parse().unwrap();
    let mut config = Settings::default();
    let list = RelaySource::File(network.list());
    config
        .servers
        .push(ServerEntry::new("mine", server).through(list));
    config.chosen = ServerChoice::Server(config.servers[0].address.clone());
    config.save(&Home::in_folder(person.home())).unwrap();

    let output = person.run(&["share", person.file("a.txt", b"content").to_str().unwrap()]);
    let pointer = printed_pointer(&output);
    assert!(output.stderr.is_empty(), "{}", said(&output));
    assert_eq!(network.stored().len(), 1);
    person.get(&pointer, "b.txt");
    assert!(
        !person.home().join("builtin").exists(),
        "nothing else is started"
    );

    fs::write(person.home().join("config.toml"), "version = [").unwrap();
    let output = person.run(&["share", person.file("c.txt", b"content").to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    for words in ["nothing is sent", "line 1", "config.toml"] {
        assert!(said(&output).contains(words), "{}", said(&output));
    }
    assert_eq!(network.stored().len(), 1);
    assert!(
        !person.home().join("builtin").exists(),
        "not even the built-in network takes the place of what they say"
    );
}

#[test]
fn nothing_goes_over_relays_while_the_first_ones_are_not_known() {
    let person = Person::new();
    let file = person.file("a.txt", b"content");
    let pointer = person.share(&file, &[]);
    let memory = person.home().join("network.json");
    let kept = fs::read(&memory).unwrap();
    fs::write(&memory, "{").unwrap();
    for arguments in [["get", pointer.as_str()], ["share", file.to_str().unwrap()]] {
        let output = person.run(&arguments);
        assert_eq!(output.status.code(), Some(7), "{}", said(&output));
        for words in ["nothing is sent over relays", "damaged", "network.json"] {
            assert!(said(&output).contains(words), "{}", said(&output));
        }
        assert_eq!(fs::read(&memory).unwrap(), b"{");
    }
    person.share(&file, &["--direct"]);
    assert_eq!(fs::read(&memory).unwrap(), b"{");
    fs::write(&memory, kept).unwrap();
    person.get(&pointer, "b.txt");
}

#[test]
fn the_demo_goes_on_when_any_relay_is_killed() {
    let person = Person::new();
    // More than a connection swallows at once: the relay dies in the middle of the upload.
    let file = person.file("report.pdf", &vec![7; 4_000_000]);
    for (doomed, word) in [
        ("guard", "guard"),
        ("middle", "middle relay"),
        ("last", "last relay"),
    ] {
        let output = person.run(&[
            "demo",
            &format!("--kill-relay={doomed}"),
            file.to_str().unwrap(),
        ]);
        assert!(output.status.success(), "{doomed}: {}", said(&output));
        let text = String::from_utf8(output.stdout).unwrap();
        for part in [
            &format!("killed    the {word} of the first try"),
            "try 2 ",
            "the file came back, and its bytes are the same",
        ] {
            assert!(text.contains(part), "{doomed}: {part:?} is not in\n{text}");
        }
    }
}

#[test]
fn a_demo_shows_the_whole_way_and_leaves_nothing() {
    let person = Person::new();
    let file = person.file("photo (größe).jpg", &content(100_000));
    let temporary = tempdir().unwrap();
    let mut demo = person.command();
    let output = demo
        .arg("demo")
        .arg(&file)
        .env("TMPDIR", temporary.path())
        .env("TMP", temporary.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    let pointers: Vec<_> = text
        .lines()
        .filter(|line| line.contains("cloak1"))
        .collect();
    assert_eq!(pointers.len(), 1);
    assert!(
        pointers[0].starts_with("cloak1")
            && pointers[0]
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric()),
        "the pointer has a line of its own"
    );
    for part in [
        "100,000 bytes",
        "393,216",
        "class 1",
        "You → First relay",
        "→ Middle relay",
        "→ Last relay",
        "→ File server",
        "shared in",
        "fetched in",
        "who saw what",
        "your IP address",
        "its bytes are the same",
    ] {
        assert!(text.contains(part), "{part:?} is missing:\n{text}");
    }
    assert_eq!(
        text.matches("your IP address").count() >= 2,
        text.contains("Stored the file") && text.contains("Fetched the file")
    );
    assert!(person.is_untouched_but(&["photo (größe).jpg"]));
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
}

#[test]
fn out_is_a_folder_or_a_file_and_nothing_is_overwritten() {
    let person = Person::new();
    let pointer = person.share(&person.file("a.txt", b"content"), &[]);
    fs::create_dir(person.home().join("folder")).unwrap();
    person.file("taken.txt", b"precious");
    let sep = std::path::MAIN_SEPARATOR;
    for (out, saved) in [
        ("folder", format!("folder{sep}a.txt")),
        ("folder/", "folder/a (1).txt".to_owned()),
        ("folder/b.txt", "folder/b.txt".to_owned()),
        ("taken.txt", "taken (1).txt".to_owned()),
    ] {
        let output = person.run_with(&["get", "-", "--out", out], &pointer);
        assert!(output.status.success(), "{}", said(&output));
        let printed = String::from_utf8(output.stdout).unwrap();
        assert_eq!(
            PathBuf::from(printed.trim_end()),
            PathBuf::from(&saved),
            "{out}"
        );
        assert_eq!(fs::read(person.home().join(saved)).unwrap(), b"content");
    }
    assert_eq!(
        fs::read(person.home().join("taken.txt")).unwrap(),
        b"precious"
    );
    // Without --out it is the current folder.
    let output = person.run_with(&["get", "-"], &pointer);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "a (1).txt\n");
}

#[test]
fn a_hostile_name_stays_one_file_in_the_chosen_folder() {
    let person = Person::new();
    for (number, name) in [
        "../../escaped.txt",
        "/etc/cron.d/evil",
        "..\\..\\escaped.txt",
        "C:\\Windows\\evil.exe",
        "..",
        ".bashrc",
        "CON.txt",
        "a\u{1b}[31m\n\u{202e}fdp.exe",
        "  spaces and dots . . ",
    ]
    .into_iter()
    .enumerate()
    {
        let pointer = person.plant(name);
        let folder = person.home().join(format!("received-{number}"));
        fs::create_dir(&folder).unwrap();
        let output = person.run_with(&["get", "-", "--out", folder.to_str().unwrap()], &pointer);
        assert!(output.status.success(), "{name:?}: {}", said(&output));
        let files: Vec<_> = fs::read_dir(&folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            // Wine writes into a file of its own what is a stream on Windows.
            .filter(|name| cfg!(unix) || !name.ends_with(":Zone.Identifier"))
            .collect();
        assert_eq!(files.len(), 1, "{name:?}: {files:?}");
        let saved = &files[0];
        assert!(
            !saved.starts_with('.')
                && !saved.ends_with(['.', ' '])
                && !saved.contains(['/', '\\', ':', '\u{1b}', '\n', '\u{202e}'])
                && saved != "CON.txt",
            "{name:?} became {saved:?}"
        );
        assert_eq!(
            String::from_utf8(output.stdout).unwrap().trim_end(),
            folder.join(saved).to_str().unwrap()
        );
        assert_eq!(fs::read(folder.join(saved)).unwrap(), b"hostile");
    }
}

#[test]
fn without_a_name_in_the_pointer_the_sealed_one_is_used() {
    let person = Person::new();
    let pointer = person.share(&person.file("secret plan.txt", b"content"), &["--no-name"]);
    let info = person.run_with(&["info", "-"], &pointer);
    assert!(said(&info).contains("not in the pointer") && !said(&info).contains("secret plan"));
    fs::create_dir(person.home().join("received")).unwrap();
    person.get(&pointer, "received");
    assert!(person.home().join("received/secret plan.txt").exists());
}

#[test]
fn a_name_that_the_settings_keep_out_of_pointers_stays_out() {
    let person = Person::new();
    let settings = person.home().join("config.toml");
    fs::write(settings, "version = 1\nname_in_pointer = false\n").unwrap();
    let pointer = person.share(&person.file("secret plan.txt", b"content"), &[]);
    let info = person.run_with(&["info", "-"], &pointer);
    assert!(said(&info).contains("not in the pointer") && !said(&info).contains("secret plan"));
}

impl Person {
    fn blobs(&self) -> Vec<PathBuf> {
        blobs_in(&self.home().join("builtin").join("store"))
    }

    fn is_untouched(&self) -> bool {
        self.is_untouched_but(&[])
    }

    fn is_untouched_but(&self, names: &[&str]) -> bool {
        fs::read_dir(self.home()).unwrap().all(|entry| {
            let name = entry.unwrap().file_name();
            names.iter().any(|known| name == *known)
        })
    }

    /// The keys and ports of the built-in network, by file.
    fn kept_by_builtin(&self) -> BTreeMap<String, Vec<u8>> {
        fs::read_dir(self.home().join("builtin"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| {
                path.extension().is_some_and(|extension| extension == "key")
                    || path.ends_with("ports.json")
            })
            .map(|path| {
                (
                    path.file_name().unwrap().to_str().unwrap().to_owned(),
                    fs::read(path).unwrap(),
                )
            })
            .collect()
    }

    /// Shares a file and puts one with a name that no client of ours would seal in its place.
    fn plant(&self, name: &str) -> String {
        let before = self.blobs();
        let text = self.share(&self.file("harmless.txt", b"harmless"), &["--no-name"]);
        let stored = self
            .blobs()
            .into_iter()
            .find(|blob| !before.contains(blob))
            .unwrap();
        let Sealed { blob, key, digest } = seal(
            ContentKind::File,
            Some(name),
            None,
            b"hostile",
            &mut random::system(),
        )
        .unwrap();
        let mut bytes = fs::read(&stored).unwrap();
        bytes.truncate(usize::try_from(RECORD_LEN).unwrap());
        bytes.extend(blob.into_bytes());
        fs::write(stored, bytes).unwrap();
        let pointer = Pointer {
            key: PointerKey::Whole(key),
            digest,
            content_len: 7,
            ..Pointer::find(&text).unwrap()
        };
        pointer.to_text().as_str().to_owned()
    }

    /// A list of relays that take connections and never say anything, and whoever connected to them.
    #[cfg(unix)]
    fn silent_relays(&self) -> (PathBuf, mpsc::Receiver<TcpStream>) {
        let (met, meets) = mpsc::channel();
        let entries: Vec<_> = (1..=3)
            .map(|number| {
                let relay = TcpListener::bind("127.0.0.1:0").unwrap();
                let listen = relay.local_addr().unwrap().to_string();
                let key = format!("silent-{number}.key");
                let printed = self.run(&[
                    "relay",
                    "--listen",
                    &listen,
                    "--key",
                    &key,
                    "--allow-private",
                    "--print-descriptor",
                ]);
                let met = met.clone();
                std::thread::spawn(move || {
                    for client in relay.incoming() {
                        let mut client = client.unwrap();
                        client.read_exact(&mut [0]).unwrap();
                        met.send(client).ok();
                    }
                });
                String::from_utf8(printed.stdout).unwrap()
            })
            .collect();
        write_list(self.home(), &entries);
        (self.home().join("relays.json"), meets)
    }
}

/// A pointer to nothing.
fn offline_pointer(authority: &str) -> Pointer {
    Pointer {
        server: format!("http://{authority}#p={SOME_KEY}").parse().unwrap(),
        id: FileId::parse("AAAAAAAAAAAAAAAAAAAAAA").unwrap(),
        key: PointerKey::Whole(FileKey::from_bytes([0xab; 32])),
        digest: Digest::of(b"something"),
        content_len: 1_234,
        name: Some("a name.pdf".to_owned()),
        kind: ContentKind::File,
        expires: Some(2_000_000_000),
        receipts: None,
        relay_list: None,
    }
}

/// Whether a process has a handler for SIGINT.
#[cfg(target_os = "linux")]
fn catches_interrupts(process: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let caught = status
        .lines()
        .find_map(|line| line.strip_prefix("SigCgt:"))
        .unwrap();
    u64::from_str_radix(caught.trim(), 16).unwrap() & 0b10 != 0
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Of nobody: the base point's encoding.
const SOME_KEY: &str = "5866666666666666666666666666666666666666666666666666666666666666";
#[cfg(unix)]
const PATIENCE: Duration = Duration::from_secs(60);
