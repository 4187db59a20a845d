//! One row of the list: a file on its way, and how far it is.

use std::path::PathBuf;
use std::time::Duration;

use super::{Pace, PointerText, ServerLabel, Speed, Timer, Trouble};
use crate::app::kept::history::EntryId;
use crate::app::kept::unfinished::UnfinishedId;
use crate::app::received::content_type::Findings;
use crate::app::settings::ServerChoice;
use crate::app::transfer::get::Choice;
use crate::app::transfer::manage::Downloads;
use crate::app::transfer::share::ASKED_FROM;
use crate::app::transfer::stage::{FirstStop, PartsMoved, Stage};
use crate::app::words::who_saw_what::WhoSawWhat;
use crate::protocol::size_class::SizeClass;

/// Id of a row of the list; it stays the same when the transfer is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransferId(pub u64);

/// Id of one attempt of one row, so that late reports of an earlier attempt are not taken for this one's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub u64);

/// The name of a transfer's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShownName {
    /// This name, safe to show.
    Given(String),
    /// None: the pointer does not say it.
    Unnamed,
}

/// A file on its way.
pub struct Transfer {
    /// The row.
    pub id: TransferId,
    /// The present attempt.
    pub run: RunId,
    /// The file's name.
    pub name: ShownName,
    /// Length of the content.
    pub len: Option<u64>,
    /// It is known to be a single file: what is sent for it follows from its length.
    pub is_single_file: bool,
    /// Whether a file is shared or received, and which.
    pub job: TransferJob,
    /// How it stands.
    pub state: TransferState,
    /// 0 to 1; never moves back within one attempt, full only when confirmed.
    pub bar: f32,
    /// How fast its bytes go.
    pace: Pace,
    /// Nothing has moved for some seconds.
    pub slow: bool,
    /// The quarter of its bytes that was announced last, and when; `None` before its bytes move.
    spoken: Option<(u8, Duration)>,
    /// Number of times that progress was made in this attempt.
    moves: u64,
    /// A timer runs that will look whether something moved.
    watched: bool,
    /// The server that the file goes to or comes from.
    pub server: ServerLabel,
    /// Whom the requests of the present attempt go to first.
    pub first_stop: FirstStop,
    /// The server of the present attempt, for a file that leaves.
    pub(super) goes_to: Option<ServerChoice>,
    /// Whether the server asked for work (a puzzle) in this attempt.
    pub worked: bool,
    /// In parts: how much of it has moved, as far as was seen.
    pub moved: Option<PartsMoved>,
    /// In parts: what is kept on disk of it, with which it goes on.
    pub kept: Option<UnfinishedId>,
    /// An attempt that was told to stop and has not ended yet. Nothing else is begun for this row until then.
    pub(super) stopping: Option<RunId>,
    /// What was said at the end that the person should know: things that were left out or renamed.
    pub aside: Option<Aside>,
    /// Something is asked of the server about a shared file.
    pub managing: Option<ManageAction>,
    /// What the server said about it, or why it did not.
    pub told: Option<Told>,
    /// Of a received file: what name and content say of each other.
    pub findings: Findings,
    /// Its entry in the history.
    pub entry: Option<EntryId>,
    /// Of a row of an earlier start: when it ended, unix seconds, to the hour.
    pub ended: Option<u64>,
    /// What each party was shown in all that was asked for this row, also by attempts that failed or were stopped.
    pub shown: WhoSawWhat,
    /// Attempts before the present one, which may still have something to tell.
    earlier: Vec<RunId>,
}

/// How something that crossed the network ended, and what each party was shown by then.
pub struct Ended<T> {
    /// Outcome of the request.
    pub result: Result<T, Trouble>,
    /// What each party was shown.
    pub shown: WhoSawWhat,
}

/// What a sender can do with a shared file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManageAction {
    /// Remove the server's copy.
    Delete,
    /// Have it kept longer: for the server's usual time from now.
    Extend,
    /// Have it kept for so many days from now.
    ExtendFor(u16),
    /// Ask how often it was downloaded.
    Status,
}

/// Outcome of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Managed {
    /// The server has no copy any more.
    Deleted,
    /// When the server removes the file, unix seconds.
    Extended {
        /// Until when.
        expires: u64,
        /// That is later than before.
        later: bool,
        /// By the server's clock, which differs from this computer's.
        by_server_clock: bool,
    },
    /// How often it was downloaded, as far as recipients told.
    Status(Downloads),
}

/// What is said on a row about its file at the server.
#[derive(Clone, Debug)]
pub enum Told {
    /// It was given up.
    Discarded {
        /// Whether the server may still have some of it.
        some_left: bool,
    },
    /// It did not work.
    Failed(Trouble),
    /// It worked.
    Done(Managed),
}

/// Whether something is shared or received, and what.
pub enum TransferJob {
    /// Share what is at these paths as one: a file, a folder, or several things. None in a row of an earlier start that has
    /// ended.
    Share(Vec<PathBuf>),
    /// Receive a file or folder.
    Receive {
        /// Its pointer.
        pointer: PointerText,
        /// The sender is told, if they asked to be.
        tell_sender: bool,
        /// What of a folder is wanted.
        choice: Choice,
    },
}

/// What was not done quite as asked, though all went well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Aside {
    /// Things that a person named, or that were in a folder, are not in what was shared.
    LeftOut {
        /// How many.
        count: u64,
        /// Paths of the first few.
        first: Vec<String>,
    },
    /// Names in a folder that this system could not hold were changed.
    Renamed {
        /// How many.
        count: u64,
        /// The first few, as they were and as they are.
        first: Vec<(String, String)>,
    },
}

/// How a transfer stands.
pub enum TransferState {
    /// It is so large that the person is asked first.
    Asked,
    /// It waits for its turn.
    Waiting,
    /// It is under way, at this stage.
    Running(Stage),
    /// The server has confirmed the upload.
    Shared(ShareResult),
    /// Verified, opened and saved.
    Received(Saved),
    /// It failed.
    Failed(Trouble),
    /// Stopped by the person.
    Cancelled,
    /// In parts, and stopped by the person, who can have it go on.
    Paused,
    /// In parts, and given up: what the server has of it is being deleted.
    Discarding,
    /// The program ended before it did, now or at an earlier start.
    Interrupted,
}

/// The named steps under a bar, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Milestone {
    /// See [`Stage::Pad`].
    Pad,
    /// See [`Stage::Seal`].
    Seal,
    /// See [`Stage::FindPath`] and [`Stage::Connect`].
    FindPath,
    /// See [`Stage::Work`].
    Work,
    /// See [`Stage::Upload`] and [`Stage::Crossing`].
    Upload,
    /// The server has confirmed.
    Stored,
    /// See [`Stage::Download`].
    Download,
    /// See [`Stage::Verify`].
    Verify,
    /// See [`Stage::Open`].
    Open,
    /// See [`Stage::Save`].
    Save,
}

/// What a share gives.
#[derive(Clone)]
pub struct ShareResult {
    /// The pointer, for the recipient.
    pub pointer: PointerText,
    /// Length of the padded blob that was sent.
    pub blob_len: u64,
    /// When the server forgets the file, in unix seconds.
    pub expires: Option<u64>,
    /// The server's name, as Settings shows it.
    pub server: String,
    /// Made on the built-in network: works on this computer only.
    pub builtin: bool,
    /// The server can be asked to delete it.
    pub manageable: bool,
    /// Recipients are asked to tell of their download.
    pub counted: bool,
    /// The server's copy is gone.
    pub gone: bool,
    /// It expires by the server's clock, which differs from this computer's.
    pub by_server_clock: bool,
    /// The server keeps it for another time than the person chose, or does not say for how long.
    pub other_time: bool,
    /// What of it was not shared.
    pub aside: Option<Aside>,
}

/// What a fetch gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Path of the saved file or folder.
    pub path: PathBuf,
    /// The name it got, safe to show.
    pub name: String,
    /// Length of the content.
    pub len: u64,
    /// Names in it that were changed.
    pub aside: Option<Aside>,
}

/// How much of the bytes has moved, at a stage that counts them, from 0 to 1.
fn moved_part(stage: Stage) -> Option<f32> {
    match stage {
        Stage::Upload { .. } | Stage::Download { .. } | Stage::Parts(_) => stage.fraction(),
        _ => None,
    }
}

/// Least time between two announcements of one transfer's progress.
const BETWEEN_SPOKEN: Duration = Duration::from_secs(5);

/// Position of the bar when the work for a server is done, from 0 to 1.
const WORKED: f32 = 0.45;

impl Transfer {
    /// The named steps of this transfer; the work is one where a server asked for it.
    #[must_use]
    pub(crate) fn milestones(&self) -> &'static [Milestone] {
        match self.job {
            TransferJob::Share(_) if self.worked => &[
                Milestone::Pad,
                Milestone::Seal,
                Milestone::Work,
                Milestone::FindPath,
                Milestone::Upload,
                Milestone::Stored,
            ],
            TransferJob::Share(_) => &[
                Milestone::Pad,
                Milestone::Seal,
                Milestone::FindPath,
                Milestone::Upload,
                Milestone::Stored,
            ],
            TransferJob::Receive { .. } => &[
                Milestone::FindPath,
                Milestone::Download,
                Milestone::Verify,
                Milestone::Open,
                Milestone::Save,
            ],
        }
    }
}

impl Milestone {
    /// The named step that is under way at `stage`.
    #[must_use]
    pub(crate) const fn of(stage: Stage, job: &TransferJob) -> Self {
        match stage {
            Stage::Pad => Self::Pad,
            Stage::Seal => Self::Seal,
            Stage::FindPath | Stage::Connect(_) => Self::FindPath,
            Stage::Work { .. } => Self::Work,
            Stage::Upload { .. } => Self::Upload,
            Stage::Crossing => match job {
                TransferJob::Share(_) => Self::Stored,
                TransferJob::Receive { .. } => Self::Download,
            },
            Stage::Download { .. } => Self::Download,
            Stage::Parts(_) | Stage::Waiting { .. } => match job {
                TransferJob::Share(_) => Self::Upload,
                TransferJob::Receive { .. } => Self::Download,
            },
            Stage::Verify => Self::Verify,
            Stage::Open => Self::Open,
            Stage::Save | Stage::TellSender => Self::Save,
        }
    }
}

/// Where the one bar stands at `stage`, from 0 to 1. Never full: only a confirmed transfer is.
fn bar_at(stage: Stage, job: &TransferJob, worked: bool) -> f32 {
    let within = |from: f32, to: f32| from + (to - from) * stage.fraction().unwrap_or(0.0);
    match (stage, job) {
        (Stage::Pad, _) => 0.02,
        (Stage::Seal, _) => 0.05,
        (Stage::FindPath, TransferJob::Share(_)) => 0.12,
        (Stage::FindPath, TransferJob::Receive { .. }) => 0.02,
        (Stage::Connect(_), TransferJob::Share(_)) => 0.14,
        (Stage::Connect(_), TransferJob::Receive { .. }) => 0.04,
        (Stage::Work { .. }, _) => within(0.12, WORKED),
        (Stage::Upload { .. }, _) if worked => within(WORKED, 0.95),
        (Stage::Upload { .. }, _) => within(0.15, 0.95),
        (Stage::Crossing, TransferJob::Share(_)) => 0.95,
        // The request is small, and the file is still to come.
        (Stage::Crossing, TransferJob::Receive { .. }) => 0.06,
        (Stage::Download { .. }, _) => within(0.08, 0.92),
        (Stage::Parts(_), TransferJob::Share(_)) => within(0.15, 0.95),
        (Stage::Parts(_), TransferJob::Receive { .. }) => within(0.08, 0.97),
        // It stands where it stood.
        (Stage::Waiting { .. }, _) => 0.0,
        (Stage::Verify, _) => 0.94,
        (Stage::Open, _) => 0.96,
        (Stage::Save | Stage::TellSender, _) => 0.98,
    }
}

impl Transfer {
    pub(super) fn new(
        id: u64,
        run: u64,
        name: ShownName,
        len: Option<u64>,
        job: TransferJob,
    ) -> Self {
        Self {
            id: TransferId(id),
            run: RunId(run),
            name,
            len,
            is_single_file: false,
            job,
            state: TransferState::Waiting,
            bar: 0.0,
            pace: Pace::default(),
            slow: false,
            spoken: None,
            moves: 0,
            watched: false,
            server: ServerLabel::BuiltIn,
            first_stop: FirstStop::default(),
            goes_to: None,
            worked: false,
            moved: None,
            kept: None,
            stopping: None,
            aside: None,
            managing: None,
            told: None,
            findings: Findings::default(),
            entry: None,
            ended: None,
            shown: WhoSawWhat::default(),
            earlier: Vec::new(),
        }
    }

    /// Whether this is an attempt of this row, the present one or an earlier.
    pub(super) fn is_attempt(&self, run: RunId) -> bool {
        self.run == run || self.earlier.contains(&run)
    }

    /// Length of what is sent for a file in one piece. That of a folder is known once it has been packed.
    #[must_use]
    pub(crate) fn blob_len(&self) -> Option<u64> {
        let class = SizeClass::for_content_len(self.len?)?;
        let sends_file = matches!(self.job, TransferJob::Share(_)) && self.is_single_file;
        sends_file.then_some(class.blob_len() as u64)
    }

    /// Asks the person first, where it is so large that it may take long.
    pub(super) fn ask_if_large(&mut self) {
        if self.len.is_some_and(|len| len > ASKED_FROM) {
            self.state = TransferState::Asked;
        }
    }

    /// It has stopped and can go on from where it is.
    #[must_use]
    pub(crate) fn can_resume(&self) -> bool {
        let stopped = matches!(
            self.state,
            TransferState::Failed(_) | TransferState::Interrupted | TransferState::Paused
        );
        stopped && self.kept.is_some()
    }

    /// It runs, and can be stopped so that it goes on later.
    #[must_use]
    pub(crate) fn can_pause(&self) -> bool {
        matches!(self.state, TransferState::Running(_)) && self.kept.is_some()
    }

    /// How many tries all its requests took together.
    #[must_use]
    pub fn tries(&self) -> usize {
        self.shown.tries()
    }

    /// The pointer of a file that was shared.
    #[must_use]
    pub fn pointer(&self) -> Option<&PointerText> {
        match &self.state {
            TransferState::Shared(shared) if !shared.gone => Some(&shared.pointer),
            _ => None,
        }
    }

    /// The file on this computer: what was received, or what was shared.
    #[must_use]
    pub(crate) fn local_file(&self) -> Option<&PathBuf> {
        match (&self.state, &self.job) {
            (TransferState::Received(saved), _) => Some(&saved.path),
            // A row of an earlier start does not know any more.
            (_, TransferJob::Share(paths)) => paths.first(),
            (_, TransferJob::Receive { .. }) => None,
        }
    }

    /// Waiting or running.
    #[must_use]
    pub(crate) fn is_unfinished(&self) -> bool {
        matches!(
            self.state,
            TransferState::Waiting | TransferState::Running(_)
        )
    }

    /// Whether the next start should know of it: not when the person stopped it, when it cannot work, or when what it came
    /// to is gone.
    pub(super) fn is_kept(&self) -> bool {
        match &self.state {
            TransferState::Asked | TransferState::Cancelled | TransferState::Discarding => false,
            TransferState::Failed(trouble) => self.kept.is_some() || trouble.can_work_later(),
            TransferState::Shared(shared) => !shared.gone,
            TransferState::Interrupted
            | TransferState::Paused
            | TransferState::Received(_)
            | TransferState::Running(_)
            | TransferState::Waiting => true,
        }
    }

    pub(super) fn is_running_share(&self) -> bool {
        matches!(
            (&self.state, &self.job),
            (TransferState::Running(_), TransferJob::Share(_))
        )
    }

    pub(super) fn is_waiting_share(&self) -> bool {
        matches!(
            (&self.state, &self.job),
            (TransferState::Waiting, TransferJob::Share(_))
        )
    }

    pub(super) fn reach(&mut self, stage: Stage) {
        self.worked |= matches!(stage, Stage::Work { .. });
        if let Stage::Connect(stop) = stage {
            self.first_stop = stop;
        }
        self.bar = self.bar.max(bar_at(stage, &self.job, self.worked));
        if self.take_parts(stage) {
            self.slow = false;
            self.moves += 1;
        }
        self.state = TransferState::Running(stage);
    }

    /// Takes in how much of something in parts has moved. Whether this stage is a step forward: that parts are tried again
    /// and again is none.
    fn take_parts(&mut self, stage: Stage) -> bool {
        let Stage::Parts(moved) = stage else {
            return true;
        };
        let bytes = |moved: PartsMoved| moved.done.saturating_add(moved.moving);
        let is_forward = self.moved.is_none_or(|before| {
            moved.done > before.done || bytes(moved) > bytes(before) || !self.shows_parts()
        });
        self.moved = Some(moved);
        is_forward
    }

    fn shows_parts(&self) -> bool {
        matches!(self.state, TransferState::Running(Stage::Parts(_)))
    }

    /// Takes in how far an earlier start came.
    pub(super) fn came_to(&mut self, moved: PartsMoved) {
        self.moved = Some(moved);
        self.bar = bar_at(Stage::Parts(moved), &self.job, false);
    }

    /// Starts to watch whether something moves, unless that is done already; the timer that is then needed.
    pub(super) fn watch(&mut self) -> Option<Timer> {
        let starts = !std::mem::replace(&mut self.watched, true);
        starts.then_some(Timer::Slow(self.run, self.moves))
    }

    /// The timer of [`Self::watch`] has run out: says that nothing moved, or watches on.
    pub(super) fn look_whether_it_moved(&mut self, moves: u64) -> Option<Timer> {
        self.watched = false;
        self.slow = self.moves == moves;
        if self.slow { None } else { self.watch() }
    }

    /// Takes in when a stage that counts bytes was seen.
    pub(super) fn see(&mut self, stage: Stage, at: Duration) {
        #[expect(
            clippy::cast_precision_loss,
            reason = "a size that a person reads in two digits"
        )]
        let bytes = match (stage, moved_part(stage), self.moved_len()) {
            (Stage::Parts(moved), ..) => moved.done.saturating_add(moved.moving) as f64,
            (_, Some(fraction), Some(total)) => f64::from(fraction) * total as f64,
            _ => return,
        };
        self.pace.see(at, bytes);
    }

    /// The quarter of its bytes, 1 to 3, that is to be said to those who hear the window: each once, and not while
    /// something was said of this transfer a moment ago.
    pub(super) fn quarter_to_say(&mut self, stage: Stage, at: Duration) -> Option<u8> {
        // That it begins was said.
        let (said, before) = *self.spoken.get_or_insert((0, at));
        let quarter = match moved_part(stage)? {
            0.75.. => 3,
            0.5.. => 2,
            0.25.. => 1,
            _ => 0,
        };
        if quarter <= said || at.saturating_sub(before) < BETWEEN_SPOKEN {
            return None;
        }
        self.spoken = Some((quarter, at));
        Some(quarter)
    }

    /// How fast it goes and how long it still takes, while its bytes move and that can be said.
    #[must_use]
    pub(crate) fn speed(&self) -> Option<Speed> {
        match self.state {
            TransferState::Running(
                Stage::Upload { .. } | Stage::Download { .. } | Stage::Parts(_),
            ) => self.pace.speed(self.moved_len()?),
            _ => None,
        }
    }

    /// Length of what crosses the network for it.
    fn moved_len(&self) -> Option<u64> {
        // Of something in parts its content is counted.
        if let Some(moved) = self.moved {
            return Some(moved.total);
        }
        let len = self.len?;
        let class = SizeClass::for_content_len(len);
        Some(class.map_or(len, |class| class.blob_len() as u64))
    }

    pub(super) fn finish(&mut self, state: TransferState) {
        match &state {
            TransferState::Shared(ShareResult { aside, .. })
            | TransferState::Received(Saved { aside, .. }) => {
                self.bar = 1.0;
                self.aside.clone_from(aside);
                self.kept = None;
                self.moved = None;
            }
            _ => {}
        }
        self.slow = false;
        self.state = state;
    }

    pub(super) fn restart(&mut self, run: u64) {
        self.earlier.push(self.run);
        self.run = RunId(run);
        // What goes on goes on from where it was.
        if self.kept.is_none() {
            self.bar = 0.0;
            self.moved = None;
        }
        self.told = None;
        self.pace = Pace::default();
        self.spoken = None;
        self.worked = false;
        self.slow = false;
        self.watched = false;
        self.ended = None;
        self.state = TransferState::Waiting;
    }
}
