//! One window for each person and data folder: a second start hands its arguments to the first and ends.
//!
//! Who is first, a lock on a file decides; the system lets it go with the process, so that a socket left behind by a
//! killed one is known as such. On a file system without locks the first is who answers at the socket. That stands in
//! the data folder, or, where the folder's path is too long for a socket or its file system has none, in the folder that
//! the system has for this session; where neither takes one, the window opens all the same and nothing is handed to it.
//! The message goes over a Unix socket that only this person can open, or over a named pipe whose random name only this
//! person can read. What it brings only fills the window: files are shared as if they had been dropped, a pointer stands
//! in Receive.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tracing::debug;
use url::Url;
use zeroize::Zeroizing;

use crate::disk::io_reason::IoReason;
use crate::disk::lock_file::{self, Tried};
use crate::disk::private;

/// What a second start brings. It can hold a pointer: no `Debug`.
#[derive(Default, PartialEq, Eq)]
pub struct StartArguments {
    /// To be shared.
    pub files: Vec<PathBuf>,
    /// To fill Receive.
    pub pointer: Option<Zeroizing<String>>,
}

/// What a start turned out to be.
pub enum Start {
    /// The first: others will call here.
    First(First),
    /// A window is open already and has taken what was brought.
    HandedOver,
}

/// Why a start is neither.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum InstanceError {
    /// Another one holds the lock and does not take anything.
    #[error("another window is open and does not answer")]
    Busy,
    /// The lock or the socket cannot be had.
    #[error("the data folder cannot be used: {0}")]
    Folder(IoReason),
}

/// The first start; it stays so until this is dropped.
pub struct First {
    waiting: Arc<Waiting>,
    /// The thread ends with it.
    end: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    /// None on a file system without locks.
    _lock: Option<File>,
}

#[derive(Default)]
struct Waiting {
    brought: Mutex<Vec<StartArguments>>,
    wake: Mutex<Option<WakeFn>>,
}

type WakeFn = Box<dyn Fn() + Send>;

impl First {
    /// Whom to wake when something was brought; at once, if something was already.
    pub fn wake(&self, wake: impl Fn() + Send + 'static) {
        let brought = lock(&self.waiting.brought);
        if !brought.is_empty() {
            wake();
        }
        *lock(&self.waiting.wake) = Some(Box::new(wake));
    }

    /// What was brought since the last look.
    #[must_use]
    pub fn take(&self) -> Vec<StartArguments> {
        std::mem::take(&mut *lock(&self.waiting.brought))
    }
}

/// The door is closed before the lock goes: whoever is first next opens their own at the same place.
impl Drop for First {
    fn drop(&mut self) {
        self.end.take();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

impl Waiting {
    fn bring(&self, handed: StartArguments) {
        lock(&self.brought).push(handed);
        if let Some(wake) = &*lock(&self.wake) {
            wake();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Becomes the first start of `folder`, or hands `brought` to the one there is. Blocking, for a few seconds at worst.
///
/// # Errors
/// [`InstanceError`]; then nothing was handed over.
pub fn start(folder: &Path, brought: &StartArguments) -> Result<Start, InstanceError> {
    let failed = |error: io::Error| InstanceError::Folder(error.into());
    private::make_folder(folder).map_err(failed)?;
    let tried = lock_file::try_hold(&folder.join(LOCK)).map_err(failed)?;
    start_with(tried, folder, brought)
}

fn start_with(
    tried: Tried,
    folder: &Path,
    brought: &StartArguments,
) -> Result<Start, InstanceError> {
    let failed = |error: io::Error| InstanceError::Folder(error.into());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    // Inside, since a timer belongs to a running runtime.
    let there = || {
        let knock = async { tokio::time::timeout(CALL_FOR, system::knock(folder)).await };
        matches!(runtime.block_on(knock), Ok(Ok(_)))
    };
    let held = match tried {
        Tried::Held(held) => Some(held),
        Tried::NoLocks if !there() => None,
        Tried::NoLocks | Tried::Taken => {
            let called = runtime
                .block_on(async { tokio::time::timeout(CALL_FOR, call(folder, brought)).await });
            return match called {
                Ok(Ok(())) => Ok(Start::HandedOver),
                Ok(Err(_)) | Err(_) => Err(InstanceError::Busy),
            };
        }
    };
    let waiting = Arc::new(Waiting::default());
    let (end, ended) = tokio::sync::oneshot::channel();
    let mut first = First {
        waiting: Arc::clone(&waiting),
        end: Some(end),
        thread: None,
        _lock: held,
    };
    let Ok(door) = runtime.block_on(async { system::Door::open(folder) }) else {
        debug!("no later start can hand anything to this window");
        return Ok(Start::First(first));
    };
    let thread = std::thread::Builder::new()
        .name("cloakroom-instance".to_owned())
        .spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = serve(door, &waiting) => {}
                    _ = ended => {}
                }
            });
        })
        .map_err(failed)?;
    first.thread = Some(thread);
    Ok(Start::First(first))
}

const LOCK: &str = "window.lock";
/// The largest message: some thousands of paths.
const MAX_MESSAGE_LEN: u32 = 1024 * 1024;
/// How long a second start tries.
const CALL_FOR: Duration = Duration::from_secs(3);
/// How long a caller may take for its message.
const LISTEN_FOR: Duration = Duration::from_secs(2);
/// Between two tries to reach a window that is just opening.
const AGAIN_AFTER: Duration = Duration::from_millis(50);
const TAKEN: u8 = 1;

async fn serve(mut door: system::Door, waiting: &Waiting) {
    loop {
        match door.next().await {
            Ok(caller) => match tokio::time::timeout(LISTEN_FOR, listen(caller)).await {
                Ok(Ok(handed)) => waiting.bring(handed),
                Ok(Err(_)) | Err(_) => debug!("a second start did not say what it brings"),
            },
            // As when another person's process calls, or too many files are open.
            Err(_) => tokio::time::sleep(AGAIN_AFTER).await,
        }
    }
}

async fn call(folder: &Path, brought: &StartArguments) -> io::Result<()> {
    let message = encode(brought)?;
    loop {
        // The first one may hold the lock and not have opened its door yet.
        if let Ok(stream) = system::knock(folder).await {
            return tell(stream, &message).await;
        }
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}

async fn tell(mut stream: impl AsyncRead + AsyncWrite + Unpin, message: &[u8]) -> io::Result<()> {
    let len = u32::try_from(message.len()).or(Err(io::ErrorKind::InvalidInput))?;
    stream.write_all(&len.to_be_bytes()).await?;
    stream.write_all(message).await?;
    stream.flush().await?;
    match stream.read_u8().await? {
        TAKEN => Ok(()),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

async fn listen(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<StartArguments> {
    let len = stream.read_u32().await?;
    if len > MAX_MESSAGE_LEN {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let mut message = Zeroizing::new(vec![0; len as usize]);
    stream.read_exact(&mut message).await?;
    let handed = decode(&message)?;
    // Taken, even if the caller does not wait to hear it.
    stream.write_all(&[TAKEN]).await.ok();
    stream.flush().await.ok();
    Ok(handed)
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    version: u8,
    /// As `file:` addresses, which hold any path.
    files: Vec<Url>,
    pointer: Option<String>,
}

const VERSION: u8 = 1;

fn encode(brought: &StartArguments) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = |path: &PathBuf| Url::from_file_path(path).ok();
    let mut message = Message {
        version: VERSION,
        files: brought.files.iter().filter_map(file).collect(),
        pointer: brought.pointer.as_deref().cloned(),
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

#[cfg(unix)]
mod system {
    //! A Unix socket of mode 0600. Both ends ask the system whose process is at the other.

    use std::os::unix::fs::PermissionsExt as _;

    use rustix::process::geteuid;
    use tokio::net::{UnixListener, UnixStream};

    use super::{Path, PathBuf, fs, io, private};
    use crate::protocol::digest::Digest;

    pub(crate) struct Door {
        listener: UnixListener,
        path: PathBuf,
    }

    impl Door {
        /// Called by the first one: what stands at the path is a dead process's.
        pub(crate) fn open(folder: &Path) -> io::Result<Self> {
            let beside = |_in_folder| {
                let path = path_of_session(folder);
                private::make_folder(path.parent().unwrap_or(folder))?;
                Self::open_at(path)
            };
            Self::open_at(path(folder)).or_else(beside)
        }

        fn open_at(path: PathBuf) -> io::Result<Self> {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let listener = UnixListener::bind(&path)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
            Ok(Self { listener, path })
        }

        pub(crate) async fn next(&mut self) -> io::Result<UnixStream> {
            let (stream, _) = self.listener.accept().await?;
            of(stream, geteuid().as_raw())
        }
    }

    impl Drop for Door {
        fn drop(&mut self) {
            fs::remove_file(&self.path).ok();
        }
    }

    pub(crate) async fn knock(folder: &Path) -> io::Result<UnixStream> {
        let stream = match UnixStream::connect(path(folder)).await {
            Ok(stream) => stream,
            Err(_) => UnixStream::connect(path_of_session(folder)).await?,
        };
        of(stream, geteuid().as_raw())
    }

    /// The stream, if the process at its other end belongs to the user `uid`: nothing in the folder says who that is.
    pub(crate) fn of(stream: UnixStream, uid: u32) -> io::Result<UnixStream> {
        if stream.peer_cred()?.uid() == uid {
            Ok(stream)
        } else {
            Err(io::ErrorKind::PermissionDenied.into())
        }
    }

    pub(crate) fn path(folder: &Path) -> PathBuf {
        folder.join("window.socket")
    }

    /// A short path that belongs to the same folder, in a folder that only this person may enter. Whoever answers there
    /// is asked for their user as well.
    pub(crate) fn path_of_session(folder: &Path) -> PathBuf {
        let whole = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        let name = Digest::of(whole.as_os_str().as_encoded_bytes()).to_hex();
        let session = std::env::var_os("XDG_RUNTIME_DIR")
            .map(PathBuf::from)
            .filter(|session| session.is_absolute() && session.is_dir())
            .unwrap_or_else(std::env::temp_dir);
        let own = format!("cloakroom-{}", geteuid().as_raw());
        session
            .join(own)
            .join(format!("{}.socket", name.get(..16).unwrap_or(&name)))
    }
}

#[cfg(windows)]
mod system {
    //! A named pipe of this computer. Its name is random and stands in a file that only this person can read, so that
    //! nobody else can call, or wait under the name before.

    use rand_core::Rng as _;
    use tokio::net::windows::named_pipe::{
        ClientOptions, NamedPipeClient, NamedPipeServer, ServerOptions,
    };

    use super::{Path, PathBuf, fs, io, private};

    pub(crate) struct Door {
        name: String,
        next: NamedPipeServer,
    }

    impl Door {
        pub(crate) fn open(folder: &Path) -> io::Result<Self> {
            let mut random = [0; 16];
            crate::wire::random::system().fill_bytes(&mut random);
            let name = format!(
                r"\\.\pipe\cloakroom-{}",
                data_encoding::HEXLOWER.encode(&random)
            );
            let next = ServerOptions::new()
                .first_pipe_instance(true)
                .reject_remote_clients(true)
                .create(&name)?;
            private::write(&path(folder), name.as_bytes())?;
            Ok(Self { name, next })
        }

        pub(crate) async fn next(&mut self) -> io::Result<NamedPipeServer> {
            self.next.connect().await?;
            let following = ServerOptions::new()
                .reject_remote_clients(true)
                .create(&self.name)?;
            Ok(std::mem::replace(&mut self.next, following))
        }
    }

    #[expect(clippy::unused_async, reason = "the other systems wait here")]
    pub(crate) async fn knock(folder: &Path) -> io::Result<NamedPipeClient> {
        ClientOptions::new().open(fs::read_to_string(path(folder))?)
    }

    fn path(folder: &Path) -> PathBuf {
        folder.join("window.pipe")
    }
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

    fn first(folder: &Path) -> First {
        match start(folder, &StartArguments::default()) {
            Ok(Start::First(first)) => first,
            Ok(Start::HandedOver) => panic!("there was another"),
            Err(error) => panic!("{error}"),
        }
    }

    fn woken(first: &First) -> mpsc::Receiver<()> {
        let (wake, woken) = mpsc::channel();
        first.wake(move || {
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
            assert!(first.take() == vec![brought()]);
        }
        assert!(first.take().is_empty());
    }

    #[test]
    fn what_came_before_the_window_was_there_wakes_it_later() {
        let folder = tempdir().unwrap();
        let first = first(folder.path());
        start(folder.path(), &brought()).unwrap();
        while lock(&first.waiting.brought).is_empty() {
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
    fn a_socket_left_behind_is_replaced_and_nobody_else_may_open_the_new_one() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempdir().unwrap();
        let socket = folder.path().join("window.socket");
        drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
        assert!(socket.exists());
        let first = first(folder.path());
        let mode = fs::metadata(&socket).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
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
        assert!(first.take() == vec![brought()]);
        let other = home.path().join("b".repeat(200)).join("data");
        drop(self::first(&other));
        drop(first);
        drop(self::first(&folder));
    }

    #[cfg(unix)]
    #[test]
    fn where_no_socket_can_be_the_window_opens_all_the_same() {
        let folder = tempdir().unwrap();
        let in_session = system::path_of_session(folder.path());
        for place in [&system::path(folder.path()), &in_session] {
            private::make_folder(&place.join("not empty")).unwrap();
        }
        drop(first(folder.path()));
        fs::remove_dir_all(in_session).unwrap();
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
        assert!(first.take() == vec![brought()]);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn another_users_process_is_not_spoken_to() {
        let mine = rustix::process::geteuid().as_raw();
        for (uid, expected) in [(mine, true), (mine + 1, false)] {
            let (here, _there) = tokio::net::UnixStream::pair().unwrap();
            assert_eq!(system::of(here, uid).is_ok(), expected);
        }
    }

    /// Another user holds the lock of a folder that they prepared, and listens at its socket.
    #[cfg(unix)]
    #[test]
    fn a_folder_that_another_user_prepared_is_given_nothing() {
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

    /// What [`listen`] makes of these bytes.
    fn heard(bytes: &[u8]) -> io::Result<StartArguments> {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(async {
            let (mut caller, here) = tokio::io::duplex(4 * 1024 * 1024);
            caller.write_all(bytes).await.unwrap();
            let (_, write) = tokio::io::split(caller);
            drop(write);
            listen(here).await
        })
    }

    fn framed(message: &str) -> Vec<u8> {
        let len = u32::try_from(message.len()).unwrap();
        [&len.to_be_bytes(), message.as_bytes()].concat()
    }

    #[test]
    fn a_message_that_is_too_long_cut_or_not_understood_brings_nothing() {
        let file = Url::from_file_path(whole("/tmp/a")).unwrap();
        let good = format!(r#"{{"version":1,"files":["{file}"],"pointer":null}}"#);
        assert!(heard(&framed(&good)).is_ok());
        let mut cut = framed(&good);
        cut.pop();
        let long = [&(MAX_MESSAGE_LEN + 1).to_be_bytes()[..], b"{}"].concat();
        for bad in [
            Vec::new(),
            cut,
            long,
            framed(&good.replace("1,", "2,")),
            framed(&good.replace(file.as_str(), "http://host/a")),
            framed(&good.replace("\"pointer\"", "\"run\"")),
            framed("[]"),
        ] {
            assert!(heard(&bad).is_err(), "{}", String::from_utf8_lossy(&bad));
        }
    }
}
