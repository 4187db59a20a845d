//! The widgets of the window: few, with a name for screen readers and a visible focus each.

use std::sync::Arc;

use egui::{
    Align, Align2, Color32, Context, CornerRadius, FontFamily, FontId, Frame, Galley, Id,
    InnerResponse, Layout, Margin, Painter, Pos2, Rect, Response, RichText, Role, Sense, Stroke,
    StrokeKind, TextEdit, Ui, UiBuilder, Vec2, Widget, WidgetInfo, vec2,
};

use super::fonts::Icon;
use super::model::{Notice, Tone};
use super::text;
use super::tokens::{ICONS, Palette, Type, measure, motion, palette, space};
use crate::app::message::UserMessage;

/// Text in one of the sizes.
pub fn rich(text: impl Into<String>, kind: Type, color: Color32) -> RichText {
    RichText::new(text)
        .font(kind.font())
        .line_height(Some(kind.line()))
        .color(color)
}

/// A label that wraps.
pub fn label(ui: &mut Ui, text: impl Into<String>, kind: Type, color: Color32) -> Response {
    ui.add(egui::Label::new(rich(text, kind, color)).wrap())
}

/// Draws an icon with its middle at `at`.
pub fn paint_icon(painter: &Painter, at: Pos2, icon: Icon, size: f32, color: Color32) {
    let font = FontId::new(size, FontFamily::Name(ICONS.into()));
    painter.text(at, Align2::CENTER_CENTER, icon.glyph(), font, color);
}

/// An icon as part of a line; decoration, without a name.
pub fn icon(ui: &mut Ui, icon: Icon, size: f32, color: Color32) {
    let (rect, _) = ui.allocate_exact_size(Vec2::splat(size), Sense::hover());
    paint_icon(ui.painter(), rect.center(), icon, size, color);
}

fn focus_ring(ui: &Ui, response: &Response, radius: f32) {
    if response.has_focus() {
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

/// How loud a button is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loudness {
    /// The one thing to do here.
    Primary,
    /// Something to do.
    Secondary,
    /// Beside something else.
    Quiet,
    /// Stops or removes something.
    Danger,
}

/// A button with a word in it.
pub struct Button<'a> {
    label: &'a str,
    icon: Option<Icon>,
    loudness: Loudness,
    room_for: &'a str,
    enabled: bool,
}

impl<'a> Button<'a> {
    /// A button of this loudness.
    #[must_use]
    pub fn new(loudness: Loudness, label: &'a str) -> Self {
        Self {
            label,
            icon: None,
            loudness,
            room_for: "",
            enabled: true,
        }
    }

    /// An icon before the word.
    #[must_use]
    pub fn icon(mut self, icon: Icon) -> Self {
        self.icon = Some(icon);
        self
    }

    /// Keeps the width when the word changes to this one and back.
    #[must_use]
    pub fn room_for(mut self, label: &'a str) -> Self {
        self.room_for = label;
        self
    }

    /// Whether it can be pressed.
    #[must_use]
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    fn height(&self) -> f32 {
        if self.loudness == Loudness::Primary {
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

    /// How wide it will be.
    #[must_use]
    pub fn width(&self, ui: &Ui) -> f32 {
        let font = Type::Label.font();
        let word = single_line(ui, self.label, font.clone(), Color32::PLACEHOLDER)
            .size()
            .x;
        let other = if self.room_for.is_empty() {
            0.0
        } else {
            single_line(ui, self.room_for, font, Color32::PLACEHOLDER)
                .size()
                .x
        };
        let icon = if self.icon.is_some() {
            measure::ICON + space::S
        } else {
            0.0
        };
        (word.max(other) + icon + 2.0 * self.pad()).ceil()
    }
}

impl Widget for Button<'_> {
    fn ui(self, ui: &mut Ui) -> Response {
        let palette = palette(ui);
        let size = vec2(self.width(ui), self.height());
        let sense = if self.enabled {
            Sense::click()
        } else {
            Sense::hover()
        };
        let (rect, response) = ui.allocate_exact_size(size, sense);
        response.widget_info(|| WidgetInfo::labeled(Role::Button, self.enabled, self.label));
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
            (palette.control.gamma_multiply(0.55), palette.faint)
        };
        ui.painter()
            .rect_filled(rect, corner(measure::RADIUS), fill);
        let galley = single_line(ui, self.label, Type::Label.font(), ink);
        let icon = if self.icon.is_some() {
            measure::ICON + space::S
        } else {
            0.0
        };
        let mut x = rect.center().x - (galley.size().x + icon) / 2.0;
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
        focus_ring(ui, &response, measure::RADIUS);
        response
    }
}

fn under_pointer(ui: &Ui, response: &Response, rest: Color32, over: Color32) -> Color32 {
    let hovered = response.hovered() || response.is_pointer_button_down_on();
    let t = ui
        .ctx()
        .animate_bool_with_time(response.id, hovered, motion::HOVER);
    let fill = rest.lerp_to_gamma(over, t);
    if response.is_pointer_button_down_on() {
        fill.lerp_to_gamma(palette(ui).text, 0.06)
    } else {
        fill
    }
}

/// A button that is only an icon; `name` is what a screen reader says and what hovering shows.
pub fn icon_button(ui: &mut Ui, icon: Icon, name: &str) -> Response {
    icon_toggle(ui, icon, name, false)
}

/// An icon button that shows whether its place is open.
pub fn icon_toggle(ui: &mut Ui, icon: Icon, name: &str, on: bool) -> Response {
    let palette = palette(ui);
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(measure::CONTROL), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
    let rest = if on {
        palette.accent_tint
    } else {
        Color32::TRANSPARENT
    };
    let fill = under_pointer(
        ui,
        &response,
        rest,
        if on {
            palette.accent_tint
        } else {
            palette.control
        },
    );
    ui.painter()
        .rect_filled(rect, corner(measure::RADIUS), fill);
    let ink = if on {
        palette.accent
    } else if response.hovered() || response.has_focus() {
        palette.text
    } else {
        palette.muted
    };
    paint_icon(ui.painter(), rect.center(), icon, measure::ICON, ink);
    focus_ring(ui, &response, measure::RADIUS);
    response.on_hover_text(name)
}

fn segment_width<T>(ui: &Ui, options: &[(T, &str)]) -> f32 {
    let width = |label: &str| {
        single_line(ui, label, Type::Label.font(), Color32::PLACEHOLDER)
            .size()
            .x
    };
    let widest = options
        .iter()
        .map(|(_, label)| width(label))
        .fold(0.0, f32::max);
    (widest + 2.0 * space::L).ceil()
}

/// How wide [`segmented`] will be.
#[must_use]
pub fn segmented_width<T>(ui: &Ui, options: &[(T, &str)]) -> f32 {
    options
        .iter()
        .map(|_| segment_width(ui, options))
        .sum::<f32>()
        + 6.0
}

/// One of a few, side by side. Returns the one that was pressed.
pub fn segmented<T: Copy + PartialEq>(
    ui: &mut Ui,
    name: &str,
    options: &[(T, &str)],
    chosen: Option<T>,
) -> Option<T> {
    let palette = palette(ui);
    let font = Type::Label.font();
    let segment = vec2(segment_width(ui, options), measure::CONTROL - 6.0);
    let count: f32 = options.iter().map(|_| 1.0).sum();
    let (track, group) = ui.allocate_exact_size(
        vec2(segment.x * count + 6.0, measure::CONTROL),
        Sense::hover(),
    );
    group.widget_info(|| WidgetInfo::labeled(Role::RadioGroup, true, name));
    ui.painter()
        .rect_filled(track, corner(measure::RADIUS + 1.0), palette.control);
    let mut pressed = None;
    let mut left = track.left() + 3.0;
    for (value, label) in options {
        let rect = Rect::from_min_size(Pos2::new(left, track.top() + 3.0), segment);
        left += segment.x;
        let response = ui.interact(rect, group.id.with(*label), Sense::click());
        let on = chosen == Some(*value);
        response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, on, *label));
        if on {
            ui.painter()
                .rect_filled(rect, corner(measure::RADIUS - 1.0), palette.chosen);
            if palette.ring > 2.0 {
                let stroke = Stroke::new(2.0, palette.accent);
                ui.painter().rect_stroke(
                    rect,
                    corner(measure::RADIUS - 1.0),
                    stroke,
                    StrokeKind::Inside,
                );
            }
        } else if response.hovered() {
            ui.painter()
                .rect_filled(rect, corner(measure::RADIUS - 1.0), palette.control_hover);
        }
        let ink = if on || response.hovered() {
            palette.text
        } else {
            palette.muted
        };
        let galley = single_line(ui, label, font.clone(), ink);
        ui.painter()
            .galley(rect.center() - galley.size() / 2.0, galley, ink);
        focus_ring(ui, &response, measure::RADIUS - 1.0);
        if response.clicked() {
            pressed = Some(*value);
        }
    }
    pressed
}

/// A surface for things that belong together, as wide as the column.
pub fn card<R>(ui: &mut Ui, add: impl FnOnce(&mut Ui) -> R) -> InnerResponse<R> {
    let palette = palette(ui);
    Frame::new()
        .fill(palette.surface)
        .stroke(Stroke::new(1.0, palette.border))
        .corner_radius(corner(measure::CARD_RADIUS))
        .inner_margin(Margin::same(16))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing = vec2(space::S, space::XS);
            add(ui)
        })
}

/// A text field with its label above.
pub struct Field<'a> {
    /// Identity of the field, for focus.
    pub id: Id,
    /// Above it.
    pub label: &'a str,
    /// In it, while empty.
    pub hint: &'a str,
    /// Lines; one: no line breaks.
    pub rows: usize,
    /// What is in it cannot be used.
    pub trouble: bool,
}

impl Field<'_> {
    /// Shows it, as wide as there is room.
    pub fn show(self, ui: &mut Ui, text: &mut String) -> Response {
        let palette = palette(ui);
        let name = label(ui, self.label, Type::Label, palette.text);
        let focused = ui.memory(|memory| memory.has_focus(self.id));
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
        let response = edit
            .id(self.id)
            .font(Type::Mono.font())
            .text_color(palette.text)
            .hint_text(rich(self.hint, Type::Mono, palette.faint))
            .desired_rows(self.rows)
            .desired_width(f32::INFINITY)
            .align(if self.rows > 1 {
                Align2::LEFT_TOP
            } else {
                Align2::LEFT_CENTER
            })
            .frame(frame)
            .show(ui)
            .response
            .response;
        response.labelled_by(name.id)
    }
}

/// Colour, ground and icon of a tone.
#[must_use]
pub fn tone_colors(palette: &Palette, tone: Tone) -> (Color32, Color32, Icon) {
    match tone {
        Tone::Info => (palette.info, palette.info_tint, Icon::Info),
        Tone::Success => (palette.success, palette.success_tint, Icon::CircleCheck),
        Tone::Warning => (palette.warning, palette.warning_tint, Icon::Warning),
        Tone::Danger => (palette.danger, palette.danger_tint, Icon::CircleAlert),
    }
}

/// A word on a pill, with an icon: never colour alone.
pub fn badge(ui: &mut Ui, tone: Tone, icon: Icon, word: &str) -> Response {
    let palette = palette(ui);
    let (ink, ground, _) = tone_colors(palette, tone);
    let galley = single_line(ui, word, FontId::new(12.0, Type::Label.font().family), ink);
    let size = vec2(galley.size().x + 14.0 + space::XS + 20.0, 24.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, word));
    ui.painter().rect_filled(rect, corner(12.0), ground);
    if palette.ring > 2.0 {
        ui.painter().rect_stroke(
            rect,
            corner(12.0),
            Stroke::new(1.0, ink),
            StrokeKind::Inside,
        );
    }
    paint_icon(
        ui.painter(),
        Pos2::new(rect.left() + 17.0, rect.center().y),
        icon,
        14.0,
        ink,
    );
    let at = Pos2::new(
        rect.left() + 24.0 + space::XS,
        rect.center().y - galley.size().y / 2.0,
    );
    ui.painter().galley(at, galley, ink);
    response
}

/// A message on its tint: what happened, then why and what to do next; actions below.
pub fn callout<R>(
    ui: &mut Ui,
    tone: Tone,
    message: &UserMessage,
    add: impl FnOnce(&mut Ui) -> R,
) -> R {
    let palette = palette(ui);
    let (ink, ground, sign) = tone_colors(palette, tone);
    let frame = Frame::new()
        .fill(ground)
        .corner_radius(corner(measure::CARD_RADIUS))
        .inner_margin(Margin {
            left: 14,
            right: 14,
            top: 12,
            bottom: 12,
        })
        .stroke(if palette.ring > 2.0 {
            Stroke::new(1.0, ink)
        } else {
            Stroke::NONE
        });
    frame
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.horizontal_top(|ui| {
                ui.spacing_mut().item_spacing.x = space::M;
                let (rect, _) = ui.allocate_exact_size(vec2(measure::ICON, 20.0), Sense::hover());
                paint_icon(ui.painter(), rect.center(), sign, measure::ICON, ink);
                ui.vertical(|ui| {
                    ui.spacing_mut().item_spacing = vec2(space::S, 2.0);
                    said(ui, message);
                    add(ui)
                })
                .inner
            })
            .inner
        })
        .inner
}

/// A message that can be put away. True when it was.
pub fn notice(ui: &mut Ui, notice: &Notice) -> bool {
    callout(ui, notice.tone, &notice.message, |ui| {
        ui.add_space(space::XS);
        ui.add(Button::new(Loudness::Secondary, text::DISMISS))
            .clicked()
    })
}

/// What happened, then why and what to do next. Can be selected.
pub fn said(ui: &mut Ui, message: &UserMessage) {
    let palette = palette(ui);
    ui.add(
        egui::Label::new(rich(&message.what, Type::Label, palette.text))
            .wrap()
            .selectable(true),
    );
    let rest = format!("{} {}", message.why, message.next);
    ui.add(
        egui::Label::new(rich(rest.trim(), Type::Body, palette.muted))
            .wrap()
            .selectable(true),
    );
}

/// The one bar of a transfer; `name` is what a screen reader says.
pub fn progress(ui: &mut Ui, name: &str, fraction: f32) -> Response {
    let palette = palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 6.0), Sense::hover());
    response.widget_info(|| WidgetInfo {
        value: Some(f64::from((fraction * 100.0).floor())),
        ..WidgetInfo::labeled(Role::ProgressIndicator, true, name)
    });
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_min_numeric_value(0.0);
        node.set_max_numeric_value(100.0);
    });
    ui.painter().rect_filled(rect, corner(3.0), palette.control);
    let shown =
        ui.ctx()
            .animate_value_with_time(response.id, fraction.clamp(0.0, 1.0), motion::STATE);
    if shown > 0.0 {
        let filled = Rect::from_min_size(rect.min, vec2((rect.width() * shown).max(6.0), 6.0));
        ui.painter()
            .rect_filled(filled, corner(3.0), palette.accent);
    }
    response
}

/// A name on one line: the middle gives way when there is no room, the extension stays. Hovering shows all of it.
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
        response.on_hover_text(name)
    }
}

/// `name`, or as much of its beginning and end as is narrower than `width`.
fn elided(name: &str, width: f32, measure: impl Fn(&str) -> f32) -> String {
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

/// A well with the beginning and the end of a pointer in it. The whole of it is never drawn.
pub fn pointer_well(ui: &mut Ui, pointer: &str, width: f32, height: f32) -> Response {
    let palette = palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(width, height), Sense::hover());
    ui.painter()
        .rect_filled(rect, corner(measure::RADIUS), palette.sunken);
    if palette.ring > 2.0 {
        ui.painter().rect_stroke(
            rect,
            corner(measure::RADIUS),
            Stroke::new(1.0, palette.border),
            StrokeKind::Inside,
        );
    }
    let chars: Vec<char> = pointer.chars().collect();
    // One character of the mono font is 0.6 of its size.
    let room = ((width - 2.0 * space::M) / (13.0 * 0.6))
        .floor()
        .clamp(8.0, 64.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 8 and 64"
    )]
    let room = room as usize;
    let shown = if chars.len() <= room {
        pointer.to_owned()
    } else {
        let head: String = chars.iter().take(room.div_ceil(2)).collect();
        let tail: String = chars.iter().skip(chars.len() - (room / 2 - 1)).collect();
        format!("{head}…{tail}")
    };
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &shown));
    let galley = single_line(ui, &shown, Type::Mono.font(), palette.muted);
    let at = Pos2::new(
        rect.left() + space::M,
        rect.center().y - galley.size().y / 2.0,
    );
    ui.painter()
        .with_clip_rect(rect.shrink2(vec2(space::S, 0.0)))
        .galley(at, galley, palette.muted);
    response
}

/// Something on the left that may shrink, and something on the right that may not, on one line.
pub fn sides<R>(
    ui: &mut Ui,
    height: f32,
    right_width: f32,
    left: impl FnOnce(&mut Ui),
    right: impl FnOnce(&mut Ui) -> R,
) -> R {
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), height));
    let split = (rect.right() - right_width).max(rect.left());
    let mut before = rect;
    before.set_right((split - space::S).max(rect.left()));
    let mut after = rect;
    after.set_left(split);
    inside(
        ui,
        "left",
        before,
        Layout::left_to_right(Align::Center),
        left,
    );
    inside(
        ui,
        "right",
        after,
        Layout::right_to_left(Align::Center),
        right,
    )
}

/// Content in a place that is already taken: moves nothing around it. `part` tells the parts of one parent apart.
pub fn inside<R>(
    ui: &mut Ui,
    part: &str,
    place: Rect,
    layout: Layout,
    add: impl FnOnce(&mut Ui) -> R,
) -> R {
    let builder = UiBuilder::new()
        .id_salt(part)
        .max_rect(place)
        .layout(layout);
    add(&mut ui.new_child(builder))
}

/// A question over everything. Returns what the content returns, and whether it was waved away (Esc, a click beside).
pub fn modal<R>(ctx: &Context, id: Id, title: &str, add: impl FnOnce(&mut Ui) -> R) -> (R, bool) {
    let palette = super::tokens::palette_of(ctx);
    let width = (ctx.content_rect().width() - 2.0 * space::XL).min(420.0) - 48.0;
    let frame = Frame::new()
        .fill(palette.surface)
        .stroke(Stroke::new(1.0, palette.border))
        .corner_radius(corner(12.0))
        .inner_margin(Margin::same(24))
        .shadow(ctx.global_style().visuals.window_shadow);
    let shown = egui::Modal::new(id)
        .backdrop_color(palette.backdrop)
        .frame(frame)
        .show(ctx, |ui| {
            ui.set_width(width);
            ui.spacing_mut().item_spacing.y = space::S;
            label(ui, title, Type::Section, palette.text);
            add(ui)
        });
    ctx.accesskit_node_builder(shown.response.id, |node| {
        node.set_role(Role::AlertDialog);
        node.set_label(title);
    });
    let waved = shown.should_close();
    (shown.inner, waved)
}

/// Buttons at the end of a question: the safe one first for the keyboard, and at the right for the eye.
pub fn answers<R>(ui: &mut Ui, add: impl FnOnce(&mut Ui) -> R) -> R {
    ui.add_space(space::M);
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        ui.set_min_height(measure::PRIMARY);
        add(ui)
    })
    .inner
}

/// A line of small type with an icon before it, in the middle of the column.
pub fn centred_hint(ui: &mut Ui, sign: Icon, words: &str) {
    let palette = palette(ui);
    let galley = single_line(ui, words, Type::Caption.font(), palette.muted);
    let room = ui.available_width();
    let needed = galley.size().x + 14.0 + 6.0;
    if needed > room {
        ui.vertical_centered(|ui| label(ui, words, Type::Caption, palette.muted));
        return;
    }
    let (rect, response) = ui.allocate_exact_size(vec2(room, 16.0), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, words));
    let left = rect.center().x - needed / 2.0;
    paint_icon(
        ui.painter(),
        Pos2::new(left + 7.0, rect.center().y),
        sign,
        14.0,
        palette.muted,
    );
    let at = Pos2::new(left + 20.0, rect.center().y - galley.size().y / 2.0);
    ui.painter().galley(at, galley, palette.muted);
}

/// The mark: a cloakroom ticket with its hole.
pub fn mark(ui: &mut Ui) {
    let palette = palette(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(18.0, 22.0), Sense::hover());
    let Rect { min, max } = rect.shrink2(vec2(1.0, 0.0));
    let cut = 4.5;
    let outline = vec![
        Pos2::new(min.x + cut, min.y),
        Pos2::new(max.x - cut, min.y),
        Pos2::new(max.x, min.y + cut + 0.5),
        Pos2::new(max.x, max.y - 1.5),
        Pos2::new(max.x - 1.5, max.y),
        Pos2::new(min.x + 1.5, max.y),
        Pos2::new(min.x, max.y - 1.5),
        Pos2::new(min.x, min.y + cut + 0.5),
    ];
    let painter = ui.painter();
    painter.add(egui::Shape::convex_polygon(
        outline,
        palette.accent,
        Stroke::NONE,
    ));
    painter.circle_filled(Pos2::new(rect.center().x, min.y + 6.0), 2.4, palette.page);
    for (y, right) in [(13.0, 5.0), (17.0, 8.5)] {
        let line = Rect::from_min_max(
            Pos2::new(min.x + 4.0, min.y + y - 0.75),
            Pos2::new(max.x - right + 1.0, min.y + y + 0.75),
        );
        painter.rect_filled(line, 0.0, palette.page);
    }
}

/// Where files go, in the bar: icon and name, or only the icon when there is no room. A button.
pub fn status(ui: &mut Ui, sign: Icon, name: &str, warns: bool) -> Response {
    let palette = palette(ui);
    let room = ui.available_width() - measure::ICON - space::S - 20.0;
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Every character one wide.
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
    fn even_without_room_nothing_panics() {
        for name in ["", "a", "ab", ".x", "ü.pdf"] {
            elided(name, 0.0, width);
        }
    }
}
