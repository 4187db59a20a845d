//! What servers said of what they take, and the options of a share within that.

use super::{Effect, KeepFor, Model, SettingsWork, Terms};
use crate::app::settings::ServerChoice;

impl Model {
    /// Asks what the chosen server said of what it takes, where that is not known yet.
    pub(super) fn ask_terms(&self) -> Option<Effect> {
        let chosen = self.settings.chosen;
        (!self.settings_screen.terms.contains_key(&chosen))
            .then(|| Effect::from(SettingsWork::Terms(chosen)))
    }

    pub(super) fn on_terms(&mut self, choice: ServerChoice, terms: Option<Terms>) {
        if let Some(terms) = terms {
            self.settings_screen.terms.insert(choice, terms);
            self.keep_within_terms();
        }
    }

    /// What the chosen server would refuse is not asked of it.
    pub(super) fn keep_within_terms(&mut self) {
        let keep = self.share_options.keep;
        if !keep.is_within(self.chosen_terms()) {
            self.share_options.keep = KeepFor::Usual;
        }
    }
}
