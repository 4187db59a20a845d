//! What can be chosen for the next shares: how long, how often.

use egui::Ui;

use super::Drawn;
use crate::app::settings::Change;
use crate::gui::kit;
use crate::gui::model::{Count, KeepFor, Model, ShareAction, ShareOptions};
use crate::gui::text;
use crate::gui::tokens::{Type, measure, palette, space};

pub(super) fn card(ui: &mut Ui, model: &Model, drawn: &mut Drawn) {
    let palette = palette(ui);
    let options = model.share_options;
    kit::card(ui, |ui| {
        kit::label(ui, text::options_about(), Type::Caption, palette.muted);
        ui.add_space(space::XS);
        kit::label(ui, text::keep_for(), Type::Label, palette.text);
        let terms = model.chosen_terms();
        let mut keeps = vec![(KeepFor::Usual, text::usual_keep(terms))];
        let days = KeepFor::DAYS.into_iter().map(KeepFor::Days);
        keeps.extend(
            days.filter(|keep| keep.is_within(terms) && !keep.is_usual(terms))
                .map(|keep| (keep, text::kept_time(keep))),
        );
        let chosen = if options.keep.is_usual(terms) {
            KeepFor::Usual
        } else {
            options.keep
        };
        if let Some(keep) = kit::chips(ui, text::keep_for(), &keeps, chosen) {
            drawn.act(ShareAction::SetOptions(ShareOptions { keep, ..options }));
        }
        divider(ui, space::S);
        let limit = match options.count {
            Count::Limit(limit) => limit,
            Count::No | Count::Yes => 1,
        };
        let counts = [
            (Count::No, text::count_no()),
            (Count::Yes, text::count_yes()),
            (Count::Limit(limit), text::count_limit()),
        ];
        let width = kit::segmented_width(ui, &counts);
        let mut chosen = named(ui, text::count_downloads(), width, |ui| {
            kit::segmented(ui, text::count_downloads(), &counts, Some(options.count)).pressed
        });
        if options.count != Count::No {
            kit::label(ui, text::count_about(), Type::Caption, palette.muted);
        }
        if let Count::Limit(limit) = options.count {
            ui.add_space(space::XS);
            let step = named(ui, text::count_limit_about(), 140.0, |ui| {
                let less = Count::stepped(limit, -1);
                let more = Count::stepped(limit, 1);
                kit::stepper(
                    ui,
                    text::count_limit_about(),
                    &limit.to_string(),
                    (text::fewer_downloads(), less != limit),
                    (text::more_downloads(), more != limit),
                )
            });
            if step != 0 {
                chosen = Some(Count::Limit(Count::stepped(limit, step)));
            }
        }
        if let Some(count) = chosen {
            drawn.act(ShareAction::SetOptions(ShareOptions { count, ..options }));
        }
        // A switch has room of its own above its words.
        divider(ui, space::XS);
        let (title, about) = text::name_in_pointer();
        let on = model.settings.name_in_pointer;
        if kit::switch(ui, title, about, on) {
            drawn.act(Change::NameInPointer(!on));
        }
    });
}

/// A divider with equal space above and below; `below` is the space that the card does not add already, in points.
fn divider(ui: &mut Ui, below: f32) {
    ui.add_space(space::S);
    kit::divider(ui);
    ui.add_space(below);
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
