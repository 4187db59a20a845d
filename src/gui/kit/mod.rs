//! The widgets of the window: few, with a name for screen readers and a visible focus each.

mod buttons;
mod field;
mod menu;
mod panels;
mod switches;
mod words;

use std::sync::Arc;

use egui::style::ScrollAnimation;
use egui::{
    Color32, Context, CornerRadius, FontId, Galley, Id, Response, Role, Sense, Stroke, StrokeKind,
    Ui, UiBuilder,
};

pub use self::buttons::{Button, Flush, Loudness, status};
pub(crate) use self::buttons::{Pose, icon_button, icon_toggle};
pub(crate) use self::field::Field;
pub(crate) use self::menu::menu_lines;
pub use self::menu::{Chosen, MenuEntry, menu};
pub use self::panels::{ModalPanel, answers, card, inside, modal, notice, progress, said, sheet};
pub(crate) use self::panels::{
    Well, at_right, badge, badge_width, callout, divider, expander, footing, modal_room,
    pointer_well, secret_well, sides, tone_colors,
};
pub(crate) use self::switches::{
    check_line, chip_buttons, chips, segmented, segmented_tabs, segmented_width, segments_fit,
    stepper, switch_named, tab_lines, tabs_height,
};
pub use self::switches::{switch, tabs};
pub(crate) use self::words::{BETWEEN, Hint, in_lines, landing, paint_icon, rich};
pub use self::words::{heading, icon, label, mark, middle, selectable};
use super::fonts::Icon;
use super::tokens::{Type, motion, palette, space};

fn keyboard_key() -> Id {
    Id::unique("cloakroom keyboard in use")
}

/// Remembers whether the person is using the keyboard or a pointing device.
pub(crate) fn set_keyboard(ctx: &Context, in_use: bool) {
    ctx.data_mut(|data| data.insert_temp(keyboard_key(), in_use));
}

fn keyboard_in_use(ui: &Ui) -> bool {
    ui.data(|data| data.get_temp(keyboard_key()).unwrap_or(false))
}

/// Whether to draw a focus ring around the widget: only while the keyboard is in use.
pub(crate) fn shows_focus(ui: &Ui, response: &Response) -> bool {
    pose(ui) == Some(Pose::Focused) || response.has_focus() && keyboard_in_use(ui)
}

/// Adds content under an id of its own, so that widgets that come and go before it change neither the ids of its
/// widgets nor the focus.
pub fn place<R>(ui: &mut Ui, id: Id, add: impl FnOnce(&mut Ui) -> R) -> R {
    ui.scope_builder(UiBuilder::new().scope_id(id), add).inner
}

/// A [`place`] that a screen reader takes as one element of this role.
pub fn part<R>(ui: &mut Ui, id: Id, role: Role, name: &str, add: impl FnOnce(&mut Ui) -> R) -> R {
    let mut builder = UiBuilder::new().scope_id(id);
    builder.accessibility_role = Some(role);
    builder.accessibility_label = (!name.is_empty()).then(|| name.to_owned());
    ui.scope_builder(builder, add).inner
}

/// Hides this part of the window from screen readers while a modal covers it.
pub(crate) fn unheard(ui: &Ui, covered: bool) {
    if covered {
        ui.ctx()
            .accesskit_node_builder(ui.unique_id(), |node| node.set_hidden());
    }
}

/// A [`place`] for a message, which is scrolled into view when it is new. `words` tell it apart from the message
/// before.
pub(crate) fn fresh<R>(ui: &mut Ui, id: Id, words: &str, add: impl FnOnce(&mut Ui) -> R) -> R {
    let shown = ui.scope_builder(UiBuilder::new().scope_id(id), add);
    let frame = ui.ctx().cumulative_frame_nr();
    let key = id.with("fresh");
    let before: Option<(String, u64)> = ui.data(|data| data.get_temp(key));
    let known = before.is_some_and(|(before, at)| before == words && at + 2 > frame);
    ui.data_mut(|data| data.insert_temp(key, (words.to_owned(), frame)));
    // Where it is seen already, nothing moves.
    if !known && !ui.clip_rect().contains_rect(shown.response.rect) {
        ui.scroll_to_rect(shown.response.rect, None);
    }
    shown.inner
}

/// Scrolls to a widget that has just gained the keyboard focus.
pub(crate) fn follow_focus(ui: &Ui, response: &Response) {
    if response.gained_focus() && keyboard_in_use(ui) {
        into_view(ui, response);
    }
}

/// Scrolls until the widget is visible, with a margin.
pub(crate) fn into_view(ui: &Ui, response: &Response) {
    // At once: whoever goes on meanwhile must not lose sight of it.
    let at_once = ScrollAnimation::none();
    ui.scroll_to_rect_animation(response.rect.expand(space::XL), None, at_once);
}

/// Tells screen readers whether what this widget opens is open.
pub(crate) fn says_expanded(response: &Response, open: bool) {
    (response.ctx).accesskit_node_builder(response.id, |node| node.set_expanded(open));
}

/// Shows the name as a tooltip. Screen readers have said it as the name and do not repeat it as a description.
fn shows_name(response: Response, name: &str) -> Response {
    let response = response.on_hover_text(name);
    (response.ctx).accesskit_node_builder(response.id, |node| {
        if node.description() == Some(name) {
            node.clear_description();
        }
    });
    response
}

/// What the next widget senses. A disabled one senses nothing, but keeps the focus that it has.
fn sense_of(ui: &Ui, enabled: bool) -> Sense {
    let id = ui.next_auto_id();
    if enabled {
        Sense::click()
    } else if ui.memory(|memory| memory.has_focus(id)) {
        Sense::focusable_noninteractive()
    } else {
        Sense::hover()
    }
}

/// Draws the focus ring around the widget that has the focus, and scrolls to it.
pub(crate) fn focus_ring(ui: &Ui, response: &Response, radius: f32) {
    follow_focus(ui, response);
    if shows_focus(ui, response) {
        paint_ring(ui, response, radius);
    }
}

fn pose_key() -> Id {
    Id::unique("cloakroom pose")
}

fn pose(ui: &Ui) -> Option<Pose> {
    ui.data(|data| data.get_temp(pose_key())).flatten()
}

/// Draws widgets as if they were in a given interaction state, for the gallery.
pub(crate) fn posed<R>(ui: &mut Ui, pose: Option<Pose>, add: impl FnOnce(&mut Ui) -> R) -> R {
    ui.data_mut(|data| data.insert_temp(pose_key(), pose));
    let shown = add(ui);
    ui.data_mut(|data| data.insert_temp(pose_key(), None::<Pose>));
    shown
}

fn hovered(ui: &Ui, response: &Response) -> bool {
    response.hovered() || matches!(pose(ui), Some(Pose::Hovered | Pose::Pressed))
}

/// Draws the outline that high contrast themes use where the others use a fill alone.
fn outline(ui: &Ui, rect: egui::Rect, radius: f32) {
    let palette = palette(ui);
    if palette.is_high() {
        let stroke = Stroke::new(1.0, palette.control_border);
        ui.painter()
            .rect_stroke(rect, corner(radius), stroke, StrokeKind::Inside);
    }
}

/// A square of colour with an icon in it, at the head of a row.
pub fn tile(ui: &mut Ui, side: f32, icon: Icon, ink: Color32, ground: Color32) {
    let (square, _) = ui.allocate_exact_size(egui::Vec2::splat(side), Sense::hover());
    ui.painter().rect_filled(square, corner(8.0), ground);
    outline(ui, square, 8.0);
    paint_icon(ui.painter(), square.center(), icon, side / 2.0, ink);
}

/// Height of a text that wraps at this width, in points.
pub(crate) fn text_height(ui: &Ui, text: &str, kind: Type, width: f32) -> f32 {
    let job = rich(text, kind, Color32::PLACEHOLDER);
    let galley = egui::WidgetText::from(job).into_galley(
        ui,
        Some(egui::TextWrapMode::Wrap),
        width,
        egui::TextStyle::Body,
    );
    galley.size().y
}

fn paint_ring(ui: &Ui, response: &Response, radius: f32) {
    let palette = palette(ui);
    let rect = response.rect.expand(palette.ring);
    let stroke = Stroke::new(palette.ring, palette.accent);
    ui.painter().rect_stroke(
        rect,
        corner(radius + palette.ring),
        stroke,
        StrokeKind::Outside,
    );
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "radii are small whole numbers"
)]
fn corner(radius: f32) -> CornerRadius {
    CornerRadius::same(radius.clamp(0.0, 200.0) as u8)
}

fn single_line(ui: &Ui, text: &str, font: FontId, color: Color32) -> Arc<Galley> {
    ui.painter().layout_no_wrap(text.to_owned(), font, color)
}

/// Width of a line of text, in points.
#[must_use]
pub(crate) fn width_of(ui: &Ui, text: &str, font: FontId) -> f32 {
    single_line(ui, text, font, Color32::PLACEHOLDER).size().x
}

fn under_pointer(ui: &Ui, response: &Response, rest: Color32, over: Color32) -> Color32 {
    match pose(ui) {
        Some(Pose::Hovered) => return over,
        Some(Pose::Pressed) => return palette(ui).pressed(over),
        Some(Pose::Focused) | None => {}
    }
    let hovered = response.hovered() || response.is_pointer_button_down_on();
    let time = motion::hover(ui);
    let t = ui.ctx().animate_bool_with_time(response.id, hovered, time);
    let fill = rest.lerp_to_gamma(over, t);
    if response.is_pointer_button_down_on() {
        palette(ui).pressed(fill)
    } else {
        fill
    }
}
