//! Buttons: with words, with an icon, as a link.

use egui::accesskit::HasPopup;
use egui::{Color32, Pos2, Response, Role, Sense, Ui, Vec2, Widget, WidgetInfo, vec2};

use super::words::elided;
use super::{
    corner, focus_ring, follow_focus, hovered, outline, paint_icon, sense_of, shows_focus,
    shows_name, single_line, under_pointer, width_of,
};
use crate::gui::fonts::Icon;
use crate::gui::text;
use crate::gui::tokens::{Type, measure, palette, space};

/// Visual weight of a button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loudness {
    /// The primary action of a screen or card.
    Primary,
    /// Any other action.
    Secondary,
    /// An action of less weight beside another control; drawn without a fill.
    Quiet,
    /// An action that stops or removes something.
    Danger,
}

/// Interaction state that the gallery draws a widget in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pose {
    /// Under the pointer.
    Hovered,
    /// Held down.
    Pressed,
    /// With the keyboard on it.
    Focused,
}

/// The edge of its layout rectangle that a quiet button's label is aligned with; the fill shown on hover extends
/// beyond that edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    /// The label starts where the text above and below it starts.
    Left,
    /// The label ends where the widgets above and below it end.
    Right,
}

/// A button with a text label. A label that does not fit is shortened in the middle.
pub struct Button<'a> {
    label: &'a str,
    name: Option<&'a str>,
    icon: Option<Icon>,
    loudness: Loudness,
    flush: Option<Flush>,
    room_for: &'a str,
    enabled: bool,
    tall: bool,
    expanded: Option<bool>,
    opens: bool,
}

impl<'a> Button<'a> {
    /// A button with this visual weight and label.
    #[must_use]
    pub(crate) fn new(loudness: Loudness, label: &'a str) -> Self {
        Self {
            label,
            name: None,
            icon: None,
            loudness,
            flush: None,
            room_for: "",
            enabled: true,
            tall: loudness == Loudness::Primary,
            expanded: None,
            opens: false,
        }
    }

    /// Sets the accessible name, for a label that several buttons share: it starts with the label and says what the
    /// button is about.
    #[must_use]
    pub(crate) fn named(mut self, name: &'a str) -> Self {
        self.name = Some(name);
        self
    }

    /// Marks the button as one that expands something on the page, and whether that is expanded now.
    #[must_use]
    pub(crate) fn expanded(mut self, expanded: bool) -> Self {
        self.expanded = Some(expanded);
        self
    }

    /// Marks the button as one that opens a modal.
    #[must_use]
    pub(crate) fn opens_dialog(mut self) -> Self {
        self.opens = true;
        self
    }

    /// Aligns the label with this edge, where nothing else stands beside the button.
    #[must_use]
    pub(crate) fn flush(mut self, edge: Flush) -> Self {
        self.flush = Some(edge);
        self
    }

    /// Draws an icon before the label.
    #[must_use]
    pub(crate) fn icon(mut self, icon: Icon) -> Self {
        self.icon = Some(icon);
        self
    }

    /// Reserves room for another label as well, so that the width stays when the label changes.
    #[must_use]
    pub(crate) fn room_for(mut self, label: &'a str) -> Self {
        self.room_for = label;
        self
    }

    /// Whether it can be pressed.
    #[must_use]
    pub(crate) fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// Makes it as high as a primary button that stands beside it.
    #[must_use]
    pub(crate) fn tall(mut self) -> Self {
        self.tall = true;
        self
    }

    fn height(&self) -> f32 {
        if self.tall {
            measure::PRIMARY
        } else {
            measure::CONTROL
        }
    }

    fn pad(&self) -> f32 {
        if self.loudness == Loudness::Quiet {
            10.0
        } else {
            14.0
        }
    }

    /// Padding before and after the label, in points.
    fn pads(&self) -> (f32, f32) {
        match self.flush {
            None => (self.pad(), self.pad()),
            Some(Flush::Left) => (0.0, self.pad()),
            Some(Flush::Right) => (self.pad(), 0.0),
        }
    }

    /// Width that the button will take, in points.
    #[must_use]
    pub(crate) fn width(&self, ui: &Ui) -> f32 {
        let font = Type::Label.font();
        let word = width_of(ui, self.label, font.clone());
        let other = if self.room_for.is_empty() {
            0.0
        } else {
            width_of(ui, self.room_for, font)
        };
        let icon = if self.icon.is_some() {
            measure::ICON + space::S
        } else {
            0.0
        };
        let (before, after) = self.pads();
        (word.max(other) + icon + before + after).ceil()
    }
}

impl Widget for Button<'_> {
    fn ui(self, ui: &mut Ui) -> Response {
        let palette = palette(ui);
        let size = vec2(
            self.width(ui)
                .min(ui.max_rect().width().max(2.0 * measure::CONTROL)),
            self.height(),
        );
        let sense = sense_of(ui, self.enabled);
        let (rect, response) = ui.allocate_exact_size(size, sense);
        let name = self.name.unwrap_or(self.label);
        response.widget_info(|| WidgetInfo::labeled(Role::Button, self.enabled, name));
        if self.expanded.is_some() || self.opens {
            ui.ctx().accesskit_node_builder(response.id, |node| {
                if let Some(expanded) = self.expanded {
                    node.set_expanded(expanded);
                }
                if self.opens {
                    node.set_has_popup(HasPopup::Dialog);
                }
            });
        }
        follow_focus(ui, &response);
        // A button outside the view is not drawn, but the keyboard comes to it, and brings it into view.
        if !ui.is_rect_visible(rect) {
            return response;
        }
        let (rest, over, ink) = match self.loudness {
            Loudness::Primary => (
                palette.accent_fill,
                palette.accent_fill_hover,
                palette.on_fill,
            ),
            Loudness::Secondary => (palette.control, palette.control_hover, palette.text),
            Loudness::Quiet => (Color32::TRANSPARENT, palette.control, palette.accent),
            Loudness::Danger => (
                palette.danger_fill,
                palette.danger_fill_hover,
                palette.on_fill,
            ),
        };
        let (fill, ink) = if self.enabled {
            (under_pointer(ui, &response, rest, over), ink)
        } else {
            (palette.disabled, palette.faint)
        };
        let (before, after) = self.pads();
        let mut ground = rect;
        match self.flush {
            None => {}
            Some(Flush::Left) => ground.min.x -= self.pad(),
            Some(Flush::Right) => ground.max.x += self.pad(),
        }
        ui.painter()
            .rect_filled(ground, corner(measure::RADIUS), fill);
        if self.loudness != Loudness::Quiet {
            outline(ui, rect, measure::RADIUS);
        }
        let icon = if self.icon.is_some() {
            measure::ICON + space::S
        } else {
            0.0
        };
        let font = Type::Label.font();
        let room = size.x - icon - before - after + 1.0;
        let shown = elided(self.label, room, |word| width_of(ui, word, font.clone()));
        let galley = single_line(ui, &shown, font, ink);
        let beside = size.x - before - after - galley.size().x - icon;
        let mut x = rect.left() + before + beside / 2.0;
        if let Some(icon) = self.icon {
            let at = Pos2::new(x + measure::ICON / 2.0, rect.center().y);
            paint_icon(ui.painter(), at, icon, measure::ICON, ink);
            x += measure::ICON + space::S;
        }
        ui.painter().galley(
            Pos2::new(x, rect.center().y - galley.size().y / 2.0),
            galley,
            ink,
        );
        focus_ring(ui, &response.clone().with_new_rect(ground), measure::RADIUS);
        response
    }
}

/// A button that is only an icon; `name` is what a screen reader says and what hovering shows.
pub(crate) fn icon_button(ui: &mut Ui, icon: Icon, name: &str) -> Response {
    icon_toggle(ui, icon, name, false)
}

/// An icon button that shows whether what it opens is open.
pub(crate) fn icon_toggle(ui: &mut Ui, icon: Icon, name: &str, on: bool) -> Response {
    let palette = palette(ui);
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(measure::CONTROL), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
    let rest = if on {
        palette.accent_tint
    } else {
        Color32::TRANSPARENT
    };
    let over = if on {
        palette.accent_tint
    } else {
        palette.control
    };
    let fill = under_pointer(ui, &response, rest, over);
    ui.painter()
        .rect_filled(rect, corner(measure::RADIUS), fill);
    let ink = if on {
        palette.accent
    } else if hovered(ui, &response) || shows_focus(ui, &response) {
        palette.text
    } else {
        palette.muted
    };
    paint_icon(ui.painter(), rect.center(), icon, measure::ICON, ink);
    outline_open(ui, rect, on);
    focus_ring(ui, &response, measure::RADIUS);
    shows_name(response, name)
}

/// Outlines a toggle that is on, in themes without tints.
fn outline_open(ui: &Ui, rect: egui::Rect, on: bool) {
    if on {
        outline(ui, rect, measure::RADIUS);
    }
}

/// The bar's button that names the server new files go to: icon and name, or the icon alone where there is little
/// room.
pub fn status(ui: &mut Ui, sign: Icon, name: &str, warns: bool, room: f32) -> Response {
    let palette = palette(ui);
    let room = room - measure::ICON - space::S - 16.0;
    let ink = if warns {
        palette.warning
    } else {
        palette.muted
    };
    let font = Type::Caption.font();
    let shown = if room < 64.0 {
        String::new()
    } else {
        elided(name, room.min(180.0), |text| {
            single_line(ui, text, font.clone(), ink).size().x
        })
    };
    let galley = single_line(ui, &shown, font, ink);
    let gap = if shown.is_empty() { 0.0 } else { space::S };
    let size = vec2(
        galley.size().x + measure::ICON + gap + 16.0,
        measure::CONTROL,
    );
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, text::goes_now(name)));
    let fill = under_pointer(ui, &response, Color32::TRANSPARENT, palette.control);
    ui.painter()
        .rect_filled(rect, corner(measure::RADIUS), fill);
    let at = Pos2::new(rect.left() + 8.0 + measure::ICON / 2.0, rect.center().y);
    paint_icon(ui.painter(), at, sign, measure::ICON, ink);
    let at = Pos2::new(
        at.x + measure::ICON / 2.0 + gap,
        rect.center().y - galley.size().y / 2.0,
    );
    ui.painter().galley(at, galley, ink);
    focus_ring(ui, &response, measure::RADIUS);
    if shown == name {
        response
    } else {
        response.on_hover_text(name)
    }
}
