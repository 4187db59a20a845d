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
    let name = text::about_file(text::more(), &transfer.name);
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
    match kit::menu(&button, &name, entries(transfer)) {
        Chosen::Entry(action) => drawn.act(action),
        Chosen::Closed => drawn.act(ModalAction::Back),
        Chosen::Nothing if button.clicked() => drawn.act(ModalAction::Back),
        Chosen::Nothing => {}
    }
}

fn entries(transfer: &Transfer) -> Vec<MenuEntry<'static, Action>> {
    let id = transfer.id;
    let mut entries = Vec::new();
    let mut add = |icon, label, danger, value| {
        entries.push(MenuEntry {
            icon,
            label,
            danger,
            value,
        });
    };
    match &transfer.state {
        TransferState::Shared(shared) if shared.gone => {}
        TransferState::Shared(_) => {
            add(
                Icon::Copy,
                text::copy_pointer(),
                false,
                Action::Row(id, RowAction::CopyPointer),
            );
            add(
                Icon::QrCode,
                text::qr(),
                false,
                Action::Modal(ModalAction::Open(Modal::Qr(id))),
            );
        }
        TransferState::Received(_) => {
            add(
                Icon::Open,
                text::open(),
                false,
                Action::Row(id, RowAction::OpenSaved),
            );
        }
        TransferState::Failed(trouble) if !trouble.can_work_later() => {}
        TransferState::Failed(_) | TransferState::Cancelled | TransferState::Interrupted => {
            add(
                Icon::Retry,
                text::retry(),
                false,
                Action::Row(id, RowAction::Retry),
            );
        }
        TransferState::Waiting | TransferState::Running(_) => {}
    }
    if transfer.tries() > 0 {
        let last = Modal::WhoSawWhat {
            id,
            at: transfer.tries() - 1,
        };
        add(
            Icon::Eye,
            text::who_saw_what(),
            false,
            Action::Modal(ModalAction::Open(last)),
        );
    }
    if transfer.local_file().is_some() {
        let words = if matches!(transfer.state, TransferState::Received(_)) {
            text::show_in_folder()
        } else {
            text::show_original()
        };
        add(
            Icon::ShowInFolder,
            words,
            false,
            Action::Row(id, RowAction::RevealSaved),
        );
    }
    let manageable = matches!(&transfer.state, TransferState::Shared(shared)
        if shared.manageable && !shared.gone && transfer.managing.is_none());
    if let TransferState::Shared(shared) = &transfer.state
        && manageable
    {
        let manage = |what| Action::Row(id, RowAction::Manage(what));
        add(
            Icon::ClockPlus,
            text::keep_longer(),
            false,
            Action::Modal(ModalAction::Open(Modal::KeepLonger(id))),
        );
        if shared.counted {
            add(
                Icon::Download,
                text::downloads_so_far(),
                false,
                manage(ManageAction::Status),
            );
        }
    }
    if transfer.is_unfinished() {
        add(
            Icon::Close,
            text::cancel(),
            true,
            Action::Row(id, RowAction::Cancel),
        );
    } else {
        add(
            Icon::ListX,
            text::remove_from_list(),
            false,
            Action::Row(id, RowAction::Remove),
        );
    }
    // What cannot be taken back comes last.
    if manageable {
        let delete = Action::Modal(ModalAction::Open(Modal::Delete(id)));
        add(Icon::Trash, text::delete_from_server(), true, delete);
    }
    entries
}
