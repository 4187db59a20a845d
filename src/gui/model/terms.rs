//! Limits that servers state, and keeping the options of a share within them.

use super::{Effect, KeepFor, Model, SettingsWork, Terms};
use crate::app::settings::ServerChoice;

impl Model {
    /// Asks for the remembered limits of the chosen server, where they are not known yet.
    pub(super) fn ask_terms(&self) -> Option<Effect> {
        let chosen = &self.settings.chosen;
        (!self.settings_screen.terms.contains_key(chosen))
            .then(|| Effect::from(SettingsWork::Terms(chosen.clone())))
    }

    pub(super) fn on_terms(&mut self, choice: ServerChoice, terms: Option<Terms>) {
        if let Some(terms) = terms {
            self.settings_screen.terms.insert(choice, terms);
            self.keep_within_terms();
        }
    }

    /// Resets options that the chosen server would refuse.
    pub(super) fn keep_within_terms(&mut self) {
        let keep = self.share_options.keep;
        if !keep.is_within(self.chosen_terms()) {
            self.share_options.keep = KeepFor::Usual;
        }
    }
}
