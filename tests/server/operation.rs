//! What an operator sets and where, and that what is shipped for operators says nothing that the program does not know.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

use cloakroom::cli::operator_settings::{RelayLayer, ServerLayer, SettingsLayer, read_text};
use cloakroom::protocol::address::ServerAddress;
use cloakroom::protocol::file_api::FileRequest;
use cloakroom::protocol::keys::Identity;
use cloakroom::protocol::relay_list::{RelayDescriptor, Serves};
use cloakroom::server::ServerConfig;
use tempfile::{TempDir, tempdir};

use crate::server::serving::{self};
use crate::support::{Network, Process, cloak, free_port, pointer_id, said, with_input};

#[test]
fn the_printed_configuration_is_one_that_changes_nothing() {
    let at = Operator::new();
    for (program, printed) in [
        ("serve", include_str!("../../packaging/server/server.toml")),
        ("relay", include_str!("../../packaging/server/relay.toml")),
    ] {
        let output = at.run(&[program, "--print-config"]);
        assert!(output.status.success(), "{}", said(&output));
        assert_eq!(String::from_utf8(output.stdout).unwrap(), printed);
    }
    // The defaults but for port and key, so that it can run beside others.
    let with = |flags: &[&str]| {
        let output = at.run(
            &[
                &["relay", "--print-descriptor", "--listen", "127.0.0.1:4000"],
                flags,
            ]
            .concat(),
        );
        assert!(output.status.success(), "{}", said(&output));
        output.stdout
    };
    let file = at.file("relay.toml", RelayLayer::SAMPLE);
    assert_eq!(with(&["--config", file.to_str().unwrap()]), with(&[]));
}

#[test]
fn the_configuration_is_printed_whatever_is_wrong_with_a_variable() {
    let at = Operator::new();
    for (program, variable) in [
        ("serve", "CLOAKROOM_MAX_TOTAL"),
        ("relay", "CLOAKROOM_LISTEN"),
    ] {
        let with_variable = |flags: &[&str]| {
            let mut command = at.command(&[&[program], flags].concat());
            command.env(variable, "nonsense").output().unwrap()
        };
        let output = with_variable(&["--print-config"]);
        assert!(output.status.success(), "{}", said(&output));
        assert!(!output.stdout.is_empty());
        for flags in [&[][..], &["--print-config", "--no-such-flag"]] {
            let output = with_variable(flags);
            assert_eq!(
                output.status.code(),
                Some(2),
                "{flags:?}: {}",
                said(&output)
            );
        }
    }
}

/// What is commented out in a sample is meant to be used.
#[test]
fn each_example_in_the_printed_configuration_is_taken() {
    fn uncommented<L: SettingsLayer>() -> L::Settings {
        let lines: Vec<_> = L::SAMPLE
            .lines()
            .map(|line| match line.strip_prefix('#') {
                Some(setting) if !setting.starts_with(' ') => setting,
                _ => line,
            })
            .collect();
        let text = lines.join("\n");
        let settings = decided::<L>(&text).unwrap();
        let named = text
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty());
        assert_eq!(named.count(), arguments::<L>().len(), "{text}");
        settings
    }
    // A relay has its list from a file or from its network.
    let mut relay = uncommented::<RelayLayer>();
    assert!(relay.validate().is_err());
    relay.relay_list = None;
    assert_eq!(relay.validate(), Ok(()));
    // A server hands on the list of its network that is signed elsewhere, by the key that it is told, or signs it itself.
    let mut server = uncommented::<ServerLayer>();
    assert_eq!(server.validate(), Ok(()));
    server.list_key = None;
    assert!(server.validate().is_err());
    server.relay_list = None;
    assert_eq!(server.validate(), Ok(()));
}

#[test]
fn a_setting_that_does_not_exist_is_refused_with_its_line_before_anything_is_made() {
    let at = Operator::new();
    let file = at.file(
        "server.toml",
        "listen = \"127.0.0.1:0\"\n\nmax_totl = \"1 GiB\"\n",
    );
    let file = file.to_str().unwrap();
    for program in ["serve", "relay"] {
        let output = at.run(&[program, "--config", file]);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(output.stdout.is_empty());
        assert!(
            said(&output).contains("server.toml, line 3"),
            "{}",
            said(&output)
        );
    }
    let output = at.run(&["serve", "--config", file]);
    assert!(
        said(&output).contains("did you mean \"max_total\"?"),
        "{}",
        said(&output)
    );
    let output = at.run(&["serve", "--config", "nowhere.toml"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("nowhere.toml"), "{}", said(&output));
    assert_eq!(at.files(), ["server.toml"], "no key, no store");
}

#[test]
fn a_flag_wins_over_a_variable_and_a_variable_over_the_file() {
    let at = Operator::new();
    let file = at.file(
        "relay.toml",
        "listen = \"127.0.0.1:4001\"\noperator = \"file\"\nserves = [\"file.example\"]\nkey = \"keys/relay.key\"\n",
    );
    let descriptor = |variables: &[(&str, &str)], flags: &[&str]| {
        let mut relay = at.command(&["relay", "--print-descriptor", "--config"]);
        relay.arg(&file).args(flags).envs(variables.iter().copied());
        let output = relay.output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        RelayDescriptor::parse(String::from_utf8(output.stdout).unwrap().trim()).unwrap()
    };
    let read = descriptor(&[], &[]);
    assert_eq!((read.port, read.operator.as_str()), (4001, "file"));
    assert!(
        at.home().join("keys/relay.key").exists(),
        "its paths begin at its folder"
    );
    let variables = [
        ("CLOAKROOM_OPERATOR", "variable"),
        ("CLOAKROOM_SERVES", "a.example,b.example"),
        // Set to nothing is not set.
        ("CLOAKROOM_LISTEN", ""),
    ];
    let read = descriptor(&variables, &[]);
    assert_eq!((read.port, read.operator.as_str()), (4001, "variable"));
    let both = ["a.example", "b.example"].map(str::to_owned).to_vec();
    assert_eq!(read.serves, Serves::Hosts(both));
    let read = descriptor(
        &variables,
        &["--operator", "flag", "--listen", "127.0.0.1:4002"],
    );
    assert_eq!((read.port, read.operator.as_str()), (4002, "flag"));
    let output = at
        .command(&["relay", "--print-descriptor"])
        .env("CLOAKROOM_MAX_MEMORY", "much")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said(&output).contains("CLOAKROOM_MAX_MEMORY: \"much\""),
        "{}",
        said(&output)
    );
}

#[test]
fn a_server_runs_by_its_file_and_says_its_address_first() {
    let at = Operator::new();
    let file = at.file(
        "server.toml",
        "listen = \"127.0.0.1:0\"\nstore = \"blobs\"\npublic_url = \"http://files.example.org:8787\"\n",
    );
    let mut serve = at.command(&["serve", "--config"]);
    serve.arg(&file);
    let mut server = Process::start(serve);
    assert!(
        server
            .first_line
            .starts_with("http://files.example.org:8787#p="),
        "{}",
        server.first_line
    );
    server.wait_for("takes uploads from everybody");
    assert!(at.home().join("blobs/server.key").exists());
}

#[test]
fn each_setting_is_in_the_help() {
    fn in_help<L: SettingsLayer>(help: &str) {
        for arg in arguments::<L>() {
            let flag = format!("--{}", arg.get_long().unwrap());
            assert!(help.contains(&flag), "{flag}");
            let variable = variable(&arg);
            assert!(help.contains(&variable), "{variable}");
        }
    }
    let at = Operator::new();
    let help = |program| String::from_utf8(at.run(&[program, "--help"]).stdout).unwrap();
    in_help::<ServerLayer>(&help("serve"));
    in_help::<RelayLayer>(&help("relay"));
}

#[test]
fn a_report_is_acted_upon_beside_the_running_server_and_without_it() {
    let network = Network::start();
    let file = network.file("a.txt", b"content");
    let pointers: Vec<_> = (0..4).map(|_| network.pointer_to(&file)).collect();
    let store = network.home().join("store");
    let deed = |deed: &str, files: &[&str]| {
        let mut command = cloak(network.home());
        command
            .args(["store", deed, "--store"])
            .arg(&store)
            .args(files);
        command.output().unwrap()
    };
    assert!(store.join("control").exists());
    let output = deed("remove", &[&pointers[0]]);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(network.get(&pointers[0]).status.code(), Some(5));
    let output = deed("remove", &[&pointers[0]]);
    assert_eq!(output.status.code(), Some(5), "{}", said(&output));

    let ids: Vec<_> = pointers.iter().map(|pointer| pointer_id(pointer)).collect();
    let output = deed("block", &[&ids[1], "--json"]);
    assert!(output.status.success(), "{}", said(&output));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&told["id"], &told["found"]),
        (&ids[1].as_str().into(), &true.into())
    );
    assert_eq!(network.get(&pointers[1]).status.code(), Some(5));
    assert_eq!(network.stored().len(), 2);
    assert!(network.get(&pointers[2]).status.success());

    // The same by hand, when the server has been killed.
    let mut network = network;
    network.server.kill();
    let mut command = cloak(network.home());
    command
        .args(["store", "remove", "-", "--store"])
        .arg(&store);
    let output = with_input(command, &pointers[2]);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(network.stored().len(), 1);
}

#[test]
fn a_report_about_another_server_changes_nothing() {
    let (network, other) = (Network::start(), Network::start());
    let pointer = network.pointer_to(&network.file("a.txt", b"content"));
    let deed = |store: &Path, file: &str| {
        let mut command = cloak(network.home());
        command
            .args(["store", "remove", file, "--store"])
            .arg(store);
        command.output().unwrap()
    };
    let output = deed(&other.home().join("store"), &pointer);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(
        said(&output).contains("another file server"),
        "{}",
        said(&output)
    );
    let output = deed(&network.home().join("store"), "short");
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    let output = deed(&network.home().join("nowhere"), &pointer_id(&pointer));
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(
        said(&output).contains("there is no store"),
        "{}",
        said(&output)
    );
    assert!(!network.home().join("nowhere").exists());
    assert_eq!(network.stored().len(), 1);
}

#[test]
fn a_server_is_checked_before_it_runs_while_it_runs_and_through_relays() {
    let at = Operator::new();
    let free = free_port();
    let file = at.file(
        "server.toml",
        &format!("listen = \"{free}\"\nstore = \"store\"\n"),
    );
    let file = file.to_str().unwrap();
    let findings = at.check(&["server", "--config", file], true);
    assert_eq!(findings["key"], "skipped");
    assert_eq!(findings["store"], "skipped");
    assert_eq!(findings["port"], "ok");
    assert_eq!(at.files(), ["server.toml"], "a check makes nothing");

    let network = Network::start();
    let (url, _key) = network.server.first_line.split_once('#').unwrap();
    let listen = url.strip_prefix("http://").unwrap().to_owned();
    let listen = listen.as_str();
    let store = network.home().join("store");
    let list = network.list();
    let flags = [
        "server",
        "--listen",
        listen,
        "--store",
        store.to_str().unwrap(),
        "--through",
        list.to_str().unwrap(),
    ];
    let findings = at.check(&flags, true);
    for part in [
        "configuration",
        "key",
        "who may upload",
        "store",
        "clock",
        "disk space",
        "port",
        "round trip",
    ] {
        assert_eq!(findings[part], "ok", "{part}");
    }

    assert!(
        network.stored().is_empty(),
        "the file of the round trip was deleted"
    );

    let mut network = network;
    network.relays[1].kill();
    let findings = at.check(&flags, false);
    assert_eq!(findings["round trip"], "failed");
    network.server.kill();
    let taken = std::net::TcpListener::bind(listen).unwrap();
    std::thread::spawn(move || taken.incoming().for_each(drop));
    let findings = at.check(&flags, false);
    assert_eq!(
        (findings["port"].as_str(), findings["store"].as_str()),
        ("failed", "ok")
    );
}

#[cfg(unix)]
#[test]
fn what_is_wrong_with_a_server_is_said_with_what_to_do() {
    use std::os::unix::fs::PermissionsExt as _;

    let at = Operator::new();
    let port = free_port();
    let text = format!(
        "listen = \"{port}\"\naccess_word = \"word\"\npublic_url = \"http://files.example.org\"\n"
    );
    let file = at.file("server.toml", &text);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let mut serve = at.command(&["serve", "--config"]);
    serve.arg(&file);
    drop(Process::start(serve));
    let key = at.home().join("cloakroom-data/server.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let mut check = at.command(&["check", "server", "--config"]);
    check.arg(&file);
    let output = check.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    let line = |part: &str| {
        let found = text.lines().find(|line| line.contains(part));
        found.unwrap_or_else(|| panic!("{part} is missing: {text}"))
    };
    assert!(line(" key ").starts_with("failed") && line(" key ").contains("chmod 600"));
    assert!(line("configuration").starts_with("warning"));
    assert!(line("configuration").contains("chmod 600"));
    assert!(text.ends_with("to mend: 1\n"), "{text}");
    assert!(!text.contains("\"word\""));

    let output = at.run(&["check", "server", "--store", "s3://bucket/x"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("--key"), "{}", said(&output));
}

#[test]
fn only_a_file_server_is_asked_for_its_health() {
    let network = Network::start();
    let at = Operator::new();
    let (url, _key) = network.server.first_line.split_once('#').unwrap();
    let listen = url.strip_prefix("http://").unwrap();
    let health = |listen: &str, content| {
        let findings = at.check(&["health", "--listen", listen], content);
        assert_eq!(findings.keys().collect::<Vec<_>>(), ["health"]);
        findings["health"].clone()
    };
    assert_eq!(health(listen, true), "ok");
    assert_eq!(health(&free_port(), false), "failed");
    for answer in [
        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok!",
    ] {
        let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = other.local_addr().unwrap().to_string();
        std::thread::spawn(move || {
            let (mut caller, _) = other.accept().unwrap();
            assert_ne!(caller.read(&mut [0; 1024]).unwrap(), 0, "a request");
            caller.write_all(answer.as_bytes()).unwrap();
        });
        assert_eq!(health(&addr, false), "failed", "{answer}");
    }
    assert!(at.files().is_empty(), "it makes nothing");
}

#[test]
fn a_relay_is_checked_with_its_list_and_its_own_entry_in_it() {
    let network = Network::start();
    let at = Operator::new();
    let entry = RelayDescriptor::parse(&network.relays[0].first_line).unwrap();
    let listen = format!("{}:{}", entry.host, entry.port);
    let (key, list) = (network.home().join("relay-1.key"), network.list());
    let flags = [
        "relay",
        "--listen",
        &listen,
        "--allow-private",
        "--key",
        key.to_str().unwrap(),
        "--relays",
        list.to_str().unwrap(),
    ];
    let findings = at.check(&flags, true);
    for part in [
        "configuration",
        "key",
        "relay list",
        "own entry",
        "port",
        "other relays",
    ] {
        assert_eq!(findings[part], "ok", "{part}");
    }
    assert_eq!(findings["public address"], "warning", "it is loopback");

    let findings = at.check(&[&flags[..], &["--operator", "Ann"]].concat(), false);
    assert_eq!(findings["own entry"], "failed");
    let findings = at.check(&["relay", "--listen", &free_port()], true);
    assert_eq!(
        (findings["key"].as_str(), findings["relay list"].as_str()),
        ("skipped", "warning")
    );
    assert!(at.files().is_empty());
}

#[test]
fn what_a_person_uses_is_checked_without_any_network() {
    let at = Operator::new();
    let network = Network::start();
    let downloads = at.home().join("received");
    let settings = |list: &Path| {
        let server = &network.server.first_line;
        format!(
            "version = 3\nnetwork = {server:?}\ndownload_folder = {downloads:?}\n\
             [[networks]]\nname = \"\"\naddress = {server:?}\nrelay_list_file = {list:?}\n"
        )
    };
    at.file("config.toml", &settings(&network.list()));
    let findings = at.check(&[], false);
    assert_eq!(findings["download folder"], "failed");
    fs::create_dir(&downloads).unwrap();
    let findings = at.check(&[], true);
    for part in [
        "settings",
        "settings folder",
        "download folder",
        "relay list",
    ] {
        assert_eq!(findings[part], "ok", "{part}");
    }
    assert_eq!(findings["relays"], "skipped");
    assert_eq!(at.check(&["--network"], true)["relays"], "ok");

    at.file("config.toml", "nonsense");
    assert_eq!(at.check(&[], false)["settings"], "failed");
    assert_eq!(
        at.files(),
        ["config.toml", "received"],
        "it was left where it is"
    );
}

#[test]
fn totals_are_on_loopback_only_and_only_when_asked_for() {
    let at = Operator::new();
    let addr = free_port();
    let mut serve = at.command(&["serve", "--listen", "127.0.0.1:0", "--metrics", &addr]);
    let server = Process::start(serve);
    let page = http_get(&addr, "/metrics");
    for name in [
        "cloakroom_store_bytes 0",
        "cloakroom_uploads_total 0",
        "cloakroom_downloads_total 0",
    ] {
        assert!(page.lines().any(|line| line == name), "{name}: {page}");
    }
    drop(server);
    let output = at.run(&["serve", "--metrics", "0.0.0.0:0"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    serve = at.command(&["serve", "--listen", "127.0.0.1:0"]);
    let _server = Process::start(serve);
    assert!(std::net::TcpStream::connect(&addr).is_err());
}

/// The ten lines of the operators' page, as they stand there, with ports of loopback in place of the machines.
#[test]
fn the_ten_lines_lead_to_a_file_that_arrives() {
    let folder = tempdir().unwrap();
    let machine = |name: &str| {
        let machine = folder.path().join(name);
        fs::create_dir_all(&machine).unwrap();
        machine
    };
    let send = |from: &str, file: &str, to: &str| {
        fs::copy(machine(from).join(file), machine(to).join(file)).unwrap();
    };
    let ports: BTreeMap<_, _> = ["server", "Ann", "Ben", "Cem"]
        .map(|name| (name, free_port()))
        .into();
    let run = |on: &str, line: &str| {
        let here = line
            .replace("0.0.0.0:8787", &ports["server"])
            .replace("--public-url http://files.example.org:8787", "")
            .replace("0.0.0.0:8790", ports.get(on).map_or("", String::as_str))
            .replace("--serves files.example.org", "--allow-private");
        let words: Vec<_> = here.split(' ').collect();
        let public = words.iter().position(|word| *word == "--public-host");
        let here = match public {
            Some(at) => [&words[..at], &words[at + 2..]].concat().join(" "),
            None => here,
        };
        let mut shell = cloak(&machine(on));
        let program = PathBuf::from(shell.get_program());
        let path = format!(
            "{}:{}",
            program.parent().unwrap().display(),
            std::env::var("PATH").unwrap()
        );
        let environment: Vec<_> = shell
            .get_envs()
            .map(|(name, value)| (name.to_owned(), value.map(ToOwned::to_owned)))
            .collect();
        shell = Command::new("sh");
        for (name, value) in environment {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        shell
            .args(["-c", &format!("exec {here}")])
            .env("PATH", path)
            .current_dir(machine(on));
        shell
    };
    let done = |on: &str, line: &str| {
        let output = run(on, line).output().unwrap();
        assert!(output.status.success(), "{line}: {}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let by_hand = shell_blocks(OPERATORS_PAGE).into_iter().find(|block| {
        block
            .iter()
            .any(|line| line.contains("relay-list new ann.json"))
    });
    let lines: Vec<String> = by_hand
        .unwrap()
        .into_iter()
        .filter(|line| !line.starts_with('#'))
        .collect();
    assert_eq!(lines.len(), 10);
    assert!(
        lines[0].starts_with("cargo install --path . --bin cloak"),
        "{}",
        lines[0]
    );
    let mut running = vec![Process::start(run("server", &lines[1]))];
    running[0].wait_for("the file server is up");
    let operators = ["Ann", "Ben", "Cem"];
    for (name, line) in operators.iter().zip(&lines[2..5]) {
        done(name, line);
        send(name, &format!("{}.json", name.to_lowercase()), "you");
    }
    done("you", &lines[5]);
    for (name, line) in operators.iter().zip(&lines[6..9]) {
        send("you", "relays.json", name);
        let mut relay = Process::start(run(name, line));
        relay.wait_for("relay list read: 3 relays");
        running.push(relay);
    }
    send("server", "server.txt", "friend");
    send("you", "relays.json", "friend");
    fs::write(machine("friend").join("photo.jpg"), b"a photo").unwrap();
    let pointer = done("friend", &lines[9]);
    let mut get = run("friend", "cloak get - --relays relays.json --out copy.jpg");
    get.stdin(std::process::Stdio::piped());
    let output = with_input(get, &pointer);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(
        fs::read(machine("friend").join("copy.jpg")).unwrap(),
        b"a photo"
    );
    assert!(
        operators
            .iter()
            .all(|name| machine(name).join("relay.key").exists())
    );
}

#[test]
fn the_operators_page_names_only_commands_flags_and_settings_that_exist() {
    let at = Operator::new();
    let mut commands = 0;
    for line in shell_blocks(OPERATORS_PAGE).concat() {
        let Some(at_word) = line.find("cloak ").filter(|_| line.starts_with("cloak ")) else {
            continue;
        };
        commands += 1;
        let words: Vec<_> = line[at_word..].split_whitespace().skip(1).collect();
        let path: Vec<_> = words
            .iter()
            .take(2)
            .copied()
            .filter(|word| {
                word.chars()
                    .all(|letter| letter.is_ascii_lowercase() || letter == '-')
                    && !word.starts_with('-')
            })
            .collect();
        flags_exist(&at, &path, &words);
    }
    assert!(commands > 10, "{commands}");
    let mut files = 0;
    for block in blocks(OPERATORS_PAGE, "toml") {
        files += 1;
        let text = block.join("\n");
        match block[0].as_str() {
            "# server.toml" => assert_eq!(
                decided::<ServerLayer>(&text).and_then(|it| it.validate().map_err(str::to_owned)),
                Ok(())
            ),
            "# relay.toml" => assert_eq!(
                decided::<RelayLayer>(&text).and_then(|it| it.validate().map_err(str::to_owned)),
                Ok(())
            ),
            other => panic!("which program is it for? {other}"),
        }
    }
    assert_eq!(files, 2);
    // Settings that are named in running text.
    let parts = OPERATORS_PAGE.split("```").step_by(2);
    for word in parts.flat_map(|text| text.split('`').skip(1).step_by(2)) {
        let key = word.split(" = ").next().unwrap();
        if word.contains(" = ") {
            let known = [arguments::<ServerLayer>(), arguments::<RelayLayer>()].concat();
            assert!(known.iter().any(|arg| arg.get_id() == key), "{word}");
        }
    }
}

/// The settings of a file, over the defaults.
fn decided<L: SettingsLayer>(text: &str) -> Result<L::Settings, String> {
    let layer: L = read_text(text, "page").map_err(|error| error.to_string())?;
    let mut settings = L::Settings::default();
    layer.apply(Path::new(""), &mut settings);
    Ok(settings)
}

/// The arguments of all settings, by the names that a file has for them.
fn arguments<L: SettingsLayer>() -> Vec<clap::Arg> {
    let command = L::augment_args(clap::Command::new(""));
    command.get_arguments().cloned().collect()
}

fn variable(arg: &clap::Arg) -> String {
    arg.get_env().unwrap().to_str().unwrap().to_owned()
}

fn flags_exist(at: &Operator, path: &[&str], words: &[&str]) {
    let help = at.run(&[path, &["--help"]].concat());
    assert!(help.status.success(), "{path:?}: {}", said(&help));
    let help = String::from_utf8(help.stdout).unwrap();
    for flag in words.iter().filter(|word| word.starts_with("--")) {
        let known = help
            .split_whitespace()
            .any(|word| word.trim_end_matches(',') == *flag);
        assert!(known, "{flag} is no flag of {path:?}");
    }
}

#[test]
fn the_services_start_programs_that_exist_and_may_do_little() {
    let at = Operator::new();
    for (name, unit) in [
        (
            "cloakroom-server.service",
            include_str!("../../packaging/server/cloakroom-server.service"),
        ),
        (
            "cloakroom-relay.service",
            include_str!("../../packaging/server/cloakroom-relay.service"),
        ),
    ] {
        let start = unit
            .lines()
            .find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/cloak "))
            .unwrap();
        let words: Vec<_> = start.split(' ').collect();
        flags_exist(&at, &words[..1], &words);
        for line in [
            "RestartPreventExitStatus=2",
            "DynamicUser=yes",
            "ProtectSystem=strict",
            "ProtectHome=yes",
            "PrivateDevices=yes",
            "PrivateTmp=yes",
            "NoNewPrivileges=yes",
            "CapabilityBoundingSet=",
            "MemoryDenyWriteExecute=yes",
            "SystemCallFilter=@system-service",
            "UMask=0077",
            "LimitCORE=0",
        ] {
            assert!(unit.lines().any(|given| given == line), "{name}: {line}");
        }
        let families = if name.contains("server") {
            "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX"
        } else {
            "RestrictAddressFamilies=AF_INET AF_INET6"
        };
        assert!(unit.lines().any(|given| given == families), "{name}");
        let credentials = "EnvironmentFile=-/etc/cloakroom/server.env";
        assert_eq!(unit.contains(credentials), name.contains("server"));
        // Where systemd is installed it judges for itself.
        let file = at.file(name, &unit.replace("/usr/local/bin/cloak", "/bin/true"));
        let Ok(verified) = Command::new("systemd-analyze")
            .arg("verify")
            .arg(&file)
            .output()
        else {
            continue;
        };
        assert!(verified.status.success(), "{}", said(&verified));
    }
}

/// Those of an image with the program in it: what is run, and with which variables.
#[test]
fn the_containers_of_the_operators_page_run_what_exists() {
    let at = Operator::new();
    let page_lines = shell_blocks(OPERATORS_PAGE).concat();
    let runs: Vec<_> = page_lines
        .iter()
        .filter(|line| line.starts_with("podman run "))
        .collect();
    assert_eq!(runs.len(), 2);
    let variables: Vec<_> = arguments::<ServerLayer>().iter().map(variable).collect();
    let own = container_list("CMD ");
    for line in runs {
        let words: Vec<_> = line.split(' ').collect();
        let image = words.iter().position(|word| *word == "cloakroom").unwrap();
        let (options, given) = (&words[..image], &words[image + 1..]);
        let command: Vec<_> = match given {
            [] => own.iter().map(String::as_str).collect(),
            given => given.to_vec(),
        };
        flags_exist(&at, &command[..1], &command);
        for pair in options.windows(2).filter(|pair| pair[0] == "-e") {
            let name = pair[1].split('=').next().unwrap();
            assert!(variables.iter().any(|variable| variable == name), "{name}");
        }
        assert!(options.contains(&"--stop-timeout"), "{line}");
    }
    let inside = page_lines
        .iter()
        .find_map(|line| line.strip_prefix("podman exec files cloak "));
    let words: Vec<_> = inside.unwrap().split(' ').collect();
    flags_exist(&at, &words[..2], &words);
}

/// The image's own command with the variable that must be given, and its health check, on another port. The image has no
/// home, and no variable that a test has.
#[cfg(target_os = "linux")]
#[test]
fn the_container_says_whether_its_server_is_well() {
    use std::time::Instant;

    let at = Operator::new();
    let addr = free_port();
    let (_, port) = addr.split_once(':').unwrap();
    let data = at.home().join("data");
    let here = |word: &String| {
        word.replace("8787", port)
            .replace("/data", data.to_str().unwrap())
    };
    let command: Vec<_> = container_list("CMD ").iter().map(here).collect();
    let check: Vec<_> = container_list("HEALTHCHECK ").iter().map(here).collect();
    assert_eq!(check[..1], container_list("ENTRYPOINT "));
    let is_well = || {
        let mut program = Command::new(at.command(&[]).get_program());
        let output = program.args(&check[1..]).env_clear().output().unwrap();
        let code = output.status.code();
        assert!(matches!(code, Some(0 | 1)), "{}", said(&output));
        code == Some(0)
    };
    let args: Vec<_> = command.iter().map(String::as_str).collect();
    assert_eq!(at.run(&args).status.code(), Some(2), "without its address");
    assert!(!is_well());
    let mut serve = at.command(&args);
    serve.env("CLOAKROOM_PUBLIC_URL", "http://files.example.org:8787");
    let mut server = Process::start(serve);
    assert!(is_well());
    fs::remove_dir_all(data.join("probe")).unwrap();
    fs::write(data.join("probe"), "no folder").unwrap();
    // The store is tried once a second.
    let patience = Instant::now() + Duration::from_secs(60);
    while is_well() {
        assert!(Instant::now() < patience, "its store cannot be written");
    }
    server.kill();
    assert!(!is_well());
}

/// The words of an instruction of the container file that are written as a list.
fn container_list(instruction: &str) -> Vec<String> {
    let file = include_str!("../../packaging/container/Containerfile");
    let line = file.lines().find(|line| line.starts_with(instruction));
    let line = line.unwrap();
    serde_json::from_str(&line[line.find('[').unwrap()..]).unwrap()
}

/// A stop waits for requests, then for the store.
#[test]
fn the_service_gives_the_server_the_time_that_its_stop_may_take() {
    let unit = include_str!("../../packaging/server/cloakroom-server.service");
    let given = unit
        .lines()
        .find_map(|line| line.strip_prefix("TimeoutStopSec=")?.strip_suffix('s'))
        .unwrap();
    let given = Duration::from_secs(given.parse().unwrap());
    let listen = "127.0.0.1:0".parse().unwrap();
    let config = ServerConfig::new(listen, PathBuf::new(), Identity::from_seed([1; 32]));
    let needed = config.settings.stop_timeout + config.settings.store_timeout;
    assert!(given >= needed + Duration::from_secs(10), "{given:?}");
}

/// Whichever of the two makes it: the key is written before the store is opened.
#[cfg(unix)]
#[test]
fn nobody_else_may_look_into_the_folder_that_a_server_makes() {
    use std::os::unix::fs::PermissionsExt as _;

    let at = Operator::new();
    for (store, key) in [
        ("one", None),
        ("two", Some("two/server.key")),
        ("three/deep", Some("keys/server.key")),
    ] {
        let mut serve = Command::new("sh");
        serve
            .args(["-c", "umask 022; exec \"$@\"", "sh"])
            .arg(env!("CARGO_BIN_EXE_cloak"))
            .env("CLOAKROOM_HOME", at.home())
            .current_dir(at.home())
            .args(["serve", "--listen", "127.0.0.1:0", "--store", store]);
        if let Some(key) = key {
            serve.args(["--key", key]);
        }
        drop(Process::start(serve));
        let key = at.home().join(key.unwrap_or("one/server.key"));
        for folder in [&at.home().join(store), key.parent().unwrap()] {
            let mode = fs::metadata(folder).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700, "{}", folder.display());
        }
    }
}

/// As the operators' page says: the old key is moved aside and named, and answers until the new one is 60 days old.
#[test]
fn a_server_with_a_new_key_answers_to_its_old_address_for_sixty_days() {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    let at = Operator::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (key, old_key) = (at.home().join("server.key"), at.home().join("old.key"));
    let settings = "listen = \"127.0.0.1:0\"\nstore = \"store\"\nkey = \"server.key\"\n";
    let start = |previous: &str| {
        let file = at.file("server.toml", &format!("{settings}{previous}"));
        let mut serve = at.command(&["serve", "--config"]);
        serve.arg(file);
        let server = Process::start(serve);
        let address: ServerAddress = server.first_line.parse().unwrap();
        (server, address)
    };
    let answers =
        |to: &ServerAddress| runtime.block_on(serving::try_ask(to, &FileRequest::ServerInfo));
    let (server, old) = start("");
    assert_eq!(answers(&old).unwrap().code, 200);
    drop(server);
    fs::rename(&key, &old_key).unwrap();

    let previous = "previous_keys = [\"old.key\"]\n";
    // A key that was copied without its time looks as old as the copy: so it is set here.
    for (age, answered) in [(Duration::ZERO, true), (59 * DAY, true), (61 * DAY, false)] {
        if !age.is_zero() {
            let made = fs::File::options().write(true).open(&key).unwrap();
            made.set_modified(SystemTime::now() - age).unwrap();
        }
        let (_server, new) = start(previous);
        assert_ne!(new.key, old.key);
        assert_eq!(answers(&new).unwrap().code, 200);
        let at_old = ServerAddress {
            key: old.key,
            url: new.url,
        };
        assert_eq!(answers(&at_old).is_ok(), answered, "{age:?}");
    }
    let (_server, new) = start("");
    let at_old = ServerAddress {
        key: old.key,
        url: new.url,
    };
    assert!(answers(&at_old).is_err(), "a key that is not named");
}

pub(crate) const OPERATORS_PAGE: &str = include_str!("../../packaging/server/README.md");

/// The lines of each block of commands.
pub(crate) fn shell_blocks(page: &str) -> Vec<Vec<String>> {
    blocks(page, "sh")
}

fn blocks(page: &str, language: &str) -> Vec<Vec<String>> {
    let mut blocks = Vec::new();
    let mut open: Option<Vec<String>> = None;
    for line in page.lines() {
        match &mut open {
            None if line == format!("```{language}") => open = Some(Vec::new()),
            None => {}
            Some(_) if line == "```" => blocks.extend(open.take()),
            Some(lines) => lines.push(line.to_owned()),
        }
    }
    blocks
}

fn http_get(addr: &str, path: &str) -> String {
    let mut stream = std::net::TcpStream::connect(addr).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// One who runs servers and relays, in a folder of their own.
struct Operator {
    folder: TempDir,
}

impl Operator {
    fn new() -> Self {
        Self {
            folder: tempdir().unwrap(),
        }
    }

    fn home(&self) -> &Path {
        self.folder.path()
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.home().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn files(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.home())
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// The state of each part that `cloak check` looks at, and whether it was content.
    fn check(&self, args: &[&str], content: bool) -> BTreeMap<String, String> {
        let output = self.run(&[&["check", "--json"], args].concat());
        let code = if content { 0 } else { 1 };
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["ok"], content);
        let findings = report["findings"].as_array().unwrap().iter();
        findings
            .map(|finding| {
                let text = |key: &str| finding[key].as_str().unwrap().to_owned();
                assert!(!text("what").is_empty());
                (text("part"), text("state"))
            })
            .collect()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = cloak(self.home());
        command.current_dir(self.home()).args(args);
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }
}

/// Whoever starts a server while its disk is not connected means no new store.
#[test]
fn an_empty_folder_where_the_store_was_is_no_new_store() {
    for key in [None, Some("server.key")] {
        let home = tempdir().unwrap();
        let start = |more: &[&str]| {
            let mut serve = cloak(home.path());
            serve.current_dir(home.path()).args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--store",
                "disk",
            ]);
            if let Some(key) = key {
                serve.args(["--key", key]);
            }
            serve.args(more);
            serve
        };
        let first = Process::start(start(&[]));
        let address = first.first_line.clone();
        drop(first);
        let (disk, away) = (home.path().join("disk"), home.path().join("away"));
        fs::rename(&disk, &away).unwrap();
        for _there in 0..2 {
            let refused = start(&[]).output().unwrap();
            assert!(!refused.status.success(), "{}", said(&refused));
            assert!(said(&refused).contains("--new-store"), "{}", said(&refused));
            let left = fs::read_dir(&disk).map_or(0, Iterator::count);
            assert_eq!(left, 0, "nothing is begun in it");
            fs::create_dir_all(&disk).unwrap();
        }
        fs::remove_dir(&disk).unwrap();
        fs::rename(&away, &disk).unwrap();
        let again = Process::start(start(&[]));
        let key_of = |address: &str| address.split_once('#').unwrap().1.to_owned();
        assert_eq!(key_of(&again.first_line), key_of(&address));
        drop(again);
        fs::remove_dir_all(&disk).unwrap();
        drop(Process::start(start(&["--new-store"])));
    }
}
