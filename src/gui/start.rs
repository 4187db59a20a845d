//! From the command line to an open window: which display, which renderer, and words when there is none.

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use eframe::egui_wgpu::WgpuSetup;
use eframe::wgpu::PowerPreference;
use eframe::{NativeOptions, Renderer};
use egui::ViewportBuilder;
use parking_lot::Mutex;

use super::arguments::{self, Disk, Parsed};
#[cfg(all(unix, not(target_os = "macos")))]
use super::platform::x11_drop;
use super::platform::{self, Desktop, Platform as _};
use super::text;
#[cfg(all(unix, not(target_os = "macos")))]
use super::window::AskDrops;
use super::window::{Opening, Window};
use super::worker::Backend;
use crate::app::process::instance::{self, Instance, Start};
use crate::app::process::streams;
use crate::app::settings::{self, Display, Home, Settings};
use crate::app::words::l10n::{self, Language};
use crate::app::words::message::UserMessage;

/// Identity of the window for the desktop.
const APP_ID: &str = "org.cloakroom.Cloakroom";

/// Creates the backend; called once, when a window can be opened.
pub(crate) type Backends = fn() -> Result<Arc<dyn Backend>, UserMessage>;

/// Which display there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FoundDisplay {
    X11,
    Wayland,
    /// Neither Linux nor BSD.
    Native,
}

/// The desktop application. Returns when its window has closed.
#[expect(
    clippy::disallowed_methods,
    reason = "here the window meets its arguments and the environment"
)]
pub fn run(args: impl IntoIterator<Item = OsString>, open: Backends) -> ExitCode {
    let language = sys_locale::get_locales()
        .find_map(|tag| Language::from_tag(&tag))
        .unwrap_or(Language::English);
    l10n::speak_here(language);
    let args: Vec<OsString> = args.into_iter().collect();
    #[cfg(all(unix, not(target_os = "macos")))]
    if args == [platform::hold::ARGUMENT] {
        return platform::hold::hold();
    }
    text::use_local_days();
    let wish = match arguments::parse(args, &Disk) {
        Parsed::Window(wish) => wish,
        Parsed::Say(words) => {
            say(&words);
            return ExitCode::SUCCESS;
        }
        Parsed::Wrong(words) => {
            tell(&words);
            return ExitCode::from(2);
        }
    };
    // What was chosen in Settings, unless an argument says otherwise; it never keeps the window from opening.
    let home = Home::find().ok();
    let kept = home
        .and_then(|home| Settings::load(&home).ok())
        .unwrap_or_default();
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let display = match wish.display {
        Some(wanted) => find_display(wanted, is_set),
        None => find_display(kept.display, is_set).or_else(|| find_display(Display::Auto, is_set)),
    };
    let Some(display) = display else {
        tell(text::no_display());
        return ExitCode::FAILURE;
    };
    let backend = match open() {
        Ok(backend) => backend,
        Err(message) => {
            let UserMessage {
                what, why, next, ..
            } = message;
            return no_start(&format!("{what} {why} {next}"));
        }
    };
    let arguments = wish.to_start_arguments();
    let instance = match backend
        .window_folder()
        .map(|folder| instance::start(&folder, &arguments))
    {
        Some(Ok(Start::HandedOver)) => return ExitCode::SUCCESS,
        Some(Ok(Start::First(instance))) => Arc::new(instance),
        // A window of its own is better than none.
        Some(Err(_)) | None => Arc::new(Instance::alone()),
    };
    #[cfg(target_os = "macos")]
    let _opened = receive_opened(&instance);
    let platform = Arc::new(Desktop::watching());
    let mut failures = Vec::new();
    for renderer in order(wish.renderer.or_else(|| renderer_of(kept.renderer))) {
        let opening = Opening {
            files: wish.files.clone(),
            pointer: wish.pointer.clone(),
            // Neither brings drops: no backend for Wayland does, and Windows brings none to administrators.
            drops: display != FoundDisplay::Wayland && !platform::is_elevated(),
            drop_news: None,
            language,
            instance: Some(Arc::clone(&instance)),
        };
        match show(
            renderer,
            display,
            Arc::clone(&backend),
            Arc::clone(&platform),
            opening,
        ) {
            Ok(()) => {
                platform.close();
                return ExitCode::SUCCESS;
            }
            Err(failure) => {
                let other_may_do = failure.other_may_do();
                failures.push(failure);
                if !other_may_do {
                    break;
                }
            }
        }
    }
    no_start(&why_no_window(&failures))
}

/// Has links and files that the system opens reach the window as what a later start brings does, until this is dropped.
#[cfg(target_os = "macos")]
fn receive_opened(instance: &Arc<Instance>) -> Option<platform::opened::OpenedReceiver> {
    let instance = Arc::clone(instance);
    platform::opened::OpenedReceiver::start(move |opened| {
        let instance = Arc::clone(&instance);
        // A file that could hold an invitation is read, and nobody at the window waits for its disk.
        #[expect(
            clippy::disallowed_methods,
            reason = "here the window meets its arguments"
        )]
        let reading = std::thread::Builder::new()
            .name("cloakroom-opened".to_owned())
            .spawn(move || instance.take_in(arguments::of_opened(opened, &Disk)));
        if reading.is_err() {
            tracing::debug!("what the system opened could not be read");
        }
    })
}

/// Says why there is no window.
fn no_start(words: &str) -> ExitCode {
    tell(words);
    if !std::io::stderr().is_terminal() {
        // Started from a menu, where nobody reads what a program writes. Without any way to show it this shows nothing.
        rfd::MessageDialog::new()
            .set_level(rfd::MessageLevel::Error)
            .set_title(text::NAME)
            .set_description(words)
            .show();
    }
    ExitCode::FAILURE
}

/// The display to open the window on, or none.
fn find_display(wanted: Display, is_set: impl Fn(&str) -> bool) -> Option<FoundDisplay> {
    if !cfg!(all(unix, not(target_os = "macos"))) {
        return Some(FoundDisplay::Native);
    }
    let x11 = is_set("DISPLAY");
    let wayland = is_set("WAYLAND_DISPLAY") || is_set("WAYLAND_SOCKET");
    match wanted {
        Display::Auto | Display::X11 if x11 => Some(FoundDisplay::X11),
        Display::Auto | Display::Wayland if wayland => Some(FoundDisplay::Wayland),
        Display::Auto | Display::X11 | Display::Wayland => None,
    }
}

/// The renderer that was chosen in Settings.
fn renderer_of(kept: settings::Renderer) -> Option<Renderer> {
    match kept {
        settings::Renderer::Auto => None,
        settings::Renderer::Wgpu => Some(Renderer::Wgpu),
        settings::Renderer::Glow => Some(Renderer::Glow),
    }
}

/// Both renderers in the order in which they are tried.
fn order(wanted: Option<Renderer>) -> [Renderer; 2] {
    match wanted {
        Some(Renderer::Glow) => [Renderer::Glow, Renderer::Wgpu],
        Some(Renderer::Wgpu) | None => [Renderer::Wgpu, Renderer::Glow],
    }
}

/// Why there is no window.
enum NoWindow {
    /// No display takes it.
    Display,
    /// A library is not installed; its name.
    Library(String),
    /// The renderer does not work.
    Renderer(String),
    /// Something broke on the way; often a library that is not installed.
    Panic(String),
    /// The window itself could not begin.
    Window(String),
}

impl NoWindow {
    const fn other_may_do(&self) -> bool {
        matches!(self, Self::Renderer(_) | Self::Panic(_))
    }
}

/// The message about failed tries to open a window, given in their order.
fn why_no_window(failures: &[NoWindow]) -> String {
    // After a try that broke, the next one can find the display taken by it.
    let broken = failures.iter().find_map(|failure| match failure {
        NoWindow::Panic(words) => Some(words),
        _ => None,
    });
    let first = failures.iter().find_map(|failure| match failure {
        NoWindow::Renderer(words) => Some(words),
        _ => None,
    });
    match (failures.last(), broken) {
        (Some(NoWindow::Window(words)), _)
        | (Some(NoWindow::Panic(_) | NoWindow::Display), Some(words)) => text::no_window(words),
        (Some(NoWindow::Library(name)), _) => text::no_window(name),
        (Some(NoWindow::Display), None) => text::no_display().to_owned(),
        _ => text::no_renderer(first.map_or("", String::as_str)),
    }
}

fn show(
    renderer: Renderer,
    display: FoundDisplay,
    backend: Arc<dyn Backend>,
    platform: Arc<Desktop>,
    #[cfg_attr(
        not(all(unix, not(target_os = "macos"))),
        expect(unused_mut, reason = "drops come past winit on X11 only")
    )]
    mut opening: Opening,
) -> Result<(), NoWindow> {
    let opened = Arc::new(AtomicBool::new(false));
    let creator: eframe::AppCreator<'_> = {
        let opened = Arc::clone(&opened);
        Box::new(move |creation| {
            opened.store(true, Ordering::SeqCst);
            if display != FoundDisplay::Wayland {
                platform.belong_to(creation);
            }
            #[cfg(all(unix, not(target_os = "macos")))]
            if display == FoundDisplay::X11 {
                let waker = creation.egui_ctx.clone();
                let drops = x11_drop::Drops::take_over(creation, move || waker.request_repaint());
                opening.drop_news =
                    drops.map(|drops| Box::new(move || drops.news().collect()) as AskDrops);
            }
            let window = Window::new(&creation.egui_ctx, backend, platform, opening)?;
            Ok(Box::new(window))
        })
    };
    let ran = catching(&opened, || {
        eframe::run_native(text::NAME, options(renderer, display), creator)
    });
    match ran {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error @ (eframe::Error::WinitEventLoop(_) | eframe::Error::Winit(_)))) => {
            // Its words for people leave out what was not found.
            let library = text::missing_library(&format!("{error:?}")).map(str::to_owned);
            Err(library.map_or(NoWindow::Display, NoWindow::Library))
        }
        Ok(Err(eframe::Error::AppCreation(error))) => Err(NoWindow::Window(error.to_string())),
        Ok(Err(error)) => Err(NoWindow::Renderer(error.to_string())),
        Err(panic) => Err(NoWindow::Panic(panic)),
    }
}

fn options(renderer: Renderer, display: FoundDisplay) -> NativeOptions {
    let mut viewport = ViewportBuilder::default()
        .with_app_id(APP_ID)
        .with_title(text::NAME)
        .with_inner_size([760.0, 600.0])
        .with_min_inner_size([420.0, 420.0])
        .with_drag_and_drop(true);
    if let Ok(icon) =
        eframe::icon_data::from_png_bytes(include_bytes!("../../assets/icons/cloakroom-256.png"))
    {
        viewport = viewport.with_icon(icon);
    }
    let mut options = NativeOptions {
        viewport,
        renderer,
        centered: true,
        ..NativeOptions::default()
    };
    if let WgpuSetup::CreateNew(setup) = &mut options.wgpu_options.wgpu_setup {
        // A window of files and words needs no second graphics card.
        setup.power_preference = PowerPreference::from_env().unwrap_or(PowerPreference::LowPower);
    }
    #[cfg(all(unix, not(target_os = "macos")))]
    {
        options.event_loop_builder = Some(Box::new(move |builder| match display {
            FoundDisplay::X11 => {
                winit::platform::x11::EventLoopBuilderExtX11::with_x11(builder);
            }
            FoundDisplay::Wayland => {
                winit::platform::wayland::EventLoopBuilderExtWayland::with_wayland(builder);
            }
            FoundDisplay::Native => {}
        }));
    }
    #[cfg(not(all(unix, not(target_os = "macos"))))]
    let _: FoundDisplay = display;
    options
}

/// Runs `body`; a panic before the window has opened (a library that is not installed) comes back as words.
fn catching<T>(opened: &Arc<AtomicBool>, body: impl FnOnce() -> T) -> Result<T, String> {
    let words: Arc<Mutex<Option<String>>> = Arc::default();
    let usual: Arc<dyn Fn(&std::panic::PanicHookInfo<'_>) + Send + Sync> =
        Arc::from(std::panic::take_hook());
    std::panic::set_hook({
        let (opened, words, usual) = (Arc::clone(opened), Arc::clone(&words), Arc::clone(&usual));
        Box::new(move |info| {
            if opened.load(Ordering::SeqCst) {
                usual(info);
            } else {
                let payload = info.payload();
                let said = payload.downcast_ref::<String>().cloned();
                *words.lock() =
                    said.or_else(|| payload.downcast_ref::<&str>().map(|&said| said.to_owned()));
            }
        })
    });
    let ran = std::panic::catch_unwind(AssertUnwindSafe(body));
    std::panic::set_hook(Box::new(move |info| usual(info)));
    ran.map_err(|panic| {
        if opened.load(Ordering::SeqCst) {
            std::panic::resume_unwind(panic);
        }
        words.lock().take().unwrap_or_default()
    })
}

/// Prints why there is no window on standard error.
fn tell(words: &str) {
    streams::write_error_line(words);
}

/// Prints help or the version.
fn say(words: &str) {
    // There is nobody to tell that nobody reads it.
    streams::write_output(format!("{words}\n").as_bytes()).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wanted_renderer_is_tried_first() {
        let glow_first = [Renderer::Glow, Renderer::Wgpu];
        assert_eq!(order(Some(Renderer::Glow)), glow_first);
        assert_eq!(order(None), [Renderer::Wgpu, Renderer::Glow]);
    }

    #[test]
    fn what_is_told_is_what_went_wrong_first() {
        let renderer = || NoWindow::Renderer("no adapter".to_owned());
        let panic = || NoWindow::Panic("libxkbcommon.so.0 is missing".to_owned());
        let broken = text::no_window("libxkbcommon.so.0 is missing");
        for (failures, told) in [
            (vec![NoWindow::Display], text::no_display().to_owned()),
            (
                vec![renderer(), NoWindow::Renderer("no context".to_owned())],
                text::no_renderer("no adapter"),
            ),
            (vec![panic(), panic()], broken.clone()),
            (vec![panic(), NoWindow::Display], broken.clone()),
            (vec![renderer(), panic()], broken),
            (vec![panic(), renderer()], text::no_renderer("no adapter")),
            (
                vec![NoWindow::Library("libX11.so.6".to_owned())],
                text::no_window("libX11.so.6"),
            ),
            (
                vec![NoWindow::Window("no thread".to_owned())],
                text::no_window("no thread"),
            ),
        ] {
            assert_eq!(why_no_window(&failures), told);
        }
        assert!(panic().other_may_do() && renderer().other_may_do());
        assert!(!NoWindow::Display.other_may_do());
        assert!(!NoWindow::Library(String::new()).other_may_do());
    }

    #[cfg(all(unix, not(target_os = "macos")))]
    #[test]
    fn x11_is_preferred_when_both_displays_exist() {
        let both = |_: &str| true;
        let only = |name: &'static str| move |asked: &str| asked == name;
        assert_eq!(find_display(Display::Auto, both), Some(FoundDisplay::X11));
        assert_eq!(
            find_display(Display::Wayland, both),
            Some(FoundDisplay::Wayland)
        );
        assert_eq!(
            find_display(Display::Auto, only("WAYLAND_DISPLAY")),
            Some(FoundDisplay::Wayland)
        );
        assert_eq!(find_display(Display::X11, only("WAYLAND_DISPLAY")), None);
        assert_eq!(find_display(Display::Auto, |_| false), None);
    }
}
