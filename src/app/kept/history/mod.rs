//! What was shared and received, and what was still on its way, kept from start to start: sealed, under a key in the system's keyring.
//!
//! One thread of its own does everything that touches the disk or the keyring, in the order it was asked to, so that
//! nobody waits for a keyring that prompts or hangs. Without a keyring nothing is written: the history then lasts as
//! long as the window.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use parking_lot::Mutex;
use tracing::debug;

use super::history_file::{self, ASIDE, SealedHistory};
pub use super::history_file::{EntryId, HistoryEntry, HistoryFileError, What, hour};
use super::keystore::{HistoryKey, KeyId, KeyStore, KeyStoreError, Patient};
use crate::disk::io_reason::IoReason;
use crate::disk::kept::{ChangeError, Kept, UnreadReason};
use crate::disk::private;
use crate::wire::clock::Clock;
use crate::wire::random;

/// How the history stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryStatus {
    /// The history is off.
    Off,
    /// The keyring has not answered yet.
    Waiting,
    /// Entries are written, sealed.
    Kept,
    /// Nothing is written before the program ends; why.
    SessionOnly(SessionOnly),
}

/// Why nothing is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionOnly {
    /// The key cannot be had or kept.
    Keyring(KeyStoreError),
    /// The file cannot be read or written.
    File(IoReason),
    /// A newer version wrote the file, which stays for that version.
    Newer,
}

/// A history file that could not be read, and was not lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DamagedHistory {
    /// What was wrong with it.
    pub why: AsideReason,
    /// Where it is now; none when it could not be moved and is still where it was.
    pub kept: Option<PathBuf>,
}

/// Why a file was put aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsideReason {
    /// It cannot be understood.
    File(HistoryFileError),
    /// The keyring does not have its key any more.
    NoKey,
}

/// What the history has to say, in its own time.
pub enum News {
    /// How it stands now.
    Status(HistoryStatus),
    /// What was kept, newest first.
    Entries(Vec<HistoryEntry>),
    /// A file was put aside.
    Aside(DamagedHistory),
    /// Everything was wiped; with an error, something may be left.
    Wiped(Result<(), SessionOnly>),
    /// The entries were written to the file that the person chose.
    Exported(Result<usize, IoReason>),
}

/// Receives news of the history; called from the history's thread.
pub type TellNews = Box<dyn Fn(News) + Send>;

/// The running history of one window.
pub struct History {
    clock: Clock,
    orders: Mutex<Option<Sender<HistoryCommand>>>,
    /// Closes when the thread ends.
    ended: Mutex<Receiver<()>>,
}

enum HistoryCommand {
    TurnOn,
    TurnOff,
    Add(HistoryEntry),
    Forget(EntryId),
    /// A shared file is kept until then.
    Expires(EntryId, u64),
    Wipe,
    Export(PathBuf),
}

impl History {
    /// A history in `folder`. It is off until [`History::turn_on`].
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        folder: PathBuf,
        keys: Arc<dyn KeyStore>,
        patience: Duration,
        clock: Clock,
        tell: TellNews,
    ) -> io::Result<Self> {
        let (orders, queue) = channel();
        let store = HistoryStore {
            file: Kept::in_file(folder.join(FILE_NAME)),
            folder,
            keys: Patient::new(keys, patience),
            state: HistoryState::Off,
        };
        let (ends, ended) = channel();
        std::thread::Builder::new()
            .name("cloakroom-history".to_owned())
            .spawn(move || {
                store.serve(&queue, &*tell);
                drop(tell);
                drop(ends);
            })?;
        Ok(Self {
            clock,
            orders: Mutex::new(Some(orders)),
            ended: Mutex::new(ended),
        })
    }

    /// Reads what was kept, and keeps from now on.
    pub(crate) fn turn_on(&self) {
        self.order(HistoryCommand::TurnOn);
    }

    /// Keeps nothing from now on. What was kept stays until it is wiped.
    pub(crate) fn turn_off(&self) {
        self.order(HistoryCommand::TurnOff);
    }

    /// Keeps a transfer in the place of `entry`, or as a new one, and says as which entry.
    pub(crate) fn remember(
        &self,
        entry: Option<EntryId>,
        name: &str,
        len: u64,
        what: What,
    ) -> EntryId {
        let id = entry.unwrap_or_else(|| EntryId::generate(&mut random::system()));
        self.add(HistoryEntry {
            id,
            name: name.to_owned(),
            len,
            hour: hour((self.clock)()),
            what,
        });
        id
    }

    /// Keeps an entry, in the place of the one with its id.
    pub(crate) fn add(&self, entry: HistoryEntry) {
        self.order(HistoryCommand::Add(entry));
    }

    /// Forgets an entry.
    pub(crate) fn forget(&self, id: EntryId) {
        self.order(HistoryCommand::Forget(id));
    }

    /// The server keeps the file of this entry until then, unix seconds.
    pub(crate) fn expires(&self, id: EntryId, at: u64) {
        self.order(HistoryCommand::Expires(id, at));
    }

    /// Removes the file, those put aside, and the key.
    pub(crate) fn wipe(&self) {
        self.order(HistoryCommand::Wipe);
    }

    /// Writes everything in the clear to a file of the person's choice: for later, on any thread.
    pub(crate) fn exporter(&self) -> impl FnOnce(PathBuf) + Send + use<> {
        let orders = self.orders.lock().clone();
        move |to| {
            if let Some(orders) = orders {
                orders.send(HistoryCommand::Export(to)).ok();
            }
        }
    }

    /// Stops taking orders and waits, at most `within`, until all of them are done. Returns whether they are.
    pub(crate) fn close(&self, within: Duration) -> bool {
        self.orders.lock().take();
        let ended = self.ended.lock();
        matches!(
            ended.recv_timeout(within),
            Err(RecvTimeoutError::Disconnected)
        )
    }

    fn order(&self, order: HistoryCommand) {
        if let Some(orders) = &*self.orders.lock() {
            orders.send(order).ok();
        }
    }
}

/// Name of the file in the data folder.
pub(super) const FILE_NAME: &str = "history.sealed";
/// The newest so many are kept, however old they are: no clock makes an entry go, since its pointer cannot be had again.
const MAX_ENTRIES: usize = 1_000;

struct HistoryStore {
    folder: PathBuf,
    /// The file of the history. Only one process of a person has a window, so nobody else writes it.
    file: Kept<SealedHistory>,
    keys: Patient,
    state: HistoryState,
}

enum HistoryState {
    Off,
    SessionOnly(SessionOnly),
    /// A history is kept; it has a key once something was written.
    Kept {
        key: Option<(KeyId, HistoryKey)>,
        /// Oldest first.
        entries: Vec<HistoryEntry>,
    },
}

impl HistoryStore {
    fn serve(mut self, queue: &Receiver<HistoryCommand>, tell: &dyn Fn(News)) {
        while let Ok(order) = queue.recv() {
            match order {
                HistoryCommand::TurnOn => {
                    tell(News::Status(HistoryStatus::Waiting));
                    if let Some(aside) = self.turn_on() {
                        tell(News::Aside(aside));
                    }
                    if let HistoryState::Kept { entries, .. } = &self.state
                        && !entries.is_empty()
                    {
                        tell(News::Entries(entries.iter().rev().cloned().collect()));
                    }
                    tell(News::Status(self.status()));
                }
                HistoryCommand::TurnOff => {
                    self.state = HistoryState::Off;
                    tell(News::Status(HistoryStatus::Off));
                }
                HistoryCommand::Add(entry) => self.change(tell, |entries| {
                    match entries.iter_mut().find(|kept| kept.id == entry.id) {
                        Some(kept) => *kept = entry,
                        None => entries.push(entry),
                    }
                    let too_many = entries.len().saturating_sub(MAX_ENTRIES);
                    entries.drain(..too_many);
                }),
                HistoryCommand::Forget(id) => {
                    self.change(tell, |entries| entries.retain(|entry| entry.id != id));
                }
                HistoryCommand::Expires(id, at) => self.change(tell, |entries| {
                    for entry in entries.iter_mut().filter(|entry| entry.id == id) {
                        if let What::Shared { expires, .. } = &mut entry.what {
                            *expires = Some(at);
                        }
                    }
                }),
                HistoryCommand::Wipe => {
                    tell(News::Wiped(self.wipe()));
                    tell(News::Status(self.status()));
                }
                HistoryCommand::Export(to) => tell(News::Exported(self.export(&to))),
            }
        }
    }

    fn status(&self) -> HistoryStatus {
        match &self.state {
            HistoryState::Off => HistoryStatus::Off,
            HistoryState::SessionOnly(why) => HistoryStatus::SessionOnly(*why),
            HistoryState::Kept { .. } => HistoryStatus::Kept,
        }
    }

    fn turn_on(&mut self) -> Option<DamagedHistory> {
        if matches!(self.state, HistoryState::Kept { .. }) {
            return None;
        }
        let empty = HistoryState::Kept {
            key: None,
            entries: Vec::new(),
        };
        let why = match self.file.read() {
            Ok(None) => {
                self.state = empty;
                return None;
            }
            Err(unread) => match unread.why {
                UnreadReason::Damaged => AsideReason::File(HistoryFileError::Damaged),
                UnreadReason::Newer => AsideReason::File(HistoryFileError::Newer),
                UnreadReason::Read(reason) => {
                    // A disk or a right that is mended makes it readable again: it stays where it is.
                    self.state = HistoryState::SessionOnly(SessionOnly::File(reason));
                    return None;
                }
            },
            Ok(Some(file)) => match self.keys.load(file.key_id()) {
                Err(error) => {
                    self.state = HistoryState::SessionOnly(SessionOnly::Keyring(error));
                    return None;
                }
                Ok(None) => AsideReason::NoKey,
                Ok(Some(key)) => match file.open(&key) {
                    Err(error) => AsideReason::File(error),
                    Ok(entries) => {
                        self.state = HistoryState::Kept {
                            key: Some((file.key_id(), key)),
                            entries,
                        };
                        return None;
                    }
                },
            },
        };
        if why == AsideReason::File(HistoryFileError::Newer) {
            self.state = HistoryState::SessionOnly(SessionOnly::Newer);
            return Some(DamagedHistory { why, kept: None });
        }
        // What is there must not be written over.
        let (state, kept) = match self.file.put_aside() {
            Ok(kept) => (empty, Some(kept)),
            Err(ChangeError::Unread(_newer)) => {
                (HistoryState::SessionOnly(SessionOnly::Newer), None)
            }
            Err(ChangeError::Write(reason)) => {
                (HistoryState::SessionOnly(SessionOnly::File(reason)), None)
            }
        };
        self.state = state;
        Some(DamagedHistory { why, kept })
    }

    fn change(&mut self, tell: &dyn Fn(News), change: impl FnOnce(&mut Vec<HistoryEntry>)) {
        let HistoryState::Kept { key, entries } = &mut self.state else {
            return;
        };
        change(entries);
        let rng = &mut random::system();
        let written = match key {
            Some(known) => Ok(known),
            None => {
                let id = KeyId::generate(rng);
                self.keys
                    .make(id, rng)
                    .map(|made| key.insert((id, made)))
                    .map_err(SessionOnly::Keyring)
            }
        }
        .and_then(|(id, key)| {
            SealedHistory::seal(entries, *id, key, rng)
                .ok_or_else(|| io::ErrorKind::FileTooLarge.into())
                .and_then(|sealed| self.file.replace(&sealed))
                .map_err(|error| SessionOnly::File(error.into()))
        });
        if let Err(why) = written {
            debug!("the history could not be kept");
            // What could not be written now is written with the next entry, if the disk has room again then.
            if matches!(why, SessionOnly::Keyring(_)) {
                self.state = HistoryState::SessionOnly(why);
            }
            tell(News::Status(HistoryStatus::SessionOnly(why)));
        } else {
            tell(News::Status(HistoryStatus::Kept));
        }
    }

    /// The file first: without its key it cannot be read, but without the file there is nothing to read at all.
    fn wipe(&mut self) -> Result<(), SessionOnly> {
        let id = match &self.state {
            HistoryState::Kept { key, .. } => key.as_ref().map(|(id, _)| *id),
            HistoryState::Off | HistoryState::SessionOnly(_) => None,
        };
        let id = id.or_else(|| {
            let file = self.file.read().ok().flatten();
            file.map(|file| file.key_id())
        });
        let failed = |error: io::Error| SessionOnly::File(error.into());
        for file in self.files().map_err(failed)? {
            fs::remove_file(file).map_err(failed)?;
        }
        if !matches!(self.state, HistoryState::Off) {
            self.state = HistoryState::Kept {
                key: None,
                entries: Vec::new(),
            };
        }
        id.map_or(Ok(()), |id| {
            self.keys.forget(id).map_err(SessionOnly::Keyring)
        })
    }

    /// The history and what was put aside of it.
    fn files(&self) -> io::Result<Vec<PathBuf>> {
        let listed = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            listed => listed?,
        };
        let mut files = Vec::new();
        for entry in listed {
            let entry = entry?;
            let ours = entry.file_name().to_str().is_some_and(|name| {
                name.strip_prefix(FILE_NAME)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(ASIDE))
            });
            if ours {
                files.push(entry.path());
            }
        }
        Ok(files)
    }

    fn export(&self, to: &Path) -> Result<usize, IoReason> {
        let HistoryState::Kept { entries, .. } = &self.state else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let json = history_file::export(entries).ok_or(io::ErrorKind::InvalidData)?;
        private::write(to, &json)?;
        Ok(entries.len())
    }
}

#[cfg(test)]
pub(in crate::app::kept) mod tests;
