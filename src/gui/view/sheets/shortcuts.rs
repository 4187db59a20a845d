//! The sheet of keyboard shortcuts.

use egui::{Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, vec2};

use crate::gui::commands;
use crate::gui::kit;
use crate::gui::text;
use crate::gui::tokens::{Type, measure, palette, space};

pub(super) fn show(ui: &mut Ui) {
    ui.spacing_mut().item_spacing.y = space::XS;
    part(ui, text::anywhere(), commands::lines(ui.ctx()));
    ui.add_space(space::M);
    let rows = text::row_keys().map(|(keys, words)| {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        (keys, words)
    });
    part(ui, text::on_a_transfer(), rows.into());
    ui.add_space(space::M);
    let palette = palette(ui);
    kit::heading(ui, text::if_a_drop_fails(), Type::Label, palette.muted, 2);
    ui.add_space(space::XS);
    for words in [text::drop_promised(), text::drop_elevated()] {
        kit::selectable(ui, words, Type::Body, palette.text);
    }
}

fn part(ui: &mut Ui, title: &str, lines: Vec<(Vec<String>, &str)>) {
    let palette = palette(ui);
    kit::heading(ui, title, Type::Label, palette.muted, 2);
    ui.add_space(space::XS);
    for (keys, words) in lines {
        let narrow = ui.available_width() < 360.0;
        let right = if narrow { 110.0 } else { 160.0 };
        let left = |ui: &mut Ui| {
            kit::label(ui, words, Type::Body, palette.text);
        };
        let room = ui.available_width() - right - space::S;
        let words = kit::text_height(ui, words, Type::Body, room) + 2.0 * space::S;
        kit::sides(ui, words.max(measure::CONTROL), right, left, |ui| {
            for key in &keys {
                cap(ui, key);
            }
        });
        kit::divider(ui);
    }
}

/// Draws a keycap.
fn cap(ui: &mut Ui, key: &str) {
    let palette = palette(ui);
    let font = Type::Caption.font();
    let galley = ui
        .painter()
        .layout_no_wrap(key.to_owned(), font, palette.text);
    let size = vec2((galley.size().x + 2.0 * space::S).max(24.0), 24.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, key));
    ui.painter().rect_filled(rect, 5.0, palette.control);
    ui.painter().rect_stroke(
        rect,
        5.0,
        Stroke::new(1.0, palette.border),
        StrokeKind::Inside,
    );
    let at = rect.center() - galley.size() / 2.0;
    ui.painter().galley(at, galley, palette.text);
}
