//! Local sockets: one process of this program asks another one on the same computer.
//!
//! On Unix the socket is a file of mode 0600 in a folder of the program. Where that path is too long for a socket, or the
//! file system has no sockets, it is in a private folder below `XDG_RUNTIME_DIR` or the temporary folder. On Windows it is
//! a named pipe with a random name. Whenever the socket is not the file in the folder, an address file beside it says
//! where it is.
//!
//! Each connection carries one request and one response: a length of four bytes (big-endian), then as many bytes.
//!
//! On Unix both ends ask the system whose process is at the other end: only the same user and root are listened to, and
//! only the same user is called, or by root anybody. On Windows nobody can wait under the name before it is drawn, the
//! system lets other users read from the pipe at most, so that they cannot send a request, callers from other computers
//! are refused, and the listening process may identify its caller but not act in the caller's name.
//!
//! What requests and responses mean is left to the callers.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

/// A local socket by its name in a folder, with the limits that both ends keep.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LocalSocket {
    /// Name of the socket in its folder, such as `window.socket`. The address file has the same name with the extension
    /// `address` (`window.address`).
    pub name: &'static str,
    /// The longest request and the longest response, in bytes.
    pub max_message_len: u32,
    /// How long a caller may take to send its request, before the listening process hangs up.
    pub request_timeout: Duration,
    /// How long a request may be handled, and how long a caller waits for its response, from connecting on.
    pub response_timeout: Duration,
}

impl LocalSocket {
    /// Listens in `folder` until the returned guard is dropped, and calls `handle` with each request. A request for which
    /// `handle` returns `None` gets no response: its connection is closed.
    ///
    /// It replaces the socket that a crashed process left behind. So whoever calls this must know that no other process
    /// listens there, by a lock for example. It must be called inside a tokio runtime.
    ///
    /// # Errors
    /// An error of the system: the socket can be placed neither in the folder nor beside it.
    pub(crate) fn listen<H, F>(&self, folder: &Path, handle: H) -> io::Result<OpenSocket>
    where
        H: Fn(Zeroizing<Vec<u8>>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Option<Vec<u8>>> + Send + 'static,
    {
        let (listener, files) = system::open(folder, self.name)?;
        let mut answering = JoinSet::new();
        answering.spawn(answer_all(*self, listener, handle));
        Ok(OpenSocket {
            _files: files,
            _answering: answering,
        })
    }

    /// Sends `request` to the process that listens in `folder`, and returns its response.
    ///
    /// # Errors
    /// [`LocalSocketError`]. The request may have been handled all the same if it is [`LocalSocketError::NoResponse`].
    pub(crate) async fn request(
        &self,
        folder: &Path,
        request: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, LocalSocketError> {
        let exchange = async {
            let mut stream = system::connect(folder, self.name)
                .await
                .map_err(LocalSocketError::from_connecting)?;
            let exchanged = async {
                write_message(&mut stream, request).await?;
                read_message(&mut stream, self.max_message_len).await
            };
            exchanged
                .await
                .map_err(|_broken| LocalSocketError::NoResponse)
        };
        tokio::time::timeout(self.response_timeout, exchange)
            .await
            .unwrap_or(Err(LocalSocketError::NoResponse))
    }
}

/// Keeps a local socket open. Dropping it removes the socket, and stops handling requests that have not been answered.
#[derive(Debug)]
pub(crate) struct OpenSocket {
    // Removed first: whoever calls then finds nobody, not somebody who no longer answers.
    _files: SocketFiles,
    /// One task, aborted on drop.
    _answering: JoinSet<()>,
}

/// Why a request to a local socket has no response.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LocalSocketError {
    /// Nobody listens in the folder.
    #[error("nobody listens")]
    NobodyListens,
    /// Somebody listens and does not respond in time, or not in the right form.
    #[error("whoever listens does not respond")]
    NoResponse,
    /// The socket cannot be reached, or belongs to another user.
    #[error("the socket cannot be reached: {0}")]
    Unreachable(io::Error),
}

impl LocalSocketError {
    fn from_connecting(error: io::Error) -> Self {
        match error.kind() {
            // A killed process leaves its socket, which then refuses. An invalid path is one too long for a socket,
            // beside which there is no address file.
            io::ErrorKind::NotFound
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::InvalidInput => Self::NobodyListens,
            _ => Self::Unreachable(error),
        }
    }
}

/// What listening placed in the file system; removed on drop.
#[derive(Debug)]
struct SocketFiles(Vec<PathBuf>);

impl Drop for SocketFiles {
    fn drop(&mut self) {
        for path in &self.0 {
            fs::remove_file(path).ok();
        }
    }
}

/// Callers whose requests have not come yet: a bounded number, of which the oldest makes room for the newest. So whoever
/// sends a request at once is heard, however many others connect and send nothing.
#[derive(Default)]
struct SilentCallers {
    waiting: VecDeque<CancellationToken>,
}

impl SilentCallers {
    /// Admits one more. The returned token is cancelled to close its connection; the connection cancels it itself when
    /// its request has come.
    fn admit(&mut self) -> CancellationToken {
        self.waiting.retain(|caller| !caller.is_cancelled());
        if self.waiting.len() >= MAX_SILENT_CALLERS
            && let Some(oldest) = self.waiting.pop_front()
        {
            oldest.cancel();
        }
        let newest = CancellationToken::new();
        self.waiting.push_back(newest.clone());
        newest
    }
}

async fn answer_all<H, F>(socket: LocalSocket, mut listener: system::Listener, handle: H)
where
    H: Fn(Zeroizing<Vec<u8>>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Option<Vec<u8>>> + Send + 'static,
{
    let mut silent = SilentCallers::default();
    let mut connections = JoinSet::new();
    loop {
        // Those that have ended would stay in the set for good.
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok(stream) => {
                connections.spawn(answer(socket, stream, silent.admit(), handle.clone()));
            }
            // As when another user's process calls, or too many files are open.
            Err(_) => tokio::time::sleep(RETRY_AFTER).await,
        }
    }
}

async fn answer<S, H, F>(socket: LocalSocket, mut stream: S, caller: CancellationToken, handle: H)
where
    S: AsyncRead + AsyncWrite + Unpin,
    H: Fn(Zeroizing<Vec<u8>>) -> F,
    F: Future<Output = Option<Vec<u8>>>,
{
    let request = tokio::select! {
        () = caller.cancelled() => return,
        request = tokio::time::timeout(
            socket.request_timeout,
            read_message(&mut stream, socket.max_message_len),
        ) => request,
    };
    // Not silent any more.
    caller.cancel();
    let Ok(Ok(request)) = request else {
        return;
    };
    let respond = async {
        if let Some(response) = handle(request).await.map(Zeroizing::new) {
            // Handled, even if the caller does not wait to hear it.
            write_message(&mut stream, &response).await.ok();
        }
    };
    tokio::time::timeout(socket.response_timeout, respond)
        .await
        .ok();
}

async fn write_message(stream: &mut (impl AsyncWrite + Unpin), message: &[u8]) -> io::Result<()> {
    let len = u32::try_from(message.len()).or(Err(io::ErrorKind::InvalidInput))?;
    stream.write_all(&len.to_be_bytes()).await?;
    stream.write_all(message).await?;
    stream.flush().await
}

async fn read_message(
    stream: &mut (impl AsyncRead + Unpin),
    max_len: u32,
) -> io::Result<Zeroizing<Vec<u8>>> {
    let len = stream.read_u32().await?;
    if len > max_len {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let mut message = Zeroizing::new(vec![0; len as usize]);
    stream.read_exact(&mut message).await?;
    Ok(message)
}

/// The file beside the socket that says where the socket is.
fn address_file(folder: &Path, name: &str) -> PathBuf {
    folder.join(name).with_extension("address")
}

/// Time between two attempts after the system refused one.
const RETRY_AFTER: Duration = Duration::from_millis(50);
/// Connections that may be open at once without having sent their request.
const MAX_SILENT_CALLERS: usize = 256;

#[cfg(unix)]
mod system {
    //! Unix domain sockets.

    use std::ffi::OsString;
    use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
    use std::os::unix::fs::PermissionsExt as _;

    use rustix::process::geteuid;
    use tokio::net::{UnixListener, UnixStream};

    use super::{Path, PathBuf, SocketFiles, address_file, fs, io};
    use crate::disk::private;
    use crate::protocol::digest::Digest;

    pub(super) struct Listener(UnixListener);

    impl Listener {
        pub(super) async fn accept(&mut self) -> io::Result<UnixStream> {
            let (stream, _) = self.0.accept().await?;
            let peer = stream.peer_cred()?.uid();
            only_if(may_call(peer, geteuid().as_raw()), stream)
        }
    }

    pub(super) fn open(folder: &Path, name: &str) -> io::Result<(Listener, SocketFiles)> {
        let address_file = address_file(folder, name);
        remove(&address_file)?;
        let path = folder.join(name);
        open_at(&path)
            .map(|listener| (listener, SocketFiles(vec![path.clone()])))
            .or_else(|why_not_in_folder| {
                open_in_session(&path, &address_file).map_err(|_neither| why_not_in_folder)
            })
    }

    fn open_in_session(path: &Path, address_file: &Path) -> io::Result<(Listener, SocketFiles)> {
        let (session, path) = path_in_session(path);
        private::make_folder(&session)?;
        let listener = open_at(&path)?;
        let mut files = SocketFiles(vec![path.clone()]);
        private::replace(address_file, path.as_os_str().as_bytes())?;
        files.0.push(address_file.to_owned());
        Ok((listener, files))
    }

    fn open_at(path: &Path) -> io::Result<Listener> {
        remove(path)?;
        let listener = UnixListener::bind(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        Ok(Listener(listener))
    }

    fn remove(path: &Path) -> io::Result<()> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    pub(super) async fn connect(folder: &Path, name: &str) -> io::Result<UnixStream> {
        let path = match fs::read(address_file(folder, name)) {
            Ok(address) => PathBuf::from(OsString::from_vec(address)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => folder.join(name),
            Err(error) => return Err(error),
        };
        let stream = UnixStream::connect(path).await?;
        let peer = stream.peer_cred()?.uid();
        only_if(may_answer(peer, geteuid().as_raw()), stream)
    }

    /// Whether a process of user `own` listens to one of user `peer`: the same user, or root.
    pub(super) fn may_call(peer: u32, own: u32) -> bool {
        peer == own || peer == ROOT
    }

    /// Whether a process of user `own` sends its request to one of user `peer`: the same user. Root speaks with everybody,
    /// so that its command reaches a server that runs as a user of its own.
    pub(super) fn may_answer(peer: u32, own: u32) -> bool {
        peer == own || own == ROOT
    }

    const ROOT: u32 = 0;

    fn only_if(allowed: bool, stream: UnixStream) -> io::Result<UnixStream> {
        allowed
            .then_some(stream)
            .ok_or_else(|| io::ErrorKind::PermissionDenied.into())
    }

    /// A folder that only this user may enter, and a short path in it that belongs to the socket of `path`.
    pub(super) fn path_in_session(path: &Path) -> (PathBuf, PathBuf) {
        let folder = path.parent().unwrap_or(path);
        let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        let whole = folder.join(path.file_name().unwrap_or_default());
        let name = Digest::of(whole.as_os_str().as_encoded_bytes()).to_hex();
        let session = std::env::var_os("XDG_RUNTIME_DIR")
            .map(PathBuf::from)
            .filter(|session| session.is_absolute() && session.is_dir())
            .unwrap_or_else(std::env::temp_dir)
            .join(format!("cloakroom-{}", geteuid().as_raw()));
        let socket = session.join(format!("{}.socket", name.get(..16).unwrap_or(&name)));
        (session, socket)
    }
}

#[cfg(windows)]
mod system {
    //! Named pipes of this computer.

    use data_encoding::HEXLOWER;
    use tokio::net::windows::named_pipe::{
        ClientOptions, NamedPipeClient, NamedPipeServer, ServerOptions,
    };

    use super::{Path, RETRY_AFTER, SocketFiles, address_file, fs, io};
    use crate::disk::private;

    /// All instances of the pipe are taken; the next one is made at once (`ERROR_PIPE_BUSY`).
    const PIPE_BUSY: i32 = 231;

    pub(super) struct Listener {
        name: String,
        /// The instance that the next caller connects to.
        next: NamedPipeServer,
    }

    impl Listener {
        pub(super) async fn accept(&mut self) -> io::Result<NamedPipeServer> {
            let connected = self.next.connect().await;
            // Made in either case: an instance whose caller has gone already cannot be connected to again.
            let following = ServerOptions::new()
                .reject_remote_clients(true)
                .create(&self.name)?;
            let stream = std::mem::replace(&mut self.next, following);
            connected.map(|()| stream)
        }
    }

    pub(super) fn open(folder: &Path, name: &str) -> io::Result<(Listener, SocketFiles)> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
        let name_of_pipe = format!(r"\\.\pipe\cloakroom-{}", HEXLOWER.encode(&random));
        let next = ServerOptions::new()
            // Whoever made a pipe of that name before would be found in place of this one.
            .first_pipe_instance(true)
            .reject_remote_clients(true)
            .create(&name_of_pipe)?;
        let address_file = address_file(folder, name);
        private::replace(&address_file, name_of_pipe.as_bytes())?;
        let listener = Listener {
            name: name_of_pipe,
            next,
        };
        Ok((listener, SocketFiles(vec![address_file])))
    }

    pub(super) async fn connect(folder: &Path, name: &str) -> io::Result<NamedPipeClient> {
        let name_of_pipe = fs::read_to_string(address_file(folder, name))?;
        loop {
            match ClientOptions::new().open(&name_of_pipe) {
                Err(error) if error.raw_os_error() == Some(PIPE_BUSY) => {
                    tokio::time::sleep(RETRY_AFTER).await;
                }
                opened => return opened,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tempfile::tempdir;

    use super::*;

    const SOCKET: LocalSocket = LocalSocket {
        name: "test.socket",
        max_message_len: 8,
        request_timeout: Duration::from_secs(60),
        response_timeout: Duration::from_secs(60),
    };

    /// Answers with the request backwards; nothing to an empty one.
    fn listen(socket: LocalSocket, folder: &Path) -> OpenSocket {
        let backwards = |mut request: Zeroizing<Vec<u8>>| async move {
            request.reverse();
            (!request.is_empty()).then(|| request.to_vec())
        };
        socket.listen(folder, backwards).unwrap()
    }

    async fn ask(folder: &Path) -> Result<Vec<u8>, LocalSocketError> {
        let response = SOCKET.request(folder, b"abc").await;
        response.map(|response| response.to_vec())
    }

    #[tokio::test]
    async fn a_request_is_answered_as_long_as_somebody_listens() {
        let folder = tempdir().unwrap();
        let nobody = |result| matches!(result, Err(LocalSocketError::NobodyListens));
        assert!(nobody(ask(folder.path()).await));
        let listening = listen(SOCKET, folder.path());
        for _ in 0..2 {
            assert_eq!(ask(folder.path()).await.unwrap(), b"cba");
        }
        drop(listening);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(nobody(ask(folder.path()).await));
        let _again = listen(SOCKET, folder.path());
        assert_eq!(ask(folder.path()).await.unwrap(), b"cba");
    }

    #[tokio::test]
    async fn what_is_not_answered_or_too_long_has_no_response() {
        let folder = tempdir().unwrap();
        let _listening = listen(SOCKET, folder.path());
        for request in [&b""[..], b"123456789"] {
            let response = SOCKET.request(folder.path(), request).await;
            assert!(matches!(response, Err(LocalSocketError::NoResponse)));
        }
        let short = LocalSocket {
            max_message_len: 2,
            ..SOCKET
        };
        let response = short.request(folder.path(), b"abc").await;
        assert!(matches!(response, Err(LocalSocketError::NoResponse)));
    }

    #[tokio::test]
    async fn only_whole_messages_are_read() {
        let read = async |mut bytes: &[u8]| read_message(&mut bytes, 3).await;
        assert_eq!(**read(&[0, 0, 0, 3, 1, 2, 3, 4]).await.unwrap(), [1, 2, 3]);
        assert_eq!(**read(&[0; 4]).await.unwrap(), [0; 0]);
        for bad in [
            &[][..],
            &[0, 0, 0],
            &[0, 0, 0, 3, 1, 2],
            &[0, 0, 0, 4, 1, 2, 3, 4],
            &[255; 8],
        ] {
            assert!(read(bad).await.is_err(), "{bad:?}");
        }
    }

    #[tokio::test]
    async fn a_caller_that_sends_nothing_is_not_waited_for() {
        let (mut caller, here) = tokio::io::duplex(64);
        let impatient = LocalSocket {
            request_timeout: Duration::from_millis(1),
            ..SOCKET
        };
        let handle = |_request| async { None };
        answer(impatient, here, CancellationToken::new(), handle).await;
        assert_eq!(caller.read(&mut [0]).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_request_that_is_handled_for_too_long_is_given_up() {
        let (mut caller, here) = tokio::io::duplex(64);
        write_message(&mut caller, b"abc").await.unwrap();
        let impatient = LocalSocket {
            response_timeout: Duration::from_millis(1),
            ..SOCKET
        };
        let handle = |_request| std::future::pending();
        answer(impatient, here, CancellationToken::new(), handle).await;
        assert_eq!(caller.read(&mut [0]).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn silent_callers_do_not_keep_others_out() {
        let folder = tempdir().unwrap();
        let forever = LocalSocket {
            request_timeout: Duration::from_secs(1_000_000),
            ..SOCKET
        };
        let _listening = listen(forever, folder.path());
        let mut silent = Vec::new();
        for _ in 0..2 * MAX_SILENT_CALLERS {
            silent.push(system::connect(folder.path(), SOCKET.name).await.unwrap());
        }
        assert_eq!(ask(folder.path()).await.unwrap(), b"cba");
        // The first were closed for the last, which are still waited for.
        let [first, .., last] = silent.as_mut_slice() else {
            unreachable!()
        };
        assert!(matches!(first.read(&mut [0]).await, Ok(0) | Err(_)));
        assert!(futures_util::poll!(std::pin::pin!(last.read(&mut [0]))).is_pending());
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn the_socket_of_a_crashed_process_is_replaced_and_only_its_owner_may_open_the_new_one() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempdir().unwrap();
        let path = folder.path().join(SOCKET.name);
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        fs::write(address_file(folder.path(), SOCKET.name), "/nowhere").unwrap();
        let left = ask(folder.path()).await;
        assert!(matches!(left, Err(LocalSocketError::NobodyListens)));
        let _listening = listen(SOCKET, folder.path());
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(ask(folder.path()).await.unwrap(), b"cba");
    }

    /// A path that is too long for the address of a socket: 108 bytes on Linux, 104 on macOS.
    #[cfg(unix)]
    #[tokio::test]
    async fn a_folder_with_a_long_path_has_its_socket_elsewhere() {
        use std::os::unix::fs::PermissionsExt as _;

        let home = tempdir().unwrap();
        let folder = |name: &str| home.path().join(name.repeat(200));
        for name in ["a", "b"] {
            fs::create_dir(folder(name)).unwrap();
        }
        let nobody = ask(&folder("a")).await;
        assert!(matches!(nobody, Err(LocalSocketError::NobodyListens)));
        let listening = listen(SOCKET, &folder("a"));
        assert_eq!(ask(&folder("a")).await.unwrap(), b"cba");
        let (session, socket) = system::path_in_session(&folder("a").join(SOCKET.name));
        let mode = fs::metadata(session).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let other = ask(&folder("b")).await;
        assert!(matches!(other, Err(LocalSocketError::NobodyListens)));
        drop(listening);
        assert!(!socket.exists());
        assert_eq!(fs::read_dir(folder("a")).unwrap().count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn another_users_process_is_not_spoken_to() {
        let (root, own, other) = (0, 1000, 1001);
        for (peer, me, called, answered) in [
            (own, own, true, true),
            (root, root, true, true),
            (other, own, false, false),
            // An operator's command, at the end of the server and at that of the command.
            (root, own, true, false),
            (own, root, false, true),
        ] {
            assert_eq!(system::may_call(peer, me), called, "{peer} calls {me}");
            assert_eq!(
                system::may_answer(peer, me),
                answered,
                "{peer} answers {me}"
            );
        }
    }
}
