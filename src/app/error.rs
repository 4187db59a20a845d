//! The errors of the use cases; [`crate::app::words::message`] has a message for each.

use std::io;

use thiserror::Error;

use super::kept::owned::OwnRecordError;
use super::kept::unfinished::UnfinishedError;
use super::operate::builtin::BuiltInError;
use super::received::save::SaveError;
use super::relays::NewerListWaits;
use super::relays::set::{RelayOffer, RelaySourceError};
use super::settings::{SettingsError, UnreadSettings};
use super::transfer::join::JoinError;
use crate::disk::io_reason::IoReason;
use crate::disk::kept::UnreadFile;
use crate::net::DriveError;
use crate::net::socks::ProxyFailure;
use crate::protocol::address::ParseAddressError;
use crate::protocol::exchange::ExchangeError;
use crate::protocol::file_api::{AnswerError, ServerInfo};
use crate::protocol::folder::FolderError;
use crate::protocol::invitation::FindInvitationError;
use crate::protocol::network::InviteRefused;
use crate::protocol::parts::{OpenPartError, ReadListError};
use crate::protocol::pointer::FindPointerError;
use crate::protocol::pointer::PointerMismatch;
use crate::protocol::relay_list::{ParseSourceError, RelayListError};
use crate::protocol::seal::{OpenError, SealError};

/// Why a use case ended without its result.
#[derive(Debug, Error)]
pub enum AppError {
    /// The text is no server address.
    #[error(transparent)]
    Address(#[from] ParseAddressError),
    /// The built-in network did not start.
    #[error(transparent)]
    BuiltIn(#[from] BuiltInError),
    /// The person cancelled.
    #[error("cancelled")]
    Cancelled,
    /// The settings could not be read or kept.
    #[error(transparent)]
    SettingsFile(#[from] SettingsError),
    /// The pointer was made on another computer's built-in network.
    #[error("the pointer names another computer's built-in network")]
    ForeignBuiltIn,
    /// No invitation, or a damaged one.
    #[error(transparent)]
    Invitation(#[from] FindInvitationError),
    /// There is no invitation to the network now.
    #[error(transparent)]
    Invite(#[from] InviteRefused),
    /// A network was not joined.
    #[error(transparent)]
    Join(#[from] JoinError),
    /// A file or folder that was to be shared cannot be shared.
    #[error(transparent)]
    Local(LocalFileError),
    /// What was downloaded is not what the pointer describes.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    /// The pointer asks for something this version does not do.
    #[error("the pointer needs a newer version: {0}")]
    NeedsNewer(NeedsNewer),
    /// Nothing can be saved where the person wants the file; nothing was fetched.
    #[error(transparent)]
    NoPlace(SaveError),
    /// Nobody can be invited to use this server.
    #[error(transparent)]
    NoInvitation(CannotInvite),
    /// There are no relays for this server.
    #[error("no relays for this server")]
    NoRelays,
    /// The file is not on the record of this person's shares.
    #[error("this computer has no record of sharing the file")]
    NotOwner,
    /// The record of this person's shares cannot be used.
    #[error(transparent)]
    OwnRecord(#[from] OwnRecordError),
    /// No pointer, or a damaged one.
    #[error(transparent)]
    Pointer(#[from] FindPointerError),
    /// The person's proxy cannot be used.
    #[error(transparent)]
    Proxy(#[from] ProxyFailure),
    /// A relay list given as a file cannot be read.
    #[error("the relay list cannot be read: {0}")]
    RelayFile(IoReason),
    /// The text is no line of a relay list.
    #[error(transparent)]
    RelayLine(#[from] ParseSourceError),
    /// A relay list is refused.
    #[error(transparent)]
    RelayList(#[from] RelayListError),
    /// What is remembered of relays is there and cannot be used, so that nothing may be sent over relays.
    #[error("the first relays are not known: {0}")]
    RelayMemory(UnreadFile),
    /// The chosen source gives no relays, or the list that was to be added is refused.
    #[error(transparent)]
    RelaySource(#[from] RelaySourceError),
    /// There are no relays for this server, and the pointer names a list.
    #[error("no relays for this server; the pointer names a list")]
    RelaysOffered(Box<RelayOffer>),
    /// The settings are there and cannot be read, so that nothing may be sent.
    #[error(transparent)]
    Settings(#[from] UnreadSettings),
    /// The file arrived and could not be saved.
    #[error(transparent)]
    Save(SaveError),
    /// The server refused.
    #[error(transparent)]
    Server(#[from] ServerRefusal),
    /// The state of an unfinished transfer cannot be used.
    #[error(transparent)]
    Unfinished(#[from] UnfinishedError),
    /// Nothing in the folder has a name that was asked for.
    #[error("there is no {0:?} in the folder")]
    NoSuchEntry(String),
    /// No answer of the server came.
    #[error(transparent)]
    Transfer(#[from] FailedExchange),
}

/// A request that ended without an answer of the server.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{exchange}")]
pub struct FailedExchange {
    /// Why there is none.
    pub exchange: ExchangeError,
    /// A newer relay list that waits in the network of the request, where relays of the older one can be the reason.
    pub waits: Option<Box<NewerListWaits>>,
}

impl From<ExchangeError> for FailedExchange {
    fn from(exchange: ExchangeError) -> Self {
        Self {
            exchange,
            waits: None,
        }
    }
}

impl From<ExchangeError> for AppError {
    fn from(error: ExchangeError) -> Self {
        Self::Transfer(error.into())
    }
}

/// Why nobody can be invited to use a server.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum CannotInvite {
    /// The list of its network has ended or never came: the next transfer asks for a newer one.
    #[error("the relay list of the network has ended")]
    ListEnded,
    /// Its relay list has no key by which others could check it.
    #[error("the relay list of this server has no key")]
    Unsigned,
}

/// Why what a person named cannot be shared.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum LocalFileError {
    /// The person cancelled before it was looked at.
    #[error("cancelled")]
    Cancelled,
    /// It is not what it was when it was looked at.
    #[error("the file changed while it was read")]
    Changed,
    /// The names in the folder are too long together: the list of them has more than 64 MiB.
    #[error("the names in the folder are too long together")]
    NamesTooLong,
    /// It is neither a file nor a folder.
    #[error("not a regular file")]
    NotAFile,
    /// Nothing was named, or nothing is in the folder that can be shared.
    #[error("there is nothing to share")]
    Nothing,
    /// One of several files, or one in a folder, cannot be shared.
    #[error("{path}: {reason}")]
    OneOfSeveral {
        /// Path of the file: inside the folder that is shared, or as the person gave it.
        path: String,
        /// Why.
        reason: Box<Self>,
    },
    /// The system would not let it be read.
    #[error("the file cannot be read: {0}")]
    Read(IoReason),
    /// The folder has more than 1,000,000 files and empty folders.
    #[error("there are too many files in the folder")]
    TooManyEntries,
    /// It has more bytes than can be sent to this server.
    #[error("the file has {len} bytes, and at most {max} can be sent")]
    TooLarge {
        /// Its bytes.
        len: u64,
        /// The most bytes that can be sent.
        max: u64,
    },
    /// It has another number of bytes than its directory entry says.
    #[error("the file should have {said} bytes, and {read} could be read")]
    WrongSize {
        /// Bytes according to the directory entry.
        said: u64,
        /// Bytes that could be read.
        read: u64,
    },
}

impl LocalFileError {
    /// Says which of several files it is about.
    #[must_use]
    pub(crate) fn of(self, path: &str) -> Self {
        Self::OneOfSeveral {
            path: path.to_owned(),
            reason: Box::new(self),
        }
    }
}

impl From<io::Error> for LocalFileError {
    fn from(error: io::Error) -> Self {
        Self::Read(error.into())
    }
}

/// Sealing refuses a length or a name only where the file is another one than it was when it was looked at.
impl From<SealError> for LocalFileError {
    fn from(_: SealError) -> Self {
        Self::Changed
    }
}

impl From<LocalFileError> for AppError {
    fn from(error: LocalFileError) -> Self {
        match error {
            LocalFileError::Cancelled => Self::Cancelled,
            error => Self::Local(error),
        }
    }
}

impl From<SaveError> for AppError {
    fn from(error: SaveError) -> Self {
        match error {
            SaveError::Cancelled => Self::Cancelled,
            // It is known before anything is fetched.
            SaveError::TooLong(_) => Self::NoPlace(error),
            error => Self::Save(error),
        }
    }
}

/// Why what was downloaded is refused.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Mismatch {
    /// Its SHA-256 is not the pointer's.
    #[error("the digest differs")]
    Digest,
    /// It is a folder whose list of files is not valid.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// It is in parts, and their list is not valid.
    #[error(transparent)]
    List(#[from] ReadListError),
    /// One of its parts is not the one that the list means.
    #[error(transparent)]
    Part(#[from] OpenPartError),
    /// It says other things of itself than the pointer.
    #[error(transparent)]
    Description(#[from] PointerMismatch),
    /// The key does not open it, or what is inside is not a sealed file.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// Why the server refused.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ServerRefusal {
    /// It stores only for those who know its operator's word.
    #[error("the server asks for an access word")]
    AccessWord {
        /// Whether one was given, and was not the right one.
        given: bool,
    },
    /// It asked for different things (work, access word) within a short time, by which it could tell people apart.
    #[error("the server asks for different things at different times")]
    AsksDifferently,
    /// The server is full.
    #[error("the server is full")]
    Full,
    /// It does not let the owner of a file manage it.
    #[error("the server knows no owners")]
    NoOwners,
    /// It does not count downloads.
    #[error("the server does not count downloads")]
    NoReceipts,
    /// It does not keep this file for longer, whoever asks.
    #[error("the server does not keep this file for longer")]
    NotExtendable,
    /// The file is unknown, expired or deleted.
    #[error("the server does not have the file")]
    NotThere,
    /// It confirmed other bytes than were sent, or answered something that cannot be read.
    #[error("the server's answer does not fit the request")]
    Nonsense,
    /// Any other status.
    #[error("the server answered {0}")]
    Status(u16),
    /// It said that it deleted a file, and gives it out all the same.
    #[error("the server still gives out a file that it said it deleted")]
    StillThere,
    /// It has less room than all parts need.
    #[error("the server has {free} bytes left, and {needed} are needed")]
    TooFull {
        /// Bytes of all parts.
        needed: u64,
        /// Bytes that it says are free.
        free: u64,
    },
    /// The blob is larger than it accepts.
    #[error("the server takes at most {max_blob} bytes")]
    TooLarge {
        /// The largest blob it takes, in bytes; 0 when it did not say.
        max_blob: u64,
    },
    /// It keeps files for an hour at least, and for so long at most.
    #[error("the server keeps files for 3600 to {max_secs} seconds")]
    Ttl {
        /// The longest it keeps a blob, in seconds.
        max_secs: u64,
    },
    /// It refused without a reason what was to be kept for a time that it may not offer; it does not say which it offers.
    #[error("the server answered 400 to a time of {asked_secs} seconds")]
    TtlMaybe {
        /// The time that was asked for, in seconds.
        asked_secs: u64,
    },
    /// It asks for work in a way that this version does not know.
    #[error("the server asks for another kind of work")]
    UnknownWork,
    /// It did not take the work that it asked for.
    #[error("the server did not take the work")]
    Work,
}

impl ServerRefusal {
    /// Adds the time that was asked for to a refusal without a reason, where it may be the reason: `info` is what the
    /// server says of itself.
    #[must_use]
    pub(crate) const fn explained(
        self,
        info: Option<&ServerInfo>,
        asked_secs: Option<u64>,
    ) -> Self {
        match (self, info, asked_secs) {
            (Self::Status(400), None, Some(asked_secs)) => Self::TtlMaybe { asked_secs },
            _ => self,
        }
    }

    /// The refusal that a failed upload means.
    #[must_use]
    pub(crate) const fn of_upload(error: AnswerError) -> Self {
        match error {
            AnswerError::OtherBytes | AnswerError::Unreadable => Self::Nonsense,
            AnswerError::Status(401) => Self::AccessWord { given: false },
            AnswerError::Status(413) => Self::TooLarge { max_blob: 0 },
            AnswerError::Status(428) => Self::Work,
            AnswerError::Status(507) => Self::Full,
            AnswerError::Status(code) => Self::Status(code),
        }
    }

    /// The refusal that a failed download means.
    #[must_use]
    pub(crate) const fn of_download(error: AnswerError) -> Self {
        match error {
            AnswerError::OtherBytes | AnswerError::Unreadable => Self::Nonsense,
            AnswerError::Status(404) => Self::NotThere,
            AnswerError::Status(code) => Self::Status(code),
        }
    }
}

impl From<DriveError> for AppError {
    fn from(error: DriveError) -> Self {
        match error {
            DriveError::Cancelled => Self::Cancelled,
            DriveError::Failed(error) => error.into(),
            DriveError::Proxy(failure) => Self::Proxy(failure),
        }
    }
}

/// Category of an error, from which the exit code of the command line follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Cancelled by the person.
    Cancelled,
    /// Something is wrong with a file or folder of this computer.
    LocalFile,
    /// The downloaded file does not match its pointer.
    Mismatch,
    /// The path of relays or the network failed.
    Network,
    /// The server does not have it.
    NotOnServer,
    /// Any other error.
    Other,
    /// The pointer is missing, damaged or too new.
    Pointer,
    /// The server refused.
    Refused,
    /// The arguments or settings make no sense.
    Usage,
}

impl AppError {
    /// Category of the error.
    #[must_use]
    pub(crate) const fn trouble(&self) -> ErrorKind {
        match self {
            Self::Address(_) | Self::NoSuchEntry(_) | Self::RelayLine(_) => ErrorKind::Usage,
            Self::BuiltIn(_)
            | Self::Invite(_)
            | Self::NoInvitation(_)
            | Self::SettingsFile(_)
            | Self::NotOwner
            | Self::Settings(_) => ErrorKind::Other,
            Self::Join(JoinError::WrongAccessWord) => ErrorKind::Refused,
            Self::Join(JoinError::NoPath(_) | JoinError::OtherRelays(_)) => ErrorKind::Usage,
            Self::Cancelled => ErrorKind::Cancelled,
            Self::Local(_)
            | Self::NoPlace(_)
            | Self::OwnRecord(_)
            | Self::RelayFile(_)
            | Self::RelayList(_)
            | Self::RelayMemory(_)
            | Self::RelaySource(RelaySourceError::Unread(_))
            | Self::Save(_)
            | Self::Unfinished(_) => ErrorKind::LocalFile,
            Self::ForeignBuiltIn
            | Self::NoRelays
            | Self::Proxy(_)
            | Self::RelaySource(_)
            | Self::RelaysOffered(_)
            | Self::Transfer(_) => ErrorKind::Network,
            Self::Mismatch(_) => ErrorKind::Mismatch,
            Self::Invitation(_)
            | Self::Join(JoinError::ForRelays | JoinError::PrivateRelays)
            | Self::NeedsNewer(_)
            | Self::Pointer(_) => ErrorKind::Pointer,
            Self::Server(ServerRefusal::NotThere) => ErrorKind::NotOnServer,
            Self::Server(_) => ErrorKind::Refused,
        }
    }
}

/// What a pointer describes that this version cannot fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NeedsNewer {
    /// A file whose key needs words from a second channel.
    #[error("it is protected by words")]
    Words,
}
