//! Undoing the last removal.

use super::{
    Announced, Effect, Focus, HistoryWork, Model, RelayWish, ShownName, Timer, Transfer, TransferId,
};
use crate::app::relays::RelaySource;
use crate::app::settings::{Change, ServerChoice, ServerEntry};
use crate::net::socks::SocksProxy;
use crate::protocol::address::ServerAddress;

/// What was removed and can be restored.
pub enum Undo {
    /// The proxy.
    Proxy(SocksProxy),
    /// The relays of a network.
    RelayList {
        /// Address of its server.
        server: ServerAddress,
        /// Where they are from.
        source: RelaySource,
    },
    /// Rows of the list, each with the place it had when it went, in the order they went.
    Rows(Vec<(usize, Transfer)>),
    /// A server of the list.
    Server {
        /// Its place.
        place: usize,
        /// The server.
        server: ServerEntry,
        /// What it was called among the others.
        name: String,
        /// Whether new files went to it.
        chosen: bool,
    },
}

/// What was taken away, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemovedItem {
    /// The proxy.
    Proxy,
    /// The relay list.
    RelayList,
    /// The row of this file.
    Row(ShownName),
    /// So many rows.
    Rows(usize),
    /// The network of this name, which was left.
    Network(String),
    /// The server of this name.
    Server(String),
}

impl Undo {
    /// What was taken away, by name.
    #[must_use]
    pub(crate) fn removed(&self) -> RemovedItem {
        match self {
            Self::Proxy(_) => RemovedItem::Proxy,
            Self::RelayList { .. } => RemovedItem::RelayList,
            Self::Rows(rows) => match rows.as_slice() {
                [(_, row)] => RemovedItem::Row(row.name.clone()),
                rows => RemovedItem::Rows(rows.len()),
            },
            Self::Server { name, server, .. } if server.network().is_some() => {
                RemovedItem::Network(name.clone())
            }
            Self::Server { name, .. } => RemovedItem::Server(name.clone()),
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

    pub(super) fn remove_server(&mut self, address: &ServerAddress) -> Vec<Effect> {
        let mut servers = self.settings.servers.iter();
        let Some(place) = servers.position(|server| server.address == *address) else {
            return Vec::new();
        };
        let choice = ServerChoice::Server(address.clone());
        let server = self.settings.servers[place].clone();
        let undo = Undo::Server {
            place,
            name: self.settings.name_in_list(&server).to_owned(),
            server,
            chosen: self.settings.chosen == choice,
        };
        self.settings_screen.tests.remove(&choice);
        self.settings_screen.tests_shown.remove(&choice);
        let word = &mut self.settings_screen.word;
        word.take_if(|field| field.server == *address);
        let mut effects = self.change(Change::RemoveServer(address.clone()));
        effects.extend(self.offer(undo));
        effects
    }

    pub(super) fn forget_relay_list(&mut self) -> Vec<Effect> {
        self.settings_screen.relays_seen = None;
        let shown = self.relays_server().cloned();
        let Some((server, source)) = shown.zip(self.relays_shown().cloned()) else {
            return Vec::new();
        };
        let mut effects = self.change(Change::Relays(server.clone(), None));
        effects.extend(self.offer(Undo::RelayList { server, source }));
        effects
    }

    pub(super) fn forget_proxy(&mut self) -> Vec<Effect> {
        let proxy = self.settings.proxy.clone();
        let mut effects = self.change(Change::Proxy(None));
        effects.extend(proxy.map_or_else(Vec::new, |proxy| self.offer(Undo::Proxy(proxy))));
        effects
    }

    /// Restores what was removed last.
    pub(super) fn undo(&mut self) -> Vec<Effect> {
        let changes = match self.undo.take() {
            None => return Vec::new(),
            Some(Undo::Rows(rows)) => {
                for (at, row) in rows.into_iter().rev() {
                    self.focus = Some(Focus::Row(row.id));
                    self.transfers.insert(at.min(self.transfers.len()), row);
                }
                self.announce(false, Announced::Undone);
                return Vec::new();
            }
            Some(Undo::Server {
                place,
                server,
                chosen,
                ..
            }) => {
                let choice = ServerChoice::Server(server.address.clone());
                let mut changes = vec![Change::RestoreServer(place, server)];
                if chosen {
                    changes.push(Change::ChosenServer(choice));
                }
                changes
            }
            Some(Undo::RelayList { server, source }) => {
                vec![Change::Relays(server, Some(source))]
            }
            Some(Undo::Proxy(proxy)) => vec![Change::Proxy(Some(proxy))],
        };
        self.announce(false, Announced::Undone);
        self.change_all(changes)
    }

    /// Makes the last removal final: its entries leave the history.
    pub(super) fn settle(&mut self) -> Vec<Effect> {
        match self.undo.take() {
            Some(Undo::Rows(rows)) => {
                let entries = rows.into_iter().filter_map(|(_, row)| row.entry);
                entries
                    .map(|entry| Effect::from(HistoryWork::Forget(entry)))
                    .collect()
            }
            // Unless it was chosen again, this computer does not keep it either.
            Some(Undo::RelayList { source, .. })
                if !self.settings.uses_elsewhere(&source, None) =>
            {
                self.ask_relays(RelayWish::Forget(source))
            }
            Some(Undo::Proxy(_) | Undo::RelayList { .. } | Undo::Server { .. }) | None => {
                Vec::new()
            }
        }
    }

    /// Makes the removal of this number final when its time is over, unless another came after it.
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
