//! A file to which records are only ever appended, each on the disk when the call returns.
//!
//! Whoever has it open is alone with it. After an append that failed nothing is known of the end of the file, so the next
//! one first cuts it to the length that it had.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::Duration;

use zeroize::Zeroizing;

use super::lock_file::has_no_locks;
use super::private::{self, OpenMode};

/// What a journal needs of its file. Tests bring one that loses what was not synced.
pub(crate) trait JournalFile: Send {
    /// Adds `bytes` at the end.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Cuts the file to `len` bytes.
    fn cut(&mut self, len: u64) -> io::Result<()>;
    /// Returns when everything appended so far outlives a crash of the machine.
    fn sync(&mut self) -> io::Result<()>;
}

impl JournalFile for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.seek(SeekFrom::End(0))?;
        self.write_all(bytes)
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.set_len(len)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// Whether the file is locked for this process alone now. A program that is being started has every open file of this one for
/// a moment, and its locks with them, so a lock is asked for until that must be over.
fn lock(file: &File) -> io::Result<bool> {
    for wait in [0, 1, 4, 15, 30, 50] {
        std::thread::sleep(Duration::from_millis(wait));
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::Error(error)) if has_no_locks(&error) => return Ok(true),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) => {}
        }
    }
    Ok(false)
}

/// An open journal.
pub(crate) struct Journal {
    file: Box<dyn JournalFile>,
    /// Length in bytes of what is known to be whole.
    len: u64,
    /// Whether something may stand behind that.
    frayed: bool,
}

/// Outcome of [`Journal::open`].
pub(crate) enum OpenedJournal {
    /// The journal, and all its bytes.
    Free(Journal, Zeroizing<Vec<u8>>),
    /// Somebody else has it open.
    Taken,
}

impl Journal {
    /// A journal in `file`, of which `len` bytes are whole and nothing stands behind them.
    pub(crate) fn in_file(file: Box<dyn JournalFile>, len: u64) -> Self {
        Self {
            file,
            len,
            frayed: false,
        }
    }

    /// Makes the file at `path`, in a folder that is there, and never over another one. It begins with `bytes`.
    ///
    /// # Errors
    /// An [`io::Error`] of the system. A part of the file may be there then.
    pub(crate) fn create(path: &Path, bytes: &[u8]) -> io::Result<Self> {
        let file = private::open(path, OpenMode::New)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::Error(error)) if has_no_locks(&error) => {}
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) => return Err(io::ErrorKind::ResourceBusy.into()),
        }
        let mut journal = Self::in_file(Box::new(file), 0);
        journal.append(bytes)?;
        private::sync_folder_of(path)?;
        Ok(journal)
    }

    /// Opens the file at `path` and reads it.
    ///
    /// # Errors
    /// An [`io::Error`] of the system; [`io::ErrorKind::FileTooLarge`] when it has more than `max_len` bytes.
    pub(crate) fn open(path: &Path, max_len: u64) -> io::Result<OpenedJournal> {
        let mut file = private::open(path, OpenMode::There)?;
        if !lock(&file)? {
            return Ok(OpenedJournal::Taken);
        }
        let len = file.metadata()?.len();
        if len > max_len {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(len).unwrap_or(0)));
        (&mut file).take(max_len).read_to_end(&mut bytes)?;
        let len = bytes.len() as u64;
        Ok(OpenedJournal::Free(
            Self::in_file(Box::new(file), len),
            bytes,
        ))
    }

    /// Adds a record at the end; it is on the disk when this returns. Blocking.
    ///
    /// # Errors
    /// An [`io::Error`] of the system. The record does not count then.
    pub(crate) fn append(&mut self, record: &[u8]) -> io::Result<()> {
        if self.frayed {
            self.file.cut(self.len)?;
        }
        self.frayed = true;
        self.file.append(record)?;
        self.file.sync()?;
        self.frayed = false;
        self.len += record.len() as u64;
        Ok(())
    }

    /// Drops everything behind the first `len` bytes.
    ///
    /// # Errors
    /// An [`io::Error`] of the system.
    pub(crate) fn cut(&mut self, len: u64) -> io::Result<()> {
        if len < self.len || self.frayed {
            self.file.cut(len)?;
            self.file.sync()?;
        }
        self.len = self.len.min(len);
        self.frayed = false;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::tempdir;

    use super::*;

    /// A file of which a crash keeps what was synced. Some of its calls fail.
    #[derive(Default)]
    struct Fragile {
        written: Vec<u8>,
        fails_at: Option<usize>,
        appends: usize,
    }

    impl JournalFile for std::sync::Arc<parking_lot::Mutex<Fragile>> {
        fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
            let mut file = self.lock();
            file.appends += 1;
            if file.fails_at == Some(file.appends) {
                let half = bytes.len() / 2;
                file.written.extend_from_slice(&bytes[..half]);
                return Err(io::ErrorKind::StorageFull.into());
            }
            file.written.extend_from_slice(bytes);
            Ok(())
        }

        fn cut(&mut self, len: u64) -> io::Result<()> {
            self.lock().written.truncate(usize::try_from(len).unwrap());
            Ok(())
        }

        fn sync(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn opened(path: &Path) -> Option<(Journal, Vec<u8>)> {
        match Journal::open(path, 1_000).unwrap() {
            OpenedJournal::Free(journal, bytes) => Some((journal, bytes.to_vec())),
            OpenedJournal::Taken => None,
        }
    }

    #[test]
    fn records_follow_each_other_and_one_program_is_alone_with_them() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("journal");
        let mut journal = Journal::create(&path, b"one").unwrap();
        journal.append(b"two").unwrap();
        assert!(opened(&path).is_none(), "it is open already");
        assert!(Journal::create(&path, b"").is_err(), "never over another");
        drop(journal);
        let (mut journal, bytes) = opened(&path).unwrap();
        assert_eq!(bytes, b"onetwo");
        journal.cut(3).unwrap();
        journal.append(b"three").unwrap();
        drop(journal);
        assert_eq!(fs::read(&path).unwrap(), b"onethree");
        assert!(Journal::open(&path, 7).is_err(), "too long");
    }

    #[test]
    fn what_a_failed_append_left_is_cut_off_before_the_next_one() {
        let file = std::sync::Arc::new(parking_lot::Mutex::new(Fragile {
            fails_at: Some(2),
            ..Fragile::default()
        }));
        let mut journal = Journal::in_file(Box::new(std::sync::Arc::clone(&file)), 0);
        journal.append(b"first").unwrap();
        let failed = journal.append(b"second").unwrap_err();
        assert_eq!(failed.kind(), io::ErrorKind::StorageFull);
        assert_eq!(file.lock().written, b"firstsec");
        journal.append(b"third").unwrap();
        assert_eq!(file.lock().written, b"firstthird");
    }
}
