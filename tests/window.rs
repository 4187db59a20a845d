//! The window as a person meets it: by label and role, with a fake backend, the accessibility check on.
#![cfg(feature = "gui")]

#[path = "support/desk.rs"]
#[allow(dead_code, reason = "shared with other tests of the window")]
mod desk;
#[path = "support/desktop.rs"]
#[allow(dead_code, reason = "shared with other tests of the window")]
mod desktop;

use std::path::PathBuf;

use cloakroom::gui::model::{
    Preferences, RelayList, RelayOrigin, Screen, ServerChoice, Stage, State, Theme,
};
use cloakroom::gui::window::Opening;
use desk::Desk;
use desktop::{POINTER, message, preferences, server};
use egui::accesskit::Role;
use egui::{Event, Key, Modifiers};
use egui_kittest::kittest::{By, NodeT as _, Queryable as _};

#[test]
fn a_dropped_file_is_shared_and_its_pointer_copied() {
    let mut desk = Desk::with(
        Preferences {
            servers: vec![server("files.example")],
            chosen: ServerChoice::Address(server("files.example").address),
            relay_list: Some(RelayList {
                origin: RelayOrigin::File(PathBuf::from("/r.json")),
                name: "r".to_owned(),
                relays: 3,
            }),
            ..preferences()
        },
        [760.0, 600.0],
        |_| Opening::default(),
    );
    let file = desk.file("report.pdf");
    desk.drop_files(&[file]);
    desk.until_seen("Uploading, 61 %");
    let bar = desk
        .window
        .get_by_role_and_label(Role::ProgressIndicator, "Progress of report.pdf");
    let done = bar.accesskit_node().numeric_value().expect("a value");
    assert!(done > 50.0 && done < 100.0, "{done}");
    desk.window.get_by_label("report.pdf");
    assert!(
        !desk.sees("Copy pointer"),
        "nothing to copy before the server has confirmed"
    );

    desk.backend.let_go(1);
    desk.until_seen("2.5 kB, sent as 5.1 MB");
    assert!(desk.sees("kept until 6 Dec 2026"));
    desk.click("Copy pointer");
    desk.until_seen("Copied");
    assert_eq!(*desk.desktop.copied.lock().expect("no panic"), [POINTER]);
    desk.until(|desk| !desk.sees("Copied"));
    desk.window.get_by_label("Copy pointer");
}

#[test]
fn a_pointer_of_the_built_in_network_says_that_it_works_here_only() {
    let mut desk = Desk::new();
    desk.shared_one();
    desk.click("Copy (works only on this computer)");
    desk.until_seen("Copied");
    desk.click("Choose a server");
    assert_eq!(desk.window.state().model().screen, Screen::Settings);
}

#[test]
fn several_files_queue_up_two_at_a_time() {
    let mut desk = Desk::new();
    let files: Vec<PathBuf> = ["a.txt", "b.txt", "c.txt"]
        .iter()
        .map(|name| desk.file(name))
        .collect();
    desk.drop_files(&files);
    desk.until(|desk| {
        desk.window
            .query_all_by_label_contains("Uploading, 61 %")
            .count()
            >= 2
    });
    assert!(desk.sees("Waiting for its turn"));
    desk.backend.let_go(1);
    desk.until(|desk| !desk.sees("Waiting for its turn"));
}

#[test]
fn a_folder_is_named_while_it_hangs_there_and_refused_when_dropped() {
    let mut desk = Desk::new();
    let folder = desk.folder.path().join("photos");
    std::fs::create_dir(&folder).expect("a folder");
    desk.window
        .input_mut()
        .hovered_files
        .push(egui::HoveredFile {
            path: Some(folder.clone()),
            ..Default::default()
        });
    desk.until_seen("Folders cannot be shared yet");
    desk.window.input_mut().hovered_files.clear();
    desk.drop_files(&[folder]);
    desk.until_seen("photos is a folder and was not shared.");
    assert!(!desk.sees("Folders cannot be shared yet"));
    desk.press(Key::Escape);
    desk.until(|desk| !desk.sees("is a folder"));
}

#[test]
fn a_hovering_file_is_named() {
    let mut desk = Desk::new();
    let path = desk.file("report.pdf");
    desk.window
        .input_mut()
        .hovered_files
        .push(egui::HoveredFile {
            path: Some(path),
            ..Default::default()
        });
    desk.until_seen("Drop to share report.pdf");
}

#[test]
fn what_failed_says_what_why_and_what_next_and_can_be_tried_again() {
    let mut desk = Desk::new();
    desk.backend
        .fail_next(message("report.pdf was not shared."));
    let file = desk.file("report.pdf");
    desk.drop_files(&[file]);
    desk.backend.let_go(1);
    desk.until_seen("report.pdf was not shared.");
    assert!(desk.sees("The relays answered, the server did not. Try again in a minute."));
    desk.click("Retry");
    desk.until_seen("Uploading");
    desk.backend.let_go(1);
    desk.until_seen("kept until");
}

#[test]
fn cancelling_is_at_once() {
    let mut desk = Desk::new();
    let file = desk.file("report.pdf");
    desk.drop_files(&[file]);
    desk.until_seen("Uploading");
    desk.click("Cancel report.pdf");
    assert!(desk.sees("Cancelled"));
    desk.click("Remove");
    assert!(desk.window.state().model().transfers.is_empty());
}

#[test]
fn a_pasted_pointer_is_described_downloaded_verified_and_opened() {
    let mut desk = Desk::new();
    desk.backend.show(vec![Stage::Download { fraction: 0.5 }]);
    desk.paste(&format!("here you are: {POINTER} bye"));
    desk.until_seen("report.pdf");
    assert!(desk.sees("4.2 MB"));
    assert!(desk.sees("from files.example"));
    assert!(
        desk.window.state().model().transfers.is_empty(),
        "nothing starts by itself"
    );
    desk.until(|desk| desk.focused().as_deref() == Some("Download"));
    desk.press(Key::Enter);
    desk.until_seen("Downloading, 50 %");
    desk.backend.let_go(1);
    desk.until_seen("Verified");
    assert!(desk.sees("report (1).pdf"));
    desk.click("Open");
    desk.click("Show in folder");
    let saved = PathBuf::from("/home/ada/Downloads/report (1).pdf");
    desk.until(|desk| {
        desk.desktop
            .opened
            .lock()
            .expect("no panic")
            .contains(&saved)
            && desk
                .desktop
                .revealed
                .lock()
                .expect("no panic")
                .contains(&saved)
    });
}

#[test]
fn a_bad_pointer_says_what_is_wrong_and_stays_in_the_field() {
    let mut desk = Desk::new();
    desk.paste("cloak1short");
    desk.until_seen("This pointer is cut short.");
    assert!(!desk.sees("Download"));
    assert_eq!(
        desk.window.state().model().receive.text.as_str(),
        "cloak1short"
    );
    desk.press(Key::Escape);
    desk.until(|desk| !desk.sees("cut short"));
}

#[test]
fn another_computers_built_in_network_cannot_be_downloaded_from() {
    let mut desk = Desk::new();
    desk.paste(&format!("foreign {POINTER}"));
    desk.until_seen("another computer's built-in network");
    desk.click("Download");
    assert!(desk.window.state().model().transfers.is_empty());
}

#[test]
fn text_pasted_into_the_field_is_ordinary_pasting() {
    let mut desk = Desk::new();
    desk.click("Receive");
    desk.until(|desk| desk.focused().as_deref() == Some("Pointer"));
    desk.paste(POINTER);
    desk.until_seen("from files.example");
    assert_eq!(desk.window.state().model().receive.text.as_str(), POINTER);
}

#[test]
fn files_given_as_arguments_are_shared_and_a_pointer_only_fills_receive() {
    let desk = |pointer: bool| {
        Desk::with(preferences(), [760.0, 600.0], move |folder| {
            let file = folder.join("given.txt");
            std::fs::write(&file, [1]).expect("a file");
            let files = if pointer { Vec::new() } else { vec![file] };
            Opening {
                files,
                pointer: pointer.then(|| POINTER.into()),
                ..Opening::default()
            }
        })
    };
    let mut files = desk(false);
    files.until_seen("Uploading");
    let mut pointer = desk(true);
    pointer.until_seen("from files.example");
    assert!(pointer.window.state().model().transfers.is_empty());
}

#[test]
fn a_server_is_added_tested_used_and_removed() {
    let mut desk = Desk::new();
    desk.click("Settings");
    desk.window
        .get_by_role_and_label(Role::TextInput, "Add a server")
        .click();
    desk.window.step();
    desk.paste("nonsense");
    desk.press(Key::Enter);
    desk.until_seen("This is not a server address.");
    assert!(
        desk.backend.saves().is_empty(),
        "a bad address is never kept"
    );

    desk.window
        .get_by_role_and_label(Role::TextInput, "Add a server")
        .click();
    desk.window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    desk.window.step();
    desk.paste(&server("files.example:8440").address);
    desk.press(Key::Enter);
    desk.until_seen("Remove files.example:8440");
    desk.until(|desk| {
        desk.backend
            .saves()
            .last()
            .is_some_and(|kept| kept.servers.len() == 1)
    });
    assert!(
        desk.sees("This server cannot be reached yet."),
        "a real server needs relays"
    );

    *desk.desktop.files.lock().expect("no panic") = vec![PathBuf::from("/home/ada/relays.json")];
    desk.click("Choose a list");
    desk.until_seen("5 relays");
    assert!(!desk.sees("This server cannot be reached yet."));

    desk.bring(By::new().label("Test"));
    desk.window
        .get_all_by_label("Test")
        .last()
        .expect("one for each server")
        .click();
    desk.until_seen("Testing upload and download");
    desk.backend.let_go(1);
    desk.until_seen("Upload (84 ms) and download (57 ms) work.");

    desk.click("Remove files.example:8440");
    desk.until(|desk| {
        desk.backend
            .saves()
            .last()
            .is_some_and(|kept| kept.servers.is_empty() && kept.chosen == ServerChoice::BuiltIn)
    });
}

#[test]
fn appearance_and_folder_are_kept_at_once() {
    let mut desk = Desk::new();
    desk.click("Settings");
    *desk.desktop.files.lock().expect("no panic") = vec![PathBuf::from("/home/ada/Inbox")];
    desk.click("Change");
    desk.until_seen("/home/ada/Inbox");
    desk.window
        .get_by_role_and_label(Role::RadioButton, "Dark")
        .scroll_to_me();
    desk.window.run_steps(3);
    desk.window
        .get_by_role_and_label(Role::RadioButton, "Dark")
        .click();
    desk.window.step();
    desk.until(|desk| {
        desk.backend
            .saves()
            .last()
            .is_some_and(|kept| kept.theme == Theme::Dark)
    });
    assert_eq!(desk.window.ctx.theme(), egui::Theme::Dark);
}

#[test]
fn the_first_start_card_leaves_with_escape_and_does_not_hold_a_drop_back() {
    let mut desk = Desk::with(
        Preferences {
            welcomed: false,
            ..preferences()
        },
        [760.0, 600.0],
        |_| Opening::default(),
    );
    desk.window.step();
    assert!(desk.sees("For now everything stays on this computer."));
    let file = desk.file("report.pdf");
    desk.drop_files(&[file]);
    desk.until_seen("Uploading");
    desk.press(Key::Escape);
    desk.until(|desk| !desk.sees("For now everything stays"));
    desk.until(|desk| {
        desk.backend
            .saves()
            .last()
            .is_some_and(|kept| kept.welcomed)
    });
}

#[test]
fn closing_with_running_transfers_asks_first() {
    let mut desk = Desk::new();
    let file = desk.file("report.pdf");
    desk.drop_files(&[file]);
    desk.until_seen("Uploading");
    let close = |desk: &mut Desk| {
        let viewport = desk
            .window
            .input_mut()
            .viewports
            .entry(egui::ViewportId::ROOT)
            .or_default();
        viewport.events.push(egui::ViewportEvent::Close);
        desk.window.step();
        let viewport = desk
            .window
            .input_mut()
            .viewports
            .entry(egui::ViewportId::ROOT)
            .or_default();
        viewport.events.clear();
        desk.window.run_steps(2);
    };
    close(&mut desk);
    assert!(desk.sees("A transfer is still running"));
    desk.press(Key::Escape);
    desk.until(|desk| !desk.sees("still running"));
    close(&mut desk);
    desk.click("Stop and quit");
    assert!(matches!(
        desk.window.state().model().transfers[0].state,
        State::Cancelled
    ));
}

#[test]
fn everything_on_share_is_reached_by_keyboard_alone() {
    let mut desk = Desk::new();
    *desk.desktop.files.lock().expect("no panic") = vec![desk.file("report.pdf")];
    let mut order = Vec::new();
    for _ in 0..5 {
        desk.press(Key::Tab);
        desk.window.step();
        order.extend(desk.focused());
    }
    assert_eq!(
        order,
        [
            "Share",
            "Receive",
            "File server: Built-in network",
            "Settings",
            "Choose files"
        ]
    );
    desk.press(Key::Enter);
    desk.until_seen("Uploading");

    desk.window
        .key_press_modifiers(Modifiers::COMMAND, Key::Comma);
    desk.until(|desk| desk.window.state().model().screen == Screen::Settings);
    desk.press(Key::Escape);
    desk.until(|desk| desk.window.state().model().screen == Screen::Share);
    desk.window
        .key_press_modifiers(Modifiers::COMMAND, Key::Num2);
    desk.until(|desk| desk.window.state().model().screen == Screen::Receive);
}

#[test]
fn ctrl_o_chooses_files() {
    let mut desk = Desk::new();
    *desk.desktop.files.lock().expect("no panic") = vec![desk.file("report.pdf")];
    desk.window.key_press_modifiers(Modifiers::COMMAND, Key::O);
    desk.until_seen("Uploading");
}

/// Files that a file manager put on the clipboard are no text: only the release of the key arrives.
#[test]
fn pasted_files_are_shared_and_an_empty_clipboard_is_said() {
    let mut desk = Desk::new();
    let release = || Event::Key {
        key: Key::V,
        physical_key: None,
        pressed: false,
        repeat: false,
        modifiers: Modifiers::COMMAND,
    };
    desk.window.event(release());
    desk.until_seen("The clipboard holds no pointer and no file.");
    *desk.desktop.files.lock().expect("no panic") = vec![desk.file("report.pdf")];
    desk.window.event(release());
    desk.until_seen("Uploading");
}

#[test]
fn without_drops_the_zone_does_not_promise_them() {
    let mut desk = Desk::with(preferences(), [760.0, 600.0], |_| Opening {
        drops: false,
        ..Opening::default()
    });
    desk.window.step();
    assert!(desk.sees("Choose files, or paste them"));
    assert!(!desk.sees("Drop"));
}

#[test]
fn idle_screens_settle() {
    for size in [[760.0, 600.0], [420.0, 420.0]] {
        let mut desk = Desk::with(preferences(), size, |_| Opening::default());
        desk.window.run();
        desk.click("Receive");
        desk.window.run();
        desk.click("Settings");
        desk.window.run();
        desk.click("Share");
        desk.shared_one();
        desk.window.run();
    }
}

#[test]
fn nothing_is_wider_than_the_smallest_window() {
    let mut desk = Desk::with(preferences(), [420.0, 420.0], |_| Opening::default());
    desk.shared_one();
    for screen in ["Share", "Receive", "Settings"] {
        desk.click(screen);
        desk.window.run();
        let window = egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(420.0, f32::INFINITY));
        for role in [
            Role::Button,
            Role::RadioButton,
            Role::TextInput,
            Role::Label,
        ] {
            for node in desk.window.query_all_by_role(role) {
                let rect = node.rect();
                assert!(
                    rect.left() >= window.left() && rect.right() <= window.right(),
                    "{node:?} stands at {rect:?}"
                );
            }
        }
    }
}
