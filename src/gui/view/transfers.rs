//! The list of transfers, the same under Share and Receive: a row each, from waiting to done or failed.

use egui::{
    Align, EventFilter, Id, Key, Layout, Modifiers, Pos2, Rect, Role, Sense, Ui, UiBuilder,
    WidgetInfo, vec2,
};

use super::{Drawn, ViewContext, networks, row_id, row_menu};
use crate::app::transfer::stage::Stage;
use crate::app::words::message::Remedy;
use crate::gui::fonts::Icon;
use crate::gui::kit::{self, BETWEEN, Button, Flush, Loudness};
use crate::gui::model::{
    Action, Beside, Filter, Focus, FocusAction, ListAction, Managed, Milestone, Model, RowAction,
    Screen, ServerAction, ShareResult, Told, Tone, Transfer, TransferId, TransferJob,
    TransferState,
};
use crate::gui::text;
use crate::gui::tokens::{Type, measure, palette, space};

pub(super) fn list(ui: &mut Ui, model: &Model, context: ViewContext, drawn: &mut Drawn) {
    // One primary button on a screen: on Share that of the newest pointer, while nothing else asks to be done.
    let loud = model
        .transfers
        .iter()
        .find(|transfer| matches!(transfer.state, TransferState::Shared(_)));
    let loud = loud
        .map(|transfer| transfer.id)
        .filter(|_| model.screen != Screen::Receive)
        .filter(|_| !model.first_start && !model.lacks_relays());
    drawn.rows_top = Some(ui.cursor().top());
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = space::M;
        // What is above the list keeps more distance from it than its parts do from each other.
        let mut topmost = model.transfers.len() <= FILTERED_FROM || !model.can_be_filtered();
        if !topmost {
            filter(ui, model, drawn);
        }
        let mut rows = model.listed().peekable();
        while let Some(kind) = rows.peek().map(|row| Filter::of(row)) {
            let heading = text::rows_heading(kind);
            // Nearer to its rows than to what is above.
            let above = if std::mem::take(&mut topmost) {
                space::S
            } else {
                space::M
            };
            ui.add_space(above);
            ui.spacing_mut().item_spacing.y = space::S;
            kit::heading(ui, heading, Type::Label, palette(ui).muted, 2);
            ui.spacing_mut().item_spacing.y = space::M;
            let list = UiBuilder::new()
                .scope_id(Id::unique(("rows", kind == Filter::Received)))
                .accessibility_role(Role::List)
                .accessibility_label(heading);
            ui.scope_builder(list, |ui| {
                while let Some(transfer) = rows.next_if(|row| Filter::of(row) == kind) {
                    let loud = loud == Some(transfer.id);
                    row(ui, model, context, transfer, loud, drawn);
                }
            });
        }
        earlier(ui, model, drawn);
    });
}

/// One row, and what the keyboard does on it.
fn row(
    ui: &mut Ui,
    model: &Model,
    context: ViewContext,
    transfer: &Transfer,
    loud: bool,
    drawn: &mut Drawn,
) {
    let id = row_id(transfer.id);
    // Readers speak what the keyboard comes to, and none of them a list item whose name changes: so the row is a new one
    // when something has become of its file, and keeps the keyboard.
    let outer = id.with(phase(model, transfer));
    let before: Option<Id> = ui.data(|data| data.get_temp(id));
    if before != Some(outer) {
        ui.data_mut(|data| data.insert_temp(id, outer));
        ui.memory_mut(|memory| {
            if before.is_some_and(|before| memory.has_focus(before)) {
                memory.request_focus(outer);
            }
        });
    }
    // The row itself is below its buttons: they are reached first by the pointer, after it by the keyboard.
    let whole = ui.scope_builder(
        UiBuilder::new().scope_id(outer).sense(Sense::click()),
        |ui| {
            let row = ui.response();
            kit::place(ui, id, |ui| {
                kit::card(ui, |ui| {
                    ui.spacing_mut().item_spacing = vec2(space::S, space::XS);
                    head(ui, model, context, transfer, drawn);
                    body(ui, model, context, transfer, loud, drawn);
                });
            });
            row
        },
    );
    let row = whole.inner.with_new_rect(whole.response.rect);
    keys(ui, model, context, transfer, &row, drawn);
    keep_whole(ui, transfer.id, &row);
}

/// Brings a row that has the keyboard into view again when it grows, as by what went wrong and its remedy; not where the
/// person has scrolled away from it.
fn keep_whole(ui: &Ui, transfer: TransferId, row: &egui::Response) {
    if !row.has_focus() {
        return;
    }
    let key = Id::unique("height of the row with the keyboard");
    let height = row.rect.height();
    let before: Option<(TransferId, f32)> = ui.data(|data| data.get_temp(key));
    ui.data_mut(|data| data.insert_temp(key, (transfer, height)));
    let grew = before.is_some_and(|(before, tall)| before == transfer && tall < height);
    if grew && ui.clip_rect().intersects(row.rect) {
        kit::into_view(ui, row);
    }
}

/// Number of rows from which the list can be filtered.
const FILTERED_FROM: usize = 5;

fn filter(ui: &mut Ui, model: &Model, drawn: &mut Drawn) {
    let filters = [Filter::All, Filter::Shared, Filter::Received]
        .map(|filter| (filter, text::filter(filter).to_owned()));
    let chosen = kit::chips(ui, text::transfers(), &filters, model.filter);
    drawn.act_if(chosen.map(ListAction::Filter));
}

/// The notes below the list, and the button for earlier rows.
fn earlier(ui: &mut Ui, model: &Model, drawn: &mut Drawn) {
    let palette = palette(ui);
    if model.listed().next().is_none() {
        kit::label(ui, text::none_of_these(), Type::Body, palette.muted);
    }
    let fleeting = text::list_session(model.history);
    if let Some(words) = fleeting.filter(|_| !model.transfers.is_empty()) {
        kit::label(ui, words, Type::Caption, palette.muted);
    }
    let more = model.unlisted();
    if more > 0 {
        ui.vertical_centered(|ui| {
            let words = text::show_earlier(more);
            if ui.add(Button::new(Loudness::Quiet, &words)).clicked() {
                drawn.act(ListAction::ShowEarlier);
            }
        });
    }
}

/// Makes the row focusable and handles its keys.
fn keys(
    ui: &Ui,
    model: &Model,
    context: ViewContext,
    transfer: &Transfer,
    row: &egui::Response,
    drawn: &mut Drawn,
) {
    let name = spoken(model, transfer, context.now);
    row.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, &name));
    if let Some(said) = model.said_beside(transfer.id).map(text::notice_aloud) {
        ui.ctx()
            .accesskit_node_builder(row.id, |node| node.set_description(said));
    }
    drawn.focus(ui, model, Focus::Row(transfer.id), row);
    kit::focus_ring(ui, row, measure::CARD_RADIUS);
    if row.secondary_clicked() {
        drawn.act(Action::Row(transfer.id, RowAction::OpenRowMenu));
    }
    if !row.has_focus() || model.modal.is_some() || model.has_menu() {
        return;
    }
    // Else egui takes the arrows, and moves the keyboard to whatever stands above or below.
    ui.memory_mut(|memory| {
        let filter = EventFilter {
            vertical_arrows: true,
            ..EventFilter::default()
        };
        memory.set_focus_lock_filter(row.id, filter);
    });
    let id = transfer.id;
    let end = if transfer.is_unfinished() {
        Action::Row(id, RowAction::Cancel)
    } else {
        Action::Row(id, RowAction::Remove)
    };
    for (modifiers, key, action) in [
        (
            Modifiers::NONE,
            Key::ArrowUp,
            Action::Focus(FocusAction::Beside(id, Beside::Above)),
        ),
        (
            Modifiers::NONE,
            Key::ArrowDown,
            Action::Focus(FocusAction::Beside(id, Beside::Below)),
        ),
        (
            Modifiers::NONE,
            Key::Enter,
            Action::Row(id, RowAction::Main),
        ),
        (Modifiers::NONE, Key::Delete, end),
        (
            Modifiers::NONE,
            Key::Menu,
            Action::Row(id, RowAction::OpenRowMenu),
        ),
        (
            Modifiers::SHIFT,
            Key::F10,
            Action::Row(id, RowAction::OpenRowMenu),
        ),
    ] {
        if ui.input_mut(|input| input.consume_key(modifiers, key)) {
            drawn.act(action);
        }
    }
    // The keys for copying come as an event, since they differ by system.
    if ui.input(|input| input.events.contains(&egui::Event::Copy)) {
        drawn.act(Action::Row(id, RowAction::CopyPointer));
    }
}

fn body(
    ui: &mut Ui,
    model: &Model,
    context: ViewContext,
    transfer: &Transfer,
    loud: bool,
    drawn: &mut Drawn,
) {
    indented(ui, |ui| match &transfer.state {
        TransferState::Asked => asked(ui, transfer, drawn),
        TransferState::Waiting => {}
        TransferState::Running(stage) => running(ui, transfer, *stage, drawn),
        TransferState::Shared(shared) => {
            if !shared.gone {
                done(ui, model, context, transfer, shared, loud, drawn);
            }
            told(ui, model, transfer, shared.gone, drawn);
            aside(ui, transfer);
        }
        TransferState::Received(_) => {
            received(ui, transfer, drawn);
            aside(ui, transfer);
        }
        TransferState::Failed(trouble) => {
            ui.add_space(space::XS);
            kit::said(ui, &text::trouble(trouble));
            stands_at(ui, transfer);
            again(ui, transfer, drawn);
        }
        TransferState::Cancelled | TransferState::Interrupted | TransferState::Paused => {
            stands_at(ui, transfer);
            told(ui, model, transfer, false, drawn);
            again(ui, transfer, drawn);
        }
        TransferState::Discarding => {}
    });
}

const TILE: f32 = 36.0;
const INDENT: f32 = TILE + space::M;
/// Width of a row, in points, below which details stand under the tile and not beside it.
const NARROW: f32 = 420.0;

/// Indents the details of a row to the name, or where there is no room to the tile.
fn indented<R>(ui: &mut Ui, add: impl FnOnce(&mut Ui) -> R) -> R {
    let indent = if ui.available_width() < NARROW {
        0.0
    } else {
        INDENT
    };
    let rect = Rect::from_min_max(ui.cursor().min + vec2(indent, 0.0), ui.max_rect().max);
    ui.scope_builder(
        UiBuilder::new()
            .max_rect(rect)
            .layout(Layout::top_down(Align::Min)),
        add,
    )
    .inner
}

/// The head of a row: icon, name and one line of facts, with its buttons at the right.
fn head(ui: &mut Ui, model: &Model, context: ViewContext, transfer: &Transfer, drawn: &mut Drawn) {
    let palette = palette(ui);
    let narrow = ui.available_width() < NARROW;
    let state = state_badge(transfer);
    let badge = match state {
        Some((_, _, word)) if !narrow => 48.0 + kit::width_of(ui, word, Type::Caption.font()),
        _ => 0.0,
    };
    let cross = if transfer.is_unfinished() {
        measure::CONTROL + space::S
    } else {
        0.0
    };
    let (icon, ink, ground) = match transfer.state {
        TransferState::Failed(_) => (Icon::CircleAlert, palette.danger, palette.danger_tint),
        TransferState::Received(_) => match state {
            Some((tone, icon, _)) => {
                let (ink, ground, _) = kit::tone_colors(palette, tone);
                (icon, ink, ground)
            }
            None => (Icon::File, palette.muted, palette.sunken),
        },
        TransferState::Shared(ref shared) if shared.gone => {
            (Icon::Trash, palette.muted, palette.sunken)
        }
        TransferState::Shared(_) => (Icon::Check, palette.success, palette.success_tint),
        TransferState::Asked
        | TransferState::Waiting
        | TransferState::Interrupted
        | TransferState::Paused => (direction(transfer), palette.muted, palette.sunken),
        TransferState::Discarding => (Icon::Trash, palette.muted, palette.sunken),
        TransferState::Cancelled => (Icon::Ban, palette.muted, palette.sunken),
        TransferState::Running(_) => (direction(transfer), palette.accent, palette.accent_tint),
    };
    let right = measure::CONTROL + cross + badge;
    let width = (ui.available_width() - right - space::S - TILE - space::M).max(40.0);
    let words = shown_facts(ui, transfer, context.now, narrow, width);
    // A path gives way in its middle; words that people read go on on the next line.
    let is_path = matches!(transfer.state, TransferState::Received(_)) && !narrow;
    let below = if is_path {
        Type::Caption.line()
    } else {
        kit::text_height(ui, &words, Type::Caption, width)
    };
    let height = Type::Label.line() + 2.0 + below;
    kit::sides(
        ui,
        height.max(40.0),
        right,
        |ui| {
            ui.spacing_mut().item_spacing.x = space::M;
            kit::tile(ui, TILE, icon, ink, ground);
            let column = Layout::top_down(Align::Min);
            ui.allocate_ui_with_layout(vec2(width, height), column, |ui| {
                ui.set_max_width(width);
                ui.spacing_mut().item_spacing.y = 2.0;
                kit::middle(
                    ui,
                    text::shown_name(&transfer.name),
                    Type::Label,
                    palette.text,
                    width,
                );
                let line = if is_path {
                    kit::middle(ui, &words, Type::Caption, palette.muted, width)
                } else {
                    kit::label(ui, &*words, Type::Caption, palette.muted)
                };
                if let TransferState::Shared(shared) = &transfer.state
                    && let Some(expires) = shared.expires
                {
                    line.on_hover_text(text::from_now(expires, context.now));
                }
            });
        },
        |ui| {
            if let Some((tone, icon, word)) = state.filter(|_| !narrow) {
                kit::badge(ui, tone, icon, word);
            }
            if transfer.is_unfinished() {
                let name = text::about_file(text::cancel(), text::shown_name(&transfer.name));
                if kit::icon_button(ui, Icon::Close, &name).clicked() {
                    drawn.act(Action::Row(transfer.id, RowAction::Cancel));
                }
            }
            row_menu::button(ui, model, transfer, drawn);
        },
    );
}

/// State of a row in coarse steps, for screen readers.
fn phase(model: &Model, transfer: &Transfer) -> &'static str {
    match &transfer.state {
        TransferState::Asked => "asked",
        TransferState::Waiting => "waiting",
        TransferState::Running(_) => "running",
        TransferState::Shared(shared) if shared.gone => "gone",
        TransferState::Shared(_) if model.last_copied_row == Some(transfer.id) => "copied",
        TransferState::Shared(_) => "shared",
        TransferState::Received(_) => "received",
        TransferState::Failed(_) => "failed",
        TransferState::Cancelled => "cancelled",
        TransferState::Discarding => "discarding",
        TransferState::Interrupted => "interrupted",
        TransferState::Paused => "paused",
    }
}

/// The row in one sentence: few readers speak announcements, so it says what becomes of the file.
fn spoken(model: &Model, transfer: &Transfer, now: u64) -> String {
    let (name, facts) = (
        text::shown_name(&transfer.name),
        facts(transfer, now, false),
    );
    match &transfer.state {
        TransferState::Running(_) => match transfer.job {
            TransferJob::Share(_) => text::starts_sharing(&[name]),
            TransferJob::Receive { .. } => text::starts_receiving(name),
        },
        TransferState::Failed(trouble) => text::has_failed(name, &text::trouble(trouble).aloud()),
        TransferState::Shared(_) if model.last_copied_row == Some(transfer.id) => {
            format!("{name}, {}, {facts}", text::pointer_copied())
        }
        TransferState::Asked => text::has_failed(name, &text::large(transfer).aloud()),
        TransferState::Waiting
        | TransferState::Shared(_)
        | TransferState::Received(_)
        | TransferState::Cancelled
        | TransferState::Discarding
        | TransferState::Interrupted
        | TransferState::Paused => format!("{name}, {facts}"),
    }
    .replace(BETWEEN, ", ")
}

/// What is said of a received file at a glance: it is what its pointer says, or that and not what its name says.
fn state_badge(transfer: &Transfer) -> Option<(Tone, Icon, &'static str)> {
    if !matches!(transfer.state, TransferState::Received(_)) {
        return None;
    }
    Some(if transfer.findings.disagreement.is_some() {
        (Tone::Warning, Icon::Warning, text::misleading_badge())
    } else {
        (Tone::Success, Icon::ShieldCheck, text::verified())
    })
}

/// The line under the name, shortened to the facts that fit.
fn shown_facts(ui: &Ui, transfer: &Transfer, now: u64, narrow: bool, width: f32) -> String {
    let short = facts(transfer, now, true);
    let long = facts(transfer, now, false);
    let mut lines = match (state_badge(transfer), transfer.speed()) {
        (Some((_, _, word)), _) if narrow => [long, short]
            .map(|facts| format!("{word}{BETWEEN}{facts}"))
            .into(),
        (_, Some(speed)) => {
            let (fast, left) = (
                text::speed(speed.bytes_per_sec),
                text::time_left(speed.secs_left),
            );
            // How long it takes is worth more than how fast it is, and that more than what the server sees of a size.
            let mut lines = vec![
                format!("{long}{BETWEEN}{fast}{BETWEEN}{left}"),
                format!("{short}{BETWEEN}{fast}{BETWEEN}{left}"),
                format!("{short}{BETWEEN}{left}"),
                short,
            ];
            if narrow {
                lines.remove(0);
            }
            lines
        }
        // A date is worth more than what the server sees of a size.
        _ if narrow && transfer.is_unfinished() => vec![short],
        _ => vec![long, short],
    };
    let fits = |line: &&String| kit::width_of(ui, line, Type::Caption.font()) <= width;
    if let Some(line) = lines.iter().find(fits) {
        return line.clone();
    }
    let last = lines.pop().unwrap_or_default();
    // A path gives way in its middle; everything else goes on on the next line.
    if matches!(transfer.state, TransferState::Received(_)) && !narrow {
        return last;
    }
    kit::in_lines(ui, last.split(BETWEEN), Type::Caption, width)
}

fn direction(transfer: &Transfer) -> Icon {
    match transfer.job {
        TransferJob::Share(_) => Icon::Upload,
        TransferJob::Receive { .. } => Icon::Download,
    }
}

/// Facts about a transfer for the line under its name.
fn facts(transfer: &Transfer, now: u64, short: bool) -> String {
    let size = match transfer.blob_len() {
        Some(blob_len) if transfer.is_unfinished() && !short => {
            Some(text::size_sent(transfer.len, blob_len))
        }
        _ => transfer.len.map(text::size),
    };
    let [size, state] = match &transfer.state {
        TransferState::Asked => [size, Some(text::not_begun().to_owned())],
        TransferState::Waiting => [size, Some(text::waiting().to_owned())],
        TransferState::Running(stage) => [size, Some(text::doing(transfer, *stage))],
        TransferState::Shared(shared) if shared.gone => [size, Some(text::gone().to_owned())],
        TransferState::Shared(shared) => [
            match transfer.len {
                Some(len) if short => Some(text::size(len)),
                len => Some(text::size_sent(len, shared.blob_len)),
            },
            shared.expires.map(|expires| text::kept(expires, now)),
        ],
        TransferState::Received(saved) => {
            let place = if short {
                text::saved_in_short
            } else {
                text::saved_in
            };
            [size, saved.path.parent().map(place)]
        }
        TransferState::Failed(_) => [size, Some(text::failed().to_owned())],
        TransferState::Cancelled if matches!(transfer.told, Some(Told::Discarded { .. })) => {
            [size, Some(text::discarded().to_owned())]
        }
        TransferState::Cancelled => [size, Some(text::cancelled().to_owned())],
        TransferState::Discarding => [size, Some(text::discarding().to_owned())],
        TransferState::Interrupted | TransferState::Paused => {
            [size, Some(text::stands_at(transfer))]
        }
    };
    let keeping = match &transfer.state {
        TransferState::Shared(shared) if shared.other_time => Some(text::other_time_kept()),
        TransferState::Shared(shared) if shared.by_server_clock && !short => {
            Some(text::clocks_differ())
        }
        _ => None,
    };
    [
        transfer.ended.map(text::day),
        size,
        state,
        keeping.map(str::to_owned),
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>()
    .join(BETWEEN)
}

fn running(ui: &mut Ui, transfer: &Transfer, stage: Stage, drawn: &mut Drawn) {
    ui.add_space(space::S);
    bar(ui, transfer);
    ui.add_space(space::XS);
    if transfer.can_pause() {
        let name = text::about_file(text::pause(), text::shown_name(&transfer.name));
        let pause = Button::new(Loudness::Quiet, text::pause()).flush(Flush::Left);
        if ui.add(pause.named(&name)).clicked() {
            drawn.act(Action::Row(transfer.id, RowAction::Pause));
        }
    } else {
        steps(ui, transfer, stage);
    }
}

fn bar(ui: &mut Ui, transfer: &Transfer) {
    let name = text::progress_of(text::shown_name(&transfer.name));
    kit::progress(ui, &name, transfer.bar);
}

/// How far a transfer in parts came before it stopped.
fn stands_at(ui: &mut Ui, transfer: &Transfer) {
    if transfer.can_resume() && transfer.moved.is_some() {
        ui.add_space(space::S);
        bar(ui, transfer);
    }
}

/// The question before something large is sent or fetched.
fn asked(ui: &mut Ui, transfer: &Transfer, drawn: &mut Drawn) {
    ui.add_space(space::XS);
    kit::said(ui, &text::large(transfer));
    ui.add_space(space::S);
    let (yes, icon) = match transfer.job {
        TransferJob::Share(_) => (text::share(), Icon::Upload),
        TransferJob::Receive { .. } => (text::download(), Icon::Download),
    };
    let name = text::shown_name(&transfer.name);
    let names = [yes, text::cancel()].map(|word| text::about_file(word, name));
    ui.horizontal_wrapped(|ui| {
        let yes = Button::new(Loudness::Secondary, yes).icon(icon);
        if ui.add(yes.named(&names[0])).clicked() {
            drawn.act(Action::Row(transfer.id, RowAction::Confirm));
        }
        let no = Button::new(Loudness::Quiet, text::cancel()).named(&names[1]);
        if ui.add(no).clicked() {
            drawn.act(Action::Row(transfer.id, RowAction::Remove));
        }
    });
}

/// What was not done quite as asked, though all went well.
fn aside(ui: &mut Ui, transfer: &Transfer) {
    if let Some(aside) = &transfer.aside {
        ui.add_space(space::S);
        kit::callout(ui, Tone::Info, &text::aside(aside), |_| {});
    }
}

/// The named steps: done ones with a check, the present one strong, the others faint.
fn steps(ui: &mut Ui, transfer: &Transfer, stage: Stage) {
    let palette = palette(ui);
    let steps = transfer.milestones();
    let under_way = Milestone::of(stage, &transfer.job);
    let at = steps
        .iter()
        .position(|step| *step == under_way)
        .unwrap_or(0);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 16.0), Sense::hover());
    let words = text::doing(transfer, stage);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &words));
    let mut x = rect.left();
    for (index, step) in steps.iter().enumerate() {
        let ink = match index.cmp(&at) {
            std::cmp::Ordering::Less => palette.muted,
            std::cmp::Ordering::Equal => palette.text,
            std::cmp::Ordering::Greater => palette.faint,
        };
        let middle = rect.center().y;
        match index.cmp(&at) {
            std::cmp::Ordering::Less => {
                let check = Pos2::new(x + 6.0, middle);
                kit::paint_icon(ui.painter(), check, Icon::Check, 12.0, palette.accent);
                x += 16.0;
            }
            std::cmp::Ordering::Equal => {
                ui.painter()
                    .circle_filled(Pos2::new(x + 5.0, middle), 3.0, palette.accent);
                x += 14.0;
            }
            std::cmp::Ordering::Greater => {}
        }
        let galley = ui.painter().layout_no_wrap(
            text::milestone(*step).to_owned(),
            Type::Caption.font(),
            ink,
        );
        let width = galley.size().x;
        if x + width > rect.right() {
            break;
        }
        ui.painter()
            .galley(Pos2::new(x, middle - galley.size().y / 2.0), galley, ink);
        x += width + space::L;
    }
}

/// The pointer, and the one thing to do with it.
fn done(
    ui: &mut Ui,
    model: &Model,
    context: ViewContext,
    transfer: &Transfer,
    shared: &ShareResult,
    loud: bool,
    drawn: &mut Drawn,
) {
    ui.add_space(space::S);
    let copied = model.copied == Some(transfer.id);
    let word = if shared.builtin {
        text::copy_local()
    } else {
        text::copy_pointer()
    };
    let (label, icon) = if copied {
        (text::copied(), Icon::Check)
    } else {
        (word, Icon::Copy)
    };
    let loudness = if loud {
        Loudness::Primary
    } else {
        Loudness::Secondary
    };
    let name = text::about_file(label, text::shown_name(&transfer.name));
    let button = Button::new(loudness, label).icon(icon).room_for(word);
    let button = button.named(&name).tall();
    let height = measure::PRIMARY;
    let pointer = shared.pointer.as_str();
    let masked = context.masks(model);
    let width = button.width(ui);
    let whole = ui.available_width();
    let beside = whole - width - space::S;
    let press = |ui: &mut Ui, drawn: &mut Drawn| {
        if ui.add(button).clicked() {
            drawn.act(Action::Row(transfer.id, RowAction::CopyPointer));
        }
    };
    if beside >= 160.0 && !shared.builtin {
        ui.horizontal(|ui| {
            kit::pointer_well(ui, pointer, masked, beside, height);
            press(ui, drawn);
        });
    } else {
        kit::pointer_well(ui, pointer, masked, whole, height);
        ui.add_space(space::XS);
        ui.horizontal_wrapped(|ui| {
            press(ui, drawn);
            if shared.builtin {
                let choose = Button::new(Loudness::Quiet, text::choose_server()).icon(Icon::Server);
                let choose = if width + space::S + choose.width(ui) > whole {
                    choose.flush(Flush::Left)
                } else {
                    choose
                };
                if ui.add(choose.tall()).clicked() {
                    drawn.act(ServerAction::Choose);
                }
            }
        });
    }
}

/// The server's last answer about a shared file.
fn told(ui: &mut Ui, model: &Model, transfer: &Transfer, gone: bool, drawn: &mut Drawn) {
    let palette = palette(ui);
    if transfer.managing.is_some() {
        ui.add_space(space::XS);
        kit::label(ui, text::asking_server(), Type::Caption, palette.muted);
    }
    match &transfer.told {
        None => {}
        // The head says so already.
        Some(Told::Done(Managed::Deleted)) if gone => {}
        Some(Told::Discarded { some_left: false }) => {}
        Some(Told::Discarded { some_left: true }) => {
            ui.add_space(space::XS);
            kit::label(ui, text::some_left(), Type::Caption, palette.muted);
        }
        Some(Told::Failed(trouble)) => {
            ui.add_space(space::S);
            kit::callout(ui, Tone::Danger, &text::trouble(trouble), |ui| {
                let server = model.server_of(transfer.id);
                networks::newer_list_button(ui, trouble, server, drawn);
            });
        }
        Some(Told::Done(done)) => {
            ui.add_space(space::XS);
            kit::selectable(ui, text::managed(*done), Type::Caption, palette.muted);
        }
    }
}

fn received(ui: &mut Ui, transfer: &Transfer, drawn: &mut Drawn) {
    ui.add_space(space::S);
    if let Some(disagreement) = &transfer.findings.disagreement {
        kit::callout(ui, Tone::Warning, &disagreement.into(), |_| {});
        ui.add_space(space::S);
    }
    let (open, show) = (text::open(), text::show_in_folder());
    let names = [open, show].map(|word| text::about_file(word, text::shown_name(&transfer.name)));
    let of = |loudness| {
        let open = Button::new(loudness, open).icon(Icon::Open);
        (
            open.named(&names[0]),
            Action::Row(transfer.id, RowAction::OpenSaved),
        )
    };
    let with = |loudness| {
        let show = Button::new(loudness, show).icon(Icon::ShowInFolder);
        (
            show.named(&names[1]),
            Action::Row(transfer.id, RowAction::RevealSaved),
        )
    };
    // What may not be what it seems is looked at before it is opened.
    let buttons = if transfer.findings.disagreement.is_some() {
        [with(Loudness::Secondary), of(Loudness::Quiet)]
    } else {
        [of(Loudness::Secondary), with(Loudness::Quiet)]
    };
    ui.horizontal_wrapped(|ui| {
        for (button, action) in buttons {
            if ui.add(button).clicked() {
                drawn.act(action);
            }
        }
    });
}

fn again(ui: &mut Ui, transfer: &Transfer, drawn: &mut Drawn) {
    let remedy = match &transfer.state {
        TransferState::Failed(trouble) => trouble.remedy(),
        _ => Remedy::Retry,
    };
    let icon = match remedy {
        Remedy::AccessWord => Icon::Lock,
        Remedy::Folder => Icon::Folder,
        Remedy::DefaultSettings | Remedy::Options | Remedy::Nothing => Icon::Settings,
        Remedy::Paste => Icon::Paste,
        Remedy::NewerList | Remedy::Relays => Icon::Relay,
        Remedy::Retry => Icon::Retry,
        Remedy::Server => Icon::Server,
    };
    // What stopped in parts goes on where it was, and is given up rather than forgotten.
    let (retry, icon_again) = if transfer.can_resume() {
        (text::resume(), Icon::ArrowRight)
    } else {
        (text::retry(), Icon::Retry)
    };
    let remedied = if remedy == Remedy::Retry {
        Some((retry, icon_again))
    } else {
        text::remedy(remedy).map(|words| (words, icon))
    };
    let end = if transfer.kept.is_some() {
        text::discard()
    } else {
        text::remove()
    };
    ui.add_space(space::S);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(space::S, space::S);
        if let Some((words, icon)) = remedied {
            let name = text::about_file(words, text::shown_name(&transfer.name));
            let button = Button::new(Loudness::Secondary, words).icon(icon);
            if ui.add(button.named(&name)).clicked() {
                drawn.act(Action::Row(transfer.id, RowAction::Remedy));
            }
        }
        if remedy.then_retry() {
            let name = text::about_file(retry, text::shown_name(&transfer.name));
            let button = Button::new(Loudness::Quiet, retry).icon(icon_again);
            if ui.add(button.named(&name)).clicked() {
                drawn.act(Action::Row(transfer.id, RowAction::Retry));
            }
        }
        let name = text::about_file(end, text::shown_name(&transfer.name));
        let button = Button::new(Loudness::Quiet, end).named(&name);
        let button = if remedy == Remedy::Nothing {
            button.flush(Flush::Left)
        } else {
            button
        };
        if ui.add(button).clicked() {
            drawn.act(Action::Row(transfer.id, RowAction::Remove));
        }
    });
}
