//! The history and the notifications in Settings, and the questions before a program is opened and before the history
//! is wiped.

use egui::{Context, Id, Ui};

use super::Drawn;
use crate::app::kept::history::{HistoryStatus, SessionOnly};
use crate::app::settings::Change;
use crate::app::words::message::UserMessage;
use crate::gui::fonts::Icon;
use crate::gui::kit::{self, Button, Flush, Loudness};
use crate::gui::model::{Action, Modal, ModalAction, Model, SettingsAction, Transfer};
use crate::gui::text;
use crate::gui::tokens::{Type, measure, palette_of};

/// The last part of the Privacy card.
pub(super) fn privacy(ui: &mut Ui, model: &Model, drawn: &mut Drawn) {
    let chosen = &model.settings;
    // It is wanted and does not run: its place could not be used.
    let standing = match model.history {
        HistoryStatus::Off if chosen.history => {
            HistoryStatus::SessionOnly(SessionOnly::File(std::io::ErrorKind::Other.into()))
        }
        status => status,
    };
    let standing = text::history(standing);
    if kit::switch(ui, text::history_title(), &standing, chosen.history) {
        drawn.act(Change::History(!chosen.history));
    }
    ui.horizontal_wrapped(|ui| {
        let export = Button::new(Loudness::Quiet, text::export_history()).icon(Icon::ShowInFolder);
        let export = export.flush(Flush::Left);
        let wipe = Button::new(Loudness::Quiet, text::wipe_history()).icon(Icon::Trash);
        let both = export.width(ui) + ui.spacing().item_spacing.x + wipe.width(ui);
        let beside = model.history == HistoryStatus::Kept && both <= ui.available_width();
        if model.history == HistoryStatus::Kept && ui.add(export).clicked() {
            drawn.act(SettingsAction::ExportHistory);
        }
        let wipe = if beside {
            wipe
        } else {
            wipe.flush(Flush::Left)
        };
        if ui.add(wipe).clicked() {
            drawn.act(ModalAction::Open(Modal::WipeHistory));
        }
    });
    kit::divider(ui);
    if kit::switch(ui, text::notify(), text::notify_about(), chosen.notify) {
        drawn.act(Change::Notify(!chosen.notify));
    }
    if chosen.notify {
        kit::divider(ui);
        let (name, about) = (text::notify_names(), text::notify_names_about());
        if kit::switch(ui, name, about, chosen.notify_names) {
            drawn.act(Change::NotifyNames(!chosen.notify_names));
        }
    }
}

/// Before a received file is opened that could run a program.
pub(super) fn open_program(ctx: &Context, transfer: &Transfer, drawn: &mut Drawn) {
    let why = match &transfer.findings.disagreement {
        Some(disagreement) => UserMessage::from(disagreement).why,
        None => text::open_program_why().to_owned(),
    };
    let question = KeepingQuestion {
        title: text::open_program_title(),
        body: text::open_program(text::shown_name(&transfer.name), &why),
        yes: text::open_anyway(),
        no: text::do_not_open(),
    };
    question.ask(ctx, Action::Modal(ModalAction::OpenAnyway), drawn);
}

/// Before the history is wiped.
pub(super) fn wipe(ctx: &Context, drawn: &mut Drawn) {
    let question = KeepingQuestion {
        title: text::wipe_title(),
        body: text::wipe_body().to_owned(),
        yes: text::wipe_history(),
        no: text::keep_history(),
    };
    question.ask(ctx, Action::Modal(ModalAction::WipeHistory), drawn);
}

/// Two answers; the harmless one is what Enter and Esc choose.
struct KeepingQuestion<'a> {
    title: &'a str,
    body: String,
    yes: &'a str,
    no: &'a str,
}

impl KeepingQuestion<'_> {
    fn ask(self, ctx: &Context, yes: Action, drawn: &mut Drawn) {
        let palette = palette_of(ctx);
        let modal = kit::ModalPanel {
            id: Id::unique(("question", self.title)),
            title: self.title,
            width: measure::QUESTION,
            asks: true,
            foot: "",
        };
        let (answer, waved) = kit::modal(ctx, &modal, |ui| {
            kit::label(ui, self.body, Type::Body, palette.muted);
            let no = Button::new(Loudness::Secondary, self.no);
            kit::answers(ui, no, Button::new(Loudness::Danger, self.yes))
        });
        match answer {
            (_, true) => drawn.act(yes),
            (true, _) => drawn.act(ModalAction::Back),
            _ if waved => drawn.act(ModalAction::Back),
            _ => {}
        }
    }
}
