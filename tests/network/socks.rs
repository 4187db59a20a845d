//! The way out through a SOCKS5 proxy, by real processes: what the proxy is asked for, that it is believed nothing, and
//! what a person reads when it does not work.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Output;

use cloakroom::protocol::keys::Identity;
use cloakroom::protocol::relay_list::RelayList;
use cloakroom::wire::clock;
use tokio::net::TcpSocket;

use crate::network::socks_server::{Manners, SocksServer};
use crate::support::{Network, Process, cloak, content, printed_pointer, said, with_input};

const VARIABLE: &str = "CLOAKROOM_PROXY";

/// The relays of the list, as a proxy is asked for them.
fn relays(network: &Network) -> Vec<String> {
    let list = RelayList::parse(&fs::read(network.list()).unwrap(), (clock::system())()).unwrap();
    list.relays
        .iter()
        .map(|relay| format!("{}:{}", relay.host, relay.port))
        .collect()
}

fn share(network: &Network, file: &Path, more: &[&str]) -> Output {
    let mut share = cloak(network.home());
    share
        .arg("share")
        .arg(file)
        .args(["--server", &network.server.first_line, "--relays"])
        .arg(network.list())
        .args(more);
    share.output().unwrap()
}

#[test]
fn everything_goes_through_the_proxy_and_to_the_first_relay_only() {
    let network = Network::start();
    let file = network.file("a.bin", &content(400_000));
    for (login, manners) in [
        ("", Manners::default()),
        (
            "me:s%3Acret@",
            Manners {
                login: Some(("me", "s:cret")),
                ..Manners::default()
            },
        ),
    ] {
        let proxy = SocksServer::start(manners);
        let through = ["--proxy", &proxy.url(login), "--who-saw-what"];
        let output = share(&network, &file, &through);
        let pointer = printed_pointer(&output);
        let told = said(&output);
        for words in [
            format!("Proxy {}", proxy.url("").trim_start_matches("socks5://")),
            "Saw: your IP address, next relay: ".to_owned(),
            "Saw: the address that the proxy goes out with".to_owned(),
        ] {
            assert!(told.contains(&words), "{words}: {told}");
        }
        let guards = told.matches("Saw: the address that").count();
        let proxies = told.matches("Saw: your IP address").count();
        assert_eq!(guards, proxies, "nobody but the proxy saw it: {told}");
        assert!(
            !told.contains("s:cret") && !told.contains("s%3Acret"),
            "{told}"
        );
        let shared = proxy.asked();
        assert!(!shared.is_empty());

        fs::create_dir(network.received()).unwrap();
        let mut get = cloak(network.home());
        get.args(["get", "-", "--out"])
            .arg(network.received())
            .arg("--relays")
            .arg(network.list());
        get.env(VARIABLE, proxy.url(login));
        let output = with_input(get, &pointer);
        assert!(output.status.success(), "{}", said(&output));
        assert_eq!(
            fs::read(&network.received_files()[0]).unwrap(),
            content(400_000)
        );
        fs::remove_dir_all(network.received()).unwrap();

        let asked = proxy.asked();
        assert!(
            asked.len() > shared.len(),
            "the variable does what the flag does"
        );
        let relays = relays(&network);
        assert!(
            asked.iter().all(|target| relays.contains(target)),
            "{asked:?} are not all relays"
        );
    }
}

#[test]
fn checks_ask_other_computers_through_the_proxy_and_this_one_without() {
    let network = Network::start();
    let proxy = SocksServer::start(Manners {
        login: Some(("me", "s:cret")),
        ..Manners::default()
    });
    let (list, store) = (network.list(), network.home().join("store"));
    let key = network.home().join("relay-1.key");
    let settings = |proxy: &str| {
        let server = &network.server.first_line;
        let text = format!(
            "version = 3\nnetwork = {server:?}\nproxy = \"{proxy}\"\n[[networks]]\nname = \"\"\naddress = {server:?}\nrelay_list_file = {list:?}\n"
        );
        fs::write(network.home().join("config.toml"), text).unwrap();
    };
    let (listen, _key) = network.server.first_line.split_once('#').unwrap();
    let listen = listen.strip_prefix("http://").unwrap();
    let relays = relays(&network);
    let check = |args: &[&str]| {
        let mut check = cloak(network.home());
        check.current_dir(network.home()).arg("check").args(args);
        check.output().unwrap()
    };
    let person = ["--network"];
    let server = [
        "server",
        "--listen",
        listen,
        "--store",
        store.to_str().unwrap(),
        "--through",
        list.to_str().unwrap(),
    ];
    let relay = [
        "relay",
        "--listen",
        &relays[0],
        "--key",
        key.to_str().unwrap(),
        "--relays",
        list.to_str().unwrap(),
        "--allow-private",
    ];
    settings(&proxy.url("me:s%3Acret@"));
    for args in [&person[..], &server, &relay] {
        let before = proxy.asked().len();
        let output = check(args);
        assert!(output.status.success(), "{}", said(&output));
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("through your proxy"), "{text}");
        let asked = proxy.asked().split_off(before);
        assert!(!asked.is_empty(), "{args:?}");
        assert!(
            asked.iter().all(|target| relays.contains(target)),
            "{asked:?} are not all relays"
        );
        assert!(
            args != relay || !asked.contains(&relays[0]),
            "it is on this computer"
        );
    }
    let before = proxy.asked().len();
    let output = check(&[&relay[..], &["--proxy", "none"]].concat());
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(proxy.asked().len(), before);

    // Nobody is asked past a proxy that does not work, nor where it is not known whether there is one.
    for (wrong, words) in [
        ("socks5://127.0.0.1:1", "socks5://127.0.0.1:1"),
        ("nonsense", "config.toml"),
    ] {
        settings(wrong);
        for args in [&server[..], &relay] {
            let output = check(args);
            assert_eq!(output.status.code(), Some(1), "{}", said(&output));
            let text = String::from_utf8(output.stdout).unwrap();
            assert!(text.contains(words), "{text}");
        }
    }
}

/// Tor puts connections of different logins on different circuits.
#[test]
fn every_request_has_a_login_of_its_own_where_the_proxy_takes_any() {
    let network = Network::start();
    let file = network.file("a.bin", b"content");
    let tor = SocksServer::start(Manners {
        any_login: true,
        ..Manners::default()
    });
    for _ in 0..2 {
        printed_pointer(&share(&network, &file, &["--proxy", &tor.url("")]));
    }
    let logins = tor.logins();
    assert!(logins.len() >= 2 && logins.len() == tor.asked().len());
    let parts: BTreeSet<_> = logins.iter().flatten().collect();
    assert_eq!(parts.len(), 2 * logins.len(), "none stands twice");

    // The person's own login stays.
    printed_pointer(&share(
        &network,
        &file,
        &["--proxy", &tor.url("me:secret@")],
    ));
    let own = &tor.logins()[logins.len()..];
    assert!(!own.is_empty() && own.iter().all(|login| login == &["me", "secret"]));
    assert!(tor.asked().len() == tor.logins().len());
}

#[test]
fn the_settings_name_the_proxy_and_the_environment_of_others_does_not() {
    let network = Network::start();
    let file = network.file("a.txt", b"content");
    let [ours, theirs] = [(); 2].map(|()| SocksServer::start(Manners::default()));
    fs::write(
        network.home().join("config.toml"),
        format!("version = 1\nproxy = \"{}\"\n", ours.url("")),
    )
    .unwrap();

    let mut command = cloak(network.home());
    command
        .arg("share")
        .arg(&file)
        .args(["--server", &network.server.first_line, "--relays"])
        .arg(network.list());
    for variable in [
        "ALL_PROXY",
        "all_proxy",
        "HTTPS_PROXY",
        "https_proxy",
        "HTTP_PROXY",
        "http_proxy",
    ] {
        command.env(variable, theirs.url(""));
    }
    printed_pointer(&command.output().unwrap());
    let asked = ours.asked().len();
    assert!(asked > 0 && theirs.asked().is_empty());

    printed_pointer(&share(&network, &file, &["--proxy", "none"]));
    assert_eq!(ours.asked().len(), asked, "none means none");

    // The built-in network is on this computer: a proxy elsewhere could not reach it.
    let output = cloak(network.home())
        .arg("share")
        .arg(&file)
        .output()
        .unwrap();
    printed_pointer(&output);
    assert_eq!(ours.asked().len(), asked);
}

#[test]
fn without_relays_the_proxy_is_given_the_servers_name() {
    let network = Network::start();
    let file = network.file("a.txt", b"content");
    let proxy = SocksServer::start(Manners::default());
    let named = network.server.first_line.replace("127.0.0.1", "localhost");
    let mut share = cloak(network.home());
    share
        .arg("share")
        .arg(&file)
        .args(["--server", &named, "--direct", "--proxy", &proxy.url("")])
        .arg("--who-saw-what");
    let output = share.output().unwrap();
    printed_pointer(&output);
    let told = said(&output);
    assert!(
        told.contains("Saw: your IP address, server localhost")
            && told.contains("both your IP address and the server")
            && told.contains("it sees your proxy's address"),
        "{told}"
    );
    let asked = proxy.asked();
    assert!(
        !asked.is_empty() && asked.iter().all(|target| target.starts_with("localhost:")),
        "{asked:?}"
    );
}

#[test]
fn the_host_of_a_list_is_said_to_see_the_proxy() {
    let home = tempfile::tempdir().unwrap();
    let proxy = SocksServer::start(Manners::default());
    let settings = format!("version = 1\nproxy = \"{}\"\n", proxy.url(""));
    // Nothing is there: what the host would see is said before it is asked.
    let key = Identity::from_seed([1; 32]).public().to_hex();
    let line = format!("http://127.0.0.1:1/relays.json#k={key}");
    for settings in [None, Some(settings)] {
        if let Some(settings) = &settings {
            fs::write(home.path().join("config.toml"), settings).unwrap();
        }
        let server = format!("http://files.example#p={key}");
        for command in [
            &["networks", "add", &server, "--relays"][..],
            &["relay-list", "verify"],
        ] {
            let output = cloak(home.path())
                .args(command)
                .arg(&line)
                .output()
                .unwrap();
            let told = said(&output);
            let (sees, does_not) = match settings {
                None => ("sees this computer's address", "proxy"),
                Some(_) => ("sees the proxy's address", "this computer's address"),
            };
            let first = told.lines().next().unwrap_or_default();
            assert!(
                first.contains(sees) && !first.contains(does_not),
                "{command:?}: {told}"
            );
        }
    }
    assert!(!proxy.asked().is_empty());
}

#[test]
fn a_proxy_that_cannot_be_used_is_named_and_nothing_is_sent() {
    let network = Network::start();
    let file = network.file("a.txt", b"content");
    // Bound, so that nobody else gets the port, but not listening.
    let dead = TcpSocket::new_v4().unwrap();
    dead.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let dead = format!("socks5://{}", dead.local_addr().unwrap());
    let closed = SocksServer::start(Manners {
        login: Some(("me", "secret")),
        ..Manners::default()
    });
    let no_socks = format!("socks5://{}", relays(&network)[0]);
    for (proxy, words) in [
        (dead, "could not be reached"),
        (closed.url(""), "refused"),
        (closed.url("me:wrong@"), "refused"),
        (no_socks, "does not speak SOCKS5"),
    ] {
        let output = share(&network, &file, &["--proxy", &proxy]);
        assert_eq!(output.status.code(), Some(4), "{}", said(&output));
        let told = said(&output);
        let shown = proxy.replace("me:wrong@", "");
        assert!(told.contains(words) && told.contains(&shown), "{told}");
        assert!(
            !told.contains("wrong") && output.stdout.is_empty(),
            "{told}"
        );
        let output = share(&network, &file, &["--proxy", &proxy, "--who-saw-what"]);
        let told = said(&output);
        assert!(
            told.contains("The proxy could not be used")
                && told.contains("Perhaps saw: your IP address")
                && told.contains("Saw nothing: the try ended before it"),
            "{told}"
        );
    }
    let output = share(&network, &file, &["--proxy", "http://127.0.0.1:8080"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said(&output).contains("write socks5://host:port"),
        "{}",
        said(&output)
    );
    assert!(network.stored().is_empty());
}

#[test]
fn a_proxy_that_leads_elsewhere_gets_nothing() {
    let network = Network::start();
    let file = network.file("a.txt", b"content");
    let mut stranger = cloak(network.home());
    stranger
        .args(["relay", "--listen", "127.0.0.1:0", "--key"])
        .arg(network.home().join("stranger.key"));
    let stranger = Process::start(stranger);
    let entry: serde_json::Value = serde_json::from_str(&stranger.first_line).unwrap();
    let astray = format!("127.0.0.1:{}", entry["port"]).parse().unwrap();
    let proxy = SocksServer::start(Manners {
        astray: Some(astray),
        ..Manners::default()
    });
    let output = share(&network, &file, &["--proxy", &proxy.url("")]);
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    assert!(
        said(&output).contains("first relay could not be reached"),
        "{}",
        said(&output)
    );
    assert!(!proxy.asked().is_empty() && network.stored().is_empty());
}
