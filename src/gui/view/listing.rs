//! What is in the folder that a pointer names: a list to choose from, of which only what is visible is drawn.

use egui::style::ScrollAnimation;
use egui::{Id, Key, Modifiers, Role, ScrollArea, Ui, UiBuilder};

use super::{Drawn, networks};
use crate::app::words::harmless::harmless;
use crate::gui::fonts::Icon;
use crate::gui::kit::{self, Button, Flush, Loudness};
use crate::gui::model::{FolderListing, ListedEntry, Listing, Model, PointerInfo, ReceiveAction};
use crate::gui::text;
use crate::gui::tokens::{Type, palette, space};

/// Height of one entry, in points.
const ROW: f32 = 28.0;
/// How many entries are visible at once, at most.
const VISIBLE: u8 = 7;

/// The part of the card that says what is in the folder.
pub(super) fn part(ui: &mut Ui, model: &Model, info: &PointerInfo, drawn: &mut Drawn) {
    let muted = palette(ui).muted;
    match &model.receive.listing {
        None => show(ui, drawn),
        Some(Listing::Asking(_)) => {
            kit::label(ui, text::looking_into(), Type::Caption, muted);
        }
        Some(Listing::SingleFile) => {
            kit::label(ui, text::single_file(), Type::Caption, muted);
        }
        Some(Listing::Failed(trouble)) => {
            kit::said(ui, &text::trouble(trouble));
            let server = model.pointer_server();
            networks::newer_list_button(ui, trouble, server, drawn);
            show(ui, drawn);
        }
        Some(Listing::Folder(listing)) => list(ui, info, listing, drawn),
    }
}

fn show(ui: &mut Ui, drawn: &mut Drawn) {
    let show = Button::new(Loudness::Quiet, text::show_content()).icon(Icon::Folder);
    if ui.add(show.flush(Flush::Left)).clicked() {
        drawn.act(ReceiveAction::ShowContent);
    }
}

fn list(ui: &mut Ui, info: &PointerInfo, listing: &FolderListing, drawn: &mut Drawn) {
    let muted = palette(ui).muted;
    let size = text::size_so_far(listing.len());
    let said = if listing.wanted() == listing.entries() {
        text::entries(listing.entries())
    } else {
        text::entries_wanted(listing.wanted(), listing.entries(), &size)
    };
    kit::label(ui, said, Type::Caption, muted);
    let count = usize::try_from(listing.entries()).unwrap_or(usize::MAX);
    let all = UiBuilder::new()
        .scope_id(Id::unique("content of a folder"))
        .accessibility_role(Role::List)
        .accessibility_label(text::content_of(text::pointer_name(info)));
    ui.scope_builder(all, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        ScrollArea::vertical()
            .id_salt("content of a folder")
            .max_height(f32::from(VISIBLE) * ROW)
            .auto_shrink([false, true])
            .show_rows(ui, ROW, count, |ui, numbers| {
                for entry in listing.rows(numbers) {
                    row(ui, entry, listing.entries(), drawn);
                }
            });
    });
    ui.add_space(space::XS);
    ui.horizontal_wrapped(|ui| {
        let all = Button::new(Loudness::Quiet, text::want_all()).flush(Flush::Left);
        if ui.add(all).clicked() {
            drawn.act(ReceiveAction::WantAll(true));
        }
        let none = Button::new(Loudness::Quiet, text::want_none());
        if ui.add(none).clicked() {
            drawn.act(ReceiveAction::WantAll(false));
        }
    });
}

fn row_id(number: u32) -> Id {
    Id::unique(("entry of a folder", number))
}

/// One entry, with a check mark where it is wanted. The arrow keys go to the entries beside it, also where those are not
/// drawn yet.
fn row(ui: &mut Ui, entry: ListedEntry<'_>, count: u32, drawn: &mut Drawn) {
    let path = harmless(entry.path);
    let size = entry
        .len
        .map_or_else(|| text::empty_folder().to_owned(), text::size);
    let response = kit::check_line(ui, row_id(entry.number), &path, &size, entry.wanted, ROW);
    if response.clicked() {
        drawn.act(ReceiveAction::Want(entry.number, !entry.wanted));
    }
    if !response.has_focus() {
        return;
    }
    ui.memory_mut(|memory| {
        let filter = egui::EventFilter {
            vertical_arrows: true,
            ..egui::EventFilter::default()
        };
        memory.set_focus_lock_filter(response.id, filter);
    });
    for (key, next) in [
        (Key::ArrowUp, entry.number.checked_sub(1)),
        (
            Key::ArrowDown,
            entry.number.checked_add(1).filter(|next| *next < count),
        ),
    ] {
        if ui.input_mut(|input| input.consume_key(Modifiers::NONE, key))
            && let Some(next) = next
        {
            ui.memory_mut(|memory| memory.request_focus(row_id(next)));
            let down = if key == Key::ArrowDown { ROW } else { -ROW };
            let there = response.rect.translate(egui::vec2(0.0, down));
            // At once: what is not drawn cannot keep the keyboard.
            ui.scroll_to_rect_animation(there, None, ScrollAnimation::none());
        }
    }
}
