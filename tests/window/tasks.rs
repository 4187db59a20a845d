//! The window as a person meets it: by label and role, with a fake backend, the accessibility check on.

use std::path::PathBuf;
use std::time::Duration;

use cloakroom::app::error::AppError;
use cloakroom::app::process::instance::{self, Start, StartArguments};
use cloakroom::app::relays::RelaySource;
use cloakroom::app::settings::{ServerChoice, Settings, SeveralThings, Theme};
use cloakroom::app::transfer::get::Choice;
use cloakroom::app::transfer::stage::{PartsMoved, Stage};
use cloakroom::app::words::message::UserMessage;
use cloakroom::gui::model::{
    Action, Aside, Modal, ModalAction, ReceiveAction, RowAction, Screen, SettingsAction,
    ShownRelayList, TransferState, WindowAction,
};
use cloakroom::gui::platform::uri_list::{DropNews, UriList};
use cloakroom::gui::window::Opening;
use egui::accesskit::Role;
use egui::{Event, Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use crate::window::desk::Desk;
use crate::window::desktop::{self, FOREIGN, POINTER, cut_pointer, no_answer, server, settings};

#[test]
fn a_dropped_file_is_shared_and_its_pointer_copied() {
    let mut desk = Desk::with(
        Settings {
            servers: vec![
                server("files.example").through(RelaySource::File(PathBuf::from("/r.json"))),
            ],
            chosen: ServerChoice::Server(server("files.example").address),
            ..settings()
        },
        [760.0, 600.0],
        |_| Opening::default(),
    );
    desk.drop_report();
    desk.until_seen("Uploading, 61%");
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
    desk.until_seen("kept until 6 Dec 2026");
    assert!(desk.sees("4.2 MB, sent as 5.2 MB"));
    desk.click("Copy pointer report.pdf");
    desk.until_seen("Copied");
    assert_eq!(*desk.desktop.copied.lock().expect("no panic"), [POINTER]);
    desk.until(|desk| !desk.sees("Copied"));
    desk.window.get_by_label("Copy pointer report.pdf");
}

#[test]
fn a_pointer_of_the_built_in_network_says_that_it_works_here_only() {
    let mut desk = Desk::new();
    desk.shared_one();
    desk.click("Copy (works only on this computer) report.pdf");
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
            .query_all_by_label_contains("Uploading, 61%")
            .count()
            >= 2
    });
    assert!(desk.sees("Waiting for its turn"));
    desk.backend.let_go(1);
    desk.until(|desk| !desk.sees("Waiting for its turn"));
}

#[test]
fn a_folder_is_named_while_it_hangs_there_and_shared_when_dropped() {
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
    desk.until_seen("Drop to share photos");
    desk.window.input_mut().hovered_files.clear();
    desk.drop_files(&[folder]);
    desk.until_seen("Uploading");
    assert!(!desk.sees("Drop to share"));
    assert_eq!(desk.backend.parcels(), [["photos"]]);
}

/// A desk whose person is asked about several things each time.
fn asked_each_time() -> Desk {
    let settings = Settings {
        several_things: SeveralThings::Ask,
        ..settings()
    };
    Desk::with(settings, [760.0, 600.0], |_| Opening::default())
}

#[test]
fn several_things_are_asked_about_by_keyboard_and_by_name_and_the_answer_is_kept() {
    let mut desk = asked_each_time();
    let folder = desk.folder.path().join("photos");
    std::fs::create_dir(&folder).expect("a folder");
    let file = desk.file("report.pdf");
    desk.drop_files(&[folder.clone(), file.clone()]);
    desk.until_seen("2 files or folders came together.");
    assert!(desk.backend.parcels().is_empty());
    desk.until(|desk| desk.focused().as_deref() == Some("As one"));
    desk.press(Key::Escape);
    desk.until(|desk| !desk.sees("came together"));
    assert!(desk.window.state().model().transfers.is_empty());

    desk.drop_files(&[folder, file]);
    desk.until(|desk| desk.focused().as_deref() == Some("As one"));
    desk.click("Remember this");
    desk.click("As one");
    desk.until_seen("Uploading");
    desk.window.get_by_label("photos, report.pdf");
    assert_eq!(desk.backend.parcels(), [["photos", "report.pdf"]]);
    desk.until(|desk| {
        let saves = desk.backend.saves();
        let last = saves.last();
        last.is_some_and(|saved| saved.several_things == SeveralThings::AsOne)
    });
    desk.click("Settings");
    desk.click("Ask");
    desk.until(|desk| {
        let saves = desk.backend.saves();
        let last = saves.last();
        last.is_some_and(|saved| saved.several_things == SeveralThings::Ask)
    });
}

#[test]
fn a_folder_is_chosen_in_a_dialog_of_its_own() {
    let mut desk = Desk::new();
    let folder = desk.folder.path().join("photos");
    std::fs::create_dir(&folder).expect("a folder");
    *desk.desktop.files.lock().expect("no panic") = vec![folder];
    desk.click("Choose a folder");
    desk.until_seen("Uploading");
    assert_eq!(desk.backend.parcels(), [["photos"]]);
}

/// A share in parts that stands here.
const IN_PARTS: Stage = Stage::Parts(PartsMoved {
    done: 1_260_000_000,
    moving: 20_000_000,
    total: 3_400_000_000,
});

#[test]
fn a_transfer_in_parts_is_paused_resumed_and_given_up_after_a_question() {
    let mut desk = Desk::new();
    desk.backend.show(vec![Stage::Pad, IN_PARTS]);
    desk.drop_report();
    desk.until_seen("Uploading, 1.2 GB of 3.4 GB confirmed");
    desk.click("Pause report.pdf");
    desk.until_seen("Paused, 1.2 GB of 3.4 GB done");
    let bar = desk
        .window
        .get_by_role_and_label(Role::ProgressIndicator, "Progress of report.pdf");
    assert!(
        bar.accesskit_node()
            .numeric_value()
            .is_some_and(|done| done > 30.0)
    );
    desk.click("Resume report.pdf");
    desk.until_seen("Uploading, 1.2 GB");
    desk.click("Cancel report.pdf");
    desk.until_seen("Discard report.pdf?");
    desk.click("Keep it");
    assert!(desk.sees("Uploading, 1.2 GB"), "it runs on");
    desk.click("Cancel report.pdf");
    desk.click("Discard");
    desk.until_seen("Discarded");
    desk.click("Remove report.pdf");
    assert!(desk.window.state().model().transfers.is_empty());
}

#[test]
fn what_an_earlier_start_left_is_there_and_does_not_hold_up_the_window() {
    let mut desk = Desk::prepared(
        egui_kittest::Harness::builder(),
        settings(),
        [760.0, 600.0],
        |_, backend| {
            backend.leave_some();
            Opening::default()
        },
    );
    desk.until_seen("Interrupted, 1.2 GB of 3.4 GB done");
    assert!(desk.sees("Interrupted, 412 MB of 530 MB done"));
    assert!(
        desk.backend.parcels().is_empty(),
        "nothing starts by itself"
    );
    desk.click("Resume holiday-film.mkv");
    desk.until_seen("Uploading");
    desk.click("Discard concert.flac");
    desk.click("Discard");
    desk.until_seen("Discarded");
}

#[test]
fn something_large_begins_only_on_the_persons_word() {
    let mut desk = Desk::new();
    let film = desk.file("film.mkv");
    let file = std::fs::File::options().write(true).open(&film);
    file.and_then(|file| file.set_len(1_500_000_000))
        .expect("a large file without content");
    desk.drop_files(&[film]);
    desk.until_seen("This is 1.5 GB.");
    assert!(desk.backend.parcels().is_empty());
    desk.click("Share film.mkv");
    desk.until_seen("Uploading");
    assert_eq!(desk.backend.parcels(), [["film.mkv"]]);
}

#[test]
fn a_folder_is_looked_into_and_some_of_it_taken_by_keyboard() {
    let mut desk = Desk::new();
    desk.backend.hold_photos(200_000);
    desk.paste(POINTER);
    desk.until_seen("Show what is in it");
    desk.click("Show what is in it");
    desk.until_seen("200,000 files and empty folders");
    let entries = |desk: &Desk| desk.window.query_all_by_role(Role::CheckBox).count();
    assert!(
        (3..30).contains(&entries(&desk)),
        "only what is visible is drawn: {}",
        entries(&desk)
    );
    desk.click("Choose none");
    assert!(desk.sees("0 of 200,000 chosen"));
    desk.click("2026/photo-000000.jpg, 2.5 MB");
    desk.window
        .get_by_role_and_label(Role::CheckBox, "2026/photo-000000.jpg, 2.5 MB")
        .focus();
    // The arrows are a row's own once it has had the keyboard for a frame.
    desk.window.run_steps(2);
    for _ in 0..20 {
        desk.press(Key::ArrowDown);
        desk.window.step();
    }
    let on = "2026/photo-000020.jpg, 2.5 MB";
    assert_eq!(
        desk.focused().as_deref(),
        Some(on),
        "drawn as it is reached"
    );
    desk.press(Key::Space);
    desk.until_seen("2 of 200,000 chosen, 5 MB");
    desk.click("Download");
    desk.backend.let_go(1);
    desk.until_seen("Verified");
    let wanted = ["2026/photo-000000.jpg", "2026/photo-000020.jpg"];
    let wanted = Choice::Only(wanted.map(str::to_owned).into());
    assert_eq!(desk.backend.choices(), [wanted]);
}

#[test]
fn what_was_left_out_is_said_by_name() {
    let mut desk = Desk::new();
    desk.backend.tell_aside(Aside::LeftOut {
        count: 5,
        first: ["a", "b", "c", "d", "e"].map(str::to_owned).into(),
    });
    desk.shared_one();
    desk.until_seen("5 things were left out: a, b, c and more.");
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
    desk.failed_one();
    assert!(desk.sees("The last relay said so; it was tried 4 times. Try again later, or ask the server's operator."));
    desk.click("Retry report.pdf");
    desk.until_seen("Uploading");
    desk.backend.let_go(1);
    desk.until_seen("kept until");
}

#[test]
fn cancelling_is_at_once() {
    let mut desk = Desk::new();
    desk.drop_report();
    desk.until_seen("Uploading");
    desk.click("Cancel report.pdf");
    assert!(desk.sees("Cancelled"));
    desk.click("Remove report.pdf");
    assert!(desk.window.state().model().transfers.is_empty());
}

#[test]
fn a_pasted_pointer_is_described_downloaded_verified_and_opened() {
    let mut desk = Desk::new();
    desk.backend.show(vec![Stage::Download {
        received: 50,
        total: 100,
    }]);
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
    desk.until_seen("Downloading, 50%");
    desk.backend.let_go(1);
    desk.until_seen("Verified");
    assert!(desk.sees("report (1).pdf"));
    desk.click("Open report (1).pdf");
    desk.click("Show in folder report (1).pdf");
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
    desk.paste(cut_pointer());
    desk.until_seen("cut off");
    assert!(!desk.sees("Download"));
    assert_eq!(
        desk.window.state().model().receive.text.as_str(),
        cut_pointer()
    );
    desk.press(Key::Escape);
    desk.until(|desk| !desk.sees("cut off"));
}

#[test]
fn another_computers_built_in_network_cannot_be_downloaded_from() {
    let mut desk = Desk::new();
    desk.paste(FOREIGN);
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
        Desk::with(settings(), [760.0, 600.0], move |folder| {
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
    desk.until_seen("This is not a file server's address.");
    assert!(
        desk.backend.saves().is_empty(),
        "a bad address is never kept"
    );

    desk.window
        .get_by_role_and_label(Role::TextInput, "Add a server")
        .click();
    desk.window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    desk.window.step();
    desk.paste(&server("files.example:8440").address.to_string());
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

    desk.click("Test files.example:8440");
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
    assert_eq!(
        *desk.desktop.folder_asked_at.lock().expect("no panic"),
        Some(PathBuf::from("/home/ada/Downloads")),
        "the dialog opens where files go now"
    );
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
        Settings {
            welcomed: false,
            ..settings()
        },
        [760.0, 600.0],
        |_| Opening::default(),
    );
    desk.window.step();
    assert!(desk.sees("For now everything stays on this computer."));
    desk.drop_report();
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
    desk.drop_report();
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
        TransferState::Interrupted
    ));
}

#[test]
fn everything_on_share_is_reached_by_keyboard_alone() {
    let mut desk = Desk::new();
    *desk.desktop.files.lock().expect("no panic") = vec![desk.file("report.pdf")];
    desk.until(|desk| desk.focused().as_deref() == Some("Choose files"));
    let mut order = Vec::new();
    for _ in 0..6 {
        desk.press(Key::Tab);
        desk.window.step();
        order.extend(desk.focused());
    }
    assert_eq!(
        order,
        [
            "Choose a folder",
            "Options",
            "Share",
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

/// What is brought is taken by a window that is open; nothing starts by a pointer.
#[test]
fn what_a_second_start_brings_is_taken_and_the_window_comes_to_the_front() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let Ok(Start::First(first)) = instance::start(data.path(), &StartArguments::default()) else {
        panic!("there is no other window");
    };
    let opening = Opening {
        instance: Some(std::sync::Arc::new(first)),
        ..Opening::default()
    };
    let mut desk = Desk::with(settings(), [760.0, 600.0], |_| opening);
    desk.window.run_steps(2);
    let second = |brought: &StartArguments| {
        let second = instance::start(data.path(), brought);
        assert!(matches!(second, Ok(Start::HandedOver)));
    };
    second(&StartArguments {
        files: Vec::new(),
        pointer: Some(POINTER.to_owned().into()),
    });
    desk.until(|desk| {
        let root = &desk.window.output().viewport_output[&egui::ViewportId::ROOT];
        root.commands.contains(&egui::ViewportCommand::Focus)
    });
    desk.until_seen("from files.example");
    assert_eq!(desk.window.state().model().screen, Screen::Receive);
    assert!(desk.window.state().model().transfers.is_empty());
    let files = vec![desk.file("report.pdf")];
    second(&StartArguments {
        files,
        pointer: None,
    });
    desk.until_seen("Uploading");
}

/// A relay list can stand on a disk that does not answer.
#[test]
fn the_first_frame_waits_for_no_relay_list() {
    let list = |name: &str, relays| ShownRelayList {
        source: RelaySource::File(PathBuf::from("/mnt/far/relays.json")),
        name: name.to_owned(),
        relays,
    };
    let kept = Settings {
        servers: vec![server("files.example").through(list("", 0).source)],
        chosen: ServerChoice::Server(server("files.example").address),
        ..settings()
    };
    for good in [true, false] {
        let backend = desktop::FakeBackend::new(kept.clone());
        let (answer, waits) = std::sync::mpsc::channel();
        backend.read_list_from(waits);
        let builder = egui_kittest::Harness::builder();
        let mut desk = Desk::over(builder, backend, [760.0, 600.0], |_| Opening::default());
        desk.window.step();
        assert!(
            desk.sees("Drop files or folders anywhere"),
            "the first frame is drawn"
        );
        desk.click("Settings");
        assert!(
            desk.sees("/mnt/far/relays.json"),
            "where it is from is known"
        );
        if good {
            answer
                .send(Ok(list("Relays of three friends", 5)))
                .expect("read");
            desk.until_seen("Relays of three friends");
            assert!(desk.sees("5 relays"));
        } else {
            answer
                .send(Err(UserMessage::from(&AppError::RelayFile(
                    std::io::ErrorKind::NotFound.into(),
                ))))
                .expect("read");
            desk.until_seen("The relay list could not be read.");
            assert!(
                desk.window.state().model().settings.servers[0]
                    .relays
                    .is_some(),
                "what was chosen stays chosen"
            );
        }
    }
}

#[test]
fn without_drops_the_zone_does_not_promise_them() {
    let mut desk = Desk::with(settings(), [760.0, 600.0], |_| Opening {
        drops: false,
        ..Opening::default()
    });
    desk.window.step();
    assert!(desk.sees("Choose files or folders, or paste them"));
    assert!(!desk.sees("Drop"));
}

/// Files on the clipboard count in the pointer's field too, however they come; there is nothing else to do with them.
#[test]
fn files_pasted_into_the_pointers_field_are_shared() {
    let mut desk = Desk::new();
    desk.click("Receive");
    desk.until(|desk| desk.focused().as_deref() == Some("Pointer"));
    let file = desk.file("report.pdf");
    desk.paste(&format!("copy\nfile://{}\n", file.display()));
    desk.until_seen("Uploading");
    assert_eq!(desk.window.state().model().screen, Screen::Share);
    assert!(desk.window.state().model().receive.text.as_str().is_empty());

    desk.click("Receive");
    desk.until(|desk| desk.focused().as_deref() == Some("Pointer"));
    *desk.desktop.files.lock().expect("no panic") = vec![desk.file("more.pdf")];
    desk.window.event(Event::Key {
        key: Key::V,
        physical_key: None,
        pressed: false,
        repeat: false,
        modifiers: Modifiers::COMMAND,
    });
    desk.until(|desk| desk.window.state().model().transfers.len() == 2);
}

#[test]
fn a_text_field_of_settings_takes_no_files() {
    let mut desk = Desk::new();
    desk.click("Settings");
    desk.window
        .get_by_role_and_label(Role::TextInput, "Add a server")
        .click();
    desk.window.run_steps(2);
    desk.paste("/home/ada/report.pdf");
    desk.window.run_steps(3);
    assert_eq!(
        desk.window.state().model().settings_screen.address,
        "/home/ada/report.pdf"
    );
    assert!(desk.window.state().model().transfers.is_empty());
}

/// Systems bring the files of a drop one by one.
#[test]
fn the_files_of_one_drop_are_one_batch_over_several_frames() {
    let builder = egui_kittest::Harness::builder().with_step_dt(0.05);
    let mut desk = Desk::built(builder, settings(), [760.0, 600.0], |_| Opening::default());
    for name in ["photos", "films", "songs"] {
        let gone = desk.folder.path().join(name);
        desk.drop_files(&[gone]);
    }
    assert!(desk.window.state().model().notice.is_none());
    desk.until_seen("3 files could not be found");
}

#[test]
fn a_system_without_dialogs_says_what_to_install() {
    let mut desk = Desk::new();
    desk.desktop
        .no_dialogs
        .store(true, std::sync::atomic::Ordering::SeqCst);
    desk.click("Choose files");
    desk.until_seen("Install xdg-desktop-portal or Zenity");
    assert!(
        !desk.window.state().model().dialog_open,
        "whoever has read this can open a dialog"
    );
    desk.press(Key::Escape);
    desk.desktop
        .no_dialogs
        .store(false, std::sync::atomic::Ordering::SeqCst);
    *desk.desktop.files.lock().expect("no panic") = vec![desk.file("report.pdf")];
    desk.click("Choose files");
    desk.until_seen("Uploading");
}

/// Another program that owns the clipboard may not answer.
#[test]
fn a_clipboard_that_does_not_answer_holds_nothing_up() {
    let mut desk = Desk::new();
    desk.shared_one();
    let desktop = std::sync::Arc::clone(&desk.desktop);
    let held = desktop.copied.lock().expect("no panic");
    desk.click("Copy (works only on this computer) report.pdf");
    desk.click("Receive");
    desk.until(|desk| desk.focused().as_deref() == Some("Pointer"));
    assert!(desk.window.state().model().copied.is_none());
    drop(held);
    desk.until(|desk| desk.window.state().model().copied.is_some());
}

#[test]
fn a_window_at_rest_asks_for_no_frame() {
    for size in [[760.0, 600.0], [420.0, 420.0]] {
        let mut desk = Desk::with(settings(), size, |_| Opening::default());
        desk.click("Receive");
        desk.until(|desk| desk.focused().as_deref() == Some("Pointer"));
        let blink = |style: &mut egui::Style| style.visuals.text_cursor.blink = true;
        desk.window.ctx.all_styles_mut(blink);
        assert!(!comes_to_rest(&mut desk), "a caret that blinks is seen");
        // Puts the window's own style on, also over what the harness has changed.
        desk.act(SettingsAction::Zoom(1));
        desk.act(SettingsAction::Zoom(0));
        desk.act(WindowAction::Go(Screen::Share));
        at_rest(&mut desk, "share, empty");
        desk.click("Receive");
        desk.until(|desk| desk.focused().as_deref() == Some("Pointer"));
        at_rest(&mut desk, "receive, the field has the keyboard");
        desk.paste(cut_pointer());
        desk.until_seen("cut off");
        at_rest(&mut desk, "receive, no pointer");
        desk.paste(POINTER);
        desk.until_seen("from files.example");
        at_rest(&mut desk, "receive, a pointer");
        desk.act(ReceiveAction::Clear);
        desk.act(WindowAction::Go(Screen::Settings));
        at_rest(&mut desk, "settings");
        desk.act(WindowAction::Go(Screen::Gallery));
        at_rest(&mut desk, "gallery");

        desk.act(WindowAction::Go(Screen::Share));
        desk.backend.fail_next(no_answer());
        desk.drop_report();
        desk.until_seen("Uploading");
        at_rest(&mut desk, "a transfer that does not move");
        desk.backend.let_go(1);
        desk.until_seen("could not be reached");
        at_rest(&mut desk, "a failed row");
        desk.shared_one();
        at_rest(&mut desk, "a finished row");
        let id = desk.window.state().model().transfers[0].id;
        desk.act(Action::Row(id, RowAction::CopyPointer));
        desk.until(|desk| desk.window.state().model().copied == Some(id));
        at_rest(&mut desk, "copied");
        desk.act(Action::Row(id, RowAction::OpenMenu));
        at_rest(&mut desk, "the menu of a row");
        desk.act(ModalAction::Back);
        for modal in [
            Modal::About,
            Modal::Closing { running: 2 },
            Modal::Delete(id),
            Modal::Discard(id),
            Modal::OpenProgram(id),
            Modal::Qr(id),
            Modal::Shortcuts,
            Modal::WhoSawWhat { id, at: 0 },
            Modal::WipeHistory,
        ] {
            desk.act(ModalAction::Open(modal.clone()));
            at_rest(&mut desk, &format!("{modal:?}"));
            desk.act(ModalAction::Back);
        }
        let gone = desk.folder.path().join("gone");
        desk.drop_files(&[gone]);
        desk.until(|desk| desk.window.state().model().notice.is_some());
        at_rest(&mut desk, "a notice");
    }
}

/// Nothing but a person or a transfer makes the window draw itself again.
fn at_rest(desk: &mut Desk, place: &str) {
    assert!(
        comes_to_rest(desk),
        "{place}: {:?}",
        desk.window.ctx.repaint_causes()
    );
}

/// Within half a minute of the window's own clock.
fn comes_to_rest(desk: &mut Desk) -> bool {
    (0..120).any(|_| {
        desk.window.step();
        let root = &desk.window.output().viewport_output[&egui::ViewportId::ROOT];
        root.repaint_delay == Duration::MAX
    })
}

#[test]
fn nothing_is_wider_than_the_smallest_window() {
    let mut desk = Desk::with(settings(), [420.0, 420.0], |_| Opening::default());
    desk.shared_one();
    for screen in ["Share", "Receive", "Settings"] {
        desk.click(screen);
        desk.window.run();
        let window = egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(420.0, f32::INFINITY));
        for role in [
            Role::Button,
            Role::RadioButton,
            Role::Tab,
            Role::TextInput,
            Role::Label,
        ] {
            for node in desk.window.query_all_by_role(role) {
                // Scrolled out of view.
                if node.accesskit_node().bounding_box().is_none() {
                    continue;
                }
                let rect = node.rect();
                assert!(
                    rect.left() >= window.left() && rect.right() <= window.right(),
                    "{node:?} stands at {rect:?}"
                );
            }
        }
    }
}

#[test]
fn a_drop_that_comes_past_winit_hangs_over_the_window_and_is_shared() {
    let (tell, news) = std::sync::mpsc::channel();
    let mut desk = Desk::with(settings(), [760.0, 600.0], |_| Opening {
        drop_news: Some(Box::new(move || news.try_iter().collect())),
        ..Opening::default()
    });
    let list = UriList {
        files: vec![desk.file("report.pdf")],
        elsewhere: vec!["https://example.org/x".to_owned()],
    };
    tell.send(DropNews::Hovering(list.clone()))
        .expect("listens");
    desk.until(|desk| desk.window.state().model().hover.is_some());
    tell.send(DropNews::Left).expect("listens");
    desk.until(|desk| desk.window.state().model().hover.is_none());
    tell.send(DropNews::Dropped(list)).expect("listens");
    desk.until_seen("https://example.org/x is not a file on this computer");
    assert_eq!(desk.window.state().model().transfers.len(), 1);
    tell.send(DropNews::Lost).expect("listens");
    desk.until_seen("what was dropped is not a file on this computer");
}

#[test]
fn the_row_of_a_dropped_file_has_the_keyboard_and_says_what_becomes_of_it() {
    let mut desk = Desk::new();
    desk.shared_one();
    let said = |desk: &Desk| desk.focused().unwrap_or_default();
    desk.until(|desk| said(desk).starts_with("report.pdf, "));
    let before = desk.window.ctx.memory(|memory| memory.focused());
    desk.window.key_press(Key::Enter);
    desk.until(|desk| said(desk).contains("copied"));
    let after = desk.window.ctx.memory(|memory| memory.focused());
    assert_ne!(before, after, "a reader speaks a new item, not a new name");
}

#[test]
fn the_window_has_a_name_and_what_is_behind_a_sheet_is_not_found() {
    let mut desk = Desk::new();
    assert!(desk.window.root().accesskit_node().label().as_deref() == Some("Cloakroom"));
    let zone = |desk: &Desk| {
        let found = desk
            .window
            .get_by_role_and_label(Role::Button, "Choose files");
        found.accesskit_node().is_hidden()
            || std::iter::successors(found.accesskit_node().parent(), |node| node.parent())
                .any(|node| node.is_hidden())
    };
    assert!(!zone(&desk));
    let ctx = desk.window.ctx.clone();
    desk.window
        .state_mut()
        .take(&ctx, ModalAction::Open(Modal::Shortcuts));
    desk.window.step();
    desk.window.step();
    assert!(zone(&desk));
}

#[test]
fn a_pasted_picture_is_answered_in_words() {
    let mut desk = Desk::new();
    let picture = egui::ColorImage::filled([2, 2], egui::Color32::WHITE);
    let paste = Event::PasteImage(std::sync::Arc::new(picture));
    desk.window.input_mut().events.push(paste);
    desk.until_seen("The picture was not shared.");
}
