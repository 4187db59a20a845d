//! A port that listens: bounded connections, time-outs at every step, HTTP/1.1 with or without TLS, and a graceful stop.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Stream, stream::BoxStream};
use http_body_util::Full;
use hyper::{
    Request, Response, StatusCode,
    body::{Body, Frame, Incoming, SizeHint},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::{JoinHandle, JoinSet},
    time::{Instant, Sleep},
};
use tokio_rustls::{TlsAcceptor, rustls};
use tokio_util::sync::CancellationToken;

/// The answer of a handler.
pub type Answer = Response<AnswerBody>;

/// The body of an answer.
pub enum AnswerBody {
    /// Bytes that are there.
    Full(Full<Bytes>),
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
            Self::Full(full) => Pin::new(full)
                .poll_frame(cx)
                .map_err(|never| match never {}),
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
            Self::Full(full) => full.is_end_stream(),
            Self::Pieces(_, left) => *left == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(full) => full.size_hint(),
            Self::Pieces(_, left) => SizeHint::with_exact(*left),
        }
    }
}

/// An answer of `status` with `body`.
pub fn answer(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(AnswerBody::Full(Full::new(body.into())));
    *answer.status_mut() = status;
    answer
}

/// An answer of 200 with `len_bytes` of `pieces`.
pub fn answer_pieces(
    pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    len_bytes: u64,
) -> Answer {
    Response::new(AnswerBody::Pieces(Box::pin(pieces), len_bytes))
}

/// How to listen.
#[derive(Clone)]
pub struct ListenConfig {
    /// Where; port 0 lets the system pick one, which [`Listening::addr`] tells.
    pub addr: SocketAddr,
    /// With TLS, when given.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// Connections served at once; more wait to be accepted.
    pub max_connections: usize,
    /// For the TLS handshake, and for the head of each request (also the wait for a next one).
    pub head_timeout: Duration,
    /// For a sender's silence while it should take an answer.
    pub write_timeout: Duration,
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
            max_connections: 512,
            head_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(30),
            stop_timeout: Duration::from_secs(10),
        }
    }

    /// With TLS.
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
pub async fn bind(addr: SocketAddr) -> Result<Bound, ListenError> {
    let failed = |cause| ListenError { addr, cause };
    let listener = TcpListener::bind(addr).await.map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;
    Ok(Bound { listener, addr })
}

impl Bound {
    /// The address, with the port that was picked.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Serves the port; `handler` is called once a request, with the address of the peer.
    ///
    /// The handler's future is dropped when the peer hangs up, and with it what it has under way.
    pub fn serve<H, F>(self, config: ListenConfig, handler: H) -> Listening
    where
        H: Fn(SocketAddr, Request<Incoming>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Answer> + Send + 'static,
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
    H: Fn(SocketAddr, Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Answer> + Send + 'static,
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
    pub async fn stop(mut self) {
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
    /// The system's word.
    #[source]
    pub cause: io::Error,
}

async fn accept_loop<H, F>(
    listener: TcpListener,
    config: ListenConfig,
    handler: H,
    stop: CancellationToken,
) where
    H: Fn(SocketAddr, Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    let slots = Arc::new(Semaphore::new(config.max_connections));
    let mut connections = JoinSet::new();
    loop {
        let next = async {
            let slot = Arc::clone(&slots).acquire_owned().await;
            (slot, listener.accept().await)
        };
        tokio::select! {
            () = stop.cancelled() => break,
            Some(_ended) = connections.join_next() => {}
            (slot, accepted) = next => match (slot, accepted) {
                (Ok(slot), Ok((stream, peer))) => {
                    connections.spawn(serve_stream(stream, peer, slot, config.clone(), handler.clone(), stop.clone()));
                }
                // Out of file descriptors, or the peer is gone already: take a breath, then go on.
                _ => tokio::time::sleep(Duration::from_millis(50)).await,
            },
        }
    }
    drop(listener);
    let finish = async { while connections.join_next().await.is_some() {} };
    drop(tokio::time::timeout(config.stop_timeout, finish).await);
    connections.shutdown().await;
}

async fn serve_stream<H, F>(
    stream: TcpStream,
    peer: SocketAddr,
    slot: OwnedSemaphorePermit,
    config: ListenConfig,
    handler: H,
    stop: CancellationToken,
) where
    H: Fn(SocketAddr, Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    // Small answers should not wait for the acknowledgement of large ones.
    stream.set_nodelay(true).ok();
    let stream = StallGuard::new(stream, config.write_timeout);
    if let Some(tls) = config.tls {
        let handshake = TlsAcceptor::from(tls).accept(stream);
        tokio::select! {
            () = stop.cancelled() => {}
            shaken = tokio::time::timeout(config.head_timeout, handshake) => {
                if let Ok(Ok(stream)) = shaken {
                    serve_http(stream, peer, config.head_timeout, handler, stop).await;
                }
            }
        }
    } else {
        serve_http(stream, peer, config.head_timeout, handler, stop).await;
    }
    drop(slot);
}

async fn serve_http<S, H, F>(
    stream: S,
    peer: SocketAddr,
    head_timeout: Duration,
    handler: H,
    stop: CancellationToken,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    H: Fn(SocketAddr, Request<Incoming>) -> F,
    F: Future<Output = Answer>,
{
    let service = service_fn(|request| {
        let answer = handler(peer, request);
        async { Ok::<_, Infallible>(answer.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_timeout)
        .max_headers(64)
        .max_buf_size(MAX_BUFFERED_LEN)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    // What goes wrong on a connection concerns nobody but its peer.
    tokio::select! {
        ended = connection.as_mut() => drop(ended),
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            drop(connection.await);
        }
    }
}

/// A stream that breaks when its peer takes nothing for too long, or in as much time less than 4 KiB a second.
#[derive(Debug)]
struct StallGuard<S> {
    stream: S,
    timeout: Duration,
    deadline: Option<Pin<Box<Sleep>>>,
    /// Since when the peer has been waited for, and the bytes that it took since.
    waited: Option<(Instant, u64)>,
}

impl<S> StallGuard<S> {
    fn new(stream: S, timeout: Duration) -> Self {
        Self {
            stream,
            timeout,
            deadline: None,
            waited: None,
        }
    }

    fn watch_write(
        &mut self,
        cx: &mut Context<'_>,
        progress: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match (&progress, &mut self.waited) {
            (Poll::Pending, waited) => {
                waited.get_or_insert_with(|| (Instant::now(), 0));
            }
            (Poll::Ready(Ok(len)), Some((since, taken))) => {
                *taken += *len as u64;
                if since.elapsed() >= self.timeout {
                    if u128::from(*taken) < self.timeout.as_millis() * MIN_BYTES_PER_SEC / 1000 {
                        return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                    }
                    self.waited = None;
                }
            }
            (Poll::Ready(_), _) => {}
        }
        self.watch(cx, progress)
    }

    fn watch<T>(
        &mut self,
        cx: &mut Context<'_>,
        progress: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if progress.is_ready() {
            self.deadline = None;
            return progress;
        }
        let timeout = self.timeout;
        let deadline = self
            .deadline
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + timeout)));
        ready!(deadline.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for StallGuard<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for StallGuard<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let progress = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.watch_write(cx, progress)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let progress = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.watch_write(cx, progress)
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
        self.watch(cx, progress)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let progress = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.watch(cx, progress)
    }
}

/// What is read ahead of a connection's head, and written ahead of what its peer has taken. hyper's own default is six
/// times as much, which many slow connections make much of.
pub const MAX_BUFFERED_LEN: usize = 64 * 1024;
/// What a peer must take, as the body reader wants of one that sends.
const MIN_BYTES_PER_SEC: u128 = 4096;

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        sync::mpsc,
    };

    use super::*;

    fn loopback() -> ListenConfig {
        ListenConfig::new("127.0.0.1:0".parse().unwrap())
    }

    async fn hello(_peer: SocketAddr, _request: Request<Incoming>) -> Answer {
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
            write_timeout: Duration::from_millis(20),
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
        let mut guarded = StallGuard::new(own, Duration::from_millis(500));
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
