//! The undo bar at the foot of the window: what was removed, and the button that restores it.

use egui::{Align, Align2, Area, Context, Frame, Id, Layout, Margin, Order, Stroke, vec2};

use super::Drawn;
use crate::gui::commands;
use crate::gui::fonts::Icon;
use crate::gui::kit::{self, Button, Loudness};
use crate::gui::model::{Model, WindowAction};
use crate::gui::text;
use crate::gui::tokens::{Type, measure, palette_of, space};

/// Margin around the text and the button, in points.
const MARGIN: f32 = 12.0;

fn area() -> Id {
    Id::unique("undo")
}

/// Height of the window's foot that the bar covers, in points, by which pages extend their scroll range.
pub(super) fn covers(ctx: &Context, model: &Model) -> f32 {
    if model.undo.is_none() {
        return 0.0;
    }
    let last = ctx.memory(|memory| memory.area_rect(area()));
    let tall = last.map_or(measure::CONTROL + 2.0 * 6.0, |rect| rect.height());
    tall + 2.0 * space::L
}

pub(super) fn bar(ctx: &Context, model: &Model, drawn: &mut Drawn) {
    let Some(undo) = &model.undo else {
        return;
    };
    let palette = palette_of(ctx);
    let words = text::removed(&undo.removed());
    let keys = ctx.format_shortcut(&commands::UNDO);
    let area = Area::new(area())
        .order(Order::Middle)
        .anchor(Align2::CENTER_BOTTOM, vec2(0.0, -space::L));
    area.show(ctx, |ui| {
        let room = ctx.content_rect().width() - 2.0 * space::L;
        let frame = Frame::new()
            .fill(palette.surface)
            .stroke(Stroke::new(1.0, palette.border))
            .shadow(ctx.global_style().visuals.popup_shadow)
            .corner_radius(measure::CARD_RADIUS)
            .inner_margin(Margin::symmetric(12, 6));
        frame.show(ui, |ui| {
            let button = Button::new(Loudness::Secondary, text::undo()).icon(Icon::Undo);
            let keys_width = kit::width_of(ui, &keys, Type::Caption.font());
            // As wide as what it covers: no shreds of that beside it.
            let whole = room.min(measure::COLUMN) - 2.0 * MARGIN;
            let beside = whole - button.width(ui) - keys_width - 2.0 * space::M;
            // Where there is no room for the keys, the words matter more.
            let with_keys = beside >= 120.0;
            let beside = if with_keys {
                beside
            } else {
                beside + keys_width + space::M
            };
            let beside = beside.max(40.0);
            let tall = kit::text_height(ui, &words, Type::Body, beside);
            let size = vec2(whole, tall.max(measure::CONTROL));
            let row = Layout::right_to_left(Align::Center);
            ui.allocate_ui_with_layout(size, row, |ui| {
                ui.spacing_mut().item_spacing.x = space::M;
                let button = ui.add(button);
                ui.ctx().accesskit_node_builder(button.id, |node| {
                    node.set_keyboard_shortcut(&*keys);
                });
                if button.clicked() {
                    drawn.act(WindowAction::Undo);
                }
                if with_keys {
                    let place = vec2(keys_width + 1.0, Type::Caption.line());
                    ui.allocate_ui_with_layout(place, row, |ui| {
                        kit::label(ui, &*keys, Type::Caption, palette.muted);
                    });
                }
                let left = Layout::left_to_right(Align::Center);
                ui.with_layout(left, |ui| {
                    ui.set_max_width(beside);
                    kit::label(ui, &*words, Type::Body, palette.text);
                });
            });
        });
    });
}
