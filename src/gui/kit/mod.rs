//! The widgets of the window: few, with a name for screen readers and a visible focus each.

mod buttons;
mod field;
mod menu;
mod panels;
mod switches;
mod words;

use std::sync::Arc;

use egui::{Color32, Context, CornerRadius, FontId, Galley, Id, Response, Stroke, StrokeKind, Ui};

pub use self::buttons::{Button, Loudness, Pose, icon_button, icon_toggle, status};
pub use self::field::Field;
pub use self::menu::{Chosen, Entry, menu};
pub use self::panels::{
    Modal, answers, badge, callout, card, divider, inside, modal, notice, pointer_well, progress,
    said, sides, tone_colors,
};
pub use self::switches::{Segmented, chips, segmented, segmented_width, stepper, switch};
pub use self::words::{centred_hint, icon, label, mark, middle, paint_icon, rich, selectable};
use super::tokens::{motion, palette};

fn keyboard_key() -> Id {
    Id::unique("cloakroom keyboard in use")
}

/// Says whether the window is worked with the keyboard, or by pointing.
pub fn set_keyboard(ctx: &Context, in_use: bool) {
    ctx.data_mut(|data| data.insert_temp(keyboard_key(), in_use));
}

/// Whether it should be seen that this has the keyboard: who points knows where.
pub fn shows_focus(ui: &Ui, response: &Response) -> bool {
    response.has_focus() && ui.data(|data| data.get_temp(keyboard_key()).unwrap_or(false))
}

/// The ring around what has the keyboard.
pub fn focus_ring(ui: &Ui, response: &Response, radius: f32) {
    if shows_focus(ui, response) {
        paint_ring(ui, response, radius);
    }
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

fn width_of(ui: &Ui, text: &str, font: FontId) -> f32 {
    single_line(ui, text, font, Color32::PLACEHOLDER).size().x
}

fn under_pointer(ui: &Ui, response: &Response, rest: Color32, over: Color32) -> Color32 {
    let hovered = response.hovered() || response.is_pointer_button_down_on();
    let time = motion::hover(ui);
    let t = ui.ctx().animate_bool_with_time(response.id, hovered, time);
    let fill = rest.lerp_to_gamma(over, t);
    if response.is_pointer_button_down_on() {
        pressed(ui, fill)
    } else {
        fill
    }
}

fn pressed(ui: &Ui, fill: Color32) -> Color32 {
    fill.lerp_to_gamma(palette(ui).text, 0.06)
}
