//! What a sender does with a shared file afterwards, and what is asked of the relays.

use super::{
    Effect, Ended, Focus, ManageAction, Managed, Model, Reading, RelayOrigin, RelayWish,
    RelaysKnown, Told, TransferId, TransferState,
};
use crate::app::words::message::UserMessage;
use crate::gui::text;

impl Model {
    pub(super) fn manage(&mut self, id: TransferId, what: ManageAction) -> Vec<Effect> {
        self.menu = None;
        self.modal = None;
        self.focus = Some(Focus::Row(id));
        let preferences = self.settings.preferences.clone();
        let Some(transfer) = self.transfers.iter_mut().find(|row| row.id == id) else {
            return Vec::new();
        };
        let TransferState::Shared(shared) = &transfer.state else {
            return Vec::new();
        };
        if transfer.managing.is_some() || shared.gone {
            return Vec::new();
        }
        let pointer = shared.pointer.clone();
        transfer.managing = Some(what);
        transfer.told = None;
        vec![Effect::Manage(id, what, pointer, preferences)]
    }

    pub(super) fn managed(&mut self, id: TransferId, ended: Ended<Managed>) -> Vec<Effect> {
        let Some(transfer) = self.row_mut(id) else {
            return Vec::new();
        };
        let Ended { result, shown } = ended;
        transfer.shown.extend(shown);
        transfer.managing = None;
        let mut effects = Vec::new();
        if let TransferState::Shared(shared) = &mut transfer.state {
            match &result {
                Ok(Managed::Deleted) => {
                    shared.gone = true;
                    // A pointer to nothing is not worth keeping.
                    effects.extend(transfer.entry.take().map(Effect::ForgetEntry));
                }
                Ok(Managed::Extended { expires, .. }) => {
                    shared.expires = Some(*expires);
                    let entry = transfer.entry;
                    effects.extend(entry.map(|entry| Effect::EntryExpires(entry, *expires)));
                }
                Ok(Managed::Status(_)) | Err(_) => {}
            }
        }
        let (urgent, words) = match &result {
            Ok(done) => (false, text::managed(*done)),
            Err(trouble) => (true, trouble.words().aloud()),
        };
        transfer.told = Some(result.map_or_else(Told::Failed, Told::Done));
        self.announce(urgent, &words);
        effects
    }

    pub(super) fn ask_relays(&mut self, wish: RelayWish) -> Vec<Effect> {
        if self.settings.relays_busy {
            return Vec::new();
        }
        self.settings.relays_busy = true;
        self.settings.relay_trouble = None;
        vec![Effect::Relays(wish, self.settings.preferences.clone())]
    }

    /// Takes the list that the pointer in the field names, for its server.
    pub(super) fn use_senders_list(&mut self) -> Vec<Effect> {
        match &self.receive.reading {
            Reading::Known(info) if info.offer.is_some() => {
                let pointer = self.receive.text.clone();
                self.ask_relays(RelayWish::Accept(pointer))
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn relays_answered(
        &mut self,
        result: Result<RelaysKnown, UserMessage>,
    ) -> Vec<Effect> {
        self.settings.relays_busy = false;
        let known = match result {
            Ok(known) => known,
            Err(message) => {
                self.announce(true, &message.aloud());
                self.settings.relay_trouble = Some(message);
                return Vec::new();
            }
        };
        self.settings.relays_seen = known.seen;
        self.settings.other_lists = known.others;
        if let Some(list) = known.list {
            self.announce(false, &text::list_is_used(&list.name));
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
