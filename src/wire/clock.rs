//! The time as a value that tests can set.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

/// A clock: returns the present time in unix seconds.
pub(crate) type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// The machine's clock.
#[must_use]
pub fn system() -> Clock {
    Arc::new(|| {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs())
    })
}
