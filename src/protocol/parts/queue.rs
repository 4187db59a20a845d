//! Which part goes next, from or to which server, over which guard, and when the whole waits or ends.
//!
//! The queue decides and never acts, like [`Exchange`](crate::protocol::exchange::Exchange), of which each part has one. It
//! knows no bytes: sealing, sending, opening and writing down belong to its caller.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use thiserror::Error;

use super::{OpenPartError, PartIndex, Store};
use crate::protocol::exchange::{ExchangeError, Failure};
use crate::protocol::path::Hops;

/// The most parts that are on their way at once.
pub const MAX_ON_WAY: usize = 4;
/// The most parts that are on their way over one guard.
pub const MAX_A_GUARD: usize = 2;
/// How long the whole waits when nothing gets through; the last one again and again.
const PAUSES: [Duration; 5] = [
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(120),
    Duration::from_secs(300),
    Duration::from_secs(600),
];
/// A part is slow that needed more than its allowed time divided by this.
const SLOW_SHARE: u32 = 3;
/// So many quick parts in a row, and more may be on their way again.
const QUICK_IN_A_ROW: usize = 4;
/// How often the server may send wrong bytes for a part; a mirror may once.
const MAX_WRONG: u8 = 2;

/// What is done with the parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartsDirection {
    /// They are sent to one server. With a mirror there is one queue for each of the two.
    Upload(Store),
    /// They are fetched.
    Download {
        /// Whether the parts are at a mirror too, and relays lead there.
        mirrored: bool,
    },
}

/// The parts of a share that are still to be sent or fetched.
pub struct PartQueue {
    direction: PartsDirection,
    waiting: VecDeque<PartIndex>,
    on_way: Vec<OnWay>,
    faults: BTreeMap<PartIndex, Faults>,
    /// How many may be on their way.
    width: usize,
    /// How often `width` was lowered.
    narrowed: u32,
    quick: usize,
    /// How often a part went to the back since something got through or a pause ended.
    fruitless: usize,
    pauses: usize,
    paused_until: Option<Duration>,
    last_path: Option<Hops>,
    /// Which of server and mirror a download last got a part from that both may have.
    works: Store,
    failed: Option<PartsFailure>,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextPart {
    /// Start this one, then ask again at once.
    Start(PartStart),
    /// Start nothing before something that is on its way has ended.
    Await,
    /// Nothing gets through: start nothing for so long, tell the person, then ask again. Parts that are on their way go on.
    Pause(Duration),
    /// All parts are there. An upload goes on with the list.
    Done,
    /// Nothing can make the whole complete. Cancel what is on its way.
    Failed(PartsFailure),
}

/// A part to be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartStart {
    /// The part.
    pub index: PartIndex,
    /// The server to ask.
    pub store: Store,
    /// The place, among the guards in use, of the guard that it should go over: handed to
    /// [`Exchange::with_turn`](crate::protocol::exchange::Exchange::with_turn).
    pub guard: usize,
    /// The path of the part before. Handed to [`Exchange::unlike`](crate::protocol::exchange::Exchange::unlike),
    /// so that two parts in a row, and the list after the last one, leave over different last relays where there are two.
    pub unlike: Option<Hops>,
}

/// Why one part did not get through, after all tries of its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartFailure {
    /// The part arrived and is refused.
    Open(OpenPartError),
    /// The server refused, authenticated by its key, with this status.
    Refused(u16),
    /// The tries are used up, and the last one took too long.
    TimedOut,
    /// The tries are used up.
    Unfinished,
}

impl From<&ExchangeError> for PartFailure {
    fn from(error: &ExchangeError) -> Self {
        match error.failure {
            Failure::TimedOut => Self::TimedOut,
            _ => Self::Unfinished,
        }
    }
}

/// Why the whole cannot be sent or fetched.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum PartsFailure {
    /// No server has this part any more.
    #[error("the server no longer has part {}", .0.get())]
    Missing(PartIndex),
    /// A part is refused, and fetching it again cannot help.
    #[error("part {} is refused: {error}", index.get())]
    Part {
        /// The part.
        index: PartIndex,
        /// Why.
        error: OpenPartError,
    },
    /// The server refused, authenticated by its key.
    #[error("the server refused with status {0}")]
    Refused(u16),
}

#[derive(Clone, Copy)]
struct OnWay {
    index: PartIndex,
    store: Store,
    guard: usize,
    narrowed: u32,
}

/// What went wrong with one part so far.
#[derive(Default)]
struct Faults {
    /// How often the server sent wrong bytes.
    wrong: u8,
    /// Why the server need not be asked again.
    server: Option<PartsFailure>,
    /// Whether the mirror need not be asked again.
    mirror: bool,
    /// Whose turn is next; `None` for the one that last worked.
    next: Option<Store>,
    /// Whether the turn has passed to the other of the two since the part was last at the back.
    turned: bool,
}

impl PartQueue {
    /// All of `parts` are still to be done, in this order: ascending, for every transfer of this program. One that is named
    /// twice is done once.
    #[must_use]
    pub fn new(direction: PartsDirection, parts: impl IntoIterator<Item = PartIndex>) -> Self {
        let mut named = BTreeSet::new();
        let parts = parts.into_iter().filter(|index| named.insert(*index));
        Self {
            direction,
            waiting: parts.collect(),
            on_way: Vec::with_capacity(MAX_ON_WAY),
            faults: BTreeMap::new(),
            width: MAX_ON_WAY,
            narrowed: 0,
            quick: 0,
            fruitless: 0,
            pauses: 0,
            paused_until: None,
            last_path: None,
            works: Store::Server,
            failed: None,
        }
    }

    /// What to do at `now`, the time since any fixed moment. `guards` is the number of guards in use; straight to the server
    /// it is 2, for nothing is to be spared there.
    pub fn next(&mut self, now: Duration, guards: usize) -> NextPart {
        if let Some(failed) = self.failed {
            return NextPart::Failed(failed);
        }
        let Some(index) = self.waiting.front().copied() else {
            return if self.on_way.is_empty() {
                NextPart::Done
            } else {
                NextPart::Await
            };
        };
        if let Some(until) = self.paused_until {
            match until.checked_sub(now) {
                Some(left) if !left.is_zero() => return NextPart::Pause(left),
                Some(_) | None => self.end_pause(),
            }
        }
        let busy = |guard: &usize| {
            self.on_way
                .iter()
                .filter(|part| part.guard == *guard)
                .count()
        };
        let guard = (0..guards.max(1)).min_by_key(busy).unwrap_or(0);
        if self.on_way.len() >= self.width || busy(&guard) >= MAX_A_GUARD {
            return NextPart::Await;
        }
        self.waiting.pop_front();
        let store = self.store_for(index);
        self.on_way.push(OnWay {
            index,
            store,
            guard,
            narrowed: self.narrowed,
        });
        NextPart::Start(PartStart {
            index,
            store,
            guard,
            unlike: self.last_path,
        })
    }

    /// Ends a pause early: the person wants to go on now, or the network came back.
    pub fn end_pause(&mut self) {
        if self.paused_until.take().is_some() {
            self.fruitless = 0;
        }
    }

    /// Takes the path over which a part was just sent on its way.
    pub const fn on_path(&mut self, path: Hops) {
        self.last_path = Some(path);
    }

    /// The path of the latest part: what the list's should be unlike.
    #[must_use]
    pub const fn last_path(&self) -> Option<Hops> {
        self.last_path
    }

    /// A part got through: sent and confirmed, or fetched, opened and written. `took` is the time of its last try, `allowed`
    /// the [`answer_wait`](crate::protocol::exchange::Attempt::answer_wait) of it.
    pub fn on_done(&mut self, index: PartIndex, took: Duration, allowed: Duration) {
        let Some(part) = self.end(index) else {
            return;
        };
        let faults = self.faults.remove(&index).unwrap_or_default();
        if self.is_mirrored() && faults.server.is_none() && !faults.mirror {
            self.works = part.store;
        }
        self.fruitless = 0;
        self.pauses = 0;
        self.paused_until = None;
        self.pace(part, took > allowed / SLOW_SHARE);
    }

    /// A part did not get through, as is known at `now`.
    pub fn on_failed(&mut self, index: PartIndex, failure: PartFailure, now: Duration) {
        let Some(part) = self.end(index) else {
            return;
        };
        match failure {
            PartFailure::TimedOut => {
                self.pace(part, true);
                self.postpone(part, now);
            }
            PartFailure::Unfinished => self.postpone(part, now),
            PartFailure::Refused(status) => self.on_refused(part, status, now),
            PartFailure::Open(error) if error.is_senders() => {
                self.failed = Some(PartsFailure::Part { index, error });
            }
            PartFailure::Open(error) => self.on_wrong_bytes(part, error, now),
        }
    }

    /// Takes a part back that was cancelled: it is the next one again.
    pub fn on_cancelled(&mut self, index: PartIndex) {
        if self.end(index).is_some() {
            self.waiting.push_front(index);
        }
    }

    fn end(&mut self, index: PartIndex) -> Option<OnWay> {
        let at = self.on_way.iter().position(|part| part.index == index)?;
        Some(self.on_way.swap_remove(at))
    }

    fn store_for(&self, index: PartIndex) -> Store {
        match self.direction {
            PartsDirection::Upload(store) => store,
            PartsDirection::Download { .. } => {
                let next = self.faults.get(&index).and_then(|faults| faults.next);
                next.unwrap_or(self.works)
            }
        }
    }

    /// Fewer on their way after a slow part, more again after some quick ones. A slow part that set out before the last
    /// change says nothing about the pace since.
    const fn pace(&mut self, part: OnWay, slow: bool) {
        if !slow {
            self.quick += 1;
            if self.quick >= QUICK_IN_A_ROW && self.width < MAX_ON_WAY {
                self.width *= 2;
                self.quick = 0;
            }
        } else {
            self.quick = 0;
            if part.narrowed == self.narrowed && self.width > 1 {
                self.width /= 2;
                self.narrowed += 1;
            }
        }
    }

    /// The turn passes to the other of server and mirror, and the part is the next one. When that one has failed as well, or
    /// there is none, the part goes to the back. When as many failed in a row as are on their way at once, or as are left,
    /// the whole waits: to go through all others first would take hours, during which nobody would be told.
    fn postpone(&mut self, part: OnWay, now: Duration) {
        let mirrored = self.is_mirrored();
        let faults = self.faults.entry(part.index).or_default();
        if mirrored {
            let (other, usable) = match part.store {
                Store::Server => (Store::Mirror, !faults.mirror),
                Store::Mirror => (Store::Server, faults.server.is_none()),
            };
            faults.turned = usable && !faults.turned;
            if faults.turned {
                faults.next = Some(other);
                self.waiting.push_front(part.index);
                return;
            }
            faults.next = match (faults.server.is_some(), faults.mirror) {
                (false, false) => None,
                (true, _) => Some(Store::Mirror),
                (false, true) => Some(Store::Server),
            };
        }
        self.waiting.push_back(part.index);
        self.fruitless += 1;
        let left = self.waiting.len() + self.on_way.len();
        if self.paused_until.is_none() && self.fruitless >= left.min(MAX_ON_WAY) {
            let pause = PAUSES.get(self.pauses).or(PAUSES.last());
            self.paused_until = pause.map(|pause| now + *pause);
            self.pauses = (self.pauses + 1).min(PAUSES.len() - 1);
        }
    }

    fn on_refused(&mut self, part: OnWay, status: u16, now: Duration) {
        match (self.direction, part.store, status) {
            (PartsDirection::Download { .. }, Store::Server, 404) => {
                self.drop_server(part.index, PartsFailure::Missing(part.index));
            }
            (PartsDirection::Download { .. }, Store::Mirror, 400 | 401 | 404 | 413 | 428 | 507) => {
                self.drop_mirror(part, now);
            }
            (_, _, 400 | 401 | 413 | 428 | 507) => {
                self.failed = Some(PartsFailure::Refused(status));
            }
            // What a server says only for a while.
            _ => self.postpone(part, now),
        }
    }

    fn on_wrong_bytes(&mut self, part: OnWay, error: OpenPartError, now: Duration) {
        let index = part.index;
        let why = PartsFailure::Part { index, error };
        match part.store {
            Store::Mirror => {
                let faults = self.faults.entry(index).or_default();
                if faults.server.is_some() {
                    self.failed = Some(why);
                } else {
                    self.drop_mirror(part, now);
                }
            }
            Store::Server => {
                let faults = self.faults.entry(index).or_default();
                faults.wrong += 1;
                if faults.wrong < MAX_WRONG {
                    self.waiting.push_front(index);
                } else {
                    self.drop_server(index, why);
                }
            }
        }
    }

    /// The server has not got the part; the mirror may have it.
    fn drop_server(&mut self, index: PartIndex, why: PartsFailure) {
        let mirrored = self.is_mirrored();
        let faults = self.faults.entry(index).or_default();
        if mirrored && !faults.mirror {
            faults.server = Some(why);
            faults.next = Some(Store::Mirror);
            self.waiting.push_front(index);
        } else {
            self.failed = Some(why);
        }
    }

    /// The mirror has not got the part; the server may have it, if it was only not reached.
    fn drop_mirror(&mut self, part: OnWay, now: Duration) {
        let faults = self.faults.entry(part.index).or_default();
        faults.mirror = true;
        match faults.server {
            Some(why) => self.failed = Some(why),
            None => self.postpone(part, now),
        }
    }

    const fn is_mirrored(&self) -> bool {
        matches!(self.direction, PartsDirection::Download { mirrored: true })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::keys::Identity;
    use crate::protocol::parts::PartPlan;

    const QUICK: Duration = Duration::from_secs(1);
    const SLOW: Duration = Duration::from_secs(200);
    const ALLOWED: Duration = Duration::from_secs(260);
    const START: Duration = Duration::from_secs(1_000);
    const UPLOAD: PartsDirection = PartsDirection::Upload(Store::Server);
    const DOWNLOAD: PartsDirection = PartsDirection::Download { mirrored: false };
    const MIRRORED: PartsDirection = PartsDirection::Download { mirrored: true };

    fn queue(direction: PartsDirection, parts: u32) -> PartQueue {
        let plan = PartPlan::new(u64::from(parts) * 50_000, parts).unwrap();
        PartQueue::new(direction, plan.indices())
    }

    /// Starts whatever may be started.
    fn start_all(queue: &mut PartQueue, now: Duration, guards: usize) -> Vec<PartStart> {
        core::iter::from_fn(|| match queue.next(now, guards) {
            NextPart::Start(start) => Some(start),
            NextPart::Await | NextPart::Pause(_) | NextPart::Done | NextPart::Failed(_) => None,
        })
        .collect()
    }

    fn numbers(started: &[PartStart]) -> Vec<u32> {
        started.iter().map(|start| start.index.get()).collect()
    }

    fn start_one(queue: &mut PartQueue) -> PartStart {
        match queue.next(START, 2) {
            NextPart::Start(start) => start,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn four_parts_are_on_their_way_two_a_guard_in_order() {
        let mut queue = queue(UPLOAD, 6);
        let started = start_all(&mut queue, START, 2);
        assert_eq!(numbers(&started), [0, 1, 2, 3]);
        let guards: Vec<_> = started.iter().map(|start| start.guard).collect();
        assert_eq!(guards, [0, 1, 0, 1]);
        assert_eq!(queue.next(START, 2), NextPart::Await);
        queue.on_done(started[1].index, QUICK, ALLOWED);
        let next = start_one(&mut queue);
        assert_eq!((next.index.get(), next.guard), (4, 1));
    }

    #[test]
    fn over_one_guard_two_parts_are_on_their_way() {
        let mut queue = queue(UPLOAD, 6);
        assert_eq!(numbers(&start_all(&mut queue, START, 1)), [0, 1]);
    }

    #[test]
    fn it_is_done_when_the_last_part_is() {
        let mut queue = queue(UPLOAD, 2);
        let started = start_all(&mut queue, START, 2);
        assert_eq!(queue.next(START, 2), NextPart::Await);
        for start in started {
            assert_ne!(queue.next(START, 2), NextPart::Done);
            queue.on_done(start.index, QUICK, ALLOWED);
        }
        assert_eq!(queue.next(START, 2), NextPart::Done);
        let nothing = PartQueue::new(DOWNLOAD, []).next(START, 2);
        assert_eq!(nothing, NextPart::Done);
    }

    #[test]
    fn each_part_is_to_leave_unlike_the_one_before() {
        let mut queue = queue(UPLOAD, 3);
        let key = |seed| Identity::from_seed([seed; 32]).public();
        let path = |last| Hops {
            guard: key(1),
            middle: key(2),
            last: key(last),
        };
        assert_eq!(start_one(&mut queue).unlike, None);
        queue.on_path(path(3));
        assert_eq!(start_one(&mut queue).unlike, Some(path(3)));
        queue.on_path(path(4));
        assert_eq!(start_one(&mut queue).unlike, Some(path(4)));
        assert_eq!(queue.last_path(), Some(path(4)));
    }

    #[test]
    fn slow_parts_make_it_narrower_once_and_four_quick_ones_wider_again() {
        let mut queue = queue(UPLOAD, 30);
        let started = start_all(&mut queue, START, 2);
        // All four set out together: they say the same thing once.
        for start in &started {
            queue.on_done(start.index, SLOW, ALLOWED);
        }
        let two = start_all(&mut queue, START, 2);
        assert_eq!(two.len(), 2);
        queue.on_done(two[0].index, SLOW, ALLOWED);
        queue.on_done(two[1].index, QUICK, ALLOWED);
        for _ in 0..3 {
            let one = start_all(&mut queue, START, 2);
            assert_eq!(one.len(), 1);
            queue.on_done(one[0].index, QUICK, ALLOWED);
        }
        for expected in [2, 2, 4] {
            let started = start_all(&mut queue, START, 2);
            assert_eq!(started.len(), expected);
            for start in &started {
                queue.on_done(start.index, ALLOWED / 3, ALLOWED);
            }
        }
    }

    #[test]
    fn a_timeout_is_slow() {
        let mut queue = queue(UPLOAD, 30);
        let started = start_all(&mut queue, START, 2);
        queue.on_failed(started[0].index, PartFailure::TimedOut, START);
        for start in &started[1..] {
            queue.on_done(start.index, QUICK, ALLOWED);
        }
        assert_eq!(start_all(&mut queue, START, 2).len(), 2);
    }

    #[test]
    fn a_part_that_does_not_get_through_goes_to_the_back() {
        let mut queue = queue(UPLOAD, 5);
        let started = start_all(&mut queue, START, 2);
        queue.on_failed(started[0].index, PartFailure::Unfinished, START);
        queue.on_done(started[1].index, QUICK, ALLOWED);
        assert_eq!(numbers(&start_all(&mut queue, START, 2)), [4, 0]);
    }

    #[test]
    fn when_nothing_gets_through_the_whole_waits_longer_and_longer_and_goes_on() {
        let mut queue = queue(UPLOAD, 6);
        let mut now = START;
        for pause in [5, 30, 120, 300, 600, 600] {
            for start in start_all(&mut queue, now, 2) {
                queue.on_failed(start.index, PartFailure::Unfinished, now);
            }
            let pause = Duration::from_secs(pause);
            assert_eq!(queue.next(now, 2), NextPart::Pause(pause));
            let left = Duration::from_secs(1);
            assert_eq!(queue.next(now + pause - left, 2), NextPart::Pause(left));
            now += pause;
        }
        let started = start_all(&mut queue, now, 2);
        assert_eq!(started.len(), 4);
        queue.on_done(started[0].index, QUICK, ALLOWED);
        for start in &started[1..] {
            queue.on_failed(start.index, PartFailure::Unfinished, now);
        }
        for start in start_all(&mut queue, now, 2) {
            queue.on_failed(start.index, PartFailure::Unfinished, now);
        }
        let first = NextPart::Pause(Duration::from_secs(5));
        assert_eq!(queue.next(now, 2), first, "progress begins the pauses anew");
        queue.end_pause();
        assert!(matches!(queue.next(now, 2), NextPart::Start(_)));
    }

    #[test]
    fn the_last_part_alone_waits_after_each_failure() {
        let mut queue = queue(UPLOAD, 2);
        let started = start_all(&mut queue, START, 2);
        queue.on_done(started[0].index, QUICK, ALLOWED);
        queue.on_failed(started[1].index, PartFailure::Unfinished, START);
        assert_eq!(
            queue.next(START, 2),
            NextPart::Pause(Duration::from_secs(5))
        );
    }

    #[test]
    fn only_a_refusal_of_the_server_ends_an_upload() {
        for status in [400, 401, 413, 428, 507] {
            let mut queue = queue(UPLOAD, 6);
            let start = start_one(&mut queue);
            queue.on_failed(start.index, PartFailure::Refused(status), START);
            let failed = NextPart::Failed(PartsFailure::Refused(status));
            assert_eq!(queue.next(START, 2), failed);
        }
        for status in [404, 429, 500, 503] {
            let mut queue = queue(UPLOAD, 6);
            let start = start_one(&mut queue);
            queue.on_failed(start.index, PartFailure::Refused(status), START);
            assert!(
                matches!(queue.next(START, 2), NextPart::Start(_)),
                "{status}"
            );
        }
    }

    #[test]
    fn a_missing_part_ends_a_download_after_the_mirror() {
        let mut alone = queue(DOWNLOAD, 6);
        let start = start_one(&mut alone);
        alone.on_failed(start.index, PartFailure::Refused(404), START);
        let missing = NextPart::Failed(PartsFailure::Missing(start.index));
        assert_eq!(alone.next(START, 2), missing);

        let mut mirrored = queue(MIRRORED, 6);
        let start = start_one(&mut mirrored);
        mirrored.on_failed(start.index, PartFailure::Refused(404), START);
        let again = start_one(&mut mirrored);
        assert_eq!((again.index, again.store), (start.index, Store::Mirror));
        mirrored.on_failed(again.index, PartFailure::Refused(404), START);
        assert_eq!(mirrored.next(START, 2), missing);
    }

    #[test]
    fn wrong_bytes_are_fetched_once_more_then_from_the_mirror_then_end_it() {
        let wrong = PartFailure::Open(OpenPartError::DigestMismatch);
        for (direction, stores) in [
            (DOWNLOAD, &[Store::Server, Store::Server][..]),
            (MIRRORED, &[Store::Server, Store::Server, Store::Mirror]),
        ] {
            let mut queue = queue(direction, 6);
            for store in stores {
                let start = start_one(&mut queue);
                assert_eq!((start.index.get(), start.store), (0, *store));
                queue.on_failed(start.index, wrong, START);
            }
            assert!(matches!(
                queue.next(START, 2),
                NextPart::Failed(PartsFailure::Part { .. })
            ));
        }
        let mut queue = queue(MIRRORED, 6);
        let start = start_one(&mut queue);
        let senders = PartFailure::Open(OpenPartError::WrongPlace);
        queue.on_failed(start.index, senders, START);
        assert!(matches!(queue.next(START, 2), NextPart::Failed(_)));
    }

    #[test]
    fn server_and_mirror_take_turns_while_neither_is_reached() {
        let mut queue = queue(MIRRORED, 2);
        let started = start_all(&mut queue, START, 2);
        queue.on_done(started[1].index, QUICK, ALLOWED);
        let mut start = started[0];
        let mut fail = |failure| {
            let store = start.store;
            queue.on_failed(start.index, failure, START);
            queue.end_pause();
            match queue.next(START, 2) {
                NextPart::Start(next) => start = next,
                next => assert!(matches!(next, NextPart::Failed(_)), "{next:?}"),
            }
            store
        };
        let missing = PartFailure::Refused(404);
        for (failure, store) in [
            (PartFailure::Unfinished, Store::Server),
            (PartFailure::Unfinished, Store::Mirror),
            (PartFailure::Unfinished, Store::Server),
            // From here on the server is asked until it answers.
            (missing, Store::Mirror),
            (PartFailure::Unfinished, Store::Server),
            (missing, Store::Server),
        ] {
            assert_eq!(fail(failure), store);
        }
        let failed = NextPart::Failed(PartsFailure::Missing(started[0].index));
        assert_eq!(queue.next(START, 2), failed);
    }

    #[test]
    fn with_the_server_gone_every_part_comes_from_the_mirror_without_a_pause() {
        let mut queue = queue(MIRRORED, 1_000);
        let (mut asked, mut done) = (0, 0);
        while done < 1_000 {
            for start in start_all(&mut queue, START, 2) {
                match start.store {
                    Store::Server => {
                        asked += 1;
                        queue.on_failed(start.index, PartFailure::Unfinished, START);
                    }
                    Store::Mirror => {
                        done += 1;
                        queue.on_done(start.index, QUICK, ALLOWED);
                    }
                }
            }
            assert_eq!(queue.paused_until, None);
        }
        assert_eq!(asked, MAX_ON_WAY);
        assert_eq!(queue.next(START, 2), NextPart::Done);
    }

    #[test]
    fn when_the_mirror_goes_too_the_server_is_asked_first_again() {
        let mut queue = queue(MIRRORED, 30);
        let start = start_one(&mut queue);
        queue.on_failed(start.index, PartFailure::Unfinished, START);
        let start = start_one(&mut queue);
        queue.on_done(start.index, QUICK, ALLOWED);
        let start = start_one(&mut queue);
        assert_eq!((start.index.get(), start.store), (1, Store::Mirror));
        queue.on_failed(start.index, PartFailure::Unfinished, START);
        let start = start_one(&mut queue);
        assert_eq!((start.index.get(), start.store), (1, Store::Server));
        queue.on_done(start.index, QUICK, ALLOWED);
        assert_eq!(start_one(&mut queue).store, Store::Server);
    }

    #[test]
    fn wrong_bytes_of_the_mirror_leave_a_server_that_was_only_not_reached() {
        let mut queue = queue(MIRRORED, 6);
        let wrong = PartFailure::Open(OpenPartError::DigestMismatch);
        let start = start_one(&mut queue);
        queue.on_failed(start.index, PartFailure::Unfinished, START);
        let mut asked = Vec::new();
        for _ in 0..40 {
            queue.end_pause();
            let start = start_one(&mut queue);
            match start.store {
                Store::Mirror => queue.on_failed(start.index, wrong, START),
                Store::Server if start.index.get() == 0 => {
                    queue.on_done(start.index, QUICK, ALLOWED);
                    asked.push(start.index);
                    break;
                }
                Store::Server => queue.on_done(start.index, QUICK, ALLOWED),
            }
        }
        assert_eq!(asked.len(), 1);
    }

    #[test]
    fn a_part_that_is_named_twice_is_done_once() {
        let plan = PartPlan::new(150_000, 3).unwrap();
        let twice = plan.indices().chain(plan.indices());
        let mut queue = PartQueue::new(UPLOAD, twice);
        let started = start_all(&mut queue, START, 2);
        assert_eq!(numbers(&started), [0, 1, 2]);
    }

    #[test]
    fn a_cancelled_part_is_the_next_one() {
        let mut queue = queue(UPLOAD, 6);
        let started = start_all(&mut queue, START, 2);
        queue.on_cancelled(started[2].index);
        assert_eq!(start_one(&mut queue).index.get(), 2);
    }

    proptest! {
        #[test]
        fn every_part_gets_through_in_the_end(parts in 2..60_u32, outcomes in proptest::collection::vec(0..5_u8, 1..200), guards in 0..4_usize) {
            let mut queue = queue(MIRRORED, parts);
            let (mut now, mut done, mut on_way) = (START, 0, VecDeque::new());
            let mut outcomes = outcomes.into_iter();
            while done < parts {
                match queue.next(now, guards) {
                    NextPart::Start(start) => {
                        on_way.push_back(start);
                        prop_assert!(on_way.len() <= MAX_ON_WAY.min(MAX_A_GUARD * guards.max(1)));
                        continue;
                    }
                    NextPart::Pause(pause) if on_way.is_empty() => now += pause,
                    NextPart::Await | NextPart::Pause(_) => {}
                    other => prop_assert!(false, "{:?}", other),
                }
                let Some(start) = on_way.pop_front() else { continue };
                match outcomes.next() {
                    Some(0) => queue.on_failed(start.index, PartFailure::Unfinished, now),
                    Some(1) => queue.on_failed(start.index, PartFailure::TimedOut, now),
                    Some(2) => queue.on_cancelled(start.index),
                    Some(3) => { queue.on_done(start.index, SLOW, ALLOWED); done += 1; }
                    _ => { queue.on_done(start.index, QUICK, ALLOWED); done += 1; }
                }
            }
            prop_assert_eq!(queue.next(now, guards), NextPart::Done);
        }
    }
}
