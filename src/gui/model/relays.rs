//! Relays in Settings: where lists of them come from, what is asked of them, and the proxy on the way to them.

use std::path::PathBuf;

use super::{
    Announced, DialogWork, Effect, Errand, FileWork, Focus, Model, RelayOrigin, RelayWish,
    RelaysKnown, RequestWork, Screen, ShownRelayList, Tone, WindowMessage,
};
use crate::app::settings::config::SocksProxy;
use crate::app::words::message::UserMessage;
use crate::gui::platform::uri_list::UriList;

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
    ForgetOther(RelayOrigin),
    /// Go out straight from now on.
    ForgetProxy,
    /// The field for the line of a relay list was edited.
    LineEdited(String),
    /// Begin paths at other relays.
    NewGuard,
    /// The field for a proxy was edited.
    ProxyEdited(String),
    /// Show each relay, or not.
    Show(bool),
    /// Go out through the proxy that was typed.
    UseProxy,
    /// Use Session's service nodes.
    UseSession,
}

impl Model {
    pub(super) fn on_relays(&mut self, action: RelayAction) -> Vec<Effect> {
        match action {
            RelayAction::Add => return self.add_relays(),
            RelayAction::Choose => {
                self.errand = (self.screen == Screen::Receive).then_some(Errand::Card);
                self.screen = Screen::Settings;
                self.focus = Some(Focus::RelayLine);
                return self.ask_relays(RelayWish::Look);
            }
            RelayAction::ChooseFile => return self.dialog(Effect::from(DialogWork::PickRelayList)),
            RelayAction::ForgetList => return self.forget_relay_list(),
            RelayAction::ForgetOther(origin) => return self.ask_relays(RelayWish::Forget(origin)),
            RelayAction::ForgetProxy => return self.forget_proxy(),
            RelayAction::LineEdited(line) => {
                self.settings.relay_line = line;
                self.settings.relay_trouble = None;
            }
            RelayAction::NewGuard => return self.ask_relays(RelayWish::NewGuard),
            RelayAction::ProxyEdited(text) => {
                self.settings.proxy = text;
                self.settings.proxy_trouble = None;
            }
            RelayAction::Show(open) => self.settings.relays_open = open,
            RelayAction::UseProxy => return self.use_proxy(),
            RelayAction::UseSession => return self.ask_relays(RelayWish::Session),
        }
        Vec::new()
    }

    fn use_proxy(&mut self) -> Vec<Effect> {
        match self.settings.proxy.parse::<SocksProxy>() {
            Ok(proxy) => {
                self.announce(false, Announced::ProxyUsed(proxy.clone()));
                self.settings.proxy.clear();
                self.settings.proxy_trouble = None;
                let mut effects = self.prefer(|kept| kept.proxy = Some(proxy));
                effects.extend(self.go_on_where_relays_help());
                effects
            }
            Err(why) => {
                let message = UserMessage::from(&why);
                self.announce(true, Announced::Worded(message.clone()));
                self.settings.proxy_trouble = Some(message);
                Vec::new()
            }
        }
    }

    /// Takes in the relay list of an earlier start.
    pub(super) fn on_kept_list(&mut self, read: Result<ShownRelayList, UserMessage>) {
        match read {
            Ok(list) => {
                // Unless another one was chosen meanwhile.
                let kept = self.settings.preferences.relay_list.as_mut();
                if let Some(kept) = kept.filter(|kept| kept.origin == list.origin) {
                    *kept = list;
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
                self.settings.relay_trouble = Some(message);
                // The card of a pointer that lacks relays says it too.
                if !self.receive.lacks_relays() || self.screen != Screen::Receive {
                    // Where it is said, and where another list can be named.
                    self.screen = Screen::Settings;
                    self.focus = Some(Focus::RelayLine);
                }
                return Vec::new();
            }
        };
        self.settings.relay_trouble = None;
        self.settings.relay_line.clear();
        if self.screen == Screen::Share {
            // Nothing else on this screen says that something has changed.
            self.say(Tone::Success, WindowMessage::ListUsed(list.name.clone()));
        } else {
            self.announce(false, Announced::ListUsed(list.name.clone()));
        }
        self.settings.preferences.relay_list = Some(list);
        let mut effects = self.keep();
        effects.extend(self.ask_relays(RelayWish::Look));
        effects.extend(self.go_on());
        effects
    }

    /// The list whose line, or whose file, was typed.
    fn add_relays(&mut self) -> Vec<Effect> {
        let typed = self.settings.relay_line.trim().to_owned();
        match list_path(&typed) {
            _ if typed.is_empty() => Vec::new(),
            Some(path) => self.read_list(path),
            None => self.ask_relays(RelayWish::Add(typed)),
        }
    }

    pub(super) fn read_list(&mut self, path: PathBuf) -> Vec<Effect> {
        self.settings.relay_trouble = None;
        vec![Effect::from(FileWork::ReadRelayList(path))]
    }

    pub(super) fn ask_relays(&mut self, wish: RelayWish) -> Vec<Effect> {
        if self.settings.relays_busy {
            return Vec::new();
        }
        self.settings.relays_busy = true;
        self.settings.relay_trouble = None;
        vec![Effect::from(RequestWork::Relays(
            wish,
            self.settings.snapshot(),
        ))]
    }

    pub(super) fn relays_answered(
        &mut self,
        result: Result<RelaysKnown, UserMessage>,
    ) -> Vec<Effect> {
        self.settings.relays_busy = false;
        let known = match result {
            Ok(known) => known,
            Err(message) => {
                self.announce(true, Announced::Worded(message.clone()));
                self.settings.relay_trouble = Some(message);
                return Vec::new();
            }
        };
        self.settings.relays_seen = known.seen;
        self.settings.other_lists = known.others;
        if let Some(list) = known.list {
            self.announce(false, Announced::ListUsed(list.name.clone()));
            if matches!(list.origin, RelayOrigin::Line(_)) {
                self.settings.relay_line.clear();
            }
            self.settings.preferences.relay_list = Some(list);
            let mut effects = self.keep();
            effects.extend(self.go_on());
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
