//! What this program is, and under which licences its parts are.

use egui::Ui;

use crate::gui::kit;
use crate::gui::text;
use crate::gui::tokens::{Type, palette, space};

const MIT: &str = include_str!("../../../../LICENSE-MIT");
const APACHE: &str = include_str!("../../../../LICENSE-APACHE");
const INTER: &str = include_str!("../../../../assets/fonts/Inter-OFL.txt");
const JETBRAINS: &str = include_str!("../../../../assets/fonts/JetBrainsMono-OFL.txt");
const NOTO: &str = include_str!("../../../../assets/fonts/NotoSansCJK-OFL.txt");
const LUCIDE: &str = include_str!("../../../../assets/fonts/lucide-LICENSE.txt");
const CRATES: &str = include_str!("../../../../assets/licences.txt");

pub(super) fn show(ui: &mut Ui) {
    let palette = palette(ui);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = space::M;
        kit::mark(ui);
        kit::selectable(ui, text::version(), Type::Label, palette.text);
    });
    kit::label(ui, text::about_text(), Type::Body, palette.muted);
    ui.add_space(space::S);
    part(
        ui,
        text::NAME,
        text::licence_of_program(),
        &[("MIT", MIT), ("Apache-2.0", APACHE)],
    );
    part(
        ui,
        text::fonts(),
        text::fonts_about(),
        &[
            ("Inter", INTER),
            ("JetBrains Mono", JETBRAINS),
            ("Lucide", LUCIDE),
            ("Noto Sans CJK", NOTO),
        ],
    );
    part(
        ui,
        text::crates(),
        text::crates_about(),
        &[(text::licences(), CRATES)],
    );
}

fn part(ui: &mut Ui, title: &str, about: &str, texts: &[(&str, &str)]) {
    let palette = palette(ui);
    ui.add_space(space::S);
    kit::heading(ui, title, Type::Section, palette.text, 2);
    kit::label(ui, about, Type::Body, palette.muted);
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for (name, words) in texts {
            ui.push_id((title, name), |ui| {
                kit::expander(ui, name, |ui| {
                    let words = flowing(words);
                    kit::selectable(ui, words, Type::Caption, palette.text);
                    ui.add_space(space::M);
                });
            });
        }
    });
}

/// A text whose lines were broken for eighty columns, with paragraphs that wrap where there is room.
fn flowing(text: &str) -> String {
    /// A shorter line ends by itself.
    const SHORT: usize = 50;
    let mut flowing = String::with_capacity(text.len());
    let mut goes_on = false;
    for line in text.lines() {
        let words = line.trim();
        let mut marks = words.split_whitespace().next().unwrap_or("").chars();
        let begins = match marks.next() {
            Some('-' | '*' | '(') => true,
            Some(mark) if mark.is_ascii_digit() => {
                marks.all(|mark| mark.is_ascii_digit() || mark == '.')
            }
            _ => words.is_empty(),
        };
        if goes_on && !begins {
            flowing.push(' ');
        } else if !flowing.is_empty() {
            flowing.push('\n');
        }
        flowing.push_str(words);
        goes_on = words.chars().count() >= SHORT;
    }
    flowing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_flow_and_lists_stay_lists() {
        let long = "x".repeat(60);
        let text = format!("Title\n\n   {long}\n   goes on\n\n(a) {long}\n(b) one\nserde 1.0\n");
        let wanted = format!("Title\n\n{long} goes on\n\n(a) {long}\n(b) one\nserde 1.0");
        assert_eq!(flowing(&text), wanted);
    }
}
