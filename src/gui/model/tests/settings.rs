//! Servers, relays, the proxy and the other settings.

use super::*;

#[test]
fn what_a_test_showed_is_kept_with_its_server() {
    let mut model = model();
    model.update(ServerAction::Test(ServerChoice::BuiltIn));
    model.update(Event::Tested(ServerChoice::BuiltIn, ended(Err(trouble()))));
    let shown = &model.settings_screen.tests_shown[&ServerChoice::BuiltIn];
    assert_eq!(shown.tries(), 1);
}

#[test]
fn an_added_server_is_used_and_kept() {
    let mut model = model();
    let effects = add(&mut model, &server("files.example"));
    assert!(matches!(
        &effects[..],
        [
            Effect::Work(Work::Settings(SettingsWork::Save(_, kept))),
            Effect::Work(Work::Settings(SettingsWork::Terms(_))),
            Effect::Work(Work::Request(RequestWork::Relays(RelayWish::Look, Some(_), _))),
        ]
            if kept.servers.len() == 1
    ));
    assert_eq!(
        model.settings.chosen_entry().map(ServerEntry::shown_name),
        Some("files.example")
    );
    assert!(model.lacks_relays());
    add(&mut model, &server("files.example"));
    assert_eq!(
        model.settings.servers.len(),
        1,
        "the same address is one server"
    );
}

#[test]
fn relays_are_shown_of_the_network_in_use_also_when_another_was_just_asked_about() {
    let [one, two] =
        ["one.example", "two.example"].map(|host| server(host).through(RelaySource::Session));
    let mut model = model_with(Settings {
        servers: vec![one.clone(), two.clone()],
        chosen: ServerChoice::Server(one.address.clone()),
        ..settings()
    });
    let looks = |effects: &[Effect]| {
        effects.iter().find_map(|effect| match effect {
            Effect::Work(Work::Request(RequestWork::Relays(RelayWish::Look, network, _))) => {
                network.clone()
            }
            _ => None,
        })
    };
    let effects = model.update(WindowAction::Go(Screen::Settings));
    assert_eq!(looks(&effects).as_ref(), Some(&one.address));
    let choice = ServerChoice::Server(two.address.clone());
    let effects = model.update(ServerAction::Use(choice));
    assert_eq!(looks(&effects), None, "one question at a time");
    let known = || RelaysKnown {
        list: None,
        seen: Some(RelaysSeen {
            issued: None,
            asked: None,
            expires: None,
            fetched: None,
            trouble: None,
            rehearsal: false,
            relays: Vec::new(),
        }),
        others: Vec::new(),
    };
    let effects = model.update(Event::Relays(Some(one.address), Ok(Box::new(known()))));
    assert!(model.relays_seen().is_none(), "those are another network's");
    assert_eq!(looks(&effects).as_ref(), Some(&two.address));
    model.update(Event::Relays(Some(two.address), Ok(Box::new(known()))));
    assert!(model.relays_seen().is_some());
}

/// A server with the key of this one, at another host.
fn elsewhere(known: &ServerEntry, host: &str) -> ServerEntry {
    let key = known.address.key.to_hex();
    let address = format!("http://{host}#p={key}");
    ServerEntry::new("", address.parse().expect("an address"))
}

/// Whoever knows a server's key, which stands in every pointer, can hand out another address for it.
#[test]
fn another_address_of_a_known_key_inherits_nothing() {
    let (mut model, run) = sharing_to_a_server();
    let known = ServerEntry {
        access_word: AccessWord::parse("sesame").ok(),
        ..model.settings.servers[0].clone()
    };
    let known = known.through(RelaySource::Session);
    model.settings.servers = vec![known.clone()];
    model.update(ServerAction::Test(model.settings.chosen.clone()));
    let refusal = ServerRefusal::AccessWord { given: false };
    model.update(Event::Shared(run, failed(AppError::Server(refusal))));
    let id = model.transfers[0].id;
    model.update(Action::Row(id, RowAction::Remedy));
    let other = elsewhere(&known, "evil.example");
    let effects = add(&mut model, &other);
    assert!(shares(&effects).is_empty(), "no file goes there by itself");
    assert_eq!(model.settings.servers, [known, other.clone()]);
    assert_eq!(model.settings.chosen_entry(), Some(&other));
    let chosen = &model.settings.chosen;
    assert!(!model.settings_screen.tests.contains_key(chosen));
}

#[test]
fn two_addresses_of_one_key_are_shown_used_tested_and_removed_each_for_itself() {
    let mut model = model();
    let one = server("one.example");
    let two = elsewhere(&one, "two.example");
    add(&mut model, &one);
    add(&mut model, &two);
    assert_eq!(model.settings.servers, [one.clone(), two.clone()]);
    let [to_one, to_two] = [&one, &two].map(|entry| ServerChoice::Server(entry.address.clone()));
    assert_eq!(model.settings.chosen, to_two);

    for server in [&one, &two] {
        let relays = Some(RelaySource::Session);
        model.update(Change::Relays(server.address.clone(), relays));
    }
    let [one, two] = [one, two].map(|entry| entry.through(RelaySource::Session));
    model.update(ServerAction::Test(to_two.clone()));
    model.update(Event::Tested(to_two.clone(), ended(Err(trouble()))));
    assert!(matches!(model.server_standing(), ServerStanding::Failed(_)));
    model.update(ServerAction::Use(to_one));
    assert!(!matches!(
        model.server_standing(),
        ServerStanding::Failed(_)
    ));

    model.update(ServerAction::OpenWord(two.address.clone()));
    assert_eq!(model.focus, Some(Focus::AccessWord(1)));
    model.update(typed("sesame"));
    model.update(ServerAction::KeepWord);
    model.update(Change::Direct(two.address.clone(), true));
    let decided = ServerEntry {
        direct: true,
        access_word: AccessWord::parse("sesame").ok(),
        ..two.clone()
    };
    assert_eq!(model.settings.servers, [one.clone(), decided.clone()]);

    model.update(ServerAction::Use(to_two.clone()));
    model.update(ServerAction::Remove(two.address));
    assert_eq!(model.settings.servers, std::slice::from_ref(&one));
    assert_eq!(model.settings.chosen, ServerChoice::BuiltIn);
    model.update(WindowAction::Undo);
    assert_eq!(model.settings.servers, [one, decided]);
    assert_eq!(model.settings.chosen, to_two);
}

#[test]
fn a_bad_address_is_never_kept_and_stays_in_the_field() {
    let mut model = model();
    model.update(ServerAction::AddressEdited("nonsense".to_owned()));
    assert!(model.update(ServerAction::Add).is_empty());
    assert!(model.settings_screen.address_trouble.is_some());
    assert_eq!(model.settings_screen.address, "nonsense");
    assert!(model.settings.servers.is_empty());
}

#[test]
fn a_proxy_is_used_once_it_is_one_and_forgotten_on_request() {
    let mut model = model();
    model.update(RelayAction::ProxyEdited("http://127.0.0.1:8080".to_owned()));
    assert!(model.update(RelayAction::UseProxy).is_empty());
    assert!(model.settings_screen.proxy_trouble.is_some());
    assert_eq!(model.settings_screen.proxy, "http://127.0.0.1:8080");
    model.update(RelayAction::ProxyEdited(
        "socks5://127.0.0.1:9050".to_owned(),
    ));
    assert!(model.settings_screen.proxy_trouble.is_none());
    assert!(matches!(
        &model.update(RelayAction::UseProxy)[..],
        [Effect::Work(Work::Settings(SettingsWork::Save(..)))]
    ));
    assert!(model.settings.proxy.is_some() && model.settings_screen.proxy.is_empty());
    model.update(RelayAction::ForgetProxy);
    assert_eq!(model.settings.proxy, None);
}

#[test]
fn removing_the_server_in_use_falls_back_to_the_built_in_one() {
    let mut model = model();
    add(&mut model, &server("files.example"));
    model.update(ServerAction::Remove(server("files.example").address));
    assert_eq!(model.settings.chosen, ServerChoice::BuiltIn);
}

#[test]
fn a_server_is_tested_once_at_a_time() {
    let mut model = model();
    assert!(matches!(
        model.update(ServerAction::Test(ServerChoice::BuiltIn))[..],
        [Effect::Work(Work::Request(RequestWork::Test(..)))]
    ));
    assert!(
        model
            .update(ServerAction::Test(ServerChoice::BuiltIn))
            .is_empty()
    );
    let report = TestReport {
        upload_millis: 50,
        download_millis: 30,
        delete_millis: None,
    };
    model.update(Event::Tested(ServerChoice::BuiltIn, ended(Ok(report))));
    assert!(matches!(
        model.settings_screen.tests.get(&ServerChoice::BuiltIn),
        Some(Test::Passed(passed)) if *passed == report
    ));
}

#[test]
fn every_setting_is_kept_at_once() {
    let mut model = model_with(with_session_relays());
    for action in [
        Action::from(Change::Theme(Theme::Dark)),
        Action::from(Change::Contrast(Contrast::High)),
        Action::from(Change::ReducedMotion(true)),
        Action::from(SettingsAction::Zoom(1)),
        Action::from(Change::MaskPointers(true)),
        Action::from(Change::ClearClipboard(true)),
        Action::from(Change::CopyWhenDone(true)),
        Action::from(Change::NameInPointer(false)),
        Action::from(RelayAction::ForgetList),
        Action::from(ServerAction::Use(ServerChoice::BuiltIn)),
        Action::from(WindowAction::Start),
    ] {
        assert!(matches!(
            model.update(action)[..],
            [Effect::Work(Work::Settings(SettingsWork::Save(..))), ..]
        ));
    }
}

#[test]
fn settings_that_could_not_be_read_are_said() {
    let model = Model::new(LoadedSettings {
        settings: settings(),
        usual_downloads: PathBuf::new(),
        trouble: Some(trouble()),
    });
    assert_eq!(model.notice.map(|notice| notice.tone), Some(Tone::Warning));
}

#[test]
fn a_direct_server_needs_no_relays() {
    let mut model = model();
    add(&mut model, &server("files.example"));
    assert!(model.lacks_relays());
    let effects = model.update(Change::Direct(server("files.example").address, true));
    assert!(matches!(
        &effects[..],
        [Effect::Work(Work::Settings(SettingsWork::Save(_, kept)))]
            if kept.servers[0].direct
    ));
    assert!(!model.lacks_relays());
}

fn typed(text: &str) -> ServerAction {
    ServerAction::WordEdited(Zeroizing::new(text.to_owned()))
}

#[test]
fn an_access_word_is_kept_with_its_server_and_a_bad_one_is_not() {
    let known = server("files.example");
    let address = known.address.clone();
    let mut model = model_with(Settings {
        servers: vec![server("other.example"), known],
        ..settings()
    });
    let words = |model: &Model| -> Vec<Option<String>> {
        let servers = model.settings.servers.iter();
        let word = |server: &ServerEntry| Some(server.access_word.as_ref()?.as_str().to_owned());
        servers.map(word).collect()
    };
    model.update(ServerAction::OpenWord(address.clone()));
    assert_eq!(model.focus, Some(Focus::AccessWord(1)));
    model.update(typed("gr\u{fc}n"));
    assert!(model.update(ServerAction::KeepWord).is_empty());
    let field = model.settings_screen.word.as_ref().expect("still open");
    assert!(field.refused);
    model.update(typed("sesame\n"));
    let effects = model.update(ServerAction::KeepWord);
    assert!(matches!(
        &effects[..],
        [Effect::Work(Work::Settings(SettingsWork::Save(..)))]
    ));
    assert!(model.settings_screen.word.is_none());
    assert_eq!(words(&model), [None, Some("sesame".to_owned())]);
    assert!(
        !format!("{:?}", model.settings).contains("sesame"),
        "it is not printed"
    );
    let effects = model.update(ServerAction::ForgetWord(address));
    assert!(matches!(
        &effects[..],
        [Effect::Work(Work::Settings(SettingsWork::Save(..)))]
    ));
    assert_eq!(words(&model), [None, None]);
}

#[test]
fn how_the_chosen_server_stands_is_what_its_test_or_the_last_share_said() {
    let (mut model, effects) = with_files(&["a"]);
    let chosen = ServerChoice::BuiltIn;
    assert!(matches!(model.server_standing(), ServerStanding::Untried));
    model.update(ServerAction::Test(chosen.clone()));
    model.update(Event::Tested(chosen, ended(Err(trouble()))));
    assert!(matches!(
        model.server_standing(),
        ServerStanding::Failed(Trouble::Said(said)) if **said == trouble()
    ));
    model.update(Event::Shared(shares(&effects)[0].0, ended(Ok(shared()))));
    assert!(matches!(model.server_standing(), ServerStanding::Untried));
    add(&mut model, &server("files.example"));
    assert!(matches!(
        model.server_standing(),
        ServerStanding::LacksRelays
    ));
}
