//! What can be chosen for the next shares: how long, how often.

use egui::Ui;

use super::Drawn;
use crate::gui::kit;
use crate::gui::model::{Action, Count, KeepFor, Model, ShareOptions};
use crate::gui::text;
use crate::gui::tokens::{Type, measure, palette, space};

pub(super) fn card(ui: &mut Ui, model: &Model, drawn: &mut Drawn) {
    let palette = palette(ui);
    let options = model.settings.preferences.options;
    kit::card(ui, |ui| {
        let keeps = [
            (KeepFor::Day, text::one_day()),
            (KeepFor::Week, text::one_week()),
            (KeepFor::Usual, text::usual_time()),
        ];
        let width = kit::segmented_width(ui, &keeps);
        let kept = named(ui, text::keep_for(), width, |ui| {
            kit::segmented(ui, text::keep_for(), &keeps, Some(options.keep)).pressed
        });
        if let Some(keep) = kept {
            drawn.act(Action::SetOptions(ShareOptions { keep, ..options }));
        }
        kit::divider(ui);
        let counts = [
            (Count::No, text::count_no()),
            (Count::Yes, text::count_yes()),
            (Count::Limit(1), text::count_once()),
            (Count::Limit(5), text::count_five()),
        ];
        let width = kit::segmented_width(ui, &counts);
        let counted = named(ui, text::count_downloads(), width, |ui| {
            kit::segmented(ui, text::count_downloads(), &counts, Some(options.count)).pressed
        });
        if let Some(count) = counted {
            drawn.act(Action::SetOptions(ShareOptions { count, ..options }));
        }
        if options.count != Count::No {
            ui.add_space(space::XS);
            kit::label(ui, text::count_about(), Type::Caption, palette.muted);
        }
        kit::divider(ui);
        let (title, about) = text::name_in_pointer();
        let on = model.settings.preferences.name_in_pointer;
        if kit::switch(ui, title, about, on) {
            drawn.act(Action::SetNameInPointer(!on));
        }
    });
}

/// A name on the left and what chooses on the right; below each other when narrow.
fn named<R>(ui: &mut Ui, name: &str, width: f32, add: impl FnOnce(&mut Ui) -> R) -> R {
    let palette = palette(ui);
    if ui.available_width() - width >= 160.0 {
        let title = |ui: &mut Ui| {
            kit::label(ui, name, Type::Label, palette.text);
        };
        kit::sides(ui, measure::PRIMARY, width, title, add)
    } else {
        kit::label(ui, name, Type::Label, palette.text);
        add(ui)
    }
}
