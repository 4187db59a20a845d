//! Carries out effects away from the window: one named thread with its own runtime, events back, the window woken.
//!
//! The queue of events is unbounded, so a hidden window holds nothing up. Progress is no event but a watched value:
//! only the newest is ever seen.

mod run;

use std::collections::BTreeMap;
use std::io;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::model::{
    Ended, Event, FetchWanted, JoinWanted, JoinedNetwork, LeftTransfer, LoadedSettings,
    ManageAction, Managed, NetworkSeen, PointerText, RelayWish, RelaysKnown, RunId, Saved,
    SettingsInUse, ShareResult, ShareWanted, ShownRelayList, Terms, TestReport, TextHolds,
    TransferId, Trouble,
};
use super::platform::Platform;
use super::text;
use crate::app::error::AppError;
use crate::app::kept::history::{History, TellNews};
use crate::app::kept::unfinished::UnfinishedId;
use crate::app::process::streams;
use crate::app::settings::{Change, ServerChoice, Settings, SettingsError};
use crate::app::transfer::call::CallContext;
use crate::app::transfer::join::JoinChoice;
use crate::app::transfer::stage::{ProgressSink, Stage};
use crate::app::words::l10n::SharedLanguage;
use crate::app::words::message::UserMessage;
use crate::protocol::address::ServerAddress;
use crate::protocol::folder::Manifest;

/// Wakes the window after at most this long. Called from any thread.
pub(crate) type Wake = Arc<dyn Fn(Duration) + Send + Sync>;

/// The use cases, as the window needs them. The real one is in `app`; tests bring their own.
///
/// Every future may be dropped at any await; one whose token fires should end soon, leaving nothing half-done.
pub trait Backend: Send + Sync {
    /// Reads the settings. Called once, before the window opens.
    fn load(&self) -> LoadedSettings;
    /// The relay list that these settings choose, as it is kept or stands in its file; none where nothing is kept of it.
    /// Blocking; called on a thread for that.
    fn kept_list(&self, settings: &Settings) -> Option<Result<ShownRelayList, UserMessage>>;
    /// Goes on where the person's own settings could not be read: with the default ones, and puts the file aside, or with
    /// the person's own if they can be read now. Blocking; called on a thread for that.
    fn use_default_settings(&self) -> Result<Option<SettingsInUse>, UserMessage>;
    /// Makes `changes` in the file of the settings, all or none; `settings` have them already. Blocking; called on a thread
    /// for that.
    fn save(&self, changes: &[Change], settings: &Settings) -> Result<(), UserMessage>;
    /// Pads, seals and uploads, or goes on with what is kept of that.
    fn share<'a>(
        &'a self,
        wanted: ShareWanted,
        settings: &'a Settings,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Ended<ShareResult>>;
    /// Downloads, verifies, opens and saves, or goes on with what is kept of that; tells the sender, if they asked and
    /// the person agrees.
    fn fetch<'a>(
        &'a self,
        wanted: FetchWanted,
        settings: &'a Settings,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Ended<Saved>>;
    /// Gives up the transfer in parts that is kept under this id. Returns whether the server may still have some of a share.
    fn discard<'a>(
        &'a self,
        id: UnfinishedId,
        settings: &'a Settings,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Ended<bool>>;
    /// Looks what the folder holds that a pointer names; `None` where it names a single file.
    fn list<'a>(
        &'a self,
        pointer: PointerText,
        settings: &'a Settings,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Ended<Option<Arc<Manifest>>>>;
    /// The transfers in parts that nobody goes on with. Offline; blocking, called on a thread for that.
    fn left(&self) -> Vec<LeftTransfer>;
    /// Asks the server to do something with a file that this person shared.
    fn manage<'a>(
        &'a self,
        what: ManageAction,
        pointer: PointerText,
        settings: &'a Settings,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Ended<Managed>>;
    /// Asks something of the relays, of those of the network of this server where a wish is about one.
    fn relays<'a>(
        &'a self,
        wish: RelayWish,
        network: Option<&'a ServerAddress>,
        settings: &'a Settings,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Result<RelaysKnown, UserMessage>>;
    /// Finds a pointer or an invitation in a text and says what it is. Offline; blocking, called on a thread for that.
    fn describe(&self, text: &PointerText, settings: &Settings) -> Result<TextHolds, UserMessage>;
    /// Joins a network. The settings are changed by the window.
    fn join<'a>(
        &'a self,
        wanted: JoinWanted,
        choice: JoinChoice,
        settings: &'a Settings,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Ended<JoinedNetwork>>;
    /// Makes an invitation to the network of this server, with its access word or without. Offline; blocking, called on a
    /// thread for that.
    fn invite(
        &self,
        server: &ServerAddress,
        with_word: bool,
        settings: &Settings,
    ) -> Result<PointerText, UserMessage>;
    /// What is known of the networks that these settings have, by the addresses of their servers. Offline; blocking, called
    /// on a thread for that.
    fn networks(&self, settings: &Settings) -> BTreeMap<ServerAddress, NetworkSeen>;
    /// Uses the newest list of the network of this server, which waits for the person. Offline; blocking, called on a thread
    /// for that.
    fn use_new_list(&self, server: &ServerAddress, settings: &Settings) -> Result<(), UserMessage>;
    /// Reads a relay list from a file. Blocking; called on a thread for that.
    fn read_relay_list(&self, path: PathBuf) -> Result<ShownRelayList, UserMessage>;
    /// Uploads to and downloads from the server that these settings choose.
    fn test_server<'a>(
        &'a self,
        settings: &'a Settings,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Ended<TestReport>>;
    /// Limits of a server, as far as they are remembered. Blocking; called on a thread for that.
    fn terms(&self, server: &ServerChoice) -> Option<Terms>;
    /// What this program finds of settings, folders, relay list and servers, a line each, without secrets. Offline.
    fn diagnostics(&self) -> BoxFuture<'_, String>;
    /// The folder that has one window at a time; none where there can be many.
    fn window_folder(&self) -> Option<PathBuf>;
    /// The history, still off; none where nothing can be kept. Waits for neither disk nor keyring.
    fn history(&self, tell: TellNews) -> Option<History>;
    /// The window has closed; the last chance to end what runs inside (the built-in network).
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// Handle that the window holds to its worker.
pub(crate) struct Worker {
    shared: Arc<Inner>,
    jobs: Option<UnboundedSender<BoxFuture<'static, ()>>>,
    events: mpsc::Receiver<Event>,
    runs: BTreeMap<RunId, (watch::Receiver<Stage>, CancellationToken)>,
    all: CancellationToken,
    thread: Option<std::thread::JoinHandle<()>>,
    history: Option<History>,
    /// What is to be done with the clipboard, one after the other; any of it may wait for another program.
    clipboard: Option<mpsc::Sender<Job>>,
    clipboard_ended: mpsc::Receiver<()>,
    /// The language of the window.
    language: SharedLanguage,
}

struct Inner {
    backend: Arc<dyn Backend>,
    platform: Arc<dyn Platform>,
    events: mpsc::Sender<Event>,
    wake: Wake,
    closed: AtomicBool,
    /// What the person changed and the file of the settings does not have yet, in order.
    unsaved: Mutex<Unsaved>,
    /// Held by whoever writes that file.
    saving: Mutex<()>,
    newest_text: AtomicU64,
    /// Description of the newest text in the pointer's field, until the window takes it.
    described: Mutex<Option<Described>>,
}

/// Changes that are not in the file of the settings yet.
#[derive(Default)]
struct Unsaved {
    changes: Vec<Change>,
    /// The settings after the last of them.
    settings: Arc<Settings>,
}

/// Number of a text from the pointer's field, and its description.
type Described = (u64, Result<TextHolds, UserMessage>);
type Job = Box<dyn FnOnce() + Send>;

impl Inner {
    /// Writes every change that is not in the file yet, and tells the window where that fails.
    fn save(&self) {
        if let Err(message) = self.write_changes() {
            self.report(Event::Failed(message));
        }
    }

    /// Writes every change that is not in the file yet.
    ///
    /// # Errors
    /// Why they cannot be written; they stay for the next time.
    fn write_changes(&self) -> Result<(), UserMessage> {
        let one_at_a_time = self.saving.lock();
        let Unsaved { changes, settings } = {
            let mut unsaved = self.unsaved.lock();
            let settings = Arc::clone(&unsaved.settings);
            std::mem::replace(
                &mut *unsaved,
                Unsaved {
                    changes: Vec::new(),
                    settings,
                },
            )
        };
        let written = if changes.is_empty() {
            Ok(())
        } else {
            self.backend.save(&changes, &settings)
        };
        if written.is_err() {
            self.unsaved.lock().changes.splice(0..0, changes);
        }
        drop(one_at_a_time);
        written
    }

    fn report(&self, event: Event) {
        if self.events.send(event).is_ok() {
            self.wake();
        }
    }

    fn wake(&self) {
        if !self.closed.load(Ordering::Relaxed) {
            (self.wake)(Duration::ZERO);
        }
    }

    /// Describes a text of the pointer's field, unless a newer one has come.
    fn describe(&self, number: u64, text: &PointerText, settings: &Settings) {
        if number != self.newest_text.load(Ordering::SeqCst) {
            return;
        }
        let described = self.backend.describe(text, settings);
        let mut slot = self.described.lock();
        if slot.as_ref().is_none_or(|(known, _)| *known < number) {
            *slot = Some((number, described));
        }
        drop(slot);
        self.wake();
    }

    /// Takes the description of the newest text.
    fn described(&self) -> Option<Result<TextHolds, UserMessage>> {
        let (number, described) = self.described.lock().take()?;
        (number == self.newest_text.load(Ordering::SeqCst)).then_some(described)
    }

    fn copy(&self, id: TransferId, text: &PointerText) {
        let taken = self.platform.copy_secret(text);
        let taken = taken.then_some(()).ok_or_else(text::clipboard_refused);
        self.report(Event::Copied(id, taken));
    }

    fn paste_files(&self) {
        let files = self.platform.clipboard_files();
        self.report(Event::FilesPasted(files));
    }

    /// Whether links open this program, where that is decided here. Blocking.
    fn look_at_links(&self) {
        if let Some(ours) = self.platform.opens_links() {
            self.report(Event::Links(ours));
        }
    }
}

/// How long the end of the program waits for the clipboard, whose owner may not answer.
const CLIPBOARD_WITHIN: Duration = Duration::from_secs(1);
/// How long the end of the program waits for the settings, and then for the history, to be written.
const WRITE_WITHIN: Duration = Duration::from_secs(2);
/// How long a cancelled transfer may take to end by itself.
const CANCEL_WITHIN: Duration = Duration::from_secs(3);
/// How long the end of the program waits for what was cancelled.
const CLOSE_WITHIN: Duration = Duration::from_secs(3);

impl Worker {
    /// Starts the threads, which speak the window's `language`.
    ///
    /// # Errors
    /// When the system gives no thread.
    #[expect(clippy::disallowed_methods, reason = "this is the window's one worker")]
    pub(crate) fn start(
        backend: Arc<dyn Backend>,
        platform: Arc<dyn Platform>,
        wake: Wake,
        language: &SharedLanguage,
    ) -> io::Result<Self> {
        let spoken = language.clone();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("cloakroom-transfer")
            .on_thread_start(move || spoken.speak_here())
            .enable_all()
            .build()?;
        let (jobs, queue) = unbounded_channel();
        let (sender, events) = mpsc::channel();
        let shared = Arc::new(Inner {
            backend,
            platform,
            events: sender,
            wake,
            closed: AtomicBool::new(false),
            unsaved: Mutex::default(),
            saving: Mutex::new(()),
            newest_text: AtomicU64::new(0),
            described: Mutex::default(),
        });
        // The desktop keeps whom to tell, and must not be kept by that.
        let inner = Arc::downgrade(&shared);
        shared.platform.watch_look(Box::new(move |look| {
            if let Some(inner) = inner.upgrade() {
                inner.report(Event::SystemLook(look));
            }
        }));
        let (clipboard, clipboard_jobs) = mpsc::channel::<Job>();
        let (end, clipboard_ended) = mpsc::channel();
        let spoken = language.clone();
        std::thread::Builder::new()
            .name("cloakroom-clipboard".to_owned())
            .spawn(move || {
                spoken.speak_here();
                for job in clipboard_jobs {
                    job();
                }
                end.send(()).ok();
            })?;
        let backend = Arc::clone(&shared.backend);
        let thread = std::thread::Builder::new()
            .name("cloakroom-worker".to_owned())
            .spawn(move || {
                runtime.block_on(serve(queue));
                runtime.block_on(async {
                    tokio::time::timeout(CLOSE_WITHIN, backend.close())
                        .await
                        .ok();
                });
                runtime.shutdown_timeout(Duration::from_millis(500));
            })?;
        let told = Arc::clone(&shared);
        let history = shared
            .backend
            .history(Box::new(move |news| told.report(Event::History(news))));
        let worker = Self {
            history,
            clipboard: Some(clipboard),
            clipboard_ended,
            shared,
            jobs: Some(jobs),
            events,
            runs: BTreeMap::new(),
            all: CancellationToken::new(),
            thread: Some(thread),
            language: language.clone(),
        };
        let inner = Arc::clone(&worker.shared);
        worker.blocking(move || inner.look_at_links());
        Ok(worker)
    }

    /// What has happened since the last look: newest progress first, as seen `now` by any clock, then events in their
    /// order.
    pub(crate) fn drain(&mut self, now: Duration) -> Vec<Event> {
        let mut events = Vec::new();
        for (run, (stage, _)) in &mut self.runs {
            if stage.has_changed().unwrap_or(false) {
                events.push(Event::Progress(*run, *stage.borrow_and_update(), now));
            }
        }
        events.extend(self.shared.described().map(Event::Described));
        while let Ok(event) = self.events.try_recv() {
            if let Event::Shared(run, _)
            | Event::Fetched(run, _)
            | Event::Joined(run, _)
            | Event::Listed(run, _) = &event
            {
                self.runs.remove(run);
            }
            events.push(event);
        }
        events
    }

    /// Registers a run and returns its context, whose progress is a watched value: the window looks at it at most ten
    /// times a second.
    fn enter(&mut self, run: RunId) -> CallContext {
        let (newest, seen) = watch::channel(Stage::FindPath);
        let cancel = self.all.child_token();
        self.runs.insert(run, (seen, cancel.clone()));
        let wake = Arc::clone(&self.shared.wake);
        let progress = ProgressSink::new(move |stage| {
            newest.send_replace(stage);
            wake(Duration::from_millis(100));
        });
        let inner = Arc::clone(&self.shared);
        let progress = progress.with_kept(move |id| inner.report(Event::Kept(run, id.clone())));
        CallContext::new(&cancel).with_progress(progress)
    }

    fn spawn(&self, job: impl Future<Output = ()> + Send + 'static) {
        if let Some(jobs) = &self.jobs {
            jobs.send(Box::pin(job)).ok();
        }
    }

    fn clipboard(&self, job: impl FnOnce() + Send + 'static) {
        if let Some(clipboard) = &self.clipboard {
            clipboard.send(Box::new(job)).ok();
        }
    }

    fn blocking(&self, job: impl FnOnce() + Send + 'static) {
        self.spawn(async move {
            tokio::task::spawn_blocking(job).await.ok();
        });
    }

    /// Writes the changes of the settings that are not in the file yet: those that could not be written before, and those
    /// whose turn had not come. Another program or a disk may hold the file, so the wait has an end.
    ///
    /// # Errors
    /// Why the file does not have them.
    #[expect(
        clippy::disallowed_methods,
        reason = "it may outlast the worker, whose threads have ended"
    )]
    fn write_last_changes(&self) -> Result<(), UserMessage> {
        let shared = Arc::clone(&self.shared);
        let spoken = self.language.clone();
        let (end, ended) = mpsc::channel();
        std::thread::Builder::new()
            .name("cloakroom-settings".to_owned())
            .spawn(move || {
                spoken.speak_here();
                end.send(shared.write_changes()).ok();
            })
            .map_err(not_written)?;
        let late = |_still_writing| not_written(io::ErrorKind::TimedOut.into());
        ended.recv_timeout(WRITE_WITHIN).map_err(late)?
    }
}

/// Why changes of the settings are not in their file, where that was not even tried or did not end.
fn not_written(error: io::Error) -> UserMessage {
    UserMessage::from(&AppError::SettingsFile(SettingsError::Write(error.into())))
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Relaxed);
        self.all.cancel();
        self.jobs = None;
        self.clipboard = None;
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
        self.clipboard_ended.recv_timeout(CLIPBOARD_WITHIN).ok();
        if let Err(message) = self.write_last_changes() {
            // There is no window any more that could say it.
            streams::write_error_line(&message.in_one_line());
        }
        if let Some(history) = &self.history {
            history.close(WRITE_WITHIN);
        }
    }
}

/// What a transfer came to. One that is cancelled has a moment to end; none when the window closes. A defect in it ends this transfer, not the program.
async fn to_its_end<T>(
    transfer: BoxFuture<'_, Ended<T>>,
    context: &CallContext,
    closed: &AtomicBool,
) -> Option<Ended<T>> {
    let ended_by = |trouble| Ended {
        result: Err(trouble),
        shown: context.log.shown(),
    };
    let mut transfer = AssertUnwindSafe(transfer).catch_unwind();
    let ended = tokio::select! {
        biased;
        ended = &mut transfer => ended,
        () = context.cancel.cancelled() => {
            if closed.load(Ordering::Relaxed) {
                return None;
            }
            match tokio::time::timeout(CANCEL_WITHIN, transfer).await {
                Ok(ended) => ended,
                Err(_still_running) => return Some(ended_by(AppError::Cancelled.into())),
            }
        }
    };
    Some(ended.unwrap_or_else(|_defect| ended_by(Trouble::Defect)))
}

/// Starts each job as it arrives, until the window drops its handle.
async fn serve(mut queue: UnboundedReceiver<BoxFuture<'static, ()>>) {
    while let Some(job) = queue.recv().await {
        tokio::spawn(job);
    }
}
