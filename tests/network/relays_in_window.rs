//! The relays of the window with what really stands behind it: lists that are added, accepted, ended and forgotten, and
//! transfers over them.

use std::fs;

use cloakroom::app::relays::RelaySource;
use cloakroom::app::settings::{Home, ServerChoice, ServerEntry, Settings};
use cloakroom::app::transfer::call::CallContext;
use cloakroom::app::transfer::get::Choice;
use cloakroom::gui::backend::App;
use cloakroom::gui::model::{
    Ended, FetchWanted, ManageAction, PointerText, RelayWish, RelaysKnown, Saved, ShareOptions,
    ShareResult, ShareWanted, TextHolds,
};
use cloakroom::gui::text;
use cloakroom::gui::worker::Backend as _;
use cloakroom::protocol::disclosure::{Fact, Role, Saw};
use cloakroom::protocol::path::Standing;
use cloakroom::protocol::relay_list::Serves;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::network::place::Place;

/// One person's window without its looks.
struct Person {
    folder: TempDir,
    app: App,
    settings: Settings,
}

impl Person {
    fn new(place: &Place) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = place.server.address().clone();
        let settings = Settings {
            chosen: ServerChoice::Server(address.clone()),
            servers: vec![ServerEntry::new("the server", address)],
            download_folder: Some(folder.path().to_owned()),
            pointer_carries_relay_list: true,
            ..Settings::default()
        };
        Self {
            app: App::new(Home::in_folder(folder.path().join("home"))),
            folder,
            settings,
        }
    }

    async fn ask(&mut self, wish: RelayWish) -> RelaysKnown {
        let context = CallContext::default();
        let server = self.settings.servers[0].address.clone();
        let known = self
            .app
            .relays(wish, Some(&server), &self.settings, &context);
        let known = known.await.map_err(|message| message.what).unwrap();
        if let Some(list) = &known.list {
            self.settings.servers[0].relays = Some(list.source.clone());
        }
        known
    }

    async fn share(&self) -> Ended<ShareResult> {
        let file = self.folder.path().join("a.txt");
        fs::write(&file, b"content").unwrap();
        let context = CallContext::default();
        let wanted = ShareWanted {
            paths: vec![file],
            options: ShareOptions::default(),
            kept: None,
        };
        self.app.share(wanted, &self.settings, &context).await
    }

    async fn fetch(&self, pointer: &PointerText) -> Ended<Saved> {
        let context = CallContext::default();
        let wanted = FetchWanted {
            pointer: pointer.clone(),
            tell_sender: true,
            choice: Choice::All,
            kept: None,
        };
        self.app.fetch(wanted, &self.settings, &context).await
    }

    /// The host of the list that the pointer offers, when no relays of one's own will do.
    fn offer(&self, pointer: &PointerText) -> Option<String> {
        let info = self.app.describe(pointer, &self.settings);
        let TextHolds::Pointer(info) = info.map_err(|message| message.what).unwrap() else {
            panic!("an invitation");
        };
        assert_eq!(info.note.is_some(), info.lacks_relays);
        info.offer
    }

    /// Puts another list in the place of what was kept of the first one.
    fn replace_kept(&self, list: &str, signature: &str) {
        let path = Home::in_folder(self.folder.path().join("home"));
        let path = path.data_dir.join("relays.json");
        let mut kept: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        kept["lists"][0]["list"] = json!(list);
        kept["lists"][0]["signature"] = json!(signature);
        fs::write(path, kept.to_string()).unwrap();
    }
}

async fn with_list() -> (Place, Person) {
    let place = Place::start().await;
    let list = place.list("ours", 1, 90);
    place.host().put(&list, &place.signature(&list));
    let person = Person::new(&place);
    (place, person)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_added_looked_at_used_and_its_guard_replaced() {
    let (place, mut person) = with_list().await;
    let known = person.ask(RelayWish::Add(place.line.to_string())).await;
    let list = known.list.unwrap();
    assert_eq!(list.source, RelaySource::Url(place.line.clone()));
    assert_eq!((list.name.as_str(), list.relays), ("ours", 3));
    let seen = known.seen.unwrap();
    assert_eq!((seen.relays.len(), seen.trouble), (3, None));
    assert!(seen.fetched.is_some() && seen.expires.is_some());

    let shared = person.share().await;
    shared
        .result
        .map_err(|trouble| text::trouble(&trouble).what)
        .unwrap();
    let guards = |known: &RelaysKnown| {
        let relays = known.seen.as_ref().unwrap().relays.clone();
        let mut guards: Vec<String> = relays
            .into_iter()
            .filter(|relay| matches!(relay.standing, Standing::Guard { in_use: true, .. }))
            .map(|relay| relay.name)
            .collect();
        guards.sort();
        guards
    };
    let before = guards(&person.ask(RelayWish::Look).await);
    assert_eq!(before.len(), 1, "a list of three has one guard");
    let after = guards(&person.ask(RelayWish::NewGuard).await);
    assert!(
        after.is_empty(),
        "it is let go; the next is drawn with the next request"
    );

    let session = person.ask(RelayWish::Session).await;
    assert_eq!(session.list.unwrap().source, RelaySource::Session);
    assert!(
        session.seen.unwrap().trouble.is_some(),
        "nobody was asked yet"
    );
    assert_eq!(place.host().asked().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn first_relays_that_are_not_known_are_told_and_no_others_take_their_place() {
    let (place, mut person) = with_list().await;
    person.ask(RelayWish::Add(place.line.to_string())).await;
    let home = Home::in_folder(person.folder.path().join("home"));
    let file = home.data_dir.join("network.json");
    fs::write(&file, "{").unwrap();

    let seen = person.ask(RelayWish::Look).await.seen.unwrap();
    assert!(seen.trouble.unwrap().contains("network.json"));
    let context = CallContext::default();
    let new = person.app.relays(
        RelayWish::NewGuard,
        Some(place.server.address()),
        &person.settings,
        &context,
    );
    assert!(new.await.unwrap_err().why.contains("network.json"));
    let shared = person.share().await.result.map(drop);
    let words = text::trouble(&shared.unwrap_err());
    assert!(words.why.contains("network.json"), "{words:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "{");

    fs::remove_file(&file).unwrap();
    let shared = person.share().await.result.map(drop);
    shared
        .map_err(|trouble| text::trouble(&trouble).what)
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_no_good_relays_for_a_pointers_server_is_offered_its_list() {
    let (place, mut sender) = with_list().await;
    sender.ask(RelayWish::Add(place.line.to_string())).await;
    let shared = sender.share().await.result;
    let pointer = shared
        .map_err(|trouble| text::trouble(&trouble).what)
        .unwrap()
        .pointer;
    let offers = Some("127.0.0.1".to_owned());
    assert_eq!(sender.offer(&pointer), None, "their own list serves it");

    // No relays at all: the server is on this computer, so that it looks like a stranger's built-in network.
    let mut nobody = Person::new(&place);
    assert_eq!(nobody.offer(&pointer), offers);
    let asked = place.host().asked().len();
    let failed = nobody.fetch(&pointer).await;
    assert!(failed.result.is_err() && failed.shown.is_empty());
    assert_eq!(
        place.host().asked().len(),
        asked,
        "it is asked only when accepted"
    );

    // A list of their own that has ended, and the offer is the same list.
    let past = place.list("past", 100, -1);
    sender.replace_kept(&past, &place.signature(&past));
    assert_eq!(sender.offer(&pointer), offers);
    let failed = sender.fetch(&pointer).await.result;
    let message = text::trouble(&failed.err().unwrap());
    assert!(
        message.what.contains("names a relay list"),
        "{}",
        message.what
    );

    // A list of their own that does not serve this server.
    let mut other = Person::new(&place);
    let mut entries = place.entries();
    for entry in &mut entries {
        entry.serves = Serves::Hosts(vec!["elsewhere.example".to_owned()]);
    }
    let path = other.folder.path().join("mine.json");
    fs::write(&path, place.list_of("mine", entries, 1, 90)).unwrap();
    let list = other.app.read_relay_list(path);
    let list = list.map_err(|message| message.what).unwrap();
    other.settings.servers[0].relays = Some(list.source);
    assert_eq!(other.offer(&pointer), offers);

    // Accepting serves this server and chooses nothing else.
    for (person, beside) in [(&mut nobody, 1), (&mut sender, 0), (&mut other, 1)] {
        let chosen = person.settings.servers.clone();
        let known = person.ask(RelayWish::Accept(pointer.clone())).await;
        assert_eq!(known.others.len(), beside);
        if let Some(list) = known.others.first() {
            assert_eq!((list.list.name.as_str(), list.list.relays), ("ours", 3));
            assert_eq!(list.servers, ["the server"]);
            assert!(list.seen.issued.is_some() && list.seen.trouble.is_none());
        }
        assert_eq!(person.settings.servers, chosen);
        assert_eq!(person.offer(&pointer), None);
        let saved = person.fetch(&pointer).await.result;
        let saved = saved
            .map_err(|trouble| text::trouble(&trouble).what)
            .unwrap();
        assert_eq!(fs::read(saved.path).unwrap(), b"content");
    }

    // What was accepted can be forgotten, and is offered again then.
    let accepted = RelaySource::Url(place.line.clone());
    let known = nobody.ask(RelayWish::Forget(accepted)).await;
    assert!(known.others.is_empty());
    assert_eq!(nobody.offer(&pointer), offers);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_list_calls_itself_is_made_harmless() {
    let (place, mut person) = with_list().await;
    let long = format!("ours\u{202E}\n{}", "x".repeat(90));
    let mut entries = place.entries();
    entries[0].operator = "Eve\u{202E}".to_owned();
    let list = place.list_of(&long, entries, 1, 90);
    place.host().put(&list, &place.signature(&list));
    let known = person.ask(RelayWish::Add(place.line.to_string())).await;
    let name = known.list.unwrap().name;
    assert!(name.chars().count() <= 60 && name.ends_with('…'), "{name}");
    for text in [&name, &known.seen.unwrap().relays[0].operator] {
        assert!(!text.contains(['\u{202E}', '\n']), "{text:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_dead_server_the_window_knows_who_saw_what() {
    let (place, mut person) = with_list().await;
    person.ask(RelayWish::Add(place.line.to_string())).await;
    let shared = person.share().await.result;
    let pointer = shared
        .map_err(|trouble| text::trouble(&trouble).what)
        .unwrap()
        .pointer;
    let Place { server, relays, .. } = place;
    server.stop().await;

    let guard_saw = |shown: &[cloakroom::app::words::who_saw_what::RequestShown]| {
        let parties = shown.first().unwrap().attempts[0].parties();
        let (guard, server) = (&parties[0], &parties[3]);
        assert_eq!((guard.role, guard.saw), (Role::Guard, Saw::Certainly));
        assert!(guard.shown.contains(&Fact::ClientAddress));
        assert_eq!((server.role, server.saw), (Role::Server, Saw::Perhaps));
    };
    let fetched = person.fetch(&pointer).await;
    assert!(fetched.result.is_err());
    guard_saw(fetched.shown.requests());
    for what in [
        ManageAction::Delete,
        ManageAction::Extend,
        ManageAction::Status,
    ] {
        let managed = person
            .app
            .manage(
                what,
                pointer.clone(),
                &person.settings,
                &CallContext::default(),
            )
            .await;
        assert!(managed.result.is_err());
        guard_saw(managed.shown.requests());
    }
    let context = CallContext::default();
    let tested = person.app.test_server(&person.settings, &context);
    let tested = tested.await;
    assert!(tested.result.is_err());
    guard_saw(tested.shown.requests());
    drop(relays);
}
