//! The modals of the window: questions and sheets.

mod about;
mod qr;
mod shortcuts;
mod who_saw_what;

use egui::{Context, Id, Ui};

use super::{Drawn, ViewContext, keeping, networks};
use crate::app::settings::ServerChoice;
use crate::gui::kit::{self, Button, Loudness};
use crate::gui::model::{
    Action, JoinCard, KeepFor, ManageAction, Modal, ModalAction, Model, RowAction, Transfer,
    TransferJob, TransferState,
};
use crate::gui::text;
use crate::gui::tokens::{Type, measure, palette_of, space};
use crate::protocol::address::ServerAddress;

/// Draws the open modal, if there is one.
pub(super) fn show(ctx: &Context, model: &Model, context: ViewContext, drawn: &mut Drawn) {
    let Some(modal) = &model.modal else {
        return;
    };
    match *modal {
        Modal::About => sheet(
            ctx,
            "about",
            text::about(),
            measure::SHEET,
            drawn,
            |ui, _| {
                about::show(ui);
            },
        ),
        Modal::Closing { running } => {
            let question = Question {
                title: &text::closing_title(running),
                body: text::closing_body(),
                safe: (text::keep_running(), Action::Modal(ModalAction::Back)),
                other: (
                    Loudness::Secondary,
                    text::stop_and_quit(),
                    Action::Modal(ModalAction::StopAndQuit),
                ),
            };
            ask(ctx, "closing", question, drawn);
        }
        Modal::Delete(id) => {
            let Some(transfer) = model.transfer(id) else {
                return drawn.act(ModalAction::Back);
            };
            let delete = Action::Row(id, RowAction::Manage(ManageAction::Delete));
            let question = Question {
                title: &text::delete_title(text::shown_name(&transfer.name)),
                body: &text::two_sentences(text::delete_body(), text::copies_stay()),
                safe: (text::keep_it(), Action::Modal(ModalAction::Back)),
                other: (Loudness::Danger, text::delete_from_server(), delete),
            };
            ask(ctx, "delete", question, drawn);
        }
        Modal::Discard(id) => match model.transfer(id) {
            Some(transfer) => discard(ctx, transfer, drawn),
            None => drawn.act(ModalAction::Back),
        },
        Modal::Invite(ref server) => invite(ctx, model, context, server, drawn),
        Modal::Leave(ref server) => networks::leave(ctx, model, server, drawn),
        Modal::KeepLonger(id) => {
            let Some(transfer) = model.transfer(id) else {
                return drawn.act(ModalAction::Back);
            };
            let title = text::titled(text::keep_longer(), text::shown_name(&transfer.name));
            let width = measure::QUESTION;
            sheet(ctx, "keep longer", &title, width, drawn, |ui, drawn| {
                keep_longer(ui, model, transfer, context.now, drawn);
            });
        }
        Modal::OpenProgram(id) => match model.transfer(id) {
            Some(transfer) => keeping::open_program(ctx, transfer, drawn),
            None => drawn.act(ModalAction::Back),
        },
        Modal::Qr(id) => {
            let Some(transfer) = model.transfer(id) else {
                return drawn.act(ModalAction::Back);
            };
            let title = text::titled(text::qr(), text::shown_name(&transfer.name));
            let width = measure::QUESTION;
            sheet(ctx, "qr", &title, width, drawn, |ui, _| {
                qr::show(ui, transfer.pointer(), context.masks(model));
            });
        }
        Modal::Shortcuts => {
            let width = measure::SHEET;
            sheet(
                ctx,
                "shortcuts",
                text::shortcuts(),
                width,
                drawn,
                |ui, _| {
                    shortcuts::show(ui);
                },
            );
        }
        Modal::WhoSawJoin { card, at } => who_saw_join(ctx, model, card, at, drawn),
        Modal::WhoSawTest { ref server, at } => who_saw_test(ctx, model, server, at, drawn),
        Modal::WhoSawWhat { id, at } => {
            let Some(transfer) = model.transfer(id) else {
                return drawn.act(ModalAction::Back);
            };
            let title = text::titled(text::who_saw_what(), text::shown_name(&transfer.name));
            let foot = who_saw_what::foot(&transfer.shown, at);
            seen(ctx, &title, &foot, drawn, |ui, drawn| {
                who_saw_what::of_transfer(ui, transfer, at, drawn);
            });
        }
        Modal::WipeHistory => keeping::wipe(ctx, drawn),
    }
}

/// An invitation to the network of this server.
fn invite(
    ctx: &Context,
    model: &Model,
    context: ViewContext,
    server: &ServerAddress,
    drawn: &mut Drawn,
) {
    let Some(known) = model.settings.entry(server) else {
        return drawn.act(ModalAction::Back);
    };
    let title = text::invite_title(model.settings.name_in_list(known));
    let width = measure::QUESTION;
    sheet(ctx, "invite", &title, width, drawn, |ui, drawn| {
        networks::invite(ui, model, context, drawn);
    });
}

/// Before a transfer in parts is given up.
fn discard(ctx: &Context, transfer: &Transfer, drawn: &mut Drawn) {
    let body = match transfer.job {
        TransferJob::Share(_) => text::discard_share(),
        TransferJob::Receive { .. } => text::discard_download(),
    };
    let discard = Action::Row(transfer.id, RowAction::Discard);
    let question = Question {
        title: &text::discard_title(text::shown_name(&transfer.name)),
        body,
        safe: (text::keep_it(), Action::Modal(ModalAction::Back)),
        other: (Loudness::Danger, text::discard(), discard),
    };
    ask(ctx, "discard", question, drawn);
}

/// Who saw what of joining on this card.
fn who_saw_join(ctx: &Context, model: &Model, card: JoinCard, at: usize, drawn: &mut Drawn) {
    let (Some(shown), Some(name)) = (model.join_shown(card), text::name_on_card(model, card))
    else {
        return drawn.act(ModalAction::Back);
    };
    let title = text::titled(text::who_saw_what(), &name);
    let foot = who_saw_what::foot(shown, at);
    seen(ctx, &title, &foot, drawn, |ui, drawn| {
        who_saw_what::without_file(ui, shown, at, drawn);
    });
}

/// Who saw what of a test of this server.
fn who_saw_test(ctx: &Context, model: &Model, server: &ServerChoice, at: usize, drawn: &mut Drawn) {
    let Some(shown) = model.settings_screen.tests_shown.get(server) else {
        return drawn.act(ModalAction::Back);
    };
    let name = match server {
        ServerChoice::BuiltIn => text::built_in(),
        ServerChoice::Server(address) => match model.settings.entry(address) {
            Some(server) => model.settings.name_in_list(server),
            None => return drawn.act(ModalAction::Back),
        },
    };
    let title = text::titled(text::who_saw_what(), name);
    let foot = who_saw_what::foot(shown, at);
    seen(ctx, &title, &foot, drawn, |ui, drawn| {
        who_saw_what::without_file(ui, shown, at, drawn);
    });
}

/// Times from now and the days they mean, without those that would change nothing; the server says no to one that is
/// longer than it keeps files.
fn keep_longer(ui: &mut Ui, model: &Model, transfer: &Transfer, now: u64, drawn: &mut Drawn) {
    let palette = palette_of(ui.ctx());
    kit::label(ui, text::keep_longer_about(), Type::Body, palette.muted);
    ui.add_space(space::S);
    let TransferState::Shared(shared) = &transfer.state else {
        return;
    };
    // What is known of the chosen server is known of this file's only if that is where it is.
    let is_there = match model.settings.chosen_server() {
        None => shared.builtin,
        Some(server) => !shared.builtin && shared.server == server.url.authority(),
    };
    let terms = model.chosen_terms().filter(|_| is_there);
    let usual = match terms {
        Some(terms) => text::usual_keep_until(terms, now),
        None => text::usual_keep(None),
    };
    let days = KeepFor::DAYS.into_iter().filter_map(|days| {
        let keep = KeepFor::Days(days);
        let end = now.saturating_add(keep.secs().unwrap_or_default());
        // Days are all that is shown: another hour of the same one is no longer time.
        let later = |expires: u64| end > expires && text::day(end) != text::day(expires);
        let longer = shared.expires.is_none_or(later);
        let words = text::kept_time_until(keep, now);
        (longer && keep.is_within(terms) && !keep.is_usual(terms))
            .then_some((ManageAction::ExtendFor(days), words))
    });
    let times = std::iter::once((ManageAction::Extend, usual)).chain(days);
    if let Some(what) = kit::chip_buttons(ui, times.collect()) {
        drawn.act(Action::Row(transfer.id, RowAction::Manage(what)));
    }
}

/// The sheet of who saw what. A narrow window has no lines to spare: there the foot is the end of what is scrolled.
fn seen(
    ctx: &Context,
    title: &str,
    foot: &str,
    drawn: &mut Drawn,
    add: impl FnOnce(&mut Ui, &mut Drawn),
) {
    let narrow = ctx.content_rect().width() < measure::NARROW;
    let named = Named {
        id: "who saw what",
        title,
        width: measure::WIDE,
        foot: if narrow { "" } else { foot },
    };
    named.show(ctx, drawn, |ui, drawn| {
        add(ui, drawn);
        if narrow {
            kit::footing(ui, foot);
        }
    });
}

fn sheet(
    ctx: &Context,
    id: &str,
    title: &str,
    width: f32,
    drawn: &mut Drawn,
    add: impl FnOnce(&mut Ui, &mut Drawn),
) {
    let named = Named {
        id,
        title,
        width,
        foot: "",
    };
    named.show(ctx, drawn, add);
}

/// Title and layout of a sheet.
struct Named<'a> {
    id: &'a str,
    title: &'a str,
    width: f32,
    /// Text pinned below the content.
    foot: &'a str,
}

impl Named<'_> {
    fn show(self, ctx: &Context, drawn: &mut Drawn, add: impl FnOnce(&mut Ui, &mut Drawn)) {
        let modal = kit::ModalPanel {
            id: Id::unique(("sheet", self.id)),
            title: self.title,
            width: self.width,
            asks: false,
            foot: self.foot,
        };
        let ((), waved) = kit::modal(ctx, &modal, |ui| add(ui, drawn));
        if waved {
            drawn.act(ModalAction::Back);
        }
    }
}

/// A question with a safe answer, which Enter gives, and another.
struct Question<'a> {
    title: &'a str,
    body: &'a str,
    safe: (&'a str, Action),
    other: (Loudness, &'a str, Action),
}

fn ask(ctx: &Context, id: &str, question: Question<'_>, drawn: &mut Drawn) {
    let palette = palette_of(ctx);
    let modal = kit::ModalPanel {
        id: Id::unique(("question", id)),
        title: question.title,
        width: measure::QUESTION,
        asks: true,
        foot: "",
    };
    let (loudness, other, action) = question.other;
    let (answers, waved) = kit::modal(ctx, &modal, |ui| {
        kit::label(ui, question.body, Type::Body, palette.muted);
        // Two fills would speak at the same time: beside danger, the safe answer is quiet and has the keyboard.
        let loud = match loudness {
            Loudness::Danger => Loudness::Secondary,
            _ => Loudness::Primary,
        };
        let safe = Button::new(loud, question.safe.0);
        kit::answers(ui, safe, Button::new(loudness, other))
    });
    match answers {
        (_, true) => drawn.act(action),
        (true, _) => drawn.act(question.safe.1),
        _ if waved => drawn.act(question.safe.1),
        _ => {}
    }
}
