use std::ffi::OsStr;

use clap::Parser as _;

use super::*;
use crate::protocol::{capability::work::WorkBase, relay_list::Serves};
use crate::relay::config::RelaySettings;
use crate::server::config::ServerSettings;

/// The settings of `text`, in the folder `folder`.
fn decided<L: SettingsLayer>(text: &str, folder: &str) -> Result<L::Settings, String> {
    let layer: L = read_text(text, "server.toml").map_err(|error| error.to_string())?;
    let mut settings = L::Settings::default();
    layer.apply(Path::new(folder), &mut settings);
    Ok(settings)
}

fn server(text: &str) -> Result<ServerSettings, String> {
    decided::<ServerLayer>(text, "")
}

fn relay(text: &str) -> Result<RelaySettings, String> {
    decided::<RelayLayer>(text, "")
}

#[derive(clap::Parser)]
struct OperatorProgram<L: SettingsLayer> {
    #[command(flatten)]
    operator: OperatorArgs<L>,
}

/// The settings of a command line.
fn flags<L: SettingsLayer>(flags: &[&str]) -> Result<L::Settings, String> {
    let program = OperatorProgram::<L>::try_parse_from([&["program"], flags].concat());
    let operator = program.map_err(|error| error.to_string())?.operator;
    operator.read().map_err(|error| error.to_string())
}

/// The arguments of all settings.
fn arguments<L: SettingsLayer>() -> Vec<Arg> {
    let command = L::augment_args(Command::new(""));
    command.get_arguments().cloned().collect()
}

#[test]
fn each_sample_is_the_defaults() {
    assert_eq!(relay(RelayLayer::SAMPLE), Ok(RelaySettings::default()));
    let settings = server(ServerLayer::SAMPLE).unwrap();
    // The access word and everything else in it has a form for tests that shows whether it is there.
    assert_eq!(
        format!("{settings:?}"),
        format!("{:?}", ServerSettings::default())
    );
}

#[test]
fn each_sample_tells_of_each_setting_what_the_help_tells() {
    tells_the_same::<ServerLayer>();
    tells_the_same::<RelayLayer>();
}

fn tells_the_same<L: SettingsLayer>() {
    let mut samples = L::SAMPLE.split("\n\n").skip(1);
    for arg in arguments::<L>() {
        let sample = samples.next().unwrap().trim_end();
        let (comment, line) = sample.rsplit_once('\n').unwrap();
        let comment: Vec<_> = comment
            .lines()
            .map(|line| line.strip_prefix("# ").unwrap())
            .collect();
        let (flag, variable) = (arg.get_long().unwrap(), arg.get_env().unwrap());
        let mut help = arg.get_help().unwrap().to_string();
        let (key, value) = line.split_once(" = ").unwrap();
        if !key.starts_with('#') {
            let default = format!(" [default: {}]", value.trim_matches('"'));
            help = help.strip_suffix(&default).unwrap().to_owned();
        }
        assert_eq!(key.trim_start_matches('#'), arg.get_id().as_str());
        assert_eq!(
            comment.join(" "),
            format!("{help} (--{flag}, {})", variable.to_string_lossy())
        );
    }
    assert_eq!(samples.next(), None);
}

#[test]
fn each_key_has_a_flag_and_a_variable_of_its_name() {
    for arg in [arguments::<ServerLayer>(), arguments::<RelayLayer>()].concat() {
        let key = arg.get_id().as_str();
        assert_eq!(arg.get_long(), Some(key.replace('_', "-").as_str()));
        let variable = format!("CLOAKROOM_{}", key.to_uppercase());
        assert_eq!(arg.get_env(), Some(OsStr::new(&variable)));
        assert!(arg.is_hide_env_values_set(), "{key}");
    }
}

#[test]
fn the_command_line_wins_over_the_file_and_that_over_the_defaults() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("relay.toml");
    fs::write(
        &file,
        "operator = \"file\"\nmax_memory = \"64 MiB\"\nkey = \"a.key\"\nallow_private = true\n",
    )
    .unwrap();
    let read = flags::<RelayLayer>(&[
        "--config",
        file.to_str().unwrap(),
        "--operator",
        " flag ",
        "--serves",
        "a.example, b.example",
        "--allow-private=no",
        "--relays",
        "relays.json",
    ]);
    let expected = RelaySettings {
        operator: "flag".to_owned(),
        max_memory: 64 << 20,
        serves: Some(Serves::Hosts(vec![
            "a.example".to_owned(),
            "b.example".to_owned(),
        ])),
        allow_private: false,
        key_path: folder.path().join("a.key"),
        relay_list: Some(PathBuf::from("relays.json")),
        ..RelaySettings::default()
    };
    assert_eq!(read, Ok(expected));
    let read = flags::<RelayLayer>(&["--allow-private"]).unwrap();
    assert!(read.allow_private, "a switch alone is true");
}

#[test]
fn a_wrong_flag_is_refused_by_its_name() {
    for (given, words) in [
        (
            ["--max-memory", "much"],
            "--max-memory: \"much\" is not a size",
        ),
        (["--listen", "here"], "--listen: \"here\" is not an address"),
        (["--serves", "a,,b"], "--serves: one of the values is empty"),
        (["--log", "loud"], "--log: \"loud\" is none of"),
    ] {
        let said = flags::<RelayLayer>(&given).unwrap_err();
        assert!(said.contains(words), "{said}");
    }
    let said = flags::<ServerLayer>(&["--access-word", "geheim\n"])
        .err()
        .unwrap();
    assert!(
        said.contains("--access-word:") && !said.contains("geheim"),
        "{said}"
    );
}

#[test]
fn a_file_sets_what_it_names_and_leaves_the_rest() {
    let read = decided::<ServerLayer>(
        "plain_http = true\nprevious_keys = [\"a\", \"../b\"]\nrelay_list = \"list\"\nmax_blob = 70_000\n\
         ttl_max = \"1w 12h\"\nsweep_every = \"90 s\"\nwork_bits = 0\naccess_word = 1234\nlog = \"Debug\"\n",
        "/folder",
    )
    .unwrap();
    let mut expected = ServerSettings {
        plain_http: true,
        store: PathBuf::from("cloakroom-data").into(),
        previous_key_paths: vec!["/folder/a".into(), "/folder/../b".into()],
        relay_list: Some("/folder/list".into()),
        sweep_every: std::time::Duration::from_secs(90),
        access_word: read.access_word.clone(),
        log: Some(tracing::level_filters::LevelFilter::DEBUG),
        ..ServerSettings::default()
    };
    expected.policy.max_blob = 70_000;
    expected.policy.ttl_max = 7 * 86_400 + 43_200;
    assert_eq!(format!("{read:?}"), format!("{expected:?}"));
    assert_eq!(
        read.access_word.as_ref().map(|word| word.as_str()),
        Some("1234")
    );
    assert_eq!(relay(""), Ok(RelaySettings::default()));
}

#[test]
fn an_unknown_key_is_refused_with_its_line_and_the_nearest_name() {
    for (text, words) in [
        (
            "listen = \"127.0.0.1:1\"\n\nmax_totl = 1",
            "server.toml, line 3: there is no setting \"max_totl\"; did you mean \"max_total\"?",
        ),
        (
            "Listen = 1",
            "line 1: there is no setting \"Listen\"; did you mean \"listen\"?",
        ),
        ("ttl_defualt = 1", "did you mean \"ttl_default\"?"),
        (
            "zebra = 1",
            "line 1: there is no setting \"zebra\"; --print-config shows all there are",
        ),
        ("config = \"x\"", "there is no setting \"config\""),
        (
            "print_config = true",
            "there is no setting \"print_config\"",
        ),
        (
            "\n[server]\nlisten = 1",
            "line 2: there is no setting \"server\"; settings stand at the top",
        ),
    ] {
        let said = server(text).err().unwrap();
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn a_wrong_value_is_refused_with_its_line_and_key() {
    for (text, words) in [
        ("plain_http = \"true\"", "plain_http: true or false"),
        (
            "max_total = \"hot\"",
            "max_total: \"hot\" is not a size such as 512 MiB",
        ),
        ("max_total = -1", "512 MiB"),
        ("max_total = 1.5", "a whole number"),
        ("max_total = true", "a whole number"),
        ("max_connections = \"many\"", "is not a number"),
        ("ttl_max = 14", "14d or 12h"),
        ("previous_keys = { a = 1 }", "a list"),
        (
            "previous_keys = [\n\"a\",\n\"\"\n]",
            "previous_keys: one of the values is empty",
        ),
        ("key = \"\"", "empty"),
        ("key = [\"a\", \"b\"]", "a text"),
        ("listen = 1979-05-27", "a text"),
        ("public_url = \"files\"", "public_url: "),
        ("store = \"ftp://b/c\"", "store: "),
        (
            "trusted_proxies = [\"10.0.0.0/33\"]",
            "trusted_proxies: \"10.0.0.0/33\"",
        ),
        ("log = \"1\"", "none of off"),
    ] {
        let said = server(&format!("\n{text}")).err().unwrap();
        assert!(
            said.starts_with("server.toml, line 2: ") && said.contains(words),
            "{said}"
        );
    }
    for (text, line) in [
        (
            "listen = \"127.0.0.1:1\"\nlisten = \"127.0.0.1:2\"",
            "line 2",
        ),
        ("listen =", "line 1"),
    ] {
        let said = server(text).err().unwrap();
        assert!(said.contains(line), "{said}");
    }
}

#[test]
fn an_access_word_is_never_repeated_in_an_error() {
    for word in ["\"geheim\\nwort\"", "[\"geheim\"]", "{ geheim = 1 }"] {
        let said = server(&format!("access_word = {word}")).err().unwrap();
        assert!(
            said.contains("line 1") && !said.contains("geheim"),
            "{said}"
        );
    }
    let said = server("access_word = 12.75").err().unwrap();
    assert!(!said.contains("12.75"), "{said}");
    // A number of any length is a word as it stands there; one that would be read as another text is none.
    for digits in ["7", "12345678901234567890", "1234567890123456789012345"] {
        let settings = server(&format!("access_word = {digits}")).unwrap();
        let word = settings.access_word.unwrap();
        assert_eq!(word.as_str(), digits);
    }
    for other in ["0xCAFE", "0o17", "0b1"] {
        let said = server(&format!("access_word = {other}")).err().unwrap();
        assert!(said.contains("line 1") && !said.contains(other), "{said}");
    }
    assert!(server(&format!("access_word = \"{}\"", "x".repeat(65))).is_err());
    assert!(server(&format!("access_word = \"{}\"", "x".repeat(64))).is_ok());
}

#[test]
fn the_identity_lies_in_the_folder_of_the_store() {
    let file = |text: &str| server(text).unwrap().key_file();
    assert_eq!(file("store = \"/var/x\""), Some("/var/x/server.key".into()));
    let (url, folder) = if cfg!(windows) {
        ("file:///C:/var/x", r"C:\var\x")
    } else {
        ("file:///var/x", "/var/x")
    };
    assert_eq!(
        file(&format!("store = \"{url}\"")),
        Some(Path::new(folder).join("server.key"))
    );
    assert_eq!(file("store = \"s3://bucket/c\""), None);
    assert_eq!(
        file("store = \"s3://bucket/c\"\nkey = \"k\""),
        Some("k".into())
    );
}

#[test]
fn work_is_one_of_few_numbers_and_the_eight_of_version_0_1_are_told_what_to_write() {
    for bits in [14, 16, 18, 20, 22] {
        let settings = server(&format!("work_bits = {bits}")).unwrap();
        assert_eq!(settings.work.map(WorkBase::bits), Some(bits));
    }
    for other in [
        "17",
        "-1",
        "99",
        "\"many\"",
        "[16, 17, 18, 18, 19, 19, 20, 20]",
    ] {
        let said = server(&format!("work_bits = {other}")).err().unwrap();
        assert!(
            said.contains("line 1") && said.contains("0, 14, 16, 18, 20 or 22"),
            "{other}: {said}"
        );
    }
}

#[test]
fn served_hosts_are_names_and_never_urls() {
    let serves = |value: &str| relay(&format!("serves = {value}")).map(|relay| relay.serves);
    assert_eq!(serves("\"any\""), Ok(Some(Serves::Any)));
    assert_eq!(serves("\"none\""), Ok(Some(Serves::None)));
    assert_eq!(serves("[]"), Ok(Some(Serves::None)));
    assert_eq!(
        serves("[\"A.example\", \"b.example\"]"),
        Ok(Some(Serves::Hosts(vec![
            "a.example".to_owned(),
            "b.example".to_owned()
        ])))
    );
    for wrong in ["\"http://a.example\"", "[\"a\", \"\"]", "[\"any\", \"a\"]"] {
        assert!(serves(wrong).is_err(), "{wrong}");
    }
}
