//! Lengths in bytes, and how fast bytes move.

use super::numbers::{grouped, tenths};
use crate::app::words::texts;

/// A length in decimal units, rounded to one digit after the point below 100 and to none from there on: `4.2 MB`.
///
/// A rounded limit can look equal to a file that exceeds it: a refusal gives both in bytes.
#[must_use]
pub fn size(bytes: u64) -> String {
    match bytes {
        0 => texts::size_empty().to_owned(),
        1..1_000 => texts::size_bytes(bytes),
        // What would be rounded to 1,000 of a unit is 1 of the next.
        1_000..999_500 => texts::size_kilo(&rounded(bytes, 1_000)),
        999_500..999_500_000 => texts::size_mega(&rounded(bytes, 1_000_000)),
        _ => texts::size_giga(&rounded(bytes, 1_000_000_000)),
    }
}

/// As [`size`], of what has moved of something: rounded down, so that it reads as the whole only when all of it has.
#[must_use]
pub(crate) fn size_so_far(bytes: u64) -> String {
    if bytes == 0 {
        return texts::size_bytes(0);
    }
    let unit = match bytes {
        0..1_000 => 1,
        1_000..1_000_000 => 1_000,
        1_000_000..1_000_000_000 => 1_000_000,
        _ => 1_000_000_000_u64,
    };
    let step = if bytes / unit < 100 {
        unit.div_ceil(10)
    } else {
        unit
    };
    size(bytes - bytes % step)
}

fn rounded(bytes: u64, unit: u64) -> String {
    let nearest = |step: u64| bytes / step + u64::from(bytes % step >= step / 2);
    match nearest(unit / 10) {
        below_100 @ 0..1_000 => tenths(below_100),
        _ => grouped(nearest(unit)),
    }
}

/// A length to the byte: `9,998,912 B`.
#[must_use]
pub(crate) fn exact_size(bytes: u64) -> String {
    texts::exact_size(bytes)
}

/// The size of a file, and what the server sees of it where that reads otherwise: `1.5 kB, sent as 65.5 kB`.
#[must_use]
pub(crate) fn size_sent(len: Option<u64>, blob_len: u64) -> String {
    let sent = size(blob_len);
    match len.map(size) {
        Some(size) if size == sent => size,
        Some(size) => texts::size_sent(&size, &sent),
        None => texts::sent_as(&sent),
    }
}

/// Bytes in a second: `1.2 MB/s`.
#[must_use]
pub fn speed(bytes_per_sec: u64) -> String {
    texts::speed(&size(bytes_per_sec))
}
