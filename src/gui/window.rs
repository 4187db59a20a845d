//! The window: hands input to the model, effects to the worker, and the model to the views.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use egui::{
    Context, Event as Input, Key, KeyboardShortcut, Modifiers, ThemePreference, ViewportCommand,
};

use super::model::{Action, Effect, Focus, Model, PointerText, Screen, Theme};
use super::platform::Platform;
use super::view::{self, Abilities};
use super::worker::{Backend, Worker};
use super::{fonts, tokens};

/// Choose files.
pub const CHOOSE: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::O);
/// Open Share.
pub const SHARE: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::Num1);
/// Open Receive.
pub const RECEIVE: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::Num2);
/// Open Settings.
pub const SETTINGS: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::Comma);

/// What the window opens with.
pub struct Opening {
    /// To be shared.
    pub files: Vec<PathBuf>,
    /// Fills Receive; nothing starts by it.
    pub pointer: Option<PointerText>,
    /// Files can be dropped on the window.
    pub drops: bool,
}

impl Default for Opening {
    fn default() -> Self {
        Self {
            files: Vec::new(),
            pointer: None,
            drops: true,
        }
    }
}

/// The application's one window.
pub struct Window {
    model: Model,
    worker: Worker,
    abilities: Abilities,
    look: Option<(Theme, bool)>,
    hovering: Vec<PathBuf>,
    pasted: bool,
    command_held: bool,
    quitting: bool,
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
        let waker = ctx.clone();
        let wake = Arc::new(move |within: Duration| waker.request_repaint_after(within));
        let (preferences, trouble) = backend.load();
        let mut window = Self {
            model: Model::new(preferences, trouble),
            worker: Worker::start(backend, platform, wake)?,
            abilities: Abilities {
                drops: opening.drops,
            },
            look: None,
            hovering: Vec::new(),
            pasted: false,
            command_held: false,
            quitting: false,
        };
        window.dress(ctx);
        window.take(
            ctx,
            Action::Arguments {
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

    /// Takes an action in and sets off what follows from it.
    pub fn take(&mut self, ctx: &Context, action: Action) {
        let effects = self.model.update(action);
        self.set_off(ctx, effects);
    }

    fn set_off(&mut self, ctx: &Context, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::StayOpen => ctx.send_viewport_cmd(ViewportCommand::CancelClose),
                Effect::Quit => {
                    self.quitting = true;
                    ctx.send_viewport_cmd(ViewportCommand::Close);
                }
                other => self.worker.run(other),
            }
        }
    }

    /// Events of the worker, until none follows from another.
    fn listen(&mut self, ctx: &Context) {
        loop {
            let events = self.worker.drain();
            if events.is_empty() {
                return;
            }
            for event in events {
                let effects = self.model.update(event);
                self.set_off(ctx, effects);
            }
        }
    }

    /// Puts the chosen theme on, when it has changed.
    fn dress(&mut self, ctx: &Context) {
        let preferences = &self.model.settings.preferences;
        let look = (preferences.theme, preferences.high_contrast);
        if self.look == Some(look) {
            return;
        }
        self.look = Some(look);
        ctx.set_theme(match look.0 {
            Theme::System => ThemePreference::System,
            Theme::Light => ThemePreference::Light,
            Theme::Dark => ThemePreference::Dark,
        });
        tokens::install(ctx, look.1);
    }

    /// Keys and files that mean the same wherever they arrive.
    fn global_input(&mut self, ctx: &Context) -> Vec<Action> {
        let mut actions = Vec::new();
        let (hovering, dropped): (Vec<PathBuf>, Vec<PathBuf>) = ctx.input(|input| {
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
        if hovering != self.hovering {
            self.hovering.clone_from(&hovering);
            actions.push(Action::Hovering(hovering));
        }
        if !dropped.is_empty() {
            actions.push(Action::Dropped(dropped));
        }
        if self.model.modal.is_some() {
            return actions;
        }
        for (shortcut, action) in [
            (CHOOSE, Action::ChooseFiles),
            (SHARE, Action::Go(Screen::Share)),
            (RECEIVE, Action::Go(Screen::Receive)),
            (SETTINGS, Action::Go(Screen::Settings)),
        ] {
            if ctx.input_mut(|input| input.consume_shortcut(&shortcut)) {
                actions.push(action);
            }
        }
        let typing = ctx.text_edit_focused();
        actions.extend(self.paste(ctx, typing));
        if ctx.input(|input| input.key_pressed(Key::Escape)) {
            actions.extend(view::escape(&self.model));
        }
        actions
    }

    /// Pasting anywhere. A file manager's files arrive as no event at all: the press of the key is swallowed, and only
    /// its release comes, perhaps after that of Ctrl.
    fn paste(&mut self, ctx: &Context, typing: bool) -> Vec<Action> {
        let mut actions = Vec::new();
        ctx.input(|input| {
            self.command_held |= input.modifiers.command;
            for event in &input.events {
                match event {
                    Input::Paste(text) => {
                        self.pasted = true;
                        if !typing {
                            actions.push(Action::Pasted(text.as_str().into()));
                        }
                    }
                    Input::Key {
                        key: Key::V,
                        pressed: false,
                        modifiers,
                        ..
                    } => {
                        let swallowed = self.command_held || modifiers.command;
                        if swallowed && !self.pasted && !typing {
                            actions.push(Action::PastedNoText);
                        }
                        self.pasted = false;
                        self.command_held = input.modifiers.command;
                    }
                    // Some other key: the last Ctrl belongs to it.
                    Input::Key { pressed: true, .. } => self.command_held = false,
                    _ => {}
                }
            }
        });
        actions
    }

    /// What the model wanted the keyboard on is not on this screen.
    fn forget_focus_elsewhere(&mut self) {
        let screen = match self.model.focus {
            Some(Focus::Download | Focus::Pointer) => Screen::Receive,
            Some(Focus::ServerAddress) => Screen::Settings,
            None => return,
        };
        if self.model.screen != screen {
            self.model.focus = None;
        }
    }
}

impl eframe::App for Window {
    fn logic(&mut self, ctx: &Context, _frame: &mut eframe::Frame) {
        self.listen(ctx);
        if ctx.input(|input| input.viewport().close_requested()) && !self.quitting {
            self.take(ctx, Action::CloseRequested);
        }
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        let ctx = ui.ctx().clone();
        for action in self.global_input(&ctx) {
            self.take(&ctx, action);
        }
        // What is answered at once is drawn at once.
        self.listen(&ctx);
        self.dress(&ctx);
        let drawn = view::window(ui, &self.model, self.abilities);
        if drawn.focused {
            self.model.focus = None;
        }
        for action in drawn.actions {
            self.take(&ctx, action);
        }
        self.forget_focus_elsewhere();
    }

    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        visuals.panel_fill.to_normalized_gamma_f32()
    }
}
