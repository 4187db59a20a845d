//! Removes what this program keeps of a person on this computer: settings, records, the history and its key in the system's
//! keyring, unfinished transfers and the built-in network.
//!
//! Only files of this program's own names go: `CLOAKROOM_HOME` can name a folder that holds other things too. Links are
//! removed and never followed.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use super::history_file::{self, ASIDE};
use super::keystore::{KeyId, KeyStore, KeyStoreError, Patient};
use super::unfinished::{self, UnfinishedError, UnfinishedTransfers};
use super::{history, owned, remembered};
use crate::app::operate::builtin::BuiltIn;
use crate::app::process::instance;
use crate::app::relays::{networks, store};
use crate::app::settings::{Home, older_settings_names};
use crate::disk::io_reason::IoReason;
use crate::disk::kept::{self, BROKEN};
use crate::disk::lock_file::{self, Tried};

/// The personal data that were found on this computer, ready to be removed.
pub struct PersonalData {
    home: Home,
    found: Vec<FoundData>,
    /// Keys of the histories that are there.
    keys: Vec<KeyId>,
}

/// One kind of data, and where it lies.
struct FoundData {
    kind: DataKind,
    paths: Vec<PathBuf>,
}

/// A kind of data that this program keeps of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataKind {
    /// The network inside the program, with the files that are stored in it.
    BuiltIn,
    /// The window's history, and its key.
    History,
    /// The first relays, and the lists of relays.
    Relays,
    /// The settings.
    Settings,
    /// By which this person can extend and delete what they shared.
    Shares,
    /// Transfers that were interrupted, with what has come of downloads.
    Unfinished,
}

/// Outcome of a removal.
#[derive(Debug, PartialEq, Eq)]
pub struct Removed {
    /// Files and folders that are gone.
    pub paths: Vec<PathBuf>,
    /// Folders that stay because something else is in them.
    pub left: Vec<PathBuf>,
}

/// Why something was not removed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RemovalError {
    /// This file or folder cannot be read or removed. What was removed before stays removed.
    #[error("{} cannot be removed: {why}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        why: IoReason,
    },
    /// A program of this person uses it at this moment. Nothing was removed.
    #[error("{0}")]
    InUse(InUse),
    /// The key of the history may still be in the keyring. Nothing was removed.
    #[error("the history's key cannot be removed: {0}")]
    Key(KeyStoreError),
}

/// Activity during which personal data are not removed.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum InUse {
    /// Another process runs the built-in network.
    #[error("the built-in network is running")]
    BuiltIn,
    /// Another process goes on with a transfer.
    #[error("a transfer is under way")]
    Transfer,
    /// The window is open.
    #[error("the window is open")]
    Window,
}

impl PersonalData {
    /// Looks for it in the folders of `home`. Blocking.
    ///
    /// # Errors
    /// [`RemovalError::InUse`], and [`RemovalError::File`] for a folder that cannot be read.
    pub fn find(home: Home) -> Result<Self, RemovalError> {
        check_unused(&home)?;
        let (config, data) = (names_in(&home.config_dir)?, names_in(&home.data_dir)?);
        let records = |folder: &Path, names: &[String], records: &[&str], aside: &str| {
            let is_one = |name: &&String| {
                let mut records = records.iter();
                records.any(|record| kept::is_file_of(record, aside, name))
            };
            let found = names.iter().filter(is_one);
            found.map(|name| folder.join(name)).collect::<Vec<_>>()
        };
        let in_data = |names: &[&str], aside| records(&home.data_dir, &data, names, aside);
        let relay_records = [
            remembered::FILE_NAME,
            networks::FILE_NAME,
            store::LISTS_NAME,
            store::NODES_NAME,
        ];
        let settings = home.config_file();
        let settings = settings.file_name().and_then(|name| name.to_str());
        let older = older_settings_names();
        let settings: Vec<&str> = settings
            .into_iter()
            .chain(older.iter().map(String::as_str))
            .collect();
        let mut relays = in_data(&relay_records, BROKEN);
        relays.extend(copied_lists_of(&home)?);
        let history = in_data(&[history::FILE_NAME], ASIDE);
        let keys = history.iter().filter_map(|file| key_of(file)).collect();
        let builtin = home.builtin_dir();
        let builtin = BuiltIn::key_in(&builtin).is_some().then_some(builtin);
        let kinds = [
            (
                DataKind::Settings,
                records(&home.config_dir, &config, &settings, BROKEN),
            ),
            (DataKind::History, history),
            (DataKind::Shares, in_data(&[owned::FILE_NAME], BROKEN)),
            (DataKind::Relays, relays),
            (DataKind::Unfinished, unfinished_of(&home)?),
            (DataKind::BuiltIn, builtin.into_iter().collect()),
        ];
        let found = kinds
            .into_iter()
            .filter(|(_, paths)| !paths.is_empty())
            .map(|(kind, paths)| FoundData { kind, paths })
            .collect();
        Ok(Self { home, found, keys })
    }

    /// The kinds that are there; none when there is nothing to remove.
    pub fn kinds(&self) -> impl Iterator<Item = DataKind> {
        self.found.iter().map(|found| found.kind)
    }

    /// Whether a history is there whose key cannot be told, because its file is damaged.
    #[must_use]
    pub fn has_unnamed_key(&self) -> bool {
        self.keys.is_empty() && self.kinds().any(|kind| kind == DataKind::History)
    }

    /// Removes all of it, the history's key in `keyring` first; without a keyring the key stays. Blocking, also while the
    /// keyring asks the person something.
    ///
    /// # Errors
    /// [`RemovalError`].
    pub fn remove(self, keyring: Option<Arc<dyn KeyStore>>) -> Result<Removed, RemovalError> {
        // No window opens meanwhile.
        let window = hold_window(&self.home)?;
        check_unused_but_window(&self.home)?;
        if let Some(keyring) = keyring {
            let keyring = Patient::new(keyring, KEYRING_PATIENCE);
            for key in &self.keys {
                keyring.forget(*key).map_err(RemovalError::Key)?;
            }
        }
        let mut removed = Removed {
            paths: Vec::new(),
            left: Vec::new(),
        };
        for path in self.found.iter().flat_map(|found| &found.paths) {
            remove(path)?;
            removed.paths.push(path.clone());
        }
        // Windows keeps the name of a removed file for as long as somebody has it open.
        drop(window);
        for name in instance::FILES {
            remove(&self.home.data_dir.join(name))?;
        }
        for folder in [unfinished::FOLDER, store::COPIES_NAME] {
            remove_folder(&self.home.data_dir.join(folder))?;
        }
        for folder in [&self.home.data_dir, &self.home.config_dir] {
            if !remove_folder(folder)? {
                removed.left.push(folder.clone());
            } else if let Some(above) = above(folder) {
                remove_folder(above)?;
            }
        }
        removed.left.dedup();
        Ok(removed)
    }
}

/// The folder with the program's name above `config` and `data`, which Windows has.
fn above(folder: &Path) -> Option<&Path> {
    let above = folder.parent()?;
    (cfg!(windows) && above.ends_with("Cloakroom")).then_some(above)
}

fn check_unused(home: &Home) -> Result<(), RemovalError> {
    if lock_file::is_held(&home.data_dir.join(instance::LOCK)) {
        return Err(RemovalError::InUse(InUse::Window));
    }
    check_unused_but_window(home)
}

fn check_unused_but_window(home: &Home) -> Result<(), RemovalError> {
    if BuiltIn::is_running_in(&home.builtin_dir()) {
        return Err(RemovalError::InUse(InUse::BuiltIn));
    }
    let unfinished = UnfinishedTransfers::of(home);
    // A folder that cannot be read is named when its files are looked for.
    for id in unfinished.ids().unwrap_or_default() {
        if matches!(unfinished.open(&id), Err(UnfinishedError::UnderWay)) {
            return Err(RemovalError::InUse(InUse::Transfer));
        }
    }
    Ok(())
}

/// Holds the window's lock where there is one; none on a file system without locks.
fn hold_window(home: &Home) -> Result<Option<File>, RemovalError> {
    let lock = home.data_dir.join(instance::LOCK);
    match lock_file::try_hold(&lock) {
        Ok(Tried::Held(file)) => Ok(Some(file)),
        Ok(Tried::NoLocks) => Ok(None),
        Ok(Tried::Taken) => Err(RemovalError::InUse(InUse::Window)),
        // There is no folder that a window could have its lock in.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(&lock)(error)),
    }
}

/// The key that a file of a history names.
fn key_of(file: &Path) -> Option<KeyId> {
    history_file::key_id(&fs::read(file).ok()?).ok()
}

/// The records of unfinished transfers, and the temporary files and folders of downloads.
fn unfinished_of(home: &Home) -> Result<Vec<PathBuf>, RemovalError> {
    let folder = home.data_dir.join(unfinished::FOLDER);
    let is_ours = |name: &String| {
        unfinished::is_record(name) || kept::is_file_of(unfinished::KEY_FILE, BROKEN, name)
    };
    let names = names_in(&folder)?;
    let temporaries = UnfinishedTransfers::of(home).temporaries();
    let temporaries = temporaries
        .into_iter()
        .filter(|path| fs::symlink_metadata(path).is_ok());
    // What they name is known only as long as they are there.
    let records = names
        .iter()
        .filter(|name| is_ours(name))
        .map(|name| folder.join(name));
    Ok(temporaries.chain(records).collect())
}

/// The copies of relay lists and of files that describe service nodes.
fn copied_lists_of(home: &Home) -> Result<Vec<PathBuf>, RemovalError> {
    let folder = home.data_dir.join(store::COPIES_NAME);
    let names = names_in(&folder)?;
    let copies = names.iter().filter(|name| store::is_copy(name));
    Ok(copies.map(|name| folder.join(name)).collect())
}

/// The names in `folder` that are text, in order; none when it is missing.
fn names_in(folder: &Path) -> Result<Vec<String>, RemovalError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed(folder))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(failed(folder))?.file_name();
        names.extend(name.into_string());
    }
    names.sort();
    Ok(names)
}

/// Removes a file, a link or a folder with all that is in it, if it is there.
fn remove(path: &Path) -> Result<(), RemovalError> {
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found.map_err(failed(path))?,
    };
    let removed = if found.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    removed.map_err(failed(path))
}

/// Removes an empty folder. Returns whether it is gone.
fn remove_folder(folder: &Path) -> Result<bool, RemovalError> {
    match fs::remove_dir(folder) {
        Ok(()) => Ok(true),
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound => Ok(true),
            // A link to a folder is the person's.
            io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotADirectory => Ok(false),
            _ => Err(failed(folder)(error)),
        },
    }
}

fn failed(path: &Path) -> impl Fn(io::Error) -> RemovalError {
    move |error| RemovalError::File {
        path: path.to_owned(),
        why: error.into(),
    }
}

/// How long a keyring may take that asks the person something.
const KEYRING_PATIENCE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use tempfile::{TempDir, tempdir};

    use super::super::history::tests::FakeKeyring;
    use super::super::keystore::HistoryKey;
    use super::*;
    use crate::app::process::instance::{Start, StartArguments};
    use crate::disk::{key_file, private};
    use crate::wire::random;

    /// A home with something of each kind, and with something of the person's own.
    struct Fixture {
        folder: TempDir,
        home: Home,
        keyring: Arc<FakeKeyring>,
        key: KeyId,
    }

    impl Fixture {
        fn new() -> Self {
            let folder = tempdir().unwrap();
            let home = Home {
                config_dir: folder.path().join("config"),
                data_dir: folder.path().join("data"),
            };
            let rng = &mut random::system();
            let (key, keyring) = (KeyId::generate(rng), Arc::new(FakeKeyring::default()));
            keyring.keep(&key, &HistoryKey::generate(rng)).unwrap();
            let mut history = b"cloakroom history\x01".to_vec();
            history.extend_from_slice(&key.0);
            let builtin = home.builtin_dir();
            private::make_folder(&builtin).unwrap();
            key_file::load_or_create(&builtin.join("server.key"), rng).unwrap();
            let fixture = Self {
                folder,
                home,
                keyring,
                key,
            };
            for name in ["config.toml", "config.v1"] {
                private::write(&fixture.home.config_dir.join(name), b"").unwrap();
            }
            fixture.write("history.sealed", &history);
            for name in [
                "builtin/store/blob/aa/a",
                "network.json",
                "owned.json",
                "owned.lock",
                "relay-lists/nodes-0123456789abcdef.toml",
                "relay-lists/nodes-0123456789abcdef.nodes.json",
                "resume/0123456789abcdef.transfer",
                "resume/key",
            ] {
                fixture.write(name, b"");
            }
            fixture
        }

        fn write(&self, name: &str, content: &[u8]) {
            private::write(&self.home.data_dir.join(name), content).unwrap();
        }

        fn find(&self) -> Result<PersonalData, RemovalError> {
            PersonalData::find(self.home.clone())
        }

        fn remove(&self) -> Result<Removed, RemovalError> {
            self.find()?.remove(Some(self.keyring.clone()))
        }

        fn has_key(&self) -> bool {
            self.keyring.load(&self.key).unwrap().is_some()
        }

        /// Everything in the folder, below it too.
        fn names(&self) -> Vec<PathBuf> {
            fn add(folder: &Path, names: &mut Vec<PathBuf>) {
                for entry in fs::read_dir(folder).unwrap() {
                    let path = entry.unwrap().path();
                    if path.is_dir() {
                        add(&path, names);
                    }
                    names.push(path);
                }
            }
            let mut names = Vec::new();
            add(self.folder.path(), &mut names);
            names.sort();
            names
        }
    }

    #[test]
    fn everything_goes_with_the_key_and_the_folders() {
        let fixture = Fixture::new();
        fixture.write("history.sealed.aside.1", b"");
        fixture.write(".owned.json.x7.part", b"");
        let kinds: Vec<_> = fixture.find().unwrap().kinds().collect();
        assert_eq!(kinds.len(), 6, "{kinds:?}");
        let removed = fixture.remove().unwrap();
        assert!(
            removed.left.is_empty() && removed.paths.len() == 13,
            "{removed:?}"
        );
        assert_eq!(fixture.names(), Vec::<PathBuf>::new());
        assert!(!fixture.has_key());
        assert_eq!(fixture.find().unwrap().kinds().count(), 0);
        assert!(fixture.remove().unwrap().paths.is_empty());
    }

    #[test]
    fn what_is_not_of_this_program_stays_and_is_told() {
        let fixture = Fixture::new();
        let own = ["owned.jsonl", "photo.jpg", "resume/cv.pdf", "settings.lock"];
        for name in own {
            fixture.write(name, b"");
        }
        let removed = fixture.remove().unwrap();
        let data = &fixture.home.data_dir;
        assert_eq!(removed.left, std::slice::from_ref(data));
        let mut stay = vec![data.clone(), data.join("resume")];
        stay.extend(own.iter().map(|name| data.join(name)));
        stay.sort();
        assert_eq!(fixture.names(), stay);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_goes_and_what_it_leads_to_stays() {
        let fixture = Fixture::new();
        let elsewhere = tempdir().unwrap();
        let precious = elsewhere.path().join("config.toml");
        fs::write(&precious, "precious").unwrap();
        let config = fixture.home.config_file();
        fs::remove_file(&config).unwrap();
        std::os::unix::fs::symlink(&precious, &config).unwrap();
        fixture.remove().unwrap();
        assert!(fs::symlink_metadata(&config).is_err());
        assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
    }

    #[test]
    fn nothing_goes_while_a_window_is_open() {
        let fixture = Fixture::new();
        let found_before = fixture.find().unwrap();
        let data = &fixture.home.data_dir;
        let Ok(Start::First(window)) = instance::start(data, &StartArguments::default()) else {
            panic!("there is another window");
        };
        let before = fixture.names();
        let in_use = RemovalError::InUse(InUse::Window);
        assert_eq!(fixture.remove().unwrap_err(), in_use);
        // It was opened while the person was asked.
        let removed = found_before.remove(Some(fixture.keyring.clone()));
        assert_eq!(removed.unwrap_err(), in_use);
        assert_eq!(fixture.names(), before);
        assert!(fixture.has_key());
        drop(window);
        fixture.remove().unwrap();
        assert_eq!(fixture.names(), Vec::<PathBuf>::new());
    }

    #[test]
    fn nothing_goes_while_the_built_in_network_runs() {
        let fixture = Fixture::new();
        let lock = lock_file::hold(&fixture.home.builtin_dir().join("lock")).unwrap();
        let in_use = RemovalError::InUse(InUse::BuiltIn);
        assert_eq!(fixture.remove().unwrap_err(), in_use);
        drop(lock);
        fixture.remove().unwrap();
    }

    #[test]
    fn a_key_that_cannot_be_removed_keeps_everything_unless_it_is_to_stay() {
        let fixture = Fixture::new();
        fixture.keyring.refuse(Some(KeyStoreError::Refused));
        let refused = RemovalError::Key(KeyStoreError::Refused);
        assert_eq!(fixture.remove().unwrap_err(), refused);
        assert!(fixture.home.data_dir.join("history.sealed").exists());
        fixture.find().unwrap().remove(None).unwrap();
        assert_eq!(fixture.names(), Vec::<PathBuf>::new());
        fixture.keyring.refuse(None);
        assert!(fixture.has_key());
    }

    #[test]
    fn a_damaged_history_names_no_key_and_that_is_told() {
        let fixture = Fixture::new();
        assert!(!fixture.find().unwrap().has_unnamed_key());
        fixture.write("history.sealed", b"damaged");
        assert!(fixture.find().unwrap().has_unnamed_key());
        fixture.remove().unwrap();
        assert!(fixture.has_key());
    }
}
