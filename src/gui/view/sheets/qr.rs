//! A pointer as a code for cameras. In capitals it needs a third fewer squares; a pointer in capitals is the same one.

use egui::{Mesh, Pos2, Rect, Role, Sense, Shape, Ui, Vec2, WidgetInfo, vec2};
use qrcode::{Color, EcLevel, QrCode};

use crate::gui::kit;
use crate::gui::model::PointerText;
use crate::gui::text;
use crate::gui::tokens::{QR, Type, palette, space};
use zeroize::Zeroizing;

/// Quiet zone around the code, in squares (ISO/IEC 18004).
const QUIET: usize = 4;

pub(super) fn show(ui: &mut Ui, pointer: Option<&PointerText>, masked: bool) {
    let palette = palette(ui);
    let Some(pointer) = pointer else {
        return;
    };
    if masked {
        kit::label(ui, text::qr_masked(), Type::Body, palette.muted);
        return;
    }
    let Some(code) = code_of(pointer.as_str()) else {
        kit::label(ui, text::qr_too_long(), Type::Body, palette.muted);
        return;
    };
    let width = ui.available_width();
    let words = kit::text_height(ui, text::qr_about(), Type::Caption, width);
    let room = kit::modal_room(ui.ctx()) - words - 3.0 * space::S;
    let room = room.min(width).max(120.0);
    let across = code.width() + 2 * QUIET;
    let square = square_points(room, across, ui.pixels_per_point());
    ui.vertical_centered(|ui| {
        let side = square * count(across);
        let (rect, response) = ui.allocate_exact_size(Vec2::splat(side), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, text::qr()));
        draw(ui, rect.min, &code, square);
    });
    ui.add_space(space::XS);
    kit::label(ui, text::qr_about(), Type::Caption, palette.muted);
}

/// The pointer in capitals, which a code holds as eleven bits for two characters.
fn code_of(pointer: &str) -> Option<QrCode> {
    let capitals = Zeroizing::new(pointer.to_ascii_uppercase());
    QrCode::with_error_correction_level(capitals.as_bytes(), EcLevel::M).ok()
}

/// A whole number of pixels for each square, so that all are the same.
fn square_points(room: f32, across: usize, pixels_per_point: f32) -> f32 {
    let pixels = (room * pixels_per_point / count(across)).floor().max(1.0);
    pixels / pixels_per_point
}

fn count(squares: usize) -> f32 {
    u16::try_from(squares).map_or(f32::MAX, f32::from)
}

fn draw(ui: &Ui, corner: Pos2, code: &QrCode, square: f32) {
    let [ink, paper] = QR;
    let pixel = 1.0 / ui.pixels_per_point();
    let corner = Pos2::new(
        (corner.x / pixel).round() * pixel,
        (corner.y / pixel).round() * pixel,
    );
    let side = square * count(code.width() + 2 * QUIET);
    // A mesh is drawn as it is: no softened edges between squares.
    let mut mesh = Mesh::default();
    mesh.add_colored_rect(Rect::from_min_size(corner, Vec2::splat(side)), paper);
    let colors = code.to_colors();
    for (y, row) in colors.chunks(code.width()).enumerate() {
        for (x, color) in row.iter().enumerate() {
            if *color == Color::Dark {
                let at = vec2(count(x + QUIET), count(y + QUIET)) * square;
                let place = Rect::from_min_size(corner + at, Vec2::splat(square));
                mesh.add_colored_rect(place, ink);
            }
        }
    }
    ui.painter().add(Shape::mesh(mesh));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_make_a_smaller_code() {
        let pointer = format!("cloak1{}", "q9z".repeat(90));
        let code = code_of(&pointer).expect("it fits");
        let as_typed = QrCode::with_error_correction_level(pointer.as_bytes(), EcLevel::M);
        assert!(code.width() < as_typed.expect("it fits").width());
    }

    #[test]
    fn what_is_too_long_for_a_code_has_none() {
        assert!(code_of(&"q".repeat(5_000)).is_none());
    }

    #[test]
    fn every_square_is_a_whole_number_of_pixels() {
        for scale in [1.0, 1.25, 1.5, 2.0] {
            let pixels = square_points(300.0, 65, scale) * scale;
            assert!((pixels - pixels.round()).abs() < 1e-3 && pixels >= 1.0);
        }
    }
}
