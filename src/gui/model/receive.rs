//! The Receive screen: one field, and what the text in it turned out to be.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::UserMessage;

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
    /// A pointer.
    Known(PointerInfo),
    /// No pointer, or a damaged one.
    Wrong(UserMessage),
}

/// What a pointer says, without asking anyone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointerInfo {
    /// The file's name, safe to show, if the sender put it in.
    pub name: Option<String>,
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
    pub fn new(text: String) -> Self {
        Self(Arc::new(Zeroizing::new(text)))
    }

    /// A cheap copy: both share the text.
    #[must_use]
    pub const fn of(text: Arc<Zeroizing<String>>) -> Self {
        Self(text)
    }

    /// The text, shared.
    #[must_use]
    pub fn shared(&self) -> Arc<Zeroizing<String>> {
        Arc::clone(&self.0)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
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
    pub fn reads_nothing(&self) -> bool {
        self.text.as_str().trim().is_empty()
    }

    /// What is in the field is a pointer for whose server there are no relays.
    #[must_use]
    pub const fn lacks_relays(&self) -> bool {
        matches!(&self.reading, Reading::Known(info) if info.lacks_relays)
    }

    /// Download would do something.
    #[must_use]
    pub fn can_download(&self) -> bool {
        match &self.reading {
            Reading::Known(info) => !info.note.as_ref().is_some_and(|note| note.blocks),
            Reading::Empty | Reading::Wrong(_) => false,
        }
    }
}
