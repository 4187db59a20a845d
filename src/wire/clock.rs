//! The time as a value that tests can set.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// How often who waits for a time of a [`Clock`] looks at it: a clock can be set.
#[cfg(any(feature = "server", feature = "relay"))]
pub(crate) const STEP: Duration = if cfg!(feature = "testing") {
    Duration::from_millis(20)
} else {
    Duration::from_secs(30)
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
