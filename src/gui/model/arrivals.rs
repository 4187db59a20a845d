//! What comes to the window from outside: what is dropped on it, pasted into it, or given to it by a command line.

use std::path::{Path, PathBuf};

use super::{
    ClipboardWork, Effect, FileWork, FoundPath, Hover, LookPurpose, Modal, Model, PointerText,
    Screen, Tone, WindowMessage, Work,
};
use crate::app::transfer::known_file::KnownFile;
use crate::gui::platform::uri_list::UriList;
use crate::protocol::{invitation, pointer};

/// Something that came from outside the window. Never printed: it can hold a pointer.
pub enum Arrival {
    /// Files, or a pointer or an invitation, from the command line or a second start; nothing starts by the latter.
    Arguments {
        /// To be shared.
        files: Vec<PathBuf>,
        /// Fills Receive.
        pointer: Option<PointerText>,
    },
    /// Something was dropped.
    Dropped(UriList),
    /// Something was dropped that is no file on this computer, or not yet one.
    DroppedNoFile,
    /// Files hang over the window, or (empty) no longer.
    Hovering(Vec<PathBuf>),
    /// Text was pasted outside every field.
    Pasted(PointerText),
    /// The keys for pasting were pressed and brought no text: perhaps files.
    PastedNoText,
    /// A picture was pasted.
    PastedPicture,
}

impl Model {
    pub(super) fn on_arrival(&mut self, arrival: Arrival) -> Vec<Effect> {
        match arrival {
            Arrival::Arguments { files, pointer } => {
                let mut effects =
                    pointer.map_or_else(Vec::new, |pointer| self.open_pointer(pointer));
                if !files.is_empty() {
                    effects.extend(self.share_list(files.into()));
                }
                effects
            }
            Arrival::Dropped(list) => self.dropped(list),
            Arrival::DroppedNoFile => {
                self.hover = None;
                self.say(Tone::Info, WindowMessage::DroppedNoFile);
                Vec::new()
            }
            Arrival::Hovering(paths) => self.hovering(paths),
            Arrival::Pasted(text) => self.paste(text),
            Arrival::PastedNoText => vec![Effect::from(ClipboardWork::PasteFiles)],
            Arrival::PastedPicture => {
                self.say(Tone::Info, WindowMessage::PictureNotTaken);
                Vec::new()
            }
        }
    }

    fn dropped(&mut self, list: UriList) -> Vec<Effect> {
        self.hover = None;
        if self.modal.as_ref().is_some_and(Modal::asks) {
            self.say(Tone::Info, WindowMessage::DropWhileModal);
            return Vec::new();
        }
        self.menu = None;
        self.back();
        match self.used_when_dropped(&list.files) {
            Some((known, path)) if list.elsewhere.is_empty() => {
                let path = path.to_owned();
                self.use_file(known, path)
            }
            _ => self.share_list(list),
        }
    }

    fn hovering(&mut self, paths: Vec<PathBuf>) -> Vec<Effect> {
        if paths.is_empty() {
            self.hover = None;
            return Vec::new();
        }
        self.hover = Some(Hover {
            paths: paths.clone(),
            found: Vec::new(),
        });
        vec![Effect::from(FileWork::Look(LookPurpose::Hover, paths))]
    }

    /// Names what hangs over the window, if that still hangs there.
    pub(super) fn hover_looked(&mut self, found: Vec<FoundPath>) {
        if let Some(hover) = &mut self.hover
            && hover.paths.iter().eq(found.iter().map(|found| &found.path))
        {
            hover.found = found;
        }
    }

    /// Takes files from the clipboard.
    pub(super) fn files_pasted(&mut self, list: UriList) -> Vec<Effect> {
        if list.is_empty() {
            self.say(Tone::Info, WindowMessage::ClipboardEmpty);
            return Vec::new();
        }
        self.on_action(Arrival::Dropped(list))
    }

    /// Shares the files of a list; its other entries are reported together with the files that cannot be shared.
    pub(super) fn share_list(&mut self, list: UriList) -> Vec<Effect> {
        // The same words said again of other files could not be told from the old ones.
        if self.notice == self.said_of_files.take() {
            self.notice = None;
        }
        self.elsewhere.extend(list.elsewhere);
        if list.files.is_empty() {
            return self.enqueue(Vec::new());
        }
        vec![Effect::from(FileWork::Look(LookPurpose::Share, list.files))]
    }

    /// The file that hangs over the window or was dropped, where it is used without a question: a relay list in Settings
    /// and where a pointer lacks relays, a file with a pointer on Receive, one that describes a network on both. Anywhere else it came to be shared.
    #[must_use]
    pub(crate) fn used_when_dropped<'a>(
        &self,
        paths: &'a [PathBuf],
    ) -> Option<(KnownFile, &'a Path)> {
        let [path] = paths else {
            return None;
        };
        let known = KnownFile::by_name(path)?;
        let is_wanted = match (known, self.screen) {
            (KnownFile::RelayList | KnownFile::ServiceNodes, Screen::Settings)
            | (KnownFile::ServiceNodes, Screen::Receive)
            | (KnownFile::Invitation | KnownFile::Pointer, Screen::Receive) => true,
            (KnownFile::RelayList, Screen::Receive) => self.receive.lacks_relays(),
            _ => false,
        };
        is_wanted.then_some((known, path))
    }

    fn paste(&mut self, text: PointerText) -> Vec<Effect> {
        if self.modal.is_some() || text.as_str().trim().is_empty() {
            return Vec::new();
        }
        match UriList::from_text(text.as_str()) {
            Some(list) => {
                let effects = self.on_action(Arrival::Dropped(list));
                if matches!(
                    effects[..],
                    [Effect::Work(Work::File(FileWork::Look(
                        LookPurpose::Share,
                        _
                    )))]
                ) {
                    self.screen = Screen::Share;
                }
                effects
            }
            // On Receive it was meant, whatever it is; elsewhere only what could be a pointer or an invitation.
            None if self.screen == Screen::Receive || may_hold_word(text.as_str()) => {
                self.fill_receive(text)
            }
            None => {
                self.say(Tone::Info, WindowMessage::ClipboardEmpty);
                Vec::new()
            }
        }
    }
}

/// Whether a pointer or an invitation may stand in `text`, whole or damaged.
fn may_hold_word(text: &str) -> bool {
    pointer::may_be_in(text) || invitation::may_be_in(text)
}
