//! What stands over the window: questions, and things to look at.

mod about;
mod qr;
mod shortcuts;
mod who_saw_what;

use egui::{Context, Id, Ui};

use super::{Drawn, Surroundings};
use crate::gui::kit::{self, Button, Loudness};
use crate::gui::model::{Action, Modal, Model};
use crate::gui::text;
use crate::gui::tokens::{Type, measure, palette_of};

/// Whatever is open.
pub(super) fn show(ctx: &Context, model: &Model, around: Surroundings, drawn: &mut Drawn) {
    let Some(modal) = model.modal else {
        return;
    };
    match modal {
        Modal::About => sheet(ctx, "about", text::ABOUT, measure::SHEET, drawn, |ui, _| {
            about::show(ui);
        }),
        Modal::Closing { running } => closing(ctx, running, drawn),
        Modal::Qr(id) => {
            let Some(transfer) = model.transfer(id) else {
                return drawn.act(Action::Back);
            };
            let title = text::about_sheet(text::QR, &transfer.name);
            let width = measure::QUESTION;
            sheet(ctx, "qr", &title, width, drawn, |ui, _| {
                qr::show(ui, transfer.pointer(), around.masks(model));
            });
        }
        Modal::Shortcuts => {
            let width = measure::SHEET;
            sheet(ctx, "shortcuts", text::SHORTCUTS, width, drawn, |ui, _| {
                shortcuts::show(ui);
            });
        }
        Modal::WhoSawWhat { id, at } => {
            let Some(transfer) = model.transfer(id) else {
                return drawn.act(Action::Back);
            };
            let title = text::about_sheet(text::WHO_SAW_WHAT, &transfer.name);
            let width = measure::WIDE;
            sheet(ctx, "who saw what", &title, width, drawn, |ui, drawn| {
                who_saw_what::show(ui, transfer, at, drawn);
            });
        }
    }
}

fn sheet(
    ctx: &Context,
    id: &str,
    title: &str,
    width: f32,
    drawn: &mut Drawn,
    add: impl FnOnce(&mut Ui, &mut Drawn),
) {
    let modal = kit::Modal {
        id: Id::unique(("sheet", id)),
        title,
        width,
        asks: false,
    };
    let ((), waved) = kit::modal(ctx, &modal, |ui| add(ui, drawn));
    if waved {
        drawn.act(Action::Back);
    }
}

/// Closing with transfers under way.
fn closing(ctx: &Context, running: usize, drawn: &mut Drawn) {
    let palette = palette_of(ctx);
    let modal = kit::Modal {
        id: Id::unique("closing"),
        title: &text::closing_title(running),
        width: measure::QUESTION,
        asks: true,
    };
    let (answer, waved) = kit::modal(ctx, &modal, |ui| {
        kit::label(ui, text::CLOSING_BODY, Type::Body, palette.muted);
        kit::answers(ui, |ui| {
            let keep = ui.add(Button::new(Loudness::Primary, text::KEEP_RUNNING));
            if ui.memory(|memory| memory.focused().is_none()) {
                keep.request_focus();
            }
            let stop = ui.add(Button::new(Loudness::Secondary, text::STOP_AND_QUIT));
            if stop.clicked() {
                Some(Action::StopAndQuit)
            } else if keep.clicked() {
                Some(Action::KeepRunning)
            } else {
                None
            }
        })
    });
    match answer {
        Some(action) => drawn.act(action),
        None if waved => drawn.act(Action::KeepRunning),
        None => {}
    }
}
