//! A picture of every screen and state, drawn by a software renderer: at 760x600 and 420x420, light and dark, four to
//! a sheet in `assets/screenshots`. Each is compared with the one that is kept.
//!
//! `UPDATE_PICTURES=1 cargo test --test window pictures` draws them anew, `ONLY_PICTURE=share-done` before it that one
//! alone. Without a software renderer nothing is compared.

use std::cell::Cell;
use std::panic::UnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Once};

use cloakroom::app::error::{AppError, FailedExchange, Mismatch, ServerRefusal};
use cloakroom::app::kept::history::HistoryStatus;
use cloakroom::app::kept::keystore::{HistoryKey, KeyId, KeyStore, KeyStoreError};
use cloakroom::app::received::content_type::{Content, Disagreement, Family, Findings};
use cloakroom::app::relays::{NewerListWaits, RelaySource, RelaySourceError};
use cloakroom::app::settings::{Change, Contrast, ServerChoice, Settings, SeveralThings, Theme};
use cloakroom::app::transfer::join::{JoinChoice, JoinError};
use cloakroom::app::transfer::stage::{PartsMoved, Stage};
use cloakroom::app::words::l10n::Language;
use cloakroom::app::words::message::UserMessage;
use cloakroom::gui::model::{
    Action, Arrival, Aside, Count, InvitationInfo, JoinAction, JoinCard, KnownNetwork,
    ManageAction, ManyGone, Modal, ModalAction, NetworkAction, NetworkSeen, NetworkState,
    NodesAction, ReceiveAction, RelayAction, RowAction, Screen, ServerAction, ShareAction,
    ShareOptions, Test, TransferId, TransferState, Trouble, WindowAction,
};
use cloakroom::gui::platform::uri_list::UriList;
use cloakroom::gui::text;
use cloakroom::gui::window::{Opening, Window};
use cloakroom::net::relay_source::FetchError;
use cloakroom::protocol::capability::AccessWord;
use cloakroom::protocol::exchange::{ExchangeError, Failure};
use cloakroom::protocol::keys::{Ed25519Public, Identity};
use cloakroom::protocol::path::{NoPath, Place, RejectReason, Rejection};
use cloakroom::protocol::seal::OpenError;
use eframe::egui_wgpu::{RenderState, RendererOptions};
use eframe::icon_data::{IconDataExt as _, from_png_bytes};
use eframe::wgpu::DeviceType;
use egui::IconData;
use egui_kittest::Harness;
use egui_kittest::kittest::{By, Queryable as _};
use egui_kittest::wgpu::{WgpuTestRenderer, create_render_state, default_wgpu_setup};

use crate::window::desk::Desk;
use crate::window::desktop::{
    COUNTED, FOREIGN, INVITATION, Keyring, NOW, POINTER, RELAYLESS, cut_pointer, invitation_info,
    joined_network, no_answer, server, settings,
};

/// Wide and narrow; taller where a page is shown whole.
fn sizes(name: &str) -> [[u32; 2]; 2] {
    match name {
        "every-widget" | "high-contrast-widgets" => [[760, 3_100], [420, 3_900]],
        "settings-whole" => [[760, 2_600], [420, 3_300]],
        _ => [[760, 600], [420, 420]],
    }
}

const GAP: u32 = 8;
/// A channel of a pixel that differs by more than this is another colour.
const SAME_COLOUR: u8 = 40;
/// So many of ten thousand pixels of one picture may be another colour: drivers soften edges each in their way. A button
/// that is missing is more.
const SAME_PICTURE: usize = 10;

/// A name, and what brings the window there.
type Scene = (&'static str, fn(&mut Desk));

const SCENES: &[Scene] = &[
    ("share-empty", |_| {}),
    ("share-by-keyboard", |desk| {
        // From the top of the window to the zone.
        for _ in 0..4 {
            desk.press(egui::Key::Tab);
            desk.window.step();
        }
    }),
    ("first-start", |desk| {
        desk.act(ModalAction::Open(Modal::About));
        desk.press(egui::Key::Escape);
    }),
    ("share-hovering", |desk| {
        let path = desk.file("report.pdf");
        hover(desk, &[path]);
        desk.until_seen("Drop to share report.pdf");
    }),
    ("share-relay-list", |desk| {
        let list = desk.relay_list();
        desk.drop_files(&[list]);
        desk.until_seen("relays.json is a relay list.");
    }),
    ("share-two-problems", |desk| {
        let gone = desk.folder.path().join("gone.txt");
        let list = UriList {
            files: vec![gone],
            elsewhere: vec!["smb://nas/pictures".to_owned()],
        };
        desk.act(Arrival::Dropped(list));
        desk.until_seen("gone.txt could not be found");
    }),
    ("share-wayland", |_| {}),
    ("share-running", |desk| {
        let names = ["holiday-pictures-2026.zip", "report.pdf", "minutes.odt"];
        let files: Vec<PathBuf> = names.iter().map(|name| desk.file(name)).collect();
        desk.drop_files(&files);
        desk.until(|desk| running(desk) >= 2);
    }),
    ("share-finding-path", |desk| {
        desk.backend.show(vec![Stage::Pad, Stage::FindPath]);
        desk.drop_report();
        desk.until(|desk| stage(desk) == Some(Stage::FindPath));
        let id = newest(desk);
        desk.act(Action::Row(id, RowAction::OpenMenu));
    }),
    ("share-together", |desk| {
        desk.act(Change::SeveralThings(SeveralThings::Ask));
        let names = ["holiday-pictures-2026.zip", "report.pdf", "minutes.odt"];
        let files: Vec<PathBuf> = names.iter().map(|name| desk.file(name)).collect();
        desk.drop_files(&files);
        desk.until_seen("came together");
    }),
    ("share-large", |desk| {
        let film = desk.file("holiday-film.mkv");
        let file = std::fs::File::options().write(true).open(&film);
        let sized = file.and_then(|file| file.set_len(3_400_000_000));
        sized.expect("a large file without content");
        desk.drop_files(&[film]);
        desk.until_seen("This is 3.4 GB.");
    }),
    ("share-parts", |desk| {
        parts(desk);
        desk.until_seen("confirmed");
    }),
    ("share-paused", |desk| {
        parts(desk);
        desk.until_seen("confirmed");
        let id = newest(desk);
        desk.act(Action::Row(id, RowAction::Pause));
    }),
    ("share-left", |desk| {
        desk.until_seen("Resume holiday-film.mkv");
    }),
    ("share-discard-question", |desk| {
        parts(desk);
        desk.until_seen("confirmed");
        let id = newest(desk);
        desk.act(Action::Row(id, RowAction::Cancel));
    }),
    ("share-left-out", |desk| {
        desk.backend.tell_aside(Aside::LeftOut {
            count: 5,
            first: ["photos/link", "photos/socket", "a", "b", "c"]
                .map(str::to_owned)
                .into(),
        });
        desk.shared_one();
    }),
    ("share-done", Desk::shared_one),
    ("share-copied", |desk| {
        desk.shared_one();
        desk.click("Copy pointer report.pdf");
        desk.until_seen("Copied");
    }),
    ("share-several", several),
    ("share-built-in", |desk| {
        desk.act(ServerAction::Use(ServerChoice::BuiltIn));
        desk.shared_one();
    }),
    ("share-masked", |desk| {
        desk.shared_one();
        desk.window.input_mut().focused = false;
        desk.window.run_steps(3);
    }),
    ("share-failed", |desk| {
        desk.failed_one();
        desk.window.run_steps(4);
        let file = desk.file("minutes.odt");
        desk.drop_files(&[file]);
        desk.until_seen("Uploading");
        let id = newest(desk);
        desk.act(Action::Row(id, RowAction::Cancel));
    }),
    ("share-without-relays", |desk| {
        desk.act(RelayAction::ForgetList);
    }),
    ("share-managed", |desk| {
        let options = ShareOptions {
            count: Count::Yes,
            ..ShareOptions::default()
        };
        desk.act(ShareAction::SetOptions(options));
        for what in [ManageAction::Extend, ManageAction::Status] {
            desk.shared_one();
            let id = newest(desk);
            desk.act(Action::Row(id, RowAction::Manage(what)));
            desk.until(|desk| desk.window.state().model().transfers[0].told.is_some());
        }
    }),
    ("row-menu", |desk| {
        desk.shared_one();
        let id = newest(desk);
        desk.act(Action::Row(id, RowAction::OpenMenu));
    }),
    ("row-menu-received", |desk| {
        received(desk);
        let id = newest(desk);
        desk.act(Action::Row(id, RowAction::OpenMenu));
    }),
    ("row-menu-failed", |desk| {
        desk.failed_one();
        let id = newest(desk);
        desk.act(Action::Row(id, RowAction::OpenMenu));
    }),
    ("receive-empty", |desk| {
        desk.act(WindowAction::Go(Screen::Receive));
    }),
    ("receive-valid", |desk| {
        desk.paste(POINTER);
        desk.until_seen("from files.example");
    }),
    ("receive-opened", |desk| {
        desk.paste(POINTER);
        desk.until_seen("from files.example");
        let pointer = Some(COUNTED.into());
        let files = Vec::new();
        desk.act(Arrival::Arguments { files, pointer });
        desk.until_seen("Another pointer was opened");
    }),
    ("receive-damaged", |desk| {
        desk.paste(cut_pointer());
        desk.until_seen("cut off");
    }),
    ("receive-blocked", |desk| {
        desk.paste(FOREIGN);
        desk.until_seen("another computer");
    }),
    ("receive-no-relays", |desk| {
        desk.paste(RELAYLESS);
        desk.until_seen("No relay of yours");
    }),
    ("receive-folder", |desk| {
        desk.backend.hold_photos(2_000);
        desk.paste(POINTER);
        desk.until_seen("Show what is in it");
    }),
    ("receive-folder-listing", |desk| {
        desk.backend.hold_photos(2_000);
        desk.paste(POINTER);
        desk.until_seen("Show what is in it");
        desk.act(ReceiveAction::ShowContent);
        desk.until_seen("files and empty folders");
        desk.act(ReceiveAction::Want(1, false));
        desk.act(ReceiveAction::Want(4, false));
    }),
    ("receive-counted", |desk| {
        desk.paste(COUNTED);
        desk.until_seen("The sender is told");
    }),
    ("receive-notice", |desk| {
        desk.paste("milk, bread, eggs");
        desk.until_seen("holds no pointer");
    }),
    ("join", |desk| {
        invited(desk, invitation_info());
    }),
    ("join-and-receive", |desk| {
        desk.backend.invite_with(InvitationInfo {
            with_pointer: true,
            ..invitation_info()
        });
        desk.paste(&format!("{INVITATION}\n{POINTER}"));
        desk.until_seen("Whoever made this invitation");
    }),
    ("join-at-home", |desk| {
        invited(
            desk,
            InvitationInfo {
                host: "192.168.1.20:8787".to_owned(),
                own_network: true,
                for_relays: true,
                ..invitation_info()
            },
        );
    }),
    ("join-without-path", |desk| {
        let why = NoPath {
            place: Place::Middle,
            rejected: vec![Rejection {
                relay: key_of(7),
                reasons: vec![RejectReason::SameOperator],
            }],
        };
        let why = UserMessage::from(&AppError::from(JoinError::NoPath(why)));
        invited(
            desk,
            InvitationInfo {
                no_path: Some(why),
                operators: vec!["Ann".to_owned()],
                ..invitation_info()
            },
        );
        show(desk, "let the rules yield");
    }),
    ("join-other-relays", |desk| {
        invited(
            desk,
            InvitationInfo {
                known: KnownNetwork::OtherRelays,
                ..invitation_info()
            },
        );
        show(desk, "Keep mine");
    }),
    ("join-running", |desk| {
        desk.backend.show(vec![Stage::FindPath]);
        invited(desk, invitation_info());
        desk.act(JoinAction::Join(JoinChoice::default()));
        desk.until_seen("Asking for the network's list");
    }),
    ("join-joined", |desk| joined(desk, NetworkState::Works)),
    ("join-only-receives", |desk| {
        let full = AppError::Server(ServerRefusal::Full);
        joined(desk, NetworkState::OnlyReceives(Trouble::from(full)));
    }),
    ("join-not-now", |desk| {
        desk.backend
            .join_with(NetworkState::NotNow(no_answer().into()));
        invited(
            desk,
            InvitationInfo {
                list_host: Some("lists.example".to_owned()),
                ..invitation_info()
            },
        );
        desk.act(JoinAction::Join(JoinChoice::default()));
        desk.backend.let_go(1);
        desk.until_seen("is saved");
    }),
    ("join-failed", |desk| {
        desk.backend
            .fail_next(AppError::from(JoinError::WrongAccessWord));
        invited(desk, invitation_info());
        desk.act(JoinAction::Join(JoinChoice::default()));
        desk.backend.let_go(1);
        desk.until_seen("refused the access word");
    }),
    ("share-options", |desk| {
        desk.act(ShareAction::ShowOptions(true));
        let options = ShareOptions {
            count: Count::Limit(5),
            ..ShareOptions::default()
        };
        desk.act(ShareAction::SetOptions(options));
        show(desk, "File name in the pointer");
    }),
    ("share-deleted", |desk| {
        desk.shared_one();
        let id = newest(desk);
        desk.act(Action::Row(id, RowAction::Manage(ManageAction::Delete)));
        desk.until_seen("Deleted from the server");
    }),
    ("share-delete-question", |desk| {
        desk.shared_one();
        let id = newest(desk);
        desk.act(ModalAction::Open(Modal::Delete(id)));
    }),
    ("receive-downloading", |desk| {
        desk.backend.show(vec![Stage::Download {
            received: 50,
            total: 100,
        }]);
        desk.paste(POINTER);
        desk.until_seen("from files.example");
        desk.act(ReceiveAction::Download);
        desk.until_seen("Downloading, 50%");
    }),
    ("receive-verifying", |desk| {
        let whole = Stage::Download {
            received: 100,
            total: 100,
        };
        desk.backend.show(vec![whole, Stage::Verify]);
        desk.paste(POINTER);
        desk.until_seen("from files.example");
        desk.act(ReceiveAction::Download);
        desk.until(|desk| stage(desk) == Some(Stage::Verify));
    }),
    ("receive-verified", received),
    ("receive-misleading", |desk| {
        misleading(desk);
        desk.until_seen("not what its name says");
    }),
    ("receive-open-program", |desk| {
        misleading(desk);
        let id = newest(desk);
        desk.act(Action::Row(id, RowAction::OpenSaved));
        desk.until(|desk| desk.window.state().model().modal.is_some());
    }),
    ("receive-failed", |desk| {
        let broken = AppError::Mismatch(Mismatch::Open(OpenError::Corrupt));
        desk.backend.fail_next(broken);
        desk.paste(POINTER);
        desk.until_seen("from files.example");
        desk.act(ReceiveAction::Download);
        desk.backend.let_go(1);
        desk.until_seen("does not match");
    }),
    ("who-saw-what", |desk| {
        desk.shared_one();
        let id = newest(desk);
        desk.act(ModalAction::Open(Modal::WhoSawWhat { id, at: 2 }));
    }),
    ("who-saw-what-received", |desk| {
        received(desk);
        let id = newest(desk);
        desk.act(ModalAction::Open(Modal::WhoSawWhat { id, at: 0 }));
    }),
    ("who-saw-what-proxy", |desk| {
        desk.act(RelayAction::ProxyEdited("socks5://127.0.0.1:9050".into()));
        desk.act(RelayAction::UseProxy);
        desk.shared_one();
        let id = desk.window.state().model().transfers[0].id;
        desk.act(ModalAction::Open(Modal::WhoSawWhat { id, at: 1 }));
    }),
    ("qr", |desk| {
        desk.shared_one();
        let id = newest(desk);
        desk.act(ModalAction::Open(Modal::Qr(id)));
    }),
    ("settings", open_settings),
    ("settings-network", |desk| {
        open_settings(desk);
        desk.until_seen("5 relays of its own");
    }),
    ("settings-network-menu", |desk| {
        open_settings(desk);
        desk.act(NetworkAction::OpenMenu(server("files.example").address));
        desk.until_seen("Leave…");
    }),
    ("settings-network-name", |desk| {
        open_settings(desk);
        desk.act(NetworkAction::OpenName(server("files.example").address));
        desk.until_seen("Name of the network here");
    }),
    ("share-failed-network-list", |desk| {
        desk.backend.fail_next(AppError::Transfer(FailedExchange {
            exchange: ExchangeError {
                failure: Failure::RelayUnreachable(key_of(1)),
                tries: 4,
                direct: false,
            },
            waits: Some(Box::new(NewerListWaits {
                network: "Ann's friends".to_owned(),
                lacks: ManyGone { gone: 3, before: 5 },
            })),
        }));
        let file = desk.file("minutes.odt");
        desk.drop_files(&[file]);
        desk.backend.let_go(1);
        desk.until_seen("See the newer list");
    }),
    ("settings-network-list", |desk| {
        desk.backend.network_stands(NetworkSeen {
            relays: 5,
            expires: Some(NOW + 86_400),
            ends_soon: false,
            waiting: Some(ManyGone { gone: 3, before: 5 }),
            trouble: None,
        });
        open_settings(desk);
        desk.until_seen("It lacks 3 of the 5 relays");
    }),
    ("invite-network", |desk| {
        open_settings(desk);
        let word = AccessWord::parse("open sesame").ok();
        let address = server("files.example").address;
        desk.act(Change::AccessWord(address.clone(), word));
        desk.act(NetworkAction::Invite(address));
        desk.until_seen("Copy invitation");
    }),
    ("leave-network", |desk| {
        desk.shared_one();
        open_settings(desk);
        desk.act(NetworkAction::Leave(server("files.example").address));
        desk.until_seen("is still on its server");
    }),
    ("row-menu-network", |desk| {
        desk.shared_one();
        let id = newest(desk);
        desk.act(Action::Row(id, RowAction::OpenMenu));
    }),
    ("settings-without-relays", |desk| {
        open_settings(desk);
        desk.act(RelayAction::ForgetList);
        desk.until_seen("No relays lead to its network yet");
        show(desk, "No relays lead to its network yet");
    }),
    ("settings-network-relays", |desk| {
        open_settings(desk);
        desk.act(RelayAction::Show(true));
        desk.until_seen("first relay since");
        show(desk, "Relays of Ann's friends");
    }),
    ("join-file", |desk| {
        nodes_file(desk);
        desk.until_seen("Join “Sispop”?");
    }),
    ("join-file-joined", |desk| {
        nodes_file(desk);
        desk.act(NodesAction::Join(JoinCard::File));
        desk.backend.let_go(1);
        desk.until_seen("You joined “Sispop”.");
    }),
    ("join-file-settings", |desk| {
        nodes_file(desk);
        open_settings(desk);
        desk.until_seen("Join “Sispop”?");
        show(desk, "Join “Sispop”?");
    }),
    ("join-who-saw-what", |desk| {
        joined(desk, NetworkState::Works);
        let card = JoinCard::Invitation;
        desk.act(ModalAction::Open(Modal::WhoSawJoin { card, at: 0 }));
    }),
    ("session-offered", |desk| {
        open_settings(desk);
        show(desk, "run for the Session messenger");
    }),
    ("session-asks", session_asks),
    ("session-joining", |desk| {
        desk.backend.show(vec![Stage::FindPath]);
        session_asks(desk);
        desk.act(NodesAction::Join(JoinCard::Session));
        desk.until_seen("Asking one of its seeds");
        show(desk, "Asking one of its seeds");
    }),
    ("session-joined", |desk| {
        session_joined(desk, NetworkState::Works);
    }),
    ("session-only-receives", |desk| {
        let full = AppError::Server(ServerRefusal::Full);
        session_joined(desk, NetworkState::OnlyReceives(Trouble::from(full)));
    }),
    ("session-not-now", |desk| {
        let silent = RelaySourceError::Seeds(FetchError::Unreachable);
        let silent = Trouble::from(AppError::RelaySource(silent));
        session_joined(desk, NetworkState::NotNow(silent));
    }),
    ("session-other-relays", |desk| {
        let other = JoinError::OtherRelays("By hand".to_owned());
        desk.backend.fail_next(AppError::from(other));
        session_asks(desk);
        desk.act(NodesAction::Join(JoinCard::Session));
        desk.backend.let_go(1);
        desk.until_seen("Replace mine");
        show(desk, "Replace mine");
    }),
    ("settings-whole", |desk| {
        open_settings(desk);
        desk.act(RelayAction::Show(true));
        desk.until_seen("first relay since");
    }),
    ("settings-tested", |desk| {
        open_settings(desk);
        for choice in [ServerChoice::BuiltIn, chosen_server()] {
            desk.act(ServerAction::Test(choice.clone()));
            desk.backend.let_go(1);
            desk.until(|desk| {
                let tests = &desk.window.state().model().settings_screen.tests;
                tests
                    .get(&choice)
                    .is_some_and(|test| !matches!(test, Test::Running))
            });
            let silent = no_answer();
            desk.backend.fail_next(silent);
        }
    }),
    ("settings-bad-address", |desk| {
        open_settings(desk);
        desk.act(ServerAction::Test(ServerChoice::BuiltIn));
        desk.act(ServerAction::AddressEdited("files.example".to_owned()));
        desk.act(ServerAction::Add);
        desk.until_seen("not a file server's address");
        show(desk, "Paste it as its operator gave it");
    }),
    ("settings-session-and-proxy", |desk| {
        open_settings(desk);
        desk.act(RelayAction::UseSession);
        desk.act(RelayAction::ProxyEdited(
            "socks5://127.0.0.1:9050".to_owned(),
        ));
        desk.act(RelayAction::UseProxy);
        desk.until(|desk| !desk.window.state().model().settings_screen.relays_busy);
        desk.until_seen("127.0.0.1:9050");
        show(desk, "Received files are saved");
    }),
    ("settings-access-word", |desk| {
        let address = server("files.example").address;
        desk.act(WindowAction::Go(Screen::Settings));
        desk.act(Change::Direct(address.clone(), true));
        desk.act(ServerAction::OpenWord(address));
        desk.window.step();
        let word = zeroize::Zeroizing::new("open sesame".to_owned());
        desk.act(ServerAction::WordEdited(word));
    }),
    ("settings-advanced", |desk| {
        desk.act(WindowAction::Go(Screen::Settings));
        desk.window.step();
        desk.bring(By::new().label("Copy diagnostics"));
    }),
    ("share-failed-word", |desk| {
        let refused = ServerRefusal::AccessWord { given: false };
        let why = AppError::Server(refused);
        desk.backend.fail_next(why);
        desk.drop_report();
        // The keyboard has come to the row by then, and nothing is scrolled for what is longer later.
        desk.until_seen("Uploading");
        desk.backend.let_go(1);
        desk.until_seen("was not stored");
    }),
    ("share-working", |desk| {
        desk.backend.show(vec![Stage::Work { permille: 400 }]);
        desk.drop_report();
        desk.until_seen("Working for the server");
    }),
    ("keep-longer", |desk| {
        desk.shared_one();
        let id = desk.window.state().model().transfers[0].id;
        desk.act(ModalAction::Open(Modal::KeepLonger(id)));
    }),
    ("removed", |desk| {
        let files: Vec<PathBuf> = (1..8).map(|at| desk.file(&format!("{at}.txt"))).collect();
        desk.drop_files(&files);
        desk.backend.let_go(7);
        desk.until(|desk| {
            let model = desk.window.state().model();
            model.transfers.len() == 7 && model.unfinished() == 0
        });
        let id = desk.window.state().model().transfers[0].id;
        desk.act(Action::Row(id, RowAction::Remove));
    }),
    ("settings-appearance", |desk| {
        open_settings(desk);
        show(desk, "Larger");
    }),
    ("settings-privacy", |desk| {
        open_settings(desk);
        show(desk, "File name in the notification");
    }),
    ("settings-session-history", |desk| {
        // The keyring is asked when there is something to keep.
        desk.shared_one();
        open_settings(desk);
        desk.until(|desk| {
            let status = desk.window.state().model().history;
            matches!(status, HistoryStatus::SessionOnly(_))
        });
        show(desk, "Say when a transfer ends");
    }),
    ("wipe-history", |desk| {
        open_settings(desk);
        desk.act(ModalAction::Open(Modal::WipeHistory));
    }),
    ("closing", |desk| {
        desk.drop_report();
        desk.until_seen("Uploading");
        desk.act(WindowAction::Close);
    }),
    ("closing-several", |desk| {
        let names = ["holiday-pictures-2026.zip", "report.pdf", "minutes.odt"];
        let files: Vec<PathBuf> = names.iter().map(|name| desk.file(name)).collect();
        desk.drop_files(&files);
        desk.until(|desk| running(desk) >= 2);
        desk.act(WindowAction::Close);
    }),
    ("share-without-a-keyring", |desk| {
        desk.shared_one();
        desk.until_seen("kept only until you quit");
    }),
    ("share-after-a-restart", |desk| {
        desk.until(|desk| desk.window.state().model().transfers.len() == 3);
    }),
    ("shortcuts", |desk| {
        desk.act(ModalAction::Open(Modal::Shortcuts));
    }),
    ("shortcuts-of-a-row", |desk| {
        desk.act(ModalAction::Open(Modal::Shortcuts));
        show(desk, "Shift+F10");
    }),
    ("about", |desk| desk.act(ModalAction::Open(Modal::About))),
    ("about-a-licence", |desk| {
        desk.act(ModalAction::Open(Modal::About));
        desk.window.step();
        desk.window.get_by_label("MIT").click();
        desk.window.run_steps(8);
    }),
    ("high-contrast", |desk| {
        desk.act(Change::Contrast(Contrast::High));
        desk.shared_one();
        desk.press(egui::Key::Tab);
    }),
    ("high-contrast-settings", |desk| {
        desk.act(Change::Contrast(Contrast::High));
        open_settings(desk);
    }),
    ("high-contrast-receive", |desk| {
        desk.act(Change::Contrast(Contrast::High));
        desk.paste(COUNTED);
        desk.until_seen("The sender is told");
    }),
    ("high-contrast-who-saw-what", |desk| {
        desk.act(Change::Contrast(Contrast::High));
        desk.shared_one();
        let id = newest(desk);
        desk.act(ModalAction::Open(Modal::WhoSawWhat { id, at: 2 }));
    }),
    ("zoom-90", several),
    ("zoom-200", Desk::shared_one),
    ("zoom-200-settings", open_settings),
    ("german", several),
    ("german-settings", open_settings),
    ("german-join", |desk| {
        desk.backend.invite_with(invitation_info());
        desk.paste(INVITATION);
        desk.until_seen("Wer diese Einladung gemacht hat");
        desk.window.run_steps(4);
    }),
    ("chinese-join", |desk| {
        desk.backend.invite_with(invitation_info());
        desk.paste(INVITATION);
        desk.until_seen("加入“Ann's friends”");
        desk.window.run_steps(4);
    }),
    ("chinese", several),
    ("chinese-receive", |desk| {
        desk.paste(COUNTED);
        desk.until_seen("来自 files.example");
        desk.window.run_steps(4);
    }),
    ("longer", several),
    ("every-widget", |desk| {
        desk.shared_one();
        desk.act(WindowAction::Go(Screen::Gallery));
    }),
    ("high-contrast-widgets", |desk| {
        desk.act(Change::Contrast(Contrast::High));
        desk.shared_one();
        desk.act(WindowAction::Go(Screen::Gallery));
    }),
];

fn newest(desk: &Desk) -> TransferId {
    desk.window.state().model().transfers[0].id
}

fn stage(desk: &Desk) -> Option<Stage> {
    match desk.window.state().model().transfers.first()?.state {
        TransferState::Running(stage) => Some(stage),
        _ => None,
    }
}

fn chosen_server() -> ServerChoice {
    ServerChoice::Server(server("files.example").address)
}

fn hover(desk: &mut Desk, paths: &[PathBuf]) {
    for path in paths {
        let file = egui::HoveredFile {
            path: Some(path.clone()),
            ..Default::default()
        };
        desk.window.input_mut().hovered_files.push(file);
    }
}

/// One that failed, one that is done, one that waits to end; in any language.
fn several(desk: &mut Desk) {
    let failure = Failure::ServerUnreachable;
    let silent = AppError::from(ExchangeError {
        failure,
        tries: 4,
        direct: false,
    });
    desk.backend.fail_next(silent);
    for (name, ends) in [
        ("minutes.odt", true),
        ("report.pdf", true),
        ("holiday-pictures-2026.zip", false),
    ] {
        let file = desk.file(name);
        desk.drop_files(&[file]);
        if ends {
            desk.backend.let_go(1);
            desk.until(|desk| {
                let model = desk.window.state().model();
                model.unfinished() == 0
                    && model
                        .transfers
                        .first()
                        .is_some_and(|row| text::shown_name(&row.name) == name)
            });
        } else {
            desk.until(|desk| matches!(stage(desk), Some(Stage::Upload { .. })));
        }
    }
    // Each row was brought into view as it stood then; now it is the beginning of the page again.
    desk.act(WindowAction::Go(Screen::Share));
    desk.window.run_steps(4);
}

fn invited(desk: &mut Desk, info: InvitationInfo) {
    desk.backend.invite_with(info);
    desk.paste(INVITATION);
    desk.until_seen("Whoever made this invitation");
}

fn joined(desk: &mut Desk, state: NetworkState) {
    desk.backend.join_with(state);
    invited(desk, invitation_info());
    desk.act(JoinAction::Join(JoinChoice::default()));
    desk.backend.let_go(1);
    desk.until_seen("You joined");
}

/// A file that describes a network of Session's kind, dropped on Receive.
fn nodes_file(desk: &mut Desk) {
    desk.act(WindowAction::Go(Screen::Receive));
    let key = key_of(7).to_hex();
    let file = desk.folder.path().join("sispop.toml");
    let text = format!(
        "name = 'Sispop'\nserver = 'http://files.sispop.example#p={key}'\n[[seed]]\nurl = 'https://seed1.sispop.example'\nfingerprint = '{key}'\n[[seed]]\nurl = 'https://seed2.sispop.example'\nfingerprint = '{key}'\n"
    );
    std::fs::write(&file, text).expect("a file");
    desk.drop_files(&[file]);
    desk.until_seen("Join “Sispop”?");
}

/// Session's card, which says what joining means.
fn session_asks(desk: &mut Desk) {
    open_settings(desk);
    desk.act(NodesAction::Open);
    desk.until_seen("Join Session's network?");
    show(desk, "tried with stand-ins");
}

fn session_joined(desk: &mut Desk, state: NetworkState) {
    desk.backend.join_with(state);
    session_asks(desk);
    desk.act(NodesAction::Join(JoinCard::Session));
    desk.backend.let_go(1);
    desk.until_seen("Done");
    show(desk, "Done");
}

fn key_of(seed: u8) -> Ed25519Public {
    Identity::from_seed([seed; 32]).public()
}

fn open_settings(desk: &mut Desk) {
    desk.act(WindowAction::Go(Screen::Settings));
    desk.until(|desk| {
        let model = desk.window.state().model();
        let asked = matches!(
            model.history,
            HistoryStatus::Kept | HistoryStatus::SessionOnly(_)
        );
        asked && model.settings_screen.relays_seen.is_some() && model.shown_list().is_some()
    });
}

/// Scrolls until this is in the window.
fn show(desk: &mut Desk, label: &str) {
    desk.window.run_steps(3);
    {
        let mut nodes = desk.window.query_all_by_label_contains(label);
        nodes.next().expect("it is on the screen").scroll_to_me();
    }
    desk.window.run_steps(8);
}

fn misleading(desk: &mut Desk) {
    *desk.desktop.findings.lock().expect("no panic") = Findings {
        disagreement: Some(Disagreement {
            name_says: Family::Document,
            content_is: Content::WindowsProgram,
        }),
        could_run: true,
    };
    received(desk);
    desk.until(|desk| {
        let row = &desk.window.state().model().transfers[0];
        row.findings.disagreement.is_some()
    });
}

/// How many files are on their way, as far as the backend lets them go.
fn running(desk: &Desk) -> usize {
    let rows = desk.window.state().model().transfers.iter();
    let upload =
        |state: &TransferState| matches!(state, TransferState::Running(Stage::Upload { .. }));
    rows.filter(|row| upload(&row.state)).count()
}

/// A folder on its way in parts.
fn parts(desk: &mut Desk) {
    let moved = PartsMoved {
        done: 360_000_000,
        moving: 20_000_000,
        total: 940_000_000,
    };
    desk.backend.show(vec![Stage::Pad, Stage::Parts(moved)]);
    let folder = desk.folder.path().join("holiday-pictures-2026");
    std::fs::create_dir_all(&folder).expect("a folder");
    let film = std::fs::File::create(folder.join("film.mkv"));
    let sized = film.and_then(|film| film.set_len(940_000_000));
    sized.expect("a large file without content");
    desk.drop_files(&[folder]);
}

fn received(desk: &mut Desk) {
    desk.paste(POINTER);
    desk.until_seen("from files.example");
    desk.act(ReceiveAction::Download);
    desk.backend.let_go(1);
    desk.until(|desk| desk.window.state().model().unfinished() == 0);
}

fn prefer(name: &str) -> Settings {
    let first_start = name == "first-start";
    let kind = name.split('-').next().unwrap_or_default();
    let chosen = if first_start {
        ServerChoice::BuiltIn
    } else {
        chosen_server()
    };
    let list = RelaySource::File(PathBuf::from("/home/ada/relays.json"));
    Settings {
        chosen,
        servers: vec![if name.contains("network") {
            joined_network("Ann's friends")
        } else {
            server("files.example").through(list)
        }],
        welcomed: !first_start,
        mask_pointers: name == "share-masked",
        language: match kind {
            "chinese" => Some(Language::SimplifiedChinese),
            "german" => Some(Language::German),
            "longer" => Some(Language::Longer),
            _ => Some(Language::English),
        },
        zoom: if kind == "zoom" { zoom(name) } else { 100 },
        ..settings()
    }
}

fn zoom(name: &str) -> u16 {
    let number = name.split('-').find_map(|part| part.parse().ok());
    number.unwrap_or(100)
}

#[test]
fn every_screen_looks_as_it_did() {
    if software_renderer().is_none() {
        println!("pictures: skipped, there is no software renderer");
        return;
    }
    let only = std::env::var("ONLY_PICTURE").ok();
    let update = std::env::var_os("UPDATE_PICTURES").is_some();
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("assets/screenshots");
    if !update && !folder.exists() {
        println!("pictures: none are kept yet; UPDATE_PICTURES=1 draws them");
        return;
    }
    std::fs::create_dir_all(&folder).expect("a folder for pictures");
    let mut wrong = Vec::new();
    for (name, go) in SCENES.iter().copied() {
        if only.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        let drawn = draw(name, go);
        let path = folder.join(name).with_extension("png");
        if update {
            std::fs::write(&path, drawn.to_png_bytes().expect("a picture")).expect("written");
            shrink(&path);
            continue;
        }
        let kept = std::fs::read(&path).ok();
        let kept = kept.and_then(|bytes| from_png_bytes(&bytes).ok());
        let different = match &kept {
            None => vec!["there is no picture to compare with".to_owned()],
            Some(kept) => differences(kept, &drawn, name),
        };
        if !different.is_empty() {
            let aside = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.png"));
            std::fs::write(&aside, drawn.to_png_bytes().expect("a picture")).expect("written");
            let different = different.join("; ");
            wrong.push(format!("{name}: {different}; see {}", aside.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn software_renderer() -> Option<RenderState> {
    let made =
        without_words(|| create_render_state(default_wgpu_setup(), RendererOptions::PREDICTABLE));
    made.filter(|state| state.adapter.get_info().device_type == DeviceType::Cpu)
}

/// What it makes; nothing, and no word of it, when it panics. Panics of other threads are said as ever.
fn without_words<T>(make: impl FnOnce() -> T + UnwindSafe) -> Option<T> {
    thread_local! {
        static SILENT: Cell<bool> = const { Cell::new(false) };
    }
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !SILENT.get() {
                usual(panic);
            }
        }));
    });
    SILENT.set(true);
    let made = std::panic::catch_unwind(make);
    SILENT.set(false);
    made.ok()
}

/// Where the four pictures of a scene are on its sheet: left, top, width and height; wide, then narrow, light first.
fn tiles(name: &str) -> [[u32; 4]; 4] {
    let [wide, narrow] = sizes(name);
    let below = wide[1].max(narrow[1]) + GAP;
    let beside = wide[0] + GAP;
    [
        [0, 0, wide[0], wide[1]],
        [0, below, wide[0], wide[1]],
        [beside, 0, narrow[0], narrow[1]],
        [beside, below, narrow[0], narrow[1]],
    ]
}

/// The four pictures of a scene on one sheet.
fn draw(name: &str, go: fn(&mut Desk)) -> IconData {
    let tiles = tiles(name);
    let whole = |from: usize| tiles.iter().map(|tile| tile[from] + tile[from + 2]).max();
    let whole = [0, 1].map(|from| whole(from).unwrap_or(0));
    let mut sheet = Sheet::new(whole[0], whole[1]);
    for pair in tiles.chunks(2) {
        let state = software_renderer().expect("it was there a moment ago");
        let builder = Harness::<Window>::builder()
            .renderer(WgpuTestRenderer::from_render_state(state))
            .with_render_cursor(false)
            .with_theme(egui::Theme::Light);
        let settings = prefer(name);
        let zoom = f32::from(settings.zoom) / 100.0;
        let side = |pixels: u32| f32::from(u16::try_from(pixels).expect("small")) / zoom;
        let [_, _, width, height] = pair[0];
        let size = [side(width), side(height)];
        let keys: Arc<dyn KeyStore> =
            if name == "settings-session-history" || name == "share-without-a-keyring" {
                Arc::new(NoKeyring)
            } else {
                Arc::new(Keyring::default())
            };
        let kept = tempfile::tempdir().expect("a temporary folder");
        if name == "share-after-a-restart" {
            earlier_start(kept.path(), &keys);
        }
        let mut desk = Desk::prepared(builder, settings, size, |_, backend| {
            backend.keep_history(kept.path().to_owned(), keys);
            if name == "share-left" {
                backend.leave_some();
            }
            Opening {
                drops: name != "share-wayland",
                ..Opening::default()
            }
        });
        desk.window.step();
        point(&mut desk);
        go(&mut desk);
        for (theme, tile) in [Theme::Light, Theme::Dark].into_iter().zip(pair) {
            desk.act(Change::Theme(theme));
            desk.window.event(egui::Event::PointerGone);
            desk.window.run_steps(4);
            let image = desk.window.render().expect("a picture");
            sheet.put(tile[0], tile[1], image.width(), image.as_raw());
        }
    }
    sheet.0
}

/// Whoever points sees no ring; scenes in which the keyboard is used press a key.
fn point(desk: &mut Desk) {
    for pressed in [true, false] {
        desk.window.event(egui::Event::PointerButton {
            pos: egui::Pos2::ZERO,
            button: egui::PointerButton::Primary,
            pressed,
            modifiers: egui::Modifiers::NONE,
        });
        desk.window.step();
    }
    desk.window.event(egui::Event::PointerGone);
    desk.window.step();
}

/// The window was open before: it shared one file, received another, and was closed while a third was on its way.
fn earlier_start(kept: &Path, keys: &Arc<dyn KeyStore>) {
    let size = [760.0, 600.0];
    let keys = Arc::clone(keys);
    let mut desk = Desk::prepared(Harness::builder(), prefer(""), size, |_, backend| {
        backend.keep_history(kept.to_owned(), keys);
        Opening::default()
    });
    desk.window.step();
    received(&mut desk);
    desk.shared_one();
    let file = desk.file("holiday.zip");
    desk.drop_files(&[file]);
    desk.until(|desk| {
        let rows = &desk.window.state().model().transfers;
        rows.len() == 3 && rows.iter().all(|row| row.entry.is_some())
    });
}

/// A keyring that refuses.
struct NoKeyring;

impl KeyStore for NoKeyring {
    fn load(&self, _: &KeyId) -> Result<Option<HistoryKey>, KeyStoreError> {
        Err(KeyStoreError::Missing)
    }

    fn keep(&self, _: &KeyId, _: &HistoryKey) -> Result<(), KeyStoreError> {
        Err(KeyStoreError::Missing)
    }

    fn forget(&self, _: &KeyId) -> Result<(), KeyStoreError> {
        Err(KeyStoreError::Missing)
    }
}

struct Sheet(IconData);

impl Sheet {
    fn new(width: u32, height: u32) -> Self {
        Self(IconData {
            rgba: vec![0; (width * height * 4) as usize],
            width,
            height,
        })
    }

    fn put(&mut self, left: u32, top: u32, width: u32, rgba: &[u8]) {
        let row = (width * 4) as usize;
        let stride = (self.0.width * 4) as usize;
        for (y, line) in rgba.chunks(row).enumerate() {
            let at = (top as usize + y) * stride + (left * 4) as usize;
            self.0.rgba[at..at + row].copy_from_slice(line);
        }
    }
}

/// The pictures of a sheet that are not as they were.
fn differences(kept: &IconData, drawn: &IconData, name: &str) -> Vec<String> {
    if (kept.width, kept.height) != (drawn.width, drawn.height) {
        return vec!["the sheet has another size".to_owned()];
    }
    let mut found = Vec::new();
    for [left, top, width, height] in tiles(name) {
        let mut others = 0;
        for y in top..top + height {
            let start = ((y * drawn.width + left) * 4) as usize;
            let line = start..start + (width * 4) as usize;
            let pairs = kept.rgba[line.clone()]
                .chunks(4)
                .zip(drawn.rgba[line].chunks(4));
            let other = |(a, b): &(&[u8], &[u8])| {
                a.iter().zip(*b).any(|(a, b)| a.abs_diff(*b) > SAME_COLOUR)
            };
            others += pairs.filter(other).count();
        }
        let pixels = (width * height) as usize;
        if others * 10_000 > pixels * SAME_PICTURE {
            found.push(format!(
                "{others} of {pixels} pixels of the picture at {left}, {top} differ"
            ));
        }
    }
    found
}

#[test]
fn a_button_that_is_missing_makes_another_picture() {
    let [_, [_, below, _, height], .., [left, top, width, _]] = tiles("share-done");
    let mut sheet = Sheet::new(left + width, below + height);
    let kept = IconData {
        rgba: sheet.0.rgba.clone(),
        ..sheet.0
    };
    let button = [13, 110, 92, 255].repeat(90 * 32);
    sheet.put(left + 20, top + 20, 90, &button);
    assert_eq!(differences(&kept, &sheet.0, "share-done").len(), 1);
}

/// Fewer colours and a tighter file, where the tools for it are installed.
fn shrink(path: &Path) {
    let run = |tool: &str, args: &[&str]| {
        let mut command = std::process::Command::new(tool);
        command.args(args).arg(path).status().ok();
    };
    run(
        "pngquant",
        &[
            "--force",
            "--ext",
            ".png",
            "--skip-if-larger",
            "--speed",
            "1",
            "128",
        ],
    );
    run("optipng", &["-quiet", "-o2"]);
}
