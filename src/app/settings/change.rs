//! Changes of the settings, one by one: the window makes each in what it shows and in the file alike.

use std::path::PathBuf;

use super::{
    Contrast, Display, MAX_PARALLEL, Renderer, ServerChoice, ServerEntry, Settings, SeveralThings,
    Theme,
};
use crate::app::relays::set::RelaySource;
use crate::app::words::l10n::Language;
use crate::net::socks::SocksProxy;
use crate::protocol::address::ServerAddress;
use crate::protocol::capability::AccessWord;

/// One change of the settings, with the new value. Making it twice comes to the same as making it once.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The access word of the server with this address, or none any more.
    AccessWord(ServerAddress, Option<AccessWord>),
    /// A server, after the others, unless its address is in the list. One with the key of a known server, which stands in
    /// every pointer, takes over nothing that was decided about that one, as that it may see this computer's address.
    AddServer(ServerEntry),
    /// The server that new files go to.
    ChosenServer(ServerChoice),
    /// Whether a copied pointer leaves the clipboard after a minute.
    ClearClipboard(bool),
    /// How strong colours are.
    Contrast(Contrast),
    /// Whether the pointer goes on the clipboard as soon as it is there.
    CopyWhenDone(bool),
    /// Whether the server with this address is reached without relays.
    Direct(ServerAddress, bool),
    /// Which display system the next window opens on.
    Display(Display),
    /// Where received files go; without one the usual folder.
    DownloadFolder(Option<PathBuf>),
    /// Whether finished transfers are kept for the next start.
    History(bool),
    /// A network that was joined, as the server in it: after the others, or in place of the server at this address, whose
    /// choice for new files it takes over.
    JoinNetwork(ServerEntry, Option<ServerAddress>),
    /// What the window speaks; without one the system's language.
    Language(Option<Language>),
    /// Whether a pointer names the relay list.
    ListInPointer(bool),
    /// Whether pointers are hidden while another window is in front.
    MaskPointers(bool),
    /// Whether a pointer holds the file's name.
    NameInPointer(bool),
    /// Whether the desktop says when a transfer ends.
    Notify(bool),
    /// Whether it then names the file.
    NotifyNames(bool),
    /// How many files are shared at the same time.
    ParallelShares(u8),
    /// The proxy that connections go through, or none.
    Proxy(Option<SocksProxy>),
    /// Whether nothing in the window moves.
    ReducedMotion(bool),
    /// Where the relays are from that lead to the server with this address; without one, none do.
    Relays(ServerAddress, Option<RelaySource>),
    /// The server with this address is gone. Where new files went there, they go to the built-in network.
    RemoveServer(ServerAddress),
    /// What draws the next window.
    Renderer(Renderer),
    /// A removed server, at the place that it had.
    RestoreServer(usize, ServerEntry),
    /// A new name for the server with this address.
    ServerName(ServerAddress, String),
    /// How several files or folders are shared that came together.
    SeveralThings(SeveralThings),
    /// Whether the rules of paths may yield on this list where it is too short for them.
    ShortList(RelaySource, bool),
    /// Light, dark or as the system.
    Theme(Theme),
    /// The first start's card was read.
    Welcomed,
    /// Size of everything in the window, per cent.
    Zoom(u16),
}

impl Settings {
    /// Makes one change. What it names and is not there any more, as a server that another program removed, stays gone.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::AccessWord(address, word) => {
                if let Some(server) = self.entry_mut(address) {
                    server.access_word.clone_from(word);
                }
            }
            Change::AddServer(entry) => {
                if self.entry(&entry.address).is_none() {
                    self.servers.push(entry.clone());
                }
            }
            Change::ChosenServer(choice) => self.chosen.clone_from(choice),
            Change::ClearClipboard(on) => self.clear_clipboard = *on,
            Change::Contrast(contrast) => self.contrast = *contrast,
            Change::CopyWhenDone(on) => self.copy_when_done = *on,
            Change::Direct(address, direct) => {
                if let Some(server) = self.entry_mut(address) {
                    server.direct = *direct;
                }
            }
            Change::Display(display) => self.display = *display,
            Change::DownloadFolder(folder) => self.download_folder.clone_from(folder),
            Change::History(on) => self.history = *on,
            Change::JoinNetwork(entry, replaced) => self.join(entry, replaced.as_ref()),
            Change::Language(language) => self.language = *language,
            Change::ListInPointer(on) => self.pointer_carries_relay_list = *on,
            Change::MaskPointers(on) => self.mask_pointers = *on,
            Change::NameInPointer(on) => self.name_in_pointer = *on,
            Change::Notify(on) => self.notify = *on,
            Change::NotifyNames(on) => self.notify_names = *on,
            Change::ParallelShares(number) => {
                self.parallel_shares = (*number).clamp(1, MAX_PARALLEL);
            }
            Change::Proxy(proxy) => self.proxy.clone_from(proxy),
            Change::ReducedMotion(on) => self.reduced_motion = *on,
            Change::Relays(address, source) => {
                if let Some(server) = self.entry_mut(address) {
                    server.relays.clone_from(source);
                }
            }
            Change::RemoveServer(address) => {
                self.servers.retain(|server| server.address != *address);
                if matches!(&self.chosen, ServerChoice::Server(chosen) if chosen == address) {
                    self.chosen = ServerChoice::BuiltIn;
                }
            }
            Change::Renderer(renderer) => self.renderer = *renderer,
            Change::RestoreServer(place, entry) => {
                // It may have been added again meanwhile.
                self.servers
                    .retain(|server| server.address != entry.address);
                let place = (*place).min(self.servers.len());
                self.servers.insert(place, entry.clone());
            }
            Change::ServerName(address, name) => {
                if let Some(server) = self.entry_mut(address) {
                    server.name.clone_from(name);
                }
            }
            Change::SeveralThings(how) => self.several_things = *how,
            Change::ShortList(list, yields) => {
                self.short_lists.retain(|other| other != list);
                if *yields {
                    self.short_lists.push(list.clone());
                }
            }
            Change::Theme(theme) => self.theme = *theme,
            Change::Welcomed => self.welcomed = true,
            Change::Zoom(zoom) => self.zoom = *zoom,
        }
    }

    fn join(&mut self, entry: &ServerEntry, replaced: Option<&ServerAddress>) {
        let is_in_place = |server: &ServerEntry| {
            Some(&server.address) == replaced || server.address == entry.address
        };
        let place = self.servers.iter().position(is_in_place);
        self.servers.retain(|server| !is_in_place(server));
        let place = place.unwrap_or(self.servers.len()).min(self.servers.len());
        self.servers.insert(place, entry.clone());
        if matches!(&self.chosen, ServerChoice::Server(chosen) if Some(chosen) == replaced) {
            self.chosen = ServerChoice::Server(entry.address.clone());
        }
    }

    fn entry_mut(&mut self, server: &ServerAddress) -> Option<&mut ServerEntry> {
        let mut servers = self.servers.iter_mut();
        servers.find(|entry| entry.address == *server)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::keys::Identity;

    fn entry(host: &str, seed: u8) -> ServerEntry {
        let key = Identity::from_seed([seed; 32]).public().to_hex();
        ServerEntry::new(host, format!("http://{host}#p={key}").parse().unwrap())
    }

    fn names(settings: &Settings) -> Vec<&str> {
        settings
            .servers
            .iter()
            .map(ServerEntry::shown_name)
            .collect()
    }

    /// Whoever knows a server's key, which stands in every pointer, can hand out another address for it.
    #[test]
    fn another_address_of_a_known_key_takes_over_nothing_that_was_decided_about_the_first() {
        let mut settings = Settings::default();
        let (known, other) = (entry("old.example", 1), entry("new.example", 1));
        let word = AccessWord::parse("sesame").ok();
        for change in [
            Change::AddServer(known.clone()),
            Change::Direct(known.address.clone(), true),
            Change::AccessWord(known.address.clone(), word.clone()),
            Change::AddServer(other.clone()),
        ] {
            settings.apply(&change);
        }
        let decided = ServerEntry {
            direct: true,
            access_word: word,
            ..known
        };
        assert_eq!(settings.servers, [decided, other]);
    }

    #[test]
    fn two_addresses_of_one_key_are_changed_chosen_and_removed_each_for_itself() {
        let (one, two) = (entry("one.example", 1), entry("two.example", 1));
        let word = AccessWord::parse("sesame").ok();
        let mut settings = Settings::default();
        for change in [
            Change::AddServer(one.clone()),
            Change::AddServer(two.clone()),
            Change::ChosenServer(ServerChoice::Server(two.address.clone())),
            Change::Direct(two.address.clone(), true),
            Change::AccessWord(two.address.clone(), word.clone()),
        ] {
            settings.apply(&change);
        }
        let decided = ServerEntry {
            direct: true,
            access_word: word,
            ..two.clone()
        };
        assert_eq!(settings.servers, [one.clone(), decided.clone()]);
        assert_eq!(settings.chosen_entry(), Some(&decided));

        settings.apply(&Change::RemoveServer(one.address.clone()));
        assert_eq!(settings.chosen_entry(), Some(&decided));
        settings.apply(&Change::RestoreServer(0, one.clone()));
        settings.apply(&Change::RemoveServer(two.address));
        assert_eq!(settings.servers, std::slice::from_ref(&one));
        assert_eq!(settings.chosen, ServerChoice::BuiltIn);
        settings.apply(&Change::RestoreServer(1, decided.clone()));
        assert_eq!(settings.servers, [one, decided]);
    }

    #[test]
    fn an_address_in_another_spelling_is_the_same_server() {
        let mut settings = Settings::default();
        let known = entry("files.example", 1);
        let key = known.address.key.to_hex();
        settings.apply(&Change::AddServer(known.clone()));
        for spelling in ["HTTP://Files.Example/", "http://files.example:80"] {
            let address = format!(" {spelling}#p={key}").parse().unwrap();
            settings.apply(&Change::AddServer(ServerEntry::new("again", address)));
        }
        assert_eq!(settings.servers, [known]);
    }

    #[test]
    fn a_removed_server_is_chosen_no_more_and_comes_back_where_it_was() {
        let mut settings = Settings::default();
        for (host, seed) in [("a", 1), ("b", 2), ("c", 3)] {
            settings.apply(&Change::AddServer(entry(host, seed)));
        }
        let b = settings.servers[1].clone();
        let address = b.address.clone();
        settings.apply(&Change::ChosenServer(ServerChoice::Server(address.clone())));
        settings.apply(&Change::RemoveServer(address.clone()));
        assert_eq!(names(&settings), ["a", "c"]);
        assert_eq!(settings.chosen, ServerChoice::BuiltIn);
        for _twice in 0..2 {
            settings.apply(&Change::RestoreServer(1, b.clone()));
            assert_eq!(names(&settings), ["a", "b", "c"]);
        }
        settings.apply(&Change::RemoveServer(address));
        settings.apply(&Change::RestoreServer(9, b));
        assert_eq!(names(&settings), ["a", "c", "b"]);
    }

    #[test]
    fn another_choice_than_the_removed_server_stays() {
        let mut settings = Settings::default();
        let (a, b) = (entry("a", 1), entry("b", 2));
        let removed = a.address.clone();
        let chosen = ServerChoice::Server(b.address.clone());
        for change in [
            Change::AddServer(a),
            Change::AddServer(b),
            Change::ChosenServer(chosen.clone()),
            Change::RemoveServer(removed),
        ] {
            settings.apply(&change);
        }
        assert_eq!(settings.chosen, chosen);
    }
}
