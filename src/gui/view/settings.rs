//! The Settings screen: one page, every change kept at once.

use egui::{Id, Key, Role, Ui, vec2};

use super::form::{line, trouble};
use super::{Drawn, ViewContext, networks};
use crate::app::settings::{
    Change, Contrast, Display, MAX_PARALLEL, Renderer, ServerChoice, ServerEntry, SeveralThings,
    Theme,
};
use crate::app::words::l10n::Language;
use crate::app::words::message::Remedy;
use crate::app::words::who_saw_what::WhoSawWhat;
use crate::gui::fonts::Icon;
use crate::gui::kit::{self, Button, Field, Flush, Loudness};
use crate::gui::model::{
    Focus, Modal, ModalAction, Model, RelayAction, ServerAction, SettingsAction, Test, Tone,
    WordField,
};
use crate::gui::text;
use crate::gui::tokens::{Type, measure, palette, space};

/// The parts of the page, in their order.
fn sections() -> [&'static str; 7] {
    [
        text::file_servers(),
        text::relays_title(),
        text::downloads(),
        text::appearance(),
        text::privacy(),
        text::advanced(),
        text::about(),
    ]
}

pub(super) fn screen(ui: &mut Ui, model: &Model, context: ViewContext, drawn: &mut Drawn) {
    ui.spacing_mut().item_spacing.y = space::XL;
    let abouts = [
        text::file_servers_about(),
        text::relays_about(),
        text::downloads_about(),
        "",
        "",
        "",
        "",
    ];
    let mut tops = [0.0; 7];
    for (at, (title, about)) in sections().into_iter().zip(abouts).enumerate() {
        let top = section(ui, at, title, about, |ui| match at {
            0 => servers(ui, model, context, drawn),
            1 => super::relays::part(ui, model, context, drawn),
            2 => downloads(ui, model, drawn),
            3 => appearance(ui, model, drawn),
            4 => privacy(ui, model, drawn),
            5 => advanced(ui, model, drawn),
            _ => self::about(ui, drawn),
        });
        if let Some(place) = tops.get_mut(at) {
            *place = top;
        }
    }
    let view = ui.clip_rect();
    let ends = ui.min_rect().bottom() <= view.bottom() + 1.0;
    ui.data_mut(|data| {
        let jumped = data.get_temp::<Seen>(seen_key()).unwrap_or_default().jumped;
        data.insert_temp(
            seen_key(),
            Seen {
                tops,
                view: view.top(),
                ends,
                jumped,
            },
        );
    });
}

/// Scroll state of the page, from which the tabs know the section in view.
#[derive(Clone, Copy, Default)]
struct Seen {
    /// Where each section begins, in points.
    tops: [f32; 7],
    /// Upper edge of the visible part, in points.
    view: f32,
    /// Whether the end of the page is in view.
    ends: bool,
    /// The section that a tab jumped to; `None` once the person scrolls.
    jumped: Option<usize>,
}

impl Seen {
    /// The section in view.
    fn current(&self) -> usize {
        if let Some(jumped) = self.jumped {
            return jumped;
        }
        if self.ends && self.tops.first().is_some_and(|top| *top < self.view) {
            return self.tops.len() - 1;
        }
        let line = self.view + 2.0 * measure::CONTROL;
        let above = self.tops.iter().rposition(|top| *top <= line);
        above.unwrap_or(0)
    }
}

fn seen_key() -> Id {
    Id::unique("parts of settings")
}

fn jump_key() -> Id {
    Id::unique("part of settings to go to")
}

/// The tabs above the page: each jumps to a section, and the one in view is marked.
pub(super) fn way(ui: &mut Ui) {
    let scrolled =
        ui.input(|input| input.smooth_scroll_delta() != vec2(0.0, 0.0) || input.pointer.any_down());
    let mut seen: Seen = ui
        .data(|data| data.get_temp(seen_key()))
        .unwrap_or_default();
    if scrolled {
        seen.jumped = None;
    }
    if let Some(to) = kit::tabs(ui, text::settings(), &sections(), seen.current()) {
        seen.jumped = Some(to);
        ui.data_mut(|data| data.insert_temp(jump_key(), to));
        ui.ctx().request_repaint();
    }
    ui.data_mut(|data| data.insert_temp(seen_key(), seen));
}

/// Height of the tabs at this width, in points; `None` where they do not fit above the page.
pub(super) fn way_height(ui: &Ui, width: f32) -> Option<f32> {
    let fits = ui.available_height() >= 300.0 && kit::tab_lines(ui, &sections(), width) <= 2;
    fits.then(|| kit::tabs_height(ui, &sections(), width))
}

/// One section of the page; returns where it begins, in points.
fn section(ui: &mut Ui, at: usize, title: &str, about: &str, add: impl FnOnce(&mut Ui)) -> f32 {
    let palette = palette(ui);
    let id = Id::unique(("part of settings", at));
    kit::part(ui, id, Role::Region, title, |ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        let to = ui.data(|data| data.get_temp::<usize>(jump_key())) == Some(at);
        let heading = kit::landing(ui, id.with("heading"), title, to);
        if to {
            ui.data_mut(|data| data.remove::<usize>(jump_key()));
            let place = heading.rect.expand2(vec2(0.0, space::S));
            ui.scroll_to_rect(place, Some(egui::Align::TOP));
            heading.request_focus();
        }
        if !about.is_empty() {
            kit::label(ui, about, Type::Body, palette.muted);
        }
        ui.add_space(space::S);
        kit::card(ui, |ui| {
            ui.spacing_mut().item_spacing.y = space::S;
            add(ui);
        });
        heading.rect.top()
    })
}

fn servers(ui: &mut Ui, model: &Model, context: ViewContext, drawn: &mut Drawn) {
    let list = Id::unique("file servers");
    kit::part(ui, list, Role::List, text::file_servers(), |ui| {
        let name = text::built_in();
        kit::part(ui, list.with("built in"), Role::ListItem, name, |ui| {
            let about = text::built_in_about();
            server(ui, model, None, name, about, drawn);
        });
        for (at, known) in model.settings.servers.iter().enumerate() {
            kit::divider(ui);
            let id = list.with(&known.address);
            let name = model.settings.name_in_list(known);
            kit::part(ui, id, Role::ListItem, name, |ui| {
                added(ui, model, (at, known), context.now, drawn);
            });
        }
    });
    kit::divider(ui);
    let mut address = model.settings_screen.address.clone();
    let field = Field {
        id: Id::unique("server address"),
        label: text::add_server(),
        hint: text::SERVER_ADDRESS_HINT,
        rows: 1,
        trouble: model.settings_screen.address_trouble.is_some(),
        masked: false,
    };
    let button = Button::new(Loudness::Secondary, text::add())
        .icon(Icon::Plus)
        .named(text::add_this_server())
        .enabled(!address.trim().is_empty());
    let add = ui
        .scope(|ui| {
            ui.spacing_mut().item_spacing.y = space::XS;
            let response = field.show(ui, &mut address);
            if response.changed() {
                drawn.act(ServerAction::AddressEdited(address));
            }
            drawn.focus(ui, model, Focus::ServerAddress, &response);
            let entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            ui.add_space(space::XS);
            ui.add(button).clicked() || entered
        })
        .inner;
    if add {
        drawn.act(ServerAction::Add);
    }
    trouble(
        ui,
        "address",
        model.settings_screen.address_trouble.as_ref(),
    );
    super::nodes::part(ui, model, drawn);
}

/// A server that a person added, and what can be chosen for it.
fn added(
    ui: &mut Ui,
    model: &Model,
    (at, known): (usize, &ServerEntry),
    now: u64,
    drawn: &mut Drawn,
) {
    let name = model.settings.name_in_list(known);
    if known.network().is_some() {
        let seen = model.settings_screen.networks.get(&known.address);
        let about = text::network_facts(known.address.url.authority(), seen, now);
        server(ui, model, Some(known), name, &about, drawn);
    } else {
        let address = known.address.to_string();
        server(ui, model, Some(known), name, &address, drawn);
    }
    networks::below(ui, model, (at, known), now, drawn);
    ui.add_space(space::S);
    let (title, about) = text::direct_switch();
    if known.direct {
        ui.horizontal_top(|ui| {
            kit::icon(ui, Icon::Warning, measure::ICON, palette(ui).warning);
            kit::label(ui, about, Type::Caption, palette(ui).warning);
        });
    }
    let about = if known.direct {
        ""
    } else {
        text::direct_switch_off_about()
    };
    let name = text::about_file(title, name);
    if kit::switch_named(ui, title, &name, about, known.direct) {
        drawn.act(Change::Direct(known.address.clone(), !known.direct));
    }
    access_word(ui, model, (at, known), drawn);
}

fn server(
    ui: &mut Ui,
    model: &Model,
    known: Option<&ServerEntry>,
    name: &str,
    about: &str,
    drawn: &mut Drawn,
) {
    let choice = &known.map_or(ServerChoice::BuiltIn, |known| {
        ServerChoice::Server(known.address.clone())
    });
    let chosen = model.settings.chosen == *choice;
    let added = known.is_some();
    let test = model.settings_screen.tests.get(choice);
    let shown = model.settings_screen.tests_shown.get(choice);
    let tries = shown.map_or(0, WhoSawWhat::tries);
    let shown = tries > 0;
    let joined = known.filter(|known| known.network().is_some());
    let icon = match (added, joined) {
        (_, Some(_)) => Icon::Relay,
        (true, None) => Icon::Server,
        (false, None) => Icon::HardDrive,
    };
    let names = [text::use_it(), text::test(), text::remove()];
    let names = names.map(|verb| text::about_file(verb, name));
    let [use_name, test_name, remove_name] = &names;
    let use_it = Button::new(Loudness::Secondary, text::use_it()).named(use_name);
    let tested = Button::new(Loudness::Quiet, text::test())
        .named(test_name)
        .enabled(!matches!(test, Some(Test::Running)));
    let first = if chosen {
        kit::badge_width(ui, text::in_use())
    } else {
        use_it.width(ui)
    };
    let last = if added {
        space::S + measure::CONTROL
    } else {
        0.0
    };
    let right = first + space::S + tested.width(ui) + last;
    line(ui, icon, name, about, right, |ui| {
        if chosen {
            kit::badge(ui, Tone::Success, Icon::Check, text::in_use());
        } else if ui.add(use_it).clicked() {
            drawn.act(ServerAction::Use(choice.clone()));
        }
        // The button beside it goes when it was pressed; this one is the same before and after.
        let id = Id::unique(("test", choice));
        if kit::place(ui, id, |ui| ui.add(tested).clicked()) {
            drawn.act(ServerAction::Test(choice.clone()));
        }
        if let Some(known) = joined {
            networks::menu(ui, model, known, drawn);
        } else if let ServerChoice::Server(address) = choice
            && kit::icon_button(ui, Icon::Trash, remove_name).clicked()
        {
            drawn.act(ServerAction::Remove(address.clone()));
        }
    });
    let id = Id::unique(("outcome", choice));
    let has_own_relays = joined.is_some();
    let test = (test, has_own_relays);
    if kit::place(ui, id, |ui| outcome(ui, choice, test, shown, name, drawn)) {
        drawn.act(ModalAction::Open(Modal::WhoSawTest {
            server: choice.clone(),
            at: tries.saturating_sub(1),
        }));
    }
}

/// The access word of a server: whether one is kept, and the field for another.
fn access_word(ui: &mut Ui, model: &Model, (at, known): (usize, &ServerEntry), drawn: &mut Drawn) {
    let palette = palette(ui);
    let field = model.settings_screen.word.as_ref();
    if let Some(field) = field.filter(|field| field.server == known.address) {
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
    let server = model.settings.name_in_list(known);
    let name = text::about_file(words, server);
    let open = Button::new(Loudness::Quiet, words).named(&name);
    let open = if kept { open } else { open.flush(Flush::Right) };
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
        drawn.focus(ui, model, Focus::AccessWord(at), &response);
        if response.clicked() {
            drawn.act(ServerAction::OpenWord(known.address.clone()));
        }
        if kept {
            let name = text::about_file(text::forget_access_word(), server);
            if kit::icon_button(ui, Icon::Trash, &name).clicked() {
                drawn.act(ServerAction::ForgetWord(known.address.clone()));
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
            trouble: word.refused,
            masked: true,
        };
        let response = field.show(ui, &mut typed);
        drawn.focus(ui, model, Focus::AccessWord(at), &response);
        if response.changed() {
            drawn.act(ServerAction::WordEdited(typed));
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
                drawn.act(ServerAction::KeepWord);
            }
            let close = Button::new(Loudness::Quiet, text::cancel());
            if ui.add(close).clicked() {
                drawn.act(ServerAction::CloseWord);
            }
        });
    });
    let refused = word.refused.then(text::access_word_invalid);
    trouble(ui, "word", refused.as_ref());
}

/// Draws the result of a server's test; other relays are no help to a server that has its own. `shown` says whether there is something to show of who saw what; returns whether
/// that was asked for.
fn outcome(
    ui: &mut Ui,
    choice: &ServerChoice,
    (test, has_own_relays): (Option<&Test>, bool),
    shown: bool,
    name: &str,
    drawn: &mut Drawn,
) -> bool {
    let palette = palette(ui);
    let words = text::about_file(text::who_saw_what(), name);
    let look = |ui: &mut Ui, first: bool| {
        let look = Button::new(Loudness::Quiet, text::who_saw_what())
            .icon(Icon::Eye)
            .named(&words)
            .opens_dialog();
        let look = if first { look.flush(Flush::Left) } else { look };
        shown && ui.add(look).clicked()
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
                let passed = text::test_passed(report);
                kit::label(ui, passed, Type::Caption, palette.success);
            });
            look(ui, true)
        }
        Some(Test::Failed(why)) => kit::callout(ui, Tone::Danger, &text::trouble(why), |ui| {
            ui.add_space(space::XS);
            ui.horizontal_wrapped(|ui| {
                ui.spacing_mut().item_spacing = egui::Vec2::splat(space::S);
                let mut first = true;
                if let (Remedy::AccessWord, ServerChoice::Server(address)) = (why.remedy(), choice)
                {
                    first = false;
                    let button = Button::new(Loudness::Secondary, text::remedy_access_word());
                    if ui.add(button.icon(Icon::Lock)).clicked() {
                        drawn.act(ServerAction::OpenWord(address.clone()));
                    }
                }
                if let (Remedy::Relays, Some(words), false) =
                    (why.remedy(), text::remedy(why.remedy()), has_own_relays)
                {
                    first = false;
                    let button = Button::new(Loudness::Secondary, words).icon(Icon::Relay);
                    if ui.add(button).clicked() {
                        drawn.act(RelayAction::Choose);
                    }
                }
                look(ui, first)
            })
            .inner
        }),
    }
}

fn downloads(ui: &mut Ui, model: &Model, drawn: &mut Drawn) {
    let folder = model.downloads();
    let name = folder
        .file_name()
        .map_or_else(|| folder.to_string_lossy(), |name| name.to_string_lossy());
    line(ui, Icon::Folder, &name, &text::place(folder), 84.0, |ui| {
        let change = Button::new(Loudness::Secondary, text::change());
        if ui.add(change).clicked() {
            drawn.act(SettingsAction::ChooseDownloads);
        }
    });
    trouble(ui, "folder", model.settings_screen.folder_trouble.as_ref());
    if let Some(ours) = model.settings_screen.links {
        kit::divider(ui);
        let (title, about) = text::open_links();
        if kit::switch(ui, title, about, ours) {
            drawn.act(SettingsAction::OpenLinks(!ours));
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

/// The Advanced section: settings that few people change.
fn advanced(ui: &mut Ui, model: &Model, drawn: &mut Drawn) {
    let palette = palette(ui);
    let chosen = &model.settings;
    if cfg!(all(unix, not(target_os = "macos"))) {
        let displays = [
            (Display::Auto, text::automatic()),
            (Display::X11, text::X11),
            (Display::Wayland, text::WAYLAND),
        ];
        let width = kit::segmented_width(ui, &displays);
        named(ui, text::display(), width, &mut |ui| {
            let display = kit::segmented(ui, text::display(), &displays, Some(chosen.display));
            drawn.act_if(display.pressed.map(Change::Display));
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
        drawn.act_if(renderer.pressed.map(Change::Renderer));
    });
    kit::label(ui, text::at_next_start(), Type::Caption, palette.muted);
    kit::divider(ui);
    named(ui, text::parallel_shares(), 140.0, &mut |ui| {
        let now = chosen.parallel_shares;
        let less = (text::fewer_shares(), now > 1);
        let more = (text::more_shares(), now < MAX_PARALLEL);
        let step = kit::stepper(ui, text::parallel_shares(), &now.to_string(), less, more);
        if step != 0 {
            let number = now.saturating_add_signed(step);
            drawn.act(Change::ParallelShares(number));
        }
    });
    kit::divider(ui);
    let ways = [
        (SeveralThings::Ask, text::several_ask()),
        (SeveralThings::AsOne, text::several_as_one()),
        (SeveralThings::OneEach, text::several_one_each()),
    ];
    let width = kit::segmented_width(ui, &ways);
    named(ui, text::several_things(), width, &mut |ui| {
        let way = Some(chosen.several_things);
        let way = kit::segmented(ui, text::several_things(), &ways, way);
        drawn.act_if(way.pressed.map(Change::SeveralThings));
    });
    kit::divider(ui);
    kit::label(ui, text::diagnostics_about(), Type::Caption, palette.muted);
    let copy = Button::new(Loudness::Secondary, text::copy_diagnostics()).icon(Icon::Copy);
    if ui.add(copy).clicked() {
        drawn.act(SettingsAction::CopyDiagnostics);
    }
}

fn appearance(ui: &mut Ui, model: &Model, drawn: &mut Drawn) {
    let palette = palette(ui);
    let settings = &model.settings;
    let themes = [
        (Theme::System, text::system()),
        (Theme::Light, text::light()),
        (Theme::Dark, text::dark()),
    ];
    let width = kit::segmented_width(ui, &themes);
    named(ui, text::theme(), width, &mut |ui| {
        let theme = kit::segmented(ui, text::theme(), &themes, Some(settings.theme));
        drawn.act_if(theme.pressed.map(Change::Theme));
    });
    kit::divider(ui);
    let levels = [
        (Contrast::System, text::system()),
        (Contrast::Normal, text::normal()),
        (Contrast::High, text::high()),
    ];
    let width = kit::segmented_width(ui, &levels);
    named(ui, text::contrast(), width, &mut |ui| {
        let contrast = kit::segmented(ui, text::contrast(), &levels, Some(settings.contrast));
        drawn.act_if(contrast.pressed.map(Change::Contrast));
    });
    kit::divider(ui);
    kit::label(ui, text::language(), Type::Label, palette.text);
    let languages: Vec<(Option<Language>, String)> =
        std::iter::once((None, text::system().to_owned()))
            .chain(
                Language::OFFERED.map(|language| (Some(language), language.own_name().to_owned())),
            )
            .collect();
    let language = kit::chips(ui, text::language(), &languages, settings.language);
    drawn.act_if(language.map(Change::Language));
    kit::divider(ui);
    let kinds = [(false, text::system()), (true, text::reduced())];
    let width = kit::segmented_width(ui, &kinds);
    named(ui, text::motion(), width, &mut |ui| {
        let motion = kit::segmented(ui, text::motion(), &kinds, Some(settings.reduced_motion));
        drawn.act_if(motion.pressed.map(Change::ReducedMotion));
    });
    kit::divider(ui);
    named(ui, text::text_size(), 140.0, &mut |ui| {
        let less = (text::smaller(), model.zoomed(-1) != settings.zoom);
        let more = (text::larger(), model.zoomed(1) != settings.zoom);
        let step = kit::stepper(
            ui,
            text::text_size(),
            &text::zoom(settings.zoom),
            less,
            more,
        );
        if step != 0 {
            drawn.act(SettingsAction::Zoom(step));
        }
    });
}

/// A switch of the page: title and explanation, whether it is on, and the action of a click.
type Switch = ((&'static str, &'static str), bool, fn(bool) -> Change);

fn privacy(ui: &mut Ui, model: &Model, drawn: &mut Drawn) {
    let kept = &model.settings;
    let switches: [Switch; 4] = [
        (
            text::name_in_pointer(),
            kept.name_in_pointer,
            Change::NameInPointer,
        ),
        (
            text::clear_clipboard(),
            kept.clear_clipboard,
            Change::ClearClipboard,
        ),
        (
            text::mask_pointers(),
            kept.mask_pointers,
            Change::MaskPointers,
        ),
        (
            text::copy_when_done(),
            kept.copy_when_done,
            Change::CopyWhenDone,
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
    ui.add_space(space::S);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.y = space::S;
        for (icon, words, modal) in [
            (Icon::Scale, text::about_and_licences(), Modal::About),
            (Icon::Keyboard, text::keys(), Modal::Shortcuts),
        ] {
            let button = Button::new(Loudness::Secondary, words).icon(icon);
            if ui.add(button.opens_dialog()).clicked() {
                drawn.act(ModalAction::Open(modal));
            }
        }
    });
}
