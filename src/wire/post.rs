//! Posts a body and watches it go: while it is taken, silence ends the try; afterwards only the answer is waited for.

use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::convert::Infallible;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use reqwest::{RequestBuilder, Response};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// How long nothing may happen.
#[derive(Clone, Copy, Debug)]
pub struct Waits {
    /// Between two bytes of the body that the connection takes; connecting counts as the first.
    pub idle: Duration,
    /// Between the last byte taken and the beginning of the answer.
    pub answer: Duration,
}

/// Why no answer began.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// The body was taken, and no answer began in time.
    #[error("no answer came in time")]
    NoAnswer,
    /// Nothing was taken of the body, or no more, for too long.
    #[error("no more than {taken} bytes were taken")]
    NotTaken {
        /// So many bytes were.
        taken: u64,
    },
    /// The connection could not be made, or broke.
    #[error(transparent)]
    Http(#[from] reqwest::Error),
}

/// Sends `body` with this request and returns when an answer begins. `on_taken` is told how many bytes the connection
/// has taken, at first none.
///
/// # Errors
/// [`PostError`].
pub async fn post(
    request: RequestBuilder,
    body: Bytes,
    waits: Waits,
    on_taken: impl Fn(u64) + Send,
) -> Result<Response, PostError> {
    let total = body.len() as u64;
    let (taken, mut taken_seen) = watch::channel(0);
    let body = reqwest::Body::wrap(CountedBody { left: body, taken });
    let sending = request.body(body).send();
    tokio::pin!(sending);
    loop {
        let taken = *taken_seen.borrow_and_update();
        on_taken(taken);
        let limit = if taken < total {
            waits.idle
        } else {
            waits.answer
        };
        let over = || {
            if taken < total {
                PostError::NotTaken { taken }
            } else {
                PostError::NoAnswer
            }
        };
        tokio::select! {
            response = &mut sending => return Ok(response?),
            // A closed channel means that the body is gone: the answer, or an error, is next.
            changed = taken_seen.changed() => if changed.is_err() {
                return match timeout(limit, &mut sending).await {
                    Ok(response) => Ok(response?),
                    Err(_elapsed) => Err(over()),
                };
            },
            () = sleep(limit) => return Err(over()),
        }
    }
}

/// A body of known length that says how much of it the connection has taken.
struct CountedBody {
    left: Bytes,
    taken: watch::Sender<u64>,
}

impl Body for CountedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        // A frame is asked for when the connection has room: what was handed out before is then taken.
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        let len = self.left.len().min(FRAME_LEN);
        let frame = self.left.split_to(len);
        self.taken.send_modify(|taken| *taken += len as u64);
        Poll::Ready(Some(Ok(Frame::data(frame))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.len() as u64)
    }
}

const FRAME_LEN: usize = 16 * 1_024;
