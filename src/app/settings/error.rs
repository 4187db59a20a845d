//! Why settings could not be read or written.

use std::path::PathBuf;

use crate::disk::io_reason::IoReason;
use crate::disk::kept::{ChangeError, UnreadFile, UnreadReason};
use crate::disk::private::NotPrivate;

/// Settings that are there and cannot be read. What they say is unknown, so nothing may be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {error}", file.display())]
pub struct UnreadSettings {
    /// What is wrong with them.
    pub error: SettingsError,
    /// Their file.
    pub file: PathBuf,
}

impl From<UnreadFile<SettingsError>> for UnreadSettings {
    fn from(unread: UnreadFile<SettingsError>) -> Self {
        Self {
            error: unread.why,
            file: unread.file,
        }
    }
}

/// Why settings could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The file is not what this program writes.
    #[error("the settings cannot be understood: {reason}")]
    Invalid {
        /// The line, where it is known.
        line: Option<usize>,
        /// Why the value was refused.
        reason: String,
    },
    /// A key that this version does not know looks like one that protects something.
    #[error(
        "line {line} of the settings: {key:?} is no setting here; {meant:?} was probably meant"
    )]
    Misspelled {
        /// The line.
        line: usize,
        /// The key as it stands there.
        key: String,
        /// The key that was probably meant.
        meant: &'static str,
    },
    /// A newer version wrote the file.
    #[error("the settings were written by a newer version")]
    Newer,
    /// There is no folder for settings.
    #[error("there is no home folder")]
    NoHome,
    /// Another user can change what is in the folder of the settings or of the data.
    #[error("{} cannot be used: {why}", folder.display())]
    NotPrivate {
        /// The folder.
        folder: PathBuf,
        /// How others can change it.
        why: NotPrivate,
    },
    /// The file is there and cannot be read.
    #[error("the settings cannot be read: {0}")]
    Read(IoReason),
    /// The file cannot be written.
    #[error("the settings cannot be written: {0}")]
    Write(IoReason),
}

impl From<UnreadReason> for SettingsError {
    fn from(why: UnreadReason) -> Self {
        match why {
            UnreadReason::Damaged => Self::Invalid {
                line: None,
                reason: why.to_string(),
            },
            UnreadReason::Newer => Self::Newer,
            UnreadReason::Read(reason) => Self::Read(reason),
        }
    }
}

impl From<ChangeError<Self>> for SettingsError {
    fn from(error: ChangeError<Self>) -> Self {
        match error {
            ChangeError::Unread(unread) => unread.why,
            ChangeError::Write(reason) => Self::Write(reason),
        }
    }
}
