//! The Share screen: one big target, and under it where a file goes and how long it stays.

use egui::{
    Align, CornerRadius, Layout, Pos2, Rect, Role, Sense, Shape, Stroke, StrokeKind, Ui,
    WidgetInfo, vec2,
};

use super::{Drawn, Surroundings, options, transfers};
use crate::gui::fonts::Icon;
use crate::gui::kit::{self, Button, Loudness};
use crate::gui::model::{Action, Focus, Model, Tone};
use crate::gui::text;
use crate::gui::tokens::{Palette, Type, measure, motion, palette, space};

pub(super) fn screen(
    ui: &mut Ui,
    model: &Model,
    around: Surroundings,
    height: f32,
    drawn: &mut Drawn,
) {
    if model.first_start {
        welcome(ui, drawn);
    }
    let empty = model.transfers.is_empty();
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = space::M;
        if empty && !model.first_start {
            let used = ui.cursor().top() - ui.clip_rect().top();
            let room = height - used - 16.0 - 2.0 * space::M - measure::CONTROL - space::XL;
            zone(ui, model, around, room.clamp(220.0, 560.0), drawn);
        } else {
            small_zone(ui, model, around, drawn);
        }
        terms(ui, model, drawn);
        let words = if model.options_open {
            text::hide_options()
        } else {
            text::options()
        };
        if !model.first_start {
            ui.vertical_centered(|ui| {
                if ui.add(Button::new(Loudness::Quiet, words)).clicked() {
                    drawn.act(Action::ShowOptions(!model.options_open));
                }
            });
        }
        if model.options_open {
            options::card(ui, model, drawn);
        }
    });
    if !empty {
        transfers::list(ui, model, around, drawn);
    }
}

/// The card of the first start: three short lines.
fn welcome(ui: &mut Ui, drawn: &mut Drawn) {
    let palette = palette(ui);
    kit::card(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        kit::label(ui, text::welcome(), Type::Title, palette.text);
        ui.add_space(space::M);
        for (icon, (head, body)) in [Icon::Upload, Icon::ShieldCheck, Icon::HardDrive]
            .into_iter()
            .zip([
                text::welcome_drop(),
                text::welcome_pointer(),
                text::welcome_built_in(),
            ])
        {
            ui.horizontal_top(|ui| {
                ui.spacing_mut().item_spacing.x = space::M;
                let (rect, _) = ui.allocate_exact_size(vec2(measure::ICON_L, 20.0), Sense::hover());
                kit::paint_icon(
                    ui.painter(),
                    rect.center(),
                    icon,
                    measure::ICON_L,
                    palette.accent,
                );
                ui.vertical(|ui| {
                    kit::label(ui, head, Type::Label, palette.text);
                    kit::label(ui, body, Type::Body, palette.muted);
                });
            });
            ui.add_space(space::M);
        }
        ui.add_space(space::XS);
        if ui
            .add(Button::new(Loudness::Primary, text::start()))
            .clicked()
        {
            drawn.act(Action::Start);
        }
    });
}

/// A zone is one button; returns its place and whether it is held.
fn target(
    ui: &mut Ui,
    model: &Model,
    height: f32,
    said: &str,
    drawn: &mut Drawn,
) -> (Rect, &'static Palette) {
    let palette = palette(ui);
    let (rect, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, text::choose_files()));
    ui.ctx()
        .accesskit_node_builder(response.id, |node| node.set_description(said));
    drawn.focus(model, Focus::Zone, &response);
    let time = motion::hover(ui);
    let t = ui
        .ctx()
        .animate_bool_with_time(response.id, response.hovered(), time);
    let radius = CornerRadius::same(10);
    ui.painter().rect_filled(
        rect,
        radius,
        palette.surface.lerp_to_gamma(palette.accent_tint, t),
    );
    let ink = palette.control_border.lerp_to_gamma(palette.accent, t);
    if kit::shows_focus(ui, &response) {
        let stroke = Stroke::new(palette.ring, palette.accent);
        ui.painter()
            .rect_stroke(rect, radius, stroke, StrokeKind::Inside);
    } else {
        dashed(ui, rect, Stroke::new(1.5, ink));
    }
    if response.clicked() {
        drawn.act(Action::ChooseFiles);
    }
    (rect, palette)
}

/// The zone of an empty list.
fn zone(ui: &mut Ui, model: &Model, around: Surroundings, height: f32, drawn: &mut Drawn) {
    let title = if around.drops {
        text::drop_here()
    } else {
        text::choose_or_paste()
    };
    let (rect, palette) = target(ui, model, height, title, drawn);
    let block = Rect::from_center_size(rect.center(), vec2(rect.width() - 2.0 * space::L, 184.0));
    kit::inside(ui, "words", block, Layout::top_down(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        kit::icon(ui, Icon::Upload, measure::ICON_XL, palette.accent);
        ui.add_space(space::L);
        kit::label(ui, title, Type::Title, palette.text);
        ui.add_space(space::XS);
        kit::label(ui, text::sealed_here(), Type::Body, palette.muted);
        ui.add_space(space::XL);
        painted_button(ui, palette);
    });
}

/// Looks like the primary button; the whole zone is one, so this has no name of its own.
fn painted_button(ui: &mut Ui, palette: &Palette) {
    let font = Type::Label.font();
    let word = ui
        .painter()
        .layout_no_wrap(text::choose_files().to_owned(), font, palette.on_fill);
    let keys = ui.ctx().format_shortcut(&crate::gui::commands::CHOOSE);
    let keys = ui.painter().layout_no_wrap(
        keys,
        Type::Caption.font(),
        palette.on_fill.gamma_multiply(0.85),
    );
    let width = word.size().x + keys.size().x + space::M + 2.0 * space::L;
    let (rect, _) = ui.allocate_exact_size(vec2(width, measure::PRIMARY), Sense::hover());
    ui.painter()
        .rect_filled(rect, CornerRadius::same(6), palette.accent_fill);
    let at = Pos2::new(
        rect.left() + space::L,
        rect.center().y - word.size().y / 2.0,
    );
    let after = Pos2::new(
        rect.right() - space::L - keys.size().x,
        rect.center().y - keys.size().y / 2.0,
    );
    ui.painter().galley(at, word, palette.on_fill);
    ui.painter().galley(after, keys, palette.on_fill);
}

/// The zone when something else matters more.
fn small_zone(ui: &mut Ui, model: &Model, around: Surroundings, drawn: &mut Drawn) {
    let title = match (around.drops, model.transfers.is_empty()) {
        (true, true) => text::drop_here(),
        (true, false) => text::drop_more(),
        (false, true) => text::choose_or_paste(),
        (false, false) => text::choose_more(),
    };
    let (rect, palette) = target(ui, model, 96.0, title, drawn);
    let block = Rect::from_center_size(rect.center(), vec2(rect.width() - 2.0 * space::L, 52.0));
    kit::inside(ui, "words", block, Layout::top_down(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.y = space::S;
        kit::icon(ui, Icon::Upload, 24.0, palette.accent);
        kit::label(ui, title, Type::Label, palette.text);
    });
}

/// Where a file goes, how large it may be, how long it stays.
fn terms(ui: &mut Ui, model: &Model, drawn: &mut Drawn) {
    if model.settings.lacks_relays() {
        kit::callout(ui, Tone::Warning, &text::relays_missing(), |ui| {
            ui.add_space(space::XS);
            if ui
                .add(Button::new(Loudness::Secondary, text::choose_list()))
                .clicked()
            {
                drawn.act(Action::ChooseRelayList);
            }
        });
        return;
    }
    let (icon, place) = match model.settings.server() {
        None => (Icon::HardDrive, text::built_in_stays().to_owned()),
        Some(server) => (Icon::Server, text::goes_to(&server.name)),
    };
    let terms = model.settings.chosen_terms();
    kit::centred_hint(
        ui,
        icon,
        &[
            place.as_str(),
            &text::limit(terms),
            &text::kept_for(model.settings.preferences.options.keep, terms),
        ],
    );
}

/// A dashed outline with round corners.
fn dashed(ui: &Ui, rect: Rect, stroke: Stroke) {
    let rect = rect.shrink(stroke.width / 2.0);
    let radius = measure::CARD_RADIUS;
    let mut path = Vec::new();
    for (corner, from) in [
        (
            Pos2::new(rect.right() - radius, rect.top() + radius),
            -90.0_f32,
        ),
        (
            Pos2::new(rect.right() - radius, rect.bottom() - radius),
            0.0,
        ),
        (
            Pos2::new(rect.left() + radius, rect.bottom() - radius),
            90.0,
        ),
        (Pos2::new(rect.left() + radius, rect.top() + radius), 180.0),
    ] {
        for step in 0..=8_u8 {
            let angle = (from + f32::from(step) * 11.25).to_radians();
            path.push(corner + radius * vec2(angle.cos(), angle.sin()));
        }
    }
    path.extend(path.first().copied());
    ui.painter()
        .extend(Shape::dashed_line(&path, stroke, 6.0, 5.0));
}
