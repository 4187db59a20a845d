//! What an operator sets and where, and that what is shipped for operators says nothing that the program does not know.
#![cfg(feature = "cli")]
#![expect(clippy::unwrap_used, reason = "a step that fails here fails its test")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use cloakroom::protocol::relay_list::{RelayDescriptor, Serves};
use cloakroom::relay::config::RelaySettings;
use cloakroom::server::config::ServerSettings;
use cloakroom::wire::settings::{Settings, read_text, sample};
use support::{Process, cloak, said};
use tempfile::{TempDir, tempdir};

#[test]
fn the_printed_configuration_is_one_that_changes_nothing() {
    let at = Operator::new();
    for (program, printed) in [
        ("serve", sample::<ServerSettings>()),
        ("relay", sample::<RelaySettings>()),
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
    let file = at.file("relay.toml", &sample::<RelaySettings>());
    assert_eq!(with(&["--config", file.to_str().unwrap()]), with(&[]));
}

/// What is commented out in a sample is meant to be used.
#[test]
fn each_example_in_the_printed_configuration_is_taken() {
    fn uncommented<S: Settings>() -> S {
        let text = sample::<S>();
        let lines: Vec<_> = text
            .lines()
            .map(|line| match line.strip_prefix('#') {
                Some(setting) if !setting.starts_with(' ') => setting,
                _ => line,
            })
            .collect();
        let text = lines.join("\n");
        let mut settings = S::default();
        read_text(&mut settings, &text, Path::new(""), "sample").unwrap();
        let named = text
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty());
        assert_eq!(named.count(), S::table().len(), "{text}");
        settings
    }
    assert_eq!(uncommented::<RelaySettings>().judge(), Ok(()));
    assert_eq!(uncommented::<ServerSettings>().judge(), Ok(()));
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
    fn in_help<S: Settings>(help: &str) {
        for setting in S::table() {
            assert!(
                help.contains(&format!("--{}", setting.flag)),
                "{}",
                setting.flag
            );
            assert!(help.contains(setting.variable), "{}", setting.variable);
        }
    }
    let at = Operator::new();
    let help = |program| String::from_utf8(at.run(&[program, "--help"]).stdout).unwrap();
    in_help::<ServerSettings>(&help("serve"));
    in_help::<RelaySettings>(&help("relay"));
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

    fn command(&self, args: &[&str]) -> Command {
        let mut command = cloak(self.home());
        command.current_dir(self.home()).args(args);
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }
}
