//! The register on the disk: `network.json` in the folder of the store, which only its owner reads, replaced whole.

use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::disk::private;
use crate::protocol::network::{NetworkRules, RelayRegister, StoredRegisterError};
use crate::wire::random;

/// Where the register is kept.
pub(super) struct RegisterFile(PathBuf);

impl RegisterFile {
    /// The file in the folder of a store.
    pub(super) fn in_folder(folder: &Path) -> Self {
        Self(folder.join("network.json"))
    }

    /// Reads the register, or begins one when the file is not there.
    pub(super) async fn read_or_new(
        &self,
        rules: NetworkRules,
    ) -> Result<RelayRegister, OpenNetworkError> {
        let path = self.0.clone();
        let reading = tokio::task::spawn_blocking(move || match std::fs::read(&path) {
            Ok(bytes) => Ok(Some(Zeroizing::new(bytes))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        });
        let read = reading.await.map_err(io::Error::other);
        let read = read.and_then(|read| read);
        match read.map_err(|cause| OpenNetworkError::Read {
            path: self.0.clone(),
            cause,
        })? {
            None => Ok(RelayRegister::new(rules, &mut random::system())),
            Some(bytes) => {
                RelayRegister::from_bytes(rules, &bytes).map_err(|why| OpenNetworkError::Stored {
                    path: self.0.clone(),
                    why,
                })
            }
        }
    }
}

/// Keeps the register, one state after the other.
pub(super) struct RegisterKeeper {
    file: RegisterFile,
    /// The register has changed since it was last kept.
    is_due: bool,
    /// It could not be kept the last time, and that was said.
    has_failed: bool,
    /// The clock is behind the newest list, and that was said.
    is_behind: bool,
}

impl RegisterKeeper {
    pub(super) const fn new(file: RegisterFile) -> Self {
        Self {
            file,
            is_due: false,
            has_failed: false,
            is_behind: false,
        }
    }

    /// Says it once when the clock is behind the newest list.
    pub(super) fn note(&mut self, is_behind: bool) {
        if is_behind && !self.is_behind {
            tracing::warn!(
                "the clock is behind the newest relay list, so none is signed; set it, or, if it is right, start again with --accept-clock"
            );
        }
        self.is_behind = is_behind;
    }

    /// Whether the register is to be kept now; `changed` says whether it has changed since the last call.
    pub(super) fn must_keep(&mut self, changed: bool) -> bool {
        self.is_due |= changed;
        self.is_due
    }

    /// Writes the register.
    ///
    /// # Errors
    /// An error of the system; the file is what it was, and the register is to be kept with the next call.
    pub(super) async fn keep(&mut self, bytes: Zeroizing<Vec<u8>>) -> io::Result<()> {
        let path = self.file.0.clone();
        let writing = tokio::task::spawn_blocking(move || private::replace(&path, &bytes));
        let written = writing.await.map_err(io::Error::other);
        let written = written.and_then(|written| written);
        match &written {
            Ok(()) => {
                self.is_due = false;
                self.has_failed = false;
            }
            Err(error) if !self.has_failed => {
                self.has_failed = true;
                tracing::warn!(
                    "the relays of the network cannot be kept ({error}), so no relay joins and no new list is handed out; make room in the folder of the store, or let the server write there"
                );
            }
            Err(_said) => {}
        }
        written
    }
}

/// Why the network cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenNetworkError {
    /// The store is none in a folder.
    #[error(
        "a network needs a store in a folder: several servers over one bucket cannot keep one list of relays yet; give --store a folder, or leave --network out"
    )]
    NoFolder,
    /// The register cannot be read.
    #[error("the relays of the network cannot be read from {} ({cause}); check who may read the file", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Error of the system.
        cause: io::Error,
    },
    /// The file is no register of this server.
    #[error("the relays of the network cannot be read from {}: {why}; put the backup in its place, or move it away to begin a network without relays", path.display())]
    Stored {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: StoredRegisterError,
    },
    /// The register cannot be kept.
    #[error(
        "the relays of the network cannot be kept in the folder of the store ({0}); check that it can be written and is not full"
    )]
    Write(io::Error),
}
