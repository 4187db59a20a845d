//! What chooses: one of a few, on or off, more or less.

use egui::{
    Align, Layout, Pos2, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo,
    vec2,
};

use super::words::elided;
use super::{
    corner, focus_ring, follow_focus, hovered, icon_button, inside, label, outline, shows_focus,
    single_line, under_pointer, width_of,
};
use crate::gui::fonts::Icon;
use crate::gui::tokens::{Type, measure, motion, palette, space};

const INSET: f32 = 3.0;

fn segment_width<T>(ui: &Ui, options: &[(T, &str)]) -> f32 {
    let widest = options
        .iter()
        .map(|(_, label)| width_of(ui, label, Type::Label.font()))
        .fold(0.0, f32::max);
    (widest + 2.0 * space::L).ceil()
}

fn count<T>(options: &[T]) -> f32 {
    options.iter().map(|_| 1.0).sum()
}

/// How wide [`segmented`] will be, where there is room.
#[must_use]
pub fn segmented_width<T>(ui: &Ui, options: &[(T, &str)]) -> f32 {
    segment_width(ui, options) * count(options) + 2.0 * INSET
}

/// What came of a [`segmented`] switch.
pub struct Segmented<T> {
    /// The one that was pressed.
    pub pressed: Option<T>,
    /// The chosen one.
    pub chosen: Option<Response>,
}

/// One of a few, side by side.
pub fn segmented<T: Copy + PartialEq>(
    ui: &mut Ui,
    name: &str,
    options: &[(T, &str)],
    chosen: Option<T>,
) -> Segmented<T> {
    let palette = palette(ui);
    let font = Type::Label.font();
    let most = (ui.max_rect().width() - 2.0 * INSET) / count(options);
    let segment = vec2(
        segment_width(ui, options).min(most),
        measure::CONTROL - 2.0 * INSET,
    );
    let (track, group) = ui.allocate_exact_size(
        vec2(segment.x * count(options) + 2.0 * INSET, measure::CONTROL),
        Sense::hover(),
    );
    group.widget_info(|| WidgetInfo::labeled(Role::RadioGroup, true, name));
    ui.painter()
        .rect_filled(track, corner(measure::RADIUS + 1.0), palette.control);
    outline(ui, track, measure::RADIUS + 1.0);
    let mut came = Segmented {
        pressed: None,
        chosen: None,
    };
    let mut left = track.left() + INSET;
    for (value, label) in options {
        let rect = Rect::from_min_size(Pos2::new(left, track.top() + INSET), segment);
        left += segment.x;
        let response = ui.interact(rect, group.id.with(*label), Sense::click());
        let on = chosen == Some(*value);
        response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, on, *label));
        let radius = measure::RADIUS - 1.0;
        if on {
            ui.painter()
                .rect_filled(rect, corner(radius), palette.chosen);
            // The two fills are too near each other to say by themselves which is chosen.
            let stroke = Stroke::new(1.0, palette.control_border);
            ui.painter()
                .rect_stroke(rect, corner(radius), stroke, StrokeKind::Inside);
        } else if hovered(ui, &response) {
            ui.painter()
                .rect_filled(rect, corner(radius), palette.control_hover);
        }
        let ink = if on {
            palette.on_chosen
        } else if hovered(ui, &response) {
            palette.text
        } else {
            palette.muted
        };
        let room = rect.width() - 2.0 * space::XS;
        let shown = elided(label, room, |word| width_of(ui, word, font.clone()));
        let galley = single_line(ui, &shown, font.clone(), ink);
        ui.painter()
            .galley(rect.center() - galley.size() / 2.0, galley, ink);
        focus_ring(ui, &response, radius);
        if response.clicked() {
            came.pressed = Some(*value);
        }
        if on {
            came.chosen = Some(response);
        }
    }
    came
}

/// One of several, on as many lines as they need. Returns the one that was pressed.
pub fn chips<T: Copy + PartialEq>(
    ui: &mut Ui,
    name: &str,
    options: &[(T, String)],
    chosen: T,
) -> Option<T> {
    let palette = palette(ui);
    let mut pressed = None;
    let group = ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = Vec2::splat(space::S);
        for (value, label) in options {
            let on = *value == chosen;
            let font = Type::Caption.font();
            let most = ui.max_rect().width() - 2.0 * space::M;
            let shown = elided(label, most, |word| width_of(ui, word, font.clone()));
            let width = width_of(ui, &shown, font.clone()) + 2.0 * space::M;
            let (rect, response) = ui.allocate_exact_size(vec2(width, 28.0), Sense::click());
            response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, on, label));
            let (rest, over, ink) = if on && palette.is_high() {
                (palette.chosen, palette.chosen, palette.on_chosen)
            } else if on {
                (palette.accent_tint, palette.accent_tint, palette.accent)
            } else {
                (palette.control, palette.control_hover, palette.text)
            };
            let fill = under_pointer(ui, &response, rest, over);
            ui.painter().rect_filled(rect, corner(14.0), fill);
            outline(ui, rect, 14.0);
            if on {
                let stroke = Stroke::new(1.0, palette.accent);
                ui.painter()
                    .rect_stroke(rect, corner(14.0), stroke, StrokeKind::Inside);
            }
            let galley = single_line(ui, &shown, font, ink);
            ui.painter()
                .galley(rect.center() - galley.size() / 2.0, galley, ink);
            focus_ring(ui, &response, 14.0);
            if response.clicked() {
                pressed = Some(*value);
            }
        }
    });
    group
        .response
        .widget_info(|| WidgetInfo::labeled(Role::RadioGroup, true, name));
    pressed
}

const SWITCH: Vec2 = vec2(40.0, 22.0);

/// On or off: the words on the left, the switch on the right, all of it one button. True when it was pressed.
pub fn switch(ui: &mut Ui, title: &str, about: &str, on: bool) -> bool {
    let palette = palette(ui);
    let width = ui.available_width();
    let words = (width - SWITCH.x - space::L).max(60.0);
    let lay = |text: &str, kind: Type, ink| {
        let job = egui::text::LayoutJob::simple(text.to_owned(), kind.font(), ink, words);
        ui.painter().layout_job(job)
    };
    let head = lay(title, Type::Label, palette.text);
    let body = lay(about, Type::Caption, palette.muted);
    let gap = if about.is_empty() { 0.0 } else { 2.0 };
    let below = if about.is_empty() { 0.0 } else { body.size().y };
    let tall = head.size().y + gap + below;
    let size = vec2(width, tall.max(measure::CONTROL) + space::S);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Switch, true, on, title));
    if !about.is_empty() {
        ui.ctx()
            .accesskit_node_builder(response.id, |node| node.set_description(about));
    }
    let top = rect.center().y - tall / 2.0;
    let body_top = top + head.size().y + gap;
    ui.painter()
        .galley(Pos2::new(rect.left(), top), head, palette.text);
    if !about.is_empty() {
        ui.painter()
            .galley(Pos2::new(rect.left(), body_top), body, palette.muted);
    }
    let track = Rect::from_center_size(
        Pos2::new(rect.right() - SWITCH.x / 2.0, rect.center().y),
        SWITCH,
    );
    let time = motion::state(ui);
    let t = ui.ctx().animate_bool_with_time(response.id, on, time);
    let (off, full) = if hovered(ui, &response) {
        (palette.control_hover, palette.accent_fill_hover)
    } else {
        (palette.control, palette.accent_fill)
    };
    let fill = off.lerp_to_gamma(full, t);
    let radius = SWITCH.y / 2.0;
    ui.painter().rect_filled(track, corner(radius), fill);
    let outline = if palette.is_high() {
        palette.control_border
    } else {
        palette.control_border.lerp_to_gamma(palette.accent_fill, t)
    };
    ui.painter().rect_stroke(
        track,
        corner(radius),
        Stroke::new(1.0, outline),
        StrokeKind::Inside,
    );
    let knob = track.left() + radius + t * (SWITCH.x - SWITCH.y);
    let ink = palette.muted.lerp_to_gamma(palette.on_fill, t);
    ui.painter()
        .circle_filled(Pos2::new(knob, track.center().y), radius - 5.0, ink);
    follow_focus(ui, &response);
    if shows_focus(ui, &response) {
        let stroke = Stroke::new(palette.ring, palette.accent);
        ui.painter().rect_stroke(
            rect.expand2(vec2(space::S, 0.0)),
            corner(measure::RADIUS),
            stroke,
            StrokeKind::Inside,
        );
    }
    response.clicked()
}

/// Less, the present value, more. Returns -1 or 1 when one of them was pressed.
pub fn stepper(ui: &mut Ui, value: &str, less: (&str, bool), more: (&str, bool)) -> i8 {
    let palette = palette(ui);
    let mut step = 0;
    // From the left, also where the line is filled from the right.
    let size = vec2(
        2.0 * (measure::CONTROL + space::XS) + 52.0,
        measure::CONTROL,
    );
    ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = space::XS;
        let mut press = |ui: &mut Ui, icon, (name, possible): (&str, bool), by| {
            ui.add_enabled_ui(possible, |ui| {
                if icon_button(ui, icon, name).clicked() {
                    step = by;
                }
            });
        };
        press(ui, Icon::Minus, less, -1);
        let (place, _) = ui.allocate_exact_size(vec2(52.0, measure::CONTROL), Sense::hover());
        let centred = Layout::centered_and_justified(egui::Direction::LeftToRight);
        inside(ui, "value", place, centred, |ui| {
            label(ui, value, Type::Label, palette.text);
        });
        press(ui, Icon::Plus, more, 1);
    });
    step
}
