//! The Settings screen: one page, every change kept at once.

use egui::{Id, Key, Sense, Ui, vec2};

use super::{Drawn, Surroundings};
use crate::app::config::{Display, MAX_PARALLEL, Renderer};
use crate::app::l10n::Language;
use crate::app::message::Remedy;
use crate::gui::fonts::Icon;
use crate::gui::kit::{self, Button, Field, Loudness};
use crate::gui::model::{
    Action, Contrast, Focus, Modal, Model, Motion, Server, ServerChoice, Test, Theme, Tone,
    WordField,
};
use crate::gui::text;
use crate::gui::tokens::{Type, measure, palette, space};

pub(super) fn screen(ui: &mut Ui, model: &Model, around: Surroundings, drawn: &mut Drawn) {
    ui.spacing_mut().item_spacing.y = space::XL;
    section(ui, text::file_servers(), text::file_servers_about(), |ui| {
        servers(ui, model, drawn);
    });
    section(ui, text::relays_title(), text::relays_about(), |ui| {
        super::relays::part(ui, model, around, drawn);
    });
    section(ui, text::downloads(), text::downloads_about(), |ui| {
        downloads(ui, model, drawn);
    });
    section(ui, text::appearance(), "", |ui| {
        appearance(ui, model, drawn);
    });
    section(ui, text::privacy(), "", |ui| privacy(ui, model, drawn));
    section(ui, text::advanced(), "", |ui| advanced(ui, model, drawn));
    section(ui, text::about(), "", |ui| about(ui, drawn));
}

fn section(ui: &mut Ui, title: &str, about: &str, add: impl FnOnce(&mut Ui)) {
    let palette = palette(ui);
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        kit::label(ui, title, Type::Section, palette.text);
        if !about.is_empty() {
            kit::label(ui, about, Type::Body, palette.muted);
        }
        ui.add_space(space::S);
        kit::card(ui, |ui| {
            ui.spacing_mut().item_spacing.y = space::S;
            add(ui);
        });
    });
}

/// One line of a card: what it is on the left, what can be done on the right; below each other when narrow.
pub(super) fn line(
    ui: &mut Ui,
    icon: Icon,
    title: &str,
    about: &str,
    right: f32,
    act: impl FnOnce(&mut Ui),
) {
    let palette = palette(ui);
    let fits = ui.available_width() - right >= 220.0;
    let left = |ui: &mut Ui| {
        ui.spacing_mut().item_spacing.x = space::M;
        let (square, _) = ui.allocate_exact_size(vec2(measure::ICON_L, 40.0), Sense::hover());
        kit::paint_icon(
            ui.painter(),
            square.center(),
            icon,
            measure::ICON_L,
            palette.muted,
        );
        let width = ui.available_width();
        ui.allocate_ui_with_layout(
            vec2(width, 38.0),
            egui::Layout::top_down(egui::Align::Min),
            |ui| {
                ui.spacing_mut().item_spacing.y = 2.0;
                kit::middle(ui, title, Type::Label, palette.text, width);
                kit::middle(ui, about, Type::Caption, palette.muted, width);
            },
        );
    };
    if fits {
        kit::sides(ui, 40.0, right, left, act);
    } else {
        kit::sides(ui, 40.0, 0.0, left, |_| {});
        kit::sides(ui, measure::CONTROL, ui.available_width(), |_| {}, act);
    }
}

fn servers(ui: &mut Ui, model: &Model, drawn: &mut Drawn) {
    let preferences = &model.settings.preferences;
    server(
        ui,
        model,
        &ServerChoice::BuiltIn,
        text::built_in(),
        text::built_in_about(),
        drawn,
    );
    for (at, known) in preferences.servers.iter().enumerate() {
        kit::divider(ui);
        let choice = ServerChoice::Address(known.address.clone());
        server(ui, model, &choice, &known.name, &known.address, drawn);
        ui.push_id(("direct", &known.address), |ui| {
            ui.add_space(space::S);
            let (title, about) = text::direct_switch();
            if known.direct {
                ui.horizontal(|ui| {
                    kit::icon(ui, Icon::Warning, measure::ICON, palette(ui).warning);
                    kit::label(ui, about, Type::Caption, palette(ui).warning);
                });
            }
            if kit::switch(
                ui,
                title,
                if known.direct { "" } else { about },
                known.direct,
            ) {
                drawn.act(Action::SetDirect(known.address.clone(), !known.direct));
            }
        });
        ui.push_id(("word", &known.address), |ui| {
            access_word(ui, model, (at, known), drawn);
        });
    }
    kit::divider(ui);
    let mut address = model.settings.address.clone();
    let trouble = model.settings.address_trouble.is_some();
    let field = Field {
        id: Id::unique("server address"),
        label: text::add_server(),
        hint: text::SERVER_ADDRESS_HINT,
        rows: 1,
        trouble,
        masked: false,
    };
    let button = Button::new(Loudness::Secondary, text::add())
        .icon(Icon::Plus)
        .enabled(!address.trim().is_empty());
    let add = ui
        .scope(|ui| {
            ui.spacing_mut().item_spacing.y = space::XS;
            let response = field.show(ui, &mut address);
            if response.changed() {
                drawn.act(Action::AddressEdited(address));
            }
            drawn.focus(model, Focus::ServerAddress, &response);
            let entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            ui.add_space(space::XS);
            ui.add(button).clicked() || entered
        })
        .inner;
    if add {
        drawn.act(Action::AddServer);
    }
    if let Some(message) = &model.settings.address_trouble {
        kit::callout(ui, Tone::Danger, message, |_| {});
    }
}

fn server(
    ui: &mut Ui,
    model: &Model,
    choice: &ServerChoice,
    name: &str,
    about: &str,
    drawn: &mut Drawn,
) {
    let chosen = model.settings.preferences.chosen == *choice;
    let added = *choice != ServerChoice::BuiltIn;
    let test = model.settings.tests.get(choice);
    let shown = model.settings.tests_shown.get(choice);
    let tries: usize = shown
        .into_iter()
        .flatten()
        .map(|request| request.attempts.len())
        .sum();
    let shown = tries > 0;
    let servers = model.settings.preferences.servers.iter();
    let place = servers
        .map(|server| ServerChoice::Address(server.address.clone()))
        .position(|server| server == *choice)
        .map_or(0, |added| added + 1);
    let icon = if added { Icon::Server } else { Icon::HardDrive };
    let right = 84.0
        + space::S
        + 56.0
        + if added {
            space::S + measure::CONTROL
        } else {
            0.0
        };
    ui.push_id(choice_id(choice), |ui| {
        line(ui, icon, name, about, right, |ui| {
            if chosen {
                kit::badge(ui, Tone::Success, Icon::Check, text::in_use());
            } else if ui
                .add(Button::new(Loudness::Secondary, text::use_it()))
                .clicked()
            {
                drawn.act(Action::UseServer(choice.clone()));
            }
            let tested =
                Button::new(Loudness::Quiet, text::test()).enabled(test != Some(&Test::Running));
            if ui.add(tested).clicked() {
                drawn.act(Action::TestServer(choice.clone()));
            }
            if let ServerChoice::Address(address) = choice
                && kit::icon_button(ui, Icon::Trash, &text::about_file(text::remove(), name))
                    .clicked()
            {
                drawn.act(Action::RemoveServer(address.clone()));
            }
        });
        if outcome(ui, choice, test, shown, name, drawn) {
            drawn.act(Action::Open(Modal::WhoSawTest {
                server: place,
                at: tries.saturating_sub(1),
            }));
        }
    });
}

/// The access word of a server: whether one is kept, and the field for another.
fn access_word(ui: &mut Ui, model: &Model, (at, known): (usize, &Server), drawn: &mut Drawn) {
    let palette = palette(ui);
    let field = model.settings.word.as_ref();
    if let Some(field) = field.filter(|field| field.address == known.address) {
        word_field(ui, model, at, field, drawn);
        return;
    }
    let kept = known.access_word.is_some();
    let words = if kept {
        text::change_access_word()
    } else {
        text::enter_access_word()
    };
    let about = if kept {
        text::access_word_is_kept()
    } else {
        text::access_word_about()
    };
    let open = Button::new(Loudness::Quiet, words);
    let mut right = open.width(ui);
    if kept {
        right += space::S + measure::CONTROL;
    }
    let left = |ui: &mut Ui| {
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            kit::label(ui, text::access_word(), Type::Label, palette.text);
            kit::label(ui, about, Type::Caption, palette.muted);
        });
    };
    let act = |ui: &mut Ui| {
        let response = ui.add(open);
        drawn.focus(model, Focus::AccessWord(at), &response);
        if response.clicked() {
            drawn.act(Action::OpenWord(known.address.clone()));
        }
        if kept {
            let name = text::about_file(text::forget_access_word(), &known.name);
            if kit::icon_button(ui, Icon::Trash, &name).clicked() {
                drawn.act(Action::ForgetWord(known.address.clone()));
            }
        }
    };
    let room = ui.available_width() - right - space::S;
    if room >= 200.0 {
        let words = kit::text_height(ui, text::access_word(), Type::Label, room)
            + 2.0
            + kit::text_height(ui, about, Type::Caption, room);
        kit::sides(ui, words.max(40.0), right, left, act);
    } else {
        left(ui);
        kit::sides(ui, measure::CONTROL, ui.available_width(), |_| {}, act);
    }
}

fn word_field(ui: &mut Ui, model: &Model, at: usize, word: &WordField, drawn: &mut Drawn) {
    let mut typed = word.text.clone();
    let possible = !typed.trim().is_empty();
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = space::XS;
        let field = Field {
            id: Id::unique("access word"),
            label: text::access_word(),
            hint: "",
            rows: 1,
            trouble: word.trouble.is_some(),
            masked: true,
        };
        let response = field.show(ui, &mut typed);
        drawn.focus(model, Focus::AccessWord(at), &response);
        if response.changed() {
            drawn.act(Action::WordEdited(typed));
        }
        let entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        kit::label(
            ui,
            text::access_word_about(),
            Type::Caption,
            palette(ui).muted,
        );
        ui.add_space(space::XS);
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = space::S;
            let keep = Button::new(Loudness::Secondary, text::keep_access_word());
            if ui.add(keep.enabled(possible)).clicked() || (entered && possible) {
                drawn.act(Action::KeepWord);
            }
            let close = Button::new(Loudness::Quiet, text::cancel());
            if ui.add(close).clicked() {
                drawn.act(Action::CloseWord);
            }
        });
    });
    if let Some(message) = &word.trouble {
        kit::callout(ui, Tone::Danger, message, |_| {});
    }
}

fn choice_id(choice: &ServerChoice) -> Id {
    match choice {
        ServerChoice::BuiltIn => Id::unique("server built in"),
        ServerChoice::Address(address) => Id::unique(("server", address)),
    }
}

/// What a test came to, and whether to show what it `shown` to whom.
fn outcome(
    ui: &mut Ui,
    choice: &ServerChoice,
    test: Option<&Test>,
    shown: bool,
    name: &str,
    drawn: &mut Drawn,
) -> bool {
    let palette = palette(ui);
    let look = |ui: &mut Ui| {
        let words = text::about_file(text::who_saw_what(), name);
        shown && kit::icon_button(ui, Icon::Eye, &words).clicked()
    };
    match test {
        None => false,
        Some(Test::Running) => {
            kit::label(ui, text::testing(), Type::Caption, palette.muted);
            false
        }
        Some(Test::Passed(report)) => {
            ui.horizontal_top(|ui| {
                ui.spacing_mut().item_spacing.x = 6.0;
                kit::icon(ui, Icon::CircleCheck, 16.0, palette.success);
                let eye = if shown { measure::CONTROL + 6.0 } else { 0.0 };
                let room = vec2((ui.available_width() - eye).max(60.0), 0.0);
                let words = egui::Layout::top_down(egui::Align::Min);
                ui.allocate_ui_with_layout(room, words, |ui| {
                    kit::label(
                        ui,
                        text::test_passed(report),
                        Type::Caption,
                        palette.success,
                    );
                });
                look(ui)
            })
            .inner
        }
        Some(Test::Failed(message)) => {
            let mut looks = false;
            kit::callout(ui, Tone::Danger, message, |ui| {
                if let (Remedy::AccessWord, ServerChoice::Address(address)) =
                    (message.remedy, choice)
                {
                    ui.add_space(space::XS);
                    let button = Button::new(Loudness::Secondary, text::remedy_access_word());
                    if ui.add(button.icon(Icon::Lock)).clicked() {
                        drawn.act(Action::OpenWord(address.clone()));
                    }
                }
                looks = look(ui);
            });
            looks
        }
    }
}

fn downloads(ui: &mut Ui, model: &Model, drawn: &mut Drawn) {
    let folder = &model.settings.preferences.downloads;
    let name = folder
        .file_name()
        .map_or_else(|| folder.to_string_lossy(), |name| name.to_string_lossy());
    line(
        ui,
        Icon::Folder,
        &name,
        &folder.to_string_lossy(),
        84.0,
        |ui| {
            if ui
                .add(Button::new(Loudness::Secondary, text::change()))
                .clicked()
            {
                drawn.act(Action::ChooseDownloads);
            }
        },
    );
    if let Some(ours) = model.settings.links {
        kit::divider(ui);
        let (title, about) = text::open_links();
        if kit::switch(ui, title, about, ours) {
            drawn.act(Action::OpenLinks(!ours));
        }
    }
}

/// A name on the left and what chooses on the right; below each other when narrow.
fn named(ui: &mut Ui, name: &str, control: f32, add: &mut dyn FnMut(&mut Ui)) {
    let palette = palette(ui);
    let title = |ui: &mut Ui| {
        kit::label(ui, name, Type::Label, palette.text);
    };
    if ui.available_width() - control >= 100.0 {
        kit::sides(ui, 36.0, control, title, |ui| add(ui));
    } else {
        kit::label(ui, name, Type::Label, palette.text);
        add(ui);
    }
}

/// What few people change.
fn advanced(ui: &mut Ui, model: &Model, drawn: &mut Drawn) {
    let palette = palette(ui);
    let chosen = model.settings.preferences.advanced;
    let mut wanted = chosen;
    if cfg!(all(unix, not(target_os = "macos"))) {
        let displays = [
            (Display::Auto, text::automatic()),
            (Display::X11, text::X11),
            (Display::Wayland, text::WAYLAND),
        ];
        let width = kit::segmented_width(ui, &displays);
        named(ui, text::display(), width, &mut |ui| {
            let display = kit::segmented(ui, text::display(), &displays, Some(chosen.display));
            wanted.display = display.pressed.unwrap_or(chosen.display);
        });
        kit::divider(ui);
    }
    let renderers = [
        (Renderer::Auto, text::automatic()),
        (Renderer::Wgpu, text::WGPU),
        (Renderer::Glow, text::OPENGL),
    ];
    let width = kit::segmented_width(ui, &renderers);
    named(ui, text::renderer(), width, &mut |ui| {
        let renderer = kit::segmented(ui, text::renderer(), &renderers, Some(chosen.renderer));
        wanted.renderer = renderer.pressed.unwrap_or(chosen.renderer);
    });
    kit::label(ui, text::at_next_start(), Type::Caption, palette.muted);
    kit::divider(ui);
    named(ui, text::parallel_shares(), 140.0, &mut |ui| {
        let now = chosen.parallel_shares;
        let less = (text::fewer_shares(), now > 1);
        let more = (text::more_shares(), now < MAX_PARALLEL);
        let step = kit::stepper(ui, &now.to_string(), less, more);
        wanted.parallel_shares = now.saturating_add_signed(step).clamp(1, MAX_PARALLEL);
    });
    if wanted != chosen {
        drawn.act(Action::SetAdvanced(wanted));
    }
    kit::divider(ui);
    kit::label(ui, text::diagnostics_about(), Type::Caption, palette.muted);
    let copy = Button::new(Loudness::Secondary, text::copy_diagnostics()).icon(Icon::Copy);
    if ui.add(copy).clicked() {
        drawn.act(Action::CopyDiagnostics);
    }
}

fn appearance(ui: &mut Ui, model: &Model, drawn: &mut Drawn) {
    let palette = palette(ui);
    let preferences = &model.settings.preferences;
    let themes = [
        (Theme::System, text::system()),
        (Theme::Light, text::light()),
        (Theme::Dark, text::dark()),
    ];
    let width = kit::segmented_width(ui, &themes);
    named(ui, text::theme(), width, &mut |ui| {
        let theme = kit::segmented(ui, text::theme(), &themes, Some(preferences.theme));
        drawn.actions.extend(theme.pressed.map(Action::SetTheme));
    });
    kit::divider(ui);
    let levels = [
        (Contrast::System, text::system()),
        (Contrast::Normal, text::normal()),
        (Contrast::High, text::high()),
    ];
    let width = kit::segmented_width(ui, &levels);
    named(ui, text::contrast(), width, &mut |ui| {
        let contrast = kit::segmented(ui, text::contrast(), &levels, Some(preferences.contrast));
        drawn
            .actions
            .extend(contrast.pressed.map(Action::SetContrast));
    });
    kit::divider(ui);
    kit::label(ui, text::language(), Type::Label, palette.text);
    let languages: Vec<(Option<Language>, String)> =
        std::iter::once((None, text::system().to_owned()))
            .chain(
                Language::OFFERED.map(|language| (Some(language), language.own_name().to_owned())),
            )
            .collect();
    let language = kit::chips(ui, text::language(), &languages, preferences.language);
    drawn.actions.extend(language.map(Action::SetLanguage));
    kit::divider(ui);
    let kinds = [
        (Motion::System, text::system()),
        (Motion::Reduced, text::reduced()),
    ];
    let width = kit::segmented_width(ui, &kinds);
    named(ui, text::motion(), width, &mut |ui| {
        let motion = kit::segmented(ui, text::motion(), &kinds, Some(preferences.motion));
        drawn.actions.extend(motion.pressed.map(Action::SetMotion));
    });
    kit::divider(ui);
    named(ui, text::text_size(), 140.0, &mut |ui| {
        let less = (text::smaller(), preferences.zoomed(-1) != preferences.zoom);
        let more = (text::larger(), preferences.zoomed(1) != preferences.zoom);
        let step = kit::stepper(ui, &text::zoom(preferences.zoom), less, more);
        if step != 0 {
            drawn.act(Action::Zoom(step));
        }
    });
}

/// Name and explanation, whether it is on, and what a click on it asks for.
type Switch = ((&'static str, &'static str), bool, fn(bool) -> Action);

fn privacy(ui: &mut Ui, model: &Model, drawn: &mut Drawn) {
    let kept = &model.settings.preferences;
    let switches: [Switch; 4] = [
        (
            text::name_in_pointer(),
            kept.name_in_pointer,
            Action::SetNameInPointer,
        ),
        (
            text::clear_clipboard(),
            kept.clear_clipboard,
            Action::SetClearClipboard,
        ),
        (
            text::mask_pointers(),
            kept.mask_pointers,
            Action::SetMaskPointers,
        ),
        (
            text::copy_when_done(),
            kept.copy_when_done,
            Action::SetCopyWhenDone,
        ),
    ];
    for (at, ((title, about), on, action)) in switches.into_iter().enumerate() {
        if at > 0 {
            kit::divider(ui);
        }
        if kit::switch(ui, title, about, on) {
            drawn.act(action(!on));
        }
    }
    kit::divider(ui);
    super::keeping::privacy(ui, model, drawn);
}

fn about(ui: &mut Ui, drawn: &mut Drawn) {
    let palette = palette(ui);
    ui.spacing_mut().item_spacing.y = 2.0;
    kit::label(ui, text::version(), Type::Label, palette.text);
    kit::label(ui, text::about_text(), Type::Body, palette.muted);
    ui.add_space(space::S);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.y = space::S;
        for (icon, words, modal) in [
            (Icon::Scale, text::about_and_licences(), Modal::About),
            (Icon::Keyboard, text::keys(), Modal::Shortcuts),
        ] {
            let button = Button::new(Loudness::Secondary, words).icon(icon);
            if ui.add(button).clicked() {
                drawn.act(Action::Open(modal));
            }
        }
    });
}
