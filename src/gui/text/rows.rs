//! What the window says of rows: how fast they go, what they are headed by, and what is said aloud as they begin and stop.

use crate::app::words::l10n::{say, tell};
use crate::gui::model::{Filter, Speed};

plain! {
    /// On a received file, in place of "Verified".
    misleading_badge;
}

/// Above the rows of one kind.
#[must_use]
pub fn rows_heading(kind: Filter) -> &'static str {
    match kind {
        Filter::All => super::transfers(),
        Filter::Received => say("rows_received"),
        Filter::Shared => say("rows_shared"),
    }
}

/// How fast a transfer goes.
#[must_use]
pub fn speed(speed: Speed) -> String {
    let size = super::size(speed.bytes_per_sec);
    tell("speed", &[("size", size.into())])
}

/// How long a transfer still takes, in a unit whose number is small.
#[must_use]
pub fn time_left(speed: Speed) -> String {
    let secs = speed.secs_left;
    let (id, count) = match secs {
        0..100 => ("seconds_left", secs),
        100..6_000 => ("minutes_left", secs.div_ceil(60)),
        _ => ("hours_left", secs.div_ceil(3_600)),
    };
    tell(id, &[("count", count.into())])
}

/// Said when it begins.
#[must_use]
pub fn starts_sharing(names: &[&str]) -> String {
    match names {
        [name] => tell("starts_sharing_one", &[("name", (*name).into())]),
        more => tell("starts_sharing_many", &[("count", more.len().into())]),
    }
}

/// Said when it begins.
#[must_use]
pub fn starts_receiving(name: &str) -> String {
    tell("starts_receiving", &[("name", name.into())])
}

/// Said when several begin again.
#[must_use]
pub fn starts_again(count: usize) -> String {
    tell("starts_again", &[("count", count.into())])
}

/// Said while its bytes move, of the first three quarters.
#[must_use]
pub fn is_so_far(name: &str, quarter: u8) -> String {
    let done = super::percent(f32::from(quarter) / 4.0);
    tell("is_so_far", &[("name", name.into()), ("done", done.into())])
}

/// Said when it was stopped.
#[must_use]
pub fn is_cancelled(name: &str) -> String {
    tell("is_cancelled", &[("name", name.into())])
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
