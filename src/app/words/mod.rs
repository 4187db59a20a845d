//! Words for people: texts in their languages, messages (what, why, what next), who saw what, times and sizes.
//!
//! What the window shows or reads out stands in the tables of texts ([`texts`] here for what the command line says too,
//! `gui::text` for the rest) in every language that is offered; everything else is English, in the code that says it: what
//! the command line alone says (`cli::run` sets its language), checks and what the window copies as diagnostics
//! (`app::operate::check`), log lines, and the `Display` of errors. What programs read (JSON, records, configuration) has
//! words that no language changes.

pub mod harmless;
pub mod l10n;
pub mod managed;
pub mod message;
pub mod relay_sources;
pub(crate) mod text_table;
pub(crate) mod texts;
pub(crate) mod units;
pub mod who_saw_what;
