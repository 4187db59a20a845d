//! Words for people: texts in their languages, messages (what, why, what next), who saw what, times and sizes.

pub mod harmless;
pub mod l10n;
pub mod managed;
pub mod message;
pub mod relay_sources;
pub(crate) mod text_table;
pub(crate) mod texts;
pub mod units;
pub mod who_saw_what;
