//! The access words of servers in Settings: entered, kept, forgotten.

use zeroize::Zeroizing;

use super::{Announced, Effect, Focus, Model, WordField};
use crate::app::settings::Change;
use crate::protocol::address::ServerAddress;
use crate::protocol::capability::AccessWord;

impl Model {
    pub(super) fn place_of_server(&self, address: &ServerAddress) -> Option<usize> {
        let mut servers = self.settings.servers.iter();
        servers.position(|server| server.address == *address)
    }

    /// Opens the field for the access word of this server.
    pub(super) fn open_word(&mut self, server: ServerAddress) {
        if let Some(at) = self.place_of_server(&server) {
            self.settings_screen.word = Some(WordField {
                server,
                text: Zeroizing::default(),
                refused: false,
            });
            self.focus = Some(Focus::AccessWord(at));
        }
    }

    pub(super) fn word_edited(&mut self, text: Zeroizing<String>) {
        if let Some(field) = &mut self.settings_screen.word {
            field.text = text;
            field.refused = false;
        }
    }

    pub(super) fn close_word(&mut self) {
        if let Some(field) = self.settings_screen.word.take() {
            self.focus = self.place_of_server(&field.server).map(Focus::AccessWord);
        }
    }

    pub(super) fn keep_word(&mut self) -> Vec<Effect> {
        let Some(field) = &mut self.settings_screen.word else {
            return Vec::new();
        };
        let Ok(word) = AccessWord::parse(field.text.trim()) else {
            field.refused = true;
            self.announce(true, Announced::AccessWordInvalid);
            return Vec::new();
        };
        let server = field.server.clone();
        self.close_word();
        self.announce(false, Announced::AccessWordKept);
        let mut effects = self.change(Change::AccessWord(server, Some(word)));
        effects.extend(self.return_from_settings());
        effects
    }

    pub(super) fn forget_word(&mut self, server: ServerAddress) -> Vec<Effect> {
        self.focus = self.place_of_server(&server).map(Focus::AccessWord);
        self.announce(false, Announced::AccessWordForgotten);
        self.change(Change::AccessWord(server, None))
    }
}
