use jiff::tz::{Offset, TimeZone};

use super::times::day_in;
use super::{
    day, day_and_time, duration, exact_size, from_now, grouped, percent, percent_done, size,
    size_sent, size_so_far, speed, time_left,
};
use crate::app::words::l10n::{Language, in_language};

/// What each language says, with `_` for a space that does not break and `-` for a narrow one.
fn in_each_language(said: &dyn Fn() -> String) -> [String; 5] {
    [
        Language::English,
        Language::German,
        Language::French,
        Language::Spanish,
        Language::SimplifiedChinese,
    ]
    .map(|language| in_language(language, said))
    .map(|said| said.replace('\u{a0}', "_").replace('\u{202f}', "-"))
}

/// How each language says something: in English, German, French, Spanish and Chinese.
type Row<'a> = (&'a dyn Fn() -> String, [&'a str; 5]);

fn assert_said(table: &[Row<'_>]) {
    for (said, expected) in table {
        assert_eq!(in_each_language(said), *expected);
    }
}

#[test]
fn numbers_and_sizes_are_written_as_each_language_writes_them() {
    assert_said(&[
        (&|| grouped(999), ["999"; 5]),
        (
            &|| grouped(9_999),
            ["9,999", "9.999", "9-999", "9999", "9,999"],
        ),
        (
            &|| grouped(12_345),
            ["12,345", "12.345", "12-345", "12.345", "12,345"],
        ),
        (
            &|| grouped(1_234_567),
            [
                "1,234,567",
                "1.234.567",
                "1-234-567",
                "1.234.567",
                "1,234,567",
            ],
        ),
        (
            &|| percent(150),
            ["150%", "150_%", "150_%", "150_%", "150%"],
        ),
        (
            &|| percent_done(0.619),
            ["61%", "61_%", "61_%", "61_%", "61%"],
        ),
        (&|| size(0), ["empty", "leer", "vide", "vacío", "空文件"]),
        (
            &|| size(1),
            ["1 byte", "1 Byte", "1_octet", "1 byte", "1 字节"],
        ),
        (
            &|| size(999),
            [
                "999 bytes",
                "999 Byte",
                "999_octets",
                "999 bytes",
                "999 字节",
            ],
        ),
        (
            &|| size(1_500),
            ["1.5 kB", "1,5_kB", "1,5_ko", "1,5_kB", "1.5 kB"],
        ),
        (
            &|| size(4_213_000),
            ["4.2 MB", "4,2_MB", "4,2_Mo", "4,2_MB", "4.2 MB"],
        ),
        (
            &|| size(u64::MAX),
            [
                "18,446,744,074 GB",
                "18.446.744.074_GB",
                "18-446-744-074_Go",
                "18.446.744.074_GB",
                "18,446,744,074 GB",
            ],
        ),
        (
            &|| exact_size(9_998_912),
            [
                "9,998,912 B",
                "9.998.912_B",
                "9-998-912_o",
                "9.998.912_B",
                "9,998,912 字节",
            ],
        ),
        (
            &|| speed(1_234_000),
            ["1.2 MB/s", "1,2_MB/s", "1,2_Mo/s", "1,2_MB/s", "1.2 MB/秒"],
        ),
    ]);
}

#[test]
fn times_are_written_as_each_language_writes_them() {
    assert_said(&[
        (
            &|| duration(86_400),
            ["1 day", "1 Tag", "1 jour", "1 día", "1 天"],
        ),
        (
            &|| duration(129_600),
            ["36 hours", "36 Stunden", "36 heures", "36 horas", "36 小时"],
        ),
        (
            &|| time_left(99),
            [
                "99 s left",
                "noch 99_s",
                "encore 99_s",
                "quedan 99_s",
                "99 秒后完成",
            ],
        ),
        (
            &|| day(951_782_400),
            [
                "29 Feb 2000",
                "29. Feb. 2000",
                "29 févr. 2000",
                "29 feb 2000",
                "2000年2月29日",
            ],
        ),
        (
            &|| day_and_time(1_796_515_200 + 25_500),
            [
                "6 Dec 2026, 07:05 UTC",
                "6. Dez. 2026, 07:05 UTC",
                "6 déc. 2026 à 07:05 UTC",
                "6 dic 2026, 07:05 UTC",
                "2026年12月6日 07:05 UTC",
            ],
        ),
        (
            &|| from_now(1_007_200, 1_000_000),
            [
                "in 2 hours",
                "in 2 Stunden",
                "dans 2 heures",
                "dentro de 2 horas",
                "2 小时后",
            ],
        ),
    ]);
}

#[test]
fn what_has_moved_reads_as_the_whole_only_when_it_is() {
    for (bytes, said) in [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1_099, "1 kB"),
        (99_999, "99.9 kB"),
        (999_999, "999 kB"),
        (99_999_999, "99.9 MB"),
        (100_000_000, "100 MB"),
        (1_299_999_999, "1.2 GB"),
    ] {
        assert_eq!(size_so_far(bytes), said, "{bytes}");
    }
}

#[test]
fn sizes_are_decimal_and_an_empty_file_is_named() {
    for (bytes, said) in [
        (0, "empty"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1_000, "1 kB"),
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
        (10_223_616, "10.2 MB"),
        (999_500_000, "1 GB"),
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
        (u64::MAX, "30 Dec 9999"),
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
    assert_eq!(day_in(0, &zone(-1)), "31 Dec 1969");
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
fn a_time_that_is_left_is_said_in_small_numbers() {
    for (secs_left, said) in [
        (1, "1 s left"),
        (99, "99 s left"),
        (100, "2 min left"),
        (5_999, "100 min left"),
        (6_000, "2 h left"),
    ] {
        assert_eq!(time_left(secs_left), said);
    }
}

#[test]
fn a_fraction_that_is_no_number_is_no_progress() {
    assert_eq!(percent_done(f32::NAN), "0%");
    assert_eq!(percent_done(0.999), "99%");
}
