//! A menu under a button.

use egui::accesskit::HasPopup;
use egui::{
    Key, Modifiers, Popup, PopupCloseBehavior, Pos2, Response, Role, ScrollArea, Sense, Ui,
    WidgetInfo, vec2,
};

use super::{corner, follow_focus, paint_icon, shows_focus, single_line, under_pointer, width_of};
use crate::gui::fonts::Icon;
use crate::gui::tokens::{Type, measure, palette, space};

/// One line of a menu.
pub struct Entry<'a, T> {
    /// Before the words.
    pub icon: Icon,
    /// The words.
    pub label: &'a str,
    /// Stops or removes something.
    pub danger: bool,
    /// What it means.
    pub value: T,
}

/// What came of an open menu.
pub enum Chosen<T> {
    /// It stays open.
    Nothing,
    /// It was closed without a choice.
    Closed,
    /// This was chosen.
    Entry(T),
}

/// The open menu of `button`. Opened by the keyboard, it has the keyboard on its first entry; arrows, Home and End go
/// on from there.
pub fn menu<T>(button: &Response, name: &str, entries: Vec<Entry<'_, T>>) -> Chosen<T> {
    let mut chosen = Chosen::Nothing;
    button.ctx.accesskit_node_builder(button.id, |node| {
        node.set_has_popup(HasPopup::Menu);
        node.set_expanded(true);
    });
    let shown = Popup::menu(button)
        .open(true)
        .accessible_name(name)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .gap(space::XS)
        .show(|ui| {
            let focused = ui.memory(|memory| memory.focused());
            let most = ui.ctx().content_rect().height() - 2.0 * space::L;
            let lines = ScrollArea::vertical().max_height(most);
            let (pressed, lines) = lines.show(ui, |ui| menu_lines(ui, entries)).inner;
            if let Some(value) = pressed {
                chosen = Chosen::Entry(value);
            }
            let inside = focused.is_none() || lines.iter().any(|line| focused == Some(line.id));
            if let Some(first) = lines.first().filter(|_| !inside) {
                first.request_focus();
            }
            let end = ui.input_mut(|input| {
                if input.consume_key(Modifiers::NONE, Key::Home) {
                    lines.first()
                } else if input.consume_key(Modifiers::NONE, Key::End) {
                    lines.last()
                } else {
                    None
                }
            });
            if let Some(end) = end {
                end.request_focus();
            }
        });
    let closed = shown.is_some_and(|shown| shown.response.should_close());
    match chosen {
        Chosen::Nothing if closed => Chosen::Closed,
        other => other,
    }
}

/// The lines of a menu; those that stop or remove something come last, and apart. The one that was pressed, and all.
pub fn menu_lines<T>(ui: &mut Ui, entries: Vec<Entry<'_, T>>) -> (Option<T>, Vec<Response>) {
    ui.spacing_mut().item_spacing.y = 2.0;
    let widest = entries
        .iter()
        .map(|entry| width_of(ui, entry.label, Type::Body.font()))
        .fold(0.0, f32::max);
    let width = widest + measure::ICON + space::M + 2.0 * space::M;
    let mut pressed = None;
    let mut lines: Vec<Response> = Vec::new();
    let mut apart = false;
    for entry in entries {
        if entry.danger && !apart && !lines.is_empty() {
            apart = true;
            let (hair, _) = ui.allocate_exact_size(vec2(width, 9.0), Sense::hover());
            let stroke = egui::Stroke::new(1.0, palette(ui).border);
            ui.painter().hline(hair.x_range(), hair.center().y, stroke);
        }
        let response = line(ui, &entry, width);
        if response.clicked() {
            pressed = Some(entry.value);
        }
        lines.push(response);
    }
    (pressed, lines)
}

fn line<T>(ui: &mut Ui, entry: &Entry<'_, T>, width: f32) -> Response {
    let palette = palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(width, measure::CONTROL), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::MenuItem, true, entry.label));
    follow_focus(ui, &response);
    let (ink, sign) = if entry.danger {
        (palette.danger, palette.danger)
    } else {
        (palette.text, palette.muted)
    };
    let rest = if shows_focus(ui, &response) {
        palette.control
    } else {
        palette.raised
    };
    let fill = under_pointer(ui, &response, rest, palette.control);
    ui.painter()
        .rect_filled(rect, corner(measure::RADIUS - 2.0), fill);
    if shows_focus(ui, &response) {
        let stroke = egui::Stroke::new(palette.ring, palette.accent);
        ui.painter().rect_stroke(
            rect,
            corner(measure::RADIUS - 2.0),
            stroke,
            egui::StrokeKind::Inside,
        );
    }
    let middle = rect.center().y;
    let at = Pos2::new(rect.left() + space::M + measure::ICON / 2.0, middle);
    paint_icon(ui.painter(), at, entry.icon, measure::ICON, sign);
    let galley = single_line(ui, entry.label, Type::Body.font(), ink);
    let at = Pos2::new(
        rect.left() + 2.0 * space::M + measure::ICON,
        middle - galley.size().y / 2.0,
    );
    ui.painter().galley(at, galley, ink);
    response
}
