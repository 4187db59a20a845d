//! Runs an [`Exchange`] with the real clock, timers and random source, and a cancel token.

use std::time::{Duration, Instant};

use rand_core::CryptoRng;
use thiserror::Error;
use tokio::task::block_in_place;
use tokio_util::sync::CancellationToken;

use super::progress::Progress;
use super::socks::ProxyFailure;
use super::transport::{HttpTransport, NotPosted, PostTarget};
use crate::protocol::address::ServerUrl;
use crate::protocol::disclosure::AttemptShown;
use crate::protocol::exchange::{Exchange, ExchangeError, Step};
use crate::protocol::onion::v4::Response;
use crate::wire::clock::Clock;

/// Outcome of a request.
pub struct Driven {
    /// The server's answer, or why there is none.
    pub result: Result<Response, DriveError>,
    /// What every party was shown, try by try.
    pub shown: Vec<AttemptShown>,
    /// How quick the last try was; `None` when there was none.
    pub pace: Option<TryPace>,
}

/// How quick one try was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TryPace {
    /// From its first byte to its outcome.
    pub took: Duration,
    /// How long its answer was waited for, at most.
    pub allowed: Duration,
}

/// Why there is no answer.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DriveError {
    /// The person cancelled.
    #[error("cancelled")]
    Cancelled,
    /// All tries failed.
    #[error(transparent)]
    Failed(#[from] ExchangeError),
    /// The person's proxy cannot be used; no relay is to blame, so nothing else was tried.
    #[error(transparent)]
    Proxy(#[from] ProxyFailure),
}

/// Runs a request to its end. Needs a multi-threaded runtime: sealing 10 MB happens on this task's thread.
pub(crate) async fn drive(
    mut exchange: Exchange<'_>,
    server: &ServerUrl,
    transport: &HttpTransport,
    progress: &Progress,
    cancel: &CancellationToken,
    clock: &Clock,
    rng: &mut impl CryptoRng,
) -> Driven {
    let mut pace = None;
    let result = loop {
        if cancel.is_cancelled() {
            break Err(DriveError::Cancelled);
        }
        match block_in_place(|| exchange.next(clock(), rng)) {
            Step::Done(response) => break Ok(response),
            Step::Failed(error) => break Err(error.into()),
            Step::Wait(pause) => {
                tokio::select! {
                    () = cancel.cancelled() => {}
                    () = tokio::time::sleep(pause) => {}
                }
            }
            Step::Send(attempt) => {
                let path = attempt.path.clone();
                if let Some(path) = &path {
                    progress.path(path);
                }
                let target = match &path {
                    None => PostTarget::Server(server),
                    Some(path) if exchange.is_sessions() => PostTarget::SessionRelay(&path.guard),
                    Some(path) => PostTarget::Relay(&path.guard),
                };
                let (started, allowed) = (Instant::now(), attempt.answer_wait);
                let outcome = transport.post(target, *attempt, progress, cancel).await;
                pace = Some(TryPace {
                    took: started.elapsed(),
                    allowed,
                });
                match outcome {
                    Ok(outcome) => {
                        block_in_place(|| exchange.on_outcome(outcome, clock()));
                    }
                    Err(NotPosted::Cancelled) => break Err(DriveError::Cancelled),
                    Err(NotPosted::Proxy(failure)) => break Err(failure.into()),
                }
            }
        }
    };
    Driven {
        result,
        shown: exchange.into_shown(),
        pace,
    }
}
