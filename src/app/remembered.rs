//! What is kept in `network.json` of the data folder: relays and servers as this person's programs came to know them.
//!
//! Several programs of one person may run at once, so the file is the truth: whoever changes something holds a lock,
//! reads it again, changes that and writes it whole. A file that a newer version wrote is left alone, and what is
//! learned lasts as long as the program then.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use tracing::debug;

use super::private_file;
use crate::protocol::file_api::ServerInfo;
use crate::protocol::path::{Drawing, Learned, NewGuardRefused, RelayMemory, StoredError};
use crate::protocol::relay_list::RelayList;

/// What this person's programs remember of networks.
pub(super) struct Remembered {
    file: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    servers: BTreeMap<String, KeptInfo>,
    relays: BTreeMap<String, Arc<Mutex<RelayMemory>>>,
}

/// What a server said of itself.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct KeptInfo {
    /// When it was asked, unix seconds.
    pub(super) asked: u64,
    /// Absent for a server that has no `GET /info`.
    pub(super) info: Option<ServerInfo>,
}

#[derive(Default, Serialize, Deserialize)]
struct FileJson {
    #[serde(default = "first_version")]
    version: u32,
    /// By the server's key.
    #[serde(default)]
    servers: BTreeMap<String, KeptInfo>,
    /// By the source of the relay list.
    #[serde(default)]
    relays: BTreeMap<String, serde_json::Value>,
}

impl Remembered {
    /// What `file` holds; nothing of it is read yet.
    pub(super) fn new(file: PathBuf) -> Self {
        Self {
            file,
            state: Mutex::default(),
        }
    }

    /// What the server with this key said, if that is remembered.
    pub(super) fn server(&self, key: &str) -> Option<KeptInfo> {
        let mut state = self.lock();
        if let Some(FileJson { servers, .. }) = self.read() {
            state.servers = servers;
        }
        state.servers.get(key).cloned()
    }

    /// Remembers what a server said, and forgets what was asked `max_age_secs` before.
    pub(super) fn keep_server(&self, key: String, kept: KeptInfo, max_age_secs: u64) {
        self.change(|state, json| {
            let now = kept.asked;
            json.servers
                .retain(|_, other| now.saturating_sub(other.asked) < max_age_secs);
            json.servers.insert(key, kept);
            state.servers = json.servers.clone();
        });
    }

    /// Forgets what a server said.
    pub(super) fn forget_server(&self, key: &str) {
        self.change(|state, json| {
            json.servers.remove(key);
            state.servers = json.servers.clone();
        });
    }

    /// The memory of the relays of one source, guards drawn and stored before anything is sent.
    pub(super) fn relays(
        &self,
        source: &str,
        drawing: &Drawing<'_>,
        now: u64,
        rng: &mut impl CryptoRng,
    ) -> Arc<Mutex<RelayMemory>> {
        self.change_relays(source, |memory| drawing.keep_guards(memory, now, rng))
            .0
    }

    /// Takes in what a transfer taught.
    pub(super) fn learn(&self, source: &str, learned: &[Learned], list: &RelayList) {
        if !learned.is_empty() {
            self.change_relays(source, |memory| {
                for learned in learned {
                    memory.learn(learned, list);
                }
            });
        }
    }

    /// See [`RelayMemory::forget_guards`].
    pub(super) fn forget_guards(
        &self,
        source: &str,
        list: &RelayList,
        now: u64,
    ) -> Result<(), NewGuardRefused> {
        self.change_relays(source, |memory| memory.forget_guards(list, now))
            .1
    }

    /// The memory of one source as it is stored.
    pub(super) fn look(&self, source: &str) -> RelayMemory {
        let state = self.lock();
        let stored = self
            .read()
            .and_then(|json| RelayMemory::from_json(json.relays.get(source)?).ok());
        let known = state.relays.get(source);
        stored
            .or_else(|| known.map(|known| locked(known).clone()))
            .unwrap_or_default()
    }

    fn change_relays<T>(
        &self,
        source: &str,
        change: impl FnOnce(&mut RelayMemory) -> T,
    ) -> (Arc<Mutex<RelayMemory>>, T) {
        self.change(|state, json| {
            let shared = Arc::clone(state.relays.entry(source.to_owned()).or_default());
            let mut memory = locked(&shared);
            let stored = json.relays.get(source).map(RelayMemory::from_json);
            let newer = matches!(stored, Some(Err(StoredError::Newer)));
            if let Some(Ok(stored)) = stored {
                *memory = stored;
            }
            let done = change(&mut memory);
            if !newer {
                json.relays.insert(source.to_owned(), memory.to_json());
            }
            drop(memory);
            (shared, done)
        })
    }

    /// What is remembered only saves questions and failures, so a disk that does not take it stops nothing.
    fn change<T>(&self, change: impl FnOnce(&mut State, &mut FileJson) -> T) -> T {
        let mut state = self.lock();
        let others = self.lock_file();
        let read = self.read();
        let newer = read.as_ref().is_some_and(|json| json.version > VERSION);
        let mut json = read.filter(|_| !newer).unwrap_or_else(|| FileJson {
            version: VERSION,
            ..FileJson::default()
        });
        let before = serde_json::to_vec_pretty(&json).ok();
        let done = change(&mut state, &mut json);
        let after = serde_json::to_vec_pretty(&json).ok();
        if let Some(bytes) = after.filter(|after| !newer && before.as_ref() != Some(after))
            && private_file::write(&self.file, &bytes).is_err()
        {
            debug!("what was learned about relays and servers could not be kept");
        }
        drop(others);
        done
    }

    fn read(&self) -> Option<FileJson> {
        serde_json::from_slice(&fs::read(&self.file).ok()?).ok()
    }

    /// Held while the file is read and written again; released with the handle. Without it, the last one wins.
    fn lock_file(&self) -> Option<File> {
        private_file::make_folder(self.file.parent()?).ok()?;
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.file.with_extension("lock"))
            .ok()?;
        file.lock().ok()?;
        Some(file)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn locked(memory: &Mutex<RelayMemory>) -> std::sync::MutexGuard<'_, RelayMemory> {
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}

const fn first_version() -> u32 {
    VERSION
}

const VERSION: u32 = 1;

#[cfg(test)]
mod tests {
    use core::net::IpAddr;

    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;
    use crate::protocol::keys::Identity;
    use crate::protocol::path::Allowance;
    use crate::protocol::relay_list::{RelayDescriptor, Serves};

    fn list() -> RelayList {
        let relays = (1..=9).map(|seed| RelayDescriptor {
            key: Identity::from_seed([seed; 32]).public(),
            host: IpAddr::from([10, 0, seed, 1]),
            port: 22_021,
            operator: String::new(),
            serves: Serves::Any,
        });
        RelayList::join("", 0, 1, relays.collect()).unwrap()
    }

    fn guards(remembered: &Remembered, seed: u64, now: u64) -> Vec<String> {
        let list = list();
        let rng = &mut ChaCha20Rng::seed_from_u64(seed);
        let memory = remembered.relays(
            "list",
            &Drawing::first(&list, "files.example", Allowance::NONE),
            now,
            rng,
        );
        let guards = locked(&memory).guards_in_use(&list, now);
        guards.iter().map(|key| key.to_hex()).collect()
    }

    #[test]
    fn guards_outlive_the_program_and_each_source_has_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("network.json");
        let first = guards(&Remembered::new(file.clone()), 1, 100);
        assert_eq!(first.len(), 2);
        let again = Remembered::new(file.clone());
        assert_eq!(guards(&again, 2, 200), first);
        assert_eq!(again.look("list").guards_in_use(&list(), 200).len(), 2);
        assert!(again.look("other").guards_in_use(&list(), 200).is_empty());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(&file).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "nobody else reads it");
        }
    }

    #[test]
    fn two_programs_at_once_agree_and_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("network.json");
        let (one, other) = (Remembered::new(file.clone()), Remembered::new(file));
        assert_eq!(guards(&one, 1, 100), guards(&other, 2, 100));
        let list = list();
        one.forget_guards("list", &list, 100).unwrap();
        let of_one = guards(&one, 3, 100);
        assert_eq!(guards(&other, 4, 100), of_one);
        let kept = |asked| KeptInfo { asked, info: None };
        one.keep_server("a".to_owned(), kept(100), 50);
        other.keep_server("b".to_owned(), kept(120), 50);
        assert!(one.server("a").is_some() && one.server("b").is_some());
        other.keep_server("c".to_owned(), kept(160), 50);
        assert!(one.server("a").is_none() && one.server("b").is_some());
    }

    #[test]
    fn what_a_newer_version_wrote_is_used_by_it_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("network.json");
        for newer in [
            r#"{"version":2,"relays":{"list":{}},"servers":{}}"#,
            r#"{"version":1,"relays":{"list":{"version":2,"new":[]}},"servers":{}}"#,
        ] {
            fs::write(&file, newer).unwrap();
            let remembered = Remembered::new(file.clone());
            let first = guards(&remembered, 1, 100);
            assert_eq!(
                guards(&remembered, 2, 100),
                first,
                "it lasts as the program does"
            );
            let now: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
            let before: serde_json::Value = serde_json::from_str(newer).unwrap();
            assert_eq!(now["relays"]["list"], before["relays"]["list"]);
        }
        fs::write(&file, "no JSON at all").unwrap();
        assert_eq!(guards(&Remembered::new(file), 1, 100).len(), 2);
    }
}
