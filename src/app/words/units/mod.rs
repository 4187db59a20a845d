//! Numbers and units as people write them: what the window and the command line show, in the spoken language, and what
//! is entered.

mod entered;
mod numbers;
mod sizes;
mod times;

pub(crate) use self::entered::{parse_bytes, parse_seconds, size_for_operators};
pub(crate) use self::numbers::group_digits;
pub(crate) use self::numbers::percent_done;
pub(crate) use self::numbers::{grouped, percent};
pub(crate) use self::sizes::{exact_size, size_sent, size_so_far};
pub use self::sizes::{size, speed};
pub use self::times::day;
pub(crate) use self::times::{day_and_time, duration, from_now, time_left, use_local_days};

#[cfg(test)]
mod tests;
