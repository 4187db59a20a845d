//! How an operator's command gets at the files of a store: a folder through the server that runs on it, everything else
//! by hand.

use std::io;
use std::path::{Path, PathBuf};

use crate::server::operate::control::{self, AskError, Done, Order};
use crate::server::operate::operator::Operator;
use crate::server::store::OpenStoreError;
use crate::server::store::location::StoreLocation;

/// Has `order` carried out at a store. The server that holds a folder does it itself; when none runs there, or the store
/// is a bucket, it is done from here.
///
/// # Errors
/// [`DeedError`].
pub async fn do_at(location: &StoreLocation, order: &Order) -> Result<Done, DeedError> {
    if let Some(folder) = location.folder() {
        match std::fs::metadata(folder) {
            Ok(found) if found.is_dir() => {}
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(AskError::File(error).into());
            }
            _ => {
                return Err(DeedError::Missing {
                    folder: folder.to_owned(),
                });
            }
        }
        if let Some(done) = control::ask(folder, order).await? {
            return Ok(done);
        }
        // What another user writes there, above all root, the server could never remove again.
        if !is_ours(folder).map_err(AskError::File)? {
            return Err(DeedError::NotOurs {
                folder: folder.to_owned(),
            });
        }
    }
    let operator = Operator::visit(location).await?;
    Ok(control::carry_out(&operator, order.clone()).await)
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum DeedError {
    /// The running server was not reached.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// There is no such folder.
    #[error("there is no store in {}; name the one that the server uses, by --config or --store", folder.display())]
    Missing {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder belongs to another user, and no server runs on it.
    #[error("the store {} belongs to another user and no server runs on it; start the server, or run this as that user", folder.display())]
    NotOurs {
        /// The folder.
        folder: PathBuf,
    },
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenStoreError),
}

/// Whether the folder belongs to the user of this process.
#[cfg(unix)]
fn is_ours(folder: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;

    let owner = std::fs::metadata(folder)?.uid();
    Ok(rustix::process::geteuid().as_raw() == owner)
}

/// Whether the folder belongs to the user of this process; only unix tells.
#[cfg(not(unix))]
fn is_ours(_folder: &Path) -> io::Result<bool> {
    Ok(true)
}
