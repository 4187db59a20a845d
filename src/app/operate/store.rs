//! Runs an operator's command on the files of a store or the relays of its network: through the running server, else directly.

use std::io;
use std::path::{Path, PathBuf};

use crate::server::config::ServerSettings;
use crate::server::operate::by_hand::Operator;
use crate::server::operate::control::{self, ControlError, ControlRequest, ControlResponse};
use crate::server::store::{OpenStoreError, is_held};

/// Runs `request` at the store of a server. The server that holds a folder handles it; when none runs there, or the store is
/// a bucket, this process does. What concerns the network, which a server on this computer keeps in a bucket, that server
/// handles.
///
/// # Errors
/// [`StoreCommandError`].
pub async fn run(
    settings: &ServerSettings,
    request: &ControlRequest,
) -> Result<ControlResponse, StoreCommandError> {
    let location = &settings.store;
    if let (ControlRequest::Network { .. }, None) = (request, location.folder()) {
        let asked = match settings.control_folder() {
            Some(folder) => control::ask(&folder, request).await?,
            None => None,
        };
        return Ok(asked.unwrap_or(ControlResponse::NoNetwork));
    }
    if let Some(folder) = location.folder() {
        match std::fs::metadata(folder) {
            Ok(found) if found.is_dir() => {}
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(ControlError::Unreachable(error).into());
            }
            _ => {
                return Err(StoreCommandError::Missing {
                    folder: folder.to_owned(),
                });
            }
        }
        if let Some(response) = control::ask(folder, request).await? {
            return Ok(response);
        }
        if is_held(folder) {
            return Err(StoreCommandError::Unseen {
                folder: folder.to_owned(),
            });
        }
        // What another user writes there, above all root, the server could never remove again.
        if !is_ours(folder).map_err(ControlError::Unreachable)? {
            return Err(StoreCommandError::NotOurs {
                folder: folder.to_owned(),
            });
        }
    }
    let operator = Operator::visit(location).await?;
    Ok(control::handle(&operator, request.clone()).await)
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum StoreCommandError {
    /// The running server was not reached.
    #[error(transparent)]
    Control(#[from] ControlError),
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
    /// A server runs on the folder, and its socket cannot be seen from here.
    #[error("a server runs on the store {} and its control socket cannot be reached from here; run this where the server runs: in its container, or where its /tmp can be seen", folder.display())]
    Unseen {
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
