//! Words for people: texts in their languages, messages (what, why, what next), who saw what.

pub mod harmless;
pub mod l10n;
pub mod message;
pub mod who_saw_what;
