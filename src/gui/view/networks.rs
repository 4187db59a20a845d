//! Networks that were joined, in Settings: their menus, their relay lists, the sheet with an invitation, and the question
//! before one is left.

use egui::accesskit::HasPopup;
use egui::{Context, Id, Key, Ui, Vec2};

use super::{Drawn, ViewContext};
use crate::app::relays::RelaySource;
use crate::app::settings::{Change, ServerEntry};
use crate::app::words::message::Remedy;
use crate::gui::fonts::Icon;
use crate::gui::kit::{self, Button, Chosen, Field, Loudness, MenuEntry};
use crate::gui::model::{
    Action, Focus, InviteSheet, ModalAction, Model, NameField, NetworkAction, NetworkSeen, Tone,
    Trouble,
};
use crate::gui::text;
use crate::gui::tokens::{Type, measure, palette, palette_of, space};
use crate::protocol::address::ServerAddress;

/// The button with three dots of a network, and its menu while that is open.
pub(super) fn menu(ui: &mut Ui, model: &Model, known: &ServerEntry, drawn: &mut Drawn) {
    let name = text::about_file(text::more(), model.settings.name_in_list(known));
    let address = &known.address;
    let open = model.settings_screen.network_menu.as_ref() == Some(address);
    let button = kit::icon_toggle(ui, Icon::Ellipsis, &name, open);
    kit::says_expanded(&button, open);
    ui.ctx().accesskit_node_builder(button.id, |node| {
        node.set_has_popup(HasPopup::Menu);
    });
    let mut servers = model.settings.servers.iter();
    if let Some(at) = servers.position(|server| server.address == *address) {
        drawn.focus(ui, model, Focus::NetworkMenu(at), &button);
    }
    if !open {
        if button.clicked() {
            drawn.act(NetworkAction::OpenMenu(address.clone()));
        }
        return;
    }
    let entry = |icon, label, danger, action: NetworkAction| MenuEntry {
        icon,
        label,
        danger,
        value: action,
    };
    let entries = vec![
        entry(
            Icon::Person,
            text::invite_entry(),
            false,
            NetworkAction::Invite(address.clone()),
        ),
        entry(
            Icon::Keyboard,
            text::rename_entry(),
            false,
            NetworkAction::OpenName(address.clone()),
        ),
        entry(
            Icon::Trash,
            text::leave_entry(),
            true,
            NetworkAction::Leave(address.clone()),
        ),
    ];
    match kit::menu(&button, &name, entries) {
        Chosen::Entry(action) => drawn.act(action),
        Chosen::Closed => drawn.act(ModalAction::Back),
        Chosen::Nothing if button.clicked() => drawn.act(ModalAction::Back),
        Chosen::Nothing => {}
    }
}

/// What is below the line of a network: its list, a newer one that waits, the field for its name.
pub(super) fn below(
    ui: &mut Ui,
    model: &Model,
    (at, known): (usize, &ServerEntry),
    now: u64,
    drawn: &mut Drawn,
) {
    let name = model.settings_screen.name.as_ref();
    if let Some(field) = name.filter(|field| field.server == known.address) {
        name_field(ui, model, at, field, drawn);
    }
    if let Some(seen) = model.settings_screen.networks.get(&known.address) {
        list(ui, model, (at, known), seen, now, drawn);
    }
    let is_shown = model.relays_server() == Some(&known.address);
    let source = known.network().map(RelaySource::Network);
    let relaxed = source.filter(|source| model.settings.short_lists.contains(source));
    // With the relays that are shown, it stands there.
    if let Some(source) = relaxed.filter(|_| !is_shown) {
        let (title, about) = text::short_list();
        let name = text::about_file(title, model.settings.name_in_list(known));
        if kit::switch_named(ui, title, &name, about, true) {
            drawn.act(Change::ShortList(source, false));
        }
    }
}

/// Below what failed while a newer relay list waits in the network of this server: a button that leads to the list. Nothing
/// below any other trouble.
pub(super) fn newer_list_button(
    ui: &mut Ui,
    trouble: &Trouble,
    server: Option<ServerAddress>,
    drawn: &mut Drawn,
) {
    let remedy = trouble.remedy();
    if let (Remedy::NewerList, Some(words), Some(server)) = (remedy, text::remedy(remedy), server) {
        ui.add_space(space::XS);
        let see = Button::new(Loudness::Secondary, words).icon(Icon::Relay);
        if ui.add(see).clicked() {
            drawn.act(NetworkAction::SeeNewerList(server));
        }
    }
}

fn list(
    ui: &mut Ui,
    model: &Model,
    (at, known): (usize, &ServerEntry),
    seen: &NetworkSeen,
    now: u64,
    drawn: &mut Drawn,
) {
    let palette = palette(ui);
    if let Some(waiting) = seen.waiting {
        kit::callout(ui, Tone::Warning, &text::list_waits(waiting), |ui| {
            ui.add_space(space::XS);
            let button = Button::new(Loudness::Secondary, text::use_new_list());
            let button = ui.add(button);
            drawn.focus(ui, model, Focus::NewerList(at), &button);
            if button.clicked() {
                drawn.act(NetworkAction::UseNewList(known.address.clone()));
            }
        });
        return;
    }
    let has_ended = seen.expires.is_some_and(|expires| expires <= now);
    let trouble = match &seen.trouble {
        Some(why) => Some(why.as_str()),
        None if has_ended && known.network().is_some() => Some(text::network_list_ended()),
        None if has_ended => Some(text::list_ended()),
        None if seen.ends_soon => Some(text::no_newer_list()),
        None => None,
    };
    if let Some(why) = trouble {
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = space::S;
            kit::icon(ui, Icon::Warning, measure::ICON, palette.warning);
            kit::selectable(ui, why, Type::Caption, palette.warning);
        });
    }
}

fn name_field(ui: &mut Ui, model: &Model, at: usize, name: &NameField, drawn: &mut Drawn) {
    let mut typed = name.text.clone();
    let possible = !typed.trim().is_empty();
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = space::XS;
        let field = Field {
            id: Id::unique("network name"),
            label: text::network_name(),
            hint: "",
            rows: 1,
            trouble: false,
            masked: false,
        };
        let response = field.show(ui, &mut typed);
        drawn.focus(ui, model, Focus::NetworkName(at), &response);
        if response.changed() {
            drawn.act(NetworkAction::NameEdited(typed));
        }
        let entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        ui.add_space(space::XS);
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = Vec2::splat(space::S);
            let rename = Button::new(Loudness::Secondary, text::rename());
            if ui.add(rename.enabled(possible)).clicked() || (entered && possible) {
                drawn.act(NetworkAction::Rename);
            }
            let close = Button::new(Loudness::Quiet, text::cancel());
            if ui.add(close).clicked() {
                drawn.act(NetworkAction::CloseName);
            }
        });
    });
}

/// The content of the sheet with an invitation.
pub(super) fn invite(ui: &mut Ui, model: &Model, context: ViewContext, drawn: &mut Drawn) {
    let palette = palette(ui);
    let Some(sheet) = &model.settings_screen.invite else {
        return;
    };
    kit::label(ui, text::invite_about(), Type::Body, palette.muted);
    if model.settings.access_word(&sheet.server).is_some() {
        ui.add_space(space::XS);
        let (title, about) = text::invite_with_word();
        if kit::switch(ui, title, about, sheet.with_word) {
            drawn.act(NetworkAction::InviteWithWord(!sheet.with_word));
        }
    }
    ui.add_space(space::XS);
    match &sheet.made {
        None => {
            kit::label(ui, text::making_invitation(), Type::Body, palette.muted);
        }
        Some(Err(message)) => kit::callout(ui, Tone::Danger, message, |_| {}),
        Some(Ok(invitation)) => {
            let width = ui.available_width();
            let masked = context.masks(model);
            let said = if masked {
                text::invitation_masked()
            } else {
                text::invitation_text()
            };
            let well = kit::Well {
                secret: invitation.as_str(),
                masked,
                said,
            };
            kit::secret_well(ui, &well, width, measure::CONTROL);
            invite_buttons(ui, sheet, drawn);
        }
    }
}

fn invite_buttons(ui: &mut Ui, sheet: &InviteSheet, drawn: &mut Drawn) {
    let palette = palette(ui);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = Vec2::splat(space::S);
        let (words, icon) = if sheet.copied {
            (text::copied(), Icon::Check)
        } else {
            (text::copy_invitation(), Icon::Copy)
        };
        let copy = Button::new(Loudness::Primary, words).icon(icon);
        if ui.add(copy.room_for(text::copy_invitation())).clicked() {
            drawn.act(NetworkAction::CopyInvitation);
        }
        let save = Button::new(Loudness::Secondary, text::save_invitation()).tall();
        if ui.add(save).clicked() {
            drawn.act(NetworkAction::SaveInvitation);
        }
    });
    match &sheet.saved {
        None => {}
        Some(Ok(name)) => {
            let saved = text::invitation_saved(name);
            kit::label(ui, saved, Type::Caption, palette.success);
        }
        Some(Err(message)) => kit::callout(ui, Tone::Danger, message, |_| {}),
    }
}

/// Before a network is left where something of this person's is still there.
pub(super) fn leave(ctx: &Context, model: &Model, server: &ServerAddress, drawn: &mut Drawn) {
    let Some(known) = model.settings.entry(server) else {
        return drawn.act(ModalAction::Back);
    };
    let palette = palette_of(ctx);
    let title = text::leave_title(model.settings.name_in_list(known));
    let body = text::leave_body(model.still_there(server));
    let modal = kit::ModalPanel {
        id: Id::unique(("question", "leave")),
        title: &title,
        width: measure::QUESTION,
        asks: true,
        foot: "",
    };
    let mut deletes = false;
    let (answer, waved) = kit::modal(ctx, &modal, |ui| {
        kit::label(ui, body, Type::Body, palette.muted);
        if model.still_there(server).deletable > 0 {
            ui.add_space(space::S);
            let delete = Button::new(Loudness::Secondary, text::delete_and_leave());
            let delete = delete.icon(Icon::Trash);
            deletes = ui.add(delete).clicked();
        }
        let stay = Button::new(Loudness::Secondary, text::stay());
        kit::answers(ui, stay, Button::new(Loudness::Danger, text::leave()))
    });
    let back = Action::Modal(ModalAction::Back);
    match answer {
        _ if deletes => drawn.act(NetworkAction::DeleteAndLeave),
        (_, true) => drawn.act(NetworkAction::LeaveAnyway),
        (true, _) => drawn.act(back),
        _ if waved => drawn.act(back),
        _ => {}
    }
}
