//! The shares that callers have of a listener: connections, requests with a body, memory, and requests that wait for
//! another party. One account for each listener, of servers and relays alike.
//!
//! An address, as in [`Holder`], has its share of each. Listed relays have a quarter of the slots in its place.
//! Exempt are the clients of the network that is built in, and the connections (not the clients) of trusted proxies.

use std::{collections::HashMap, net::IpAddr, sync::Arc, time::Duration};

use hyper::HeaderMap;
use parking_lot::{Mutex, MutexGuard, RwLock};
use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};

use super::{
    connections::{Connections, LimitClass},
    holder::{Holder, IpNetwork, client_of},
    open_files,
    reserve::{Full, Memory, Reservation},
    turns::{TurnLimits, Turns},
};

/// The bounds of a listener.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Connections at once.
    pub max_connections: usize,
    /// The most memory that bodies may take at once, in bytes.
    pub max_memory: u64,
    /// Proxies whose `X-Forwarded-For` names the client.
    pub trusted_proxies: Vec<IpNetwork>,
    /// Whether each address has its share and no more: not in the network that is built in, whose clients are all on
    /// this computer.
    pub limit_addresses: bool,
    /// The time that a request waits for its turn and for memory.
    pub patience: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            max_connections: 2_048,
            max_memory: 512 << 20,
            trusted_proxies: Vec::new(),
            limit_addresses: true,
            patience: Duration::from_secs(10),
        }
    }
}

/// The account of one listener; clones share it.
#[derive(Clone, Debug)]
pub struct Admission {
    shared: Arc<AdmissionState>,
}

#[derive(Debug)]
struct AdmissionState {
    rules: Rules,
    memory: Memory,
    connections: Mutex<Connections>,
    turns: Mutex<Turns>,
    /// Requests that wait for another party, by its name.
    onward: Mutex<HashMap<String, usize>>,
    /// The number of relays of the list at each address.
    listed: RwLock<HashMap<IpAddr, usize>>,
}

impl AdmissionState {
    fn connections(&self) -> MutexGuard<'_, Connections> {
        self.connections.lock()
    }

    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock()
    }

    fn onward(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.onward.lock()
    }

    /// The slots of one listed relay, or of requests that wait for one party.
    fn quarter(&self) -> usize {
        (self.rules.max_connections / 4).max(1)
    }

    /// The slots of the listed relays at an address; none when it has none.
    fn slots_of_listed(&self, address: IpAddr) -> Option<usize> {
        let listed = self.listed.read();
        listed.get(&address).map(|relays| relays * self.quarter())
    }
}

impl Admission {
    /// An account without callers. It allows no more connections than the limit of open files does.
    #[must_use]
    pub fn new(mut rules: Rules) -> Self {
        rules.max_connections = rules.max_connections.min(open_files::connections());
        Self {
            shared: Arc::new(AdmissionState {
                memory: Memory::new(rules.max_memory, rules.patience),
                connections: Mutex::new(Connections::new(rules.max_connections)),
                turns: Mutex::default(),
                onward: Mutex::default(),
                listed: RwLock::default(),
                rules,
            }),
        }
    }

    /// Replaces the addresses of the listed relays; an address that has several of them is named so often.
    pub(crate) fn set_listed(&self, relays: impl IntoIterator<Item = IpAddr>) {
        let mut listed = HashMap::new();
        for relay in relays {
            *listed.entry(Holder::of(relay).address).or_default() += 1;
        }
        *self.shared.listed.write() = listed;
    }

    /// Takes in a connection from `peer`; the oldest that waits for a head, of the address that holds most, is closed
    /// where no slot is free. None when the newcomer has to be closed.
    pub(super) fn connect(&self, peer: IpAddr) -> Option<Visit> {
        let shared = &self.shared;
        let kind = if self.is_exempt(peer) {
            LimitClass::Exempt
        } else {
            let holder = Holder::of(peer);
            match shared.slots_of_listed(holder.address) {
                Some(slots) => LimitClass::Listed(holder, slots),
                None => {
                    let listed = shared.listed.read();
                    LimitClass::Unlisted {
                        holder,
                        beside_listed: !listed.is_empty(),
                    }
                }
            }
        };
        let (id, close) = shared.connections().open(kind)?;
        Some(Visit {
            shared: Arc::clone(shared),
            id,
            close,
        })
    }

    /// Closes one connection that waits for a head, so that the next can be accepted.
    pub(super) fn make_room(&self) {
        self.shared.connections().make_room();
    }

    /// The client that sent a request with these headers over a connection from `peer`.
    #[must_use]
    pub(crate) fn caller(&self, peer: IpAddr, headers: &HeaderMap) -> Caller {
        let shared = &self.shared;
        let ip = client_of(peer, headers, &shared.rules.trusted_proxies);
        Caller {
            inner: Arc::new(CallerInner {
                shared: Arc::clone(shared),
                ip,
                holder: Holder::of(ip),
                turn: Mutex::new(None),
            }),
        }
    }

    /// A slot for a request that waits for the party of this name: a quarter of all at most, so that none that never
    /// answers takes all of them. None when that party has its share.
    #[must_use]
    pub(crate) fn onward(&self, party: &str) -> Option<Onward> {
        let mut onward = self.shared.onward();
        let waiting = onward.entry(party.to_owned()).or_default();
        if *waiting >= self.shared.quarter() {
            return None;
        }
        *waiting += 1;
        Some(Onward {
            shared: Arc::clone(&self.shared),
            party: party.to_owned(),
        })
    }

    /// The bytes of memory that are reserved right now.
    #[must_use]
    pub(crate) fn reserved_bytes(&self) -> u64 {
        self.shared.memory.reserved_bytes()
    }

    fn is_exempt(&self, peer: IpAddr) -> bool {
        let rules = &self.shared.rules;
        !rules.limit_addresses
            || rules
                .trusted_proxies
                .iter()
                .any(|proxy| proxy.contains(peer))
    }
}

/// One connection's slot, left on drop.
#[derive(Debug)]
pub(super) struct Visit {
    shared: Arc<AdmissionState>,
    id: u64,
    close: CancellationToken,
}

impl Visit {
    /// Returns when this connection has to make room for another.
    pub(super) fn closed(&self) -> WaitForCancellationFuture<'_> {
        self.close.cancelled()
    }

    /// Notes that a first byte has come: connections that have sent nothing make room before this one.
    pub(super) fn speaks(&self) {
        self.shared.connections().speaks(self.id);
    }

    /// A whole head has come; until the returned guard is dropped, the connection makes room for nobody.
    pub(super) fn request(&self) -> Requested {
        self.shared.connections().runs(self.id);
        Requested {
            shared: Arc::clone(&self.shared),
            id: self.id,
        }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.shared.connections().close(self.id);
    }
}

/// A request on a connection, from its head until its answer has been sent.
#[derive(Debug)]
pub(super) struct Requested {
    shared: Arc<AdmissionState>,
    id: u64,
}

impl Drop for Requested {
    fn drop(&mut self) {
        self.shared.connections().waits(self.id);
    }
}

/// The sender of a request, from whose share its turn and its memory are taken. The turn ends with the last clone, which the
/// listener keeps until the answer has been sent.
#[derive(Clone, Debug)]
pub struct Caller {
    inner: Arc<CallerInner>,
}

#[derive(Debug)]
struct CallerInner {
    shared: Arc<AdmissionState>,
    ip: IpAddr,
    holder: Holder,
    turn: Mutex<Option<Turn>>,
}

impl Caller {
    /// The client's own address.
    #[must_use]
    pub(crate) fn ip(&self) -> IpAddr {
        self.inner.ip
    }

    /// The address that the client is counted by: its IPv4 address, or the first of its IPv6 /64.
    #[must_use]
    pub(crate) fn address(&self) -> IpAddr {
        self.inner.holder.address
    }

    /// Waits for the turn of a request with a body of `len_bytes`, and then for memory to read it to.
    ///
    /// # Errors
    /// [`Full`] when it has not come within the patience.
    pub(super) async fn begin(&self, len_bytes: u64) -> Result<Reservation, Full> {
        let patience = self.inner.shared.rules.patience;
        let entering = async {
            self.take_turn(len_bytes).await;
            self.begin_answer(len_bytes).await
        };
        tokio::time::timeout(patience, entering)
            .await
            .unwrap_or(Err(Full))
    }

    /// Waits for memory to read a body of `len_bytes` to that another party sends for this caller.
    ///
    /// # Errors
    /// [`Full`] when there is none within the patience.
    pub(super) async fn begin_answer(&self, len_bytes: u64) -> Result<Reservation, Full> {
        let memory = &self.inner.shared.memory;
        memory.begin(self.site(), len_bytes).await
    }

    /// Waits for memory for an answer of `len_bytes` to this caller, which is there at once.
    ///
    /// # Errors
    /// [`Full`] when there is none within the patience.
    pub(crate) async fn reserve(&self, len_bytes: u64) -> Result<Reservation, Full> {
        let memory = &self.inner.shared.memory;
        memory.take(self.site(), len_bytes).await
    }

    /// Ends the turn before the answer is sent: nothing is held any more.
    pub(super) fn end_turn(&self) {
        drop(self.turn().take());
    }

    fn turn(&self) -> MutexGuard<'_, Option<Turn>> {
        let turn = &self.inner.turn;
        turn.lock()
    }

    fn site(&self) -> Option<IpAddr> {
        let rules = &self.inner.shared.rules;
        rules.limit_addresses.then_some(self.inner.holder.site)
    }

    async fn take_turn(&self, len_bytes: u64) {
        let shared = &self.inner.shared;
        if !shared.rules.limit_addresses {
            return;
        }
        let holder = self.inner.holder;
        let share = shared
            .slots_of_listed(holder.address)
            .map_or(TurnLimits::USUAL, TurnLimits::of_slots);
        let (id, woken) = shared.turns().ask(holder, share, len_bytes);
        let turn = Turn {
            shared: Arc::clone(shared),
            id,
            woken,
        };
        while !turn.shared.turns().runs(turn.id) {
            turn.woken.notified().await;
        }
        *self.turn() = Some(turn);
    }
}

/// The turn of one request, or its place in the queue; left on drop.
#[derive(Debug)]
struct Turn {
    shared: Arc<AdmissionState>,
    id: u64,
    woken: Arc<Notify>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.shared.turns().leave(self.id);
    }
}

/// The slot of a request that waits for another party; left on drop.
#[derive(Debug)]
pub struct Onward {
    shared: Arc<AdmissionState>,
    party: String,
}

impl Drop for Onward {
    fn drop(&mut self) {
        let mut onward = self.shared.onward();
        if let Some(waiting) = onward.get_mut(&self.party) {
            *waiting -= 1;
            if *waiting == 0 {
                onward.remove(&self.party);
            }
        }
    }
}
