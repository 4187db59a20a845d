//! The rules of interaction, each a test: what a person may rely on in every screen.
//!
//! Rules whose test is elsewhere: files dropped at once queue two at a time, cancelling is at once, what failed can be
//! tried again, a pointer argument only fills Receive, closing asks first (`tasks.rs`); the bar never moves back,
//! nothing is copied before the server confirmed (`gui::model`); long names give way in the middle (`gui::kit`).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cloakroom::app::error::{AppError, ServerRefusal};
use cloakroom::app::received::content_type::{Content, Disagreement, Family, Findings};
use cloakroom::app::relays::RelaySource;
use cloakroom::app::settings::{Change, ServerChoice, Settings, Theme};
use cloakroom::app::transfer::stage::Stage;
use cloakroom::app::words::l10n::Language;
use cloakroom::app::words::message::UserMessage;
use cloakroom::gui::model::{
    Action, Count, FocusAction, Modal, ModalAction, ReceiveAction, Region, RelayAction, RowAction,
    Screen, ServerAction, SettingsAction, ShareAction, ShareOptions, SystemLook, TransferState,
    WindowAction,
};
use cloakroom::gui::window::Opening;
use egui::accesskit::{Live, Role};
use egui::{Event, Key, Modifiers, ViewportCommand};
use egui_kittest::kittest::{By, NodeT as _, Queryable as _};

use crate::window::desk::Desk;
use crate::window::desktop::{
    COUNTED, POINTER, RELAYLESS, cut_pointer, no_answer, server, settings, with_a_server,
};

fn screen(desk: &Desk) -> Screen {
    desk.window.state().model().screen
}

fn keys(desk: &mut Desk, modifiers: Modifiers, key: Key) {
    desk.window.key_press_modifiers(modifiers, key);
    desk.window.run_steps(3);
}

fn key(desk: &mut Desk, key: Key) {
    keys(desk, Modifiers::NONE, key);
}

/// What a screen reader says by itself.
fn announced(desk: &Desk) -> Option<String> {
    let live = |node: &egui_kittest::kittest::AccessKitNode<'_>| node.live() != Live::Off;
    let mut nodes = desk.window.query_all(By::new().predicate(live));
    nodes.next().and_then(|node| node.accesskit_node().label())
}

// Rule 1.

#[test]
fn a_pasted_pointer_goes_to_receive_with_the_keyboard_on_download() {
    let mut desk = Desk::new();
    desk.paste(POINTER);
    desk.until(|desk| desk.focused().as_deref() == Some("Download"));
    assert_eq!(screen(&desk), Screen::Receive);
}

#[test]
fn other_pasted_text_is_refused_in_words_and_changes_nothing() {
    let mut desk = Desk::new();
    desk.paste("milk, bread, eggs");
    desk.until_seen("The clipboard holds no pointer and no file.");
    assert_eq!(screen(&desk), Screen::Share);
}

// Rule 2.

#[test]
fn a_drop_while_something_is_only_looked_at_is_taken() {
    let mut desk = Desk::new();
    desk.act(ModalAction::Open(Modal::Shortcuts));
    assert!(desk.sees("Anywhere"));
    desk.drop_report();
    desk.until_seen("Uploading");
    assert!(!desk.sees("Anywhere"));
}

// Rule 3.

#[test]
fn copying_says_so_at_the_button_and_aloud_and_moves_nothing() {
    let mut desk = Desk::new();
    desk.shared_one();
    let word = "Copy (works only on this computer) report.pdf";
    let before = desk.window.get_by_label(word).rect();
    desk.click(word);
    desk.until_seen("Copied");
    let after = desk
        .window
        .get_by_role_and_label(Role::Button, "Copied report.pdf")
        .rect();
    assert_eq!(before, after);
    assert_eq!(announced(&desk).as_deref(), Some("Pointer copied"));
}

#[test]
fn ctrl_c_copies_the_pointer_of_the_row_with_the_keyboard() {
    let mut desk = Desk::new();
    desk.shared_one();
    let id = desk.window.state().model().transfers[0].id;
    desk.act(FocusAction::Region(Region::Rows));
    desk.window.event(Event::Copy);
    desk.until(|desk| desk.window.state().model().copied == Some(id));
}

// Rule 4.

#[test]
fn a_pointer_is_copied_by_itself_only_when_that_was_chosen() {
    for chosen in [false, true] {
        let kept = Settings {
            copy_when_done: chosen,
            ..settings()
        };
        let mut desk = Desk::with(kept, [760.0, 600.0], |_| Opening::default());
        desk.shared_one();
        let copied = |desk: &Desk| desk.desktop.copied.lock().expect("no panic").len();
        if !chosen {
            // What is chosen by hand is copied after whatever was asked for before it.
            assert_eq!(desk.window.state().model().copied, None);
            let id = desk.window.state().model().transfers[0].id;
            desk.act(Action::Row(id, RowAction::CopyPointer));
        }
        desk.until(|desk| copied(desk) > 0);
        desk.window.run_steps(3);
        assert_eq!(copied(&desk), 1);
    }
}

#[test]
fn a_transfer_that_ends_behind_other_windows_draws_attention() {
    for (in_front, told) in [(true, true), (false, true), (false, false)] {
        let kept = Settings {
            notify: told,
            ..settings()
        };
        let mut desk = Desk::with(kept, [760.0, 600.0], |_| Opening::default());
        let root = egui::ViewportId::ROOT;
        let viewport = desk.window.input_mut().viewports.entry(root).or_default();
        viewport.focused = Some(in_front);
        desk.drop_report();
        desk.until_seen("Uploading");
        let drawn = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&drawn);
        desk.backend.let_go(1);
        desk.until(move |desk| {
            let commands = &desk.window.output().viewport_output[&root].commands;
            let attention = |command: &&ViewportCommand| {
                matches!(command, ViewportCommand::RequestUserAttention(_))
            };
            count.fetch_add(commands.iter().filter(attention).count(), Ordering::SeqCst);
            desk.sees("kept until")
        });
        let expected = usize::from(!in_front && told);
        assert_eq!(drawn.load(Ordering::SeqCst), expected);
        let notified = desk.desktop.notified.lock().expect("no panic").len();
        if expected == 0 {
            assert_eq!(notified, 0);
        }
    }
}

// Rule 5.

#[test]
fn the_keyboard_alone_works_the_list() {
    let mut desk = Desk::new();
    let files = ["a.txt", "b.txt"].map(|name| desk.file(name));
    desk.drop_files(&files);
    desk.until_seen("Uploading");
    desk.backend.let_go(2);
    desk.until(|desk| desk.window.state().model().unfinished() == 0);
    // What was dropped has the keyboard.
    desk.until(|desk| {
        row(desk).is_some_and(|row| row.starts_with("b.txt") || row.starts_with("a.txt"))
    });
    let first = row(&desk).expect("a row");
    key(&mut desk, Key::ArrowDown);
    let second = row(&desk).expect("a row");
    assert_ne!(first, second);
    key(&mut desk, Key::ArrowDown);
    assert_eq!(row(&desk), Some(second.clone()), "the last row stays");
    key(&mut desk, Key::ArrowUp);
    assert_eq!(row(&desk), Some(first));
    key(&mut desk, Key::Enter);
    desk.until_seen("Copied");
    key(&mut desk, Key::Delete);
    assert_eq!(desk.window.state().model().transfers.len(), 1);
    assert_eq!(
        row(&desk),
        Some(second),
        "the next row takes the keyboard over"
    );
    key(&mut desk, Key::Delete);
    assert_eq!(desk.focused().as_deref(), Some("Choose files"));
}

/// Name of the row with the keyboard.
fn row(desk: &Desk) -> Option<String> {
    let rows = By::new().predicate(|node| node.is_focused() && node.role() == Role::ListItem);
    let mut rows = desk.window.query_all(rows);
    rows.next().and_then(|node| node.accesskit_node().label())
}

#[test]
fn the_menu_of_a_row_opens_by_the_menu_key_and_by_the_right_button() {
    let mut desk = Desk::new();
    desk.shared_one();
    desk.act(FocusAction::Region(Region::Rows));
    key(&mut desk, Key::Menu);
    desk.until(|desk| desk.window.state().model().menu.is_some());
    key(&mut desk, Key::Escape);
    desk.until(|desk| desk.window.state().model().menu.is_none());
    desk.window.get_by_label("report.pdf").click_secondary();
    desk.until(|desk| desk.window.state().model().menu.is_some());
}

#[test]
fn delete_cancels_a_running_row_and_then_removes_it() {
    let mut desk = Desk::new();
    desk.drop_report();
    desk.until_seen("Uploading");
    desk.act(FocusAction::Region(Region::Rows));
    key(&mut desk, Key::Delete);
    desk.until_seen("Cancelled");
    assert_eq!(desk.window.state().model().transfers.len(), 1);
    key(&mut desk, Key::Delete);
    assert!(desk.window.state().model().transfers.is_empty());
}

#[test]
fn the_menu_of_a_row_opens_and_closes_by_keyboard_and_gives_it_back() {
    let mut desk = Desk::new();
    desk.shared_one();
    desk.act(FocusAction::Region(Region::Rows));
    keys(&mut desk, Modifiers::SHIFT, Key::F10);
    desk.until(|desk| desk.focused().as_deref() == Some("Copy pointer"));
    key(&mut desk, Key::ArrowDown);
    desk.until(|desk| desk.focused().as_deref() == Some("QR code"));
    key(&mut desk, Key::Escape);
    desk.until(|desk| desk.window.state().model().menu.is_none());
    desk.until(|desk| row(desk).is_some());
    for _ in 0..6 {
        key(&mut desk, Key::Tab);
        if desk.focused().as_deref() == Some("More about report.pdf") {
            break;
        }
    }
    key(&mut desk, Key::Enter);
    desk.until(|desk| desk.focused().as_deref() == Some("Copy pointer"));
    key(&mut desk, Key::ArrowDown);
    key(&mut desk, Key::Enter);
    desk.until_seen("The whole pointer, in capitals.");
    key(&mut desk, Key::Escape);
    desk.until(|desk| desk.window.state().model().modal.is_none());
    desk.until(|desk| desk.focused().as_deref() == Some("More about report.pdf"));
}

#[test]
fn escape_takes_the_outermost_away_and_never_the_keyboard() {
    let mut desk = Desk::new();
    key(&mut desk, Key::Tab);
    key(&mut desk, Key::F1);
    assert!(desk.sees("Keyboard shortcuts"));
    desk.until(|desk| desk.focused().is_some());
    key(&mut desk, Key::Escape);
    assert!(!desk.sees("Keyboard shortcuts"));
    desk.until(|desk| desk.focused().is_some());
    for _ in 0..3 {
        key(&mut desk, Key::Escape);
        desk.until(|desk| desk.focused().is_some());
    }
}

#[test]
fn the_keyboard_is_never_nowhere_when_what_had_it_goes() {
    let mut desk = Desk::new();
    desk.failed_one();
    desk.act(FocusAction::Region(Region::Rows));
    for _ in 0..8 {
        key(&mut desk, Key::Tab);
        if desk.focused().as_deref() == Some("Remove report.pdf") {
            break;
        }
    }
    key(&mut desk, Key::Enter);
    desk.until(|desk| desk.window.state().model().transfers.is_empty());
    desk.until(|desk| desk.focused().is_some());
}

#[test]
fn f6_goes_round_the_regions() {
    let mut desk = Desk::new();
    desk.shared_one();
    let mut seen = Vec::new();
    for _ in 0..3 {
        key(&mut desk, Key::F6);
        seen.extend(desk.focused());
    }
    assert_eq!(seen.len(), 3, "{seen:?}");
    // The row that was dropped has the keyboard at first.
    assert_eq!(seen[0], "Share");
    assert_eq!(seen[1], "Choose files");
    assert!(seen[2].starts_with("report.pdf"));
}

#[test]
fn a_relay_list_dropped_on_share_is_asked_about() {
    let mut desk = Desk::with(with_a_server(), [760.0, 600.0], |_| Opening::default());
    let list = desk.relay_list();
    desk.drop_files(std::slice::from_ref(&list));
    desk.until_seen("relays.json is a relay list.");
    assert!(desk.window.state().model().transfers.is_empty());
    desk.until(|desk| desk.focused().as_deref() == Some("Use this relay list"));
    key(&mut desk, Key::Enter);
    desk.until(|desk| {
        let settings = &desk.window.state().model().settings;
        matches!(settings.servers[0].relays, Some(RelaySource::File(_)))
    });
    desk.until_seen("Relays of three friends is in use.");
    desk.drop_files(&[list]);
    desk.until_seen("Share it as a file");
    desk.click("Share it as a file");
    desk.until_seen("Uploading");
}

#[test]
fn a_file_with_a_pointer_is_received_or_shared_as_the_person_says() {
    let mut desk = Desk::new();
    let path = desk.folder.path().join("report.cloakroom");
    std::fs::write(&path, POINTER).expect("it can be written");
    desk.drop_files(std::slice::from_ref(&path));
    desk.until(|desk| desk.focused().as_deref() == Some("Receive this file"));
    key(&mut desk, Key::Escape);
    assert!(!desk.sees("Receive this file"));
    assert!(desk.window.state().model().transfers.is_empty());
    desk.until(|desk| desk.focused().as_deref() == Some("Choose files"));
    desk.drop_files(std::slice::from_ref(&path));
    desk.until_seen("Receive this file");
    desk.click("Receive this file");
    desk.until(|desk| desk.focused().as_deref() == Some("Download"));
    assert_eq!(screen(&desk), Screen::Receive);
    // There it is used at once.
    desk.act(ReceiveAction::Clear);
    desk.drop_files(&[path]);
    desk.until(|desk| desk.focused().as_deref() == Some("Download"));
}

#[test]
fn the_screens_are_tabs_and_say_which_is_open() {
    let mut desk = Desk::new();
    let open = |desk: &Desk, name: &str| {
        let tab = desk.window.get_by_role_and_label(Role::Tab, name);
        let above = tab.accesskit_node().parent();
        assert_eq!(above.map(|above| above.role()), Some(Role::TabList));
        tab.accesskit_node().is_selected()
    };
    assert_eq!(open(&desk, "Share"), Some(true));
    assert_eq!(open(&desk, "Receive"), Some(false));
    desk.act(WindowAction::Go(Screen::Receive));
    assert_eq!(open(&desk, "Share"), Some(false));
    assert_eq!(open(&desk, "Receive"), Some(true));
}

#[test]
fn who_saw_what_is_a_list_with_a_sentence_for_each_party() {
    for size in [[760.0, 600.0], [420.0, 420.0]] {
        let mut desk = Desk::with(settings(), size, |_| Opening::default());
        desk.shared_one();
        let id = desk.window.state().model().transfers[0].id;
        desk.act(ModalAction::Open(Modal::WhoSawWhat { id, at: 2 }));
        let items = desk.window.query_all_by_role(Role::ListItem);
        let said: Vec<String> = items
            .filter(|item| {
                let mut above = item.accesskit_node().parent();
                while let Some(node) = above {
                    if node.role() == Role::List {
                        return node.label().as_deref() == Some("Who saw what");
                    }
                    above = node.parent();
                }
                false
            })
            .filter_map(|item| item.accesskit_node().label())
            .collect();
        assert_eq!(said.len(), 4, "{said:?}");
        assert!(said[0].starts_with("First relay, "), "{said:?}");
        assert!(said[0].contains("Saw: "), "{said:?}");
        assert!(said[0].contains("Did not see: "), "{said:?}");
        assert!(!said[0].contains('\u{202f}'), "{said:?}");
    }
}

#[test]
fn the_way_out_that_has_the_keyboard_says_what_the_pointer_is() {
    let mut desk = Desk::new();
    desk.paste(RELAYLESS);
    let way_out = "Use the sender's list";
    desk.until(|desk| desk.focused().as_deref() == Some(way_out));
    let button = desk.window.get_by_role_and_label(Role::Button, way_out);
    let said = button.accesskit_node().description().unwrap_or_default();
    assert!(said.starts_with("report.pdf, 4.2 MB"), "{said}");
}

#[test]
fn download_stands_clear_of_the_fade_at_the_foot() {
    for pointer in [POINTER, COUNTED] {
        let mut desk = Desk::with(settings(), [420.0, 420.0], |_| Opening::default());
        desk.paste(pointer);
        desk.until(|desk| desk.focused().as_deref() == Some("Download"));
        desk.window.run_steps(4);
        let at = focused_place(&desk).expect("it has the keyboard");
        assert!(at.bottom() <= 400.0, "{at:?}");
    }
}

/// Of what has the keyboard.
fn focused_place(desk: &Desk) -> Option<egui::Rect> {
    let focused = By::new().predicate(|node| node.is_focused());
    let mut nodes = desk.window.query_all(focused);
    nodes.next().map(|node| node.rect())
}

#[test]
fn a_row_that_grows_under_the_keyboard_stays_in_view() {
    let mut desk = Desk::with(settings(), [420.0, 420.0], |_| Opening::default());
    let refused = ServerRefusal::AccessWord { given: false };
    desk.backend.fail_next(AppError::Server(refused));
    desk.drop_report();
    desk.until_seen("Uploading");
    desk.window.run_steps(3);
    desk.backend.let_go(1);
    desk.until_seen("was not stored");
    desk.window.run_steps(3);
    let row = focused_place(&desk).expect("the row that was dropped");
    let view = egui::Rect::from_min_max(egui::pos2(0.0, 56.0), egui::pos2(420.0, 420.0));
    assert!(row.height() > 150.0, "it has grown: {row:?}");
    assert!(view.expand(1.0).contains_rect(row), "{row:?}");
}

#[test]
fn what_tab_comes_to_is_in_view() {
    for (size, backwards) in [
        ([760.0, 600.0], false),
        ([420.0, 420.0], false),
        ([420.0, 420.0], true),
    ] {
        let mut desk = Desk::with(settings(), size, |_| Opening::default());
        let view = egui::Rect::from_min_max(egui::pos2(0.0, 0.0), egui::pos2(size[0], size[1]));
        let places = [
            Action::from(WindowAction::Go(Screen::Settings)),
            Action::from(ModalAction::Open(Modal::Shortcuts)),
            Action::from(ModalAction::Open(Modal::About)),
        ];
        for place in places {
            desk.act(place);
            let mut seen = std::collections::BTreeSet::new();
            for _ in 0..40 {
                let modifiers = if backwards {
                    Modifiers::SHIFT
                } else {
                    Modifiers::NONE
                };
                keys(&mut desk, modifiers, Key::Tab);
                desk.window.run_steps(8);
                let Some(at) = focused_place(&desk) else {
                    continue;
                };
                let name = desk.focused();
                assert!(
                    view.contains_rect(at),
                    "{name:?} stands at {at:?} in a window of {size:?}"
                );
                seen.extend(name);
            }
            assert!(!seen.is_empty());
        }
    }
}

#[test]
fn the_keyboard_goes_as_the_eye_does() {
    // Nothing is scrolled, so that places can be compared.
    let mut desk = Desk::with(settings(), [760.0, 3_200.0], |_| Opening::default());
    desk.drop_report();
    desk.until_seen("Uploading");
    desk.paste(POINTER);
    desk.until_seen("from files.example");
    let mut lines = 0;
    for screen in [Screen::Share, Screen::Receive, Screen::Settings] {
        desk.act(WindowAction::Go(screen));
        desk.act(FocusAction::Region(Region::Bar));
        let mut before: Option<egui::Rect> = None;
        let mut first = true;
        for _ in 0..30 {
            let at = focused_place(&desk);
            if let (Some(before), Some(at)) = (before, at)
                && (before.center().y - at.center().y).abs() < 4.0
                && at.height() < 45.0
                && !first
            {
                lines += 1;
                assert!(
                    at.left() >= before.right() - 0.5,
                    "{:?} comes after what stands at {before:?}",
                    desk.focused()
                );
            }
            first = false;
            before = at;
            key(&mut desk, Key::Tab);
            desk.window.run_steps(8);
            if focused_place(&desk).is_some_and(|at| {
                at.top() < 56.0 && before.is_some_and(|before| before.top() > 56.0)
            }) {
                break;
            }
        }
    }
    assert!(lines > 5, "{lines}");
}

#[test]
fn going_to_share_puts_the_keyboard_on_the_zone() {
    let mut desk = Desk::new();
    keys(&mut desk, Modifiers::COMMAND, Key::Comma);
    keys(&mut desk, Modifiers::COMMAND, Key::N);
    desk.until(|desk| desk.focused().as_deref() == Some("Choose files"));
}

#[test]
fn the_card_of_the_first_start_has_the_keyboard_on_its_button() {
    let kept = Settings {
        welcomed: false,
        ..settings()
    };
    let mut desk = Desk::with(kept, [420.0, 420.0], |_| Opening::default());
    key(&mut desk, Key::F1);
    key(&mut desk, Key::Escape);
    desk.until(|desk| desk.focused().as_deref() == Some("Start"));
    key(&mut desk, Key::Enter);
    desk.until(|desk| desk.focused().as_deref() == Some("Choose files"));
}

// Rule 6.

#[test]
fn every_shortcut_does_what_the_sheet_says() {
    let mut desk = Desk::new();
    let command = Modifiers::COMMAND;
    for (key, screen_after) in [
        (Key::Num2, Screen::Receive),
        (Key::Num1, Screen::Share),
        (Key::Comma, Screen::Settings),
        (Key::N, Screen::Share),
    ] {
        keys(&mut desk, command, key);
        assert_eq!(screen(&desk), screen_after, "{key:?}");
    }
    keys(&mut desk, Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::V);
    assert_eq!(screen(&desk), Screen::Receive);
    // The clipboard was empty, and that is told: it is the outermost.
    desk.until(|desk| desk.window.state().model().notice.is_some());
    key(&mut desk, Key::Escape);
    assert!(desk.window.state().model().notice.is_none());
    assert_eq!(screen(&desk), Screen::Receive);
    keys(
        &mut desk,
        Modifiers::COMMAND.plus(Modifiers::SHIFT),
        Key::F12,
    );
    assert!(desk.sees("every widget in every state"));
    assert_eq!(screen(&desk), Screen::Gallery);
    key(&mut desk, Key::Escape);
    assert_eq!(screen(&desk), Screen::Share);
    key(&mut desk, Key::F1);
    for line in [
        "Choose files",
        "Paste a pointer or files",
        "Ctrl+O",
        "Shift+F10",
    ] {
        assert!(desk.sees(line), "{line}");
    }
}

#[test]
fn a_question_mark_shows_the_keys_but_not_while_typing() {
    let mut desk = Desk::new();
    desk.act(WindowAction::Go(Screen::Receive));
    desk.until(|desk| desk.focused().as_deref() == Some("Pointer"));
    keys(&mut desk, Modifiers::SHIFT, Key::Questionmark);
    assert!(desk.window.state().model().modal.is_none());
    desk.act(FocusAction::Region(Region::Bar));
    keys(&mut desk, Modifiers::SHIFT, Key::Questionmark);
    assert_eq!(desk.window.state().model().modal, Some(Modal::Shortcuts));
}

#[test]
fn ctrl_w_and_ctrl_q_close_the_window_and_ask_first_when_something_runs() {
    for key in [Key::W, Key::Q] {
        let mut desk = Desk::new();
        desk.window.run_steps(2);
        desk.window.event(Event::Key {
            key,
            physical_key: None,
            pressed: true,
            repeat: false,
            modifiers: Modifiers::COMMAND,
        });
        desk.until(|desk| {
            let root = &desk.window.output().viewport_output[&egui::ViewportId::ROOT];
            root.commands.contains(&ViewportCommand::Close)
        });

        let mut desk = Desk::new();
        desk.drop_report();
        desk.until_seen("Uploading");
        keys(&mut desk, Modifiers::COMMAND, key);
        let modal = &desk.window.state().model().modal;
        assert_eq!(*modal, Some(Modal::Closing { running: 1 }), "{key:?}");
    }
}

#[test]
fn f5_tries_again_what_failed() {
    let mut desk = Desk::new();
    desk.failed_one();
    key(&mut desk, Key::F5);
    desk.until_seen("Uploading");
}

#[test]
fn ctrl_plus_and_minus_change_the_size_and_it_is_kept() {
    let mut desk = Desk::new();
    keys(&mut desk, Modifiers::COMMAND, Key::Plus);
    desk.until(|desk| {
        desk.backend
            .saves()
            .last()
            .is_some_and(|kept| kept.zoom == 110)
    });
    assert!((desk.window.ctx.zoom_factor() - 1.1).abs() < 1e-3);
    keys(&mut desk, Modifiers::COMMAND, Key::Minus);
    keys(&mut desk, Modifiers::COMMAND, Key::Minus);
    desk.until(|desk| {
        desk.backend
            .saves()
            .last()
            .is_some_and(|kept| kept.zoom == 90)
    });
    keys(&mut desk, Modifiers::COMMAND, Key::Num0);
    desk.until(|desk| {
        desk.backend
            .saves()
            .last()
            .is_some_and(|kept| kept.zoom == 100)
    });
}

#[test]
fn enter_in_the_pointers_field_downloads_and_with_shift_is_a_new_line() {
    let mut desk = Desk::new();
    desk.act(WindowAction::Go(Screen::Receive));
    desk.until(|desk| desk.focused().as_deref() == Some("Pointer"));
    let text = |desk: &Desk| desk.window.state().model().receive.text.as_str().to_owned();

    keys(&mut desk, Modifiers::SHIFT, Key::Enter);
    assert_eq!(text(&desk), "\n");
    assert!(
        desk.sees("Text around it does no harm."),
        "a blank line is nothing"
    );
    key(&mut desk, Key::Enter);
    assert_eq!(text(&desk), "\n", "there is nothing to download");
    assert_eq!(desk.focused().as_deref(), Some("Pointer"));

    desk.paste(POINTER);
    desk.until_seen("from files.example");
    // A reader says what the pointer is there, and spells none of it.
    assert_eq!(desk.focused().as_deref(), Some("Download"));
    key(&mut desk, Key::Enter);
    desk.until(|desk| !desk.window.state().model().transfers.is_empty());
    assert_eq!(desk.window.state().model().transfers.len(), 1);
    assert!(text(&desk).is_empty());
}

#[test]
fn the_first_thing_to_do_has_the_keyboard_from_the_start() {
    for (welcomed, first) in [(true, "Choose files"), (false, "Start")] {
        let kept = Settings {
            welcomed,
            ..settings()
        };
        let mut desk = Desk::with(kept, [760.0, 600.0], |_| Opening::default());
        desk.until(|desk| desk.focused().as_deref() == Some(first));
    }
}

#[test]
fn what_a_menu_did_gives_the_keyboard_back_to_its_button() {
    let mut desk = Desk::new();
    desk.shared_one();
    for entry in ["Show original", "Copy pointer"] {
        desk.click("More about report.pdf");
        desk.until_seen(entry);
        desk.window
            .get_by_role_and_label(Role::MenuItem, entry)
            .click();
        desk.until(|desk| desk.window.state().model().menu.is_none());
        desk.until(|desk| desk.focused().as_deref() == Some("More about report.pdf"));
    }
    // The system's program is asked on a thread of its own.
    desk.until(|desk| desk.desktop.revealed.lock().expect("no panic").len() == 1);
}

#[test]
fn what_the_keyboard_jumps_to_is_in_view_at_once() {
    let builder = egui_kittest::Harness::builder().with_step_dt(0.01);
    let mut desk = Desk::built(builder, settings(), [420.0, 420.0], |_| Opening::default());
    // Puts the window's own style on, whose motion the harness has taken away.
    desk.act(SettingsAction::Zoom(1));
    desk.act(SettingsAction::Zoom(0));
    let files = ["a.txt", "b.txt", "c.txt", "d.txt", "e.txt"].map(|name| desk.file(name));
    desk.drop_files(&files);
    desk.until(|desk| desk.window.state().model().transfers.len() == 5);
    desk.backend.let_go(5);
    desk.until(|desk| desk.window.state().model().unfinished() == 0);
    desk.act(FocusAction::Region(Region::Rows));
    let view = egui::Rect::from_min_max(egui::pos2(0.0, 56.0), egui::pos2(420.0, 420.0));
    for _ in 0..4 {
        key(&mut desk, Key::ArrowDown);
        let at = focused_place(&desk).expect("a row");
        assert!(view.expand(1.0).contains_rect(at), "{at:?}");
    }
}

#[test]
fn a_number_at_its_end_keeps_the_keyboard() {
    let mut desk = Desk::new();
    desk.act(ShareAction::ShowOptions(true));
    let options = ShareOptions {
        count: Count::Limit(2),
        ..ShareOptions::default()
    };
    desk.act(ShareAction::SetOptions(options));
    desk.bring(By::new().role(Role::SpinButton));
    let number = desk.window.get_by_role(Role::SpinButton);
    number.focus();
    let name = number.accesskit_node().label();
    desk.window.run_steps(2);
    // Twice, though there is nothing below one.
    for _ in 0..2 {
        key(&mut desk, Key::ArrowDown);
        let model = desk.window.state().model();
        assert_eq!(model.share_options.count, Count::Limit(1));
        desk.window.run_steps(4);
        assert_eq!(desk.focused(), name);
    }
    let less = desk.window.get_by_label("Fewer downloads");
    assert!(less.accesskit_node().is_disabled());
}

#[test]
fn from_the_zone_the_arrow_down_goes_to_the_first_transfer() {
    let mut desk = Desk::new();
    desk.shared_one();
    desk.act(FocusAction::Region(Region::Main));
    desk.until(|desk| desk.focused().as_deref() == Some("Choose files"));
    key(&mut desk, Key::ArrowDown);
    desk.until(|desk| {
        let focused = desk.focused();
        focused.is_some_and(|name| name.starts_with("report.pdf"))
    });
}

#[test]
fn what_each_party_saw_is_heard_under_its_name() {
    let mut desk = Desk::new();
    desk.shared_one();
    let id = desk.window.state().model().transfers[0].id;
    desk.act(ModalAction::Open(Modal::WhoSawWhat { id, at: 0 }));
    let items = names(&desk, Role::ListItem);
    for party in ["First relay", "Middle relay", "Last relay", "File server"] {
        let says = |name: &String| name.starts_with(&format!("{party}, "));
        assert!(items.iter().any(says), "{items:?}");
    }
}

#[test]
fn what_was_said_of_one_screen_does_not_follow_to_another() {
    let mut desk = Desk::new();
    let gone = desk.folder.path().join("gone");
    desk.drop_files(&[gone]);
    desk.until(|desk| desk.window.state().model().notice.is_some());
    desk.act(WindowAction::Go(Screen::Share));
    assert!(desk.window.state().model().notice.is_some());
    desk.act(WindowAction::Go(Screen::Receive));
    assert_eq!(desk.window.state().model().notice, None);
}

#[test]
fn a_long_list_can_be_narrowed_down_only_when_there_are_two_kinds() {
    let mut desk = Desk::new();
    for _ in 0..6 {
        desk.shared_one();
    }
    assert!(desk.window.query_by_label("Received").is_none());
    desk.receive_one();
    desk.until_seen("Verified");
    assert!(desk.window.query_by_label("Received").is_some());
}

// What a screen reader finds.

/// Fetches the file of a pointer, as far as that goes by itself.
/// Names of all that have this role.
fn names(desk: &Desk, role: Role) -> Vec<String> {
    let nodes = desk.window.query_all_by_role(role);
    let names = nodes.filter_map(|node| node.accesskit_node().label());
    names.collect()
}

/// A shared and a received file.
fn one_each() -> Desk {
    let mut desk = Desk::new();
    desk.shared_one();
    desk.receive_one();
    desk.until_seen("Verified");
    desk
}

#[test]
fn rows_are_listed_under_a_heading_each_screens_own_first() {
    let mut desk = one_each();
    let lists = ["What you received", "What you shared"];
    assert_eq!(names(&desk, Role::List), lists);
    assert_eq!(
        names(&desk, Role::Heading),
        ["Paste the pointer you were given", lists[0], lists[1]]
    );
    let list = desk.window.get_by_role_and_label(Role::List, lists[0]);
    let rows: Vec<_> = list.query_all_by_role(Role::ListItem).collect();
    assert_eq!(rows.len(), 1);
    let name = rows[0].accesskit_node().label().unwrap_or_default();
    assert!(name.starts_with("report (1).pdf"), "{name}");
    desk.act(WindowAction::Go(Screen::Share));
    assert_eq!(names(&desk, Role::List), [lists[1], lists[0]]);
}

#[test]
fn no_two_buttons_have_one_name() {
    let mut desk = one_each();
    desk.backend.fail_next(no_answer());
    let files = ["a.txt", "b.txt"].map(|name| desk.file(name));
    desk.drop_files(&files);
    desk.backend.let_go(1);
    desk.until_seen("The file server could not be reached.");
    desk.backend.let_go(1);
    desk.until(|desk| desk.window.state().model().unfinished() == 0);
    desk.act(WindowAction::Go(Screen::Receive));
    desk.paste(POINTER);
    desk.until_seen("from files.example");
    desk.act(ReceiveAction::Download);
    desk.backend.let_go(1);
    desk.until(|desk| desk.window.state().model().unfinished() == 0);
    // The second received file has the name of the first; what leads to Settings is the same wherever it stands.
    let mut names = names(&desk, Role::Button);
    names.retain(|name| !name.contains("report (1).pdf") && name != "Choose a server");
    names.sort();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all, "{names:#?}");
    assert!(
        names
            .iter()
            .any(|name| name == "Retry a.txt" || name == "Retry b.txt")
    );
}

#[test]
fn what_opens_something_says_whether_it_is_open() {
    let mut desk = Desk::new();
    desk.shared_one();
    let expanded = |desk: &Desk, label: &str| {
        let node = desk.window.get_by_role_and_label(Role::Button, label);
        node.accesskit_node().data().is_expanded()
    };
    assert_eq!(expanded(&desk, "Options"), Some(false));
    desk.act(ShareAction::ShowOptions(true));
    assert_eq!(expanded(&desk, "Hide options"), Some(true));
    let more = "More about report.pdf";
    assert_eq!(expanded(&desk, more), Some(false));
    let node = desk.window.get_by_role_and_label(Role::Button, more);
    let popup = node.accesskit_node().data().has_popup();
    assert_eq!(popup, Some(egui::accesskit::HasPopup::Menu));
    let id = desk.window.state().model().transfers[0].id;
    desk.act(Action::Row(id, RowAction::OpenMenu));
    assert_eq!(expanded(&desk, more), Some(true));
}

#[test]
fn a_field_whose_content_cannot_be_used_says_so() {
    let mut desk = Desk::new();
    let invalid = |desk: &Desk| {
        let field = desk
            .window
            .get_by_role_and_label(Role::MultilineTextInput, "Pointer");
        field.accesskit_node().data().invalid().is_some()
    };
    desk.paste(POINTER);
    desk.until_seen("from files.example");
    assert!(!invalid(&desk));
    desk.paste(cut_pointer());
    desk.until_seen("cut off");
    assert!(invalid(&desk));
}

#[test]
fn what_begins_and_what_is_stopped_is_said_aloud_in_its_own_words() {
    let mut desk = Desk::new();
    desk.drop_report();
    desk.until(|desk| announced(desk).as_deref() == Some("Sharing report.pdf"));
    desk.until_seen("Uploading");
    desk.click("Cancel report.pdf");
    let words = "report.pdf was cancelled";
    desk.until(|desk| announced(desk).as_deref() == Some(words));
    let live = |node: &egui_kittest::kittest::AccessKitNode<'_>| node.live() != Live::Off;
    let node = desk.window.get(By::new().predicate(live));
    assert_eq!(node.value().as_deref(), Some(words));
}

// What is shown.

#[test]
fn what_is_dropped_on_receive_is_seen_on_share() {
    let mut desk = Desk::new();
    desk.act(WindowAction::Go(Screen::Receive));
    desk.drop_report();
    desk.until_seen("Uploading");
    assert_eq!(screen(&desk), Screen::Share);
}

#[test]
fn what_failed_is_said_in_the_language_that_is_spoken_now() {
    let mut desk = Desk::new();
    desk.backend
        .fail_next(AppError::Server(ServerRefusal::Full));
    desk.drop_report();
    desk.backend.let_go(1);
    let english = UserMessage::from(&AppError::Server(ServerRefusal::Full)).what;
    desk.until_seen(&english);
    desk.act(Change::Language(Some(Language::German)));
    let german = UserMessage::from(&AppError::Server(ServerRefusal::Full)).what;
    assert_ne!(english, german);
    assert!(desk.sees(&german) && !desk.sees(&english));
}

#[test]
fn a_file_that_is_not_what_its_name_says_is_shown_before_it_is_opened() {
    let mut desk = Desk::new();
    *desk.desktop.findings.lock().expect("no panic") = Findings {
        disagreement: Some(Disagreement {
            name_says: Family::Document,
            content_is: Content::WindowsProgram,
        }),
        could_run: true,
    };
    desk.receive_one();
    desk.until_seen("Misleading name");
    assert!(!desk.sees("Verified"));
    let left = |desk: &Desk, name: &str| desk.window.get_by_label(name).rect().left();
    let show = left(&desk, "Show in folder report (1).pdf");
    assert!(show < left(&desk, "Open report (1).pdf"));
}

#[test]
fn nothing_is_below_the_bar_that_offers_undo() {
    for size in [[760.0, 600.0], [420.0, 420.0]] {
        let mut desk = Desk::with(settings(), size, |_| Opening::default());
        let files = ["a.txt", "b.txt", "c.txt", "d.txt"].map(|name| desk.file(name));
        desk.drop_files(&files);
        desk.backend.let_go(4);
        desk.until(|desk| desk.window.state().model().transfers.len() == 4);
        desk.until(|desk| desk.window.state().model().unfinished() == 0);
        let first = desk.window.state().model().transfers[0].id;
        desk.act(Action::Row(first, RowAction::Remove));
        desk.window.run_steps(3);
        assert!(desk.sees("Ctrl+Z") || size[0] < 500.0);
        // The last row is brought as far up as it goes.
        let last = By::new().label_contains("Copy (works only on this computer)");
        desk.bring(last);
        desk.window
            .hover_at(egui::pos2(size[0] / 2.0, size[1] / 2.0));
        for _ in 0..10 {
            desk.window.event(Event::MouseWheel {
                unit: egui::MouseWheelUnit::Page,
                delta: egui::vec2(0.0, -1.0),
                phase: egui::TouchPhase::Move,
                source: egui::MouseWheelSource::Wheel,
                modifiers: Modifiers::NONE,
            });
            desk.window.run_steps(3);
        }
        let last = By::new().label_contains("Copy (works only on this computer)");
        let last = desk.window.query_all(last).last().expect("a row").rect();
        let undo = desk.window.get_by_label("Undo").rect();
        assert!(last.bottom() < undo.top(), "{last:?} is under {undo:?}");
    }
}

#[test]
fn the_options_and_a_wide_window_leave_the_zone_small() {
    let mut desk = Desk::with(settings(), [1280.0, 800.0], |_| Opening::default());
    desk.window.run_steps(2);
    let zone = |desk: &Desk| {
        let zone = desk
            .window
            .get_by_role_and_label(Role::Button, "Choose files");
        zone.rect().height()
    };
    assert!(zone(&desk) <= 400.0, "{}", zone(&desk));
    desk.act(ShareAction::ShowOptions(true));
    assert!(zone(&desk) <= 120.0, "{}", zone(&desk));
}

#[test]
fn a_narrow_receive_screen_gives_its_room_to_what_was_received() {
    let mut desk = Desk::with(settings(), [420.0, 420.0], |_| Opening::default());
    desk.act(WindowAction::Go(Screen::Receive));
    let field = |desk: &Desk| {
        let field = By::new().predicate(|node| {
            let role = node.role();
            role == Role::MultilineTextInput || role == Role::TextInput
        });
        desk.window.get(field).rect().height()
    };
    let high = field(&desk);
    assert!(desk.sees("Text around it does no harm."));
    desk.shared_one();
    desk.act(WindowAction::Go(Screen::Receive));
    assert!(field(&desk) < high / 1.5);
    assert!(!desk.sees("Text around it does no harm."));
}

#[test]
fn where_a_file_will_be_saved_stands_above_download_and_only_where_it_can() {
    let mut desk = Desk::new();
    desk.paste(POINTER);
    desk.until_seen("from files.example");
    let bottom = |desk: &Desk, part: &str| {
        let node = desk.window.get(By::new().label_contains(part));
        node.rect().bottom()
    };
    let download = desk.window.get_by_role_and_label(Role::Button, "Download");
    assert!(bottom(&desk, "Will be saved in") < download.rect().top());
    desk.paste(RELAYLESS);
    desk.until_seen("Use the sender's list");
    assert!(!desk.sees("Will be saved in"));
}

#[test]
fn every_button_that_copies_a_pointer_has_one_height() {
    let mut desk = Desk::new();
    desk.shared_one();
    desk.shared_one();
    let copies = By::new().label_contains("Copy (works only on this computer)");
    let heights = desk
        .window
        .query_all(copies)
        .map(|node| node.rect().height());
    let heights: Vec<f32> = heights.collect();
    assert!(
        heights.len() == 2 && heights[0] == heights[1],
        "{heights:?}"
    );
}

#[test]
fn a_running_row_says_how_fast_it_goes_once_that_is_known() {
    let mut desk = Desk::new();
    let stages = (0..40).map(|sent| Stage::Upload { sent, total: 400 });
    desk.backend.show(stages.collect());
    desk.backend.pace(Duration::from_millis(40));
    desk.drop_report();
    desk.until_seen("kB/s");
    assert!(desk.sees(" s left") || desk.sees(" min left"));
}

// Rules 9 and 14.

#[test]
fn enter_never_stops_or_removes_anything_by_itself() {
    let mut desk = Desk::new();
    desk.drop_report();
    desk.until_seen("Uploading");
    desk.act(WindowAction::Close);
    desk.until(|desk| desk.focused().as_deref() == Some("Keep running"));
    key(&mut desk, Key::Enter);
    assert_eq!(desk.window.state().model().unfinished(), 1);
}

#[test]
fn enter_does_not_delete_from_the_server() {
    let mut desk = Desk::new();
    desk.shared_one();
    let id = desk.window.state().model().transfers[0].id;
    desk.act(ModalAction::Open(Modal::Delete(id)));
    desk.until(|desk| desk.focused().is_some());
    key(&mut desk, Key::Enter);
    desk.until(|desk| desk.window.state().model().modal.is_none());
    desk.window.run_steps(3);
    let transfer = desk.window.state().model().transfer(id).expect("a row");
    assert!(matches!(&transfer.state, TransferState::Shared(shared) if !shared.gone));
}

// Rule 11.

#[test]
fn progress_draws_at_most_ten_frames_a_second() {
    let mut desk = Desk::new();
    // Puts the window's own style on, which the harness has changed.
    desk.act(SettingsAction::Zoom(1));
    desk.act(SettingsAction::Zoom(0));
    let stages = (0..2_000).map(|sent| Stage::Upload { sent, total: 2_000 });
    desk.backend.show(stages.collect());
    desk.backend.pace(Duration::from_millis(1));
    desk.drop_report();
    desk.until_seen("Uploading");

    // The next second, with a frame whenever one is due.
    // The first is due: what was asked for before is not asked for again.
    let due = Arc::new(Mutex::new(Some(Instant::now())));
    let sooner = {
        let due = Arc::clone(&due);
        move |delay: Duration| {
            let mut due = due.lock().expect("no panic");
            if let Some(at) = Instant::now().checked_add(delay) {
                *due = Some(due.map_or(at, |known| known.min(at)));
            }
        }
    };
    let asked = sooner.clone();
    (desk.window.ctx).set_request_repaint_callback(move |wish| asked(wish.delay));
    // What the start of the transfer brings with it is drawn by then.
    let settled = Duration::from_millis(500);
    let (began, mut frames) = (Instant::now(), 0);
    while began.elapsed() < settled + Duration::from_secs(1) {
        let is_due = |at: &mut Instant| *at <= Instant::now();
        if due.lock().expect("no panic").take_if(is_due).is_some() {
            desk.window.step();
            frames += usize::from(began.elapsed() >= settled);
            let output = &desk.window.output().viewport_output[&egui::ViewportId::ROOT];
            sooner(output.repaint_delay);
        }
        std::thread::yield_now();
    }
    assert!((4..=11).contains(&frames), "{frames} frames in a second");
}

// Rule 12.

#[test]
fn a_date_tells_how_far_away_it_is_when_pointed_at() {
    let mut desk = Desk::new();
    desk.shared_one();
    let facts = By::new()
        .role(Role::Label)
        .label_contains("sent as 5.2 MB  ·  kept until");
    desk.window.get(facts).hover();
    desk.until_seen("in 13 days");
}

// The rules of the desktop page.

#[test]
fn pointers_are_dots_behind_another_window_when_chosen() {
    let kept = Settings {
        mask_pointers: true,
        ..settings()
    };
    let mut desk = Desk::with(kept, [760.0, 600.0], |_| Opening::default());
    desk.shared_one();
    assert!(desk.sees("Pointer text"));
    desk.window.input_mut().focused = false;
    desk.window.run_steps(2);
    assert!(!desk.sees("Pointer text"));
    assert!(desk.sees("Pointer, hidden"));
    desk.window.input_mut().focused = true;
    desk.window.run_steps(2);
    assert!(desk.sees("Pointer text"));
}

#[test]
fn what_is_typed_and_the_code_for_cameras_are_hidden_as_well() {
    let kept = Settings {
        mask_pointers: true,
        ..settings()
    };
    let mut desk = Desk::with(kept, [760.0, 600.0], |_| Opening::default());
    desk.shared_one();
    let id = desk.window.state().model().transfers[0].id;
    desk.act(ModalAction::Open(Modal::Qr(id)));
    assert!(desk.sees("The whole pointer, in capitals."));
    let behind = |desk: &mut Desk, behind: bool| {
        desk.window.input_mut().focused = !behind;
        desk.window.run_steps(2);
    };
    behind(&mut desk, true);
    assert!(!desk.sees("The whole pointer, in capitals."));
    assert!(desk.sees("Hidden"));
    behind(&mut desk, false);
    desk.act(ModalAction::Back);

    desk.paste(POINTER);
    desk.until_seen("from files.example");
    let field = |desk: &Desk| {
        let field = desk
            .window
            .get_by_role_and_label(Role::MultilineTextInput, "Pointer");
        field.value().unwrap_or_default()
    };
    assert_eq!(field(&desk), POINTER);
    behind(&mut desk, true);
    let fields = By::new().predicate(|node| {
        let value = node.value().unwrap_or_default();
        value.contains("cloak1")
    });
    assert_eq!(desk.window.query_all(fields).count(), 0);
}

#[test]
fn a_file_that_no_program_takes_is_said() {
    let mut desk = Desk::new();
    desk.desktop.no_programs.store(true, Ordering::SeqCst);
    desk.receive_one();
    desk.until_seen("Verified");
    for button in ["Open report (1).pdf", "Show in folder report (1).pdf"] {
        desk.click(button);
        desk.until_seen("The file could not be shown.");
        key(&mut desk, Key::Escape);
        desk.until(|desk| desk.window.state().model().notice.is_none());
    }
}

#[test]
fn a_file_that_was_moved_away_is_not_shown_but_said_to_be_gone() {
    let mut desk = Desk::new();
    desk.desktop.gone.store(true, Ordering::SeqCst);
    desk.receive_one();
    desk.until_seen("Verified");
    desk.click("Show in folder report (1).pdf");
    desk.until_seen("It is not where it was saved any more, or cannot be read.");
}

#[test]
fn the_window_follows_the_system() {
    // The harness has a theme of its own, which the window puts off when another one is chosen.
    let mut desk = Desk::new();
    desk.act(Change::Theme(Theme::Dark));
    assert_eq!(desk.window.ctx.theme(), egui::Theme::Dark);
    desk.act(Change::Theme(Theme::System));
    assert_eq!(
        desk.window.ctx.theme(),
        egui::Theme::Light,
        "light where the system does not say"
    );
    for dark in [true, false] {
        let look = SystemLook {
            dark: Some(dark),
            high_contrast: dark,
            reduced_motion: dark,
        };
        (desk.desktop.tell_look.lock().expect("no panic").as_ref()).expect("asked for")(look);
        desk.until(|desk| {
            desk.window.ctx.theme()
                == if dark {
                    egui::Theme::Dark
                } else {
                    egui::Theme::Light
                }
        });
        let style = desk.window.ctx.style_of(desk.window.ctx.theme());
        assert_eq!(style.animation_time > 0.0, !dark, "motion");
    }
}

#[test]
fn what_ends_is_said_aloud() {
    let mut desk = Desk::new();
    desk.backend.fail_next(no_answer());
    desk.drop_report();
    desk.backend.let_go(1);
    let words = "report.pdf: The file server could not be reached. Try again later, or ask the server's operator.";
    desk.until(|desk| announced(desk).is_some_and(|said| said == words));
    key(&mut desk, Key::F5);
    desk.backend.let_go(1);
    desk.until(|desk| {
        announced(desk).is_some_and(|said| said == "report.pdf is waiting to be picked up")
    });
}

#[test]
fn a_sheet_that_is_longer_than_the_window_is_moved_by_keys() {
    let mut desk = Desk::with(settings(), [420.0, 420.0], |_| Opening::default());
    desk.act(ModalAction::Open(Modal::Shortcuts));
    let last = |desk: &Desk| {
        let node = desk.window.get_by_label("To the buttons of the transfer");
        node.rect().bottom()
    };
    assert!(last(&desk) > 420.0);
    desk.window.key_press(Key::End);
    desk.window.run_steps(8);
    assert!(last(&desk) < 420.0);
    desk.window.key_press(Key::Home);
    desk.window.run_steps(8);
    assert!(last(&desk) > 420.0);
}

#[test]
fn what_a_field_or_a_test_comes_to_is_said_aloud() {
    let said = |words: &'static str| {
        move |desk: &Desk| announced(desk).is_some_and(|said| said.starts_with(words))
    };
    let mut desk = Desk::new();
    desk.paste(POINTER);
    desk.until(said("report.pdf, 4.2 MB, from files.example"));
    desk.paste(cut_pointer());
    desk.until(said("This pointer is cut off"));
    desk.act(WindowAction::Go(Screen::Settings));
    desk.act(ServerAction::AddressEdited("nonsense".to_owned()));
    desk.act(ServerAction::Add);
    desk.until(said("This is not a file server's address."));
    desk.act(ServerAction::Test(ServerChoice::BuiltIn));
    desk.backend.let_go(1);
    desk.until(said("Upload (84 ms) and download (57 ms) work."));
    desk.backend.fail_next(no_answer());
    desk.act(ServerAction::Test(ServerChoice::BuiltIn));
    desk.backend.let_go(1);
    desk.until(said("The file server could not be reached."));

    *desk.desktop.findings.lock().expect("no panic") = Findings {
        disagreement: Some(Disagreement {
            name_says: Family::Document,
            content_is: Content::WindowsProgram,
        }),
        could_run: true,
    };
    desk.paste(POINTER);
    desk.until(|desk| desk.focused().as_deref() == Some("Download"));
    desk.act(ReceiveAction::Download);
    desk.backend.let_go(1);
    desk.until(said("report (1).pdf: "));
}

#[test]
fn who_saw_what_shows_every_try_and_every_party() {
    for size in [[760.0, 600.0], [420.0, 420.0]] {
        let mut desk = Desk::with(settings(), size, |_| Opening::default());
        desk.shared_one();
        desk.click("More about report.pdf");
        desk.until_seen("Who saw what");
        desk.click("Who saw what");
        desk.until_seen("Middle relay");
        for said in [
            "You",
            "First relay",
            "Last relay",
            "File server",
            "Recipient",
            "your IP address",
        ] {
            assert!(desk.sees(said), "{said}");
        }
        desk.click("Stored the file");
        desk.until_seen("No answer");
        desk.click("Asked what the server takes");
        desk.until(|desk| !desk.sees("which file"));
    }
}

#[test]
fn what_a_failed_and_a_cancelled_transfer_and_a_test_showed_can_be_seen() {
    let mut desk = Desk::new();
    desk.failed_one();
    desk.click("More about report.pdf");
    desk.until_seen("Who saw what");
    desk.click("Who saw what");
    desk.until_seen("Middle relay");
    desk.act(ModalAction::Back);

    let id = desk.window.state().model().transfers[0].id;
    desk.act(Action::Row(id, RowAction::Retry));
    desk.until_seen("Uploading, 61%");
    desk.act(Action::Row(id, RowAction::Cancel));
    desk.until(|desk| desk.window.state().model().transfers[0].tries() == 2);
    desk.click("More about report.pdf");
    desk.until_seen("Who saw what");
    desk.act(ModalAction::Back);

    desk.act(WindowAction::Go(Screen::Settings));
    desk.act(ServerAction::Test(ServerChoice::BuiltIn));
    desk.backend.let_go(1);
    desk.until_seen("84 ms");
    desk.click("Who saw what Built-in network");
    desk.until_seen("Middle relay");
    assert!(!desk.sees("Recipient"), "a test has no other person");
}

#[test]
fn behind_a_proxy_the_sheet_says_who_saw_the_address() {
    let mut desk = Desk::new();
    desk.act(RelayAction::ProxyEdited(
        "socks5://127.0.0.1:9050".to_owned(),
    ));
    desk.act(RelayAction::UseProxy);
    desk.shared_one();
    let id = desk.window.state().model().transfers[0].id;
    desk.act(ModalAction::Open(Modal::WhoSawWhat { id, at: 2 }));
    desk.until_seen("127.0.0.1:9050");
    assert!(desk.sees("the address that the proxy goes out with"));
}

#[test]
fn every_list_that_is_kept_is_shown_and_can_be_forgotten() {
    let mut desk = Desk::with(with_a_server(), [760.0, 600.0], |_| Opening::default());
    desk.act(RelayAction::Choose);
    desk.until_seen("Relays of a choir");
    for said in [
        "files.example, 5a5a5a5a…",
        "not in use",
        "asked for a newer one 2 h",
    ] {
        assert!(desk.sees(said), "{said}");
    }
    desk.click("Forget this list Relays of a choir");
    desk.until(|desk| !desk.sees("Relays of a choir"));
    assert!(desk.sees("Relays of last year"));
}

#[test]
fn rules_yield_on_the_list_in_use_only_when_switched_on() {
    let mut desk = Desk::with(with_a_server(), [760.0, 600.0], |_| Opening::default());
    desk.act(RelayAction::Choose);
    desk.until_seen("Relays of a choir");
    for allowed in [vec![RelaySource::Session], Vec::new()] {
        desk.click("Allow weaker paths where the list has too few relays Session's service nodes");
        desk.until(|desk| {
            let saves = desk.backend.saves();
            saves.last().is_some_and(|kept| kept.short_lists == allowed)
        });
    }
}

/// Closing clears it as the minute does, which `gui::model` lets pass.
#[test]
fn a_copied_pointer_leaves_the_clipboard_only_when_chosen_and_unchanged() {
    for (chosen, replaced, left) in [
        (false, false, POINTER),
        (true, false, ""),
        (true, true, "milk, bread, eggs"),
    ] {
        let kept = Settings {
            clear_clipboard: chosen,
            ..settings()
        };
        let mut desk = Desk::with(kept, [760.0, 600.0], |_| Opening::default());
        desk.shared_one();
        desk.click("Copy (works only on this computer) report.pdf");
        desk.until_seen("Copied");
        if replaced {
            *desk.desktop.copied.lock().expect("no panic") = vec![left.to_owned()];
        }
        let desktop = Arc::clone(&desk.desktop);
        desk.act(WindowAction::Close);
        // The end of the window waits for what it began.
        drop(desk);
        let copied = desktop.copied.lock().expect("no panic").concat();
        assert_eq!(copied, left, "chosen: {chosen}");
    }
}

#[test]
fn a_sheet_gives_the_keyboard_back_to_what_had_it() {
    let mut desk = Desk::new();
    desk.act(WindowAction::Go(Screen::Settings));
    desk.window.run_steps(8);
    for name in ["Add a server", "Dark", "Keyboard shortcuts"] {
        desk.window.get_by_label(name).focus();
        desk.window.run_steps(8);
        // A group is one stop of Tab: the keyboard comes to its chosen member.
        let before = desk.focused();
        key(&mut desk, Key::F1);
        desk.until(|desk| desk.focused().as_deref() == Some("Close"));
        key(&mut desk, Key::Escape);
        desk.until(|desk| desk.focused() == before);
    }
    for name in ["About and licences", "Wipe history"] {
        desk.click(name);
        desk.until(|desk| desk.window.state().model().modal.is_some());
        key(&mut desk, Key::Escape);
        desk.until(|desk| desk.focused().as_deref() == Some(name));
    }
}

#[test]
fn the_card_of_the_first_start_goes_with_the_first_row_and_offers_to_choose_files() {
    let kept = || Settings {
        welcomed: false,
        ..settings()
    };
    let mut desk = Desk::with(kept(), [760.0, 600.0], |folder| {
        let file = folder.join("report.pdf");
        std::fs::write(&file, b"content").expect("a file");
        Opening {
            files: vec![file],
            ..Opening::default()
        }
    });
    desk.until_seen("Uploading");
    assert!(!desk.sees("Leave a file, take a ticket"));

    let mut desk = Desk::with(kept(), [760.0, 600.0], |_| Opening::default());
    *desk.desktop.files.lock().expect("no panic") = vec![desk.file("report.pdf")];
    desk.until_seen("Leave a file, take a ticket");
    let choose = desk.window.get_all_by_label("Choose files").next();
    choose.expect("a button on the card").click();
    desk.until_seen("Uploading");
    assert!(!desk.sees("Leave a file, take a ticket"));
}

#[test]
fn the_last_sentence_of_who_saw_what_is_always_seen_and_in_a_narrow_window_at_the_end() {
    for size in [[760.0, 600.0], [420.0, 420.0]] {
        let mut desk = Desk::with(settings(), size, |_| Opening::default());
        desk.shared_one();
        let id = desk.window.state().model().transfers[0].id;
        desk.act(ModalAction::Open(Modal::WhoSawWhat { id, at: 2 }));
        desk.window.run_steps(8);
        let bottom = |desk: &Desk| {
            let words = "Whoever watches both ends can still compare times.";
            desk.window.get_by_label_contains(words).rect().bottom()
        };
        if size[0] < 520.0 {
            assert!(bottom(&desk) > size[1], "the path has the room");
            desk.window.key_press(Key::End);
            desk.window.run_steps(8);
        }
        assert!(bottom(&desk) < size[1], "{size:?}");
    }
}

#[test]
fn of_the_built_in_network_it_is_said_once_that_it_is_this_computer() {
    let mut desk = Desk::new();
    desk.shared_one();
    let id = desk.window.state().model().transfers[0].id;
    desk.act(ModalAction::Open(Modal::WhoSawWhat { id, at: 2 }));
    desk.until_seen("This was the built-in network");
    assert!(!desk.sees("the list is too small"));
    desk.act(ModalAction::Back);

    let known = server("files.example");
    let kept = Settings {
        chosen: ServerChoice::Server(known.address.clone()),
        servers: vec![known],
        ..settings()
    };
    let mut desk = Desk::with(kept, [760.0, 600.0], |_| Opening::default());
    desk.shared_one();
    let id = desk.window.state().model().transfers[0].id;
    desk.act(ModalAction::Open(Modal::WhoSawWhat { id, at: 2 }));
    desk.until_seen("Middle relay");
    assert!(!desk.sees("This was the built-in network"));
}

#[test]
fn a_drop_that_brings_no_file_says_what_to_do_and_the_sheet_of_keys_why() {
    let mut desk = Desk::new();
    desk.drop_files(&[std::path::PathBuf::new()]);
    desk.until_seen("Save it to a folder first, then drop it from there.");
    assert!(desk.window.state().model().transfers.is_empty());
    desk.act(ModalAction::Open(Modal::Shortcuts));
    for words in ["may only promise a file", "runs as administrator"] {
        assert!(desk.sees(words), "{words}");
    }
}

#[test]
fn what_has_the_keyboard_in_a_sheet_or_a_question_is_in_a_named_dialog() {
    let mut desk = Desk::new();
    for (stop, modal, role, name) in [
        (
            "Close",
            Modal::Shortcuts,
            Role::Dialog,
            "Keyboard shortcuts",
        ),
        (
            "Keep it",
            Modal::WipeHistory,
            Role::AlertDialog,
            "Wipe the history?",
        ),
    ] {
        desk.act(ModalAction::Open(modal));
        desk.until(|desk| desk.focused().as_deref() == Some(stop));
        let focused = desk
            .window
            .get(By::new().predicate(|node| node.is_focused()));
        let mut above = focused.accesskit_node().parent();
        while let Some(node) = above.filter(|node| node.role() != role) {
            above = node.parent();
        }
        let dialog = above.expect("a dialog above it");
        assert_eq!(dialog.label().as_deref(), Some(name));
        assert!(dialog.is_modal());
        desk.act(ModalAction::Back);
    }
}

#[test]
fn tab_in_a_sheet_with_one_stop_stays_there_and_moves_nothing_below() {
    let mut desk = Desk::new();
    desk.until(|desk| desk.focused().as_deref() == Some("Choose files"));
    key(&mut desk, Key::F1);
    desk.until(|desk| desk.focused().as_deref() == Some("Close"));
    key(&mut desk, Key::Tab);
    assert_eq!(desk.focused().as_deref(), Some("Close"));
    key(&mut desk, Key::Escape);
    desk.window.run_steps(6);
    assert_eq!(desk.focused().as_deref(), Some("Choose files"));
}

#[test]
fn one_of_a_few_is_found_in_its_named_group() {
    let mut desk = Desk::new();
    desk.act(WindowAction::Go(Screen::Settings));
    desk.window.run_steps(4);
    let dark = desk.window.get_by_role_and_label(Role::RadioButton, "Dark");
    let group = dark.accesskit_node().parent().expect("a group above it");
    assert_eq!(group.role(), Role::RadioGroup);
    assert!(group.label().is_some_and(|name| !name.is_empty()));
    assert!(group.bounding_box().is_none_or(|rect| rect.width() > 0.0));
}

#[test]
fn a_number_is_a_number_to_a_screen_reader() {
    let mut desk = Desk::new();
    desk.act(ShareAction::ShowOptions(true));
    for (limit, least) in [(1, Some(1.0)), (2, None)] {
        let options = ShareOptions {
            count: Count::Limit(limit),
            ..ShareOptions::default()
        };
        desk.act(ShareAction::SetOptions(options));
        let number = desk.window.get_by_role(Role::SpinButton);
        let number = number.accesskit_node();
        assert_eq!(number.numeric_value(), Some(f64::from(limit)));
        assert_eq!(number.min_numeric_value(), least);
    }
}

#[test]
fn what_is_only_an_icon_is_not_described_by_its_name_again() {
    let desk = Desk::new();
    let gear = desk.window.get_by_role_and_label(Role::Button, "Settings");
    assert_eq!(gear.accesskit_node().description(), None);
}

#[test]
fn home_and_end_go_through_the_menu_of_a_row() {
    let mut desk = Desk::new();
    desk.shared_one();
    desk.act(FocusAction::Region(Region::Rows));
    keys(&mut desk, Modifiers::SHIFT, Key::F10);
    desk.until(|desk| desk.focused().as_deref() == Some("Copy pointer"));
    let last = names(&desk, Role::MenuItem).pop();
    key(&mut desk, Key::End);
    assert_eq!(desk.focused(), last);
    key(&mut desk, Key::Home);
    assert_eq!(desk.focused().as_deref(), Some("Copy pointer"));
}

#[test]
fn a_sheet_opens_at_its_beginning() {
    let mut desk = Desk::with(settings(), [420.0, 420.0], |_| Opening::default());
    let last = |desk: &Desk| {
        let node = desk.window.get_by_label("To the buttons of the transfer");
        node.rect().bottom()
    };
    desk.act(ModalAction::Open(Modal::Shortcuts));
    desk.window.key_press(Key::End);
    desk.window.run_steps(8);
    assert!(last(&desk) < 420.0);
    key(&mut desk, Key::Escape);
    desk.until(|desk| desk.window.state().model().modal.is_none());
    desk.act(ModalAction::Open(Modal::Shortcuts));
    desk.window.run_steps(8);
    assert!(last(&desk) > 420.0);
}
