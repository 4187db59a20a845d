//! Numbers and units as people write them: what the window and the command line show, in the spoken language, and what
//! is entered.

mod entered;
mod numbers;
mod sizes;
mod times;

pub use self::entered::{parse_bytes, parse_seconds, size_for_operators};
pub(crate) use self::numbers::group_digits;
pub use self::numbers::{grouped, percent, percent_done};
pub use self::sizes::{exact_size, size, size_sent, speed};
pub use self::times::{day, day_and_time, duration, from_now, time_left, use_local_days};

#[cfg(test)]
mod tests;
