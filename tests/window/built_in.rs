//! The window wired to the real use cases: one whole share and receive through the built-in network.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use cloakroom::app::settings::{Home, Settings, Theme};
use cloakroom::gui::backend::App;
use cloakroom::gui::model::{Listing, Reading, TransferState};
use cloakroom::gui::text;
use cloakroom::gui::window::{Opening, Window};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

use crate::window::desk::Dropped;
use crate::window::desktop::FakeDesktop;

/// A window over the real use cases.
struct RealDesk {
    window: Harness<'static, Window>,
    desktop: Arc<FakeDesktop>,
    woken: Receiver<()>,
}

impl RealDesk {
    fn open(home: &Path) -> Self {
        let desktop = Arc::new(FakeDesktop::default());
        let (backend, platform) = (
            Arc::new(App::new(Home::in_folder(home))),
            Arc::clone(&desktop),
        );
        let (wake, woken) = channel();
        let window = Harness::builder()
            .with_size([760.0, 600.0])
            .with_max_steps(8)
            .with_accessibility_check(true)
            .build_eframe(move |cc| {
                cc.egui_ctx.set_request_repaint_callback(move |_| {
                    wake.send(()).ok();
                });
                Window::new(&cc.egui_ctx, backend, platform, Opening::default()).expect("a window")
            });
        Self {
            window,
            desktop,
            woken,
        }
    }

    /// Steps, each time the worker wakes the window, until it is so.
    fn until(&mut self, so: impl Fn(&Window) -> bool) {
        loop {
            self.window.step();
            if so(self.window.state()) {
                self.window.run_steps(2);
                return;
            }
            let failed = self
                .window
                .state()
                .model()
                .transfers
                .iter()
                .find_map(|transfer| match &transfer.state {
                    TransferState::Failed(message) => Some(message.clone()),
                    _ => None,
                });
            assert!(failed.is_none(), "{failed:?}");
            assert!(
                self.woken.recv_timeout(Duration::from_secs(60)).is_ok(),
                "{:?}",
                self.window
            );
        }
    }

    fn drop_file(&mut self, path: PathBuf) {
        let dropped = Arc::new(Dropped(path));
        self.window.input_mut().dropped_files.push(dropped);
    }

    fn until_shared(&mut self) {
        self.until(|window| {
            matches!(
                window.model().transfers.first().map(|row| &row.state),
                Some(TransferState::Shared(_))
            )
        });
    }

    /// Steps until a transfer failed; what is said of it.
    fn until_failed(&mut self) -> String {
        loop {
            self.window.step();
            let transfers = &self.window.state().model().transfers;
            if let Some(TransferState::Failed(trouble)) = transfers.first().map(|row| &row.state) {
                let words = text::trouble(trouble);
                return format!("{} {} {}", words.what, words.why, words.next);
            }
            assert!(
                self.woken.recv_timeout(Duration::from_secs(60)).is_ok(),
                "{:?}",
                self.window
            );
        }
    }

    fn sees(&self, words: &str) -> bool {
        let mut found = self.window.query_all_by_label_contains(words);
        found.next().is_some()
    }

    fn click(&mut self, label: &str) {
        self.window.get_by_label(label).click();
        self.window.run_steps(2);
    }
}

/// What the worker's thread does in its own time.
fn soon<T>(look: impl Fn() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "it never came");
        std::thread::yield_now();
    }
}

fn welcomed(home: &Path, downloads: &Path) {
    let config = Settings {
        welcomed: true,
        download_folder: Some(downloads.to_owned()),
        ..Settings::default()
    };
    config
        .save(&Home::in_folder(home))
        .expect("settings in a temporary folder");
}

#[test]
fn a_dropped_file_is_shared_and_its_pointer_brings_it_back_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    let downloads = folder.path().join("downloads");
    std::fs::create_dir(&downloads).unwrap();
    welcomed(&home, &downloads);
    let file = folder.path().join("report.pdf");
    let content: Vec<u8> = (0..300_000_u32)
        .map(|at| u8::try_from(at * 7 % 251).unwrap())
        .collect();
    std::fs::write(&file, &content).unwrap();

    let mut desk = RealDesk::open(&home);
    desk.drop_file(file);
    desk.until_shared();
    let TransferState::Shared(shared) = &desk.window.state().model().transfers[0].state else {
        unreachable!("just seen")
    };
    assert!(shared.builtin);
    assert_eq!(shared.blob_len, 393_216);
    assert!(
        desk.window
            .query_by_label("Copy pointer report.pdf")
            .is_none(),
        "it works on this computer only, and says so"
    );
    desk.click("Copy (works only on this computer) report.pdf");
    let pointer = soon(|| desk.desktop.copied.lock().unwrap().pop());
    drop(desk);

    // A second start: the same ports and keys.
    let mut desk = RealDesk::open(&home);
    desk.window
        .event(egui::Event::Paste(format!("here it is:\n{pointer}.")));
    desk.until(|window| matches!(window.model().receive.reading, Reading::Known(_)));
    desk.window.step();
    assert!(
        desk.window
            .query_all_by_label_contains("report.pdf")
            .next()
            .is_some(),
        "says what it is before it is fetched"
    );
    assert!(
        desk.window.state().model().transfers.is_empty(),
        "and fetches nothing by itself"
    );
    desk.click("Download");
    desk.until(|window| {
        matches!(
            window.model().transfers.first().map(|row| &row.state),
            Some(TransferState::Received(_))
        )
    });
    assert_eq!(
        std::fs::read(downloads.join("report.pdf")).unwrap(),
        content
    );
    desk.click("Show in folder report.pdf");
    let shown = soon(|| desk.desktop.revealed.lock().unwrap().pop());
    assert_eq!(shown, downloads.join("report.pdf"));
}

#[test]
fn a_dropped_folder_is_looked_into_and_some_of_it_taken() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    let downloads = folder.path().join("downloads");
    std::fs::create_dir(&downloads).unwrap();
    welcomed(&home, &downloads);
    let holidays = folder.path().join("holidays");
    std::fs::create_dir_all(holidays.join("day 1")).unwrap();
    for (path, content) in [("day 1/beach.txt", "sunny"), ("day 1/rain.txt", "wet")] {
        std::fs::write(holidays.join(path), content).unwrap();
    }

    let mut desk = RealDesk::open(&home);
    desk.drop_file(holidays);
    desk.until_shared();
    desk.click("Copy (works only on this computer) holidays");
    let pointer = soon(|| desk.desktop.copied.lock().unwrap().pop());
    desk.window.event(egui::Event::Paste(pointer));
    desk.until(|window| matches!(window.model().receive.reading, Reading::Known(_)));
    desk.window.step();
    desk.click("Show what is in it");
    desk.until(|window| matches!(window.model().receive.listing, Some(Listing::Folder(_))));
    desk.click("day 1/beach.txt, 5 bytes");
    desk.click("Download");
    desk.until(|window| {
        matches!(
            window.model().transfers.first().map(|row| &row.state),
            Some(TransferState::Received(_))
        )
    });
    let saved = downloads.join("holidays/day 1");
    assert_eq!(std::fs::read(saved.join("rain.txt")).unwrap(), b"wet");
    assert!(!saved.join("beach.txt").exists(), "it was not wanted");
}

#[test]
fn with_settings_that_cannot_be_read_nothing_is_sent_until_the_person_chose() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    welcomed(&home, folder.path());
    let desk = RealDesk::open(&home);
    assert_eq!(desk.window.state().model().settings.theme, Theme::System);
    drop(desk);

    let file = Home::in_folder(&home).config_file();
    let broken = "version = 1\nproxy = \"socks5://127.0.0.1:1\"\ntheme = \"purple\"\n";
    std::fs::write(&file, broken).unwrap();
    let report = folder.path().join("report.pdf");
    std::fs::write(&report, b"content").unwrap();
    // No start is quieter than the one before.
    for _start in 0..2 {
        let mut desk = RealDesk::open(&home);
        desk.window.run_steps(2);
        assert!(desk.sees("settings cannot be read") && desk.sees("Line 3"));
        assert!(!desk.sees("take a ticket"), "it is no first start");
        desk.drop_file(report.clone());
        let trouble = desk.until_failed();
        assert!(trouble.contains("nothing is sent"), "{trouble}");
        let stored = home.join("builtin/store/blob");
        let stored = std::fs::read_dir(stored).into_iter().flatten().flatten();
        assert_eq!(stored.filter(|entry| entry.path().is_dir()).count(), 0);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), broken);
    }

    let mut desk = RealDesk::open(&home);
    desk.window.run_steps(2);
    desk.click("Use default settings");
    desk.until(|window| {
        let notice = window.model().notice.as_ref();
        notice.is_some_and(|notice| {
            text::window_message(&notice.message)
                .what
                .contains("default settings are in use")
        })
    });
    soon(|| file.exists().then_some(()));
    let aside = file.with_extension("toml.broken");
    assert_eq!(std::fs::read_to_string(aside).unwrap(), broken);
    desk.drop_file(report);
    desk.until_shared();
}

#[test]
fn settings_that_were_mended_meanwhile_are_used_and_not_put_aside() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    welcomed(&home, folder.path());
    let file = Home::in_folder(&home).config_file();
    let good = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, "theme = [").unwrap();
    let mut desk = RealDesk::open(&home);
    desk.window.run_steps(2);
    assert!(desk.sees("settings cannot be read"));
    let mended = good.replace("zoom = 100", "zoom = 117");
    std::fs::write(&file, mended).unwrap();
    desk.click("Use default settings");
    desk.until(|window| window.model().settings.zoom == 117);
    assert!(!file.with_extension("toml.broken").exists());
    let report = folder.path().join("report.pdf");
    std::fs::write(&report, b"content").unwrap();
    desk.drop_file(report);
    desk.until_shared();
}

#[test]
fn a_newer_versions_settings_are_neither_used_nor_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    welcomed(&home, folder.path());
    let file = Home::in_folder(&home).config_file();
    let newer = "version = 4\nproxy = \"elsewhere\"\n";
    std::fs::write(&file, newer).unwrap();
    let mut desk = RealDesk::open(&home);
    desk.window.run_steps(2);
    assert!(desk.sees("newer version"));
    desk.click("Use default settings");
    desk.until(|window| {
        let notice = window.model().notice.as_ref();
        notice.is_some_and(|notice| {
            text::window_message(&notice.message)
                .why
                .contains("until you quit")
        })
    });
    let report = folder.path().join("report.pdf");
    std::fs::write(&report, b"content").unwrap();
    desk.drop_file(report);
    desk.until_shared();
    drop(desk);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), newer);
}
