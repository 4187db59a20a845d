//! One window for each person and data folder: a second start hands its arguments to the first and ends.
//!
//! A lock on a file decides which start is the first; the system releases it with the process. On a file system without
//! locks the first is the one that answers at the socket in the data folder. Where there can be no socket, the window
//! opens all the same and later starts cannot hand anything to it. Arguments only fill the window: files are shared as if
//! they had been dropped, a pointer or an invitation appears in Receive.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tracing::debug;
use url::Url;
use zeroize::Zeroizing;

use crate::disk::io_reason::IoReason;
use crate::disk::local_socket::{LocalSocket, LocalSocketError};
use crate::disk::lock_file::{self, Tried};
use crate::disk::private;

/// Arguments that a start of the program hands to the window that is open. They can hold a pointer or an invitation: no `Debug`.
#[derive(Default, PartialEq, Eq)]
pub struct StartArguments {
    /// Files to share.
    pub files: Vec<PathBuf>,
    /// Text of a pointer or an invitation, to fill Receive.
    pub pointer: Option<Zeroizing<String>>,
}

/// Outcome of a start.
pub enum Start {
    /// It is the first; later starts hand their arguments to it.
    First(Instance),
    /// A window is open already and has taken the arguments.
    HandedOver,
}

/// Why a start is neither the first nor handed over.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum InstanceError {
    /// Another one holds the lock and takes no arguments.
    #[error("another window is open and does not answer")]
    Busy,
    /// The lock or the socket cannot be used.
    #[error("the data folder cannot be used: {0}")]
    Folder(IoReason),
}

/// The first start of a data folder, which takes the arguments of later ones until it is dropped.
pub struct Instance {
    inbox: Arc<Inbox>,
    /// Ends the thread when it is dropped.
    end: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    /// The lock; `None` on a file system without locks.
    _lock: Option<File>,
}

/// Arguments of later starts that the window has not taken yet.
#[derive(Default)]
struct Inbox {
    arguments: Mutex<Vec<StartArguments>>,
    on_arrival: Mutex<Option<ArrivalFn>>,
}

type ArrivalFn = Box<dyn Fn() + Send>;

impl Instance {
    /// A window that no later start finds.
    pub(crate) fn alone() -> Self {
        Self {
            inbox: Arc::default(),
            end: None,
            thread: None,
            _lock: None,
        }
    }

    /// Takes in arguments as if a later start had brought them.
    #[cfg(any(target_os = "macos", test))]
    pub(crate) fn take_in(&self, arguments: StartArguments) {
        self.inbox.take_in(arguments);
    }

    /// Sets what is called whenever arguments arrive. It is called at once if some are waiting already.
    pub(crate) fn on_arrival(&self, call: impl Fn() + Send + 'static) {
        let arguments = self.inbox.arguments.lock();
        if !arguments.is_empty() {
            call();
        }
        *self.inbox.on_arrival.lock() = Some(Box::new(call));
    }

    /// Takes the arguments that have arrived since the last call.
    #[must_use]
    pub(crate) fn take_arguments(&self) -> Vec<StartArguments> {
        std::mem::take(&mut *self.inbox.arguments.lock())
    }
}

/// The socket is closed before the lock is released: the next first start opens its own in the same place.
impl Drop for Instance {
    fn drop(&mut self) {
        self.end.take();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

impl Inbox {
    /// Takes in the arguments that a request holds, and returns the response.
    fn receive(&self, request: &[u8]) -> Option<Vec<u8>> {
        let Ok(arguments) = decode(request) else {
            debug!("a second start did not hand over its arguments in a known form");
            return None;
        };
        self.take_in(arguments);
        Some(Vec::new())
    }

    fn take_in(&self, arguments: StartArguments) {
        self.arguments.lock().push(arguments);
        if let Some(call) = &*self.on_arrival.lock() {
            call();
        }
    }
}

/// Becomes the first start of `folder`, or hands `arguments` to the one there is. Blocking, for 3 seconds at most.
///
/// # Errors
/// [`InstanceError`]. After [`InstanceError::Busy`] the open window may have taken the arguments without saying so.
pub fn start(folder: &Path, arguments: &StartArguments) -> Result<Start, InstanceError> {
    let failed = |error: io::Error| InstanceError::Folder(error.into());
    private::make_folder(folder).map_err(failed)?;
    let tried = lock_file::try_hold(&folder.join(LOCK)).map_err(failed)?;
    start_with(tried, folder, arguments)
}

fn start_with(
    tried: Tried,
    folder: &Path,
    arguments: &StartArguments,
) -> Result<Start, InstanceError> {
    let failed = |error: io::Error| InstanceError::Folder(error.into());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    let request = encode(arguments).map_err(failed)?;
    let held = match tried {
        Tried::Held(held) => Some(held),
        Tried::Taken => {
            let handed = runtime.block_on(hand_over(folder, &request));
            return handed.map(|()| Start::HandedOver);
        }
        // Without locks the first is whoever answers.
        Tried::NoLocks => match runtime.block_on(SOCKET.request(folder, &request)) {
            Ok(_) => return Ok(Start::HandedOver),
            Err(LocalSocketError::NoResponse) => return Err(InstanceError::Busy),
            Err(LocalSocketError::NobodyListens | LocalSocketError::Unreachable(_)) => None,
        },
    };
    let inbox = Arc::new(Inbox::default());
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let mut instance = Instance {
        inbox: Arc::clone(&inbox),
        end: Some(end),
        thread: None,
        _lock: held,
    };
    let handle = move |request: Zeroizing<Vec<u8>>| {
        let inbox = Arc::clone(&inbox);
        async move { inbox.receive(&request) }
    };
    // Before the thread is there: whoever starts next finds the socket.
    let Ok(open) = runtime.block_on(async { SOCKET.listen(folder, handle) }) else {
        debug!("no later start can hand anything to this window");
        return Ok(Start::First(instance));
    };
    let thread = std::thread::Builder::new()
        .name("cloakroom-instance".to_owned())
        .spawn(move || {
            runtime.block_on(ended).ok();
            drop(open);
        })
        .map_err(failed)?;
    instance.thread = Some(thread);
    Ok(Start::First(instance))
}

/// Sends `request` to the process that holds the lock. It may not listen yet: it is asked again until it does.
async fn hand_over(folder: &Path, request: &[u8]) -> Result<(), InstanceError> {
    let asking = async {
        loop {
            match SOCKET.request(folder, request).await {
                Ok(_) => return Ok(()),
                Err(LocalSocketError::NoResponse) => return Err(InstanceError::Busy),
                Err(LocalSocketError::NobodyListens | LocalSocketError::Unreachable(_)) => {
                    tokio::time::sleep(ASK_AGAIN_AFTER).await;
                }
            }
        }
    };
    tokio::time::timeout(SOCKET.response_timeout, asking)
        .await
        .unwrap_or(Err(InstanceError::Busy))
}

/// Name of the window's lock in the data folder.
pub(crate) const LOCK: &str = "window.lock";
/// Names of all files by which starts of the window find each other.
pub(crate) const FILES: [&str; 3] = [LOCK, SOCKET.name, "window.address"];
const SOCKET: LocalSocket = LocalSocket {
    name: "window.socket",
    // Some thousands of paths.
    max_message_len: 1024 * 1024,
    request_timeout: Duration::from_secs(2),
    response_timeout: Duration::from_secs(3),
};
/// Time between two attempts to reach a window that is just opening.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(50);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    version: u8,
    /// The files as `file:` addresses, which hold any path.
    files: Vec<Url>,
    pointer: Option<String>,
}

const VERSION: u8 = 1;

fn encode(arguments: &StartArguments) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = |path: &PathBuf| Url::from_file_path(path).ok();
    let mut message = Message {
        version: VERSION,
        files: arguments.files.iter().filter_map(file).collect(),
        pointer: arguments.pointer.as_deref().cloned(),
    };
    let json = serde_json::to_vec(&message).map(Zeroizing::new);
    drop(message.pointer.take().map(Zeroizing::new));
    json.map_err(io::Error::from)
}

fn decode(message: &[u8]) -> io::Result<StartArguments> {
    let message: Message = serde_json::from_slice(message)?;
    if message.version != VERSION {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let file = |url: &Url| {
        let path = (url.scheme() == "file").then(|| url.to_file_path().ok());
        path.flatten()
            .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
    };
    Ok(StartArguments {
        files: message.files.iter().map(file).collect::<io::Result<_>>()?,
        pointer: message.pointer.map(Zeroizing::new),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tempfile::tempdir;

    use super::*;

    /// The path as this system writes one that begins at its root.
    fn whole(path: &str) -> PathBuf {
        std::path::absolute(path).unwrap()
    }

    fn brought() -> StartArguments {
        StartArguments {
            files: ["/tmp/a b.pdf", "/tmp/é%20.txt"].map(whole).to_vec(),
            pointer: Some(Zeroizing::new("cloak1secret".to_owned())),
        }
    }

    fn first(folder: &Path) -> Instance {
        match start(folder, &StartArguments::default()) {
            Ok(Start::First(first)) => first,
            Ok(Start::HandedOver) => panic!("there was another"),
            Err(error) => panic!("{error}"),
        }
    }

    fn woken(first: &Instance) -> mpsc::Receiver<()> {
        let (wake, woken) = mpsc::channel();
        first.on_arrival(move || {
            wake.send(()).ok();
        });
        woken
    }

    #[test]
    fn a_second_start_hands_over_what_it_brings_and_the_first_is_woken() {
        let folder = tempdir().unwrap();
        let first = first(folder.path());
        let woken = woken(&first);
        for _ in 0..2 {
            let second = start(folder.path(), &brought()).unwrap();
            assert!(matches!(second, Start::HandedOver));
            woken.recv_timeout(Duration::from_secs(20)).unwrap();
            assert!(first.take_arguments() == vec![brought()]);
        }
        assert!(first.take_arguments().is_empty());
    }

    #[test]
    fn what_the_system_opens_arrives_as_what_a_later_start_brings() {
        let alone = Instance::alone();
        alone.take_in(brought());
        let woken = woken(&alone);
        woken.try_recv().unwrap();
        alone.take_in(brought());
        woken.try_recv().unwrap();
        assert!(alone.take_arguments() == vec![brought(), brought()]);
    }

    #[test]
    fn what_came_before_the_window_was_there_wakes_it_later() {
        let folder = tempdir().unwrap();
        let first = first(folder.path());
        start(folder.path(), &brought()).unwrap();
        while first.inbox.arguments.lock().is_empty() {
            std::thread::yield_now();
        }
        woken(&first).recv_timeout(Duration::from_secs(20)).unwrap();
    }

    #[test]
    fn two_folders_are_two_windows_and_an_ended_one_leaves_room() {
        let (one, other) = (tempdir().unwrap(), tempdir().unwrap());
        let held = first(one.path());
        drop(first(other.path()));
        drop(held);
        drop(first(one.path()));
    }

    #[cfg(unix)]
    #[test]
    fn a_socket_left_behind_does_not_keep_a_window_from_opening() {
        let folder = tempdir().unwrap();
        let socket = folder.path().join(SOCKET.name);
        drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
        assert!(socket.exists());
        let first = first(folder.path());
        start(folder.path(), &brought()).unwrap();
        drop(first);
    }

    /// A path that is too long for the address of a socket: 108 bytes on Linux, 104 on macOS.
    #[cfg(unix)]
    #[test]
    fn a_folder_with_a_long_path_has_one_window_too() {
        let home = tempdir().unwrap();
        let folder = home.path().join("a".repeat(200)).join("data");
        let first = first(&folder);
        let woken = woken(&first);
        let second = start(&folder, &brought()).unwrap();
        assert!(matches!(second, Start::HandedOver));
        woken.recv_timeout(Duration::from_secs(20)).unwrap();
        assert!(first.take_arguments() == vec![brought()]);
        let other = home.path().join("b".repeat(200)).join("data");
        drop(self::first(&other));
        drop(first);
        drop(self::first(&folder));
    }

    #[test]
    fn where_no_socket_can_be_the_window_opens_all_the_same() {
        let folder = tempdir().unwrap();
        // Neither the socket nor the file with its address can replace a folder.
        for place in ["window.socket", "window.address"] {
            private::make_folder(&folder.path().join(place).join("not empty")).unwrap();
        }
        drop(first(folder.path()));
    }

    #[test]
    fn a_file_system_without_locks_has_one_window_too() {
        let folder = tempdir().unwrap();
        let start = || start_with(Tried::NoLocks, folder.path(), &brought()).unwrap();
        let Start::First(first) = start() else {
            panic!("there was another");
        };
        let woken = woken(&first);
        assert!(matches!(start(), Start::HandedOver));
        woken.recv_timeout(Duration::from_secs(20)).unwrap();
        assert!(first.take_arguments() == vec![brought()]);
    }

    /// Another user holds the lock of a folder that they prepared, and listens at its socket.
    #[cfg(unix)]
    #[test]
    fn a_folder_that_another_user_prepared_is_given_nothing() {
        use std::fs;
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempdir().unwrap();
        let lock = folder.path().join(LOCK);
        let held = File::create(&lock).unwrap();
        held.lock().unwrap();
        let socket = folder.path().join("window.socket");
        let trap = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        trap.set_nonblocking(true).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        if rustix::process::geteuid().is_root() {
            let nobody = rustix::fs::Uid::from_raw(65_534);
            for path in [&*lock, &*socket, folder.path()] {
                rustix::fs::chown(path, Some(nobody), None).unwrap();
            }
        }
        let second = start(folder.path(), &brought());
        let refused = IoReason::from(io::ErrorKind::PermissionDenied);
        assert!(matches!(second, Err(InstanceError::Folder(kind)) if kind == refused));
        assert!(trap.accept().is_err(), "nobody called");
    }

    #[test]
    fn a_window_that_does_not_answer_is_not_waited_for() {
        let folder = tempdir().unwrap();
        let held = File::create(folder.path().join(LOCK)).unwrap();
        held.lock().unwrap();
        let second = start(folder.path(), &brought());
        assert!(matches!(second, Err(InstanceError::Busy)));
    }

    #[test]
    fn a_message_that_is_not_understood_brings_nothing() {
        let file = Url::from_file_path(whole("/tmp/a")).unwrap();
        let good = format!(r#"{{"version":1,"files":["{file}"],"pointer":null}}"#);
        let inbox = Inbox::default();
        assert!(inbox.receive(good.as_bytes()).is_some());
        for bad in [
            String::new(),
            good[..good.len() - 1].to_owned(),
            good.replace("1,", "2,"),
            good.replace(file.as_str(), "http://host/a"),
            good.replace("\"pointer\"", "\"run\""),
            "[]".to_owned(),
        ] {
            assert!(inbox.receive(bad.as_bytes()).is_none(), "{bad}");
        }
        assert_eq!(inbox.arguments.lock().len(), 1);
    }
}
