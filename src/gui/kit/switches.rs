//! Switches, segments (one of a few), sliders and tabs.

use egui::{
    Align, Color32, EventFilter, Id, Key, Layout, Modifiers, Pos2, Rect, Response, Role, Sense,
    Stroke, StrokeKind, Ui, UiBuilder, Vec2, WidgetInfo, vec2,
};

use super::words::elided;
use super::{
    corner, focus_ring, follow_focus, hovered, outline, paint_icon, shows_focus, shows_name,
    single_line, under_pointer, width_of,
};
use crate::gui::fonts::Icon;
use crate::gui::tokens::{Type, measure, motion, palette, space};

const INSET: f32 = 3.0;

fn segment_width<T>(ui: &Ui, options: &[(T, &str)], kind: Type) -> f32 {
    let widest = options
        .iter()
        .map(|(_, label)| width_of(ui, label, kind.font()))
        .fold(0.0, f32::max);
    (widest + 2.0 * space::L).ceil()
}

fn count<T>(options: &[T]) -> f32 {
    options.iter().map(|_| 1.0).sum()
}

/// Width of [`segmented`], in points, where there is room.
#[must_use]
pub(crate) fn segmented_width<T>(ui: &Ui, options: &[(T, &str)]) -> f32 {
    segment_width(ui, options, Type::Label) * count(options) + 2.0 * INSET
}

/// Response of a [`segmented`] control.
pub(crate) struct Segmented<T> {
    /// Value that was pressed, or reached by an arrow key.
    pub pressed: Option<T>,
    /// Whether it was an arrow key, so that the focus stays here.
    pub by_arrow: bool,
    /// Response of the chosen segment.
    pub chosen: Option<Response>,
}

/// Width of each segment: all the same where there is room, else as wide as its label needs.
fn segment_widths<T>(ui: &Ui, options: &[(T, &str)], kind: Type, room: f32) -> Vec<f32> {
    let same = segment_width(ui, options, kind);
    if same * count(options) <= room {
        return options.iter().map(|_| same).collect();
    }
    let words: Vec<f32> = options
        .iter()
        .map(|(_, label)| width_of(ui, label, kind.font()))
        .collect();
    let beside = (room - words.iter().sum::<f32>()) / count(options);
    if beside >= 2.0 * LEAST_BESIDE {
        words.iter().map(|word| word + beside).collect()
    } else {
        options.iter().map(|_| room / count(options)).collect()
    }
}

/// Least margin beside the label of a segment, in points.
const LEAST_BESIDE: f32 = 6.0;

/// Whether the labels of all segments fit into this width.
#[must_use]
pub(crate) fn segments_fit<T>(ui: &Ui, options: &[(T, &str)], room: f32) -> bool {
    let room = room - 2.0 * INSET;
    fit(ui, options, segment_type(ui, options, room), room)
}

/// Text style of the labels: smaller where there is little room.
fn segment_type<T>(ui: &Ui, options: &[(T, &str)], room: f32) -> Type {
    if fit(ui, options, Type::Label, room) {
        Type::Label
    } else {
        Type::Caption
    }
}

fn fit<T>(ui: &Ui, options: &[(T, &str)], kind: Type, room: f32) -> bool {
    let widths = segment_widths(ui, options, kind, room);
    options.iter().zip(widths).all(|((_, label), width)| {
        width_of(ui, label, kind.font()) + 2.0 * LEAST_BESIDE <= width + 0.5
    })
}

/// A segmented control that chooses one of a few values. It is one Tab stop; arrow keys move between the segments.
pub(crate) fn segmented<T: Copy + PartialEq>(
    ui: &mut Ui,
    name: &str,
    options: &[(T, &str)],
    chosen: Option<T>,
) -> Segmented<T> {
    segments(ui, name, options, chosen, Segments::Choice)
}

/// Like [`segmented`], for the screens of the window, which screen readers announce as tabs. Icons, where given,
/// replace the labels, which are then shown as tooltips.
pub(crate) fn segmented_tabs<T: Copy + PartialEq>(
    ui: &mut Ui,
    name: &str,
    options: &[(T, &str)],
    icons: &[Icon],
    chosen: Option<T>,
) -> Segmented<T> {
    segments(ui, name, options, chosen, Segments::Tabs(icons))
}

/// What a segmented control chooses.
#[derive(Clone, Copy)]
enum Segments<'a> {
    /// A value.
    Choice,
    /// A screen; with these icons in place of the labels, if there are any.
    Tabs(&'a [Icon]),
}

impl Segments<'_> {
    /// Accessible roles of the whole control and of one segment.
    const fn roles(self) -> (Role, Role) {
        match self {
            Self::Choice => (Role::RadioGroup, Role::RadioButton),
            Self::Tabs(_) => (Role::TabList, Role::Tab),
        }
    }
}

fn segments<T: Copy + PartialEq>(
    ui: &mut Ui,
    name: &str,
    options: &[(T, &str)],
    chosen: Option<T>,
    kind: Segments<'_>,
) -> Segmented<T> {
    let icons = match kind {
        Segments::Choice => &[],
        Segments::Tabs(icons) => icons,
    };
    let (whole_role, role) = kind.roles();
    let palette = palette(ui);
    let room = ui.max_rect().width() - 2.0 * INSET;
    let words = segment_type(ui, options, room);
    let font = words.font();
    let widths: Vec<f32> = if icons.is_empty() {
        segment_widths(ui, options, words, room)
    } else {
        let most = room / count(options);
        options.iter().map(|_| most.min(ICON_SEGMENT)).collect()
    };
    let whole = vec2(widths.iter().sum::<f32>() + 2.0 * INSET, measure::CONTROL);
    let (group, track) = ui.allocate_space(whole);
    // A part of its own, so that the group is above its members to a screen reader too.
    let mut builder = UiBuilder::new().id_salt(group).max_rect(track);
    builder.accessibility_role = Some(whole_role);
    builder.accessibility_label = Some(name.to_owned());
    let ui = &mut ui.new_child(builder);
    ui.expand_to_include_rect(track);
    ui.painter()
        .rect_filled(track, corner(measure::RADIUS + 1.0), palette.control);
    outline(ui, track, measure::RADIUS + 1.0);
    let ids: Vec<Id> = options
        .iter()
        .map(|(_, label)| group.with(*label))
        .collect();
    let at = chosen.and_then(|chosen| options.iter().position(|(value, _)| *value == chosen));
    let stop = TabStop::of(ui, &ids, at);
    let mut came = Segmented {
        pressed: None,
        by_arrow: false,
        chosen: None,
    };
    let mut left = track.left() + INSET;
    let all = options.iter().zip(&ids).zip(widths).enumerate();
    for (place, (((value, label), id), width)) in all {
        let size = vec2(width, measure::CONTROL - 2.0 * INSET);
        let rect = Rect::from_min_size(Pos2::new(left, track.top() + INSET), size);
        left += width;
        let mut response = ui.interact(rect, *id, stop.sense(place));
        let on = at == Some(place);
        match role {
            Role::Tab => says_tab(&response, label, on),
            _ => response.widget_info(|| WidgetInfo::selected(role, true, on, *label)),
        }
        let ink = segment_ground(ui, &response, on);
        if let Some(icon) = icons.get(place) {
            paint_icon(ui.painter(), rect.center(), *icon, measure::ICON, ink);
            response = shows_name(response, label);
        } else {
            let room = rect.width() - 2.0 * LEAST_BESIDE + 0.5;
            let shown = elided(label, room, |word| width_of(ui, word, font.clone()));
            let galley = single_line(ui, &shown, font.clone(), ink);
            ui.painter()
                .galley(rect.center() - galley.size() / 2.0, galley, ink);
        }
        focus_ring(ui, &response, SEGMENT_RADIUS);
        if response.clicked() {
            came.pressed = Some(*value);
        }
        if on {
            came.chosen = Some(response);
        }
    }
    if let Some((value, _)) = stop.arrow(ui).and_then(|next| options.get(next)) {
        came.pressed = Some(*value);
        came.by_arrow = true;
    }
    came
}

const SEGMENT_RADIUS: f32 = measure::RADIUS - 1.0;

/// Paints the background of a segment, and returns the colour for its label.
fn segment_ground(ui: &Ui, segment: &Response, on: bool) -> Color32 {
    let palette = palette(ui);
    let (rect, radius) = (segment.rect, corner(SEGMENT_RADIUS));
    if on {
        ui.painter().rect_filled(rect, radius, palette.chosen);
        // The two fills are too near each other to say by themselves which is chosen.
        let stroke = Stroke::new(1.0, palette.control_border);
        ui.painter()
            .rect_stroke(rect, radius, stroke, StrokeKind::Inside);
        palette.on_chosen
    } else if hovered(ui, segment) {
        ui.painter()
            .rect_filled(rect, radius, palette.control_hover);
        palette.text
    } else {
        palette.muted
    }
}

/// Says to a screen reader that this is a tab, and whether its screen or its part of the page is the one that is seen.
fn says_tab(response: &Response, label: &str, on: bool) {
    response.widget_info(|| WidgetInfo::labeled(Role::Tab, true, label));
    (response.ctx).accesskit_node_builder(response.id, |node| node.set_selected(on));
}

/// Width of a segment with an icon.
const ICON_SEGMENT: f32 = 44.0;

/// A group of widgets that is one Tab stop: at the member with the focus, else the chosen one, else the first.
pub(super) struct TabStop<'a> {
    ids: &'a [Id],
    at: usize,
    focused: bool,
}

impl<'a> TabStop<'a> {
    pub(super) fn of(ui: &Ui, ids: &'a [Id], chosen: Option<usize>) -> Self {
        let focused = ui.memory(|memory| memory.focused());
        let focused = ids.iter().position(|id| focused == Some(*id));
        Self {
            ids,
            at: focused.or(chosen).unwrap_or(0),
            focused: focused.is_some(),
        }
    }

    /// What the member at this place senses: every member can be clicked, but only one can be reached by Tab.
    pub(super) fn sense(&self, place: usize) -> Sense {
        if place == self.at {
            Sense::click()
        } else {
            Sense::CLICK
        }
    }

    /// The member that an arrow key moves to; the focus follows.
    pub(super) fn arrow(&self, ui: &Ui) -> Option<usize> {
        let here = self.ids.get(self.at)?;
        if !self.focused {
            return None;
        }
        let filter = EventFilter {
            horizontal_arrows: true,
            vertical_arrows: true,
            ..EventFilter::default()
        };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(*here, filter));
        let many = self.ids.len();
        let next = ui.input_mut(|input| {
            let mut key = |key| input.consume_key(Modifiers::NONE, key);
            if key(Key::ArrowRight) || key(Key::ArrowDown) {
                Some((self.at + 1) % many)
            } else if key(Key::ArrowLeft) || key(Key::ArrowUp) {
                Some((self.at + many - 1) % many)
            } else {
                None
            }
        })?;
        let id = self.ids.get(next)?;
        ui.memory_mut(|memory| memory.request_focus(*id));
        Some(next)
    }
}

/// Chips that choose one of several values, on as many lines as they need. They are one Tab stop; arrow keys move
/// between them. Returns the value that was pressed or reached by an arrow key.
pub(crate) fn chips<T: Copy + PartialEq>(
    ui: &mut Ui,
    name: &str,
    options: &[(T, String)],
    chosen: T,
) -> Option<T> {
    let mut pressed = None;
    let whole = ui.next_auto_id();
    let ids: Vec<Id> = (0..options.len()).map(|at| whole.with(at)).collect();
    let at = options.iter().position(|(value, _)| *value == chosen);
    let stop = TabStop::of(ui, &ids, at);
    let group = ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = Vec2::splat(space::S);
        for (place, ((value, label), id)) in options.iter().zip(&ids).enumerate() {
            let on = at == Some(place);
            let response = chip(ui, label, on, Some((*id, stop.sense(place))));
            response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, on, label));
            if response.clicked() {
                pressed = Some(*value);
            }
        }
    });
    group
        .response
        .widget_info(|| WidgetInfo::labeled(Role::RadioGroup, true, name));
    let arrow = stop.arrow(ui).and_then(|next| options.get(next));
    arrow.map(|(value, _)| *value).or(pressed)
}

/// Gap between two tabs, in points.
const BETWEEN_TABS: f32 = space::XS;

fn tab_width(ui: &Ui, label: &str) -> f32 {
    (width_of(ui, label, Type::Caption.font()) + 2.0 * space::S).ceil()
}

/// Number of lines that [`tabs`] take at this width.
#[must_use]
pub(crate) fn tab_lines(ui: &Ui, labels: &[&str], width: f32) -> usize {
    let (mut lines, mut used) = (1, 0.0);
    for label in labels {
        let tab = tab_width(ui, label);
        if used > 0.0 && used + BETWEEN_TABS + tab > width {
            lines += 1;
            used = tab;
        } else {
            used += tab + if used > 0.0 { BETWEEN_TABS } else { 0.0 };
        }
    }
    lines
}

/// Height of [`tabs`] at this width, in points.
#[must_use]
pub(crate) fn tabs_height(ui: &Ui, labels: &[&str], width: f32) -> f32 {
    (0..tab_lines(ui, labels, width)).fold(-BETWEEN_TABS, |high, _| high + TAB + BETWEEN_TABS)
}

/// Height of a tab, in points.
const TAB: f32 = 28.0;

/// Tabs for the sections of a page, with the one in view marked. They are one Tab stop; arrow keys move between them.
/// Returns the section to go to.
pub fn tabs(ui: &mut Ui, name: &str, labels: &[&str], current: usize) -> Option<usize> {
    let palette = palette(ui);
    let whole = ui.next_auto_id();
    let ids: Vec<Id> = (0..labels.len()).map(|at| whole.with(at)).collect();
    let stop = TabStop::of(ui, &ids, Some(current));
    let mut pressed = None;
    let mut builder = UiBuilder::new();
    builder.accessibility_role = Some(Role::TabList);
    builder.accessibility_label = Some(name.to_owned());
    let row = Layout::left_to_right(Align::Min).with_main_wrap(true);
    ui.scope_builder(builder.layout(row), |ui| {
        ui.spacing_mut().item_spacing = Vec2::splat(BETWEEN_TABS);
        for (place, (label, id)) in labels.iter().zip(&ids).enumerate() {
            let (_, rect) = ui.allocate_space(vec2(tab_width(ui, label), TAB));
            let response = ui.interact(rect, *id, stop.sense(place));
            let on = place == current;
            says_tab(&response, label, on);
            let (rest, ink) = if on && palette.is_high() {
                (palette.chosen, palette.on_chosen)
            } else if on {
                (palette.accent_tint, palette.accent)
            } else {
                (Color32::TRANSPARENT, palette.muted)
            };
            let over = if on { rest } else { palette.control };
            let fill = under_pointer(ui, &response, rest, over);
            ui.painter()
                .rect_filled(rect, corner(measure::RADIUS), fill);
            let galley = single_line(ui, label, Type::Caption.font(), ink);
            ui.painter()
                .galley(rect.center() - galley.size() / 2.0, galley, ink);
            focus_ring(ui, &response, measure::RADIUS);
            if response.clicked() {
                pressed = Some(place);
            }
        }
    });
    // The keyboard goes along; what it comes to is gone to by Enter.
    stop.arrow(ui);
    pressed
}

/// Chips that each do something at once. Returns the one that was pressed.
pub(crate) fn chip_buttons<T>(ui: &mut Ui, options: Vec<(T, String)>) -> Option<T> {
    let mut pressed = None;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = Vec2::splat(space::S);
        for (value, label) in options {
            let response = chip(ui, &label, false, None);
            response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &label));
            if response.clicked() {
                pressed = Some(value);
            }
        }
    });
    pressed
}

/// Draws one chip, without its accessible description.
fn chip(ui: &mut Ui, label: &str, on: bool, own: Option<(Id, Sense)>) -> Response {
    let palette = palette(ui);
    let font = Type::Caption.font();
    let most = ui.max_rect().width() - 2.0 * space::M;
    let shown = elided(label, most, |word| width_of(ui, word, font.clone()));
    let width = width_of(ui, &shown, font.clone()) + 2.0 * space::M;
    let (id, rect) = ui.allocate_space(vec2(width, 28.0));
    let (id, sense) = own.unwrap_or_else(|| (id, Sense::click()));
    let response = ui.interact(rect, id, sense);
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
    response
}

const SWITCH: Vec2 = vec2(40.0, 22.0);

/// A switch with a title and an explanation on its left; the whole line is one button. Returns whether it was pressed.
pub fn switch(ui: &mut Ui, title: &str, about: &str, on: bool) -> bool {
    switch_named(ui, title, title, about, on)
}

/// A [`switch`] with an accessible name of its own, where several have the same title.
pub(crate) fn switch_named(ui: &mut Ui, title: &str, name: &str, about: &str, on: bool) -> bool {
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
    response.widget_info(|| WidgetInfo::selected(Role::Switch, true, on, name));
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

/// A line with a check mark, a name that gives way in its middle, and a detail at the right; the whole line is one button.
pub(crate) fn check_line(
    ui: &mut Ui,
    id: Id,
    name: &str,
    detail: &str,
    on: bool,
    height: f32,
) -> Response {
    let palette = palette(ui);
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), height));
    let response = ui.interact(rect, id, Sense::click());
    let said = format!("{name}, {detail}");
    response.widget_info(|| WidgetInfo::selected(Role::CheckBox, true, on, &said));
    let fill = under_pointer(ui, &response, palette.surface, palette.control_hover);
    ui.painter()
        .rect_filled(rect, corner(measure::RADIUS), fill);
    let square = Rect::from_center_size(
        Pos2::new(rect.left() + space::S + 8.0, rect.center().y),
        Vec2::splat(16.0),
    );
    if on {
        ui.painter()
            .rect_filled(square, corner(4.0), palette.accent_fill);
        paint_icon(
            ui.painter(),
            square.center(),
            Icon::Check,
            12.0,
            palette.on_fill,
        );
    } else {
        let stroke = Stroke::new(1.0, palette.control_border);
        ui.painter()
            .rect_stroke(square, corner(4.0), stroke, StrokeKind::Inside);
    }
    let detail = single_line(ui, detail, Type::Caption.font(), palette.muted);
    let left = square.right() + space::S;
    let right = rect.right() - space::M - detail.size().x;
    let room = (right - space::M - left).max(20.0);
    let font = Type::Caption.font();
    let shown = elided(name, room, |text| width_of(ui, text, font.clone()));
    let name = single_line(ui, &shown, font, palette.text);
    let middle = rect.center().y;
    let at = Pos2::new(left, middle - name.size().y / 2.0);
    ui.painter().galley(at, name, palette.text);
    let at = Pos2::new(right, middle - detail.size().y / 2.0);
    ui.painter().galley(at, detail, palette.muted);
    focus_ring(ui, &response, measure::RADIUS);
    response
}

/// A stepper: buttons for less and more around the present value. It is one Tab stop; arrow keys step. Returns -1 or 1
/// when one of the two was asked for.
pub(crate) fn stepper(
    ui: &mut Ui,
    name: &str,
    value: &str,
    less: (&str, bool),
    more: (&str, bool),
) -> i8 {
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
            if step_button(ui, icon, name, possible) {
                step = by;
            }
        };
        press(ui, Icon::Minus, less, -1);
        let (place, response) = ui.allocate_exact_size(
            vec2(52.0, measure::CONTROL),
            Sense::focusable_noninteractive(),
        );
        response.widget_info(|| WidgetInfo::labeled(Role::SpinButton, true, name));
        let number = leading_number(value);
        ui.ctx().accesskit_node_builder(response.id, |node| {
            node.set_value(value);
            if let Some(number) = number {
                node.set_numeric_value(number);
                if !less.1 {
                    node.set_min_numeric_value(number);
                }
                if !more.1 {
                    node.set_max_numeric_value(number);
                }
            }
        });
        let galley = single_line(ui, value, Type::Label.font(), palette.text);
        let at = place.center() - galley.size() / 2.0;
        ui.painter().galley(at, galley, palette.text);
        focus_ring(ui, &response, measure::RADIUS);
        press(ui, Icon::Plus, more, 1);
        if response.has_focus() {
            let filter = EventFilter {
                horizontal_arrows: true,
                vertical_arrows: true,
                ..EventFilter::default()
            };
            ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
            ui.input_mut(|input| {
                let mut key = |key| input.consume_key(Modifiers::NONE, key);
                if (key(Key::ArrowUp) || key(Key::ArrowRight)) && more.1 {
                    step = 1;
                } else if (key(Key::ArrowDown) || key(Key::ArrowLeft)) && less.1 {
                    step = -1;
                }
            });
        }
    });
    step
}

/// The number that a value begins with.
fn leading_number(value: &str) -> Option<f64> {
    let after = value.find(|one: char| !one.is_ascii_digit());
    let (digits, _) = value.split_at(after.unwrap_or(value.len()));
    digits.parse().ok()
}

/// A button of a stepper, for pointing devices alone: the keyboard has the arrow keys.
fn step_button(ui: &mut Ui, icon: Icon, name: &str, possible: bool) -> bool {
    let palette = palette(ui);
    let sense = if possible {
        Sense::CLICK
    } else {
        Sense::hover()
    };
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(measure::CONTROL), sense);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, possible, name));
    let (fill, ink) = if possible {
        let over = under_pointer(ui, &response, Color32::TRANSPARENT, palette.control);
        (over, palette.text)
    } else {
        (Color32::TRANSPARENT, palette.faint)
    };
    ui.painter()
        .rect_filled(rect, corner(measure::RADIUS), fill);
    paint_icon(ui.painter(), rect.center(), icon, measure::ICON, ink);
    shows_name(response, name).clicked()
}
