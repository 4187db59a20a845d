//! What the window keeps from start to start, asks before it opens a file, and has the desktop say.

use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

use cloakroom::app::kept::keystore::{HistoryKey, KeyId, KeyStore, KeyStoreError};
use cloakroom::app::received::content_type::{Content, Disagreement, Family, Findings};
use cloakroom::gui::window::Opening;
use egui::{Key, ViewportId};
use egui_kittest::Harness;
use egui_kittest::kittest::{AccessKitNode, By, Queryable as _};

use crate::window::desk::Desk;
use crate::window::desktop::{FakeBackend, Keyring, POINTER, settings};

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

/// A window whose history, if it keeps one, is in this folder under a key of these.
fn start_window(history: Option<(&Path, Arc<dyn KeyStore>)>) -> Desk {
    let backend = FakeBackend::new(settings());
    if let Some((folder, keys)) = history {
        backend.keep_history(folder.to_owned(), keys);
    }
    let size = [760.0, 600.0];
    Desk::over(Harness::builder(), backend, size, |_| Opening::default())
}

/// Whether a widget has these words in its name, or in what a screen reader says after it.
fn says(desk: &Desk, words: &str) -> bool {
    let described = |node: &AccessKitNode<'_>| {
        let about = node.data().description();
        about.is_some_and(|about| about.contains(words))
    };
    let mut about = desk.window.query_all(By::new().predicate(described));
    desk.sees(words) || about.next().is_some()
}

fn opened(desk: &Desk) -> usize {
    desk.desktop.opened.lock().expect("no panic").len()
}

/// A file that is still there when the window starts again.
fn drop_kept_report(desk: &mut Desk, folder: &Path) {
    let path = folder.join("report.pdf");
    std::fs::write(&path, vec![7; 2_500]).expect("a file");
    desk.drop_files(&[path]);
}

fn share(desk: &mut Desk, folder: &Path) {
    drop_kept_report(desk, folder);
    desk.backend.let_go(1);
    desk.until_seen("kept until");
}

fn receive(desk: &mut Desk) {
    desk.receive_one();
    desk.until_seen("report (1).pdf");
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
    let mut desk = start_window(None);
    *desk.desktop.findings.lock().expect("no panic") = PROGRAM;
    receive(&mut desk);
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
    assert_eq!(opened(&desk), 0);

    desk.click("Open report (1).pdf");
    desk.until_seen("Open anyway");
    desk.click("Open anyway");
    desk.until(|desk| opened(desk) == 1);
}

#[test]
fn an_interrupted_transfer_is_a_row_after_a_restart_and_waits_for_the_person() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let keys: Arc<Keyring> = Arc::default();
    let start = || start_window(Some((&data, Arc::clone(&keys) as Arc<dyn KeyStore>)));
    let mut desk = start();
    drop_kept_report(&mut desk, folder.path());
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
    let start = || start_window(Some((&data, Arc::clone(&keys) as Arc<dyn KeyStore>)));
    let mut desk = start();
    share(&mut desk, folder.path());
    drop(desk);

    let mut desk = start();
    desk.until_seen("report.pdf");
    desk.click("Copy (works only on this computer) report.pdf");
    desk.until(|desk| desk.desktop.copied.lock().expect("no panic").len() == 1);
    assert_eq!(desk.desktop.copied.lock().expect("no panic")[0], POINTER);

    desk.click("Settings");
    desk.until(|desk| says(desk, "sealed under a key in this system's keyring"));
    let exported = folder.path().join("history.json");
    *desk.desktop.files.lock().expect("no panic") = vec![exported.clone()];
    desk.click("Export, with keys");
    desk.until(|_| std::fs::read_to_string(&exported).is_ok_and(|text| text.contains(POINTER)));
    // What is said of it moves the page.
    desk.until_seen("1 transfer was written to the file.");
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
    desk.until(|desk| says(desk, "sealed under a key"));
    assert!(desk.window.state().model().transfers.is_empty());
}

#[test]
fn the_first_frame_and_a_share_wait_for_no_keyring() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let keys: Arc<Keyring> = Arc::default();
    let mut desk = start_window(Some((folder.path(), keys)));
    share(&mut desk, folder.path());
    drop(desk);

    let (answer, hang) = channel();
    let hanging = Arc::new(Hanging(Mutex::new(hang)));
    let mut desk = start_window(Some((folder.path(), hanging)));
    desk.window.step();
    assert!(
        desk.sees("Drop files or folders anywhere"),
        "the first frame is drawn"
    );
    share(&mut desk, folder.path());
    desk.click("Settings");
    assert!(says(&desk, "Waiting for this system's keyring."));
    drop(answer);
    desk.until(|desk| says(desk, "Only until you quit"));
}

#[test]
fn the_desktop_says_that_a_transfer_ended_while_the_window_is_behind() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut desk = start_window(None);
    let front = |desk: &mut Desk, front: bool| {
        let viewports = &mut desk.window.input_mut().viewports;
        viewports.entry(ViewportId::ROOT).or_default().focused = Some(front);
        desk.window.step();
    };
    front(&mut desk, true);
    share(&mut desk, folder.path());
    front(&mut desk, false);
    receive(&mut desk);
    desk.until(|desk| desk.desktop.notified.lock().expect("no panic").len() == 1);
    let said = desk.desktop.notified.lock().expect("no panic").clone();
    assert_eq!(said[0].title, "A file has arrived");
    assert!(!said[0].body.contains("report"));
}
