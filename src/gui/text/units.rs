//! Sizes, days and shares of a whole, as people write them.

pub(super) fn percent(fraction: f32) -> String {
    let fraction = if fraction.is_finite() {
        fraction.clamp(0.0, 1.0)
    } else {
        0.0
    };
    format!("{:.0} %", (fraction * 100.0).floor())
}

/// A length in decimal units, as servers state their limits.
#[must_use]
pub fn size(bytes: u64) -> String {
    match bytes {
        0 => "empty".to_owned(),
        1 => "1 byte".to_owned(),
        2..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => tenths(bytes, 1_000, "kB"),
        1_000_000..1_000_000_000 => tenths(bytes, 1_000_000, "MB"),
        _ => tenths(bytes, 1_000_000_000, "GB"),
    }
}

fn tenths(bytes: u64, unit: u64, name: &str) -> String {
    let (whole, tenth) = (bytes / unit, bytes % unit * 10 / unit);
    if tenth == 0 || whole >= 100 {
        format!("{whole} {name}")
    } else {
        format!("{whole}.{tenth} {name}")
    }
}

/// Size, and what the server sees of it.
#[must_use]
pub fn size_sent(len: Option<u64>, blob_len: u64) -> String {
    match len {
        Some(len) => format!("{}, sent as {}", size(len), size(blob_len)),
        None => format!("sent as {}", size(blob_len)),
    }
}

/// A day, in UTC.
#[must_use]
pub fn day(unix_secs: u64) -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    // Days to civil date: eras of 400 years, years beginning in March.
    let days = unix_secs / 86_400 + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 2
    } else {
        from_march - 10
    };
    let year = era * 400 + year_of_era + u64::from(month < 2);
    let month = usize::try_from(month)
        .ok()
        .and_then(|month| MONTHS.get(month))
        .copied()
        .unwrap_or_default();
    format!("{day} {month} {year}")
}

/// How far away a time is, in the largest unit that says enough.
#[must_use]
pub fn from_now(unix_secs: u64, now: u64) -> String {
    const HOUR: u64 = 3_600;
    const DAY: u64 = 24 * HOUR;
    let many = |count: u64, one: &str| match count {
        1 => format!("1 {one}"),
        more => format!("{more} {one}s"),
    };
    let span = |secs: u64| match secs {
        0..HOUR => many((secs / 60).max(1), "minute"),
        HOUR..DAY => many(secs / HOUR, "hour"),
        _ => many(secs / DAY, "day"),
    };
    match unix_secs.checked_sub(now) {
        Some(left) => format!("in {}", span(left)),
        None => format!("{} ago", span(now - unix_secs)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_decimal_and_an_empty_file_is_named() {
        for (bytes, said) in [
            (0, "empty"),
            (1, "1 byte"),
            (999, "999 bytes"),
            (1_000, "1 kB"),
            (4_213_000, "4.2 MB"),
            (9_998_912, "9.9 MB"),
            (10_223_616, "10.2 MB"),
            (1_200_000_000, "1.2 GB"),
        ] {
            assert_eq!(size(bytes), said);
        }
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        for (secs, said) in [
            (0, "1 Jan 1970"),
            (951_782_400, "29 Feb 2000"),
            (1_796_515_200, "6 Dec 2026"),
            (4_107_542_399, "28 Feb 2100"),
        ] {
            assert_eq!(day(secs), said);
        }
    }

    #[test]
    fn a_time_is_as_far_away_as_it_is() {
        for (at, said) in [
            (1_000_030, "in 1 minute"),
            (1_007_200, "in 2 hours"),
            (1_086_400, "in 1 day"),
            (2_209_600, "in 14 days"),
            (999_000, "16 minutes ago"),
        ] {
            assert_eq!(from_now(at, 1_000_000), said);
        }
    }

    #[test]
    fn a_fraction_that_is_no_number_is_no_progress() {
        assert_eq!(percent(f32::NAN), "0 %");
        assert_eq!(percent(0.999), "99 %");
    }
}
