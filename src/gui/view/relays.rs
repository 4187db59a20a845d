//! The relays in Settings: where they are from, how each stands, and new ones.

use egui::{Id, Key, Role, Ui, Vec2};

use super::form::{line, trouble};
use super::{Drawn, ViewContext};
use crate::app::relays::RelaySource;
use crate::app::settings::Change;
use crate::gui::fonts::Icon;
use crate::gui::kit::{self, Button, Field, Loudness};
use crate::gui::model::{Focus, Model, RelayAction, RelaysSeen, Tone};
use crate::gui::text;
use crate::gui::tokens::{Type, measure, palette, space};
use crate::protocol::path::Standing;

pub(super) fn part(ui: &mut Ui, model: &Model, context: ViewContext, drawn: &mut Drawn) {
    let source = model.relays_shown();
    shown(ui, model, drawn);
    let seen = model.relays_seen();
    if let (Some(source), Some(seen)) = (source, seen) {
        known(ui, model, seen, context.now, drawn);
        let list = (source, text::list_title(source, model.shown_list()));
        short_list(ui, model, list, (Some(seen), true), drawn);
    }
    let is_joined = matches!(source, Some(RelaySource::Network(_)));
    if model.relays_server().is_some() && !is_joined {
        kit::divider(ui);
        add(ui, model, drawn);
    } else {
        trouble(
            ui,
            "relay list",
            model.settings_screen.relay_trouble.as_ref(),
        );
    }
    others(ui, model, context.now, drawn);
    kit::divider(ui);
    proxy(ui, model, drawn);
    if matches!(source, Some(RelaySource::Url(_))) {
        kit::divider(ui);
        let (title, about) = text::list_in_pointer();
        let on = model.settings.pointer_carries_relay_list;
        if kit::switch(ui, title, about, on) {
            drawn.act(Change::ListInPointer(!on));
        }
    }
}

/// The proxy on the way to the first relay.
fn proxy(ui: &mut Ui, model: &Model, drawn: &mut Drawn) {
    if let Some(proxy) = &model.settings.proxy {
        let name = proxy.to_string();
        line(
            ui,
            Icon::Globe,
            text::proxy(),
            &name,
            measure::CONTROL,
            |ui| {
                if kit::icon_button(ui, Icon::Trash, text::forget_proxy()).clicked() {
                    drawn.act(RelayAction::ForgetProxy);
                }
            },
        );
        return;
    }
    let mut typed = model.settings_screen.proxy.clone();
    let possible = !typed.trim().is_empty();
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = space::XS;
        let field = Field {
            id: Id::unique("proxy"),
            label: text::proxy(),
            hint: text::PROXY_HINT,
            rows: 1,
            trouble: model.settings_screen.proxy_trouble.is_some(),
            masked: false,
        };
        let response = field.show(ui, &mut typed);
        if response.changed() {
            drawn.act(RelayAction::ProxyEdited(typed));
        }
        let entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        kit::label(ui, text::proxy_about(), Type::Caption, palette(ui).muted);
        ui.add_space(space::XS);
        let button = Button::new(Loudness::Secondary, text::use_proxy()).enabled(possible);
        if ui.add(button).clicked() || (entered && possible) {
            drawn.act(RelayAction::UseProxy);
        }
    });
    trouble(ui, "proxy", model.settings_screen.proxy_trouble.as_ref());
}

/// Whose relays are shown, and the list that they are from.
fn shown(ui: &mut Ui, model: &Model, drawn: &mut Drawn) {
    let (Some(server), source) = (model.relays_server(), model.relays_shown()) else {
        let (title, about) = (text::no_relay_list(), text::no_relay_list_about());
        line(ui, Icon::Route, title, about, 0.0, |_| {});
        return;
    };
    let entry = model.settings.entry(server);
    let name = entry.map_or_else(
        || server.url.authority(),
        |entry| model.settings.name_in_list(entry),
    );
    let palette = palette(ui);
    kit::heading(ui, &text::relays_of(name), Type::Label, palette.text, 3);
    let Some(source) = source else {
        if !entry.is_some_and(|entry| entry.direct) {
            kit::callout(ui, Tone::Warning, &text::relays_missing(), |_| {});
        }
        return;
    };
    let relays = model.shown_list().map_or(0, |list| list.relays);
    let is_joined = matches!(source, RelaySource::Network(_));
    let place = if is_joined {
        text::from_its_server().to_owned()
    } else {
        text::list_place(source)
    };
    let about = text::relay_list(relays, &place);
    let title = text::list_title(source, model.shown_list());
    let right = if is_joined { 0.0 } else { measure::CONTROL };
    line(ui, Icon::Route, title, &about, right, |ui| {
        if !is_joined && kit::icon_button(ui, Icon::Trash, text::forget_list()).clicked() {
            drawn.act(RelayAction::ForgetList);
        }
    });
}

/// Whether rules of paths may yield on this list, where that is a question; what that means, `at_length`.
fn short_list(
    ui: &mut Ui,
    model: &Model,
    (source, name): (&RelaySource, &str),
    (seen, at_length): (Option<&RelaysSeen>, bool),
    drawn: &mut Drawn,
) {
    if seen.is_some_and(|seen| seen.rehearsal) {
        return;
    }
    let (title, about) = text::short_list();
    let allowed = &model.settings.short_lists;
    let on = allowed.contains(source);
    let name = text::about_file(title, name);
    // What it means is said once.
    let about = if at_length { about } else { "" };
    if kit::switch_named(ui, title, &name, about, on) {
        drawn.act(Change::ShortList(source.clone(), !on));
    }
}

/// The lists that pointers named, and those that networks used before.
fn others(ui: &mut Ui, model: &Model, now: u64, drawn: &mut Drawn) {
    let palette = palette(ui);
    let lists = &model.settings_screen.other_lists;
    if lists.is_empty() {
        return;
    }
    kit::divider(ui);
    kit::heading(ui, text::other_lists(), Type::Label, palette.text, 3);
    for (at, other) in lists.iter().enumerate() {
        if at > 0 {
            kit::divider(ui);
        }
        let place = text::list_place(&other.list.source);
        let about = text::relay_list(other.list.relays, &place);
        let id = Id::unique(("kept list", &place));
        kit::part(ui, id, Role::ListItem, &other.list.name, |ui| {
            line(
                ui,
                Icon::Route,
                &other.list.name,
                &about,
                measure::CONTROL,
                |ui| {
                    let forget = text::about_file(text::forget_list(), &other.list.name);
                    if kit::icon_button(ui, Icon::Trash, &forget).clicked() {
                        let source = other.list.source.clone();
                        drawn.act(RelayAction::ForgetOther(source));
                    }
                },
            );
            let used = if other.servers.is_empty() {
                text::list_kept().to_owned()
            } else {
                text::list_accepted(&other.servers)
            };
            kit::label(ui, used, Type::Caption, palette.muted);
            age(ui, &other.seen, now);
            let list = (&other.list.source, other.list.name.as_str());
            short_list(ui, model, list, (Some(&other.seen), false), drawn);
        });
    }
}

/// How old a list is, and what is wrong with it.
fn age(ui: &mut Ui, seen: &RelaysSeen, now: u64) {
    let palette = palette(ui);
    let age = text::list_age(seen, now);
    if !age.is_empty() {
        kit::label(ui, age, Type::Caption, palette.muted);
    }
    if let Some(trouble) = &seen.trouble {
        ui.horizontal_top(|ui| {
            kit::icon(ui, Icon::Warning, measure::ICON, palette.warning);
            kit::selectable(ui, trouble, Type::Caption, palette.warning);
        });
    }
}

/// Age, trouble, and each relay with its reasons.
fn known(ui: &mut Ui, model: &Model, seen: &RelaysSeen, now: u64, drawn: &mut Drawn) {
    age(ui, seen, now);
    if seen.relays.is_empty() {
        return;
    }
    let open = model.settings_screen.relays_open;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = Vec2::splat(space::S);
        let words = if open {
            text::hide_relays()
        } else {
            text::show_relays()
        };
        let show = Button::new(Loudness::Secondary, words).expanded(open);
        if ui.add(show).clicked() {
            drawn.act(RelayAction::Show(!open));
        }
        let guard = Button::new(Loudness::Quiet, text::new_guard()).icon(Icon::Retry);
        if ui
            .add(guard.enabled(!model.settings_screen.relays_busy))
            .clicked()
        {
            drawn.act(RelayAction::NewGuard);
        }
    });
    if !open {
        return;
    }
    let list = Id::unique("relays of the list");
    kit::part(ui, list, Role::List, text::relays_title(), |ui| {
        each(ui, seen, now, list);
    });
}

/// Each relay, and how it stands.
fn each(ui: &mut Ui, seen: &RelaysSeen, now: u64, list: Id) {
    let palette = palette(ui);
    for (at, relay) in seen.relays.iter().enumerate() {
        let (icon, ink) = match relay.standing {
            Standing::Guard { .. } => (Icon::ShieldCheck, palette.accent),
            Standing::SetAside { .. } => (Icon::Ban, palette.warning),
            _ => (Icon::Relay, palette.muted),
        };
        kit::part(ui, list.with(at), Role::ListItem, "", |ui| {
            ui.horizontal_top(|ui| {
                ui.spacing_mut().item_spacing.x = space::S;
                kit::icon(ui, icon, measure::ICON, ink);
                ui.vertical(|ui| {
                    ui.spacing_mut().item_spacing.y = 0.0;
                    let name = if relay.operator.is_empty() {
                        relay.name.clone()
                    } else {
                        format!("{}  ·  {}", relay.name, relay.operator)
                    };
                    kit::selectable(ui, name, Type::Caption, palette.text);
                    let stands = text::standing(relay.standing, now);
                    kit::selectable(ui, stands, Type::Caption, palette.muted);
                });
            });
        });
    }
}

/// Ways to use other relays: the line of a list, a file, or Session's network.
fn add(ui: &mut Ui, model: &Model, drawn: &mut Drawn) {
    let palette = palette(ui);
    let busy = model.settings_screen.relays_busy;
    let mut typed = model.settings_screen.relay_line.clone();
    let possible = !typed.trim().is_empty() && !busy;
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = space::XS;
        let field = Field {
            id: Id::unique("relay list line"),
            label: text::relay_line(),
            hint: text::RELAY_LINE_HINT,
            rows: 1,
            trouble: model.settings_screen.relay_trouble.is_some(),
            masked: false,
        };
        let response = field.show(ui, &mut typed);
        if response.changed() {
            drawn.act(RelayAction::LineEdited(typed));
        }
        drawn.focus(ui, model, Focus::RelayLine, &response);
        let entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        trouble(
            ui,
            "relay list",
            model.settings_screen.relay_trouble.as_ref(),
        );
        let sees = text::list_host_sees(model.settings.proxy.is_some());
        let about = text::two_sentences(text::relay_line_about(), text::list_maker_chooses());
        let about = text::two_sentences(&about, sees);
        kit::label(ui, about, Type::Caption, palette.muted);
        ui.add_space(space::XS);
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = Vec2::splat(space::S);
            let button = Button::new(Loudness::Secondary, text::add()).icon(Icon::Plus);
            let button = button.enabled(possible).named(text::add_this_list());
            if ui.add(button).clicked() || entered && possible {
                drawn.act(RelayAction::Add);
            }
            let file = Button::new(Loudness::Quiet, text::choose_list()).icon(Icon::Folder);
            if ui.add(file).clicked() {
                drawn.act(RelayAction::ChooseFile);
            }
            if busy {
                kit::label(ui, text::asking_relays(), Type::Caption, palette.muted);
            }
        });
    });
    let on = model.relays_shown() == Some(&RelaySource::Session);
    kit::divider(ui);
    let sees = text::seed_sees(model.settings.proxy.is_some());
    let about = text::two_sentences(text::session_about(), sees);
    if kit::switch(ui, text::session_network(), &about, on) {
        drawn.act(if on {
            RelayAction::ForgetList
        } else {
            RelayAction::UseSession
        });
    }
}
