//! Sending and fetching something that is larger than one blob: its parts, several at once, until all are there. Which part
//! goes next and when the whole waits decides `protocol::parts`; here it happens.

mod discard;
pub(super) mod fetch;
pub(super) mod list;
mod progress;
pub mod resume;
pub(super) mod send;

use std::future::Future;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::call::{Call, TryPace};
use super::stage::{ProgressSink, Stage};
use crate::app::error::{AppError, Mismatch, ServerRefusal};
use crate::protocol::parts::{NextPart, PartFailure, PartIndex, PartQueue, PartStart};
use crate::protocol::path::Hops;

/// In how many guards parts are counted while they are on their way.
const GUARDS: usize = 2;

/// Why one part did not get through.
struct PartError {
    /// What the queue makes of it; `None` when it ends the whole.
    failure: Option<PartFailure>,
    error: AppError,
}

impl From<AppError> for PartError {
    fn from(error: AppError) -> Self {
        let failure = match &error {
            AppError::Transfer(failed) => Some(PartFailure::from(&failed.exchange)),
            AppError::Proxy(_) => Some(PartFailure::Unfinished),
            AppError::Server(refusal) => refused(*refusal),
            AppError::Mismatch(Mismatch::Part(error)) => Some(PartFailure::Open(*error)),
            _ => None,
        };
        Self { failure, error }
    }
}

/// The status that stands for a refusal; `None` for one that no further try changes.
const fn refused(refusal: ServerRefusal) -> Option<PartFailure> {
    Some(match refusal {
        ServerRefusal::AccessWord { .. } => PartFailure::Refused(401),
        ServerRefusal::Full => PartFailure::Refused(507),
        ServerRefusal::NotThere => PartFailure::Refused(404),
        ServerRefusal::Status(status) => PartFailure::Refused(status),
        ServerRefusal::TooLarge { .. } => PartFailure::Refused(413),
        ServerRefusal::Ttl { .. } | ServerRefusal::TtlMaybe { .. } => PartFailure::Refused(400),
        ServerRefusal::Work => PartFailure::Refused(428),
        // An answer that cannot be read may be another one the next time.
        ServerRefusal::Nonsense => PartFailure::Unfinished,
        ServerRefusal::AsksDifferently
        | ServerRefusal::NoOwners
        | ServerRefusal::NoReceipts
        | ServerRefusal::NotExtendable
        | ServerRefusal::StillThere
        | ServerRefusal::TooFull { .. }
        | ServerRefusal::UnknownWork => return None,
    })
}

/// What the work on one part tells meanwhile.
enum PartNews {
    Path(Hops),
    Ended(PartIndex, Result<TryPace, PartError>),
}

/// Does `work` for each part of `queue`, until all are done. Returns the path of the last one.
///
/// # Errors
/// The [`AppError`] of the part that ended it, and [`AppError::Cancelled`]. Nothing runs any more then.
async fn run_all<Work>(
    mut queue: PartQueue,
    call: &Call,
    work: impl Fn(PartStart, Call) -> Work,
) -> Result<Option<Hops>, AppError>
where
    Work: Future<Output = Result<TryPace, PartError>> + Send + 'static,
{
    let began = Instant::now();
    let cancel = call.cancel().child_token();
    let (tell, mut told) = mpsc::unbounded_channel();
    let mut running = JoinSet::new();
    let mut last_error = None;
    let ended = loop {
        let pause = match queue.next(began.elapsed(), GUARDS) {
            NextPart::Start(start) => {
                let paths = tell.clone();
                let sink = ProgressSink::none().with_paths(move |path| {
                    // Nobody listens any more once the whole has ended.
                    paths.send(PartNews::Path(path.hops())).ok();
                });
                let part = work(
                    start,
                    call.clone()
                        .with_progress(sink)
                        .with_cancel(cancel.child_token())
                        .with_turn(start.guard),
                );
                let ends = tell.clone();
                running.spawn(async move {
                    ends.send(PartNews::Ended(start.index, part.await)).ok();
                });
                continue;
            }
            NextPart::Await => None,
            NextPart::Pause(left) => Some(left),
            NextPart::Done => break Ok(queue.last_path()),
            NextPart::Failed(_) => break Err(last_error.take().unwrap_or(AppError::Cancelled)),
        };
        if let Some(left) = pause {
            call.progress().stage(Stage::Waiting {
                secs: left.as_secs().max(1),
            });
        }
        // A pause is told anew each second, so that the person sees it go by.
        let wake = pause.unwrap_or(Duration::MAX).min(Duration::from_secs(1));
        let event = tokio::select! {
            event = told.recv() => event,
            () = tokio::time::sleep(wake) => None,
            () = cancel.cancelled() => break Err(AppError::Cancelled),
        };
        match event {
            Some(PartNews::Path(path)) => queue.on_path(path),
            Some(PartNews::Ended(index, Ok(pace))) => queue.on_done(index, pace.took, pace.allowed),
            Some(PartNews::Ended(
                _,
                Err(PartError {
                    failure: None,
                    error,
                }),
            )) => break Err(error),
            Some(PartNews::Ended(
                index,
                Err(PartError {
                    failure: Some(failure),
                    error,
                }),
            )) => {
                queue.on_failed(index, failure, began.elapsed());
                last_error = Some(error);
            }
            None => {}
        }
    };
    cancel.cancel();
    // What is on its way writes down how far it came.
    while running.join_next().await.is_some() {}
    ended
}

/// Runs `work` again and again until it gets through to the server, with the same pauses as parts have.
async fn until_reached<T, Work>(call: &Call, work: impl Fn() -> Work) -> Result<T, AppError>
where
    Work: Future<Output = Result<T, AppError>>,
{
    const PAUSES_SECS: [u64; 5] = [5, 30, 120, 300, 600];
    let mut pauses = PAUSES_SECS.into_iter();
    let mut secs = 0;
    loop {
        match work().await {
            Err(AppError::Transfer(_) | AppError::Proxy(_)) => {}
            other => return other,
        }
        secs = pauses.next().unwrap_or(secs);
        for left in (1..=secs).rev() {
            call.progress().stage(Stage::Waiting { secs: left });
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
                () = call.cancel().cancelled() => return Err(AppError::Cancelled),
            }
        }
    }
}
