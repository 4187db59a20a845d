//! Changes of the settings, one by one: the window makes each in what it shows and in the file alike.

use std::path::PathBuf;

use super::{
    Contrast, Display, MAX_PARALLEL, Renderer, ServerChoice, ServerEntry, Settings, Theme,
};
use crate::app::relays::set::RelaySource;
use crate::app::words::l10n::Language;
use crate::net::socks::SocksProxy;
use crate::protocol::capability::AccessWord;
use crate::protocol::keys::Ed25519Public;

/// One change of the settings, with the new value. Making it twice comes to the same as making it once.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The access word of the server with this key, or none any more; of each, where an older version kept several addresses
    /// of one key.
    AccessWord(Ed25519Public, Option<AccessWord>),
    /// A server, after the others, unless there is one with this key. A new address for a key that is known would take over
    /// what was decided about the old one, as that it may see this computer's address.
    AddServer(ServerEntry),
    /// The server that new files go to.
    ChosenServer(ServerChoice),
    /// Whether a copied pointer leaves the clipboard after a minute.
    ClearClipboard(bool),
    /// How strong colours are.
    Contrast(Contrast),
    /// Whether the pointer goes on the clipboard as soon as it is there.
    CopyWhenDone(bool),
    /// Whether the server with this key is reached without relays; under each of its addresses.
    Direct(Ed25519Public, bool),
    /// Which display system the next window opens on.
    Display(Display),
    /// Where received files go; without one the usual folder.
    DownloadFolder(Option<PathBuf>),
    /// Whether finished transfers are kept for the next start.
    History(bool),
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
    /// Where the relays are from.
    Relays(RelaySource),
    /// The first server with this key is gone. Where new files went there, they go to the built-in network.
    RemoveServer(Ed25519Public),
    /// What draws the next window.
    Renderer(Renderer),
    /// A removed server, at the place that it had.
    RestoreServer(usize, ServerEntry),
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
            Change::AccessWord(key, word) => {
                for server in self.with_key(key) {
                    server.access_word.clone_from(word);
                }
            }
            Change::AddServer(entry) => {
                if self.server(&entry.address.key).is_none() {
                    self.servers.push(entry.clone());
                }
            }
            Change::ChosenServer(choice) => self.chosen = *choice,
            Change::ClearClipboard(on) => self.clear_clipboard = *on,
            Change::Contrast(contrast) => self.contrast = *contrast,
            Change::CopyWhenDone(on) => self.copy_when_done = *on,
            Change::Direct(key, direct) => {
                for server in self.with_key(key) {
                    server.direct = *direct;
                }
            }
            Change::Display(display) => self.display = *display,
            Change::DownloadFolder(folder) => self.download_folder.clone_from(folder),
            Change::History(on) => self.history = *on,
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
            Change::Relays(source) => self.relays = source.clone(),
            Change::RemoveServer(key) => {
                let mut servers = self.servers.iter();
                if let Some(place) = servers.position(|server| server.address.key == *key) {
                    self.servers.remove(place);
                }
                if self.chosen == ServerChoice::Server(*key) {
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

    fn with_key(&mut self, key: &Ed25519Public) -> impl Iterator<Item = &mut ServerEntry> {
        let servers = self.servers.iter_mut();
        servers.filter(|server| server.address.key == *key)
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

    #[test]
    fn a_new_address_takes_over_nothing_that_was_decided_about_the_old_one() {
        let mut settings = Settings::default();
        let known = entry("old.example", 1);
        let key = known.address.key;
        settings.apply(&Change::AddServer(known));
        settings.apply(&Change::AddServer(entry("other.example", 2)));
        settings.apply(&Change::Direct(key, true));
        settings.apply(&Change::AccessWord(key, AccessWord::parse("sesame").ok()));
        settings.apply(&Change::AddServer(entry("new.example", 1)));
        let server = settings.server(&key).unwrap();
        assert!(server.direct && server.access_word.is_some());
        assert_eq!(names(&settings), ["old.example", "other.example"]);
    }

    /// Older versions kept them.
    #[test]
    fn of_two_addresses_of_one_key_none_stays_open_when_the_other_is_closed() {
        let (one, other) = (entry("one.example", 1), entry("other.example", 1));
        let key = one.address.key;
        let mut settings = Settings {
            servers: vec![one, other],
            ..Settings::default()
        };
        settings.apply(&Change::Direct(key, true));
        settings.apply(&Change::Direct(key, false));
        settings.apply(&Change::AccessWord(key, None));
        assert!(settings.servers.iter().all(|server| !server.direct));
        settings.apply(&Change::RemoveServer(key));
        assert_eq!(names(&settings), ["other.example"]);
    }

    #[test]
    fn a_removed_server_is_chosen_no_more_and_comes_back_where_it_was() {
        let mut settings = Settings::default();
        for (host, seed) in [("a", 1), ("b", 2), ("c", 3)] {
            settings.apply(&Change::AddServer(entry(host, seed)));
        }
        let b = settings.servers[1].clone();
        let key = b.address.key;
        settings.apply(&Change::ChosenServer(ServerChoice::Server(key)));
        settings.apply(&Change::RemoveServer(key));
        assert_eq!(names(&settings), ["a", "c"]);
        assert_eq!(settings.chosen, ServerChoice::BuiltIn);
        for _twice in 0..2 {
            settings.apply(&Change::RestoreServer(1, b.clone()));
            assert_eq!(names(&settings), ["a", "b", "c"]);
        }
        settings.apply(&Change::RemoveServer(key));
        settings.apply(&Change::RestoreServer(9, b));
        assert_eq!(names(&settings), ["a", "c", "b"]);
    }

    #[test]
    fn another_choice_than_the_removed_server_stays() {
        let mut settings = Settings::default();
        let (a, b) = (entry("a", 1), entry("b", 2));
        let (removed, chosen) = (a.address.key, ServerChoice::Server(b.address.key));
        for change in [
            Change::AddServer(a),
            Change::AddServer(b),
            Change::ChosenServer(chosen),
            Change::RemoveServer(removed),
        ] {
            settings.apply(&change);
        }
        assert_eq!(settings.chosen, chosen);
    }
}
