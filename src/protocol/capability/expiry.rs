//! Expiry of files: always at the beginning of a UTC hour, which the uploader names.
//!
//! An hour is absolute: an upload or extension that somebody recorded and sends again means the same hour, however late,
//! and is refused once that hour has passed. A time from now would mean a later one each time.

/// Seconds of an hour.
pub(crate) const HOUR_SECS: u64 = 3_600;

/// Returns the hour (since 1970, UTC) with which a file expires, if it is to be kept for `ttl_secs` from `now` (unix
/// seconds). It is rounded up, so that the file is kept that long at least; one beyond `u32` counts as the last.
#[must_use]
pub fn expiry_hour(now: u64, ttl_secs: u64) -> u32 {
    u32::try_from(now.saturating_add(ttl_secs).div_ceil(HOUR_SECS)).unwrap_or(u32::MAX)
}

/// Whether a server whose clock says `now` keeps files until `hour`: it has not begun, and lies within `ttl_max_secs`,
/// rounded up.
#[must_use]
pub(crate) fn is_allowed(hour: u32, now: u64, ttl_max_secs: u64) -> bool {
    let begins = hour_begins(hour);
    now < begins && begins <= now.saturating_add(ttl_max_secs).saturating_add(HOUR_SECS)
}

/// The beginning of an hour, in unix seconds.
#[must_use]
pub fn hour_begins(hour: u32) -> u64 {
    u64::from(hour) * HOUR_SECS
}

/// The hour (since 1970, UTC) in which `now` (unix seconds) lies; one beyond `u32` counts as the last.
#[must_use]
pub fn hour_of(now: u64) -> u32 {
    u32::try_from(now / HOUR_SECS).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn published_hours() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/vectors/networks.json")).unwrap();
        for row in vectors["expiry"]["rows"].as_array().unwrap() {
            let [now, ttl, hour, expires] = [0, 1, 2, 3].map(|at| row[at].as_u64().unwrap());
            let given = expiry_hour(now, ttl);
            assert_eq!((u64::from(given), hour_begins(given)), (hour, expires));
            assert!(is_allowed(given, now, ttl), "{row}");
        }
    }

    #[test]
    fn an_hour_that_has_begun_or_lies_beyond_the_maximum_is_refused() {
        let (begins, ttl_max) = (hour_begins(500_000), 24 * HOUR_SECS);
        for (now, allowed) in [
            (begins, false),
            (begins - 1, true),
            (begins - ttl_max - HOUR_SECS, true),
            (begins - ttl_max - HOUR_SECS - 1, false),
            (u64::MAX, false),
        ] {
            assert_eq!(is_allowed(500_000, now, ttl_max), allowed, "{now}");
        }
    }

    proptest! {
        #[test]
        fn every_time_within_the_maximum_has_an_hour_that_is_allowed(
            now in 0..4_000_000_000_u64,
            ttl in 1..10_000_000_u64,
        ) {
            let hour = expiry_hour(now, ttl);
            prop_assert!(is_allowed(hour, now, ttl));
            prop_assert!(hour_begins(hour) >= now + ttl && hour_begins(hour) < now + ttl + HOUR_SECS);
            prop_assert!(hour_begins(hour_of(now)) <= now && now < hour_begins(hour_of(now) + 1));
        }
    }
}
