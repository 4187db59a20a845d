//! Relays in Settings: where lists of them come from, what is asked of them, and the proxy on the way to them.

use std::path::PathBuf;

use super::{
    Announced, DialogWork, Effect, FileWork, Focus, Model, PointerText, RequestWork, ReturnTo,
    Screen, Tone, WindowMessage,
};
use crate::app::relays::RelaySource;
use crate::app::settings::Change;
use crate::app::words::message::UserMessage;
use crate::gui::platform::uri_list::UriList;
use crate::net::socks::SocksProxy;
use crate::protocol::path::Standing;

/// What a person did with relays, or with the way to them.
pub enum RelayAction {
    /// Use the list whose line, or whose file, was typed.
    Add,
    /// Go where relays are chosen.
    Choose,
    /// Open the system's dialog for a relay list.
    ChooseFile,
    /// Forget the chosen list.
    ForgetList,
    /// Forget a list that is not the chosen one.
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

/// What is known of the chosen relays.
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

/// A list that is kept beside the chosen one.
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
    /// How they stand.
    pub seen: Option<RelaysSeen>,
    /// The lists beside the chosen one.
    pub others: Vec<OtherList>,
}

impl Model {
    pub(super) fn on_relays(&mut self, action: RelayAction) -> Vec<Effect> {
        match action {
            RelayAction::Add => return self.add_relays(),
            RelayAction::Choose => {
                self.return_to = (self.screen == Screen::Receive).then_some(ReturnTo::Pointer);
                self.screen = Screen::Settings;
                self.focus = Some(Focus::RelayLine);
                return self.ask_relays(RelayWish::Look);
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
                if list.source == self.settings.relays {
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
        if self.screen == Screen::Share {
            // Nothing else on this screen says that something has changed.
            self.say(Tone::Success, WindowMessage::ListUsed(list.name.clone()));
        } else {
            self.announce(false, Announced::ListUsed(list.name.clone()));
        }
        let mut effects = self.use_list(list);
        effects.extend(self.ask_relays(RelayWish::Look));
        effects.extend(self.return_from_settings());
        effects
    }

    /// Uses the relays of this list from now on.
    fn use_list(&mut self, list: ShownRelayList) -> Vec<Effect> {
        let source = list.source.clone();
        self.settings_screen.relay_list = Some(list);
        self.change(Change::Relays(source))
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
        vec![Effect::from(RequestWork::Relays(wish, self.settings_now()))]
    }

    pub(super) fn relays_answered(
        &mut self,
        result: Result<RelaysKnown, UserMessage>,
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
        self.settings_screen.relays_seen = known.seen;
        self.settings_screen.other_lists = known.others;
        if let Some(list) = known.list {
            self.announce(false, Announced::ListUsed(list.name.clone()));
            if matches!(list.source, RelaySource::Url(_)) {
                self.settings_screen.relay_line.clear();
            }
            let mut effects = self.use_list(list);
            effects.extend(self.return_from_settings());
            return effects;
        }
        // A list that was accepted for one server changes what a pointer can do from here.
        self.describe_again().into_iter().collect()
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
