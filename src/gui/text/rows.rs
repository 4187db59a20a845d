//! What the window says of rows: how fast they go, what they are headed by, and what is said aloud as they begin and stop.

use super::texts;
use crate::app::words::texts::{hours_left, minutes_left, seconds_left};
use crate::gui::model::{Filter, Speed};

/// Above the rows of one kind.
#[must_use]
pub fn rows_heading(kind: Filter) -> &'static str {
    match kind {
        Filter::All => texts::transfers(),
        Filter::Received => texts::rows_received(),
        Filter::Shared => texts::rows_shared(),
    }
}

/// How fast a transfer goes.
#[must_use]
pub fn speed(speed: Speed) -> String {
    crate::app::words::texts::speed(&super::size(speed.bytes_per_sec))
}

/// How long a transfer still takes, in a unit whose number is small.
#[must_use]
pub fn time_left(speed: Speed) -> String {
    let secs = speed.secs_left;
    match secs {
        0..100 => seconds_left(secs),
        100..6_000 => minutes_left(secs.div_ceil(60)),
        _ => hours_left(secs.div_ceil(3_600)),
    }
}

/// Said when it begins.
#[must_use]
pub fn starts_sharing(names: &[&str]) -> String {
    match names {
        [name] => texts::starts_sharing_one(name),
        more => texts::starts_sharing_many(more.len()),
    }
}

/// Said while its bytes move, of the first three quarters.
#[must_use]
pub fn is_so_far(name: &str, quarter: u8) -> String {
    texts::is_so_far(name, &super::percent(f32::from(quarter) / 4.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_is_left_is_said_in_small_numbers() {
        for (secs_left, said) in [
            (1, "1 s left"),
            (99, "99 s left"),
            (100, "2 min left"),
            (5_999, "100 min left"),
            (6_000, "2 h left"),
        ] {
            let speed = Speed {
                bytes_per_sec: 1_234_000,
                secs_left,
            };
            assert_eq!(time_left(speed), said);
            assert_eq!(super::speed(speed), "1.2 MB/s");
        }
    }
}
