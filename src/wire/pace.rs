//! The slowest that bytes may move: one rule for bodies that are read and bodies that are sent, at client, relay and server.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// The slowest that a body may move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaceLimits {
    /// Longest wait for the first byte.
    pub first: Duration,
    /// The time over which the pace is measured; also the longest silence.
    pub window: Duration,
    /// Bytes that must move in any `window`.
    pub window_bytes: u64,
    /// The time that a body of no length may take as a whole.
    pub whole: Duration,
    /// Each so many bytes of length add one second to `whole`.
    pub whole_bytes_per_sec: u64,
}

impl PaceLimits {
    /// The limits of everything here: the first byte within 5 s, 4 KiB/s over any 30 s, the whole within 60 s and its
    /// length at 8 KiB/s.
    pub const USUAL: Self = Self {
        first: Duration::from_secs(5),
        window: Duration::from_secs(30),
        window_bytes: 30 * 4096,
        whole: Duration::from_secs(60),
        whole_bytes_per_sec: 8192,
    };

    /// The time that a body of `len_bytes` may take as a whole.
    #[must_use]
    pub(crate) fn whole_of(&self, len_bytes: u64) -> Duration {
        let at_pace = len_bytes / self.whole_bytes_per_sec.max(1);
        self.whole.saturating_add(Duration::from_secs(at_pace))
    }
}

/// Measures one body against [`PaceLimits`]. It has no clock of its own: every call is told the time, except
/// [`Self::watch`].
#[derive(Clone, Debug)]
pub(crate) struct PaceMeter {
    limits: PaceLimits,
    first_by: Instant,
    /// None where the time is too long to be measured.
    whole_by: Option<Instant>,
    /// Bytes that had moved at these times, one entry a second at most; the first is the beginning of the window.
    samples: VecDeque<(Instant, u64)>,
    moved_bytes: u64,
}

impl PaceMeter {
    /// A body of `len_bytes` (or at most so many, when its length is not known) that begins to move at `start`.
    #[must_use]
    pub(crate) fn new(limits: &PaceLimits, len_bytes: u64, start: Instant) -> Self {
        Self {
            limits: *limits,
            first_by: start + limits.first,
            whole_by: start.checked_add(limits.whole_of(len_bytes)),
            samples: VecDeque::from([(start, 0)]),
            moved_bytes: 0,
        }
    }

    /// Notes that `total_bytes` have moved since the beginning.
    pub(crate) fn moved(&mut self, total_bytes: u64) {
        self.moved_bytes = self.moved_bytes.max(total_bytes);
    }

    /// Whether the body moves too slowly to go on. To be asked after every piece, and once a second where nothing moves.
    pub(crate) fn is_too_slow(&mut self, now: Instant) -> bool {
        let is_overdue = self.whole_by.is_some_and(|by| now >= by);
        if is_overdue || (self.moved_bytes == 0 && now >= self.first_by) {
            return true;
        }
        let window = self.limits.window;
        let old = |&(at, _): &(Instant, u64)| now.saturating_duration_since(at) >= window;
        while self.samples.get(1).is_some_and(old) {
            self.samples.pop_front();
        }
        let slow = self.samples.front().is_some_and(|first| {
            old(first) && self.moved_bytes.saturating_sub(first.1) < self.limits.window_bytes
        });
        let newest = self.samples.back();
        if newest.is_none_or(|&(at, _)| now.saturating_duration_since(at) >= LOOK_EVERY) {
            self.samples.push_back((now, self.moved_bytes));
        }
        slow
    }

    /// Leaves out a time in which the other side could not move anything, because this side made it wait.
    pub(crate) fn forgive(&mut self, paused: Duration) {
        self.first_by += paused;
        self.whole_by = self.whole_by.and_then(|by| by.checked_add(paused));
        for (at, _) in &mut self.samples {
            *at += paused;
        }
    }

    /// Waits for `step`, the next piece that moves, for as long as the pace allows. The caller then says with
    /// [`Self::moved`] how much it was.
    ///
    /// # Errors
    /// [`TooSlow`]; `step` is dropped then.
    pub(crate) async fn watch<F: Future>(&mut self, step: F) -> Result<F::Output, TooSlow> {
        if self.is_too_slow(Instant::now()) {
            return Err(TooSlow);
        }
        let mut step = std::pin::pin!(step);
        let look_every = LOOK_EVERY.min(self.limits.window).min(self.limits.first);
        loop {
            tokio::select! {
                biased;
                done = &mut step => return Ok(done),
                () = tokio::time::sleep(look_every) => if self.is_too_slow(Instant::now()) {
                    return Err(TooSlow);
                },
            }
        }
    }
}

/// A body moved too slowly, or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it moves too slowly")]
pub(crate) struct TooSlow;

/// The time after which a body that does not move is looked at again.
const LOOK_EVERY: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    /// The second in which a body of `len_bytes` is cut of which `moved(second)` bytes have moved by then; virtual time,
    /// a look each second.
    fn cut_after(len_bytes: u64, moved: impl Fn(u64) -> u64) -> Option<u64> {
        let start = Instant::now();
        let mut pace = PaceMeter::new(&PaceLimits::USUAL, len_bytes, start);
        (1..=3_600)
            .take_while(|&second| moved(second) < len_bytes)
            .find(|&second| {
                pace.moved(moved(second));
                pace.is_too_slow(start + Duration::from_secs(second))
            })
    }

    #[test]
    fn four_kibibytes_a_second_over_thirty_seconds_is_the_slowest_pace() {
        const LEN: u64 = 10 << 20;
        // A whole body of that pace would take too long in the end.
        assert_eq!(
            cut_after(LEN, |second| second * 4_096),
            Some(60 + LEN / 8_192)
        );
        assert_eq!(cut_after(LEN, |second| second * 4_095), Some(30));
        assert_eq!(
            cut_after(LEN, |second| 1 + second.min(40) * 200_000),
            Some(70),
            "silence after a good start"
        );
        // A byte now and then keeps nobody here, and neither does a quick start.
        assert_eq!(cut_after(LEN, |second| 1 + second / 29), Some(30));
        assert_eq!(cut_after(LEN, |second| 5_000_000 + second * 100), Some(31));
        // A pause is forgiven when the window has its bytes.
        assert_eq!(
            cut_after(LEN, |second| second.div_ceil(25) * 25 * 4_096 * 3),
            None
        );
    }

    #[test]
    fn the_first_byte_comes_within_five_seconds() {
        assert_eq!(cut_after(1_000, |_| 0), Some(5));
        assert_eq!(
            cut_after(1_000, |second| if second < 5 { 0 } else { second }),
            Some(30)
        );
    }

    #[test]
    fn the_whole_has_a_minute_and_its_length_at_eight_kibibytes_a_second() {
        const LEN: u64 = 8_192 * 100;
        // A hundred seconds and the minute.
        assert_eq!(cut_after(LEN, |second| second * 5_100), Some(160));
        assert_eq!(cut_after(LEN, |second| second * 5_200), None);
    }

    #[test]
    fn what_this_side_made_the_other_wait_is_left_out() {
        let start = Instant::now();
        let after = |secs| start + Duration::from_secs(secs);
        let mut pace = PaceMeter::new(&PaceLimits::USUAL, 1 << 20, start);
        pace.forgive(Duration::from_secs(10));
        assert!(!pace.is_too_slow(after(14)));
        assert!(pace.is_too_slow(after(15)));
        let mut pace = PaceMeter::new(&PaceLimits::USUAL, 1 << 20, start);
        pace.moved(1);
        assert!(!pace.is_too_slow(after(29)));
        pace.forgive(Duration::from_secs(10));
        assert!(!pace.is_too_slow(after(39)));
        assert!(pace.is_too_slow(after(40)));
    }

    #[tokio::test]
    async fn a_step_that_does_not_come_is_given_up() {
        let limits = PaceLimits {
            first: Duration::from_millis(1),
            ..PaceLimits::USUAL
        };
        let mut pace = PaceMeter::new(&limits, 10, Instant::now());
        assert_eq!(pace.watch(std::future::pending::<()>()).await, Err(TooSlow));
        let mut pace = PaceMeter::new(&PaceLimits::USUAL, 10, Instant::now());
        assert_eq!(pace.watch(std::future::ready(7)).await, Ok(7));
    }
}
