//! The cards of networks of service nodes, Session's and others that a file describes: what joining means, and what came of it.

use egui::{Id, Role, Ui, Vec2};

use super::form::line;
use super::{Drawn, join};
use crate::app::relays::RelaySource;
use crate::gui::fonts::Icon;
use crate::gui::kit::{self, Button, Loudness};
use crate::gui::model::{
    Focus, JoinCard, JoinPhase, JoinState, JoinedNetwork, Model, NetworkState, NodesAction,
    NodesCard, Tone,
};
use crate::gui::text;
use crate::gui::tokens::{Type, palette, space};

/// Draws Session's card, unless the network was joined and nothing is left to be said of it, and below it the card of a file, or
/// the button that chooses one.
pub(super) fn part(ui: &mut Ui, model: &Model, drawn: &mut Drawn) {
    let session = &model.settings_screen.session;
    let has_news = !matches!(session.joining, JoinState::Undecided);
    if !model.session_is_joined() || has_news {
        kit::divider(ui);
        let id = Id::unique("session");
        kit::part(ui, id, Role::Region, text::session_title(), |ui| {
            ui.spacing_mut().item_spacing.y = space::S;
            if matches!(session.joining, JoinState::Undecided) && !session.open {
                offer(ui, model, drawn);
            } else {
                card(ui, model, JoinCard::Session, session, drawn);
            }
        });
    }
    kit::divider(ui);
    match &model.settings_screen.nodes_file {
        Some(_) => of_file(ui, model, drawn),
        None => from_file(ui, model, drawn),
    }
}

/// The card of the network that a file describes, if there is one.
pub(super) fn of_file(ui: &mut Ui, model: &Model, drawn: &mut Drawn) {
    let Some(nodes) = &model.settings_screen.nodes_file else {
        return;
    };
    let id = Id::unique("network of a file");
    let name = nodes.network.shown_name();
    kit::part(ui, id, Role::Region, &name, |ui| {
        ui.spacing_mut().item_spacing.y = space::S;
        card(ui, model, JoinCard::File, nodes, drawn);
    });
}

fn card(ui: &mut Ui, model: &Model, of: JoinCard, nodes: &NodesCard, drawn: &mut Drawn) {
    match &nodes.joining {
        JoinState::Undecided => {
            heading(ui, &asks(nodes));
            meaning(ui, model, nodes);
            answers(ui, model, of, text::join(), drawn);
        }
        JoinState::Failed(why) => {
            heading(ui, &asks(nodes));
            kit::callout(ui, Tone::Danger, &text::trouble(why), |_| {});
            join::who_saw(ui, model, of, drawn);
            let join = if nodes.replaces {
                text::replace_my_relays()
            } else {
                text::retry()
            };
            answers(ui, model, of, join, drawn);
        }
        JoinState::Running(_, phase) => running(ui, model, (of, nodes), *phase, drawn),
        JoinState::Joined(joined) => outcome(ui, model, of, joined, drawn),
    }
}

fn is_session(nodes: &NodesCard) -> bool {
    nodes.network.source == RelaySource::Session
}

fn asks(nodes: &NodesCard) -> String {
    if is_session(nodes) {
        text::session_ask().to_owned()
    } else {
        text::join_title(&nodes.network.shown_name())
    }
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
            drawn.act(NodesAction::Open);
        }
    });
}

/// The button that chooses a file with another network of Session's kind.
fn from_file(ui: &mut Ui, model: &Model, drawn: &mut Drawn) {
    let choose = Button::new(Loudness::Secondary, text::network_from_file()).opens_dialog();
    let right = choose.width(ui);
    let (title, about) = text::other_network();
    line(ui, Icon::File, title, about, right, |ui| {
        let button = ui.add(choose);
        drawn.focus(ui, model, Focus::NodesFile, &button);
        if button.clicked() {
            drawn.act(NodesAction::ChooseFile);
        }
    });
}

fn heading(ui: &mut Ui, title: &str) {
    kit::heading(ui, title, Type::Section, palette(ui).text, 3);
}

/// What joining means, and whom it shows what.
fn meaning(ui: &mut Ui, model: &Model, nodes: &NodesCard) {
    let palette = palette(ui);
    let meaning = if is_session(nodes) {
        text::session_meaning().to_owned()
    } else {
        text::other_network_meaning(nodes.network.server.url.authority())
    };
    kit::selectable(ui, meaning, Type::Body, palette.text);
    let sees = text::seeds_see(&nodes.network, model.settings.proxy.is_some());
    for about in [sees.as_str(), text::session_tried()] {
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = space::S;
            kit::icon(ui, Icon::Info, 16.0, palette.muted);
            kit::label(ui, about, Type::Caption, palette.muted);
        });
    }
}

/// The button that joins, and the one that does not.
fn answers(ui: &mut Ui, model: &Model, of: JoinCard, join: &str, drawn: &mut Drawn) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = Vec2::splat(space::S);
        let button = ui.add(Button::new(Loudness::Primary, join));
        drawn.focus(ui, model, of.focus(), &button);
        if button.clicked() {
            drawn.act(NodesAction::Join(of));
        }
        let not_now = Button::new(Loudness::Quiet, text::not_now()).tall();
        if ui.add(not_now).clicked() {
            drawn.act(NodesAction::Close(of));
        }
    });
}

fn running(
    ui: &mut Ui,
    model: &Model,
    (of, nodes): (JoinCard, &NodesCard),
    phase: JoinPhase,
    drawn: &mut Drawn,
) {
    let (title, name) = if is_session(nodes) {
        let title = text::session_joining().to_owned();
        (title, text::session_title().to_owned())
    } else {
        let name = nodes.network.shown_name();
        (text::joining_title(&name), name)
    };
    heading(ui, &title);
    join::progress(ui, &name, of, phase);
    let cancel = ui.add(Button::new(Loudness::Secondary, text::cancel()));
    drawn.focus(ui, model, of.focus(), &cancel);
    if cancel.clicked() {
        drawn.act(NodesAction::Cancel(of));
    }
}

fn outcome(ui: &mut Ui, model: &Model, of: JoinCard, joined: &JoinedNetwork, drawn: &mut Drawn) {
    heading(ui, &text::joined_title(joined));
    join::usable(ui, joined, text::session_works(), |_| {});
    join::who_saw(ui, model, of, drawn);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = Vec2::splat(space::S);
        let done = ui.add(Button::new(Loudness::Primary, text::done()));
        drawn.focus(ui, model, of.focus(), &done);
        if done.clicked() {
            drawn.act(NodesAction::Close(of));
        }
        let again = Button::new(Loudness::Secondary, text::retry()).tall();
        if !matches!(joined.state, NetworkState::Works) && ui.add(again).clicked() {
            drawn.act(NodesAction::Join(of));
        }
    });
}
