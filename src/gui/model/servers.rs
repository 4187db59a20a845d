//! The file servers in Settings: added, chosen, tested, removed.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::{
    Announced, Effect, Ended, Focus, Model, RelayWish, RequestWork, Screen, SettingsWork, Test,
    TestReport,
};
use crate::app::error::AppError;
use crate::app::settings::{Change, ServerChoice, ServerEntry};
use crate::app::words::message::UserMessage;
use crate::protocol::address::ServerAddress;

/// What a person did with a file server. Never printed: it can hold an access word.
pub enum ServerAction {
    /// Add the server whose address was typed.
    Add,
    /// The address of a new server was edited.
    AddressEdited(String),
    /// Go where a server is chosen.
    Choose,
    /// Close the field for an access word.
    CloseWord,
    /// Forget the access word of the server with this address.
    ForgetWord(ServerAddress),
    /// Keep the access word that was typed.
    KeepWord,
    /// Open the field for the access word of the server with this address.
    OpenWord(ServerAddress),
    /// Take the server with this address off the list.
    Remove(ServerAddress),
    /// Upload to and download from a server.
    Test(ServerChoice),
    /// Use this server from now on.
    Use(ServerChoice),
    /// The field for an access word was edited.
    WordEdited(Zeroizing<String>),
}

impl Model {
    pub(super) fn on_server(&mut self, action: ServerAction) -> Vec<Effect> {
        match action {
            ServerAction::Add => return self.add_server(),
            ServerAction::AddressEdited(address) => {
                self.settings_screen.address = address;
                self.settings_screen.address_trouble = None;
            }
            ServerAction::Choose => {
                self.return_to = None;
                self.screen = Screen::Settings;
                self.focus = Some(Focus::ServerAddress);
            }
            ServerAction::CloseWord => self.close_word(),
            ServerAction::ForgetWord(server) => return self.forget_word(server),
            ServerAction::KeepWord => return self.keep_word(),
            ServerAction::OpenWord(server) => self.open_word(server),
            ServerAction::Remove(server) => return self.remove_server(&server),
            ServerAction::Test(choice) => return self.test_server(choice),
            ServerAction::Use(choice) => return self.use_server(choice),
            ServerAction::WordEdited(text) => self.word_edited(text),
        }
        Vec::new()
    }

    fn add_server(&mut self) -> Vec<Effect> {
        let typed = self.settings_screen.address.trim();
        if typed.is_empty() {
            return Vec::new();
        }
        let address = match typed.parse::<ServerAddress>() {
            Ok(address) => address,
            Err(why) => {
                let message = UserMessage::from(&AppError::from(why));
                self.announce(true, Announced::Worded(message.clone()));
                self.settings_screen.address_trouble = Some(message);
                return Vec::new();
            }
        };
        self.settings_screen.address.clear();
        self.settings_screen.address_trouble = None;
        let choice = ServerChoice::Server(address.clone());
        let server = ServerEntry::new("", address);
        let name = self.settings.name_in_list(&server).to_owned();
        let mut effects = self.change_all(vec![
            Change::AddServer(server),
            Change::ChosenServer(choice),
        ]);
        self.announce(false, Announced::ServerAdded(name));
        effects.extend(self.after_server_chosen());
        effects
    }

    fn use_server(&mut self, choice: ServerChoice) -> Vec<Effect> {
        let mut effects = self.change(Change::ChosenServer(choice));
        self.announce(false, Announced::GoesTo(self.server_label()));
        effects.extend(self.after_server_chosen());
        effects
    }

    /// Does what waited for a choice of the server.
    fn after_server_chosen(&mut self) -> Vec<Effect> {
        self.keep_within_terms();
        let mut effects: Vec<Effect> = self.ask_terms().into_iter().collect();
        self.settings_screen.relays_of = None;
        effects.extend(self.ask_relays(RelayWish::Look));
        effects.extend(self.return_from_settings());
        effects
    }

    fn test_server(&mut self, choice: ServerChoice) -> Vec<Effect> {
        if matches!(self.settings_screen.tests.get(&choice), Some(Test::Running)) {
            return Vec::new();
        }
        let tests = &mut self.settings_screen.tests;
        tests.insert(choice.clone(), Test::Running);
        self.announce(false, Announced::Testing);
        let mut settings = self.settings.clone();
        settings.apply(&Change::ChosenServer(choice));
        vec![Effect::from(RequestWork::Test(Arc::new(settings)))]
    }

    pub(super) fn on_tested(
        &mut self,
        choice: ServerChoice,
        ended: Ended<TestReport>,
    ) -> Vec<Effect> {
        let Ended { result, shown } = ended;
        // A server that was removed meanwhile stays forgotten.
        if let Some(test) = self.settings_screen.tests.get_mut(&choice) {
            let failed = result.is_err();
            let what = match &result {
                Ok(report) => Announced::TestPassed(*report),
                Err(trouble) => Announced::NotDone(trouble.clone()),
            };
            *test = result.map_or_else(Test::Failed, Test::Passed);
            let all_shown = &mut self.settings_screen.tests_shown;
            all_shown.insert(choice.clone(), shown);
            self.announce(failed, what);
        }
        vec![Effect::from(SettingsWork::Terms(choice))]
    }
}
