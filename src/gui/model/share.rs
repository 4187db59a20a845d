//! The Share screen: files come out of the system's dialog, are asked about where this program can use them itself, and
//! leave with the options that are chosen there.

use std::path::PathBuf;

use super::{DialogWork, Effect, FileWork, Focus, FoundPath, Model, ShareOptions};
use crate::app::settings::SeveralThings;
use crate::app::transfer::known_file::KnownFile;

/// What a person did on the Share screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShareAction {
    /// Open the system's dialog for files to share.
    ChooseFiles,
    /// Open the system's dialog for a folder to share.
    ChooseFolder,
    /// Keep the answer for the next things that come together, or do not.
    KeepTogether(bool),
    /// Neither use nor share the file that is asked about.
    LeaveKnownFile,
    /// Share nothing of the things that came together.
    LeaveTogether,
    /// Choose for the next shares; not kept between starts.
    SetOptions(ShareOptions),
    /// Share the file that is asked about, as any other.
    ShareKnownFile,
    /// Share the things that came together in this way.
    ShareTogether(SeveralThings),
    /// Show the options of a share, or not.
    ShowOptions(bool),
    /// Use the file that is asked about: its relays, or the pointer in it.
    UseKnownFile,
}

impl Model {
    pub(super) fn on_share(&mut self, action: ShareAction) -> Vec<Effect> {
        match action {
            ShareAction::ChooseFiles => return self.dialog(Effect::from(DialogWork::PickFiles)),
            ShareAction::ChooseFolder => {
                return self.dialog(Effect::from(DialogWork::PickFolderToShare));
            }
            ShareAction::KeepTogether(on) => self.keep_together = on,
            ShareAction::LeaveTogether => self.leave_together(),
            ShareAction::ShareTogether(how) => return self.share_together(how),
            ShareAction::LeaveKnownFile => {
                self.next_undecided();
                self.after_undecided();
            }
            ShareAction::SetOptions(options) => self.share_options = options,
            ShareAction::ShareKnownFile => return self.share_known_file(),
            ShareAction::ShowOptions(open) => self.options_open = open,
            ShareAction::UseKnownFile => return self.use_known_file(),
        }
        Vec::new()
    }

    fn share_known_file(&mut self) -> Vec<Effect> {
        let Some(found) = self.next_undecided() else {
            return Vec::new();
        };
        let effects = self.enqueue(vec![FoundPath {
            known: None,
            ..found
        }]);
        if !self.undecided.is_empty() {
            self.focus = Some(Focus::KnownFile);
        }
        effects
    }

    fn use_known_file(&mut self) -> Vec<Effect> {
        let Some(found) = self.next_undecided() else {
            return Vec::new();
        };
        self.after_undecided();
        match found.known {
            Some(known) => self.use_file(known, found.path),
            None => Vec::new(),
        }
    }

    /// Shares what came out of the system's dialog.
    pub(super) fn files_chosen(&mut self, paths: Vec<PathBuf>) -> Vec<Effect> {
        self.dialog_open = false;
        if paths.is_empty() {
            return Vec::new();
        }
        self.share_list(paths.into())
    }

    pub(super) fn use_file(&mut self, known: KnownFile, path: PathBuf) -> Vec<Effect> {
        match known {
            KnownFile::Invitation | KnownFile::Pointer => {
                vec![Effect::from(FileWork::ReadPointer(path))]
            }
            KnownFile::RelayList => self.read_list(path),
            KnownFile::ServiceNodes => self.read_nodes(path),
        }
    }

    /// Takes the file that is asked about.
    fn next_undecided(&mut self) -> Option<FoundPath> {
        (!self.undecided.is_empty()).then(|| self.undecided.remove(0))
    }

    /// Gives the keyboard to the next question, or to the screen.
    fn after_undecided(&mut self) {
        self.focus = Some(if !self.undecided.is_empty() {
            Focus::KnownFile
        } else if !self.together.is_empty() {
            Focus::Together
        } else {
            self.home()
        });
    }

    pub(super) fn dialog(&mut self, effect: Effect) -> Vec<Effect> {
        if self.dialog_open {
            return Vec::new();
        }
        self.dialog_open = true;
        vec![effect]
    }
}
