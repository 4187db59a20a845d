//! Text and icons.

use egui::{
    Align2, Color32, FontFamily, FontId, Id, Painter, Pos2, Rect, Response, RichText, Role, Sense,
    Stroke, Ui, Vec2, WidgetInfo, vec2,
};

use super::{focus_ring, shows_name, single_line, width_of};
use crate::gui::fonts::Icon;
use crate::gui::tokens::{ICONS, Type, measure, palette};

/// Text in one of the sizes.
pub(crate) fn rich(text: impl Into<String>, kind: Type, color: Color32) -> RichText {
    RichText::new(text)
        .font(kind.font())
        .line_height(Some(kind.line()))
        .color(color)
}

/// A label that wraps.
pub fn label(ui: &mut Ui, text: impl Into<String>, kind: Type, color: Color32) -> Response {
    ui.add(egui::Label::new(rich(text, kind, color)).wrap())
}

/// A heading, of the page (1), of a part of it (2) or of something in that (3).
pub fn heading(ui: &mut Ui, text: &str, kind: Type, color: Color32, level: usize) -> Response {
    let response = label(ui, text, kind, color);
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_role(Role::Heading);
        node.clear_value();
        node.set_label(text);
        node.set_level(level);
    });
    response
}

/// A heading that can be given the focus, so that Tab continues from there; Tab itself never stops at it.
pub(crate) fn landing(ui: &mut Ui, id: Id, text: &str, here: bool) -> Response {
    let palette = palette(ui);
    let room = ui.available_width();
    let words = rich(text, Type::Section, palette.text);
    let wrap = Some(egui::TextWrapMode::Wrap);
    let galley =
        egui::WidgetText::from(words).into_galley(ui, wrap, room, egui::TextStyle::Heading);
    let (_, rect) = ui.allocate_space(galley.size());
    let sense = if here || ui.memory(|memory| memory.has_focus(id)) {
        Sense::focusable_noninteractive()
    } else {
        Sense::hover()
    };
    let response = ui.interact(rect, id, sense);
    response.widget_info(|| WidgetInfo::labeled(Role::Heading, true, text));
    ui.ctx()
        .accesskit_node_builder(response.id, |node| node.set_level(2));
    ui.painter().galley(rect.min, galley, palette.text);
    focus_ring(ui, &response, measure::RADIUS);
    response
}

/// A label that wraps and can be selected.
pub fn selectable(ui: &mut Ui, text: impl Into<String>, kind: Type, color: Color32) -> Response {
    let label = egui::Label::new(rich(text, kind, color)).wrap();
    ui.add(label.selectable(true))
}

/// Draws an icon with its middle at `at`.
pub(crate) fn paint_icon(painter: &Painter, at: Pos2, icon: Icon, size: f32, color: Color32) {
    let font = FontId::new(size, FontFamily::Name(ICONS.into()));
    painter.text(at, Align2::CENTER_CENTER, icon.glyph(), font, color);
}

/// An icon as part of a line; decoration, without a name.
pub fn icon(ui: &mut Ui, icon: Icon, size: f32, color: Color32) {
    let (rect, _) = ui.allocate_exact_size(Vec2::splat(size), Sense::hover());
    paint_icon(ui.painter(), rect.center(), icon, size, color);
}

/// A name on one line, shortened in the middle when there is no room, so that the extension stays. A tooltip shows the
/// whole name.
pub fn middle(ui: &mut Ui, name: &str, kind: Type, color: Color32, width: f32) -> Response {
    let shown = elided(name, width, |text| {
        single_line(ui, text, kind.font(), color).size().x
    });
    let galley = single_line(ui, &shown, kind.font(), color);
    let size = vec2(galley.size().x.min(width), kind.line());
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, name));
    ui.painter().galley(
        Pos2::new(rect.left(), rect.center().y - galley.size().y / 2.0),
        galley,
        color,
    );
    if shown == name {
        response
    } else {
        shows_name(response, name)
    }
}

/// Returns `name`, shortened in the middle to what fits into `width`.
pub(super) fn elided(name: &str, width: f32, measure: impl Fn(&str) -> f32) -> String {
    if measure(name) <= width {
        return name.to_owned();
    }
    let chars: Vec<char> = name.chars().collect();
    let extension = name
        .rsplit_once('.')
        .map_or(0, |(_, end)| end.chars().count() + 1);
    let tail = if extension > 1 && extension <= 12 {
        extension + 3
    } else {
        6
    };
    let tail = tail.min(chars.len() / 2);
    let end: String = chars.iter().skip(chars.len() - tail).collect();
    let joined = |head: usize| -> String {
        let head: String = chars.iter().take(head).collect();
        format!("{}…{end}", head.trim_end())
    };
    // The longest head that fits.
    let (mut fits, mut too_long) = (0, chars.len() - tail);
    while fits + 1 < too_long {
        let head = usize::midpoint(fits, too_long);
        if measure(&joined(head)) <= width {
            fits = head;
        } else {
            too_long = head;
        }
    }
    joined(fits)
}

/// Separator between facts on one line.
pub(crate) const BETWEEN: &str = "  ·  ";

/// Joins facts into as few lines as they need at this width. A line is broken between two facts, where the separator
/// is left out; a fact that is longer than a line wraps.
#[must_use]
pub(crate) fn in_lines<'a>(
    ui: &Ui,
    facts: impl IntoIterator<Item = &'a str>,
    kind: Type,
    width: f32,
) -> String {
    broken(facts, width, |text| width_of(ui, text, kind.font()))
}

fn broken<'a>(
    facts: impl IntoIterator<Item = &'a str>,
    width: f32,
    measure: impl Fn(&str) -> f32,
) -> String {
    let mut lines: Vec<String> = Vec::new();
    for fact in facts {
        if let Some(line) = lines.last_mut() {
            let longer = format!("{line}{BETWEEN}{fact}");
            if measure(&longer) <= width {
                *line = longer;
                continue;
            }
        }
        lines.push(fact.to_owned());
    }
    lines.join("\n")
}

/// A line of small type with an icon before it; where there is no room, the first part on a line of its own.
pub(crate) struct Hint {
    sign: Icon,
    words: String,
    galley: std::sync::Arc<egui::Galley>,
}

impl Hint {
    const SIGN: f32 = 20.0;

    /// Lays the hint out at this width.
    pub(crate) fn new(ui: &Ui, sign: Icon, parts: &[&str], room: f32) -> Self {
        let palette = palette(ui);
        let room = (room - Self::SIGN).max(40.0);
        let whole = parts.join(BETWEEN);
        let fits = width_of(ui, &whole, Type::Caption.font()) <= room;
        let words = match parts.split_first() {
            Some((first, rest)) if !fits && !rest.is_empty() => {
                let rest_in_one = rest.join(BETWEEN);
                // A last word alone on a line would be the next thing that is read.
                if width_of(ui, &rest_in_one, Type::Caption.font()) <= room {
                    format!("{first}\n{rest_in_one}")
                } else {
                    parts.join("\n")
                }
            }
            _ => whole,
        };
        let text = rich(words.as_str(), Type::Caption, palette.muted);
        let galley = egui::WidgetText::from(text).into_galley(
            ui,
            Some(egui::TextWrapMode::Wrap),
            room,
            egui::TextStyle::Small,
        );
        Self {
            sign,
            words,
            galley,
        }
    }

    /// Height of the hint, in points.
    #[must_use]
    pub(crate) fn height(&self) -> f32 {
        self.galley.size().y
    }

    /// Draws the hint.
    pub(crate) fn show(self, ui: &mut Ui) -> Response {
        let palette = palette(ui);
        let size = self.galley.size() + vec2(Self::SIGN, 0.0);
        let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &self.words));
        let at = Pos2::new(rect.left() + 7.0, rect.top() + 8.0);
        paint_icon(ui.painter(), at, self.sign, 14.0, palette.muted);
        let at = Pos2::new(rect.left() + Self::SIGN, rect.top());
        ui.painter().galley(at, self.galley, palette.muted);
        response
    }
}

/// Draws the mark: the tag with a keyhole that small icons show (`assets/icons/cloakroom-small.svg`), in one colour.
pub fn mark(ui: &mut Ui) {
    let palette = palette(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(18.0, 22.0), Sense::hover());
    let Rect { min, max } = rect.shrink2(vec2(1.0, 0.0));
    let corner = 4.5;
    let outline = vec![
        Pos2::new(min.x + corner, min.y),
        Pos2::new(max.x - corner, min.y),
        Pos2::new(max.x, min.y + corner + 0.5),
        Pos2::new(max.x, max.y - 1.5),
        Pos2::new(max.x - 1.5, max.y),
        Pos2::new(min.x + 1.5, max.y),
        Pos2::new(min.x, max.y - 1.5),
        Pos2::new(min.x, min.y + corner + 0.5),
    ];
    let painter = ui.painter();
    let filled = |points, colour| egui::Shape::convex_polygon(points, colour, Stroke::NONE);
    painter.add(filled(outline, palette.accent));
    let (middle, hole) = (rect.center().x, min.y + 8.0);
    painter.circle_filled(Pos2::new(middle, hole), 3.3, palette.page);
    let slot = vec![
        Pos2::new(middle - 1.2, hole),
        Pos2::new(middle + 1.2, hole),
        Pos2::new(middle + 2.6, max.y - 4.0),
        Pos2::new(middle - 2.6, max.y - 4.0),
    ];
    painter.add(filled(slot, palette.page));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A measure for tests: every character is one wide.
    fn width(text: &str) -> f32 {
        text.chars().map(|_| 1.0).sum()
    }

    #[test]
    fn the_middle_gives_way_and_the_extension_stays() {
        for (name, room, shown) in [
            ("short.pdf", 20.0, "short.pdf"),
            ("a-very-long-name-of-a-report.pdf", 16.0, "a-very-l…ort.pdf"),
            ("a-very-long-name-without-extension", 12.0, "a-ver…ension"),
            (
                "ends.in-something-that-is-no-extension",
                16.0,
                "ends.in-s…ension",
            ),
            ("ä".repeat(20).as_str(), 10.0, "äää…ääääää"),
        ] {
            let got = elided(name, room, width);
            assert_eq!(got, shown);
            assert!(width(&got) <= room);
        }
    }

    #[test]
    fn facts_part_between_lines_and_leave_nothing_there() {
        let facts = || ["4.2 MB", "kept until 6 Dec", "tried twice"];
        for (room, shown) in [
            (100.0, "4.2 MB  ·  kept until 6 Dec  ·  tried twice"),
            (30.0, "4.2 MB  ·  kept until 6 Dec\ntried twice"),
            (20.0, "4.2 MB\nkept until 6 Dec\ntried twice"),
            (0.0, "4.2 MB\nkept until 6 Dec\ntried twice"),
        ] {
            assert_eq!(broken(facts(), room, width), shown, "{room}");
        }
        assert_eq!(broken([], 10.0, width), "");
    }

    #[test]
    fn even_without_room_nothing_panics() {
        for name in ["", "a", "ab", ".x", "ü.pdf"] {
            elided(name, 0.0, width);
        }
    }
}
