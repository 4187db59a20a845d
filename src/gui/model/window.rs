//! The window itself: which screen is open, and what is asked before it closes.

use super::{ClipboardWork, Effect, Focus, Modal, Model, RelayWish, Screen, WindowEffect};
use crate::app::settings::Change;

/// What a person did with the window.
#[derive(Clone, Copy)]
pub enum WindowAction {
    /// Close the window.
    Close,
    /// The system asked the window to close.
    CloseRequested,
    /// Take the notice away.
    DismissNotice,
    /// Open a screen.
    Go(Screen),
    /// The window is in front of the others, or no longer.
    InFront(bool),
    /// Close the card of the first start.
    Start,
    /// Bring back what went a moment ago.
    Undo,
}

impl Model {
    pub(super) fn on_window(&mut self, action: WindowAction) -> Vec<Effect> {
        match action {
            WindowAction::Close => return self.close(),
            WindowAction::CloseRequested => return self.close_requested(),
            WindowAction::DismissNotice => {
                self.notice = None;
                self.focus = Some(self.home());
            }
            WindowAction::Go(screen) => return self.go(screen),
            WindowAction::InFront(in_front) => self.in_front = in_front,
            WindowAction::Start => return self.welcomed(),
            WindowAction::Undo => return self.undo(),
        }
        Vec::new()
    }

    fn close(&mut self) -> Vec<Effect> {
        match self.unfinished() {
            0 => {
                let mut effects = self.leave_nothing();
                effects.push(Effect::from(WindowEffect::Quit));
                effects
            }
            running => {
                self.open(Modal::Closing { running });
                Vec::new()
            }
        }
    }

    /// The system closes the window by itself unless it is told not to.
    fn close_requested(&mut self) -> Vec<Effect> {
        match self.unfinished() {
            0 => self.leave_nothing(),
            running => {
                self.open(Modal::Closing { running });
                vec![Effect::from(WindowEffect::StayOpen)]
            }
        }
    }

    /// Stops every transfer and closes the window.
    pub(super) fn stop_and_quit(&mut self) -> Vec<Effect> {
        self.modal = None;
        let mut effects = self.interrupt();
        effects.extend(self.leave_nothing());
        effects.push(Effect::from(WindowEffect::Quit));
        effects
    }

    fn go(&mut self, screen: Screen) -> Vec<Effect> {
        if self.screen != screen {
            // It was said of what was done there.
            self.notice = None;
        }
        self.screen = screen;
        self.menu = None;
        self.settings_screen.network_menu = None;
        self.return_to = None;
        self.settings_screen.relays_of = None;
        match screen {
            Screen::Receive => self.focus = Some(Focus::Pointer),
            Screen::Settings => {
                let mut effects = self.ask_relays(RelayWish::Look);
                effects.extend(self.look_at_networks());
                return effects;
            }
            Screen::Share => self.focus = Some(self.home()),
            #[cfg(feature = "testing")]
            Screen::Gallery => {}
        }
        Vec::new()
    }

    /// Makes the last removal final, and clears a copied pointer from the clipboard if the settings say that it leaves
    /// after a minute.
    fn leave_nothing(&mut self) -> Vec<Effect> {
        let mut effects = self.settle();
        if self.settings.clear_clipboard {
            effects.extend(
                self.last_copied
                    .take()
                    .map(|text| Effect::from(ClipboardWork::Clear(text))),
            );
        }
        effects
    }

    /// Closes the card of the first start.
    pub(super) fn welcomed(&mut self) -> Vec<Effect> {
        self.first_start = false;
        self.change(Change::Welcomed)
    }
}
