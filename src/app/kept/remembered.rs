//! What is kept in `network.json` of the data folder: relays and servers as this person's programs came to know them.
//!
//! While the file is there and cannot be read, no relay is asked for anything: first relays drawn as at a first start would
//! be more relays that see this person's address. Where the file cannot be written, what is learned lasts as long as the
//! program.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use tracing::debug;

use crate::disk::kept::{JsonRecord, Kept, UnreadFile, UnreadReason};
use crate::protocol::file_api::ServerInfo;
use crate::protocol::keys::Ed25519Public;
use crate::protocol::path::{
    Allowance, Hops, MemoryKeeper, NewGuardRefused, RelayMemory, StoredError,
};
use crate::protocol::relay_list::RelayList;

/// What this person's programs remember of networks.
pub(crate) struct Remembered {
    file: Kept<NetworkFile>,
    state: Mutex<MemoryState>,
}

#[derive(Default)]
struct MemoryState {
    servers: BTreeMap<String, KeptInfo>,
    relays: BTreeMap<String, KnownRelays>,
}

/// The relays of one source, as this program knows them.
#[derive(Default)]
struct KnownRelays {
    memory: RelayMemory,
    /// What the file held when the memory was last taken from it.
    seen: Option<serde_json::Value>,
}

/// Why the first relays in use stay.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum NewGuardsError {
    /// The relays of the list are not known.
    #[error(transparent)]
    Memory(#[from] UnreadFile),
    /// The rules forbid it.
    #[error(transparent)]
    Refused(#[from] NewGuardRefused),
}

impl KnownRelays {
    /// Takes what the file holds, if another program changed it; what could not be written is not lost.
    fn take(&mut self, stored: Option<&serde_json::Value>) -> Result<(), StoredError> {
        let Some(stored) = stored.filter(|stored| self.seen.as_ref() != Some(stored)) else {
            return Ok(());
        };
        self.memory = RelayMemory::from_json(stored)?;
        self.seen = Some(stored.clone());
        Ok(())
    }
}

/// What a server said of itself.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct KeptInfo {
    /// When it was asked, unix seconds.
    pub(crate) asked: u64,
    /// Absent for a server that has no `GET /info`.
    pub(crate) info: Option<ServerInfo>,
    /// The relays that it was asked over; absent when it was asked without relays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) over: Option<KeptPath>,
    /// The time (unix seconds) of an answer that agreed with the one before; absent while none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) confirmed: Option<u64>,
}

/// The keys of three relays, as 64 hexadecimal digits each.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct KeptPath {
    guard: String,
    middle: String,
    last: String,
}

impl KeptPath {
    pub(crate) fn of(hops: &Hops) -> Self {
        Self {
            guard: hops.guard.to_hex(),
            middle: hops.middle.to_hex(),
            last: hops.last.to_hex(),
        }
    }

    /// `None` when a text is no key.
    pub(crate) fn to_hops(&self) -> Option<Hops> {
        let key = |hex: &str| Ed25519Public::from_hex(hex).ok();
        Some(Hops {
            guard: key(&self.guard)?,
            middle: key(&self.middle)?,
            last: key(&self.last)?,
        })
    }
}

#[derive(Serialize, Deserialize)]
struct NetworkFile {
    #[serde(default = "first_version")]
    version: u32,
    /// By the server's key.
    #[serde(default)]
    servers: BTreeMap<String, KeptInfo>,
    /// By the source of the relay list.
    #[serde(default)]
    relays: BTreeMap<String, serde_json::Value>,
}

impl JsonRecord for NetworkFile {
    const VERSION: u32 = 1;
}

impl Remembered {
    /// What `file` holds; nothing of it is read yet.
    pub(crate) fn new(file: PathBuf) -> Self {
        Self {
            file: Kept::in_file(file),
            state: Mutex::default(),
        }
    }

    /// What the server with this key said, if that is remembered.
    pub(crate) fn server(&self, key: &str) -> Option<KeptInfo> {
        let mut state = self.lock();
        if let Ok(Some(NetworkFile { servers, .. })) = self.file.read() {
            state.servers = servers;
        }
        state.servers.get(key).cloned()
    }

    /// Remembers what a server said, and forgets what was asked `max_age_secs` before.
    pub(crate) fn keep_server(&self, key: String, kept: KeptInfo, max_age_secs: u64) {
        self.change(|state, json| {
            let now = kept.asked;
            json.servers
                .retain(|_, other| now.saturating_sub(other.asked) < max_age_secs);
            json.servers.insert(key, kept);
            state.servers = json.servers.clone();
        });
    }

    /// The memory of the relays of one source, stored with every change. It is handed out only while it can be read;
    /// when that ends during a transfer, the transfer goes on with what was read before.
    ///
    /// # Errors
    /// [`UnreadFile`]: which relays are this person's first ones is not known.
    pub(crate) fn keeper(&self, source: &str) -> Result<Keeper<'_>, UnreadFile> {
        self.look(source)?;
        Ok(Keeper {
            remembered: self,
            source: source.to_owned(),
        })
    }

    /// See [`RelayMemory::forget_guards`].
    ///
    /// # Errors
    /// [`NewGuardsError`].
    pub(crate) fn forget_guards(
        &self,
        source: &str,
        list: &RelayList,
        allow: Allowance,
        now: u64,
    ) -> Result<(), NewGuardsError> {
        self.look(source)?;
        self.change_relays(source, |memory| memory.forget_guards(list, allow, now))?;
        Ok(())
    }

    /// The memory of one source as it is stored.
    ///
    /// # Errors
    /// [`UnreadFile`].
    pub(crate) fn look(&self, source: &str) -> Result<RelayMemory, UnreadFile> {
        let mut state = self.lock();
        let stored = self.file.read()?;
        let known = state.relays.entry(source.to_owned()).or_default();
        known
            .take(stored.as_ref().and_then(|stored| stored.relays.get(source)))
            .map_err(|error| self.file.unread(error.into()))?;
        Ok(known.memory.clone())
    }

    fn change_relays<T>(&self, source: &str, change: impl FnOnce(&mut RelayMemory) -> T) -> T {
        self.change(|state, json| {
            let known = state.relays.entry(source.to_owned()).or_default();
            let taken = known.take(json.relays.get(source));
            let done = change(&mut known.memory);
            if taken.is_ok() {
                let now = known.memory.to_json();
                json.relays.insert(source.to_owned(), now);
            }
            done
        })
    }

    /// Changes what is kept, in the file too unless that cannot be read or written.
    fn change<T>(&self, change: impl FnOnce(&mut MemoryState, &mut NetworkFile) -> T) -> T {
        let mut state = self.lock();
        let of_this_program = NetworkFile {
            version: NetworkFile::VERSION,
            servers: state.servers.clone(),
            relays: BTreeMap::new(),
        };
        let (done, saved) = match self.file.begin() {
            Ok(mut draft) => {
                let stored = draft.record.get_or_insert(of_this_program);
                let done = change(&mut state, stored);
                (done, draft.save().is_ok())
            }
            Err(_cannot_be_changed) => {
                let mut nowhere = of_this_program;
                (change(&mut state, &mut nowhere), false)
            }
        };
        if !saved {
            debug!("what was learned about relays and servers could not be kept");
        }
        done
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, MemoryState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The memory of one source, in the file.
pub(crate) struct Keeper<'a> {
    remembered: &'a Remembered,
    source: String,
}

impl From<StoredError> for UnreadReason {
    fn from(error: StoredError) -> Self {
        match error {
            StoredError::Malformed => Self::Damaged,
            StoredError::Newer => Self::Newer,
        }
    }
}

impl MemoryKeeper for Keeper<'_> {
    fn change(&self, change: &mut dyn FnMut(&mut RelayMemory)) {
        self.remembered.change_relays(&self.source, change);
    }
}

const fn first_version() -> u32 {
    NetworkFile::VERSION
}

#[cfg(test)]
mod tests {
    use core::net::IpAddr;
    use std::fs;

    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;
    use crate::protocol::file_api::FileRequest;
    use crate::protocol::keys::Identity;
    use crate::protocol::path::{Drawing, Fault, Learned, Standing};
    use crate::protocol::relay_list::{NetworkKind, RelayDescriptor, Serves};
    use crate::protocol::transfer::{AttemptOutcome, RequestMachine, Step, TransferRoute};

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
        let drawing = Drawing::first(&list, "files.example", Allowance::NONE);
        remembered
            .keeper("list")
            .unwrap()
            .change(&mut |memory| drop(drawing.draw(memory, now, rng).unwrap()));
        let guards = remembered.look("list").unwrap().guards_in_use(&list, now);
        guards.iter().map(|key| key.to_hex()).collect()
    }

    const fn kept(asked: u64) -> KeptInfo {
        KeptInfo {
            asked,
            info: None,
            over: None,
            confirmed: None,
        }
    }

    #[test]
    fn guards_outlive_the_program_and_each_source_has_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("network.json");
        let first = guards(&Remembered::new(file.clone()), 1, 100);
        assert_eq!(first.len(), 2);
        let again = Remembered::new(file.clone());
        assert_eq!(guards(&again, 2, 200), first);
        assert_eq!(
            again
                .look("list")
                .unwrap()
                .guards_in_use(&list(), 200)
                .len(),
            2
        );
        assert!(
            again
                .look("other")
                .unwrap()
                .guards_in_use(&list(), 200)
                .is_empty()
        );
        assert!(file.is_file());
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
        one.forget_guards("list", &list, Allowance::NONE, 100)
            .unwrap();
        let of_one = guards(&one, 3, 100);
        assert_eq!(guards(&other, 4, 100), of_one);
        one.keep_server("a".to_owned(), kept(100), 50);
        other.keep_server("b".to_owned(), kept(120), 50);
        assert!(one.server("a").is_some() && one.server("b").is_some());
        other.keep_server("c".to_owned(), kept(160), 50);
        assert!(one.server("a").is_none() && one.server("b").is_some());
    }

    /// As at a first start would be wrong: those drawn then would see the address besides those of before.
    #[test]
    fn no_first_relays_are_drawn_while_those_of_before_cannot_be_read() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("network.json");
        for (text, why) in [
            ("no JSON at all", UnreadReason::Damaged),
            ("", UnreadReason::Damaged),
            (
                r#"{"version":1,"relays":{"list":{"version":1}},"servers":{}}"#,
                UnreadReason::Damaged,
            ),
            (
                r#"{"version":2,"relays":{"list":{}},"servers":{}}"#,
                UnreadReason::Newer,
            ),
            (
                r#"{"version":1,"relays":{"list":{"version":2}},"servers":{}}"#,
                UnreadReason::Newer,
            ),
        ] {
            fs::write(&file, text).unwrap();
            let remembered = Remembered::new(file.clone());
            let unread = UnreadFile {
                file: file.clone(),
                why,
            };
            assert_eq!(remembered.keeper("list").err(), Some(unread.clone()));
            assert_eq!(remembered.look("list").err(), Some(unread.clone()));
            let new = remembered.forget_guards("list", &list(), Allowance::NONE, 100);
            assert_eq!(new, Err(NewGuardsError::Memory(unread)));
            remembered.keep_server("other".to_owned(), kept(100), 50);
            assert!(remembered.server("other").is_some());
            if !text.contains("list") {
                assert_eq!(fs::read_to_string(&file).unwrap(), text);
            }
            fs::remove_file(&file).unwrap();
            assert_eq!(guards(&remembered, 1, 100).len(), 2, "it was moved away");
        }
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        let remembered = Remembered::new(file);
        let error = remembered.keeper("list").err().unwrap();
        assert!(matches!(error.why, UnreadReason::Read(_)), "{error}");
    }

    #[test]
    fn a_memory_that_is_damaged_during_a_transfer_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("network.json");
        let remembered = Remembered::new(file.clone());
        let first = guards(&remembered, 1, 100);
        let list = list();
        let keeper = remembered.keeper("list").unwrap();
        fs::write(&file, "no JSON at all").unwrap();
        let mut in_use = Vec::new();
        keeper.change(&mut |memory| {
            let drawing = Drawing::first(&list, "files.example", Allowance::NONE);
            drop(drawing.draw(memory, 200, &mut ChaCha20Rng::seed_from_u64(2)));
            in_use = memory.guards_in_use(&list, 200);
        });
        let in_use: Vec<_> = in_use.iter().map(Ed25519Public::to_hex).collect();
        assert_eq!(in_use, first, "it goes on with what was read before");
        assert_eq!(fs::read_to_string(&file).unwrap(), "no JSON at all");
    }

    /// A transfer that meets no guard it knows, up to where it is about to show itself to a new one; it goes no
    /// further: the window drops a transfer that its person cancels.
    #[test]
    fn cancelled_after_a_fresh_guard_was_used_the_guard_is_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("network.json");
        let first = guards(&Remembered::new(file.clone()), 1, 100);
        let (remembered, list) = (Remembered::new(file.clone()), list());
        let memory = remembered.keeper("list").unwrap();
        let server = Identity::from_seed([200; 32]).public().to_hex();
        let server = format!("http://files.example#p={server}").parse().unwrap();
        let way = TransferRoute::Relays {
            list: &list,
            kind: NetworkKind::Cloakroom,
            memory: &memory,
            allow: Allowance::NONE,
        };
        let mut transfer = RequestMachine::new(&FileRequest::ServerInfo, &server, way, 0);
        let rng = &mut ChaCha20Rng::seed_from_u64(2);
        let path = loop {
            match transfer.next(200, rng) {
                Step::Send(attempt) => {
                    let path = attempt.path.unwrap();
                    if !first.contains(&path.guard.key.to_hex()) {
                        break path;
                    }
                    transfer.on_outcome(AttemptOutcome::Unreachable, 200);
                }
                Step::Wait(_) => {}
                Step::Done(_) | Step::Failed(_) => panic!("a third relay may be asked"),
            }
        };
        drop(transfer);

        let later = Remembered::new(file);
        let standing = later.look("list").unwrap().standing(&list, 300);
        let is_guard = |key| {
            standing.iter().any(|one| {
                one.relay == key && matches!(one.standing, Standing::Guard { since: 200, .. })
            })
        };
        assert!(is_guard(path.guard.key));
        assert!(
            later
                .forget_guards("list", &list, Allowance::NONE, 300)
                .is_err(),
            "it counts as the third new guard of the day"
        );
        for key in [path.middle.key, path.last.key] {
            let kept = later.look("list").unwrap().to_json();
            let stood =
                kept["relays"].as_array().unwrap().iter().any(|one| {
                    one["relay"] == key.to_hex() && one["stood"] == serde_json::json!(200)
                });
            assert!(stood, "so that it becomes no guard while others can");
        }
    }

    fn hops(list: &RelayList) -> Hops {
        let [guard, middle, last] = [0, 1, 2].map(|at| list.relays[at].key);
        Hops {
            guard,
            middle,
            last,
        }
    }

    #[test]
    fn what_one_program_could_not_tell_another_one_does() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("network.json");
        let list = list();
        let hops = hops(&list);
        // Three programs find nobody there; the fourth gets an answer, so that it was no fault of the network here.
        for at in [100, 110, 120] {
            let fault = Fault::GuardUnreachable;
            let learned = Learned::Failed { hops, at, fault };
            Remembered::new(file.clone())
                .keeper("list")
                .unwrap()
                .change(&mut |memory| memory.learn(&learned, &list));
        }
        let aside = |remembered: &Remembered| {
            let standing = remembered.look("list").unwrap().standing(&list, 140);
            standing.iter().any(|one| {
                one.relay == hops.guard && matches!(one.standing, Standing::SetAside { .. })
            })
        };
        let remembered = Remembered::new(file.clone());
        assert!(!aside(&remembered));
        let hops = Hops {
            guard: list.relays[3].key,
            ..hops
        };
        remembered
            .keeper("list")
            .unwrap()
            .change(&mut |memory| memory.learn(&Learned::Worked { hops, at: 130 }, &list));
        assert!(aside(&remembered) && aside(&Remembered::new(file)));
    }

    #[cfg(unix)]
    #[test]
    fn what_cannot_be_stored_is_taken_in_once_and_lasts_as_long_as_the_program() {
        let folder = tempfile::tempdir().unwrap();
        // No folder can be made where a link that leads nowhere is.
        let nowhere = folder.path().join("data");
        std::os::unix::fs::symlink(folder.path().join("nothing/data"), &nowhere).unwrap();
        let (remembered, list) = (Remembered::new(nowhere.join("network.json")), list());
        let bad = list.relays[5].key;
        let mut aside = Vec::new();
        for at in [100, 110, 120] {
            let learned = Learned::Failed {
                hops: hops(&list),
                at,
                fault: Fault::Relay(bad),
            };
            remembered
                .keeper("list")
                .unwrap()
                .change(&mut |memory| memory.learn(&learned, &list));
            let standing = remembered.look("list").unwrap().standing(&list, at);
            aside.push(
                standing.iter().any(|one| {
                    one.relay == bad && matches!(one.standing, Standing::SetAside { .. })
                }),
            );
        }
        assert_eq!(aside, [false, false, true], "three strikes");
    }
}
