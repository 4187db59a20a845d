//! How an operator's command reaches the server that holds the store: one process holds a folder, so requests about its
//! files go to that process; and the server that keeps a network.
//!
//! A running server listens at the local socket `control` in the folder of its store, or, if it keeps a network in a
//! bucket, in the folder of its identity. The server listens to its own user
//! and to root only (Unix). One connection carries one [`ControlRequest`] and one [`ControlResponse`], as JSON. A web
//! page cannot open such a socket.

use std::{io, path::Path, time::Duration};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::by_hand::{Operator, OperatorError};
use crate::disk::local_socket::{LocalSocket, LocalSocketError, OpenSocket};
use crate::protocol::address::FileId;
use crate::server::network::command::{NetworkAnswer, NetworkCommand};
use crate::server::store::Held;

/// Request of an operator about the files of a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case", deny_unknown_fields)]
pub enum ControlRequest {
    /// Remove a file, and keep its id from being used again.
    Block {
        /// Id of the file, 22 characters.
        id: String,
    },
    /// Report whether the store can be written and read, and how full it is.
    Check,
    /// Do something about the relays of the network that the server keeps.
    Network {
        /// The command.
        command: NetworkCommand,
    },
    /// Remove a file.
    Remove {
        /// Id of the file, 22 characters.
        id: String,
    },
}

/// Response to a [`ControlRequest`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "response", rename_all = "snake_case")]
pub enum ControlResponse {
    /// The file is gone and its id cannot be used again.
    Blocked {
        /// Whether there was such a file.
        found: bool,
    },
    /// Report about the store.
    Checked(StoreReport),
    /// The store failed to do it.
    Failed,
    /// A server of this kind gives no such ids.
    Foreign,
    /// Answer to a command about the relays of the network.
    Network {
        /// The answer.
        answer: NetworkAnswer,
    },
    /// The server keeps no network, or no server runs.
    NoNetwork,
    /// The file is gone.
    Removed {
        /// Whether there was such a file.
        found: bool,
    },
}

/// State of a store as it was found by a check. Fields are `None` where the store did not say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreReport {
    /// A written object was read at once.
    pub read_after_write: bool,
    /// A written object was listed at once.
    pub list_after_write: bool,
    /// A deleted object was gone at once.
    pub gone_after_delete: bool,
    /// The store keeps old versions, so that deleted files stay in it.
    pub keeps_versions: bool,
    /// Bytes that the store holds; while they are counted, the most that it may hold.
    pub used_bytes: Option<u64>,
    /// The server is still counting what the store holds.
    pub is_counting: bool,
    /// The last hour (since 1970, UTC) in which a server used the store.
    pub last_hour: Option<u32>,
}

/// Handles a request at a store.
pub async fn handle(operator: &Operator, request: ControlRequest) -> ControlResponse {
    let file = |id: &str| FileId::parse(id).ok();
    match request {
        ControlRequest::Block { id } => match file(&id) {
            Some(id) => match operator.block(&id).await {
                Ok(found) => ControlResponse::Blocked { found },
                Err(OperatorError::Foreign) => ControlResponse::Foreign,
                Err(OperatorError::Store(_)) => ControlResponse::Failed,
            },
            None => ControlResponse::Foreign,
        },
        ControlRequest::Check => {
            let Ok(probed) = operator.probe().await else {
                return ControlResponse::Failed;
            };
            let held = operator.held().await.ok();
            ControlResponse::Checked(StoreReport {
                read_after_write: probed.read_after_write,
                list_after_write: probed.list_after_write,
                gone_after_delete: probed.gone_after_delete,
                keeps_versions: probed.keeps_versions,
                used_bytes: held.and_then(Held::bytes),
                is_counting: held.is_some_and(|held| !held.is_counted()),
                last_hour: operator.last_hour().await.ok().flatten(),
            })
        }
        ControlRequest::Network { command } => match operator.network() {
            Some(network) => ControlResponse::Network {
                answer: network.handle(&command).await,
            },
            None => ControlResponse::NoNetwork,
        },
        ControlRequest::Remove { id } => match file(&id) {
            Some(id) => match operator.remove(&id).await {
                Ok(found) => ControlResponse::Removed { found },
                Err(OperatorError::Foreign) => ControlResponse::Foreign,
                Err(OperatorError::Store(_)) => ControlResponse::Failed,
            },
            None => ControlResponse::Foreign,
        },
    }
}

/// Control socket of a running server; closed on drop.
#[derive(Debug)]
pub(crate) struct ControlEndpoint {
    _socket: OpenSocket,
}

impl ControlEndpoint {
    /// Opens the socket in `folder`, the folder of a store that this process holds or one that it has alone otherwise, and calls `handle` with each request.
    /// It must be called inside a tokio runtime.
    ///
    /// # Errors
    /// An error of the system: there can be no socket.
    pub(crate) fn open<H, F>(folder: &Path, handle: H) -> io::Result<Self>
    where
        H: Fn(ControlRequest) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = ControlResponse> + Send + 'static,
    {
        let socket = SOCKET.listen(folder, move |request: Zeroizing<Vec<u8>>| {
            let handle = handle.clone();
            async move {
                let request = serde_json::from_slice(&request).ok()?;
                serde_json::to_vec(&handle(request).await).ok()
            }
        })?;
        Ok(Self { _socket: socket })
    }
}

/// Sends a request to the server that runs on the store in `folder`; `None` when none does.
///
/// # Errors
/// [`ControlError`] when one may run and does not respond.
pub async fn ask(
    folder: &Path,
    request: &ControlRequest,
) -> Result<Option<ControlResponse>, ControlError> {
    let request = serde_json::to_vec(request).map_err(|_never| ControlError::NoResponse)?;
    match SOCKET.request(folder, &request).await {
        Ok(response) => serde_json::from_slice(&response)
            .map(Some)
            .map_err(|_unknown| ControlError::NoResponse),
        Err(LocalSocketError::NobodyListens) => Ok(None),
        Err(LocalSocketError::NoResponse) => Err(ControlError::NoResponse),
        Err(LocalSocketError::Unreachable(error)) => Err(ControlError::Unreachable(error)),
    }
}

/// Why a running server was not reached.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The server does not respond as it should.
    #[error("the running server does not answer; try again, or stop it and try again")]
    NoResponse,
    /// The folder or the socket in it cannot be opened.
    #[error(
        "the socket control of the server cannot be opened ({0}); run this as the server's own user, or as root"
    )]
    Unreachable(io::Error),
}

const SOCKET: LocalSocket = LocalSocket {
    name: "control",
    // A report of all relays of a network: 200 in the list, and as many beside it.
    max_message_len: 256 * 1_024,
    request_timeout: Duration::from_secs(1),
    // A check writes, reads and deletes in the store, which may be slow.
    response_timeout: Duration::from_secs(60),
};

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(folder: &Path) -> ControlEndpoint {
        ControlEndpoint::open(folder, |request| async move {
            match request {
                ControlRequest::Remove { id } => ControlResponse::Removed {
                    found: id == "here",
                },
                ControlRequest::Block { .. }
                | ControlRequest::Check
                | ControlRequest::Network { .. } => ControlResponse::Failed,
            }
        })
        .unwrap()
    }

    fn remove(id: &str) -> ControlRequest {
        ControlRequest::Remove { id: id.to_owned() }
    }

    #[tokio::test]
    async fn a_request_reaches_the_running_server() {
        let folder = tempfile::tempdir().unwrap();
        let request = remove("here");
        assert_eq!(
            ask(folder.path(), &request).await.unwrap(),
            None,
            "none runs"
        );
        let endpoint = endpoint(folder.path());
        assert_eq!(
            ask(folder.path(), &request).await.unwrap(),
            Some(ControlResponse::Removed { found: true })
        );
        let unknown = ask(folder.path(), &remove("elsewhere")).await.unwrap();
        assert_eq!(unknown, Some(ControlResponse::Removed { found: false }));
        drop(endpoint);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert_eq!(ask(folder.path(), &request).await.unwrap(), None);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_server_that_was_killed_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join(SOCKET.name);
        drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
        assert!(socket.exists());
        assert_eq!(ask(folder.path(), &remove("here")).await.unwrap(), None);
    }

    #[tokio::test]
    async fn nothing_but_a_request_is_handled_or_answered() {
        let folder = tempfile::tempdir().unwrap();
        let _endpoint = endpoint(folder.path());
        let request = serde_json::to_string(&remove("here")).unwrap();
        for text in [
            format!("POST / HTTP/1.1\r\n\r\n{request}\n"),
            String::new(),
            "nonsense".to_owned(),
            request.replace("remove", "format"),
            request.replace('}', r#","more":1}"#),
            format!("{}{request}", " ".repeat(300_000)),
        ] {
            let response = SOCKET.request(folder.path(), text.as_bytes()).await;
            assert!(
                matches!(response, Err(LocalSocketError::NoResponse)),
                "{text}"
            );
        }
        assert_eq!(
            ask(folder.path(), &remove("here")).await.unwrap(),
            Some(ControlResponse::Removed { found: true })
        );
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn only_its_owner_can_open_it() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let _endpoint = endpoint(folder.path());
        let mode = std::fs::metadata(folder.path().join(SOCKET.name)).unwrap();
        assert_eq!(mode.permissions().mode() & 0o777, 0o600);
    }
}
