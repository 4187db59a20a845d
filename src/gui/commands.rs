//! Keyboard shortcuts of the window: one table for the handler, the sheet that lists them, and the tests.

use egui::{Context, Key, KeyboardShortcut, Modifiers};

use super::model::{
    Action, FocusAction, ListAction, Modal, ModalAction, Model, ReceiveAction, Region, Screen,
    SettingsAction, ShareAction, WindowAction,
};
use super::text;

/// Command that a keyboard shortcut runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyCommand {
    /// Opens the system's dialog for files.
    ChooseFiles,
    /// Asks the window to close.
    Close,
    /// Opens the gallery: every widget in every state.
    #[cfg(feature = "testing")]
    Gallery,
    /// Moves the keyboard focus to the next region of the window.
    NextRegion,
    /// Pastes a pointer from the clipboard into Receive.
    PastePointer,
    /// Opens the Receive screen.
    Receive,
    /// Resets the zoom to 100 %.
    ResetZoom,
    /// Retries every transfer that failed.
    RetryFailed,
    /// Opens the Settings screen.
    Settings,
    /// Opens the Share screen.
    Share,
    /// Opens the sheet of keyboard shortcuts.
    Shortcuts,
    /// Undoes the last removal.
    Undo,
    /// Zooms in.
    ZoomIn,
    /// Zooms out.
    ZoomOut,
}

const fn key(modifiers: Modifiers, key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(modifiers, key)
}

const CTRL: Modifiers = Modifiers::COMMAND;
const CTRL_SHIFT: Modifiers = Modifiers::COMMAND.plus(Modifiers::SHIFT);
const NONE: Modifiers = Modifiers::NONE;

/// Shortcut of [`KeyCommand::ChooseFiles`], which the drop zone shows as well.
pub(crate) const CHOOSE: KeyboardShortcut = key(CTRL, Key::O);

/// Shortcut of [`KeyCommand::Undo`], which the undo bar shows as well.
pub(crate) const UNDO: KeyboardShortcut = key(CTRL, Key::Z);

type CommandText = fn() -> &'static str;

/// Each command with its shortcuts (the first one is shown) and its description; a command without a description is
/// not listed in the sheet. Longer sets of modifiers stand before shorter ones of the same key.
const TABLE: &[(KeyCommand, &[KeyboardShortcut], Option<CommandText>)] = &[
    (KeyCommand::ChooseFiles, &[CHOOSE], Some(text::choose_files)),
    (
        KeyCommand::PastePointer,
        &[key(CTRL_SHIFT, Key::V)],
        Some(text::paste_pointer),
    ),
    (
        KeyCommand::Share,
        &[key(CTRL, Key::Num1), key(CTRL, Key::N)],
        Some(text::share),
    ),
    (
        KeyCommand::Receive,
        &[key(CTRL, Key::Num2)],
        Some(text::receive),
    ),
    (
        KeyCommand::Settings,
        &[key(CTRL, Key::Comma)],
        Some(text::settings),
    ),
    (
        KeyCommand::RetryFailed,
        &[key(NONE, Key::F5)],
        Some(text::retry_failed),
    ),
    (KeyCommand::Undo, &[UNDO], Some(text::undo_removal)),
    (
        KeyCommand::NextRegion,
        &[key(NONE, Key::F6)],
        Some(text::next_region),
    ),
    (
        KeyCommand::ZoomIn,
        &[key(CTRL, Key::Plus), key(CTRL, Key::Equals)],
        Some(text::larger),
    ),
    (
        KeyCommand::ZoomOut,
        &[key(CTRL, Key::Minus)],
        Some(text::smaller),
    ),
    (
        KeyCommand::ResetZoom,
        &[key(CTRL, Key::Num0)],
        Some(text::reset_zoom),
    ),
    (
        KeyCommand::Shortcuts,
        &[key(NONE, Key::F1), key(NONE, Key::Questionmark)],
        Some(text::show_keys),
    ),
    (
        KeyCommand::Close,
        &[key(CTRL, Key::W), key(CTRL, Key::Q)],
        Some(text::close_window),
    ),
    #[cfg(feature = "testing")]
    (KeyCommand::Gallery, &[key(CTRL_SHIFT, Key::F12)], None),
];

impl KeyCommand {
    /// Whether the command also works while a modal is open.
    const fn works_beneath(self) -> bool {
        matches!(
            self,
            Self::Close | Self::ZoomIn | Self::ZoomOut | Self::ResetZoom
        )
    }

    /// The action that the command triggers while the keyboard focus is in `region`.
    fn action(self, region: Region) -> Action {
        match self {
            Self::ChooseFiles => Action::Share(ShareAction::ChooseFiles),
            Self::Close => Action::Window(WindowAction::Close),
            #[cfg(feature = "testing")]
            Self::Gallery => Action::Window(WindowAction::Go(Screen::Gallery)),
            Self::NextRegion => Action::Focus(FocusAction::Region(match region {
                Region::Bar => Region::Main,
                Region::Main => Region::Rows,
                Region::Rows => Region::Bar,
            })),
            Self::PastePointer => Action::Receive(ReceiveAction::Paste),
            Self::Receive => Action::Window(WindowAction::Go(Screen::Receive)),
            Self::ResetZoom => Action::Settings(SettingsAction::Zoom(0)),
            Self::RetryFailed => Action::List(ListAction::RetryFailed),
            Self::Settings => Action::Window(WindowAction::Go(Screen::Settings)),
            Self::Share => Action::Window(WindowAction::Go(Screen::Share)),
            Self::Shortcuts => Action::Modal(ModalAction::Open(Modal::Shortcuts)),
            Self::Undo => Action::Window(WindowAction::Undo),
            Self::ZoomIn => Action::Settings(SettingsAction::Zoom(1)),
            Self::ZoomOut => Action::Settings(SettingsAction::Zoom(-1)),
        }
    }
}

/// The rows of the shortcuts sheet: keys and description.
#[must_use]
pub fn lines(ctx: &Context) -> Vec<(Vec<String>, &'static str)> {
    let mut lines: Vec<_> = TABLE
        .iter()
        .filter_map(|(_, keys, words)| {
            let keys = keys.iter().take(1).map(|key| {
                let named = ctx.format_shortcut(key);
                // A key that is a character is known by the character.
                match named.strip_suffix(key.logical_key.name()) {
                    Some(modifiers) if !modifiers.is_empty() => {
                        format!("{modifiers}{}", key.logical_key.symbol_or_name())
                    }
                    _ => named,
                }
            });
            Some((keys.collect(), (*words)?()))
        })
        .collect();
    let paste = ctx.format_shortcut(&key(CTRL, Key::V));
    let copy = ctx.format_shortcut(&key(CTRL, Key::C));
    lines.insert(1, (vec![paste], text::paste()));
    lines.insert(2, (vec![copy], text::copy_of_row()));
    lines.push((vec!["Esc".to_owned()], text::escape()));
    lines
}

/// Returns the actions of the shortcuts pressed in this frame. Single characters are left to a text field that has the
/// focus.
pub fn pressed(ctx: &Context, model: &Model, region: Region, typing: bool) -> Vec<Action> {
    let mut actions = Vec::new();
    let beneath = model.modal.is_some() || model.has_menu();
    for &(command, keys, _) in TABLE {
        if beneath && !command.works_beneath() {
            continue;
        }
        for shortcut in keys {
            let character = shortcut.logical_key == Key::Questionmark;
            // A field takes its own letters back.
            if typing && (character || command == KeyCommand::Undo) {
                continue;
            }
            let pressed = ctx.input_mut(|input| {
                input.consume_shortcut(shortcut)
                    // Where the character needs Shift.
                    || character && input.consume_key(Modifiers::SHIFT, shortcut.logical_key)
            });
            if pressed {
                actions.push(command.action(region));
            }
        }
    }
    actions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_does_two_things() {
        let keys: Vec<_> = TABLE.iter().flat_map(|(_, keys, _)| keys.iter()).collect();
        for (at, one) in keys.iter().enumerate() {
            assert!(!keys[at + 1..].contains(one), "{one:?}");
        }
    }

    #[test]
    fn longer_sets_of_modifiers_stand_first() {
        let keys: Vec<_> = TABLE.iter().flat_map(|(_, keys, _)| keys.iter()).collect();
        for (at, one) in keys.iter().enumerate() {
            let later = keys[at + 1..].iter();
            let shadowed = later
                .filter(|other| other.logical_key == one.logical_key)
                .find(|other| other.modifiers.contains(one.modifiers));
            assert!(shadowed.is_none(), "{one:?} hides {shadowed:?}");
        }
    }
}
