//! Draws the model. A view draws plain data and returns actions; it opens no file and holds no state of its own.

mod form;
#[cfg(feature = "testing")]
mod gallery;
mod join;
mod keeping;
mod listing;
mod networks;
mod nodes;
mod options;
mod receive;
mod relays;
mod row_menu;
mod settings;
mod share;
mod sheets;
mod transfers;
mod undo;

use egui::accesskit::Live;
use egui::{
    Align, Area, Frame, Id, Layout, Margin, Order, Panel, Pos2, Rect, Role, ScrollArea, Stroke, Ui,
    UiBuilder, WidgetInfo, vec2,
};

use super::fonts::Icon;
use super::kit;
use super::model::{
    Action, Announcement, Arrival, Focus, FocusAction, Hover, Model, ReceiveAction, Region, Screen,
    ServerStanding, SettingsAction, ShareAction, TransferId, WindowAction,
};
use super::text;
use super::tokens::{Type, measure, palette, palette_of, space};
use crate::app::transfer::known_file::KnownFile;
use crate::app::words::message::Remedy;

/// Outcome of drawing one frame.
#[derive(Default)]
pub(super) struct Drawn {
    pub(super) actions: Vec<Action>,
    /// Whether the focus went where the model wanted it.
    pub(super) focused: bool,
    /// Where the transfers begin, if there are any.
    pub(super) rows_top: Option<f32>,
}

impl Drawn {
    fn act(&mut self, action: impl Into<Action>) {
        self.actions.push(action.into());
    }

    /// Takes the action of a control that may not have been used.
    fn act_if(&mut self, action: Option<impl Into<Action>>) {
        self.actions.extend(action.map(Into::into));
    }

    /// Gives the keyboard to `response` if the model wants it there.
    fn focus(&mut self, ui: &Ui, model: &Model, wanted: Focus, response: &egui::Response) {
        if model.focus == Some(wanted) && model.modal.is_none() {
            response.request_focus();
            kit::into_view(ui, response);
            self.focused = true;
        }
    }
}

/// Facts beside the model that one frame is drawn with.
#[derive(Clone, Copy, Debug)]
pub(super) struct ViewContext {
    /// Files can be dropped on the window (not so on Wayland).
    pub(super) drops: bool,
    /// The window is in front.
    pub(super) in_front: bool,
    /// The time of this frame, in unix seconds.
    pub(super) now: u64,
}

impl ViewContext {
    /// Whether pointers are dots now.
    fn masks(self, model: &Model) -> bool {
        model.settings.mask_pointers && !self.in_front
    }
}

/// The whole window.
pub(super) fn window(ui: &mut Ui, model: &Model, context: ViewContext) -> Drawn {
    let mut drawn = Drawn::default();
    ui.ctx()
        .accesskit_node_builder(egui::accesskit_root_id(), |node| node.set_label(text::NAME));
    let covered = model.modal.is_some();
    let palette = palette(ui);
    Panel::top("bar")
        .exact_size(measure::BAR)
        .show_separator_line(false)
        .frame(
            Frame::new()
                .fill(palette.page)
                .inner_margin(Margin::symmetric(
                    if ui.available_width() < 330.0 { 8 } else { 16 },
                    0,
                )),
        )
        .show(ui, |ui| {
            kit::unheard(ui, covered);
            bar(ui, model, &mut drawn);
        });
    if model.screen == Screen::Settings {
        way(ui);
    }
    egui::CentralPanel::default()
        .frame(Frame::new().fill(palette.page))
        .show(ui, |ui| {
            kit::unheard(ui, covered);
            page(ui, model, context, &mut drawn);
        });
    if let Some(hover) = &model.hover {
        let used = model.used_when_dropped(&hover.paths);
        overlay(ui.ctx(), hover, used.map(|(known, _)| known));
    }
    undo::bar(ui.ctx(), model, &mut drawn);
    sheets::show(ui.ctx(), model, context, &mut drawn);
    announce(ui, &model.announcement);
    drawn
}

/// The open screen in a column that scrolls, below what the window has to say.
fn page(ui: &mut Ui, model: &Model, context: ViewContext, drawn: &mut Drawn) {
    let margin = if ui.available_width() < 330.0 {
        space::S
    } else if ui.available_width() < measure::NARROW {
        space::L
    } else {
        space::XL
    };
    let height = ui.available_height();
    let screen = match model.screen {
        Screen::Share => "share",
        Screen::Receive => "receive",
        Screen::Settings => "settings",
        #[cfg(feature = "testing")]
        Screen::Gallery => "gallery",
    };
    ScrollArea::vertical()
        .id_salt(screen)
        .auto_shrink([false, false])
        .show(ui, |ui| {
            let width = (ui.available_width() - 2.0 * margin).min(measure::COLUMN);
            let left = ui.max_rect().left() + (ui.available_width() - width) / 2.0;
            let column = Rect::from_min_size(
                Pos2::new(left.round(), ui.max_rect().top()),
                vec2(width, f32::INFINITY),
            );
            ui.scope_builder(
                UiBuilder::new()
                    .max_rect(column)
                    .layout(Layout::top_down(Align::Min)),
                |ui| {
                    ui.spacing_mut().item_spacing.y = space::L;
                    ui.add_space(space::S);
                    let id = Id::unique(("screen", screen));
                    kit::part(ui, id, Role::Main, "", |ui| {
                        notice(ui, model, drawn);
                        kit::place(ui, id.with("content"), |ui| {
                            content(ui, model, context, height, drawn);
                        });
                    });
                    // The bar floats over the foot of the page: what is under it can be scrolled up.
                    ui.add_space(space::S.max(undo::covers(ui.ctx(), model)));
                },
            );
        });
}

/// The open screen.
fn content(ui: &mut Ui, model: &Model, context: ViewContext, height: f32, drawn: &mut Drawn) {
    match model.screen {
        Screen::Share => share::screen(ui, model, context, height, drawn),
        Screen::Receive => receive::screen(ui, model, context, height, drawn),
        Screen::Settings => settings::screen(ui, model, context, drawn),
        #[cfg(feature = "testing")]
        Screen::Gallery => gallery::screen(ui, model, context, drawn),
    }
}

/// The tabs of the Settings screen, on a line of their own above it.
fn way(ui: &mut Ui) {
    let palette = palette(ui);
    let whole = ui.available_width();
    let beside = if whole < measure::NARROW {
        space::L
    } else {
        space::XL
    };
    // The words begin where those of the page begin.
    let beside = beside.max((whole - measure::COLUMN) / 2.0) - space::S;
    let width = whole - 2.0 * beside;
    let Some(height) = settings::way_height(ui, width) else {
        return;
    };
    Panel::top("way")
        .exact_size(height + space::S)
        .show_separator_line(false)
        .frame(Frame::new().fill(palette.page))
        .show(ui, |ui| {
            let from = ui.max_rect().min + vec2(beside, 0.0);
            let place = Rect::from_min_size(from, vec2(width, height));
            ui.scope_builder(UiBuilder::new().max_rect(place), settings::way);
        });
}

/// What was said last, above the screen, and brought into view when it is new.
fn notice(ui: &mut Ui, model: &Model, drawn: &mut Drawn) {
    let Some(notice) = &model.notice else {
        return;
    };
    let id = Id::unique("notice");
    // Nothing works before the person has chosen.
    let (words, action) = if notice.message.remedy() == Remedy::DefaultSettings {
        (
            text::remedy_default_settings(),
            Action::Settings(SettingsAction::UseDefaults),
        )
    } else {
        (text::dismiss(), Action::Window(WindowAction::DismissNotice))
    };
    let aloud = text::notice_aloud(notice);
    let button = kit::fresh(ui, id, &aloud, |ui| kit::notice(ui, notice, words));
    drawn.focus(ui, model, Focus::Notice, &button);
    if button.clicked() {
        drawn.act(action);
    }
}

/// What screen readers say by themselves: a point without a picture. Each announcement is a point of its own: the same
/// words again are said again.
fn announce(ui: &Ui, announcement: &Announcement) {
    let Some(words) = text::announcement(announcement) else {
        return;
    };
    let at = Rect::from_min_size(ui.max_rect().min, egui::Vec2::splat(1.0));
    let id = Id::unique(("announcement", announcement.number));
    let response = ui.interact(at, id, egui::Sense::hover());
    let role = if announcement.urgent {
        Role::Alert
    } else {
        Role::Status
    };
    response.widget_info(|| WidgetInfo::labeled(role, true, &words));
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_live(if announcement.urgent {
            Live::Assertive
        } else {
            Live::Polite
        });
        node.set_value(&*words);
    });
}

fn bar(ui: &mut Ui, model: &Model, drawn: &mut Drawn) {
    let whole = ui.max_rect();
    let narrow = whole.width() < measure::NARROW + 60.0;
    let tiny = whole.width() < 330.0;
    let palette = palette(ui);
    // The switch stands in the middle of the window, whatever is beside it.
    let row = |from: f32, to: f32| Rect::from_x_y_ranges(from..=to, whole.y_range());
    let screens = [
        (Screen::Share, text::share()),
        (Screen::Receive, text::receive()),
    ];
    let beside = 2.0 * measure::CONTROL + space::L;
    let room = whole.width() - beside;
    let words = kit::segments_fit(ui, &screens, room);
    let switch_width = kit::segmented_width(ui, &screens).min(room);
    let middle = if tiny {
        whole.left() + switch_width / 2.0
    } else if narrow {
        whole.left() + 30.0 + switch_width / 2.0
    } else {
        whole.center().x
    };
    let switch = row(middle - switch_width / 2.0, middle + switch_width / 2.0);
    let centred = Layout::left_to_right(Align::Center);
    kit::inside(
        ui,
        "mark",
        row(whole.left(), switch.left()),
        centred,
        |ui| {
            if !tiny {
                kit::mark(ui);
            }
            if !narrow {
                ui.add(egui::Label::new(kit::rich(
                    text::NAME,
                    Type::Section,
                    palette.text,
                )));
            }
        },
    );
    kit::inside(
        ui,
        "switch",
        switch,
        Layout::left_to_right(Align::Center),
        |ui| {
            let chosen = Some(model.screen);
            let icons: &[Icon] = if words {
                &[]
            } else {
                &[Icon::Upload, Icon::Download]
            };
            let switch = kit::segmented_tabs(ui, text::screen(), &screens, icons, chosen);
            if let Some(screen) = switch.pressed {
                drawn.act(WindowAction::Go(screen));
            }
            if switch.by_arrow {
                drawn.act(FocusAction::Region(Region::Bar));
            }
            if let Some(chosen) = &switch.chosen {
                drawn.focus(ui, model, Focus::Switch, chosen);
            }
        },
    );
    let place = row(switch.right() + space::S, whole.right());
    kit::at_right(ui, place, |ui| {
        destination_and_gear(ui, model, place.width(), drawn);
    });
}

/// Where files go and how that server stands, then the gear that opens Settings, within this width.
fn destination_and_gear(ui: &mut Ui, model: &Model, width: f32, drawn: &mut Drawn) {
    ui.spacing_mut().item_spacing.x = space::S;
    let (icon, name) = destination(model);
    let standing = model.server_standing();
    let warns = matches!(
        standing,
        ServerStanding::LacksRelays | ServerStanding::Failed(_)
    );
    let sign = match standing {
        ServerStanding::LacksRelays | ServerStanding::Failed(_) => Icon::Warning,
        ServerStanding::Passed => Icon::CircleCheck,
        ServerStanding::Untried => icon,
    };
    let room = width - measure::CONTROL - space::S;
    let status = kit::status(ui, sign, name, warns, room);
    let words = text::server_standing(standing);
    ui.ctx()
        .accesskit_node_builder(status.id, |node| node.set_description(&*words));
    if status.on_hover_text(words).clicked() {
        drawn.act(WindowAction::Go(Screen::Settings));
    }
    let open = model.screen == Screen::Settings;
    let gear = kit::icon_toggle(ui, Icon::Settings, text::settings(), open);
    ui.ctx()
        .accesskit_node_builder(gear.id, |node| node.set_toggled(open.into()));
    drawn.focus(ui, model, Focus::Settings, &gear);
    if model.focus == Some(Focus::Switch) && switch_is_off(model) {
        drawn.focus(ui, model, Focus::Switch, &gear);
    }
    if gear.clicked() {
        drawn.act(WindowAction::Go(if open {
            Screen::Share
        } else {
            Screen::Settings
        }));
    }
}

/// Whether neither Share nor Receive is the open screen.
fn switch_is_off(model: &Model) -> bool {
    !matches!(model.screen, Screen::Share | Screen::Receive)
}

fn destination(model: &Model) -> (Icon, &str) {
    match model.settings.chosen_entry() {
        None => (Icon::HardDrive, text::built_in()),
        Some(server) => (Icon::Server, model.settings.name_in_list(server)),
    }
}

/// Drawn over everything while files hang over the window.
fn overlay(ctx: &egui::Context, hover: &Hover, used: Option<KnownFile>) {
    let palette = palette_of(ctx);
    let area = Area::new(Id::unique("drop overlay"))
        .order(Order::Foreground)
        .fixed_pos(Pos2::ZERO)
        .interactable(false);
    area.show(ctx, |ui| {
        let window = ctx.content_rect();
        // Nothing shows through: words on words can be read by nobody.
        let (ink, ground) = (palette.accent, palette.accent_tint);
        ui.painter().rect_filled(window, 0.0, palette.page);
        ui.painter().rect_filled(window, 0.0, ground);
        ui.painter().rect_stroke(
            window.shrink(space::M),
            measure::CARD_RADIUS,
            Stroke::new(2.0, ink),
            egui::StrokeKind::Inside,
        );
        let names: Vec<String> = hover
            .paths
            .iter()
            .map(|path| crate::app::words::harmless::shown_name(path))
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let title = if let Some(known) = used {
            text::hover_known(known, &names.join(""))
        } else {
            text::hover_title(&names)
        };
        let width = window.width() - 96.0;
        // A file's name gives way in its middle, a sentence goes on on the next line.
        let is_name = names.len() == 1;
        let title_height = if is_name {
            Type::Title.line()
        } else {
            kit::text_height(ui, &title, Type::Title, width)
        };
        let height = measure::ICON_XL + space::L + title_height;
        let block = Rect::from_center_size(window.center(), vec2(width, height));
        kit::inside(ui, "words", block, Layout::top_down(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.y = space::S;
            kit::icon(ui, Icon::Upload, measure::ICON_XL, ink);
            ui.add_space(space::S);
            if is_name {
                kit::middle(ui, &title, Type::Title, palette.text, block.width());
            } else {
                kit::label(ui, &*title, Type::Title, palette.text);
            }
        });
    });
}

/// The action of Esc: closes the topmost thing that is open. A question handles Esc itself.
pub(super) fn escape(model: &Model) -> Option<Action> {
    if model.modal.is_some() || model.has_menu() {
        None
    } else if model.hover.is_some() {
        Some(Arrival::Hovering(Vec::new()).into())
    } else if model.notice.is_some() {
        Some(WindowAction::DismissNotice.into())
    } else if model.screen == Screen::Share && !model.undecided.is_empty() {
        Some(ShareAction::LeaveKnownFile.into())
    } else if model.screen == Screen::Share && !model.together.is_empty() {
        Some(ShareAction::LeaveTogether.into())
    } else if model.first_start && model.screen == Screen::Share {
        Some(WindowAction::Start.into())
    } else if model.screen == Screen::Receive && model.receive.opened.is_some() {
        Some(ReceiveAction::KeepPointer.into())
    } else if model.screen == Screen::Receive && !model.receive.text.as_str().is_empty() {
        Some(ReceiveAction::Clear.into())
    } else if switch_is_off(model) {
        Some(WindowAction::Go(Screen::Share).into())
    } else {
        None
    }
}

fn row_id(id: TransferId) -> Id {
    Id::unique(("transfer", id))
}
