//! What was taken away a moment ago, and how it comes back.

use super::{
    Announced, ChosenServer, Effect, Focus, HistoryWork, KnownServer, Model, RelayWish, ShownName,
    ShownRelayList, Timer, Transfer, TransferId,
};
use crate::app::settings::config::SocksProxy;

/// What can come back.
pub enum Undo {
    /// The proxy.
    Proxy(SocksProxy),
    /// The relay list.
    RelayList(ShownRelayList),
    /// Rows of the list, each with the place it had when it went, in the order they went.
    Rows(Vec<(usize, Transfer)>),
    /// A server of the list.
    Server {
        /// Its place.
        at: usize,
        /// The server.
        server: KnownServer,
        /// Files went there.
        chosen: bool,
    },
}

/// What was taken away, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removed {
    /// The proxy.
    Proxy,
    /// The relay list.
    RelayList,
    /// The row of this file.
    Row(ShownName),
    /// So many rows.
    Rows(usize),
    /// The server of this name.
    Server(String),
}

impl Undo {
    /// What was taken away, by name.
    #[must_use]
    pub fn removed(&self) -> Removed {
        match self {
            Self::Proxy(_) => Removed::Proxy,
            Self::RelayList(_) => Removed::RelayList,
            Self::Rows(rows) => match rows.as_slice() {
                [(_, row)] => Removed::Row(row.name.clone()),
                rows => Removed::Rows(rows.len()),
            },
            Self::Server { server, .. } => Removed::Server(server.name.clone()),
        }
    }
}

impl Model {
    /// Takes a row off the list. Its entry of the history goes when it can no longer come back.
    pub(super) fn remove(&mut self, id: TransferId) -> Vec<Effect> {
        self.menu = None;
        self.focus_after(id);
        let mut effects = self.cancel(id);
        let Some(at) = self.transfers.iter().position(|row| row.id == id) else {
            return effects;
        };
        let row = self.transfers.remove(at);
        match &mut self.undo {
            Some(Undo::Rows(rows)) => {
                rows.push((at, row));
                self.removals += 1;
                effects.push(Effect::from(Timer::Undo(self.removals)));
                self.announce_removal();
            }
            _ => effects.extend(self.offer(Undo::Rows(vec![(at, row)]))),
        }
        effects
    }

    pub(super) fn remove_server(&mut self, address: &str) -> Vec<Effect> {
        let kept = &mut self.settings.preferences;
        let Some(at) = (kept.servers.iter()).position(|server| server.address == address) else {
            return Vec::new();
        };
        let server = kept.servers.remove(at);
        let choice = ChosenServer::Address(server.address.clone());
        let chosen = kept.chosen == choice;
        if chosen {
            kept.chosen = ChosenServer::BuiltIn;
        }
        self.settings.tests.remove(&choice);
        self.settings.tests_shown.remove(&choice);
        let word = &mut self.settings.word;
        word.take_if(|field| field.address == server.address);
        let mut effects = self.keep();
        effects.extend(self.offer(Undo::Server { at, server, chosen }));
        effects
    }

    pub(super) fn forget_relay_list(&mut self) -> Vec<Effect> {
        self.settings.relays_seen = None;
        let list = self.settings.preferences.relay_list.take();
        let mut effects = self.keep();
        effects.extend(list.map_or_else(Vec::new, |list| self.offer(Undo::RelayList(list))));
        effects
    }

    pub(super) fn forget_proxy(&mut self) -> Vec<Effect> {
        let proxy = self.settings.preferences.proxy.take();
        let mut effects = self.keep();
        effects.extend(proxy.map_or_else(Vec::new, |proxy| self.offer(Undo::Proxy(proxy))));
        effects
    }

    /// Brings back what went last.
    pub(super) fn undo(&mut self) -> Vec<Effect> {
        match self.undo.take() {
            None => return Vec::new(),
            Some(Undo::Rows(rows)) => {
                for (at, row) in rows.into_iter().rev() {
                    self.focus = Some(Focus::Row(row.id));
                    self.transfers.insert(at.min(self.transfers.len()), row);
                }
                self.announce(false, Announced::Undone);
                return Vec::new();
            }
            Some(Undo::Server { at, server, chosen }) => {
                let kept = &mut self.settings.preferences;
                if chosen {
                    kept.chosen = ChosenServer::Address(server.address.clone());
                }
                // It may have been added again meanwhile.
                kept.servers.retain(|known| known.address != server.address);
                kept.servers.insert(at.min(kept.servers.len()), server);
            }
            Some(Undo::RelayList(list)) => self.settings.preferences.relay_list = Some(list),
            Some(Undo::Proxy(proxy)) => self.settings.preferences.proxy = Some(proxy),
        }
        self.announce(false, Announced::Undone);
        self.keep()
    }

    /// What went stays away: nothing of it is kept any more.
    pub(super) fn settle(&mut self) -> Vec<Effect> {
        match self.undo.take() {
            Some(Undo::Rows(rows)) => {
                let entries = rows.into_iter().filter_map(|(_, row)| row.entry);
                entries
                    .map(|entry| Effect::from(HistoryWork::Forget(entry)))
                    .collect()
            }
            // Unless it was chosen again, this computer does not keep it either.
            Some(Undo::RelayList(list))
                if self.settings.preferences.relay_list.as_ref() != Some(&list) =>
            {
                self.ask_relays(RelayWish::Forget(list.origin))
            }
            Some(Undo::Proxy(_) | Undo::RelayList(_) | Undo::Server { .. }) | None => Vec::new(),
        }
    }

    /// The time to bring it back is over, unless something else went meanwhile.
    pub(super) fn undo_elapsed(&mut self, removal: u64) -> Vec<Effect> {
        if removal == self.removals {
            self.settle()
        } else {
            Vec::new()
        }
    }

    /// The row, also while it can still come back.
    pub(super) fn row_mut(&mut self, id: TransferId) -> Option<&mut Transfer> {
        let gone = match &mut self.undo {
            Some(Undo::Rows(rows)) => rows.as_mut_slice(),
            _ => &mut [],
        };
        let gone = gone.iter_mut().map(|(_, row)| row);
        let mut rows = self.transfers.iter_mut().chain(gone);
        rows.find(|row| row.id == id)
    }

    fn offer(&mut self, undo: Undo) -> Vec<Effect> {
        let mut effects = self.settle();
        self.undo = Some(undo);
        self.removals += 1;
        effects.push(Effect::from(Timer::Undo(self.removals)));
        self.announce_removal();
        effects
    }

    fn announce_removal(&mut self) {
        if let Some(undo) = &self.undo {
            let what = undo.removed();
            self.announce(false, Announced::Removed(what));
        }
    }
}
