//! The window: hands input to the model, effects to the worker, and the model to the views.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use egui::{Context, Event as Input, Id, Key, ThemePreference, ViewportCommand};

use super::model::{
    Action, Arrival, Effect, Focus, FocusAction, Model, PointerText, Region, Screen, SystemLook,
    WindowAction, WindowEffect,
};
use super::platform::Platform;
use super::platform::uri_list::{DropNews, UriList};
use super::spoken::PlainSpaces;
use super::tokens::measure;
use super::view::{self, ViewContext};
use super::worker::{Backend, Worker};
use super::{commands, fonts, kit, tokens};
use crate::app::process::instance::Instance;
use crate::app::settings::Theme;
use crate::app::words::l10n::{Language, SharedLanguage};
use crate::protocol::invitation::Invitation;
use crate::protocol::pointer;

/// Returns the drag-and-drop news since the last call.
pub(crate) type AskDrops = Box<dyn Fn() -> Vec<DropNews>>;

/// What the window opens with.
pub struct Opening {
    /// Files to share.
    pub files: Vec<PathBuf>,
    /// Pointer or invitation for the field on Receive; nothing starts by it.
    pub pointer: Option<PointerText>,
    /// Files can be dropped on the window.
    pub drops: bool,
    /// Source of drops that do not come through winit.
    pub drop_news: Option<AskDrops>,
    /// Language of the system.
    pub language: Language,
    /// Takes the arguments of later starts.
    pub instance: Option<Arc<Instance>>,
}

impl Default for Opening {
    fn default() -> Self {
        Self {
            files: Vec::new(),
            pointer: None,
            drops: true,
            drop_news: None,
            language: Language::English,
            instance: None,
        }
    }
}

/// The application's one window.
pub struct Window {
    model: Model,
    worker: Worker,
    platform: Arc<dyn Platform>,
    drops: bool,
    system_language: Language,
    /// What this thread, which draws, and the worker's threads speak.
    language: SharedLanguage,
    instance: Option<Arc<Instance>>,
    look: Option<AppliedLook>,
    drop_news: Option<AskDrops>,
    /// Paths of the files hanging over the window.
    hanging: Vec<PathBuf>,
    hovering: Vec<PathBuf>,
    /// A drop whose files may still be arriving.
    dropping: Option<Drop>,
    pasted: bool,
    command_held: bool,
    quitting: bool,
    /// Widget that had the focus at the end of the last frame.
    focused: Option<Id>,
    /// Widget that had the focus, or was clicked, when a modal opened.
    before: Option<Id>,
    rows_top: Option<f32>,
}

/// Files that were dropped; systems bring them one by one, in as many frames as they like.
struct Drop {
    paths: Vec<PathBuf>,
    /// When the last of them came, by the window's clock in seconds.
    at: f64,
}

/// How long after its last file a drop is over, in seconds.
const DROP_ENDS: f64 = 0.1;

/// Theme and zoom that were applied last.
#[derive(Clone, Copy, PartialEq, Eq)]
struct AppliedLook {
    theme: Theme,
    system: SystemLook,
    high_contrast: bool,
    reduced_motion: bool,
    zoom: u16,
    language: Language,
}

impl Window {
    /// Sets fonts and colours, starts the worker and takes in what the window opens with.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn new(
        ctx: &Context,
        backend: Arc<dyn Backend>,
        platform: Arc<dyn Platform>,
        opening: Opening,
    ) -> std::io::Result<Self> {
        ctx.set_fonts(fonts::definitions());
        ctx.add_plugin(PlainSpaces);
        let waker = ctx.clone();
        let wake = Arc::new(move |within: Duration| waker.request_repaint_after(within));
        let loaded = backend.load();
        let language = SharedLanguage::new(opening.language);
        let mut window = Self {
            model: Model::new(loaded),
            worker: Worker::start(backend, Arc::clone(&platform), wake, &language)?,
            language,
            platform,
            drops: opening.drops,
            drop_news: opening.drop_news,
            hanging: Vec::new(),
            system_language: opening.language,
            instance: opening.instance,
            look: None,
            hovering: Vec::new(),
            dropping: None,
            pasted: false,
            command_held: false,
            quitting: false,
            focused: None,
            before: None,
            rows_top: None,
        };
        // The window has its own steps, and keeps the one that was chosen.
        ctx.options_mut(|options| options.zoom_with_keyboard = false);
        // Until somebody points, it is seen where the keyboard is.
        kit::set_keyboard(ctx, true);
        window.listen(ctx);
        window.apply_theme(ctx);
        if let Some(instance) = &window.instance {
            let waker = ctx.clone();
            instance.on_arrival(move || waker.request_repaint());
        }
        let begun = window.model.begin();
        window.run_effects(ctx, begun);
        window.take(
            ctx,
            Arrival::Arguments {
                files: opening.files,
                pointer: opening.pointer,
            },
        );
        Ok(window)
    }

    /// What it shows.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Updates the model by an action and carries out its effects.
    pub fn take(&mut self, ctx: &Context, action: impl Into<Action>) {
        let covered = self.model.modal.is_some();
        let effects = self.model.update(action.into());
        if !covered && self.model.modal.is_some() {
            let clicked = ctx.interaction_snapshot(|snapshot| snapshot.clicked);
            let focused = ctx.memory(|memory| memory.focused());
            self.before = clicked.or(focused).or(self.focused);
        }
        // What follows may be said elsewhere already, in the language that was just chosen.
        self.speak();
        self.run_effects(ctx, effects);
    }

    fn run_effects(&mut self, ctx: &Context, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Window(effect) => self.run_here(ctx, effect),
                Effect::Work(work) => self.worker.run(work),
            }
        }
    }

    fn run_here(&mut self, ctx: &Context, effect: WindowEffect) {
        ctx.send_viewport_cmd(match effect {
            WindowEffect::Attention => {
                ViewportCommand::RequestUserAttention(egui::UserAttentionType::Informational)
            }
            WindowEffect::Quit => {
                self.quitting = true;
                ViewportCommand::Close
            }
            WindowEffect::RequestPaste => ViewportCommand::RequestPaste,
            WindowEffect::StayOpen => ViewportCommand::CancelClose,
        });
    }

    /// Makes the language that is chosen that of this thread and the worker's.
    fn speak(&self) -> Language {
        let chosen = self.model.settings.language;
        let language = chosen.unwrap_or(self.system_language);
        self.language.set(language);
        self.language.speak_here();
        language
    }

    /// Handles the worker's events, and those that follow from them.
    fn listen(&mut self, ctx: &Context) {
        let now = Duration::try_from_secs_f64(ctx.input(|input| input.time)).unwrap_or_default();
        loop {
            let events = self.worker.drain(now);
            if events.is_empty() {
                return;
            }
            for event in events {
                let effects = self.model.update(event);
                self.run_effects(ctx, effects);
            }
        }
    }

    /// Applies the chosen theme and zoom, when they have changed.
    fn apply_theme(&mut self, ctx: &Context) {
        let system = self.model.system;
        let look = AppliedLook {
            theme: self.model.settings.theme,
            system,
            high_contrast: self.model.high_contrast(),
            reduced_motion: self.model.reduced_motion(),
            zoom: self.model.settings.zoom,
            language: self.speak(),
        };
        if self.look == Some(look) {
            return;
        }
        self.look = Some(look);
        ctx.options_mut(|options| {
            options.fallback_theme = if system.dark == Some(true) {
                egui::Theme::Dark
            } else {
                egui::Theme::Light
            };
        });
        ctx.set_theme(match look.theme {
            Theme::System => ThemePreference::System,
            Theme::Light => ThemePreference::Light,
            Theme::Dark => ThemePreference::Dark,
        });
        ctx.set_zoom_factor(f32::from(look.zoom) / 100.0);
        tokens::install(ctx, look.high_contrast, look.reduced_motion);
    }

    /// Handles shortcuts, pastes and drops, which mean the same wherever the focus is.
    fn global_input(&mut self, ctx: &Context) -> Vec<Action> {
        let mut actions = Vec::new();
        let news = self.drop_news.as_ref().map_or_else(Vec::new, |ask| ask());
        let mut fallen = Vec::new();
        for news in news {
            self.hanging.clear();
            match news {
                DropNews::Hovering(list) => self.hanging = list.files,
                DropNews::Left => {}
                DropNews::Dropped(list) => fallen.push(Arrival::Dropped(list)),
                DropNews::Lost => fallen.push(Arrival::DroppedNoFile),
            }
        }
        let (mut hovering, mut dropped): (Vec<PathBuf>, Vec<PathBuf>) = ctx.input(|input| {
            let hovering = input
                .raw
                .hovered_files
                .iter()
                .filter_map(|file| file.path.clone())
                .collect();
            (
                hovering,
                input
                    .raw
                    .dropped_files
                    .iter()
                    .map(|file| file.path().to_owned())
                    .collect(),
            )
        });
        hovering.extend(self.hanging.iter().cloned());
        if !hovering.is_empty() || !dropped.is_empty() || !fallen.is_empty() {
            // Whoever drops something points.
            kit::set_keyboard(ctx, false);
        }
        if hovering != self.hovering {
            self.hovering.clone_from(&hovering);
            actions.push(Action::Arrived(Arrival::Hovering(hovering)));
        }
        actions.extend(fallen.into_iter().map(Action::Arrived));
        // A mail program or browser that promises a file brings none.
        let promised = dropped.len();
        dropped.retain(|path| !path.as_os_str().is_empty());
        if dropped.len() < promised && dropped.is_empty() {
            actions.push(Action::Arrived(Arrival::DroppedNoFile));
        }
        actions.extend(
            self.drop_over(ctx, dropped)
                .map(|paths| Action::Arrived(Arrival::Dropped(paths.into()))),
        );
        let (keys, pointing) = ctx.input(|input| {
            let key = |event: &Input| matches!(event, Input::Key { pressed: true, .. });
            (input.events.iter().any(key), input.pointer.any_pressed())
        });
        if keys || pointing {
            kit::set_keyboard(ctx, keys);
        }
        let typing = ctx.text_edit_focused();
        let region = self.region(ctx);
        actions.extend(commands::pressed(ctx, &self.model, region, typing));
        if self.model.modal.is_some() || self.model.has_menu() {
            return actions;
        }
        actions.extend(self.paste(ctx, typing));
        if ctx.input(|input| input.key_pressed(Key::Escape)) {
            actions.extend(view::escape(&self.model));
        }
        actions
    }

    /// All files of a drop, once it is over.
    fn drop_over(&mut self, ctx: &Context, paths: Vec<PathBuf>) -> Option<Vec<PathBuf>> {
        let now = ctx.input(|input| input.time);
        if !paths.is_empty() {
            let dropping = self.dropping.get_or_insert(Drop {
                paths: Vec::new(),
                at: now,
            });
            dropping.paths.extend(paths);
            dropping.at = now;
        }
        let left = DROP_ENDS - (now - self.dropping.as_ref()?.at);
        if left > 0.0 {
            ctx.request_repaint_after(Duration::from_secs_f64(left));
            return None;
        }
        self.dropping.take().map(|dropping| dropping.paths)
    }

    /// Region of the window that has the focus.
    fn region(&self, ctx: &Context) -> Region {
        let focused = ctx.memory(|memory| memory.focused());
        let Some(at) = focused.and_then(|id| ctx.read_response(id)) else {
            return Region::Bar;
        };
        if at.rect.top() < measure::BAR {
            Region::Bar
        } else if self.rows_top.is_some_and(|top| at.rect.top() >= top) {
            Region::Rows
        } else {
            Region::Main
        }
    }

    /// Gives the keyboard back to what had it before something opened over everything; in the first frame without that.
    fn give_back(&mut self, ctx: &Context, covered: bool) {
        if self.model.focus != Some(Focus::Before) || self.model.modal.is_some() {
            return;
        }
        if covered {
            ctx.request_repaint();
            return;
        }
        self.model.focus = None;
        let before = self.before.take();
        match before.filter(|id| ctx.read_response(*id).is_some()) {
            Some(id) => ctx.memory_mut(|memory| memory.request_focus(id)),
            None => self.take(ctx, FocusAction::Lost),
        }
    }

    /// Moves the focus to a sensible place when the widget that had it has gone, or Esc removed it.
    fn keep_focus(&mut self, ctx: &Context) {
        let focused = ctx.memory(|memory| memory.focused());
        let clicked = ctx.input(|input| input.pointer.any_pressed() || input.pointer.any_click());
        if let (None, Some(before)) = (focused, self.focused)
            && !clicked
            && self.model.focus.is_none()
        {
            let there = ctx.read_response(before).map(|widget| widget.layer_id);
            let still_there =
                there.is_some_and(|at| ctx.memory(|memory| memory.allows_interaction(at)));
            if still_there {
                ctx.memory_mut(|memory| memory.request_focus(before));
            } else if self.model.modal.is_none() {
                self.take(ctx, FocusAction::Lost);
                ctx.request_repaint();
            }
        }
        self.focused = ctx.memory(|memory| memory.focused());
    }

    /// Pasting anywhere. A file manager's files arrive as no event at all: the press of the key is swallowed, and only
    /// its release comes, perhaps after that of Ctrl. Or they arrive as text; the pointer's field does not get that.
    fn paste(&mut self, ctx: &Context, typing: bool) -> Vec<Action> {
        let mut actions = Vec::new();
        // The one field there is the pointer's; in those of other screens a file means nothing.
        let files_count = !typing || self.model.screen == Screen::Receive;
        ctx.input_mut(|input| {
            self.command_held |= input.modifiers.command;
            let command = input.modifiers.command;
            input.events.retain(|event| {
                match event {
                    Input::Paste(text) => {
                        // A button that pastes has no key that is let go afterwards.
                        self.pasted = self.command_held;
                        let takes_over = self.model.screen == Screen::Receive
                            && (pointer::begins(text) || Invitation::may_be(text))
                            || files_count && UriList::from_text(text).is_some();
                        if !typing || takes_over {
                            actions.push(Action::Arrived(Arrival::Pasted(text.as_str().into())));
                            // In the field a reader would spell each letter of it.
                            return false;
                        }
                    }
                    Input::PasteImage(_) => {
                        self.pasted = self.command_held;
                        if !typing || files_count {
                            actions.push(Action::Arrived(Arrival::PastedPicture));
                        }
                    }
                    Input::Key {
                        key: Key::V,
                        pressed: false,
                        modifiers,
                        ..
                    } => {
                        let swallowed = self.command_held || modifiers.command;
                        if swallowed && !self.pasted && files_count {
                            actions.push(Action::Arrived(Arrival::PastedNoText));
                        }
                        self.pasted = false;
                        self.command_held = command;
                    }
                    // Some other key: the last Ctrl belongs to it.
                    Input::Key { pressed: true, .. } => self.command_held = false,
                    _ => {}
                }
                true
            });
        });
        actions
    }

    /// Takes in the arguments of later starts; the window comes to the front for them.
    fn take_arguments_of_later_starts(&mut self, ctx: &Context) {
        for arguments in self
            .instance
            .iter()
            .flat_map(|instance| instance.take_arguments())
            .collect::<Vec<_>>()
        {
            ctx.send_viewport_cmd(ViewportCommand::Minimized(false));
            ctx.send_viewport_cmd(ViewportCommand::Focus);
            // Where the desktop lets no window come to the front by itself.
            self.run_here(ctx, WindowEffect::Attention);
            let action = Arrival::Arguments {
                files: arguments.files,
                pointer: arguments
                    .pointer
                    .map(|text| PointerText::of(Arc::new(text))),
            };
            self.take(ctx, action);
        }
    }

    /// Drops the model's wish for the focus when the widget is not on this screen.
    fn forget_focus_elsewhere(&mut self) {
        let here = match self.model.focus {
            Some(Focus::Download | Focus::Pointer) => self.model.screen == Screen::Receive,
            Some(Focus::NodesFile) => {
                matches!(self.model.screen, Screen::Receive | Screen::Settings)
            }
            Some(
                Focus::AccessWord(_)
                | Focus::NetworkMenu(_)
                | Focus::NetworkName(_)
                | Focus::NewerList(_)
                | Focus::RelayLine
                | Focus::Session
                | Focus::ServerAddress,
            ) => self.model.screen == Screen::Settings,
            Some(Focus::KnownFile) => {
                self.model.screen == Screen::Share && !self.model.undecided.is_empty()
            }
            Some(Focus::Together) => {
                self.model.screen == Screen::Share && !self.model.together.is_empty()
            }
            Some(Focus::Start | Focus::Zone) => self.model.screen == Screen::Share,
            Some(Focus::Row(id) | Focus::Menu(id)) => self.model.listed().any(|row| row.id == id),
            Some(Focus::Notice) => self.model.notice.is_some(),
            Some(Focus::Before | Focus::Settings | Focus::Switch) => true,
            None => return,
        };
        if !here {
            self.model.focus = None;
        }
    }
}

impl eframe::App for Window {
    fn logic(&mut self, ctx: &Context, _frame: &mut eframe::Frame) {
        self.listen(ctx);
        self.take_arguments_of_later_starts(ctx);
        let in_front = ctx.input(|input| input.viewport().focused.unwrap_or(true));
        if in_front != self.model.in_front {
            self.take(ctx, WindowAction::InFront(in_front));
        }
        if ctx.input(|input| input.viewport().close_requested()) && !self.quitting {
            self.take(ctx, WindowAction::CloseRequested);
        }
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        let ctx = ui.ctx().clone();
        for action in self.global_input(&ctx) {
            self.take(&ctx, action);
        }
        // What is answered at once is drawn at once.
        self.listen(&ctx);
        self.apply_theme(&ctx);
        let context = ViewContext {
            drops: self.drops,
            in_front: ctx.input(|input| input.focused),
            now: self.platform.now(),
        };
        // Nobody is torn out of what they are typing.
        if self.model.focus == Some(Focus::Notice) && ctx.text_edit_focused() {
            self.model.focus = None;
        }
        let covered = self.model.modal.is_some();
        let drawn = view::window(ui, &self.model, context);
        if drawn.focused {
            self.model.focus = None;
        }
        self.rows_top = drawn.rows_top;
        for action in drawn.actions {
            self.take(&ctx, action);
        }
        self.give_back(&ctx, covered);
        self.forget_focus_elsewhere();
        self.keep_focus(&ctx);
    }

    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        visuals.panel_fill.to_normalized_gamma_f32()
    }
}
