//! What a sender does with a shared file afterwards.

use super::{
    Announced, Effect, Ended, Focus, HistoryWork, ManageAction, Managed, Model, RequestWork, Told,
    TransferId, TransferState,
};

impl Model {
    pub(super) fn manage(&mut self, id: TransferId, what: ManageAction) -> Vec<Effect> {
        self.menu = None;
        self.modal = None;
        self.focus = Some(Focus::Row(id));
        let settings = self.settings_now();
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
        vec![Effect::from(RequestWork::Manage(
            id, what, pointer, settings,
        ))]
    }

    pub(super) fn managed(&mut self, id: TransferId, ended: Ended<Managed>) -> Vec<Effect> {
        let Some(transfer) = self.row_mut(id) else {
            return Vec::new();
        };
        let Ended { result, shown } = ended;
        transfer.shown.append(shown);
        transfer.managing = None;
        let mut effects = Vec::new();
        if let TransferState::Shared(shared) = &mut transfer.state {
            match &result {
                Ok(Managed::Deleted) => {
                    shared.gone = true;
                    // A pointer to nothing is not worth keeping.
                    effects.extend(
                        transfer
                            .entry
                            .take()
                            .map(|entry| Effect::from(HistoryWork::Forget(entry))),
                    );
                }
                Ok(Managed::Extended { expires, .. }) => {
                    shared.expires = Some(*expires);
                    let entry = transfer.entry;
                    effects.extend(
                        entry.map(|entry| Effect::from(HistoryWork::Expires(entry, *expires))),
                    );
                }
                Ok(Managed::Status(_)) | Err(_) => {}
            }
        }
        let failed = result.is_err();
        let what = match &result {
            Ok(done) => Announced::Managed(*done),
            Err(trouble) => Announced::NotDone(trouble.clone()),
        };
        transfer.told = Some(result.map_or_else(Told::Failed, Told::Done));
        self.announce(failed, what);
        effects
    }
}
