//! The menu of a row: everything that can be done with it.

use egui::Ui;
use egui::accesskit::HasPopup;

use super::Drawn;
use crate::gui::fonts::Icon;
use crate::gui::kit::{self, Chosen, MenuEntry};
use crate::gui::model::{
    Action, Focus, ManageAction, Modal, ModalAction, Model, RowAction, Transfer, TransferState,
};
use crate::gui::text;

/// The button with three dots, and its menu while that is open.
pub(super) fn button(ui: &mut Ui, model: &Model, transfer: &Transfer, drawn: &mut Drawn) {
    let name = text::about_file(text::more(), text::shown_name(&transfer.name));
    let open = model.menu == Some(transfer.id);
    let button = kit::icon_toggle(ui, Icon::Ellipsis, &name, open);
    kit::says_expanded(&button, open);
    ui.ctx().accesskit_node_builder(button.id, |node| {
        node.set_has_popup(HasPopup::Menu);
    });
    drawn.focus(ui, model, Focus::Menu(transfer.id), &button);
    if !open {
        if button.clicked() {
            drawn.act(Action::Row(transfer.id, RowAction::OpenMenu));
        }
        return;
    }
    let invites = model.joined_network_of(transfer).is_some();
    match kit::menu(&button, &name, entries(transfer, invites)) {
        Chosen::Entry(action) => drawn.act(action),
        Chosen::Closed => drawn.act(ModalAction::Back),
        Chosen::Nothing if button.clicked() => drawn.act(ModalAction::Back),
        Chosen::Nothing => {}
    }
}

/// The entries of a menu, from top to bottom.
#[derive(Default)]
struct Entries(Vec<MenuEntry<'static, Action>>);

impl Entries {
    fn add(&mut self, icon: Icon, label: &'static str, action: impl Into<Action>) {
        self.push(icon, label, false, action.into());
    }

    /// Adds an entry that takes something away.
    fn add_danger(&mut self, icon: Icon, label: &'static str, action: impl Into<Action>) {
        self.push(icon, label, true, action.into());
    }

    fn push(&mut self, icon: Icon, label: &'static str, danger: bool, value: Action) {
        self.0.push(MenuEntry {
            icon,
            label,
            danger,
            value,
        });
    }
}

/// What can be done with a row; `invites`: its file went to a network that was joined.
fn entries(transfer: &Transfer, invites: bool) -> Vec<MenuEntry<'static, Action>> {
    let id = transfer.id;
    let row = |action| Action::Row(id, action);
    let mut entries = Entries::default();
    match &transfer.state {
        TransferState::Shared(shared) if shared.gone => {}
        TransferState::Shared(_) => {
            entries.add(
                Icon::Copy,
                text::copy_pointer(),
                row(RowAction::CopyPointer),
            );
            if invites {
                let both = row(RowAction::CopyWithInvitation);
                entries.add(Icon::Person, text::copy_with_invitation(), both);
            }
            entries.add(Icon::QrCode, text::qr(), ModalAction::Open(Modal::Qr(id)));
        }
        TransferState::Received(_) => {
            entries.add(Icon::Open, text::open(), row(RowAction::OpenSaved));
        }
        TransferState::Failed(trouble) if !trouble.can_work_later() => {}
        TransferState::Failed(_)
        | TransferState::Cancelled
        | TransferState::Interrupted
        | TransferState::Paused => {
            if transfer.can_resume() {
                entries.add(Icon::ArrowRight, text::resume(), row(RowAction::Retry));
            } else {
                entries.add(Icon::Retry, text::retry(), row(RowAction::Retry));
            }
        }
        TransferState::Running(_) if transfer.can_pause() => {
            entries.add(Icon::Clock, text::pause(), row(RowAction::Pause));
        }
        TransferState::Asked
        | TransferState::Discarding
        | TransferState::Waiting
        | TransferState::Running(_) => {}
    }
    if transfer.tries() > 0 {
        let last = Modal::WhoSawWhat {
            id,
            at: transfer.tries() - 1,
        };
        entries.add(Icon::Eye, text::who_saw_what(), ModalAction::Open(last));
    }
    if transfer.local_file().is_some() {
        let words = if matches!(transfer.state, TransferState::Received(_)) {
            text::show_in_folder()
        } else {
            text::show_original()
        };
        entries.add(Icon::ShowInFolder, words, row(RowAction::RevealSaved));
    }
    let manageable = matches!(&transfer.state, TransferState::Shared(shared)
        if shared.manageable && !shared.gone && transfer.managing.is_none());
    if let TransferState::Shared(shared) = &transfer.state
        && manageable
    {
        let longer = ModalAction::Open(Modal::KeepLonger(id));
        entries.add(Icon::ClockPlus, text::keep_longer(), longer);
        if shared.counted {
            let status = row(RowAction::Manage(ManageAction::Status));
            entries.add(Icon::Download, text::downloads_so_far(), status);
        }
    }
    if matches!(transfer.state, TransferState::Discarding) {
        // It goes on by itself.
    } else if transfer.kept.is_some() {
        let discard = ModalAction::Open(Modal::Discard(id));
        entries.add_danger(Icon::Trash, text::discard(), discard);
    } else if transfer.is_unfinished() {
        entries.add_danger(Icon::Close, text::cancel(), row(RowAction::Cancel));
    } else {
        entries.add(
            Icon::ListX,
            text::remove_from_list(),
            row(RowAction::Remove),
        );
    }
    // What cannot be taken back comes last.
    if manageable {
        let delete = ModalAction::Open(Modal::Delete(id));
        entries.add_danger(Icon::Trash, text::delete_from_server(), delete);
    }
    entries.0
}
