//! The memory that bodies may take at once, and the order in which they give up when it ends.
//!
//! Two accounts, one for bodies of up to 64 KiB, so that small requests always pass, and one for all others. Memory is
//! taken as bytes arrive, in steps; what a head promises counts for 64 KiB at most. While an account has nothing left,
//! newcomers wait, in turns between addresses; of the bodies under way the one that has least gives up first, so that
//! the one that has most always finishes. Nobody has more than a quarter of an account, but everybody may have one
//! message of the largest size.
//!
//! Newcomers are let in as long as those under way can be expected to finish beside them, so that not all of them are half
//! done when the memory ends: a body counts with its whole length while it keeps a good pace, else with what it holds.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;

use super::fair_queue::{FairQueue, Verdict};
use crate::protocol::onion::MAX_MESSAGE_LEN;

/// The memory of a listener; clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    small: Arc<PoolShared>,
    large: Arc<PoolShared>,
    patience: Duration,
}

#[derive(Debug)]
struct PoolShared {
    account: Mutex<Account>,
}

impl PoolShared {
    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock()
    }
}

impl Memory {
    /// `limit_bytes` in all, of which 8 MiB are kept for small bodies (a quarter where there is little). Whoever finds
    /// nothing left waits for `patience`.
    #[must_use]
    pub(crate) fn new(limit_bytes: u64, patience: Duration) -> Self {
        let small = SMALL_LANE.min(limit_bytes / 4);
        let account = |limit_bytes, longest| {
            Arc::new(PoolShared {
                account: Mutex::new(Account::new(limit_bytes, longest)),
            })
        };
        Self {
            small: account(small, SMALL_LEN),
            large: account(limit_bytes - small, ONE_MESSAGE),
            patience,
        }
    }

    /// Memory for a body of `len_bytes` that is going to be read; the first step of it is taken. `site` is whose it is.
    ///
    /// # Errors
    /// [`Full`] when there is no room for it within the patience.
    pub(crate) async fn begin(
        &self,
        site: Option<IpAddr>,
        len_bytes: u64,
    ) -> Result<Reservation, Full> {
        let first = first_step(len_bytes);
        self.enter(site, first, len_bytes).await
    }

    /// Memory for `len_bytes` that are there at once, such as an answer that is read from a disk.
    ///
    /// # Errors
    /// [`Full`] when there is no room for it within the patience.
    pub(crate) async fn take(
        &self,
        site: Option<IpAddr>,
        len_bytes: u64,
    ) -> Result<Reservation, Full> {
        let mut reservation = self.enter(site, len_bytes, len_bytes).await?;
        reservation.finish()?;
        Ok(reservation)
    }

    /// The bytes taken right now.
    #[must_use]
    pub(crate) fn reserved_bytes(&self) -> u64 {
        self.small.account().used_bytes + self.large.account().used_bytes
    }

    async fn enter(
        &self,
        site: Option<IpAddr>,
        first_bytes: u64,
        len_bytes: u64,
    ) -> Result<Reservation, Full> {
        let shared = if len_bytes <= SMALL_LEN {
            &self.small
        } else {
            &self.large
        };
        let now = Instant::now();
        let asked = shared.account().ask(site, first_bytes, len_bytes, now);
        let (id, woken) = asked.ok_or(Full)?;
        let reservation = Reservation {
            shared: Arc::clone(shared),
            id,
            woken,
            patience: self.patience,
            held_bytes: first_bytes,
        };
        let until = now + self.patience;
        loop {
            let now = Instant::now();
            {
                let mut account = shared.account();
                account.let_in(now);
                if account.is_in(id) {
                    return Ok(reservation);
                }
            }
            if now >= until {
                return Err(Full);
            }
            // What others still have to bring changes with the time, too.
            let look = LOOK_EVERY.min(until - now);
            drop(tokio::time::timeout(look, reservation.woken.notified()).await);
        }
    }
}

/// Memory taken from an account; given back on drop. It travels with the bytes that it stands for.
#[derive(Debug)]
pub struct Reservation {
    shared: Arc<PoolShared>,
    id: u64,
    woken: Arc<Notify>,
    patience: Duration,
    held_bytes: u64,
}

impl Reservation {
    /// The bytes that it stands for now.
    #[must_use]
    pub(crate) const fn held_bytes(&self) -> u64 {
        self.held_bytes
    }

    /// Takes memory until it stands for `to_bytes`; says how long that took, in which nothing could be read.
    ///
    /// # Errors
    /// [`Full`] when others that have more need what there is.
    pub(crate) async fn grow(&mut self, to_bytes: u64) -> Result<Duration, Full> {
        let start = Instant::now();
        loop {
            let grown = self.shared.account().grow(self.id, to_bytes);
            let waited = start.elapsed();
            match grown {
                Growth::Granted => {
                    self.held_bytes = self.held_bytes.max(to_bytes);
                    return Ok(waited);
                }
                Growth::GivesUp => return Err(Full),
                // The one that has most waits for what is being sent or stored.
                Growth::Waits { has_most } => {
                    if !has_most && waited >= self.patience {
                        return Err(Full);
                    }
                }
            }
            drop(tokio::time::timeout(LOOK_EVERY, self.woken.notified()).await);
        }
    }

    /// Returns when this body has to give up for others that have more.
    pub(crate) async fn gives_up(&self) {
        while !self.shared.account().gives_up(self.id) {
            self.woken.notified().await;
        }
    }

    /// The body is whole: it gives up for nobody any more.
    ///
    /// # Errors
    /// [`Full`] when it had to give up just now.
    pub(crate) fn finish(&mut self) -> Result<(), Full> {
        if self.shared.account().finish(self.id) {
            Ok(())
        } else {
            Err(Full)
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.shared.account().leave(self.id, Instant::now());
    }
}

/// The account has not that much left; what arrived should be tried again later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too much memory is reserved already")]
pub struct Full;

/// The step that a body of `len_bytes` begins with.
const fn first_step(len_bytes: u64) -> u64 {
    let most = if len_bytes <= SMALL_LEN {
        SMALL_STEP
    } else {
        SMALL_LEN
    };
    if len_bytes < most { len_bytes } else { most }
}

/// The memory that a body of at most `most_bytes` takes for `arrived_bytes`: a quarter more, so that there are few steps.
pub(super) fn next_step(arrived_bytes: u64, most_bytes: u64) -> u64 {
    let more = (arrived_bytes / 4).max(SMALL_STEP);
    arrived_bytes.saturating_add(more).min(most_bytes)
}

/// One account: the rules, without waiting and without a clock.
#[derive(Debug)]
struct Account {
    limit_bytes: u64,
    site_limit_bytes: u64,
    used_bytes: u64,
    next: u64,
    entries: BTreeMap<u64, PoolEntry>,
    by_site: HashMap<IpAddr, u64>,
    queue: FairQueue<u64>,
    /// The last time that newcomers were let in; none after a change.
    looked: Option<Instant>,
}

#[derive(Debug)]
struct PoolEntry {
    site: Option<IpAddr>,
    state: PoolState,
    held_bytes: u64,
    len_bytes: u64,
    since: Instant,
    woken: Arc<Notify>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PoolState {
    /// It waits in the queue and would begin with this many bytes.
    Queued(u64),
    /// It is being read.
    UnderWay(Lacks),
    /// It has to give up, and is about to leave.
    GivesUp,
    /// It has arrived whole.
    Whole,
}

/// The memory that a body under way waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Lacks {
    /// Memory of all.
    of_all: bool,
    /// Memory that its site may have.
    of_site: bool,
}

/// The answer to a body that asks for more memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Growth {
    Granted,
    GivesUp,
    Waits {
        /// No body under way that it competes with has more.
        has_most: bool,
    },
}

impl PoolEntry {
    const fn is_under_way(&self) -> bool {
        matches!(self.state, PoolState::UnderWay(_))
    }

    /// The bytes that it is reckoned with when newcomers are let in.
    fn expected_bytes(&self, now: Instant) -> u64 {
        let age = now.saturating_duration_since(self.since).as_millis();
        let wanted = age.saturating_sub(GRACE_MILLIS) * GOOD_BYTES_PER_SEC / 1000;
        if self.is_under_way() && u128::from(self.held_bytes) >= wanted {
            self.len_bytes.max(self.held_bytes)
        } else {
            self.held_bytes
        }
    }
}

impl Account {
    fn new(limit_bytes: u64, longest: u64) -> Self {
        Self {
            limit_bytes,
            site_limit_bytes: (limit_bytes / 4).max(longest),
            used_bytes: 0,
            next: 0,
            entries: BTreeMap::new(),
            by_site: HashMap::new(),
            queue: FairQueue::default(),
            looked: None,
        }
    }

    /// Puts a newcomer into the queue; none when it could never be let in.
    fn ask(
        &mut self,
        site: Option<IpAddr>,
        first_bytes: u64,
        len_bytes: u64,
        now: Instant,
    ) -> Option<(u64, Arc<Notify>)> {
        if len_bytes > self.limit_of(site) {
            return None;
        }
        self.next += 1;
        let (id, woken) = (self.next, Arc::new(Notify::new()));
        self.entries.insert(
            id,
            PoolEntry {
                site,
                state: PoolState::Queued(first_bytes),
                held_bytes: 0,
                len_bytes,
                since: now,
                woken: Arc::clone(&woken),
            },
        );
        self.queue.push(queue_key(site), id);
        self.looked = None;
        Some((id, woken))
    }

    fn is_in(&self, id: u64) -> bool {
        let entry = self.entries.get(&id);
        entry.is_some_and(|entry| !matches!(entry.state, PoolState::Queued(_)))
    }

    /// Lets in whoever there is room for; without a change before, not again at the same moment.
    fn let_in(&mut self, now: Instant) {
        if self
            .looked
            .is_some_and(|looked| now < looked + LOOK_EVERY / 2)
        {
            return;
        }
        self.looked = Some(now);
        // By what those under way are expected to come to, and not by what they hold now: else too many would be let in, and be
        // half done when the memory ends.
        let mut expected: u64 = 0;
        let mut of_site: HashMap<IpAddr, u64> = HashMap::new();
        for entry in self.entries.values() {
            if entry.state.lacks().of_all {
                // Those under way come first.
                return;
            }
            let bytes = entry.expected_bytes(now);
            expected += bytes;
            if let Some(site) = entry.site {
                *of_site.entry(site).or_default() += bytes;
            }
        }
        loop {
            let (entries, limit, site_limit) =
                (&self.entries, self.limit_bytes, self.site_limit_bytes);
            let (used, of_sites) = (self.used_bytes, &self.by_site);
            let next = self.queue.next(|_, id| {
                let Some(entry) = entries.get(id) else {
                    return Verdict::Take;
                };
                let PoolState::Queued(first) = entry.state else {
                    return Verdict::Take;
                };
                if let Some(site) = entry.site {
                    let used = of_sites.get(&site).copied().unwrap_or(0);
                    let expected = of_site.get(&site).copied().unwrap_or(0);
                    if used + first > site_limit || expected + entry.len_bytes > site_limit {
                        return Verdict::Skip;
                    }
                }
                if used + first > limit || expected + entry.len_bytes > limit {
                    Verdict::Stop
                } else {
                    Verdict::Take
                }
            });
            let Some(id) = next else { return };
            let Some(entry) = self.entries.get_mut(&id) else {
                continue;
            };
            let PoolState::Queued(first) = entry.state else {
                continue;
            };
            entry.state = PoolState::UnderWay(Lacks::default());
            entry.held_bytes = first;
            entry.since = now;
            entry.woken.notify_one();
            let bytes = entry.expected_bytes(now);
            let site = entry.site;
            expected += bytes;
            self.used_bytes += first;
            if let Some(site) = site {
                *of_site.entry(site).or_default() += bytes;
                *self.by_site.entry(site).or_default() += first;
            }
        }
    }

    fn grow(&mut self, id: u64, to_bytes: u64) -> Growth {
        let Some(entry) = self.entries.get(&id) else {
            return Growth::GivesUp;
        };
        if entry.state == PoolState::GivesUp {
            return Growth::GivesUp;
        }
        let more = to_bytes.saturating_sub(entry.held_bytes);
        let site = entry.site;
        let of_all = self.make_room(id, more, None);
        let of_site = site.and_then(|site| self.make_room(id, more, Some(site)));
        let Some(entry) = self.entries.get_mut(&id) else {
            return Growth::GivesUp;
        };
        entry.state = PoolState::UnderWay(Lacks {
            of_all: of_all.is_some(),
            of_site: of_site.is_some(),
        });
        if of_all.is_some() || of_site.is_some() {
            let has_most = of_all.unwrap_or(true) && of_site.unwrap_or(true);
            return Growth::Waits { has_most };
        }
        entry.held_bytes += more;
        self.used_bytes += more;
        if let Some(site) = site {
            *self.by_site.entry(site).or_default() += more;
        }
        Growth::Granted
    }

    /// Sees to it that `more` is free for the body, of all (`None`) or of what a site may have. None when it is;
    /// else the body has to wait, and this says whether no other under way has more. Those that have less give up,
    /// least first, as far as that helps.
    fn make_room(&mut self, id: u64, more: u64, level: Option<IpAddr>) -> Option<bool> {
        let (limit, used) = match level {
            Some(site) => (
                self.site_limit_bytes,
                self.by_site.get(&site).copied().unwrap_or(0),
            ),
            None => (self.limit_bytes, self.used_bytes),
        };
        let free = limit.saturating_sub(used);
        let own = self.entries.get(&id).map_or(0, |entry| entry.held_bytes);
        // More before less, and among equals the one that was there first.
        let rank = |id: u64, held: u64| (held, Reverse(id));
        let (mut leaving, mut has_most, mut others_first) = (0, true, false);
        let mut lesser = Vec::new();
        for (&other, entry) in &self.entries {
            if other == id || (level.is_some() && entry.site != level) {
                continue;
            }
            match entry.state {
                PoolState::GivesUp => leaving += entry.held_bytes,
                PoolState::UnderWay(lacks) if rank(other, entry.held_bytes) > rank(id, own) => {
                    has_most = false;
                    others_first |= if level.is_some() {
                        lacks.of_site
                    } else {
                        lacks.of_all
                    };
                }
                PoolState::UnderWay(_) => lesser.push((rank(other, entry.held_bytes), other)),
                PoolState::Queued(_) | PoolState::Whole => {}
            }
        }
        // Somebody who has more waits already: what becomes free is theirs.
        if others_first {
            return Some(false);
        }
        if more <= free {
            return None;
        }
        // Nobody gives up for nothing: only where those that have less hold enough together.
        let mut missing = more.saturating_sub(free + leaving);
        let can_give: u64 = lesser.iter().map(|((held, _), _)| held).sum();
        if missing > 0 && can_give >= missing {
            lesser.sort_unstable();
            for ((held, _), other) in lesser {
                if missing == 0 {
                    break;
                }
                missing = missing.saturating_sub(held);
                if let Some(entry) = self.entries.get_mut(&other) {
                    entry.state = PoolState::GivesUp;
                    entry.woken.notify_one();
                }
            }
        }
        Some(has_most)
    }

    fn gives_up(&self, id: u64) -> bool {
        let entry = self.entries.get(&id);
        entry.is_none_or(|entry| entry.state == PoolState::GivesUp)
    }

    fn finish(&mut self, id: u64) -> bool {
        match self.entries.get_mut(&id) {
            Some(entry) if entry.state != PoolState::GivesUp => {
                entry.state = PoolState::Whole;
                true
            }
            _ => false,
        }
    }

    fn leave(&mut self, id: u64, now: Instant) {
        let Some(entry) = self.entries.remove(&id) else {
            return;
        };
        self.queue.remove(queue_key(entry.site), &id);
        self.used_bytes -= entry.held_bytes;
        if let Some(site) = entry.site
            && let Some(used) = self.by_site.get_mut(&site)
        {
            *used -= entry.held_bytes;
            if *used == 0 {
                self.by_site.remove(&site);
            }
        }
        for entry in self.entries.values() {
            if entry.state.lacks() != Lacks::default() {
                entry.woken.notify_one();
            }
        }
        self.looked = None;
        self.let_in(now);
    }

    fn limit_of(&self, site: Option<IpAddr>) -> u64 {
        match site {
            Some(_) => self.limit_bytes.min(self.site_limit_bytes),
            None => self.limit_bytes,
        }
    }
}

impl PoolState {
    fn lacks(self) -> Lacks {
        match self {
            Self::UnderWay(lacks) => lacks,
            Self::Queued(_) | Self::GivesUp | Self::Whole => Lacks::default(),
        }
    }
}

/// Those that are counted for nobody take turns as one.
fn queue_key(site: Option<IpAddr>) -> IpAddr {
    site.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED))
}

/// The longest body that counts as small; also what a promise counts for at most.
pub(super) const SMALL_LEN: u64 = 64 * 1024;
const SMALL_STEP: u64 = 4 * 1024;
const SMALL_LANE: u64 = 8 << 20;
/// The largest message, and a little for its ciphers and steps.
const ONE_MESSAGE: u64 = MAX_MESSAGE_LEN as u64 + SMALL_LEN;
/// A body that keeps this pace, after a grace, is reckoned with its whole length.
const GOOD_BYTES_PER_SEC: u128 = 32 * 1024;
const GRACE_MILLIS: u128 = 1_000;
const LOOK_EVERY: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn site(last: u8) -> Option<IpAddr> {
        Some([192, 0, 2, last].into())
    }

    /// An account in virtual time.
    struct Fixture {
        account: Account,
        now: Instant,
    }

    impl Fixture {
        fn new(limit_bytes: u64) -> Self {
            Self {
                account: Account::new(limit_bytes, ONE_MESSAGE),
                now: Instant::now(),
            }
        }

        fn ask(&mut self, last: u8, len_bytes: u64) -> u64 {
            let first = first_step(len_bytes);
            let asked = self.account.ask(site(last), first, len_bytes, self.now);
            let (id, _woken) = asked.unwrap();
            self.account.let_in(self.now);
            id
        }

        fn pass(&mut self, secs: u64) {
            self.now += Duration::from_secs(secs);
            self.account.let_in(self.now);
        }

        fn leave(&mut self, id: u64) {
            self.account.leave(id, self.now);
        }

        /// Those that gave up hang up.
        fn bury(&mut self) -> usize {
            let entries = self.account.entries.iter();
            let given_up: Vec<_> = entries
                .filter(|(_, entry)| entry.state == PoolState::GivesUp)
                .map(|(id, _)| *id)
                .collect();
            for id in &given_up {
                self.leave(*id);
            }
            given_up.len()
        }

        fn is_in(&self, id: u64) -> bool {
            self.account.is_in(id)
        }
    }

    #[test]
    fn a_promise_counts_for_64_kib_at_most() {
        let mut fixture = Fixture::new(504 * MIB);
        for number in 0..52 {
            fixture.ask(number, 10 * MIB);
            // Nothing comes of it.
            fixture.pass(5);
        }
        assert_eq!(fixture.account.used_bytes, 52 * SMALL_LEN);
        let honest = fixture.ask(99, 10 * MIB);
        assert!(fixture.is_in(honest));
    }

    #[test]
    fn the_one_that_has_most_always_finishes_and_the_least_gives_up_first() {
        let mut fixture = Fixture::new(20 * MIB);
        let bodies: Vec<_> = (0..8)
            .map(|last| {
                let id = fixture.ask(last, 10 * MIB);
                fixture.pass(5);
                id
            })
            .collect();
        // All half way, and nothing is left.
        for (at, &id) in bodies.iter().enumerate() {
            let to = 2 * MIB + 64 * 1024 * at as u64;
            assert_eq!(fixture.account.grow(id, to), Growth::Granted);
        }
        let (largest, others) = bodies.split_last().unwrap();
        let mut gone = 0;
        let mut to = 3 * MIB;
        while to <= 10 * MIB {
            match fixture.account.grow(*largest, to) {
                Growth::Granted => to += MIB,
                Growth::Waits { has_most } => {
                    assert!(has_most);
                    let buried = fixture.bury();
                    assert_eq!(buried, 1, "no more than is needed");
                    assert!(!fixture.account.entries.contains_key(&others[gone]));
                    gone += 1;
                }
                Growth::GivesUp => panic!("it has most"),
            }
        }
        assert_eq!(gone, 3);
        assert!(fixture.account.finish(*largest));
        // The next one has most now.
        assert_eq!(
            fixture.account.grow(others[6], 6 * MIB),
            Growth::Waits { has_most: true }
        );
        fixture.leave(*largest);
        assert_eq!(fixture.account.grow(others[6], 6 * MIB), Growth::Granted);
    }

    #[test]
    fn nobody_gives_up_in_vain() {
        let mut fixture = Fixture::new(19 * MIB + MIB / 2);
        let small = fixture.ask(1, 10 * MIB);
        fixture.pass(5);
        let middle = fixture.ask(2, 10 * MIB);
        fixture.pass(5);
        assert_eq!(fixture.account.grow(middle, 9 * MIB), Growth::Granted);
        fixture.pass(300);
        let whole = fixture.ask(3, 10 * MIB);
        assert_eq!(fixture.account.grow(whole, 10 * MIB), Growth::Granted);
        assert!(fixture.account.finish(whole));
        // What the small one has would not be enough for what the other wants.
        assert_eq!(
            fixture.account.grow(middle, 10 * MIB),
            Growth::Waits { has_most: true }
        );
        assert!(!fixture.account.gives_up(small));
        assert_eq!(
            fixture.account.grow(small, 2 * MIB),
            Growth::Waits { has_most: false },
            "the one that has more comes first"
        );
        fixture.leave(whole);
        assert_eq!(fixture.account.grow(middle, 10 * MIB), Growth::Granted);
        assert_eq!(fixture.account.grow(small, 2 * MIB), Growth::Granted);
    }

    #[test]
    fn as_many_are_let_in_as_can_finish_while_they_keep_a_good_pace() {
        let mut fixture = Fixture::new(56 * MIB);
        let crowd: Vec<_> = (0..100).map(|last| fixture.ask(last, 10 * MIB)).collect();
        let let_in = |fixture: &Fixture| crowd.iter().filter(|id| fixture.is_in(**id)).count();
        assert_eq!(let_in(&fixture), 5);
        for step in 1..=10 {
            for id in &crowd[..5] {
                assert_eq!(fixture.account.grow(*id, step * MIB), Growth::Granted);
            }
            fixture.pass(10);
        }
        assert_eq!(let_in(&fixture), 5);
        for id in &crowd[..5] {
            fixture.leave(*id);
        }
        assert_eq!(let_in(&fixture), 5, "the next five");
        // They send nothing: they are reckoned with what they hold.
        fixture.pass(5);
        assert_eq!(let_in(&fixture), 10);
    }

    #[test]
    fn newcomers_take_turns_by_address_and_one_address_has_a_quarter() {
        let mut fixture = Fixture::new(80 * MIB);
        let greedy: Vec<_> = (0..30).map(|_| fixture.ask(1, 10 * MIB)).collect();
        let let_in =
            |fixture: &Fixture, ids: &[u64]| ids.iter().filter(|id| fixture.is_in(**id)).count();
        assert_eq!(let_in(&fixture, &greedy), 2);
        let others: Vec<_> = (2..12).map(|last| fixture.ask(last, 10 * MIB)).collect();
        assert_eq!(let_in(&fixture, &others), 6);
        fixture.leave(greedy[0]);
        assert_eq!(
            (let_in(&fixture, &greedy), let_in(&fixture, &others)),
            (2, 6),
            "its turn has come"
        );
        fixture.leave(greedy[1]);
        assert_eq!(let_in(&fixture, &others), 7, "now the next one's");
    }

    #[test]
    fn whoever_has_used_up_their_quarter_makes_only_themselves_wait() {
        let mut fixture = Fixture::new(80 * MIB);
        let bodies = [1, 1, 1].map(|last| {
            let id = fixture.ask(last, 10 * MIB);
            fixture.pass(5);
            id
        });
        assert_eq!(fixture.account.grow(bodies[0], 10 * MIB), Growth::Granted);
        assert_eq!(fixture.account.grow(bodies[1], 8 * MIB), Growth::Granted);
        assert!(fixture.account.finish(bodies[0]));
        assert_eq!(
            fixture.account.grow(bodies[2], 3 * MIB),
            Growth::Waits { has_most: false }
        );
        let other = fixture.ask(2, 10 * MIB);
        assert!(fixture.is_in(other));
        assert_eq!(fixture.account.grow(other, 10 * MIB), Growth::Granted);
        fixture.leave(bodies[0]);
        assert_eq!(fixture.account.grow(bodies[2], 3 * MIB), Growth::Granted);
    }

    #[test]
    fn what_can_never_fit_is_refused_at_once_and_nothing_is_left_of_the_others() {
        let mut fixture = Fixture::new(20 * MIB);
        let now = fixture.now;
        assert!(fixture.account.ask(site(1), 1, 21 * MIB, now).is_none());
        let ids: Vec<_> = (0..5).map(|last| fixture.ask(last, 10 * MIB)).collect();
        for id in ids {
            fixture.leave(id);
        }
        assert_eq!(fixture.account.used_bytes, 0);
        assert!(fixture.account.entries.is_empty() && fixture.account.by_site.is_empty());
        assert_eq!(fixture.account.queue.next(|_, _| Verdict::Take), None);
    }

    #[test]
    fn memory_follows_what_arrives_in_few_steps() {
        let (mut held, mut steps) = (first_step(10 * MIB), 0);
        for arrived in (0..=10 * MIB).step_by(16 * 1024) {
            if arrived > held {
                held = next_step(arrived, 10 * MIB);
                steps += 1;
            }
            assert!(held <= arrived + arrived / 4 + SMALL_LEN);
        }
        assert_eq!(held, 10 * MIB);
        assert!(steps < 30, "{steps}");
    }

    #[tokio::test]
    async fn small_bodies_have_a_lane_of_their_own() {
        let memory = Memory::new(20 * MIB, Duration::from_millis(20));
        let _all = memory.take(None, 15 * MIB).await.unwrap();
        assert_eq!(memory.begin(None, MIB).await.unwrap_err(), Full);
        let small = memory.begin(site(1), SMALL_LEN).await.unwrap();
        assert_eq!(small.held_bytes(), SMALL_STEP);
        assert_eq!(memory.reserved_bytes(), 15 * MIB + SMALL_STEP);
        drop(small);
        assert_eq!(memory.reserved_bytes(), 15 * MIB);
    }

    #[tokio::test]
    async fn a_newcomer_waits_until_memory_is_given_back() {
        let memory = Memory::new(16 * MIB, Duration::from_secs(60));
        let all = memory.take(None, 12 * MIB).await.unwrap();
        let waiting = tokio::spawn({
            let memory = memory.clone();
            async move { memory.take(site(1), 10 * MIB).await.map(drop) }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(all);
        assert_eq!(waiting.await.unwrap(), Ok(()));
        assert_eq!(memory.reserved_bytes(), 0);
    }

    #[tokio::test]
    async fn a_body_hears_that_it_has_to_give_up() {
        // 12 MiB for large ones.
        let memory = Memory::new(16 * MIB, Duration::from_secs(60));
        let mut larger = memory.begin(None, 9 * MIB).await.unwrap();
        let mut lesser = memory.begin(None, 3 * MIB).await.unwrap();
        lesser.grow(3 * MIB).await.unwrap();
        larger.grow(4 * MIB).await.unwrap();
        // More than it had promised.
        let giving_up = tokio::spawn(async move {
            lesser.gives_up().await;
            lesser.finish()
        });
        larger.grow(10 * MIB).await.unwrap();
        assert_eq!(giving_up.await.unwrap(), Err(Full));
        assert_eq!(memory.reserved_bytes(), 10 * MIB);
    }
}
