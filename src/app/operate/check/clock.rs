//! The line of `cloak check` about the clock: whether it can be right.

use super::Report;

/// Compares `now` (unix seconds) with the day this version was made, and asks the system whether it keeps its clock.
pub(super) fn clock(report: &mut Report, now: u64) {
    if now < MADE {
        report.failed(
            PART,
            "it is before the day this version was made",
            "set it; timedatectl set-ntp true keeps it right",
        );
    } else if std::path::Path::new(SYNCHRONISED).exists() {
        report.ok(PART, "it is kept right by the system's time service");
    } else {
        report.ok(
            PART,
            "it can be right; whether the system keeps it so is not known here",
        );
    }
}

pub(super) const PART: &str = "clock";
/// 2026-01-01 in unix seconds: no correct clock is earlier.
const MADE: u64 = 1_767_225_600;
/// What systemd-timesyncd leaves when it has reached a time server.
const SYNCHRONISED: &str = "/run/systemd/timesync/synchronized";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_of_long_ago_is_wrong() {
        let mut report = Report::default();
        clock(&mut report, 0);
        assert!(!report.is_ok());
        let mut report = Report::default();
        clock(&mut report, MADE);
        assert!(report.is_ok());
    }
}
