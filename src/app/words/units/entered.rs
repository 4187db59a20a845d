//! Times and sizes as people enter them on the command line, in the environment and in files, and sizes as operators read
//! them.

use bytesize::ByteSize;
use jiff::{Span, SpanRelativeTo, Unit};

/// Seconds of `14d`, `12h`, `1h 30m` or `90 s`, fractions of a second dropped. A day has 24 hours, a week 7 days.
///
/// # Errors
/// What to write instead: for a number without a unit, for months and years, which have no fixed length, and for a time
/// below 1 second or above 10,000,000,000 seconds (317 years).
pub(crate) fn parse_seconds(text: &str) -> Result<u64, String> {
    let span: Span = text
        .trim()
        .to_ascii_lowercase()
        .parse()
        .map_err(|_why| format!("{text:?} is not a time such as 14d or 12h"))?;
    let secs = span
        .total((Unit::Second, SpanRelativeTo::days_are_24_hours()))
        .map_err(|_why| format!("{text:?} has a unit without a fixed length; use days or hours"))?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range is checked before"
    )]
    if (1.0..=1e10).contains(&secs) {
        Ok(secs as u64)
    } else {
        Err(format!(
            "{text:?} is not a time of one second or longer, up to 300 years"
        ))
    }
}

/// Bytes of `10223616`, `10_223_616`, `512 MiB`, `10GB` or `1.5 GiB`: units of 1,000 (kB, MB, GB, …) and of 1,024 (KiB,
/// MiB, GiB, …), in capital letters or small ones.
///
/// # Errors
/// What to write instead: for another text, and for a size that 64 bits cannot count.
pub(crate) fn parse_bytes(text: &str) -> Result<u64, String> {
    let size: Result<ByteSize, _> = text.trim().replace('_', "").parse();
    size.map(|size| size.as_u64())
        .ok()
        // A size that is too large is read as the largest.
        .filter(|bytes| *bytes < u64::MAX)
        .ok_or_else(|| format!("{text:?} is not a size such as 512 MiB"))
}

/// A size for operators, in units of 1,024: `1.5 GiB`.
#[must_use]
pub(crate) fn size_for_operators(bytes: u64) -> String {
    ByteSize::b(bytes).display().iec().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units_of_fixed_length() {
        for (text, secs) in [
            ("14d", 1_209_600),
            ("7d", 604_800),
            ("2w", 1_209_600),
            ("12h", 43_200),
            ("12 h", 43_200),
            ("1h 30m", 5_400),
            ("1h30m", 5_400),
            ("1.5h", 5_400),
            ("10min", 600),
            ("10 minutes", 600),
            ("90 s", 90),
            (" 30s ", 30),
            ("14D", 1_209_600),
            ("1500ms", 1),
        ] {
            assert_eq!(parse_seconds(text), Ok(secs), "{text}");
        }
        for wrong in [
            "", "14", "d", "soon", "-1h", "0s", "0d", "999ms", "1mo", "1 month", "1y", "9999999w",
        ] {
            let reason = parse_seconds(wrong).unwrap_err();
            assert!(reason.starts_with(&format!("{wrong:?} ")), "{reason}");
        }
    }

    #[test]
    fn sizes_have_units_of_1000_and_1024() {
        for (text, bytes) in [
            ("0", 0),
            ("10223616", 10_223_616),
            ("10_223_616", 10_223_616),
            ("70000 B", 70_000),
            ("1kB", 1_000),
            ("1 KiB", 1_024),
            ("512 MiB", 512 << 20),
            (" 512MiB ", 512 << 20),
            ("10gb", 10_000_000_000),
            ("10 GiB", 10 << 30),
            ("1.5 GiB", 3 << 29),
            ("2TB", 2_000_000_000_000),
            ("2 TiB", 2 << 40),
        ] {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        }
        for wrong in [
            "",
            "MiB",
            "-1",
            "1 x",
            "hot",
            "1 MiB 2",
            "1,5 GiB",
            "99999999999 TiB",
        ] {
            let reason = parse_bytes(wrong).unwrap_err();
            assert!(reason.starts_with(&format!("{wrong:?} ")), "{reason}");
        }
    }

    #[test]
    fn sizes_for_operators_are_short() {
        for (bytes, text) in [
            (0, "0 B"),
            (1_023, "1023 B"),
            (1_536, "1.5 KiB"),
            (10 << 30, "10.0 GiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(size_for_operators(bytes), text);
        }
    }
}
