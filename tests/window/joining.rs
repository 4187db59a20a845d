//! Networks in the window: joining one by an invitation, inviting others to it, renaming and leaving it.

use cloakroom::app::error::AppError;
use cloakroom::app::settings::{ServerChoice, Settings};
use cloakroom::app::transfer::join::{JoinChoice, JoinError};
use cloakroom::app::words::message::UserMessage;
use cloakroom::gui::model::{
    Arrival, InvitationInfo, KnownNetwork, ManyGone, NetworkSeen, NetworkState, Screen, Trouble,
    WindowAction,
};
use cloakroom::gui::window::Opening;
use egui::Key;
use egui_kittest::kittest::Queryable as _;

use crate::window::desk::Desk;
use crate::window::desktop::{
    INVITATION, NOW, POINTER, invitation_info, joined_network, no_answer, settings,
};

/// A desk with an invitation in the field.
fn invited(info: InvitationInfo) -> Desk {
    let mut desk = Desk::new();
    desk.backend.invite_with(info);
    desk.paste(INVITATION);
    desk.until_seen("Whoever made this invitation");
    desk
}

/// A desk on which the network of friends was joined.
fn member() -> Desk {
    let network = joined_network("Ann's friends");
    let settings = Settings {
        chosen: ServerChoice::Server(network.address.clone()),
        servers: vec![network],
        ..settings()
    };
    Desk::with(settings, [760.0, 600.0], |_| Opening::default())
}

fn choices(desk: &Desk) -> Vec<(bool, bool, bool)> {
    let joins = desk.backend.joins().into_iter();
    let choice = |choice: JoinChoice| (choice.replace, choice.relax, choice.ask_list_host);
    joins.map(choice).collect()
}

#[test]
fn an_invitation_says_what_joining_means_and_asks_nobody_before_join() {
    let mut desk = invited(invitation_info());
    for words in [
        "Join “Ann's friends”?",
        "files.example",
        "Ann, Ben, Cem",
        "acid lunar velvet otter bridge",
        "Members who compare these words find the same.",
    ] {
        assert!(desk.sees(words), "{words}");
    }
    desk.until(|desk| desk.focused().as_deref() == Some("Join"));
    assert!(desk.backend.joins().is_empty());
    desk.click("Join");
    desk.until_seen("Cancel");
    desk.until(|desk| !desk.backend.joins().is_empty());
    assert_eq!(choices(&desk), [(false, false, false)]);
    desk.backend.let_go(1);
    desk.until_seen("You joined “Ann's friends”.");
    desk.until(|desk| !desk.backend.saves().is_empty());
    let saved = desk.backend.saves().pop().expect("it was kept");
    let network = joined_network("Ann's friends");
    assert_eq!(saved.servers, std::slice::from_ref(&network));
    assert_eq!(saved.chosen, ServerChoice::Server(network.address));
    desk.click("Share files");
    assert_eq!(desk.window.state().model().screen, Screen::Share);
    assert!(!desk.sees("Add relay list"), "it has relays of its own");
}

#[test]
fn joining_is_stopped_by_cancel_and_nothing_is_kept() {
    let mut desk = invited(invitation_info());
    desk.click("Join");
    desk.click("Cancel");
    desk.until_seen("Join “Ann's friends”?");
    desk.until(|desk| desk.focused().as_deref() == Some("Join"));
    desk.click("Not now");
    desk.until(|desk| !desk.sees("Ann's friends"));
    assert!(desk.window.state().model().settings.servers.is_empty());
}

#[test]
fn what_else_has_to_be_decided_is_said_and_the_answer_that_changes_nothing_has_the_keyboard() {
    let why = UserMessage {
        what: "what".to_owned(),
        why: "All three are run by Ann.".to_owned(),
        next: "next".to_owned(),
        remedy: cloakroom::app::words::message::Remedy::Nothing,
    };
    let mut desk = invited(InvitationInfo {
        no_path: Some(why),
        own_network: true,
        for_relays: true,
        ..invitation_info()
    });
    for words in [
        "All three are run by Ann.",
        "In your own network",
        "you join as a member",
    ] {
        assert!(desk.sees(words), "{words}");
    }
    desk.until(|desk| desk.focused().as_deref() == Some("Not now"));
    desk.click("Join, let the rules yield");
    desk.until(|desk| !desk.backend.joins().is_empty());
    assert_eq!(choices(&desk), [(false, true, false)]);

    let mut desk = invited(InvitationInfo {
        known: KnownNetwork::OtherRelays,
        ..invitation_info()
    });
    desk.until(|desk| desk.focused().as_deref() == Some("Keep mine"));
    desk.click("Replace mine");
    desk.until(|desk| !desk.backend.joins().is_empty());
    assert_eq!(choices(&desk), [(true, false, false)]);
}

#[test]
fn a_network_that_does_not_answer_is_kept_and_its_list_is_offered_from_the_host_it_names() {
    let mut desk = invited(InvitationInfo {
        list_host: Some("lists.example".to_owned()),
        ..invitation_info()
    });
    desk.backend
        .join_with(NetworkState::NotNow(Trouble::from(no_answer())));
    desk.click("Join");
    desk.backend.let_go(1);
    desk.until_seen("“Ann's friends” is saved.");
    assert!(desk.sees("It does not answer now."));
    assert!(desk.sees("lists.example, which sees this computer's address"));
    desk.click("Fetch its list from lists.example");
    desk.backend.let_go(1);
    desk.until_seen("You joined “Ann's friends”.");
    assert_eq!(
        choices(&desk),
        [(false, false, false), (false, false, true)]
    );
}

#[test]
fn a_refusal_stands_in_the_card_and_join_can_be_pressed_again() {
    let mut desk = invited(invitation_info());
    desk.backend.fail_next(no_answer());
    desk.click("Join");
    desk.backend.let_go(1);
    desk.until_seen("could not be reached");
    desk.until(|desk| desk.focused().as_deref() == Some("Join"));
    desk.press(Key::Enter);
    desk.backend.let_go(1);
    desk.until_seen("You joined “Ann's friends”.");
}

#[test]
fn one_paste_joins_and_goes_on_to_the_pointer() {
    let mut desk = Desk::new();
    desk.backend.invite_with(InvitationInfo {
        with_pointer: true,
        ..invitation_info()
    });
    desk.paste(&format!("{INVITATION}\n{POINTER}"));
    desk.until(|desk| desk.focused().as_deref() == Some("Join and receive"));
    desk.press(Key::Enter);
    desk.backend.let_go(1);
    desk.until_seen("from files.example");
    assert!(desk.sees("You joined “Ann's friends”."));
    desk.until(|desk| desk.focused().as_deref() == Some("Download"));
    assert!(desk.window.state().model().transfers.is_empty());
}

#[test]
fn an_invitation_of_a_link_takes_nobodys_place() {
    let mut desk = Desk::new();
    desk.backend.invite_with(invitation_info());
    desk.paste(POINTER);
    desk.until_seen("from files.example");
    desk.act(Arrival::Arguments {
        files: Vec::new(),
        pointer: Some(INVITATION.into()),
    });
    desk.until_seen("An invitation was opened.");
    desk.click("Use the other one");
    desk.until_seen("Join “Ann's friends”?");
    assert!(desk.backend.joins().is_empty());
    assert_ne!(desk.focused().as_deref(), Some("Join"));
}

#[test]
fn members_invite_by_the_menu_of_the_network() {
    let mut desk = member();
    desk.act(WindowAction::Go(Screen::Settings));
    desk.until_seen("5 relays of its own");
    assert!(desk.sees("list good until"));
    desk.click("More about Ann's friends");
    desk.click("Invite…");
    desk.until_seen("It is good for 30 days");
    assert!(desk.window.query_by_label("With the access word").is_none());
    desk.until_seen("Copy invitation");
    desk.click("Copy invitation");
    desk.until_seen("Copied");
    let copied = desk.desktop.copied.lock().expect("no panic").clone();
    assert_eq!(copied, [INVITATION]);
    let place = desk.folder.path().join("friends.cloakroom");
    *desk.desktop.files.lock().expect("no panic") = vec![place.clone()];
    desk.click("Save as a file…");
    desk.until_seen("Saved as friends.cloakroom.");
    let saved = std::fs::read_to_string(place).expect("it is there");
    assert_eq!(saved.trim(), INVITATION);
    desk.press(Key::Escape);
    desk.until(|desk| desk.focused().as_deref() == Some("More about Ann's friends"));
}

#[test]
fn a_pointer_of_a_joined_network_is_copied_with_an_invitation() {
    let mut desk = member();
    desk.shared_one();
    desk.click("More about report.pdf");
    desk.click("Copy with invitation");
    desk.until(|desk| !desk.desktop.copied.lock().expect("no panic").is_empty());
    let copied = desk.desktop.copied.lock().expect("no panic").clone();
    assert_eq!(copied, [format!("{INVITATION}\n{POINTER}")]);

    let mut desk = Desk::new();
    desk.shared_one();
    desk.click("More about report.pdf");
    assert!(desk.window.query_by_label("Copy with invitation").is_none());
}

#[test]
fn a_network_is_renamed_and_left_by_its_menu() {
    let mut desk = member();
    desk.act(WindowAction::Go(Screen::Settings));
    desk.click("More about Ann's friends");
    desk.click("Rename…");
    desk.until(|desk| desk.focused().as_deref() == Some("Name of the network here"));
    desk.window.event(egui::Event::Text(" and mine".to_owned()));
    desk.window.run_steps(2);
    desk.press(Key::Enter);
    desk.until(|desk| {
        desk.window.state().model().settings.servers[0]
            .name
            .contains("and mine")
    });
    let name = desk.window.state().model().settings.servers[0].name.clone();

    desk.click(&format!("More about {name}"));
    desk.click("Leave…");
    desk.until_seen(&format!("You left “{name}”."));
    assert!(desk.window.state().model().settings.servers.is_empty());
    desk.act(WindowAction::Undo);
    assert_eq!(desk.window.state().model().settings.servers[0].name, name);

    desk.shared_one();
    desk.act(WindowAction::Go(Screen::Settings));
    desk.click(&format!("More about {name}"));
    desk.click("Leave…");
    desk.until_seen("is still on its server");
    desk.press(Key::Enter);
    desk.until(|desk| desk.window.state().model().modal.is_none());
    assert_eq!(desk.window.state().model().settings.servers.len(), 1);
}

#[test]
fn a_list_that_lacks_many_relays_waits_for_the_person() {
    let mut desk = member();
    desk.backend.network_stands(NetworkSeen {
        relays: 5,
        expires: Some(NOW + 86_400),
        ends_soon: false,
        waiting: Some(ManyGone { gone: 3, before: 5 }),
        trouble: None,
    });
    desk.act(WindowAction::Go(Screen::Settings));
    desk.until_seen("It lacks 3 of the 5 relays");
    desk.click("Use the new list");
    desk.until_seen("2 relays of its own");
    assert!(!desk.sees("Use the new list"));
}

fn session_card() -> Desk {
    let mut desk = Desk::with(settings(), [760.0, 600.0], |_| Opening::default());
    desk.act(WindowAction::Go(Screen::Settings));
    desk.until_seen("run for the Session messenger");
    desk
}

#[test]
fn sessions_network_asks_nobody_before_join_and_is_a_network_then() {
    let mut desk = session_card();
    desk.click("Join… Session's network");
    for words in [
        "Join Session's network?",
        "seed1, seed2 and seed3.getsession.org",
        "never with the network itself",
    ] {
        desk.until_seen(words);
    }
    assert!(desk.backend.joins().is_empty());
    desk.until(|desk| desk.focused().as_deref() == Some("Join"));
    desk.press(Key::Enter);
    desk.until_seen("Cancel");
    desk.until(|desk| choices(desk) == [(false, false, false)]);
    desk.backend.let_go(1);
    desk.until_seen("You joined “Session”.");
    desk.until(|desk| {
        let kept = desk.backend.saves().pop();
        kept.is_some_and(|kept| {
            let session = kept.servers.first();
            session.is_some_and(|session| kept.chosen_server() == Some(&session.address))
        })
    });
    desk.click("Done");
    desk.until(|desk| !desk.sees("You joined"));
    assert!(!desk.sees("Join…"), "it is in the list");
    assert!(desk.sees("Test Session"));
}

#[test]
fn joining_sessions_network_can_be_stopped_put_off_and_may_replace_what_was_chosen_by_hand() {
    let mut desk = session_card();
    desk.click("Join… Session's network");
    desk.until_seen("Not now");
    desk.click("Not now");
    desk.until(|desk| desk.focused().as_deref() == Some("Join… Session's network"));
    desk.press(Key::Enter);
    desk.until(|desk| desk.focused().as_deref() == Some("Join"));
    desk.press(Key::Enter);
    desk.until(|desk| desk.focused().as_deref() == Some("Cancel"));
    desk.press(Key::Enter);
    desk.until_seen("Not now");
    assert!(desk.backend.saves().is_empty());

    let other = JoinError::OtherRelays("By hand".to_owned());
    desk.backend.fail_next(AppError::from(other));
    desk.click("Join");
    desk.backend.let_go(1);
    desk.until_seen("through other relays");
    desk.click("Replace mine");
    desk.backend.let_go(1);
    desk.until_seen("You joined");
    let replaces = choices(&desk).last().map(|choice| choice.0);
    assert_eq!(replaces, Some(true));
}

#[test]
fn a_file_of_another_network_is_joined_where_it_is_dropped_and_any_other_is_refused() {
    let mut desk = Desk::with(settings(), [760.0, 600.0], |_| Opening::default());
    desk.act(WindowAction::Go(Screen::Receive));
    let file = desk.folder.path().join("other.toml");
    std::fs::write(&file, "[package]\nname = 'other'\n").expect("a file");
    desk.drop_files(std::slice::from_ref(&file));
    desk.until_seen("describes no network of service nodes");
    assert!(!desk.sees("Not now"));

    let key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    let text = format!(
        "name = 'Other'\nserver = 'http://files.example#p={key}'\n[[seed]]\nurl = 'https://seed.example'\nfingerprint = '{key}'\n"
    );
    std::fs::write(&file, text).expect("a file");
    desk.drop_files(&[file]);
    for words in ["Join “Other”?", "files.example", "seed.example"] {
        desk.until_seen(words);
    }
    assert!(desk.backend.joins().is_empty());
    desk.until(|desk| desk.focused().as_deref() == Some("Join"));
    desk.press(Key::Enter);
    desk.until(|desk| choices(desk) == [(false, false, false)]);
    desk.backend.let_go(1);
    desk.until_seen("You joined “Other”.");
    desk.click("Who saw what Other");
    desk.until_seen("Who saw what: Other");
    desk.press(Key::Escape);
    desk.click("Done");
    desk.until(|desk| !desk.sees("You joined"));
    assert_eq!(desk.window.state().model().settings.servers.len(), 1);
}
