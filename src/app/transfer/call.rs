//! A call: the requests of one use case to one server, over one route, under one set of settings.

use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::program::Program;
use super::routed_server::{Route, RoutedServer};
use super::stage::{ProgressSink, Stage};
use crate::app::error::{AppError, ServerRefusal};
use crate::app::kept::remembered::{KeptInfo, KeptPath};
use crate::app::relays::set::RelaySet;
use crate::app::relays::waiting::name_waiting_list;
use crate::app::words::who_saw_what::{self, Asked, RequestShown, WhoSawWhat};
pub(super) use crate::net::TryPace;
use crate::net::{self, DriveError, HttpTransport, Moved, Progress, SpareBuffers};
use crate::protocol::capability::AccessWord;
use crate::protocol::disclosure::ShownOutcome;
use crate::protocol::exchange::{Exchange, ExchangeRoute};
use crate::protocol::file_api::{self, AnswerError, FileRequest, ServerInfo};
use crate::protocol::onion::v4::Response;
use crate::protocol::path::Hops;
use crate::wire::random;

/// What whoever starts a use case gives with it. Clones share the log.
#[derive(Clone, Default)]
pub struct CallContext {
    /// Receives how far it is.
    pub progress: ProgressSink,
    /// Collects what each party was shown, however the use case ends.
    pub log: ShownLog,
    /// Ends the use case early.
    pub cancel: CancellationToken,
}

impl CallContext {
    /// A context that `cancel` ends, with an empty log and without progress.
    #[must_use]
    pub fn new(cancel: &CancellationToken) -> Self {
        Self {
            cancel: cancel.clone(),
            ..Self::default()
        }
    }

    /// This context, which tells `progress` how far it is.
    #[must_use]
    pub fn with_progress(self, progress: ProgressSink) -> Self {
        Self { progress, ..self }
    }
}

/// What each party was shown, request by request, in the order in which the requests ended. Clones are the same log, so
/// that requests of one use case can run side by side.
#[derive(Clone, Default)]
pub struct ShownLog(Arc<Mutex<WhoSawWhat>>);

impl ShownLog {
    /// Adds requests at the end.
    pub(crate) fn extend(&self, requests: impl IntoIterator<Item = RequestShown>) {
        self.lock().extend(requests);
    }

    /// A copy of what was logged so far.
    #[must_use]
    pub fn shown(&self) -> WhoSawWhat {
        self.lock().clone()
    }

    /// A copy of the requests that were logged one by one: the first ones, where they are very many.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestShown> {
        self.lock().requests().to_vec()
    }

    fn lock(&self) -> MutexGuard<'_, WhoSawWhat> {
        self.0.lock()
    }
}

/// The requests of one use case to one server. Cloning is cheap.
#[derive(Clone)]
pub struct Call {
    program: Program,
    routed: Arc<RoutedServer>,
    access_word: Option<AccessWord>,
    /// Which of the guards in use has the first try, of requests that run side by side.
    turn: Option<usize>,
    /// Memory for what is large, which its requests use one after the other.
    buffers: SpareBuffers,
    context: CallContext,
}

impl Call {
    /// A call over `network`. Its access word is the one that the person's settings keep with the server.
    #[must_use]
    pub fn new(
        program: &Program,
        routed: impl Into<Arc<RoutedServer>>,
        context: &CallContext,
    ) -> Self {
        let routed = routed.into();
        Self {
            access_word: program.settings().access_word(routed.server()).cloned(),
            program: program.clone(),
            routed,
            turn: None,
            buffers: SpareBuffers::default(),
            context: context.clone(),
        }
    }

    /// This call with another access word.
    #[must_use]
    pub fn with_access_word(self, word: AccessWord) -> Self {
        Self {
            access_word: Some(word),
            ..self
        }
    }

    /// This call, which tells `progress` how far it is.
    #[must_use]
    pub(crate) fn with_progress(self, progress: ProgressSink) -> Self {
        Self {
            context: self.context.with_progress(progress),
            ..self
        }
    }

    /// The same call without progress.
    #[must_use]
    pub(crate) fn silent(&self) -> Self {
        self.clone().with_progress(ProgressSink::none())
    }

    /// This call with another log.
    pub(in crate::app) fn with_log(self, log: ShownLog) -> Self {
        Self {
            context: CallContext {
                log,
                ..self.context
            },
            ..self
        }
    }

    /// This call, which `cancel` ends.
    pub(in crate::app) fn with_cancel(self, cancel: CancellationToken) -> Self {
        Self {
            context: CallContext {
                cancel,
                ..self.context
            },
            ..self
        }
    }

    /// This call, whose requests begin with the guard at this place among those in use.
    #[must_use]
    pub(super) fn with_turn(self, turn: usize) -> Self {
        Self {
            turn: Some(turn),
            ..self
        }
    }

    /// The program whose settings it goes by.
    #[must_use]
    pub(crate) const fn program(&self) -> &Program {
        &self.program
    }

    /// The server and the route to it.
    #[must_use]
    pub(crate) fn routed(&self) -> &RoutedServer {
        &self.routed
    }

    /// The access word for the server; it is given only to a server that asks for one.
    #[must_use]
    pub(crate) const fn access_word(&self) -> Option<&AccessWord> {
        self.access_word.as_ref()
    }

    /// Memory for what is large, which its requests use one after the other.
    #[must_use]
    pub(super) const fn buffers(&self) -> &SpareBuffers {
        &self.buffers
    }

    /// What each party was shown.
    #[must_use]
    pub const fn log(&self) -> &ShownLog {
        &self.context.log
    }

    /// Receives how far it is.
    #[must_use]
    pub(crate) const fn progress(&self) -> &ProgressSink {
        &self.context.progress
    }

    /// Ends it early.
    #[must_use]
    pub(crate) const fn cancel(&self) -> &CancellationToken {
        &self.context.cancel
    }

    /// What the server says of itself: asked at most once a day. `None` for a server that has no `GET /info`.
    ///
    /// # Errors
    /// [`AppError::Transfer`] and [`AppError::Cancelled`].
    pub async fn server_info(&self) -> Result<Option<ServerInfo>, AppError> {
        match self.fresh_info() {
            Some(kept) => Ok(kept.info),
            None => Ok(self.ask_info_anew().await?.info),
        }
    }

    /// Returns the server's `/info` for an upload. A server that asks for work or an access word is asked anew, unless it
    /// was within ten minutes: by asking different people for different things it could tell their uploads apart.
    ///
    /// # Errors
    /// [`ServerRefusal::AsksDifferently`] when it says something else than before; [`AppError::Transfer`] and
    /// [`AppError::Cancelled`].
    pub async fn info_for_upload(&self) -> Result<Option<ServerInfo>, AppError> {
        let info = self.server_info().await?;
        if !info.as_ref().is_some_and(ServerInfo::asks_something) {
            return Ok(info);
        }
        let confirmed = self.fresh_info().and_then(|kept| kept.confirmed);
        if confirmed.is_some_and(|at| is_younger(at, self.program.now(), CONFIRMED_SECS)) {
            return Ok(info);
        }
        let anew = self.ask_info_anew().await?;
        if anew.agrees {
            Ok(anew.info)
        } else {
            Err(ServerRefusal::AsksDifferently.into())
        }
    }

    /// Returns the server's `/info` if it was asked within the last day.
    fn fresh_info(&self) -> Option<KeptInfo> {
        let server = self.routed.server().key.to_hex();
        let kept = self.program.remembered().server(&server)?;
        is_younger(kept.asked, self.program.now(), INFO_SECS).then_some(kept)
    }

    /// Asks the server what it says of itself, over another last relay than the last time where there is one, else over
    /// another middle, and in any case under fresh keys.
    pub(super) async fn ask_info_anew(&self) -> Result<InfoAnew, AppError> {
        let before = self.fresh_info();
        let unlike = before
            .as_ref()
            .and_then(|kept| kept.over.as_ref()?.to_hops());
        let request = &FileRequest::ServerInfo;
        let answer = self.silent().run_unlike(unlike, request, 0).await?;
        let info = match file_api::read_server_info(&answer.response) {
            Ok(info) => Some(info),
            // Session's file server does not have the path.
            Err(AnswerError::Status(404)) => None,
            Err(AnswerError::Status(code)) => return Err(ServerRefusal::Status(code).into()),
            Err(AnswerError::OtherBytes | AnswerError::Unreadable) => {
                return Err(ServerRefusal::Nonsense.into());
            }
        };
        let now = self.program.now();
        let agrees = before.is_some_and(|before| match (&before.info, &info) {
            (None, None) => true,
            (Some(first), Some(second)) => {
                first.agrees_with(second, now.saturating_sub(before.asked))
            }
            _ => false,
        });
        let kept = KeptInfo {
            asked: now,
            info: info.clone(),
            over: answer.over.map(|hops| KeptPath::of(&hops)),
            confirmed: agrees.then_some(now),
        };
        let server = self.routed.server().key.to_hex();
        self.program
            .remembered()
            .keep_server(server, kept, INFO_SECS);
        Ok(InfoAnew { info, agrees })
    }

    /// Runs one request to its end. `expected_answer_len` is the length of the answer in bytes, as far as it is known;
    /// 0 for a short one. When the process that ran the built-in network ended meanwhile, this one takes over: ports and
    /// keys are the same.
    ///
    /// # Errors
    /// [`AppError::RelayMemory`], [`AppError::Proxy`], [`AppError::Transfer`] and [`AppError::Cancelled`].
    pub(crate) async fn run(
        &self,
        request: &FileRequest,
        expected_answer_len: usize,
    ) -> Result<Response, AppError> {
        let answer = self.run_unlike(None, request, expected_answer_len).await?;
        Ok(answer.response)
    }

    /// As [`Call::run`], over another last relay than that of `unlike` where there is one, else over another middle.
    pub(super) async fn run_unlike(
        &self,
        unlike: Option<Hops>,
        request: &FileRequest,
        expected_answer_len: usize,
    ) -> Result<RoutedAnswer, AppError> {
        let answer = self.run_or_take_over(unlike, request, expected_answer_len);
        let answer = answer.await;
        answer.map_err(|error| name_waiting_list(self, error))
    }

    async fn run_or_take_over(
        &self,
        unlike: Option<Hops>,
        request: &FileRequest,
        expected_answer_len: usize,
    ) -> Result<RoutedAnswer, AppError> {
        let first = self.run_once(unlike, request, expected_answer_len).await;
        let running = self.routed.running();
        if running.is_none_or(|running| running.is_alive())
            || !matches!(first, Err(AppError::Transfer(_)))
        {
            return first;
        }
        let taken_over = Self {
            routed: Arc::new(self.program.builtin_server().await?),
            ..self.clone()
        };
        taken_over
            .run_once(unlike, request, expected_answer_len)
            .await
    }

    async fn run_once(
        &self,
        unlike: Option<Hops>,
        request: &FileRequest,
        expected_answer_len: usize,
    ) -> Result<RoutedAnswer, AppError> {
        let (program, routed) = (&self.program, &*self.routed);
        // The built-in network is on this computer, where no proxy leads.
        let proxy = program.proxy()?.filter(|_| !routed.is_builtin());
        // Read before anything is sent: without its memory a request would go to a first relay drawn anew.
        let relays = match routed.route() {
            Route::Direct => None,
            Route::Relays(set) => {
                let memory = program
                    .relay_memory(&set.source.id())
                    .map_err(AppError::RelayMemory)?;
                Some((set, memory, program.allowance(&set.source, &set.list)))
            }
        };
        let route = match &relays {
            None => ExchangeRoute::Direct,
            Some((RelaySet { list, kind, .. }, memory, allow)) => ExchangeRoute::Relays {
                list,
                kind: *kind,
                memory,
                allow: *allow,
            },
        };
        let exchange = Exchange::new(request, routed.server(), route, expected_answer_len)
            .unlike(unlike)
            .with_turn(self.turn)
            .with_memory(&self.buffers);
        let driven = net::drive(
            exchange,
            &routed.server().url,
            &HttpTransport::through(proxy.cloned()).with_buffers(self.buffers.clone()),
            &self.progress_of(request),
            &self.context.cancel,
            &program.clock(),
            &mut random::system(),
        )
        .await;
        let mut attempts = driven.shown;
        for attempt in &mut attempts {
            attempt.proxy = proxy.map(who_saw_what::proxy_name);
        }
        // A proxy that cannot be used ends the request: nobody behind it was shown its last try.
        if let (Err(DriveError::Proxy(_)), Some(last)) = (&driven.result, attempts.last_mut()) {
            last.outcome = ShownOutcome::NoProxy;
        }
        let last = attempts.last();
        let over = last.and_then(|attempt| attempt.path.as_ref().map(|path| path.hops()));
        let asked = Asked::of(request);
        // Whatever became of it: a try that failed was shown to somebody too.
        self.context.log.extend([RequestShown { asked, attempts }]);
        match driven.result {
            Ok(response) => Ok(RoutedAnswer {
                response,
                over,
                pace: driven.pace.unwrap_or_default(),
            }),
            Err(error) => {
                debug!("a request ended without an answer");
                Err(error.into())
            }
        }
    }

    /// Tells this call's sink where the bytes of `request` are.
    fn progress_of(&self, request: &FileRequest) -> Progress {
        let (stages, paths) = (self.progress().clone(), self.progress().clone());
        let first_stop = self.routed.first_stop();
        let uploads = matches!(request, FileRequest::Upload(_));
        Progress::new(move |moved| {
            stages.stage(match moved {
                Moved::Connecting => Stage::Connect(first_stop),
                Moved::Sending { sent, total } if uploads => Stage::Upload { sent, total },
                Moved::Receiving { received, total } if !uploads => {
                    Stage::Download { received, total }
                }
                // The small half of a transfer: nothing that a bar could show moves.
                Moved::Crossing | Moved::Sending { .. } | Moved::Receiving { .. } => {
                    Stage::Crossing
                }
            });
        })
        .with_paths(move |path| paths.path(path))
    }
}

/// A server's answer and the path that it came over.
pub(super) struct RoutedAnswer {
    pub(super) response: Response,
    /// `None` for an answer without relays.
    pub(super) over: Option<Hops>,
    /// How quick its try was.
    pub(super) pace: TryPace,
}

/// The `/info` that a server just gave.
pub(super) struct InfoAnew {
    /// `None` for a server that has no `GET /info`.
    pub(super) info: Option<ServerInfo>,
    /// Whether it had said the same within the last day.
    pub(super) agrees: bool,
}

fn is_younger(at: u64, now: u64, secs: u64) -> bool {
    now.checked_sub(at).is_some_and(|age| age < secs)
}

const INFO_SECS: u64 = 24 * 3_600;
/// How long an answer of a server counts as confirmed to be the same for everybody, in seconds.
const CONFIRMED_SECS: u64 = 10 * 60;
