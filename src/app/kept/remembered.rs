//! What is kept in `network.json` of the data folder: relays and servers as this person's programs came to know them.
//!
//! While the file is there and cannot be read, no relay is asked for anything: first relays drawn as at a first start would
//! be more relays that see this person's address. Where the file cannot be written, what is learned lasts as long as the
//! program.

use std::collections::BTreeMap;
use std::path::PathBuf;

use parking_lot::{Mutex, MutexGuard};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tracing::debug;

use crate::disk::kept::{ChangeError, Draft, JsonRecord, Kept, UnreadFile, UnreadReason};
use crate::protocol::file_api::ServerInfo;
use crate::protocol::keys::Ed25519Public;
use crate::protocol::path::{
    Allowance, Hops, Learned, MemoryKeeper, NewGuardRefused, RelayMemory, StoredError,
};
use crate::protocol::relay_list::RelayList;

/// Name of the file in the data folder.
pub(crate) const FILE_NAME: &str = "network.json";

/// Memory of relays and servers, shared by all programs of a person through one file.
pub(crate) struct Remembered {
    file: Kept<NetworkFile>,
    state: Mutex<MemoryState>,
}

#[derive(Default)]
struct MemoryState {
    servers: BTreeMap<String, KeptInfo>,
    /// What servers said that is not in the file yet, the newest last.
    unsaved_infos: Vec<InfoUpdate>,
    relays: BTreeMap<String, KnownRelays>,
    /// Number of [`Batch`]es that exist.
    batches: usize,
}

/// One call of [`Remembered::keep_server`].
struct InfoUpdate {
    key: String,
    kept: KeptInfo,
    max_age_secs: u64,
}

impl InfoUpdate {
    fn put_into(&self, servers: &mut BTreeMap<String, KeptInfo>) {
        let now = self.kept.asked;
        servers.retain(|_, other| now.saturating_sub(other.asked) < self.max_age_secs);
        // Another program may have asked after this one.
        let newer = servers.get(&self.key).filter(|other| other.asked > now);
        if newer.is_none() {
            servers.insert(self.key.clone(), self.kept.clone());
        }
    }
}

/// The relays of one source, as this program knows them.
#[derive(Default)]
struct KnownRelays {
    memory: RelayMemory,
    /// What the file held when the memory was last taken from it.
    seen: Option<serde_json::Value>,
    /// What the memory has learned that is not in the file yet, the newest last.
    unsaved: Vec<Learned>,
    /// The list that it was last learned about.
    list: Option<RelayList>,
}

/// Why the first relays in use stay.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(crate) enum NewGuardsError {
    /// The record of the relays cannot be read.
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
        if let Some(list) = &self.list {
            for learned in &self.unsaved {
                self.memory.learn(learned, list);
            }
        }
        Ok(())
    }

    fn learn_unsaved(&mut self, learned: &Learned, list: &RelayList) {
        self.memory.learn(learned, list);
        self.unsaved.push(*learned);
        if self.list.as_ref() != Some(list) {
            self.list = Some(list.clone());
        }
    }
}

impl MemoryState {
    fn has_unsaved(&self) -> bool {
        !self.unsaved_infos.is_empty()
            || self.relays.values().any(|known| !known.unsaved.is_empty())
    }

    /// Puts into the file what it lacks, and the relays of `changed`.
    fn put_into(&mut self, stored: &mut NetworkFile, changed: Option<&str>) {
        for update in &self.unsaved_infos {
            update.put_into(&mut stored.servers);
        }
        for (source, known) in &mut self.relays {
            let is_due = changed == Some(source.as_str()) || !known.unsaved.is_empty();
            // What cannot be read is not written over.
            if is_due && known.take(stored.relays.get(source)).is_ok() {
                let now = known.memory.to_json();
                stored.relays.insert(source.clone(), now);
            }
        }
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

    /// Holds back what does not have to be kept at once, until the returned value is dropped: a transfer of several requests
    /// then writes the file once. Guards are kept before they are used all the same.
    pub(crate) fn batch(&self) -> Batch<'_> {
        self.lock().batches += 1;
        Batch(self)
    }

    /// What the server with this key said, if that is remembered.
    pub(crate) fn server(&self, key: &str) -> Option<KeptInfo> {
        let mut state = self.lock();
        if let Ok(Some(NetworkFile { mut servers, .. })) = self.file.read() {
            for update in &state.unsaved_infos {
                update.put_into(&mut servers);
            }
            state.servers = servers;
        }
        state.servers.get(key).cloned()
    }

    /// Remembers what a server said, and forgets what was asked `max_age_secs` before.
    pub(crate) fn keep_server(&self, key: String, kept: KeptInfo, max_age_secs: u64) {
        let update = InfoUpdate {
            key,
            kept,
            max_age_secs,
        };
        let mut state = self.lock();
        update.put_into(&mut state.servers);
        state.unsaved_infos.retain(|other| other.key != update.key);
        state.unsaved_infos.push(update);
        if state.batches == 0 {
            Self::save(&mut state, self.file.begin(), None);
        }
    }

    /// The memory of the relays of one source, stored with every change, or at the end of a [`Batch`]. It is handed out only
    /// while it can be read; when that ends during a transfer, the transfer goes on with what was read before.
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
        let mut state = self.lock();
        let draft = self.file.begin();
        let stored = draft.as_ref().ok().and_then(|draft| draft.record.as_ref());
        let stored = stored.and_then(|stored| stored.relays.get(source));
        let known = state.relays.entry(source.to_owned()).or_default();
        if known.take(stored).is_err() {
            debug!("what is remembered of relays cannot be read any more");
        }
        let before = known.memory.clone();
        let done = change(&mut known.memory);
        let same_exposure = known.memory.has_the_exposure_of(&before);
        if state.batches == 0 || !same_exposure {
            Self::save(&mut state, draft, Some(source));
        }
        done
    }

    /// Writes what is not in the file yet, and the relays of `changed`, as far as the file can be written.
    fn save(
        state: &mut MemoryState,
        draft: Result<Draft<'_, NetworkFile>, ChangeError>,
        changed: Option<&str>,
    ) {
        let saved = draft.is_ok_and(|mut draft| {
            let stored = draft.record.get_or_insert_with(|| NetworkFile {
                version: NetworkFile::VERSION,
                servers: state.servers.clone(),
                relays: BTreeMap::new(),
            });
            state.put_into(stored, changed);
            draft.save().is_ok()
        });
        if saved {
            state.unsaved_infos.clear();
        } else {
            debug!("what was learned about relays and servers could not be kept");
        }
        // It has counted; where it could not be written, it lasts as long as the program.
        for known in state.relays.values_mut() {
            known.unsaved.clear();
        }
    }

    fn lock(&self) -> MutexGuard<'_, MemoryState> {
        self.state.lock()
    }
}

/// See [`Remembered::batch`].
pub(crate) struct Batch<'a>(&'a Remembered);

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.batches = state.batches.saturating_sub(1);
        if state.has_unsaved() {
            Remembered::save(&mut state, self.0.file.begin(), None);
        }
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

    fn learn(&self, learned: &Learned, list: &RelayList) {
        let mut state = self.remembered.lock();
        let is_batched = state.batches > 0;
        let known = state.relays.entry(self.source.clone()).or_default();
        let is_new = |hops: &Hops, at| !known.memory.has_stood(hops, at);
        // A relay that sees this client for the first time must not become a guard later, whatever ends this program.
        if !is_batched || matches!(learned, Learned::Used { hops, at } if is_new(hops, *at)) {
            drop(state);
            self.change(&mut |memory| memory.learn(learned, list));
        } else {
            known.learn_unsaved(learned, list);
        }
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
    use crate::protocol::exchange::{AttemptOutcome, Exchange, ExchangeRoute, Step};
    use crate::protocol::file_api::FileRequest;
    use crate::protocol::keys::Identity;
    use crate::protocol::path::{Drawing, Fault, Standing};
    use crate::protocol::relay_list::{NetworkKind, RelayDescriptor, Serves};

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
                UnreadReason::Damaged,
            ),
            (
                r#"{"version":1,"relays":{"list":{"version":3}},"servers":{}}"#,
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
    fn cancelled_after_a_fresh_guard_was_asked_it_counts_as_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("network.json");
        let first = guards(&Remembered::new(file.clone()), 1, 100);
        let (remembered, list) = (Remembered::new(file.clone()), list());
        let memory = remembered.keeper("list").unwrap();
        let server = Identity::from_seed([200; 32]).public().to_hex();
        let server = format!("http://files.example#p={server}").parse().unwrap();
        let route = ExchangeRoute::Relays {
            list: &list,
            kind: NetworkKind::Cloakroom,
            memory: &memory,
            allow: Allowance::NONE,
        };
        let mut exchange = Exchange::new(&FileRequest::ServerInfo, &server, route, 0);
        let rng = &mut ChaCha20Rng::seed_from_u64(2);
        let path = loop {
            match exchange.next(200, rng) {
                Step::Send(attempt) => {
                    let path = attempt.path.unwrap();
                    if !first.contains(&path.guard.key.to_hex()) {
                        break path;
                    }
                    exchange.on_outcome(AttemptOutcome::Unreachable, 200);
                }
                Step::Wait(_) => {}
                Step::Done(_) | Step::Failed(_) => panic!("a third relay may be asked"),
            }
        };
        drop(exchange);

        let later = Remembered::new(file);
        let kept = later.look("list").unwrap().to_json();
        let is_noted = |key: Ed25519Public, what: &str| {
            kept["relays"][key.to_hex()][what] == serde_json::json!(200)
        };
        assert!(is_noted(path.guard.key, "asked"));
        assert!(
            later
                .forget_guards("list", &list, Allowance::NONE, 300)
                .is_err(),
            "it counts as the third new guard of the day"
        );
        for key in [path.middle.key, path.last.key] {
            assert!(
                is_noted(key, "stood"),
                "so that it becomes no guard while others can"
            );
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
        let absent = hops.guard;
        let remembered = Remembered::new(file.clone());
        assert_eq!(strikes(&remembered, &absent), 0);
        let hops = Hops {
            guard: list.relays[3].key,
            ..hops
        };
        remembered
            .keeper("list")
            .unwrap()
            .change(&mut |memory| memory.learn(&Learned::Worked { hops, at: 130 }, &list));
        assert_eq!(strikes(&remembered, &absent), 1);
        assert_eq!(strikes(&Remembered::new(file), &absent), 1);
    }

    /// How often a relay is said to have failed.
    fn strikes(remembered: &Remembered, of: &Ed25519Public) -> usize {
        let json = remembered.look("list").unwrap().to_json();
        let strikes = &json["relays"][of.to_hex()]["strikes"];
        strikes.as_array().map_or(0, Vec::len)
    }

    #[test]
    fn several_requests_in_a_row_write_the_file_once_when_they_are_over() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("network.json");
        guards(&Remembered::new(file.clone()), 1, 100);
        let before = fs::read(&file).unwrap();
        let (remembered, list) = (Remembered::new(file.clone()), list());
        let keeper = remembered.keeper("list").unwrap();
        let bad = list.relays[5].key;
        let batch = remembered.batch();
        for at in [110, 120] {
            assert_eq!(guards(&remembered, 2, at).len(), 2);
            let (hops, fault) = (hops(&list), Fault::Relay(bad));
            keeper.learn(&Learned::Failed { hops, at, fault }, &list);
            remembered.keep_server("a".to_owned(), kept(at), 50);
        }
        assert_eq!(strikes(&remembered, &bad), 2, "it counts at once");
        assert_eq!(remembered.server("a").unwrap().asked, 120);
        assert_eq!(fs::read(&file).unwrap(), before);
        drop(batch);
        let later = Remembered::new(file);
        assert_eq!(strikes(&later, &bad), 2);
        assert_eq!(later.server("a").unwrap().asked, 120);
    }

    #[test]
    fn what_another_program_wrote_meanwhile_and_what_was_held_back_are_both_kept() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("network.json");
        let (one, other, list) = (
            Remembered::new(file.clone()),
            Remembered::new(file.clone()),
            list(),
        );
        let first = guards(&one, 1, 100);
        let bad = list.relays[5].key;
        let fail = |remembered: &Remembered, at| {
            let (hops, fault) = (hops(&list), Fault::Relay(bad));
            let keeper = remembered.keeper("list").unwrap();
            keeper.learn(&Learned::Failed { hops, at, fault }, &list);
        };
        let batch = one.batch();
        fail(&one, 110);
        one.keep_server("a".to_owned(), kept(110), 50);
        fail(&other, 120);
        other.keep_server("b".to_owned(), kept(120), 50);
        // Each look takes in what the other one wrote, and nothing twice.
        assert_eq!((strikes(&one, &bad), strikes(&other, &bad)), (2, 1));
        assert!(one.server("a").is_some() && one.server("b").is_some());
        drop(batch);
        for remembered in [&one, &other, &Remembered::new(file)] {
            assert_eq!(strikes(remembered, &bad), 2);
            assert!(remembered.server("a").is_some() && remembered.server("b").is_some());
            assert_eq!(guards(remembered, 3, 130), first);
        }
    }

    #[test]
    fn what_was_held_back_brings_no_guard_back_that_another_program_let_go() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("network.json");
        let (one, other, list) = (
            Remembered::new(file.clone()),
            Remembered::new(file.clone()),
            list(),
        );
        guards(&one, 1, 100);
        let guard = one.look("list").unwrap().guards_in_use(&list, 100)[0];
        let others = list.relays.iter().map(|relay| relay.key);
        let others: Vec<_> = others.filter(|key| *key != guard).collect();
        let hops = Hops {
            guard,
            middle: others[0],
            last: others[1],
        };
        let keeper = one.keeper("list").unwrap();
        // The relays of the path have stood on one before, so that the next time can be held back.
        keeper.learn(&Learned::Used { hops, at: 105 }, &list);
        let batch = one.batch();
        keeper.learn(&Learned::Used { hops, at: 110 }, &list);
        other
            .forget_guards("list", &list, Allowance::NONE, 120)
            .unwrap();
        drop(batch);
        assert!(!guards(&one, 2, 130).contains(&guard.to_hex()));
        assert!(!guards(&Remembered::new(file), 3, 140).contains(&guard.to_hex()));
    }

    #[test]
    fn a_relay_that_is_about_to_see_this_client_for_the_first_time_is_kept_before_it_does() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("network.json");
        let (remembered, list) = (Remembered::new(file.clone()), list());
        let keeper = remembered.keeper("list").unwrap();
        let _batch = remembered.batch();
        let hops = hops(&list);
        keeper.learn(&Learned::Used { hops, at: 100 }, &list);
        let memory = Remembered::new(file).look("list").unwrap();
        assert!(memory.has_stood(&hops, 110));
    }

    #[test]
    fn an_older_answer_of_a_server_does_not_replace_a_newer_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("network.json");
        let (one, other) = (Remembered::new(file.clone()), Remembered::new(file.clone()));
        let batch = one.batch();
        one.keep_server("a".to_owned(), kept(110), 50);
        other.keep_server("a".to_owned(), kept(120), 50);
        drop(batch);
        assert_eq!(Remembered::new(file).server("a").unwrap().asked, 120);
    }

    #[test]
    fn guards_are_kept_before_they_are_used_whatever_is_held_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("network.json");
        let remembered = Remembered::new(file.clone());
        let _batch = remembered.batch();
        let first = guards(&remembered, 1, 100);
        assert_eq!(guards(&Remembered::new(file.clone()), 2, 110), first);
        remembered
            .forget_guards("list", &list(), Allowance::NONE, 120)
            .unwrap();
        let new = guards(&remembered, 3, 120);
        assert_ne!(new, first);
        assert_eq!(guards(&Remembered::new(file), 4, 130), new);
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
