//! What the window keeps from start to start, asks before it opens a file, and has the desktop say.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cloakroom::app::kept::keystore::{HistoryKey, KeyId, KeyStore, KeyStoreError};
use cloakroom::app::received::content_type::{Content, Disagreement, Family, Findings};
use cloakroom::gui::window::{Opening, Window};
use egui::{Event, Key, ViewportId};
use egui_kittest::Harness;
use egui_kittest::kittest::{AccessKitNode, By, Queryable as _};

use crate::window::desktop::{FakeBackend, FakeDesktop, Keyring, POINTER, settings};

#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("read from its path".to_owned())
    }
}

/// A keyring that asks somebody who does not answer.
struct Hanging(Mutex<Receiver<()>>);

impl KeyStore for Hanging {
    fn load(&self, _: &KeyId) -> Result<Option<HistoryKey>, KeyStoreError> {
        self.0.lock().expect("no panic").recv().ok();
        Err(KeyStoreError::Refused)
    }

    fn keep(&self, id: &KeyId, _: &HistoryKey) -> Result<(), KeyStoreError> {
        self.load(id).map(drop)
    }

    fn forget(&self, id: &KeyId) -> Result<(), KeyStoreError> {
        self.load(id).map(drop)
    }
}

struct Desk {
    window: Harness<'static, Window>,
    backend: Arc<FakeBackend>,
    desktop: Arc<FakeDesktop>,
}

impl Desk {
    fn new(history: Option<(&Path, Arc<dyn KeyStore>)>) -> Self {
        let backend = FakeBackend::new(settings());
        if let Some((folder, keys)) = history {
            backend.keep_history(folder.to_owned(), keys);
        }
        let desktop = Arc::new(FakeDesktop::default());
        let (b, d) = (Arc::clone(&backend), Arc::clone(&desktop));
        let window = Harness::builder()
            .with_size([760.0, 600.0])
            .with_max_steps(8)
            .with_accessibility_check(true)
            .build_eframe(move |cc| {
                Window::new(&cc.egui_ctx, b, d, Opening::default()).expect("a worker thread")
            });
        Self {
            window,
            backend,
            desktop,
        }
    }

    /// As a name, or as what a screen reader says after it.
    fn sees(&self, words: &str) -> bool {
        let mut found = self.window.query_all_by_label_contains(words);
        let described = |node: &AccessKitNode<'_>| {
            let about = node.data().description();
            about.is_some_and(|about| about.contains(words))
        };
        let mut about = self.window.query_all(By::new().predicate(described));
        found.next().is_some() || about.next().is_some()
    }

    fn until(&mut self, so: impl Fn(&Self) -> bool) {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            self.window.step();
            if so(self) {
                return;
            }
            assert!(
                Instant::now() < end,
                "it never came to this:\n{:?}",
                self.window
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn until_seen(&mut self, label: &str) {
        self.until(|desk| desk.sees(label));
    }

    fn click(&mut self, label: &str) {
        let button = self.window.get_by_label(label);
        button.scroll_to_me();
        self.window.run_steps(4);
        self.window.get_by_label(label).click();
        self.window.step();
        self.window.step();
    }

    fn opened(&self) -> usize {
        self.desktop.opened.lock().expect("no panic").len()
    }

    fn drop_report(&mut self, folder: &Path) {
        let path = folder.join("report.pdf");
        std::fs::write(&path, vec![7; 2_500]).expect("a file");
        let files = &mut self.window.input_mut().dropped_files;
        files.push(Arc::new(Dropped(path)));
    }

    fn share(&mut self, folder: &Path) {
        self.drop_report(folder);
        self.backend.let_go(1);
        self.until_seen("kept until");
    }

    fn receive(&mut self) {
        self.window.event(Event::Paste(POINTER.to_owned()));
        self.until_seen("from files.example");
        self.backend.let_go(1);
        self.click("Download");
        self.until_seen("report (1).pdf");
    }
}

const PROGRAM: Findings = Findings {
    disagreement: Some(Disagreement {
        name_says: Family::Document,
        content_is: Content::WindowsProgram,
    }),
    could_run: true,
};

#[test]
fn a_program_under_another_name_is_told_and_opened_only_after_asking() {
    let mut desk = Desk::new(None);
    *desk.desktop.findings.lock().expect("no panic") = PROGRAM;
    desk.receive();
    desk.until_seen("This file is not what its name says.");
    assert!(desk.sees("By its name it is a document, by its content a program for Windows."));

    desk.click("Open report (1).pdf");
    desk.until_seen("This file could run a program");
    // The answer that Enter gives is the harmless one.
    desk.window.key_press(Key::Enter);
    desk.until(|desk| !desk.sees("This file could run a program"));
    desk.click("Open report (1).pdf");
    desk.until_seen("This file could run a program");
    desk.window.key_press(Key::Escape);
    desk.until(|desk| !desk.sees("This file could run a program"));
    assert_eq!(desk.opened(), 0);

    desk.click("Open report (1).pdf");
    desk.until_seen("Open anyway");
    desk.click("Open anyway");
    desk.until(|desk| desk.opened() == 1);
}

#[test]
fn an_interrupted_transfer_is_a_row_after_a_restart_and_waits_for_the_person() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let keys: Arc<Keyring> = Arc::default();
    let start = || Desk::new(Some((&data, Arc::clone(&keys) as Arc<dyn KeyStore>)));
    let mut desk = start();
    desk.drop_report(folder.path());
    desk.until(|_| data.join("history.sealed").exists());
    drop(desk);

    let mut desk = start();
    desk.until_seen("Interrupted");
    assert!(
        desk.backend.shares().is_empty(),
        "nothing is sent by itself"
    );
    desk.backend.let_go(1);
    desk.click("Retry report.pdf");
    desk.until_seen("kept until");
    drop(desk);

    let mut desk = start();
    desk.until_seen("kept until");
    assert!(!desk.sees("Interrupted"));
    assert_eq!(desk.window.state().model().transfers.len(), 1);
}

#[test]
fn kept_transfers_are_there_after_a_restart_until_they_are_wiped() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let keys: Arc<Keyring> = Arc::default();
    let start = || Desk::new(Some((&data, Arc::clone(&keys) as Arc<dyn KeyStore>)));
    let mut desk = start();
    desk.share(folder.path());
    drop(desk);

    let mut desk = start();
    desk.until_seen("report.pdf");
    desk.click("Copy (works only on this computer) report.pdf");
    desk.until(|desk| desk.desktop.copied.lock().expect("no panic").len() == 1);
    assert_eq!(desk.desktop.copied.lock().expect("no panic")[0], POINTER);

    desk.click("Settings");
    desk.until_seen("sealed under a key in this system's keyring");
    let exported = folder.path().join("history.json");
    *desk.desktop.files.lock().expect("no panic") = vec![exported.clone()];
    desk.click("Export, with keys");
    desk.until(|_| std::fs::read_to_string(&exported).is_ok_and(|text| text.contains(POINTER)));
    desk.click("Wipe history");
    desk.until_seen("Wipe the history?");
    desk.window.key_press(Key::Enter);
    desk.until(|desk| !desk.sees("Wipe the history?"));
    assert!(data.join("history.sealed").exists(), "Enter wipes nothing");
    desk.click("Wipe history");
    desk.until_seen("Wipe the history?");
    let answer = desk.window.get_all_by_label("Wipe history").last();
    answer.expect("an answer").click();
    desk.until_seen("The history was wiped.");
    assert!(!data.join("history.sealed").exists());
    assert!(keys.0.lock().expect("no panic").is_empty());
    assert!(desk.window.state().model().transfers.is_empty());
    drop(desk);

    let mut desk = start();
    desk.click("Settings");
    desk.until_seen("sealed under a key");
    assert!(desk.window.state().model().transfers.is_empty());
}

#[test]
fn the_first_frame_and_a_share_wait_for_no_keyring() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let keys: Arc<Keyring> = Arc::default();
    let mut desk = Desk::new(Some((folder.path(), keys)));
    desk.share(folder.path());
    drop(desk);

    let (answer, hang) = channel();
    let hanging = Arc::new(Hanging(Mutex::new(hang)));
    let mut desk = Desk::new(Some((folder.path(), hanging)));
    desk.window.step();
    assert!(desk.sees("Drop files anywhere"), "the first frame is drawn");
    desk.share(folder.path());
    desk.click("Settings");
    assert!(desk.sees("Waiting for this system's keyring."));
    drop(answer);
    desk.until_seen("Only until you quit");
}

#[test]
fn the_desktop_says_that_a_transfer_ended_while_the_window_is_behind() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut desk = Desk::new(None);
    let front = |desk: &mut Desk, front: bool| {
        let viewports = &mut desk.window.input_mut().viewports;
        viewports.entry(ViewportId::ROOT).or_default().focused = Some(front);
        desk.window.step();
    };
    front(&mut desk, true);
    desk.share(folder.path());
    front(&mut desk, false);
    desk.receive();
    desk.until(|desk| desk.desktop.notified.lock().expect("no panic").len() == 1);
    let said = desk.desktop.notified.lock().expect("no panic").clone();
    assert_eq!(said[0].title, "A file has arrived");
    assert!(!said[0].body.contains("report"));
}
