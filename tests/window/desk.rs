//! The window on a desk: what a test does to it, by label and role.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cloakroom::app::settings::Settings;
use cloakroom::gui::model::{Action, ReceiveAction};
use cloakroom::gui::window::{Opening, Window};
use cloakroom::protocol::keys::Identity;
use cloakroom::protocol::relay_list::{RelayDescriptor, RelayList, Serves};
use egui::{Event, Key};
use egui_kittest::kittest::{By, NodeT as _, Queryable as _};
use egui_kittest::{Harness, HarnessBuilder};

use crate::window::desktop::{FakeBackend, FakeDesktop, LEN, POINTER, no_answer, settings};

pub(crate) struct Desk {
    pub(crate) window: Harness<'static, Window>,
    pub(crate) backend: Arc<FakeBackend>,
    pub(crate) desktop: Arc<FakeDesktop>,
    pub(crate) folder: tempfile::TempDir,
}

/// A file that was dropped on the window.
#[derive(Debug)]
pub(crate) struct Dropped(pub(crate) PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("read from its path".to_owned())
    }
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self::with(settings(), [760.0, 600.0], |_| Opening::default())
    }

    pub(crate) fn with(
        settings: Settings,
        size: [f32; 2],
        opening: impl FnOnce(&Path) -> Opening,
    ) -> Self {
        Self::built(Harness::builder(), settings, size, opening)
    }

    /// On a harness of another kind, such as one that draws pictures.
    pub(crate) fn built(
        builder: HarnessBuilder<Window>,
        settings: Settings,
        size: [f32; 2],
        opening: impl FnOnce(&Path) -> Opening,
    ) -> Self {
        Self::prepared(builder, settings, size, |folder, _| opening(folder))
    }

    /// With something done to the backend before the window asks it.
    pub(crate) fn prepared(
        builder: HarnessBuilder<Window>,
        settings: Settings,
        size: [f32; 2],
        opening: impl FnOnce(&Path, &FakeBackend) -> Opening,
    ) -> Self {
        let backend = FakeBackend::new(settings);
        let told = Arc::clone(&backend);
        Self::over(builder, backend, size, |folder| opening(folder, &told))
    }

    /// On a backend that was told something already.
    pub(crate) fn over(
        builder: HarnessBuilder<Window>,
        backend: Arc<FakeBackend>,
        size: [f32; 2],
        opening: impl FnOnce(&Path) -> Opening,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let desktop = Arc::new(FakeDesktop::default());
        let opening = opening(folder.path());
        let (b, d) = (Arc::clone(&backend), Arc::clone(&desktop));
        let window = builder
            .with_size(size)
            .with_max_steps(8)
            .with_accessibility_check(true)
            .build_eframe(move |cc| {
                Window::new(&cc.egui_ctx, b, d, opening).expect("a worker thread")
            });
        Self {
            window,
            backend,
            desktop,
            folder,
        }
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        let file = std::fs::File::create(&path).expect("a file");
        file.set_len(LEN).expect("as long as that");
        path
    }

    /// A relay list in a file, as people hand it to each other.
    pub(crate) fn relay_list(&self) -> PathBuf {
        let relays = [1, 2, 3].map(|seed| RelayDescriptor {
            key: Identity::from_seed([seed; 32]).public(),
            host: [198, 51, 100, seed].into(),
            port: 22_021,
            operator: String::new(),
            serves: Serves::Any,
        });
        let list = RelayList::join("ours", 1, 2, relays.into()).expect("a list");
        let path = self.folder.path().join("relays.json");
        std::fs::write(&path, list.to_json()).expect("it can be written");
        path
    }

    pub(crate) fn drop_files(&mut self, paths: &[PathBuf]) {
        for path in paths {
            self.window
                .input_mut()
                .dropped_files
                .push(Arc::new(Dropped(path.clone())));
        }
        self.window.step();
    }

    pub(crate) fn drop_report(&mut self) {
        let file = self.file("report.pdf");
        self.drop_files(&[file]);
    }

    /// What a widget asks for when a person uses it, without the widget.
    pub(crate) fn act(&mut self, action: impl Into<Action>) {
        let ctx = self.window.ctx.clone();
        self.window.state_mut().take(&ctx, action);
        self.window.run_steps(3);
    }

    /// Steps until it is so; the worker's thread needs its time.
    pub(crate) fn until(&mut self, so: impl Fn(&Self) -> bool) {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            self.window.step();
            if so(self) {
                return;
            }
            assert!(
                Instant::now() < end,
                "it never came to this; the window says:\n{}",
                self.said()
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// What a screen reader finds, a line each.
    fn said(&self) -> String {
        let nodes = self.window.query_all(By::new());
        let said = nodes.filter_map(|node| {
            let node = node.accesskit_node();
            Some(format!("{:?} {}", node.role(), node.label()?))
        });
        said.collect::<Vec<_>>().join("\n")
    }

    pub(crate) fn until_seen(&mut self, label: &str) {
        self.until(|desk| desk.sees(label));
    }

    pub(crate) fn sees(&self, label: &str) -> bool {
        self.window
            .query_all_by_label_contains(label)
            .next()
            .is_some()
    }

    /// Brings the widget of this name into view, as a person would, and clicks on it.
    pub(crate) fn click(&mut self, label: &str) {
        // Where it will stay: what has just happened may move it with the next frame.
        self.window.run_steps(2);
        self.bring(By::new().label(label));
        self.window.get_by_label(label).click();
        self.window.step();
        self.window.step();
    }

    /// Scrolls until the last such widget is in the window, below the bar, if it is not.
    pub(crate) fn bring(&mut self, by: By<'_>) {
        let mut view = self.window.ctx.content_rect();
        view.min.y += 56.0;
        let nodes = self.window.query_all(by);
        let node = nodes.last().expect("a widget of this name");
        if !view.contains_rect(node.rect()) {
            node.scroll_to_me();
            self.window.run_steps(4);
        }
    }

    pub(crate) fn press(&mut self, key: Key) {
        self.window.key_press(key);
        self.window.step();
    }

    pub(crate) fn paste(&mut self, text: &str) {
        self.window.event(Event::Paste(text.to_owned()));
        self.window.step();
        self.window.step();
    }

    /// Name of the widget that has the keyboard.
    pub(crate) fn focused(&self) -> Option<String> {
        let mut nodes = self
            .window
            .query_all(By::new().predicate(|node| node.is_focused()));
        nodes.next().and_then(|node| node.accesskit_node().label())
    }

    pub(crate) fn shared_one(&mut self) {
        let shared = |desk: &Self| {
            let rows = &desk.window.state().model().transfers;
            let shared = rows.iter().filter(|row| row.pointer().is_some());
            shared.count()
        };
        let before = shared(self);
        self.drop_report();
        self.until_seen("Uploading");
        self.backend.let_go(1);
        self.until(|desk| shared(desk) > before);
    }

    /// A transfer that failed since the server gave no answer.
    pub(crate) fn failed_one(&mut self) {
        self.backend.fail_next(no_answer());
        self.drop_report();
        self.backend.let_go(1);
        self.until_seen("could not be reached");
    }

    /// A file is received; when it is there depends on the worker.
    pub(crate) fn receive_one(&mut self) {
        self.paste(POINTER);
        self.until(|desk| desk.focused().as_deref() == Some("Download"));
        self.act(ReceiveAction::Download);
        self.backend.let_go(1);
    }
}
