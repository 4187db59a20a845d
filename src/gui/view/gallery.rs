//! Every widget in every state, for those who work on the window. Nothing here does anything.

use egui::{Frame, Id, Ui};

use super::{Drawn, ViewContext, share, transfers};
use crate::gui::fonts::Icon;
use crate::gui::kit::{self, Button, Field, Loudness, MenuEntry, Pose};
use crate::gui::model::{Model, Notice, Screen, Tone, WindowAction, WindowMessage};
use crate::gui::text;
use crate::gui::tokens::{Type, measure, palette, space};

/// Only those who work on the window read it.
const TITLE: &str = "every widget in every state";

/// The interaction states that each widget is shown in, one line each.
const POSES: [Option<Pose>; 4] = [
    None,
    Some(Pose::Hovered),
    Some(Pose::Pressed),
    Some(Pose::Focused),
];

pub(super) fn screen(ui: &mut Ui, model: &Model, context: ViewContext, drawn: &mut Drawn) {
    let palette = palette(ui);
    kit::label(ui, TITLE, Type::Title, palette.text);
    kit::card(ui, types);
    kit::card(ui, buttons);
    for pose in POSES {
        kit::card(ui, |ui| kit::posed(ui, pose, |ui| choices(ui, pose)));
    }
    kit::card(ui, |ui| {
        ui.add_enabled_ui(false, |ui| ui.push_id("off", |ui| choices(ui, None)));
    });
    kit::card(ui, |ui| facts(ui, model));
    for tone in [Tone::Info, Tone::Success, Tone::Warning, Tone::Danger] {
        let message = text::clipboard_refused();
        kit::callout(ui, tone, &message, |_| {});
    }
    let notice = Notice::new(Tone::Info, WindowMessage::ClipboardEmpty);
    let back = kit::notice(ui, &notice, text::dismiss()).clicked();
    over_everything(ui);
    for (one_line, pose) in [(false, None), (true, Some(Pose::Focused))] {
        kit::posed(ui, pose, |ui| {
            share::small_zone(ui, model, context, one_line, drawn);
        });
    }
    if !model.transfers.is_empty() {
        transfers::list(ui, model, context, drawn);
    }
    kit::card(ui, icons);
    if back {
        drawn.act(WindowAction::Go(Screen::Share));
    }
}

/// A menu, a question and a tooltip, drawn inline.
fn over_everything(ui: &mut Ui) {
    let palette = palette(ui);
    let entries = [
        (Icon::Copy, text::copy_pointer(), false),
        (Icon::QrCode, text::qr(), false),
        (Icon::Trash, text::delete_from_server(), true),
    ];
    Frame::popup(ui.style()).show(ui, |ui| {
        ui.vertical(|ui| {
            let entries = entries.map(|(icon, label, danger)| MenuEntry {
                icon,
                label,
                danger,
                value: (),
            });
            kit::menu_lines(ui, entries.into());
        });
    });
    kit::sheet(palette, space::L).show(ui, |ui| {
        ui.set_width(ui.available_width().min(300.0));
        ui.vertical(|ui| {
            kit::label(ui, text::wipe_title(), Type::Section, palette.text);
            kit::label(ui, text::wipe_body(), Type::Body, palette.muted);
            // Not the widget itself, which would take the keyboard.
            ui.add_space(space::M);
            ui.add(Button::new(Loudness::Danger, text::wipe_history()).tall());
        });
    });
    Frame::popup(ui.style()).show(ui, |ui| ui.label(text::settings()));
}

fn types(ui: &mut Ui) {
    let palette = palette(ui);
    for kind in [
        Type::Title,
        Type::Section,
        Type::Label,
        Type::Body,
        Type::Caption,
        Type::Mono,
    ] {
        kit::selectable(ui, text::sealed_here(), kind, palette.text);
    }
    for ink in [palette.muted, palette.faint, palette.accent] {
        kit::label(ui, text::sealed_here(), Type::Body, ink);
    }
}

fn buttons(ui: &mut Ui) {
    for loudness in [
        Loudness::Primary,
        Loudness::Secondary,
        Loudness::Quiet,
        Loudness::Danger,
    ] {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = egui::Vec2::splat(space::M);
            for pose in POSES {
                kit::posed(ui, pose, |ui| {
                    ui.add(Button::new(loudness, text::download()))
                });
            }
            ui.add(Button::new(loudness, text::download()).enabled(false));
        });
        ui.add_space(space::S);
    }
}

/// Switches, chips and the other controls for choices, and a text field.
fn choices(ui: &mut Ui, pose: Option<Pose>) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = egui::Vec2::splat(space::M);
        kit::icon_button(ui, Icon::Close, text::close());
        kit::icon_toggle(ui, Icon::Ellipsis, text::more(), true);
        kit::status(ui, Icon::Server, text::built_in(), false, 200.0);
        kit::status(ui, Icon::Warning, text::built_in(), true, 200.0);
        let less = (text::smaller(), true);
        kit::stepper(ui, text::text_size(), "100%", less, (text::larger(), false));
    });
    ui.add_space(space::S);
    let options = [(0, text::system()), (1, text::light()), (2, text::dark())];
    kit::segmented(ui, text::theme(), &options, Some(1));
    ui.add_space(space::S);
    let tries = [
        (0, text::share().to_owned()),
        (1, text::receive().to_owned()),
    ];
    kit::chips(ui, text::tries(), &tries, 0);
    ui.add_space(space::S);
    let (title, about) = text::mask_pointers();
    kit::switch(ui, title, about, true);
    kit::switch(ui, title, "", false);
    kit::expander(ui, text::licences(), |_| {});
    ui.add_space(space::S);
    let field = Field {
        id: ui
            .scope_id()
            .with(("gallery field", pose.map(|pose| pose as u8))),
        label: text::pointer(),
        hint: text::POINTER_HINT,
        rows: 1,
        trouble: false,
        masked: false,
    };
    field.show(ui, &mut String::new());
}

/// Widgets that only show something.
fn facts(ui: &mut Ui, model: &Model) {
    fields(ui);
    for fraction in [0.0, 1.0] {
        kit::progress(ui, text::transfers(), fraction);
        ui.add_space(space::S);
    }
    ui.add_space(space::S);
    kit::progress(ui, text::transfers(), 0.61);
    ui.add_space(space::S);
    let pointer = "cloak1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0jqgfzyvjz2f389q5j5";
    let width = ui.available_width();
    kit::pointer_well(ui, pointer, false, width, measure::CONTROL);
    ui.add_space(space::XS);
    kit::pointer_well(ui, pointer, true, width, measure::CONTROL);
    ui.add_space(space::S);
    ui.horizontal_wrapped(|ui| {
        for tone in [Tone::Info, Tone::Success, Tone::Warning, Tone::Danger] {
            let (_, _, icon) = kit::tone_colors(palette(ui), tone);
            kit::badge(ui, tone, icon, text::verified());
        }
    });
    let limit = text::limit_of(&text::size(10_000_000));
    let parts = [text::built_in_stays(), limit.as_str()];
    kit::Hint::new(ui, Icon::HardDrive, &parts, width).show(ui);
    kit::middle(
        ui,
        &model.downloads().to_string_lossy(),
        Type::Mono,
        palette(ui).muted,
        width,
    );
}

fn fields(ui: &mut Ui) {
    for (at, (content, trouble, masked)) in [
        ("cloak1qqqsyqcyq5rqwzqfpg9", false, false),
        ("cloak1qqqsyqcyq5rqwzqfpg9", true, false),
        ("cloak1qqqsyqcyq5rqwzqfpg9", false, true),
    ]
    .into_iter()
    .enumerate()
    {
        let field = Field {
            id: Id::unique(("gallery field", at)),
            label: text::pointer(),
            hint: text::POINTER_HINT,
            rows: 1,
            trouble,
            masked,
        };
        field.show(ui, &mut content.to_owned());
        ui.add_space(space::S);
    }
}

fn icons(ui: &mut Ui) {
    let palette = palette(ui);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = space::L;
        for icon in Icon::ALL {
            kit::icon(ui, icon, measure::ICON_L, palette.muted);
        }
    });
}
