//! What went a moment ago, and the button that brings it back, at the foot of the window.

use egui::{Align, Align2, Area, Context, Frame, Id, Layout, Margin, Order, Stroke, vec2};

use super::Drawn;
use crate::gui::fonts::Icon;
use crate::gui::kit::{self, Button, Loudness};
use crate::gui::model::{Action, Model};
use crate::gui::text;
use crate::gui::tokens::{Type, measure, palette_of, space};

pub(super) fn bar(ctx: &Context, model: &Model, drawn: &mut Drawn) {
    if model.undo.is_none() {
        return;
    }
    let palette = palette_of(ctx);
    let words = model.undo_words();
    let area = Area::new(Id::unique("undo"))
        .order(Order::Middle)
        .anchor(Align2::CENTER_BOTTOM, vec2(0.0, -space::L));
    area.show(ctx, |ui| {
        let room = ctx.content_rect().width() - 2.0 * space::L;
        let frame = Frame::new()
            .fill(palette.surface)
            .stroke(Stroke::new(1.0, palette.control_border))
            .corner_radius(measure::CARD_RADIUS)
            .inner_margin(Margin::symmetric(12, 6));
        frame.show(ui, |ui| {
            let button = Button::new(Loudness::Secondary, text::undo()).icon(Icon::Retry);
            let beside = room.min(440.0) - 2.0 * 12.0 - button.width(ui) - space::M;
            let size = vec2(room.min(440.0) - 2.0 * 12.0, measure::CONTROL);
            let row = Layout::right_to_left(Align::Center);
            ui.allocate_ui_with_layout(size, row, |ui| {
                ui.spacing_mut().item_spacing.x = space::M;
                if ui.add(button).clicked() {
                    drawn.act(Action::Undo);
                }
                let left = Layout::left_to_right(Align::Center);
                ui.with_layout(left, |ui| {
                    kit::middle(ui, &words, Type::Body, palette.text, beside.max(40.0));
                });
            });
        });
    });
}
