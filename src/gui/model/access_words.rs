//! The access words of servers in Settings: entered, kept, forgotten.

use zeroize::Zeroizing;

use super::{Announced, Effect, Focus, Model, WordField};
use crate::protocol::capability::AccessWord;

impl Model {
    fn place_of_server(&self, address: &str) -> Option<usize> {
        let mut servers = self.settings.preferences.servers.iter();
        servers.position(|server| server.address == address)
    }

    /// Opens the field for the access word of this server.
    pub(super) fn open_word(&mut self, address: String) {
        if let Some(at) = self.place_of_server(&address) {
            self.settings.word = Some(WordField {
                address,
                text: Zeroizing::default(),
                refused: false,
            });
            self.focus = Some(Focus::AccessWord(at));
        }
    }

    pub(super) fn word_edited(&mut self, text: Zeroizing<String>) {
        if let Some(field) = &mut self.settings.word {
            field.text = text;
            field.refused = false;
        }
    }

    pub(super) fn close_word(&mut self) {
        if let Some(field) = self.settings.word.take() {
            self.focus = self.place_of_server(&field.address).map(Focus::AccessWord);
        }
    }

    pub(super) fn keep_word(&mut self) -> Vec<Effect> {
        let Some(field) = &mut self.settings.word else {
            return Vec::new();
        };
        let Ok(word) = AccessWord::parse(field.text.trim()) else {
            field.refused = true;
            self.announce(true, Announced::AccessWordInvalid);
            return Vec::new();
        };
        let address = field.address.clone();
        self.close_word();
        self.announce(false, Announced::AccessWordKept);
        let mut effects = self.set_word(&address, Some(word));
        effects.extend(self.go_on());
        effects
    }

    pub(super) fn forget_word(&mut self, address: &str) -> Vec<Effect> {
        self.focus = self.place_of_server(address).map(Focus::AccessWord);
        self.announce(false, Announced::AccessWordForgotten);
        self.set_word(address, None)
    }

    fn set_word(&mut self, address: &str, word: Option<AccessWord>) -> Vec<Effect> {
        let mut servers = self.settings.preferences.servers.iter_mut();
        if let Some(server) = servers.find(|server| server.address == address) {
            server.access_word = word;
        }
        self.keep()
    }
}
