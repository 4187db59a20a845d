//! Panels that hold other widgets: cards, notices, sheets over everything else.

use egui::{
    Align, Color32, Context, FontId, Frame, Id, InnerResponse, Key, Layout, Margin, Modifiers,
    Pos2, Rect, Response, Role, ScrollArea, Sense, Stroke, StrokeKind, Ui, UiBuilder, WidgetInfo,
    vec2,
};

use super::words::elided;
use super::{
    Button, Loudness, corner, focus_ring, icon_button, outline, paint_icon, selectable,
    single_line, text_height, under_pointer,
};
use crate::app::words::message::UserMessage;
use crate::gui::fonts::Icon;
use crate::gui::model::{Notice, Tone};
use crate::gui::text;
use crate::gui::tokens::{Palette, Type, measure, palette, palette_of, space};

/// A card: a surface that groups widgets, as wide as the column.
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

/// Text colour, background colour and icon of a tone.
#[must_use]
pub(crate) fn tone_colors(palette: &Palette, tone: Tone) -> (Color32, Color32, Icon) {
    match tone {
        Tone::Info => (palette.info, palette.info_tint, Icon::Info),
        Tone::Success => (palette.success, palette.success_tint, Icon::CircleCheck),
        Tone::Warning => (palette.warning, palette.warning_tint, Icon::Warning),
        Tone::Danger => (palette.danger, palette.danger_tint, Icon::CircleAlert),
    }
}

/// A pill with an icon and a word, so that its meaning does not depend on colour.
pub(crate) fn badge(ui: &mut Ui, tone: Tone, icon: Icon, word: &str) -> Response {
    let palette = palette(ui);
    let (ink, ground, _) = tone_colors(palette, tone);
    let galley = single_line(ui, word, FontId::new(12.0, Type::Label.font().family), ink);
    let size = vec2(galley.size().x + 14.0 + space::XS + 20.0, 24.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, word));
    ui.painter().rect_filled(rect, corner(12.0), ground);
    if palette.is_high() {
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

/// How wide a [`badge`] with this word is.
#[must_use]
pub(crate) fn badge_width(ui: &Ui, word: &str) -> f32 {
    let font = FontId::new(12.0, Type::Label.font().family);
    super::width_of(ui, word, font) + 14.0 + space::XS + 20.0
}

/// A message on its tone's background: what happened, why and what to do next, with actions below.
pub(crate) fn callout<R>(
    ui: &mut Ui,
    tone: Tone,
    message: &UserMessage,
    add: impl FnOnce(&mut Ui) -> R,
) -> R {
    tinted(ui, tone, |ui| {
        said(ui, message);
        add(ui)
    })
}

/// Content on the background of a tone, with the tone's icon.
fn tinted<R>(ui: &mut Ui, tone: Tone, add: impl FnOnce(&mut Ui) -> R) -> R {
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
        .stroke(if palette.is_high() {
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
                    add(ui)
                })
                .inner
            })
            .inner
        })
        .inner
}

/// Draws the messages of a notice and one button, named `button`, whose response is returned: the first message's
/// remedy, or dismissing the notice. A screen reader that reaches the button reads the notice.
pub fn notice(ui: &mut Ui, notice: &Notice, button: &str) -> Response {
    tinted(ui, notice.tone, |ui| {
        for (at, message) in text::notice(notice).iter().enumerate() {
            if at > 0 {
                ui.add_space(space::S);
            }
            said(ui, message);
        }
        ui.add_space(space::XS);
        let button = ui.add(Button::new(Loudness::Secondary, button));
        ui.ctx().accesskit_node_builder(button.id, |node| {
            node.set_description(text::notice_aloud(notice));
        });
        button
    })
}

/// The three sentences of a message, as selectable text.
pub fn said(ui: &mut Ui, message: &UserMessage) {
    let palette = palette(ui);
    selectable(ui, &message.what, Type::Label, palette.text);
    let rest = format!("{} {}", message.why, message.next);
    selectable(ui, rest.trim(), Type::Body, palette.muted);
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
    outline(ui, rect, 3.0);
    // Not animated: an animation draws sixty times a second, a transfer asks for ten.
    let shown = fraction.clamp(0.0, 1.0);
    if shown > 0.0 {
        let filled = Rect::from_min_size(rect.min, vec2((rect.width() * shown).max(6.0), 6.0));
        ui.painter()
            .rect_filled(filled, corner(3.0), palette.accent);
    }
    response
}

/// Shows the beginning and the end of a pointer, or dots; never the whole pointer.
pub(crate) fn pointer_well(
    ui: &mut Ui,
    pointer: &str,
    masked: bool,
    width: f32,
    height: f32,
) -> Response {
    let said = if masked {
        text::pointer_masked()
    } else {
        text::pointer_text()
    };
    let well = Well {
        secret: pointer,
        masked,
        said,
    };
    secret_well(ui, &well, width, height)
}

/// A secret text that is shown in part.
pub(crate) struct Well<'a> {
    /// The text.
    pub(crate) secret: &'a str,
    /// Whether dots are shown in its place.
    pub(crate) masked: bool,
    /// What a screen reader says: nobody listens to random letters.
    pub(crate) said: &'a str,
}

/// Shows the beginning and the end of a secret text, or dots; never the whole text.
pub(crate) fn secret_well(ui: &mut Ui, well: &Well<'_>, width: f32, height: f32) -> Response {
    let Well {
        secret,
        masked,
        said,
    } = *well;
    let palette = palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(width, height), Sense::hover());
    ui.painter()
        .rect_filled(rect, corner(measure::RADIUS), palette.sunken);
    outline(ui, rect, measure::RADIUS);
    let chars: Vec<char> = secret.chars().collect();
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
    let shown = if masked {
        text::MASK.repeat(room.min(24))
    } else if chars.len() <= room {
        secret.to_owned()
    } else {
        let head: String = chars.iter().take(room.div_ceil(2)).collect();
        let tail: String = chars.iter().skip(chars.len() - (room / 2 - 1)).collect();
        format!("{head}…{tail}")
    };
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, said));
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

/// A hairline between the lines of a card.
pub(crate) fn divider(ui: &mut Ui) {
    let palette = palette(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 1.0), Sense::hover());
    ui.painter().rect_filled(rect, 0.0, palette.border);
}

/// One line with content on the left that may shrink and content on the right that may not; at least `least` points
/// are kept for the right.
pub(crate) fn sides<R>(
    ui: &mut Ui,
    height: f32,
    right_width: f32,
    left: impl FnOnce(&mut Ui),
    right: impl FnOnce(&mut Ui) -> R,
) -> R {
    let (id, rect) = ui.allocate_space(vec2(ui.available_width(), height));
    let split = (rect.right() - right_width.max(known_width(ui, id))).max(rect.left());
    let mut before = rect;
    before.set_right((split - space::S).max(rect.left()));
    inside(
        ui,
        "left",
        before,
        Layout::left_to_right(Align::Center),
        left,
    );
    flush_right(ui, id, rect, right)
}

/// Content laid out inside a rectangle that is already allocated, in reading and focus order from left to right,
/// aligned to its right edge.
pub(crate) fn at_right<R>(ui: &mut Ui, place: Rect, add: impl FnOnce(&mut Ui) -> R) -> R {
    let id = ui.next_auto_id().with("at right");
    flush_right(ui, id, place, add)
}

/// Width of the right-hand content in the last frame, in points.
fn known_width(ui: &Ui, id: Id) -> f32 {
    ui.data(|data| data.get_temp(id)).unwrap_or(0.0)
}

fn flush_right<R>(ui: &mut Ui, id: Id, place: Rect, add: impl FnOnce(&mut Ui) -> R) -> R {
    // Nobody knows how wide it will be before it is drawn: what it was the last time, else it is drawn again.
    let known = known_width(ui, id);
    let left = (place.right() - known).max(place.left());
    let whole = Rect::from_min_size(Pos2::new(left, place.top()), place.size());
    let builder = UiBuilder::new()
        .id_salt("right")
        .max_rect(whole)
        .layout(Layout::left_to_right(Align::Center));
    let mut child = ui.new_child(builder);
    let added = add(&mut child);
    let width = child.min_rect().width();
    if (width - known).abs() > 0.5 {
        ui.data_mut(|data| data.insert_temp(id, width));
        ui.ctx()
            .request_discard("what stands at the right is as wide as it is");
    }
    added
}

/// A heading that expands and collapses the content below it.
pub(crate) fn expander(ui: &mut Ui, title: &str, add: impl FnOnce(&mut Ui)) {
    let palette = palette(ui);
    let id = ui.make_persistent_id(("expander", title));
    let mut state =
        egui::collapsing_header::CollapsingState::load_with_default_open(ui.ctx(), id, false);
    let size = vec2(ui.available_width(), measure::CONTROL);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, title));
    let open = state.is_open();
    ui.ctx()
        .accesskit_node_builder(response.id, |node| node.set_expanded(open));
    if response.clicked() {
        state.toggle(ui);
    }
    let fill = under_pointer(ui, &response, Color32::TRANSPARENT, palette.control);
    ui.painter()
        .rect_filled(rect, corner(measure::RADIUS), fill);
    let sign = if open {
        Icon::ChevronDown
    } else {
        Icon::ChevronRight
    };
    let at = Pos2::new(rect.left() + measure::ICON / 2.0, rect.center().y);
    paint_icon(ui.painter(), at, sign, measure::ICON, palette.muted);
    let galley = single_line(ui, title, Type::Label.font(), palette.accent);
    let at = Pos2::new(
        rect.left() + measure::ICON + space::S,
        rect.center().y - galley.size().y / 2.0,
    );
    ui.painter().galley(at, galley, palette.accent);
    focus_ring(ui, &response, measure::RADIUS);
    state.show_body_unindented(ui, add);
}

/// Content inside a rectangle that is already allocated, which moves nothing around it. `part` tells several of one
/// parent apart.
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

/// A modal: a sheet or a question over the whole window.
pub struct ModalPanel<'a> {
    /// Id that tells it from other modals.
    pub id: Id,
    /// Heading, and the accessible name.
    pub title: &'a str,
    /// Greatest width including margins, in points.
    pub width: f32,
    /// Whether it asks a question; it then has no close button.
    pub asks: bool,
    /// Text pinned below the content where there is room for both; may be empty.
    pub foot: &'a str,
}

/// Margins outside and inside a modal, in points.
fn modal_margins(ctx: &Context) -> (f32, f32) {
    let width = ctx.content_rect().width();
    if width < 330.0 {
        (8.0, 12.0)
    } else if width < measure::NARROW {
        (12.0, 16.0)
    } else {
        (16.0, 24.0)
    }
}

/// Greatest height of a modal's content without scrolling, in points.
#[must_use]
pub(crate) fn modal_room(ctx: &Context) -> f32 {
    room_below(ctx, measure::CONTROL + space::S)
}

/// Height left for a modal's content below a heading of height `head`, in points.
fn room_below(ctx: &Context, head: f32) -> f32 {
    let (beside, margin) = modal_margins(ctx);
    let around = 2.0 * (margin + beside) + head;
    (ctx.content_rect().height() - around).max(measure::CONTROL + space::M)
}

/// The frame of a modal.
pub fn sheet(palette: &Palette, margin: f32) -> Frame {
    Frame::new()
        .fill(palette.surface)
        .stroke(Stroke::new(1.0, palette.border))
        .corner_radius(corner(12.0))
        .inner_margin(margin)
}

/// Scrolls a modal by the keyboard, since most of its content cannot be focused.
fn scroll_by_keys(ui: &Ui, page: f32) {
    /// A scroll distance longer than any content, in points.
    const FAR: f32 = 100_000.0;
    let line = 2.0 * measure::CONTROL;
    let steps = [
        (Key::ArrowDown, line),
        (Key::ArrowUp, -line),
        (Key::PageDown, page),
        (Key::PageUp, -page),
        (Key::End, FAR),
        (Key::Home, -FAR),
    ];
    for (key, step) in steps {
        if ui.input_mut(|input| input.consume_key(Modifiers::NONE, key)) {
            ui.scroll_with_delta(vec2(0.0, -step));
        }
    }
}

/// The title of a modal and its close button. Returns the id of the button, and whether it was clicked.
fn title_and_cross(ui: &mut Ui, title: &str) -> (Id, bool) {
    let ink = palette(ui).text;
    let room = ui.available_width() - measure::CONTROL - space::S;
    let lines = two_lines(ui, title, Type::Section, room);
    let tall = text_height(ui, &lines, Type::Section, room).max(measure::CONTROL);
    let words = |ui: &mut Ui| {
        let heading = super::heading(ui, &lines, Type::Section, ink, 1);
        // A title that was cut to two lines is heard whole.
        ui.ctx()
            .accesskit_node_builder(heading.id, |node| node.set_label(title));
    };
    sides(ui, tall, measure::CONTROL, words, |ui| {
        let nowhere = ui.memory(|memory| memory.focused().is_none());
        let cross = icon_button(ui, Icon::Close, text::close());
        // The keyboard comes along, and does not stay behind.
        if nowhere && ui.memory(|memory| memory.focused().is_none()) {
            cross.request_focus();
        }
        (cross.id, cross.clicked())
    })
}

/// Shows a modal. Returns what its content returns, and whether the person closed it (close button, Esc, a click
/// outside).
pub fn modal<R>(
    ctx: &Context,
    modal: &ModalPanel<'_>,
    add: impl FnOnce(&mut Ui) -> R,
) -> (R, bool) {
    let palette = palette_of(ctx);
    let (beside, margin) = modal_margins(ctx);
    let width = (ctx.content_rect().width() - 2.0 * beside).min(modal.width) - 2.0 * margin;
    let frame = sheet(palette, margin).shadow(ctx.global_style().visuals.window_shadow);
    let mut crossed = false;
    let opened = has_opened(ctx, modal);
    let mut holder = None;
    let mut first = None;
    let shown = egui::Modal::new(modal.id)
        .backdrop_color(palette.backdrop)
        .frame(frame)
        .show(ctx, |ui| {
            // What holds the content is the dialog: whoever hears where the keyboard is hears its name first.
            holder = Some(ui.unique_id());
            ui.set_width(width);
            ui.spacing_mut().item_spacing.y = space::S;
            let above = ui.cursor().top();
            if modal.asks {
                super::heading(ui, modal.title, Type::Section, palette.text, 1);
            } else {
                let (cross, clicked) = title_and_cross(ui, modal.title);
                first = Some(cross);
                crossed = clicked;
            }
            // A question's title may take several lines.
            let room = room_below(ctx, ui.cursor().top() - above);
            let foot = text_height(ui, modal.foot, Type::Caption, width) + 2.0 * space::S + 1.0;
            let stays = !modal.foot.is_empty() && room - foot >= LEAST_ABOVE_FOOT;
            let room = if stays { room - foot } else { room };
            // The scroll bar stands in the margin, and never over words.
            let gutter = margin - space::XS;
            // And a ring around what stands at its edge is not cut off.
            let ring = 2.0 * palette.ring;
            let top = ui.cursor().min - vec2(gutter, ring);
            let place = Rect::from_min_size(top, vec2(width + 2.0 * gutter, f32::INFINITY));
            let builder = UiBuilder::new()
                .max_rect(place)
                .layout(Layout::top_down(Align::Min));
            let mut wide = ui.new_child(builder);
            // What a sheet shows of its content can end where a part of it ends: that there is more is seen here.
            wide.spacing_mut().scroll.dormant_handle_opacity = 0.5;
            let mut scrolled = ScrollArea::vertical()
                .max_height(room + ring)
                .min_scrolled_height(room + ring)
                .auto_shrink([false, true]);
            if opened {
                scrolled = scrolled.vertical_scroll_offset(0.0);
            }
            let added = scrolled
                .show(&mut wide, |ui| {
                    scroll_by_keys(ui, room);
                    let from = ui.cursor().min + vec2(gutter, ring);
                    let place = Rect::from_min_size(from, vec2(width, f32::INFINITY));
                    let builder = UiBuilder::new()
                        .max_rect(place)
                        .layout(Layout::top_down(Align::Min));
                    ui.scope_builder(builder, |ui| {
                        ui.set_width(width);
                        let added = add(ui);
                        if !stays {
                            footing(ui, modal.foot);
                        }
                        added
                    })
                    .inner
                })
                .inner;
            ui.allocate_space(vec2(width, wide.min_rect().height() - ring));
            if stays {
                footing(ui, modal.foot);
            }
            if let Some(first) = first {
                step_round(ui, first);
            }
            added
        });
    if let Some(holder) = holder {
        tell_dialog(ctx, holder, modal, shown.response.rect);
    }
    let waved = shown.should_close() || crossed;
    (shown.inner, waved)
}

/// Tells screen readers that `holder` is a dialog, with its name and its place.
fn tell_dialog(ctx: &Context, holder: Id, modal: &ModalPanel<'_>, place: Rect) {
    ctx.accesskit_node_builder(holder, |node| {
        node.set_role(if modal.asks {
            Role::AlertDialog
        } else {
            Role::Dialog
        });
        node.set_label(modal.title);
        node.set_modal();
        node.set_bounds(egui::accesskit::Rect {
            x0: place.min.x.into(),
            y0: place.min.y.into(),
            x1: place.max.x.into(),
            y1: place.max.y.into(),
        });
    });
}

/// A title that wraps, shortened in the middle to two lines: it may contain a file name of any length.
fn two_lines(ui: &Ui, title: &str, kind: Type, room: f32) -> String {
    // Where a line ends nobody knows before: a word may be left over.
    elided(title, 1.7 * room, |text| {
        super::width_of(ui, text, kind.font())
    })
}

/// Whether the modal was not shown in the frame before, or had another title.
fn has_opened(ctx: &Context, modal: &ModalPanel<'_>) -> bool {
    let frame = ctx.cumulative_frame_nr();
    let key = modal.id.with("opened");
    let before: Option<(String, u64)> = ctx.data(|data| data.get_temp(key));
    ctx.data_mut(|data| data.insert_temp(key, (modal.title.to_owned(), frame)));
    before.is_none_or(|(title, at)| title != modal.title || at + 1 < frame)
}

/// Makes Tab go from the last widget of a modal to its first. With a single widget the step would otherwise be kept
/// until the modal is closed, and be taken by something else.
fn step_round(ui: &Ui, first: Id) {
    let end = first.with("end");
    let layer = ui.layer_id();
    ui.memory_mut(|memory| {
        if memory.focused().is_none() {
            memory.interested_in_focus(end, layer);
            memory.request_focus(first);
        }
    });
}

/// The text at the foot of a modal.
pub(crate) fn footing(ui: &mut Ui, words: &str) {
    if words.is_empty() {
        return;
    }
    divider(ui);
    let ink = palette(ui).muted;
    selectable(ui, words, Type::Caption, ink);
}

/// A modal's foot scrolls with the content when less than this height, in points, would be left for the content.
const LEAST_ABOVE_FOOT: f32 = 180.0;

/// The two buttons of a question: the safe one first, with the focus, and the one that acts at the right; below each
/// other where they do not fit on one line. Returns whether each was pressed.
pub fn answers(ui: &mut Ui, safe: Button<'_>, other: Button<'_>) -> (bool, bool) {
    let (safe, other) = (safe.tall(), other.tall());
    ui.add_space(space::M);
    let beside = safe.width(ui) + ui.spacing().item_spacing.x + other.width(ui);
    let safely = |ui: &mut Ui| {
        let safe = ui.add(safe);
        if ui.memory(|memory| memory.focused().is_none()) {
            safe.request_focus();
        }
        safe.clicked()
    };
    if beside <= ui.available_width() {
        let (_, place) = ui.allocate_space(vec2(ui.available_width(), measure::PRIMARY));
        at_right(ui, place, |ui| {
            let safe = safely(ui);
            (safe, ui.add(other).clicked())
        })
    } else {
        ui.with_layout(Layout::top_down(Align::Max), |ui| {
            let safe = safely(ui);
            (safe, ui.add(other).clicked())
        })
        .inner
    }
}
