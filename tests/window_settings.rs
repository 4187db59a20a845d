//! Settings in the window: what is entered there reaches what is kept.
#![cfg(feature = "gui")]

#[path = "support/desk.rs"]
#[allow(dead_code, reason = "shared with other tests of the window")]
mod desk;
#[path = "support/desktop.rs"]
#[allow(dead_code, reason = "shared with other tests of the window")]
mod desktop;

use cloakroom::app::config::{Config, Home, ServerChoice as ChosenServer, ServerEntry};
use cloakroom::gui::backend::App;
use cloakroom::gui::model::{Action, Preferences, Screen, ServerChoice};
use cloakroom::gui::window::Opening;
use cloakroom::gui::worker::Backend as _;
use cloakroom::protocol::capability::AccessWord;
use desk::Desk;
use desktop::{preferences, server};
use egui::Key;

fn with_a_server() -> Preferences {
    let known = server("files.example");
    Preferences {
        chosen: ServerChoice::Address(known.address.clone()),
        servers: vec![known],
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
    desk.click("Enter a word");
    desk.until(|desk| desk.focused().as_deref() == Some("Access word"));
    desk.window
        .event(egui::Event::Text("open sesame".to_owned()));
    desk.window.run_steps(2);
    assert!(!desk.sees("open sesame"), "it is masked");
    desk.press(Key::Enter);
    desk.until(|desk| kept_word(desk).as_deref() == Some("open sesame"));
    desk.until_seen("One is kept with this server");
    assert!(!format!("{:?}", desk.window).contains("sesame"));
    desk.until(|desk| desk.focused().as_deref() == Some("Change"));
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
