//! Nothing is cut off and nothing stands on something else: in every place of the window, from 760 × 600 down to what
//! 200 % leaves of the smallest one, and in a language whose words are two fifths longer.

use std::path::PathBuf;

use cloakroom::app::relays::RelaySource;
use cloakroom::app::settings::{Change, ServerChoice, Settings, SeveralThings};
use cloakroom::app::transfer::join::JoinChoice;
use cloakroom::app::transfer::stage::{PartsMoved, Stage};
use cloakroom::app::words::l10n::Language;
use cloakroom::app::words::message::UserMessage;
use cloakroom::gui::model::{
    Action, Count, InvitationInfo, JoinAction, JoinState, KnownNetwork, Modal, ModalAction,
    NetworkAction, NetworkState, ReceiveAction, RelayAction, RowAction, Screen, ServerAction,
    ShareAction, ShareOptions, WindowAction,
};
use cloakroom::gui::window::Opening;
use egui::Rect;
use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use crate::window::desk::Desk;
use crate::window::desktop::{
    COUNTED, FOREIGN, INVITATION, POINTER, RELAYLESS, cut_pointer, invitation_info, no_answer,
    server, settings,
};

/// At 200 per cent a window of 760 × 600 has 380 × 300 points; the smallest one has 210 × 210.
#[test]
fn everything_fits_at_every_size() {
    fits(Language::English, 100, &[[760.0, 600.0], [420.0, 420.0]]);
}

#[test]
fn everything_fits_at_twice_the_size() {
    fits(Language::English, 200, &[[380.0, 300.0], [210.0, 210.0]]);
}

#[test]
fn everything_fits_in_a_language_two_fifths_longer() {
    fits(Language::Longer, 100, &[[760.0, 600.0], [420.0, 420.0]]);
}

fn fits(language: Language, zoom: u16, sizes: &[[f32; 2]]) {
    let mut found = Vec::new();
    for size in sizes {
        everywhere(language, zoom, *size, &mut found);
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// Every place, one after the other.
#[expect(
    clippy::too_many_lines,
    reason = "a walk through every place of the window"
)]
fn everywhere(language: Language, zoom: u16, size: [f32; 2], found: &mut Vec<String>) {
    let place = |name: &str| format!("{name} in {language:?} at {size:?}, {zoom} %");
    let list = RelaySource::File(PathBuf::from("/home/ada/relays.json"));
    let chosen = server("files.example").through(list);
    let kept = |welcomed| Settings {
        chosen: ServerChoice::Server(chosen.address.clone()),
        servers: vec![chosen.clone()],
        language: Some(language),
        zoom,
        welcomed,
        ..settings()
    };
    let mut desk = Desk::with(kept(false), size, |_| Opening::default());
    let mut look = |desk: &mut Desk, name: &str| misfits(desk, &place(name), found);
    look(&mut desk, "first start");

    let mut desk = Desk::with(kept(true), size, |_| Opening::default());
    look(&mut desk, "share, empty");
    desk.act(ShareAction::ShowOptions(true));
    let options = ShareOptions {
        count: Count::Limit(5),
        ..ShareOptions::default()
    };
    desk.act(ShareAction::SetOptions(options));
    look(&mut desk, "share, options");
    desk.act(ShareAction::ShowOptions(false));
    let names = [
        "a-long-name-of-a-holiday-picture-2026.zip",
        "report.pdf",
        "b.txt",
    ];
    let files: Vec<PathBuf> = names.iter().map(|name| desk.file(name)).collect();
    desk.drop_files(&files);
    desk.until_seen("Uploading");
    look(&mut desk, "share, running");
    desk.act(WindowAction::Close);
    look(&mut desk, "closing");
    desk.act(ModalAction::Back);
    desk.backend.let_go(3);
    desk.until(|desk| desk.window.state().model().unfinished() == 0);
    look(&mut desk, "share, done");
    let id = desk.window.state().model().transfers[0].id;
    desk.act(Action::Row(id, RowAction::CopyPointer));
    look(&mut desk, "share, copied");
    desk.act(Action::Row(id, RowAction::OpenMenu));
    look(&mut desk, "the menu of a row");
    desk.act(ModalAction::Back);
    for modal in [
        Modal::About,
        Modal::Closing { running: 2 },
        Modal::Delete(id),
        Modal::Discard(id),
        Modal::OpenProgram(id),
        Modal::Qr(id),
        Modal::Shortcuts,
        Modal::WhoSawWhat { id, at: 1 },
        Modal::WhoSawWhat { id, at: 2 },
        Modal::WipeHistory,
    ] {
        desk.act(ModalAction::Open(modal.clone()));
        look(&mut desk, &format!("{modal:?}"));
        desk.act(ModalAction::Back);
    }
    desk.failed_one();
    look(&mut desk, "share, failed");
    desk.act(Change::SeveralThings(SeveralThings::Ask));
    desk.drop_files(&files);
    desk.until_seen("came together");
    look(&mut desk, "share, several things");
    desk.act(ShareAction::LeaveTogether);
    desk.backend.show(vec![Stage::Parts(PartsMoved {
        done: 1_260_000_000,
        moving: 20_000_000,
        total: 3_400_000_000,
    })]);
    desk.drop_report();
    desk.until_seen("confirmed");
    look(&mut desk, "share, in parts");
    let id = desk.window.state().model().transfers[0].id;
    desk.act(Action::Row(id, RowAction::Pause));
    look(&mut desk, "share, paused");

    for (pointer, seen) in [
        (cut_pointer(), "cut off"),
        (FOREIGN, "another computer"),
        (RELAYLESS, "No relay of yours"),
        (COUNTED, "files.example"),
    ] {
        desk.act(WindowAction::Go(Screen::Receive));
        desk.act(ReceiveAction::Clear);
        look(&mut desk, "receive, empty");
        desk.paste(pointer);
        desk.until_seen(seen);
        look(&mut desk, &format!("receive, {seen}"));
    }
    desk.act(ReceiveAction::Download);
    desk.backend.let_go(1);
    desk.until(|desk| desk.window.state().model().unfinished() == 0);
    look(&mut desk, "receive, verified");
    desk.backend.hold_photos(2_000);
    desk.act(WindowAction::Go(Screen::Receive));
    desk.paste(POINTER);
    desk.until_seen("Show what is in it");
    look(&mut desk, "receive, a folder");
    desk.act(ReceiveAction::ShowContent);
    desk.until_seen("files and empty folders");
    look(&mut desk, "receive, what is in a folder");
    desk.act(ReceiveAction::Clear);
    desk.backend.invite_with(InvitationInfo {
        own_network: true,
        no_path: Some(UserMessage::from(&no_answer())),
        known: KnownNetwork::OtherRelays,
        list_host: Some("lists.example".to_owned()),
        ..invitation_info()
    });
    let silent = NetworkState::NotNow(no_answer().into());
    desk.backend.join_with(silent);
    desk.paste(INVITATION);
    desk.until_seen("acid lunar velvet otter bridge");
    look(&mut desk, "receive, an invitation");
    desk.act(JoinAction::Join(JoinChoice::default()));
    look(&mut desk, "receive, joining");
    desk.backend.let_go(1);
    desk.until(|desk| {
        matches!(
            desk.window.state().model().receive.joining,
            JoinState::Joined(_)
        )
    });
    look(&mut desk, "receive, a network that does not answer");
    desk.act(JoinAction::Close);
    desk.act(WindowAction::Go(Screen::Share));
    desk.paste("milk, bread, eggs");
    look(&mut desk, "a notice");
    desk.act(WindowAction::DismissNotice);

    for show in [false, true] {
        desk.act(WindowAction::Go(Screen::Settings));
        desk.act(RelayAction::Show(show));
        desk.window.run_steps(4);
        look(&mut desk, "settings");
    }
    // The network that was joined above has taken the server's place.
    let network = chosen.address.clone();
    desk.act(NetworkAction::OpenMenu(network.clone()));
    look(&mut desk, "settings, the menu of a network");
    desk.act(ModalAction::Back);
    for modal in [
        Modal::Invite(network.clone()),
        Modal::Leave(network.clone()),
    ] {
        desk.act(NetworkAction::Invite(network.clone()));
        desk.act(ModalAction::Open(modal.clone()));
        look(&mut desk, &format!("{modal:?}"));
        desk.act(ModalAction::Back);
    }
    desk.act(NetworkAction::OpenName(network));
    look(&mut desk, "settings, the name of a network");
    desk.act(NetworkAction::CloseName);
    desk.act(ServerAction::AddressEdited("files".to_owned()));
    desk.act(ServerAction::Add);
    desk.until_seen("not a file server's address");
    desk.act(RelayAction::ProxyEdited(
        "socks5://127.0.0.1:9050".to_owned(),
    ));
    desk.act(RelayAction::UseProxy);
    look(&mut desk, "settings, wrong address and proxy");
    desk.act(WindowAction::Go(Screen::Gallery));
    look(&mut desk, "every widget");

    let without_relays = Settings {
        servers: vec![server("files.example")],
        ..kept(true)
    };
    let mut desk = Desk::with(without_relays, size, |_| Opening::default());
    for screen in [Screen::Share, Screen::Settings] {
        desk.act(WindowAction::Go(screen));
        desk.until(|desk| !desk.window.state().model().settings_screen.relays_busy);
        look(&mut desk, &format!("{screen:?}, without relays"));
    }
}

/// Height of the bar.
const BAR: f32 = 56.0;

/// Where the page begins: below the bar, and below the way through Settings where there is one.
fn page_top(desk: &Desk) -> f32 {
    let tabs = desk.window.query_all_by_role(Role::Tab);
    // Those of the bar are in it.
    let bottoms = tabs.map(|tab| tab.rect().bottom());
    bottoms.fold(BAR, f32::max)
}

/// It is part of the page, which scrolls.
fn is_on_the_page(node: &egui_kittest::Node<'_>) -> bool {
    let mut above = node.accesskit_node().parent();
    while let Some(node) = above {
        if node.role() == Role::Main {
            return true;
        }
        above = node.parent();
    }
    false
}

/// What can be pressed or typed into.
const CONTROLS: [Role; 6] = [
    Role::Button,
    Role::RadioButton,
    Role::Switch,
    Role::Tab,
    Role::TextInput,
    Role::MultilineTextInput,
];

fn misfits(desk: &mut Desk, place: &str, found: &mut Vec<String>) {
    desk.window.run_steps(4);
    let model = desk.window.state().model();
    let menu = model.menu.is_some() || model.settings_screen.network_menu.is_some();
    let covered = model.modal.is_some() || menu;
    let window = desk.window.ctx.content_rect();
    let top = page_top(desk);
    let mut controls: Vec<(String, Rect)> = Vec::new();
    let mut words: Vec<(String, Rect)> = Vec::new();
    let roles = CONTROLS.into_iter();
    let others = [Role::Heading, Role::Label, Role::MenuItem];
    let sheets = [Role::Dialog, Role::AlertDialog];
    for role in roles.chain(others).chain(sheets) {
        for node in desk.window.query_all_by_role(role) {
            if node.accesskit_node().bounding_box().is_none() {
                continue;
            }
            let rect = node.rect();
            let scrolls = is_on_the_page(&node);
            let node = node.accesskit_node();
            let name = node.label().or_else(|| node.value()).unwrap_or_default();
            let sideways = rect.left() < -0.5 || rect.right() > window.right() + 0.5;
            let over = rect.top() < -0.5 || rect.bottom() > window.bottom() + 0.5;
            // What is longer than the window scrolls; what holds it does not.
            let stands = matches!(role, Role::Dialog | Role::AlertDialog);
            if sideways || stands && over {
                found.push(format!("{place}: {role:?} {name:?} stands at {rect:?}"));
            }
            // Of the page, what can be seen of it.
            let seen = if scrolls {
                rect.intersect(Rect::everything_below(top))
            } else {
                rect
            };
            if CONTROLS.contains(&role) {
                controls.push((name, seen));
            } else if matches!(role, Role::Heading | Role::Label) && !covered {
                words.push((name, seen));
            }
        }
    }
    if covered {
        return;
    }
    for (at, (name, rect)) in controls.iter().enumerate() {
        let other_controls = controls.iter().skip(at + 1);
        for (other, place_of_other) in other_controls.chain(&words) {
            let both = rect.intersect(*place_of_other);
            let apart = both.width() < 1.0 || both.height() < 1.0;
            if !apart && !rect.expand(0.5).contains_rect(*place_of_other) {
                found.push(format!("{place}: {other:?} stands on {name:?}, {both:?}"));
            }
        }
    }
}
