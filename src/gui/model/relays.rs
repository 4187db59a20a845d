//! Relays in Settings: where lists of them come from, what is asked of them, and the proxy on the way to them.

use std::path::PathBuf;

use super::{
    Announced, DialogWork, Effect, FileWork, Focus, Model, PointerText, RequestWork, ReturnTo,
    Screen, Tone, WindowMessage,
};
use crate::app::relays::RelaySource;
use crate::app::settings::{Change, ServerEntry};
use crate::app::words::message::UserMessage;
use crate::gui::platform::uri_list::UriList;
use crate::net::socks::SocksProxy;
use crate::protocol::address::ServerAddress;
use crate::protocol::path::Standing;
use crate::protocol::pointer::Pointer;

/// What a person did with relays, or with the way to them.
pub enum RelayAction {
    /// Use the list whose line, or whose file, was typed.
    Add,
    /// Go where relays are chosen: on Receive for the server of the pointer there, else for the network in use.
    Choose,
    /// Open the system's dialog for a relay list.
    ChooseFile,
    /// Forget the list of the network whose relays are shown.
    ForgetList,
    /// Forget a list that no network uses.
    ForgetOther(RelaySource),
    /// Stop using the proxy.
    ForgetProxy,
    /// The field for the line of a relay list was edited.
    LineEdited(String),
    /// Draw a new guard (the first relay of each path).
    NewGuard,
    /// The field for a proxy was edited.
    ProxyEdited(String),
    /// Show each relay, or not.
    Show(bool),
    /// Use the proxy that was typed.
    UseProxy,
    /// Use Session's service nodes.
    UseSession,
}

/// A relay list that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownRelayList {
    /// Where it is from.
    pub source: RelaySource,
    /// The list's own name.
    pub name: String,
    /// How many relays can be used.
    pub relays: usize,
}

/// What is known of the relays of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelaysSeen {
    /// When its maker issued the list, unix seconds.
    pub issued: Option<u64>,
    /// When a newer one was asked for, unix seconds.
    pub asked: Option<u64>,
    /// Until when the list is good, unix seconds.
    pub expires: Option<u64>,
    /// When it was fetched, unix seconds; a file never was.
    pub fetched: Option<u64>,
    /// What is wrong with it, if anything.
    pub trouble: Option<String>,
    /// All its relays are on this computer: rules of paths yield there anyway.
    pub rehearsal: bool,
    /// Each of its relays.
    pub relays: Vec<RelaySeen>,
}

/// A list that is kept and that no network uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherList {
    /// What it is.
    pub list: ShownRelayList,
    /// The servers that it was accepted for, by host or by the beginning of their key; none: it was chosen once.
    pub servers: Vec<String>,
    /// Its age and state, without each of its relays.
    pub seen: RelaysSeen,
}

/// One relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelaySeen {
    /// Where it listens.
    pub name: String,
    /// Who runs it, as the list says; perhaps empty.
    pub operator: String,
    /// How it stands with this person's programs.
    pub standing: Standing,
}

/// What is asked of the relays.
#[derive(Clone, PartialEq, Eq)]
pub enum RelayWish {
    /// Take the list that this pointer names, for its server.
    Accept(PointerText),
    /// Fetch the list of this line, and use it.
    Add(String),
    /// Forget what was fetched of a list.
    Forget(RelaySource),
    /// Say how they stand.
    Look,
    /// Draw a new guard (the first relay of each path).
    NewGuard,
    /// Use Session's service nodes.
    Session,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelaysKnown {
    /// The list to use from now on, if it is another.
    pub list: Option<ShownRelayList>,
    /// How those of the network stand.
    pub seen: Option<RelaysSeen>,
    /// The lists that no network uses.
    pub others: Vec<OtherList>,
}

impl Model {
    pub(super) fn on_relays(&mut self, action: RelayAction) -> Vec<Effect> {
        match action {
            RelayAction::Add => return self.add_relays(),
            RelayAction::Choose => {
                let pointed_at = self.server_that_lacks_relays();
                self.return_to = (self.screen == Screen::Receive).then_some(ReturnTo::Pointer);
                return self.choose_relays_for(pointed_at);
            }
            RelayAction::ChooseFile => return self.dialog(Effect::from(DialogWork::PickRelayList)),
            RelayAction::ForgetList => return self.forget_relay_list(),
            RelayAction::ForgetOther(source) => return self.ask_relays(RelayWish::Forget(source)),
            RelayAction::ForgetProxy => return self.forget_proxy(),
            RelayAction::LineEdited(line) => {
                self.settings_screen.relay_line = line;
                self.settings_screen.relay_trouble = None;
            }
            RelayAction::NewGuard => return self.ask_relays(RelayWish::NewGuard),
            RelayAction::ProxyEdited(text) => {
                self.settings_screen.proxy = text;
                self.settings_screen.proxy_trouble = None;
            }
            RelayAction::Show(open) => self.settings_screen.relays_open = open,
            RelayAction::UseProxy => return self.use_proxy(),
            RelayAction::UseSession => return self.ask_relays(RelayWish::Session),
        }
        Vec::new()
    }

    /// The server of the pointer on Receive, where that screen is shown and no relays lead there.
    fn server_that_lacks_relays(&self) -> Option<ServerAddress> {
        let lacks = self.screen == Screen::Receive && self.receive.lacks_relays();
        let pointer = lacks.then(|| Pointer::find(self.receive.text.as_str()));
        Some(pointer?.ok()?.server)
    }

    /// Goes to the relays of the network of this server, or of the one in use.
    pub(super) fn choose_relays_for(&mut self, server: Option<ServerAddress>) -> Vec<Effect> {
        self.screen = Screen::Settings;
        self.focus = Some(Focus::RelayLine);
        self.settings_screen.relays_of = server;
        self.ask_relays(RelayWish::Look)
    }

    /// The server of the network whose relays are shown, and for which others are chosen; `None` for the network inside the
    /// program. It need not be in the settings yet.
    #[must_use]
    pub(crate) fn relays_server(&self) -> Option<&ServerAddress> {
        let pointed_at = self.settings_screen.relays_of.as_ref();
        pointed_at.or_else(|| self.settings.chosen_server())
    }

    /// Where the relays are from that are shown.
    #[must_use]
    pub(crate) fn relays_shown(&self) -> Option<&RelaySource> {
        self.settings.relays_of(self.relays_server()?)
    }

    fn use_proxy(&mut self) -> Vec<Effect> {
        match self.settings_screen.proxy.parse::<SocksProxy>() {
            Ok(proxy) => {
                self.announce(false, Announced::ProxyUsed(proxy.clone()));
                self.settings_screen.proxy.clear();
                self.settings_screen.proxy_trouble = None;
                let mut effects = self.change(Change::Proxy(Some(proxy)));
                effects.extend(self.return_where_relays_help());
                effects
            }
            Err(why) => {
                let message = UserMessage::from(&why);
                self.announce(true, Announced::Worded(message.clone()));
                self.settings_screen.proxy_trouble = Some(message);
                Vec::new()
            }
        }
    }

    /// Takes in the relay list of an earlier start.
    pub(super) fn on_kept_list(&mut self, read: Result<ShownRelayList, UserMessage>) {
        match read {
            Ok(list) => {
                // Unless another one was chosen meanwhile.
                if self.relays_shown() == Some(&list.source) {
                    self.settings_screen.relay_list = Some(list);
                }
            }
            Err(message) => self.say(Tone::Warning, message),
        }
    }

    /// Takes in a relay list that was read from a file.
    pub(super) fn on_relay_list(
        &mut self,
        read: Result<ShownRelayList, UserMessage>,
    ) -> Vec<Effect> {
        self.dialog_open = false;
        let list = match read {
            Ok(list) => list,
            Err(message) => {
                self.announce(true, Announced::Worded(message.clone()));
                self.settings_screen.relay_trouble = Some(message);
                // The card of a pointer that lacks relays says it too.
                if !self.receive.lacks_relays() || self.screen != Screen::Receive {
                    // Where it is said, and where another list can be named.
                    self.screen = Screen::Settings;
                    self.focus = Some(Focus::RelayLine);
                }
                return Vec::new();
            }
        };
        self.settings_screen.relay_trouble = None;
        self.settings_screen.relay_line.clear();
        let server = self.server_that_lacks_relays();
        let Some(server) = server.or_else(|| self.relays_server().cloned()) else {
            self.say(Tone::Warning, WindowMessage::NoNetworkForList);
            return self.ask_relays(RelayWish::Forget(list.source));
        };
        if self.screen == Screen::Share {
            // Nothing else on this screen says that something has changed.
            self.say(Tone::Success, WindowMessage::ListUsed(list.name.clone()));
        } else {
            self.announce(false, Announced::ListUsed(list.name.clone()));
        }
        let mut effects = self.use_list(&server, list);
        effects.extend(self.ask_relays(RelayWish::Look));
        effects.extend(self.return_from_settings());
        effects
    }

    /// Uses the relays of this list for a server from now on. One that was not among the networks is one of them then: it
    /// is in a pointer that the person opened.
    fn use_list(&mut self, server: &ServerAddress, list: ShownRelayList) -> Vec<Effect> {
        let source = list.source.clone();
        self.settings_screen.relay_list = Some(list);
        let mut changes = Vec::new();
        if self.settings.entry(server).is_none() {
            let name = self.settings.free_name(server.url.authority(), server);
            changes.push(Change::AddServer(ServerEntry::new(name, server.clone())));
        }
        changes.push(Change::Relays(server.clone(), Some(source)));
        self.change_all(changes)
    }

    /// The list whose line, or whose file, was typed.
    fn add_relays(&mut self) -> Vec<Effect> {
        let typed = self.settings_screen.relay_line.trim().to_owned();
        match list_path(&typed) {
            _ if typed.is_empty() => Vec::new(),
            Some(path) => self.read_list(path),
            None => self.ask_relays(RelayWish::Add(typed)),
        }
    }

    pub(super) fn read_list(&mut self, path: PathBuf) -> Vec<Effect> {
        self.settings_screen.relay_trouble = None;
        vec![Effect::from(FileWork::ReadRelayList(path))]
    }

    pub(super) fn ask_relays(&mut self, wish: RelayWish) -> Vec<Effect> {
        if self.settings_screen.relays_busy {
            return Vec::new();
        }
        self.settings_screen.relays_busy = true;
        self.settings_screen.relay_trouble = None;
        let network = self.relays_server().cloned();
        vec![Effect::from(RequestWork::Relays(
            wish,
            network,
            self.settings_now(),
        ))]
    }

    pub(super) fn relays_answered(
        &mut self,
        network: Option<&ServerAddress>,
        result: Result<Box<RelaysKnown>, UserMessage>,
    ) -> Vec<Effect> {
        self.settings_screen.relays_busy = false;
        let known = match result {
            Ok(known) => known,
            Err(message) => {
                self.announce(true, Announced::Worded(message.clone()));
                self.settings_screen.relay_trouble = Some(message);
                return Vec::new();
            }
        };
        self.settings_screen.other_lists = known.others;
        self.settings_screen.relays_seen = network.cloned().zip(known.seen);
        if let (Some(list), Some(server)) = (known.list, network) {
            self.announce(false, Announced::ListUsed(list.name.clone()));
            if matches!(list.source, RelaySource::Url(_)) {
                self.settings_screen.relay_line.clear();
            }
            let mut effects = self.use_list(server, list);
            effects.extend(self.return_from_settings());
            return effects;
        }
        // A list that was accepted for one server changes what a pointer can do from here.
        let mut effects: Vec<Effect> = self.describe_again().into_iter().collect();
        // Another network is shown by now, which could not be asked about meanwhile.
        if network != self.relays_server() {
            effects.extend(self.ask_relays(RelayWish::Look));
        }
        effects
    }
}

/// The file that was named in place of the line of a list, as file managers and people write it.
fn list_path(typed: &str) -> Option<PathBuf> {
    let typed = typed.trim_matches(['"', '\'']);
    if typed.starts_with("~/") {
        return Some(PathBuf::from(typed));
    }
    match UriList::from_text(typed)?.files.as_slice() {
        [path] => Some(path.clone()),
        _ => None,
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_named_by_its_path_as_people_and_file_managers_write_it() {
        for (typed, path) in [
            ("/home/ada/relays.json", Some("/home/ada/relays.json")),
            (
                "\"/home/ada/our relays.json\"",
                Some("/home/ada/our relays.json"),
            ),
            (
                "file:///home/ada/our%20relays.json",
                Some("/home/ada/our relays.json"),
            ),
            ("~/relays.json", Some("~/relays.json")),
            ("https://host/relays.json#k=5a", None),
            ("nonsense", None),
        ] {
            assert_eq!(list_path(typed), path.map(PathBuf::from), "{typed}");
        }
    }
}
