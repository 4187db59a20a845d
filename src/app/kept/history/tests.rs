//! The history against a keyring that works, refuses, forgets or hangs.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::{TempDir, tempdir};

use super::history_file::tests::{json, received, receiving, shared, sharing};
use super::*;
use crate::disk::kept::Record as _;

/// A keyring in memory.
#[derive(Default)]
pub(in crate::app::kept) struct FakeKeyring {
    keys: Mutex<BTreeMap<String, Vec<u8>>>,
    trouble: Mutex<Option<KeyStoreError>>,
    forgetful: bool,
    asked: AtomicUsize,
}

impl FakeKeyring {
    /// Refuses everything for this reason from now on, or nothing.
    pub(in crate::app::kept) fn refuse(&self, why: Option<KeyStoreError>) {
        *self.trouble.lock() = why;
    }

    fn ready(&self) -> Result<(), KeyStoreError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let trouble = *self.trouble.lock();
        trouble.map_or(Ok(()), Err)
    }
}

impl KeyStore for FakeKeyring {
    fn load(&self, id: &KeyId) -> Result<Option<HistoryKey>, KeyStoreError> {
        self.ready()?;
        let kept = self.keys.lock().get(&id.name()).cloned();
        Ok(kept.and_then(HistoryKey::from_bytes))
    }

    fn keep(&self, id: &KeyId, key: &HistoryKey) -> Result<(), KeyStoreError> {
        self.ready()?;
        if !self.forgetful {
            let mut keys = self.keys.lock();
            keys.insert(id.name(), key.as_bytes().to_vec());
        }
        Ok(())
    }

    fn forget(&self, id: &KeyId) -> Result<(), KeyStoreError> {
        self.ready()?;
        self.keys.lock().remove(&id.name());
        Ok(())
    }
}

/// A keyring that waits for a person who is not there.
struct Hanging(Mutex<Receiver<()>>);

impl Hanging {
    fn hang<T>(&self) -> Result<T, KeyStoreError> {
        self.0.lock().recv().ok();
        Err(KeyStoreError::Refused)
    }
}

impl KeyStore for Hanging {
    fn load(&self, _: &KeyId) -> Result<Option<HistoryKey>, KeyStoreError> {
        self.hang()
    }
    fn keep(&self, _: &KeyId, _: &HistoryKey) -> Result<(), KeyStoreError> {
        self.hang()
    }
    fn forget(&self, _: &KeyId) -> Result<(), KeyStoreError> {
        self.hang()
    }
}

const NOW: u64 = 1_800_001_000;

fn history(folder: &TempDir, keys: Arc<dyn KeyStore>) -> (History, Receiver<News>) {
    let (tell, news) = channel();
    let tell: TellNews = Box::new(move |said| tell.send(said).unwrap());
    let patience = Duration::from_secs(20);
    let data = folder.path().join("data");
    let history = History::start(data, keys, patience, Arc::new(|| NOW), tell).unwrap();
    (history, news)
}

/// Does something with a history in `folder` and returns all that it said.
fn during(folder: &TempDir, keys: &Arc<FakeKeyring>, work: impl FnOnce(&History)) -> Vec<News> {
    let (history, news) = history(folder, Arc::clone(keys) as Arc<dyn KeyStore>);
    work(&history);
    assert!(history.close(Duration::from_secs(20)));
    news.into_iter().collect()
}

/// Turns a history on and adds the share `a`.
fn keep_one(history: &History) {
    history.turn_on();
    history.add(shared(1, "a"));
}

fn entries(news: &[News]) -> Option<&[HistoryEntry]> {
    news.iter().find_map(|news| match news {
        News::Entries(entries) => Some(entries.as_slice()),
        _ => None,
    })
}

fn last_status(news: &[News]) -> Option<HistoryStatus> {
    news.iter().rev().find_map(|news| match news {
        News::Status(status) => Some(*status),
        _ => None,
    })
}

fn aside(news: &[News]) -> Option<&DamagedHistory> {
    news.iter().find_map(|news| match news {
        News::Aside(aside) => Some(aside),
        _ => None,
    })
}

fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("data").join(FILE_NAME)
}

#[test]
fn shares_and_receives_survive_a_restart_newest_first() {
    let folder = tempdir().unwrap();
    let keys = Arc::new(FakeKeyring::default());
    let news = during(&folder, &keys, |history| {
        history.turn_on();
        history.add(shared(1, "a"));
        history.add(received(2, "b"));
        history.add(shared(3, "c"));
        history.forget(EntryId(1));
    });
    assert!(entries(&news).is_none());
    assert_eq!(last_status(&news), Some(HistoryStatus::Kept));

    let news = during(&folder, &keys, History::turn_on);
    let kept = entries(&news).unwrap();
    assert_eq!(json(kept), json(&[shared(3, "c"), received(2, "b")]));
    let News::Status(HistoryStatus::Waiting) = news[0] else {
        panic!("the keyring is waited for before anything else")
    };
}

#[cfg(unix)]
#[test]
fn the_file_is_readable_by_nobody_else_and_shows_nothing() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempdir().unwrap();
    let keys = Arc::new(FakeKeyring::default());
    during(&folder, &keys, |history| {
        history.turn_on();
        history.add(shared(1, "name-of-a-file"));
    });
    let bytes = fs::read(file(&folder)).unwrap();
    for clear in [&b"cloak1"[..], b"name-of", b"example"] {
        assert!(!bytes.windows(clear.len()).any(|window| window == clear));
    }
    let mode = fs::metadata(file(&folder)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(fs::read_dir(folder.path().join("data")).unwrap().count(), 1);
}

#[test]
fn a_history_that_is_off_asks_no_keyring_and_writes_nothing() {
    let folder = tempdir().unwrap();
    let keys = Arc::new(FakeKeyring::default());
    during(&folder, &keys, |history| history.add(shared(1, "a")));
    let news = during(&folder, &keys, |history| {
        history.turn_on();
        history.turn_off();
        history.add(shared(1, "a"));
    });
    assert_eq!(last_status(&news), Some(HistoryStatus::Off));
    assert_eq!(keys.asked.load(Ordering::SeqCst), 0);
    assert!(!file(&folder).exists());
}

#[test]
fn without_a_keyring_the_history_lasts_for_the_session_and_the_file_stays() {
    let folder = tempdir().unwrap();
    let keys = Arc::new(FakeKeyring::default());
    during(&folder, &keys, keep_one);
    let before = fs::read(file(&folder)).unwrap();
    *keys.trouble.lock() = Some(KeyStoreError::Missing);
    let news = during(&folder, &keys, |history| {
        history.turn_on();
        history.add(shared(2, "b"));
    });
    let missing = HistoryStatus::SessionOnly(SessionOnly::Keyring(KeyStoreError::Missing));
    assert_eq!(last_status(&news), Some(missing));
    assert_eq!(fs::read(file(&folder)).unwrap(), before);

    *keys.trouble.lock() = None;
    let news = during(&folder, &keys, History::turn_on);
    assert_eq!(json(entries(&news).unwrap()), json(&[shared(1, "a")]));
}

#[test]
fn a_keyring_that_keeps_nothing_is_noticed_before_anything_is_written() {
    let folder = tempdir().unwrap();
    let keys = Arc::new(FakeKeyring {
        forgetful: true,
        ..FakeKeyring::default()
    });
    let news = during(&folder, &keys, keep_one);
    let refused = HistoryStatus::SessionOnly(SessionOnly::Keyring(KeyStoreError::Refused));
    assert_eq!(last_status(&news), Some(refused));
    assert!(!file(&folder).exists());
}

#[test]
fn a_keyring_that_hangs_is_given_up() {
    let folder = tempdir().unwrap();
    let (_never, hang) = channel();
    let (tell, news) = channel();
    let tell: TellNews = Box::new(move |said| tell.send(said).unwrap());
    let keys = Arc::new(Hanging(Mutex::new(hang)));
    let patience = Duration::from_millis(5);
    let history = History::start(
        folder.path().to_owned(),
        keys,
        patience,
        Arc::new(|| NOW),
        tell,
    )
    .unwrap();
    history.turn_on();
    history.add(shared(1, "a"));
    assert!(history.close(Duration::from_secs(20)));
    let news: Vec<News> = news.into_iter().collect();
    let timed_out = HistoryStatus::SessionOnly(SessionOnly::Keyring(KeyStoreError::TimedOut));
    assert_eq!(last_status(&news), Some(timed_out));
}

#[test]
fn a_file_that_cannot_be_read_is_kept_aside_and_a_new_one_begun() {
    let folder = tempdir().unwrap();
    let keys = Arc::new(FakeKeyring::default());
    during(&folder, &keys, keep_one);
    let whole = fs::read(file(&folder)).unwrap();
    let mut damaged = whole;
    *damaged.last_mut().unwrap() ^= 1;
    for (number, (bytes, why)) in [
        (damaged, AsideReason::File(HistoryFileError::Damaged)),
        (b"{}".to_vec(), AsideReason::File(HistoryFileError::Damaged)),
    ]
    .into_iter()
    .enumerate()
    {
        fs::write(file(&folder), &bytes).unwrap();
        let news = during(&folder, &keys, keep_one);
        let put = aside(&news).unwrap();
        assert_eq!(put.why, why);
        let kept = put.kept.clone().unwrap();
        assert!(kept.ends_with(format!("{FILE_NAME}.aside.{number}")));
        assert_eq!(fs::read(kept).unwrap(), bytes);
        assert_eq!(last_status(&news), Some(HistoryStatus::Kept));
    }
    keys.keys.lock().clear();
    let news = during(&folder, &keys, History::turn_on);
    assert_eq!(aside(&news).unwrap().why, AsideReason::NoKey);
    assert!(!file(&folder).exists());
}

#[test]
fn a_file_of_a_newer_version_stays_where_it_finds_it() {
    let folder = tempdir().unwrap();
    let keys = Arc::new(FakeKeyring::default());
    during(&folder, &keys, keep_one);
    let mut newer = fs::read(file(&folder)).unwrap();
    newer[17] = 2;
    fs::write(file(&folder), &newer).unwrap();
    let news = during(&folder, &keys, keep_one);
    let left = DamagedHistory {
        why: AsideReason::File(HistoryFileError::Newer),
        kept: None,
    };
    assert_eq!(aside(&news), Some(&left));
    let session_only = HistoryStatus::SessionOnly(SessionOnly::Newer);
    assert_eq!(last_status(&news), Some(session_only));
    assert_eq!(fs::read(file(&folder)).unwrap(), newer);
}

/// As on a disk that is not connected.
#[cfg(unix)]
#[test]
fn a_link_that_leads_nowhere_is_no_missing_history() {
    let folder = tempdir().unwrap();
    let keys = Arc::new(FakeKeyring::default());
    let link = file(&folder);
    fs::create_dir(link.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink("/nowhere/history", &link).unwrap();
    let news = during(&folder, &keys, keep_one);
    assert!(matches!(
        last_status(&news),
        Some(HistoryStatus::SessionOnly(SessionOnly::File(_)))
    ));
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
}

#[test]
fn wiping_leaves_neither_files_nor_key() {
    let folder = tempdir().unwrap();
    let keys = Arc::new(FakeKeyring::default());
    for off in [false, true] {
        during(&folder, &keys, keep_one);
        fs::write(folder.path().join("data/history.sealed.aside.0"), b"x").unwrap();
        fs::write(folder.path().join("data/other"), b"x").unwrap();
        let news = during(&folder, &keys, |history| {
            if !off {
                history.turn_on();
            }
            history.wipe();
        });
        assert!(news.iter().any(|news| matches!(news, News::Wiped(Ok(())))));
        let left = fs::read_dir(folder.path().join("data")).unwrap().count();
        assert_eq!(left, 1, "what is not the history's stays");
        assert!(keys.keys.lock().is_empty());
    }
    let news = during(&folder, &keys, |history| {
        history.turn_on();
        history.wipe();
        history.add(shared(2, "b"));
    });
    assert_eq!(last_status(&news), Some(HistoryStatus::Kept));
    assert_eq!(
        json(entries(&during(&folder, &keys, History::turn_on)).unwrap()),
        json(&[shared(2, "b")])
    );
}

#[test]
fn no_clock_makes_an_entry_go() {
    let folder = tempdir().unwrap();
    let keys = Arc::new(FakeKeyring::default());
    let expired = |id, expires| {
        let mut entry = shared(id, "a");
        if let What::Shared { expires: at, .. } = &mut entry.what {
            *at = Some(expires);
        }
        entry
    };
    during(&folder, &keys, |history| {
        history.turn_on();
        history.add(expired(1, 0));
        history.add(expired(2, NOW - 1));
    });
    let news = during(&folder, &keys, History::turn_on);
    let ids: Vec<u64> = entries(&news)
        .unwrap()
        .iter()
        .map(|kept| kept.id.0)
        .collect();
    assert_eq!(ids, [2, 1]);
}

#[test]
fn the_oldest_make_room() {
    let mut store = HistoryStore {
        folder: PathBuf::new(),
        file: Kept::in_file(PathBuf::from("h")),
        keys: Patient::new(Arc::new(FakeKeyring::default()), Duration::from_secs(20)),
        state: HistoryState::Kept {
            key: None,
            entries: (0..MAX_ENTRIES as u64).map(|id| shared(id, "a")).collect(),
        },
    };
    let (orders, queue) = channel();
    orders
        .send(HistoryCommand::Add(shared(5_000, "new")))
        .unwrap();
    drop(orders);
    let folder = tempdir().unwrap();
    let file = folder.path().join("h");
    store.file = Kept::in_file(file.clone());
    store.serve(&queue, &|_| ());
    assert!(fs::metadata(file).unwrap().len() < SealedHistory::MAX_LEN_BYTES);
}

#[test]
fn an_export_says_that_it_holds_keys_and_is_for_nobody_else() {
    let folder = tempdir().unwrap();
    let keys = Arc::new(FakeKeyring::default());
    let to = folder.path().join("export.json");
    let news = during(&folder, &keys, |history| {
        history.turn_on();
        history.add(shared(1, "a.txt"));
        history.add(received(2, "b.txt"));
        history.exporter()(to.clone());
    });
    assert!(
        news.iter()
            .any(|news| matches!(news, News::Exported(Ok(2))))
    );
    let text = fs::read_to_string(&to).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(value["note"].as_str().unwrap().contains("key"));
    assert_eq!(value["entries"][0]["shared"]["pointer"], "cloak1secret1");
    let path = &value["entries"][1]["received"]["path"];
    let kept = Path::new("/home/ada/Downloads").join("b.txt");
    assert_eq!(path.as_str(), kept.to_str());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(
            fs::metadata(&to).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
}

#[test]
fn a_share_that_is_kept_longer_is_so_after_a_restart() {
    let folder = tempdir().unwrap();
    let keys = Arc::new(FakeKeyring::default());
    during(&folder, &keys, |history| {
        history.turn_on();
        history.add(shared(1, "a"));
        history.add(received(2, "b"));
        history.expires(EntryId(1), NOW + 77);
        history.expires(EntryId(2), NOW + 77);
    });
    let news = during(&folder, &keys, History::turn_on);
    let expires: Vec<Option<u64>> = entries(&news)
        .unwrap()
        .iter()
        .map(|entry| match entry.what {
            What::Shared { expires, .. } => expires,
            What::Received { .. } | What::Receiving { .. } | What::Sharing { .. } => None,
        })
        .collect();
    assert_eq!(expires, [None, Some(NOW + 77)]);
}

#[test]
fn what_is_finished_takes_the_place_of_what_was_not() {
    let folder = tempdir().unwrap();
    let keys = Arc::new(FakeKeyring::default());
    during(&folder, &keys, |history| {
        history.turn_on();
        history.add(sharing(1, "a"));
        history.add(receiving(2, "b"));
        history.add(shared(1, "a"));
    });
    let news = during(&folder, &keys, History::turn_on);
    assert_eq!(
        json(entries(&news).unwrap()),
        json(&[receiving(2, "b"), shared(1, "a")])
    );
}
