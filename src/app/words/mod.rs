//! Words for people: texts in their languages, messages (what, why, what next), who saw what, times and sizes.

pub mod harmless;
pub mod l10n;
pub mod message;
pub mod units;
pub mod who_saw_what;
