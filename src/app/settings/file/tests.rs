//! The file of the settings: what it holds, what it refuses, and how changes reach it.

use std::fs;

use tempfile::tempdir;

use super::*;
use crate::app::relays::set::{NetworkId, RelaySource};
use crate::app::settings::{Contrast, Display, MAX_PARALLEL, Renderer, SeveralThings, Theme, ZOOM};
use crate::app::words::l10n::Language;
use crate::protocol::address::ServerAddress;
use crate::protocol::capability::AccessWord;
use crate::protocol::keys::Ed25519Public;

const KEY: &str = "b32a74b3de569ef8e48ab8c6bfa1f533c06d5d643725c9a269c1e0f25364cbe2";

fn full() -> Settings {
    let address: ServerAddress = format!("https://files.example.org#p={KEY}")
        .parse()
        .unwrap();
    Settings {
        chosen: ServerChoice::Server(address.clone()),
        servers: vec![ServerEntry {
            direct: true,
            access_word: Some(AccessWord::parse("open \"sesame\"").unwrap()),
            relays: Some(RelaySource::File("/lists/relays.json".into())),
            ..ServerEntry::new("Ours \"quoted\" é", address)
        }],
        pointer_carries_relay_list: true,
        proxy: Some("socks5://me:secret@127.0.0.1:9050".parse().unwrap()),
        download_folder: Some("/in here".into()),
        theme: Theme::Dark,
        contrast: Contrast::High,
        reduced_motion: true,
        language: Some(Language::SimplifiedChinese),
        zoom: 150,
        copy_when_done: true,
        clear_clipboard: true,
        mask_pointers: true,
        name_in_pointer: false,
        history: false,
        notify: false,
        notify_names: true,
        display: Display::Wayland,
        renderer: Renderer::Glow,
        parallel_shares: 4,
        several_things: SeveralThings::OneEach,
        ..Settings::default()
    }
}

#[test]
fn settings_come_back_as_they_were_kept() {
    let folder = tempdir().unwrap();
    let home = Home::in_folder(folder.path().join("new/folder"));
    assert_eq!(Settings::load(&home), Ok(Settings::default()));
    for settings in [Settings::default(), full()] {
        settings.save(&home).unwrap();
        assert_eq!(Settings::load(&home), Ok(settings));
    }
    assert_eq!(fs::read_dir(&home.config_dir).unwrap().count(), 1);
}

#[test]
fn the_form_of_the_file_is_fixed() {
    let text = toml::to_string(&full()).unwrap();
    let expected = format!(
        "version = 3\nnetwork = \"https://files.example.org#p={KEY}\"\npointer_carries_relay_list = true\n\
         proxy = \"socks5://me:secret@127.0.0.1:9050\"\ndownload_folder = \"/in here\"\ntheme = \"dark\"\ncontrast = \"high\"\nreduced_motion = true\nlanguage = \"zh-Hans\"\nzoom = 150\n\
         copy_when_done = true\nclear_clipboard = true\nmask_pointers = true\nwelcomed = false\nname_in_pointer = false\n\
         history = false\nnotify = false\nnotify_names = true\ndisplay = \"wayland\"\nrenderer = \"glow\"\nparallel_shares = 4\nseveral_things = \"one-each\"\n\n[[networks]]\n\
         name = 'Ours \"quoted\" é'\naddress = \"https://files.example.org#p={KEY}\"\ndirect = true\naccess_word = 'open \"sesame\"'\nrelay_list_file = \"/lists/relays.json\"\n"
    );
    assert_eq!(text, expected);
}

/// A file of version 1 with these servers (host, other lines), the one with [`KEY`] chosen.
fn first_form(servers: &[(&str, &str)]) -> String {
    let mut text = format!("version = 1\nserver = \"{KEY}\"\n");
    for (host, lines) in servers {
        text +=
            &format!("[[servers]]\nname = \"\"\naddress = \"http://{host}#p={KEY}\"\n{lines}\n");
    }
    text
}

#[test]
fn in_a_file_of_version_1_the_key_names_the_first_server_that_has_it() {
    let folder = tempdir().unwrap();
    let home = Home::in_folder(folder.path());
    let servers = [
        ("one.example", "direct = true\naccess_word = \"sesame\""),
        ("two.example", "latest = 2"),
    ];
    let old = format!("later = 7\n{}", first_form(&servers));
    fs::write(home.config_file(), &old).unwrap();
    let read = Settings::load(&home).unwrap();
    let one = &read.servers[0];
    assert_eq!(one.address.url.host(), "one.example");
    assert_eq!(read.chosen, ServerChoice::Server(one.address.clone()));
    assert!(one.direct && one.access_word.is_some());
    let two = &read.servers[1];
    assert!(!two.direct && two.access_word.is_none());
    // To read it writes nothing.
    assert_eq!(fs::read_to_string(home.config_file()).unwrap(), old);

    save_changed(&read, &[Change::Theme(Theme::Dark)], &home);
    let text = fs::read_to_string(home.config_file()).unwrap();
    let chosen = format!("\nnetwork = \"http://one.example#p={KEY}\"\n");
    assert!(text.contains(&chosen) && text.contains("version = 3\n"));
    let kept = fs::read_to_string(folder.path().join("config.v1")).unwrap();
    assert_eq!(kept, old);
    let expected = Settings {
        theme: Theme::Dark,
        ..read
    };
    assert_eq!(Settings::load(&home), Ok(expected));
}

#[test]
fn an_address_that_a_file_holds_twice_is_one_server_and_the_first_counts() {
    let servers = [
        ("files.example", "direct = false"),
        ("two.example", ""),
        ("FILES.example:80/", "direct = true"),
    ];
    let text = first_form(&servers).replace("version = 1", "version = 2");
    let text = text.replacen(KEY, &format!("http://Files.Example/#p={KEY}"), 1);
    let read = Settings::parse(text.as_bytes()).unwrap();
    let hosts = read.servers.iter().map(ServerEntry::shown_name);
    assert_eq!(hosts.collect::<Vec<_>>(), ["files.example", "two.example"]);
    assert_eq!(read.chosen_entry(), Some(&read.servers[0]));
    assert!(!read.servers[0].direct);
}

#[test]
fn two_programs_change_two_addresses_of_one_key_each_for_itself() {
    let folder = tempdir().unwrap();
    let home = Home::in_folder(folder.path());
    fs::write(
        home.config_file(),
        first_form(&[("one.example", "direct = true"), ("two.example", "")]),
    )
    .unwrap();
    let before = Settings::load(&home).unwrap();
    let [one, two] = [0, 1].map(|at: usize| before.servers[at].address.clone());
    let word = AccessWord::parse("sesame").ok();
    // Each program has what it read before the other one wrote.
    let there = [
        Change::Direct(two.clone(), true),
        Change::AccessWord(two.clone(), word.clone()),
        Change::ChosenServer(ServerChoice::Server(two)),
    ];
    save_changed(&before, &there, &home);
    let here = [
        Change::Direct(one.clone(), false),
        Change::RemoveServer(one),
    ];
    save_changed(&before, &here, &home);
    let kept = Settings::load(&home).unwrap();
    let decided = ServerEntry {
        direct: true,
        access_word: word,
        ..before.servers[1].clone()
    };
    assert_eq!(kept.servers, std::slice::from_ref(&decided));
    assert_eq!(kept.chosen_entry(), Some(&decided));
    let back = Change::RestoreServer(0, before.servers[0].clone());
    save_changed(&kept, &[back], &home);
    let kept = Settings::load(&home).unwrap();
    assert_eq!(kept.servers, [before.servers[0].clone(), decided]);
}

/// Every source that the relays of a network can have, and how the file says so.
fn sources() -> [(Option<RelaySource>, String); 6] {
    let line = format!("https://example.org/relays.json#k={KEY}");
    let path = std::path::absolute("/lists/a.json").unwrap();
    let nodes = std::path::absolute("/lists/a.toml").unwrap();
    let [written_path, written_nodes] =
        [&path, &nodes].map(|path| toml::Value::String(path.to_str().unwrap().to_owned()));
    let key = Ed25519Public::from_hex(KEY).unwrap();
    [
        (None, String::new()),
        (
            Some(RelaySource::Session),
            "relays = \"session\"\n".to_owned(),
        ),
        (
            Some(RelaySource::Url(line.parse().unwrap())),
            format!("relays = \"{line}\"\n"),
        ),
        (
            Some(RelaySource::File(path)),
            format!("relay_list_file = {written_path}\n"),
        ),
        (
            Some(RelaySource::ServiceNodes(nodes)),
            format!("service_nodes_file = {written_nodes}\n"),
        ),
        (
            Some(RelaySource::Network(NetworkId {
                server: key,
                list: key,
            })),
            format!("list_key = \"{KEY}\"\n"),
        ),
    ]
}

#[test]
fn every_source_of_relays_is_kept() {
    let address: ServerAddress = format!("http://x#p={KEY}").parse().unwrap();
    for (relays, text) in sources() {
        let settings = Settings {
            short_lists: relays.iter().cloned().collect(),
            servers: vec![ServerEntry {
                relays,
                ..ServerEntry::new("x", address.clone())
            }],
            ..Settings::default()
        };
        let written = toml::to_string(&settings).unwrap();
        assert!(written.contains(&text), "{written}");
        assert_eq!(Settings::parse(written.as_bytes()), Ok(settings));
    }
    let entry = format!("version = 3\n[[networks]]\nname = \"x\"\naddress = \"{address}\"\n");
    for wrong in ["relays = \"http://x\"", "relays = 7", "relay_list_file = 3"] {
        let refused = Settings::parse(format!("{entry}{wrong}\n").as_bytes());
        assert!(
            matches!(refused, Err(SettingsError::Invalid { line: Some(5), .. })),
            "{wrong}: {refused:?}"
        );
        let older = format!("version = 2\n\n{wrong}\nzoom = 110\n");
        let refused = Settings::parse(older.as_bytes());
        assert!(
            matches!(refused, Err(SettingsError::Invalid { line: Some(3), .. })),
            "{wrong}: {refused:?}"
        );
    }
    let two = format!("{entry}relays = \"session\"\nlist_key = \"{KEY}\"\n");
    let refused = Settings::parse(two.as_bytes());
    assert!(
        matches!(&refused, Err(SettingsError::Invalid { reason, .. }) if reason.contains("only one of")),
        "{refused:?}"
    );
    // One for all servers is of an older version.
    let misplaced = Settings::parse(b"version = 3\nrelays = \"session\"\n");
    assert!(
        matches!(misplaced, Err(SettingsError::Misspelled { line: 2, .. })),
        "{misplaced:?}"
    );
}

#[test]
fn each_server_of_an_older_version_becomes_a_network_with_the_relays_that_were_in_use() {
    let folder = tempdir().unwrap();
    let home = Home::in_folder(folder.path());
    for (relays, line) in sources() {
        if line.starts_with("list_key") || line.starts_with("service_nodes") {
            continue;
        }
        let joined = "direct = true\nlist_key = \"b32a74b3de569ef8e48ab8c6bfa1f533c06d5d643725c9a269c1e0f25364cbe2\"";
        let servers = [
            ("one.example", "access_word = \"sesame\""),
            ("two.example", joined),
        ];
        let old = first_form(&servers).replace("version = 1", "version = 2");
        let chosen = format!("server = \"http://two.example#p={KEY}\"");
        let old = old.replacen(&format!("server = \"{KEY}\""), &chosen, 1);
        let old = old.replacen(
            "[[servers]]",
            &format!("{line}short_lists_allowed = [\"session\"]\n[[servers]]"),
            1,
        );
        fs::write(home.config_file(), &old).unwrap();
        let read = Settings::load(&home).unwrap();
        let [one, two] = &read.servers[..] else {
            panic!("two networks");
        };
        assert_eq!((one.direct, &one.relays), (false, &relays));
        assert!(one.access_word.is_some());
        assert!(two.direct && two.network().is_some());
        assert_eq!(read.chosen_entry(), Some(two));
        assert_eq!(read.short_lists, [RelaySource::Session]);

        save_changed(&read, &[Change::Welcomed], &home);
        let kept = fs::read_to_string(folder.path().join("config.v2")).unwrap();
        assert_eq!(kept, old);
        let expected = Settings {
            welcomed: true,
            ..read
        };
        assert_eq!(Settings::load(&home), Ok(expected));
    }
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        3,
        "and the lock"
    );
}

#[test]
fn a_number_of_shares_that_cannot_be_is_the_nearest_that_can() {
    for (written, decided) in [(0, 1), (3, 3), (200, MAX_PARALLEL)] {
        let text = format!("version = 1\nparallel_shares = {written}");
        let settings = Settings::parse(text.as_bytes()).unwrap();
        assert_eq!(settings.parallel_shares, decided);
    }
}

#[test]
fn a_size_that_the_window_cannot_have_is_the_nearest_that_it_can() {
    for (written, decided) in [(0, *ZOOM.start()), (117, 117), (60_000, *ZOOM.end())] {
        let text = format!("version = 1\nzoom = {written}");
        let settings = Settings::parse(text.as_bytes()).unwrap();
        assert_eq!(settings.zoom, decided);
    }
}

#[test]
fn a_short_file_has_the_defaults() {
    for version in [b"version = 1", b"version = 2", b"version = 3"] {
        assert_eq!(Settings::parse(version), Ok(Settings::default()));
    }
}

#[test]
fn unknown_keys_are_written_back() {
    let folder = tempdir().unwrap();
    let home = Home::in_folder(folder.path());
    fs::write(
        home.config_file(),
        format!(
            "version = 1\nlater = \"x\"\n[more]\na = 1\n\
             [[servers]]\nname = \"x\"\naddress = \"http://x#p={KEY}\"\nlatest = 2\n"
        ),
    )
    .unwrap();
    let mut settings = Settings::load(&home).unwrap();
    settings.theme = Theme::Light;
    settings.servers[0].name = "y".to_owned();
    settings.save(&home).unwrap();
    let table: toml::Table =
        toml::from_str(&fs::read_to_string(home.config_file()).unwrap()).unwrap();
    assert_eq!(table["later"].as_str(), Some("x"));
    assert_eq!(table["more"]["a"].as_integer(), Some(1));
    assert_eq!(table["theme"].as_str(), Some("light"));
    assert_eq!(table["networks"][0]["name"].as_str(), Some("y"));
    assert_eq!(table["networks"][0]["latest"].as_integer(), Some(2));
    assert_eq!(Settings::load(&home), Ok(settings));
}

/// To pass over them would send past the proxy, or keep what was not to be kept.
#[test]
fn misspelled_keys_that_protect_something_stop_the_settings() {
    let server = format!("[[servers]]\nname = \"x\"\naddress = \"http://x#p={KEY}\"\n");
    let folder = tempdir().unwrap();
    let home = Home::in_folder(folder.path());
    for (text, line, key, meant) in [
        (
            "version = 1\nproxi = \"socks5://127.0.0.1:9050\"\n",
            2,
            "proxi",
            "proxy",
        ),
        ("version = 1\n\n\"Proxy\" = 1\n", 3, "Proxy", "proxy"),
        (
            "version = 1\nrelay_lists = \"session\"\n",
            2,
            "relay_lists",
            "relays",
        ),
        (
            "version = 1\n[privacy]\nhistory = false\n",
            3,
            "history",
            "history",
        ),
        // A line at the end of the file belongs to the last server.
        (
            &format!("version = 1\n{server}proxy = \"socks5://x:1\"\n"),
            5,
            "proxy",
            "proxy",
        ),
        (
            &format!("version = 1\n{server}access-word = \"x\"\n"),
            5,
            "access-word",
            "access_word",
        ),
    ] {
        fs::write(home.config_file(), text).unwrap();
        let unread = Settings::load(&home).unwrap_err();
        let key = key.to_owned();
        assert_eq!(unread.error, SettingsError::Misspelled { line, key, meant });
        let saved = full().save_changes(&[Change::Welcomed], &home);
        assert_eq!(saved, Err(unread.error));
        assert_eq!(fs::read_to_string(home.config_file()).unwrap(), text);
    }
}

/// The settings `before` with changes, as the window has them when it writes.
fn save_changed(before: &Settings, changes: &[Change], home: &Home) {
    let mut now = before.clone();
    changes.iter().for_each(|change| now.apply(change));
    now.save_changes(changes, home).unwrap();
}

#[test]
fn what_another_program_changed_meanwhile_stays() {
    let folder = tempdir().unwrap();
    let home = Home::in_folder(folder.path());
    let before = full();
    let address = before.servers[0].address.clone();
    before.save(&home).unwrap();
    let there = [
        Change::Relays(address, Some(RelaySource::Session)),
        Change::ShortList(RelaySource::Session, true),
        Change::Zoom(117),
    ];
    save_changed(&before, &there, &home);
    let mut text = fs::read_to_string(home.config_file()).unwrap();
    text.insert_str(0, "later = 7\n");
    fs::write(home.config_file(), text).unwrap();

    let here = [
        Change::Theme(Theme::Light),
        Change::Proxy(None),
        Change::ShortList(RelaySource::BuiltIn, true),
    ];
    save_changed(&before, &here, &home);
    let kept = Settings::load(&home).unwrap();
    assert_eq!(kept.servers[0].relays, Some(RelaySource::Session));
    assert_eq!(
        kept.short_lists,
        [RelaySource::Session, RelaySource::BuiltIn]
    );
    assert_eq!((kept.zoom, kept.theme), (117, Theme::Light));
    assert_eq!(kept.proxy, None);
    assert_eq!(kept.unknown["later"].as_integer(), Some(7));
}

#[test]
fn what_both_changed_is_as_the_later_one_wants_it() {
    let folder = tempdir().unwrap();
    let home = Home::in_folder(folder.path());
    let before = full();
    let address = before.servers[0].address.clone();
    before.save(&home).unwrap();
    let list = RelaySource::File("/lists/a.json".into());
    for relays in [Some(RelaySource::Session), Some(list), None] {
        let change = Change::Relays(address.clone(), relays.clone());
        save_changed(&before, &[change], &home);
        let mut expected = before.clone();
        expected.servers[0].relays = relays;
        assert_eq!(Settings::load(&home), Ok(expected));
    }
}

#[test]
fn a_server_that_another_program_removed_stays_gone() {
    let folder = tempdir().unwrap();
    let home = Home::in_folder(folder.path());
    let before = full();
    let address = before.servers[0].address.clone();
    before.save(&home).unwrap();
    save_changed(&before, &[Change::RemoveServer(address.clone())], &home);
    let here = [
        Change::Direct(address.clone(), false),
        Change::ChosenServer(ServerChoice::Server(address)),
    ];
    save_changed(&before, &here, &home);
    let kept = Settings::load(&home).unwrap();
    assert!(kept.servers.is_empty());
    assert_eq!(kept.chosen, ServerChoice::BuiltIn);
}

#[test]
fn a_file_that_went_meanwhile_is_written_whole_and_one_that_broke_is_left_alone() {
    let folder = tempdir().unwrap();
    let home = Home::in_folder(folder.path().join("new/folder"));
    let change = [Change::Theme(Theme::Light)];
    let now = Settings {
        theme: Theme::Light,
        ..full()
    };
    now.save_changes(&change, &home).unwrap();
    assert_eq!(Settings::load(&home), Ok(now.clone()));
    fs::write(home.config_file(), "theme = [").unwrap();
    let broken = now.save_changes(&change, &home);
    assert!(
        matches!(broken, Err(SettingsError::Invalid { .. })),
        "{broken:?}"
    );
    assert_eq!(fs::read_to_string(home.config_file()).unwrap(), "theme = [");
    fs::remove_file(home.config_file()).unwrap();
    fs::create_dir(home.config_file()).unwrap();
    let read = now.save_changes(&change, &home);
    assert!(matches!(read, Err(SettingsError::Read(_))), "{read:?}");
}

#[test]
fn who_changes_the_settings_waits_for_who_does_already() {
    let folder = tempdir().unwrap();
    let home = Home::in_folder(folder.path());
    let held = kept(&home).hold().unwrap();
    let (told, heard) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            save_changed(&Settings::default(), &[Change::Zoom(150)], &home);
            told.send(()).unwrap();
        });
        let there = Settings {
            theme: Theme::Dark,
            ..Settings::default()
        };
        there.save(&home).unwrap();
        assert!(heard.try_recv().is_err());
        drop(held);
        heard.recv().unwrap();
    });
    let kept = Settings::load(&home).unwrap();
    assert_eq!((kept.zoom, kept.theme), (150, Theme::Dark));
}

#[test]
fn broken_files_stay_until_the_person_says_so_and_then_go_aside_each_under_its_own_name() {
    let folder = tempdir().unwrap();
    let home = Home::in_folder(folder.path());
    let bad_server =
        format!("version = 1\n[[servers]]\nname = \"x\"\naddress = \"ftp://x#p={KEY}\"\n");
    let bad_word = format!(
        "version = 1\n[[servers]]\nname = \"x\"\naddress = \"http://x#p={KEY}\"\naccess_word = \"\"\n"
    );
    let old_gone = format!("version = 1\nserver = \"{KEY}\"\n");
    let gone = format!("version = 2\nserver = \"http://x#p={KEY}\"\n");
    let only_a_key = format!("version = 2\n\nserver = \"{KEY}\"\n");
    let bad_proxy = "version = 1\nproxy = \"http://127.0.0.1:8080\"\n";
    for (number, (text, line)) in [
        ("version = 1\ntheme = [", Some(2)),
        ("version = 1\n\ntheme = \"pink\"", Some(3)),
        ("theme = \"dark\"", None),
        (&bad_server, Some(4)),
        (&bad_word, Some(5)),
        (&old_gone, None),
        (&gone, None),
        (&only_a_key, Some(3)),
        (bad_proxy, Some(2)),
    ]
    .into_iter()
    .enumerate()
    {
        fs::write(home.config_file(), text).unwrap();
        // No start is quieter than the one before.
        for _start in 0..2 {
            let unread = Settings::load(&home).unwrap_err();
            assert_eq!(unread.file, home.config_file());
            assert!(
                matches!(unread.error, SettingsError::Invalid { line: at, .. } if at == line),
                "{unread:?}"
            );
        }
        let aside = if number == 0 {
            "config.toml.broken".to_owned()
        } else {
            format!("config.toml.broken.{number}")
        };
        let aside = folder.path().join(aside);
        let settled = Settings::read_or_put_aside(&home);
        assert_eq!(settled, Ok((Settings::default(), Some(aside.clone()))));
        assert_eq!(fs::read_to_string(aside).unwrap(), text);
        assert_eq!(Settings::load(&home), Ok(Settings::default()));
    }
}

#[test]
fn a_newer_versions_file_stays_and_readable_settings_are_never_put_aside() {
    let folder = tempdir().unwrap();
    let home = Home::in_folder(folder.path());
    let newer = "version = 4\nproxy = \"elsewhere\"\n";
    fs::write(home.config_file(), newer).unwrap();
    assert_eq!(
        Settings::load(&home).unwrap_err().error,
        SettingsError::Newer
    );
    let settled = Settings::read_or_put_aside(&home);
    assert_eq!(settled, Err(SettingsError::Newer));
    let saved = full().save_changes(&[Change::Welcomed], &home);
    assert_eq!(saved, Err(SettingsError::Newer));
    assert_eq!(fs::read_to_string(home.config_file()).unwrap(), newer);

    full().save(&home).unwrap();
    assert_eq!(Settings::read_or_put_aside(&home), Ok((full(), None)));
    assert_eq!(Settings::load(&home), Ok(full()));
}

/// A link to a disk that is not there is no reason to start afresh.
#[cfg(unix)]
#[test]
fn a_link_that_leads_nowhere_is_a_file_that_cannot_be_read() {
    let folder = tempdir().unwrap();
    let home = Home::in_folder(folder.path());
    std::os::unix::fs::symlink("/nowhere/config.toml", home.config_file()).unwrap();
    let unread = Settings::load(&home).unwrap_err();
    assert!(matches!(unread.error, SettingsError::Read(_)), "{unread:?}");
}

/// Windows' Notepad writes such files.
#[test]
fn settings_in_utf_16_are_read() {
    let folder = tempdir().unwrap();
    let home = Home::in_folder(folder.path());
    full().save(&home).unwrap();
    let text = fs::read_to_string(home.config_file()).unwrap();
    let mut bytes = vec![0xff, 0xfe];
    bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    fs::write(home.config_file(), bytes).unwrap();
    assert_eq!(Settings::load(&home), Ok(full()));
}

#[test]
fn other_bytes_and_newer_files_are_told() {
    assert!(matches!(
        Settings::parse(b"\xff\xfe"),
        Err(SettingsError::Invalid { .. })
    ));
    assert_eq!(
        Settings::parse(b"version = 4\ntheme = 7"),
        Err(SettingsError::Newer)
    );
    assert!(matches!(
        Settings::parse(b"version = 0"),
        Err(SettingsError::Invalid { .. })
    ));
    assert!(matches!(
        Settings::parse(b""),
        Err(SettingsError::Invalid { .. })
    ));
}

#[test]
fn what_cannot_be_read_or_written_is_told() {
    let folder = tempdir().unwrap();
    let home = Home::in_folder(folder.path());
    fs::create_dir(home.config_file()).unwrap();
    let unread = Settings::load(&home).unwrap_err();
    assert!(matches!(unread.error, SettingsError::Read(_)), "{unread:?}");
    let settings = Settings::default();
    assert!(matches!(settings.save(&home), Err(SettingsError::Write(_))));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn the_choice_of_a_removed_server_falls_back() {
    let mut settings = full();
    settings.servers.clear();
    assert!(settings.chosen_server().is_none());
    assert_eq!(settings.without_gone_choice().chosen, ServerChoice::BuiltIn);
}

#[cfg(unix)]
#[test]
fn settings_are_readable_by_nobody_else() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    let folder = tempdir().unwrap();
    let home = Home::in_folder(folder.path().join("home"));
    full().save(&home).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&home.config_file()), 0o600);
    assert_eq!(mode(&home.config_dir), 0o700);
}
