//! A field for text.

use egui::accesskit::Invalid;
use egui::{Align2, Frame, Id, Response, RichText, Stroke, TextEdit, Ui, Vec2, vec2};

use super::{Pose, corner, follow_focus, label, pose};
use crate::gui::tokens::{Type, measure, palette};

/// A text field with its label above.
pub(crate) struct Field<'a> {
    /// Id of the field, by which it is given the focus.
    pub id: Id,
    /// Label above the field.
    pub label: &'a str,
    /// Hint shown while the field is empty.
    pub hint: &'a str,
    /// Number of lines; 1 for a field without line breaks.
    pub rows: usize,
    /// Whether the text was refused.
    pub trouble: bool,
    /// Whether the text is masked.
    pub masked: bool,
}

impl Field<'_> {
    /// Draws the field over the available width.
    pub(crate) fn show(self, ui: &mut Ui, text: &mut String) -> Response {
        let palette = palette(ui);
        let name = label(ui, self.label, Type::Label, palette.text);
        let focused =
            ui.memory(|memory| memory.has_focus(self.id)) || pose(ui) == Some(Pose::Focused);
        let stroke = if focused {
            Stroke::new(palette.ring, palette.accent)
        } else if self.trouble {
            Stroke::new(1.0, palette.danger)
        } else {
            Stroke::new(1.0, palette.control_border)
        };
        let frame = Frame::new()
            .fill(palette.surface)
            .stroke(stroke)
            .corner_radius(corner(measure::RADIUS))
            // Less by the stroke, so that a thicker one moves nothing.
            .inner_margin(vec2(12.0, 8.0) - Vec2::splat(stroke.width));
        let edit = if self.rows > 1 {
            TextEdit::multiline(text)
        } else {
            TextEdit::singleline(text)
        };
        let hint = RichText::new(self.hint)
            .font(Type::Mono.font())
            .color(palette.faint);
        let mut response = edit
            .id(self.id)
            .password(self.masked)
            .font(Type::Mono.font())
            .text_color(palette.text)
            // As high as the text that takes its place: nothing moves when somebody begins to type.
            .hint_text(hint)
            .desired_rows(self.rows)
            .desired_width(f32::INFINITY)
            .min_size(vec2(0.0, measure::PRIMARY))
            .align(if self.rows > 1 {
                Align2::LEFT_TOP
            } else {
                Align2::LEFT_CENTER
            })
            .frame(frame)
            .show(ui)
            .response
            .response;
        if self.trouble {
            ui.ctx().accesskit_node_builder(response.id, |node| {
                node.set_invalid(Invalid::True);
            });
        }
        // Whoever comes to the field sees what it is for.
        response.rect = response.rect.union(name.rect);
        follow_focus(ui, &response);
        response.labelled_by(name.id)
    }
}
