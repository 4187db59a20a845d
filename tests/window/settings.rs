//! Settings in the window: what is entered there reaches what is kept.

use cloakroom::app::error::{AppError, LocalFileError, ServerRefusal};
use cloakroom::app::relays::{RelaySource, RelaySourceError};
use cloakroom::app::settings::{
    Change, Display, Home, Renderer, ServerChoice, ServerEntry, Settings, SettingsError, Theme,
};
use cloakroom::app::words::message::UserMessage;
use cloakroom::gui::backend::App;
use cloakroom::gui::model::{
    Action, Count, KeepFor, RelayAction, RowAction, Screen, ServerAction, SettingsAction,
    ShareOptions, Terms, TransferState, WindowAction,
};
use cloakroom::gui::text;
use cloakroom::gui::window::Opening;
use cloakroom::gui::worker::Backend as _;
use cloakroom::protocol::capability::AccessWord;
use egui::Key;
use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::window::desk::Desk;
use crate::window::desktop::{server, settings, with_a_server};

fn kept_word(desk: &Desk) -> Option<String> {
    let saves = desk.backend.saves();
    let server = saves.last()?.servers.first()?;
    Some(server.access_word.as_ref()?.as_str().to_owned())
}

#[test]
fn an_access_word_is_entered_kept_and_forgotten_and_never_shown() {
    let mut desk = Desk::with(with_a_server(), [760.0, 600.0], |_| Opening::default());
    desk.act(WindowAction::Go(Screen::Settings));
    desk.click("Enter a word files.example");
    desk.until(|desk| desk.focused().as_deref() == Some("Access word"));
    desk.window
        .event(egui::Event::Text("open sesame".to_owned()));
    desk.window.run_steps(2);
    assert!(!desk.sees("open sesame"), "it is masked");
    desk.press(Key::Enter);
    desk.until(|desk| kept_word(desk).as_deref() == Some("open sesame"));
    desk.until_seen("One is kept with this server");
    assert!(!format!("{:?}", desk.window).contains("sesame"));
    desk.until(|desk| desk.focused().as_deref() == Some("Change the word files.example"));
    desk.click("Forget the access word of files.example");
    desk.until(|desk| kept_word(desk).is_none());
    desk.until_seen("Only if the server");
}

/// Makes changes as the window does: in the settings that it has, and in the file.
fn save(app: &App, settings: Settings, changes: &[Change]) -> Settings {
    let mut settings = settings;
    for change in changes {
        settings.apply(change);
    }
    app.save(changes, &settings).expect("saved");
    settings
}

#[test]
fn what_is_kept_of_a_server_comes_back_with_its_name_and_its_word() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let home = Home::in_folder(folder.path());
    let seed = [7; 32];
    let key = cloakroom::protocol::keys::Identity::from_seed(seed).public();
    let address: cloakroom::protocol::address::ServerAddress =
        format!("http://files.example#p={}", key.to_hex())
            .parse()
            .expect("an address");
    let config = Settings {
        chosen: ServerChoice::Server(address.clone()),
        servers: vec![ServerEntry::new("Friends", address.clone())],
        ..Settings::default()
    };
    config.save(&home).expect("saved");
    // A newer version keeps more with a server.
    let text = || std::fs::read_to_string(home.config_file()).expect("read");
    std::fs::write(home.config_file(), text() + "latest = 2\n").expect("written");

    let app = App::new(home.clone());
    let loaded = app.load();
    assert_eq!(loaded.trouble, None);
    assert_eq!(loaded.settings.servers[0].name, "Friends");
    let word = AccessWord::parse("sesame").ok();
    save(&app, loaded.settings, &[Change::AccessWord(address, word)]);
    assert!(text().contains("latest = 2"), "{}", text());

    let kept = App::new(home).load().settings;
    assert_eq!(kept.servers[0].name, "Friends");
    let word = kept.servers[0].access_word.as_ref();
    assert_eq!(word.map(AccessWord::as_str), Some("sesame"));
}

/// A server at this URL, with the key that `files.example` has.
fn same_key_at(url: &str) -> ServerEntry {
    let key = server("files.example").address.key.to_hex();
    ServerEntry::new("", format!("{url}#p={key}").parse().expect("an address"))
}

#[test]
fn two_addresses_of_one_key_are_told_apart_and_have_controls_of_their_own() {
    let urls = [
        "http://files.example",
        "https://files.example",
        "http://two.example:8787",
    ];
    let kept = Settings {
        servers: urls
            .map(|url| same_key_at(url).through(RelaySource::Session))
            .into(),
        ..settings()
    };
    let mut desk = Desk::with(kept, [760.0, 600.0], |_| Opening::default());
    desk.act(WindowAction::Go(Screen::Settings));
    let last_saved = |desk: &Desk| desk.backend.saves().pop();
    // Where two have the same host, the URL tells which is which.
    let names = [
        "http://files.example",
        "https://files.example",
        "two.example:8787",
    ];
    for (at, name) in names.into_iter().enumerate() {
        desk.click(&format!("Use {name}"));
        let chosen = ServerChoice::Server(same_key_at(urls[at]).address);
        desk.until(|desk| last_saved(desk).is_some_and(|kept| kept.chosen == chosen));
    }
    desk.click("Without relays https://files.example");
    let direct = |kept: &Settings| {
        kept.servers
            .iter()
            .map(|entry| entry.direct)
            .collect::<Vec<_>>()
    };
    desk.until(|desk| last_saved(desk).is_some_and(|kept| direct(&kept) == [false, true, false]));
    desk.click("Remove https://files.example");
    desk.until(|desk| last_saved(desk).is_some_and(|kept| kept.servers.len() == 2));
    desk.until_seen("Use files.example");
    desk.click("Undo");
    desk.until(|desk| last_saved(desk).is_some_and(|kept| direct(&kept) == [false, true, false]));
}

#[test]
fn a_change_that_could_not_be_kept_is_written_when_the_window_closes() {
    let mut desk = Desk::with(with_a_server(), [760.0, 600.0], |_| Opening::default());
    let full = SettingsError::Write(io::ErrorKind::StorageFull.into());
    let why = UserMessage::from(&AppError::SettingsFile(full));
    desk.backend.refuse_save(why.clone());
    desk.act(Change::Theme(Theme::Dark));
    desk.until_seen(&why.what);
    assert!(desk.backend.saves().is_empty());
    let backend = Arc::clone(&desk.backend);
    drop(desk);
    let saves = backend.saves();
    assert_eq!(saves.len(), 1);
    assert_eq!(saves[0].theme, Theme::Dark);
}

#[test]
fn a_change_right_before_the_window_closes_is_written() {
    let mut desk = Desk::with(with_a_server(), [760.0, 600.0], |_| Opening::default());
    let ctx = desk.window.ctx.clone();
    desk.window.state_mut().take(&ctx, Change::Zoom(117));
    let backend = Arc::clone(&desk.backend);
    drop(desk);
    let saves = backend.saves();
    assert_eq!(saves.last().map(|kept| kept.zoom), Some(117));
}

#[test]
fn what_the_command_line_changes_while_the_window_is_open_stays() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let home = Home::in_folder(folder.path());
    let mut read = Settings {
        zoom: 117,
        ..with_a_server()
    };
    read.save(&home).expect("saved");
    let app = App::new(home.clone());
    let settings = app.load().settings;

    let server = read.servers[0].address.clone();
    let changes = [
        Change::Relays(server, None),
        Change::ShortList(RelaySource::Session, true),
    ];
    changes.iter().for_each(|change| read.apply(change));
    read.save_changes(&changes, &home).expect("saved");
    let settings = save(&app, settings, &[Change::Welcomed]);
    save(&app, settings, &[Change::MaskPointers(true)]);

    let mut expected = read;
    (expected.welcomed, expected.mask_pointers) = (true, true);
    assert_eq!(Settings::load(&home), Ok(expected));
}

const DAY: u64 = 24 * 3_600;

#[test]
fn every_option_of_a_share_is_chosen_by_its_name_and_reaches_the_next_share() {
    let mut desk = Desk::with(with_a_server(), [760.0, 900.0], |_| Opening::default());
    desk.until_seen("kept for the server's usual time");
    desk.backend.say_terms(Terms {
        max_len: 1_000_000,
        usual_secs: 2 * DAY,
        max_secs: 14 * DAY,
        work_bits: Some(18),
    });
    let choice = with_a_server().chosen;
    desk.act(ServerAction::Use(choice));
    desk.until_seen("kept 2 days");
    desk.until_seen("asks for work (18 bits)");
    assert!(desk.sees("Up to 1 MB a file"));
    desk.click("Options");
    assert!(desk.sees("Usual (2 days)") && !desk.sees("30 days"));
    let mut wanted = Vec::new();
    let mut want = |desk: &mut Desk, press: &str, keep, count| {
        desk.click(press);
        desk.click("Share");
        let file = desk.file("report.pdf");
        desk.backend.let_go(1);
        desk.drop_files(&[file]);
        wanted.push(ShareOptions { keep, count });
        let all = wanted.clone();
        desk.until(|desk| desk.backend.shares() == all);
        desk.until(|desk| desk.window.state().model().unfinished() == 0);
    };
    want(&mut desk, "1 day", KeepFor::Days(1), Count::No);
    want(&mut desk, "7 days", KeepFor::Days(7), Count::No);
    want(&mut desk, "14 days", KeepFor::Days(14), Count::No);
    want(&mut desk, "Yes", KeepFor::Days(14), Count::Yes);
    want(&mut desk, "Limited", KeepFor::Days(14), Count::Limit(1));
    want(
        &mut desk,
        "More downloads",
        KeepFor::Days(14),
        Count::Limit(2),
    );
    want(
        &mut desk,
        "Fewer downloads",
        KeepFor::Days(14),
        Count::Limit(1),
    );
    want(&mut desk, "Usual (2 days)", KeepFor::Usual, Count::Limit(1));
    want(&mut desk, "No", KeepFor::Usual, Count::No);
}

#[test]
fn what_failed_offers_what_helps() {
    let mut desk = Desk::with(with_a_server(), [760.0, 900.0], |_| Opening::default());
    let refusal = ServerRefusal::AccessWord { given: false };
    desk.backend.fail_next(AppError::Server(refusal));
    let file = desk.file("report.pdf");
    desk.drop_files(std::slice::from_ref(&file));
    desk.backend.let_go(1);
    desk.until_seen("The file was not stored.");
    assert!(desk.sees("Retry"), "once the word is there");
    desk.click("Enter the access word report.pdf");
    desk.until(|desk| desk.focused().as_deref() == Some("Access word"));
    assert_eq!(desk.window.state().model().screen, Screen::Settings);

    desk.act(WindowAction::Go(Screen::Share));
    let id = desk.window.state().model().transfers[0].id;
    desk.act(Action::Row(id, RowAction::Remove));
    desk.backend
        .fail_next(AppError::Local(LocalFileError::NotAFile));
    desk.drop_files(&[file]);
    desk.backend.let_go(1);
    desk.until(|desk| {
        let rows = &desk.window.state().model().transfers;
        rows.iter()
            .any(|row| matches!(row.state, TransferState::Failed(_)))
    });
    assert!(!desk.sees("Retry") && desk.sees("Remove"));
}

#[test]
fn what_was_removed_comes_back_by_button_and_by_key() {
    let mut desk = Desk::with(with_a_server(), [760.0, 600.0], |_| Opening::default());
    desk.shared_one();
    let id = desk.window.state().model().transfers[0].id;
    desk.act(Action::Row(id, RowAction::Remove));
    assert!(desk.sees("report.pdf was removed."));
    desk.click("Undo");
    assert_eq!(desk.window.state().model().transfers[0].id, id);
    assert!(!desk.sees("was removed"));

    desk.act(WindowAction::Go(Screen::Settings));
    desk.click("Remove files.example");
    desk.until(|desk| {
        desk.backend
            .saves()
            .last()
            .is_some_and(|kept| kept.servers.is_empty())
    });
    desk.window
        .key_press_modifiers(egui::Modifiers::COMMAND, Key::Z);
    desk.window.run_steps(2);
    desk.until(|desk| desk.backend.saves().last() == Some(&with_a_server()));
}

#[test]
fn a_test_tells_of_upload_download_and_delete() {
    let mut desk = Desk::with(with_a_server(), [760.0, 900.0], |_| Opening::default());
    let choice = with_a_server().chosen;
    desk.act(WindowAction::Go(Screen::Settings));
    desk.act(ServerAction::Test(choice));
    desk.backend.let_go(1);
    desk.until_seen("Upload (84 ms) and download (57 ms) work. Delete (31 ms) works.");
}

#[test]
fn links_open_this_program_where_the_system_leaves_that_to_it() {
    const LINKS: &str = "Open cloakroom: links with this program";
    let mut desk = Desk::with(with_a_server(), [760.0, 900.0], |_| Opening::default());
    desk.act(WindowAction::Go(Screen::Settings));
    desk.until_seen("Downloads");
    assert!(!desk.sees(LINKS), "it was decided when it was installed");

    *desk.desktop.links.lock().expect("no panic") = Some(true);
    desk.act(SettingsAction::OpenLinks(false));
    desk.until_seen(LINKS);
    let known = |desk: &Desk| *desk.desktop.links.lock().expect("no panic");
    assert_eq!(known(&desk), Some(false));
    desk.click(LINKS);
    desk.until(|desk| desk.window.state().model().settings_screen.links == Some(true));
    assert_eq!(known(&desk), Some(true));

    let stay = &desk.desktop.links_stay;
    stay.store(true, Ordering::SeqCst);
    desk.click(LINKS);
    desk.until_seen("Windows did not take which program opens such links.");
    assert_eq!(
        desk.window.state().model().settings_screen.links,
        Some(true)
    );
}

#[test]
fn what_few_people_change_is_kept_and_the_diagnostics_hold_no_secret() {
    let mut desk = Desk::with(with_a_server(), [760.0, 900.0], |_| Opening::default());
    desk.act(WindowAction::Go(Screen::Settings));
    desk.click("More files at the same time");
    desk.click("OpenGL");
    // Other systems have one display, and nothing to choose.
    let display = if cfg!(all(unix, not(target_os = "macos"))) {
        desk.click("Wayland");
        Display::Wayland
    } else {
        Display::Auto
    };
    desk.until(|desk| {
        let kept = kept(desk);
        let renderer = kept.renderer == Renderer::Glow;
        renderer && kept.display == display && kept.parallel_shares == 3
    });

    let folder = tempfile::tempdir().expect("a temporary folder");
    let home = Home::in_folder(folder.path());
    let app = App::new(home);
    let settings = app.load().settings;
    let mut known = server("files.example");
    known.access_word = AccessWord::parse("sesame").ok();
    let changes = [
        Change::AddServer(known),
        Change::Proxy("socks5://me:hush@127.0.0.1:9050".parse().ok()),
    ];
    let saved = save(&app, settings, &changes);
    assert_eq!(app.load().settings, saved);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let found = runtime.block_on(app.diagnostics());
    assert!(found.contains("settings: ok"), "{found}");
    assert!(
        !found.contains("sesame") && !found.contains("hush"),
        "{found}"
    );
}

#[test]
fn how_much_longer_a_file_is_kept_is_chosen() {
    let mut desk = Desk::with(with_a_server(), [760.0, 600.0], |_| Opening::default());
    desk.shared_one();
    desk.click("More about report.pdf");
    desk.until_seen("Keep longer");
    desk.click("Keep longer");
    desk.until_seen("30 days");
    assert!(!desk.sees("1 day,"), "that would not be longer");
    desk.click("30 days, until 22 Dec 2026");
    desk.until_seen("20 Dec 2026");
    assert!(!desk.sees("30 days"));
}

/// Place of the widget of this role and name.
fn place(desk: &Desk, role: Role, name: &str) -> egui::Rect {
    desk.window.get_by_role_and_label(role, name).rect()
}

/// What is said in these words, in the window and below the bar.
fn is_in_view(desk: &Desk, words: &str) -> bool {
    let view = desk.window.ctx.content_rect();
    let mut nodes = desk.window.query_all_by_label_contains(words);
    nodes.any(|node| view.contains_rect(node.rect()) && node.rect().top() >= 56.0)
}

/// Gives the keyboard to a widget, as Tab would.
fn focus(desk: &mut Desk, name: &str) {
    desk.window.get_by_label(name).focus();
    desk.window.run_steps(8);
    assert_eq!(desk.focused().as_deref(), Some(name));
}

fn kept(desk: &Desk) -> Settings {
    desk.backend.saves().last().cloned().unwrap_or_default()
}

fn announced(desk: &Desk, words: &str) -> bool {
    let announcement = &desk.window.state().model().announcement;
    text::announcement(announcement).as_deref() == Some(words)
}

/// Where the relays of the first network are from, as it was kept last.
fn relays_kept(desk: &Desk) -> Option<RelaySource> {
    kept(desk).servers.first()?.relays.clone()
}

fn settings_open(size: [f32; 2]) -> Desk {
    let mut desk = Desk::with(with_a_server(), size, |_| Opening::default());
    desk.act(WindowAction::Go(Screen::Settings));
    desk.window.run_steps(8);
    desk
}

#[test]
fn what_is_said_above_a_long_page_is_brought_into_view_and_takes_the_keyboard_from_nobody() {
    let mut desk = settings_open([760.0, 600.0]);
    focus(&mut desk, "Copy diagnostics");
    desk.press(Key::Enter);
    desk.until(|desk| is_in_view(desk, "The diagnostics were copied."));
    assert_eq!(desk.focused().as_deref(), Some("Copy diagnostics"));
}

#[test]
fn without_a_dialog_a_relay_list_is_named_by_its_path_where_that_is_said() {
    let mut desk = settings_open([420.0, 420.0]);
    desk.desktop.no_dialogs.store(true, Ordering::SeqCst);
    desk.click("Choose a list");
    desk.until(|desk| is_in_view(desk, "Type or paste the path of the list"));
    desk.until(|desk| desk.focused().as_deref() == Some("Add a relay list"));
    let path = "/home/ada/our relays.json";
    desk.paste(&format!("\"{path}\""));
    desk.press(Key::Enter);
    let chosen = Some(RelaySource::File(path.into()));
    desk.until(|desk| relays_kept(desk) == chosen);
    assert!(announced(&desk, "Relays of three friends is in use."));
    assert!(!desk.sees("Type or paste the path"));

    desk.click("Change");
    desk.until(|desk| is_in_view(desk, "Install xdg-desktop-portal or Zenity; until then"));
}

#[test]
fn a_relay_list_dropped_on_settings_is_used_and_any_other_file_is_shared() {
    let mut desk = settings_open([760.0, 600.0]);
    let list = desk.file("Relays.JSON");
    let hovering = &mut desk.window.input_mut().hovered_files;
    hovering.push(egui::HoveredFile {
        path: Some(list.clone()),
        ..Default::default()
    });
    desk.until_seen("Drop to use Relays.JSON as the relay list");
    desk.window.input_mut().hovered_files.clear();
    desk.drop_files(std::slice::from_ref(&list));
    let chosen = Some(RelaySource::File(list.clone()));
    desk.until(|desk| relays_kept(desk) == chosen);
    assert!(desk.window.state().model().transfers.is_empty());

    desk.drop_report();
    desk.until(|desk| desk.window.state().model().transfers.len() == 1);
    desk.act(WindowAction::Go(Screen::Share));
    desk.drop_files(&[list]);
    desk.until(|desk| desk.window.state().model().transfers.len() == 2);
}

#[test]
fn what_is_wrong_stands_under_its_field_and_is_seen() {
    for size in [[760.0, 600.0], [420.0, 420.0]] {
        let mut desk = settings_open(size);
        desk.backend
            .fail_next(AppError::RelaySource(RelaySourceError::NotHere));
        desk.act(RelayAction::LineEdited("nonsense".to_owned()));
        desk.act(RelayAction::Add);
        desk.until(|desk| is_in_view(desk, "There are no relays to use."));
        let field = place(&desk, Role::TextInput, "Add a relay list");
        let labels = desk.window.query_all_by_role(Role::Label);
        let mut labels =
            labels.filter(|node| node.value().as_deref() == Some("There are no relays to use."));
        let said = labels.next().expect("it is said").rect();
        drop(labels);
        let session = place(&desk, Role::Switch, "Session's service nodes");
        assert!(field.bottom() < said.top() && said.bottom() < session.top());

        desk.act(RelayAction::ProxyEdited("nonsense".to_owned()));
        desk.act(RelayAction::UseProxy);
        desk.until(|desk| is_in_view(desk, "This is not a proxy's address."));
        let wrong = |desk: &Desk, name: &str| {
            let field = desk.window.get_by_role_and_label(Role::TextInput, name);
            field.accesskit_node().data().invalid().is_some()
        };
        assert!(wrong(&desk, "SOCKS5 proxy") && wrong(&desk, "Add a relay list"));
        assert!(!wrong(&desk, "Add a server"));
    }
}

#[test]
fn whoever_comes_to_a_field_by_f6_sees_what_it_is_for() {
    let mut desk = settings_open([210.0, 210.0]);
    desk.press(Key::F6);
    desk.window.run_steps(30);
    assert_eq!(desk.focused().as_deref(), Some("Add a server"));
    assert!(is_in_view(&desk, "Add a server"));
    let labels = desk.window.query_all_by_role(Role::Label);
    let mut labels = labels.filter(|node| node.value().as_deref() == Some("Add a server"));
    let label = labels.next().expect("a label");
    assert!(label.rect().top() >= 56.0, "{:?}", label.rect());
}

#[test]
fn what_has_the_same_words_has_a_name_of_its_own() {
    let mut desk = settings_open([760.0, 600.0]);
    for name in [
        "Use Built-in network",
        "Test Built-in network",
        "Test files.example",
        "Remove files.example",
        "Without relays files.example",
        "Enter a word files.example",
        "Add this server",
        "Add this relay list",
    ] {
        assert_eq!(desk.window.query_all_by_label(name).count(), 1, "{name}");
    }
    desk.click("Use Built-in network");
    desk.until(|desk| announced(desk, "File server: Built-in network"));
    desk.click("Test files.example");
    desk.until(|desk| announced(desk, "Testing upload and download…"));
    desk.backend.let_go(1);
    desk.until_seen("84 ms");
    desk.act(ServerAction::AddressEdited(
        server("other.example").address.to_string(),
    ));
    desk.act(ServerAction::Add);
    desk.until(|desk| announced(desk, "other.example was added and is in use."));
}

#[test]
fn screen_readers_are_told_of_headings_lists_and_states() {
    let mut desk = settings_open([760.0, 600.0]);
    for (role, name) in [
        (Role::Heading, "File servers"),
        (Role::Heading, "Relays"),
        (Role::Region, "Privacy"),
        (Role::List, "File servers"),
        (Role::ListItem, "files.example"),
        (Role::SpinButton, "Size"),
        (Role::SpinButton, "Files shared at the same time"),
    ] {
        assert!(
            desk.window.query_by_role_and_label(role, name).is_some(),
            "{name}"
        );
    }
    let size = desk.window.get_by_role_and_label(Role::SpinButton, "Size");
    assert_eq!(size.value().as_deref(), Some("100%"));
    let gear = desk.window.get_by_role_and_label(Role::Button, "Settings");
    assert_eq!(
        gear.accesskit_node().toggled(),
        Some(egui::accesskit::Toggled::True)
    );
    let keys = desk.window.get_by_label("Keyboard shortcuts");
    assert!(keys.accesskit_node().has_popup().is_some());
    let expanded = |desk: &Desk, name: &str| {
        let button = desk.window.get_by_label(name);
        button.accesskit_node().data().is_expanded()
    };
    assert_eq!(expanded(&desk, "Show relays"), Some(false));
    desk.click("Show relays");
    desk.until_seen("Hide relays");
    assert_eq!(expanded(&desk, "Hide relays"), Some(true));
}

#[test]
fn arrows_move_a_choice_and_tab_leaves_it() {
    let mut desk = settings_open([760.0, 600.0]);
    focus(&mut desk, "Light");
    desk.press(Key::ArrowRight);
    desk.until(|desk| kept(desk).theme == Theme::Dark);
    desk.until(|desk| desk.focused().as_deref() == Some("Dark"));
    desk.press(Key::ArrowRight);
    desk.until(|desk| kept(desk).theme == Theme::System);
    desk.press(Key::ArrowLeft);
    desk.until(|desk| desk.focused().as_deref() == Some("Dark"));
    desk.press(Key::Tab);
    desk.window.step();
    // The contrast, which follows the system.
    assert_eq!(desk.focused().as_deref(), Some("System"));
    desk.press(Key::Tab);
    desk.window.step();
    assert_eq!(desk.focused().as_deref(), Some("System"), "the language");
    desk.press(Key::Tab);
    desk.press(Key::Tab);
    desk.window.step();
    assert_eq!(desk.focused().as_deref(), Some("Size"));
    desk.press(Key::ArrowUp);
    desk.until(|desk| kept(desk).zoom == 110);
    assert_eq!(desk.focused().as_deref(), Some("Size"));

    desk.act(WindowAction::Go(Screen::Share));
    focus(&mut desk, "Share");
    desk.press(Key::ArrowRight);
    desk.until(|desk| desk.window.state().model().screen == Screen::Receive);
    desk.until(|desk| desk.focused().as_deref() == Some("Receive"));
}

#[test]
fn what_cannot_be_pressed_any_more_keeps_the_keyboard() {
    let mut desk = settings_open([760.0, 600.0]);
    focus(&mut desk, "Test files.example");
    desk.press(Key::Enter);
    desk.until_seen("Testing upload and download");
    desk.window.run_steps(4);
    assert_eq!(desk.focused().as_deref(), Some("Test files.example"));
    desk.press(Key::Enter);
    desk.backend.let_go(1);
    desk.until_seen("84 ms");
    assert_eq!(desk.focused().as_deref(), Some("Test files.example"));

    desk.act(ServerAction::AddressEdited(
        server("other.example").address.to_string(),
    ));
    focus(&mut desk, "Add this server");
    desk.press(Key::Enter);
    desk.until_seen("Test other.example");
    desk.window.run_steps(4);
    assert_eq!(desk.focused().as_deref(), Some("Add this server"));
}

#[test]
fn a_way_through_settings_goes_to_its_parts_and_says_which_is_read() {
    let mut desk = settings_open([760.0, 600.0]);
    let read = |desk: &Desk| {
        let mut tabs = desk.window.query_all_by_role(Role::Tab);
        // Neither Share nor Receive is open.
        let tab = tabs.find(|tab| tab.accesskit_node().is_selected() == Some(true));
        tab.and_then(|tab| tab.accesskit_node().label())
            .unwrap_or_default()
    };
    assert_eq!(read(&desk), "File servers");
    let tab = |desk: &mut Desk, name| {
        desk.window.get_by_role_and_label(Role::Tab, name).click();
        desk.window.run_steps(40);
    };
    tab(&mut desk, "Privacy");
    assert_eq!(read(&desk), "Privacy");
    let heading = place(&desk, Role::Heading, "Privacy");
    assert!((80.0..200.0).contains(&heading.top()), "{heading:?}");
    // The keyboard goes on from there.
    desk.press(Key::Tab);
    desk.window.run_steps(8);
    assert_eq!(desk.focused().as_deref(), Some("File name in the pointer"));

    desk.window
        .get_by_role_and_label(Role::Heading, "Relays")
        .scroll_to_me();
    desk.window.run_steps(40);
    desk.window.hover_at(egui::pos2(300.0, 400.0));
    desk.window.event(egui::Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta: egui::vec2(0.0, 5_000.0),
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Wheel,
        modifiers: egui::Modifiers::NONE,
    });
    desk.window.run_steps(40);
    assert_eq!(read(&desk), "File servers");
    assert!(
        desk.window
            .query_by_role_and_label(Role::Tab, "About")
            .is_some()
    );
    let small = settings_open([210.0, 210.0]);
    let of_the_bar = 2;
    assert_eq!(
        small.window.query_all_by_role(Role::Tab).count(),
        of_the_bar
    );
}

#[test]
fn what_a_choice_shows_to_whom_is_said_as_it_stands() {
    let mut desk = settings_open([760.0, 600.0]);
    assert!(desk.sees("Adding a line fetches the list straight from its host, which sees this computer's address and the time, once."));
    let told = |desk: &Desk, name: &str| {
        let switch = desk.window.get_by_role_and_label(Role::Switch, name);
        switch.accesskit_node().description().unwrap_or_default()
    };
    assert!(
        told(&desk, "Session's service nodes")
            .contains("sees this computer's address and the time")
    );
    let direct = "Without relays files.example";
    assert!(told(&desk, direct).starts_with("Turned on, this server would see"));
    desk.act(Change::Direct(server("files.example").address, true));
    assert!(desk.sees("This server sees this computer's address with every transfer."));
    desk.act(RelayAction::ProxyEdited(
        "socks5://127.0.0.1:9050".to_owned(),
    ));
    desk.act(RelayAction::UseProxy);
    desk.until_seen("the host sees the proxy's address and the time, once.");
    assert!(told(&desk, "Session's service nodes").contains("sees the proxy's address"));
}

#[test]
fn every_kept_list_has_its_switch() {
    let mut desk = settings_open([760.0, 600.0]);
    desk.until_seen("Relays of a choir");
    let name = "Allow weaker paths where the list has too few relays Relays of a choir";
    desk.click(name);
    desk.until(|desk| {
        let lists = kept(desk).short_lists;
        matches!(&lists[..], [RelaySource::Url(line)] if line.host() == "lists.example")
    });
    desk.click(name);
    desk.until(|desk| kept(desk).short_lists.is_empty());
}
