//! A port that listens: its connections, time-outs at every step, HTTP/1.1 with or without TLS, and a graceful stop.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream::BoxStream};
use hyper::{
    Request, Response, StatusCode,
    body::{Body, Frame, Incoming, SizeHint},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::{Mutex, MutexGuard};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpSocket, TcpStream},
    task::{JoinHandle, JoinSet},
    time::Sleep,
};
use tokio_rustls::{TlsAcceptor, rustls};
use tokio_util::sync::CancellationToken;

use super::{
    admission::{Admission, Caller, Rules, Visit},
    pace::{PaceLimits, PaceMeter},
};

/// The answer of a handler.
pub type HttpResponse = Response<AnswerBody>;

/// The body of an answer.
pub enum AnswerBody {
    /// Bytes that are there.
    Full(Bytes),
    /// Bytes that come while they are sent, and how many are still to come; one that ends early breaks the connection.
    Pieces(BoxStream<'static, io::Result<Bytes>>, u64),
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match &mut *self {
            Self::Full(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Full(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Pieces(pieces, left) => {
                let piece = ready!(pieces.as_mut().poll_next(cx)).transpose()?;
                let Some(piece) = piece else {
                    return Poll::Ready(match *left {
                        0 => None,
                        _ => Some(Err(io::ErrorKind::UnexpectedEof.into())),
                    });
                };
                *left = left.saturating_sub(piece.len() as u64);
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Full(bytes) => bytes.is_empty(),
            Self::Pieces(_, left) => *left == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Pieces(_, left) => SizeHint::with_exact(*left),
        }
    }
}

/// An answer of `status` with `body`.
pub fn answer(status: StatusCode, body: impl Into<Bytes>) -> HttpResponse {
    let mut answer = Response::new(AnswerBody::Full(body.into()));
    *answer.status_mut() = status;
    answer
}

/// An answer of 200 with `len_bytes` of `pieces`.
pub(crate) fn answer_pieces(
    pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    len_bytes: u64,
) -> HttpResponse {
    Response::new(AnswerBody::Pieces(Box::pin(pieces), len_bytes))
}

/// The answer, with `guard` dropped when the last byte of it has been written.
fn guarded<T: Send + Sync + 'static>(answer: HttpResponse, guard: T) -> HttpResponse {
    answer.map(|body| match body {
        AnswerBody::Full(bytes) => AnswerBody::Full(Bytes::from_owner(Guarded(bytes, guard))),
        AnswerBody::Pieces(pieces, left) => {
            let guarded = pieces.inspect(move |_piece| {
                // Held for as long as pieces are read.
                let _held = &guard;
            });
            AnswerBody::Pieces(guarded.boxed(), left)
        }
    })
}

/// Configuration of a listener.
#[derive(Clone)]
pub struct ListenConfig {
    /// Address to listen on; port 0 lets the system pick one, which [`Listening::addr`] returns.
    pub addr: SocketAddr,
    /// TLS configuration; `None` for plain HTTP.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// The account of those who are let in.
    pub admission: Admission,
    /// Time limit for the TLS handshake and the first request head together.
    pub head_timeout: Duration,
    /// Time limit for the head of each further request, the idle time before it included.
    pub next_head_timeout: Duration,
    /// The slowest that an answer may be taken.
    pub pace: PaceLimits,
    /// How long a stop waits for what runs.
    pub stop_timeout: Duration,
}

impl ListenConfig {
    /// Plain HTTP at `addr` with the usual bounds.
    #[must_use]
    pub fn new(addr: SocketAddr) -> Self {
        Self {
            addr,
            tls: None,
            admission: Admission::new(Rules::default()),
            head_timeout: Duration::from_secs(5),
            next_head_timeout: Duration::from_secs(10),
            pace: PaceLimits::USUAL,
            stop_timeout: Duration::from_secs(10),
        }
    }

    /// Adds TLS.
    #[must_use]
    pub fn with_tls(mut self, tls: rustls::ServerConfig) -> Self {
        self.tls = Some(Arc::new(tls));
        self
    }
}

/// A port bound but not served yet, so that what serves it can know its address.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    addr: SocketAddr,
}

/// Binds `addr`.
///
/// # Errors
/// [`ListenError`] when the address is taken or not this machine's.
#[expect(
    clippy::unused_async,
    reason = "it registers with the runtime that it is awaited in"
)]
pub async fn bind(addr: SocketAddr) -> Result<Bound, ListenError> {
    let failed = |cause| ListenError { addr, cause };
    let listener = open_port(addr).map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;
    Ok(Bound { listener, addr })
}

fn open_port(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    // Elsewhere than on Windows this takes a port whose old connections have not quite ended; there, one in use.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

/// Connections that the system keeps while the program is busy; a crowd beyond it waits a second for its next try. The
/// system may keep fewer.
const BACKLOG: u32 = 1_024;

impl Bound {
    /// The address, with the port that was picked.
    #[must_use]
    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Serves the port; `handler` is called once a request, with who sent it.
    ///
    /// The handler's future is dropped when the peer hangs up, and with it what it has under way.
    pub(crate) fn serve<H, F>(self, config: ListenConfig, handler: H) -> Listening
    where
        H: Fn(Caller, Request<Incoming>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = HttpResponse> + Send + 'static,
    {
        let stop = CancellationToken::new();
        let task = tokio::spawn(accept_loop(self.listener, config, handler, stop.clone()));
        Listening {
            addr: self.addr,
            stop,
            task: Some(task),
        }
    }
}

/// Binds and serves `config.addr`.
///
/// # Errors
/// [`ListenError`].
pub async fn listen<H, F>(config: ListenConfig, handler: H) -> Result<Listening, ListenError>
where
    H: Fn(Caller, Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = HttpResponse> + Send + 'static,
{
    Ok(bind(config.addr).await?.serve(config, handler))
}

/// A port that listens until [`Self::stop`] or drop.
#[derive(Debug)]
pub struct Listening {
    addr: SocketAddr,
    stop: CancellationToken,
    task: Option<JoinHandle<()>>,
}

impl Listening {
    /// The address, with the port that was picked.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Refuses new connections at once, lets what runs finish for a bounded time, then returns.
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        if let Some(task) = self.task.take() {
            drop(task.await);
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Why a port does not listen.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot listen on {addr} ({cause}); choose another address or port, or stop the program that uses it"
)]
pub struct ListenError {
    /// The address asked for.
    pub addr: SocketAddr,
    /// Error of the system.
    #[source]
    pub cause: io::Error,
}

async fn accept_loop<H, F>(
    listener: TcpListener,
    config: ListenConfig,
    handler: H,
    stop: CancellationToken,
) where
    H: Fn(Caller, Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = HttpResponse> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(_ended) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    // Nobody is left waiting: whoever cannot be let in is closed.
                    if let Some(visit) = config.admission.connect(peer.ip()) {
                        let connection = AcceptedConnection {
                            visit: Arc::new(visit),
                            peer,
                            config: config.clone(),
                            handler: handler.clone(),
                            sending: Arc::default(),
                        };
                        connections.spawn(connection.serve(stream, stop.clone()));
                        // It may have said something already: a flood of others should not be taken in before.
                        tokio::task::yield_now().await;
                    }
                }
                Err(_out_of_files_or_gone_already) => {
                    config.admission.make_room();
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
        }
    }
    drop(listener);
    let finish = async { while connections.join_next().await.is_some() {} };
    drop(tokio::time::timeout(config.stop_timeout, finish).await);
    connections.shutdown().await;
}

/// A connection that was let in.
struct AcceptedConnection<H> {
    visit: Arc<Visit>,
    peer: SocketAddr,
    config: ListenConfig,
    handler: H,
    sending: Arc<SendDeadline>,
}

impl<H> AcceptedConnection<H> {
    async fn serve<F>(self, stream: TcpStream, stop: CancellationToken)
    where
        H: Fn(Caller, Request<Incoming>) -> F,
        F: Future<Output = HttpResponse>,
    {
        let head_by = Instant::now() + self.config.head_timeout;
        // Small answers should not wait for the acknowledgement of large ones.
        stream.set_nodelay(true).ok();
        let stream = StallGuard {
            silent: Some(Arc::clone(&self.visit)),
            ..StallGuard::new(stream, self.config.pace, Arc::clone(&self.sending))
        };
        let Some(tls) = self.config.tls.clone() else {
            return self.serve_http(stream, head_by, stop).await;
        };
        let visit = Arc::clone(&self.visit);
        let handshake = TlsAcceptor::from(tls).accept(stream);
        tokio::select! {
            () = stop.cancelled() => {}
            () = visit.closed() => {}
            shaken = tokio::time::timeout_at(head_by.into(), handshake) => {
                if let Ok(Ok(stream)) = shaken {
                    self.serve_http(stream, head_by, stop).await;
                }
            }
        }
    }

    async fn serve_http<S, F>(self, stream: S, head_by: Instant, stop: CancellationToken)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
        H: Fn(Caller, Request<Incoming>) -> F,
        F: Future<Output = HttpResponse>,
    {
        let Self {
            visit,
            peer,
            config,
            handler,
            sending,
        } = self;
        let head_came = AtomicBool::new(false);
        let service = service_fn(|request: Request<Incoming>| {
            head_came.store(true, Ordering::Relaxed);
            let requested = visit.request();
            let caller = config.admission.caller(peer.ip(), request.headers());
            let answer = handler(caller.clone(), request);
            let sending = Arc::clone(&sending);
            let pace = config.pace;
            async move {
                let answer = answer.await;
                let len_bytes = answer.body().size_hint().exact().unwrap_or(0);
                let sent = sending.begin(pace.whole_of(len_bytes));
                Ok::<_, Infallible>(guarded(answer, (sent, requested, caller)))
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(config.next_head_timeout)
            .max_headers(64)
            .max_buf_size(MAX_BUFFERED_LEN)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        // The first head is due by a time in which TLS counts too; the limit of hyper above begins anew with each head.
        let headless = async {
            tokio::time::sleep_until(head_by.into()).await;
            if head_came.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
        };
        // What goes wrong on a connection concerns nobody but its peer.
        tokio::select! {
            ended = connection.as_mut() => drop(ended),
            () = visit.closed() => {}
            () = headless => {}
            () = stop.cancelled() => {
                // What is being answered is finished; how long that may take is bounded where the connections were accepted.
                connection.as_mut().graceful_shutdown();
                drop(connection.await);
            }
        }
    }
}

/// Until when the answer that is being sent has to be taken.
#[derive(Debug, Default)]
struct SendDeadline {
    until: Mutex<Option<Instant>>,
}

impl SendDeadline {
    /// An answer begins that may take so long; it has been sent when the returned guard is dropped.
    fn begin(self: Arc<Self>, whole: Duration) -> EndSendDeadline {
        *self.until() = Some(Instant::now() + whole);
        EndSendDeadline(self)
    }

    fn until(&self) -> MutexGuard<'_, Option<Instant>> {
        self.until.lock()
    }
}

/// Ends the time of an answer on drop.
struct EndSendDeadline(Arc<SendDeadline>);

impl Drop for EndSendDeadline {
    fn drop(&mut self) {
        *self.0.until() = None;
    }
}

/// Bytes that keep something until the last of them is written.
struct Guarded<T>(Bytes, T);

impl<T> AsRef<[u8]> for Guarded<T> {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// A stream that breaks when its peer takes what is sent too slowly, or an answer takes too long as a whole.
#[derive(Debug)]
struct StallGuard<S> {
    stream: S,
    limits: PaceLimits,
    sending: Arc<SendDeadline>,
    /// The connection, until its peer has said something.
    silent: Option<Arc<Visit>>,
    /// Timer for the next look at a peer that takes nothing.
    look: Option<Pin<Box<Sleep>>>,
    /// The pace since the peer has been waited for, and the bytes that it took since.
    waited: Option<(PaceMeter, u64)>,
}

impl<S> StallGuard<S> {
    fn new(stream: S, limits: PaceLimits, sending: Arc<SendDeadline>) -> Self {
        Self {
            stream,
            // Of what is written the first byte is taken at once; only from then on a peer is waited for.
            limits: PaceLimits {
                first: limits.window,
                ..limits
            },
            sending,
            silent: None,
            look: None,
            waited: None,
        }
    }

    /// `taken` of what was written now; none when the peer is still waited for.
    fn watch<T>(
        &mut self,
        cx: &mut Context<'_>,
        progress: Poll<io::Result<T>>,
        taken: impl Fn(&T) -> usize,
    ) -> Poll<io::Result<T>> {
        match progress {
            Poll::Ready(Ok(done)) => {
                self.look = None;
                if let Some((pace, bytes)) = &mut self.waited {
                    *bytes += taken(&done) as u64;
                    pace.moved(*bytes);
                    self.check()?;
                }
                Poll::Ready(Ok(done))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                let limits = &self.limits;
                self.waited.get_or_insert_with(|| {
                    // The whole has a time of its own.
                    let pace = PaceLimits {
                        whole: Duration::MAX,
                        ..*limits
                    };
                    (PaceMeter::new(&pace, 0, Instant::now()), 0)
                });
                let every = LOOK_EVERY.min(limits.window);
                loop {
                    let look = self
                        .look
                        .get_or_insert_with(|| Box::pin(tokio::time::sleep(every)));
                    ready!(look.as_mut().poll(cx));
                    self.look = None;
                    self.check()?;
                }
            }
        }
    }

    fn check(&mut self) -> io::Result<()> {
        let now = Instant::now();
        let overdue = self.sending.until().is_some_and(|until| now >= until);
        let slow = self
            .waited
            .as_mut()
            .is_some_and(|(pace, _)| pace.is_too_slow(now));
        if overdue || slow {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for StallGuard<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before
            && let Some(visit) = self.silent.take()
        {
            visit.speaks();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for StallGuard<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let progress = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.watch(cx, progress, |len| *len)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let progress = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.watch(cx, progress, |len| *len)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let progress = Pin::new(&mut self.stream).poll_flush(cx);
        if progress.is_ready() {
            // Nothing is left that the peer could be slow to take.
            self.waited = None;
        }
        self.watch(cx, progress, |()| 0)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let progress = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.watch(cx, progress, |()| 0)
    }
}

/// What is read ahead of a connection's head, and written ahead of what its peer has taken. hyper's own default is six
/// times as much, which many slow connections make much of.
pub(crate) const MAX_BUFFERED_LEN: usize = 64 * 1024;
/// The time after which a peer that takes nothing is looked at again.
const LOOK_EVERY: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        sync::{Semaphore, mpsc},
    };

    use super::*;

    fn loopback() -> ListenConfig {
        ListenConfig::new("127.0.0.1:0".parse().unwrap())
    }

    async fn hello(_caller: Caller, _request: Request<Incoming>) -> HttpResponse {
        answer(StatusCode::OK, "hello")
    }

    async fn ask(addr: SocketAddr) -> io::Result<String> {
        let mut stream = TcpStream::connect(addr).await?;
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            .await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    }

    #[tokio::test]
    async fn it_answers_and_after_a_stop_refuses() {
        let listening = listen(loopback(), hello).await.unwrap();
        let addr = listening.addr();
        assert_ne!(addr.port(), 0);
        assert!(ask(addr).await.unwrap().ends_with("hello"));
        listening.stop().await;
        ask(addr).await.unwrap_err();
    }

    #[tokio::test]
    async fn a_stop_lets_what_runs_finish() {
        let (entered, mut enter) = mpsc::channel(1);
        let leave = Arc::new(Semaphore::new(0));
        let gate = Arc::clone(&leave);
        let listening = listen(loopback(), move |peer, request| {
            let (entered, gate) = (entered.clone(), Arc::clone(&gate));
            async move {
                entered.send(()).await.unwrap();
                gate.acquire().await.unwrap().forget();
                hello(peer, request).await
            }
        })
        .await
        .unwrap();
        let asking = tokio::spawn(ask(listening.addr()));
        enter.recv().await.unwrap();
        let stopping = tokio::spawn(listening.stop());
        leave.add_permits(1);
        assert!(asking.await.unwrap().unwrap().ends_with("hello"));
        stopping.await.unwrap();
    }

    #[tokio::test]
    async fn a_peer_that_hangs_up_ends_its_request() {
        let (entered, mut enter) = mpsc::channel(1);
        let (dropped, mut ended) = mpsc::channel(1);
        let listening = listen(loopback(), move |peer, request| {
            let (entered, guard) = (entered.clone(), SayOnDrop(dropped.clone()));
            async move {
                entered.send(()).await.unwrap();
                std::future::pending::<()>().await;
                drop(guard);
                hello(peer, request).await
            }
        })
        .await
        .unwrap();
        let mut stream = TcpStream::connect(listening.addr()).await.unwrap();
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .unwrap();
        enter.recv().await.unwrap();
        drop(stream);
        assert_eq!(ended.recv().await, Some(()));
    }

    #[tokio::test]
    async fn an_unfinished_head_is_cut() {
        let config = ListenConfig {
            head_timeout: Duration::from_millis(20),
            ..loopback()
        };
        let listening = listen(config, hello).await.unwrap();
        let mut stream = TcpStream::connect(listening.addr()).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHo").await.unwrap();
        let mut answer = Vec::new();
        // The end, or a reset: either way the connection is over.
        drop(stream.read_to_end(&mut answer).await);
        assert!(!answer.ends_with(b"hello"));
    }

    #[tokio::test]
    async fn a_silent_peer_is_cut_before_and_between_requests() {
        let config = ListenConfig {
            head_timeout: Duration::from_millis(20),
            next_head_timeout: Duration::from_millis(20),
            ..loopback()
        };
        let listening = listen(config, hello).await.unwrap();
        for request in ["", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"] {
            let mut stream = TcpStream::connect(listening.addr()).await.unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            let reading = stream.read_to_end(&mut answer);
            let ended = tokio::time::timeout(Duration::from_secs(20), reading).await;
            drop(ended.expect("the listener hangs up"));
            assert_eq!(answer.ends_with(b"hello"), !request.is_empty());
        }
    }

    #[tokio::test]
    async fn a_peer_that_takes_nothing_is_cut() {
        let config = ListenConfig {
            pace: PaceLimits {
                window: Duration::from_millis(20),
                ..PaceLimits::USUAL
            },
            ..loopback()
        };
        let (dropped, mut ended) = mpsc::channel(1);
        let listening = listen(config, move |_peer, _request| {
            let body = Bytes::from_owner(Owned(vec![0; 64 << 20], SayOnDrop(dropped.clone())));
            std::future::ready(answer(StatusCode::OK, body))
        })
        .await
        .unwrap();
        let mut stream = TcpStream::connect(listening.addr()).await.unwrap();
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .unwrap();
        assert_eq!(
            ended.recv().await,
            Some(()),
            "the answer's memory is freed while the peer still holds its connection"
        );
        drop(stream);
    }

    #[tokio::test]
    async fn a_peer_that_takes_too_little_is_cut() {
        let (peer, own) = tokio::io::duplex(16);
        let limits = PaceLimits {
            window: Duration::from_millis(500),
            window_bytes: 2_048 + 2_048,
            ..PaceLimits::USUAL
        };
        let mut guarded = StallGuard::new(own, limits, Arc::default());
        let reading = async move {
            let mut peer = peer;
            // 16 bytes at a time, 200 times a second, is less than 4 KiB a second.
            let mut piece = [0; 16];
            loop {
                tokio::time::sleep(Duration::from_millis(5)).await;
                if peer.read_exact(&mut piece).await.is_err() {
                    return;
                }
            }
        };
        let reader = tokio::spawn(reading);
        let broken = guarded.write_all(&[0; 1 << 20]).await.unwrap_err();
        assert_eq!(broken.kind(), io::ErrorKind::TimedOut);
        reader.abort();
    }

    #[tokio::test]
    async fn an_answer_that_takes_too_long_as_a_whole_is_cut() {
        let (mut peer, own) = tokio::io::duplex(16);
        let sending = Arc::new(SendDeadline::default());
        let mut guarded = StallGuard::new(own, PaceLimits::USUAL, Arc::clone(&sending));
        let reader = tokio::spawn(async move {
            // It never stands still.
            let mut piece = [0; 16];
            while peer.read_exact(&mut piece).await.is_ok() {
                tokio::task::yield_now().await;
            }
        });
        let sent = Arc::clone(&sending).begin(Duration::from_secs(60));
        guarded.write_all(&[0; 1024]).await.unwrap();
        drop(sent);
        let sent = sending.begin(Duration::ZERO);
        let broken = guarded.write_all(&[0; 1024]).await.unwrap_err();
        assert_eq!(broken.kind(), io::ErrorKind::TimedOut);
        drop(sent);
        guarded.write_all(&[0; 1024]).await.unwrap();
        reader.abort();
    }

    #[tokio::test]
    async fn a_silent_connection_makes_room_for_one_that_asks() {
        let config = ListenConfig {
            admission: Admission::new(Rules {
                max_connections: 2,
                ..Rules::default()
            }),
            head_timeout: Duration::from_secs(600),
            ..loopback()
        };
        let listening = listen(config, hello).await.unwrap();
        let mut silent = Vec::new();
        for _ in 0..5 {
            silent.push(TcpStream::connect(listening.addr()).await.unwrap());
        }
        assert!(ask(listening.addr()).await.unwrap().ends_with("hello"));
        // The oldest were closed for the others.
        for mut stream in silent.drain(..3) {
            let read = stream.read(&mut [0; 1]).await;
            assert!(matches!(read, Ok(0) | Err(_)));
        }
    }

    struct SayOnDrop(mpsc::Sender<()>);

    impl Drop for SayOnDrop {
        fn drop(&mut self) {
            self.0.try_send(()).ok();
        }
    }

    struct Owned(
        Vec<u8>,
        #[expect(dead_code, reason = "held for its drop")] SayOnDrop,
    );

    impl AsRef<[u8]> for Owned {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }
}
