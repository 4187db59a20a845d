//! Settings of this person: the file they are kept in, and its misspelled keys.

pub mod config;
mod misspelled;
