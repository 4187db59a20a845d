//! The Share screen: one big target, and under it where a file goes and how long it stays.

use egui::{
    Align, CornerRadius, EventFilter, FocusDirection, Id, Key, Layout, Modifiers, Pos2, Rect, Role,
    Sense, Shape, Stroke, StrokeKind, Ui, WidgetInfo, vec2,
};

use super::{Drawn, ViewContext, options, transfers, undo};
use crate::app::settings::SeveralThings;
use crate::gui::fonts::Icon;
use crate::gui::kit::{self, Button, Flush, Loudness};
use crate::gui::model::{
    Focus, FocusAction, FoundPath, Model, Region, RelayAction, ShareAction, Together, Tone,
    WindowAction,
};
use crate::gui::text;
use crate::gui::tokens::{Palette, Type, measure, motion, palette, space};

pub(super) fn screen(
    ui: &mut Ui,
    model: &Model,
    context: ViewContext,
    height: f32,
    drawn: &mut Drawn,
) {
    if let Some(found) = model.undecided.first() {
        known_file(ui, model, found, drawn);
    }
    if let Some(together) = model.together.first() {
        came_together(ui, model, together, drawn);
    }
    if model.first_start {
        welcome(ui, model, drawn);
    }
    let empty = model.transfers.is_empty();
    let lacks = model.lacks_relays();
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = space::M;
        if lacks {
            way_out(ui, !model.first_start, drawn);
        }
        let used = ui.cursor().top() - ui.clip_rect().top();
        let below = if lacks {
            0.0
        } else {
            measure::CONTROL + space::M
        };
        // What was removed can come back at the foot of the window, and does not stand on the zone.
        let foot = space::XL.max(undo::covers(ui.ctx(), model));
        let room = height - used - below - foot;
        if model.first_start || !empty || model.options_open || room < LEAST_ZONE {
            small_zone(ui, model, context, height < LOW, drawn);
        } else {
            zone(ui, model, context, room.min(MOST_ZONE), drawn);
        }
        // Where nothing can go, there is nothing to say of the way.
        if !lacks {
            terms(ui, model, drawn);
            if model.options_open {
                options::card(ui, model, drawn);
            }
        }
    });
    if !empty {
        transfers::list(ui, model, context, drawn);
    }
}

/// Height of the screen, in points, below which the drop zone is one line, to leave room for what is under it.
const LOW: f32 = 440.0;
/// Least height of a drop zone with a button in it, in points.
const LEAST_ZONE: f32 = 220.0;

/// Greatest height of the drop zone, in points. The whole window takes drops anyway.
const MOST_ZONE: f32 = 400.0;

/// A file came to be shared that this program can use itself: the person says which of the two was meant.
fn known_file(ui: &mut Ui, model: &Model, found: &FoundPath, drawn: &mut Drawn) {
    let message = text::known_file(found);
    let id = Id::unique("known file");
    kit::fresh(ui, id, &message.what, |ui| {
        kit::callout(ui, Tone::Info, &message, |ui| {
            ui.add_space(space::XS);
            ui.horizontal_wrapped(|ui| {
                let using = Button::new(Loudness::Secondary, text::use_known_file(found));
                let using = ui.add(using);
                ui.ctx().accesskit_node_builder(using.id, |node| {
                    node.set_description(message.aloud());
                });
                drawn.focus(ui, model, Focus::KnownFile, &using);
                if using.clicked() {
                    drawn.act(ShareAction::UseKnownFile);
                }
                for (words, action) in [
                    (text::share_known_file(), ShareAction::ShareKnownFile),
                    (text::dismiss(), ShareAction::LeaveKnownFile),
                ] {
                    if ui.add(Button::new(Loudness::Quiet, words)).clicked() {
                        drawn.act(action);
                    }
                }
            });
        });
    });
}

/// Several things came together: the person says whether they are shared as one.
fn came_together(ui: &mut Ui, model: &Model, together: &Together, drawn: &mut Drawn) {
    let message = text::several_came(together.0.len());
    let id = Id::unique("several things");
    kit::fresh(ui, id, &message.what, |ui| {
        kit::callout(ui, Tone::Info, &message, |ui| {
            let muted = palette(ui).muted;
            let width = ui.available_width();
            kit::middle(ui, &together.name(), Type::Caption, muted, width);
            ui.add_space(space::XS);
            ui.horizontal_wrapped(|ui| {
                let one = ui.add(Button::new(Loudness::Secondary, text::as_one()));
                ui.ctx().accesskit_node_builder(one.id, |node| {
                    node.set_description(message.aloud());
                });
                drawn.focus(ui, model, Focus::Together, &one);
                if one.clicked() {
                    drawn.act(ShareAction::ShareTogether(SeveralThings::AsOne));
                }
                let each = Button::new(Loudness::Secondary, text::one_each());
                if ui.add(each).clicked() {
                    drawn.act(ShareAction::ShareTogether(SeveralThings::OneEach));
                }
                let leave = Button::new(Loudness::Quiet, text::dismiss());
                if ui.add(leave).clicked() {
                    drawn.act(ShareAction::LeaveTogether);
                }
            });
            let (title, about) = text::keep_together();
            if kit::switch(ui, title, about, model.keep_together) {
                drawn.act(ShareAction::KeepTogether(!model.keep_together));
            }
        });
    });
}

/// The card of the first start: three short lines.
fn welcome(ui: &mut Ui, model: &Model, drawn: &mut Drawn) {
    let palette = palette(ui);
    kit::card(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        kit::heading(ui, text::welcome(), Type::Title, palette.text, 1);
        ui.add_space(space::M);
        for (icon, (head, body)) in [Icon::Upload, Icon::ShieldCheck, Icon::HardDrive]
            .into_iter()
            .zip([
                text::welcome_drop(),
                text::welcome_pointer(),
                text::welcome_built_in(),
            ])
        {
            ui.horizontal_top(|ui| {
                ui.spacing_mut().item_spacing.x = space::M;
                let (rect, _) = ui.allocate_exact_size(vec2(measure::ICON_L, 20.0), Sense::hover());
                kit::paint_icon(
                    ui.painter(),
                    rect.center(),
                    icon,
                    measure::ICON_L,
                    palette.accent,
                );
                ui.vertical(|ui| {
                    kit::label(ui, head, Type::Label, palette.text);
                    kit::label(ui, body, Type::Body, palette.muted);
                });
            });
            ui.add_space(space::M);
        }
        ui.add_space(space::XS);
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = egui::Vec2::splat(space::S);
            let start = ui.add(Button::new(Loudness::Primary, text::start()));
            drawn.focus(ui, model, Focus::Start, &start);
            if start.clicked() {
                drawn.act(WindowAction::Start);
            }
            let files = Button::new(Loudness::Secondary, text::choose_files()).tall();
            if ui.add(files.opens_dialog()).clicked() {
                drawn.act(WindowAction::Start);
                drawn.act(ShareAction::ChooseFiles);
            }
        });
    });
}

/// Allocates the drop zone, which is one button; returns its rectangle and whether to draw the focus ring.
fn target(ui: &mut Ui, model: &Model, height: f32, said: &str, drawn: &mut Drawn) -> (Rect, bool) {
    let palette = palette(ui);
    let (rect, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::click());
    // The card of the first start has a button of that name.
    let name = if model.first_start {
        said
    } else {
        text::choose_files()
    };
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
    ui.ctx()
        .accesskit_node_builder(response.id, |node| node.set_description(said));
    drawn.focus(ui, model, Focus::Zone, &response);
    if response.has_focus() && !model.transfers.is_empty() {
        to_the_rows(ui, &response, drawn);
    }
    let time = motion::hover(ui);
    let t = ui
        .ctx()
        .animate_bool_with_time(response.id, response.hovered(), time);
    let radius = CornerRadius::same(10);
    ui.painter().rect_filled(
        rect,
        radius,
        palette.surface.lerp_to_gamma(palette.accent_tint, t),
    );
    let ink = palette.control_border.lerp_to_gamma(palette.accent, t);
    kit::follow_focus(ui, &response);
    // It stays what it looks like: a place to drop something on.
    let focused = kit::shows_focus(ui, &response);
    let stroke = if focused {
        Stroke::new(palette.ring, palette.accent)
    } else {
        Stroke::new(1.5, ink)
    };
    dashed(ui, rect, stroke);
    if response.clicked() {
        drawn.act(ShareAction::ChooseFiles);
    }
    (rect, focused)
}

/// With the arrow down the keyboard goes on to the first transfer, not to what happens to lie between.
fn to_the_rows(ui: &Ui, zone: &egui::Response, drawn: &mut Drawn) {
    let filter = EventFilter {
        vertical_arrows: true,
        ..EventFilter::default()
    };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(zone.id, filter));
    let (down, up) = ui.input_mut(|input| {
        let mut pressed = |key| input.consume_key(Modifiers::NONE, key);
        (pressed(Key::ArrowDown), pressed(Key::ArrowUp))
    });
    if down {
        drawn.act(FocusAction::Region(Region::Rows));
    } else if up {
        ui.memory_mut(|memory| memory.move_focus(FocusDirection::Up));
    }
}

/// The large drop zone, shown while the list is empty.
fn zone(ui: &mut Ui, model: &Model, context: ViewContext, height: f32, drawn: &mut Drawn) {
    let title = if context.drops {
        text::drop_here()
    } else {
        text::choose_or_paste()
    };
    let width = ui.available_width() - 2.0 * space::L;
    let words = kit::text_height(ui, title, Type::Title, width)
        + kit::text_height(ui, text::sealed_here(), Type::Body, width);
    let content = measure::ICON_XL + space::L + words + space::XS + space::XL + measure::PRIMARY;
    let height = height.max(content + 2.0 * space::L);
    let palette = palette(ui);
    let (rect, focused) = target(ui, model, height, title, drawn);
    let block = Rect::from_center_size(rect.center(), vec2(width, content));
    kit::inside(ui, "words", block, Layout::top_down(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        kit::icon(ui, Icon::Upload, measure::ICON_XL, palette.accent);
        ui.add_space(space::L);
        kit::label(ui, title, Type::Title, palette.text);
        ui.add_space(space::XS);
        kit::label(ui, text::sealed_here(), Type::Body, palette.muted);
        ui.add_space(space::XL);
        let button = painted_button(ui, !model.lacks_relays(), palette);
        if focused {
            // Enter presses what this looks like.
            let stroke = Stroke::new(palette.ring, palette.accent);
            let around = button.expand(palette.ring);
            ui.painter()
                .rect_stroke(around, CornerRadius::same(8), stroke, StrokeKind::Outside);
        }
    });
}

/// Looks like a button; the whole zone is one, so this has no name of its own.
fn painted_button(ui: &mut Ui, primary: bool, palette: &Palette) -> Rect {
    let (fill, ink) = if primary {
        (palette.accent_fill, palette.on_fill)
    } else {
        (palette.control, palette.text)
    };
    let lay = |text: String, kind: Type| ui.painter().layout_no_wrap(text, kind.font(), ink);
    let word = lay(text::choose_files().to_owned(), Type::Label);
    let keys = lay(
        ui.ctx().format_shortcut(&crate::gui::commands::CHOOSE),
        Type::Caption,
    );
    let whole = word.size().x + keys.size().x + space::M + 2.0 * space::L;
    let room = ui.available_width();
    let width = if whole > room {
        word.size().x + 2.0 * space::M
    } else {
        whole
    };
    let (rect, _) = ui.allocate_exact_size(vec2(width, measure::PRIMARY), Sense::hover());
    ui.painter().rect_filled(rect, CornerRadius::same(6), fill);
    let y = |tall: f32| rect.center().y - tall / 2.0;
    if whole > room {
        let at = Pos2::new(rect.left() + space::M, y(word.size().y));
        ui.painter().galley(at, word, ink);
        return rect;
    }
    let after = rect.right() - space::L - keys.size().x;
    let after = Pos2::new(after, y(keys.size().y));
    let at = Pos2::new(rect.left() + space::L, y(word.size().y));
    ui.painter().galley(at, word, ink);
    ui.painter().galley(after, keys, ink);
    rect
}

/// The drop zone of one line, shown when something else needs the room.
pub(super) fn small_zone(
    ui: &mut Ui,
    model: &Model,
    context: ViewContext,
    one_line: bool,
    drawn: &mut Drawn,
) {
    let title = match (context.drops, model.transfers.is_empty()) {
        (true, true) => text::drop_here(),
        (true, false) => text::drop_more(),
        (false, true) => text::choose_or_paste(),
        (false, false) => text::choose_more(),
    };
    let room = ui.available_width() - 2.0 * space::L;
    if one_line {
        let room = room - measure::ICON_L - space::S;
        let words = ui.painter().layout(
            title.to_owned(),
            Type::Label.font(),
            egui::Color32::PLACEHOLDER,
            room,
        );
        let height = (words.size().y + 2.0 * space::L).max(52.0);
        let palette = palette(ui);
        let (rect, _) = target(ui, model, height, title, drawn);
        let width = measure::ICON_L + space::S + words.size().x;
        let left = rect.center().x - width / 2.0;
        let at = Pos2::new(left + measure::ICON_L / 2.0, rect.center().y);
        kit::paint_icon(
            ui.painter(),
            at,
            Icon::Upload,
            measure::ICON_L,
            palette.accent,
        );
        let at = Pos2::new(
            left + measure::ICON_L + space::S,
            rect.center().y - words.size().y / 2.0,
        );
        ui.painter().galley(at, words, palette.text);
        return;
    }
    let words = kit::text_height(ui, title, Type::Label, room);
    let content = 24.0 + space::S + words;
    let palette = palette(ui);
    let (rect, _) = target(ui, model, content + 44.0, title, drawn);
    let block = Rect::from_center_size(rect.center(), vec2(room, content));
    kit::inside(ui, "words", block, Layout::top_down(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.y = space::S;
        kit::icon(ui, Icon::Upload, 24.0, palette.accent);
        kit::label(ui, title, Type::Label, palette.text);
    });
}

/// The button that leads to Settings, shown where no relay reaches the server.
fn way_out(ui: &mut Ui, loud: bool, drawn: &mut Drawn) {
    kit::callout(ui, Tone::Warning, &text::relays_missing(), |ui| {
        ui.add_space(space::S);
        let loudness = if loud {
            Loudness::Primary
        } else {
            Loudness::Secondary
        };
        if ui.add(Button::new(loudness, text::choose_list())).clicked() {
            drawn.act(RelayAction::ChooseFile);
        }
    });
}

/// The lines under the drop zone: where a file goes, how large it may be, how long it stays; and the button for its
/// options.
fn terms(ui: &mut Ui, model: &Model, drawn: &mut Drawn) {
    let (icon, place) = match model.settings.chosen_entry() {
        None => (Icon::HardDrive, text::built_in_stays().to_owned()),
        Some(server) => {
            let name = model.settings.name_in_list(server);
            (Icon::Server, text::goes_to(name))
        }
    };
    let terms = model.chosen_terms();
    let limit = text::limit(terms);
    let kept = text::kept_for(model.share_options.keep, terms);
    let work = text::asks_work(terms);
    let parts: Vec<_> = std::iter::once(place.as_str())
        .chain(limit.as_deref())
        .chain([kept.as_str()])
        .chain(work.as_deref())
        .collect();
    let words = if model.options_open {
        text::hide_options()
    } else {
        text::options()
    };
    let folder = || Button::new(Loudness::Quiet, text::choose_folder()).opens_dialog();
    let mut buttons = |ui: &mut Ui, edge: Flush| {
        let choose = match edge {
            Flush::Left => folder().flush(edge),
            Flush::Right => folder(),
        };
        if ui.add(choose).clicked() {
            drawn.act(ShareAction::ChooseFolder);
        }
        let options = Button::new(Loudness::Quiet, words);
        let options = match edge {
            Flush::Left => options,
            Flush::Right => options.flush(edge),
        };
        let button = ui.add(options);
        kit::says_expanded(&button, model.options_open);
        if button.clicked() {
            drawn.act(ShareAction::ShowOptions(!model.options_open));
        }
    };
    let whole = ui.available_width();
    let button = Button::new(Loudness::Quiet, words).flush(Flush::Right);
    let width = folder().width(ui) + ui.spacing().item_spacing.x + button.width(ui);
    let room = whole - width - space::S;
    if model.first_start || room < 220.0 {
        kit::Hint::new(ui, icon, &parts, whole).show(ui);
        if !model.first_start {
            ui.horizontal_wrapped(|ui| buttons(ui, Flush::Left));
        }
        return;
    }
    let hint = kit::Hint::new(ui, icon, &parts, room);
    let height = hint.height().max(measure::CONTROL);
    let left = |ui: &mut Ui| {
        hint.show(ui);
    };
    kit::sides(ui, height, width, left, |ui| {
        buttons(ui, Flush::Right);
    });
}

/// A dashed outline with round corners.
fn dashed(ui: &Ui, rect: Rect, stroke: Stroke) {
    let rect = rect.shrink(stroke.width / 2.0);
    let radius = measure::CARD_RADIUS;
    let mut path = Vec::new();
    for (corner, from) in [
        (
            Pos2::new(rect.right() - radius, rect.top() + radius),
            -90.0_f32,
        ),
        (
            Pos2::new(rect.right() - radius, rect.bottom() - radius),
            0.0,
        ),
        (
            Pos2::new(rect.left() + radius, rect.bottom() - radius),
            90.0,
        ),
        (Pos2::new(rect.left() + radius, rect.top() + radius), 180.0),
    ] {
        for step in 0..=8_u8 {
            let angle = (from + f32::from(step) * 11.25).to_radians();
            path.push(corner + radius * vec2(angle.cos(), angle.sin()));
        }
    }
    path.extend(path.first().copied());
    ui.painter()
        .extend(Shape::dashed_line(&path, stroke, 6.0, 5.0));
}
