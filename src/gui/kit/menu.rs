//! A menu under a button.

use egui::accesskit::HasPopup;
use egui::{
    Frame, Key, Modifiers, Popup, PopupCloseBehavior, Pos2, Rect, RectAlign, Response, Role,
    ScrollArea, Sense, Ui, WidgetInfo, vec2,
};

use super::{corner, follow_focus, paint_icon, shows_focus, single_line, under_pointer, width_of};
use crate::gui::fonts::Icon;
use crate::gui::tokens::{Type, measure, palette, space};

/// One line of a menu.
pub struct MenuEntry<'a, T> {
    /// Icon before the label.
    pub icon: Icon,
    /// Text of the entry.
    pub label: &'a str,
    /// Whether the entry stops or removes something.
    pub danger: bool,
    /// Value returned when the entry is chosen.
    pub value: T,
}

/// Outcome of drawing an open menu for one frame.
pub enum Chosen<T> {
    /// It stays open.
    Nothing,
    /// It was closed without a choice.
    Closed,
    /// The entry with this index was chosen.
    Entry(T),
}

/// The open menu of `button`. Opened by the keyboard, it has the keyboard on its first entry; arrows, Home and End go
/// on from there.
pub fn menu<T>(button: &Response, name: &str, entries: Vec<MenuEntry<'_, T>>) -> Chosen<T> {
    let mut chosen = Chosen::Nothing;
    button.ctx.accesskit_node_builder(button.id, |node| {
        node.set_has_popup(HasPopup::Menu);
        node.set_expanded(true);
    });
    let margin = Frame::popup(&button.ctx.global_style())
        .total_margin()
        .sum()
        .y;
    let window = button.ctx.content_rect();
    let height = lines_height(&entries) + margin;
    let (at, height) = place(button.rect, height, window);
    let shown = Popup::menu(button)
        .open(true)
        .accessible_name(name)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .at_position(at)
        .align(RectAlign::BOTTOM_END)
        .align_alternatives(&[])
        .gap(0.0)
        .show(|ui| {
            let focused = ui.memory(|memory| memory.focused());
            let lines = ScrollArea::vertical().max_height(height - margin);
            let (pressed, lines) = lines.show(ui, |ui| menu_lines(ui, entries)).inner;
            if let Some(value) = pressed {
                chosen = Chosen::Entry(value);
            }
            // Opened by the pointer, nobody has the keyboard; opened by the keyboard, the button still has it.
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

/// Returns the upper right corner for a menu of this height, and its greatest height: below its button, else above it,
/// else beside it. It never covers the bar.
fn place(button: Rect, height: f32, window: Rect) -> (Pos2, f32) {
    let top = window.top() + measure::BAR;
    let bottom = window.bottom() - space::S;
    let height = height.min(bottom - top);
    let below = (button.bottom() + space::XS).max(top);
    let above = button.top() - space::XS - height;
    let at = if below + height <= bottom {
        Pos2::new(button.right(), below)
    } else if above >= top {
        Pos2::new(button.right(), above)
    } else {
        let beside = button.top().min(bottom - height).max(top);
        Pos2::new(button.left() - space::XS, beside)
    };
    (at, height)
}

/// Gap between two entries, in points.
const BETWEEN_LINES: f32 = 2.0;
/// Height of the separator before the entries that stop or remove something, in points.
const APART: f32 = 9.0;

/// Height of [`menu_lines`], in points.
fn lines_height<T>(entries: &[MenuEntry<'_, T>]) -> f32 {
    let mut height = -BETWEEN_LINES;
    for (at, entry) in entries.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| entries.get(before));
        if entry.danger && before.is_some_and(|before| !before.danger) {
            height += APART + BETWEEN_LINES;
        }
        height += measure::CONTROL + BETWEEN_LINES;
    }
    height.max(0.0)
}

/// Draws the entries of a menu; those that stop or remove something come last, after a separator. Returns the value of
/// the pressed one, and the responses of all.
pub(crate) fn menu_lines<T>(
    ui: &mut Ui,
    entries: Vec<MenuEntry<'_, T>>,
) -> (Option<T>, Vec<Response>) {
    ui.spacing_mut().item_spacing.y = BETWEEN_LINES;
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
            let (hair, _) = ui.allocate_exact_size(vec2(width, APART), Sense::hover());
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

fn line<T>(ui: &mut Ui, entry: &MenuEntry<'_, T>, width: f32) -> Response {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_menu_stands_where_it_fits_and_never_over_the_bar() {
        let window = Rect::from_min_size(Pos2::ZERO, vec2(420.0, 420.0));
        let button = |top| Rect::from_min_size(Pos2::new(350.0, top), vec2(32.0, 32.0));
        for (top, height, at, tall) in [
            (100.0, 250.0, Pos2::new(382.0, 136.0), 250.0),
            (350.0, 250.0, Pos2::new(382.0, 96.0), 250.0),
            (230.0, 250.0, Pos2::new(346.0, 162.0), 250.0),
            (230.0, 900.0, Pos2::new(346.0, 56.0), 356.0),
            // Scrolled away under the bar.
            (10.0, 400.0, Pos2::new(382.0, 56.0), 356.0),
        ] {
            assert_eq!(place(button(top), height, window), (at, tall), "{top}");
        }
    }
}
