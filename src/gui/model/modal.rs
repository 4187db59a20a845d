//! Modals: the question or sheet that covers the window, and the menu of a row.

use super::{Effect, Focus, JoinCard, Model, TransferId};
use crate::app::settings::ServerChoice;
use crate::protocol::address::ServerAddress;

/// The modal that covers the window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Modal {
    /// Name, version, licences.
    About,
    /// Closing would stop so many transfers.
    Closing {
        /// How many are running or waiting.
        running: usize,
    },
    /// Asks whether to delete the server's copy of this row's file.
    Delete(TransferId),
    /// Asks whether to give up this row's transfer in parts.
    Discard(TransferId),
    /// An invitation to the network of this server.
    Invite(ServerAddress),
    /// Asks how much longer the server should keep this row's file.
    KeepLonger(TransferId),
    /// Asks whether to leave the network of this server, though something is there or under way.
    Leave(ServerAddress),
    /// Asks whether to open a received file that could run a program.
    OpenProgram(TransferId),
    /// Asks whether to wipe the history for good.
    WipeHistory,
    /// The pointer of this row as a code for cameras.
    Qr(TransferId),
    /// The keyboard shortcuts.
    Shortcuts,
    /// Who saw what of joining on this card.
    WhoSawJoin {
        /// The card.
        card: JoinCard,
        /// Which of its tries, counted from the first.
        at: usize,
    },
    /// Who saw what of the last test of a server.
    WhoSawTest {
        /// The server.
        server: ServerChoice,
        /// Which of its tries, counted from the first.
        at: usize,
    },
    /// Who saw what of this row.
    WhoSawWhat {
        /// The row.
        id: TransferId,
        /// Which of its tries, counted from the first.
        at: usize,
    },
}

impl Modal {
    /// Whether it is a question; files that are dropped meanwhile are refused.
    #[must_use]
    pub(crate) const fn asks(&self) -> bool {
        matches!(
            self,
            Self::Closing { .. }
                | Self::Delete(_)
                | Self::Discard(_)
                | Self::Leave(_)
                | Self::OpenProgram(_)
                | Self::WipeHistory
        )
    }
}

/// What a person did with the open modal or menu.
#[derive(Clone)]
pub enum ModalAction {
    /// Close the menu of a row, or leave things as they are where something was asked.
    Back,
    /// Look at another try of the transfer.
    ChooseTry(usize),
    /// Open this modal.
    Open(Modal),
    /// Answer to [`Modal::OpenProgram`].
    OpenAnyway,
    /// Answer to [`Modal::Closing`].
    StopAndQuit,
    /// Answer to [`Modal::WipeHistory`].
    WipeHistory,
}

impl Model {
    pub(super) fn on_modal(&mut self, action: ModalAction) -> Vec<Effect> {
        match action {
            ModalAction::Back => self.back(),
            ModalAction::ChooseTry(try_at) => {
                if let Some(
                    Modal::WhoSawJoin { at, .. }
                    | Modal::WhoSawTest { at, .. }
                    | Modal::WhoSawWhat { at, .. },
                ) = &mut self.modal
                {
                    *at = try_at;
                }
            }
            ModalAction::Open(modal) => self.open(modal),
            ModalAction::OpenAnyway => return self.open_anyway(),
            ModalAction::StopAndQuit => return self.stop_and_quit(),
            ModalAction::WipeHistory => return self.wipe_history(),
        }
        Vec::new()
    }

    /// Opens a modal and remembers where the focus was.
    pub(super) fn open(&mut self, modal: Modal) {
        let menu = self.menu.take().and_then(|_| self.menu_from.take());
        self.settings_screen.network_menu = None;
        if self.modal.is_none() {
            self.beneath = menu.or_else(|| match &modal {
                Modal::Delete(id)
                | Modal::KeepLonger(id)
                | Modal::Qr(id)
                | Modal::WhoSawWhat { id, .. } => Some(Focus::Menu(*id)),
                Modal::Discard(id) | Modal::OpenProgram(id) => Some(Focus::Row(*id)),
                Modal::Invite(server) | Modal::Leave(server) => {
                    self.place_of_server(server).map(Focus::NetworkMenu)
                }
                Modal::About
                | Modal::Closing { .. }
                | Modal::Shortcuts
                | Modal::WhoSawJoin { .. }
                | Modal::WhoSawTest { .. }
                | Modal::WipeHistory => None,
            });
        }
        self.modal = Some(modal);
    }

    pub(super) fn open_menu(&mut self, id: TransferId, from: Focus) {
        self.menu = Some(id);
        self.menu_from = Some(from);
    }

    /// Closes the menu of a row; the keyboard goes back to where it was opened.
    pub(super) fn close_menu(&mut self) {
        if let Some(id) = self.menu.take() {
            self.focus = Some(self.menu_from.take().unwrap_or(Focus::Menu(id)));
        }
    }

    /// Closes the open menu or modal.
    pub(super) fn back(&mut self) {
        if self.menu.is_some() {
            self.close_menu();
        } else if self.close_network_menu() {
            // The keyboard is on its button again.
        } else if self.modal.take().is_some() {
            self.settings_screen.invite = None;
            self.focus = Some(self.beneath.take().unwrap_or(Focus::Before));
        }
    }
}
