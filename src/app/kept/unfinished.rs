//! Transfers in parts that are not finished: one file each in `resume/` of the data folder, so that they go on after the
//! program ended in any way. What the records mean is `protocol::resume`; here they lie on the disk.
//!
//! The key that seals them is `resume/key`, which only this person can read. It is not in the system's keyring, because the
//! window and `cloak` go on with each other's transfers, also where there is no keyring.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use rand_core::Rng as _;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::app::received::incoming;
use crate::app::settings::Home;
use crate::disk::io_reason::IoReason;
use crate::disk::journal::{Journal, OpenedJournal};
use crate::disk::{path_bytes, private};
use crate::protocol::parts::PartList;
use crate::protocol::resume::{
    EncodedRecord, Log, LogEnd, LogWriter, ReadLogError, RecipientBegin, RecipientRecord,
    RecipientState, RecordTooLong, ReplayError, ResumeKey, SenderBegin, SenderRecord, SenderState,
};
use crate::protocol::seal::ContentKind;
use crate::wire::random;

/// The unfinished transfers of this person.
#[derive(Clone, Debug)]
pub(crate) struct UnfinishedTransfers {
    folder: PathBuf,
}

/// Tells an unfinished transfer from all others: 16 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnfinishedId(String);

impl UnfinishedId {
    /// The transfer with this id, if `text` is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == ID_DIGITS && text.bytes().all(is_digit)).then(|| Self(text.to_owned()))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn generate() -> Self {
        Self(HEXLOWER.encode(&random::system().next_u64().to_be_bytes()))
    }
}

/// An unfinished transfer that is open: nobody else goes on with it.
pub(crate) enum UnfinishedTransfer {
    /// A share.
    Share(Box<ShareLog>),
    /// A download.
    Download(Box<DownloadLog>),
}

/// Why the state of a transfer cannot be used. It is left as it is.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum UnfinishedError {
    /// Something in it was changed, so that it is not known how far the transfer is.
    #[error("the state of the transfer is damaged")]
    Damaged,
    /// A newer version wrote it.
    #[error("the state of the transfer was written by a newer version")]
    Newer,
    /// The key that seals it is another one, or is gone.
    #[error("the state of the transfer was sealed with another key")]
    OtherKey,
    /// There is no such transfer any more.
    #[error("there is no such unfinished transfer")]
    Unknown,
    /// Another program of this person goes on with it at this moment.
    #[error("the transfer is under way in another program")]
    UnderWay,
    /// It cannot be read.
    #[error("the state of the transfer cannot be read: {0}")]
    Read(IoReason),
    /// It cannot be written.
    #[error("the state of the transfer cannot be written: {0}")]
    Write(IoReason),
}

impl From<ReplayError> for UnfinishedError {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::Newer => Self::Newer,
            ReplayError::Malformed | ReplayError::NoBeginning => Self::Damaged,
        }
    }
}

impl From<ReadLogError> for UnfinishedError {
    fn from(error: ReadLogError) -> Self {
        match error {
            ReadLogError::CutOff | ReadLogError::Foreign => Self::Damaged,
            ReadLogError::Newer => Self::Newer,
            ReadLogError::OtherKey => Self::OtherKey,
        }
    }
}

impl UnfinishedTransfers {
    /// Those in the data folder of `home`.
    #[must_use]
    pub(crate) fn of(home: &Home) -> Self {
        Self {
            folder: home.data_dir.join(FOLDER),
        }
    }

    /// Writes down a share that begins. Blocking.
    ///
    /// # Errors
    /// [`UnfinishedError::Write`], and others where the key cannot be used.
    pub(crate) fn begin_share(&self, begin: SenderBegin) -> Result<ShareLog, UnfinishedError> {
        let log = self.begin(&[SenderRecord::encode_begin(&begin)])?;
        Ok(ShareLog {
            log,
            state: SenderState::new(begin),
        })
    }

    /// Writes down a download that begins, with its list. Blocking.
    ///
    /// # Errors
    /// As [`UnfinishedTransfers::begin_share`].
    pub(crate) fn begin_download(
        &self,
        begin: RecipientBegin,
        list: Arc<PartList>,
    ) -> Result<DownloadLog, UnfinishedError> {
        // At once: without its list a download cannot go on.
        let log = self.begin(&[
            RecipientRecord::encode_begin(&begin),
            RecipientRecord::encode_list(&list),
        ])?;
        let mut state = RecipientState::new(begin);
        state.apply(RecipientRecord::List(list))?;
        Ok(DownloadLog { log, state })
    }

    fn begin(&self, first: &[EncodedRecord]) -> Result<TransferLog, UnfinishedError> {
        let key = self.make_key()?;
        let mut writer = LogWriter::new(&key);
        let mut bytes = writer.header().to_vec();
        for record in first {
            bytes.extend_from_slice(&writer.seal(record, &mut random::system())?);
        }
        let id = UnfinishedId::generate();
        let path = self.path(&id);
        let journal = Journal::create(&path, &bytes).map_err(|error| {
            fs::remove_file(&path).ok();
            write_failed(error)
        })?;
        Ok(TransferLog {
            id,
            path,
            journal,
            writer,
        })
    }

    /// The ids of all unfinished transfers, those that are under way in another program among them.
    ///
    /// # Errors
    /// [`UnfinishedError::Read`].
    pub(crate) fn ids(&self) -> Result<Vec<UnfinishedId>, UnfinishedError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(UnfinishedError::Read(error.into())),
        };
        let mut ids: Vec<_> = entries
            .filter_map(|entry| {
                let name = entry.ok()?.file_name();
                UnfinishedId::parse(name.to_str()?.strip_suffix(SUFFIX)?)
            })
            .collect();
        ids.sort();
        Ok(ids)
    }

    /// Opens an unfinished transfer. Blocking.
    ///
    /// # Errors
    /// [`UnfinishedError`]; [`UnfinishedError::Unknown`] also for a download that was saved just before the program was
    /// killed: what is left of it is removed.
    pub(crate) fn open(&self, id: &UnfinishedId) -> Result<UnfinishedTransfer, UnfinishedError> {
        let path = self.path(id);
        let (mut journal, bytes) = match Journal::open(&path, MAX_FILE_LEN) {
            Ok(OpenedJournal::Free(journal, bytes)) => (journal, bytes),
            Ok(OpenedJournal::Taken) => return Err(UnfinishedError::UnderWay),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(UnfinishedError::Unknown);
            }
            Err(error) => return Err(UnfinishedError::Read(error.into())),
        };
        let key = self.read_key()?.ok_or(UnfinishedError::OtherKey)?;
        // Which of the two it is says the first record.
        let state = replay(&bytes, &key)?;
        let recovered = Log::read(&bytes, &key)?.recovered();
        if recovered.end == LogEnd::Damaged {
            return Err(UnfinishedError::Damaged);
        }
        journal
            .cut(recovered.good_len as u64)
            .map_err(write_failed)?;
        let log = TransferLog {
            id: id.clone(),
            path,
            journal,
            writer: recovered.writer,
        };
        Ok(match state {
            ReplayedState::Share(state) => {
                let state = *state;
                UnfinishedTransfer::Share(Box::new(ShareLog { log, state }))
            }
            ReplayedState::Download(state) => {
                let log = DownloadLog { log, state: *state };
                if log.was_saved() {
                    log.remove()?;
                    return Err(UnfinishedError::Unknown);
                }
                UnfinishedTransfer::Download(Box::new(log))
            }
        })
    }

    /// Forgets a transfer whatever stands in its file, also one that cannot be read.
    ///
    /// # Errors
    /// [`UnfinishedError::UnderWay`] and [`UnfinishedError::Write`].
    pub(crate) fn forget(&self, id: &UnfinishedId) -> Result<(), UnfinishedError> {
        let path = self.path(id);
        if let Ok(OpenedJournal::Taken) = Journal::open(&path, MAX_FILE_LEN) {
            return Err(UnfinishedError::UnderWay);
        }
        private::remove_if_there(&path).map_err(write_failed)
    }

    /// The hidden files and folders in which unfinished downloads stand, as far as they can be told. What removes leftovers
    /// spares them.
    pub(crate) fn temporaries(&self) -> Vec<PathBuf> {
        let Ok(Some(key)) = self.read_key() else {
            return Vec::new();
        };
        let ids = self.ids().unwrap_or_default();
        let states = ids.iter().filter_map(|id| {
            let bytes = Zeroizing::new(fs::read(self.path(id)).ok()?);
            match replay(&bytes, &key).ok()? {
                ReplayedState::Download(state) => path_bytes::decode(&state.begin().temporary),
                ReplayedState::Share(_) => None,
            }
        });
        states.collect()
    }

    fn path(&self, id: &UnfinishedId) -> PathBuf {
        self.folder.join(format!("{}{SUFFIX}", id.0))
    }

    fn read_key(&self) -> Result<Option<ResumeKey>, UnfinishedError> {
        match fs::read(self.folder.join(KEY_FILE)).map(Zeroizing::new) {
            Ok(bytes) => {
                let key = <[u8; 32]>::try_from(bytes.as_slice());
                let key = key.map_err(|_other_len| UnfinishedError::Damaged)?;
                Ok(Some(ResumeKey::from_bytes(key)))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(UnfinishedError::Read(error.into())),
        }
    }

    /// The key, made if there is none. Two programs that make it at once end up with the same one.
    fn make_key(&self) -> Result<ResumeKey, UnfinishedError> {
        if let Some(key) = self.read_key()? {
            return Ok(key);
        }
        private::make_folder(&self.folder).map_err(write_failed)?;
        let key = ResumeKey::generate(&mut random::system());
        match private::create(&self.folder.join(KEY_FILE), key.as_bytes()) {
            Ok(()) => Ok(key),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.read_key()?.ok_or(UnfinishedError::Unknown)
            }
            Err(error) => Err(write_failed(error)),
        }
    }
}

/// The state of a transfer, made from the records in its file.
enum ReplayedState {
    Share(Box<SenderState>),
    Download(Box<RecipientState>),
}

fn replay(bytes: &[u8], key: &ResumeKey) -> Result<ReplayedState, UnfinishedError> {
    match SenderState::replay(&mut Log::read(bytes, key)?) {
        Ok(state) => Ok(ReplayedState::Share(Box::new(state))),
        Err(of_sender) => match RecipientState::replay(&mut Log::read(bytes, key)?) {
            Ok(state) => Ok(ReplayedState::Download(Box::new(state))),
            // A share of a newer version is not taken for a damaged download.
            Err(ReplayError::NoBeginning | ReplayError::Malformed) => Err(of_sender.into()),
            Err(of_recipient) => Err(of_recipient.into()),
        },
    }
}

/// The file of one transfer, being written.
struct TransferLog {
    id: UnfinishedId,
    path: PathBuf,
    journal: Journal,
    writer: LogWriter,
}

impl TransferLog {
    fn append(&mut self, record: &EncodedRecord) -> Result<(), UnfinishedError> {
        let bytes = self.writer.seal(record, &mut random::system())?;
        self.journal.append(&bytes).map_err(|error| {
            // Whatever stands behind the last whole record is cut off before the next one, which takes its place.
            self.writer.take_back();
            write_failed(error)
        })
    }

    fn remove(self) -> Result<(), UnfinishedError> {
        let path = self.path.clone();
        // An open file cannot be removed everywhere.
        drop(self);
        private::remove_if_there(&path).map_err(write_failed)
    }
}

impl From<RecordTooLong> for UnfinishedError {
    fn from(_: RecordTooLong) -> Self {
        Self::Write(io::ErrorKind::FileTooLarge.into())
    }
}

/// The state of a share, on the disk and here.
pub(crate) struct ShareLog {
    log: TransferLog,
    state: SenderState,
}

impl ShareLog {
    /// What tells it from others.
    #[must_use]
    pub(crate) const fn id(&self) -> &UnfinishedId {
        &self.log.id
    }

    /// The state.
    #[must_use]
    pub(crate) const fn state(&self) -> &SenderState {
        &self.state
    }

    /// Writes a record down; it is on the disk when this returns. Blocking.
    ///
    /// # Errors
    /// [`UnfinishedError::Write`]; the state is as before then.
    pub(crate) fn record(&mut self, record: SenderRecord) -> Result<(), UnfinishedError> {
        self.log.append(&record.encode())?;
        Ok(self.state.apply(record)?)
    }

    /// Forgets the share here: it is finished, or given up.
    ///
    /// # Errors
    /// [`UnfinishedError::Write`].
    pub(crate) fn remove(self) -> Result<(), UnfinishedError> {
        self.log.remove()
    }
}

/// The state of a download, on the disk and here.
pub(crate) struct DownloadLog {
    log: TransferLog,
    state: RecipientState,
}

impl DownloadLog {
    /// What tells it from others.
    #[must_use]
    pub(crate) const fn id(&self) -> &UnfinishedId {
        &self.log.id
    }

    /// The state.
    #[must_use]
    pub(crate) const fn state(&self) -> &RecipientState {
        &self.state
    }

    /// Whether the program was killed when the whole had its name already.
    fn was_saved(&self) -> bool {
        let (state, begin) = (&self.state, self.state.begin());
        let is_folder = (state.list()).is_some_and(|list| list.kind() == ContentKind::Folder);
        let temporary = path_bytes::decode(&begin.temporary);
        let was_saved = |temporary: &PathBuf| incoming::has_moved_on(temporary, is_folder);
        let saved = temporary.filter(|temporary| state.is_complete() && was_saved(temporary));
        if is_folder && let Some(temporary) = &saved {
            // The folder that it was in is empty now.
            incoming::remove_temporary(temporary);
        }
        saved.is_some()
    }

    /// As [`ShareLog::record`].
    ///
    /// # Errors
    /// [`UnfinishedError::Write`]; the state is as before then.
    pub(crate) fn record(&mut self, record: RecipientRecord) -> Result<(), UnfinishedError> {
        self.log.append(&record.encode())?;
        Ok(self.state.apply(record)?)
    }

    /// Forgets the download here: it is finished, or given up.
    ///
    /// # Errors
    /// [`UnfinishedError::Write`].
    pub(crate) fn remove(self) -> Result<(), UnfinishedError> {
        self.log.remove()
    }
}

/// Whether a file of this name in their folder is that of an unfinished transfer.
#[must_use]
pub(super) fn is_record(name: &str) -> bool {
    let id = name.strip_suffix(SUFFIX);
    id.is_some_and(|id| UnfinishedId::parse(id).is_some())
}

fn write_failed(error: io::Error) -> UnfinishedError {
    UnfinishedError::Write(error.into())
}

/// Name of their folder in the data folder.
pub(super) const FOLDER: &str = "resume";
/// Name of the file of their key in it.
pub(super) const KEY_FILE: &str = "key";
const SUFFIX: &str = ".transfer";
const ID_DIGITS: usize = 16;
/// More than the state of the longest whole takes, sealed several times over.
const MAX_FILE_LEN: u64 = 256 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tempfile::{TempDir, tempdir};

    use parking_lot::Mutex;

    use super::*;
    use crate::disk::journal::JournalFile;
    use crate::protocol::address::FileId;
    use crate::protocol::digest::Digest;
    use crate::protocol::keys::Identity;
    use crate::protocol::parts::{PartListBuilder, PartPlan, PartsSecret, Store};
    use crate::protocol::pointer::{Pointer, PointerKey};
    use crate::protocol::resume::{FileStamp, PartAt, SealedAt, Source, Wishes};
    use crate::protocol::seal::FileKey;

    fn transfers() -> (TempDir, UnfinishedTransfers) {
        let folder = tempdir().unwrap();
        let transfers = UnfinishedTransfers::of(&Home::in_folder(folder.path()));
        (folder, transfers)
    }

    fn begin() -> SenderBegin {
        let key = Identity::from_seed([7; 32]).public().to_hex();
        SenderBegin::generate(
            Source::File {
                path: path_bytes::encode(Path::new("/a/file")),
                stamp: FileStamp {
                    len_bytes: 30_000_000,
                    modified_nanos: 1,
                    changed_nanos: None,
                    inode: None,
                },
            },
            ContentKind::File,
            PartPlan::new(30_000_000, 4).unwrap(),
            format!("http://files.example#p={key}").parse().unwrap(),
            Wishes {
                keep_secs: 3_600,
                receipts: None,
                name: Some("file".to_owned()),
                name_in_pointer: true,
                modified: None,
                relay_list: None,
            },
            &mut random::system(),
        )
    }

    fn sealed(log: &mut ShareLog, number: u32) {
        let index = log.state().begin().plan.index(number).unwrap();
        let sealed = SealedAt {
            digest: Digest::of(&number.to_le_bytes()),
            hour: 500_000,
        };
        log.record(SenderRecord::Sealed { index, sealed }).unwrap();
    }

    fn share(opened: Result<UnfinishedTransfer, UnfinishedError>) -> ShareLog {
        match opened.map_err(|error| error.to_string()).unwrap() {
            UnfinishedTransfer::Share(log) => *log,
            UnfinishedTransfer::Download(_) => panic!("a share"),
        }
    }

    #[test]
    fn a_share_goes_on_where_its_records_end() {
        let (_folder, transfers) = transfers();
        assert_eq!(transfers.ids().unwrap(), []);
        let mut log = transfers.begin_share(begin()).unwrap();
        let id = log.id().clone();
        sealed(&mut log, 0);
        let index = log.state().begin().plan.index(0).unwrap();
        let part = PartAt {
            index,
            store: Store::Server,
        };
        log.record(SenderRecord::Confirmed { part, id: None })
            .unwrap();
        sealed(&mut log, 1);
        let again = transfers.open(&id).err();
        assert_eq!(again, Some(UnfinishedError::UnderWay));
        assert_eq!(transfers.forget(&id), Err(UnfinishedError::UnderWay));
        drop(log);

        let log = share(transfers.open(&id));
        assert!(log.state().is_confirmed(part));
        assert_eq!(log.state().unconfirmed(Store::Server).count(), 3);
        assert_eq!(transfers.ids().unwrap(), [id]);
        log.remove().unwrap();
        assert_eq!(transfers.ids().unwrap(), []);
    }

    /// A file of which a crash keeps what was synced, and of the rest any number of bytes from its beginning.
    #[derive(Default)]
    struct Crashing {
        bytes: Vec<u8>,
        synced: usize,
        sync_fails: bool,
    }

    impl JournalFile for Arc<Mutex<Crashing>> {
        fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
            self.lock().bytes.extend_from_slice(bytes);
            Ok(())
        }

        fn cut(&mut self, len: u64) -> io::Result<()> {
            self.lock().bytes.truncate(usize::try_from(len).unwrap());
            Ok(())
        }

        fn sync(&mut self) -> io::Result<()> {
            let mut file = self.lock();
            if file.sync_fails {
                return Err(io::ErrorKind::StorageFull.into());
            }
            file.synced = file.bytes.len();
            Ok(())
        }
    }

    fn sealed_numbers(log: &ShareLog) -> Vec<u32> {
        let sealed = log.state().begin().plan.indices();
        let sealed = sealed.filter(|index| log.state().sealed(*index).is_some());
        sealed.map(|index| index.get()).collect()
    }

    #[test]
    fn after_a_crash_at_any_moment_all_that_was_recorded_is_there() {
        let (_folder, transfers) = transfers();
        let mut log = transfers.begin_share(begin()).unwrap();
        let (id, path) = (log.id().clone(), log.log.path.clone());
        let bytes = fs::read(&path).unwrap();
        let file = Arc::new(Mutex::new(Crashing {
            synced: bytes.len(),
            bytes,
            sync_fails: false,
        }));
        let len = file.lock().bytes.len() as u64;
        log.log.journal = Journal::in_file(Box::new(Arc::clone(&file)), len);
        let after_crash = |kept: &[u8]| {
            fs::write(&path, kept).unwrap();
            share(transfers.open(&id))
        };
        for number in 0..4 {
            let before = file.lock().synced;
            sealed(&mut log, number);
            let (bytes, synced) = {
                let file = file.lock();
                (file.bytes.clone(), file.synced)
            };
            assert_eq!(synced, bytes.len(), "nothing is sent before this is synced");
            let earlier: Vec<_> = (0..number).collect();
            for len in before..bytes.len() {
                let there = sealed_numbers(&after_crash(&bytes[..len]));
                assert_eq!(there, earlier, "{len} bytes");
            }
            let there = sealed_numbers(&after_crash(&bytes));
            assert_eq!(there, (0..=number).collect::<Vec<_>>());
        }

        // What could not be synced does not count, and the next record stands in its place.
        let index = log.state().begin().plan.index(0).unwrap();
        let part = PartAt {
            index,
            store: Store::Server,
        };
        let confirmed = || SenderRecord::Confirmed { part, id: None };
        file.lock().sync_fails = true;
        assert!(log.record(confirmed()).is_err());
        assert!(!log.state().is_confirmed(part));
        let kept = file.lock().synced;
        let lost = file.lock().bytes[..kept].to_vec();
        assert!(!after_crash(&lost).state().is_confirmed(part));
        file.lock().sync_fails = false;
        log.record(confirmed()).unwrap();
        let bytes = file.lock().bytes.clone();
        assert!(after_crash(&bytes).state().is_confirmed(part));
    }

    #[test]
    fn a_file_cut_off_anywhere_gives_the_records_before_and_takes_new_ones() {
        let (_folder, transfers) = transfers();
        let mut log = transfers.begin_share(begin()).unwrap();
        let (id, path) = (log.id().clone(), log.log.path.clone());
        let begun = fs::metadata(&path).unwrap().len();
        sealed(&mut log, 0);
        drop(log);
        let whole = fs::read(&path).unwrap();
        for len in 0..whole.len() {
            fs::write(&path, &whole[..len]).unwrap();
            let opened = transfers.open(&id);
            if (len as u64) < begun {
                let error = opened.err();
                assert_eq!(error, Some(UnfinishedError::Damaged), "{len} bytes");
                continue;
            }
            let mut log = share(opened);
            sealed(&mut log, 2);
            drop(log);
            let log = share(transfers.open(&id));
            let numbers: Vec<_> = log
                .state()
                .begin()
                .plan
                .indices()
                .filter(|index| log.state().sealed(*index).is_some())
                .map(|index| index.get())
                .collect();
            assert_eq!(numbers, [2], "{len} bytes");
        }
    }

    #[test]
    fn a_download_that_ended_before_its_list_was_written_down_can_still_be_given_up() {
        let (_folder, transfers) = transfers();
        let temporary = Path::new("/a/.cloakroom-x.part");
        let log = begin_download(&transfers, temporary, ContentKind::File);
        let (id, path) = (log.id().clone(), log.log.path.clone());
        drop(log);
        assert!(transfers.open(&id).is_ok());
        let whole = fs::read(&path).unwrap();
        for len in [whole.len() - 1, whole.len() - 200] {
            fs::write(&path, &whole[..len]).unwrap();
            let Ok(UnfinishedTransfer::Download(log)) = transfers.open(&id) else {
                panic!("a download");
            };
            assert!(log.state().list().is_none());
            let temporary = path_bytes::decode(&log.state().begin().temporary);
            assert_eq!(temporary.unwrap(), Path::new("/a/.cloakroom-x.part"));
        }
    }

    fn begin_download(
        transfers: &UnfinishedTransfers,
        temporary: &Path,
        kind: ContentKind,
    ) -> DownloadLog {
        let plan = PartPlan::new(30_000_000, 4).unwrap();
        let secret = PartsSecret::from_bytes([1; 32]);
        let mut list = PartListBuilder::new(kind, plan, secret, false).unwrap();
        for number in 0..4 {
            let id = FileId::random(500_000, [number; 30]);
            list.push(&Digest::of(&[number]), &id, None).unwrap();
        }
        let begin = RecipientBegin {
            pointer: Pointer {
                server: begin().server,
                id: FileId::parse("5").unwrap(),
                key: PointerKey::Whole(FileKey::from_bytes([0; 32])),
                digest: Digest::of(b""),
                content_len: 30_000_000,
                name: None,
                kind: ContentKind::PartList,
                expires: None,
                receipts: None,
                relay_list: None,
            },
            target: path_bytes::encode(Path::new("/a/file")),
            temporary: path_bytes::encode(temporary),
            tell_sender: false,
        };
        let list = Arc::new(list.finish().unwrap());
        transfers.begin_download(begin, list).unwrap()
    }

    #[test]
    fn what_was_saved_just_before_a_kill_is_not_offered_again() {
        for kind in [ContentKind::File, ContentKind::Folder] {
            let (_folder, transfers) = transfers();
            let disk = tempdir().unwrap();
            let beside = disk.path().join("downloads");
            let temporary = beside.join(".cloakroom-x.part");
            let content = match kind {
                ContentKind::Folder => temporary.join("content"),
                _ => temporary.clone(),
            };
            fs::create_dir_all(&content).unwrap();
            let mut log = begin_download(&transfers, &temporary, kind);
            let id = log.id().clone();
            log.record(RecipientRecord::Complete).unwrap();
            drop(log);
            // Killed before it got its name: that is still to be given.
            assert!(transfers.open(&id).is_ok());
            // The disk is not connected.
            let elsewhere = disk.path().join("elsewhere");
            fs::rename(&beside, &elsewhere).unwrap();
            assert!(transfers.open(&id).is_ok());
            fs::rename(&elsewhere, &beside).unwrap();
            // It got its name, and the program was killed before it could forget the state.
            fs::rename(&content, beside.join("it")).unwrap();
            assert_eq!(transfers.open(&id).err(), Some(UnfinishedError::Unknown));
            assert_eq!(transfers.ids().unwrap(), []);
            let left: Vec<_> = fs::read_dir(&beside).unwrap().collect();
            assert_eq!(left.len(), 1, "nothing but what was saved");
        }
    }

    #[test]
    fn what_has_gone_before_it_was_whole_stays_for_the_person_to_discard() {
        let (_folder, transfers) = transfers();
        let disk = tempdir().unwrap();
        let temporary = disk.path().join(".cloakroom-x.part");
        let log = begin_download(&transfers, &temporary, ContentKind::File);
        let id = log.id().clone();
        drop(log);
        assert!(transfers.open(&id).is_ok());
    }

    #[test]
    fn a_file_that_cannot_be_read_is_said_to_be_so_and_can_be_forgotten() {
        let (folder, transfers) = transfers();
        let log = transfers.begin_share(begin()).unwrap();
        let (id, path) = (log.id().clone(), log.log.path.clone());
        drop(log);
        let bytes = fs::read(&path).unwrap();
        for (changed, error) in [
            (&b"something else"[..], UnfinishedError::Damaged),
            (
                &[b"cloakroom resume\x02", &bytes[17..]].concat(),
                UnfinishedError::Newer,
            ),
        ] {
            fs::write(&path, changed).unwrap();
            assert_eq!(transfers.open(&id).err(), Some(error));
        }
        fs::write(&path, &bytes).unwrap();
        fs::remove_file(folder.path().join("data/resume/key")).ok();
        fs::remove_file(transfers.folder.join(KEY_FILE)).ok();
        assert_eq!(transfers.open(&id).err(), Some(UnfinishedError::OtherKey));
        transfers.forget(&id).unwrap();
        assert_eq!(transfers.open(&id).err(), Some(UnfinishedError::Unknown));
    }

    #[test]
    fn an_id_is_sixteen_small_hexadecimal_digits() {
        assert!(UnfinishedId::parse("0123456789abcdef").is_some());
        for text in [
            "",
            "0123456789abcde",
            "0123456789ABCDEF",
            "../3456789abcdef",
        ] {
            assert!(UnfinishedId::parse(text).is_none(), "{text}");
        }
    }
}
