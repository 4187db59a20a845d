//! One record of this person in one file: how it is read, changed and written, and what happens when it cannot be read. What
//! records there are and what they hold is for the rooms above to say, most of it in `app::kept`.
//!
//! Several programs of one person may run at once, so the file is the truth: whoever changes a record holds its lock, reads
//! it anew, changes that and writes it whole. All records make the same promises. A file that is missing is told from one
//! that cannot be read. One that cannot be read is never written over, and whoever wanted to use it is told; only a
//! [`PutAside`] record can be moved out of the way. One that a newer version wrote stays where it is. A file system without
//! locks changes none of this: there, of two changes at the same moment the later one wins.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroizing;

use super::io_reason::IoReason;
use super::{lock_file, private};

/// A file that is there and cannot be used. It is left as it is.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{} cannot be used: {why}", file.display())]
pub struct UnreadFile<W = UnreadReason> {
    /// Path of the file.
    pub file: PathBuf,
    /// Why it cannot be used.
    pub why: W,
}

/// Why a file that is there cannot be used.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum UnreadReason {
    /// The file is not what this program writes.
    #[error("it is damaged")]
    Damaged,
    /// A newer version wrote it.
    #[error("it was written by a newer version")]
    Newer,
    /// The system would not let it be read.
    #[error("it cannot be read: {0}")]
    Read(IoReason),
}

/// Why a record was not changed. Its file is as it was before.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ChangeError<W = UnreadReason> {
    /// The file cannot be read, so that the change would write over what is in it.
    #[error(transparent)]
    Unread(#[from] UnreadFile<W>),
    /// The file, its folder or its lock cannot be written.
    #[error("it cannot be written: {0}")]
    Write(IoReason),
}

impl<W> From<io::Error> for ChangeError<W> {
    fn from(error: io::Error) -> Self {
        Self::Write(error.into())
    }
}

/// What a file of this program holds, in a form with a version.
pub trait Record: Sized {
    /// Why a file does not hold such a record.
    type Why: From<UnreadReason> + PartialEq;

    /// Length of the longest file that is read or written, in bytes.
    const MAX_LEN_BYTES: u64 = 64 * 1024 * 1024;

    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// Why they are no such record: damaged, or of a newer version.
    fn parse(bytes: &[u8]) -> Result<Self, Self::Why>;

    /// Returns the bytes of the file that holds this record. Some are secret.
    ///
    /// # Errors
    /// An [`io::Error`] for a record that has no such form.
    fn to_bytes(&self) -> io::Result<Zeroizing<Vec<u8>>>;
}

/// A record whose file is a JSON object with a `version`; one without is of version 1.
pub(crate) trait JsonRecord: Serialize + DeserializeOwned {
    /// The newest version that this program reads, and the one that it writes.
    const VERSION: u32;
}

impl<T: JsonRecord> Record for T {
    type Why = UnreadReason;

    fn parse(bytes: &[u8]) -> Result<Self, UnreadReason> {
        check_json_version(bytes, Self::VERSION)?;
        serde_json::from_slice(bytes).map_err(|_other_json| UnreadReason::Damaged)
    }

    fn to_bytes(&self) -> io::Result<Zeroizing<Vec<u8>>> {
        Ok(Zeroizing::new(serde_json::to_vec_pretty(self)?))
    }
}

/// Checks that `bytes` are JSON of `newest` version or an older one.
///
/// # Errors
/// [`UnreadReason::Damaged`] and [`UnreadReason::Newer`].
pub(crate) fn check_json_version(bytes: &[u8], newest: u32) -> Result<(), UnreadReason> {
    #[derive(Deserialize)]
    struct VersionOnly {
        #[serde(default = "first")]
        version: u32,
    }
    const fn first() -> u32 {
        1
    }
    match serde_json::from_slice::<VersionOnly>(bytes) {
        Ok(written) if written.version > newest => Err(UnreadReason::Newer),
        Ok(_) => Ok(()),
        Err(_other_json) => Err(UnreadReason::Damaged),
    }
}

/// A record without which the program can go on once the person was told, so that its file may be put aside. What decides
/// who sees what of this person, or cannot be had again, is none.
pub trait PutAside: Record {
    /// How many files are put aside at most; after that the newest one stays where it is.
    const MAX_ASIDE: u32 = 100;

    /// Returns what the name of the file gets as its ending when `number` files were put aside before.
    #[must_use]
    fn aside_ending(number: u32) -> String {
        match number {
            0 => BROKEN.to_owned(),
            _ => format!("{BROKEN}.{number}"),
        }
    }
}

/// Start of the ending that the name of a file gets when it is put aside, unless its record has another.
pub(crate) const BROKEN: &str = ".broken";

/// The record in one file. The file need not be there yet.
pub struct Kept<T> {
    file: PathBuf,
    lock: PathBuf,
    record: PhantomData<fn() -> T>,
}

impl<T: Record> Kept<T> {
    /// The record in `file`. Its lock is the file of the same name that ends in `.lock`.
    #[must_use]
    pub(crate) fn in_file(file: PathBuf) -> Self {
        Self {
            lock: file.with_extension("lock"),
            file,
            record: PhantomData,
        }
    }

    /// The path of its file.
    #[must_use]
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Returns the record; `None` when there is no file. A link that leads nowhere, as to a disk that is not connected, is a
    /// file that cannot be read. Blocking.
    ///
    /// # Errors
    /// [`UnreadFile`].
    pub(crate) fn read(&self) -> Result<Option<T>, UnreadFile<T::Why>> {
        let bytes = match read_up_to(T::MAX_LEN_BYTES, &self.file) {
            Ok(bytes) => bytes,
            Err(error)
                if error.kind() == io::ErrorKind::NotFound
                    && fs::symlink_metadata(&self.file).is_err() =>
            {
                return Ok(None);
            }
            Err(error) => return Err(self.unread(UnreadReason::Read(error.into()).into())),
        };
        T::parse(&bytes).map(Some).map_err(|why| self.unread(why))
    }

    /// What is wrong with the file, for whoever is told.
    #[must_use]
    pub(crate) fn unread(&self, why: T::Why) -> UnreadFile<T::Why> {
        UnreadFile {
            file: self.file.clone(),
            why,
        }
    }

    /// Waits until no other program changes the record; none does until the returned lock is dropped. `None` on a file
    /// system without locks.
    ///
    /// # Errors
    /// An [`io::Error`] when the folder or the lock file cannot be made.
    pub(crate) fn hold(&self) -> io::Result<Option<File>> {
        private::make_folder(private::folder_of(&self.file))?;
        lock_file::hold(&self.lock)
    }

    /// Holds the record and reads it, to be changed and saved. Blocking while another program changes it.
    ///
    /// # Errors
    /// [`ChangeError`].
    pub(crate) fn begin(&self) -> Result<Draft<'_, T>, ChangeError<T::Why>> {
        let held = self.hold()?;
        let record = self.read()?;
        let before = record.as_ref().map(T::to_bytes).transpose()?;
        Ok(Draft {
            record,
            kept: self,
            before,
            _held: held,
        })
    }

    /// Changes the record, or the empty one when there is no file, as one step whatever other programs do. Nothing is
    /// written when the record stays as it was. Blocking while another program changes it.
    ///
    /// # Errors
    /// [`ChangeError`]. After [`ChangeError::Unread`], `change` has not been called.
    pub(crate) fn change<R>(
        &self,
        change: impl FnOnce(&mut T) -> R,
    ) -> Result<R, ChangeError<T::Why>>
    where
        T: Default,
    {
        let mut draft = self.begin()?;
        let done = change(draft.record.get_or_insert_default());
        draft.save()?;
        Ok(done)
    }

    /// Writes `record` over whatever the file holds, for a record that one program has alone and has read. Blocking.
    ///
    /// # Errors
    /// An [`io::Error`]; the old file is untouched then.
    pub(crate) fn replace(&self, record: &T) -> io::Result<()> {
        self.write(&record.to_bytes()?)
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        if bytes.len() as u64 > T::MAX_LEN_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        private::write(&self.file, bytes)
    }
}

impl<T: PutAside> Kept<T> {
    /// Moves the file out of the way, whatever is in it, under a name beside it, and returns where it is then. Whoever shares
    /// the record with other programs holds it meanwhile.
    ///
    /// # Errors
    /// [`ChangeError::Unread`] for a file that a newer version wrote, which stays for that version, and
    /// [`ChangeError::Write`]. The file is where it was then.
    pub(crate) fn put_aside(&self) -> Result<PathBuf, ChangeError<T::Why>> {
        if let Err(unread) = self.read()
            && unread.why == UnreadReason::Newer.into()
        {
            return Err(unread.into());
        }
        let name = self.file.file_name().unwrap_or_default();
        let names = (0..T::MAX_ASIDE).map(|number| {
            let mut aside = name.to_owned();
            aside.push(T::aside_ending(number));
            aside
        });
        Ok(private::move_beside(&self.file, names)?)
    }
}

/// A record that was read to be changed. No other program changes it meanwhile.
pub struct Draft<'a, T> {
    /// The record as its file has it; `None` when there is no file.
    pub record: Option<T>,
    kept: &'a Kept<T>,
    before: Option<Zeroizing<Vec<u8>>>,
    _held: Option<File>,
}

impl<T: Record> Draft<'_, T> {
    /// Writes the record if it is another one than before. No record is written as no file, and removes none.
    ///
    /// # Errors
    /// An [`io::Error`]; the old file is untouched then.
    pub(crate) fn save(self) -> io::Result<()> {
        let after = self.record.as_ref().map(T::to_bytes).transpose()?;
        match after {
            Some(after) if self.before.as_ref() != Some(&after) => self.kept.write(&after),
            _ => Ok(()),
        }
    }
}

/// Whether `name` is that of a file of the record in the file called `record`, in the same folder: the file itself, its lock,
/// one that was put aside with an ending that begins with `aside`, or what a killed program left of writing it.
#[must_use]
pub(crate) fn is_file_of(record: &str, aside: &str, name: &str) -> bool {
    let is_beside = |rest: &str| rest.is_empty() || rest.starts_with(aside);
    name.strip_prefix(record).is_some_and(is_beside)
        || Path::new(name) == Path::new(record).with_extension("lock")
        || private::is_temporary_of(record, name)
}

fn read_up_to(max_len_bytes: u64, path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = File::open(path)?;
    let len = file.metadata()?.len();
    // With room for all of it, no half-read copy of a secret stays behind in memory.
    let room = len.min(max_len_bytes).saturating_add(1);
    let mut bytes = Zeroizing::new(Vec::with_capacity(
        usize::try_from(room).unwrap_or_default(),
    ));
    file.take(max_len_bytes.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max_len_bytes {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use tempfile::{TempDir, tempdir};

    use super::*;

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    struct Number {
        number: u32,
    }

    impl JsonRecord for Number {
        const VERSION: u32 = 3;
    }

    impl PutAside for Number {
        const MAX_ASIDE: u32 = 2;
    }

    fn kept(folder: &TempDir) -> Kept<Number> {
        Kept::in_file(folder.path().join("new/number.json"))
    }

    fn add_one(kept: &Kept<Number>) -> Result<u32, ChangeError> {
        kept.change(|record| {
            record.number += 1;
            record.number
        })
    }

    #[test]
    fn a_record_is_changed_as_its_file_has_it() {
        let folder = tempdir().unwrap();
        let kept = kept(&folder);
        assert_eq!(kept.read().unwrap(), None);
        assert_eq!(add_one(&kept), Ok(1));
        private::replace(kept.file(), br#"{"version":3,"number":7}"#).unwrap();
        assert_eq!(add_one(&kept), Ok(8));
        assert_eq!(kept.read().unwrap(), Some(Number { number: 8 }));
    }

    #[test]
    fn what_stays_as_it_was_is_not_written() {
        let folder = tempdir().unwrap();
        let kept = kept(&folder);
        kept.change(|_same| ()).unwrap();
        assert_eq!(kept.read().unwrap(), Some(Number::default()));
        let by_hand = " {\"number\" : 7}";
        fs::write(kept.file(), by_hand).unwrap();
        kept.change(|record| record.number = 7).unwrap();
        assert_eq!(fs::read_to_string(kept.file()).unwrap(), by_hand);
        fs::remove_file(kept.file()).unwrap();
        kept.begin().unwrap().save().unwrap();
        assert!(!kept.file().exists());
    }

    #[test]
    fn many_at_once_lose_nothing() {
        let folder = tempdir().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| add_one(&kept(&folder)).unwrap());
            }
        });
        assert_eq!(kept(&folder).read().unwrap(), Some(Number { number: 8 }));
    }

    #[test]
    fn what_is_too_long_is_neither_read_nor_written() {
        struct Short(usize);
        impl Record for Short {
            type Why = UnreadReason;
            const MAX_LEN_BYTES: u64 = 4;
            fn parse(bytes: &[u8]) -> Result<Self, UnreadReason> {
                Ok(Self(bytes.len()))
            }
            fn to_bytes(&self) -> io::Result<Zeroizing<Vec<u8>>> {
                Ok(Zeroizing::new(vec![0; self.0]))
            }
        }
        let folder = tempdir().unwrap();
        let kept = Kept::<Short>::in_file(folder.path().join("short"));
        kept.replace(&Short(4)).unwrap();
        assert!(kept.replace(&Short(5)).is_err());
        assert_eq!(kept.read().unwrap().unwrap().0, 4);
        private::replace(kept.file(), &[0; 5]).unwrap();
        let too_long = UnreadReason::Read(io::ErrorKind::FileTooLarge.into());
        assert_eq!(kept.read().err().unwrap().why, too_long);
    }

    #[test]
    fn a_damaged_file_goes_aside_under_a_name_of_its_own_while_there_are_names() {
        let folder = tempdir().unwrap();
        let kept = kept(&folder);
        for ending in ["json.broken", "json.broken.1"] {
            private::write(kept.file(), ending.as_bytes()).unwrap();
            let aside = kept.put_aside().unwrap();
            assert_eq!(aside, kept.file().with_extension(ending));
            assert_eq!(fs::read_to_string(aside).unwrap(), ending);
            assert_eq!(kept.read().unwrap(), None);
        }
        private::write(kept.file(), b"stays").unwrap();
        assert!(matches!(kept.put_aside(), Err(ChangeError::Write(_))));
        assert_eq!(fs::read_to_string(kept.file()).unwrap(), "stays");
    }

    #[test]
    fn a_newer_versions_file_is_not_put_aside() {
        let folder = tempdir().unwrap();
        let kept = kept(&folder);
        private::write(kept.file(), br#"{"version":4}"#).unwrap();
        let newer = ChangeError::Unread(kept.unread(UnreadReason::Newer));
        assert_eq!(kept.put_aside(), Err(newer.clone()));
        assert_eq!(add_one(&kept), Err(newer));
        assert!(kept.file().exists());
    }
}
