//! Settings in the window: what is entered there reaches what is kept.
#![cfg(feature = "gui")]

#[path = "support/desk.rs"]
#[allow(dead_code, reason = "shared with other tests of the window")]
mod desk;
#[path = "support/desktop.rs"]
#[allow(dead_code, reason = "shared with other tests of the window")]
mod desktop;

use cloakroom::app::config::{
    Config, Display, Home, Renderer, ServerChoice as ChosenServer, ServerEntry,
};
use cloakroom::app::message::{Remedy, UserMessage};
use cloakroom::app::relays::RelaySource;
use cloakroom::gui::backend::App;
use cloakroom::gui::model::{
    Action, Advanced, Count, KeepFor, Preferences, RelayList, RelayOrigin, Screen, ServerChoice,
    ShareOptions, Terms,
};
use cloakroom::gui::window::Opening;
use cloakroom::gui::worker::Backend as _;
use cloakroom::protocol::capability::AccessWord;
use desk::Desk;
use desktop::{message, preferences, server};
use egui::Key;

fn with_a_server() -> Preferences {
    let known = server("files.example");
    Preferences {
        chosen: ServerChoice::Address(known.address.clone()),
        servers: vec![known],
        relay_list: Some(RelayList {
            origin: RelayOrigin::Session,
            name: "r".to_owned(),
            relays: 3,
        }),
        ..preferences()
    }
}

fn act(desk: &mut Desk, action: Action) {
    let ctx = desk.window.ctx.clone();
    desk.window.state_mut().take(&ctx, action);
    desk.window.run_steps(3);
}

fn kept_word(desk: &Desk) -> Option<String> {
    let saves = desk.backend.saves();
    let server = saves.last()?.servers.first()?;
    Some(server.access_word.as_ref()?.as_str().to_owned())
}

#[test]
fn an_access_word_is_entered_kept_and_forgotten_and_never_shown() {
    let mut desk = Desk::with(with_a_server(), [760.0, 600.0], |_| Opening::default());
    act(&mut desk, Action::Go(Screen::Settings));
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
    let mut config = Config::default();
    config.chosen = ChosenServer::Server(address.key);
    config.servers.push(ServerEntry {
        name: "Friends".to_owned(),
        address,
        direct: false,
        access_word: None,
    });
    config.save(&home).expect("saved");

    let app = App::new(home.clone());
    let (mut preferences, trouble) = app.load();
    assert_eq!(trouble, None);
    assert_eq!(preferences.servers[0].name, "Friends");
    preferences.servers[0].access_word = AccessWord::parse("sesame").ok();
    app.save(&preferences).expect("saved");

    let (config, _) = Config::load(&home);
    assert_eq!(config.servers[0].name, "Friends");
    let word = config.servers[0].access_word.as_ref();
    assert_eq!(word.map(AccessWord::as_str), Some("sesame"));
    let (preferences, _) = App::new(home).load();
    assert_eq!(
        preferences.servers[0].access_word,
        AccessWord::parse("sesame").ok()
    );
}

#[test]
fn what_the_command_line_changes_while_the_window_is_open_stays() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let home = Home::in_folder(folder.path());
    let mut read = Config::default();
    read.zoom = 117;
    read.save(&home).expect("saved");
    let app = App::new(home.clone());
    let (mut preferences, _) = app.load();

    let mut changed = read.clone();
    changed.relays = RelaySource::Session;
    changed.short_lists = vec![RelaySource::Session];
    changed.save_changes(&read, &home).expect("saved");
    preferences.welcomed = true;
    app.save(&preferences).expect("saved");
    preferences.mask_pointers = true;
    app.save(&preferences).expect("saved");

    let mut expected = changed;
    (expected.welcomed, expected.mask_pointers) = (true, true);
    assert_eq!(Config::load(&home), (expected, None));
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
    });
    let choice = with_a_server().chosen;
    act(&mut desk, Action::UseServer(choice));
    desk.until_seen("kept 2 days");
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
    let failed = |remedy| UserMessage {
        remedy,
        ..message("It was not shared.")
    };
    desk.backend.fail_next(failed(Remedy::AccessWord));
    let file = desk.file("report.pdf");
    desk.drop_files(std::slice::from_ref(&file));
    desk.backend.let_go(1);
    desk.until_seen("It was not shared.");
    assert!(desk.sees("Retry"), "once the word is there");
    desk.click("Enter the access word");
    desk.until(|desk| desk.focused().as_deref() == Some("Access word"));
    assert_eq!(desk.window.state().model().screen, Screen::Settings);

    act(&mut desk, Action::Go(Screen::Share));
    let id = desk.window.state().model().transfers[0].id;
    act(&mut desk, Action::Remove(id));
    desk.backend.fail_next(failed(Remedy::Nothing));
    desk.drop_files(&[file]);
    desk.backend.let_go(1);
    desk.until_seen("It was not shared.");
    assert!(!desk.sees("Retry") && desk.sees("Remove"));
}

#[test]
fn what_was_removed_comes_back_by_button_and_by_key() {
    let mut desk = Desk::with(with_a_server(), [760.0, 600.0], |_| Opening::default());
    desk.shared_one();
    let id = desk.window.state().model().transfers[0].id;
    act(&mut desk, Action::Remove(id));
    assert!(desk.sees("report.pdf was removed."));
    desk.click("Undo");
    assert_eq!(desk.window.state().model().transfers[0].id, id);
    assert!(!desk.sees("was removed"));

    act(&mut desk, Action::Go(Screen::Settings));
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
    act(&mut desk, Action::Go(Screen::Settings));
    act(&mut desk, Action::TestServer(choice));
    desk.backend.let_go(1);
    desk.until_seen("Upload (84 ms) and download (57 ms) work. Delete (31 ms) works.");
}

#[test]
fn links_open_this_program_where_the_system_leaves_that_to_it() {
    const LINKS: &str = "Open cloakroom: links with this program";
    let mut desk = Desk::with(with_a_server(), [760.0, 900.0], |_| Opening::default());
    act(&mut desk, Action::Go(Screen::Settings));
    desk.until_seen("Downloads");
    assert!(!desk.sees(LINKS), "it was decided when it was installed");

    *desk.desktop.links.lock().expect("no panic") = Some(true);
    act(&mut desk, Action::OpenLinks(false));
    desk.until_seen(LINKS);
    let known = |desk: &Desk| *desk.desktop.links.lock().expect("no panic");
    assert_eq!(known(&desk), Some(false));
    desk.click(LINKS);
    desk.until(|desk| desk.window.state().model().settings.links == Some(true));
    assert_eq!(known(&desk), Some(true));

    let stay = &desk.desktop.links_stay;
    stay.store(true, std::sync::atomic::Ordering::SeqCst);
    desk.click(LINKS);
    desk.until_seen("Windows did not take which program opens such links.");
    assert_eq!(desk.window.state().model().settings.links, Some(true));
}

#[test]
fn what_few_people_change_is_kept_and_the_diagnostics_hold_no_secret() {
    let mut desk = Desk::with(with_a_server(), [760.0, 900.0], |_| Opening::default());
    act(&mut desk, Action::Go(Screen::Settings));
    desk.click("More files at the same time");
    desk.click("OpenGL");
    desk.click("Wayland");
    let wanted = Advanced {
        display: Display::Wayland,
        renderer: Renderer::Glow,
        parallel_shares: 3,
    };
    desk.until(|desk| {
        desk.backend
            .saves()
            .last()
            .is_some_and(|kept| kept.advanced == wanted)
    });

    let folder = tempfile::tempdir().expect("a temporary folder");
    let home = Home::in_folder(folder.path());
    let app = App::new(home);
    let (mut preferences, _) = app.load();
    let mut known = server("files.example");
    let key = cloakroom::protocol::keys::Identity::from_seed([7; 32]).public();
    known.address = format!("http://files.example#p={}", key.to_hex());
    known.access_word = AccessWord::parse("sesame").ok();
    preferences.servers.push(known);
    preferences.proxy = "socks5://me:hush@127.0.0.1:9050".parse().ok();
    preferences.advanced = wanted;
    app.save(&preferences).expect("saved");
    assert_eq!(app.load().0.advanced, wanted);
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
    desk.click("30 days");
    desk.until_seen("20 Dec 2026");
    assert!(!desk.sees("30 days"));
}
