//! A picture of every screen and state, drawn by a software renderer: at 760x600 and 420x420, light and dark, four to
//! a sheet in `assets/screenshots`. Each is compared with the one that is kept.
//!
//! `UPDATE_PICTURES=1 cargo test --test pictures` draws them anew. Without a software renderer nothing is compared.
#![cfg(feature = "gui")]

#[path = "support/desk.rs"]
#[allow(dead_code, reason = "shared with other tests of the window")]
mod desk;
#[path = "support/desktop.rs"]
#[allow(dead_code, reason = "shared with other tests of the window")]
mod desktop;

use std::path::PathBuf;

use cloakroom::app::message::{Remedy, UserMessage};
use cloakroom::gui::model::{
    Action, Contrast, Count, Manage, Modal, Preferences, RelayList, RelayOrigin, Screen,
    ServerChoice, ShareOptions, Stage, Theme,
};
use cloakroom::gui::window::{Opening, Window};
use desk::Desk;
use desktop::{POINTER, message, preferences, server};
use eframe::egui_wgpu::{RenderState, RendererOptions};
use eframe::icon_data::{IconDataExt as _, from_png_bytes};
use eframe::wgpu::DeviceType;
use egui::{IconData, Vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{By, Queryable as _};
use egui_kittest::wgpu::{WgpuTestRenderer, create_render_state, default_wgpu_setup};

/// Wide and narrow; taller where a page is longer than the window.
fn sizes(name: &str) -> [[u32; 2]; 2] {
    match name {
        "every-widget" => [[760, 1_900], [420, 420]],
        "settings-whole" => [[760, 2_000], [420, 420]],
        _ => [[760, 600], [420, 420]],
    }
}

const GAP: u32 = 8;
/// A channel of a pixel that differs by more than this is another colour.
const SAME_COLOUR: u8 = 40;
/// So many of ten thousand pixels may be another colour: drivers soften edges each in their way.
const SAME_PICTURE: usize = 60;

/// A name, and what brings the window there.
type Scene = (&'static str, fn(&mut Desk));

const SCENES: [Scene; 41] = [
    ("share-empty", |_| {}),
    ("first-start", |desk| {
        act(desk, Action::Open(Modal::About));
        desk.press(egui::Key::Escape);
    }),
    ("share-hovering", |desk| {
        let path = desk.file("report.pdf");
        desk.window
            .input_mut()
            .hovered_files
            .push(egui::HoveredFile {
                path: Some(path),
                ..Default::default()
            });
        desk.until_seen("Drop to share report.pdf");
    }),
    ("share-running", |desk| {
        let names = ["holiday-pictures-2026.zip", "report.pdf", "minutes.odt"];
        let files: Vec<PathBuf> = names.iter().map(|name| desk.file(name)).collect();
        desk.drop_files(&files);
        desk.until(|desk| running(desk) >= 2);
    }),
    ("share-done", |desk| desk.shared_one()),
    ("share-copied", |desk| {
        desk.shared_one();
        desk.click("Copy pointer");
        desk.until_seen("Copied");
    }),
    ("share-built-in", |desk| {
        act(desk, Action::UseServer(ServerChoice::BuiltIn));
        desk.shared_one();
    }),
    ("share-failed", |desk| {
        desk.backend
            .fail_next(message("files.example did not answer."));
        let file = desk.file("report.pdf");
        desk.drop_files(&[file]);
        desk.backend.let_go(1);
        desk.until_seen("did not answer");
        let file = desk.file("minutes.odt");
        desk.drop_files(&[file]);
        desk.until_seen("Uploading");
        desk.click("Cancel minutes.odt");
    }),
    ("share-without-relays", |desk| {
        act(desk, Action::ForgetRelayList);
    }),
    ("row-menu", |desk| {
        desk.shared_one();
        desk.click("More about report.pdf");
    }),
    ("receive-empty", |desk| {
        act(desk, Action::Go(Screen::Receive));
    }),
    ("receive-valid", |desk| {
        desk.paste(POINTER);
        desk.until_seen("from files.example");
    }),
    ("receive-damaged", |desk| {
        desk.paste("cloak1short");
        desk.until_seen("cut short");
    }),
    ("receive-blocked", |desk| {
        desk.paste(&format!("foreign {POINTER}"));
        desk.until_seen("another computer");
    }),
    ("receive-no-relays", |desk| {
        desk.paste(&format!("relayless {POINTER}"));
        desk.until_seen("No relay of yours");
    }),
    ("receive-counted", |desk| {
        desk.paste(&format!("counted {POINTER}"));
        desk.until_seen("The sender is told");
    }),
    ("share-options", |desk| {
        act(desk, Action::ShowOptions(true));
        let options = ShareOptions {
            count: Count::Limit(5),
            ..ShareOptions::default()
        };
        act(desk, Action::SetOptions(options));
    }),
    ("share-deleted", |desk| {
        desk.shared_one();
        let id = desk.window.state().model().transfers[0].id;
        act(desk, Action::Manage(id, Manage::Delete));
        desk.until_seen("copy is gone");
    }),
    ("share-delete-question", |desk| {
        desk.shared_one();
        let id = desk.window.state().model().transfers[0].id;
        act(desk, Action::Open(Modal::Delete(id)));
    }),
    ("receive-downloading", |desk| {
        desk.backend.show(vec![Stage::Download { fraction: 0.5 }]);
        desk.paste(POINTER);
        desk.until_seen("from files.example");
        desk.click("Download");
        desk.until_seen("Downloading, 50 %");
    }),
    ("receive-verified", received),
    ("receive-failed", |desk| {
        desk.backend
            .fail_next(message("The file does not match its pointer."));
        desk.paste(POINTER);
        desk.until_seen("from files.example");
        desk.click("Download");
        desk.backend.let_go(1);
        desk.until_seen("does not match");
    }),
    ("who-saw-what", |desk| {
        desk.shared_one();
        let id = desk.window.state().model().transfers[0].id;
        act(desk, Action::Open(Modal::WhoSawWhat { id, at: 2 }));
    }),
    ("who-saw-what-received", |desk| {
        received(desk);
        let id = desk.window.state().model().transfers[0].id;
        act(desk, Action::Open(Modal::WhoSawWhat { id, at: 0 }));
    }),
    ("who-saw-what-proxy", |desk| {
        act(desk, Action::ProxyEdited("socks5://127.0.0.1:9050".into()));
        act(desk, Action::UseProxy);
        desk.shared_one();
        let id = desk.window.state().model().transfers[0].id;
        act(desk, Action::Open(Modal::WhoSawWhat { id, at: 1 }));
    }),
    ("qr", |desk| {
        desk.shared_one();
        let id = desk.window.state().model().transfers[0].id;
        act(desk, Action::Open(Modal::Qr(id)));
    }),
    ("settings", |desk| act(desk, Action::Go(Screen::Settings))),
    ("settings-whole", |desk| {
        act(desk, Action::Go(Screen::Settings));
        act(desk, Action::ShowRelays(true));
        desk.until_seen("guard since");
    }),
    ("settings-access-word", |desk| {
        let address = server("files.example").address;
        act(desk, Action::Go(Screen::Settings));
        act(desk, Action::OpenWord(address));
        desk.window.step();
        let word = zeroize::Zeroizing::new("open sesame".to_owned());
        act(desk, Action::WordEdited(word));
    }),
    ("settings-tested", |desk| {
        let choice = desk
            .window
            .state()
            .model()
            .settings
            .preferences
            .chosen
            .clone();
        act(desk, Action::Go(Screen::Settings));
        act(desk, Action::TestServer(choice));
        desk.backend.let_go(1);
        desk.until_seen("Delete (31 ms)");
    }),
    ("settings-advanced", |desk| {
        act(desk, Action::Go(Screen::Settings));
        desk.window.step();
        desk.bring(By::new().label("Copy diagnostics"));
    }),
    ("share-failed-word", |desk| {
        let why = UserMessage {
            what: "The file was not stored.".to_owned(),
            why: "The server stores files only for those who know its access word.".to_owned(),
            next: "Ask its operator for the word, and enter it with the server in Settings."
                .to_owned(),
            remedy: Remedy::AccessWord,
        };
        desk.backend.fail_next(why);
        let file = desk.file("report.pdf");
        desk.drop_files(&[file]);
        desk.backend.let_go(1);
        desk.until_seen("was not stored");
    }),
    ("share-working", |desk| {
        desk.backend.show(vec![Stage::Work { fraction: 0.4 }]);
        let file = desk.file("report.pdf");
        desk.drop_files(&[file]);
        desk.until_seen("Working for the server");
    }),
    ("keep-longer", |desk| {
        desk.shared_one();
        let id = desk.window.state().model().transfers[0].id;
        act(desk, Action::Open(Modal::KeepLonger(id)));
    }),
    ("removed", |desk| {
        let files: Vec<PathBuf> = (1..8).map(|at| desk.file(&format!("{at}.txt"))).collect();
        desk.drop_files(&files);
        desk.backend.let_go(7);
        desk.until(|desk| desk.window.state().model().unfinished() == 0);
        let id = desk.window.state().model().transfers[0].id;
        act(desk, Action::Remove(id));
    }),
    ("settings-appearance", |desk| {
        act(desk, Action::Go(Screen::Settings));
        desk.window.step();
        desk.window
            .get_by_label("About and licences")
            .scroll_to_me();
        desk.window.run_steps(4);
    }),
    ("closing", |desk| {
        let file = desk.file("report.pdf");
        desk.drop_files(&[file]);
        desk.until_seen("Uploading");
        act(desk, Action::CloseWindow);
    }),
    ("shortcuts", |desk| {
        act(desk, Action::Open(Modal::Shortcuts));
    }),
    ("about", |desk| act(desk, Action::Open(Modal::About))),
    ("high-contrast", |desk| {
        act(desk, Action::SetContrast(Contrast::High));
        desk.shared_one();
        desk.press(egui::Key::Tab);
    }),
    ("every-widget", |desk| {
        act(desk, Action::Go(Screen::Gallery));
    }),
];

fn running(desk: &Desk) -> usize {
    desk.window
        .query_all_by_label_contains("Uploading, 61 %")
        .filter(|node| node.rect().height() < 20.0)
        .count()
}

fn received(desk: &mut Desk) {
    desk.paste(POINTER);
    desk.until_seen("from files.example");
    desk.click("Download");
    desk.backend.let_go(1);
    desk.until_seen("Verified");
}

fn act(desk: &mut Desk, action: Action) {
    let ctx = desk.window.ctx.clone();
    desk.window.state_mut().take(&ctx, action);
    desk.window.run_steps(3);
}

fn prefer(name: &str) -> Preferences {
    let chosen = server("files.example");
    Preferences {
        chosen: ServerChoice::Address(chosen.address.clone()),
        servers: vec![chosen],
        relay_list: Some(RelayList {
            origin: RelayOrigin::File(PathBuf::from("/home/ada/relays.json")),
            name: "Relays of three friends".to_owned(),
            relays: 5,
        }),
        welcomed: name != "first-start",
        ..preferences()
    }
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
    for (name, go) in SCENES {
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
        let others = kept.map_or(usize::MAX, |kept| differing(&kept, &drawn));
        let pixels = drawn.rgba.len() / 4;
        if others.saturating_mul(10_000) > pixels * SAME_PICTURE {
            let aside = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.png"));
            std::fs::write(&aside, drawn.to_png_bytes().expect("a picture")).expect("written");
            wrong.push(format!(
                "{name}: {others} of {pixels} pixels differ, see {}",
                aside.display()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn software_renderer() -> Option<RenderState> {
    let quiet = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| ()));
    let made = std::panic::catch_unwind(|| {
        create_render_state(default_wgpu_setup(), RendererOptions::PREDICTABLE)
    });
    std::panic::set_hook(quiet);
    made.ok()
        .filter(|state| state.adapter.get_info().device_type == DeviceType::Cpu)
}

/// The four pictures of a scene on one sheet.
fn draw(name: &str, go: fn(&mut Desk)) -> IconData {
    let [wide, narrow] = sizes(name);
    let mut sheet = Sheet::new(wide[0] + GAP + narrow[0], 2 * wide[1] + GAP);
    for (size, left) in [(wide, 0), (narrow, wide[0] + GAP)] {
        let state = software_renderer().expect("it was there a moment ago");
        let builder = Harness::<Window>::builder()
            .renderer(WgpuTestRenderer::from_render_state(state))
            .with_theme(egui::Theme::Light);
        let [width, height] = size.map(|side| f32::from(u16::try_from(side).expect("small")));
        let mut desk = Desk::built(builder, prefer(name), [width, height], |_| {
            Opening::default()
        });
        desk.window.step();
        go(&mut desk);
        for (theme, top) in [(Theme::Light, 0), (Theme::Dark, wide[1] + GAP)] {
            act(&mut desk, Action::SetTheme(theme));
            desk.window.set_size(Vec2::new(width, height));
            desk.window.run_steps(4);
            let image = desk.window.render().expect("a picture");
            sheet.put(left, top, image.width(), image.as_raw());
        }
    }
    sheet.0
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

fn differing(kept: &IconData, drawn: &IconData) -> usize {
    if (kept.width, kept.height) != (drawn.width, drawn.height) {
        return usize::MAX;
    }
    let pairs = kept.rgba.chunks(4).zip(drawn.rgba.chunks(4));
    let other =
        |(a, b): &(&[u8], &[u8])| a.iter().zip(*b).any(|(a, b)| a.abs_diff(*b) > SAME_COLOUR);
    // Between the pictures there is nothing, and nothing has no colour.
    let nothing = |(a, b): &(&[u8], &[u8])| a.last() == Some(&0) && b.last() == Some(&0);
    pairs.filter(|pair| !nothing(pair) && other(pair)).count()
}

/// Fewer colours and a tighter file, where the tools for it are installed.
fn shrink(path: &std::path::Path) {
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
