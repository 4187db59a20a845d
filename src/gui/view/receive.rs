//! The Receive screen: one field; what the pointer in it is, before anything is fetched.

use egui::{Id, Key, Modifiers, Response, Sense, Ui, vec2};
use zeroize::Zeroizing;

use super::{Drawn, ViewContext, join, listing, nodes, transfers};
use crate::gui::fonts::Icon;
use crate::gui::kit::{self, Button, Field, Flush, Loudness};
use crate::gui::model::{
    Focus, Model, PointerHolds, PointerInfo, PointerText, Reading, ReceiveAction, RelayAction,
    SettingsAction, Tone,
};
use crate::gui::text;
use crate::gui::tokens::{Type, measure, palette, space};

pub(super) fn screen(
    ui: &mut Ui,
    model: &Model,
    context: ViewContext,
    height: f32,
    drawn: &mut Drawn,
) {
    let palette = palette(ui);
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = space::S;
        kit::heading(ui, text::receive_title(), Type::Title, palette.text, 1);
        ui.add_space(space::XS);
        let mut edited = Zeroizing::new(model.receive.text.as_str().to_owned());
        let trouble = matches!(model.receive.reading, Reading::Wrong(_));
        // What was received matters more than room for a text that is not there yet.
        let short = !model.transfers.is_empty() && ui.available_width() < measure::NARROW;
        if enters(ui) {
            drawn.act(ReceiveAction::Download);
        }
        let field = Field {
            id: field_id(),
            label: text::pointer(),
            hint: text::POINTER_HINT,
            rows: if short { 1 } else { 3 },
            trouble,
            masked: context.masks(model),
        };
        let response = field.show(ui, &mut edited);
        if response.changed() {
            drawn.act(ReceiveAction::PointerEdited(PointerText::new(
                std::mem::take(&mut *edited),
            )));
        }
        drawn.focus(ui, model, Focus::Pointer, &response);
        if model.receive.reads_nothing() {
            if !short {
                kit::label(ui, text::receive_empty(), Type::Caption, palette.muted);
                ui.add_space(space::XS);
            }
            let paste = Button::new(Loudness::Secondary, text::paste_here()).icon(Icon::Paste);
            if ui.add(paste).clicked() {
                drawn.act(ReceiveAction::Paste);
            }
        }
    });
    if model.receive.opened.is_some() {
        opened(ui, model, drawn);
    }
    if model.settings_screen.nodes_file.is_some() {
        kit::card(ui, |ui| nodes::of_file(ui, model, drawn));
    }
    match &model.receive.reading {
        Reading::Empty if model.settings_screen.nodes_file.is_some() => {}
        Reading::Empty if model.transfers.is_empty() => nothing_yet(ui, height),
        Reading::Empty => {}
        Reading::Wrong(message) => {
            kit::callout(ui, Tone::Danger, message, |ui| {
                ui.add_space(space::XS);
                if ui
                    .add(Button::new(Loudness::Secondary, text::clear()))
                    .clicked()
                {
                    drawn.act(ReceiveAction::Clear);
                }
            });
        }
        Reading::Invited(info) => join::card(ui, model, info, drawn),
        Reading::Known(info) => card(ui, model, context, info, drawn),
    }
    if !model.transfers.is_empty() {
        transfers::list(ui, model, context, drawn);
    }
}

/// Draws the question about a second pointer, or an invitation, which waits for the person's word.
fn opened(ui: &mut Ui, model: &Model, drawn: &mut Drawn) {
    let message = if model.receive.has_opened_invitation() {
        text::invitation_opened()
    } else {
        text::pointer_opened()
    };
    kit::callout(ui, Tone::Info, &message, |ui| {
        ui.add_space(space::XS);
        ui.horizontal_wrapped(|ui| {
            let take = Button::new(Loudness::Secondary, text::use_opened_pointer());
            if ui.add(take).clicked() {
                drawn.act(ReceiveAction::UseOpenedPointer);
            }
            let keep = Button::new(Loudness::Quiet, text::keep_pointer());
            if ui.add(keep).clicked() {
                drawn.act(ReceiveAction::KeepPointer);
            }
        });
    });
}

/// Whether Enter was pressed in the pointer's field, which means Download; with Shift it is a new line.
fn enters(ui: &Ui) -> bool {
    ui.memory(|memory| memory.has_focus(field_id()))
        && ui.input_mut(|input| {
            !input.modifiers.shift && input.consume_key(Modifiers::NONE, Key::Enter)
        })
}

/// The empty state, centred in the rest of the screen.
fn nothing_yet(ui: &mut Ui, height: f32) {
    let palette = palette(ui);
    let used = ui.cursor().top() - ui.clip_rect().top();
    let words = kit::text_height(ui, text::received_here(), Type::Body, ui.available_width());
    let content = measure::ICON_XL + space::M + words;
    let room = height - used - space::XL;
    if room < content + 2.0 * space::L {
        return;
    }
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), room), Sense::hover());
    let block = egui::Rect::from_center_size(rect.center(), vec2(rect.width(), content));
    let centred = egui::Layout::top_down(egui::Align::Center);
    kit::inside(ui, "nothing yet", block, centred, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        kit::icon(ui, Icon::Download, measure::ICON_XL, palette.faint);
        ui.add_space(space::M);
        kit::label(ui, text::received_here(), Type::Body, palette.muted);
    });
}

pub(super) fn field_id() -> Id {
    Id::unique("pointer field")
}

/// The card that describes the pointer in the field.
fn card(ui: &mut Ui, model: &Model, context: ViewContext, info: &PointerInfo, drawn: &mut Drawn) {
    let palette = palette(ui);
    kit::card(ui, |ui| {
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = space::M;
            let icon = match info.holds {
                PointerHolds::Folder => Icon::Folder,
                PointerHolds::File | PointerHolds::Either => Icon::File,
            };
            kit::tile(ui, 40.0, icon, palette.accent, palette.accent_tint);
            ui.vertical(|ui| {
                ui.spacing_mut().item_spacing.y = 0.0;
                let name = text::pointer_name(info);
                let width = ui.available_width();
                kit::middle(ui, name, Type::Section, palette.text, width);
                let mut facts = Vec::new();
                if info.holds == PointerHolds::Folder {
                    facts.push(text::a_folder().to_owned());
                }
                facts.extend([text::size(info.len), text::comes_from(&info.server)]);
                facts.extend(info.expires.map(|expires| text::kept(expires, context.now)));
                let facts = facts.iter().map(String::as_str);
                let facts = kit::in_lines(ui, facts, Type::Caption, width);
                let line = kit::label(ui, facts, Type::Caption, palette.muted);
                if let Some(expires) = info.expires {
                    line.on_hover_text(text::from_now(expires, context.now));
                }
            });
        });
        if let Some(note) = &info.note {
            ui.add_space(space::S);
            // Where something can still be chosen, nothing has gone wrong yet.
            let tone = if note.blocks && !info.lacks_relays {
                Tone::Danger
            } else {
                Tone::Warning
            };
            kit::callout(ui, tone, &note.message, |ui| {
                ways_out(ui, model, info, drawn);
            });
        }
        if info.holds != PointerHolds::File && !info.note.as_ref().is_some_and(|note| note.blocks) {
            ui.add_space(space::S);
            listing::part(ui, model, info, drawn);
        }
        if info.asks_receipt && model.receive.can_download() {
            ui.add_space(space::S);
            let (title, about) = text::tell_sender();
            let on = model.receive.tell_sender;
            if kit::switch(ui, title, about, on) {
                drawn.act(ReceiveAction::SetTellSender(!on));
            }
        }
        if model.receive.can_download() {
            ui.add_space(space::S);
            will_be_saved(ui, model, drawn);
        }
        ui.add_space(space::S);
        ui.horizontal_wrapped(|ui| {
            let button = Button::new(Loudness::Primary, text::download()).icon(Icon::Download);
            let response = ui.add(button.enabled(model.receive.can_download()));
            if model.receive.can_download() {
                drawn.focus(ui, model, Focus::Download, &response);
            }
            says_pointer(&response, info);
            if response.clicked() {
                drawn.act(ReceiveAction::Download);
            }
            let clear = ui.add(Button::new(Loudness::Quiet, text::clear()).tall());
            if !model.receive.can_download() && !info.lacks_relays {
                drawn.focus(ui, model, Focus::Download, &clear);
                says_pointer(&clear, info);
            }
            if clear.clicked() {
                drawn.act(ReceiveAction::Clear);
            }
        });
    });
}

/// Has a screen reader say at this button what the pointer is: it is what the keyboard comes to after a paste.
fn says_pointer(button: &Response, info: &PointerInfo) {
    let said = text::is_pointer(info);
    (button.ctx).accesskit_node_builder(button.id, |node| node.set_description(said));
}

/// The folder that the file will be saved in, and a button to change it.
fn will_be_saved(ui: &mut Ui, model: &Model, drawn: &mut Drawn) {
    let ink = palette(ui).muted;
    let place = text::will_be_saved_in(model.downloads());
    let change = Button::new(Loudness::Quiet, text::change()).flush(Flush::Right);
    let width = change.width(ui);
    let words = |ui: &mut Ui| {
        let width = ui.available_width();
        kit::middle(ui, &place, Type::Caption, ink, width);
    };
    if kit::sides(ui, measure::CONTROL, width, words, |ui| ui.add(change)).clicked() {
        drawn.act(SettingsAction::ChooseDownloads);
    }
}

/// Buttons for what helps when no relay serves the pointer's server.
fn ways_out(ui: &mut Ui, model: &Model, info: &PointerInfo, drawn: &mut Drawn) {
    if !info.lacks_relays {
        return;
    }
    if let Some(message) = &model.settings_screen.relay_trouble {
        ui.add_space(space::XS);
        kit::said(ui, message);
    }
    ui.add_space(space::S);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = egui::Vec2::splat(space::S);
        let busy = model.settings_screen.relays_busy;
        if info.offer.is_some() {
            let words = if busy {
                text::asking_relays()
            } else {
                text::use_senders_list()
            };
            // Nothing else can be done here first.
            let button = Button::new(Loudness::Primary, words);
            let button = button.room_for(text::use_senders_list()).enabled(!busy);
            let button = ui.add(button);
            says_pointer(&button, info);
            if !busy && !model.receive.can_download() {
                drawn.focus(ui, model, Focus::Download, &button);
            }
            if button.clicked() {
                drawn.act(ReceiveAction::UseSendersList);
            }
        }
        let add = Button::new(Loudness::Quiet, text::add_relay_list());
        let add = if info.offer.is_some() {
            add.tall()
        } else {
            add.flush(Flush::Left)
        };
        let add = ui.add(add);
        says_pointer(&add, info);
        if (busy || info.offer.is_none()) && !model.receive.can_download() {
            drawn.focus(ui, model, Focus::Download, &add);
        }
        if add.clicked() {
            drawn.act(RelayAction::Choose);
        }
    });
}
