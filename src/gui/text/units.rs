//! Sizes, days and shares of a whole, as people write them.

use std::sync::OnceLock;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::app::words::texts;

pub(super) fn percent(fraction: f32) -> String {
    let fraction = if fraction.is_finite() {
        fraction.clamp(0.0, 1.0)
    } else {
        0.0
    };
    let number = format!("{:.0}", (fraction * 100.0).floor());
    texts::percent(&number)
}

/// A length in decimal units, rounded to one digit after the point below 100 and to none from there on.
///
/// A rounded limit can look equal to a file that exceeds it: a refusal gives both in bytes.
#[must_use]
pub fn size(bytes: u64) -> String {
    match bytes {
        0 => texts::size_empty().to_owned(),
        1..1_000 => texts::size_bytes(bytes),
        // What would be rounded to 1,000 of a unit is 1 of the next.
        1_000..999_500 => rounded(bytes, 1_000, texts::size_kilo),
        999_500..999_500_000 => rounded(bytes, 1_000_000, texts::size_mega),
        _ => rounded(bytes, 1_000_000_000, texts::size_giga),
    }
}

fn rounded(bytes: u64, unit: u64, with_unit: fn(&str) -> String) -> String {
    let tenths = bytes / (unit / 10) + u64::from(bytes % (unit / 10) >= unit / 20);
    let (whole, tenth) = (tenths / 10, tenths % 10);
    let number = if whole >= 100 {
        (bytes / unit + u64::from(bytes % unit >= unit / 2)).to_string()
    } else if tenth == 0 {
        whole.to_string()
    } else {
        texts::decimal(&whole.to_string(), &tenth.to_string())
    };
    with_unit(&number)
}

/// Size, and what the server sees of it where that reads otherwise.
#[must_use]
pub fn size_sent(len: Option<u64>, blob_len: u64) -> String {
    let sent = size(blob_len);
    match len.map(size) {
        Some(size) if size == sent => size,
        Some(size) => texts::size_sent(&size, &sent),
        None => texts::sent_as(&sent),
    }
}

/// Time zone of the days in texts; UTC until [`use_local_days`].
static ZONE: OnceLock<TimeZone> = OnceLock::new();

/// Says days as they are where this computer is, from now on.
pub fn use_local_days() {
    ZONE.get_or_init(TimeZone::system);
}

/// A day, where this computer is.
#[must_use]
pub fn day(unix_secs: u64) -> String {
    day_in(unix_secs, ZONE.get().unwrap_or(&TimeZone::UTC))
}

fn day_in(unix_secs: u64, zone: &TimeZone) -> String {
    let time = i64::try_from(unix_secs).ok();
    let time = time.and_then(|secs| Timestamp::from_second(secs).ok());
    let ahead = time.map_or(0, |time| zone.to_offset(time).seconds());
    civil_day(unix_secs.saturating_add_signed(ahead.into()))
}

fn civil_day(unix_secs: u64) -> String {
    const MONTHS: [fn() -> &'static str; 12] = [
        texts::month_1,
        texts::month_2,
        texts::month_3,
        texts::month_4,
        texts::month_5,
        texts::month_6,
        texts::month_7,
        texts::month_8,
        texts::month_9,
        texts::month_10,
        texts::month_11,
        texts::month_12,
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
        .map_or("", |month| month());
    texts::date(&day.to_string(), month, &year.to_string())
}

/// How far away a time is, in the largest unit that says enough; which day it is, when it is far away.
#[must_use]
pub fn from_now(unix_secs: u64, now: u64) -> String {
    const HOUR: u64 = 3_600;
    const DAY: u64 = 24 * HOUR;
    const FAR: u64 = 100 * DAY;
    let distance = unix_secs.abs_diff(now);
    let ahead = unix_secs >= now;
    match distance {
        FAR.. => day(unix_secs),
        0..HOUR if ahead => texts::in_minutes((distance / 60).max(1)),
        0..HOUR => texts::minutes_ago((distance / 60).max(1)),
        HOUR..DAY if ahead => texts::in_hours(distance / HOUR),
        HOUR..DAY => texts::hours_ago(distance / HOUR),
        _ if ahead => texts::in_days(distance / DAY),
        _ => texts::days_ago(distance / DAY),
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::Offset;

    use super::*;

    #[test]
    fn sizes_are_decimal_and_an_empty_file_is_named() {
        for (bytes, said) in [
            (0, "empty"),
            (1, "1 byte"),
            (999, "999 bytes"),
            (1_000, "1 kB"),
            (4_213_000, "4.2 MB"),
            (1_049, "1 kB"),
            (1_050, "1.1 kB"),
            (99_949, "99.9 kB"),
            (99_950, "100 kB"),
            (100_499, "100 kB"),
            (100_500, "101 kB"),
            (999_499, "999 kB"),
            (999_500, "1 MB"),
            (3_670_016, "3.7 MB"),
            (9_949_999, "9.9 MB"),
            (9_998_912, "10 MB"),
            (999_500_000, "1 GB"),
            (u64::MAX, "18446744074 GB"),
            (10_223_616, "10.2 MB"),
            (1_200_000_000, "1.2 GB"),
        ] {
            assert_eq!(size(bytes), said);
        }
    }

    #[test]
    fn what_is_sent_is_named_only_where_it_reads_otherwise() {
        assert_eq!(size_sent(Some(2_000_000), 2_000_100), "2 MB");
        assert_eq!(size_sent(Some(1_500), 65_536), "1.5 kB, sent as 65.5 kB");
        assert_eq!(size_sent(None, 65_536), "sent as 65.5 kB");
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

    /// Systems without a database of zones, as Windows, need one in the program.
    #[test]
    fn zones_are_known() {
        let zone = TimeZone::get("America/New_York").expect("a zone");
        assert_eq!(day_in(1_796_515_200, &zone), "5 Dec 2026");
    }

    #[test]
    fn a_day_begins_at_the_midnight_of_its_zone() {
        let zone = |hours| TimeZone::fixed(Offset::constant(hours));
        let before_midnight = 1_796_515_200 - 1;
        for (hours, said) in [(-1, "5 Dec 2026"), (0, "5 Dec 2026"), (1, "6 Dec 2026")] {
            assert_eq!(day_in(before_midnight, &zone(hours)), said);
        }
        assert_eq!(
            day_in(0, &zone(-1)),
            "1 Jan 1970",
            "there is nothing before"
        );
    }

    #[test]
    fn a_time_is_as_far_away_as_it_is() {
        for (at, said) in [
            (1_000_030, "in 1 minute"),
            (1_007_200, "in 2 hours"),
            (1_086_400, "in 1 day"),
            (2_209_600, "in 14 days"),
            (999_000, "16 minutes ago"),
            (101_000_000, "14 Mar 1973"),
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
