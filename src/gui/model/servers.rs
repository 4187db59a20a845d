//! The file servers in Settings: added, chosen, tested, removed.

use zeroize::Zeroizing;

use super::{
    Announced, ChosenServer, Effect, Ended, Focus, KnownServer, Model, RequestWork, Screen,
    SettingsWork, Test, TestReport,
};
use crate::app::words::message::UserMessage;

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
    ForgetWord(String),
    /// Keep the access word that was typed.
    KeepWord,
    /// Open the field for the access word of the server with this address.
    OpenWord(String),
    /// Take a server off the list.
    Remove(String),
    /// Upload to and download from a server.
    Test(ChosenServer),
    /// Use this server from now on.
    Use(ChosenServer),
    /// The field for an access word was edited.
    WordEdited(Zeroizing<String>),
}

impl Model {
    pub(super) fn on_server(&mut self, action: ServerAction) -> Vec<Effect> {
        match action {
            ServerAction::Add => return self.add_server(),
            ServerAction::AddressEdited(address) => {
                self.settings.address = address;
                self.settings.address_trouble = None;
            }
            ServerAction::Choose => {
                self.errand = None;
                self.screen = Screen::Settings;
                self.focus = Some(Focus::ServerAddress);
            }
            ServerAction::CloseWord => self.close_word(),
            ServerAction::ForgetWord(address) => return self.forget_word(&address),
            ServerAction::KeepWord => return self.keep_word(),
            ServerAction::OpenWord(address) => self.open_word(address),
            ServerAction::Remove(address) => return self.remove_server(&address),
            ServerAction::Test(choice) => return self.test_server(choice),
            ServerAction::Use(choice) => return self.use_server(choice),
            ServerAction::WordEdited(text) => self.word_edited(text),
        }
        Vec::new()
    }

    fn add_server(&self) -> Vec<Effect> {
        let address = self.settings.address.trim();
        if address.is_empty() {
            return Vec::new();
        }
        vec![Effect::from(SettingsWork::ReadServer(address.to_owned()))]
    }

    fn use_server(&mut self, choice: ChosenServer) -> Vec<Effect> {
        self.settings.preferences.chosen = choice;
        self.keep_within_terms();
        let server = self.settings.server_label();
        self.announce(false, Announced::GoesTo(server));
        self.after_server_chosen()
    }

    /// Takes in what the address of a new server was understood as.
    pub(super) fn on_server_read(&mut self, read: Result<KnownServer, UserMessage>) -> Vec<Effect> {
        let server = match read {
            Ok(server) => server,
            Err(message) => {
                self.announce(true, Announced::Worded(message.clone()));
                self.settings.address_trouble = Some(message);
                return Vec::new();
            }
        };
        self.announce(false, Announced::ServerAdded(server.name.clone()));
        self.settings.address.clear();
        self.settings.address_trouble = None;
        let kept = &mut self.settings.preferences;
        kept.chosen = ChosenServer::Address(server.address.clone());
        let is_known = |known: &KnownServer| known.address == server.address;
        if !kept.servers.iter().any(is_known) {
            kept.servers.push(server);
        }
        self.keep_within_terms();
        self.after_server_chosen()
    }

    /// Keeps the choice, and does what waited for one.
    fn after_server_chosen(&mut self) -> Vec<Effect> {
        let mut effects = self.keep();
        effects.extend(self.ask_terms());
        effects.extend(self.go_on());
        effects
    }

    fn test_server(&mut self, choice: ChosenServer) -> Vec<Effect> {
        if matches!(self.settings.tests.get(&choice), Some(Test::Running)) {
            return Vec::new();
        }
        self.settings.tests.insert(choice.clone(), Test::Running);
        self.announce(false, Announced::Testing);
        vec![Effect::from(RequestWork::Test(
            choice,
            self.settings.snapshot(),
        ))]
    }

    pub(super) fn on_tested(
        &mut self,
        choice: ChosenServer,
        ended: Ended<TestReport>,
    ) -> Vec<Effect> {
        let Ended { result, shown } = ended;
        // A server that was removed meanwhile stays forgotten.
        if let Some(test) = self.settings.tests.get_mut(&choice) {
            let failed = result.is_err();
            let what = match &result {
                Ok(report) => Announced::TestPassed(*report),
                Err(trouble) => Announced::NotDone(trouble.clone()),
            };
            *test = result.map_or_else(Test::Failed, Test::Passed);
            self.settings.tests_shown.insert(choice.clone(), shown);
            self.announce(failed, what);
        }
        vec![Effect::from(SettingsWork::Terms(choice))]
    }
}
