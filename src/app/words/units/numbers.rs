//! Numbers in groups of three digits, decimals, shares of a whole.

use crate::app::words::l10n::spoken;
use crate::app::words::texts;

/// A whole number in groups of three digits: `12,345`, in German `12.345`.
#[must_use]
pub(crate) fn grouped(number: u64) -> String {
    group_digits(&number.to_string())
}

/// The digits of a whole number, in groups of three where the spoken language writes groups in a number of that length.
pub(crate) fn group_digits(digits: &str) -> String {
    if digits.len() < spoken().fewest_grouped_digits() {
        return digits.to_owned();
    }
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push_str(texts::thousands());
        }
        grouped.push(digit);
    }
    grouped
}

/// A number of tenths, with a digit after the point only where that is not zero: `4`, `4.2`, in German `4,2`.
pub(super) fn tenths(tenths: u64) -> String {
    let whole = grouped(tenths / 10);
    match tenths % 10 {
        0 => whole,
        tenth => texts::decimal(&whole, &tenth.to_string()),
    }
}

/// A number of hundredths of a whole: `150%`, in German `150 %`.
#[must_use]
pub(crate) fn percent(hundredths: u64) -> String {
    texts::percent(hundredths)
}

/// How much is done of a whole, from 0 to 1: `61%`. It is rounded down, so that 100 % is the whole; what is no number is 0.
#[must_use]
pub(crate) fn percent_done(fraction: f32) -> String {
    let fraction = if fraction.is_finite() {
        fraction.clamp(0.0, 1.0)
    } else {
        0.0
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is between 0 and 100"
    )]
    percent((fraction * 100.0) as u64)
}
