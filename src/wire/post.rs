//! Posts a body and watches it go: while it is taken, its pace is measured; afterwards only the answer is waited for.

use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::convert::Infallible;
use std::time::Instant;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use reqwest::{RequestBuilder, Response};
use tokio::sync::watch;
use tokio::time::timeout;

use super::pace::{PaceLimits, PaceMeter, TooSlow};

/// How slow a post may be.
#[derive(Clone, Copy, Debug)]
pub struct Waits {
    /// The slowest that the connection may take the body, from its first byte on, which may take a whole window: it has
    /// to connect before.
    pub pace: PaceLimits,
    /// Between the last byte taken and the beginning of the answer.
    pub answer: Duration,
}

/// Why no answer began.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// The body was taken, and no answer began in time.
    #[error("no answer came in time")]
    NoAnswer,
    /// The body was taken too slowly, or not at all.
    #[error("no more than {taken} bytes were taken in time")]
    NotTaken {
        /// Bytes that were taken.
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
    let mut pace: Option<PaceMeter> = None;
    loop {
        let taken = *taken_seen.borrow_and_update();
        on_taken(taken);
        if taken >= total {
            break;
        }
        let step = async {
            tokio::select! {
                response = &mut sending => SendStep::Ended(response),
                changed = taken_seen.changed() => match changed {
                    Ok(()) => SendStep::Taken,
                    Err(_gone) => SendStep::BodyGone,
                },
            }
        };
        let step = match &mut pace {
            // Until the first piece is taken the connection may still be in the making: the pace counts from then on.
            None => timeout(waits.pace.window, step)
                .await
                .map_err(|_elapsed| TooSlow),
            Some(pace) => {
                pace.moved(taken);
                pace.watch(step).await
            }
        };
        match step {
            Ok(SendStep::Ended(response)) => return Ok(response?),
            Ok(SendStep::Taken) => {
                pace.get_or_insert_with(|| PaceMeter::new(&waits.pace, total, Instant::now()));
            }
            // The answer, or an error, is next.
            Ok(SendStep::BodyGone) => break,
            Err(TooSlow) => return Err(PostError::NotTaken { taken }),
        }
    }
    match timeout(waits.answer, sending).await {
        Ok(response) => Ok(response?),
        Err(_elapsed) => Err(PostError::NoAnswer),
    }
}

/// One thing that happens while a body is sent.
enum SendStep {
    /// The connection needs no more of the body.
    BodyGone,
    /// An answer began, or the connection failed.
    Ended(reqwest::Result<Response>),
    /// The connection took a piece of the body.
    Taken,
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
