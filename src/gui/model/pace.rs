//! How fast a transfer goes and how long it still takes, from what was seen of it. Time is given, never asked for.

use std::time::Duration;

/// What was seen of a transfer's bytes so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pace {
    first: Option<PaceSample>,
    last: Option<PaceSample>,
    /// Smoothed speed.
    bytes_per_sec: f64,
}

/// Number of bytes that had passed at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
struct PaceSample {
    at: Duration,
    bytes: f64,
}

/// How fast it goes, and how long it still takes if it goes on so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Speed {
    /// Bytes in a second.
    pub bytes_per_sec: u64,
    /// At least 1.
    pub secs_left: u64,
}

/// No estimate is given earlier than this after the first byte.
const AFTER: Duration = Duration::from_secs(1);
/// Samples closer together than this are merged.
const APART: Duration = Duration::from_millis(50);
/// In this time the smoothed speed has gone most of the way to a new one.
const SMOOTH_SECS: f64 = 2.0;
/// Shorter transfers end before an estimate could be read.
const LEAST_BYTES: u64 = 1_000_000;
/// A longer estimate, in seconds, is not shown.
const MOST_SECS: f64 = 24.0 * 3_600.0;

impl Pace {
    /// Takes in that so many bytes had passed by `at`, counted from any fixed time.
    pub(crate) fn see(&mut self, at: Duration, bytes: f64) {
        if !bytes.is_finite() {
            return;
        }
        let seen = PaceSample { at, bytes };
        // Fewer than before: it began again, with another try.
        let last = self.last.filter(|last| bytes >= last.bytes);
        let (Some(first), Some(last)) = (self.first, last) else {
            *self = Self {
                first: Some(seen),
                last: Some(seen),
                bytes_per_sec: 0.0,
            };
            return;
        };
        let apart = at.saturating_sub(last.at);
        if apart < APART {
            return;
        }
        let now = (bytes - last.bytes) / apart.as_secs_f64();
        self.bytes_per_sec = if first == last {
            now
        } else {
            let weight = 1.0 - (-apart.as_secs_f64() / SMOOTH_SECS).exp();
            self.bytes_per_sec + weight * (now - self.bytes_per_sec)
        };
        self.last = Some(seen);
    }

    /// How fast it goes, of so many bytes in all; nothing while that cannot be said, or need not.
    #[must_use]
    pub(crate) fn speed(&self, total: u64) -> Option<Speed> {
        let (first, last) = (self.first?, self.last?);
        if total < LEAST_BYTES || last.at.saturating_sub(first.at) < AFTER {
            return None;
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "a size that a person reads in two digits"
        )]
        let left = (total as f64 - last.bytes).max(0.0);
        let secs = (left / self.bytes_per_sec).ceil();
        // Also where nothing moves: the division gives no number then, or none that is small enough.
        if !secs.is_finite() || secs > MOST_SECS {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "neither is negative, both are finite and far from the limits"
        )]
        let (bytes_per_sec, secs_left) = (self.bytes_per_sec as u64, secs.max(1.0) as u64);
        (bytes_per_sec > 0).then_some(Speed {
            bytes_per_sec,
            secs_left,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MB: f64 = 1_000_000.0;
    const TOTAL: u64 = 5_000_000;

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// A megabyte a second, seen ten times a second from `from` on.
    fn steady(from: u64, millis: u64) -> Pace {
        let mut pace = Pace::default();
        for step in (0..=millis).step_by(100) {
            let secs = at(step).as_secs_f64();
            pace.see(at(from + step), secs * MB);
        }
        pace
    }

    #[test]
    fn a_steady_transfer_says_its_speed_and_its_end() {
        let speed = steady(7_000, 2_000).speed(TOTAL).expect("it is known");
        assert!(
            (990_000..=1_010_000).contains(&speed.bytes_per_sec),
            "{speed:?}"
        );
        assert_eq!(speed.secs_left, 3);
    }

    #[test]
    fn nothing_is_said_in_the_first_second_and_nothing_of_small_files() {
        assert_eq!(Pace::default().speed(TOTAL), None);
        assert_eq!(steady(0, 900).speed(TOTAL), None);
        assert!(steady(0, 1_000).speed(TOTAL).is_some());
        assert_eq!(steady(0, 2_000).speed(LEAST_BYTES - 1), None);
    }

    #[test]
    fn one_slow_moment_changes_little_and_a_slow_while_all() {
        let mut pace = steady(0, 2_000);
        pace.see(at(2_100), 2.0 * MB);
        let speed = pace.speed(TOTAL).expect("it is known");
        assert!(speed.bytes_per_sec > 900_000, "{speed:?}");
        for step in 1..=100 {
            let more = f64::from(step) * 0.01 * MB;
            pace.see(
                at(2_100 + 100 * u64::try_from(step).expect("small")),
                2.0 * MB + more,
            );
        }
        let speed = pace.speed(TOTAL).expect("it is known");
        assert!(
            (95_000..=110_000).contains(&speed.bytes_per_sec),
            "{speed:?}"
        );
    }

    #[test]
    fn another_try_begins_anew() {
        let mut pace = steady(0, 3_000);
        assert!(pace.speed(TOTAL).is_some());
        pace.see(at(3_100), 0.0);
        assert_eq!(pace.speed(TOTAL), None, "nothing is known of this try");
        pace.see(at(4_200), 1.1 * MB);
        assert!(pace.speed(TOTAL).is_some());
    }

    #[test]
    fn what_does_not_move_has_no_end() {
        let mut pace = Pace::default();
        for step in 0..20 {
            pace.see(at(step * 100), 10.0);
        }
        assert_eq!(pace.speed(TOTAL), None);
    }

    #[test]
    fn an_end_that_is_here_is_a_second_away() {
        let speed = steady(0, 5_000).speed(TOTAL).expect("it is known");
        assert_eq!(speed.secs_left, 1);
    }

    proptest! {
        #[test]
        fn whatever_is_seen_nothing_is_nonsense(
            seen in proptest::collection::vec((0..100_000_u64, any::<f64>()), 0..40),
            total in any::<u64>(),
        ) {
            let mut pace = Pace::default();
            for (millis, bytes) in seen {
                pace.see(at(millis), bytes);
                if let Some(speed) = pace.speed(total) {
                    prop_assert!(speed.secs_left >= 1);
                    prop_assert!(speed.bytes_per_sec > 0);
                }
            }
        }
    }
}
