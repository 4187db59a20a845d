//! Whether the clock can be right: it is compared with the last hour that was seen.
//!
//! A clock that is behind that hour would let expired files live again, one that is far ahead would sweep all files: so
//! nothing is swept and nothing stored until the operator says that the clock is right; files are still served, as of
//! the last hour seen.

use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::Notify;

use super::blob_store::{BlobStore, StoreFault};
use crate::wire::clock::Clock;

/// How far the clock is trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClockTrust {
    /// The clock of the start is right, whatever was seen before; afterwards it is checked.
    AcceptNow,
    /// It is always right: for a server that nobody attends to.
    Always,
    /// It is checked against the last hour seen.
    #[default]
    Checked,
}

/// The time, judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Unix seconds to judge expiries by; when the clock is not trusted, the last hour seen.
    pub secs: u64,
    /// How the clock stands.
    pub standing: Standing,
}

/// How the clock stands to the last hour seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// More than 48 hours ahead of it.
    Ahead,
    /// Behind it.
    Behind,
    /// Where it should be.
    Right,
}

impl Now {
    /// Whether files may be stored and swept by this time.
    #[must_use]
    pub fn is_right(self) -> bool {
        self.standing == Standing::Right
    }
}

/// Keeps the last hour seen.
pub struct ClockRule {
    clock: Clock,
    always: bool,
    /// 0 when none was seen yet.
    last: AtomicU32,
    moved: Notify,
}

impl ClockRule {
    /// The rule over `clock`, going on from the hour that the store has noted.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub async fn resume(
        clock: Clock,
        trust: ClockTrust,
        store: &BlobStore,
    ) -> Result<Self, StoreFault> {
        let rule = Self {
            clock,
            always: trust == ClockTrust::Always,
            last: AtomicU32::new(0),
            moved: Notify::new(),
        };
        match trust {
            ClockTrust::Checked => rule.keep(store).await?,
            ClockTrust::AcceptNow | ClockTrust::Always => {
                let hour = hour(rule.now().secs);
                store.note_hour(hour, true).await?;
            }
        }
        Ok(rule)
    }

    /// The time, judged.
    pub fn now(&self) -> Now {
        let secs = (self.clock)();
        let last = self.last.load(Ordering::Acquire);
        let last_secs = u64::from(last) * HOUR;
        let standing = if last == 0 || self.always {
            Standing::Right
        } else if secs + TOLERANCE_SECS < last_secs {
            Standing::Behind
        } else if secs / HOUR > u64::from(last) + MOST_HOURS_AHEAD {
            Standing::Ahead
        } else {
            Standing::Right
        };
        if standing != Standing::Right {
            return Now {
                secs: last_secs,
                standing,
            };
        }
        if self.last.fetch_max(hour(secs), Ordering::AcqRel) < hour(secs) {
            self.moved.notify_one();
        }
        Now { secs, standing }
    }

    /// Takes over what other servers of the store saw, and notes what was seen here.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub async fn keep(&self, store: &BlobStore) -> Result<(), StoreFault> {
        if let Some(noted) = store.last_hour().await?
            && !self.always
        {
            self.last.fetch_max(noted, Ordering::AcqRel);
        }
        let now = self.now();
        if now.is_right() {
            store.note_hour(hour(now.secs), self.always).await?;
        }
        Ok(())
    }

    /// Returns when an hour was seen that is not noted yet.
    pub async fn moved(&self) {
        self.moved.notified().await;
    }
}

fn hour(secs: u64) -> u32 {
    u32::try_from(secs / HOUR).unwrap_or(u32::MAX)
}

const HOUR: u64 = 3600;
/// Servers of one bucket have clocks within 30 minutes.
const TOLERANCE_SECS: u64 = HOUR / 2;
const MOST_HOURS_AHEAD: u64 = 48;

#[cfg(test)]
mod tests {
    use std::{
        sync::{Arc, atomic::AtomicU64},
        time::Duration,
    };

    use object_store::memory::InMemory;

    use super::*;
    use crate::server::location::StoreLocation;

    const START: u64 = 500_000 * HOUR;

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
            (START - HOUR, Standing::Behind),
            (START + 49 * HOUR, Standing::Ahead),
            (0, Standing::Behind),
            (u64::MAX / 2, Standing::Ahead),
        ] {
            fixture.set(jump);
            let now = rule.now();
            assert_eq!((now.standing, now.secs), (standing, START), "{jump}");
            rule.keep(&store).await.unwrap();
        }
        for right in [START - HOUR / 2, START + 48 * HOUR + 3599] {
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
        for jump in [START - 10 * HOUR, START + 1000 * HOUR] {
            fixture.set(jump);
            let (rule, _store) = fixture.resume(ClockTrust::Checked).await;
            assert!(!rule.now().is_right());
            let (rule, store) = fixture.resume(ClockTrust::AcceptNow).await;
            assert_eq!(rule.now().secs, jump);
            assert_eq!(store.last_hour().await.unwrap(), Some(hour(jump)));
            let (rule, _store) = fixture.resume(ClockTrust::Checked).await;
            assert!(rule.now().is_right());
        }
        fixture.set(START);
        let (rule, _store) = fixture.resume(ClockTrust::Always).await;
        fixture.set(START + 1000 * HOUR);
        assert!(rule.now().is_right());
    }

    #[tokio::test]
    async fn what_another_server_saw_counts() {
        let fixture = Fixture::new();
        let (rule, _store) = fixture.resume(ClockTrust::Checked).await;
        let (other, store) = fixture.resume(ClockTrust::Checked).await;
        fixture.set(START + 40 * HOUR);
        other.keep(&store).await.unwrap();
        fixture.set(START);
        assert!(rule.now().is_right());
        rule.keep(&store).await.unwrap();
        assert_eq!(rule.now().standing, Standing::Behind);
    }
}
