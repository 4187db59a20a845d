//! Building blocks of the cards in Settings: a line, and the message below a refused field.

use egui::{Id, Sense, Ui, vec2};

use crate::app::words::message::UserMessage;
use crate::gui::fonts::Icon;
use crate::gui::kit;
use crate::gui::model::Tone;
use crate::gui::tokens::{Type, measure, palette, space};

/// Shows why a field was refused, below it; nothing without a message.
pub(super) fn trouble(ui: &mut Ui, id: &str, message: Option<&UserMessage>) {
    if let Some(message) = message {
        kit::fresh(ui, Id::unique(("trouble", id)), &message.what, |ui| {
            kit::callout(ui, Tone::Danger, message, |_| {});
        });
    }
}

/// One line of a card: what it is on the left, what can be done on the right; below each other when narrow.
pub(super) fn line(
    ui: &mut Ui,
    icon: Icon,
    title: &str,
    about: &str,
    right: f32,
    act: impl FnOnce(&mut Ui),
) {
    let palette = palette(ui);
    let whole = ui.available_width();
    let fits = whole - right >= 260.0;
    let beside = if fits { right } else { 0.0 } + space::S;
    let room = whole - beside - measure::ICON_L - space::M;
    // The middle of an address says nothing to anybody; a sentence is read whole.
    let address = about.contains("://");
    let below = if address {
        Type::Caption.line()
    } else {
        kit::text_height(ui, about, Type::Caption, room)
    };
    let words = kit::text_height(ui, title, Type::Label, room) + 2.0 + below;
    let height = words.max(40.0);
    let left = |ui: &mut Ui| {
        ui.spacing_mut().item_spacing.x = space::M;
        let (square, _) = ui.allocate_exact_size(vec2(measure::ICON_L, height), Sense::hover());
        kit::paint_icon(
            ui.painter(),
            square.center(),
            icon,
            measure::ICON_L,
            palette.muted,
        );
        let width = ui.available_width();
        ui.allocate_ui_with_layout(
            vec2(width, words),
            egui::Layout::top_down(egui::Align::Min),
            |ui| {
                ui.spacing_mut().item_spacing.y = 2.0;
                kit::label(ui, title, Type::Label, palette.text);
                if address {
                    kit::middle(ui, about, Type::Caption, palette.muted, width);
                } else {
                    kit::label(ui, about, Type::Caption, palette.muted);
                }
            },
        );
    };
    if fits {
        kit::sides(ui, height, right, left, act);
    } else {
        kit::sides(ui, height, 0.0, left, |_| {});
        kit::sides(ui, measure::CONTROL, ui.available_width(), |_| {}, act);
    }
}
