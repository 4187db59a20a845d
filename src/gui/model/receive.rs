//! The Receive screen: one field, and what the text in it turned out to be.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::{
    Announced, Effect, Focus, InvitationInfo, JoinCard, JoinState, Listing, Model, RelayWish,
    Screen, ServerLabel, SettingsWork, ShownName, TextHolds, Tone, Transfer, TransferJob,
    TransferState, UserMessage, WindowEffect,
};
use crate::app::words::who_saw_what::WhoSawWhat;
use crate::protocol::address::ServerAddress;
use crate::protocol::invitation::Invitation;
use crate::protocol::pointer::Pointer;

/// The text of a pointer, or what a person believes to be one. It opens a file: no `Debug`, no `Display`, shared
/// instead of copied, overwritten when the last holder lets go.
#[derive(Clone, PartialEq, Eq)]
pub struct PointerText(Arc<Zeroizing<String>>);

/// The Receive screen.
pub struct Receive {
    /// What is in the field.
    pub text: PointerText,
    /// A pointer of a link or a second start, while another stands in the field. It waits there until the person decides:
    /// a web page can open links, and must not swap what a hand is about to download.
    pub opened: Option<PointerText>,
    /// What it is.
    pub reading: Reading,
    /// What came of looking into it, where the person asked for that.
    pub listing: Option<Listing>,
    /// How far joining is, where it is an invitation.
    pub joining: JoinState,
    /// What joining showed to whom.
    pub(super) joining_shown: WhoSawWhat,
    /// What each party was shown by looking into it and by joining, for the row of its file.
    pub(super) shown: WhoSawWhat,
    /// The text was not read yet: `reading` is still that of another.
    pub(super) unread: bool,
    /// The sender may know when the file is here, if they asked to.
    pub tell_sender: bool,
}

impl Default for Receive {
    fn default() -> Self {
        Self {
            text: PointerText::default(),
            opened: None,
            reading: Reading::default(),
            listing: None,
            joining: JoinState::default(),
            joining_shown: WhoSawWhat::default(),
            shown: WhoSawWhat::default(),
            unread: false,
            tell_sender: true,
        }
    }
}

/// What the text in the field is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reading {
    /// Nothing there.
    #[default]
    Empty,
    /// An invitation to a network, perhaps with a pointer beside it.
    Invited(Box<InvitationInfo>),
    /// A pointer.
    Known(PointerInfo),
    /// Neither, or a damaged one.
    Wrong(UserMessage),
}

/// What a pointer names, as far as it says so itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointerHolds {
    /// A file.
    File,
    /// A folder, or several things that are one.
    Folder,
    /// Something in parts: a file or a folder.
    Either,
}

/// What a pointer says, without asking anyone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointerInfo {
    /// The file's name, safe to show, if the sender put it in.
    pub name: Option<String>,
    /// What it names.
    pub holds: PointerHolds,
    /// Length of the content.
    pub len: u64,
    /// Host of the file server, or the name of the built-in network.
    pub server: String,
    /// When the server forgets the file, in unix seconds.
    pub expires: Option<u64>,
    /// The sender asked to be told of the download.
    pub asks_receipt: bool,
    /// Without relays for its server: who would be asked for the list that the pointer names.
    pub offer: Option<String>,
    /// There are no relays for its server.
    pub lacks_relays: bool,
    /// What else to know first.
    pub note: Option<PointerNote>,
}

/// Something to know before a download.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointerNote {
    /// The words.
    pub message: UserMessage,
    /// It cannot work from here; Download is off.
    pub blocks: bool,
}

impl PointerText {
    /// Takes the text over.
    #[must_use]
    pub(crate) fn new(text: String) -> Self {
        Self(Arc::new(Zeroizing::new(text)))
    }

    /// A cheap copy: both share the text.
    #[must_use]
    pub(crate) const fn of(text: Arc<Zeroizing<String>>) -> Self {
        Self(text)
    }

    /// The text, shared.
    #[must_use]
    pub(crate) fn shared(&self) -> Arc<Zeroizing<String>> {
        Arc::clone(&self.0)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether both hold the same pointer, whatever stands around it.
    #[must_use]
    pub(super) fn names_the_same(&self, other: &Self) -> bool {
        let word = |text: &Self| {
            Pointer::find(text.as_str())
                .ok()
                .map(|found| found.to_text())
        };
        match (word(self), word(other)) {
            (Some(this), Some(that)) => this.as_str() == that.as_str(),
            _ => self == other,
        }
    }
}

impl Default for PointerText {
    fn default() -> Self {
        Self::new(String::new())
    }
}

impl From<&str> for PointerText {
    fn from(text: &str) -> Self {
        Self::new(text.to_owned())
    }
}

impl Receive {
    /// Nothing is in the field but blanks.
    #[must_use]
    pub(crate) fn reads_nothing(&self) -> bool {
        self.text.as_str().trim().is_empty()
    }

    /// What is in the field is a pointer for whose server there are no relays.
    #[must_use]
    pub(crate) const fn lacks_relays(&self) -> bool {
        matches!(&self.reading, Reading::Known(info) if info.lacks_relays)
    }

    /// What was opened while something else stands in the field is an invitation.
    #[must_use]
    pub(crate) fn has_opened_invitation(&self) -> bool {
        let opened = self.opened.as_ref();
        opened.is_some_and(|text| Invitation::may_be(text.as_str()))
    }

    /// Download would do something.
    #[must_use]
    pub(crate) fn can_download(&self) -> bool {
        match &self.reading {
            Reading::Known(info) => {
                let nothing = matches!(&self.listing, Some(Listing::Folder(listing)) if listing.wanted() == 0);
                !nothing && !info.note.as_ref().is_some_and(|note| note.blocks)
            }
            Reading::Empty | Reading::Invited(_) | Reading::Wrong(_) => false,
        }
    }
}

/// What a person did on the Receive screen. Never printed: it can hold a pointer.
pub enum ReceiveAction {
    /// Empty the pointer's field.
    Clear,
    /// Fetch what the pointer names.
    Download,
    /// Leave the pointer that stands in the field, and forget the one that was opened.
    KeepPointer,
    /// Read the clipboard into Receive.
    Paste,
    /// The pointer's field was edited.
    PointerEdited(PointerText),
    /// Whether the sender is told of the next download.
    SetTellSender(bool),
    /// Look what is in the folder, before anything of it is downloaded.
    ShowContent,
    /// Take the pointer that was opened into the field.
    UseOpenedPointer,
    /// Take the relay list that the pointer in the field names, for its server.
    UseSendersList,
    /// Whether the entry of this number is wanted.
    Want(u32, bool),
    /// Whether everything in the folder is wanted, or nothing.
    WantAll(bool),
}

impl Model {
    pub(super) fn on_receive(&mut self, action: ReceiveAction) -> Vec<Effect> {
        match action {
            ReceiveAction::Clear => {
                self.receive.text = PointerText::default();
                self.receive.reading = Reading::Empty;
                self.focus = Some(Focus::Pointer);
                let stopped = self.stop_join(JoinCard::Invitation);
                return self.forget_listing().into_iter().chain(stopped).collect();
            }
            ReceiveAction::Download => {
                let mut effects = self.join_plainly();
                effects.extend(self.download());
                return effects;
            }
            ReceiveAction::KeepPointer => {
                self.receive.opened = None;
                self.focus = Some(Focus::Pointer);
            }
            ReceiveAction::Paste => {
                self.screen = Screen::Receive;
                return vec![Effect::from(WindowEffect::RequestPaste)];
            }
            ReceiveAction::PointerEdited(text) => return self.read_pointer(text),
            ReceiveAction::SetTellSender(on) => self.receive.tell_sender = on,
            ReceiveAction::ShowContent => return self.show_content(),
            ReceiveAction::Want(..) | ReceiveAction::WantAll(_) => self.want(&action),
            ReceiveAction::UseOpenedPointer => {
                let opened = self.receive.opened.take();
                // Not on Download: that is a step of its own.
                self.focus = Some(Focus::Switch);
                return opened.map_or_else(Vec::new, |pointer| self.read_pointer(pointer));
            }
            ReceiveAction::UseSendersList => return self.use_senders_list(),
        }
        Vec::new()
    }

    /// Takes in what the text in the field is.
    pub(super) fn on_described(&mut self, described: Result<TextHolds, UserMessage>) {
        // The field was emptied meanwhile, or what is in it was decided about.
        if self.receive.reads_nothing() || self.receive.joining.is_decided() {
            return;
        }
        let is_same_text = !std::mem::replace(&mut self.receive.unread, false);
        match described {
            Ok(TextHolds::Invitation(info)) => {
                let reading = Reading::Invited(info.clone());
                if reading != self.receive.reading {
                    self.announce(false, Announced::Invitation(info));
                    self.receive.reading = reading;
                }
            }
            Ok(TextHolds::Pointer(info)) => {
                let lacked = !self.receive.can_download();
                let reading = Reading::Known(info.clone());
                if reading != self.receive.reading {
                    self.announce(false, Announced::Pointer(info));
                    self.receive.reading = reading;
                }
                // What was missing for this pointer is here now, and its button has gone.
                let helped = is_same_text && lacked && self.receive.can_download();
                if helped && self.screen == Screen::Receive {
                    self.focus = Some(Focus::Download);
                }
            }
            Err(message) => {
                if self.focus == Some(Focus::Download) {
                    self.focus = Some(Focus::Pointer);
                }
                let reading = Reading::Wrong(message.clone());
                if reading != self.receive.reading {
                    self.announce(false, Announced::Worded(message));
                    self.receive.reading = reading;
                }
            }
        }
    }

    /// Takes in the text of a file with a pointer in it.
    pub(super) fn on_pointer_file(
        &mut self,
        read: Result<PointerText, UserMessage>,
    ) -> Vec<Effect> {
        match read {
            Ok(text) => self.fill_receive(text),
            Err(message) => {
                self.say(Tone::Danger, message);
                Vec::new()
            }
        }
    }

    fn download(&mut self) -> Vec<Effect> {
        if self.receive.unread || !self.receive.can_download() {
            return Vec::new();
        }
        let Reading::Known(info) = std::mem::take(&mut self.receive.reading) else {
            return Vec::new();
        };
        let pointer = std::mem::take(&mut self.receive.text);
        let tell_sender = std::mem::replace(&mut self.receive.tell_sender, true);
        let name = info.name.map_or(ShownName::Unnamed, ShownName::Given);
        let (id, run) = (self.draw_id(), self.draw_id());
        let (choice, wanted_len) = self.take_choice();
        let len = wanted_len.unwrap_or(info.len);
        let job = TransferJob::Receive {
            pointer,
            tell_sender,
            choice,
        };
        let mut transfer = Transfer::new(id, run, name.clone(), Some(len), job);
        transfer.shown = std::mem::take(&mut self.receive.shown);
        transfer.server = ServerLabel::Named(info.server);
        transfer.ask_if_large();
        if matches!(transfer.state, TransferState::Asked) {
            self.announce(false, Announced::AsksLarge(name, len));
            self.focus = Some(Focus::Row(transfer.id));
        } else {
            self.announce(false, Announced::StartsReceiving(name));
        }
        let mut effects = Vec::from_iter(self.remember(&transfer));
        self.transfers.insert(0, transfer);
        self.show_new();
        effects.extend(self.start_waiting());
        effects
    }

    fn read_pointer(&mut self, text: PointerText) -> Vec<Effect> {
        self.receive.text = text;
        self.receive.unread = true;
        let mut effects = Vec::from_iter(self.forget_listing());
        effects.extend(self.stop_join(JoinCard::Invitation));
        if self.receive.reads_nothing() {
            self.receive.reading = Reading::Empty;
            return effects;
        }
        effects.push(Effect::from(SettingsWork::Describe(
            self.receive.text.clone(),
            self.settings_now(),
        )));
        effects
    }

    pub(super) fn fill_receive(&mut self, pointer: PointerText) -> Vec<Effect> {
        self.screen = Screen::Receive;
        self.focus = Some(Focus::Download);
        self.read_pointer(pointer)
    }

    /// A pointer of a link or a second start, at whatever moment: it takes nobody's place, and Download is not one key
    /// away.
    pub(super) fn open_pointer(&mut self, pointer: PointerText) -> Vec<Effect> {
        self.screen = Screen::Receive;
        if self.receive.reads_nothing() {
            return self.read_pointer(pointer);
        }
        if self.receive.text.as_str().trim() != pointer.as_str().trim() {
            self.receive.opened = Some(pointer);
            let what = if self.receive.has_opened_invitation() {
                Announced::InvitationOpened
            } else {
                Announced::PointerOpened
            };
            self.announce(false, what);
        }
        Vec::new()
    }

    /// The server of the pointer in the field.
    #[must_use]
    pub(crate) fn pointer_server(&self) -> Option<ServerAddress> {
        let pointer = Pointer::find(self.receive.text.as_str()).ok()?;
        Some(pointer.server)
    }

    pub(super) fn describe_again(&self) -> Option<Effect> {
        let text = &self.receive.text;
        (!text.as_str().is_empty())
            .then(|| Effect::from(SettingsWork::Describe(text.clone(), self.settings_now())))
    }

    /// Takes the list that the pointer in the field names, for its server.
    fn use_senders_list(&mut self) -> Vec<Effect> {
        match &self.receive.reading {
            Reading::Known(info) if info.offer.is_some() => {
                let pointer = self.receive.text.clone();
                self.ask_relays(RelayWish::Accept(pointer))
            }
            _ => Vec::new(),
        }
    }
}
