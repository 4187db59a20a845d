//! Joining by an invitation: nobody is asked before the person says so, and what comes of it changes the settings.

use super::*;
use crate::app::error::FailedExchange;
use crate::app::relays::{NetworkId, NewerListWaits, RelaySourceError, ServiceNodeNetwork};
use crate::app::transfer::join::{JoinChoice, JoinError};
use crate::app::words::message::Remedy;
use crate::protocol::exchange::{ExchangeError, Failure};

fn invitation() -> InvitationInfo {
    InvitationInfo {
        name: "Ann's friends".to_owned(),
        host: "files.example".to_owned(),
        relays: 3,
        operators: vec!["Ann".to_owned()],
        words: ["a", "b", "c", "d", "e"],
        own_network: false,
        for_relays: false,
        known: KnownNetwork::No,
        no_path: None,
        list_host: None,
        with_pointer: false,
    }
}

/// A model with this invitation in the field.
fn invited(info: InvitationInfo, text: &str) -> Model {
    let mut model = model();
    model.update(Arrival::Pasted(text.into()));
    let holds = TextHolds::Invitation(Box::new(info));
    model.update(Event::Described(Ok(holds)));
    model
}

fn network() -> ServerEntry {
    let server = server("files.example");
    let id = NetworkId {
        server: server.address.key,
        list: Identity::from_seed([9; 32]).public(),
    };
    ServerEntry {
        name: "Ann's friends".to_owned(),
        ..server.through(RelaySource::Network(id))
    }
}

fn joined(state: NetworkState) -> JoinedNetwork {
    let network = network();
    let choice = ServerChoice::Server(network.address.clone());
    JoinedNetwork {
        name: network.name.clone(),
        changes: vec![
            Change::JoinNetwork(network, None),
            Change::ChosenServer(choice),
        ],
        relays: 3,
        state,
    }
}

/// The run and the choice of the join among these effects.
fn join_of(effects: &[Effect]) -> Option<(RunId, JoinChoice)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Work(Work::Request(RequestWork::Join(run, _, choice, _))) => Some((*run, *choice)),
        _ => None,
    })
}

fn begun(model: &mut Model) -> RunId {
    let effects = model.update(JoinAction::Join(JoinChoice::default()));
    join_of(&effects).expect("it begins").0
}

#[test]
fn nobody_is_asked_before_join_is_pressed() {
    let mut model = model();
    let effects = model.update(Arrival::Pasted("cloakin1x".into()));
    assert_eq!(model.screen, Screen::Receive);
    let holds = TextHolds::Invitation(Box::new(invitation()));
    let more = model.update(Event::Described(Ok(holds)));
    let asks = |effect: &Effect| matches!(effect, Effect::Work(Work::Request(_)));
    assert!(!effects.iter().chain(&more).any(asks));
    assert!(aloud(&model).contains("Ann's friends"));
    assert_eq!(model.focus, Some(Focus::Download));

    let effects = model.update(JoinAction::Join(JoinChoice::default()));
    assert!(join_of(&effects).is_some());
    let again = model.update(JoinAction::Join(JoinChoice::default()));
    assert!(join_of(&again).is_none(), "it is under way");
}

#[test]
fn an_invitation_anywhere_in_a_pasted_text_opens_receive() {
    let mut model = model();
    model.update(Arrival::Pasted("join us: cloakin1x".into()));
    assert_eq!(model.screen, Screen::Receive);
    let mut model = self::model();
    model.update(Arrival::Pasted("milk and eggs".into()));
    assert_eq!(model.screen, Screen::Share);
}

#[test]
fn a_joined_network_is_in_the_settings_and_chosen() {
    let mut model = invited(invitation(), "cloakin1x");
    let run = begun(&mut model);
    let effects = model.update(Event::Joined(run, ended_as(NetworkState::Works)));
    let saved = effects.iter().any(|effect| {
        matches!(effect, Effect::Work(Work::Settings(SettingsWork::Save(changes, _)))
            if changes.len() == 2)
    });
    assert!(saved);
    assert_eq!(model.settings.servers, [network()]);
    assert_eq!(model.settings.chosen_entry(), Some(&network()));
    assert!(!model.lacks_relays(), "it has relays of its own");
    assert!(matches!(model.receive.joining, JoinState::Joined(_)));
    // The text is described again since the settings changed: the outcome stays.
    let holds = TextHolds::Invitation(Box::new(InvitationInfo {
        known: KnownNetwork::Member,
        ..invitation()
    }));
    model.update(Event::Described(Ok(holds)));
    assert!(matches!(model.receive.joining, JoinState::Joined(_)));
    model.update(JoinAction::Close);
    assert_eq!(model.receive.reading, Reading::Empty);
    assert!(model.receive.reads_nothing());
}

fn ended_as(state: NetworkState) -> Ended<JoinedNetwork> {
    ended(Ok(joined(state)))
}

#[test]
fn a_join_that_is_stopped_or_fails_changes_nothing() {
    let mut model = invited(invitation(), "cloakin1x");
    let run = begun(&mut model);
    let effects = model.update(JoinAction::Cancel);
    assert!(matches!(
        effects[..],
        [Effect::Work(Work::Request(RequestWork::Cancel(stopped)))] if stopped == run
    ));
    model.update(Event::Joined(run, ended_as(NetworkState::Works)));
    assert!(model.settings.servers.is_empty(), "it came too late");

    let run = begun(&mut model);
    model.update(Event::Joined(run, ended(Err(trouble()))));
    assert!(matches!(model.receive.joining, JoinState::Failed(_)));
    assert!(model.settings.servers.is_empty());
    begun(&mut model);
}

#[test]
fn another_text_in_the_field_stops_joining() {
    let mut model = invited(invitation(), "cloakin1x");
    let run = begun(&mut model);
    let effects = model.update(ReceiveAction::PointerEdited("cloak1y".into()));
    assert!(effects.iter().any(|effect| matches!(
        effect,
        Effect::Work(Work::Request(RequestWork::Cancel(stopped))) if *stopped == run
    )));
    assert!(matches!(model.receive.joining, JoinState::Undecided));
}

#[test]
fn enter_in_the_field_joins_only_where_nothing_else_is_to_be_decided() {
    let mut plain = invited(invitation(), "cloakin1x");
    assert!(join_of(&plain.update(ReceiveAction::Download)).is_some());
    for known in [
        InvitationInfo {
            known: KnownNetwork::OtherRelays,
            ..invitation()
        },
        InvitationInfo {
            no_path: Some(trouble()),
            ..invitation()
        },
    ] {
        let mut model = invited(known, "cloakin1x");
        assert!(join_of(&model.update(ReceiveAction::Download)).is_none());
    }
}

fn pointer() -> String {
    pointer_to(&network().address).as_str().to_owned()
}

#[test]
fn the_pointer_beside_an_invitation_goes_on_as_if_it_was_pasted() {
    let info = InvitationInfo {
        with_pointer: true,
        ..invitation()
    };
    let both = format!("cloakin1x\n{}", pointer());
    let mut model = invited(info.clone(), &both);
    let run = begun(&mut model);
    let effects = model.update(Event::Joined(run, ended_as(NetworkState::Works)));
    assert_eq!(model.receive.text.as_str(), pointer());
    assert!(effects.iter().any(|effect| matches!(
        effect,
        Effect::Work(Work::Settings(SettingsWork::Describe(text, _))) if text.as_str() == pointer()
    )));
    assert!(matches!(model.receive.joining, JoinState::Undecided));
    assert!(model.notice.is_some(), "that it was joined is said");

    // Where something is amiss, that is read first.
    for state in [
        NetworkState::NotNow(Trouble::from(trouble())),
        NetworkState::OnlyReceives(Trouble::from(trouble())),
    ] {
        let mut model = invited(info.clone(), &both);
        let run = begun(&mut model);
        model.update(Event::Joined(run, ended_as(state)));
        assert!(matches!(model.receive.joining, JoinState::Joined(_)));
        model.update(JoinAction::Close);
        assert_eq!(model.receive.text.as_str(), pointer());
    }

    let mut model = invited(info, &both);
    model.update(JoinAction::NotNow);
    assert_eq!(model.receive.text.as_str(), pointer());
}

#[test]
fn a_name_that_another_network_has_gets_a_number() {
    let other = ServerEntry {
        name: "Choir".to_owned(),
        ..server("other.example")
    };
    let mut model = model_with(Settings {
        servers: vec![network(), other],
        ..settings()
    });
    let address = network().address;
    model.update(NetworkAction::OpenName(address.clone()));
    assert_eq!(model.focus, Some(Focus::NetworkName(0)));
    model.update(NetworkAction::NameEdited("  ".to_owned()));
    assert!(model.update(NetworkAction::Rename).is_empty());
    model.update(NetworkAction::NameEdited(" Choir ".to_owned()));
    model.update(NetworkAction::Rename);
    let entry = model.settings.entry(&address).expect("it is there");
    assert_eq!(entry.name, "Choir 2");
    assert_eq!(model.focus, Some(Focus::NetworkMenu(0)));
}

#[test]
fn leaving_asks_only_where_something_is_still_there() {
    let with_network = || {
        model_with(Settings {
            servers: vec![network()],
            chosen: ServerChoice::Server(network().address),
            ..settings()
        })
    };
    let mut model = with_network();
    model.update(NetworkAction::Leave(network().address));
    assert!(model.modal.is_none() && model.settings.servers.is_empty());
    assert!(aloud(&model).contains("You left"));
    model.update(WindowAction::Undo);
    assert_eq!(model.settings.servers, [network()]);
    assert_eq!(model.settings.chosen_entry(), Some(&network()));

    let effects = model.update(Event::Looked(LookPurpose::Share, vec![file("a")]));
    let run = shares(&effects)[0].0;
    model.update(NetworkAction::Leave(network().address));
    assert_eq!(model.modal, Some(Modal::Leave(network().address)));
    let still = model.still_there(&network().address);
    assert_eq!((still.deletable, still.under_way), (0, 1));
    model.update(ModalAction::Back);
    assert_eq!(model.settings.servers, [network()], "the person stays");

    let result = ShareResult {
        pointer: PointerText::new(pointer()),
        ..shared()
    };
    model.update(Event::Shared(run, ended(Ok(result))));
    let still = model.still_there(&network().address);
    assert_eq!((still.deletable, still.under_way), (1, 0));
    model.update(NetworkAction::Leave(network().address));
    model.update(NetworkAction::LeaveAnyway);
    assert!(model.settings.servers.is_empty() && model.modal.is_none());

    // Or everything is deleted first, as long as the settings lead there.
    model.update(WindowAction::Undo);
    model.update(NetworkAction::Leave(network().address));
    let effects = model.update(NetworkAction::DeleteAndLeave);
    assert!(model.settings.servers.is_empty() && model.modal.is_none());
    let deletes = effects.iter().filter(|effect| {
        matches!(effect, Effect::Work(Work::Request(RequestWork::Manage(_, ManageAction::Delete, text, settings)))
            if text.as_str() == pointer() && settings.servers == [network()])
    });
    assert_eq!(deletes.count(), 1);
}

#[test]
fn that_a_list_ends_soon_is_said_once_with_its_day() {
    let mut model = model_with(Settings {
        servers: vec![network()],
        ..settings()
    });
    let seen = |ends_soon| {
        let seen = NetworkSeen {
            relays: 5,
            expires: Some(1_800_000_000),
            ends_soon,
            waiting: None,
            trouble: None,
        };
        Event::NetworksSeen([(network().address, seen)].into())
    };
    model.update(seen(false));
    assert!(model.notice.is_none());
    model.update(seen(true));
    let notice = model.notice.take().expect("it is said");
    let said = WindowMessage::ListEndsSoon("Ann's friends".to_owned(), 1_800_000_000);
    assert_eq!(notice.message, said);
    model.update(seen(true));
    assert!(model.notice.is_none());
}

#[test]
fn an_invitation_is_copied_alone_or_with_a_pointer_and_leaves_the_clipboard() {
    let mut model = model_with(Settings {
        servers: vec![network()],
        chosen: ServerChoice::Server(network().address),
        clear_clipboard: true,
        ..settings()
    });
    let address = network().address;
    let effects = model.update(NetworkAction::Invite(address.clone()));
    let sheet = InviteFor::Sheet { with_word: false };
    assert!(matches!(
        &effects[..],
        [Effect::Work(Work::Settings(SettingsWork::Invite(what, server, _)))]
            if *what == sheet && *server == address
    ));
    assert!(model.update(NetworkAction::CopyInvitation).is_empty());
    let late = InviteFor::Sheet { with_word: true };
    model.update(Event::Invited(late, address.clone(), Ok("no".into())));
    assert!(model.update(NetworkAction::CopyInvitation).is_empty());
    model.update(Event::Invited(
        sheet,
        address.clone(),
        Ok("cloakin1x".into()),
    ));
    let effects = model.update(NetworkAction::CopyInvitation);
    assert!(matches!(
        &effects[..],
        [Effect::Work(Work::Clipboard(ClipboardWork::CopyInvitation(text)))]
            if text.as_str() == "cloakin1x"
    ));
    let effects = model.update(Event::InvitationCopied(Ok(())));
    let [
        Effect::Work(Work::Later(_)),
        Effect::Work(Work::Later(timer)),
    ] = effects[..]
    else {
        panic!("it leaves the clipboard");
    };
    let effects = model.update(Event::Elapsed(timer));
    assert!(matches!(
        &effects[..],
        [Effect::Work(Work::Clipboard(ClipboardWork::Clear(text)))]
            if text.as_str() == "cloakin1x"
    ));
    model.update(ModalAction::Back);
    assert!(model.settings_screen.invite.is_none());

    let effects = model.update(Event::Looked(LookPurpose::Share, vec![file("a")]));
    let run = shares(&effects)[0].0;
    let result = ShareResult {
        pointer: PointerText::new(pointer()),
        ..shared()
    };
    model.update(Event::Shared(run, ended(Ok(result))));
    let id = model.transfers[0].id;
    model.update(Action::Row(id, RowAction::CopyWithInvitation));
    let made = Event::Invited(InviteFor::Row(id), address, Ok("cloakin1x".into()));
    let effects = model.update(made);
    let both = format!("cloakin1x\n{}", pointer());
    assert!(matches!(
        &effects[..],
        [Effect::Work(Work::Clipboard(ClipboardWork::Copy(of, text)))]
            if *of == id && text.as_str() == both
    ));
}

#[test]
fn what_fails_since_a_newer_list_waits_leads_to_the_row_of_its_network() {
    let mut model = model_with(Settings {
        servers: vec![server("other.example"), network()],
        chosen: ServerChoice::Server(network().address),
        ..settings()
    });
    let effects = model.update(Event::Looked(LookPurpose::Share, vec![file("a")]));
    let run = shares(&effects)[0].0;
    let waits = RelaySourceError::ManyGone { before: 5, gone: 3 };
    model.update(seen(true));
    model.update(Event::Shared(run, failed(AppError::RelaySource(waits))));
    let id = model.transfers[0].id;
    model.update(Action::Row(id, RowAction::Remedy));
    assert_eq!(model.screen, Screen::Settings);
    assert_eq!(model.focus, Some(Focus::NewerList(1)));
    let effects = model.update(NetworkAction::UseNewList(network().address));
    assert!(matches!(
        &effects[..],
        [Effect::Work(Work::Settings(SettingsWork::UseNewList(server, _)))]
            if *server == network().address
    ));
    // It still waits, as it could not be kept: nothing is sent.
    assert!(shares(&model.update(seen(true))).is_empty());
    assert_eq!(
        shares(&model.update(seen(false))).len(),
        1,
        "it is sent again"
    );
    assert_eq!(model.screen, Screen::Share);
    assert_eq!(model.focus, Some(Focus::Row(id)));
}

/// How the network stands: a newer list waits there, or none.
fn seen(waits: bool) -> Event {
    let seen = NetworkSeen {
        relays: 5,
        expires: Some(1_800_000_000),
        ends_soon: false,
        waiting: waits.then_some(ManyGone { gone: 3, before: 5 }),
        trouble: None,
    };
    Event::NetworksSeen([(network().address, seen)].into())
}

#[test]
fn a_relay_that_did_not_answer_while_a_newer_list_waits_leads_to_that_list() {
    let lacks = ManyGone { gone: 3, before: 5 };
    let unreached = |waits: bool| {
        AppError::Transfer(FailedExchange {
            exchange: ExchangeError {
                failure: Failure::FirstUnreachable,
                tries: 4,
                direct: false,
            },
            waits: waits.then(|| {
                Box::new(NewerListWaits {
                    network: network().name,
                    lacks,
                })
            }),
        })
    };
    let with_network = || {
        model_with(Settings {
            servers: vec![network()],
            chosen: ServerChoice::Server(network().address),
            ..settings()
        })
    };
    // A file that cannot be deleted now leads there as well, and is not shared once more.
    let mut model = with_network();
    let effects = model.update(Event::Looked(LookPurpose::Share, vec![file("a")]));
    let run = shares(&effects)[0].0;
    let result = ShareResult {
        pointer: PointerText::new(pointer()),
        ..shared()
    };
    model.update(Event::Shared(run, ended(Ok(result))));
    let id = model.transfers[0].id;
    model.update(Event::Managed(id, failed(unreached(true))));
    let server = model.server_of(id).expect("it went there");
    model.update(NetworkAction::SeeNewerList(server));
    assert_eq!(model.screen, Screen::Settings);
    assert_eq!(model.focus, Some(Focus::NewerList(0)));
    model.update(seen(true));
    assert!(shares(&model.update(seen(false))).is_empty());

    for (waits, remedy) in [(true, Remedy::NewerList), (false, Remedy::Retry)] {
        let mut model = with_network();
        let effects = model.update(Event::Looked(LookPurpose::Share, vec![file("a")]));
        let run = shares(&effects)[0].0;
        model.update(Event::Shared(run, failed(unreached(waits))));
        let TransferState::Failed(why) = &model.transfers[0].state else {
            panic!("it failed");
        };
        assert_eq!(why.remedy(), remedy);
    }
}

/// A network of Session's kind, as its file describes it.
fn other_nodes() -> ServiceNodeNetwork {
    let key = "b8eef9821445ae16e2e97ef8aa6fe782fd11ad5253cd6723b281341dba22e371";
    let text = format!(
        "name = 'Oth\u{202e}er'\nserver = 'http://files.example#p={key}'\n[[seed]]\nurl = 'https://seed.example'\nfingerprint = '{key}'\n"
    );
    ServiceNodeNetwork::parse(&text, PathBuf::from("/a/other.toml")).expect("it describes one")
}

#[test]
fn a_file_that_describes_a_network_is_looked_at_where_it_is_dropped_and_asks_nobody() {
    for screen in [Screen::Receive, Screen::Settings] {
        let mut model = model();
        model.update(WindowAction::Go(screen));
        let file = PathBuf::from("/a/other.toml");
        let effects = model.update(Arrival::Dropped(vec![file.clone()].into()));
        assert!(matches!(
            &effects[..],
            [Effect::Work(Work::File(FileWork::ReadServiceNodes(path)))] if *path == file
        ));
        let read = Event::NodesFileRead(Some(Ok(Box::new(other_nodes()))));
        let effects = model.update(read);
        let asks =
            |effect: &Effect| matches!(effect, Effect::Work(Work::Request(RequestWork::Join(..))));
        assert!(!effects.iter().any(asks));
        assert_eq!(
            (model.screen, model.focus),
            (screen, Some(Focus::NodesFile))
        );
        let card = model.nodes_on(JoinCard::File).expect("it is shown");
        assert!(!card.network.shown_name().contains('\u{202e}'));
        assert!(aloud(&model).contains("Join “"));

        model.update(NodesAction::Close(JoinCard::File));
        assert!(model.nodes_on(JoinCard::File).is_none());
        assert!(model.settings.servers.is_empty());
    }
}

#[test]
fn a_file_that_describes_no_network_is_refused_in_words() {
    let mut model = model();
    model.update(WindowAction::Go(Screen::Settings));
    let effects = model.update(NodesAction::ChooseFile);
    assert!(matches!(
        &effects[..],
        [Effect::Work(Work::Dialog(DialogWork::PickServiceNodes))]
    ));
    model.update(Event::NodesFileRead(None));
    assert!(!model.dialog_open && model.notice.is_none());
    model.update(Event::NodesFileRead(Some(Err(trouble()))));
    let notice = model.notice.as_ref().expect("it is said");
    assert_eq!(notice.tone, Tone::Danger);
    assert!(model.nodes_on(JoinCard::File).is_none());
}

#[test]
fn a_network_of_a_file_is_joined_as_sessions_is_and_shows_what_that_showed_to_whom() {
    let mut model = model();
    let read = Event::NodesFileRead(Some(Ok(Box::new(other_nodes()))));
    model.update(read);
    assert_eq!(model.screen, Screen::Settings);
    let effects = model.update(NodesAction::Join(JoinCard::File));
    let (run, choice) = join_of(&effects).expect("it begins");
    assert!(!choice.replace);
    assert!(join_of(&model.update(NodesAction::Join(JoinCard::File))).is_none());
    let other = JoinError::OtherRelays("By hand".to_owned());
    let refused = Ended {
        shown: ended_as(NetworkState::Works).shown,
        ..failed(AppError::Join(other))
    };
    model.update(Event::Joined(run, refused));
    let (run, choice) = join_of(&model.update(NodesAction::Join(JoinCard::File))).expect("again");
    assert!(choice.replace, "the person was told of it");

    let tries = |model: &Model, card| model.join_shown(card).map(WhoSawWhat::tries);
    assert_eq!(
        tries(&model, JoinCard::File),
        Some(1),
        "also of what failed"
    );
    model.update(Event::Joined(run, ended_as(NetworkState::Works)));
    assert_eq!(tries(&model, JoinCard::File), Some(2));
    assert_eq!(model.settings.servers, [network()]);
    let card = JoinCard::File;
    model.update(ModalAction::Open(Modal::WhoSawJoin { card, at: 0 }));
    model.update(ModalAction::ChooseTry(1));
    assert_eq!(model.modal, Some(Modal::WhoSawJoin { card, at: 1 }));
    model.update(ModalAction::Back);
    model.update(NodesAction::Close(card));
    assert!(model.join_shown(card).is_none());
    assert_eq!(tries(&model, JoinCard::Session), Some(0));
}
