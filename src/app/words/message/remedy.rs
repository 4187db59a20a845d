//! The remedy that the window offers for an error.

use crate::app::error::{AppError, LocalFileError, Mismatch, ServerRefusal};
use crate::app::relays::set::RelaySourceError;
use crate::app::transfer::join::JoinError;
use crate::protocol::exchange::Failure;
use crate::protocol::invitation::FindInvitationError;
use crate::protocol::parts::OpenPartError;
use crate::protocol::pointer::FindPointerError;
use crate::protocol::seal::OpenError;

/// Remedy for an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Remedy {
    /// Enter the server's access word.
    AccessWord,
    /// Continue with the default settings.
    DefaultSettings,
    /// Choose another folder for received files.
    Folder,
    /// Look at the newer relay list of the network, which waits for the person.
    NewerList,
    /// Nothing can be done from here.
    Nothing,
    /// Choose other options for the share.
    Options,
    /// Paste another pointer.
    Paste,
    /// Choose other relays or another proxy.
    Relays,
    /// Try again.
    #[default]
    Retry,
    /// Choose another server.
    Server,
}

impl Remedy {
    /// Whether the transfer is tried again once the person has done this.
    #[must_use]
    pub(crate) const fn then_retry(self) -> bool {
        !matches!(self, Self::Nothing | Self::Paste | Self::Retry)
    }
}

impl From<&AppError> for Remedy {
    fn from(error: &AppError) -> Self {
        match error {
            AppError::Address(_) => Self::Server,
            AppError::BuiltIn(_)
            | AppError::Cancelled
            | AppError::SettingsFile(_)
            | AppError::Local(
                LocalFileError::Changed
                | LocalFileError::Read(_)
                | LocalFileError::WrongSize { .. },
            )
            | AppError::Mismatch(
                Mismatch::Digest
                | Mismatch::Part(OpenPartError::DigestMismatch | OpenPartError::WrongSize),
            )
            | AppError::OwnRecord(_)
            | AppError::RelayMemory(_) => Self::Retry,
            AppError::Local(why) => of_local(why),
            AppError::Mismatch(Mismatch::Open(OpenError::Newer))
            | AppError::NeedsNewer(_)
            | AppError::NoSuchEntry(_)
            | AppError::NotOwner
            | AppError::Unfinished(_)
            | AppError::Invite(_)
            | AppError::NoInvitation(_)
            | AppError::Join(JoinError::OtherRelays(_) | JoinError::NoPath(_))
            | AppError::Invitation(FindInvitationError::Newer)
            | AppError::Pointer(FindPointerError::Newer) => Self::Nothing,
            AppError::ForeignBuiltIn
            | AppError::Invitation(_)
            | AppError::Join(_)
            | AppError::Mismatch(_)
            | AppError::Pointer(_) => Self::Paste,
            AppError::RelaySource(RelaySourceError::Fetch { .. } | RelaySourceError::Unread(_)) => {
                Self::Retry
            }
            AppError::RelaySource(RelaySourceError::ManyGone { .. }) => Self::NewerList,
            AppError::NoRelays
            | AppError::Proxy(_)
            | AppError::RelayFile(_)
            | AppError::RelayLine(_)
            | AppError::RelayList(_)
            | AppError::RelaySource(_)
            | AppError::RelaysOffered(_) => Self::Relays,
            AppError::NoPlace(_) | AppError::Save(_) => Self::Folder,
            AppError::Settings(_) => Self::DefaultSettings,
            AppError::Server(why) => of_refusal(*why),
            AppError::Transfer(why) if why.waits.is_some() => Self::NewerList,
            AppError::Transfer(why) => of_failure(&why.exchange.failure),
        }
    }
}

fn of_local(why: &LocalFileError) -> Remedy {
    match why {
        LocalFileError::Cancelled
        | LocalFileError::Changed
        | LocalFileError::Read(_)
        | LocalFileError::WrongSize { .. } => Remedy::Retry,
        LocalFileError::NamesTooLong
        | LocalFileError::NotAFile
        | LocalFileError::Nothing
        | LocalFileError::TooLarge { .. }
        | LocalFileError::TooManyEntries => Remedy::Nothing,
        LocalFileError::OneOfSeveral { reason, .. } => of_local(reason),
    }
}

const fn of_refusal(why: ServerRefusal) -> Remedy {
    match why {
        ServerRefusal::AccessWord { .. } => Remedy::AccessWord,
        ServerRefusal::NoReceipts | ServerRefusal::Ttl { .. } | ServerRefusal::TtlMaybe { .. } => {
            Remedy::Options
        }
        ServerRefusal::NotThere => Remedy::Paste,
        ServerRefusal::NoOwners | ServerRefusal::NotExtendable => Remedy::Nothing,
        ServerRefusal::Full
        | ServerRefusal::TooFull { .. }
        | ServerRefusal::TooLarge { .. }
        | ServerRefusal::UnknownWork => Remedy::Server,
        ServerRefusal::AsksDifferently
        | ServerRefusal::Nonsense
        | ServerRefusal::Status(_)
        | ServerRefusal::StillThere
        | ServerRefusal::Work => Remedy::Retry,
    }
}

const fn of_failure(why: &Failure) -> Remedy {
    match why {
        Failure::Build(_) => Remedy::Nothing,
        Failure::NoPath(_) | Failure::ServerNotServed => Remedy::Relays,
        Failure::ServerWrongKey => Remedy::Server,
        Failure::Blocked
        | Failure::Broken
        | Failure::FirstUnreachable
        | Failure::Malformed
        | Failure::Plain(_)
        | Failure::Relay { .. }
        | Failure::RelayUnreachable(_)
        | Failure::ServerBusy(_)
        | Failure::ServerPlain(_)
        | Failure::ServerUnreachable
        | Failure::Tampered(_)
        | Failure::TimedOut => Remedy::Retry,
    }
}
