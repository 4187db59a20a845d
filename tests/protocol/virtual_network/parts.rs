//! Files in parts: shared and fetched while client, relays and server are killed at random moments.
//!
//! Which part goes next, what is kept of a transfer, how parts and lists are sealed and opened, and the requests with their
//! paths are the real thing; what does them in turn is written again here on virtual time, as `app::transfer::parts` does it
//! on sockets and files. A killed client keeps what it had written down, and may have torn its last record; a computer that
//! lost its power also lost what was not synced.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use cloakroom::protocol::address::FileId;
use cloakroom::protocol::digest::Digest;
use cloakroom::protocol::exchange::{AttemptOutcome, Exchange, ExchangeError, ExchangeRoute, Step};
use cloakroom::protocol::file_api::{
    AnswerError, FileRequest, Upload, read_done, read_file_info, read_found, read_uploaded,
};
use cloakroom::protocol::keys::Ed25519Public;
use cloakroom::protocol::onion::v4::Response;
use cloakroom::protocol::parts::{
    IdForm, Layout, NextPart, PartFailure, PartIndex, PartList, PartPlan, PartQueue, PartStart,
    PartsDirection, Store, seal_part,
};
use cloakroom::protocol::path::{Allowance, MemoryKeeper, RelayMemory, RelayPath};
use cloakroom::protocol::pointer::{Pointer, PointerKey};
use cloakroom::protocol::relay_list::RelayList;
use cloakroom::protocol::resume::{
    EncodedRecord, FileStamp, Log, LogEnd, LogWriter, PartAt, RecipientBegin, RecipientRecord,
    RecipientState, ResumeKey, SealedAt, SenderBegin, SenderRecord, SenderState, Source, Wishes,
};
use cloakroom::protocol::seal::{ContentKind, FileKey, UnverifiedBlob};
use futures_util::future::{Either, select};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

use super::time::Time;
use super::{Cloakroom, Dead, HOUR, Honest, ServerAddress, World};

/// The hardest run may take so many requests.
const MOST_REQUESTS: u32 = 5_000;
/// Parts that the recipient writes before it syncs them.
const SYNC_PARTS: usize = 3;
/// Beginning and end of a client's life, in the record of who died.
type Deaths = RefCell<Vec<(Duration, Option<Ed25519Public>)>>;

/// How long a try took, and how long it might.
type Pace = (Duration, Duration);

/// The network and one client's way into it.
struct Network {
    world: RefCell<World>,
    time: Time,
    list: RelayList,
    server: ServerAddress,
    memory: Box<dyn MemoryKeeper + Send>,
    rng: RefCell<ChaCha8Rng>,
    /// Which relays died and when; `None` stands for the server.
    deaths: Deaths,
    /// When whom comes back: a relay by its place in the list, or the server.
    returns: RefCell<Vec<(Duration, Option<usize>)>>,
    /// How many relays and servers are still to die.
    to_die: Cell<(u32, u32)>,
    /// Bits a second of the client's link up; none for one that is not felt.
    link_up: Option<u32>,
    /// Since when the link is free.
    link_free: Cell<Duration>,
    requests: Cell<u32>,
    /// Exchanges that gave up.
    failed: Cell<u32>,
}

impl Network {
    fn new(seed: u64, to_die: (u32, u32)) -> Self {
        let world = World::new(24, seed);
        Self {
            list: world.list.clone(),
            server: world.server.address.clone(),
            world: RefCell::new(world),
            time: Time::default(),
            memory: Box::new(std::sync::Mutex::<RelayMemory>::default()),
            rng: RefCell::new(ChaCha8Rng::seed_from_u64(seed)),
            deaths: RefCell::default(),
            returns: RefCell::default(),
            to_die: Cell::new(to_die),
            link_up: None,
            link_free: Cell::default(),
            requests: Cell::default(),
            failed: Cell::default(),
        }
    }

    fn below(&self, limit: u32) -> u32 {
        self.rng.borrow_mut().next_u32() % limit
    }

    fn millis(&self, limit: u32) -> Duration {
        Duration::from_millis(self.below(limit).into())
    }

    /// Brings back whose time has come, and now and then kills somebody.
    fn let_die(&self) {
        let now = self.time.now();
        let mut world = self.world.borrow_mut();
        world.now = 1_800_000_000 + now.as_secs();
        self.returns.borrow_mut().retain(|(at, who)| {
            if *at > now {
                return true;
            }
            match who {
                Some(relay) => world.set_manner(*relay, Honest),
                None => world.server.down = false,
            }
            false
        });
        let (relays, servers) = self.to_die.get();
        if relays > 0 && self.below(8) == 0 {
            self.to_die.set((relays - 1, servers));
            let at = self.below(24) as usize;
            world.set_manner(at, Dead);
            let key = world.relays[at].key;
            self.deaths.borrow_mut().push((now, Some(key)));
            let back = now + Duration::from_secs(5) + self.millis(300_000);
            self.returns.borrow_mut().push((back, Some(at)));
        } else if servers > 0 && self.below(12) == 0 {
            self.to_die.set((relays, servers - 1));
            world.server.down = true;
            self.deaths.borrow_mut().push((now, None));
            let back = now + Duration::from_secs(2) + self.millis(400_000);
            self.returns.borrow_mut().push((back, None));
        }
    }

    /// Whether anybody on the path died since: an answer that was on its way is lost.
    fn lost(&self, path: &RelayPath, since: Duration) -> bool {
        self.deaths.borrow().iter().any(|(at, who)| {
            let on_path = who.is_none_or(|who| path.relays().iter().any(|relay| relay.key == who));
            *at > since && on_path
        })
    }

    /// Sends so many bytes to the first relay; those of several requests take turns.
    async fn send_up(&self, len: usize) {
        const CHUNK: usize = 64 * 1024;
        let Some(bits) = self.link_up else {
            return;
        };
        for _ in 0..len.div_ceil(CHUNK) {
            let takes = Duration::from_secs_f64(CHUNK as f64 * 8.0 / f64::from(bits));
            let free = self.link_free.get().max(self.time.now()) + takes;
            self.link_free.set(free);
            self.time.sleep_until(free).await;
        }
    }

    /// One request, to its end.
    async fn ask(
        &self,
        request: &FileRequest,
        expected_len: usize,
    ) -> Result<(Response, Pace), ExchangeError> {
        let route = ExchangeRoute::Relays {
            list: &self.list,
            kind: Cloakroom,
            memory: &*self.memory,
            allow: Allowance::NONE,
        };
        let mut exchange = Exchange::new(request, &self.server, route, expected_len);
        let mut pace = Pace::default();
        let unix = || 1_800_000_000 + self.time.now().as_secs();
        loop {
            let step = exchange.next(unix(), &mut *self.rng.borrow_mut());
            match step {
                Step::Send(attempt) => {
                    self.requests.set(self.requests.get() + 1);
                    assert!(self.requests.get() < MOST_REQUESTS, "it never ends");
                    let (began, allowed) = (self.time.now(), attempt.answer_wait);
                    let path = attempt.path.clone().unwrap();
                    self.send_up(attempt.body.len()).await;
                    self.let_die();
                    let sent = self.time.now();
                    let (outcome, lasts) = self.world.borrow_mut().post(*attempt);
                    self.time.sleep(lasts + self.millis(200)).await;
                    let outcome = if self.lost(&path, sent) {
                        AttemptOutcome::Broken
                    } else {
                        outcome
                    };
                    pace = (self.time.now() - began, allowed);
                    exchange.on_outcome(outcome, unix());
                }
                Step::Wait(pause) => self.time.sleep(pause).await,
                Step::Done(response) => return Ok((response, pace)),
                Step::Failed(error) => {
                    self.failed.set(self.failed.get() + 1);
                    return Err(error);
                }
            }
        }
    }

    /// The same, again and again until the server was reached.
    async fn ask_until_reached(&self, request: &FileRequest, expected_len: usize) -> Response {
        loop {
            match self.ask(request, expected_len).await {
                Ok((response, _)) => return response,
                Err(_) => self.time.sleep(Duration::from_secs(5)).await,
            }
        }
    }

    /// Does `work` for each part of `queue`, until all are done.
    async fn run_all<Work>(&self, mut queue: PartQueue, work: impl Fn(PartStart) -> Work)
    where
        Work: Future<Output = (PartIndex, Result<Pace, PartFailure>)>,
    {
        let mut running = FuturesUnordered::new();
        loop {
            let pause = match queue.next(self.time.now(), 2) {
                NextPart::Start(start) => {
                    running.push(work(start));
                    assert!(running.len() <= 4, "more than four parts on their way");
                    continue;
                }
                NextPart::Await => Duration::from_secs(u64::from(u32::MAX)),
                NextPart::Pause(left) => left,
                NextPart::Done => return,
                NextPart::Failed(why) => panic!("{why}"),
            };
            let wake = self.time.now() + pause;
            if running.is_empty() {
                self.time.sleep_until(wake).await;
                continue;
            }
            let waits = pin!(self.time.sleep_until(wake));
            let ended = select(running.next(), waits).await;
            match ended {
                Either::Left((Some((index, Ok((took, allowed)))), _)) => {
                    queue.on_done(index, took, allowed);
                }
                Either::Left((Some((index, Err(failure))), _)) => {
                    queue.on_failed(index, failure, self.time.now());
                }
                Either::Left((None, _)) | Either::Right(_) => {}
            }
        }
    }
}

/// What is on the disk of a transfer, and the key that it is sealed under.
struct Journal {
    bytes: Vec<u8>,
    key: ResumeKey,
    writer: LogWriter,
}

impl Journal {
    fn new(rng: &mut ChaCha8Rng) -> Self {
        let key = ResumeKey::generate(rng);
        let writer = LogWriter::new(&key);
        Self {
            bytes: writer.header().to_vec(),
            key,
            writer,
        }
    }

    fn append(&mut self, record: &EncodedRecord, rng: &mut ChaCha8Rng) {
        let sealed = self.writer.seal(record, rng).unwrap();
        self.bytes.extend_from_slice(&sealed);
    }

    /// A kill while a record was written: some bytes of it are there.
    fn tear(&mut self, record: &EncodedRecord, rng: &mut ChaCha8Rng) {
        let sealed = self.writer.seal(record, rng).unwrap();
        let kept = rng.next_u32() as usize % sealed.len();
        self.bytes.extend_from_slice(&sealed[..kept]);
    }

    /// Reads it as the next start of the program does, and goes on behind what is whole.
    fn reopened<State>(&mut self, replay: impl Fn(&mut Log<'_>) -> State) -> State {
        let mut log = Log::read(&self.bytes, &self.key).unwrap();
        let state = replay(&mut log);
        let recovered = Log::read(&self.bytes, &self.key).unwrap().recovered();
        assert_ne!(recovered.end, LogEnd::Damaged);
        self.bytes.truncate(recovered.good_len);
        self.writer = recovered.writer;
        state
    }
}

/// A share: what is shared, and what its client knows and has written down.
struct Sender<'a> {
    network: &'a Network,
    content: &'a [u8],
    journal: RefCell<Journal>,
    state: RefCell<SenderState>,
    /// How often each part was sealed to be sent.
    sealed: RefCell<BTreeMap<PartIndex, u32>>,
    /// Parts that were on their way at a kill.
    cut_off: Cell<u32>,
}

impl<'a> Sender<'a> {
    fn new(network: &'a Network, content: &'a [u8], plan: PartPlan) -> Self {
        let rng = &mut *network.rng.borrow_mut();
        let stamp = FileStamp {
            len_bytes: content.len() as u64,
            modified_nanos: 1,
            changed_nanos: None,
            inode: None,
        };
        let source = Source::File {
            path: b"/it".to_vec(),
            stamp,
        };
        let wishes = Wishes {
            keep_secs: 3_600,
            receipts: None,
            name: Some("it".to_owned()),
            name_in_pointer: true,
            modified: None,
            relay_list: None,
        };
        let server = network.server.clone();
        let begin = SenderBegin::generate(source, ContentKind::File, plan, server, wishes, rng);
        let mut journal = Journal::new(rng);
        journal.append(&SenderRecord::encode_begin(&begin), rng);
        Self {
            network,
            content,
            journal: RefCell::new(journal),
            state: RefCell::new(SenderState::new(begin)),
            sealed: RefCell::default(),
            cut_off: Cell::default(),
        }
    }

    fn part(index: PartIndex) -> PartAt {
        let store = Store::Server;
        PartAt { index, store }
    }

    fn record(&self, record: SenderRecord) {
        let rng = &mut *self.network.rng.borrow_mut();
        self.journal.borrow_mut().append(&record.encode(), rng);
        self.state.borrow_mut().apply(record).unwrap();
    }

    /// The client is killed, and starts again.
    fn restart(&self) {
        let state = self.state.borrow();
        let plan = state.begin().plan;
        let on_way = plan.indices().filter(|index| {
            state.sealed(*index).is_some() && !state.is_confirmed(Self::part(*index))
        });
        let on_way = u32::try_from(on_way.count()).unwrap();
        assert!(on_way <= 4 + self.network.failed.get());
        self.cut_off.set(self.cut_off.get() + on_way.min(4));
        drop(state);
        let mut journal = self.journal.borrow_mut();
        let record = SenderRecord::Sealed {
            index: plan.index(0).unwrap(),
            sealed: SealedAt {
                digest: Digest::of(b"torn"),
                hour: HOUR,
            },
        };
        journal.tear(&record.encode(), &mut self.network.rng.borrow_mut());
        let state = journal.reopened(|log| SenderState::replay(log).unwrap());
        *self.state.borrow_mut() = state;
    }

    async fn send(&self) -> Pointer {
        let missing: Vec<_> = self.state.borrow().unconfirmed(Store::Server).collect();
        let queue = PartQueue::new(PartsDirection::Upload(Store::Server), missing);
        let work =
            |start: PartStart| async move { (start.index, self.send_part(start.index).await) };
        self.network.run_all(queue, work).await;
        let pointer = self.send_list().await;
        let superseded: Vec<_> = {
            let state = self.state.borrow();
            state
                .superseded()
                .map(|blob| (blob.index, blob.id))
                .collect()
        };
        self.delete(superseded).await;
        pointer
    }

    async fn send_part(&self, index: PartIndex) -> Result<Pace, PartFailure> {
        let (earlier, plan) = {
            let state = self.state.borrow();
            assert!(!state.is_confirmed(Self::part(index)));
            (state.id(Self::part(index)), state.begin().plan)
        };
        if let Some(id) = earlier {
            let asked = self.network.ask(&FileRequest::FileInfo(id), 0).await;
            let (answer, pace) = asked.map_err(|error| PartFailure::from(&error))?;
            match read_file_info(&answer) {
                Ok(info) => {
                    assert_eq!(info.size, plan.class().blob_len() as u64);
                    let part = Self::part(index);
                    self.record(SenderRecord::Confirmed { part, id: None });
                    return Ok(pace);
                }
                Err(AnswerError::Status(404)) => {}
                Err(error) => panic!("{error}"),
            }
        }
        let range = plan.range(index);
        let at = |place: u64| usize::try_from(place).unwrap();
        let content = &self.content[at(range.start)..at(range.end)];
        let (part, token) = {
            let state = self.state.borrow();
            let begin = state.begin();
            let rng = &mut *self.network.rng.borrow_mut();
            let part = seal_part(&begin.secret, &plan, index, content, rng).unwrap();
            (part, begin.owner.part_token(Store::Server, index))
        };
        let sealed = SealedAt {
            digest: part.digest,
            hour: HOUR,
        };
        self.record(SenderRecord::Sealed { index, sealed });
        *self.sealed.borrow_mut().entry(index).or_default() += 1;
        let len = part.blob.as_bytes().len();
        let request = FileRequest::Upload(Upload {
            owner: Some(token.hash()),
            ..Upload::new(part.blob.into_bytes())
        });
        let sent = self.network.ask(&request, 0).await;
        let (answer, pace) = sent.map_err(|error| PartFailure::from(&error))?;
        let stored = read_uploaded(&answer, len, &part.digest).unwrap();
        let part = Self::part(index);
        assert_eq!(self.state.borrow().id(part), Some(stored.id));
        self.record(SenderRecord::Confirmed { part, id: None });
        Ok(pace)
    }

    async fn send_list(&self) -> Pointer {
        let (list, token) = {
            let state = self.state.borrow();
            let list = state.part_list().unwrap();
            let rng = &mut *self.network.rng.borrow_mut();
            let list = list.seal(Some("it"), None, rng).unwrap();
            (list, state.begin().owner.list_token(Store::Server))
        };
        let sealed = SealedAt {
            digest: list.digest,
            hour: HOUR,
        };
        let key = FileKey::from_bytes(*list.key.as_bytes());
        self.record(SenderRecord::ListSealed { sealed, key });
        let len = list.blob.as_bytes().len();
        let request = FileRequest::Upload(Upload {
            owner: Some(token.hash()),
            ..Upload::new(list.blob.into_bytes())
        });
        let answer = self.network.ask_until_reached(&request, 0).await;
        let stored = read_uploaded(&answer, len, &list.digest).unwrap();
        Pointer {
            server: self.network.server.clone(),
            id: stored.id,
            key: PointerKey::Whole(list.key),
            digest: list.digest,
            content_len: self.content.len() as u64,
            name: Some("it".to_owned()),
            kind: ContentKind::PartList,
            expires: None,
            receipts: None,
            relay_list: None,
        }
    }

    /// Gives the share up: everything that was sealed to be sent is deleted.
    async fn discard(&self) {
        let blobs: Vec<_> = {
            let state = self.state.borrow();
            let parts = state.begin().plan.indices();
            let parts = parts.filter_map(|index| Some((Some(index), state.id(Self::part(index))?)));
            let list = state.list_id(Store::Server).map(|id| (None, id));
            let superseded = state.superseded().map(|blob| (blob.index, blob.id));
            superseded.chain(parts).chain(list).collect()
        };
        self.delete(blobs).await;
    }

    async fn delete(&self, blobs: Vec<(Option<PartIndex>, FileId)>) {
        for (index, id) in blobs {
            let token = {
                let state = self.state.borrow();
                let owner = &state.begin().owner;
                match index {
                    Some(index) => owner.part_token(Store::Server, index),
                    None => owner.list_token(Store::Server),
                }
            };
            let request = FileRequest::Delete { id, token };
            let answer = self.network.ask_until_reached(&request, 0).await;
            match read_done(&answer) {
                Ok(()) | Err(AnswerError::Status(404)) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// What was sent once more than it had to be: at most four parts for each kill, and one for each request that gave up.
    fn check_sent(&self) {
        let sealed = self.sealed.borrow();
        let again: u32 = sealed.values().map(|times| times - 1).sum();
        let allowed = self.cut_off.get() + self.network.failed.get();
        assert!(
            again <= allowed,
            "{again} parts were sent again, not {allowed}"
        );
    }
}

/// A download: what its client knows, has written down, and has on its disk.
struct Recipient<'a> {
    network: &'a Network,
    journal: RefCell<Journal>,
    state: RefCell<RecipientState>,
    list: PartListOf,
    /// Of each byte what is on the disk for good.
    disk: RefCell<Vec<u8>>,
    /// What is written and not synced yet.
    unsynced: RefCell<BTreeMap<PartIndex, Vec<u8>>>,
    fetched: Cell<u32>,
    /// Parts that a kill may cost.
    cut_off: Cell<u32>,
}

type PartListOf = std::sync::Arc<PartList>;

impl<'a> Recipient<'a> {
    async fn begin(network: &'a Network, pointer: &Pointer) -> Self {
        let request = FileRequest::Download(pointer.id.clone());
        let answer = network.ask_until_reached(&request, 10_000_000).await;
        let blob = UnverifiedBlob::new(read_found(answer).unwrap());
        let opened = blob.verify(&pointer.digest).unwrap();
        let opened = opened.open(pointer.key.whole().unwrap()).unwrap();
        let list = PartListOf::new(PartList::read(&opened, pointer, false).unwrap());
        let begin = RecipientBegin {
            pointer: Pointer::find(pointer.to_text().as_str()).unwrap(),
            target: b"/there".to_vec(),
            temporary: b"/.there.part".to_vec(),
            tell_sender: false,
        };
        let rng = &mut *network.rng.borrow_mut();
        let mut journal = Journal::new(rng);
        journal.append(&RecipientRecord::encode_begin(&begin), rng);
        journal.append(&RecipientRecord::encode_list(&list), rng);
        let mut state = RecipientState::new(begin);
        let read = RecipientRecord::List(PartListOf::clone(&list));
        state.apply(read).unwrap();
        let len = usize::try_from(list.plan().whole_len()).unwrap();
        Self {
            network,
            journal: RefCell::new(journal),
            state: RefCell::new(state),
            list,
            disk: RefCell::new(vec![0; len]),
            unsynced: RefCell::default(),
            fetched: Cell::default(),
            cut_off: Cell::default(),
        }
    }

    async fn fetch(&self) {
        let missing: Vec<_> = {
            let state = self.state.borrow();
            let indices = self.list.plan().indices();
            indices.filter(|index| !state.is_written(*index)).collect()
        };
        let direction = PartsDirection::Download { mirrored: false };
        let queue = PartQueue::new(direction, missing);
        let work =
            |start: PartStart| async move { (start.index, self.fetch_part(start.index).await) };
        self.network.run_all(queue, work).await;
        self.sync();
    }

    async fn fetch_part(&self, index: PartIndex) -> Result<Pace, PartFailure> {
        assert!(!self.state.borrow().is_written(index), "it is there");
        let id = self.list.id(Store::Server, index).unwrap();
        let blob_len = self.list.plan().class().blob_len();
        let asked = self.network.ask(&FileRequest::Download(id), blob_len).await;
        let (answer, pace) = asked.map_err(|error| PartFailure::from(&error))?;
        let blob = UnverifiedBlob::new(read_found(answer).unwrap());
        let opened = self.list.open_part(index, blob).unwrap();
        self.fetched.set(self.fetched.get() + 1);
        let mut unsynced = self.unsynced.borrow_mut();
        unsynced.insert(index, opened.content().to_vec());
        let is_time = unsynced.len() >= SYNC_PARTS;
        drop(unsynced);
        if is_time {
            self.sync();
        }
        Ok(pace)
    }

    /// What is written reaches the disk, and then the state says so.
    fn sync(&self) {
        let unsynced = std::mem::take(&mut *self.unsynced.borrow_mut());
        for (index, content) in unsynced {
            self.reaches_disk(index, &content);
            let (first, last) = (index, index);
            let record = RecipientRecord::Written { first, last };
            let rng = &mut *self.network.rng.borrow_mut();
            self.journal.borrow_mut().append(&record.encode(), rng);
            self.state.borrow_mut().apply(record).unwrap();
        }
    }

    fn reaches_disk(&self, index: PartIndex, content: &[u8]) {
        let at = usize::try_from(self.list.plan().range(index).start).unwrap();
        self.disk.borrow_mut()[at..at + content.len()].copy_from_slice(content);
    }

    /// The client is killed, or the computer loses its power: of what was not synced anything may be on the disk.
    fn restart(&self) {
        let unsynced = std::mem::take(&mut *self.unsynced.borrow_mut());
        self.cut_off
            .set(self.cut_off.get() + u32::try_from(unsynced.len()).unwrap());
        for (index, mut content) in unsynced {
            match self.network.below(3) {
                0 => self.reaches_disk(index, &content),
                1 => {
                    let kept = content.len() / 2;
                    content[kept..].fill(0);
                    self.reaches_disk(index, &content);
                }
                _ => {}
            }
        }
        let rng = &mut *self.network.rng.borrow_mut();
        let mut journal = self.journal.borrow_mut();
        let first = self.list.plan().index(0).unwrap();
        let record = RecipientRecord::Written { first, last: first };
        journal.tear(&record.encode(), rng);
        let state = journal.reopened(|log| RecipientState::replay(log).unwrap());
        *self.state.borrow_mut() = state;
    }
}

/// Whether `work` came to its end before the moment of its kill.
async fn unless_killed<T>(
    network: &Network,
    at: Option<Duration>,
    work: impl Future<Output = T>,
) -> Option<T> {
    let Some(at) = at else {
        return Some(work.await);
    };
    match select(pin!(work), pin!(network.time.sleep_until(at))).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(_) => None,
    }
}

fn content(len: usize, seed: u64) -> Vec<u8> {
    let mut content = vec![0; len];
    ChaCha8Rng::seed_from_u64(seed).fill_bytes(&mut content);
    content
}

/// A whole in small parts: the recipient takes any cut that the format allows, and small ones are quickly sealed.
fn small_plan(network: &Network) -> PartPlan {
    loop {
        let parts = 2 + network.below(15);
        let len = u64::from(33_000 + network.below(31_000)) * u64::from(parts);
        if let Ok(plan) = PartPlan::new(len - u64::from(network.below(3)), parts) {
            return plan;
        }
    }
}

/// The cut of a whole as it is really sent, about where one part more begins.
fn real_plan(network: &Network) -> PartPlan {
    let len = u64::from(1 + network.below(2)) * 9_998_912 + u64::from(network.below(5));
    let len = (len - 2).max(9_998_913);
    match Layout::for_sending(len, IdForm::Packed, None).unwrap() {
        Layout::Parts(plan) => plan,
        Layout::OneBlob(_) => unreachable!("it is longer than a blob"),
    }
}

/// What one run came to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Run {
    kills: u32,
    deaths: usize,
    requests: u32,
    sent_again: u32,
    fetched_again: u32,
    took: Duration,
}

fn run(seed: u64) -> Run {
    let network = Network::new(seed, (3, 2));
    let plan = if seed % 100 == 99 {
        real_plan(&network)
    } else {
        small_plan(&network)
    };
    let content = content(usize::try_from(plan.whole_len()).unwrap(), seed);
    let mut run = Run::default();
    network.time.run(async {
        // About as long as it takes without trouble.
        let usual = 2_000 + 400 * plan.parts();
        let sender = Sender::new(&network, &content, plan);
        let (to_share, gives_up) = (1 + network.below(3), seed.is_multiple_of(7));
        let mut kills = 0;
        let pointer = loop {
            let at = network.time.now() + network.millis(usual);
            let at = (kills < to_share).then_some(at);
            if let Some(pointer) = unless_killed(&network, at, sender.send()).await {
                break Some(pointer);
            }
            kills += 1;
            run.kills += 1;
            sender.restart();
            if gives_up && kills == to_share {
                sender.discard().await;
                break None;
            }
        };
        sender.check_sent();
        run.sent_again = sender.sealed.borrow().values().map(|times| times - 1).sum();
        let stored = network.world.borrow().server.stored.len();
        let Some(pointer) = pointer else {
            assert_eq!(stored, 0, "what was given up is gone");
            return;
        };
        // Parts and list, and nothing that others took the place of.
        assert_eq!(stored, plan.parts() as usize + 1);
        network.to_die.set((3, 2));
        let failed_before = network.failed.get();
        let recipient = Recipient::begin(&network, &pointer).await;
        let to_fetch = 1 + network.below(3);
        let mut kills = 0;
        loop {
            let at = network.time.now() + network.millis(usual);
            let at = (kills < to_fetch).then_some(at);
            if unless_killed(&network, at, recipient.fetch())
                .await
                .is_some()
            {
                break;
            }
            kills += 1;
            run.kills += 1;
            recipient.restart();
        }
        assert!(*recipient.disk.borrow() == content, "other bytes came back");
        run.fetched_again = recipient.fetched.get() - plan.parts();
        let allowed = recipient.cut_off.get() + network.failed.get() - failed_before;
        assert!(
            run.fetched_again <= allowed,
            "{} again, not {allowed}",
            run.fetched_again
        );
    });
    run.deaths = network.deaths.borrow().len();
    run.requests = network.requests.get();
    run.took = network.time.now();
    run
}

fn runs(seeds: impl Iterator<Item = u64>) -> Run {
    let mut all = Run::default();
    for seed in seeds {
        let one = std::panic::catch_unwind(|| run(seed));
        let one = one.unwrap_or_else(|_| panic!("the run with seed {seed} failed"));
        all.kills += one.kills;
        all.deaths += one.deaths;
        all.requests += one.requests;
        all.sent_again += one.sent_again;
        all.fetched_again += one.fetched_again;
        all.took += one.took;
    }
    all
}

#[expect(
    clippy::print_stdout,
    reason = "the figures of the runs, for whoever reads them"
)]
fn check_runs(seeds: std::ops::Range<u64>) {
    let number = u32::try_from(seeds.end - seeds.start).unwrap();
    let all = runs(seeds);
    println!("{all:?}");
    // Else nothing was tried.
    let deaths = u32::try_from(all.deaths).unwrap();
    assert!(all.kills > number && deaths > number, "{all:?}");
    assert!(all.sent_again > 0 && all.fetched_again > 0, "{all:?}");
}

#[test]
fn what_is_killed_at_random_moments_arrives_byte_for_byte() {
    check_runs(0..24);
}

/// `cargo test --test protocol hundred_runs -- --ignored --nocapture` prints its figures.
#[test]
#[ignore = "takes minutes; the same as the one above, with more seeds"]
fn three_hundred_runs_arrive_byte_for_byte() {
    check_runs(0..300);
}

#[test]
fn the_same_seed_gives_the_same_run() {
    assert_eq!(run(5), run(5));
}

/// 0.5 Mbit/s up is what a weak line has. Nothing may be given up and sent again because it is slow.
#[test]
fn a_hundred_megabytes_go_up_a_link_of_half_a_megabit() {
    let network = Network {
        link_up: Some(500_000),
        ..Network::new(1, (0, 0))
    };
    let Layout::Parts(plan) = Layout::for_sending(100_000_000, IdForm::Packed, None).unwrap()
    else {
        unreachable!("it is longer than a blob");
    };
    let content = content(100_000_000, 1);
    let pointer = network.time.run(async {
        let sender = Sender::new(&network, &content, plan);
        let pointer = sender.send().await;
        assert!(sender.sealed.borrow().values().all(|times| *times == 1));
        pointer
    });
    // Each part and the list, in one try each.
    assert_eq!(network.requests.get(), plan.parts() + 1);
    let bits = f64::from(plan.parts() + 1) * plan.class().blob_len() as f64 * 8.0;
    let took = network.time.now().as_secs_f64();
    assert!(took < 1.1 * bits / 500_000.0, "it took {took} s");
    network.time.run(async {
        let recipient = Recipient::begin(&network, &pointer).await;
        recipient.fetch().await;
        assert!(*recipient.disk.borrow() == content, "other bytes came back");
    });
}
