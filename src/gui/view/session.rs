//! The card of Session's network in Settings: what joining means, and what came of it.

use egui::{Id, Role, Ui, Vec2};

use super::form::line;
use super::{Drawn, join};
use crate::gui::fonts::Icon;
use crate::gui::kit::{self, Button, Loudness};
use crate::gui::model::{
    Focus, JoinCard, JoinPhase, JoinState, JoinedNetwork, Model, NetworkState, SessionAction, Tone,
};
use crate::gui::text;
use crate::gui::tokens::{Type, palette, space};

/// Draws the card, unless the network was joined and nothing is left to be said of it.
pub(super) fn part(ui: &mut Ui, model: &Model, drawn: &mut Drawn) {
    let card = &model.settings_screen.session;
    let has_news = !matches!(card.joining, JoinState::Undecided);
    if model.session_is_joined() && !has_news {
        return;
    }
    kit::divider(ui);
    let id = Id::unique("session");
    kit::part(ui, id, Role::Region, text::session_title(), |ui| {
        ui.spacing_mut().item_spacing.y = space::S;
        match &card.joining {
            JoinState::Undecided if !card.open => offer(ui, model, drawn),
            JoinState::Undecided => {
                meaning(ui, model);
                answers(ui, model, text::join(), drawn);
            }
            JoinState::Failed(why) => {
                heading(ui, text::session_ask());
                kit::callout(ui, Tone::Danger, &text::trouble(why), |_| {});
                let join = if card.replaces {
                    text::replace_my_relays()
                } else {
                    text::retry()
                };
                answers(ui, model, join, drawn);
            }
            JoinState::Running(_, phase) => running(ui, model, *phase, drawn),
            JoinState::Joined(joined) => outcome(ui, model, joined, drawn),
        }
    });
}

fn offer(ui: &mut Ui, model: &Model, drawn: &mut Drawn) {
    let open = Button::new(Loudness::Secondary, text::session_open());
    let name = text::about_file(text::session_open(), text::session_title());
    let open = open.named(&name);
    let right = open.width(ui);
    let (title, about) = (text::session_title(), text::session_offer());
    line(ui, Icon::Globe, title, about, right, |ui| {
        let button = ui.add(open);
        drawn.focus(ui, model, Focus::Session, &button);
        if button.clicked() {
            drawn.act(SessionAction::Open);
        }
    });
}

fn heading(ui: &mut Ui, title: &str) {
    kit::heading(ui, title, Type::Section, palette(ui).text, 3);
}

/// What joining means, and whom it shows what.
fn meaning(ui: &mut Ui, model: &Model) {
    let palette = palette(ui);
    heading(ui, text::session_ask());
    kit::selectable(ui, text::session_meaning(), Type::Body, palette.text);
    let sees = text::seed_sees(model.settings.proxy.is_some());
    for about in [sees, text::session_tried()] {
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = space::S;
            kit::icon(ui, Icon::Info, 16.0, palette.muted);
            kit::label(ui, about, Type::Caption, palette.muted);
        });
    }
}

/// The button that joins, and the one that does not.
fn answers(ui: &mut Ui, model: &Model, join: &str, drawn: &mut Drawn) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = Vec2::splat(space::S);
        let button = ui.add(Button::new(Loudness::Primary, join));
        drawn.focus(ui, model, Focus::Session, &button);
        if button.clicked() {
            drawn.act(SessionAction::Join);
        }
        let not_now = Button::new(Loudness::Quiet, text::not_now()).tall();
        if ui.add(not_now).clicked() {
            drawn.act(SessionAction::Close);
        }
    });
}

fn running(ui: &mut Ui, model: &Model, phase: JoinPhase, drawn: &mut Drawn) {
    heading(ui, text::session_joining());
    join::progress(ui, text::session_title(), JoinCard::Session, phase);
    let cancel = ui.add(Button::new(Loudness::Secondary, text::cancel()));
    drawn.focus(ui, model, Focus::Session, &cancel);
    if cancel.clicked() {
        drawn.act(SessionAction::Cancel);
    }
}

fn outcome(ui: &mut Ui, model: &Model, joined: &JoinedNetwork, drawn: &mut Drawn) {
    heading(ui, &text::joined_title(joined));
    join::usable(ui, joined, text::session_works(), |_| {});
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = Vec2::splat(space::S);
        let done = ui.add(Button::new(Loudness::Primary, text::done()));
        drawn.focus(ui, model, Focus::Session, &done);
        if done.clicked() {
            drawn.act(SessionAction::Close);
        }
        let again = Button::new(Loudness::Secondary, text::retry()).tall();
        if !matches!(joined.state, NetworkState::Works) && ui.add(again).clicked() {
            drawn.act(SessionAction::Join);
        }
    });
}
