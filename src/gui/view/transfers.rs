//! The list of transfers, the same under Share and Receive: a row each, from waiting to done or failed.

use egui::{Align, Layout, Pos2, Rect, Sense, Ui, vec2};

use super::{Drawn, row_id};
use crate::gui::fonts::Icon;
use crate::gui::kit::{self, Button, Loudness};
use crate::gui::model::{Action, Job, Model, Shared, Stage, State, Tone, Transfer};
use crate::gui::text;
use crate::gui::tokens::{Type, measure, palette, space};

pub(super) fn list(ui: &mut Ui, model: &Model, drawn: &mut Drawn) {
    // One primary button on a screen: that of the newest pointer, while nothing else asks to be done.
    let loud = model
        .transfers
        .iter()
        .find(|transfer| matches!(transfer.state, State::Shared(_)));
    let loud = loud
        .map(|transfer| transfer.id)
        .filter(|_| !model.first_start && !model.receive.can_download());
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = space::M;
        for transfer in &model.transfers {
            ui.push_id(row_id(transfer.id), |ui| {
                kit::card(ui, |ui| {
                    ui.spacing_mut().item_spacing = vec2(space::S, space::XS);
                    row(ui, model, transfer, loud == Some(transfer.id), drawn);
                });
            });
        }
    });
}

fn row(ui: &mut Ui, model: &Model, transfer: &Transfer, loud: bool, drawn: &mut Drawn) {
    head(ui, transfer, drawn);
    match &transfer.state {
        State::Waiting => {}
        State::Running(stage) => running(ui, transfer, *stage),
        State::Shared(shared) => done(ui, model, transfer, shared, loud, drawn),
        State::Received(_) => received(ui, transfer, drawn),
        State::Failed(message) => {
            indented(ui, |ui| {
                ui.add_space(space::XS);
                kit::said(ui, message);
                again(ui, transfer, drawn);
            });
        }
        State::Cancelled => indented(ui, |ui| again(ui, transfer, drawn)),
    }
}

const INDENT: f32 = 36.0 + space::M;

fn indented<R>(ui: &mut Ui, add: impl FnOnce(&mut Ui) -> R) -> R {
    let indent = if ui.available_width() < 420.0 {
        0.0
    } else {
        INDENT
    };
    let rect = Rect::from_min_max(ui.cursor().min + vec2(indent, 0.0), ui.max_rect().max);
    ui.scope_builder(
        egui::UiBuilder::new()
            .max_rect(rect)
            .layout(Layout::top_down(Align::Min)),
        add,
    )
    .inner
}

/// Icon, name and one line of facts; at the right what can be done at any time.
fn head(ui: &mut Ui, transfer: &Transfer, drawn: &mut Drawn) {
    let palette = palette(ui);
    let verified = matches!(transfer.state, State::Received(_));
    let narrow = ui.available_width() < 420.0;
    let badge = if verified && !narrow { 104.0 } else { 0.0 };
    let (icon, ink, ground) = match transfer.state {
        State::Failed(_) => (Icon::CircleAlert, palette.danger, palette.danger_tint),
        State::Shared(_) | State::Received(_) => {
            (Icon::Check, palette.success, palette.success_tint)
        }
        State::Waiting | State::Cancelled => (direction(transfer), palette.muted, palette.sunken),
        State::Running(_) => (direction(transfer), palette.accent, palette.accent_tint),
    };
    kit::sides(
        ui,
        40.0,
        measure::CONTROL + badge,
        |ui| {
            ui.spacing_mut().item_spacing.x = space::M;
            let (square, _) = ui.allocate_exact_size(egui::Vec2::splat(36.0), Sense::hover());
            ui.painter().rect_filled(square, 8.0, ground);
            kit::paint_icon(ui.painter(), square.center(), icon, 18.0, ink);
            let width = ui.available_width();
            ui.allocate_ui_with_layout(vec2(width, 38.0), Layout::top_down(Align::Min), |ui| {
                ui.spacing_mut().item_spacing.y = 2.0;
                kit::middle(ui, &transfer.name, Type::Label, palette.text, width);
                kit::middle(ui, &facts(transfer), Type::Caption, palette.muted, width);
            });
        },
        |ui| {
            let cross = match &transfer.state {
                State::Waiting | State::Running(_) => {
                    Some((text::CANCEL, Action::Cancel(transfer.id)))
                }
                State::Shared(_) | State::Received(_) => {
                    Some((text::REMOVE, Action::Remove(transfer.id)))
                }
                State::Failed(_) | State::Cancelled => None, // These have their buttons below.
            };
            if let Some((verb, action)) = cross
                && kit::icon_button(ui, Icon::Close, &text::about_file(verb, &transfer.name))
                    .clicked()
            {
                drawn.act(action);
            }
            if badge > 0.0 {
                kit::badge(ui, Tone::Success, Icon::ShieldCheck, text::VERIFIED);
            }
        },
    );
}

fn direction(transfer: &Transfer) -> Icon {
    match transfer.job {
        Job::Share(_) => Icon::Upload,
        Job::Receive(_) => Icon::Download,
    }
}

/// The line under the name.
fn facts(transfer: &Transfer) -> String {
    let size = transfer.len.map(text::size);
    let parts = match &transfer.state {
        State::Waiting => [size, Some(text::WAITING.to_owned())],
        State::Running(stage) => [size, Some(text::stage(*stage, transfer.slow))],
        State::Shared(shared) => [
            Some(text::size_sent(transfer.len, shared.blob_len)),
            shared.expires.map(text::kept_until),
        ],
        State::Received(saved) => {
            let folder = saved.path.parent().map(|folder| folder.to_string_lossy());
            [size, folder.map(|folder| text::saved_in(&folder))]
        }
        State::Failed(_) => [size, Some(text::FAILED.to_owned())],
        State::Cancelled => [size, Some(text::CANCELLED.to_owned())],
    };
    parts
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("  ·  ")
}

fn running(ui: &mut Ui, transfer: &Transfer, stage: Stage) {
    ui.add_space(space::S);
    kit::progress(ui, &text::progress_of(&transfer.name), transfer.bar);
    ui.add_space(space::XS);
    steps(ui, transfer, stage);
}

/// The named steps: done ones with a check, the present one strong, the others faint.
fn steps(ui: &mut Ui, transfer: &Transfer, stage: Stage) {
    let palette = palette(ui);
    let steps = transfer.job.milestones();
    let at = steps
        .iter()
        .position(|step| *step == stage.milestone())
        .unwrap_or(0);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 16.0), Sense::hover());
    let words = text::stage(stage, transfer.slow);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &words));
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
        ui.painter()
            .galley(Pos2::new(x, middle - galley.size().y / 2.0), galley, ink);
        x += width + space::L;
    }
}

/// The pointer, and the one thing to do with it.
fn done(
    ui: &mut Ui,
    model: &Model,
    transfer: &Transfer,
    shared: &Shared,
    loud: bool,
    drawn: &mut Drawn,
) {
    ui.add_space(space::S);
    let copied = model.copied == Some(transfer.id);
    let word = if shared.builtin {
        text::COPY_LOCAL
    } else {
        text::COPY_POINTER
    };
    let (label, icon) = if copied {
        (text::COPIED, Icon::Check)
    } else {
        (word, Icon::Copy)
    };
    let loudness = if loud {
        Loudness::Primary
    } else {
        Loudness::Secondary
    };
    let button = Button::new(loudness, label).icon(icon).room_for(word);
    let height = if loud {
        measure::PRIMARY
    } else {
        measure::CONTROL
    };
    let pointer = shared.pointer.as_str();
    let width = button.width(ui);
    let beside = ui.available_width() - width - space::S;
    let press = |ui: &mut Ui, drawn: &mut Drawn| {
        let response = ui.add(button);
        if copied {
            ui.ctx().accesskit_node_builder(response.id, |node| {
                node.set_live(egui::accesskit::Live::Polite);
            });
        }
        if response.clicked() {
            drawn.act(Action::CopyPointer(transfer.id));
        }
    };
    if beside >= 220.0 && !shared.builtin {
        ui.horizontal(|ui| {
            kit::pointer_well(ui, pointer, beside, height);
            press(ui, drawn);
        });
    } else {
        kit::pointer_well(ui, pointer, ui.available_width(), height);
        ui.add_space(space::XS);
        ui.horizontal_wrapped(|ui| {
            press(ui, drawn);
            if shared.builtin
                && ui
                    .add(Button::new(Loudness::Quiet, text::CHOOSE_SERVER).icon(Icon::Server))
                    .clicked()
            {
                drawn.act(Action::ChooseServer);
            }
        });
    }
}

fn received(ui: &mut Ui, transfer: &Transfer, drawn: &mut Drawn) {
    indented(ui, |ui| {
        let narrow = ui.available_width() < 380.0;
        ui.add_space(space::S);
        if narrow {
            kit::badge(ui, Tone::Success, Icon::ShieldCheck, text::VERIFIED);
            ui.add_space(space::XS);
        }
        ui.horizontal_wrapped(|ui| {
            if ui
                .add(Button::new(Loudness::Secondary, text::OPEN).icon(Icon::Open))
                .clicked()
            {
                drawn.act(Action::OpenSaved(transfer.id));
            }
            let show = Button::new(Loudness::Quiet, text::SHOW_IN_FOLDER).icon(Icon::ShowInFolder);
            if ui.add(show).clicked() {
                drawn.act(Action::RevealSaved(transfer.id));
            }
        });
    });
}

fn again(ui: &mut Ui, transfer: &Transfer, drawn: &mut Drawn) {
    ui.add_space(space::S);
    ui.horizontal_wrapped(|ui| {
        if ui
            .add(Button::new(Loudness::Secondary, text::RETRY).icon(Icon::Retry))
            .clicked()
        {
            drawn.act(Action::Retry(transfer.id));
        }
        if ui.add(Button::new(Loudness::Quiet, text::REMOVE)).clicked() {
            drawn.act(Action::Remove(transfer.id));
        }
    });
}
