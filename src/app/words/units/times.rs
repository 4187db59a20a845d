//! Days, distances in time and lengths of time.

use std::sync::OnceLock;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::app::words::texts;

/// Time zone of the days in texts; UTC until [`use_local_days`].
static ZONE: OnceLock<TimeZone> = OnceLock::new();

/// Says days as they are where this computer is, from now on.
pub(crate) fn use_local_days() {
    ZONE.get_or_init(TimeZone::system);
}

/// The day of a time in unix seconds, where this computer is: `6 Dec 2026`.
#[must_use]
pub fn day(unix_secs: u64) -> String {
    day_in(unix_secs, ZONE.get().unwrap_or(&TimeZone::UTC))
}

/// Day, hour and minute of a time in unix seconds, in UTC: `6 Dec 2026, 07:00 UTC`.
#[must_use]
pub(crate) fn day_and_time(unix_secs: u64) -> String {
    let time = civil(unix_secs, &TimeZone::UTC);
    texts::day_and_time(
        &date(time),
        &format!("{:02}", time.hour()),
        &format!("{:02}", time.minute()),
    )
}

pub(super) fn day_in(unix_secs: u64, zone: &TimeZone) -> String {
    date(civil(unix_secs, zone))
}

/// What calendar and clock show in a zone; the end of the calendar for what lies behind it.
fn civil(unix_secs: u64, zone: &TimeZone) -> DateTime {
    let time = i64::try_from(unix_secs).ok();
    let time = time.and_then(|secs| Timestamp::from_second(secs).ok());
    zone.to_datetime(time.unwrap_or(Timestamp::MAX))
}

fn date(time: DateTime) -> String {
    let month = match time.month() {
        1 => texts::month_1(),
        2 => texts::month_2(),
        3 => texts::month_3(),
        4 => texts::month_4(),
        5 => texts::month_5(),
        6 => texts::month_6(),
        7 => texts::month_7(),
        8 => texts::month_8(),
        9 => texts::month_9(),
        10 => texts::month_10(),
        11 => texts::month_11(),
        _ => texts::month_12(),
    };
    texts::date(&time.day().to_string(), month, &time.year().to_string())
}

/// How far away a time is, both in unix seconds, in the largest unit that says enough; which day it is, when it is 100
/// days away or more: `in 2 hours`, `14 days ago`.
#[must_use]
pub(crate) fn from_now(unix_secs: u64, now: u64) -> String {
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

/// A length of time in days, or in hours where it is no whole number of days, one hour at least: `14 days`.
#[must_use]
pub(crate) fn duration(secs: u64) -> String {
    if secs >= DAY && secs.is_multiple_of(DAY) {
        texts::duration_days(secs / DAY)
    } else {
        texts::duration_hours((secs / HOUR).max(1))
    }
}

/// How long something still takes, in a unit whose number is small: `2 min left`.
#[must_use]
pub(crate) fn time_left(secs: u64) -> String {
    match secs {
        0..100 => texts::seconds_left(secs),
        100..6_000 => texts::minutes_left(secs.div_ceil(60)),
        _ => texts::hours_left(secs.div_ceil(HOUR)),
    }
}

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;
