//! The card of an invitation: what joining means, and what came of it.

use egui::{Id, Response, Ui, Vec2};

use super::Drawn;
use crate::app::transfer::join::JoinChoice;
use crate::app::words::who_saw_what::WhoSawWhat;
use crate::gui::fonts::Icon;
use crate::gui::kit::{self, Button, Flush, Loudness};
use crate::gui::model::{
    Focus, InvitationInfo, JoinAction, JoinCard, JoinPhase, JoinState, JoinedNetwork, KnownNetwork,
    Modal, ModalAction, Model, NetworkState, Tone,
};
use crate::gui::text;
use crate::gui::tokens::{Type, palette, space};

/// Draws the card of the invitation in the field, which is brought into view when it is new: the text above can be long.
pub(super) fn card(ui: &mut Ui, model: &Model, info: &InvitationInfo, drawn: &mut Drawn) {
    let id = Id::unique("invitation");
    let words = format!("{} {}", info.name, info.words.join(" "));
    kit::fresh(ui, id, &words, |ui| content(ui, model, info, drawn));
}

fn content(ui: &mut Ui, model: &Model, info: &InvitationInfo, drawn: &mut Drawn) {
    kit::card(ui, |ui| {
        ui.spacing_mut().item_spacing.y = space::S;
        match &model.receive.joining {
            JoinState::Joined(joined) => outcome(ui, model, info, joined, drawn),
            JoinState::Running(_, phase) => {
                head(ui, info, &text::joining_title(&info.name));
                running(ui, model, info, *phase, drawn);
            }
            JoinState::Failed(why) => {
                head(ui, info, &text::join_title(&info.name));
                kit::callout(ui, Tone::Danger, &text::trouble(why), |_| {});
                who_saw(ui, model, JoinCard::Invitation, drawn);
                meaning(ui, info);
                answers(ui, model, info, drawn);
            }
            JoinState::Undecided => {
                head(ui, info, &text::join_title(&info.name));
                meaning(ui, info);
                answers(ui, model, info, drawn);
            }
        }
    });
}

/// The name in quotes, which the network's maker chose, and beside it the host, which they did not.
fn head(ui: &mut Ui, info: &InvitationInfo, title: &str) {
    let palette = palette(ui);
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = space::M;
        kit::tile(ui, 40.0, Icon::Relay, palette.accent, palette.accent_tint);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            kit::heading(ui, title, Type::Section, palette.text, 2);
            let width = ui.available_width();
            let relays = text::relays(info.relays);
            let facts = [info.host.as_str(), relays.as_str()].into_iter();
            let facts = kit::in_lines(ui, facts, Type::Caption, width);
            kit::label(ui, facts, Type::Caption, palette.muted);
        });
    });
}

/// What joining means, and what to know of this invitation.
fn meaning(ui: &mut Ui, info: &InvitationInfo) {
    let palette = palette(ui);
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = space::S;
        kit::selectable(ui, text::join_meaning(info), Type::Body, palette.text);
        words(ui, info);
        for about in text::about_invitation(info) {
            ui.horizontal_top(|ui| {
                ui.spacing_mut().item_spacing.x = space::S;
                kit::icon(ui, Icon::Info, 16.0, palette.muted);
                kit::label(ui, about, Type::Caption, palette.muted);
            });
        }
        if let Some(why) = &info.no_path {
            kit::callout(ui, Tone::Warning, &text::join_without_rules(why), |_| {});
        }
    });
}

/// The five words, on a ground of their own: they are read out to others.
fn words(ui: &mut Ui, info: &InvitationInfo) {
    let palette = palette(ui);
    egui::Frame::new()
        .fill(palette.sunken)
        .corner_radius(8)
        .inner_margin(egui::Margin::symmetric(12, 8))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = 2.0;
            let words = info.words.join(" ");
            kit::selectable(ui, words, Type::Mono, palette.text);
            kit::label(ui, text::join_words(), Type::Caption, palette.muted);
        });
}

/// The buttons: where more than Join has to be decided, the answer that changes nothing comes first and has the keyboard.
fn answers(ui: &mut Ui, model: &Model, info: &InvitationInfo, drawn: &mut Drawn) {
    let choice = JoinChoice {
        replace: info.known == KnownNetwork::OtherRelays,
        relax: info.no_path.is_some(),
        ask_list_host: false,
    };
    let join = JoinButton(text::join_button(info), JoinAction::Join(choice));
    let not_now = match info.known {
        KnownNetwork::OtherRelays => text::keep_my_relays(),
        KnownNetwork::Member | KnownNetwork::No => text::not_now(),
    };
    let not_now = JoinButton(not_now, JoinAction::NotNow);
    if info.is_plain() {
        buttons(ui, model, info, [Some(join), None, Some(not_now)], drawn);
    } else {
        buttons(ui, model, info, [Some(not_now), Some(join), None], drawn);
    }
}

/// The label of a button and what it does.
struct JoinButton<'a>(&'a str, JoinAction);

/// The loud button, which has the keyboard, one beside it, and a quiet one.
fn buttons(
    ui: &mut Ui,
    model: &Model,
    info: &InvitationInfo,
    [loud, beside, quiet]: [Option<JoinButton<'_>>; 3],
    drawn: &mut Drawn,
) {
    ui.add_space(space::XS);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = Vec2::splat(space::S);
        if let Some(JoinButton(words, action)) = loud {
            let button = ui.add(Button::new(Loudness::Primary, words));
            drawn.focus(ui, model, Focus::Download, &button);
            says(&button, model, info);
            if button.clicked() {
                drawn.act(action);
            }
        }
        if let Some(JoinButton(words, action)) = beside
            && ui
                .add(Button::new(Loudness::Secondary, words).tall())
                .clicked()
        {
            drawn.act(action);
        }
        if let Some(JoinButton(words, action)) = quiet
            && ui.add(Button::new(Loudness::Quiet, words).tall()).clicked()
        {
            drawn.act(action);
        }
    });
}

/// Has a screen reader say at this button what the card says.
fn says(button: &Response, model: &Model, info: &InvitationInfo) {
    let said = match &model.receive.joining {
        JoinState::Joined(joined) => text::is_joined(joined),
        JoinState::Failed(why) => text::trouble(why).aloud(),
        JoinState::Running(_, phase) => text::join_phase(JoinCard::Invitation, *phase).to_owned(),
        JoinState::Undecided => text::is_invitation(info),
    };
    (button.ctx).accesskit_node_builder(button.id, |node| node.set_description(said));
}

/// How far joining is on this card: a bar, and what is being done.
pub(super) fn progress(ui: &mut Ui, name: &str, card: JoinCard, phase: JoinPhase) {
    let fraction = match phase {
        JoinPhase::AskForList => 0.2,
        JoinPhase::TryServer => 0.6,
    };
    kit::progress(ui, &text::progress_of(name), fraction);
    let words = text::join_phase(card, phase);
    kit::label(ui, words, Type::Caption, palette(ui).muted);
}

/// Whether a network that was joined can be used now; `works` says that it can, `more` stands below what says that nobody
/// answered.
pub(super) fn usable(ui: &mut Ui, joined: &JoinedNetwork, works: &str, more: impl FnOnce(&mut Ui)) {
    let palette = palette(ui);
    match &joined.state {
        NetworkState::Works => {
            ui.horizontal_top(|ui| {
                ui.spacing_mut().item_spacing.x = space::S;
                kit::icon(ui, Icon::CircleCheck, 16.0, palette.success);
                kit::label(ui, works, Type::Body, palette.text);
            });
        }
        NetworkState::OnlyReceives(why) => {
            let message = text::joined_only_receives(why);
            kit::callout(ui, Tone::Warning, &message, |_| {});
        }
        NetworkState::NotNow(why) => {
            kit::callout(ui, Tone::Warning, &text::joined_not_now(why), more);
        }
    }
}

/// A button that shows what joining on this card showed to whom; none before anybody was asked.
pub(super) fn who_saw(ui: &mut Ui, model: &Model, card: JoinCard, drawn: &mut Drawn) {
    let tries = model.join_shown(card).map_or(0, WhoSawWhat::tries);
    if tries == 0 {
        return;
    }
    let network = text::name_on_card(model, card).unwrap_or_default();
    let name = text::about_file(text::who_saw_what(), &network);
    let look = Button::new(Loudness::Quiet, text::who_saw_what()).icon(Icon::Eye);
    let look = look.named(&name).flush(Flush::Left).opens_dialog();
    if ui.add(look).clicked() {
        let at = tries.saturating_sub(1);
        drawn.act(ModalAction::Open(Modal::WhoSawJoin { card, at }));
    }
}

fn running(ui: &mut Ui, model: &Model, info: &InvitationInfo, phase: JoinPhase, drawn: &mut Drawn) {
    ui.add_space(space::XS);
    progress(ui, &info.name, JoinCard::Invitation, phase);
    ui.add_space(space::XS);
    let cancel = ui.add(Button::new(Loudness::Secondary, text::cancel()));
    drawn.focus(ui, model, Focus::Download, &cancel);
    says(&cancel, model, info);
    if cancel.clicked() {
        drawn.act(JoinAction::Cancel);
    }
}

/// What came of joining, and what can be done then.
fn outcome(
    ui: &mut Ui,
    model: &Model,
    info: &InvitationInfo,
    joined: &JoinedNetwork,
    drawn: &mut Drawn,
) {
    let shown = InvitationInfo {
        relays: if joined.relays > 0 {
            joined.relays
        } else {
            info.relays
        },
        ..info.clone()
    };
    head(ui, &shown, &text::joined_title(joined));
    let done = JoinButton(
        if info.with_pointer {
            text::to_the_pointer()
        } else {
            text::done()
        },
        JoinAction::Close,
    );
    usable(ui, joined, text::joined_works(), |ui| {
        from_list_host(ui, model, info, drawn);
    });
    who_saw(ui, model, JoinCard::Invitation, drawn);
    let answers = match &joined.state {
        NetworkState::Works => {
            let share = JoinButton(text::share_files(), JoinAction::Share);
            [Some(share), None, Some(done)]
        }
        NetworkState::OnlyReceives(_) => [Some(done), None, None],
        NetworkState::NotNow(_) => {
            let again = JoinButton(text::retry(), JoinAction::Join(JoinChoice::default()));
            [Some(again), None, Some(done)]
        }
    };
    buttons(ui, model, &shown, answers, drawn);
}

/// Offers to fetch the list from the host that the invitation names, and says what that host sees.
fn from_list_host(ui: &mut Ui, model: &Model, info: &InvitationInfo, drawn: &mut Drawn) {
    let Some(host) = &info.list_host else {
        return;
    };
    let sees = text::list_host_offer(host, model.settings.proxy.is_some());
    ui.add_space(space::XS);
    kit::label(ui, sees, Type::Body, palette(ui).muted);
    ui.add_space(space::XS);
    let words = text::fetch_list_from(host);
    let fetch = Button::new(Loudness::Secondary, &words);
    if ui.add(fetch).clicked() {
        drawn.act(JoinAction::Join(JoinChoice {
            ask_list_host: true,
            ..JoinChoice::default()
        }));
    }
}
