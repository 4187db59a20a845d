//! Opening a received file: it is looked into first, and one that could run a program is asked about.

use std::path::PathBuf;

use super::{
    Announced, Effect, FileWork, Modal, Model, Tone, TransferId, TransferState, WindowMessage,
};
use crate::app::received::content_type::Findings;

/// Why a received file is looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Examine {
    /// It has just arrived.
    Arrived,
    /// The file is to be opened.
    Open,
}

impl Model {
    /// A received file is opened only after a look into it as it is now.
    pub(super) fn open_saved(&mut self, id: TransferId) -> Vec<Effect> {
        self.close_menu();
        self.saved_path(id)
            .map(|path| Effect::from(FileWork::Examine(id, path, Examine::Open)))
            .into_iter()
            .collect()
    }

    fn saved_path(&self, id: TransferId) -> Option<PathBuf> {
        match &self.transfer(id)?.state {
            TransferState::Received(saved) => Some(saved.path.clone()),
            _ => None,
        }
    }

    pub(super) fn on_examined(
        &mut self,
        id: TransferId,
        why: Examine,
        found: Option<Findings>,
    ) -> Vec<Effect> {
        let path = self.saved_path(id);
        let Some(transfer) = self.transfers.iter_mut().find(|transfer| transfer.id == id) else {
            return Vec::new();
        };
        transfer.findings = found.unwrap_or_default();
        let name = transfer.name.clone();
        if let (Examine::Arrived, Some(found)) = (why, transfer.findings.disagreement) {
            self.announce(true, Announced::Disagrees(name, found));
        }
        match (why, found, path) {
            (Examine::Open, Some(found), Some(path)) => {
                if !found.could_run {
                    return vec![Effect::from(FileWork::Open(path))];
                }
                if self.modal.is_none() {
                    self.open(Modal::OpenProgram(id));
                }
            }
            (Examine::Open, None, _) => {
                self.say(Tone::Danger, WindowMessage::SavedFileGone);
            }
            _ => {}
        }
        Vec::new()
    }

    pub(super) fn open_anyway(&mut self) -> Vec<Effect> {
        match self.modal {
            Some(Modal::OpenProgram(id)) => {
                self.back();
                self.saved_path(id)
                    .map(|path| Effect::from(FileWork::Open(path)))
                    .into_iter()
                    .collect()
            }
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::received::content_type::{Content, Disagreement, Family};
    use crate::gui::model::keeping::tests::with_received;
    use crate::gui::model::tests::{ended, model};
    use crate::gui::model::{
        Action, Event, HistoryWork, ModalAction, PointerHolds, PointerInfo, Reading, ReceiveAction,
        RowAction, Saved, Work,
    };

    const PROGRAM: Findings = Findings {
        disagreement: Some(Disagreement {
            name_says: Family::Picture,
            content_is: Content::LinuxProgram,
        }),
        could_run: true,
    };

    #[test]
    fn an_ordinary_file_opens_and_a_program_asks_first() {
        let (mut model, id) = with_received();
        let effects = model.update(Action::Row(id, RowAction::OpenSaved));
        assert!(matches!(
            effects[..],
            [Effect::Work(Work::File(FileWork::Examine(
                _,
                _,
                Examine::Open
            )))]
        ));
        let plain = Some(Findings::default());
        let effects = model.update(Event::Examined(id, Examine::Open, plain));
        assert!(matches!(
            effects[..],
            [Effect::Work(Work::File(FileWork::Open(_)))]
        ));
        assert_eq!(model.modal, None);

        for answer in [ModalAction::Back, ModalAction::OpenAnyway] {
            let opens = matches!(answer, ModalAction::OpenAnyway);
            let effects = model.update(Event::Examined(id, Examine::Open, Some(PROGRAM)));
            assert!(effects.is_empty());
            assert_eq!(model.modal, Some(Modal::OpenProgram(id)));
            let effects = model.update(answer);
            assert_eq!(
                matches!(effects[..], [Effect::Work(Work::File(FileWork::Open(_)))]),
                opens
            );
            assert_eq!(model.modal, None);
        }
        assert!(
            model.update(ModalAction::OpenAnyway).is_empty(),
            "without a question there is no answer"
        );

        let effects = model.update(Event::Examined(id, Examine::Open, None));
        assert!(effects.is_empty() && model.notice.is_some());
    }

    #[test]
    fn a_misleading_file_is_known_as_one_when_it_arrives_and_asks_nothing() {
        let mut model = model();
        model.receive.text = "cloak1x".into();
        model.receive.reading = Reading::Known(PointerInfo {
            name: None,
            holds: PointerHolds::File,
            len: 5,
            server: "files.example".to_owned(),
            expires: None,
            asks_receipt: false,
            offer: None,
            lacks_relays: false,
            note: None,
        });
        model.update(ReceiveAction::Download);
        let (id, run) = (model.transfers[0].id, model.transfers[0].run);
        let saved = Saved {
            path: PathBuf::from("/downloads/photo.jpg"),
            name: "photo.jpg".to_owned(),
            len: 5,
            aside: None,
        };
        let effects = model.update(Event::Fetched(run, ended(Ok(saved))));
        assert!(matches!(
            effects[..],
            [
                Effect::Work(Work::File(FileWork::Examine(..))),
                Effect::Work(Work::History(HistoryWork::Remember(..)))
            ]
        ));
        model.update(Event::Examined(id, Examine::Arrived, Some(PROGRAM)));
        assert_eq!(model.transfers[0].findings, PROGRAM);
        assert_eq!(model.modal, None);
    }
}
