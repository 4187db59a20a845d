//! Checks the clock against the last hour that was seen.
//!
//! A clock that is behind that hour would let expired files live again: nothing is swept and nothing stored until the
//! operator says that it is right. A clock that is more than 48 hours ahead belongs to a server that was off, or is
//! wrong: uploads name an absolute hour, so a wrong clock refuses them by itself and they go on; the sweep, which would
//! remove all files, waits 24 hours for somebody to notice. In both cases files are served as of the last hour seen.

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;

use super::store::{BlobStore, StoreFault};
use crate::{
    protocol::capability::expiry::{HOUR_SECS, hour_begins, hour_of},
    wire::clock::Clock,
};

/// How far the clock is trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClockTrust {
    /// The clock of the start is right, whatever was seen before; afterwards it is checked.
    AcceptNow,
    /// The clock is taken for right: for a server that nobody attends to.
    Always,
    /// The clock is compared with the last hour seen.
    #[default]
    Checked,
}

/// The time, and how far it can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Now {
    /// Unix seconds to decide by whether a file has expired; when the clock is not trusted, the last hour seen.
    pub secs: u64,
    /// Unix seconds as the clock says.
    pub clock_secs: u64,
    /// How the clock stands.
    pub standing: ClockStanding,
}

/// How the clock stands to the last hour seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockStanding {
    /// More than 48 hours ahead of it.
    Ahead,
    /// Behind it.
    Behind,
    /// Within 48 hours after it, or level with it.
    Right,
}

impl ClockStanding {
    /// The warning for the operator; none when all is well.
    #[must_use]
    pub(crate) const fn warning(self) -> Option<&'static str> {
        match self {
            Self::Ahead => Some(
                "the clock is more than 48 hours ahead of the last hour seen: uploads go on, nothing is swept for 24 hours, and expired files are served until then; set it if it is wrong, start again with --accept-clock if it is right",
            ),
            Self::Behind => Some(
                "the clock is behind the last hour seen: nothing is swept and uploads are refused; set it, or, if it is right, start again with --accept-clock",
            ),
            Self::Right => None,
        }
    }
}

impl Now {
    /// Unix seconds to store files by; `None` when none may be stored.
    #[must_use]
    pub(crate) fn to_store_by(self) -> Option<u64> {
        (self.standing != ClockStanding::Behind).then_some(self.clock_secs)
    }

    /// Unix seconds to sweep files by; `None` when none may be removed.
    #[must_use]
    pub(crate) fn to_sweep_by(self) -> Option<u64> {
        (self.standing == ClockStanding::Right).then_some(self.secs)
    }
}

/// Keeps the last hour seen.
pub(crate) struct ClockRule {
    clock: Clock,
    always: bool,
    seen: Mutex<SeenHour>,
    moved: Notify,
}

#[derive(Default)]
struct SeenHour {
    /// The last hour; `None` when none was seen yet.
    last: Option<u32>,
    /// While the clock is ahead of it.
    ahead: Option<Ahead>,
}

/// A clock that is ahead and goes on evenly, in unix seconds.
#[derive(Clone, Copy)]
struct Ahead {
    since: u64,
    last: u64,
}

impl Ahead {
    /// Continues a time ahead at `now`, or begins a new one after another jump.
    fn go_on(before: Option<Self>, now: u64) -> Self {
        before
            .filter(|ahead| is_near(now, ahead.last) && ahead.since <= now)
            .map_or(
                Self {
                    since: now,
                    last: now,
                },
                |ahead| Self {
                    last: ahead.last.max(now),
                    ..ahead
                },
            )
    }
}

impl ClockRule {
    /// The rule over `clock`, going on from the hour that the store has noted.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub(crate) async fn resume(
        clock: Clock,
        trust: ClockTrust,
        store: &BlobStore,
    ) -> Result<Self, StoreFault> {
        let rule = Self {
            clock,
            always: trust == ClockTrust::Always,
            seen: Mutex::default(),
            moved: Notify::new(),
        };
        match trust {
            ClockTrust::Checked => rule.keep(store).await?,
            ClockTrust::AcceptNow | ClockTrust::Always => {
                store.note_hour(hour_of(rule.now().secs), true).await?;
            }
        }
        Ok(rule)
    }

    fn seen(&self) -> MutexGuard<'_, SeenHour> {
        self.seen.lock()
    }

    /// The time, and how far it can be trusted.
    pub(crate) fn now(&self) -> Now {
        let clock_secs = (self.clock)();
        let mut seen = self.seen();
        let last_secs = seen.last.filter(|_| !self.always).map(hour_begins);
        let standing = match last_secs {
            Some(last) if clock_secs + TOLERANCE_SECS < last => {
                seen.ahead = None;
                ClockStanding::Behind
            }
            Some(last) if !is_near(clock_secs, last) => {
                let ahead = Ahead::go_on(seen.ahead, clock_secs);
                seen.ahead = Some(ahead);
                if clock_secs - ahead.since < AHEAD_WAIT_SECS {
                    ClockStanding::Ahead
                } else {
                    ClockStanding::Right
                }
            }
            _ => ClockStanding::Right,
        };
        if let (Some(last), ClockStanding::Ahead | ClockStanding::Behind) = (last_secs, standing) {
            return Now {
                secs: last,
                clock_secs,
                standing,
            };
        }
        seen.ahead = None;
        let hour = hour_of(clock_secs);
        if seen.last < Some(hour) {
            seen.last = Some(hour);
            self.moved.notify_one();
        }
        Now {
            secs: clock_secs,
            clock_secs,
            standing,
        }
    }

    /// Takes over what other servers of the store saw, and notes what was seen here.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub(crate) async fn keep(&self, store: &BlobStore) -> Result<(), StoreFault> {
        if let Some(noted) = store.last_hour().await?
            && !self.always
        {
            let mut seen = self.seen();
            seen.last = seen.last.max(Some(noted));
        }
        if let Some(now) = self.now().to_sweep_by() {
            store.note_hour(hour_of(now), self.always).await?;
        }
        Ok(())
    }

    /// Returns when an hour was seen that is not noted yet.
    pub(crate) async fn moved(&self) {
        self.moved.notified().await;
    }
}

/// Whether a clock that said `last` can say `now` the next time it is looked at: not earlier, as servers of one bucket
/// differ, and not more than 48 hours later.
fn is_near(now: u64, last: u64) -> bool {
    now.saturating_add(TOLERANCE_SECS) >= last
        && now / HOUR_SECS <= last / HOUR_SECS + MOST_HOURS_AHEAD
}

/// Servers of one bucket have clocks within 30 minutes.
const TOLERANCE_SECS: u64 = HOUR_SECS / 2;
const MOST_HOURS_AHEAD: u64 = 48;
/// How long the sweep waits when the clock is ahead.
const AHEAD_WAIT_SECS: u64 = 24 * HOUR_SECS;

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicU64, Ordering},
        },
        time::Duration,
    };

    use object_store::memory::InMemory;

    use super::*;
    use crate::server::store::location::StoreLocation;

    const START: u64 = 500_000 * HOUR_SECS;

    struct Fixture {
        location: StoreLocation,
        now: Arc<AtomicU64>,
    }

    impl Fixture {
        fn new() -> Self {
            Self {
                location: StoreLocation::Objects(Arc::new(InMemory::new())),
                now: Arc::new(AtomicU64::new(START)),
            }
        }

        async fn resume(&self, trust: ClockTrust) -> (ClockRule, BlobStore) {
            let store = BlobStore::open(&self.location, 1 << 20, Duration::from_secs(5))
                .await
                .unwrap();
            let now = Arc::clone(&self.now);
            let clock: Clock = Arc::new(move || now.load(Ordering::SeqCst));
            let rule = ClockRule::resume(clock, trust, &store).await.unwrap();
            (rule, store)
        }

        fn set(&self, now: u64) {
            self.now.store(now, Ordering::SeqCst);
        }
    }

    #[tokio::test]
    async fn a_clock_that_jumps_is_not_followed_until_it_comes_back() {
        let fixture = Fixture::new();
        let (rule, store) = fixture.resume(ClockTrust::Checked).await;
        assert_eq!(rule.now().secs, START);
        for (jump, standing) in [
            (START - HOUR_SECS, ClockStanding::Behind),
            (START + 49 * HOUR_SECS, ClockStanding::Ahead),
            (0, ClockStanding::Behind),
            (u64::MAX / 2, ClockStanding::Ahead),
        ] {
            fixture.set(jump);
            let now = rule.now();
            assert_eq!((now.standing, now.secs), (standing, START), "{jump}");
            rule.keep(&store).await.unwrap();
        }
        fixture.set(START - HOUR_SECS);
        assert_eq!(rule.now().to_store_by(), None);
        for right in [START - HOUR_SECS / 2, START + 48 * HOUR_SECS + 3599] {
            fixture.set(right);
            assert_eq!(rule.now().secs, right);
        }
        rule.keep(&store).await.unwrap();
        assert_eq!(store.last_hour().await.unwrap(), Some(500_048));
    }

    #[tokio::test]
    async fn a_restart_remembers_and_the_operator_decides() {
        let fixture = Fixture::new();
        drop(fixture.resume(ClockTrust::Checked).await);
        for jump in [START - 10 * HOUR_SECS, START + 1000 * HOUR_SECS] {
            fixture.set(jump);
            let (rule, _store) = fixture.resume(ClockTrust::Checked).await;
            assert_ne!(rule.now().standing, ClockStanding::Right);
            let (rule, store) = fixture.resume(ClockTrust::AcceptNow).await;
            assert_eq!(rule.now().secs, jump);
            assert_eq!(store.last_hour().await.unwrap(), Some(hour_of(jump)));
            let (rule, _store) = fixture.resume(ClockTrust::Checked).await;
            assert_eq!(rule.now().standing, ClockStanding::Right);
        }
        fixture.set(START);
        let (rule, _store) = fixture.resume(ClockTrust::Always).await;
        fixture.set(START + 1000 * HOUR_SECS);
        assert_eq!(rule.now().standing, ClockStanding::Right);
    }

    #[tokio::test]
    async fn a_clock_that_is_ahead_stores_at_once_and_sweeps_when_it_went_on_for_a_day() {
        let fixture = Fixture::new();
        let (rule, store) = fixture.resume(ClockTrust::Checked).await;
        let back_on = START + 72 * HOUR_SECS;
        for hours in 0..24 {
            let clock = back_on + hours * HOUR_SECS;
            fixture.set(clock);
            let now = rule.now();
            assert_eq!(
                (now.standing, now.secs),
                (ClockStanding::Ahead, START),
                "{hours}"
            );
            assert_eq!((now.to_store_by(), now.to_sweep_by()), (Some(clock), None));
            rule.keep(&store).await.unwrap();
        }
        assert_eq!(
            store.last_hour().await.unwrap(),
            Some(hour_of(START)),
            "so that a clock that is set right is not behind"
        );
        let after = back_on + 24 * HOUR_SECS;
        fixture.set(after);
        assert_eq!(rule.now().to_sweep_by(), Some(after));
        rule.keep(&store).await.unwrap();
        assert_eq!(store.last_hour().await.unwrap(), Some(hour_of(after)));
    }

    #[tokio::test]
    async fn a_clock_that_jumps_again_is_waited_for_again() {
        let fixture = Fixture::new();
        let (rule, _store) = fixture.resume(ClockTrust::Checked).await;
        let first = START + 72 * HOUR_SECS;
        let second = first + 1_000 * HOUR_SECS;
        for ahead in [
            first,
            first + 23 * HOUR_SECS,
            second,
            second + 23 * HOUR_SECS,
            first + 24 * HOUR_SECS,
        ] {
            fixture.set(ahead);
            assert_eq!(rule.now().standing, ClockStanding::Ahead);
        }
        fixture.set(START);
        assert_eq!(rule.now().standing, ClockStanding::Right);
        fixture.set(first + 24 * HOUR_SECS);
        assert_eq!(
            rule.now().standing,
            ClockStanding::Ahead,
            "it was right in between"
        );
    }

    #[tokio::test]
    async fn what_another_server_saw_counts() {
        let fixture = Fixture::new();
        let (rule, _store) = fixture.resume(ClockTrust::Checked).await;
        let (other, store) = fixture.resume(ClockTrust::Checked).await;
        fixture.set(START + 40 * HOUR_SECS);
        other.keep(&store).await.unwrap();
        fixture.set(START);
        assert_eq!(rule.now().standing, ClockStanding::Right);
        rule.keep(&store).await.unwrap();
        assert_eq!(rule.now().standing, ClockStanding::Behind);
    }
}
