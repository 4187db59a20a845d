//! What servers said of what they take, and the options of a share within that.

use super::{ChosenServer, Effect, KeepFor, Model, SettingsWork, Terms};

impl Model {
    /// Asks what the chosen server said of what it takes, where that is not known yet.
    pub(super) fn ask_terms(&self) -> Option<Effect> {
        let chosen = &self.settings.preferences.chosen;
        (!self.settings.terms.contains_key(chosen))
            .then(|| Effect::from(SettingsWork::Terms(chosen.clone())))
    }

    pub(super) fn on_terms(&mut self, choice: ChosenServer, terms: Option<Terms>) {
        if let Some(terms) = terms {
            self.settings.terms.insert(choice, terms);
            self.keep_within_terms();
        }
    }

    /// What the chosen server would refuse is not asked of it.
    pub(super) fn keep_within_terms(&mut self) {
        let keep = self.settings.preferences.options.keep;
        if !keep.is_within(self.settings.chosen_terms()) {
            self.settings.preferences.options.keep = KeepFor::Usual;
        }
    }
}
