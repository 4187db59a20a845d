//! Every widget in every state, for those who work on the window. Nothing here does anything.

use egui::{Id, Ui};

use super::Drawn;
use crate::gui::fonts::Icon;
use crate::gui::kit::{self, Button, Field, Loudness, Pose};
use crate::gui::model::{Action, Model, Notice, Screen, Tone};
use crate::gui::text;
use crate::gui::tokens::{Type, measure, palette, space};

pub(super) fn screen(ui: &mut Ui, model: &Model, drawn: &mut Drawn) {
    let palette = palette(ui);
    kit::label(ui, text::gallery(), Type::Title, palette.text);
    kit::card(ui, types);
    kit::card(ui, buttons);
    kit::card(ui, |ui| choices(ui, model));
    kit::card(ui, fields);
    for tone in [Tone::Info, Tone::Success, Tone::Warning, Tone::Danger] {
        let message = text::clipboard_refused();
        kit::callout(ui, tone, &message, |_| {});
    }
    let notice = Notice {
        tone: Tone::Info,
        message: text::clipboard_empty(),
    };
    let back = kit::notice(ui, &notice);
    kit::card(ui, icons);
    if back {
        drawn.act(Action::Go(Screen::Share));
    }
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
            for pose in [
                None,
                Some(Pose::Hovered),
                Some(Pose::Pressed),
                Some(Pose::Focused),
            ] {
                let mut button = Button::new(loudness, text::download());
                if let Some(pose) = pose {
                    button = button.pose(pose);
                }
                ui.add(button);
            }
            ui.add(Button::new(loudness, text::download()).enabled(false));
        });
        ui.add_space(space::S);
    }
    ui.horizontal_wrapped(|ui| {
        kit::icon_button(ui, Icon::Close, text::close());
        kit::icon_toggle(ui, Icon::Ellipsis, text::more(), true);
        kit::status(ui, Icon::Server, text::built_in(), false);
        kit::status(ui, Icon::Warning, text::built_in(), true);
    });
}

fn choices(ui: &mut Ui, model: &Model) {
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
    kit::stepper(
        ui,
        "100 %",
        (text::smaller(), true),
        (text::larger(), false),
    );
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
    kit::centred_hint(
        ui,
        Icon::HardDrive,
        &[text::built_in_stays(), &text::limit(None)],
    );
    kit::middle(
        ui,
        &model.settings.preferences.downloads.to_string_lossy(),
        Type::Mono,
        palette(ui).muted,
        width,
    );
}

fn fields(ui: &mut Ui) {
    for (at, (content, trouble, masked)) in [
        ("", false, false),
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
